package text

// A reach says how far a version reaches into each run of a graph. With it, going
// forward takes a look only at what is new, however much went before.
type reach struct {
	base  LV   // everybody knows it, and what it builds on
	first int  // the run that the list begins with
	upTo  []LV // per run, the event after the last that the version has; 0 if it has none
	stack []LV
	unmet []LV // members of this version that a later one has not been seen to have
}

func (r *reach) reset(g *graph, base LV) {
	r.base, r.first, r.upTo = base, g.find(base+1), r.upTo[:0]
}

// set notes that the version has the events of a run before upTo.
func (r *reach) set(run int, upTo LV) {
	for run -= r.first; len(r.upTo) <= run; {
		push(&r.upTo, 0)
	}
	r.upTo[run] = upTo
}

// advance goes forward from one version to another that has everything of it, and sets
// d.b to what that adds. If it has not, or if that costs more than limit, it stays and
// returns false.
func (r *reach) advance(limit int, d *differ, g *graph, from, version []LV) bool {
	d.a, d.b, d.cost = d.a[:0], d.b[:0], 0
	r.stack, r.unmet = append(r.stack[:0], version...), append(r.unmet[:0], from...)
	for len(r.stack) > 0 && d.cost <= limit {
		lv := r.stack[len(r.stack)-1]
		r.stack = r.stack[:len(r.stack)-1]
		r.take(d, g, lv)
	}
	if d.cost <= limit && len(r.unmet) == 0 {
		return true
	}
	for i := len(d.b) - 1; i >= 0; i-- { // what is added to one run twice is taken back in turn
		r.set(g.find(d.b[i].start), d.b[i].start)
	}
	return false
}

// take adds an event, and what comes before it in its run. What the run builds on
// is still to be added.
func (r *reach) take(d *differ, g *graph, lv LV) {
	i := g.find(lv)
	start, from := g.runs[i].start, r.base+1
	if at := i - r.first; at >= 0 && at < len(r.upTo) {
		from = max(from, r.upTo[at])
	}
	if from > lv {
		r.meet(lv)
		return
	}
	d.note(lvRange{max(from, start), lv + 1}, onlyB)
	r.set(i, lv+1)
	if from <= start {
		r.stack = append(r.stack, g.parentsOf(i)...)
	}
}

// meet notes that the later version has an event.
func (r *reach) meet(lv LV) {
	for i, member := range r.unmet {
		if member == lv {
			last := len(r.unmet) - 1
			r.unmet[i], r.unmet = r.unmet[last], r.unmet[:last]
			return
		}
	}
}

// follow goes where a diff leads.
func (r *reach) follow(d *differ, g *graph) {
	for _, left := range d.a {
		r.set(g.find(left.start), left.start)
	}
	for _, added := range d.b {
		r.set(g.find(added.start), added.end)
	}
}
