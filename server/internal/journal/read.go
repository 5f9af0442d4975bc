package journal

import (
	"fmt"
	"slices"

	"doorstep/server/internal/chain"
)

// Head is the position of the last durable entry, 0 if there is none, and the chain digest after it.
func (j *Journal) Head() (Position, Digest) {
	j.mu.RLock()
	defer j.mu.RUnlock()
	if len(j.segments) == 0 {
		return 0, Digest{}
	}
	return j.segments[len(j.segments)-1].Head()
}

// Read gives the payload at a position in memory of its own, checked against its digest. It answers ErrNoEntry for a
// position that the journal does not have and a *DamagedError for bytes that are not what was written.
func (j *Journal) Read(p Position) ([]byte, error) {
	segment, err := segmentOf(j.files(), p)
	if err != nil {
		return nil, err
	}
	return segment.Read(p)
}

// Scan calls fn with every entry from a position on (0 is as 1) up to the head at the time of the call, in order. Each
// payload is checked as by Read and is fn's to keep. It ends with the first error of a read or of fn.
func (j *Journal) Scan(from Position, fn func(p Position, payload []byte) error) error {
	head, _ := j.Head()
	for p := max(from, 1); p <= head; p++ {
		payload, err := j.Read(p)
		if err != nil {
			return err
		}
		if err := fn(p, payload); err != nil {
			return err
		}
	}
	return nil
}

// DigestAt is the chain digest after the entry at a position; at 0 it is 32 zero bytes. The group of the entry is
// verified for it. Errors are as for Read.
func (j *Journal) DigestAt(p Position) (Digest, error) { return digestAt(j.files(), p) }

func digestAt(segments []*chain.File, p Position) (Digest, error) {
	if p == 0 {
		return Digest{}, nil
	}
	segment, err := segmentOf(segments, p)
	if err != nil {
		return Digest{}, err
	}
	return segment.DigestAt(p)
}

// files are the segments at this moment. The slice only grows, so a copy of its header is enough.
func (j *Journal) files() []*chain.File {
	j.mu.RLock()
	defer j.mu.RUnlock()
	return j.segments
}

// segmentOf finds the segment that would hold a position.
func segmentOf(segments []*chain.File, p Position) (*chain.File, error) {
	after, _ := slices.BinarySearchFunc(segments, p, func(f *chain.File, p Position) int {
		if f.Header().First <= p {
			return -1
		}
		return 1
	})
	if after == 0 {
		return nil, fmt.Errorf("entry %d: %w", p, ErrNoEntry)
	}
	return segments[after-1], nil
}
