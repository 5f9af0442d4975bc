package engine

import (
	"encoding/binary"
	"maps"
	"testing"

	"doorstep/client-sdk/engine/enginetest"
	"doorstep/syncproto"
	"doorstep/syncproto/cbor"
	"doorstep/syncproto/text"
)

// colleague puts changes of somebody else into the first family's visit.
func colleague(t *testing.T, s *enginetest.Server, count int) {
	t.Helper()
	prev := syncproto.ChangeID{}
	for seq := range uint64(count) {
		b := syncproto.Body{
			Version: syncproto.BodyVersion, Borough: "Testing", Family: syncproto.FamilyID{1}, Record: syncproto.RecordID{2},
			Kind: "visit", SchemaVersion: 1, Actor: syncproto.ActorID{77}, Seq: seq + 1, Author: syncproto.UserID{77},
			Ops: []syncproto.Op{set("visit_type", cbor.Text("CIN"))},
		}
		binary.BigEndian.PutUint64(b.Salt[:], seq+1)
		raw, err := syncproto.EncodeBody(&b)
		if err != nil {
			t.Fatal(err)
		}
		c, err := syncproto.DecodeChange(prev, raw)
		if err != nil {
			t.Fatal(err)
		}
		position := uint64(len(s.Entries)) + 1
		s.Entries = append(s.Entries, enginetest.Entry{
			Change: c, Item: syncproto.Item{Type: syncproto.ItemChange, Position: position, Prev: prev, Body: raw},
		})
		prev = c.ID
	}
}

// A family may have more rows than a store writes at once. A purge that stops
// after any of its steps is carried on by the next start, and nothing is reported
// before everything is gone.
func TestAPurgeThatStopsAnywhereIsCarriedOn(t *testing.T) {
	s, d := faultWorld(t)
	colleague(t, s, 2*purgeRows+100)
	s.Page = 5 * purgeRows
	d.say(visit, "own words. ")
	d.sync()
	s.Revoke(syncproto.UserID{1}, syncproto.FamilyID{1})
	d.begin()
	d.arrive(0)
	effects, err := d.engine.Reply(d.now, d.in[0].bytes, d.chance())
	if err != nil {
		t.Fatal(err)
	}
	before, stores := maps.Clone(d.rows), 0
	for _, e := range effects {
		if store, ok := e.(Store); ok {
			stores++
			if len(store.Rows) > 10_000 {
				t.Errorf("a store of %d rows: no device takes that", len(store.Rows))
			}
		}
	}
	if stores < 4 {
		t.Fatalf("%d stores: the test shows nothing", stores)
	}
	for kept := range stores + 1 {
		d.rows = maps.Clone(before)
		done := 0
		for _, e := range effects {
			if store, ok := e.(Store); ok && done < kept {
				d.apply(store)
				done++
			}
		}
		reported := len(metaOf(t, d).purged) > 0
		if all := kept == stores; reported != all {
			t.Errorf("after %d of %d stores: reported %v", kept, stores, reported)
		}
		d.start()
		d.sync()
		wantGone(t, d)
		if !s.Receipts[d.id.Device][syncproto.Purged{Family: syncproto.FamilyID{1}, Position: uint64(len(s.Entries))}] {
			t.Errorf("after %d of %d stores: the server has no receipt", kept, stores)
		}
		clear(s.Receipts)
		d.check()
	}
}

func metaOf(t *testing.T, d *tablet) *meta {
	t.Helper()
	m, err := decodeMeta(&d.id, d.rows[string(keyMeta())])
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// A withdrawn device sends everything, a draft and words in a family that it was
// never given among it, then keeps nothing, and says so once with one signature.
func TestFault49WithdrawnDeviceSendsEverythingThenKeepsNothing(t *testing.T) {
	s, d := faultWorld(t)
	d.say(visit, "saved. ")
	d.typing(visit, text.Splice{Pos: 7, Ins: "still a draft."})
	d.edit(syncproto.RecordID{3}, set("visit_type", cbor.Text("CP")))
	s.Revoke(syncproto.UserID{1}, syncproto.FamilyID{}) // everything
	d.begin()
	d.arrive(0)
	d.receive(0)
	if _, err := d.engine.View(visit); err != syncproto.CodeNotEntitled {
		t.Errorf("view on a withdrawn device: %v", err)
	}
	if d.engine.Outbox().Changes == 0 {
		t.Fatal("the draft is not on its way: the test shows nothing")
	}
	d.start() // a crash in the middle
	d.sync()
	for key := range d.rows {
		if key[0] != rowMeta && key[0] != rowLink {
			t.Errorf("a row of kind %c is left", key[0])
		}
	}
	words := ""
	for i := range s.Entries {
		if c := s.Entries[i].Change; c != nil {
			for _, op := range c.Body.Ops {
				for _, splice := range op.Splices {
					words += splice.Ins
				}
			}
		}
	}
	if words != "saved. still a draft." {
		t.Errorf("at the server: %q", words)
	}
	if o := d.engine.Outbox(); o.Changes+o.Drafts > 0 {
		t.Errorf("still unsent: %+v", o)
	}
	all := syncproto.Purged{Position: revokedAt(s)}
	if got := s.Receipts[d.id.Device]; len(got) != 1 || !got[all] {
		t.Errorf("receipts: got %v, want %v alone", got, all)
	}
	if !d.notedOf(NotePurged, syncproto.FamilyID{}) {
		t.Error("nobody was told")
	}
	d.check()

	// Written afterwards all the same: it goes the same way.
	clear(s.Receipts)
	d.edit(syncproto.RecordID{3}, set("visit_type", cbor.Text("CLA")))
	d.sync()
	if got := s.Receipts[d.id.Device]; len(d.engine.Records(syncproto.FamilyID{2})) != 0 || !got[all] {
		t.Errorf("after more words: records %v, receipts %v", d.engine.Records(syncproto.FamilyID{2}), got)
	}
	d.check()
}

func revokedAt(s *enginetest.Server) uint64 {
	for i := range s.Entries {
		if s.Entries[i].Item.Type == syncproto.ItemPurge {
			return uint64(i) + 1
		}
	}
	return 0
}

// Words that the server takes no more of for now stay, and with them the family
// that they belong to: nothing is purged before it is in custody.
func TestFault95WordsOverTheQuotaStayOnTheDevice(t *testing.T) {
	s, d := faultWorld(t)
	s.Page = 0
	d.say(visit, "too much. ")
	s.NoRoom = true
	s.Revoke(syncproto.UserID{1}, syncproto.FamilyID{1})
	s.Page = 5
	d.sync()
	if !d.noted(NoteKeptHere) || d.noted(NoteSignIn) {
		t.Errorf("notes %+v: want that the words stay here", d.notes)
	}
	if d.noted(NotePurged) || d.engine.Outbox().Changes != 1 {
		t.Fatal("the family was purged before its words were taken")
	}
	d.check()
	s.NoRoom = false
	d.sync()
	wantGone(t, d)
	if o := d.engine.Outbox(); o.Changes != 0 {
		t.Errorf("still unsent: %+v", o)
	}
	d.check()
}
