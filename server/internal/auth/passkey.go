package auth

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"doorstep/server/internal/auth/passkey"
	"doorstep/syncproto"
)

// maxPasskeys bounds a person's passkeys: a tablet, a phone, a security key and
// what is left of those before them.
const maxPasskeys = 16

// maxPasskeyName bounds what a passkey is called, in bytes.
const maxPasskeyName = 64

// Passkey is a key with which a person signs in.
type Passkey struct {
	ID        syncproto.ID // as lists and commands name it: of its Key
	Key       []byte       // its id, as the authenticator gave it
	User      syncproto.UserID
	Name      string
	Data      []byte // what package passkey keeps of it
	AddedMS   int64
	UsedMS    int64 // 0: not yet
	RemovedMS int64 // 0: in use
	Copied    bool  // its counter went back: refused until it is added anew
}

func (Passkey) fact() {}

// passkeyID names the passkey of an authenticator's key id.
func passkeyID(key []byte) syncproto.ID {
	sum := sha256.Sum256(append([]byte("doorstep-passkey-v1\x00"), key...))
	return syncproto.ID(sum[:16])
}

// PasskeyBack is what an authenticator answered.
type PasskeyBack struct {
	Ticket string          // that came with the challenge
	Answer json.RawMessage // the PublicKeyCredential, as JSON
}

// BeginPasskey returns the options for navigator.credentials.get and a ticket to
// come back with. It fails with CodeNotFound where passkeys are not set up.
func (a *Auth) BeginPasskey(context.Context) (options json.RawMessage, ticket string, err error) {
	if a.cfg.Passkeys == nil {
		return nil, "", syncproto.CodeNotFound
	}
	options, session, err := a.cfg.Passkeys.Begin()
	if err != nil {
		return nil, "", err
	}
	ticket, err = a.passkeyTicket(ticketPasskey, session)
	return options, ticket, err
}

func (a *Auth) passkeyTicket(purpose string, body any) (string, error) {
	id, err := a.newID()
	if err != nil {
		return "", err
	}
	return a.tickets.issue(purpose, id.String(), body, a.cfg.Now())
}

// passkeyAccount returns whose passkey answered. It fails with CodeBadPasskey, and
// CodeBadCredentials for a disabled account.
func (a *Auth) passkeyAccount(ctx context.Context, back *PasskeyBack) (Account, error) {
	if a.cfg.Passkeys == nil {
		return Account{}, syncproto.CodeNotFound
	}
	var session passkey.Session
	if err := a.tickets.redeem(ticketPasskey, back.Ticket, &session, a.cfg.Now()); err != nil {
		return Account{}, a.badPasskey(ctx, err)
	}
	owner, used, err := a.cfg.Passkeys.Finish(session, back.Answer, func(id, _ []byte) (passkey.Owner, error) {
		return a.ownerOf(id)
	})
	copied := errors.Is(err, passkey.ErrCopied)
	if err != nil && !copied {
		return Account{}, a.badPasskey(ctx, err)
	}
	if err := a.passkeyUsed(ctx, used, copied); err != nil {
		return Account{}, err
	}
	if copied {
		return Account{}, a.badPasskey(ctx, err)
	}
	account, ok := a.cfg.Ledger.Account(syncproto.UserID(owner.ID))
	if !ok || account.Disabled {
		return Account{}, syncproto.CodeBadCredentials
	}
	return account, nil
}

func (a *Auth) badPasskey(ctx context.Context, err error) error {
	if errors.Is(err, syncproto.CodeUnavailable) {
		return err
	}
	a.cfg.Log.WarnContext(ctx, "security: passkey refused", "reason", err.Error())
	return fmt.Errorf("%w: %w", syncproto.CodeBadPasskey, err)
}

// ownerOf returns a person and the passkeys that they may use.
func (a *Auth) ownerOf(id []byte) (passkey.Owner, error) {
	if len(id) != len(syncproto.UserID{}) {
		return passkey.Owner{}, errors.New("no account has this handle")
	}
	account, ok := a.cfg.Ledger.Account(syncproto.UserID(id))
	if !ok {
		return passkey.Owner{}, errors.New("no account has this handle")
	}
	o := passkey.Owner{ID: bytes.Clone(account.ID[:]), Login: account.Login, Name: account.Name}
	for _, k := range a.Passkeys(account.ID) {
		if !k.Copied {
			o.Keys = append(o.Keys, passkey.Key{ID: k.Key, Data: k.Data})
		}
	}
	return o, nil
}

// passkeyUsed keeps where a passkey's counter has got to, or that there is a copy.
func (a *Auth) passkeyUsed(ctx context.Context, used passkey.Key, copied bool) error {
	err := a.cfg.Ledger.Record(ctx, func(f Facts) ([]Fact, error) {
		k, ok := f.Passkey(passkeyID(used.ID))
		if !ok || k.RemovedMS != 0 || k.Copied {
			return nil, syncproto.CodeBadPasskey
		}
		if k.UsedMS, k.Copied = a.nowMS(), copied; !copied {
			k.Data = used.Data
		}
		return []Fact{k}, nil
	})
	if err != nil {
		return fmt.Errorf("keeping a passkey's counter: %w", err)
	}
	return nil
}

// newPasskey is what the ticket of an addition holds.
type newPasskey struct {
	User    syncproto.UserID
	Session passkey.Session
}

// BeginAddPasskey returns the options for navigator.credentials.create and a
// ticket to come back with, for whoever proved a moment ago who they are.
func (a *Auth) BeginAddPasskey(_ context.Context, c Caller) (options json.RawMessage, ticket string, err error) {
	if a.cfg.Passkeys == nil {
		return nil, "", syncproto.CodeNotFound
	}
	owner, err := a.ownerOf(c.User[:])
	if err != nil {
		return nil, "", err
	}
	options, session, err := a.cfg.Passkeys.BeginNew(owner)
	if err != nil {
		return nil, "", err
	}
	ticket, err = a.passkeyTicket(ticketNewPasskey, newPasskey{c.User, session})
	return options, ticket, err
}

// AddPasskey keeps a new passkey of the caller. It fails with CodeBadPasskey, and
// CodeTooMany over maxPasskeys.
func (a *Auth) AddPasskey(ctx context.Context, c Caller, back PasskeyBack, name string) (Passkey, error) {
	if a.cfg.Passkeys == nil {
		return Passkey{}, syncproto.CodeNotFound
	}
	var begun newPasskey
	if err := a.tickets.redeem(ticketNewPasskey, back.Ticket, &begun, a.cfg.Now()); err != nil {
		return Passkey{}, a.badPasskey(ctx, err)
	}
	owner, err := a.ownerOf(c.User[:])
	if err != nil || begun.User != c.User {
		return Passkey{}, a.badPasskey(ctx, errTicket)
	}
	key, err := a.cfg.Passkeys.FinishNew(owner, begun.Session, back.Answer)
	if err != nil {
		return Passkey{}, a.badPasskey(ctx, err)
	}
	added := Passkey{ID: passkeyID(key.ID), Key: key.ID, User: c.User, Name: passkeyName(name), Data: key.Data, AddedMS: a.nowMS()}
	err = a.cfg.Ledger.Record(ctx, func(f Facts) ([]Fact, error) {
		if _, known := f.Passkey(added.ID); known {
			return nil, syncproto.CodeBadPasskey
		}
		if len(f.Passkeys(c.User)) >= maxPasskeys {
			return nil, syncproto.CodeTooMany
		}
		return []Fact{added}, nil
	})
	return added, err
}

func passkeyName(name string) string {
	name = strings.ToValidUTF8(strings.TrimSpace(name), "")
	if name == "" || len(name) > maxPasskeyName {
		return "passkey"
	}
	return name
}

// Passkeys lists the passkeys of a person that are in use.
func (a *Auth) Passkeys(user syncproto.UserID) []Passkey { return a.cfg.Ledger.Passkeys(user) }

// RemovePasskey takes a passkey of a person out of use; CodeNotFound if they have
// none of this id.
func (a *Auth) RemovePasskey(ctx context.Context, user syncproto.UserID, id syncproto.ID) error {
	return a.cfg.Ledger.Record(ctx, func(f Facts) ([]Fact, error) {
		k, ok := f.Passkey(id)
		if !ok || k.User != user || k.RemovedMS != 0 {
			return nil, syncproto.CodeNotFound
		}
		k.RemovedMS = a.nowMS()
		return []Fact{k}, nil
	})
}
