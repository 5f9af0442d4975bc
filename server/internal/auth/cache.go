package auth

import (
	"crypto/sha256"
	"sync"
	"time"
)

// maxCached bounds the checked tokens that are remembered: more than a borough
// has people at work.
const maxCached = 16384

// cache remembers tokens whose signature was found good, by SHA-256, until they
// lapse. It saves the check of the signature only: whether the session, device
// and user still stand is asked every time.
type cache struct {
	mu      sync.Mutex
	entries map[[32]byte]subject // guarded by mu
}

func newCache() *cache { return &cache{entries: map[[32]byte]subject{}} }

func (c *cache) get(token string, now time.Time) (subject, bool) {
	key := sha256.Sum256([]byte(token))
	c.mu.Lock()
	defer c.mu.Unlock()
	s, ok := c.entries[key]
	if ok && !now.Before(s.Expires) {
		delete(c.entries, key)
		return subject{}, false
	}
	return s, ok
}

func (c *cache) put(token string, s subject, now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.entries) >= maxCached {
		c.dropLapsed(now)
	}
	if len(c.entries) >= maxCached {
		clear(c.entries) // costs one signature check for each token still in use
	}
	c.entries[sha256.Sum256([]byte(token))] = s
}

// drop forgets every token that matches, when a session, device or user ends.
func (c *cache) drop(matches func(subject) bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for key, s := range c.entries {
		if matches(s) {
			delete(c.entries, key)
		}
	}
}

func (c *cache) dropLapsed(now time.Time) {
	for key, s := range c.entries {
		if !now.Before(s.Expires) {
			delete(c.entries, key)
		}
	}
}
