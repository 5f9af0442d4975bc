package auth

import (
	"sync"
	"time"
)

// limiter slows down guessing. Each key owns a bucket that empties by one per
// try and fills again over time; nobody is locked out for good, and a rival
// at another address cannot lock out a worker. Memory is bounded: when full, the
// bucket that is nearest to full again is dropped.
type limiter struct {
	burst  float64       // failures allowed at once
	refill time.Duration // time to win one back
	max    int           // buckets kept

	mu      sync.Mutex
	buckets map[string]bucket // guarded by mu
}

type bucket struct {
	level float64
	at    time.Time
}

func newLimiter(burst int, refill time.Duration, max int) *limiter {
	return &limiter{burst: float64(burst), refill: refill, max: max, buckets: map[string]bucket{}}
}

// take spends one try of key, before it is known whether the try fails. It
// returns zero when there was one left, else how long to wait for the next.
func (l *limiter) take(key string, now time.Time) time.Duration {
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

// giveBack returns one try after a success, so that only failures cost.
func (l *limiter) giveBack(key string, now time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.buckets[key] = bucket{level: min(l.burst, l.levelAt(key, now)+1), at: now}
}

// forget clears a key whose owner has proved themselves.
func (l *limiter) forget(key string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.buckets, key)
}

func (l *limiter) levelAt(key string, now time.Time) float64 {
	b, ok := l.buckets[key]
	if !ok {
		return l.burst
	}
	won := float64(now.Sub(b.at)) / float64(l.refill)
	return min(l.burst, b.level+max(won, 0))
}

// dropOne makes room. It looks at a handful of buckets only (map order is
// random), so that a flood of keys costs the same per try as no flood.
func (l *limiter) dropOne(now time.Time) {
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
