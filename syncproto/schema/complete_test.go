package schema_test

import (
	"maps"
	"slices"
	"strconv"
	"testing"

	"doorstep/syncproto/cbor"
	"doorstep/syncproto/schema"
)

// answers is a record for Complete: names to values.
type answers map[string]cbor.Value

func (a answers) get(name string) (cbor.Value, bool) {
	v, ok := a[name]
	return v, ok
}

// with returns the answers with some changed; a null takes one away.
func (a answers) with(pairs ...any) answers {
	b := maps.Clone(a)
	for i := 0; i < len(pairs); i += 2 {
		name := pairs[i].(string)
		switch v := pairs[i+1].(type) {
		case nil:
			delete(b, name)
		case string:
			b[name] = cbor.Text(v)
		case int:
			b[name] = cbor.Int(int64(v))
		case cbor.Value:
			b[name] = v
		}
	}
	return b
}

const (
	hour = 60 * 60 * 1000
	noon = 1763726400000
)

var alertGiven = cbor.List(element("alerted", "Y", "who", "J. Okoro", "when", noon))

func goodVisit() answers {
	return answers{
		"visit_type":      cbor.Text("CIN"),
		"start":           cbor.Int(noon),
		"end":             cbor.Int(noon + hour),
		"contact_mode":    cbor.Text("IN_PERSON"),
		"place":           cbor.Text("HOME"),
		"outcome":         cbor.Text("COMPLETED"),
		"workers":         cbor.List(element("worker", id(1), "role", "SW")),
		"setting":         cbor.List(cbor.Text("warm, tidy")),
		schema.FactNow:    cbor.Int(noon + 2*hour),
		"worker_raw_note": cbor.List(element("kind", "TEXT", "text", "damp wall")),
	}
}

func goodChild() answers {
	return answers{
		"visit":                  id(1),
		"child":                  id(2),
		"seen":                   cbor.Text("Y"),
		"visit.visit_type":       cbor.Text("CIN"),
		schema.FactChildStatuses: cbor.List(cbor.Text("CIN")),
	}
}

func goodPlan() answers {
	return answers{
		"status":      cbor.Text("ACTIVE"),
		"review_date": cbor.Text("2026-12-01"),
		"rules":       cbor.List(element("text", "Lee does not stay overnight", "who", "Nan", "when", "every night")),
		"network":     cbor.List(element("name", "Nan", "contact", "020 7946 0000", "agreed_on", "2026-11-20")),
		"triggers":    cbor.List(element("text", "Lee is drinking")),
		"contingency": cbor.Text("If Lee comes, Nan takes the children home."),
	}
}

// Each case says what keeps answers from being complete; none: nothing does.
func TestCompleteVisits(t *testing.T) {
	wantComplete(t, []completeCase{
		{"a visit", "visit", goodVisit(), nil},
		{"an empty visit", "visit", answers{}, []string{
			"unfilled visit_type", "unfilled start", "unfilled contact_mode", "unfilled outcome", "unfilled workers"}},
		{"blank is not filled in", "visit", goodVisit().with("visit_type", " "), []string{"unfilled visit_type"}},
		{"no worker", "visit", goodVisit().with("workers", cbor.List()), []string{"unfilled workers"}},
		{"a worker without profession", "visit", goodVisit().with("workers",
			cbor.List(element("worker", id(1), "role", "SW"), element("worker", id(2)))), []string{"unfilled workers[1].role"}},
		{"ended before it started", "visit", goodVisit().with("end", noon-1), []string{"failed end end_before_start"}},
		{"ended as it started", "visit", goodVisit().with("end", noon), nil},
		{"in the future", "visit", goodVisit().with(schema.FactNow, noon-1), []string{"failed start start_in_future"}},
		{"no clock", "visit", goodVisit().with(schema.FactNow, nil), nil},
		{"twelve hours", "visit", goodVisit().with("end", noon+12*hour), nil},
		{"longer", "visit", goodVisit().with("end", noon+12*hour+1), []string{"warn end longer_than_12_hours"}},
		{"protection visit, announced unsaid", "visit", goodVisit().with("visit_type", "CP"), []string{"unfilled announced"}},
		{"protection visit", "visit", goodVisit().with("visit_type", "CP", "announced", "UNANNOUNCED"), nil},
		{"a plan is open", "visit", goodVisit().with(schema.FactPlanOpen, cbor.Bool(true)), []string{"unfilled purpose"}},
		{"no plan is open", "visit", goodVisit().with(schema.FactPlanOpen, cbor.Bool(false)), nil},
		{"a plan is open, and the purpose given", "visit", goodVisit().with(schema.FactPlanOpen, cbor.Bool(true), "purpose", "rule 2"), nil},
		{"nobody opened", "visit", goodVisit().with("outcome", "NO_REPLY", "end", nil, "place", nil), []string{
			"unfilled outcome_reason", "unfilled outcome_action", "unfilled manager_alert", "failed manager_alert manager_not_told"}},
		{"nobody opened, manager not told", "visit", goodVisit().with("outcome", "NO_REPLY", "outcome_reason", "no answer",
			"outcome_action", "card left", "manager_alert", cbor.List(element("alerted", "N"))),
			[]string{"failed manager_alert manager_not_told"}},
		{"nobody opened, all said", "visit", goodVisit().with("outcome", "NO_REPLY", "outcome_reason", "no answer",
			"outcome_action", "card left", "manager_alert", alertGiven), nil},
		{"a stranger not described", "visit", goodVisit().with("present",
			cbor.List(element("person", id(3)), element("role", "uncle?"))), []string{"unfilled present[1].described"}},
		{"a stranger described", "visit", goodVisit().with("present", cbor.List(element("described", "man, about 40, red jacket"))), nil},
	})
}

func TestCompleteChildParts(t *testing.T) {
	wantComplete(t, []completeCase{
		{"a child's part", "visit_child", goodChild(), nil},
		{"an empty part", "visit_child", answers{}, []string{"unfilled visit", "unfilled child", "unfilled seen"}},
		{"alone but not seen", "visit_child", goodChild().with("seen", "N", "seen_alone", "Y"), []string{"failed seen_alone alone_but_not_seen"}},
		{"alone, seen unsaid", "visit_child", goodChild().with("seen", nil, "seen_alone", "Y"),
			[]string{"unfilled seen", "failed seen_alone alone_but_not_seen"}},
		{"seen alone", "visit_child", goodChild().with("seen_alone", "Y"), nil},
		{"looked after by type, not alone", "visit_child", goodChild().with("visit.visit_type", "CLA", "seen_alone", "N",
			"analysis", "x", schema.FactChildStatuses, nil), []string{"unfilled not_alone_reason"}},
		{"looked after by status, not alone", "visit_child", goodChild().with("seen_alone", "N",
			schema.FactChildStatuses, cbor.List(cbor.Text("CIN"), cbor.Text("CLA"))), []string{"unfilled not_alone_reason"}},
		{"looked after, infant", "visit_child", goodChild().with("visit.visit_type", "CLA", "seen_alone", "NA_INFANT",
			"analysis", "x", schema.FactChildStatuses, nil), nil},
		{"in need, not alone", "visit_child", goodChild().with("seen_alone", "N"), nil},
		{"protection visit without analysis", "visit_child", goodChild().with("visit.visit_type", "CP",
			schema.FactChildStatuses, cbor.List(cbor.Text("CP"))), []string{"unfilled analysis"}},
		{"type is not the status", "visit_child", goodChild().with("visit.visit_type", "CP", "analysis", "x"),
			[]string{"warn child visit_type_not_status_CP"}},
		{"injury alone", "visit_child", goodChild().with("injury_seen", "Y"),
			[]string{"failed body_map injury_without_body_map", "failed injury_seen injury_not_told"}},
		{"injury with map and alert", "visit_child", goodChild().with("injury_seen", "Y", "visit.manager_alert", alertGiven,
			"body_map", cbor.List(element("region", "left arm", "observed_at", noon, "observer", "A. Shah"))), nil},
		{"worry without reason", "visit_child", goodChild().with("worry_level_change",
			cbor.List(element("change", "SAME", "why", "as before"), element("change", "WORSE"))),
			[]string{"unfilled worry_level_change[1].why"}},
	})
}

func TestCompletePlans(t *testing.T) {
	wantComplete(t, []completeCase{
		{"a plan in force", "plan", goodPlan(), nil},
		{"an empty plan", "plan", answers{}, []string{"unfilled status"}},
		{"a draft", "plan", answers{"status": cbor.Text("DRAFT")}, nil},
		{"in force, and empty", "plan", answers{"status": cbor.Text("ACTIVE")}, []string{
			"unfilled review_date", "unfilled rules", "unfilled network", "unfilled triggers", "unfilled contingency",
			"failed network nobody_safe_in_network"}},
		{"a rule without who and when", "plan", goodPlan().with("rules", cbor.List(element("text", "be kind"))),
			[]string{"unfilled rules[0].who", "unfilled rules[0].when"}},
		{"only the risk person helps", "plan", goodPlan().with("network", cbor.List(
			element("name", "Lee", "contact", "-", "agreed_on", "2026-11-20", "poses_risk", "Y"))), []string{"failed network nobody_safe_in_network"}},
		{"the risk person among others", "plan", goodPlan().with("network", cbor.List(
			element("name", "Lee", "contact", "-", "agreed_on", "2026-11-20", "poses_risk", "Y"),
			element("name", "Nan", "contact", "-", "agreed_on", "2026-11-20", "poses_risk", "N"))), nil},
		{"bottom lines not approved", "plan", goodPlan().with("bottom_lines", "No contact."), []string{"failed bottom_lines bottom_lines_not_approved"}},
		{"bottom lines approved", "plan", goodPlan().with("bottom_lines", "No contact.",
			schema.FactApproved, cbor.List(cbor.Text("bottom_lines"))), nil},
	})
}

func TestCompleteOthers(t *testing.T) {
	wantComplete(t, []completeCase{
		{"a person", "person", answers{"names": cbor.Text("Ayşe Demir")}, nil},
		{"born and expected", "person", answers{"names": cbor.Text("A"), "dob": cbor.Text("2020-01-01"), "expected_dob": cbor.Text("2020-01-02")},
			[]string{"failed expected_dob born_and_expected"}},
		{"unborn with a sex", "person", answers{"names": cbor.Text("A"), "sex": cbor.Text("F"), "expected_dob": cbor.Text("2027-01-02")},
			[]string{"failed sex unborn_with_sex"}},
		{"a child without a birth date", "person", answers{"names": cbor.Text("A"), "la_child_id": cbor.Text("77")},
			[]string{"failed dob child_without_birth_date"}},
		{"a child expected", "person", answers{"names": cbor.Text("A"), "la_child_id": cbor.Text("77"), "expected_dob": cbor.Text("2027-01-02")}, nil},
		{"no disability and one", "person", answers{"names": cbor.Text("A"),
			"disability": cbor.List(element("code", "NONE"), element("code", "LD"))}, []string{"failed disability none_beside_disability"}},
		{"two disabilities", "person", answers{"names": cbor.Text("A"),
			"disability": cbor.List(element("code", "AUT"), element("code", "LD"))}, nil},
		{"an address that ends before it began", "person", answers{"names": cbor.Text("A"),
			"address": cbor.List(element("text", "1 High St", "from", "2026-02-01", "to", "2026-01-31"))},
			[]string{"failed address[0].to ends_before_start"}},
		{"a risk without review", "person", answers{"names": cbor.Text("A"),
			"hazard": cbor.List(element("code", "ANIMAL", "text", "dog"))}, []string{"unfilled hazard[0].review_date"}},

		{"related to oneself", "family", answers{"name": cbor.Text("Demir"),
			"relationship": cbor.List(element("a", id(1), "b", id(1), "type", "SIBLING"))}, []string{"failed relationship[0].b related_to_self"}},
		{"a period that ends before it began", "status", answers{"child": id(1), "kind": cbor.Text("CIN"),
			"from": cbor.Text("2026-02-01"), "to": cbor.Text("2026-01-01")}, []string{"failed to ends_before_start"}},
		{"a protection plan of no days", "status", answers{"child": id(1), "kind": cbor.Text("CP"), "category_initial": cbor.Text("NEG"),
			"from": cbor.Text("2026-02-01"), "to": cbor.Text("2026-02-01")}, []string{"failed to protection_plan_of_no_days"}},
		{"looked after without legal status", "status", answers{"child": id(1), "kind": cbor.Text("CLA"), "from": cbor.Text("2026-02-01")},
			[]string{"unfilled legal_status"}},
		{"a frequency without unit", "status", answers{"child": id(1), "kind": cbor.Text("CIN"), "from": cbor.Text("2026-02-01"),
			"visit_frequency": element("n", 10)}, []string{"unfilled visit_frequency.unit"}},
		{"cancelled without reason", "action", answers{"description": cbor.Text("see GP"), "due": cbor.Text("2026-12-01"),
			"owner": element("name", "Nan"), "status": cbor.Text("CANCELLED")}, []string{"unfilled status_reason"}},
	})
}

type completeCase struct {
	name string
	kind string
	with answers
	want []string // problems, as tell writes them
}

func wantComplete(t *testing.T, cases []completeCase) {
	t.Helper()
	for _, c := range cases {
		kind, ok := schema.Newest(c.kind)
		if !ok {
			t.Fatalf("no kind %q", c.kind)
		}
		if got := tell(kind.Complete(c.with.get)); !slices.Equal(got, c.want) {
			t.Errorf("%s:\n got %q\nwant %q", c.name, got, c.want)
		}
	}
}

// tell writes problems as "unfilled rules[0].who" or "failed end end_before_start".
func tell(problems []schema.Problem) []string {
	var out []string
	for _, p := range problems {
		s := "unfilled "
		if p.Code == schema.FailedCheck {
			s = "failed "
		}
		if p.Warn {
			s = "warn "
		}
		s += p.Field
		if p.Element >= 0 {
			s += "[" + strconv.Itoa(p.Element) + "]"
		}
		if p.Part != "" {
			s += "." + p.Part
		}
		if p.Check != "" {
			s += " " + p.Check
		}
		if p.Plain == "" {
			s += " without words"
		}
		out = append(out, s)
	}
	return out
}
