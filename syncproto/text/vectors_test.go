package text

import (
	"bufio"
	"encoding/hex"
	"encoding/json"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

const vectorsFolder = "../spec/vectors/text"

// A vector is one line of a file of spec/vectors/text (spec/text.md 8).
type vector struct {
	Name    string
	Comment string
	Changes []struct {
		Agent   hexBytes
		Seq     int
		Parents []int
		Splices []Splice
	}
	Text     string
	Refuse   string
	Spans    *[][3]int // start, end, change
	Overlaps *[][4]int // start, end, change, change
}

type hexBytes []byte

func (h *hexBytes) UnmarshalText(b []byte) error {
	*h = make([]byte, hex.DecodedLen(len(b)))
	_, err := hex.Decode(*h, b)
	return err
}

var refusals = map[string]error{
	"position": ErrPosition, "utf8": ErrUTF8, "parent": ErrParent, "reused": ErrReused, "seq": ErrSeq,
}

func readVectors(t *testing.T) []vector {
	files, err := filepath.Glob(filepath.Join(vectorsFolder, "*.jsonl"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no vectors in %s: %v", vectorsFolder, err)
	}
	var list []vector
	for _, path := range files {
		f, err := os.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		lines := bufio.NewScanner(f)
		lines.Buffer(nil, 1<<20)
		for lines.Scan() {
			var v vector
			if err := json.Unmarshal(lines.Bytes(), &v); err != nil {
				t.Fatalf("%s: %v", path, err)
			}
			list = append(list, v)
		}
		if err := lines.Err(); err != nil {
			t.Fatal(err)
		}
	}
	return list
}

func TestVectors(t *testing.T) {
	list := readVectors(t)
	if len(list) < 60 {
		t.Fatalf("%d vectors, want at least 60", len(list))
	}
	for _, v := range list {
		t.Run(v.Name, func(t *testing.T) {
			if v.Refuse != "" {
				v.checkRefusal(t)
				return
			}
			order := make([]int, len(v.Changes))
			for i := range order {
				order[i] = i
			}
			v.check(t, order)
			for seed := range uint64(3) {
				v.check(t, randomOrder(v.trace(), rand.New(rand.NewPCG(seed, 3))))
			}
		})
	}
}

func (v *vector) trace() trace {
	tr := trace{name: v.Name, want: v.Text}
	for _, c := range v.Changes {
		tr.txns = append(tr.txns, txn{string(c.Agent), c.Seq, c.Parents, c.Splices, events(c.Splices)})
	}
	return tr
}

// check adds the changes in an order and compares all that can be asked.
func (v *vector) check(t *testing.T, order []int) {
	t.Helper()
	f := newFeeder(v.trace())
	for _, i := range order {
		f.add(t, i)
	}
	if got := f.log.String(); got != v.Text {
		t.Errorf("order %v: got %q, want %q", order, got, v.Text)
	}
	change := map[LV]int{} // first event -> change
	for i, version := range f.last {
		change[version[0]-LV(f.trace.txns[i].events-1)] = i
	}
	if v.Spans != nil {
		got := [][3]int{}
		for _, s := range f.log.Spans() {
			first, _ := f.log.calls.of(s.From)
			got = append(got, [3]int{s.Start, s.End, change[first]})
		}
		if !slices.Equal(got, *v.Spans) {
			t.Errorf("order %v: spans %v, want %v", order, got, *v.Spans)
		}
	}
	if v.Overlaps != nil {
		got := [][4]int{}
		for _, o := range f.log.Overlaps() {
			got = append(got, [4]int{o.Start, o.End, change[o.A], change[o.B]})
		}
		if !slices.Equal(got, *v.Overlaps) {
			t.Errorf("order %v: overlaps %v, want %v", order, got, *v.Overlaps)
		}
	}
}

// checkRefusal adds the changes, of which the last must be refused and leave
// no trace.
func (v *vector) checkRefusal(t *testing.T) {
	last := len(v.Changes) - 1
	tr := v.trace()
	f := newFeeder(tr)
	for i := range last {
		f.add(t, i)
	}
	before := f.log.Encode()
	c := v.Changes[last]
	var parents []LV
	for _, p := range c.Parents {
		if p >= last {
			parents = append(parents, f.log.graph.end+LV(p)) // not there
			continue
		}
		parents = append(parents, f.last[p]...)
	}
	_, err := f.log.Add(c.Agent, c.Seq, parents, c.Splices)
	if want := refusals[v.Refuse]; want == nil || err != want {
		t.Errorf("got %v, want %v", err, want)
	}
	if !slices.Equal(f.log.Encode(), before) {
		t.Error("a refused change left a trace")
	}
}
