package erasure_test

import (
	"context"
	"crypto/rand"
	"errors"
	"testing"
	"time"

	"doorstep/server/internal/disk/disktest"
	"doorstep/server/internal/erasure"
	"doorstep/server/internal/exchange"
	"doorstep/server/internal/store"
	"doorstep/server/internal/store/storetest"
	"doorstep/syncproto"
)

// Two people have erased a family while the disk beside the backups is full: they are
// told so, nobody can decide about it again, and the keys go as soon as there is room.
func TestFault79AnErasureOnAFullDiskIsFinishedLater(t *testing.T) {
	b := storetest.Open(t)
	ledger := exchange.NewLedger(exchange.LedgerConfig{
		Journal: b.Journal, Store: b.Store, Log: b.Log, Now: time.Now,
		OnFatal: func(err error) { t.Errorf("the ledger failed: %v", err) },
	})
	t.Cleanup(ledger.Close)
	d := disktest.New(1)
	list, err := erasure.OpenList(d, "data", "backup")
	if err != nil {
		t.Fatal(err)
	}
	s := erasure.New(erasure.Config{Ledger: ledger, Store: b.Store, Keys: b.Keys, List: list, Now: time.Now, Random: rand.Reader})
	ctx, asks, agrees, family := context.Background(), syncproto.UserID{1}, syncproto.UserID{2}, syncproto.FamilyID{3}
	if err := b.Keys.Ensure([]store.KeyPair{{Family: family, Record: syncproto.RecordID{4}}}); err != nil {
		t.Fatal(err)
	}
	_, err = ledger.Propose(ctx, func(*store.Tx) ([]store.Entry, error) {
		return []store.Entry{store.UserEntry{ID: asks, Login: "a", Role: "ig_officer"}, store.UserEntry{ID: agrees, Login: "b", Role: "ig_officer"}}, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	asked, err := s.Ask(ctx, asks, erasure.Ask{Scope: erasure.ScopeFamily, Family: family, Basis: erasure.BasisUnlawful, Reason: "the wrong family"})
	if err != nil {
		t.Fatal(err)
	}

	d.SetCapacity(1)
	err = s.Confirm(ctx, agrees, asked.ID)
	var told *erasure.Refusal
	if !errors.Is(err, syncproto.CodeDiskFull) || !errors.As(err, &told) || told.Plain == "" {
		t.Fatalf("on a full disk: got %v, want disk_full in words", err)
	}
	if err := s.Confirm(ctx, agrees, asked.ID); !errors.Is(err, syncproto.CodeNotFound) {
		t.Errorf("agreed to again: got %v, want not_found: it is decided", err)
	}
	if err := s.Finish(); !errors.Is(err, syncproto.CodeDiskFull) || len(b.Keys.RecordsOf(family)) == 0 {
		t.Errorf("while it is full: got %v and %d keys", err, len(b.Keys.RecordsOf(family)))
	}
	d.SetCapacity(1 << 20)
	if err := s.Finish(); err != nil || len(b.Keys.RecordsOf(family)) != 0 {
		t.Errorf("with room again: got %v, and %d keys are left, want none", err, len(b.Keys.RecordsOf(family)))
	}
	again, err := erasure.OpenList(d, "backup")
	if err != nil || len(again.All()) != 2 {
		t.Errorf("the list beside the backups: %v, %v; want the record and the family", again.All(), err)
	}
	if err := s.Finish(); err != nil {
		t.Errorf("nothing is owed: got %v", err)
	}
}

// What a record was in a wrong file holds the same words: it goes with it. A legal hold on
// that file keeps both.
func TestAnErasureTakesWhatTheRecordWasInAWrongFile(t *testing.T) {
	b := storetest.Open(t)
	ledger := exchange.NewLedger(exchange.LedgerConfig{
		Journal: b.Journal, Store: b.Store, Log: b.Log, Now: time.Now,
		OnFatal: func(err error) { t.Errorf("the ledger failed: %v", err) },
	})
	t.Cleanup(ledger.Close)
	list, err := erasure.OpenList(disktest.New(1), "data")
	if err != nil {
		t.Fatal(err)
	}
	s := erasure.New(erasure.Config{Ledger: ledger, Store: b.Store, Keys: b.Keys, List: list, Now: time.Now, Random: rand.Reader})
	ctx, asks, agrees, wrong, right := context.Background(), syncproto.UserID{1}, syncproto.UserID{2}, syncproto.FamilyID{3}, syncproto.FamilyID{4}
	was, is := syncproto.RecordID{5}, syncproto.RecordID{6}
	if err := b.Keys.Ensure([]store.KeyPair{{Family: wrong, Record: was}, {Family: right, Record: is}, store.WordsKey(wrong), store.WordsKey(right)}); err != nil {
		t.Fatal(err)
	}
	hold := store.HoldEntry{ID: syncproto.ID{7}, Family: wrong, Kind: store.HoldLegal, Reason: "a court", By: asks, AtMS: 1}
	write := func(entries ...store.Entry) {
		t.Helper()
		if _, err := ledger.Propose(ctx, func(*store.Tx) ([]store.Entry, error) { return entries, nil }); err != nil {
			t.Fatal(err)
		}
	}
	write(store.UserEntry{ID: asks, Login: "a", Role: "ig_officer"}, store.UserEntry{ID: agrees, Login: "b", Role: "ig_officer"},
		store.MisfileEntry{Family: wrong, Record: was, Kind: "visit", ToFamily: right, ToRecord: is, By: agrees, AtMS: 1}, hold)
	ask := erasure.Ask{Scope: erasure.ScopeFamily, Family: right, Basis: erasure.BasisUnlawful, Reason: "an order"}
	if _, err := s.Ask(ctx, asks, ask); !errors.Is(err, syncproto.CodeForbidden) {
		t.Errorf("under a hold of the wrong file: got %v", err)
	}
	hold.Lifted = true
	write(hold)
	asked, err := s.Ask(ctx, asks, ask)
	if err == nil {
		err = s.Confirm(ctx, agrees, asked.ID)
	}
	if err != nil {
		t.Fatal(err)
	}
	if !b.Store.State().IsErased(wrong, was) || !b.Store.State().IsErased(right, is) {
		t.Error("something of it is left")
	}
	if left := b.Keys.RecordsOf(wrong); len(left) != 1 || left[0] != store.WordsKey(wrong).Record {
		t.Errorf("keys of the wrong file: got %v, want that of its words alone", left)
	}
}
