package endtoend

import (
	"flag"
	"testing"

	"doorstep/server/web/webtest"
)

var lighthouse = flag.Bool("lighthouse", false, "hold the app to Lighthouse's audits (make lighthouse)")

// TestLighthouse holds the page that everybody sees first, and the screens that are
// worked with, to Lighthouse's audits of accessibility and of best practices.
func TestLighthouse(t *testing.T) {
	if !*lighthouse {
		t.Skip("Lighthouse is not installed with everything else: make lighthouse")
	}
	webtest.Program(t)
	b := newBorough(t, caseload{workers: 1, families: 2, plans: true})
	code, err := b.operator().IssueCode(t.Context(), login(0))
	if err != nil {
		t.Fatal(err)
	}
	app := newFront(t, b).URL + "/app/"
	if pages := webtest.Lighthouse(t, appFolder, "audit.mjs", app, login(0), password, code.Code, pin); pages < 7 {
		t.Errorf("%d pages were looked at, want 7", pages)
	}
}
