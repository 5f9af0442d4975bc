package demo

import (
	"flag"
	"strings"
	"testing"

	"doorstep/server/web/webtest"
)

var lighthouse = flag.Bool("lighthouse", false, "hold the desk to Lighthouse's audits (make lighthouse)")

// TestLighthouseOfTheDesk holds the desk's main pages to Lighthouse's audits of
// accessibility and of best practices, as those who work with them.
func TestLighthouseOfTheDesk(t *testing.T) {
	if !*lighthouse {
		t.Skip("Lighthouse is not installed with everything else: make lighthouse")
	}
	webtest.Program(t)
	d := newWorkingDay(t)
	if err := d.furnish(t.Context()); err != nil {
		t.Fatal(err)
	}
	b := (&workingDay{&stage{t: t}, d}).borders()
	differs := "records/" + b.records["differing"].visit.String()
	looks := map[string][]string{
		grace: {"", differs, differs + "/history", differs + "/query?field=announced", "records/" + b.records["final"].visit.String(), "late", "chasing", "search", "families", "time"},
		dilys: {"custody", "oversight", "emergency", "delivery", "imports"},
		sam:   {"", "it/devices", "it/people", "account", "step-up", "nothing"},
	}
	args, want := []string{"desk.mjs", d.scene.town.url + "/desk/", pass}, 1
	for login, paths := range looks {
		args = append(args, login+"="+strings.Join(paths, ","))
		want += len(paths)
	}
	args[1] = strings.Replace(args[1], "127.0.0.1", "localhost", 1)
	if pages := webtest.Lighthouse(t, appFolder, args[0], args[1:]...); pages != want {
		t.Errorf("%d pages were looked at, want %d", pages, want)
	}
}
