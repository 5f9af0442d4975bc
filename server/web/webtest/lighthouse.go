package webtest

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// audited is what Lighthouse says of a page.
type audited struct {
	Page                         string
	Accessibility, BestPractices int
	Lacks                        []string
}

// Lighthouse carries out a script of the folder app/lighthouse (app is as for Axe), which
// holds pages to Lighthouse's audits of accessibility and of best practices: every page
// must have 100 of each. It returns how many pages there were.
func Lighthouse(t testing.TB, app, script string, args ...string) (pages int) {
	t.Helper()
	Program(t)
	cmd := exec.CommandContext(t.Context(), "node", append([]string{script}, args...)...)
	cmd.Dir, cmd.Stderr = filepath.Join(app, "lighthouse"), os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("Lighthouse: %v\n%s", err, out)
	}
	for d := json.NewDecoder(strings.NewReader(string(out))); ; pages++ {
		var got audited
		if err := d.Decode(&got); errors.Is(err, io.EOF) {
			return pages
		} else if err != nil {
			t.Fatal(err)
		}
		fmt.Printf("accessibility %3d, best practices %3d: %s\n", got.Accessibility, got.BestPractices, got.Page)
		if got.Accessibility != 100 || got.BestPractices != 100 {
			t.Errorf("%s: want 100 each; it lacks\n%s", got.Page, strings.Join(got.Lacks, "\n"))
		}
	}
}
