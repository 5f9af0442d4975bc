package openid

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// service answers as a sign-in service does, with whatever ID token it is given.
type service struct {
	*httptest.Server
	key     *ecdsa.PrivateKey
	idToken string
	down    bool
}

func newService(t *testing.T) *service {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	s := &service{key: key}
	s.Server = httptest.NewServer(s)
	t.Cleanup(s.Close)
	return s
}

// ServeHTTP implements http.Handler.
func (s *service) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	point, err := s.key.PublicKey.Bytes()
	if err != nil || s.down {
		w.WriteHeader(http.StatusBadGateway)
		return
	}
	b64 := base64.RawURLEncoding.EncodeToString
	w.Header().Set("Content-Type", "application/json")
	var out any
	switch r.URL.Path {
	case "/.well-known/openid-configuration":
		out = map[string]any{"issuer": s.URL, "authorization_endpoint": s.URL + "/auth", "token_endpoint": s.URL + "/token", "jwks_uri": s.URL + "/keys"}
	case "/keys":
		out = map[string]any{"keys": []any{map[string]any{"kty": "EC", "crv": "P-256", "alg": "ES256", "kid": "1", "x": b64(point[1:33]), "y": b64(point[33:])}}}
	case "/token":
		out = map[string]any{"access_token": "x", "token_type": "Bearer", "id_token": s.idToken}
	}
	_ = json.NewEncoder(w).Encode(out)
}

func (s *service) provider(now time.Time) *Provider {
	return New(Config{Issuer: s.URL, ClientID: "doorstep", Redirects: []string{"https://doorstep.example/signed-in"}, SubjectClaim: "sub",
		LoginClaim: "email", GroupsClaim: "groups", Now: func() time.Time { return now }, HTTP: s.Client()})
}

// TestSpoiltIDTokensAreRefused spoils one thing of a good ID token at a time.
func TestSpoiltIDTokensAreRefused(t *testing.T) {
	s, now := newService(t), time.Unix(1_800_000_000, 0)
	other, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	type token struct {
		method jwt.SigningMethod
		key    any
		claims jwt.MapClaims
	}
	with := func(name string, v any) func(*token) { return func(x *token) { x.claims[name] = v } }
	without := func(name string) func(*token) { return func(x *token) { delete(x.claims, name) } }
	cases := map[string]func(*token){
		"":                     func(*token) {},
		"wrong audience":       with("aud", "payroll"),
		"no audience":          without("aud"),
		"for another client":   with("azp", "payroll"),
		"expired":              with("exp", now.Add(-time.Second).Unix()),
		"no expiry":            without("exp"),
		"wrong issuer":         with("iss", "https://id.wight.example"),
		"wrong nonce":          with("nonce", "another"),
		"no nonce":             without("nonce"),
		"issued in the future": with("iat", now.Add(time.Hour).Unix()),
		"no subject":           without("sub"),
		"algorithm none":       func(x *token) { x.method, x.key = jwt.SigningMethodNone, jwt.UnsafeAllowNoneSignatureType },
		"HS256":                func(x *token) { x.method, x.key = jwt.SigningMethodHS256, []byte("a secret of the service") },
		"another key":          func(x *token) { x.key = other },
		"an old proof":         with("auth_time", now.Add(-time.Hour).Unix()),
		"no word of the proof": without("auth_time"),
	}
	for name, spoil := range cases {
		t.Run(name, func(t *testing.T) {
			p := s.provider(now)
			_, flow, err := p.Begin(t.Context(), "https://doorstep.example/signed-in", true, rand.Reader)
			if err != nil {
				t.Fatal(err)
			}
			x := &token{jwt.SigningMethodES256, s.key, jwt.MapClaims{"iss": s.URL, "aud": "doorstep", "sub": "s-1", "nonce": flow.Nonce,
				"iat": now.Unix(), "exp": now.Add(time.Minute).Unix(), "auth_time": now.Unix(), "email": "jo@example.org", "groups": []string{"a", "b"}}}
			spoil(x)
			made := jwt.NewWithClaims(x.method, x.claims)
			made.Header["kid"] = "1"
			if s.idToken, err = made.SignedString(x.key); err != nil {
				t.Fatal(err)
			}
			got, err := p.Finish(t.Context(), flow, Back{Code: "c", State: flow.State, Issuer: s.URL})
			if name != "" && !errors.Is(err, ErrRefused) {
				t.Fatalf("got %v, want it to be refused", err)
			}
			if name == "" && (err != nil || got.Subject != s.URL+" s-1" || got.Confirmed || len(got.Groups) != 2 || !got.ProvedAt.Equal(now)) {
				t.Fatalf("got %+v, %v", got, err)
			}
		})
	}
}

// TestAccountsFromElsewhereAreRefused: a service that others use too vouches for their
// people as well, and for who has an account of their own there.
func TestAccountsFromElsewhereAreRefused(t *testing.T) {
	s, now := newService(t), time.Unix(1_800_000_000, 0)
	for name, claims := range map[string]jwt.MapClaims{
		"":                        {"tid": "t-1", "hd": "borough.example"},
		"another tenant":          {"tid": "t-2", "hd": "borough.example"},
		"no tenant":               {"hd": "borough.example"},
		"another domain":          {"tid": "t-1", "hd": "borough.example.evil.example"},
		"a tenant that is a list": {"tid": []string{"t-1"}, "hd": "borough.example"},
	} {
		p := s.provider(now)
		p.cfg.Require = []Claim{{"tid", "t-1"}, {"hd", "borough.example"}}
		_, flow, err := p.Begin(t.Context(), "https://doorstep.example/signed-in", false, rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		maps.Copy(claims, jwt.MapClaims{"iss": s.URL, "aud": "doorstep", "sub": "s-1", "nonce": flow.Nonce, "iat": now.Unix(), "exp": now.Add(time.Minute).Unix()})
		made := jwt.NewWithClaims(jwt.SigningMethodES256, claims)
		made.Header["kid"] = "1"
		if s.idToken, err = made.SignedString(s.key); err != nil {
			t.Fatal(err)
		}
		_, err = p.Finish(t.Context(), flow, Back{Code: "c", State: flow.State})
		if elsewhere := errors.Is(err, ErrElsewhere); elsewhere != (name != "") || !elsewhere && err != nil {
			t.Errorf("%q: got %v", name, err)
		}
	}
}

func TestAServiceThatIsDownIsAskedAgain(t *testing.T) {
	s, now := newService(t), time.Unix(1_800_000_000, 0)
	p := s.provider(now)
	p.cfg.Now = func() time.Time { return now }
	s.down = true
	for range 2 {
		if _, _, err := p.Begin(t.Context(), "https://doorstep.example/signed-in", false, rand.Reader); !errors.Is(err, ErrUnavailable) {
			t.Fatalf("got %v", err)
		}
	}
	s.down, now = false, now.Add(retryAfter)
	if _, _, err := p.Begin(t.Context(), "https://doorstep.example/signed-in", false, rand.Reader); err != nil {
		t.Error(err)
	}
}
