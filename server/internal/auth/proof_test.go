package auth_test

import (
	"context"
	"crypto/ed25519"
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"doorstep/server/internal/auth"
	"doorstep/server/internal/auth/authtest"
	"doorstep/syncproto"
)

const proofURL = "https://doorstep.hants.example/v1/sync"

// request is what most proofs here are for.
func (w *world) request(token string) authtest.Request {
	return authtest.Request{Method: "POST", URL: proofURL, Token: token, At: w.clock()}
}

// prove shows a proof with a request for proofURL.
func (w *world) prove(proof, token string) (auth.Proven, error) {
	return w.Prove(context.Background(), auth.Proof{JWT: proof, Method: "POST", URL: proofURL, Token: token})
}

func (w *world) wantRefusedProof(proof, token string) *auth.ProofError {
	w.t.Helper()
	_, err := w.prove(proof, token)
	var refused *auth.ProofError
	if !errors.As(err, &refused) || !errors.Is(err, syncproto.CodeBadProof) || refused.Nonce == "" {
		w.t.Fatalf("got %v, want a refused proof with a nonce", err)
	}
	return refused
}

// provingWorld has run for a minute, so that proofs need no nonce.
func provingWorld(t *testing.T) *world {
	w := newWorld(t)
	w.pass(time.Minute)
	return w
}

func TestProofShowsItsKeyOnce(t *testing.T) {
	w, key := provingWorld(t), authtest.NewKey(t)
	proof := key.Proof(w.request("token"))
	got, err := w.prove(proof, "token")
	if err != nil || got.Key != key.Thumbprint() || got.Nonce != "" {
		t.Fatalf("got %+v, %v", got, err)
	}
	w.wantRefusedProof(proof, "token") // replayed
	other := authtest.NewKey(t)
	claims := authtest.Claims(w.request("token"))
	for _, k := range []authtest.Key{key, other} { // the same jti of another key is another
		if _, err := w.prove(k.JWT(k.Header(), claims), "token"); err != nil {
			t.Error(err)
		}
	}
}

// The key and thumbprint of the examples of RFC 9449 (4.1 and 6.1).
func TestThumbprint(t *testing.T) {
	point := []byte{4}
	for _, s := range []string{"l8tFrhx-34tV3hRICRDY9zCkDlpBhF42UQUfWVAWBFs", "9VE4jf_Ok_o64zbTTlcuNJajHmt6v9TDVrU0CdvGRDA"} {
		b, err := base64.RawURLEncoding.DecodeString(s)
		if err != nil {
			t.Fatal(err)
		}
		point = append(point, b...)
	}
	if got, want := auth.ThumbprintOf(point).String(), "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestSpoiltProofsAreRefused(t *testing.T) {
	w, key := provingWorld(t), authtest.NewKey(t)
	type spoil func(header, claims map[string]any)
	claim := func(name string, v any) spoil { return func(_, c map[string]any) { c[name] = v } }
	without := func(name string) spoil { return func(_, c map[string]any) { delete(c, name) } }
	jwk := func(name string, v any) spoil {
		return func(h, _ map[string]any) { h["jwk"].(map[string]any)[name] = v }
	}
	now := w.clock()
	cases := map[string]spoil{
		"another method":      claim("htm", "GET"),
		"another path":        claim("htu", "https://doorstep.hants.example/v1/families"),
		"another host":        claim("htu", "https://doorstep.wight.example/v1/sync"),
		"another scheme":      claim("htu", "http://doorstep.hants.example/v1/sync"),
		"another port":        claim("htu", "https://doorstep.hants.example:8443/v1/sync"),
		"path by another way": claim("htu", "https://doorstep.hants.example/v1/%73ync"),
		"a user in the URL":   claim("htu", "https://jo@doorstep.hants.example/v1/sync"),
		"no URL":              without("htu"),
		"another token":       claim("ath", "fUHyO2r2Z3DZ53EsNrWBb0xWXoaNy59IiKCAqksmQEo"),
		"no token":            without("ath"),
		"no jti":              without("jti"),
		"jti too long":        claim("jti", strings.Repeat("x", 129)),
		"too old":             claim("iat", now.Add(-121*time.Second).Unix()),
		"of the future":       claim("iat", now.Add(11*time.Second).Unix()),
		"no time":             without("iat"),
		"time is text":        claim("iat", "now"),
		"an invented nonce":   claim("nonce", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"),
		"nonce is no nonce":   claim("nonce", "x"),
		"typ of a token":      func(h, _ map[string]any) { h["typ"] = "at+jwt" },
		"no typ":              func(h, _ map[string]any) { delete(h, "typ") },
		"no key":              func(h, _ map[string]any) { delete(h, "jwk") },
		"algorithm none":      func(h, _ map[string]any) { h["alg"] = "none" },
		"HS256":               func(h, _ map[string]any) { h["alg"] = "HS256" },
		"a private key":       jwk("d", "AAAA"),
		"another curve":       jwk("crv", "P-384"),
		"an RSA key":          jwk("kty", "RSA"),
		"off the curve":       jwk("x", strings.Repeat("A", 43)),
		"another's key":       func(h, _ map[string]any) { h["jwk"] = authtest.NewKey(t).Header()["jwk"] },
	}
	for name, spoil := range cases {
		t.Run(name, func(t *testing.T) {
			header, claims := key.Header(), authtest.Claims(w.request("token"))
			spoil(header, claims)
			w.wantRefusedProof(key.JWT(header, claims), "token")
		})
	}
	good := key.Proof(w.request("token"))
	for name, proof := range map[string]string{"empty": "", "cut": good[:len(good)-4], "two parts": good[:strings.LastIndexByte(good, '.')],
		"too long": good + strings.Repeat("A", 2048)} {
		t.Run(name, func(t *testing.T) { w.wantRefusedProof(proof, "token") })
	}
	if _, err := w.prove(good, "token"); err != nil {
		t.Errorf("what was spoilt above is refused unspoilt: %v", err)
	}
}

func TestProofURLMayBeWrittenInTwoWays(t *testing.T) {
	w, key := provingWorld(t), authtest.NewKey(t)
	for _, url := range []string{proofURL, "https://DOORSTEP.hants.example:443/v1/sync", proofURL + "?x=1"} {
		r := w.request("")
		r.URL = url
		if _, err := w.prove(key.Proof(r), ""); err != nil {
			t.Errorf("%s: %v", url, err)
		}
	}
	r := w.request("")
	for _, url := range []string{"http://127.0.0.1:8480/v1/sync", "https://127.0.0.1:8480/v1/sync"} { // scheme not known
		r.URL = url
		if _, err := w.Prove(context.Background(), auth.Proof{JWT: key.Proof(r), Method: "POST", URL: "//127.0.0.1:8480/v1/sync"}); err != nil {
			t.Errorf("%s: %v", url, err)
		}
	}
}

// A tablet whose clock is wrong by years is told a nonce, and goes on with that.
func TestFault51ProofsOfAWrongClock(t *testing.T) {
	w, key := provingWorld(t), authtest.NewKey(t)
	for _, off := range []time.Duration{10 * 365 * 24 * time.Hour, -50 * 365 * 24 * time.Hour} {
		r := w.request("")
		r.At = w.clock().Add(off)
		r.Nonce = w.wantRefusedProof(key.Proof(r), "").Nonce
		got, err := w.prove(key.Proof(r), "")
		if err != nil || got.Nonce == "" {
			t.Fatalf("clock off by %v: got %+v, %v; want it to pass and a nonce for the next", off, got, err)
		}
		proof := key.Proof(r)
		if _, err := w.prove(proof, ""); err != nil { // a nonce serves for its time, each jti once
			t.Fatal(err)
		}
		w.wantRefusedProof(proof, "")
		w.pass(151 * time.Second)
		w.wantRefusedProof(key.Proof(r), "")
	}
}

// What was seen is forgotten when the server starts anew; nothing from before
// passes then.
func TestFault45ReplayAfterARestart(t *testing.T) {
	w, key := provingWorld(t), authtest.NewKey(t)
	r := w.request("")
	ahead := r
	ahead.At = r.At.Add(9 * time.Second) // a clock that is a little ahead
	captured := []string{key.Proof(r), key.Proof(ahead)}
	for _, proof := range captured {
		if _, err := w.prove(proof, ""); err != nil {
			t.Fatal(err)
		}
	}
	r.Nonce = w.Nonce()
	captured = append(captured, key.Proof(r))
	again := w
	again.restart()
	for range 30 {
		for _, proof := range captured {
			again.wantRefusedProof(proof, "")
		}
		again.pass(time.Second)
	}
	r = again.request("")
	r.Nonce = again.Nonce()
	if _, err := again.prove(key.Proof(r), ""); err != nil {
		t.Errorf("a nonce of this server does not pass: %v", err)
	}
	if _, err := again.prove(key.Proof(again.request("")), ""); err != nil {
		t.Errorf("half a minute later a nonce is still needed: %v", err)
	}
}

func TestEveryProofIsRememberedWhileItCouldPass(t *testing.T) {
	w, key := provingWorld(t), authtest.NewKey(t)
	for offset := range 300 { // wherever in a stretch of remembering
		w.pass(time.Second)
		r := w.request("")
		r.At = r.At.Add(10 * time.Second)
		early, withNonce := key.Proof(r), r
		withNonce.Nonce = w.Nonce()
		late := key.Proof(withNonce)
		for _, p := range []string{early, late} {
			if _, err := w.prove(p, ""); err != nil {
				t.Fatalf("second %d: %v", offset, err)
			}
		}
		if offset%37 != 0 {
			continue
		}
		for range 16 {
			w.wantRefusedProof(early, "")
			w.wantRefusedProof(late, "")
			w.pass(10 * time.Second)
		}
	}
}

func TestSessionOfADeviceNeedsItsKey(t *testing.T) {
	w := provingWorld(t)
	w.addUser("jo", auth.RolePractitioner)
	g := w.enrol(newTablet(t), "jo")
	thief := authtest.NewKey(t).Thumbprint()
	ctx := context.Background()
	for name, key := range map[string]auth.Thumbprint{"none": {}, "another's": thief} {
		_, err := w.SignIn(ctx, auth.SignIn{Credential: auth.Credential{Login: "jo", Password: password, Address: "10.0.0.1"}, Device: g.Caller.Device, Key: key})
		wantCode(t, err, syncproto.CodeBadProof)
		_, err = w.Refresh(ctx, auth.Renewal{Token: g.Refresh, Request: syncproto.RequestID{1}, Key: key})
		wantCode(t, err, syncproto.CodeBadProof)
		for _, bound := range []bool{true, false} {
			_, err = w.Verify(ctx, auth.Sender{Token: g.Access, Bound: bound, Key: key})
			wantCode(t, err, syncproto.CodeBadProof)
		}
		if t.Failed() {
			t.Fatalf("with a proof of key: %s", name)
		}
	}
	// As a bearer token it does not pass even for its holder: nobody may come to
	// rely on that.
	_, err := w.Verify(ctx, auth.Sender{Token: g.Access, Key: g.Key})
	wantCode(t, err, syncproto.CodeBadProof)
	if _, err := w.Verify(ctx, auth.Sender{Token: g.Access, Bound: true, Key: g.Key}); err != nil {
		t.Error(err)
	}
	if _, err := w.renew(g.Refresh, syncproto.RequestID{1}); err != nil {
		t.Errorf("what a thief tried ended the session: %v", err)
	}
}

func TestUnboundTokenOfADeviceIsRefused(t *testing.T) {
	w := provingWorld(t)
	w.addUser("jo", auth.RolePractitioner)
	g := w.enrol(newTablet(t), "jo")
	bare, _, err := jwt.NewParser().ParseUnverified(g.Access, jwt.MapClaims{})
	if err != nil {
		t.Fatal(err)
	}
	claims := bare.Claims.(jwt.MapClaims)
	if fmt.Sprint(claims["cnf"]) != "map[jkt:"+g.Key.String()+"]" {
		t.Fatalf("got confirmation %v, want the device's key", claims["cnf"])
	}
	for name, cnf := range map[string]any{"none": nil, "no thumbprint": map[string]any{"jkt": "x"}} {
		delete(claims, "cnf")
		if cnf != nil {
			claims["cnf"] = cnf
		}
		token := jwt.NewWithClaims(jwt.SigningMethodEdDSA, claims)
		token.Header = bare.Header
		signed, err := token.SignedString(ed25519.PrivateKey(w.key))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Verify(context.Background(), auth.Sender{Token: signed}); err == nil {
			t.Errorf("%s: it passes as a bearer token", name)
		}
	}
}

func TestSessionWithoutADeviceMayBeBound(t *testing.T) {
	w := provingWorld(t)
	w.addUser("jo", auth.RoleCoordinator)
	own := authtest.NewKey(t).Thumbprint()
	g, err := w.SignIn(context.Background(), auth.SignIn{Credential: auth.Credential{Login: "jo", Password: password, Address: "10.0.0.1"}, Key: own})
	if err != nil || g.Key != own {
		t.Fatalf("got key %v, %v", g.Key, err)
	}
	_, err = w.Verify(context.Background(), auth.Sender{Token: g.Access})
	wantCode(t, err, syncproto.CodeBadProof)
	bearer := w.signIn("jo", syncproto.DeviceID{})
	_, err = w.Verify(context.Background(), auth.Sender{Token: bearer.Access, Bound: true, Key: own})
	wantCode(t, err, syncproto.CodeBadProof) // not bound to anything
}

func BenchmarkProve(b *testing.B) {
	w := newWorldFor(b)
	w.pass(time.Minute)
	key := authtest.NewKey(b)
	proofs := make([]string, b.N)
	for i := range proofs {
		proofs[i] = key.Proof(w.request("token"))
	}
	b.ResetTimer()
	for _, p := range proofs {
		if _, err := w.prove(p, "token"); err != nil {
			b.Fatal(err)
		}
	}
}

// TestProofOfTheSpec reads the example of SPEC 7.9, as a reader would.
func TestProofOfTheSpec(t *testing.T) {
	page, err := os.ReadFile("../../../syncproto/spec/SPEC.md")
	if err != nil {
		t.Fatal(err)
	}
	_, after, found := strings.Cut(string(page), "<!-- proof -->")
	example, _, ended := strings.Cut(after, "<!-- end -->")
	lines := strings.Split(strings.Trim(example, "\n`"), "\n")
	if !found || !ended || len(lines) != 4 {
		t.Fatalf("the example has %d lines", len(lines))
	}
	parts := strings.Split(lines[2], ".")
	for i, want := range lines[:2] {
		if got, err := base64.RawURLEncoding.DecodeString(parts[i]); err != nil || string(got) != want {
			t.Errorf("part %d is %s, the page says %s", i, got, want)
		}
	}
	w := newWorld(t)
	w.now = time.Unix(1764000000-60, 0)
	w.restart()
	w.pass(70 * time.Second)
	got, err := w.Prove(context.Background(), auth.Proof{JWT: lines[2], Method: "POST",
		URL: "https://doorstep.borough.example/v1/sync", Token: "eyJhbGciOiJFZERTQSJ9.e30.c2ln"})
	if err != nil || got.Key.String() != lines[3] {
		t.Errorf("got key %s, %v; want %s", got.Key, err, lines[3])
	}
}

// TestAFloodOfProofsShutsOutOnlyItself: what one key sends, and what keys send that
// nobody knows, takes no room from others, and never makes a proof of theirs pass a
// second time.
func TestAFloodOfProofsShutsOutOnlyItself(t *testing.T) {
	w := provingWorld(t)
	w.addUser("jo", auth.RolePractitioner)
	device, flooder := newTablet(t), authtest.NewKey(t)
	w.enrol(device, "jo")
	own := authtest.Key{Private: device.private}
	mine := own.Proof(w.request("token"))
	if _, err := w.prove(mine, "token"); err != nil {
		t.Fatal(err)
	}
	flood := func(known bool) {
		t.Helper()
		w.Remember(flooder.Thumbprint(), known, 1<<19)
	}
	flood(false)
	flood(true)
	w.wantRefusedProof(mine, "token")
	for range 3 {
		if _, err := w.prove(own.Proof(w.request("token")), "token"); err != nil {
			t.Errorf("a device is shut out by the flood of another: %v", err)
		}
	}
	stranger := authtest.NewKey(t)
	if _, err := w.prove(stranger.Proof(w.request("")), ""); !errors.Is(err, syncproto.CodeUnavailable) {
		t.Errorf("a proof of a strange key that cannot be remembered: %v", err)
	}
	bound := func(key authtest.Key) error {
		_, err := w.Prove(context.Background(), auth.Proof{JWT: key.Proof(w.request("token")), Method: "POST", URL: proofURL, Token: "token", Holder: key.Thumbprint()})
		return err
	}
	if err := bound(stranger); err != nil {
		t.Errorf("the key of a session, in a browser, is shut out: %v", err)
	}
	if err := bound(flooder); !errors.Is(err, syncproto.CodeUnavailable) {
		t.Errorf("a key that sent too many: %v", err)
	}
	w.pass(6 * time.Minute)
	for _, key := range []authtest.Key{stranger, flooder} {
		if err := bound(key); err != nil {
			t.Errorf("when the flood is over: %v", err)
		}
	}
}
