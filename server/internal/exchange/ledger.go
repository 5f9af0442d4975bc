package exchange

import (
	"context"
	"fmt"
	"log/slog"
	"runtime"
	"runtime/debug"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"doorstep/server/internal/audit"
	"doorstep/server/internal/store"
	"doorstep/server/internal/tracing"
	"doorstep/syncproto"
)

// Journal is where groups of entries become durable. Its errors are those of
// package journal.
type Journal interface {
	// Append writes the payloads with one sync and returns the position of the first.
	Append(payloads [][]byte) (uint64, error)
	// Head returns the last durable position and the digest there.
	Head() (uint64, [32]byte)
}

// Limits of a group: what one write and one index transaction take well, while
// nobody waits long for others' proposals.
const (
	maxGroupProposals = 256
	maxGroupBytes     = 2 << 20
	queueLength       = 1024
)

// LedgerConfig is what NewLedger needs. All fields but OnCommit are required.
type LedgerConfig struct {
	Journal Journal
	Store   *store.Store
	Now     func() time.Time
	Log     *slog.Logger
	// OnFatal is told once when nothing more can be acknowledged: the journal or
	// the index could not be written. The process must end.
	OnFatal func(error)
	// OnCommit is told of each group, after readers see it. It must return at once.
	OnCommit func(Committed)
}

// Committed says what a group brought.
type Committed = store.Committed

// Decide is run alone, with the state as every earlier proposal left it. It may
// stage entries itself, to build on them, and return more. An error, or a panic,
// stores nothing of the proposal. It must be quick: everybody waits. It is run once,
// and what it was told may never become true: see Ledger.
type Decide = func(tx *store.Tx) ([]store.Entry, error)

// Ledger puts proposals into one order and makes them durable. One goroutine takes
// what has queued up and runs each Decide; another writes the group to the journal
// with one sync, then the index, and then answers. While it does, the first decides
// the next group, on top of the one that is being written, and has it written to the
// journal as soon as that one is there: one group's sync and the other's rows in the
// index go on at once.
//
// So what is decided may rest on what is not durable yet. Therefore nothing of a
// group is answered, not even a refusal, before that group and all before it are
// durable and visible; a group goes to the journal only after the one before did; and
// if that one could not, the next is given up with it, unwritten. Who may do what changes only
// between groups: after a control entry nothing is decided until it is committed.
type Ledger struct {
	cfg   LedgerConfig
	queue chan *proposal
	quit  chan struct{}
	done  chan struct{}
	stop  sync.Once

	failed atomic.Bool // nothing is accepted any more
	shut   atomic.Bool // nothing is accepted yet, but by Begin
}

// proposal waits for its turn. Whoever changes its state first decides what
// becomes of it.
type proposal struct {
	decide Decide
	by     audit.Acting
	span   *tracing.Span // nil: nothing is traced
	state  atomic.Int32
	first  uint64
	err    error
	done   chan struct{}
}

const (
	proposalWaits     = 0
	proposalTaken     = 1
	proposalWithdrawn = 2
)

// NewLedger starts the sequencer. Close stops it.
func NewLedger(cfg LedgerConfig) *Ledger {
	l := &Ledger{
		cfg:   cfg,
		queue: make(chan *proposal, queueLength),
		quit:  make(chan struct{}),
		done:  make(chan struct{}),
	}
	go l.run()
	return l
}

// Close lets the group that is being written finish and stops. Proposals that
// wait, and later ones, get CodeUnavailable.
func (l *Ledger) Close() {
	l.stop.Do(func() { close(l.quit) })
	<-l.done
}

// Propose has decide run and returns when what it decided is durable and visible.
// It returns the position of the first entry, 0 if there is none.
//
// decide's own error comes back as it is. CodeDiskFull: nothing was stored, try
// later. CodeUnavailable: the server is stopping, or nobody knows whether it was
// stored; everything here may be proposed again. The context's error: it ended
// while the proposal waited, and nothing was stored.
func (l *Ledger) Propose(ctx context.Context, decide Decide) (uint64, error) {
	if l.shut.Load() {
		return 0, syncproto.CodeDiskFull
	}
	return l.propose(ctx, decide)
}

// Shut has Propose answer CodeDiskFull until Reopen: a start that found no room for
// its first entry, which nothing may come before, has that still to write.
func (l *Ledger) Shut() { l.shut.Store(true) }

// Reopen takes Shut back.
func (l *Ledger) Reopen() { l.shut.Store(false) }

// IsShut reports whether the ledger is shut.
func (l *Ledger) IsShut() bool { return l.shut.Load() }

// Beginning is a ledger for what a start writes: Propose, also while it is shut.
type Beginning struct{ Ledger *Ledger }

// Propose is Ledger.Propose, also while the ledger is shut.
func (b Beginning) Propose(ctx context.Context, decide Decide) (uint64, error) {
	return b.Ledger.propose(ctx, decide)
}

func (l *Ledger) propose(ctx context.Context, decide Decide) (_ uint64, err error) {
	_, span := tracing.Within(ctx, tracing.Order)
	defer func() { span.End(err) }()
	p := &proposal{decide: decide, by: audit.ActingIn(ctx), span: span, done: make(chan struct{})}
	select {
	case l.queue <- p:
	case <-ctx.Done():
		return 0, ctx.Err()
	case <-l.quit:
		return 0, syncproto.CodeUnavailable
	}
	select {
	case <-p.done:
	case <-ctx.Done():
		if p.state.CompareAndSwap(proposalWaits, proposalWithdrawn) {
			return 0, ctx.Err()
		}
		<-p.done // it was taken: the answer comes soon
	case <-l.done:
		select {
		case <-p.done:
		default:
			return 0, syncproto.CodeUnavailable
		}
	}
	return p.first, p.err
}

func (l *Ledger) stage(tx *store.Tx, decide Decide) (err error) {
	defer func() {
		if r := recover(); r != nil {
			l.cfg.Log.Error("a proposal panicked", "panic", panicText(r), "stack", string(debug.Stack()))
			err = syncproto.CodeInternal
		}
	}()
	entries, err := decide(tx)
	for i := 0; i < len(entries) && err == nil; i++ {
		_, err = tx.Stage(entries[i])
	}
	return err
}

// panicText says what a panic was without repeating content: our own "bug:"
// messages and the runtime's errors are free of it.
func panicText(p any) string {
	if s, ok := p.(string); ok && strings.HasPrefix(s, "bug: ") {
		return s
	}
	if err, ok := p.(runtime.Error); ok {
		return err.Error()
	}
	return fmt.Sprintf("%T", p)
}
