package sim

import (
	"context"
	"errors"

	"doorstep/server/internal/disk/disktest"
	"doorstep/server/internal/doors"
	"doorstep/server/internal/erasure"
	"doorstep/server/internal/exchange"
	"doorstep/server/internal/keyring"
	"doorstep/server/internal/store"
	"doorstep/syncproto"
)

// The people who decide about files, and have no tablet to write on but one: who is
// on emergency duty has one that nothing may ever come to.
var (
	manager = syncproto.UserID{0xc1}
	officer = syncproto.UserID{0xc2}
	second  = syncproto.UserID{0xc3} // another officer
	duty    = syncproto.UserID{0xc4}
	team    = store.TeamID{0xee}
)

// decideAboutFiles has one of them do something about a family.
func (w *world) decideAboutFiles(t *tablet) {
	family := w.families[w.rng.IntN(len(w.families))]
	switch n := w.rng.IntN(12); {
	case n < 4:
		w.grantForATime(t, family)
	case n < 5:
		w.withdraw(family)
	case n < 7:
		w.restrict(family)
	case n < 8:
		w.emergency(family)
	case n < 9:
		w.leave(t)
	case n < 11:
		w.review(family)
	default:
		w.erase(family)
	}
}

// done notes an act of the office, and whether the server said that it is done.
func (w *world) done(what string, err error) bool {
	var code syncproto.Code
	switch {
	case err == nil:
		w.count[what]++
		w.log("%s", what)
		w.takeAtItsWord()
	case errors.Is(err, disktest.ErrPower):
		w.borough.failed = true
	case errors.Is(err, keyring.ErrFull):
		w.log("%s: no room", what)
	case !errors.As(err, &code) && !w.borough.failed:
		w.failf("%s: %v", what, err)
	default:
		w.log("%s: refused, %v", what, code)
	}
	return err == nil
}

// grantForATime gives somebody a family, or keeps them out of it, from soon until
// soon after.
func (w *world) grantForATime(t *tablet, family syncproto.FamilyID) {
	g := doors.Grant{User: t.user, Family: family, Basis: []string{"COVER", "JOINT", "COVER", "DENIED"}[w.rng.IntN(4)], Reason: "cover"}
	g.FromMS = w.borough.now().UnixMilli() + w.rng.Int64N(60_000)
	g.ToMS = g.FromMS + 1 + w.rng.Int64N(400_000)
	_, err := w.borough.doors.Give(context.Background(), manager, g)
	w.done("grants for a time", err)
}

func (w *world) withdraw(family syncproto.FamilyID) {
	for _, e := range w.borough.store.State().RelationsWith(family) {
		if !e.ID.IsZero() && e.Basis != "BREAK_GLASS" {
			w.done("grants withdrawn", w.borough.doors.Withdraw(context.Background(), manager, e.ID, "no need"))
			return
		}
	}
}

// restrict shuts a family's file, or opens it again.
func (w *world) restrict(family syncproto.FamilyID) {
	ctx := context.Background()
	if in := w.borough.store.State().RestrictionsOf(family); len(in) > 0 {
		w.done("restrictions lifted", w.borough.doors.Lift(ctx, officer, family, in[0].Category, "it is over"))
		return
	}
	w.done("restrictions", w.borough.doors.Restrict(ctx, officer, doors.Restriction{
		Family: family, Category: store.RestrictStaff, Reason: "her aunt works here", ReviewMS: w.borough.now().UnixMilli() + 86_400_000,
	}))
}

// emergency opens a file in an emergency, or reviews an opening.
func (w *world) emergency(family syncproto.FamilyID) {
	ctx := context.Background()
	for _, e := range w.borough.store.State().BreakGlasses() {
		if e.ClosedMS == 0 && e.Family == family {
			w.done("openings reviewed", w.borough.doors.Review(ctx, manager, e.ID, "JUSTIFIED", "the hospital rang"))
			return
		}
	}
	_, err := w.borough.doors.Open(ctx, duty, doors.Opening{Family: family, Code: "HOSPITAL", Text: "A and E rang"})
	w.done("emergency openings", err)
}

// leave has a worker leave the council, or come back to it.
func (w *world) leave(t *tablet) {
	u, known := w.borough.store.State().User(t.user)
	if !known || t.user == duty {
		return
	}
	u.Disabled = !u.Disabled
	what := "workers come back"
	if u.Disabled {
		what = "workers who left"
	}
	if w.borough.propose(u) {
		w.done(what, nil)
	}
}

// review lets something out of quarantine.
func (w *world) review(family syncproto.FamilyID) {
	var waiting []store.ChangeRef
	err := w.borough.store.Read(func(r *store.Reader) (err error) {
		waiting, err = r.Quarantined(family)
		return err
	})
	if err != nil || len(waiting) == 0 {
		w.done("looks into quarantine", err)
		return
	}
	id := waiting[w.rng.IntN(len(waiting))].ID
	w.done("admitted", w.borough.exchange.Admit(context.Background(), exchange.Caller{User: manager}, id))
}

// maxErased bounds how many records a run erases, so that something is left.
const maxErased = 4

// erase has two officers take a record, or a whole family, out for good.
func (w *world) erase(family syncproto.FamilyID) {
	in := erasure.Ask{Scope: erasure.ScopeRecord, Basis: erasure.BasisUnlawful, Reason: "about another family"}
	if len(w.erased) >= maxErased {
		return
	}
	kinds := []string{"visit", "visit_child", "plan", "action"}
	records, err := w.borough.store.RecordsOf(family, kinds[w.rng.IntN(len(kinds))])
	if err != nil || len(records) == 0 {
		w.done("looks for what to erase", err)
		return
	}
	in.Record = records[w.rng.IntN(len(records))]
	erased := store.KeyPair{Family: family, Record: in.Record}
	if w.rng.IntN(8) == 0 {
		in.Scope, in.Family, in.Record = erasure.ScopeFamily, family, syncproto.RecordID{}
		erased.Record = syncproto.RecordID{}
	}
	ask, err := w.borough.erasure.Ask(context.Background(), officer, in)
	if !w.done("erasures asked for", err) {
		return
	}
	err = w.borough.erasure.Confirm(context.Background(), second, ask.ID)
	if err == nil {
		w.erased[erased] = true
	} else {
		w.borough.failed = true // whatever of it was done, the next start does the rest
	}
	w.done("erasures", err)
}
