package store_test

import (
	"errors"
	"testing"

	"doorstep/server/internal/store"
	"doorstep/server/internal/store/storetest"
	"doorstep/syncproto"
	"doorstep/syncproto/cbor"
)

// A record that was moved out of the wrong file is gone from there, at once and after a
// rebuild of the index, while its words can be opened as they were.
func TestAMisfiledRecordIsGoneAndItsWordsAreNot(t *testing.T) {
	b := storetest.Open(t)
	a := newAuthor(b, actorA, ada)
	first := a.change(visit, "visit", nil, set("visit_type", cbor.Text("CP")))
	stays := a.change(id[syncproto.RecordID](13), "visit", nil)
	b.Commit(1_000, first, stays)
	became := id[syncproto.RecordID](14)
	keepsWords(t, b, jones)
	at := b.Commit(2_000, store.MisfileEntry{Family: smith, Record: visit, Kind: "visit", ToFamily: jones, ToRecord: became, Reason: "same surname", By: bea, AtMS: 2_000})
	check := func() {
		t.Helper()
		if info, err := b.Store.RecordInfo(visit); err != nil || info.Gone != at || len(info.Heads) > 0 {
			t.Errorf("got %+v, %v", info, err)
		}
		if _, err := b.Store.View(visit); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("its view: got %v", err)
		}
		if list, err := b.Store.RecordsOf(smith, "visit"); err != nil || len(list) != 1 || list[0] != stays.Record {
			t.Errorf("the family's visits: got %v, %v", list, err)
		}
		if e, moved := b.Store.State().Misfiled(visit); !moved || e.ToRecord != became || e.Reason != "same surname" {
			t.Errorf("got %+v, %v", e, moved)
		}
		if e, moved := b.Store.State().MovedFrom(became); !moved || e.Record != visit {
			t.Errorf("what it became: got %+v, %v", e, moved)
		}
		if f := b.Store.State().FileOf(smith, visit); f != jones {
			t.Errorf("its words belong to %v", f)
		}
		if f := b.Store.State().FileOf(smith, stays.Record); f != smith {
			t.Errorf("another record's words belong to %v", f)
		}
		err := b.Store.Read(func(r *store.Reader) error {
			g, _, err := r.Original(visit)
			if err == nil && (len(g.Changes()) != 1 || g.Changes()[0].ID != first.ID) {
				t.Errorf("the original has %d changes", len(g.Changes()))
			}
			if _, _, err := r.Original(stays.Record); !errors.Is(err, store.ErrNotFound) {
				t.Errorf("the original of what was not moved: got %v", err)
			}
			return err
		})
		if err != nil {
			t.Error(err)
		}
	}
	check()
	b.Reopen()
	check()
	wantSameRebuilt(t, b)
}

// A second entry about a record changes nothing, in the index or in memory.
func TestARecordIsMovedOnce(t *testing.T) {
	b := storetest.Open(t)
	b.Commit(1_000, newAuthor(b, actorA, ada).change(visit, "visit", nil))
	first, second := id[syncproto.RecordID](14), id[syncproto.RecordID](15)
	at := b.Commit(2_000, store.MisfileEntry{Family: smith, Record: visit, Kind: "visit", ToFamily: jones, ToRecord: first, AtMS: 2_000})
	b.Commit(3_000, store.MisfileEntry{Family: smith, Record: visit, Kind: "visit", ToFamily: jones, ToRecord: second, AtMS: 3_000})
	if info, err := b.Store.RecordInfo(visit); err != nil || info.Gone != at {
		t.Errorf("got %+v, %v", info, err)
	}
	if e, _ := b.Store.State().Misfiled(visit); e.ToRecord != first {
		t.Errorf("got %+v", e)
	}
	if _, moved := b.Store.State().MovedFrom(second); moved {
		t.Error("it stands in two records")
	}
}

// What was typed as the reason goes with the file that it is kept with.
func TestTheReasonOfAMisfileGoesWithTheRightFile(t *testing.T) {
	b := storetest.Open(t)
	keepsWords(t, b, jones)
	b.Commit(1_000, newAuthor(b, actorA, ada).change(visit, "visit", nil))
	b.Commit(2_000, store.MisfileEntry{Family: smith, Record: visit, Kind: "visit", ToFamily: jones, ToRecord: id[syncproto.RecordID](14), Reason: "same surname", AtMS: 2_000})
	b.Commit(3_000, store.EraseEntry{Scope: "family", Basis: "court_order", Family: jones, AtMS: 3_000})
	if e, moved := b.Store.State().Misfiled(visit); !moved || e.Reason != "" {
		t.Errorf("after the right file was erased: got %+v", e)
	}
}
