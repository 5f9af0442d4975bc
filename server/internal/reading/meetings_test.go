package reading_test

import (
	"testing"
	"time"

	"doorstep/server/internal/reading"
	"doorstep/syncproto"
	"doorstep/syncproto/cbor"
	"doorstep/syncproto/clocks"
)

// meeting is a borough that asks for a core group within 10 working days of the plan, and
// then every month, with Maya on a plan since 1 June 2026.
func meeting(t *testing.T, now time.Time) *borough {
	t.Helper()
	b := chasing(t, now)
	rules := visitRules(t)
	rules.RecordWithin = clocks.Every(2, clocks.WorkingDays)
	row, err := clocks.ParsePolicy("CORE_GROUP for CP first 10 WD every 1 MONTH warn 3 WD")
	if err != nil {
		t.Fatal(err)
	}
	rules.Policies = append(rules.Policies, row)
	b.room.SetVisits(rules)
	b.write(period, "status", set("child", cbor.Bytes(maya[:])), set("kind", cbor.Text("CP")), set("from", cbor.Text("2026-06-01")))
	return b
}

// A core group of which there are no minutes is chased from three working days before it is
// due; minutes of it start its month, and those of another meeting, or of which people
// dispute what meeting it was, do not.
func TestAMeetingWithoutMinutesIsChased(t *testing.T) {
	minutes := syncproto.RecordID{81}
	at := func(month time.Month, day int) time.Time { return time.Date(2026, month, day, 9, 0, 0, 0, time.UTC) }
	took := func(kind string, when time.Time) []syncproto.Op {
		return []syncproto.Op{set("type", cbor.Text(kind)), set("start", cbor.Int(when.UnixMilli())), {Code: syncproto.OpHandOver}}
	}
	for name, c := range map[string]struct {
		now     time.Time
		minutes []syncproto.Op
		by      clocks.Day // NoDay: not chased
		overdue bool
	}{
		"four working days before":    {at(6, 9), nil, clocks.NoDay, false},
		"three working days before":   {at(6, 10), nil, clocks.Date(2026, 6, 15), false},
		"the day after":               {at(6, 16), nil, clocks.Date(2026, 6, 15), true},
		"another meeting was held":    {at(6, 16), took("NETWORK", at(6, 12)), clocks.Date(2026, 6, 15), true},
		"it was held":                 {at(6, 16), took("CORE_GROUP", at(6, 12)), clocks.NoDay, false},
		"it was held, a month ago":    {at(7, 13), took("CORE_GROUP", at(6, 12)), clocks.Date(2026, 7, 12), true},
		"held, but not handed over":   {at(6, 16), took("CORE_GROUP", at(6, 12))[:2], clocks.Date(2026, 6, 15), true},
		"held before the plan begins": {at(6, 16), took("CORE_GROUP", at(5, 29)), clocks.Date(2026, 6, 15), true},
	} {
		t.Run(name, func(t *testing.T) {
			b := meeting(t, c.now)
			if c.minutes != nil {
				b.write(minutes, "minutes", c.minutes...)
			}
			got := b.chased(coordinator, reading.ChaseMeeting)
			want := reading.Chased{What: reading.ChaseMeeting, Family: family, Meeting: "CORE_GROUP", By: c.by, Overdue: c.overdue}
			if c.by == clocks.NoDay {
				want = reading.Chased{}
			}
			if got != want {
				t.Errorf("chased: %+v, want %+v", got, want)
			}
			for _, who := range []syncproto.UserID{stranger, it} {
				if got := b.chased(who, reading.ChaseMeeting); got.What != 0 {
					t.Errorf("somebody of elsewhere chases %+v", got)
				}
			}
		})
	}
}

// What was typed up for a worker is chased once the time to record it has passed, until
// they have confirmed it.
func TestWhatIsTypedUpIsChasedUntilItIsConfirmed(t *testing.T) {
	minutes := syncproto.RecordID{82}
	b := chasing(t, time.Now())
	b.write(minutes, "minutes", syncproto.Op{Code: syncproto.OpTypeUp, To: lead, Reason: "Notes of the core group."}, syncproto.Op{Code: syncproto.OpHandOver})
	v, err := b.Store.View(minutes)
	if err != nil {
		t.Fatal(err)
	}
	rules := visitRules(t)
	rules.RecordWithin = clocks.Every(2, clocks.WorkingDays)
	written := v.Workflow.TypedUp[0].By.TimeMS
	in := func(days int) {
		b.room = reading.New(b.Store, func() time.Time { return time.UnixMilli(written).AddDate(0, 0, days) }, rules)
	}
	in(0)
	if got := b.chased(coordinator, reading.ChaseConfirm); got.What != 0 {
		t.Errorf("chased on the day it is typed up: %+v", got)
	}
	in(14)
	if got := b.chased(coordinator, reading.ChaseConfirm); got.Record != minutes || got.Whom != lead || !got.Overdue {
		t.Errorf("chased two weeks later: %+v", got)
	}
	info, err := b.Store.RecordInfo(minutes)
	if err != nil {
		t.Fatal(err)
	}
	b.write(minutes, "minutes", syncproto.Op{Code: syncproto.OpConfirm, Heads: []syncproto.RecordHeads{{Record: minutes, Heads: info.Heads}}})
	if got := b.chased(coordinator, reading.ChaseConfirm); got.What != 0 {
		t.Errorf("chased though it is confirmed: %+v", got)
	}
}
