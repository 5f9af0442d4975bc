package text

import (
	"slices"
	"unicode/utf8"
)

// A sheet is the whole text with everything that was ever deleted still in its
// place. It can show any version of it.
type sheet struct {
	log   *Log
	segs  []segment // in text order
	calls []LV      // the first event of each call of Add
	touch [][]int32 // the segments that each call touches, ascending
	at    []LV      // the version shown
	diff  differ
	seen  []LV // marks for near
	found []Overlap
}

// A segment is a stretch of code points with the same history. It reaches no
// further than a code point that may end a sentence.
type segment struct {
	n      int32
	calls  []int32 // the call that inserted it, then those that deleted it
	state  int32   // at the version shown, as in a span
	merged int32   // its place in the merged text
	opens  bool    // it begins with white space
	closes ending
}

// An ending is what the last code point of a segment means for a sentence.
type ending uint8

const (
	goesOn     ending = iota
	endsBefore        // the sentence ends if white space follows
	endsAlways
)

// deleted reports whether nothing of it is left in the merged text.
func (s *segment) deleted() bool { return len(s.calls) > 1 }

// endingOf classifies a code point. The list is part of the rule, so it does
// not come from tables that change.
func endingOf(r rune) ending {
	switch r {
	case '\n', '\r', '\u2028', '\u2029', '。', '！', '？', '।', '॥':
		return endsAlways
	case '.', '!', '?', '…', '؟', '۔':
		return endsBefore
	}
	return goesOn
}

func isSpace(r rune) bool {
	switch r {
	case '\t', '\n', '\v', '\f', '\r', ' ', '\u00a0', '\u2028', '\u2029', '\u3000':
		return true
	}
	return false
}

// newSheet replays a whole log in one zone. It shows the empty version.
func newSheet(l *Log) *sheet {
	s := &sheet{log: l}
	for lv := LV(0); lv < l.graph.end; {
		start, size := l.calls.of(lv)
		s.calls = append(s.calls, start)
		lv = start + LV(size)
	}
	s.seen = make([]LV, len(s.calls))
	s.touch = make([][]int32, len(s.calls))
	full := *l
	full.merger = newMerger(tuning{leafSpans, nodeKids, chunkPieces, 0, false})
	full.merged()
	s.lay(&full.merger.tracker)
	for i := range s.segs {
		for _, call := range s.segs[i].calls {
			s.touch[call] = append(s.touch[call], int32(i))
		}
	}
	return s
}

// callOf returns which call made an event.
func (s *sheet) callOf(lv LV) int32 {
	i, ok := slices.BinarySearch(s.calls, lv)
	if !ok {
		i--
	}
	return int32(i)
}

// last returns the last event of a call.
func (s *sheet) last(call int32) LV {
	if int(call)+1 < len(s.calls) {
		return s.calls[call+1] - 1
	}
	return s.log.graph.end - 1
}

// lay lists the tracker's spans in text order, cut into segments.
func (s *sheet) lay(t *tracker) {
	removals := s.removals(t)
	merged := int32(0)
	for c, ok := t.tree.at(t.tree.leftmost()); ok; c, ok = t.tree.next(c) {
		span := t.tree.span(c)
		for id, end := span.id, span.id+LV(span.n); id < end; {
			seg := s.segment(id, end, removals)
			seg.merged = merged
			if !seg.deleted() {
				merged += seg.n
			}
			s.segs = append(s.segs, seg)
			id += LV(seg.n)
		}
	}
}

// A removal says that a call deleted an item.
type removal struct {
	id   LV
	call int32
}

func (r removal) compare(x removal) int {
	if r.id != x.id {
		return int(r.id - x.id)
	}
	return int(r.call - x.call)
}

// removals returns who deleted what, by item.
func (s *sheet) removals(t *tracker) []removal {
	var list []removal
	ops := &s.log.ops
	for i, r := range ops.runs {
		stop, _ := ops.upTo(i)
		for lv := r.lv; r.kind != insertion && lv < stop; lv++ {
			list = append(list, removal{LV(t.tree.index[lv-t.tree.first]), s.callOf(lv)})
		}
	}
	slices.SortFunc(list, removal.compare)
	return list
}

// segment returns the segment that begins with an item and ends before
// another.
func (s *sheet) segment(id, end LV, removals []removal) segment {
	call := s.callOf(id)
	seg := segment{calls: append([]int32{call}, removers(id, removals)...)}
	end = min(end, s.last(call)+1)
	ops := &s.log.ops
	text := ops.content
	for i := ops.find(id); id < end && seg.closes == goesOn; i++ {
		p := ops.part(i, id, end)
		text = ops.content[p.off : p.off+p.size]
		for len(text) > 0 && seg.closes == goesOn {
			if seg.n > 0 && !slices.Equal(removers(id, removals), seg.calls[1:]) {
				return seg
			}
			r, size := utf8.DecodeRune(text)
			text = text[size:]
			seg.opens = seg.opens || seg.n == 0 && isSpace(r)
			seg.closes = endingOf(r)
			seg.n++
			id++
		}
	}
	return seg
}

// removers returns the calls that deleted an item, ascending.
func removers(id LV, removals []removal) []int32 {
	var calls []int32
	i, _ := slices.BinarySearchFunc(removals, removal{id, -1}, removal.compare)
	for ; i < len(removals) && removals[i].id == id; i++ {
		calls = append(calls, removals[i].call)
	}
	return calls
}

// show makes a version visible.
func (s *sheet) show(version []LV) {
	s.diff.diff(&s.log.graph, s.at, version)
	for _, r := range s.diff.a {
		s.toggle(r, -1)
	}
	for _, r := range s.diff.b {
		s.toggle(r, +1)
	}
	s.at = append(s.at[:0], version...)
}

func (s *sheet) toggle(r lvRange, by int32) {
	for call := s.callOf(r.start); int(call) < len(s.calls) && s.calls[call] < r.end; call++ {
		for _, i := range s.touch[call] {
			s.segs[i].state += by
		}
	}
}

// ends reports whether a sentence ends after a segment at the version shown.
func (s *sheet) ends(i int) bool {
	if s.segs[i].state != visible || s.segs[i].closes != endsBefore {
		return s.segs[i].state == visible && s.segs[i].closes == endsAlways
	}
	for i++; i < len(s.segs); i++ {
		if s.segs[i].state == visible {
			return s.segs[i].opens
		}
	}
	return false
}

// endsForGood reports whether a sentence ends after a segment at the version
// shown and at any later one: nobody has deleted what ends it, nor typed
// anything in between.
func (s *sheet) endsForGood(i int) bool {
	lasting := func(i int) bool { return s.segs[i].state == visible && !s.segs[i].deleted() }
	if s.segs[i].closes == goesOn || !lasting(i) {
		return false
	}
	return s.segs[i].closes == endsAlways || i+1 < len(s.segs) && s.segs[i+1].opens && lasting(i+1)
}
