package intake

import (
	"slices"
	"time"

	"doorstep/server/internal/access"
	"doorstep/server/internal/store"
	"doorstep/syncproto"
)

// relate brings access in line with the allocations of every family that this
// run has an allocation of: those that the files name, and those of earlier runs.
// An allocation holds by its days, at the time of each decision: one that begins
// next week is stored now, and gives nothing until then.
func (r *run) relate() error {
	for _, family := range r.allocated {
		records, err := r.recordsOf(family, "allocation")
		if err != nil {
			return err
		}
		for _, record := range records {
			p, err := r.wanted(record)
			if err != nil {
				return err
			}
			r.relateOne(r.relationOf(p, family, syncproto.ID(record)))
		}
	}
	return nil
}

// relationOf reads what relation an allocation stands for.
func (r *run) relationOf(p *imported, family syncproto.FamilyID, id syncproto.ID) store.RelationEntry {
	worker, _ := p.values[syncproto.Path{Field: "worker"}].AsBytes()
	want := store.RelationEntry{ID: id, Family: family, Basis: p.text("role"), FromMS: r.dayMS(p.text("from")), ToMS: r.dayMS(p.text("to"))}
	if len(worker) == len(want.User) {
		want.User = syncproto.UserID(worker)
	}
	want.Grant = !want.User.IsZero() && (want.ToMS == 0 || want.ToMS > r.opts.Now.UnixMilli())
	return want
}

// relateOne stores what an earlier run did not, and ends what is over.
func (r *run) relateOne(want store.RelationEntry) {
	known := slices.DeleteFunc(r.state.RelationsWith(want.Family), func(e store.RelationEntry) bool { return e.ID != want.ID })
	stands := false
	for _, e := range known {
		if want.Grant && e.User == want.User && e.Basis == want.Basis {
			stands = e.FromMS == want.FromMS && e.ToMS == want.ToMS
			continue
		}
		r.report.Ended++
		r.control(want.Family, store.RelationEntry{ID: e.ID, User: e.User, Family: e.Family, Basis: e.Basis})
	}
	if !want.Grant || stands {
		return
	}
	if want.FromMS > r.opts.Now.UnixMilli() {
		r.report.Planned++
	} else {
		r.report.Granted++
	}
	r.control(want.Family, want)
}

// fits reports whether a worker of a role can have an allocation: whether it would
// give them any part in the family.
func fits(role, allocation string) bool {
	reads, _ := access.Holds(role, allocation)
	return reads
}

// takeKeptOut keeps workers out of families, whatever else they are to them.
func (r *run) takeKeptOut() error {
	return r.each(fileKeptOut, func(l resolved) error {
		family := syncproto.FamilyID(l.ids["family_ref"])
		r.refs.family = family
		id, err := r.refs.id(refKeptOut, l.key)
		r.refs.family = syncproto.FamilyID{}
		if err != nil {
			return err
		}
		want := store.RelationEntry{ID: id, User: syncproto.UserID(l.ids["worker_ref"]), Family: family,
			Basis: keptOutBasis[l.cell("why")], FromMS: r.dayMS(l.cell("from")), ToMS: r.dayMS(l.cell("to"))}
		want.Grant = want.ToMS == 0 || want.ToMS > r.opts.Now.UnixMilli()
		granted, planned, ended := r.report.Granted, r.report.Planned, r.report.Ended
		before := len(r.controls)
		r.relateOne(want)
		r.report.Granted, r.report.Planned, r.report.Ended = granted, planned, ended
		r.report.KeptOut += len(r.controls) - before
		return nil
	})
}

// keptOutBasis says as what somebody is kept out, by the codes of the file.
var keptOutBasis = map[string]string{
	"RELATIVE": string(access.BasisRelative),
	"CONFLICT": string(access.BasisDenied),
}

// dayMS is the beginning of a day where the borough is; 0 for none.
func (r *run) dayMS(day string) int64 {
	t, err := time.ParseInLocation(time.DateOnly, day, r.opts.Now.Location())
	if err != nil {
		return 0
	}
	return t.UnixMilli()
}
