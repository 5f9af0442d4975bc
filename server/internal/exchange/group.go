package exchange

import (
	"errors"
	"fmt"

	"doorstep/server/internal/journal"
	"doorstep/server/internal/store"
	"doorstep/syncproto"
)

// group is proposals that are written with one sync.
type group struct {
	tx      *store.Tx
	answers []answer
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
		p = l.next(g, before)
	}
	if before != nil {
		<-before.done
		g.err = onTopOf(before.err)
	}
	if l.failed != nil {
		g.err = syncproto.CodeUnavailable
	}
	if g.err != nil || len(g.tx.Payloads()) == 0 {
		g.tx.Discard()
		g.answer()
		return nil
	}
	go l.write(g)
	if g.tx.HasControl() {
		<-g.done
		return nil
	}
	return g
}

// begin opens a group, on top of the one before unless that is over.
func (l *Ledger) begin(before *group) *group {
	g := &group{done: make(chan struct{})}
	now := l.cfg.Now().UnixMilli()
	if before == nil || before.over() {
		g.tx = l.cfg.Store.Begin(now)
	} else {
		g.tx = l.cfg.Store.BeginAfter(before.tx, now)
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

// next takes another proposal into a group: while the group before is being
// written, as many as come, and then those that wait already. It returns nil when
// the group is complete.
func (l *Ledger) next(g, before *group) *proposal {
	if len(g.answers) >= maxGroupProposals || g.tx.Size() >= maxGroupBytes || g.tx.HasControl() {
		return nil
	}
	select {
	case p := <-l.queue:
		return p
	default:
	}
	if before == nil {
		return nil
	}
	select {
	case p := <-l.queue:
		return p
	case <-before.done:
		return nil
	}
}

// decide runs a proposal's Decide. What it answers has to wait: it may rest on what
// was staged before.
func (l *Ledger) decide(g *group, p *proposal) {
	first := g.tx.Next()
	g.tx.SetActing(p.by)
	err := l.stage(g.tx, p.decide)
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

// answer ends a group.
func (g *group) answer() {
	for _, a := range g.answers {
		if g.err != nil {
			a.err = g.err
		}
		a.to.answer(a.err)
	}
	close(g.done)
}

// write makes a group durable, then visible, and answers.
func (l *Ledger) write(g *group) {
	defer g.tx.Discard()
	g.err = l.commit(g.tx)
	g.answer()
}

func (l *Ledger) commit(tx *store.Tx) error {
	first, err := l.cfg.Journal.Append(tx.Payloads())
	switch {
	case errors.Is(err, journal.ErrFull):
		l.cfg.Log.Error("the disk is full: nothing is accepted until there is room", "reason", err.Error())
		return syncproto.CodeDiskFull
	case errors.Is(err, journal.ErrTooLarge):
		l.cfg.Log.Error("a group is too large for the journal", "reason", err.Error())
		return syncproto.CodeTooLarge
	case err != nil:
		return l.fail(fmt.Errorf("writing the journal: %w", err))
	case first != tx.First():
		return l.fail(fmt.Errorf("bug: the journal put a group at %d that was ordered at %d", first, tx.First()))
	}
	_, digest := l.cfg.Journal.Head()
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
	l.failed = err
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
