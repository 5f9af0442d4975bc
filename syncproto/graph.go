package syncproto

import (
	"cmp"
	"slices"

	"doorstep/syncproto/sorting"
)

// Graph is the set of changes that people made to one record, linked by their
// deps (SPEC 3.5). Changes may be added in any order; one whose deps are not
// here yet is parked and joins when they come. A Graph is not safe for
// concurrent use.
//
// Nodes live in slices and are named by index. A stretch in which each change
// has just the one before it as its dep is one run, so that questions about
// ancestry cost steps per fork in the history, not per change.
type Graph struct {
	record RecordID
	nodes  []node
	runs   []run
	index  map[ChangeID]int32
	order  []int32 // canonical order
	sorted bool    // order is in canonical order

	parked  map[ChangeID]*Change
	waiting map[ChangeID][]ChangeID // dep that is missing -> parked changes
}

type node struct {
	change *Change
	deps   []int32
	depth  int32 // 1 + the greatest depth of its deps
	run    int32
	nth    int32 // place in the run
	succ   bool  // some node has it as a dep
}

// run is a maximal stretch of the history without a fork or a join inside.
type run struct {
	head int32 // its first node
	tail int32 // its last node so far
}

// AddResult says what Add did with a change.
type AddResult uint8

const (
	Added  AddResult = 1 // it is part of the graph, with any that waited for it
	Parked AddResult = 2 // a dep is missing: see Missing
	Known  AddResult = 3 // it was here already
)

// NewGraph returns the empty graph of a record.
func NewGraph(record RecordID) *Graph {
	return &Graph{
		record:  record,
		index:   map[ChangeID]int32{},
		sorted:  true,
		parked:  map[ChangeID]*Change{},
		waiting: map[ChangeID][]ChangeID{},
	}
}

// Add takes a change in. It fails with CodeWrongRecord for a change of another
// record, CodeTooManyDeps, CodeSelfDep, or CodeCycle; the graph is then as it was.
func (g *Graph) Add(c *Change) (AddResult, error) {
	if g.Has(c.ID) || g.parked[c.ID] != nil {
		return Known, nil
	}
	if c.Body.Record != g.record {
		return 0, CodeWrongRecord
	}
	if len(c.Body.Deps) > MaxDeps {
		return 0, CodeTooManyDeps
	}
	if slices.Contains(c.Body.Deps, c.ID) {
		return 0, CodeSelfDep
	}
	if g.wouldCycle(c) {
		return 0, CodeCycle
	}
	if g.park(c) {
		return Parked, nil
	}
	g.join(c)
	g.unpark(c.ID)
	return Added, nil
}

// wouldCycle reports whether a dep of c waits, through parked changes, for c
// itself. A hash cannot be built so; a forged id in memory could.
func (g *Graph) wouldCycle(c *Change) bool {
	if len(g.waiting[c.ID]) == 0 {
		return false
	}
	seen := map[ChangeID]bool{}
	stack := slices.Clone(c.Body.Deps)
	for len(stack) > 0 {
		id := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		if id == c.ID {
			return true
		}
		if p := g.parked[id]; p != nil && !seen[id] {
			seen[id] = true
			stack = append(stack, p.Body.Deps...)
		}
	}
	return false
}

// park keeps c aside when a dep is missing, filed under the first such dep.
func (g *Graph) park(c *Change) bool {
	for _, dep := range c.Body.Deps {
		if !g.Has(dep) {
			g.parked[c.ID] = c
			g.waiting[dep] = append(g.waiting[dep], c.ID)
			return true
		}
	}
	return false
}

// unpark lets everything join that waited, directly or not, for id.
func (g *Graph) unpark(id ChangeID) {
	ready := []ChangeID{id}
	for len(ready) > 0 {
		dep := ready[len(ready)-1]
		ready = ready[:len(ready)-1]
		waiters := g.waiting[dep]
		delete(g.waiting, dep)
		for _, w := range waiters {
			c := g.parked[w]
			delete(g.parked, w)
			if !g.park(c) {
				g.join(c)
				ready = append(ready, w)
			}
		}
	}
}

func (g *Graph) join(c *Change) {
	n := node{change: c, deps: make([]int32, len(c.Body.Deps)), depth: 1}
	for i, dep := range c.Body.Deps {
		d := g.index[dep]
		n.deps[i] = d
		n.depth = max(n.depth, g.nodes[d].depth+1)
		g.nodes[d].succ = true
	}
	at := int32(len(g.nodes))
	if len(n.deps) == 1 && g.runs[g.nodes[n.deps[0]].run].tail == n.deps[0] {
		before := &g.nodes[n.deps[0]]
		n.run, n.nth = before.run, before.nth+1
		g.runs[n.run].tail = at
	} else {
		n.run = int32(len(g.runs))
		g.runs = append(g.runs, run{head: at, tail: at})
	}
	g.nodes = append(g.nodes, n)
	g.index[c.ID] = at
	if g.sorted && at > 0 && g.compare(g.order[len(g.order)-1], at) > 0 {
		g.sorted = false
	}
	g.order = append(g.order, at)
}

// compare puts nodes in canonical order: depth, actor, sequence number, id.
func (g *Graph) compare(a, b int32) int {
	x, y := &g.nodes[a], &g.nodes[b]
	if c := cmp.Compare(x.depth, y.depth); c != 0 {
		return c
	}
	if c := slices.Compare(x.change.Body.Actor[:], y.change.Body.Actor[:]); c != 0 {
		return c
	}
	if c := cmp.Compare(x.change.Body.Seq, y.change.Body.Seq); c != 0 {
		return c
	}
	return CompareChangeID(x.change.ID, y.change.ID)
}

func (g *Graph) canonical() []int32 {
	if !g.sorted {
		sorting.By(g.order, func(a, b *int32) int { return g.compare(*a, *b) })
		g.sorted = true
	}
	return g.order
}

// Record returns the record whose graph this is.
func (g *Graph) Record() RecordID { return g.record }

// Has reports whether the change is part of the graph; a parked one is not.
func (g *Graph) Has(id ChangeID) bool {
	_, ok := g.index[id]
	return ok
}

// Change returns a change of the graph, parked ones included, or nil.
func (g *Graph) Change(id ChangeID) *Change {
	if i, ok := g.index[id]; ok {
		return g.nodes[i].change
	}
	return g.parked[id]
}

// Len returns how many changes are part of the graph, parked ones left out.
func (g *Graph) Len() int { return len(g.nodes) }

// Changes returns the changes in canonical order, parked ones left out.
func (g *Graph) Changes() []*Change {
	out := make([]*Change, 0, len(g.nodes))
	for _, i := range g.canonical() {
		out = append(out, g.nodes[i].change)
	}
	return out
}

// Heads returns the changes that no other change has as a dep, sorted by id.
func (g *Graph) Heads() []ChangeID {
	var heads []ChangeID
	for i := range g.nodes {
		if !g.nodes[i].succ {
			heads = append(heads, g.nodes[i].change.ID)
		}
	}
	SortChangeIDs(heads)
	return heads
}

// Missing returns the deps that parked changes wait for and nobody sent, sorted.
func (g *Graph) Missing() []ChangeID {
	var out []ChangeID
	for dep := range g.waiting {
		if g.parked[dep] == nil {
			out = append(out, dep)
		}
	}
	SortChangeIDs(out)
	return out
}

// ParkedChanges returns the changes that wait for a missing dep, sorted by id.
func (g *Graph) ParkedChanges() []*Change {
	out := make([]*Change, 0, len(g.parked))
	for _, c := range g.parked {
		out = append(out, c)
	}
	sorting.By(out, func(a, b **Change) int { return CompareChangeID((*a).ID, (*b).ID) })
	return out
}

// IsAncestor reports whether a is b, or b was made with knowledge of a. Both
// must be part of the graph; it is false otherwise.
func (g *Graph) IsAncestor(a, b ChangeID) bool {
	i, ok := g.index[a]
	if !ok {
		return false
	}
	j, ok := g.index[b]
	return ok && g.reaches(j, i)
}

// reaches reports whether target is from, or an ancestor of it.
func (g *Graph) reaches(from, target int32) bool {
	t := &g.nodes[target]
	if f := &g.nodes[from]; f.run == t.run {
		return f.nth >= t.nth
	} else if f.depth <= t.depth {
		return false
	}
	found := false
	g.walk([]int32{from}, func(n int32) bool {
		x := &g.nodes[n]
		if x.run == t.run && x.nth >= t.nth {
			found = true
		}
		return !found && g.nodes[g.runs[x.run].head].depth > t.depth
	})
	return found
}

// walk visits, from each start backwards, the node at which each run is entered,
// once a run. It goes on past a run's head only where visit says so.
func (g *Graph) walk(starts []int32, visit func(n int32) (goOn bool)) {
	seen := make(map[int32]int32, 8) // run -> greatest place visited + 1
	stack := slices.Clone(starts)
	for len(stack) > 0 {
		n := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		x := &g.nodes[n]
		before := seen[x.run]
		if x.nth < before {
			continue
		}
		seen[x.run] = x.nth + 1
		if visit(n) && before == 0 {
			stack = append(stack, g.nodes[g.runs[x.run].head].deps...)
		}
	}
}
