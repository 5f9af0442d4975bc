package api

import (
	"encoding/base64"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/valyala/fasthttp"

	"doorstep/server/internal/auth"
	"doorstep/server/internal/auth/openid"
	"doorstep/server/internal/pages"
	"doorstep/syncproto"
)

// Signing in at the desk with the borough's own service. A browser is sent there from a
// link, as the policy of the pages lets forms go nowhere else; what it was sent with stays
// in a cookie of its own, for this server's pages alone. What it comes back with is good
// with that cookie only: nobody can be brought to finish a sign-in that somebody else
// began. Since such cookies do not come along from elsewhere, the page that it comes back
// to does nothing but lead on to the one that finishes it.

const (
	// wayCookie is added to the name of the desk's cookie for a sign-in that was begun.
	wayCookie = "-way"
	// wayLife is how long the browser keeps it: as long as its ticket lasts.
	wayLife = 10 * time.Minute
)

// deskFlow is a sign-in that a browser began and is away for.
type deskFlow struct {
	ticket, after string
	again         bool // whoever is signed in proves anew who they are
}

func (f deskFlow) encode() string {
	again := "0"
	if f.again {
		again = "1"
	}
	return f.ticket + "." + again + "." + base64.RawURLEncoding.EncodeToString([]byte(f.after))
}

func parseDeskFlow(s string) (f deskFlow, ok bool) {
	parts := strings.Split(s, ".")
	if len(parts) != 3 || parts[0] == "" {
		return f, false
	}
	after, err := base64.RawURLEncoding.DecodeString(parts[2])
	return deskFlow{parts[0], string(after), parts[1] == "1"}, err == nil
}

// deskRedirect is where the service sends a browser back to.
func (a *API) deskRedirect() string { return a.cfg.Origin + deskBack }

// deskLeave sends a browser to the service, to sign in.
func (a *API) deskLeave(d *deskCall) (pages.Answer, error) { return a.deskSend(d, false) }

// deskLeaveAgain sends it there to have whoever is signed in prove anew who they are.
func (a *API) deskLeaveAgain(d *deskCall) (pages.Answer, error) { return a.deskSend(d, true) }

func (a *API) deskSend(d *deskCall, again bool) (pages.Answer, error) {
	in := pages.Proving{After: deskAfter(d.query.Get("after")), By: pages.ByService}
	if fromElsewhere(d.fctx) { // nobody else's page signs anybody in
		return pages.Answer{To: withAfter(deskSignIn, in.After)}, nil
	}
	if !a.cfg.Auth.OpenIDTo(a.deskRedirect()) {
		return a.deskRefusal(d, in, syncproto.CodeNotFound)
	}
	to, ticket, err := a.cfg.Auth.BeginOpenID(d.ctx, a.deskRedirect(), again)
	if err != nil {
		return a.deskRefusal(d, in, err)
	}
	a.setCookie(d.fctx, wayCookie, deskFlow{ticket, in.After, again}.encode(), wayLife)
	return pages.Answer{To: to}, nil
}

// deskComeBack is the page that the service sends a browser back to.
func (a *API) deskComeBack(d *deskCall) (pages.Answer, error) {
	on := url.Values{}
	for _, name := range []string{"code", "state", "iss", "error"} {
		if v := d.query.Get(name); v != "" {
			on.Set(name, v)
		}
	}
	body, err := a.cfg.Desk.Back(deskBackOn + "?" + on.Encode())
	return pages.Answer{Body: body}, err
}

// deskArrive finishes what the browser began: once, whatever comes of it.
func (a *API) deskArrive(d *deskCall) (pages.Answer, error) {
	name, _ := a.cookieName(d.fctx)
	flow, ok := parseDeskFlow(string(d.fctx.Request.Header.Cookie(name + wayCookie)))
	in := pages.Proving{After: pages.Root, By: pages.ByService}
	if !ok {
		return a.deskRefusal(d, in, fmt.Errorf("%w: this browser began no sign-in", syncproto.CodeSignInFailed))
	}
	a.setCookie(d.fctx, wayCookie, "", 0)
	in.After = deskAfter(flow.after)
	if flow.again { // else they sign in: their session ended while they were away
		if err := a.deskCaller(d); err != nil && d.page == nil && refusalOf(err).code != syncproto.CodeUnauthenticated {
			return pages.Answer{}, err
		}
	}
	if err := saidByService(d.query); err != nil {
		return a.deskRefusal(d, in, err)
	}
	who := auth.Credential{Address: d.address, OpenID: &auth.OpenIDBack{Ticket: flow.ticket,
		Back: openid.Back{Code: d.query.Get("code"), State: d.query.Get("state"), Issuer: d.query.Get("iss")}}}
	if d.page != nil {
		return a.deskAgain(d, who, in)
	}
	return a.deskEnter(d, who, in)
}

// saidByService is an error that the service sends a browser back with (RFC 6749, 4.1.2.1).
func saidByService(q url.Values) error {
	switch q.Get("error") {
	case "":
		if q.Get("code") == "" || q.Get("state") == "" {
			return fmt.Errorf("%w: there is no code", syncproto.CodeSignInFailed)
		}
		return nil
	case "temporarily_unavailable", "server_error":
		return fmt.Errorf("%w: the sign-in service says so", syncproto.CodeUnavailable)
	}
	return fmt.Errorf("%w: the sign-in service ended it", syncproto.CodeSignInFailed)
}

// fromElsewhere reports whether another site's page sent the browser here, as it says.
func fromElsewhere(fctx *fasthttp.RequestCtx) bool {
	site := string(fctx.Request.Header.Peek("Sec-Fetch-Site"))
	return site != "" && site != "same-origin" && site != "none"
}

// withAfter is an address with where to go after it.
func withAfter(address, after string) string {
	return address + "?" + url.Values{"after": {after}}.Encode()
}
