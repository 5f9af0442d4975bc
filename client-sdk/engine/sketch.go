package engine

import (
	"doorstep/syncproto"
	"doorstep/syncproto/schema"
)

// Sketch is what an open draft, or an edit that was not made yet, would be as
// changes. A driver seals it to the borough (SPEC 7.13), so that words which are on
// the disk already can be recovered by two people though they are no change yet.
//
// Its changes are the only ones of an actor of their own, drawn from their salt: they
// take no place in the chain of the actor who writes, and whatever the draft becomes
// in the end contradicts none of them.
type Sketch struct {
	Record  syncproto.RecordID
	Changes []Unsent
}

// Sketches returns a sketch of every open draft.
func (e *Engine) Sketches() (out []Sketch) {
	for _, id := range sortedIDs(e.records) {
		r := e.records[id]
		if r.draft == nil {
			continue
		}
		kind, known := schema.Newest(r.draft.kind)
		if !known {
			continue
		}
		if s, err := e.sketch(r, kind, r.draft.heads, r.draft.passage()); err == nil {
			out = append(out, s)
		}
	}
	return out
}

// Sketch returns what an edit would be; nothing is recorded. It fails as Edit does.
func (e *Engine) Sketch(now Time, in Edit) (Sketch, error) {
	if !e.began {
		return Sketch{}, ErrNotStarted
	}
	r, kind, err := e.place(in)
	if err != nil {
		return Sketch{}, err
	}
	ops, _ := repair(in.Ops)
	if _, err := e.check(r, kind, ops); err != nil {
		return Sketch{}, err
	}
	return e.sketch(r, kind, e.baseOf(r).heads, passage{ops: ops, at: now.sane(), capture: in.Capture, salt: in.Salt})
}

func (e *Engine) sketch(r *record, kind *schema.Kind, heads []syncproto.ChangeID, p passage) (Sketch, error) {
	mine := e.meta.actor
	actor := syncproto.ActorID(nextSalt(p.salt))
	e.meta.actor = actor
	changes, err := e.compose(r, kind, heads, p, nil)
	e.meta.actor = mine
	delete(e.chains, actor)
	out := Sketch{Record: r.id}
	for _, c := range changes {
		out.Changes = append(out.Changes, Unsent{Actor: actor, ID: c.ID, Prev: c.Prev, Body: c.Raw})
	}
	return out, err
}
