package exchange

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"doorstep/server/internal/access"
	"doorstep/server/internal/once"
	"doorstep/server/internal/store"
	"doorstep/syncproto"
)

// A reviewer looks at a change in quarantine and lets it in, lets it in as an
// addendum to a record that is final, or keeps it locked away with a reason. What
// was kept away can be let in later; nothing is ever dropped. Each is a verdict, so
// that every device folds the same, and its author is told.

// maxReviewReason bounds why a reviewer keeps a change away, in bytes.
const maxReviewReason = 4096

// Admit lets a change out of quarantine into its record: a manager of the family has
// looked at it. What shared its fate because it builds on it follows, if its authors
// may. It fails with CodeNotFound if there is no such change in quarantine, or none
// that the caller may know of, CodeForbidden if they may read it and not admit, or
// wrote it themselves, CodeFinal if its record is final (AdmitAddendum), CodeErased,
// CodeWrongRecord if its record turned out to be another's, and CodeMissingDeps if it
// builds on what is still kept out.
func (x *Exchange) Admit(ctx context.Context, caller Caller, id syncproto.ChangeID) error {
	return x.reviewOnce(ctx, func(o ordering) error { return o.admit(caller.User, id, false) })
}

// AdmitAddendum lets a change out of quarantine as a proposed addendum, attributed
// and dated, to a record that is final. It fails as Admit does, and with CodeBadOp
// while the record is not final.
func (x *Exchange) AdmitAddendum(ctx context.Context, caller Caller, id syncproto.ChangeID) error {
	return x.reviewOnce(ctx, func(o ordering) error { return o.admit(caller.User, id, true) })
}

// KeepAway keeps a change in quarantine locked away, and says why. Whoever may admit
// it may keep it away; so may information governance, unread, where nobody is there
// to review it. It fails with CodeNotFound and CodeForbidden as Admit does, and with
// CodeBadValue for a reason that is empty or over 4,096 bytes.
func (x *Exchange) KeepAway(ctx context.Context, caller Caller, id syncproto.ChangeID, reason string) error {
	if strings.TrimSpace(reason) == "" || len(reason) > maxReviewReason {
		return syncproto.CodeBadValue
	}
	return x.reviewOnce(ctx, func(o ordering) error { return o.keep(caller.User, id, reason) })
}

// reviewOnce runs what a reviewer decides, unless their request was carried out before
// (package once).
func (x *Exchange) reviewOnce(ctx context.Context, decide func(ordering) error) error {
	return x.propose(ctx, authors{}, func(o ordering) error {
		if _, done, err := once.Answered(ctx, o.tx.State()); done || err != nil {
			return err
		}
		if err := decide(o); err != nil {
			return err
		}
		for _, e := range once.Entry(ctx, o.tx.AtMS(), nil) {
			if _, err := o.tx.Stage(e); err != nil {
				return err
			}
		}
		return nil
	})
}

// quarantined returns a change that is in quarantine.
func (o ordering) quarantined(id syncproto.ChangeID) (store.ChangeRef, error) {
	ref, err := o.tx.Change(id)
	switch {
	case errors.Is(err, store.ErrNotFound):
		return ref, syncproto.CodeNotFound
	case err != nil:
		return ref, err
	case ref.Status != syncproto.StatusQuarantined || ref.Placed > 0:
		return ref, syncproto.CodeNotFound
	}
	return ref, nil
}

// reviews fails unless a person may decide about a change in quarantine: they may
// read and approve such records, and did not write it. Words of a record that was moved
// belong to the right family's file.
func (o ordering) reviews(by syncproto.UserID, ref store.ChangeRef) error {
	reviewer := askerOf(o.tx.State(), by, o.tx.State().FileOf(ref.Family, ref.Record), o.tx.AtMS())
	switch {
	case !reviewer.MayRead(ref.Kind).Allow:
		return syncproto.CodeNotFound
	case ref.Author == by || !reviewer.MayReview(ref.Kind):
		return syncproto.CodeForbidden
	}
	return nil
}

func (o ordering) admit(by syncproto.UserID, id syncproto.ChangeID, addendum bool) error {
	ref, err := o.quarantined(id)
	if err != nil {
		return err
	}
	if err := o.reviews(by, ref); err != nil {
		return err
	}
	if o.tx.State().IsErased(ref.Family, ref.Record) {
		return syncproto.CodeErased // what came after it stays in custody, what was there is gone
	}
	if _, moved := o.tx.State().Misfiled(ref.Record); moved {
		return syncproto.CodeMisfiled // there is nothing any more to let it into
	}
	c, err := o.tx.Content(ref.Position)
	if err != nil {
		return err
	}
	late, err := o.admissible(c)
	switch {
	case err != nil:
		return err
	case late && !addendum:
		return syncproto.CodeFinal
	case addendum && !late:
		return syncproto.CodeBadOp
	}
	v := syncproto.Verdict{
		Kind: syncproto.VerdictAdmit, Family: ref.Family, Record: ref.Record, Change: id, By: by, AtMS: o.tx.AtMS(),
	}
	if late {
		v.Kind, v.Code = syncproto.VerdictLate, syncproto.CodeLate
	}
	if _, err := o.tx.Stage(store.VerdictEntry{Verdict: v}); err != nil {
		return err
	}
	if !late {
		if err := o.judge(c); err != nil {
			return err
		}
	}
	if err := o.release(id); err != nil {
		return err
	}
	return o.noteRoom(ref)
}

// admissible fails if a change cannot be placed whoever wants it to be, and reports
// whether its record is final.
func (o ordering) admissible(c *syncproto.Change) (late bool, err error) {
	if other, err := o.otherRecord(c); err != nil || other {
		return false, orCode(err, syncproto.CodeWrongRecord)
	}
	deps, err := o.depsOf(c)
	if err != nil {
		return false, err
	}
	if deps.waiting || deps.foreign || deps.quarantined {
		return false, syncproto.CodeMissingDeps
	}
	return o.isLate(c, deps)
}

func (o ordering) keep(by syncproto.UserID, id syncproto.ChangeID, reason string) error {
	ref, err := o.quarantined(id)
	if err != nil {
		return err
	}
	if err := o.reviews(by, ref); err != nil && !o.standsIn(by, ref) {
		return err
	}
	entry, err := o.tx.ChangeEntry(ref.Position)
	if err != nil {
		return err
	}
	sealed, err := store.SealReason(o.x.cfg.Keys, entry, reason)
	if err != nil {
		return fmt.Errorf("sealing a reviewer's reason: %w", err)
	}
	review := store.ReviewEntry{Change: id, Family: ref.Family, Record: ref.Record, By: by, AtMS: o.tx.AtMS(), Sealed: sealed}
	verdict := syncproto.Verdict{
		Kind: syncproto.VerdictQuarantine, Family: ref.Family, Record: ref.Record, Change: id, Code: syncproto.CodeKeptAway,
		By: by, AtMS: o.tx.AtMS(),
	}
	for _, e := range []store.Entry{review, store.VerdictEntry{Verdict: verdict}} {
		if _, err := o.tx.Stage(e); err != nil {
			return err
		}
	}
	return o.noteRoom(ref)
}

// standsIn reports whether somebody is of information governance and looks after a
// change that nobody else is there to review.
func (o ordering) standsIn(by syncproto.UserID, ref store.ChangeRef) bool {
	u, known := o.tx.State().User(by)
	return known && !u.Disabled && access.MayStandIn(access.Role(u.Role)) &&
		!o.tx.State().Anybody(o.tx.State().FileOf(ref.Family, ref.Record), o.tx.AtMS(), func(user syncproto.UserID, s store.Standing) bool {
			return user != ref.Author && access.AskerOf(access.Standing(s)).MayReview(ref.Kind)
		})
}

// orCode is the error, or the code if there is none.
func orCode(err error, code syncproto.Code) error {
	if err != nil {
		return err
	}
	return code
}
