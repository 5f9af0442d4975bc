package store_test

import (
	"bytes"
	"errors"
	"maps"
	"math/rand/v2"
	"os"
	"slices"
	"testing"

	"doorstep/server/internal/store"
	"doorstep/server/internal/store/storetest"
	"doorstep/syncproto"
)

// TestFeedsOverBlocks compares feeds and lists that run over many blocks with what was
// committed, for groups of several sizes, and with an index that is built anew.
func TestFeedsOverBlocks(t *testing.T) {
	const seed = 7
	rng := rand.New(rand.NewPCG(seed, 0))
	b := storetest.Open(t)
	families := []syncproto.FamilyID{smith, jones}
	want := map[syncproto.FamilyID][]uint64{}
	records := map[syncproto.FamilyID][]syncproto.RecordID{}
	lone := map[syncproto.RecordID][]uint64{}
	a := newAuthor(b, actorA, ada)
	position := uint64(0)
	for position < 2_000 {
		var group []store.Entry
		for range 1 + rng.IntN(200) {
			position++
			a.family = families[rng.IntN(2)]
			var record syncproto.RecordID
			if known := records[a.family]; len(known) > 0 && rng.IntN(2) == 0 {
				record = known[rng.IntN(len(known))]
			} else {
				record = id[syncproto.RecordID](1 + rng.Uint64N(250))
				record[1], record[2] = byte(position>>8), byte(position)
				records[a.family] = append(records[a.family], record)
			}
			group = append(group, a.change(record, "visit", nil))
			want[a.family] = append(want[a.family], position)
			lone[record] = append(lone[record], position)
		}
		b.Commit(1_000, group...)
	}
	for range 2 {
		for _, family := range families {
			checkFeed(t, b, family, want[family])
			got, err := b.Store.RecordsOf(family, "visit")
			sorted := slices.SortedFunc(slices.Values(records[family]), func(a, b syncproto.RecordID) int { return slices.Compare(a[:], b[:]) })
			if err != nil || !slices.Equal(got, sorted) {
				t.Errorf("seed %d: %d records of a family, %v; want %d", seed, len(got), err, len(sorted))
			}
		}
		for record, want := range lone {
			if got := positionsOf(t, b, record); !slices.Equal(got, want) {
				t.Fatalf("seed %d: record %s has its changes at %v, want %v", seed, record, got, want)
			}
		}
		before := rows(t, b)
		b.Close()
		if err := os.RemoveAll(b.Index()); err != nil {
			t.Fatal(err)
		}
		b.Reopen()
		if got := rows(t, b); !maps.EqualFunc(got, before, bytes.Equal) {
			t.Fatalf("seed %d: an index that is built anew has other rows", seed)
		}
	}
}

// checkFeed reads a family's feed from several places on.
func checkFeed(t *testing.T, b *storetest.Borough, family syncproto.FamilyID, want []uint64) {
	t.Helper()
	for _, after := range []uint64{0, 1, 255, 256, 257, 511, 512, 1_000, 1_999} {
		for _, upTo := range []uint64{after, after + 1, after + 255, after + 256, 9_999} {
			var got, expect []uint64
			err := b.Store.Read(func(r *store.Reader) error {
				return r.Feed(family, after, upTo, func(f store.FeedRef) bool {
					got = append(got, f.Position)
					return true
				})
			})
			for _, p := range want {
				if p > after && p <= upTo {
					expect = append(expect, p)
				}
			}
			if err != nil || !slices.Equal(got, expect) {
				t.Fatalf("feed (%d, %d]: %v, %v; want %v", after, upTo, got, err, expect)
			}
		}
	}
}

// positionsOf lists where the changes of a record lie.
func positionsOf(t *testing.T, b *storetest.Borough, record syncproto.RecordID) (out []uint64) {
	t.Helper()
	err := b.Store.Read(func(r *store.Reader) error {
		_, err := r.ChangesOf(record, 0, func(e store.ChangeEntry) error {
			c, err := r.Change(e.ID)
			out = append(out, c.Position)
			return err
		})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// TestLostEndOfFeedIsNoticed holds that a feed is not begun anew where its end is gone.
func TestLostEndOfFeedIsNoticed(t *testing.T) {
	b := storetest.Open(t)
	story(b)
	if err := b.Store.Lose(append([]byte("f"+string(smith[:])), make([]byte, 8)...)); err != nil {
		t.Fatal(err)
	}
	a := newAuthor(b, id[syncproto.ActorID](55), ada)
	if _, err := b.TryCommit(1_000, a.change(visit, "visit", nil)); !errors.Is(err, store.ErrDamaged) {
		t.Errorf("a change after the lost end: got %v, want ErrDamaged", err)
	}
}
