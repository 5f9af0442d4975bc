package reading

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"doorstep/syncproto"
	"doorstep/syncproto/clocks"
	"doorstep/syncproto/schema"
)

// Work is what a family's records say about the work done with it, without a word of
// theirs and without whose work it was.
type Work struct {
	Visits  []VisitWork
	Finals  []FinalWork
	Dues    []DueWork
	Returns []ReturnWork
}

// VisitWork is one visit that took place.
type VisitWork struct {
	EndMS   int64
	Minutes int   // with the family
	FinalMS int64 // 0: it is not final
}

// FinalWork is one final record.
type FinalWork struct {
	AtMS   int64
	Fields int // that are filled in
	// Twice: how many of them two people wrote with the same value, one after the other:
	// somebody typed what was there already.
	Twice int
}

// DueWork is one day by which a child was to be seen, and whether they were.
type DueWork struct {
	On  clocks.Day
	Met bool
}

// ReturnWork is one return of a missing child, and whether an interview was offered within
// 72 hours.
type ReturnWork struct {
	AtMS   int64
	InTime bool
}

// FamilyWork reads what one family's records say about the work done. It asks nobody's
// leave: what comes of it is shown in sums alone (package measure).
func (r *Room) FamilyWork(family syncproto.FamilyID) (Work, error) {
	var out Work
	visits, err := r.views(family, "visit")
	if err != nil {
		return out, fmt.Errorf("measuring work: %w", err)
	}
	for _, v := range visits {
		start, begun := v.Settled("start").AsInt()
		end, ended := v.Settled("end").AsInt()
		if !begun || !ended || end < start || codeIn(v, "outcome") != "COMPLETED" {
			continue
		}
		one := VisitWork{EndMS: end, Minutes: int((end - start) / time.Minute.Milliseconds())}
		if v.Seal != nil {
			one.FinalMS = v.Seal.AtMS
		}
		out.Visits = append(out.Visits, one)
	}
	if out.Finals, err = r.finalWork(family); err != nil {
		return out, fmt.Errorf("measuring work: %w", err)
	}
	if out.Dues, err = r.dueWork(family); err != nil {
		return out, fmt.Errorf("measuring work: %w", err)
	}
	out.Returns, err = r.returnWork(family)
	return out, err
}

func (r *Room) finalWork(family syncproto.FamilyID) (out []FinalWork, err error) {
	for _, k := range schema.All() {
		if newest, _ := schema.Newest(k.ID); newest != k || !k.Finalises {
			continue
		}
		views, err := r.views(family, k.ID)
		if err != nil {
			return nil, err
		}
		for _, v := range views {
			if v.Seal == nil {
				continue
			}
			graph, _, err := r.store.Graph(v.Record)
			if err != nil {
				return nil, err
			}
			out = append(out, FinalWork{AtMS: v.Seal.AtMS, Fields: filled(v), Twice: keyedTwice(graph.Changes(), graph.IsAncestor)})
		}
	}
	return out, nil
}

func filled(v *syncproto.View) (n int) {
	for i := range v.Fields {
		if v.Fields[i].Set {
			n++
		}
	}
	return n
}

// keyedTwice counts the fields that somebody set to the value that another had set before,
// with that on the screen: two who saw the same on a joint visit typed nothing twice.
func keyedTwice(changes []*syncproto.Change, before func(a, b syncproto.ChangeID) bool) int {
	type said struct {
		path  syncproto.Path
		value string
	}
	by, twice := map[said][]*syncproto.Change{}, map[syncproto.Path]bool{}
	for _, c := range changes {
		for i := range c.Body.Ops {
			op := &c.Body.Ops[i]
			if op.Code != syncproto.OpSet || op.Value.IsNull() {
				continue
			}
			s := said{op.Path, string(op.Value.Encode())}
			for _, earlier := range by[s] {
				if earlier.Body.Author != c.Body.Author && (before(earlier.ID, c.ID) || before(c.ID, earlier.ID)) {
					twice[op.Path] = true
				}
			}
			by[s] = append(by[s], c)
		}
	}
	return len(twice)
}

// dueWork replays a family's clocks: each visit that counted is held against the day by
// which it was due when it took place, and a day that has passed without one was missed.
func (r *Room) dueWork(family syncproto.FamilyID) ([]DueWork, error) {
	f, err := r.caseFile(family)
	if err != nil {
		return nil, err
	}
	rules := r.visits.Load()
	today := rules.day(r.now().UnixMilli())
	var out []DueWork
	for _, child := range f.children() {
		rec := clocks.Record{Periods: f.periods[child]}
		for _, s := range f.visits {
			if s.child == child {
				s.Visit.On = rules.day(s.startMS)
				rec.Visits = append(rec.Visits, s.Visit)
			}
		}
		slices.SortFunc(rec.Visits, func(a, b clocks.Visit) int { return cmp.Compare(a.On, b.On) })
		out = append(out, replay(rules.Rules, rec, today)...)
	}
	return out, nil
}

func replay(rules clocks.Rules, rec clocks.Record, today clocks.Day) (out []DueWork) {
	for i, v := range rec.Visits {
		if !v.Counts || i > 0 && rec.Visits[i-1].On == v.On && rec.Visits[i-1].Counts && rec.Visits[i-1].Type == v.Type {
			continue
		}
		for _, due := range rules.Due(clocks.Record{Periods: rec.Periods, Visits: rec.Visits[:i]}, v.On) {
			if due.Visit == v.Type && due.Last != v.On {
				out = append(out, DueWork{On: due.On, Met: v.On <= due.On})
			}
		}
	}
	for _, due := range rules.Due(rec, today) {
		if isVisit(due.Visit) && due.On < today {
			out = append(out, DueWork{On: due.On})
		}
	}
	return out
}

func (r *Room) returnWork(family syncproto.FamilyID) (out []ReturnWork, err error) {
	episodes, err := r.views(family, "missing_episode")
	if err != nil {
		return nil, err
	}
	held, err := r.views(family, "return_interview")
	if err != nil {
		return nil, err
	}
	now := r.now()
	for _, e := range episodes {
		end, ok := e.Settled("end").AsInt()
		if !ok {
			continue
		}
		until := time.UnixMilli(end).Add(interviewHours)
		inTime := slices.ContainsFunc(held, func(i *syncproto.View) bool {
			episode, ok := refIn(i, "episode")
			at, said := i.Settled("offered_at").AsInt()
			return ok && said && episode == e.Record && codeIn(i, "offered") == "Y" && at <= until.UnixMilli()
		})
		if inTime || until.Before(now) {
			out = append(out, ReturnWork{AtMS: end, InTime: inTime})
		}
	}
	return out, nil
}
