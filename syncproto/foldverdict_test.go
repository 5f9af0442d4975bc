package syncproto_test

import (
	"testing"

	"doorstep/syncproto"
)

func TestServerFieldNeedsAVerdict(t *testing.T) {
	s := newStory(t)
	s.add("a1", "", set("status", "ACTIVE"))
	s.add("b1", "", set("status", "ENDED"))
	wantShown(t, s.fold(), "status", "-")
	win := syncproto.Verdict{Kind: syncproto.VerdictWin, Position: 7, Change: s.id("a1"), Path: syncproto.Path{Field: "status"}}
	lose := syncproto.Verdict{Kind: syncproto.VerdictLose, Position: 9, Change: s.id("b1"), Path: syncproto.Path{Field: "status"}}
	wantShown(t, s.fold(win, lose), "status", "ACTIVE")
	wantShown(t, s.fold(lose, win), "status", "ACTIVE")
}

func TestQuarantineLeavesOutWhatBuildsOnIt(t *testing.T) {
	s := newStory(t)
	s.add("a1", "", set("type", "CIN"))
	s.add("b1", "a1", set("type", "CP"))
	s.add("b2", "b1", splice("summary", 0, 0, "Unseen."))
	locked := syncproto.Verdict{Kind: syncproto.VerdictQuarantine, Position: 3, Change: s.id("b1")}
	v := s.fold(locked)
	wantShown(t, v, "type", "CIN")
	wantShown(t, v, "summary", "-")
	if len(v.Heads) != 1 || v.Heads[0] != s.id("a1") {
		t.Errorf("heads: got %v, want a1", v.Heads)
	}
	admit := syncproto.Verdict{Kind: syncproto.VerdictAdmit, Position: 8, Change: s.id("b1")}
	v = s.fold(locked, admit)
	wantShown(t, v, "type", "CP")
	wantShown(t, v, "summary", "Unseen.")
}

func TestLateChangeIsAnAddendumAndAltersNothing(t *testing.T) {
	s := newStory(t)
	s.add("a1", "", set("type", "CIN"))
	s.add("b1", "a1", set("type", "CP"))
	s.add("b2", "b1", set("known_as", "Jo"))
	heads := []syncproto.ChangeID{s.id("a1")}
	seal := syncproto.Verdict{Kind: syncproto.VerdictSeal, Position: 4,
		Heads: []syncproto.RecordHeads{{Record: storyRecord, Heads: heads}}}
	late := syncproto.Verdict{Kind: syncproto.VerdictLate, Position: 5, Change: s.id("b1")}
	v := s.fold(seal, late)
	wantShown(t, v, "type", "CIN")
	if v.Seal == nil || len(v.Addenda) != 2 || !v.Addenda[0].Late {
		t.Fatalf("seal %v, addenda %+v: want a seal and two late addenda", v.Seal, v.Addenda)
	}
	before := newStory(t)
	before.add("a1", "", set("type", "CIN"))
	at := func(s *story, vs ...syncproto.Verdict) [32]byte {
		return syncproto.VersionHash(syncproto.FoldAt(s.graph([]int{0, 1, 2}[:len(s.changes)]), storyKind, vs, heads))
	}
	if at(before) != at(s, seal, late) {
		t.Error("the sealed version's hash changed by a late edit")
	}
}

func TestNewerAppChangeIsHeldVisibly(t *testing.T) {
	s := newStory(t)
	s.add("a1", "", set("type", "CIN"))
	s.add("b1", "a1", set("type", "CP")).Body.NewerApp = true
	v := s.fold()
	wantShown(t, v, "type", "CIN")
	if len(v.Held) != 1 {
		t.Errorf("held: got %d, want 1", len(v.Held))
	}
}

func TestConfirmationStandsUntilSubstanceChanges(t *testing.T) {
	s := newStory(t)
	a1 := s.add("a1", "", set("type", "CIN"))
	confirm := syncproto.Op{Code: syncproto.OpConfirm, Heads: []syncproto.RecordHeads{{Record: storyRecord, Heads: []syncproto.ChangeID{a1.ID}}}}
	s.add("a2", "a1", confirm)
	s.add("c1", "a2", set("known_as", "Jo"))
	stands := func() bool { return s.fold().Workflow.Confirmed[0].Stands }
	if !stands() {
		t.Error("an administrative edit undid the confirmation")
	}
	s.add("b1", "a1", set("seen", "N"))
	if stands() {
		t.Error("the confirmation stands although a fact changed that it did not cover")
	}
}

func TestQueryIsOpenUntilAnswered(t *testing.T) {
	s := newStory(t)
	s.add("a1", "", set("type", "CIN"))
	q := s.add("c1", "a1", syncproto.Op{Code: syncproto.OpQuery, Text: "Was Dad there?", Path: syncproto.Path{Field: "present"}})
	if w := s.fold().Workflow; len(w.Queries) != 1 || w.Queries[0].AnsweredBy != nil {
		t.Fatalf("queries: got %+v, want one open", w.Queries)
	}
	s.add("a2", "c1", syncproto.Op{Code: syncproto.OpAnswer, Target: q.ID, Text: "No."})
	if w := s.fold().Workflow; w.Queries[0].Answer != "No." || w.Queries[0].AnsweredBy == nil {
		t.Errorf("query: got %+v, want answered", w.Queries[0])
	}
}
