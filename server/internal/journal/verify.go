package journal

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"sync/atomic"

	"doorstep/server/internal/disk"
	"doorstep/server/internal/progress"
)

// Summary is what Verify found.
type Summary struct {
	Head     Position
	Digest   Digest // of the chain after Head
	Epoch    Epoch
	Epochs   int
	Segments int
	Bytes    int64 // of all segments
	// TornBytes stand behind the last whole group and were never acknowledged. Beside a running server that is a group
	// being written.
	TornBytes  int64
	SavedTails []string // torn tails that were kept
	Marked     bool     // the mark was there and agrees
}

// Verify checks every byte of the journal in a directory and changes nothing. It takes no lock, so it works beside a
// running server and without one. It tells report, if that is not nil, what it found in each file. Errors: ErrMissing,
// or one that is an ErrDamaged and names all damaged segments.
func Verify(dir string, report func(string)) (Summary, error) {
	return verifyOn(disk.Local{}, dir, report)
}

// VerifyEach is Verify, and then calls visit with every entry, in order; the payload is visit's to keep. It ends with
// the first error of visit, which it returns, or with ctx, whose meter is told how far it is.
func VerifyEach(ctx context.Context, dir string, report func(string), visit func(Position, []byte) error) (Summary, error) {
	bytes, err := SizeOf(disk.Local{}, dir)
	if err != nil {
		return Summary{}, err
	}
	folder := filepath.Base(dir)
	hashing := atomic.Pointer[progress.Stage]{} // nil: done
	hashing.Store(progress.Begin(ctx, "hashing "+folder, progress.Bytes, bytes))
	fsys := disk.Watched(disk.Local{}, func(n int) error {
		hashing.Load().Add(int64(n))
		return ctx.Err()
	})
	return verifyEachOn(fsys, dir, report, func(entries Position) func(Position, []byte) error {
		hashing.Store(nil)
		reading := progress.Begin(ctx, "reading "+folder, progress.Entries, int64(entries))
		return func(p Position, payload []byte) error {
			reading.Add(1)
			return visit(p, payload)
		}
	})
}

// SizeOf is how many bytes the segments of the journal in dir have.
func SizeOf(fsys disk.FS, dir string) (bytes int64, err error) {
	found, err := list(fsys, dir)
	if err != nil {
		return 0, err
	}
	for _, name := range found.segments {
		f, err := fsys.Open(filepath.Join(dir, name), disk.Read)
		if err != nil {
			return 0, fmt.Errorf("measuring the journal: %w", err)
		}
		size, err := f.Size()
		if err := errors.Join(err, f.Close()); err != nil {
			return 0, fmt.Errorf("measuring the journal: %w", err)
		}
		bytes += size
	}
	return bytes, nil
}

func verifyOn(fsys disk.FS, dir string, report func(string)) (Summary, error) {
	return verifyEachOn(fsys, dir, report, nil)
}

// verifyEachOn asks visits, once all is sound, for what is to be called with each of so many entries; nil: nothing is.
func verifyEachOn(fsys disk.FS, dir string, report func(string), visits func(entries Position) func(Position, []byte) error) (Summary, error) {
	found, err := list(fsys, dir)
	if err != nil {
		return Summary{}, err
	}
	if len(found.segments) == 0 {
		if err := found.mayBegin(fsys, dir); err != nil {
			return Summary{}, err
		}
		return Summary{}, ErrMissing
	}
	seen, err := inspect(fsys, dir, inspection{readOnly: true, report: report})
	if err == nil && visits != nil {
		err = seen.each(visits(seen.summary().Head))
	}
	for _, segment := range seen.segments {
		err = errors.Join(err, segment.Close())
	}
	if err != nil {
		return Summary{}, fmt.Errorf("verifying the journal in %s: %w", dir, err)
	}
	return seen.summary(), nil
}

// each reads every entry.
func (seen *inspection) each(visit func(Position, []byte) error) error {
	for _, segment := range seen.segments {
		head, _ := segment.Head()
		for p := segment.Header().First; p <= head; p++ {
			payload, err := segment.Read(p)
			if err != nil {
				return err
			}
			if err := visit(p, payload); err != nil {
				return err
			}
		}
	}
	return nil
}

func (seen *inspection) summary() Summary {
	s := Summary{
		Epoch: seen.epochs[len(seen.epochs)-1].Epoch, Epochs: len(seen.epochs), Segments: len(seen.segments),
		TornBytes: seen.tail.Bytes, SavedTails: seen.found.saved, Marked: seen.marked,
	}
	for _, segment := range seen.segments {
		s.Bytes += segment.Size()
	}
	s.Head, s.Digest = seen.segments[len(seen.segments)-1].Head()
	return s
}
