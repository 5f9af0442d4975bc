package clocks

// Unseen are the times after which somebody hears of a child who is not being seen:
// Knowsley's procedure for the first, Southwark's for the others. A zero interval
// asks for nothing.
type Unseen struct {
	SeeChild     Interval // after a visit that failed
	BySocialWork Interval // since a social worker last saw the child
	ByAnybody    Interval // since anybody of an agency did
}

// DefaultUnseen is what a borough starts from.
func DefaultUnseen() Unseen {
	return Unseen{
		SeeChild:     Every(5, WorkingDays),
		BySocialWork: Every(4, Weeks),
		ByAnybody:    Every(6, Weeks),
	}
}

// Sighting is when somebody saw a child, undisputed, in person.
type Sighting struct {
	On         Day
	SocialWork bool // by a registered social worker
}

// AfterFailed is the day by which a child must be seen after a visit on a day failed, and
// whether that is still owed: nobody has seen the child since.
func (u Unseen) AfterFailed(failed Day, seen []Sighting, cal Calendar) (by Day, owed bool) {
	if !u.SeeChild.Set() {
		return NoDay, false
	}
	return u.SeeChild.After(failed, cal), latest(seen, false) < failed
}

// Escalate reports who has not seen a child for too long, counted from the last time, or
// from the start of the child's involvement if there was none.
func (u Unseen) Escalate(start, today Day, seen []Sighting, cal Calendar) (socialWork, anybody bool) {
	late := func(limit Interval, last Day) bool {
		return limit.Set() && today > limit.After(max(last, start), cal)
	}
	return late(u.BySocialWork, latest(seen, true)), late(u.ByAnybody, latest(seen, false))
}

func latest(seen []Sighting, socialWork bool) Day {
	last := NoDay
	for _, s := range seen {
		if s.SocialWork || !socialWork {
			last = max(last, s.On)
		}
	}
	return last
}
