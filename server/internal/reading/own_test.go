package reading_test

import (
	"errors"
	"testing"

	"doorstep/server/internal/desk"
	"doorstep/server/internal/store"
	"doorstep/syncproto"
	"doorstep/syncproto/cbor"
	"doorstep/syncproto/text"
)

// What was told in confidence is read online by whom it was told, and by nobody else on
// the case who was not let in: on its page, in its history, in lists and in searches.
func TestWhoWasToldInConfidenceReadsWhatTheyWrote(t *testing.T) {
	b := newBorough(t)
	colleague, guest, disclosure := syncproto.UserID{71}, syncproto.UserID{72}, syncproto.RecordID{73}
	b.commit(store.UserEntry{ID: colleague, Login: "colleague", Name: "Col", Role: "social_worker"},
		store.UserEntry{ID: guest, Login: "guest", Name: "Gus", Role: "fit_specialist"},
		store.RelationEntry{User: colleague, Family: family, Basis: "CO", Grant: true},
		store.RelationEntry{User: guest, Family: family, Basis: "FIT", Grant: true})
	b.write(disclosure, "disclosure", set("hide_from", cbor.Text("zanzibar")),
		syncproto.Op{Code: syncproto.OpSplice, Path: syncproto.Path{Field: "done"}, Splices: []text.Splice{{Ins: "Called the refuge in quokka lane."}}})

	for user, reads := range map[syncproto.UserID]bool{lead: true, colleague: false, guest: false, manager: false, stranger: false, it: false} {
		_, err := b.room.Record(t.Context(), user, disclosure)
		if reads && err != nil || !reads && !errors.Is(err, syncproto.CodeNotFound) {
			t.Errorf("%s reads it: %v", b.room.Name(user), err)
		}
		if _, err := b.room.History(t.Context(), user, disclosure); (err == nil) != reads {
			t.Errorf("%s reads its history: %v", b.room.Name(user), err)
		}
		if title := b.room.Title(user, disclosure); (title != "") != reads {
			t.Errorf("to %s it is called %q", b.room.Name(user), title)
		}
		hits, _, err := b.room.Search(t.Context(), user, "quokka")
		if err != nil || len(hits) == 1 != reads {
			t.Errorf("%s finds %v, %v", b.room.Name(user), hits, err)
		}
		listed := false
		records, err := b.room.FamilyRecords(t.Context(), user, family)
		if err != nil && !errors.Is(err, syncproto.CodeNotFound) {
			t.Fatal(err)
		}
		for _, r := range records {
			listed = listed || r.ID == disclosure
		}
		if listed != reads {
			t.Errorf("%s has it listed: %v", b.room.Name(user), listed)
		}
	}

	// Who adds a word without being the one who was told makes it nobody's to read but theirs
	// who may: a second root does not let its author in.
	b.commit(store.RelationEntry{User: lead, Family: family, Basis: "LEAD", Grant: false})
	if _, err := b.room.Record(t.Context(), lead, disclosure); !errors.Is(err, syncproto.CodeNotFound) {
		t.Errorf("who left the case still reads what they were told: %v", err)
	}
}

// A volunteer reads the log that they keep, and not another's of the same family.
func TestAVolunteerReadsTheirOwnLogAlone(t *testing.T) {
	b := newBorough(t)
	vera, victor := syncproto.UserID{81}, syncproto.UserID{82}
	logs := map[syncproto.UserID]syncproto.RecordID{vera: {83}, victor: {84}}
	for user, log := range logs {
		b.commit(store.UserEntry{ID: user, Login: user.String(), Name: "V", Role: "volunteer"},
			store.RelationEntry{User: user, Family: family, Basis: "VOL", Grant: true})
		b.stage(func(tx *store.Tx) error {
			_, err := b.desk.Compose(tx, []desk.Edit{{Author: user, Family: family, Record: log, Kind: "volunteer_log", Ops: []syncproto.Op{
				{Code: syncproto.OpSet, Path: syncproto.Path{Field: "contact", Element: syncproto.ElementID(user)}, Value: cbor.Map(cbor.Pair{Key: "note", Value: cbor.Text("Chess.")})}}}})
			return err
		})
	}
	for user := range logs {
		for of, log := range logs {
			_, err := b.room.Record(t.Context(), user, log)
			if own := of == user; own && err != nil || !own && !errors.Is(err, syncproto.CodeNotFound) {
				t.Errorf("own log: %v, reads it: %v", own, err)
			}
		}
		records, err := b.room.FamilyRecords(t.Context(), user, family)
		if err != nil || len(records) != 1 || records[0].ID != logs[user] {
			t.Errorf("a volunteer has listed %v, %v", records, err)
		}
	}
}
