// Package lease says who has a record to themselves, and until when: so that two
// coordinators never prepare one record at once.
//
// A Book holds the leases of a borough in memory; after a restart every record is free.
// It asks no clock and decides nothing about who may have a lease at all.
package lease

import (
	"sync"
	"time"

	"doorstep/syncproto"
)

// Time is how long somebody has a record before they must renew: long enough for one
// record, short enough that a closed lid does not keep it from the others.
const Time = 15 * time.Minute

// Lease says who has a record, and until when.
type Lease struct {
	User  syncproto.UserID
	Until time.Time
}

// Book holds leases. It is safe for concurrent use.
type Book struct {
	mu   sync.Mutex // guards held
	held map[syncproto.RecordID]Lease
}

// NewBook returns a Book without leases.
func NewBook() *Book { return &Book{held: map[syncproto.RecordID]Lease{}} }

// Take gives a person a record for Time from now; asked again, for longer. It reports
// false, and gives nothing, while somebody else has the record.
func (b *Book) Take(record syncproto.RecordID, user syncproto.UserID, now time.Time) (Lease, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if l, ok := b.held[record]; ok && l.User != user && now.Before(l.Until) {
		return l, false
	}
	b.sweep(now)
	l := Lease{User: user, Until: now.Add(Time)}
	b.held[record] = l
	return l, true
}

// Of returns the lease in force on a record.
func (b *Book) Of(record syncproto.RecordID, now time.Time) (Lease, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	l, ok := b.held[record]
	return l, ok && now.Before(l.Until)
}

// Give gives up a person's lease of a record; of somebody else's it does nothing.
func (b *Book) Give(record syncproto.RecordID, user syncproto.UserID) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.held[record].User == user {
		delete(b.held, record)
	}
}

// End ends whatever lease there is of a record, which is final now.
func (b *Book) End(record syncproto.RecordID) {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.held, record)
}

// sweep drops leases that have run out; mu is held.
func (b *Book) sweep(now time.Time) {
	for record, l := range b.held {
		if !now.Before(l.Until) {
			delete(b.held, record)
		}
	}
}
