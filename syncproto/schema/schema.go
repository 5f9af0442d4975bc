// Package schema describes record kinds as data: their fields, types, code
// sets, merge rules, labels, validation and form hints. A new kind needs a new
// description here and nothing else. Kinds come from All, Newest and Lookup;
// Field.CheckValue judges one written value, Kind.Complete a whole record before
// it is sealed or a plan made active.
//
// The package decides nothing about merging or access; syncproto and access read
// the rules and labels it declares. What it hands out is shared and is never
// changed by anybody.
package schema

import (
	"doorstep/syncproto/cbor"
)

// MaxValueBytes bounds a text value set whole; it is the protocol's MaxTextValue.
const MaxValueBytes = 64 << 10

// Rule is a field's merge rule. A field's id and rule never change.
type Rule uint8

const (
	Own     Rule = 1 // one slot per person; two writes to one slot are a conflict
	Log     Rule = 2 // append-only collection
	Union   Rule = 3 // add-wins collection; removal needs a reason
	Text    Rule = 4 // prose merged by character
	Human   Rule = 5 // both values kept until a person decides
	Protect Rule = 6 // as Human; meanwhile the most protective value is in force
	Latest  Rule = 7 // causal winner, ties by actor
	Server  Rule = 8 // decided by the server's order
	Derived Rule = 9 // computed, never written; frozen by a seal
)

// Label is a field's class: it limits who may edit, not who may read.
type Label uint8

const (
	Admin     Label = 1 // codes, links, spelling: a coordinator may edit
	Attested  Label = 2 // facts the author vouches for: others propose
	Verbatim  Label = 3 // words as spoken: nobody edits after capture
	Judgement Label = 4 // the author's own
)

// Type is the type of a field's value.
type Type uint8

const (
	TypeBool   Type = 1
	TypeInt    Type = 2
	TypeLine   Type = 3  // text set whole; Hint.Long asks for several lines
	TypeProse  Type = 4  // long text, spliced
	TypeCode   Type = 5  // one of Codes
	TypeTime   Type = 6  // Unix milliseconds UTC
	TypeDate   Type = 7  // "2026-11-21"
	TypeRef    Type = 8  // 16-byte id
	TypeStruct Type = 9  // a map of Sub fields (own slots, log entries)
	TypeHash   Type = 10 // 32-byte SHA-256
)

// Format narrows a TypeLine to identifiers that can be checked (domain rules 6).
type Format uint8

const (
	FormatAny       Format = 0
	FormatUPN       Format = 1 // unique pupil number with its check letter
	FormatNHS       Format = 2 // NHS number with its check digit
	FormatLAChildID Format = 3 // the authority's own child id: at most 20 letters and digits
	FormatLanguage  Format = 4 // BCP 47 language tag, well formed
)

// SlotOf says whose slots an Own field has.
type SlotOf uint8

const (
	SlotNone   SlotOf = 0
	SlotAuthor SlotOf = 1 // the slot's id is the user id of who writes it
	SlotPerson SlotOf = 2 // the slot's id is the record or element id of the person speaking
	SlotFree   SlotOf = 3 // any id, random
)

// Code is one member of a code set, with the words a person sees.
type Code struct {
	Code  string
	Label string
}

// Field describes one field, or one part of a collection's elements.
type Field struct {
	ID    string
	Rule  Rule
	Label Label
	Type  Type
	Codes Codes
	// Protective lists a Protect field's values from the most protective to the
	// least. Values not listed rank last, in bytewise order of their encoding.
	// Null is a value that was cleared: nothing is claimed.
	Protective []cbor.Value
	// Sub describes the parts of a Union or Log element, or of a TypeStruct value.
	Sub []Field
	// KeepRemoved: a removed element stays in force until the removal is decided.
	KeepRemoved bool
	// ManagerApproves: only a manager's decision settles the value.
	ManagerApproves bool
	// Prepared: a coordinator may prepare this text although its label is not
	// Admin; the author's confirmation must come after the last edit.
	Prepared bool
	// SlotOf says whose slots an Own field has.
	SlotOf SlotOf
	// Required: finalising needs a value, and a collection an element. A part
	// with Required is needed in every element. RequiredIf asks for a value only
	// when all its conditions hold; a part's conditions look at the other parts.
	Required   bool
	RequiredIf []Condition
	// Checks hold within each element of a collection or within a struct.
	Checks  []Check
	Min     int64 // TypeInt: smallest value
	Max     int64 // TypeInt: largest value; TypeLine: bytes; Min and Max both 0: none
	Format  Format
	RefKind string // TypeRef: a kind's id, "user", or a field's id for its elements
	Hint    Hint
}

// Hint tells a form how to show a field.
type Hint struct {
	Label   string // what the person reads
	Help    string
	Section string
	Order   int
	Long    bool // TypeLine: offer several lines
}

// Kind describes one record kind at one version.
type Kind struct {
	ID      string
	Version uint64
	Name    string // singular, as people say it
	Fields  []Field
	// Checks hold across the fields of one record.
	Checks []Check
	// NeedsConfirmation: the author must confirm before it can be finalised.
	NeedsConfirmation bool
	// Part names the TypeRef field that binds this record to the record it is
	// sealed with ("visit" for a child's part); empty for a record of its own.
	Part string
	// Finalises reports whether records of this kind are ever sealed.
	Finalises bool
}

// Test names what a Condition asks.
type Test uint8

const (
	OneOf      Test = 0 // the value is one of Is; a list contains one of them
	Answered   Test = 1 // somebody gave a value that is not empty
	Unanswered Test = 2 // nobody did
	NotBefore  Test = 3 // the value is not before Other's; holds while one is unanswered
	Within     Test = 4 // the value is at most Limit more than Other's; likewise
	Differs    Test = 5 // the value is not Other's; likewise
	AtLeast    Test = 6 // at least Limit elements meet Where
	AtMost     Test = 7 // at most Limit elements meet Where
	NoneOf     Test = 8 // the value is none of Is; holds while unanswered
	AnyOf      Test = 9 // one of Where holds; Field is not used
)

// Condition is one question about a record. Field is a field's id; in a part of
// an element, a sibling's id; "visit.place" for a field of the record that this
// one is a part of; or one of the Facts. Is lists codes, "Y NA_INFANT", or is
// "true" for a truth.
type Condition struct {
	Field string
	Test  Test
	Is    string
	Other string
	Limit int64
	Where []Condition
}

// Values returns what Is lists, as the values that a record holds.
func (c *Condition) Values() []cbor.Value {
	var values []cbor.Value
	for rest := c.Is; rest != ""; {
		var word string
		if word, rest = cut(rest, ' '); word == "" {
			continue
		}
		if word == "true" {
			values = append(values, cbor.Bool(true))
		} else {
			values = append(values, cbor.Text(word))
		}
	}
	return values
}

// Facts are what a record does not hold itself. Whoever asks Complete gives
// them beside the fields; an unknown fact is unanswered.
const (
	// FactNow is the server's or device's clock, Unix milliseconds.
	FactNow = "@now"
	// FactPlanOpen is true while the family has a plan in force.
	FactPlanOpen = "@plan_open"
	// FactChildStatuses lists the status kinds (TypeCode "kind" of a status) of
	// the child on the day of the visit.
	FactChildStatuses = "@child_statuses"
	// FactApproved lists the ids of fields with ManagerApproves whose value in
	// force a manager decided.
	FactApproved = "@approved"
)

// Check is a rule across fields: where every condition of If holds, every one of
// Then must. Field is where a form shows the fault.
type Check struct {
	ID    string // short and stable: "end_before_start"
	Field string
	Plain string // what the worker reads
	Warn  bool   // said, but stops nothing
	If    []Condition
	Then  []Condition
}
