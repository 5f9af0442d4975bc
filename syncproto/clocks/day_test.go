package clocks

import (
	"testing"
	"time"
)

// day reads a day of a table.
func day(t *testing.T, s string) Day {
	t.Helper()
	d, ok := ParseDay(s)
	if !ok {
		t.Fatalf("%q is no day", s)
	}
	return d
}

func iso(d Day) string {
	if d == NoDay {
		return "-"
	}
	return time.Unix(int64(d)*86400, 0).UTC().Format(time.DateOnly)
}

func TestDaysAreThoseOfTheCalendar(t *testing.T) {
	at := time.Date(1899, 12, 25, 0, 0, 0, 0, time.UTC)
	for ; at.Year() < 2110; at = at.AddDate(0, 0, 1) {
		want := Day(at.Unix() / 86400)
		if at.Unix() < 0 && at.Unix()%86400 != 0 {
			want--
		}
		got := Date(at.Year(), int(at.Month()), at.Day())
		year, month, inMonth := got.Civil()
		if got != want || year != at.Year() || month != int(at.Month()) || inMonth != at.Day() {
			t.Fatalf("%s: day %d is %d-%d-%d, want day %d", at.Format(time.DateOnly), got, year, month, inMonth, want)
		}
		if (got.Weekday()+1)%7 != int(at.Weekday()) {
			t.Fatalf("%s: weekday %d", at.Format(time.DateOnly), got.Weekday())
		}
		if back, ok := ParseDay(at.Format(time.DateOnly)); !ok || back != got {
			t.Fatalf("%s read as %d, %v", at.Format(time.DateOnly), back, ok)
		}
	}
}

func TestWhatIsNoDay(t *testing.T) {
	for _, s := range []string{"", "2026-02-29", "2026-13-01", "2026-00-10", "2026-04-31", "2026-4-1", "26-04-01", "2026-04-0x", "2026/04/01", "2100-02-29"} {
		if d, ok := ParseDay(s); ok {
			t.Errorf("%q was read as %s", s, d)
		}
	}
	if d, ok := ParseDay("2028-02-29"); !ok || d.String() != "29 February 2028" {
		t.Errorf("a leap day is %s, %v", d, ok)
	}
}

func TestMonthsEndWhereTheyEnd(t *testing.T) {
	for _, c := range []struct {
		from string
		n    int
		want string
	}{
		{"2026-01-31", 1, "2026-02-28"}, {"2028-01-31", 1, "2028-02-29"}, {"2026-11-30", 3, "2027-02-28"},
		{"2026-12-15", 1, "2027-01-15"}, {"2028-02-29", 12, "2029-02-28"}, {"2026-03-31", -1, "2026-02-28"},
		{"2026-05-03", 6, "2026-11-03"}, {"2026-01-15", -13, "2024-12-15"},
	} {
		if got := iso(day(t, c.from).AddMonths(c.n)); got != c.want {
			t.Errorf("%s and %d months: %s, want %s", c.from, c.n, got, c.want)
		}
	}
}

// The bank holidays of England and Wales as the government lists them.
func TestBankHolidaysOfEngland(t *testing.T) {
	listed := map[int]string{
		2012: "01-02 04-06 04-09 05-07 06-04 06-05 08-27 12-25 12-26",
		2018: "01-01 03-30 04-02 05-07 05-28 08-27 12-25 12-26",
		2020: "01-01 04-10 04-13 05-08 05-25 08-31 12-25 12-28",
		2021: "01-01 04-02 04-05 05-03 05-31 08-30 12-27 12-28",
		2022: "01-03 04-15 04-18 05-02 06-02 06-03 08-29 09-19 12-26 12-27",
		2023: "01-02 04-07 04-10 05-01 05-08 05-29 08-28 12-25 12-26",
		2024: "01-01 03-29 04-01 05-06 05-27 08-26 12-25 12-26",
		2025: "01-01 04-18 04-21 05-05 05-26 08-25 12-25 12-26",
		2026: "01-01 04-03 04-06 05-04 05-25 08-31 12-25 12-28",
		2027: "01-01 03-26 03-29 05-03 05-31 08-30 12-27 12-28",
		2028: "01-03 04-14 04-17 05-01 05-29 08-28 12-25 12-26",
	}
	for year, want := range listed {
		got := ""
		for d := Date(year, 1, 1); d < Date(year+1, 1, 1); d++ {
			if BankHoliday(d) {
				got += " " + iso(d)[5:]
			}
		}
		if got != " "+want {
			t.Errorf("%d:%s, want %s", year, got, want)
		}
	}
}

func TestIntervals(t *testing.T) {
	var england Calendar
	closed := Calendar{Closed: []Day{day(t, "2026-12-29")}}
	day1 := func(n int, u Unit) Interval { return Interval{N: n, Unit: u, FromDay1: true} }
	for _, c := range []struct {
		from  string
		every Interval
		cal   Calendar
		want  string
	}{
		{"2026-05-03", Every(6, Weeks), england, "2026-06-14"},
		{"2026-05-03", day1(6, Weeks), england, "2026-06-13"},
		{"2026-02-27", Every(1, Days), england, "2026-02-28"},
		{"2028-02-28", Every(1, Days), england, "2028-02-29"},
		{"2026-01-31", Every(3, Months), england, "2026-04-30"},
		{"2026-01-31", day1(3, Months), england, "2026-04-29"},
		{"2026-06-01", Every(10, WorkingDays), england, "2026-06-15"},
		{"2026-06-01", day1(10, WorkingDays), england, "2026-06-12"},
		{"2026-06-06", Every(10, WorkingDays), england, "2026-06-19"}, // from a Saturday
		{"2026-06-06", day1(10, WorkingDays), england, "2026-06-19"},  // which is no working day 1
		{"2026-03-30", Every(10, WorkingDays), england, "2026-04-15"}, // over Easter
		{"2026-12-24", Every(2, WorkingDays), england, "2026-12-30"},  // over Christmas
		{"2026-12-24", Every(2, WorkingDays), closed, "2026-12-31"},   // and a closure
		{"2026-04-30", Every(20, WorkingDays), england, "2026-06-01"}, // two May holidays
		{"2028-02-25", Every(3, WorkingDays), england, "2028-03-01"},  // over a leap day
		{"2026-10-23", Every(5, WorkingDays), england, "2026-10-30"},  // clocks go back; days do not
	} {
		if got := iso(c.every.After(day(t, c.from), c.cal)); got != c.want {
			t.Errorf("%s from %s (day 1: %v): %s, want %s", c.every, c.from, c.every.FromDay1, got, c.want)
		}
	}
}
