// Package retention says until when a child's or family's file is kept, by a borough's
// schedule.
//
// A Rule gives years from birth, or from the last contact, to every child who ever had a
// status; a rule from death takes the place of the others of its status for a child who died
// before the age of eighteen. Of all rules that concern a file the longest wins, and the
// regulations' floor is always among them, so that no schedule shortens it. Where a schedule is silent about a
// status, or a day is not known, nobody can say, and nothing is said to be over. The
// package erases nothing and reads nothing: facts come in, an answer goes out.
package retention

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"doorstep/syncproto/clocks"
	"doorstep/syncproto/schema"
)

// Origin is from when a rule counts.
type Origin string

const (
	FromBirth   Origin = "birth"
	FromContact Origin = "contact" // the last entry on the file, visit, or end of a status
	FromDeath   Origin = "death"   // of a child who died before the age of eighteen
)

// Rule is one line of a schedule: who had a status is kept for so many years.
type Rule struct {
	Status string // a code of the status record, as CIN or CLA
	Years  int
	From   Origin
}

// String says the rule as people say it.
func (r Rule) String() string {
	name := r.Status
	kind, _ := schema.Newest("status")
	if f, ok := kind.Field("kind"); ok {
		for _, c := range f.Codes.All() {
			if c.Code == r.Status {
				name = c.Label
			}
		}
	}
	since := "the last contact"
	switch r.From {
	case FromBirth:
		since = "birth"
	case FromDeath:
		since = "the death of a child"
	}
	return fmt.Sprintf("%s: %d years from %s", strings.ToLower(name), r.Years, since)
}

// Floor is what no schedule shortens: the record of a child who was looked after is kept
// until the seventy-fifth anniversary of birth, or, if the child dies before the age of
// eighteen, for fifteen years from the death (Care Planning, Placement and Case Review
// (England) Regulations 2010, regulation 50).
func Floor() []Rule {
	return []Rule{{Status: "CLA", Years: 75, From: FromBirth}, {Status: "CLA", Years: 15, From: FromDeath}}
}

// adult is the age from which a death changes nothing, in years.
const adult = 18

// Defaults are the lines of a borough that has not set its own: what published schedules
// have most often, the longer where they differ. Early help and youth justice differ too
// much, and have none.
func Defaults() []string {
	return []string{"CLA 75 birth", "CLA 15 death", "CL 75 birth", "CP 35 contact", "CIN 21 birth", "S47 21 birth", "ASSESS 21 birth", "DISAB 21 birth"}
}

// maxYears is longer than any schedule.
const maxYears = 150

// ParseRule reads a line: a status, years, and birth, contact or death, as "CIN 21 birth".
func ParseRule(line string) (Rule, error) {
	words := strings.Fields(line)
	if len(words) != 3 {
		return Rule{}, fmt.Errorf("want a status, years, and birth, contact or death, e.g. CIN 21 birth")
	}
	kind, _ := schema.Newest("status")
	f, _ := kind.Field("kind")
	r := Rule{Status: words[0], From: Origin(words[2])}
	var err error
	if r.Years, err = strconv.Atoi(words[1]); err != nil || r.Years < 1 || r.Years > maxYears {
		return r, fmt.Errorf("%q is no number of years from 1 to %d", words[1], maxYears)
	}
	if !f.Codes.Has(r.Status) {
		return r, fmt.Errorf("%q is no status of a child", r.Status)
	}
	if !slices.Contains([]Origin{FromBirth, FromContact, FromDeath}, r.From) {
		return r, fmt.Errorf("%q is neither birth, contact nor death", r.From)
	}
	return r, nil
}

// Schedule is a borough's rules. The zero Schedule has the floor alone.
type Schedule []Rule

// File is what is known of one child, or of a whole family's file.
type File struct {
	Children []Child
	// LastContact is the day of the newest entry of the file, visit, or end of a status.
	LastContact clocks.Day
}

// Child is what is known of a child.
type Child struct {
	Born     clocks.Day // NoDay: not known
	Died     clocks.Day // NoDay: nobody said so, or people differ
	Statuses []Status
}

// Status is one period of a child's involvement.
type Status struct {
	Kind     string
	From, To clocks.Day // To NoDay: it lasts
}

// Kept says until when a file is kept. Nothing in it is personal but Until, which may tell
// when somebody was born.
type Kept struct {
	Until clocks.Day // the first day on which it need not be kept; NoDay: nobody can say
	Basis string     // the rule that keeps it longest, or why nobody can say
}

// Over reports whether a file need not be kept any more.
func (k Kept) Over(today clocks.Day) bool { return k.Until != clocks.NoDay && k.Until <= today }

// Of says until when a file is kept. Every child of it counts.
func (s Schedule) Of(f File) Kept {
	out := Kept{Until: clocks.NoDay, Basis: "no child on the file has a status"}
	for _, c := range f.Children {
		for _, status := range c.Statuses {
			one := s.ofStatus(status, c, f.LastContact)
			if one.Until == clocks.NoDay {
				return one
			}
			if out.Until == clocks.NoDay || one.Until > out.Until {
				out = one
			}
		}
	}
	return out
}

func (s Schedule) ofStatus(status Status, c Child, contact clocks.Day) Kept {
	out := Kept{Until: clocks.NoDay, Basis: "the schedule has no line for " + status.Kind}
	if status.To == clocks.NoDay {
		return Kept{Until: clocks.NoDay, Basis: "a child's involvement lasts"}
	}
	for _, r := range s.rulesOf(status.Kind, c) {
		from := max(contact, status.To)
		switch r.From {
		case FromBirth:
			from = c.Born
		case FromDeath:
			from = c.Died
		}
		if from == clocks.NoDay {
			return Kept{Until: clocks.NoDay, Basis: "a child's date of birth is not on the file"}
		}
		if until := from.AddMonths(12 * r.Years); out.Until == clocks.NoDay || until > out.Until {
			out = Kept{Until: until, Basis: r.String()}
		}
	}
	return out
}

// rulesOf are the rules for a status of a child, the floor's too. Those from death, where
// there are any, are all that count for a child who died before the age of eighteen, and
// nothing for everybody else.
func (s Schedule) rulesOf(kind string, c Child) (out []Rule) {
	young := c.Died != clocks.NoDay && c.Born != clocks.NoDay && c.Died < c.Born.AddMonths(12*adult)
	all := append(slices.Clone(s), Floor()...)
	fromDeath := young && slices.ContainsFunc(s, func(r Rule) bool { return r.Status == kind && r.From == FromDeath })
	for _, r := range all {
		if r.Status == kind && (r.From == FromDeath) == fromDeath {
			out = append(out, r)
		}
	}
	return out
}
