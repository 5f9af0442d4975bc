package auth

import (
	"context"

	"doorstep/syncproto"
)

// Role is what a person is in the borough. It limits nothing by itself: package
// access weighs it together with their relation to a family.
type Role string

// Some of the roles of a borough; Valid knows them all. IT staff run the server and
// never see content.
const (
	RolePractitioner Role = "practitioner"
	RoleCoordinator  Role = "coordinator"
	RoleManager      Role = "manager"
	RoleIT           Role = "it"
)

// Account is a person who can sign in.
type Account struct {
	ID           syncproto.UserID
	Login        string // as NormalLogin gives it
	Name         string // as colleagues see it
	Role         Role
	PasswordHash string // PHC string; empty: no password yet, cannot sign in with one
	Subject      string // whom the sign-in service knows them as, for good; empty: nobody
	Disabled     bool
}

// Device is an enrolled tablet: its key, and who uses it.
type Device struct {
	ID         syncproto.DeviceID
	Name       string
	Key        []byte // P-256, uncompressed, 65 bytes
	Users      []syncproto.UserID
	EnrolledMS int64
	RevokedMS  int64 // 0: in use
}

// UsedBy reports whether user has enrolled on the device.
func (d Device) UsedBy(user syncproto.UserID) bool {
	for _, u := range d.Users {
		if u == user {
			return true
		}
	}
	return false
}

// Session is one sign-in and the chain of refresh tokens that grew from it.
type Session struct {
	ID         syncproto.ID
	User       syncproto.UserID
	Device     syncproto.DeviceID // zero: none
	Key        Thumbprint         // whose holder may use it; zero: whoever has its tokens
	SignedInMS int64
	ProvedMS   int64 // when the person last proved who they are: at sign-in or a step-up; 0: never, in a custody session
	RotatedMS  int64
	EndedMS    int64 // 0: going on
	Generation uint64
	Hash       [32]byte            // of the refresh token in force
	Previous   [32]byte            // of the one before it
	Request    syncproto.RequestID // under which Previous became Hash
	Custody    bool                // begun by the device's key alone, to send words into custody
}

// Code is an enrolment code that was handed out. The code itself is not kept.
type Code struct {
	Hash      [32]byte
	User      syncproto.UserID // whom it was issued to
	IssuedMS  int64
	ExpiresMS int64
	UsedMS    int64              // 0: unused
	UsedBy    syncproto.DeviceID // the device it enrolled
}

// Fact is an Account, Device, Session, Code or Passkey. Recording one replaces the
// fact with the same id. A session that has ended, a passkey that was removed and
// a code that has lapsed by the time of a later one may be forgotten: all of them
// are refused alike.
type Fact interface{ fact() }

func (Account) fact() {}
func (Device) fact()  {}
func (Session) fact() {}
func (Code) fact()    {}

// Facts reads what was recorded; each method reports false for what is unknown.
type Facts interface {
	Account(syncproto.UserID) (Account, bool)
	AccountByLogin(login string) (Account, bool)
	Device(syncproto.DeviceID) (Device, bool)
	Session(syncproto.ID) (Session, bool)
	Code(hash [32]byte) (Code, bool)
	AccountBySubject(subject string) (Account, bool)
	Passkey(syncproto.ID) (Passkey, bool)
	// Passkeys and Sessions list what a person has in use, the oldest first.
	Passkeys(syncproto.UserID) []Passkey
	Sessions(syncproto.UserID) []Session
	// Codes lists the enrolment codes that a person was given and that were neither
	// used nor forgotten, in no order.
	Codes(syncproto.UserID) []Code
}

// Ledger keeps facts durably. Reads see what was recorded last.
type Ledger interface {
	Facts
	// Accounts and Devices list everything known, in no order.
	Accounts() []Account
	Devices() []Device
	// Record runs decide alone, with facts that no other Record can change
	// meanwhile, and makes what it returns durable before it returns. An error
	// of decide records nothing and is returned as it is.
	Record(ctx context.Context, decide func(Facts) ([]Fact, error)) error
}
