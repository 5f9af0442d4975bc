package server

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"doorstep/server/internal/access"
	"doorstep/server/internal/audit"
	"doorstep/server/internal/disk"
	"doorstep/server/internal/journal"
	"doorstep/server/internal/oversight"
	"doorstep/server/internal/settle"
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
		FS: disk.Local{}, Dir: filepath.Join(b.cfg.Data.Dir, auditFolder), Source: b.journal, Leaf: store.LeafOf,
		Signer: audit.NewSigner(b.cfg.Borough, b.secrets.checkpoint), Log: b.log,
	})
	if errors.Is(err, audit.ErrNote) {
		err = damagedCheckpoint(err)
	}
	if err != nil {
		return fmt.Errorf("opening the audit log: %w", err)
	}
	b.onClose("audit log", func() error { return b.audit.Close(time.Now()) })
	return nil
}

// damagedCheckpoint names what is wrong with the last checkpoint that was kept, and
// what to do about it.
func damagedCheckpoint(err error) error {
	return fmt.Errorf("%w: %s/%s is not what the server wrote: %w. Hold the journal to what others remember "+
		"(doorstep verify --checkpoint, with a tablet's or the auditor's), then move the file away and keep it: the next start writes a new one",
		ErrDamaged, auditFolder, audit.CheckpointName, err)
}

// openAccesses opens the log of who looked at what. If it lacks what the borough's
// log holds of it, as after a restore, the server goes on, and everybody who
// verifies is told.
func (b *borough) openAccesses(bool) error {
	var j *journal.Journal
	err := b.mended("the access log", func() (err error) {
		j, err = journal.Open(filepath.Join(b.cfg.Data.Dir, accessFolder), journal.Options{MinFreeBytes: b.minFree(), Quick: true})
		return err
	}, b.repairJournal(accessFolder))
	if err != nil {
		return fmt.Errorf("opening the access log: %w", err)
	}
	b.onClose("access journal", j.Close)
	b.accessJournal = j
	b.accesses, err = audit.OpenAccessLog(audit.AccessOptions{
		Journal: backing.Journal{J: j}, Anchor: b.store.State().Anchor(), Mark: b.markOf, Now: b.now, Log: b.log,
		Emergency: func(u syncproto.UserID) bool { return b.store.State().InEmergency(u, time.Now().UnixMilli()) },
		Tree:      audit.TreeOptions{FS: disk.Local{}, Path: filepath.Join(b.cfg.Data.Dir, auditFolder, "access-hashes")},
	})
	if errors.Is(err, audit.ErrOtherHistory) {
		b.log.Error("security event", "event", "the access log lacks what the audit log holds of it", "reason", err.Error())
	} else if err != nil {
		return err
	}
	b.onClose("access log", b.accesses.Close)
	return nil
}

// markOf is what stands for a record in the logs; a zero family is looked up.
func (b *borough) markOf(family syncproto.FamilyID, record syncproto.RecordID) audit.Mark {
	if family.IsZero() {
		info, err := b.store.RecordInfo(record)
		if err != nil {
			return audit.Mark{} // there is none: nobody's
		}
		family = info.Family
	}
	return b.keys.Mark(store.KeyPair{Family: family, Record: record})
}

// tableMark is how leaves name the access table that decided.
func tableMark() audit.Table {
	hash := access.TableHash()
	return audit.Table(hash[:])
}

// keepCheckpoint signs and keeps a checkpoint now.
func (b *borough) keepCheckpoint() {
	if b.cfg.unguarded || b.ledger.IsShut() {
		return
	}
	if err := b.settler.Anchor(context.Background(), b.accesses); err != nil {
		b.log.Error("the access log was not bound into the audit log", "reason", err.Error())
	}
	if _, err := b.audit.Keep(time.Now()); err != nil {
		b.log.Error("no checkpoint could be kept", "reason", err.Error())
	}
}

// finishErasing destroys what was decided and could not be destroyed then.
func (b *borough) finishErasing() {
	if err := b.erasure.Finish(); err != nil {
		b.log.Error("what was erased still has its keys", "reason", err.Error())
	}
}

// keepCheckpoints keeps one every minute until the borough is closed.
func (b *borough) keepCheckpoints() {
	quit, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		tick, flush := time.NewTicker(keepEvery), time.NewTicker(audit.FlushEvery)
		defer tick.Stop()
		defer flush.Stop()
		for {
			select {
			case <-quit:
				return
			case <-tick.C:
				b.finishErasing()
				b.keepCheckpoint()
			case <-flush.C:
				if err := b.accesses.Flush(); err != nil {
					b.log.Error("who looked at what is kept in memory until it can be written", "reason", err.Error())
				}
			}
		}
	}()
	b.onClose("keeper of checkpoints", func() error {
		close(quit)
		<-done
		return nil
	})
}

// eraseAgain erases what was erased before, ahead of anything that is served.
func (b *borough) eraseAgain(bool) error {
	folders := []string{b.cfg.Data.Dir}
	if b.cfg.Backup.Dir != "" {
		folders = append(folders, b.cfg.Backup.Dir)
	}
	var err error
	b.erased, err = settle.EraseAgain(disk.Local{}, b.store.State(), b.keys, folders...)
	return err
}

// oversight is what shows the logs.
func (b *borough) oversight() *oversight.Service {
	return oversight.New(oversight.Config{Store: b.store, Journal: b.journal, Log: b.audit, Accesses: b.accesses,
		Mark: b.markOf, RecordsOf: b.keys.RecordsOf, Now: time.Now})
}
