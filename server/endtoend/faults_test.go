package endtoend

import (
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

var updateFaults = flag.Bool("update", false, "write server/FAULTS.md anew")

const (
	repository = "../.."
	faultsPage = "../FAULTS.md"
)

// fault is one bad input or failure that Doorstep has to stand.
type fault struct {
	number int
	what   string
}

// faultPart is a part of the list.
type faultPart struct {
	title  string
	faults []fault
}

// TestEveryFaultHasATest finds the tests named after a fault, holds
// server/FAULTS.md to them, and fails if a fault that must have one has none.
func TestEveryFaultHasATest(t *testing.T) {
	tests := faultTests(t)
	page := faultsTable(tests)
	if *updateFaults {
		if err := os.WriteFile(faultsPage, []byte(page), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	kept, err := os.ReadFile(faultsPage)
	if err != nil {
		t.Fatal(err)
	}
	if string(kept) != page {
		t.Error("server/FAULTS.md is not in step with the tests: go test ./server/endtoend -run TestEveryFaultHasATest -update")
	}
	for n := 1; n <= lastFault; n++ {
		if mustHaveTest(n) && len(tests[n]) == 0 {
			t.Errorf("fault %d has no test named after it", n)
		}
	}
	for n := range tests {
		if n < 1 || n > lastFault {
			t.Errorf("there is no fault %d: %v", n, tests[n])
		}
	}
}

// TestFaultsAreNumberedThroughout checks the list itself.
func TestFaultsAreNumberedThroughout(t *testing.T) {
	want := 1
	for _, part := range faultList() {
		for _, f := range part.faults {
			if f.number != want || f.what == "" {
				t.Errorf("got fault %d %q, want number %d", f.number, f.what, want)
			}
			want++
		}
	}
	if want != lastFault+1 {
		t.Errorf("the list ends at %d, want %d", want-1, lastFault)
	}
}

// mustHaveTest reports whether a fault strikes what is built.
func mustHaveTest(n int) bool {
	for _, built := range [][2]int{{1, 49}, {51, 72}, {74, 83}, {86, 86}, {98, 98}} {
		if built[0] <= n && n <= built[1] {
			return true
		}
	}
	return false
}

// faultTests maps each fault to "folder.TestName", sorted.
func faultTests(t *testing.T) map[int][]string {
	t.Helper()
	tests := map[int][]string{}
	err := filepath.WalkDir(repository, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && path != repository && (strings.HasPrefix(d.Name(), ".") || d.Name() == "testdata" || d.Name() == "node_modules") {
			return fs.SkipDir
		}
		if !strings.HasSuffix(path, "_test.go") {
			return nil
		}
		return faultsOfFile(path, tests)
	})
	if err != nil {
		t.Fatal(err)
	}
	for n := range tests {
		slices.Sort(tests[n])
	}
	return tests
}

// faultName is how a test is named after one fault, or several.
var faultName = regexp.MustCompile(`^TestFault(\d+)((?:And\d+)*)[A-Z_]`)

func faultsOfFile(path string, tests map[int][]string) error {
	file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
	if err != nil {
		return err
	}
	folder, err := filepath.Rel(repository, filepath.Dir(path))
	if err != nil {
		return err
	}
	for _, decl := range file.Decls {
		fn, ok := decl.(*ast.FuncDecl)
		if !ok || fn.Recv != nil {
			continue
		}
		found := faultName.FindStringSubmatch(fn.Name.Name)
		if found == nil {
			continue
		}
		for _, digits := range append([]string{found[1]}, strings.Split(found[2], "And")...) {
			if n, err := strconv.Atoi(digits); err == nil {
				tests[n] = append(tests[n], filepath.ToSlash(folder)+"."+fn.Name.Name)
			}
		}
	}
	return nil
}

// faultsTable is the page.
func faultsTable(tests map[int][]string) string {
	var b strings.Builder
	b.WriteString("# Faults, and the tests that stand for them\n\n" +
		"Bad inputs and failures that Doorstep has to stand. For every one: no acknowledged change is lost, nothing is\n" +
		"shown without an allow, the server stays up, and a device keeps its copy until it has a durable receipt.\n\n" +
		"This page is generated from the names of the tests: `go test ./server/endtoend -run TestEveryFaultHasATest -update`.\n" +
		"A test proves the part of a fault that concerns its package. \"not yet\" means that what the fault strikes is not\n" +
		"built, or has no test of that name.\n")
	for _, part := range faultList() {
		fmt.Fprintf(&b, "\n## %s\n\n| | Fault | Tests |\n|---|---|---|\n", part.title)
		for _, f := range part.faults {
			cell := "not yet"
			if len(tests[f.number]) > 0 {
				cell = "`" + strings.Join(tests[f.number], "`<br>`") + "`"
			}
			fmt.Fprintf(&b, "| %d | %s | %s |\n", f.number, f.what, cell)
		}
	}
	return b.String()
}
