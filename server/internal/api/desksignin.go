package api

import (
	"errors"

	"doorstep/server/internal/auth"
	"doorstep/server/internal/pages"
	"doorstep/syncproto"
)

// deskAsk is the page to sign in on.
func (a *API) deskAsk(d *deskCall) (pages.Answer, error) {
	body, err := a.cfg.Desk.SignIn(deskAfter(d.query.Get("after")), syncproto.CodeOK, nil)
	return pages.Answer{Body: body}, err
}

// deskBegin signs somebody in and gives the browser the session.
func (a *API) deskBegin(d *deskCall) (pages.Answer, error) {
	after := deskAfter(d.form.Get("after"))
	g, err := a.cfg.Auth.SignIn(d.ctx, auth.SignIn{Credential: d.password()})
	if err != nil {
		body, broken := a.cfg.Desk.SignIn(after, refusalOf(err).code, nil)
		return pages.Answer{Body: body}, errors.Join(err, broken)
	}
	d.caller = g.Caller
	cookie, err := a.deskSession("", g)
	if err != nil {
		return pages.Answer{}, err
	}
	a.keepCookie(d.fctx, cookie)
	return pages.Answer{To: after}, nil
}

func (d *deskCall) password() auth.Credential {
	return auth.Credential{Login: d.form.Get("login"), Password: d.form.Get("password"), Address: d.address}
}

// deskEnd ends the session.
func (a *API) deskEnd(d *deskCall) (pages.Answer, error) {
	a.keepCookie(d.fctx, deskCookie{})
	return pages.Answer{To: deskSignIn}, a.cfg.Auth.SignOut(d.ctx, d.caller)
}

// deskAskAgain is the page on which somebody proves anew who they are.
func (a *API) deskAskAgain(d *deskCall) (pages.Answer, error) {
	body, err := a.cfg.Desk.StepUp(d.page, deskAfter(d.query.Get("after")), syncproto.CodeOK)
	return pages.Answer{Body: body}, err
}

// deskProve proves it.
func (a *API) deskProve(d *deskCall) (pages.Answer, error) {
	after := deskAfter(d.form.Get("after"))
	if _, err := a.cfg.Auth.StepUp(d.ctx, d.caller, d.password()); err != nil {
		body, broken := a.cfg.Desk.StepUp(d.page, after, refusalOf(err).code)
		return pages.Answer{Body: body}, errors.Join(err, broken)
	}
	return pages.Answer{To: after}, nil
}
