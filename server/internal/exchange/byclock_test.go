package exchange_test

import (
	"testing"

	"doorstep/server/internal/store"
	"doorstep/syncproto"
)

const hourMS = 60 * 60 * 1000

// TestFault66AccessThatTheClockEnds: a grant begins and ends without an entry of
// its own. The tablet gets the whole history when it begins, and is told to purge
// when it ends; what is written afterwards waits for a reviewer.
func TestFault66AccessThatTheClockEnds(t *testing.T) {
	w, family, ada := case1(t)
	ada.fill(family, 5)
	bea := w.coworker(newID[syncproto.FamilyID](w))
	grant := store.RelationEntry{User: bea.user, Family: family, Basis: "COVER", Grant: true, ID: syncproto.ID{7},
		FromMS: w.nowMS + hourMS, ToMS: w.nowMS + 9*hourMS}
	w.commit(grant)
	bea.sync()
	if bea.count(family) != 0 {
		t.Fatal("the file came before its hour")
	}
	w.nowMS += hourMS
	bea.sync()
	if got := bea.count(family); got != 5 {
		t.Errorf("at its hour the tablet has %d changes, want 5", got)
	}
	ada.fill(family, 2)
	w.nowMS += 8*hourMS - 1
	c := bea.write(edit{family: family, record: newID[syncproto.RecordID](w), ops: place("HOME")})
	bea.sync()
	bea.wantReceipt(c, accepted, syncproto.CodeOK)
	if got := bea.count(family); got != 8 {
		t.Errorf("a moment before the end the tablet has %d changes, want 8", got)
	}
	w.nowMS++
	bea.sync()
	if got := bea.count(family); got != 0 {
		t.Errorf("after the end the tablet has %d changes", got)
	}
	late := bea.write(edit{family: family, record: newID[syncproto.RecordID](w), ops: place("HOME")})
	bea.sync()
	bea.wantReceipt(late, quarantined, syncproto.CodeNotEntitled)
	grant.ID, grant.FromMS, grant.ToMS = syncproto.ID{8}, 0, 0
	w.commit(grant)
	bea.sync()
	if got := bea.count(family); got < 8 {
		t.Errorf("given again, the tablet has %d changes, want 8 at least", got)
	}
}

// TestWhatNeverGoesToATablet: a footing that only reads online, and a restricted
// file, bring nothing down, and a restriction takes back what is there.
func TestWhatNeverGoesToATablet(t *testing.T) {
	w, family, ada := case1(t)
	ada.fill(family, 3)
	duty := w.tablet(w.person("edt"))
	w.commit(store.BreakGlassEntry{ID: syncproto.ID{1}, User: duty.user, Family: family, Code: "HOSPITAL",
		FromMS: w.nowMS, ToMS: w.nowMS + hourMS})
	mate := w.tablet(w.person("social_worker"))
	w.commit(store.FamilyTeamEntry{Family: family, Team: store.TeamID{1}})
	w.commit(store.TeamEntry{User: mate.user, Team: store.TeamID{1}, Basis: "TEAM", Grant: true})
	sample := w.tablet(w.person("auditor"))
	w.relate(sample.user, family, "SAMPLE")
	for _, d := range []*tablet{duty, mate, sample} {
		if reply := d.sync(); len(reply.Items) != 0 {
			t.Errorf("%d items came for who only reads online", len(reply.Items))
		}
	}
	shut := store.RestrictionEntry{Family: family, Category: store.RestrictHighRisk, On: true, AtMS: w.nowMS, ReviewMS: w.nowMS + hourMS}
	w.commit(shut)
	w.relate(ada.user, family, "NAMED")
	ada.sync()
	if ada.count(family) != 0 {
		t.Error("a restricted file stays on a tablet")
	}
	c := ada.write(edit{family: family, record: newID[syncproto.RecordID](w), ops: place("HOME")})
	ada.sync()
	ada.wantReceipt(c, accepted, syncproto.CodeOK) // she was let in, and may write
	shut.On = false
	w.commit(shut)
	ada.sync()
	if got := ada.count(family); got < 3 {
		t.Errorf("lifted, the tablet has %d changes", got)
	}
}
