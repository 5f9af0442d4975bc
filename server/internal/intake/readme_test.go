package intake

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the tables of the example caseload's README anew")

const (
	tablesBegin = "<!-- tables: written by go test ./server/internal/intake -run Readme -update -->\n"
	tablesEnd   = "<!-- end of tables -->\n"
)

// TestReadmeDescribesEveryColumn holds the documentation to what is read.
func TestReadmeDescribesEveryColumn(t *testing.T) {
	name := filepath.Join("..", "..", "..", "deploy", "example-caseload", "README.md")
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, ok := strings.Cut(string(data), tablesBegin)
	got, after, closed := strings.Cut(rest, tablesEnd)
	if !ok || !closed {
		t.Fatal("the README has no place for the tables")
	}
	want := tables()
	if *update {
		if err := os.WriteFile(name, []byte(before+tablesBegin+want+tablesEnd+after), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if got != want {
		t.Error("the README's tables are not those of the code: run go test ./server/internal/intake -run Readme -update")
	}
}

// tables describes every file and column.
func tables() string {
	var b strings.Builder
	for _, s := range theSet {
		b.WriteString("\n### " + s.file + "\n\n" + s.about + "\n\n| column | needed | holds |\n|---|---|---|\n")
		for _, c := range s.columns {
			needed := ""
			if c.required {
				needed = "yes"
			}
			b.WriteString("| `" + c.name + "` | " + needed + " | " + c.about + " |\n")
		}
	}
	b.WriteString("\n")
	return b.String()
}

// TestSheetsAreSound: every column goes to a field that is there, and every line
// kind to a collection.
func TestSheetsAreSound(t *testing.T) {
	for _, s := range theSet {
		s.key()
		for _, c := range s.columns {
			if c.about == "" || (c.holds == holdsValue) && c.goes == "" {
				t.Errorf("%s, %s: no description, or goes nowhere", s.file, c.name)
			}
			if c.goes == "" || strings.HasPrefix(c.goes, ".") {
				continue
			}
			field, part, _ := strings.Cut(c.goes, ".")
			if _, ok := kindOf(s.kind).At(field, part); !ok {
				t.Errorf("%s, %s: no field %s in %s", s.file, c.name, c.goes, s.kind)
			}
		}
	}
	for _, c := range []struct{ file, kind, line string }{
		{fileContacts, "person", "ADDRESS"}, {fileContacts, "person", "PLACEMENT"}, {fileContacts, "person", "PHONE"},
		{filePlanLines, "plan", "RULE"}, {filePlanLines, "plan", "NETWORK"}, {filePlanLines, "plan", "TRIGGER"},
	} {
		field, _ := lineKind(c.file, c.line)
		if f, ok := kindOf(c.kind).Field(field); !ok || !f.IsCollection() {
			t.Errorf("%s %s goes to %q, which is no collection", c.file, c.line, field)
		}
	}
}
