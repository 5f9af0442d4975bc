package intake

import (
	"strings"

	"doorstep/syncproto"
	"doorstep/syncproto/cbor"
	"doorstep/syncproto/schema"
)

// check holds the rules that look at more than one cell: those of the record
// kinds over what the case management system says of a record, unique numbers,
// and the periods of each child.
func (r *run) check() error {
	for _, t := range r.targets.list {
		p, err := r.wanted(t.record)
		if err != nil {
			return err
		}
		r.checkRecord(t, p)
	}
	r.checkNumbers()
	return r.checkPeriods()
}

// checkRecord asks the record kind what is missing or does not hold. What people
// wrote themselves is left out: a file is not refused for their sake.
func (r *run) checkRecord(t *target, p *imported) {
	facts := map[string]cbor.Value{schema.FactNow: cbor.Int(r.opts.Now.UnixMilli())}
	var approved []cbor.Value // what comes from where it was approved
	for i := range t.kind.Fields {
		if t.kind.Fields[i].ManagerApproves {
			approved = append(approved, cbor.Text(t.kind.Fields[i].ID))
		}
	}
	facts[schema.FactApproved] = cbor.List(approved...)
	for _, problem := range t.kind.Complete(p.source(t.kind, facts)) {
		if problem.Warn {
			continue
		}
		at, column := t.locate(problem, p)
		if problem.Code == schema.Unfilled {
			at.problem(column, ProblemMissing, "This must be filled in"+t.called(problem)+".")
			continue
		}
		at.problem(column, ProblemRule, problem.Plain)
	}
}

// called names what is missing as a form does.
func (t *target) called(problem schema.Problem) string {
	f, ok := t.kind.At(problem.Field, problem.Part)
	if !ok {
		return ""
	}
	return ": " + strings.ToLower(f.Hint.Label)
}

// locate finds the line and column that a problem of a record comes from: the
// cell itself, else a line about the same element, else the record's line.
func (t *target) locate(problem schema.Problem, p *imported) (row, string) {
	var element syncproto.ElementID
	if elements := p.elementsOf(problem.Field); problem.Element >= 0 && problem.Element < len(elements) {
		element = elements[problem.Element].Element
	}
	at := t.row
	if f, ok := t.kind.Field(problem.Field); ok && f.IsCollection() && element.IsZero() && !t.sets[problem.Field] {
		return at, columnFor(at.file, problem) // of all its lines together
	}
	for _, w := range t.wants {
		if w.path.Field != problem.Field || !element.IsZero() && w.path.Element != element {
			continue
		}
		at = w.row
		if problem.Part == "" || w.path.Sub == problem.Part || w.path.Sub == "" {
			return at, w.column
		}
	}
	return at, columnFor(at.file, problem)
}

// columnFor names the column in which a missing value would stand.
func columnFor(file string, problem schema.Problem) string {
	for _, s := range theSet {
		if s.file != file {
			continue
		}
		for _, c := range s.columns {
			field, part, _ := strings.Cut(c.goes, ".")
			if part == problem.Part && (field == problem.Field || field == "" && part != "") {
				return c.name
			}
		}
	}
	return ""
}
