package syncproto_test

import (
	"slices"
	"testing"

	"doorstep/syncproto"
	"doorstep/syncproto/cbor"
)

// seenOrder has the values of the story's protect field from the most protective
// to the least; the last is one that the field does not list.
var seenOrder = []string{"N", "Y", "MAYBE"}

// TestLessProtectiveValueIsNeverInForce lets the writes of a protect field arrive
// in every order, and looks after each arrival: while a conflict is open, nothing
// that is less protective than one of its sides is in force.
func TestLessProtectiveValueIsNeverInForce(t *testing.T) {
	s := newStory(t)
	s.add("a1", "", set("seen", "Y"))
	s.add("a2", "a1", set("seen", "N"))
	s.add("b1", "a1", set("seen", "Y"))
	s.add("c1", "a1", set("seen", "MAYBE"))
	s.add("a3", "a2 b1", decide("seen", "Y"))
	s.add("b2", "a3 c1", decide("seen", "Y"))
	open := 0
	permute(len(s.changes), func(perm []int) {
		g := syncproto.NewGraph(storyRecord)
		for n, i := range perm {
			if _, err := g.Add(s.changes[i]); err != nil {
				t.Fatalf("add change %d: %v", i, err)
			}
			v := syncproto.Fold(g, storyKind, nil)
			if len(v.Conflicts) == 0 {
				continue
			}
			open++
			wantMostProtective(t, perm[:n+1], v)
		}
	})
	if open == 0 {
		t.Error("no order of arrival opened a conflict")
	}
}

func wantMostProtective(t *testing.T, arrived []int, v *syncproto.View) {
	t.Helper()
	field, _ := v.Field("seen")
	c := v.Conflicts[0]
	most := cbor.Null()
	for _, value := range seenOrder {
		if slices.ContainsFunc(c.Sides, func(s syncproto.Side) bool { return s.Value.Equal(cbor.Text(value)) }) {
			most = cbor.Text(value)
			break
		}
	}
	if !field.Value.Equal(most) || !c.InForce.Equal(most) {
		t.Fatalf("after %v: in force %v and %v, want %v of sides %v", arrived, field.Value, c.InForce, most, c.Sides)
	}
}
