package access

import (
	"math/rand/v2"
	"path/filepath"
	"slices"
	"testing"

	"github.com/cedar-policy/cedar-go"

	"doorstep/syncproto/schema"
)

// newSecondReading is an oracle whose policies were written from the page on roles by
// somebody who had seen neither the table nor the other policies.
func newSecondReading(t *testing.T) *oracle {
	t.Helper()
	dir := filepath.Join("testdata", "second")
	all := parse(t, "second", read(t, filepath.Join(dir, "policies.cedar")))
	o := &oracle{byRole: map[Role]*cedar.PolicySet{}, nobody: all, entities: cedar.EntityMap{}, contexts: map[contextKey]cedar.Record{}}
	for _, role := range Roles() {
		o.byRole[role] = all
	}
	o.shelve(t, read(t, filepath.Join(dir, "shelves.txt")))
	return o
}

// spokenOf reports whether the second reading says anything of a question: it is of the
// page's columns, of people, and of what they do to records.
func spokenOf(q Question) bool {
	papers := []Group{GroupCore, GroupHead, GroupVisit, GroupPlan, GroupAction, GroupReview, GroupMeeting, GroupConsult, GroupFIT,
		GroupSupervision, GroupMissing, GroupMET, GroupIntelligence, GroupExtract, GroupMatch, GroupVolunteerLog, GroupConcern,
		GroupPersonal, GroupObservation}
	whole := []Action{ActionRead, ActionCarry, ActionCreate, ActionConfirm, ActionFinalise, ActionQueue}
	labels := []schema.Label{schema.Admin, schema.Attested, schema.Judgement, schema.Verbatim}
	field := slices.Contains([]Action{ActionEdit, ActionAdd}, q.Action) && slices.Contains(labels, q.Label) &&
		slices.Contains([]schema.Rule{schema.Human, schema.Union, schema.Text}, q.Rule)
	return slices.Contains(Roles(), q.Role) && slices.Contains(papers, q.Group) && !q.Imported &&
		(field || slices.Contains(whole, q.Action) && q.Label == 0 && q.Rule == 0)
}

// TestSecondReading compares the table with a second reading of the page, over one in
// twenty as many cases as the oracle.
func TestSecondReading(t *testing.T) {
	o := newSecondReading(t)
	rng := rand.New(rand.NewPCG(*randomSeed, 8))
	cases, allowed, wrong := 0, 0, 0
	for cases < *randomCases/20 {
		q := randomQuestion(rng)
		if q.Action != ActionEdit && q.Action != ActionAdd {
			q.Label, q.Rule = 0, 0
		}
		if !spokenOf(q) {
			continue
		}
		cases++
		row, may := compiled.find(q)
		got, want := row != nil && may, o.allows(t, q)
		if got {
			allowed++
		}
		if got != want {
			if wrong++; wrong <= 20 {
				t.Errorf("seed %d: the table says %v, the second reading %v: %+v (row %s)", *randomSeed, got, want, q, rowID(row))
			}
		}
	}
	t.Logf("seed %d: %d cases, %d allowed, %d wrong", *randomSeed, cases, allowed, wrong)
	if allowed*20 < cases {
		t.Errorf("only %d of %d cases are allowed: they prove little", allowed, cases)
	}
}
