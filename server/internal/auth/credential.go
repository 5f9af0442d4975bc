package auth

import (
	"context"
	"slices"
	"time"

	"doorstep/server/internal/auth/openid"
	"doorstep/syncproto"
)

// Credential is how a person proves who they are: by a borough account's login and
// password, by the borough's sign-in service, or by a passkey. One of the three is
// set.
type Credential struct {
	Login    string
	Password string
	OpenID   *OpenIDBack
	Passkey  *PasskeyBack
	Address  string // of the caller, to slow down guessing
	own      bool   // it comes from where its owner is known to be
}

// proved is who a credential belongs to, and when they proved it in person: just
// now, but for a sign-in service that asked them nothing this time.
type proved struct {
	account Account
	at      time.Time
}

// identify returns whose credential it is.
func (a *Auth) identify(ctx context.Context, c Credential) (proved, error) {
	if c.OpenID == nil && c.Passkey == nil {
		account, err := a.checkPassword(ctx, c)
		return proved{account, a.cfg.Now()}, err
	}
	return a.paced(c.Address, func() (proved, error) { return a.vouched(ctx, c) })
}

// paced bounds the work that credentials of others make. Guessing is hopeless there.
func (a *Auth) paced(address string, work func() (proved, error)) (proved, error) {
	now := a.cfg.Now()
	if wait := a.guesses.byPlace.Take(address, now); wait > 0 {
		return proved{}, &TooMany{RetryAfter: wait}
	}
	who, err := work()
	if err == nil {
		a.guesses.byPlace.GiveBack(address, now)
	}
	return who, err
}

// vouched is identify by a sign-in service or a passkey.
func (a *Auth) vouched(ctx context.Context, c Credential) (proved, error) {
	if c.OpenID != nil {
		person, err := a.openIDPerson(ctx, c.OpenID)
		if err != nil {
			return proved{}, err
		}
		account, err := a.accountOf(ctx, person)
		return proved{account, a.provedAt(person)}, err
	}
	account, err := a.passkeyAccount(ctx, c.Passkey)
	return proved{account, a.cfg.Now()}, err
}

// provedAt is when a person last proved to the sign-in service who they are, which is
// not in the future.
func (a *Auth) provedAt(person openid.Person) time.Time {
	if now := a.cfg.Now(); person.ProvedAt.After(now) {
		return now
	}
	return person.ProvedAt
}

// The ways of signing in.
const (
	WayPassword = "password" // a borough account's login and password
	WayOpenID   = "openid"   // the borough's own sign-in service
	WayPasskey  = "passkey"
)

// Ways lists how people can sign in.
func (a *Auth) Ways() []string {
	ways := []string{WayPassword}
	if a.cfg.OpenID != nil {
		ways = append(ways, WayOpenID)
	}
	if a.cfg.Passkeys != nil {
		ways = append(ways, WayPasskey)
	}
	return ways
}

// WaysOf lists which of the ways of signing in a person has, in the order of Ways.
func (a *Auth) WaysOf(user syncproto.UserID) []string {
	account, _ := a.cfg.Ledger.Account(user)
	usable := func(k Passkey) bool { return !k.Copied }
	has := map[string]bool{WayPassword: account.PasswordHash != "", WayOpenID: account.Subject != "", WayPasskey: slices.ContainsFunc(a.Passkeys(user), usable)}
	return slices.DeleteFunc(a.Ways(), func(way string) bool { return !has[way] })
}

// StepUp takes a proof that the caller is still the person who signed in, however
// they did: what is sworn or sealed needs one of a moment ago. It returns when they
// proved it. It fails with CodeBadCredentials for somebody else's, and with what
// SignIn fails with.
func (a *Auth) StepUp(ctx context.Context, c Caller, in Credential) (time.Time, error) {
	in.own = a.isOwn(c, in)
	who, err := a.identify(ctx, in)
	if err != nil {
		return time.Time{}, err
	}
	if who.account.ID != c.User {
		a.cfg.Log.WarnContext(ctx, "security: a step-up by somebody else", "session", c.Session.String())
		return time.Time{}, syncproto.CodeBadCredentials
	}
	err = a.cfg.Ledger.Record(ctx, func(f Facts) ([]Fact, error) {
		s, ok := f.Session(c.Session)
		if !ok || !a.alive(s) {
			return nil, syncproto.CodeUnauthenticated
		}
		s.ProvedMS = max(s.ProvedMS, msOf(who.at))
		return []Fact{s}, nil
	})
	return who.at, err
}

// isOwn reports whether a step-up names the person whose session it is: somebody who
// has that session is where its owner is.
func (a *Auth) isOwn(c Caller, in Credential) bool {
	norm, err := NormalLogin(in.Login)
	account, known := a.cfg.Ledger.AccountByLogin(norm)
	return err == nil && known && account.ID == c.User
}

// msOf is a time in Unix milliseconds; 0 for the zero time.
func msOf(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}
