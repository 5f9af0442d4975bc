package exchange

import (
	"errors"
	"fmt"

	"doorstep/server/internal/journal"
	"doorstep/server/internal/store"
	"doorstep/server/internal/tracing"
	"doorstep/syncproto"
)

// group is proposals that are written with one sync.
type group struct {
	tx      *store.Tx
	before  *group // the one that it was decided on top of; nil: that is over
	answers []answer
	traced  tracing.Spans // of its proposals
	written chan struct{} // closed once the journal has it, or never will
	lost    error         // valid then: why the journal does not have it
	done    chan struct{} // closed once all are answered
	err     error         // valid then: why nothing of it is stored
}

// answer is what a proposal is told once all that it may rest on is durable.
type answer struct {
	to  *proposal
	err error // of its Decide
}

func (l *Ledger) run() {
	defer close(l.done)
	var before *group // the one that is being written, if any
	for {
		select {
		case <-l.quit:
			if before != nil {
				<-before.done
			}
			return
		case p := <-l.queue:
			before = l.gather(p, before)
		}
	}
}

// gather decides a group that begins with p and has it written. It returns the
// group if that is being written still.
func (l *Ledger) gather(p *proposal, before *group) *group {
	g := l.begin(before)
	for p != nil {
		if p.state.CompareAndSwap(proposalWaits, proposalTaken) {
			l.decide(g, p)
		}
		p = l.next(g)
	}
	if g.before != nil {
		<-before.written
		g.err = onTopOf(before.lost)
	}
	if l.failed.Load() {
		g.err = syncproto.CodeUnavailable
	}
	if g.err != nil || len(g.tx.Payloads()) == 0 {
		g.end()
		return nil
	}
	go l.write(g, g.before)
	if g.tx.HasControl() {
		<-g.done
		return nil
	}
	return g
}

// begin opens a group, on top of the one before unless that is over. The one before
// that has to be: a group rests on one that is not committed, not on two.
func (l *Ledger) begin(before *group) *group {
	g := &group{written: make(chan struct{}), done: make(chan struct{})}
	if before != nil && before.before != nil {
		<-before.before.done
		before.before = nil
	}
	now := l.cfg.Now().UnixMilli()
	if before == nil || before.over() {
		g.tx = l.cfg.Store.Begin(now)
	} else {
		g.tx, g.before = l.cfg.Store.BeginAfter(before.tx, now), before
	}
	return g
}

func (g *group) over() bool {
	select {
	case <-g.done:
		return true
	default:
		return false
	}
}

// next takes another proposal into a group: while the group before is on its way to
// the journal, as many as come, and then those that wait already. It returns nil when
// the group is complete.
func (l *Ledger) next(g *group) *proposal {
	if len(g.answers) >= maxGroupProposals || g.tx.Size() >= maxGroupBytes || g.tx.HasControl() {
		return nil
	}
	select {
	case p := <-l.queue:
		return p
	default:
	}
	if g.before == nil {
		return nil
	}
	select {
	case p := <-l.queue:
		return p
	case <-g.before.written:
		return nil
	}
}

// decide runs a proposal's Decide. What it answers has to wait: it may rest on what
// was staged before.
func (l *Ledger) decide(g *group, p *proposal) {
	first := g.tx.Next()
	g.tx.SetActing(p.by)
	span := p.span.Inside(tracing.Decide)
	err := l.stage(g.tx, p.decide)
	span.Count(tracing.Entries, int(g.tx.Next()-first))
	span.End(err)
	g.traced.Add(p.span)
	if err != nil {
		g.tx.Drop()
	} else if g.tx.Next() > first {
		g.tx.Keep()
		p.first = first
	}
	g.answers = append(g.answers, answer{p, err})
}

// onTopOf is what a group is told that was decided on top of one that met err.
func onTopOf(err error) error {
	if err == nil || errors.Is(err, syncproto.CodeDiskFull) {
		return err
	}
	return syncproto.CodeUnavailable // may be proposed again
}

// end answers a group of which nothing is written, once what it rests on is settled.
func (g *group) end() {
	if g.before != nil {
		<-g.before.done
		if g.err == nil {
			g.err = onTopOf(g.before.err)
		}
	}
	close(g.written)
	g.tx.Discard()
	g.answer()
}

// answer tells all of a group what became of it.
func (g *group) answer() {
	for _, a := range g.answers {
		if g.err != nil {
			a.err = g.err
		}
		a.to.answer(a.err)
	}
	close(g.done)
}

// write makes a group durable, then visible, and answers. The next one may be made
// durable meanwhile, but is visible and answered after it.
func (l *Ledger) write(g, before *group) {
	defer g.tx.Discard()
	spans := g.traced.Inside(tracing.Journal)
	digest, err := l.append(g.tx)
	spans.Count(tracing.Entries, len(g.tx.Payloads()))
	spans.Count(tracing.Bytes, g.tx.Size())
	spans.End(err)
	g.lost = err
	close(g.written)
	if before != nil {
		<-before.done
		if err == nil {
			err = onTopOf(before.err)
		}
	}
	if err == nil {
		spans = g.traced.Inside(tracing.Index)
		err = l.show(g.tx, digest)
		spans.End(err)
	}
	g.err = err
	g.answer()
}

// append makes a group durable and returns the journal's digest after it.
func (l *Ledger) append(tx *store.Tx) (digest [32]byte, err error) {
	first, err := l.cfg.Journal.Append(tx.Payloads())
	switch {
	case errors.Is(err, journal.ErrFull):
		l.cfg.Log.Error("the disk is full: nothing is accepted until there is room", "reason", err.Error())
		return digest, syncproto.CodeDiskFull
	case errors.Is(err, journal.ErrTooLarge):
		l.cfg.Log.Error("a group is too large for the journal", "reason", err.Error())
		return digest, syncproto.CodeTooLarge
	case err != nil:
		return digest, l.fail(fmt.Errorf("writing the journal: %w", err))
	case first != tx.First():
		return digest, l.fail(fmt.Errorf("bug: the journal put a group at %d that was ordered at %d", first, tx.First()))
	}
	_, digest = l.cfg.Journal.Head()
	return digest, nil
}

// show makes a group visible.
func (l *Ledger) show(tx *store.Tx, digest [32]byte) error {
	committed, err := tx.Commit(digest)
	if err != nil {
		return l.fail(err)
	}
	if l.cfg.OnCommit != nil {
		l.cfg.OnCommit(committed)
	}
	return nil
}

// fail stops everything: what is on the disk is known after the next start.
func (l *Ledger) fail(err error) error {
	l.failed.Store(true)
	l.cfg.Log.Error("the ledger has failed", "reason", err.Error())
	l.cfg.OnFatal(err)
	return syncproto.CodeUnavailable
}

func (p *proposal) answer(err error) {
	p.err = err
	if err != nil {
		p.first = 0
	}
	close(p.done)
}
