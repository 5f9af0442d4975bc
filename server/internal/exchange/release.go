package exchange

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"doorstep/server/internal/store"
	"doorstep/syncproto"
)

// release lets go what waited for a change, and what waited for that, and so on.
func (o ordering) release(id syncproto.ChangeID) error {
	ready := []syncproto.ChangeID{id}
	for len(ready) > 0 {
		next := ready[0]
		ready = ready[1:]
		waiters, err := o.tx.Waiting(next)
		if err != nil {
			return err
		}
		for _, w := range waiters {
			moved, err := o.moveOn(w)
			if err != nil {
				return err
			}
			if moved {
				ready = append(ready, w)
			}
		}
	}
	return nil
}

// reconsider looks at a held change again, and at what waits for it.
func (o ordering) reconsider(id syncproto.ChangeID) error {
	moved, err := o.moveOn(id)
	if err != nil || !moved {
		return err
	}
	return o.release(id)
}

// Reconsider looks again at the changes that were held because a newer app had
// written them: this program may be new enough. It is called once after start.
func (x *Exchange) Reconsider(ctx context.Context) error {
	waiting, err := x.cfg.Store.HeldFor(syncproto.CodeNewerApp)
	if err != nil {
		return fmt.Errorf("listing held changes: %w", err)
	}
	for chunk := range slices.Chunk(waiting, chunkChanges) {
		err := x.propose(ctx, authors{}, func(o ordering) error {
			for _, id := range chunk {
				if err := o.reconsider(id); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return fmt.Errorf("looking again at held changes: %w", err)
		}
	}
	return nil
}

// moveOn gives a change that waits the status of this moment. It reports whether
// that is another than it had.
func (o ordering) moveOn(id syncproto.ChangeID) (bool, error) {
	ref, err := o.tx.Change(id)
	if err != nil {
		return false, err
	}
	shared := ref.Status == syncproto.StatusQuarantined && (ref.Code == syncproto.CodeBuildsOnQuarantine || o.counted[id])
	if ref.Status != syncproto.StatusHeld && !shared {
		return false, nil
	}
	if o.tx.State().IsErased(ref.Family, ref.Record) {
		return false, nil // its words are gone with the record's
	}
	c, err := o.tx.Content(ref.Position)
	if err != nil {
		return false, err
	}
	status, code, err := o.statusNow(ref, c)
	if err != nil || status == ref.Status || status == syncproto.StatusHeld {
		return false, err
	}
	verdict := syncproto.VerdictRelease
	switch {
	case status == syncproto.StatusQuarantined:
		verdict = syncproto.VerdictQuarantine
	case status == syncproto.StatusLate:
		verdict = syncproto.VerdictLate
	case shared:
		verdict = syncproto.VerdictAdmit
	}
	if err := o.verdict(c, verdict, code); err != nil {
		return false, err
	}
	if err := o.noteRoom(ref); err != nil {
		return false, err
	}
	if status == syncproto.StatusAccepted {
		return true, o.judge(c)
	}
	return true, nil
}

// statusNow is statusOf for a stored change, its step in the chain included. One that
// was given back with its proof counts as it did, whenever that was, and waits for
// nothing before it in its chain.
func (o ordering) statusNow(ref store.ChangeRef, c *syncproto.Change) (syncproto.ReceiptStatus, syncproto.Code, error) {
	e, err := o.tx.ChangeEntry(ref.Position)
	if err != nil {
		return 0, 0, err
	}
	o.counted[ref.ID] = o.counted[ref.ID] || e.Counted
	if !ref.Prev.IsZero() {
		actor, seq, err := o.placeOf(ref.Prev)
		missing := errors.Is(err, store.ErrNotFound)
		switch {
		case missing && !e.Gap && !o.counted[ref.ID]:
			return syncproto.StatusHeld, syncproto.CodeMissingPrev, nil
		case err != nil && !missing:
			return 0, 0, err
		case !missing && (actor != ref.Actor || seq+1 != ref.Seq):
			return syncproto.StatusQuarantined, syncproto.CodeMalformed, nil
		}
	}
	return o.statusOf(c, ref.Device, ref.AtMS)
}
