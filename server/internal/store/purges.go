package store

import (
	"cmp"
	"math"
	"slices"

	"doorstep/syncproto"
)

// purges are what devices were to remove and what they said that they did.
type purges struct {
	enrolled map[seat]uint64               // where a person came to use a device
	revoked  map[syncproto.DeviceID]uint64 // where a device was revoked
	receipts map[receiptKey]PurgeReceipt   // the newest
}

// seat is one person's part of a device: a store of their own.
type seat struct {
	device syncproto.DeviceID
	user   syncproto.UserID
}

type receiptKey struct {
	seat
	family syncproto.FamilyID // zero: everything
}

// PurgeReceipt is a device's word that it removed what it was to remove.
type PurgeReceipt struct {
	Epoch    syncproto.Epoch // in which it holds
	Position uint64          // of the newest purge that it answers; 0: it answered none
	AtMS     int64           // when the server got it
}

func newPurges() purges {
	return purges{
		enrolled: map[seat]uint64{}, revoked: map[syncproto.DeviceID]uint64{}, receipts: map[receiptKey]PurgeReceipt{},
	}
}

func (p *purges) applyDevice(position uint64, e DeviceEntry) {
	for _, user := range e.Users {
		at := seat{e.ID, user}
		if _, known := p.enrolled[at]; !known {
			p.enrolled[at] = position
		}
	}
	if _, known := p.revoked[e.ID]; !known && e.RevokedMS != 0 {
		p.revoked[e.ID] = position
	}
}

func (p *purges) applyReceipts(e PurgeEntry) {
	for _, done := range e.Purged {
		k := receiptKey{seat{e.Device, e.User}, done.Family}
		if done.Position >= p.receipts[k].Position || e.Epoch != p.receipts[k].Epoch {
			p.receipts[k] = PurgeReceipt{Epoch: e.Epoch, Position: done.Position, AtMS: e.AtMS}
		}
	}
}

// PurgesOwed lists what a device has to remove of a person's, and has not said
// that it did, by position. A revoked device owes one purge of everything. A
// device that came into use after a relation had ended owes nothing for it. Only
// receipts of the epoch count: the device may have been given the family again by
// entries that the journal has lost. The zero epoch is of a device of which nothing is
// known: it owes families too that its person is only to hold at a later time, for the
// clock may have been ahead when it was sent them and have been put right since.
func (s *State) PurgesOwed(epoch syncproto.Epoch, device syncproto.DeviceID, acc Access) []syncproto.Purged {
	s.mu.RLock()
	defer s.mu.RUnlock()
	at := seat{device, acc.User}
	if revoked, ok := s.purges.revoked[device]; ok {
		if r := s.purges.receipts[receiptKey{seat: at}]; r.Epoch == epoch && r.Position >= revoked {
			return nil
		}
		return []syncproto.Purged{{Position: revoked}}
	}
	var owed []syncproto.Purged
	until := acc.AtMS
	if epoch.IsZero() {
		until = math.MaxInt64
	}
	for _, h := range acc.Holdings {
		if h.Held() {
			continue
		}
		since, sinceMS := s.purges.enrolled[at], s.devices[device].EnrolledMS
		if r := s.purges.receipts[receiptKey{at, h.Family}]; r.Epoch == epoch && r.Position > 0 {
			since, sinceMS = r.Position, r.AtMS
		}
		if acc.heldBetween(h, since, sinceMS, until) {
			owed = append(owed, syncproto.Purged{Family: h.Family, Position: acc.EndedAt(h)})
		}
	}
	slices.SortStableFunc(owed, func(a, b syncproto.Purged) int { return cmp.Compare(a.Position, b.Position) })
	return owed
}

// heldBetween reports whether a holding might have stood at or after a position and
// a time, and not after another. It looks at every position and every time at which the holding turned,
// each with each: which of them met is not known, and a purge too many harms
// nothing.
func (a *Access) heldBetween(h Holding, position uint64, atMS, untilMS int64) bool {
	positions, times := []uint64{position}, []int64{atMS}
	for i := range h.stays {
		t := &h.stays[i]
		for _, p := range []uint64{t.fromPosition, t.toPosition} {
			if p > position && p <= a.Head {
				positions = append(positions, p)
			}
		}
		for _, ms := range []int64{t.fromMS, t.toMS} {
			if ms > atMS && ms <= untilMS {
				times = append(times, ms)
			}
		}
	}
	for _, p := range positions {
		for _, ms := range times {
			if h.HeldAt(p, ms) {
				return true
			}
		}
	}
	return false
}

// EndedAt is the position under which a purge of a family that is not held any
// more is spoken of: that of the entry that ended it or, if the clock may have, the
// head. After the last entry the clock may have begun the holding too, which was then
// spoken of under a later position: a device leaves out what is older than that.
func (a *Access) EndedAt(h Holding) uint64 {
	byClock := a.heldBetween(h, h.ChangedAt, math.MinInt64, math.MaxInt64)
	if !byClock && h.ChangedAt > 0 && h.HeldAt(h.ChangedAt-1, a.AtMS) {
		return h.ChangedAt
	}
	return a.Head
}

// PurgeReceipt returns a device's newest word on a family of a person's; the zero
// family: on everything. It is zero if there was none.
func (s *State) PurgeReceipt(device syncproto.DeviceID, user syncproto.UserID, family syncproto.FamilyID) PurgeReceipt {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.purges.receipts[receiptKey{seat{device, user}, family}]
}
