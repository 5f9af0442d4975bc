package api

import (
	"net/http"
	"testing"

	"doorstep/server/internal/auth"
)

// TestChasing: what is not said is left out, and people have names.
func TestChasing(t *testing.T) {
	w := newWorld(t, nil)
	w.caseload(w.addUser("jo", auth.RolePractitioner))
	var got ChaseList
	w.get("/v1/chase", w.signIn("jo").AccessToken).wantJSON(t, http.StatusOK, &got)
	if len(got.Chased) != 2 || got.Chased[0].What != "query" || got.Chased[0].By != "" || got.Chased[0].Device != "" || got.People[got.Chased[0].Whom] == "" ||
		got.Chased[1].What != "tablet" || got.Chased[1].By != "2026-05-03" || got.Chased[1].Record != "" || !got.Chased[1].Overdue {
		t.Errorf("got %+v", got)
	}
}
