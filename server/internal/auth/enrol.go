package auth

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/sha256"
	"errors"
	"fmt"
	"math/big"
	"strings"

	"doorstep/server/internal/auth/openid"
	"doorstep/syncproto"
)

// KeyBytes is the length of a device's public key: an uncompressed P-256 point.
const KeyBytes = 65

// signatureBytes is the length of an ES256 signature, r ‖ s.
const signatureBytes = 64

// maxDeviceName bounds what a device is called, in bytes.
const maxDeviceName = 64

// Enrol is what a person gives to enrol on a device.
type Enrol struct {
	Credential
	Code  string // enrolment code, as typed
	Key   []byte // the device's public key, KeyBytes long
	Proof []byte // ES256 by that key over EnrolMessage(code)
	Name  string // what the device is called, for lists
}

// EnrolMessage is what a device signs to prove that it holds its key:
// "doorstep-enrol-v1", a zero byte, and the code as NormalCode gives it.
func EnrolMessage(normalCode string) []byte {
	return []byte("doorstep-enrol-v1\x00" + normalCode)
}

// DeviceIDOf names the device that holds a key: the first 16 bytes of a SHA-256
// over it. The same key is the same device, so a retried enrolment changes
// nothing and a revoked key cannot come back under another name.
func DeviceIDOf(key []byte) syncproto.DeviceID {
	sum := sha256.Sum256(append([]byte("doorstep-device-v1\x00"), key...))
	return syncproto.DeviceID(sum[:16])
}

// Enrol binds a person to a device and begins a session there. A second person
// enrols on the same device with their own login and code. It returns
// CodeBadSignature for a key off the curve or a proof that fails,
// CodeBadCredentials for a wrong login, password or code alike (NeedsPassword among
// them), CodeRevokedDevice for a key that was revoked, and *TooMany.
func (a *Auth) Enrol(ctx context.Context, in Enrol) (Grant, error) {
	code, ok := NormalCode(in.Code)
	if !ok {
		code = "" // refused below, after the password was weighed
	}
	if !VerifyES256(in.Key, EnrolMessage(code), in.Proof) {
		return Grant{}, syncproto.CodeBadSignature
	}
	who, err := a.enrolling(ctx, code, in)
	if err != nil {
		return Grant{}, err
	}
	device, account := DeviceIDOf(in.Key), who.account
	first, session, err := a.newSession(who, device, ThumbprintOf(in.Key))
	if err != nil {
		return Grant{}, err
	}
	err = a.cfg.Ledger.Record(ctx, func(f Facts) ([]Fact, error) {
		facts, err := a.bind(f, account, code, in)
		return append(append(facts, a.outlived(f, account.ID)...), session), err
	})
	if err != nil {
		return Grant{}, fmt.Errorf("enrolling a device: %w", err)
	}
	return a.grant(account, session, first)
}

// enrolling returns whose enrolment this is. Somebody whose account has no
// password yet chooses it with their first enrolment, and somebody whom the sign-in
// service knows and we do not is linked by it: the code stands for them. What is new
// of the account is only recorded with the device (bind).
func (a *Auth) enrolling(ctx context.Context, code string, in Enrol) (proved, error) {
	device := DeviceIDOf(in.Key)
	if in.OpenID != nil {
		return a.paced(in.Address, func() (proved, error) { return a.enrollingByService(ctx, code, in) })
	}
	norm, err := NormalLogin(in.Login)
	account, known := a.cfg.Ledger.AccountByLogin(norm)
	_, wrong := a.goodCode(a.cfg.Ledger, account.ID, code, device) // asked of a login that there is not as well, for equal cost
	if errors.Join(err, wrong) != nil || !known || account.PasswordHash != "" || account.Disabled || in.Passkey != nil {
		return a.identify(ctx, in.Credential)
	}
	account.PasswordHash, err = a.newHash(ctx, in.Password)
	if errors.Is(err, ErrWeakPassword) {
		return proved{}, syncproto.CodeBadValue
	}
	return proved{account, a.cfg.Now()}, err
}

// NeedsPassword is the error of an enrolment that would link a person of the sign-in
// service to an account with a password, and did not give it: an enrolment code that
// went astray must not hand somebody's account to a stranger. It unwraps to
// CodeBadCredentials.
type NeedsPassword struct{}

func (NeedsPassword) Error() string {
	return "the account has a password, which has to be given as well"
}

// Unwrap returns CodeBadCredentials.
func (NeedsPassword) Unwrap() error { return syncproto.CodeBadCredentials }

// enrollingByService is enrolling by the sign-in service. A person whom we know
// already is who they are; else the code says whose account is theirs from now on.
func (a *Auth) enrollingByService(ctx context.Context, code string, in Enrol) (proved, error) {
	person, err := a.openIDPerson(ctx, in.OpenID)
	if err != nil {
		return proved{}, err
	}
	at := a.provedAt(person)
	c, issued := a.cfg.Ledger.Code(codeHash(code))
	if issued {
		_, err = a.goodCode(a.cfg.Ledger, c.User, code, DeviceIDOf(in.Key))
	}
	if _, known := a.cfg.Ledger.AccountBySubject(person.Subject); known || !issued || err != nil {
		account, err := a.accountOf(ctx, person)
		return proved{account, at}, err
	}
	account, err := a.linking(ctx, person, c.User, in)
	return proved{account, at}, err
}

// linking is the account of an enrolment code as it will be once it is bound to a
// person of the sign-in service. It fails with CodeUnlinked if another is bound to
// it, with CodeNoRole, CodeBadCredentials and NeedsPassword.
func (a *Auth) linking(ctx context.Context, person openid.Person, user syncproto.UserID, in Enrol) (Account, error) {
	account, ok := a.cfg.Ledger.Account(user)
	if !ok || account.Disabled {
		return Account{}, syncproto.CodeBadCredentials
	}
	if account.Subject != "" {
		return Account{}, syncproto.CodeUnlinked
	}
	role, err := a.roleOf(person)
	if err != nil {
		return Account{}, err
	}
	if account.PasswordHash != "" {
		if in.Login == "" || in.Password == "" {
			return Account{}, NeedsPassword{}
		}
		owner, err := a.checkPassword(ctx, in.Credential)
		if err != nil {
			return Account{}, err
		}
		if owner.ID != user {
			return Account{}, syncproto.CodeBadCredentials
		}
	}
	account.Subject = person.Subject
	if role != "" {
		account.Role = role
	}
	return account, nil
}

// newHash hashes a new password when a core is free for it.
func (a *Auth) newHash(ctx context.Context, password string) (hash string, err error) {
	err = a.whenFree(ctx, func() error {
		hash, err = a.cfg.Cost.hash(password, a.cfg.Random)
		return err
	})
	return hash, err
}

// goodCode returns the enrolment code if it was issued to user and can be used
// on device: unused, or used there before, because replies get lost.
func (a *Auth) goodCode(f Facts, user syncproto.UserID, code string, device syncproto.DeviceID) (Code, error) {
	c, ok := f.Code(codeHash(code))
	if !ok || c.User != user || c.ExpiresMS <= a.nowMS() || c.UsedMS != 0 && c.UsedBy != device {
		return Code{}, syncproto.CodeBadCredentials
	}
	return c, nil
}

// bind decides what an enrolment changes: the code is used up, the user is added
// to the device, and a first password is kept.
func (a *Auth) bind(f Facts, account Account, code string, in Enrol) ([]Fact, error) {
	id, user := DeviceIDOf(in.Key), account.ID
	c, err := a.goodCode(f, user, code, id)
	if err != nil {
		return nil, err
	}
	var facts []Fact
	current, ok := f.Account(user)
	if !ok || current.Disabled || current.PasswordHash != "" && current.PasswordHash != account.PasswordHash {
		return nil, syncproto.CodeBadCredentials // changed since the password was checked
	}
	before := current
	if current.PasswordHash == "" {
		current.PasswordHash = account.PasswordHash // and nothing else of what was read before
	}
	if account.Subject != "" && current.Subject != account.Subject {
		if _, taken := f.AccountBySubject(account.Subject); taken || current.Subject != "" {
			return nil, syncproto.CodeUnlinked // bound since it was looked up
		}
		current.Subject, current.Role = account.Subject, account.Role
	}
	if current != before {
		facts = append(facts, current)
	}
	d, known := f.Device(id)
	if known && d.RevokedMS != 0 {
		return nil, syncproto.CodeRevokedDevice
	}
	if !known {
		d = Device{ID: id, Name: deviceName(in.Name), Key: in.Key, EnrolledMS: a.nowMS()}
	}
	if !d.UsedBy(user) {
		d.Users = append(append([]syncproto.UserID(nil), d.Users...), user)
		facts = append(facts, d)
	}
	if c.UsedMS == 0 {
		c.UsedMS, c.UsedBy = a.nowMS(), id
		facts = append(facts, c)
	}
	return facts, nil
}

// deviceName keeps what can be shown in a list of devices.
func deviceName(name string) string {
	name = strings.ToValidUTF8(strings.TrimSpace(name), "")
	for len(name) > maxDeviceName {
		runes := []rune(name)
		name = string(runes[:len(runes)-1])
	}
	if name == "" {
		return "device"
	}
	return name
}

// VerifyES256 reports whether signature (r ‖ s, 64 bytes) over message is by the
// holder of key (an uncompressed P-256 point). It implements syncproto.Verifier.
func VerifyES256(key, message, signature []byte) bool {
	if len(key) != KeyBytes || len(signature) != signatureBytes {
		return false
	}
	public, err := ecdsa.ParseUncompressedPublicKey(elliptic.P256(), key) // checks that it is on the curve
	if err != nil {
		return false
	}
	sum := sha256.Sum256(message)
	r := new(big.Int).SetBytes(signature[:32])
	s := new(big.Int).SetBytes(signature[32:])
	return ecdsa.Verify(public, sum[:], r, s)
}
