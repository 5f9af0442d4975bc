package chain

import (
	"errors"
	"fmt"
	"path/filepath"

	"doorstep/server/internal/disk"
)

// EndAfter answers how long the file would be after a group of these payloads, or ErrTooLarge if they make no group.
func (f *File) EndAfter(payloads [][]byte) (int64, error) {
	total, err := groupBytes(payloads)
	return layoutAt(f.Size(), total).end, err
}

// Append writes the payloads as one group, by one write and one sync, and answers the position of the first. When it
// returns nil, the group is durable; before, no read sees it. The payloads are not kept.
//
// ErrTooLarge and ErrFull leave the file as it was. Every other error is ErrFailed: the file takes no more.
func (f *File) Append(payloads [][]byte) (Position, error) {
	if f.failed != nil {
		return 0, f.failed
	}
	total, err := groupBytes(payloads)
	if err != nil {
		return 0, err
	}
	head, digest := f.Head()
	header := groupHead{count: uint32(len(payloads)), first: head + 1, entries: uint32(total), prev: digest}
	at := header.layout(f.Size())
	if at.end > MaxFileBytes {
		return 0, fmt.Errorf("%s would grow to %d bytes: %w", f.Name(), at.end, ErrTooLarge)
	}
	if err := f.roomFor(at.end - at.start); err != nil {
		return 0, err
	}
	g := buildGroup(f.buf, at.start, header, payloads)
	f.buf = g.bytes
	if err := f.write(g.bytes, at.start); err != nil {
		return 0, err
	}
	f.publish(g, at.end)
	f.sums = g.sums
	return head + 1, nil
}

// LastSums is the digest of each payload of the group that was appended last, for whoever needs them too. It is for the
// goroutine that appends.
func (f *File) LastSums() []Digest { return f.sums }

func (f *File) roomFor(bytes int64) error {
	free, err := f.fsys.FreeBytes(filepath.Dir(f.path))
	if err != nil {
		return f.fail(fmt.Errorf("asking for free space: %w", err))
	}
	if free-bytes < f.minFree {
		return fmt.Errorf("%d bytes are free, at least %d must stay so: %w", free, f.minFree, ErrFull)
	}
	return nil
}

func (f *File) write(group []byte, start int64) error {
	_, err := f.file.WriteAt(group, start)
	if err != nil && disk.IsFull(err) {
		return f.takeBack(err)
	}
	if err != nil {
		return f.fail(err)
	}
	if err := f.file.Sync(); err != nil {
		return f.fail(err)
	}
	return nil
}

// takeBack removes a group that the disk had no room for. Nothing of it was promised to be written, and the part that
// was must be gone for good before another group goes to the same place.
func (f *File) takeBack(cause error) error {
	if err := f.Cut(); err != nil {
		return f.fail(errors.Join(cause, err))
	}
	return fmt.Errorf("%w: %w", ErrFull, cause)
}

func (f *File) fail(cause error) error {
	f.failed = fmt.Errorf("appending to %s: %w: %w", f.Name(), ErrFailed, cause)
	return f.failed
}

func (f *File) publish(g group, end int64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.slots = append(f.slots, g.slots...)
	f.end, f.digest = end, g.digest
}
