package store

import (
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
	at map[syncproto.ID]int
	in []uint64
}

func newRuns() runs { return runs{at: map[syncproto.ID]int{}} }

func (r *runs) add(position uint64, id syncproto.ID) {
	r.at[id] = len(r.in)
	r.in = append(r.in, position)
}

// RunCovers reports whether a run can have handed out what lies at a position: it
// is of this journal, and the position is not beyond its end.
func (s *State) RunCovers(id syncproto.ID, position uint64) bool {
	s.mu.RLock()
	defer s.mu.RUnlock()
	i, known := s.runs.at[id]
	switch {
	case !known:
		return false
	case i+1 < len(s.runs.in):
		return position < s.runs.in[i+1]
	}
	return position <= s.head
}
