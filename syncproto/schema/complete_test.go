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
		{"died before birth", "person", answers{"names": cbor.Text("A"), "dob": cbor.Text("2020-01-02"), "died": cbor.Text("2020-01-01")},
			[]string{"failed died died_before_birth"}},
		{"died on the day of birth", "person", answers{"names": cbor.Text("A"), "dob": cbor.Text("2020-01-02"), "died": cbor.Text("2020-01-02")}, nil},
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

// danger is a danger statement with its goal, whole.
func danger(pairs ...any) cbor.Value {
	whole := []any{"who", "school and Nan", "what", "Lee hit Mum in front of Ada", "impact", "Ada may be hurt", "goal_parents", "Lee stays away",
		"goal_child", "nobody shouts", "goal_seen", "calm pick-ups", "goal_how_long", "six months"}
	return element(append(whole, pairs...)...)
}

func TestCompleteDirectWork(t *testing.T) {
	mapping := answers{"children": cbor.List(element("child", id(1))), "held_on": cbor.Text("2026-11-20"), "dangers": cbor.List(danger())}
	ruler := func(min, score int) cbor.Value {
		return cbor.List(element("ruler", "READINESS", "min", min, "max", 10, "score", score))
	}
	talk := answers{"person": id(1), "held_on": cbor.Text("2026-11-20"), "focus": cbor.Text("drinking at home")}
	parenting := answers{"parent": id(1), "programme": cbor.Text("TRIPLE_P"), "from": cbor.Text("2026-09-01")}
	before := element("instrument", "SDQ", "point", "PRE", "date", "2026-09-01", "sdq", 18)
	after := element("instrument", "SDQ", "point", "POST", "date", "2026-11-01", "sdq", 11)
	wantComplete(t, []completeCase{
		{"a mapping", "mapping", mapping, nil},
		{"a danger without its goal", "mapping", mapping.with("dangers", cbor.List(element("who", "Nan", "what", "x", "impact", "y"))), []string{
			"unfilled dangers[0].goal_parents", "unfilled dangers[0].goal_child", "unfilled dangers[0].goal_seen", "unfilled dangers[0].goal_how_long"}},
		{"four dangers", "mapping", mapping.with("dangers", cbor.List(danger(), danger(), danger(), danger())), []string{"warn dangers more_than_three_dangers"}},
		{"safety against no danger", "mapping", mapping.with("existing_safety", cbor.List(element("text", "Nan took Ada home"))),
			[]string{"unfilled existing_safety[0].danger"}},
		{"on the ruler", "motivational", talk.with("rulers", ruler(0, 0)), nil},
		{"below the ruler", "motivational", talk.with("rulers", ruler(1, 0)), []string{"failed rulers[0].score off_the_ruler"}},
		{"another programme, unnamed", "parenting", parenting.with("programme", "OTHER"), []string{"unfilled programme_other"}},
		{"missed without reason", "parenting", parenting.with("sessions", cbor.List(element("no", 1, "attendance", "MISSED"))),
			[]string{"unfilled sessions[0].reason"}},
		{"ended with a measure from before alone", "parenting", parenting.with("to", "2026-11-01", "measures", cbor.List(before)),
			[]string{"warn measures no_measure_after"}},
		{"measured before and after", "parenting", parenting.with("to", "2026-11-01", "measures", cbor.List(before, after)), nil},
		{"a session for no child", "fit_session", answers{"adult": id(1), "held_on": cbor.Text("2026-11-20"), "strand": cbor.Text("DA")},
			[]string{"unfilled children", "unfilled child_impact"}},
		{"words and pictures without the words", "child_tool", answers{"child": id(1), "tool": cbor.Text("WORDS_PICTURES"),
			"done_on": cbor.Text("2026-11-20")}, []string{"unfilled storyboard"}},
		{"shared without leave", "child_tool", answers{"child": id(1), "tool": cbor.Text("FAIRY"), "done_on": cbor.Text("2026-11-20"),
			"share_with": cbor.List(element("name", "Mum")), "may_share": cbor.Text("N")}, []string{"failed share_with shared_without_leave"}},
	})
}

func TestCompleteMissingAndExploited(t *testing.T) {
	episode := answers{"child": id(1), "state": cbor.Text("OPEN"), "type": cbor.Text("M"), "start": cbor.Int(noon), schema.FactNow: cbor.Int(noon + hour)}
	interview := answers{"child": id(1), "episode": id(2), "returned_at": cbor.Int(noon), "offered": cbor.Text("Y"), "offered_at": cbor.Int(noon + hour),
		"accepted": cbor.Text("Y"), "held_at": cbor.Int(noon + 72*hour), "interviewer": cbor.Text("J. Bell"), "independent": cbor.Text("Y"),
		"prevent": cbor.Text("ring Nan")}
	referral := answers{"person": id(1), "under_18": cbor.Text("Y"), "decision": cbor.Text("REFER"), "decision_why": cbor.Text("county lines"),
		"safeguarding": cbor.List(element("at", noon, "what", "safe with Nan", "by", "A. Shah"))}
	wantComplete(t, []completeCase{
		{"still missing", "missing_episode", episode, nil},
		{"closed without an end", "missing_episode", episode.with("state", "CLOSED"), []string{"unfilled end"}},
		{"back before they left", "missing_episode", episode.with("state", "CLOSED", "end", noon-1), []string{"failed end end_before_start"}},
		{"back, and still open", "missing_episode", episode.with("end", noon+1), []string{"warn state ended_and_open"}},
		{"harm not said", "missing_episode", episode.with("harmed", "Y"), []string{"unfilled harm"}},
		{"an interview in time", "return_interview", interview, nil},
		{"later than 72 hours", "return_interview", interview.with("held_at", noon+72*hour+1), []string{"warn held_at later_than_72_hours"}},
		{"interviewed by the carer", "return_interview", interview.with("independent", "N"), []string{"failed independent not_independent"}},
		{"never offered", "return_interview", answers{"child": id(1), "episode": id(2), "returned_at": cbor.Int(noon), "offered": cbor.Text("N")},
			[]string{"unfilled not_offered_why"}},
		{"declined", "return_interview", interview.with("accepted", "N", "held_at", nil, "interviewer", nil, "independent", nil, "prevent", nil),
			[]string{"unfilled not_held_why"}},
		{"an indicator unexplained", "exploitation", answers{"child": id(1), "assessed_on": cbor.Text("2026-11-20"), "grade": cbor.Text("HIGH"),
			"types": cbor.List(element("type", "CCE")), "professional_judgement": cbor.Text("x"),
			"indicators": cbor.List(element("code", "DEBT", "level", "CURRENT_3M"), element("code", "DRUGS", "level", "NONE"))},
			[]string{"unfilled indicators[0].explanation"}},
		{"a referral", "nrm_referral", referral, nil},
		{"a child not referred, by nobody", "nrm_referral", referral.with("decision", "NOT_REFER"), []string{"unfilled manager"}},
		{"an adult not referred", "nrm_referral", referral.with("decision", "NOT_REFER", "under_18", "N"), nil},
		{"not made safe first", "nrm_referral", referral.with("safeguarding", nil), []string{"unfilled safeguarding"}},
	})
}

func TestCompleteTalk(t *testing.T) {
	talk := answers{"held_on": cbor.Text("2026-11-20"), "attendees": cbor.List(element("worker", id(1)))}
	wantComplete(t, []completeCase{
		{"ideas alone", "reflective_group", talk.with("ideas", cbor.List(element("text", "ask Nan"))), nil},
		{"a decision of nobody", "supervision", talk.with("decision", "close the case"),
			[]string{"unfilled rationale", "unfilled manager", "failed decision decision_without_manager"}},
		{"a decision", "consultation", talk.with("decision", "step down", "rationale", "six calm months", "manager", id(2)), nil},
		{"observed without consent", "observation", answers{"worker": id(1), "held_on": cbor.Text("2026-11-20"), "consent": cbor.Text("N")},
			[]string{"failed consent observed_without_consent"}},
		{"a volunteer's contact that ends before it began", "volunteer_log", answers{"contact": cbor.List(element("date", "2026-11-20",
			"start", noon, "end", noon-1, "activity", "PLAY"))}, []string{"failed contact[0].end end_before_start"}},
	})
}

// TestMeasuresOutOfRangeAreRefused: a total of the questionnaire is 0 to 40, a place
// on the scale 0 to 10.
func TestMeasuresOutOfRangeAreRefused(t *testing.T) {
	parenting, _ := schema.Newest("parenting")
	measures, _ := parenting.Field("measures")
	reading := func(total int) cbor.Value {
		return element("instrument", "SDQ", "point", "PRE", "date", "2026-09-01", "sdq", total)
	}
	if p := measures.CheckElement(reading(40)); !p.OK() {
		t.Errorf("40: %v", p)
	}
	for _, total := range []int{-1, 41} {
		if p := measures.CheckElement(reading(total)); p.Code != schema.OutOfBounds || p.Part != "sdq" {
			t.Errorf("%d: %v", total, p)
		}
	}
	mapping, _ := schema.Newest("mapping")
	score, _ := mapping.At("scores", "score")
	if !score.CheckValue(cbor.Int(10)).OK() || score.CheckValue(cbor.Int(11)).OK() || score.CheckValue(cbor.Int(-1)).OK() {
		t.Error("the safety scale is not 0 to 10")
	}
}
