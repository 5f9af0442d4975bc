package store

import (
	"maps"
	"slices"

	"doorstep/syncproto"
)

// Access is what a person may reach at one moment.
type Access struct {
	Head      uint64 // position up to which it holds
	ChangedAt uint64 // position at which it last changed
	Role      string
	Holdings  []Holding // sorted by family, those that ended among them
}

// Holding is a person's relation to one family over time.
type Holding struct {
	Family    syncproto.FamilyID
	Bases     []string // now, sorted; empty: the relation has ended
	ChangedAt uint64   // position at which Bases last changed
	spans     []span   // when there was any basis at all, oldest first
}

// span is from one position, included, to another, excluded; to 0: still going on.
type span struct{ from, to uint64 }

// HeldAt reports whether the relation stood once the entry at position counted.
func (h Holding) HeldAt(position uint64) bool {
	for _, s := range h.spans {
		if s.from <= position && (s.to == 0 || position < s.to) {
			return true
		}
	}
	return false
}

// Held reports whether the relation stands now.
func (h Holding) Held() bool { return len(h.Bases) > 0 }

// EndedAt returns the position at which a relation that has ended did so.
func (h Holding) EndedAt() uint64 {
	if len(h.spans) == 0 {
		return 0
	}
	return h.spans[len(h.spans)-1].to
}

// Holding returns the person's relation to a family, past ones included.
func (a Access) Holding(family syncproto.FamilyID) (Holding, bool) {
	i, ok := findHolding(a.Holdings, family)
	if !ok {
		return Holding{}, false
	}
	return a.Holdings[i], true
}

func findHolding(hs []Holding, family syncproto.FamilyID) (int, bool) {
	return slices.BinarySearchFunc(hs, family, func(h Holding, f syncproto.FamilyID) int {
		return slices.Compare(h.Family[:], f[:])
	})
}

// relations are all grants in force and, for each person, how they came to be.
// Holdings are replaced, never changed, so that a reader may keep them.
type relations struct {
	// entitles says whether a basis lets a person hold a family's file at all.
	entitles func(user syncproto.UserID, basis string) bool

	direct   map[syncproto.UserID]map[footing]bool // by allocation
	posts    map[syncproto.UserID]map[post]bool    // teams, and as what
	staff    map[TeamID]map[syncproto.UserID]int   // number of posts in the team
	teamOf   map[syncproto.FamilyID]TeamID
	families map[TeamID]map[syncproto.FamilyID]bool
	holdings map[syncproto.UserID][]Holding
	members  map[syncproto.FamilyID]map[syncproto.UserID]bool
	changed  map[syncproto.UserID]uint64 // where somebody's holdings last changed
}

// basisDenied keeps a person out of a family whatever else they are to it.
const basisDenied = "DENIED"

type footing struct {
	family syncproto.FamilyID
	basis  string
}

type post struct {
	team  TeamID
	basis string
}

func newRelations(entitles func(syncproto.UserID, string) bool) relations {
	return relations{
		entitles: entitles,
		direct:   map[syncproto.UserID]map[footing]bool{},
		posts:    map[syncproto.UserID]map[post]bool{},
		staff:    map[TeamID]map[syncproto.UserID]int{},
		teamOf:   map[syncproto.FamilyID]TeamID{},
		families: map[TeamID]map[syncproto.FamilyID]bool{},
		holdings: map[syncproto.UserID][]Holding{},
		members:  map[syncproto.FamilyID]map[syncproto.UserID]bool{},
		changed:  map[syncproto.UserID]uint64{},
	}
}

func (r *relations) applyRelation(position uint64, e RelationEntry) {
	on := footing{e.Family, e.Basis}
	if e.Grant {
		put(r.direct, e.User, on, true)
	} else {
		delete(r.direct[e.User], on)
	}
	r.update(position, e.User, e.Family)
}

func (r *relations) applyTeam(position uint64, e TeamEntry) {
	at := post{e.Team, e.Basis}
	if r.posts[e.User][at] == e.Grant {
		return
	}
	if e.Grant {
		put(r.posts, e.User, at, true)
		put(r.staff, e.Team, e.User, r.staff[e.Team][e.User]+1)
	} else {
		delete(r.posts[e.User], at)
		if r.staff[e.Team][e.User]--; r.staff[e.Team][e.User] == 0 {
			delete(r.staff[e.Team], e.User)
		}
	}
	r.update(position, e.User, slices.Collect(maps.Keys(r.families[e.Team]))...)
}

func (r *relations) applyFamilyTeam(position uint64, e FamilyTeamEntry) {
	before := r.teamOf[e.Family]
	delete(r.families[before], e.Family)
	r.teamOf[e.Family] = e.Team
	if e.Team != (TeamID{}) {
		put(r.families, e.Team, e.Family, true)
	}
	for _, team := range []TeamID{before, e.Team} {
		for user := range r.staff[team] {
			r.update(position, user, e.Family)
		}
	}
}

// applyRole follows a change of what a person is: it may end or bring back all
// that they hold.
func (r *relations) applyRole(position uint64, user syncproto.UserID) {
	families := map[syncproto.FamilyID]bool{}
	for _, h := range r.holdings[user] {
		families[h.Family] = true
	}
	for on := range r.direct[user] {
		families[on.family] = true
	}
	for at := range r.posts[user] {
		maps.Copy(families, r.families[at.team])
	}
	r.update(position, user, slices.Collect(maps.Keys(families))...)
}

// bases lists on what a person's relation to a family rests now, sorted. It is
// empty for who is kept out.
func (r *relations) bases(user syncproto.UserID, family syncproto.FamilyID) []string {
	if r.direct[user][footing{family, basisDenied}] {
		return nil
	}
	var out []string
	for on := range r.direct[user] {
		if on.family == family {
			out = append(out, on.basis)
		}
	}
	if team := r.teamOf[family]; team != (TeamID{}) {
		for p := range r.posts[user] {
			if p.team == team {
				out = append(out, p.basis)
			}
		}
	}
	out = slices.DeleteFunc(out, func(basis string) bool { return !r.entitles(user, basis) })
	slices.Sort(out)
	return slices.Compact(out)
}

// update brings a person's holdings of some families up to date, at the cost of
// one copy of the list.
func (r *relations) update(position uint64, user syncproto.UserID, families ...syncproto.FamilyID) {
	hs := slices.Clone(r.holdings[user])
	for _, family := range families {
		i, ok := findHolding(hs, family)
		bases := r.bases(user, family)
		if !ok && len(bases) == 0 {
			continue
		}
		if !ok {
			hs = slices.Insert(hs, i, Holding{Family: family})
		}
		if hs[i] = hs[i].next(position, bases); hs[i].ChangedAt == position {
			r.changed[user] = position
		}
		if len(bases) > 0 {
			put(r.members, family, user, true)
		} else {
			delete(r.members[family], user)
		}
	}
	r.holdings[user] = hs
}

// next is the holding after its bases became these.
func (h Holding) next(position uint64, bases []string) Holding {
	if slices.Equal(h.Bases, bases) {
		return h
	}
	before := h.Held()
	h.Bases, h.ChangedAt = bases, position
	switch {
	case !before:
		h.spans = append(slices.Clone(h.spans), span{from: position})
	case !h.Held():
		h.spans = slices.Clone(h.spans)
		h.spans[len(h.spans)-1].to = position
	}
	return h
}

// put sets m[outer][inner], making the inner map if need be.
func put[A, B comparable, V any](m map[A]map[B]V, outer A, inner B, v V) {
	if m[outer] == nil {
		m[outer] = map[B]V{}
	}
	m[outer][inner] = v
}
