package api

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"doorstep/server/internal/audit"
	"doorstep/server/internal/auth"
	"doorstep/server/internal/auth/authtest"
	"doorstep/syncproto"
)

// bodies are requests of the routes with a body that show something.
var bodies = map[string]any{"audit": AuditRequest{}, "search": SearchRequest{Words: "bruise"}}

// TestEveryRouteIsAudited goes through the table of routes: what shows something
// leaves a note of its kind about whom it shows, and whoever comes without a token is
// noted on every route that takes none but signed-in people.
func TestEveryRouteIsAudited(t *testing.T) {
	w := newWorld(t, nil)
	w.caseload(w.addUser("jo", auth.RolePractitioner))
	token := w.signIn("jo").AccessToken
	ids := strings.NewReplacer(":id", aRecord.String(), ":heads", syncproto.ChangeID{1}.String())
	shown := 0
	for _, r := range w.api.routes {
		path := ids.Replace(r.path)
		if strings.HasPrefix(r.path, "/v1/custody/:id") {
			path = strings.Replace(r.path, ":id", syncproto.ChangeID{1}.String(), 1)
		}
		if kind := w.api.rules[r.id].shows; kind != 0 {
			shown++
			ask := func() answer { return w.get(path, token) }
			if r.method == "POST" {
				ask = func() answer { return w.postJSON(path, token, bodies[r.id]) }
			}
			if a := ask(); a.status != http.StatusOK {
				t.Errorf("%s: got status %d, so nothing is shown: %s", r.id, a.status, a.body)
			}
			w.wantNoted(kind, syncproto.CodeOK, r.id)
			if r.id != "custodyWords" { // whose words they are the handler finds
				w.wantNotedAbout(r)
			} else if got := w.noted[len(w.noted)-1]; got.Record != (syncproto.RecordID{2}) {
				t.Errorf("words in custody are noted about record %s", got.Record)
			}
		}
		if r.who == anyone {
			continue
		}
		if a := w.do(r.method, path, map[string]string{"Content-Type": "application/json"}, nil); a.status != http.StatusUnauthorized {
			t.Errorf("%s without a token: got status %d", r.id, a.status)
		}
		w.wantNoted(audit.TypeDenied, syncproto.CodeUnauthenticated, r.id)
		w.wantNotedAbout(r)
	}
	if shown < 16 {
		t.Errorf("%d routes show something: the table lost some", shown)
	}
}

// wantNotedAbout checks whom the newest note is about: whom the path names.
func (w *world) wantNotedAbout(r route) {
	w.t.Helper()
	w.noting.Lock()
	defer w.noting.Unlock()
	var family syncproto.FamilyID
	var record syncproto.RecordID
	switch {
	case strings.HasPrefix(r.path, "/v1/families/:id"):
		family, record = syncproto.FamilyID(aRecord), aRecord
	case strings.HasPrefix(r.path, "/v1/records/:id"):
		record = aRecord
	}
	if got := w.noted[len(w.noted)-1]; got.Family != family || got.Record != record {
		w.t.Errorf("%s is noted about family %s and record %s", r.id, got.Family, got.Record)
	}
}

// TestARouteWithoutARuleIsRefused: whoever adds a route has to say how it is audited.
func TestARouteWithoutARuleIsRefused(t *testing.T) {
	a := &API{}
	routes := a.table()
	if err := checkRules(routes, rules(false)); err != nil {
		t.Fatal(err)
	}
	if err := checkRules(append(routes, route{id: "peek"}), rules(false)); err == nil {
		t.Error("a route without a rule is taken")
	}
	if err := checkRules(routes[1:], rules(false)); err == nil {
		t.Error("a rule of no route is taken")
	}
}

// TestDenialsOutsideThePathAreNoted: whom a body names, a token that came with a
// proof by another key, and somebody who tried too often.
func TestDenialsOutsideThePathAreNoted(t *testing.T) {
	w := newWorld(t, nil)
	w.addUser("owen", "edt")
	token := w.signIn("owen").AccessToken
	w.borough.err = syncproto.CodeForbidden
	w.postJSON("/v1/break-glass", token, OpenRequest{Family: someFamily, Code: "HOSPITAL", Text: "x"})
	w.wantNoted(audit.TypeDenied, syncproto.CodeForbidden, "breakGlass")
	if got := w.noted[len(w.noted)-1]; got.Family.String() != someFamily {
		t.Errorf("an emergency that was refused is noted of family %s", got.Family)
	}
	w.borough.err = nil
	w.postJSON("/v1/audit", token, AuditRequest{Record: someDoor})
	if got := w.noted[len(w.noted)-1]; got.Record.String() != someDoor {
		t.Errorf("a look into the log is noted about record %s", got.Record)
	}

	d := w.enrol("owen")
	w.do("GET", "/v1/families", map[string]string{"Authorization": "DPoP " + d.session.AccessToken,
		"DPoP": w.proof(authtest.NewKey(t), "GET", "/v1/families", d.session.AccessToken)}, nil)
	w.wantNoted(audit.TypeDenied, syncproto.CodeBadProof, "families")

	for deadline := time.Now().Add(10 * time.Second); ; {
		a := w.postJSON("/v1/step-up", token, StepUpRequest{Login: "owen", Password: "not their password"})
		if a.status == http.StatusTooManyRequests {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("nobody is ever told to wait")
		}
	}
	w.wantNoted(audit.TypeSignIn, syncproto.CodeTooMany, "stepUp")
}
