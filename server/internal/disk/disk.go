// Package disk is the one door through which the journal and the key store reach a file system.
//
// FS and File are ports that name exactly the steps on which durability hangs: a write, the sync of a file's data, the
// rename of a file, the sync of a directory. Local is the real thing; the package disktest holds a simulated disk which
// loses, tears and reorders whatever was not synced. Replace and ReadFile are the two ways of handling a small file.
//
// The package knows nothing of what is in the files, and it never retries: what to do after an error is the caller's
// decision.
package disk

import (
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"syscall"
)

// Sector is the number of bytes that a disk writes as a whole or not at all. 512 is the smallest in use; a disk with
// larger sectors only tears less.
const Sector = 512

// TempSuffix ends the name of a file that Replace is still writing. A file so named holds nothing of worth after a
// crash and may be removed.
const TempSuffix = ".tmp"

// ErrLocked says that another holder, in this process or another, has the lock.
var ErrLocked = errors.New("locked by another process")

// Mode says how Open opens a file.
type Mode int

// The ways of opening a file.
const (
	Read      Mode = iota // an existing file, for reading
	ReadWrite             // an existing file, for both
	Create                // an empty file, for both; what stood under the name is cut to nothing
)

// FS is a file system. Paths are those of the operating system. A missing file is fs.ErrNotExist, a full disk is
// recognised by IsFull.
type FS interface {
	// MkdirAll makes a directory, for its owner alone, and those above it that are missing.
	MkdirAll(dir string) error
	// Open opens a file.
	Open(path string, mode Mode) (File, error)
	// ReadDir lists the names in a directory in ascending order.
	ReadDir(dir string) ([]string, error)
	// Rename gives a file another name in the same directory, replacing what has that name. It is durable after SyncDir.
	Rename(from, to string) error
	// Remove removes a file. It is durable after SyncDir.
	Remove(path string) error
	// SyncDir makes names that were added, changed and removed in a directory durable.
	SyncDir(dir string) error
	// FreeBytes says how many bytes an ordinary user may still write to the disk that holds a directory.
	FreeBytes(dir string) (int64, error)
	// Lock takes the exclusive lock that the file at path stands for, or answers ErrLocked at once. It ends with Close or
	// with the process.
	Lock(path string) (io.Closer, error)
}

// File is an open file. Reads may run beside each other and beside one writer.
type File interface {
	io.ReaderAt
	io.WriterAt
	io.Closer
	// Sync returns when every byte written is on the disk (fdatasync). After an error nobody knows what is.
	Sync() error
	// Truncate sets the length. It is durable after Sync.
	Truncate(size int64) error
	// Size is the length in bytes.
	Size() (int64, error)
	// DropCache forgets clean cached pages, so that the next read comes from the disk itself. After a failed sync the
	// cache may hold, as if clean, what the disk does not.
	DropCache() error
}

// IsFull says whether an error means that there is no room: no bytes, no inodes, or a quota used up.
func IsFull(err error) bool {
	return errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT)
}

// Replace writes a small file whole: after an error or a crash the path holds either what it held before or data, never
// a mixture. The data is durable when Replace returns nil.
func Replace(fsys FS, path string, data []byte) error {
	temp := path + TempSuffix
	if err := writeSynced(fsys, temp, data); err != nil {
		_ = fsys.Remove(temp) // best effort: whoever opens the directory next removes what is left
		return err
	}
	if err := fsys.Rename(temp, path); err != nil {
		return fmt.Errorf("renaming %s into place: %w", temp, err)
	}
	if err := fsys.SyncDir(filepath.Dir(path)); err != nil {
		return fmt.Errorf("syncing the directory of %s: %w", path, err)
	}
	return nil
}

func writeSynced(fsys FS, path string, data []byte) error {
	f, err := fsys.Open(path, Create)
	if err != nil {
		return fmt.Errorf("creating %s: %w", path, err)
	}
	if _, err := f.WriteAt(data, 0); err != nil {
		return errors.Join(fmt.Errorf("writing %s: %w", path, err), f.Close())
	}
	if err := f.Sync(); err != nil {
		return errors.Join(fmt.Errorf("syncing %s: %w", path, err), f.Close())
	}
	return f.Close()
}

// ReadFile reads a file that is at most limit bytes long.
func ReadFile(fsys FS, path string, limit int64) ([]byte, error) {
	f, err := fsys.Open(path, Read)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	size, err := f.Size()
	if err != nil {
		return nil, fmt.Errorf("measuring %s: %w", path, err)
	}
	if size > limit {
		return nil, fmt.Errorf("reading %s: %d bytes, at most %d are expected", path, size, limit)
	}
	data := make([]byte, size)
	if _, err := io.ReadFull(io.NewSectionReader(f, 0, size), data); err != nil {
		return nil, fmt.Errorf("reading %s: %w", path, err)
	}
	return data, nil
}
