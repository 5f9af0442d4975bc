package server

import (
	"fmt"
	"time"
	_ "time/tzdata" // a container without time zones still knows what day it is in England

	"doorstep/server/internal/reading"
	"doorstep/syncproto/clocks"
)

// VisitsConfig says how often children are visited, on top of the regulations, which no
// setting can loosen.
type VisitsConfig struct {
	Policy           []string `koanf:"policy" doc:"How often each type of visit is made, one line each, e.g. \"CP every 10 WD alone 2 bedroom 2 warn 3 WD from 2026-04-01\": first, until-review, first-year and every take a number and WD (working days), CD (days), WEEK or MONTH, with day1 after it if the day itself counts as day 1; alone and bedroom: of so many visits one; home: the least percentage where the child lives; warn: how long before the day it is shown as due soon; from: the first day of the line, until a later line of that type."`
	Closed           []string `koanf:"closed" doc:"Days on which nobody works, e.g. \"2026-12-29\", besides weekends and the bank holidays of England, which are known."`
	AfterFailed      string   `koanf:"after_failed" doc:"By when a child must be seen after a visit failed, e.g. \"5 WD\"."`
	UnseenSocialWork string   `koanf:"unseen_social_work" doc:"How long a child may go unseen by a social worker before it is shown to managers, e.g. \"4 WEEK\"."`
	RecordWithin     string   `koanf:"record_within" doc:"By when a visit is to be recorded and handed over, e.g. \"2 WD\"; then it is chased."`
	Unseen           string   `koanf:"unseen" doc:"How long a child may go unseen by anybody before it is shown to managers, e.g. \"6 WEEK\"."`
}

func defaultVisits() VisitsConfig {
	return VisitsConfig{Policy: clocks.Defaults(), Closed: []string{}, AfterFailed: "5 WD", RecordWithin: "2 WD", UnseenSocialWork: "4 WEEK", Unseen: "6 WEEK"}
}

// rules reads the settings; every fault is told. Days are those of England.
func (c VisitsConfig) rules(f *faults) reading.VisitRules {
	var r reading.VisitRules
	for _, line := range c.Policy {
		row, err := clocks.ParsePolicy(line)
		f.unless(err == nil, fmt.Sprintf("visits.policy: %q: %v", line, err))
		r.Policies = append(r.Policies, row)
	}
	for _, day := range c.Closed {
		d, ok := clocks.ParseDay(day)
		f.unless(ok, fmt.Sprintf("visits.closed: %q is no day, e.g. 2026-12-29", day))
		r.Calendar.Closed = append(r.Calendar.Closed, d)
	}
	interval := func(key, s string) clocks.Interval {
		i, err := clocks.ParseInterval(s)
		f.unless(err == nil, fmt.Sprintf("visits.%s: %v", key, err))
		return i
	}
	r.Unseen = clocks.Unseen{
		SeeChild:     interval("after_failed", c.AfterFailed),
		BySocialWork: interval("unseen_social_work", c.UnseenSocialWork),
		ByAnybody:    interval("unseen", c.Unseen),
	}
	r.RecordWithin = interval("record_within", c.RecordWithin)
	zone, err := time.LoadLocation("Europe/London")
	f.unless(err == nil, "the time zone of England cannot be read")
	r.Zone = zone
	return r
}
