package clocks

import (
	"strconv"
	"strings"
)

// PolicyError says which word of a line of policy is wrong, and why.
type PolicyError struct{ Word, Why string }

func (e *PolicyError) Error() string { return strconv.Quote(e.Word) + ": " + e.Why }

// ParsePolicy reads one row of policy from the line that a configuration holds:
//
//	CP every 10 WD alone 2 bedroom 2 home 50 warn 3 WD from 2026-04-01
//	PRIVFOST first 1 WEEK first-year 6 WEEK every 3 MONTH
//	ADOPT first 1 WEEK until-review 1 WEEK
//	CORE_GROUP for CP first 10 WD every 1 MONTH
//
// The first word is the type of visit; "for" names the status that it is for, if that
// is another word. Intervals are a number and WD, CD, WEEK or MONTH, and "day1" after
// one counts the day itself as day 1. What is left out is not asked for, and a row
// without "from" holds always. It returns a *PolicyError.
func ParsePolicy(line string) (Policy, error) {
	words := strings.Fields(line)
	if len(words) == 0 || !isCode(words[0]) {
		return Policy{}, &PolicyError{line, "begins with the type of visit, e.g. CP"}
	}
	p := policyParser{row: Policy{Visit: words[0], For: words[0]}, words: words[1:]}
	seen := map[string]bool{}
	for len(p.words) > 0 && p.err == nil {
		word := p.take()
		if seen[word] {
			return Policy{}, &PolicyError{word, "stands there twice"}
		}
		seen[word] = true
		p.clause(word)
	}
	if p.err != nil {
		return Policy{}, p.err
	}
	return p.row, nil
}

type policyParser struct {
	row   Policy
	words []string
	err   error
}

func (p *policyParser) clause(word string) {
	switch word {
	case "for":
		if p.row.For = p.take(); !isCode(p.row.For) {
			p.fail(p.row.For, "is no status, e.g. CP")
		}
	case "first":
		p.step(&p.row.Rhythm.First)
	case "until-review":
		p.step(&p.row.Rhythm.UntilReview)
	case "first-year":
		p.step(&p.row.Rhythm.FirstYear)
	case "every":
		p.step(&p.row.Rhythm.Then)
	case "warn":
		p.row.Warn = p.interval()
	case "alone":
		p.row.AloneEvery = p.number(100)
	case "bedroom":
		p.row.BedroomEvery = p.number(100)
	case "home":
		p.row.HomeShare = p.number(100)
	case "from":
		p.day()
	default:
		p.fail(word, "is not known here: for, first, until-review, first-year, every, alone, bedroom, home, warn or from")
	}
}

func (p *policyParser) take() string {
	if len(p.words) == 0 {
		return ""
	}
	word := p.words[0]
	p.words = p.words[1:]
	return word
}

func (p *policyParser) fail(word, why string) {
	if p.err == nil {
		p.err = &PolicyError{word, why}
	}
}

func (p *policyParser) step(s *Step) { *s = Step{p.interval(), LocalPolicy} }

func (p *policyParser) interval() Interval {
	i := Interval{N: p.number(1000), Unit: Unit(p.take())}
	switch i.Unit {
	case WorkingDays, Days, Weeks, Months:
	default:
		p.fail(string(i.Unit), "is no unit: WD (working days), CD (days), WEEK or MONTH")
	}
	if len(p.words) > 0 && p.words[0] == "day1" {
		p.take()
		i.FromDay1 = true
	}
	return i
}

func (p *policyParser) number(most int) int {
	word := p.take()
	n, ok := digits(word)
	if !ok || word == "" || len(word) > 4 || n < 1 || n > most {
		p.fail(word, "is no number from 1 to "+strconv.Itoa(most))
	}
	return n
}

func (p *policyParser) day() {
	word := p.take()
	d, ok := ParseDay(word)
	if !ok {
		p.fail(word, "is no day, e.g. 2026-04-01")
	}
	p.row.ValidFrom = d
}

func isCode(s string) bool {
	for i := range len(s) {
		if c := s[i]; !(c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '_') {
			return false
		}
	}
	return s != ""
}

// String is the row as the line that ParsePolicy reads.
func (row Policy) String() string {
	line := row.Visit
	if row.For != row.Visit {
		line += " for " + row.For
	}
	for _, part := range []struct {
		word string
		of   Interval
	}{
		{"first", row.Rhythm.First.Interval}, {"until-review", row.Rhythm.UntilReview.Interval},
		{"first-year", row.Rhythm.FirstYear.Interval}, {"every", row.Rhythm.Then.Interval},
	} {
		line += part.of.clause(part.word)
	}
	for _, part := range []struct {
		word string
		n    int
	}{{"alone", row.AloneEvery}, {"bedroom", row.BedroomEvery}, {"home", row.HomeShare}} {
		if part.n > 0 {
			line += " " + part.word + " " + strconv.Itoa(part.n)
		}
	}
	line += row.Warn.clause("warn")
	if row.ValidFrom != 0 {
		line += " from " + row.ValidFrom.ISO()
	}
	return line
}

func (i Interval) clause(word string) string {
	if !i.Set() {
		return ""
	}
	s := " " + word + " " + strconv.Itoa(i.N) + " " + string(i.Unit)
	if i.FromDay1 {
		s += " day1"
	}
	return s
}

// ParseInterval reads an interval as lines of policy have it: "5 WD", "4 WEEK". It
// returns a *PolicyError.
func ParseInterval(s string) (Interval, error) {
	p := policyParser{words: strings.Fields(s)}
	i := p.interval()
	if len(p.words) > 0 {
		p.fail(p.words[0], "is too much for an interval, e.g. 5 WD")
	}
	if p.err != nil {
		return Interval{}, p.err
	}
	return i, nil
}
