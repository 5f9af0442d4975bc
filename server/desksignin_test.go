package server

import (
	"context"
	"fmt"
	"html"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"

	"doorstep/server/internal/auth"
	"doorstep/server/web/webtest"
	"doorstep/syncproto"
)

// deskPeople are those whom the sign-in service of these tests knows. Grace has an account
// that is linked, Ended one that was disabled; nobody linked Una's, and Priv's is a private
// account.
func deskPeople() map[string]map[string]any {
	return map[string]map[string]any{
		"grace": {"oid": "o-1", "groups": []string{"borough"}}, "tom": {"oid": "o-2", "groups": []string{"borough"}},
		"ended": {"oid": "o-3"}, "una": {"oid": "o-4"}, "priv": {"oid": "o-5", "preferred_username": "elsewhere"},
	}
}

// aDesk is a borough with passkeys and a real sign-in service, whose people have no
// password, behind an address that is known to both.
func aDesk(t *testing.T, change func(*Config)) (r *running, origin string) {
	t.Helper()
	people := deskPeople()
	for _, known := range people {
		if known["preferred_username"] == nil { // which stands for the claim that names a tenant
			known["preferred_username"] = "ours"
		}
	}
	p := startProvider(t, people)
	origin, use := frontOf(t)
	cfg := begin(t)
	cfg.Listen.PublicURL = origin
	cfg.OpenID.Issuer, cfg.OpenID.ClientID, cfg.OpenID.SubjectClaim = p.issuer, "doorstep-public", "oid"
	cfg.OpenID.Redirects = []string{origin + "/desk/signed-in"}
	cfg.OpenID.Require = []string{"preferred_username = ours"}
	if change != nil {
		change(&cfg)
	}
	r = start(t, cfg)
	use(r)
	for login, subject := range map[string]string{"grace": "o-1", "tom": "o-2", "ended": "o-3", "una": ""} {
		if _, err := r.borough.auth.AddUser(t.Context(), auth.NewUser{Login: login, Name: "The coordinator " + login, Role: auth.RoleCoordinator}); err != nil {
			t.Fatal(err)
		}
		if err := r.borough.auth.LinkUser(t.Context(), login, subject); err != nil {
			t.Fatal(err)
		}
	}
	if err := r.borough.auth.DisableUser(t.Context(), "ended", true); err != nil {
		t.Fatal(err)
	}
	return r, origin
}

// visitor is a browser at the desk, without one: what it keeps for the desk, the sign-in
// service never sees, and the other way round.
type visitor struct {
	t       *testing.T
	origin  string
	desk    *http.Client
	service *browser
}

func newVisitor(t *testing.T, origin string) *visitor {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	transport := &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	return &visitor{t: t, origin: origin, service: newBrowser(t), desk: &http.Client{Jar: jar, Transport: transport,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
}

// get opens an address of the desk and follows where it leads, as far as the desk goes.
func (v *visitor) get(address, site string) (status int, at, page string) {
	v.t.Helper()
	at = v.origin + address
	for range 5 {
		req, err := http.NewRequest(http.MethodGet, at, nil)
		if err != nil {
			v.t.Fatal(err)
		}
		req.Header.Set("Sec-Fetch-Site", site)
		res, err := v.desk.Do(req)
		if err != nil {
			v.t.Fatal(err)
		}
		body, err := io.ReadAll(res.Body)
		res.Body.Close()
		if err != nil {
			v.t.Fatal(err)
		}
		if res.StatusCode != http.StatusSeeOther {
			return res.StatusCode, at, html.UnescapeString(string(body))
		}
		at = v.service.absolute(at, res.Header.Get("Location"))
		if !strings.HasPrefix(at, v.origin) {
			return res.StatusCode, at, ""
		}
	}
	v.t.Fatal("the desk goes round in circles")
	return 0, "", ""
}

// sent is what the sign-in service sends the visitor back with as one of its people.
func (v *visitor) sent(begin, sub string) url.Values {
	v.t.Helper()
	status, to, page := v.get(begin, "same-origin")
	if strings.HasPrefix(to, v.origin) {
		v.t.Fatalf("nobody is sent to the service: %d %s %s", status, to, page)
	}
	back, _ := v.service.signIn(to, v.origin+"/desk/signed-in", sub)
	return back
}

var onward = regexp.MustCompile(`<meta http-equiv="refresh" content="0; url=(/desk/signed-in/on[^"]*)">`)

// arrive comes back with it: the page that the service leads to leads on by itself.
func (v *visitor) arrive(back url.Values) (status int, at, page string) {
	v.t.Helper()
	status, _, page = v.get("/desk/signed-in?"+back.Encode(), "cross-site")
	on := onward.FindStringSubmatch(page)
	if status != http.StatusOK || on == nil || strings.Count(page, on[1]) != 2 || strings.Contains(page, "<script") {
		v.t.Fatalf("the page to come back to: %d %s", status, page)
	}
	return v.get(on[1], "same-origin")
}

const byService = "/desk/sign-in/service"

// TestTheDeskRefusesASignInByTheService: everything that somebody may come back with who
// is not, or not here, or not now, whom they say; each told in plain words.
func TestTheDeskRefusesASignInByTheService(t *testing.T) {
	r, origin := aDesk(t, nil)
	failed, ended := syncproto.CodeSignInFailed.Plain(), "your account here is not in use any more"
	spoilt := func(name, value string) func(*visitor) url.Values {
		return func(v *visitor) url.Values {
			back := v.sent(byService, "grace")
			back.Set(name, value)
			return back
		}
	}
	as := func(sub string) func(*visitor) url.Values {
		return func(v *visitor) url.Values { return v.sent(byService, sub) }
	}
	tries := map[string]struct {
		back   func(*visitor) url.Values
		status int
		words  string
	}{
		"a sign-in that somebody else began": {func(*visitor) url.Values { return newVisitor(t, origin).sent(byService, "tom") }, 401, failed},
		"somebody else's code in one's own": {func(v *visitor) url.Values {
			v.sent(byService, "grace")
			return newVisitor(t, origin).sent(byService, "tom")
		}, 401, failed},
		"once more": {func(v *visitor) url.Values {
			back := v.sent(byService, "grace")
			kept := v.desk.Jar.Cookies(mustURL(t, origin))
			if status, at, _ := v.arrive(back); status != http.StatusOK || at != origin+"/desk/" {
				t.Fatalf("the first time: %d %s", status, at)
			}
			v.desk.Jar.SetCookies(mustURL(t, origin), kept)
			return back
		}, 401, failed},
		"another state":         {spoilt("state", "another"), 401, failed},
		"another code":          {spoilt("code", "another"), 401, failed},
		"another issuer":        {spoilt("iss", "https://id.wight.example"), 401, failed},
		"no code":               {spoilt("code", ""), 401, failed},
		"cancelled there":       {spoilt("error", "access_denied"), 401, failed},
		"the service is busy":   {spoilt("error", "temporarily_unavailable"), 503, "The council's sign-in service does not answer at the moment."},
		"an account that ended": {as("ended"), 401, ended},
		"nobody linked it":      {as("una"), 403, syncproto.CodeUnlinked.Plain()},
		"another's tenant":      {as("priv"), 403, "That is not an account of this council."},
	}
	for name, try := range tries {
		t.Run(name, func(t *testing.T) {
			v := newVisitor(t, origin)
			v.t = t
			status, _, page := v.arrive(try.back(v))
			if status != try.status || !strings.Contains(page, try.words) || !strings.Contains(page, "Sign in with the council") {
				t.Errorf("got %d, want %d and %q:\n%s", status, try.status, try.words, page)
			}
			if status, at, _ := v.get("/desk/account", "same-origin"); name != "once more" && !strings.HasPrefix(at, origin+"/desk/sign-in?") {
				t.Errorf("somebody is signed in: %d %s", status, at)
			}
		})
	}
	t.Run("said to be out by another site", func(t *testing.T) {
		if _, _, page := newVisitor(t, origin).get("/desk/sign-in?left=1", "cross-site"); strings.Contains(page, "You are signed out") {
			t.Error("it is believed")
		}
	})
	t.Run("begun by another site", func(t *testing.T) {
		if _, at, _ := newVisitor(t, origin).get(byService, "cross-site"); at != origin+"/desk/sign-in?after=%2Fdesk%2F" {
			t.Errorf("it leads to %s", at)
		}
	})
	t.Run("led elsewhere after it", func(t *testing.T) {
		v := newVisitor(t, origin)
		if _, at, _ := v.arrive(v.sent(byService+"?after=%2F%2Fevil.example%2F", "grace")); at != origin+"/desk/" {
			t.Errorf("it leads to %s", at)
		}
	})
	t.Run("shown anew by somebody else", func(t *testing.T) {
		v := newVisitor(t, origin)
		v.arrive(v.sent(byService, "grace"))
		v.service = newBrowser(t)
		status, _, page := v.arrive(v.sent("/desk/step-up/service?after=%2Fdesk%2Faccount", "tom"))
		if status != http.StatusUnauthorized || !strings.Contains(page, "That was somebody else.") || !strings.Contains(page, "Show that it is you") {
			t.Errorf("got %d:\n%s", status, page)
		}
	})
	t.Run("shown anew after the session ended", func(t *testing.T) {
		v := newVisitor(t, origin)
		v.arrive(v.sent(byService, "grace"))
		back := v.sent("/desk/step-up/service?after=%2Fdesk%2Faccount", "grace")
		var kept []*http.Cookie
		for _, c := range v.desk.Jar.Cookies(mustURL(t, origin)) {
			if c.Name != "doorstep-desk" {
				kept = append(kept, c)
			}
		}
		jar, err := cookiejar.New(nil)
		if err != nil {
			t.Fatal(err)
		}
		jar.SetCookies(mustURL(t, origin), kept)
		v.desk.Jar = jar
		if status, at, _ := v.arrive(back); status != http.StatusOK || at != origin+"/desk/account" {
			t.Errorf("they are not signed in: %d %s", status, at)
		}
	})
	if logs := r.log.String(); strings.Contains(logs, "code=") || strings.Contains(logs, "state=") {
		t.Error("what came back is in the logs")
	}
}

// TestTheDeskWithoutItsService: it is down, or may not send anybody back to the desk.
func TestTheDeskWithoutItsService(t *testing.T) {
	origin, use := frontOf(t)
	cfg := begin(t)
	cfg.Listen.PublicURL = origin
	cfg.OpenID.Issuer, cfg.OpenID.ClientID = "http://127.0.0.1:1", "doorstep"
	cfg.OpenID.Redirects = []string{origin + "/desk/signed-in"}
	r := start(t, cfg)
	use(r)
	v := newVisitor(t, origin)
	if status, _, page := v.get(byService, "same-origin"); status != http.StatusServiceUnavailable || !strings.Contains(page, "does not answer at the moment") || !strings.Contains(page, "Password") {
		t.Errorf("the service is down: %d\n%s", status, page)
	}
	r.stop()
	cfg.OpenID.Redirects = []string{origin + "/app/signed-in"}
	use(start(t, cfg))
	if _, _, page := v.get("/desk/sign-in", "same-origin"); strings.Contains(page, "council") {
		t.Errorf("a way is offered that leads nowhere:\n%s", page)
	}
	if status, _, page := v.get(byService, "same-origin"); status != http.StatusNotFound || !strings.Contains(page, "People do not sign in this way here.") {
		t.Errorf("a way that is not offered: %d\n%s", status, page)
	}
}

func mustURL(t *testing.T, s string) *url.URL {
	t.Helper()
	u, err := url.Parse(s)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

// webFolder is where the tools of the pages' tests lie.
const webFolder = "web"

// TestSomebodyWithoutAPasswordAtTheDesk signs in with the borough's service, in a browser
// that runs no script, shows there anew that it is them, and does the same with a passkey
// made at the desk; signs out and removes it. Every page keeps WCAG 2.2 AA.
func TestSomebodyWithoutAPasswordAtTheDesk(t *testing.T) {
	webtest.Program(t) // else not tested, aloud
	r, origin := aDesk(t, nil)
	b := webtest.Start(t, "lang=en-GB", "accept-lang=en-GB")
	d := &deskBrowser{Browser: b, t: t, r: r, origin: origin}
	d.script(false)
	b.Open(origin + "/desk/families")
	d.at("/desk/sign-in", "only where this browser runs scripts")
	if strings.Contains(b.Text(), "Use a passkey") {
		t.Error("a passkey is offered without scripts")
	}
	b.Press("Sign in with the council")
	d.atTheService("grace")
	d.at("/desk/families", "The coordinator grace")
	b.Open(origin + "/desk/step-up?after=/desk/account")
	d.at("/desk/step-up", "Show it with the council's sign-in")
	if strings.Contains(b.Text(), "Password") {
		t.Error("who has no password is asked for it")
	}
	b.Press("Show it with the council's sign-in")
	d.atTheService("grace")
	d.at("/desk/account", "It is linked to your account here.")
	b.Open(origin + "/desk/account/passkeys/new")
	d.at("/desk/account/passkeys/new", "only where this browser runs scripts")
	d.script(true)

	d.passkeys()
}

// deskBrowser is a browser of somebody without a password.
type deskBrowser struct {
	*webtest.Browser
	t      *testing.T
	r      *running
	origin string
}

// script lets pages run scripts, or not.
func (d *deskBrowser) script(runs bool) {
	d.t.Helper()
	if _, err := chromedp.Call(d.Context(), emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: !runs}); err != nil {
		d.t.Fatal(err)
	}
}

// passkeys makes a passkey, signs in and shows who it is with it, and removes it.
func (d *deskBrowser) passkeys() {
	d.t.Helper()
	if err := chromedp.Do(d.Context(), withSecurityKey); err != nil {
		d.t.Fatal(err)
	}
	d.Open(d.origin + "/desk/account")
	d.Press("Add a passkey")
	d.at("/desk/account/passkeys/new", "What to call it")
	d.Fill("What to call it", "Office computer")
	d.axe("making a passkey")
	d.Press("Make the passkey")
	d.at("/desk/account", "The passkey is yours.")
	d.Sees("Office computer")
	d.axe("how one signs in")

	d.Press("Sign out")
	d.at("/desk/sign-in", "You are signed out here.")
	if leave := webtest.Eval[string](d.Browser, `[...document.links].find((l) => l.innerText === "sign out there too").href`); !strings.Contains(leave, "/session/end?client_id=doorstep-public") {
		d.t.Errorf("who signs out of the service too is sent to %s", leave)
	}
	d.axe("to sign in")
	d.Press("Use a passkey")
	d.at("/desk/", "The coordinator grace")

	if err := d.r.borough.staleSessions(d.t); err != nil {
		d.t.Fatal(err)
	}
	d.Open(d.origin + "/desk/account")
	d.Press("Remove")
	d.at("/desk/step-up", "Use a passkey")
	d.axe("to show that it is you")
	d.Press("Use a passkey")
	d.Until("the page to remove it is there", `location.pathname.endsWith("/remove") && document.readyState === "complete"`)
	d.Sees("Office computer, added")
	if strings.Contains(d.Text(), "the only way") {
		d.t.Error("the council's sign-in is not counted as a way")
	}
	d.Press("Remove this passkey")
	d.at("/desk/account", "The passkey is removed.")
	d.Press("Sign out")
	d.at("/desk/sign-in", "You are signed out here.")
	d.Press("Use a passkey")
	d.at("/desk/sign-in", "This passkey could not be checked.")
	d.axe("a passkey that was removed")
	d.Open(d.origin + "/desk/nothing")
	d.Sees("There is nothing here that you can open.")
	d.axe("an address without a page")
}

func (d *deskBrowser) axe(page string) {
	d.t.Helper()
	for _, scheme := range []string{"dark", "light"} {
		d.Scheme(scheme)
		for _, v := range d.Axe(webFolder) {
			d.t.Errorf("%s, %s: %v", page, scheme, v)
		}
	}
}

// at waits until the browser has come to a page that says these words. It asks the page
// again and again, as one without scripts cannot tell.
func (d *deskBrowser) at(path, words string) {
	d.t.Helper()
	d.look(fmt.Sprintf(`location.pathname === %q && document.readyState === "complete" && document.body.innerText.includes(%q)`, path, words))
}

// look waits until a script says true, in whatever page the browser comes to.
func (d *deskBrowser) look(script string) {
	d.t.Helper()
	ctx, stop := context.WithTimeout(d.Context(), time.Minute)
	defer stop()
	for {
		ok, err := chromedp.Run(ctx, chromedp.Evaluate[bool]("Boolean("+script+")"))
		if err == nil && ok {
			return
		}
		if ctx.Err() != nil {
			d.t.Fatalf("waited in vain for %s; %s says:\n%s", script, webtest.Eval[string](d.Browser, "location.href"), d.Text())
		}
	}
}

// atTheService answers the pages of the sign-in service until the browser is back.
func (d *deskBrowser) atTheService(sub string) {
	d.t.Helper()
	back := fmt.Sprintf("location.origin === %q", d.origin)
	for range 4 {
		d.look(back + ` && location.pathname !== "/desk/signed-in" || document.querySelector("form:not([data-sent]) input[name=prompt]")`)
		if webtest.Eval[bool](d.Browser, back) {
			return
		}
		d.Submit(fillService(sub))
	}
	d.t.Fatal("the service does not send the browser back")
}

// TestTheWayBackToTheDeskInASecondEngine: that a page of ours which leads on by itself counts
// as ours is for browsers to say, and another says so too.
func TestTheWayBackToTheDeskInASecondEngine(t *testing.T) {
	_, origin := aDesk(t, nil)
	w := webtest.StartWebKit(t)
	w.Open(origin + "/desk/families")
	w.Press("Sign in with the council")
	for range 4 {
		w.Until("the service asks, or is done", fmt.Sprintf(`location.origin === %q && location.pathname === "/desk/families" || document.querySelector("form:not([data-sent]) input[name=prompt]")`, origin))
		var back bool
		if w.Eval(fmt.Sprintf("location.origin === %q", origin), &back); back {
			break
		}
		w.Eval(fillService("grace")+".requestSubmit()", nil)
	}
	w.Until("she is signed in", `document.body.innerText.includes("The coordinator grace")`)
}
