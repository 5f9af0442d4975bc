package intake_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"doorstep/server/internal/intake"
	"doorstep/server/internal/store"
	"doorstep/syncproto"
)

// changes counts a record's changes.
func (w *world) changes(kind, ref string) []*syncproto.Change {
	w.t.Helper()
	g, _, err := w.borough.Store.Graph(w.record(kind, ref))
	if err != nil {
		w.t.Fatal(err)
	}
	return g.Changes()
}

func TestChangedValueIsOneChangeOfThatField(t *testing.T) {
	w := newWorld(t)
	w.load(example(t))
	before := len(w.changes("person", "P-1103"))
	report := w.load(edited(t, "people.csv", ",Kat,", ",Katie,"))
	if report.Changed != 1 || report.NewRecords != 0 || len(report.NewAccounts) != 0 {
		t.Errorf("report: %+v, want one changed record", report)
	}
	all := w.changes("person", "P-1103")
	if len(all) != before+1 {
		t.Fatalf("changes: got %d, want %d", len(all), before+1)
	}
	last := all[len(all)-1]
	if len(last.Body.Ops) != 1 || last.Body.Ops[0].Path.Field != "known_as" || last.Body.Capture != syncproto.CaptureImported {
		t.Errorf("the change: %+v", last.Body)
	}
	if got := w.text("person", "P-1103", "known_as"); got != "Katie" {
		t.Errorf("known as: got %q", got)
	}
}

func TestChangedPartOfAnElement(t *testing.T) {
	w := newWorld(t)
	w.load(example(t))
	w.load(edited(t, "plan_lines.csv", "Every weekend", "Every weekend and school holidays"))
	all := w.changes("plan", "PL-1")
	ops := all[len(all)-1].Body.Ops
	if len(ops) != 1 || ops[0].Code != syncproto.OpSet || ops[0].Path.Field != "rules" || ops[0].Path.Sub != "when" {
		t.Errorf("ops: %+v", ops)
	}
}

func TestWorkersWordsAreNotOverwritten(t *testing.T) {
	w := newWorld(t)
	w.load(example(t))
	w.edit("W-101", "person", "P-1103", set("names", "Katrin Anna Pepperdine"))
	if report := w.load(example(t)); !report.Unchanged {
		t.Errorf("the old file took a worker's edit back: %+v", report)
	}
	w.load(edited(t, "people.csv", "Katrin Pepperdine", "Katrin Vale"))
	v := w.view("person", "P-1103")
	if len(v.Conflicts) != 1 || v.Conflicts[0].Path.Field != "names" || len(v.Conflicts[0].Sides) != 2 {
		t.Fatalf("conflicts: %+v, want both names kept", v.Conflicts)
	}
	if report := w.load(edited(t, "people.csv", "Katrin Pepperdine", "Katrin Vale")); !report.Unchanged {
		t.Errorf("again: %+v, want unchanged while the conflict is open", report)
	}
}

func TestRemovedRuleIsNotBroughtBack(t *testing.T) {
	w := newWorld(t)
	w.load(example(t))
	rule := syncproto.ElementID(w.id("plan_line", "PL-1-T2"))
	w.edit("W-101", "plan", "PL-1", syncproto.Op{
		Code: syncproto.OpRemove, Path: syncproto.Path{Field: "triggers", Element: rule}, Reason: "No longer happens."})
	if report := w.load(example(t)); !report.Unchanged {
		t.Errorf("report: %+v, want unchanged", report)
	}
	triggers, _ := w.view("plan", "PL-1").Field("triggers")
	for _, e := range triggers.Items {
		if e.Element == rule && e.InForce {
			t.Error("the removed warning sign is in force again")
		}
	}
}

func TestAllocationEndsAndBegins(t *testing.T) {
	w := newWorld(t)
	w.load(example(t))
	ended := edited(t, "allocations.csv", "2025-05-12,,MANAGE", "2025-05-12,2026-11-21,CHCHAN")
	if report := w.load(ended); report.Ended != 1 || report.Granted != 0 {
		t.Errorf("report: %+v, want one relation ended", report)
	}
	if got := w.bases("W-103", "F-1001"); got != "" {
		t.Errorf("taken off the case, still %q", got)
	}
	if got := w.bases("W-103", "F-1002"); got != "CO" {
		t.Errorf("the other family: got %q, want CO", got)
	}
	if report := w.load(ended); !report.Unchanged {
		t.Errorf("again: %+v", report)
	}
	data := string(ended["allocations.csv"].Data) + "A-30,F-1001,W-103,CO,2026-11-25,,MANAGE\r\n"
	ended["allocations.csv"] = &fstest.MapFile{Data: []byte(data)}
	if report := w.load(ended); report.Granted != 0 || report.Planned != 1 || w.bases("W-103", "F-1001") != "" {
		t.Errorf("an allocation of next week gave access today: %+v", report)
	}
	w.now = w.now.Add(4*24*time.Hour - 9*time.Hour - time.Millisecond)
	if got := w.bases("W-103", "F-1001"); got != "" {
		t.Errorf("on the evening before, %q", got)
	}
	w.now = w.now.Add(time.Millisecond)
	if got := w.bases("W-103", "F-1001"); got != "CO" {
		t.Errorf("on its day, without another import: %q", got)
	}
	if report := w.load(ended); !report.Unchanged {
		t.Errorf("on its day the files say nothing new: %+v", report)
	}
}

func TestTwoAllocationsOfOneWorkerGiveOneFooting(t *testing.T) {
	w := newWorld(t)
	files := example(t)
	data := string(files["allocations.csv"].Data) + "A-31,F-1001,W-102,CO,2025-09-01,,\r\n"
	files["allocations.csv"] = &fstest.MapFile{Data: []byte(data)}
	w.load(files)
	data = strings.Replace(data, "A-2,F-1001,W-102,CO,2025-03-03,,FCONTA", "A-2,F-1001,W-102,CO,2025-03-03,2025-09-01,FCONTA", 1)
	files["allocations.csv"] = &fstest.MapFile{Data: []byte(data)}
	if report := w.load(files); report.Ended != 1 || w.bases("W-102", "F-1001") != "CO TEAM" {
		t.Errorf("report: %+v, bases %q: the second allocation still holds", report, w.bases("W-102", "F-1001"))
	}
}

func TestAbsentLinesChangeNothingAndAreReported(t *testing.T) {
	w := newWorld(t)
	w.load(example(t))
	files := edited(t, "allocations.csv", "A-3,F-1001,W-103,CO,2025-05-12,,MANAGE\r\n", "")
	report := w.load(files)
	if !report.Unchanged || w.bases("W-103", "F-1001") != "CO" {
		t.Errorf("report: %+v, bases %q", report, w.bases("W-103", "F-1001"))
	}
	if len(report.Absent) != 1 || report.Absent[0].Count != 1 || !slices.Equal(report.Absent[0].Refs, []string{"A-3"}) {
		t.Errorf("absent: %+v, want A-3", report.Absent)
	}
	delete(files, "people.csv")
	if report := w.load(files); !report.Unchanged || len(report.Absent) != 1 {
		t.Errorf("without a file: %+v", report)
	}
}

func TestDailyFileAlone(t *testing.T) {
	w := newWorld(t)
	w.load(example(t))
	header, _, _ := strings.Cut(string(example(t)["statuses.csv"].Data), "\r\n")
	line := "S-40,P-1301,CIN,2026-11-20,,,,N5,,,,,,,,,,,,,"
	report := w.load(fstest.MapFS{"statuses.csv": {Data: []byte(header + "\n" + line + "\n")}})
	if report.NewRecords != 1 || w.text("status", "S-40", "primary_need") != "N5" {
		t.Errorf("report: %+v", report)
	}
}

func TestWorkerMovesTeamAndChangesRole(t *testing.T) {
	w := newWorld(t)
	w.load(example(t))
	w.load(edited(t, "workers.csv", "Grace Mbeki,coordinator,T-EAST", "Grace Mbeki-Hall,coordinator,T-WEST"))
	if east, west := w.bases("W-201", "F-1001"), w.bases("W-201", "F-1004"); east != "" || west != "COORD" {
		t.Errorf("moved: east %q, west %q", east, west)
	}
	report := w.load(edited(t, "workers.csv", "Grace Mbeki,coordinator,T-EAST", "Grace Mbeki-Hall,manager,T-WEST"))
	if got := w.bases("W-201", "F-1004"); got != "MANAGER" || len(report.ChangedRoles) != 1 {
		t.Errorf("promoted: %q, %+v", got, report.ChangedRoles)
	}
	u, _ := w.borough.Store.State().User(w.user("W-201"))
	if u.Name != "Grace Mbeki-Hall" || u.Role != "manager" {
		t.Errorf("account: %+v", u)
	}
}

func TestFamilyMovesTeam(t *testing.T) {
	w := newWorld(t)
	w.load(example(t))
	w.load(edited(t, "families.csv", "F-1006,ap Gwilym-Llŷr,T-WEST", "F-1006,ap Gwilym-Llŷr,T-EAST"))
	if old, now := w.bases("W-203", "F-1006"), w.bases("W-201", "F-1006"); old != "" || now != "COORD" {
		t.Errorf("team before %q, team now %q", old, now)
	}
	if got := w.text("family_record", "F-1006", "team"); got != "Eastmarsh family team" {
		t.Errorf("team on the family's sheet: %q", got)
	}
}

func TestDisabilitiesAreASet(t *testing.T) {
	w := newWorld(t)
	w.load(example(t))
	w.load(edited(t, "people.csv", "BAFR,NONE,EM100202", "BAFR,HEAR VIS,EM100202"))
	f, _ := w.view("person", "P-1202").Field("disability")
	var got []string
	for _, e := range f.Items {
		if code, _ := e.Field("code"); e.InForce {
			s, _ := code.Value.AsText()
			got = append(got, s)
		}
	}
	slices.Sort(got)
	if !slices.Equal(got, []string{"HEAR", "VIS"}) {
		t.Errorf("disabilities: got %v", got)
	}
}

func TestNumberPassesFromOnePersonToAnother(t *testing.T) {
	w := newWorld(t)
	w.load(example(t))
	files := example(t)
	data := string(files["people.csv"].Data)
	data = strings.Replace(data, "EM100101", "EM199999", 1) // it was never Maya's ...
	data = strings.Replace(data, "EM100102", "EM100101", 1) // ... but Jo's
	files["people.csv"] = &fstest.MapFile{Data: []byte(data)}
	w.load(files)
	header, _, _ := strings.Cut(data, "\r\n")
	line := header + "\r\nP-9,F-1002,Somebody New,,,2020-01-01,,F,BAFR,,EM100102,,,,so,NONE,"
	w.load(fstest.MapFS{"people.csv": {Data: []byte(line)}}) // free since it left Jo
	line = strings.Replace(strings.Replace(line, "EM100102", "EM100101", 1), "P-9", "P-10", 1)
	problems := w.refused(fstest.MapFS{"people.csv": {Data: []byte(line)}})
	if problems[0].Code != "taken" || problems[0].Column != "la_child_id" {
		t.Errorf("somebody else's number: %+v", problems)
	}
}

func TestAccountMadeByHandIsTakenOn(t *testing.T) {
	w := newWorld(t)
	files := fstest.MapFS{"workers.csv": {Data: []byte("worker_ref,login,name,role,team_ref,qualified_social_worker\nX-1,sam,Sam,it,,N\n")}}
	w.load(files)
	sam, _ := w.borough.Store.State().UserByLogin("sam")
	line := "worker_ref,login,name,role,team_ref,qualified_social_worker\nX-2,sam,Sam Fielding,it,,N\n"
	report := w.load(fstest.MapFS{"workers.csv": {Data: []byte(line)}})
	if len(report.NewAccounts) != 0 || w.user("X-2") != sam.ID {
		t.Errorf("report: %+v, id %v, want the account that is there", report, w.user("X-2"))
	}
	problems := w.refused(fstest.MapFS{"workers.csv": {Data: []byte(strings.Replace(strings.Replace(line, "X-2", "X-3", 1), ",it,", ",practitioner,", 1))}})
	if problems[0].Code != "taken" || problems[0].Column != "login" {
		t.Errorf("another role: %+v", problems)
	}
}

// TestImportOfOneFamilyLeavesOthersAlone: a record nobody mentions gets no change.
func TestImportOfOneFamilyLeavesOthersAlone(t *testing.T) {
	w := newWorld(t)
	w.load(example(t))
	info, _ := w.borough.Store.RecordInfo(w.record("person", "P-2103"))
	w.load(edited(t, "people.csv", ",Kat,", ",Katie,"))
	after, _ := w.borough.Store.RecordInfo(w.record("person", "P-2103"))
	if info.Last != after.Last {
		t.Errorf("an unmentioned record has news at %d", after.Last)
	}
}

// TestFinalPlanIsLeftAlone: what is sealed is never changed by a file.
func TestFinalPlanIsLeftAlone(t *testing.T) {
	w := newWorld(t)
	w.load(example(t))
	w.seal("plan", "PL-2")
	report := w.load(edited(t, "plan_lines.csv", "Maalmaha iskuulka", "Toddobaad kasta"))
	if !report.Unchanged || len(report.Final) != 1 || report.Final[0].File != "plans.csv" {
		t.Errorf("report: %+v, want the final plan named and nothing stored", report)
	}
}

func TestQualifiedIsRemembered(t *testing.T) {
	w := newWorld(t)
	w.load(example(t))
	for _, c := range []struct {
		worker string
		want   bool
	}{{"W-101", true}, {"W-103", false}} {
		id, _ := w.borough.Store.State().Ref("qualified", w.user(c.worker).String())
		if got := !id.IsZero(); got != c.want {
			t.Errorf("%s qualified: got %v, want %v", c.worker, got, c.want)
		}
	}
	w.load(edited(t, "workers.csv", "W-103,lena.kowalczyk,Lena Kowalczyk,practitioner,T-EAST,N", "W-103,lena.kowalczyk,Lena Kowalczyk,practitioner,T-EAST,Y"))
	if id, _ := w.borough.Store.State().Ref("qualified", w.user("W-103").String()); id.IsZero() {
		t.Error("registered since, and not remembered")
	}
}

// meanwhile does something between the planning and the storing of a run.
type meanwhile struct {
	ledger intake.Ledger
	do     func()
	done   bool
}

func (m *meanwhile) Propose(ctx context.Context, decide func(*store.Tx) ([]store.Entry, error)) (uint64, error) {
	if !m.done {
		m.done = true
		m.do()
	}
	return m.ledger.Propose(ctx, decide)
}

// TestEditWhileTheImportIsPlanned is a disagreement like any other.
func TestEditWhileTheImportIsPlanned(t *testing.T) {
	w := newWorld(t)
	w.load(example(t))
	w.deps.Ledger = &meanwhile{ledger: w.ledger, do: func() {
		w.edit("W-101", "person", "P-1103", set("names", "Katrin Anna Pepperdine"))
	}}
	w.load(edited(t, "people.csv", "Katrin Pepperdine", "Katrin Vale"))
	if v := w.view("person", "P-1103"); len(v.Conflicts) != 1 {
		t.Errorf("conflicts: %+v, want both names kept", v.Conflicts)
	}
}

// TestTwoImportsAtOnce: the second to store is told, and gives no reference a
// second id.
func TestTwoImportsAtOnce(t *testing.T) {
	w := newWorld(t)
	other := *w
	w.deps.Ledger = &meanwhile{ledger: w.ledger, do: func() { other.load(example(t)) }}
	if _, err := w.try(example(t)); !errors.Is(err, intake.ErrAnotherImport) {
		t.Fatalf("got %v, want ErrAnotherImport", err)
	}
	if report := other.load(example(t)); !report.Unchanged {
		t.Errorf("afterwards: %+v, want unchanged", report)
	}
}

// TestLockWhileTheImportIsPlanned stays: a file says nothing about it.
func TestLockWhileTheImportIsPlanned(t *testing.T) {
	w := newWorld(t)
	w.load(example(t))
	w.deps.Ledger = &meanwhile{ledger: w.ledger, do: func() {
		u, _ := w.borough.Store.State().User(w.user("W-201"))
		u.Disabled, u.PasswordHash = true, "hash"
		if _, err := w.ledger.Propose(context.Background(), func(*store.Tx) ([]store.Entry, error) { return []store.Entry{u}, nil }); err != nil {
			t.Fatal(err)
		}
	}}
	w.load(edited(t, "workers.csv", "Grace Mbeki,", "Grace Mbeki-Hall,"))
	u, _ := w.borough.Store.State().User(w.user("W-201"))
	if !u.Disabled || u.PasswordHash != "hash" || u.Name != "Grace Mbeki-Hall" {
		t.Errorf("account: %+v, want it locked, and renamed", u)
	}
}
