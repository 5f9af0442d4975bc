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
// would have made of it is offered as one splice for each way of writing, which is
// kept: what was dictated stays dictated.
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
	changes, kind, err := e.sayAgain(now.sane(), r, links, salt)
	if err != nil {
		return syncproto.ChangeID{}, nil, err
	}
	w := newWork()
	for _, l := range links {
		l.reoffered = true
		e.putLink(w, l)
	}
	e.putDraft(w, r, nil)
	e.commit(w, r, kind, changes)
	return changes[len(changes)-1].ID, e.edited(w, r), nil
}

// sayAgain composes what links said, after the open draft, on top of what counts
// now.
func (e *Engine) sayAgain(now Time, r *record, links []*link, salt [16]byte) ([]*syncproto.Change, *schema.Kind, error) {
	_, kind, err := e.place(Edit{Record: r.id, Family: r.family, Kind: r.graph.Change(links[0].id).Body.Kind})
	if err != nil {
		return nil, nil, err
	}
	passages := e.passagesAnew(r, links)
	var all []syncproto.Op
	for _, p := range passages {
		all = append(all, p.ops...)
	}
	if _, err := e.check(r, kind, all); err != nil {
		return nil, nil, err
	}
	var changes []*syncproto.Change
	for _, p := range passages {
		p.at, p.salt = now, salt
		if len(changes) == 0 {
			changes, err = e.composeAfterDraft(r, kind, p)
		} else {
			changes, err = e.compose(r, kind, []syncproto.ChangeID{changes[len(changes)-1].ID}, p, changes)
		}
		if err != nil {
			return nil, nil, err
		}
		salt = nextSalt(changes[len(changes)-1].Body.Salt)
	}
	return changes, kind, nil
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

// passagesAnew gathers what links said, a passage for each way of writing that they
// came in: what was dictated stays dictated.
func (e *Engine) passagesAnew(r *record, links []*link) []passage {
	var out []passage
	again := retelling{engine: e, record: r, texts: map[syncproto.Path]string{}}
	captureOf := func(l *link) syncproto.CaptureMode { return r.graph.Change(l.id).Body.Capture }
	for len(links) > 0 {
		capture, n := captureOf(links[0]), 1
		for n < len(links) && captureOf(links[n]) == capture {
			n++
		}
		if ops := again.ops(links[:n], e.meant(r, links[n:])); len(ops) > 0 {
			out = append(out, passage{ops: ops, capture: capture})
		}
		links = links[n:]
	}
	return out
}

// retelling follows the texts of a record while words are said again.
type retelling struct {
	engine *Engine
	record *record
	texts  map[syncproto.Path]string
}

func (t *retelling) text(path syncproto.Path) string {
	if s, ok := t.texts[path]; ok {
		return s
	}
	return t.engine.text(t.record, path)
}

// ops gathers the ops of changes, and for each text they touch the one splice that
// leads from the text as it is by now to the text as they meant it.
func (t *retelling) ops(links []*link, meant *syncproto.View) []syncproto.Op {
	var ops []syncproto.Op
	done := map[syncproto.Path]bool{}
	for _, l := range links {
		for _, op := range t.record.graph.Change(l.id).Body.Ops {
			if op.Code != syncproto.OpSplice {
				t.add(&op)
				ops = append(ops, op)
				continue
			}
			if done[op.Path] {
				continue
			}
			done[op.Path] = true
			after, _ := textAt(meant, op.Path)
			if splices := text.Diff(t.text(op.Path), after); len(splices) > 0 {
				t.texts[op.Path] = after
				ops = append(ops, syncproto.Op{Code: op.Code, Path: op.Path, Splices: splices})
			}
		}
	}
	return ops
}

// add notes the texts that an element comes with.
func (t *retelling) add(op *syncproto.Op) {
	if op.Code != syncproto.OpAdd {
		return
	}
	parts, _ := op.Value.AsMap()
	for _, part := range parts {
		path := syncproto.Path{Field: op.Path.Field, Element: op.Path.Element, Sub: part.Key}
		if s, ok := part.Value.AsText(); ok {
			t.texts[path] = s + t.text(path)
		}
	}
}

// meant is the fold as if nothing of this user's had been shut out, but without
// what came later.
func (e *Engine) meant(r *record, later []*link) *syncproto.View {
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
	for _, l := range later {
		verdicts = append(verdicts, syncproto.Verdict{
			Kind: syncproto.VerdictQuarantine, Record: r.id, Change: l.id, Position: syncproto.MaxSafeInt,
		})
	}
	return syncproto.Fold(r.graph, kindOf(r.graph), verdicts)
}
