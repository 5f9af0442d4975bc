package exchange

import (
	"sync"

	"doorstep/server/internal/store"
	"doorstep/syncproto"
)

// maxListeners bounds the streams of one person: their tablets and open tabs.
const maxListeners = 16

// Hub wakes whoever listens when there may be news for them. It says no more
// than that: what the news is, a pull finds out.
type Hub struct {
	mu        sync.Mutex // guards listeners
	listeners map[syncproto.UserID]map[chan struct{}]bool
}

// NewHub returns a Hub without listeners.
func NewHub() *Hub {
	return &Hub{listeners: map[syncproto.UserID]map[chan struct{}]bool{}}
}

// Subscribe returns a channel that gets a value when there may be news for a
// person since the last one was taken, and a function that ends that. It fails
// with CodeTooMany over a limit per person.
func (h *Hub) Subscribe(user syncproto.UserID) (wake <-chan struct{}, cancel func(), err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.listeners[user]) >= maxListeners {
		return nil, nil, syncproto.CodeTooMany
	}
	if h.listeners[user] == nil {
		h.listeners[user] = map[chan struct{}]bool{}
	}
	c := make(chan struct{}, 1)
	h.listeners[user][c] = true
	return c, func() { h.remove(user, c) }, nil
}

func (h *Hub) remove(user syncproto.UserID, c chan struct{}) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.listeners[user], c)
	if len(h.listeners[user]) == 0 {
		delete(h.listeners, user)
	}
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
	for c := range h.listeners[user] {
		select {
		case c <- struct{}{}:
		default: // it has one to take already
		}
	}
}
