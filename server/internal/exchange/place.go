package exchange

import (
	"errors"
	"slices"

	"doorstep/server/internal/access"
	"doorstep/server/internal/store"
	"doorstep/syncproto"
	"doorstep/syncproto/schema"
)

// dayMS is how far a device's clock may be off before its changes are marked.
const dayMS = 24 * 60 * 60 * 1000

// ordering gives changes their place, inside one proposal.
type ordering struct {
	tx      *store.Tx
	x       *Exchange
	authors map[authorOf]access.Authorship // as far as looked up
}

type authorOf struct {
	record syncproto.RecordID
	user   syncproto.UserID
}

// order gives a change its receipt, and stages what follows from it.
func (o ordering) order(in *incoming) error {
	if err := o.orderChange(in); err != nil {
		return err
	}
	if !in.last || in.batch.stored == 0 {
		return nil
	}
	_, err := o.tx.Stage(store.TipEntry{
		Actor: in.batch.actor, Device: in.batch.device.ID, Tip: in.batch.tip,
		Count: in.batch.stored, Signature: in.batch.signature,
	})
	return err
}

func (o ordering) orderChange(in *incoming) error {
	if ref, err := o.tx.Change(in.id); err == nil {
		return o.again(in, ref)
	} else if !errors.Is(err, store.ErrNotFound) {
		return err
	}
	if ref, err := o.tx.Refused(in.id); err == nil {
		in.receipt = syncproto.Receipt{Change: in.id, Status: syncproto.StatusRefused, Code: ref.Code}
		return nil
	} else if !errors.Is(err, store.ErrNotFound) {
		return err
	}
	bound, err := o.bound(in)
	if err != nil || !bound {
		return err
	}
	missingPrev, err := o.follow(in)
	if err != nil {
		return err
	}
	if in.refuse == syncproto.CodeOK {
		if in.refuse, err = o.fits(in.change); err != nil {
			return err
		}
	}
	if in.refuse != syncproto.CodeOK {
		return o.refuse(in)
	}
	return o.store(in, missingPrev)
}

// again answers a change that is here: the same receipt, or a better one if it
// was held and its time has come.
func (o ordering) again(in *incoming, ref store.ChangeRef) error {
	if ref.Status == syncproto.StatusHeld {
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
func (o ordering) bound(in *incoming) (bool, error) {
	chain, err := o.tx.Chain(in.batch.actor)
	if errors.Is(err, store.ErrNotFound) || err == nil && chain.Device == in.batch.device.ID {
		return true, nil
	}
	if err != nil {
		return false, err
	}
	o.x.alarm("actor of another device", syncproto.CodeWrongDevice, in.batch, in.id)
	in.receipt = syncproto.Receipt{Change: in.id, Status: syncproto.StatusRefused, Code: syncproto.CodeWrongDevice}
	return false, nil
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
	info, err := o.tx.RecordInfo(c.Body.Record)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return 0, err
	}
	if err == nil && (info.Family != c.Body.Family || info.Kind != c.Body.Kind) {
		return syncproto.CodeWrongRecord, nil
	}
	for _, dep := range c.Body.Deps {
		d, err := o.tx.Change(dep)
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return 0, err
		}
		if err == nil && d.Record != c.Body.Record {
			return syncproto.CodeForeignDep, nil
		}
	}
	return syncproto.CodeOK, nil
}

// refuse keeps the place of a refused change in its chain, so that what follows
// it stays provable.
func (o ordering) refuse(in *incoming) error {
	switch in.refuse {
	case syncproto.CodeWrongDevice, syncproto.CodeWrongBorough, syncproto.CodeWrongRecord, syncproto.CodeForeignDep:
		o.x.alarm("change refused", in.refuse, in.batch, in.id)
	}
	in.receipt = syncproto.Receipt{Change: in.id, Status: syncproto.StatusRefused, Code: in.refuse}
	if in.seq == 0 {
		return nil // a place nobody can tell yet; sent again, it is refused again
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
func (o ordering) store(in *incoming, missingPrev bool) error {
	b := &in.change.Body
	e := store.ChangeEntry{
		ID: in.id, Prev: in.prev, Record: b.Record, Family: b.Family, Kind: b.Kind, Actor: b.Actor, Seq: b.Seq,
		Deps: b.Deps, Author: b.Author, Device: in.batch.device.ID, AtMS: in.atMS, Sealed: in.sealed,
	}
	var err error
	e.Status, e.Code, err = o.statusOf(in.change, e.Device, e.AtMS)
	if err != nil {
		return err
	}
	if missingPrev && e.Status != syncproto.StatusHeld {
		e.Status, e.Code = syncproto.StatusHeld, syncproto.CodeMissingPrev
	}
	forks, err := o.forks(in)
	if err != nil {
		return err
	}
	if _, err := o.tx.Stage(e); err != nil {
		return err
	}
	in.batch.stored++
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
	ref, err := o.tx.Change(in.id)
	if err != nil {
		return err
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
		delete(o.authors, authorOf{c.Body.Record, c.Body.Author})
		return o.tx.Judge(c)
	}
	return nil
}

// forks reports whether a change is the first to claim a place that another has.
func (o ordering) forks(in *incoming) (bool, error) {
	chain, err := o.tx.Chain(in.batch.actor)
	if errors.Is(err, store.ErrNotFound) {
		return false, nil
	}
	if err != nil || chain.Forked || in.seq > chain.Known {
		return false, err
	}
	claims, err := o.tx.Claims(in.batch.actor, in.seq)
	return len(claims) > 0, err
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

// statusOf says what becomes of a change now, its prev apart: held, quarantined,
// late or accepted, in this order of precedence.
func (o ordering) statusOf(c *syncproto.Change, device syncproto.DeviceID, atMS int64) (syncproto.ReceiptStatus, syncproto.Code, error) {
	kind, known := schema.Newest(c.Body.Kind)
	if c.Body.NewerApp || !known {
		return syncproto.StatusHeld, syncproto.CodeNewerApp, nil
	}
	deps, err := o.depsOf(c)
	if err != nil {
		return 0, 0, err
	}
	if deps.waiting {
		return syncproto.StatusHeld, syncproto.CodeMissingDeps, nil
	}
	if deps.foreign { // came later than what names it, else it were refused
		return syncproto.StatusQuarantined, syncproto.CodeForeignDep, nil
	}
	if d, _ := o.tx.State().Device(device); d.RevokedMS != 0 {
		return syncproto.StatusQuarantined, syncproto.CodeRevokedDevice, nil
	}
	if deps.quarantined {
		return syncproto.StatusQuarantined, syncproto.CodeBuildsOnQuarantine, nil
	}
	decision, err := o.mayChange(kind, c)
	if err != nil {
		return 0, 0, err
	}
	if !decision.Allow {
		return syncproto.StatusQuarantined, decision.Code, nil
	}
	late, err := o.isLate(c, deps)
	if err != nil {
		return 0, 0, err
	}
	if late {
		return syncproto.StatusLate, syncproto.CodeLate, nil
	}
	if c.Body.TimeMS > atMS+dayMS || c.Body.TimeMS < o.enrolledMS(device)-dayMS {
		return syncproto.StatusAccepted, syncproto.CodeFutureTime, nil
	}
	return syncproto.StatusAccepted, syncproto.CodeOK, nil
}

// enrolledMS is when a device was enrolled: nothing was written on it before.
func (o ordering) enrolledMS(device syncproto.DeviceID) int64 {
	d, _ := o.tx.State().Device(device)
	return d.EnrolledMS
}

// depStates sums up what became of the changes that one was made on top of.
type depStates struct{ waiting, foreign, quarantined, late bool }

func (o ordering) depsOf(c *syncproto.Change) (s depStates, err error) {
	for _, dep := range c.Body.Deps {
		d, err := o.tx.Change(dep)
		if errors.Is(err, store.ErrNotFound) {
			s.waiting = true
			continue
		}
		if err != nil {
			return s, err
		}
		s.foreign = s.foreign || d.Record != c.Body.Record
		s.waiting = s.waiting || d.Status == syncproto.StatusHeld
		s.quarantined = s.quarantined || d.Status == syncproto.StatusQuarantined
		s.late = s.late || d.Status == syncproto.StatusLate
	}
	return s, nil
}

// isLate reports whether a change comes after the seal and is more than an
// addendum or a correction, which final records take.
func (o ordering) isLate(c *syncproto.Change, deps depStates) (bool, error) {
	if deps.late {
		return true, nil
	}
	info, err := o.tx.RecordInfo(c.Body.Record)
	if errors.Is(err, store.ErrNotFound) || err == nil && info.Sealed == 0 {
		return false, nil
	}
	return !addsOnly(c), err
}

func addsOnly(c *syncproto.Change) bool {
	for i := range c.Body.Ops {
		if code := c.Body.Ops[i].Code; code != syncproto.OpAddendum && code != syncproto.OpCorrect {
			return false
		}
	}
	return len(c.Body.Ops) > 0
}

// mayChange asks whether the author may make a change, as their relations are
// now. The record's history is only read when it could help them.
func (o ordering) mayChange(kind *schema.Kind, c *syncproto.Change) (decision access.Decision, err error) {
	asker := askerOf(o.tx.State(), c.Body.Author, c.Body.Family)
	decision = asker.MayChange(kind, c)
	if decision.Allow || len(asker.Bases) == 0 {
		return decision, nil
	}
	asker.Authorship, err = o.authorship(authorOf{c.Body.Record, c.Body.Author})
	return asker.MayChange(kind, c), err
}

// authorship says what a person has to do with a record's accepted words.
func (o ordering) authorship(of authorOf) (access.Authorship, error) {
	if known, ok := o.authors[of]; ok {
		return known, nil
	}
	g, _, err := o.tx.Graph(of.record)
	if errors.Is(err, store.ErrNotFound) {
		return access.AuthorNot, nil
	}
	if err != nil {
		return access.AuthorNot, err
	}
	o.authors[of] = access.AuthorshipOf(g.Changes(), of.user)
	return o.authors[of], nil
}

// askerOf is a person before the records of a family, as the state has them.
func askerOf(state *store.State, user syncproto.UserID, family syncproto.FamilyID) access.Asker {
	person, _ := state.User(user)
	return asker(person.Role, state.BasisOf(user, family))
}

func asker(role string, bases []string) access.Asker {
	a := access.Asker{Role: access.Role(role)}
	for _, basis := range bases {
		a.Bases = append(a.Bases, access.Basis(basis))
	}
	return a
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

// moveOn gives a change that waits the status of this moment. It reports whether
// that is another than it had.
func (o ordering) moveOn(id syncproto.ChangeID) (bool, error) {
	ref, err := o.tx.Change(id)
	if err != nil {
		return false, err
	}
	shared := ref.Status == syncproto.StatusQuarantined && ref.Code == syncproto.CodeBuildsOnQuarantine
	if ref.Status != syncproto.StatusHeld && !shared {
		return false, nil
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
	if status == syncproto.StatusAccepted {
		delete(o.authors, authorOf{ref.Record, ref.Author})
		return true, o.tx.Judge(c)
	}
	return true, nil
}

// statusNow is statusOf for a stored change, its step in the chain included.
func (o ordering) statusNow(ref store.ChangeRef, c *syncproto.Change) (syncproto.ReceiptStatus, syncproto.Code, error) {
	if !ref.Prev.IsZero() {
		actor, seq, err := o.placeOf(ref.Prev)
		if errors.Is(err, store.ErrNotFound) {
			return syncproto.StatusHeld, syncproto.CodeMissingPrev, nil
		}
		if err != nil {
			return 0, 0, err
		}
		if actor != ref.Actor || seq+1 != ref.Seq {
			return syncproto.StatusQuarantined, syncproto.CodeMalformed, nil
		}
	}
	return o.statusOf(c, ref.Device, ref.AtMS)
}
