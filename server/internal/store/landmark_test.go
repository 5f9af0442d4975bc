package store_test

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"doorstep/server/internal/store"
	"doorstep/server/internal/store/storetest"
	"doorstep/syncproto"
)

// countingSource counts what is read of a journal.
type countingSource struct {
	store.Source
	reads int
}

func (c *countingSource) Read(position uint64) ([]byte, error) {
	c.reads++
	return c.Source.Read(position)
}

// reopenCounted opens the index of b once more, which must be closed, and answers
// what the start read of the journal and what it logged.
func reopenCounted(t *testing.T, b *storetest.Borough) (reads int, log string) {
	t.Helper()
	source := &countingSource{Source: b.Journal}
	var out bytes.Buffer
	s, err := store.Open(b.Index(), store.Options{
		Source: source, Sealer: b.Keys, Log: slog.New(slog.NewTextHandler(&out, nil)), OnFatal: func(error) {},
	})
	if err != nil {
		t.Fatal(err)
	}
	if bases := s.State().BasisOf(bea, smith, 1); !slices.Equal(bases, []string{"MANAGER"}) {
		t.Errorf("relations after the start: got %v", bases)
	}
	if _, ok := s.State().Session(id[syncproto.ID](7)); !ok {
		t.Error("a session is gone after the start")
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	return source.reads, out.String()
}

// busy is a borough with some control entries among many changes.
func busy(t *testing.T) *storetest.Borough {
	t.Helper()
	b := storetest.Open(t)
	story(b)
	a := newAuthor(b, id[syncproto.ActorID](50), ada)
	for n := range uint64(40) {
		b.Commit(7_000, a.change(visit, "visit", nil))
		b.Commit(7_000, store.SessionEntry{ID: id[syncproto.ID](7), User: ada, Generation: n})
	}
	return b
}

func TestAStartReadsTheControlEntriesAlone(t *testing.T) {
	b := busy(t)
	if err := b.Store.Close(); err != nil {
		t.Fatal(err)
	}
	controls := 0
	head, _ := b.Journal.Head()
	for p := uint64(1); p <= head; p++ {
		payload, err := b.Journal.Read(p)
		if err != nil {
			t.Fatal(err)
		}
		if e, err := store.DecodeEntry(p, payload, b.Keys); err == nil && store.IsControl(e) {
			controls++
		}
	}
	got, _ := reopenCounted(t, b)
	if want := controls - 39; got != want {
		t.Errorf("the start read %d entries, want the %d control entries without 39 older states of a session", got, want)
	}
}

func TestLandmarksThatCannotBeUsedArePassedOver(t *testing.T) {
	b := busy(t)
	head, _ := b.Journal.Head()
	if err := b.Store.Close(); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(b.Index(), "LANDMARKS")
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	cases := map[string][]byte{"gone": nil, "empty": {}, "short": whole[:len(whole)-1]}
	for bit := range len(whole) * 8 {
		if bit%37 == 0 {
			flipped := slices.Clone(whole)
			flipped[bit/8] ^= 1 << (bit % 8)
			cases[fmt.Sprint("bit ", bit)] = flipped
		}
	}
	for name, content := range cases {
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
		if content != nil {
			if err := os.WriteFile(path, content, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		reads, log := reopenCounted(t, b)
		if reads != int(head) {
			t.Errorf("%s: the start read %d entries, want all %d", name, reads, head)
		}
		if content != nil && log == "" {
			t.Errorf("%s: nothing was said of it", name)
		}
	}
}

func TestControlEntryThatWasNeverFoldedIsFound(t *testing.T) {
	b := busy(t)
	head, _ := b.Journal.Head()
	for p := uint64(1); p <= head; p++ {
		payload, err := b.Journal.Read(p)
		if err != nil {
			t.Fatal(err)
		}
		if err := b.Store.CheckEntry(p, payload); err != nil {
			t.Errorf("a sound state: %v", err)
		}
	}
	denial := store.RelationEntry{User: bea, Family: smith, Basis: "DENIED", Grant: true}
	payload, err := store.EncodeEntry(denial, b.Keys)
	if err != nil {
		t.Fatal(err)
	}
	// Where the journal has a change, a denial would stand that nobody folded.
	if err := b.Store.CheckEntry(head-1, payload); !errors.Is(err, store.ErrDamaged) {
		t.Errorf("a denial that the state lacks: got %v, want ErrDamaged", err)
	}
	if err := b.Store.CheckEntry(head+1, payload); err != nil {
		t.Errorf("an entry that is not folded yet: %v", err)
	}
}
