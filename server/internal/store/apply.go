package store

import (
	"errors"
	"fmt"
	"slices"

	"doorstep/syncproto"
)

// applyChange files a new change: its row, its place in the chain, and what its
// status asks for. Only a change that is placed says which family and kind a
// record is of: else a stranger could claim a record by naming it first.
func (tx *Tx) applyChange(position uint64, e ChangeEntry) error {
	if err := tx.mustBeNew(e); err != nil {
		return err
	}
	ref := refOf(position, e)
	if err := tx.claim(link{e.ID, e.Prev, e.Actor, e.Seq}, e.Device); err != nil {
		return err
	}
	switch e.Status {
	case syncproto.StatusAccepted:
		record, err := tx.recordFor(ref)
		if err != nil {
			return err
		}
		return tx.place(&ref, &record, FeedRef{Position: position, Type: FeedChange, Change: position})
	case syncproto.StatusHeld, syncproto.StatusQuarantined:
		if err := tx.wait(ref); err != nil {
			return err
		}
		if err := tx.putAside(ref); err != nil {
			return err
		}
	case syncproto.StatusLate: // the VerdictLate that follows puts it into the feed
	default:
		return fmt.Errorf("a change cannot be stored with status %d: %w", e.Status, ErrEntry)
	}
	tx.putChange(ref)
	return nil
}

// refOf is what the index knows of a change by its entry, before that is placed.
func refOf(position uint64, e ChangeEntry) ChangeRef {
	return ChangeRef{
		ID: e.ID, Position: position, Record: e.Record, Family: e.Family, Kind: e.Kind,
		Actor: e.Actor, Seq: e.Seq, Prev: e.Prev, Deps: e.Deps, Author: e.Author, Device: e.Device,
		AtMS: e.AtMS, Status: e.Status, Code: e.Code, Size: uint64(len(e.Sealed)),
	}
}

// mustBeNew guards against a change that is here already. Its place in the chain
// tells for most.
func (tx *Tx) mustBeNew(e ChangeEntry) error {
	chain, err := tx.Chain(e.Actor)
	if err != nil && !errors.Is(err, ErrNotFound) {
		return err
	}
	if chain.Extends(e.Prev, e.Seq) {
		return nil
	}
	if _, err := tx.Change(e.ID); !errors.Is(err, ErrNotFound) {
		return fmt.Errorf("change %s is here already: %w", e.ID, orDamaged(err))
	}
	return nil
}

// orDamaged is for the error of a look-up that should have found nothing.
func orDamaged(err error) error {
	if err == nil {
		return ErrEntry
	}
	return err
}

func (tx *Tx) applyRefused(position uint64, e RefusedEntry) error {
	ref := RefusedRef{ID: e.ID, Position: position, Actor: e.Actor, Seq: e.Seq, Code: e.Code}
	tx.set(tx.keyOf(keyRefused, e.ID[:]), ref.encode())
	return tx.claim(link{e.ID, e.Prev, e.Actor, e.Seq}, e.Device)
}

// link is a place in an actor's chain.
type link struct {
	id, prev syncproto.ChangeID
	actor    syncproto.ActorID
	seq      uint64
}

// claim files a place in an actor's chain. The first place of all binds the
// actor to its device. A row of its own is only for a place that the end of the
// chain does not come to at once.
func (tx *Tx) claim(l link, device syncproto.DeviceID) error {
	chain, err := tx.Chain(l.actor)
	if errors.Is(err, ErrNotFound) {
		chain, err = ChainInfo{Actor: l.actor, Device: device}, nil
	}
	if err != nil {
		return err
	}
	if l.seq > chain.Seq && !chain.Extends(l.prev, l.seq) {
		tx.set(placeKey(l.actor, l.seq, l.id), l.prev[:])
	}
	chain.Known = max(chain.Known, l.seq)
	if err := tx.advance(&chain, l); err != nil {
		return err
	}
	tx.set(tx.keyOf(keyActor, l.actor[:]), chain.encode())
	return nil
}

// advance moves the end of the gapless chain on, over places that came early too.
func (tx *Tx) advance(chain *ChainInfo, next link) error {
	for next.seq == chain.Seq+1 && next.prev == chain.Tip {
		chain.Seq, chain.Tip = next.seq, next.id
		if chain.Seq == chain.Known {
			return nil
		}
		after, err := tx.follower(*chain)
		if err != nil {
			return err
		}
		next = after
	}
	return nil
}

// follower finds the stored change after the tip of a chain; a zero link if none.
func (tx *Tx) follower(chain ChainInfo) (found link, err error) {
	prefix := placeKey(chain.Actor, chain.Seq+1)
	err = tx.scan(prefix, prefix, func(k, v []byte) (bool, error) {
		if string(v) != string(chain.Tip[:]) {
			return true, nil
		}
		found = link{lastChange(k), chain.Tip, chain.Actor, chain.Seq + 1}
		return false, nil
	})
	return found, err
}

// recordFor returns the record that a change is placed in, new or known.
func (tx *Tx) recordFor(c ChangeRef) (RecordInfo, error) {
	r, err := tx.RecordInfo(c.Record)
	if errors.Is(err, ErrNotFound) {
		return RecordInfo{Record: c.Record, Family: c.Family, Kind: c.Kind}, nil
	}
	if err == nil && (r.Family != c.Family || r.Kind != c.Kind) {
		err = fmt.Errorf("change %s: %w", c.ID, syncproto.CodeWrongRecord)
	}
	return r, err
}

// place makes a change part of what readers see, by a row of the feed.
func (tx *Tx) place(c *ChangeRef, r *RecordInfo, row FeedRef) error {
	c.Placed = row.Position
	if c.Status == syncproto.StatusAccepted {
		r.Heads = slices.DeleteFunc(slices.Clone(r.Heads), func(h syncproto.ChangeID) bool {
			return slices.Contains(c.Deps, h)
		})
		r.Heads = syncproto.MergeHeads(r.Heads, []syncproto.ChangeID{c.ID})
	}
	begins := r.Last == 0 && row.Type == FeedChange
	if err := tx.feed(r, row); err != nil {
		return err
	}
	if begins {
		return tx.begin(*c)
	}
	tx.putChange(*c)
	tx.putRecord(*r)
	return nil
}

// wait notes what a change waits for: its prev until that is known, each dep
// until it is accepted or late.
func (tx *Tx) wait(c ChangeRef) error {
	for _, id := range append(slices.Clone(c.Deps), c.Prev) {
		resolved, err := tx.resolved(c, id)
		if err != nil {
			return err
		}
		if !resolved {
			tx.set(key(keyWaiting, id[:]), nil)
			tx.set(waitingKey(id, c.ID), nil)
		}
	}
	return nil
}

// stopWaiting removes the notes that have served, and the mark that somebody waits
// once nobody does: a change may be the prev of one and the parent of another.
func (tx *Tx) stopWaiting(c ChangeRef) error {
	for _, id := range append(slices.Clone(c.Deps), c.Prev) {
		resolved, err := tx.resolved(c, id)
		if err != nil {
			return err
		}
		if !resolved {
			continue
		}
		tx.remove(waitingKey(id, c.ID))
		others, err := tx.Waiting(id)
		if err != nil {
			return err
		}
		if len(others) == 0 {
			tx.remove(key(keyWaiting, id[:]))
		}
	}
	return nil
}

// resolved reports whether c need not wait for id any more.
func (tx *Tx) resolved(c ChangeRef, id syncproto.ChangeID) (bool, error) {
	if id.IsZero() {
		return true, nil
	}
	other, err := tx.Change(id)
	if err == nil {
		isDep := slices.Contains(c.Deps, id)
		return !isDep || other.Placed > 0, nil
	}
	if !errors.Is(err, ErrNotFound) {
		return false, err
	}
	if slices.Contains(c.Deps, id) {
		return false, nil
	}
	_, err = tx.Refused(id)
	if errors.Is(err, ErrNotFound) {
		return false, nil
	}
	return err == nil, err
}

// putAside files a change that readers do not see.
func (tx *Tx) putAside(c ChangeRef) error {
	tx.set(unplacedKey(c.Family, c.Record, c.ID), nil)
	if c.Status == syncproto.StatusQuarantined {
		tx.set(quarantineKey(c.Family, c.Position), c.ID[:])
	}
	if c.Code == syncproto.CodeKeptAway {
		return nil // somebody has decided: it takes no room from what waits
	}
	waiting, err := tx.InCustody(c.Device, c.Author)
	if err == nil {
		tx.set(custodyKey(c.Device, c.Author), encodeNumber(waiting+c.Size))
	}
	return err
}

func (tx *Tx) takeBack(c ChangeRef) error {
	if c.Status != syncproto.StatusHeld && c.Status != syncproto.StatusQuarantined {
		return nil // it was never aside
	}
	tx.remove(unplacedKey(c.Family, c.Record, c.ID))
	if c.Status == syncproto.StatusQuarantined {
		tx.remove(quarantineKey(c.Family, c.Position))
	}
	if c.Status == syncproto.StatusQuarantined && c.Code == syncproto.CodeKeptAway {
		return nil // it took no room
	}
	waiting, err := tx.InCustody(c.Device, c.Author)
	if err == nil {
		tx.set(custodyKey(c.Device, c.Author), encodeNumber(waiting-min(waiting, c.Size)))
	}
	return err
}

func (tx *Tx) putChange(c ChangeRef)  { tx.set(tx.keyOf(keyChange, c.ID[:]), c.encode()) }
func (tx *Tx) putRecord(r RecordInfo) { tx.set(tx.keyOf(keyRecord, r.Record[:]), r.encode()) }

// applyVerdict folds a decision into what is known of its change or record.
func (tx *Tx) applyVerdict(v syncproto.Verdict) error {
	switch v.Kind {
	case syncproto.VerdictQuarantine:
		return tx.moveOn(v, syncproto.StatusQuarantined)
	case syncproto.VerdictAdmit, syncproto.VerdictRelease:
		return tx.moveOn(v, syncproto.StatusAccepted)
	case syncproto.VerdictLate:
		return tx.moveOn(v, syncproto.StatusLate)
	case syncproto.VerdictForked:
		if shown, err := tx.markForked(v); err != nil || !shown {
			return err
		}
	}
	r, err := tx.RecordInfo(v.Record)
	if err != nil {
		return fmt.Errorf("a verdict on record %s: %w", v.Record, err)
	}
	switch v.Kind {
	case syncproto.VerdictWin:
		tx.set(inForceKey(v.Record, v.Path), v.Change[:])
	case syncproto.VerdictSeal:
		if r.Sealed == 0 { // a record is sealed once
			r.Sealed, r.Hash = v.Position, v.Hash
			tx.set([]byte{keyLastSeal}, v.Hash[:])
		}
	}
	if err := tx.feed(&r, FeedRef{Position: v.Position, Type: FeedVerdict}); err != nil {
		return err
	}
	tx.putRecord(r)
	return nil
}

// markForked reports whether readers see the change that showed the fork; of
// another they hear nothing.
func (tx *Tx) markForked(v syncproto.Verdict) (shown bool, err error) {
	chain, err := tx.Chain(v.Actor)
	if err != nil {
		return false, fmt.Errorf("a verdict on actor %s: %w", v.Actor, err)
	}
	c, err := tx.Change(v.Change)
	if err != nil {
		return false, fmt.Errorf("a verdict on change %s: %w", v.Change, err)
	}
	chain.Forked = true
	tx.set(tx.keyOf(keyActor, v.Actor[:]), chain.encode())
	return c.Placed > 0, nil
}

// moveOn gives a change that readers do not have another status. Accepted or late
// brings it into the feed, before the verdict. There is no way back.
func (tx *Tx) moveOn(v syncproto.Verdict, to syncproto.ReceiptStatus) error {
	c, err := tx.Change(v.Change)
	if err != nil {
		return fmt.Errorf("a verdict on change %s: %w", v.Change, err)
	}
	if c.Placed > 0 {
		return fmt.Errorf("change %s is with its readers already: %w", c.ID, ErrEntry)
	}
	if err := tx.takeBack(c); err != nil {
		return err
	}
	c.Status, c.Code = to, v.Code
	tx.set(ownKey(c.Device, c.Author, v.Position), nil)
	if to == syncproto.StatusQuarantined {
		if err := tx.putAside(c); err != nil {
			return err
		}
		tx.putChange(c)
		return tx.stopWaiting(c)
	}
	r, err := tx.recordFor(c)
	if err != nil {
		return err
	}
	row := FeedRef{Position: v.Position, Type: FeedPlaced, Change: c.Position}
	if err := tx.place(&c, &r, row); err != nil {
		return err
	}
	return tx.stopWaiting(c)
}
