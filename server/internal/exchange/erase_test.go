package exchange_test

import (
	"bytes"
	"testing"

	"doorstep/server/internal/store"
	"doorstep/syncproto"
)

// A record is erased while a tablet that wrote more of it is offline: its words go
// into custody under another key, named so, and never into the record; the others
// hear of the erasure and of nothing else of the record.
func TestWordsForAnErasedRecordGoIntoCustody(t *testing.T) {
	w, family, ada := case1(t)
	bea := w.coworker(family)
	visit, other := newID[syncproto.RecordID](w), newID[syncproto.RecordID](w)
	first := ada.write(edit{family: family, record: visit, ops: narrative("to be erased")})
	stays := ada.write(edit{family: family, record: other, ops: narrative("to be kept")})
	ada.sync()
	bea.sync()
	late := bea.write(edit{family: family, record: visit, deps: []*syncproto.Change{first}, ops: narrative("written offline")})
	w.commit(store.EraseEntry{Family: family, Record: visit, Scope: "record", Basis: "unlawful"})
	if err := w.b.Keys.Destroy([]store.KeyPair{{Family: family, Record: visit}}); err != nil {
		t.Fatal(err)
	}
	reply := bea.sync()
	bea.wantReceipt(late, syncproto.StatusQuarantined, syncproto.CodeErased)
	told := 0
	for _, it := range reply.Items {
		if it.Type == syncproto.ItemErase && it.Record == visit && it.Family == family {
			told++
		}
	}
	if told != 1 {
		t.Errorf("the tablet was told of the erasure %d times", told)
	}
	stored, err := w.b.Store.Change(late.ID)
	if err != nil {
		t.Fatal(err)
	}
	err = w.b.Store.Read(func(r *store.Reader) error {
		c, err := r.Content(stored.Position)
		if err == nil && !bytes.Equal(c.Raw, late.Raw) {
			t.Error("other words are in custody")
		}
		return err
	})
	if err != nil {
		t.Errorf("the words in custody cannot be read: %v", err)
	}
	again := bea.write(edit{family: family, record: visit, deps: []*syncproto.Change{late}, ops: narrative("and more")})
	bea.sync()
	bea.wantReceipt(again, syncproto.StatusQuarantined, syncproto.CodeErased)
	if err := w.x.Admit(t.Context(), bea.caller(), late.ID); err == nil {
		t.Error("words are let into an erased record")
	}
	fresh := w.coworker(family)
	fresh.sync()
	if _, has := fresh.changes[first.ID]; has || fresh.changes[stays.ID] == nil || len(fresh.changes) != 1 {
		t.Errorf("a new tablet gets %d changes", len(fresh.changes))
	}
	w.restart()
	fresh.sync()
}

// After a restore from before a record began, the key store has never heard of it,
// and the list of what was erased has.
func TestFault85WordsOfAnErasedRecordThatNobodyKnowsGoIntoCustody(t *testing.T) {
	w, family, ada := case1(t)
	visit := newID[syncproto.RecordID](w)
	c := ada.write(edit{family: family, record: visit, ops: narrative("written before the restore")})
	w.commit(store.EraseEntry{Family: family, Record: visit, Scope: "restored"})
	ada.sync()
	ada.wantReceipt(c, syncproto.StatusQuarantined, syncproto.CodeErased)
}
