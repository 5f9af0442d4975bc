package store

import (
	"sync"

	"github.com/dgraph-io/badger/v4"
)

// moment is one consistent sight of the index that all share who read between two
// writes. Badger has a new transaction wait for the commit that is being made, and
// tells a goroutine of its own of each: readers by the hundred, who are content with
// what was there before, would wait for each group. A read-only transaction of badger
// changes nothing of its own when it is read, so that many may read it at once.
type moment struct {
	txn  *badger.Txn
	uses int // readers, and one for being the newest; guarded by moments
}

// moments holds the newest. The zero value has none, until renew.
type moments struct {
	mu     sync.Mutex // guards newest and the uses of all
	newest *moment
}

// renew makes what is in the database now the newest moment. It waits for commits that
// are being made. Of two at a time the one that sees more wins.
func (s *moments) renew(db *badger.DB) {
	next := &moment{txn: db.NewTransaction(false), uses: 1}
	s.mu.Lock()
	last := s.newest
	if last != nil && last.txn.ReadTs() > next.txn.ReadTs() {
		last = next
	} else {
		s.newest = next
	}
	s.mu.Unlock()
	if last != nil {
		s.release(last)
	}
}

// take returns the newest moment, which is to be released.
func (s *moments) take() *moment {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.newest.uses++
	return s.newest
}

func (s *moments) release(one *moment) {
	s.mu.Lock()
	one.uses--
	over := one.uses == 0
	s.mu.Unlock()
	if over {
		one.txn.Discard()
	}
}

// end gives the newest moment up, before the database is closed.
func (s *moments) end() {
	s.mu.Lock()
	last := s.newest
	s.newest = nil
	s.mu.Unlock()
	if last != nil {
		s.release(last)
	}
}
