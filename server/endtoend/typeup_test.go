package endtoend

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"doorstep/client-sdk/engine"
	"doorstep/syncproto"
)

// A coordinator types up a worker's notes at the desk, on forms that need no script. They
// reach the worker's tablet by its feed, the worker confirms them there, and the coordinator
// makes them final. Nobody else is offered to type up, and the words come with how they were
// taken and from what.
func TestNotesAreTypedUpAtTheDeskAndConfirmedOnATablet(t *testing.T) {
	t.Parallel()
	b := newBorough(t, caseload{workers: 1, families: 1, manager: true, coord: true})
	tab := newTablet(t, b, 0, 91)
	tab.syncs()
	family := tab.families()[0]
	for _, login := range []string{"manager", "coordinator"} {
		if err := b.op.SetPassword(t.Context(), login, password); err != nil {
			t.Fatal(err)
		}
	}
	coord, manager := b.browses(t, "coordinator"), b.browses(t, "manager")
	at := "/desk/families/" + family.String()
	if _, page := coord.looks(at); !strings.Contains(page, at+"/type-up") {
		t.Fatal("a coordinator is not led to the form")
	}
	if _, page := manager.looks(at); strings.Contains(page, at+"/type-up") {
		t.Error("a manager is led to the form")
	}
	if status, _ := manager.looks(at + "/type-up"); status != http.StatusNotFound {
		t.Errorf("a manager is answered %d at the form", status)
	}
	worker := tab.id.User.String()
	notes := url.Values{"kind": {"minutes"}, "for": {worker}, "capture": {"pen"}}
	if status, page := coord.fills(at+"/type-up", notes); status/100 != 4 || !strings.Contains(page, "Say what it is typed up from.") {
		t.Errorf("without a source: %d", status)
	}
	notes.Set("source", "Her red notebook, pages 3 and 4")
	status, page := coord.fills(at+"/type-up", notes)
	found := regexp.MustCompile(`/desk/records/([0-9a-f]{32})/fill`).FindStringSubmatch(page)
	if status != http.StatusOK || found == nil || !strings.Contains(page, "by pen. From: Her red notebook, pages 3 and 4") {
		t.Fatalf("it was not begun: %d", status)
	}
	record := "/desk/records/" + found[1]
	if status, page := coord.fills(record+"/fill", url.Values{"f-type": {"CORE_GROUP"}, "f-start": {"2026-11-02T10:00"}, "f-discussed": {"Nan can do Sundays."}}); status != http.StatusOK || !strings.Contains(page, "Nan can do Sundays.") {
		t.Errorf("filling in: %d", status)
	}
	if status, page := coord.fills(record+"/entries?field=attendees", url.Values{"n0-name": {"The school nurse"}}); status != http.StatusOK || !strings.Contains(page, "The school nurse") {
		t.Errorf("adding an entry: %d", status)
	}
	if status, _ := coord.looks(record + "/confirm"); status != http.StatusForbidden {
		t.Errorf("the typist is answered %d at the form that confirms", status)
	}
	if _, page := coord.looks("/desk/"); !strings.Contains(page, record) {
		t.Error("it is not in the queue")
	}

	id, err := syncproto.ParseID(found[1])
	if err != nil {
		t.Fatal(err)
	}
	tab.syncs()
	var v *syncproto.View
	if err := tab.Read(func(e *engine.Engine) { v, err = e.Fold(syncproto.RecordID(id)) }); err != nil || v == nil {
		t.Fatalf("the tablet does not have it: %v", err)
	}
	typed := v.Workflow.TypedUp
	if len(typed) != 1 || typed[0].For != tab.id.User || typed[0].By.Capture != syncproto.CapturePen {
		t.Errorf("on the tablet: %+v", typed)
	}
	tab.edit(family, v.Record, "minutes", syncproto.Op{Code: syncproto.OpConfirm, Heads: []syncproto.RecordHeads{{Record: v.Record, Heads: v.Heads}}})
	tab.syncs()
	if status, page := coord.fills(record+"/finalise", url.Values{}); status != http.StatusOK || !strings.Contains(page, "It is final.") {
		t.Errorf("making it final: %d", status)
	}
}
