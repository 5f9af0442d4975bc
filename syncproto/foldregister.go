package syncproto

import (
	"slices"

	"doorstep/syncproto/cbor"
	"doorstep/syncproto/schema"
	"doorstep/syncproto/sorting"
)

// register is a field, slot or part of an element that is set whole. Its sides
// are the writes that no later write of it has replaced.
type register struct {
	sides   []write
	history []write // every write, in canonical order
}

type write struct {
	node  int32
	value cbor.Value
}

// write folds a write of a register: it replaces the sides that it was made with
// knowledge of. Where those disagree, only a decision does that to other people's
// sides: a value written over a disagreement is one more side of it, and who may
// edit a field but not decide about it cannot settle it (SPEC 5.2).
func (f *folder) write(n int32, path Path, field *schema.Field, op OpCode, value cbor.Value) {
	r := f.registers[path]
	if r == nil {
		r = &register{}
		f.registers[path] = r
	}
	ownOnly := op != OpDecide && disputable(field) && f.disagreeBefore(r, n)
	author := f.author(n)
	w := write{node: n, value: value}
	r.sides = slices.DeleteFunc(r.sides, func(s write) bool {
		return f.before(s.node, n) && (!ownOnly || f.author(s.node) == author)
	})
	r.sides = append(r.sides, w)
	r.history = append(r.history, w)
}

// disputable reports whether people can disagree about a register of the field.
func disputable(field *schema.Field) bool {
	return field.Rule != schema.Latest && field.Rule != schema.Server
}

// disagreeBefore reports whether the sides that a node knows of differ.
func (f *folder) disagreeBefore(r *register, n int32) bool {
	var first *write
	for i := range r.sides {
		s := &r.sides[i]
		if !f.before(s.node, n) {
			continue
		}
		if first != nil && !s.value.Equal(first.value) {
			return true
		}
		first = s
	}
	return false
}

func (f *folder) author(n int32) UserID { return f.graph.nodes[n].change.Body.Author }

// viewRegister shows a register under the merge rule of its field, and its
// conflict if people disagree.
func (f *folder) viewRegister(v *View, field *schema.Field, path Path, r *register) (FieldView, bool) {
	if field.Rule == schema.Server {
		return f.viewServerField(field, path, r)
	}
	shown, disagree := f.inForce(field, r)
	fv := FieldView{Field: field.ID, Value: shown.value, Set: true, By: f.origin(shown.node)}
	if disagree {
		c := f.conflict(field, path, r)
		if field.Rule == schema.Protect {
			c.InForce = shown.value
		} else {
			fv.Value, fv.By = cbor.Null(), Origin{}
		}
		v.Conflicts = append(v.Conflicts, c)
	}
	return fv, true
}

// inForce picks the write that counts, and says whether the sides disagree.
// Where several sides say the same, the last in canonical order stands for them.
func (f *folder) inForce(field *schema.Field, r *register) (write, bool) {
	last := r.sides[len(r.sides)-1]
	if field.Rule == schema.Latest {
		return last, false
	}
	disagree := false
	for _, s := range r.sides {
		disagree = disagree || !s.value.Equal(last.value)
	}
	if disagree && field.Rule == schema.Protect {
		for _, s := range slices.Backward(r.sides) {
			if protects(field, s.value, last.value) {
				last = s
			}
		}
	}
	return last, disagree
}

// protects reports whether a is more protective than b: earlier in the field's
// list; unlisted values come last, in bytewise order of their encoding.
func protects(field *schema.Field, a, b cbor.Value) bool {
	ra, rb := rank(field, a), rank(field, b)
	if ra != rb {
		return ra < rb
	}
	return cbor.Compare(a, b) < 0
}

func rank(field *schema.Field, v cbor.Value) int {
	i := slices.IndexFunc(field.Protective, v.Equal)
	if i < 0 {
		return len(field.Protective)
	}
	return i
}

func (f *folder) conflict(field *schema.Field, path Path, r *register) Conflict {
	c := Conflict{Path: path, Rule: field.Rule.String(), Base: f.base(r)}
	for _, s := range r.sides {
		c.Sides = append(c.Sides, Side{Value: s.value, By: f.origin(s.node)})
	}
	return c
}

// base is the last write that every side knew of.
func (f *folder) base(r *register) cbor.Value {
	for i := len(r.history) - 1; i >= 0; i-- {
		w := r.history[i]
		known := true
		for _, s := range r.sides {
			known = known && w.node != s.node && f.before(w.node, s.node)
		}
		if known {
			return w.value
		}
	}
	return cbor.Null()
}

// viewServerField shows the value that the server's order put in force. A write
// without a verdict counts for nothing yet.
func (f *folder) viewServerField(field *schema.Field, path Path, r *register) (FieldView, bool) {
	win, ok := f.wins[path]
	if !ok {
		return FieldView{}, false
	}
	for i := len(r.history) - 1; i >= 0; i-- {
		w := r.history[i]
		if f.graph.nodes[w.node].change.ID == win.Change {
			return FieldView{Field: field.ID, Value: w.value, Set: true, By: f.origin(w.node)}, true
		}
	}
	return FieldView{}, false
}

// viewSlots shows an own field: one slot a person, each a register or a text.
func (f *folder) viewSlots(v *View, field *schema.Field) (FieldView, bool) {
	fv := FieldView{Field: field.ID, Set: true}
	for _, path := range f.pathsOf(field.ID) {
		part, ok := f.viewPart(v, field, path)
		if !ok {
			continue
		}
		s := Slot{Slot: path.Element, Value: part.Value, Text: part.Text, By: part.By}
		if t := f.texts[path]; t != nil {
			s.By = f.origin(t.last)
		}
		fv.Slots = append(fv.Slots, s)
	}
	return fv, len(fv.Slots) > 0
}

// pathsOf returns the slots of a field that were written, sorted by slot.
func (f *folder) pathsOf(field string) []Path {
	var out []Path
	for p := range f.registers {
		if p.Field == field && p.Sub == "" {
			out = append(out, p)
		}
	}
	for p := range f.texts {
		if p.Field == field && p.Sub == "" {
			out = append(out, p)
		}
	}
	sorting.By(out, comparePath)
	return slices.Compact(out)
}
