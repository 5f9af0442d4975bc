package exchange_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"doorstep/server/internal/exchange"
	"doorstep/server/internal/journal"
	"doorstep/server/internal/store"
	"doorstep/server/internal/store/storetest"
	"doorstep/syncproto"
)

// These tests are about groups that are decided while the one before is written.

// refusedAt is an entry that leaves a row, by which a later proposal can see it.
func refusedAt(n int) store.RefusedEntry {
	return store.RefusedEntry{ID: syncproto.ChangeID{byte(n), byte(n >> 8), 7}, Actor: syncproto.ActorID{byte(n), byte(n >> 8), 9}, Seq: 1, Code: syncproto.CodeBadValue}
}

// during proposes first, and while that is being written the others, one after the
// other. It returns when all are decided and only the first is at the journal.
func during(t *testing.T, l *exchange.Ledger, g *gate, first exchange.Decide, others ...exchange.Decide) (answers []chan error) {
	t.Helper()
	for i, decide := range append([]exchange.Decide{first}, others...) {
		decided, answer := make(chan struct{}), make(chan error, 1)
		answers = append(answers, answer)
		go func() {
			_, err := l.Propose(context.Background(), func(tx *store.Tx) ([]store.Entry, error) {
				close(decided)
				return decide(tx)
			})
			answer <- err
		}()
		<-decided
		if i == 0 {
			<-g.reached
		}
	}
	return answers
}

func unanswered(t *testing.T, answers []chan error) {
	t.Helper()
	for i, answer := range answers {
		if len(answer) > 0 {
			t.Errorf("proposal %d was answered (%v) before anything was durable", i, <-answer)
		}
	}
}

// seeing is a Decide that wants to see an entry, and then fails or adds its own.
func seeing(t *testing.T, n int, err error, entries ...store.Entry) exchange.Decide {
	return func(tx *store.Tx) ([]store.Entry, error) {
		if _, missing := tx.Refused(refusedAt(n).ID); missing != nil {
			t.Errorf("entry %d is not seen: %v", n, missing)
		}
		return entries, err
	}
}

func TestNothingIsAnsweredBeforeWhatItRestsOnIsDurable(t *testing.T) {
	b := storetest.Open(t)
	g := &gate{reached: make(chan struct{}), pass: make(chan struct{})}
	l := newLedger(t, b, g, func(err error) { t.Error(err) })
	no := errors.New("refused because of the first")
	answers := during(t, l, g, returns(refusedAt(1)), seeing(t, 1, no), seeing(t, 1, nil), seeing(t, 1, nil, refusedAt(2)), seeing(t, 2, nil))
	unanswered(t, answers)
	g.pass <- struct{}{}
	if err := <-answers[0]; err != nil {
		t.Fatal(err)
	}
	<-g.reached // the second group is at the journal
	unanswered(t, answers[1:])
	g.pass <- struct{}{}
	for i, want := range []error{no, nil, nil, nil} {
		if err := <-answers[1+i]; !errors.Is(err, want) {
			t.Errorf("proposal %d: got %v, want %v", 1+i, err, want)
		}
	}
}

// TestNextGroupIsWrittenWhileTheOneBeforeIsShown holds that a group's sync does not
// wait for the rows of the one before, and its answers do.
func TestNextGroupIsWrittenWhileTheOneBeforeIsShown(t *testing.T) {
	b := storetest.Open(t)
	g := &gate{Journal: b.Journal, reached: make(chan struct{}), pass: make(chan struct{})}
	shown, goOn := make(chan struct{}), make(chan struct{})
	l := exchange.NewLedger(exchange.LedgerConfig{
		Journal: g, Store: b.Store, Now: time.Now, Log: slog.New(slog.NewTextHandler(io.Discard, nil)),
		OnFatal:  func(err error) { t.Error(err) },
		OnCommit: func(exchange.Committed) { shown <- struct{}{}; <-goOn },
	})
	t.Cleanup(l.Close)
	no := errors.New("refused because of the first")
	answers := during(t, l, g, returns(refusedAt(1)), seeing(t, 1, nil, refusedAt(2)), seeing(t, 1, no))
	g.pass <- struct{}{}
	<-shown // the first is in the index, and not answered yet
	<-g.reached
	g.pass <- struct{}{} // the second is in the journal
	unanswered(t, answers)
	goOn <- struct{}{}
	<-shown
	if err := <-answers[0]; err != nil {
		t.Errorf("the first group: %v", err)
	}
	unanswered(t, answers[1:])
	goOn <- struct{}{}
	for i, want := range []error{nil, no} {
		if err := <-answers[1+i]; !errors.Is(err, want) {
			t.Errorf("proposal %d: got %v, want %v", 1+i, err, want)
		}
	}
}

func TestFullDiskTakesBackWhatWasDecidedOnTop(t *testing.T) {
	b := storetest.Open(t)
	g := &gate{reached: make(chan struct{}), pass: make(chan struct{}), fail: fmt.Errorf("appending: %w", journal.ErrFull)}
	l := newLedger(t, b, g, func(err error) { t.Error(err) })
	answers := during(t, l, g, returns(refusedAt(1)), seeing(t, 1, nil, refusedAt(2)), seeing(t, 2, errors.New("refused because of the second")))
	g.pass <- struct{}{}
	for i, answer := range answers {
		if err := <-answer; !errors.Is(err, syncproto.CodeDiskFull) {
			t.Errorf("proposal %d: got %v, want CodeDiskFull", i, err)
		}
	}
	if len(g.appends) != 1 {
		t.Errorf("groups of %v were written, want only the first tried", g.appends)
	}
	g.mu.Lock()
	g.fail = nil
	g.mu.Unlock()
	again := during(t, l, g, func(tx *store.Tx) ([]store.Entry, error) {
		for n := range 3 {
			if _, err := tx.Refused(refusedAt(n).ID); !errors.Is(err, store.ErrNotFound) {
				t.Errorf("entry %d is seen: %v", n, err)
			}
		}
		return []store.Entry{refusedAt(2)}, nil
	})
	g.pass <- struct{}{}
	if err := <-again[0]; err != nil {
		t.Error(err)
	}
	if head, _ := b.Journal.Head(); head != 1 {
		t.Errorf("head: got %d, want 1", head)
	}
}

func TestFailedSyncTakesWhatWasDecidedOnTopWithIt(t *testing.T) {
	b := storetest.Open(t)
	g := &gate{reached: make(chan struct{}), pass: make(chan struct{}), fail: fmt.Errorf("appending: %w", journal.ErrFailed)}
	told := make(chan error, 4)
	l := newLedger(t, b, g, func(err error) { told <- err })
	answers := during(t, l, g, returns(refusedAt(1)), seeing(t, 1, nil, refusedAt(2)), seeing(t, 1, errors.New("refused because of the first")))
	g.pass <- struct{}{}
	for i, answer := range answers {
		if err := <-answer; !errors.Is(err, syncproto.CodeUnavailable) {
			t.Errorf("proposal %d: got %v, want CodeUnavailable", i, err)
		}
	}
	if _, err := l.Propose(context.Background(), returns(refusedAt(3))); !errors.Is(err, syncproto.CodeUnavailable) {
		t.Errorf("after that: got %v, want CodeUnavailable", err)
	}
	if len(told) != 1 || len(g.appends) != 1 {
		t.Errorf("told of %d failures, %d groups were written, want 1 and 1", len(told), len(g.appends))
	}
}

// A process that dies between deciding and syncing leaves nothing of the group that
// was decided, and all of the one before.
func TestClosedWhileAGroupIsDecidedOnTop(t *testing.T) {
	b := storetest.Open(t)
	g := &gate{reached: make(chan struct{}), pass: make(chan struct{})}
	l := newLedger(t, b, g, func(err error) { t.Error(err) })
	answers := during(t, l, g, returns(refusedAt(1)), seeing(t, 1, nil, refusedAt(2)))
	if _, err := b.Store.RecordInfo(syncproto.RecordID{1}); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("reading beside: %v", err)
	}
	err := b.Store.Read(func(r *store.Reader) error {
		for n := 1; n <= 2; n++ {
			if _, err := r.Refused(refusedAt(n).ID); !errors.Is(err, store.ErrNotFound) {
				t.Errorf("a reader sees entry %d before it is durable: %v", n, err)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	closed := make(chan struct{})
	go func() { l.Close(); close(closed) }()
	g.pass <- struct{}{}
	if err := <-answers[0]; err != nil {
		t.Errorf("the group that was being written: %v", err)
	}
	select { // the second may be written before the ledger hears that it is to stop, or not
	case <-g.reached:
		g.pass <- struct{}{}
	case <-closed:
	}
	err = <-answers[1]
	<-closed
	head, _ := b.Journal.Head()
	if want := uint64(2); err == nil && head != want || err != nil && (head != 1 || !errors.Is(err, syncproto.CodeUnavailable)) {
		t.Errorf("the second group: %v, and the journal has %d entries", err, head)
	}
}

// TestOverlapUnderLoad has many propose at once while the journal is full now and
// then, and holds that what was answered as stored is there, at its place, and
// nothing else.
func TestOverlapUnderLoad(t *testing.T) {
	b := storetest.Open(t)
	seed := rand.Uint64()
	g := &gate{}
	l := newLedger(t, b, g, func(err error) { t.Errorf("seed %d: %v", seed, err) })
	stored := make([]uint64, 8*60) // position of each, by its number
	var wait sync.WaitGroup
	for worker := range 8 {
		wait.Go(func() {
			rng := rand.New(rand.NewPCG(seed, uint64(worker)))
			for i := range 60 {
				n := worker*60 + i
				g.mu.Lock()
				if g.fail = nil; rng.IntN(3) == 0 {
					g.fail = journal.ErrFull
				}
				g.mu.Unlock()
				first, err := l.Propose(context.Background(), func(tx *store.Tx) ([]store.Entry, error) {
					if rng.IntN(4) == 0 {
						if _, err := tx.Stage(refusedAt(n)); err != nil {
							return nil, err
						}
						return nil, errors.New("changed its mind")
					}
					return []store.Entry{refusedAt(n)}, nil
				})
				if err == nil {
					stored[n] = first
				}
			}
		})
	}
	wait.Wait()
	count := uint64(0)
	err := b.Store.Read(func(r *store.Reader) error {
		for n, position := range stored {
			ref, err := r.Refused(refusedAt(n).ID)
			if found := err == nil; found != (position > 0) || found && ref.Position != position {
				t.Errorf("seed %d: proposal %d: row at %d (%v), was answered with %d", seed, n, ref.Position, err, position)
			}
			if position > 0 {
				count++
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if head, _ := b.Journal.Head(); head != count || count == 0 {
		t.Errorf("seed %d: the journal has %d entries, %d were answered as stored", seed, head, count)
	}
}
