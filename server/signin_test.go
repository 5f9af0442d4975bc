package server

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"doorstep/server/internal/auth"
	"doorstep/server/internal/store"
	"doorstep/syncproto"
)

const signedIn = "http://127.0.0.1:51234/signed-in" // a tablet's own, on whatever port

// withProvider is a borough whose people sign in with a real service.
func withProvider(t *testing.T, public bool) (*running, *provider) {
	t.Helper()
	p := startProvider(t, map[string]map[string]any{
		"jo":  {"oid": "o-1", "preferred_username": "jo.smith", "name": "Jo Smith", "groups": []string{"canteen", "social-workers"}},
		"mo":  {"oid": "o-2", "preferred_username": "mo", "groups": []string{"canteen"}},
		"it":  {"oid": "o-3", "preferred_username": "it", "groups": []string{"social-workers", "it"}},
		"new": {"oid": "o-4", "groups": []string{"social-workers"}},
		"una": {"oid": "o-5", "preferred_username": "una", "name": "Una First", "groups": []string{"governance"}},
		"dee": {"oid": "o-6", "preferred_username": "dee", "name": "Dee Second", "groups": []string{"governance"}},
	})
	cfg := begin(t)
	cfg.Listen.PublicURL = "https://doorstep.test.example"
	cfg.OpenID.Issuer, cfg.OpenID.ClientID, cfg.OpenID.SubjectClaim = p.issuer, "doorstep", "oid"
	cfg.OpenID.Redirects = []string{"http://127.0.0.1/signed-in"}
	cfg.OpenID.Roles = []string{"it = it", "practitioner = social-workers", "ig_officer = governance"}
	cfg.OpenID.Create = true
	cfg.Sessions.StepUp = time.Minute
	if public {
		cfg.OpenID.ClientID = "doorstep-public"
	} else if err := os.WriteFile(filepath.Join(cfg.Secrets.Dir, openIDSecretFile), []byte("a secret of the service\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return start(t, cfg), p
}

type openIDBack struct {
	Ticket string `json:"ticket"`
	Code   string `json:"code"`
	State  string `json:"state"`
	Issuer string `json:"issuer,omitempty"`
}

// viaProvider sends a person to the service, and returns what they come back with.
func (p person) viaProvider(b *browser, sub string, fresh bool) (back openIDBack, asked bool) {
	p.t.Helper()
	var begun struct{ URL, Ticket string }
	if got := p.call("POST", "/v1/openid/begin", map[string]any{"redirect": signedIn, "fresh": fresh}, &begun); got != http.StatusOK {
		p.t.Fatalf("beginning: status %d", got)
	}
	query, asked := b.signIn(begun.URL, signedIn, sub)
	if query.Get("error") != "" {
		p.t.Fatalf("the service says %s", query.Get("error"))
	}
	return openIDBack{begun.Ticket, query.Get("code"), query.Get("state"), query.Get("iss")}, asked
}

// byOpenID signs in with what came back, and returns the status and the code.
func (p *person) byOpenID(back openIDBack) (int, syncproto.Code) {
	p.t.Helper()
	var out struct {
		Code        syncproto.Code `json:"code"`
		AccessToken string         `json:"access_token"`
		Role        string
		SignedInMS  int64 `json:"signed_in_ms"`
	}
	status := p.call("POST", "/v1/sign-in", map[string]any{"openid": back}, &out)
	p.token = out.AccessToken
	return status, out.Code
}

func (p *person) wantOpenID(back openIDBack, status int, code syncproto.Code) {
	p.t.Helper()
	if got, reason := p.byOpenID(back); got != status || reason != code {
		p.t.Errorf("got status %d, %v; want %d, %v", got, reason, status, code)
	}
}

func TestSignInWithARealProvider(t *testing.T) {
	for name, public := range map[string]bool{"with a client secret": false, "as a public client": true} {
		t.Run(name, func(t *testing.T) {
			r, _ := withProvider(t, public)
			jo, b := person{t: t, r: r}, newBrowser(t)
			back, asked := jo.viaProvider(b, "jo", false)
			jo.wantOpenID(back, http.StatusOK, 0)
			if !asked || back.Issuer == "" {
				t.Errorf("asked %v, issuer %q: the provider is no real one", asked, back.Issuer)
			}
			if got := jo.call("GET", "/v1/families", nil, nil); got != http.StatusOK {
				t.Errorf("the session: status %d", got)
			}
			account, ok := r.borough.store.State().UserByLogin("jo.smith")
			if !ok || account.Role != "practitioner" || account.Name != "Jo Smith" {
				t.Errorf("got account %+v", account)
			}
			again := person{t: t, r: r}
			again.wantOpenID(back, http.StatusUnauthorized, syncproto.CodeSignInFailed) // once
			back, _ = again.viaProvider(b, "jo", false)
			again.wantOpenID(back, http.StatusOK, 0)
			if users := len(r.borough.auth.Users()); users != 2 {
				t.Errorf("there are %d accounts, want IT's and Jo's", users)
			}
		})
	}
}

func TestRefusalsOfARealProvider(t *testing.T) {
	r, p := withProvider(t, false)
	someone, b := person{t: t, r: r}, newBrowser(t)
	good, _ := someone.viaProvider(b, "jo", false)
	other, _ := someone.viaProvider(b, "jo", false)
	for name, back := range map[string]openIDBack{
		"another's code":     {good.Ticket, other.Code, good.State, good.Issuer},
		"another's state":    {other.Ticket, other.Code, good.State, good.Issuer},
		"an invented ticket": {"AAAA", good.Code, good.State, good.Issuer},
	} {
		if status, code := someone.byOpenID(back); status != http.StatusUnauthorized || code != syncproto.CodeSignInFailed {
			t.Errorf("%s: got status %d, %v", name, status, code)
		}
	}
	fresh, _ := someone.viaProvider(b, "jo", false)
	fresh.Issuer = "https://id.wight.example"
	someone.wantOpenID(fresh, http.StatusUnauthorized, syncproto.CodeSignInFailed)

	mo, _ := someone.viaProvider(newBrowser(t), "mo", false)
	someone.wantOpenID(mo, http.StatusForbidden, syncproto.CodeNoRole)
	nameless, _ := someone.viaProvider(newBrowser(t), "new", false)
	someone.wantOpenID(nameless, http.StatusForbidden, syncproto.CodeUnlinked)

	// There is a borough account "it": a name links nobody, IT does.
	itBrowser := newBrowser(t)
	it, _ := someone.viaProvider(itBrowser, "it", false)
	someone.wantOpenID(it, http.StatusForbidden, syncproto.CodeUnlinked)
	if err := r.borough.auth.LinkUser(t.Context(), "it", "o-3"); err != nil {
		t.Fatal(err)
	}
	it, _ = someone.viaProvider(itBrowser, "it", false)
	someone.wantOpenID(it, http.StatusOK, 0)

	for _, redirect := range []string{"http://127.0.0.1:51234/elsewhere", "http://localhost:51234/signed-in", "https://evil.example/signed-in", "http://127.0.0.1.evil.example/signed-in"} {
		if got := someone.call("POST", "/v1/openid/begin", map[string]any{"redirect": redirect}, nil); got != http.StatusBadRequest {
			t.Errorf("redirect %s: status %d", redirect, got)
		}
	}
	if u, err := url.Parse(p.issuer); err != nil || u.Host == "" {
		t.Errorf("issuer %q", p.issuer)
	}
}

func TestStepUpWithARealProvider(t *testing.T) {
	r, _ := withProvider(t, false)
	if err := r.borough.auth.LinkUser(t.Context(), "it", "o-3"); err != nil {
		t.Fatal(err)
	}
	p, b := person{t: t, r: r}, newBrowser(t)
	back, _ := p.viaProvider(b, "it", false)
	p.wantOpenID(back, http.StatusOK, 0)
	silent, asked := p.viaProvider(b, "it", false)
	if asked {
		t.Error("the service asks although nobody wants it to")
	}
	var out struct {
		SignedInMS int64 `json:"signed_in_ms"`
	}
	if got := p.call("POST", "/v1/step-up", map[string]any{"openid": silent}, &out); got != http.StatusOK {
		t.Errorf("a proof from before: status %d", got)
	}
	before := out.SignedInMS
	proved, asked := p.viaProvider(b, "it", true)
	if !asked {
		t.Error("the service does not ask although it must")
	}
	if got := p.call("POST", "/v1/step-up", map[string]any{"openid": proved}, &out); got != http.StatusOK || out.SignedInMS < before {
		t.Errorf("status %d, proved at %d, before that at %d", got, out.SignedInMS, before)
	}
	jo, _ := p.viaProvider(newBrowser(t), "jo", true)
	if got := p.call("POST", "/v1/step-up", map[string]any{"openid": jo}, nil); got != http.StatusUnauthorized {
		t.Errorf("a step-up by somebody else: status %d", got)
	}
	if got := p.call("POST", "/v1/step-up", map[string]any{"login": "it", "password": itPassword}, nil); got != http.StatusOK {
		t.Errorf("by password: status %d", got)
	}
}

// TestErasureBySignInServiceAlone: two people of information governance who have no
// password here hold and erase over HTTP. Each needs a fresh sign-in, by the service;
// nobody else may, and nobody alone.
func TestErasureBySignInServiceAlone(t *testing.T) {
	r, _ := withProvider(t, false)
	plant(t, r.borough)
	signIn := func(sub string) (person, *browser) {
		p, b := person{t: t, r: r}, newBrowser(t)
		back, _ := p.viaProvider(b, sub, false)
		p.wantOpenID(back, http.StatusOK, 0)
		return p, b
	}
	una, unas := signIn("una")
	dee, _ := signIn("dee")
	jo, _ := signIn("jo")
	ask := map[string]any{"scope": "record", "record": doomed.String(), "basis": "unlawful", "reason": "of another family"}
	if got := jo.call("POST", "/v1/erasures", ask, nil); got != http.StatusForbidden {
		t.Errorf("a practitioner asks: status %d", got)
	}
	if got := jo.call("GET", "/v1/erasures", nil, nil); got != http.StatusForbidden {
		t.Errorf("a practitioner lists: status %d", got)
	}
	var hold struct{ Hold string }
	if got := dee.call("POST", "/v1/holds", map[string]any{"family": theirs.String(), "kind": "legal", "reason": "an inquiry"}, &hold); got != http.StatusOK {
		t.Fatalf("holding: status %d", got)
	}
	var refused struct{ Details []struct{ Plain string } }
	if got := una.call("POST", "/v1/erasures", ask, &refused); got != http.StatusForbidden || len(refused.Details) != 1 ||
		!strings.Contains(refused.Details[0].Plain, "legal hold until it is lifted") {
		t.Errorf("under a legal hold: status %d, %+v", got, refused)
	}
	if got := una.call("POST", "/v1/holds/"+hold.Hold+"/lift", map[string]any{"reason": "it is over"}, nil); got != http.StatusNoContent {
		t.Errorf("lifting: status %d", got)
	}

	// Una has the tablet open since long ago: she proves anew who she is.
	if err := r.borough.staleSessions(t); err != nil {
		t.Fatal(err)
	}
	var asked struct {
		Erasure, State string
		Code           syncproto.Code
	}
	if got := una.call("POST", "/v1/erasures", ask, &asked); got != http.StatusForbidden || asked.Code != syncproto.CodeStepUp {
		t.Errorf("without a fresh sign-in: status %d, %v", got, asked.Code)
	}
	proved, _ := una.viaProvider(unas, "una", true)
	if got := una.call("POST", "/v1/step-up", map[string]any{"openid": proved}, nil); got != http.StatusOK {
		t.Fatalf("stepping up: status %d", got)
	}
	if got := una.call("POST", "/v1/erasures", ask, &asked); got != http.StatusOK || asked.State != "open" {
		t.Fatalf("asking: status %d, %+v", got, asked)
	}
	confirm := "/v1/erasures/" + asked.Erasure + "/confirm"
	if got := una.call("POST", confirm, nil, nil); got != http.StatusForbidden {
		t.Errorf("alone: status %d", got)
	}
	dee, _ = signIn("dee")
	if got := dee.call("POST", confirm, nil, nil); got != http.StatusNoContent {
		t.Errorf("confirming: status %d", got)
	}
	wantGone(t, r.borough)
	var list struct{ Erasures []struct{ State string } }
	if got := dee.call("GET", "/v1/erasures", nil, &list); got != http.StatusOK || len(list.Erasures) != 1 || list.Erasures[0].State != "done" {
		t.Errorf("afterwards: status %d, %+v", got, list)
	}
}

// staleSessions makes everybody's last proof of who they are an hour old.
func (b *borough) staleSessions(t *testing.T) error {
	t.Helper()
	_, err := b.ledger.Propose(t.Context(), func(tx *store.Tx) ([]store.Entry, error) {
		var entries []store.Entry
		for _, u := range tx.State().Users() {
			for _, s := range tx.State().SessionsOf(u.ID) {
				s.ProvedMS -= time.Hour.Milliseconds()
				entries = append(entries, s)
			}
		}
		return entries, nil
	})
	return err
}

// TestEnrolmentByTheServiceAsksForThePassword: an enrolment code that went astray does
// not hand an account with a password to whoever has an account of the service; and
// nothing is linked unless the device is enrolled.
func TestEnrolmentByTheServiceAsksForThePassword(t *testing.T) {
	r, _ := withProvider(t, false)
	a, ctx := r.borough.auth, t.Context()
	for _, u := range []auth.NewUser{{Login: "lena", Name: "L", Role: "practitioner", Password: itPassword}, {Login: "fresh", Name: "F", Role: "practitioner"}} {
		if _, err := a.AddUser(ctx, u); err != nil {
			t.Fatal(err)
		}
	}
	subject := func(login string) string {
		u, _ := r.borough.store.State().UserByLogin(login)
		return u.Subject
	}
	b := newBrowser(t)
	enrol := func(login, code string, body map[string]any) (int, []string) {
		t.Helper()
		p := person{t: t, r: r}
		back, _ := p.viaProvider(b, "jo", false)
		key := newDeviceKey(t, code)
		body["openid"], body["code"], body["public_key"], body["proof"], body["name"] = back, code, key.public, key.proof, "Tablet"
		var out struct{ Details []struct{ Path string } }
		status := p.call("POST", "/v1/devices", body, &out)
		var paths []string
		for _, d := range out.Details {
			paths = append(paths, d.Path)
		}
		return status, paths
	}
	code := func(login string) string {
		c, _, err := a.IssueCode(ctx, login)
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	lenas := code("lena")
	if status, paths := enrol("lena", lenas, map[string]any{}); status != http.StatusUnauthorized || !slices.Equal(paths, []string{"login", "password"}) {
		t.Errorf("without the password: status %d, asks for %v", status, paths)
	}
	if status, _ := enrol("lena", lenas, map[string]any{"login": "lena", "password": "not the password at all"}); status != http.StatusUnauthorized {
		t.Errorf("with a wrong password: status %d", status)
	}
	if status, _ := enrol("lena", lenas, map[string]any{"login": "it", "password": itPassword}); status != http.StatusUnauthorized {
		t.Errorf("with another's password: status %d", status)
	}
	if got := subject("lena"); got != "" {
		t.Errorf("linked to %q without an enrolment", got)
	}
	if status, _ := enrol("lena", lenas, map[string]any{"login": "lena", "password": itPassword}); status != http.StatusOK || subject("lena") == "" {
		t.Errorf("with the password: status %d, linked to %q", status, subject("lena"))
	}
	// The same person of the service cannot be a second account's, which stays as it was.
	if status, _ := enrol("fresh", code("fresh"), map[string]any{}); status == http.StatusOK || subject("fresh") != "" {
		t.Errorf("a second account: status %d, linked to %q", status, subject("fresh"))
	}
	if err := a.LinkUser(ctx, "lena", ""); err != nil {
		t.Fatal(err)
	}
	if status, _ := enrol("fresh", code("fresh"), map[string]any{}); status != http.StatusOK || subject("fresh") == "" {
		t.Errorf("an account without a password: status %d, linked to %q", status, subject("fresh"))
	}
}

// deviceKey is a new device's key and its proof of it, as an enrolment sends them.
type deviceKey struct {
	private       *ecdsa.PrivateKey
	public, proof string
}

func newDeviceKey(t *testing.T, code string) deviceKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	public, err := key.PublicKey.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	normal, _ := auth.NormalCode(code)
	sum := sha256.Sum256(auth.EnrolMessage(normal))
	x, y, err := ecdsa.Sign(rand.Reader, key, sum[:])
	if err != nil {
		t.Fatal(err)
	}
	b64 := base64.RawURLEncoding.EncodeToString
	return deviceKey{key, b64(public), b64(append(x.FillBytes(make([]byte, 32)), y.FillBytes(make([]byte, 32))...))}
}
