package store

import (
	"slices"

	"doorstep/syncproto"
	"doorstep/syncproto/cbor"
)

// ReviewEntry says why a reviewer keeps a change locked away; the verdict beside it
// says that they do. The newest of a change counts, while it is kept away. The
// reason speaks of a family, so it is sealed as the change's own words are: bound to
// the change's id, under the key that goes with them.
type ReviewEntry struct {
	Change syncproto.ChangeID
	Family syncproto.FamilyID
	Record syncproto.RecordID
	By     syncproto.UserID
	AtMS   int64
	Sealed []byte // SealReason's result
}

// CustodyAlertEntry says how full custody is for one person's words from one device:
// Percent is 80 when four fifths of the room is taken, 100 when something had to stay
// on the device, and 0 when there is room again. The newest counts.
type CustodyAlertEntry struct {
	Device  syncproto.DeviceID
	User    syncproto.UserID // whose words they are
	Percent uint64
	AtMS    int64
}

// RecoveryEntry says that two people recovered the sealed words of a tablet that was
// lost or locked, and how many there were.
type RecoveryEntry struct {
	Device syncproto.DeviceID // of the tablet
	User   syncproto.UserID   // whose words they are
	By     syncproto.UserID   // one of the two
	Second syncproto.UserID   // the other
	Count  uint64             // changes in the file
	AtMS   int64
}

const (
	kindReview       entryKind = 80
	kindCustodyAlert entryKind = 81
	kindRecovery     entryKind = 82
)

func (ReviewEntry) entryKind() entryKind       { return kindReview }
func (CustodyAlertEntry) entryKind() entryKind { return kindCustodyAlert }
func (RecoveryEntry) entryKind() entryKind     { return kindRecovery }

// reasonAAD keeps a sealed reason from passing for anything else about a change.
func reasonAAD(change syncproto.ChangeID) []byte { return append([]byte("review "), change[:]...) }

// SealReason seals a reviewer's reason about a stored change.
func SealReason(s Sealer, c ChangeEntry, reason string) ([]byte, error) {
	return s.Seal(c.KeyPair(), reasonAAD(c.ID), []byte(reason))
}

// OpenReason unseals what SealReason sealed; it fails once the record was erased.
func OpenReason(s Sealer, c ChangeEntry, e ReviewEntry) (string, error) {
	plain, err := s.Unseal(c.KeyPair(), reasonAAD(c.ID), e.Sealed)
	return string(plain), err
}

func encodeCustody(e Entry) []byte {
	switch e := e.(type) {
	case ReviewEntry:
		b := appendHeader(nil, 7, kindReview)
		b = cbor.AppendBytes(b, e.Change[:])
		b = cbor.AppendBytes(b, e.Family[:])
		b = cbor.AppendBytes(b, e.Record[:])
		b = cbor.AppendBytes(b, e.By[:])
		b = cbor.AppendInt(b, e.AtMS)
		return cbor.AppendBytes(b, e.Sealed)
	case CustodyAlertEntry:
		b := appendHeader(nil, 5, kindCustodyAlert)
		b = cbor.AppendBytes(b, e.Device[:])
		b = cbor.AppendBytes(b, e.User[:])
		b = cbor.AppendUint(b, e.Percent)
		return cbor.AppendInt(b, e.AtMS)
	case RecoveryEntry:
		b := appendHeader(nil, 7, kindRecovery)
		b = cbor.AppendBytes(b, e.Device[:])
		b = cbor.AppendBytes(b, e.User[:])
		b = cbor.AppendBytes(b, e.By[:])
		b = cbor.AppendBytes(b, e.Second[:])
		b = cbor.AppendUint(b, e.Count)
		return cbor.AppendInt(b, e.AtMS)
	}
	return nil
}

func decodeCustody(d *decoder, kind entryKind, count int) Entry {
	switch kind {
	case kindReview:
		d.expect(count == 7)
		var e ReviewEntry
		d.BytesInto(e.Change[:])
		d.BytesInto(e.Family[:])
		d.BytesInto(e.Record[:])
		d.BytesInto(e.By[:])
		e.AtMS = d.Int()
		e.Sealed = slices.Clone(d.Bytes())
		return e
	case kindCustodyAlert:
		d.expect(count == 5)
		var e CustodyAlertEntry
		d.BytesInto(e.Device[:])
		d.BytesInto(e.User[:])
		e.Percent, e.AtMS = d.Uint(), d.Int()
		return e
	case kindRecovery:
		d.expect(count == 7)
		var e RecoveryEntry
		d.BytesInto(e.Device[:])
		d.BytesInto(e.User[:])
		d.BytesInto(e.By[:])
		d.BytesInto(e.Second[:])
		e.Count, e.AtMS = d.Uint(), d.Int()
		return e
	}
	return nil
}

// custody is what the entries of this file add up to.
type custody struct {
	reviews map[syncproto.ChangeID]ReviewEntry
	alerts  map[seat]CustodyAlertEntry // but for those that are over
}

func newCustody() custody {
	return custody{reviews: map[syncproto.ChangeID]ReviewEntry{}, alerts: map[seat]CustodyAlertEntry{}}
}

func (c *custody) apply(e Entry) {
	switch e := e.(type) {
	case ReviewEntry:
		c.reviews[e.Change] = e
	case CustodyAlertEntry:
		c.alerts[seat{e.Device, e.User}] = e
		if e.Percent == 0 {
			delete(c.alerts, seat{e.Device, e.User})
		}
	}
}

// Review returns why a change was kept away last.
func (s *State) Review(change syncproto.ChangeID) (ReviewEntry, bool) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	e, ok := s.custody.reviews[change]
	return e, ok
}

// CustodyAlert returns how full custody was said to be for a person's words from a
// device; 0: there is room.
func (s *State) CustodyAlert(device syncproto.DeviceID, user syncproto.UserID) uint64 {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.custody.alerts[seat{device, user}].Percent
}

// CustodyAlerts lists the alerts that stand, the oldest first.
func (s *State) CustodyAlerts() []CustodyAlertEntry {
	s.mu.RLock()
	defer s.mu.RUnlock()
	out := values(s.custody.alerts)
	slices.SortFunc(out, func(a, b CustodyAlertEntry) int {
		if a.AtMS != b.AtMS {
			return int(a.AtMS - b.AtMS)
		}
		return slices.Compare(a.User[:], b.User[:])
	})
	return out
}
