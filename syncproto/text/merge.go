package text

// merger keeps the merged text up to date with the log, and the tracker for
// the next event that was made apart.
type merger struct {
	text    pieces
	upTo    LV // events before it are in text
	tracker tracker
	planner planner
	active  bool // the tracker holds a conflict zone
	checked LV   // the size of the zone when it was last compared with the need
	loading bool // the lengths in ops.runs are not known yet
	tuning  tuning
}

// tuning holds what has no influence on the result; tests vary it.
type tuning struct {
	leaf, node int32 // how full the tracker's leaves and nodes may become
	chunk      int32 // how full the chunks of the text may become
	slack      LV    // how many events a kept tracker may hold in any case
	forget     bool  // begin anew at critical versions
	near       int   // a cost of moving that is not worth looking for a lower one
}

// usual returns the tuning of every log outside tests.
func usual() tuning { return tuning{leafSpans, nodeKids, chunkPieces, 1024, true, 1024} }

// outgrown is how many times more events than needed a kept tracker may hold
// before it is begun anew.
const outgrown = 8

func newMerger(t tuning) merger {
	m := merger{tuning: t}
	m.text.fill = t.chunk
	m.tracker.near = t.near
	m.tracker.tree.leafFill, m.tracker.tree.nodeFill = t.leaf, t.node
	return m
}

// sync brings the merged text up to date. It fails only for a log that was
// decoded and not yet checked.
func (l *Log) sync() error {
	m := &l.merger
	if m.upTo == l.graph.end {
		return nil
	}
	if !m.tuning.forget {
		return l.mergeZone(lvRange{m.upTo, l.graph.end})
	}
	if l.onTop() {
		return l.apply(lvRange{m.upTo, l.graph.end})
	}
	if l.graph.isOneRun(lvRange{m.upTo, l.graph.end}) { // and no event of it is critical
		return l.mergeZone(lvRange{m.upTo, l.graph.end})
	}
	list := l.graph.stretches(m.upTo)
	for i := len(list) - 1; i >= 0; i-- {
		merge := l.mergeZone
		if list[i].straight {
			merge = l.apply
		}
		if err := merge(list[i].lvRange); err != nil {
			return err
		}
	}
	return nil
}

// onTop reports whether all events not merged yet were made one after the
// other on top of everything merged.
func (l *Log) onTop() bool {
	last := l.graph.runs[len(l.graph.runs)-1]
	return last.linear && last.start <= l.merger.upTo
}

// apply applies events straight to the text.
func (l *Log) apply(r lvRange) error {
	text := &l.merger.text
	var p opPart
	for i := l.ops.find(r.start); i < len(l.ops.runs) && l.ops.runs[i].lv < r.end; i++ {
		if !l.fit(&p, i, r, text.n) {
			return ErrPosition
		}
		switch p.kind {
		case insertion:
			text.insert(p.pos, piece{p.lv, p.n, p.off, p.size}, l.ops.content)
		case deletion:
			text.remove(p.pos, p.n, l.ops.content)
		case deletionBack:
			text.remove(p.pos-p.n+1, p.n, l.ops.content)
		}
	}
	l.merger.upTo = r.end
	return nil
}

// fit sets p to the part of an operation that lies in r, and reports whether it
// fits into the text at its version, which has the given length. That length is noted
// if the log was decoded just now.
func (l *Log) fit(p *opPart, i int, r lvRange, length int32) bool {
	if run := &l.ops.runs[i]; l.merger.loading && run.lv >= r.start {
		run.length = length
	}
	l.ops.setPart(p, i, r.start, r.end)
	return p.fits(length)
}

// mergeZone merges events that were made apart from others.
func (l *Log) mergeZone(zone lvRange) error {
	if err := l.cover(l.oldestParent(zone), zone.end); err != nil {
		return err
	}
	l.merger.tracker.out = &l.merger.text
	if err := l.track(zone); err != nil {
		return err
	}
	l.merger.upTo = zone.end
	return nil
}

// oldestParent returns the oldest event that events of the zone build on
// directly, or -1 if one of them is a root.
func (l *Log) oldestParent(zone lvRange) LV {
	oldest := zone.start - 1
	i := l.graph.find(zone.start)
	if l.graph.runs[i].start < zone.start {
		i++
	}
	for ; i < len(l.graph.runs) && l.graph.runs[i].start < zone.end; i++ {
		oldest = min(oldest, l.graph.oldestParent(i))
	}
	return oldest
}

// cover makes the tracker ready for events that build on oldest or later and
// come before end: it has seen all that is merged. The zone that it has is kept
// if that is less work than a new one, and if it is not far larger than needed.
// Looking for the need takes time, so it is done only when the tracker has
// fallen behind or has doubled since the last look.
func (l *Log) cover(oldest, end LV) error {
	m := &l.merger
	t := &m.tracker
	kept, size := m.active && oldest >= t.base, m.upTo-t.base
	if kept && t.upTo == m.upTo && (size < m.tuning.slack || size < 2*m.checked) {
		return nil
	}
	small := size <= m.tuning.slack
	floor := LV(0)
	if kept && small {
		floor = t.upTo
	}
	base := l.graph.lastCritical(floor, min(oldest, m.upTo-1), m.upTo)
	if !m.tuning.forget {
		base = -1
	}
	if !kept || base >= t.upTo || !small && size > outgrown*(end-base) {
		t.begin(l, base)
		m.active = true
	}
	m.checked = m.upTo - t.base
	if t.upTo == m.upTo {
		return nil
	}
	t.out = nil
	return l.track(lvRange{t.upTo, m.upTo})
}

// track has the tracker see a zone.
func (l *Log) track(zone lvRange) error {
	t := &l.merger.tracker
	var one [1]LV
	visit := func(r lvRange) error {
		t.moveTo(l.graph.parentsOfEvent(r.start, &one))
		return t.replay(r)
	}
	var err error
	if l.graph.isOneRun(zone) {
		err = visit(zone)
	} else {
		err = l.merger.planner.plan(&l.graph, zone, visit)
	}
	t.upTo = zone.end
	return err
}
