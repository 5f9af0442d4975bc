package finalise

import (
	"bytes"
	"cmp"
	"slices"

	"doorstep/server/internal/desk"
	"doorstep/syncproto"
	"doorstep/syncproto/cbor"
	"doorstep/syncproto/schema"
)

// mover writes the changes of a record anew for another family's file: the same graph, each
// change with its author, its capture and its time, and without what binds it to the wrong
// family. So who wrote what, what met and what people differ about stay as they were; a
// copy of the values in force would settle what nobody decided.
type mover struct {
	to      syncproto.FamilyID
	by      syncproto.UserID
	people  map[syncproto.RecordID]syncproto.RecordID
	records map[syncproto.RecordID]syncproto.RecordID // what each part of the group becomes
	draw    func([]byte) error
	slots   map[syncproto.ElementID]syncproto.ElementID
	actors  map[syncproto.ActorID]syncproto.ActorID // what each actor of the wrong file's graphs becomes
	edits   []desk.Edit
}

// MovedFrom is what the words of a record that was moved are said to be typed up from.
const MovedFrom = "another family's file, into which it had been written"

// putsWords reports whether an op goes over: what was confirmed, asked, handed over and
// sealed in the wrong file says nothing in the right one.
func putsWords(op syncproto.Op) bool {
	switch op.Code {
	case syncproto.OpSet, syncproto.OpSplice, syncproto.OpAdd, syncproto.OpRemove, syncproto.OpDecide, syncproto.OpAddendum, syncproto.OpCorrect:
		return true
	}
	return false
}

// drawActors gives every actor of the graphs a new one, in the same order: where words met at
// one place the actors decide which come first, and what was written on top of both names
// its places in the text that came of it (SPEC 5.6).
func (m *mover) drawActors(parts []*part) error {
	m.actors = map[syncproto.ActorID]syncproto.ActorID{}
	var was, is []syncproto.ActorID
	for _, p := range parts {
		for _, c := range p.graph.Changes() {
			if _, known := m.actors[c.Body.Actor]; !known {
				m.actors[c.Body.Actor] = syncproto.ActorID{}
				was = append(was, c.Body.Actor)
			}
		}
	}
	for range was {
		var actor syncproto.ActorID
		if err := m.draw(actor[:]); err != nil {
			return err
		}
		is = append(is, actor)
	}
	order := func(a, b syncproto.ActorID) int { return bytes.Compare(a[:], b[:]) }
	slices.SortFunc(was, order)
	slices.SortFunc(is, order)
	for i, actor := range was {
		m.actors[actor] = is[i]
	}
	return nil
}

// take adds the changes of a part. They all build on one by the person who moves it, which
// says whose words they are.
func (m *mover) take(p *part, authors []syncproto.UserID) error {
	begin := desk.Edit{Author: m.by, Family: m.to, Record: m.records[p.info.Record], Kind: p.info.Kind}
	for _, user := range authors {
		begin.Ops = append(begin.Ops, syncproto.Op{Code: syncproto.OpTypeUp, To: user, Reason: MovedFrom})
	}
	if p.kind.Finalises && p.kind.Part == "" {
		begin.Ops = append(begin.Ops, syncproto.Op{Code: syncproto.OpHandOver})
	}
	root := []int{len(m.edits)}
	m.edits = append(m.edits, begin)
	became := map[syncproto.ChangeID][]int{}
	for _, c := range asWritten(p.graph.Changes()) {
		on := root
		if len(c.Body.Deps) > 0 {
			on = onto(became, c.Body.Deps)
		}
		ops, err := m.ops(p.kind, c.Body.Ops)
		if err != nil {
			return err
		}
		if became[c.ID] = on; len(ops) == 0 {
			continue // what builds on it builds on what it was built on
		}
		became[c.ID] = []int{len(m.edits)}
		m.edits = append(m.edits, desk.Edit{Author: c.Body.Author, Family: m.to, Record: begin.Record, Kind: begin.Kind,
			Ops: ops, On: on, Capture: c.Body.Capture, TimeMS: c.Body.TimeMS, Actor: m.actors[c.Body.Actor]})
	}
	return nil
}

// asWritten puts changes, in canonical order, so that each comes after what it builds on and
// after what its actor wrote before, wherever that was: the second decides between an actor's
// own words that met, from two windows at a desk. Of an actor that was forked the first wins.
func asWritten(changes []*syncproto.Change) []*syncproto.Change {
	byActor := slices.Clone(changes)
	slices.SortFunc(byActor, func(a, b *syncproto.Change) int {
		return cmp.Or(bytes.Compare(a.Body.Actor[:], b.Body.Actor[:]), cmp.Compare(a.Body.Seq, b.Body.Seq), bytes.Compare(a.ID[:], b.ID[:]))
	})
	after := map[syncproto.ChangeID][]syncproto.ChangeID{}
	for i, c := range byActor {
		after[c.ID] = c.Body.Deps
		if i > 0 && byActor[i-1].Body.Actor == c.Body.Actor {
			after[c.ID] = append(slices.Clip(c.Body.Deps), byActor[i-1].ID)
		}
	}
	out, done := make([]*syncproto.Change, 0, len(changes)), map[syncproto.ChangeID]bool{}
	take := func(c *syncproto.Change) { out, done[c.ID] = append(out, c), true }
	for waiting := changes; len(waiting) > 0; {
		var later []*syncproto.Change
		for _, c := range waiting {
			if slices.ContainsFunc(after[c.ID], func(id syncproto.ChangeID) bool { return !done[id] }) {
				later = append(later, c)
				continue
			}
			take(c)
		}
		if len(later) == len(waiting) {
			take(later[0]) // the least deep: what it builds on is done
			later = later[1:]
		}
		waiting = later
	}
	return out
}

// onto is what a change's deps became.
func onto(became map[syncproto.ChangeID][]int, deps []syncproto.ChangeID) []int {
	var out []int
	for _, dep := range deps {
		out = append(out, became[dep]...)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// ops are those of a change that go over.
func (m *mover) ops(kind *schema.Kind, ops []syncproto.Op) ([]syncproto.Op, error) {
	var out []syncproto.Op
	for _, op := range ops {
		if !putsWords(op) {
			continue
		}
		goes := true
		if op.Code != syncproto.OpAddendum {
			var err error
			if goes, err = m.rewrite(kind, &op); err != nil {
				return nil, err
			}
		}
		if goes && syncproto.CheckOps(kind, kind.Version, []syncproto.Op{op}) == nil {
			out = append(out, op)
		}
	}
	return out, nil
}

// rewrite puts the right family's people and records in the place of the wrong one's. It
// reports whether anything is left of the op.
func (m *mover) rewrite(kind *schema.Kind, op *syncproto.Op) (goes bool, err error) {
	whole, ok := kind.Field(op.Path.Field)
	if !ok {
		return false, nil
	}
	field, ok := kind.At(op.Path.Field, op.Path.Sub)
	if !ok {
		return false, nil
	}
	if whole.SlotOf == schema.SlotPerson {
		if op.Path.Element, err = m.slot(op.Path.Element); err != nil {
			return false, err
		}
	}
	op.Value, goes = m.value(kind, field, op.Value)
	if old, known := m.value(kind, field, op.Old); known {
		op.Old = old
	} else {
		op.Old = cbor.Null()
	}
	return goes, nil
}

// value is a value of a field as the right family's record has it; false: it only named
// somebody or something of the wrong one.
func (m *mover) value(kind *schema.Kind, field *schema.Field, v cbor.Value) (cbor.Value, bool) {
	if field.Type == schema.TypeRef {
		return m.ref(kind, field, v)
	}
	pairs, ok := v.AsMap()
	if !ok || len(field.Sub) == 0 {
		return v, true
	}
	kept := make([]cbor.Pair, 0, len(pairs))
	for _, pair := range pairs {
		goes := true
		if sub, known := field.SubField(pair.Key); known {
			pair.Value, goes = m.value(kind, sub, pair.Value)
		}
		if goes {
			kept = append(kept, pair)
		}
	}
	return cbor.Map(kept...), true
}

// ref is a reference. One to an entry of the same record, or to a worker, stays.
func (m *mover) ref(kind *schema.Kind, field *schema.Field, v cbor.Value) (cbor.Value, bool) {
	id, ok := v.AsBytes()
	if !ok || len(id) != len(syncproto.RecordID{}) || field.RefKind == "user" {
		return v, true
	}
	if _, own := kind.Field(field.RefKind); own && field.ID != kind.Part {
		return v, true
	}
	of := m.records
	if field.RefKind == "person" {
		of = m.people
	}
	became, ok := of[syncproto.RecordID(id)]
	return cbor.Bytes(became[:]), ok
}

// slot is whose slot it is in the right family's record. Of somebody whom nobody there
// stands for the words stay, in the slot of nobody.
func (m *mover) slot(of syncproto.ElementID) (syncproto.ElementID, error) {
	if person, known := m.people[syncproto.RecordID(of)]; known {
		return syncproto.ElementID(person), nil
	}
	if other, known := m.slots[of]; known {
		return other, nil
	}
	var other syncproto.ElementID
	if err := m.draw(other[:]); err != nil {
		return other, err
	}
	if m.slots == nil {
		m.slots = map[syncproto.ElementID]syncproto.ElementID{}
	}
	m.slots[of] = other
	return other, nil
}

// eachPerson calls fn with the persons whom an op names; field is one of the record itself
// that names nothing else, or nil.
func eachPerson(kind *schema.Kind, op *syncproto.Op, fn func(person syncproto.RecordID, field *schema.Field)) {
	if !putsWords(*op) || op.Code == syncproto.OpAddendum {
		return
	}
	field, ok := kind.At(op.Path.Field, op.Path.Sub)
	if !ok {
		return
	}
	alone := op.Path.Element.IsZero()
	personsIn(field, op.Value, func(person syncproto.RecordID, in *schema.Field) {
		if !alone || in != field {
			in = nil
		}
		fn(person, in)
	})
}

// personsIn looks for persons in a value.
func personsIn(field *schema.Field, v cbor.Value, fn func(syncproto.RecordID, *schema.Field)) {
	if field.Type == schema.TypeRef && field.RefKind == "person" {
		if id, ok := v.AsBytes(); ok && len(id) == len(syncproto.RecordID{}) {
			fn(syncproto.RecordID(id), field)
		}
		return
	}
	pairs, _ := v.AsMap()
	for _, pair := range pairs {
		if sub, known := field.SubField(pair.Key); known {
			personsIn(sub, pair.Value, fn)
		}
	}
}
