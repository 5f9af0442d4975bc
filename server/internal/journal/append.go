package journal

import (
	"errors"
	"fmt"
	"path/filepath"

	"doorstep/server/internal/chain"
	"doorstep/server/internal/disk"
)

// Append writes the payloads as one group, in order, by one write and one sync, and answers the position of the first.
// When it returns nil all of them are durable; before, no read sees any of them. The payloads are not kept.
//
// ErrFull and ErrTooLarge leave the journal as it was. After ErrFailed, nobody knows whether the group is on the disk;
// every later Append answers ErrFailed too, reads go on, and the process should exit.
func (j *Journal) Append(payloads [][]byte) (first Position, err error) {
	j.writing.Lock()
	defer j.writing.Unlock()
	if err := j.writable(); err != nil {
		return 0, err
	}
	segment, err := j.segmentFor(payloads)
	if err != nil {
		return 0, j.noteFailure(err)
	}
	first, err = segment.Append(payloads)
	if err != nil {
		return 0, j.noteFailure(err)
	}
	if err := j.mark.Set(j.markNow()); err != nil {
		return 0, j.noteFailure(fmt.Errorf("%w: %w", ErrFailed, err))
	}
	return first, nil
}

// LastSums is the SHA-256 of each payload of the group that was appended last, for whoever needs them too. It is for the
// goroutine that appends.
func (j *Journal) LastSums() []Digest { return j.last().LastSums() }

func (j *Journal) writable() error {
	if j.closed {
		return ErrClosed
	}
	return j.failed
}

// noteFailure remembers an error after which nothing more may be written.
func (j *Journal) noteFailure(err error) error {
	if errors.Is(err, ErrFailed) {
		j.failed = err
	}
	return err
}

// segmentFor is the segment that a group goes to: the last, or a new one if the group would make that too long.
func (j *Journal) segmentFor(payloads [][]byte) (*chain.File, error) {
	last := j.last()
	end, err := last.EndAfter(payloads)
	if err != nil {
		return nil, err
	}
	head, digest := last.Head()
	if end <= j.opt.SegmentBytes || head < last.Header().First {
		return last, nil
	}
	if err := j.addSegment(chain.Header{First: head + 1, Prev: digest}); err != nil {
		if disk.IsFull(err) {
			return nil, fmt.Errorf("beginning a segment: %w: %w", ErrFull, err)
		}
		return nil, fmt.Errorf("beginning a segment: %w: %w", ErrFailed, err)
	}
	if j.opt.Quick {
		_ = last.WriteIndex(filepath.Join(j.dir, indexName(last.Name()))) // best effort: a start without it takes longer
	}
	return j.last(), nil
}

// addSegment makes a segment that continues the journal. It is durable, under its name, before it takes entries.
func (j *Journal) addSegment(header chain.Header) error {
	opt := chain.Options{Kind: segmentKind(), MinFreeBytes: j.opt.MinFreeBytes}
	segment, err := chain.Create(j.opt.FS, filepath.Join(j.dir, segmentName(header.First)), header, opt)
	if err != nil {
		return err
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	j.segments = append(j.segments, segment)
	return nil
}

func (j *Journal) last() *chain.File {
	j.mu.RLock()
	defer j.mu.RUnlock()
	return j.segments[len(j.segments)-1]
}
