package exchange_test

import (
	"context"
	"errors"
	"slices"
	"testing"

	"doorstep/server/internal/exchange"
	"doorstep/syncproto"
)

func TestFault40FlippedSignature(t *testing.T) {
	w, family, ada := case1(t)
	bea := w.coworker(family)
	bad := ada.write(edit{family: family, record: newID[syncproto.RecordID](w), ops: place("HOME")})
	good := bea.write(edit{family: family, record: newID[syncproto.RecordID](w), ops: place("HOME")})
	flipped := ada.batch(bad)
	flipped.Signature[5] ^= 4
	// Both in one request, as of a shared tablet: one does not harm the other.
	reply := ada.mustAsk(ada.request(flipped, bea.batch(good)))
	if len(reply.Receipts) != 2 {
		t.Fatalf("receipts: got %d", len(reply.Receipts))
	}
	ada.wantReceipt(bad, refused, syncproto.CodeBadSignature)
	ada.wantReceipt(good, accepted, 0)
	ada.sync()
	ada.wantReceipt(bad, accepted, 0)
}

func TestFault41SignatureOfAnotherDevice(t *testing.T) {
	w, family, ada := case1(t)
	bea := w.coworker(family)
	c := ada.write(edit{family: family, record: newID[syncproto.RecordID](w), ops: place("HOME")})
	t.Run("key of the other device", func(t *testing.T) {
		forged := ada.batch(c)
		forged.Device = bea.device
		bea.mustAsk(bea.request(forged))
		bea.wantReceipt(c, refused, syncproto.CodeBadSignature)
	})
	ada.sync()
	t.Run("actor of the other device", func(t *testing.T) {
		thief := w.tablet(bea.user)
		thief.actor, thief.tip, thief.seq = ada.actor, ada.tip, ada.seq
		stolen := thief.write(edit{family: family, record: newID[syncproto.RecordID](w), ops: place("HOME")})
		thief.sync()
		thief.wantReceipt(stolen, refused, syncproto.CodeWrongDevice)
		if chain, err := w.b.Store.Chain(ada.actor); err != nil || chain.Seq != 1 || chain.Forked {
			t.Errorf("the chain of the rightful device: got %+v, %v", chain, err)
		}
	})
	t.Run("author of the other device", func(t *testing.T) {
		lie := bea.write(edit{family: family, record: newID[syncproto.RecordID](w), ops: place("HOME"),
			alter: func(b *syncproto.Body) { b.Author = ada.user }})
		bea.sync()
		bea.wantReceipt(lie, refused, syncproto.CodeWrongDevice)
	})
	if !w.log.has("security event", "wrong_device") {
		t.Error("no security event")
	}
}

func TestFault42UnknownKeyIsHeldUntilEnrolment(t *testing.T) {
	w, family, ada := case1(t)
	known := ada.device
	ada.device = newID[syncproto.DeviceID](w)
	c := ada.write(edit{family: family, record: newID[syncproto.RecordID](w), ops: place("HOME")})
	ada.mustAsk(ada.request(ada.batch(c)))
	if r := ada.wantReceipt(c, held, syncproto.CodeUnknownKey); r.Durability != syncproto.DurabilityNone {
		t.Errorf("a change that cannot be verified was acknowledged as stored: %+v", r)
	}
	w.commit(ada.entry())
	ada.cursor = nil
	ada.sync()
	ada.wantReceipt(c, accepted, 0)
	if known == ada.device {
		t.Fatal("the device was known")
	}
}

func TestFault45ReplayHasNoEffect(t *testing.T) {
	w, family, ada := case1(t)
	c := ada.write(edit{family: family, record: newID[syncproto.RecordID](w), ops: place("HOME")})
	captured := ada.request(ada.batch(c))
	first := ada.mustAsk(captured)
	thief := w.tablet(w.person("practitioner"))
	captured.Cursor = nil
	reply := thief.mustAsk(captured)
	if !sameReceipt(first.Receipts[0], reply.Receipts[0]) {
		t.Errorf("receipts: got %+v, then %+v", first.Receipts[0], reply.Receipts[0])
	}
	if len(reply.Items) != 0 || len(reply.Chains) != 0 {
		t.Error("a replay shows its sender something")
	}
}

func TestFault46ChangeOfAnotherBorough(t *testing.T) {
	w, family, ada := case1(t)
	bad := ada.write(edit{family: family, record: newID[syncproto.RecordID](w), ops: place("HOME"),
		alter: func(b *syncproto.Body) { b.Borough = "elsewhere" }})
	ada.sync()
	ada.wantReceipt(bad, refused, syncproto.CodeWrongBorough)
}

func TestFault47SharedTabletCarriesAnothersChanges(t *testing.T) {
	w, family, ada := case1(t)
	bea := w.coworker(family)
	stranger := w.tablet(w.person("practitioner"))
	ok := bea.write(edit{family: family, record: newID[syncproto.RecordID](w), ops: place("HOME")})
	not := stranger.write(edit{family: family, record: newID[syncproto.RecordID](w), ops: place("HOME")})
	ada.mustAsk(ada.request(bea.batch(ok), stranger.batch(not)))
	ada.wantReceipt(ok, accepted, 0)
	ada.wantReceipt(not, quarantined, syncproto.CodeNotEntitled)
	if c, err := w.b.Store.Change(ok.ID); err != nil || c.Author != bea.user || c.Device != bea.device {
		t.Errorf("authored by: got %+v, %v", c, err)
	}
}

// A session that proved no more than the device's key speaks for its own person
// alone, can add to no record, and ends when access comes back.
func TestFault47CustodySessionSpeaksForNobodyElse(t *testing.T) {
	w, family, ada := case1(t)
	bea := w.coworker(family)
	user, _ := w.b.Store.State().User(ada.user)
	user.Disabled = true
	w.commit(user)
	custody := exchange.Caller{User: ada.user, Device: ada.device, CustodyOnly: true}
	own := ada.write(edit{family: family, record: newID[syncproto.RecordID](w), ops: place("HOME")})
	others := bea.write(edit{family: family, record: newID[syncproto.RecordID](w), ops: place("HOME")})
	ask := func(batches ...syncproto.Batch) (*syncproto.SyncReply, error) {
		return w.x.Sync(context.Background(), custody, ada.request(batches...))
	}
	reply, err := ask(bea.batch(others), ada.batch(own))
	if err != nil {
		t.Fatal(err)
	}
	ada.take(reply)
	ada.wantReceipt(own, quarantined, syncproto.CodeNotEntitled)
	if r := ada.receipts[others.ID]; r.Status != held || r.Code != syncproto.CodeUnauthenticated || r.Durability != syncproto.DurabilityNone {
		t.Errorf("another's words: got receipt %+v, want them left where they are", r)
	}
	for _, it := range reply.Items {
		if it.Type != syncproto.ItemPurge {
			t.Errorf("what came down: %+v", it)
		}
	}
	bea.sync()
	bea.wantReceipt(others, accepted, 0)

	user.Disabled = false
	w.commit(user)
	again := ada.write(edit{family: family, record: newID[syncproto.RecordID](w), ops: place("HOME")})
	if reply, err := ask(ada.batch(again)); !errors.Is(err, syncproto.CodeUnauthenticated) {
		t.Errorf("once access came back: got %+v, %v; want a sign-in asked for", reply, err)
	}
	ada.sync()
	ada.wantReceipt(again, accepted, 0)
}

func TestFault48ClonedTabletForksItsActor(t *testing.T) {
	w, family, ada := case1(t)
	visit := newID[syncproto.RecordID](w)
	root := ada.write(edit{family: family, record: visit, ops: place("HOME")})
	ada.sync()
	clone := *ada
	clone.changes = map[syncproto.ChangeID]*syncproto.Change{root.ID: root}
	one := ada.write(edit{family: family, record: visit, deps: []*syncproto.Change{root}, ops: place("SCHOOL")})
	two := clone.write(edit{family: family, record: visit, deps: []*syncproto.Change{root}, ops: place("OFFICE")})
	if reply := ada.sync(); len(reply.Forked) != 0 {
		t.Error("forked before there was a fork")
	}
	reply := clone.sync()
	clone.wantReceipt(two, accepted, 0)
	if !slices.Equal(reply.Forked, []syncproto.ActorID{ada.actor}) {
		t.Errorf("the clone hears of forks %v", reply.Forked)
	}
	if reply := ada.sync(); !slices.Equal(reply.Forked, []syncproto.ActorID{ada.actor}) {
		t.Errorf("the other hears of forks %v", reply.Forked)
	}
	if _, ok := ada.changes[two.ID]; !ok {
		t.Error("the clone's change did not come")
	}
	ada.wantReceipt(one, accepted, 0)
	ada.sameAsServer(visit)
	if !w.log.has("security event", "forked") {
		t.Error("no security event")
	}
}

func TestFault49RevokedDeviceGoesIntoCustody(t *testing.T) {
	w, family, ada := case1(t)
	visit := newID[syncproto.RecordID](w)
	root := ada.write(edit{family: family, record: visit, ops: place("HOME")})
	ada.sync()
	e := ada.entry()
	e.RevokedMS = w.nowMS
	w.commit(e)
	c := ada.write(edit{family: family, record: visit, deps: []*syncproto.Change{root}, ops: place("SCHOOL")})
	reply, err := w.x.Sync(context.Background(), exchange.Caller{User: ada.user, Device: ada.device, CustodyOnly: true}, ada.request(ada.batch(c)))
	if err != nil {
		t.Fatal(err)
	}
	if r := reply.Receipts[0]; r.Status != quarantined || r.Code != syncproto.CodeRevokedDevice || r.Durability != syncproto.DurabilityStored {
		t.Errorf("receipt: got %+v", r)
	}
	if len(reply.Items) != 1 || reply.Items[0].Type != syncproto.ItemPurge || !reply.Items[0].Family.IsZero() {
		t.Errorf("to a revoked device went %+v, want a purge of everything and nothing else", reply.Items)
	}
	aside, err := w.b.Store.Quarantined(family)
	if err != nil || len(aside) != 1 || aside[0].ID != c.ID {
		t.Errorf("custody: got %v, %v", aside, err)
	}
}
