package api

import (
	"encoding/json"
	"errors"
	"slices"

	"doorstep/server/internal/auth"
	"doorstep/server/internal/pages"
	"doorstep/syncproto"
)

// deskAccount is the page about how the caller signs in.
func (a *API) deskAccount(d *deskCall) (pages.Answer, error) {
	all, own := a.cfg.Auth.Ways(), a.cfg.Auth.WaysOf(d.caller.User)
	in := pages.Account{
		Service: slices.Contains(all, auth.WayOpenID), Keys: slices.Contains(all, auth.WayPasskey),
		HasPassword: slices.Contains(own, auth.WayPassword), HasService: slices.Contains(own, auth.WayOpenID), HasPasskeys: slices.Contains(own, auth.WayPasskey),
	}
	for _, k := range a.cfg.Auth.Passkeys(d.caller.User) {
		in.Passkeys = append(in.Passkeys, accountKey(&k))
	}
	body, err := a.cfg.Desk.Account(d.page, in)
	return pages.Answer{Body: body}, err
}

func accountKey(k *auth.Passkey) pages.AccountKey {
	return pages.AccountKey{ID: k.ID, Name: k.Name, AddedMS: k.AddedMS, UsedMS: k.UsedMS, Copied: k.Copied}
}

// deskNewPasskey is the page on which the caller makes a passkey. A fresh sign-in comes
// before it, where it is not fresh.
func (a *API) deskNewPasskey(d *deskCall) (pages.Answer, error) {
	if !d.page.Fresh {
		return pages.Answer{To: withAfter(deskStepUp, d.path)}, nil
	}
	return a.deskShowNew(d, nil)
}

func (a *API) deskShowNew(d *deskCall, refused error) (pages.Answer, error) {
	options, ticket, err := a.cfg.Auth.BeginAddPasskey(d.ctx, d.caller)
	if err != nil {
		return pages.Answer{}, errors.Join(refused, err)
	}
	in := pages.NewPasskey{Options: options, Ticket: ticket, Name: d.form.Get("name")}
	if refused != nil {
		in.Code = refusalOf(refused).code
	}
	body, err := a.cfg.Desk.NewPasskey(d.page, in)
	return pages.Answer{Body: body}, errors.Join(refused, err)
}

// deskKeepPasskey keeps a new passkey of the caller.
func (a *API) deskKeepPasskey(d *deskCall) (pages.Answer, error) {
	back := auth.PasskeyBack{Ticket: d.form.Get("ticket"), Answer: json.RawMessage(d.form.Get("answer"))}
	if _, err := a.cfg.Auth.AddPasskey(d.ctx, d.caller, back, d.form.Get("name")); err != nil {
		return a.deskShowNew(d, err)
	}
	return pages.Answer{To: pages.AccountRoot + "?done=keyed"}, nil
}

// keyHere is the caller's passkey in the path.
func (a *API) keyHere(d *deskCall) (auth.Passkey, error) {
	list := a.cfg.Auth.Passkeys(d.caller.User)
	at := slices.IndexFunc(list, func(k auth.Passkey) bool { return k.ID.String() == d.param })
	if at < 0 {
		return auth.Passkey{}, syncproto.CodeNotFound
	}
	return list[at], nil
}

// deskAskRemove asks once more before a passkey is removed.
func (a *API) deskAskRemove(d *deskCall) (pages.Answer, error) {
	k, err := a.keyHere(d)
	if err != nil {
		return pages.Answer{}, err
	}
	if !d.page.Fresh {
		return pages.Answer{To: withAfter(deskStepUp, d.path)}, nil
	}
	others := slices.DeleteFunc(slices.Clone(a.cfg.Auth.Passkeys(d.caller.User)), func(o auth.Passkey) bool { return o.ID == k.ID || o.Copied })
	last := len(others) == 0 && !slices.ContainsFunc(a.cfg.Auth.WaysOf(d.caller.User), func(way string) bool { return way != auth.WayPasskey })
	body, err := a.cfg.Desk.RemovePasskey(d.page, accountKey(&k), last)
	return pages.Answer{Body: body}, err
}

// deskRemovePasskey removes it.
func (a *API) deskRemovePasskey(d *deskCall) (pages.Answer, error) {
	k, err := a.keyHere(d)
	if err != nil {
		return pages.Answer{}, err
	}
	if err := a.cfg.Auth.RemovePasskey(d.ctx, d.caller.User, k.ID); err != nil {
		return pages.Answer{}, err
	}
	return pages.Answer{To: pages.AccountRoot + "?done=unkeyed"}, nil
}
