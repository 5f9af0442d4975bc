package reading_test

import (
	"testing"

	"doorstep/server/internal/wording"
	"doorstep/syncproto"
	"doorstep/syncproto/cbor"
)

// TestTitles: what people call a record, and nothing to whoever may not read it.
func TestTitles(t *testing.T) {
	b := newBorough(t)
	sheet, person, plan := syncproto.RecordID{40}, syncproto.RecordID{41}, syncproto.RecordID{42}
	status, gone := syncproto.RecordID{43}, syncproto.RecordID{44}
	b.write(status, "status", set("kind", cbor.Text("CP")), set("from", cbor.Text("2026-05-03")))
	b.write(gone, "missing_episode", set("start", cbor.Int(1_777_800_000_000)))
	b.write(sheet, "family", set("name", cbor.Text("Pepperdine")))
	b.write(person, "person", set("names", cbor.Text("Maya Pepperdine")))
	b.write(plan, "plan", set("status", cbor.Text("DRAFT")))
	b.write(visit, "visit", set("visit_type", cbor.Text("CP")), set("start", cbor.Int(1_777_800_000_000)))
	for record, want := range map[syncproto.RecordID]string{
		sheet: "Pepperdine", person: "Maya Pepperdine", plan: "Safety plan", visit: "Child protection visit of 3 May 2026", missing: "",
		status: "Child protection plan, from 3 May 2026", gone: "Missing episode of 3 May 2026",
	} {
		if got := b.room.Title(lead, record); got != want {
			t.Errorf("Title is %q, want %q", got, want)
		}
		for _, who := range []syncproto.UserID{stranger, it} {
			if got := b.room.Title(who, record); got != "" {
				t.Errorf("somebody who may not read it is told %q", got)
			}
		}
	}
	b.write(person, "person", set("known_as", cbor.Text("May")))
	if got := b.room.Title(manager, person); got != "May" {
		t.Errorf("Title is %q", got)
	}
	b.room.SetNames(wording.Names{Kinds: map[string]string{"plan": "keeping-safe plan", "visit": "home visit"}})
	for record, want := range map[syncproto.RecordID]string{plan: "Keeping-safe plan", visit: "Child protection home visit of 3 May 2026"} {
		if got := b.room.Title(lead, record); got != want {
			t.Errorf("as the borough calls it, Title is %q, want %q", got, want)
		}
	}
	if got := b.room.FamilyName(lead, family); got != "Pepperdine" {
		t.Errorf("FamilyName is %q", got)
	}
	if got := b.room.FamilyName(stranger, family); got != "" {
		t.Errorf("somebody else's family is called %q", got)
	}
}
