package sim

import (
	"flag"
	"fmt"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

var (
	budget = flag.Duration("budget", 0, "run seeds after those of RUNS.md, or from -seeds on, for this long by the clock on the wall")
	record = flag.Bool("record", false, "with -budget, add the run to RUNS.md")
)

const runsName = "RUNS.md"

// tally sums up seeds.
type tally struct {
	from, to uint64
	steps    int
	lived    time.Duration // simulated
	took     time.Duration
	count    map[string]int
}

func (a *tally) add(w *world) {
	a.steps += w.step
	a.lived += time.Duration(w.clockMS-startMS) * time.Millisecond
	for what, n := range w.count {
		a.count[what] += n
	}
}

func (a *tally) String() string {
	pace := a.lived.Hours() / max(a.took.Seconds(), 1e-3)
	return fmt.Sprintf("%d seeds, %d steps, %.0f days lived in %v (%.0f hours a second): %v",
		a.to-a.from+1, a.steps, a.lived.Hours()/24, a.took.Round(time.Second), pace, a.count)
}

// faults are the columns of RUNS.md: what was done to the borough.
var faults = []string{
	"server crashes", "tablet crashes", "power cuts planned", "failed syncs planned", "failed writes planned",
	"full disks", "slow disks", "flipped bits", "restores", "old copies put back", "clock jumps", "server clock jumps",
	"cloned tablets", "messages lost", "messages doubled",
}

// row is the tally as a line of RUNS.md.
func (a *tally) row() []string {
	out := []string{fmt.Sprintf("%d-%d", a.from, a.to), strconv.Itoa(a.steps), fmt.Sprintf("%.0f", a.lived.Hours()/24)}
	for _, what := range faults {
		out = append(out, strconv.Itoa(a.count[what]))
	}
	return out
}

func line(cells []string) string { return "| " + strings.Join(cells, " | ") + " |\n" }

// runs is RUNS.md: what stands before the table and after it, and its rows.
type runs struct {
	before, after string
	rows          [][]string
}

func tableHead() string {
	head := append([]string{"seeds", "steps", "days lived"}, faults...)
	return line(head) + "|" + strings.Repeat(" ---: |", len(head)) + "\n"
}

func readRuns(t *testing.T) runs {
	b, err := os.ReadFile(runsName)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, ok := strings.Cut(string(b), tableHead())
	if !ok {
		t.Fatalf("%s has no table with the columns of today:\n%s", runsName, tableHead())
	}
	r := runs{before: before}
	for l := range strings.Lines(rest) {
		if !strings.HasPrefix(l, "| ") {
			r.after = rest
			break
		}
		rest = rest[len(l):]
		cells := strings.Split(strings.Trim(l, "| \n"), " | ")
		if cells[0] != "all" {
			r.rows = append(r.rows, cells)
		}
	}
	return r
}

// sums is the last row: every column added up, but the first.
func (r runs) sums() []string {
	out := []string{"all"}
	for c := 1; c < len(faults)+3; c++ {
		sum := 0
		for _, row := range r.rows {
			n, _ := strconv.Atoi(row[c]) // TestRunsAddUp reads them
			sum += n
		}
		out = append(out, strconv.Itoa(sum))
	}
	return out
}

func (r runs) String() string {
	b := r.before + tableHead()
	for _, row := range r.rows {
		b += line(row)
	}
	return b + line(r.sums()) + r.after
}

// next is the first seed that no run had.
func (r runs) next(t *testing.T) uint64 {
	last := uint64(0)
	for _, row := range r.rows {
		_, to, _ := strings.Cut(row[0], "-")
		n, err := strconv.ParseUint(to, 10, 64)
		if err != nil {
			t.Fatalf("%s: seeds %q: %v", runsName, row[0], err)
		}
		last = max(last, n)
	}
	return last + 1
}

// TestRunsAddUp holds that the table of runs is whole: its sums are right.
func TestRunsAddUp(t *testing.T) {
	r := readRuns(t)
	for _, row := range r.rows {
		if len(row) != len(faults)+3 {
			t.Errorf("%s: %d columns in %v, want %d", runsName, len(row), row, len(faults)+3)
			continue
		}
		for _, cell := range row[1:] {
			if _, err := strconv.Atoi(cell); err != nil {
				t.Errorf("%s: %v", runsName, err)
			}
		}
	}
	b, _ := os.ReadFile(runsName)
	if string(b) != r.String() {
		t.Errorf("%s does not add up; it should end with\n%s", runsName, line(r.sums()))
	}
}

// TestBudget runs new seeds for as long as it is told to, and writes down what it
// saw; it can be stopped and started again any number of times.
func TestBudget(t *testing.T) {
	if *budget == 0 {
		t.Skip("a longer run, asked for by -budget=10m")
	}
	table := readRuns(t)
	first := table.next(t)
	if *seeds != "" {
		first, _ = bounds(t)
	}
	began := time.Now()
	sum := tally{from: first, to: first - 1, count: map[string]int{}}
	for !t.Failed() && time.Since(began) < *budget {
		sum.to++
		sum.one(t, sum.to)
	}
	sum.took = time.Since(began)
	if t.Failed() {
		sum.to-- // the one that failed; those before it count
	}
	t.Logf("seeds %d-%d: %v", sum.from, sum.to, &sum)
	if *record && sum.to >= sum.from {
		table.rows = append(table.rows, sum.row())
		if err := os.WriteFile(runsName, []byte(table.String()), 0o644); err != nil {
			t.Error(err)
		}
	}
}

// one lives a seed and adds it to the tally.
func (a *tally) one(t *testing.T, seed uint64) {
	t.Run(strconv.FormatUint(seed, 10), func(t *testing.T) {
		w := newWorld(t, seed)
		w.run(*steps)
		a.add(w)
	})
}

// seen are the kinds of things that happened, for messages.
func (a *tally) seen() []string { return slices.Sorted(maps.Keys(a.count)) }
