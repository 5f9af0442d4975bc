package reading

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"doorstep/server/internal/access"
	"doorstep/syncproto"
	"doorstep/syncproto/cbor"
	"doorstep/syncproto/clocks"
	"doorstep/syncproto/schema"
)

// Chase is one sort of thing that somebody has to be reminded of.
type Chase uint8

const (
	ChaseDraft     Chase = iota + 1 // a visit that was not handed over in time
	ChaseQuery                      // a question that nobody has answered
	ChaseAction                     // an action that is due, or past it
	ChaseReview                     // a plan whose review is due
	ChaseSignature                  // a plan in force that nobody signed or declined to, as it stands now
	ChaseCopy                       // a plan in force of which nobody was given a copy, as it stands now
	ChaseInterview                  // a return that no interview was offered for
	ChaseMeeting                    // a meeting that is due, or past it, of which there are no minutes
	ChaseConfirm                    // what was typed up for somebody who has not confirmed it in time
	ChaseTablet                     // a tablet that has not been in touch: what it holds is not here
)

// Chased is one thing to chase. It holds nothing of what a record says.
type Chased struct {
	What   Chase
	Family syncproto.FamilyID
	Record syncproto.RecordID // zero for a tablet, and for a meeting
	About  syncproto.RecordID // the person concerned; zero: nobody alone
	Whom   syncproto.UserID   // who can do it; zero: not known
	Device syncproto.DeviceID
	// Meeting is the type of the meeting, a code of minutes.type.
	Meeting string
	// SinceMS is when it began, and By until when it was to be done; NoDay: not said.
	SinceMS int64
	By      clocks.Day
	Overdue bool
}

// soonDays is how many days before it is due a thing is shown.
const soonDays = 7

// interviewHours is within how many hours of a child's return the interview is offered
// (statutory guidance on children who run away or go missing).
const interviewHours = 72 * time.Hour

// awayTooLong is how long a tablet may be out of touch before it is chased (domain rules 5).
const awayTooLong = 24 * time.Hour

// Chase lists what is to be chased in the families that a person chases for, the most
// urgent first. What children must be seen by when is Due's.
func (r *Room) Chase(ctx context.Context, user syncproto.UserID) ([]Chased, error) {
	var out []Chased
	now := r.now()
	for _, h := range r.store.State().Access(user, now.UnixMilli()).Holdings {
		if !h.Reached() {
			continue
		}
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		list, err := r.chaseIn(user, h.Family, now)
		if err != nil {
			return nil, fmt.Errorf("looking for what to chase: %w", err)
		}
		out = append(out, list...)
	}
	out = onceEach(out)
	slices.SortStableFunc(out, func(a, b Chased) int {
		return cmp.Or(cmp.Compare(a.What, b.What), cmp.Compare(a.By, b.By), cmp.Compare(a.SinceMS, b.SinceMS))
	})
	return out, nil
}

// onceEach drops a tablet that is found again in another family of its worker.
func onceEach(list []Chased) []Chased {
	seen := map[syncproto.DeviceID]bool{}
	return slices.DeleteFunc(list, func(c Chased) bool {
		again := c.What == ChaseTablet && seen[c.Device]
		seen[c.Device] = true
		return again
	})
}

// mayChase reports whether somebody chases records of a kind: coordinators do, and
// managers see what waits for them.
func mayChase(who access.Asker, kind string) bool {
	return who.May(kind, access.Need{Action: access.ActionChase}).Allow ||
		who.MayRead(kind).Allow && who.May(kind, access.Need{Action: access.ActionQueue}).Allow
}

// chaser looks through one family's records for one moment.
type chaser struct {
	*Room
	family syncproto.FamilyID
	now    time.Time
	today  clocks.Day
	out    []Chased
	// statuses and minutes are the family's, if both are chased.
	statuses, minutes []*syncproto.View
}

func (r *Room) chaseIn(user syncproto.UserID, family syncproto.FamilyID, now time.Time) ([]Chased, error) {
	who := r.asker(user, family)
	c := &chaser{Room: r, family: family, now: now, today: r.visits.Load().day(now.UnixMilli())}
	for _, k := range schema.All() {
		if newest, _ := schema.Newest(k.ID); newest != k || !mayChase(who, k.ID) {
			continue
		}
		views, err := r.views(family, k.ID)
		if err != nil {
			return nil, err
		}
		switch k.ID {
		case "missing_episode":
			if err := c.interviews(views); err != nil {
				return nil, err
			}
		case "status":
			c.statuses = views
		case "minutes":
			c.minutes = views
		}
		for _, v := range views {
			c.record(v)
		}
	}
	if mayChase(who, "status") && mayChase(who, "minutes") {
		c.meetings()
	}
	if mayChase(who, "visit") {
		c.tablets()
	}
	return c.out, nil
}

func (c *chaser) add(v *syncproto.View, one Chased) {
	one.Family, one.Record = c.family, v.Record
	if one.By != clocks.NoDay {
		one.Overdue = one.By < c.today
	}
	c.out = append(c.out, one)
}

// record looks at one record that is not final.
func (c *chaser) record(v *syncproto.View) {
	if v.Seal != nil {
		return
	}
	for _, q := range v.Workflow.Queries {
		if q.AnsweredBy == nil {
			c.add(v, Chased{What: ChaseQuery, Whom: q.To, SinceMS: q.By.TimeMS, By: clocks.NoDay})
		}
	}
	c.unconfirmed(v)
	switch v.Kind {
	case "visit":
		c.draft(v)
	case "action":
		c.action(v)
	case "plan":
		c.plan(v)
	}
}

// draft finds a visit that is over and was not handed over in the time to record it.
func (c *chaser) draft(v *syncproto.View) {
	start, ok := v.Settled("start").AsInt()
	if !ok || v.Workflow.HandedOver != nil {
		return
	}
	if by, over := c.OnFileBy(start); over {
		f, _ := v.Field("start")
		c.add(v, Chased{What: ChaseDraft, Whom: f.By.Author, SinceMS: start, By: by})
	}
}

// unconfirmed finds what was typed up for somebody, who has not said in the time to record
// it that it is right.
func (c *chaser) unconfirmed(v *syncproto.View) {
	for _, t := range v.Workflow.TypedUp {
		stands := slices.ContainsFunc(v.Workflow.Confirmed, func(w syncproto.Confirmation) bool {
			return w.Stands && (w.By.Author == t.For || w.For == t.For)
		})
		if by, over := c.OnFileBy(t.By.TimeMS); over && !stands && !c.isPart(v) {
			c.add(v, Chased{What: ChaseConfirm, Whom: t.For, SinceMS: t.By.TimeMS, By: by})
		}
	}
}

// isPart: a part is confirmed with its whole.
func (c *chaser) isPart(v *syncproto.View) bool {
	kind, ok := schema.Newest(v.Kind)
	return ok && kind.Part != ""
}

// meetings finds those that policy asks for and of which there are no minutes. One meeting
// is about all the children of a family.
func (c *chaser) meetings() {
	rules := c.visits.Load()
	var held []clocks.Visit
	for _, v := range c.minutes {
		if start, ok := v.Settled("start").AsInt(); ok && v.Workflow.HandedOver != nil {
			held = append(held, clocks.Visit{On: rules.day(start), Type: codeIn(v, "type"), Counts: true})
		}
	}
	first := map[string]clocks.Due{}
	for _, periods := range periodsOf(c.statuses) {
		for _, d := range rules.Due(clocks.Record{Periods: periods, Visits: held}, c.today) {
			if known, ok := first[d.Visit]; isMeeting(d.Visit) && d.State != clocks.OnTime && (!ok || d.On < known.On) {
				first[d.Visit] = d
			}
		}
	}
	for _, code := range slices.Sorted(maps.Keys(first)) {
		by := first[code].On
		c.out = append(c.out, Chased{What: ChaseMeeting, Family: c.family, Meeting: code, By: by, Overdue: by < c.today})
	}
}

func isMeeting(code string) bool {
	kind, _ := schema.Newest("minutes")
	field, _ := kind.Field("type")
	return field.Codes.Has(code)
}

func (c *chaser) action(v *syncproto.View) {
	switch codeIn(v, "status") {
	case "DONE", "CANCELLED":
		return
	}
	due := dayIn(v, "due")
	if due == clocks.NoDay || due > c.today+soonDays {
		return
	}
	one := Chased{What: ChaseAction, By: due}
	if user, ok := v.Settled("owner").Get("user"); ok {
		if id, ok := user.AsBytes(); ok && len(id) == len(one.Whom) {
			one.Whom = syncproto.UserID(id)
		}
	}
	c.add(v, one)
}

// plan finds what a plan in force lacks.
func (c *chaser) plan(v *syncproto.View) {
	if status := codeIn(v, "status"); status != "ACTIVE" && status != "UNDER_REVIEW" {
		return
	}
	status, _ := v.Field("status")
	kind, _ := schema.Newest(v.Kind)
	content := syncproto.ContentHash(v, kind)
	for what, field := range map[Chase]string{ChaseSignature: "signatures", ChaseCopy: "shares"} {
		f, _ := v.Field(field)
		if !slices.ContainsFunc(f.Items, func(e syncproto.Element) bool { return isFor(&e, content) }) {
			c.add(v, Chased{What: what, SinceMS: status.By.TimeMS, By: clocks.NoDay})
		}
	}
	if by := dayIn(v, "review_date"); by != clocks.NoDay && by <= c.today+soonDays {
		c.add(v, Chased{What: ChaseReview, By: by})
	}
}

// isFor reports whether a signature or a copy is for a plan's content as it stands, and
// not for what it said before. That somebody was not asked is no signature; what was
// withheld with a reason is dealt with.
func isFor(e *syncproto.Element, content [32]byte) bool {
	mode, _ := e.Field("mode")
	withheld, _ := e.Field("withheld_reason")
	version, _ := e.Field("version_hash")
	hash, _ := version.Value.AsBytes()
	return !mode.Value.Equal(cbor.Text("NOT_ASKED")) && (bytes.Equal(hash, content[:]) || !withheld.Value.IsNull())
}

// interviews finds returns for which no interview is on file. Whoever chases need not be
// allowed to read either record: they learn that one is missing, and by when.
func (c *chaser) interviews(episodes []*syncproto.View) error {
	held, err := c.views(c.family, "return_interview")
	if err != nil {
		return err
	}
	for _, v := range episodes {
		end, ok := v.Settled("end").AsInt()
		answered := slices.ContainsFunc(held, func(i *syncproto.View) bool {
			episode, ok := refIn(i, "episode")
			return ok && episode == v.Record && codeIn(i, "offered") == "Y"
		})
		if !ok || answered {
			continue
		}
		until := time.UnixMilli(end).Add(interviewHours)
		child, _ := refIn(v, "child")
		c.add(v, Chased{What: ChaseInterview, About: child, SinceMS: end, By: c.visits.Load().day(until.UnixMilli())})
		c.out[len(c.out)-1].Overdue = until.Before(c.now)
	}
	return nil
}

// tablets finds those of the family's workers that have not been in touch. A session on a
// device that is used is renewed every few minutes, so that the last time says enough.
func (c *chaser) tablets() {
	state := c.store.State()
	for _, user := range state.MembersOf(c.family) {
		last := map[syncproto.DeviceID]int64{}
		for _, s := range state.SessionsOf(user) {
			if !s.Device.IsZero() {
				last[s.Device] = max(last[s.Device], s.RotatedMS, s.SignedInMS)
			}
		}
		for device, ms := range last {
			d, ok := state.Device(device)
			if !ok || d.RevokedMS != 0 || c.now.Sub(time.UnixMilli(ms)) < awayTooLong {
				continue
			}
			c.out = append(c.out, Chased{What: ChaseTablet, Family: c.family, Whom: user, Device: device, SinceMS: ms, By: clocks.NoDay, Overdue: true})
		}
	}
}
