package server

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"doorstep/server/internal/disk"
	"doorstep/server/internal/journal"
	"doorstep/server/internal/settle"
	"doorstep/syncproto"
)

// witness keeps, outside the data, how far the journal has got: an old copy of the
// data that somebody put back without a word is noticed by it at the start.
type witness struct {
	path string
	said testimony // that is in the file
}

// testimony is what the file says.
type testimony struct {
	Journal string `json:"journal"` // the journal's first epoch, which names it
	Head    uint64 `json:"head"`
	Digest  string `json:"digest"`
}

// witnessEvery is how often the witness hears of the journal.
const witnessEvery = 10 * time.Second

const maxTestimonyBytes = 4096

// heedWitness begins a new epoch if the journal is not at least what its witness
// saw.
func (b *borough) heedWitness() error {
	if b.cfg.Data.Witness == "" {
		return nil
	}
	text, err := disk.ReadFile(disk.Local{}, b.cfg.Data.Witness, maxTestimonyBytes)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("reading data.witness: %w", err)
	}
	var seen testimony
	if err := json.Unmarshal(text, &seen); err != nil {
		b.log.Warn("data.witness cannot be read and is written anew", "reason", err.Error())
		return nil
	}
	epochs := b.journal.J.Epochs()
	if seen.Journal != epochs[0].Epoch.String() {
		return fmt.Errorf("data.witness %s speaks of another journal than the one in %s: "+
			"is this the right data? If it is, remove the witness", b.cfg.Data.Witness, b.cfg.Data.Dir)
	}
	digest, err := b.journal.J.DigestAt(journal.Position(seen.Head))
	if err != nil && !errors.Is(err, journal.ErrNoEntry) {
		return err
	}
	if err == nil && fmt.Sprintf("%x", digest) == seen.Digest {
		return nil
	}
	head, _ := b.journal.Head()
	last := epochs[len(epochs)-1]
	if uint64(last.From) == head && last.Why.MayLack() {
		return nil // restored in order: that was declared
	}
	b.log.Error("the data is an older copy: data.witness saw more of the journal; a new epoch begins", "entries", head, "seen", seen.Head)
	return b.journal.J.BeginEpoch(journal.WhyOlder, fmt.Sprintf("the data is an older copy: data.witness had seen %d entries", seen.Head))
}

// beginWitness tells the witness of the journal now, every few seconds, and at the
// end.
func (b *borough) beginWitness() error {
	if b.cfg.Data.Witness == "" {
		return nil
	}
	b.witness = &witness{path: b.cfg.Data.Witness}
	if err := os.MkdirAll(filepath.Dir(b.witness.path), 0o700); err != nil {
		return fmt.Errorf("making the folder of data.witness: %w", err)
	}
	if err := b.witness.hear(b); err != nil {
		return err
	}
	quit, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		tick := time.NewTicker(witnessEvery)
		defer tick.Stop()
		for {
			select {
			case <-quit:
				return
			case <-tick.C:
				if err := b.witness.hear(b); err != nil {
					b.log.Error("data.witness cannot be written", "reason", err.Error())
				}
			}
		}
	}()
	b.onClose("witness", func() error {
		close(quit)
		<-done
		return b.witness.hear(b)
	})
	return nil
}

// hear writes what is new. Only acknowledged entries are spoken of, so the witness
// is never ahead of what the journal must have.
func (w *witness) hear(b *borough) error {
	head, digest := b.journal.J.Head()
	now := testimony{Journal: b.journal.J.Epochs()[0].Epoch.String(), Head: uint64(head), Digest: fmt.Sprintf("%x", digest)}
	if now == w.said {
		return nil
	}
	text, err := json.Marshal(now)
	if err == nil {
		err = disk.Replace(disk.Local{}, w.path, append(text, '\n'))
	}
	if err != nil {
		return fmt.Errorf("writing data.witness: %w", err)
	}
	w.said = now
	return nil
}

// beginEpoch begins an epoch while the server runs: a device was further than the
// journal.
func (b *borough) beginEpoch(was syncproto.Epoch) error {
	if b.ledger.IsShut() {
		return syncproto.CodeDiskFull
	}
	now, err := b.settler.BeginEpoch(context.Background(), was)
	if err != nil {
		return err
	}
	b.exchange.SetEpoch(now)
	b.log.Warn("a new epoch began", "before", was.String(), "now", now.String(), "reason", settle.OlderCopy)
	return nil
}
