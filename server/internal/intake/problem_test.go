package intake_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"testing"
	"testing/fstest"

	"doorstep/server/internal/desk"
	"doorstep/server/internal/intake"
	"doorstep/server/internal/store"
	"doorstep/syncproto"
)

// TestEveryRuleIsHeld: each case breaks the example in one place, and is
// reported there. "" as code means that the file is fine.
func TestEveryRuleIsHeld(t *testing.T) {
	w := newWorld(t) // nothing is stored in it, as refused checks
	for _, c := range []struct {
		name, file, old, text string
		code, column          string
		line                  int // 0: not looked at
	}{
		{"dob and expected dob", "people.csv", ",,2027-03-19,U", ",2026-01-01,2027-03-19,U", "rule", "expected_dob", 12},
		{"unborn with a sex", "people.csv", "2027-03-19,U", "2027-03-19,F", "rule", "sex", 12},
		{"child without a birth date", "people.csv", "Gwen,,2011-04-01", "Gwen,,", "rule", "dob", 22},
		{"none beside a disability", "people.csv", "COMM LD", "NONE LD", "rule", "disabilities", 3},
		{"unknown disability", "people.csv", "COMM LD", "COMM TIRED", "bad_code", "disabilities", 3},
		{"unknown sex", "people.csv", "2016-03-14,,F", "2016-03-14,,X", "bad_code", "sex", 2},
		{"unknown ethnicity", "people.csv", ",U,WOTH", ",U,CNHE", "bad_code", "ethnicity", 12},
		{"no such day", "people.csv", "2016-03-14", "2016-02-30", "bad_date", "dob", 2},
		{"English date", "people.csv", "2016-03-14", "14/03/2016", "bad_date", "dob", 2},
		{"wrong check letter", "people.csv", "Z999041000011", "A999041000011", "bad_check", "upn", 2},
		{"wrong check digit", "people.csv", "9990100071", "9990100072", "bad_check", "nhs_no", 2},
		{"child number too long", "people.csv", "EM100101", "EM1001010000000000001", "too_large", "la_child_id", 2},
		{"same child number twice", "people.csv", "EM100102", "EM100101", "duplicate", "la_child_id", 3},
		{"no name", "people.csv", "Katrin Pepperdine", "  ", "missing", "names", 4},
		{"not a language", "people.csv", "9990100071,SPEECH,en", "9990100071,SPEECH,english language", "bad_check", "language", 2},
		{"reference twice", "people.csv", "P-1102,F-1001", "P-1101,F-1001", "duplicate", "person_ref", 3},
		{"reference with a space", "people.csv", "P-1105,F-1001", "P 1105,F-1001", "bad_ref", "person_ref", 6},
		{"dangling family", "people.csv", "P-1105,F-1001", "P-1105,F-9999", "unknown_ref", "family_ref", 6},
		{"dangling team", "families.csv", "ap Gwilym-Llŷr,T-WEST", "ap Gwilym-Llŷr,T-NORTH", "unknown_ref", "team_ref", 7},
		{"dangling worker", "allocations.csv", "W-103,CO,2025-05-12", "W-999,CO,2025-05-12", "unknown_ref", "worker_ref", 4},

		{"unknown role", "workers.csv", "Sam Fielding,it", "Sam Fielding,root", "bad_code", "role", 12},
		{"coordinator without a team", "workers.csv", "Grace Mbeki,coordinator,T-EAST", "Grace Mbeki,coordinator,", "missing", "team_ref", 7},
		{"login twice", "workers.csv", "tom.okafor", "Amina.Warsame", "duplicate", "login", 3},
		{"login that is none", "workers.csv", "tom.okafor", "tom okafor", "bad_value", "login", 3},
		{"the import's own login", "workers.csv", "tom.okafor", "doorstep-import", "bad_value", "login", 3},
		{"neither yes nor no", "workers.csv", "Sam Fielding,it,,N", "Sam Fielding,it,,maybe", "bad_code", "qualified_social_worker", 12},

		{"manager as lead", "allocations.csv", "F-1003,W-101,LEAD", "F-1003,W-301,LEAD", "rule", "worker_ref", 7},
		{"allocation ends before it begins", "allocations.csv", "2024-11-04,2025-04-30", "2024-11-04,2024-11-03", "rule", "to", 9},
		{"unknown reason", "allocations.csv", "2025-04-30,ABSENC", "2025-04-30,HOLIDAY", "bad_code", "sw_reason", 9},

		{"relation to oneself", "relationships.csv", "P-1103,P-1101,PARENT", "P-1103,P-1103,PARENT", "rule", "other_ref", 2},
		{"relation across families", "relationships.csv", "P-1103,P-1101,PARENT", "P-1103,P-1201,PARENT", "wrong_family", "other_ref", 2},
		{"unknown relation", "relationships.csv", "P-1105,P-1103,PARENT", "P-1105,P-1103,MUM", "bad_code", "type", 6},

		{"plan ends on its first day", "statuses.csv", "P-1101,CP,2025-04-14,,", "P-1101,CP,2025-04-14,2025-04-14,", "rule", "to", 4},
		{"plan ends before it begins", "statuses.csv", "P-1101,CP,2025-04-14,,", "P-1101,CP,2025-04-14,2025-04-01,", "rule", "to", 4},
		{"two open plans", "statuses.csv", "S-8,P-1301,ASSESS,2025-06-16,,,", "S-8,P-1101,CP,2025-06-16,,NEG,", "rule", "from", 9},
		{"plans overlap", "statuses.csv", "S-8,P-1301,ASSESS,2025-06-16,,,", "S-8,P-1101,CP,2025-04-01,2025-04-20,NEG,", "rule", "from", 9},
		{"in need beside protection", "statuses.csv", "P-1101,CIN,2025-03-03,2025-04-14", "P-1101,CIN,2025-03-03,2025-04-15", "rule", "from", 4},
		{"in need twice", "statuses.csv", "S-8,P-1301,ASSESS", "S-8,P-1201,CIN", "rule", "from", 9},
		{"looked after twice", "statuses.csv", "S-8,P-1301,ASSESS,2025-06-16,,,,N5,", "S-8,P-2101,CLA,2025-06-16,,,,N5,C2", "rule", "from", 11},
		{"protection without a category", "statuses.csv", "2025-04-14,,EMO,EMO", "2025-04-14,,,EMO", "missing", "category_initial", 4},
		{"looked after without legal status", "statuses.csv", "N1,C2,U4", "N1,,U4", "missing", "legal_status", 11},
		{"unknown category", "statuses.csv", "2025-04-14,,EMO,EMO", "2025-04-14,,SAD,EMO", "bad_code", "category_initial", 4},
		{"frequency not a number", "statuses.csv", "2026-12-08,10,WD,Child protection conference,2025-04-14,,\r\nS-4", "2026-12-08,ten,WD,Child protection conference,2025-04-14,,\r\nS-4", "bad_number", "visit_every", 4},
		{"frequency of nothing", "statuses.csv", "N4,,,,,,CINP-0902,,20,WD", "N4,,,,,,CINP-0902,,0,WD", "bad_number", "visit_every", 6},
		{"one plan after another is fine", "statuses.csv", "S-8,P-1301,ASSESS,2025-06-16,,,", "S-8,P-2302,CIN,2024-08-30,,,", "", "", 0},

		{"active plan without a contingency", "plans.csv", "\"If Des comes", "\"\"\r\nPL-9,F-1001,P-1101,DRAFT,,,\"If Des comes", "missing", "contingency", 2},
		{"active plan without a review date", "plans.csv", "ACTIVE,2026-12-01", "ACTIVE,", "missing", "review_date", 2},
		{"child of another family", "plans.csv", "P-1101 P-1102", "P-1101 P-1201", "wrong_family", "child_refs", 2},
		{"rule without who", "plan_lines.csv", "Every weekend,It is on", ",It is on", "missing", "when", 3},
		{"column of another kind of line", "plan_lines.csv", "PL-1-T1,PL-1,TRIGGER,\"Des is seen in the street, or rings.\",,", "PL-1-T1,PL-1,TRIGGER,\"Des is seen in the street, or rings.\",Kat,", "rule", "who", 8},
		{"unknown kind of line", "plan_lines.csv", "PL-1-T1,PL-1,TRIGGER", "PL-1-T1,PL-1,TIGGER", "bad_code", "kind", 8},
		{"helper without a date", "plan_lines.csv", "2025-04-16,Y,N", ",Y,N", "missing", "agreed_on", 5},
		{"only who poses a risk helps", "plan_lines.csv", "PL-1-N1,PL-1,NETWORK,,,,,,,,,P-1105,Marjorie Pepperdine,07700 900102,Sleeps over; comes when called,2025-04-16,Y,N\r\nPL-1-N2,PL-1,NETWORK,,,,,,,,,,\"Mr Abernathy, Year 5\",020 7946 0155,Asks Maya every Monday how the weekend was,2025-04-22,Y,N", "", "rule", "", 2},

		{"hazard without a review", "hazards.csv", "2027-01-15", "", "missing", "review_date", 3},
		{"contact of an unknown kind", "contacts.csv", "P-1105,PHONE", "P-1105,EMAIL", "bad_code", "kind", 5},
		{"contact ends before it begins", "contacts.csv", "2025-02-10,,N", "2025-02-10,2025-02-09,N", "rule", "to", 4},
	} {
		t.Run(c.name, func(t *testing.T) {
			files := edited(t, c.file, c.old, c.text)
			if c.code == "" {
				newWorld(t).load(files)
				return
			}
			w.t = t
			problems := w.refused(files)
			for _, p := range problems {
				at := c.file
				if c.name == "only who poses a risk helps" {
					at = "plans.csv" // all its lines together
				}
				if p.File == at && p.Code == c.code && p.Column == c.column && (c.line == 0 || p.Line == c.line) && p.Plain != "" {
					return
				}
			}
			t.Errorf("got %+v, want %s %s at line %d of %s", problems, c.code, c.column, c.line, c.file)
		})
	}
}

// TestMalformedFiles: each file is refused as a whole, with the place named.
func TestMalformedFiles(t *testing.T) {
	const header = "team_ref,name\n"
	w := newWorld(t)
	for _, c := range []struct {
		name, data, code string
		line             int
	}{
		{"empty", "", "bad_header", 1},
		{"only a byte order mark", "\ufeff", "bad_header", 1},
		{"no header", "T-1,North\n", "bad_header", 1},
		{"column missing", "team_ref\nT-1\n", "bad_header", 1},
		{"column unknown", "team_ref,name,colour\nT-1,North,red\n", "bad_header", 1},
		{"column twice", "team_ref,name,name\nT-1,North,South\n", "bad_header", 1},
		{"header in capitals", "TEAM_REF,NAME\nT-1,North\n", "bad_header", 1},
		{"semicolons", "team_ref;name\nT-1;North\n", "bad_header", 1},
		{"cell missing", header + "T-1,North\nT-2\n", "bad_count", 3},
		{"cell too many", header + "T-1,North,\n", "bad_count", 2},
		{"quote inside a cell", header + "T-1,No\"rth\n", "bad_csv", 2},
		{"text after a quoted cell", header + "T-1,\"No\"rth\n", "bad_csv", 2},
		{"quote never closed", header + "T-1,\"North\nT-2,South\n", "bad_csv", 2},
		{"not UTF-8", header + "T-1,N\xf6rd\n", "bad_text", 2},
		{"UTF-16", "\xff\xfet\x00e\x00a\x00m\x00", "bad_text", 0},
		{"NUL", header + "T-1,No\x00rth\n", "bad_text", 2},
		{"cell too long", header + "T-1," + strings.Repeat("x", 64<<10+1) + "\n", "too_large", 2},
		{"name too long", header + "T-1," + strings.Repeat("x", 201) + "\n", "too_large", 2},
	} {
		t.Run(c.name, func(t *testing.T) {
			w.t = t
			problems := w.refused(example(t, "teams.csv", c.data))
			for _, p := range problems {
				if p.File == "teams.csv" && p.Code == c.code && p.Line == c.line {
					return
				}
			}
			t.Errorf("got %+v, want %s on line %d", problems, c.code, c.line)
		})
	}
}

// TestWellFormedOddities are taken as they are.
func TestWellFormedOddities(t *testing.T) {
	for _, c := range []struct{ name, data, want string }{
		{"byte order mark", "\ufeffteam_ref,name\nT-1,North\n", "North"},
		{"columns in another order", "name,team_ref\nNorth,T-1\n", "North"},
		{"line feeds alone, none at the end", "team_ref,name\nT-1,North", "North"},
		{"blank lines", "team_ref,name\n\n\nT-1,North\n\n", "North"},
		{"quotes, commas and lines in a cell", "team_ref,name\nT-1,\"No,\n\"\"rth\"\"\"\n", "No,\n\"rth\""},
		{"formula", "team_ref,name\nT-1,\"=HYPERLINK(\"\"x\"\")\"\n", "=HYPERLINK(\"x\")"},
		{"plus, minus, at", "team_ref,name\nT-1,+-@\n", "+-@"},
		{"right to left", "team_ref,name\nT-1,\u202eثلاثة\n", "\u202eثلاثة"},
		{"combining marks as typed", "team_ref,name\nT-1,Lly\u0302r\n", "Lly\u0302r"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t)
			w.load(fstest.MapFS{
				"teams.csv":    {Data: []byte(c.data)},
				"families.csv": {Data: []byte("family_ref,name,team_ref\nF-1,Example,T-1\n")},
			})
			if got := w.text("family_record", "F-1", "team"); got != c.want {
				t.Errorf("team: got %q, want %q", got, c.want)
			}
		})
	}
}

func TestUnknownAndMissingFiles(t *testing.T) {
	w := newWorld(t)
	if p := w.refused(fstest.MapFS{}); p[0].Code != "no_files" {
		t.Errorf("no files: %+v", p)
	}
	files := example(t)
	files["persons.csv"] = &fstest.MapFile{Data: []byte("x")}
	files["notes.txt"] = &fstest.MapFile{Data: []byte("x")}
	if p := w.refused(files); len(p) != 1 || p[0].Code != "unknown_file" || p[0].File != "persons.csv" {
		t.Errorf("a file with a wrong name: %+v", p)
	}
}

// TestEveryBadLineIsReported: one run names them all, and none repeats a cell.
func TestEveryBadLineIsReported(t *testing.T) {
	files := example(t)
	const secret = "Q9secret"
	for name, f := range files {
		header, body, _ := strings.Cut(string(f.Data), "\r\n")
		bad := secret + " x," + secret + "\"\r\n" + strings.Repeat(secret+" ,", strings.Count(header, ",")) + secret + " \r\n"
		files[name] = &fstest.MapFile{Data: []byte(header + "\r\n" + bad + body)}
	}
	w := newWorld(t)
	problems := w.refused(files)
	seen := map[string]bool{}
	for _, p := range problems {
		if strings.Contains(fmt.Sprintf("%+v", p), secret) {
			t.Errorf("a problem repeats a cell: %+v", p)
		}
		seen[fmt.Sprintf("%s:%d", p.File, p.Line)] = true
	}
	for name := range files {
		for _, line := range []int{2, 3} {
			if !seen[fmt.Sprintf("%s:%d", name, line)] {
				t.Errorf("line %d of %s is not reported", line, name)
			}
		}
	}
}

func TestThingsThatCannotMove(t *testing.T) {
	for _, c := range []struct{ name, file, old, text, column string }{
		{"person to another family", "people.csv", "P-1105,F-1001", "P-1105,F-1002", ""},
		{"allocation to another worker", "allocations.csv", "A-3,F-1001,W-103", "A-3,F-1001,W-104", "worker_ref"},
		{"allocation to another family", "allocations.csv", "A-3,F-1001", "A-3,F-1002", ""},
		{"status to another child", "statuses.csv", "S-12,P-2201", "S-12,P-2202", "child_ref"},
		{"status to another kind", "statuses.csv", "S-12,P-2201,EH", "S-12,P-2201,CIN", "kind"},
		{"contact to another person", "contacts.csv", "C-4,P-1105", "C-4,P-1103", "person_ref"},
		{"rule to another plan", "plan_lines.csv", "PL-2-R1,PL-2", "PL-2-R1,PL-1", "plan_ref"},
		{"login of a worker", "workers.csv", "tom.okafor", "tom.o", "login"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t)
			w.load(example(t))
			problems := w.refused(edited(t, c.file, c.old, c.text))
			for _, p := range problems {
				if p.File == c.file && p.Column == c.column && (p.Code == "moved" || p.Code == "changed_role") {
					return
				}
			}
			t.Errorf("got %+v, want %s named as moved", problems, c.column)
		})
	}
}

// TestNothingHalfDone breaks a run at each of its stages: nothing is stored, and
// the same files are then imported whole.
func TestNothingHalfDone(t *testing.T) {
	broken := errors.New("broken")
	for _, c := range []struct {
		name  string
		spoil func(w *world, deps *intake.Deps) fs.FS
	}{
		{"reading a file", func(w *world, _ *intake.Deps) fs.FS { return tornFS{example(w.t)} }},
		{"drawing an id", func(_ *world, d *intake.Deps) fs.FS { d.Random = &dries{left: 100}; return nil }},
		{"drawing the last id", func(_ *world, d *intake.Deps) fs.FS { d.Random = &dries{left: 16 * 90}; return nil }},
		{"composing the changes", func(w *world, d *intake.Deps) fs.FS { d.Desk = breaksAfter{w.desk, broken}; return nil }},
		{"ordering", func(w *world, d *intake.Deps) fs.FS { d.Ledger = breaksInside{w.ledger, broken}; return nil }},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t)
			deps := w.deps
			files := c.spoil(w, &deps)
			if files == nil {
				files = example(t)
			}
			before, _ := w.borough.Store.Applied()
			if _, err := intake.Import(context.Background(), deps, files, intake.Options{Now: w.now}); err == nil {
				t.Fatal("no error")
			}
			after, _ := w.borough.Store.Applied()
			if head, _ := w.borough.Journal.Head(); after != before || head != before {
				t.Errorf("index at %d, journal at %d, want both at %d", after, head, before)
			}
			if _, ok := w.borough.Store.State().UserByLogin("amina.warsame"); ok {
				t.Error("an account of the broken run is there")
			}
			if report := w.load(example(t)); report.Unchanged || len(report.NewAccounts) != 21 {
				t.Errorf("afterwards: %+v", report)
			}
		})
	}
}

// dries is a source of chance that ends.
type dries struct{ left int }

func (d *dries) Read(p []byte) (int, error) {
	if d.left < len(p) {
		return 0, errors.New("dry")
	}
	d.left -= len(p)
	for i := range p {
		p[i] = byte(d.left + i*7)
	}
	return len(p), nil
}

// tornFS has a file that cannot be read.
type tornFS struct{ fstest.MapFS }

func (f tornFS) Open(name string) (fs.File, error) {
	if name == "statuses.csv" {
		return nil, fs.ErrPermission
	}
	return f.MapFS.Open(name)
}

// breaksAfter composes everything, then fails.
type breaksAfter struct {
	desk *desk.Desk
	err  error
}

func (b breaksAfter) Compose(tx *store.Tx, edits []desk.Edit) ([]syncproto.ChangeID, error) {
	if _, err := b.desk.Compose(tx, edits); err != nil {
		return nil, err
	}
	return nil, b.err
}

// breaksInside fails once everything is decided.
type breaksInside struct {
	ledger intake.Ledger
	err    error
}

func (b breaksInside) Propose(ctx context.Context, decide func(*store.Tx) ([]store.Entry, error)) (uint64, error) {
	return b.ledger.Propose(ctx, func(tx *store.Tx) ([]store.Entry, error) {
		if _, err := decide(tx); err != nil {
			return nil, err
		}
		return nil, b.err
	})
}
