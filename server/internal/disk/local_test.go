package disk_test

import (
	"path/filepath"
	"testing"

	"doorstep/server/internal/disk"
	"doorstep/server/internal/disk/disktest"
)

// A lock that is let go is free at once, whatever this process starts beside it.
func TestALockIsFreeOnceItIsLetGo(t *testing.T) {
	disktest.StartPrograms(t)
	path := filepath.Join(t.TempDir(), "lock")
	for n := range 2000 {
		lock, err := disk.Local{}.Lock(path)
		if err != nil {
			t.Fatalf("lock %d: %v", n, err)
		}
		if err := lock.Close(); err != nil {
			t.Fatal(err)
		}
	}
}
