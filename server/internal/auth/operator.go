package auth

import (
	"context"
	"errors"
	"fmt"
	"sort"
	"strings"
	"time"

	"doorstep/syncproto"
)

// maxName bounds a person's name, in bytes.
const maxName = 200

// Errors of the operator's commands.
var (
	ErrLoginTaken    = errors.New("another account has this login")
	ErrUnknownUser   = errors.New("no account has this login")
	ErrUnknownDevice = errors.New("no device has this id")
	ErrBadRole       = errors.New("there is no such role; see: doorstep access table")
	ErrBadName       = errors.New("a name is 1 to 200 bytes")
)

// NewUser describes an account to be added.
type NewUser struct {
	Login    string
	Name     string
	Role     Role
	Password string // empty: cannot sign in until SetPassword
}

// Check returns ErrBadLogin, ErrBadName, ErrBadRole or ErrWeakPassword for what
// AddUser would not take whoever else has an account.
func (in NewUser) Check() error {
	if _, err := NormalLogin(in.Login); err != nil {
		return err
	}
	if name := strings.TrimSpace(in.Name); name == "" || len(name) > maxName {
		return ErrBadName
	}
	if !in.Role.Valid() {
		return ErrBadRole
	}
	if in.Password == "" {
		return nil
	}
	_, err := normalPassword(in.Password)
	return err
}

// AddUser creates an account. It returns ErrBadLogin, ErrBadName, ErrBadRole,
// ErrWeakPassword or ErrLoginTaken.
func (a *Auth) AddUser(ctx context.Context, in NewUser) (Account, error) {
	if err := in.Check(); err != nil {
		return Account{}, err
	}
	login, err := NormalLogin(in.Login)
	if err != nil {
		return Account{}, err
	}
	account := Account{Login: login, Name: strings.TrimSpace(in.Name), Role: in.Role}
	if in.Password != "" {
		if account.PasswordHash, err = a.cfg.Cost.hash(in.Password, a.cfg.Random); err != nil {
			return Account{}, err
		}
	}
	id, err := a.newID()
	if err != nil {
		return Account{}, err
	}
	account.ID = syncproto.UserID(id)
	err = a.cfg.Ledger.Record(ctx, func(f Facts) ([]Fact, error) {
		if _, taken := f.AccountByLogin(login); taken {
			return nil, ErrLoginTaken
		}
		return []Fact{account}, nil
	})
	return account, err
}

// SetPassword gives an account a new password. Refresh tokens from before stop
// working at once, access tokens lapse by themselves within ten minutes.
func (a *Auth) SetPassword(ctx context.Context, login, password string) error {
	hash, err := a.cfg.Cost.hash(password, a.cfg.Random)
	if err != nil {
		return err
	}
	return a.changeUser(ctx, login, func(acc *Account) { acc.PasswordHash = hash })
}

// DisableUser keeps a person out from now on (disabled true), or lets them in
// again. The account, its words and its unsent work stay.
func (a *Auth) DisableUser(ctx context.Context, login string, disabled bool) error {
	var id syncproto.UserID
	err := a.changeUser(ctx, login, func(acc *Account) { acc.Disabled, id = disabled, acc.ID })
	if err == nil {
		a.cache.drop(func(s subject) bool { return s.User == id })
	}
	return err
}

func (a *Auth) changeUser(ctx context.Context, login string, change func(*Account)) error {
	norm, err := NormalLogin(login)
	if err != nil {
		return err
	}
	return a.cfg.Ledger.Record(ctx, func(f Facts) ([]Fact, error) {
		account, ok := f.AccountByLogin(norm)
		if !ok {
			return nil, ErrUnknownUser
		}
		change(&account)
		return []Fact{account}, nil
	})
}

// IssueCode returns a fresh enrolment code for one person, for one device. It is
// shown once: only its hash is kept.
func (a *Auth) IssueCode(ctx context.Context, login string) (code string, expires time.Time, err error) {
	norm, err := NormalLogin(login)
	if err != nil {
		return "", time.Time{}, err
	}
	if code, err = newCode(a.cfg.Random); err != nil {
		return "", time.Time{}, err
	}
	normal, _ := NormalCode(code)
	expires = a.cfg.Now().Add(CodeLife)
	err = a.cfg.Ledger.Record(ctx, func(f Facts) ([]Fact, error) {
		account, ok := f.AccountByLogin(norm)
		if !ok {
			return nil, ErrUnknownUser
		}
		return []Fact{Code{Hash: codeHash(normal), User: account.ID, IssuedMS: a.nowMS(), ExpiresMS: expires.UnixMilli()}}, nil
	})
	if err != nil {
		return "", time.Time{}, fmt.Errorf("issuing an enrolment code: %w", err)
	}
	return code, expires, nil
}

// RevokeDevice ends every session on a device. Its unsent words can still be
// sent after a new sign-in there, into custody.
func (a *Auth) RevokeDevice(ctx context.Context, id syncproto.DeviceID) error {
	err := a.cfg.Ledger.Record(ctx, func(f Facts) ([]Fact, error) {
		d, ok := f.Device(id)
		if !ok {
			return nil, ErrUnknownDevice
		}
		if d.RevokedMS != 0 {
			return nil, nil
		}
		d.RevokedMS = a.nowMS()
		return []Fact{d}, nil
	})
	if err == nil {
		a.cache.drop(func(s subject) bool { return s.Device == id })
	}
	return err
}

// RevokeUser ends everything that a person could act by, as when somebody leaves
// or a whole bag is stolen: the account is disabled, its sessions end, its passkeys
// and enrolment codes are void, and devices that nobody else uses are revoked. On a
// shared tablet the others go on. The account, its words and its unsent work stay.
func (a *Auth) RevokeUser(ctx context.Context, login string) error {
	norm, err := NormalLogin(login)
	if err != nil {
		return err
	}
	var user syncproto.UserID
	now := a.nowMS()
	err = a.cfg.Ledger.Record(ctx, func(f Facts) ([]Fact, error) {
		account, ok := f.AccountByLogin(norm)
		if !ok {
			return nil, ErrUnknownUser
		}
		user, account.Disabled = account.ID, true
		facts := []Fact{account}
		for _, s := range f.Sessions(user) {
			s.EndedMS = now
			facts = append(facts, s)
		}
		for _, k := range f.Passkeys(user) {
			k.RemovedMS = now
			facts = append(facts, k)
		}
		for _, c := range f.Codes(user) {
			c.UsedMS = now // by no device: it stays void when the person comes back
			facts = append(facts, c)
		}
		for _, d := range a.cfg.Ledger.Devices() {
			if d.UsedBy(user) && len(d.Users) == 1 && d.RevokedMS == 0 {
				d.RevokedMS = now
				facts = append(facts, d)
			}
		}
		return facts, nil
	})
	if err == nil {
		a.cache.drop(func(s subject) bool { return s.User == user })
	}
	return err
}

// RevokeDeviceAs revokes a device for a caller: one of their own, or any that
// people use if the caller is of IT. CodeNotFound for any other.
func (a *Auth) RevokeDeviceAs(ctx context.Context, c Caller, id syncproto.DeviceID) error {
	d, ok := a.cfg.Ledger.Device(id)
	account, known := a.cfg.Ledger.Account(c.User)
	if !ok || !known || len(d.Users) == 0 || !d.UsedBy(c.User) && account.Role != RoleIT {
		return syncproto.CodeNotFound
	}
	return a.RevokeDevice(ctx, id)
}

// RevokeUserAs is RevokeUser for a caller of IT; CodeForbidden for anybody else,
// CodeNotFound if there is no such person.
func (a *Auth) RevokeUserAs(ctx context.Context, c Caller, user syncproto.UserID) error {
	by, ok := a.cfg.Ledger.Account(c.User)
	if !ok || by.Role != RoleIT {
		return syncproto.CodeForbidden
	}
	account, ok := a.cfg.Ledger.Account(user)
	if !ok {
		return syncproto.CodeNotFound
	}
	return a.RevokeUser(ctx, account.Login)
}

// Users lists all accounts by login.
func (a *Auth) Users() []Account {
	list := a.cfg.Ledger.Accounts()
	sort.Slice(list, func(i, j int) bool { return list[i].Login < list[j].Login })
	return list
}

// Devices lists all devices, the one enrolled first first.
func (a *Auth) Devices() []Device {
	list := a.cfg.Ledger.Devices()
	sort.Slice(list, func(i, j int) bool {
		if list[i].EnrolledMS != list[j].EnrolledMS {
			return list[i].EnrolledMS < list[j].EnrolledMS
		}
		return list[i].ID.String() < list[j].ID.String()
	})
	return list
}
