package exchange_test

import (
	"bytes"
	"slices"
	"testing"

	"doorstep/server/internal/store"
	"doorstep/syncproto"
)

// given asks the feed of a family for the first change, with what came with it.
func given(t *testing.T, d *tablet) syncproto.Returned {
	t.Helper()
	for _, it := range d.mustAsk(d.request()).Items {
		if it.Type == syncproto.ItemChange {
			return syncproto.Returned{Device: it.Device, Prev: it.Prev, Body: it.Body, Proof: it.Proof}
		}
	}
	t.Fatal("there is no change in the feed")
	return syncproto.Returned{}
}

// givenOf is one change as the feed brings it to a device, with what came with it.
func givenOf(t *testing.T, d *tablet, c *syncproto.Change) syncproto.Returned {
	t.Helper()
	for _, it := range d.mustAsk(d.request()).Items {
		if it.Type == syncproto.ItemChange && bytes.Equal(it.Body, c.Raw) {
			return syncproto.Returned{Device: it.Device, Prev: c.Prev, Body: it.Body, Proof: it.Proof}
		}
	}
	t.Fatalf("change %s is not in the feed", c.ID)
	return syncproto.Returned{}
}

// TestReturnedChangeNeedsTheProofThatCameWithIt holds that nobody can make up words
// of others: any other proof, device, prev or body is refused and leaves no trace.
func TestReturnedChangeNeedsTheProofThatCameWithIt(t *testing.T) {
	w, family, worker := case1(t)
	worker.write(edit{family: family, record: newID[syncproto.RecordID](w), kind: "visit", ops: place("HOME")})
	worker.sync()
	colleague := w.coworker(family)
	good := given(t, colleague)
	before, _ := w.b.Journal.Head()
	for name, spoil := range map[string]func(*syncproto.Returned){
		"proof":  func(r *syncproto.Returned) { r.Proof[3] ^= 1 },
		"device": func(r *syncproto.Returned) { r.Device[3] ^= 1 },
		"prev":   func(r *syncproto.Returned) { r.Prev[3] ^= 1 },
		"body":   func(r *syncproto.Returned) { r.Body[len(r.Body)-1] ^= 1 },
	} {
		bad := good
		bad.Body = slices.Clone(good.Body)
		spoil(&bad)
		q := colleague.request()
		q.Returned = []syncproto.Returned{bad}
		reply := colleague.mustAsk(q)
		if len(reply.Receipts) != 1 || reply.Receipts[0].Status != syncproto.StatusRefused {
			t.Errorf("another %s: receipts %+v, want a refusal", name, reply.Receipts)
		}
	}
	if after, _ := w.b.Journal.Head(); after != before {
		t.Errorf("the journal grew from %d to %d", before, after)
	}
	q := colleague.request()
	q.Returned = []syncproto.Returned{good}
	reply := colleague.mustAsk(q)
	if len(reply.Receipts) != 1 || reply.Receipts[0].Status != syncproto.StatusAccepted {
		t.Errorf("what the server has already: receipts %+v, want it accepted", reply.Receipts)
	}
}

// TestFault84WhatCountedBeforeCountsAgainThoughItsAuthorLostAccess has the author's tablet
// come first after a restore that lost a grant, and a colleague's with the proof after
// it: the words had counted, and count again for all.
func TestFault84WhatCountedBeforeCountsAgainThoughItsAuthorLostAccess(t *testing.T) {
	w, family, worker := case1(t)
	c := worker.write(edit{family: family, record: newID[syncproto.RecordID](w), kind: "visit", ops: place("HOME")})
	worker.sync()
	good := given(t, w.coworker(family))

	other := newTown(t) // the same borough, restored from before
	other.commit(store.FamilyTeamEntry{Family: family, Team: store.TeamID{1}})
	for _, d := range []*tablet{worker, w.coworker(family)} {
		other.commit(d.entry(), store.UserEntry{ID: d.user, Role: "practitioner", Login: d.user.String()})
		d.w, d.cursor = other, nil
	}
	colleague := other.coworker(family)
	worker.outbox = []*syncproto.Change{c}
	worker.sync()
	worker.wantReceipt(c, quarantined, syncproto.CodeNotEntitled)
	q := colleague.request()
	q.Returned = []syncproto.Returned{good}
	reply := colleague.mustAsk(q)
	if len(reply.Receipts) != 1 || reply.Receipts[0].Status != syncproto.StatusAccepted {
		t.Errorf("given back with its proof: receipts %+v, want it accepted", reply.Receipts)
	}
	if ref, err := other.b.Store.Change(c.ID); err != nil || ref.Status != syncproto.StatusAccepted {
		t.Errorf("at the server: %+v, %v", ref.Status, err)
	}
}

// TestFault84WhatCountedBeforeCountsAgainWhateverItWaitsFor has the author's chain come
// first after a restore that lost a grant, without its beginning, and then a colleague's
// tablet, with the proof but without what the words build on. When all has come they
// count, as on every tablet that holds them.
func TestFault84WhatCountedBeforeCountsAgainWhateverItWaitsFor(t *testing.T) {
	for name, authorFirst := range map[string]bool{"held for what came before it": true, "new, held for what it builds on": false} {
		t.Run(name, func(t *testing.T) {
			w, family, worker := case1(t)
			before := w.coworker(family)
			record := newID[syncproto.RecordID](w)
			base := before.write(edit{family: family, record: record, kind: "visit", ops: place("HOME")})
			before.sync()
			first := worker.write(edit{family: family, record: newID[syncproto.RecordID](w), kind: "visit", ops: place("HOME")})
			c := worker.write(edit{family: family, record: record, kind: "visit", deps: []*syncproto.Change{base}, ops: place("OFFICE")})
			worker.sync()
			back := givenOf(t, w.coworker(family), c)

			other := newTown(t) // the same borough, restored from before
			other.commit(store.FamilyTeamEntry{Family: family, Team: store.TeamID{1}})
			for _, d := range []*tablet{worker, before} {
				other.commit(d.entry(), store.UserEntry{ID: d.user, Role: "practitioner", Login: d.user.String()})
				d.w, d.cursor = other, nil
			}
			other.relate(before.user, family, "LEAD")
			if authorFirst {
				before.outbox = []*syncproto.Change{base}
				before.sync()
				worker.mustAsk(worker.request(worker.batch(c)))
				worker.wantReceipt(c, held, syncproto.CodeMissingPrev)
			}
			q := before.request()
			q.Returned = []syncproto.Returned{back}
			before.mustAsk(q)
			if !authorFirst {
				before.outbox = []*syncproto.Change{base}
				before.sync()
			}
			worker.mustAsk(worker.request(worker.batch(first, c)))
			if ref, err := other.b.Store.Change(c.ID); err != nil || ref.Status != syncproto.StatusAccepted {
				t.Errorf("at the server: %d, %v, %v; want it accepted", ref.Status, ref.Code, err)
			}
			if ref, err := other.b.Store.Change(first.ID); err != nil || ref.Status != syncproto.StatusQuarantined {
				t.Errorf("what nobody gave back: %d, %v; want it in quarantine", ref.Status, err)
			}
		})
	}
}

// TestFault84WhatCameBeforeAPurgeIsNotWaitedFor offers a chain of which the device has lost
// the beginning to a purge, to a server that has lost it to a restore.
func TestFault84WhatCameBeforeAPurgeIsNotWaitedFor(t *testing.T) {
	w, family, ada := case1(t)
	purged := ada.write(edit{family: family, record: newID[syncproto.RecordID](w), kind: "visit", ops: place("HOME")})
	next := ada.write(edit{family: family, record: newID[syncproto.RecordID](w), kind: "visit", ops: place("HOME")})
	last := ada.write(edit{family: family, record: next.Body.Record, kind: "visit", deps: []*syncproto.Change{next}, ops: place("OFFICE")})
	batch := ada.batch(next, last)
	ada.mustAsk(ada.request(batch))
	ada.wantReceipt(next, held, syncproto.CodeMissingPrev)

	w2, family2, bea := case1(t)
	gone := bea.write(edit{family: family2, record: newID[syncproto.RecordID](w2), kind: "visit", ops: place("HOME")})
	dep := w2.coworker(family2)
	base := dep.write(edit{family: family2, record: newID[syncproto.RecordID](w2), kind: "visit", ops: place("HOME")})
	after := bea.write(edit{family: family2, record: base.Body.Record, kind: "visit", deps: []*syncproto.Change{base}, ops: place("OFFICE")})
	batch = bea.batch(after)
	batch.Gap = true
	bea.mustAsk(bea.request(batch))
	bea.wantReceipt(after, held, syncproto.CodeMissingDeps)
	dep.sync()
	if ref, err := w2.b.Store.Change(after.ID); err != nil || ref.Status != syncproto.StatusAccepted {
		t.Errorf("once what it builds on is here: %+v, %v; want it accepted without %s", ref, err, gone.ID)
	}
	_ = purged
}
