package server

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"testing"

	"doorstep/server/internal/auth"
	"doorstep/server/web/webtest"
)

// frontOf is an address that is known before the server behind it runs.
func frontOf(t *testing.T) (origin string, use func(*running)) {
	t.Helper()
	var doorstep http.Handler
	front := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { doorstep.ServeHTTP(w, r) }))
	t.Cleanup(front.Close)
	t.Cleanup(front.CloseClientConnections) // the app's stream of events has no end
	return strings.Replace(front.URL, "127.0.0.1", "localhost", 1), func(r *running) {
		to, err := url.Parse(r.url())
		if err != nil {
			t.Fatal(err)
		}
		proxy := httputil.NewSingleHostReverseProxy(to)
		proxy.FlushInterval = -1
		doorstep = proxy
	}
}

// atTheService answers the pages of the sign-in service until a page of ours says that the
// person is back.
func atTheService(t *testing.T, b *webtest.Browser, sub, words string) {
	t.Helper()
	back := fmt.Sprintf(`document.body.innerText.includes(%q)`, words)
	for range 4 {
		b.Until("the service asks, or is done", back+` || document.querySelector("form:not([data-sent]) input[name=prompt]")`)
		if webtest.Eval[bool](b, back) {
			return
		}
		b.Submit(fillService(sub))
	}
	t.Fatal("the service does not send the browser back")
}

// fillService gives the form that the sign-in service asks with, filled in.
func fillService(sub string) string {
	return fmt.Sprintf(`(() => {
		const form = document.querySelector("form"), fill = (name, words) => { const i = form.querySelector("[name=" + name + "]"); if (i) i.value = words; };
		fill("login", %q);
		fill("password", "any");
		form.dataset.sent = "yes";
		return form;
	})()`, sub)
}

const backInTheApp = "has confirmed who you are"

// TestTheAppSignsInWithARealProvider: set up and signed in by the borough's own service,
// with a proof that nobody who reads the address has (PKCE), from a page whose policy lets
// nothing else in. What came back leaves the address, and is of use once.
func TestTheAppSignsInWithARealProvider(t *testing.T) {
	webtest.Program(t) // else not tested, aloud
	p := startProvider(t, map[string]map[string]any{"jo": {"oid": "o-1", "preferred_username": "jo.smith", "name": "Jo Smith", "groups": []string{"social-workers"}}})
	origin, use := frontOf(t)
	cfg := begin(t)
	cfg.Listen.PublicURL = origin
	cfg.OpenID.Issuer, cfg.OpenID.ClientID, cfg.OpenID.SubjectClaim = p.issuer, "doorstep-public", "oid"
	cfg.OpenID.Redirects = []string{origin + "/app/signed-in"}
	r := start(t, cfg)
	use(r)
	if _, err := r.borough.auth.AddUser(t.Context(), auth.NewUser{Login: "jo", Name: "Jo Smith", Role: "practitioner"}); err != nil {
		t.Fatal(err)
	}
	code, _, err := r.borough.auth.IssueCode(t.Context(), "jo")
	if err != nil {
		t.Fatal(err)
	}

	b := webtest.Start(t, "lang=en-GB", "accept-lang=en-GB")
	b.Open(origin + "/app/")
	b.Press("Sign in with the council")
	atTheService(t, b, "jo", backInTheApp)
	if at := webtest.Eval[string](b, "location.href"); at != origin+"/app/" {
		t.Errorf("the address is %s", at)
	}
	b.Fill("Your name on this tablet", "Jo")
	b.Fill("Enrolment code", code)
	b.Fill("Choose a PIN", "246810")
	b.Press("Set up")
	b.Sees("No family is on this tablet yet")
	if u, _ := r.borough.store.State().UserByLogin("jo"); u.Subject != p.issuer+" o-1" {
		t.Errorf("the account is bound to %q", u.Subject)
	}

	b.Press("Settings")
	b.Sees("Signed in as Jo Smith")
	b.Press("Sign out")
	b.Sees("Sign in to send and receive")
	b.Press("Sign in")
	b.Press("Sign in with the council")
	atTheService(t, b, "jo", backInTheApp)
	b.Fill("PIN of", "246810")
	b.Press("Unlock")
	b.Until("the session is there", `document.body.innerText.includes("Settings") && !document.body.innerText.includes("Sign in to send")`)
	b.Press("Settings")
	b.Sees("Signed in as Jo Smith")
}
