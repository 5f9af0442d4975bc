package auth

import (
	"context"
	"fmt"

	"doorstep/syncproto"
)

// A custody session is for words that were not sent before somebody's access
// ended: a leaver, a disabled account, a tablet that was withdrawn. It is begun by
// the device's key alone, because nobody can sign in any more, and because whoever
// holds the key could sign such words anyway. It sends words into custody, hears
// what became of them, and is told what to remove; nothing else goes down to it,
// however the account stands later.

// BeginCustody begins a custody session of a person on a device whose key signed
// the request's proof, or goes on with one that there is: asking again costs no
// entry. The grant has no refresh token; who needs longer asks again. It fails with
// CodeUnauthenticated where the person can still sign in, and alike for a device or
// person that is not known or does not use it; and with *ProofError.
func (a *Auth) BeginCustody(ctx context.Context, user syncproto.UserID, device syncproto.DeviceID, key Thumbprint) (Grant, error) {
	if key.IsZero() {
		return Grant{}, &ProofError{Reason: "none came", Nonce: a.Nonce()}
	}
	if err := a.endedOn(a.cfg.Ledger, user, device, key); err != nil {
		return Grant{}, err
	}
	s, ok := a.custodySession(a.cfg.Ledger, user, device)
	if !ok {
		id, err := a.newID()
		if err != nil {
			return Grant{}, err
		}
		now := a.nowMS()
		err = a.cfg.Ledger.Record(ctx, func(f Facts) ([]Fact, error) {
			if err := a.endedOn(f, user, device, key); err != nil {
				return nil, err
			}
			if s, ok = a.custodySession(f, user, device); ok {
				return nil, nil
			}
			s = Session{ID: id, User: user, Device: device, Key: key, SignedInMS: now, RotatedMS: now, Custody: true}
			return append(a.outlived(f, user), s), nil
		})
		if err != nil {
			return Grant{}, fmt.Errorf("recording a custody session: %w", err)
		}
		a.cfg.Log.InfoContext(ctx, "custody session begun", "user", user.String(), "device", device.String())
	}
	access, err := a.tokens.issue(subject{User: user, Device: device, Session: s.ID, Key: key}, a.cfg.Now())
	if err != nil {
		return Grant{}, err
	}
	caller, err := a.standing(user, device, s.ID)
	if err != nil {
		return Grant{}, err
	}
	// The key proves the device and no person: neither name nor role is told.
	return Grant{Caller: caller, Key: key, Access: access, AccessLife: accessLife, CustodyOnly: true}, nil
}

// endedOn fails unless the key is a device's that a person uses whose access ended.
func (a *Auth) endedOn(f Facts, user syncproto.UserID, device syncproto.DeviceID, key Thumbprint) error {
	d, ok := f.Device(device)
	if !ok || key != ThumbprintOf(d.Key) || !d.UsedBy(user) {
		return syncproto.CodeUnauthenticated
	}
	account, ok := f.Account(user)
	if !ok || !accessEnded(account, d) {
		return syncproto.CodeUnauthenticated
	}
	return nil
}

// accessEnded reports whether a person cannot sign in on a device any more, or only
// to send.
func accessEnded(account Account, d Device) bool { return account.Disabled || d.RevokedMS != 0 }

// custodySession returns the custody session that goes on.
func (a *Auth) custodySession(f Facts, user syncproto.UserID, device syncproto.DeviceID) (Session, bool) {
	for _, s := range f.Sessions(user) {
		if s.Custody && s.Device == device && a.alive(s) {
			return s, true
		}
	}
	return Session{}, false
}
