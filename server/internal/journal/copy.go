package journal

import (
	"errors"
	"fmt"
	"path/filepath"

	"doorstep/server/internal/chain"
	"doorstep/server/internal/disk"
)

// OpenReader opens a journal for reading, beside the process that writes it or without one: it takes no lock, changes
// nothing, and shows the entries that were acknowledged when it was opened. Complete segments are opened by their index.
// fsys nil is the file system of this machine. Errors are as for Open; ErrMissing where there is no journal.
func OpenReader(fsys disk.FS, dir string) (*Reader, error) {
	if fsys == nil {
		fsys = disk.Local{}
	}
	found, err := list(fsys, dir)
	if err != nil {
		return nil, err
	}
	if len(found.segments) == 0 {
		return nil, ErrMissing
	}
	mark, marked, err := chain.ReadMark(fsys, filepath.Join(dir, markName))
	if err != nil {
		return nil, err
	}
	seen, err := inspect(fsys, dir, inspection{readOnly: true, quick: true})
	r := &Reader{j: &Journal{dir: dir, opt: Options{FS: fsys}, segments: seen.segments, epochs: seen.epochs, failed: ErrReadOnly}}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("reading the journal in %s: %w", dir, err), r.Close())
	}
	// What stands behind the mark may still be on its way to the disk.
	if r.head, r.digest = r.j.Head(); marked && mark.Head < r.head {
		r.head, r.digest = mark.Head, mark.Digest
	}
	return r, nil
}

// Reader is a journal open for reading, up to a head that does not move.
type Reader struct {
	j      *Journal
	head   Position
	digest Digest
}

// Head is the position of the last entry and the chain digest after it.
func (r *Reader) Head() (Position, Digest) { return r.head, r.digest }

// Epochs are all epochs up to the head, oldest first.
func (r *Reader) Epochs() []EpochStart { return r.j.Epochs() }

// Read is Journal.Read.
func (r *Reader) Read(p Position) ([]byte, error) {
	if p > r.head {
		return nil, ErrNoEntry
	}
	return r.j.Read(p)
}

// DigestAt is Journal.DigestAt.
func (r *Reader) DigestAt(p Position) (Digest, error) {
	if p > r.head {
		return Digest{}, ErrNoEntry
	}
	return r.j.DigestAt(p)
}

// Close closes the segments.
func (r *Reader) Close() error { return r.j.release() }

// FormatEpochs writes epochs as they stand in the journal's directory, and ParseEpochs reads that; it answers false for
// anything else.
func FormatEpochs(epochs []EpochStart) []byte { return formatEpochs(epochs) }

// ParseEpochs is the reverse of FormatEpochs.
func ParseEpochs(b []byte) ([]EpochStart, bool) { return parseEpochs(b) }

// Copy is a journal being written from another's entries, in a directory that has none.
type Copy struct {
	j      *Journal
	epochs []EpochStart // of the other, still to come
}

// BeginCopy begins a copy of a journal with these epochs, the first of which names the journal. It is a journal from
// the first entry on; Finish makes it one that may be served.
func BeginCopy(dir string, epochs []EpochStart, opt Options) (*Copy, error) {
	if len(epochs) == 0 || epochs[0].From != 0 {
		return nil, errors.New("copying a journal: its first epoch is missing")
	}
	first := true
	draw := opt.NewEpoch
	if draw == nil {
		draw = randomEpoch
	}
	opt.NewEpoch = func() Epoch {
		if first {
			first = false
			return epochs[0].Epoch
		}
		return draw()
	}
	j, err := Open(dir, opt)
	if err != nil {
		return nil, err
	}
	if head, _ := j.Head(); head != 0 || len(j.epochs) != 1 || j.Epoch() != epochs[0].Epoch {
		return nil, errors.Join(fmt.Errorf("copying a journal to %s: there is one already", dir), j.Close())
	}
	return &Copy{j: j, epochs: epochs[1:]}, nil
}

// Append adds entries as one group.
func (c *Copy) Append(payloads [][]byte) error {
	_, err := c.j.Append(payloads)
	return err
}

// Head is the position of the last entry and the chain digest after it.
func (c *Copy) Head() (Position, Digest) { return c.j.Head() }

// Finish takes over the other's epochs, which must fit the entries, and begins a new one: whoever remembers positions
// of the journal that was copied must compare. It closes the copy.
func (c *Copy) Finish(reason string) error {
	epochs := c.j.Epochs()
	for _, e := range c.epochs {
		head, _ := c.j.Head()
		if e.From > head {
			break // it began after the copy was taken
		}
		if d, err := c.j.DigestAt(e.From); err != nil || d != e.Digest {
			return errors.Join(c.j.Close(), err, fmt.Errorf("epoch %s does not fit the entries: %w", e.Epoch, ErrDamaged))
		}
		epochs = append(epochs, e)
	}
	err := writeEpochs(c.j.opt.FS, c.j.dir, epochs)
	if err == nil {
		c.j.mu.Lock()
		c.j.epochs = epochs
		c.j.mu.Unlock()
		err = c.j.BeginEpoch(WhyRestored, reason)
	}
	return errors.Join(err, c.j.Close())
}

// Abandon closes a copy that will not be finished. What was written stays.
func (c *Copy) Abandon() error { return c.j.Close() }
