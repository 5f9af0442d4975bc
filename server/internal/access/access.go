// Package access decides who may do what: one readable table, asked by a pure
// function. ActionsOf says what a change needs, Asker.MayChange whether a person
// may make it, Decide answers one question, Explain answers it in plain words,
// and TableHash names the table in an audit.
//
// The table knows roles, footings and field labels. Who stands on which footing
// with which family, from when to when, is looked up by the caller each time it
// asks; so is whether the person wrote in the record. The package keeps nothing
// and reads no clock.
package access

import (
	"slices"

	"doorstep/syncproto"
	"doorstep/syncproto/schema"
)

// Role is what a person is in the borough, whatever the family.
type Role string

const (
	RolePractitioner Role = "practitioner"
	RoleCoordinator  Role = "coordinator"
	RoleManager      Role = "manager"
	RoleIT           Role = "it"
	RoleImport       Role = "import" // the borough's import, not a person
)

// Basis is the footing on which a person meets a family. Nobody has one by role
// alone.
type Basis string

const (
	BasisNone    Basis = ""        // nothing to do with the family
	BasisLead    Basis = "LEAD"    // lead worker, by allocation
	BasisCo      Basis = "CO"      // co-worker, by allocation
	BasisCoord   Basis = "COORD"   // co-ordinator of the family's team
	BasisManager Basis = "MANAGER" // manager of the family's team
	BasisDenied  Basis = "DENIED"  // kept out of this family: conflict of interest, relative
)

// Action is one thing that a person may do with a record.
type Action string

const (
	ActionRead           Action = "read"
	ActionCreate         Action = "create"          // begin a record
	ActionEdit           Action = "edit"            // set or splice a field, or a part of an element
	ActionEditOwn        Action = "edit_own"        // write in one's own slot
	ActionEditOther      Action = "edit_other"      // write in another person's slot
	ActionPrepare        Action = "prepare"         // work on text that the schema leaves to preparation
	ActionAdd            Action = "add"             // add to a list or a log
	ActionRemove         Action = "remove"          // take out of a list, with a reason
	ActionTakeNote       Action = "take_note"       // acknowledge text that two people wrote at once
	ActionDecide         Action = "decide"          // settle a disagreement
	ActionApprove        Action = "approve"         // settle what needs a manager's approval
	ActionConfirmRemoval Action = "confirm_removal" // agree that a protected element is gone, or stays
	ActionHandOver       Action = "hand_over"
	ActionConfirm        Action = "confirm" // stand by the record as its author
	ActionQuery          Action = "query"
	ActionAnswer         Action = "answer"
	ActionFinalise       Action = "finalise"
	ActionAddendum       Action = "addendum"
	ActionCorrect        Action = "correct"
	ActionChase          Action = "chase"   // see what is due and remind people
	ActionUnknown        Action = "unknown" // an op that this build does not know: denied to all
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
	Kind       string // record kind
	Label      schema.Label
	Rule       schema.Rule
	Action     Action
	Authorship Authorship
	Imported   bool // the change says that its words were imported
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
// that allows, and what no row allows is denied.
func Decide(q Question) Decision { return decide(table, q) }

func decide(rows []row, q Question) Decision {
	allowed := -1
	for i := range rows {
		if !rows[i].matches(q) {
			continue
		}
		if rows[i].effect == deny {
			return Decision{Code: refusal(rows, q), Reason: rows[i].why, Row: rows[i].id}
		}
		if allowed < 0 {
			allowed = i
		}
	}
	if allowed < 0 {
		return Decision{Code: refusal(rows, q), Reason: defaultReason}
	}
	return Decision{Allow: true, Code: syncproto.CodeOK, Reason: rows[allowed].why, Row: rows[allowed].id}
}

const defaultReason = "nothing in the table allows it"

// refusal picks the code of a denial, so that a stranger learns no more than
// that they are one.
func refusal(rows []row, q Question) syncproto.Code {
	reads := Question{Role: q.Role, Basis: q.Basis, Kind: q.Kind, Action: ActionRead}
	if q.Action == ActionRead && !q.Imported || !decide(rows, reads).Allow {
		return syncproto.CodeNotEntitled
	}
	if q.Label != 0 {
		return syncproto.CodeDeniedField
	}
	return syncproto.CodeForbidden
}

// Asker is a person before one record: their role, every footing they have with
// its family at this moment, and what they have to do with its words.
type Asker struct {
	Role       Role
	Bases      []Basis
	Authorship Authorship
}

// MayRead decides whether the person may read records of a kind.
func (a Asker) MayRead(kind string) Decision {
	return a.May(kind, Need{Action: ActionRead})
}

// May decides one need. A person with several footings may do what any of them
// allows, unless a row denies it on one of them.
func (a Asker) May(kind string, n Need) Decision {
	bases := a.Bases
	if len(bases) == 0 {
		bases = []Basis{BasisNone}
	}
	var best Decision
	for i, basis := range bases {
		d := Decide(Question{
			Role: a.Role, Basis: basis, Kind: kind, Label: n.Label, Rule: n.Rule,
			Action: n.Action, Authorship: a.Authorship, Imported: n.Imported,
		})
		if !d.Allow && d.Row != "" {
			return d // an explicit denial
		}
		if i == 0 || d.closerTo(best) {
			best = d
		}
	}
	return best
}

// closerTo prefers what allows, and among denials the one of somebody who may at
// least read.
func (d Decision) closerTo(best Decision) bool {
	if d.Allow || best.Allow {
		return !best.Allow
	}
	return best.Code == syncproto.CodeNotEntitled && d.Code != best.Code
}

// MayChange decides whether the person may make a change: every need of it must
// be allowed, and the first that is not is the answer. The change's own words count
// towards their authorship; that it begins the record does only if the Asker says so,
// since a record may have been begun before. kind is nil for a record
// kind that this build does not know, which is denied.
func (a Asker) MayChange(kind *schema.Kind, c *syncproto.Change) Decision {
	if a.Authorship == AuthorNot && writes(c) {
		a.Authorship = AuthorWrote
	}
	var last Decision
	for _, n := range ActionsOf(kind, c) {
		if last = a.May(c.Body.Kind, n); !last.Allow {
			return last
		}
	}
	return last
}

// Written is what a record's accepted changes say about one person's authorship;
// the zero value is that of no changes. The order in which they are noted makes no
// difference.
type Written struct {
	Words     bool // the person put words into the record
	OwnRoot   bool // a change without deps is theirs
	OtherRoot bool // one is somebody else's
}

// Note takes in a change that the person made.
func (w *Written) Note(c *syncproto.Change) {
	w.OwnRoot = w.OwnRoot || len(c.Body.Deps) == 0
	w.Words = w.Words || writes(c)
}

// Authorship says what it comes to. Who wrote every root of a record began it. Of
// a record that several people began apart nobody did: nobody can make it theirs
// by a root of their own, however they choose its clock, its actor and the moment
// when they send it.
func (w Written) Authorship() Authorship {
	switch {
	case w.OwnRoot && !w.OtherRoot:
		return AuthorBegan
	case w.OwnRoot || w.Words:
		return AuthorWrote
	}
	return AuthorNot
}

// AuthorshipOf says what a person has to do with a record's words, from its
// accepted changes.
func AuthorshipOf(changes []*syncproto.Change, user syncproto.UserID) Authorship {
	var w Written
	for _, c := range changes {
		if c.Body.Author == user {
			w.Note(c)
		} else if len(c.Body.Deps) == 0 {
			w.OtherRoot = true
		}
	}
	return w.Authorship()
}

// writes reports whether a change puts words into the record, rather than
// deciding about words or passing them on.
func writes(c *syncproto.Change) bool {
	return slices.ContainsFunc(c.Body.Ops, func(op syncproto.Op) bool {
		return op.Code == syncproto.OpSet || op.Code == syncproto.OpSplice || op.Code == syncproto.OpAdd
	})
}
