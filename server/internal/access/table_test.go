package access

import (
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"doorstep/syncproto"
	"doorstep/syncproto/schema"
)

var update = flag.Bool("update", false, "write TABLE.md anew")

var (
	allRoles = append(Roles(), RoleImport, "", "root")
	allBases = append(slices.Clone(everyBasis), BasisDenied, BasisRelative, "FRIEND")
)

// circumstance of a question beside who, what and where.
type situation struct {
	authorship                            Authorship
	imported, restricted, adoption, named bool
}

// situations are those that can be: an adoption is a restriction.
func situations() []situation {
	var out []situation
	for _, a := range []Authorship{AuthorNot, AuthorWrote, AuthorBegan} {
		for _, imported := range []bool{false, true} {
			for _, locked := range [][2]bool{{false, false}, {true, false}, {true, true}} {
				for _, named := range []bool{false, true} {
					out = append(out, situation{a, imported, locked[0], locked[1], named})
				}
			}
		}
	}
	return out
}

// ask yields a question with every label in each situation.
func ask(q Question, all []situation, yield func(Question) bool) bool {
	for q.Label = 0; q.Label <= schema.Judgement+1; q.Label++ {
		for _, s := range all {
			q.Authorship, q.Imported, q.Restricted, q.Adoption, q.Named = s.authorship, s.imported, s.restricted, s.adoption, s.named
			if !yield(q) {
				return false
			}
		}
	}
	return true
}

// widest are the situations in which most is allowed: where nothing is allowed in
// these, the table allows nothing in any, for authorship and being let in only
// open doors, and a restriction only shuts them.
var widest = []situation{
	{authorship: AuthorBegan, named: true}, {authorship: AuthorBegan, imported: true, named: true},
}

// TestEveryQuestion holds the table to what is expected of it: every role on every
// footing, for every group of kinds, action and label, in every situation where
// anything is allowed or expected to be.
func TestEveryQuestion(t *testing.T) {
	cells := parseExpected(t)
	all := situations()
	total, allowed, wrong := 0, 0, 0
	hold := func(q Question) bool {
		total++
		row, may := compiled.find(q)
		got := row != nil && may
		if got {
			allowed++
		}
		if got != expects(cells, q) {
			if wrong++; wrong <= 20 {
				t.Errorf("%+v: allowed %v", q, got)
			}
		}
		return true
	}
	for _, role := range allRoles {
		for _, basis := range allBases {
			for g := range groupCount + 1 {
				for a := range actionCount + 1 {
					q := Question{Role: role, Basis: basis, Group: g, Action: a, Rule: schema.Human}
					before := allowed
					if ask(q, widest, hold); allowed > before || cells[cellKey{role, basis, g, a}] != nil {
						ask(q, all, hold)
					}
				}
			}
		}
	}
	t.Logf("%d questions, %d allowed, %d wrong", total, allowed, wrong)
	if allowed == 0 || allowed == total {
		t.Error("the questions decide nothing")
	}
}

// TestEveryRule does the same for the rules of fields, on footings of each sort.
func TestEveryRule(t *testing.T) {
	cells := parseExpected(t)
	asked := 0
	for _, rule := range []schema.Rule{0, schema.Own, schema.Log, schema.Server, schema.Derived, schema.Derived + 1, 200} {
		for _, role := range allRoles {
			for _, basis := range []Basis{BasisLead, BasisCo, BasisCoord, BasisManager, BasisNone, BasisRequest} {
				for _, g := range []Group{GroupNone, GroupCore, GroupVisit, GroupSupervision, GroupSAR, GroupConfig} {
					for a := range actionCount {
						ask(Question{Role: role, Basis: basis, Group: g, Action: a, Rule: rule}, widest, func(q Question) bool {
							asked++
							if row, may := compiled.find(q); (row != nil && may) != expects(cells, q) {
								t.Fatalf("%+v: allowed %v", q, may)
							}
							return true
						})
					}
				}
			}
		}
	}
	if asked == 0 {
		t.Fatal("no question asked")
	}
}

// TestDecisionsExplainThemselves: an answer has a reason, a denial a code.
func TestDecisionsExplainThemselves(t *testing.T) {
	for _, role := range allRoles {
		for g := range groupCount {
			for _, label := range []schema.Label{0, schema.Attested} {
				for a := range actionCount {
					q := Question{Role: role, Basis: BasisLead, Group: g, Action: a, Label: label, Rule: schema.Human}
					d := Decide(q)
					if d.Reason == "" || d.Allow != (d.Code == syncproto.CodeOK) {
						t.Fatalf("%+v: %+v", q, d)
					}
				}
			}
		}
	}
	cases := []struct {
		q    Question
		code syncproto.Code
	}{
		{Question{Role: RoleSocialWorker, Group: GroupVisit, Action: ActionRead}, syncproto.CodeNotEntitled},
		{Question{Role: RoleSocialWorker, Group: GroupVisit, Action: ActionEdit, Label: schema.Admin}, syncproto.CodeNotEntitled},
		{Question{Role: RoleCoordinator, Basis: BasisCoord, Group: GroupVisit, Action: ActionEdit, Label: schema.Judgement}, syncproto.CodeDeniedField},
		{Question{Role: RoleCoordinator, Basis: BasisCoord, Group: GroupVisit, Action: ActionConfirm}, syncproto.CodeForbidden},
		{Question{Role: RolePractitioner, Basis: BasisLead, Group: GroupVisit, Action: ActionRead, Imported: true}, syncproto.CodeForbidden},
		{Question{Role: RolePractitioner, Basis: BasisRelative, Group: GroupVisit, Action: ActionCreate}, syncproto.CodeNotEntitled},
		{Question{Role: RoleManager, Basis: BasisManager, Group: GroupVisit, Action: ActionCarry, Restricted: true, Named: true}, syncproto.CodeForbidden},
	}
	for _, c := range cases {
		if d := Decide(c.q); d.Allow || d.Code != c.code {
			t.Errorf("%+v: %+v, want code %v", c.q, d, c.code)
		}
	}
}

func TestDenialBeatsPermission(t *testing.T) {
	rows := compile([]row{
		{id: "yes", effect: allow, actions: []Action{ActionRead}, why: "yes"},
		{id: "no", effect: deny, groups: []Group{GroupPlan}, why: "no"},
		{id: "yes-again", effect: allow, actions: []Action{ActionRead}, why: "yes"},
	})
	if d := rows.decide(Question{Group: GroupPlan, Action: ActionRead}); d.Allow || d.Row != "no" {
		t.Errorf("denied row: %+v", d)
	}
	if d := rows.decide(Question{Group: GroupVisit, Action: ActionRead}); !d.Allow || d.Row != "yes" {
		t.Errorf("allowed row: %+v", d)
	}
	if d := compile(nil).decide(Question{}); d.Allow || d.Row != "" {
		t.Errorf("empty table: %+v", d)
	}
}

var everythingToEverybody = row{id: "open", effect: allow, why: "a mistake"}

func TestDenialsBeatAnyMistake(t *testing.T) {
	open := compile(append(slices.Clone(table), everythingToEverybody))
	all := situations()
	for i, rule := range []schema.Rule{schema.Human, schema.Log, schema.Server, schema.Derived} {
		roles := allRoles
		if i > 0 { // which does not depend on who asks
			roles = []Role{RoleSocialWorker, RoleIT, RoleImport}
		}
		for _, role := range roles {
			for _, basis := range []Basis{BasisNone, BasisLead, BasisBreakGlass, BasisDenied, BasisRelative} {
				for _, g := range []Group{GroupNone, GroupVisit, GroupConfig} {
					for a := range actionCount {
						ask(Question{Role: role, Basis: basis, Group: g, Action: a, Rule: rule}, all, func(q Question) bool {
							row, may := open.find(q)
							if got := row != nil && may; got == neverAllowed(q) {
								t.Fatalf("%+v: %v, want denied %v", q, got, neverAllowed(q))
							}
							return true
						})
					}
				}
			}
		}
	}
}

func TestTableIsWellFormed(t *testing.T) {
	ids := map[string]bool{}
	for _, r := range table {
		if r.id == "" || ids[r.id] || r.why == "" || r.effect != allow && r.effect != deny {
			t.Errorf("row %q: id twice or empty, or no reason or effect", r.id)
		}
		ids[r.id] = true
		if r.effect == allow && (len(r.roles) == 0 || len(r.groups) == 0 || len(r.actions) == 0 || len(r.bases) == 0) {
			t.Errorf("row %q allows without naming roles, footings, groups and actions", r.id)
		}
		if r.effect == allow && slices.Contains(r.bases, BasisNone) && !slices.Equal(r.roles, []Role{RoleImport}) {
			t.Errorf("row %q allows on no footing", r.id)
		}
	}
	for g := range groupCount {
		if groupNames[g] == "" || groupWords[g] == "" {
			t.Errorf("group %d has no name or words", g)
		}
	}
	for a := range actionCount {
		if actionNames[a] == "" || deeds[a] == "" {
			t.Errorf("action %d has no name or words", a)
		}
	}
	bits := map[uint32]bool{}
	for _, b := range append(slices.Clone(everyBasis), BasisDenied, BasisRelative) {
		if bits[b.bit()] || b.bit() == unknownBit || basisWords[b] == "" {
			t.Errorf("footing %q: bit twice or unknown, or no words", b)
		}
		bits[b.bit()] = true
	}
	clear(bits)
	for _, r := range append(Roles(), RoleImport) {
		if bits[r.bit()] || r.bit() == unknownBit || roleWords[r] == "" {
			t.Errorf("role %q: bit twice or unknown, or no words", r)
		}
		bits[r.bit()] = true
	}
}

// TestEveryKindHasAGroup: a new record kind that nobody has given a group would be
// closed to everybody, and is noticed here.
func TestEveryKindHasAGroup(t *testing.T) {
	for _, k := range schema.All() {
		g := GroupOf(k.ID)
		if g == GroupNone {
			t.Errorf("the kind %s has no group: give it one in GroupOf", k.ID)
		}
		if k.Finalises && !slices.Contains(forms, g) {
			t.Errorf("%s is made final, and its group %s is none that is handed over", k.ID, g)
		}
	}
	if GroupOf("diary") != GroupNone {
		t.Error("a kind that there is not has a group")
	}
}

func TestTableHash(t *testing.T) {
	reversed := slices.Clone(table)
	slices.Reverse(reversed)
	if render(reversed) != Table() {
		t.Error("the order of the rows counts")
	}
	for i := range table {
		for _, m := range mutants(table[i]) {
			if render(mutated(i, m)) == Table() {
				t.Errorf("row %s: the rendering does not show that %s", table[i].id, m.what)
			}
		}
	}
	if lines := strings.Count(Table(), "\n"); lines != len(table) {
		t.Errorf("%d lines for %d rows", lines, len(table))
	}
}

// TestPage holds the page that people read to the table.
func TestPage(t *testing.T) {
	if *update {
		if err := os.WriteFile("TABLE.md", []byte(Page()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	page, err := os.ReadFile("TABLE.md")
	if err != nil {
		t.Fatal(err)
	}
	if string(page) != Page() {
		t.Error("TABLE.md is not the table of the code: run go test ./server/internal/access -run TestPage -update")
	}
	for _, r := range table {
		if r.effect == deny && !strings.Contains(string(page), "**"+r.id+"**") {
			t.Errorf("the page does not show %s", r.id)
		}
		if r.effect == allow && !strings.Contains(string(page), r.permission()) {
			t.Errorf("the page does not show %s", r.id)
		}
	}
	if !strings.Contains(string(page), fmt.Sprintf("%x", TableHash())) || !strings.Contains(string(page), "default deny") {
		t.Error("the page does not say its hash or its default")
	}
}

func TestLimitsAgree(t *testing.T) {
	if schema.MaxValueBytes != syncproto.MaxTextValue {
		t.Errorf("schema allows %d bytes, the protocol %d", schema.MaxValueBytes, syncproto.MaxTextValue)
	}
}

func BenchmarkDecide(b *testing.B) {
	questions := []Question{
		{Role: RoleSocialWorker, Basis: BasisLead, Group: GroupVisit, Action: ActionEdit, Label: schema.Attested, Rule: schema.Human},
		{Role: RoleCoordinator, Basis: BasisCoord, Group: GroupPlan, Action: ActionRead},
		{Role: RoleAuditor, Basis: BasisSample, Group: GroupFIT, Action: ActionRead},
		{Role: RoleAnalyst, Basis: BasisNone, Group: GroupVisit, Action: ActionEdit, Label: schema.Attested, Rule: schema.Human},
	}
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		Decide(questions[i%len(questions)])
	}
}
