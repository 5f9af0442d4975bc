package syncproto_test

import (
	"bytes"
	"maps"
	"slices"
	"testing"

	"doorstep/syncproto"
	"doorstep/syncproto/cbor"
)

func TestHumanKeepsBothUntilDecided(t *testing.T) {
	s := newStory(t)
	s.add("a1", "", set("type", "CIN"))
	s.add("a2", "a1", set("type", "CP"))
	s.add("b1", "a1", set("type", "CLA"))
	v := s.fold()
	wantShown(t, v, "type", "null")
	wantConflicts(t, v, "type")
	c := v.Conflicts[0]
	if len(c.Sides) != 2 || !c.Base.Equal(cbor.Text("CIN")) || !c.InForce.IsNull() {
		t.Errorf("conflict: got sides %v base %v in force %v", c.Sides, c.Base, c.InForce)
	}

	s.add("b2", "a2 b1", decide("type", "CP"))
	v = s.fold()
	wantShown(t, v, "type", "CP")
	wantConflicts(t, v)
}

func TestOnlyADecisionSettlesADisagreement(t *testing.T) {
	s := newStory(t)
	s.add("a1", "", set("seen", "N"))
	s.add("b1", "", set("seen", "Y"))
	s.add("c1", "a1 b1", set("seen", "Y"))
	v := s.fold()
	wantShown(t, v, "seen", "N")
	wantConflicts(t, v, "seen")
	if n := len(v.Conflicts[0].Sides); n != 3 {
		t.Errorf("sides: got %d, want Chidi's as a third", n)
	}
	s.add("c2", "c1", set("seen", "N"))
	v = s.fold()
	if n := len(v.Conflicts[0].Sides); n != 3 {
		t.Errorf("sides: got %d, want Chidi's second thought in place of the first", n)
	}
	s.add("d1", "c2", decide("seen", "Y"))
	v = s.fold()
	wantShown(t, v, "seen", "Y")
	wantConflicts(t, v)
}

func TestWhoComesRoundEndsADisagreement(t *testing.T) {
	s := newStory(t)
	s.add("a1", "", set("seen", "N"))
	s.add("b1", "", set("seen", "Y"))
	s.add("b2", "a1 b1", set("seen", "N"))
	v := s.fold()
	wantShown(t, v, "seen", "N")
	wantConflicts(t, v)
}

func TestHumanSameValueApartIsNoConflict(t *testing.T) {
	s := newStory(t)
	s.add("a1", "", set("type", "CP"))
	s.add("b1", "", set("type", "CP"))
	v := s.fold()
	wantShown(t, v, "type", "CP")
	wantConflicts(t, v)
	if len(v.Roots) != 2 {
		t.Errorf("roots: got %d, want 2", len(v.Roots))
	}
}

func TestDecisionDoesNotSettleWhatItDidNotKnow(t *testing.T) {
	s := newStory(t)
	s.add("a1", "", set("type", "CIN"))
	s.add("b1", "", set("type", "CP"))
	s.add("c1", "", set("type", "CLA"))
	s.add("a2", "a1 b1", decide("type", "CIN"))
	v := s.fold()
	wantConflicts(t, v, "type")
	if n := len(v.Conflicts[0].Sides); n != 2 {
		t.Errorf("sides: got %d, want the decision and Chidi's", n)
	}
}

func TestProtectKeepsTheMoreProtectiveValueInForce(t *testing.T) {
	s := newStory(t)
	s.add("a1", "", set("type", "CP"))
	s.add("a2", "a1", set("seen", "Y"))
	s.add("b1", "a1", set("seen", "N"))
	v := s.fold()
	wantShown(t, v, "seen", "N")
	wantConflicts(t, v, "seen")
	if !v.Conflicts[0].InForce.Equal(cbor.Text("N")) {
		t.Errorf("in force: got %v, want N", v.Conflicts[0].InForce)
	}
	s.add("a3", "a2 b1", decide("seen", "Y"))
	v = s.fold()
	wantShown(t, v, "seen", "Y")
	wantConflicts(t, v)
}

func TestProtectUnlistedValueNeverBeatsAListedOne(t *testing.T) {
	s := newStory(t)
	s.add("a1", "", set("seen", "Y"))
	s.add("b1", "", set("seen", "MAYBE"))
	wantShown(t, s.fold(), "seen", "Y")
}

func TestLatestFollowsCauseThenActor(t *testing.T) {
	s := newStory(t)
	s.add("b1", "", set("known_as", "Billie"))
	s.add("a1", "b1", set("known_as", "Bill"))
	wantShown(t, s.fold(), "known_as", "Bill")
	s.add("b2", "b1", set("known_as", "Will"))
	v := s.fold()
	wantShown(t, v, "known_as", "Will")
	wantConflicts(t, v)
}

func TestOwnKeepsASlotForEachPerson(t *testing.T) {
	own := func(slot byte, n int64) syncproto.Op {
		return syncproto.Op{Code: syncproto.OpSet, Path: syncproto.Path{Field: "score", Element: elem(slot)}, Value: cbor.Int(n)}
	}
	s := newStory(t)
	s.add("a1", "", own('m', 3))
	s.add("b1", "", own('d', 8))
	v := s.fold()
	wantConflicts(t, v)
	f, _ := v.Field("score")
	if len(f.Slots) != 2 {
		t.Fatalf("slots: got %d, want 2", len(f.Slots))
	}
	s.add("c1", "", own('m', 5))
	v = s.fold()
	wantConflicts(t, v, "score")
	if v.Conflicts[0].Path.Element != elem('m') {
		t.Errorf("conflict is on slot %v", v.Conflicts[0].Path.Element)
	}
}

func TestOwnProseIsSpliced(t *testing.T) {
	own := func(slot byte, pos int, ins string) syncproto.Op {
		op := splice("setting", pos, 0, ins)
		op.Path.Element = elem(slot)
		return op
	}
	s := newStory(t)
	s.add("a1", "", own('a', 0, "Warm room."))
	s.add("b1", "", own('b', 0, "Cold hall."))
	s.add("a2", "a1", own('a', 10, " Toys out."))
	f, _ := s.fold().Field("setting")
	if len(f.Slots) != 2 || f.Slots[0].Text != "Warm room. Toys out." || f.Slots[1].Text != "Cold hall." {
		t.Errorf("slots: got %+v", f.Slots)
	}
}

func TestTextMergesWhatTwoPeopleWroteApart(t *testing.T) {
	s := newStory(t)
	s.add("a1", "", splice("summary", 0, 0, "Mum was calm. "))
	s.add("a2", "a1", splice("summary", 14, 0, "Kitchen clean. "))
	s.add("b1", "a1", splice("summary", 14, 0, "Baby asleep. "))
	s.add("a3", "a2 b1", splice("summary", 0, 3, "Mother"))
	wantShown(t, s.fold(), "summary", "Mother was calm. Kitchen clean. Baby asleep. ")
}

func TestTextOutsideItsVersionLosesNoWord(t *testing.T) {
	s := newStory(t)
	s.add("a1", "", splice("summary", 0, 0, "Short."))
	s.add("a2", "a1", splice("summary", 400, 9, " Still here."))
	v := s.fold()
	wantShown(t, v, "summary", "Short. Still here.")
	if v.NoOps != 1 {
		t.Errorf("no-ops: got %d, want 1", v.NoOps)
	}
}

func TestTextOverlapIsShownUntilRead(t *testing.T) {
	s := newStory(t)
	s.add("a1", "", splice("summary", 0, 0, "Mum was calm."))
	s.add("a2", "a1", splice("summary", 8, 4, "very upset"))
	s.add("b1", "a1", splice("summary", 8, 0, "not "))
	if v := s.fold(); len(v.Overlaps) != 1 || len(v.Overlaps[0].Spans) != 1 || len(v.Overlaps[0].Spans[0].Authors) != 2 {
		t.Fatalf("overlaps: got %+v, want one of two authors", v.Overlaps)
	}
	s.add("a3", "a2 b1", decide("summary", ""))
	if v := s.fold(); len(v.Overlaps) != 0 {
		t.Errorf("overlap still shown after it was read: %+v", v.Overlaps)
	}
}

func TestLogOnlyGrows(t *testing.T) {
	s := newStory(t)
	s.add("a1", "", addElem("words", 1, "quote", "I like my room"))
	s.add("b1", "", addElem("words", 2, "quote", "Dad shouts"))
	s.add("b2", "a1 b1", editElem("words", 1, "quote", "I like the room"), removeElem("words", 1))
	v := s.fold()
	f, _ := v.Field("words")
	if len(f.Items) != 2 || !f.Items[0].InForce {
		t.Fatalf("items: got %+v", f.Items)
	}
	if got, _ := f.Items[0].Fields[0].Value.AsText(); got != "I like my room" {
		t.Errorf("quote: got %q, want it as first said", got)
	}
	if v.NoOps != 2 {
		t.Errorf("no-ops: got %d, want 2", v.NoOps)
	}
}

func TestLogEntryIsNotPutInAnothersPlace(t *testing.T) {
	s := newStory(t)
	s.add("b1", "", set("type", "CIN"))
	s.add("b2", "b1", addElem("words", 1, "quote", "Dad hit me"))
	s.add("b3", "b2", addElem("words", 1, "quote", "Dad hit me")) // offered anew
	s.add("a1", "", addElem("words", 1, "quote", "Dad is nice"))  // before it in canonical order
	v := s.fold()
	f, _ := v.Field("words")
	if len(f.Items) != 2 {
		t.Fatalf("entries: got %d, want both things said", len(f.Items))
	}
	if got, _ := f.Items[1].Fields[0].Value.AsText(); got != "Dad hit me" || f.Items[1].By.Change != s.id("b2") {
		t.Errorf("second entry: got %q by %x, want what Ben wrote first", got, f.Items[1].By.Change)
	}
	if v.NoOps != 1 {
		t.Errorf("ops without effect: got %d, want the one that said the same again", v.NoOps)
	}
}

func TestUnionEditSurvivesRemoval(t *testing.T) {
	s := newStory(t)
	s.add("a1", "", addElem("present", 1, "name", "Uncle"))
	s.add("a2", "a1", removeElem("present", 1))
	v := s.fold()
	if f, _ := v.Field("present"); f.Items[0].InForce {
		t.Error("removed by somebody who knew all of it: still in force")
	}
	s.add("b1", "a1", editElem("present", 1, "name", "Uncle Sami"))
	v = s.fold()
	f, _ := v.Field("present")
	if !f.Items[0].InForce || !f.Items[0].Flagged || f.Items[0].Removed == nil {
		t.Errorf("edited apart: got %+v, want in force and flagged", f.Items[0])
	}
	wantConflicts(t, v)
}

func TestProtectedRuleStaysUntilItsRemovalIsConfirmed(t *testing.T) {
	s := newStory(t)
	s.add("a1", "", addElem("rules", 1, "rule", "Gran collects from school"))
	s.add("b1", "a1", removeElem("rules", 1))
	check := func(inForce, flagged bool, conflicts ...string) {
		t.Helper()
		v := s.fold()
		f, _ := v.Field("rules")
		if e := f.Items[0]; e.InForce != inForce || e.Flagged != flagged {
			t.Errorf("in force %v flagged %v, want %v %v", e.InForce, e.Flagged, inForce, flagged)
		}
		wantConflicts(t, v, conflicts...)
	}
	check(true, false, "rules")
	s.add("a2", "a1", editElem("rules", 1, "rule", "Gran or Auntie collects"))
	check(true, true, "rules")
	s.add("c1", "b1", decideElem("rules", 1, true))
	check(true, true, "rules") // the manager did not know of the edit
	s.add("c2", "c1 a2", decideElem("rules", 1, true))
	check(false, false)
}

func TestProtectedRuleDecidedToStay(t *testing.T) {
	s := newStory(t)
	s.add("a1", "", addElem("rules", 1, "rule", "Gran collects"))
	s.add("b1", "a1", removeElem("rules", 1))
	s.add("c1", "b1", decideElem("rules", 1, false))
	v := s.fold()
	f, _ := v.Field("rules")
	if e := f.Items[0]; !e.InForce || e.Removed != nil {
		t.Errorf("got %+v, want in force and the removal void", e)
	}
	wantConflicts(t, v)
}

func TestProtectedRuleDecidedBothWaysApartIsAConflict(t *testing.T) {
	s := newStory(t)
	s.add("a1", "", addElem("rules", 1, "rule", "Gran collects"))
	s.add("b1", "a1", removeElem("rules", 1))
	s.add("c1", "b1", decideElem("rules", 1, false))
	s.add("d1", "b1", decideElem("rules", 1, true))
	v := s.fold()
	f, _ := v.Field("rules")
	if e := f.Items[0]; !e.InForce || e.Removed == nil || e.Removed.Confirmed {
		t.Errorf("got %+v, want in force, with a removal that is not confirmed", e)
	}
	wantConflicts(t, v, "rules")
	sides := v.Conflicts[0].Sides
	if len(sides) != 2 || sides[0].By.Change != s.id("c1") || sides[1].By.Change != s.id("b1") {
		t.Errorf("sides: got %+v, want who decided that it stays, then who removed it", sides)
	}
	for _, gone := range []bool{true, false} {
		after := newStory(t)
		after.changes, after.named = slices.Clone(s.changes), maps.Clone(s.named)
		after.seqs['c'] = 1
		after.add("c2", "c1 d1", decideElem("rules", 1, gone))
		v := after.fold()
		f, _ := v.Field("rules")
		if f.Items[0].InForce == gone {
			t.Errorf("decided again, gone %v: in force %v", gone, f.Items[0].InForce)
		}
		wantConflicts(t, v)
	}
}

func TestDecisionOnAnElementWithoutAnAnswerDoesNothing(t *testing.T) {
	s := newStory(t)
	s.add("a1", "", addElem("rules", 1, "rule", "Gran collects"))
	s.add("b1", "a1", removeElem("rules", 1))
	perhaps := decideElem("rules", 1, false)
	perhaps.Value = cbor.Text("perhaps")
	s.add("c1", "b1", perhaps)
	v := s.fold()
	wantConflicts(t, v, "rules")
	if v.NoOps != 1 {
		t.Errorf("ops without effect: got %d, want 1", v.NoOps)
	}
}

func TestAnswerIsToAllThatAChangeAsked(t *testing.T) {
	s := newStory(t)
	s.add("a1", "", set("type", "CIN"))
	ask := syncproto.Op{Code: syncproto.OpQuery, Text: "Which Tuesday?"}
	s.add("c1", "a1", ask, syncproto.Op{Code: syncproto.OpQuery, Text: "And who was there?"})
	s.add("a2", "c1", syncproto.Op{Code: syncproto.OpAnswer, Target: s.id("c1"), Text: "The 3rd; Gran."})
	for _, q := range s.fold().Workflow.Queries {
		if q.AnsweredBy == nil || q.Answer != "The 3rd; Gran." {
			t.Errorf("%q stays open: nothing could ever answer it", q.Question)
		}
	}
}

func TestFault38TwoRootsAreKeptAndShown(t *testing.T) {
	s := newStory(t)
	s.add("a1", "", splice("summary", 0, 0, "One. "))
	s.add("b1", "", splice("summary", 0, 0, "Two. "))
	v := s.fold()
	if len(v.Roots) != 2 {
		t.Errorf("roots: got %d, want 2", len(v.Roots))
	}
	if got := shown(t, v, "summary"); got != "One. Two. " && got != "Two. One. " {
		t.Errorf("summary: got %q, want both", got)
	}
}

func TestFault39OpOnUnknownElementIsKeptAndCounted(t *testing.T) {
	s := newStory(t)
	s.add("a1", "", editElem("present", 9, "name", "Nobody"), set("no_such_field", "x"))
	v := s.fold()
	if v.NoOps != 2 {
		t.Errorf("no-ops: got %d, want 2", v.NoOps)
	}
	if _, ok := v.Field("present"); ok {
		t.Error("an edit made an element out of nothing")
	}
}

func TestFault32CycleIsRefused(t *testing.T) {
	s := newStory(t)
	a, b := s.add("a1", ""), s.add("b1", "a1")
	a.Body.Deps = []syncproto.ChangeID{b.ID} // only a forged id could
	g := syncproto.NewGraph(storyRecord)
	if r, err := g.Add(a); r != syncproto.Parked || err != nil {
		t.Fatalf("first: got %v %v, want parked", r, err)
	}
	if _, err := g.Add(b); err != syncproto.CodeCycle {
		t.Errorf("second: got %v, want %v", err, syncproto.CodeCycle)
	}
}

func TestFault33SelfDepIsRefused(t *testing.T) {
	s := newStory(t)
	a := s.add("a1", "")
	a.Body.Deps = []syncproto.ChangeID{a.ID}
	if _, err := syncproto.NewGraph(storyRecord).Add(a); err != syncproto.CodeSelfDep {
		t.Errorf("got %v, want %v", err, syncproto.CodeSelfDep)
	}
}

func TestFault35LongChainIsFoldedWithoutRecursion(t *testing.T) {
	n := 1_000_000
	if testing.Short() {
		n = 50_000
	}
	g := syncproto.NewGraph(storyRecord)
	var prev []syncproto.ChangeID
	for i := range n {
		c := &syncproto.Change{Body: syncproto.Body{Record: storyRecord, Seq: uint64(i + 1), Deps: prev,
			Ops: []syncproto.Op{splice("summary", i, 0, "x")}}}
		c.ID = syncproto.ChangeID{1, byte(i >> 16), byte(i >> 8), byte(i)}
		prev = []syncproto.ChangeID{c.ID}
		if _, err := g.Add(c); err != nil {
			t.Fatal(err)
		}
	}
	v := syncproto.Fold(g, storyKind, nil)
	if f, _ := v.Field("summary"); len(f.Text) != n {
		t.Errorf("text: got %d characters, want %d", len(f.Text), n)
	}
}

func TestLongChainArrivingBackwards(t *testing.T) {
	s := newStory(t)
	s.add("a1", "", splice("summary", 0, 0, "."))
	last := "a1"
	for i := range 2000 {
		name := "a" + string(rune('一'+i))
		s.add(name, last, splice("summary", i+1, 0, "."))
		last = name
	}
	g := syncproto.NewGraph(storyRecord)
	for i := len(s.changes) - 1; i >= 0; i-- {
		if _, err := g.Add(s.changes[i]); err != nil {
			t.Fatal(err)
		}
		if i > 0 && len(g.Missing()) != 1 {
			t.Fatalf("missing: got %d, want 1", len(g.Missing()))
		}
	}
	if g.Len() != 2001 || len(g.ParkedChanges()) != 0 {
		t.Errorf("joined %d, parked %d; want 2001 and 0", g.Len(), len(g.ParkedChanges()))
	}
	forth := syncproto.NewGraph(storyRecord)
	for _, c := range s.changes {
		forth.Add(c)
	}
	if !bytes.Equal(syncproto.Fold(g, storyKind, nil).Encode(), syncproto.Fold(forth, storyKind, nil).Encode()) {
		t.Error("arriving backwards gives another view")
	}
}
