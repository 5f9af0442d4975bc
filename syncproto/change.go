package syncproto

import (
	"doorstep/syncproto/cbor"
	"doorstep/syncproto/text"
)

// CaptureMode says how the words of a change came to be. Machine transcription
// must never reach a final record unreviewed, so provenance is part of the change.
type CaptureMode uint8

const (
	CaptureTyped       CaptureMode = 0
	CaptureDictated    CaptureMode = 1
	CaptureTranscribed CaptureMode = 2
	CapturePen         CaptureMode = 3
	CaptureImported    CaptureMode = 4
)

// String returns the mode's name as JSON and bundles write it; "unknown" for one that is
// not known here.
func (m CaptureMode) String() string {
	switch m {
	case CaptureTyped:
		return "typed"
	case CaptureDictated:
		return "dictated"
	case CaptureTranscribed:
		return "transcribed"
	case CapturePen:
		return "pen"
	case CaptureImported:
		return "imported"
	}
	return "unknown"
}

// Change is a decoded, immutable edit of one record. Prev and Raw are what was
// hashed and signed; the other fields were read from Raw and are never encoded
// again (SPEC 3).
type Change struct {
	ID   ChangeID
	Prev ChangeID // the actor's change before; zero for the first
	Raw  []byte   // the body's bytes as received
	Body Body
}

// Body is what a change says. EncodeBody writes it, DecodeChange reads it.
type Body struct {
	Version       uint64 // format version, BodyVersion
	Borough       string // the borough's name, as in its configuration
	Family        FamilyID
	Record        RecordID
	Kind          string // record kind, e.g. "visit"
	SchemaVersion uint64
	Actor         ActorID
	Seq           uint64     // 1 for the actor's first change, then one more each
	Salt          [16]byte   // random, so that an id gives nothing away
	Deps          []ChangeID // sorted, distinct, of this record; at most MaxDeps
	TimeMS        int64      // device clock, Unix milliseconds UTC; evidence only
	OffsetMin     int64      // device's UTC offset in minutes
	MonotonicMS   uint64     // device's monotonic reading since its session began
	Author        UserID
	Capture       CaptureMode
	Ops           []Op

	// NewerApp is set by the decoder when Version or an op is not known here:
	// such a change is held, never folded (SPEC 4.4).
	NewerApp bool
}

// Path leads to a field, to an element or slot of it, or to a part of that:
// [field], [field, element], [field, element, sub].
type Path struct {
	Field   string
	Element ElementID
	Sub     string
}

// OpCode numbers the ops. A changed op is a new code: a reader that does not
// know a code holds the change.
type OpCode uint64

const (
	OpSet      OpCode = 1  // Path, Value
	OpSplice   OpCode = 2  // Path, Splices
	OpAdd      OpCode = 3  // Path{Field, Element}, Value (a map of sub fields)
	OpRemove   OpCode = 4  // Path{Field, Element}, Reason
	OpDecide   OpCode = 5  // Path, Value, Reason; deps cover every side
	OpHandOver OpCode = 6  // To (zero: the team's queue)
	OpConfirm  OpCode = 7  // Heads: what the author stands by; To: for whom, Reason: why they cannot
	OpQuery    OpCode = 8  // Path (may be empty), To, Text
	OpAnswer   OpCode = 9  // Target (the query), Text
	OpFinalise OpCode = 10 // Heads: what is sealed
	OpAddendum OpCode = 11 // Text, TimeMS (when it happened), Reason (why late)
	OpCorrect  OpCode = 12 // Path, Old, Value, Reason
	OpTypeUp   OpCode = 13 // To (whose words are typed up), Reason (from what)
)

// Op is one step of a change. Which fields count depends on Code.
type Op struct {
	Code    OpCode
	Path    Path
	Value   cbor.Value
	Old     cbor.Value
	Splices []text.Splice
	Reason  string
	Text    string
	To      UserID
	Target  ChangeID
	TimeMS  int64
	Heads   []RecordHeads
}

// AddsOnly reports whether ops leave a final record as it is: they add to it or
// correct it beside it (SPEC 8). Ops that are none, as of a change that only
// joins heads, do so too.
func AddsOnly(ops []Op) bool {
	for i := range ops {
		if ops[i].Code != OpAddendum && ops[i].Code != OpCorrect {
			return false
		}
	}
	return true
}

// RecordHeads names a version of a record: the changes that have no successor in it.
type RecordHeads struct {
	Record RecordID
	Heads  []ChangeID // sorted
}
