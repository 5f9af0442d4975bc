package endtoend

import (
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"doorstep/syncproto"
)

// refusedForRoom has a tablet send a change of a visit to a server whose disk is full:
// it is told why, and keeps its words.
func (b *tablet) refusedForRoom(family syncproto.FamilyID, visit syncproto.RecordID) {
	b.t.Helper()
	b.edit(family, visit, "visit", write("household_summary", 0, "When the disk was full. "))
	_, err := b.Sync(b.t.Context())
	if !errors.Is(err, syncproto.CodeDiskFull) {
		b.t.Errorf("%s sends to a full disk: got %v, want %v", b.login, err, syncproto.CodeDiskFull)
	}
	if o, err := b.Outbox(); err != nil || o.Changes == 0 {
		b.t.Errorf("%s: outbox %+v, %v; want the words to be kept", b.login, o, err)
	}
}

// TestFault81AServerStartsOnAFullDiskAndIsRead starts a server whose disk is below
// data.min_free_mb already: people read, what they send is refused in plain words, and
// is taken once there is room. No epoch begins by it: nothing was lost.
func TestFault81AServerStartsOnAFullDiskAndIsRead(t *testing.T) {
	t.Parallel()
	b := newBorough(t, caseload{workers: 2, families: 1})
	worker, colleague := newTablet(t, b, 0, 1), newTablet(t, b, 1, 2)
	worker.syncs()
	colleague.syncs()
	family, visit := worker.families()[0], worker.newRecord()
	worker.edit(family, visit, "visit", setText("visit_type", "CIN"), write("household_summary", 0, "Before. "))
	worker.syncs()
	epoch := epochOf(t, b)
	room := b.cfg.Data.MinFreeMB
	b.stop()
	b.cfg.Data.MinFreeMB, b.full = 1<<40, true // more than any disk has
	b.start(t)
	for range 2 { // with a cursor of the run before, and with one of this
		colleague.syncs()
	}
	if folds := colleague.folds(); folds[visit] == "" {
		t.Error("a colleague does not read on a full disk what was written before")
	}
	worker.refusedForRoom(family, visit)
	b.stop()
	b.cfg.Data.MinFreeMB, b.full = room, false
	b.start(t)
	worker.syncs()
	colleague.syncs()
	worker.wantEmptyOutbox()
	if got := epochOf(t, b); got != epoch {
		t.Errorf("the epoch is %s, want %s: nothing was lost", got, epoch)
	}
	b.stop()
	wantSame(t, openData(t, b.cfg), worker, colleague)
}

func epochOf(t *testing.T, b *borough) string {
	t.Helper()
	st, err := b.op.Status(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return st.Epoch
}

// smallDisk is a file system of some megabytes.
func smallDisk(t *testing.T, size string) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "doorstep")
	if err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size="+size); err != nil {
		t.Skipf("a file system of %s cannot be mounted here: %v", size, errors.Join(err, os.Remove(dir)))
	}
	t.Cleanup(func() {
		if err := errors.Join(syscall.Unmount(dir, 0), os.Remove(dir)); err != nil {
			t.Error(err)
		}
	})
	return dir
}

// fills makes a file of a size in bytes.
func fills(t *testing.T, path string, size int64) {
	t.Helper()
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	for err = syscall.EINTR; errors.Is(err, syscall.EINTR); {
		err = syscall.Fallocate(int(f.Fd()), 0, 0, size)
	}
	if err := errors.Join(err, f.Close()); err != nil {
		t.Fatal(err)
	}
}

// TestFault81AStartWithoutRoomIsCompletedWhenThereIsSome serves on a real small disk
// that is full, and then is not: nobody starts the server again.
func TestFault81AStartWithoutRoomIsCompletedWhenThereIsSome(t *testing.T) {
	t.Parallel()
	disk := smallDisk(t, "256m")
	b := newBorough(t, caseload{workers: 1, families: 1})
	worker := newTablet(t, b, 0, 1)
	worker.syncs()
	family, visit := worker.families()[0], worker.newRecord()
	b.stop()
	moved := filepath.Join(disk, "data")
	copyFolder(t, b.cfg.Data.Dir, moved)
	b.cfg.Data.Dir, b.cfg.Data.MinFreeMB = moved, 64
	filler := filepath.Join(disk, "filler")
	fills(t, filler, 192<<20)
	b.start(t)
	epoch := epochOf(t, b)
	worker.refusedForRoom(family, visit)
	if err := os.Remove(filler); err != nil {
		t.Fatal(err)
	}
	for began := time.Now(); time.Since(began) < time.Minute; {
		if _, err := b.op.IssueCode(t.Context(), login(0)); err == nil {
			break // something was written
		}
	}
	worker.syncs()
	worker.wantEmptyOutbox()
	if got := epochOf(t, b); got != epoch {
		t.Errorf("the epoch is %s, want %s", got, epoch)
	}
	b.stop()
	wantSame(t, openData(t, b.cfg), worker)
}
