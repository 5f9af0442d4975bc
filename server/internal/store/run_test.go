package store

import (
	"testing"

	"doorstep/syncproto"
)

// stateWith is a state with two epochs, of which the second began after 50 entries,
// and three runs, from entries 10, 30 and 60 on, of 80 entries.
func stateWith(copied bool) *State {
	s := newState(nil)
	s.head = 80
	s.evidence.epochs = []EpochEntry{{Epoch: syncproto.Epoch{1}}, {Epoch: syncproto.Epoch{2}, From: 50, Copy: copied}}
	for i, position := range []uint64{10, 30, 60} {
		s.runs.add(position, syncproto.ID{byte(i + 1)})
	}
	return s
}

func TestAnOlderCopyIsNoticedByWhatOneOfItsRunsHandedOut(t *testing.T) {
	for _, c := range []struct {
		what       string
		epoch, run byte
		position   uint64
		copied     bool
		want       bool
	}{
		{"the last run, what there is", 2, 3, 80, false, false},
		{"the last run, beyond the end", 2, 3, 81, false, true},
		{"an earlier run, within it", 2, 1, 29, false, false},
		{"an earlier run, beyond its end", 2, 1, 30, false, true},
		{"a run that there never was", 2, 9, 70, false, true},
		{"an epoch that there never was", 9, 1, 20, false, true},
		{"an epoch that is over, within a run", 1, 2, 40, false, false},
		{"an epoch that is over, lost when it ended", 1, 9, 51, false, false},
		{"an epoch that is over, before its end, of no run", 1, 9, 45, false, true},
		{"the same, when the copy is known for one", 1, 9, 45, true, false},
	} {
		got := stateWith(c.copied).IsLostFuture(syncproto.Epoch{c.epoch}, syncproto.ID{c.run}, c.position)
		if got != c.want {
			t.Errorf("%s: got %v, want %v", c.what, got, c.want)
		}
	}
}

func TestACopyWentOnWhereARunEnded(t *testing.T) {
	for _, c := range []struct {
		size   uint64
		copied bool
		want   syncproto.Restored
	}{
		{70, true, syncproto.Restored{Epoch: syncproto.Epoch{2}, Size: 50}},
		{50, true, syncproto.Restored{Epoch: syncproto.Epoch{2}, Size: 29}},
		{30, true, syncproto.Restored{Epoch: syncproto.Epoch{2}, Size: 29}},
		{29, true, syncproto.Restored{Epoch: syncproto.Epoch{2}, Size: 9}},
		{9, true, syncproto.Restored{}},
		{70, false, syncproto.Restored{Epoch: syncproto.Epoch{2}, Size: 50}},
		{50, false, syncproto.Restored{}},
	} {
		if got := stateWith(c.copied).RestoredBelow(c.size); got != c.want {
			t.Errorf("for %d entries, a copy %v: got %+v, want %+v", c.size, c.copied, got, c.want)
		}
	}
}
