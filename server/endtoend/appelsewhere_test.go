package endtoend

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"doorstep/server/web/webtest"
)

// What no tablet carries is begun in the app all the same, by whom access lets: by a
// manager the personal part of supervision, on a worker's own file. Who coordinates
// volunteers matches one with a family of which they know nothing else, and who coaches a
// worker records what they saw of their practice there. The server takes all of it.
func TestTheAppBeginsWhatNoTabletKeeps(t *testing.T) {
	t.Parallel()
	b := newBorough(t, caseload{workers: 1, families: 1, manager: true, helpers: true})
	hers := &appTablet{Browser: webtest.Start(t, "lang=en-GB", "accept-lang=en-GB"), t: t, front: newFront(t, b), login: "manager"}
	hers.installs()
	record := hers.beginsElsewhere("Worker 0", "Personal part of supervision")
	hers.Fill("Reflection", "She is stretched.")
	hers.Until("it is kept", stateOf("Reflection")+`.startsWith("Saved on this tablet")`)
	hers.sends()
	b.sits(t, "manager").wantsRecord(record, "supervision_personal", "She is stretched.")
	hers.goesTo("today")
	if got := webtest.Eval[int](hers.Browser, `document.querySelectorAll(".card").length`); got != 1 {
		t.Errorf("the manager's day shows %d families, want 1: a worker's own file is none", got)
	}

	hers.leaves()
	theirs := &appTablet{Browser: hers.Browser, t: t, front: hers.front, login: "programme"}
	theirs.Press("Somebody else")
	theirs.installsWith("")
	theirs.Press("Betty Lowe") // a family whose name they may not know
	theirs.Press("Record something else")
	theirs.Press("Volunteer match")
	theirs.Until("its form is there", `document.querySelector(".field")`)
	match := strings.Split(webtest.Eval[string](theirs.Browser, "location.hash"), "/")[2]
	theirs.Choose("Volunteer", "Betty Lowe")
	theirs.Until("the record is begun", `location.hash.startsWith("#/record/")`)
	theirs.Choose("Supervisor", "You")
	theirs.Until("it is kept", `document.getElementById("field-supervisor").innerText.includes("Saved on this tablet")`)
	theirs.sends()
	b.sits(t, "programme").wantsRecord(match, "volunteer_match", "")
	theirs.goesTo("record/" + match)
	theirs.Until("what was chosen is still there", `document.querySelector("#field-volunteer select").selectedOptions[0].text === "Betty Lowe"`)
	theirs.leaves()
	b.observes(t, theirs)
}

// observes has somebody coach a worker on a visit to a family of which they know nothing
// else, after a manager has let them.
func (b *borough) observes(t *testing.T, theirs *appTablet) {
	t.Helper()
	coach := b.hires(t, "coach", "coach")
	first := newTablet(t, b, 0, 1)
	first.syncs()
	b.sits(t, "manager").wants(http.StatusOK, "POST", "/v1/families/"+first.leads().String()+"/grants", map[string]any{"user": coach.user, "basis": "OBSERVE",
		"reason": "The family consented to it.", "to_ms": time.Now().Add(time.Hour).UnixMilli()}, nil)
	a := &appTablet{Browser: theirs.Browser, t: t, front: theirs.front, login: "coach"}
	a.Press("Somebody else")
	a.installsWith("")
	observed := a.beginsElsewhere("Worker 0", "Observed practice")
	a.Press("Yes") // they did
	a.Fill("What you saw", "She sat on the floor and waited.")
	a.Until("it is kept", stateOf("What you saw")+`.startsWith("Saved on this tablet")`)
	a.sends()
	coach.wantsRecord(observed, "observation", "She sat on the floor and waited.")
}

// beginsElsewhere begins a record in a file that no tablet keeps, and returns its id.
func (a *appTablet) beginsElsewhere(file, kind string) (record string) {
	a.t.Helper()
	button := fmt.Sprintf(`[...document.querySelectorAll(".records button")].find((b) => b.textContent === %q)`, kind+": "+file)
	a.Until("it can be begun", button)
	webtest.Eval[bool](a.Browser, button+".click(), true")
	a.Until("its form is there", `document.querySelector(".field")`)
	return strings.Split(webtest.Eval[string](a.Browser, "location.hash"), "/")[2]
}

// wantsRecord asks for a record as the server has it.
func (d desk) wantsRecord(record, kind, words string) {
	d.t.Helper()
	var shown struct {
		Kind   string `json:"kind"`
		Fields []struct {
			Slots []struct{ Text string } `json:"slots"`
		} `json:"fields"`
	}
	d.wants(http.StatusOK, "GET", "/v1/records/"+record, nil, &shown)
	if shown.Kind != kind || words != "" && !strings.Contains(fmt.Sprint(shown.Fields), words) {
		d.t.Errorf("the server has %+v, want a %s with %q", shown, kind, words)
	}
}
