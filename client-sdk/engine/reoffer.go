package engine

import (
	"slices"

	"doorstep/syncproto"
	"doorstep/syncproto/schema"
	"doorstep/syncproto/text"
)

// Reoffer writes this user's words that were quarantined or refused in a record,
// and what was built on them, once more, on top of what the server has: for the
// time after access was given back, or after an app was mended. The old changes
// stay where they are, marked as offered anew. Of a text, what the old changes
// would have made of it is offered as one splice.
//
// It returns the id of the last new change. It fails, with nothing changed, with
// CodeNotFound if there is nothing to offer anew, or as Edit does.
func (e *Engine) Reoffer(now Time, id syncproto.RecordID, salt [16]byte) (syncproto.ChangeID, []Effect, error) {
	r := e.records[id]
	if !e.began || r == nil {
		return syncproto.ChangeID{}, nil, syncproto.CodeNotFound
	}
	links := e.shutOut(r)
	if len(links) == 0 {
		return syncproto.ChangeID{}, nil, syncproto.CodeNotFound
	}
	first := r.graph.Change(links[0].id)
	in := Edit{Record: id, Family: r.family, Kind: first.Body.Kind, Capture: first.Body.Capture, Salt: salt}
	in.Ops = e.opsAnew(r, links)
	w := newWork()
	change, effects, err := e.Edit(now, in)
	if err != nil {
		return syncproto.ChangeID{}, nil, err
	}
	for _, l := range links {
		l.reoffered = true
		e.putLink(w, l)
	}
	return change, append(w.effects(), effects...), nil
}

// shutOut returns the own changes that are kept out of the fold, or build on
// one that is, and were not offered anew; in canonical order.
func (e *Engine) shutOut(r *record) []*link {
	g := r.unfold()
	var out []*link
	for _, c := range g.Changes() {
		l := e.own[c.ID]
		if l == nil || l.reoffered {
			continue
		}
		if slices.ContainsFunc(r.own, func(x *link) bool { return x.shut() && g.IsAncestor(x.id, l.id) }) {
			out = append(out, l)
		}
	}
	return out
}

// opsAnew gathers the ops of changes, and for each text they touch the one
// splice that leads from the text as it stands to the text as they meant it.
func (e *Engine) opsAnew(r *record, links []*link) []syncproto.Op {
	var ops []syncproto.Op
	done := map[syncproto.Path]bool{}
	kind := kindOf(r.graph)
	meant := e.meant(r, kind)
	for _, l := range links {
		for _, op := range r.graph.Change(l.id).Body.Ops {
			if op.Code != syncproto.OpSplice {
				ops = append(ops, op)
				continue
			}
			if done[op.Path] {
				continue
			}
			done[op.Path] = true
			after, _ := textAt(meant, op.Path)
			if splices := text.Diff(e.text(r, op.Path), after); len(splices) > 0 {
				ops = append(ops, syncproto.Op{Code: op.Code, Path: op.Path, Splices: splices})
			}
		}
	}
	return ops
}

// meant is the fold as if nothing of this user's had been shut out.
func (e *Engine) meant(r *record, kind *schema.Kind) *syncproto.View {
	own := map[syncproto.ChangeID]bool{}
	for _, l := range r.own {
		own[l.id] = true
	}
	var verdicts []syncproto.Verdict
	for _, v := range e.verdictsOf(r) {
		if v.Kind != syncproto.VerdictQuarantine || !own[v.Change] {
			verdicts = append(verdicts, v)
		}
	}
	return syncproto.Fold(r.graph, kind, verdicts)
}
