package auth_test

import (
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/pem"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"doorstep/server/internal/auth"
	"doorstep/server/internal/auth/authtest"
	"doorstep/syncproto"
)

// forge is one way of making a token that must not pass.
type forge struct {
	method jwt.SigningMethod
	key    any
	header map[string]any
	claims jwt.MapClaims
}

func (f forge) sign(t *testing.T) string {
	t.Helper()
	token := jwt.NewWithClaims(f.method, f.claims)
	for k, v := range f.header {
		token.Header[k] = v
	}
	s, err := token.SignedString(f.key)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestFault43And44ForgedTokensAreRefused(t *testing.T) {
	w := newWorld(t)
	w.addUser("jo", auth.RolePractitioner)
	g := w.signIn("jo", syncproto.DeviceID{})
	now := w.clock()
	public := w.key.Public().(ed25519.PublicKey)
	sum := sha256.Sum256(public)
	kid := hex.EncodeToString(sum[:8])
	der, err := x509.MarshalPKIXPublicKey(public)
	if err != nil {
		t.Fatal(err)
	}
	asPEM := pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})
	stranger := ed25519.NewKeyFromSeed(make([]byte, 32))

	// good is what our own token says; each case spoils one thing.
	good := func() forge {
		return forge{method: jwt.SigningMethodEdDSA, key: w.key,
			header: map[string]any{"typ": "at+jwt", "kid": kid},
			claims: jwt.MapClaims{"iss": "doorstep:" + borough, "aud": borough, "sub": g.Caller.User.String(),
				"sid": g.Caller.Session.String(), "iat": now.Unix(), "exp": now.Add(5 * time.Minute).Unix()}}
	}
	without := func(claim string) func(*forge) { return func(f *forge) { delete(f.claims, claim) } }
	with := func(claim string, v any) func(*forge) { return func(f *forge) { f.claims[claim] = v } }
	header := func(name string, v any) func(*forge) { return func(f *forge) { f.header[name] = v } }
	cases := map[string]func(*forge){
		"algorithm none":                func(f *forge) { f.method, f.key = jwt.SigningMethodNone, jwt.UnsafeAllowNoneSignatureType },
		"HS256 with the public key":     func(f *forge) { f.method, f.key = jwt.SigningMethodHS256, []byte(public) },
		"HS256 with the public key PEM": func(f *forge) { f.method, f.key = jwt.SigningMethodHS256, asPEM },
		"another key":                   func(f *forge) { f.key = stranger },
		"unknown kid":                   header("kid", "0000000000000000"),
		"kid is a path":                 header("kid", "../../../../dev/null"),
		"kid is a number":               header("kid", 7),
		"typ of another token":          header("typ", "JWT"),
		"no expiry":                     without("exp"),
		"expired":                       with("exp", now.Add(-31*time.Second).Unix()),
		"no audience":                   without("aud"),
		"wrong audience":                with("aud", "wight"),
		"no issuer":                     without("iss"),
		"wrong issuer":                  with("iss", "doorstep:wight"),
		"issued in the future":          with("iat", now.Add(time.Hour).Unix()),
		"no subject":                    without("sub"),
		"no session":                    without("sid"),
		"unknown session":               with("sid", "00000000000000000000000000000001"),
		"session of another person":     with("sub", "00000000000000000000000000000002"),
		"device not of the session":     with("did", "00000000000000000000000000000003"),
		"device is no id":               with("did", "tablet"),
	}
	w.wantVerified(good().sign(t), true) // so that each case fails for its own reason
	for name, spoil := range cases {
		t.Run(name, func(t *testing.T) {
			f := good()
			spoil(&f)
			_, err := w.verify(f.sign(t))
			wantCode(t, err, syncproto.CodeUnauthenticated)
		})
	}
}

func TestMangledTokensAreRefused(t *testing.T) {
	w := newWorld(t)
	w.addUser("jo", auth.RolePractitioner)
	token := w.signIn("jo", syncproto.DeviceID{}).Access
	dot := strings.LastIndexByte(token, '.')
	unsigned := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"none","typ":"at+jwt"}`)) + token[strings.IndexByte(token, '.'):dot+1]
	cases := map[string]string{
		"empty": "", "one part": token[:dot], "no signature": token[:dot+1], "alg none by hand": unsigned,
		"a bit more": token + "A", "padding": token + "=", "with a space": " " + token,
		"over the cap": token[:dot] + strings.Repeat("A", 2000), "dots": strings.Repeat(".", 900),
	}
	for name, s := range cases {
		t.Run(name, func(t *testing.T) { w.wantVerified(s, false) })
	}
}

func TestAccessTokenLastsTenMinutes(t *testing.T) {
	w := newWorld(t)
	w.addUser("jo", auth.RolePractitioner)
	token := w.signIn("jo", syncproto.DeviceID{}).Access
	w.pass(9 * time.Minute)
	w.wantVerified(token, true)
	w.wantVerified(token, true) // from the cache
	w.pass(90 * time.Second)    // past expiry and leeway
	w.wantVerified(token, false)
}

func TestRefreshRotates(t *testing.T) {
	w := newWorld(t)
	w.addUser("jo", auth.RolePractitioner)
	g := w.signIn("jo", syncproto.DeviceID{})
	at := g.Caller.SignedInAt
	for i := range 5 {
		w.pass(10 * time.Minute)
		next, err := w.renew(g.Refresh, syncproto.RequestID{byte(i + 1)})
		if err != nil {
			t.Fatal(err)
		}
		if next.Refresh == g.Refresh || next.Access == g.Access {
			t.Fatal("a refresh gave an old token")
		}
		if !next.Caller.SignedInAt.Equal(at) {
			t.Fatal("a refresh counts as a fresh sign-in")
		}
		w.wantVerified(next.Access, true)
		g = next
	}
}

func TestRefreshAfterLostReplyGivesTheSameToken(t *testing.T) {
	w := newWorld(t)
	w.addUser("jo", auth.RolePractitioner)
	request := syncproto.RequestID{5}
	g := w.signIn("jo", syncproto.DeviceID{})
	first, err := w.renew(g.Refresh, request)
	if err != nil {
		t.Fatal(err)
	}
	w.pass(time.Minute)
	written := w.ledger.Written
	again, err := w.renew(g.Refresh, request)
	if err != nil {
		t.Fatal(err)
	}
	if again.Refresh != first.Refresh {
		t.Error("the repeated answer holds another token")
	}
	if w.ledger.Written != written {
		t.Error("a repeated answer was recorded")
	}
	if _, err := w.renew(again.Refresh, syncproto.RequestID{6}); err != nil {
		t.Errorf("the token of the repeated answer does not work: %v", err)
	}
}

func TestRefreshReuseEndsTheSession(t *testing.T) {
	request := syncproto.RequestID{5}
	cases := map[string]func(w *world, old string) (string, syncproto.RequestID){
		"another request": func(_ *world, old string) (string, syncproto.RequestID) { return old, syncproto.RequestID{6} },
		"after the grace": func(w *world, old string) (string, syncproto.RequestID) {
			w.pass(121 * time.Second)
			return old, request
		},
		"two generations back": nil,
	}
	for name, reuse := range cases {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.addUser("jo", auth.RolePractitioner)
			g := w.signIn("jo", syncproto.DeviceID{})
			next, err := w.renew(g.Refresh, request)
			if err != nil {
				t.Fatal(err)
			}
			token, id := g.Refresh, request
			if reuse != nil {
				token, id = reuse(w, g.Refresh)
			} else if next, err = w.renew(next.Refresh, syncproto.RequestID{7}); err != nil {
				t.Fatal(err)
			}
			_, err = w.renew(token, id)
			wantCode(t, err, syncproto.CodeUnauthenticated)
			w.wantVerified(next.Access, false)
			_, err = w.renew(next.Refresh, syncproto.RequestID{8})
			wantCode(t, err, syncproto.CodeUnauthenticated)
		})
	}
}

// TestATabletAsksForALostAnswerHoursLater: it lost the answer on a doorstep, and is back in
// the signal days after. By its key it is given the same token again, until it uses that.
func TestATabletAsksForALostAnswerHoursLater(t *testing.T) {
	w := provingWorld(t)
	w.addUser("jo", auth.RolePractitioner)
	g := w.enrol(newTablet(t), "jo")
	request := syncproto.RequestID{5}
	lost, err := w.renew(g.Refresh, request)
	if err != nil {
		t.Fatal(err)
	}
	w.pass(5 * 24 * time.Hour)
	if _, key, err := w.Known(t.Context(), auth.Sender{Token: g.Refresh, Sync: true}); err != nil || key != g.Key {
		t.Errorf("a sync by the token that was traded in: %v", err)
	}
	thief := authtest.NewKey(t).Thumbprint()
	_, err = w.Refresh(t.Context(), auth.Renewal{Token: g.Refresh, Request: request, Key: thief})
	wantCode(t, err, syncproto.CodeBadProof)
	again, err := w.renew(g.Refresh, request)
	if err != nil || again.Refresh != lost.Refresh {
		t.Fatalf("asked again: %v, the same token: %v", err, again.Refresh == lost.Refresh)
	}
	if _, err := w.Verify(t.Context(), auth.Sender{Token: again.Access, Bound: true, Key: g.Key}); err != nil {
		t.Errorf("its access token: %v", err)
	}

	next, err := w.renew(again.Refresh, syncproto.RequestID{6})
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := w.Known(t.Context(), auth.Sender{Token: g.Refresh, Sync: true}); err == nil {
		t.Error("a sync by a token of two generations back is let in")
	}
	_, err = w.renew(g.Refresh, request) // that answer was used: this is somebody with an old copy
	wantCode(t, err, syncproto.CodeUnauthenticated)
	_, err = w.renew(next.Refresh, syncproto.RequestID{7})
	wantCode(t, err, syncproto.CodeUnauthenticated)
}

// TestATabletsTokenUnderAnotherNameEndsItsSession: the time alone is not held against it.
func TestATabletsTokenUnderAnotherNameEndsItsSession(t *testing.T) {
	w := provingWorld(t)
	w.addUser("jo", auth.RolePractitioner)
	g := w.enrol(newTablet(t), "jo")
	next, err := w.renew(g.Refresh, syncproto.RequestID{5})
	if err != nil {
		t.Fatal(err)
	}
	_, err = w.renew(g.Refresh, syncproto.RequestID{6})
	wantCode(t, err, syncproto.CodeUnauthenticated)
	_, err = w.renew(next.Refresh, syncproto.RequestID{7})
	wantCode(t, err, syncproto.CodeUnauthenticated)
}

func TestNewPasswordEndsOldSessions(t *testing.T) {
	w := newWorld(t)
	w.addUser("jo", auth.RolePractitioner)
	g := w.signIn("jo", syncproto.DeviceID{})
	if err := w.SetPassword(context.Background(), "jo", password); err != nil { // the same words again: still a new hash
		t.Fatal(err)
	}
	_, err := w.renew(g.Refresh, syncproto.RequestID{1})
	wantCode(t, err, syncproto.CodeUnauthenticated)
	w.pass(11 * time.Minute)
	w.wantVerified(g.Access, false)
	w.signIn("jo", syncproto.DeviceID{})
}

func TestInventedRefreshTokenEndsNothing(t *testing.T) {
	w := newWorld(t)
	w.addUser("jo", auth.RolePractitioner)
	g := w.signIn("jo", syncproto.DeviceID{})
	raw, err := base64.RawURLEncoding.DecodeString(g.Refresh)
	if err != nil {
		t.Fatal(err)
	}
	for _, at := range []int{0, 20, 40, len(raw) - 1} {
		raw[at] ^= 1
		_, err := w.renew(base64.RawURLEncoding.EncodeToString(raw), syncproto.RequestID{1})
		wantCode(t, err, syncproto.CodeUnauthenticated)
		raw[at] ^= 1
	}
	_, err = w.renew(g.Refresh, syncproto.RequestID{})
	wantCode(t, err, syncproto.CodeUnauthenticated) // no request id, no rotation
	w.wantVerified(g.Access, true)
}
