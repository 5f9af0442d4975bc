package backup

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"filippo.io/age"

	"doorstep/server/internal/journal"
	"doorstep/server/internal/keyring"
)

// house is a borough's journal and keys with a place for backups.
type house struct {
	t       *testing.T
	from    Source
	to      Folders
	journal *journal.Journal
	access  *journal.Journal
	ring    *keyring.Ring
	id      *age.X25519Identity
	now     time.Time
}

func newHouse(t *testing.T) *house {
	t.Helper()
	dir := t.TempDir()
	h := &house{
		t:    t,
		from: Source{Journal: filepath.Join(dir, "journal"), Access: filepath.Join(dir, "access"), Keys: filepath.Join(dir, "keys"), Borough: "test"},
		to:   Folders{Dir: filepath.Join(dir, "backups"), Keys: filepath.Join(dir, "backup-keys")},
		now:  time.Date(2026, 3, 1, 2, 0, 0, 0, time.UTC),
	}
	var err error
	if h.journal, err = journal.Open(h.from.Journal, journal.Options{Quick: true, SegmentBytes: 8 << 10}); err != nil {
		t.Fatal(err)
	}
	if h.access, err = journal.Open(h.from.Access, journal.Options{}); err != nil {
		t.Fatal(err)
	}
	if h.ring, err = keyring.Load(h.from.Keys, keyring.Key{1}, keyring.Options{Create: true}); err != nil {
		t.Fatal(err)
	}
	if h.id, err = age.GenerateX25519Identity(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = errors.Join(h.journal.Close(), h.access.Close(), h.ring.Close()) })
	return h
}

// write adds entries, each with a key of its own.
func (h *house) write(n int) {
	h.t.Helper()
	for range n {
		head, _ := h.journal.Head()
		if err := h.ring.Ensure([]keyring.Pair{pair(head + 1)}); err != nil {
			h.t.Fatal(err)
		}
		if _, err := h.journal.Append([][]byte{words(head + 1)}); err != nil {
			h.t.Fatal(err)
		}
	}
}

func words(p journal.Position) []byte {
	return bytes.Repeat(fmt.Appendf(nil, "entry %d ", p), 20)
}

func pair(p journal.Position) keyring.Pair {
	return keyring.Pair{Family: keyring.ID{1}, Record: keyring.ID{byte(p), byte(p >> 8), 1}}
}

func (h *house) options() Options {
	return Options{Recipients: []age.Recipient{h.id.Recipient()}, FullEvery: 10 * 24 * time.Hour,
		Keep: 20 * 24 * time.Hour, KeepKeys: 15 * 24 * time.Hour, Now: h.now}
}

// backup makes a backup; each is a day after the one before.
func (h *house) backup() Done {
	h.t.Helper()
	done, err := Run(h.t.Context(), h.from, h.to, h.options())
	if err != nil {
		h.t.Fatal(err)
	}
	h.now = h.now.Add(24 * time.Hour)
	return done
}

func (h *house) verify() (Verified, error) {
	return Verify(h.t.Context(), h.to, []age.Identity{h.id}, func(string) {})
}

// restore brings a backup back into a new folder and answers the journal of it.
func (h *house) restore(name string) (*journal.Journal, Source, error) {
	dir := h.t.TempDir()
	into := Source{Journal: filepath.Join(dir, "journal"), Access: filepath.Join(dir, "access"), Keys: filepath.Join(dir, "keys"), Borough: "test"}
	if _, err := Restore(h.t.Context(), h.to, name, []age.Identity{h.id}, into, func(string) {}); err != nil {
		return nil, into, err
	}
	j, err := journal.Open(into.Journal, journal.Options{Existing: true})
	if err == nil {
		h.t.Cleanup(func() { _ = j.Close() })
	}
	return j, into, err
}

func TestRestoreGivesTheJournalBackUnderANewEpoch(t *testing.T) {
	h := newHouse(t)
	h.write(60)
	if err := h.journal.BeginEpoch(journal.WhyRestored, "for the test"); err != nil {
		t.Fatal(err)
	}
	first := h.backup()
	h.write(40)
	second := h.backup()
	third := h.backup() // nothing is new
	if !first.Full || second.Full || second.From != 61 || second.Head != 100 || third.From != 101 {
		t.Errorf("backups: %+v, %+v, %+v", first, second, third)
	}
	for name, want := range map[string]journal.Position{first.Name: 60, second.Name: 100, "": 100} {
		j, into, err := h.restore(name)
		if err != nil {
			t.Fatal(err)
		}
		head, digest := j.Head()
		if d, _ := h.journal.DigestAt(head); head != want || d != digest {
			t.Errorf("%q: %d entries, want %d with the same digest", name, head, want)
		}
		epochs := j.Epochs()
		if len(epochs) != 3 || !slices.Equal(epochs[:2], h.journal.Epochs()) || !strings.Contains(epochs[2].Reason, "restored from backup-") {
			t.Errorf("%q: epochs %v", name, epochs)
		}
		ring, err := keyring.Load(into.Keys, keyring.Key{1}, keyring.Options{})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := ring.Seal(pair(want), nil, nil); err != nil {
			t.Errorf("%q: the key of the last entry: %v", name, err)
		}
		if err := ring.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if v, err := h.verify(); err != nil || !v.Opened || v.Backups != 3 || v.Head != 100 {
		t.Errorf("verify: %+v, %v", v, err)
	}
}

func TestRestoreOfAnOldBackupTakesTheNewestKeys(t *testing.T) {
	h := newHouse(t)
	h.write(10)
	old := h.backup()
	if err := h.ring.Destroy(pair(3)); err != nil {
		t.Fatal(err)
	}
	h.backup()
	_, into, err := h.restore(old.Name)
	if err != nil {
		t.Fatal(err)
	}
	ring, err := keyring.Load(into.Keys, keyring.Key{1}, keyring.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer ring.Close()
	if _, err := ring.Seal(pair(3), nil, nil); !errors.Is(err, keyring.ErrErased) {
		t.Errorf("a key that was destroyed after the backup: %v, want it to stay destroyed", err)
	}
}

func TestSetsAndKeysLiveAsLongAsTheyShould(t *testing.T) {
	h := newHouse(t)
	sets := map[string]bool{}
	for day := range 50 {
		h.write(1)
		done := h.backup()
		sets[done.Set] = true
		if len(sets) != day/10+1 {
			t.Fatalf("day %d: %d sets were begun", day, len(sets))
		}
	}
	all, err := List(h.to)
	if err != nil {
		t.Fatal(err)
	}
	// On day 49 the set of days 10 to 19 is 30 days old, the one after it 20.
	if got := len(all.sets()); got != 3 || len(all.Left) != 0 || len(all.Damaged) != 0 {
		t.Errorf("%d sets, %v left, %v damaged; want 3 and nothing", got, all.Left, all.Damaged)
	}
	if len(all.KeyFiles) != 16 {
		t.Errorf("%d copies of the keys, want 16: 15 days and the newest", len(all.KeyFiles))
	}
	if _, err := h.verify(); err != nil {
		t.Error(err)
	}
}

func TestAnotherHistoryBeginsANewSet(t *testing.T) {
	h := newHouse(t)
	h.write(30)
	h.backup()
	other := newHouse(t)
	if _, err := other.journal.Append([][]byte{[]byte("something else")}); err != nil {
		t.Fatal(err)
	}
	other.write(28)
	h.journal, h.from = other.journal, other.from
	h.write(5)
	if done := h.backup(); !done.Full || done.From != 1 || done.Head != 34 {
		t.Errorf("backup of a journal with another history: %+v, want a set of its own", done)
	}
}

func TestInterruptedBackupIsNoneAndIsRemovedByTheNext(t *testing.T) {
	h := newHouse(t)
	h.write(30)
	h.backup()
	h.write(30)
	ctx, cancel := context.WithCancel(t.Context())
	opt := h.options()
	opt.Report = func(string) { cancel() }
	from := h.from
	from.Keys = filepath.Join(t.TempDir(), "none") // fails after the journal was written
	if _, err := Run(ctx, from, h.to, opt); err == nil {
		t.Fatal("a backup without keys succeeded")
	}
	all, err := List(h.to)
	if err != nil || len(all.Backups) != 1 || len(all.Left) != 1 {
		t.Fatalf("after an interruption: %d backups, left %v, %v", len(all.Backups), all.Left, err)
	}
	h.now = h.now.Add(time.Hour)
	if done := h.backup(); done.Head != 60 {
		t.Errorf("the next backup: %+v", done)
	}
	if all, err = List(h.to); err != nil || len(all.Backups) != 2 || len(all.Left) != 0 {
		t.Errorf("%d backups, left %v, %v", len(all.Backups), all.Left, err)
	}
	if _, err := h.verify(); err != nil {
		t.Error(err)
	}
}

// TestEveryDamageIsNamed flips bits of every file and cuts it at many lengths.
func TestEveryDamageIsNamed(t *testing.T) {
	h := newHouse(t)
	h.write(30)
	h.backup()
	h.write(10)
	h.backup()
	for _, path := range h.files() {
		whole, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, content := range spoilt(whole) {
			if err := os.WriteFile(path, content, 0o600); err != nil {
				t.Fatal(err)
			}
			v, err := h.verify()
			manifest := strings.HasSuffix(path, ".json")
			if !manifest && (!errors.Is(err, ErrDamaged) || !strings.Contains(err.Error(), filepath.Base(path))) {
				t.Fatalf("%s spoilt: %v, want it named", filepath.Base(path), err)
			}
			// What a manifest says and nothing hangs on, a name or a time, may change unnoticed; the entries may not.
			if err == nil && (!v.Opened || v.Head != 40 && v.Head != 30) {
				t.Fatalf("%s spoilt: %+v", filepath.Base(path), v)
			}
			if j, _, err := h.restore(""); err == nil {
				if head, digest := j.Head(); digest != h.digestAt(head) {
					t.Fatalf("%s spoilt: restored another journal", filepath.Base(path))
				}
			}
		}
		if err := os.WriteFile(path, whole, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

func (h *house) digestAt(p journal.Position) journal.Digest {
	h.t.Helper()
	d, err := h.journal.DigestAt(p)
	if err != nil {
		h.t.Fatal(err)
	}
	return d
}

// files are all files of the backups, but for old copies of the keys, which nothing hangs on.
func (h *house) files() []string {
	var out []string
	for _, dir := range []string{h.to.Dir, h.to.Keys} {
		err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
			if err == nil && !d.IsDir() && d.Name() != "LOCK" {
				out = append(out, path)
			}
			return err
		})
		if err != nil {
			h.t.Fatal(err)
		}
	}
	return out
}

// spoilt are versions of a file with one bit flipped or the end missing.
func spoilt(whole []byte) [][]byte {
	var out [][]byte
	for _, at := range []int{0, len(whole) / 2, len(whole) - 2} {
		flipped := slices.Clone(whole)
		flipped[at] ^= 4
		out = append(out, flipped, whole[:at])
	}
	return out
}

func TestNobodyElseReadsABackup(t *testing.T) {
	h := newHouse(t)
	h.write(5)
	h.backup()
	other, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	_, err = Verify(t.Context(), h.to, []age.Identity{other}, func(string) {})
	if err == nil || errors.Is(err, ErrDamaged) || !strings.Contains(err.Error(), "identity") {
		t.Errorf("with another's identity: %v, want to hear that it is the wrong one", err)
	}
	for _, path := range h.files() {
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if bytes.Contains(b, []byte("entry 3")) {
			t.Errorf("%s holds an entry in the clear", path)
		}
	}
}

func TestBackupOfAnotherBoroughIsNotRestored(t *testing.T) {
	h := newHouse(t)
	h.write(5)
	h.backup()
	dir := t.TempDir()
	into := Source{Journal: filepath.Join(dir, "journal"), Keys: filepath.Join(dir, "keys"), Borough: "elsewhere"}
	_, err := Restore(t.Context(), h.to, "", []age.Identity{h.id}, into, func(string) {})
	if err == nil || !strings.Contains(err.Error(), "elsewhere") {
		t.Errorf("restoring another borough's backup: %v", err)
	}
	if _, err := os.Stat(into.Keys); !errors.Is(err, fs.ErrNotExist) {
		t.Error("something was written")
	}
}

// TestLogOfReadsComesBack backs the log of reads up, as it grows, and restores it.
func TestLogOfReadsComesBack(t *testing.T) {
	h := newHouse(t)
	read := func(n int) {
		t.Helper()
		if _, err := h.access.Append([][]byte{fmt.Appendf(nil, "look %d", n)}); err != nil {
			t.Fatal(err)
		}
	}
	h.write(3)
	h.backup() // before anybody looked
	for n := range 5 {
		read(n)
		h.write(1)
		if done := h.backup(); done.Full {
			t.Errorf("backup %d began a set", n)
		}
	}
	if v, err := h.verify(); err != nil || !v.Opened {
		t.Fatalf("verify: %+v, %v", v, err)
	}
	_, into, err := h.restore("")
	if err != nil {
		t.Fatal(err)
	}
	j, err := journal.Open(into.Access, journal.Options{Existing: true})
	if err != nil {
		t.Fatal(err)
	}
	defer j.Close()
	if head, digest := j.Head(); head != 5 || len(j.Epochs()) != 2 {
		t.Errorf("restored: %d entries, %d epochs, want 5 and 2", head, len(j.Epochs()))
	} else if _, want := h.access.Head(); digest != want {
		t.Error("the restored log has another chain")
	}

	files, err := filepath.Glob(filepath.Join(h.to.Dir, "set-*", "access-*"))
	if err != nil || len(files) != 5 {
		t.Fatalf("files of the log: %v, %v", files, err)
	}
	if err := os.Truncate(files[2], 50); err != nil {
		t.Fatal(err)
	}
	if _, err := h.verify(); !errors.Is(err, ErrDamaged) || !strings.Contains(err.Error(), filepath.Base(files[2])) {
		t.Errorf("verify of a cut file: %v, want it named", err)
	}
}
