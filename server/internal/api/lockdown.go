package api

import (
	"bytes"
	"cmp"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"runtime/debug"
	"strings"
	"sync"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"

	"doorstep/server/internal/pages"
	"doorstep/server/internal/tracing"
	"doorstep/syncproto"
)

const (
	// maxHeaderBytes bounds a request's header; ours stay under 2 KiB.
	maxHeaderBytes = 8 << 10
	// maxJSONBytes bounds a JSON body: an addendum of 64 KiB of text, escaped.
	maxJSONBytes = 512 << 10
	// maxStrangerBytes bounds the body of whoever has no good token: a sign-in or
	// an enrolment.
	maxStrangerBytes = 16 << 10
	// maxSessions is of how many sessions the pace is remembered: more than a borough's
	// people have open, at about 100 bytes each.
	maxSessions = 16 << 10
	// largeStrangers is how many large syncs are read in one strangersEvery without
	// a good token. A tablet whose token lapsed must be told so after a whole
	// upload, not by a connection that is cut; yet the server sets memory aside for
	// each body, and strangers must not take it all.
	largeStrangers = 128
	strangersEvery = 30 * time.Second
	// appPath is what pages and their files lie below.
	appPath = "/app/"
	// hsts tells browsers for two years to come by TLS only.
	hsts = "max-age=63072000; includeSubDomains"
)

// newApp is the one place where the HTTP server is configured. Every setting is
// there because the default leaks, hangs or dies (measured);
// lockdown_test.go holds one test for each.
func (a *API) newApp() *fiber.App {
	l := a.cfg.Limits
	app := fiber.New(fiber.Config{
		Immutable:                    true, // else kept strings become the next caller's
		CaseSensitive:                true,
		StrictRouting:                true,
		UnescapePath:                 false,
		DisableStartupMessage:        true,
		DisablePreParseMultipartForm: true,
		ReadTimeout:                  l.ReadTimeout,
		WriteTimeout:                 l.WriteTimeout,
		IdleTimeout:                  l.IdleTimeout,
		ReadBufferSize:               maxHeaderBytes,
		BodyLimit:                    syncproto.MaxWireBytes,
		Concurrency:                  l.Connections,
		ErrorHandler:                 a.onFiberError,
	})
	for _, r := range a.routes {
		app.Add(r.method, r.path, a.fiberHandler(r))
		if r.method == fiber.MethodGet && r.stream == nil {
			app.Add(fiber.MethodHead, r.path, a.fiberHandler(r))
		}
	}
	a.addApp(app)
	a.addDesk(app)
	server := app.Server()
	server.Handler = a.outermost(server.Handler)
	server.HeaderReceived = a.requestLimits
	server.CloseOnShutdown = true
	server.KeepHijackedConns = true // an event stream closes its own
	return app
}

// state is what is known of one request besides its bytes.
type state struct {
	id      string
	started time.Time
	route   string // id from the route table, never the raw path
	user    syncproto.UserID
	cause   error // what went wrong, for the log
	span    *tracing.Span
	caching string
}

type stateKey struct{}

// stateOf returns the request's state. A request that fasthttp refused before
// any handler has none yet.
func stateOf(fctx *fasthttp.RequestCtx) *state {
	if s, ok := fctx.UserValue(stateKey{}).(*state); ok {
		return s
	}
	return &state{id: "none", started: time.Time{}, route: noRoute}
}

func (a *API) newState(fctx *fasthttp.RequestCtx) *state {
	var b [12]byte
	if _, err := io.ReadFull(a.cfg.Random, b[:]); err != nil {
		a.cfg.Log.Error("no random bytes for a request id", "error", err.Error())
	}
	s := &state{id: hex.EncodeToString(b[:]), started: a.cfg.Now(), route: noRoute}
	fctx.SetUserValue(stateKey{}, s)
	return s
}

// outermost wraps everything: it screens what no route should see, turns a panic
// into a 500, and sets headers and writes the log line whatever happened.
func (a *API) outermost(next fasthttp.RequestHandler) fasthttp.RequestHandler {
	return func(fctx *fasthttp.RequestCtx) {
		s := a.newState(fctx)
		defer a.finish(fctx, s)
		defer func() {
			if p := recover(); p != nil {
				a.cfg.Log.Error("panic in a handler", "request", s.id, "route", s.route,
					"panic", panicText(p), "stack", string(debug.Stack()))
				a.refuse(fctx, &refusal{code: syncproto.CodeInternal})
			}
		}()
		if r := screen(fctx); r != nil {
			a.refuse(fctx, r)
			return
		}
		next(fctx)
	}
}

// panicText says what a panic was without repeating content: only our own "bug:"
// messages and runtime errors are free of it.
func panicText(p any) string {
	if s, ok := p.(string); ok && strings.HasPrefix(s, "bug: ") {
		return s
	}
	return fmt.Sprintf("%T", p)
}

// screen refuses what no route takes, before any route is looked up.
func screen(fctx *fasthttp.RequestCtx) *refusal {
	h := &fctx.Request.Header
	if !plainFraming(h.RawHeaders()) {
		fctx.SetConnectionClose() // what follows on the connection cannot be trusted
		return &refusal{code: syncproto.CodeMalformed}
	}
	method := string(h.Method())
	if method != fiber.MethodGet && method != fiber.MethodHead && method != fiber.MethodPost {
		fctx.Response.Header.Set("Allow", "GET, HEAD, POST")
		return &refusal{code: syncproto.CodeMethod}
	}
	if len(h.Peek(fiber.HeaderContentEncoding)) > 0 {
		return &refusal{code: syncproto.CodeContentEncoding}
	}
	if method != fiber.MethodPost && len(fctx.Request.Body()) > 0 {
		return &refusal{code: syncproto.CodeMalformed}
	}
	if !plainPath(fctx.Request.URI().PathOriginal()) {
		return &refusal{code: syncproto.CodeNotFound}
	}
	return nil
}

// plainFraming reports whether a header leaves no doubt where the body ends: not
// both Content-Length and Transfer-Encoding, neither twice, no space before a
// colon (RFC 9112, 6.3 and 5.1).
func plainFraming(raw []byte) bool {
	lengths, encodings := 0, 0
	for line := range bytes.Lines(raw) {
		name, _, ok := bytes.Cut(line, []byte(":"))
		if !ok {
			continue
		}
		if len(name) > 0 && (name[len(name)-1] == ' ' || name[len(name)-1] == '\t') {
			return false
		}
		if bytes.EqualFold(name, []byte(fiber.HeaderContentLength)) {
			lengths++
		}
		if bytes.EqualFold(name, []byte(fiber.HeaderTransferEncoding)) {
			encodings++
		}
	}
	return lengths+encodings <= 1
}

// plainPath reports whether a path is written in the only way we write ours:
// nothing escaped, no dot segment, no empty segment.
func plainPath(p []byte) bool {
	if len(p) == 0 || p[0] != '/' {
		return false
	}
	for _, c := range p {
		letter := 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9'
		if !letter && c != '/' && c != '-' && c != '_' && c != '.' {
			return false
		}
	}
	return !bytes.Contains(p, []byte("//")) && !bytes.Contains(p, []byte("/."))
}

// requestLimits is asked after the header and before the body, for which memory
// is set aside. Strangers get little of it. A signed-in device's sync may take as
// long as a 2G link needs, else a long note could never be delivered.
func (a *API) requestLimits(h *fasthttp.RequestHeader) fasthttp.RequestConfig {
	sync := string(h.RequestURI()) == syncPath
	known := a.arrived(h)
	switch {
	case sync && known:
		return fasthttp.RequestConfig{ReadTimeout: a.cfg.Limits.SlowLink, WriteTimeout: a.cfg.Limits.SlowLink}
	case known:
		return fasthttp.RequestConfig{MaxRequestBodySize: maxJSONBytes}
	case sync && h.ContentLength() >= 0 && h.ContentLength() <= maxJSONBytes:
		return fasthttp.RequestConfig{MaxRequestBodySize: maxJSONBytes}
	case sync && a.strangers.allow(a.cfg.Now()):
		return fasthttp.RequestConfig{}
	case bytes.HasPrefix(h.RequestURI(), []byte(pages.Root)) && h.ContentLength() > maxStrangerBytes && h.ContentLength() <= maxJSONBytes && a.strangers.allow(a.cfg.Now()):
		// A form with many words, whose session is looked at when it is here: if that
		// has ended, the words must be given back.
		return fasthttp.RequestConfig{MaxRequestBodySize: maxJSONBytes}
	}
	return fasthttp.RequestConfig{MaxRequestBodySize: maxStrangerBytes}
}

// known reports whether a request carries a good token.
func (a *API) known(h *fasthttp.RequestHeader) bool {
	in, ok := authorization(h)
	if !ok {
		return false
	}
	_, _, err := a.cfg.Auth.Known(context.Background(), in)
	return err == nil
}

// window allows so many events in each stretch of time.
type window struct {
	every time.Duration
	max   int

	mu    sync.Mutex
	since time.Time // guarded by mu
	n     int       // guarded by mu
}

func (w *window) allow(now time.Time) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if now.Sub(w.since) >= w.every {
		w.since, w.n = now, 0
	}
	w.n++
	return w.n <= w.max
}

// onFiberError answers what fiber itself refuses: no route, wrong method, and
// what fasthttp could not read.
func (a *API) onFiberError(c *fiber.Ctx, err error) error {
	fctx := c.Context()
	early := fctx.UserValue(stateKey{}) == nil // fasthttp refused it before our handler
	if early {
		s := a.newState(fctx)
		defer a.finish(fctx, s)
	}
	r := fiberRefusal(err)
	if early && r.code == syncproto.CodeTooLarge && r.status == fiber.StatusRequestEntityTooLarge {
		r = a.tooMuchFor(fctx, r)
	}
	a.refuse(fctx, r)
	return nil
}

// tooMuchFor says why a body was too much: for a stranger with a token that
// lapsed it is the token, not the size.
func (a *API) tooMuchFor(fctx *fasthttp.RequestCtx, r *refusal) *refusal {
	_, claims := authorization(&fctx.Request.Header)
	switch {
	case !claims || a.known(&fctx.Request.Header) || fctx.Request.Header.ContentLength() > syncproto.MaxWireBytes:
		return r
	case string(fctx.Path()) == syncPath:
		return &refusal{code: syncproto.CodeUnavailable, retryAfter: strangersEvery}
	}
	return &refusal{code: syncproto.CodeUnauthenticated}
}

func fiberRefusal(err error) *refusal {
	var fe *fiber.Error
	if !errors.As(err, &fe) {
		return &refusal{code: syncproto.CodeInternal}
	}
	switch fe.Code {
	case fiber.StatusNotFound:
		return &refusal{code: syncproto.CodeNotFound}
	case fiber.StatusMethodNotAllowed:
		return &refusal{code: syncproto.CodeMethod}
	case fiber.StatusRequestEntityTooLarge, fiber.StatusRequestHeaderFieldsTooLarge:
		return &refusal{code: syncproto.CodeTooLarge, status: fe.Code}
	case fiber.StatusRequestTimeout:
		return &refusal{code: syncproto.CodeUnavailable, status: fe.Code}
	case fiber.StatusInternalServerError:
		return &refusal{code: syncproto.CodeInternal}
	}
	return &refusal{code: syncproto.CodeMalformed}
}

// policyOf is the content security policy of what is below a path: an answer of the
// API may do nothing in a browser. Pages may run their own files and wasm, but no
// inline script or style, no eval, and no string that becomes markup. The two policies
// that they may have give their own worker its address, and nothing else. The desk's pages
// may send forms, to this server.
func policyOf(path []byte) string {
	if bytes.HasPrefix(path, []byte(pages.Root)) {
		return "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; " +
			"form-action 'self'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
	}
	if !bytes.HasPrefix(path, []byte(appPath)) {
		return "default-src 'none'; frame-ancestors 'none'"
	}
	return "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; img-src 'self'; font-src 'self'; " +
		"connect-src 'self'; worker-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; " +
		"require-trusted-types-for 'script'; trusted-types doorstep-client doorstep-app"
}

// finish sets the headers that every answer carries and writes the log line: no
// path, no query, no content.
func (a *API) finish(fctx *fasthttp.RequestCtx, s *state) {
	h := &fctx.Response.Header
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Content-Security-Policy", policyOf(fctx.Path()))
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Embedder-Policy", "require-corp")
	h.Set("Strict-Transport-Security", hsts)
	h.Set("Cache-Control", cmp.Or(s.caching, "no-store"))
	h.Set("X-Request-Id", s.id)
	code := fctx.Response.StatusCode()
	level := levelOf(code)
	a.meter(s, code)
	s.span.Answer(tracing.Answered{Status: code, In: len(fctx.Request.Body()), Out: answerSize(fctx), Cause: s.cause})
	args := []any{"request", s.id, "route", s.route, "status", code,
		"ms", a.cfg.Now().Sub(s.started).Milliseconds(), "in", len(fctx.Request.Body())}
	if s.user != (syncproto.UserID{}) {
		args = append(args, "user", s.user.String())
	}
	if s.cause != nil {
		args = append(args, "error", s.cause.Error())
	}
	a.cfg.Log.Log(context.Background(), level, "request", args...)
}

// answerSize is how long an answer is, in bytes; 0 for an event stream, which only begins.
func answerSize(fctx *fasthttp.RequestCtx) int {
	if fctx.Response.IsBodyStream() {
		return 0
	}
	return len(fctx.Response.Body())
}

// address is where the caller is, as limits count it: the peer, or what a trusted
// proxy says.
func (a *API) address(fctx *fasthttp.RequestCtx) string {
	peer, ok := netip.AddrFromSlice(fctx.RemoteIP())
	if !ok {
		return "unknown"
	}
	peer = peer.Unmap()
	// Some proxies append to the line that came, some add one of their own.
	lines := fctx.Request.Header.PeekAll(fiber.HeaderXForwardedFor)
	hops := strings.Split(string(bytes.Join(lines, []byte(","))), ",")
	for i := len(hops) - 1; i >= 0 && a.trusts(peer); i-- {
		next, err := netip.ParseAddr(strings.TrimSpace(hops[i]))
		if err != nil {
			break
		}
		peer = next.Unmap()
	}
	return placeOf(peer)
}

// placeOf is what limits count as one place. With IPv6 that is a network of 64 bits,
// which is the least that anybody is given: whoever has one has 2^64 addresses, and
// could come from another each time (RFC 6177).
func placeOf(a netip.Addr) string {
	a = a.Unmap().WithZone("")
	if a.Is4() || !a.IsValid() {
		return a.String()
	}
	return netip.PrefixFrom(a, networkBits).Masked().String()
}

const networkBits = 64

func (a *API) trusts(peer netip.Addr) bool {
	for _, p := range a.cfg.TrustedProxies {
		if p.Contains(peer) {
			return true
		}
	}
	return false
}
