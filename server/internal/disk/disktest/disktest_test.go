package disktest

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"syscall"
	"testing"

	"doorstep/server/internal/disk"
)

const dir = "/d"

func newDisk(t *testing.T, seed uint64) *Disk {
	t.Helper()
	d := New(seed)
	if err := d.MkdirAll(dir); err != nil {
		t.Fatal(err)
	}
	return d
}

func create(t *testing.T, d *Disk, path string, content []byte) disk.File {
	t.Helper()
	f, err := d.Open(path, disk.Create)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteAt(content, 0); err != nil {
		t.Fatal(err)
	}
	return f
}

func TestSyncedBytesAndNamesSurviveEveryCrash(t *testing.T) {
	want := bytes.Repeat([]byte("kept"), 1000)
	for seed := range uint64(50) {
		d := newDisk(t, seed)
		f := create(t, d, "/d/a", want)
		if err := errors.Join(f.Sync(), d.SyncDir(dir)); err != nil {
			t.Fatal(err)
		}
		if _, err := f.WriteAt([]byte("unsynced"), int64(len(want))); err != nil {
			t.Fatal(err)
		}
		d.Crash()
		if got := d.Content("/d/a"); !bytes.HasPrefix(got, want) {
			t.Fatalf("seed %d: the synced bytes are gone", seed)
		}
		if _, err := f.WriteAt(want, 0); !errors.Is(err, ErrPower) {
			t.Fatalf("seed %d: writing through a file opened before the crash: %v", seed, err)
		}
	}
}

// What is not synced must be seen lost, torn, reordered and kept, or the tests that build on the disk prove nothing.
func TestUnsyncedWritesAreLostTornReorderedAndKept(t *testing.T) {
	seen := map[string]int{}
	for seed := range uint64(300) {
		d := newDisk(t, seed)
		f := create(t, d, "/d/a", nil)
		if err := errors.Join(f.Sync(), d.SyncDir(dir)); err != nil {
			t.Fatal(err)
		}
		whole := bytes.Repeat([]byte{1}, 4*disk.Sector)
		if _, err := f.WriteAt(whole, 0); err != nil {
			t.Fatal(err)
		}
		d.Crash()
		seen[describe(d.Content("/d/a"), whole)]++
	}
	for _, want := range []string{"all", "none", "short", "holes"} {
		if seen[want] == 0 {
			t.Errorf("never saw %q in %v", want, seen)
		}
	}
}

func describe(got, whole []byte) string {
	switch {
	case bytes.Equal(got, whole):
		return "all"
	case len(got) == 0:
		return "none"
	case bytes.HasPrefix(whole, got):
		return "short"
	default:
		return "holes"
	}
}

func TestUnsyncedNamesMayVanishAndRenamesAreAtomic(t *testing.T) {
	seen := map[string]bool{}
	for seed := range uint64(100) {
		d := newDisk(t, seed)
		f := create(t, d, "/d/a", []byte("old"))
		if err := errors.Join(f.Sync(), d.SyncDir(dir)); err != nil {
			t.Fatal(err)
		}
		f = create(t, d, "/d/b", []byte("new"))
		if err := errors.Join(f.Sync(), d.Rename("/d/b", "/d/a")); err != nil {
			t.Fatal(err)
		}
		d.Crash()
		seen[fmt.Sprintf("%s %s", d.Paths(), d.Content("/d/a"))] = true
	}
	want := map[string]bool{"[/d/a] old": true, "[/d/a /d/b] old": true, "[/d/a] new": true}
	if fmt.Sprint(seen) != fmt.Sprint(want) {
		t.Errorf("got states %v, want %v", seen, want)
	}
}

func TestFailedSyncForgetsAndTheNextSaysNothing(t *testing.T) {
	lost := false
	for seed := range uint64(50) {
		d := newDisk(t, seed)
		f := create(t, d, "/d/a", []byte("hello"))
		d.FailSync(0)
		if err := f.Sync(); !errors.Is(err, syscall.EIO) {
			t.Fatalf("got %v, want EIO", err)
		}
		if err := errors.Join(f.Sync(), d.SyncDir(dir)); err != nil {
			t.Fatal(err)
		}
		if got := d.Content("/d/a"); string(got) != "hello" {
			t.Fatalf("the cache shows %q", got)
		}
		if err := f.DropCache(); err != nil {
			t.Fatal(err)
		}
		lost = lost || string(d.Content("/d/a")) != "hello"
	}
	if !lost {
		t.Error("a failed sync never lost anything")
	}
}

func TestFullDiskWritesAPart(t *testing.T) {
	d := newDisk(t, 1)
	d.SetCapacity(10)
	f := create(t, d, "/d/a", []byte("12345678"))
	n, err := f.WriteAt([]byte("abcdef"), 8)
	if n != 2 || !disk.IsFull(err) {
		t.Errorf("got %d, %v, want 2 bytes and a full disk", n, err)
	}
	if _, err := d.Open("/d/b", disk.Create); !disk.IsFull(err) {
		t.Errorf("creating a file on a full disk: %v", err)
	}
}

func TestCutPowerStrikesAtItsStep(t *testing.T) {
	d := newDisk(t, 1)
	f := create(t, d, "/d/a", []byte("x"))
	d.CutPowerAt(d.Steps() + 1)
	if err := f.Sync(); !errors.Is(err, ErrPower) {
		t.Errorf("sync at the cut: %v", err)
	}
	if _, err := d.ReadDir(dir); !errors.Is(err, ErrPower) {
		t.Errorf("listing after the cut: %v", err)
	}
	d.Crash()
	if _, err := d.ReadDir(dir); err != nil {
		t.Errorf("listing after the power came back: %v", err)
	}
}

func TestLockIsExclusiveAndEndsWithTheProcess(t *testing.T) {
	d := newDisk(t, 1)
	held, err := d.Lock("/d/LOCK")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := d.Lock("/d/LOCK"); !errors.Is(err, disk.ErrLocked) {
		t.Errorf("second lock: %v", err)
	}
	d.Kill()
	if _, err := d.Lock("/d/LOCK"); err != nil {
		t.Errorf("lock after the holder was killed: %v", err)
	}
	if err := held.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := d.Lock("/d/LOCK"); !errors.Is(err, disk.ErrLocked) {
		t.Error("closing a dead process's lock freed another's")
	}
}

func TestSameSeedSameDisk(t *testing.T) {
	run := func() *Disk {
		d := newDisk(t, 42)
		for i := range 20 {
			f := create(t, d, fmt.Sprintf("/d/%02d", i), bytes.Repeat([]byte{byte(i)}, 2000))
			if i%3 == 0 {
				if err := errors.Join(f.Sync(), d.SyncDir(dir)); err != nil {
					t.Fatal(err)
				}
			}
		}
		d.Crash()
		return d
	}
	if !Same(run(), run()) {
		t.Error("the same seed and calls left different disks")
	}
}

// The two file systems answer alike where the callers rely on it.
func TestLocalAndSimulatedAgree(t *testing.T) {
	for name, fsys := range map[string]disk.FS{"local": disk.Local{}, "simulated": New(1)} {
		t.Run(name, func(t *testing.T) { contract(t, fsys, t.TempDir()+"/sub") })
	}
}

func contract(t *testing.T, fsys disk.FS, root string) {
	t.Helper()
	if _, err := fsys.ReadDir(root); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("listing a missing directory: %v", err)
	}
	if err := fsys.MkdirAll(root); err != nil {
		t.Fatal(err)
	}
	if _, err := fsys.Open(root+"/a", disk.Read); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("opening a missing file: %v", err)
	}
	for _, content := range []string{"first, longer", "second"} {
		if err := disk.Replace(fsys, root+"/a", []byte(content)); err != nil {
			t.Fatal(err)
		}
		got, err := disk.ReadFile(fsys, root+"/a", 100)
		if err != nil || string(got) != content {
			t.Errorf("got %q, %v, want %q", got, err, content)
		}
	}
	if _, err := disk.ReadFile(fsys, root+"/a", 3); err == nil {
		t.Error("read a file beyond the limit")
	}
	names, err := fsys.ReadDir(root)
	if err != nil || fmt.Sprint(names) != "[a]" {
		t.Errorf("got names %v, %v", names, err)
	}
	held, err := fsys.Lock(root + "/LOCK")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := fsys.Lock(root + "/LOCK"); !errors.Is(err, disk.ErrLocked) {
		t.Errorf("second lock: %v", err)
	}
	if err := held.Close(); err != nil {
		t.Fatal(err)
	}
	if free, err := fsys.FreeBytes(root); err != nil || free <= 0 {
		t.Errorf("got %d free bytes, %v", free, err)
	}
	contractFile(t, fsys, root)
}

func contractFile(t *testing.T, fsys disk.FS, root string) {
	t.Helper()
	f, err := fsys.Open(root+"/a", disk.ReadWrite)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(f.Truncate(3), f.Sync(), f.DropCache()); err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteAt([]byte("!"), 5); err != nil {
		t.Fatal(err)
	}
	got, err := disk.ReadFile(fsys, root+"/a", 100)
	if err != nil || string(got) != "sec\x00\x00!" {
		t.Errorf("got %q, %v", got, err)
	}
	if size, err := f.Size(); size != 6 || err != nil {
		t.Errorf("got size %d, %v", size, err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
}
