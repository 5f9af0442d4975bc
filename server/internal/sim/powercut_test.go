package sim

import (
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"doorstep/server/internal/chain"
	"doorstep/server/internal/disk/disktest"
	"doorstep/server/internal/journal"
	"doorstep/server/internal/store"
	"doorstep/syncproto"
)

var powerCuts = flag.Int("powercuts", 0, "states that TestFault78PowerCutStates tries; 0: 250, or 40 with -short; -1: all of each kind, and 4 mixtures at each sync")

// moment is one sync of a recorded day: the disk as it then was, and what had been
// promised by then.
type moment struct {
	image  *disktest.Image
	sure   promise
	acked  []syncproto.ChangeID
	erased map[store.KeyPair]bool
}

// day is a recorded day of a borough: every sync of its disk, and where the groups of
// its journal end.
type day struct {
	moments []moment
	groups  map[chain.Position]bool
}

// recordDay lives a day of ordinary work (words, syncs, grants, seals, an erasure,
// backups' ticks) on a disk that nothing happens to, and records it.
func recordDay(t *testing.T, seed uint64) *day {
	w := newWorld(t, seed)
	d := &day{groups: map[chain.Position]bool{}}
	w.borough.disk.Record(func(im *disktest.Image) {
		d.moments = append(d.moments, moment{im, w.sure, sortedKeys(w.acked), maps.Clone(w.erased)})
	})
	for w.step = 0; w.step < 120; w.step++ {
		w.clockMS += int64(w.rng.IntN(4000))
		t := w.tablets[w.rng.IntN(5)]
		switch n := w.rng.IntN(20); {
		case n < 9:
			t.act()
		case n < 15:
			w.syncOnce(t)
		case n < 16:
			w.decideAboutFiles(t)
		case n < 17:
			w.relate(t.user, w.families[w.rng.IntN(3)], true)
		case n < 18:
			w.trySeal()
		default:
			w.tick()
		}
	}
	w.borough.disk.Record(nil)
	w.borough.stop()
	for _, path := range w.borough.disk.Paths() {
		if !strings.HasPrefix(path, "data/journal/segment-") {
			continue
		}
		err := chain.Groups(w.borough.disk, path, func(first chain.Position, n int) bool {
			d.groups[first+chain.Position(n)-1] = true
			return true
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return d
}

// restart is a world in which a server starts on what a power cut left.
func restart(t *testing.T, disk *disktest.Disk, n uint64) *world {
	w := &world{
		t: t, fail: func(s string) { t.Helper(); t.Fatal(s) }, seed: n, rng: rand.New(rand.NewPCG(n, 6)), clockMS: startMS + 86_400_000,
		standing: newStanding(), acked: map[syncproto.ChangeID]syncproto.ReceiptStatus{}, away: map[syncproto.ChangeID]store.KeyPair{},
		count: map[string]int{},
	}
	w.borough = &borough{t: t, disk: disk, index: filepath.Join(t.TempDir(), "index"), rng: rand.New(rand.NewPCG(n, 7)), starts: 1,
		fail: func(s string) { w.fail(s) }, now: func() time.Time { return time.UnixMilli(w.clockMS) }}
	return w
}

// cut is one state that a power cut may leave.
type cut struct {
	kind   string
	moment int
	fates  []disktest.Fate
	names  int
}

// The kinds of states, in the order of the table.
var cutKinds = []string{"everything survived", "nothing survived", "one write survived", "one write was lost",
	"one write was torn", "names were lost", "a mixture"}

// statesOf lists the states that a power cut at a moment may leave: everything that
// can happen to one write, and some mixtures by chance.
func (m *moment) statesOf(at int, chance *rand.Rand) []cut {
	n, names := m.image.Writes(), m.image.Names()
	all := func(f disktest.Fate) []disktest.Fate { return slices.Repeat([]disktest.Fate{f}, n) }
	out := []cut{{"everything survived", at, all(disktest.Kept), names}, {"nothing survived", at, all(disktest.Lost), 0}}
	with := func(kind string, base, one disktest.Fate, i int) {
		fates := all(base)
		fates[i] = one
		out = append(out, cut{kind, at, fates, names})
	}
	for i := range n {
		with("one write survived", disktest.Lost, disktest.Kept, i)
		with("one write was lost", disktest.Kept, disktest.Lost, i)
		for _, torn := range []disktest.Fate{disktest.Head, disktest.Tail, disktest.Length} {
			with("one write was torn", disktest.Kept, torn, i)
		}
	}
	for k := range names {
		out = append(out, cut{"names were lost", at, all(disktest.Kept), k}, cut{"names were lost", at, all(disktest.Lost), k})
	}
	for range 4 {
		fates := all(disktest.Lost)
		for i := range fates {
			fates[i] = disktest.Fate(chance.IntN(5))
		}
		out = append(out, cut{"a mixture", at, fates, chance.IntN(names + 1)})
	}
	return out
}

// sample picks about so many states by chance, as many of each kind as there are.
func sample(states []cut, want int, chance *rand.Rand) (out []cut) {
	chance.Shuffle(len(states), func(i, j int) { states[i], states[j] = states[j], states[i] })
	for k, kind := range cutKinds {
		quota := (want - len(out)) / (len(cutKinds) - k)
		for _, s := range states {
			if s.kind == kind && quota > 0 {
				out = append(out, s)
				quota--
			}
		}
	}
	return out
}

// TestFault78PowerCutStates records the writes of a day and tries the states that a
// power cut at one of its syncs could leave: unsynced writes lost, torn and reordered,
// and names that never were. The server must start on each; what was promised must be
// there, what was erased must not, and of what was not promised whole groups or
// nothing.
func TestFault78PowerCutStates(t *testing.T) {
	const seed = 78
	d := recordDay(t, seed)
	chance := rand.New(rand.NewPCG(seed, 5))
	var states []cut
	for at := range d.moments {
		states = append(states, d.moments[at].statesOf(at, chance)...)
	}
	possible := len(states)
	switch {
	case *powerCuts > 0:
		states = sample(states, *powerCuts, chance)
	case *powerCuts == 0 && testing.Short():
		states = sample(states, 40, chance)
	case *powerCuts == 0:
		states = sample(states, 250, chance)
	}
	tried := map[string]int{}
	for n, s := range states {
		d.recovers(t, s, uint64(n))
		tried[s.kind]++
	}
	var table strings.Builder
	for _, kind := range cutKinds {
		fmt.Fprintf(&table, "\n%-22s %6d states, all recovered", kind, tried[kind])
		if tried[kind] == 0 {
			t.Errorf("there was no state of the kind: %s", kind)
		}
	}
	t.Logf("%d syncs of a day, %d states of %d tried:%s", len(d.moments), len(states), possible, table.String())
}

// recovers starts a server on a state and checks what it must be.
func (d *day) recovers(t *testing.T, s cut, n uint64) {
	t.Helper()
	d.recoversTo(t, s, n, &d.moments[s.moment])
}

// recoversTo checks a state against what was promised at a moment.
func (d *day) recoversTo(t *testing.T, s cut, n uint64, promised *moment) {
	t.Helper()
	m := &d.moments[s.moment]
	failf := func(format string, args ...any) {
		t.Helper()
		t.Fatalf("sync %d of the day, %s, writes %v, names %d of %d: %s", s.moment, s.kind, s.fates, s.names, m.image.Names(), fmt.Sprintf(format, args...))
	}
	alone, err := journal.Open("data/journal", journal.Options{FS: m.image.After(n, s.fates, s.names), SegmentBytes: 64 << 10})
	if err != nil {
		failf("the journal: %v", err)
	}
	if head, _ := alone.Head(); head > 0 && !d.groups[head] {
		failf("the journal ends after entry %d, inside a group", head)
	}
	if err := alone.Close(); err != nil {
		failf("closing the journal: %v", err)
	}
	w := restart(t, m.image.After(n, s.fates, s.names), n)
	w.fail = func(s string) {
		if promised != m {
			panic(noticed(s))
		}
		failf("%s", s)
	}
	w.borough.start()
	w.sure, w.erased = promised.sure, maps.Clone(promised.erased)
	for _, id := range promised.acked {
		w.acked[id] = syncproto.StatusAccepted
	}
	w.checkPromise()
	w.checkAcked()
	w.checkErased()
	w.checkAudit()
	w.borough.stop()
}

// A test that looks for loss must see it: what was promised at the end of the day is
// not on the disk of an earlier sync.
func TestFault78PowerCutStatesSeeLoss(t *testing.T) {
	d := recordDay(t, 78)
	last := &d.moments[len(d.moments)-1]
	early := len(d.moments) / 2
	s := d.moments[early].statesOf(early, rand.New(rand.NewPCG(1, 1)))[0]
	defer func() {
		if what, ok := recover().(noticed); !ok || what == "" {
			t.Errorf("a disk from half a day earlier passes for the last: %v", what)
		}
	}()
	d.recoversTo(t, s, 1, last)
}
