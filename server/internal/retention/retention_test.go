package retention_test

import (
	"strings"
	"testing"

	"doorstep/server/internal/retention"
	"doorstep/syncproto/clocks"
)

func day(t *testing.T, s string) clocks.Day {
	t.Helper()
	if s == "" {
		return clocks.NoDay
	}
	d, ok := clocks.ParseDay(s)
	if !ok {
		t.Fatalf("%q is no day", s)
	}
	return d
}

func schedule(t *testing.T, lines ...string) (s retention.Schedule) {
	t.Helper()
	for _, line := range lines {
		r, err := retention.ParseRule(line)
		if err != nil {
			t.Fatal(err)
		}
		s = append(s, r)
	}
	return s
}

// child is "born: STATUS from to, STATUS from to".
func child(t *testing.T, s string) retention.Child {
	t.Helper()
	born, statuses, _ := strings.Cut(s, ":")
	out := retention.Child{Born: day(t, born)}
	for one := range strings.SplitSeq(statuses, ",") {
		words := append(strings.Fields(one), "", "")
		if words[0] != "" {
			out.Statuses = append(out.Statuses, retention.Status{Kind: words[0], From: day(t, words[1]), To: day(t, words[2])})
		}
	}
	return out
}

// Each case is what the default schedule says of a file whose last entry is of 1 May 2020.
func TestTheLongestRuleWins(t *testing.T) {
	for _, c := range []struct {
		name     string
		children []string
		until    string // empty: nobody can say
		basis    string
	}{
		{"in need", []string{"2010-02-28: CIN 2015-01-01 2015-06-01"}, "2031-02-28", "child in need: 21 years from birth"},
		{"born on a leap day", []string{"2012-02-29: CIN 2015-01-01 2015-06-01"}, "2033-02-28", "21 years"},
		{"protected after that", []string{"2010-02-28: CIN 2015-01-01 2015-06-01, CP 2015-06-01 2016-06-01"}, "2055-05-01", "35 years from the last contact"},
		{"a plan that ended after the last entry", []string{"2010-02-28: CP 2015-06-01 2021-06-01"}, "2056-06-01", "35 years"},
		{"looked after", []string{"2010-02-28: CIN 2015-01-01 2015-06-01, CLA 2015-06-01 2016-06-01"}, "2085-02-28", "looked after: 75 years from birth"},
		{"a brother who was looked after", []string{"2010-02-28: CIN 2015-01-01 2015-06-01", "2014-03-01: CLA 2015-06-01 2016-06-01"}, "2089-03-01", "75 years"},
		{"still in need", []string{"2000-02-28: CIN 2015-01-01"}, "", "involvement lasts"},
		{"a brother still in need", []string{"2000-02-28: CIN 2015-01-01 2015-06-01", "2010-02-28: CIN 2015-01-01"}, "", "involvement lasts"},
		{"not born yet", []string{": CIN 2015-01-01 2015-06-01"}, "", "date of birth"},
		{"help that the schedule does not know", []string{"2000-02-28: CIN 2015-01-01 2015-06-01, EH 2016-01-01 2016-02-01"}, "", "no line for EH"},
		{"nothing", []string{"2000-02-28:"}, "", "no child on the file has a status"},
		{"nobody", nil, "", "no child on the file has a status"},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := retention.File{LastContact: day(t, "2020-05-01")}
			for _, one := range c.children {
				f.Children = append(f.Children, child(t, one))
			}
			got := schedule(t, retention.Defaults()...).Of(f)
			if got.Until != day(t, c.until) || !strings.Contains(got.Basis, c.basis) {
				t.Errorf("kept until %s: %s; want %q: %s", got.Until, got.Basis, c.until, c.basis)
			}
			if c.until != "" && (got.Over(day(t, c.until)-1) || !got.Over(day(t, c.until))) || c.until == "" && got.Over(day(t, "2200-01-01")) {
				t.Errorf("it is not over on %q", c.until)
			}
		})
	}
}

// No schedule shortens the regulations.
func TestNoScheduleIsBelowTheFloor(t *testing.T) {
	f := retention.File{Children: []retention.Child{child(t, "2010-02-28: CLA 2015-06-01 2016-06-01")}, LastContact: day(t, "2016-06-01")}
	for _, lines := range [][]string{{"CLA 5 birth"}, {"CLA 1 contact"}, nil} {
		if got := schedule(t, lines...).Of(f); got.Until != day(t, "2085-02-28") {
			t.Errorf("%v: kept until %s", lines, got.Until)
		}
	}
	if got := schedule(t, "CLA 100 birth").Of(f); got.Until != day(t, "2110-02-28") {
		t.Errorf("a longer one: kept until %s", got.Until)
	}
}

func TestLinesThatAreNone(t *testing.T) {
	for _, line := range []string{"", "CIN 21", "CIN 21 YEAR birth", "CIN x birth", "CIN 0 birth", "CIN 151 birth", "CINN 21 birth", "CIN 21 death"} {
		if r, err := retention.ParseRule(line); err == nil {
			t.Errorf("%q was taken for %v", line, r)
		}
	}
}
