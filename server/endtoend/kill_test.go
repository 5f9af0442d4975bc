package endtoend

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"doorstep/client-sdk/device"
	"doorstep/client-sdk/engine"
	"doorstep/syncproto"
	"doorstep/syncproto/frame"
)

// How often the real server is killed, and the seed of when: -kills=1000
// -kills.seed=7 goes on for as long as anybody likes.
var (
	killCount = flag.Int("kills", 0, "times to kill the server in TestFault77KillTheRealServer (default 100, with -short 10)")
	killSeed  = flag.Uint64("kills.seed", 0, "seed of the moments to kill at; 0: 1 or, with -kills.record, the next")
)

// Devices that push, and families that they share two by two.
const (
	loadDevices  = 8
	loadFamilies = 4
)

// TestFault77KillTheRealServer kills the server process again and again while
// eight devices push, and looks after each start for every change that a device
// holds a receipt for.
func TestFault77KillTheRealServer(t *testing.T) {
	t.Parallel()
	kills := *killCount
	if kills == 0 {
		kills = 100
		if testing.Short() {
			kills = 10
		}
	}
	began, seed := time.Now(), seedOf(t, theServer)
	auditor := loadDevices // works with all families
	p, l := newProcess(t, caseload{workers: loadDevices + 1, families: loadFamilies,
		works: func(n, f int) bool { return n == auditor || f == n%loadFamilies || f == (n+1)%loadFamilies }})
	h := newHerd(t, p, seed)
	audit := newAudit(p, newTablet(t, p, auditor, 99), h)
	h.graze()
	chance := rand.New(rand.NewPCG(seed, 77))
	for n := range kills {
		l = killOnce(p, l, audit, chance)
		h.generation.Store(int64(n))
	}
	h.settle()
	last := audit.check()
	t.Logf("%d kills (seed %d) under %d devices: %d changes written, %d receipts, %d changes acknowledged, all there once; %d epochs; %.1f s",
		kills, seed, loadDevices, len(h.wrote()), h.receipts.Load(), last, h.epochs(), time.Since(began).Seconds())
	if last < kills {
		t.Errorf("only %d changes were acknowledged under %d kills: the load was no load", last, kills)
	}
	fresh := audit.tablet
	fresh.syncs()
	p.end(l, syscall.SIGTERM)
	h.wantAgreement(openData(t, p.cfg), fresh)
	record(t, killed{theServer, seed, kills, last})
}

// killOnce kills the server at a random moment, most often while it serves,
// now and then while it starts, and returns its next life, in which all that was
// acknowledged was found.
func killOnce(p *process, l *life, audit *audit, chance *rand.Rand) *life {
	p.t.Helper()
	<-time.After(time.Duration(chance.IntN(60_000)) * time.Microsecond) // the fault, not a wait for something
	p.end(l, syscall.SIGKILL)
	for chance.IntN(5) == 0 {
		l = p.begin()
		<-time.After(time.Duration(chance.IntN(120_000)) * time.Microsecond)
		p.end(l, syscall.SIGKILL)
	}
	l = p.begin()
	p.serving(l)
	audit.check()
	return l
}

// herd is the devices that push, what they wrote and what was acknowledged.
type herd struct {
	t          *testing.T
	p          *process
	tablets    []*tablet
	families   [][]syncproto.FamilyID // of each tablet
	generation atomic.Int64           // grows with the kills, so that records stay small
	receipts   atomic.Int64

	cancel context.CancelFunc
	ended  sync.WaitGroup

	mu     sync.Mutex
	acked  map[syncproto.ChangeID]bool // guarded by mu
	words  map[syncproto.ChangeID]word // guarded by mu; each written change
	epoch  map[syncproto.Epoch]bool    // guarded by mu
	copies copies                      // guarded by mu
	lossy  bool                        // the server loses what others' words build on
	failed error                       // guarded by mu
}

// word is what one change says, unlike any other.
type word struct {
	record syncproto.RecordID
	text   string
}

func newHerd(t *testing.T, p *process, seed uint64) *herd {
	h := &herd{t: t, p: p, acked: map[syncproto.ChangeID]bool{}, words: map[syncproto.ChangeID]word{}, epoch: map[syncproto.Epoch]bool{}}
	for n := range loadDevices {
		b := newTablet(t, p, n, seed*100+uint64(n))
		b.syncs()
		families := b.families()
		if len(families) != 2 {
			t.Fatalf("%s works with %d families, want 2", b.login, len(families))
		}
		h.families = append(h.families, families)
		closing(t, b.Close)
		b.store = b.store.Reopen()
		b.open(&witness{Client: b.client(), herd: h})
		h.tablets = append(h.tablets, b)
	}
	return h
}

// witness reads every reply that reaches a device.
type witness struct {
	*device.Client
	herd *herd
}

// Sync implements device.Transport.
func (w *witness) Sync(ctx context.Context, wire []byte) ([]byte, error) {
	answer, err := w.Client.Sync(ctx, wire)
	if err != nil {
		return nil, err
	}
	signed, err := frame.Unwrap(answer)
	if err != nil {
		return nil, err
	}
	payload, _, err := syncproto.DecodeSignedReply(signed)
	if err != nil {
		return nil, err
	}
	reply, err := syncproto.DecodeReply(payload)
	if err != nil {
		return nil, err
	}
	w.herd.noteReply(reply)
	return answer, nil
}

func (h *herd) noteReply(reply *syncproto.SyncReply) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.epoch[reply.Epoch] = true
	h.copies.note(reply)
	for _, rc := range reply.Receipts {
		h.receipts.Add(1)
		if rc.Status != syncproto.StatusAccepted && !(h.lossy && rc.Status == syncproto.StatusHeld) {
			h.failed = errors.Join(h.failed, fmt.Errorf("change %s: status %d, %w", rc.Change, rc.Status, rc.Code))
		}
		if rc.Durability >= syncproto.DurabilityStored {
			h.acked[rc.Change] = true
		}
	}
}

// graze lets every device write and sync until settle.
func (h *herd) graze() {
	ctx, cancel := context.WithCancel(context.Background())
	h.cancel = cancel
	for n, b := range h.tablets {
		h.ended.Go(func() {
			for turn := 0; ctx.Err() == nil; turn++ {
				if err := h.write(b, n, turn); err != nil {
					h.mu.Lock()
					h.failed = errors.Join(h.failed, err)
					h.mu.Unlock()
					return
				}
				if _, err := b.Sync(ctx); err != nil {
					select { // the server is gone: that is what this is about
					case <-h.p.served():
					case <-ctx.Done():
					}
				}
			}
		})
	}
	h.t.Cleanup(func() { cancel(); h.ended.Wait() })
}

// write adds a word to a visit that two to four devices write at the same time.
func (h *herd) write(b *tablet, n, turn int) error {
	family := h.families[n][turn%2]
	var record syncproto.RecordID
	copy(record[:], family[:8])
	copy(record[8:], fmt.Sprintf("%08d", h.generation.Load()/4))
	text := fmt.Sprintf("<%d.%d>", n, turn)
	id, err := b.Edit(engine.Edit{Family: family, Record: record, Kind: "visit", Ops: []syncproto.Op{write("household_summary", 0, text)}})
	if err != nil {
		return fmt.Errorf("%s writes: %w", b.login, err)
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.words[id] = word{record, text}
	return nil
}

// settle ends the writing and lets everybody sync until all have everything.
func (h *herd) settle() {
	h.t.Helper()
	h.cancel()
	h.ended.Wait()
	for range 2 { // what the last pushed reaches the first in the second round
		for _, b := range h.tablets {
			b.syncs()
		}
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.failed != nil {
		h.t.Fatal(h.failed)
	}
}

func (h *herd) ackedSoFar() map[syncproto.ChangeID]bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return maps.Clone(h.acked)
}

func (h *herd) wrote() map[syncproto.ChangeID]word {
	h.mu.Lock()
	defer h.mu.Unlock()
	return maps.Clone(h.words)
}

func (h *herd) epochs() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.epoch)
}

// wantAgreement checks that every device, a fresh one and the stopped server
// have the same bytes, and that every word that was written stands there once.
func (h *herd) wantAgreement(data onDisk, fresh *tablet) {
	h.t.Helper()
	wantSame(h.t, data, fresh)
	whole := fresh.folds()
	for _, b := range h.tablets {
		b.wantEmptyOutbox()
		b.wantAccepted()
		here := b.folds()
		for record, fold := range here {
			if whole[record] != fold {
				h.t.Errorf("%s and a fresh device disagree on record %s", b.login, record)
			}
		}
	}
	wrote := h.wrote()
	for id := range h.ackedSoFar() {
		if _, ours := wrote[id]; !ours {
			h.t.Errorf("a receipt came for change %s, which nobody wrote", id)
		}
	}
	texts := map[syncproto.RecordID]string{}
	for id, w := range wrote {
		if _, ok := texts[w.record]; !ok {
			v, err := fresh.View(w.record)
			if err != nil {
				h.t.Fatal(err)
			}
			f, _ := v.Field("household_summary")
			texts[w.record] = f.Text
		}
		if n := strings.Count(texts[w.record], w.text); n != 1 {
			h.t.Errorf("the word of change %s stands %d times in record %s", id, n, w.record)
		}
	}
}

// audit is a reader of all families who begins from nothing each time.
type audit struct {
	tablet *tablet
	wire   *wire
	herd   *herd
}

func newAudit(p *process, b *tablet, h *herd) *audit { return &audit{b, newWire(p, b), h} }

// check reads the whole feed and wants every change that was acknowledged before
// to be in it, and none twice. It returns how many were.
func (a *audit) check() int {
	t := a.wire.t
	t.Helper()
	acked := a.herd.ackedSoFar()
	items, err := a.wire.feed(t.Context())
	if errors.Is(err, syncproto.CodeUnauthenticated) { // a long run outlives a token
		a.wire.signIn()
		items, err = a.wire.feed(t.Context())
	}
	if err != nil {
		t.Fatalf("reading the feed after a start: %v", err)
	}
	times := changesOf(items)
	for id, n := range times {
		if n > 1 {
			t.Errorf("change %s is there %d times", id, n)
		}
	}
	for id := range acked {
		if times[id] == 0 {
			t.Errorf("change %s was acknowledged and is gone", id)
		}
	}
	if t.Failed() {
		t.FailNow()
	}
	return len(acked)
}
