package reading_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"doorstep/server/internal/desk"
	"doorstep/server/internal/reading"
	"doorstep/server/internal/store"
	"doorstep/syncproto"
	"doorstep/syncproto/cbor"
	"doorstep/syncproto/clocks"
)

var (
	maya   = syncproto.RecordID{31}
	period = syncproto.RecordID{32}
	weekly = syncproto.RecordID{33} // a visit
	hers   = syncproto.RecordID{34} // Maya's part of it
)

// visitRules are a borough's that asks for a visit every 10 working days.
func visitRules(t *testing.T) reading.VisitRules {
	t.Helper()
	row, err := clocks.ParsePolicy("CP every 10 WD alone 2 warn 3 WD")
	if err != nil {
		t.Fatal(err)
	}
	london, err := time.LoadLocation("Europe/London")
	if err != nil {
		t.Fatal(err)
	}
	return reading.VisitRules{Rules: clocks.Rules{Policies: []clocks.Policy{row}}, Unseen: clocks.DefaultUnseen(), Zone: london}
}

// protected has Maya on a protection plan since 1 June 2026, and a visit of 8 June that
// has everything to count but is not handed in. It is 16 June, half past midnight in London.
func protected(t *testing.T) *borough {
	b := newBorough(t)
	b.room = reading.New(b.Store, func() time.Time { return time.Date(2026, 6, 15, 23, 30, 0, 0, time.UTC) }, visitRules(t))
	b.commit(store.RefEntry{Kind: store.RefQualified, Ref: lead.String(), ID: syncproto.ID(lead)})
	b.write(period, "status", set("child", cbor.Bytes(maya[:])), set("kind", cbor.Text("CP")), set("from", cbor.Text("2026-06-01")))
	worker := cbor.Map(cbor.Pair{Key: "role", Value: cbor.Text("SW")}, cbor.Pair{Key: "worker", Value: cbor.Bytes(lead[:])})
	b.write(weekly, "visit", set("visit_type", cbor.Text("CP")), set("contact_mode", cbor.Text("IN_PERSON")),
		set("outcome", cbor.Text("COMPLETED")), set("place", cbor.Text("HOME")),
		set("start", cbor.Int(time.Date(2026, 6, 7, 23, 15, 0, 0, time.UTC).UnixMilli())), // 00:15 on the 8th
		syncproto.Op{Code: syncproto.OpAdd, Path: syncproto.Path{Field: "workers", Element: syncproto.ElementID{1}}, Value: worker})
	b.write(hers, "visit_child", set("visit", cbor.Bytes(weekly[:])), set("child", cbor.Bytes(maya[:])), set("seen", cbor.Text("Y")))
	return b
}

func (b *borough) onlyDue() reading.ChildDue {
	b.t.Helper()
	list, err := b.room.Due(context.Background(), lead)
	if err != nil || len(list) != 1 || list[0].Child != maya || len(list[0].Visits) != 1 {
		b.t.Fatalf("due: %+v, %v", list, err)
	}
	return list[0]
}

func TestAVisitSatisfiesItsClockOnceHandedIn(t *testing.T) {
	b := protected(t)
	due := b.onlyDue().Visits[0]
	if due.Why() != "Local policy: 10 working days from 1 June 2026" || due.State != clocks.Overdue || due.Last != clocks.NoDay {
		t.Errorf("a visit that nobody handed in: %s, %v", due.Why(), due.State)
	}
	b.write(weekly, "visit", syncproto.Op{Code: syncproto.OpHandOver})
	due = b.onlyDue().Visits[0]
	if due.Why() != "Local policy: 10 working days from 8 June 2026" || due.State != clocks.OnTime || !due.Alone {
		t.Errorf("handed in: %s, %v, alone %v", due.Why(), due.State, due.Alone)
	}
}

// A visit with an open conflict, without the child seen, or by somebody who is not
// registered never satisfies a clock.
func TestWhatNeverSatisfiesAClock(t *testing.T) {
	for name, spoil := range map[string]func(*borough){
		"not seen":        func(b *borough) { b.write(hers, "visit_child", set("seen", cbor.Text("N"))) },
		"nobody said":     func(b *borough) { b.write(hers, "visit_child", set("seen", cbor.Null())) },
		"a call":          func(b *borough) { b.write(weekly, "visit", set("contact_mode", cbor.Text("PHONE"))) },
		"in the office":   func(b *borough) { b.write(weekly, "visit", set("place", cbor.Text("OFFICE"))) },
		"another type":    func(b *borough) { b.write(weekly, "visit", set("visit_type", cbor.Text("CIN"))) },
		"not let in":      func(b *borough) { b.write(weekly, "visit", set("outcome", cbor.Text("NO_ACCESS"))) },
		"without a start": func(b *borough) { b.write(weekly, "visit", set("start", cbor.Null())) },
		"no longer registered": func(b *borough) {
			b.commit(store.RefEntry{Kind: store.RefQualified, Ref: lead.String()})
		},
		"in dispute": func(b *borough) {
			heads := b.heads(hers)
			b.apart(hers, "visit_child", heads, set("seen", cbor.Text("N")))
			b.apart(hers, "visit_child", heads, set("seen", cbor.Text("Y")))
		},
		"anything of it in dispute": func(b *borough) {
			heads := b.heads(weekly)
			b.apart(weekly, "visit", heads, set("next_visit", cbor.Text("2026-06-20")))
			b.apart(weekly, "visit", heads, set("next_visit", cbor.Text("2026-06-22")))
		},
	} {
		t.Run(name, func(t *testing.T) {
			b := protected(t)
			b.write(weekly, "visit", syncproto.Op{Code: syncproto.OpHandOver})
			if b.onlyDue().Visits[0].Last == clocks.NoDay {
				t.Fatal("the visit did not count before")
			}
			spoil(b)
			if due := b.onlyDue().Visits[0]; due.Last != clocks.NoDay || due.State != clocks.Overdue {
				t.Errorf("it satisfies the clock: %s, last %s", due.Why(), due.Last)
			}
		})
	}
}

// apart writes on the same heads as somebody else does.
func (b *borough) apart(record syncproto.RecordID, kind string, heads []syncproto.ChangeID, op syncproto.Op) {
	b.t.Helper()
	b.stage(func(tx *store.Tx) error {
		_, err := b.desk.Compose(tx, editOn(record, kind, heads, op))
		return err
	})
}

func TestAChildWhomNobodySawIsShown(t *testing.T) {
	b := protected(t)
	failed := syncproto.RecordID{35}
	b.write(failed, "visit", set("visit_type", cbor.Text("CP")), set("outcome", cbor.Text("NO_REPLY")),
		set("start", cbor.Int(time.Date(2026, 6, 12, 15, 0, 0, 0, time.UTC).UnixMilli())))
	if due := b.onlyDue(); due.Failed.ISO() != "2026-06-12" || due.SeeBy.ISO() != "2026-06-19" || due.UnseenBySocialWork {
		t.Errorf("after a failed visit: %+v", due)
	}
	b.room = reading.New(b.Store, func() time.Time { return time.Date(2026, 7, 7, 9, 0, 0, 0, time.UTC) }, visitRules(t))
	if due := b.onlyDue(); !due.UnseenBySocialWork || due.Unseen {
		t.Errorf("four weeks and a day after the 8th: %+v", due)
	}
	b.room = reading.New(b.Store, func() time.Time { return time.Date(2026, 7, 21, 9, 0, 0, 0, time.UTC) }, visitRules(t))
	if due := b.onlyDue(); !due.Unseen {
		t.Errorf("six weeks and a day after the 8th: %+v", due)
	}
}

// A child who is not born yet is nobody whom somebody has failed to see; from the day of
// the expected birth on they are.
func TestAChildWhoIsExpectedIsNotUnseen(t *testing.T) {
	b := protected(t)
	b.write(maya, "person", set("expected_dob", cbor.Text("2026-09-01")))
	on := func(month time.Month, day int) reading.ChildDue {
		b.room = reading.New(b.Store, func() time.Time { return time.Date(2026, month, day, 9, 0, 0, 0, time.UTC) }, visitRules(t))
		return b.onlyDue()
	}
	if due := on(8, 31); due.Unseen || due.UnseenBySocialWork || due.Visits[0].State != clocks.Overdue {
		t.Errorf("the day before: %+v, want an overdue visit alone", due)
	}
	if due := on(9, 1); !due.Unseen {
		t.Errorf("on the day: %+v, want a child whom nobody has seen", due)
	}
	b.write(maya, "person", set("dob", cbor.Text("2026-06-10")), set("expected_dob", cbor.Null()))
	if due := on(8, 31); !due.Unseen {
		t.Errorf("born early: %+v, want a child whom nobody has seen", due)
	}
}

func TestOnlyReadersAreToldWhatIsDue(t *testing.T) {
	b := protected(t)
	for user, known := range map[syncproto.UserID]bool{lead: true, manager: true, stranger: false, it: false} {
		_, err := b.room.FamilyDue(context.Background(), user, family)
		if known != (err == nil) || !known && !errors.Is(err, syncproto.CodeNotFound) {
			t.Errorf("%s asked what is due: %v", b.room.Name(user), err)
		}
		if list, err := b.room.Due(context.Background(), user); err != nil || (len(list) > 0) != known {
			t.Errorf("%s is told of %d children, %v", b.room.Name(user), len(list), err)
		}
	}
}

func editOn(record syncproto.RecordID, kind string, heads []syncproto.ChangeID, op syncproto.Op) []desk.Edit {
	return []desk.Edit{{Author: lead, Family: family, Record: record, Kind: kind, Ops: []syncproto.Op{op}, Deps: heads}}
}
