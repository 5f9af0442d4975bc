package reading

import (
	"slices"
	"testing"

	"doorstep/syncproto"
	"doorstep/syncproto/cbor"
	"doorstep/syncproto/clocks"
)

// Each visit that counted is held against the day by which it was due then, and a day that
// has passed without one was missed.
func TestReplayOfTheClocks(t *testing.T) {
	policy, err := clocks.ParsePolicy("CIN every 20 WD")
	if err != nil {
		t.Fatal(err)
	}
	rules := clocks.Rules{Policies: []clocks.Policy{policy}}
	day := func(m, d int) clocks.Day { return clocks.Date(2026, m, d) }
	visit := func(on clocks.Day) clocks.Visit { return clocks.Visit{On: on, Type: "CIN", Counts: true} }
	uncounted := visit(day(7, 6))
	uncounted.Counts = false
	rec := clocks.Record{Periods: []clocks.Period{{Kind: "CIN", From: day(6, 1), To: clocks.NoDay, PlacementFrom: clocks.NoDay, FirstReview: clocks.NoDay}},
		Visits: []clocks.Visit{visit(day(6, 15)), uncounted, visit(day(7, 10)), visit(day(7, 10)), visit(day(8, 20))}}
	var got []bool
	for _, d := range replay(rules, rec, day(10, 30)) {
		got = append(got, d.Met)
	}
	if want := []bool{true, true, false, false}; !slices.Equal(got, want) {
		t.Errorf("in time: got %v, want %v: in June, in July (twice the same day), late in August, and none since", got, want)
	}
}

func TestKeyedTwice(t *testing.T) {
	set := func(field, value string) syncproto.Op {
		return syncproto.Op{Code: syncproto.OpSet, Path: syncproto.Path{Field: field}, Value: cbor.Text(value)}
	}
	by := func(user byte, ops ...syncproto.Op) *syncproto.Change {
		return &syncproto.Change{Body: syncproto.Body{Author: syncproto.UserID{user}, Ops: ops}}
	}
	for name, c := range map[string]struct {
		changes []*syncproto.Change
		want    int
		apart   bool
	}{
		"once":                                   {[]*syncproto.Change{by(1, set("place", "HOME"), set("outcome", "COMPLETED"))}, 0, false},
		"put right by somebody else":             {[]*syncproto.Change{by(1, set("place", "HOME")), by(2, set("place", "SCHOOL"))}, 0, false},
		"by the same person again":               {[]*syncproto.Change{by(1, set("place", "HOME")), by(1, set("place", "HOME"))}, 0, false},
		"what was there already":                 {[]*syncproto.Change{by(1, set("place", "HOME"), set("outcome", "COMPLETED")), by(2, set("place", "HOME")), by(3, set("place", "HOME"))}, 1, false},
		"by two who had not heard of each other": {[]*syncproto.Change{by(1, set("place", "HOME")), by(2, set("place", "HOME"))}, 0, true},
	} {
		if got := keyedTwice(c.changes, func(_, _ syncproto.ChangeID) bool { return !c.apart }); got != c.want {
			t.Errorf("%s: got %d, want %d", name, got, c.want)
		}
	}
}
