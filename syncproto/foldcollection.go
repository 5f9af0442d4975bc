package syncproto

import (
	"bytes"
	"slices"

	"doorstep/syncproto/cbor"
	"doorstep/syncproto/schema"
	"doorstep/syncproto/sorting"
	"doorstep/syncproto/text"
)

// collection is a union, elements by id, or a log, entries in canonical order.
type collection struct {
	elements map[ElementID]*element
	entries  []entry
	said     map[ElementID][]cbor.Value // what a log's entries said, by id
}

// entry is what one add to a log said. Nothing alters it.
type entry struct {
	node    int32
	element ElementID
	said    cbor.Value
}

// element is one member. A touch is an add or an edit of it; a removal counts
// only against the touches it was made with knowledge of (add wins).
type element struct {
	added     int32 // the first add in canonical order
	touches   []int32
	removals  []removal
	decisions []decision
}

type removal struct {
	node   int32
	reason string
}

// decision is a person's word on whether an element is removed.
type decision struct {
	node int32
	gone bool
}

// applyCollection folds an op on a union or log; false if there is nothing to
// act on, for instance an edit of an element that nobody added.
func (f *folder) applyCollection(n int32, op *Op, field *schema.Field) bool {
	if op.Path.Element.IsZero() {
		return false
	}
	c := f.collections[field.ID]
	if c == nil {
		c = &collection{elements: map[ElementID]*element{}, said: map[ElementID][]cbor.Value{}}
		f.collections[field.ID] = c
	}
	if field.Rule == schema.Log {
		return op.Code == OpAdd && c.addEntry(n, op, field)
	}
	if op.Code == OpAdd {
		return f.addElement(n, op, field, c)
	}
	e := c.elements[op.Path.Element]
	if e == nil {
		return false
	}
	switch {
	case op.Path.Sub != "":
		return f.editElement(n, op, field, e)
	case op.Code == OpRemove:
		e.removals = append(e.removals, removal{node: n, reason: op.Reason})
	case op.Code == OpDecide:
		gone, ok := op.Value.AsBool()
		if !ok {
			return false
		}
		e.decisions = append(e.decisions, decision{node: n, gone: gone})
	default:
		return false
	}
	return true
}

// addEntry takes in what was said. The same said again under one id, as by a
// device that offers its words anew, is said once; other words under that id are
// an entry beside it, so that nobody can put theirs in another's place.
func (c *collection) addEntry(n int32, op *Op, field *schema.Field) bool {
	id := op.Path.Element
	if slices.ContainsFunc(c.said[id], op.Value.Equal) {
		return false
	}
	c.said[id] = append(c.said[id], op.Value)
	c.entries = append(c.entries, entry{node: n, element: id, said: op.Value})
	pairs, known := op.Value.AsMap()
	for _, pair := range pairs {
		_, ok := field.SubField(pair.Key)
		known = known && ok
	}
	return known
}

// addElement takes in an element and its first values.
func (f *folder) addElement(n int32, op *Op, field *schema.Field, c *collection) bool {
	e := c.elements[op.Path.Element]
	if e == nil {
		e = &element{added: n}
		c.elements[op.Path.Element] = e
	}
	e.touches = append(e.touches, n)
	pairs, known := op.Value.AsMap()
	for _, pair := range pairs {
		sub, ok := field.SubField(pair.Key)
		if !ok {
			known = false
			continue
		}
		path := Path{Field: field.ID, Element: op.Path.Element, Sub: pair.Key}
		if words, isText := pair.Value.AsText(); isText && isProse(sub) {
			f.splice(n, path, []text.Splice{{Ins: words}})
		} else {
			f.write(n, path, sub, op.Code, pair.Value)
		}
	}
	return known
}

func (f *folder) editElement(n int32, op *Op, field *schema.Field, e *element) bool {
	sub, ok := field.SubField(op.Path.Sub)
	if !ok {
		return false
	}
	e.touches = append(e.touches, n)
	return f.applyPart(n, op, sub)
}

// viewCollection shows the elements: a log in canonical order of what was said,
// a union in order of the adds, so that lists look alike on every device.
func (f *folder) viewCollection(v *View, field *schema.Field) (FieldView, bool) {
	c := f.collections[field.ID]
	if c != nil && len(c.entries) > 0 {
		return f.viewLog(field, c), true
	}
	if c == nil || len(c.elements) == 0 {
		return FieldView{}, false
	}
	ids := make([]ElementID, 0, len(c.elements))
	for id := range c.elements {
		ids = append(ids, id)
	}
	sorting.By(ids, func(a, b *ElementID) int {
		x, y := c.elements[*a].added, c.elements[*b].added
		if x != y {
			return f.graph.compare(x, y)
		}
		return bytes.Compare(a[:], b[:])
	})
	fv := FieldView{Field: field.ID, Set: true}
	for _, id := range ids {
		fv.Items = append(fv.Items, f.viewElement(v, field, id, c.elements[id]))
	}
	return fv, true
}

// viewLog shows what was said, those of one change by id.
func (f *folder) viewLog(field *schema.Field, c *collection) FieldView {
	entries := slices.Clone(c.entries)
	sorting.By(entries, func(a, b *entry) int {
		if a.node != b.node {
			return f.graph.compare(a.node, b.node)
		}
		return bytes.Compare(a.element[:], b.element[:])
	})
	fv := FieldView{Field: field.ID, Set: true}
	for _, e := range entries {
		by := f.origin(e.node)
		out := Element{Element: e.element, By: by, InForce: true}
		pairs, _ := e.said.AsMap()
		for _, pair := range pairs {
			if part, ok := viewSaid(field, pair, by); ok {
				out.Fields = append(out.Fields, part)
			}
		}
		sorting.By(out.Fields, compareField)
		fv.Items = append(fv.Items, out)
	}
	return fv
}

// viewSaid shows one part of an entry; false for one that the schema does not have.
func viewSaid(field *schema.Field, pair cbor.Pair, by Origin) (FieldView, bool) {
	sub, ok := field.SubField(pair.Key)
	if !ok {
		return FieldView{}, false
	}
	if !isProse(sub) {
		return FieldView{Field: sub.ID, Value: pair.Value, Set: true, By: by}, true
	}
	words, ok := pair.Value.AsText()
	return FieldView{Field: sub.ID, Text: words, Set: true}, ok
}

func (f *folder) viewElement(v *View, field *schema.Field, id ElementID, e *element) Element {
	out := Element{Element: id, By: f.origin(e.added), InForce: true}
	f.viewRemoval(v, field, Path{Field: field.ID, Element: id}, e, &out)
	parts := v
	if !out.InForce {
		parts = &View{} // a disagreement inside what is gone holds nobody up
	}
	for i := range field.Sub {
		sub := &field.Sub[i]
		path := Path{Field: field.ID, Element: id, Sub: sub.ID}
		if fv, ok := f.viewPart(parts, sub, path); ok {
			out.Fields = append(out.Fields, fv)
		}
	}
	sorting.By(out.Fields, compareField)
	return out
}

// viewRemoval says whether an element still counts (SPEC 5.4). A removal made
// with knowledge of every touch removes; one beside an edit does not, and is
// shown. Where the schema keeps removed elements, a removal counts only once a
// person decided so, and is a conflict until then.
func (f *folder) viewRemoval(v *View, field *schema.Field, path Path, e *element, out *Element) {
	live := f.liveRemovals(e, field.KeepRemoved)
	if len(live) == 0 {
		return
	}
	last := live[len(live)-1]
	out.Removed = &Removal{By: f.origin(last.node), Reason: last.reason}
	open := f.uncovered(e, live)
	if field.KeepRemoved {
		out.Removed.Confirmed = f.confirmed(e, live)
		out.InForce = !out.Removed.Confirmed
	} else {
		out.InForce = len(open) > 0
	}
	out.Flagged = out.InForce && len(open) > 0
	if field.KeepRemoved && out.InForce {
		v.Conflicts = append(v.Conflicts, f.removalConflict(path, e, live, open))
	}
}

// liveRemovals are those that nobody undid: by touching the element afterwards,
// knowing of the removal, or by deciding that it stays. Where the schema keeps
// removed elements, a decision that it stays does not undo a removal which
// somebody decided apart to confirm: people disagree, and it must be seen.
func (f *folder) liveRemovals(e *element, kept bool) []removal {
	var live []removal
	for _, r := range e.removals {
		undone := slices.ContainsFunc(e.touches, func(t int32) bool { return t != r.node && f.before(r.node, t) })
		void := len(f.standing(e, r, false)) > 0 && !(kept && len(f.standing(e, r, true)) > 0)
		if !undone && !void {
			live = append(live, r)
		}
	}
	return live
}

// standing are the decisions of a value that know of a removal and that no later
// decision knows of.
func (f *folder) standing(e *element, r removal, gone bool) []int32 {
	var out []int32
	for _, d := range e.decisions {
		if d.gone == gone && f.before(r.node, d.node) && !f.overruled(e, d) {
			out = append(out, d.node)
		}
	}
	return out
}

// overruled reports whether a later decision was made with knowledge of d.
func (f *folder) overruled(e *element, d decision) bool {
	return slices.ContainsFunc(e.decisions, func(x decision) bool {
		return x.node != d.node && f.before(d.node, x.node)
	})
}

// uncovered are the touches that none of the removals knew of.
func (f *folder) uncovered(e *element, live []removal) []int32 {
	var out []int32
	for _, t := range e.touches {
		if !slices.ContainsFunc(live, func(r removal) bool { return f.before(t, r.node) }) {
			out = append(out, t)
		}
	}
	return out
}

// confirmed reports whether people decided that the element is gone: every live
// removal, and every touch, is known to a removal or to such a decision, and
// nobody decided apart that it stays.
func (f *folder) confirmed(e *element, live []removal) bool {
	knows := func(n int32) bool {
		return slices.ContainsFunc(e.decisions, func(d decision) bool {
			return d.gone && f.before(n, d.node) && !f.overruled(e, d)
		})
	}
	for _, r := range live {
		if !knows(r.node) || len(f.standing(e, r, false)) > 0 {
			return false
		}
	}
	for _, t := range f.uncovered(e, live) {
		if !knows(t) {
			return false
		}
	}
	return true
}

// removalConflict shows who would remove an element and who would keep it: who
// decided that it stays and who worked on it, or else worked on it last. The value
// of a side, and of the decision asked for, is whether it is gone.
func (f *folder) removalConflict(path Path, e *element, live []removal, open []int32) Conflict {
	c := Conflict{Path: path, Rule: schema.Protect.String(), Base: cbor.Bool(false), InForce: cbor.Bool(false)}
	keepers := slices.Clone(open)
	for _, r := range live {
		keepers = append(keepers, f.standing(e, r, false)...)
	}
	sorting.By(keepers, func(a, b *int32) int { return f.graph.compare(*a, *b) })
	keepers = slices.Compact(keepers)
	if len(keepers) == 0 {
		keepers = e.touches[len(e.touches)-1:]
	}
	for _, n := range keepers {
		c.Sides = append(c.Sides, Side{Value: cbor.Bool(false), By: f.origin(n)})
	}
	for _, r := range live {
		c.Sides = append(c.Sides, Side{Value: cbor.Bool(true), By: f.origin(r.node)})
	}
	return c
}
