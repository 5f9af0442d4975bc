package exchange_test

import (
	"bytes"
	"context"
	"sync"
	"testing"

	"doorstep/server/internal/store"
	"doorstep/syncproto"
	"doorstep/syncproto/cbor"
)

func TestFault60TwoConnectionsPushTheSameChange(t *testing.T) {
	w, family, ada := case1(t)
	c := ada.write(edit{family: family, record: newID[syncproto.RecordID](w), ops: place("HOME")})
	q := ada.request(ada.batch(c))
	before, _ := w.b.Journal.Head()
	replies := make([]*syncproto.SyncReply, 8)
	var wait sync.WaitGroup
	for i := range replies {
		wait.Go(func() {
			reply, err := w.x.Sync(context.Background(), ada.caller(), q)
			if err != nil {
				t.Error(err)
				return
			}
			replies[i] = reply
		})
	}
	wait.Wait()
	for _, r := range replies[1:] {
		if r == nil || !sameReceipt(r.Receipts[0], replies[0].Receipts[0]) {
			t.Fatalf("receipts differ: %+v, %+v", r, replies[0])
		}
	}
	if after, _ := w.b.Journal.Head(); after != before+1 {
		t.Errorf("entries: got %d, want the change, and its signature in it", after-before)
	}
}

func TestFault61FiftyDevicesOnOneRecord(t *testing.T) {
	w, family, ada := case1(t)
	visit := newID[syncproto.RecordID](w)
	root := ada.write(edit{family: family, record: visit, ops: place("HOME")})
	ada.sync()
	const devices = 50
	tablets := make([]*tablet, devices)
	var wait sync.WaitGroup
	for i := range tablets {
		tablets[i] = w.coworker(family)
		code := []string{"HOME", "SCHOOL", "OFFICE"}[i%3]
		tablets[i].write(edit{family: family, record: visit, deps: []*syncproto.Change{root}, ops: place(code)})
	}
	requests := make([]*syncproto.SyncRequest, devices)
	for i, d := range tablets {
		requests[i] = d.request(d.batch(d.outbox...))
	}
	for i, d := range tablets {
		wait.Go(func() {
			if _, err := w.x.Sync(context.Background(), d.caller(), requests[i]); err != nil {
				t.Error(err)
			}
		})
	}
	wait.Wait()
	for _, d := range []*tablet{ada, tablets[0], tablets[49]} {
		d.outbox = nil
		d.cursor = nil
		d.sync()
		d.sameAsServer(visit)
		if v := d.view(visit); len(v.Heads) != devices || len(v.Conflicts) != 1 {
			t.Errorf("heads %d, conflicts %d", len(v.Heads), len(v.Conflicts))
		}
	}
}

func TestFault63LostReplyIsAskedAgain(t *testing.T) {
	w, family, ada := case1(t)
	bea := w.coworker(family)
	visit := newID[syncproto.RecordID](w)
	theirs := bea.write(edit{family: family, record: visit, ops: place("SCHOOL")})
	bea.sync()
	mine := ada.write(edit{family: family, record: visit, ops: place("HOME")})
	q := ada.request(ada.batch(mine))
	if _, err := ada.ask(q); err != nil { // committed; the reply never arrives
		t.Fatal(err)
	}
	ada.sync()
	ada.wantReceipt(mine, accepted, 0)
	if _, ok := ada.changes[theirs.ID]; !ok {
		t.Error("news was lost with the reply")
	}
	ada.sameAsServer(visit)
}

func TestFault65OneBadOfFiveHundred(t *testing.T) {
	w, family, ada := case1(t)
	var all []*syncproto.Change
	for i := range 500 {
		if i == 250 {
			all = append(all, ada.queue([]byte{0xFF, 0x00}, nil))
			ada.seq++
			continue
		}
		all = append(all, ada.write(edit{family: family, record: newID[syncproto.RecordID](w), ops: place("HOME")}))
	}
	reply := ada.sync()
	good := 0
	for i, c := range all {
		if i == 250 {
			ada.wantReceipt(c, refused, syncproto.CodeMalformed)
		} else if ada.receipts[c.ID].Status == accepted {
			good++
		}
	}
	if good != 499 {
		t.Errorf("accepted: got %d, want 499", good)
	}
	if reply.Chains[0].Seq != 500 {
		t.Errorf("chain: got %v, want it provable to its end", reply.Chains)
	}
	head, _ := w.b.Journal.Head()
	ada.mustAsk(ada.request(ada.batch(all...)))
	ada.wantReceipt(all[250], refused, syncproto.CodeMalformed)
	if now, _ := w.b.Journal.Head(); now != head {
		t.Error("sending the batch again stored something")
	}
}

func TestRefusedPlaceKeepsTheChainProvable(t *testing.T) {
	w, family, ada := case1(t)
	first := ada.write(edit{family: family, record: newID[syncproto.RecordID](w), ops: place("HOME")})
	bad := ada.queue([]byte("nonsense"), nil)
	ada.seq++
	last := ada.write(edit{family: family, record: newID[syncproto.RecordID](w), ops: place("HOME")})
	ada.sync()
	head, _ := w.b.Journal.Head()
	digests := map[syncproto.ChangeID]syncproto.ChangeID{}
	var tip store.ChangeEntry
	err := w.b.Store.Read(func(r *store.Reader) error {
		for p := uint64(1); p <= head; p++ {
			e, err := r.Entry(p)
			if err != nil {
				return err
			}
			switch e := e.(type) {
			case store.RefusedEntry:
				digests[syncproto.ChainID(e.Prev, e.Digest)] = e.Prev
			case store.ChangeEntry:
				digests[e.ID] = e.Prev
				if len(e.Signature) > 0 {
					tip = e
				}
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if tip.ID != last.ID || tip.Run != 3 || digests[last.ID] != bad.ID || digests[bad.ID] != first.ID {
		t.Errorf("the chain cannot be followed from the signed tip: %+v", tip)
	}
}

func TestSchemaFaultsAreRefusedByCode(t *testing.T) {
	w, family, ada := case1(t)
	set := func(field string, v cbor.Value) []syncproto.Op {
		return []syncproto.Op{{Code: syncproto.OpSet, Path: syncproto.Path{Field: field}, Value: v}}
	}
	cases := map[string]struct {
		ops  []syncproto.Op
		code syncproto.Code
	}{
		"unknown field": {set("colour", cbor.Text("red")), syncproto.CodeUnknownField},
		"unknown code":  {set("place", cbor.Text("MOON")), syncproto.CodeBadValue},
		"wrong op":      {[]syncproto.Op{{Code: syncproto.OpRemove, Path: syncproto.Path{Field: "place"}, Reason: "x"}}, syncproto.CodeBadOp},
	}
	for name, c := range cases {
		bad := ada.write(edit{family: family, record: newID[syncproto.RecordID](w), ops: c.ops})
		good := ada.write(edit{family: family, record: newID[syncproto.RecordID](w), ops: place("HOME")})
		ada.sync()
		t.Log(name)
		ada.wantReceipt(bad, refused, c.code)
		ada.wantReceipt(good, accepted, 0)
	}
}

func TestNewerAppsChangeIsHeld(t *testing.T) {
	w, family, ada := case1(t)
	c := ada.write(edit{family: family, record: newID[syncproto.RecordID](w), ops: place("HOME")})
	// A kind that this build does not know; the bytes differ from "visit" in place.
	raw := bytes.Replace(c.Raw, []byte("visit"), []byte("visix"), 1)
	ada.tip, ada.outbox = syncproto.ChangeID{}, nil
	c = ada.queue(raw, &c.Body)
	ada.sync()
	ada.wantReceipt(c, held, syncproto.CodeNewerApp)
}

// TestEverythingAtOnce pushes, pulls, grants and revokes from many goroutines.
// Afterwards all who may hold the family hold the same.
func TestEverythingAtOnce(t *testing.T) {
	w, family, ada := case1(t)
	visit := newID[syncproto.RecordID](w)
	root := ada.write(edit{family: family, record: visit, ops: place("HOME")})
	ada.sync()
	var tablets []*tablet
	var requests [][]*syncproto.SyncRequest
	for range 6 {
		d := w.coworker(family)
		d.write(edit{family: family, record: visit, deps: []*syncproto.Change{root}, ops: place("SCHOOL")})
		for range 8 {
			before := d.outbox[len(d.outbox)-1:]
			d.write(edit{family: family, record: visit, deps: before, ops: place("OFFICE")})
		}
		var qs []*syncproto.SyncRequest
		for _, c := range d.outbox {
			qs = append(qs, d.request(d.batch(c)))
		}
		tablets, requests = append(tablets, d), append(requests, qs)
	}
	var wait sync.WaitGroup
	for i, d := range tablets {
		wait.Go(func() {
			for _, q := range requests[i] {
				if _, err := w.x.Sync(context.Background(), d.caller(), q); err != nil {
					t.Error(err)
				}
				if _, err := w.b.Store.View(visit); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wait.Go(func() {
		for range 20 {
			w.part(ada.user, family, "LEAD")
			w.relate(ada.user, family, "LEAD")
		}
	})
	wait.Wait()
	for _, d := range append(tablets, ada) {
		d.outbox, d.cursor = nil, nil
		d.sync()
		if d.count(family) != 1+6*9 {
			t.Errorf("a tablet holds %d changes, want %d", d.count(family), 1+6*9)
		}
		d.sameAsServer(visit)
	}
}
