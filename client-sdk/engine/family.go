package engine

import (
	"cmp"
	"slices"

	"doorstep/syncproto"
)

// Standing says what the server last said about access to a family.
type Standing uint8

const (
	StandingNone    Standing = 0 // nothing yet: only words written here are shown
	StandingGranted Standing = 1
	StandingLeaving Standing = 2 // closed; purged once the server has all words written here
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
	f.verdicts[gen][v.Record] = slices.Insert(list, i, v)
	return true
}

// readable reports whether the family may be shown.
func (e *Engine) readable(f *family) bool { return f.standing != StandingLeaving }

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

// revoke closes a family.
func (e *Engine) revoke(w *work, item *syncproto.Item) {
	if f := e.family(item.Family); !e.stale(f, item) {
		e.leave(w, f, item.Position)
	}
}

// leave closes a family at once. What was being typed becomes a change, so that
// it goes up before anything is removed.
func (e *Engine) leave(w *work, f *family, position uint64) {
	for _, id := range sortedIDs(f.records) {
		e.settle(w, f.records[id])
	}
	f.standing, f.position, f.gen = StandingLeaving, position, e.meta.gen
	e.putFamily(w, f)
	w.note(Note{Kind: NoteLeaving, Family: f.id, Code: syncproto.CodeNotEntitled})
}

// finishLeaving purges each closed family all of whose own words the server has.
func (e *Engine) finishLeaving(w *work) {
	for _, id := range sortedIDs(e.families) {
		f := e.families[id]
		if f.standing == StandingLeaving && e.nothingUnsent(f) {
			e.purge(w, f)
		}
	}
}

func (e *Engine) nothingUnsent(f *family) bool {
	for _, r := range f.records {
		if r.draft != nil {
			return false
		}
		for _, l := range r.own {
			if e.wanted(l) {
				return false
			}
		}
	}
	return true
}

// purge removes a family's content and notes the report that is due. Refused
// changes stay: they are this user's own words and exist nowhere else.
func (e *Engine) purge(w *work, f *family) {
	for _, id := range sortedIDs(f.records) {
		e.purgeRecord(w, f.records[id])
	}
	e.dropVerdicts(w, f, func(uint64) bool { return true })
	w.delete(keyFamily(f.id))
	e.meta.purged = append(e.meta.purged, syncproto.Purged{Family: f.id, Position: f.position})
	f.standing, f.basis, f.position, f.gen = StandingNone, "", 0, 0
	e.putMeta(w)
	w.note(Note{Kind: NotePurged, Family: f.id})
}

func (e *Engine) purgeRecord(w *work, r *record) {
	kept := map[syncproto.ChangeID]stored{}
	for _, l := range r.own {
		if l.status == syncproto.StatusRefused && !l.purged && !r.erased {
			kept[l.id] = stored{prev: e.prevOf(l), body: e.body(l)}
		} else if !l.purged {
			l.purged = true
			e.putLink(w, l)
		}
	}
	for _, id := range r.ids() {
		if _, keep := kept[id]; !keep {
			w.delete(keyChange(r.family, r.id, id))
		}
	}
	e.dropKept(w, r)
	for _, n := range r.words {
		w.delete(keyWords(r.family, r.id, n))
	}
	r.rows, r.graph, r.words = kept, nil, nil
	r.forget()
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
