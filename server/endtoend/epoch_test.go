package endtoend

import (
	"bytes"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"testing"

	"doorstep/client-sdk/device"
	"doorstep/client-sdk/engine"
)

// TestFault59And78TornTailBeginsANewEpoch cuts the power while the server writes
// what nobody has a receipt for: its journal ends in half a group. The next start
// cuts that off and begins a new epoch, in which cursors of the old one mean
// nothing; the tablets compare, offer what is missing, and all end the same.
func TestFault59And78TornTailBeginsANewEpoch(t *testing.T) {
	t.Parallel()
	b, worker, colleague, family := cutFixture(t)
	words := prose(t)
	wrote := append(worker.day(family, 1, words), colleague.day(family, 2, words)...)
	worker.syncs()
	colleague.syncs()
	kept := b.keepsCopy(t)
	wrote = append(wrote, worker.day(family, 3, words)...)
	worker.line.between(func(r *http.Request, network http.RoundTripper) (*http.Response, error) {
		_, resp, err := readWhole(network, r)
		if err == nil && resp.StatusCode == http.StatusUnauthorized { // a server that began anew asks for a nonce first
			return resp, nil
		}
		return nil, errors.Join(errLost, err)
	})
	if _, err := worker.Sync(t.Context()); !errors.Is(err, errLost) {
		t.Fatal(err)
	}
	worker.line.between(nil)
	b.stop()
	tearJournal(t, b, kept)

	epochs := 0
	worker.notify(func(n engine.Note) {
		if n.Kind == engine.NoteEpoch {
			epochs++
		}
	})
	b.start(t)
	wrote = append(wrote, colleague.day(family, 4, words)...)
	for range 2 {
		worker.syncs()
		colleague.syncs()
	}
	if epochs == 0 {
		t.Error("the tablet heard of no new epoch: the tail was not torn")
	}
	for _, x := range []*tablet{worker, colleague} {
		x.wantEmptyOutbox()
		x.wantAccepted()
	}
	newWire(b, colleague).wantOnce(wrote...)
	b.stop()
	wantSame(t, openData(t, b.cfg), worker, colleague)
}

// notify restarts the tablet with somebody who is told its news.
func (b *tablet) notify(fn func(engine.Note)) {
	b.t.Helper()
	left := b.store.Reopen()
	closing(b.t, b.Close)
	b.store = left
	var err error
	if b.Device, err = device.Open(b.store, b.client(), device.Options{Chance: b.chance, Notify: fn}); err != nil {
		b.t.Fatal(err)
	}
}

// tearJournal puts back the data of an earlier moment, and after its journal half
// of what the journal had gained since.
func tearJournal(t *testing.T, b *borough, earlier string) {
	t.Helper()
	segments, err := filepath.Glob(filepath.Join(b.cfg.Data.Dir, "journal", "segment-*"))
	if err != nil || len(segments) != 1 {
		t.Fatalf("got segments %v, %v", segments, err)
	}
	now, err := os.ReadFile(segments[0])
	if err != nil {
		t.Fatal(err)
	}
	b.putsBack(t, earlier)
	before, err := os.ReadFile(segments[0])
	if err != nil {
		t.Fatal(err)
	}
	gained, ok := bytes.CutPrefix(now, before)
	if !ok || len(gained) == 0 {
		t.Fatalf("the journal gained %d bytes; want it to have grown", len(gained))
	}
	if err := os.WriteFile(segments[0], append(before, gained[:len(gained)/2]...), 0o600); err != nil {
		t.Fatal(err)
	}
}

// keepsCopy restarts a server and returns a copy of its data from between.
func (b *borough) keepsCopy(t *testing.T) (kept string) {
	t.Helper()
	b.stop()
	defer b.start(t)
	kept = filepath.Join(t.TempDir(), "data")
	copyFolder(t, b.cfg.Data.Dir, kept)
	return kept
}

// putsBack puts a copy in place of the data of a stopped server.
func (b *borough) putsBack(t *testing.T, kept string) {
	t.Helper()
	if err := os.RemoveAll(b.cfg.Data.Dir); err != nil {
		t.Fatal(err)
	}
	copyFolder(t, kept, b.cfg.Data.Dir)
}

// copyFolder copies the files of a stopped server.
func copyFolder(t *testing.T, from, to string) {
	t.Helper()
	if err := os.CopyFS(to, os.DirFS(from)); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(to, 0o700); err != nil {
		t.Fatal(err)
	}
}
