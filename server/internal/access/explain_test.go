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
		{Question{Role: RoleSocialWorker, Basis: BasisLead, Group: GroupVisit, Label: schema.Attested, Rule: schema.Protect, Action: ActionDecide},
			"a social worker who is lead worker may settle a disagreement about an attested fact of visits: " +
				"the lead worker answers for facts and judgements."},
		{Question{Role: RoleCoordinator, Basis: BasisCoord, Group: GroupVisit, Label: schema.Verbatim, Rule: schema.Log, Action: ActionEdit},
			"a coordinator who coordinates the family's team may not change words as spoken of visits: " +
				"words as they were spoken are never changed. Nobody may."},
		{Question{Role: RoleIT, Group: GroupConsult, Action: ActionFinalise},
			"an IT administrator with no relation to the family may not finalise consultations and systemic work: " +
				"IT administration never sees or changes content. Who may: a coordinator who coordinates the family's team."},
		{Question{Role: RolePractitioner, Basis: BasisRelative, Group: GroupFIT, Action: ActionCreate},
			"a practitioner who is a relative of the family may not begin sessions with an adult: the person is kept out of this family. " +
				"Who may: a FIT specialist who works with an adult of the family."},
		{Question{Role: RoleManager, Basis: BasisManager, Group: GroupPlan, Action: ActionQuery, Restricted: true},
			"a manager who manages the family's team may not ask about plans and direct work: the file is restricted, and nobody let the person in. " +
				"Who may: a coordinator who coordinates the family's team, once let in; a manager who manages the family's team, once let in."},
		{Question{Group: GroupNone, Action: 200},
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
	n := 0
	for i, role := range allRoles {
		for _, basis := range []Basis{allBases[i%len(allBases)], allBases[(i+7)%len(allBases)]} {
			for a := range actionCount + 1 {
				n++
				s := Explain(Question{Role: role, Basis: basis, Group: GroupVisit, Action: a, Rule: schema.Human, Label: schema.Label(n % 6)})
				if strings.Contains(s, "%") || strings.Contains(s, "  ") || !strings.HasSuffix(s, ".") {
					t.Fatalf("%s on %s, %s: %q", role, basis, a, s)
				}
			}
		}
	}
}

// TestExplainAsker: of several footings, what decides is told.
func TestExplainAsker(t *testing.T) {
	a := Asker{Role: RoleSocialWorker, Bases: []Basis{BasisTeam, BasisCo}}
	lines := strings.Join(ExplainAsker(a, "visit"), "\n")
	for _, want := range []string{
		"a social worker who works in the family's team may read visits", "a social worker who is co-worker may have on a tablet visits",
		"may not finalise visits: nothing in the table allows it. Who may: a coordinator",
	} {
		if !strings.Contains(lines, want) {
			t.Errorf("no %q in\n%s", want, lines)
		}
	}
	a = Asker{Role: RoleManager, Bases: []Basis{BasisRelative, BasisManager}}
	for _, line := range ExplainAsker(a, "plan") {
		if !strings.Contains(line, "kept out") && !strings.Contains(line, "words as they were spoken") {
			t.Errorf("a relative: %s", line)
		}
	}
}
