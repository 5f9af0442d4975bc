package exchange_test

import (
	"bytes"
	"testing"

	"doorstep/server/internal/exchange"
	"doorstep/server/internal/store"
	"doorstep/syncproto"
)

// A record is moved to another family's file while a tablet that wrote more of it is
// offline: the tablet is told to remove it, what it wrote waits for a reviewer of the right
// file, and no tablet of the wrong family gets a word of it any more.
func TestWordsForAMisfiledRecordGoIntoCustody(t *testing.T) {
	w, family, ada := case1(t)
	bea := w.coworker(family)
	visit, other := newID[syncproto.RecordID](w), newID[syncproto.RecordID](w)
	first := ada.write(edit{family: family, record: visit, ops: narrative("in the wrong file")})
	stays := ada.write(edit{family: family, record: other, ops: narrative("in its own")})
	ada.sync()
	bea.sync()
	late := bea.write(edit{family: family, record: visit, deps: []*syncproto.Change{first}, ops: narrative("written offline")})
	w.commit(store.MisfileEntry{Family: family, Record: visit, Kind: "visit", ToFamily: newID[syncproto.FamilyID](w), ToRecord: newID[syncproto.RecordID](w)})
	reply := bea.sync()
	bea.wantReceipt(late, syncproto.StatusQuarantined, syncproto.CodeMisfiled)
	told := 0
	for _, it := range reply.Items {
		if it.Type == syncproto.ItemMisfile && it.Record == visit && it.Family == family {
			told++
		}
	}
	if told != 1 {
		t.Errorf("the tablet was told %d times", told)
	}
	stored, err := w.b.Store.Change(late.ID)
	if err == nil {
		err = w.b.Store.Read(func(r *store.Reader) error {
			c, err := r.Content(stored.Position)
			if err == nil && !bytes.Equal(c.Raw, late.Raw) {
				t.Error("other words are in custody")
			}
			return err
		})
	}
	if err != nil {
		t.Fatal(err)
	}
	again := bea.write(edit{family: family, record: visit, deps: []*syncproto.Change{late}, ops: narrative("and more")})
	bea.sync()
	bea.wantReceipt(again, syncproto.StatusQuarantined, syncproto.CodeMisfiled)
	fresh := w.coworker(family)
	fresh.sync()
	if _, has := fresh.changes[first.ID]; has || fresh.changes[stays.ID] == nil || len(fresh.changes) != 1 {
		t.Errorf("a new tablet gets %d changes", len(fresh.changes))
	}
	w.restart()
	fresh.sync()
}

// Who manages the wrong family alone neither lets words in that came after the move nor
// keeps them away: they belong to another file.
func TestWordsOfAMisfiledRecordAreReviewedByTheRightFile(t *testing.T) {
	w, family, ada := case1(t)
	manager := w.person("manager")
	w.relate(manager, family, "MANAGER")
	visit, right := newID[syncproto.RecordID](w), newID[syncproto.FamilyID](w)
	first := ada.write(edit{family: family, record: visit, ops: narrative("in the wrong file")})
	ada.sync()
	late := ada.write(edit{family: family, record: visit, deps: []*syncproto.Change{first}, ops: narrative("written offline")})
	w.commit(store.MisfileEntry{Family: family, Record: visit, Kind: "visit", ToFamily: right, ToRecord: newID[syncproto.RecordID](w)})
	ada.sync()
	if err := w.x.KeepAway(t.Context(), exchange.Caller{User: manager}, late.ID, "no"); err != syncproto.CodeNotFound {
		t.Errorf("the wrong family's manager keeps it away: got %v", err)
	}
	if err := w.x.Admit(t.Context(), exchange.Caller{User: manager}, late.ID); err != syncproto.CodeNotFound {
		t.Errorf("the wrong family's manager lets it in: got %v", err)
	}
	responsible := w.person("manager")
	w.relate(responsible, right, "MANAGER")
	if err := w.x.Admit(t.Context(), exchange.Caller{User: responsible}, late.ID); err != syncproto.CodeMisfiled {
		t.Errorf("it is let into a record that is not there any more: got %v", err)
	}
	if err := w.x.KeepAway(t.Context(), exchange.Caller{User: responsible}, late.ID, "it is in the record by now"); err != nil {
		t.Errorf("the right family's manager keeps it away: got %v", err)
	}
}
