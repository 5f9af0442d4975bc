package engine

import (
	"cmp"
	"slices"

	"doorstep/syncproto"
	"doorstep/syncproto/sorting"
)

// Standing says what the server last said about access to a family.
type Standing uint8

const (
	StandingNone    Standing = 0 // nothing yet: only words written here are shown
	StandingGranted Standing = 1
	StandingLeaving Standing = 2 // closed; purged once the server has all words written here
	// StandingClosed: a restored server does not speak of the family. It is not
	// shown, and kept: only a purge removes (SPEC 7.5).
	StandingClosed Standing = 3
)

// family is what the device knows of one family.
type family struct {
	id       syncproto.FamilyID
	standing Standing
	basis    string
	position uint64 // of the last grant or revocation
	gen      uint64 // generation in which the server last spoke of the family
	records  map[syncproto.RecordID]*record
	// verdicts by generation and record, each list by position.
	verdicts map[uint64]map[syncproto.RecordID][]syncproto.Verdict
}

// addVerdict files a verdict; one told twice is kept once.
func (f *family) addVerdict(gen uint64, v syncproto.Verdict) bool {
	if f.verdicts[gen] == nil {
		f.verdicts[gen] = map[syncproto.RecordID][]syncproto.Verdict{}
	}
	list := f.verdicts[gen][v.Record]
	i, have := slices.BinarySearchFunc(list, v.Position, func(a syncproto.Verdict, p uint64) int {
		return cmp.Compare(a.Position, p)
	})
	if have {
		return false
	}
	f.verdicts[gen][v.Record] = sorting.Insert(list, i, v)
	return true
}

// readable reports whether the family may be shown.
func (e *Engine) readable(f *family) bool {
	return f.standing != StandingLeaving && f.standing != StandingClosed
}

// heard notes that the server of this generation spoke of the family.
func (e *Engine) heard(w *work, f *family) {
	if f.gen != e.meta.gen && f.standing != StandingNone {
		f.gen = e.meta.gen
		e.putFamily(w, f)
	}
}

func (e *Engine) putFamily(w *work, f *family) { w.put(keyFamily(f.id), encodeFamily(f)) }

// stale reports whether item was heard before: a feed that is read anew tells
// of grants and revocations that later ones replaced.
func (e *Engine) stale(f *family, item *syncproto.Item) bool {
	return f.gen == e.meta.gen && item.Position < f.position
}

// grant opens a family; its history follows in the feed.
func (e *Engine) grant(w *work, item *syncproto.Item) {
	f := e.family(item.Family)
	if e.stale(f, item) {
		return
	}
	if f.standing != StandingGranted {
		w.note(Note{Kind: NoteGranted, Family: f.id})
	}
	f.standing, f.basis, f.position, f.gen = StandingGranted, item.Basis, item.Position, e.meta.gen
	e.putFamily(w, f)
}

// prevOf returns the id of the own change before l.
func (e *Engine) prevOf(l *link) syncproto.ChangeID {
	if l.seq <= 1 {
		return syncproto.ChangeID{}
	}
	return e.chains[l.actor].links[l.seq-2].id
}

// dropVerdicts removes the verdicts of the generations that gone names.
func (e *Engine) dropVerdicts(w *work, f *family, gone func(gen uint64) bool) {
	for gen, byRecord := range f.verdicts {
		if !gone(gen) {
			continue
		}
		for _, list := range byRecord {
			for i := range list {
				w.delete(keyVerdict(gen, f.id, &list[i]))
			}
		}
		delete(f.verdicts, gen)
	}
	for _, r := range f.records {
		r.forget()
	}
}

// ids returns the changes that are here, in bytewise order.
func (r *record) ids() []syncproto.ChangeID {
	var out []syncproto.ChangeID
	for id := range r.rows {
		out = append(out, id)
	}
	if r.graph != nil {
		for _, c := range r.graph.Changes() {
			out = append(out, c.ID)
		}
		for _, c := range r.graph.ParkedChanges() {
			out = append(out, c.ID)
		}
	}
	syncproto.SortChangeIDs(out)
	return out
}
