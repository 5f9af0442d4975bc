package access

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"doorstep/syncproto"
	"doorstep/syncproto/schema"
)

// expected is written by hand from domain.md (c) and section 5, apart from the
// table, as a manager would read it. A column is a role on its footing; whoever
// has no column may do nothing, and what has no line nobody may do.
//
//   - may          w  may, if they wrote in the record
//     .  may not      b  may, if they began the record
//
// Labels: - not about a field, * whatever the field. The import may only what it
// marks as imported; people may only what they do not.
const expected = `
kinds visit visit_child plan
                             lead  co  coordinator  manager  import
  read             *          +    +       +           +       .
  create           *          +    +       .           .       +
  edit             admin      +    +       +           .       +
  edit             attested   +    +       .           .       +
  edit             judgement  +    +       .           .       +
  edit_own         admin      +    +       +           +       +
  edit_own         attested   +    +       .           +       +
  edit_own         judgement  +    +       .           +       +
  edit_other       admin      .    .       .           .       +
  edit_other       attested   .    .       .           .       +
  edit_other       judgement  .    .       .           .       +
  prepare          admin      +    +       .           .       +
  prepare          attested   +    +       +           .       +
  prepare          judgement  +    +       .           .       +
  add              admin      +    +       +           .       +
  add              attested   +    +       .           .       +
  add              judgement  +    +       .           .       +
  add              verbatim   +    +       .           .       +
  remove           admin      +    +       +           .       +
  remove           attested   +    +       .           .       +
  remove           judgement  +    +       .           .       +
  take_note        admin      +    +       +           +       .
  take_note        attested   +    +       .           +       .
  take_note        judgement  +    +       .           +       .
  take_note        verbatim   +    +       .           .       .
  decide           admin      +    +       +           +       .
  decide           attested   +    .       .           +       .
  decide           judgement  +    b       .           +       .
  approve          admin      .    .       .           +       .
  approve          attested   .    .       .           +       .
  approve          judgement  .    .       .           +       .
  confirm_removal  admin      .    .       .           +       .
  confirm_removal  attested   .    .       .           +       .
  confirm_removal  judgement  .    .       .           +       .
  hand_over        *          +    +       .           .       .
  confirm          *          w    w       .           .       .
  query            *          .    .       +           +       .
  answer           *          +    +       .           .       .
  finalise         *          .    .       +           .       .
  addendum         *          +    +       +           .       .
  correct          admin      +    w       +           .       .
  correct          attested   +    w       .           .       .
  correct          judgement  +    w       .           .       .
  chase            *          .    .       +           .       .

kinds family person action
                             lead  co  coordinator  manager  import
  read             *          +    +       +           +       .
  create           *          +    +       .           .       +
  edit             admin      +    +       +           .       +
  edit             attested   +    +       .           .       +
  edit             judgement  +    +       .           .       +
  edit_own         admin      +    +       +           +       +
  edit_own         attested   +    +       .           +       +
  edit_own         judgement  +    +       .           +       +
  edit_other       admin      .    .       .           .       +
  edit_other       attested   .    .       .           .       +
  edit_other       judgement  .    .       .           .       +
  prepare          admin      +    +       .           .       +
  prepare          attested   +    +       .           .       +
  prepare          judgement  +    +       .           .       +
  add              admin      +    +       +           .       +
  add              attested   +    +       .           .       +
  add              judgement  +    +       .           .       +
  add              verbatim   +    +       .           .       +
  remove           admin      +    +       +           .       +
  remove           attested   +    +       .           .       +
  remove           judgement  +    +       .           .       +
  take_note        admin      +    +       +           +       .
  take_note        attested   +    +       .           +       .
  take_note        judgement  +    +       .           +       .
  take_note        verbatim   +    +       .           .       .
  decide           admin      +    +       +           +       .
  decide           attested   +    .       .           +       .
  decide           judgement  +    b       .           +       .
  approve          admin      .    .       .           +       .
  approve          attested   .    .       .           +       .
  approve          judgement  .    .       .           +       .
  confirm_removal  admin      .    .       .           +       .
  confirm_removal  attested   .    .       .           +       .
  confirm_removal  judgement  .    .       .           +       .
  chase            *          .    .       +           .       .

kinds allocation status
                             lead  co  coordinator  manager  import
  read             *          +    +       +           +       .
  create           *          .    .       .           .       +
  edit             admin      .    .       +           .       +
  edit             attested   .    .       .           .       +
  edit             judgement  .    .       .           .       +
  edit_own         admin      .    .       +           .       +
  edit_own         attested   .    .       .           .       +
  edit_own         judgement  .    .       .           .       +
  edit_other       admin      .    .       .           .       +
  edit_other       attested   .    .       .           .       +
  edit_other       judgement  .    .       .           .       +
  prepare          admin      .    .       .           .       +
  prepare          attested   .    .       .           .       +
  prepare          judgement  .    .       .           .       +
  add              admin      .    .       +           .       +
  add              attested   .    .       .           .       +
  add              judgement  .    .       .           .       +
  add              verbatim   .    .       .           .       +
  remove           admin      .    .       +           .       +
  remove           attested   .    .       .           .       +
  remove           judgement  .    .       .           .       +
  take_note        admin      .    .       +           .       .
  decide           admin      .    .       +           .       .
  chase            *          .    .       +           .       .
`

var columns = []string{"lead", "co", "coordinator", "manager", "import"}

// columnOf says which column a person has; "" is nobody's.
func columnOf(q Question) string {
	switch {
	case q.Basis == BasisDenied || q.Imported != (q.Role == RoleImport):
		return ""
	case q.Role == RoleImport:
		return "import"
	case q.Role == RolePractitioner && q.Basis == BasisLead:
		return "lead"
	case q.Role == RolePractitioner && q.Basis == BasisCo:
		return "co"
	case q.Role == RoleCoordinator && q.Basis == BasisCoord:
		return "coordinator"
	case q.Role == RoleManager && q.Basis == BasisManager:
		return "manager"
	}
	return ""
}

// cellKey names a cell: kind, action, label ("*" for any), column.
type cellKey struct {
	kind, action, label, column string
}

func parseExpected(t *testing.T) map[cellKey]string {
	cells := map[cellKey]string{}
	var kinds []string
	for line := range strings.Lines(expected) {
		words := strings.Fields(line)
		switch {
		case len(words) == 0 || words[0] == "lead":
		case words[0] == "kinds":
			kinds = words[1:]
		case len(words) != 2+len(columns):
			t.Fatalf("line of %d words: %q", len(words), line)
		default:
			for _, kind := range kinds {
				for i, column := range columns {
					cells[cellKey{kind, words[0], words[1], column}] = words[2+i]
				}
			}
		}
	}
	if len(cells) == 0 {
		t.Fatal("nothing is expected")
	}
	return cells
}

// expects is the expected answer to one question.
func expects(cells map[cellKey]string, q Question) bool {
	switch { // what the rule forbids, whoever asks
	case q.Rule == schema.Derived:
		return false
	case q.Rule == schema.Server && (q.Action == ActionDecide || q.Action == ActionApprove):
		return false
	case q.Rule == schema.Log:
		switch q.Action {
		case ActionEdit, ActionEditOwn, ActionEditOther, ActionPrepare, ActionRemove, ActionDecide, ActionApprove:
			return false
		}
	}
	key := cellKey{q.Kind, string(q.Action), "*", columnOf(q)}
	cell, ok := cells[key]
	if !ok {
		key.label = q.Label.String()
		cell = cells[key]
	}
	switch cell {
	case "+":
		return true
	case "w":
		return q.Authorship >= AuthorWrote
	case "b":
		return q.Authorship >= AuthorBegan
	}
	return false
}

var everyAction = []Action{
	ActionRead, ActionCreate, ActionEdit, ActionEditOwn, ActionEditOther, ActionPrepare, ActionAdd, ActionRemove,
	ActionTakeNote, ActionDecide, ActionApprove, ActionConfirmRemoval, ActionHandOver, ActionConfirm, ActionQuery,
	ActionAnswer, ActionFinalise, ActionAddendum, ActionCorrect, ActionChase, ActionUnknown, "", "burn",
}

// everyQuestion yields every role, footing, kind, label, rule, action, authorship
// and provenance, those that do not exist among them.
func everyQuestion(yield func(Question) bool) {
	kinds := []string{"", "diary"}
	for _, k := range schema.All() {
		kinds = append(kinds, k.ID)
	}
	for _, role := range []Role{RolePractitioner, RoleCoordinator, RoleManager, RoleIT, RoleImport, "", "root"} {
		for _, basis := range []Basis{BasisNone, BasisLead, BasisCo, BasisCoord, BasisManager, BasisDenied, "FRIEND"} {
			for _, kind := range kinds {
				for _, action := range everyAction {
					q := Question{Role: role, Basis: basis, Kind: kind, Action: action}
					if !everyField(q, yield) {
						return
					}
				}
			}
		}
	}
}

func everyField(q Question, yield func(Question) bool) bool {
	for q.Label = 0; q.Label <= schema.Judgement+1; q.Label++ {
		for _, q.Rule = range []schema.Rule{0, schema.Own, schema.Log, schema.Human, schema.Server, schema.Derived} {
			for q.Authorship = AuthorNot; q.Authorship <= AuthorBegan; q.Authorship++ {
				for _, q.Imported = range []bool{false, true} {
					if !yield(q) {
						return false
					}
				}
			}
		}
	}
	return true
}

func TestEveryQuestion(t *testing.T) {
	cells := parseExpected(t)
	total, allowed, wrong := 0, 0, 0
	for q := range everyQuestion {
		total++
		got, want := Decide(q), expects(cells, q)
		if got.Allow {
			allowed++
		}
		if got.Allow != want || got.Allow == (got.Code != syncproto.CodeOK) || got.Reason == "" {
			if wrong++; wrong <= 20 {
				t.Errorf("%+v: %+v, want allowed %v", q, got, want)
			}
		}
	}
	t.Logf("%d questions, %d allowed, %d wrong", total, allowed, wrong)
	if allowed == 0 || allowed == total {
		t.Error("the questions decide nothing")
	}
}

// TestNobodyWithoutAFooting: default deny, and nobody kept out is let in.
func TestNobodyWithoutAFooting(t *testing.T) {
	for q := range everyQuestion {
		stranger := q.Basis == BasisNone && q.Role != RoleImport
		if (stranger || q.Basis == BasisDenied || q.Role == RoleIT) && Decide(q).Allow {
			t.Fatalf("%+v is allowed", q)
		}
	}
}

func TestDenialBeatsPermission(t *testing.T) {
	rows := []row{
		{id: "yes", effect: allow, actions: []Action{ActionRead}, why: "yes"},
		{id: "no", effect: deny, kinds: []string{"plan"}, why: "no"},
		{id: "yes-again", effect: allow, actions: []Action{ActionRead}, why: "yes"},
	}
	if d := decide(rows, Question{Kind: "plan", Action: ActionRead}); d.Allow || d.Row != "no" {
		t.Errorf("denied row: %+v", d)
	}
	if d := decide(rows, Question{Kind: "visit", Action: ActionRead}); !d.Allow || d.Row != "yes" {
		t.Errorf("allowed row: %+v", d)
	}
	if d := decide(nil, Question{}); d.Allow || d.Row != "" {
		t.Errorf("empty table: %+v", d)
	}
}

// neverAllowed is written by hand: what stays denied even if some row allowed
// everything to everybody.
func neverAllowed(q Question) bool {
	changesWords := slices.Contains([]Action{
		ActionEdit, ActionEditOwn, ActionEditOther, ActionPrepare, ActionRemove, ActionDecide, ActionApprove,
	}, q.Action)
	person := q.Role == RolePractitioner || q.Role == RoleCoordinator || q.Role == RoleManager || q.Role == RoleIT
	switch {
	case q.Basis == BasisDenied, q.Role == RoleIT, q.Rule == schema.Derived:
		return true
	case q.Imported && person:
		return true
	case q.Label == schema.Verbatim && (changesWords || q.Action == ActionCorrect):
		return true
	case q.Rule == schema.Log && changesWords:
		return true
	}
	return q.Rule == schema.Server && (q.Action == ActionDecide || q.Action == ActionApprove)
}

var everythingToEverybody = row{id: "open", effect: allow, why: "a mistake"}

func TestDenialsBeatAnyMistake(t *testing.T) {
	rows := append(slices.Clone(table), everythingToEverybody)
	for q := range everyQuestion {
		if got := decide(rows, q); got.Allow == neverAllowed(q) {
			t.Fatalf("%+v: %+v, want denied %v", q, got, neverAllowed(q))
		}
	}
}

// TestEveryMutantIsCaught: leaving out a row, one member of one of its columns,
// or its circumstance, or turning its effect round, must change an answer that
// is expected above.
func TestEveryMutantIsCaught(t *testing.T) {
	if testing.Short() {
		t.Skip("some two hundred runs over many questions")
	}
	questions := tellingQuestions(parseExpected(t))
	for i := range table {
		for _, m := range mutants(table[i]) {
			rows := mutated(i, m)
			open := append(slices.Clone(rows), everythingToEverybody)
			caught := slices.ContainsFunc(questions, func(c asked) bool {
				if !m.touches(&table[i], c.q) {
					return false
				}
				return decide(rows, c.q).Allow != c.allowed || decide(open, c.q).Allow == c.never
			})
			if !caught {
				t.Errorf("row %s: nobody notices that %s", table[i].id, m.what)
			}
		}
	}
}

// asked is a question with its expected answers.
type asked struct {
	q              Question
	allowed, never bool
}

// tellingQuestions are enough to tell any two tables apart: one kind of each
// group, and little of what does not exist.
func tellingQuestions(cells map[cellKey]string) []asked {
	var questions []asked
	for q := range everyQuestion {
		kind := q.Kind == "visit" || q.Kind == "family" || q.Kind == "status"
		exists := q.Role != "root" && q.Role != "" && q.Basis != "FRIEND" && q.Action != "" && q.Action != "burn"
		if kind && exists && q.Label <= schema.Judgement && q.Rule != schema.Own {
			questions = append(questions, asked{q, expects(cells, q), neverAllowed(q)})
		}
	}
	return questions
}

func mutated(i int, m mutant) []row {
	rows := slices.Clone(table)
	if m.row == nil {
		return slices.Delete(rows, i, i+1)
	}
	rows[i] = *m.row
	return rows
}

type mutant struct {
	what string
	row  *row
}

// touches reports whether a mutant of a row can answer a question otherwise.
func (m mutant) touches(original *row, q Question) bool {
	before, after := original.matches(q), m.row != nil && m.row.matches(q)
	return before != after || before && m.row.effect != original.effect
}

func mutants(r row) []mutant {
	flipped, open := r, r
	flipped.effect = map[effect]effect{allow: deny, deny: allow}[r.effect]
	out := []mutant{{"it is gone", nil}, {"it is turned round", &flipped}}
	if r.only != always {
		open.only = always
		out = append(out, mutant{"its circumstance is gone", &open})
	}
	for i, a := range r.actions {
		m := r
		m.actions = without(r.actions, i)
		out = append(out, mutant{fmt.Sprintf("%s is gone", a), &m})
	}
	for i, b := range r.bases {
		m := r
		m.bases = without(r.bases, i)
		out = append(out, mutant{fmt.Sprintf("%s is gone", b), &m})
	}
	for i, l := range r.labels {
		m := r
		m.labels = without(r.labels, i)
		out = append(out, mutant{fmt.Sprintf("%s is gone", l), &m})
	}
	return out
}

// without leaves out one member; of a single member it makes one that matches
// nothing, as an empty column would match everything.
func without[T comparable](column []T, i int) []T {
	var nothing T
	if len(column) == 1 {
		return append([]T{}, nothing)
	}
	return slices.Delete(slices.Clone(column), i, i+1)
}

func TestTableIsWellFormed(t *testing.T) {
	ids := map[string]bool{}
	for _, r := range table {
		if r.id == "" || ids[r.id] || r.why == "" || r.effect != allow && r.effect != deny {
			t.Errorf("row %q: id twice or empty, or no reason or effect", r.id)
		}
		ids[r.id] = true
		if r.effect == allow && (len(r.roles) == 0 || len(r.kinds) == 0 || len(r.actions) == 0) {
			t.Errorf("row %q allows without naming roles, kinds and actions", r.id)
		}
		if r.effect == allow && len(r.bases) == 0 && !slices.Equal(r.roles, imports) {
			t.Errorf("row %q allows on any footing", r.id)
		}
		for _, kind := range r.kinds {
			if _, ok := schema.Newest(kind); !ok {
				t.Errorf("row %q: no kind %q", r.id, kind)
			}
		}
	}
	for _, k := range schema.All() {
		if !slices.Contains(allKinds, k.ID) {
			t.Errorf("the table does not know the kind %s", k.ID)
		}
		if k.Finalises != slices.Contains(sealedKinds, k.ID) {
			t.Errorf("%s: sealed in one of schema and table, not in both", k.ID)
		}
	}
}

func TestTableHash(t *testing.T) {
	before := TableHash()
	if before != TableHash() {
		t.Fatal("two hashes of one table")
	}
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

func TestLimitsAgree(t *testing.T) {
	if schema.MaxValueBytes != syncproto.MaxTextValue {
		t.Errorf("schema allows %d bytes, the protocol %d", schema.MaxValueBytes, syncproto.MaxTextValue)
	}
}
