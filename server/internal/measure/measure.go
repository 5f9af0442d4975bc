// Package measure adds up what time the borough's way of recording gives back: how soon a
// visit is final, what was typed twice, how long people are with families and at the
// desk, and whether children were seen and offered interviews in time.
//
// Service keeps what each family's records said when they last had news, and what the
// access log says about the desk, and Report adds it up by team and month for somebody
// who may see it. No figure is about one worker or one family; where a figure of few could
// tell of somebody, it is left out for who does not work with that team.
package measure

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"doorstep/server/internal/access"
	"doorstep/server/internal/audit"
	"doorstep/server/internal/reading"
	"doorstep/server/internal/store"
	"doorstep/syncproto"
)

// Works reads what families' records say: a *reading.Room.
type Works interface {
	FamilyWork(syncproto.FamilyID) (reading.Work, error)
}

// Log is who looked at what: an *audit.AccessLog.
type Log interface {
	Tree() *audit.Tree
	Read(position uint64) (audit.Event, error)
}

// Config is what New needs. All fields are required.
type Config struct {
	Store *store.Store
	Works Works
	Log   Log
	Now   func() time.Time
	Zone  *time.Location
}

// Limits of one look: after a start a large borough is counted through in some looks.
const (
	lookFor      = 400 * time.Millisecond
	eventsAtOnce = 100_000
	// Months is how many a report goes back, this one among them.
	Months = 6
	// FewerThan: a figure of so few people or less could tell of one of them (the rule of
	// the national statistics on children in need: 1 to 5 are suppressed).
	FewerThan = 6
)

// Service measures. It is safe for concurrent use.
type Service struct {
	cfg Config

	mu       sync.Mutex // guards what follows, and is held while families are looked at
	families map[syncproto.FamilyID]seen
	read     uint64 // of the access log
	desk     map[syncproto.UserID]*atDesk
}

type seen struct {
	news uint64
	work reading.Work
}

// atDesk is when somebody worked at the desk.
type atDesk struct {
	last    int64          // newest stretch that was counted
	minutes map[string]int // by month
}

// stretch is the time that a look at a page stands for.
const stretch = 5 * time.Minute

// New returns a Service that has measured nothing.
func New(cfg Config) *Service {
	return &Service{cfg: cfg, families: map[syncproto.FamilyID]seen{}, desk: map[syncproto.UserID]*atDesk{}}
}

// Row is one team's month.
type Row struct {
	Month         string // "2026-11"
	Visits        int    // that took place
	Final         int    // of them
	HoursToFinal  int    // from the end of a visit to final, the median, rounded up
	FamilyMinutes int
	DeskMinutes   int
	Fields, Twice int // of records that became final
	Due, Met      int
	Returns       int
	InTime        int
}

// Team is one team's months, the newest last.
type Team struct {
	Name string
	Rows []Row
	// Few: who asks does not work with this team, so figures of few are left out.
	Few bool
}

// Report is what somebody may see.
type Report struct {
	Teams    []Team
	Complete bool // every family was looked at
}

// Report adds up. Somebody who may see no figures gets none.
func (s *Service) Report(ctx context.Context, user syncproto.UserID) (Report, error) {
	teams := s.teamsOf(user)
	out := Report{}
	if len(teams) == 0 {
		out.Complete = true
		return out, nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	var err error
	if out.Complete, err = s.look(ctx); err != nil {
		return out, err
	}
	for team, own := range teams {
		out.Teams = append(out.Teams, Team{Name: s.nameOf(team), Rows: s.rows(team), Few: !own})
	}
	slices.SortFunc(out.Teams, func(a, b Team) int { return strings.Compare(a.Name, b.Name) })
	return out, nil
}

// teamsOf are the teams whose figures somebody may see; true: they work with the team.
func (s *Service) teamsOf(user syncproto.UserID) map[store.TeamID]bool {
	state, at := s.cfg.Store.State(), s.cfg.Now().UnixMilli()
	out := map[store.TeamID]bool{}
	report := access.Need{Action: access.ActionRead}
	u, _ := state.User(user)
	if u.Disabled {
		return out
	}
	inOffice := access.Asker{Role: access.Role(u.Role), Bases: []access.Basis{access.BasisOffice}}
	if inOffice.MayIn(access.GroupReport, report).Allow {
		for family := range state.AllNews() {
			if team := state.TeamOf(family); team != (store.TeamID{}) {
				out[team] = false
			}
		}
	}
	for _, h := range state.Access(user, at).Holdings {
		team := state.TeamOf(h.Family)
		if team == (store.TeamID{}) || out[team] || !h.Reached() {
			continue
		}
		who := access.AskerOf(access.Standing(state.StandingOf(user, h.Family, at)))
		if len(who.Bases) > 0 && who.MayIn(access.GroupReport, report).Allow {
			out[team] = true
		}
	}
	return out
}

// look reads families with news, and what is new in the access log.
func (s *Service) look(ctx context.Context) (complete bool, err error) {
	until := time.Now().Add(lookFor)
	for family, news := range s.cfg.Store.State().AllNews() {
		if s.families[family].news == news {
			continue
		}
		if time.Now().After(until) || ctx.Err() != nil {
			return false, ctx.Err()
		}
		work, err := s.cfg.Works.FamilyWork(family)
		if err != nil {
			return false, err
		}
		s.families[family] = seen{news, work}
	}
	return s.lookAtDesk()
}

// lookAtDesk reads on in the access log.
func (s *Service) lookAtDesk() (complete bool, err error) {
	head := s.cfg.Log.Tree().Size()
	for n := 0; s.read < head; n++ {
		if n == eventsAtOnce {
			return false, nil
		}
		e, err := s.cfg.Log.Read(s.read + 1)
		if err != nil {
			return false, fmt.Errorf("reading the access log: %w", err)
		}
		s.read++
		if strings.HasPrefix(e.Word, "desk") && !e.User.IsZero() {
			s.count(&e)
		}
	}
	return true, nil
}

// count adds the stretches in which somebody looked at a page of the desk.
func (s *Service) count(e *audit.Event) {
	d := s.desk[e.User]
	if d == nil {
		d = &atDesk{last: -1, minutes: map[string]int{}}
		s.desk[e.User] = d
	}
	for at := e.AtMS / stretch.Milliseconds(); at <= max(e.AtMS, e.UntilMS)/stretch.Milliseconds(); at++ {
		if at > d.last {
			d.last = at
			d.minutes[s.month(at*stretch.Milliseconds())] += int(stretch.Minutes())
		}
	}
}

func (s *Service) month(ms int64) string {
	return time.UnixMilli(ms).In(s.cfg.Zone).Format("2006-01")
}

// months are those of a report, the newest last.
func (s *Service) months() (out []string) {
	now := s.cfg.Now().In(s.cfg.Zone)
	for back := Months - 1; back >= 0; back-- {
		out = append(out, time.Date(now.Year(), now.Month()-time.Month(back), 1, 0, 0, 0, 0, s.cfg.Zone).Format("2006-01"))
	}
	return out
}

// rows adds up a team's families.
func (s *Service) rows(team store.TeamID) []Row {
	byMonth, hours := map[string]*Row{}, map[string][]int{}
	var out []Row
	for _, month := range s.months() {
		byMonth[month] = &Row{Month: month}
	}
	for _, family := range s.cfg.Store.State().FamiliesOfTeam(team) {
		work := s.families[family].work
		s.addVisits(&work, byMonth, hours)
		s.addRest(&work, byMonth)
	}
	desk := s.deskOf(team)
	for _, month := range s.months() {
		r := byMonth[month]
		r.HoursToFinal, r.DeskMinutes = median(hours[month]), desk[month]
		out = append(out, *r)
	}
	return out
}

func (s *Service) addVisits(work *reading.Work, byMonth map[string]*Row, hours map[string][]int) {
	for _, v := range work.Visits {
		month := s.month(v.EndMS)
		r := byMonth[month]
		if r == nil {
			continue
		}
		r.Visits++
		r.FamilyMinutes += v.Minutes
		if v.FinalMS > 0 {
			r.Final++
			hours[month] = append(hours[month], int((max(v.FinalMS-v.EndMS, 0)+time.Hour.Milliseconds()-1)/time.Hour.Milliseconds()))
		}
	}
}

func (s *Service) addRest(work *reading.Work, byMonth map[string]*Row) {
	for _, f := range work.Finals {
		if r := byMonth[s.month(f.AtMS)]; r != nil {
			r.Fields, r.Twice = r.Fields+f.Fields, r.Twice+f.Twice
		}
	}
	for _, d := range work.Dues {
		if r := byMonth[d.On.ISO()[:7]]; r != nil {
			r.Due++
			if d.Met {
				r.Met++
			}
		}
	}
	for _, m := range work.Returns {
		if r := byMonth[s.month(m.AtMS)]; r != nil {
			r.Returns++
			if m.InTime {
				r.InTime++
			}
		}
	}
}

// deskOf is how long a team's coordinators were at the desk. Who serves several teams
// counts for each with an equal part.
func (s *Service) deskOf(team store.TeamID) map[string]int {
	out := map[string]int{}
	state := s.cfg.Store.State()
	for user, d := range s.desk {
		u, _ := state.User(user)
		if access.Role(u.Role) != access.RoleCoordinator {
			continue
		}
		teams := map[store.TeamID]bool{}
		for _, h := range state.Access(user, s.cfg.Now().UnixMilli()).Holdings {
			if h.Reached() {
				teams[state.TeamOf(h.Family)] = true
			}
		}
		if !teams[team] {
			continue
		}
		for month, minutes := range d.minutes {
			out[month] += minutes / len(teams)
		}
	}
	return out
}

// nameOf is what a team is called on the sheets of its families.
func (s *Service) nameOf(team store.TeamID) string {
	for _, family := range s.cfg.Store.State().FamiliesOfTeam(team) {
		records, err := s.cfg.Store.RecordsOf(family, "family")
		if err != nil || len(records) == 0 {
			continue
		}
		if v, err := s.cfg.Store.View(records[0]); err == nil {
			f, _ := v.Field("team")
			if name, _ := f.Value.AsText(); name != "" {
				return name
			}
		}
	}
	return "Team " + syncproto.ID(team).String()[:6]
}

func median(list []int) int {
	if len(list) == 0 {
		return 0
	}
	slices.SortFunc(list, cmp.Compare[int])
	return list[len(list)/2]
}

// Shown is a figure of n people or things, of which count is said; false: they are so few
// that it is left out.
func (t *Team) Shown(n int) bool { return !t.Few || n == 0 || n >= FewerThan }
