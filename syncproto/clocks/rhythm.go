package clocks

// Step is one interval of a rhythm and what it rests on.
type Step struct {
	Interval
	Basis string // "Reg 28(2)(b)", or who decided
}

// Rhythm is how soon and how often somebody must be seen. A step that is not set
// leaves its stretch to the next.
type Rhythm struct {
	First       Step // the first visit, from the start
	UntilReview Step // until the first review was held
	FirstYear   Step // in the first year from the start
	Then        Step
}

// span is what a rhythm runs over.
type span struct {
	start, review Day // review: held; NoDay if not yet
}

// next is the step that holds from the last visit on (NoDay: none since the start), and
// the day that it is counted from. A step is chosen by the day that it begins: where a
// rule could be read as letting the longer interval begin earlier, the shorter holds.
func (r Rhythm) next(s span, last Day) (Step, Day) {
	if last == NoDay {
		if r.First.Set() {
			return r.First, s.start
		}
		last = s.start
	}
	switch {
	case r.UntilReview.Set() && (s.review == NoDay || last < s.review):
		return r.UntilReview, last
	case r.FirstYear.Set() && last < s.start.AddMonths(12):
		return r.FirstYear, last
	default:
		return r.Then, last
	}
}
