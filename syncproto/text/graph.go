package text

import (
	"slices"

	"doorstep/syncproto/sorting"
)

// A graphRun is a stretch of events, each made on top of the one before it;
// only the first has the run's parents. It ends where the next run begins.
type graphRun struct {
	start   LV
	parents int32 // where in graph.parents its parents begin
	linear  bool  // its parents were everything there was when it arrived
}

// graph says which event was made on top of which.
type graph struct {
	runs     []graphRun
	parents  []LV // of all runs; those of one run ascending and reduced
	end      LV   // the number of events
	frontier []LV // events that nothing was made on top of, ascending
	queue    lvQueue
}

// append adds n events on top of a reduced version. It reports whether they
// began a new run.
func (g *graph) append(parents []LV, n int) bool {
	start := g.end
	g.end += LV(n)
	if len(parents) == 1 && parents[0] == start-1 {
		g.frontier[len(g.frontier)-1] = g.end - 1
		return false
	}
	linear := slices.Equal(parents, g.frontier)
	push(&g.runs, graphRun{start, int32(len(g.parents)), linear})
	for _, p := range parents {
		push(&g.parents, p)
	}
	if linear {
		g.frontier = g.frontier[:0] // parents may be this very slice
	} else {
		g.frontier = without(g.frontier, parents...)
	}
	g.frontier = append(g.frontier, g.end-1)
	return true
}

// without removes some members from an ascending list, in place.
func without(list []LV, members ...LV) []LV {
	for _, m := range members {
		if i := after(list, m) - 1; i >= 0 && list[i] == m {
			list = append(list[:i], list[i+1:]...)
		}
	}
	return list
}

// after returns how many members of an ascending list are not after an event. It
// searches from the end, as graph.find does.
//
//go:noinline
func after(list []LV, lv LV) int {
	hi := len(list)
	lo := hi
	for stride := 1; lo > 0 && list[lo-1] > lv; stride *= 2 {
		lo, hi = max(lo-stride, 0), lo
	}
	for lo < hi {
		mid := int(uint(lo+hi) / 2)
		if list[mid] <= lv {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	return lo
}

// find returns the index of the run that holds an event.
//
// Who asks mostly means one of the last, so the search begins at the end and
// doubles its stride. It is not copied to where it is called, for a tablet's sake.
//
//go:noinline
func (g *graph) find(lv LV) int {
	hi := len(g.runs)
	lo := max(hi-1, 0)
	for stride := 1; lo > 0 && g.runs[lo].start > lv; stride *= 2 {
		lo, hi = max(lo-stride, 0), lo
	}
	for lo+1 < hi {
		mid := int(uint(lo+hi) / 2)
		if g.runs[mid].start <= lv {
			lo = mid
		} else {
			hi = mid
		}
	}
	return lo
}

// isOneRun reports whether some events all are of one run.
func (g *graph) isOneRun(r lvRange) bool { return g.upTo(g.find(r.start)) >= r.end }

// upTo returns the first event after run i.
func (g *graph) upTo(i int) LV {
	if i+1 < len(g.runs) {
		return g.runs[i+1].start
	}
	return g.end
}

// parentsOf returns the parents of run i. The caller must not change them.
func (g *graph) parentsOf(i int) []LV {
	from := g.runs[i].parents
	if i+1 < len(g.runs) {
		return g.parents[from:g.runs[i+1].parents]
	}
	return g.parents[from:]
}

// parentsOfEvent returns the parents of one event; it may use one to hold
// them. The caller must not change them.
func (g *graph) parentsOfEvent(lv LV, one *[1]LV) []LV {
	if i := g.find(lv); g.runs[i].start == lv {
		return g.parentsOf(i)
	}
	one[0] = lv - 1
	return one[:]
}

// oldestParent returns the smallest parent of run i, or -1 for a root.
func (g *graph) oldestParent(i int) LV {
	if p := g.parentsOf(i); len(p) > 0 {
		return p[0]
	}
	return -1
}

// known returns the members of a version that are events of this graph.
func (g *graph) known(version []LV) []LV {
	kept := make([]LV, 0, len(version))
	for _, v := range version {
		if v >= 0 && v < g.end {
			kept = append(kept, v)
		}
	}
	return kept
}

// lastCritical returns the newest critical version between floor and limit,
// looking at events before end only, or -1 if there is none. A critical
// version is an event that everything earlier leads to and everything later
// builds on: replay may forget how the text came about there. Events later
// than limit may build on anything from limit onward.
//
// An event of a run whose parents were all there was has everything earlier
// behind it. Everything later builds on it if no later run has an older
// parent; a later root (parent -1) therefore rules out all that came before it.
func (g *graph) lastCritical(floor, limit, end LV) LV {
	if end <= 0 {
		return -1
	}
	for i := g.find(end - 1); i >= 0 && limit >= floor; i-- {
		r := &g.runs[i]
		newest := min(limit, min(g.upTo(i), end)-1)
		if newest < floor {
			return -1
		}
		if r.linear && newest >= r.start {
			return newest
		}
		limit = min(limit, g.oldestParent(i))
	}
	return -1
}

// isAncestor reports whether a is in the version or in its past.
func (g *graph) isAncestor(a LV, version []LV) bool {
	var q lvQueue
	for _, v := range version {
		if v >= a && g.runs[g.find(v)].start <= a {
			return true
		}
	}
	q.pushFrom(a, version, member)
	for q.len() > 0 {
		i := g.find(q.top())
		if g.runs[i].start <= a {
			return true
		}
		q.dropFrom(g.runs[i].start)
		q.pushFrom(a, g.parentsOf(i), member)
	}
	return false
}

// reduce returns a version, ascending, without the members that others build
// on and without repetitions.
func (g *graph) reduce(version []LV) []LV { return g.reduceInPlace(slices.Clone(version)) }

// reduceInPlace does what reduce does, in the version's own memory.
func (g *graph) reduceInPlace(v []LV) []LV {
	if len(v) != 2 || v[0] >= v[1] {
		sorting.Ascending(v)
		v = slices.Compact(v)
	}
	if len(v) < 2 || slices.Equal(v, g.frontier) || len(v) == 2 && g.apart(v[0], v[1]) {
		return v
	}
	return g.reduceSorted(v)
}

// apart reports whether it is easy to see that an event does not build on an earlier
// one: nothing older than the earlier one has to be looked at, and no two ways back.
func (g *graph) apart(earlier, later LV) bool {
	for {
		i := g.find(later)
		if g.runs[i].start <= earlier {
			return false
		}
		parents := g.parentsOf(i)
		last := len(parents) - 1
		if last < 0 || parents[last] < earlier {
			return true
		}
		if last > 0 && parents[last-1] >= earlier {
			return false
		}
		later = parents[last]
	}
}

// The marks of queue entries in reduceSorted: a member itself, or the past of
// one.
const (
	member uint8 = iota
	past
)

// reduceSorted walks back from all members at once; a member met as the past
// of another is dropped. The walk ends below the oldest member.
func (g *graph) reduceSorted(v []LV) []LV {
	q := &g.queue
	q.reset()
	for _, m := range v {
		q.push(m, member)
	}
	oldest := v[0]
	kept := v[:0] // the queue has them all
	for q.len() > 0 {
		first := q.pop() // a past before a member of the same event
		i := g.find(first.lv())
		if first.mark() == member {
			kept = append(kept, first.lv())
		}
		q.dropFrom(g.runs[i].start)
		q.pushFrom(oldest, g.parentsOf(i), past)
	}
	slices.Reverse(kept)
	return kept
}

// A lvRange is the events from start up to but not including end.
type lvRange struct{ start, end LV }

// The marks of queue entries in diff.
const (
	onlyA uint8 = 1
	onlyB uint8 = 2
	both        = onlyA | onlyB
)

// A differ finds the events in the past of one version and not of another.
// It keeps its memory from one question to the next.
type differ struct {
	queue lvQueue
	a, b  []lvRange // newest first
	cost  int       // of going from a to b
}

// wayBack is how many times more it costs to go back over an event than forward.
// What is gone forward over stays behind for good, as everybody will know of it in
// the end; what is gone back over has to be gone over again.
const wayBack = 8

// anyCost is more than it can cost to go from one version to another.
const anyCost = int(^uint(0) >> 1)

// diff sets d.a to the events only in the past of a, and d.b to those only in
// the past of b, by walking back from both until all that is left is shared. Both
// versions are ascending.
func (d *differ) diff(g *graph, a, b []LV) { d.within(anyCost, g, a, b) }

// within does what diff does, unless it costs more than limit to go from a to b:
// then it gives up and returns false.
func (d *differ) within(limit int, g *graph, a, b []LV) bool {
	d.a, d.b, d.cost = d.a[:0], d.b[:0], 0
	d.queue.reset()
	d.start(a, b)
	for d.queue.unshared > 0 {
		e := d.queue.pop()
		lv, mark := e.lv(), e.mark()
		i := g.find(lv)
		start := g.runs[i].start
		for d.queue.len() > 0 && d.queue.top() >= start {
			next := d.queue.pop()
			if next.mark()|mark != mark {
				d.note(lvRange{next.lv() + 1, lv + 1}, mark)
				lv, mark = next.lv(), mark|next.mark()
			}
		}
		d.note(lvRange{start, lv + 1}, mark)
		if d.cost > limit {
			return false
		}
		for _, p := range g.parentsOf(i) {
			d.queue.push(p, mark)
		}
	}
	return true
}

// start queues two ascending versions, a member of both once.
func (d *differ) start(a, b []LV) {
	for len(a) > 0 || len(b) > 0 {
		switch {
		case len(a) > 0 && len(b) > 0 && a[0] == b[0]:
			d.queue.push(a[0], both)
			a, b = a[1:], b[1:]
		case len(b) == 0 || len(a) > 0 && a[0] < b[0]:
			d.queue.push(a[0], onlyA)
			a = a[1:]
		default:
			d.queue.push(b[0], onlyB)
			b = b[1:]
		}
	}
}

func (d *differ) note(r lvRange, mark uint8) {
	if r.start == r.end {
		return
	}
	switch mark {
	case onlyA:
		d.a = append(d.a, r)
		d.cost += wayBack * int(r.end-r.start)
	case onlyB:
		d.b = append(d.b, r)
		d.cost += int(r.end - r.start)
	}
}
