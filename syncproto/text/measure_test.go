package text

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"flag"
	"os"
	"testing"
	"time"
)

// What TestMeasure measures; `make bench-text` sets them.
var (
	flagTask    = flag.String("task", "", "what to measure in TestMeasure: apply, stream, replay or load")
	flagTrace   = flag.String("trace", "", "the trace file to measure in TestMeasure")
	flagSeconds = flag.Float64("seconds", 2, "how long to repeat it")
)

// A measured is what TestMeasure says of one task on one trace.
type measured struct {
	First float64   `json:"first"` // ms, of the first run
	CPU   []float64 `json:"cpu"`   // ms, of each run after it
	Bytes int       `json:"bytes"`
	Text  string    `json:"text"` // SHA-256 of the text it ended in
}

// TestMeasure measures one task on one trace in a process of its own, as
// peers/measure.mjs does for other libraries, and prints one line of JSON.
func TestMeasure(t *testing.T) {
	if *flagTask == "" {
		t.Skip("measures only for `make bench-text`, which says what")
	}
	traces := readTraces(t, *flagTrace)
	if len(traces) != 1 {
		t.Fatalf("%s holds %d traces, want one", *flagTrace, len(traces))
	}
	bytes := logOf(t, traces[0]).Encode()
	run := measuredTask(t, *flagTask, traces[0], bytes)
	m := measured{Bytes: len(bytes)}
	var text string
	m.First = float64(cpu(func() { text = run() }).Microseconds()) / 1000
	for deadline := time.Now().Add(time.Duration(*flagSeconds * float64(time.Second))); len(m.CPU) < 9; {
		took := cpu(func() { text = run() })
		m.CPU = append(m.CPU, float64(took.Microseconds())/1000)
		if time.Now().After(deadline) {
			break
		}
	}
	sum := sha256.Sum256([]byte(text))
	m.Text = hex.EncodeToString(sum[:])
	if err := json.NewEncoder(os.Stdout).Encode(m); err != nil {
		t.Fatal(err)
	}
}

// measuredTask returns a task that ends in a text.
func measuredTask(t *testing.T, task string, tr trace, bytes []byte) func() string {
	switch task {
	case "apply", "stream":
		return func() string { return stream(t, tr).String() }
	case "replay":
		l, err := Decode(bytes)
		if err != nil {
			t.Fatal(err)
		}
		return func() string {
			l.merger = newMerger(usual())
			return l.String()
		}
	case "load":
		return func() string {
			l, err := Decode(bytes)
			if err != nil {
				t.Fatal(err)
			}
			return l.String()
		}
	}
	t.Fatalf("no task %q", task)
	return nil
}
