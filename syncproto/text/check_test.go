package text

import (
	"slices"
	"testing"
)

// verify walks everything that the log keeps for speed and compares it with
// what it is kept from.
func (l *Log) verify(t testing.TB) {
	t.Helper()
	l.checkText(t)
	if l.merger.active {
		l.merger.tracker.check(t)
	}
}

func (l *Log) checkText(t testing.TB) {
	t.Helper()
	text := &l.merger.text
	n, size := int32(0), 0
	for i, ref := range text.order {
		c := text.chunks[ref.at]
		sum := int32(0)
		for j := range c.used {
			p := c.pieces[j]
			if p.n <= 0 || p.size < p.n {
				t.Fatalf("chunk %d: piece %d has %d code points in %d bytes", i, j, p.n, p.size)
			}
			sum += p.n
			size += int(p.size)
		}
		if sum != ref.n || c.used > text.fill {
			t.Fatalf("chunk %d holds %d of %d code points, in %d pieces", i, sum, ref.n, c.used)
		}
		n += sum
	}
	if n != text.n || size != text.size {
		t.Fatalf("text has %d code points, %d bytes; want %d, %d", text.n, text.size, n, size)
	}
}

func (t *tracker) check(tb testing.TB) {
	tb.Helper()
	tree := &t.tree
	w, leaves := tree.checkNode(tb, tree.root, -1)
	for i, at := range leaves {
		next := int32(-1)
		if i+1 < len(leaves) {
			next = leaves[i+1]
		}
		if tree.leaves[at].next != next {
			tb.Fatalf("leaf %d is followed by %d, want %d", at, tree.leaves[at].next, next)
		}
	}
	if t.upTo == t.log.merger.upTo && w[merged] != t.log.merger.text.n {
		tb.Fatalf("tree has %d merged code points, text %d", w[merged], t.log.merger.text.n)
	}
	for lens, at := range t.at {
		if len(at) > 1 {
			continue // to ask for the length would move a lens
		}
		if want := t.log.LenAt(at); int(w[lens]) != want {
			tb.Fatalf("tree has %d prepared code points through lens %d, want %d", w[lens], lens, want)
		}
	}
}

func (t *tree) checkNode(tb testing.TB, at, parent int32) (widths, []int32) {
	tb.Helper()
	n := &t.nodes[at]
	if n.parent != parent || n.used < 1 || n.used > t.nodeFill {
		tb.Fatalf("node %d: parent %d, want %d; %d children", at, n.parent, parent, n.used)
	}
	var sum widths
	var leaves []int32
	for i := range n.used {
		var w widths
		below := []int32{n.kids[i]}
		if n.leaves {
			w = t.checkLeaf(tb, n.kids[i], at)
		} else {
			w, below = t.checkNode(tb, n.kids[i], at)
		}
		if w != n.widths[i] {
			tb.Fatalf("node %d: child %d has widths %v, want %v", at, i, n.widths[i], w)
		}
		sum.add(&w)
		leaves = append(leaves, below...)
	}
	return sum, leaves
}

func (t *tree) checkLeaf(tb testing.TB, at, parent int32) widths {
	tb.Helper()
	l := t.leaves[at]
	if l.parent != parent || l.used > t.leafFill {
		tb.Fatalf("leaf %d: parent %d, want %d; %d spans", at, l.parent, parent, l.used)
	}
	var sum widths
	for i := range l.used {
		s := &l.spans[i]
		w := s.widths()
		sum.add(&w)
		if s.n < 1 || slices.Min(s.states[:]) < 0 {
			tb.Fatalf("leaf %d: span %d: %+v", at, i, *s)
		}
		for id := s.id; id < s.id+LV(s.n); id++ {
			if c, rel := t.find(id); c != (cursor{at, i}) || LV(rel) != id-s.id {
				tb.Fatalf("item %d found at %v+%d, want %v", id, c, rel, cursor{at, i})
			}
		}
	}
	return sum
}
