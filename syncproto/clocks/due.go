// Package clocks works out when each child must next be seen, and why: the statutory
// floors are code, each with its regulation; a borough's policy and a plan's own
// frequency are data on top of them, and can only bring a day forward. It is pure:
// today, the calendar and what is on record are arguments. It does not know records;
// what a visit has to be like in order to count is the schema's rule (counts_as_statutory).
package clocks

// Visit is one visit, or meeting, that is on record for a child.
type Visit struct {
	On   Day
	Type string // a code of visit.visit_type, or a policy's own
	// Counts: final or handed in, by an eligible worker, the child seen, the right type
	// and place, and nothing of that in dispute. Only such a visit satisfies a clock.
	Counts bool
	// Alone and Bedroom are undisputed; a child too young to be seen alone counts as Alone.
	Alone, Bedroom bool
	// Home: where the child lives.
	Home bool
}

// Record is what is on record for one child.
type Record struct {
	Periods []Period
	Visits  []Visit // in any order
}

// State is how near a day is.
type State int

const (
	OnTime State = iota
	Soon
	Overdue
)

// Due is one day by which a child must be seen, and why.
type Due struct {
	Visit string // the type of visit
	On    Day
	Basis string // "Reg 28(2)(b)"
	Every Interval
	From  Day // what the interval is counted from
	Last  Day // the last visit that counted, NoDay for none in this period
	State State
	// Alone, Bedroom and Home say what the next visit must have besides.
	Alone, Bedroom, Home bool
}

// Why explains the day: "Reg 28(2)(b): 6 weeks from 3 May 2026".
func (d Due) Why() string { return d.Basis + ": " + d.Every.String() + " from " + d.From.String() }

// Rules is a borough's policy and its calendar.
type Rules struct {
	Policies []Policy
	Calendar Calendar
}

// Due lists what is due for a child as it stands today: one entry for each type of
// visit that a period which lasts asks for, in the order of the periods.
func (r Rules) Due(rec Record, today Day) []Due {
	var list []Due
	rows := inForce(r.Policies, today)
	for _, p := range rec.Periods {
		if !p.Lasts(today) {
			continue
		}
		for _, duty := range duties(p, rows) {
			if due, ok := r.next(duty, rec.Visits, today); ok {
				list = append(list, due)
			}
		}
	}
	return list
}

// duty is one type of visit that a period asks for, with all the rhythms that it has to
// keep and the row of policy that says what a visit must have.
type duty struct {
	visit   string
	period  Period
	rhythms []Rhythm // the floors first, so that a floor is named where policy asks for the same day
	policy  Policy
}

// duties are those of the floors, and of each row of policy that concerns the period. A
// plan's own frequency takes the place of policy for the visits of its status.
func duties(p Period, rows []Policy) []duty {
	var list []duty
	main := duty{visit: p.Kind, period: p, rhythms: Floors(p)}
	for _, row := range rows {
		switch {
		case !row.concerns(p):
		case row.Visit == p.Kind:
			main.policy = row
		default:
			list = append(list, duty{visit: row.Visit, period: p, rhythms: []Rhythm{row.Rhythm}, policy: row})
		}
	}
	main.rhythms = append(main.rhythms, main.ownOrPolicy()...)
	return append([]duty{main}, list...)
}

// ownOrPolicy is what the plan decided, with the first visit as soon as policy wants it,
// or else policy.
func (d duty) ownOrPolicy() []Rhythm {
	own := d.period.Own
	if !own.Every.Set() {
		return []Rhythm{d.policy.Rhythm}
	}
	by := own.SetBy
	if by == "" {
		by = OwnPlan
	}
	return []Rhythm{{Then: Step{own.Every, by}}, {First: d.policy.Rhythm.First}}
}

// next works out the earliest day that any rhythm of a duty gives.
func (r Rules) next(d duty, visits []Visit, today Day) (Due, bool) {
	since := d.counted(visits, today)
	due := Due{Visit: d.visit, On: NoDay, Last: NoDay}
	if len(since) > 0 {
		due.Last = since[len(since)-1].On
	}
	over := span{d.period.start(), d.period.FirstReview}
	for _, rhythm := range d.rhythms {
		step, from := rhythm.next(over, due.Last)
		if !step.Set() {
			continue
		}
		if on := step.After(from, r.Calendar); due.On == NoDay || on < due.On {
			due.On, due.Basis, due.Every, due.From = on, step.Basis, step.Interval, from
		}
	}
	if due.On == NoDay {
		return due, false
	}
	due.State = r.state(due.On, d.policy.Warn, today)
	d.owed(&due, since)
	return due, true
}

// counted are the visits of the duty's type that count, from the period's start until
// today, in the order of their days.
func (d duty) counted(visits []Visit, today Day) []Visit {
	var since []Visit
	for _, v := range visits {
		if !v.Counts || v.Type != d.visit || v.On < d.period.start() || v.On > today {
			continue
		}
		at := len(since)
		for at > 0 && since[at-1].On > v.On {
			at--
		}
		since = append(since, v)
		copy(since[at+1:], since[at:])
		since[at] = v
	}
	return since
}

// state compares a day with today; a visit is due soon from so long before it.
func (r Rules) state(on Day, warn Interval, today Day) State {
	switch {
	case today > on:
		return Overdue
	case warn.Set() && warn.After(today, r.Calendar) >= on || today == on:
		return Soon
	default:
		return OnTime
	}
}

// owed says what the next visit must have besides, so that of every so many visits in a
// row one has it.
func (d duty) owed(due *Due, since []Visit) {
	alone, bedroom := d.policy.AloneEvery, d.policy.BedroomEvery
	if n := d.period.Own.AloneEvery; n > 0 {
		alone = n
	}
	if n := d.period.Own.BedroomEvery; n > 0 {
		bedroom = n
	}
	due.Alone = owes(since, alone, func(v Visit) bool { return v.Alone })
	due.Bedroom = owes(since, bedroom, func(v Visit) bool { return v.Bedroom })
	due.Home = owesHome(since, d.policy.HomeShare)
}

// owes reports whether the last every-1 visits all lacked something: then the next needs it.
func owes(since []Visit, every int, has func(Visit) bool) bool {
	if every <= 0 || len(since) < every-1 {
		return false
	}
	for _, v := range since[len(since)-(every-1):] {
		if has(v) {
			return false
		}
	}
	return true
}

// owesHome reports whether a next visit elsewhere would leave the share at home too low.
func owesHome(since []Visit, percent int) bool {
	home := 0
	for _, v := range since {
		if v.Home {
			home++
		}
	}
	return home*100 < percent*(len(since)+1)
}
