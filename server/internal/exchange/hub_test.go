package exchange_test

import (
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"doorstep/server/internal/exchange"
	"doorstep/server/internal/store"
	"doorstep/server/internal/store/storetest"
	"doorstep/syncproto"
)

// diary is when the clock changes what people may reach, and a wall clock that can be
// set.
type diary struct {
	mu    sync.Mutex
	turns map[syncproto.UserID][]time.Time
	set   time.Duration
	asked int
}

func (d *diary) now() time.Time {
	d.mu.Lock()
	defer d.mu.Unlock()
	return time.Now().Add(d.set)
}

func (d *diary) next(user syncproto.UserID, afterMS int64) (int64, bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.asked++
	for _, at := range d.turns[user] {
		if at.UnixMilli() > afterMS {
			return at.UnixMilli(), true
		}
	}
	return 0, false
}

func (d *diary) plan(user syncproto.UserID, turns ...time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.turns[user] = turns
}

func (d *diary) setClock(by time.Duration) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.set += by
}

func woken(c <-chan struct{}) bool {
	synctest.Wait()
	select {
	case <-c:
		return true
	default:
		return false
	}
}

var ada, bea = syncproto.UserID{1}, syncproto.UserID{2}

// TestTheClockWakesListeners: at the moment when a relation begins and when it ends,
// and only those whose it is.
func TestTheClockWakesListeners(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := &diary{turns: map[syncproto.UserID][]time.Time{}}
		hub := exchange.NewHub(exchange.Clock{Now: d.now, NextTurn: d.next})
		began := time.Now()
		d.plan(ada, began.Add(time.Hour), began.Add(9*time.Hour))
		adas, cancel, err := hub.Subscribe(ada)
		beas, cancelBea, err2 := hub.Subscribe(bea)
		if err != nil || err2 != nil {
			t.Fatal(err, err2)
		}
		defer cancelBea()
		for _, c := range []struct {
			until time.Duration
			woken bool
		}{{time.Hour - time.Millisecond, false}, {time.Hour, true}, {time.Hour + time.Minute, false}, {9*time.Hour - 1, false}, {9 * time.Hour, true}, {24 * time.Hour, false}} {
			time.Sleep(c.until - time.Since(began))
			if got := woken(adas); got != c.woken {
				t.Errorf("after %v: woken %v", c.until, got)
			}
			if woken(beas) {
				t.Errorf("after %v somebody else was woken", c.until)
			}
		}

		// What was stored since counts, and not what was to come before.
		d.plan(ada, began.Add(30*time.Hour))
		hub.Tell(nil, exchange.Committed{Users: []syncproto.UserID{ada}})
		if !woken(adas) {
			t.Error("not woken by the entry itself")
		}
		d.plan(ada)
		hub.Tell(nil, exchange.Committed{Users: []syncproto.UserID{ada}})
		woken(adas)
		time.Sleep(24 * time.Hour)
		if woken(adas) {
			t.Error("woken for a grant that was taken back before it began")
		}

		// The wall clock is set forward: that is noticed within a minute.
		d.plan(ada, d.now().Add(10*time.Hour))
		hub.Tell(nil, exchange.Committed{Users: []syncproto.UserID{ada}})
		woken(adas)
		d.setClock(10 * time.Hour)
		time.Sleep(time.Minute)
		if !woken(adas) {
			t.Error("the clock was set past a turn, and nobody was woken")
		}

		// Who has gone is not waited for.
		d.plan(ada, d.now().Add(time.Hour))
		hub.Tell(nil, exchange.Committed{Users: []syncproto.UserID{ada}})
		cancel()
		before := d.asked
		time.Sleep(3 * time.Hour)
		synctest.Wait()
		if d.asked != before || woken(beas) {
			t.Errorf("the next turn of somebody who has gone was asked for %d times", d.asked-before)
		}
	})
}

// TestARealGrantWakesAtItsHour: with the relations of a borough, as a stream meets them.
func TestARealGrantWakesAtItsHour(t *testing.T) {
	b := storetest.Open(t)
	hub := exchange.NewHub(exchange.Clock{Now: time.Now, NextTurn: b.Store.State().NextTurn})
	b.Commit(1, store.UserEntry{ID: ada, Login: "ada", Role: "social_worker"})
	wake, cancel, err := hub.Subscribe(ada)
	if err != nil {
		t.Fatal(err)
	}
	defer cancel()
	from := time.Now().Add(150 * time.Millisecond)
	b.Commit(2, store.RelationEntry{User: ada, Family: syncproto.FamilyID{3}, Basis: "COVER", Grant: true, ID: syncproto.ID{4},
		FromMS: from.UnixMilli(), ToMS: from.Add(time.Hour).UnixMilli()})
	hub.Tell(b.Store.State(), exchange.Committed{Users: []syncproto.UserID{ada}})
	<-wake // of the entry
	select {
	case <-wake:
	case <-time.After(20 * time.Second):
		t.Fatal("nobody was woken when the grant began")
	}
	if time.Now().Before(from.Truncate(time.Millisecond)) {
		t.Error("woken before the grant began")
	}
}
