package clocks

import (
	"math/rand/v2"
	"strings"
	"testing"
)

// days reads the days of a table, separated by blanks.
func days(t *testing.T, s string) []Day {
	t.Helper()
	var list []Day
	for _, word := range strings.Fields(s) {
		list = append(list, day(t, word))
	}
	return list
}

func period(t *testing.T, kind, from string, change func(*Period)) Period {
	t.Helper()
	p := Period{Kind: kind, From: day(t, from), To: NoDay, PlacementFrom: NoDay, FirstReview: NoDay}
	if change != nil {
		change(&p)
	}
	return p
}

func defaults(t *testing.T) []Policy {
	t.Helper()
	var rows []Policy
	for _, line := range Defaults() {
		row, err := ParsePolicy(line)
		if err != nil {
			t.Fatal(err)
		}
		if row.String() != line {
			t.Errorf("%q is written %q", line, row)
		}
		rows = append(rows, row)
	}
	return rows
}

// The statutory floor, row by row: what holds before the first visit, and after one.
func TestStatutoryFloors(t *testing.T) {
	home := func(legal string) func(*Period) {
		return func(p *Period) { p.Legal, p.Placement = legal, "P1" }
	}
	reviewed := func(change func(*Period), on string) func(*Period) {
		return func(p *Period) { change(p); p.FirstReview = day(t, on) }
	}
	foster := func(p *Period) { p.Legal, p.Placement = "V2", "U6" }
	lasting := func(p *Period) { p.Legal, p.Placement, p.To18 = "C2", "U4", true }
	agreed := func(p *Period) { lasting(p); p.AgreedTwiceAYear = true }
	reg19 := func(p *Period) { home("C2")(p); p.Legal, p.Reg19 = "V2", true }
	reg24 := func(p *Period) { p.Legal, p.Placement, p.Reg24 = "V2", "U3", true }
	for _, c := range []struct {
		name   string
		change func(*Period)
		visits string
		want   string // of a period that began on 5 January 2026
	}{
		{"any placement, first", foster, "", "2026-01-12 Reg 28(2)(a): 1 week from 5 January 2026"},
		{"any placement, first year", foster, "2026-01-07", "2026-02-18 Reg 28(2)(b): 6 weeks from 7 January 2026"},
		{"any placement, last day of the first year", foster, "2027-01-04", "2027-02-15 Reg 28(2)(b): 6 weeks from 4 January 2027"},
		{"any placement, later", foster, "2027-01-05", "2027-02-16 Reg 28(2)(c)(ii): 6 weeks from 5 January 2027"},
		{"to last to 18, first year", lasting, "2026-12-31", "2027-02-11 Reg 28(2)(b): 6 weeks from 31 December 2026"},
		{"to last to 18, later", lasting, "2027-01-05", "2027-04-05 Reg 28(2)(c)(i): 3 months from 5 January 2027"},
		{"long-term foster and agreed, first year", agreed, "2026-12-31", "2027-02-11 Reg 28(2)(b): 6 weeks from 31 December 2026"},
		{"long-term foster and agreed, later", agreed, "2027-01-31", "2027-07-31 Reg 28(3A): 6 months from 31 January 2027"},
		{"agreed but not in long-term foster care", func(p *Period) { agreed(p); p.Placement = "K2" }, "2027-01-31",
			"2027-04-30 Reg 28(2)(c)(i): 3 months from 31 January 2027"},
		{"with parents before assessment, first", reg19, "", "2026-01-12 Reg 28(3)(a): 1 week from 5 January 2026"},
		{"with parents before assessment, no review yet", reg19, "2026-01-09", "2026-01-16 Reg 28(3)(a): 1 week from 9 January 2026"},
		{"with parents before assessment, reviewed", reviewed(reg19, "2026-02-02"), "2026-02-02", "2026-03-16 Reg 28(3)(b): 6 weeks from 2 February 2026"},
		{"with parents before assessment, visited the day before the review", reviewed(reg19, "2026-02-02"), "2026-02-01",
			"2026-02-08 Reg 28(3)(a): 1 week from 1 February 2026"},
		{"connected person, first", reg24, "", "2026-01-12 Reg 28(4)(a): 1 week from 5 January 2026"},
		{"connected person, reviewed", reviewed(reg24, "2026-02-02"), "2026-02-03", "2026-03-03 Reg 28(4)(b): 4 weeks from 3 February 2026"},
		{"interim order at home, no review yet", home("C1"), "2026-01-06 2026-01-13", "2026-01-20 Reg 28(4)(a): 1 week from 13 January 2026"},
		{"interim order at home, reviewed", reviewed(home("C1"), "2026-02-02"), "2026-02-02", "2026-03-02 Reg 28(4)(b): 4 weeks from 2 February 2026"},
		{"interim order, but not at home", func(p *Period) { p.Legal, p.Placement = "C1", "U6" }, "2026-01-09", "2026-02-20 Reg 28(2)(b): 6 weeks from 9 January 2026"},
		{"care order at home, first", home("C2"), "", "2026-01-12 Reg 28(5)(a): 1 week from 5 January 2026"},
		{"care order at home, then", home("C2"), "2026-01-10", "2026-02-21 Reg 28(5)(b): 6 weeks from 10 January 2026"},
		{"two paragraphs hold: the earlier day", func(p *Period) { home("C1")(p); p.Reg19, p.FirstReview = true, day(t, "2026-02-02") }, "2026-02-03",
			"2026-03-03 Reg 28(4)(b): 4 weeks from 3 February 2026"},
		{"a visit before the placement began", foster, "2026-01-02", "2026-01-12 Reg 28(2)(a): 1 week from 5 January 2026"},
	} {
		rec := Record{Periods: []Period{period(t, "CLA", "2026-01-05", c.change)}}
		last := day(t, "2026-01-05")
		for _, on := range days(t, c.visits) {
			rec.Visits = append(rec.Visits, Visit{On: on, Type: "CLA", Counts: true})
			last = max(last, on)
		}
		due := Rules{}.Due(rec, last)
		if len(due) != 1 {
			t.Errorf("%s: %d duties", c.name, len(due))
		} else if got := iso(due[0].On) + " " + due[0].Why(); got != c.want {
			t.Errorf("%s:\n got %s\nwant %s", c.name, got, c.want)
		}
	}
}

func TestANewPlacementStartsTheClockAgainAndANewOrderDoesNot(t *testing.T) {
	visit := Visit{On: day(t, "2026-03-02"), Type: "CLA", Counts: true}
	for _, c := range []struct{ name, placed, want string }{
		{"moved on the 9th", "2026-03-09", "2026-03-16 Reg 28(2)(a): 1 week from 9 March 2026"},
		{"only the order is new", "2025-11-03", "2026-04-13 Reg 28(2)(b): 6 weeks from 2 March 2026"},
	} {
		p := period(t, "CLA", "2026-03-09", func(p *Period) { p.Legal, p.Placement, p.PlacementFrom = "C2", "U6", day(t, c.placed) })
		due := Rules{}.Due(Record{Periods: []Period{p}, Visits: []Visit{visit}}, day(t, "2026-03-10"))
		if got := iso(due[0].On) + " " + due[0].Why(); got != c.want {
			t.Errorf("%s: got %s, want %s", c.name, got, c.want)
		}
	}
	t.Run("a care order made at home counts from the order", func(t *testing.T) {
		p := period(t, "CLA", "2026-03-09", func(p *Period) { p.Legal, p.Placement, p.PlacementFrom = "C2", "P1", day(t, "2025-11-03") })
		due := Rules{}.Due(Record{Periods: []Period{p}, Visits: []Visit{visit}}, day(t, "2026-03-10"))
		if got := due[0].Why(); got != "Reg 28(5)(a): 1 week from 9 March 2026" {
			t.Errorf("got %s", got)
		}
	})
}

// What boroughs start from, row by row.
func TestLocalPolicy(t *testing.T) {
	rules := Rules{Policies: defaults(t)}
	for _, c := range []struct{ kind, placement, visit, last, want string }{
		{"CP", "", "CP", "", "2026-04-20 Local policy: 10 working days from 2 April 2026"},
		{"CP", "", "CP", "2026-04-07", "2026-04-21 Local policy: 10 working days from 7 April 2026"},
		{"CIN", "", "CIN", "2026-04-07", "2026-05-06 Local policy: 20 working days from 7 April 2026"},
		{"S47", "", "S47", "", "2026-04-03 Local policy: 1 day from 2 April 2026"},
		{"ASSESS", "", "ASSESS", "", "2026-04-05 Local policy: 3 days from 2 April 2026"},
		{"PRIVFOST", "", "PRIVFOST", "", "2026-04-09 Local policy: 1 week from 2 April 2026"},
		{"PRIVFOST", "", "PRIVFOST", "2026-04-09", "2026-05-21 Local policy: 6 weeks from 9 April 2026"},
		{"PRIVFOST", "", "PRIVFOST", "2027-04-09", "2027-07-09 Local policy: 3 months from 9 April 2027"},
		{"CLA", "A4", "ADOPT", "2026-04-09", "2026-04-16 Local policy: 1 week from 9 April 2026"},
		{"CP", "", "CORE_GROUP", "", "2026-04-20 Local policy: 10 working days from 2 April 2026"},
		{"CP", "", "CORE_GROUP", "2026-04-20", "2026-05-20 Local policy: 1 month from 20 April 2026"},
		{"CP", "", "CP_REVIEW", "", "2026-07-02 Local policy: 3 months from 2 April 2026"},
		{"CP", "", "CP_REVIEW", "2026-07-02", "2027-01-02 Local policy: 6 months from 2 July 2026"},
		{"CIN", "", "CIN_MEETING", "2026-04-20", "2026-05-18 Local policy: 4 weeks from 20 April 2026"},
	} {
		rec := Record{Periods: []Period{period(t, c.kind, "2026-04-02", func(p *Period) { p.Placement = c.placement })}}
		today := rec.Periods[0].From
		for _, on := range days(t, c.last) {
			rec.Visits = append(rec.Visits, Visit{On: on, Type: c.visit, Counts: true})
			today = on
		}
		got := "nothing"
		for _, due := range rules.Due(rec, today) {
			if due.Visit == c.visit {
				got = iso(due.On) + " " + due.Why()
			}
		}
		if got != c.want {
			t.Errorf("%s of a child %s, last %q:\n got %s\nwant %s", c.visit, c.kind, c.last, got, c.want)
		}
	}
}

func TestAPlansOwnFrequencyReplacesPolicyAndNeverTheFloor(t *testing.T) {
	rules := Rules{Policies: defaults(t)}
	visit := Visit{On: day(t, "2026-06-01"), Counts: true}
	for _, c := range []struct {
		kind string
		own  Interval
		want string
	}{
		{"CP", Every(1, Weeks), "2026-06-08 Conference of 14 May: 1 week from 1 June 2026"},
		{"CP", Every(15, WorkingDays), "2026-06-22 Conference of 14 May: 15 working days from 1 June 2026"},
		{"CP", Interval{N: 15, Unit: WorkingDays, FromDay1: true}, "2026-06-19 Conference of 14 May: 15 working days from 1 June 2026"},
		{"CLA", Every(4, Weeks), "2026-06-29 Conference of 14 May: 4 weeks from 1 June 2026"},
		{"CLA", Every(2, Months), "2026-07-13 Reg 28(2)(b): 6 weeks from 1 June 2026"},
	} {
		p := period(t, c.kind, "2026-05-14", func(p *Period) {
			p.Own = Frequency{Every: c.own, SetBy: "Conference of 14 May"}
		})
		visit.Type = c.kind
		due := rules.Due(Record{Periods: []Period{p}, Visits: []Visit{visit}}, visit.On)
		if got := iso(due[0].On) + " " + due[0].Why(); got != c.want {
			t.Errorf("%s: got %s, want %s", c.kind, got, c.want)
		}
	}
}

func TestAPolicyHoldsFromItsDay(t *testing.T) {
	row := func(from string, n int) Policy {
		return Policy{Visit: "CP", For: "CP", ValidFrom: day(t, from), Rhythm: Rhythm{Then: Step{Every(n, WorkingDays), "Local policy"}}}
	}
	rules := Rules{Policies: []Policy{row("2026-06-10", 5), row("2025-01-01", 10)}}
	rec := Record{
		Periods: []Period{period(t, "CP", "2026-05-14", nil)},
		Visits:  []Visit{{On: day(t, "2026-06-01"), Type: "CP", Counts: true}},
	}
	for today, want := range map[string]string{"2026-06-09": "2026-06-15", "2026-06-10": "2026-06-08", "2024-06-01": "-"} {
		got := "-"
		if due := rules.Due(rec, day(t, today)); len(due) > 0 {
			got = iso(due[0].On)
		}
		if got != want {
			t.Errorf("on %s due %s, want %s", today, got, want)
		}
	}
}

// What does not count must never satisfy a clock: somebody else's type of visit, a visit
// in dispute or without the child seen (Counts is false), one of another period.
func TestOnlyWhatCountsSatisfiesAClock(t *testing.T) {
	rules := Rules{Policies: defaults(t)}
	rec := Record{Periods: []Period{period(t, "CP", "2026-05-14", nil)}}
	want := rules.Due(rec, day(t, "2026-06-20"))[0]
	rec.Visits = []Visit{
		{On: day(t, "2026-06-10"), Type: "CP"},
		{On: day(t, "2026-06-11"), Type: "CIN", Counts: true},
		{On: day(t, "2026-05-13"), Type: "CP", Counts: true},
		{On: day(t, "2026-06-21"), Type: "CP", Counts: true}, // not yet
	}
	if got := rules.Due(rec, day(t, "2026-06-20"))[0]; got != want {
		t.Errorf("due %s (%s), want %s (%s)", got.On, got.Why(), want.On, want.Why())
	}
	rec.Periods[0].To = day(t, "2026-06-19")
	if got := rules.Due(rec, day(t, "2026-06-20")); len(got) != 0 {
		t.Errorf("a plan that ended asks for %v", got)
	}
}

func TestHowNearADayIs(t *testing.T) {
	rules := Rules{Policies: defaults(t)}
	rec := Record{Periods: []Period{period(t, "CP", "2026-06-01", nil)}} // due Monday 15 June
	for today, want := range map[string]State{
		"2026-06-09": OnTime, "2026-06-10": Soon, "2026-06-15": Soon, "2026-06-16": Overdue,
	} {
		if got := rules.Due(rec, day(t, today))[0].State; got != want {
			t.Errorf("on %s: %d, want %d", today, got, want)
		}
	}
}

func TestAloneBedroomAndHomeAtLeastSoOften(t *testing.T) {
	p := period(t, "CP", "2026-05-14", nil)
	rules := Rules{Policies: []Policy{{Visit: "CP", For: "CP", AloneEvery: 2, BedroomEvery: 3, HomeShare: 50,
		Rhythm: Rhythm{Then: Step{Every(10, WorkingDays), "Local policy"}}}}}
	for _, c := range []struct {
		visits               string // a: alone, b: bedroom, h: home, .: none; one word a visit
		alone, bedroom, home bool
	}{
		{"", false, false, true},
		{"abh", false, false, false},
		{"h", true, false, false},
		{"abh .", true, false, true},
		{"abh . .", true, true, true},
		{"h a h", true, true, false},
		{". abh", false, false, true},
	} {
		rec := Record{Periods: []Period{p}}
		on := p.From
		for _, word := range strings.Fields(c.visits) {
			rec.Visits = append(rec.Visits, Visit{On: on, Type: "CP", Counts: true,
				Alone: strings.Contains(word, "a"), Bedroom: strings.Contains(word, "b"), Home: strings.Contains(word, "h")})
			on++
		}
		due := rules.Due(rec, on)[0]
		if due.Alone != c.alone || due.Bedroom != c.bedroom || due.Home != c.home {
			t.Errorf("after %q: alone %v, bedroom %v, home %v; want %v, %v, %v", c.visits,
				due.Alone, due.Bedroom, due.Home, c.alone, c.bedroom, c.home)
		}
	}
	p.Own.AloneEvery = 1
	if due := rules.Due(Record{Periods: []Period{p}}, p.From); !due[0].Alone {
		t.Error("a plan that wants every visit alone is not heard")
	}
}

func TestAChildWhoIsNotSeen(t *testing.T) {
	u, cal := DefaultUnseen(), Calendar{}
	failed := day(t, "2026-04-01") // the Wednesday before Easter
	if by, owed := u.AfterFailed(failed, nil, cal); !owed || iso(by) != "2026-04-10" {
		t.Errorf("to be seen by %s, %v", iso(by), owed)
	}
	if _, owed := u.AfterFailed(failed, []Sighting{{On: failed - 1}}, cal); !owed {
		t.Error("seen before the visit failed is taken for seen since")
	}
	if _, owed := u.AfterFailed(failed, []Sighting{{On: failed}}, cal); owed {
		t.Error("seen, and still owed")
	}
	start := day(t, "2026-01-01")
	seen := []Sighting{{On: day(t, "2026-01-10")}, {On: day(t, "2026-01-05"), SocialWork: true}}
	for _, c := range []struct {
		today               string
		socialWork, anybody bool
	}{{"2026-02-02", false, false}, {"2026-02-03", true, false}, {"2026-02-21", true, false}, {"2026-02-22", true, true}} {
		sw, any := u.Escalate(start, day(t, c.today), seen, cal)
		if sw != c.socialWork || any != c.anybody {
			t.Errorf("on %s: %v, %v", c.today, sw, any)
		}
	}
	if sw, any := u.Escalate(start, start+43, nil, cal); !sw || !any {
		t.Error("a child never seen is not escalated")
	}
}

// Whatever a borough or a plan decides, no day is later than the regulations allow, and
// more visits never bring a day forward to before the last one.
func TestPolicyIsNeverLaxerThanTheFloor(t *testing.T) {
	const seed = 28
	rng := rand.New(rand.NewPCG(seed, 1))
	pick := func(list ...string) string { return list[rng.IntN(len(list))] }
	units := []Unit{WorkingDays, Days, Weeks, Months}
	interval := func() Interval {
		return Interval{N: rng.IntN(200), Unit: units[rng.IntN(4)], FromDay1: rng.IntN(2) == 0}
	}
	step := func() Step { return Step{interval(), "Local policy"} }
	laxer := 0
	for range 100_000 {
		from := Date(2020, 1, 1) + Day(rng.IntN(2500))
		p := Period{Kind: "CLA", From: from, To: NoDay, PlacementFrom: NoDay, FirstReview: NoDay,
			Legal: pick("C1", "C2", "V2", "E1"), Placement: pick("P1", "U4", "U6", "K2", "A4"),
			Reg19: rng.IntN(4) == 0, Reg24: rng.IntN(4) == 0, To18: rng.IntN(2) == 0, AgreedTwiceAYear: rng.IntN(2) == 0}
		if rng.IntN(2) == 0 {
			p.FirstReview = from + Day(rng.IntN(200))
		}
		if rng.IntN(2) == 0 {
			p.Own = Frequency{Every: interval()}
		}
		rec := Record{Periods: []Period{p}}
		today := from + Day(rng.IntN(800))
		for range rng.IntN(4) {
			rec.Visits = append(rec.Visits, Visit{On: from - 20 + Day(rng.IntN(800)), Type: "CLA", Counts: rng.IntN(3) > 0})
		}
		policy := Policy{Visit: "CLA", For: "CLA", Rhythm: Rhythm{First: step(), UntilReview: step(), FirstYear: step(), Then: step()}}
		bare := p
		bare.Own = Frequency{}
		floor := Rules{}.Due(Record{Periods: []Period{bare}, Visits: rec.Visits}, today)
		got := Rules{Policies: []Policy{policy}}.Due(rec, today)
		if len(floor) != 1 || len(got) == 0 || got[0].Visit != "CLA" {
			t.Fatalf("seed %d: %+v has %d floors, %d duties", seed, p, len(floor), len(got))
		}
		if got[0].On > floor[0].On {
			t.Fatalf("seed %d: %+v with %+v is due %s, the floor is %s", seed, p, policy, got[0].On, floor[0].On)
		}
		if got[0].On == floor[0].On {
			laxer++
			if got[0].Basis != floor[0].Basis {
				t.Fatalf("seed %d: due as %s, the floor is %s", seed, got[0].Basis, floor[0].Basis)
			}
		}
	}
	if laxer < 1000 {
		t.Errorf("only %d policies were laxer than the floor: the test tried too little", laxer)
	}
}

func TestLinesOfPolicy(t *testing.T) {
	for line, want := range map[string]string{
		"":                               `"": begins with the type of visit, e.g. CP`,
		"cp every 10 WD":                 `"cp every 10 WD": begins with the type of visit, e.g. CP`,
		"CP every ten WD":                `"ten": is no number from 1 to 1000`,
		"CP every":                       `"": is no number from 1 to 1000`,
		"CP every 10":                    `"": is no unit: WD (working days), CD (days), WEEK or MONTH`,
		"CP every 10 days":               `"days": is no unit: WD (working days), CD (days), WEEK or MONTH`,
		"CP every 0 WD":                  `"0": is no number from 1 to 1000`,
		"CP every 99999999999999999 WD":  `"99999999999999999": is no number from 1 to 1000`,
		"CP home 101":                    `"101": is no number from 1 to 100`,
		"CP every 10 WD every 5 WD":      `"every": stands there twice`,
		"CP often":                       `"often": is not known here: for, first, until-review, first-year, every, alone, bedroom, home, warn or from`,
		"CP every 10 WD from 2026-02-30": `"2026-02-30": is no day, e.g. 2026-04-01`,
		"CORE_GROUP for":                 `"": is no status, e.g. CP`,
	} {
		if _, err := ParsePolicy(line); err == nil || err.Error() != want {
			t.Errorf("%q: %v, want %s", line, err, want)
		}
	}
	const line = "CLA for CLA first 2 CD day1 first-year 3 WEEK every 2 MONTH day1 home 50 from 2026-04-01"
	row, err := ParsePolicy(line)
	want := Policy{Visit: "CLA", For: "CLA", ValidFrom: Date(2026, 4, 1), HomeShare: 50, Rhythm: Rhythm{
		First:     Step{Interval{2, Days, true}, LocalPolicy},
		FirstYear: Step{Every(3, Weeks), LocalPolicy},
		Then:      Step{Interval{2, Months, true}, LocalPolicy},
	}}
	if err != nil || row != want {
		t.Errorf("read as %+v, %v", row, err)
	}
}
