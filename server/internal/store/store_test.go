package store_test

import (
	"bytes"
	"errors"
	"maps"
	"os"
	"slices"
	"testing"

	"doorstep/server/internal/disk/disktest"
	"doorstep/server/internal/store"
	"doorstep/server/internal/store/storetest"
	"doorstep/syncproto"
	"doorstep/syncproto/cbor"
	"doorstep/syncproto/schema"
)

// story commits some of everything and returns the entries' ids.
func story(b *storetest.Borough) []syncproto.ChangeID {
	a, c := newAuthor(b, actorA, ada), newAuthor(b, actorB, bea)
	first := a.change(visit, "visit", nil, set("place", cbor.Text("HOME")))
	b.Commit(1_000,
		store.UserEntry{ID: ada, Login: "ada", Name: "Ada", Role: "practitioner"},
		store.UserEntry{ID: bea, Login: "bea", Name: "Bea", Role: "manager"},
		store.RelationEntry{User: ada, Family: smith, Basis: "LEAD", Grant: true},
		store.FamilyTeamEntry{Family: smith, Team: store.TeamID{7}},
		store.TeamEntry{User: bea, Team: store.TeamID{7}, Basis: "MANAGER", Grant: true},
	)
	b.Commit(2_000, first, store.TipEntry{Actor: actorA, Device: tablet, Tip: first.ID, Count: 1, Signature: make([]byte, 64)})

	second := a.change(visit, "visit", ids(first), set("place", cbor.Text("SCHOOL")))
	third := c.change(visit, "visit", ids(first), set("place", cbor.Text("OFFICE")))
	held := c.change(visit, "visit", []syncproto.ChangeID{{9}}, set("place", cbor.Text("HOME")))
	held.Status, held.Code = syncproto.StatusHeld, syncproto.CodeMissingDeps
	b.Commit(3_000, second, third, held)

	aside := c.change(visit, "visit", ids(third), set("place", cbor.Text("HOME")))
	aside.Status, aside.Code = syncproto.StatusQuarantined, syncproto.CodeNotEntitled
	b.Commit(4_000, aside)
	b.Commit(5_000, store.VerdictEntry{Verdict: syncproto.Verdict{
		Kind: syncproto.VerdictAdmit, Family: smith, Record: visit, Change: aside.ID, By: bea, AtMS: 5_000,
	}})
	return ids(first, second, third, held, aside)
}

func TestWhatIsStaged(t *testing.T) {
	b := storetest.Open(t)
	want := story(b)
	info, err := b.Store.RecordInfo(visit)
	if err != nil {
		t.Fatal(err)
	}
	heads := syncproto.MergeHeads([]syncproto.ChangeID{want[1], want[4]}, nil)
	if !slices.Equal(info.Heads, heads) {
		t.Errorf("heads: got %v, want %v", info.Heads, heads)
	}
	c, err := b.Store.Change(want[4])
	if err != nil || c.Status != syncproto.StatusAccepted || c.Placed != 12 || c.Position != 11 {
		t.Errorf("admitted change: got %+v, %v", c, err)
	}
	g, verdicts, err := b.Store.Graph(visit)
	if err != nil || g.Len() != 4 || len(verdicts) != 1 || verdicts[0].Position != 12 {
		t.Errorf("graph: got %d changes, verdicts %v, %v", g.Len(), verdicts, err)
	}
	held, err := b.Store.Unplaced(smith, visit)
	if err != nil || len(held) != 1 || held[0].ID != want[3] {
		t.Errorf("held: got %v, %v", held, err)
	}
	aside, err := b.Store.Quarantined(smith)
	if err != nil || len(aside) != 0 {
		t.Errorf("quarantine after admission: got %v, %v", aside, err)
	}
	visits, err := b.Store.RecordsOf(smith, "visit")
	if err != nil || !slices.Equal(visits, []syncproto.RecordID{visit}) {
		t.Errorf("records: got %v, %v", visits, err)
	}
}

func TestFeedIsInOrderAndWithinBounds(t *testing.T) {
	b := storetest.Open(t)
	story(b)
	positions := func(after, upTo uint64) (out []uint64) {
		err := b.Store.Read(func(r *store.Reader) error {
			return r.Feed(smith, after, upTo, func(f store.FeedRef) bool {
				out = append(out, f.Position)
				return true
			})
		})
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	cases := []struct {
		after, upTo uint64
		want        []uint64
	}{
		{0, 99, []uint64{6, 8, 9, 12}},
		{6, 99, []uint64{8, 9, 12}},
		{7, 9, []uint64{8, 9}},
		{12, 99, nil},
		{0, 5, nil},
	}
	for _, c := range cases {
		if got := positions(c.after, c.upTo); !slices.Equal(got, c.want) {
			t.Errorf("feed (%d, %d]: got %v, want %v", c.after, c.upTo, got, c.want)
		}
	}
	if got := b.Store.State().News(smith); got != 12 {
		t.Errorf("last news: got %d, want 12", got)
	}
}

func TestViewEqualsFreshFold(t *testing.T) {
	b := storetest.Open(t)
	story(b)
	for round := range 3 { // folded, cached, after a restart
		if round == 2 {
			b.Reopen()
		}
		v, err := b.Store.View(visit)
		if err != nil {
			t.Fatal(err)
		}
		g, verdicts, err := b.Store.Graph(visit)
		if err != nil {
			t.Fatal(err)
		}
		kind, _ := schema.Newest("visit")
		if !bytes.Equal(v.Encode(), syncproto.Fold(g, kind, verdicts).Encode()) {
			t.Errorf("round %d: the view is not the fold", round)
		}
	}
	a := newAuthor(b, id[syncproto.ActorID](49), ada)
	b.Commit(6_000, a.change(visit, "visit", nil, set("announced", cbor.Text("ANNOUNCED"))))
	v, err := b.Store.View(visit)
	if err != nil {
		t.Fatal(err)
	}
	if _, ok := v.Field("announced"); !ok {
		t.Error("a view kept from before the last change was shown")
	}
	if _, err := b.Store.View(id[syncproto.RecordID](99)); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("view of an unknown record: got %v, want ErrNotFound", err)
	}
}

// rows is everything in the index but the cached views.
func rows(t *testing.T, b *storetest.Borough) map[string][]byte {
	t.Helper()
	all, err := b.Store.Dump()
	if err != nil {
		t.Fatal(err)
	}
	maps.DeleteFunc(all, func(k string, _ []byte) bool { return k[0] == 'v' || k[0] == 'b' }) // a cache, and whether a huge group was ever written
	return all
}

// everyVerdict goes on from story with one verdict of each kind, a gap in a chain
// that is filled, a fork and a refused place.
func everyVerdict(b *storetest.Borough, known []syncproto.ChangeID) {
	verdict := func(kind syncproto.VerdictKind, change syncproto.ChangeID) store.VerdictEntry {
		return store.VerdictEntry{Verdict: syncproto.Verdict{
			Kind: kind, Family: smith, Record: visit, Change: change, Path: syncproto.Path{Field: "status"}, AtMS: 6_000,
		}}
	}
	actor := id[syncproto.ActorID](60)
	a := newAuthor(b, actor, ada)
	first := a.change(visit, "visit", known[:1])
	second := a.change(visit, "visit", known[:1])
	second.Status, second.Code = syncproto.StatusHeld, syncproto.CodeMissingPrev
	b.Commit(6_000, second)
	b.Commit(6_000, verdict(syncproto.VerdictQuarantine, second.ID), first, verdict(syncproto.VerdictRelease, second.ID))
	clone := newAuthor(b, actor, ada)
	clone.seq, clone.prev = 1, first.ID
	fork := clone.change(visit, "visit", known[:1], set("announced", cbor.Text("ANNOUNCED")))
	forked := verdict(syncproto.VerdictForked, fork.ID)
	forked.Actor = actor
	b.Commit(6_000, fork, forked, verdict(syncproto.VerdictWin, fork.ID), verdict(syncproto.VerdictLose, first.ID))
	b.Commit(6_000, store.RefusedEntry{
		ID: syncproto.ChangeID{77}, Prev: fork.ID, Actor: actor, Device: tablet, Seq: 3, Code: syncproto.CodeBadValue,
	})
	seal := verdict(syncproto.VerdictSeal, fork.ID)
	seal.Heads = []syncproto.RecordHeads{{Record: visit, Heads: ids(fork)}}
	late := a.change(visit, "visit", ids(second))
	late.Status, late.Code = syncproto.StatusLate, syncproto.CodeLate
	b.Commit(6_000, seal, late, verdict(syncproto.VerdictLate, late.ID))
}

func TestRebuildGivesTheSameBytes(t *testing.T) {
	b := storetest.Open(t)
	everyVerdict(b, story(b))
	if _, err := b.Store.View(visit); err != nil {
		t.Fatal(err)
	}
	want := rows(t, b)
	b.Close()
	if err := os.RemoveAll(b.Index()); err != nil {
		t.Fatal(err)
	}
	b.Reopen()
	got := rows(t, b)
	if len(want) < 30 || !maps.EqualFunc(got, want, bytes.Equal) {
		t.Errorf("rebuilt index: %d rows, want the same %d", len(got), len(want))
	}
	if bases := b.Store.State().BasisOf(bea, smith, 1); !slices.Equal(bases, []string{"MANAGER"}) {
		t.Errorf("relations after the rebuild: got %v", bases)
	}
}

func TestBehindIndexCatchesUp(t *testing.T) {
	b := storetest.Open(t)
	story(b)
	a := newAuthor(b, id[syncproto.ActorID](50), ada)
	e := a.change(visit, "visit", nil, set("place", cbor.Text("HOME")))
	// The journal has an entry that the index never saw, as after kill -9.
	payload, err := store.EncodeEntry(e, b.Keys)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := b.Journal.Append([][]byte{payload}); err != nil {
		t.Fatal(err)
	}
	b.Reopen()
	if c, err := b.Store.Change(e.ID); err != nil || c.Position != 13 {
		t.Errorf("change after catching up: got %+v, %v", c, err)
	}
	if at, _ := b.Store.Applied(); at != 13 {
		t.Errorf("applied: got %d, want 13", at)
	}
}

func TestForeignOrDamagedIndexIsBuiltAnew(t *testing.T) {
	b := storetest.Open(t)
	story(b)
	want := rows(t, b)

	other := storetest.Open(t)
	a := newAuthor(other, actorA, ada)
	for range 20 { // ahead of b's journal
		other.Commit(1_000, a.change(visit, "visit", nil))
	}
	other.Close()
	t.Run("ahead", func(t *testing.T) { replaceIndex(t, b, other.Index(), want) })

	third := storetest.Open(t)
	a = newAuthor(third, actorA, ada)
	third.Commit(1_000, a.change(visit, "visit", nil))
	third.Close()
	t.Run("other history", func(t *testing.T) { replaceIndex(t, b, third.Index(), want) })

	t.Run("wrong row", func(t *testing.T) {
		if err := b.Store.Spoil([]byte("r" + string(visit[:]))); err != nil {
			t.Fatal(err)
		}
		if _, err := b.Store.RecordInfo(visit); !errors.Is(err, store.ErrDamaged) {
			t.Fatalf("reading a spoilt row: got %v, want ErrDamaged", err)
		}
		if b.Fatal == nil {
			t.Error("damage was not reported as fatal")
		}
		b.Reopen()
		if got := rows(t, b); !maps.EqualFunc(got, want, bytes.Equal) {
			t.Error("the index was not built anew")
		}
	})
	t.Run("lost feed row", func(t *testing.T) {
		a := newAuthor(b, id[syncproto.ActorID](54), ada)
		for range 600 { // over several blocks
			b.Commit(1_000, a.change(visit, "visit", nil))
		}
		want = rows(t, b)
		key := append([]byte("f"+string(smith[:])), 0, 0, 0, 0, 0, 0, 0, 1)
		if err := b.Store.Lose(key); err != nil {
			t.Fatal(err)
		}
		err := b.Store.Read(func(r *store.Reader) error {
			return r.Feed(smith, 0, 999, func(store.FeedRef) bool { return true })
		})
		if !errors.Is(err, store.ErrDamaged) {
			t.Fatalf("a feed with a gap: got %v, want ErrDamaged", err)
		}
		b.Reopen()
		if got := rows(t, b); !maps.EqualFunc(got, want, bytes.Equal) {
			t.Error("the index was not built anew")
		}
	})
	for name, format := range map[string]uint64{"of an earlier layout": uint64(store.IndexFormat() - 1), "of a later layout": uint64(store.IndexFormat() + 1)} {
		t.Run(name, func(t *testing.T) {
			if err := b.Store.WriteFormat(format); err != nil {
				t.Fatal(err)
			}
			b.Reopen()
			if got := rows(t, b); !maps.EqualFunc(got, want, bytes.Equal) {
				t.Error("the index was not built anew")
			}
		})
	}
	t.Run("half written", func(t *testing.T) {
		if err := b.Store.LeaveBusy(); err != nil {
			t.Fatal(err)
		}
		b.Reopen()
		if got := rows(t, b); !maps.EqualFunc(got, want, bytes.Equal) {
			t.Error("the index was not built anew")
		}
	})
}

// A restart opens the index as it was left, whatever programs are being started beside it.
func TestARestartBesideStartsOfProgramsKeepsTheIndex(t *testing.T) {
	b := storetest.Open(t)
	story(b)
	disktest.StartPrograms(t)
	for n := range 40 {
		b.Reopen()
		if _, err := os.Stat(b.Index() + ".damaged"); err == nil {
			t.Fatalf("at restart %d the index was built anew", n)
		}
	}
}

func replaceIndex(t *testing.T, b *storetest.Borough, from string, want map[string][]byte) {
	b.Close()
	if err := os.RemoveAll(b.Index()); err != nil {
		t.Fatal(err)
	}
	if err := os.CopyFS(b.Index(), os.DirFS(from)); err != nil {
		t.Fatal(err)
	}
	b.Reopen()
	if got := rows(t, b); !maps.EqualFunc(got, want, bytes.Equal) {
		t.Errorf("index after the start: %d rows, want the journal's %d", len(got), len(want))
	}
	if _, err := os.Stat(b.Index() + ".damaged"); err != nil {
		t.Errorf("the unusable index was not kept aside: %v", err)
	}
}

func TestDroppedDraftLeavesNothing(t *testing.T) {
	b := storetest.Open(t)
	story(b)
	want := rows(t, b)
	a := newAuthor(b, id[syncproto.ActorID](51), ada)
	kept, dropped := a.change(visit, "visit", nil), newAuthor(b, id[syncproto.ActorID](52), bea).change(visit, "visit", nil)

	tx := b.Store.Begin(9_000)
	if _, err := tx.Stage(kept); err != nil {
		t.Fatal(err)
	}
	tx.Keep()
	if _, err := tx.Stage(dropped); err != nil {
		t.Fatal(err)
	}
	if _, err := tx.Change(dropped.ID); err != nil {
		t.Errorf("a staged change is not seen by its transaction: %v", err)
	}
	tx.Drop()
	if _, err := tx.Change(dropped.ID); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("a dropped change: got %v, want ErrNotFound", err)
	}
	if len(tx.Payloads()) != 1 || tx.Next() != 14 {
		t.Errorf("payloads %d, next %d; want 1 and 14", len(tx.Payloads()), tx.Next())
	}
	tx.Discard()
	if got := rows(t, b); !maps.EqualFunc(got, want, bytes.Equal) {
		t.Error("a discarded transaction left rows behind")
	}
}

func TestHugeGroupIsWhole(t *testing.T) {
	b := storetest.Open(t)
	a := newAuthor(b, actorA, ada)
	var entries []store.Entry
	for range 6_000 {
		entries = append(entries, a.change(visit, "visit", nil))
	}
	b.Commit(1_000, entries...)
	want := rows(t, b)
	if at, _ := b.Store.Applied(); at != 6_000 || len(want) < 6_000 {
		t.Fatalf("applied %d entries in %d rows", at, len(want))
	}
	b.Reopen()
	if got := rows(t, b); !maps.EqualFunc(got, want, bytes.Equal) {
		t.Error("the index of a huge group is not the same after a restart")
	}
}

func TestEntryThatDoesNotFitIsRefused(t *testing.T) {
	b := storetest.Open(t)
	want := story(b)
	a := newAuthor(b, id[syncproto.ActorID](53), ada)
	a.family = jones
	elsewhere := a.change(id[syncproto.RecordID](12), "visit", nil)
	elsewhere.Record = visit
	if _, err := b.TryCommit(1, elsewhere); !errors.Is(err, syncproto.CodeWrongRecord) {
		t.Errorf("a change of another family's record: got %v, want CodeWrongRecord", err)
	}
	unknown := syncproto.Verdict{Kind: syncproto.VerdictAdmit, Record: visit, Change: syncproto.ChangeID{1}}
	if _, err := b.TryCommit(1, store.VerdictEntry{Verdict: unknown}); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("a verdict on nothing: got %v, want ErrNotFound", err)
	}
	shown := syncproto.Verdict{Kind: syncproto.VerdictQuarantine, Record: visit, Change: want[0]}
	if _, err := b.TryCommit(1, store.VerdictEntry{Verdict: shown}); !errors.Is(err, store.ErrEntry) {
		t.Errorf("taking back what readers have: got %v, want ErrEntry", err)
	}
	again, err := b.Journal.Read(6)
	if err != nil {
		t.Fatal(err)
	}
	e, err := store.DecodeEntry(6, again, b.Keys)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := b.TryCommit(1, e); err == nil {
		t.Errorf("change %s was stored twice", want[0])
	}
}

// TestRecordsAreKnownAfterARestart holds that what is told to be absent for certain
// is so, while the index is still being looked through and afterwards.
func TestRecordsAreKnownAfterARestart(t *testing.T) {
	b := storetest.Open(t)
	a := newAuthor(b, actorA, ada)
	var records []syncproto.RecordID
	for n := range 300 {
		records = append(records, id[syncproto.RecordID](uint64(1_000+n)))
		b.Commit(1_000, a.change(records[n], "visit", nil))
	}
	for _, looked := range []bool{false, true} {
		b.Reopen()
		if looked {
			b.Store.LookedThrough()
		}
		for _, record := range records {
			if info, err := b.Store.RecordInfo(record); err != nil || info.Family != smith {
				t.Fatalf("record %s (index looked through: %v): %+v, %v", record, looked, info, err)
			}
		}
		if _, err := b.Store.RecordInfo(id[syncproto.RecordID](9_999)); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("a record that is not there: %v, want ErrNotFound", err)
		}
	}
}
