package intake

import (
	"cmp"
	"slices"

	"doorstep/syncproto"
)

// period is one status of one child, from its first day to its last. Two periods
// may meet on one day.
type period struct {
	child    syncproto.RecordID
	kind     string
	from, to string // to is openEnd while it goes on
	target   *target
}

const openEnd = "9999-12-31"

func (p period) overlaps(q period) bool { return p.from < q.to && q.from < p.to }

// checkPeriods holds the rules between a child's statuses (domain rules 6): no two
// periods of one of these kinds at a time, so at most one open child protection
// plan, and no child in need plan beside a child protection plan.
func (r *run) checkPeriods() error {
	for _, family := range r.standing {
		records, err := r.recordsOf(family, "status")
		if err != nil {
			return err
		}
		var periods []period
		for _, record := range records {
			p, err := r.wanted(record)
			if err != nil {
				return err
			}
			if q, ok := periodOf(p, r.targets.byID[record]); ok {
				periods = append(periods, q)
			}
		}
		// What earlier runs said comes first, so that the new line is the one named.
		slices.SortStableFunc(periods, func(a, b period) int { return cmp.Compare(lineOf(a), lineOf(b)) })
		for i, later := range periods {
			for _, earlier := range periods[:i] {
				checkPair(earlier, later)
			}
		}
	}
	return nil
}

func lineOf(p period) int {
	if p.target == nil {
		return 0
	}
	return p.target.row.line
}

func periodOf(p *imported, t *target) (period, bool) {
	child, _ := p.values[syncproto.Path{Field: "child"}].AsBytes()
	q := period{kind: p.text("kind"), from: p.text("from"), to: p.text("to"), target: t}
	if len(child) != len(q.child) || q.from == "" {
		return q, false
	}
	q.child = syncproto.RecordID(child)
	if q.to == "" {
		q.to = openEnd
	}
	return q, true
}

// checkPair names the later line of two that cannot both be true.
func checkPair(a, b period) {
	if b.target == nil || a.child != b.child || !a.overlaps(b) {
		return
	}
	refuse := func(plain string) { b.target.row.problem("from", ProblemRule, plain) }
	switch pair := a.kind + "+" + b.kind; {
	case pair == "CP+CP" && a.to == openEnd && b.to == openEnd:
		refuse("The child has an open child protection plan already: end that one first.")
	case pair == "CP+CP":
		refuse("The child has a child protection plan in these days already.")
	case pair == "CIN+CIN":
		refuse("The child has a child in need plan in these days already.")
	case pair == "CLA+CLA":
		refuse("The child is looked after in these days already.")
	case pair == "CIN+CP", pair == "CP+CIN":
		refuse("A child in need plan cannot run beside a child protection plan.")
	}
}
