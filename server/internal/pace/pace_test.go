package pace

import (
	"strconv"
	"testing"
	"time"
)

func TestLimiterBurstRefillAndGiveBack(t *testing.T) {
	now := time.Unix(0, 0)
	l := New(3, 10*time.Second, 10)
	for i := range 3 {
		if wait := l.Take("a", now); wait != 0 {
			t.Fatalf("try %d waits %v, want none", i, wait)
		}
	}
	if wait := l.Take("a", now); wait != 10*time.Second {
		t.Errorf("got wait %v, want 10s", wait)
	}
	if wait := l.Take("b", now); wait != 0 {
		t.Errorf("another key waits %v", wait)
	}
	if wait := l.Take("a", now.Add(10*time.Second)); wait != 0 {
		t.Errorf("after the refill it waits %v", wait)
	}
	l.GiveBack("a", now.Add(10*time.Second))
	if wait := l.Take("a", now.Add(10*time.Second)); wait != 0 {
		t.Errorf("after a success it waits %v", wait)
	}
	if wait := l.Take("a", now.Add(10*time.Second)); wait == 0 {
		t.Error("a success gave back more than its own try")
	}
	l.Forget("a")
	if wait := l.Take("a", now.Add(10*time.Second)); wait != 0 {
		t.Errorf("once forgotten it waits %v", wait)
	}
}

func TestLimiterMemoryIsBounded(t *testing.T) {
	now := time.Unix(0, 0)
	l := New(2, time.Minute, 100)
	l.Take("guessed", now)
	l.Take("guessed", now)
	for i := range 10_000 {
		l.Take(strconv.Itoa(i), now)
	}
	if got := len(l.buckets); got > 100 {
		t.Errorf("got %d buckets, want at most 100", got)
	}
	if wait := l.Take("guessed", now); wait == 0 {
		t.Error("a flood of other keys freed the one that was being guessed")
	}
}
