package clocks

import "strconv"

// Unit is what an interval is counted in. The codes are those of the field
// visit_frequency.unit of a status record.
type Unit string

const (
	WorkingDays Unit = "WD"
	Days        Unit = "CD"
	Weeks       Unit = "WEEK"
	Months      Unit = "MONTH"
)

// Interval is how long after a day something is due at the latest. The zero Interval
// means: not at all.
type Interval struct {
	N    int
	Unit Unit
	// FromDay1 counts the day itself as day 1, as some boroughs do; otherwise the day
	// after it is day 1. It makes an interval one day shorter.
	FromDay1 bool
}

// Every returns an interval whose first day is the day after.
func Every(n int, unit Unit) Interval { return Interval{N: n, Unit: unit} }

// Set reports whether there is an interval at all.
func (i Interval) Set() bool { return i.N > 0 }

// After is the last day of the interval that begins with from.
func (i Interval) After(from Day, cal Calendar) Day {
	switch i.Unit {
	case WorkingDays:
		if i.FromDay1 && cal.Working(from) {
			return cal.addWorking(from, i.N-1)
		}
		return cal.addWorking(from, i.N)
	case Weeks:
		from += Day(7 * i.N)
	case Months:
		from = from.AddMonths(i.N)
	default:
		from += Day(i.N)
	}
	if i.FromDay1 {
		from--
	}
	return from
}

// String is the interval in words: "6 weeks", "1 working day".
func (i Interval) String() string {
	name := map[Unit]string{WorkingDays: "working day", Days: "day", Weeks: "week", Months: "month"}[i.Unit]
	if i.N != 1 {
		name += "s"
	}
	return strconv.Itoa(i.N) + " " + name
}
