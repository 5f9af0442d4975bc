package endtoend

import (
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"

	"doorstep/server/web/webtest"
)

var lighthouse = flag.Bool("lighthouse", false, "hold the app to Lighthouse's audits (make lighthouse)")

// lighthouseFolder is where Lighthouse and its script lie, apart from what the app is
// built with: it takes more space than all of that.
const lighthouseFolder = appFolder + "/lighthouse"

// audited is what Lighthouse says of a page.
type audited struct {
	Page                         string
	Accessibility, BestPractices int
	Lacks                        []string
}

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
	cmd := exec.CommandContext(t.Context(), "node", "audit.mjs", app, login(0), password, code.Code, pin)
	cmd.Dir, cmd.Stderr = lighthouseFolder, os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("Lighthouse: %v", err)
	}
	pages := 0
	for d := json.NewDecoder(strings.NewReader(string(out))); ; pages++ {
		var got audited
		if err := d.Decode(&got); err == io.EOF {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		fmt.Printf("accessibility %3d, best practices %3d: %s\n", got.Accessibility, got.BestPractices, got.Page)
		if got.Accessibility != 100 || got.BestPractices != 100 {
			t.Errorf("%s: want 100 each; it lacks\n%s", got.Page, strings.Join(got.Lacks, "\n"))
		}
	}
	if pages < 7 {
		t.Errorf("%d pages were looked at, want 7", pages)
	}
}
