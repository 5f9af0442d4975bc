package access

import (
	"doorstep/syncproto"
	"doorstep/syncproto/schema"
)

type effect string

const (
	allow effect = "allow"
	deny  effect = "DENY"
)

// only narrows a row to a circumstance.
type only uint8

const (
	always         only = 0
	whoWrote       only = 1 << (iota - 1) // wrote in the record
	whoBegan                              // began it
	whenImported                          // the words were imported
	whenRestricted                        // the file is restricted
	whenShutOut                           // it is, and nobody let the person in
	whenAdoption                          // it is the file from before an adoption
	whenNamed                             // the person was let in
)

// String says the circumstance for people.
func (o only) String() string {
	switch o {
	case always:
		return ""
	case whoWrote:
		return "wrote in the record"
	case whoBegan:
		return "began the record"
	case whenImported:
		return "the words were imported"
	case whenRestricted:
		return "the file is restricted"
	case whenShutOut:
		return "the file is restricted and nobody let the person in"
	case whenAdoption:
		return "the file is the one from before an adoption"
	case whenNamed:
		return "the person was let in"
	}
	return "never"
}

// circumstances are those that hold in a question.
func circumstances(q *Question) (o only) {
	if q.Authorship >= AuthorWrote {
		o |= whoWrote
	}
	if q.Authorship >= AuthorBegan {
		o |= whoBegan
	}
	if q.Imported {
		o |= whenImported
	}
	if q.Restricted {
		o |= whenRestricted
	}
	if q.Restricted && !q.Named {
		o |= whenShutOut
	}
	if q.Adoption {
		o |= whenAdoption
	}
	if q.Named {
		o |= whenNamed
	}
	return o
}

// row is one line of the table. An empty column matches everything. An allowing
// row leaves empty only what it is not about.
type row struct {
	id      string
	effect  effect
	roles   []Role
	bases   []Basis
	groups  []Group
	labels  []schema.Label
	rules   []schema.Rule
	actions []Action
	only    only
	why     string
}

// rules are rows made ready to be asked, those that deny first, by action.
type rules struct{ byAction [actionCount][]mask }

// mask is a row with a bit for each member of a column.
type mask struct {
	row    *row
	groups uint64
	roles  uint32
	bases  uint32
	rules  uint16
	labels uint8
	only   only
	allow  bool
}

// compiled is the table, ready to be asked. It is only read.
var compiled = compile(table)

func compile(rows []row) *rules {
	t := &rules{}
	for _, want := range []effect{deny, allow} {
		for i := range rows {
			if rows[i].effect == want {
				t.add(&rows[i])
			}
		}
	}
	return t
}

func (t *rules) add(r *row) {
	m := mask{row: r, only: r.only, allow: r.effect == allow,
		roles:  column(r.roles, Role.bit),
		bases:  column(r.bases, Basis.bit),
		groups: column(r.groups, groupBit),
		labels: column(r.labels, labelBit),
		rules:  column(r.rules, ruleBit),
	}
	for a := range actionCount {
		if len(r.actions) == 0 || contains(r.actions, a) {
			t.byAction[a] = append(t.byAction[a], m)
		}
	}
}

// column is the bits of a column's members, or all of them if it is empty.
func column[T any, B uint8 | uint16 | uint32 | uint64](members []T, bit func(T) B) B {
	if len(members) == 0 {
		return ^B(0)
	}
	var bits B
	for _, m := range members {
		bits |= bit(m)
	}
	return bits
}

func groupBit(g Group) uint64 {
	if g >= groupCount {
		g = GroupNone
	}
	return 1 << g
}

func labelBit(l schema.Label) uint8 { return 1 << min(l, 7) }
func ruleBit(r schema.Rule) uint16  { return 1 << min(r, 15) }

func contains[T comparable](list []T, v T) bool {
	for _, m := range list {
		if m == v {
			return true
		}
	}
	return false
}

// about is the rows that decide a question of somebody in that role, however they stand:
// few of them, for whoever asks it of every footing.
func (t *rules) about(q Question) *rules {
	few, action := &rules{}, q.Action.known()
	role, group, label, rule := q.Role.bit(), groupBit(q.Group), labelBit(q.Label), ruleBit(q.Rule)
	for _, m := range t.byAction[action] {
		if m.roles&role != 0 && m.groups&group != 0 && m.labels&label != 0 && m.rules&rule != 0 {
			few.byAction[action] = append(few.byAction[action], m)
		}
	}
	return few
}

// known is the action, or the one that nothing allows.
func (a Action) known() Action {
	if a >= actionCount {
		return ActionUnknown
	}
	return a
}

// find returns the row that decides, nil if none does.
func (t *rules) find(q Question) (found *row, allowed bool) {
	role, basis, group := q.Role.bit(), q.Basis.bit(), groupBit(q.Group)
	label, rule, holds := labelBit(q.Label), ruleBit(q.Rule), circumstances(&q)
	list := t.byAction[q.Action.known()]
	for i := range list {
		m := &list[i]
		if m.roles&role != 0 && m.bases&basis != 0 && m.groups&group != 0 && m.labels&label != 0 &&
			m.rules&rule != 0 && (m.only == always || m.only&holds != 0) {
			return m.row, m.allow // those that deny come first
		}
	}
	return nil, false
}

func (t *rules) decide(q Question) Decision {
	found, allowed := t.find(q)
	switch {
	case found == nil:
		return Decision{Code: t.refusal(q), Reason: defaultReason}
	case !allowed:
		return Decision{Code: t.refusal(q), Reason: found.why, Row: found.id}
	}
	return Decision{Allow: true, Code: syncproto.CodeOK, Reason: found.why, Row: found.id}
}
