package store_test

import (
	"bytes"
	"errors"
	"maps"
	"os"
	"slices"
	"testing"

	"doorstep/server/internal/store"
	"doorstep/server/internal/store/storetest"
	"doorstep/syncproto"
	"doorstep/syncproto/cbor"
)

// runEntries is how many positions a run of the index has.
const runEntries = 8192

// skip commits entries that leave no row, so many.
func skip(b *storetest.Borough, n int) {
	if n == 0 {
		return
	}
	tips := make([]store.Entry, n)
	for i := range tips {
		tips[i] = store.TipEntry{Actor: actorA, Device: tablet, Count: 1, Signature: make([]byte, 64)}
	}
	b.Commit(1_000, tips...)
}

// wantBegun holds what the index says of a change that began a record to its entry.
func wantBegun(t *testing.T, b *storetest.Borough, position uint64, e store.ChangeEntry) {
	t.Helper()
	want := store.ChangeRef{
		ID: e.ID, Position: position, Record: e.Record, Family: e.Family, Kind: e.Kind, Actor: e.Actor, Seq: e.Seq,
		Prev: e.Prev, Author: e.Author, Device: e.Device, AtMS: e.AtMS, Status: e.Status, Placed: position, Size: uint64(len(e.Sealed)),
	}
	if got, err := b.Store.Change(e.ID); err != nil || !slices.Equal(got.Deps, want.Deps) || !sameRef(got, want) {
		t.Errorf("change at %d: got %+v, %v, want %+v", position, got, err, want)
	}
	for name, ask := range map[string]func(syncproto.RecordID) (store.RecordInfo, error){
		"RecordInfo": b.Store.RecordInfo, "RecordOrNot": b.Store.RecordOrNot,
	} {
		got, err := ask(e.Record)
		if err != nil || got.Family != e.Family || got.Kind != e.Kind || got.Last != position || !slices.Equal(got.Heads, ids(e)) {
			t.Errorf("%s of the record at %d: got %+v, %v", name, position, got, err)
		}
	}
}

func sameRef(a, b store.ChangeRef) bool {
	a.Deps, b.Deps = nil, nil
	return a.ID == b.ID && a.Position == b.Position && a.Record == b.Record && a.Family == b.Family && a.Kind == b.Kind &&
		a.Actor == b.Actor && a.Seq == b.Seq && a.Prev == b.Prev && a.Author == b.Author && a.Device == b.Device &&
		a.AtMS == b.AtMS && a.Status == b.Status && a.Code == b.Code && a.Placed == b.Placed && a.Size == b.Size
}

// TestRecordsAreFoundByTheChangeThatBeganThem: over several runs, while the newest is
// searched block by block, after a start that remembers nothing, and after a rebuild,
// which makes the same rows.
func TestRecordsAreFoundByTheChangeThatBeganThem(t *testing.T) {
	b := storetest.Open(t)
	a := newAuthor(b, actorA, ada)
	began := map[uint64]store.ChangeEntry{}
	begins := func(n int) {
		for range n {
			e := a.change(id[syncproto.RecordID](100+a.seq), "visit", nil, set("place", cbor.Text("HOME")))
			began[b.Commit(1_000, e)] = e
		}
	}
	all := func(when string) {
		t.Helper()
		b.Store.LookedThrough()
		for position, e := range began {
			wantBegun(t, b, position, e)
		}
		for _, missing := range []syncproto.RecordID{{}, {7}, id[syncproto.RecordID](99)} {
			if _, err := b.Store.RecordInfo(missing); !errors.Is(err, store.ErrNotFound) {
				t.Errorf("%s: a record that is not there: got %v", when, err)
			}
			if _, err := b.Store.RecordOrNot(missing); !errors.Is(err, store.ErrNotFound) {
				t.Errorf("%s: a record that is not there: got %v", when, err)
			}
		}
		if _, err := b.Store.Change(syncproto.ChangeID{7}); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("%s: a change that is not there: got %v", when, err)
		}
	}
	begins(3)
	all("in the first run")
	skip(b, 500)
	begins(2)
	skip(b, runEntries)
	begins(3) // the first run is sorted
	all("in the second run")
	skip(b, 2*runEntries)
	begins(2) // the second is; the third has none
	all("in the fourth run")
	if n := len(rowsOf(t, b, "ci")); n != 1 {
		t.Errorf("%d rows of changes and blocks, want the newest block alone", n)
	}
	b.Reopen()
	all("after a start")
	wantSameRebuilt(t, b)
	all("after a rebuild")
}

// wantSameRebuilt holds the rows of the index to those that a rebuild makes.
func wantSameRebuilt(t *testing.T, b *storetest.Borough) {
	t.Helper()
	want := rows(t, b)
	b.Close()
	if err := os.RemoveAll(b.Index()); err != nil {
		t.Fatal(err)
	}
	b.Reopen()
	if got := rows(t, b); !maps.EqualFunc(got, want, bytes.Equal) {
		t.Errorf("rebuilt index: %d rows, want the same %d", len(got), len(want))
	}
}

// rowsOf are the rows whose kind is among those given.
func rowsOf(t *testing.T, b *storetest.Borough, kinds string) map[string][]byte {
	t.Helper()
	out := rows(t, b)
	maps.DeleteFunc(out, func(k string, _ []byte) bool { return !bytes.Contains([]byte(kinds), []byte(k[:1])) })
	return out
}

// TestWhatBeganARecordStaysKnown: when more comes, and after an erasure.
func TestWhatBeganARecordStaysKnown(t *testing.T) {
	b := storetest.Open(t)
	a := newAuthor(b, actorA, ada)
	first := a.change(visit, "visit", nil, set("place", cbor.Text("HOME")))
	second := a.change(visit, "visit", ids(first), set("place", cbor.Text("SCHOOL")))
	b.Commit(1_000, first, second) // in one group
	for range 2 {
		if c, err := b.Store.Change(first.ID); err != nil || c.Position != 1 || c.Placed != 1 {
			t.Errorf("got %+v, %v", c, err)
		}
		if info, err := b.Store.RecordInfo(visit); err != nil || info.Last != 2 || !slices.Equal(info.Heads, ids(second)) {
			t.Errorf("got %+v, %v", info, err)
		}
		if is, err := isAncestor(b, first.ID, second.ID); err != nil || !is {
			t.Errorf("the first change is the second's ancestor: got %v, %v", is, err)
		}
		b.Reopen()
	}
	alone := a.change(id[syncproto.RecordID](12), "visit", nil)
	b.Commit(1_000, alone)
	at := b.Commit(1_000, store.EraseEntry{Family: smith, Record: alone.Record, Scope: "record", Basis: "court_order"})
	info, err := b.Store.RecordInfo(alone.Record)
	if err != nil || info.Gone != at || len(info.Heads) > 0 {
		t.Errorf("after the erasure: got %+v, %v", info, err)
	}
	if c, err := b.Store.Change(alone.ID); err != nil || c.Position != 3 {
		t.Errorf("its change keeps its place: got %+v, %v", c, err)
	}
}

func isAncestor(b *storetest.Borough, a, of syncproto.ChangeID) (is bool, err error) {
	err = b.Store.Read(func(r *store.Reader) error {
		is, err = r.IsAncestor(a, []syncproto.ChangeID{of})
		return err
	})
	return is, err
}

// TestWhatWasTakenBackBeganNothing: a change that was staged and dropped is not there,
// neither for the group nor for readers, and may be staged again, at the same position.
func TestWhatWasTakenBackBeganNothing(t *testing.T) {
	b := storetest.Open(t)
	b.Store.LookedThrough()
	e := newAuthor(b, actorA, ada).change(visit, "visit", nil)
	tx := b.Store.Begin(1_000)
	defer tx.Discard()
	unknown := func(r interface {
		Change(syncproto.ChangeID) (store.ChangeRef, error)
		RecordInfo(syncproto.RecordID) (store.RecordInfo, error)
	}) {
		t.Helper()
		if _, err := r.Change(e.ID); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("the change: got %v", err)
		}
		if _, err := r.RecordInfo(visit); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("the record: got %v", err)
		}
	}
	for range 2 {
		if _, err := tx.Stage(e); err != nil {
			t.Fatal(err)
		}
		if c, err := tx.Change(e.ID); err != nil || c.Position != 1 {
			t.Errorf("staged: got %+v, %v", c, err)
		}
		if info, err := tx.RecordInfo(visit); err != nil || info.Last != 1 {
			t.Errorf("staged: got %+v, %v", info, err)
		}
		unknown(b.Store)
		tx.Drop()
		unknown(tx)
	}
	tx.Discard()
	b.Commit(1_000, e)
	wantBegun(t, b, 1, e)
	wantSameRebuilt(t, b)
}

// TestOtherRecordsThatBeginAlikeAreToldApart: a hint in memory, and rows that hold the
// beginnings of ids, say where to look and no more.
func TestOtherRecordsThatBeginAlikeAreToldApart(t *testing.T) {
	b := storetest.Open(t)
	a := newAuthor(b, actorA, ada)
	var all []store.ChangeEntry
	for n := range 300 { // their first half is the same
		all = append(all, a.change(id[syncproto.RecordID](uint64(1_000+n<<20)), "visit", nil))
	}
	for n, e := range all {
		if at := b.Commit(1_000, e); at != uint64(n+1) {
			t.Fatalf("got position %d", at)
		}
	}
	for range 2 {
		for n, e := range all {
			wantBegun(t, b, uint64(n+1), e)
		}
		b.Reopen()
		b.Store.LookedThrough()
	}
}

// TestALostRowOfBeginningsIsNoticed by who looks every change up.
func TestALostRowOfBeginningsIsNoticed(t *testing.T) {
	for name, entries := range map[string]int{"of a block": 0, "of a run": runEntries} {
		t.Run(name, func(t *testing.T) {
			b := storetest.Open(t)
			a := newAuthor(b, actorA, ada)
			e := a.change(visit, "visit", nil)
			at := b.Commit(1_000, e)
			skip(b, entries)
			b.Commit(1_000, a.change(id[syncproto.RecordID](12), "visit", nil))
			payload, err := b.Journal.Read(at)
			if err != nil {
				t.Fatal(err)
			}
			if err := b.Store.CheckEntry(at, payload); err != nil {
				t.Fatalf("while it is there: %v", err)
			}
			for k := range rowsOf(t, b, "ij") {
				if err := b.Store.Lose([]byte(k)); err != nil {
					t.Fatal(err)
				}
			}
			if err := b.Store.CheckEntry(at, payload); !errors.Is(err, store.ErrDamaged) || b.Fatal == nil {
				t.Errorf("got %v and %v, want ErrDamaged, told", err, b.Fatal)
			}
		})
	}
}
