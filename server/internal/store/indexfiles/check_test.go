package indexfiles_test

import (
	"encoding/binary"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"doorstep/server/internal/disk"
	"doorstep/server/internal/disk/disktest"
	"doorstep/server/internal/store/indexfiles"

	"github.com/dgraph-io/badger/v4"
	"github.com/dgraph-io/badger/v4/options"
)

var (
	damages = flag.Int("damages", 40, "how many times badger's files are damaged")
	seed    = flag.Uint64("seed", 1, "of the places that are damaged")
)

func openBadger(t *testing.T, dir string) *badger.DB {
	t.Helper()
	db, err := badger.Open(badger.DefaultOptions(dir).WithCompression(options.None).WithMemTableSize(8 << 20).
		WithValueLogFileSize(16 << 20).WithNumVersionsToKeep(1).WithDetectConflicts(false).WithLogger(nil))
	if err != nil {
		t.Fatal(err)
	}
	return db
}

// fill commits transactions in which the number of the last is a row of each.
func fill(t *testing.T, db *badger.DB, from, to int) {
	t.Helper()
	filler := slices.Repeat([]byte("x"), 2000)
	for n := from; n < to; n++ {
		err := db.Update(func(txn *badger.Txn) error {
			k := fmt.Appendf(nil, "row%06d", n)
			return errors.Join(txn.Set(k, append(k, filler...)), txn.Set([]byte("last"), binary.AppendUvarint(nil, uint64(n+1))))
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

// killed is a copy of badger's files as a killed process leaves them: several tables,
// and a log with what they lack.
func killed(t *testing.T) string {
	t.Helper()
	dir, left := t.TempDir(), filepath.Join(t.TempDir(), "left")
	db := openBadger(t, dir)
	fill(t, db, 0, 3000)
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	db = openBadger(t, dir)
	fill(t, db, 3000, 4000)
	if err := os.CopyFS(left, os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	return left
}

func TestSoundFilesPass(t *testing.T) {
	if err := indexfiles.Check(filepath.Join(t.TempDir(), "none")); err != nil {
		t.Errorf("no folder: %v", err)
	}
	left := killed(t)
	if err := indexfiles.Check(left); err != nil {
		t.Errorf("after the process was killed: %v", err)
	}
	db := openBadger(t, left)
	if n := rowsOf(t, db); n != 4000 {
		t.Errorf("rows: got %d, want 4000", n)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(indexfiles.Check(left), indexfiles.CheckTables(left, disk.Local{})); err != nil {
		t.Errorf("after a shutdown: %v", err)
	}
}

// TestKilledWhileALogIsMade holds that the empty file that a process leaves, which is killed between making a log and
// giving it its size, costs no index.
func TestKilledWhileALogIsMade(t *testing.T) {
	left := killed(t)
	if err := os.WriteFile(filepath.Join(left, "00099.mem"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := indexfiles.Check(left); err != nil {
		t.Fatal(err)
	}
	db := openBadger(t, left)
	if n := rowsOf(t, db); n != 4000 {
		t.Errorf("rows: got %d, want 4000", n)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
}

// TestATableThatIsBeingWrittenIsNoDamage looks at tables while badger is in the middle of one, which has a size and no
// content yet, and at one of the others when it is damaged.
func TestATableThatIsBeingWrittenIsNoDamage(t *testing.T) {
	left := killed(t)
	if err := os.WriteFile(filepath.Join(left, "999999.sst"), make([]byte, 4096), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := indexfiles.CheckTables(left, disk.Local{}); err != nil {
		t.Errorf("beside a table that is being written: %v", err)
	}
	tables, err := filepath.Glob(filepath.Join(left, "0*.sst"))
	if err != nil || len(tables) == 0 {
		t.Fatalf("tables: %v, %v", tables, err)
	}
	if err := os.WriteFile(tables[0], make([]byte, 4096), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := indexfiles.CheckTables(left, disk.Local{}); !errors.Is(err, indexfiles.ErrDamaged) {
		t.Errorf("with a damaged table: got %v, want ErrDamaged", err)
	}
	if err := os.WriteFile(filepath.Join(left, "MANIFEST"), []byte("no manifest"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := indexfiles.CheckTables(left, disk.Local{}); !errors.Is(err, indexfiles.ErrDamaged) {
		t.Errorf("with a damaged MANIFEST: got %v, want ErrDamaged", err)
	}
}

// TestDamageIsFoundOrHarmless damages a file and holds that Check says so, or that
// badger then has what was written up to some transaction, without a hole.
func TestDamageIsFoundOrHarmless(t *testing.T) {
	left := killed(t)
	files, err := filepath.Glob(filepath.Join(left, "*"))
	if err != nil {
		t.Fatal(err)
	}
	found, harmless := 0, 0
	dir := filepath.Join(t.TempDir(), "damaged")
	for n := range *damages {
		chance := rand.New(rand.NewPCG(*seed, uint64(n)))
		if err := os.RemoveAll(dir); err != nil {
			t.Fatal(err)
		}
		disktest.CopyTree(t, left, dir)
		name := filepath.Base(files[chance.IntN(len(files))])
		what := name + ", " + disktest.DamageFile(t, filepath.Join(dir, name), chance)
		err := indexfiles.Check(dir)
		switch {
		case errors.Is(err, indexfiles.ErrDamaged):
			found++
			continue
		case err != nil:
			t.Errorf("seed %d, damage %d, %s: %v", *seed, n, what, err)
			continue
		}
		harmless++
		if err := opens(t, dir); err != nil {
			t.Errorf("seed %d, damage %d, %s: it passed, and %v", *seed, n, what, err)
		}
	}
	t.Logf("seed %d: of %d damages %d were found and %d are harmless", *seed, *damages, found, harmless)
	if found == 0 || harmless == 0 {
		t.Error("that shows nothing")
	}
}

// opens says what is wrong with what badger then has; badger may refuse to open.
func opens(t *testing.T, dir string) error {
	db, err := badger.Open(badger.DefaultOptions(dir).WithCompression(options.None).WithMemTableSize(8 << 20).WithValueLogFileSize(16 << 20).WithLogger(nil))
	if err != nil {
		return nil
	}
	defer db.Close()
	rowsOf(t, db)
	return nil
}

// rowsOf counts the rows, which must be those of the first transactions.
func rowsOf(t *testing.T, db *badger.DB) (n int) {
	t.Helper()
	err := db.View(func(txn *badger.Txn) error {
		it := txn.NewIterator(badger.DefaultIteratorOptions)
		defer it.Close()
		for it.Seek([]byte("row")); it.ValidForPrefix([]byte("row")); it.Next() {
			k := it.Item().Key()
			v, err := it.Item().ValueCopy(nil)
			if err != nil {
				return err
			}
			if want := fmt.Sprintf("row%06d", n); string(k) != want || !strings.HasPrefix(string(v), want) {
				return fmt.Errorf("row %s stands where %s should", k, want)
			}
			n++
		}
		item, err := txn.Get([]byte("last"))
		if errors.Is(err, badger.ErrKeyNotFound) && n == 0 {
			return nil
		}
		if err != nil {
			return err
		}
		return item.Value(func(v []byte) error {
			if last, _ := binary.Uvarint(v); int(last) != n {
				return fmt.Errorf("%d rows, and the last transaction is %d", n, last)
			}
			return nil
		})
	})
	if err != nil {
		t.Error(err)
	}
	return n
}
