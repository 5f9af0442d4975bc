package api

import (
	"encoding/json"

	"doorstep/server/internal/auth"
	"doorstep/server/internal/auth/openid"
	"doorstep/syncproto"
)

// OpenIDBack is what a person comes back with from the borough's sign-in service.
type OpenIDBack struct {
	Ticket string `json:"ticket" validate:"required,maxbytes=4096" doc:"That /v1/openid/begin gave; works once, within ten minutes."`
	Code   string `json:"code" validate:"required,maxbytes=4096" doc:"The parameter code that came back."`
	State  string `json:"state" validate:"required,maxbytes=256" doc:"The parameter state that came back."`
	Issuer string `json:"issuer,omitempty" validate:"maxbytes=1024" doc:"The parameter iss that came back, if one did."`
}

// PasskeyBack is what an authenticator answered.
type PasskeyBack struct {
	Ticket string `json:"ticket" validate:"required,maxbytes=4096" doc:"That came with the options; works once, within ten minutes."`
	Answer any    `json:"answer" validate:"required" doc:"The PublicKeyCredential, as its toJSON gives it."`
}

// BeginOpenIDRequest begins a sign-in with the borough's sign-in service.
type BeginOpenIDRequest struct {
	Redirect string `json:"redirect" validate:"required,maxbytes=1024" doc:"Where the service sends the person back to: one of those in the configuration. One on a loopback address may have any port."`
	Fresh    bool   `json:"fresh,omitempty" doc:"For a step-up: the service has the person prove anew who they are."`
}

// OpenIDBegun is where to send a person.
type OpenIDBegun struct {
	URL    string `json:"url" doc:"To be opened in the system's browser."`
	Ticket string `json:"ticket" doc:"To be kept, and sent with what comes back."`
}

// PasskeyBegun is a challenge for an authenticator.
type PasskeyBegun struct {
	Options any    `json:"options" doc:"For navigator.credentials, as PublicKeyCredential.parse...OptionsFromJSON reads them."`
	Ticket  string `json:"ticket" doc:"To be kept, and sent with the answer."`
}

// StepUpRequest proves anew that the caller is who signed in, in any of the ways of
// signing in.
type StepUpRequest struct {
	Login    string       `json:"login,omitempty" validate:"maxbytes=128" doc:"The borough account's login."`
	Password string       `json:"password,omitempty" validate:"maxbytes=512" doc:"The password, with the login."`
	OpenID   *OpenIDBack  `json:"openid,omitempty" doc:"Instead: what came back from the sign-in service, begun with fresh."`
	Passkey  *PasskeyBack `json:"passkey,omitempty" doc:"Instead: what a passkey answered."`
}

// SteppedUp says from when the proof counts.
type SteppedUp struct {
	SignedInMS int64 `json:"signed_in_ms" doc:"When the person proved who they are, Unix milliseconds."`
}

// AddPasskeyRequest keeps a new passkey.
type AddPasskeyRequest struct {
	Ticket string `json:"ticket" validate:"required,maxbytes=4096" doc:"That came with the options."`
	Answer any    `json:"answer" validate:"required" doc:"The PublicKeyCredential, as its toJSON gives it."`
	Name   string `json:"name,omitempty" validate:"maxbytes=64" doc:"What it is called in lists."`
}

// PasskeyJSON is a passkey as lists show it.
type PasskeyJSON struct {
	ID      string `json:"id" doc:"To remove it by."`
	Name    string `json:"name" doc:"What it is called."`
	AddedMS int64  `json:"added_ms" doc:"When it was added, Unix milliseconds."`
	UsedMS  int64  `json:"used_ms" doc:"When it was last used; 0: not yet."`
	Copied  bool   `json:"copied" doc:"There is a copy of it: it is refused, remove it and add another."`
}

// PasskeyList is a person's passkeys.
type PasskeyList struct {
	Passkeys []PasskeyJSON `json:"passkeys" doc:"The oldest first."`
}

// credential reads the one way in which a caller proves who they are.
func (c *call) credential(login, password string, back *OpenIDBack, key *PasskeyBack) (auth.Credential, error) {
	out := auth.Credential{Login: login, Password: password, Address: c.address}
	ways := 0
	if back != nil {
		ways++
		out.OpenID = &auth.OpenIDBack{Ticket: back.Ticket, Back: openid.Back{Code: back.Code, State: back.State, Issuer: back.Issuer}}
	}
	if key != nil {
		ways++
		answer, err := passkeyBack(key.Ticket, key.Answer)
		if err != nil {
			return out, err
		}
		out.Passkey = &answer
	}
	if login != "" && password != "" {
		ways++
	}
	if ways == 1 && (login == "") == (password == "") {
		return out, nil
	}
	r := &refusal{code: syncproto.CodeBadValue}
	for path, given := range map[string]string{"login": login, "password": password} {
		if given == "" {
			r.details = append(r.details, ProblemDetail{Path: path, Code: uint16(syncproto.CodeMissingField),
				Name: syncproto.CodeMissingField.Error(), Plain: "must be given, or else openid or passkey alone"})
		}
	}
	return out, r
}

func passkeyBack(ticket string, answer any) (auth.PasskeyBack, error) {
	b, err := json.Marshal(answer)
	return auth.PasskeyBack{Ticket: ticket, Answer: b}, err
}

func (a *API) beginOpenID(c *call, in *BeginOpenIDRequest) (*OpenIDBegun, error) {
	url, ticket, err := a.cfg.Auth.BeginOpenID(c.ctx, in.Redirect, in.Fresh)
	if err != nil {
		return nil, err
	}
	return &OpenIDBegun{URL: url, Ticket: ticket}, nil
}

func (a *API) beginPasskey(c *call, _ *none) (*PasskeyBegun, error) {
	options, ticket, err := a.cfg.Auth.BeginPasskey(c.ctx)
	if err != nil {
		return nil, err
	}
	return &PasskeyBegun{Options: options, Ticket: ticket}, nil
}

func (a *API) stepUp(c *call, in *StepUpRequest) (*SteppedUp, error) {
	who, err := c.credential(in.Login, in.Password, in.OpenID, in.Passkey)
	if err != nil {
		return nil, err
	}
	at, err := a.cfg.Auth.StepUp(c.ctx, c.caller, who)
	if err != nil {
		return nil, err
	}
	return &SteppedUp{SignedInMS: at.UnixMilli()}, nil
}

func (a *API) passkeys(c *call, _ *none) (*PasskeyList, error) {
	out := &PasskeyList{Passkeys: []PasskeyJSON{}}
	for _, k := range a.cfg.Auth.Passkeys(c.caller.User) {
		out.Passkeys = append(out.Passkeys, PasskeyJSON{ID: k.ID.String(), Name: k.Name, AddedMS: k.AddedMS, UsedMS: k.UsedMS, Copied: k.Copied})
	}
	return out, nil
}

func (a *API) beginAddPasskey(c *call, _ *none) (*PasskeyBegun, error) {
	options, ticket, err := a.cfg.Auth.BeginAddPasskey(c.ctx, c.caller)
	if err != nil {
		return nil, err
	}
	return &PasskeyBegun{Options: options, Ticket: ticket}, nil
}

func (a *API) addPasskey(c *call, in *AddPasskeyRequest) (*PasskeyJSON, error) {
	back, err := passkeyBack(in.Ticket, in.Answer)
	if err != nil {
		return nil, err
	}
	k, err := a.cfg.Auth.AddPasskey(c.ctx, c.caller, back, in.Name)
	if err != nil {
		return nil, err
	}
	return &PasskeyJSON{ID: k.ID.String(), Name: k.Name, AddedMS: k.AddedMS}, nil
}

func (a *API) removePasskey(c *call, _ *none) (*none, error) {
	id, err := c.id()
	if err != nil {
		return nil, err
	}
	return nil, a.cfg.Auth.RemovePasskey(c.ctx, c.caller.User, id)
}

func (a *API) revokeDevice(c *call, _ *none) (*none, error) {
	id, err := c.id()
	if err != nil {
		return nil, err
	}
	return nil, a.cfg.Auth.RevokeDeviceAs(c.ctx, c.caller, syncproto.DeviceID(id))
}

func (a *API) revokeUser(c *call, _ *none) (*none, error) {
	id, err := c.id()
	if err != nil {
		return nil, err
	}
	return nil, a.cfg.Auth.RevokeUserAs(c.ctx, c.caller, syncproto.UserID(id))
}
