package exchange

import (
	"sync"
	"time"

	"doorstep/server/internal/store"
	"doorstep/syncproto"
)

// maxListeners bounds the streams of one person: their tablets and open tabs.
const maxListeners = 16

// maxNap bounds how long a timer sleeps before the clock is asked again: it may have
// been set, or the machine may have slept.
const maxNap = time.Minute

// Clock is what a Hub has to know of time.
type Clock struct {
	Now func() time.Time
	// NextTurn returns when, after a time, the clock alone next changes what a person
	// may reach (store.State.NextTurn); false if nothing is to come.
	NextTurn func(user syncproto.UserID, afterMS int64) (atMS int64, ok bool)
}

// Hub wakes whoever listens when there may be news for them: when something was
// stored, and when the clock begins or ends what they may reach, which no entry
// tells. It says no more than that: what the news is, a pull finds out.
type Hub struct {
	clock Clock

	mu        sync.Mutex // guards listeners
	listeners map[syncproto.UserID]*listening
}

// listening is somebody with streams open.
type listening struct {
	streams map[chan struct{}]bool
	timer   *time.Timer // until the next turn; nil: none is to come
	asked   uint64      // how often the next turn was looked up
}

// NewHub returns a Hub without listeners. With the zero Clock nobody is woken by
// the clock.
func NewHub(clock Clock) *Hub {
	return &Hub{clock: clock, listeners: map[syncproto.UserID]*listening{}}
}

// Subscribe returns a channel that gets a value when there may be news for a
// person since the last one was taken, and a function that ends that. It fails
// with CodeTooMany over a limit per person.
func (h *Hub) Subscribe(user syncproto.UserID) (wake <-chan struct{}, cancel func(), err error) {
	c := make(chan struct{}, 1)
	if !h.add(user, c) {
		return nil, nil, syncproto.CodeTooMany
	}
	h.await(user)
	return c, func() { h.remove(user, c) }, nil
}

func (h *Hub) add(user syncproto.UserID, c chan struct{}) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	l := h.listeners[user]
	if l == nil {
		l = &listening{streams: map[chan struct{}]bool{}}
		h.listeners[user] = l
	}
	if len(l.streams) >= maxListeners {
		return false
	}
	l.streams[c] = true
	return true
}

func (h *Hub) remove(user syncproto.UserID, c chan struct{}) {
	h.mu.Lock()
	defer h.mu.Unlock()
	l := h.listeners[user]
	if l == nil {
		return
	}
	delete(l.streams, c)
	if len(l.streams) == 0 {
		l.stop()
		delete(h.listeners, user)
	}
}

func (l *listening) stop() {
	if l.timer != nil {
		l.timer.Stop()
		l.timer = nil
	}
}

// await sets somebody's timer to the next turn of what they may reach. It is asked
// for without the lock; of two who ask at once only the later answer counts, since
// the earlier may not know of what was stored in between.
func (h *Hub) await(user syncproto.UserID) {
	if h.clock.NextTurn == nil {
		return
	}
	h.mu.Lock()
	l := h.listeners[user]
	if l == nil {
		h.mu.Unlock()
		return
	}
	l.asked++
	asked := l.asked
	h.mu.Unlock()
	now := h.clock.Now().UnixMilli()
	atMS, ok := h.clock.NextTurn(user, now)
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.listeners[user] != l || l.asked != asked {
		return
	}
	l.stop()
	if ok {
		nap := min(time.Duration(atMS-now)*time.Millisecond, maxNap)
		l.timer = time.AfterFunc(nap, func() { h.turn(user, atMS) })
	}
}

// turn is a timer that fired: it wakes if the time has come, and awaits the next.
func (h *Hub) turn(user syncproto.UserID, atMS int64) {
	if h.clock.Now().UnixMilli() >= atMS {
		h.wake(user)
	}
	h.await(user)
}

// Wake tells people that there is something to look at. It never waits.
func (h *Hub) Wake(users []syncproto.UserID) {
	for _, user := range users {
		h.wake(user)
	}
}

// Tell wakes those whom a group concerns. It never waits.
func (h *Hub) Tell(state *store.State, c Committed) {
	for _, user := range c.Users {
		h.wake(user)
		h.await(user)
	}
	for _, family := range c.Families {
		for _, user := range state.MembersOf(family) {
			h.wake(user)
		}
	}
}

func (h *Hub) wake(user syncproto.UserID) {
	h.mu.Lock()
	defer h.mu.Unlock()
	l := h.listeners[user]
	if l == nil {
		return
	}
	for c := range l.streams {
		select {
		case c <- struct{}{}:
		default: // it has one to take already
		}
	}
}
