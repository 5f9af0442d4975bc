package access

import (
	"strings"
	"testing"

	"doorstep/syncproto/schema"
)

func TestExplain(t *testing.T) {
	cases := []struct {
		q    Question
		want string
	}{
		{Question{Role: RolePractitioner, Basis: BasisLead, Kind: "visit_child", Label: schema.Attested, Rule: schema.Protect, Action: ActionDecide},
			"a practitioner who is lead worker may settle a disagreement about an attested fact of a record of kind child's part of a visit: " +
				"the lead worker answers for facts and judgements."},
		{Question{Role: RolePractitioner, Basis: BasisCo, Kind: "visit", Label: schema.Judgement, Rule: schema.Human, Action: ActionDecide},
			"a practitioner who is co-worker may not settle a disagreement about a judgement of a record of kind visit: " +
				"nothing in the table allows it. Who may: a practitioner who is lead worker; " +
				"a practitioner who is co-worker who began the record; a manager who manages the family's team."},
		{Question{Role: RoleCoordinator, Basis: BasisCoord, Kind: "visit_child", Label: schema.Verbatim, Rule: schema.Log, Action: ActionEdit},
			"a co-ordinator who co-ordinates the family's team may not change words as spoken of a record of kind child's part of a visit: " +
				"words as they were spoken are never changed. Nobody may."},
		{Question{Role: RoleIT, Kind: "plan", Action: ActionRead},
			"an IT administrator with no relation to the family may not read a record of kind safety plan: " +
				"IT administration never sees or changes content. Who may: a practitioner who is lead worker; " +
				"a practitioner who is co-worker; a co-ordinator who co-ordinates the family's team; a manager who manages the family's team."},
		{Question{Role: RolePractitioner, Basis: BasisDenied, Kind: "visit", Action: ActionCreate},
			"a practitioner who is kept out of the family may not begin a record of kind visit: the person is kept out of this family. " +
				"Who may: a practitioner who is lead worker; a practitioner who is co-worker; the borough's import."},
		{Question{Kind: "diary", Action: "burn"},
			"a person without a role with no relation to the family may not do something unknown to a record of an unknown kind: " +
				"nothing in the table allows it. Nobody may."},
	}
	for _, c := range cases {
		if got := Explain(c.q); got != c.want {
			t.Errorf("%+v:\n got %s\nwant %s", c.q, got, c.want)
		}
	}
}

// TestEveryActionHasWords: no question is answered with an empty or unfinished
// sentence.
func TestEveryActionHasWords(t *testing.T) {
	for _, a := range everyAction[:len(everyAction)-3] {
		if deeds[a] == "" {
			t.Errorf("no words for %s", a)
		}
	}
	n := 0
	for q := range everyQuestion {
		if q.Imported || q.Rule != schema.Human || q.Kind != "visit" {
			continue
		}
		n++
		if s := Explain(q); strings.Contains(s, "%") || strings.Contains(s, "  ") || !strings.HasSuffix(s, ".") {
			t.Fatalf("%+v: %q", q, s)
		}
	}
	if n == 0 {
		t.Fatal("no question asked")
	}
}
