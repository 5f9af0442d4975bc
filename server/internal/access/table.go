package access

import (
	"crypto/sha256"
	"slices"
	"strings"

	"doorstep/syncproto/schema"
)

type effect string

const (
	allow effect = "allow"
	deny  effect = "DENY"
)

// only narrows a row to a circumstance.
type only string

const (
	always       only = ""
	whoWrote     only = "wrote in the record"
	whoBegan     only = "began the record"
	whenImported only = "the words were imported"
)

// row is one line of the table. An empty column matches everything. An allowing
// row leaves empty only what it is not about.
type row struct {
	id      string
	effect  effect
	roles   []Role
	bases   []Basis
	kinds   []string
	labels  []schema.Label
	rules   []schema.Rule
	actions []Action
	only    only
	why     string
}

// Groups that the table speaks of.
var (
	people = []Role{RolePractitioner, RoleCoordinator, RoleManager, RoleIT}

	practitioners = []Role{RolePractitioner}
	coordinators  = []Role{RoleCoordinator}
	managers      = []Role{RoleManager}
	imports       = []Role{RoleImport}

	onCase = []Basis{BasisLead, BasisCo}
	lead   = []Basis{BasisLead}
	co     = []Basis{BasisCo}
	coord  = []Basis{BasisCoord}
	manage = []Basis{BasisManager}

	// caseKinds are what workers write; headKinds come from the case management
	// system, where one authoritative source keeps returns right (domain.md R2).
	caseKinds = []string{"family", "person", "visit", "visit_child", "plan", "action"}
	headKinds = []string{"allocation", "status"}
	allKinds  = slices.Concat(caseKinds, headKinds)

	// sealedKinds go through hand-over, confirmation and finalising.
	sealedKinds = []string{"visit", "visit_child", "plan"}

	adminOnly     = []schema.Label{schema.Admin}
	attestedOnly  = []schema.Label{schema.Attested}
	judgementOnly = []schema.Label{schema.Judgement}
	verbatimOnly  = []schema.Label{schema.Verbatim}
	notVerbatim   = []schema.Label{schema.Admin, schema.Attested, schema.Judgement}
	everyLabel    = []schema.Label{schema.Admin, schema.Attested, schema.Verbatim, schema.Judgement}
)

// table is the whole of who may do what (domain.md section c, for the roles that
// exist so far). A row that denies beats all; what no row allows is denied. The
// order of the rows does not matter.
var table = []row{
	// What nobody, or nobody of a kind, may ever do.
	{id: "kept-out", effect: deny, bases: []Basis{BasisDenied},
		why: "the person is kept out of this family"},
	{id: "it-no-content", effect: deny, roles: []Role{RoleIT},
		why: "IT administration never sees or changes content"},
	{id: "not-an-import", effect: deny, roles: people, only: whenImported,
		why: "only the borough's import may say that words were imported"},
	{id: "verbatim-stays", effect: deny, labels: verbatimOnly,
		actions: []Action{ActionEdit, ActionEditOwn, ActionEditOther, ActionPrepare, ActionRemove, ActionDecide, ActionApprove, ActionCorrect},
		why:     "words as they were spoken are never changed"},
	{id: "entry-stays", effect: deny, rules: []schema.Rule{schema.Log},
		actions: []Action{ActionEdit, ActionEditOwn, ActionEditOther, ActionPrepare, ActionRemove, ActionDecide, ActionApprove},
		why:     "an entry of a log is never edited or taken out"},
	{id: "computed", effect: deny, rules: []schema.Rule{schema.Derived},
		why: "what is worked out is never written"},
	{id: "order-decides", effect: deny, rules: []schema.Rule{schema.Server}, actions: []Action{ActionDecide, ActionApprove},
		why: "the server's order decides this field"},

	// Practitioners, on the families they are allocated to.
	{id: "case-read", effect: allow, roles: practitioners, bases: onCase, kinds: allKinds,
		actions: []Action{ActionRead},
		why:     "lead and co-workers read the whole file"},
	{id: "case-write", effect: allow, roles: practitioners, bases: onCase, kinds: caseKinds, labels: everyLabel,
		actions: []Action{ActionEdit, ActionEditOwn, ActionPrepare, ActionAdd, ActionRemove, ActionTakeNote},
		why:     "lead and co-workers write what they saw, heard and think"},
	{id: "case-create", effect: allow, roles: practitioners, bases: onCase, kinds: caseKinds,
		actions: []Action{ActionCreate},
		why:     "lead and co-workers begin records"},
	{id: "case-decide-admin", effect: allow, roles: practitioners, bases: onCase, kinds: caseKinds, labels: adminOnly,
		actions: []Action{ActionDecide},
		why:     "any worker on the case settles administrative details"},
	{id: "lead-decides", effect: allow, roles: practitioners, bases: lead, kinds: caseKinds, labels: []schema.Label{schema.Attested, schema.Judgement},
		actions: []Action{ActionDecide},
		why:     "the lead worker answers for facts and judgements"},
	{id: "author-decides", effect: allow, roles: practitioners, bases: co, kinds: caseKinds, labels: judgementOnly,
		actions: []Action{ActionDecide}, only: whoBegan,
		why: "a judgement belongs to the author of the record"},
	{id: "case-hand-over", effect: allow, roles: practitioners, bases: onCase, kinds: sealedKinds,
		actions: []Action{ActionHandOver, ActionAnswer},
		why:     "lead and co-workers hand over and answer"},
	{id: "case-confirm", effect: allow, roles: practitioners, bases: onCase, kinds: sealedKinds,
		actions: []Action{ActionConfirm}, only: whoWrote,
		why: "whoever wrote in the record stands by it"},
	{id: "case-addendum", effect: allow, roles: practitioners, bases: onCase, kinds: sealedKinds,
		actions: []Action{ActionAddendum},
		why:     "lead and co-workers add what came to light later"},
	{id: "lead-correct", effect: allow, roles: practitioners, bases: lead, kinds: sealedKinds, labels: notVerbatim,
		actions: []Action{ActionCorrect},
		why:     "the lead worker corrects, with both versions shown"},
	{id: "author-correct", effect: allow, roles: practitioners, bases: co, kinds: sealedKinds, labels: notVerbatim,
		actions: []Action{ActionCorrect}, only: whoWrote,
		why: "whoever wrote in the record corrects it, with both versions shown"},

	// Co-ordinators, on the families of their team.
	{id: "desk-read", effect: allow, roles: coordinators, bases: coord, kinds: allKinds,
		actions: []Action{ActionRead, ActionChase},
		why:     "co-ordinators read and chase for their team"},
	{id: "desk-admin", effect: allow, roles: coordinators, bases: coord, kinds: allKinds, labels: adminOnly,
		actions: []Action{ActionEdit, ActionEditOwn, ActionAdd, ActionRemove, ActionTakeNote, ActionDecide},
		why:     "co-ordinators keep administrative details right"},
	{id: "desk-prepare", effect: allow, roles: coordinators, bases: coord, kinds: sealedKinds, labels: attestedOnly,
		actions: []Action{ActionPrepare},
		why:     "co-ordinators prepare the summary, which the author then confirms"},
	{id: "desk-flow", effect: allow, roles: coordinators, bases: coord, kinds: sealedKinds,
		actions: []Action{ActionQuery, ActionFinalise, ActionAddendum},
		why:     "co-ordinators ask, and finalise what the author confirmed"},
	{id: "desk-correct", effect: allow, roles: coordinators, bases: coord, kinds: sealedKinds, labels: adminOnly,
		actions: []Action{ActionCorrect},
		why:     "co-ordinators correct administrative details, with both versions shown"},

	// Managers, on the families of their team.
	{id: "team-read", effect: allow, roles: managers, bases: manage, kinds: allKinds,
		actions: []Action{ActionRead},
		why:     "managers read their team's files"},
	{id: "team-decide", effect: allow, roles: managers, bases: manage, kinds: caseKinds, labels: notVerbatim,
		actions: []Action{ActionDecide, ActionApprove, ActionConfirmRemoval, ActionTakeNote},
		why:     "managers settle disagreements, approve, and agree to removals"},
	{id: "team-note", effect: allow, roles: managers, bases: manage, kinds: caseKinds, labels: notVerbatim,
		actions: []Action{ActionEditOwn},
		why:     "managers write notes of their own"},
	{id: "team-query", effect: allow, roles: managers, bases: manage, kinds: sealedKinds,
		actions: []Action{ActionQuery},
		why:     "managers ask"},

	// The import of the borough's own data.
	{id: "import-create", effect: allow, roles: imports, kinds: allKinds,
		actions: []Action{ActionCreate}, only: whenImported,
		why: "the import brings in what the case management system holds"},
	{id: "import-write", effect: allow, roles: imports, kinds: allKinds, labels: everyLabel,
		actions: []Action{ActionEdit, ActionEditOwn, ActionEditOther, ActionPrepare, ActionAdd, ActionRemove}, only: whenImported,
		why: "the import brings in what the case management system holds"},
}

func (r *row) matches(q Question) bool {
	return covers(r.actions, q.Action) && covers(r.roles, q.Role) && covers(r.bases, q.Basis) &&
		covers(r.kinds, q.Kind) && covers(r.labels, q.Label) && covers(r.rules, q.Rule) && r.only.holds(q)
}

func covers[T comparable](column []T, v T) bool {
	return len(column) == 0 || slices.Contains(column, v)
}

func (o only) holds(q Question) bool {
	switch o {
	case whoWrote:
		return q.Authorship >= AuthorWrote
	case whoBegan:
		return q.Authorship >= AuthorBegan
	case whenImported:
		return q.Imported
	}
	return o == always
}

// Table renders every row on a line of its own, columns parted by bars, sorted:
// the same rows give the same text in whatever order they are written.
func Table() string { return render(table) }

func render(rows []row) string {
	lines := make([]string, 0, len(rows))
	for i := range rows {
		lines = append(lines, rows[i].line())
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n") + "\n"
}

func (r *row) line() string {
	labels := make([]string, 0, len(r.labels))
	for _, l := range r.labels {
		labels = append(labels, l.String())
	}
	rules := make([]string, 0, len(r.rules))
	for _, m := range r.rules {
		rules = append(rules, m.String())
	}
	return strings.Join([]string{
		string(r.effect), r.id, cell(r.roles), cell(r.bases), cell(r.kinds), cell(labels), cell(rules),
		cell(r.actions), string(r.only), r.why,
	}, " | ")
}

// cell lists a column's members, sorted; "any" for an empty column.
func cell[T ~string](members []T) string {
	if len(members) == 0 {
		return "any"
	}
	words := make([]string, 0, len(members))
	for _, m := range members {
		words = append(words, string(m))
	}
	slices.Sort(words)
	return strings.Join(words, ",")
}

// TableHash is SHA-256 over Table: an audit that names it says which rules were
// in force.
func TableHash() [32]byte { return sha256.Sum256([]byte(Table())) }
