package secondcopy

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"

	"doorstep/server/internal/disk"
	"doorstep/server/internal/journal"
)

// groupBytes is how much is copied with one sync.
const groupBytes = 1 << 20

// asideSuffix ends the name of a copy that could not be gone on with.
const asideSuffix = ".aside"

// follow brings the copy up to what is durable now.
func (c *Copy) follow() error {
	if _, err := c.cfg.FS.ReadDir(c.cfg.Dir); err != nil {
		return fmt.Errorf("the folder of the second copy cannot be read: is its disk mounted? It is not made by the server: %w", err)
	}
	heads := make([]head, len(c.cfg.Journals))
	for i, f := range c.cfg.Journals {
		heads[i].at, heads[i].digest = f.Journal.Head()
	}
	// The keys come first: a copy of an entry without its key could not be read.
	if err := c.keys.Follow(c.cfg.Keys); err != nil {
		return err
	}
	// The first comes last: it speaks of the others, which are then at least as far.
	for i, f := range slices.Backward(c.cfg.Journals) {
		if err := c.followJournal(f, heads[i]); err != nil {
			return err
		}
	}
	if heads[0].at != c.Copied() {
		if err := c.followFiles(); err != nil {
			return err
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.copied = heads[0].at
	return nil
}

// maxFileBytes bounds a small file.
const maxFileBytes = 64 << 20

// followFiles copies the small files that changed.
func (c *Copy) followFiles() error {
	for _, name := range c.cfg.Files {
		b, err := disk.ReadFile(c.cfg.FS, filepath.Join(c.cfg.Data, name), maxFileBytes)
		if errors.Is(err, fs.ErrNotExist) || err == nil && bytes.Equal(b, c.file[name]) {
			continue
		}
		if err == nil {
			err = disk.Replace(c.cfg.FS, filepath.Join(c.cfg.Dir, name), b)
		}
		if err != nil {
			return fmt.Errorf("copying %s: %w", name, err)
		}
		c.file[name] = b
	}
	return nil
}

// head is the end of a journal at some moment.
type head struct {
	at     journal.Position
	digest journal.Digest
}

func (c *Copy) followJournal(f Followed, want head) error {
	to, err := c.opened(f)
	if err != nil {
		return err
	}
	at, _ := to.Head()
	for at < want.at {
		if at, err = copyGroup(f.Journal, to, at, want.at); err != nil {
			return err
		}
	}
	if end, got := to.Head(); end != want.at || got != want.digest {
		return fmt.Errorf("the copy of %s does not end as %s does: %w", f.Name, f.Name, journal.ErrDamaged)
	}
	if err := to.AdoptEpochs(f.Journal.Epochs()); err != nil {
		return fmt.Errorf("copying the epochs of %s: %w", f.Name, err)
	}
	return nil
}

// copyGroup copies some entries after at and answers how far the copy is then.
func copyGroup(from, to *journal.Journal, at, upTo journal.Position) (journal.Position, error) {
	var group [][]byte
	for size := 0; at < upTo && size < groupBytes; at++ {
		payload, err := from.Read(at + 1)
		if err != nil {
			return at, fmt.Errorf("reading what is to be copied: %w", err)
		}
		group, size = append(group, payload), size+len(payload)
	}
	if _, err := to.Append(group); err != nil {
		return at, fmt.Errorf("writing the second copy: %w", err)
	}
	return at, nil
}

// opened is the copy of a journal, open, and a beginning of it.
func (c *Copy) opened(f Followed) (*journal.Journal, error) {
	if to := c.open[f.Name]; to != nil { // only this goroutine changes it
		return to, nil
	}
	to, err := journal.OpenCopy(filepath.Join(c.cfg.Dir, f.Name), f.Journal.Epochs()[0].Epoch, journal.Options{
		Quick: true, FS: c.cfg.FS, MinFreeBytes: c.cfg.MinFreeBytes, SegmentBytes: c.cfg.SegmentBytes,
	})
	if errors.Is(err, journal.ErrDamaged) {
		return nil, errors.Join(err, c.setAside(f.Name, "it is damaged"))
	}
	if err != nil {
		return nil, fmt.Errorf("opening the second copy: %w", err)
	}
	if err := fits(f, to); err != nil {
		err = errors.Join(err, to.Close())
		if errors.Is(err, errOtherWay) {
			err = errors.Join(err, c.setAside(f.Name, err.Error()))
		}
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.open[f.Name] = to
	return to, nil
}

var errOtherWay = errors.New("the data went another way than its copy, as after a restore")

// fits holds a copy that was opened against the journal that it is to be of.
func fits(f Followed, to *journal.Journal) error {
	if to.Epochs()[0].Epoch != f.Journal.Epochs()[0].Epoch {
		return fmt.Errorf("there is a copy of another borough's %s in the folder of the second copy", f.Name)
	}
	at, digest := to.Head()
	got, err := f.Journal.DigestAt(at)
	if errors.Is(err, journal.ErrNoEntry) || err == nil && got != digest {
		return errOtherWay
	}
	return err
}

// setAside moves a copy that cannot be gone on with out of the way, once, so that the next try begins anew. Until then
// nothing is copied.
func (c *Copy) setAside(name, why string) error {
	aside := name + asideSuffix
	if _, err := c.cfg.FS.ReadDir(filepath.Join(c.cfg.Dir, aside)); err == nil {
		return fmt.Errorf("there is a %s of an earlier time in %s: look at it and move it away", aside, c.cfg.Dir)
	}
	c.mu.Lock()
	c.copied = 0
	c.mu.Unlock()
	if err := c.cfg.FS.Rename(filepath.Join(c.cfg.Dir, name), filepath.Join(c.cfg.Dir, aside)); err != nil {
		return fmt.Errorf("moving the second copy aside: %w", err)
	}
	c.cfg.Log.Error("the second copy cannot be gone on with and is begun anew", "code", codeAside, "folder", name, "kept", aside, "reason", why)
	return c.cfg.FS.SyncDir(c.cfg.Dir)
}
