package reading

import (
	"errors"
	"fmt"
	"slices"

	"doorstep/server/internal/retention"
	"doorstep/server/internal/store"
	"doorstep/syncproto"
	"doorstep/syncproto/clocks"
	"doorstep/syncproto/schema"
)

// SetRetention has files be kept by another schedule from now on.
func (r *Room) SetRetention(s retention.Schedule) { r.retention.Store(&s) }

// Kept says until when a family's file is kept, or, where child is not zero, that of one
// child of it. It asks nobody's leave: package erasure does.
func (r *Room) Kept(family syncproto.FamilyID, child syncproto.RecordID) (retention.Kept, error) {
	f, err := r.retained(family, child)
	if err != nil {
		return retention.Kept{Until: clocks.NoDay}, fmt.Errorf("working out how long a file is kept: %w", err)
	}
	return r.retention.Load().Of(f), nil
}

// Today is the day that it is in England.
func (r *Room) Today() clocks.Day { return r.visits.Load().day(r.now().UnixMilli()) }

// retained is what a family's records say about how long they are kept.
func (r *Room) retained(family syncproto.FamilyID, only syncproto.RecordID) (out retention.File, err error) {
	f, err := r.caseFile(family)
	if err != nil {
		return out, err
	}
	people, err := r.views(family, "person")
	if err != nil {
		return out, err
	}
	out.LastContact = clocks.NoDay
	for _, v := range f.visits {
		out.LastContact = max(out.LastContact, r.visits.Load().day(v.startMS))
	}
	for child, periods := range f.periods {
		if only.IsZero() || child == only {
			out.Children = append(out.Children, childKept(people, child, periods))
		}
	}
	last, err := r.lastEntry(family)
	out.LastContact = max(out.LastContact, last)
	return out, err
}

func childKept(people []*syncproto.View, child syncproto.RecordID, periods []clocks.Period) retention.Child {
	out := retention.Child{Born: clocks.NoDay, Died: clocks.NoDay}
	if i := slices.IndexFunc(people, func(v *syncproto.View) bool { return v.Record == child }); i >= 0 {
		out.Born, out.Died = dayIn(people[i], "dob"), dayIn(people[i], "died")
	}
	for _, p := range periods {
		out.Statuses = append(out.Statuses, retention.Status{Kind: p.Kind, From: p.From, To: p.To})
	}
	return out
}

// lastEntry is the day on which the newest entry of a family's file came in.
func (r *Room) lastEntry(family syncproto.FamilyID) (clocks.Day, error) {
	last := int64(0)
	err := r.store.Read(func(rd *store.Reader) error {
		for _, k := range schema.All() {
			ids, err := rd.RecordsOf(family, k.ID)
			if err != nil {
				return err
			}
			for _, id := range ids {
				at, err := newestOf(rd, id)
				if err != nil {
					return err
				}
				last = max(last, at)
			}
		}
		return nil
	})
	if last == 0 {
		return clocks.NoDay, err
	}
	return r.visits.Load().day(last), err
}

// newestOf is when the newest of a record's heads came in, Unix milliseconds.
func newestOf(rd *store.Reader, record syncproto.RecordID) (atMS int64, err error) {
	info, err := rd.RecordInfo(record)
	if err != nil {
		return 0, err
	}
	for _, head := range info.Heads {
		c, err := rd.Change(head)
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return 0, err
		}
		atMS = max(atMS, c.AtMS)
	}
	return atMS, nil
}
