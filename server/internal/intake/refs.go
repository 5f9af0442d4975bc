package intake

import (
	"fmt"
	"io"

	"doorstep/server/internal/store"
	"doorstep/syncproto"
)

// Reference kinds that no file has a column for.
const (
	refFamilyRecord = "family_record" // the family's own sheet, by family reference
	refWorkerTeam   = "worker_team"   // the team a worker was last put into; zero: none
	refAccount      = "account"       // the account that imports are written by
)

// refs turns outside references into ids: those of earlier runs, those of this
// run's files, and fresh ones for what is new.
type refs struct {
	known interface {
		Ref(kind, ref string) (syncproto.ID, bool)
	}
	random io.Reader
	said   map[refKey]place        // defined by this run's files
	spoilt map[refKey]bool         // of these, by a line that is refused
	ids    map[refKey]syncproto.ID // given in this run
	fresh  []freshRef              // in the order in which they were given
	family syncproto.FamilyID      // whose records the next ids are for; zero: nobody's
}

// freshRef is an id given in this run, the one the reference had before, and the
// family that it is stored together with.
type freshRef struct {
	entry  store.RefEntry
	before syncproto.ID
	family syncproto.FamilyID
}

type refKey struct{ kind, ref string }

// place is where a file says something.
type place struct {
	file string
	line int
}

func newRefs(known interface {
	Ref(string, string) (syncproto.ID, bool)
}, random io.Reader) *refs {
	return &refs{known: known, random: random, said: map[refKey]place{}, spoilt: map[refKey]bool{}, ids: map[refKey]syncproto.ID{}}
}

// define notes that a line defines a reference; false if an earlier line does.
func (r *refs) define(kind, ref string, at place) (place, bool) {
	k := refKey{kind, ref}
	if before, twice := r.said[k]; twice {
		return before, false
	}
	r.said[k] = at
	return at, true
}

// spoil notes that the line which defines a reference is refused.
func (r *refs) spoil(kind, ref string) { r.spoilt[refKey{kind, ref}] = true }

// isSpoilt reports whether there is nothing behind a reference but a line that is
// refused: what else speaks of it cannot be judged until that line is put right.
func (r *refs) isSpoilt(kind, ref string) bool {
	return r.spoilt[refKey{kind, ref}] && r.isNew(kind, ref)
}

// isNew reports whether no earlier run knew a reference.
func (r *refs) isNew(kind, ref string) bool {
	id, ok := r.known.Ref(kind, ref)
	return !ok || id.IsZero()
}

// find returns the id of a reference that a file of this run or an earlier run
// defines.
func (r *refs) find(kind, ref string) (syncproto.ID, bool, error) {
	if _, ok := r.said[refKey{kind, ref}]; !ok && r.isNew(kind, ref) {
		return syncproto.ID{}, false, nil
	}
	id, err := r.id(kind, ref)
	return id, true, err
}

// id returns the id of a reference, giving it one if it has none.
func (r *refs) id(kind, ref string) (syncproto.ID, error) {
	k := refKey{kind, ref}
	if id, ok := r.ids[k]; ok {
		return id, nil
	}
	if id, ok := r.known.Ref(kind, ref); ok && !id.IsZero() {
		return id, nil
	}
	var id syncproto.ID
	if _, err := io.ReadFull(r.random, id[:]); err != nil {
		return syncproto.ID{}, fmt.Errorf("drawing an id: %w", err)
	}
	r.set(kind, ref, id)
	return id, nil
}

// set gives a reference an id, whatever it had.
func (r *refs) set(kind, ref string, id syncproto.ID) {
	before, _ := r.known.Ref(kind, ref)
	r.ids[refKey{kind, ref}] = id
	r.fresh = append(r.fresh, freshRef{store.RefEntry{Kind: kind, Ref: ref, ID: id}, before, r.family})
}

// isFree reports whether nothing has a reference, in this run or before.
func (r *refs) isFree(kind, ref string) bool {
	id, ok := r.ids[refKey{kind, ref}]
	if !ok {
		id, _ = r.known.Ref(kind, ref)
	}
	return id.IsZero()
}
