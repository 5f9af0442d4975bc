package text

import (
	"slices"
	"strings"
	"unicode/utf8"
)

// A Log is the append-only event graph of one text, with the text that all
// its events add up to. It is not safe for concurrent use, reading included.
type Log struct {
	ops     ops
	graph   graph
	authors authors
	calls   calls
	merger  merger
	parents []LV  // of the change being added
	points  []int // how many code points each of its splices inserts
	spare   []LV  // room for versions that Add will return
}

// New returns the log of an empty text.
func New() *Log { return &Log{merger: newMerger(usual())} }

// Add appends the splices that agent made at exactly the version parents,
// given in any order; no parents mean the empty text from before every event.
// Each code point deleted and each inserted, in that order within a splice,
// is one event; the first has the sequence number seq of that agent. Add
// returns the version after the change: its last event or, if the splices
// hold no event, the reduced parents. On an error (ErrPosition, ErrUTF8,
// ErrParent, ErrReused, ErrSeq, ErrTooLarge) the log is unchanged.
//
// A change on top of everything takes time in proportion to its size. The
// merged text is brought up to date when it is next asked for.
func (l *Log) Add(agent []byte, seq int, parents []LV, splices []Splice) ([]LV, error) {
	if len(agent) > maxAgentBytes {
		return nil, ErrTooLarge
	}
	for _, p := range parents {
		if p < 0 || p >= l.graph.end {
			return nil, ErrParent
		}
	}
	if len(parents) > 1 {
		l.parents = append(l.parents[:0], parents...)
		parents = l.graph.reduceInPlace(l.parents)
	}
	length := l.lengthAt(parents)
	n, err := l.check(length, splices)
	if err != nil {
		return nil, err
	}
	if n == 0 {
		return slices.Clone(parents), nil
	}
	who := l.authors.lookup(agent)
	if seq < 0 || seq > maxEvents-n {
		return nil, ErrSeq
	}
	if l.authors.used(who, seq, n) {
		return nil, ErrReused
	}
	fresh := l.graph.append(parents, n)
	l.append(int32(length), splices, fresh)
	l.authors.add(agent, who, seq, n)
	l.calls.add(n)
	return l.version(l.graph.end - 1), nil
}

// maxSpare bounds how many versions are made room for at once.
const maxSpare = 256

// version returns the version of one event. Such versions are so many that each
// does not come with an allocation of its own.
func (l *Log) version(lv LV) []LV {
	if len(l.spare) == cap(l.spare) {
		l.spare = make([]LV, 0, min(2*cap(l.spare)+1, maxSpare))
	}
	n := len(l.spare)
	l.spare = append(l.spare, lv)
	return l.spare[n : n+1 : n+1]
}

// check returns how many events the splices make in a text of the given
// length, and notes how many code points each inserts.
func (l *Log) check(length int, splices []Splice) (int, error) {
	n, bytes := 0, len(l.ops.content)
	l.points = l.points[:0]
	for i := range splices {
		s := &splices[i]
		if s.Pos < 0 || s.Del < 0 || s.Pos > length || s.Del > length-s.Pos {
			return 0, ErrPosition
		}
		ins, ok := countPoints(s.Ins)
		if !ok {
			return 0, ErrUTF8
		}
		l.points = append(l.points, ins)
		length += ins - s.Del
		n += ins + s.Del
		bytes += len(s.Ins)
		if n > maxEvents-int(l.graph.end) || bytes > maxContent {
			return 0, ErrTooLarge
		}
	}
	return n, nil
}

// countPoints returns how many code points a text has, if it is valid UTF-8.
func countPoints(s string) (int, bool) {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return utf8.RuneCountInString(s), utf8.ValidString(s)
		}
	}
	return len(s), true
}

// append enters checked splices made in a text of the given length.
func (l *Log) append(length int32, splices []Splice, fresh bool) {
	for i := range splices {
		s := &splices[i]
		pos := int32(s.Pos)
		if s.Del > 0 {
			l.ops.remove(pos, length, s.Del, fresh)
			length -= int32(s.Del)
			fresh = false
		}
		if s.Ins != "" {
			n := l.points[i]
			l.ops.insert(pos, length, s.Ins, n, fresh)
			length += int32(n)
			fresh = false
		}
	}
}

// Frontier returns the version of everything: the events that no other event
// builds on, ascending.
func (l *Log) Frontier() []LV { return slices.Clone(l.graph.frontier) }

// Reduce returns the version, ascending, without the members that others in
// it build on. Unknown events are dropped.
func (l *Log) Reduce(version []LV) []LV { return l.graph.reduce(l.graph.known(version)) }

// IsAncestor reports whether the event a is one of the version's or one that
// the version builds on.
func (l *Log) IsAncestor(a LV, version []LV) bool {
	return a >= 0 && l.graph.isAncestor(a, l.graph.known(version))
}

// Len returns the length of the merged text in code points.
func (l *Log) Len() int { return int(l.merged().n) }

// String returns the merged text of all events.
func (l *Log) String() string {
	text := l.merged()
	var b strings.Builder
	b.Grow(text.size)
	text.each(func(p piece) { b.Write(l.ops.content[p.off : p.off+p.size]) })
	return b.String()
}

// merged returns the merged text of all events.
func (l *Log) merged() *pieces {
	if l.sync() != nil {
		panic("bug: an event that Add accepted does not fit its version")
	}
	return &l.merger.text
}

// Spans returns who wrote what: the maximal stretches of the merged text
// written by one call of Add, in text order.
func (l *Log) Spans() []Span {
	var spans []Span
	pos, last := 0, LV(-1)
	l.merged().each(func(p piece) {
		for p.n > 0 {
			call, size := l.calls.of(p.lv)
			n := min(p.n, int32(call-p.lv)+size)
			if call != last {
				spans = append(spans, Span{Start: pos, From: p.lv})
				last = call
			}
			pos += int(n)
			spans[len(spans)-1].End = pos
			p.lv += LV(n)
			p.n -= n
		}
	})
	return spans
}
