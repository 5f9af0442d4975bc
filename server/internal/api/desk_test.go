package api

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"doorstep/server/internal/audit"
	"doorstep/server/internal/pages"
	"doorstep/syncproto"
)

// smallDesk has one page, which shows two records, and one form, which keeps what it is sent.
type smallDesk struct {
	sent url.Values
}

func (d *smallDesk) Routes() []pages.Route {
	out := []pages.Route{
		{Method: "GET", Path: "/desk/", ID: "deskQueue", Handle: d.page},
		{Method: "GET", Path: "/desk/records/:id", ID: "deskRecord", Handle: d.page},
		{Method: "POST", Path: "/desk/records/:id/lease", ID: "deskLease", Handle: d.form},
		{Method: "POST", Path: "/desk/records/:id/release", ID: "deskRelease", Fresh: true, Handle: d.form},
		{Method: "GET", Path: "/desk/late", ID: "deskLate", Handle: d.none},
	}
	for id := range deskRules() { // whoever has rules has pages
		if !slices.Contains([]string{"deskQueue", "deskRecord", "deskLease", "deskRelease", "deskLate", "deskSignIn", "deskSignInSend", "deskSignOut", "deskStepUp", "deskStepUpSend", "deskEvents",
			"deskPasskey", "deskService", "deskServiceAgain", "deskBack", "deskBackOn", "deskAccount", "deskNewPasskey", "deskNewPasskeySend", "deskRemovePasskey", "deskRemovePasskeySend"}, id) {
			out = append(out, pages.Route{Method: "GET", Path: "/desk/" + id, ID: id, Handle: d.none})
		}
	}
	return out
}

func (d *smallDesk) page(_ context.Context, c *pages.Call) (pages.Answer, error) {
	return pages.Answer{Body: []byte("token " + c.FormToken), Shown: []syncproto.RecordID{aRecord, {9}}}, nil
}

func (d *smallDesk) form(_ context.Context, c *pages.Call) (pages.Answer, error) {
	d.sent = c.Form
	return pages.Answer{To: "/desk/"}, nil
}

func (d *smallDesk) none(context.Context, *pages.Call) (pages.Answer, error) {
	return pages.Answer{}, syncproto.CodeNotFound
}

func (d *smallDesk) SignIn(in pages.Proving) ([]byte, error) {
	out := "sign in, then " + in.After + " " + in.Code.Error() + " by " + in.Service
	for _, words := range in.Lost {
		out += " lost: " + words
	}
	return []byte(out), nil
}

func (d *smallDesk) StepUp(_ *pages.Call, in pages.Proving) ([]byte, error) {
	out := "again, then " + in.After + " " + in.Code.Error()
	for _, words := range in.Lost {
		out += " lost: " + words
	}
	return []byte(out), nil
}

func (d *smallDesk) Back(onward string) ([]byte, error) { return []byte(onward), nil }

func (d *smallDesk) Account(*pages.Call, pages.Account) ([]byte, error) {
	return []byte("account"), nil
}

func (d *smallDesk) NewPasskey(*pages.Call, pages.NewPasskey) ([]byte, error) {
	return []byte("new passkey"), nil
}

func (d *smallDesk) RemovePasskey(*pages.Call, pages.AccountKey, bool) ([]byte, error) {
	return []byte("remove passkey"), nil
}

func (d *smallDesk) Refused(c *pages.Call, code syncproto.Code, _ []string) ([]byte, error) {
	if c != nil {
		return []byte("refused to somebody: " + code.Error()), nil
	}
	return []byte("refused: " + code.Error()), nil
}

// office is a world with a desk, and a browser before it.
type office struct {
	*world
	desk   *smallDesk
	cookie string
	token  string
	site   string // what the browser says of where a form is from
}

func newOffice(t *testing.T, change func(*Config)) *office {
	t.Helper()
	o := &office{desk: &smallDesk{}, site: "same-origin"}
	o.world = newWorld(t, func(c *Config) {
		c.Desk = o.desk
		if change != nil {
			change(c)
		}
	})
	o.addUser("grace", "coordinator")
	return o
}

// visit is one request of the browser, which keeps the cookie that it is given.
func (o *office) visit(method, path string, form url.Values) answer {
	o.t.Helper()
	req, err := http.NewRequest(method, "http://"+o.addr+path, strings.NewReader(form.Encode()))
	if err != nil {
		o.t.Fatal(err)
	}
	if method == http.MethodPost {
		req.Header.Set("Content-Type", formMedia)
		req.Header.Set("Sec-Fetch-Site", o.site)
	}
	if o.cookie != "" {
		req.Header.Set("Cookie", plainCookieName+"="+o.cookie)
	}
	client := o.client()
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	res, err := client.Do(req)
	if err != nil {
		o.t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		o.t.Fatal(err)
	}
	for _, c := range res.Cookies() {
		if c.Name == plainCookieName {
			o.cookie = c.Value
		}
	}
	return answer{res.StatusCode, res.Header, body}
}

// enter signs in and reads the token of the forms.
func (o *office) enter() {
	o.t.Helper()
	got := o.visit("POST", "/desk/sign-in", url.Values{"login": {"grace"}, "password": {testPassword}, "after": {"/desk/late"}})
	if got.status != http.StatusSeeOther || got.header.Get("Location") != "/desk/late" || o.cookie == "" {
		o.t.Fatalf("signing in: %d to %q", got.status, got.header.Get("Location"))
	}
	o.token = strings.TrimPrefix(string(o.visit("GET", "/desk/", nil).body), "token ")
}

const aLease = "/desk/records/" + deskRecord + "/lease"

// deskRecord is aRecord as addresses write it.
const deskRecord = "02000000000000000000000000000000"

func TestTheDeskNeedsASession(t *testing.T) {
	o := newOffice(t, nil)
	got := o.visit("GET", "/desk/records/"+deskRecord, nil)
	if want := "/desk/sign-in?after=%2Fdesk%2Frecords%2F" + deskRecord; got.status != http.StatusSeeOther || got.header.Get("Location") != want {
		t.Errorf("without a session: %d to %q, want %q", got.status, got.header.Get("Location"), want)
	}
	o.cookie = "made.up.session"
	if got := o.visit("GET", "/desk/", nil); got.status != http.StatusSeeOther {
		t.Errorf("with a session that is none: %d", got.status)
	}
	if got := o.visit("POST", "/desk/sign-in", url.Values{"login": {"grace"}, "password": {"wrong"}}); got.status != http.StatusUnauthorized || o.cookie != "" {
		t.Errorf("a wrong password: %d, cookie %q", got.status, o.cookie)
	}
	o.wantNoted(audit.TypeSignIn, syncproto.CodeBadCredentials, "deskSignInSend")
	for _, away := range []string{"https://elsewhere.example/", "//elsewhere.example", "/v1/about", `/desk/\elsewhere`, "/desk/../v1"} {
		got := o.visit("POST", "/desk/sign-in", url.Values{"login": {"grace"}, "password": {testPassword}, "after": {away}})
		if got.header.Get("Location") != "/desk/" {
			t.Errorf("after signing in it goes to %q", got.header.Get("Location"))
		}
	}
}

// TestTheDesksSessionIsAShutBox: no script, no other site and no plain connection ever
// sees it, and ending it ends the tokens in it.
func TestTheDesksSessionIsAShutBox(t *testing.T) {
	o := newOffice(t, func(c *Config) { c.Origin = "https://doorstep.borough.example" })
	got := o.visit("POST", "/desk/sign-in", url.Values{"login": {"grace"}, "password": {testPassword}})
	set := got.header.Get("Set-Cookie")
	for _, want := range []string{"__Host-doorstep-desk=", "HttpOnly", "secure", "SameSite=Strict", "path=/"} {
		if !strings.Contains(strings.ToLower(set), strings.ToLower(want)) {
			t.Errorf("the cookie %q lacks %s", set[:min(len(set), 40)], want)
		}
	}
	o = newOffice(t, nil)
	o.enter()
	before := o.cookie
	if got := o.visit("POST", "/desk/sign-out", url.Values{formTokenName: {o.token}}); got.status != http.StatusSeeOther || o.cookie != "" {
		t.Errorf("signing out: %d, cookie %q", got.status, o.cookie)
	}
	o.cookie = before
	if got := o.visit("GET", "/desk/", nil); got.status != http.StatusSeeOther {
		t.Errorf("the session goes on after signing out: %d", got.status)
	}
}

// TestFormsComeFromTheDeskItself holds both locks against forged forms.
func TestFormsComeFromTheDeskItself(t *testing.T) {
	o := newOffice(t, nil)
	o.enter()
	good := url.Values{formTokenName: {o.token}, "text": {"kept"}}
	for name, try := range map[string]func() answer{
		"without its token":  func() answer { return o.visit("POST", aLease, url.Values{"text": {"x"}}) },
		"with another token": func() answer { return o.visit("POST", aLease, url.Values{formTokenName: {"x" + o.token}}) },
		"from another site": func() answer {
			o.site = "cross-site"
			defer func() { o.site = "same-origin" }()
			return o.visit("POST", aLease, good)
		},
		"from nowhere": func() answer {
			o.site = ""
			defer func() { o.site = "same-origin" }()
			return o.visit("POST", aLease, good)
		},
	} {
		if got := try(); got.status != http.StatusForbidden || o.desk.sent != nil {
			t.Errorf("a form %s: %d, sent %v", name, got.status, o.desk.sent)
		}
	}
	if got := o.visit("POST", aLease, good); got.status != http.StatusSeeOther || o.desk.sent.Get("text") != "kept" {
		t.Errorf("a good form: %d, sent %v", got.status, o.desk.sent)
	}
}

// TestADeskSessionGoesOnAndIsProvedAnew: tokens of ten minutes are renewed unseen, what is
// sealed needs a sign-in of a moment ago, and of who is away too long no word is lost.
func TestADeskSessionGoesOnAndIsProvedAnew(t *testing.T) {
	later := time.Duration(0)
	o := newOffice(t, func(c *Config) { c.Now = func() time.Time { return time.Now().Add(later) } })
	o.enter()
	form := url.Values{formTokenName: {o.token}, "text": {"two words"}}
	seal := "/desk/records/" + deskRecord + "/release"
	if got := o.visit("POST", seal, form); got.header.Get("Location") != "/desk/" {
		t.Fatalf("sealing just after signing in: %d to %q", got.status, got.header.Get("Location"))
	}
	later = time.Hour
	if got := o.visit("POST", seal+"?field=a", form); got.status != http.StatusForbidden || !strings.HasPrefix(string(got.body), "again, then "+seal+"?field=a ") || !strings.Contains(string(got.body), "lost: two words") {
		t.Errorf("sealing with words an hour later: %d %s", got.status, got.body)
	}
	if got := o.visit("POST", seal, url.Values{formTokenName: {o.token}, "text": {"one"}}); got.header.Get("Location") != "/desk/step-up?after="+url.QueryEscape(seal) {
		t.Errorf("sealing an hour later: %d to %q", got.status, got.header.Get("Location"))
	}
	o.wantNoted(audit.TypeDenied, syncproto.CodeStepUp, "deskRelease")

	spent, _ := parseDeskCookie(o.cookie)
	spent.access = "lapsed"
	o.cookie = spent.encode()
	if got := o.visit("POST", aLease, form); got.status != http.StatusSeeOther || o.cookie == spent.encode() {
		t.Errorf("with a lapsed token: %d, the cookie changed: %v", got.status, o.cookie != spent.encode())
	}
	fresh := o.cookie
	o.cookie = spent.encode()
	if o.visit("GET", "/desk/", nil); o.cookie == "" || refreshOf(o.cookie) != refreshOf(fresh) {
		t.Error("two tabs that renew at once are not given the same session")
	}

	o.cookie = ""
	got := o.visit("POST", aLease, url.Values{formTokenName: {o.token}, "text": {"two words"}})
	if got.status != http.StatusUnauthorized || !strings.Contains(string(got.body), "lost: two words") {
		t.Errorf("words of an ended session: %d %s", got.status, got.body)
	}
}

func refreshOf(cookie string) string {
	c, _ := parseDeskCookie(cookie)
	return c.refresh
}

// TestPagesAreAudited: each record whose words are on a page, and what was refused.
func TestPagesAreAudited(t *testing.T) {
	o := newOffice(t, nil)
	o.enter()
	o.visit("GET", "/desk/records/"+deskRecord, nil)
	var seen []syncproto.RecordID
	o.noting.Lock()
	for _, n := range o.noted {
		if n.Word == "deskRecord" && n.Type == audit.TypeRead {
			seen = append(seen, n.Record)
		}
	}
	o.noting.Unlock()
	if !slices.Contains(seen, syncproto.RecordID(aRecord)) || !slices.Contains(seen, syncproto.RecordID{9}) {
		t.Errorf("noted reads of %v", seen)
	}
	o.visit("GET", "/desk/late", nil)
	o.wantNoted(audit.TypeDenied, syncproto.CodeNotFound, "deskLate")
	o.noting.Lock()
	o.noteFails = syncproto.CodeUnavailable
	o.noting.Unlock()
	if got := o.visit("GET", "/desk/records/"+deskRecord, nil); got.status != http.StatusServiceUnavailable || strings.Contains(string(got.body), "token") {
		t.Errorf("what cannot be audited is shown: %d %s", got.status, got.body)
	}
}

func TestPagesMayRunNothing(t *testing.T) {
	o := newOffice(t, nil)
	got := o.visit("GET", "/desk/sign-in", nil)
	policy := got.header.Get("Content-Security-Policy")
	for _, want := range []string{"default-src 'none'", "form-action 'self'", "frame-ancestors 'none'", "base-uri 'none'"} {
		if !strings.Contains(policy, want) {
			t.Errorf("the policy %q lacks %s", policy, want)
		}
	}
	if strings.Contains(policy, "unsafe") || got.header.Get("Cache-Control") != "no-store" || got.header.Get("Content-Type") != htmlMedia {
		t.Errorf("headers: %v", got.header)
	}
}

// TestPagesListenForNews: by the session of the browser, and nobody without one.
func TestPagesListenForNews(t *testing.T) {
	o := newOffice(t, nil)
	if got := o.visit("GET", "/desk/events", nil); got.status != http.StatusUnauthorized {
		t.Errorf("without a session: %d", got.status)
	}
	o.wantNoted(audit.TypeDenied, syncproto.CodeUnauthenticated, "deskEvents")
	o.enter()
	req, err := http.NewRequest("GET", "http://"+o.addr+"/desk/events", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Cookie", plainCookieName+"="+o.cookie)
	o.openStream(req).wantEvent("event: pull")
}

// TestTheStreamOfAPageThatWasLeftIsFree: who goes from page to page keeps hearing.
func TestTheStreamOfAPageThatWasLeftIsFree(t *testing.T) {
	o := newOffice(t, func(c *Config) { c.Limits.StreamsPerUser, c.Limits.KeepAlive = 1, time.Hour })
	o.enter()
	listen := func(ctx context.Context) int {
		req, err := http.NewRequestWithContext(ctx, "GET", "http://"+o.addr+"/desk/events", nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Cookie", plainCookieName+"="+o.cookie)
		res, err := o.client().Do(req)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { res.Body.Close() })
		return res.StatusCode
	}
	first, leave := context.WithCancel(t.Context())
	if got := listen(first); got != http.StatusOK {
		t.Fatalf("the first page: %d", got)
	}
	if got := listen(t.Context()); got != http.StatusTooManyRequests {
		t.Fatalf("a second page beside it: %d", got)
	}
	leave()
	for until := time.Now().Add(time.Minute); listen(t.Context()) != http.StatusOK; {
		if time.Now().After(until) {
			t.Fatal("the stream of a page that was left counts for a minute")
		}
	}
}

// TestWhatNoPageTakesIsAPage: whatever a browser is refused at the desk before any page has
// it, a person can read.
func TestWhatNoPageTakesIsAPage(t *testing.T) {
	o := newOffice(t, nil)
	tries := map[string]struct {
		method, path string
		status       int
		code         syncproto.Code
	}{
		"no such page":          {"GET", "/desk/nothing", 404, syncproto.CodeNotFound},
		"no such record's page": {"GET", "/desk/records/" + deskRecord + "/nothing", 404, syncproto.CodeNotFound},
		"a path with an escape": {"GET", "/desk/a%20b", 404, syncproto.CodeNotFound},
		"a path without end":    {"GET", "/desk//", 404, syncproto.CodeNotFound},
		"no form":               {"POST", "/desk/nothing", 404, syncproto.CodeNotFound},
		"a page taken for one":  {"POST", "/desk/late", 405, syncproto.CodeMethod},
		"another method":        {"DELETE", "/desk/late", 405, syncproto.CodeMethod},
	}
	for name, try := range tries {
		t.Run(name, func(t *testing.T) {
			got := o.visit(try.method, try.path, nil)
			if want := "refused: " + try.code.Error(); got.status != try.status || string(got.body) != want || got.header.Get("Content-Type") != htmlMedia {
				t.Errorf("got %d %s %.200s, want %d %s", got.status, got.header.Get("Content-Type"), got.body, try.status, want)
			}
		})
	}
	// Refused by the length that it names: who goes on sending may lose the answer.
	res, body, _ := o.raw(fmt.Sprintf("POST %s HTTP/1.1\r\nHost: x\r\nContent-Type: %s\r\nContent-Length: %d\r\n\r\n", aLease, formMedia, maxJSONBytes+1))
	if want := "refused: " + syncproto.CodeTooLarge.Error(); res.StatusCode != 413 || string(body) != want || res.Header.Get("Content-Type") != htmlMedia {
		t.Errorf("too many words: got %d %s %.200s", res.StatusCode, res.Header.Get("Content-Type"), body)
	}
	o.enter()
	if got := o.visit("GET", "/desk/nothing", nil); string(got.body) != "refused to somebody: "+syncproto.CodeNotFound.Error() {
		t.Errorf("who is signed in is shown %s", got.body)
	}
	if got := o.visit("GET", "/nothing", nil); got.header.Get("Content-Type") != "application/problem+json" {
		t.Errorf("elsewhere: %s", got.header.Get("Content-Type"))
	}
}

// TestASignInAtTheDeskEndsTheOneBefore: whatever session a browser was given before, it has
// another one after.
func TestASignInAtTheDeskEndsTheOneBefore(t *testing.T) {
	o := newOffice(t, nil)
	o.enter()
	before := o.cookie
	o.enter()
	if o.cookie == before {
		t.Fatal("the session is the same")
	}
	o.cookie = before
	if got := o.visit("GET", "/desk/", nil); got.status != http.StatusSeeOther {
		t.Errorf("the session before goes on: %d", got.status)
	}
}

func TestWhereTheDeskLeadsAfterASignIn(t *testing.T) {
	cases := map[string]string{
		"":                                          "/desk/",
		"/desk/late?page=2":                         "/desk/late?page=2",
		"/desk/sign-in":                             "/desk/",
		"/desk/step-up?after=%2Fdesk%2Flate":        "/desk/late",
		"/desk/signed-in/on?code=x&state=y":         "/desk/",
		"/desk/step-up/service?after=%2Fdesk":       "/desk/",
		"/desk/step-up?after=%2F%2Fevil.example%2F": "/desk/",
		"/desk/sign-in?after=%2Fdesk%2Fstep-up%3Fafter%3D%252F": "/desk/",
		"//evil.example/":            "/desk/",
		"https://evil.example/desk/": "/desk/",
		"/desk/\\evil.example":       "/desk/",
	}
	for after, want := range cases {
		if got := deskAfter(after); got != want {
			t.Errorf("after %q it goes to %q, want %q", after, got, want)
		}
	}
}
