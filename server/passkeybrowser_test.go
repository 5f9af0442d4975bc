package server

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/webauthn"
	"github.com/chromedp/chromedp"

	"doorstep/server/web/webtest"
)

// startBrowser starts a real browser with a security key that agrees to everything.
func startBrowser(t *testing.T) context.Context {
	t.Helper()
	tab, _ := webtest.Launch(t)
	if err := chromedp.Do(tab, withSecurityKey); err != nil {
		t.Fatalf("plugging a security key in: %v", err)
	}
	ctx, stop := context.WithTimeout(tab, time.Minute)
	t.Cleanup(stop)
	return ctx
}

// withSecurityKey gives a page an authenticator that verifies its person.
func withSecurityKey(ctx context.Context, tab *chromedp.Target) (chromedp.Void, error) {
	if _, err := cdp.Call(ctx, tab, webauthn.Enable, webauthn.EnableParams{}); err != nil {
		return chromedp.Void{}, err
	}
	_, err := cdp.Call(ctx, tab, webauthn.AddVirtualAuthenticator, webauthn.AddVirtualAuthenticatorParams{
		Options: &webauthn.VirtualAuthenticatorOptions{Protocol: webauthn.AuthenticatorProtocolCtap2, Transport: webauthn.AuthenticatorTransportInternal,
			HasResidentKey: true, HasUserVerification: true, IsUserVerified: true, AutomaticPresenceSimulation: true}})
	return chromedp.Void{}, err
}

// passkeyPage is all that a page needs to add a passkey and to sign in with it.
const passkeyPage = `<!doctype html><title>Passkeys</title><script>
async function post(path, token, body) {
	const headers = {"Content-Type": "application/json"};
	if (token) headers.Authorization = "Bearer " + token;
	const res = await fetch(path, {method: "POST", headers, body: body && JSON.stringify(body)});
	const out = await res.json();
	if (!res.ok) throw new Error(path + ": " + JSON.stringify(out));
	return out;
}
async function answer(begun) {
	const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON(begun.options);
	const got = await navigator.credentials.get({publicKey});
	return {passkey: {ticket: begun.ticket, answer: got.toJSON()}};
}
async function play(login, password) {
	const first = await post("/v1/sign-in", "", {login, password});
	const begun = await post("/v1/passkeys/new", first.access_token);
	const publicKey = PublicKeyCredential.parseCreationOptionsFromJSON(begun.options);
	const made = await navigator.credentials.create({publicKey});
	await post("/v1/passkeys", first.access_token, {ticket: begun.ticket, answer: made.toJSON(), name: "browser"});
	const session = await post("/v1/sign-in", "", await answer(await post("/v1/passkeys/begin")));
	const proved = await post("/v1/step-up", session.access_token, await answer(await post("/v1/passkeys/begin")));
	return {same: session.user === first.user, proved: proved.signed_in_ms >= session.signed_in_ms};
}
</script>`

// A page's passkeys work with the server as browsers make them, JSON for JSON.
func TestPasskeyInARealBrowser(t *testing.T) {
	ctx := startBrowser(t)
	var doorstep http.Handler
	page := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, "/v1/") {
			doorstep.ServeHTTP(w, r)
			return
		}
		w.Header().Set("Content-Type", "text/html")
		_, _ = w.Write([]byte(passkeyPage))
	}))
	defer page.Close()
	origin := strings.Replace(page.URL, "127.0.0.1", "localhost", 1) // a passkey's domain is a name
	r := withPasskeys(t, origin)
	to, err := url.Parse(r.url())
	if err != nil {
		t.Fatal(err)
	}
	doorstep = httputil.NewSingleHostReverseProxy(to)
	if err := chromedp.Do(ctx, chromedp.Navigate(origin)); err != nil {
		t.Fatal(err)
	}
	got, err := chromedp.Run(ctx, chromedp.Evaluate[struct{ Same, Proved bool }](`play("jo", "`+itPassword+`")`, chromedp.EvalAwaitPromise))
	if err != nil || !got.Same || !got.Proved {
		t.Errorf("got %+v, %v", got, err)
	}
}
