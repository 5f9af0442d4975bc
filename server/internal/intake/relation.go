package intake

import (
	"slices"
	"time"

	"doorstep/server/internal/store"
	"doorstep/syncproto"
)

// givesAccess reports whether an allocation in this role lets the worker reach
// the family's records.
func givesAccess(role string) bool { return role == "LEAD" || role == "CO" }

// held is one worker's footing with one family.
type held struct {
	user  syncproto.UserID
	basis string
}

// relate brings access in line with the allocations of every family that this
// run has an allocation of: those that the files name, and those of earlier runs.
func (r *run) relate() error {
	for _, family := range r.allocated {
		records, err := r.recordsOf(family, "allocation")
		if err != nil {
			return err
		}
		current := map[held]store.RelationEntry{} // zero: not now
		var order []held
		for _, record := range records {
			p, err := r.wanted(record)
			if err != nil {
				return err
			}
			h, ok := holderOf(p)
			if !ok {
				continue
			}
			if _, seen := current[h]; !seen {
				order = append(order, h)
				current[h] = store.RelationEntry{}
			}
			if r.isCurrent(p) && !current[h].Grant {
				current[h] = grant(h, family, record, p)
			}
		}
		for _, h := range order {
			r.relateOne(h, family, current[h])
		}
	}
	return nil
}

func (r *run) relateOne(h held, family syncproto.FamilyID, want store.RelationEntry) {
	has := slices.Contains(r.state.BasisOf(h.user, family), h.basis)
	switch {
	case want.Grant && !has:
		r.report.Granted++
		r.control(family, want)
	case !want.Grant && has:
		r.report.Ended++
		r.control(family, store.RelationEntry{User: h.user, Family: family, Basis: h.basis})
	}
}

// holderOf reads whom an allocation gives which footing.
func holderOf(p *imported) (held, bool) {
	worker, _ := p.values[syncproto.Path{Field: "worker"}].AsBytes()
	role := p.text("role")
	if len(worker) != len(syncproto.UserID{}) || !givesAccess(role) {
		return held{}, false
	}
	return held{user: syncproto.UserID(worker), basis: role}, true
}

// isCurrent reports whether an allocation has begun and not ended, by its days.
func (r *run) isCurrent(p *imported) bool {
	today := r.opts.Now.Format(time.DateOnly)
	to := p.text("to")
	return p.text("from") <= today && (to == "" || to > today)
}

func grant(h held, family syncproto.FamilyID, record syncproto.RecordID, p *imported) store.RelationEntry {
	return store.RelationEntry{
		User: h.user, Family: family, Basis: h.basis, Grant: true, Allocation: record,
		FromMS: dayMS(p.text("from")), ToMS: dayMS(p.text("to")),
	}
}

// dayMS is the beginning of a day in UTC; 0 for none.
func dayMS(day string) int64 {
	t, err := time.Parse(time.DateOnly, day)
	if err != nil {
		return 0
	}
	return t.UnixMilli()
}
