package clocks

// Calendar knows which days are worked. The zero Calendar has the bank holidays of
// England and no other closure.
type Calendar struct {
	// Closed are further days on which nobody works, as the borough decides.
	Closed []Day
}

// Working reports whether a day is worked: neither Saturday nor Sunday, nor a bank
// holiday of England, nor a closure of the borough.
func (c Calendar) Working(d Day) bool {
	if d.Weekday() >= 5 || BankHoliday(d) {
		return false
	}
	for _, closed := range c.Closed {
		if closed == d {
			return false
		}
	}
	return true
}

// addWorking goes on by n working days: the day itself is day 0, whatever it is.
func (c Calendar) addWorking(d Day, n int) Day {
	for n > 0 {
		d++
		if c.Working(d) {
			n--
		}
	}
	return d
}

// proclaimed are the bank holidays of England that were proclaimed for one year, and
// moved those that were moved in it (Banking and Financial Dealings Act 1971, section 1).
// When one is proclaimed it is added here; until a release has it, a borough lists it
// among its closures.
var (
	proclaimed = []Day{
		Date(2011, 4, 29), // wedding of the Prince of Wales
		Date(2012, 6, 5),  // Diamond Jubilee
		Date(2022, 6, 3),  // Platinum Jubilee
		Date(2022, 9, 19), // funeral of Queen Elizabeth II
		Date(2023, 5, 8),  // coronation
	}
	moved = []struct{ from, to Day }{
		{Date(2012, 5, 28), Date(2012, 6, 4)}, // Diamond Jubilee
		{Date(2020, 5, 4), Date(2020, 5, 8)},  // 75 years of Victory in Europe
		{Date(2022, 5, 30), Date(2022, 6, 2)}, // Platinum Jubilee
	}
)

// BankHoliday reports whether a day, from 2011 on, is a bank holiday in England: those
// of the Act and by proclamation, with a substitute for one at a weekend.
func BankHoliday(d Day) bool {
	for _, p := range proclaimed {
		if d == p {
			return true
		}
	}
	for _, m := range moved {
		if d == m.from || d == m.to {
			return d == m.to
		}
	}
	return yearly(d)
}

func yearly(d Day) bool {
	year, month, day := d.Civil()
	if e := easter(year); d == e-2 || d == e+1 {
		return true
	}
	monday := d.Weekday() == 0
	switch month {
	case 1:
		return day == 1 && d.Weekday() < 5 || monday && day <= 3
	case 5:
		return monday && (day <= 7 || day > 24)
	case 8:
		return monday && day > 24
	case 12:
		return christmas(d, day)
	}
	return false
}

// christmas holds on 25 and 26 December, and on the next working days where one of
// them is a Saturday or Sunday.
func christmas(d Day, day int) bool {
	switch day {
	case 25, 26:
		return d.Weekday() < 5
	case 27:
		return d.Weekday() <= 1 // 25th a Saturday, or 25th a Sunday and 26th a Monday
	case 28:
		return d.Weekday() <= 1 // 26th a Saturday, or a Sunday
	}
	return false
}

// easter is Easter Sunday, by the reckoning for the Gregorian calendar that Butcher
// published in 1876 and Meeus gives in "Astronomical Algorithms", chapter 8.
func easter(year int) Day {
	golden, century, ofCentury := year%19, year/100, year%100
	skipped := (century + 8) / 25
	moon := (19*golden + century - century/4 - (century-skipped+1)/3 + 15) % 30
	week := (32 + 2*(century%4) + 2*(ofCentury/4) - moon - ofCentury%4) % 7
	late := (golden + 11*moon + 22*week) / 451
	n := moon + week - 7*late + 114
	return Date(year, n/31, n%31+1)
}
