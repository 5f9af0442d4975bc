package audit

import (
	"errors"

	"doorstep/syncproto"
	"doorstep/syncproto/cbor"
)

// Type says what an Event is about. Those below 256 are kinds of entries of the
// journal, numbered as package store numbers them; the others are of the access
// log.
type Type uint64

// The types of the access log.
const (
	TypeRead     Type = 256 // a record was shown
	TypeHistory  Type = 257 // a record's history was shown
	TypeDownload Type = 258 // a record's changes went to a device
	TypeList     Type = 259 // a family's or one's own list was shown
	TypeSearch   Type = 260
	TypeExport   Type = 261
	TypeDenied   Type = 262 // something was asked for and refused
	TypeSignIn   Type = 263 // somebody did not prove who they are; a good sign-in is a session in the journal
	TypeAuditor  Type = 264 // the log itself was read
	TypeOperator Type = 265 // a command of who runs the server, done or refused
)

// Mark stands for a record: HMAC-SHA-256 of its id, shortened to 16 bytes, under a
// key of the record's family that is destroyed with the family's keys. Then nobody
// can say any more whose record a leaf was about.
type Mark [16]byte

// Table is the beginning of the hash of the access table that was in force.
type Table [8]byte

// MaxWord bounds the word of an event, in bytes.
const MaxWord = 64

// Event is one thing that happened. A zero field was not known or does not apply.
type Event struct {
	Type    Type
	AtMS    int64 // server time, Unix milliseconds
	User    syncproto.UserID
	Device  syncproto.DeviceID
	Session syncproto.ID
	Change  syncproto.ChangeID
	Actor   syncproto.ActorID
	Record  Mark
	Status  uint64 // what was decided: a receipt's status, or a verdict's kind
	Code    syncproto.Code
	Table   Table
	Entry   [32]byte     // SHA-256 of the journal's entry, if it is one
	Subject syncproto.ID // who or what was acted on: a user, device, session or family
	Count   uint64       // how often, if gathered
	UntilMS int64        // the last time, if gathered
	Size    uint64       // of another log that is anchored here, or was restored
	Root    [32]byte     // of it
	Second  syncproto.UserID
	// Word is from a closed list: a reason code, a legal basis, a scope. It never
	// holds what a person typed.
	Word string
}

// ErrEvent says that bytes are not an event that Encode would write.
var ErrEvent = errors.New("not an audit event")

// The keys of an event; SPEC 7.12 lists them.
const (
	keyType = 1 + iota
	keyAt
	keyUser
	keyDevice
	keySession
	keyChange
	keyActor
	keyRecord
	keyStatus
	keyCode
	keyTable
	keyEntry
	keySubject
	keyCount
	keyUntil
	keySize
	keyRoot
	keySecond
	keyWord
)

// Encode returns the leaf: a CBOR map with unsigned keys in rising order, each
// there exactly when its value is not zero.
func (e *Event) Encode() []byte {
	w := writer{b: cbor.AppendMap(make([]byte, 0, 224), 0)}
	w.uint(keyType, uint64(e.Type))
	w.int(keyAt, e.AtMS)
	w.bytes(keyUser, e.User[:])
	w.bytes(keyDevice, e.Device[:])
	w.bytes(keySession, e.Session[:])
	w.bytes(keyChange, e.Change[:])
	w.bytes(keyActor, e.Actor[:])
	w.bytes(keyRecord, e.Record[:])
	w.uint(keyStatus, e.Status)
	w.uint(keyCode, uint64(e.Code))
	w.bytes(keyTable, e.Table[:])
	w.bytes(keyEntry, e.Entry[:])
	w.bytes(keySubject, e.Subject[:])
	w.uint(keyCount, e.Count)
	w.int(keyUntil, e.UntilMS)
	w.uint(keySize, e.Size)
	w.bytes(keyRoot, e.Root[:])
	w.bytes(keySecond, e.Second[:])
	if e.Word != "" {
		w.key(keyWord)
		w.b = cbor.AppendText(w.b, e.Word)
	}
	return w.b
}

// writer counts the pairs into the map's head, which is one byte: there are fewer
// than 24 keys.
type writer struct{ b []byte }

func (w *writer) key(k uint64) {
	w.b[0]++
	w.b = cbor.AppendUint(w.b, k)
}

func (w *writer) uint(k, v uint64) {
	if v != 0 {
		w.key(k)
		w.b = cbor.AppendUint(w.b, v)
	}
}

func (w *writer) int(k uint64, v int64) {
	if v != 0 {
		w.key(k)
		w.b = cbor.AppendInt(w.b, v)
	}
}

func (w *writer) bytes(k uint64, v []byte) {
	for _, c := range v {
		if c != 0 {
			w.key(k)
			w.b = cbor.AppendBytes(w.b, v)
			return
		}
	}
}

// DecodeEvent reads a leaf. It fails with ErrEvent for anything that Encode would
// not write.
func DecodeEvent(leaf []byte) (Event, error) {
	var e Event
	r := cbor.NewReader(leaf)
	for range r.Map() {
		e.read(r, r.Uint())
	}
	if r.Done() != nil || string(e.Encode()) != string(leaf) {
		return Event{}, ErrEvent
	}
	return e, nil
}

func (e *Event) read(r *cbor.Reader, key uint64) {
	switch key {
	case keyType:
		e.Type = Type(r.Uint())
	case keyAt:
		e.AtMS = r.Int()
	case keyUser:
		r.BytesInto(e.User[:])
	case keyDevice:
		r.BytesInto(e.Device[:])
	case keySession:
		r.BytesInto(e.Session[:])
	case keyChange:
		r.BytesInto(e.Change[:])
	case keyActor:
		r.BytesInto(e.Actor[:])
	case keyRecord:
		r.BytesInto(e.Record[:])
	case keyStatus:
		e.Status = r.Uint()
	case keyCode:
		e.Code = syncproto.Code(r.Uint())
	case keyTable:
		r.BytesInto(e.Table[:])
	case keyEntry:
		r.BytesInto(e.Entry[:])
	case keySubject:
		r.BytesInto(e.Subject[:])
	case keyCount:
		e.Count = r.Uint()
	case keyUntil:
		e.UntilMS = r.Int()
	case keySize:
		e.Size = r.Uint()
	case keyRoot:
		r.BytesInto(e.Root[:])
	case keySecond:
		r.BytesInto(e.Second[:])
	case keyWord:
		e.Word = r.TextUpTo(MaxWord)
	default:
		r.Fail(ErrEvent)
	}
}
