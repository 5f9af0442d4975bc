package engine

import (
	"slices"

	"doorstep/syncproto"
	"doorstep/syncproto/schema"
)

// View returns what a person sees of a record: the fold of everything that is
// here, words not sent yet included, with the open draft's text on top and what
// is computed of a visit filled in. The result is shared and must not be changed.
//
// It fails with CodeNotFound for a record that is not here, and with
// CodeNotEntitled for one whose family was closed.
func (e *Engine) View(id syncproto.RecordID) (*syncproto.View, error) {
	v, err := e.Fold(id)
	if err != nil {
		return nil, err
	}
	r := e.records[id]
	if r.draft != nil {
		v = overlay(v, r.draft, e.baseOf(r).texts, e.id.User)
	}
	return e.derived(r, v), nil
}

// Fold returns the record as its changes and verdicts make it, without the open
// draft and without what needs other records: the bytes of its encoding are what
// all entitled devices and the server agree on. It fails as View does.
func (e *Engine) Fold(id syncproto.RecordID) (*syncproto.View, error) {
	r := e.records[id]
	if r == nil {
		return nil, syncproto.CodeNotFound
	}
	if !e.readable(e.family(r.family)) {
		return nil, syncproto.CodeNotEntitled
	}
	if r.gone != 0 {
		return nil, r.gone
	}
	v := e.fold(r)
	if len(v.Heads) == 0 && len(v.Held) == 0 && len(v.Addenda) == 0 {
		return nil, syncproto.CodeNotFound
	}
	return v, nil
}

// derived fills in what is computed of a record, or of a child's part of a visit.
func (e *Engine) derived(r *record, v *syncproto.View) *syncproto.View {
	kind, ok := schema.Newest(v.Kind)
	if !ok {
		return v
	}
	out := *v
	if kind.Part == "" && kind.Derives() {
		out.Fields = slices.Clone(v.Fields)
		syncproto.Derive(&out, nil)
		return &out
	}
	if whole := e.wholeOf(r, kind, v); whole != nil {
		out.Fields = slices.Clone(v.Fields)
		visit := *whole
		visit.Fields = slices.Clone(whole.Fields)
		syncproto.Derive(&visit, []*syncproto.View{&out})
		return &out
	}
	return v
}

// wholeOf returns the visit that a child's part belongs to, or nil.
func (e *Engine) wholeOf(r *record, kind *schema.Kind, v *syncproto.View) *syncproto.View {
	if _, ok := kind.Whole(); !ok {
		return nil
	}
	f, _ := fieldOf(v.Fields, kind.Part)
	ref, _ := f.Value.AsBytes()
	if len(ref) != len(syncproto.RecordID{}) {
		return nil
	}
	whole := e.records[syncproto.RecordID(ref)]
	if whole == nil || whole.family != r.family {
		return nil
	}
	return e.fold(whole)
}

// Heads returns the version that a new edit of the record would be made on; a
// confirmation names it. An open draft is not part of it: Save first.
func (e *Engine) Heads(id syncproto.RecordID) []syncproto.ChangeID {
	if r := e.records[id]; r != nil {
		return slices.Clone(e.baseOf(r).heads)
	}
	return nil
}

// State says where this user's own words in a record have got to.
type State uint8

const (
	StateNone     State = 0 // the user wrote nothing in it
	StateOnlyHere State = 1 // some words are only on this device
	StateReceived State = 2 // the server has all of them
	StateSeen     State = 3 // and somebody else wrote with knowledge of the last
)

// Status is what a person is told about their words in a record.
type Status struct {
	State  State
	Draft  bool // typing that is not a change yet
	Unsent int  // changes that the server has not answered
	Marks  []Mark
	Closed bool // the family may no longer be read here
}

// Mark is an own change that did not simply become part of the record, or did
// with a remark, such as a device clock that was wrong.
type Mark struct {
	Change    syncproto.ChangeID
	Actor     syncproto.ActorID
	Seq       uint64
	Family    syncproto.FamilyID
	Record    syncproto.RecordID
	Status    syncproto.ReceiptStatus
	Code      syncproto.Code
	Reoffered bool // its words were offered anew
	Here      bool // its content is on this device and can be exported
}

// Plain returns the reason in words for the person concerned.
func (m Mark) Plain() string { return m.Code.Plain() }

// Status returns what is known of this user's words in a record. A record that
// is not here has the zero Status.
func (e *Engine) Status(id syncproto.RecordID) Status {
	r := e.records[id]
	if r == nil {
		return Status{}
	}
	s := Status{Draft: r.draft != nil, Closed: !e.readable(e.family(r.family))}
	for _, l := range r.own {
		if e.wanted(l) {
			s.Unsent++
		}
		if m, ok := e.mark(l); ok {
			s.Marks = append(s.Marks, m)
		}
	}
	s.State = e.state(r, &s)
	return s
}

func (e *Engine) state(r *record, s *Status) State {
	switch {
	case s.Draft || s.Unsent > 0:
		return StateOnlyHere
	case len(r.own) == 0:
		return StateNone
	case !s.Closed && e.seen(r):
		return StateSeen
	}
	return StateReceived
}

// seen reports whether another person wrote with knowledge of the last change
// of this user that is part of the record. Only writing shows that: a device
// cannot know who read.
func (e *Engine) seen(r *record) bool {
	if e.fold(r); r.graph == nil {
		return r.seenKept
	}
	g := r.graph
	changes := g.Changes()
	for i := len(changes) - 1; i >= 0; i-- {
		l := e.own[changes[i].ID]
		if l == nil || l.shut() {
			continue
		}
		return slices.ContainsFunc(changes[i+1:], func(c *syncproto.Change) bool {
			return c.Body.Author != e.id.User && g.IsAncestor(l.id, c.ID)
		})
	}
	return false
}

func (e *Engine) mark(l *link) (Mark, bool) {
	m := Mark{
		Change:    l.id,
		Actor:     l.actor,
		Seq:       l.seq,
		Family:    l.family,
		Record:    l.record,
		Status:    l.status,
		Code:      l.code,
		Reoffered: l.reoffered,
		Here:      !l.purged,
	}
	return m, l.status > syncproto.StatusAccepted || l.code != syncproto.CodeOK
}

// Outbox says what has not reached the server.
type Outbox struct {
	Changes int
	Bytes   int
	Drafts  int
	// OldestMS is the device time of the oldest such change, Unix milliseconds,
	// or 0.
	OldestMS int64
}

// Outbox returns what has not reached the server, drafts apart.
func (e *Engine) Outbox() Outbox {
	var o Outbox
	for _, r := range e.records {
		if r.draft != nil {
			o.Drafts++
		}
	}
	for _, actor := range sortedIDs(e.chains) {
		for _, l := range e.chains[actor].links {
			if !e.wanted(l) {
				continue
			}
			body := e.body(l)
			o.Changes++
			o.Bytes += len(body)
			c, err := syncproto.DecodeChange(e.prevOf(l), body)
			if err == nil && (o.OldestMS == 0 || c.Body.TimeMS < o.OldestMS) {
				o.OldestMS = c.Body.TimeMS
			}
		}
	}
	return o
}

// Marks returns every own change that did not simply become part of its record,
// chain by chain.
func (e *Engine) Marks() []Mark {
	var out []Mark
	for _, actor := range sortedIDs(e.chains) {
		for _, l := range e.chains[actor].links {
			if m, ok := e.mark(l); ok {
				out = append(out, m)
			}
		}
	}
	return out
}

// Export returns an own change as it was signed: the id of the change before it
// and its bytes. It fails with CodeNotFound for a change that is not this
// user's, or whose content was purged.
func (e *Engine) Export(id syncproto.ChangeID) (prev syncproto.ChangeID, body []byte, err error) {
	l := e.own[id]
	if l == nil || l.purged {
		return syncproto.ChangeID{}, nil, syncproto.CodeNotFound
	}
	return e.prevOf(l), slices.Clone(e.body(l)), nil
}

// Family is a family that this device holds something of.
type Family struct {
	Family   syncproto.FamilyID
	Standing Standing
	Basis    string
	Readable bool
}

// Families returns them in bytewise order of their ids.
func (e *Engine) Families() []Family {
	var out []Family
	for _, id := range sortedIDs(e.families) {
		f := e.families[id]
		if f.standing == StandingNone && len(e.Records(id)) == 0 {
			continue
		}
		out = append(out, Family{Family: id, Standing: f.standing, Basis: f.basis, Readable: e.readable(f)})
	}
	return out
}

// Records returns the records of a family that have content here, in bytewise
// order of their ids. A closed family shows none.
func (e *Engine) Records(id syncproto.FamilyID) []syncproto.RecordID {
	f := e.families[id]
	if f == nil || !e.readable(f) {
		return nil
	}
	var out []syncproto.RecordID
	for _, r := range sortedIDs(f.records) {
		if len(f.records[r].ids()) > 0 && f.records[r].gone == 0 {
			out = append(out, r)
		}
	}
	return out
}

// Actor returns the actor that this device writes under now.
func (e *Engine) Actor() syncproto.ActorID { return e.meta.actor }
