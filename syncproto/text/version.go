package text

import "slices"

// At returns the text at a version: what its events and all they build on add
// up to. Unknown events in the version are ignored.
func (l *Log) At(version []LV) string {
	version = l.Reduce(version)
	if slices.Equal(version, l.graph.frontier) {
		return l.String()
	}
	return l.past(version).String()
}

// LenAt returns the length in code points of the text at a version. Unknown
// events in the version are ignored.
func (l *Log) LenAt(version []LV) int { return l.lengthAt(l.Reduce(version)) }

// lengthAt returns the length of the text at a reduced version. For a single
// event it is on record; otherwise the tracker prepares the version.
func (l *Log) lengthAt(version []LV) int {
	switch {
	case len(version) == 0:
		return 0
	case len(version) == 1:
		return int(l.ops.lengthAfter(version[0]))
	case slices.Equal(version, l.graph.frontier):
		return l.Len()
	}
	l.merged()
	if l.cover(version[0], l.graph.end) != nil {
		panic("bug: an event that was merged does not fit its version")
	}
	l.merger.tracker.moveTo(version)
	return int(l.merger.tracker.tree.preparedLen())
}

// past returns a log of only the events in the past of a reduced version,
// numbered anew in the same order.
func (l *Log) past(version []LV) *Log {
	var d differ
	d.diff(&l.graph, version, nil)
	kept := d.a
	slices.Reverse(kept)
	old := New()
	old.authors.names = l.authors.names
	numbers := renumbering{kept: kept}
	for _, r := range kept {
		numbers.from = append(numbers.from, old.graph.end)
		for i := l.graph.find(r.start); i < len(l.graph.runs) && l.graph.runs[i].start < r.end; i++ {
			l.copyRun(old, i, r, &numbers)
		}
	}
	return old
}

// copyRun copies the part of graph run i that lies in r.
func (l *Log) copyRun(to *Log, i int, r lvRange, numbers *renumbering) {
	part := lvRange{max(r.start, l.graph.runs[i].start), min(r.end, l.graph.upTo(i))}
	var parents []LV
	var one [1]LV
	for _, p := range l.graph.parentsOfEvent(part.start, &one) {
		parents = append(parents, numbers.of(p))
	}
	to.graph.append(parents, int(part.end-part.start))
	for j := l.ops.find(part.start); j < len(l.ops.runs) && l.ops.runs[j].lv < part.end; j++ {
		p := l.ops.part(j, part.start, part.end)
		off := int32(len(to.ops.content))
		to.ops.runs = append(to.ops.runs, opRun{to.ops.end, p.pos, p.length, off, p.kind})
		to.ops.content = append(to.ops.content, l.ops.content[p.off:p.off+p.size]...)
		to.ops.end += LV(p.n)
	}
	for j := l.authors.find(part.start); j < len(l.authors.runs) && l.authors.runs[j].start < part.end; j++ {
		a := l.authors.runs[j]
		from := max(part.start, a.start)
		at := to.graph.end - (part.end - from)
		to.authors.runs = append(to.authors.runs, authorRun{at, a.agent, a.seq + int32(from-a.start), -1})
	}
	to.authors.end = to.graph.end
}

// renumbering maps the events of some ranges to consecutive numbers.
type renumbering struct {
	kept []lvRange
	from []LV // the new number of each range's first event
}

func (r *renumbering) of(lv LV) LV {
	i := floor(len(r.kept), func(i int) bool { return r.kept[i].start > lv })
	return r.from[i] + lv - r.kept[i].start
}
