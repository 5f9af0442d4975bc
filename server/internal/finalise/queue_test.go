package finalise_test

import (
	"errors"
	"testing"
	"time"

	"doorstep/server/internal/access"
	"doorstep/server/internal/finalise"
	"doorstep/server/internal/store"
	"doorstep/syncproto"
)

// TestQueueFollowsTheRecord through every state.
func TestQueueFollowsTheRecord(t *testing.T) {
	w := newWorld(t)
	want := func(state finalise.State, blocks ...syncproto.Code) finalise.Item {
		t.Helper()
		items, err := w.service.Queue(ctx, as(coordB))
		if err == nil {
			err = w.service.Explain(ctx, as(coordB), items)
		}
		if err != nil || len(items) != 1 {
			t.Fatalf("queue: %+v, %v, want one record", items, err)
		}
		if items[0].State != state {
			t.Errorf("state: got %s, want %s", items[0].State, state)
		}
		var got []syncproto.Code
		for _, b := range items[0].Blocks {
			got = append(got, b.Code)
		}
		if len(got) != len(blocks) {
			t.Errorf("%s: blocked by %v, want %v", state, got, blocks)
		}
		if d, err := w.service.Depth(1); err != nil || !d.Complete || len(d.ByState) != 1 || d.ByState[state] != 1 ||
			d.Oldest.UnixMilli() != items[0].HandedOverMS {
			t.Errorf("depth: %+v, %v, want one that is %s", d, err, state)
		}
		return items[0]
	}
	empty := func(user syncproto.UserID) {
		t.Helper()
		if items, err := w.service.Queue(ctx, as(user)); err != nil || len(items) != 0 {
			t.Errorf("queue of %v: %+v, %v, want nothing", user[0], items, err)
		}
	}
	conflicted(w)
	empty(coordA) // not handed over
	w.must(w.service.HandOver(ctx, as(lead), finalise.HandOver{Record: visit, To: coordA}))
	item := want(finalise.StateConflict, syncproto.CodeOpenConflict, syncproto.CodeMissingField,
		syncproto.CodeNotConfirmed, syncproto.CodeNotConfirmed, syncproto.CodeNotConfirmed)
	if item.Conflicts != 1 || item.HandedOverBy != lead || item.HandedOverTo != coordA || item.HandedOverMS != w.now.UnixMilli() {
		t.Errorf("item: %+v", item)
	}
	w.must(w.decide(lead, decision("SCHOOL")))
	want(finalise.StateHandedOver, syncproto.CodeNotConfirmed, syncproto.CodeNotConfirmed, syncproto.CodeNotConfirmed)
	if _, err := w.service.Lease(ctx, as(coordA), visit); err != nil {
		t.Fatal(err)
	}
	if item := want(finalise.StateInPreparation, 0, 0, 0); item.LeasedTo != coordA || !item.LeasedUntil.Equal(w.now.Add(finalise.LeaseTime)) {
		t.Errorf("lease: %+v", item)
	}
	query := w.must(w.service.Query(ctx, as(coordA), finalise.Query{Record: partJo, To: lead, Text: "?"}))
	if item := want(finalise.StateQuery, 0, 0, 0, 0); item.OpenQueries != 1 {
		t.Errorf("queries: %+v", item)
	}
	w.must(w.service.Answer(ctx, as(lead), finalise.Answer{Record: partJo, Query: query, Text: "Yes."}))
	w.now = w.now.Add(time.Hour)
	w.confirm()
	want(finalise.StateConfirmed)
	empty(stranger)
	empty(it)
	for _, user := range []syncproto.UserID{lead, co, manager} {
		if items, err := w.service.Queue(ctx, as(user)); err != nil || len(items) != 1 {
			t.Errorf("queue of %v: %+v, %v, want the visit", user[0], items, err)
		}
	}
	w.seal()
	empty(coordA)
	if d, err := w.fresh().Depth(0); err != nil || d.Complete {
		t.Errorf("depth, without counting anew: %+v, %v, want it incomplete", d, err)
	}
	if d, err := w.service.Depth(9); err != nil || !d.Complete || len(d.ByState) != 0 || !d.Oldest.IsZero() {
		t.Errorf("depth: %+v, %v, want nothing", d, err)
	}
}

// TestQueueIsOfThoseItConcerns: a worker who may read a visit and wrote nothing in
// it does not have it in their queue; who wrote in a child's part does.
func TestQueueIsOfThoseItConcerns(t *testing.T) {
	w := newWorld(t)
	w.recorded()
	w.must(w.service.HandOver(ctx, as(lead), finalise.HandOver{Record: visit, To: coordA}))
	for step, want := range []map[syncproto.UserID]int{{lead: 1, co: 0, coordA: 1, manager: 1, it: 0}, {co: 1}} {
		if step == 1 {
			w.edit(co, partJo, "visit_child", code("seen_alone", "N"))
		}
		for user, n := range want {
			if items, err := w.service.Queue(ctx, as(user)); err != nil || len(items) != n {
				t.Errorf("step %d, user %d: got %d items, %v, want %d", step, user[0], len(items), err, n)
			}
		}
	}
	if _, err := w.service.Checklist(ctx, as(co), visit); err != nil {
		t.Errorf("the co-worker cannot read what is not in their queue: %v", err)
	}
}

// TestQueueIsInOrderOfHandingOver.
func TestQueueIsInOrderOfHandingOver(t *testing.T) {
	w := newWorld(t)
	records := []syncproto.RecordID{{50}, {51}, {52}}
	for _, r := range records {
		w.edit(lead, r, "visit", visitOps(w.now)...)
	}
	for _, i := range []int{2, 0, 1} {
		w.now = w.now.Add(time.Minute)
		w.must(w.service.HandOver(ctx, as(lead), finalise.HandOver{Record: records[i]}))
	}
	items, err := w.service.Queue(ctx, as(coordA))
	if err != nil || len(items) != 3 {
		t.Fatalf("queue: %+v, %v", items, err)
	}
	for i, want := range []int{2, 0, 1} {
		if items[i].Record != records[want] {
			t.Errorf("place %d: got %v, want %v", i, items[i].Record[0], records[want][0])
		}
	}
}

// TestBusinessSupportHasItsPartOfTheQueue: whoever supports a team has calendar and
// minutes in the queue (domain rules (c): "calendar, minutes, print only", "partial"):
// no visit that was handed over, its checklist as little as its words, and no step.
func TestBusinessSupportHasItsPartOfTheQueue(t *testing.T) {
	w := newWorld(t)
	support := syncproto.UserID{88}
	w.store(person(support, "business_support"), store.TeamEntry{User: support, Team: team, Basis: "SUPPORT", Grant: true})
	w.recorded()
	w.must(w.service.HandOver(ctx, as(lead), finalise.HandOver{Record: visit, To: coordA}))
	if items, err := w.service.Queue(ctx, as(support)); err != nil || len(items) != 0 {
		t.Errorf("their queue: %+v, %v, want no visit", items, err)
	}
	for what, act := range map[string]func() error{
		"the checklist": func() error { _, err := w.service.Checklist(ctx, as(support), visit); return err },
		"a lease":       func() error { _, err := w.service.Lease(ctx, as(support), visit); return err },
		"a query": func() error {
			_, err := w.service.Query(ctx, as(support), finalise.Query{Record: visit, To: lead, Text: "When?"})
			return err
		},
		"a hand-over": func() error {
			_, err := w.service.HandOver(ctx, as(support), finalise.HandOver{Record: visit})
			return err
		},
	} {
		if err := act(); !errors.Is(err, syncproto.CodeNotFound) {
			t.Errorf("%s: got %v, want that there is no such record", what, err)
		}
	}
	who := access.AskerOf(access.Standing(w.borough.Store.State().StandingOf(support, family, w.now.UnixMilli())))
	for group := access.GroupCore; group <= access.GroupBreakGlass; group++ {
		queued := who.MayIn(group, access.Need{Action: access.ActionQueue}).Allow
		reads := who.MayIn(group, access.Need{Action: access.ActionRead}).Allow
		if minutes := group == access.GroupMeeting; queued != minutes || reads != minutes {
			t.Errorf("%s: in their queue %v, to read %v; want both of calendar and minutes alone", group, queued, reads)
		}
	}
}
