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
		return func() string { return applyOf(t, tr) }
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

// applyOf makes each transaction of a sequential trace a local edit of the text, which
// is up to date after each.
func applyOf(t *testing.T, tr trace) string {
	l := New()
	var at []LV
	for i := range tr.txns {
		tx := &tr.txns[i]
		var err error
		if at, err = l.Add([]byte(tx.agent), tx.seq, at, tx.splices); err != nil {
			t.Fatal(err)
		}
		l.Len()
	}
	return l.String()
}

// updatesOf returns each transaction of a trace as the bytes that somebody else would
// get: how many numbers; then, in the numbers of the package's own encoding, who (as the
// length of a name), from which number, on top of how many and which of those before,
// and of each splice the position and what is deleted and inserted; the name, the words.
func updatesOf(tr trace) [][]byte {
	var list [][]byte
	for i := range tr.txns {
		tx := &tr.txns[i]
		var e encoder
		e.uint(3 + len(tx.parents) + 3*len(tx.splices))
		e.uint(len(tx.agent))
		e.uint(tx.seq)
		e.uint(len(tx.parents))
		for _, p := range tx.parents {
			e.uint(i - p)
		}
		words := tx.agent
		for _, s := range tx.splices {
			e.uint(s.Pos)
			e.uint(s.Del)
			e.uint(len(s.Ins))
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
	numbers []int
}

func (u *update) read(b []byte) bool {
	words := u.count(b)
	n := u.numbers
	if len(n) < 4 || n[0] != len(n)-1 || n[3] > len(n)-4 || n[1] > len(words) {
		return false
	}
	u.seq, u.parents = n[2], n[4:4+n[3]]
	u.agent, words = words[:n[1]], words[n[1]:]
	u.splices = u.splices[:0]
	text := string(words)
	for n = n[4+n[3]:]; len(n) >= 3; n = n[3:] {
		if n[2] > len(text) {
			return false
		}
		u.splices = append(u.splices, Splice{Pos: n[0], Del: n[1], Ins: text[:n[2]]})
		text = text[n[2]:]
	}
	return len(n) == 0 && text == ""
}

// count reads the numbers, and returns what comes after them.
func (u *update) count(b []byte) []byte {
	u.numbers = u.numbers[:0]
	v, shift := 0, 0
	for i, c := range b {
		v |= int(c&0x7f) << (shift & 63)
		shift += 7
		if c >= 0x80 {
			continue
		}
		u.numbers = append(u.numbers, v)
		if v, shift = 0, 0; len(u.numbers) > u.numbers[0] {
			return b[i+1:]
		}
	}
	return nil
}
