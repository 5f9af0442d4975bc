package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// The libraries, in the order of the table's columns. The first three are this
// package: as machine code, in node with all of it compiled, and in node as it starts.
const (
	native = iota
	wasm
	cold
	yjs
	loro
	automerge
	dt
	libraries
)

var libraryNames = [libraries]string{"doorstep", "wasm", "wasm cold", "yjs", "loro", "automerge", "dt wasm"}

// A task is what is measured, and which libraries can do it. Automerge takes
// minutes for a stream, and loro to make one; only diamond-types keeps, as this
// package does, a history that is replayed.
type task struct {
	name string
	can  [libraries]bool
}

var tasks = []task{
	{"apply", [libraries]bool{true, true, true, true, true, true, true}},
	{"stream", [libraries]bool{native: true, wasm: true, cold: true, yjs: true, dt: true}},
	{"replay", [libraries]bool{native: true, wasm: true, cold: true, dt: true}},
	{"load", [libraries]bool{native: true, wasm: true, cold: true, yjs: true, loro: true, dt: true}},
}

// tasksOf returns what is measured on a trace: apply only where one writes, and
// stream only where several do.
func tasksOf(tr traceFile) []task {
	return slices.DeleteFunc(slices.Clone(tasks), func(t task) bool {
		return t.name == "apply" && tr.concurrent || t.name == "stream" && !tr.concurrent
	})
}

// A measure is the result of one library at one task.
type measure struct {
	First   numbers `json:"first"` // ms, of the first run in a new process
	CPU     numbers `json:"cpu"`   // ms, of each run after it
	Cold    bool    `json:"cold"`  // the one run was the first
	Bytes   int     `json:"bytes"` // encoded
	Text    string  `json:"text"`  // SHA-256 of the text it ended in
	absent  bool    // it cannot do this
	stopped bool    // it did not end in time, and counts as slower than all that did
	unready bool    // it was not even ready to begin in time, which says nothing
	spent   bool    // it had used up its time for the trace before, which says nothing
	failed  string  // what it said instead
}

// numbers are measurements of one thing.
type numbers []float64

// median is 0 where nothing was measured.
func (n numbers) median() float64 {
	if len(n) == 0 {
		return 0
	}
	return slices.Sorted(slices.Values(n))[len(n)/2]
}

// A bench holds the programs to run.
type bench struct {
	options *options
	folder  string                   // of the built programs
	exec    string                   // what runs a js/wasm program under node
	used    [libraries]time.Duration // on the trace that is measured
	done    map[string]both          // by task, what this package did on it; nil: not run yet
}

// both is what the two builds of this package did: native and wasm.
type both [cold]measure

// newBench builds the text package's tests, which hold TestMeasure, for this
// machine and for node.
func newBench(o *options) (*bench, error) {
	folder, err := os.MkdirTemp("", "bench-text-")
	if err != nil {
		return nil, err
	}
	b := &bench{options: o, folder: folder}
	root, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		return nil, fmt.Errorf("go env GOROOT: %w", err)
	}
	b.exec = filepath.Join(strings.TrimSpace(string(root)), "lib", "wasm", "wasm_exec_node.js")
	for name, env := range map[string][]string{"native": nil, "wasm": {"GOOS=js", "GOARCH=wasm"}} {
		build := exec.Command("go", "test", "-c", "-o", filepath.Join(folder, name), "doorstep/syncproto/text")
		build.Env = append(os.Environ(), env...)
		if out, err := build.CombinedOutput(); err != nil {
			return nil, fmt.Errorf("building %s: %w: %s", name, err, out)
		}
	}
	return b, nil
}

func (b *bench) close() { os.RemoveAll(b.folder) }

// next begins with another trace.
func (b *bench) next() { b.used, b.done = [libraries]time.Duration{}, nil }

// rounds is how many processes measure this package, as machine code and in node, and
// yjs's streams, in turn; the median of all their runs counts. A shared virtual processor
// is half as fast again or not, for a second or for ten, as the machine's other work is,
// and then each run of a process is.
const rounds = 3

// dtChanges is how many changes diamond-types is asked to merge one by one. No goal
// speaks of that, and to make the updates of 93,000 takes it minutes.
const dtChanges = 50_000

// can reports whether a library is asked to do a task on a trace.
func can(library int, tr traceFile, t task) bool {
	switch {
	case library == loro && tr.concurrent, library == dt && t.name == "stream" && tr.changes > dtChanges:
		return false
	}
	return t.can[library]
}

// measure has every library do one task on one trace.
func (b *bench) measure(tr traceFile, t task) [libraries]measure {
	if b.done == nil {
		b.ours(tr)
	}
	var list [libraries]measure
	for i := range list {
		switch {
		case !can(i, tr, t):
			list[i].absent = true
		case i < cold:
			list[i] = b.done[t.name][i]
		default:
			list[i] = b.run(i, tr, []string{t.name})[0]
		}
	}
	for range rounds - 1 {
		if m := &list[yjs]; t.name == "stream" && len(m.CPU) > 0 {
			m.add(b.run(yjs, tr, []string{t.name})[0]) // nothing if its time is used up
		}
	}
	return list
}

// ours has this package do every task on a trace. As it takes node seconds to compile all
// of it, a process does one task after the other, as machine code too.
func (b *bench) ours(tr traceFile) {
	var names []string
	for _, t := range tasksOf(tr) {
		names = append(names, t.name)
	}
	b.done = map[string]both{}
	for round := range rounds {
		for _, library := range []int{native, wasm} {
			for i, m := range b.run(library, tr, names) {
				all := b.done[names[i]]
				if round == 0 {
					all[library] = m
				} else {
					all[library].add(m)
				}
				b.done[names[i]] = all
			}
		}
	}
}

// add takes in what another process measured.
func (m *measure) add(other measure) {
	if len(m.CPU) == 0 || len(other.CPU) == 0 {
		return // it was stopped, which is known already, or is by this process alone
	}
	m.CPU = append(m.CPU, other.CPU...)
	m.First = append(m.First, other.First...)
	if other.Text != m.Text {
		m.Text = "" // not the same in both, so wrong in one
	}
}

// run has one library do some tasks in a process. The time of each counts from when it
// says that it is ready: until then it reads the trace and makes what it is to merge.
func (b *bench) run(library int, tr traceFile, names []string) []measure {
	list := make([]measure, len(names))
	left := b.options.each - b.used[library]
	if left <= 0 {
		for i := range list {
			list[i].spent = true
		}
		return list
	}
	defer func(began time.Time) { b.used[library] += time.Since(began) }(time.Now())
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	command := b.command(ctx, library, tr, strings.Join(names, ","))
	command.WaitDelay = time.Second
	var said bytes.Buffer
	command.Stderr = &said
	out, err := command.StdoutPipe()
	if err == nil {
		err = command.Start()
	}
	if err != nil {
		for i := range list {
			list[i].failed = err.Error()
		}
		return list
	}
	lines := bufio.NewScanner(out)
	next := func(within time.Duration) bool {
		defer time.AfterFunc(within, stop).Stop()
		return lines.Scan()
	}
	for i := range list {
		ready := next(min(b.options.setup, left))
		list[i] = read(ctx, ready, ready && next(b.options.limit), lines.Bytes())
	}
	stop()
	command.Wait() // how it ended says nothing more: a process that was measured is killed
	for i := range list {
		if list[i].failed != "" {
			list[i].failed = strings.TrimSpace(list[i].failed + " " + said.String())
		}
	}
	return list
}

// read returns what a process said of a task, if it was ready to begin it and done with
// it in time.
func read(ctx context.Context, ready, done bool, line []byte) measure {
	var m measure
	var err error
	if done {
		err = json.Unmarshal(line, &m)
	}
	late := ctx.Err() != nil
	m.stopped, m.unready = late && ready, late && !ready
	if !late && (!done || err != nil || len(m.CPU) == 0) {
		m.failed = fmt.Sprint(err)
	}
	return m
}

// compiled has node compile a whole module with its optimising compiler before it runs.
// Else it compiles function after function while they run, twice those that run often,
// and that is what would be measured. A browser does it once and keeps the result.
var compiled = []string{"--no-liftoff", "--no-wasm-lazy-compilation", "--no-wasm-tier-up"}

func (b *bench) command(ctx context.Context, library int, tr traceFile, tasks string) *exec.Cmd {
	seconds := fmt.Sprint(b.options.seconds)
	if library == cold { // only the first run counts
		seconds = "0"
	}
	ours := []string{"-test.run=^TestMeasure$", "-task=" + tasks, "-trace=" + tr.path, "-seconds=" + seconds}
	switch library {
	case native:
		return exec.CommandContext(ctx, filepath.Join(b.folder, "native"), ours...)
	case wasm, cold:
		flags := []string{"--stack-size=8192"}
		if library == wasm {
			flags = append(flags, compiled...)
		}
		return exec.CommandContext(ctx, "node", append(append(flags, b.exec, filepath.Join(b.folder, "wasm")), ours...)...)
	}
	name := [libraries]string{yjs: "yjs", loro: "loro", automerge: "automerge", dt: "dt"}[library]
	return exec.CommandContext(ctx, "node", "--stack-size=8192", "measure.mjs", name, tasks, tr.path, seconds)
}
