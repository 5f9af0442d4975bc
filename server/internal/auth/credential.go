package auth

import (
	"context"
	"time"

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
}

// proved is who a credential belongs to, and when they proved it in person: just
// now, but for a sign-in service that asked them nothing this time.
type proved struct {
	account Account
	at      time.Time
}

// identify returns whose credential it is. linked is the account of an enrolment
// code, to which an unknown person of the sign-in service is bound; zero: none.
func (a *Auth) identify(ctx context.Context, c Credential, linked syncproto.UserID) (proved, error) {
	now := a.cfg.Now()
	if c.OpenID == nil && c.Passkey == nil {
		account, err := a.checkPassword(ctx, c.Login, c.Password, c.Address)
		return proved{account, now}, err
	}
	// Guessing is hopeless there; what is bounded is the work that it makes.
	if wait := a.byPlace.take(c.Address, now); wait > 0 {
		return proved{}, &TooMany{RetryAfter: wait}
	}
	who, err := a.vouched(ctx, c, linked)
	if err == nil {
		a.byPlace.giveBack(c.Address, now)
	}
	return who, err
}

// vouched is identify by a sign-in service or a passkey.
func (a *Auth) vouched(ctx context.Context, c Credential, linked syncproto.UserID) (proved, error) {
	now := a.cfg.Now()
	if c.OpenID != nil {
		person, err := a.openIDPerson(ctx, c.OpenID)
		if err != nil {
			return proved{}, err
		}
		account, err := a.accountOf(ctx, person, linked)
		at := person.ProvedAt
		if at.After(now) {
			at = now
		}
		return proved{account, at}, err
	}
	account, err := a.passkeyAccount(ctx, c.Passkey)
	return proved{account, now}, err
}

// Ways lists how people can sign in.
func (a *Auth) Ways() []string {
	ways := []string{"password"}
	if a.cfg.OpenID != nil {
		ways = append(ways, "openid")
	}
	if a.cfg.Passkeys != nil {
		ways = append(ways, "passkey")
	}
	return ways
}

// StepUp takes a proof that the caller is still the person who signed in, however
// they did: what is sworn or sealed needs one of a moment ago. It returns when they
// proved it. It fails with CodeBadCredentials for somebody else's, and with what
// SignIn fails with.
func (a *Auth) StepUp(ctx context.Context, c Caller, in Credential) (time.Time, error) {
	who, err := a.identify(ctx, in, syncproto.UserID{})
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

// msOf is a time in Unix milliseconds; 0 for the zero time.
func msOf(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}
