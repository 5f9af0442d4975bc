package syncproto

import (
	"bytes"
	"strings"

	"doorstep/syncproto/schema"
	"doorstep/syncproto/sorting"
)

// Fold returns what a person sees of a record: the deterministic fold of its
// graph under the merge rules of kind and the server's verdicts (SPEC 5). It
// depends on nothing but the sets it is given, in whatever order they came.
//
// Verdicts of other records are ignored. A nil kind (a record kind of a newer
// app) gives a view with heads and workflow, and no fields.
func Fold(g *Graph, kind *schema.Kind, verdicts []Verdict) *View {
	return newFolder(g, kind, verdicts, nil).view()
}

// FoldAt returns the fold of the ancestors of heads: a version. Heads that the
// graph does not have are ignored; check Graph.Has before.
func FoldAt(g *Graph, kind *schema.Kind, verdicts []Verdict, heads []ChangeID) *View {
	return newFolder(g, kind, verdicts, g.ancestorsOf(heads)).view()
}

// fate says why a change is, or is not, part of the fold.
type fate uint8

const (
	fateFolded      fate = 0
	fateQuarantined fate = 1
	fateLate        fate = 2
	fateHeld        fate = 3 // newer app
	fateOutside     fate = 4 // not of the version asked for
)

type folder struct {
	graph    *Graph
	kind     *schema.Kind
	verdicts []Verdict // of this record, by position
	fates    []fate    // by node
	order    []int32   // folded nodes in canonical order

	registers   map[Path]*register
	collections map[string]*collection
	texts       map[Path]*textField
	wins        map[Path]Verdict
	workflow    []workflowStep
	substance   []int32   // nodes that wrote a field which is not administrative
	versions    [][]int32 // the versions of this record that were confirmed
	noOps       uint64
}

func newFolder(g *Graph, kind *schema.Kind, verdicts []Verdict, version map[int32]bool) *folder {
	f := &folder{
		graph:       g,
		kind:        kind,
		registers:   map[Path]*register{},
		collections: map[string]*collection{},
		texts:       map[Path]*textField{},
		wins:        map[Path]Verdict{},
	}
	for _, v := range verdicts {
		if v.Record == g.record {
			f.verdicts = append(f.verdicts, v)
		}
	}
	sorting.By(f.verdicts, func(a, b *Verdict) int {
		switch {
		case a.Position < b.Position:
			return -1
		case a.Position > b.Position:
			return 1
		}
		return int(a.Kind) - int(b.Kind)
	})
	f.sortOut(version)
	for _, n := range f.order {
		f.apply(n)
	}
	return f
}

// sortOut gives each change its fate. What builds on a change that is left out
// is left out with it.
func (f *folder) sortOut(version map[int32]bool) {
	said := f.verdictFates()
	f.fates = make([]fate, len(f.graph.nodes))
	for _, n := range f.graph.canonical() {
		x := &f.graph.nodes[n]
		fate := said[x.change.ID]
		if version != nil && !version[n] {
			fate = fateOutside
		} else if fate == fateFolded && x.change.Body.NewerApp {
			fate = fateHeld
		}
		for _, d := range x.deps {
			if fate == fateFolded || f.fates[d] == fateQuarantined {
				fate = max(fate, f.fates[d])
			}
		}
		if fate == fateFolded {
			f.order = append(f.order, n)
		}
		f.fates[n] = fate
	}
}

// verdictFates reads the verdicts in order: the last word on a change counts.
func (f *folder) verdictFates() map[ChangeID]fate {
	said := map[ChangeID]fate{}
	for _, v := range f.verdicts {
		switch v.Kind {
		case VerdictQuarantine:
			said[v.Change] = fateQuarantined
		case VerdictAdmit:
			said[v.Change] = fateFolded
		case VerdictLate:
			said[v.Change] = fateLate
		case VerdictWin:
			f.wins[v.Path] = v
		}
	}
	return said
}

func (f *folder) apply(n int32) {
	for i := range f.graph.nodes[n].change.Body.Ops {
		op := &f.graph.nodes[n].change.Body.Ops[i]
		if op.Code >= OpHandOver {
			f.applyWorkflow(n, op)
			continue
		}
		if !f.applyField(n, op) {
			f.noOps++
		}
	}
}

// applyField folds an op on a field; false if there is nothing to act on.
func (f *folder) applyField(n int32, op *Op) bool {
	field := f.field(op.Path.Field)
	if field == nil {
		return false
	}
	f.noteSubstance(n, field)
	if field.Rule == schema.Union || field.Rule == schema.Log {
		return f.applyCollection(n, op, field)
	}
	return f.applyPart(n, op, field)
}

// applyPart folds a set, splice or decision on a field or on part of an element.
func (f *folder) applyPart(n int32, op *Op, field *schema.Field) bool {
	switch op.Code {
	case OpSet:
		f.write(n, op.Path, field, op.Code, op.Value)
	case OpDecide:
		if isProse(field) {
			f.text(op.Path).read = append(f.text(op.Path).read, n)
		} else {
			f.write(n, op.Path, field, op.Code, op.Value)
		}
	case OpSplice:
		return isProse(field) && f.splice(n, op.Path, op.Splices)
	default:
		return false
	}
	return true
}

func (f *folder) field(id string) *schema.Field {
	if f.kind == nil {
		return nil
	}
	field, ok := f.kind.Field(id)
	if !ok {
		return nil
	}
	return field
}

// noteSubstance remembers that a node touched more than an administrative
// field: a confirmation made before it no longer stands (SPEC 8.2).
func (f *folder) noteSubstance(n int32, field *schema.Field) {
	if field.Label == schema.Admin {
		return
	}
	if k := len(f.substance); k == 0 || f.substance[k-1] != n {
		f.substance = append(f.substance, n)
	}
}

func isProse(field *schema.Field) bool {
	return field.Rule == schema.Text || field.Type == schema.TypeProse
}

func (f *folder) origin(n int32) Origin {
	c := f.graph.nodes[n].change
	return Origin{
		Change:  c.ID,
		Author:  c.Body.Author,
		Actor:   c.Body.Actor,
		TimeMS:  c.Body.TimeMS,
		Capture: c.Body.Capture,
	}
}

// before reports whether node a is an ancestor of node b, or b itself.
func (f *folder) before(a, b int32) bool { return f.graph.reaches(b, a) }

func (f *folder) view() *View {
	v := &View{Record: f.graph.record, NoOps: f.noOps}
	if f.kind != nil {
		v.Kind = f.kind.ID
	}
	f.viewGraph(v)
	f.viewFields(v)
	f.viewWorkflow(v)
	f.viewSeal(v)
	v.NoOps = f.noOps
	return v
}

// viewGraph fills in what the shape of the graph says: heads, roots, what is held.
func (f *folder) viewGraph(v *View) {
	succeeded := make([]bool, len(f.graph.nodes))
	for _, n := range f.order {
		x := &f.graph.nodes[n]
		for _, d := range x.deps {
			succeeded[d] = true
		}
		if len(x.deps) == 0 {
			v.Roots = append(v.Roots, x.change.ID)
		}
		v.Family = x.change.Body.Family
		v.Kind = x.change.Body.Kind
		v.SchemaVersion = max(v.SchemaVersion, x.change.Body.SchemaVersion)
	}
	for _, n := range f.order {
		if !succeeded[n] {
			v.Heads = append(v.Heads, f.graph.nodes[n].change.ID)
		}
	}
	SortChangeIDs(v.Heads)
	SortChangeIDs(v.Roots)
	for n, fate := range f.fates {
		if fate == fateHeld {
			v.Held = append(v.Held, f.graph.nodes[n].change.ID)
		}
	}
	SortChangeIDs(v.Held)
}

// viewFields shows every field that somebody wrote, in order of their ids.
func (f *folder) viewFields(v *View) {
	if f.kind == nil {
		return
	}
	for i := range f.kind.Fields {
		field := &f.kind.Fields[i]
		if fv, ok := f.viewField(v, field); ok {
			v.Fields = append(v.Fields, fv)
		}
	}
	sorting.By(v.Fields, compareField)
	sorting.By(v.Conflicts, func(a, b *Conflict) int { return comparePath(&a.Path, &b.Path) })
	sorting.By(v.Overlaps, func(a, b *Overlap) int { return comparePath(&a.Path, &b.Path) })
}

func (f *folder) viewField(v *View, field *schema.Field) (FieldView, bool) {
	switch field.Rule {
	case schema.Union, schema.Log:
		return f.viewCollection(v, field)
	case schema.Own:
		return f.viewSlots(v, field)
	case schema.Derived:
		return FieldView{}, false
	}
	return f.viewPart(v, field, Path{Field: field.ID})
}

// viewPart shows one register or one text.
func (f *folder) viewPart(v *View, field *schema.Field, path Path) (FieldView, bool) {
	if isProse(field) {
		t := f.texts[path]
		if t == nil {
			return FieldView{}, false
		}
		f.viewOverlaps(v, path, t)
		return FieldView{Field: field.ID, Text: t.log.String(), Set: true}, true
	}
	r := f.registers[path]
	if r == nil {
		return FieldView{}, false
	}
	return f.viewRegister(v, field, path, r)
}

func compareField(a, b *FieldView) int { return strings.Compare(a.Field, b.Field) }

func comparePath(a, b *Path) int {
	if c := strings.Compare(a.Field, b.Field); c != 0 {
		return c
	}
	if c := bytes.Compare(a.Element[:], b.Element[:]); c != 0 {
		return c
	}
	return strings.Compare(a.Sub, b.Sub)
}

// ancestorsOf returns the nodes of the version that heads name.
func (g *Graph) ancestorsOf(heads []ChangeID) map[int32]bool {
	in := map[int32]bool{}
	var stack []int32
	for _, id := range heads {
		if n, ok := g.index[id]; ok {
			stack = append(stack, n)
		}
	}
	for len(stack) > 0 {
		n := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		if !in[n] {
			in[n] = true
			stack = append(stack, g.nodes[n].deps...)
		}
	}
	return in
}
