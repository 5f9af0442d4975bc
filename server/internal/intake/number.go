package intake

import (
	"strconv"

	"doorstep/syncproto"
	"doorstep/syncproto/schema"
)

// number is a number that only one person may have.
type number struct{ field, value string }

// refNumber is the reference kind under which a unique number is remembered.
func refNumber(field string) string { return "number_" + field }

// claim is a person who gets a number in this run.
type claim struct {
	number number
	target *target
}

// checkNumbers refuses a number that another person has: matching errors merge
// two children's files. A number that this run takes from a person is free again.
func (r *run) checkNumbers() {
	var claims []claim
	var freed []number
	for _, t := range r.targets.list {
		if t.kind.ID != "person" {
			continue
		}
		for _, field := range []string{"la_child_id", "upn", "nhs_no"} {
			before, now := r.before[t.record].text(field), r.after[t.record].text(field)
			if before == now {
				continue
			}
			if before != "" {
				freed = appendNew(freed, number{field, before})
			}
			claims = append(claims, claim{number{field, now}, t})
		}
	}
	r.refs.family = syncproto.FamilyID{}
	for _, n := range freed {
		r.refs.set(refNumber(n.field), n.value, syncproto.ID{})
	}
	claimed := map[number]*target{}
	for _, c := range claims {
		r.settle(c, claimed)
	}
}

// settle remembers whose a number is from now on, unless it is somebody else's.
func (r *run) settle(c claim, claimed map[number]*target) {
	at, column := c.target.locate(schema.Problem{Field: c.number.field, Element: -1}, r.after[c.target.record])
	if other := claimed[c.number]; other != nil {
		at.problem(column, ProblemDuplicate, "Line "+strconv.Itoa(other.row.line)+" has this number too.")
		return
	}
	claimed[c.number] = c.target
	if !r.refs.isFree(refNumber(c.number.field), c.number.value) {
		at.problem(column, ProblemTaken, "Another person has this number.")
		return
	}
	r.refs.family = c.target.family
	r.refs.set(refNumber(c.number.field), c.number.value, syncproto.ID(c.target.record))
}
