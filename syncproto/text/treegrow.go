package text

import "sort"

// insert puts a span right before the cursor, which may point one past the
// last span of a leaf, and enters it into the index. The cursor must have
// room.
func (t *tree) insert(c cursor, s span) {
	l := t.leaves[c.leaf]
	copy(l.spans[c.i+1:l.used+1], l.spans[c.i:l.used])
	l.spans[c.i] = s
	l.used++
	t.index.enter(s.id, s.n, c.leaf)
	t.widen(c.leaf, s.widths())
}

// split cuts a span after rel items and returns the cursor of the rest. It
// may move spans to another leaf, the first part included: use room before.
func (t *tree) split(c cursor, rel int32) cursor {
	l := t.leaves[c.leaf]
	copy(l.spans[c.i+2:l.used+1], l.spans[c.i+1:l.used])
	first, rest := &l.spans[c.i], &l.spans[c.i+1]
	*rest = *first
	first.n = rel
	rest.id += LV(rel)
	rest.n -= rel
	rest.left, rest.right = rest.id-1, textEnd
	l.used++
	if rest.id >= placeholder {
		t.cutAt(rest.id, c.leaf)
	}
	return cursor{c.leaf, c.i + 1}
}

// cutAt notes that a piece of the placeholder begins at id.
func (t *tree) cutAt(id LV, at int32) {
	i := sort.Search(len(t.cuts), func(i int) bool { return t.cuts[i].id > id })
	t.cuts = append(t.cuts, cut{})
	copy(t.cuts[i+1:], t.cuts[i:])
	t.cuts[i] = cut{id, at}
}

// room makes room for two more spans in the cursor's leaf and returns where
// the cursor's span is then.
func (t *tree) room(c cursor) cursor {
	if t.leaves[c.leaf].used+2 <= t.leafFill {
		return c
	}
	half := t.leaves[c.leaf].used / 2
	right := t.splitLeaf(c.leaf, half)
	if c.i >= half {
		return cursor{right, c.i - half}
	}
	return c
}

// splitLeaf moves the spans from keep on to a new leaf after it.
func (t *tree) splitLeaf(at, keep int32) int32 {
	t.settle()
	right := t.addLeaf()
	l, r := t.leaves[at], t.leaves[right]
	r.next, l.next = l.next, right
	r.used = int32(copy(r.spans[:], l.spans[keep:l.used]))
	l.used = keep
	var moved widths
	for i := range r.used {
		s := &r.spans[i]
		w := s.widths()
		moved.add(&w)
		t.moved(s, right)
	}
	t.adopt(l.parent, l.slot, right, moved)
	return right
}

// moved updates the index for a span that has come into another leaf.
func (t *tree) moved(s *span, at int32) {
	if s.id < placeholder {
		t.index.enter(s.id, s.n, at)
		return
	}
	i := sort.Search(len(t.cuts), func(i int) bool { return t.cuts[i].id >= s.id })
	t.cuts[i].leaf = at
}

// adopt puts a new child, to which widths have moved, right after the one at a
// slot of a node, splitting the node if it is full.
func (t *tree) adopt(parent, slot, kid int32, moved widths) {
	if t.nodes[parent].used == t.nodeFill {
		right, half := t.splitNode(parent)
		if slot >= half {
			parent, slot = right, slot-half
		}
	}
	n := &t.nodes[parent]
	copy(n.kids[slot+2:n.used+1], n.kids[slot+1:n.used])
	copy(n.widths[slot+2:n.used+1], n.widths[slot+1:n.used])
	n.used++
	n.kids[slot+1], n.widths[slot+1] = kid, moved
	n.widths[slot].subtract(&moved)
	t.number(parent, slot+1)
}

// number tells the children of a node, from a slot on, where they are.
func (t *tree) number(at, slot int32) {
	n := &t.nodes[at]
	for ; slot < n.used; slot++ {
		kid := n.kids[slot]
		if n.leaves {
			t.leaves[kid].parent, t.leaves[kid].slot = at, slot
		} else {
			t.nodes[kid].parent, t.nodes[kid].slot = at, slot
		}
	}
}

// splitNode moves the children from the half on to a new node after it.
func (t *tree) splitNode(at int32) (right, half int32) {
	if t.nodes[at].parent < 0 {
		t.raise(at)
	}
	right = int32(len(t.nodes))
	t.nodes = append(t.nodes, node{leaves: t.nodes[at].leaves})
	n, r := &t.nodes[at], &t.nodes[right]
	half = n.used / 2
	r.used = int32(copy(r.kids[:], n.kids[half:n.used]))
	copy(r.widths[:], n.widths[half:n.used])
	n.used = half
	var moved widths
	for i := range r.used {
		moved.add(&r.widths[i])
	}
	t.number(right, 0)
	t.adopt(n.parent, n.slot, right, moved)
	return right, half
}

// raise puts a new root above the old one.
func (t *tree) raise(old int32) {
	var sum widths
	for i := range t.nodes[old].used {
		sum.add(&t.nodes[old].widths[i])
	}
	t.root = int32(len(t.nodes))
	top := node{parent: -1, used: 1}
	top.kids[0], top.widths[0] = old, sum
	t.nodes = append(t.nodes, top)
	t.number(t.root, 0)
}

// join merges a span with the one after it in its leaf if together they are
// one run, so that a stretch deleted bit by bit stays one span.
func (l *leaf) join(i int32) {
	if i < 0 || i+1 >= l.used {
		return
	}
	a, b := &l.spans[i], &l.spans[i+1]
	if b.id != a.id+LV(a.n) || a.states != b.states || b.left != b.id-1 || b.right != textEnd {
		return
	}
	if b.id >= placeholder {
		return
	}
	a.n += b.n
	copy(l.spans[i+1:], l.spans[i+2:l.used])
	l.used--
}
