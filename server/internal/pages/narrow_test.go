package pages

import (
	"slices"
	"testing"

	"doorstep/server/internal/finalise"
	"doorstep/syncproto"
)

// TestNarrowing: each filter counts what it would show together with the others.
func TestNarrowing(t *testing.T) {
	list := []finalise.Item{
		{Record: syncproto.RecordID{1}, Team: syncproto.ID{1}, State: finalise.StateConfirmed, HappenedMS: 5},
		{Record: syncproto.RecordID{2}, Team: syncproto.ID{1}, State: finalise.StateConflict, HappenedMS: 50},
		{Record: syncproto.RecordID{3}, Team: syncproto.ID{2}, State: finalise.StateConfirmed},
	}
	east := syncproto.ID{1}.String()
	for _, c := range []struct {
		n       narrowed
		want    []byte
		address string
	}{
		{narrowed{since: 10}, []byte{1, 2, 3}, "/desk/"},
		{narrowed{since: 10, state: finalise.StateConfirmed}, []byte{1, 3}, "/desk/?state=confirmed"},
		{narrowed{since: 10, team: east}, []byte{1, 2}, "/desk/?team=" + east},
		{narrowed{since: 10, over: true}, []byte{1}, "/desk/?clock=over"}, // who says no time is not past it
		{narrowed{since: 10, state: finalise.StateConflict, team: east, over: true}, nil, "/desk/?clock=over&state=conflict&team=" + east},
	} {
		var got []byte
		for _, i := range c.n.keep(list) {
			got = append(got, i.Record[0])
		}
		if !slices.Equal(got, c.want) || c.n.count(list) != len(c.want) || c.n.address() != c.address {
			t.Errorf("%+v: got %v, %d, %s; want %v, %s", c.n, got, c.n.count(list), c.n.address(), c.want, c.address)
		}
	}
	states := narrowed{team: east}.states(list)
	counts := map[string]int{}
	for _, f := range states {
		counts[f.Text] = f.Count
	}
	if counts["All"] != 2 || counts["Ready to finalise"] != 1 || counts["People differ"] != 1 || counts["Handed over"] != 0 {
		t.Errorf("of one team: %v", counts)
	}
}
