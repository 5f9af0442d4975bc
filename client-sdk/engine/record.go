package engine

import (
	"doorstep/syncproto"
	"doorstep/syncproto/schema"
)

// record is one record as this device holds it. It is opened, that is decoded
// and linked up, when somebody first needs more than its bytes.
type record struct {
	id     syncproto.RecordID
	family syncproto.FamilyID
	rows   map[syncproto.ChangeID]stored // what is not in the graph
	graph  *syncproto.Graph              // nil until opened
	own    []*link                       // own changes of this record, purged ones included
	draft  *draft
	gone   syncproto.Code // how the server took it away: CodeErased, CodeMisfiled; CodeOK: it is here; see erase.go
	words  []uint64       // the rows that keep words as they were given

	view *syncproto.View // the fold without the draft; nil when stale
	base *base           // where new words go; nil when stale

	keptRow  []byte // the row of its view, until somebody asks; see keptView
	hasRow   bool   // there is such a row
	kept     bool   // it is of the view as it is
	seenKept bool   // what it says of seen
	rested   bool   // the view has not changed since the last sync
}

// base is the version that new words of this device are written on.
type base struct {
	kind  *schema.Kind
	heads []syncproto.ChangeID
	texts map[syncproto.Path]string // texts as they stand with the draft
}

// has reports whether the change's content is here.
func (r *record) has(id syncproto.ChangeID) bool {
	if _, ok := r.rows[id]; ok {
		return true
	}
	return r.graph != nil && r.graph.Change(id) != nil
}

// body returns a change's bytes, or nil.
func (r *record) body(id syncproto.ChangeID) []byte {
	if s, ok := r.rows[id]; ok {
		return s.body
	}
	if r.graph == nil {
		return nil
	}
	if c := r.graph.Change(id); c != nil {
		return c.Raw
	}
	return nil
}

// unfold opens the record. Rows that cannot be read, which only an older build
// than the one that wrote them meets, stay rows.
func (r *record) unfold() *syncproto.Graph {
	if r.graph == nil {
		r.graph = syncproto.NewGraph(r.id)
		for id, s := range r.rows {
			c, err := syncproto.DecodeChange(s.prev, s.body)
			if err != nil {
				continue
			}
			if _, err := r.graph.Add(c); err == nil {
				delete(r.rows, id)
			}
		}
	}
	return r.graph
}

// add takes in a decoded change; false if the graph will not have it.
func (r *record) add(c *syncproto.Change) bool {
	if r.graph == nil {
		r.rows[c.ID] = stored{prev: c.Prev, body: c.Raw}
		r.forget()
		return true
	}
	if _, err := r.graph.Add(c); err != nil {
		return false
	}
	r.forget()
	return true
}

// forget drops what was worked out from the changes and verdicts.
func (r *record) forget() { r.view, r.base, r.kept, r.rested = nil, nil, false, false }

// fold returns the record without its draft, as it is now: from its kept view if
// that is of what is here, else from its changes.
func (e *Engine) fold(r *record) *syncproto.View {
	if r.view == nil && r.graph == nil {
		r.view = e.recall(r)
	}
	if r.view == nil {
		g := r.unfold()
		r.view = syncproto.Fold(g, kindOf(g), e.verdictsOf(r))
	}
	return r.view
}

// kindOf returns the description of the graph's record kind, or nil.
func kindOf(g *syncproto.Graph) *schema.Kind {
	for _, c := range g.Changes() {
		if kind, ok := schema.Newest(c.Body.Kind); ok {
			return kind
		}
	}
	return nil
}

// verdictsOf returns the server's verdicts on a record, and what stands in for
// those on own changes. While the feed of a new epoch is still coming in, the
// old epoch's verdicts count: a page of a feed is not yet a picture.
func (e *Engine) verdictsOf(r *record) []syncproto.Verdict {
	var out []syncproto.Verdict
	if f := e.families[r.family]; f != nil {
		out = append(out, f.verdicts[e.meta.live][r.id]...)
	}
	for _, l := range r.own {
		if v, ok := l.verdict(); ok {
			out = append(out, v)
		}
	}
	return out
}

// baseOf returns the version to write on.
func (e *Engine) baseOf(r *record) *base {
	if r.base == nil {
		v := e.fold(r)
		kind, _ := schema.Newest(v.Kind)
		r.base = &base{kind: kind, heads: v.Heads, texts: map[syncproto.Path]string{}}
		if r.draft != nil {
			r.draft.applyTo(r.base, v)
		}
	}
	return r.base
}

// text returns a text as it stands with the draft.
func (e *Engine) text(r *record, path syncproto.Path) string {
	b := e.baseOf(r)
	s, ok := b.texts[path]
	if !ok {
		s, _ = textAt(e.fold(r), path)
		b.texts[path] = s
	}
	return s
}
