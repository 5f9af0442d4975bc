package server

import (
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"doorstep/server/internal/chain"
	"doorstep/server/internal/disk"
	"doorstep/server/internal/journal"
	"doorstep/server/internal/scrub"
	"doorstep/server/internal/store"
)

// scrubState is the file in the folder of the data that remembers how far the
// scrub has got.
const scrubState = "scrub.json"

// startScrub reads the data through in the background. A start verifies only the
// end of the journal; the rest is the scrub's, which begins at once.
func (b *borough) startScrub() {
	s := scrub.Start(scrub.Config{
		Parts: b.scrubParts, BytesPerSecond: b.cfg.Scrub.MBPerSecond << 20, Every: b.cfg.Scrub.Every,
		Damage: func(err error) bool { return errors.Is(err, chain.ErrDamaged) || errors.Is(err, store.ErrDamaged) },
		State:  filepath.Join(b.cfg.Data.Dir, scrubState), FS: disk.Local{}, Log: b.log, OnFatal: b.fail,
	})
	b.scrub = s
	b.onClose("scrub", func() error { s.Stop(); return nil })
}

// scrubParts are the key store, the files of the index and each segment of the
// journal and of the log of reads. Damage in the index ends the process, and the next start builds it anew.
func (b *borough) scrubParts() []scrub.Part {
	parts := []scrub.Part{{
		Name:   keysFolder,
		Check:  func(disk.FS) error { return b.keys.Ring.Check() },
		Repair: b.rewriteKeys,
	}, {
		Name:  indexFolder,
		Check: b.store.CheckFiles,
	}}
	for _, name := range b.journal.J.Segments() {
		parts = append(parts, scrub.Part{Name: name, Repair: b.repairSegment(journalFolder, name), Check: func(through disk.FS) error {
			return b.journal.J.CheckSegment(name, through, b.checkEntry)
		}})
	}
	for _, name := range b.accessJournal.Segments() {
		parts = append(parts, scrub.Part{Name: accessFolder + "/" + name, Repair: b.repairSegment(accessFolder, name), Check: func(through disk.FS) error {
			return b.accessJournal.CheckSegment(name, through, nil)
		}})
	}
	return parts
}

// checkEntry compares the index, and what State was folded from, with an entry of
// the journal.
func (b *borough) checkEntry(p journal.Position, payload []byte) error {
	return b.store.CheckEntry(uint64(p), payload)
}

// rewriteKeys writes the key store anew from memory, where every key still is.
func (b *borough) rewriteKeys(error) error {
	aside := fmt.Sprintf("keys.damaged-%s", time.Now().UTC().Format("20060102T150405"))
	if err := b.keys.Ring.Rewrite(aside); err != nil {
		return err
	}
	b.log.Error("the key store had rotted on the disk and was written anew from memory: replace the disk", "kept", aside)
	return nil
}
