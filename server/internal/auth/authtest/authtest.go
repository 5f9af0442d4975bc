// Package authtest holds a Ledger in memory for tests of whoever is calling.
package authtest

import (
	"cmp"
	"context"
	"slices"
	"sync"

	"doorstep/server/internal/auth"
	"doorstep/syncproto"
)

// Ledger keeps facts in maps. The zero value is empty and ready.
type Ledger struct {
	recording sync.Mutex // held for the whole of Record

	mu       sync.Mutex
	accounts map[syncproto.UserID]auth.Account
	devices  map[syncproto.DeviceID]auth.Device
	sessions map[syncproto.ID]auth.Session
	codes    map[[32]byte]auth.Code
	passkeys map[syncproto.ID]auth.Passkey
	// Before, if set, runs before each Record: what happens between reading a fact
	// and recording one that follows from it.
	Before func()
	// Written counts the facts recorded.
	Written int
}

// NewLedger returns an empty ledger.
func NewLedger() *Ledger {
	return &Ledger{
		accounts: map[syncproto.UserID]auth.Account{},
		devices:  map[syncproto.DeviceID]auth.Device{},
		sessions: map[syncproto.ID]auth.Session{},
		codes:    map[[32]byte]auth.Code{},
		passkeys: map[syncproto.ID]auth.Passkey{},
	}
}

// Record implements auth.Ledger.
func (l *Ledger) Record(_ context.Context, decide func(auth.Facts) ([]auth.Fact, error)) error {
	if l.Before != nil {
		l.Before()
	}
	l.recording.Lock()
	defer l.recording.Unlock()
	facts, err := decide(l)
	if err != nil {
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, f := range facts {
		l.Written++
		switch f := f.(type) {
		case auth.Account:
			l.accounts[f.ID] = f
		case auth.Device:
			l.devices[f.ID] = f
		case auth.Session:
			l.sessions[f.ID] = f
		case auth.Code:
			l.codes[f.Hash] = f
		case auth.Passkey:
			l.passkeys[f.ID] = f
		}
	}
	return nil
}

// Account implements auth.Facts.
func (l *Ledger) Account(id syncproto.UserID) (auth.Account, bool) { return get(l, l.accounts, id) }

// Device implements auth.Facts.
func (l *Ledger) Device(id syncproto.DeviceID) (auth.Device, bool) { return get(l, l.devices, id) }

// Session implements auth.Facts.
func (l *Ledger) Session(id syncproto.ID) (auth.Session, bool) { return get(l, l.sessions, id) }

// Code implements auth.Facts.
func (l *Ledger) Code(hash [32]byte) (auth.Code, bool) { return get(l, l.codes, hash) }

// AccountBySubject implements auth.Facts.
func (l *Ledger) AccountBySubject(subject string) (auth.Account, bool) {
	for _, a := range l.Accounts() {
		if a.Subject == subject && subject != "" {
			return a, true
		}
	}
	return auth.Account{}, false
}

// Passkey implements auth.Facts.
func (l *Ledger) Passkey(id syncproto.ID) (auth.Passkey, bool) { return get(l, l.passkeys, id) }

// Passkeys implements auth.Facts.
func (l *Ledger) Passkeys(user syncproto.UserID) []auth.Passkey {
	out := list(l, l.passkeys)
	out = slices.DeleteFunc(out, func(k auth.Passkey) bool { return k.User != user || k.RemovedMS != 0 })
	slices.SortFunc(out, func(a, b auth.Passkey) int { return cmp.Compare(a.AddedMS, b.AddedMS) })
	return out
}

// Sessions implements auth.Facts.
func (l *Ledger) Sessions(user syncproto.UserID) []auth.Session {
	out := list(l, l.sessions)
	out = slices.DeleteFunc(out, func(s auth.Session) bool { return s.User != user || s.EndedMS != 0 })
	slices.SortFunc(out, func(a, b auth.Session) int { return cmp.Compare(a.SignedInMS, b.SignedInMS) })
	return out
}

// Codes implements auth.Facts.
func (l *Ledger) Codes(user syncproto.UserID) []auth.Code {
	return slices.DeleteFunc(list(l, l.codes), func(c auth.Code) bool { return c.User != user || c.UsedMS != 0 })
}

// AccountByLogin implements auth.Facts.
func (l *Ledger) AccountByLogin(login string) (auth.Account, bool) {
	for _, a := range l.Accounts() {
		if a.Login == login {
			return a, true
		}
	}
	return auth.Account{}, false
}

// Accounts implements auth.Ledger.
func (l *Ledger) Accounts() []auth.Account { return list(l, l.accounts) }

// Devices implements auth.Ledger.
func (l *Ledger) Devices() []auth.Device { return list(l, l.devices) }

func get[K comparable, V any](l *Ledger, m map[K]V, key K) (V, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	v, ok := m[key]
	return v, ok
}

func list[K comparable, V any](l *Ledger, m map[K]V) []V {
	l.mu.Lock()
	defer l.mu.Unlock()
	out := make([]V, 0, len(m))
	for _, v := range m {
		out = append(out, v)
	}
	return out
}
