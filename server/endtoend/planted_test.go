package endtoend

import (
	"bytes"
	"encoding/json"
	"fmt"
	"html"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"

	"doorstep/client-sdk/engine"
	"doorstep/server"
	"doorstep/server/internal/tracing/tracingtest"
	"doorstep/syncproto"
	"doorstep/syncproto/schema"
)

// plantedWord is a word that stands for what somebody wrote; no other word has it in it.
const plantedWord = "zqplant"

// plants counts the words that were planted.
type plants struct{ n int }

func (p *plants) next() string {
	p.n++
	return fmt.Sprintf("%s%04d", plantedWord, p.n)
}

// heard keeps what a server logs.
type heard struct {
	mu sync.Mutex
	b  bytes.Buffer // guarded by mu
}

func (h *heard) Write(p []byte) (int, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.b.Write(p)
}

func (h *heard) String() string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.b.String()
}

// Words are planted in every kind of record, in names, passwords, paths and headers,
// in what is refused, held and kept in quarantine. None is in a log at its most
// talkative, a trace, a figure, an answer that is an error, what IT's commands and pages say, or any file
// or file name of the data, its second copy and its backups.
func TestPlantedWordsAreFoundNowhere(t *testing.T) {
	t.Parallel()
	logs, p := &heard{}, &plants{}
	b := newBorough(t, caseload{workers: 2, families: 1, manager: true})
	b.stop()
	withBackups(t, &b.cfg)
	b.cfg.Log.Level, b.cfg.Metrics.Address, b.logs = "debug", "127.0.0.1:0", logs
	collector := tracingtest.New(t)
	b.cfg.Traces.Endpoint = collector.URL
	b.cfg.Data.CopyDir = filepath.Join(filepath.Dir(b.cfg.Data.Dir), "copy")
	if err := os.Mkdir(b.cfg.Data.CopyDir, 0o700); err != nil {
		t.Fatal(err)
	}
	b.start(t)
	if err := b.op.SetPassword(t.Context(), "manager", password); err != nil {
		t.Fatal(err)
	}
	notices := b.hearsNotices(t)
	a := newTablet(t, b, 0, 1)
	a.syncs()
	family := a.families()[0]
	hand := newWire(b, a)

	if kinds := p.inEveryKind(a, family); kinds < 10 {
		t.Errorf("words were planted in %d kinds of record, want more", kinds)
	}
	a.syncs()
	p.inWhatIsRefused(t, hand, family)
	answers := p.inRequests(t, b)
	p.inQuarantine(t, b, a, family)
	if forms := p.inForms(b.browses(t, "manager")); forms < 8 {
		t.Errorf("words were planted in %d forms of the desk, want more", forms)
	}
	said := whatITSees(t, b)
	for path, page := range b.browses(t, "it").crawlsSite() {
		said += path + page
	}
	figures := (&watched{borough: b, t: t}).scrape()
	if _, err := server.Backup(t.Context(), b.cfg, nil, logs); err != nil {
		t.Fatal(err)
	}
	b.stop()
	if said := notices(); !strings.Contains(said, "event:") {
		t.Errorf("the stream of notices says nothing: %q", said)
	} else {
		wantNone(t, "a notice", said)
	}
	if p.n < 40 || len(answers) < 5 {
		t.Errorf("%d words were planted and %d requests refused: too few to look for", p.n, len(answers))
	}
	wantNone(t, "the log", logs.String())
	wantNone(t, "a trace", collector.Text())
	wantTraces(t, collector.Spans(t))
	wantNone(t, "what IT sees", said)
	for series := range figures {
		wantNone(t, "a figure", series)
	}
	for what, answer := range answers {
		wantNone(t, "the answer to "+what, answer)
	}
	wantNoFileWith(t, filepath.Dir(b.cfg.Data.Dir))
}

// hearsNotices listens to a signed-in person's stream of events until the server stops;
// what comes back says what was heard.
func (b *borough) hearsNotices(t *testing.T) (said func() string) {
	t.Helper()
	var signed struct {
		Token string `json:"access_token"`
	}
	res, err := http.Post("http://"+b.addr+"/v1/sign-in", "application/json", strings.NewReader(fmt.Sprintf(`{"login":"manager","password":%q}`, password)))
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if err := json.NewDecoder(res.Body).Decode(&signed); err != nil || signed.Token == "" {
		t.Fatalf("signing in: %v, status %d", err, res.StatusCode)
	}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+b.addr+"/v1/events", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+signed.Token)
	stream, err := http.DefaultClient.Do(req)
	if err != nil || stream.StatusCode != http.StatusOK {
		t.Fatalf("listening to notices: %v, %+v", err, stream)
	}
	heard := make(chan string, 1)
	go func() {
		defer stream.Body.Close()
		text, _ := io.ReadAll(stream.Body) // it ends with the server
		heard <- string(text)
	}()
	return func() string { return <-heard }
}

var (
	anyDeskLink = regexp.MustCompile(`href="(/desk/[^"#]*)`)
	deskForm    = regexp.MustCompile(`(?s)<form[^>]*action="(/desk/[^"]*)".*?</form>`)
	formField   = regexp.MustCompile(`<(?:input|textarea)[^>]* name="([a-z_]+)"`)
)

// inForms plants words in every field of every form of the desk that somebody comes to,
// and in the addresses beside them, and returns how many forms there were.
func (p *plants) inForms(w *office) int {
	seen, sent, waiting := map[string]bool{}, map[string]bool{}, []string{"/desk/"}
	for len(waiting) > 0 && len(seen) < 80 {
		path := waiting[0]
		waiting = waiting[1:]
		if seen[path] {
			continue
		}
		seen[path] = true
		_, page := w.looks(path)
		for _, l := range anyDeskLink.FindAllStringSubmatch(page, -1) {
			waiting = append(waiting, html.UnescapeString(l[1]))
		}
		for _, f := range deskForm.FindAllStringSubmatch(page, -1) {
			to := html.UnescapeString(f[1])
			if sent[to] || strings.HasSuffix(to, "/sign-out") {
				continue
			}
			sent[to] = true
			answers := url.Values{}
			for _, field := range formField.FindAllStringSubmatch(f[0], -1) {
				if field[1] != "form_token" {
					answers.Set(field[1], p.next())
				}
			}
			w.fills(path, answers)
			w.sends(to, answers)
			w.looks(to + "/" + p.next() + "?" + p.next() + "=" + p.next())
		}
	}
	return len(sent)
}

func wantNone(t *testing.T, where, text string) {
	t.Helper()
	if at := strings.Index(strings.ToLower(text), plantedWord); at >= 0 {
		t.Errorf("%s repeats what somebody wrote: ...%.200s", where, text[max(0, at-80):])
	}
}

// wantNoFileWith reads every file below a folder.
func wantNoFileWith(t *testing.T, dir string) {
	t.Helper()
	read := 0
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		wantNone(t, "a file's name", path)
		text, err := os.ReadFile(path)
		read++
		if at := bytes.Index(text, []byte(plantedWord)); at >= 0 {
			t.Errorf("%s holds what somebody wrote: %.11s", path, text[at:])
		}
		return err
	})
	if err != nil || read < 10 {
		t.Errorf("%d files were read, %v", read, err)
	}
}

// inEveryKind plants a word in every field of every kind of record that takes prose.
func (p *plants) inEveryKind(a *tablet, family syncproto.FamilyID) (kinds int) {
	for _, k := range schema.All() {
		if newest, _ := schema.Newest(k.ID); newest != k {
			continue
		}
		record, done := a.newRecord(), false
		for _, f := range k.Fields {
			for _, op := range []syncproto.Op{setText(f.ID, p.next()), write(f.ID, 0, p.next())} {
				if _, err := a.Edit(engine.Edit{Family: family, Record: record, Kind: k.ID, Ops: []syncproto.Op{op}}); err == nil {
					done = true
				}
			}
		}
		if done {
			kinds++
		}
	}
	return kinds
}

// inWhatIsRefused sends words in changes that are malformed, held, forged and of a
// record that nobody may write.
func (p *plants) inWhatIsRefused(t *testing.T, hand *wire, family syncproto.FamilyID) {
	t.Helper()
	c := &chain{w: hand, actor: syncproto.ActorID{9, 9}}
	send := func(n byte, alter func(*syncproto.Body), spoil func([]byte) []byte) {
		body := syncproto.Body{Family: family, Record: syncproto.RecordID{7, n}, Kind: "visit", Ops: []syncproto.Op{write("household_summary", 0, p.next())}}
		alter(&body)
		before := c.prev
		raw, _ := c.next(body)
		if spoiled := spoil(raw); spoiled != nil {
			c.prev = before
			c.append(spoiled)
			raw = spoiled
		}
		q := hand.request(n)
		q.Batches = []syncproto.Batch{c.batch(before, raw)}
		if _, err := hand.post(t.Context(), q); err != nil {
			t.Fatal(err)
		}
	}
	whole := func([]byte) []byte { return nil }
	send(1, func(b *syncproto.Body) { b.Deps = []syncproto.ChangeID{{0xEE}} }, whole)
	send(2, func(b *syncproto.Body) { b.Kind = "visit_of_tomorrow" }, whole) // its name is no content: IT may see it
	send(3, func(b *syncproto.Body) { b.Ops[0].Path.Field = p.next() }, whole)
	send(4, func(b *syncproto.Body) { b.Family = syncproto.FamilyID{0xBB} }, whole)
	send(5, func(*syncproto.Body) {}, func(raw []byte) []byte { return append(bytes.Clone(raw), p.next()...) })
	send(6, func(*syncproto.Body) {}, func(raw []byte) []byte { return []byte(p.next()) })
}

// inRequests plants words where callers write them, and returns what was answered.
func (p *plants) inRequests(t *testing.T, b *borough) map[string]string {
	t.Helper()
	out := map[string]string{}
	send := func(what, method, path, body string) {
		req, err := http.NewRequestWithContext(t.Context(), method, "http://"+b.addr+path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Content-Type", "application/json")
		req.Header.Set("User-Agent", p.next())
		req.Header.Set("Authorization", "Bearer "+p.next())
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		text, err := io.ReadAll(res.Body)
		if err != nil || res.StatusCode < 400 {
			t.Errorf("%s: status %d, %v; want a refusal", what, res.StatusCode, err)
		}
		out[what] = fmt.Sprint(res.Header, string(text))
	}
	send("a wrong login", "POST", "/v1/sign-in", fmt.Sprintf(`{"login":%q,"password":%q}`, p.next(), p.next()))
	send("a wrong password", "POST", "/v1/sign-in", fmt.Sprintf(`{"login":"worker.00","password":%q}`, p.next()))
	send("an unknown key", "POST", "/v1/sign-in", fmt.Sprintf(`{%q:%q}`, p.next(), p.next()))
	send("no JSON", "POST", "/v1/sign-in", p.next())
	send("a path", "GET", "/v1/records/"+p.next(), "")
	send("a path of nothing", "GET", "/"+p.next(), "")
	send("a query", "GET", "/v1/families?"+p.next()+"="+p.next(), "")
	send("a sync", "POST", "/v1/sync", p.next())
	send("an enrolment", "POST", "/v1/devices", fmt.Sprintf(`{"login":"worker.00","code":%q,"name":%q}`, p.next(), p.next()))
	return out
}

// inQuarantine has words of a revoked tablet wait for a reviewer.
func (p *plants) inQuarantine(t *testing.T, b *borough, a *tablet, family syncproto.FamilyID) {
	t.Helper()
	visit := a.newRecord()
	a.edit(family, visit, "visit", write("household_summary", 0, p.next()))
	if err := b.op.RevokeDevice(t.Context(), a.id.Device.String()); err != nil {
		t.Fatal(err)
	}
	a.restart()
	a.syncs()
}

// whatITSees is what the commands answer that look at everything.
func whatITSees(t *testing.T, b *borough) string {
	t.Helper()
	status, err := b.op.Status(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	custody, err := b.op.Custody(t.Context())
	if err != nil || len(custody.Changes) == 0 {
		t.Fatalf("custody: %+v, %v; want what waits", custody, err)
	}
	devices, err := b.op.Devices(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	reconciled, err := b.op.Reconciliation(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("%+v %+v %+v %+v", status, custody, devices, reconciled)
}
