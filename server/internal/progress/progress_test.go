package progress_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"doorstep/server/internal/progress"
)

// Each case is a stage that has gone on for a while.
func TestWhereAStageStands(t *testing.T) {
	for _, c := range []struct {
		name              string
		unit              progress.Unit
		total, done       int64
		after             time.Duration
		percent           int
		line, bar, remain string
	}{
		{"just begun", progress.Entries, 1000, 0, time.Second, 0, "at it, 0 %, 0 of 1,000 entries", "[----------]", "0:00"},
		{"too early to guess", progress.Entries, 1000, 500, time.Second, 50, "at it, 50 %, 500 of 1,000 entries", "[#####-----]", "0:00"},
		{"in the middle", progress.Bytes, 3_000 << 20, 1_000 << 20, time.Minute, 33, "at it, 33 %, 1,000 of 3,000 MB, 2:00 left", "[###-------]", "2:00"},
		{"a long one", progress.Records, 1_000_000, 10_000, time.Minute, 1, "at it, 1 %, 10,000 of 1,000,000 records, 1:39:00 left", "[----------]", "1:39:00"},
		{"done", progress.Changes, 7, 7, time.Minute, 100, "at it, 100 %, 7 of 7 changes", "[##########]", "0:00"},
		{"more than was said", progress.Changes, 7, 9, time.Minute, 100, "at it, 100 %, 7 of 7 changes", "[##########]", "0:00"},
		{"nobody knows how much", progress.Entries, 0, 1234, time.Minute, 0, "at it, 1,234 entries so far", "", "0:00"},
	} {
		t.Run(c.name, func(t *testing.T) {
			now := time.Unix(1_700_000_000, 0)
			m := progress.New(func() time.Time { return now })
			if at, ok := m.At(); ok {
				t.Fatalf("it stands at %v before it began", at)
			}
			m.Begin("at it", c.unit, c.total).Add(c.done)
			now = now.Add(c.after)
			at, ok := m.At()
			if !ok || at.Percent() != c.percent || at.String() != c.line || at.Bar(10) != c.bar || progress.Clock(at.Left) != c.remain {
				t.Errorf("got %d %%, %q, %q, %s left; want %d %%, %q, %q, %s", at.Percent(), at, at.Bar(10), progress.Clock(at.Left), c.percent, c.line, c.bar, c.remain)
			}
		})
	}
}

// The context brings the meter to where the work is, the next stage takes the place of the
// one before, and many may work at one.
func TestStagesFollowEachOther(t *testing.T) {
	m := progress.New(time.Now)
	ctx := progress.With(t.Context(), m)
	progress.Begin(ctx, "first", progress.Entries, 10).Add(3)
	second := progress.Begin(ctx, "second", progress.Entries, 400)
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			for range 100 {
				second.Add(1)
			}
		})
	}
	all.Wait()
	if at, _ := m.At(); at.What != "second" || at.Done != 400 || at.Percent() != 100 {
		t.Errorf("it stands at %+v", at)
	}
	m.Hear(progress.At{What: "elsewhere", Unit: progress.Entries, Done: 1, Total: 2})
	if at, _ := m.At(); at.What != "elsewhere" || at.Percent() != 50 {
		t.Errorf("another process does the work, and it stands at %+v", at)
	}
}

// Who works for nobody who looks does nothing.
func TestNobodyLooks(t *testing.T) {
	ctx := context.Background()
	cost := testing.AllocsPerRun(100, func() {
		progress.Begin(ctx, "at it", progress.Entries, 10).Add(1)
		progress.Of(ctx).Hear(progress.At{})
	})
	if _, ok := progress.Of(ctx).At(); ok || cost != 0 {
		t.Errorf("%v pieces of memory were taken", cost)
	}
}
