package access

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cedar-policy/cedar-go"

	"doorstep/syncproto/schema"
)

var (
	randomCases = flag.Int("cases", 200_000, "random cases to compare with the oracle")
	randomSeed  = flag.Uint64("seed", 1, "of the random cases")
)

// oracle answers questions by policies that were written from the page apart from
// the table: a file for what holds for everybody, and one for each row of the
// page. They are Cedar policies, judged by another engine than ours.
type oracle struct {
	byRole   map[Role]*cedar.PolicySet
	nobody   *cedar.PolicySet
	entities cedar.EntityMap
	contexts map[contextKey]cedar.Record
}

func newOracle(t *testing.T) *oracle {
	t.Helper()
	dir := filepath.Join("testdata", "oracle")
	o := &oracle{byRole: map[Role]*cedar.PolicySet{}, entities: cedar.EntityMap{}, contexts: map[contextKey]cedar.Record{}}
	everybody := read(t, filepath.Join(dir, "everybody.cedar"))
	o.nobody = parse(t, "everybody", everybody)
	for _, role := range append(Roles(), RoleImport) {
		row := read(t, filepath.Join(dir, string(role)+".cedar"))
		o.byRole[role] = parse(t, string(role), everybody+"\n"+row)
	}
	o.shelve(t, read(t, filepath.Join(dir, "shelves.txt")))
	return o
}

func read(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func parse(t *testing.T, name, text string) *cedar.PolicySet {
	t.Helper()
	set, err := cedar.NewPolicySetFromBytes(name, []byte(text))
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return set
}

// shelve puts papers and actions where shelves.txt says.
func (o *oracle) shelve(t *testing.T, text string) {
	t.Helper()
	parents := map[cedar.EntityUID][]cedar.EntityUID{}
	for line := range strings.Lines(text) {
		if strings.HasPrefix(line, "#") {
			continue
		}
		head, members, ok := strings.Cut(strings.TrimSpace(line), ": ")
		kind, name, named := strings.Cut(head, " ")
		if !ok || !named {
			t.Fatalf("not a shelf: %q", line)
		}
		member := map[string]cedar.EntityType{"Shelf": "Paper", "Action": "Action"}[kind]
		for _, m := range strings.Fields(members) {
			if _, known := groupNamed(m); member == "Paper" && !known {
				t.Fatalf("no group %q", m)
			}
			uid := cedar.NewEntityUID(member, cedar.String(m))
			parents[uid] = append(parents[uid], cedar.NewEntityUID(cedar.EntityType(kind), cedar.String(name)))
		}
	}
	for uid, of := range parents {
		o.entities[uid] = cedar.Entity{UID: uid, Parents: cedar.NewEntityUIDSet(of...)}
	}
}

// contextKey is what of a question goes into its context.
type contextKey struct {
	basis      Basis
	label      schema.Label
	rule       schema.Rule
	authorship Authorship
	bits       uint8
}

func (o *oracle) context(q Question) cedar.Record {
	bit := func(b bool, n uint8) uint8 {
		if b {
			return n
		}
		return 0
	}
	k := contextKey{q.Basis, q.Label, q.Rule, q.Authorship, bit(q.Imported, 1) | bit(q.Restricted, 2) | bit(q.Adoption, 4) | bit(q.Named, 8)}
	if r, ok := o.contexts[k]; ok {
		return r
	}
	editable := q.Label == schema.Admin || q.Label == schema.Attested || q.Label == schema.Judgement
	r := cedar.NewRecord(cedar.RecordMap{
		"basis": cedar.String(q.Basis), "label": cedar.String(q.Label.String()), "rule": cedar.String(q.Rule.String()),
		"labelled": cedar.Boolean(editable || q.Label == schema.Verbatim), "editable": cedar.Boolean(editable),
		"wrote": cedar.Boolean(q.Authorship >= AuthorWrote), "began": cedar.Boolean(q.Authorship >= AuthorBegan),
		"imported": cedar.Boolean(q.Imported), "restricted": cedar.Boolean(q.Restricted),
		"adoption": cedar.Boolean(q.Adoption), "named": cedar.Boolean(q.Named),
	})
	o.contexts[k] = r
	return r
}

func (o *oracle) allows(t *testing.T, q Question) bool {
	role, policies := q.Role, o.byRole[q.Role]
	if policies == nil {
		role, policies = "nobody", o.nobody
	}
	decision, diagnostic := cedar.Authorize(policies, o.entities, cedar.Request{
		Principal: cedar.NewEntityUID("Role", cedar.String(role)),
		Action:    cedar.NewEntityUID("Action", cedar.String(q.Action.String())),
		Resource:  cedar.NewEntityUID("Paper", cedar.String(q.Group.String())),
		Context:   o.context(q),
	})
	if len(diagnostic.Errors) > 0 {
		t.Fatalf("%+v: the oracle: %v", q, diagnostic.Errors)
	}
	return bool(decision)
}

// TestOracle compares the table with the oracle on random questions, most of them
// near to something that is allowed. Run it over more with -cases.
func TestOracle(t *testing.T) {
	o := newOracle(t)
	rng := rand.New(rand.NewPCG(*randomSeed, 7))
	allowed, wrong := 0, 0
	for n := range *randomCases {
		q := randomQuestion(rng)
		row, may := compiled.find(q)
		got, want := row != nil && may, o.allows(t, q)
		if got {
			allowed++
		}
		if got != want {
			if wrong++; wrong <= 20 {
				t.Errorf("seed %d, case %d: the table says %v, the oracle %v: %+v (row %s)", *randomSeed, n, got, want, q, rowID(row))
			}
		}
	}
	t.Logf("seed %d: %d cases, %d allowed, %d wrong", *randomSeed, *randomCases, allowed, wrong)
	if allowed*50 < *randomCases {
		t.Errorf("only %d of %d cases are allowed: they prove little", allowed, *randomCases)
	}
}

func rowID(r *row) string {
	if r == nil {
		return "none"
	}
	return r.id
}

// randomQuestion draws a question. Three in four begin at a row of the table, and
// leave it by as much as chance will.
func randomQuestion(rng *rand.Rand) Question {
	q := Question{
		Role: pick(rng, allRoles), Basis: pick(rng, allBases), Group: Group(rng.IntN(int(groupCount) + 1)),
		Label: schema.Label(rng.IntN(6)), Rule: schema.Rule(rng.IntN(11)), Action: Action(rng.IntN(int(actionCount) + 1)),
		Authorship: Authorship(rng.IntN(3)), Imported: rng.IntN(8) == 0, Restricted: rng.IntN(4) == 0, Named: rng.IntN(3) == 0,
	}
	q.Adoption = q.Restricted && rng.IntN(3) == 0
	if rng.IntN(4) == 0 {
		return q
	}
	r := &table[rng.IntN(len(table))]
	near(rng, &q.Role, r.roles)
	near(rng, &q.Basis, r.bases)
	near(rng, &q.Group, r.groups)
	near(rng, &q.Label, r.labels)
	near(rng, &q.Rule, r.rules)
	near(rng, &q.Action, r.actions)
	q.Imported = q.Role == RoleImport && rng.IntN(4) > 0 || rng.IntN(20) == 0
	return q
}

// near sets a value to a member of a column, nearly always.
func near[T any](rng *rand.Rand, v *T, column []T) {
	if len(column) > 0 && rng.IntN(8) > 0 {
		*v = pick(rng, column)
	}
}

func pick[T any](rng *rand.Rand, list []T) T { return list[rng.IntN(len(list))] }

// TestOracleKnowsEveryRow: there is a file for each row of the page, and none for
// what is no role.
func TestOracleKnowsEveryRow(t *testing.T) {
	files, err := filepath.Glob(filepath.Join("testdata", "oracle", "*.cedar"))
	if err != nil {
		t.Fatal(err)
	}
	want := len(Roles()) + 2 // the import, and everybody
	if len(files) != want {
		t.Errorf("%d files, want %d: %s", len(files), want, fmt.Sprint(files))
	}
}
