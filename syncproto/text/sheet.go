package text

import (
	"slices"
	"unicode/utf8"

	"doorstep/syncproto/sorting"
)

// A sheet is the whole text with everything that was ever deleted still in its
// place. It can show any version of it.
type sheet struct {
	log   *Log
	segs  []segment // in text order
	calls []LV      // the first event of each call of Add
	ranks []int32   // the place of each call in the order of authors
	order []int32   // the calls in that order
	touch [][]int32 // the segments that each call touches, ascending
	stops []int32   // the segments that may end a sentence, ascending
	at    []LV      // the version shown
	diff  differ
	seen  []int32 // per call, the later one that it was last near to
	found []Overlap
	full  bool    // found has been cut to maxOverlaps
	worst Overlap // the last that was kept then
	steps int     // how often a call was looked at, which tests bound
}

// A segment is a stretch of code points with the same history. It reaches no
// further than a code point that may end a sentence.
type segment struct {
	id     LV // its first item
	n      int32
	calls  []int32 // the call that inserted it, then those that deleted it
	first  []int32 // of very many that deleted it, those whose overlaps may be kept
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

// mergedEnd returns where what is left of it ends in the merged text.
func (s *segment) mergedEnd() int32 {
	if s.deleted() {
		return s.merged
	}
	return s.merged + s.n
}

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
	s.seen = make([]int32, len(s.calls))
	s.rank()
	s.touch = make([][]int32, len(s.calls))
	full := *l
	full.merger = newMerger(tuning{leafSpans, nodeKids, chunkPieces, 0, false, 1024})
	full.merged()
	s.lay(&full.merger.tracker)
	for i := range s.segs {
		s.segs[i].first = s.firstOf(s.segs[i].calls[1:])
		if s.segs[i].closes != goesOn {
			s.stops = append(s.stops, int32(i))
		}
		for _, call := range s.segs[i].calls {
			s.touch[call] = append(s.touch[call], int32(i))
		}
	}
	return s
}

// rank orders the calls by their authors.
func (s *sheet) rank() {
	order := make([]int32, len(s.calls))
	for i := range order {
		order[i] = int32(i)
	}
	sorting.By(order, func(a, b *int32) int { return s.log.authors.compare(s.calls[*a], s.calls[*b]) })
	s.ranks = make([]int32, len(order))
	for rank, call := range order {
		s.ranks[call] = int32(rank)
	}
	s.order = order
}

// firstOf returns, of many calls that deleted the same, the first authors' whose
// overlaps fill all that is kept; nil if there are not as many. No two of such calls know
// of each other, so each two overlap: of two that come later than these nothing is kept.
func (s *sheet) firstOf(deleters []int32) []int32 {
	n, pairs := 0, 0
	for ; n < len(deleters) && pairs < maxOverlaps; n++ {
		pairs += len(deleters) - n - 1
	}
	if pairs < maxOverlaps {
		return nil
	}
	first := make([]int32, 0, len(deleters))
	for _, call := range deleters {
		first = append(first, s.ranks[call])
	}
	sorting.Ascending(first)
	first = first[:n]
	for i, rank := range first {
		first[i] = s.order[rank]
	}
	return first
}

// callOf returns which call made an event.
func (s *sheet) callOf(lv LV) int32 {
	return int32(after(s.calls, lv) - 1)
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
	removed := s.removed(t)
	merged := int32(0)
	for c, ok := t.tree.at(t.tree.leftmost()); ok; c, ok = t.tree.next(c) {
		span := t.tree.span(c)
		for id, end := span.id, span.id+LV(span.n); id < end; {
			seg := s.segment(id, end, removed)
			seg.merged = merged
			merged = seg.mergedEnd()
			s.segs = append(s.segs, seg)
			id += LV(seg.n)
		}
	}
}

// A fate is a stretch of items, from id up to the next fate's, and the calls
// that deleted it, ascending.
type fate struct {
	id    LV
	calls []int32
}

// removed returns who deleted what, by item.
func (s *sheet) removed(t *tracker) []fate {
	cuts := []LV{0}
	for _, r := range t.gone.list {
		cuts = append(cuts, r.id, r.id+LV(r.n))
	}
	sorting.Ascending(cuts)
	var list []fate
	for _, id := range slices.Compact(cuts) {
		list = append(list, fate{id: id})
	}
	for _, r := range t.gone.list {
		for lv := r.lv; lv < r.lv+LV(r.n); {
			call := s.callOf(lv)
			stop := min(s.last(call)+1, r.lv+LV(r.n))
			id, n := r.between(lv, stop)
			list = blame(list, call, id, n)
			lv = stop
		}
	}
	for i := range list {
		sorting.Ascending(list[i].calls)
	}
	return list
}

// blame notes that a call deleted n items, cutting fates where it ends.
func blame(list []fate, call int32, id LV, n int32) []fate {
	list = cutFate(cutFate(list, id), id+LV(n))
	for i := fateOf(list, id); i < len(list) && list[i].id < id+LV(n); i++ {
		list[i].calls = append(list[i].calls, call)
	}
	return list
}

func cutFate(list []fate, id LV) []fate {
	i := fateOf(list, id)
	if list[i].id == id {
		return list
	}
	return sorting.Insert(list, i+1, fate{id, slices.Clone(list[i].calls)})
}

// fateOf returns the index of the fate that an item is part of.
func fateOf(list []fate, id LV) int {
	return floor(len(list), func(i int) bool { return list[i].id > id })
}

// segment returns the segment that begins with an item and ends before
// another.
func (s *sheet) segment(id, end LV, removed []fate) segment {
	call := s.callOf(id)
	f := fateOf(removed, id)
	seg := segment{id: id, calls: append([]int32{call}, removed[f].calls...)}
	end = min(end, s.last(call)+1)
	if f+1 < len(removed) {
		end = min(end, removed[f+1].id)
	}
	ops := &s.log.ops
	for i := ops.find(id); id < end && seg.closes == goesOn; i++ {
		p := ops.part(i, id, end)
		text := ops.content[p.off : p.off+p.size]
		for len(text) > 0 && seg.closes == goesOn {
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

// sentence returns the first segment of the sentence that a segment belongs to,
// and the first after it, at the version shown.
func (s *sheet) sentence(i int) (from, next int) {
	at, _ := slices.BinarySearch(s.stops, int32(i))
	for j := at - 1; j >= 0; j-- {
		if stop := int(s.stops[j]); s.ends(stop) {
			from = stop + 1
			break
		}
	}
	for ; at < len(s.stops); at++ {
		if stop := int(s.stops[at]); s.ends(stop) {
			return from, stop + 1
		}
	}
	return from, len(s.segs)
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
