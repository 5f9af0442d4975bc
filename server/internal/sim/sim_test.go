package sim

import (
	"flag"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

var (
	seeds = flag.String("seeds", "", "seeds to run: A or A-B; default 1-300, 1-60 under the race detector, 1-20 with -short")
	steps = flag.Int("steps", 300, "steps of each seed before the network calms down")
	show  = flag.Bool("show", false, "with -v, log what happens")
)

// bounds reads the seeds flag.
func bounds(t *testing.T) (from, to uint64) {
	s := *seeds
	switch {
	case s == "" && testing.Short():
		return 1, 20
	case s == "":
		return 1, defaultSeeds
	}
	a, b, ranged := strings.Cut(s, "-")
	if !ranged {
		b = a
	}
	from, err := strconv.ParseUint(a, 10, 64)
	if err == nil {
		to, err = strconv.ParseUint(b, 10, 64)
	}
	if err != nil || from > to {
		t.Fatalf("-seeds=%s: give a seed or a range like 1-200", s)
	}
	return from, to
}

func TestSeeds(t *testing.T) {
	if *budget > 0 {
		t.Skip("TestBudget runs the seeds")
	}
	from, to := bounds(t)
	began := time.Now()
	sum := tally{from: from, to: to, count: map[string]int{}}
	for seed := from; seed <= to; seed++ {
		sum.one(t, seed)
	}
	sum.took = time.Since(began)
	t.Log(&sum)
	if t.Failed() || to-from < 19 {
		return
	}
	happens := []string{"accepted", "quarantined", "late", "purges", "conflicts", "refusals of damage"}
	if to-from > 100 { // what is rarer
		happens = append(happens, "refusals of old copies", "words that came back", "words erased", "admitted", "offered anew", "syncs in peace",
			"checkpoints kept", "grants for a time", "restrictions", "emergency openings", "workers who left")
	}
	for _, what := range append(happens, faults...) {
		if sum.count[what] == 0 && (to-from > 100 || !slices.Contains(rare, what)) {
			t.Errorf("in %d seeds there was not one of: %s; there were: %v", to-from+1, what, sum.seen())
		}
	}
}

// rare are faults that need not be done in a few seeds.
var rare = []string{"restores", "old copies put back", "server clock jumps"}

// noticed is what a run panics with that is meant to fail.
type noticed string

// A simulator that cannot see loss proves nothing: on a disk that says it has
// synced and has not, some seed must notice.
func TestLossIsNoticed(t *testing.T) {
	for seed := uint64(1); seed <= 20; seed++ {
		if what := runOnALyingDisk(t, seed); what != "" {
			t.Logf("seed %d noticed: %.200s", seed, what)
			return
		}
	}
	t.Error("20 seeds on a disk that loses everything saw no loss")
}

func runOnALyingDisk(t *testing.T, seed uint64) (what noticed) {
	w := newWorld(t, seed)
	w.fail = func(s string) { panic(noticed(s)) }
	w.borough.disk.LieAboutSync()
	defer func() {
		if r := recover(); r != nil {
			what = r.(noticed)
		}
		w.borough.stop()
	}()
	w.run(*steps)
	return ""
}

// A seed that failed once must fail again in the same way, or nobody can mend it.
func TestASeedReplaysExactly(t *testing.T) {
	run := func() [32]byte {
		w := newWorld(t, 4242)
		w.run(*steps)
		return w.trace
	}
	if a, b := run(), run(); a != b {
		t.Errorf("two runs of one seed went different ways: %x, %x", a[:4], b[:4])
	}
}
