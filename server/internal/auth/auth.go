// Package auth answers one question: who is calling. It hides how people prove
// it (passwords, passkeys, the borough's sign-in service, enrolment codes, device
// keys, tokens).
//
// Auth is the whole of it: SignIn, Enrol and Refresh hand out tokens, Verify
// turns an access token into a Caller on every request. Accounts, devices,
// sessions and codes are facts that it reads from and writes through a Ledger.
// What a Caller may see or do is not decided here: no token holds a role, and
// package access is asked where the effect happens.
package auth

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"runtime"
	"time"

	"golang.org/x/crypto/argon2"

	"doorstep/server/internal/auth/passkey"
	"doorstep/syncproto"
)

// Caller is a person who proved who they are, for the length of one request.
type Caller struct {
	User       syncproto.UserID
	Device     syncproto.DeviceID // zero: signed in without an enrolled device
	Session    syncproto.ID
	SignedInAt time.Time // when they last proved it in person: evidence for a step-up

	// CustodyOnly: the device was revoked, or the session is a custody session. Words
	// may still come up, into custody; nothing may go down to it.
	CustodyOnly bool
}

// Config is what New needs. Every field without a default must be set.
type Config struct {
	Borough   string              // audience and issuer of tokens
	TokenKey  ed25519.PrivateKey  // signs access tokens
	OlderKeys []ed25519.PublicKey // still accepted after a change of TokenKey
	ShareKey  []byte              // 32 bytes; the shares of tablets' locks are drawn from it
	Ledger    Ledger
	Now       func() time.Time
	Random    io.Reader
	Log       *slog.Logger

	// SessionIdle ends a session that was not refreshed for so long; 0: 14 days,
	// the longest an allocated worker is expected to be without any signal.
	SessionIdle time.Duration
	// SessionMax ends any session; 0: 90 days.
	SessionMax time.Duration
	// Cost of checking a password; the zero value is OWASP's first choice.
	Cost Cost

	OpenID   *OpenID          // nil: no sign-in service
	Passkeys *passkey.Checker // nil: no passkeys

	// Unproven lets devices send without proofs (RFC 9449). It is for measuring
	// what proofs cost; no borough's configuration can set it.
	Unproven bool
}

// Auth checks who is calling. It is safe for concurrent use and starts no
// goroutine.
type Auth struct {
	cfg     Config
	tokens  *tokens
	refresh refresher
	cache   *cache
	prover  *prover
	tickets *tickets
	guesses guesses
	hashing chan struct{}
	dummy   string // hash that unknown logins are checked against
	derive  derivation
}

// New checks cfg and returns an Auth over it.
func New(cfg Config) (*Auth, error) {
	if cfg.Borough == "" || len(cfg.TokenKey) != ed25519.PrivateKeySize || len(cfg.ShareKey) != ShareBytes || cfg.Ledger == nil ||
		cfg.Now == nil || cfg.Random == nil || cfg.Log == nil {
		return nil, errors.New("auth: Borough, TokenKey, ShareKey, Ledger, Now, Random and Log must be set")
	}
	if cfg.SessionIdle == 0 {
		cfg.SessionIdle = 14 * 24 * time.Hour
	}
	if cfg.SessionMax == 0 {
		cfg.SessionMax = 90 * 24 * time.Hour
	}
	if cfg.Cost == (Cost{}) {
		cfg.Cost = defaultCost()
	}
	dummy, err := cfg.Cost.hash("no account has this password", cfg.Random)
	if err != nil {
		return nil, fmt.Errorf("preparing auth: %w", err)
	}
	prover, err := newProver(cfg.Random, cfg.Now())
	if err != nil {
		return nil, fmt.Errorf("preparing auth: %w", err)
	}
	tickets, err := newTickets(cfg.Random)
	if err != nil {
		return nil, fmt.Errorf("preparing auth: %w", err)
	}
	return &Auth{
		cfg:     cfg,
		tickets: tickets,
		prover:  prover,
		tokens:  newTokens(cfg.Borough, cfg.TokenKey, cfg.OlderKeys, cfg.Now),
		refresh: newRefresher(cfg.TokenKey.Seed()),
		cache:   newCache(),
		guesses: newGuesses(),
		// Each check takes 19 MiB: as many at once as there are cores to run them.
		hashing: make(chan struct{}, runtime.GOMAXPROCS(0)),
		dummy:   dummy,
		derive:  argon2.IDKey,
	}, nil
}

// Sender is what a request shows of who sent it.
type Sender struct {
	Token string     // the access token
	Bound bool       // it came under the scheme DPoP, not Bearer
	Key   Thumbprint // that Prove gave for the request's proof; zero: none came
	Sync  bool       // a sync: a device's refresh token does in place of an access token that lapsed
}

// Verify returns who a request's sender is. Any fault of the token, and an ended
// session, disabled user or revoked device, is CodeUnauthenticated; the log gets
// the reason. A token that is bound to a key is *ProofError without its proof.
func (a *Auth) Verify(ctx context.Context, in Sender) (Caller, error) {
	caller, key, err := a.Known(ctx, in)
	if err != nil {
		return Caller{}, err
	}
	if key.IsZero() && !in.Bound && (caller.Device.IsZero() || a.cfg.Unproven) {
		return caller, nil
	}
	if !in.Bound || key.IsZero() || key != in.Key { // a bound token is no bearer token (RFC 9449, 7.2)
		if !in.Bound || in.Key != (Thumbprint{}) { // else no proof held: a lapsed nonce is everyday
			a.cfg.Log.WarnContext(ctx, "security: token of another key's holder", "session", caller.Session.String())
		}
		return Caller{}, &ProofError{Reason: "the token is bound to another key", Nonce: a.Nonce()}
	}
	return caller, nil
}

// Known returns whom a sender's token speaks for and the key that it is bound to,
// without asking whether its sender holds that key: enough to set limits by.
func (a *Auth) Known(ctx context.Context, in Sender) (Caller, Thumbprint, error) {
	if in.Sync {
		if caller, key, ok := a.renewable(in.Token); ok {
			return caller, key, nil
		}
	}
	token, now := in.Token, a.cfg.Now()
	s, ok := a.cache.get(token, now)
	if !ok {
		var err error
		if s, err = a.tokens.read(token); err != nil {
			a.cfg.Log.InfoContext(ctx, "access token refused", "reason", err.Error())
			return Caller{}, Thumbprint{}, syncproto.CodeUnauthenticated
		}
		a.cache.put(token, s, now)
	}
	caller, err := a.standing(s.User, s.Device, s.Session)
	if err != nil {
		a.cache.drop(func(c subject) bool { return c.Session == s.Session })
	}
	return caller, s.Key, err
}

// Check reports whether a caller of a long-lived stream still stands.
func (a *Auth) Check(c Caller) error {
	_, err := a.standing(c.User, c.Device, c.Session)
	return err
}

// standing looks up whether user, device and session are all still good.
func (a *Auth) standing(user syncproto.UserID, device syncproto.DeviceID, session syncproto.ID) (Caller, error) {
	s, ok := a.cfg.Ledger.Session(session)
	if !ok || s.User != user || s.Device != device || !a.alive(s) {
		return Caller{}, syncproto.CodeUnauthenticated
	}
	account, ok := a.cfg.Ledger.Account(user)
	if !ok || account.Disabled && !s.Custody {
		return Caller{}, syncproto.CodeUnauthenticated
	}
	caller := Caller{User: user, Device: device, Session: session, SignedInAt: time.UnixMilli(s.ProvedMS)}
	if device.IsZero() {
		return caller, nil
	}
	d, ok := a.cfg.Ledger.Device(device)
	if !ok || s.Custody && !accessEnded(account, d) {
		return Caller{}, syncproto.CodeUnauthenticated
	}
	if s.Custody {
		caller.CustodyOnly = true
		return caller, nil
	}
	if d.RevokedMS != 0 {
		if s.SignedInMS <= d.RevokedMS { // the tokens a thief would hold
			return Caller{}, syncproto.CodeUnauthenticated
		}
		caller.CustodyOnly = true
	}
	return caller, nil
}

// alive reports whether a session has neither ended nor lapsed.
func (a *Auth) alive(s Session) bool {
	now := a.cfg.Now().UnixMilli()
	return s.EndedMS == 0 &&
		now-s.RotatedMS < a.cfg.SessionIdle.Milliseconds() &&
		now-s.SignedInMS < a.cfg.SessionMax.Milliseconds()
}

// newID draws a random id.
func (a *Auth) newID() (syncproto.ID, error) {
	var id syncproto.ID
	if _, err := io.ReadFull(a.cfg.Random, id[:]); err != nil {
		return id, fmt.Errorf("drawing an id: %w", err)
	}
	return id, nil
}

func (a *Auth) nowMS() int64 { return a.cfg.Now().UnixMilli() }
