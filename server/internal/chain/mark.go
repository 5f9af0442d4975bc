package chain

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"

	"doorstep/server/internal/disk"
)

// Mark says how far a chain was acknowledged at least. It is written after each sync of the chain and not itself
// synced: it is exact after the death of a process, and may be old, but never ahead, after a power cut.
type Mark struct {
	Of     [16]byte // which chain it speaks of
	Head   Position
	Digest Digest
}

const (
	markBytes = 64
	markCheck = 56
)

// MarkFile keeps the Mark of one chain. A backup must copy it before it copies the chain.
type MarkFile struct {
	file disk.File
	path string
}

func (m Mark) encode() []byte {
	b := make([]byte, 0, markBytes)
	b = append(b, m.Of[:]...)
	b = le.AppendUint64(b, uint64(m.Head))
	b = append(b, m.Digest[:]...)
	sum := sha256.Sum256(b)
	return append(b, sum[:markBytes-markCheck]...)
}

// ReadMark reads a mark. It answers false for one that is missing or unreadable, which takes nothing from the chain: the
// mark is a second witness.
func ReadMark(fsys disk.FS, path string) (Mark, bool, error) {
	b, err := disk.ReadFile(fsys, path, disk.Sector)
	if errors.Is(err, fs.ErrNotExist) {
		return Mark{}, false, nil
	}
	if err != nil {
		return Mark{}, false, err
	}
	if len(b) != markBytes {
		return Mark{}, false, nil
	}
	m := Mark{Of: [16]byte(b), Head: Position(le.Uint64(b[16:])), Digest: Digest(b[24:])}
	return m, bytes.Equal(m.encode(), b), nil
}

// CreateMark makes the file of a mark, durably.
func CreateMark(fsys disk.FS, path string, m Mark) (*MarkFile, error) {
	if err := disk.Replace(fsys, path, m.encode()); err != nil {
		return nil, err
	}
	file, err := fsys.Open(path, disk.ReadWrite)
	if err != nil {
		return nil, fmt.Errorf("opening the new %s: %w", path, err)
	}
	return &MarkFile{file: file, path: path}, nil
}

// Set writes the mark, in one sector and without a sync.
func (f *MarkFile) Set(m Mark) error {
	if _, err := f.file.WriteAt(m.encode(), 0); err != nil {
		return fmt.Errorf("writing %s: %w", f.path, err)
	}
	return nil
}

// Sync makes the mark durable.
func (f *MarkFile) Sync() error {
	if err := f.file.Sync(); err != nil {
		return fmt.Errorf("syncing %s: %w", f.path, err)
	}
	return nil
}

// Close closes the file.
func (f *MarkFile) Close() error { return f.file.Close() }
