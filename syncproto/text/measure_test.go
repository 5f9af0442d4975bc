package text

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"
)

// What TestMeasure measures; `make bench-text` sets them.
var (
	flagTask    = flag.String("task", "", "what to measure in TestMeasure: some of apply, stream, replay and load, with commas")
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

// TestMeasure measures tasks on one trace in a process of their own, as
// peers/measure.mjs does for other libraries, and prints one line of JSON each.
func TestMeasure(t *testing.T) {
	if *flagTask == "" {
		t.Skip("measures only for `make bench-text`, which says what")
	}
	traces := readTraces(t, *flagTrace)
	if len(traces) != 1 {
		t.Fatalf("%s holds %d traces, want one", *flagTrace, len(traces))
	}
	bytes := logOf(t, traces[0]).Encode()
	for _, task := range strings.Split(*flagTask, ",") {
		run := measuredTask(t, task, traces[0], bytes)
		fmt.Println("ready") // what comes now is measured
		m := measure(run)
		m.Bytes = len(bytes)
		if err := json.NewEncoder(os.Stdout).Encode(m); err != nil {
			t.Fatal(err)
		}
	}
}

// measure runs a task again and again, as long as it was asked to.
func measure(run func() string) (m measured) {
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
	return m
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
// get: in the numbers of the package's own encoding how many bytes the other numbers
// take, who (as the length of a name), from which number, on top of how many and which
// of those before, and of each splice the position and what is deleted and inserted;
// then the name and the words.
func updatesOf(tr trace) [][]byte {
	var list [][]byte
	for i := range tr.txns {
		tx := &tr.txns[i]
		var e encoder
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
		var size encoder
		size.uint(len(e.b))
		list = append(list, append(append(size.b, e.b...), words...))
	}
	return list
}

// streamOf decodes and merges updates one by one.
func streamOf(t testing.TB, updates [][]byte) string {
	l, last := New(), make([]LV, len(updates)) // of each, the event that it ends in
	empty := map[int][]LV{}                    // of those without any, what they build on
	var parents []LV
	var u update
	for i, b := range updates {
		if !u.read(b) {
			t.Fatalf("update %d is not one", i)
		}
		parents = parents[:0]
		for _, back := range u.parents {
			if version, none := empty[i-back]; none {
				parents = append(parents, version...)
			} else {
				parents = append(parents, last[i-back])
			}
		}
		events := l.graph.end
		version, err := l.Add(u.agent, u.seq, parents, u.splices)
		if err != nil {
			t.Fatal(err)
		}
		if l.graph.end == events {
			empty[i] = version
		} else {
			last[i] = version[0]
		}
		l.Len()
	}
	return l.String()
}

// An update is what updatesOf writes; its memory is used again.
type update struct {
	agent   []byte
	seq     int
	parents []int // how far back each is
	splices []Splice
}

func (u *update) read(b []byte) bool {
	size, b := number(b)
	if size > len(b) {
		return false
	}
	numbers, b := b[:size], b[size:]
	n, numbers := number(numbers)
	if n > len(b) {
		return false
	}
	u.agent = b[:n]
	words := string(b[n:])
	u.seq, numbers = number(numbers)
	u.parents, u.splices = u.parents[:0], u.splices[:0]
	parents, numbers := number(numbers)
	for range min(parents, len(numbers)) {
		n, numbers = number(numbers)
		u.parents = append(u.parents, n)
	}
	for len(numbers) > 0 {
		var s Splice
		s.Pos, numbers = number(numbers)
		s.Del, numbers = number(numbers)
		n, numbers = number(numbers)
		if n > len(words) {
			return false
		}
		s.Ins, words = words[:n], words[n:]
		u.splices = append(u.splices, s)
	}
	return words == ""
}

// number reads a number, and returns what comes after it.
func number(b []byte) (int, []byte) {
	if len(b) > 0 && b[0] < 0x80 { // most are small
		return int(b[0]), b[1:]
	}
	return longNumber(b)
}

func longNumber(b []byte) (int, []byte) {
	v := 0
	for i, c := range b {
		v |= int(c&0x7f) << (7 * i & 63)
		if c < 0x80 {
			return v, b[i+1:]
		}
	}
	return v, nil
}
