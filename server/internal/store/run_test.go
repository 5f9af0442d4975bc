package store

import (
	"testing"

	"doorstep/syncproto"
)

// stateWith is a state with two epochs, of which the second began after 50 entries,
// and three runs, from entries 10, 30 and 60 on, of 80 entries.
func stateWith(why EpochWhy) *State {
	s := newState(nil)
	s.head = 80
	s.evidence.epochs = []EpochEntry{{Epoch: syncproto.Epoch{1}}, {Epoch: syncproto.Epoch{2}, From: 50, Why: why}}
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
		why        EpochWhy // why the second epoch began
		want       bool
	}{
		{"the last run, what there is", 2, 3, 80, EpochRestored, false},
		{"the last run, beyond the end", 2, 3, 81, EpochRestored, true},
		{"an earlier run, within it", 2, 1, 29, EpochRestored, false},
		{"an earlier run, beyond its end", 2, 1, 30, EpochRestored, true},
		{"a run that there never was", 2, 9, 70, EpochRestored, true},
		{"an epoch that there never was", 9, 1, 20, EpochRestored, true},
		{"an epoch that is over, within a run", 1, 2, 40, EpochRestored, false},
		{"an epoch that is over, lost when it ended", 1, 9, 51, EpochRestored, false},
		{"the same, of a run that there was", 1, 2, 51, EpochRestored, false},
		{"the same, when it was repaired", 1, 2, 51, EpochRepaired, false},
		{"the same, when a torn end ended it, which loses nothing", 1, 2, 51, EpochTorn, true},
		{"a torn end, within a run", 1, 2, 50, EpochTorn, false},
		{"an epoch that is over, before its end, of no run", 1, 9, 45, EpochRestored, true},
		{"the same, when the copy is known for one", 1, 9, 45, EpochOlder, false},
	} {
		got := stateWith(c.why).IsLostFuture(syncproto.Epoch{c.epoch}, syncproto.ID{c.run}, c.position)
		if got != c.want {
			t.Errorf("%s: got %v, want %v", c.what, got, c.want)
		}
	}
}

func TestACopyWentOnWhereARunEnded(t *testing.T) {
	for _, c := range []struct {
		size uint64
		why  EpochWhy
		want syncproto.Restored
	}{
		{70, EpochOlder, syncproto.Restored{Epoch: syncproto.Epoch{2}, Size: 50}},
		{50, EpochOlder, syncproto.Restored{Epoch: syncproto.Epoch{2}, Size: 29}},
		{30, EpochOlder, syncproto.Restored{Epoch: syncproto.Epoch{2}, Size: 29}},
		{29, EpochOlder, syncproto.Restored{Epoch: syncproto.Epoch{2}, Size: 9}},
		{9, EpochOlder, syncproto.Restored{}},
		{70, EpochRestored, syncproto.Restored{Epoch: syncproto.Epoch{2}, Size: 50}},
		{50, EpochRestored, syncproto.Restored{}},
	} {
		if got := stateWith(c.why).RestoredBelow(c.size); got != c.want {
			t.Errorf("for %d entries, %s: got %+v, want %+v", c.size, c.why, got, c.want)
		}
	}
}

// A repair that begins where a torn end was cut tells of what both may have lost.
func TestATornEndThatIsRepairedAtOnceIsExplained(t *testing.T) {
	s := stateWith(EpochTorn)
	s.evidence.epochs = append(s.evidence.epochs, EpochEntry{Epoch: syncproto.Epoch{3}, From: 50, Why: EpochRepaired})
	if s.IsLostFuture(syncproto.Epoch{1}, syncproto.ID{2}, 51) {
		t.Error("what the repair may have lost is taken for the sign of an older copy")
	}
	s.evidence.epochs[2].From = 60
	if !s.IsLostFuture(syncproto.Epoch{1}, syncproto.ID{2}, 51) {
		t.Error("what was lost before the torn end, and served without, is taken for what a later repair lost")
	}
}
