package api

import (
	"bufio"
	"fmt"
	"io"
	"math/rand"
	"net"
	"net/http"
	"os"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"doorstep/server/internal/audit"
	"doorstep/server/internal/auth"
	"doorstep/server/internal/auth/authtest"
	"doorstep/syncproto"
	"doorstep/syncproto/frame"
)

// Measured: by default what a handler keeps becomes the next caller's.
func TestKeptRequestsStayTheirOwn(t *testing.T) {
	type request struct{ param, body string }
	var mu sync.Mutex
	var calls []*call
	w := newWorldWith(t, nil, func(a *API) {
		a.app.Add("POST", "/kept/:id", a.fiberHandler(route{id: "kept", handle: func(c *call) error {
			mu.Lock()
			defer mu.Unlock()
			calls = append(calls, c)
			return nil
		}}))
	})
	client := w.client() // one connection for all three
	var want []request
	for i := range 3 {
		r := request{strings.Repeat(string(rune('a'+i)), 32), strings.Repeat(string(rune('x'+i)), 500)}
		want = append(want, r)
		res, err := client.Post("http://"+w.addr+"/kept/"+r.param, "text/plain", strings.NewReader(r.body))
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.Copy(io.Discard, res.Body)
		res.Body.Close()
		if res.StatusCode != http.StatusNoContent {
			t.Fatalf("got status %d", res.StatusCode)
		}
	}
	for i, c := range calls {
		if got := (request{c.param, string(c.body)}); got != want[i] {
			t.Errorf("request %d became %+v, want %+v", i, got, want[i])
		}
	}
}

// Measured: by default 2 KB become 512 MiB in memory.
func TestFault14DoubleGzipBombIsNotInflated(t *testing.T) {
	w := newWorld(t, nil)
	b, err := os.ReadFile("testdata/bomb.gz.gz") // 512 MiB of zeros, compressed twice
	if err != nil {
		t.Fatal(err)
	}
	w.get("/v1/about", "") // reads the document that answers are held to, which takes memory of its own
	for _, path := range []string{"/v1/sign-in", "/v1/sync"} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		a := w.do("POST", path, map[string]string{"Content-Type": "application/json", "Content-Encoding": "gzip, gzip"}, b)
		runtime.ReadMemStats(&after)
		a.wantProblem(t, http.StatusUnsupportedMediaType, syncproto.CodeContentEncoding)
		if grown := after.TotalAlloc - before.TotalAlloc; grown > 8<<20 {
			t.Errorf("%s: refusing %d bytes took %d bytes of memory", path, len(b), grown)
		}
	}
}

func TestFault13ContentEncodingIsRefused(t *testing.T) {
	w := newWorld(t, nil)
	w.addUser("jo", auth.RolePractitioner)
	d := w.enrol("jo")
	for _, encoding := range []string{"gzip", "deflate", "br", "identity", "x"} {
		a := w.do("POST", "/v1/sync", map[string]string{"Authorization": "Bearer " + d.session.AccessToken,
			"Content-Type": frame.MediaType, "Content-Encoding": encoding}, syncBody(goodRequest()))
		a.wantProblem(t, http.StatusUnsupportedMediaType, syncproto.CodeContentEncoding)
	}
	if n := w.borough.stored(); n != 0 {
		t.Errorf("%d requests got through", n)
	}
}

func TestFault12WrongContentType(t *testing.T) {
	w := newWorld(t, nil)
	w.addUser("jo", auth.RolePractitioner)
	d := w.enrol("jo")
	for _, media := range []string{"", "application/json", "application/cbor", "text/plain", "application/doorstep-sync/x", ";", "multipart/form-data; boundary=x"} {
		a := w.do("POST", "/v1/sync", map[string]string{"Authorization": "Bearer " + d.session.AccessToken, "Content-Type": media}, syncBody(goodRequest()))
		a.wantProblem(t, http.StatusUnsupportedMediaType, syncproto.CodeUnsupportedMedia)
	}
	for _, media := range []string{"", "text/json", "application/x-www-form-urlencoded", frame.MediaType} {
		a := w.do("POST", "/v1/sign-in", map[string]string{"Content-Type": media}, []byte(`{"login":"jo","password":"`+testPassword+`"}`))
		a.wantProblem(t, http.StatusUnsupportedMediaType, syncproto.CodeUnsupportedMedia)
	}
	a := w.do("POST", "/v1/sign-in", map[string]string{"Content-Type": "application/json; charset=utf-8"}, []byte(`{"login":"jo","password":"`+testPassword+`"}`))
	if a.status != http.StatusOK {
		t.Errorf("JSON with a charset: got status %d", a.status)
	}
}

func TestFault01EmptyBody(t *testing.T) {
	w := newWorld(t, nil)
	w.addUser("jo", auth.RolePractitioner)
	d := w.enrol("jo")
	w.sync(d.session.AccessToken, nil).wantProblem(t, http.StatusBadRequest, syncproto.CodeEmpty)
	w.do("POST", "/v1/sign-in", map[string]string{"Content-Type": "application/json"}, nil).
		wantProblem(t, http.StatusBadRequest, syncproto.CodeEmpty)
}

func TestFault02RandomBytes(t *testing.T) {
	w := newWorld(t, nil)
	w.addUser("jo", auth.RolePractitioner)
	d := w.enrol("jo")
	const seed = 21
	r := rand.New(rand.NewSource(seed))
	for i := range 200 {
		b := make([]byte, 1+r.Intn(300))
		r.Read(b)
		if i%3 == 0 {
			b[0] = 0 // a raw frame, so that the bytes reach the decoder
		}
		if a := w.sync(d.session.AccessToken, b); a.status != http.StatusBadRequest && a.status != http.StatusRequestEntityTooLarge {
			t.Fatalf("seed %d, case %d: got status %d", seed, i, a.status)
		}
	}
	if n := w.borough.stored(); n != 0 {
		t.Errorf("%d random requests were taken", n)
	}
}

func TestFault03TruncatedAtEachByte(t *testing.T) {
	w := newWorld(t, nil)
	w.addUser("jo", auth.RolePractitioner)
	d := w.enrol("jo")
	payload := syncproto.EncodeRequest(goodRequest())
	for n := 1; n < len(payload); n++ {
		w.sync(d.session.AccessToken, frame.Wrap(payload[:n], false)).wantProblem(t, http.StatusBadRequest, syncproto.CodeMalformed)
	}
	whole := frame.Wrap(payload, false)
	for n := 1; n < len(whole); n++ {
		if a := w.sync(d.session.AccessToken, whole[:n]); a.status != http.StatusBadRequest {
			t.Fatalf("frame cut at byte %d: got status %d", n, a.status)
		}
	}
	if n := w.borough.stored(); n != 0 {
		t.Errorf("%d truncated requests were taken", n)
	}
}

func TestFault04TrailingBytes(t *testing.T) {
	w := newWorld(t, nil)
	w.addUser("jo", auth.RolePractitioner)
	d := w.enrol("jo")
	payload := append(syncproto.EncodeRequest(goodRequest()), 0)
	w.sync(d.session.AccessToken, frame.Wrap(payload, false)).wantProblem(t, http.StatusBadRequest, syncproto.CodeMalformed)
	whole := append(syncBody(goodRequest()), 0)
	if a := w.sync(d.session.AccessToken, whole); a.status != http.StatusBadRequest {
		t.Errorf("byte after the frame: got status %d", a.status)
	}
	if n := w.borough.stored(); n != 0 {
		t.Errorf("%d requests were taken", n)
	}
}

func TestFault17OddPathsAreNotFound(t *testing.T) {
	w := newWorld(t, nil)
	for _, path := range []string{
		"/v1/%2e%2e/v1/about", "/v1/../v1/about", "/v1/./about", "/v1%2fabout", "/v1/%252f/about", "/v1/about%00", "/v1/about%00.json",
		"/V1/about", "/v1/About", "/v1/ABOUT", "/v1/about/", "//v1/about", "/v1//about", "/v1/about.json", "/v1/about;x=1", "/v1/%61bout",
		"/v1\\about", "/v1/about%20", "/static/../v1/about", "/app/../v1/about", "/app/%2e%2e/v1/about", "/v1", "/v1/records/../about", "/HEALTHZ",
	} {
		t.Run(path, func(t *testing.T) {
			w := &world{t: t, addr: w.addr}
			res, body, _ := w.raw("GET " + path + " HTTP/1.1\r\nHost: x\r\n\r\n")
			if res.StatusCode != http.StatusNotFound {
				t.Errorf("got status %d with %s", res.StatusCode, body)
			}
		})
	}
}

func TestFault18UnknownMethods(t *testing.T) {
	w := newWorld(t, nil)
	for _, method := range []string{"TRACE", "TRACK", "CONNECT", "OPTIONS", "PUT", "PATCH", "DELETE", "PROPFIND", "get", "FOO"} {
		for _, path := range []string{"/v1/about", "/v1/sync", "/nowhere"} {
			res, _, _ := w.raw(method + " " + path + " HTTP/1.1\r\nHost: x\r\n\r\n")
			if res.StatusCode != http.StatusMethodNotAllowed {
				t.Errorf("%s %s: got status %d, want 405", method, path, res.StatusCode)
			}
		}
	}
	w.do("POST", "/v1/about", nil, nil).wantProblem(t, http.StatusMethodNotAllowed, syncproto.CodeMethod)
	w.do("GET", "/v1/sign-in", nil, nil).wantProblem(t, http.StatusMethodNotAllowed, syncproto.CodeMethod)
}

func TestOversizedBodies(t *testing.T) {
	w := newWorld(t, nil)
	w.addUser("jo", auth.RolePractitioner)
	token := w.signIn("jo").AccessToken
	for name, c := range map[string]struct {
		path, token string
		bytes, want int
	}{
		"sign-in":               {"/v1/sign-in", "", maxStrangerBytes + 1, 413},
		"JSON":                  {"/v1/records/x/answer", token, maxJSONBytes + 1, 413},
		"JSON, lapsed token":    {"/v1/records/x/answer", token + "x", maxStrangerBytes + 1, 401},
		"sync":                  {"/v1/sync", token, syncproto.MaxWireBytes + 1, 413},
		"sync of a stranger":    {"/v1/sync", "", syncproto.MaxWireBytes + 1, 413},
		"sync, lapsed and over": {"/v1/sync", token + "x", syncproto.MaxWireBytes + 1, 413},
	} {
		t.Run(name, func(t *testing.T) {
			w := &world{t: t, addr: w.addr}
			head := fmt.Sprintf("POST %s HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: %d\r\n", c.path, c.bytes)
			if c.token != "" {
				head += "Authorization: Bearer " + c.token + "\r\n"
			}
			res, body, closed := w.raw(head + "\r\n")
			if res.StatusCode != c.want || !closed {
				t.Errorf("got status %d, closed %v; want %d and closed: %s", res.StatusCode, closed, c.want, body)
			}
		})
	}
}

// A lapsed token must be told as that after a whole upload: a tablet that only
// saw its connection cut would try the same again for ever.
func TestLapsedTokenIsToldAfterALargeUpload(t *testing.T) {
	w := newWorld(t, nil)
	w.sync("lapsed", make([]byte, 3<<20)).wantProblem(t, http.StatusUnauthorized, syncproto.CodeUnauthenticated)
}

func TestStrangersCannotTakeAllMemory(t *testing.T) {
	w := newWorld(t, func(c *Config) { c.Now = func() time.Time { return time.Unix(1_800_000_000, 0) } })
	head := fmt.Sprintf("POST /v1/sync HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer x\r\nContent-Length: %d\r\n\r\n", syncproto.MaxWireBytes)
	for range largeStrangers {
		conn, err := net.Dial("tcp", w.addr)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		if _, err := io.WriteString(conn, head); err != nil {
			t.Fatal(err)
		}
	}
	for { // until all of those have been met
		conn, err := net.Dial("tcp", w.addr)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		_ = conn.SetDeadline(time.Now().Add(200 * time.Millisecond)) // one that is read waits for its body
		if _, err := io.WriteString(conn, head); err != nil {
			t.Fatal(err)
		}
		res, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err != nil {
			continue
		}
		res.Body.Close()
		if res.StatusCode != http.StatusServiceUnavailable || res.Header.Get("Retry-After") == "" {
			t.Errorf("got status %d", res.StatusCode)
		}
		return
	}
}

func TestWindow(t *testing.T) {
	w := window{every: time.Minute, max: 2}
	at := time.Unix(0, 0)
	got := []bool{w.allow(at), w.allow(at), w.allow(at), w.allow(at.Add(time.Minute)), w.allow(at.Add(time.Minute))}
	if want := []bool{true, true, false, true, true}; fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

// Measured: by default one panic kills the server.
func TestPanicIsOneCallersTrouble(t *testing.T) {
	w := newWorld(t, nil)
	w.addUser("jo", auth.RolePractitioner)
	d := w.enrol("jo")
	const secret = "Mum said she is afraid"
	w.borough.hook = func(*syncproto.SyncRequest) { panic(secret) }
	w.sync(d.session.AccessToken, syncBody(goodRequest())).wantProblem(t, http.StatusInternalServerError, syncproto.CodeInternal)
	if a := w.get("/healthz", ""); a.status != http.StatusOK {
		t.Errorf("after a panic: got status %d", a.status)
	}
	if strings.Contains(w.log.String(), secret) {
		t.Error("the log repeats what the panic said")
	}
	if !strings.Contains(w.log.String(), "panic in a handler") {
		t.Error("the panic is not in the log")
	}
}

func TestEveryAnswerCarriesTheHeaders(t *testing.T) {
	w := newWorld(t, nil)
	for name, a := range map[string]answer{"success": w.get("/v1/about", ""), "not found": w.get("/nothing", ""),
		"refused": w.get("/v1/families", ""), "early": w.do("POST", "/v1/sync", map[string]string{"Content-Encoding": "gzip"}, []byte("x"))} {
		for header, want := range map[string]string{
			"X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer", "Cache-Control": "no-store",
			"Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'", "Strict-Transport-Security": hsts,
			"Cross-Origin-Resource-Policy": "same-origin", "Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Embedder-Policy": "require-corp",
		} {
			if got := a.header.Get(header); got != want {
				t.Errorf("%s: got %s %q, want %q", name, header, got, want)
			}
		}
		if a.header.Get("X-Request-Id") == "" || a.header.Get("Server") != "" {
			t.Errorf("%s: got request id %q and server %q", name, a.header.Get("X-Request-Id"), a.header.Get("Server"))
		}
	}
}

func TestLogHoldsNoContent(t *testing.T) {
	w := newWorld(t, nil)
	w.addUser("jo", auth.RolePractitioner)
	s := w.signIn("jo")
	const planted = "Zxqvsecretword"
	w.get("/v1/"+planted, s.AccessToken)
	w.get("/v1/records/"+planted, s.AccessToken)
	w.get("/v1/about?"+planted, s.AccessToken)
	w.postJSON("/v1/sign-in", "", map[string]any{"login": planted, "password": planted})
	w.postJSON("/v1/sign-in", "", map[string]any{planted: planted})
	w.postJSON("/v1/records/"+strings.Repeat("0", 32)+"/answer", s.AccessToken, AnswerRequest{Query: strings.Repeat("0", 64), Text: planted})
	w.do("POST", "/v1/sync", map[string]string{"Content-Type": planted, "X-Forwarded-For": planted, "Authorization": "Bearer " + planted}, []byte(planted))
	w.raw("GET / HTTP/1.1\r\nHost: x\r\n" + planted + "\r\n\r\n")
	log := w.log.String()
	if strings.Contains(log, planted) || strings.Contains(log, s.AccessToken) || strings.Contains(log, testPassword) {
		t.Error("the log repeats what was sent")
	}
	if !strings.Contains(log, `"route":"answer"`) {
		t.Error("the log does not name the route")
	}
}

func TestErrorsOfOursAreNotTold(t *testing.T) {
	w := newWorld(t, nil)
	w.addUser("jo", auth.RolePractitioner)
	d := w.enrol("jo")
	w.borough.err = errStrange
	w.sync(d.session.AccessToken, syncBody(goodRequest())).wantProblem(t, http.StatusInternalServerError, syncproto.CodeInternal)
	a := w.postJSON("/v1/records/"+strings.Repeat("0", 32)+"/hand-over", d.session.AccessToken, HandOverRequest{})
	a.wantProblem(t, http.StatusInternalServerError, syncproto.CodeInternal)
	if strings.Contains(string(a.body), "smell") || !strings.Contains(w.log.String(), "smell") {
		t.Error("the chain belongs into the log and not into the answer")
	}
}

// TestEveryRouteHasItsLimits sends each route a body over what its callers may
// send: it is refused when the header is read, and the connection closed.
func TestEveryRouteHasItsLimits(t *testing.T) {
	w := newWorld(t, nil)
	w.addUser("jo", auth.RolePractitioner)
	token := w.signIn("jo").AccessToken
	over := func(r route, header string, size int) int {
		path := strings.NewReplacer(":id", strings.Repeat("0", 32), ":heads", strings.Repeat("0", 64)).Replace(r.path)
		own := &world{t: t, addr: w.addr}
		res, _, closed := own.raw(fmt.Sprintf("%s %s HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n%sContent-Length: %d\r\n\r\n",
			r.method, path, header, size))
		if !closed {
			t.Errorf("%s %s: the connection stays open", r.method, r.path)
		}
		return res.StatusCode
	}
	for _, r := range w.api.routes {
		if r.method != "POST" || r.path == syncPath {
			continue // a GET has no body; a sync has limits of its own, and tests of them
		}
		if got := over(r, "", maxStrangerBytes+1); got != http.StatusRequestEntityTooLarge {
			t.Errorf("%s, a stranger: got status %d", r.path, got)
		}
		if got := over(r, "Authorization: Bearer "+token+"\r\n", maxJSONBytes+1); got != http.StatusRequestEntityTooLarge {
			t.Errorf("%s, signed in: got status %d", r.path, got)
		}
	}
	s := w.api.app.Server()
	for name, d := range map[string]time.Duration{"read": s.ReadTimeout, "write": s.WriteTimeout, "idle": s.IdleTimeout} {
		if d <= 0 || d > 2*time.Minute {
			t.Errorf("the %s timeout is %v", name, d)
		}
	}
	if s.MaxRequestBodySize != syncproto.MaxWireBytes || s.ReadBufferSize != maxHeaderBytes || s.Concurrency != w.api.cfg.Limits.Connections {
		t.Errorf("body %d, header %d, connections %d", s.MaxRequestBodySize, s.ReadBufferSize, s.Concurrency)
	}
}

// Pages may run their own files and wasm; nothing that came as text is ever run.
func TestPoliciesOfPagesAndAnswers(t *testing.T) {
	w := newWorld(t, nil)
	for _, r := range w.api.routes {
		if strings.HasPrefix(r.path, appPath) || policyOf([]byte(r.path)) != "default-src 'none'; frame-ancestors 'none'" {
			t.Errorf("%s %s has the policy of a page", r.method, r.path)
		}
	}
	got := w.get("/app/main.js", "").header.Get("Content-Security-Policy")
	for _, want := range []string{"default-src 'none';", "script-src 'self' 'wasm-unsafe-eval';", "frame-ancestors 'none';", "require-trusted-types-for 'script'"} {
		if !strings.Contains(got, want) {
			t.Errorf("a page's policy lacks %s", want)
		}
	}
	for _, not := range []string{"unsafe-inline", "'unsafe-eval'", "*", "data:", "http"} {
		if strings.Contains(got, not) {
			t.Errorf("a page's policy has %s", not)
		}
	}
}

// Whoever does not prove who they are is in the log, wherever they tried.
func TestFailedProofsAreNotedOnEveryRoute(t *testing.T) {
	w := newWorld(t, nil)
	w.addUser("jo", auth.RolePractitioner)
	token := w.signIn("jo").AccessToken
	w.postJSON("/v1/step-up", token, StepUpRequest{Login: "jo", Password: "not their password"})
	w.wantNoted(audit.TypeSignIn, syncproto.CodeBadCredentials, "stepUp")
	in := w.enrolBody(authtest.NewKey(t).Private, "jo")
	in.Password = "not their password"
	w.postJSON("/v1/devices", "", in)
	w.wantNoted(audit.TypeSignIn, syncproto.CodeBadCredentials, "enrol")
}
