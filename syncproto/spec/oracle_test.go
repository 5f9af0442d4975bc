package spec_test

import (
	"bytes"
	"math/rand"
	"slices"
	"testing"

	"doorstep/syncproto"
	"doorstep/syncproto/cbor"
	"doorstep/syncproto/schema"
)

// oracle folds registers and collections straight from the words of SPEC 5, with
// sets and loops over all pairs. It is slow, and knows nothing of the real fold.
type oracle struct {
	kind    *schema.Kind
	changes []*syncproto.Change // folded ones, in canonical order
	knows   map[syncproto.ChangeID]map[syncproto.ChangeID]bool
}

// newOracle sorts out what is folded (SPEC 3.5 and 5.1).
func newOracle(kind *schema.Kind, changes []*syncproto.Change, verdicts []syncproto.Verdict) *oracle {
	o := &oracle{kind: kind, knows: map[syncproto.ChangeID]map[syncproto.ChangeID]bool{}}
	depth := map[syncproto.ChangeID]int{}
	byID := map[syncproto.ChangeID]*syncproto.Change{}
	for _, c := range changes { // each after its deps
		byID[c.ID] = c
		o.knows[c.ID] = map[syncproto.ChangeID]bool{c.ID: true}
		depth[c.ID] = 1
		for _, d := range c.Body.Deps {
			depth[c.ID] = max(depth[c.ID], depth[d]+1)
			for id := range o.knows[d] {
				o.knows[c.ID][id] = true
			}
		}
	}
	order := slices.Clone(changes)
	slices.SortFunc(order, func(a, b *syncproto.Change) int {
		if depth[a.ID] != depth[b.ID] {
			return depth[a.ID] - depth[b.ID]
		}
		if c := bytes.Compare(a.Body.Actor[:], b.Body.Actor[:]); c != 0 {
			return c
		}
		if a.Body.Seq != b.Body.Seq {
			return int(a.Body.Seq) - int(b.Body.Seq)
		}
		return bytes.Compare(a.ID[:], b.ID[:])
	})
	for _, c := range order {
		out := false
		for id := range o.knows[c.ID] {
			out = out || lastWord(verdicts, id) != 0
		}
		if !out {
			o.changes = append(o.changes, c)
		}
	}
	return o
}

// lastWord is the last quarantine or late verdict about a change, 0 if it was
// admitted after it or never left out.
func lastWord(verdicts []syncproto.Verdict, id syncproto.ChangeID) syncproto.VerdictKind {
	last, at := syncproto.VerdictKind(0), uint64(0)
	for _, v := range verdicts {
		if v.Change != id || v.Position < at {
			continue
		}
		switch v.Kind {
		case syncproto.VerdictQuarantine, syncproto.VerdictLate:
			last, at = v.Kind, v.Position
		case syncproto.VerdictAdmit:
			last, at = 0, v.Position
		}
	}
	return last
}

// act is one op, with its place in canonical order.
type act struct {
	at    int
	index int
	id    syncproto.ChangeID
	by    syncproto.UserID
	op    syncproto.Op
}

// acts lists the ops on a field in order.
func (o *oracle) acts(field string) []act {
	var out []act
	for at, c := range o.changes {
		for i, op := range c.Body.Ops {
			if op.Path.Field == field {
				out = append(out, act{at, i, c.ID, c.Body.Author, op})
			}
		}
	}
	return out
}

// after reports whether a was made with knowledge of b, or later in one change.
func (o *oracle) after(a, b act) bool {
	if a.id == b.id {
		return a.index > b.index
	}
	return o.knows[a.id][b.id]
}

// register is SPEC 5.2: the value in force, and the sides if they differ.
func (o *oracle) register(field *schema.Field, writes []act) (inForce cbor.Value, sides []cbor.Value) {
	var open []act
	for _, w := range writes {
		values := map[cbor.Value]bool{}
		for _, x := range open {
			if o.after(w, x) {
				values[x.op.Value] = true
			}
		}
		onlyOwn := len(values) > 1 && field.Rule != schema.Latest && w.op.Code != syncproto.OpDecide
		var left []act
		for _, x := range open {
			if !o.after(w, x) || onlyOwn && x.by != w.by {
				left = append(left, x)
			}
		}
		open = append(left, w)
	}
	differ := slices.ContainsFunc(open, func(w act) bool { return w.op.Value != open[0].op.Value })
	last := open[len(open)-1].op.Value
	if !differ || field.Rule == schema.Latest {
		return last, nil
	}
	for _, w := range open {
		sides = append(sides, w.op.Value)
	}
	if field.Rule != schema.Protect {
		return cbor.Null(), sides
	}
	for _, listed := range field.Protective {
		if slices.Contains(sides, listed) {
			return listed, sides
		}
	}
	return slices.MinFunc(sides, cbor.Compare), sides
}

// verdictOn is SPEC 5.4 for one element: whether it is in force, flagged, and in
// a conflict over its removal.
func (o *oracle) verdictOn(field *schema.Field, id syncproto.ElementID) (inForce, flagged, conflict bool) {
	var touches, removals, decisions []act
	added := false
	for _, a := range o.acts(field.ID) {
		if a.op.Path.Element != id {
			continue
		}
		added = added || a.op.Code == syncproto.OpAdd
		switch {
		case !added:
		case a.op.Code == syncproto.OpAdd || a.op.Path.Sub != "":
			touches = append(touches, a)
		case a.op.Code == syncproto.OpRemove:
			removals = append(removals, a)
		case a.op.Code == syncproto.OpDecide:
			decisions = append(decisions, a)
		}
	}
	standing := func(gone bool, known syncproto.ChangeID) bool {
		return slices.ContainsFunc(decisions, func(d act) bool {
			overruled := slices.ContainsFunc(decisions, func(x act) bool { return x.id != d.id && o.knows[x.id][d.id] })
			return d.op.Value == cbor.Bool(gone) && o.knows[d.id][known] && !overruled
		})
	}
	var live []act
	for _, r := range removals {
		touched := slices.ContainsFunc(touches, func(t act) bool { return t.id != r.id && o.knows[t.id][r.id] })
		disputed := field.KeepRemoved && standing(true, r.id)
		if !touched && (disputed || !standing(false, r.id)) {
			live = append(live, r)
		}
	}
	if len(live) == 0 {
		return true, false, false
	}
	open, confirmed := false, true
	for _, t := range touches {
		if !slices.ContainsFunc(live, func(r act) bool { return o.knows[r.id][t.id] }) {
			open = true
			confirmed = confirmed && standing(true, t.id)
		}
	}
	for _, r := range live {
		confirmed = confirmed && standing(true, r.id) && !standing(false, r.id)
	}
	if field.KeepRemoved {
		return !confirmed, !confirmed && open, !confirmed
	}
	return open, open, false
}

// randomTale writes a random history: people who write one place apart.
func randomTale(m *maker, rng *rand.Rand, kind string, ops func() syncproto.Op) *tale {
	s := m.tale(kind)
	s.loose = true
	for i := range 2 + rng.Intn(9) {
		name := string(rune('a'+rng.Intn(4))) + string(rune('A'+i))
		deps := ""
		for _, c := range s.changes {
			if rng.Intn(3) == 0 {
				deps += " " + nameOf(s, c)
			}
		}
		var list []syncproto.Op
		for range 1 + rng.Intn(2) {
			list = append(list, ops())
		}
		s.does(name, deps, list...)
	}
	for i := range rng.Intn(3) {
		c := s.changes[rng.Intn(len(s.changes))]
		kinds := []syncproto.VerdictKind{syncproto.VerdictQuarantine, syncproto.VerdictAdmit, syncproto.VerdictLate}
		s.rules(uint64(i+1), kinds[rng.Intn(3)], nameOf(s, c), nil)
	}
	return s
}

func nameOf(s *tale, c *syncproto.Change) string {
	for name, x := range s.named {
		if x == c {
			return name
		}
	}
	return ""
}

func (s *tale) view() *syncproto.View {
	s.m.t.Helper()
	g := syncproto.NewGraph(syncproto.RecordID{15: 2})
	for _, c := range s.changes {
		if _, err := g.Add(c); err != nil {
			s.m.t.Fatal(err)
		}
	}
	return syncproto.Fold(g, s.kind, s.verdicts)
}

func TestRegistersAgainstTheWordsOfTheSpec(t *testing.T) {
	codes := []cbor.Value{cbor.Text("Y"), cbor.Text("N"), cbor.Text("NA_INFANT"), cbor.Null(), cbor.Text("odd"), cbor.Text("even")}
	for _, at := range []struct{ kind, field string }{{"visit", "place"}, {"visit_child", "seen_alone"}, {"person", "known_as"}} {
		conflicts := 0
		for seed := range int64(400) {
			rng := rand.New(rand.NewSource(seed))
			s := randomTale(&maker{t: t}, rng, at.kind, func() syncproto.Op {
				op := set(at.field, codes[rng.Intn(len(codes))])
				if rng.Intn(4) == 0 {
					op.Code, op.Reason = syncproto.OpDecide, "so"
				}
				return op
			})
			field, _ := s.kind.Field(at.field)
			o := newOracle(s.kind, s.changes, s.verdicts)
			view := s.view()
			got, written := view.Field(at.field)
			writes := o.acts(at.field)
			if written != (len(writes) > 0) {
				t.Fatalf("%s, seed %d: written is %v, with %d writes", at.field, seed, written, len(writes))
			}
			if !written {
				continue
			}
			inForce, sides := o.register(field, writes)
			if got.Value != inForce {
				t.Fatalf("%s, seed %d: in force %x, want %x", at.field, seed, got.Value.Encode(), inForce.Encode())
			}
			if (len(view.Conflicts) == 1) != (sides != nil) {
				t.Fatalf("%s, seed %d: %d conflicts, want sides %v", at.field, seed, len(view.Conflicts), sides)
			}
			if sides == nil {
				continue
			}
			conflicts++
			for i, side := range view.Conflicts[0].Sides {
				if i >= len(sides) || side.Value != sides[i] {
					t.Fatalf("%s, seed %d: sides differ", at.field, seed)
				}
			}
			if view.Conflicts[0].InForce != inForce {
				t.Fatalf("%s, seed %d: in force in the conflict %x, want %x", at.field, seed, view.Conflicts[0].InForce.Encode(), inForce.Encode())
			}
		}
		if at.field != "known_as" && conflicts < 50 {
			t.Errorf("%s: only %d conflicts: the tales are too tame", at.field, conflicts)
		}
	}
}

func TestElementsAgainstTheWordsOfTheSpec(t *testing.T) {
	for _, at := range []struct{ kind, field, part string }{{"visit_child", "tools_used", "note"}, {"plan", "rules", "when"}} {
		gone, flags, disputes := 0, 0, 0
		for seed := range int64(1500) {
			rng := rand.New(rand.NewSource(seed))
			s := randomTale(&maker{t: t}, rng, at.kind, func() syncproto.Op {
				switch rng.Intn(9) {
				case 0, 1:
					return add(at.field, 1, pair(at.part, cbor.Text("same")))
				case 2:
					return edit(at.field, 1, at.part, cbor.Text("same"))
				case 3, 4, 5:
					return decideElement(at.field, 1, rng.Intn(4) > 0)
				}
				return remove(at.field, 1)
			})
			field, _ := s.kind.Field(at.field)
			o := newOracle(s.kind, s.changes, s.verdicts)
			view := s.view()
			got, _ := view.Field(at.field)
			added := slices.ContainsFunc(o.acts(at.field), func(a act) bool { return a.op.Code == syncproto.OpAdd })
			if (len(got.Items) == 1) != added {
				t.Fatalf("%s, seed %d: %d elements, added %v", at.field, seed, len(got.Items), added)
			}
			if !added {
				continue
			}
			inForce, flagged, conflict := o.verdictOn(field, element(1))
			e := got.Items[0]
			if e.InForce != inForce || e.Flagged != flagged || (len(view.Conflicts) > 0) != conflict {
				t.Fatalf("%s, seed %d: in force %v, flagged %v, conflicts %d; want %v, %v, %v",
					at.field, seed, e.InForce, e.Flagged, len(view.Conflicts), inForce, flagged, conflict)
			}
			if !inForce {
				gone++
			}
			if flagged {
				flags++
			}
			if conflict {
				disputes++
			}
		}
		if gone < 20 || flags < 20 || (at.field == "rules") != (disputes > 20) {
			t.Errorf("%s: %d gone, %d flagged, %d disputed: the tales are too tame", at.field, gone, flags, disputes)
		}
	}
}
