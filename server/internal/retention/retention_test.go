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

// child is "born: STATUS from to, STATUS from to", or "born died: ...".
func child(t *testing.T, s string) retention.Child {
	t.Helper()
	life, statuses, _ := strings.Cut(s, ":")
	born, died, _ := strings.Cut(life, " ")
	out := retention.Child{Born: day(t, born), Died: day(t, died)}
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
		{"looked after, and died", []string{"2010-02-28 2019-07-01: CLA 2015-06-01 2019-07-01"}, "2034-07-01", "looked after: 15 years from the death of a child"},
		{"died on the day before the eighteenth birthday", []string{"2001-02-28 2019-02-27: CLA 2015-06-01 2019-02-27"}, "2034-02-27", "15 years from the death"},
		{"died grown up", []string{"2001-02-28 2019-02-28: CLA 2015-06-01 2018-06-01"}, "2076-02-28", "75 years from birth"},
		{"died, and was in need before", []string{"2018-02-28 2019-07-01: CIN 2018-06-01 2019-06-01, CLA 2019-06-01 2019-07-01"}, "2039-02-28", "child in need: 21 years"},
		{"died, and a brother was looked after", []string{"2010-02-28 2019-07-01: CLA 2015-06-01 2019-07-01", "2014-03-01: CLA 2015-06-01 2016-06-01"}, "2089-03-01", "75 years"},
		{"died in need, for which no line speaks of death", []string{"2010-02-28 2019-07-01: CIN 2015-01-01 2015-06-01"}, "2031-02-28", "21 years from birth"},
		{"died, and nobody knows how old", []string{" 2019-07-01: CLA 2015-06-01 2019-07-01"}, "", "date of birth"},
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
	f.Children = []retention.Child{child(t, "2010-02-28 2016-06-01: CLA 2015-06-01 2016-06-01")}
	for line, until := range map[string]string{"CLA 1 death": "2031-06-01", "CLA 25 death": "2041-06-01", "CLA 75 birth": "2085-02-28"} {
		if got := schedule(t, line).Of(f); got.Until != day(t, until) {
			t.Errorf("a child who died, with %s: kept until %s, want %s", line, got.Until, until)
		}
	}
}

func TestLinesThatAreNone(t *testing.T) {
	for _, line := range []string{"", "CIN 21", "CIN 21 YEAR birth", "CIN x birth", "CIN 0 birth", "CIN 151 birth", "CINN 21 birth", "CIN 21 burial"} {
		if r, err := retention.ParseRule(line); err == nil {
			t.Errorf("%q was taken for %v", line, r)
		}
	}
}
