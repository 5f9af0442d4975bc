package auth

import (
	"crypto/sha256"
	"sync"
	"time"
)

// maxSeen bounds what is remembered in one stretch of time: 24 bytes each, 50 MB
// in all, and more than the processor of a borough's server can check.
const maxSeen = 1 << 20

// seen remembers which proofs and tickets were used, for as long as they could be
// used again. It keeps two stretches of time, so that everything is remembered
// for one at least; when a stretch is full nothing more is taken until it ends.
type seen struct {
	stretch time.Duration

	mu       sync.Mutex
	current  map[[16]byte]struct{} // guarded by mu
	previous map[[16]byte]struct{} // guarded by mu
	since    time.Time             // guarded by mu; when current began
}

func newSeen(stretch time.Duration) *seen {
	return &seen{stretch: stretch, current: map[[16]byte]struct{}{}}
}

// first reports whether an id was not used before by the holder of a key, and
// remembers it.
func (s *seen) first(key Thumbprint, id string, now time.Time) bool {
	sum := sha256.Sum256(append(key[:], id...))
	name := [16]byte(sum[:16])
	s.mu.Lock()
	defer s.mu.Unlock()
	s.turn(now)
	if _, ok := s.current[name]; ok {
		return false
	}
	if _, ok := s.previous[name]; ok {
		return false
	}
	s.current[name] = struct{}{}
	return true
}

// full reports whether no more can be remembered now.
func (s *seen) full(now time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.turn(now)
	return len(s.current) >= maxSeen
}

// turn begins a new stretch when the current one is over; mu is held. A clock
// that was set back makes a stretch longer, never shorter.
func (s *seen) turn(now time.Time) {
	age := now.Sub(s.since)
	if age < s.stretch {
		return
	}
	s.previous = s.current
	if age >= 2*s.stretch {
		s.previous = nil
	}
	s.current, s.since = map[[16]byte]struct{}{}, now
}
