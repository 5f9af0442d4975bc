package lease_test

import (
	"testing"
	"time"

	"doorstep/server/internal/lease"
	"doorstep/syncproto"
)

var (
	record    = syncproto.RecordID{1}
	ann, bala = syncproto.UserID{2}, syncproto.UserID{3}
)

// TestOneAtATime follows one record through a morning.
func TestOneAtATime(t *testing.T) {
	b := lease.NewBook()
	nine := time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)
	for _, step := range []struct {
		what  string
		after time.Duration
		do    func(now time.Time) bool
		want  bool
		has   syncproto.UserID // afterwards
	}{
		{"the first takes it", 0, func(now time.Time) bool { _, ok := b.Take(record, ann, now); return ok }, true, ann},
		{"the second is told who has it", time.Minute, func(now time.Time) bool {
			l, ok := b.Take(record, bala, now)
			return ok || l.User != ann || !l.Until.Equal(nine.Add(lease.Time))
		}, false, ann},
		{"the first renews", 14 * time.Minute, func(now time.Time) bool { _, ok := b.Take(record, ann, now); return ok }, true, ann},
		{"which counts from then", 28 * time.Minute, func(now time.Time) bool { _, ok := b.Take(record, bala, now); return ok }, false, ann},
		{"nobody gives up another's", 28 * time.Minute, func(time.Time) bool { b.Give(record, bala); return true }, true, ann},
		{"it runs out to the second", 29 * time.Minute, func(now time.Time) bool { _, ok := b.Take(record, bala, now); return ok }, true, bala},
		{"the second gives it up", 30 * time.Minute, func(time.Time) bool { b.Give(record, bala); return true }, true, syncproto.UserID{}},
		{"anybody may have it then", 31 * time.Minute, func(now time.Time) bool { _, ok := b.Take(record, ann, now); return ok }, true, ann},
		{"what is final is nobody's", 32 * time.Minute, func(time.Time) bool { b.End(record); return true }, true, syncproto.UserID{}},
	} {
		now := nine.Add(step.after)
		if got := step.do(now); got != step.want {
			t.Fatalf("%s: %v", step.what, got)
		}
		if l, ok := b.Of(record, now); l.User != step.has && ok || ok == step.has.IsZero() {
			t.Fatalf("%s, and then %v has it (%v)", step.what, l.User, ok)
		}
	}
}
