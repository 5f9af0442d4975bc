package disk

import (
	"errors"
	"fmt"
	"io"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// Local is the file system of this machine. Files and directories that it makes belong to their owner alone.
type Local struct{}

var _ FS = Local{}

// MkdirAll implements FS.
func (Local) MkdirAll(dir string) error { return os.MkdirAll(dir, 0o700) }

// Open implements FS.
func (Local) Open(path string, mode Mode) (File, error) {
	f, err := os.OpenFile(path, mode.flags(), 0o600)
	if err != nil {
		return nil, err
	}
	return localFile{f}, nil
}

func (m Mode) flags() int {
	switch m {
	case Read:
		return os.O_RDONLY
	case ReadWrite:
		return os.O_RDWR
	case Create:
		return os.O_RDWR | os.O_CREATE | os.O_TRUNC
	}
	panic(fmt.Sprintf("bug: unknown mode %d", m))
}

// ReadDir implements FS.
func (Local) ReadDir(dir string) ([]string, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	names := make([]string, len(entries))
	for i, entry := range entries {
		names[i] = entry.Name()
	}
	return names, nil
}

// Rename implements FS.
func (Local) Rename(from, to string) error { return os.Rename(from, to) }

// Remove implements FS.
func (Local) Remove(path string) error { return os.Remove(path) }

// SyncDir implements FS.
func (Local) SyncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// FreeBytes implements FS.
func (Local) FreeBytes(dir string) (int64, error) {
	var stat unix.Statfs_t
	if err := unix.Statfs(dir, &stat); err != nil {
		return 0, &os.PathError{Op: "statfs", Path: dir, Err: err}
	}
	return int64(stat.Bavail) * stat.Bsize, nil
}

// Lock implements FS by flock, which the kernel releases when the process ends, however it ends.
func (Local) Lock(path string) (io.Closer, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	err = control(f, func(fd int) error { return unix.Flock(fd, unix.LOCK_EX|unix.LOCK_NB) })
	if err == nil {
		return localLock{f}, nil
	}
	if errors.Is(err, syscall.EWOULDBLOCK) {
		err = ErrLocked
	}
	return nil, errors.Join(&os.PathError{Op: "lock", Path: path, Err: err}, f.Close())
}

// localLock is a locked file.
type localLock struct{ file *os.File }

// Close lets the lock go, by its own call: a program that this process is just starting
// has the file open too until it runs, and would keep the lock for that moment.
func (l localLock) Close() error {
	err := control(l.file, func(fd int) error { return unix.Flock(fd, unix.LOCK_UN) })
	return errors.Join(err, l.file.Close())
}

type localFile struct{ *os.File }

// Sync implements File by fdatasync, which also writes the length of a file that has grown.
func (f localFile) Sync() error {
	err := control(f.File, unix.Fdatasync)
	if err != nil {
		return &os.PathError{Op: "fdatasync", Path: f.Name(), Err: err}
	}
	return nil
}

// Size implements File.
func (f localFile) Size() (int64, error) {
	info, err := f.Stat()
	if err != nil {
		return 0, err
	}
	return info.Size(), nil
}

// DropCache implements File.
func (f localFile) DropCache() error {
	return control(f.File, func(fd int) error { return unix.Fadvise(fd, 0, 0, unix.FADV_DONTNEED) })
}

// control runs a call on the file's descriptor, again if a signal cut it short before it began.
func control(f *os.File, call func(fd int) error) error {
	conn, err := f.SyscallConn()
	if err != nil {
		return err
	}
	var result error
	err = conn.Control(func(fd uintptr) {
		for result = call(int(fd)); result == unix.EINTR; {
			result = call(int(fd))
		}
	})
	if err != nil {
		return err
	}
	return result
}
