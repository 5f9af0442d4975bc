package reading

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"doorstep/server/internal/access"
	"doorstep/server/internal/store"
	"doorstep/syncproto"
	"doorstep/syncproto/clocks"
	"doorstep/syncproto/schema"
)

// VisitRules is how a borough counts visits.
type VisitRules struct {
	clocks.Rules
	Unseen clocks.Unseen
	// RecordWithin is how long after a visit it is to be handed over; unset: not chased.
	RecordWithin clocks.Interval
	Zone         *time.Location // in which a visit has its day
}

// ChildDue is what is due for one child of a family.
type ChildDue struct {
	Family syncproto.FamilyID
	Child  syncproto.RecordID // of the person
	Visits []clocks.Due
	// After a visit failed on Failed, somebody must see the child by SeeBy. NoDay if none
	// failed, or the child was seen since.
	Failed, SeeBy clocks.Day
	// No social worker, or nobody at all, has seen the child for longer than the borough allows.
	UnseenBySocialWork, Unseen bool
}

// asked are the record kinds that what is due is worked out from. Who may not read them
// all is not told what is due: a list with gaps would look like one without.
var asked = []string{"status", "visit", "visit_child"}

// Due lists what is due for the children whose families a person may read, as it stands
// now, by family and child. A child of whom nothing is due is not in it.
func (r *Room) Due(ctx context.Context, user syncproto.UserID) ([]ChildDue, error) {
	families := r.families(user)
	var out []ChildDue
	for _, f := range families {
		due, err := r.FamilyDue(ctx, user, f.ID)
		if err != nil && !errors.Is(err, syncproto.CodeNotFound) {
			return nil, err
		}
		out = append(out, due...)
	}
	return out, nil
}

// Colleagues are the people who work with the families that a person is told what is due
// in, and whom they may match with a family; somebody may be in it more than once.
func (r *Room) Colleagues(user syncproto.UserID) []syncproto.UserID {
	var out []syncproto.UserID
	for _, f := range r.families(user) {
		if r.mayAskDue(user, f.ID) {
			out = append(out, r.store.State().MembersOf(f.ID)...)
		}
	}
	if slices.ContainsFunc(r.Elsewhere(user), func(f Elsewhere) bool { return slices.Contains(f.Kinds, "volunteer_match") }) {
		out = append(out, r.volunteers()...)
	}
	return out
}

// volunteers are the borough's volunteers, with who coordinates them.
func (r *Room) volunteers() (out []syncproto.UserID) {
	for _, u := range r.store.State().Users() {
		if role := access.Role(u.Role); !u.Disabled && (role == access.RoleVolunteer || role == access.RoleVolunteerCoord) {
			out = append(out, u.ID)
		}
	}
	return out
}

// Tablets are the devices that people of a list enrolled on, with what each is called.
func (r *Room) Tablets(of []syncproto.UserID) map[syncproto.DeviceID]string {
	out := map[syncproto.DeviceID]string{}
	for _, d := range r.store.State().Devices() {
		if slices.ContainsFunc(of, d.UsedBy) {
			out[d.ID] = d.Name
		}
	}
	return out
}

func (r *Room) mayAskDue(user syncproto.UserID, family syncproto.FamilyID) bool {
	who := r.asker(user, family)
	return !slices.ContainsFunc(asked, func(kind string) bool { return !who.MayRead(kind).Allow })
}

// FamilyDue lists what is due for the children of one family. It returns CodeNotFound
// where the person may not read what that follows from.
func (r *Room) FamilyDue(_ context.Context, user syncproto.UserID, family syncproto.FamilyID) ([]ChildDue, error) {
	if !r.mayAskDue(user, family) {
		return nil, syncproto.CodeNotFound
	}
	f, err := r.caseFile(family)
	if err != nil {
		return nil, fmt.Errorf("working out what is due: %w", err)
	}
	today := r.visits.Load().day(r.now().UnixMilli())
	var out []ChildDue
	for _, child := range f.children() {
		due := r.visits.Load().due(f, child, today)
		if due.UnseenBySocialWork || due.Unseen {
			if expected, err := r.expected(child, today); err != nil {
				return nil, fmt.Errorf("working out what is due: %w", err)
			} else if expected {
				due.UnseenBySocialWork, due.Unseen = false, false
			}
		}
		if due.Family = family; due.matters() {
			out = append(out, due)
		}
	}
	return out, nil
}

// expected reports whether a child is not born yet: nobody can see them, and the visits
// that their status asks for are to those who expect them. From the day on which the
// birth is expected they count as born, whatever is on record.
func (r *Room) expected(child syncproto.RecordID, today clocks.Day) (bool, error) {
	v, err := r.store.View(child)
	if errors.Is(err, store.ErrNotFound) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	birth := dayIn(v, "expected_dob")
	return codeIn(v, "dob") == "" && birth != clocks.NoDay && today < birth, nil
}

func (d ChildDue) matters() bool {
	return len(d.Visits) > 0 || d.SeeBy != clocks.NoDay || d.UnseenBySocialWork || d.Unseen
}

// day is the day that a time lies in.
func (v VisitRules) day(ms int64) clocks.Day {
	year, month, day := time.UnixMilli(ms).In(v.Zone).Date()
	return clocks.Date(year, int(month), day)
}

// OnFileBy is the day by which a visit that began then is to be recorded; NoDay: the
// borough sets none. Over: the day is past.
func (r *Room) OnFileBy(ms int64) (by clocks.Day, over bool) {
	rules := r.visits.Load()
	if !rules.RecordWithin.Set() {
		return clocks.NoDay, false
	}
	by = rules.RecordWithin.After(rules.day(ms), rules.Calendar)
	return by, by < rules.day(r.now().UnixMilli())
}

// OnFileSince is the moment before which a visit began that was to be recorded before
// today, Unix milliseconds; 0: the borough sets no time.
func (r *Room) OnFileSince() int64 {
	rules := r.visits.Load()
	if !rules.RecordWithin.Set() {
		return 0
	}
	today := rules.day(r.now().UnixMilli())
	day := today
	for rules.RecordWithin.After(day, rules.Calendar) >= today {
		day--
	}
	year, month, date := (day + 1).Civil()
	return time.Date(year, time.Month(month), date, 0, 0, 0, 0, rules.Zone).UnixMilli()
}

func (v VisitRules) due(f *caseFile, child syncproto.RecordID, today clocks.Day) ChildDue {
	rec := clocks.Record{Periods: f.periods[child]}
	var seen []clocks.Sighting
	failed := clocks.NoDay
	for _, s := range f.visits {
		if s.child != child && !(s.failed && s.child == syncproto.RecordID{}) {
			continue
		}
		on := v.day(s.startMS)
		s.Visit.On = on
		rec.Visits = append(rec.Visits, s.Visit)
		if s.seen {
			seen = append(seen, clocks.Sighting{On: on, SocialWork: s.socialWork})
		}
		if s.failed {
			failed = max(failed, on)
		}
	}
	out := ChildDue{Child: child, Failed: clocks.NoDay, SeeBy: clocks.NoDay}
	for _, d := range v.Rules.Due(rec, today) {
		if isVisit(d.Visit) {
			out.Visits = append(out.Visits, d)
		}
	}
	start, open := involved(rec.Periods, today)
	if !open {
		return out
	}
	if failed != clocks.NoDay {
		if by, owed := v.Unseen.AfterFailed(failed, seen, v.Calendar); owed {
			out.Failed, out.SeeBy = failed, by
		}
	}
	out.UnseenBySocialWork, out.Unseen = v.Unseen.Escalate(start, today, seen, v.Calendar)
	return out
}

func isVisit(code string) bool {
	kind, _ := schema.Newest("visit")
	field, _ := kind.Field("visit_type")
	return field.Codes.Has(code)
}

// involved is since when a child has been visited by us without a break as far as the
// periods that last tell: only of those is a child missed.
func involved(periods []clocks.Period, today clocks.Day) (since clocks.Day, open bool) {
	since = today
	for _, p := range periods {
		if p.Lasts(today) && visited[p.Kind] {
			since, open = min(since, p.From), true
		}
	}
	return since, open
}

// visited are the statuses whose children a social worker visits.
var visited = map[string]bool{"CIN": true, "CP": true, "CLA": true, "S47": true, "ASSESS": true}

// caseFile is what a family's records say about visits.
type caseFile struct {
	periods map[syncproto.RecordID][]clocks.Period // by child
	visits  []sighting
}

// sighting is one child's part of a visit. A visit that failed, and has no part, is
// about no child in particular: child is zero.
type sighting struct {
	clocks.Visit
	child      syncproto.RecordID
	startMS    int64
	seen       bool // undisputed, in person
	socialWork bool
	failed     bool
}

func (f *caseFile) children() []syncproto.RecordID {
	var out []syncproto.RecordID
	for child := range f.periods {
		out = append(out, child)
	}
	slices.SortFunc(out, func(a, b syncproto.RecordID) int { return slices.Compare(a[:], b[:]) })
	return out
}

// caseFile reads what a family's records say about visits.
func (r *Room) caseFile(family syncproto.FamilyID) (*caseFile, error) {
	views := map[string][]*syncproto.View{}
	for _, kind := range asked {
		list, err := r.views(family, kind)
		if err != nil {
			return nil, err
		}
		views[kind] = list
	}
	f := &caseFile{periods: periodsOf(views["status"])}
	parts := map[syncproto.RecordID][]*syncproto.View{}
	for _, v := range views["visit_child"] {
		if visit, ok := refIn(v, "visit"); ok {
			parts[visit] = append(parts[visit], v)
		}
	}
	registered := registry(r.store.State().RegisteredSocialWorker)
	for _, v := range views["visit"] {
		f.visits = append(f.visits, registered.sightings(v, parts[v.Record])...)
	}
	return f, nil
}

// periodsOf are the children's statuses.
func periodsOf(statuses []*syncproto.View) map[syncproto.RecordID][]clocks.Period {
	out := map[syncproto.RecordID][]clocks.Period{}
	for _, v := range statuses {
		if child, ok := refIn(v, "child"); ok {
			out[child] = append(out[child], periodOf(v))
		}
	}
	return out
}

// views are all the records of a kind that have a view: not those that are erased or
// that consist of what is held.
func (r *Room) views(family syncproto.FamilyID, kind string) ([]*syncproto.View, error) {
	var ids []syncproto.RecordID
	err := r.store.Read(func(rd *store.Reader) (err error) {
		ids, err = rd.RecordsOf(family, kind)
		return err
	})
	if err != nil {
		return nil, err
	}
	var out []*syncproto.View
	for _, id := range ids {
		v, err := r.store.View(id)
		if errors.Is(err, store.ErrNotFound) {
			continue
		}
		if err != nil {
			return nil, err
		}
		out = append(out, v)
	}
	return out, nil
}
