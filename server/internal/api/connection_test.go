package api

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"doorstep/server/internal/auth"
	"doorstep/syncproto"
)

func TestFault15DoubtfulFramingClosesTheConnection(t *testing.T) {
	w := newWorld(t, nil)
	const body = `{"login":"jo","password":"x"}`
	head := "POST /v1/sign-in HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
	chunked := fmt.Sprintf("%x\r\n%s\r\n0\r\n\r\n", len(body), body)
	cases := map[string]string{
		"length and chunked":     head + "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n" + chunked,
		"chunked and length":     head + "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n" + chunked,
		"two lengths":            head + "Content-Length: 5\r\nContent-Length: 6\r\n\r\n" + body,
		"two equal lengths":      head + fmt.Sprintf("Content-Length: %d\r\nContent-Length: %d\r\n\r\n%s", len(body), len(body), body),
		"length not a number":    head + "Content-Length: +5\r\n\r\n" + body,
		"negative length":        head + "Content-Length: -1\r\n\r\n" + body,
		"space before the colon": head + fmt.Sprintf("Content-Length : %d\r\n\r\n%s", len(body), body),
		"two encodings":          head + "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n" + chunked,
		"unknown encoding":       head + "Transfer-Encoding: xchunked\r\n\r\n" + chunked,
		"identity and a length":  head + fmt.Sprintf("Transfer-Encoding: identity\r\nContent-Length: %d\r\n\r\n%s", len(body), body),
		"bad chunk size":         head + "Transfer-Encoding: chunked\r\n\r\nzz\r\n",
	}
	for name, request := range cases {
		t.Run(name, func(t *testing.T) {
			w := &world{t: t, addr: w.addr}
			res, _, closed := w.raw(request)
			if res.StatusCode != http.StatusBadRequest || !closed {
				t.Errorf("got status %d, closed %v; want 400 and the connection closed", res.StatusCode, closed)
			}
		})
	}
}

func TestFault15LengthBeyondTheBody(t *testing.T) {
	w := newWorld(t, func(c *Config) { c.Limits.ReadTimeout = 300 * time.Millisecond })
	res, _, closed := w.raw("POST /v1/sign-in HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 500\r\n\r\n{}")
	if res.StatusCode != http.StatusRequestTimeout || !closed {
		t.Errorf("got status %d, closed %v; want 408 and the connection closed", res.StatusCode, closed)
	}
}

func TestFault16LongHeader(t *testing.T) {
	w := newWorld(t, nil)
	res, _, closed := w.raw("GET /v1/about HTTP/1.1\r\nHost: x\r\nX-Long: " + strings.Repeat("a", 9<<10) + "\r\n\r\n")
	if res.StatusCode != http.StatusRequestHeaderFieldsTooLarge || !closed {
		t.Errorf("got status %d, closed %v; want 431 and the connection closed", res.StatusCode, closed)
	}
	if res.Header.Get("X-Content-Type-Options") != "nosniff" {
		t.Error("an early refusal lacks the headers that every answer carries")
	}
}

// Measured: by default a half-sent request is held for ever.
func TestFault75SlowRequestsAreCut(t *testing.T) {
	w := newWorld(t, func(c *Config) { c.Limits.ReadTimeout = 300 * time.Millisecond })
	const slow = 200
	var wg sync.WaitGroup
	for i := range slow {
		conn, err := net.Dial("tcp", w.addr)
		if err != nil {
			t.Fatal(err)
		}
		half := "POST /v1/sync HTTP/1.1\r\nHost: x\r\n"
		if i%2 == 0 {
			half += "Content-Length: 1000\r\n\r\nabc"
		}
		if _, err := io.WriteString(conn, half); err != nil {
			t.Fatal(err)
		}
		wg.Add(1)
		go func() {
			defer wg.Done()
			defer conn.Close()
			_ = conn.SetReadDeadline(time.Now().Add(20 * time.Second))
			if _, err := io.ReadAll(conn); err != nil {
				t.Errorf("a slow connection was not cut: %v", err)
			}
		}()
	}
	if a := w.get("/v1/about", ""); a.status != http.StatusOK {
		t.Errorf("beside the slow ones: got status %d", a.status)
	}
	wg.Wait()
}

func TestConnectionsPerAddressAreCapped(t *testing.T) {
	w := newWorld(t, func(c *Config) { c.Limits.PerAddress = 3 })
	var held []net.Conn
	for range 3 {
		conn, err := net.Dial("tcp", w.addr)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		held = append(held, conn)
		wantHealthy(t, conn)
	}
	extra, err := net.Dial("tcp", w.addr)
	if err != nil {
		t.Fatal(err)
	}
	defer extra.Close()
	_ = extra.SetDeadline(time.Now().Add(20 * time.Second))
	if n, err := extra.Read(make([]byte, 1)); n != 0 || err == nil {
		t.Error("a connection above the cap was served")
	}
	for _, conn := range held {
		wantHealthy(t, conn)
	}
}

func wantHealthy(t *testing.T, conn net.Conn) {
	t.Helper()
	_ = conn.SetDeadline(time.Now().Add(20 * time.Second))
	if _, err := io.WriteString(conn, "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	res, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil || res.StatusCode != http.StatusOK {
		t.Fatalf("got %v, %v", res, err)
	}
	res.Body.Close()
}

func TestAddressBehindProxies(t *testing.T) {
	w := newWorld(t, func(c *Config) {
		c.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("10.0.0.0/8")}
	})
	w.addUser("jo", auth.RolePractitioner)
	// Each guess comes, says the trusted proxy, from elsewhere; what the guesser
	// wrote in front does not count.
	slowed := func(forwarded func(i int) string) int {
		for i := range 15 {
			b := []byte(`{"login":"jo","password":"wrong wrong wrong"}`)
			a := w.do("POST", "/v1/sign-in", map[string]string{"Content-Type": "application/json", "X-Forwarded-For": forwarded(i)}, b)
			if a.status == http.StatusTooManyRequests {
				if a.header.Get("Retry-After") == "" {
					t.Error("429 without Retry-After")
				}
				return i
			}
		}
		return -1
	}
	if i := slowed(func(i int) string { return fmt.Sprintf("198.51.100.%d, 10.0.0.1", i) }); i != -1 {
		t.Errorf("different addresses were slowed down at try %d", i)
	}
	if i := slowed(func(i int) string { return fmt.Sprintf("1.1.1.%d, 203.0.113.7, 10.0.0.1", i) }); i == -1 {
		t.Error("one address was never slowed down")
	}
}

// Some proxies add a line of their own to what came, instead of appending to it:
// what the guesser wrote in the line before does not count.
func TestAddressOfAProxyThatAddsALine(t *testing.T) {
	w := newWorld(t, func(c *Config) { c.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")} })
	body := `{"login":"jo","password":"wrong wrong wrong"}`
	statuses := map[int]bool{}
	for i := range 15 {
		res, _, _ := w.raw(fmt.Sprintf("POST /v1/sign-in HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"+
			"X-Forwarded-For: 198.51.100.%d\r\nX-Forwarded-For: 203.0.113.9\r\nContent-Length: %d\r\n\r\n%s", i, len(body), body))
		statuses[res.StatusCode] = true
	}
	if !statuses[http.StatusTooManyRequests] {
		t.Errorf("one address was never slowed down: got statuses %v", statuses)
	}
}

func TestShutdownDrains(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent(),
		// fasthttp's pool cleaner sleeps for ten seconds before it sees that it was stopped.
		goleak.IgnoreAnyFunction("github.com/valyala/fasthttp.(*workerPool).Start.func2"),
		// It keeps the date of all its answers, from the first of a process to its end.
		goleak.IgnoreAnyFunction("github.com/valyala/fasthttp.updateServerDate.func1"))
	t.Run("with a request and a stream under way", func(t *testing.T) {
		w := newWorld(t, nil)
		w.addUser("jo", auth.RolePractitioner)
		d := w.enrol("jo")
		inside, leave := make(chan struct{}), make(chan struct{})
		w.borough.hook = func(*syncproto.SyncRequest) { close(inside); <-leave }
		answered := make(chan answer, 1)
		go func() { answered <- w.sync(d.session.AccessToken, syncBody(goodRequest())) }()
		<-inside
		events := w.openEvents(d.session.AccessToken)
		events.wantEvent("event: pull")

		stopped := make(chan error, 1)
		go func() { stopped <- w.api.Shutdown(context.Background()) }()
		events.wantEnd()
		close(leave)
		if a := <-answered; a.status != http.StatusOK {
			t.Errorf("the request under way got status %d", a.status)
		}
		if err := <-stopped; err != nil {
			t.Errorf("shutdown: %v", err)
		}
	})
}

// eventStream is an open GET /v1/events.
type eventStream struct {
	t   *testing.T
	res *http.Response
	r   *bufio.Reader
}

func (w *world) openEvents(token string) *eventStream {
	w.t.Helper()
	req, err := http.NewRequest("GET", "http://"+w.addr+"/v1/events", nil)
	if err != nil {
		w.t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+token)
	w.prove(req)
	return w.openStream(req)
}

// openStream is a stream that somebody asks for in their own way.
func (w *world) openStream(req *http.Request) *eventStream {
	w.t.Helper()
	res, err := w.client().Do(req)
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { res.Body.Close() })
	return &eventStream{t: w.t, res: res, r: bufio.NewReader(res.Body)}
}

// wantEvent reads up to the next event; comments come in between.
func (e *eventStream) wantEvent(want string) {
	e.t.Helper()
	for {
		line, err := e.r.ReadString('\n')
		if err != nil {
			e.t.Fatalf("waiting for %q: %v", want, err)
		}
		if line = strings.TrimSpace(line); line != "" && line != "data:" && (want == ": still here" || !strings.HasPrefix(line, ":")) {
			if line != want {
				e.t.Fatalf("got %q, want %q", line, want)
			}
			return
		}
	}
}

func (e *eventStream) wantEnd() {
	e.t.Helper()
	if _, err := io.ReadAll(e.r); err != nil {
		e.t.Fatalf("waiting for the end: %v", err)
	}
}

// TestOneIPv6NetworkIsOnePlace: whoever has a network of 64 bits could come from
// another address each time.
func TestOneIPv6NetworkIsOnePlace(t *testing.T) {
	for _, c := range []struct {
		a, b string
		one  bool
	}{
		{"2001:db8:1:2::1", "2001:db8:1:2:ffff:ffff:ffff:ffff", true},
		{"2001:db8:1:2::1", "2001:db8:1:3::1", false},
		{"fe80::1%eth0", "fe80::2%eth1", true},
		{"192.0.2.1", "192.0.2.2", false},
		{"192.0.2.1", "::ffff:192.0.2.1", true},
	} {
		if got := placeOf(netip.MustParseAddr(c.a)) == placeOf(netip.MustParseAddr(c.b)); got != c.one {
			t.Errorf("%s and %s are one place: %v", c.a, c.b, got)
		}
	}
}

// TestOneSessionHasItsPace: a session that asks too fast is told when to come again,
// and others are not.
func TestOneSessionHasItsPace(t *testing.T) {
	var mu sync.Mutex
	now := time.Now()
	clock := func() time.Time { mu.Lock(); defer mu.Unlock(); return now }
	w := newWorld(t, func(c *Config) { c.Limits.PerSession, c.Now = 2, clock })
	w.addUser("jo", auth.RolePractitioner)
	fast, other := w.signIn("jo").AccessToken, w.signIn("jo").AccessToken
	for i := range 20 {
		if a := w.get("/v1/families", fast); a.status != http.StatusOK {
			t.Fatalf("request %d: %d", i, a.status)
		}
	}
	a := w.get("/v1/families", fast)
	a.wantProblem(t, http.StatusTooManyRequests, syncproto.CodeTooMany)
	if a.header.Get("Retry-After") != "1" {
		t.Errorf("Retry-After is %q", a.header.Get("Retry-After"))
	}
	if a := w.get("/v1/families", other); a.status != http.StatusOK {
		t.Errorf("another session is told to wait: %d", a.status)
	}
	mu.Lock()
	now = now.Add(time.Second)
	mu.Unlock()
	if a := w.get("/v1/families", fast); a.status != http.StatusOK {
		t.Errorf("a second later: %d", a.status)
	}
}
