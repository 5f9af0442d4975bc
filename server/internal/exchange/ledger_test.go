package exchange_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"runtime"
	"sync"
	"testing"
	"time"

	"doorstep/server/internal/exchange"
	"doorstep/server/internal/journal"
	"doorstep/server/internal/store"
	"doorstep/server/internal/store/storetest"
	"doorstep/syncproto"
)

// gate is a journal that can be made to wait and to fail.
type gate struct {
	exchange.Journal
	mu      sync.Mutex // guards the rest
	fail    error
	appends []int // payloads of each
	reached chan struct{}
	pass    chan struct{}
}

func (g *gate) Append(payloads [][]byte) (uint64, error) {
	if g.reached != nil {
		g.reached <- struct{}{}
		<-g.pass
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.appends = append(g.appends, len(payloads))
	if g.fail != nil {
		return 0, g.fail
	}
	return g.Journal.Append(payloads)
}

func newLedger(t testing.TB, b *storetest.Borough, g *gate, fatal func(error)) *exchange.Ledger {
	g.Journal = b.Journal
	l := exchange.NewLedger(exchange.LedgerConfig{
		Journal: g, Store: b.Store, Now: time.Now, Log: slog.New(slog.NewTextHandler(io.Discard, nil)), OnFatal: fatal,
	})
	t.Cleanup(l.Close)
	return l
}

// queued returns once so many proposals wait for their turn.
func queued(l *exchange.Ledger, n int) {
	for l.Waiting() < n {
		runtime.Gosched()
	}
}

func ref(n int) store.Entry {
	return store.RefEntry{Kind: "person", Ref: fmt.Sprint(n), ID: syncproto.ID{byte(n)}}
}

// tip is an entry that is no control entry.
func tip(n int) store.Entry {
	return store.TipEntry{Actor: syncproto.ActorID{byte(n)}, Count: 1, Signature: make([]byte, 64)}
}

func returns(entries ...store.Entry) exchange.Decide {
	return func(*store.Tx) ([]store.Entry, error) { return entries, nil }
}

func TestProposalsThatWaitShareOneSync(t *testing.T) {
	b := storetest.Open(t)
	g := &gate{reached: make(chan struct{}), pass: make(chan struct{})}
	l := newLedger(t, b, g, func(err error) { t.Error(err) })
	propose := func(done chan<- uint64, n int) {
		first, err := l.Propose(context.Background(), returns(tip(n), tip(n)))
		if err != nil {
			t.Error(err)
		}
		done <- first
	}
	first, rest := make(chan uint64, 1), make(chan uint64, 20)
	go propose(first, 0)
	<-g.reached // the first group is being written
	var decided sync.WaitGroup
	decided.Add(20)
	for n := range 20 {
		go func() {
			position, err := l.Propose(context.Background(), func(*store.Tx) ([]store.Entry, error) {
				decided.Done()
				return []store.Entry{tip(n), tip(n)}, nil
			})
			if err != nil {
				t.Error(err)
			}
			rest <- position
		}()
	}
	decided.Wait()
	if len(rest) > 0 {
		t.Error("a proposal is answered before the group before it is written")
	}
	g.pass <- struct{}{}
	<-first
	<-g.reached
	g.pass <- struct{}{}
	seen := map[uint64]bool{}
	for range 20 {
		seen[<-rest] = true
	}
	if len(seen) != 20 {
		t.Errorf("positions: got %v, want 20 different", seen)
	}
	if len(g.appends) != 2 || g.appends[0] != 2 || g.appends[1] != 40 {
		t.Errorf("groups: got %v, want [2 40]", g.appends)
	}
}

func TestControlEntryEndsItsGroup(t *testing.T) {
	b := storetest.Open(t)
	g := &gate{reached: make(chan struct{}), pass: make(chan struct{})}
	l := newLedger(t, b, g, func(err error) { t.Error(err) })
	var wait sync.WaitGroup
	wait.Go(func() {
		if _, err := l.Propose(context.Background(), returns(ref(3))); err != nil {
			t.Error(err)
		}
	})
	<-g.reached
	decided := 0 // the sequencer's
	for n := range 3 {
		wait.Go(func() {
			_, err := l.Propose(context.Background(), func(tx *store.Tx) ([]store.Entry, error) {
				seen := 0
				for i := range 3 {
					if _, ok := tx.State().Ref("person", fmt.Sprint(i)); ok {
						seen++
					}
				}
				if seen != decided {
					t.Errorf("decided with %d of %d control entries in sight", seen, decided)
				}
				decided++
				return []store.Entry{ref(n)}, nil
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
	queued(l, 3)
	for range 3 {
		g.pass <- struct{}{}
		<-g.reached
	}
	g.pass <- struct{}{}
	wait.Wait()
	for _, n := range g.appends {
		if n != 1 {
			t.Errorf("groups: got %v, want one entry each", g.appends)
		}
	}
}

func TestRefusedProposalHarmsNoOther(t *testing.T) {
	w, family, ada := case1(t)
	ada.fill(family, 1)
	head, _ := w.b.Journal.Head()
	refusal := errors.New("not today")
	faults := map[string]struct {
		decide exchange.Decide
		want   error
	}{
		"error":            {func(*store.Tx) ([]store.Entry, error) { return nil, refusal }, refusal},
		"late error":       {func(tx *store.Tx) ([]store.Entry, error) { tx.Stage(tip(1)); return nil, refusal }, refusal},
		"panic":            {func(tx *store.Tx) ([]store.Entry, error) { tx.Stage(tip(1)); panic("bug: test") }, syncproto.CodeInternal},
		"panic with words": {func(*store.Tx) ([]store.Entry, error) { panic(errors.New("Mum said so")) }, syncproto.CodeInternal},
		"bad entry": {returns(tip(1), store.VerdictEntry{Verdict: syncproto.Verdict{Kind: syncproto.VerdictAdmit}}),
			store.ErrNotFound},
	}
	for name, f := range faults {
		if _, err := w.ledger.Propose(context.Background(), f.decide); !errors.Is(err, f.want) {
			t.Errorf("%s: got %v, want %v", name, err, f.want)
		}
	}
	if !w.log.has("a proposal panicked", "bug: test") || w.log.has("Mum said so") {
		t.Error("the log must tell of a panic, and repeat nothing but our own words")
	}
	if now, _ := w.b.Journal.Head(); now != head {
		t.Errorf("refused proposals stored %d entries", now-head)
	}
	if first := w.commit(tip(2)); first != head+1 {
		t.Errorf("the next entry: got position %d, want %d", first, head+1)
	}
}

func TestFullDiskStoresNothingAndPasses(t *testing.T) {
	b := storetest.Open(t)
	g := &gate{fail: fmt.Errorf("appending: %w", journal.ErrFull)}
	l := newLedger(t, b, g, func(err error) { t.Error(err) })
	if _, err := l.Propose(context.Background(), returns(ref(1))); !errors.Is(err, syncproto.CodeDiskFull) {
		t.Fatalf("got %v, want CodeDiskFull", err)
	}
	if _, ok := b.Store.State().Ref("person", "1"); ok {
		t.Error("readers see what the disk had no room for")
	}
	g.mu.Lock()
	g.fail = nil
	g.mu.Unlock()
	if first, err := l.Propose(context.Background(), returns(ref(2))); err != nil || first != 1 {
		t.Errorf("after room was made: got %d, %v", first, err)
	}
}

func TestFailedJournalAcknowledgesNothingMore(t *testing.T) {
	b := storetest.Open(t)
	g := &gate{fail: fmt.Errorf("appending: %w", journal.ErrFailed)}
	told := make(chan error, 1)
	l := newLedger(t, b, g, func(err error) { told <- err })
	for range 2 {
		if _, err := l.Propose(context.Background(), returns(tip(1))); !errors.Is(err, syncproto.CodeUnavailable) {
			t.Fatalf("got %v, want CodeUnavailable", err)
		}
	}
	if err := <-told; !errors.Is(err, journal.ErrFailed) {
		t.Errorf("OnFatal: got %v", err)
	}
	if len(g.appends) != 1 {
		t.Errorf("the journal was written to %d times", len(g.appends))
	}
}

func TestWithdrawnProposalStoresNothing(t *testing.T) {
	b := storetest.Open(t)
	g := &gate{reached: make(chan struct{}), pass: make(chan struct{})}
	l := newLedger(t, b, g, func(err error) { t.Error(err) })
	first := make(chan error, 1)
	go func() {
		_, err := l.Propose(context.Background(), returns(ref(0))) // nothing is decided until it is written
		first <- err
	}()
	<-g.reached
	ctx, cancel := context.WithCancel(context.Background())
	second := make(chan error, 1)
	go func() {
		_, err := l.Propose(ctx, returns(tip(1)))
		second <- err
	}()
	queued(l, 1)
	cancel()
	if err := <-second; !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want context.Canceled", err)
	}
	g.pass <- struct{}{}
	if err := <-first; err != nil {
		t.Error(err)
	}
	l.Close()
	if head, _ := b.Journal.Head(); head != 1 {
		t.Errorf("head: got %d, want 1", head)
	}
	if _, err := l.Propose(context.Background(), returns(tip(2))); !errors.Is(err, syncproto.CodeUnavailable) {
		t.Errorf("after Close: got %v, want CodeUnavailable", err)
	}
}

func TestHubWakesWhomItConcerns(t *testing.T) {
	w, family, ada := case1(t)
	stranger := w.person("practitioner")
	listen := func(user syncproto.UserID) <-chan struct{} {
		wake, cancel, err := w.hub.Subscribe(user)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(cancel)
		return wake
	}
	hers, theirs := listen(ada.user), listen(stranger)
	ada.fill(family, 3)
	ada.fill(family, 3)
	if len(hers) != 1 || len(theirs) != 0 {
		t.Errorf("after news: %d and %d wake-ups, want 1 and 0", len(hers), len(theirs))
	}
	<-hers
	w.relate(stranger, family, "CO")
	if len(hers) != 0 || len(theirs) != 1 {
		t.Errorf("after a grant: %d and %d wake-ups, want 0 and 1", len(hers), len(theirs))
	}
	<-theirs
	w.part(stranger, family, "CO")
	if len(theirs) != 1 {
		t.Error("a revocation wakes nobody")
	}
	for range 40 {
		_, cancel, err := w.hub.Subscribe(stranger)
		if errors.Is(err, syncproto.CodeTooMany) {
			return
		}
		defer cancel()
	}
	t.Error("there is no limit to one person's streams")
}

// BenchmarkLedger measures proposals of one 4 KB change each, 64 at once.
func BenchmarkLedger(b *testing.B) {
	w, family, ada := case1(b)
	entries := make(chan store.ChangeEntry, b.N)
	long := make([]byte, 4096)
	for range b.N {
		c := ada.write(edit{family: family, record: newID[syncproto.RecordID](w), ops: place("HOME")})
		if err := w.b.Keys.Ensure([]store.KeyPair{{Family: family, Record: c.Body.Record}}); err != nil {
			b.Fatal(err)
		}
		entries <- store.ChangeEntry{
			ID: c.ID, Prev: c.Prev, Record: c.Body.Record, Family: family, Kind: "visit", Actor: ada.actor,
			Seq: c.Body.Seq, Author: ada.user, Device: ada.device, Status: accepted, Sealed: long,
		}
	}
	b.SetParallelism(32)
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if _, err := w.ledger.Propose(context.Background(), returns(<-entries)); err != nil {
				b.Error(err)
			}
		}
	})
}

// BenchmarkPush measures the full path below HTTP: batches of 64 changes with
// narratives of 4 KB, signed, checked, sealed, synced, indexed.
func BenchmarkPush(b *testing.B) {
	w, family, ada := case1(b)
	words := make([]byte, 4096)
	for i := range words {
		words[i] = "It was quiet at home. "[i%22]
	}
	var requests []*syncproto.SyncRequest
	for range b.N {
		var run []*syncproto.Change
		for range 64 {
			run = append(run, ada.write(edit{family: family, record: newID[syncproto.RecordID](w), ops: narrative(string(words))}))
		}
		requests = append(requests, ada.request(ada.batch(run...)))
	}
	caller := ada.caller()
	caller.CustodyOnly = true // no pull
	b.ResetTimer()
	for _, q := range requests {
		reply, err := w.x.Sync(context.Background(), caller, q)
		if err != nil || reply.Receipts[0].Status != accepted {
			b.Fatalf("got %+v, %v", reply, err)
		}
	}
	b.ReportMetric(float64(64*b.N)/b.Elapsed().Seconds(), "changes/s")
}
