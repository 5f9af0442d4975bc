package text

import (
	"bytes"
	"compress/flate"
	"compress/gzip"
	"encoding/json"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

// A trace is a recorded history: transactions on top of one another, and the
// text they end in.
type trace struct {
	name string
	txns []txn
	want string
}

type txn struct {
	agent   string
	seq     int
	parents []int // transactions before this one
	splices []Splice
	events  int
}

func (s *Splice) UnmarshalJSON(b []byte) error {
	return json.Unmarshal(b, &[]any{&s.Pos, &s.Del, &s.Ins})
}

func events(splices []Splice) int {
	n := 0
	for _, s := range splices {
		n += s.Del + utf8.RuneCountInString(s.Ins)
	}
	return n
}

// tracesFolder returns where the full set of traces is, or "". A relative
// DOORSTEP_TRACES may be meant from here or from the top of the repository.
func tracesFolder() string {
	dir, top := os.Getenv("DOORSTEP_TRACES"), filepath.Join("..", "..")
	if dir == "" {
		dir = filepath.Join("..", "shared", "traces")
	}
	for _, path := range []string{dir, filepath.Join(top, dir)} {
		if st, err := os.Stat(path); err == nil && st.IsDir() {
			return path
		}
	}
	return os.Getenv("DOORSTEP_TRACES") // fails loudly if set and not there
}

// traceFiles returns the trace files below a folder.
func traceFiles(t testing.TB, dir string) []string {
	t.Helper()
	var files []string
	err := filepath.WalkDir(dir, func(path string, _ os.DirEntry, err error) error {
		if strings.HasSuffix(path, ".json") || strings.HasSuffix(path, ".json.gz") {
			files = append(files, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(files) == 0 {
		t.Fatalf("no trace below %s", dir)
	}
	return files
}

// readTraces reads one file of any of the three formats: a file of the
// conformance format holds many small traces.
func readTraces(t testing.TB, path string) []trace {
	t.Helper()
	b := readMaybeGzip(t, path)
	name, _, _ := strings.Cut(filepath.Base(path), ".json")
	if bytes.HasPrefix(bytes.TrimSpace(b), []byte("[")) {
		return parseCases(t, name, b)
	}
	return []trace{parseTrace(t, name, b)}
}

func readMaybeGzip(t testing.TB, path string) []byte {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var r io.Reader = f
	if strings.HasSuffix(path, ".gz") {
		if r, err = gzip.NewReader(f); err != nil {
			t.Fatalf("%s: %v", path, err)
		}
	}
	b, err := io.ReadAll(r)
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	return b
}

// parseTrace reads the sequential and the concurrent format.
func parseTrace(t testing.TB, name string, b []byte) trace {
	t.Helper()
	var file struct {
		Kind         string
		StartContent string
		EndContent   string
		AgentNames   []string
		Txns         []struct {
			Agent   int
			Seq     *int
			Parents []int
			Patches []Splice
		}
	}
	if err := json.Unmarshal(b, &file); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	tr := trace{name: name, want: file.EndContent}
	if file.StartContent != "" { // as if somebody had typed it before all
		start := []Splice{{0, 0, file.StartContent}}
		tr.txns = append(tr.txns, txn{"start", 0, nil, start, events(start)})
	}
	shift := len(tr.txns)
	next := map[int]int{}
	for _, in := range file.Txns {
		i := len(tr.txns)
		out := txn{agent: strconv.Itoa(in.Agent), seq: next[in.Agent], splices: in.Patches}
		if in.Agent >= 0 && in.Agent < len(file.AgentNames) {
			out.agent = file.AgentNames[in.Agent]
		}
		for _, p := range in.Parents {
			if p += shift; p < shift || p >= i {
				t.Fatalf("%s: transaction %d: parent %d does not come before it", name, i-shift, p-shift)
			}
			out.parents = append(out.parents, p)
		}
		if shift > 0 && len(in.Parents) == 0 {
			out.parents = []int{0}
		}
		if in.Seq != nil {
			out.seq = *in.Seq
		}
		if file.Kind != "concurrent" && i > 0 {
			out.parents = []int{i - 1}
		}
		out.events = events(out.splices)
		next[in.Agent] = out.seq + out.events
		tr.txns = append(tr.txns, out)
	}
	return tr
}

// parseCases reads the conformance format.
func parseCases(t testing.TB, name string, b []byte) []trace {
	t.Helper()
	var cases []struct {
		EndContent string
		Txns       []struct {
			Agent    string
			SeqStart int
			Span     [2]int
			Parents  []int
			Ops      []Splice
		}
	}
	if err := json.Unmarshal(b, &cases); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	var traces []trace
	for i, c := range cases {
		tr := trace{name: name + "/" + strconv.Itoa(i), want: c.EndContent}
		last := map[int]int{} // last event -> transaction
		for j, in := range c.Txns {
			out := txn{agent: in.Agent, seq: in.SeqStart, splices: in.Ops, events: events(in.Ops)}
			for _, p := range in.Parents {
				at, ok := last[p]
				if !ok {
					t.Fatalf("%s: parent %d does not end a transaction", tr.name, p)
				}
				out.parents = append(out.parents, at)
			}
			if in.Span[1]-in.Span[0] != out.events {
				t.Fatalf("%s: transaction %d has %d events", tr.name, j, out.events)
			}
			last[in.Span[1]-1] = j
			tr.txns = append(tr.txns, out)
		}
		traces = append(traces, tr)
	}
	return traces
}

// A feeder adds the transactions of a trace to a log, in any order that puts
// parents first.
type feeder struct {
	trace   trace
	log     *Log
	last    [][]LV // the version after each transaction in the log
	have    []bool // the transactions in the log
	order   []int  // the same, in their order
	scratch []LV
}

func newFeeder(tr trace) *feeder {
	return &feeder{trace: tr, log: New(), last: make([][]LV, len(tr.txns)), have: make([]bool, len(tr.txns)), order: make([]int, 0, len(tr.txns))}
}

func (f *feeder) add(t testing.TB, i int) {
	tx := &f.trace.txns[i]
	f.scratch = f.scratch[:0]
	for _, p := range tx.parents {
		f.scratch = append(f.scratch, f.last[p]...)
	}
	version, err := f.log.Add([]byte(tx.agent), tx.seq, f.scratch, tx.splices)
	if err != nil {
		t.Fatalf("%s: transaction %d: %v", f.trace.name, i, err)
	}
	f.last[i], f.have[i] = version, true
	f.order = append(f.order, i)
}

// has reports whether the log has everything that transaction i builds on.
func (f *feeder) has(i int) bool {
	for _, p := range f.trace.txns[i].parents {
		if !f.have[p] {
			return false
		}
	}
	return true
}

// takeFrom adds everything that another has.
func (f *feeder) takeFrom(t testing.TB, other *feeder) {
	for _, i := range other.order {
		if !f.have[i] {
			f.add(t, i)
		}
	}
}

func logOf(t testing.TB, tr trace) *Log {
	t.Helper()
	f := newFeeder(tr)
	for i := range tr.txns {
		f.add(t, i)
	}
	return f.log
}

// randomOrder returns the transactions in a random order with parents first.
func randomOrder(tr trace, rng *rand.Rand) []int {
	waiting := make([]int, len(tr.txns))
	kids := make([][]int, len(tr.txns))
	var ready, order []int
	for i, tx := range tr.txns {
		waiting[i] = len(tx.parents)
		for _, p := range tx.parents {
			kids[p] = append(kids[p], i)
		}
		if waiting[i] == 0 {
			ready = append(ready, i)
		}
	}
	for len(ready) > 0 {
		at := rng.IntN(len(ready))
		i := ready[at]
		ready[at] = ready[len(ready)-1]
		ready = ready[:len(ready)-1]
		order = append(order, i)
		for _, k := range kids[i] {
			if waiting[k]--; waiting[k] == 0 {
				ready = append(ready, k)
			}
		}
	}
	return order
}

// exchange plays a trace on two replicas: each adds the transactions of its
// own agents, or every other hundred if there is one agent, and takes what the
// other has only when it cannot go on.
func exchange(t testing.TB, tr trace) (a, b *feeder) {
	pair := [2]*feeder{newFeeder(tr), newFeeder(tr)}
	owner := map[string]int{}
	for _, tx := range tr.txns {
		if _, ok := owner[tx.agent]; !ok {
			owner[tx.agent] = len(owner) % 2
		}
	}
	for i, tx := range tr.txns {
		mine := owner[tx.agent]
		if len(owner) == 1 {
			mine = i / 100 % 2
		}
		if !pair[mine].has(i) {
			pair[mine].takeFrom(t, pair[1-mine])
		}
		pair[mine].add(t, i)
	}
	pair[0].takeFrom(t, pair[1])
	pair[1].takeFrom(t, pair[0])
	return pair[0], pair[1]
}

// TestSelection replays the traces that are kept with the package.
func TestSelection(t *testing.T) { replayFolder(t, "testdata") }

// TestTraces replays every trace file below the folder of the full set in
// every way, and prints one line a file.
func TestTraces(t *testing.T) {
	dir := tracesFolder()
	if dir == "" {
		t.Skip("the full set of traces is not here (TestSelection has a few): set DOORSTEP_TRACES to its folder")
	}
	replayFolder(t, dir)
}

func replayFolder(t *testing.T, dir string) {
	t.Logf("%-24s %8s %9s %9s %9s %9s %9s %9s", "CPU ms", "events", "apply", "replay", "stream", "bytes", "deflated", "peak KB")
	for _, path := range traceFiles(t, dir) {
		traces := readTraces(t, path)
		if len(traces) == 0 {
			t.Logf("%-24s holds no case", filepath.Base(path))
			continue
		}
		if raceEnabled && len(traces[0].txns) > 50_000 {
			t.Logf("%-24s not under the race detector", traces[0].name)
			continue
		}
		for _, tr := range traces {
			replayEveryWay(t, tr)
		}
		if len(traces) == 1 {
			report(t, traces[0])
		} else {
			t.Logf("%-24s %8d cases", traces[0].name[:strings.LastIndex(traces[0].name, "/")], len(traces))
		}
	}
}

// replayEveryWay checks that a trace ends in the text that it should, however
// it arrives.
func replayEveryWay(t testing.TB, tr trace) {
	t.Helper()
	check := func(how string, got string) {
		if got != tr.want {
			t.Fatalf("%s: %s: got %s, want %s", tr.name, how, brief(got), brief(tr.want))
		}
	}
	whole := logOf(t, tr)
	check("whole", whole.String())
	check("streamed", stream(t, tr).String())
	off := logOf(t, tr)
	off.merger = newMerger(tuning{leafSpans, nodeKids, chunkPieces, 0, false, 1024})
	check("without critical versions", off.String())
	loaded, err := Decode(whole.Encode())
	if err != nil {
		t.Fatalf("%s: decode: %v", tr.name, err)
	}
	check("decoded", loaded.String())
	orders := uint64(8)
	if testing.Short() || raceEnabled {
		if whole.graph.end > 50_000 {
			return // ten times slower, and no new code is reached
		}
		orders = 2
	}
	a, b := exchange(t, tr)
	check("first replica", a.log.String())
	check("second replica", b.log.String())
	if isChain(tr) {
		return // there is only one order of arrival
	}
	for seed := range orders {
		f := newFeeder(tr)
		for _, i := range randomOrder(tr, rand.New(rand.NewPCG(seed, 1))) {
			f.add(t, i)
		}
		check("arrival order of seed "+strconv.FormatUint(seed, 10), f.log.String())
	}
}

func isChain(tr trace) bool {
	for i, tx := range tr.txns {
		if i > 0 && !slices.Equal(tx.parents, []int{i - 1}) {
			return false
		}
	}
	return true
}

func brief(s string) string {
	return strconv.Quote(s[:min(len(s), 200)]) + " (" + strconv.Itoa(len(s)) + " bytes)"
}

// stream adds transaction by transaction and merges after each.
func stream(t testing.TB, tr trace) *Log {
	f := newFeeder(tr)
	for i := range tr.txns {
		f.add(t, i)
		f.log.Len()
	}
	return f.log
}

// report prints one line of measurements. Apply is the trace as local edits,
// one after the other on the live text, which only a chain allows; replay is
// the merging of a decoded log; deflated is what a store that compresses needs;
// peak is how far the heap grows while the log is decoded and replayed.
func report(t *testing.T, tr trace) {
	apply := "-"
	if isChain(tr) {
		apply = millis(cpu(func() { stream(t, tr) }))
	}
	streamed := cpu(func() { stream(t, tr) })
	encoded := logOf(t, tr).Encode()
	var l *Log
	var err error
	peak := peakHeap(func() { l, err = Decode(encoded) })
	if err != nil {
		t.Fatal(err)
	}
	replay := cpu(func() {
		l.merger = newMerger(usual())
		l.Len()
	})
	t.Logf("%-24s %8d %9s %9s %9s %9d %9d %9d", tr.name, l.graph.end, apply, millis(replay), millis(streamed),
		len(encoded), deflated(t, encoded), peak>>10)
}

// peakHeap returns by how much the heap is larger, at its largest while f runs, than
// before. Another goroutine looks all the time. The collector runs whenever the heap has
// grown by a hundredth, so next to nothing of it is garbage.
func peakHeap(f func()) uint64 {
	defer debug.SetGCPercent(debug.SetGCPercent(1))
	runtime.GC()
	heap := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
	size := func() uint64 {
		metrics.Read(heap)
		return heap[0].Value.Uint64()
	}
	before, done, largest := size(), make(chan struct{}), make(chan uint64)
	go func() {
		for top := before; ; runtime.Gosched() {
			top = max(top, size())
			select {
			case <-done:
				largest <- top
				return
			default:
			}
		}
	}()
	f()
	close(done)
	return <-largest - before
}

func deflated(t *testing.T, b []byte) int {
	var out bytes.Buffer
	w, err := flate.NewWriter(&out, flate.DefaultCompression)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(b); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Len()
}

func millis(d time.Duration) string {
	return strconv.FormatFloat(float64(d.Microseconds())/1000, 'f', 1, 64)
}
