package mutants

import (
	"encoding/json"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

var (
	all  = flag.Bool("all", false, "run every mutant, some minutes in all")
	only = flag.String("only", "", "run the mutants whose name contains this")
)

// mutant is one bug.
type mutant struct {
	name string // what goes wrong, in words
	file string // the source file, from the module's root
	from string // a piece that the file has exactly once
	to   string // what stands there instead
	pkg  string // the package whose test catches it, from the module's root
	test string // the test that must fail
	args string // further arguments of the test, if any
}

const root = "../../.."

// sampled of the list are run in every test run: enough to know that the runner
// works.
const sampled = 2

func TestMutantsAreCaught(t *testing.T) {
	if len(list) < 25 {
		t.Fatalf("%d mutants, want at least 25", len(list))
	}
	ran := 0
	for i := range list {
		m := &list[i]
		t.Run(strings.ReplaceAll(m.name, " ", "-"), func(t *testing.T) {
			source := m.applied(t)
			m.wantTest(t)
			if m.chosen(ran) {
				ran++
				m.wantCaught(t, source)
			}
		})
	}
	t.Logf("%d mutants fit the source, %d were run", len(list), ran)
}

func (m *mutant) chosen(ran int) bool {
	switch {
	case *only != "":
		return strings.Contains(m.name, *only)
	case *all:
		return true
	}
	return ran < sampled && !testing.Short()
}

// applied returns the file with the bug in it.
func (m *mutant) applied(t *testing.T) string {
	source, err := os.ReadFile(filepath.Join(root, m.file))
	if err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(string(source), m.from); n != 1 {
		t.Fatalf("%s has %q %d times, want once: change the mutant with the source", m.file, m.from, n)
	}
	return strings.Replace(string(source), m.from, m.to, 1)
}

// wantTest looks for the test's declaration.
func (m *mutant) wantTest(t *testing.T) {
	name, _, _ := strings.Cut(m.test, "/")
	declared := regexp.MustCompile(`(?m)^func ` + regexp.QuoteMeta(name) + `\(t \*testing\.T\)`)
	files, err := filepath.Glob(filepath.Join(root, m.pkg, "*_test.go"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no tests in %s: %v", m.pkg, err)
	}
	for _, file := range files {
		if b, err := os.ReadFile(file); err == nil && declared.Match(b) {
			return
		}
	}
	t.Errorf("%s has no test %s", m.pkg, name)
}

// wantCaught runs the test over the mutated source. A mutant that does not build
// proves nothing, nor does a test that ends without having failed.
func (m *mutant) wantCaught(t *testing.T, source string) {
	began := time.Now()
	args := []string{"test", "-count=1", "-vet=off", "-timeout=1m", "-overlay=" + m.overlay(t, source), "-run=^" + m.test + "$", "./" + m.pkg}
	cmd := exec.Command("go", append(args, strings.Fields(m.args)...)...)
	cmd.Dir = root
	out, err := cmd.CombinedOutput()
	if err == nil {
		t.Fatalf("not caught by %s of %s", m.test, m.pkg)
	}
	if text := string(out); !strings.Contains(text, "--- FAIL: ") && !strings.Contains(text, "panic: ") || strings.Contains(text, "[build failed]") {
		t.Fatalf("%s did not run: %v\n%s", m.test, err, tail(text))
	}
	t.Logf("caught by %s in %v", m.test, time.Since(began).Round(time.Second/10))
}

func (m *mutant) overlay(t *testing.T, source string) string {
	folder := t.TempDir()
	mutated := filepath.Join(folder, "mutated.go")
	if err := os.WriteFile(mutated, []byte(source), 0o600); err != nil {
		t.Fatal(err)
	}
	original, err := filepath.Abs(filepath.Join(root, m.file))
	if err != nil {
		t.Fatal(err)
	}
	b, err := json.Marshal(map[string]map[string]string{"Replace": {original: mutated}})
	if err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(folder, "overlay.json")
	if err := os.WriteFile(name, b, 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

// tail is the end of what a command printed.
func tail(s string) string { return s[max(0, len(s)-2000):] }
