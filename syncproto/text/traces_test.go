package text

import (
	"compress/gzip"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
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

// tracesFolder returns where the full set of traces is, or "".
func tracesFolder() string {
	if dir := os.Getenv("DOORSTEP_TRACES"); dir != "" {
		return dir
	}
	const beside = "../../../shared/traces"
	if st, err := os.Stat(beside); err == nil && st.IsDir() {
		return beside
	}
	return ""
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
	if strings.HasPrefix(strings.TrimSpace(string(b[:min(len(b), 64)])), "[") {
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
			t.Fatal(err)
		}
	}
	b, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
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
	if file.StartContent != "" {
		t.Fatalf("%s: a start content is not supported", name)
	}
	tr := trace{name: name, want: file.EndContent}
	next := map[int]int{}
	for i, in := range file.Txns {
		out := txn{agent: strconv.Itoa(in.Agent), seq: next[in.Agent], parents: in.Parents, splices: in.Patches}
		if in.Agent < len(file.AgentNames) {
			out.agent = file.AgentNames[in.Agent]
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
	log  *Log
	last [][]LV // the version after each transaction
}

func newFeeder(tr trace) *feeder {
	return &feeder{log: New(), last: make([][]LV, len(tr.txns))}
}

func (f *feeder) add(tr trace, i int) error {
	tx := &tr.txns[i]
	var parents []LV
	for _, p := range tx.parents {
		parents = append(parents, f.last[p]...)
	}
	var err error
	f.last[i], err = f.log.Add([]byte(tx.agent), tx.seq, parents, tx.splices)
	return err
}

func logOf(t testing.TB, tr trace) *Log {
	t.Helper()
	f := newFeeder(tr)
	for i := range tr.txns {
		if err := f.add(tr, i); err != nil {
			t.Fatalf("%s: transaction %d: %v", tr.name, i, err)
		}
	}
	return f.log
}

func TestConformance(t *testing.T) {
	if tracesFolder() == "" {
		t.Skip("the full set of traces is not here; set DOORSTEP_TRACES")
	}
	for _, path := range traceFiles(t, filepath.Join(tracesFolder(), "conformance")) {
		for _, tr := range readTraces(t, path) {
			l := logOf(t, tr)
			if got := l.String(); got != tr.want {
				t.Errorf("%s: got %q, want %q", tr.name, got, tr.want)
			}
			d, err := Decode(l.Encode())
			if err != nil || d.String() != tr.want {
				t.Errorf("%s: decoded %v %q", tr.name, err, tr.want)
			}
		}
	}
}

func TestTracesSmall(t *testing.T) {
	if tracesFolder() == "" {
		t.Skip("the full set of traces is not here; set DOORSTEP_TRACES")
	}
	for _, name := range []string{"sequential/json-crdt-blog-post", "sequential/friendsforever_flat"} {
		tr := readTraces(t, filepath.Join(tracesFolder(), name+".json.gz"))[0]
		if got := logOf(t, tr).String(); got != tr.want {
			t.Errorf("%s: differs", name)
		}
	}
}
