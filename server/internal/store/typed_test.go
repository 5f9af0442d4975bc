package store_test

import (
	"fmt"
	"strings"
	"testing"

	"doorstep/server/internal/store"
	"doorstep/server/internal/store/storetest"
	"doorstep/syncproto"
)

// keepsWords makes the key of what is typed about a family.
func keepsWords(t testing.TB, b *storetest.Borough, family syncproto.FamilyID) {
	t.Helper()
	if err := b.Keys.Ensure([]store.KeyPair{store.WordsKey(family)}); err != nil {
		t.Fatal(err)
	}
}

const typedWords = "her brother lives next door to the desk"

// everyDoor is one entry of each kind in which people type words about a family.
func everyDoor(family syncproto.FamilyID) []store.Entry {
	return []store.Entry{
		store.RelationEntry{User: ada, Family: family, Basis: "COVER", Grant: true, ID: syncproto.ID{1, family[0]}, ToMS: 9, By: bea, Reason: typedWords},
		store.RestrictionEntry{Family: family, Category: store.RestrictStaff, On: true, Reason: typedWords, By: bea, AtMS: 1, ReviewMS: 2},
		store.BreakGlassEntry{ID: syncproto.ID{2, family[0]}, User: ada, Family: family, Code: "OTHER", Text: typedWords, FromMS: 1, ToMS: 2, ClosedBy: bea, ClosedMS: 3, Note: typedWords},
		store.HoldEntry{ID: syncproto.ID{3, family[0]}, Family: family, Kind: store.HoldLegal, Reason: typedWords, By: bea, AtMS: 4},
	}
}

// shownOf is all that the state says of a family's doors.
func shownOf(s *store.State, family syncproto.FamilyID) string {
	opening, _ := s.BreakGlass(syncproto.ID{2, family[0]})
	hold, _ := s.Hold(syncproto.ID{3, family[0]})
	return fmt.Sprintf("%+v %+v %+v %+v", s.RelationsWith(family), s.RestrictionsOf(family), opening, hold)
}

// TestTypedWordsGoWithTheirFamily: why somebody was let in, what shut a file, what an
// emergency was and why something was held are about the family, and go with it: at
// once, after a restart, and for whoever has the borough's own key.
func TestTypedWordsGoWithTheirFamily(t *testing.T) {
	b := storetest.Open(t)
	jones := syncproto.FamilyID{77}
	b.Commit(1, store.UserEntry{ID: ada, Login: "ada", Role: "social_worker"})
	for _, family := range []syncproto.FamilyID{smith, jones} {
		keepsWords(t, b, family)
		b.Commit(1, everyDoor(family)...)
		if n := strings.Count(shownOf(b.Store.State(), family), typedWords); n != 5 {
			t.Fatalf("%d of 5 words are shown before anything is erased", n)
		}
	}
	before := shownOf(b.Store.State(), jones)
	b.Commit(2, store.EraseEntry{Scope: "family", Basis: "court_order", Family: smith, AtMS: 2})
	if err := b.Keys.Destroy([]store.KeyPair{{Family: smith}}); err != nil {
		t.Fatal(err)
	}
	want := strings.ReplaceAll(shownOf(b.Store.State(), smith), typedWords, "")
	for _, when := range []string{"at once", "after a restart"} {
		state := b.Store.State()
		if got := shownOf(state, smith); got != want {
			t.Errorf("%s the erased family's doors are\n%s, want\n%s", when, got, want)
		}
		if got := shownOf(state, jones); got != before {
			t.Errorf("%s another family's doors are\n%s, want\n%s", when, got, before)
		}
		if len(state.RelationsWith(smith)) != 1 || len(state.RestrictionsOf(smith)) != 1 {
			t.Errorf("%s: who did what is gone as well", when)
		}
		b.Reopen()
	}
	head, _ := b.Journal.Head()
	for at := uint64(1); at <= head; at++ {
		payload, err := b.Journal.Read(at)
		if err != nil {
			t.Fatal(err)
		}
		e, err := store.DecodeEntry(at, payload, b.Keys)
		if said := strings.Contains(fmt.Sprintf("%+v", e), typedWords); err != nil || said != (at > 5 && at <= 9) {
			t.Errorf("entry %d: %v, its words are there: %v", at, err, said)
		}
	}
}

// TestWordsNeedTheirKey: an entry that would say something about a family without a
// key for it is not stored, rather than sealed under the borough's.
func TestWordsNeedTheirKey(t *testing.T) {
	b := storetest.Open(t)
	for _, e := range everyDoor(smith) {
		if _, err := b.TryCommit(1, e); err == nil {
			t.Errorf("%T was stored without a key for its words", e)
		}
		b.Commit(1, store.WithoutWords(e))
	}
	if strings.Contains(shownOf(b.Store.State(), smith), typedWords) {
		t.Error("an entry without words says them")
	}
}
