package text

import (
	"cmp"
	"slices"

	"doorstep/syncproto/sorting"
)

// An Overlap is a sentence that two changes touch which were made apart. Start
// and End are the code points of the merged text where what is left of the
// sentence begins and ends; nothing may be left. A and B are the first events
// of the two changes, that of the smaller author (agent, then sequence number)
// first.
type Overlap struct {
	Start, End int
	A, B       LV
}

// maxOverlaps bounds what many people who edit one sentence can bring about;
// nobody reads more.
const maxOverlaps = 10_000

// Overlaps returns the sentences that two concurrent changes both touch, so
// that a person can read what the merge made of them. They are ordered by
// place and authors.
//
// A change, one call of Add, touches the code points that it inserts and those
// that it deletes. For two changes of which neither builds on the other, look
// at the text of both together and of what they build on, where deleted code
// points still have their place but are not seen. A sentence ends after a line
// end, and after a full stop, question or exclamation mark if white space
// follows it (spec/text.md has the list). The two overlap in a sentence if each
// touches a code point of it. So the two alone, and what they build on, decide
// whether they overlap: nothing that comes later adds an overlap between
// them or takes one away.
//
// It takes a replay of the whole log, unless nothing was made apart.
func (l *Log) Overlaps() []Overlap {
	if !slices.ContainsFunc(l.graph.runs, func(r graphRun) bool { return !r.linear }) {
		return nil
	}
	s := newSheet(l)
	for _, st := range l.graph.stretches(0) {
		if !st.straight { // what is applied straight has nothing beside it
			s.examine(st.lvRange)
		}
	}
	s.keepFirst()
	sorting.By(s.found, func(x, y *Overlap) int { return cmp.Or(s.byPlace(x, y), s.byAuthors(x, y)) })
	return s.found
}

// keepFirst drops what is more than maxOverlaps, and notes the last that is
// kept: what comes after it need not be looked for.
func (s *sheet) keepFirst() {
	if len(s.found) <= maxOverlaps {
		return
	}
	sorting.By(s.found, func(x, y *Overlap) int { return cmp.Or(s.byAuthors(x, y), s.byPlace(x, y)) })
	s.found = s.found[:maxOverlaps]
	s.full, s.worst = true, s.found[maxOverlaps-1]
}

func (s *sheet) byPlace(x, y *Overlap) int {
	return cmp.Or(x.Start-y.Start, x.End-y.End)
}

func (s *sheet) byAuthors(x, y *Overlap) int {
	return cmp.Or(s.log.authors.compare(x.A, y.A), s.log.authors.compare(x.B, y.B))
}

// examine finds the overlaps among the changes of a conflict zone: each change
// is compared with the earlier ones that touch something near, in the order of
// their events so that the version shown moves little.
func (s *sheet) examine(zone lvRange) {
	oldest := s.callOf(zone.start)
	for a := oldest; int(a) < len(s.calls) && s.calls[a] < zone.end; a++ {
		near := slices.DeleteFunc(s.near(a), func(b int32) bool { return s.isTooMany(a, b) })
		sorting.Ascending(near)
		for _, b := range near {
			s.compare(a, b)
		}
		if len(s.found) > 2*maxOverlaps {
			s.keepFirst()
		}
	}
}

// isTooMany reports whether an overlap of two calls would not be kept.
func (s *sheet) isTooMany(a, b int32) bool {
	if !s.full {
		return false
	}
	first, second := s.callOf(s.worst.A), s.callOf(s.worst.B)
	x, y := min(s.ranks[a], s.ranks[b]), max(s.ranks[a], s.ranks[b])
	return cmp.Or(int(x-s.ranks[first]), int(y-s.ranks[second])) > 0
}

// pair returns the overlap of two calls without its place.
func (s *sheet) pair(a, b int32) Overlap {
	o := Overlap{A: s.calls[a], B: s.calls[b]}
	if s.ranks[a] > s.ranks[b] {
		o.A, o.B = o.B, o.A
	}
	return o
}

// near returns the calls before a, and concurrent with it, that touch a segment
// which no sentence end separates from one that a touches. Only such ends count
// as are seen at every version that a is part of.
func (s *sheet) near(a int32) []int32 {
	s.show([]LV{s.last(a)})
	var calls []int32
	next := 0 // segments before it have been looked at
	for _, touched := range s.touch[a] {
		i := int(touched)
		for i > next && !s.endsForGood(i-1) {
			i--
		}
		for i = max(i, next); i < len(s.segs); i++ {
			calls = s.besides(&s.segs[i], a, calls)
			if i >= int(touched) && s.endsForGood(i) {
				break
			}
		}
		next = max(next, i+1)
	}
	return calls
}

// besides adds to calls those before a that touch a segment and are not in the
// past of a, whose version is shown. The state says how many of them are.
func (s *sheet) besides(seg *segment, a int32, calls []int32) []int32 {
	if int(seg.state) == len(seg.calls) {
		return calls // all are
	}
	list := seg.calls
	if s.isLate(a, seg) {
		list = seg.first
	}
	for _, call := range list {
		s.steps++
		if call >= a || s.seen[call] == a {
			continue
		}
		if inserted := seg.state > 0 && call == seg.calls[0]; inserted {
			continue
		}
		if seg.state > 1 && s.log.graph.isAncestor(s.last(call), s.at) {
			continue
		}
		s.seen[call] = a
		calls = append(calls, call)
	}
	return calls
}

// isLate reports whether a call deleted a segment that very many deleted, and is none
// of the first: of its overlaps there only those with the first may be kept.
func (s *sheet) isLate(a int32, seg *segment) bool {
	if len(seg.first) == 0 || s.ranks[a] <= s.ranks[seg.first[len(seg.first)-1]] {
		return false
	}
	_, deleted := slices.BinarySearch(seg.calls[1:], a)
	return deleted
}

// compare notes the sentences that two concurrent calls both touch.
func (s *sheet) compare(a, b int32) {
	if len(s.touch[a]) > len(s.touch[b]) {
		a, b = b, a
	}
	s.show([]LV{min(s.last(a), s.last(b)), max(s.last(a), s.last(b))})
	next := 0
	for _, touched := range s.touch[a] {
		s.steps++
		if int(touched) < next {
			continue
		}
		var from int
		from, next = s.sentence(int(touched))
		at, _ := slices.BinarySearch(s.touch[b], int32(from))
		if at < len(s.touch[b]) && int(s.touch[b][at]) < next {
			o := s.pair(a, b)
			o.Start, o.End = int(s.segs[from].merged), int(s.segs[next-1].mergedEnd())
			s.found = append(s.found, o)
		}
	}
}
