package text

import (
	"cmp"
	"flag"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

var (
	flagSteps = flag.Int("steps", 100_000, "random changes to make in TestFuzz; any number")
	flagSeed  = flag.Uint64("seed", 1, "seed of the first case of TestFuzz")
)

// caseSteps is how many changes a fuzz case makes: few, as the oracle is slow,
// but with tiny leaves enough for deep trees.
const caseSteps = 50

// TestFuzz edits several replicas of a text at random, exchanges their changes
// in random order, and compares each with the oracle.
func TestFuzz(t *testing.T) {
	steps := *flagSteps
	if testing.Short() || raceEnabled {
		steps = min(steps, 5_000)
	}
	for seed := *flagSeed; steps > 0; seed++ {
		c := newFuzzCase(t, seed)
		c.run(min(steps, caseSteps))
		steps -= caseSteps
	}
}

// A fuzzCase is one text edited on several replicas.
type fuzzCase struct {
	t        *testing.T
	seed     uint64
	rng      *rand.Rand
	oracle   naive
	splices  [][]Splice // of each change
	agents   [][]byte
	next     []int // the agents' next sequence numbers
	replicas []*fuzzReplica
	hot      int // where a third of all insertions happen
}

// A fuzzReplica is a log with the changes that it has, in its own order.
type fuzzReplica struct {
	log  *Log
	last map[int]LV // change -> its last event in this log
	have []int
}

func newFuzzCase(t *testing.T, seed uint64) *fuzzCase {
	c := &fuzzCase{t: t, seed: seed, rng: rand.New(rand.NewPCG(seed, 2))}
	c.agents = [][]byte{[]byte("a"), []byte("a\x00"), []byte("b"), {0xff}, {}, []byte("bb")}
	c.next = make([]int, len(c.agents))
	for range 2 + c.rng.IntN(3) {
		l := New()
		l.merger = newMerger(c.tuning())
		c.replicas = append(c.replicas, &fuzzReplica{log: l, last: map[int]LV{}})
	}
	c.hot = c.rng.IntN(4)
	return c
}

// tuning makes small cases reach deep trees, far versions, and kept trackers that begin anew.
func (c *fuzzCase) tuning() tuning {
	if c.rng.IntN(4) == 0 {
		return usual()
	}
	return tuning{
		leaf:   4 + int32(c.rng.IntN(4)),
		node:   3 + int32(c.rng.IntN(3)),
		chunk:  4 + int32(c.rng.IntN(5)),
		slack:  LV(c.rng.IntN(30)),
		forget: c.rng.IntN(5) > 0,
		near:   1 + c.rng.IntN(20),
	}
}

func (c *fuzzCase) run(steps int) {
	for range steps {
		r := c.replicas[c.rng.IntN(len(c.replicas))]
		c.edit(r)
		if c.rng.IntN(4) == 0 {
			c.send(r, c.replicas[c.rng.IntN(len(c.replicas))])
		}
		if c.rng.IntN(20) == 0 {
			c.compare(r)
		}
	}
	all := c.replicas[0]
	for _, r := range c.replicas[1:] {
		c.send(r, all)
	}
	for _, r := range c.replicas[1:] {
		c.send(all, r)
	}
	for _, r := range c.replicas {
		c.compare(r)
		c.compareCodec(r)
	}
	if c.seed%10 == 0 {
		c.compareOverlaps(c.oracle.overlaps())
	}
}

// compareOverlaps holds every replica's overlaps against the oracle's.
func (c *fuzzCase) compareOverlaps(list []naiveOverlap) {
	for _, r := range c.replicas {
		var want []Overlap
		for _, o := range list {
			want = append(want, Overlap{o.start, o.end, c.firstLV(r, o.a), c.firstLV(r, o.b)})
		}
		s := &sheet{log: r.log}
		slices.SortFunc(want, func(x, y Overlap) int { return cmp.Or(s.byPlace(&x, &y), s.byAuthors(&x, &y)) })
		if got := r.log.Overlaps(); !slices.Equal(got, want) {
			c.fail("overlaps %v, want %v", got, want)
		}
	}
}

// firstLV returns the first event of a change in the replica's numbers.
func (c *fuzzCase) firstLV(r *fuzzReplica, change int) LV {
	ch := &c.oracle.changes[change]
	return r.last[change] - LV(ch.end-ch.start-1)
}

func (c *fuzzCase) fail(format string, args ...any) {
	c.t.Helper()
	c.t.Fatalf("seed %d: "+format, append([]any{c.seed}, args...)...)
}

// edit makes a random change at a random version on a replica.
func (c *fuzzCase) edit(r *fuzzReplica) {
	version := c.version(r)
	lvs := r.lvs(version)
	length := r.log.LenAt(lvs)
	if c.rng.IntN(10) == 0 {
		if want, _ := c.oracle.text(version); length != utf8.RuneCountInString(want) {
			c.fail("length %d at %v, want %d", length, version, utf8.RuneCountInString(want))
		}
	}
	splices := c.someSplices(length)
	if events(splices) == 0 {
		return
	}
	who := c.rng.IntN(len(c.agents))
	if c.rng.IntN(8) == 0 {
		c.next[who] += c.rng.IntN(5)
	}
	seq := c.next[who]
	c.next[who] += events(splices)
	change := c.oracle.add(c.agents[who], seq, version, splices)
	c.splices = append(c.splices, splices)
	c.deliver(r, change)
}

// version picks the changes to edit on top of: mostly all that the replica
// has, sometimes older ones, sometimes none.
func (c *fuzzCase) version(r *fuzzReplica) []int {
	if len(r.have) == 0 || c.rng.IntN(25) == 0 {
		return nil
	}
	some := func() int { return r.have[c.rng.IntN(len(r.have))] }
	var picked []int
	switch c.rng.IntN(10) {
	case 0:
		picked = []int{some()}
	case 1:
		picked = []int{some(), some(), some()}
	case 2:
		picked = r.have[max(0, len(r.have)-3):]
	default:
		picked = r.have
	}
	// Only the heads: the oracle's parents need not be reduced, but a
	// change of ours says what it builds on directly.
	var heads []int
	for _, p := range picked {
		if !slices.ContainsFunc(picked, func(q int) bool { return q != p && c.oracle.past([]int{q})[p] }) {
			heads = append(heads, p)
		}
	}
	slices.Sort(heads)
	return slices.Compact(heads)
}

// lvs returns a version in the replica's numbers, in no order.
func (r *fuzzReplica) lvs(version []int) []LV {
	var lvs []LV
	for _, v := range version {
		lvs = append([]LV{r.last[v]}, lvs...)
	}
	return lvs
}

var fuzzTexts = []string{
	"a", "b", "x", "xyz", "the ", "visit. ", "\n", "No. Yes. ", "\x00", "é", "e\u0301", "ß", "😀", "👩‍👧‍👦", "\u200d",
	"مرحبا ", "שלום", "\u202e", "東京", "\U0010ffff", strings.Repeat("long ", 7),
}

// someSplices makes up a few edits of a text of the given length.
func (c *fuzzCase) someSplices(length int) []Splice {
	var splices []Splice
	for range 1 + c.rng.IntN(3) {
		for _, s := range c.someEdit(length) {
			splices = append(splices, s)
			length += utf8.RuneCountInString(s.Ins) - s.Del
		}
	}
	return splices
}

func (c *fuzzCase) someEdit(length int) []Splice {
	text := fuzzTexts[c.rng.IntN(len(fuzzTexts))]
	pos := c.rng.IntN(length + 1)
	if c.rng.IntN(100) < 35 {
		pos = min(c.hot, length)
	}
	some := c.rng.IntN(min(6, length-pos) + 1)
	switch c.rng.IntN(7) {
	case 0: // the Delete key, held
		return []Splice{{Pos: pos, Del: some}}
	case 1: // Backspace, held
		var run []Splice
		for i := range c.rng.IntN(min(6, pos) + 1) {
			run = append(run, Splice{Pos: pos - 1 - i, Del: 1})
		}
		return run
	case 2: // a replacement
		return []Splice{{Pos: pos, Del: some, Ins: text}}
	case 3: // typed backwards
		var run []Splice
		for _, r := range text {
			run = append(run, Splice{Pos: pos, Ins: string(r)})
		}
		return run
	}
	return []Splice{{Pos: pos, Ins: text}}
}

// deliver adds a change to a replica that has its parents.
func (c *fuzzCase) deliver(r *fuzzReplica, change int) {
	ch := &c.oracle.changes[change]
	version, err := r.log.Add(ch.agent, ch.seq, r.lvs(ch.parents), c.splices[change])
	if err != nil {
		c.fail("change %d: %v", change, err)
	}
	r.last[change] = version[0]
	r.have = append(r.have, change)
}

// send adds what one replica has to another, in a random order with parents
// first.
func (c *fuzzCase) send(from, to *fuzzReplica) {
	var missing []int
	for _, change := range from.have {
		if _, ok := to.last[change]; !ok {
			missing = append(missing, change)
		}
	}
	c.rng.Shuffle(len(missing), func(i, j int) { missing[i], missing[j] = missing[j], missing[i] })
	for len(missing) > 0 {
		var waiting []int
		for _, change := range missing {
			if to.hasAll(c.oracle.changes[change].parents) {
				c.deliver(to, change)
			} else {
				waiting = append(waiting, change)
			}
			if c.rng.IntN(6) == 0 {
				to.log.Len() // merge now, and the rest later
			}
		}
		missing = waiting
	}
}

func (r *fuzzReplica) hasAll(changes []int) bool {
	for _, change := range changes {
		if _, ok := r.last[change]; !ok {
			return false
		}
	}
	return true
}

// compare holds a replica against the oracle.
func (c *fuzzCase) compare(r *fuzzReplica) {
	want, by := c.oracle.text(r.have)
	if got := r.log.String(); got != want {
		c.fail("got %q, want %q", got, want)
	}
	r.log.verify(c.t)
	if got := r.log.Len(); got != len(by) {
		c.fail("length %d, want %d", got, len(by))
	}
	if got, want := r.log.Spans(), c.spans(r, by); !slices.Equal(got, want) {
		c.fail("spans %v, want %v", got, want)
	}
	c.compareVersion(r, r.log)
}

// spans says in the replica's numbers who wrote what.
func (c *fuzzCase) spans(r *fuzzReplica, by []int) []Span {
	var spans []Span
	last := -1
	for pos, e := range by {
		change := c.oracle.events[e].change
		if change != last {
			after := LV(c.oracle.changes[change].end - e - 1)
			spans = append(spans, Span{Start: pos, From: r.last[change] - after})
			last = change
		}
		spans[len(spans)-1].End = pos + 1
	}
	return spans
}

// compareVersion holds an old version against the oracle.
func (c *fuzzCase) compareVersion(r *fuzzReplica, l *Log) {
	if len(r.have) == 0 {
		return
	}
	version := []int{r.have[c.rng.IntN(len(r.have))], r.have[c.rng.IntN(len(r.have))]}
	want, by := c.oracle.text(version)
	lvs := r.lvs(version)
	if got := l.At(lvs); got != want {
		c.fail("at %v: got %q, want %q", version, got, want)
	}
	if got := l.LenAt(lvs); got != len(by) {
		c.fail("at %v: length %d, want %d", version, got, len(by))
	}
	past := c.oracle.past(version[:1])
	if got := l.IsAncestor(lvs[0], lvs[1:]); got != past[version[1]] {
		c.fail("change %d before %d: got %v", version[1], version[0], got)
	}
	if got, want := l.Reduce(lvs), c.reduce(r, version); !slices.Equal(got, want) {
		c.fail("reduce %v: got %v, want %v", version, got, want)
	}
}

func (c *fuzzCase) reduce(r *fuzzReplica, version []int) []LV {
	var kept []LV
	for _, v := range version {
		if !slices.ContainsFunc(version, func(w int) bool { return w != v && c.oracle.past([]int{w})[v] }) {
			kept = append(kept, r.last[v])
		}
	}
	slices.Sort(kept)
	return slices.Compact(kept)
}

// compareCodec encodes and decodes a replica, which must be able to go on.
func (c *fuzzCase) compareCodec(r *fuzzReplica) {
	b := r.log.Encode()
	l, err := Decode(b)
	if err != nil {
		c.fail("decode: %v", err)
	}
	if !slices.Equal(l.Encode(), b) || l.String() != r.log.String() {
		c.fail("decoded log differs")
	}
	if got, want := l.Spans(), r.log.Spans(); !slices.Equal(got, want) {
		c.fail("decoded log has spans %v, want %v", got, want)
	}
	if got, want := l.Frontier(), r.log.Frontier(); !slices.Equal(got, want) {
		c.fail("decoded log has frontier %v, want %v", got, want)
	}
	c.compareVersion(r, l)
}
