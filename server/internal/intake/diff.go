package intake

import (
	"slices"

	"doorstep/server/internal/desk"
	"doorstep/syncproto"
	"doorstep/syncproto/cbor"
)

// gone is the reason given when a cell no longer names a member of a set.
const gone = "No longer in the case management system."

// fixed are the fields that say which record it is: a line that says otherwise
// is about another record.
func fixed(kind, field string) bool {
	switch kind + "." + field {
	case "allocation.worker", "status.child", "status.kind":
		return true
	}
	return false
}

// diff returns the ops that bring a record from what earlier runs wrote to what
// the files want now. What the files do not mention stays as it is. Elements come
// first: a plan must have its rules before it can be in force.
func (r *run) diff(t *target, p *imported) []syncproto.Op {
	var adds, sets []syncproto.Op
	added := map[syncproto.Path]int{} // element -> place in adds
	for _, w := range t.wants {
		before, had := p.values[w.path]
		switch {
		case had && before == w.value:
		case had && fixed(t.kind.ID, w.path.Field):
			w.row.problem(w.column, ProblemMoved, "An earlier run said otherwise, and this cannot change: end that line, and begin a new one.")
		case w.path.Element.IsZero(), p.has(w.path.Field, w.path.Element):
			sets = append(sets, syncproto.Op{Code: syncproto.OpSet, Path: w.path, Value: w.value})
		default:
			adds = addPart(adds, added, w)
		}
	}
	return slices.Concat(adds, t.removals(p), sets)
}

// addPart puts a part into its element's add.
func addPart(ops []syncproto.Op, added map[syncproto.Path]int, w want) []syncproto.Op {
	element := syncproto.Path{Field: w.path.Field, Element: w.path.Element}
	part := cbor.Pair{Key: w.path.Sub, Value: w.value}
	i, ok := added[element]
	if !ok {
		added[element] = len(ops)
		return append(ops, syncproto.Op{Code: syncproto.OpAdd, Path: element, Value: cbor.Map(part)})
	}
	parts, _ := ops[i].Value.AsMap()
	ops[i].Value = cbor.Map(append(parts, part)...)
	return ops
}

// removals take out members of sets that the cell no longer names.
func (t *target) removals(p *imported) []syncproto.Op {
	var ops []syncproto.Op
	for _, e := range p.elements {
		named := slices.ContainsFunc(t.wants, func(w want) bool {
			return w.path.Field == e.Field && w.path.Element == e.Element
		})
		if t.sets[e.Field] && !named {
			ops = append(ops, syncproto.Op{Code: syncproto.OpRemove, Path: e, Reason: gone})
		}
	}
	return ops
}

// changesOf are the changes that write ops to a record. Where somebody else's value
// is in force, the import's change follows the import's last one instead of the
// newest: the two then stand beside each other, as a disagreement does.
func (r *run) changesOf(t *target, p *imported, ops []syncproto.Op) []desk.Edit {
	var clean, contested []syncproto.Op
	var view *syncproto.View
	if p.exists && len(ops) > 0 {
		view = syncproto.Fold(p.graph, t.kind, p.verdicts)
	}
	for _, op := range ops {
		if view != nil && !p.own.IsZero() && writtenByOthers(view, op, r.account) {
			contested = append(contested, op)
		} else {
			clean = append(clean, op)
		}
	}
	edit := desk.Edit{Author: r.account, Family: t.family, Record: t.record, Kind: t.kind.ID, Capture: syncproto.CaptureImported}
	var out []desk.Edit
	if len(contested) > 0 {
		beside := edit
		beside.Ops, beside.Deps = contested, []syncproto.ChangeID{p.own}
		out = append(out, beside)
	}
	for _, ops := range inChanges(clean) {
		next := edit
		next.Ops = ops
		out = append(out, next)
	}
	return out
}

// changeBytes is about how much an import puts into one change; a change may be
// larger, up to the protocol's limit.
const changeBytes = 128 << 10

// inChanges cuts ops into runs that fit a change.
func inChanges(ops []syncproto.Op) [][]syncproto.Op {
	var out [][]syncproto.Op
	size := changeBytes
	for i, op := range ops {
		cost := opBytes(op)
		if size += cost; size > changeBytes || i == 0 {
			out, size = append(out, nil), cost
		}
		last := len(out) - 1
		out[last] = append(out[last], op)
	}
	return out
}

// opBytes is about what an op takes.
func opBytes(op syncproto.Op) int { return op.Value.Size() + len(op.Reason) + 64 }

// writtenByOthers reports whether what an op would replace was not written by
// the import account alone.
func writtenByOthers(v *syncproto.View, op syncproto.Op, account syncproto.UserID) bool {
	if op.Code != syncproto.OpSet {
		return false
	}
	for _, c := range v.Conflicts {
		if c.Path == op.Path {
			return true
		}
	}
	field, ok := v.Field(op.Path.Field)
	if !ok {
		return false
	}
	if op.Path.Element.IsZero() {
		return field.Set && field.By.Author != account
	}
	for i := range field.Items {
		e := &field.Items[i]
		if e.Element != op.Path.Element {
			continue
		}
		part, ok := e.Field(op.Path.Sub)
		return e.Removed != nil || ok && part.Set && part.By.Author != account
	}
	return true // somebody removed it
}
