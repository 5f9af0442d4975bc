package text

import (
	"slices"
	"unicode/utf8"
)

// A Log is the append-only event graph of one text, with the text that all
// its events add up to. It is not safe for concurrent use, reading included.
type Log struct {
	events   []event
	changes  []change
	agents   []string
	frontier []LV
	live     []item // the merged text, deleted code points included
	stale    bool   // live lacks the last events
}

type event struct {
	pos    int32
	r      rune // -1: a deletion
	change int32
}

type change struct {
	start, end LV
	agent, seq int
	parents    []LV
}

// New returns the log of an empty text.
func New() *Log { return &Log{} }

// Add appends the splices that agent made at exactly the version parents,
// given in any order; no parents mean the empty text from before every event.
// Each code point deleted and each inserted, in that order within a splice,
// is one event; the first has the sequence number seq of that agent. Add
// returns the version after the change: its last event or, if the splices
// hold no event, the reduced parents. On an error (ErrPosition, ErrUTF8,
// ErrParent, ErrReused, ErrSeq, ErrTooLarge) the log is unchanged.
func (l *Log) Add(agent []byte, seq int, parents []LV, splices []Splice) ([]LV, error) {
	if len(agent) > maxAgentBytes {
		return nil, ErrTooLarge
	}
	for _, p := range parents {
		if p < 0 || int(p) >= len(l.events) {
			return nil, ErrParent
		}
	}
	parents = l.Reduce(parents)
	n, err := l.check(parents, splices)
	if err != nil || n == 0 {
		return parents, err
	}
	if seq < 0 || seq > maxEvents-n {
		return nil, ErrSeq
	}
	a := slices.Index(l.agents, string(agent))
	for _, c := range l.changes {
		if c.agent == a && c.seq < seq+n && seq < c.seq+int(c.end-c.start) {
			return nil, ErrReused
		}
	}
	if a < 0 {
		a = len(l.agents)
		l.agents = append(l.agents, string(agent))
	}
	linear := !l.stale && slices.Equal(parents, l.frontier)
	start := LV(len(l.events))
	l.append(splices)
	end := LV(len(l.events))
	l.changes = append(l.changes, change{start, end, a, seq, parents})
	l.frontier = slices.DeleteFunc(l.frontier, func(f LV) bool { return slices.Contains(parents, f) })
	l.frontier = append(l.frontier, end-1)
	l.stale = true
	if linear {
		l.live, l.stale = l.applyLinear(start, end), false
	}
	return []LV{end - 1}, nil
}

// check returns how many events the splices make at the version parents.
func (l *Log) check(parents []LV, splices []Splice) (int, error) {
	length, n := l.LenAt(parents), 0
	for _, s := range splices {
		if s.Pos < 0 || s.Del < 0 || s.Pos > length || s.Del > length-s.Pos {
			return 0, ErrPosition
		}
		if !utf8.ValidString(s.Ins) {
			return 0, ErrUTF8
		}
		ins := utf8.RuneCountInString(s.Ins)
		length += ins - s.Del
		n += ins + s.Del
		if n > maxEvents-len(l.events) {
			return 0, ErrTooLarge
		}
	}
	return n, nil
}

func (l *Log) append(splices []Splice) {
	at := int32(len(l.changes))
	for _, s := range splices {
		for range s.Del {
			l.events = append(l.events, event{int32(s.Pos), -1, at})
		}
		pos := int32(s.Pos)
		for _, r := range s.Ins {
			l.events = append(l.events, event{pos, r, at})
			pos++
		}
	}
}

// Frontier returns the version of everything: the events that no other event
// builds on, ascending.
func (l *Log) Frontier() []LV { return slices.Clone(l.frontier) }

// Len returns the length of the merged text in code points.
func (l *Log) Len() int { return visible(l.merged()) }

// String returns the merged text of all events.
func (l *Log) String() string { return l.render(l.merged()) }

// At returns the text at a version: what its events and all they build on add
// up to. Unknown events in the version are ignored.
func (l *Log) At(version []LV) string { return l.render(l.replay(l.ancestors(version))) }

// LenAt returns the length in code points of the text at a version.
func (l *Log) LenAt(version []LV) int {
	if slices.Equal(version, l.frontier) {
		return l.Len()
	}
	return visible(l.replay(l.ancestors(version)))
}

// Reduce returns the version, ascending, without the members that others in
// it build on.
func (l *Log) Reduce(version []LV) []LV {
	var kept []LV
	for _, v := range version {
		dominated := slices.Contains(kept, v)
		for _, w := range version {
			dominated = dominated || w != v && l.IsAncestor(v, []LV{w})
		}
		if !dominated {
			kept = append(kept, v)
		}
	}
	slices.Sort(kept)
	return kept
}

// IsAncestor reports whether the event a is one of the version's or one that
// the version builds on.
func (l *Log) IsAncestor(a LV, version []LV) bool { return l.reaches(version, a) }

func (l *Log) reaches(version []LV, a LV) bool {
	version = slices.DeleteFunc(slices.Clone(version), func(v LV) bool { return v < 0 || int(v) >= len(l.events) })
	queue := slices.Clone(version)
	seen := map[int32]LV{}
	for len(queue) > 0 {
		v := queue[len(queue)-1]
		queue = queue[:len(queue)-1]
		if v < a {
			continue
		}
		at := l.events[v].change
		c := l.changes[at]
		if a >= c.start {
			return true
		}
		if _, ok := seen[at]; !ok {
			seen[at] = v
			queue = append(queue, c.parents...)
		}
	}
	return false
}

// Spans returns who wrote what: the maximal stretches of the merged text
// written by one call of Add, in text order.
func (l *Log) Spans() []Span {
	var spans []Span
	pos, last := 0, int32(-1)
	for _, it := range l.merged() {
		if it.deleted {
			continue
		}
		if at := l.events[it.id].change; at != last {
			spans = append(spans, Span{Start: pos, From: it.id})
			last = at
		}
		pos++
		spans[len(spans)-1].End = pos
	}
	return spans
}
