package bench

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"

	"doorstep/server"
	"doorstep/server/internal/progress"
)

// Desk is how long a coordinator waits for pages of the desk, from the request until the
// whole page is there: the queue, and searches among all records of the borough.
type Desk struct {
	Visits   int    `json:"visits"`   // in the borough
	Families int    `json:"families"` // that the coordinator reads
	Queue    Waited `json:"queue"`
	Search   Waited `json:"search"`
	// Cold is the first queue after a start, before anything was looked at ahead of it.
	ColdMS float64 `json:"first_queue_ms"`
}

// Waited is one page, asked for again and again.
type Waited struct {
	Records  int     `json:"records"` // in the queue; in the median, that a search found
	MedianMS float64 `json:"median_ms"`
	P95MS    float64 `json:"p95_ms"`
	took     []time.Duration
	found    []int
}

func (w *Waited) finish() {
	w.MedianMS, w.P95MS = median(w.took, ms), quantile(w.took, 0.95, ms)
	w.Records = int(median(w.found, func(n int) float64 { return float64(n) }))
}

// What the goals of the desk are about: a tenth of the borough is the coordinator's.
const (
	deskVisits  = 100_000
	familyHas   = 20 // visits
	deskShare   = 10
	deskPages   = 200
	coordinator = "coordinator.001"
)

// deskFamilies are as many as the visits make, and enough for every tablet to have some.
func (b *bench) deskFamilies() int { return max(b.o.DeskVisits/familyHas, deskShare*b.o.Devices) }

// measureDesk fills a borough with visits that were handed over, and has a coordinator of
// a tenth of its families look at the queue and search.
func (b *bench) measureDesk(ctx context.Context) (err error) {
	s, err := b.startWith(ctx, "desk", b.bringInDesk)
	if err != nil {
		return err
	}
	stop := s.close
	defer func() { err = errors.Join(err, stop()) }()
	for _, p := range s.pushers {
		p.writer.handsOver = true
	}
	if err := b.fill(ctx, s, b.o.DeskVisits); err != nil {
		return err
	}
	b.say("starting the server anew")
	if err := stop(); err != nil {
		return err
	}
	stop = func() error { return nil }
	p, err := startProcess(ctx, configOf(s.dir), s.dir)
	if err != nil {
		return err
	}
	stop, s.url = p.stop, p.url
	return b.deskPages(ctx, s)
}

func (b *bench) deskPages(ctx context.Context, s *site) error {
	d, err := signInAtDesk(ctx, s.url)
	if err != nil {
		return err
	}
	out := &b.report.Desk
	out.Visits, out.Families = s.held, b.deskFamilies()/deskShare
	took, _, err := d.queue(ctx)
	if err != nil {
		return err
	}
	out.ColdMS = ms(took)
	b.say("the first queue took %.0f ms; %d pages of the queue and %d searches, after a tenth to warm up", out.ColdMS, b.o.DeskPages, b.o.DeskPages)
	words := s.pushers[0].writer.words
	turns := b.o.DeskPages/10 + 1 + b.o.DeskPages
	looking := progress.Begin(ctx, "looking through the desk", progress.Pages, int64(turns))
	for turn := range turns {
		looking.Add(1)
		took, n, err := d.queue(ctx)
		if err != nil {
			return err
		}
		found, hits, err := d.search(ctx, words[turn%len(words)]+" "+words[(turn*7+1)%len(words)])
		if err != nil {
			return err
		}
		if turn > b.o.DeskPages/10 {
			out.Queue.took, out.Queue.found = append(out.Queue.took, took), append(out.Queue.found, n)
			out.Search.took, out.Search.found = append(out.Search.took, found), append(out.Search.found, hits)
		}
	}
	out.Queue.finish()
	out.Search.finish()
	return nil
}

// atDesk is somebody signed in at the desk in a browser.
type atDesk struct {
	url    string
	client *http.Client
	token  string // of forms
}

func signInAtDesk(ctx context.Context, url string) (*atDesk, error) {
	jar, err := cookiejar.New(nil)
	if err != nil {
		return nil, err
	}
	d := &atDesk{url: url, client: &http.Client{Jar: jar}}
	_, err = d.send(ctx, "/desk/sign-in", map[string]string{"login": coordinator, "password": password})
	if err != nil {
		return nil, err
	}
	page, err := d.page(ctx, http.MethodGet, "/desk/search", "")
	if err != nil {
		return nil, err
	}
	d.token, err = part(page, `name="form_token" value="([^"]*)"`)
	return d, err
}

// queue asks for the queue, and reads how much is in it.
func (d *atDesk) queue(ctx context.Context) (time.Duration, int, error) {
	began := time.Now()
	page, err := d.page(ctx, http.MethodGet, "/desk/", "")
	took := time.Since(began)
	if err != nil {
		return 0, 0, err
	}
	n, err := count(page, `All \((\d+)\)`)
	return took, n, err
}

// search looks for words, and reads how many records have them.
func (d *atDesk) search(ctx context.Context, words string) (time.Duration, int, error) {
	began := time.Now()
	page, err := d.send(ctx, "/desk/search", map[string]string{"words": words, "form_token": d.token})
	took := time.Since(began)
	if err != nil {
		return 0, 0, err
	}
	n, err := count(page, `>(\d+) records?[,<]`)
	if err != nil && strings.Contains(page, "Nothing that you may read") {
		return took, 0, nil
	}
	return took, n, err
}

func (d *atDesk) send(ctx context.Context, path string, fields map[string]string) (string, error) {
	form := url.Values{}
	for k, v := range fields {
		form.Set(k, v)
	}
	return d.page(ctx, http.MethodPost, path, form.Encode())
}

// page asks for a page and reads all of it.
func (d *atDesk) page(ctx context.Context, method, path, form string) (string, error) {
	q, err := http.NewRequestWithContext(ctx, method, d.url+path, strings.NewReader(form))
	if err != nil {
		return "", err
	}
	q.Header.Set("Sec-Fetch-Site", "same-origin")
	if method == http.MethodPost {
		q.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	res, err := d.client.Do(q)
	if err != nil {
		return "", err
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err == nil && res.StatusCode != http.StatusOK {
		err = fmt.Errorf("the desk answers %s to %s %s", res.Status, method, path)
	}
	return string(body), err
}

func part(page, pattern string) (string, error) {
	found := regexp.MustCompile(pattern).FindStringSubmatch(page)
	if found == nil {
		return "", fmt.Errorf("a page of the desk has nothing like %s", pattern)
	}
	return found[1], nil
}

func count(page, pattern string) (int, error) {
	text, err := part(page, pattern)
	if err != nil {
		return 0, err
	}
	return strconv.Atoi(text)
}

// bringInDesk imports workers with all families of a borough, and a coordinator with a
// part of these.
func (b *bench) bringInDesk(s *site, ctx context.Context, operator server.Operator, devices int) error {
	workers := []string{"worker_ref,login,name,role,team_ref,qualified_social_worker",
		"C-1," + coordinator + ",The Coordinator,coordinator,T-0,N"}
	families := []string{"family_ref,name,team_ref"}
	allocations := []string{"allocation_ref,family_ref,worker_ref,role,from,to,sw_reason"}
	for n := range devices + 1 {
		workers = append(workers, fmt.Sprintf("W-%d,%s,Worker %d,practitioner,T-1,Y", n, login(n), n))
	}
	for f := range b.deskFamilies() {
		families = append(families, fmt.Sprintf("F-%d,Family %d,T-%d", f, f, min(f%deskShare, 1)))
		allocations = append(allocations, fmt.Sprintf("A-%d,F-%d,W-%d,LEAD,2025-03-03,,", f, f, f/deskShare%devices))
	}
	allocations = append(allocations, fmt.Sprintf("A-R,F-0,W-%d,CO,2025-03-03,,", devices)) // the reader's
	err := s.load(ctx, operator, map[string][]string{"teams.csv": {"team_ref,name", "T-0,North", "T-1,South"},
		"workers.csv": workers, "families.csv": families, "allocations.csv": allocations})
	if err != nil {
		return err
	}
	s.addPeople(operator, devices)
	return operator.SetPassword(ctx, coordinator, password)
}
