package auth

import (
	"crypto/sha256"
	"sync"
	"time"
)

// maxSeen bounds what is remembered of strangers in one stretch of time: 24 bytes
// each, 12 MB in all.
const maxSeen = 1 << 18

// maxSeenOfOne bounds what is remembered of one known key in one stretch of time:
// more than its session may send (Limits.PerSession of package api).
const maxSeenOfOne = 1 << 15

// seen remembers which proofs and tickets were used, for as long as they could be
// used again. It keeps two stretches of time, so that everything is remembered
// for one at least; when a stretch is full nothing more is taken until it ends.
//
// The keys of devices and sessions have room of their own: whoever sends more than
// that shuts out themselves. What shows a key that nobody knows (a sign-in in a new
// browser, and whoever wants to fill the memory) shares one room, which takes none
// from the others. Nothing is ever dropped to make room: it could be used again.
type seen struct {
	stretch time.Duration

	mu       sync.Mutex
	current  remembered // guarded by mu
	previous remembered // guarded by mu
	since    time.Time  // guarded by mu; when current began
}

// remembered is one stretch of time.
type remembered struct {
	strangers map[[16]byte]struct{}
	known     map[Thumbprint]map[[16]byte]struct{}
}

func newRemembered() remembered {
	return remembered{strangers: map[[16]byte]struct{}{}, known: map[Thumbprint]map[[16]byte]struct{}{}}
}

func (r remembered) has(key Thumbprint, name [16]byte) bool {
	_, strange := r.strangers[name]
	_, known := r.known[key][name]
	return strange || known
}

func newSeen(stretch time.Duration) *seen {
	return &seen{stretch: stretch, current: newRemembered()}
}

// verdict is what became of an id.
type verdict uint8

const (
	firstUse verdict = iota
	usedBefore
	noRoom // it may be the first use, and cannot be remembered
)

// use remembers an id of the holder of a key, and reports whether it was used before.
func (s *seen) use(key Thumbprint, id string, known bool, now time.Time) verdict {
	sum := sha256.Sum256(append(key[:], id...))
	name := [16]byte(sum[:16])
	s.mu.Lock()
	defer s.mu.Unlock()
	s.turn(now)
	if s.current.has(key, name) || s.previous.has(key, name) {
		return usedBefore
	}
	room, limit := s.current.strangers, maxSeen
	if known {
		if s.current.known[key] == nil {
			s.current.known[key] = map[[16]byte]struct{}{}
		}
		room, limit = s.current.known[key], maxSeenOfOne
	}
	if len(room) >= limit {
		return noRoom
	}
	room[name] = struct{}{}
	return firstUse
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
		s.previous = newRemembered()
	}
	s.current, s.since = newRemembered(), now
}
