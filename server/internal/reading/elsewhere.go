package reading

import (
	"cmp"
	"slices"

	"doorstep/server/internal/access"
	"doorstep/server/internal/store"
	"doorstep/syncproto"
	"doorstep/syncproto/schema"
)

// Elsewhere is a file in which a person may begin records although it is never on their
// tablets, or is there without what it is called: the own file of somebody whom they
// supervise, say, or a family of their programme.
type Elsewhere struct {
	ID    syncproto.FamilyID
	Name  string   // what the person knows it by; may be empty
	Kinds []string // that they may begin, in the schema's order
}

// Elsewhere lists these files of a person, by name.
func (r *Room) Elsewhere(user syncproto.UserID) []Elsewhere {
	state, at := r.store.State(), r.now().UnixMilli()
	var out []Elsewhere
	add := func(id syncproto.FamilyID, name string) {
		if kinds := r.begun(user, id); len(kinds) > 0 {
			out = append(out, Elsewhere{ID: id, Name: name, Kinds: kinds})
		}
	}
	for _, h := range state.Access(user, at).Holdings {
		named := r.asker(user, h.Family).MayRead("family").Allow
		switch {
		case !h.Reached() || h.Held() && named:
		case named:
			add(h.Family, r.FamilyName(user, h.Family))
		default:
			add(h.Family, r.knownBy(h.Family, user))
		}
	}
	for _, file := range state.OwnFiles(user, at) {
		if file != store.OwnFile(user) {
			add(file, r.Name(syncproto.UserID(file)))
		}
	}
	slices.SortStableFunc(out, func(a, b Elsewhere) int { return cmp.Compare(a.Name, b.Name) })
	return slices.CompactFunc(out, func(a, b Elsewhere) bool { return a.ID == b.ID })
}

// begun lists the kinds of which a person may begin records in a file.
func (r *Room) begun(user syncproto.UserID, file syncproto.FamilyID) (kinds []string) {
	who := r.asker(user, file)
	for _, k := range schema.All() {
		if newest, _ := schema.Newest(k.ID); newest == k && who.May(k.ID, access.Need{Action: access.ActionCreate}).Allow {
			kinds = append(kinds, k.ID)
		}
	}
	return kinds
}

// knownBy names a family by somebody who works with it, for who may not know what it is
// called: by the worker whose practice they observe, else by the family's volunteer. To
// these themselves that says nothing.
func (r *Room) knownBy(family syncproto.FamilyID, asks syncproto.UserID) string {
	holds := func(u syncproto.UserID, basis access.Basis) bool {
		return slices.Contains(r.store.State().StandingOf(u, family, r.now().UnixMilli()).Bases, string(basis))
	}
	whose := access.BasisVol
	if holds(asks, access.BasisObserve) {
		whose = access.BasisLead
	}
	for _, u := range r.store.State().MembersOf(family) {
		if u != asks && holds(u, whose) {
			return r.Name(u)
		}
	}
	return ""
}
