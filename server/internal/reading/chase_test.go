package reading_test

import (
	"context"
	"testing"
	"time"

	"doorstep/server/internal/reading"
	"doorstep/server/internal/store"
	"doorstep/syncproto"
	"doorstep/syncproto/cbor"
	"doorstep/syncproto/clocks"
	"doorstep/syncproto/schema"
)

// coordinator of the family's team.
var coordinator = syncproto.UserID{50}

// chasing is a borough with a coordinator, at a time.
func chasing(t *testing.T, now time.Time) *borough {
	t.Helper()
	b := newBorough(t)
	rules := visitRules(t)
	rules.RecordWithin = clocks.Every(2, clocks.WorkingDays)
	b.room = reading.New(b.Store, func() time.Time { return now }, rules)
	b.commit(store.UserEntry{ID: coordinator, Login: "cora", Name: "Cora", Role: "coordinator"},
		store.TeamEntry{User: coordinator, Team: team, Basis: "COORD", Grant: true})
	return b
}

// chased is the one thing of a sort that is to be chased; none: the zero value.
func (b *borough) chased(who syncproto.UserID, what reading.Chase) reading.Chased {
	b.t.Helper()
	list, err := b.room.Chase(context.Background(), who)
	if err != nil {
		b.t.Fatal(err)
	}
	var out reading.Chased
	for _, c := range list {
		if c.What != what {
			continue
		}
		if out.What != 0 {
			b.t.Fatalf("it is there twice: %+v and %+v", out, c)
		}
		out = c
	}
	return out
}

// Tuesday, 16 June 2026.
var tuesday = time.Date(2026, 6, 16, 9, 0, 0, 0, time.UTC)

func entry(field string, parts ...cbor.Pair) syncproto.Op {
	return syncproto.Op{Code: syncproto.OpAdd, Path: syncproto.Path{Field: field, Element: syncproto.ElementID{1}}, Value: cbor.Map(parts...)}
}

func says(name, value string) cbor.Pair { return cbor.Pair{Key: name, Value: cbor.Text(value)} }

// signature is Kat's of a plan as it stands.
func (b *borough) signature(plan syncproto.RecordID, mode string) syncproto.Op {
	b.t.Helper()
	v, err := b.Store.View(plan)
	if err != nil {
		b.t.Fatal(err)
	}
	kind, _ := schema.Newest("plan")
	content := syncproto.ContentHash(v, kind)
	return entry("signatures", says("capacity", "PARENT"), says("mode", mode), says("declined_reason", "Not today."), says("signer", "Kat"), cbor.Pair{Key: "version_hash", Value: cbor.Bytes(content[:])})
}

// agreedPlan puts a plan in force that has all that it needs for that.
func agreedPlan(review string) []syncproto.Op {
	return []syncproto.Op{set("status", cbor.Text("ACTIVE")), set("review_date", cbor.Text(review)), set("contingency", cbor.Text("Ring Nan.")),
		entry("rules", says("text", "The chain is on the door."), says("when", "Every night"), says("who", "Nan")),
		entry("network", says("agreed_on", "2026-06-01"), says("contact", "01632 960001"), says("name", "Nan")),
		entry("triggers", says("text", "Des rings."))}
}

// TestWhatIsChased: each sort is found when it is due and not before, and goes when it is done.
func TestWhatIsChased(t *testing.T) {
	visited := func(day int) syncproto.Op {
		return set("start", cbor.Int(time.Date(2026, 6, day, 14, 0, 0, 0, time.UTC).UnixMilli()))
	}
	plan, action, episode, interview := syncproto.RecordID{61}, syncproto.RecordID{62}, syncproto.RecordID{63}, syncproto.RecordID{64}
	returned := set("end", cbor.Int(tuesday.Add(-80*time.Hour).UnixMilli()))
	for name, one := range map[string]struct {
		what   reading.Chase
		record syncproto.RecordID
		kind   string
		before []syncproto.Op // not chased yet
		begin  []syncproto.Op // chased now
		done   func(b *borough)
		late   bool
	}{
		"a visit of Thursday, on the third working day": {reading.ChaseDraft, visit, "visit", []syncproto.Op{visited(12)}, []syncproto.Op{visited(11)},
			func(b *borough) { b.write(visit, "visit", syncproto.Op{Code: syncproto.OpHandOver}) }, true},
		"a question": {reading.ChaseQuery, visit, "visit", nil, []syncproto.Op{{Code: syncproto.OpQuery, To: lead, Text: "Which door?"}},
			func(b *borough) {
				v, _ := b.Store.View(visit)
				b.write(visit, "visit", syncproto.Op{Code: syncproto.OpAnswer, Target: v.Workflow.Queries[0].ID, Text: "The back."})
			}, false},
		"an action of yesterday": {reading.ChaseAction, action, "action", []syncproto.Op{set("status", cbor.Text("OPEN")), set("due", cbor.Text("2026-06-24"))},
			[]syncproto.Op{set("due", cbor.Text("2026-06-15"))},
			func(b *borough) { b.write(action, "action", set("status", cbor.Text("DONE"))) }, true},
		"a plan's review": {reading.ChaseReview, plan, "plan", agreedPlan("2026-06-24"),
			[]syncproto.Op{set("review_date", cbor.Text("2026-06-23"))},
			func(b *borough) { b.write(plan, "plan", set("review_date", cbor.Text("2026-09-01"))) }, false},
		"a plan without a signature": {reading.ChaseSignature, plan, "plan", agreedPlan("2026-09-24")[1:],
			agreedPlan("2026-09-24")[:1], func(b *borough) { b.write(plan, "plan", b.signature(plan, "DECLINED")) }, false},
		"a plan of which only another version is signed": {reading.ChaseSignature, plan, "plan", nil, agreedPlan("2026-09-24"), func(b *borough) {
			old := b.signature(plan, "PEN")
			b.write(plan, "plan", set("contingency", cbor.Text("Ring Nan, and then us.")), old)
			if b.chased(coordinator, reading.ChaseSignature).What == 0 {
				b.t.Error("a signature for what the plan said before is taken for one")
			}
			asked := b.signature(plan, "NOT_ASKED")
			asked.Path.Element = syncproto.ElementID{2}
			b.write(plan, "plan", asked)
			if b.chased(coordinator, reading.ChaseSignature).What == 0 {
				b.t.Error("that somebody was not asked is taken for a signature")
			}
			now := b.signature(plan, "SPOKEN")
			now.Path.Element = syncproto.ElementID{3}
			b.write(plan, "plan", now)
		}, false},
		"a return without an interview": {reading.ChaseInterview, episode, "missing_episode", []syncproto.Op{set("child", cbor.Bytes(maya[:]))},
			[]syncproto.Op{returned}, func(b *borough) {
				b.write(interview, "return_interview", set("episode", cbor.Bytes(episode[:])), set("offered", cbor.Text("Y")))
			}, true},
	} {
		t.Run(name, func(t *testing.T) {
			b := chasing(t, tuesday)
			if len(one.before) > 0 {
				b.write(one.record, one.kind, one.before...)
			}
			if got := b.chased(coordinator, one.what); got.What != 0 {
				t.Errorf("chased too soon: %+v", got)
			}
			b.write(one.record, one.kind, one.begin...)
			if got := b.chased(coordinator, one.what); got.Record != one.record || got.Family != family || got.Overdue != one.late {
				t.Errorf("chased: %+v, want record %s, overdue %v", got, one.record, one.late)
			}
			for _, who := range []syncproto.UserID{stranger, it} {
				if list, err := b.room.Chase(context.Background(), who); err != nil || len(list) > 0 {
					t.Errorf("somebody of elsewhere chases %+v, %v", list, err)
				}
			}
			one.done(b)
			if got := b.chased(coordinator, one.what); got.What != 0 {
				t.Errorf("chased though it is done: %+v", got)
			}
		})
	}
}

// TestTabletsOutOfTouch: what a tablet holds that was not here for a day is not here.
func TestTabletsOutOfTouch(t *testing.T) {
	b := chasing(t, tuesday)
	device := syncproto.DeviceID{70}
	b.commit(store.DeviceEntry{ID: device, Name: "Lena's tablet", Users: []syncproto.UserID{lead}, Key: make([]byte, 65)})
	session := func(ago time.Duration) {
		b.commit(store.SessionEntry{ID: syncproto.ID{71}, User: lead, Device: device, SignedInMS: tuesday.Add(-90 * time.Hour).UnixMilli(), RotatedMS: tuesday.Add(-ago).UnixMilli()})
	}
	session(23 * time.Hour)
	if got := b.chased(coordinator, reading.ChaseTablet); got.What != 0 {
		t.Errorf("chased after 23 hours: %+v", got)
	}
	session(25 * time.Hour)
	if got := b.chased(coordinator, reading.ChaseTablet); got.Device != device || got.Whom != lead || !got.Overdue {
		t.Errorf("chased after 25 hours: %+v", got)
	}
	b.commit(store.DeviceEntry{ID: device, Name: "Lena's tablet", Users: []syncproto.UserID{lead}, Key: make([]byte, 65), RevokedMS: 1})
	if got := b.chased(coordinator, reading.ChaseTablet); got.What != 0 {
		t.Errorf("a withdrawn tablet is chased: %+v", got)
	}
}
