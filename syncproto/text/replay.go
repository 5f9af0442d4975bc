package text

import "strings"

const (
	before = LV(-1) // the left origin of what stands first
	end    = LV(-2) // the right parent of what has none
)

// An item is one inserted code point in a replay. state counts at the version
// being prepared: 0 not inserted, 1 visible, 1+n deleted n times.
type item struct {
	id, left, right LV
	state           int32
	deleted         bool // by any event replayed so far
}

type replay struct {
	log    *Log
	items  []item
	target map[LV]LV // the item that each deletion deleted
	at     []bool    // the events in the prepared version
}

func visible(items []item) int {
	n := 0
	for _, it := range items {
		if !it.deleted {
			n++
		}
	}
	return n
}

func (l *Log) render(items []item) string {
	var b strings.Builder
	for _, it := range items {
		if !it.deleted {
			b.WriteRune(l.events[it.id].r)
		}
	}
	return b.String()
}

func (l *Log) merged() []item {
	if l.stale {
		l.live, l.stale = l.replay(l.ancestors(l.frontier)), false
	}
	return l.live
}

// applyLinear applies events made on top of everything before them.
func (l *Log) applyLinear(from, to LV) []item {
	for lv := from; lv < to; lv++ {
		e := l.events[lv]
		i := indexVisible(l.live, int(e.pos))
		if e.r < 0 {
			l.live = append(l.live[:i], l.live[i+1:]...)
			continue
		}
		l.live = append(l.live, item{})
		copy(l.live[i+1:], l.live[i:])
		l.live[i] = item{id: lv}
	}
	return l.live
}

func indexVisible(items []item, pos int) int {
	for i, it := range items {
		if it.deleted {
			continue
		}
		if pos == 0 {
			return i
		}
		pos--
	}
	return len(items)
}

// ancestors returns the set of events in the past of a version, itself
// included.
func (l *Log) ancestors(version []LV) []bool {
	in := make([]bool, len(l.events))
	for _, v := range version {
		if v >= 0 && int(v) < len(in) {
			in[v] = true
		}
	}
	for i := len(l.changes) - 1; i >= 0; i-- {
		c := l.changes[i]
		for v := c.end - 1; v > c.start; v-- {
			in[v-1] = in[v-1] || in[v]
		}
		if in[c.start] {
			for _, p := range c.parents {
				in[p] = true
			}
		}
	}
	return in
}

// replay builds the items of the events in the set, which is closed under
// parents.
func (l *Log) replay(in []bool) []item {
	r := replay{log: l, target: map[LV]LV{}, at: make([]bool, len(l.events))}
	for _, c := range l.changes {
		if in[c.start] {
			r.moveTo(c.parents)
		}
		for lv := c.start; lv < c.end && in[lv]; lv++ {
			r.apply(lv)
			r.at[lv] = true
		}
	}
	return r.items
}

// moveTo prepares exactly the version.
func (r *replay) moveTo(version []LV) {
	want := r.log.ancestors(version)
	for lv, on := range r.at {
		if on == want[lv] {
			continue
		}
		it := &r.items[r.find(r.itemOf(LV(lv)))]
		if on {
			it.state--
		} else {
			it.state++
		}
		r.at[lv] = want[lv]
	}
}

func (r *replay) itemOf(lv LV) LV {
	if t, ok := r.target[lv]; ok {
		return t
	}
	return lv
}

func (r *replay) find(id LV) int {
	switch id {
	case before:
		return -1
	case end:
		return len(r.items)
	}
	for i := range r.items {
		if r.items[i].id == id {
			return i
		}
	}
	panic("bug: item not found")
}

// prepared returns the index of the pos-th visible item.
func (r *replay) prepared(pos int32) int {
	for i := range r.items {
		if r.items[i].state != 1 {
			continue
		}
		if pos == 0 {
			return i
		}
		pos--
	}
	panic("bug: position not found")
}

func (r *replay) apply(lv LV) {
	e := r.log.events[lv]
	if e.r < 0 {
		it := &r.items[r.prepared(e.pos)]
		it.state++
		it.deleted = true
		r.target[lv] = it.id
		return
	}
	it := item{id: lv, left: before, right: end, state: 1}
	at := 0
	if e.pos > 0 {
		at = r.prepared(e.pos-1) + 1
		it.left = r.items[at-1].id
	}
	for _, next := range r.items[at:] {
		if next.state != 0 {
			if next.left == it.left {
				it.right = next.id
			}
			break
		}
	}
	at = r.place(it, at)
	r.items = append(r.items, item{})
	copy(r.items[at+1:], r.items[at:])
	r.items[at] = it
}

// place orders a new item among the concurrent ones at its place (text.md 4).
func (r *replay) place(it item, at int) int {
	left, right, scanning := at-1, r.find(it.right), false
	for i := at; i < len(r.items) && r.items[i].state == 0; i++ {
		other := r.items[i]
		otherLeft := r.find(other.left)
		if otherLeft < left {
			break
		}
		if otherLeft == left {
			otherRight := r.find(other.right)
			if otherRight == right && r.log.compare(it.id, other.id) < 0 {
				break
			}
			scanning = otherRight < right
		}
		if !scanning {
			at = i + 1
		}
	}
	return at
}

// compare orders two events by their agents' names, then sequence numbers.
func (l *Log) compare(a, b LV) int {
	ca, cb := l.changes[l.events[a].change], l.changes[l.events[b].change]
	if c := strings.Compare(l.agents[ca.agent], l.agents[cb.agent]); c != 0 {
		return c
	}
	return ca.seq + int(a-ca.start) - (cb.seq + int(b-cb.start))
}
