package engine

import "doorstep/syncproto"

// chain is one own actor's changes in order. An engine has one chain it writes
// to; chains of actors that were replaced stay, and are offered like it.
type chain struct {
	actor syncproto.ActorID
	links []*link // links[i] has sequence number i+1
}

// link is one own change: where it belongs and what the server said of it.
type link struct {
	actor  syncproto.ActorID
	seq    uint64
	id     syncproto.ChangeID
	family syncproto.FamilyID
	record syncproto.RecordID

	// status is zero until the first receipt. gen says in which generation of
	// the server's journal the receipt was given or found to hold still.
	status     syncproto.ReceiptStatus
	code       syncproto.Code
	durability syncproto.Durability
	position   uint64
	gen        uint64

	purged    bool
	reoffered bool
	uncopied  bool // stored by a server that keeps a second copy, which does not have it yet
	moved     bool // status is a verdict's, not the receipt's
}

// answered reports whether the server, as it is now, has said what became of l.
func (l *link) answered(gen uint64) bool { return l.status != 0 && l.gen == gen }

// shut reports whether l is kept out of the local fold until a verdict says
// otherwise.
func (l *link) shut() bool {
	return l.status == syncproto.StatusRefused || l.status == syncproto.StatusQuarantined
}

// verdict stands in for the server's own verdict on l, which a device that lost
// access may never be sent. A refused change is shut out like a quarantined one:
// nobody else has it, and what is built on it could never be released.
func (l *link) verdict() (syncproto.Verdict, bool) {
	v := syncproto.Verdict{
		Kind:     syncproto.VerdictQuarantine,
		Position: l.position,
		Family:   l.family,
		Record:   l.record,
		Change:   l.id,
		Code:     l.code,
	}
	if l.status == syncproto.StatusLate {
		v.Kind = syncproto.VerdictLate
	}
	return v, l.shut() || l.status == syncproto.StatusLate
}

func (c *chain) tip() syncproto.ChangeID {
	if len(c.links) == 0 {
		return syncproto.ChangeID{}
	}
	return c.links[len(c.links)-1].id
}

func (c *chain) head() syncproto.ChainHead {
	return syncproto.ChainHead{Actor: c.actor, Seq: uint64(len(c.links)), Tip: c.tip()}
}

// agrees reports whether what the server has of the chain is a beginning of it.
func (c *chain) agrees(h syncproto.ChainHead) bool {
	if h.Seq == 0 {
		return true
	}
	return h.Seq <= uint64(len(c.links)) && c.links[h.Seq-1].id == h.Tip
}

func (e *Engine) chain(actor syncproto.ActorID) *chain {
	c := e.chains[actor]
	if c == nil {
		c = &chain{actor: actor}
		e.chains[actor] = c
	}
	return c
}

// adopt makes l the next link of its chain.
func (e *Engine) adopt(c *chain, l *link) {
	c.links = append(c.links, l)
	e.own[l.id] = l
	r := e.record(l.family, l.record)
	r.own = append(r.own, l)
}

func (e *Engine) putLink(w *work, l *link) { w.put(keyLink(l.actor, l.seq), encodeLink(l)) }

// body returns the content of an own change, or nil if it was purged.
func (e *Engine) body(l *link) []byte {
	r := e.records[l.record]
	if r == nil || l.purged {
		return nil
	}
	return r.body(l.id)
}

// wanted reports whether the server still has to be offered l.
func (e *Engine) wanted(l *link) bool { return !l.purged && !l.answered(e.meta.gen) }

// outcome is what the server said of a change, in a receipt or a verdict.
type outcome struct {
	status     syncproto.ReceiptStatus
	code       syncproto.Code
	durability syncproto.Durability
	position   uint64
	uncopied   bool
	moved      bool // it is a verdict's
}

// receive takes in the server's word on an own change, and tells its user what
// is new. Of two words in one generation the later in the journal counts: an
// old receipt told again does not undo a verdict.
func (e *Engine) receive(w *work, l *link, o outcome) {
	stale := l.gen == e.meta.gen && l.status != 0 && o.position < l.position
	if stale {
		o.status, o.code, o.position, o.moved = l.status, l.code, l.position, l.moved
	}
	if l.gen == e.meta.gen {
		o.durability = max(o.durability, l.durability)
	}
	o.uncopied = o.uncopied && o.durability < syncproto.DurabilityCopied && !l.safe() // else Spare has dropped it
	if (outcome{l.status, l.code, l.durability, l.position, l.uncopied, l.moved}) == o && l.gen == e.meta.gen {
		return
	}
	news := l.status != o.status || l.code != o.code
	if news {
		e.settle(w, e.record(l.family, l.record))
	}
	l.status, l.code, l.durability, l.position = o.status, o.code, o.durability, o.position
	l.uncopied, l.moved, l.gen = o.uncopied, o.moved, e.meta.gen
	e.putLink(w, l)
	if news {
		e.record(l.family, l.record).forget()
		w.note(Note{Kind: receiptNote(o.status), Family: l.family, Record: l.record, Change: l.id, Code: o.code})
		w.note(Note{Kind: NoteRecord, Family: l.family, Record: l.record})
	}
}

func receiptNote(s syncproto.ReceiptStatus) NoteKind {
	switch s {
	case syncproto.StatusHeld:
		return NoteHeld
	case syncproto.StatusQuarantined:
		return NoteQuarantined
	case syncproto.StatusLate:
		return NoteLate
	case syncproto.StatusRefused:
		return NoteRefused
	}
	return NoteReceived
}
