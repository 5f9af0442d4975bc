package reading

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"doorstep/server/internal/access"
	"doorstep/syncproto"
	"doorstep/syncproto/clocks"
)

// Heed is one sort of thing that a manager has to know of, or to do.
type Heed uint8

const (
	HeedInjury      Heed = iota + 1 // a mark or injury was seen on a child
	HeedNotSeen                     // a visit took place, and a child was not seen
	HeedFailed                      // a visit did not take place
	HeedRemoval                     // a rule or a helper of a plan was taken out, and stands until a manager decides
	HeedBottomLine                  // what is not up for discussion waits for a manager's word
	HeedSupervision                 // a family was not talked over in supervision for too long
)

// Heeded is one of them. It holds nothing of what a record says.
type Heeded struct {
	What    Heed
	Family  syncproto.FamilyID
	Record  syncproto.RecordID // zero: there is none yet
	Child   syncproto.RecordID // the person concerned; zero: nobody alone
	SinceMS int64              // zero: never
	Told    bool               // the record says that a manager was told
	Overdue bool
}

const (
	// heedDays is for how long what a visit found is shown.
	heedDays = 28 * 24 * time.Hour
	// toldWithin is within what time a manager is told (domain rules 3.1, not seen).
	toldWithin = 24 * time.Hour
	// supervisionDays is how often a case is talked over: typical local policy.
	supervisionDays = 28
)

// Heeds lists what somebody who oversees has to know of, in the families that they
// oversee, the most urgent sort first, the newest first within it.
func (r *Room) Heeds(ctx context.Context, user syncproto.UserID) ([]Heeded, error) {
	var out []Heeded
	now := r.now()
	for _, h := range r.store.State().Access(user, now.UnixMilli()).Holdings {
		if !h.Reached() {
			continue
		}
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		w := &heeder{Room: r, family: h.Family, now: now, who: r.asker(user, h.Family)}
		if err := w.look(); err != nil {
			return nil, fmt.Errorf("looking for what a manager has to know: %w", err)
		}
		out = append(out, w.out...)
	}
	slices.SortStableFunc(out, func(a, b Heeded) int { return cmp.Or(cmp.Compare(a.What, b.What), cmp.Compare(b.SinceMS, a.SinceMS)) })
	return out, nil
}

// heeder looks through one family.
type heeder struct {
	*Room
	family syncproto.FamilyID
	now    time.Time
	who    access.Asker
	out    []Heeded
}

// oversees reports whether somebody oversees records of a kind: they read them, and see
// them among what waits, or chase them.
func (w *heeder) oversees(kind string) bool {
	return w.who.MayRead(kind).Allow && mayChase(w.who, kind)
}

func (w *heeder) look() error {
	if w.oversees("visit") && w.oversees("visit_child") {
		if err := w.visits(); err != nil {
			return err
		}
	}
	if w.who.MayReview("plan") {
		if err := w.plans(); err != nil {
			return err
		}
	}
	if w.who.MayRead("supervision").Allow && w.who.MayReview("plan") {
		return w.supervision()
	}
	return nil
}

func (w *heeder) add(one Heeded) {
	one.Family = w.family
	w.out = append(w.out, one)
}

// visits finds what visits of the last weeks found.
func (w *heeder) visits() error {
	visits, err := w.views(w.family, "visit")
	if err != nil {
		return err
	}
	parts, err := w.views(w.family, "visit_child")
	if err != nil {
		return err
	}
	for _, v := range visits {
		start, ok := v.Field("start")
		at, said := start.Value.AsInt()
		if !ok || !said || w.now.Sub(time.UnixMilli(at)) > heedDays {
			continue
		}
		one := Heeded{Record: v.Record, SinceMS: at, Told: managerTold(v)}
		one.Overdue = !one.Told && w.now.Sub(time.UnixMilli(at)) > toldWithin
		outcome := codeIn(v, "outcome")
		if outcome != "" && outcome != "COMPLETED" {
			one.What = HeedFailed
			w.add(one)
		}
		for _, p := range parts {
			if visit, ok := refIn(p, "visit"); ok && visit == v.Record {
				w.part(one, p, outcome)
			}
		}
	}
	return nil
}

// part finds what one child's part says: what is in force, disputed or not.
func (w *heeder) part(one Heeded, p *syncproto.View, outcome string) {
	one.Child, _ = refIn(p, "child")
	if textIn(p, "injury_seen") == "Y" {
		one.What = HeedInjury
		w.add(one)
	}
	if textIn(p, "seen") == "N" && outcome == "COMPLETED" {
		one.What = HeedNotSeen
		w.add(one)
	}
}

func managerTold(v *syncproto.View) bool {
	f, _ := v.Field("manager_alert")
	return slices.ContainsFunc(f.Items, func(e syncproto.Element) bool {
		told, _ := e.Field("alerted")
		code, _ := told.Value.AsText()
		return code == "Y"
	})
}

// plans finds what only a manager settles.
func (w *heeder) plans() error {
	views, err := w.views(w.family, "plan")
	if err != nil {
		return err
	}
	for _, v := range views {
		if v.Seal != nil {
			continue
		}
		for i := range v.Fields {
			for _, e := range v.Fields[i].Items {
				if e.Removed != nil && e.InForce && !e.Removed.Confirmed {
					w.add(Heeded{What: HeedRemoval, Record: v.Record, SinceMS: e.Removed.By.TimeMS})
				}
			}
		}
		if f, ok := v.Field("bottom_lines"); ok && f.Set && !f.Value.IsNull() && !w.byManager(f.By.Author) {
			w.add(Heeded{What: HeedBottomLine, Record: v.Record, SinceMS: f.By.TimeMS})
		}
	}
	return nil
}

// byManager reports whether a value in force is a manager's own word.
func (w *heeder) byManager(author syncproto.UserID) bool {
	u, _ := w.store.State().User(author)
	return access.Role(u.Role) == access.RoleManager
}

// supervision finds families with an open status that were not talked over for too long.
func (w *heeder) supervision() error {
	f, err := w.caseFile(w.family)
	if err != nil {
		return err
	}
	rules := w.Room.visits.Load()
	today := rules.day(w.now.UnixMilli())
	open := false
	for _, periods := range f.periods {
		_, lasts := involved(periods, today)
		open = open || lasts
	}
	views, err := w.views(w.family, "supervision")
	if err != nil || !open {
		return err
	}
	last, one := clocks.NoDay, Heeded{What: HeedSupervision, Overdue: true}
	for _, v := range views {
		if day := dayIn(v, "held_on"); day != clocks.NoDay && (last == clocks.NoDay || day > last) {
			last, one.Record = day, v.Record
			year, month, date := day.Civil()
			one.SinceMS = time.Date(year, time.Month(month), date, 12, 0, 0, 0, rules.Zone).UnixMilli()
		}
	}
	if last == clocks.NoDay || last+supervisionDays < today {
		w.add(one)
	}
	return nil
}
