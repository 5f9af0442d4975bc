package server

import (
	"context"

	"doorstep/server/internal/auth"
	"doorstep/server/internal/exchange"
	"doorstep/server/internal/store"
	"doorstep/syncproto"
)

// people is auth's Ledger over the borough's journal: what auth calls a fact is
// a control entry there.
type people struct {
	store  *store.Store
	ledger *exchange.Ledger
}

// Record implements auth.Ledger.
func (p people) Record(ctx context.Context, decide func(auth.Facts) ([]auth.Fact, error)) error {
	_, err := p.ledger.Propose(ctx, func(tx *store.Tx) ([]store.Entry, error) {
		facts, err := decide(facts{tx.State()})
		if err != nil {
			return nil, err
		}
		entries := make([]store.Entry, 0, len(facts))
		for _, f := range facts {
			entries = append(entries, entryOf(f))
		}
		return entries, nil
	})
	return err
}

// Account implements auth.Facts.
func (p people) Account(id syncproto.UserID) (auth.Account, bool) { return p.facts().Account(id) }

// AccountByLogin implements auth.Facts.
func (p people) AccountByLogin(login string) (auth.Account, bool) {
	return p.facts().AccountByLogin(login)
}

// Device implements auth.Facts.
func (p people) Device(id syncproto.DeviceID) (auth.Device, bool) { return p.facts().Device(id) }

// Session implements auth.Facts.
func (p people) Session(id syncproto.ID) (auth.Session, bool) { return p.facts().Session(id) }

// Code implements auth.Facts.
func (p people) Code(hash [32]byte) (auth.Code, bool) { return p.facts().Code(hash) }

// AccountBySubject implements auth.Facts.
func (p people) AccountBySubject(subject string) (auth.Account, bool) {
	return p.facts().AccountBySubject(subject)
}

// Passkey implements auth.Facts.
func (p people) Passkey(id syncproto.ID) (auth.Passkey, bool) { return p.facts().Passkey(id) }

// Passkeys implements auth.Facts.
func (p people) Passkeys(user syncproto.UserID) []auth.Passkey { return p.facts().Passkeys(user) }

// Sessions implements auth.Facts.
func (p people) Sessions(user syncproto.UserID) []auth.Session { return p.facts().Sessions(user) }

// Codes implements auth.Facts.
func (p people) Codes(user syncproto.UserID) []auth.Code { return p.facts().Codes(user) }

// Accounts implements auth.Ledger.
func (p people) Accounts() []auth.Account {
	users := p.store.State().Users()
	out := make([]auth.Account, 0, len(users))
	for _, u := range users {
		out = append(out, accountOf(u))
	}
	return out
}

// Devices implements auth.Ledger.
func (p people) Devices() []auth.Device {
	devices := p.store.State().Devices()
	out := make([]auth.Device, 0, len(devices))
	for _, d := range devices {
		out = append(out, auth.Device(d))
	}
	return out
}

func (p people) facts() facts { return facts{p.store.State()} }

// facts reads a state as auth.Facts.
type facts struct{ state *store.State }

func (f facts) Account(id syncproto.UserID) (auth.Account, bool) {
	u, ok := f.state.User(id)
	return accountOf(u), ok
}

func (f facts) AccountByLogin(login string) (auth.Account, bool) {
	u, ok := f.state.UserByLogin(login)
	return accountOf(u), ok
}

func (f facts) Device(id syncproto.DeviceID) (auth.Device, bool) {
	d, ok := f.state.Device(id)
	return auth.Device(d), ok
}

func (f facts) Session(id syncproto.ID) (auth.Session, bool) {
	s, ok := f.state.Session(id)
	return sessionOf(s), ok
}

func (f facts) Code(hash [32]byte) (auth.Code, bool) {
	c, ok := f.state.Code(hash)
	return auth.Code(c), ok
}

func (f facts) AccountBySubject(subject string) (auth.Account, bool) {
	u, ok := f.state.UserBySubject(subject)
	return accountOf(u), ok
}

func (f facts) Passkey(id syncproto.ID) (auth.Passkey, bool) {
	k, ok := f.state.Passkey(id)
	return auth.Passkey(k), ok
}

func (f facts) Passkeys(user syncproto.UserID) []auth.Passkey {
	list := f.state.PasskeysOf(user)
	out := make([]auth.Passkey, 0, len(list))
	for _, k := range list {
		out = append(out, auth.Passkey(k))
	}
	return out
}

func (f facts) Sessions(user syncproto.UserID) []auth.Session {
	list := f.state.SessionsOf(user)
	out := make([]auth.Session, 0, len(list))
	for _, s := range list {
		out = append(out, sessionOf(s))
	}
	return out
}

func (f facts) Codes(user syncproto.UserID) []auth.Code {
	list := f.state.CodesOf(user)
	out := make([]auth.Code, 0, len(list))
	for _, c := range list {
		out = append(out, auth.Code(c))
	}
	return out
}

func accountOf(u store.UserEntry) auth.Account {
	return auth.Account{ID: u.ID, Login: u.Login, Name: u.Name, Role: auth.Role(u.Role),
		PasswordHash: u.PasswordHash, Subject: u.Subject, Disabled: u.Disabled}
}

func sessionOf(e store.SessionEntry) auth.Session {
	return auth.Session{ID: e.ID, User: e.User, Device: e.Device, Key: e.Key, SignedInMS: e.SignedInMS, ProvedMS: e.ProvedMS,
		RotatedMS: e.RotatedMS, EndedMS: e.EndedMS, Generation: e.Generation, Hash: e.Hash, Previous: e.Previous, Request: e.Request, Custody: e.Custody}
}

func entryOf(f auth.Fact) store.Entry {
	switch f := f.(type) {
	case auth.Account:
		return store.UserEntry{ID: f.ID, Login: f.Login, Name: f.Name, Role: string(f.Role),
			PasswordHash: f.PasswordHash, Subject: f.Subject, Disabled: f.Disabled}
	case auth.Device:
		return store.DeviceEntry(f)
	case auth.Session:
		return store.SessionEntry{ID: f.ID, User: f.User, Device: f.Device, Key: f.Key, SignedInMS: f.SignedInMS, ProvedMS: f.ProvedMS,
			RotatedMS: f.RotatedMS, EndedMS: f.EndedMS, Generation: f.Generation, Hash: f.Hash, Previous: f.Previous, Request: f.Request, Custody: f.Custody}
	case auth.Code:
		return store.CodeEntry(f)
	case auth.Passkey:
		return store.PasskeyEntry(f)
	}
	panic("bug: a fact of a kind that no entry keeps")
}
