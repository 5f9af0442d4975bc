package auth

import (
	"strconv"
	"testing"
	"time"
)

func TestLimiterBurstRefillAndGiveBack(t *testing.T) {
	now := time.Unix(0, 0)
	l := newLimiter(3, 10*time.Second, 10)
	for i := range 3 {
		if wait := l.take("a", now); wait != 0 {
			t.Fatalf("try %d waits %v, want none", i, wait)
		}
	}
	if wait := l.take("a", now); wait != 10*time.Second {
		t.Errorf("got wait %v, want 10s", wait)
	}
	if wait := l.take("b", now); wait != 0 {
		t.Errorf("another key waits %v", wait)
	}
	if wait := l.take("a", now.Add(10*time.Second)); wait != 0 {
		t.Errorf("after the refill it waits %v", wait)
	}
	l.giveBack("a", now.Add(10*time.Second))
	if wait := l.take("a", now.Add(10*time.Second)); wait != 0 {
		t.Errorf("after a success it waits %v", wait)
	}
	if wait := l.take("a", now.Add(10*time.Second)); wait == 0 {
		t.Error("a success gave back more than its own try")
	}
	l.forget("a")
	if wait := l.take("a", now.Add(10*time.Second)); wait != 0 {
		t.Errorf("once forgotten it waits %v", wait)
	}
}

func TestLimiterMemoryIsBounded(t *testing.T) {
	now := time.Unix(0, 0)
	l := newLimiter(2, time.Minute, 100)
	l.take("guessed", now)
	l.take("guessed", now)
	for i := range 10_000 {
		l.take(strconv.Itoa(i), now)
	}
	if got := len(l.buckets); got > 100 {
		t.Errorf("got %d buckets, want at most 100", got)
	}
	if wait := l.take("guessed", now); wait == 0 {
		t.Error("a flood of other keys freed the one that was being guessed")
	}
}

func TestCacheIsBoundedAndForgetsTheLapsed(t *testing.T) {
	now := time.Unix(1000, 0)
	c := newCache()
	for i := range maxCached + 10 {
		c.put(strconv.Itoa(i), subject{Expires: now.Add(time.Minute)}, now)
	}
	if len(c.entries) > maxCached {
		t.Errorf("got %d entries, want at most %d", len(c.entries), maxCached)
	}
	c.put("x", subject{Expires: now.Add(time.Minute)}, now)
	if _, ok := c.get("x", now); !ok {
		t.Error("a fresh token was not found")
	}
	if _, ok := c.get("x", now.Add(time.Minute)); ok {
		t.Error("a lapsed token was found")
	}
}

func TestParsePHCRefuses(t *testing.T) {
	for _, s := range []string{"", "plain", "$argon2i$v=19$m=1,t=1,p=1$AA$AA", "$argon2id$v=18$m=1,t=1,p=1$AA$AA",
		"$argon2id$v=19$m=1,t=1$AA$AA", "$argon2id$v=19$m=99999999,t=1,p=1$AA$AA", "$argon2id$v=19$m=1024,t=1,p=1$AA$AA"} {
		if _, err := parsePHC(s); err == nil {
			t.Errorf("%q was read as a hash", s)
		}
	}
}
