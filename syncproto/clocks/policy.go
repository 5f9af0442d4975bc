package clocks

// Policy is one row of a borough's own rules (domain rules R2, policy), in force from a
// day until a later row for the same visits takes its place.
type Policy struct {
	// Visit is the type of visit that the row asks for, a code of visit.visit_type, or
	// of meetings: CORE_GROUP, CIN_MEETING, CP_REVIEW. For is the status whose children
	// it concerns, a code of status.kind, or ADOPT for adoptive placements.
	Visit, For string
	ValidFrom  Day
	Rhythm     Rhythm
	// AloneEvery and BedroomEvery: of so many visits in a row one at least must have
	// seen the child alone, or the bedroom; 0 asks for none. HomeShare is the least
	// percentage of visits where the child lives.
	AloneEvery, BedroomEvery, HomeShare int
	// Warn is how long before the day a visit is shown as due soon.
	Warn Interval
}

// Defaults are the rules that a borough starts from: those of the London Child
// Protection Procedures and of boroughs that publish theirs. Each borough's
// configuration replaces what it decides otherwise.
func Defaults() []Policy {
	warn := Every(3, WorkingDays)
	own := func(n int, unit Unit) Step { return Step{Every(n, unit), "Local policy"} }
	return []Policy{
		{Visit: "CP", For: "CP", Rhythm: Rhythm{Then: own(10, WorkingDays)}, AloneEvery: 2, BedroomEvery: 2, Warn: warn},
		{Visit: "CIN", For: "CIN", Rhythm: Rhythm{Then: own(20, WorkingDays)}, AloneEvery: 2, BedroomEvery: 2, Warn: warn},
		{Visit: "CLA", For: "CLA", AloneEvery: 2, BedroomEvery: 2, Warn: Every(5, WorkingDays)},
		{Visit: "S47", For: "S47", Rhythm: Rhythm{First: own(1, Days)}, Warn: Every(1, Days)},
		{Visit: "ASSESS", For: "ASSESS", Rhythm: Rhythm{First: own(3, Days)}, Warn: Every(1, Days)},
		{Visit: "PRIVFOST", For: "PRIVFOST", Warn: warn,
			Rhythm: Rhythm{First: own(1, Weeks), FirstYear: own(6, Weeks), Then: own(3, Months)}},
		{Visit: "ADOPT", For: "ADOPT", Rhythm: Rhythm{First: own(1, Weeks), UntilReview: own(1, Weeks)}, Warn: warn},
		{Visit: "CORE_GROUP", For: "CP", Rhythm: Rhythm{First: own(10, WorkingDays), Then: own(1, Months)}, Warn: warn},
		{Visit: "CP_REVIEW", For: "CP", Rhythm: Rhythm{First: own(3, Months), Then: own(6, Months)}, Warn: Every(10, WorkingDays)},
		{Visit: "CIN_MEETING", For: "CIN", Rhythm: Rhythm{Then: own(4, Weeks)}, Warn: warn},
	}
}

// inForce picks, for each type of visit and status, the row that holds on a day.
func inForce(rows []Policy, on Day) []Policy {
	var held []Policy
	for _, row := range rows {
		if row.ValidFrom > on {
			continue
		}
		if at := sameDuty(held, row); at < 0 {
			held = append(held, row)
		} else if row.ValidFrom >= held[at].ValidFrom {
			held[at] = row
		}
	}
	return held
}

func sameDuty(rows []Policy, row Policy) int {
	for i, r := range rows {
		if r.Visit == row.Visit && r.For == row.For {
			return i
		}
	}
	return -1
}

// concerns reports whether a row is about the children of a period.
func (row Policy) concerns(p Period) bool {
	if row.For == "ADOPT" {
		return p.Kind == lookedAfter && len(p.Placement) == 2 && p.Placement[0] == 'A'
	}
	return row.For == p.Kind
}
