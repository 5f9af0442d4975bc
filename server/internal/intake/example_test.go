package intake_test

import (
	"context"
	"slices"
	"testing"

	"doorstep/server/internal/intake"
	"doorstep/syncproto/cbor"
)

func TestExampleCaseloadImportsCleanly(t *testing.T) {
	w := newWorld(t)
	report := w.load(example(t))
	if report.Unchanged || report.Position == 0 {
		t.Errorf("first run: %+v, want something stored", report)
	}
	if len(report.Files) != 12 || report.KeptOut != 1 || len(report.NewAccounts) != 21 || len(report.ChangedRoles)+len(report.Absent)+len(report.Final) != 0 {
		t.Errorf("report: %+v", report)
	}
	roles := map[string]int{}
	for _, a := range report.NewAccounts {
		roles[a.Role]++
		u, ok := w.borough.Store.State().UserByLogin(a.Login)
		if !ok || u.PasswordHash != "" || u.Disabled {
			t.Errorf("account %s: %+v, want one without a password", a.Login, u)
		}
	}
	for _, role := range []string{"social_worker", "practitioner", "clinician", "volunteer", "chair", "edt", "coordinator", "manager", "it"} {
		if roles[role] == 0 {
			t.Errorf("no %s in the example", role)
		}
	}
	for _, c := range []struct{ worker, family, want string }{
		{"W-101", "F-1001", "LEAD TEAM"}, {"W-102", "F-1001", "CO TEAM"}, {"W-103", "F-1001", "CO"},
		{"W-105", "F-1004", "TEAM"}, // the allocation ended
		{"W-105", "F-1003", ""},     // kept out
		{"W-503", "F-1001", "VOL"}, {"W-505", "F-1001", "CHAIR"}, {"W-504", "F-1002", "PROGRAMME"}, {"W-507", "F-1001", ""},
		{"W-101", "F-1004", ""}, {"W-201", "F-1001", "COORD"}, {"W-202", "F-1003", "COORD"}, {"W-201", "F-1004", ""},
		{"W-301", "F-1002", "MANAGER"}, {"W-302", "F-1006", "MANAGER"}, {"W-401", "F-1001", ""},
	} {
		if got := w.bases(c.worker, c.family); got != c.want {
			t.Errorf("%s with %s: got %q, want %q", c.worker, c.family, got, c.want)
		}
	}
}

func TestExampleRecordsSayWhatTheFilesSay(t *testing.T) {
	w := newWorld(t)
	w.load(example(t))
	for _, c := range []struct{ kind, ref, field, want string }{
		{"family_record", "F-1003", "name", "Żółkiewska-Wróbel"},
		{"family_record", "F-1003", "team", "Eastmarsh family team"},
		{"family_record", "F-1003", "reference", "F-1003"},
		{"person", "P-2201", "names", "ليلى الحدّاد (Layla Al-Haddad)"},
		{"person", "P-2101", "names", "তানিয়া রহমান (Tania Rahman)"},
		{"person", "P-1302", "expected_dob", "2027-03-19"},
		{"person", "P-2304", "names", "O'Brien Sørensen, Núria"},
		{"status", "S-4", "category_latest", "NEG"},
		{"status", "S-10", "legal_status", "C2"},
		{"allocation", "A-1", "role", "LEAD"},
		{"plan", "PL-1", "status", "ACTIVE"},
	} {
		if got := w.text(c.kind, c.ref, c.field); got != c.want {
			t.Errorf("%s %s, %s: got %q, want %q", c.kind, c.ref, c.field, got, c.want)
		}
	}
	plan := w.view("plan", "PL-1")
	rules, _ := plan.Field("rules")
	network, _ := plan.Field("network")
	if len(rules.Items) != 3 || len(network.Items) != 3 || len(plan.Conflicts) != 0 {
		t.Errorf("plan: %d rules, %d people, %d conflicts", len(rules.Items), len(network.Items), len(plan.Conflicts))
	}
	hers, _ := w.view("plan", "PL-2").Field("rules")
	formula := slices.ContainsFunc(hers.Items, func(e elementOf) bool {
		f, _ := e.Field("how_checked")
		s, _ := f.Value.AsText()
		return s == "=School rings if she is not there by 9"
	})
	if !formula {
		t.Error("what begins with an equals sign is not there as it was written")
	}
	frequency, _ := w.view("status", "S-3").Field("visit_frequency")
	if n, _ := frequency.Value.Get("n"); !n.Equal(cbor.Int(10)) {
		t.Errorf("visit frequency: %v", frequency.Value)
	}
}

func TestSecondRunStoresNothing(t *testing.T) {
	w := newWorld(t)
	w.load(example(t))
	before, _ := w.borough.Store.Applied()
	report := w.load(example(t))
	if !report.Unchanged {
		t.Errorf("second run: %+v, want unchanged", report)
	}
	if after, _ := w.borough.Store.Applied(); after != before {
		t.Errorf("second run stored %d entries", after-before)
	}
	w.ledger.Close()
	w.borough.Reopen() // and after a restart
	again := newWorldOver(t, w)
	if report := again.load(example(t)); !report.Unchanged {
		t.Errorf("after a restart: %+v, want unchanged", report)
	}
}

func TestDryRunStoresNothing(t *testing.T) {
	w := newWorld(t)
	before, _ := w.borough.Store.Applied()
	report, err := intake.Import(context.Background(), w.deps, example(t), intake.Options{Now: w.now, DryRun: true})
	if err != nil || len(report.Problems) != 0 || report.NewRecords == 0 || report.Position != 0 {
		t.Errorf("dry run: %+v, %v", report, err)
	}
	if after, _ := w.borough.Store.Applied(); after != before {
		t.Errorf("a dry run stored %d entries", after-before)
	}
}
