package text

import (
	"slices"

	"doorstep/syncproto/sorting"
)

// A stretch is a run of events for the replay, with how to apply them:
// straight to the text, each being made on top of everything before it, or
// through the tracker, together, as they contain events made apart.
type stretch struct {
	lvRange
	straight bool
}

// stretches divides the events from start on into those that can be applied
// straight to the text, because each is a critical version, and the conflict
// zones between them. The newest stretch comes first.
func (g *graph) stretches(start LV) []stretch {
	var list []stretch
	end, limit := g.end, g.end-1
	for end > start {
		newest := g.lastCritical(start, limit, end)
		if newest < 0 {
			return append(list, stretch{lvRange{start, end}, false})
		}
		if newest+1 < end {
			list = append(list, stretch{lvRange{newest + 1, end}, false})
		}
		run := g.find(newest)
		end = max(start, g.runs[run].start)
		limit = g.oldestParent(run)
		list = append(list, stretch{lvRange{end, newest + 1}, true})
	}
	return list
}

// A step is a stretch of events that follow from one another, in a plan.
type step struct {
	lvRange
	blockers int32 // steps it builds on that are not planned yet
	builders int32 // how many steps build on it
	weight   int64 // the events that come with it, shared among branches
	kids     int32 // where in planner.kids its builders begin
}

// A planner orders the events of a conflict zone so that the tracker moves
// little between versions: it follows a branch to where it must wait for
// another, and of several branches takes the lightest first. The order makes
// no difference to the result. It keeps its memory from plan to plan.
type planner struct {
	graph *graph
	zone  lvRange
	steps []step
	kids  []int32
	ready []int32
	cuts  []LV
}

// plan hands the zone's events to visit, in order, cut wherever something
// branches off or joins. It stops at the first error.
func (p *planner) plan(g *graph, zone lvRange, visit func(lvRange) error) error {
	p.graph, p.zone = g, zone
	p.cut()
	p.link()
	p.weigh()
	for i := len(p.steps) - 1; i >= 0; i-- {
		if p.steps[i].blockers == 0 {
			p.ready = append(p.ready, int32(i))
		}
	}
	p.lightestLast(0)
	for len(p.ready) > 0 {
		last := len(p.ready) - 1
		at := p.ready[last]
		p.ready = p.ready[:last]
		if err := visit(p.steps[at].lvRange); err != nil {
			return err
		}
		p.release(at)
	}
	return nil
}

// cut divides the zone into steps.
func (p *planner) cut() {
	g := p.graph
	p.steps, p.ready = p.steps[:0], p.ready[:0]
	cuts := append(p.cuts[:0], p.zone.start)
	for i := g.find(p.zone.start); i < len(g.runs) && g.runs[i].start < p.zone.end; i++ {
		if g.runs[i].start < p.zone.start {
			continue
		}
		cuts = append(cuts, g.runs[i].start)
		for _, parent := range g.parentsOf(i) {
			if parent >= p.zone.start {
				cuts = append(cuts, parent+1)
			}
		}
	}
	sorting.Ascending(cuts)
	cuts = append(slices.Compact(cuts), p.zone.end)
	p.cuts = cuts
	for i, lv := range cuts[:len(cuts)-1] {
		p.steps = append(p.steps, step{lvRange: lvRange{lv, cuts[i+1]}})
	}
}

// parents calls f with the steps of the zone that step i builds on.
func (p *planner) parents(i int, f func(int)) {
	lv := p.steps[i].start
	run := p.graph.find(lv)
	if p.graph.runs[run].start != lv {
		if i > 0 {
			f(i - 1)
		}
		return
	}
	for _, parent := range p.graph.parentsOf(run) {
		if parent >= p.zone.start {
			f(p.at(parent))
		}
	}
}

// at returns the step that holds an event.
func (p *planner) at(lv LV) int {
	return floor(len(p.steps), func(i int) bool { return p.steps[i].start > lv })
}

// link notes for every step what builds on it.
func (p *planner) link() {
	total := int32(0)
	for i := range p.steps {
		p.parents(i, func(parent int) {
			p.steps[parent].builders++
			p.steps[i].blockers++
			total++
		})
	}
	p.kids = slices.Grow(p.kids[:0], int(total))[:total]
	at := int32(0)
	for i := range p.steps {
		p.steps[i].kids = at
		at += p.steps[i].builders
		p.steps[i].builders = 0
	}
	for i := range p.steps {
		p.parents(i, func(parent int) {
			s := &p.steps[parent]
			p.kids[s.kids+s.builders] = int32(i)
			s.builders++
		})
	}
}

// weigh adds to each step's weight that of the steps that build on it, in
// equal shares where those build on several.
func (p *planner) weigh() {
	for i := len(p.steps) - 1; i >= 0; i-- {
		s := &p.steps[i]
		s.weight += int64(s.end - s.start)
		p.parents(i, func(parent int) {
			p.steps[parent].weight += s.weight / int64(s.blockers)
		})
	}
}

// release makes ready what waited only for this step.
func (p *planner) release(at int32) {
	from := len(p.ready)
	s := &p.steps[at]
	for _, kid := range p.kids[s.kids : s.kids+s.builders] {
		p.steps[kid].blockers--
		if p.steps[kid].blockers == 0 {
			p.ready = append(p.ready, kid)
		}
	}
	p.lightestLast(from)
}

func (p *planner) lightestLast(from int) {
	if len(p.ready)-from < 2 {
		return
	}
	sorting.By(p.ready[from:], func(a, b *int32) int {
		if d := p.steps[*b].weight - p.steps[*a].weight; d != 0 {
			return int(min(max(d, -1), 1))
		}
		return int(*b - *a)
	})
}
