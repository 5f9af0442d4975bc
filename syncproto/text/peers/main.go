// Command peers measures the text package beside other libraries on the same
// traces, in one run on one machine, and prints a table and which goals hold.
// README.md says what is measured and has figures. `make bench-text` runs it; it is
// no part of the product and none of its tests.
//
// It exits with 1 if a text ends otherwise than its trace does, and never
// because of a time.
package main

import (
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"time"
)

func main() {
	var o options
	flag.StringVar(&o.traces, "traces", os.Getenv("DOORSTEP_TRACES"), "folder of traces (default $DOORSTEP_TRACES)")
	flag.StringVar(&o.only, "only", "", "only the traces whose name contains this")
	flag.StringVar(&o.group, "group", "", "only the sequential or only the concurrent traces")
	flag.Float64Var(&o.seconds, "seconds", 0.3, "how long to repeat each task, at most nine times")
	flag.DurationVar(&o.limit, "limit", 3*time.Second, "when to stop a task")
	flag.DurationVar(&o.setup, "setup", 90*time.Second, "when to give up on what comes before a task")
	flag.DurationVar(&o.each, "each", 4*time.Minute, "how long a library may take for all tasks on one trace")
	flag.Parse()
	if o.group != "" && o.group != "sequential" && o.group != "concurrent" {
		fmt.Fprintln(os.Stderr, "peers: -group is sequential or concurrent")
		os.Exit(2)
	}
	ok, err := run(&o)
	if err != nil {
		fmt.Fprintln(os.Stderr, "peers:", err)
		os.Exit(2)
	}
	if !ok {
		os.Exit(1)
	}
}

type options struct {
	traces, only, group string
	seconds             float64
	limit, setup, each  time.Duration
}

// run measures and prints; it reports whether every text was right.
func run(o *options) (bool, error) {
	if o.traces == "" {
		return false, fmt.Errorf("which traces? Set DOORSTEP_TRACES to their folder")
	}
	traces, err := findTraces(o)
	if err != nil {
		return false, err
	}
	bench, err := newBench(o)
	if err != nil {
		return false, err
	}
	defer bench.close()
	table := newTable(os.Stdout, o)
	began := time.Now()
	for _, tr := range traces {
		for _, task := range tasksOf(tr) {
			table.row(tr, task, bench.measure(tr, task))
		}
		bench.next()
	}
	right := table.finish()
	fmt.Printf("\nthe run took %.0f s\n", time.Since(began).Seconds())
	return right, nil
}

// A traceFile is one trace to measure.
type traceFile struct {
	name, path string
	concurrent bool
	prose      bool // notes and articles, as against program text
	changes    int
	text       string // SHA-256 of the text it ends in
}

// program are the traces of program text. All others are prose.
var program = []string{"rustcode", "sveltecomponent", "node_nodecc"}

func findTraces(o *options) ([]traceFile, error) {
	var list []traceFile
	err := filepath.WalkDir(o.traces, func(path string, _ os.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, ".json") && !strings.HasSuffix(path, ".json.gz") {
			return err
		}
		name, _, _ := strings.Cut(filepath.Base(path), ".json")
		if !strings.Contains(name, o.only) {
			return nil
		}
		tr, err := readTrace(path)
		if err != nil {
			return fmt.Errorf("reading %s: %w", path, err)
		}
		if tr == nil || o.group != "" && tr.concurrent != (o.group == "concurrent") {
			return nil // conformance cases are not for measuring
		}
		tr.name, tr.path, tr.prose = name, path, true
		for _, p := range program {
			tr.prose = tr.prose && !strings.Contains(name, p)
		}
		list = append(list, *tr)
		return nil
	})
	if err == nil && len(list) == 0 {
		err = fmt.Errorf("no trace below %s", o.traces)
	}
	sort.Slice(list, func(i, j int) bool {
		if list[i].concurrent != list[j].concurrent {
			return list[j].concurrent
		}
		return list[i].name < list[j].name
	})
	return list, err
}

// readTrace returns nil for a file of conformance cases.
func readTrace(path string) (*traceFile, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var r io.Reader = f
	if strings.HasSuffix(path, ".gz") {
		if r, err = gzip.NewReader(f); err != nil {
			return nil, err
		}
	}
	b, err := io.ReadAll(r)
	if err != nil || strings.HasPrefix(strings.TrimSpace(string(b[:min(len(b), 64)])), "[") {
		return nil, err
	}
	var file struct {
		Kind, EndContent string
		Txns             []struct{}
	}
	if err := json.Unmarshal(b, &file); err != nil {
		return nil, err
	}
	sum := sha256.Sum256([]byte(file.EndContent))
	return &traceFile{concurrent: file.Kind == "concurrent", changes: len(file.Txns), text: hex.EncodeToString(sum[:])}, nil
}
