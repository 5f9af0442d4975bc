package device_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"doorstep/client-sdk/device"
	"doorstep/client-sdk/device/storetest"
	"doorstep/client-sdk/engine"
)

func TestStores(t *testing.T) {
	t.Run("memory", func(t *testing.T) { storetest.Run(t, memoryStore) })
	t.Run("badger", func(t *testing.T) { storetest.Run(t, badgerStore) })
	t.Run("with a second copy", func(t *testing.T) { storetest.Run(t, sparedStore) })
	t.Run("file", func(t *testing.T) { storetest.Run(t, fileStore) })
	t.Run("with a spare", func(t *testing.T) { storetest.Run(t, sparedStore) })
	t.Run("sealed memory", func(t *testing.T) { storetest.Run(t, sealedStore) })
}

func memoryStore(*testing.T) storetest.Opener {
	m := device.NewMemory()
	return func(*testing.T) device.Store {
		m = m.Reopen()
		return m
	}
}

func badgerStore(t *testing.T) storetest.Opener {
	dir := t.TempDir()
	return func(t *testing.T) device.Store { return openBadger(t, dir) }
}

func openBadger(t *testing.T, dir string) *device.Badger {
	t.Helper()
	b, err := device.OpenBadger(dir, device.BadgerOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func sealedStore(t *testing.T) storetest.Opener {
	open, key := memoryStore(t), device.NewStoreKey()
	return func(t *testing.T) device.Store {
		s, err := device.Sealed(open(t), key)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
}

func TestSealedRefusesAnotherKey(t *testing.T) {
	m := device.NewMemory()
	a, _ := device.Sealed(m, device.NewStoreKey())
	if err := a.Apply([]engine.Row{{Key: []byte("c"), Value: []byte("words")}}); err != nil {
		t.Fatal(err)
	}
	b, _ := device.Sealed(m, device.NewStoreKey())
	err := b.Load(func(_, _ []byte) error { return nil })
	var damage *device.DamageError
	if !errors.As(err, &damage) || damage.Kind != 'c' {
		t.Errorf("got %v, want a DamageError of kind c", err)
	}
}

// TestKilledWhileALogIsMade opens a store beside the empty files that a process leaves
// that is killed between making a log and giving it its size.
func TestKilledWhileALogIsMade(t *testing.T) {
	for _, names := range [][]string{{"00099.mem"}, {"000099.vlog"}, {"00099.mem", "000099.vlog"}} {
		t.Run(strings.Join(names, " and "), func(t *testing.T) {
			dir := t.TempDir()
			b := openBadger(t, dir)
			if err := b.Apply([]engine.Row{{Key: []byte("a"), Value: []byte("words")}}); err != nil {
				t.Fatal(err)
			}
			if err := b.Close(); err != nil {
				t.Fatal(err)
			}
			for _, name := range names {
				if err := os.WriteFile(filepath.Join(dir, "rows", name), nil, 0o600); err != nil {
					t.Fatal(err)
				}
			}
			b = openBadger(t, dir)
			defer b.Close()
			var got []byte
			if err := b.Load(func(_, value []byte) error { got = value; return nil }); err != nil {
				t.Fatal(err)
			}
			if string(got) != "words" {
				t.Errorf("the row: got %q", got)
			}
			if err := b.Apply([]engine.Row{{Key: []byte("b"), Value: []byte("more")}}); err != nil {
				t.Errorf("writing on: %v", err)
			}
		})
	}
}

// TestDamagedFiles flips bits all over a store's files, after a stop without
// Close. Opening and loading must give the rows as written or a named error,
// never wrong rows and never fewer of them.
func TestDamagedFiles(t *testing.T) {
	master := t.TempDir()
	const rows = 40
	b := openBadger(t, master)
	defer b.Close()
	for i := range rows {
		value := make([]byte, 300+i*20)
		value[0] = byte(i)
		if err := b.Apply([]engine.Row{{Key: []byte{'c', byte(i)}, Value: value}}); err != nil {
			t.Fatal(err)
		}
	}
	named := 0
	for _, name := range []string{"rows/00001.mem", "rows/000001.vlog"} {
		for _, at := range []int64{25, 300, 1500, 3000, 6000, 9000, 12000, 20000} {
			dir := t.TempDir()
			copyStore(t, master, dir)
			flipBit(t, filepath.Join(dir, name), at)
			if !loadsOrSays(t, dir, rows) {
				named++
			}
		}
	}
	if named == 0 {
		t.Error("no flipped bit was noticed: the test does not hit anything")
	}
}

// loadsOrSays reports whether the rows load; a named error is the only other way.
func loadsOrSays(t *testing.T, dir string, rows int) bool {
	t.Helper()
	b, err := device.OpenBadger(dir, device.BadgerOptions{})
	if err != nil {
		return false // badger or the count of writes says it
	}
	defer b.Close()
	got := 0
	err = b.Load(func(key, value []byte) error {
		if value[0] != key[1] || len(value) != 300+int(key[1])*20 {
			t.Errorf("row %d has a wrong value", key[1])
		}
		got++
		return nil
	})
	if err == nil && got != rows {
		t.Errorf("%d rows of %d, and no error", got, rows)
	}
	return err == nil
}

// copyStore copies a store's files as a crash would leave them, without the lock.
func copyStore(t *testing.T, from, to string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Join(to, "rows"), 0o700); err != nil {
		t.Fatal(err)
	}
	for _, folder := range []string{"", "rows"} {
		entries, err := os.ReadDir(filepath.Join(from, folder))
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			if e.IsDir() || e.Name() == "LOCK" {
				continue
			}
			copyFile(t, filepath.Join(from, folder, e.Name()), filepath.Join(to, folder, e.Name()))
		}
	}
}

// copyFile copies the first part of a file, and keeps its length: badger's files
// are sparse and mostly empty.
func copyFile(t *testing.T, from, to string) {
	t.Helper()
	const part = 1 << 20
	in, err := os.Open(from)
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	info, err := in.Stat()
	if err != nil {
		t.Fatal(err)
	}
	buf := make([]byte, min(part, info.Size()))
	if _, err := in.ReadAt(buf, 0); err != nil && len(buf) > 0 {
		t.Fatal(err)
	}
	if err := os.WriteFile(to, buf, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(to, info.Size()); err != nil {
		t.Fatal(err)
	}
}

func flipBit(t *testing.T, name string, at int64) {
	t.Helper()
	f, err := os.OpenFile(name, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var b [1]byte
	if _, err := f.ReadAt(b[:], at); err != nil {
		t.Fatal(err)
	}
	b[0] ^= 4
	if _, err := f.WriteAt(b[:], at); err != nil {
		t.Fatal(err)
	}
}
