package syncproto

import "doorstep/syncproto/cbor"

// View is what a person sees of a record: the deterministic fold of its changes
// and verdicts. Equal inputs give byte-equal Encode results on every device and
// on the server, in any order of arrival (SPEC 5).
type View struct {
	Record        RecordID
	Family        FamilyID
	Kind          string
	SchemaVersion uint64 // the newest that any change was written under
	Heads         []ChangeID
	Fields        []FieldView // sorted by Field
	Conflicts     []Conflict  // open ones, sorted by path
	Overlaps      []Overlap   // text touched by two people apart, not yet read
	Workflow      Workflow
	Seal          *Seal
	Addenda       []Addendum
	Roots         []ChangeID // more than one is shown: the record was begun twice
	NoOps         uint64     // ops that met nothing to act on (SPEC 5.9)
	Held          []ChangeID // stored, not folded: newer app
}

// FieldView is one field's folded state. Which part is used depends on the rule.
type FieldView struct {
	Field string
	Value cbor.Value // human, protect, latest, server, derived: the value in force
	Text  string     // text
	Slots []Slot     // own, sorted by Slot id
	Items []Element  // union, log
	// Set is false when nobody has written the field.
	Set bool
	By  Origin // of the value in force; zero for collections and text
}

// Origin says who wrote a value, on what, when by their own clock, and how.
type Origin struct {
	Change  ChangeID
	Author  UserID
	Actor   ActorID
	TimeMS  int64
	Capture CaptureMode
}

// Slot is one person's part of an own field.
type Slot struct {
	Slot  ElementID
	Value cbor.Value
	Text  string
	By    Origin
}

// Element is one member of a union or log collection.
type Element struct {
	Element ElementID
	By      Origin      // of the add
	Fields  []FieldView // sub fields, sorted
	Removed *Removal    // removal written; InForce says whether it counts
	InForce bool        // false: removed for good
	Flagged bool        // removed by one person while another edited it
}

// Removal is a reasoned removal of an element.
type Removal struct {
	By        Origin
	Reason    string
	Confirmed bool // by a decision; a protected element stays in force until then
}

// Conflict is a disagreement that a person must decide.
type Conflict struct {
	Path    Path
	Rule    string
	Sides   []Side     // two or more, in canonical order of their changes
	Base    cbor.Value // the last value before the sides parted; null if none
	InForce cbor.Value // what counts meanwhile: the most protective, or null
}

// Side is one of the values in a conflict.
type Side struct {
	Value cbor.Value
	By    Origin
}

// Overlap is a text that people edited apart where it matters, and that nobody
// entitled has read since.
type Overlap struct {
	Path  Path
	Spans []OverlapSpan // in text order
}

// OverlapSpan is a sentence that several people's changes touch, in code points of
// the text as shown, End excluded; nothing of it may be left.
type OverlapSpan struct {
	Start, End uint64
	Changes    []ChangeID // sorted
	Authors    []UserID   // sorted
}

// Workflow is where a record stands between capture and final (SPEC 8).
type Workflow struct {
	HandedOver *Origin
	Confirmed  []Confirmation
	Queries    []Query
	TypedUp    []TypedUp
}

// TypedUp says that By's author types up another person's words in this record.
type TypedUp struct {
	By     Origin
	For    UserID
	Source string // from what: notes by hand, a dictation, a meeting
}

// Confirmation is an author's word that named heads are right. Stands is false
// once anything but administrative fields changed after it.
type Confirmation struct {
	By     Origin
	Heads  []ChangeID
	Stands bool
	For    UserID // in whose place; zero: their own
	Reason string // why that person cannot
}

// Query is a coordinator's question; it is open until answered.
type Query struct {
	ID         ChangeID
	Path       Path
	To         UserID
	By         Origin
	Question   string
	Answer     string
	AnsweredBy *Origin
}

// Seal is the final version: the fold of the ancestors of Heads, unchanging.
type Seal struct {
	Position uint64
	By       UserID
	AtMS     int64
	Heads    []ChangeID
	Hash     [32]byte
	PrevHash [32]byte
	Group    []RecordHeads // every record that was sealed together
}

// Addendum is what was added after the seal: a late change, or an addendum op.
type Addendum struct {
	By     Origin
	Text   string
	TimeMS int64  // when it happened, if said
	Reason string // why late
	Late   bool   // an edit that arrived after the seal, kept as proposed
	Ops    []Op   // of a late change
}

// Field returns a field's view; false if nobody has written the field.
func (v *View) Field(name string) (FieldView, bool) { return fieldOf(v.Fields, name) }

// Field returns the view of a part of the element; false if nobody wrote it.
func (e *Element) Field(name string) (FieldView, bool) { return fieldOf(e.Fields, name) }

func fieldOf(fields []FieldView, name string) (FieldView, bool) {
	for _, f := range fields {
		if f.Field == name {
			return f, true
		}
	}
	return FieldView{}, false
}
