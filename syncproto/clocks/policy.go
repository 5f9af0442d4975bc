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

// Defaults are the rules, as ParsePolicy reads them, that a borough starts from: those of the London Child
// Protection Procedures and of boroughs that publish theirs. Each borough's
// configuration replaces what it decides otherwise.
func Defaults() []string {
	return []string{
		"CP every 10 WD alone 2 bedroom 2 warn 3 WD",
		"CIN every 20 WD alone 2 bedroom 2 warn 3 WD",
		"CLA alone 2 bedroom 2 warn 5 WD",
		"S47 first 1 CD warn 1 CD",
		"ASSESS first 3 CD warn 1 CD",
		"PRIVFOST first 1 WEEK first-year 6 WEEK every 3 MONTH warn 3 WD",
		"ADOPT first 1 WEEK until-review 1 WEEK warn 3 WD",
		"CORE_GROUP for CP first 10 WD every 1 MONTH warn 3 WD",
		"CP_REVIEW for CP first 3 MONTH every 6 MONTH warn 10 WD",
		"CIN_MEETING for CIN every 4 WEEK warn 3 WD",
	}
}

// LocalPolicy is the basis of what a borough asks for itself, OwnPlan that of what a
// child's own plan asks for, where nobody wrote down who decided it.
const (
	LocalPolicy = "Local policy"
	OwnPlan     = "The plan"
)

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
