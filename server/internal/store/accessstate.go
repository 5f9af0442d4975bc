package store

import (
	"cmp"
	"slices"

	"doorstep/syncproto"
)

// Access returns what a person may reach at a time, and up to where in the
// journal that holds: one consistent moment. The holdings are sorted by family and
// must not be changed.
func (s *State) Access(user syncproto.UserID, atMS int64) Access {
	s.mu.RLock()
	seen := s.relations.sights[user]
	if !seen.shows(atMS) {
		s.mu.RUnlock()
		s.look(user, atMS)
		s.mu.RLock()
		if seen = s.relations.sights[user]; !seen.shows(atMS) { // it changed again meanwhile
			seen = s.relations.look(user, atMS)
		}
	}
	defer s.mu.RUnlock()
	return Access{
		User: user, Head: s.head, AtMS: atMS, ChangedAt: s.relations.changed[user],
		Role: s.users[user].Role, Holdings: seen.holdings,
	}
}

// look keeps what a person reaches until an entry or the clock changes it.
func (s *State) look(user syncproto.UserID, atMS int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.relations.sights[user] = s.relations.look(user, atMS)
}

// NextTurn returns when, after a time, the clock alone next changes what a person
// may reach: a relation begins or ends. It is false if nothing is to come.
func (s *State) NextTurn(user syncproto.UserID, afterMS int64) (atMS int64, ok bool) {
	s.Access(user, afterMS)
	s.mu.RLock()
	defer s.mu.RUnlock()
	seen := s.relations.sights[user]
	if !seen.shows(afterMS) {
		seen = s.relations.look(user, afterMS)
	}
	return seen.until, seen.until != 0
}

// StandingOf returns a person before a family's records at a time.
func (s *State) StandingOf(user syncproto.UserID, family syncproto.FamilyID, atMS int64) Standing {
	s.mu.RLock()
	defer s.mu.RUnlock()
	out := s.relations.standing(user, family, atMS)
	if basis := s.ownFile(user, family, atMS); basis != "" {
		out.Bases = append(slices.Clone(out.Bases), basis)
	}
	if u := s.users[user]; !u.Disabled {
		out.Role = u.Role
	}
	return out
}

// BasisOf lists a person's footings with a family at a time, sorted; none: empty.
// Whoever is kept out has none.
func (s *State) BasisOf(user syncproto.UserID, family syncproto.FamilyID, atMS int64) []string {
	s.mu.RLock()
	defer s.mu.RUnlock()
	f := s.relations.stays[user][family]
	if f == nil {
		return nil
	}
	bases, denied := f.bases(atMS)
	if denied {
		return nil
	}
	return bases
}

// Anybody reports whether fn does of anybody who has to do with a family, as they
// stand with it at a time.
func (s *State) Anybody(family syncproto.FamilyID, atMS int64, fn func(syncproto.UserID, Standing) bool) bool {
	for _, u := range s.MembersOf(family) {
		if fn(u, s.StandingOf(u, family, atMS)) {
			return true
		}
	}
	return false
}

// MembersOf lists who has any relation to a family that no entry has ended, those
// that the clock has not begun or has ended among them, in no order.
func (s *State) MembersOf(family syncproto.FamilyID) []syncproto.UserID {
	s.mu.RLock()
	defer s.mu.RUnlock()
	users := make([]syncproto.UserID, 0, len(s.relations.members[family]))
	for u := range s.relations.members[family] {
		users = append(users, u)
	}
	return users
}

// RelationsWith lists the allocations and grants of a family that no entry has
// ended, whatever the clock says, those that began first first.
func (s *State) RelationsWith(family syncproto.FamilyID) []RelationEntry {
	s.mu.RLock()
	defer s.mu.RUnlock()
	var out []RelationEntry
	for user := range s.relations.members[family] {
		for on, e := range s.relations.direct[user] {
			if on.family == family {
				out = append(out, e)
			}
		}
	}
	slices.SortFunc(out, func(a, b RelationEntry) int {
		return cmp.Or(cmp.Compare(a.FromMS, b.FromMS), slices.Compare(a.ID[:], b.ID[:]), slices.Compare(a.User[:], b.User[:]), cmp.Compare(a.Basis, b.Basis))
	})
	return out
}

// Relation returns an allocation or grant of a family that no entry has ended.
func (s *State) Relation(id syncproto.ID) (RelationEntry, bool) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	for _, of := range s.relations.direct {
		for on, e := range of {
			if on.id == id {
				return e, true
			}
		}
	}
	return RelationEntry{}, false
}

// RestrictionsOf lists the restrictions of a family's file in force, by category.
func (s *State) RestrictionsOf(family syncproto.FamilyID) []RestrictionEntry {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return sortedRestrictions(values(s.relations.restrictions[family]))
}

// AllRestrictions lists every restriction in force, the one due for review first
// first.
func (s *State) AllRestrictions() []RestrictionEntry {
	s.mu.RLock()
	defer s.mu.RUnlock()
	var out []RestrictionEntry
	for _, of := range s.relations.restrictions {
		out = append(out, values(of)...)
	}
	return sortedRestrictions(out)
}

func sortedRestrictions(list []RestrictionEntry) []RestrictionEntry {
	slices.SortFunc(list, func(a, b RestrictionEntry) int {
		return cmp.Or(cmp.Compare(a.ReviewMS, b.ReviewMS), cmp.Compare(a.Category, b.Category), slices.Compare(a.Family[:], b.Family[:]))
	})
	return list
}

// BreakGlass returns an emergency opening.
func (s *State) BreakGlass(id syncproto.ID) (BreakGlassEntry, bool) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	e, ok := s.relations.openings[id]
	return e, ok
}

// InEmergency reports whether an emergency opening of a person is open at a time.
func (s *State) InEmergency(user syncproto.UserID, atMS int64) bool {
	s.mu.RLock()
	defer s.mu.RUnlock()
	for _, e := range s.relations.openings {
		if e.User == user && e.ClosedMS == 0 && e.FromMS <= atMS && atMS < e.ToMS {
			return true
		}
	}
	return false
}

// BreakGlasses lists every emergency opening, the newest first.
func (s *State) BreakGlasses() []BreakGlassEntry {
	s.mu.RLock()
	defer s.mu.RUnlock()
	out := values(s.relations.openings)
	slices.SortFunc(out, func(a, b BreakGlassEntry) int {
		return cmp.Or(cmp.Compare(b.FromMS, a.FromMS), slices.Compare(a.ID[:], b.ID[:]))
	})
	return out
}
