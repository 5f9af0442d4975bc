package store

import (
	"slices"

	"doorstep/syncproto"
	"doorstep/syncproto/cbor"
)

// RunEntry says that a server began to work on the journal. What is handed out
// afterwards, up to the next RunEntry, carries its ID, so that a cursor of a
// future that this journal does not have is known for one, even after the journal
// has grown beyond it: an old copy of the data that was put back has other runs.
type RunEntry struct{ ID syncproto.ID }

const kindRun entryKind = 96

func (RunEntry) entryKind() entryKind { return kindRun }

func encodeRun(e RunEntry) []byte {
	return cbor.AppendBytes(appendHeader(nil, 2, kindRun), e.ID[:])
}

func decodeRun(d *decoder, count int) Entry {
	d.expect(count == 2)
	var e RunEntry
	d.BytesInto(e.ID[:])
	return e
}

// runs are the runs of the journal and where each began, oldest first.
type runs struct {
	at   map[syncproto.ID]int
	in   []uint64
	last syncproto.ID
}

func newRuns() runs { return runs{at: map[syncproto.ID]int{}} }

func (r *runs) add(position uint64, id syncproto.ID) {
	r.at[id] = len(r.in)
	r.in, r.last = append(r.in, position), id
}

// LastRun is the run that the newest RunEntry began; zero: there was none.
func (s *State) LastRun() syncproto.ID {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.runs.last
}

// endBelow is how many entries there were when the last run began with fewer than a
// number of them; 0 if none did.
func (r *runs) endBelow(size uint64) uint64 {
	for _, position := range slices.Backward(r.in) {
		if position-1 < size {
			return position - 1
		}
	}
	return 0
}

// IsLostFuture reports whether what a run handed out in an epoch, up to a position,
// shows that this journal is an older copy, and nothing in the journal says so yet: it
// never had that epoch, or it had not got so far in that run by the end of the epoch,
// and what ended the epoch is nothing that loses what was handed out.
func (s *State) IsLostFuture(epoch syncproto.Epoch, run syncproto.ID, position uint64) bool {
	s.mu.RLock()
	defer s.mu.RUnlock()
	i := slices.IndexFunc(s.evidence.epochs, func(e EpochEntry) bool { return e.Epoch == epoch })
	if i < 0 {
		return true
	}
	later := s.evidence.epochs[i+1:]
	if slices.ContainsFunc(later, func(e EpochEntry) bool { return e.Why == EpochOlder }) {
		return false // that is known
	}
	if len(later) > 0 && position > later[0].From {
		return !saysWhatItLacks(later)
	}
	return !s.runs.cover(run, position, s.head)
}

// saysWhatItLacks reports whether the end of an epoch, after which these came, may
// have lost what the epoch had handed out: one of those that began there says so. A
// torn end alone loses nothing that was handed out.
func saysWhatItLacks(later []EpochEntry) bool {
	return slices.ContainsFunc(later, func(e EpochEntry) bool { return e.From == later[0].From && e.Why.MayLack() })
}

// cover reports whether a run can have handed out what lies at a position: it is of
// this journal, and the position is not beyond its end.
func (r *runs) cover(id syncproto.ID, position, head uint64) bool {
	i, known := r.at[id]
	switch {
	case !known:
		return false
	case i+1 < len(r.in):
		return position < r.in[i+1]
	}
	return position <= head
}
