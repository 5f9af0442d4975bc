package demo

import (
	"crypto/sha256"
	"flag"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"doorstep/server/web/webtest"
)

// reader is somebody signed in at the desk, without a browser.
type reader struct {
	*webtest.Reader
	t     *testing.T
	login string
	pages map[string]string // what each address showed
}

func (d *day) reader(t *testing.T, login string) *reader {
	t.Helper()
	return &reader{Reader: webtest.SignIn(t, d.scene.town.url, login, pass), t: t, login: login, pages: map[string]string{}}
}

var (
	links     = regexp.MustCompile(`href="(/desk/[^"#]*)`)
	recordsIn = regexp.MustCompile(`/desk/records/([0-9a-f]{32})`)
)

var answer = regexp.MustCompile(`name="to" type="radio" value="([0-9a-f]{32})"`)

// sentTwice presses a button twice.
func (d *day) sentTwice(t *testing.T) {
	r := d.reader(t, grace)
	_, queue := r.Get("/desk/?state=handed_over")
	record := recordsIn.FindString(queue)
	_, page := r.Get(record + "/query")
	form := webtest.Hidden(page)
	form.Set("text", "Pressed twice?")
	to := answer.FindStringSubmatch(page)
	if to == nil || form.Get("request") == "" {
		t.Fatalf("there is no form at %s/query", record)
	}
	form.Set("to", to[1])
	for range 2 {
		if status, body := r.Send(record+"/query", form); status != http.StatusOK || !strings.Contains(body, "Your question was sent.") {
			t.Fatalf("asking: %d", status)
		}
	}
	_, page = r.Get(record)
	if n := strings.Count(page, `<p class="text">Pressed twice?`); n != 1 {
		t.Errorf("it is asked %d times", n)
	}
}

// press sends a form that only has a button: an act on a page, which has one of them.
func (r *reader) press(page, act string) {
	r.t.Helper()
	if status, _ := r.Fill(page, page+"/"+act, nil); status != http.StatusOK {
		r.t.Fatalf("%s presses %s: %d", r.login, act, status)
	}
}

var everyForm = flag.Bool("everyform", false, "crawl the form of every field of the desk, instead of one of sixteen")

// oneOfMany leaves out most forms that are about one field: they are alike, and hundreds.
func oneOfMany(address string) bool {
	if !strings.Contains(address, "?field=") || strings.Contains(address, "/entries?") {
		return true
	}
	sum := sha256.Sum256([]byte(address[strings.LastIndex(address, "/"):]))
	return sum[0]%16 == 0
}

// crawl follows every link from the first page.
func (r *reader) crawl() {
	r.t.Helper()
	waiting := []string{"/desk/"}
	for len(waiting) > 0 {
		address := waiting[0]
		waiting = waiting[1:]
		if _, seen := r.pages[address]; seen {
			continue
		}
		status, body := r.Get(address)
		if status >= 500 {
			r.t.Errorf("%s: %s answers %d", r.login, address, status)
		}
		r.pages[address] = body
		for _, l := range links.FindAllStringSubmatch(body, -1) {
			if *everyForm || oneOfMany(l[1]) {
				waiting = append(waiting, l[1])
			}
		}
	}
}

// crawled holds every page that anybody comes to, and every record's page for everybody,
// to what access says of that person and that record.
func (d *day) crawled(t *testing.T) {
	readers := map[string]*reader{}
	records := map[string]bool{}
	pages := 0
	for _, login := range d.logins() {
		r := d.reader(t, login)
		r.crawl()
		readers[login] = r
		pages += len(r.pages)
		for address, body := range r.pages {
			for _, m := range recordsIn.FindAllStringSubmatch(address+body, -1) {
				records[m[1]] = true
			}
		}
	}
	if len(records) < 30 || pages < 250 {
		t.Fatalf("only %d records were found on %d pages", len(records), pages)
	}
	may := map[string]map[string]bool{} // record, then login
	for record := range records {
		may[record] = map[string]bool{}
		for login := range readers {
			said, err := d.scene.town.operator.ExplainAccess(t.Context(), login, record)
			if err != nil {
				t.Fatal(err)
			}
			may[record][login] = !strings.Contains(said.Lines[0], " may not ")
		}
	}
	everyPage(t, readers)
	d.onlyWhatIsAllowed(t, readers, may)
	d.noNameLeaks(t, readers, may)
	t.Logf("%d pages of %d people, %d records", pages, len(readers), len(records))
}

func (d *day) onlyWhatIsAllowed(t *testing.T, readers map[string]*reader, may map[string]map[string]bool) {
	for login, r := range readers {
		for address, body := range r.pages {
			for _, m := range recordsIn.FindAllStringSubmatch(address+body, -1) {
				if !may[m[1]][login] {
					t.Errorf("%s is led to a record that they may not read, by %s", login, address)
				}
			}
		}
		for record := range may {
			for _, more := range []string{"", "/history", "/query", "/edit", "/finalise"} {
				status, _ := r.Get("/desk/records/" + record + more)
				if shown := status != http.StatusNotFound; shown != may[record][login] {
					t.Errorf("%s, record %s%s: answers %d, may read it: %v", login, record, more, status, may[record][login])
				}
				if more == "" && !may[record][login] {
					break // one look at what is shut is enough
				}
			}
		}
	}
}

var fullName = regexp.MustCompile(`(?s)<dt class="govuk-summary-list__key">(?:Full name|Family name)</dt><dd class="govuk-summary-list__value">.*?<div class="said">([^<]+)<`)

// noNameLeaks holds that nobody is shown the name of a person or a family whose record
// they may not read, on whatever page.
func (d *day) noNameLeaks(t *testing.T, readers map[string]*reader, may map[string]map[string]bool) {
	names := map[string]string{}
	for _, r := range readers {
		for address, body := range r.pages {
			m, name := recordsIn.FindStringSubmatch(address), fullName.FindStringSubmatch(body)
			if m != nil && name != nil && address == "/desk/records/"+m[1] {
				names[m[1]] = name[1]
			}
		}
	}
	if len(names) < 20 {
		t.Fatalf("only %d names were found", len(names))
	}
	for record, name := range names {
		for login, r := range readers {
			if may[record][login] {
				continue
			}
			for address, body := range r.pages {
				if strings.Contains(body, name) {
					t.Errorf("%s is shown the name of record %s on %s", login, record, address)
				}
			}
		}
	}
}
