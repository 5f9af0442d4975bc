package schema_test

import (
	"slices"
	"strings"
	"testing"

	"doorstep/syncproto/cbor"
	"doorstep/syncproto/schema"
)

func TestKinds(t *testing.T) {
	want := []string{"family", "person", "allocation", "status", "visit", "visit_child", "child_tool", "mapping",
		"plan", "action", "motivational", "systemic", "parenting", "fit_session", "disclosure", "missing_episode", "return_interview",
		"intelligence", "exploitation", "nrm_referral", "volunteer_match", "volunteer_log", "volunteer_concern", "minutes", "supervision",
		"consultation", "reflective_group", "supervision_personal", "observation"}
	var got []string
	for _, k := range schema.All() {
		got = append(got, k.ID)
		if found, ok := schema.Lookup(k.ID, k.Version); !ok || found != k {
			t.Errorf("%s: Lookup does not find it", k.ID)
		}
		if found, ok := schema.Newest(k.ID); !ok || found.ID != k.ID {
			t.Errorf("%s: Newest does not find it", k.ID)
		}
	}
	if !slices.Equal(got, want) {
		t.Errorf("kinds %v, want %v", got, want)
	}
	if _, ok := schema.Lookup("visit", 99); ok {
		t.Error("Lookup finds a version nobody wrote")
	}
	if _, ok := schema.Newest("diary"); ok {
		t.Error("Newest finds a kind nobody wrote")
	}
}

func TestPartsOfAVisit(t *testing.T) {
	visit, _ := schema.Newest("visit")
	child, _ := schema.Newest("visit_child")
	if parts := visit.Parts(); len(parts) != 1 || parts[0] != child {
		t.Errorf("parts of a visit: %v", parts)
	}
	if whole, ok := child.Whole(); !ok || whole != visit {
		t.Errorf("a child's part belongs to %v", whole)
	}
	if _, ok := visit.Whole(); ok {
		t.Error("a visit is a part of something")
	}
	for _, k := range schema.All() {
		finalises := slices.Contains([]string{"visit", "visit_child", "child_tool", "mapping", "plan", "motivational", "systemic",
			"parenting", "fit_session", "missing_episode", "return_interview", "exploitation", "nrm_referral", "consultation", "minutes"}, k.ID)
		if k.Finalises != finalises || k.NeedsConfirmation != finalises {
			t.Errorf("%s: Finalises %v, NeedsConfirmation %v, want both %v", k.ID, k.Finalises, k.NeedsConfirmation, finalises)
		}
	}
}

func TestAt(t *testing.T) {
	plan, _ := schema.Newest("plan")
	cases := []struct {
		field, sub string
		ok         bool
	}{
		{"rules", "", true}, {"rules", "who", true}, {"rules", "whom", false}, {"rule", "", false}, {"", "", false}, {"status", "x", false},
	}
	for _, c := range cases {
		if _, ok := plan.At(c.field, c.sub); ok != c.ok {
			t.Errorf("At(%q, %q): %v, want %v", c.field, c.sub, ok, c.ok)
		}
	}
}

// TestWellFormed holds every kind to what the types promise.
func TestWellFormed(t *testing.T) {
	for _, k := range schema.All() {
		if k.Version == 0 || k.Name == "" {
			t.Errorf("%s: no version or name", k.ID)
		}
		fields := place{t: t, name: k.ID}
		fields.checkFields(k.Fields)
		for i := range k.Fields {
			f := &k.Fields[i]
			at := place{t: t, name: k.ID + "." + f.ID}
			at.checkField(f)
			at.want(f.Hint.Section != "", "no section in its hint")
			at.checkConditions(f.RequiredIf, lookupIn(k))
			inner := lookupIn(k)
			if len(f.Sub) > 0 {
				inner = lookupSub(f)
			}
			at.checkChecks(f.Checks, inner)
			for j := range f.Sub {
				sub := place{t: t, name: at.name + "." + f.Sub[j].ID}
				sub.checkPart(f, &f.Sub[j])
				sub.checkConditions(f.Sub[j].RequiredIf, inner)
			}
		}
		fields.checkChecks(k.Checks, lookupIn(k))
	}
}

// place is a part of the schema under test.
type place struct {
	t    *testing.T
	name string
}

func (p place) want(ok bool, what string) {
	if !ok {
		p.t.Errorf("%s: %s", p.name, what)
	}
}

func (p place) checkFields(fields []schema.Field) {
	ids, orders, labels := map[string]bool{}, map[int]bool{}, map[string]bool{}
	for _, f := range fields {
		p.want(f.ID != "" && !ids[f.ID], "id twice or empty: "+f.ID)
		p.want(strings.Trim(f.ID, "abcdefghijklmnopqrstuvwxyz_0123456789") == "" && len(f.ID) <= 64, "id not snake_case: "+f.ID)
		p.want(f.Hint.Order > 0 && !orders[f.Hint.Order], "order twice or nought: "+f.ID)
		p.want(f.Hint.Label != "" && !labels[f.Hint.Label], "form label twice or empty: "+f.ID)
		p.want(len(f.Hint.Label) <= 50, "form label too long: "+f.ID)
		ids[f.ID], orders[f.Hint.Order], labels[f.Hint.Label] = true, true, true
	}
}

func (p place) checkField(f *schema.Field) {
	p.want(f.Rule >= schema.Own && f.Rule <= schema.Derived, "no rule")
	p.want(f.Label >= schema.Admin && f.Label <= schema.Judgement, "no label")
	p.want(f.IsCollection() == (f.Type == 0), "a collection has no type of its own, anything else has one")
	needsSub := f.IsCollection() || f.Type == schema.TypeStruct
	p.want(needsSub == (len(f.Sub) > 0), "parts missing or out of place")
	p.want(!f.KeepRemoved || f.Rule == schema.Union, "only a union can keep what was removed")
	p.want(f.Label != schema.Verbatim || f.Rule == schema.Log, "verbatim words are kept in a log")
	p.want((f.Rule == schema.Own) == (f.SlotOf != schema.SlotNone), "an own field, and no other, says whose slots it has")
	p.want(!f.Prepared || f.Rule == schema.Text && f.Label != schema.Admin, "prepared text is text that is not administrative")
	p.want(!f.ManagerApproves || f.Rule == schema.Human, "a manager decides between values of human fields")
	p.checkFields(f.Sub)
	p.checkValueType(f)
}

func (p place) checkPart(parent, f *schema.Field) {
	p.want(!f.IsCollection() || parent.Rule == schema.Log, "no collections within collections")
	if parent.Rule == schema.Union {
		allowed := []schema.Rule{schema.Human, schema.Text, schema.Latest, schema.Protect, schema.Server}
		p.want(slices.Contains(allowed, f.Rule), "a rule that parts cannot have")
	} else {
		p.want(f.Rule == parent.Rule, "not the rule of the whole it is set with")
	}
	p.want(len(f.Sub) == 0 && f.Type != 0 && f.Type != schema.TypeStruct, "nested deeper than a path reaches")
	if parent.Label == schema.Verbatim {
		p.want(f.Label == schema.Verbatim, "not verbatim within verbatim")
	}
	p.checkValueType(f)
}

func (p place) checkValueType(f *schema.Field) {
	p.want(f.Type <= schema.TypeHash, "unknown type")
	p.want((f.Type == schema.TypeCode) == (len(f.Codes.All()) > 0), "code set missing or out of place")
	p.want((f.Type == schema.TypeRef) == (f.RefKind != ""), "RefKind missing or out of place")
	p.want(f.RefKind == "" || refersToSomething(f.RefKind), "RefKind names nothing")
	p.want(f.Type != schema.TypeLine || f.Max > 0 && f.Max <= schema.MaxValueBytes, "a line needs a limit")
	p.want((f.Rule == schema.Text) == (f.Type == schema.TypeProse && f.Rule != schema.Own), "prose and the rule text go together")
	p.want(f.Format == schema.FormatAny || f.Type == schema.TypeLine, "only lines have a format")
	p.want(!f.Hint.Long || f.Type == schema.TypeLine, "only lines can ask for several lines")
	p.want((f.Rule == schema.Protect) == (len(f.Protective) > 0), "protective order missing or out of place")
	codes := map[string]bool{}
	for _, c := range f.Codes.All() {
		p.want(c.Code != "" && c.Label != "" && !codes[c.Code], "code twice or empty: "+c.Code)
		codes[c.Code] = true
	}
	if f.Rule == schema.Protect {
		p.want(len(f.Protective) == len(f.Codes.All())+1, "every code and null has its place in the protective order")
	}
	for i, v := range f.Protective {
		p.want(f.CheckValue(v).OK() && !slices.ContainsFunc(f.Protective[:i], v.Equal), "protective value twice or not allowed")
	}
}

func refersToSomething(name string) bool {
	if _, ok := schema.Newest(name); ok || name == "user" {
		return true
	}
	for _, k := range schema.All() {
		if f, ok := k.Field(name); ok && f.IsCollection() {
			return true
		}
	}
	return false
}

// lookup finds what a condition speaks of; nil for a fact.
type lookup func(name string) (f *schema.Field, ok bool)

func fact(name string) bool {
	return slices.Contains([]string{schema.FactNow, schema.FactPlanOpen, schema.FactChildStatuses, schema.FactApproved}, name)
}

func lookupIn(k *schema.Kind) lookup {
	return func(name string) (*schema.Field, bool) {
		if fact(name) {
			return nil, true
		}
		if part, field, dotted := strings.Cut(name, "."); dotted {
			whole, ok := k.Whole()
			if !ok || part != k.Part {
				return nil, false
			}
			return whole.Field(field)
		}
		return k.Field(name)
	}
}

func lookupSub(f *schema.Field) lookup {
	return func(name string) (*schema.Field, bool) {
		if fact(name) {
			return nil, true
		}
		return f.SubField(name)
	}
}

func (p place) checkChecks(checks []schema.Check, find lookup) {
	ids := map[string]bool{}
	for _, c := range checks {
		p.want(c.ID != "" && !ids[c.ID], "check twice or without id: "+c.ID)
		ids[c.ID] = true
		p.want(c.Plain != "" && len(c.Then) > 0, "check without words or test: "+c.ID)
		_, ok := find(c.Field)
		p.want(ok, "check on no field: "+c.ID)
		p.checkConditions(c.If, find)
		p.checkConditions(c.Then, find)
	}
}

func (p place) checkConditions(conditions []schema.Condition, find lookup) {
	for _, c := range conditions {
		if c.Test == schema.AnyOf {
			p.want(len(c.Where) > 1 && c.Field == "", "any of less than two")
			p.checkConditions(c.Where, find)
			continue
		}
		f, ok := find(c.Field)
		p.want(ok, "condition on no field: "+c.Field)
		values := c.Test == schema.OneOf || c.Test == schema.NoneOf
		p.want(values == (len(c.Values()) > 0), "values missing or out of place: "+c.Field)
		other := c.Test == schema.NotBefore || c.Test == schema.Within || c.Test == schema.Differs
		p.want(other == (c.Other != ""), "other field missing or out of place: "+c.Field)
		if other {
			_, ok = find(c.Other)
			p.want(ok, "compared with no field: "+c.Other)
		}
		if f == nil {
			continue
		}
		for _, v := range c.Values() {
			p.want(f.CheckValue(v).OK(), "condition on a value that cannot be: "+c.Field)
		}
		if c.Test == schema.AtLeast || c.Test == schema.AtMost {
			p.want(f.IsCollection(), "counting what is no collection: "+c.Field)
			p.checkConditions(c.Where, lookupSub(f))
		}
	}
}

// TestPreparedText: what a coordinator may write without the
// author's confirmation being void is administrative, and nothing else.
func TestPreparedText(t *testing.T) {
	var prepared []string
	for _, k := range schema.All() {
		for _, f := range k.Fields {
			if f.Prepared {
				prepared = append(prepared, k.ID+"."+f.ID)
			}
		}
	}
	if !slices.Equal(prepared, []string{"visit.household_summary"}) {
		t.Errorf("prepared text: %v", prepared)
	}
}

func TestCorrectionReasons(t *testing.T) {
	var got []string
	for _, c := range schema.CorrectionReasons() {
		got = append(got, c.Code)
	}
	if want := []string{"TYPO", "WRONG_PERSON", "WRONG_DATE", "FACT_ERROR", "OTHER"}; !slices.Equal(got, want) {
		t.Errorf("reasons %v, want %v", got, want)
	}
}

func TestStatutoryPolicy(t *testing.T) {
	good := schema.VisitAnswers{
		VisitType: "CP", ContactMode: "IN_PERSON", Outcome: "COMPLETED", Place: "HOME", Roles: []string{"CLIN", "SW"}, Seen: "Y",
	}
	cases := []struct {
		name   string
		change func(*schema.VisitAnswers)
		want   bool
	}{
		{"as it should be", func(*schema.VisitAnswers) {}, true},
		{"looked after, in the placement", func(a *schema.VisitAnswers) { a.VisitType, a.Place = "CLA", "PLACEMENT" }, true},
		{"not seen", func(a *schema.VisitAnswers) { a.Seen = "N" }, false},
		{"seen is disputed", func(a *schema.VisitAnswers) { a.Seen = "" }, false},
		{"by video", func(a *schema.VisitAnswers) { a.ContactMode = "VIDEO" }, false},
		{"nobody opened", func(a *schema.VisitAnswers) { a.Outcome = "NO_REPLY" }, false},
		{"in the office", func(a *schema.VisitAnswers) { a.Place = "OFFICE" }, false},
		{"no qualified worker", func(a *schema.VisitAnswers) { a.Roles = []string{"FAMILY_SUPPORT", "VOL", "STUDENT_SW", "LEAD"} }, false},
		{"no worker", func(a *schema.VisitAnswers) { a.Roles = nil }, false},
		{"a volunteer's visit", func(a *schema.VisitAnswers) { a.VisitType = "VOLUNTEER" }, false},
		{"no type", func(a *schema.VisitAnswers) { a.VisitType = "" }, false},
		{"no place", func(a *schema.VisitAnswers) { a.Place = "" }, false},
	}
	for _, c := range cases {
		a := good
		a.Roles = slices.Clone(good.Roles)
		c.change(&a)
		if got := schema.Statutory().Counts(a); got != c.want {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
}

// TestStatutoryPolicyNamesRealCodes: a code that no field has would never count.
func TestStatutoryPolicyNamesRealCodes(t *testing.T) {
	visit, _ := schema.Newest("visit")
	child, _ := schema.Newest("visit_child")
	policy := schema.Statutory()
	has := func(k *schema.Kind, field, sub, code string) {
		t.Helper()
		if f, ok := k.At(field, sub); !ok || !f.CheckValue(cbor.Text(code)).OK() {
			t.Errorf("%s.%s %s: no code %q", k.ID, field, sub, code)
		}
	}
	has(visit, "contact_mode", "", policy.ContactMode)
	has(visit, "outcome", "", policy.Outcome)
	has(child, "seen", "", policy.Seen)
	for _, v := range policy.Visits {
		has(visit, "visit_type", "", v.VisitType)
		for _, r := range v.Roles {
			has(visit, "workers", "role", r)
		}
		for _, p := range v.Places {
			has(visit, "place", "", p)
		}
	}
	for _, f := range policy.VisitFields {
		if _, ok := visit.Field(f); !ok {
			t.Errorf("no field visit.%s", f)
		}
	}
	for _, f := range policy.ChildFields {
		if _, ok := child.Field(f); !ok {
			t.Errorf("no field visit_child.%s", f)
		}
	}
}
