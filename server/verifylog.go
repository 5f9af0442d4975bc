package server

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"doorstep/server/internal/audit"
	"doorstep/server/internal/journal"
	"doorstep/server/internal/store"
	"doorstep/syncproto"
)

// logCheck derives the audit log anew from the journal's entries and holds it to
// checkpoints and to the file of hashes that proofs are made from.
type logCheck struct {
	recount *audit.Recount
	kept    *audit.Recount // held to the server's own last checkpoint
	size    uint64         // of that
	heads   int
	file    *os.File      // of hashes; nil: there is none
	hashes  *bufio.Reader // over it
	behind  bool          // the file ended
	other   bool          // it has something else
	restore []string      // declared on the way
	anchors []syncproto.TreeHead
}

var errHashes = errors.New("the file of hashes does not follow from the journal: remove it, it is made anew at the next start")

func newLogCheck(cfg Config, remembered [][]byte) (*logCheck, error) {
	secrets, err := loadSecrets(cfg.secretsDir())
	if err != nil {
		return nil, err
	}
	signer := audit.NewSigner(cfg.Borough, secrets.checkpoint)
	folder := filepath.Join(cfg.Data.Dir, auditFolder)
	var heads []syncproto.TreeHead
	for i, note := range remembered {
		c, err := signer.ParseNote(note)
		if err != nil {
			return nil, fmt.Errorf("checkpoint %d: %w", i+1, err)
		}
		heads = append(heads, c.TreeHead)
	}
	var own []syncproto.TreeHead
	kept, err := os.ReadFile(filepath.Join(folder, audit.CheckpointName))
	if err == nil {
		c, err := signer.ParseNote(kept)
		if err != nil {
			return nil, damagedCheckpoint(err)
		}
		own = append(own, c.TreeHead)
	} else if !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("reading the last checkpoint: %w", err)
	}
	check := &logCheck{recount: audit.NewRecount(heads...), kept: audit.NewRecount(own...), heads: len(heads) + len(own)}
	if len(own) > 0 {
		check.size = own[0].Size
	}
	if check.file, err = os.Open(filepath.Join(folder, audit.HashesName)); err == nil {
		check.hashes = bufio.NewReaderSize(check.file, 1<<20)
	} else if !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("reading the file of hashes: %w", err)
	}
	check.recount.OnHash = check.compare
	return check, nil
}

// compare holds a hash to the file. The file may end early: what a server has not
// written yet, the next start does.
func (c *logCheck) compare(want [32]byte) error {
	if c.hashes == nil || c.behind {
		return nil
	}
	var got [32]byte
	if _, err := io.ReadFull(c.hashes, got[:]); err != nil {
		c.behind = true
		return nil
	}
	c.other = c.other || got != want
	return nil
}

func (c *logCheck) visit(p journal.Position, payload []byte) error {
	leaf, err := store.Leaf(payload)
	if err != nil {
		return fmt.Errorf("%w: entry %d: %w", ErrDamaged, p, err)
	}
	e, err := audit.DecodeEvent(leaf)
	if err != nil {
		return fmt.Errorf("%w: the leaf of entry %d: %w", ErrDamaged, p, err)
	}
	if e.Type == store.EventAnchor {
		c.anchors = append(c.anchors, syncproto.TreeHead{Size: e.Size, Root: e.Root})
	}
	if e.Type == store.EventEpoch && e.Count > 0 {
		c.anchors = nil // a copy may have been put back without its access log
		c.restore = append(c.restore, fmt.Sprintf("entry %d declares an epoch that began after %d entries", p, e.Count))
	}
	if err := c.kept.Add(leaf); err != nil {
		return err
	}
	return c.recount.Add(leaf)
}

func (c *logCheck) close() {
	if c.file != nil {
		_ = c.file.Close() // it was only read
	}
}

// accesses holds the access log to what the audit log bound in of it.
func (c *logCheck) accesses(ctx context.Context, dir string, report func(string)) error {
	recount := audit.NewRecount(c.anchors...)
	if !exists(dir) && len(c.anchors) == 0 {
		return nil
	}
	_, err := journal.VerifyEach(ctx, dir, report, func(_ journal.Position, payload []byte) error { return recount.Add(payload) })
	if err != nil {
		return fmt.Errorf("%w in the access log: %w", ErrDamaged, err)
	}
	if wrong := recount.Verdict(); len(wrong) > 0 {
		return fmt.Errorf("%w in the access log: %w", ErrDamaged, errors.Join(wrong...))
	}
	report(fmt.Sprintf("the access log of %d entries holds what was bound in %d times", recount.Head().Size, len(c.anchors)))
	return nil
}

// done reports what was found. An epoch that began before what the server's own
// last checkpoint covers explains it: a restore, which the next start declares.
func (c *logCheck) done(epochs []journal.EpochStart, report func(string)) error {
	wrong := c.recount.Verdict()
	restored := slices.ContainsFunc(epochs, func(e journal.EpochStart) bool { return e.From > 0 && uint64(e.From) < c.size })
	if lost := c.kept.Verdict(); len(lost) > 0 && restored {
		report("the server's last checkpoint is from before a restore")
	} else if wrong = append(wrong, lost...); c.other && len(lost) == 0 {
		wrong = append(wrong, errHashes)
	}
	for _, line := range c.restore {
		report(line)
	}
	if len(wrong) > 0 {
		return fmt.Errorf("%w in the audit log: %w", ErrDamaged, errors.Join(wrong...))
	}
	report(fmt.Sprintf("the audit log of %d entries holds all %d checkpoints that are remembered", c.recount.Head().Size, c.heads))
	return nil
}

// forks says what devices remember that the journal lacks.
func (b *borough) forks() string {
	declared, undeclared := 0, 0
	for _, f := range b.store.State().Forks() {
		if f.Declared {
			declared++
		} else {
			undeclared++
		}
	}
	return fmt.Sprintf("devices reported %d states of the log that a declared restore lost, and %d that nothing explains", declared, undeclared)
}
