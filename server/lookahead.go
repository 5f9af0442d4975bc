package server

import (
	"log/slog"
	"slices"
	"sync"
	"time"

	"doorstep/server/internal/access"
	"doorstep/server/internal/exchange"
	"doorstep/syncproto"
)

const (
	// quietFor is how long a family must be without news before it is looked at ahead of
	// who asks: while somebody writes, it would be looked at again and again.
	quietFor = 30 * time.Second
	// lookShare is how many times as long as it looks the look-ahead then rests: it runs
	// beside people who wait for the server.
	lookShare = 3
)

// lookAhead brings what the desk's queue and its searches are made of up to date before
// somebody asks: after a start of every family, and then of those that had news and went
// quiet. Whoever asks earlier finds the same, and waits for it.
type lookAhead struct {
	look []func(syncproto.FamilyID) error
	log  *slog.Logger
	now  func() time.Time

	mu   sync.Mutex                       // guards news
	news map[syncproto.FamilyID]time.Time // since when a family had no more
	stop chan struct{}
	done sync.WaitGroup
}

// startLooking begins with every family that there is.
func (b *borough) startLooking() {
	l := b.ahead
	for family := range b.store.State().AllNews() {
		l.news[family] = time.Time{}
	}
	l.done.Go(l.run)
	b.onClose("look-ahead", func() error { close(l.stop); l.done.Wait(); return nil })
}

func newLookAhead(log *slog.Logger, look ...func(syncproto.FamilyID) error) *lookAhead {
	return &lookAhead{look: look, log: log, now: time.Now, news: map[syncproto.FamilyID]time.Time{}, stop: make(chan struct{})}
}

// tell notes news; what was erased is forgotten at once.
func (b *borough) tell(c exchange.Committed) {
	if c.Gone {
		b.room.Forget(c.Families)
	}
	b.ahead.note(c.Families)
	b.hub.Tell(b.store.State(), c)
}

// tellCoordinators has the desks of a family's coordinators look again: one of them took
// a record on, or gave it back.
func (b *borough) tellCoordinators(family syncproto.FamilyID) {
	state := b.store.State()
	b.hub.Wake(slices.DeleteFunc(state.MembersOf(family), func(id syncproto.UserID) bool {
		u, _ := state.User(id)
		return access.Role(u.Role) != access.RoleCoordinator
	}))
}

func (l *lookAhead) note(families []syncproto.FamilyID) {
	if len(families) == 0 {
		return
	}
	now := l.now()
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, f := range families {
		l.news[f] = now
	}
}

func (l *lookAhead) run() {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		for _, family := range l.quiet() {
			began := l.now()
			l.one(family)
			if !l.rest(lookShare * l.now().Sub(began)) {
				return
			}
		}
		select {
		case <-tick.C:
		case <-l.stop:
			return
		}
	}
}

// quiet takes the families whose news is old enough.
func (l *lookAhead) quiet() (out []syncproto.FamilyID) {
	before := l.now().Add(-quietFor)
	l.mu.Lock()
	defer l.mu.Unlock()
	for f, since := range l.news {
		if since.Before(before) {
			out = append(out, f)
			delete(l.news, f)
		}
	}
	return out
}

// one looks at a family. What cannot be read is told again to whoever asks for it.
func (l *lookAhead) one(family syncproto.FamilyID) {
	for _, look := range l.look {
		if err := look(family); err != nil {
			l.log.Warn("a family could not be looked at ahead of who asks", "reason", err.Error())
		}
	}
}

// rest waits; false: the server stops.
func (l *lookAhead) rest(d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-l.stop:
		return false
	}
}
