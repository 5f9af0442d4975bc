package exchange

import (
	"crypto/sha256"
	"errors"
	"slices"

	"doorstep/server/internal/access"
	"doorstep/server/internal/store"
	"doorstep/syncproto"
)

// ordering gives changes their place, inside one proposal.
type ordering struct {
	tx       *store.Tx
	x        *Exchange
	authors  authors
	askers   map[asked]access.Asker      // as they stand during the proposal
	poisoned map[syncproto.ChangeID]bool // see propose
	counted  map[syncproto.ChangeID]bool // given back with a proof: nobody is asked again whether the author may
	alerted  map[seat]uint64             // alerts about custody that this proposal raised
}

// order gives a change its receipt, and stages what follows from it.
func (o ordering) order(in *incoming) error {
	in.signed = false
	if err := o.orderChange(in); err != nil {
		return err
	}
	if !in.last || in.batch.stored == 0 || in.signed {
		return nil
	}
	_, err := o.tx.Stage(store.TipEntry{
		Actor: in.batch.actor, Device: in.batch.device.ID, Tip: in.batch.tip,
		Count: in.batch.stored, Signature: in.batch.signature,
	})
	return err
}

func (o ordering) orderChange(in *incoming) error {
	chain, err := o.chain(in)
	if err != nil {
		return err
	}
	next := in.follows(chain)
	if answered, err := o.answered(in, next); err != nil || answered {
		return err
	}
	if !o.bound(in, chain) {
		return nil
	}
	missingPrev := false
	if !next {
		if missingPrev, err = o.follow(in); err != nil {
			return err
		}
	}
	if in.refuse == syncproto.CodeOK {
		if in.refuse, err = o.fits(in.change); err != nil {
			return err
		}
	}
	if in.refuse != syncproto.CodeOK {
		return o.refuse(in)
	}
	return o.store(in, chain, missingPrev)
}

// chain is what is known of the chain of a change's actor; the zero value but for
// the actor if that is nothing.
func (o ordering) chain(in *incoming) (store.ChainInfo, error) {
	chain, err := o.tx.Chain(in.batch.actor)
	if errors.Is(err, store.ErrNotFound) {
		return store.ChainInfo{Actor: in.batch.actor}, nil
	}
	return chain, err
}

// follows reports whether a change that can be read is the next of its actor's
// chain. Then its step is right, and it is not stored: what is stored has its place
// in its actor's chain.
func (in *incoming) follows(chain store.ChainInfo) bool {
	return in.change != nil && in.refuse == syncproto.CodeOK && chain.Extends(in.prev, in.seq)
}

// answered answers a change that was stored or refused before.
func (o ordering) answered(in *incoming, next bool) (bool, error) {
	if !next {
		ref, err := o.tx.Change(in.id)
		if err == nil {
			return true, o.again(in, ref)
		}
		if !errors.Is(err, store.ErrNotFound) {
			return false, err
		}
	}
	ref, err := o.tx.Refused(in.id)
	if errors.Is(err, store.ErrNotFound) {
		return false, nil
	}
	in.receipt = syncproto.Receipt{Change: in.id, Status: syncproto.StatusRefused, Code: ref.Code}
	return err == nil, err
}

// again answers a change that is here: the same receipt, or a better one if it
// was held and its time has come, or if it is shown now that it had counted before a
// restore.
func (o ordering) again(in *incoming, ref store.ChangeRef) error {
	if ref.Status == syncproto.StatusHeld || in.returned {
		if err := o.reconsider(ref.ID); err != nil {
			return err
		}
		var err error
		if ref, err = o.tx.Change(in.id); err != nil {
			return err
		}
	}
	missing, err := o.missing(ref)
	in.receipt = receiptOf(ref, missing)
	if ref.Status == syncproto.StatusQuarantined && o.tx.State().IsErased(ref.Family, ref.Record) {
		in.receipt.Code = syncproto.CodeErased // nobody can let it in any more
	}
	return err
}

func receiptOf(ref store.ChangeRef, missing []syncproto.ChangeID) syncproto.Receipt {
	return syncproto.Receipt{
		Change: ref.ID, Status: ref.Status, Code: ref.Code,
		Durability: syncproto.DurabilityStored, Position: ref.Position, Missing: missing,
	}
}

// bound refuses a change of an actor that belongs to another device. It leaves
// no trace in that actor's chain.
func (o ordering) bound(in *incoming, chain store.ChainInfo) bool {
	if chain.Known == 0 || chain.Device == in.batch.device.ID {
		return true
	}
	o.x.alarm("actor of another device", syncproto.CodeWrongDevice, in.batch, in.id)
	in.receipt = syncproto.Receipt{Change: in.id, Status: syncproto.StatusRefused, Code: syncproto.CodeWrongDevice}
	return false
}

// follow checks the step from the change before. It reports whether that is
// missing; a step that cannot be refuses the change.
func (o ordering) follow(in *incoming) (missing bool, err error) {
	if in.prev.IsZero() {
		return false, nil // placeInChain made it the first
	}
	actor, seq, err := o.placeOf(in.prev)
	if errors.Is(err, store.ErrNotFound) {
		return true, nil
	}
	if err != nil {
		return false, err
	}
	if in.seq == 0 {
		in.seq = seq + 1 // nothing in the batch could be read
	}
	if in.refuse == syncproto.CodeOK && (actor != in.batch.actor || in.seq != seq+1) {
		in.refuse, in.seq = syncproto.CodeMalformed, seq+1
	}
	return false, nil
}

// placeOf finds whose chain a change is in, and where.
func (o ordering) placeOf(id syncproto.ChangeID) (syncproto.ActorID, uint64, error) {
	c, err := o.tx.Change(id)
	if err == nil {
		return c.Actor, c.Seq, nil
	}
	if !errors.Is(err, store.ErrNotFound) {
		return syncproto.ActorID{}, 0, err
	}
	r, err := o.tx.Refused(id)
	return r.Actor, r.Seq, err
}

// fits says why a change does not fit the record that it names.
func (o ordering) fits(c *syncproto.Change) (syncproto.Code, error) {
	if other, err := o.otherRecord(c); err != nil || other {
		return syncproto.CodeWrongRecord, err
	}
	for _, dep := range c.Body.Deps {
		d, err := o.tx.Change(dep)
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return 0, err
		}
		if err == nil && foreign(c, d) {
			return syncproto.CodeForeignDep, nil
		}
	}
	return syncproto.CodeOK, nil
}

// otherRecord reports whether what is placed of a change's record says that it is
// another family's, or of another kind.
func (o ordering) otherRecord(c *syncproto.Change) (bool, error) {
	info, err := o.tx.RecordInfo(c.Body.Record)
	if errors.Is(err, store.ErrNotFound) {
		return false, nil
	}
	return info.Family != c.Body.Family || info.Kind != c.Body.Kind, err
}

// foreign reports whether a dep is of another record than the change that names it.
func foreign(c *syncproto.Change, dep store.ChangeRef) bool {
	return dep.Record != c.Body.Record || dep.Family != c.Body.Family || dep.Kind != c.Body.Kind
}

// refuse keeps the place of a refused change in its chain, so that what follows
// it stays provable.
func (o ordering) refuse(in *incoming) error {
	switch in.refuse {
	case syncproto.CodeWrongDevice, syncproto.CodeWrongBorough, syncproto.CodeWrongRecord, syncproto.CodeForeignDep:
		o.x.alarm("change refused", in.refuse, in.batch, in.id)
	default:
		o.x.note("change refused", in.refuse, in.batch, in.id)
	}
	in.receipt = syncproto.Receipt{Change: in.id, Status: syncproto.StatusRefused, Code: in.refuse}
	if in.seq == 0 {
		return nil // a place nobody can tell yet; sent again, it is refused again
	}
	if in.change != nil {
		in.digest = sha256.Sum256(in.change.Raw)
	}
	_, err := o.tx.Stage(store.RefusedEntry{
		ID: in.id, Prev: in.prev, Digest: in.digest, Actor: in.batch.actor, Device: in.batch.device.ID,
		Seq: in.seq, Code: in.refuse, AtMS: o.tx.AtMS(),
	})
	if err != nil {
		return err
	}
	in.batch.stored++
	return o.release(in.id)
}

// store files a change under the status that its moment gives it.
func (o ordering) store(in *incoming, chain store.ChainInfo, missingPrev bool) error {
	b := &in.change.Body
	e := in.sealed.In(store.ChangeEntry{
		ID: in.id, Prev: in.prev, Record: b.Record, Family: b.Family, Kind: b.Kind, Actor: b.Actor, Seq: b.Seq,
		Deps: b.Deps, Author: b.Author, Device: in.batch.device.ID, AtMS: in.atMS,
	})
	var err error
	e.Status, e.Code, err = o.statusOf(in.change, e.Device, e.AtMS)
	if err != nil {
		return err
	}
	if in.recovered && e.Code != syncproto.CodeErased {
		e.Status, e.Code = syncproto.StatusQuarantined, syncproto.CodeRecovered
	}
	if e.Code == syncproto.CodeErased && !in.erased {
		return syncproto.CodeUnavailable // erased since it was sealed: sent again, it goes into custody
	}
	e.Gap, e.Counted = missingPrev && (in.gap || in.returned || in.recovered), in.returned
	if missingPrev && !in.erased && !e.Gap && e.Status != syncproto.StatusHeld {
		e.Status, e.Code = syncproto.StatusHeld, syncproto.CodeMissingPrev
	}
	if full, err := o.custodyFull(e); err != nil {
		return err
	} else if full && !in.recovered {
		return o.keepOnDevice(in, e)
	}
	forks, err := o.forks(in, chain)
	if err != nil {
		return err
	}
	if in.last {
		e.Signature, e.Run, in.signed = in.batch.signature, in.batch.stored+1, len(in.batch.signature) > 0
	}
	position, err := o.tx.Stage(e)
	if err != nil {
		return err
	}
	in.batch.stored++
	if e.Status != syncproto.StatusAccepted {
		o.x.note("change kept out", e.Code, in.batch, in.id)
		if err := o.noteFilling(e); err != nil {
			return err
		}
	}
	if err := o.followUp(in.change, e.Status); err != nil {
		return err
	}
	if forks {
		o.x.alarm("forked actor", syncproto.CodeForked, in.batch, in.id)
		if err := o.verdict(in.change, syncproto.VerdictForked, syncproto.CodeForked); err != nil {
			return err
		}
	}
	if err := o.release(in.id); err != nil {
		return err
	}
	ref := store.ChangeRef{ID: e.ID, Status: e.Status, Code: e.Code, Position: position}
	if e.Status != syncproto.StatusAccepted { // else nothing that follows moves it on
		if ref, err = o.tx.Change(in.id); err != nil {
			return err
		}
	}
	missing, err := o.missing(ref)
	in.receipt = receiptOf(ref, missing)
	return err
}

// followUp stages what a newly placed change brings with it.
func (o ordering) followUp(c *syncproto.Change, status syncproto.ReceiptStatus) error {
	switch status {
	case syncproto.StatusLate:
		return o.verdict(c, syncproto.VerdictLate, syncproto.CodeLate)
	case syncproto.StatusAccepted:
		return o.judge(c)
	}
	return nil
}

// forks reports whether a change is the first to claim a place that another has.
func (o ordering) forks(in *incoming, chain store.ChainInfo) (bool, error) {
	if chain.Forked {
		return false, nil
	}
	return o.tx.Claimed(chain, in.seq)
}

func (o ordering) verdict(c *syncproto.Change, kind syncproto.VerdictKind, code syncproto.Code) error {
	v := syncproto.Verdict{
		Kind: kind, Family: c.Body.Family, Record: c.Body.Record, Change: c.ID, Code: code, AtMS: o.tx.AtMS(),
	}
	if kind == syncproto.VerdictForked {
		v.Actor = c.Body.Actor
	}
	_, err := o.tx.Stage(store.VerdictEntry{Verdict: v})
	return err
}

// missing lists what a held change waits for and nobody has sent, sorted.
func (o ordering) missing(ref store.ChangeRef) ([]syncproto.ChangeID, error) {
	if ref.Status != syncproto.StatusHeld {
		return nil, nil
	}
	var out []syncproto.ChangeID
	for _, id := range append(slices.Clone(ref.Deps), ref.Prev) {
		if id.IsZero() {
			continue
		}
		_, _, err := o.placeOf(id)
		if errors.Is(err, store.ErrNotFound) {
			out = append(out, id)
		} else if err != nil {
			return nil, err
		}
	}
	return syncproto.MergeHeads(out, nil), nil
}
