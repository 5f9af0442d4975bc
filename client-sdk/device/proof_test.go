package device_test

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"doorstep/client-sdk/device"
	"doorstep/syncproto"
)

// proofs checks the proofs that a device sends, as SPEC 7.9 describes them.
type proofs struct {
	nonce string // that each must hold; empty: none
	seen  map[string]bool
	asked int // how often a nonce was asked for
}

// check answers a request whose proof does not hold, and reports whether it does.
func (p *proofs) check(w http.ResponseWriter, r *http.Request, key []byte) bool {
	claims, ok := readProof(r.Header.Get("DPoP"), key)
	token, _ := strings.CutPrefix(r.Header.Get("Authorization"), "DPoP ")
	if token != "" {
		sum := sha256.Sum256([]byte(token))
		ok = ok && claims.Token == base64.RawURLEncoding.EncodeToString(sum[:])
	}
	ok = ok && claims.Method == r.Method && claims.URL == "http://"+r.Host+r.URL.Path && claims.ID != "" && !p.seen[claims.ID] && claims.At > 1_700_000_000
	if p.seen == nil {
		p.seen = map[string]bool{}
	}
	p.seen[claims.ID] = true
	if ok && claims.Nonce == p.nonce {
		return true
	}
	if ok {
		p.asked++
	}
	w.Header().Set("DPoP-Nonce", p.nonce)
	refuseSync(w, http.StatusUnauthorized, syncproto.CodeBadProof)
	return false
}

type proofClaims struct {
	ID     string `json:"jti"`
	Method string `json:"htm"`
	URL    string `json:"htu"`
	At     int64  `json:"iat"`
	Token  string `json:"ath"`
	Nonce  string `json:"nonce"`
}

func readProof(jwt string, key []byte) (claims proofClaims, ok bool) {
	parts := strings.Split(jwt, ".")
	if len(parts) != 3 {
		return claims, false
	}
	var raw [3][]byte
	for i, s := range parts {
		b, err := base64.RawURLEncoding.DecodeString(s)
		if err != nil {
			return claims, false
		}
		raw[i] = b
	}
	var header struct {
		Typ, Alg string
		JWK      struct{ Kty, Crv, X, Y string }
	}
	b64 := base64.RawURLEncoding.EncodeToString
	if json.Unmarshal(raw[0], &header) != nil || json.Unmarshal(raw[1], &claims) != nil ||
		header.Typ != "dpop+jwt" || header.Alg != "ES256" || header.JWK.Kty != "EC" || header.JWK.Crv != "P-256" ||
		header.JWK.X != b64(key[1:33]) || header.JWK.Y != b64(key[33:]) {
		return claims, false
	}
	return claims, verifyES256(key, []byte(parts[0]+"."+parts[1]), raw[2])
}

// A server that began anew, or a clock that is wrong, asks for a nonce: the same
// request goes again by itself, under another jti.
func TestANonceIsAnsweredByItself(t *testing.T) {
	b := newBorough()
	m := device.NewMemory()
	c := b.overHTTP(t)
	if _, err := c.Enrol(t.Context(), m, device.Enrolment{Password: "right", Code: "ABCDEFGHIJKLMNOP"}); err != nil {
		t.Fatal(err)
	}
	d := mustOpen(t, m, c, device.Options{})
	for i, nonce := range []string{"first", "first", "second"} {
		b.mu.Lock()
		b.proofs.nonce = nonce
		b.mu.Unlock()
		if _, err := d.Edit(beginVisit()); err != nil {
			t.Fatal(err)
		}
		mustSync(t, d)
		if want := []int{1, 1, 2}[i]; b.proofs.asked != want {
			t.Errorf("sync %d: a nonce was asked for %d times, want %d", i, b.proofs.asked, want)
		}
	}
	out, err := d.Outbox()
	if err != nil || out.Changes != 0 {
		t.Errorf("outbox %+v, %v", out, err)
	}
}

// Without the key, whoever has the whole session can do nothing with it.
func TestACopiedSessionIsWorthNothing(t *testing.T) {
	b := newBorough()
	m := device.NewMemory()
	c := b.overHTTP(t)
	id, err := c.Enrol(t.Context(), m, device.Enrolment{Password: "right", Code: "ABCDEFGHIJKLMNOP"})
	if err != nil {
		t.Fatal(err)
	}
	thief, err := device.NewKey()
	if err != nil {
		t.Fatal(err)
	}
	if err := device.Install(m, id, thief); err != nil { // the rows without the key that signs
		t.Fatal(err)
	}
	d := mustOpen(t, m, b.overHTTP(t), device.Options{})
	if _, err := d.Sync(t.Context()); err == nil {
		t.Error("a session was taken from another key's holder")
	}
}

func TestSignInByTheBoroughsService(t *testing.T) {
	b := newBorough()
	m := device.NewMemory()
	c := b.overHTTP(t)
	id, err := c.Enrol(t.Context(), m, device.Enrolment{Password: "right", Code: "ABCDEFGHIJKLMNOP"})
	if err != nil {
		t.Fatal(err)
	}
	flow, err := c.BeginOpenID(t.Context(), "http://127.0.0.1:1/signed-in", false)
	if err != nil || flow.Ticket != "ticket" || flow.URL == "" {
		t.Fatalf("got %+v, %v", flow, err)
	}
	bad := goodOpenID
	bad.State = "another"
	if err := c.SignInOpenID(t.Context(), bad, id.Device); err == nil {
		t.Error("somebody who did not come back signs in")
	}
	if err := c.SignInOpenID(t.Context(), goodOpenID, id.Device); err != nil {
		t.Fatal(err)
	}
	mustSync(t, mustOpen(t, m, c, device.Options{}))
}
