package store

import (
	"slices"

	"doorstep/syncproto"
)

// Access is what a person may reach at one moment: a position of the journal and
// a time, for relations begin and end by the clock too.
type Access struct {
	User      syncproto.UserID
	Head      uint64 // position up to which it holds
	AtMS      int64  // time at which it holds
	ChangedAt uint64 // position of the last entry that changed it
	Role      string
	Holdings  []Holding // sorted by family, those that ended among them
}

// Holding is a person's relation to one family over time.
type Holding struct {
	Family    syncproto.FamilyID
	Bases     []string // now, sorted; empty: nothing now, or kept out
	ChangedAt uint64   // position of the last entry that changed the relation
	carried   bool
	stays     []stay
}

// Held reports whether the family's records may be on the person's tablets now.
func (h Holding) Held() bool { return h.carried }

// Reached reports whether the person has any footing with the family now, if only
// to read online.
func (h Holding) Reached() bool { return len(h.Bases) > 0 }

// HeldAt reports whether the family's records might be on the person's tablets
// at a time, once the entry at position counted.
func (h Holding) HeldAt(position uint64, atMS int64) bool {
	held := false
	for i := range h.stays {
		s := &h.stays[i]
		if !s.stands(position, atMS) {
			continue
		}
		if s.denies {
			return false
		}
		held = held || s.carries
	}
	return held
}

// stay is one relation from one position to another and one time to another.
// What only the clock ended has no last position.
type stay struct {
	tie
	fromPosition uint64
	toPosition   uint64 // excluded; 0: none yet
}

// tie is what a relation is while no entry changes it.
type tie struct {
	basis   string
	id      syncproto.ID
	reads   bool // it is a footing
	carries bool // records may be on a tablet
	denies  bool // it keeps out
	fromMS  int64
	toMS    int64 // excluded; 0: no end
}

func (s *stay) stands(position uint64, atMS int64) bool {
	return s.fromPosition <= position && (s.toPosition == 0 || position < s.toPosition) && s.holds(atMS)
}

// open reports whether no entry has ended the stay, whatever the clock says.
func (s *stay) open() bool { return s.toPosition == 0 }

func (t *tie) holds(atMS int64) bool { return t.fromMS <= atMS && (t.toMS == 0 || atMS < t.toMS) }

// Holding returns the person's relation to a family, past ones included.
func (a Access) Holding(family syncproto.FamilyID) (Holding, bool) {
	i, ok := slices.BinarySearchFunc(a.Holdings, family, func(h Holding, f syncproto.FamilyID) int {
		return slices.Compare(h.Family[:], f[:])
	})
	if !ok {
		return Holding{}, false
	}
	return a.Holdings[i], true
}

// Standing is a person before a family's records at one moment, as package access
// asks about them.
type Standing struct {
	Role       string
	Bases      []string // sorted; what keeps out among them
	Restricted bool
	Adoption   bool
	Named      bool
}

// sight is what a person reaches from one time until another, when the clock
// changes it.
type sight struct {
	holdings []Holding
	from     int64
	until    int64 // excluded; 0: nothing is to change by the clock alone
}

func (s *sight) shows(atMS int64) bool {
	return s != nil && s.from <= atMS && (s.until == 0 || atMS < s.until)
}

// look works out what a person reaches at a time.
func (r *relations) look(user syncproto.UserID, atMS int64) *sight {
	s := &sight{holdings: make([]Holding, 0, len(r.stays[user]))}
	for family, f := range r.stays[user] {
		h := Holding{Family: family, ChangedAt: f.changedAt, stays: f.list}
		var denied bool
		h.Bases, denied = f.bases(atMS)
		if denied {
			h.Bases = nil
		}
		for i := range f.list {
			t := &f.list[i]
			if t.open() {
				s.turn(t.fromMS, atMS)
				s.turn(t.toMS, atMS)
				h.carried = h.carried || !denied && t.carries && t.holds(atMS)
			}
		}
		s.holdings = append(s.holdings, h)
	}
	slices.SortFunc(s.holdings, func(a, b Holding) int { return slices.Compare(a.Family[:], b.Family[:]) })
	return s
}

// turn narrows the time for which a sight holds by a time at which it changes.
func (s *sight) turn(ms, atMS int64) {
	switch {
	case ms == 0:
	case ms > atMS:
		if s.until == 0 || ms < s.until {
			s.until = ms
		}
	default:
		s.from = max(s.from, ms)
	}
}

// bases lists the footings that stand at a time, sorted, and reports whether
// something keeps the person out.
func (f *familyStays) bases(atMS int64) (bases []string, denied bool) {
	for i := range f.list {
		t := &f.list[i]
		if !t.open() || !t.holds(atMS) {
			continue
		}
		if t.reads {
			bases = append(bases, t.basis)
		}
		denied = denied || t.denies
	}
	slices.Sort(bases)
	return slices.Compact(bases), denied
}

// standing is a person before a family at a time.
func (r *relations) standing(user syncproto.UserID, family syncproto.FamilyID, atMS int64) Standing {
	var s Standing
	s.Restricted, s.Adoption = r.restricted(family)
	f := r.stays[user][family]
	if f == nil {
		return s
	}
	s.Bases, _ = f.bases(atMS)
	for i := range f.list {
		t := &f.list[i]
		if t.open() && t.holds(atMS) {
			s.Named = s.Named || t.basis == basisNamed
			if t.denies {
				s.Bases = append(s.Bases, t.basis)
			}
		}
	}
	slices.Sort(s.Bases)
	s.Bases = slices.Compact(s.Bases)
	return s
}
