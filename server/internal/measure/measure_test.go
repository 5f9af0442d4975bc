package measure_test

import (
	"crypto/rand"
	"testing"
	"time"

	"doorstep/server/internal/audit"
	"doorstep/server/internal/desk"
	"doorstep/server/internal/measure"
	"doorstep/server/internal/reading"
	"doorstep/server/internal/store"
	"doorstep/server/internal/store/storetest"
	"doorstep/syncproto"
	"doorstep/syncproto/cbor"
	"doorstep/syncproto/clocks"
)

var (
	lead        = syncproto.UserID{1}
	coordinator = syncproto.UserID{2}
	manager     = syncproto.UserID{3}
	analyst     = syncproto.UserID{4}
	head        = syncproto.UserID{5}
	it          = syncproto.UserID{6}
	gone        = syncproto.UserID{7}
	northHome   = syncproto.FamilyID{11}
	southHome   = syncproto.FamilyID{12}
	north       = store.TeamID{21}
	south       = store.TeamID{22}
	now         = time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)
)

// said is what families' records say about the work done.
type said map[syncproto.FamilyID]reading.Work

// FamilyWork implements measure.Works.
func (s said) FamilyWork(family syncproto.FamilyID) (reading.Work, error) { return s[family], nil }

// looks is an access log in which nothing stands yet.
type looks struct{ tree audit.Tree }

// Tree implements measure.Log.
func (l *looks) Tree() *audit.Tree { return &l.tree }

// Read implements measure.Log.
func (l *looks) Read(uint64) (audit.Event, error) { panic("bug: nothing stands in it") }

// open begins a borough of two teams with a family each, and somebody of each kind who
// may ask for figures or may not.
func open(t *testing.T, work said) *measure.Service {
	t.Helper()
	b := storetest.Open(t)
	b.Commit(now.UnixMilli(),
		store.UserEntry{ID: lead, Login: "lead", Role: "practitioner"},
		store.UserEntry{ID: coordinator, Login: "coordinator", Role: "coordinator"},
		store.UserEntry{ID: manager, Login: "manager", Role: "manager"},
		store.UserEntry{ID: analyst, Login: "analyst", Role: "analyst"},
		store.UserEntry{ID: head, Login: "head", Role: "head_of_practice"},
		store.UserEntry{ID: it, Login: "it", Role: "it"},
		store.UserEntry{ID: gone, Login: "gone", Role: "analyst", Disabled: true},
		store.FamilyTeamEntry{Family: northHome, Team: north},
		store.FamilyTeamEntry{Family: southHome, Team: south},
		store.RelationEntry{User: lead, Family: northHome, Basis: "LEAD", Grant: true},
		store.TeamEntry{User: coordinator, Team: north, Basis: "COORD", Grant: true},
		store.TeamEntry{User: manager, Team: south, Basis: "MANAGER", Grant: true})
	write(t, b, northHome)
	write(t, b, southHome)
	return measure.New(measure.Config{Store: b.Store, Works: work, Log: new(looks), Now: func() time.Time { return now }, Zone: time.UTC})
}

// write gives a family news.
func write(t *testing.T, b *storetest.Borough, family syncproto.FamilyID) {
	t.Helper()
	d := desk.New(desk.Config{Borough: "testshire", Device: syncproto.DeviceID{9}, Keys: b.Keys, Rand: rand.Reader,
		Sign: func([]byte) ([]byte, error) { return make([]byte, 64), nil }})
	tx := b.Store.Begin(now.UnixMilli())
	defer tx.Discard()
	place := syncproto.Op{Code: syncproto.OpSet, Path: syncproto.Path{Field: "place"}, Value: cbor.Text("HOME")}
	if _, err := d.Compose(tx, []desk.Edit{{Author: lead, Family: family, Record: syncproto.RecordID(family), Kind: "visit", Ops: []syncproto.Op{place}}}); err != nil {
		t.Fatal(err)
	}
	tx.Keep()
	if _, err := b.Journal.Append(tx.Payloads()); err != nil {
		t.Fatal(err)
	}
	_, digest := b.Journal.Head()
	if _, err := tx.Commit(digest); err != nil {
		t.Fatal(err)
	}
}

// Figures go to whom access allows reports of a team, and to whom it allows reports by
// their office, for whom figures of few are left out.
func TestWhoSeesWhichFigures(t *testing.T) {
	s := open(t, said{})
	for name, c := range map[string]struct {
		who   syncproto.UserID
		teams int
		few   bool
	}{
		"coordinator of one team": {coordinator, 1, false},
		"manager of the other":    {manager, 1, false},
		"analyst":                 {analyst, 2, true},
		"head of practice":        {head, 2, true},
		"worker":                  {lead, 0, false},
		"IT":                      {it, 0, false},
		"analyst who left":        {gone, 0, false},
		"nobody":                  {syncproto.UserID{99}, 0, false},
	} {
		report, err := s.Report(t.Context(), c.who)
		if err != nil || !report.Complete || len(report.Teams) != c.teams {
			t.Errorf("%s: %d teams, complete %v, %v; want %d", name, len(report.Teams), report.Complete, err, c.teams)
		}
		for _, team := range report.Teams {
			if team.Few != c.few || team.Shown(3) == c.few || !team.Shown(measure.FewerThan) || !team.Shown(0) {
				t.Errorf("%s: a figure of three people is shown: %v, want %v", name, team.Shown(3), !c.few)
			}
		}
	}
}

// A team's months add up what its own families' records say, each by its own day.
func TestMonthsAddUp(t *testing.T) {
	at := func(month time.Month, day int) int64 {
		return time.Date(2026, month, day, 10, 0, 0, 0, time.UTC).UnixMilli()
	}
	hour := time.Hour.Milliseconds()
	s := open(t, said{
		northHome: {
			Visits: []reading.VisitWork{
				{EndMS: at(11, 2), Minutes: 50, FinalMS: at(11, 2) + 3*hour}, {EndMS: at(11, 3), Minutes: 40, FinalMS: at(11, 3) + hour/2},
				{EndMS: at(11, 4), Minutes: 30, FinalMS: at(11, 4) + 30*hour}, {EndMS: at(11, 5), Minutes: 20}, {EndMS: at(10, 31), Minutes: 10},
				{EndMS: at(1, 1), Minutes: 1000},
			},
			Finals:  []reading.FinalWork{{AtMS: at(11, 2), Fields: 20, Twice: 1}, {AtMS: at(11, 3), Fields: 10}},
			Dues:    []reading.DueWork{{On: clocks.Date(2026, 11, 6), Met: true}, {On: clocks.Date(2026, 11, 30)}},
			Returns: []reading.ReturnWork{{AtMS: at(10, 1), InTime: true}, {AtMS: at(10, 2)}},
		},
		southHome: {Visits: []reading.VisitWork{{EndMS: at(11, 2), Minutes: 500}}},
	})
	report, err := s.Report(t.Context(), coordinator)
	if err != nil || len(report.Teams) != 1 || len(report.Teams[0].Rows) != measure.Months {
		t.Fatalf("%+v, %v; want one team with %d months", report, err, measure.Months)
	}
	rows := report.Teams[0].Rows
	want := []measure.Row{
		{Month: "2026-10", Visits: 1, FamilyMinutes: 10, Returns: 2, InTime: 1},
		{Month: "2026-11", Visits: 4, Final: 3, HoursToFinal: 3, FamilyMinutes: 140, Fields: 30, Twice: 1, Due: 2, Met: 1},
	}
	for i, w := range want {
		if got := rows[len(rows)-2+i]; got != w {
			t.Errorf("got %+v\nwant %+v", got, w)
		}
	}
}
