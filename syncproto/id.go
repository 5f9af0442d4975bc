package syncproto

// ID is a random 128-bit name. Records, families, users, devices, actors,
// collection elements and requests are all named so; each has its own type.
type ID [16]byte

type (
	// FamilyID names a family, the unit of access and of sync.
	FamilyID ID
	// RecordID names a record: one person, visit, child's part of a visit, plan.
	RecordID ID
	// UserID names a person who signs in.
	UserID ID
	// DeviceID names an enrolled device; it stands for the device's P-256 key.
	DeviceID ID
	// ActorID names one user on one installation: the owner of one chain of changes.
	ActorID ID
	// ElementID names an element of a collection or the slot of an own field.
	ElementID ID
	// RequestID names one sync request, so that a late or doubled reply is known.
	RequestID ID
	// Epoch names one unbroken life of a server's journal. A restored server, or
	// one that had to cut a torn tail, begins a new one.
	Epoch ID
	// ChangeID is SHA-256(prev ‖ SHA-256(body)); see SPEC 3.
	ChangeID [32]byte
)

// String returns 32 lower-case hex digits.
func (id ID) String() string        { return hexString(id[:]) }
func (id FamilyID) String() string  { return ID(id).String() }
func (id RecordID) String() string  { return ID(id).String() }
func (id UserID) String() string    { return ID(id).String() }
func (id DeviceID) String() string  { return ID(id).String() }
func (id ActorID) String() string   { return ID(id).String() }
func (id ElementID) String() string { return ID(id).String() }
func (id RequestID) String() string { return ID(id).String() }
func (id Epoch) String() string     { return ID(id).String() }

// String returns 64 lower-case hex digits.
func (id ChangeID) String() string { return hexString(id[:]) }

// IsZero reports whether the id is all zero, which names nothing.
func (id ID) IsZero() bool        { return id == ID{} }
func (id FamilyID) IsZero() bool  { return id == FamilyID{} }
func (id RecordID) IsZero() bool  { return id == RecordID{} }
func (id UserID) IsZero() bool    { return id == UserID{} }
func (id DeviceID) IsZero() bool  { return id == DeviceID{} }
func (id ActorID) IsZero() bool   { return id == ActorID{} }
func (id ElementID) IsZero() bool { return id == ElementID{} }
func (id Epoch) IsZero() bool     { return id == Epoch{} }

// IsZero reports whether the id is all zero: the prev of an actor's first change.
func (id ChangeID) IsZero() bool { return id == ChangeID{} }

// ParseID reads 32 hex digits; it returns CodeBadID for anything else.
func ParseID(s string) (ID, error) {
	var id ID
	if !parseHex(id[:], s) {
		return ID{}, CodeBadID
	}
	return id, nil
}

// ParseChangeID reads 64 hex digits; it returns CodeBadID for anything else.
func ParseChangeID(s string) (ChangeID, error) {
	var id ChangeID
	if !parseHex(id[:], s) {
		return ChangeID{}, CodeBadID
	}
	return id, nil
}

// hexString and parseHex stand in for encoding/hex, which links fmt.
func hexString(b []byte) string {
	const digits = "0123456789abcdef"
	out := make([]byte, 0, 2*len(b))
	for _, c := range b {
		out = append(out, digits[c>>4], digits[c&15])
	}
	return string(out)
}

func parseHex(dst []byte, s string) bool {
	if len(s) != 2*len(dst) {
		return false
	}
	for i := range dst {
		hi, lo := hexDigit(s[2*i]), hexDigit(s[2*i+1])
		if hi > 15 || lo > 15 {
			return false
		}
		dst[i] = hi<<4 | lo
	}
	return true
}

func hexDigit(c byte) byte {
	switch {
	case '0' <= c && c <= '9':
		return c - '0'
	case 'a' <= c && c <= 'f':
		return c - 'a' + 10
	}
	return 255
}
