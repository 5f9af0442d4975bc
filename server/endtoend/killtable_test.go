package endtoend

import (
	"flag"
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"
)

// killRecord keeps what a run of kills saw in the table of runs, so that the count
// goes on from run to run.
var killRecord = flag.Bool("kills.record", false, "with -kills, -tabletkills or -webkills, add the run to server/internal/sim/RUNS.md")

const (
	runsFile  = "../internal/sim/RUNS.md"
	killsHead = "| killed | seed | kills | acknowledged before, all there after |\n| --- | ---: | ---: | ---: |\n"
)

// killed is one row of the table.
type killed struct {
	what  string // the server, a tablet, a browser
	seed  uint64
	kills int
	safe  int // changes, words or keystrokes that were acknowledged, each found once
}

func (k killed) String() string {
	return fmt.Sprintf("| %s | %d | %d | %d |\n", k.what, k.seed, k.kills, k.safe)
}

// killRuns reads the table: what stands before its rows, the rows, and the rest.
func killRuns(t *testing.T) (before string, rows []killed, after string) {
	t.Helper()
	text, err := os.ReadFile(runsFile)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, ok := strings.Cut(string(text), killsHead)
	if !ok {
		t.Fatalf("%s has no table of kills:\n%s", runsFile, killsHead)
	}
	for line := range strings.Lines(rest) {
		cells := strings.Split(strings.Trim(line, "| \n"), " | ")
		if len(cells) != 4 {
			return before, rows, rest
		}
		rest = rest[len(line):]
		seed, err := strconv.ParseUint(cells[1], 10, 64)
		kills, err2 := strconv.Atoi(cells[2])
		safe, err3 := strconv.Atoi(cells[3])
		if cells[1] == "" {
			continue // the sum
		}
		if err != nil || err2 != nil || err3 != nil {
			t.Fatalf("%s: cannot read %q", runsFile, line)
		}
		rows = append(rows, killed{cells[0], seed, kills, safe})
	}
	return before, rows, rest
}

// sumOf adds up what was killed.
func sumOf(rows []killed, what string) string {
	sum := killed{what: "all of " + what}
	for _, r := range rows {
		if r.what == what {
			sum.kills, sum.safe = sum.kills+r.kills, sum.safe+r.safe
		}
	}
	return fmt.Sprintf("| %s |  | %d | %d |\n", sum.what, sum.kills, sum.safe)
}

func killTable(before string, rows []killed, after string) string {
	out := before + killsHead
	for _, r := range rows {
		out += r.String()
	}
	return out + sums(rows) + after
}

// sums are the table's last rows, one for each thing that was killed.
func sums(rows []killed) (out string) {
	for _, what := range []string{theServer, aTablet, aBrowser} {
		out += sumOf(rows, what)
	}
	return out
}

// What is killed.
const (
	theServer = "the server"
	aTablet   = "a tablet"
	aBrowser  = "a browser"
)

// seedOf is the seed of a run: the one that was asked for or, with -kills.record, the
// next after those in the table.
func seedOf(t *testing.T, what string) uint64 {
	t.Helper()
	if *killSeed != 0 {
		return *killSeed
	}
	next := uint64(1)
	if *killRecord {
		_, rows, _ := killRuns(t)
		for _, r := range rows {
			if r.what == what {
				next = max(next, r.seed+1)
			}
		}
	}
	return next
}

// record adds a run that lost nothing to the table.
func record(t *testing.T, run killed) {
	t.Helper()
	if !*killRecord || t.Failed() {
		return
	}
	before, rows, after := killRuns(t)
	if err := os.WriteFile(runsFile, []byte(killTable(before, append(rows, run), after)), 0o644); err != nil {
		t.Error(err)
	}
}

// TestKillsAddUp holds that the table of kills is whole.
func TestKillsAddUp(t *testing.T) {
	before, rows, after := killRuns(t)
	text, err := os.ReadFile(runsFile)
	if err != nil {
		t.Fatal(err)
	}
	if want := killTable(before, rows, after); string(text) != want {
		t.Errorf("the table of kills does not add up; it should end with\n%s", sums(rows))
	}
}
