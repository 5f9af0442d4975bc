package text

// A removal says which items a stretch of deletions deleted.
type removal struct {
	lv   LV
	n    int32
	id   LV // the first of n items
	back bool
	next int32 // the operation's next removal, or -1
}

// between returns the items that the events from one up to another deleted.
func (r *removal) between(from, to LV) (id LV, n int32) {
	from, to = max(from, r.lv), min(to, r.lv+LV(r.n))
	if r.back {
		return r.id + r.lv + LV(r.n) - to, int32(to - from)
	}
	return r.id + from - r.lv, int32(to - from)
}

// removals lists what each operation deleted, its events in order.
type removals struct {
	list []removal
	from int // the operation that ends begins with
	ends []removalEnds
}

// removalEnds are the first and last of an operation's removals, plus one.
type removalEnds struct{ first, last int32 }

// reset empties the list. Operations before from will not be asked for.
func (r *removals) reset(from int) {
	r.list, r.ends, r.from = r.list[:0], r.ends[:0], from
}

// first returns where the removals of an operation begin in the list, or -1.
func (r *removals) first(op int) int32 {
	if op -= r.from; op < len(r.ends) {
		return r.ends[op].first - 1
	}
	return -1
}

// add appends to the removals of an operation.
func (r *removals) add(op int, x removal) {
	for op -= r.from; len(r.ends) <= op; {
		push(&r.ends, removalEnds{})
	}
	x.next = -1
	push(&r.list, x)
	ends, at := &r.ends[op], int32(len(r.list))
	if ends.first == 0 {
		ends.first = at
	} else {
		r.list[ends.last-1].next = at - 1
	}
	ends.last = at
}
