package store

import (
	"cmp"
	"slices"

	"doorstep/syncproto"
	"doorstep/syncproto/cbor"
)

// MisfileEntry says that a record was written into the wrong family's file, and that what
// it says stands in another record, of the right family, from here on. Of a visit there is
// one for each record that it is made of. From here on nobody reads the record as one of
// Family: its words are opened by ToRecord alone (domain rules 5, misfiled).
type MisfileEntry struct {
	Family   syncproto.FamilyID // the wrong one
	Record   syncproto.RecordID
	Kind     string             // of both records
	ToFamily syncproto.FamilyID // the right one
	ToRecord syncproto.RecordID
	Reason   string // for people; sealed under a key of ToFamily
	By       syncproto.UserID
	AtMS     int64
}

const kindMisfile entryKind = 71

func (MisfileEntry) entryKind() entryKind { return kindMisfile }

func (e MisfileEntry) family() syncproto.FamilyID { return e.ToFamily }
func (e MisfileEntry) words() []string            { return []string{e.Reason} }
func (e MisfileEntry) saying(w []string) Entry    { e.Reason = w[0]; return e }

func encodeMisfile(e MisfileEntry) []byte {
	b := appendHeader(nil, 9, kindMisfile)
	b = cbor.AppendBytes(b, e.Family[:])
	b = cbor.AppendBytes(b, e.Record[:])
	b = cbor.AppendText(b, e.Kind)
	b = cbor.AppendBytes(b, e.ToFamily[:])
	b = cbor.AppendBytes(b, e.ToRecord[:])
	b = cbor.AppendText(b, e.Reason)
	b = cbor.AppendBytes(b, e.By[:])
	return cbor.AppendInt(b, e.AtMS)
}

func decodeMisfile(d *decoder, count int) Entry {
	d.expect(count == 9)
	var e MisfileEntry
	d.BytesInto(e.Family[:])
	d.BytesInto(e.Record[:])
	e.Kind = d.Text()
	d.BytesInto(e.ToFamily[:])
	d.BytesInto(e.ToRecord[:])
	e.Reason = d.Text()
	d.BytesInto(e.By[:])
	e.AtMS = d.Int()
	return e
}

// misfiled is what was moved out of wrong files, by the record that it was and by the one
// that it became.
type misfiled struct {
	from, to map[syncproto.RecordID]MisfileEntry
}

// apply keeps the first entry about a record, as the index does: what was moved is gone
// from where it was.
func (m *misfiled) apply(e MisfileEntry) {
	if _, moved := m.from[e.Record]; moved {
		return
	}
	if m.from == nil {
		m.from, m.to = map[syncproto.RecordID]MisfileEntry{}, map[syncproto.RecordID]MisfileEntry{}
	}
	m.from[e.Record], m.to[e.ToRecord] = e, e
}

// forgetReasons makes entries say of a family what they will say after the next start.
func (m *misfiled) forgetReasons(family syncproto.FamilyID) {
	for _, of := range []map[syncproto.RecordID]MisfileEntry{m.from, m.to} {
		for id, e := range of {
			if e.ToFamily == family {
				of[id] = wordless(e).(MisfileEntry)
			}
		}
	}
}

// Misfiled returns how a record was moved out of the wrong family's file; false: it was not.
func (s *State) Misfiled(record syncproto.RecordID) (MisfileEntry, bool) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	e, moved := s.evidence.misfiled.from[record]
	return e, moved
}

// MovedFrom returns how a record came to be from one in a wrong family's file; false: it
// began as every other.
func (s *State) MovedFrom(record syncproto.RecordID) (MisfileEntry, bool) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	e, moved := s.evidence.misfiled.to[record]
	return e, moved
}

// FileOf returns in whose file the words of a record belong: the family's that it names, or
// of a record that was moved, the right one's, however often it was.
func (s *State) FileOf(family syncproto.FamilyID, record syncproto.RecordID) syncproto.FamilyID {
	s.mu.RLock()
	defer s.mu.RUnlock()
	for {
		e, moved := s.evidence.misfiled.from[record]
		if !moved || e.Family != family {
			return family
		}
		family, record = e.ToFamily, e.ToRecord
	}
}

// Misfiles lists what was moved out of wrong files, the oldest first.
func (s *State) Misfiles() []MisfileEntry {
	s.mu.RLock()
	defer s.mu.RUnlock()
	out := values(s.evidence.misfiled.from)
	slices.SortFunc(out, func(a, b MisfileEntry) int {
		return cmp.Or(cmp.Compare(a.AtMS, b.AtMS), slices.Compare(a.Record[:], b.Record[:]))
	})
	return out
}

// applyMisfile takes a record out of what is listed, as an erasure does: its key stays, so
// that no word is lost.
func (tx *Tx) applyMisfile(position uint64, e MisfileEntry) error {
	return tx.applyGone(position, e.Family, e.Record)
}
