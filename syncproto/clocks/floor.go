package clocks

// Period is one stretch of a child's life that sets visits: a status record, as the
// case management system gave it (domain rules R2).
type Period struct {
	Kind     string // a code of status.kind: CIN, CP, CLA, S47, ASSESS ...
	From, To Day    // To is the last day; NoDay while it lasts
	// Legal and Placement are codes of the looked-after children return (SSDA903).
	Legal, Placement string
	// PlacementFrom is the day the child went to live there, NoDay if that is From. A
	// new placement starts the clock again; a new order alone does not.
	PlacementFrom Day
	// FirstReview is the day on which the first review was held, NoDay before.
	FirstReview Day
	// Reg19: placed with a parent before the assessment is complete. Reg24: with a
	// connected person who is approved for the time being.
	Reg19, Reg24 bool
	// To18: the placement is meant to last until the child is 18. AgreedTwiceAYear: a
	// long-term foster placement in which the child, who understands, agreed to fewer visits.
	To18, AgreedTwiceAYear bool
	// Own is how often the conference or the plan decided; zero if it did not.
	Own Frequency
}

// Frequency is what one child's plan says about visits.
type Frequency struct {
	Every                    Interval
	SetBy                    string
	AloneEvery, BedroomEvery int // of so many visits one at least; 0: as policy has it
}

const (
	lookedAfter     = "CLA"
	interimOrder    = "C1"
	fullOrder       = "C2"
	withParents     = "P1"
	fosterLongTerm  = "U4"
	kinshipLongTerm = "U1"
)

// Floors are the statutory rhythms of a period: the Care Planning, Placement and Case
// Review (England) Regulations 2010, regulation 28, with paragraph (3A) as inserted in
// 2015. More than one can hold; the earliest day counts. None for a period that
// no regulation gives a rhythm. Paragraph (6) and visits on request name no interval,
// nor does regulation 48 (short breaks): policy gives those.
func Floors(p Period) []Rhythm {
	if p.Kind != lookedAfter {
		return nil
	}
	var special []Rhythm
	if p.Reg19 {
		special = append(special, reg28_3)
	}
	if p.Reg24 || p.Legal == interimOrder && p.Placement == withParents {
		special = append(special, reg28_4)
	}
	if p.Legal == fullOrder && p.Placement == withParents {
		special = append(special, reg28_5)
	}
	if special != nil {
		return special
	}
	return []Rhythm{general(p)}
}

var (
	reg28_3 = Rhythm{
		UntilReview: Step{Every(1, Weeks), "Reg 28(3)(a)"},
		Then:        Step{Every(6, Weeks), "Reg 28(3)(b)"},
	}
	reg28_4 = Rhythm{
		UntilReview: Step{Every(1, Weeks), "Reg 28(4)(a)"},
		Then:        Step{Every(4, Weeks), "Reg 28(4)(b)"},
	}
	reg28_5 = Rhythm{
		First: Step{Every(1, Weeks), "Reg 28(5)(a)"},
		Then:  Step{Every(6, Weeks), "Reg 28(5)(b)"},
	}
)

// general is paragraph (2), which holds where no other does.
func general(p Period) Rhythm {
	r := Rhythm{
		First:     Step{Every(1, Weeks), "Reg 28(2)(a)"},
		FirstYear: Step{Every(6, Weeks), "Reg 28(2)(b)"},
		Then:      Step{Every(6, Weeks), "Reg 28(2)(c)(ii)"},
	}
	longTermFoster := p.Placement == fosterLongTerm || p.Placement == kinshipLongTerm
	switch {
	case p.AgreedTwiceAYear && longTermFoster:
		r.Then = Step{Every(6, Months), "Reg 28(3A)"}
	case p.To18:
		r.Then = Step{Every(3, Months), "Reg 28(2)(c)(i)"}
	}
	return r
}

// start is the day from which the visits of a period are counted. Where a care order was
// made in a placement that lasts, paragraph (5) counts from the order.
func (p Period) start() Day {
	orderAtHome := p.Legal == fullOrder && p.Placement == withParents
	if p.PlacementFrom != NoDay && !orderAtHome {
		return p.PlacementFrom
	}
	return p.From
}

// Lasts reports whether a day lies in the period.
func (p Period) Lasts(on Day) bool { return p.From <= on && (p.To == NoDay || on <= p.To) }
