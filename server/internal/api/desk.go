package api

import (
	"context"
	"crypto/sha256"
	"errors"
	"io"
	"mime"
	"net/url"
	"strings"

	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"

	"doorstep/server/internal/audit"
	"doorstep/server/internal/auth"
	"doorstep/server/internal/once"
	"doorstep/server/internal/pages"
	"doorstep/syncproto"
)

// Desk is the pages of the desk; *pages.Pages implements it.
type Desk interface {
	Routes() []pages.Route
	SignIn(pages.Proving) ([]byte, error)
	StepUp(*pages.Call, pages.Proving) ([]byte, error)
	Back(onward string) ([]byte, error)
	Account(*pages.Call, pages.Account) ([]byte, error)
	NewPasskey(*pages.Call, pages.NewPasskey) ([]byte, error)
	RemovePasskey(c *pages.Call, k pages.AccountKey, last bool) ([]byte, error)
	Refused(c *pages.Call, code syncproto.Code, plain []string) ([]byte, error)
}

const (
	deskSignIn = pages.Root + "sign-in"
	deskStepUp = pages.Root + "step-up"
	// deskBack is where the borough's sign-in service sends a browser back to.
	deskBack   = pages.Root + "signed-in"
	deskBackOn = deskBack + "/on"
	formMedia  = "application/x-www-form-urlencoded"
	htmlMedia  = "text/html; charset=utf-8"
)

// deskRoute is a page: a route that the table of JSON routes does not hold.
type deskRoute struct {
	route
	serve func(*deskCall) (pages.Answer, error)
}

// deskCall is one request for a page on its way.
type deskCall struct {
	*call
	page   *pages.Call // for the pages themselves; nil for who is not signed in
	cookie deskCookie
	form   url.Values
	query  url.Values
	path   string
	fctx   *fasthttp.RequestCtx
}

// deskTable is every page: those of signing in, and the desk's own.
func (a *API) deskTable() []deskRoute {
	if a.cfg.Desk == nil {
		return nil
	}
	prove := personCodes(syncproto.CodeBadProof)
	keys := pages.AccountRoot + "/passkeys/"
	out := []deskRoute{
		{route{method: "GET", path: pages.PasskeyScript, id: "deskPasskey"}, func(*deskCall) (pages.Answer, error) { return pages.PasskeyFile(), nil }},
		{route{method: "GET", path: deskSignIn + "/service", id: "deskService"}, a.deskLeave},
		{route{method: "GET", path: deskStepUp + "/service", id: "deskServiceAgain", who: signedIn}, a.deskLeaveAgain},
		{route{method: "GET", path: deskBack, id: "deskBack"}, a.deskComeBack},
		{route{method: "GET", path: deskBackOn, id: "deskBackOn", codes: prove}, a.deskArrive},
		{route{method: "GET", path: pages.AccountRoot, id: "deskAccount", who: signedIn}, a.deskAccount},
		{route{method: "GET", path: keys + "new", id: "deskNewPasskey", who: signedIn}, a.deskNewPasskey},
		{route{method: "POST", path: keys + "new", id: "deskNewPasskeySend", who: signedIn, stepUp: true, codes: codes(syncproto.CodeBadPasskey)}, a.deskKeepPasskey},
		{route{method: "GET", path: keys + ":id/remove", id: "deskRemovePasskey", who: signedIn}, a.deskAskRemove},
		{route{method: "POST", path: keys + ":id/remove", id: "deskRemovePasskeySend", who: signedIn, stepUp: true}, a.deskRemovePasskey},
		{route{method: "GET", path: deskSignIn, id: "deskSignIn"}, a.deskAsk},
		{route{method: "POST", path: deskSignIn, id: "deskSignInSend", codes: prove}, a.deskBegin},
		{route{method: "POST", path: pages.Root + "sign-out", id: "deskSignOut", who: signedIn}, a.deskEnd},
		{route{method: "GET", path: deskStepUp, id: "deskStepUp", who: signedIn}, a.deskAskAgain},
		{route{method: "POST", path: deskStepUp, id: "deskStepUpSend", who: signedIn, codes: prove}, a.deskProve},
	}
	out = append(out, deskRoute{route: route{method: "GET", path: pages.Root + "events", id: "deskEvents", who: signedIn, stream: a.events}})
	for _, r := range a.cfg.Desk.Routes() {
		out = append(out, deskRoute{route{method: r.Method, path: r.Path, id: r.ID, who: signedIn, stepUp: r.Fresh, onlyOnce: r.Once},
			func(d *deskCall) (pages.Answer, error) { return r.Handle(d.ctx, d.page) }})
	}
	return out
}

// addDesk serves the desk.
func (a *API) addDesk(app *fiber.App) {
	for _, r := range a.desk {
		app.Add(r.method, r.path, a.deskHandler(r))
	}
	if len(a.desk) > 0 {
		app.Get(strings.TrimSuffix(pages.Root, "/"), func(c *fiber.Ctx) error {
			stateOf(c.Context()).route = "desk"
			return c.Redirect(pages.Root, fiber.StatusSeeOther)
		})
	}
}

// deskHandler binds a page to fiber. What cannot be audited is not shown.
func (a *API) deskHandler(r deskRoute) fiber.Handler {
	return func(c *fiber.Ctx) error {
		fctx := c.Context()
		s := stateOf(fctx)
		s.route = r.id
		ctx, cancel := context.WithTimeout(context.Background(), a.cfg.Limits.WriteTimeout)
		ctx, s.span = a.cfg.Traces.Request(ctx, r.method, r.path)
		defer cancel()
		d := &deskCall{fctx: fctx, path: strings.Clone(c.Path()), call: &call{ctx: ctx, address: a.address(fctx),
			param: strings.Clone(c.Params("id")), log: a.cfg.Log.With("request", s.id, "route", r.id)}}
		if r.stream != nil {
			return a.deskListen(r, d, s)
		}
		answer, err := a.deskServe(r, d)
		s.user = d.caller.User
		if noted := a.noteShown(r.route, d.call, answer, err); noted != nil && (err == nil || len(answer.Shown) > 0) {
			answer, err = pages.Answer{}, noted
		}
		if err != nil {
			s.cause = err
		}
		return a.deskAnswer(d, answer, err)
	}
}

// deskListen keeps the connection of a page open that listens for news.
func (a *API) deskListen(r deskRoute, d *deskCall, s *state) error {
	if err := a.deskCaller(d); err != nil {
		s.cause = err
		a.writeProblem(d.fctx, refusalOf(err))
		return a.note(r.route, d.call, err)
	}
	s.user = d.caller.User
	r.stream(d.call, d.fctx)
	return nil
}

// deskServe checks who calls and what was sent, and has the page made.
func (a *API) deskServe(r deskRoute, d *deskCall) (pages.Answer, error) {
	if err := d.read(r.method); err != nil {
		return pages.Answer{}, err
	}
	if r.who == signedIn {
		if err := a.deskCaller(d); err != nil {
			return pages.Answer{}, err
		}
		if err := a.deskOnce(r.route, d); err != nil {
			return pages.Answer{}, err
		}
		if r.method == fiber.MethodPost && !d.cookie.sameForm(d.form) {
			return pages.Answer{}, syncproto.CodeForbidden
		}
		if r.stepUp && !d.page.Fresh && r.method == fiber.MethodPost {
			return a.deskStale(d)
		}
	}
	return r.serve(d)
}

// read takes in the address and the form. A form must come from a page of ours.
func (d *deskCall) read(method string) (err error) {
	if d.query, err = url.ParseQuery(string(d.fctx.URI().QueryString())); err != nil {
		return syncproto.CodeNotFound
	}
	if method != fiber.MethodPost {
		return nil
	}
	media, _, err := mime.ParseMediaType(string(d.fctx.Request.Header.ContentType()))
	if err != nil || media != formMedia {
		return syncproto.CodeUnsupportedMedia
	}
	if !sameOrigin(d.fctx) {
		return syncproto.CodeForbidden
	}
	if d.form, err = url.ParseQuery(string(d.fctx.Request.Body())); err != nil {
		return syncproto.CodeMalformed
	}
	for key, values := range d.form {
		for i, v := range values {
			values[i] = strings.ReplaceAll(v, "\r\n", "\n") // browsers send lines so
		}
		d.form[key] = values
	}
	return nil
}

// deskCaller finds out who calls by the session that the browser keeps, and renews it
// when its access token has lapsed.
func (a *API) deskCaller(d *deskCall) error {
	cookie, ok := a.deskCookieOf(d.fctx)
	if !ok {
		return syncproto.CodeUnauthenticated
	}
	caller, err := a.cfg.Auth.Verify(d.ctx, auth.Sender{Token: cookie.access})
	if errors.Is(err, syncproto.CodeUnauthenticated) {
		var g auth.Grant
		if g, err = a.cfg.Auth.Refresh(d.ctx, cookie.renewal()); err == nil {
			caller = g.Caller
			if cookie, err = a.deskSession(cookie.form, g); err == nil {
				a.keepCookie(d.fctx, cookie)
			}
		}
	}
	if err != nil {
		return err
	}
	if wait := a.sessions.Take(string(caller.Session[:]), a.cfg.Now()); wait > 0 {
		return &refusal{code: syncproto.CodeTooMany, retryAfter: wait}
	}
	if caller.CustodyOnly {
		return syncproto.CodeAccessEnded
	}
	d.caller, d.cookie = caller, cookie
	d.ctx = audit.WithActing(d.ctx, d.acting())
	d.page = &pages.Call{User: caller.User, Param: d.param, Query: d.query, Form: d.form, FormToken: cookie.form,
		Fresh: a.cfg.Now().Sub(caller.SignedInAt) <= a.cfg.StepUp}
	return nil
}

// deskOnce names the forms of the page that is made, and has a form that names itself
// carried out once: whoever presses twice has asked once.
func (a *API) deskOnce(r route, d *deskCall) error {
	var next syncproto.ID
	if _, err := io.ReadFull(a.cfg.Random, next[:]); err != nil {
		return err
	}
	d.page.Request = next.String()
	name := d.form.Get(pages.RequestName)
	if !r.onlyOnce || name == "" {
		return nil
	}
	id, err := syncproto.ParseID(name)
	if err != nil || id.IsZero() {
		return syncproto.CodeMalformed
	}
	what := sha256.Sum256([]byte(r.id + "\x00" + d.param + "?" + d.query.Encode() + "\x00" + d.form.Encode()))
	d.ctx = once.With(d.ctx, once.Request{User: d.caller.User, ID: syncproto.RequestID(id), What: what})
	return nil
}

// noteShown tells the audit log of a page: every record whose words are on it.
func (a *API) noteShown(r route, k *call, answer pages.Answer, err error) error {
	noted := a.note(r, k, err)
	for _, record := range answer.Shown {
		if err == nil && record.String() == k.param {
			continue // by its address
		}
		noted = errors.Join(noted, a.cfg.Accesses.Note(audit.Access{Type: audit.TypeRead, By: k.acting(), Word: r.id, Record: record}))
	}
	return noted
}

// deskAnswer writes a page, sends the browser on, or shows why neither can be.
func (a *API) deskAnswer(d *deskCall, answer pages.Answer, err error) error {
	if errors.Is(err, syncproto.CodeUnauthenticated) && d.page == nil {
		return a.deskSignedOut(d)
	}
	code := fasthttp.StatusOK
	if err != nil {
		r := refusalOf(err)
		if code = r.status; code == 0 {
			code = status(r.code)
		}
	}
	if answer.To != "" {
		d.sendTo(answer.To)
		return nil
	}
	if answer.Body == nil {
		r := refusalOf(err)
		var plain []string
		for _, detail := range r.details {
			plain = append(plain, detail.Plain)
		}
		var broken error
		if answer.Body, broken = a.cfg.Desk.Refused(d.page, r.code, plain); broken != nil {
			return broken
		}
	}
	d.html(code, answer.Body)
	if answer.Media != "" && err == nil {
		d.fctx.SetContentType(answer.Media)
	}
	return nil
}

// deskSignedOut sends who is not signed in to where they can. What they sent is given
// back to them: nobody's words are lost to a session that ended.
func (a *API) deskSignedOut(d *deskCall) error {
	a.keepCookie(d.fctx, deskCookie{})
	after := d.path
	if d.form == nil {
		if len(d.query) > 0 {
			after += "?" + d.query.Encode()
		}
		d.sendTo(deskSignIn + "?" + url.Values{"after": {after}}.Encode())
		return nil
	}
	body, err := a.cfg.Desk.SignIn(a.deskWays(pages.Proving{After: pages.Root, Lost: d.words()}))
	if err != nil {
		return err
	}
	d.html(fasthttp.StatusUnauthorized, body)
	return nil
}

// words are what somebody wrote on a form, by the names of its fields.
func (d *deskCall) words() map[string]string {
	out := map[string]string{}
	for key := range d.form {
		if words := d.form.Get(key); strings.ContainsAny(words, " \n") && key != "password" && key != "answer" {
			out[key] = words
		}
	}
	return out
}

// deskStale has somebody show anew that it is them, who sent what needs a fresh sign-in. What
// they wrote is given back to them: they may have typed for longer than a sign-in is fresh.
func (a *API) deskStale(d *deskCall) (pages.Answer, error) {
	in := pages.Proving{After: d.path, Lost: d.words()}
	if len(d.query) > 0 {
		in.After += "?" + d.query.Encode()
	}
	if len(in.Lost) == 0 {
		return pages.Answer{To: withAfter(deskStepUp, in.After)}, syncproto.CodeStepUp
	}
	body, err := a.cfg.Desk.StepUp(d.page, a.deskOffer(in, a.cfg.Auth.WaysOf(d.caller.User), deskStepUp))
	return pages.Answer{Body: body}, errors.Join(syncproto.CodeStepUp, err)
}

// refuse answers what never came to a route, or broke there: with a page to a browser at
// the desk, with a problem to everything else.
func (a *API) refuse(fctx *fasthttp.RequestCtx, r *refusal) {
	a.writeProblem(fctx, r)
	path := string(fctx.Path())
	if a.cfg.Desk == nil || path+"/" != pages.Root && !strings.HasPrefix(path, pages.Root) {
		return
	}
	d := &deskCall{fctx: fctx, path: path, call: &call{ctx: context.Background(), address: a.address(fctx)}}
	if r.code == syncproto.CodeNotFound { // who is signed in finds their way from here
		_ = a.deskCaller(d) // else they are told the same without it
	}
	body, err := a.cfg.Desk.Refused(d.page, r.code, nil)
	if err != nil {
		a.cfg.Log.Error("no page for a refusal", "request", stateOf(fctx).id, "error", err.Error())
		return
	}
	d.html(fctx.Response.StatusCode(), body)
}

func (d *deskCall) sendTo(address string) {
	d.fctx.Response.Header.Set(fiber.HeaderLocation, address)
	d.fctx.SetStatusCode(fasthttp.StatusSeeOther)
}

func (d *deskCall) html(code int, body []byte) {
	d.fctx.SetStatusCode(code)
	d.fctx.SetContentType(htmlMedia)
	d.fctx.SetBody(body)
}
