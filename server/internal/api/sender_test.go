package api

import (
	"bufio"
	"fmt"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"doorstep/server/internal/auth"
	"doorstep/server/internal/auth/authtest"
	"doorstep/syncproto"
	"doorstep/syncproto/frame"
)

// syncHeaders are what a device sends with a sync.
func (w *world) syncHeaders(d tablet) map[string]string {
	key, token := authtest.Key{Private: d.key}, d.session.AccessToken
	return map[string]string{"Authorization": "DPoP " + token, "Content-Type": frame.MediaType, "DPoP": w.proof(key, "POST", syncPath, token)}
}

// What is recorded on the way of a sync is worth nothing: the session refuses it
// by its jti, and nothing happens.
func TestFault45ReplayedRequest(t *testing.T) {
	w := newWorld(t, nil)
	w.addUser("jo", auth.RolePractitioner)
	d := w.enrol("jo")
	headers, body := w.syncHeaders(d), syncBody(goodRequest())
	if a := w.do("POST", syncPath, headers, body); a.status != http.StatusOK {
		t.Fatalf("got status %d", a.status)
	}
	taken := w.borough.stored()
	for range 3 {
		a := w.do("POST", syncPath, headers, body)
		a.wantProblem(t, http.StatusUnauthorized, syncproto.CodeBadProof)
		if a.header.Get("DPoP-Nonce") == "" || !strings.Contains(a.header.Get("WWW-Authenticate"), "use_dpop_nonce") {
			t.Errorf("got headers %v, want a nonce to try again with", a.header)
		}
	}
	if got := w.borough.stored(); got != taken {
		t.Errorf("%d syncs were worked on, want %d", got, taken)
	}
	headers["DPoP"] = w.syncHeaders(d)["DPoP"]
	if a := w.do("POST", syncPath, headers, body); a.status != http.StatusOK || a.header.Get("DPoP-Nonce") == "" {
		t.Errorf("the device itself: got status %d, nonce %q", a.status, a.header.Get("DPoP-Nonce"))
	}
}

func TestStolenTokenWithoutTheKey(t *testing.T) {
	w := newWorld(t, nil)
	w.addUser("jo", auth.RolePractitioner)
	d, body := w.enrol("jo"), syncBody(goodRequest())
	token, thief := d.session.AccessToken, authtest.NewKey(t)
	good := func() map[string]string { return w.syncHeaders(d) }
	for name, spoil := range map[string]func(map[string]string){
		"as a bearer token":   func(h map[string]string) { h["Authorization"] = "Bearer " + token; delete(h, "DPoP") },
		"bearer with a proof": func(h map[string]string) { h["Authorization"] = "Bearer " + token },
		"no proof":            func(h map[string]string) { delete(h, "DPoP") },
		"the thief's own key": func(h map[string]string) { h["DPoP"] = w.proof(thief, "POST", syncPath, token) },
		"a proof for a GET":   func(h map[string]string) { h["DPoP"] = w.proof(authtest.Key{Private: d.key}, "GET", syncPath, token) },
		"a proof for sign-in": func(h map[string]string) {
			h["DPoP"] = w.proof(authtest.Key{Private: d.key}, "POST", "/v1/sign-in", "")
		},
		"no proof at all":   func(h map[string]string) { h["DPoP"] = "x" },
		"what we say of it": func(h map[string]string) { h["DPoP"] = "x"; h[provenHeader] = good()["DPoP"] },
		"our word, pretended": func(h map[string]string) {
			delete(h, "DPoP")
			h[provenHeader] = "ok " + authtest.Key{Private: d.key}.Thumbprint().String() + " "
		},
		"an old nonce invents": func(h map[string]string) {
			h["DPoP"] = authtest.Key{Private: d.key}.Proof(authtest.Request{Method: "POST", URL: "http://" + w.addr + syncPath, Token: token, Nonce: "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", At: time.Now()})
		},
	} {
		t.Run(name, func(t *testing.T) {
			h := good()
			spoil(h)
			own := &world{t: t, addr: w.addr, api: w.api, auth: w.auth}
			own.do("POST", syncPath, h, body).wantProblem(t, http.StatusUnauthorized, syncproto.CodeBadProof)
		})
	}
	if n := w.borough.stored(); n != 0 {
		t.Errorf("%d syncs were worked on", n)
	}
	if a := w.do("POST", syncPath, good(), body); a.status != http.StatusOK {
		t.Errorf("the device itself: got status %d", a.status)
	}
}

// Somebody with the tablet's password and no tablet begins no session of it, and
// a refresh token alone renews nothing.
func TestSessionOfADeviceIsBegunByIt(t *testing.T) {
	w := newWorld(t, nil)
	w.addUser("jo", auth.RolePractitioner)
	d := w.enrol("jo")
	w.postJSON("/v1/sign-in", "", SignInRequest{Login: "jo", Password: testPassword, Device: d.session.Device}).
		wantProblem(t, http.StatusUnauthorized, syncproto.CodeBadProof)
	renewal := RefreshRequest{RefreshToken: d.session.RefreshToken, RequestID: strings.Repeat("1", 32)}
	a := w.postJSON("/v1/token/refresh", "", renewal)
	a.wantProblem(t, http.StatusUnauthorized, syncproto.CodeBadProof)
	if a.header.Get("DPoP-Nonce") == "" {
		t.Error("no nonce to prove it with")
	}
	s, a := w.signInOn(d, "jo")
	if a.status != http.StatusOK || s.TokenType != "DPoP" || a.header.Get("DPoP-Nonce") == "" {
		t.Errorf("the device itself: got status %d, type %q", a.status, s.TokenType)
	}
}

// A device's refresh token does at a sync for an access token that lapsed: with the
// device's key, as often as it is sent, until its session ends. It is good for nothing else.
func TestASyncShowsTheRefreshToken(t *testing.T) {
	w := newWorld(t, nil)
	w.addUser("jo", auth.RolePractitioner)
	d, thief := w.enrol("jo"), authtest.NewKey(t)
	own := authtest.Key{Private: d.key}
	shows := func(key authtest.Key, method, path, token string) answer {
		h := map[string]string{"Authorization": "DPoP " + token, "DPoP": w.proof(key, method, path, token)}
		if method == "GET" {
			return w.do(method, path, h, nil)
		}
		h["Content-Type"] = frame.MediaType
		return w.do(method, path, h, syncBody(goodRequest()))
	}
	refresh := d.session.RefreshToken
	for range 2 {
		if a := shows(own, "POST", syncPath, refresh); a.status != http.StatusOK {
			t.Fatalf("got status %d, want it taken in", a.status)
		}
	}
	taken := w.borough.stored()
	shows(thief, "POST", syncPath, refresh).wantProblem(t, http.StatusUnauthorized, syncproto.CodeBadProof)
	w.do("POST", syncPath, map[string]string{"Authorization": "Bearer " + refresh, "Content-Type": frame.MediaType}, syncBody(goodRequest())).
		wantProblem(t, http.StatusUnauthorized, syncproto.CodeBadProof)
	shows(own, "GET", "/v1/families", refresh).wantProblem(t, http.StatusUnauthorized, syncproto.CodeUnauthenticated)
	shows(own, "POST", syncPath, refresh[1:]+"A").wantProblem(t, http.StatusUnauthorized, syncproto.CodeUnauthenticated)
	office := w.signIn("jo")
	shows(own, "POST", syncPath, office.RefreshToken).wantProblem(t, http.StatusUnauthorized, syncproto.CodeUnauthenticated)

	next, err := w.auth.Refresh(t.Context(), auth.Renewal{Token: refresh, Request: syncproto.RequestID{1}, Key: own.Thumbprint()})
	if err != nil {
		t.Fatal(err)
	}
	if err := w.auth.SignOut(t.Context(), next.Caller); err != nil {
		t.Fatal(err)
	}
	shows(own, "POST", syncPath, next.Refresh).wantProblem(t, http.StatusUnauthorized, syncproto.CodeUnauthenticated)
	if got := w.borough.stored(); got != taken {
		t.Errorf("%d syncs were worked on, want %d", got, taken)
	}
}

func TestProofNamesTheServerByItsOrigin(t *testing.T) {
	w := newWorld(t, func(c *Config) { c.Origin = "https://doorstep.hants.example" })
	w.addUser("jo", auth.RolePractitioner)
	d := w.enrol("jo")
	key, token := authtest.Key{Private: d.key}, d.session.AccessToken
	for url, want := range map[string]int{"https://doorstep.hants.example/v1/sync": http.StatusOK, "http://" + w.addr + syncPath: http.StatusUnauthorized} {
		h := map[string]string{"Authorization": "DPoP " + token, "Content-Type": frame.MediaType,
			"DPoP": key.Proof(authtest.Request{Method: "POST", URL: url, Token: token, Nonce: w.auth.Nonce(), At: time.Now()})}
		if a := w.do("POST", syncPath, h, syncBody(goodRequest())); a.status != want {
			t.Errorf("%s: got status %d, want %d", url, a.status, want)
		}
	}
}

// What comes after a body in chunks is appended to the header (RFC 9112, 7.1.2)
// when proofs have been weighed, and must not pass for what became of one.
func TestStolenTokenWithATrailer(t *testing.T) {
	w := newWorld(t, nil)
	w.addUser("jo", auth.RolePractitioner)
	d, body := w.enrol("jo"), syncBody(goodRequest())
	trailer := provenHeader + ": ok " + authtest.Key{Private: d.key}.Thumbprint().String() + " nonce"
	for _, announced := range []string{"Trailer: " + provenHeader + "\r\n", "", provenHeader + ": none\r\n"} {
		status := w.inChunks("Authorization: DPoP "+d.session.AccessToken+"\r\nContent-Type: "+frame.MediaType+"\r\n"+announced, body, trailer)
		if status != http.StatusUnauthorized {
			t.Errorf("announced %q: got status %d, want 401", announced, status)
		}
	}
	if n := w.borough.stored(); n != 0 {
		t.Errorf("%d syncs were worked on for a thief", n)
	}
}

// inChunks posts a sync whose body comes in chunks, with a trailer, and returns
// the status.
func (w *world) inChunks(header string, body []byte, trailer string) int {
	w.t.Helper()
	conn, err := net.Dial("tcp", w.addr)
	if err != nil {
		w.t.Fatal(err)
	}
	defer conn.Close()
	fmt.Fprintf(conn, "POST %s HTTP/1.1\r\nHost: %s\r\n%sTransfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n%s\r\n\r\n",
		syncPath, w.addr, header, len(body), body, trailer)
	res, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		w.t.Fatal(err)
	}
	res.Body.Close()
	return res.StatusCode
}
