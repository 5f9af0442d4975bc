package server

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"doorstep/server/internal/disk"
	"doorstep/server/internal/journal"
)

// copying is a borough that keeps a second copy, and has some entries.
func copying(t *testing.T) Config {
	t.Helper()
	cfg := begin(t)
	cfg.Data.CopyDir = filepath.Join(filepath.Dir(cfg.Data.Dir), "copy")
	if err := os.Mkdir(cfg.Data.CopyDir, 0o700); err != nil {
		t.Fatal(err)
	}
	r := start(t, cfg)
	for _, login := range []string{"ada", "bea", "cat"} {
		addUser(t, r, login)
	}
	copied(t, r)
	r.stop()
	return cfg
}

func addUser(t *testing.T, r *running, login string) {
	t.Helper()
	if _, err := (localOperator{r.borough}).AddUser(t.Context(), NewUser{Login: login, Name: login, Role: "practitioner", Password: itPassword}); err != nil {
		t.Fatal(err)
	}
}

// copied waits until the second copy has everything.
func copied(t *testing.T, r *running) {
	t.Helper()
	until := time.Now().Add(time.Minute)
	for time.Now().Before(until) {
		st, err := (localOperator{r.borough}).Status(t.Context())
		if err != nil || st.Copy == nil {
			t.Fatalf("status: %+v, %v", st, err)
		}
		if st.Copy.Behind == 0 && st.Copy.Trouble == "" {
			return
		}
		<-time.After(10 * time.Millisecond)
	}
	t.Fatal("the second copy did not catch up")
}

// entries are the payloads of the journal in a folder.
func entries(t *testing.T, dir string) (all [][]byte) {
	t.Helper()
	_, err := journal.VerifyEach(t.Context(), dir, nil, func(_ journal.Position, payload []byte) error {
		all = append(all, bytes.Clone(payload))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// beginsWith checks that a journal goes on from what it was.
func beginsWith(t *testing.T, dir string, want [][]byte) {
	t.Helper()
	got := entries(t, dir)
	if len(got) < len(want) {
		t.Fatalf("%d entries, want %d at least", len(got), len(want))
	}
	for i := range want {
		if !bytes.Equal(got[i], want[i]) {
			t.Fatalf("entry %d is not what it was", i+1)
		}
	}
}

func spoil(t *testing.T, path string) {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	b[len(b)/2] ^= 8
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
}

// TestFault79DamageIsRepairedAtTheStart damages what a start reads: it is repaired
// from the second copy, and said to be; without one, the start stops.
func TestFault79DamageIsRepairedAtTheStart(t *testing.T) {
	cfg := copying(t)
	want := entries(t, filepath.Join(cfg.Data.Dir, journalFolder))
	for _, name := range []string{"journal/segment-00000000000000000001", "journal/EPOCH", "keys/keys", "access/EPOCH"} {
		t.Run(name, func(t *testing.T) {
			spoil(t, filepath.Join(cfg.Data.Dir, name))
			alone := cfg
			alone.Data.CopyDir = ""
			if _, err := Open(alone, io.Discard); !errors.Is(err, ErrDamaged) {
				t.Fatalf("a start without a second copy: %v, want ErrDamaged", err)
			}
			r := start(t, cfg)
			addUser(t, r, strings.NewReplacer("/", "", "-", "").Replace(name))
			copied(t, r)
			r.stop()
			for _, word := range []string{"damage_found", "damage_repaired"} {
				if !strings.Contains(r.log.String(), word) {
					t.Errorf("the log does not say %s:\n%s", word, r.log.String())
				}
			}
			beginsWith(t, filepath.Join(cfg.Data.Dir, journalFolder), want)
			if v, err := Verify(t.Context(), cfg, nil, func(string) {}, io.Discard); err != nil {
				t.Errorf("verify afterwards: %+v, %v", v, err)
			}
		})
	}
}

// TestFault79DamageInUseIsRepairedByTheScrub spoils a segment of a running server.
func TestFault79DamageInUseIsRepairedByTheScrub(t *testing.T) {
	cfg := copying(t)
	want := entries(t, filepath.Join(cfg.Data.Dir, journalFolder))
	r := start(t, cfg)
	copied(t, r)
	spoil(t, filepath.Join(cfg.Data.Dir, "journal/segment-00000000000000000001"))
	for _, part := range r.borough.scrubParts() {
		if part.Name != "segment-00000000000000000001" {
			continue
		}
		err := part.Check(disk.Local{})
		if err == nil {
			t.Fatal("the scrub did not see it")
		}
		if err := errors.Join(part.Repair(err), part.Check(disk.Local{})); err != nil {
			t.Fatal(err)
		}
	}
	addUser(t, r, "dan")
	r.stop()
	if !strings.Contains(r.log.String(), "damage_repaired") {
		t.Error("nothing was said of it")
	}
	beginsWith(t, filepath.Join(cfg.Data.Dir, journalFolder), want)
}

// TestLostDiskBeginsFromTheCopy loses the disk of the data whole.
func TestLostDiskBeginsFromTheCopy(t *testing.T) {
	cfg := copying(t)
	want := entries(t, filepath.Join(cfg.Data.Dir, journalFolder))
	if err := os.RemoveAll(cfg.Data.Dir); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(cfg, io.Discard); !errors.Is(err, ErrNotBegun) {
		t.Fatalf("a start on an empty disk: %v, want ErrNotBegun", err)
	}
	done, err := Repair(t.Context(), cfg, RepairOptions{}, func(string) {}, io.Discard)
	if err != nil || !done.Restored || int(done.Entries) < len(want) {
		t.Fatalf("repair: %+v, %v", done, err)
	}
	beginsWith(t, filepath.Join(cfg.Data.Dir, journalFolder), want)
	r := start(t, cfg)
	if n := len(r.borough.journal.J.Epochs()); n != 2 {
		t.Errorf("%d epochs, want a second one", n)
	}
	copied(t, r)
	r.stop()
	if done, err := Repair(t.Context(), cfg, RepairOptions{}, func(string) {}, io.Discard); err != nil || len(done.Files) > 0 || done.Restored {
		t.Errorf("repairing sound data: %+v, %v", done, err)
	}
}

// TestRepairTakesNoWordsAway damages the end of a journal of which the copy lacks
// some: nothing is changed until somebody says so.
func TestRepairTakesNoWordsAway(t *testing.T) {
	cfg := copying(t)
	alone := cfg
	alone.Data.CopyDir = ""
	r := start(t, alone)
	addUser(t, r, "dan")
	r.stop()
	path := filepath.Join(cfg.Data.Dir, "journal/segment-00000000000000000001")
	spoil(t, path)
	before, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Repair(t.Context(), cfg, RepairOptions{}, func(string) {}, io.Discard); !errors.Is(err, ErrBehind) || !errors.Is(err, ErrDamaged) {
		t.Fatalf("got %v, want ErrBehind", err)
	}
	if _, err := Open(cfg, io.Discard); !errors.Is(err, ErrDamaged) {
		t.Fatalf("a start: %v, want ErrDamaged", err)
	}
	if after, err := os.ReadFile(path); err != nil || !bytes.Equal(after, before) {
		t.Error("the damaged segment was changed")
	}
	done, err := Repair(context.Background(), cfg, RepairOptions{FromCopy: true}, func(string) {}, io.Discard)
	if err != nil || !done.Restored || len(done.Kept) != 3 {
		t.Fatalf("from the copy: %+v, %v", done, err)
	}
	start(t, cfg).stop()
}

// TestFault81CopyThatIsNotThereKeepsNobodyWaiting serves without the disk of the copy.
func TestFault81CopyThatIsNotThereKeepsNobodyWaiting(t *testing.T) {
	cfg := copying(t)
	away := cfg.Data.CopyDir + ".away"
	if err := os.Rename(cfg.Data.CopyDir, away); err != nil {
		t.Fatal(err)
	}
	r := start(t, cfg)
	addUser(t, r, "dan")
	r.stop()
	if !strings.Contains(r.log.String(), "copy_stands_still") {
		t.Error("nothing was said of it")
	}
	if exists(cfg.Data.CopyDir) {
		t.Error("the folder was made where the disk should be mounted")
	}
	if err := os.Rename(away, cfg.Data.CopyDir); err != nil {
		t.Fatal(err)
	}
	r = start(t, cfg)
	copied(t, r)
	r.stop()
	beginsWith(t, filepath.Join(cfg.Data.CopyDir, journalFolder), entries(t, filepath.Join(cfg.Data.Dir, journalFolder)))
}
