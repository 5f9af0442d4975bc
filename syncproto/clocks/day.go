package clocks

import "strconv"

// Day is a day of the Gregorian calendar, counted from 1 January 1970. It has no
// time and no zone: a visit that began at 23:30 in London was on that day.
type Day int32

// NoDay stands for a day that is not given: no end, no review yet, never seen.
const NoDay = Day(-1 << 31)

// Date returns the day of a year, a month (1 to 12) and a day of the month. Months
// beyond 12 run on into the next year, and days beyond the month into the next month.
func Date(year, month, day int) Day {
	year += (month - 1) / 12
	month = (month-1)%12 + 1
	return Day(daysBefore(year, month) + day - 1)
}

// daysBefore counts the days from 1 January 1970 to the first of a month, with years
// that begin in March, so that the leap day is their last.
func daysBefore(year, month int) int {
	if month <= 2 {
		year--
		month += 12
	}
	inYear := (153*(month-3) + 2) / 5
	return 365*year + floorDiv(year, 4) - floorDiv(year, 100) + floorDiv(year, 400) + inYear - 719468
}

func floorDiv(a, b int) int {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}

// Civil returns the year, the month (1 to 12) and the day of the month.
func (d Day) Civil() (year, month, day int) {
	z := int(d) + 719468
	era := floorDiv(z, 146097)
	ofEra := z - era*146097
	yearOfEra := (ofEra - ofEra/1460 + ofEra/36524 - ofEra/146096) / 365
	ofYear := ofEra - (365*yearOfEra + yearOfEra/4 - yearOfEra/100)
	fromMarch := (5*ofYear + 2) / 153
	day = ofYear - (153*fromMarch+2)/5 + 1
	month = fromMarch + 3
	year = yearOfEra + era*400
	if month > 12 {
		month -= 12
		year++
	}
	return year, month, day
}

// Weekday is 0 for a Monday and 6 for a Sunday.
func (d Day) Weekday() int {
	w := (int(d) + 3) % 7
	if w < 0 {
		w += 7
	}
	return w
}

// AddMonths goes on by whole months. Where the month is too short for the day, it is
// the month's last: a month from 31 January is 28 or 29 February.
func (d Day) AddMonths(n int) Day {
	year, month, day := d.Civil()
	months := year*12 + month - 1 + n
	year, month = floorDiv(months, 12), months-floorDiv(months, 12)*12+1
	first, next := Date(year, month, 1), Date(year, month+1, 1)
	return min(first+Day(day-1), next-1)
}

// ParseDay reads a day as records hold it, "2026-05-03". It reports whether it is one.
func ParseDay(s string) (Day, bool) {
	if len(s) != 10 || s[4] != '-' || s[7] != '-' {
		return NoDay, false
	}
	year, okYear := digits(s[:4])
	month, okMonth := digits(s[5:7])
	day, okDay := digits(s[8:])
	if !okYear || !okMonth || !okDay || month < 1 || month > 12 || day < 1 {
		return NoDay, false
	}
	d := Date(year, month, day)
	if _, m, _ := d.Civil(); m != month {
		return NoDay, false
	}
	return d, true
}

func digits(s string) (int, bool) {
	n := 0
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return 0, false
		}
		n = n*10 + int(s[i]-'0')
	}
	return n, true
}

var monthNames = [...]string{"January", "February", "March", "April", "May", "June", "July",
	"August", "September", "October", "November", "December"}

// String is the day as people write it: "3 May 2026".
func (d Day) String() string {
	if d == NoDay {
		return "no day"
	}
	year, month, day := d.Civil()
	return strconv.Itoa(day) + " " + monthNames[month-1] + " " + strconv.Itoa(year)
}

// ISO is the day as records hold it: "2026-05-03".
func (d Day) ISO() string {
	year, month, day := d.Civil()
	pad := func(n, width int) string {
		s := strconv.Itoa(n)
		for len(s) < width {
			s = "0" + s
		}
		return s
	}
	return pad(year, 4) + "-" + pad(month, 2) + "-" + pad(day, 2)
}
