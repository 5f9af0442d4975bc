package main

import (
	"fmt"
	"io"
)

// The goals, as ratios of processor time: how many times faster this package
// is to be than another, and how many times slower under node than natively.
const (
	applyOverYjs  = 10
	applyOverLoro = 5
	streamOverYjs = 5
	wasmOverhead  = 5
	// wasmFloor is the native time, in ms, below which node's own work decides.
	wasmFloor = 5
)

// A table prints the measures and keeps count of the goals.
type table struct {
	out   io.Writer
	wrong []string // texts that ended otherwise than they should
	goals []goal
}

type goal struct {
	what  string
	holds bool
}

func newTable(out io.Writer) *table {
	t := &table{out: out}
	fmt.Fprintf(out, "CPU ms (user and system), medians; *: one cold run; ~: its own order of what was typed at one place; x: could not\n")
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
	case m.late:
		return "too long"
	}
	mark := ""
	if m.failed != "" || m.Text != tr.text {
		mark = "~"
		if library <= wasm || !ownOrder(tr) {
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
	return fmt.Sprintf("%.1f%s", m.ms(), mark)
}

// ownOrder reports whether other libraries may end in another text: with
// several people typing at one place, each library has an order of its own, and
// what is typed later at a position then stands elsewhere.
func ownOrder(tr traceFile) bool { return tr.name == "offline-a" }

func reason(m *measure) string {
	if m.failed != "" {
		return m.failed
	}
	return "another text"
}

// first prints what the first run took.
func (t *table) first(tr traceFile, list [libraries]measure) {
	fmt.Fprintf(t.out, "%-25s %-7s", tr.name, "first")
	for i := range list {
		cell := "-"
		if list[i].First > 0 {
			cell = fmt.Sprintf("%.1f", list[i].First)
		}
		fmt.Fprintf(t.out, " %13s", cell)
	}
	fmt.Fprintf(t.out, "\n")
	if a, b := list[native].First, list[yjs].First; a > 0 && b > 0 {
		t.goal(b >= streamOverYjs*a, "%s stream, first in a process: %.1f times faster than yjs, at least %d", tr.name, b/a, streamOverYjs)
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
	if tr.prose && list[yjs].Bytes > 0 {
		t.goal(list[native].Bytes < list[yjs].Bytes, "%s: the whole history in %d bytes, yjs without history %d",
			tr.name, list[native].Bytes, list[yjs].Bytes)
	}
}

// judge holds a row against the goals.
func (t *table) judge(tr traceFile, task task, list [libraries]measure) {
	switch task.name {
	case "apply":
		t.faster(tr, task, list, yjs, applyOverYjs)
		t.faster(tr, task, list, loro, applyOverLoro)
	case "stream":
		t.faster(tr, task, list, yjs, streamOverYjs)
	case "replay":
		t.faster(tr, task, list, dt, 1)
	}
	a, b := &list[native], &list[wasm]
	if len(a.CPU) == 0 || len(b.CPU) == 0 || a.ms() < wasmFloor {
		return
	}
	t.goal(b.ms() <= wasmOverhead*a.ms(), "%s %s: wasm %.1f times native, at most %d", tr.name, task.name, b.ms()/a.ms(), wasmOverhead)
}

// faster notes whether this package is so many times faster than another. A
// library that was given up is slower.
func (t *table) faster(tr traceFile, task task, list [libraries]measure, than int, times float64) {
	a, b := &list[native], &list[than]
	if len(a.CPU) == 0 || len(b.CPU) == 0 {
		return
	}
	t.goal(b.ms() >= times*a.ms(), "%s %s: %.1f times faster than %s, at least %.0f", tr.name, task.name, b.ms()/a.ms(), libraryNames[than], times)
}

func (t *table) goal(holds bool, format string, args ...any) {
	t.goals = append(t.goals, goal{fmt.Sprintf(format, args...), holds})
}

// finish prints the goals and what was wrong, and reports whether nothing was.
func (t *table) finish() bool {
	fmt.Fprintf(t.out, "\n")
	missed := 0
	for _, g := range t.goals {
		word := "holds "
		if !g.holds {
			word = "MISSED"
			missed++
		}
		fmt.Fprintf(t.out, "%s %s\n", word, g.what)
	}
	fmt.Fprintf(t.out, "%d of %d goals hold\n", len(t.goals)-missed, len(t.goals))
	for _, w := range t.wrong {
		fmt.Fprintf(t.out, "WRONG TEXT: %s\n", w)
	}
	return len(t.wrong) == 0
}
