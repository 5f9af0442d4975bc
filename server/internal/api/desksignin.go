package api

import (
	"encoding/json"
	"errors"
	"slices"

	"doorstep/server/internal/auth"
	"doorstep/server/internal/auth/openid"
	"doorstep/server/internal/pages"
)

// deskWays offers on a page every way in which people sign in here.
func (a *API) deskWays(in pages.Proving) pages.Proving {
	return a.deskOffer(in, a.cfg.Auth.Ways(), deskSignIn)
}

// deskOffer offers some ways on a page. The borough's sign-in service is one if it may
// send people back to the desk.
func (a *API) deskOffer(in pages.Proving, ways []string, root string) pages.Proving {
	in.Password, in.Passkey = slices.Contains(ways, auth.WayPassword), slices.Contains(ways, auth.WayPasskey)
	if slices.Contains(ways, auth.WayOpenID) && a.cfg.Auth.OpenIDTo(a.deskRedirect()) {
		in.Service = withAfter(root+"/service", in.After)
	}
	return in
}

// deskAsk is the page to sign in on.
func (a *API) deskAsk(d *deskCall) (pages.Answer, error) {
	in := pages.Proving{After: deskAfter(d.query.Get("after"))}
	if in.Left = d.query.Has("left") && !fromElsewhere(d.fctx); in.Left { // nobody else's link says so
		in.Leave = a.cfg.Auth.OpenIDLeave()
	}
	body, err := a.cfg.Desk.SignIn(a.deskWays(in))
	return pages.Answer{Body: body}, err
}

// deskBegin signs somebody in by what they typed, or by their passkey.
func (a *API) deskBegin(d *deskCall) (pages.Answer, error) {
	who, by := d.credential()
	return a.deskEnter(d, who, pages.Proving{After: deskAfter(d.form.Get("after")), By: by})
}

// deskEnter signs somebody in and gives the browser the session, which is new whatever it
// had before: that one ends.
func (a *API) deskEnter(d *deskCall, who auth.Credential, in pages.Proving) (pages.Answer, error) {
	g, err := a.cfg.Auth.SignIn(d.ctx, auth.SignIn{Credential: who})
	if err != nil {
		return a.deskRefusal(d, in, err)
	}
	d.caller = g.Caller
	cookie, err := a.deskSession("", g)
	if err != nil {
		return pages.Answer{}, err
	}
	if before, ok := a.deskCookieOf(d.fctx); ok {
		if was, err := a.cfg.Auth.Verify(d.ctx, auth.Sender{Token: before.access}); err == nil {
			if err := a.cfg.Auth.SignOut(d.ctx, was); err != nil {
				return pages.Answer{}, err
			}
		}
	}
	a.keepCookie(d.fctx, cookie)
	return pages.Answer{To: in.After}, nil
}

// deskRefusal shows why a proof was refused on the page on which it is given again: to sign
// in, or, for who is signed in, to show anew that it is them.
func (a *API) deskRefusal(d *deskCall, in pages.Proving, err error) (pages.Answer, error) {
	in.Code, in.Elsewhere = refusalOf(err).code, errors.Is(err, openid.ErrElsewhere)
	var body []byte
	var broken error
	if d.page != nil {
		body, broken = a.cfg.Desk.StepUp(d.page, a.deskOffer(in, a.cfg.Auth.WaysOf(d.caller.User), deskStepUp))
	} else {
		body, broken = a.cfg.Desk.SignIn(a.deskWays(in))
	}
	return pages.Answer{Body: body}, errors.Join(err, broken)
}

// credential reads how somebody proves on a form who they are.
func (d *deskCall) credential() (auth.Credential, pages.Way) {
	out := auth.Credential{Address: d.address}
	if d.form.Has("answer") {
		out.Passkey = &auth.PasskeyBack{Ticket: d.form.Get("ticket"), Answer: json.RawMessage(d.form.Get("answer"))}
		return out, pages.ByPasskey
	}
	out.Login, out.Password = d.form.Get("login"), d.form.Get("password")
	return out, pages.ByPassword
}

// deskEnd ends the session.
func (a *API) deskEnd(d *deskCall) (pages.Answer, error) {
	a.keepCookie(d.fctx, deskCookie{})
	return pages.Answer{To: deskSignIn + "?left=1"}, a.cfg.Auth.SignOut(d.ctx, d.caller)
}

// deskAskAgain is the page on which somebody proves anew who they are, in any way that is
// theirs.
func (a *API) deskAskAgain(d *deskCall) (pages.Answer, error) {
	in := pages.Proving{After: deskAfter(d.query.Get("after"))}
	body, err := a.cfg.Desk.StepUp(d.page, a.deskOffer(in, a.cfg.Auth.WaysOf(d.caller.User), deskStepUp))
	return pages.Answer{Body: body}, err
}

// deskProve proves it.
func (a *API) deskProve(d *deskCall) (pages.Answer, error) {
	who, by := d.credential()
	return a.deskAgain(d, who, pages.Proving{After: deskAfter(d.form.Get("after")), By: by})
}

// deskAgain takes a proof that whoever is signed in is still there.
func (a *API) deskAgain(d *deskCall, who auth.Credential, in pages.Proving) (pages.Answer, error) {
	if _, err := a.cfg.Auth.StepUp(d.ctx, d.caller, who); err != nil {
		return a.deskRefusal(d, in, err)
	}
	return pages.Answer{To: in.After}, nil
}
