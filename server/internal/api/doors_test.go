package api

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"doorstep/server/internal/doors"
	"doorstep/syncproto"
)

const (
	someFamily = "00000000000000000000000000000001"
	somebody   = "00000000000000000000000000000002"
	someDoor   = "00000000000000000000000000000003"
)

// TestDoors goes through every route of grants, restrictions and emergencies. Each
// answer is held to the OpenAPI document by the world.
func TestDoors(t *testing.T) {
	w := newWorld(t, nil)
	w.addUser("dilys", "manager")
	token := w.signIn("dilys").AccessToken
	var grant GrantDone
	w.postJSON("/v1/families/"+someFamily+"/grants", token,
		GrantRequest{User: somebody, Basis: "CONSULT", ToMS: 2, Reason: "to think aloud"}).wantJSON(t, http.StatusOK, &grant)
	if grant.Grant == "" {
		t.Error("a grant without an id")
	}
	var list DoorList
	w.get("/v1/families/"+someFamily+"/grants", token).wantJSON(t, http.StatusOK, &list)
	if len(list.Grants) != 1 || len(list.Restrictions) != 1 || !list.Restrictions[0].Overdue {
		t.Errorf("%+v", list)
	}
	for path, body := range map[string]any{
		"/v1/grants/" + someDoor + "/withdraw":     ReasonRequest{Reason: "over"},
		"/v1/families/" + someFamily + "/restrict": RestrictRequest{Category: "STAFF", Reason: "of a colleague", ReviewMS: 9},
		"/v1/families/" + someFamily + "/lift":     LiftRequest{Category: "STAFF", Reason: "left"},
		"/v1/break-glass/" + someDoor + "/review":  ReviewRequest{Finding: "JUSTIFIED", Note: "right"},
	} {
		if a := w.postJSON(path, token, body); a.status != http.StatusNoContent {
			t.Errorf("%s: %d %s", path, a.status, a.body)
		}
	}
	var restrictions RestrictionList
	w.get("/v1/restrictions", token).wantJSON(t, http.StatusOK, &restrictions)
	var opening OpeningJSON
	w.postJSON("/v1/break-glass", token, OpenRequest{Reference: "F-1", Code: "HOSPITAL", Text: "brought in"}).wantJSON(t, http.StatusOK, &opening)
	var openings OpeningList
	w.get("/v1/break-glass", token).wantJSON(t, http.StatusOK, &openings)
	var counts CountList
	w.get("/v1/break-glass/counts", token).wantJSON(t, http.StatusOK, &counts)
	if len(restrictions.Restrictions) != 1 || opening.Code != "HOSPITAL" || len(openings.Openings) != 1 || len(counts.Counts) != 1 {
		t.Errorf("%+v %+v %+v %+v", restrictions, opening, openings, counts)
	}
}

// TestDoorsRefuse: what is badly formed, too old a sign-in, and a refusal with
// words of its own.
func TestDoorsRefuse(t *testing.T) {
	w := newWorld(t, func(c *Config) { c.StepUp = time.Nanosecond })
	w.addUser("owen", "edt")
	token := w.signIn("owen").AccessToken
	w.postJSON("/v1/break-glass", token, OpenRequest{Reference: "F-1", Code: "HOSPITAL", Text: "x"}).wantProblem(t, http.StatusForbidden, syncproto.CodeStepUp)
	w.postJSON("/v1/break-glass/"+someDoor+"/review", token, ReviewRequest{Finding: "FINE", Note: "x"}).wantProblem(t, http.StatusBadRequest, syncproto.CodeBadValue)
	w.postJSON("/v1/families/"+someFamily+"/grants", token, GrantRequest{User: somebody, Basis: "LEAD", Reason: "x"}).wantProblem(t, http.StatusBadRequest, syncproto.CodeBadValue)
	w.postJSON("/v1/families/"+someFamily+"/grants", "", GrantRequest{}).wantProblem(t, http.StatusUnauthorized, syncproto.CodeUnauthenticated)
	w.borough.err = &doors.Refusal{Code: syncproto.CodeForbidden, Plain: "Somebody else reviews what you opened."}
	a := w.postJSON("/v1/break-glass/"+someDoor+"/review", token, ReviewRequest{Finding: "UNCLEAR", Note: "x"})
	a.wantProblem(t, http.StatusForbidden, syncproto.CodeForbidden)
	if !strings.Contains(string(a.body), "Somebody else reviews what you opened.") {
		t.Errorf("without its words: %s", a.body)
	}
}
