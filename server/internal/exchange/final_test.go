package exchange_test

import (
	"context"
	"errors"
	"maps"
	"slices"
	"testing"

	"doorstep/server/internal/store"
	"doorstep/syncproto"
)

func TestFault69LateEditIsAnAddendumProposal(t *testing.T) {
	w, family, ada := case1(t)
	bea := w.coworker(family)
	visit := newID[syncproto.RecordID](w)
	root := ada.write(edit{family: family, record: visit, ops: place("HOME")})
	ada.sync()
	bea.sync()
	lateOne := bea.write(edit{family: family, record: visit, deps: []*syncproto.Change{root}, ops: place("SCHOOL")})
	lateTwo := bea.write(edit{family: family, record: visit, deps: []*syncproto.Change{lateOne}, ops: place("OFFICE")})
	w.seal(family, visit)
	bea.sync()
	bea.wantReceipt(lateOne, late, syncproto.CodeLate)
	bea.wantReceipt(lateTwo, late, syncproto.CodeLate)
	addendum := ada.write(edit{family: family, record: visit, deps: []*syncproto.Change{root},
		ops: []syncproto.Op{{Code: syncproto.OpAddendum, Text: "the uncle rang", Reason: "learned today"}}})
	ada.sync()
	ada.wantReceipt(addendum, accepted, 0)
	v := ada.view(visit)
	if v.Seal == nil || len(v.Addenda) != 3 || len(v.Conflicts) != 0 {
		t.Errorf("view: seal %v, %d addenda, %d conflicts", v.Seal, len(v.Addenda), len(v.Conflicts))
	}
	bea.sync()
	ada.sameAsServer(visit)
	bea.sameAsServer(visit)
	info, err := w.b.Store.RecordInfo(visit)
	if err != nil || slices.Contains(info.Heads, lateTwo.ID) {
		t.Errorf("heads after late changes: got %v, %v", info.Heads, err)
	}
}

// seal finalises a record on its accepted heads.
func (w *town) seal(family syncproto.FamilyID, record syncproto.RecordID) {
	w.t.Helper()
	_, err := w.ledger.Propose(context.Background(), func(tx *store.Tx) ([]store.Entry, error) {
		info, err := tx.RecordInfo(record)
		if err != nil {
			return nil, err
		}
		return []store.Entry{store.VerdictEntry{Verdict: syncproto.Verdict{
			Kind: syncproto.VerdictSeal, Family: family, Record: record, AtMS: tx.AtMS(),
			Heads: []syncproto.RecordHeads{{Record: record, Heads: info.Heads}}, Hash: [32]byte{1},
		}}}, nil
	})
	if err != nil {
		w.t.Fatal(err)
	}
}

func TestFault70FirstSealInTheLogWins(t *testing.T) {
	w, family, ada := case1(t)
	visit := newID[syncproto.RecordID](w)
	root := ada.write(edit{family: family, record: visit, ops: place("HOME")})
	ada.sync()
	w.seal(family, visit)
	first, err := w.b.Store.RecordInfo(visit)
	if err != nil {
		t.Fatal(err)
	}
	w.seal(family, visit)
	second, err := w.b.Store.RecordInfo(visit)
	if err != nil || second.Sealed != first.Sealed {
		t.Errorf("the second seal replaced the first: %+v, %v", second, err)
	}
	proposal := ada.write(edit{family: family, record: visit, deps: []*syncproto.Change{root}, ops: place("SCHOOL")})
	ada.sync()
	ada.wantReceipt(proposal, late, syncproto.CodeLate)
}

func TestFault71HeldChangesOfARecordAreListed(t *testing.T) {
	w, family, ada := case1(t)
	visit := newID[syncproto.RecordID](w)
	ada.write(edit{family: family, record: visit, ops: place("HOME")})
	waiting := ada.write(edit{family: family, record: visit, deps: []*syncproto.Change{{ID: syncproto.ChangeID{3}}}, ops: place("SCHOOL")})
	ada.sync()
	unplaced, err := w.b.Store.Unplaced(family, visit)
	if err != nil || len(unplaced) != 1 || unplaced[0].ID != waiting.ID {
		t.Errorf("got %v, %v; finalising must refuse with this list", unplaced, err)
	}
}

func TestAdmittedChangesAppearWithWhatBuildsOnThem(t *testing.T) {
	w, family, ada := case1(t)
	visit := newID[syncproto.RecordID](w)
	root := ada.write(edit{family: family, record: visit, ops: place("HOME")})
	ada.sync()
	w.commit(store.FamilyTeamEntry{Family: family, Team: store.TeamID{1}})
	manager, coordinator := w.tablet(w.person("manager")), w.tablet(w.person("coordinator"))
	w.commit(store.TeamEntry{User: manager.user, Team: store.TeamID{1}, Basis: "MANAGER", Grant: true},
		store.TeamEntry{User: coordinator.user, Team: store.TeamID{1}, Basis: "COORD", Grant: true})
	bea := w.coworker(family)
	w.part(bea.user, family, "CO")
	aside := bea.write(edit{family: family, record: visit, deps: []*syncproto.Change{root}, ops: place("SCHOOL")})
	bea.sync()
	w.relate(bea.user, family, "CO")
	child := bea.write(edit{family: family, record: visit, deps: []*syncproto.Change{aside}, ops: place("OFFICE")})
	bea.sync()
	bea.wantReceipt(aside, quarantined, syncproto.CodeNotEntitled)
	bea.wantReceipt(child, quarantined, syncproto.CodeBuildsOnQuarantine)
	ada.sync()
	if len(ada.changes) != 1 {
		t.Error("a change in quarantine was handed out")
	}

	admit := func(d *tablet, c *syncproto.Change) error {
		return w.x.Admit(context.Background(), d.caller(), c.ID)
	}
	stranger := w.tablet(w.person("manager"))
	refusals := []struct {
		who  *tablet
		what *syncproto.Change
		want syncproto.Code
	}{
		{stranger, aside, syncproto.CodeNotFound},
		{coordinator, aside, syncproto.CodeForbidden},
		{manager, root, syncproto.CodeNotFound},
		{manager, child, syncproto.CodeMissingDeps},
		{manager, &syncproto.Change{ID: syncproto.ChangeID{5}}, syncproto.CodeNotFound},
	}
	for i, r := range refusals {
		if err := admit(r.who, r.what); !errors.Is(err, r.want) {
			t.Errorf("refusal %d: got %v, want %v", i, err, r.want)
		}
	}
	if err := admit(manager, aside); err != nil {
		t.Fatal(err)
	}
	for _, d := range []*tablet{ada, bea} {
		d.sync()
		d.sameAsServer(visit)
	}
	if len(ada.changes) != 3 || len(ada.verdicts) != 2 || ada.verdicts[slices.Max(slices.Collect(maps.Keys(ada.verdicts)))].By != (syncproto.UserID{}) {
		t.Errorf("after the admission: %d changes, verdicts %v", len(ada.changes), ada.verdicts)
	}
	left, err := w.b.Store.Quarantined(family)
	if err != nil || len(left) != 0 {
		t.Errorf("still in quarantine: %v, %v", left, err)
	}
}
