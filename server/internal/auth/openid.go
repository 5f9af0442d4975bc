package auth

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"doorstep/server/internal/auth/openid"
	"doorstep/syncproto"
)

// OpenID is how a borough's sign-in service is used; nil in Config: not at all.
type OpenID struct {
	Provider *openid.Provider
	// Roles gives groups of the service their role here; the first that a person
	// is in counts. Empty: roles are set here alone.
	Roles []GroupRole
	// Create makes an account for a person without one, if a group gives them a
	// role. Else IT links accounts, or an enrolment code does.
	Create bool
}

// GroupRole gives the members of a group a role.
type GroupRole struct {
	Group string
	Role  Role
}

// OpenIDBack is what somebody comes back with from the sign-in service.
type OpenIDBack struct {
	Ticket string // that BeginOpenID gave
	openid.Back
}

// BeginOpenID returns where to send a person and the ticket to come back with.
// fresh has them prove anew who they are, for a step-up. It fails with
// CodeNotFound without a sign-in service, CodeBadValue for a redirect that is not
// configured, and CodeUnavailable.
func (a *Auth) BeginOpenID(ctx context.Context, redirect string, fresh bool) (url, ticket string, err error) {
	if a.cfg.OpenID == nil {
		return "", "", syncproto.CodeNotFound
	}
	url, flow, err := a.cfg.OpenID.Provider.Begin(ctx, redirect, fresh, a.cfg.Random)
	switch {
	case errors.Is(err, openid.ErrRedirect):
		return "", "", fmt.Errorf("%w: %w", syncproto.CodeBadValue, err)
	case err != nil:
		return "", "", fmt.Errorf("%w: %w", syncproto.CodeUnavailable, err)
	}
	id, err := a.newID()
	if err != nil {
		return "", "", err
	}
	ticket, err = a.tickets.issue(ticketOpenID, id.String(), flow, a.cfg.Now())
	return url, ticket, err
}

// OpenIDTo reports whether people can be sent to the sign-in service to come back to a
// redirect.
func (a *Auth) OpenIDTo(redirect string) bool {
	return a.cfg.OpenID != nil && a.cfg.OpenID.Provider.Allows(redirect)
}

// OpenIDLeave is where a person signs out of the sign-in service itself; empty: that is not
// known.
func (a *Auth) OpenIDLeave() string {
	if a.cfg.OpenID == nil {
		return ""
	}
	return a.cfg.OpenID.Provider.Leave()
}

// openIDPerson returns whom the sign-in service vouches for. It fails with
// CodeSignInFailed, CodeUnavailable, and CodeUnlinked (and openid.ErrElsewhere) for an
// account that is not the borough's.
func (a *Auth) openIDPerson(ctx context.Context, back *OpenIDBack) (openid.Person, error) {
	if a.cfg.OpenID == nil {
		return openid.Person{}, syncproto.CodeNotFound
	}
	var flow openid.Flow
	if err := a.tickets.redeem(ticketOpenID, back.Ticket, &flow, a.cfg.Now()); err != nil {
		if errors.Is(err, syncproto.CodeUnavailable) {
			return openid.Person{}, err
		}
		return openid.Person{}, fmt.Errorf("%w: %w", syncproto.CodeSignInFailed, err)
	}
	person, err := a.cfg.OpenID.Provider.Finish(ctx, flow, back.Back)
	switch {
	case errors.Is(err, openid.ErrUnavailable):
		return person, fmt.Errorf("%w: %w", syncproto.CodeUnavailable, err)
	case errors.Is(err, openid.ErrElsewhere):
		a.cfg.Log.InfoContext(ctx, "sign-in refused", "reason", err.Error())
		return person, fmt.Errorf("%w: %w", syncproto.CodeUnlinked, err)
	case err != nil:
		a.cfg.Log.WarnContext(ctx, "security: sign-in service's answer refused", "reason", err.Error())
		return person, fmt.Errorf("%w: %w", syncproto.CodeSignInFailed, err)
	case !person.Confirmed:
		return person, syncproto.CodeUnconfirmed
	}
	return person, nil
}

// accountOf returns the account that is bound to a person, with the role that
// their groups give. A new person's is made where the configuration says so. It
// fails with CodeUnlinked, CodeNoRole and CodeBadCredentials for a disabled account.
func (a *Auth) accountOf(ctx context.Context, person openid.Person) (Account, error) {
	role, err := a.roleOf(person)
	if err != nil {
		return Account{}, err
	}
	id, err := a.newID()
	if err != nil {
		return Account{}, err
	}
	var out Account
	err = a.cfg.Ledger.Record(ctx, func(f Facts) ([]Fact, error) {
		account, known := f.AccountBySubject(person.Subject)
		before := account
		if !known {
			if account, err = a.newcomer(f, person, syncproto.UserID(id)); err != nil {
				return nil, err
			}
		}
		if account.Disabled {
			return nil, syncproto.CodeBadCredentials
		}
		if role != "" {
			account.Role = role
		}
		out = account
		if known && account == before {
			return nil, nil
		}
		return []Fact{account}, nil
	})
	return out, err
}

// newcomer is the account of a person whom no account is bound to. One is never
// found by a name or an address: those change hands.
func (a *Auth) newcomer(f Facts, person openid.Person, id syncproto.UserID) (Account, error) {
	login, err := NormalLogin(person.Login)
	if !a.cfg.OpenID.Create || err != nil {
		return Account{}, syncproto.CodeUnlinked
	}
	if _, taken := f.AccountByLogin(login); taken {
		return Account{}, syncproto.CodeUnlinked
	}
	name := person.Name
	if name == "" || len(name) > maxName {
		name = login
	}
	return Account{ID: id, Login: login, Name: name, Subject: person.Subject}, nil
}

// roleOf is the role that a person's groups give; empty where groups give none.
func (a *Auth) roleOf(person openid.Person) (Role, error) {
	if len(a.cfg.OpenID.Roles) == 0 {
		return "", nil
	}
	for _, r := range a.cfg.OpenID.Roles {
		if slices.Contains(person.Groups, r.Group) {
			return r.Role, nil
		}
	}
	return "", syncproto.CodeNoRole
}

// ErrNoOpenID says that the borough has no sign-in service.
var ErrNoOpenID = errors.New("the configuration names no sign-in service: set openid.issuer")

// LinkUser binds an account to a person of the sign-in service, by the value of
// the claim that names them for good; an empty one unbinds it.
func (a *Auth) LinkUser(ctx context.Context, login, subject string) error {
	if a.cfg.OpenID == nil {
		return ErrNoOpenID
	}
	if subject != "" {
		subject = a.cfg.OpenID.Provider.Subject(subject)
	}
	return a.changeUser(ctx, login, func(acc *Account) { acc.Subject = subject })
}
