package access

import (
	"cmp"
	"crypto/sha256"
	"fmt"
	"slices"
	"strings"

	"doorstep/syncproto/schema"
)

// Table renders every row on a line of its own, columns parted by bars, sorted:
// the same rows give the same text in whatever order they are written.
func Table() string { return render(table) }

// TableHash is SHA-256 over Table: an audit that names it says which rules were
// in force.
func TableHash() [32]byte { return sha256.Sum256([]byte(Table())) }

func render(rows []row) string {
	lines := make([]string, 0, len(rows))
	for i := range rows {
		lines = append(lines, rows[i].line())
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n") + "\n"
}

func (r *row) line() string {
	return strings.Join([]string{
		string(r.effect), r.id, cell(r.roles, word), cell(r.bases, word), cell(r.groups, Group.String),
		cell(r.labels, schema.Label.String), cell(r.rules, schema.Rule.String), cell(r.actions, Action.String),
		r.only.String(), r.why,
	}, " | ")
}

func word[T ~string](w T) string { return string(w) }

// cell lists a column's members, sorted; "any" for an empty column.
func cell[T any](members []T, name func(T) string) string {
	if len(members) == 0 {
		return "any"
	}
	words := make([]string, 0, len(members))
	for _, m := range members {
		words = append(words, name(m))
	}
	slices.Sort(words)
	return strings.Join(words, ",")
}

// Page is the whole table as a manager can read it: what is denied to everybody
// first, then role by role, footing by footing. It is Markdown.
func Page() string {
	var b strings.Builder
	fmt.Fprintf(&b, pageHead, TableHash())
	b.WriteString("## What is denied, whatever else allows it\n\n")
	for i := range table {
		if table[i].effect == deny {
			b.WriteString("- " + table[i].denial() + "\n")
		}
	}
	for _, role := range append(Roles(), RoleImport) {
		b.WriteString("\n## " + strings.ToUpper(role.Words()[:1]) + role.Words()[1:] + " (`" + string(role) + "`)\n\n")
		for _, basis := range everyBasis {
			b.WriteString(onBasis(role, basis))
		}
	}
	b.WriteString("\n## What the groups hold\n\n")
	for g := GroupNone + 1; g < groupCount; g++ {
		b.WriteString("- **" + g.String() + "**: " + g.Words() + "\n")
	}
	return b.String()
}

const pageHead = `# Who may do what

This page is the table by which every access is decided, written out role by role. It is printed by ` + "`doorstep access table`" + `
and held against the code by a test. What is not allowed here is denied: **default deny**. Nobody has a footing with a family
by role alone: it comes from an allocation, a post in the family's team, or a grant with a first and a last day, and it is
looked up each time. SHA-256 of the table, as the audit names it: ` + "`%x`" + `.

Labels of fields: *admin* (codes, links, spelling), *attested* (facts that the author vouches for), *verbatim* (words as
spoken), *judgement* (the author's own).

`

// denial is a denying row in a sentence.
func (r *row) denial() string {
	var parts []string
	if len(r.roles) > 0 && len(r.roles) < len(people) {
		parts = append(parts, "for "+orAllBut(r.roles))
	}
	if len(r.bases) > 0 {
		parts = append(parts, "on "+cell(r.bases, word))
	}
	if len(r.groups) > 0 {
		parts = append(parts, "everything but the server's configuration")
	}
	if len(r.labels) > 0 {
		parts = append(parts, "fields labelled "+cell(r.labels, schema.Label.String))
	}
	if len(r.rules) > 0 {
		parts = append(parts, "fields with the rule "+cell(r.rules, schema.Rule.String))
	}
	if len(r.actions) > 0 {
		parts = append(parts, "to "+cell(r.actions, Action.String))
	}
	if r.only != always {
		parts = append(parts, "when "+r.only.String())
	}
	return "**" + r.id + "** (" + strings.Join(parts, "; ") + "): " + r.why + "."
}

// orAllBut lists roles, or those left out if that is shorter.
func orAllBut(roles []Role) string {
	if len(roles) <= len(people)/2 {
		return cell(roles, word)
	}
	var out []Role
	for _, r := range people {
		if !contains(roles, r) {
			out = append(out, r)
		}
	}
	return "all but " + cell(out, word)
}

// onBasis writes what a role may on one footing, row by row; "" if nothing.
func onBasis(role Role, basis Basis) string {
	var lines []string
	for i := range table {
		r := &table[i]
		if r.effect == allow && contains(r.roles, role) && contains(r.bases, basis) {
			lines = append(lines, "- "+r.permission()+"\n")
		}
	}
	if len(lines) == 0 {
		return ""
	}
	title := string(basis)
	if basis == BasisNone {
		title = "no footing"
	}
	return "**" + title + "**, " + strings.TrimPrefix(basis.Words(), "who ") + ":\n\n" + strings.Join(lines, "") + "\n"
}

// permission is an allowing row in a sentence.
func (r *row) permission() string {
	s := inOrder(r.actions, Action.String) + ": " + inOrder(r.groups, Group.String)
	switch {
	case len(r.labels) > 0 && len(r.labels) < 4:
		s += "; only fields labelled " + inOrder(r.labels, schema.Label.String)
	case len(r.labels) == 4:
		s += "; fields of every label"
	}
	if r.only != always {
		s += "; only if " + r.only.String()
		if r.only == whoWrote || r.only == whoBegan {
			s = strings.Replace(s, "only if ", "only who ", 1)
		}
	}
	return s + " (" + r.why + ")"
}

// inOrder lists members in their own order.
func inOrder[T cmp.Ordered](members []T, name func(T) string) string {
	sorted := slices.Sorted(slices.Values(members))
	words := make([]string, 0, len(sorted))
	for _, m := range sorted {
		words = append(words, name(m))
	}
	return strings.Join(words, ", ")
}
