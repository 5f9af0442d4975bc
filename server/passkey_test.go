package server

import (
	"encoding/json"
	"io"
	"net/http"
	"testing"

	"doorstep/server/internal/auth/authtest"
	"doorstep/syncproto"
)

const (
	passkeyDomain = "doorstep.test.example"
	passkeyOrigin = "https://doorstep.test.example"
)

// withPasskeys is a borough whose people have passkeys, IT and Jo among them.
func withPasskeys(t *testing.T, origin string) *running {
	t.Helper()
	cfg := begin(t)
	cfg.Listen.PublicURL = origin
	r := start(t, cfg)
	op, err := OpenOperator(cfg, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	defer op.Close()
	if _, err := op.AddUser(t.Context(), NewUser{Login: "jo", Name: "Jo", Role: "practitioner", Password: itPassword}); err != nil {
		t.Fatal(err)
	}
	return r
}

// answered is what the server says to a passkey's answer.
type answered struct {
	Code        syncproto.Code `json:"code"`
	AccessToken string         `json:"access_token"`
	User        string
	ID          string
	SignedInMS  int64 `json:"signed_in_ms"`
}

// begunPasskey asks for a challenge.
func (p person) begunPasskey(path string) (options json.RawMessage, ticket string) {
	p.t.Helper()
	var out struct {
		Options json.RawMessage
		Ticket  string
	}
	if got := p.call("POST", path, nil, &out); got != http.StatusOK {
		p.t.Fatalf("%s: status %d", path, got)
	}
	return out.Options, out.Ticket
}

// addPasskey makes a passkey with an authenticator and sends it.
func (p person) addPasskey(a *authtest.Authenticator) (int, answered) {
	p.t.Helper()
	options, ticket := p.begunPasskey("/v1/passkeys/new")
	var out answered
	return p.call("POST", "/v1/passkeys", map[string]any{"ticket": ticket, "answer": a.Make(options), "name": "tablet"}, &out), out
}

// byPasskey answers a challenge of sign-in, which a test may have spoilt.
func (p person) byPasskey(a *authtest.Authenticator, spoil func(*authtest.Authenticator)) map[string]any {
	p.t.Helper()
	options, ticket := p.begunPasskey("/v1/passkeys/begin")
	if spoil != nil {
		spoil(a)
	}
	return map[string]any{"passkey": map[string]any{"ticket": ticket, "answer": a.Get(options)}}
}

func (p person) wantAnswer(path string, in any, status int, code syncproto.Code) answered {
	p.t.Helper()
	var out answered
	if got := p.call("POST", path, in, &out); got != status || out.Code != code {
		p.t.Errorf("%s: got status %d, %v; want %d, %v", path, got, out.Code, status, code)
	}
	return out
}

// A passkey signs its person in without a name, and proves later that it is them.
func TestPasskeyFromAddingToStepUp(t *testing.T) {
	r := withPasskeys(t, passkeyOrigin)
	it := r.person(t, "it")
	a := authtest.NewAuthenticator(t, passkeyDomain, passkeyOrigin)
	status, added := it.addPasskey(a)
	if status != http.StatusOK || added.ID == "" {
		t.Fatalf("adding: status %d, %+v", status, added)
	}
	stranger := person{t: t, r: r}
	in := stranger.byPasskey(a, nil)
	session := stranger.wantAnswer("/v1/sign-in", in, http.StatusOK, 0)
	stranger.token = session.AccessToken
	if got := stranger.call("GET", "/v1/families", nil, nil); got != http.StatusOK {
		t.Errorf("the session: status %d", got)
	}
	again := stranger.wantAnswer("/v1/step-up", stranger.byPasskey(a, nil), http.StatusOK, 0)
	if again.SignedInMS < session.SignedInMS || session.SignedInMS == 0 {
		t.Errorf("signed in at %d, stepped up at %d", session.SignedInMS, again.SignedInMS)
	}
	stranger.wantAnswer("/v1/sign-in", in, http.StatusUnauthorized, syncproto.CodeBadPasskey) // recorded and sent again
	stranger.wantAnswer("/v1/passkeys/"+added.ID+"/remove", nil, http.StatusNoContent, 0)
	stranger.wantAnswer("/v1/sign-in", stranger.byPasskey(a, nil), http.StatusUnauthorized, syncproto.CodeBadPasskey)
}

func TestSpoiltPasskeysAreRefusedOverHTTP(t *testing.T) {
	cases := map[string]func(*authtest.Authenticator){
		"another origin":              func(a *authtest.Authenticator) { a.Origin = "https://doorstep.evil.example" },
		"another domain":              func(a *authtest.Authenticator) { a.Domain = "doorstep.evil.example" },
		"the person was not verified": func(a *authtest.Authenticator) { a.Verified = false },
		"another's key":               func(a *authtest.Authenticator) { a.Key = authtest.NewKey(t) },
		"nobody's passkey":            func(a *authtest.Authenticator) { a.ID = []byte("nobody's") },
		"nobody's handle":             func(a *authtest.Authenticator) { a.Handle = make([]byte, 16) },
	}
	r := withPasskeys(t, passkeyOrigin)
	jo := r.person(t, "jo")
	for name, spoil := range cases {
		a := authtest.NewAuthenticator(t, passkeyDomain, passkeyOrigin)
		if status, _ := jo.addPasskey(a); status != http.StatusOK {
			t.Fatalf("adding: status %d", status)
		}
		t.Run(name, func(t *testing.T) {
			p := person{t: t, r: r}
			p.wantAnswer("/v1/sign-in", p.byPasskey(a, spoil), http.StatusUnauthorized, syncproto.CodeBadPasskey)
		})
	}
	made := authtest.NewAuthenticator(t, passkeyDomain, "https://doorstep.evil.example")
	if status, out := jo.addPasskey(made); status != http.StatusUnauthorized || out.Code != syncproto.CodeBadPasskey {
		t.Errorf("a passkey made on another origin: status %d, %v", status, out.Code)
	}
}

func TestAnothersPasskeyProvesNothing(t *testing.T) {
	r := withPasskeys(t, passkeyOrigin)
	jo, it := r.person(t, "jo"), r.person(t, "it")
	own, other := authtest.NewAuthenticator(t, passkeyDomain, passkeyOrigin), authtest.NewAuthenticator(t, passkeyDomain, passkeyOrigin)
	for p, a := range map[person]*authtest.Authenticator{jo: own, it: other} {
		if status, _ := p.addPasskey(a); status != http.StatusOK {
			t.Fatalf("adding: status %d", status)
		}
	}
	jo.wantAnswer("/v1/step-up", jo.byPasskey(other, nil), http.StatusUnauthorized, syncproto.CodeBadCredentials)
	posing := *other // IT's key with Jo's handle
	posing.Handle = own.Handle
	jo.wantAnswer("/v1/step-up", jo.byPasskey(&posing, nil), http.StatusUnauthorized, syncproto.CodeBadPasskey)
	jo.wantAnswer("/v1/step-up", jo.byPasskey(own, nil), http.StatusOK, 0)

	options, ticket := jo.begunPasskey("/v1/passkeys/new") // begun by one, finished by another
	third := authtest.NewAuthenticator(t, passkeyDomain, passkeyOrigin)
	it.wantAnswer("/v1/passkeys", map[string]any{"ticket": ticket, "answer": third.Make(options)}, http.StatusUnauthorized, syncproto.CodeBadPasskey)
	var list struct {
		Passkeys []struct{ ID string }
	}
	if jo.call("GET", "/v1/passkeys", nil, &list); len(list.Passkeys) != 1 {
		t.Fatalf("Jo has %d passkeys, want 1", len(list.Passkeys))
	}
	it.wantAnswer("/v1/passkeys/"+list.Passkeys[0].ID+"/remove", nil, http.StatusNotFound, syncproto.CodeNotFound)
}

// A counter that goes back means that there are two of a passkey.
func TestCopiedPasskeyIsRefusedOverHTTP(t *testing.T) {
	r := withPasskeys(t, passkeyOrigin)
	jo := r.person(t, "jo")
	a := authtest.NewAuthenticator(t, passkeyDomain, passkeyOrigin)
	if status, _ := jo.addPasskey(a); status != http.StatusOK {
		t.Fatalf("adding: status %d", status)
	}
	p := person{t: t, r: r}
	for range 3 {
		p.wantAnswer("/v1/sign-in", p.byPasskey(a, nil), http.StatusOK, 0)
	}
	thief := *a
	thief.Counter = 1
	p.wantAnswer("/v1/sign-in", p.byPasskey(&thief, nil), http.StatusUnauthorized, syncproto.CodeBadPasskey)
	p.wantAnswer("/v1/sign-in", p.byPasskey(a, nil), http.StatusUnauthorized, syncproto.CodeBadPasskey)
	var list struct{ Passkeys []struct{ Copied bool } }
	if jo.call("GET", "/v1/passkeys", nil, &list); len(list.Passkeys) != 1 || !list.Passkeys[0].Copied {
		t.Errorf("got passkeys %+v", list.Passkeys)
	}
}
