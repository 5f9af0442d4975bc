package access

import (
	"fmt"
	"slices"
	"testing"

	"doorstep/syncproto/schema"
)

// TestEveryMutantIsCaught: leaving out a row, one member of one of its columns or
// its circumstance, widening one of its columns to everything, or turning its
// effect round, must change an answer that is expected.
func TestEveryMutantIsCaught(t *testing.T) {
	cells := parseExpected(t)
	count := 0
	for i := range table {
		for _, m := range mutants(table[i]) {
			count++
			if why := equivalent[table[i].id+": "+m.what]; !caught(cells, i, m) && why == "" {
				t.Errorf("row %s: nobody notices that %s", table[i].id, m.what)
			}
		}
	}
	t.Logf("%d mutants of %d rows", count, len(table))
	if count < 10*len(table) {
		t.Errorf("only %d mutants of %d rows", count, len(table))
	}
}

// equivalent are mutants that change no answer, and why.
var equivalent = map[string]string{
	"it-config: the limit to config is gone": "another row denies IT administration everything else",
}

// caught asks the questions that a mutant can answer otherwise than the row did,
// of the mutated table and of one in which somebody also allowed everything.
func caught(cells map[cellKey][]permission, i int, m mutant) bool {
	rows := mutated(i, m)
	plain, open := compile(rows), compile(append(slices.Clone(rows), everythingToEverybody))
	before := compile([]row{table[i]})
	after := compile(nil)
	if m.row != nil {
		after = compile([]row{*m.row})
	}
	found := false
	around(&table[i], m.row, func(q Question) bool {
		was, wasMay := before.find(q)
		is, isMay := after.find(q)
		if (was == nil) == (is == nil) && wasMay == isMay {
			return true
		}
		row, may := plain.find(q)
		openRow, openMay := open.find(q)
		found = (row != nil && may) != expects(cells, q) || (openRow != nil && openMay) == neverAllowed(q)
		return !found
	})
	return found
}

// around yields questions that the row or its mutant speaks of, in every
// situation.
func around(r, m *row, yield func(Question) bool) {
	if m == nil {
		m = r
	}
	roles := either(r.roles, m.roles, append(Roles(), RoleImport, "nobody"))
	bases := either(r.bases, m.bases, append(slices.Clone(everyBasis), BasisDenied, BasisRelative))
	groups := either(r.groups, m.groups, allOf(groupCount))
	actions := either(r.actions, m.actions, allOf(actionCount))
	labels := either(r.labels, m.labels, []schema.Label{0, schema.Admin, schema.Attested, schema.Verbatim, schema.Judgement})
	fieldRules := either(r.rules, m.rules, []schema.Rule{schema.Human, schema.Log, schema.Server, schema.Derived})
	all := situations()
	for _, s := range all {
		holds := circumstances(&Question{Authorship: s.authorship, Imported: s.imported, Restricted: s.restricted, Adoption: s.adoption, Named: s.named})
		if r.only != always && m.only != always && (r.only|m.only)&holds == 0 {
			continue // neither speaks of it
		}
		for _, rule := range fieldRules {
			for _, label := range labels {
				for _, action := range actions {
					for _, group := range groups {
						for _, basis := range bases {
							for _, role := range roles {
								q := Question{Role: role, Basis: basis, Group: group, Label: label, Rule: rule, Action: action,
									Authorship: s.authorship, Imported: s.imported, Restricted: s.restricted, Adoption: s.adoption, Named: s.named}
								if !yield(q) {
									return
								}
							}
						}
					}
				}
			}
		}
	}
}

// either is what a column that the mutant changed speaks of no more, or newly; of
// one that it did not change, its members, and of an empty one, all there are.
func either[T comparable](a, b, all []T) []T {
	if len(a) == 0 {
		a = all
	}
	if len(b) == 0 {
		b = all
	}
	var out []T
	for _, v := range all {
		if slices.Contains(a, v) != slices.Contains(b, v) {
			out = append(out, v)
		}
	}
	if len(out) == 0 {
		return a
	}
	return out
}

func allOf[T ~uint8](count T) []T {
	var out []T
	for v := range count {
		out = append(out, v)
	}
	return out
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

func mutants(r row) []mutant {
	flipped := r
	flipped.effect = map[effect]effect{allow: deny, deny: allow}[r.effect]
	out := []mutant{{"it is gone", nil}, {"it is turned round", &flipped}}
	if r.only != always {
		open := r
		open.only = always
		out = append(out, mutant{"its circumstance is gone", &open})
	}
	out = append(out, columnMutants(r, r.roles, func(m *row, v []Role) { m.roles = v }, word[Role])...)
	out = append(out, columnMutants(r, r.bases, func(m *row, v []Basis) { m.bases = v }, word[Basis])...)
	out = append(out, columnMutants(r, r.groups, func(m *row, v []Group) { m.groups = v }, Group.String)...)
	out = append(out, columnMutants(r, r.labels, func(m *row, v []schema.Label) { m.labels = v }, schema.Label.String)...)
	out = append(out, columnMutants(r, r.rules, func(m *row, v []schema.Rule) { m.rules = v }, schema.Rule.String)...)
	out = append(out, columnMutants(r, r.actions, func(m *row, v []Action) { m.actions = v }, Action.String)...)
	return out
}

// columnMutants makes the mutants of one column: each member left out, and its limit
// dropped.
func columnMutants[T comparable](r row, members []T, set func(*row, []T), name func(T) string) []mutant {
	if len(members) == 0 {
		return nil
	}
	var out []mutant
	for i, v := range members {
		m := r
		set(&m, without(members, i))
		out = append(out, mutant{fmt.Sprintf("%s is gone", name(v)), &m})
	}
	wide := r
	set(&wide, nil)
	return append(out, mutant{fmt.Sprintf("the limit to %s is gone", name(members[0])), &wide})
}

// without leaves out one member; of a single member it makes one that matches
// nothing that exists, as an empty column would match everything.
func without[T comparable](column []T, i int) []T {
	if len(column) == 1 {
		return []T{nothing(column[0])}
	}
	return slices.Delete(slices.Clone(column), i, i+1)
}

// nothing is a member of a column that no question of the tests has.
func nothing[T comparable](like T) T {
	var v any
	switch any(like).(type) {
	case Role:
		v = Role("nobody")
	case Basis:
		v = Basis("NOTHING")
	case Group:
		v = GroupNone
	case Action:
		v = ActionUnknown
	case schema.Label:
		v = schema.Label(7)
	case schema.Rule:
		v = schema.Rule(15)
	}
	return v.(T)
}
