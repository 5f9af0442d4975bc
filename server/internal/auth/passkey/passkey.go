// Package passkey checks passkeys (Web Authentication, level 3): keys that a
// person's tablet, phone or security key holds and uses only after it has verified
// the person itself.
//
// Begin and Finish are one sign-in, by whichever passkey of this borough the
// authenticator offers; BeginNew and FinishNew add one. What is kept of a passkey
// is opaque bytes (Key.Data). What was begun is a Session, which the caller keeps
// from strangers and uses once.
package passkey

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/webauthn"
)

var (
	// ErrRefused says that an answer cannot be trusted; the chain says why.
	ErrRefused = errors.New("the passkey's answer was refused")
	// ErrCopied says that a passkey's counter went back: there are two of it.
	ErrCopied = errors.New("the passkey was used by a copy of it")
)

// Config is what passkeys are made for.
type Config struct {
	Domain  string   // the relying party's id: the host that people see
	Name    string   // of the installation, for people
	Origins []string // that answers may come from
}

// Checker makes challenges and checks answers. It keeps nothing.
type Checker struct{ web *webauthn.WebAuthn }

// New returns a checker for a domain.
func New(cfg Config) (*Checker, error) {
	web, err := webauthn.New(&webauthn.Config{
		RPID: cfg.Domain, RPDisplayName: cfg.Name, RPOrigins: cfg.Origins,
		AttestationPreference: protocol.PreferNoAttestation,
		AuthenticatorSelection: protocol.AuthenticatorSelection{
			ResidentKey: protocol.ResidentKeyRequirementRequired, UserVerification: protocol.VerificationRequired,
		},
	})
	if err != nil {
		return nil, fmt.Errorf("preparing passkeys: %w", err)
	}
	return &Checker{web}, nil
}

// Session is a ceremony that was begun.
type Session struct{ Data webauthn.SessionData }

// Key is a passkey of a person.
type Key struct {
	ID   []byte // that the authenticator gave it
	Data []byte // what is kept of it
}

// Owner is a person and their passkeys.
type Owner struct {
	ID    []byte
	Login string
	Name  string
	Keys  []Key
}

// Begin returns the options of navigator.credentials.get, as JSON.
func (c *Checker) Begin() (options json.RawMessage, s Session, err error) {
	assertion, data, err := c.web.BeginDiscoverableLogin(webauthn.WithUserVerification(protocol.VerificationRequired))
	if err != nil {
		return nil, s, fmt.Errorf("making a challenge: %w", err)
	}
	options, err = json.Marshal(assertion.Response)
	return options, Session{*data}, err
}

// Finish checks what navigator.credentials.get gave. owner finds the person whom
// the answer names; the key that was used comes back with its counter moved on. It
// fails with ErrRefused or ErrCopied.
func (c *Checker) Finish(s Session, answer []byte, owner func(id, key []byte) (Owner, error)) (Owner, Key, error) {
	parsed, err := protocol.ParseCredentialRequestResponseBytes(answer)
	if err != nil {
		return Owner{}, Key{}, refused(err)
	}
	var found Owner
	credential, err := c.web.ValidateDiscoverableLogin(func(key, id []byte) (webauthn.User, error) {
		var err error
		if found, err = owner(id, key); err != nil {
			return nil, err
		}
		return newPerson(found)
	}, s.Data, parsed)
	if err != nil {
		return Owner{}, Key{}, refused(err)
	}
	if credential.Authenticator.CloneWarning {
		return found, Key{ID: credential.ID}, ErrCopied
	}
	key, err := keyOf(credential)
	return found, key, err
}

// BeginNew returns the options of navigator.credentials.create, as JSON.
func (c *Checker) BeginNew(o Owner) (options json.RawMessage, s Session, err error) {
	who, err := newPerson(o)
	if err != nil {
		return nil, s, err
	}
	has := make([]protocol.CredentialDescriptor, 0, len(who.credentials))
	for _, k := range who.credentials {
		has = append(has, k.Descriptor())
	}
	creation, data, err := c.web.BeginRegistration(who, webauthn.WithExclusions(has), webauthn.WithExtensions(webauthn.WithExtensionPRFSupport()))
	if err != nil {
		return nil, s, fmt.Errorf("making a challenge: %w", err)
	}
	options, err = json.Marshal(creation.Response)
	return options, Session{*data}, err
}

// FinishNew checks what navigator.credentials.create gave. It fails with
// ErrRefused.
func (c *Checker) FinishNew(o Owner, s Session, answer []byte) (Key, error) {
	parsed, err := protocol.ParseCredentialCreationResponseBytes(answer)
	if err != nil {
		return Key{}, refused(err)
	}
	who, err := newPerson(o)
	if err != nil {
		return Key{}, err
	}
	credential, err := c.web.CreateCredential(who, s.Data, parsed)
	if err != nil {
		return Key{}, refused(err)
	}
	return keyOf(credential)
}

// refused says why, for the log: the library's detail, without what was sent.
func refused(err error) error {
	var detail *protocol.Error
	if errors.As(err, &detail) {
		return fmt.Errorf("%w: %s", ErrRefused, detail.Details)
	}
	return ErrRefused
}

func keyOf(c *webauthn.Credential) (Key, error) {
	kept := *c
	kept.Attestation = webauthn.CredentialAttestation{} // names the maker at most, and is not weighed
	data, err := json.Marshal(kept)
	if err != nil {
		return Key{}, fmt.Errorf("keeping a passkey: %w", err)
	}
	return Key{ID: c.ID, Data: data}, nil
}

// person is an Owner as the library knows people.
type person struct {
	Owner
	credentials []webauthn.Credential
}

func newPerson(o Owner) (*person, error) {
	p := &person{Owner: o}
	for _, k := range o.Keys {
		var c webauthn.Credential
		if err := json.Unmarshal(k.Data, &c); err != nil {
			return nil, fmt.Errorf("reading a passkey: %w", err)
		}
		p.credentials = append(p.credentials, c)
	}
	return p, nil
}

// WebAuthnID implements webauthn.User.
func (p *person) WebAuthnID() []byte { return p.ID }

// WebAuthnName implements webauthn.User.
func (p *person) WebAuthnName() string { return p.Login }

// WebAuthnDisplayName implements webauthn.User.
func (p *person) WebAuthnDisplayName() string { return p.Name }

// WebAuthnCredentials implements webauthn.User.
func (p *person) WebAuthnCredentials() []webauthn.Credential { return p.credentials }
