package text

import "sort"

// The largest numbers of spans in a leaf and of children in a node. A leaf of so many
// takes 884 bytes, and little room is lost where memory is given out in blocks of 896.
const (
	leafSpans = 31
	nodeKids  = 16
)

// The ends of the text, as origins of an item.
const (
	textStart = LV(-1) // the left origin of what was inserted first in the text
	textEnd   = LV(-2) // the right parent of what has none
)

// placeholder is the id of the first code point of the text at the version a
// tree begins with. Nobody asks who wrote it, so it needs no events' numbers.
const placeholder = LV(maxEvents)

// A span is a run of items, inserted code points that may be deleted by now:
// id, id+1, ... Each but the first has the one before it as left origin and
// textEnd as right parent.
type span struct {
	id    LV
	n     int32
	left  LV // left origin of the first item: what stood before it when it was typed
	right LV // right parent of the first item
	// states are those at each prepared version, then the one in the merged text,
	// where however many deletions count as one.
	states [lenses + 1]int32
}

// deleted reports whether any event seen so far deleted it, at whatever version.
func (s *span) deleted() bool { return s.states[merged] != visible }

// lenses is how many versions a tree is prepared for at once. Each of two
// people who write apart has one, so that nothing has to be undone and redone
// to go from what one of them sees to what the other sees, however often.
const lenses = 2

// merged is a further lens, through which is seen the version of all events seen
// so far. It never moves: who writes with everything in view costs nothing.
const merged = lenses

// States of a span at a prepared version; larger ones are visible plus the
// number of deletions that the version knows of.
const (
	notInserted int32 = 0
	visible     int32 = 1
)

// widths of a span: the code points visible through each lens.
type widths [lenses + 1]int32

func (w *widths) add(by *widths) {
	for i := range w {
		w[i] += by[i]
	}
}

func (w *widths) subtract(by *widths) {
	for i := range w {
		w[i] -= by[i]
	}
}

func (s *span) widths() widths {
	var w widths
	for i, state := range s.states {
		n := int32(0)
		if state == visible { // without a jump that the processor has to guess
			n = s.n
		}
		w[i] = n
	}
	return w
}

type leaf struct {
	parent, slot int32 // the node above it, and which of its children it is
	next         int32 // the leaf after it, or -1
	used         int32
	spans        [leafSpans]span
}

type node struct {
	parent, slot int32 // as a leaf's; the root's parent is -1
	used         int32
	leaves       bool // its children are leaves
	kids         [nodeKids]int32
	widths       [nodeKids]widths
}

// A cursor points at a span.
type cursor struct{ leaf, i int32 }

// A cut is where a piece of the placeholder text begins and the leaf it is in.
type cut struct {
	id   LV
	leaf int32
}

// A tree is a counted B-tree of spans, ordered as the items stand in the text,
// deleted and not yet inserted ones included. It finds a span by position, or
// by id through the index.
type tree struct {
	leaves []*leaf
	used   int32 // how many of the leaves are in the tree; the rest is spare
	nodes  []node
	root   int32
	lens   int                     // the one that is looked through
	hint   cursor                  // where a span was last found by its id
	due    struct{ leaf, n int32 } // what shift still has to tell the nodes above a leaf
	// leafFill and nodeFill are how full leaves and nodes may become: at
	// least 4 spans and 3 children.
	leafFill, nodeFill int32

	index index
	cuts  []cut // the same for the placeholder text, ascending
}

// reset empties the tree and fills it with length code points of placeholder.
// Events before from will not be asked for.
func (t *tree) reset(from LV, length int32) {
	t.used, t.hint = 0, cursor{}
	first := t.leaves[t.addLeaf()]
	first.parent, first.slot, first.next, first.used = 0, 0, -1, 0
	t.nodes = append(t.nodes[:0], node{parent: -1, used: 1, leaves: true})
	t.root, t.lens, t.cuts = 0, 0, t.cuts[:0]
	t.index.reset(from)
	if length > 0 {
		t.cuts = append(t.cuts, cut{placeholder, 0})
		s := span{id: placeholder, n: length, left: textStart, right: textEnd}
		for i := range s.states {
			s.states[i] = visible
		}
		first.spans[0], first.used = s, 1
		t.nodes[0].widths[0] = s.widths()
	}
}

// addLeaf adds a leaf to the tree, which still holds what it held if it was
// there before, and returns its number.
func (t *tree) addLeaf() int32 {
	if int(t.used) == len(t.leaves) {
		t.leaves = append(t.leaves, new(leaf))
	}
	t.used++
	return t.used - 1
}

// span returns what a cursor points at.
func (t *tree) span(c cursor) *span { return &t.leaves[c.leaf].spans[c.i] }

// state returns the state of a span at the version looked at.
func (t *tree) state(s *span) int32 { return s.states[t.lens] }

// preparedLen returns the length of the text at the version looked at.
func (t *tree) preparedLen() int32 {
	n, sum := &t.nodes[t.root], int32(0)
	for i := range n.used {
		sum += n.widths[i][t.lens]
	}
	return sum
}

// seek finds the code point at pos of the version looked at: its span, how many
// of the span's code points come before it, and the place of the span's
// beginning in the merged text.
func (t *tree) seek(pos int32) (c cursor, rel, place int32) {
	at, lens := t.root, t.lens
	for {
		n := &t.nodes[at]
		i := int32(0)
		for ; pos >= n.widths[i][lens]; i++ {
			pos -= n.widths[i][lens]
			place += n.widths[i][merged]
		}
		at = n.kids[i]
		if n.leaves {
			break
		}
	}
	l := t.leaves[at]
	spans := l.spans[:l.used]
	for i := range spans {
		s := &spans[i]
		seen, left := int32(0), int32(0) // of it, through the lens and in the merged text
		if s.states[lens] == visible {   // without a jump that the processor has to guess
			seen = s.n
		}
		if s.states[merged] == visible {
			left = s.n
		}
		if pos < seen {
			return cursor{at, int32(i)}, pos, place
		}
		pos -= seen
		place += left
	}
	panic("bug: position is not where the nodes say")
}

// find returns the span that holds an item, and how many items come before it
// in the span.
func (t *tree) find(id LV) (c cursor, rel int32) {
	if id >= placeholder {
		i := sort.Search(len(t.cuts), func(i int) bool { return t.cuts[i].id > id })
		c.leaf = t.cuts[i-1].leaf
	} else {
		c.leaf = t.index.leaf(id)
	}
	l := t.leaves[c.leaf]
	spans := l.spans[:l.used]
	if c.leaf == t.hint.leaf && int(t.hint.i) < len(spans) { // and mostly there or right after
		c.i = t.hint.i
		if i, rel := holding(spans[c.i:min(int(c.i)+2, len(spans))], id); i >= 0 {
			c.i += i
			t.hint = c
			return c, rel
		}
	}
	c.i, rel = holding(spans, id) // the index says that it is here
	t.hint = c
	return c, rel
}

// holding returns the index of the span that holds an item, and how many items come
// before it in the span; or -1.
func holding(spans []span, id LV) (i, rel int32) {
	for i := range spans {
		s := &spans[i]
		if rel := uint32(id - s.id); rel < uint32(s.n) { // below s.id it wraps to the largest
			return int32(i), int32(rel)
		}
	}
	return -1, 0
}

// compare orders two spans by their place in the text.
func (t *tree) compare(a, b cursor) int32 {
	if a.leaf == b.leaf {
		return a.i - b.i
	}
	pa, sa := t.leaves[a.leaf].parent, t.leaves[a.leaf].slot
	pb, sb := t.leaves[b.leaf].parent, t.leaves[b.leaf].slot
	for pa != pb {
		pa, sa = t.nodes[pa].parent, t.nodes[pa].slot
		pb, sb = t.nodes[pb].parent, t.nodes[pb].slot
	}
	return sa - sb
}

// leftmost returns a cursor at the beginning of the text.
func (t *tree) leftmost() cursor {
	at := t.root
	for !t.nodes[at].leaves {
		at = t.nodes[at].kids[0]
	}
	return cursor{t.nodes[at].kids[0], 0}
}

// next returns the span after c, if there is one.
func (t *tree) next(c cursor) (cursor, bool) {
	c.i++
	for c.i >= t.leaves[c.leaf].used {
		c.leaf, c.i = t.leaves[c.leaf].next, 0
		if c.leaf < 0 {
			return c, false
		}
	}
	return c, true
}

// at returns the first span at or after the cursor.
func (t *tree) at(c cursor) (cursor, bool) {
	if c.i < t.leaves[c.leaf].used {
		return c, true
	}
	return t.next(c)
}

// shift adds to the state of a span at the version looked at. The nodes above
// are told by settle: once for spans that are neighbours.
func (t *tree) shift(c cursor, by int32) {
	s := t.span(c)
	state := &s.states[t.lens]
	change := int32(0)
	if *state == visible {
		change = -s.n
	}
	*state += by
	if *state == visible {
		change = s.n
	}
	if c.leaf != t.due.leaf {
		t.settle()
		t.due.leaf = c.leaf
	}
	t.due.n += change
}

// settle tells the nodes above a leaf what shift changed.
func (t *tree) settle() {
	if t.due.n == 0 {
		return
	}
	l := t.leaves[t.due.leaf]
	for up, slot := l.parent, l.slot; up >= 0; {
		n := &t.nodes[up]
		n.widths[slot][t.lens] += t.due.n
		up, slot = n.parent, n.slot
	}
	t.due.n = 0
}

// widen adds to the widths of a leaf, all the way up.
func (t *tree) widen(at int32, by widths) {
	l := t.leaves[at]
	for up, slot := l.parent, l.slot; up >= 0; {
		n := &t.nodes[up]
		n.widths[slot].add(&by)
		up, slot = n.parent, n.slot
	}
}
