package store

import (
	"maps"
	"slices"

	"doorstep/syncproto"
)

// relations are all relations and how they came to be: which entries gave and
// ended each, from which position to which.
type relations struct {
	// holds says what a basis is worth to a person: whether it is a footing at all,
	// and whether records may then be on a tablet.
	holds func(user syncproto.UserID, basis string) (reads, carries bool)

	direct       map[syncproto.UserID]map[footing]RelationEntry // by allocation or grant
	posts        map[syncproto.UserID]map[post]bool             // teams, and as what
	staff        map[TeamID]map[syncproto.UserID]int            // number of posts in the team
	teamOf       map[syncproto.FamilyID]TeamID
	families     map[TeamID]map[syncproto.FamilyID]bool
	restrictions map[syncproto.FamilyID]map[string]RestrictionEntry // in force, by category
	openings     map[syncproto.ID]BreakGlassEntry

	stays   map[syncproto.UserID]map[syncproto.FamilyID]*familyStays
	members map[syncproto.FamilyID]map[syncproto.UserID]bool
	changed map[syncproto.UserID]uint64 // where somebody's relations last changed
	sights  map[syncproto.UserID]*sight // worked out before, and not changed since
}

// familyStays is one person's relation to one family. The list is replaced, never
// changed, so that a reader may keep it.
type familyStays struct {
	list      []stay
	changedAt uint64
}

// Bases with a meaning here: what keeps a person out whatever else they are to the
// family, what lets them into a restricted file, and what an opening gives.
const (
	basisDenied     = "DENIED"
	basisRelative   = "RELATIVE"
	basisNamed      = "NAMED"
	basisBreakGlass = "BREAK_GLASS"
)

type footing struct {
	family syncproto.FamilyID
	basis  string
	id     syncproto.ID
}

type post struct {
	team  TeamID
	basis string
}

func newRelations(holds func(syncproto.UserID, string) (bool, bool)) relations {
	return relations{
		holds:        holds,
		direct:       map[syncproto.UserID]map[footing]RelationEntry{},
		posts:        map[syncproto.UserID]map[post]bool{},
		staff:        map[TeamID]map[syncproto.UserID]int{},
		teamOf:       map[syncproto.FamilyID]TeamID{},
		families:     map[TeamID]map[syncproto.FamilyID]bool{},
		restrictions: map[syncproto.FamilyID]map[string]RestrictionEntry{},
		openings:     map[syncproto.ID]BreakGlassEntry{},
		stays:        map[syncproto.UserID]map[syncproto.FamilyID]*familyStays{},
		members:      map[syncproto.FamilyID]map[syncproto.UserID]bool{},
		changed:      map[syncproto.UserID]uint64{},
		sights:       map[syncproto.UserID]*sight{},
	}
}

func (r *relations) applyRelation(position uint64, e RelationEntry) {
	on := footing{e.Family, e.Basis, e.ID}
	if e.Grant {
		put(r.direct, e.User, on, e)
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
	for family := range r.families[e.Team] {
		r.update(position, e.User, family)
	}
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
	for family := range r.stays[user] {
		families[family] = true
	}
	for on := range r.direct[user] {
		families[on.family] = true
	}
	for at := range r.posts[user] {
		maps.Copy(families, r.families[at.team])
	}
	for family := range families {
		r.update(position, user, family)
	}
}

// applyRestriction follows a restriction: what is restricted leaves every tablet.
func (r *relations) applyRestriction(position uint64, e RestrictionEntry) {
	if e.On {
		put(r.restrictions, e.Family, e.Category, e)
	} else {
		delete(r.restrictions[e.Family], e.Category)
	}
	for user := range r.members[e.Family] {
		r.update(position, user, e.Family)
	}
}

// applyBreakGlass gives what an opening gives until it ends or is closed.
func (r *relations) applyBreakGlass(position uint64, e BreakGlassEntry) {
	r.openings[e.ID] = e
	r.applyRelation(position, RelationEntry{
		ID: e.ID, User: e.User, Family: e.Family, Basis: basisBreakGlass,
		Grant: e.ClosedMS == 0, FromMS: e.FromMS, ToMS: e.ToMS, By: e.User,
	})
}

func (r *relations) restricted(family syncproto.FamilyID) (restricted, adoption bool) {
	in := r.restrictions[family]
	_, adoption = in[RestrictAdoption]
	return len(in) > 0, adoption
}

// ties lists on what a person's relation to a family rests after an entry.
func (r *relations) ties(user syncproto.UserID, family syncproto.FamilyID) []tie {
	var out []tie
	add := func(t tie) {
		t.denies = t.basis == basisDenied || t.basis == basisRelative
		if t.denies || t.basis == basisNamed {
			out = append(out, t)
			return
		}
		if t.reads, t.carries = r.holds(user, t.basis); t.reads {
			out = append(out, t)
		}
	}
	for on, e := range r.direct[user] {
		if on.family == family {
			add(tie{basis: on.basis, id: on.id, fromMS: e.FromMS, toMS: e.ToMS})
		}
	}
	if team := r.teamOf[family]; team != (TeamID{}) {
		for p := range r.posts[user] {
			if p.team == team {
				add(tie{basis: p.basis})
			}
		}
	}
	if shut, _ := r.restricted(family); shut {
		for i := range out {
			out[i].carries = false
		}
	}
	return out
}

// update brings a person's stays with a family up to date: it ends those that
// rest on nothing any more, and begins those that are new.
func (r *relations) update(position uint64, user syncproto.UserID, family syncproto.FamilyID) {
	want := r.ties(user, family)
	f := r.stays[user][family]
	if f == nil {
		if len(want) == 0 {
			return
		}
		f = &familyStays{}
		put(r.stays, user, family, f)
	}
	list, changed, open := slices.Clone(f.list), false, 0
	for i := range list {
		if !list[i].open() {
			continue
		}
		if at := slices.Index(want, list[i].tie); at >= 0 {
			want = slices.Delete(want, at, at+1)
			open++
			continue
		}
		list[i].toPosition, changed = position, true
	}
	slices.SortFunc(want, func(a, b tie) int {
		if a.basis != b.basis {
			return slices.Compare([]byte(a.basis), []byte(b.basis))
		}
		return slices.Compare(a.id[:], b.id[:])
	})
	for _, t := range want {
		list = append(list, stay{tie: t, fromPosition: position})
		changed, open = true, open+1
	}
	if !changed {
		return
	}
	f.list, f.changedAt = list, position
	r.changed[user] = position
	delete(r.sights, user)
	if open > 0 {
		put(r.members, family, user, true)
	} else {
		delete(r.members[family], user)
	}
}

// put sets m[outer][inner], making the inner map if need be.
func put[A, B comparable, V any](m map[A]map[B]V, outer A, inner B, v V) {
	if m[outer] == nil {
		m[outer] = map[B]V{}
	}
	m[outer][inner] = v
}
