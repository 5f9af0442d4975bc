package store

import (
	"doorstep/server/internal/audit"
	"doorstep/syncproto"
)

// Entry is one thing that the journal keeps. EncodeEntry writes the payload,
// DecodeEntry reads it; see entrycodec.go for the bytes.
//
// ChangeEntry, TipEntry, RefusedEntry and VerdictEntry have plain headers of ids
// alone; the words of a change are inside Sealed. All others are control entries:
// who people, devices, sessions and relations are. A control entry is sealed
// whole under the borough's system key, and the newest with the same id is the
// one that counts.
type Entry interface{ entryKind() entryKind }

// TeamID names a team of the borough.
type TeamID syncproto.ID

// ChangeEntry is a change as it was received. Status and Code are what was
// decided when it was ordered; a later VerdictEntry may move it on.
type ChangeEntry struct {
	ID     syncproto.ChangeID
	Prev   syncproto.ChangeID
	Record syncproto.RecordID
	Family syncproto.FamilyID
	Kind   string
	Actor  syncproto.ActorID
	Seq    uint64
	Deps   []syncproto.ChangeID
	Author syncproto.UserID
	Device syncproto.DeviceID
	Status syncproto.ReceiptStatus // accepted, held, quarantined or late
	Code   syncproto.Code
	AtMS   int64 // server time of receipt
	// Gap: the change before it in its chain is not waited for. The device lost its
	// content to a purge, or somebody else gave this one back.
	Gap bool
	// Counted: somebody else gave it back after a restore, with the proof that it had
	// counted. Nobody is asked again whether its author may, also when what it waits for
	// has come.
	Counted bool
	// Mark and Table are for the audit log: they stand for the record and for the
	// access table that was asked. Tx.Stage fills them in.
	Mark  audit.Mark
	Table audit.Table
	// Signature, if there is one, is the device's over its actor's chain up to this
	// change, and Run how many changes that is since the signature before, the refused
	// among them. What a TipEntry says otherwise.
	Signature []byte
	Run       uint64
	// Sealed is SealChange's result: the body under the record's key (words.go), bound to
	// ID, which is of prev too, and to AtMS.
	Sealed []byte
	room   []byte // Sealed, and before it room for the rest of the entry; nil: none
}

// TipEntry keeps the one signature that covers a run of an actor's chain, where the
// last change of it does not: that was refused, or was stored before.
type TipEntry struct {
	Actor     syncproto.ActorID
	Device    syncproto.DeviceID
	Tip       syncproto.ChangeID
	Count     uint64 // changes since the signature before, the refused among them
	Signature []byte // ES256, 64 bytes
}

// RefusedEntry keeps the place of a refused change in its actor's chain: its id
// is SHA-256(Prev ‖ Digest), so the chain stays provable without the bytes.
type RefusedEntry struct {
	ID     syncproto.ChangeID
	Prev   syncproto.ChangeID
	Digest [32]byte // SHA-256 of the refused body
	Actor  syncproto.ActorID
	Device syncproto.DeviceID
	Seq    uint64 // its place in the chain
	Code   syncproto.Code
	AtMS   int64
	Table  audit.Table // as in ChangeEntry
}

// VerdictEntry is a decision that depends on the order. Its Position is where
// the entry stands and is not part of the payload.
type VerdictEntry struct {
	syncproto.Verdict
	Mark  audit.Mark // as in ChangeEntry
	Table audit.Table
}

// UserEntry is a person who signs in. Role is what access knows them as.
type UserEntry struct {
	ID           syncproto.UserID
	Login        string
	Name         string
	Role         string
	PasswordHash string // empty: cannot sign in with a password
	Subject      string // whom the sign-in service knows them as; empty: nobody
	Disabled     bool
}

// PasskeyEntry is a key with which a person signs in. Data is what package auth
// keeps of it.
type PasskeyEntry struct {
	ID        syncproto.ID
	Key       []byte // its id, as the authenticator gave it
	User      syncproto.UserID
	Name      string
	Data      []byte
	AddedMS   int64
	UsedMS    int64
	RemovedMS int64 // 0: in use
	Copied    bool
}

// DeviceEntry is an enrolled tablet, the public key that it signs with, and the
// people who enrolled on it.
type DeviceEntry struct {
	ID         syncproto.DeviceID
	Name       string
	Key        []byte // P-256, uncompressed, 65 bytes
	Users      []syncproto.UserID
	EnrolledMS int64
	RevokedMS  int64 // 0: in use
}

// UsedBy reports whether a person enrolled on the device.
func (d DeviceEntry) UsedBy(user syncproto.UserID) bool {
	for _, u := range d.Users {
		if u == user {
			return true
		}
	}
	return false
}

// SessionEntry is one sign-in and the refresh tokens that grew from it.
type SessionEntry struct {
	ID         syncproto.ID
	User       syncproto.UserID
	Device     syncproto.DeviceID // zero: none
	Key        [32]byte           // thumbprint of the key that its tokens are bound to; zero: none
	SignedInMS int64
	ProvedMS   int64 // when the person last proved who they are
	RotatedMS  int64
	EndedMS    int64 // 0: going on
	Generation uint64
	Hash       [32]byte            // of the refresh token in force
	Previous   [32]byte            // of the one before it
	Request    syncproto.RequestID // under which Previous became Hash
	Custody    bool                // begun by the device's key alone, to send words into custody
}

// CodeEntry is an enrolment code that was handed out; the code itself is not kept.
type CodeEntry struct {
	Hash      [32]byte
	User      syncproto.UserID
	IssuedMS  int64
	ExpiresMS int64
	UsedMS    int64 // 0: unused
	UsedBy    syncproto.DeviceID
}

// RelationEntry gives or ends a person's relation to one family, from one time to
// another, as an allocation or a grant does. Basis is e.g. LEAD or CONSULT, or what
// keeps out: DENIED, RELATIVE. A person may have several; the newest with the same
// person, family, basis and ID is the one that counts.
type RelationEntry struct {
	User   syncproto.UserID
	Family syncproto.FamilyID
	Basis  string
	Grant  bool             // false: it ends, whatever its times
	ID     syncproto.ID     // names it: the allocation's record, or a random id; zero: it is the only one
	FromMS int64            // it holds from then on, by the time of each decision
	ToMS   int64            // and until then; 0: no end
	By     syncproto.UserID // who gave or ended it; zero: an import
	Reason string
}

// TeamEntry gives a person a post in a team (Basis: TEAM, COORD, MANAGER or
// SUPPORT), or ends it.
// They have that basis on every family of the team.
type TeamEntry struct {
	User  syncproto.UserID
	Team  TeamID
	Basis string
	Grant bool
}

// FamilyTeamEntry says which team a family is with; the zero team: none.
type FamilyTeamEntry struct {
	Family syncproto.FamilyID
	Team   TeamID
}

// RefEntry remembers which id an outside reference was given, so that importing
// the same thing again meets the same record.
type RefEntry struct {
	Kind string
	Ref  string
	ID   syncproto.ID
}

// PurgeEntry is a device's purge receipts, as it signed them (SPEC 7.5).
type PurgeEntry struct {
	Device    syncproto.DeviceID
	User      syncproto.UserID
	Epoch     syncproto.Epoch
	Purged    []syncproto.Purged
	Signature []byte // ES256 over syncproto.PurgeMessage of all that
	AtMS      int64
}

// entryKind is the first element of a payload. A number never changes its meaning.
type entryKind uint64

const (
	kindChange  entryKind = 1
	kindTip     entryKind = 2
	kindRefused entryKind = 3
	kindVerdict entryKind = 4
	kindControl entryKind = 5 // sealed; one of those from kindUser on inside
	kindSigned  entryKind = 6 // kindChange with a signature

	kindUser       entryKind = 16
	kindDevice     entryKind = 17
	kindSession    entryKind = 18
	kindCode       entryKind = 19
	kindRelation   entryKind = 20
	kindTeam       entryKind = 21
	kindFamilyTeam entryKind = 22
	kindRef        entryKind = 23
	kindPurge      entryKind = 24
	kindPasskey    entryKind = 48
)

func (ChangeEntry) entryKind() entryKind     { return kindChange }
func (TipEntry) entryKind() entryKind        { return kindTip }
func (RefusedEntry) entryKind() entryKind    { return kindRefused }
func (VerdictEntry) entryKind() entryKind    { return kindVerdict }
func (UserEntry) entryKind() entryKind       { return kindUser }
func (DeviceEntry) entryKind() entryKind     { return kindDevice }
func (SessionEntry) entryKind() entryKind    { return kindSession }
func (CodeEntry) entryKind() entryKind       { return kindCode }
func (RelationEntry) entryKind() entryKind   { return kindRelation }
func (TeamEntry) entryKind() entryKind       { return kindTeam }
func (FamilyTeamEntry) entryKind() entryKind { return kindFamilyTeam }
func (RefEntry) entryKind() entryKind        { return kindRef }
func (PurgeEntry) entryKind() entryKind      { return kindPurge }
func (PasskeyEntry) entryKind() entryKind    { return kindPasskey }

// IsControl reports whether an entry is a control entry.
func IsControl(e Entry) bool { return e.entryKind() >= kindUser }
