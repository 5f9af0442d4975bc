package demo

import (
	"encoding/binary"
	"math/rand/v2"
	"sync"
	"time"

	"doorstep/client-sdk/engine"
)

// clock is a tablet's clock. It moves when the day does, so that hours of typing
// pass in seconds, pauses included.
type clock struct {
	mu   sync.Mutex
	now  time.Time // guarded by mu
	mono uint64    // milliseconds since the tablet was switched on; guarded by mu
}

func newClock(now time.Time) *clock { return &clock{now: now} }

// read is the clock as the engine wants it.
func (c *clock) read() engine.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	_, offset := c.now.Zone()
	return engine.Time{UnixMS: c.now.UnixMilli(), OffsetMin: int64(offset / 60), MonotonicMS: c.mono}
}

func (c *clock) pass(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
	c.mono += uint64(d.Milliseconds())
}

// goTo sets the clock, back as well. What counts from when the tablet was switched on
// goes on.
func (c *clock) goTo(now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = now
	c.mono += 1000
}

// passUntil moves the clock forward to now, and never back.
func (c *clock) passUntil(now time.Time) {
	c.mu.Lock()
	behind := now.Sub(c.now)
	c.mu.Unlock()
	if behind > 0 {
		c.pass(behind)
	}
}

// chance is a tablet's randomness, the same for the same seed and owner.
type chance struct {
	mu  sync.Mutex
	rng *rand.ChaCha8 // guarded by mu
}

func newChance(seed uint64, owner string) *chance {
	var key [32]byte
	binary.BigEndian.PutUint64(key[:], seed)
	copy(key[8:], owner)
	return &chance{rng: rand.NewChaCha8(key)}
}

func (c *chance) draw() (out engine.Chance) {
	c.mu.Lock()
	defer c.mu.Unlock()
	_, _ = c.rng.Read(out[:]) // never fails
	return out
}
