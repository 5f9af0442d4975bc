package text

import (
	"bytes"
	"strings"
)

// naive is the merge as plainly as it can be said, one code point at a time
// and everything from the beginning each time: the oracle for the tests. Its
// versions are lists of changes, not of events.
type naive struct {
	changes []naiveChange
	events  []naiveEvent
}

type naiveChange struct {
	agent      []byte
	seq        int
	parents    []int // changes
	start, end int   // events
}

type naiveEvent struct {
	change int
	pos    int
	r      rune // -1: a deletion
}

// naiveItem is one inserted code point. Its state counts at the prepared
// version: 0 not inserted, 1 visible, 1+n deleted n times.
type naiveItem struct {
	id, left, right int // events; noLeft and noRight at the ends
	state           int
	deleted         bool
}

const (
	noLeft  = -1
	noRight = -2
)

func (l *naive) add(agent []byte, seq int, parents []int, splices []Splice) int {
	at := len(l.changes)
	c := naiveChange{bytes.Clone(agent), seq, append([]int(nil), parents...), len(l.events), 0}
	for _, s := range splices {
		for range s.Del {
			l.events = append(l.events, naiveEvent{at, s.Pos, -1})
		}
		pos := s.Pos
		for _, r := range s.Ins {
			l.events = append(l.events, naiveEvent{at, pos, r})
			pos++
		}
	}
	c.end = len(l.events)
	l.changes = append(l.changes, c)
	return at
}

// past returns which changes a version consists of.
func (l *naive) past(version []int) []bool {
	in := make([]bool, len(l.changes))
	for _, c := range version {
		in[c] = true
	}
	for c := len(l.changes) - 1; c >= 0; c-- {
		for _, p := range l.changes[c].parents {
			in[p] = in[p] || in[c]
		}
	}
	return in
}

// text returns the text at a version, and for each of its code points the
// event that inserted it.
func (l *naive) text(version []int) (string, []int) {
	var b strings.Builder
	var by []int
	for _, it := range l.replay(version).items {
		if !it.deleted {
			b.WriteRune(l.events[it.id].r)
			by = append(by, it.id)
		}
	}
	return b.String(), by
}

// everything is the version of all changes.
func (l *naive) everything() []int {
	var all []int
	for c := range l.changes {
		all = append(all, c)
	}
	return all
}

type naiveReplay struct {
	log    *naive
	items  []naiveItem
	target map[int]int // deletion -> item
	at     []bool      // the changes in the prepared version
}

func (l *naive) replay(version []int) *naiveReplay {
	r := &naiveReplay{log: l, target: map[int]int{}, at: make([]bool, len(l.changes))}
	in := l.past(version)
	for i, c := range l.changes {
		if !in[i] {
			continue
		}
		r.moveTo(l.past(c.parents))
		for e := c.start; e < c.end; e++ {
			r.apply(e)
		}
		r.at[i] = true
	}
	return r
}

// moveTo retreats from and advances over changes one event at a time.
func (r *naiveReplay) moveTo(want []bool) {
	for i, c := range r.log.changes {
		if r.at[i] == want[i] {
			continue
		}
		for e := c.start; e < c.end; e++ {
			it := &r.items[r.find(r.itemOf(e))]
			if want[i] {
				it.state++
			} else {
				it.state--
			}
		}
		r.at[i] = want[i]
	}
}

func (r *naiveReplay) itemOf(e int) int {
	if t, ok := r.target[e]; ok {
		return t
	}
	return e
}

func (r *naiveReplay) find(id int) int {
	switch id {
	case noLeft:
		return -1
	case noRight:
		return len(r.items)
	}
	for i := range r.items {
		if r.items[i].id == id {
			return i
		}
	}
	panic("bug: item not found")
}

// visible returns the index of the visible item at a position.
func (r *naiveReplay) visible(pos int) int {
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

func (r *naiveReplay) apply(e int) {
	ev := r.log.events[e]
	if ev.r < 0 {
		it := &r.items[r.visible(ev.pos)]
		it.state++
		it.deleted = true
		r.target[e] = it.id
		return
	}
	it := naiveItem{id: e, left: noLeft, right: noRight, state: 1}
	at := 0
	if ev.pos > 0 {
		at = r.visible(ev.pos-1) + 1
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
	r.items = append(r.items, naiveItem{})
	copy(r.items[at+1:], r.items[at:])
	r.items[at] = it
}

// place is the order rule.
func (r *naiveReplay) place(it naiveItem, at int) int {
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

// compare orders two events by agent and sequence number.
func (l *naive) compare(a, b int) int {
	ca, cb := l.changes[l.events[a].change], l.changes[l.events[b].change]
	if c := bytes.Compare(ca.agent, cb.agent); c != 0 {
		return c
	}
	return ca.seq + a - ca.start - (cb.seq + b - cb.start)
}

// naiveOverlap is an Overlap of changes instead of events.
type naiveOverlap struct{ start, end, a, b int }

// overlaps compares every change with every other by the definition.
func (l *naive) overlaps() []naiveOverlap {
	final := l.replay(l.everything())
	about := make([][]int, len(final.items)) // events on each item
	for e := range l.events {
		i := final.find(final.itemOf(e))
		about[i] = append(about[i], e)
	}
	var found []naiveOverlap
	for a := range l.changes {
		for b := range l.changes {
			if l.compare(l.changes[a].start, l.changes[b].start) < 0 && !l.past([]int{a})[b] && !l.past([]int{b})[a] {
				found = append(found, l.overlapsOf(final.items, about, a, b)...)
			}
		}
	}
	return found
}

// overlapsOf walks the text of a and b together, sentence by sentence.
func (l *naive) overlapsOf(items []naiveItem, about [][]int, a, b int) []naiveOverlap {
	in := l.past([]int{a, b})
	shown := make([]bool, len(items)) // seen in that text
	byA, byB := make([]bool, len(items)), make([]bool, len(items))
	for i, it := range items {
		for _, e := range about[i] {
			change := l.events[e].change
			if in[change] {
				shown[i] = e == it.id
			}
			byA[i] = byA[i] || change == a
			byB[i] = byB[i] || change == b
		}
	}
	var found []naiveOverlap
	sentence := naiveOverlap{a: a, b: b}
	hasA, hasB, merged := false, false, 0
	for i, it := range items {
		hasA, hasB = hasA || byA[i], hasB || byB[i]
		if !it.deleted {
			merged++
		}
		if i+1 < len(items) && !l.sentenceEnds(items, shown, i) {
			continue
		}
		sentence.end = merged
		if hasA && hasB {
			found = append(found, sentence)
		}
		sentence.start, hasA, hasB = merged, false, false
	}
	return found
}

func (l *naive) sentenceEnds(items []naiveItem, shown []bool, i int) bool {
	if !shown[i] {
		return false
	}
	switch r := l.events[items[i].id].r; {
	case strings.ContainsRune("\n\r\u2028\u2029。！？।॥", r):
		return true
	case !strings.ContainsRune(".!?…؟۔", r):
		return false
	}
	for i++; i < len(items); i++ {
		if shown[i] {
			return strings.ContainsRune(" \t\n\v\f\r\u00a0\u2028\u2029\u3000", l.events[items[i].id].r)
		}
	}
	return false
}
