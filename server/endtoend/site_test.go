package endtoend

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"doorstep/server/web/webtest"
)

// office is somebody at the desk's pages, without a screen.
type office struct {
	*webtest.Reader
	t *testing.T
}

// browses signs somebody in at the desk.
func (b *borough) browses(t *testing.T, login string) *office {
	t.Helper()
	return &office{webtest.SignIn(t, "http://"+b.addr, login, password), t}
}

func (w *office) looks(path string) (int, string) { return w.Get(path) }

func (w *office) sends(path string, form url.Values) (int, string) { return w.Send(path, form) }

// fills sends the form at an address with these answers.
func (w *office) fills(path string, answers url.Values) (int, string) {
	return w.Fill(path, path, answers)
}

var (
	formToken  = regexp.MustCompile(`name="form_token" value="([^"]+)"`)
	deskLinks  = regexp.MustCompile(`href="(/desk/it[^"#]*)`)
	revokePath = regexp.MustCompile(`/desk/it/(?:devices|people)/[0-9a-f]{32}/revoke`)
)

// crawlsSite reads every page that IT comes to.
func (w *office) crawlsSite() map[string]string {
	w.t.Helper()
	seen, waiting := map[string]string{}, []string{"/desk/"}
	for len(waiting) > 0 {
		path := waiting[0]
		waiting = waiting[1:]
		if _, again := seen[path]; again {
			continue
		}
		status, page := w.looks(path)
		if status != http.StatusOK {
			w.t.Errorf("%s answers %d", path, status)
		}
		seen[path] = page
		for _, l := range deskLinks.FindAllStringSubmatch(page, -1) {
			waiting = append(waiting, l[1])
		}
	}
	return seen
}

// IT looks after the server in a browser: how it is, its tablets and its accounts. A
// tablet is revoked and an account ended there, once somebody meant it. To everybody else
// there is no such page.
func TestITLooksAfterTheServerInABrowser(t *testing.T) {
	t.Parallel()
	b := newBorough(t, caseload{workers: 2, families: 1, manager: true})
	a := newTablet(t, b, 0, 88)
	a.syncs()
	if err := b.op.SetPassword(t.Context(), "manager", password); err != nil {
		t.Fatal(err)
	}
	it := b.browses(t, "it")
	pages := it.crawlsSite()
	for path, want := range map[string]string{"/desk/": "newest checkpoint", "/desk/it": "entries, epoch", "/desk/it/devices": a.login + "'s tablet", "/desk/it/people": login(1)} {
		if !strings.Contains(pages[path], want) {
			t.Errorf("%s does not say %q", path, want)
		}
	}
	if len(pages) < 8 {
		t.Errorf("IT comes to %d pages, want more", len(pages))
	}
	manager := b.browses(t, "manager")
	for path := range pages {
		status, page := manager.looks(path)
		if path == "/desk/" {
			continue
		}
		if status != http.StatusNotFound || strings.Contains(page, login(0)) {
			t.Errorf("a manager is answered %d at %s", status, path)
		}
		if revokePath.MatchString(path) {
			if status, _ := manager.sends(path, url.Values{"form_token": formToken.FindStringSubmatch(page)[1:]}); status != http.StatusNotFound {
				t.Errorf("a manager who sends %s is answered %d", path, status)
			}
		}
	}
	it.withdraws(t, "/desk/it/devices", "The tablet is revoked.")
	if d := b.device(t, a); d.Revoked.IsZero() {
		t.Errorf("the tablet is %+v, want it revoked", d)
	}
	it.withdraws(t, "/desk/it/people", "The account is ended.")
	users, err := b.op.Users(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	ended := 0
	for _, u := range users {
		if u.Disabled {
			ended++
		}
	}
	if ended != 1 {
		t.Errorf("%d accounts are ended, want 1", ended)
	}
}

// withdraws revokes the first tablet or account of a list.
func (w *office) withdraws(t *testing.T, list, want string) {
	t.Helper()
	_, page := w.looks(list)
	path := revokePath.FindString(page)
	_, asked := w.looks(path)
	token := formToken.FindStringSubmatch(asked)
	if path == "" || token == nil || !strings.Contains(asked, "no word of it is lost") {
		t.Fatalf("nothing can be withdrawn at %s", list)
	}
	if status, _ := w.sends(path, url.Values{}); status != http.StatusForbidden {
		t.Errorf("a form of nobody's: %d", status)
	}
	if status, page := w.sends(path, url.Values{"form_token": token[1:]}); status != http.StatusOK || !strings.Contains(page, want) {
		t.Errorf("%s: %d, without %q", path, status, want)
	}
	if status, _ := w.looks(path); status != http.StatusNotFound {
		t.Errorf("%s is offered again: %d", path, status)
	}
}
