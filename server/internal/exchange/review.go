package exchange

import (
	"context"
	"errors"

	"doorstep/server/internal/access"
	"doorstep/server/internal/store"
	"doorstep/syncproto"
	"doorstep/syncproto/schema"
)

// Admit lets a change out of quarantine: a manager of the family has looked at
// it. What shared its fate because it builds on it follows, if its authors may.
// It fails with CodeNotFound if there is no such change in quarantine, or none
// that the caller may know of, CodeForbidden if they may read it and not admit,
// CodeWrongRecord if its record turned out to be another's, and CodeMissingDeps if it builds on what is still kept out.
func (x *Exchange) Admit(ctx context.Context, caller Caller, id syncproto.ChangeID) error {
	return x.propose(ctx, authors{}, func(o ordering) error { return o.admit(caller.User, id) })
}

func (o ordering) admit(by syncproto.UserID, id syncproto.ChangeID) error {
	ref, err := o.tx.Change(id)
	if errors.Is(err, store.ErrNotFound) {
		return syncproto.CodeNotFound
	}
	if err != nil {
		return err
	}
	reviewer := askerOf(o.tx.State(), by, ref.Family, o.tx.AtMS())
	if !reviewer.MayRead(ref.Kind).Allow || ref.Status != syncproto.StatusQuarantined || ref.Placed > 0 {
		return syncproto.CodeNotFound
	}
	if !reviewer.May(ref.Kind, access.Need{Action: access.ActionApprove, Label: schema.Judgement}).Allow {
		return syncproto.CodeForbidden
	}
	if o.tx.State().IsErased(ref.Family, ref.Record) {
		return syncproto.CodeErased // what came after it stays in custody, what was there is gone
	}
	c, err := o.tx.Content(ref.Position)
	if err != nil {
		return err
	}
	if other, err := o.otherRecord(c); err != nil || other {
		return orCode(err, syncproto.CodeWrongRecord)
	}
	deps, err := o.depsOf(c)
	if err != nil {
		return err
	}
	if deps.waiting || deps.foreign || deps.quarantined {
		return syncproto.CodeMissingDeps
	}
	late, err := o.isLate(c, deps)
	if err != nil {
		return err
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
	return o.release(id)
}

// orCode is the error, or the code if there is none.
func orCode(err error, code syncproto.Code) error {
	if err != nil {
		return err
	}
	return code
}
