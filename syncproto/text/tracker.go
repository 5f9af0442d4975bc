package text

import (
	"slices"

	"doorstep/syncproto/sorting"
)

// A tracker replays events that were made apart. Its tree holds every item
// that matters with its state in the merged text of all events seen, and with
// its states at a few prepared versions. Before each event, one of these moves
// to the version that the event was made at.
type tracker struct {
	log  *Log
	base LV               // the critical version it began with, or -1
	upTo LV               // it has seen the events after base and before upTo
	at   [lenses + 1][]LV // the prepared versions, and that of all events seen
	far  [lenses]reach    // how far the prepared versions reach
	tree tree
	gone removals
	out  *pieces // where edits of the merged text go, if anywhere
	diff [lenses]differ
	near int // tuning
}

// begin forgets everything and starts from a critical version of a log.
func (t *tracker) begin(log *Log, base LV) {
	t.log = log
	length := int32(0)
	for lens := range t.at {
		t.at[lens] = t.at[lens][:0]
		if base >= 0 {
			t.at[lens] = append(t.at[lens], base)
		}
	}
	if base >= 0 {
		length = t.log.ops.lengthAfter(base)
	}
	for lens := range t.far {
		t.far[lens].reset(&log.graph, base)
	}
	t.base, t.upTo = base, base+1
	t.tree.reset(base+1, length)
	t.gone.reset(log.ops.find(base + 1))
}

// moveTo prepares a version: it looks through the lens that is nearest to it,
// and moves that. Retreating from an event and advancing over it only count, so
// their order does not matter.
func (t *tracker) moveTo(version []LV) {
	for lens := range t.at {
		if slices.Equal(t.at[lens], version) {
			t.tree.lens = lens
			return
		}
	}
	t.tree.lens = t.nearest(version)
	d := &t.diff[t.tree.lens]
	for _, r := range d.a {
		t.toggle(r, -1)
	}
	for _, r := range d.b {
		t.toggle(r, +1)
	}
	t.tree.settle()
	t.at[t.tree.lens] = append(t.at[t.tree.lens][:0], version...)
}

// nearest returns a lens that it costs little to move to a version, and sets its
// diff. What is far is not looked at to its end: the limit grows until one
// lens is within. The other is not looked at if one only has to go forward, and not
// far; who wrote at a part of the version, and has seen a little more since, is tried
// first.
func (t *tracker) nearest(version []LV) int {
	graph := &t.log.graph
	for turn := range 2 * lenses {
		lens, part := turn%lenses, turn < lenses
		if part == isPart(t.at[lens], version) && t.far[lens].advance(t.near, &t.diff[lens], graph, t.at[lens], version) {
			return lens
		}
	}
	for limit := t.near; ; limit *= 4 {
		best, least := -1, limit
		for lens := range lenses {
			d := &t.diff[lens]
			if d.within(least, graph, t.at[lens], version) && (best < 0 || d.cost < least) {
				best, least = lens, d.cost
			}
		}
		if best >= 0 {
			t.far[best].follow(&t.diff[best], graph)
			return best
		}
	}
}

// isPart reports whether a version has all members of another.
func isPart(of, version []LV) bool {
	for _, lv := range of {
		if i := after(version, lv); i == 0 || version[i-1] != lv {
			return false
		}
	}
	return true
}

// toggle adds to the states of the items that events inserted or deleted.
func (t *tracker) toggle(r lvRange, by int32) {
	ops := &t.log.ops
	for i := ops.find(r.start); i < len(ops.runs) && ops.runs[i].lv < r.end; i++ {
		stop, _ := ops.upTo(i)
		from, to := max(r.start, ops.runs[i].lv), min(r.end, stop)
		if ops.runs[i].kind == insertion {
			t.shift(from, int32(to-from), by)
			continue
		}
		for at := t.gone.first(i); at >= 0; at = t.gone.list[at].next {
			if id, n := t.gone.list[at].between(from, to); n > 0 {
				t.shift(id, n, by)
			}
		}
	}
}

// shift adds to the states of n items.
func (t *tracker) shift(id LV, n, by int32) {
	for n > 0 {
		c, rel := t.tree.find(id)
		size := t.tree.span(c).n
		took := min(n, size-rel)
		if took < size {
			c = t.tree.isolate(c, rel, took)
		}
		t.tree.shift(c, by)
		t.tree.joinAround(c)
		id += LV(took)
		n -= took
	}
}

// isolate makes n items of a span, from rel on, a span of their own.
func (t *tree) isolate(c cursor, rel, n int32) cursor {
	if n == t.span(c).n {
		return c
	}
	c = t.room(c)
	if rel > 0 {
		c = t.split(c, rel)
	}
	if n < t.span(c).n {
		t.split(c, n)
	}
	return c
}

// joinAround merges a span with its neighbours where they are one run.
func (t *tree) joinAround(c cursor) {
	l := t.leaves[c.leaf]
	l.join(c.i)
	l.join(c.i - 1)
}

// replay applies events that follow from one another; the version they were
// made at must have been prepared. It reports a position outside the text.
func (t *tracker) replay(r lvRange) error {
	ops, length := &t.log.ops, t.tree.preparedLen()
	var p opPart
	for i := ops.find(r.start); i < len(ops.runs) && ops.runs[i].lv < r.end; i++ {
		if !t.log.fit(&p, i, r, length) {
			return ErrPosition
		}
		switch p.kind {
		case insertion:
			t.insert(&p)
			length += p.n
		case deletion:
			length -= p.n
			t.removeForward(i, &p)
		case deletionBack:
			length -= p.n
			t.removeBack(i, &p)
		}
	}
	t.note(r)
	return nil
}

// note has the versions follow events that were replayed.
func (t *tracker) note(r lvRange) {
	last := r.end - 1
	if t.tree.lens != merged {
		all := without(t.at[merged], t.at[t.tree.lens]...)
		t.at[merged] = sorting.Insert(all, after(all, last), last)
	}
	lens := t.tree.lens
	t.at[lens] = append(t.at[lens][:0], last)
	if lens != merged {
		t.far[lens].set(t.log.graph.find(last), r.end)
	}
}

// fits reports whether an operation lies within a text of the length it was
// made for.
func (p *opPart) fits(length int32) bool {
	switch {
	case p.length != length:
		return false
	case p.kind == insertion:
		return p.pos <= length
	case p.kind == deletion:
		return p.n <= length-p.pos
	}
	return p.pos < length && p.n <= p.pos+1
}

// removeForward applies deletions of what follows a position, and uses p up. run is the
// operation that they are of.
func (t *tracker) removeForward(run int, p *opPart) {
	for p.n > 0 {
		c, rel, place := t.tree.seek(p.pos)
		n := min(p.n, t.tree.span(c).n-rel)
		id := t.remove(c, rel, n, place+rel)
		t.gone.add(run, removal{lv: p.lv, n: n, id: id})
		p.lv += LV(n)
		p.n -= n
	}
}

// removeBack applies deletions that go back from a position, and uses p up.
func (t *tracker) removeBack(run int, p *opPart) {
	for p.n > 0 {
		c, rel, place := t.tree.seek(p.pos)
		n := min(p.n, rel+1)
		rel -= n - 1
		id := t.remove(c, rel, n, place+rel)
		t.gone.add(run, removal{lv: p.lv, n: n, id: id, back: true})
		p.lv += LV(n)
		p.pos -= n
		p.n -= n
	}
}

// remove deletes n items of a span, from rel on, which stand at code point at
// of the merged text unless they were deleted before. It returns the id of
// the first.
func (t *tracker) remove(c cursor, rel, n, at int32) LV {
	c = t.tree.isolate(c, rel, n)
	s := t.tree.span(c)
	id, lens := s.id, t.tree.lens
	var change widths
	if !s.deleted() {
		s.states[merged]++
		change[merged] = -n
		if t.out != nil {
			t.out.remove(at, n, t.log.ops.content)
		}
	}
	if lens != merged {
		s.states[lens]++
		change[lens] = -n // visible there, or it would not have been found
	}
	t.tree.widen(c.leaf, change)
	t.tree.joinAround(c)
	return id
}

// insert applies a run of insertions.
func (t *tracker) insert(p *opPart) {
	add := span{id: p.lv, n: p.n, left: textStart, right: textEnd}
	add.states[t.tree.lens], add.states[merged] = visible, visible
	var c cursor // the span after the place
	place := int32(0)
	if p.pos > 0 {
		var rel int32
		c, rel, place = t.tree.seek(p.pos - 1)
		s := t.tree.span(c)
		add.left = s.id + LV(rel)
		if rel+1 < s.n {
			t.insertWithin(c, rel+1, add, place+rel+1, p)
			return
		}
		place += s.widths()[merged]
		c.i++
	}
	c, place = t.place(c, &add, place)
	t.emit(p, place)
	if c.i > 0 && t.tree.extend(cursor{c.leaf, c.i - 1}, add) {
		return
	}
	t.tree.insert(t.tree.room(c), add)
}

// emit puts inserted text into the merged text.
func (t *tracker) emit(p *opPart, place int32) {
	if t.out != nil {
		t.out.insert(place, piece{p.lv, p.n, p.off, p.size}, t.log.ops.content)
	}
}

// insertWithin puts a span into another, after rel of its items. The item
// after the place has the one before it as left origin, and is the right
// parent.
func (t *tracker) insertWithin(c cursor, rel int32, add span, place int32, p *opPart) {
	s := t.tree.span(c)
	add.right = s.id + LV(rel)
	if s.deleted() {
		place -= rel
	}
	t.emit(p, place)
	c = t.tree.room(c)
	c = t.tree.split(c, rel)
	t.tree.insert(c, add)
}

// extend makes a span longer if add continues it.
func (t *tree) extend(c cursor, add span) bool {
	s := t.span(c)
	if s.id >= placeholder || add.id != s.id+LV(s.n) || add.left != add.id-1 || add.right != textEnd {
		return false
	}
	if s.states != add.states {
		return false
	}
	s.n += add.n
	t.index.enter(add.id, add.n, c.leaf)
	t.widen(c.leaf, add.widths())
	return true
}
