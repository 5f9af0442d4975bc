package exchange_test

import (
	"maps"
	"slices"
	"testing"

	"doorstep/server/internal/journal"
	"doorstep/server/internal/store"
	"doorstep/syncproto"
)

// purges returns the purges of a reply, and fails the test if words came with them.
func (d *tablet) purges(reply *syncproto.SyncReply) []syncproto.Purged {
	d.w.t.Helper()
	var out []syncproto.Purged
	for _, it := range reply.Items {
		if it.Type != syncproto.ItemPurge {
			d.w.t.Errorf("beside purges came %+v", it)
			continue
		}
		out = append(out, syncproto.Purged{Family: it.Family, Position: it.Position})
	}
	return out
}

func (d *tablet) wantPurges(what string, want ...syncproto.Purged) {
	d.w.t.Helper()
	if got := d.purges(d.mustAsk(d.request())); !slices.Equal(got, want) {
		d.w.t.Errorf("%s: got purges %v, want %v", what, got, want)
	}
}

// A device is asked to purge until it has signed that it did, also when it lost
// its cursor, and by a server that was started anew.
func TestAPurgeIsOwedUntilItsReceipt(t *testing.T) {
	w, family, ada := case1(t)
	ada.fill(family, 2)
	at := w.part(ada.user, family, "LEAD")
	owed := syncproto.Purged{Family: family, Position: at}
	ada.wantPurges("first", owed)
	ada.wantPurges("again", owed)
	ada.cursor = nil
	ada.wantPurges("without a cursor", owed)
	w.restart()
	ada.wantPurges("after a restart", owed)
	ada.mustAsk(ada.purged(owed))
	ada.wantPurges("after the receipt")
	w.restart()
	ada.wantPurges("after the receipt and a restart")
	ada.cursor = nil
	ada.wantPurges("after the receipt, without a cursor: it might be a clone", owed)
	ada.wantPurges("with the cursor that came then")

	w.relate(ada.user, family, "CO")
	ada.sync()
	if ada.count(family) != 2 {
		t.Errorf("after a new grant: got %d changes, want the whole history of 2", ada.count(family))
	}
	again := syncproto.Purged{Family: family, Position: w.part(ada.user, family, "CO")}
	ada.mustAsk(ada.purged(owed)) // an old receipt told again
	ada.wantPurges("after the second revocation", again)
}

// What is not this device's word, or not about this journal, is no receipt.
func TestAPurgeReceiptMustBeTheDevicesOwnWord(t *testing.T) {
	w, family, ada := case1(t)
	ada.fill(family, 1)
	bea := w.coworker(family)
	owed := syncproto.Purged{Family: family, Position: w.part(ada.user, family, "LEAD")}
	for name, spoil := range map[string]func(q *syncproto.SyncRequest){
		"a flipped bit": func(q *syncproto.SyncRequest) { q.PurgeSignature[20] ^= 1 },
		"another epoch": func(q *syncproto.SyncRequest) { q.Epoch[0] ^= 1 },
		"another position": func(q *syncproto.SyncRequest) {
			q.Purged = []syncproto.Purged{{Family: family, Position: owed.Position + 1}}
		},
		"beyond the head":       func(q *syncproto.SyncRequest) { *q = *ada.purged(syncproto.Purged{Family: family, Position: 1 << 40}) },
		"another device's hand": func(q *syncproto.SyncRequest) { q.PurgeSignature = bea.purged(owed).PurgeSignature },
		"another device's receipt": func(q *syncproto.SyncRequest) {
			q.PurgeSignature = bea.signature(syncproto.PurgeMessage(ada.device, ada.user, q.Epoch, q.Purged))
		},
	} {
		q := ada.purged(owed)
		spoil(q)
		head, _ := w.b.Journal.Head()
		if got := ada.purges(ada.mustAsk(q)); !slices.Equal(got, []syncproto.Purged{owed}) {
			t.Errorf("%s: got purges %v, want %v still owed", name, got, owed)
		}
		if now, _ := w.b.Journal.Head(); now != head {
			t.Errorf("%s: something was stored", name)
		}
	}
	if !w.log.has("security event", "bad signature of purge receipts") {
		t.Error("no security event")
	}
}

// A cloned tablet has the device's key and a cursor of its own. What one of the two
// signs does not keep the purge from the other.
func TestACloneIsPurgedToo(t *testing.T) {
	w, family, ada := case1(t)
	ada.fill(family, 2)
	clone := *ada
	clone.changes = maps.Clone(ada.changes)
	owed := syncproto.Purged{Family: family, Position: w.part(ada.user, family, "LEAD")}
	ada.wantPurges("the one", owed)
	ada.mustAsk(ada.purged(owed))
	clone.wantPurges("the other", owed)
	if clone.count(family) != 0 {
		t.Error("the clone still holds the family")
	}
}

// A clone that has to begin anew, as in a new epoch, has no cursor that says what it
// held, and the other has signed that it purged.
func TestACloneThatBeginsAnewIsPurgedToo(t *testing.T) {
	w, family, ada := case1(t)
	ada.fill(family, 2)
	clone := *ada
	clone.changes = maps.Clone(ada.changes)
	owed := syncproto.Purged{Family: family, Position: w.part(ada.user, family, "LEAD")}
	ada.wantPurges("the one", owed)
	ada.mustAsk(ada.purged(owed))
	clone.cursor = nil
	clone.wantPurges("the other, without a cursor", owed)
	clone.mustAsk(clone.purged(owed))
	clone.wantPurges("the other, when it is done")
}

// An epoch may begin while the server runs. Receipts of purges count in it from then
// on, or the device would be asked for ever.
func TestFault84PurgeReceiptsCountInAnEpochThatBeganWhileTheServerRan(t *testing.T) {
	w, family, ada := case1(t)
	ada.fill(family, 1)
	owed := syncproto.Purged{Family: family, Position: w.part(ada.user, family, "LEAD")}
	if err := w.b.Journal.J.BeginEpoch(journal.WhyRestored, "test"); err != nil {
		t.Fatal(err)
	}
	w.x.SetEpoch(w.b.Journal.Epoch())
	ada.cursor = nil
	ada.wantPurges("in the new epoch", owed)
	ada.mustAsk(ada.purged(owed))
	ada.wantPurges("after the receipt")
}

// The ledger's time stands still when the server's clock goes back. A receipt of a
// purge that the clock brought must not bear a time at which the family is held, or
// the device would purge and be asked for ever.
func TestFault56APurgeIsDoneOnceThoughTheClockWentBack(t *testing.T) {
	w, family, ada := case1(t)
	const day = 86_400_000
	ada.fill(family, 1)
	bea := w.tablet(w.person("practitioner"))
	w.nowMS += day // the clock is a day ahead
	w.commit(store.RelationEntry{User: bea.user, Family: family, Basis: "CO", Grant: true, FromMS: w.nowMS - 1000, ToMS: w.nowMS + 60_000})
	bea.sync()
	w.nowMS -= day
	purges := bea.purges(bea.mustAsk(bea.request()))
	if len(purges) != 1 {
		t.Fatalf("when the clock is right again: got purges %v, want one", purges)
	}
	bea.mustAsk(bea.purged(purges[0]))
	head, _ := w.b.Journal.Head()
	bea.wantPurges("after the receipt")
	if now, _ := w.b.Journal.Head(); now != head {
		t.Errorf("the journal grew from %d to %d", head, now)
	}
}

// After a restore the clock is put right, and a tablet holds a family that its person
// was given for a time while the clock was a day ahead: one that is yet to come. Its
// cursor, which said so, is of the epoch that is over.
func TestFault56WhatAClockThatWasAheadGaveIsPurgedAfterARestore(t *testing.T) {
	w, family, ada := case1(t)
	const day = 86_400_000
	ada.fill(family, 1)
	bea := w.tablet(w.person("practitioner"))
	w.nowMS += day // the clock is a day ahead
	w.commit(store.RelationEntry{User: bea.user, Family: family, Basis: "CO", Grant: true, FromMS: w.nowMS - 1000, ToMS: w.nowMS + 60_000})
	bea.sync()
	w.nowMS -= day
	if err := w.b.Journal.J.BeginEpoch(journal.WhyRestored, "test"); err != nil {
		t.Fatal(err)
	}
	w.x.SetEpoch(w.b.Journal.Epoch())
	bea.cursor = nil
	purges := bea.purges(bea.mustAsk(bea.request()))
	if len(purges) != 1 || purges[0].Family != family {
		t.Fatalf("in the new epoch: got purges %v, want one of the family", purges)
	}
	bea.mustAsk(bea.purged(purges[0]))
	head, _ := w.b.Journal.Head()
	bea.wantPurges("after the receipt")
	if now, _ := w.b.Journal.Head(); now != head {
		t.Errorf("the journal grew from %d to %d", head, now)
	}
	w.nowMS += day
	bea.sync()
	if bea.count(family) == 0 {
		t.Fatal("when its time has come: the tablet was not given the family")
	}
	w.nowMS += 61_000
	if again := bea.purges(bea.mustAsk(bea.request())); len(again) != 1 {
		t.Errorf("when its time is over: got purges %v, want one", again)
	}
}

// A purge that an entry brought is answered while the clock is a day behind. When it
// is right again, it has gone through a time at which a grant held: the device is asked
// once more, under the same position, and its answer counts.
func TestFault56APurgeIsAnsweredAgainWhenTheClockHasGoneThroughAGrant(t *testing.T) {
	w, family, ada := case1(t)
	const day = 86_400_000
	ada.fill(family, 1)
	w.commit(store.RelationEntry{User: ada.user, Family: family, Basis: "COVER", ID: syncproto.ID{9}, Grant: true, FromMS: w.nowMS - 60_000, ToMS: w.nowMS - 1000})
	at := w.part(ada.user, family, "LEAD")
	w.nowMS -= day
	for _, p := range ada.purges(ada.mustAsk(ada.request())) {
		ada.mustAsk(ada.purged(p))
	}
	w.nowMS += day
	for round := range 5 {
		owed := ada.purges(ada.mustAsk(ada.request()))
		if len(owed) == 0 {
			return
		}
		ada.mustAsk(ada.purged(owed...))
		t.Logf("round %d: asked for %v (the relation ended at %d)", round, owed, at)
	}
	t.Error("the tablet is asked for ever")
}

// A device that came into use after a relation had ended never held the family.
func TestADeviceEnrolledLaterOwesNothing(t *testing.T) {
	w, family, ada := case1(t)
	ada.fill(family, 1)
	w.part(ada.user, family, "LEAD")
	later := w.tablet(ada.user)
	later.wantPurges("the later tablet")
	if owed := w.b.Store.State().PurgesOwed(w.b.Journal.Epoch(), ada.device, w.b.Store.State().Access(ada.user, w.nowMS)); len(owed) != 1 {
		t.Errorf("the first tablet: got %v, want one purge owed", owed)
	}
}

// Two people on one tablet have a store each, and each owes for their own.
func TestPurgesOfASharedTablet(t *testing.T) {
	w, family, ada := case1(t)
	bea := w.person("practitioner")
	w.relate(bea, family, "CO")
	e := ada.entry()
	e.Users = append(e.Users, bea)
	w.commit(e)
	ada.fill(family, 2)
	other := *ada
	other.user = bea
	other.wipe()
	other.sync()
	owed := syncproto.Purged{Family: family, Position: w.part(ada.user, family, "LEAD")}
	other.wantPurges("the other person")
	ada.wantPurges("whose access ended", owed)
	ada.mustAsk(ada.purged(owed))
	ada.wantPurges("after the receipt")
	if other.count(family) != 2 {
		t.Error("the other person's store lost something")
	}
	mine := syncproto.Purged{Family: family, Position: w.part(bea, family, "CO")}
	other.wantPurges("the other person, after their own access ended", mine)
}

// A revoked device is sent one purge of everything, whatever else ended, also in
// the middle of a pull; its words go on arriving, and what it signs closes it.
func TestFault49RevokedDevicePurgesEverything(t *testing.T) {
	w, family, ada := case1(t)
	ada.fill(family, 6)
	bea := w.coworker(family)
	q := bea.request()
	q.PageSize = 1
	if reply := bea.mustAsk(q); !reply.More {
		t.Fatal("the feed came on one page: the test shows nothing")
	}
	w.part(bea.user, family, "CO")
	e := bea.entry()
	e.RevokedMS = w.nowMS
	all := syncproto.Purged{Position: w.commit(e)}
	bea.wantPurges("in the middle of a pull", all)

	c := bea.write(edit{family: family, record: newID[syncproto.RecordID](w), ops: place("HOME")})
	if got := bea.purges(bea.sync()); !slices.Equal(got, []syncproto.Purged{all}) {
		t.Errorf("with its words: got purges %v, want %v", got, all)
	}
	bea.wantReceipt(c, quarantined, syncproto.CodeRevokedDevice)
	bea.mustAsk(bea.purged(all))
	bea.wantPurges("after the receipt")
	if owed := w.b.Store.State().PurgesOwed(w.b.Journal.Epoch(), bea.device, w.b.Store.State().Access(bea.user, w.nowMS)); len(owed) != 0 {
		t.Errorf("still owed: %v", owed)
	}
	w.restart()
	bea.wantPurges("after a restart")
	if r := w.b.Store.State().PurgeReceipt(bea.device, bea.user, syncproto.FamilyID{}); r.Position != all.Position {
		t.Errorf("the receipt: got %+v", r)
	}
}

// A person who left has no family any more: each goes from their tablet.
func TestADisabledPersonsFamiliesArePurged(t *testing.T) {
	w, family, ada := case1(t)
	second := newID[syncproto.FamilyID](w)
	w.relate(ada.user, second, "CO")
	ada.fill(family, 1)
	ada.fill(second, 1)
	user, _ := w.b.Store.State().User(ada.user)
	user.Disabled = true
	at := w.commit(user)
	c := ada.write(edit{family: family, record: newID[syncproto.RecordID](w), ops: place("HOME")})
	got := ada.purges(ada.sync())
	slices.SortFunc(got, func(a, b syncproto.Purged) int { return slices.Compare(a.Family[:], b.Family[:]) })
	want := []syncproto.Purged{{Family: family, Position: at}, {Family: second, Position: at}}
	if !slices.Equal(got, want) {
		t.Errorf("got purges %v, want %v", got, want)
	}
	ada.wantReceipt(c, quarantined, syncproto.CodeNotEntitled)
}

// A relation that the clock ends is purged like one that an entry ends, and each
// time anew.
func TestARelationThatTheClockEndsIsPurged(t *testing.T) {
	w, family, ada := case1(t)
	ada.fill(family, 2)
	bea := w.tablet(w.person("practitioner"))
	for round := range 2 {
		w.commit(store.RelationEntry{User: bea.user, Family: family, Basis: "CO", Grant: true, FromMS: w.nowMS, ToMS: w.nowMS + 60_000})
		bea.sync()
		if bea.count(family) != 2 {
			t.Fatalf("round %d: got %d changes, want 2", round, bea.count(family))
		}
		c := bea.write(edit{family: family, record: newID[syncproto.RecordID](w), ops: place("HOME")})
		w.nowMS += 60_000
		got := bea.purges(bea.sync())
		if len(got) != 1 || got[0].Family != family {
			t.Fatalf("round %d: after the end: got purges %v", round, got)
		}
		bea.wantReceipt(c, quarantined, syncproto.CodeNotEntitled)
		bea.cursor = nil
		if again := bea.purges(bea.mustAsk(bea.request())); len(again) != 1 {
			t.Errorf("round %d: without a cursor: got purges %v", round, again)
		}
		bea.mustAsk(bea.purged(got[0]))
		bea.wantPurges("after the receipt")
		w.nowMS += 1000
	}
}

// A relation that an entry ended is followed by one that the clock begins and ends: the
// purge must not be older than the grant before it, or the tablet takes it for one that
// the grant replaced, and keeps the family.
func TestAPurgeByTheClockIsNewerThanTheGrantByTheClock(t *testing.T) {
	w, family, ada := case1(t)
	ada.fill(family, 1)
	w.commit(store.RelationEntry{ID: syncproto.ID{9}, User: ada.user, Family: family, Basis: "JOINT", Grant: true, FromMS: w.nowMS + 60_000, ToMS: w.nowMS + 120_000})
	w.part(ada.user, family, "LEAD")
	ada.mustAsk(ada.purged(ada.purges(ada.mustAsk(ada.request()))...))
	ada.wantPurges("after the receipt")
	w.nowMS += 60_000
	var granted uint64
	for _, item := range ada.mustAsk(ada.request()).Items {
		if item.Type == syncproto.ItemGrant {
			granted = item.Position
		}
	}
	w.nowMS += 60_000
	purges := ada.purges(ada.mustAsk(ada.request()))
	if granted == 0 || len(purges) != 1 || purges[0].Position < granted {
		t.Fatalf("got a grant at %d and then purges %v, want one purge that is not older", granted, purges)
	}
	ada.mustAsk(ada.purged(purges[0]))
	ada.wantPurges("after its receipt")
}
