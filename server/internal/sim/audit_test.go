package sim

import (
	"crypto/sha256"
	"errors"

	"doorstep/server/internal/audit"
	"doorstep/server/internal/disk/disktest"
	"doorstep/server/internal/journal"
	"doorstep/server/internal/store"
	"doorstep/syncproto"
)

// promise is how far the journal had got when the server last said that something
// is safe.
type promise struct {
	head   uint64
	digest [32]byte
}

// takeAtItsWord remembers what the server has promised by now.
func (w *world) takeAtItsWord() {
	head, digest := w.borough.journal.Head()
	w.sure = promise{uint64(head), digest}
}

// checkPromise checks that the journal goes on from what was promised: nothing of it
// is gone, changed or in another order, whoever was told.
func (w *world) checkPromise() {
	if w.sure.head == 0 {
		return
	}
	digest, err := w.borough.journal.DigestAt(journal.Position(w.sure.head))
	if err != nil || digest != w.sure.digest {
		w.failf("what the journal had promised up to entry %d is not there any more: %v", w.sure.head, err)
	}
}

// checkAudit derives the tree of the audit log anew from the journal, and holds it to
// what the server says, and to what each tablet remembers.
func (w *world) checkAudit() {
	b := w.borough
	if b.audit.Tree().Size() < b.store.State().Head() { // its hashes could not be written
		w.count["lags of the audit log"]++
		w.tick()
	}
	var remembered []syncproto.TreeHead
	for _, t := range w.tablets {
		log := t.engine.Log()
		if log.Alarm != nil && !t.doubts {
			w.failf("tablet %x raised an alarm: %d entries were shown to it where it remembers %d at %d, before %d", t.device[:1], log.Alarm.Size, log.Newest.Size, log.Alarm.TimeMS, log.Newest.TimeMS)
		}
		if log.Newest.Size > 0 && log.Alarm == nil {
			remembered = append(remembered, log.Newest.TreeHead)
		}
	}
	anew := audit.NewRecount(remembered...)
	for p := uint64(1); p <= b.store.State().Head(); p++ {
		payload, err := b.journal.Read(journal.Position(p))
		if err != nil {
			w.failf("reading entry %d: %v", p, err)
		}
		leaf, err := store.LeafOf(payload, sha256.Sum256(payload))
		if err = errors.Join(err, anew.Add(leaf)); err != nil {
			w.failf("the leaf of entry %d: %v", p, err)
		}
	}
	if wrong := anew.Verdict(); len(wrong) > 0 {
		w.failf("the audit log is not what the tablets were shown: %v", wrong)
	}
	if now, err := b.audit.Tree().Head(); err != nil || now != anew.Head() {
		w.failf("the server says that its audit log is %+v, %v; it is %+v", now, err, anew.Head())
	}
}

// tick is what the server does every few seconds.
func (w *world) tick() {
	err := w.borough.tick()
	if errors.Is(err, disktest.ErrPower) {
		w.borough.failed = true
	} else if err == nil {
		w.count["checkpoints kept"]++
	}
	w.log("checkpoint: %v", err == nil)
}
