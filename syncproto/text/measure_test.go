package text

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"testing"
	"time"
	"unicode/utf8"
)

// What TestMeasure measures; `make bench-text` sets them.
var (
	flagTask    = flag.String("task", "", "what to measure in TestMeasure: apply, stream, replay or load")
	flagTrace   = flag.String("trace", "", "the trace file to measure in TestMeasure")
	flagSeconds = flag.Float64("seconds", 2, "how long to repeat it")
)

// A measured is what TestMeasure says of one task on one trace.
type measured struct {
	First [1]float64 `json:"first"` // ms, of the first run
	CPU   []float64  `json:"cpu"`   // ms, of each run after it
	Bytes int        `json:"bytes"`
	Text  string     `json:"text"` // SHA-256 of the text it ended in
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
	fmt.Println("ready") // what comes now is measured
	m := measured{Bytes: len(bytes)}
	var text string
	m.First[0] = float64(cpu(func() { text = run() }).Microseconds()) / 1000
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
	case "apply":
		return func() string { return stream(t, tr).String() }
	case "stream":
		updates := updatesOf(tr)
		return func() string { return streamOf(t, updates) }
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

// updatesOf returns each transaction of a trace as the bytes that somebody else would
// get: who, from which number, on top of which of those before, and the splices; in
// the numbers of the package's own encoding, as other libraries' updates are in theirs.
func updatesOf(tr trace) [][]byte {
	var list [][]byte
	for i := range tr.txns {
		tx := &tr.txns[i]
		var e encoder
		e.uint(len(tx.agent))
		e.b = append(e.b, tx.agent...)
		e.uint(tx.seq)
		e.uint(len(tx.parents))
		for _, p := range tx.parents {
			e.uint(i - p)
		}
		e.uint(len(tx.splices))
		cursor, words := 0, ""
		for _, s := range tx.splices {
			e.sint(s.Pos - cursor)
			e.uint(s.Del)
			e.uint(len(s.Ins))
			cursor = s.Pos + utf8.RuneCountInString(s.Ins)
			words += s.Ins
		}
		list = append(list, append(e.b, words...))
	}
	return list
}

// streamOf decodes and merges updates one by one.
func streamOf(t *testing.T, updates [][]byte) string {
	l, after := New(), make([][]LV, len(updates))
	var parents []LV
	var u update
	for i, b := range updates {
		if !u.read(b) {
			t.Fatalf("update %d is not one", i)
		}
		parents = parents[:0]
		for _, back := range u.parents {
			parents = append(parents, after[i-back]...)
		}
		var err error
		if after[i], err = l.Add(u.agent, u.seq, parents, u.splices); err != nil {
			t.Fatal(err)
		}
		l.Len()
	}
	return l.String()
}

// An update is what updatesOf writes; its memory is used again.
type update struct {
	agent   []byte
	seq     int
	parents []int
	splices []Splice
	sizes   []int
}

func (u *update) read(b []byte) bool {
	d := decoder{b: b}
	n := d.count(1)
	u.agent, d.b = d.b[:n], d.b[n:]
	u.seq = d.uint(maxEvents)
	u.parents, u.splices, u.sizes = u.parents[:0], u.splices[:0], u.sizes[:0]
	for range d.count(1) {
		u.parents = append(u.parents, d.uint(maxEvents))
	}
	for range d.count(3) {
		u.splices = append(u.splices, Splice{Pos: d.sint(), Del: d.uint(maxEvents)})
		u.sizes = append(u.sizes, d.uint(maxContent))
	}
	words, cursor := string(d.b), 0
	for i, size := range u.sizes {
		if size > len(words) {
			return false
		}
		s := &u.splices[i]
		s.Ins, words = words[:size], words[size:]
		s.Pos += cursor
		points, _ := countPoints(s.Ins)
		cursor = s.Pos + points
	}
	return !d.bad && words == ""
}
