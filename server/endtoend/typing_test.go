package endtoend

import (
	"compress/gzip"
	"encoding/json"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"doorstep/client-sdk/engine"
	"doorstep/syncproto"
	"doorstep/syncproto/text"
)

// keystrokes is an editing trace, one keystroke a transaction.
type keystrokes struct {
	EndContent string `json:"endContent"`
	Txns       []struct {
		Patches [][3]any `json:"patches"`
	} `json:"txns"`
}

// trace reads a sequential trace of the text merge's test data: somebody writing
// prose.
func trace(t *testing.T) *keystrokes {
	t.Helper()
	f, err := os.Open(filepath.Join(repository, "syncproto/text/testdata/blog-post-excerpt.json.gz"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	k := &keystrokes{}
	if err := json.NewDecoder(z).Decode(k); err != nil {
		t.Fatal(err)
	}
	return k
}

// splices are the keystrokes as a tablet's keyboard gives them.
func (k *keystrokes) splices() []text.Splice {
	var out []text.Splice
	for _, txn := range k.Txns {
		for _, p := range txn.Patches {
			s := text.Splice{Pos: int(p[0].(float64)), Del: int(p[1].(float64)), Ins: p[2].(string)}
			out = append(out, s)
		}
	}
	return out
}

// TestTypingCompacts types a trace keystroke by keystroke, offline, five a second,
// with a rest for thought at the end of each sentence and line, and sends it all at
// once. Nothing of it may depend on the number of keystrokes: what is stored and sent
// is a change a pause. Sizes, not times, are bounded.
func TestTypingCompacts(t *testing.T) {
	const (
		keystrokeMS = 200
		thinkMS     = 4_000
		// perChange is what a change may cost on the wire beyond the words typed: two
		// ids, the salt, the clocks and the receipt, none of which compresses.
		perChange = 200
		// perEntry is what it may cost in the journal, where ids stand in the clear
		// beside the sealed body.
		perEntry = 600
	)
	b := newBorough(t, caseload{workers: 1, families: 1})
	worker := newTablet(t, b, 0, 1)
	clock := engine.Time{UnixMS: 1_790_000_000_000, MonotonicMS: 1}
	worker.now = func() engine.Time { return clock }
	worker.restart()
	worker.syncs()
	record := worker.newRecord()
	worker.edit(worker.families()[0], record, "visit", setText("visit_type", "CIN"))
	worker.syncs()
	before := journalBytes(t, b)

	k, typed, strokes := trace(t), 0, 0
	for _, s := range k.splices() {
		in := engine.Typing{Record: record, Path: syncproto.Path{Field: "household_summary"}, Splice: s}
		if err := worker.Type(in); err != nil {
			t.Fatal(err)
		}
		typed += len(s.Ins)
		strokes++
		clock.UnixMS += keystrokeMS
		clock.MonotonicMS += keystrokeMS
		if strings.HasSuffix(s.Ins, ".") || strings.HasSuffix(s.Ins, "\n") {
			clock.UnixMS += thinkMS
			clock.MonotonicMS += thinkMS
			if err := worker.Save(record); err != nil { // as the pause would, without a line to sync over
				t.Fatal(err)
			}
		}
	}
	if err := worker.Save(record); err != nil {
		t.Fatal(err)
	}
	outbox, err := worker.Outbox()
	if err != nil {
		t.Fatal(err)
	}
	up, trips := worker.line.up.Load(), worker.line.trips.Load()
	worker.syncs()
	up, trips = worker.line.up.Load()-up, worker.line.trips.Load()-trips
	worker.wantEmptyOutbox()
	kept := journalBytes(t, b) - before
	changes := int64(outbox.Changes)
	t.Logf("%d keystrokes, %d bytes typed: %d changes of %d bytes in all; %d bytes up in %d round trip; %d bytes of journal",
		strokes, typed, changes, outbox.Bytes, up, trips, kept)
	if changes > int64(strokes)/20 {
		t.Errorf("%d changes for %d keystrokes", changes, strokes)
	}
	if bound := int64(typed) + perChange*changes; up > bound {
		t.Errorf("%d bytes on the wire, want at most %d", up, bound)
	}
	if bound := int64(2*typed) + perEntry*changes; kept > bound {
		t.Errorf("%d bytes of journal, want at most %d", kept, bound)
	}
	v, err := worker.View(record)
	if err != nil {
		t.Fatal(err)
	}
	if f, _ := v.Field("household_summary"); f.Text != k.EndContent {
		t.Errorf("the text is not what was typed: %.60q", f.Text)
	}
}

// journalBytes is the size of a borough's journal on its disk.
func journalBytes(t *testing.T, b *borough) (n int64) {
	t.Helper()
	err := filepath.WalkDir(filepath.Join(b.cfg.Data.Dir, "journal"), func(_ string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		info, err := d.Info()
		if err == nil {
			n += info.Size()
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}
