package api

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"io"
	"net"
	"net/url"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"

	"doorstep/server/internal/auth"
	"doorstep/server/internal/pages"
	"doorstep/syncproto"
)

const (
	// deskCookieName is what a browser at the desk keeps its session under. The prefix
	// makes browsers take it from this host alone, by TLS alone (RFC 6265bis, 4.1.3.2).
	deskCookieName = "__Host-doorstep-desk"
	// plainCookieName is its name where a server is looked at on its own machine without TLS.
	plainCookieName = "doorstep-desk"
	// deskAway is how long a browser keeps a session that is not used: a working day.
	// Whoever closes the browser ends it sooner.
	deskAway = 12 * time.Hour
	// formTokenName is the field of each form that proves that the desk wrote it.
	formTokenName = "form_token"
)

// deskCookie is a browser's session at the desk: the tokens that every other client keeps
// itself, and what its forms must bring back. No script can read it.
type deskCookie struct {
	form, refresh, access string
}

func (d deskCookie) encode() string { return d.form + "." + d.refresh + "." + d.access }

func parseDeskCookie(s string) (deskCookie, bool) {
	form, rest, ok := strings.Cut(s, ".")
	refresh, access, more := strings.Cut(rest, ".")
	return deskCookie{form, refresh, access}, ok && more && form != "" && access != ""
}

// deskCookieOf reads the cookie of a request.
func (a *API) deskCookieOf(fctx *fasthttp.RequestCtx) (deskCookie, bool) {
	name, _ := a.cookieName(fctx)
	return parseDeskCookie(string(fctx.Request.Header.Cookie(name)))
}

// cookieName is what the session is kept under, and whether by TLS alone. Only who names
// this very machine, and comes without TLS, is served without.
func (a *API) cookieName(fctx *fasthttp.RequestCtx) (name string, secure bool) {
	host := string(fctx.Host())
	if bare, _, err := net.SplitHostPort(host); err == nil {
		host = bare
	}
	ip := net.ParseIP(host)
	here := host == "localhost" || ip != nil && ip.IsLoopback()
	if here && !fctx.IsTLS() && !strings.HasPrefix(a.cfg.Origin, "https:") {
		return plainCookieName, false
	}
	return deskCookieName, true
}

// keepCookie gives the browser its session; the zero value takes it away.
func (a *API) keepCookie(fctx *fasthttp.RequestCtx, d deskCookie) {
	value := ""
	if d != (deskCookie{}) {
		value = d.encode()
	}
	a.setCookie(fctx, "", value, deskAway)
}

// setCookie has the browser keep a value for pages of this server alone, under the name of
// the desk's cookie and more, and for so long; an empty one takes it away.
func (a *API) setCookie(fctx *fasthttp.RequestCtx, more, value string, life time.Duration) {
	name, secure := a.cookieName(fctx)
	var c fasthttp.Cookie
	c.SetKey(name + more)
	c.SetPath("/")
	c.SetHTTPOnly(true)
	c.SetSecure(secure)
	c.SetSameSite(fasthttp.CookieSameSiteStrictMode)
	c.SetMaxAge(int(life / time.Second))
	c.SetValue(value)
	if value == "" {
		c.SetMaxAge(0)
		c.SetExpire(fasthttp.CookieExpireDelete)
	}
	fctx.Response.Header.SetCookie(&c)
}

// deskSession makes the cookie of a session that was begun or renewed.
func (a *API) deskSession(form string, g auth.Grant) (deskCookie, error) {
	if form == "" {
		var b [16]byte
		if _, err := io.ReadFull(a.cfg.Random, b[:]); err != nil {
			return deskCookie{}, err
		}
		form = base64.RawURLEncoding.EncodeToString(b[:])
	}
	return deskCookie{form: form, refresh: g.Refresh, access: g.Access}, nil
}

// renewal asks for the tokens after these. The request's id follows from the token, so
// that two tabs that ask at once are given the same.
func (d deskCookie) renewal() auth.Renewal {
	sum := sha256.Sum256([]byte("doorstep-desk-renewal\x00" + d.refresh))
	return auth.Renewal{Token: d.refresh, Request: syncproto.RequestID(sum[:16])}
}

// sameOrigin reports whether a form came from a page of this server, as the browser says.
func sameOrigin(fctx *fasthttp.RequestCtx) bool {
	h := &fctx.Request.Header
	if site := string(h.Peek("Sec-Fetch-Site")); site != "" {
		return site == "same-origin"
	}
	from, err := url.Parse(string(h.Peek(fiber.HeaderOrigin)))
	return err == nil && from.Host != "" && from.Host == string(fctx.Host())
}

// sameForm reports whether a form was written for this session.
func (d deskCookie) sameForm(form url.Values) bool {
	return subtle.ConstantTimeCompare([]byte(form.Get(formTokenName)), []byte(d.form)) == 1
}

// deskAfter is where to go after signing in: a page of the desk, else its first. A page of
// signing in stands for the one that it was to lead to.
func deskAfter(address string) string {
	path, query, _ := strings.Cut(address, "?")
	if !strings.HasPrefix(address, pages.Root) || !plainPath([]byte(path)) || strings.ContainsAny(address, "\r\n\\") {
		return pages.Root
	}
	if !provingPath(path) {
		return address
	}
	q, err := url.ParseQuery(query)
	next := q.Get("after")
	if before, _, _ := strings.Cut(next, "?"); err != nil || provingPath(before) {
		return pages.Root
	}
	return deskAfter(next)
}

// provingPath reports whether a page is one of those on which people sign in.
func provingPath(path string) bool {
	return strings.HasPrefix(path, deskSignIn) || strings.HasPrefix(path, deskStepUp) || strings.HasPrefix(path, deskBack)
}
