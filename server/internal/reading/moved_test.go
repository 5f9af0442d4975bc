package reading_test

import (
	"errors"
	"testing"

	"doorstep/server/internal/desk"
	"doorstep/server/internal/store"
	"doorstep/syncproto"
	"doorstep/syncproto/cbor"
)

// became is what the visit is in the right family's file.
var became = syncproto.RecordID{70}

// move takes the visit out of the family's file, into the other's, which has a manager of
// its own.
func (b *borough) move(responsible syncproto.UserID) {
	b.t.Helper()
	if err := b.Keys.Ensure([]store.KeyPair{store.WordsKey(other)}); err != nil {
		b.t.Fatal(err)
	}
	b.stage(func(tx *store.Tx) error {
		_, err := b.desk.Compose(tx, []desk.Edit{{Author: lead, Family: other, Record: became, Kind: "visit", Ops: []syncproto.Op{set("place", cbor.Text("SCHOOL"))}}})
		return err
	})
	b.commit(store.UserEntry{ID: responsible, Login: "rm", Name: "Rhian", Role: "manager"},
		store.RelationEntry{User: responsible, Family: other, Basis: "MANAGER", Grant: true},
		store.MisfileEntry{Family: family, Record: visit, Kind: "visit", ToFamily: other, ToRecord: became, Reason: "One surname.", By: manager, AtMS: 1_780_000_000_000},
		store.MisfileEntry{Family: family, Record: part, Kind: "visit_child", ToFamily: other, ToRecord: syncproto.RecordID{71}, By: manager, AtMS: 1_780_000_000_000})
}

// A record that was moved is read in the right file, as it was in the wrong one too, by
// whoever reads that file; in the wrong one there is a note of it, without a word.
func TestARecordThatWasMovedIsReadInTheRightFile(t *testing.T) {
	b := newBorough(t)
	b.move(syncproto.UserID{72})
	for _, user := range []syncproto.UserID{lead, manager} {
		if _, err := b.room.Record(t.Context(), user, visit); !errors.Is(err, syncproto.CodeMisfiled) {
			t.Errorf("%s reads the wrong file's record: %v", b.room.Name(user), err)
		}
		if _, err := b.room.History(t.Context(), user, visit); !errors.Is(err, syncproto.CodeMisfiled) {
			t.Errorf("%s reads its history: %v", b.room.Name(user), err)
		}
		if _, _, err := b.room.Original(t.Context(), user, became); !errors.Is(err, syncproto.CodeNotFound) {
			t.Errorf("%s reads it through the right file: %v", b.room.Name(user), err)
		}
		if _, here := b.room.MovedHere(user, became); here {
			t.Errorf("%s is told where it went", b.room.Name(user))
		}
		list := b.room.MovedAway(t.Context(), user, family)
		if len(list) != 1 || list[0].Kind != "visit" || list[0].By != manager || list[0].Reason != "" {
			t.Errorf("%s is told of %+v", b.room.Name(user), list)
		}
		if title := b.room.Title(user, visit); title != "" {
			t.Errorf("%s is told its title: %q", b.room.Name(user), title)
		}
	}
	if _, err := b.room.Record(t.Context(), it, visit); !errors.Is(err, syncproto.CodeNotFound) {
		t.Errorf("a stranger learns that there was something: %v", err)
	}
	if list := b.room.MovedAway(t.Context(), stranger, family); len(list) != 0 {
		t.Errorf("a stranger is told of %+v", list)
	}
	if m, here := b.room.MovedHere(stranger, became); !here || m.Reason != "One surname." || m.By != manager {
		t.Errorf("the right file says %+v, %v", m, here)
	}
	v, past, err := b.room.Original(t.Context(), stranger, became)
	if err != nil || len(past) != 2 || past[0].Change.Body.Author != lead {
		t.Fatalf("the original: %d changes, %v", len(past), err)
	}
	if place, _ := v.Field("place"); !place.Value.Equal(cbor.Text("SCHOOL")) {
		t.Errorf("the original says %+v", place)
	}
	b.commit(store.EraseEntry{Scope: "record", Family: family, Record: visit})
	if _, _, err := b.room.Original(t.Context(), stranger, became); !errors.Is(err, syncproto.CodeNotFound) {
		t.Errorf("after the original was erased: %v", err)
	}
}

// What waits for a reviewer goes with the record: to the right file's manager.
func TestCustodyOfARecordThatWasMovedIsForTheRightFilesManager(t *testing.T) {
	b := newBorough(t)
	id, responsible := b.quarantine(), syncproto.UserID{72}
	b.move(responsible)
	if list, err := b.room.Custody(t.Context(), manager); err != nil || len(list) != 0 {
		t.Errorf("the wrong file's manager: got %+v, %v", list, err)
	}
	if _, err := b.room.CustodyWords(t.Context(), manager, id); !errors.Is(err, syncproto.CodeNotFound) {
		t.Errorf("the wrong file's manager reads it: %v", err)
	}
	list, err := b.room.Custody(t.Context(), responsible)
	if err != nil || len(list) != 1 || list[0].Change != id || list[0].Family != other || !list[0].MayReview {
		t.Errorf("the right file's manager: got %+v, %v", list, err)
	}
	if words, err := b.room.CustodyWords(t.Context(), responsible, id); err != nil || len(words.Ops) != 1 {
		t.Errorf("the right file's manager reads %+v, %v", words, err)
	}
}

// A search finds what was moved in the right file, and nothing of it in the wrong one; nor
// do searches keep a word of it in memory.
func TestSearchForgetsWhatWasMoved(t *testing.T) {
	b := withWords(t)
	if err := b.room.Look(family); err != nil || !b.room.Remembered("outside") {
		t.Fatalf("nothing is remembered: nothing is tested (%v)", err)
	}
	b.move(syncproto.UserID{72})
	b.room.Forget([]syncproto.FamilyID{family})
	if got := b.found(lead, "outside"); got != nil {
		t.Errorf("words of the wrong file are found: %v", got)
	}
	if b.room.Remembered("outside") {
		t.Error("words of the wrong file are in memory")
	}
}
