// Package pace bounds how often something may be done in a stretch of time, for many
// keys at once: Limiter. It decides nothing about what is done.
package pace

import (
	"sync"
	"time"
)

// Limiter slows callers down. Each key owns a bucket that empties by one per try and
// fills again over time; nobody is locked out for good. Memory is bounded: when full,
// the bucket that is nearest to full again is dropped. It is safe for concurrent use.
type Limiter struct {
	burst  float64       // tries allowed at once
	refill time.Duration // time to win one back
	max    int           // buckets kept

	mu      sync.Mutex
	buckets map[string]bucket // guarded by mu
}

type bucket struct {
	level float64
	at    time.Time
}

// New returns a Limiter that lets each of at most max keys try burst times at once,
// and once more after each refill.
func New(burst int, refill time.Duration, max int) *Limiter {
	return &Limiter{burst: float64(burst), refill: refill, max: max, buckets: map[string]bucket{}}
}

// Take spends one try of key, before it is known whether the try fails. It
// returns zero when there was one left, else how long to wait for the next.
func (l *Limiter) Take(key string, now time.Time) time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	level := l.levelAt(key, now)
	if level < 1 {
		return time.Duration((1 - level) * float64(l.refill))
	}
	if _, ok := l.buckets[key]; !ok && len(l.buckets) >= l.max {
		l.dropOne(now)
	}
	l.buckets[key] = bucket{level: level - 1, at: now}
	return 0
}

// GiveBack returns one try after a success, so that only failures cost.
func (l *Limiter) GiveBack(key string, now time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.buckets[key] = bucket{level: min(l.burst, l.levelAt(key, now)+1), at: now}
}

// Forget clears a key whose owner has proved themselves.
func (l *Limiter) Forget(key string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.buckets, key)
}

// Spent reports whether a key has no try left now, without taking one.
func (l *Limiter) Spent(key string, now time.Time) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.levelAt(key, now) < 1
}

func (l *Limiter) levelAt(key string, now time.Time) float64 {
	b, ok := l.buckets[key]
	if !ok {
		return l.burst
	}
	won := float64(now.Sub(b.at)) / float64(l.refill)
	return min(l.burst, b.level+max(won, 0))
}

// dropOne makes room. It looks at a handful of buckets only (map order is
// random), so that a flood of keys costs the same per try as no flood.
func (l *Limiter) dropOne(now time.Time) {
	const looked = 16
	var best string
	bestLevel, seen := -1.0, 0
	for key := range l.buckets {
		if level := l.levelAt(key, now); level > bestLevel {
			best, bestLevel = key, level
		}
		if seen++; seen == looked {
			break
		}
	}
	delete(l.buckets, best)
}
