package main

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
)

// The goals, as ratios of processor time: how many times faster this package
// is to be than another, and how many times slower under node than natively.
const (
	applyOverYjs  = 10
	applyOverLoro = 5
	streamOverYjs = 5
	wasmOverhead  = 5
)

// A table prints the measures and keeps count of the goals.
type table struct {
	out   io.Writer
	limit time.Duration
	setup time.Duration
	each  time.Duration
	wrong []string // texts that ended otherwise than they should
	short []string // what a library could not do in its time
	goals []goal   // in the order they were first met
}

// A goal is held against several traces.
type goal struct {
	what  string
	held  int
	worst []string // where it is missed
	close string   // where it holds with the least to spare
	spare float64  // how many times better than the goal that is
}

func newTable(out io.Writer, o *options) *table {
	t := &table{out: out, limit: o.limit, setup: o.setup, each: o.each}
	fmt.Fprintf(out, "CPU ms (user and system), medians; of doorstep, wasm and yjs's streams over the runs of %d processes in turn;\n", rounds)
	fmt.Fprintf(out, ">: stopped after %.0f s, which counts as slower; *: one cold run;\n", o.limit.Seconds())
	fmt.Fprintf(out, "~: its own order of what was typed at one place; ?: not ready to begin after %.0f s, or %.0f s used up on the trace before;\n", o.setup.Seconds(), o.each.Seconds())
	fmt.Fprintf(out, "x: could not; -: has no such thing, or is not asked; wasm: all compiled before; wasm cold: the first run, node compiling meanwhile\n")
	fmt.Fprintf(out, "%-25s %-7s", "trace", "")
	for _, name := range libraryNames {
		fmt.Fprintf(out, " %13s", name)
	}
	fmt.Fprintf(out, "\n")
	return t
}

// row prints one task on one trace and, where there are bytes, those.
func (t *table) row(tr traceFile, task task, list [libraries]measure) {
	fmt.Fprintf(t.out, "%-25s %-7s", tr.name, task.name)
	for i := range list {
		fmt.Fprintf(t.out, " %13s", t.cell(tr, task, i, &list[i]))
	}
	fmt.Fprintf(t.out, "\n")
	switch task.name {
	case "load":
		t.bytes(tr, list)
	case "stream":
		t.first(tr, list)
	}
	t.judge(tr, task, list)
}

// cell formats a measure, and checks the text it ended in.
func (t *table) cell(tr traceFile, task task, library int, m *measure) string {
	switch {
	case m.absent:
		return "-"
	case m.unready:
		t.late(tr, task, library, "not ready to begin", t.setup)
		return "?"
	case m.spent:
		t.late(tr, task, library, "not begun, as its tasks before on this trace ended", t.each)
		return "?"
	case m.stopped:
		t.late(tr, task, library, "stopped, and counted as slower,", t.limit)
		return fmt.Sprintf(">%d", t.limit.Milliseconds())
	}
	mark := ""
	if m.failed != "" || m.Text != tr.text {
		mark = "~"
		if library <= cold || !ownOrder(tr) {
			t.wrong = append(t.wrong, fmt.Sprintf("%s, %s of %s: %s", libraryNames[library], task.name, tr.name, reason(m)))
			mark = "!"
		}
	}
	if m.failed != "" {
		return "x"
	}
	if m.Cold {
		mark += "*"
	}
	if library == cold {
		return fmt.Sprintf("%.1f", m.First.median())
	}
	return fmt.Sprintf("%.1f%s", m.CPU.median(), mark)
}

// late notes what a library could not do in its time.
func (t *table) late(tr traceFile, task task, library int, what string, limit time.Duration) {
	t.short = append(t.short, fmt.Sprintf("%s, %s of %s: %s after %.0f s", libraryNames[library], task.name, tr.name, what, limit.Seconds()))
}

// ownOrder reports whether other libraries may end in another text: with
// several people typing at one place, each library has an order of its own, and
// what is typed later at a position then stands elsewhere.
func ownOrder(tr traceFile) bool { return tr.name == "offline-a" }

func reason(m *measure) string {
	if m.failed != "" {
		return strings.Join(strings.Fields(m.failed[:min(len(m.failed), 200)]), " ")
	}
	return "another text"
}

// first prints what the first run took.
func (t *table) first(tr traceFile, list [libraries]measure) {
	fmt.Fprintf(t.out, "%-25s %-7s", tr.name, "first")
	for i := range list {
		cell := "-"
		if first := list[i].First.median(); first > 0 {
			cell = fmt.Sprintf("%.1f", first)
		}
		fmt.Fprintf(t.out, " %13s", cell)
	}
	fmt.Fprintf(t.out, "\n")
	if a, b := list[native].First.median(), list[yjs].First.median(); a > 0 && b > 0 {
		t.goal("stream, first in a process, 5 times faster than yjs", tr, b/a, streamOverYjs)
	}
}

func (t *table) bytes(tr traceFile, list [libraries]measure) {
	fmt.Fprintf(t.out, "%-25s %-7s", tr.name, "bytes")
	for i := range list {
		size := "-"
		if list[i].Bytes > 0 {
			size = fmt.Sprint(list[i].Bytes)
		}
		fmt.Fprintf(t.out, " %13s", size)
	}
	fmt.Fprintf(t.out, "\n")
	if a, b := list[native].Bytes, list[yjs].Bytes; tr.prose && a > 0 && b > 0 {
		t.goal("full history of prose smaller than yjs without history", tr, float64(b)/float64(a), 1)
	}
}

// judge holds a row against the goals.
func (t *table) judge(tr traceFile, task task, list [libraries]measure) {
	switch task.name {
	case "apply":
		t.faster("local apply 10 times faster than yjs", tr, list, yjs, applyOverYjs)
		t.faster("local apply 5 times faster than loro", tr, list, loro, applyOverLoro)
	case "stream":
		t.faster("stream 5 times faster than yjs", tr, list, yjs, streamOverYjs)
	case "replay":
		t.faster("whole replay faster than diamond-types", tr, list, dt, 1)
	}
	a, b := &list[native], &list[wasm]
	if len(a.CPU) == 0 || len(b.CPU) == 0 {
		return
	}
	t.goal("wasm within 5 times native", tr, a.CPU.median()/b.CPU.median(), 1.0/wasmOverhead)
}

// faster notes whether this package is so many times faster than another.
func (t *table) faster(what string, tr traceFile, list [libraries]measure, than int, times float64) {
	a, b := &list[native], &list[than]
	switch {
	case len(a.CPU) == 0 || b.unready || b.spent:
		return
	case b.stopped:
		t.goal(what, tr, max(float64(t.limit.Milliseconds())/a.CPU.median(), times), times)
	case len(b.CPU) > 0:
		t.goal(what, tr, b.CPU.median()/a.CPU.median(), times)
	}
}

// goal notes that something is so many times better than another thing, and should
// be at least so many times.
func (t *table) goal(what string, tr traceFile, times, want float64) {
	i := slices.IndexFunc(t.goals, func(g goal) bool { return g.what == what })
	if i < 0 {
		i = len(t.goals)
		t.goals = append(t.goals, goal{what: what})
	}
	g := &t.goals[i]
	here := fmt.Sprintf("%s %.2g", tr.name, times)
	if times < want {
		g.worst = append(g.worst, here)
		return
	}
	g.held++
	if spare := times / want; g.close == "" || spare < g.spare {
		g.close, g.spare = here, spare
	}
}

// finish prints the goals and what was wrong, and reports whether nothing was.
func (t *table) finish() bool {
	fmt.Fprintf(t.out, "\n%-6s %-56s %-9s %s\n", "", "goal", "traces", "closest (how many times)")
	for _, g := range t.goals {
		word, where := "PASS", g.close
		if len(g.worst) > 0 {
			word, where = "MISS", strings.Join(g.worst, ", ")
		}
		fmt.Fprintf(t.out, "%-6s %-56s %2d of %-3d %s\n", word, g.what, g.held, g.held+len(g.worst), where)
	}
	for _, s := range t.short {
		fmt.Fprintf(t.out, "NOT MEASURED: %s\n", s)
	}
	for _, w := range t.wrong {
		fmt.Fprintf(t.out, "WRONG TEXT: %s\n", w)
	}
	return len(t.wrong) == 0
}
