package exchange_test

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"testing"

	"doorstep/server/internal/exchange"
	"doorstep/server/internal/journal"
	"doorstep/syncproto"
)

func TestFault57CursorBeyondTheHead(t *testing.T) {
	w, family, ada := case1(t)
	ada.fill(family, 3)
	other := newTown(t) // the same borough restored to an earlier day
	twin := *ada
	twin.w = other
	other.x = exchange.New(exchange.Config{
		Borough: "testshire", Epoch: w.b.Journal.Epoch(), Store: other.b.Store, Ledger: other.ledger,
		Keys: other.b.Keys, Verify: verify, CursorKey: [32]byte{1}, Now: nil, Log: other.b.Log,
	})
	if _, err := twin.ask(twin.request()); !errors.Is(err, syncproto.CodeUnknownEpoch) {
		t.Errorf("got %v, want CodeUnknownEpoch", err)
	}
}

func TestFault58MadeUpCursors(t *testing.T) {
	w, family, ada := case1(t)
	ada.fill(family, 2)
	good := ada.cursor
	bea := w.coworker(family)
	bea.sync()
	second := w.tablet(ada.user)
	second.sync()
	cases := map[string][]byte{
		"another user's":   bea.cursor,
		"another device's": second.cursor,
		"short":            {1},
		"cut":              good[:len(good)-1],
		"longer":           append(slices.Clone(good), 0),
		"random":           bytes.Repeat([]byte{0xA5}, len(good)),
		"huge":             make([]byte, syncproto.MaxCursorBytes),
	}
	for i := range good {
		flipped := slices.Clone(good)
		flipped[i] ^= 1
		cases[fmt.Sprint("flipped at ", i)] = flipped
	}
	for name, c := range cases {
		ada.cursor = c
		if _, err := ada.ask(ada.request()); !errors.Is(err, syncproto.CodeBadCursor) {
			t.Errorf("%s: got %v, want CodeBadCursor", name, err)
		}
	}
}

func TestFault59CursorOfAnOlderEpoch(t *testing.T) {
	w, family, ada := case1(t)
	ada.fill(family, 3)
	w.ledger.Close()
	if err := w.b.Journal.J.BeginEpoch(journal.WhyRestored, "test"); err != nil {
		t.Fatal(err)
	}
	w.restart()
	if _, err := ada.ask(ada.request()); !errors.Is(err, syncproto.CodeUnknownEpoch) {
		t.Fatalf("got %v, want CodeUnknownEpoch", err)
	}
	ada.cursor = nil
	ada.changes = map[syncproto.ChangeID]*syncproto.Change{}
	reply := ada.sync()
	if reply.Epoch != w.b.Journal.Epoch() || ada.count(family) != 3 {
		t.Errorf("after starting over: epoch %s, %d changes", reply.Epoch, ada.count(family))
	}
	if reply.Chains[0].Seq != 3 || reply.Chains[0].Tip != ada.tip {
		t.Errorf("the server says it has the chain up to %+v", reply.Chains)
	}
}

func TestFault66RevokedMidPull(t *testing.T) {
	w, family, ada := case1(t)
	ada.fill(family, 10)
	bea := w.coworker(family)
	q := bea.request()
	q.PageSize = 1
	bea.mustAsk(q)
	w.part(bea.user, family, "CO")
	q = bea.request()
	q.PageSize = 1
	reply := bea.mustAsk(q)
	for _, it := range reply.Items {
		if it.Type == syncproto.ItemChange || it.Type == syncproto.ItemVerdict {
			t.Error("news went out after the revocation")
		}
	}
	if bea.count(family) != 0 || reply.More {
		t.Errorf("after the revocation: %d changes, more %v", bea.count(family), reply.More)
	}
}

func TestFault67RevokedWithUnsentEdits(t *testing.T) {
	w, family, ada := case1(t)
	ada.fill(family, 2)
	unsent := ada.write(edit{family: family, record: newID[syncproto.RecordID](w), ops: place("HOME")})
	at := w.part(ada.user, family, "LEAD")
	reply := ada.sync()
	r := ada.wantReceipt(unsent, quarantined, syncproto.CodeNotEntitled)
	if r.Durability != syncproto.DurabilityStored {
		t.Error("the words are not in custody before the purge")
	}
	if len(reply.Items) != 1 || reply.Items[0].Type != syncproto.ItemPurge || reply.Items[0].Position != at {
		t.Fatalf("items: got %+v, want a purge at %d", reply.Items, at)
	}
	q := ada.purged(syncproto.Purged{Family: family, Position: at})
	if reply := ada.mustAsk(q); len(reply.Items) != 0 {
		t.Errorf("after the receipt: got %+v, want no purge any more", reply.Items)
	}
	if got := w.b.Store.State().PurgeReceipt(ada.device, ada.user, family); got.Position != at || got.AtMS != w.nowMS {
		t.Errorf("the purge receipt: got %+v, want one of %d", got, at)
	}
	head, _ := w.b.Journal.Head()
	ada.mustAsk(q)
	if now, _ := w.b.Journal.Head(); now != head {
		t.Error("a purge was noted twice")
	}
	aside, err := w.b.Store.Quarantined(family)
	if err != nil || len(aside) != 1 || aside[0].ID != unsent.ID {
		t.Errorf("custody: got %v, %v", aside, err)
	}
}

func TestFault68GrantedBack(t *testing.T) {
	w, family, ada := case1(t)
	bea := w.coworker(family)
	ada.fill(family, 6)
	bea.fill(family, 1)
	w.part(bea.user, family, "CO")
	bea.sync()
	ada.fill(family, 2)
	if bea.count(family) != 0 {
		t.Fatal("not purged")
	}
	w.relate(bea.user, family, "CO")
	bea.sync()
	if got := bea.count(family); got != 9 {
		t.Errorf("after the grant: %d changes, want all 9, the own one among them", got)
	}
}

func TestRelationThatCameBackUnnoticedChangesNothing(t *testing.T) {
	w, family, ada := case1(t)
	bea := w.coworker(family)
	ada.fill(family, 3)
	bea.sync()
	w.part(bea.user, family, "CO")
	ada.fill(family, 2)
	w.relate(bea.user, family, "CO")
	reply := bea.sync()
	for _, it := range reply.Items {
		if it.Type == syncproto.ItemPurge {
			t.Error("a purge for a family that may be held")
		}
	}
	if bea.count(family) != 5 {
		t.Errorf("got %d changes, want 5", bea.count(family))
	}
}
