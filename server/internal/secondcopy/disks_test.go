package secondcopy

import (
	"io"
	"strings"

	"doorstep/server/internal/disk"
	"doorstep/server/internal/disk/disktest"
)

// twoDisks is the disk of the data and that of the copy under one root.
type twoDisks struct{ data, other *disktest.Disk }

func (d twoDisks) of(path string) *disktest.Disk {
	if strings.HasPrefix(path, copyDir) {
		return d.other
	}
	return d.data
}

func (d twoDisks) MkdirAll(dir string) error { return d.of(dir).MkdirAll(dir) }
func (d twoDisks) Open(path string, mode disk.Mode) (disk.File, error) {
	return d.of(path).Open(path, mode)
}
func (d twoDisks) ReadDir(dir string) ([]string, error) { return d.of(dir).ReadDir(dir) }
func (d twoDisks) Rename(from, to string) error         { return d.of(from).Rename(from, to) }
func (d twoDisks) Remove(path string) error             { return d.of(path).Remove(path) }
func (d twoDisks) SyncDir(dir string) error             { return d.of(dir).SyncDir(dir) }
func (d twoDisks) FreeBytes(dir string) (int64, error)  { return d.of(dir).FreeBytes(dir) }
func (d twoDisks) Lock(path string) (io.Closer, error)  { return d.of(path).Lock(path) }

// hanging is a disk that opens no file until it is let.
type hanging struct {
	*disktest.Disk
	answers chan struct{}
}

func (d hanging) Open(path string, mode disk.Mode) (disk.File, error) {
	<-d.answers
	return d.Disk.Open(path, mode)
}
