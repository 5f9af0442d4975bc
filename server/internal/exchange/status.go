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

// statusOf says what becomes of a change now, its prev apart: held, quarantined,
// late or accepted, in this order of precedence. A poisonous one is not looked into.
func (o ordering) statusOf(c *syncproto.Change, device syncproto.DeviceID, atMS int64) (status syncproto.ReceiptStatus, code syncproto.Code, err error) {
	if o.poisoned[c.ID] {
		return syncproto.StatusQuarantined, syncproto.CodeNotPlaced, nil
	}
	if o.tx.State().IsErased(c.Body.Family, c.Body.Record) {
		return syncproto.StatusQuarantined, syncproto.CodeErased, nil
	}
	if _, moved := o.tx.State().Misfiled(c.Body.Record); moved {
		return syncproto.StatusQuarantined, syncproto.CodeMisfiled, nil
	}
	err = o.x.guard(c.ID, func() (err error) {
		status, code, err = o.decide(c, device, atMS)
		return err
	})
	return status, code, err
}

func (o ordering) decide(c *syncproto.Change, device syncproto.DeviceID, atMS int64) (syncproto.ReceiptStatus, syncproto.Code, error) {
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
	if other, err := o.otherRecord(c); err != nil || other { // it became another's while this waited
		return syncproto.StatusQuarantined, syncproto.CodeWrongRecord, err
	}
	if d, _ := o.tx.State().Device(device); d.RevokedMS != 0 && !o.counted[c.ID] {
		return syncproto.StatusQuarantined, syncproto.CodeRevokedDevice, nil
	}
	if deps.quarantined {
		return syncproto.StatusQuarantined, syncproto.CodeBuildsOnQuarantine, nil
	}
	decision, err := o.mayChange(kind, c)
	if err != nil {
		return 0, 0, err
	}
	if !decision.Allow && !o.counted[c.ID] {
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
		s.foreign = s.foreign || foreign(c, d)
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
	return len(c.Body.Ops) == 0 || !syncproto.AddsOnly(c.Body.Ops), err
}

// mayChange asks whether the author may make a change, as their relations are
// now. The record's history is only read when it could help them.
func (o ordering) mayChange(kind *schema.Kind, c *syncproto.Change) (access.Decision, error) {
	if o.x.cfg.Unasked {
		return access.Decision{Allow: true}, nil
	}
	asker := o.asker(asked{c.Body.Author, c.Body.Family})
	decision := asker.MayChange(kind, c)
	if decision.Allow || len(asker.Bases) == 0 {
		return decision, nil
	}
	wrote, err := o.authors.look(&o.tx.Reader, authorOf{c.Body.Record, c.Body.Author})
	if err != nil {
		return decision, err
	}
	wrote.Note(c)
	if wrote.Answers, err = o.answers(kind, c); err != nil {
		return decision, err
	}
	asker.Authorship = wrote.Authorship()
	return asker.MayChange(kind, c), nil
}

// answers reports whether who confirms a record answers for what it says without having
// written in it: their words were typed up, or they were on the visit.
func (o ordering) answers(kind *schema.Kind, c *syncproto.Change) (bool, error) {
	if !slices.ContainsFunc(c.Body.Ops, func(op syncproto.Op) bool { return op.Code == syncproto.OpConfirm }) {
		return false, nil
	}
	v, err := o.tx.Fold(c.Body.Record)
	if errors.Is(err, store.ErrNotFound) {
		return false, nil
	}
	if err != nil || slices.Contains(access.Answerable(v), c.Body.Author) {
		return err == nil, err
	}
	whole, _ := v.Settled(kind.Part).AsBytes()
	if kind.Part == "" || len(whole) != len(syncproto.RecordID{}) {
		return false, nil
	}
	info, err := o.tx.RecordInfo(syncproto.RecordID(whole))
	if errors.Is(err, store.ErrNotFound) || err == nil && info.Family != c.Body.Family {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	w, err := o.tx.Fold(info.Record)
	return err == nil && slices.Contains(access.Answerable(w), c.Body.Author), err
}

// asked names a person before a family's records.
type asked struct {
	user   syncproto.UserID
	family syncproto.FamilyID
}

// asker is how a person stands: that changes between proposals alone.
func (o ordering) asker(of asked) access.Asker {
	a, known := o.askers[of]
	if !known {
		a = askerOf(o.tx.State(), of.user, of.family, o.tx.AtMS())
		o.askers[of] = a
	}
	return a
}

// authors is what people have to do with the accepted words of records, as far as
// it was asked for. It only ever grows, so that what came since is all there is to
// read: a record may be long, and whoever orders keeps everybody waiting.
type authors map[authorOf]authored

type authorOf struct {
	record syncproto.RecordID
	user   syncproto.UserID
}

type authored struct {
	upTo uint64 // of the record's feed
	access.Written
}

// look says what a person has to do with a record. Only their own changes are
// unsealed.
func (a authors) look(r *store.Reader, of authorOf) (access.Written, error) {
	known := a[of]
	upTo, err := r.ChangesOf(of.record, known.upTo, func(e store.ChangeEntry) error {
		if e.Author != of.user {
			known.OtherRoot = known.OtherRoot || len(e.Deps) == 0
			return nil
		}
		c, err := r.Open(e)
		if err == nil {
			known.Note(c)
		}
		return err
	})
	if errors.Is(err, store.ErrNotFound) {
		return access.Written{}, nil
	}
	if err != nil {
		return access.Written{}, err
	}
	known.upTo = upTo
	a[of] = known
	return known.Written, nil
}

// foresee reads, before the ledger's turn, the history of records in which an
// author seems to need it.
func (a authors) foresee(r *store.Reader, state *store.State, c *syncproto.Change, atMS int64) error {
	kind, known := schema.Newest(c.Body.Kind)
	if !known || c.Body.NewerApp {
		return nil
	}
	if len(c.Body.Deps) == 0 { // it begins a record, most likely
		if _, err := r.RecordInfo(c.Body.Record); errors.Is(err, store.ErrNotFound) {
			return nil // without a history
		}
	}
	asker := askerOf(state, c.Body.Author, c.Body.Family, atMS)
	if len(asker.Bases) == 0 || asker.MayChange(kind, c).Allow {
		return nil
	}
	_, err := a.look(r, authorOf{c.Body.Record, c.Body.Author})
	return err
}

// askerOf is a person before the records of a family at a time, as the state has
// them.
func askerOf(state *store.State, user syncproto.UserID, family syncproto.FamilyID, atMS int64) access.Asker {
	return access.AskerOf(access.Standing(state.StandingOf(user, family, atMS)))
}
