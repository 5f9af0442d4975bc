package exchange

import (
	"errors"
	"io"
	"log/slog"
	"testing"
	"time"

	"doorstep/server/internal/journal"
	"doorstep/server/internal/store"
	"doorstep/server/internal/store/storetest"
	"doorstep/syncproto"
)

// fullDisk is a journal that takes nothing more.
type fullDisk struct{ Journal }

func (fullDisk) Append([][]byte) (uint64, error) { return 0, journal.ErrFull }

// Somebody who sends what another connection sent a moment ago must not be told
// that it is safe before the other's group is: here it never will be.
func TestAnswerAboutWhatIsNotDurableYetWaitsForIt(t *testing.T) {
	b := storetest.Open(t)
	l := &Ledger{queue: make(chan *proposal, 1), cfg: LedgerConfig{
		Journal: fullDisk{b.Journal}, Store: b.Store, Now: time.Now,
		Log: slog.New(slog.NewTextHandler(io.Discard, nil)),
	}}
	id := syncproto.ChangeID{1}
	writes := &proposal{done: make(chan struct{}), decide: func(tx *store.Tx) ([]store.Entry, error) {
		return []store.Entry{store.RefusedEntry{ID: id, Actor: syncproto.ActorID{2}, Seq: 1, Code: syncproto.CodeBadValue}}, nil
	}}
	asks := &proposal{done: make(chan struct{}), decide: func(tx *store.Tx) ([]store.Entry, error) {
		if _, err := tx.Refused(id); err != nil {
			t.Errorf("the second proposal does not see the first: %v", err)
		}
		return nil, nil
	}}
	l.queue <- asks
	l.gather(writes, nil)
	for _, p := range []*proposal{writes, asks} {
		if <-p.done; !errors.Is(p.err, syncproto.CodeDiskFull) {
			t.Errorf("got %v, want %v", p.err, syncproto.CodeDiskFull)
		}
	}
}
