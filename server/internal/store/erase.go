package store

import (
	"cmp"
	"errors"
	"slices"
	"time"

	"doorstep/server/internal/audit"
	"doorstep/syncproto"
	"doorstep/syncproto/cbor"
)

// HoldKind says why something must not be erased yet.
type HoldKind string

const (
	HoldLegal     HoldKind = "legal"     // a court, an inquiry, an inspection: until it is lifted
	HoldRetention HoldKind = "retention" // the retention schedule: until a date
)

// HoldEntry keeps a record, or a family's whole file, from being erased. The newest
// with one id counts; of several holds the longest wins.
type HoldEntry struct {
	ID      syncproto.ID
	Family  syncproto.FamilyID
	Record  syncproto.RecordID // zero: the whole family
	Kind    HoldKind
	UntilMS int64 // 0: until it is lifted
	Lifted  bool
	Reason  string // for people; sealed
	By      syncproto.UserID
	AtMS    int64
}

// EraseAskEntry asks that records be erased. Another person has to confirm it.
type EraseAskEntry struct {
	ID      syncproto.ID
	Scope   string // record, child or family
	Family  syncproto.FamilyID
	Record  syncproto.RecordID   // the record or child; zero: the family
	Records []syncproto.RecordID // that go, as found when it was asked
	Basis   string               // legal basis, from a closed list
	Reason  string               // for people; sealed
	By      syncproto.UserID
	AtMS    int64
	Refused bool // by the second person
}

// EraseEntry erases one record for good, or, with the zero record, what is left of
// a family: from here on its words are gone, and its keys are destroyed.
type EraseEntry struct {
	Ask    syncproto.ID
	Scope  string
	Basis  string
	Family syncproto.FamilyID
	Record syncproto.RecordID
	By     syncproto.UserID // who asked
	Second syncproto.UserID // who confirmed
	AtMS   int64
	Mark   audit.Mark // of the record, while its key was there
}

func (HoldEntry) entryKind() entryKind     { return kindHold }
func (EraseAskEntry) entryKind() entryKind { return kindEraseAsk }
func (EraseEntry) entryKind() entryKind    { return kindErase }

// custodyFamily is nobody's family: keys of words that came for erased records.
var custodyFamily = syncproto.FamilyID([]byte("doorstep custody"))

// CustodyKey names the key of words about a record that came after its erasure.
func CustodyKey(record syncproto.RecordID) KeyPair { return KeyPair{custodyFamily, record} }

// KeyPair names the key that a change's words are sealed under.
func (e ChangeEntry) KeyPair() KeyPair {
	if e.Status == syncproto.StatusQuarantined && e.Code == syncproto.CodeErased {
		return CustodyKey(e.Record)
	}
	return KeyPair{e.Family, e.Record}
}

// scopeOf names the whole family where no record is named.
func scopeOf(family syncproto.FamilyID, record syncproto.RecordID) syncproto.RecordID {
	if record.IsZero() {
		return syncproto.RecordID(family)
	}
	return record
}

func encodeErasing(e Entry) []byte {
	switch e := e.(type) {
	case HoldEntry:
		b := appendHeader(nil, 10, kindHold)
		b = cbor.AppendBytes(b, e.ID[:])
		b = cbor.AppendBytes(b, e.Family[:])
		b = cbor.AppendBytes(b, e.Record[:])
		b = cbor.AppendText(b, string(e.Kind))
		b = cbor.AppendInt(b, e.UntilMS)
		b = cbor.AppendBool(b, e.Lifted)
		b = cbor.AppendText(b, e.Reason)
		b = cbor.AppendBytes(b, e.By[:])
		return cbor.AppendInt(b, e.AtMS)
	case EraseAskEntry:
		b := appendHeader(nil, 11, kindEraseAsk)
		b = cbor.AppendBytes(b, e.ID[:])
		b = cbor.AppendText(b, e.Scope)
		b = cbor.AppendBytes(b, e.Family[:])
		b = cbor.AppendBytes(b, e.Record[:])
		b = cbor.AppendArray(b, len(e.Records))
		for _, r := range e.Records {
			b = cbor.AppendBytes(b, r[:])
		}
		b = cbor.AppendText(b, e.Basis)
		b = cbor.AppendText(b, e.Reason)
		b = cbor.AppendBytes(b, e.By[:])
		b = cbor.AppendInt(b, e.AtMS)
		return cbor.AppendBool(b, e.Refused)
	case EraseEntry:
		b := appendHeader(nil, 10, kindErase)
		b = cbor.AppendBytes(b, e.Ask[:])
		b = cbor.AppendText(b, e.Scope)
		b = cbor.AppendText(b, e.Basis)
		b = cbor.AppendBytes(b, e.Family[:])
		b = cbor.AppendBytes(b, e.Record[:])
		b = cbor.AppendBytes(b, e.By[:])
		b = cbor.AppendBytes(b, e.Second[:])
		b = cbor.AppendInt(b, e.AtMS)
		return cbor.AppendBytes(b, e.Mark[:])
	}
	return nil
}

func decodeErasing(d *decoder, kind entryKind, count int) Entry {
	switch kind {
	case kindHold:
		d.expect(count == 10)
		var e HoldEntry
		d.BytesInto(e.ID[:])
		d.BytesInto(e.Family[:])
		d.BytesInto(e.Record[:])
		e.Kind, e.UntilMS, e.Lifted, e.Reason = HoldKind(d.Text()), d.Int(), d.Bool(), d.Text()
		d.BytesInto(e.By[:])
		e.AtMS = d.Int()
		return e
	case kindEraseAsk:
		d.expect(count == 11)
		var e EraseAskEntry
		d.BytesInto(e.ID[:])
		e.Scope = d.Text()
		d.BytesInto(e.Family[:])
		d.BytesInto(e.Record[:])
		for range d.Array() {
			var r syncproto.RecordID
			d.BytesInto(r[:])
			e.Records = append(e.Records, r)
		}
		e.Basis, e.Reason = d.Text(), d.Text()
		d.BytesInto(e.By[:])
		e.AtMS, e.Refused = d.Int(), d.Bool()
		return e
	case kindErase:
		d.expect(count == 10)
		var e EraseEntry
		d.BytesInto(e.Ask[:])
		e.Scope, e.Basis = d.Text(), d.Text()
		d.BytesInto(e.Family[:])
		d.BytesInto(e.Record[:])
		d.BytesInto(e.By[:])
		d.BytesInto(e.Second[:])
		e.AtMS = d.Int()
		d.BytesInto(e.Mark[:])
		return e
	}
	return nil
}

func (v *evidence) applyErasing(e Entry) {
	switch e := e.(type) {
	case HoldEntry:
		if v.holds == nil {
			v.holds = map[syncproto.ID]HoldEntry{}
		}
		v.holds[e.ID] = e
	case EraseAskEntry:
		if v.asks == nil {
			v.asks = map[syncproto.ID]EraseAskEntry{}
		}
		v.asks[e.ID] = e
	case EraseEntry:
		v.erased = append(v.erased, e)
	}
}

// HoldOn returns the longest hold of a kind that keeps a record from being erased at
// a time; the zero record asks for the whole family, which every hold on one of its
// records keeps too.
func (s *State) HoldOn(kind HoldKind, family syncproto.FamilyID, record syncproto.RecordID, at time.Time) (longest HoldEntry, held bool) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	for _, h := range s.evidence.holds {
		over := h.Lifted || h.UntilMS != 0 && h.UntilMS <= at.UnixMilli()
		if over || h.Kind != kind || h.Family != family || !h.Record.IsZero() && !record.IsZero() && h.Record != record {
			continue
		}
		longer := h.UntilMS == 0 || longest.UntilMS != 0 && h.UntilMS > longest.UntilMS
		if !held || longer {
			longest, held = h, true
		}
	}
	return longest, held
}

// Hold returns a hold, in force or not.
func (s *State) Hold(id syncproto.ID) (HoldEntry, bool) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	h, ok := s.evidence.holds[id]
	return h, ok
}

// Holds lists every hold that was ever set, the oldest first.
func (s *State) Holds() []HoldEntry {
	s.mu.RLock()
	defer s.mu.RUnlock()
	out := values(s.evidence.holds)
	slices.SortFunc(out, func(a, b HoldEntry) int {
		return cmp.Or(cmp.Compare(a.AtMS, b.AtMS), slices.Compare(a.ID[:], b.ID[:]))
	})
	return out
}

// EraseAsk returns what was asked under an id.
func (s *State) EraseAsk(id syncproto.ID) (EraseAskEntry, bool) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	a, ok := s.evidence.asks[id]
	return a, ok
}

// EraseAsks lists everything that was asked, the oldest first.
func (s *State) EraseAsks() []EraseAskEntry {
	s.mu.RLock()
	defer s.mu.RUnlock()
	out := values(s.evidence.asks)
	slices.SortFunc(out, func(a, b EraseAskEntry) int { return int(a.AtMS - b.AtMS) })
	return out
}

// Erasures lists what was erased, in the journal's order.
func (s *State) Erasures() []EraseEntry {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return slices.Clone(s.evidence.erased)
}

// IsErased reports whether a record's words are gone for good.
func (s *State) IsErased(family syncproto.FamilyID, record syncproto.RecordID) bool {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return slices.ContainsFunc(s.evidence.erased, func(e EraseEntry) bool {
		return e.Family == family && (e.Record == record || e.Record.IsZero())
	})
}

// applyErase takes a record out of what is listed, and tells the readers of its
// family. Its changes keep their places: the chains of their authors run on.
func (tx *Tx) applyErase(position uint64, e EraseEntry) error {
	if e.Record.IsZero() {
		return nil // of the family's key alone; its records have entries of their own
	}
	return tx.applyGone(position, e.Family, e.Record)
}

// applyGone takes a record of a family out of what is listed: it was erased or moved.
func (tx *Tx) applyGone(position uint64, family syncproto.FamilyID, record syncproto.RecordID) error {
	info, err := tx.RecordInfo(record)
	if err != nil || info.Gone > 0 || info.Family != family {
		return ignoreUnknown(err)
	}
	info.Gone, info.Heads = position, nil
	tx.remove(viewKey(record))
	if info.Last > 0 {
		if err := tx.feed(&info, FeedRef{Position: position, Type: FeedGone}); err != nil {
			return err
		}
	}
	if err := tx.unlist(info); err != nil {
		return err
	}
	tx.putRecord(info)
	return nil
}

// GoneRecord returns which record went at a position of a feed, and whether it was moved to
// another family's file or erased.
func (r *Reader) GoneRecord(position uint64) (record syncproto.RecordID, moved bool, err error) {
	e, err := r.Entry(position)
	if err != nil {
		return record, false, err
	}
	switch e := e.(type) {
	case EraseEntry:
		return e.Record, false, nil
	case MisfileEntry:
		return e.Record, true, nil
	}
	return record, false, ErrDamaged
}

// goes reports whether an entry takes a record away from those who could read it.
func goes(e Entry) bool {
	switch e.(type) {
	case EraseEntry, MisfileEntry:
		return true
	}
	return false
}

// ignoreUnknown lets an erasure of what was never stored pass.
func ignoreUnknown(err error) error {
	if errors.Is(err, ErrNotFound) {
		return nil
	}
	return err
}
