package engine

import (
	"strings"
	"testing"

	"doorstep/syncproto"
	"doorstep/syncproto/cbor"
)

// tell hands the engine a reply with some receipts and items.
func tell(d *tablet, receipts []syncproto.Receipt, items ...syncproto.Item) *syncproto.SyncRequest {
	d.t.Helper()
	d.in, d.out = nil, nil
	d.begin()
	q, err := syncproto.DecodeRequest(d.out[0].bytes)
	if err != nil {
		d.t.Fatal(err)
	}
	p := &syncproto.SyncReply{Version: 1, Request: q.Request, Epoch: syncproto.Epoch{9}, Receipts: receipts, Items: items, Cursor: []byte{1}}
	payload := syncproto.EncodeReply(p)
	d.in = append(d.in, message{q.Request, syncproto.EncodeSignedReply(payload, testSign(serverKey, syncproto.ReplyMessage(d.id.Device, payload)))})
	d.receive(0)
	return q
}

// A record is erased while this device holds unsent words of it: it is closed at
// once, the words go up, and only then its content is gone.
func TestErasedRecordIsPurgedOnceItsWordsAreSafe(t *testing.T) {
	d := newTablet(t, newServer(), 1, 1)
	sent := d.edit(visit, set("visit_type", cbor.Text("CP")))
	tell(d, []syncproto.Receipt{{Change: sent, Status: syncproto.StatusAccepted, Durability: syncproto.DurabilityCopied, Position: 5}})
	unsent := d.edit(visit, set("visit_type", cbor.Text("CIN")))
	kept := d.edit(testRecords[2], set("visit_type", cbor.Text("CP")))
	erase := syncproto.Item{Type: syncproto.ItemErase, Position: 9, Family: testFamily(visit), Record: visit}
	tell(d, nil, erase)
	if _, err := d.engine.View(visit); err != syncproto.CodeErased {
		t.Errorf("the record is still shown: %v", err)
	}
	if _, _, err := d.engine.Edit(d.now, Edit{Record: visit, Family: testFamily(visit), Kind: "visit", Ops: []syncproto.Op{set("visit_type", cbor.Text("CP"))}}); err != syncproto.CodeErased {
		t.Errorf("a new edit: got %v", err)
	}
	d.start()
	if _, err := d.engine.View(visit); err != syncproto.CodeErased {
		t.Errorf("after a restart: got %v", err)
	}
	q := tell(d, []syncproto.Receipt{
		{Change: unsent, Status: syncproto.StatusQuarantined, Code: syncproto.CodeErased, Durability: syncproto.DurabilityStored, Position: 10},
		{Change: kept, Status: syncproto.StatusAccepted, Durability: syncproto.DurabilityStored, Position: 11},
	}, erase)
	if len(q.Batches) == 0 {
		t.Error("the unsent words were not sent")
	}
	for key := range d.rows {
		if (key[0] == rowChange || key[0] == rowView || key[0] == rowDraft) && strings.Contains(key, string(visit[:])) {
			t.Errorf("a row of kind %c is left", key[0])
		}
	}
	if _, err := d.engine.View(testRecords[2]); err != nil {
		t.Errorf("another record: %v", err)
	}
	d.start()
	if d.engine.Outbox().Changes != 0 {
		t.Error("something is still unsent")
	}
}

// A receipt that says erased is all that a device hears of a record which only it had,
// or of one in a family that is closed: it removes the record like any other.
func TestAReceiptThatSaysErasedRemovesTheRecord(t *testing.T) {
	d := newTablet(t, newServer(), 1, 1)
	sent := d.edit(visit, set("visit_type", cbor.Text("CP")))
	tell(d, []syncproto.Receipt{{Change: sent, Status: syncproto.StatusQuarantined, Code: syncproto.CodeErased, Durability: syncproto.DurabilityStored, Position: 10}})
	if _, err := d.engine.View(visit); err != syncproto.CodeErased {
		t.Errorf("the record is still shown: %v", err)
	}
	for key := range d.rows {
		if key[0] == rowChange && strings.Contains(key, string(visit[:])) {
			t.Error("its words are still here")
		}
	}
}

// A record that was moved to another family's file goes as one that was erased does, and
// says why: to who opens it, at once and after a restart.
func TestAMisfiledRecordIsPurgedAndSaysWhy(t *testing.T) {
	d := newTablet(t, newServer(), 1, 1)
	sent := d.edit(visit, set("visit_type", cbor.Text("CP")))
	tell(d, []syncproto.Receipt{{Change: sent, Status: syncproto.StatusAccepted, Durability: syncproto.DurabilityCopied, Position: 5}})
	unsent := d.edit(visit, set("visit_type", cbor.Text("CIN")))
	tell(d, nil, syncproto.Item{Type: syncproto.ItemMisfile, Position: 9, Family: testFamily(visit), Record: visit})
	d.start()
	if _, err := d.engine.View(visit); err != syncproto.CodeMisfiled {
		t.Errorf("the record is still shown: %v", err)
	}
	q := tell(d, []syncproto.Receipt{{Change: unsent, Status: syncproto.StatusQuarantined, Code: syncproto.CodeMisfiled, Durability: syncproto.DurabilityStored, Position: 10}})
	if len(q.Batches) == 0 {
		t.Error("the unsent words were not sent")
	}
	for key := range d.rows {
		if (key[0] == rowChange || key[0] == rowView || key[0] == rowDraft) && strings.Contains(key, string(visit[:])) {
			t.Errorf("a row of kind %c is left", key[0])
		}
	}
	if _, _, err := d.engine.Edit(d.now, Edit{Record: visit, Family: testFamily(visit), Kind: "visit", Ops: []syncproto.Op{set("visit_type", cbor.Text("CP"))}}); err != syncproto.CodeMisfiled {
		t.Errorf("a new edit: got %v", err)
	}
}

// What a verdict had let in may wait for a reviewer again after a restore: the device
// asks about it anew, and does not go by what it heard before.
func TestFault84WhatAVerdictLetInIsAskedAboutAnew(t *testing.T) {
	d := newTablet(t, newServer(), 1, 1)
	sent := d.edit(visit, set("visit_type", cbor.Text("CP")))
	admit := syncproto.Verdict{Kind: syncproto.VerdictAdmit, Position: 7, Family: testFamily(visit), Record: visit, Change: sent}
	tell(d, []syncproto.Receipt{{Change: sent, Status: syncproto.StatusQuarantined, Code: syncproto.CodeNotEntitled, Durability: syncproto.DurabilityStored, Position: 5}},
		syncproto.Item{Type: syncproto.ItemVerdict, Position: 7, Verdict: &admit})
	if marks := d.engine.Marks(); len(marks) != 0 {
		t.Fatalf("after it was let in: marks %+v", marks)
	}
	d.start()
	d.in, d.out = nil, nil
	d.begin()
	q, err := syncproto.DecodeRequest(d.out[0].bytes)
	if err != nil {
		t.Fatal(err)
	}
	heads := []syncproto.ChainHead{{Actor: d.engine.Actor(), Seq: 1, Tip: sent}}
	payload := syncproto.EncodeReply(&syncproto.SyncReply{Version: 1, Request: q.Request, Epoch: syncproto.Epoch{8}, Chains: heads, Cursor: []byte{1}})
	d.in = append(d.in, message{q.Request, syncproto.EncodeSignedReply(payload, testSign(serverKey, syncproto.ReplyMessage(d.id.Device, payload)))})
	d.receive(0)
	d.out = nil
	d.begin()
	if q, err = syncproto.DecodeRequest(d.out[0].bytes); err != nil || len(q.Batches) != 1 {
		t.Errorf("in the new epoch: %d batches, %v; want the change offered again", len(q.Batches), err)
	}
}

// After a restore the journal is shorter: a grant in it may have a lower position than
// the one that was lost, and is new all the same.
func TestFault84AGrantAfterARestoreIsNewThoughItsPositionIsLower(t *testing.T) {
	d := newTablet(t, newServer(), 1, 1)
	grant := func(position uint64) syncproto.Item {
		return syncproto.Item{Type: syncproto.ItemGrant, Position: position, Family: testFamily(visit), Basis: "LEAD"}
	}
	tell(d, nil, grant(50))
	answer := func(items ...syncproto.Item) {
		d.in, d.out = nil, nil
		d.begin()
		q, err := syncproto.DecodeRequest(d.out[0].bytes)
		if err != nil {
			t.Fatal(err)
		}
		payload := syncproto.EncodeReply(&syncproto.SyncReply{Version: 1, Request: q.Request, Epoch: syncproto.Epoch{8}, Items: items, Cursor: []byte{1}})
		d.in = append(d.in, message{q.Request, syncproto.EncodeSignedReply(payload, testSign(serverKey, syncproto.ReplyMessage(d.id.Device, payload)))})
		d.receive(0)
	}
	answer() // in the new epoch: compare
	answer() // the whole feed, without the grant
	if f := d.engine.Families(); len(f) != 1 || f[0].Readable {
		t.Fatalf("after the restore: %+v, want the family closed", f)
	}
	answer(grant(40))
	if f := d.engine.Families(); len(f) != 1 || !f[0].Readable {
		t.Errorf("given again: %+v, want it readable", f)
	}
}
