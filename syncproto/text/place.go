package text

// place finds where an insertion goes whose left origin is known, and its
// right parent. c is right after the left origin; the result is a cursor of
// the span to insert before, which may be one past the end of a leaf, and its
// place in the merged text. This is the order rule (spec/text.md 4).
func (t *tracker) place(c cursor, add *span, at int32) (cursor, int32) {
	next, ok := t.tree.at(c)
	if !ok {
		return c, at
	}
	s := t.tree.span(next)
	if t.tree.state(s) != notInserted {
		if s.left == add.left {
			add.right = s.id
		}
		return c, at
	}
	add.right = t.rightParent(next, add.left)
	return t.scan(c, next, add, at)
}

// rightParent returns the first item after the left origin that is inserted
// at the prepared version, if it has the same left origin. All items with
// that left origin, and what hangs on them, stand together right after it, so
// the search can stop at the first that does not belong to them.
func (t *tracker) rightParent(c cursor, left LV) LV {
	for ok := true; ok; c, ok = t.tree.next(c) {
		s := t.tree.span(c)
		if t.tree.state(s) != notInserted {
			if s.left == left {
				return s.id
			}
			return textEnd
		}
		if t.compareLeft(s.left, left) < 0 {
			return textEnd
		}
	}
	return textEnd
}

// scan passes over the items that are not inserted at the prepared version,
// which were typed at the same place by people who did not know of this
// insertion.
func (t *tracker) scan(c, next cursor, add *span, at int32) (cursor, int32) {
	scanning, passed := false, at
	for ok := true; ok; next, ok = t.tree.next(next) {
		s := t.tree.span(next)
		if t.tree.state(s) != notInserted {
			break
		}
		order := t.compareLeft(s.left, add.left)
		if order < 0 {
			break
		}
		if order == 0 {
			right := t.compareRight(s.right, add.right)
			if right == 0 && t.log.authors.compare(add.id, s.id) < 0 {
				break
			}
			scanning = right < 0
		}
		passed += s.widths()[merged]
		if !scanning {
			c, at = cursor{next.leaf, next.i + 1}, passed
		}
	}
	return c, at
}

// compareLeft orders two left origins by their place in the text.
func (t *tracker) compareLeft(a, b LV) int32 {
	switch {
	case a == b:
		return 0
	case a == textStart:
		return -1
	case b == textStart:
		return 1
	}
	return t.compareItems(a, b)
}

// compareRight orders two right parents by their place in the text.
func (t *tracker) compareRight(a, b LV) int32 {
	switch {
	case a == b:
		return 0
	case a == textEnd:
		return 1
	case b == textEnd:
		return -1
	}
	return t.compareItems(a, b)
}

// compareItems orders two items by their place in the text.
func (t *tracker) compareItems(a, b LV) int32 {
	ca, ra := t.tree.find(a)
	cb, rb := t.tree.find(b)
	if ca == cb {
		return ra - rb
	}
	return t.tree.compare(ca, cb)
}
