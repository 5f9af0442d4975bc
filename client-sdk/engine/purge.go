package engine

import "doorstep/syncproto"

// Loss of access. A family is closed at once and what was typed in it becomes
// changes (leave); when the server has answered every word of it, its content is
// removed and a receipt is due (finishLeaving). All that is needed to go on after
// a crash is in the rows: the standing of the family, meta.wipe, and the flag of
// each own change whose content is gone or going.

// purgeRows bounds one Store of a purge: a device's store takes 10,000 rows at
// once, and a family may have more.
const purgeRows = 4_000

// revoke closes a family, or everything that is here.
func (e *Engine) revoke(w *work, item *syncproto.Item) {
	if item.Family.IsZero() {
		e.revokeAll(w, item.Position)
		return
	}
	f := e.family(item.Family)
	if e.stale(f, item) {
		return
	}
	if f.standing == StandingLeaving && f.gen == e.meta.gen { // it waits for receipts, and was asked again
		if item.Position > f.position {
			f.position = item.Position
			e.putFamily(w, f)
		}
		return
	}
	if f.standing != StandingNone || len(f.records) > 0 {
		w.note(Note{Kind: NoteLeaving, Family: f.id, Code: syncproto.CodeNotEntitled})
	}
	e.leave(w, f, item.Position)
}

// revokeAll closes everything: this device was withdrawn.
func (e *Engine) revokeAll(w *work, position uint64) {
	if e.meta.wipe == 0 {
		w.note(Note{Kind: NoteLeaving, Code: syncproto.CodeRevokedDevice})
	}
	e.meta.wipe = position
	e.leaveAll(w)
}

// leaveAll closes what is still open, words that were written since among it.
func (e *Engine) leaveAll(w *work) {
	for _, id := range sortedIDs(e.families) {
		f := e.families[id]
		if f.standing == StandingLeaving || f.standing == StandingNone && !e.holds(f) {
			continue
		}
		e.leave(w, f, e.meta.wipe)
	}
}

// holds reports whether anything of a family is here that a purge removes.
func (e *Engine) holds(f *family) bool {
	for _, r := range f.records {
		if r.draft != nil || len(r.words) > 0 {
			return true
		}
		for _, id := range r.ids() {
			if l := e.own[id]; l == nil || l.status != syncproto.StatusRefused {
				return true
			}
		}
	}
	return false
}

// Await names the families of which a driver keeps words that are no change yet, in
// place of those named before: what somebody is filling in. None of them is purged
// before the driver has made changes of them and named it no more. It counts until the
// engine ends; a driver calls it before Start and before each Reply.
func (e *Engine) Await(families []syncproto.FamilyID) {
	e.awaiting = families
}

// leave closes a family that is to be purged.
func (e *Engine) leave(w *work, f *family, position uint64) {
	e.shut(w, f, StandingLeaving)
	f.position = position
	e.putFamily(w, f)
}

// shut stops showing a family. What was being typed becomes a change, so that it
// goes up before anything is removed.
func (e *Engine) shut(w *work, f *family, standing Standing) {
	for _, id := range sortedIDs(f.records) {
		e.settle(w, f.records[id])
	}
	f.standing, f.gen = standing, e.meta.gen
	e.putFamily(w, f)
}

// finishLeaving removes what the server has answered of records that are gone, purges
// each closed family all of whose own words the server has and, once nothing is
// left of what was to go with the device, says so.
func (e *Engine) finishLeaving() []Effect {
	s := &steps{work: newWork()}
	e.finishErasing(s)
	if e.meta.wipe != 0 {
		e.leaveAll(s.work)
	}
	left := false
	for _, id := range sortedIDs(e.families) {
		f := e.families[id]
		switch {
		case f.standing != StandingLeaving:
		case e.nothingUnsent(f):
			e.purge(s, f)
		default:
			left = true
		}
	}
	if e.meta.wipe != 0 && !left {
		e.meta.purged = append(e.meta.purged, syncproto.Purged{Position: e.meta.wipe})
		e.meta.wipe = 0
		s.work.note(Note{Kind: NotePurged})
	}
	e.putMeta(s.work)
	return s.end()
}

func (e *Engine) nothingUnsent(f *family) bool {
	for _, id := range e.awaiting {
		if id == f.id {
			return false
		}
	}
	if e.meta.live != e.meta.gen || e.holdsLost(f) {
		return false // what the server lost is not known yet, or not given back
	}
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

// purge removes a family's content and notes the receipt that is due. Refused
// changes stay: they are this user's own words and exist nowhere else.
func (e *Engine) purge(s *steps, f *family) {
	held := e.holds(f)
	for _, id := range sortedIDs(f.records) {
		e.purgeRecord(s, f.records[id])
	}
	e.dropVerdicts(s.work, f, func(uint64) bool { return true })
	s.next() // everything is gone before anybody is told
	s.work.delete(keyFamily(f.id))
	if e.meta.wipe == 0 {
		e.meta.purged = append(e.meta.purged, syncproto.Purged{Family: f.id, Position: f.position})
	}
	f.standing, f.basis, f.position, f.gen = StandingNone, "", 0, 0
	e.putMeta(s.work)
	if held {
		s.work.note(Note{Kind: NotePurged, Family: f.id})
	}
}

// purgeRecord says of each own change that its content goes, and then removes it:
// a crash between the two leaves rows that the next start removes.
func (e *Engine) purgeRecord(s *steps, r *record) {
	kept := map[syncproto.ChangeID]stored{}
	for _, l := range r.own {
		if l.status == syncproto.StatusRefused && !l.purged && r.gone == 0 {
			kept[l.id] = stored{prev: e.prevOf(l), body: e.body(l)}
		} else if !l.purged {
			l.purged = true
			e.putLink(s.work, l)
			s.mayEnd()
		}
	}
	for _, id := range r.ids() {
		if _, keep := kept[id]; !keep {
			s.work.delete(keyChange(r.family, r.id, id))
			e.forgetOther(id)
			s.mayEnd()
		}
	}
	e.dropKept(s.work, r)
	for _, n := range r.words {
		s.work.delete(keyWords(r.family, r.id, n))
	}
	r.rows, r.graph, r.words = kept, nil, nil
	r.forget()
}

// steps is work that takes several Stores, each of which leaves rows that an
// engine can start from.
type steps struct {
	done []Effect
	work *work
}

// mayEnd ends the step if it has grown large.
func (s *steps) mayEnd() {
	if len(s.work.rows) >= purgeRows {
		s.next()
	}
}

// next ends the step.
func (s *steps) next() {
	s.done = append(s.done, s.work.effects()...)
	s.work = newWork()
}

func (s *steps) end() []Effect {
	s.next()
	return s.done
}
