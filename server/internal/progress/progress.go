// Package progress says how far long work is.
//
// A Meter is one piece of work, of which somebody wants to know how far it is. The work is
// done in stages: a Stage counts what it is done with, of a total that is known when it
// begins. At is where the work stands, in numbers and in words. Whoever works never waits
// for whoever looks, and does nothing for nobody: a Meter and a Stage may be nil. A context
// carries a Meter to where the work is done. The package writes nothing anywhere.
package progress

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
)

// Unit is what a stage counts. Bytes are told as megabytes.
type Unit string

// The units there are.
const (
	Bytes   Unit = "bytes"
	Entries Unit = "entries"
	Records Unit = "records"
	Changes Unit = "changes"
	Visits  Unit = "visits"
	Streams Unit = "streams"
	Rounds  Unit = "rounds"
	Pages   Unit = "pages"
)

// Meter knows the stage that its work is in. It is safe for concurrent use.
type Meter struct {
	now   func() time.Time
	stage atomic.Pointer[Stage]
	heard atomic.Pointer[At] // what another process said; nil: nothing
}

// New makes a meter of work that begins; now is the time.
func New(now func() time.Time) *Meter { return &Meter{now: now} }

// Stage is a part of the work that is under way. It is safe for concurrent use.
type Stage struct {
	what  string
	unit  Unit
	total int64
	began time.Time
	done  atomic.Int64
}

// Begin begins the next stage: what is done ("reading the journal"), what is counted, and
// how much there is of it; 0 or less: nobody knows.
func (m *Meter) Begin(what string, unit Unit, total int64) *Stage {
	if m == nil {
		return nil
	}
	s := &Stage{what: what, unit: unit, total: total, began: m.now()}
	m.stage.Store(s)
	return s
}

// Add says that so much more is done.
func (s *Stage) Add(n int64) {
	if s != nil {
		s.done.Add(n)
	}
}

// At is where work stands.
type At struct {
	What  string        `json:"what"` // the stage
	Unit  Unit          `json:"unit"`
	Done  int64         `json:"done"`
	Total int64         `json:"total"` // 0: not known
	Left  time.Duration `json:"left"`  // of the stage, as fast as it went so far; 0: nobody can say yet
}

// soon is how long a stage must have gone on before its end is guessed at.
const soon = 2 * time.Second

// At says where the work stands; false: it has not said yet.
func (m *Meter) At() (At, bool) {
	if m == nil {
		return At{}, false
	}
	if far := m.heard.Load(); far != nil {
		return *far, true
	}
	s := m.stage.Load()
	if s == nil {
		return At{}, false
	}
	at := At{What: s.what, Unit: s.unit, Done: s.done.Load(), Total: max(s.total, 0)}
	if at.Total > 0 {
		at.Done = min(at.Done, at.Total)
	}
	if took := m.now().Sub(s.began); took >= soon && at.Done > 0 && at.Total > 0 {
		at.Left = time.Duration(float64(took) * float64(at.Total-at.Done) / float64(at.Done))
	}
	return at, true
}

// Percent is how much of the stage is done, 0 to 100; 0 where nobody knows the total.
func (a At) Percent() int {
	if a.Total <= 0 {
		return 0
	}
	return int(float64(a.Done) / float64(a.Total) * 100)
}

// String says where work stands in a line: "reading the journal, 42 %, 420 of 1,000 MB,
// 0:31 left".
func (a At) String() string {
	if a.Total <= 0 {
		return fmt.Sprintf("%s, %s so far", a.What, a.amount(a.Done))
	}
	line := fmt.Sprintf("%s, %d %%, %s of %s", a.What, a.Percent(), number(a.Unit, a.Done), a.amount(a.Total))
	if a.Left > 0 {
		line += ", " + Clock(a.Left) + " left"
	}
	return line
}

// Bar draws how much is done in so many characters; empty where nobody knows the total.
func (a At) Bar(width int) string {
	if a.Total <= 0 || width <= 0 {
		return ""
	}
	full := int(float64(a.Done) / float64(a.Total) * float64(width))
	return "[" + strings.Repeat("#", full) + strings.Repeat("-", width-full) + "]"
}

func (a At) amount(n int64) string {
	if a.Unit == Bytes {
		return number(a.Unit, n) + " MB"
	}
	return number(a.Unit, n) + " " + string(a.Unit)
}

// number is a count with a comma at each thousand; of bytes, their megabytes.
func number(u Unit, n int64) string {
	if u == Bytes {
		n = (n + 1<<20 - 1) >> 20
	}
	s := strconv.FormatInt(n, 10)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// Clock is a time of minutes and seconds, "1:05"; with hours where there are any.
func Clock(d time.Duration) string {
	s := int(d.Round(time.Second).Seconds())
	if s >= 3600 {
		return fmt.Sprintf("%d:%02d:%02d", s/3600, s/60%60, s%60)
	}
	return fmt.Sprintf("%d:%02d", s/60, s%60)
}

// Hear takes over where another process, which does the work, says that it stands.
func (m *Meter) Hear(at At) {
	if m == nil {
		return
	}
	said := at
	m.heard.Store(&said)
}

type key struct{}

// With is ctx with a meter for the work that is done under it.
func With(ctx context.Context, m *Meter) context.Context { return context.WithValue(ctx, key{}, m) }

// Of is the meter of ctx; nil: nobody wants to know.
func Of(ctx context.Context) *Meter {
	m, _ := ctx.Value(key{}).(*Meter)
	return m
}

// Begin begins a stage of the work under ctx.
func Begin(ctx context.Context, what string, unit Unit, total int64) *Stage {
	return Of(ctx).Begin(what, unit, total)
}
