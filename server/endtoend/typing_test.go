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

// typist types a trace keystroke by keystroke, five a second, with a rest for thought
// at the end of each sentence and line.
type typist struct {
	*tablet
	b      *borough
	record syncproto.RecordID
	clock  engine.Time
}

func newTypist(t *testing.T) *typist {
	t.Helper()
	b := newBorough(t, caseload{workers: 1, families: 1})
	w := &typist{b: b, tablet: newTablet(t, b, 0, 1), clock: engine.Time{UnixMS: 1_790_000_000_000, MonotonicMS: 1}}
	w.now = func() engine.Time { return w.clock }
	w.restart()
	w.syncs()
	w.record = w.newRecord()
	w.edit(w.families()[0], w.record, "visit", setText("visit_type", "CIN"))
	w.syncs()
	return w
}

func (w *typist) passes(ms int64) {
	w.clock.UnixMS += ms
	w.clock.MonotonicMS += uint64(ms)
}

// types types the trace and calls rest at each rest. It returns how many keystrokes
// and bytes that were.
func (w *typist) types(k *keystrokes, rest func()) (strokes, typed int) {
	w.t.Helper()
	for _, s := range k.splices() {
		in := engine.Typing{Record: w.record, Path: syncproto.Path{Field: "household_summary"}, Splice: s}
		if err := w.Type(in); err != nil {
			w.t.Fatal(err)
		}
		w.passes(200)
		if strings.HasSuffix(s.Ins, ".") || strings.HasSuffix(s.Ins, "\n") {
			w.passes(4_000)
			rest()
		}
		strokes++
		typed += len(s.Ins)
	}
	return strokes, typed
}

// TestTypingCompacts: nothing that is sent or kept may depend on the number of
// keystrokes. Online it is a change a rest; offline, where nobody waits for it, one a
// page. Sizes, not times, are bounded, in bytes for each byte typed: on the wire the
// whole of it, headers of HTTP included, and in the journal.
func TestTypingCompacts(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name          string
		online        bool
		changes       int // at most
		wire, journal float64
	}{
		{"offline", false, 10, 1.7, 2.5},
		{"a change a sentence", true, 150, 4, 14},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := newTypist(t)
			if !tt.online {
				w.line.cut(0, 0)
				if _, err := w.Sync(t.Context()); err == nil {
					t.Fatal("synced over a line that is cut")
				}
			}
			before, k := journalBytes(t, w.b), trace(t)
			strokes, typed := w.types(k, func() {
				if tt.online { // as a sync in the rest does
					w.saves()
				}
			})
			w.saves()
			outbox, err := w.Outbox()
			if err != nil {
				t.Fatal(err)
			}
			up := w.line.up.Load()
			w.syncs()
			up = w.line.up.Load() - up
			w.wantEmptyOutbox()
			kept := journalBytes(t, w.b) - before
			wire, journal := float64(up)/float64(typed), float64(kept)/float64(typed)
			t.Logf("%d keystrokes, %d bytes typed: %d changes of %d bytes in all; %d bytes up, %.1f a byte typed; %d bytes of journal, %.1f",
				strokes, typed, outbox.Changes, outbox.Bytes, up, wire, kept, journal)
			if outbox.Changes > tt.changes {
				t.Errorf("%d changes, want at most %d", outbox.Changes, tt.changes)
			}
			if wire > tt.wire || journal > tt.journal {
				t.Errorf("%.1f bytes on the wire and %.1f in the journal for each typed, want at most %.1f and %.1f", wire, journal, tt.wire, tt.journal)
			}
			v, err := w.View(w.record)
			if err != nil {
				t.Fatal(err)
			}
			if f, _ := v.Field("household_summary"); f.Text != k.EndContent {
				t.Errorf("the text is not what was typed: %.60q", f.Text)
			}
		})
	}
}

func (w *typist) saves() {
	w.t.Helper()
	if err := w.Save(w.record); err != nil {
		w.t.Fatal(err)
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
