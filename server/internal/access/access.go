// Package access decides who may do what: one readable table, asked by a pure
// function. ActionsOf says what a change needs, Asker.MayChange whether a person
// may make it, Decide answers one question, Explain answers it in plain words,
// Page shows the whole table to people, and TableHash names it in an audit.
//
// The table knows roles, footings, groups of record kinds, field labels, and
// whether a file is restricted. Who stands on which footing with which family,
// from when to when, is looked up by the caller each time it asks (Standing); so
// is whether the person wrote in the record. The package keeps nothing and reads
// no clock.
package access

import (
	"doorstep/syncproto"
	"doorstep/syncproto/schema"
)

// Authorship is what a person has to do with a record's words.
type Authorship uint8

const (
	AuthorNot   Authorship = 0
	AuthorWrote Authorship = 1 // wrote in the record
	AuthorBegan Authorship = 2 // began the record
)

// Question is one case to decide. Label and Rule are 0 when the action is not
// about a field.
type Question struct {
	Role       Role
	Basis      Basis
	Group      Group
	Label      schema.Label
	Rule       schema.Rule
	Action     Action
	Authorship Authorship
	Imported   bool // the change says that its words were imported
	Restricted bool // the family's file is restricted
	Adoption   bool // it is restricted because it is the one from before an adoption
	Named      bool // the person was let into it, or into what was told in confidence
}

// Decision is the answer to a Question. Code says why not: CodeNotEntitled to
// whoever may not even read the record, CodeDeniedField for a field of a class
// that is not theirs, CodeForbidden for the rest. Row names the row of the table
// that decided; it is empty when none did, which denies.
type Decision struct {
	Allow  bool
	Code   syncproto.Code
	Reason string
	Row    string
}

// Decide answers a question from the table: a row that denies beats every row
// that allows, and what no row allows is denied. It takes some tens of
// nanoseconds and allocates nothing.
func Decide(q Question) Decision { return compiled.decide(q) }

const defaultReason = "nothing in the table allows it"

// refusal picks the code of a denial, so that a stranger learns no more than
// that they are one.
func (t *rules) refusal(q Question) syncproto.Code {
	if q.Action == ActionRead && !q.Imported {
		return syncproto.CodeNotEntitled
	}
	reads := q
	reads.Action, reads.Label, reads.Rule, reads.Imported = ActionRead, 0, 0, false
	if row, allowed := t.find(reads); row == nil || !allowed {
		return syncproto.CodeNotEntitled
	}
	if q.Label != 0 {
		return syncproto.CodeDeniedField
	}
	return syncproto.CodeForbidden
}
