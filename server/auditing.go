package server

import (
	"context"
	"fmt"
	"path/filepath"
	"time"

	"doorstep/server/internal/access"
	"doorstep/server/internal/audit"
	"doorstep/server/internal/disk"
	"doorstep/server/internal/store"
	"doorstep/server/internal/store/backing"
	"doorstep/syncproto"
)

// keepEvery is how often a checkpoint is written down while there is news.
const keepEvery = time.Minute

// openAudit opens the audit log over the journal.
func (b *borough) openAudit(bool) error {
	var err error
	b.audit, err = audit.OpenLog(audit.LogOptions{
		FS: disk.Local{}, Dir: filepath.Join(b.cfg.Data.Dir, auditFolder), Source: b.journal, Leaf: store.Leaf,
		Signer: audit.NewSigner(b.cfg.Borough, b.secrets.checkpoint), Log: b.log,
	})
	if err != nil {
		return fmt.Errorf("opening the audit log: %w", err)
	}
	b.onClose("audit log", func() error { return b.audit.Close(time.Now()) })
	return nil
}

// audited is the journal, followed by the audit log.
type audited struct {
	backing.Journal
	log *audit.Log
}

// Append writes a group durably and takes it into the audit log.
func (a audited) Append(payloads [][]byte) (uint64, error) {
	first, err := a.Journal.Append(payloads)
	if err == nil {
		a.log.Follow(first, payloads)
	}
	return first, err
}

// tableMark is how leaves name the access table that decided.
func tableMark() audit.Table {
	hash := access.TableHash()
	return audit.Table(hash[:])
}

// declareEpochs writes down the epochs that the journal began and the access table
// that decides now. A journal that lost what its own last checkpoint covers, and
// began no epoch since, was tampered with: the server must not go on.
func (b *borough) declareEpochs() error {
	declared := map[syncproto.Epoch]bool{}
	for _, e := range b.store.State().Epochs() {
		declared[e.Epoch] = true
	}
	var entries []store.Entry
	for _, e := range b.journal.J.Epochs() {
		if !declared[syncproto.Epoch(e.Epoch)] {
			entries = append(entries, store.EpochEntry{Epoch: syncproto.Epoch(e.Epoch), From: uint64(e.From)})
		}
	}
	lost, isLost := b.audit.Lost()
	if isLost {
		if len(entries) == 0 {
			return fmt.Errorf("%w: %w: the last checkpoint was over %d entries; if a backup was put in place by hand, restore it with doorstep restore",
				ErrDamaged, audit.ErrOtherHistory, lost.Size)
		}
		last := entries[len(entries)-1].(store.EpochEntry)
		last.Known = lost.TreeHead
		entries[len(entries)-1] = last
	}
	if hash := access.TableHash(); b.store.State().TableHash() != hash {
		entries = append(entries, store.TableEntry{Hash: hash})
	}
	if len(entries) == 0 {
		return nil
	}
	_, err := b.ledger.Propose(context.Background(), func(*store.Tx) ([]store.Entry, error) { return entries, nil })
	if err != nil {
		return fmt.Errorf("declaring an epoch: %w", err)
	}
	b.audit.Declare()
	return nil
}

// keepCheckpoint signs and keeps a checkpoint now.
func (b *borough) keepCheckpoint() {
	if _, err := b.audit.Keep(time.Now()); err != nil {
		b.log.Error("no checkpoint could be kept", "reason", err.Error())
	}
}

// keepCheckpoints keeps one every minute until the borough is closed.
func (b *borough) keepCheckpoints() {
	quit, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		tick := time.NewTicker(keepEvery)
		defer tick.Stop()
		for {
			select {
			case <-quit:
				return
			case <-tick.C:
				b.keepCheckpoint()
			}
		}
	}()
	b.onClose("keeper of checkpoints", func() error {
		close(quit)
		<-done
		return nil
	})
}
