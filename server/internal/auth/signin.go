package auth

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"doorstep/syncproto"
)

// SignIn is what a person gives to sign in.
type SignIn struct {
	Credential
	Device syncproto.DeviceID // zero: not on an enrolled device
	// Key that the request's proof shows: on a device, the device's. Without a
	// device it may be one drawn for this session; zero: a bearer session.
	Key Thumbprint
}

// Grant is what a person who proved who they are is given.
type Grant struct {
	Caller      Caller
	Account     Account
	Key         Thumbprint    // whose holder alone may use it; zero: a bearer session
	Access      string        // access token
	AccessLife  time.Duration // how long it lasts
	Refresh     string        // refresh token, for one use
	CustodyOnly bool          // the device was revoked: it may only send
}

// TooMany slows a caller down; it unwraps to CodeTooMany.
type TooMany struct{ RetryAfter time.Duration }

func (e *TooMany) Error() string { return "too many tries" }
func (e *TooMany) Unwrap() error { return syncproto.CodeTooMany }

// SignIn checks a credential and begins a session. It returns CodeBadCredentials
// for an unknown login, a wrong password and a disabled account alike, at equal
// cost; CodeSignInFailed, CodeUnlinked, CodeUnconfirmed, CodeNoRole and
// CodeUnavailable of the sign-in service; CodeBadPasskey; CodeWrongDevice when the account is good but
// was never enrolled on the device; *ProofError when the request does not show
// that the device sent it; *TooMany when there were many tries.
func (a *Auth) SignIn(ctx context.Context, in SignIn) (Grant, error) {
	in.own = a.ownDevice(in)
	who, err := a.identify(ctx, in.Credential)
	if err != nil {
		return Grant{}, err
	}
	return a.begin(ctx, who, in.Device, in.Key)
}

// ownDevice reports whether a sign-in comes from a device that the login's owner
// enrolled on, as its key shows.
func (a *Auth) ownDevice(in SignIn) bool {
	if in.Device.IsZero() || in.Key.IsZero() {
		return false
	}
	norm, err := NormalLogin(in.Login)
	if err != nil {
		norm = "" // no account has it
	}
	account, known := a.cfg.Ledger.AccountByLogin(norm)
	d, enrolled := a.cfg.Ledger.Device(in.Device)
	return known && enrolled && d.UsedBy(account.ID) && in.Key == ThumbprintOf(d.Key)
}

// checkPassword returns the account that a credential's login and password belong to.
func (a *Auth) checkPassword(ctx context.Context, c Credential) (Account, error) {
	norm, err := NormalLogin(c.Login)
	if err != nil {
		norm = "" // no account has it; goes on, for equal cost
	}
	now, try := a.cfg.Now(), guess{login: norm, address: c.Address, own: c.own}
	if wait := a.guesses.begin(&try, now); wait > 0 {
		a.cfg.Log.WarnContext(ctx, "sign-in slowed down", "address", c.Address)
		return Account{}, &TooMany{RetryAfter: wait}
	}
	account, known := a.cfg.Ledger.AccountByLogin(norm)
	stored := account.PasswordHash
	if !known || stored == "" {
		stored = a.dummy
	}
	good, err := a.runHash(ctx, stored, c.Password)
	if err != nil {
		return Account{}, err
	}
	if !known || !good || account.Disabled || account.PasswordHash == "" {
		a.cfg.Log.InfoContext(ctx, "sign-in refused", "known", known, "disabled", account.Disabled)
		return Account{}, syncproto.CodeBadCredentials
	}
	a.guesses.good(&try, now)
	return account, nil
}

// runHash runs one password check when a core is free for it.
func (a *Auth) runHash(ctx context.Context, stored, password string) (good bool, err error) {
	err = a.whenFree(ctx, func() error {
		good, err = checkPassword(stored, password, a.derive)
		return err
	})
	return good, err
}

// whenFree runs work that takes a core and much memory when its turn comes.
func (a *Auth) whenFree(ctx context.Context, work func() error) error {
	select {
	case a.hashing <- struct{}{}:
		defer func() { <-a.hashing }()
		return work()
	case <-ctx.Done():
		return fmt.Errorf("waiting to check a password: %w", ctx.Err())
	}
}

// begin records a new session of a person on device and signs its tokens.
func (a *Auth) begin(ctx context.Context, who proved, device syncproto.DeviceID, key Thumbprint) (Grant, error) {
	account := who.account
	first, session, err := a.newSession(who, device, key)
	if err != nil {
		return Grant{}, err
	}
	err = a.cfg.Ledger.Record(ctx, func(f Facts) ([]Fact, error) {
		if !device.IsZero() {
			d, ok := f.Device(device)
			if !ok || !d.UsedBy(account.ID) {
				return nil, syncproto.CodeWrongDevice
			}
			if key != ThumbprintOf(d.Key) && !a.cfg.Unproven {
				return nil, &ProofError{Reason: "it is not by the device's key", Nonce: a.Nonce()}
			}
		}
		return append(a.outlived(f, account.ID), session), nil
	})
	if err != nil {
		return Grant{}, fmt.Errorf("recording a session: %w", err)
	}
	return a.grant(account, session, first)
}

// maxSessions bounds a person's sessions that go on at once.
const maxSessions = 32

// outlived ends the sessions of a person that have lapsed, and the oldest of too
// many, so that a ledger need not keep them.
func (a *Auth) outlived(f Facts, user syncproto.UserID) []Fact {
	var out []Fact
	list := f.Sessions(user)
	for i, s := range list {
		if !a.alive(s) || len(list)-i >= maxSessions {
			s.EndedMS = a.nowMS()
			out = append(out, s)
		}
	}
	return out
}

// newSession draws a session, bound to a key, and its first refresh token.
func (a *Auth) newSession(who proved, device syncproto.DeviceID, key Thumbprint) (refreshToken, Session, error) {
	id, err := a.newID()
	if err != nil {
		return refreshToken{}, Session{}, err
	}
	first := refreshToken{Session: id, Generation: 1}
	if _, err := io.ReadFull(a.cfg.Random, first.Secret[:]); err != nil {
		return refreshToken{}, Session{}, fmt.Errorf("drawing a refresh token: %w", err)
	}
	if a.cfg.Unproven {
		key = Thumbprint{}
	}
	now := a.nowMS()
	return first, Session{
		ID: id, User: who.account.ID, Device: device, Key: key, SignedInMS: now, ProvedMS: msOf(who.at), RotatedMS: now,
		Generation: first.Generation, Hash: first.hash(),
	}, nil
}

// grant signs an access token for a session and wraps up its refresh token.
func (a *Auth) grant(account Account, s Session, token refreshToken) (Grant, error) {
	caller, err := a.standing(s.User, s.Device, s.ID)
	if err != nil {
		return Grant{}, err
	}
	access, err := a.tokens.issue(subject{User: s.User, Device: s.Device, Session: s.ID, Key: s.Key}, a.cfg.Now())
	if err != nil {
		return Grant{}, err
	}
	return Grant{
		Caller: caller, Account: account, Key: s.Key, Access: access, AccessLife: accessLife,
		Refresh: a.refresh.of(account).encode(token), CustodyOnly: caller.CustodyOnly,
	}, nil
}

// errReused is how a decide function says that the session must end.
var errReused = errors.New("refresh token used twice")

// Renewal is what a session's holder gives for new tokens.
type Renewal struct {
	Token   string              // the refresh token
	Request syncproto.RequestID // drawn for this renewal, the same when it is asked again
	Key     Thumbprint          // that the request's proof shows
}

// Refresh trades a refresh token for the next one and a new access token. The
// same token under the same request id is answered with the same next token,
// because replies get lost: for two minutes, and in a session that is bound to a key
// until the next token is traded in. Any other second use ends the session.
// A session that is bound to a key is refreshed by its holder alone (RFC 9449,
// 5), else *ProofError: what a thief tries ends nothing. Every other refusal is
// CodeUnauthenticated.
func (a *Auth) Refresh(ctx context.Context, in Renewal) (Grant, error) {
	request := in.Request
	account, held, ok := a.holderOf(in.Token)
	t, genuine := a.refresh.of(account).decode(in.Token)
	if !ok || !genuine || syncproto.ID(request).IsZero() {
		return Grant{}, syncproto.CodeUnauthenticated
	}
	if held.Key != in.Key && !held.Key.IsZero() {
		return Grant{}, &ProofError{Reason: "it is not by the key of the session", Nonce: a.Nonce()}
	}
	next := a.refresh.of(account).next(t, request)
	var session Session
	err := a.cfg.Ledger.Record(ctx, func(f Facts) ([]Fact, error) {
		var err error
		var facts []Fact
		session, facts, err = a.rotate(f, t, next, request)
		return facts, err
	})
	if errors.Is(err, errReused) {
		a.cfg.Log.WarnContext(ctx, "security: refresh token used twice, session ended",
			"session", t.Session.String())
		if err := a.end(ctx, t.Session); err != nil {
			return Grant{}, err
		}
		return Grant{}, syncproto.CodeUnauthenticated
	}
	if err != nil {
		return Grant{}, fmt.Errorf("refreshing a session: %w", err)
	}
	return a.grant(account, session, next)
}

// holderOf returns the session that a refresh token claims, and its account.
func (a *Auth) holderOf(token string) (Account, Session, bool) {
	id, ok := sessionOf(token)
	if !ok || len(token) > maxTokenBytes {
		return Account{}, Session{}, false
	}
	s, ok := a.cfg.Ledger.Session(id)
	if !ok {
		return Account{}, Session{}, false
	}
	account, ok := a.cfg.Ledger.Account(s.User)
	return account, s, ok
}

// renewable returns whom a refresh token speaks for that its holder could trade in now, if
// only to be given the same answer again, and the device's key that it is bound to. It is
// not used up. A device that comes back after hours shows it with its words, instead of
// trading it in first: over a poor signal that is a second of the few that it may have.
func (a *Auth) renewable(token string) (Caller, Thumbprint, bool) {
	account, s, ok := a.holderOf(token)
	if !ok || s.Device.IsZero() || s.Key.IsZero() {
		return Caller{}, Thumbprint{}, false
	}
	t, genuine := a.refresh.of(account).decode(token)
	if !genuine || !sameHash(t.hash(), s.Hash) && !(sameHash(t.hash(), s.Previous) && a.repeatable(s)) {
		return Caller{}, Thumbprint{}, false
	}
	caller, err := a.standing(s.User, s.Device, s.ID)
	return caller, s.Key, err == nil
}

// rotate decides what a refresh does: rotate, repeat the last answer, refuse, or
// (errReused) end the session.
func (a *Auth) rotate(f Facts, t, next refreshToken, request syncproto.RequestID) (Session, []Fact, error) {
	s, ok := f.Session(t.Session)
	if !ok || !a.alive(s) {
		return s, nil, syncproto.CodeUnauthenticated
	}
	// A genuine token that is newer than the journal is of a future that a restore
	// lost; its holder goes on without a sign-in.
	if sameHash(t.hash(), s.Hash) || t.Generation > s.Generation {
		s.Previous, s.Hash = t.hash(), next.hash()
		s.Generation, s.Request, s.RotatedMS = next.Generation, request, a.nowMS()
		return s, []Fact{s}, nil
	}
	repeat := sameHash(t.hash(), s.Previous) && s.Request == request && sameHash(next.hash(), s.Hash) && a.repeatable(s)
	if repeat {
		return s, nil, nil
	}
	return s, nil, errReused
}

// repeatable reports whether the last answer to a refresh may be given again.
func (a *Auth) repeatable(s Session) bool {
	return !s.Key.IsZero() || a.nowMS()-s.RotatedMS <= refreshGrace.Milliseconds()
}

// SignOut ends the caller's session; its tokens stop working at once.
func (a *Auth) SignOut(ctx context.Context, c Caller) error { return a.end(ctx, c.Session) }

func (a *Auth) end(ctx context.Context, session syncproto.ID) error {
	err := a.cfg.Ledger.Record(ctx, func(f Facts) ([]Fact, error) {
		s, ok := f.Session(session)
		if !ok || s.EndedMS != 0 {
			return nil, nil
		}
		s.EndedMS = a.nowMS()
		return []Fact{s}, nil
	})
	if err != nil {
		return fmt.Errorf("ending a session: %w", err)
	}
	a.cache.drop(func(s subject) bool { return s.Session == session })
	return nil
}
