package engine

import (
	"slices"

	"doorstep/syncproto"
)

// Reply takes in the server's answer, a signed reply as it came out of its
// frame. chance becomes the new actor if this one turns out to exist twice.
//
// A reply to another request, or one told twice, changes nothing and gives no
// effects. It fails with CodeBadSignature or a decoding code, and nothing has
// changed then: pass it to Failed.
func (e *Engine) Reply(now Time, signed []byte, chance Chance) ([]Effect, error) {
	payload, signature, err := syncproto.DecodeSignedReply(signed)
	if err != nil {
		return nil, err
	}
	if !e.verify.Reply(syncproto.ReplyMessage(e.id.Device, payload), signature) {
		return nil, syncproto.CodeBadSignature
	}
	reply, err := syncproto.DecodeReply(payload)
	if err != nil {
		return nil, err
	}
	if e.flight == nil || !e.flight.sent || e.flight.request != reply.Request {
		return nil, nil
	}
	f, fails := e.flight, e.fails
	e.flight, e.fails = nil, 0
	e.meta.purged = e.meta.purged[f.purged:]
	w := newWork()
	t := &telling{engine: e, work: w, reply: reply, touched: map[syncproto.RecordID]bool{}}
	t.checkClock(now.sane())
	t.comparing = e.checkEpoch(w, reply)
	t.receipts()
	t.chains(chance)
	t.items()
	t.copied()
	t.cursor()
	t.checkLog(f)
	e.putMeta(w)
	t.tell()
	effects := append(w.effects(), e.finishLeaving()...)
	if t.unanswered {
		e.fails = min(fails+1, 16)
		return append(effects, Schedule{AfterMS: e.delay(Failure{}, chance)}), nil
	}
	return append(effects, Schedule{AfterMS: e.next(reply, f, chance)}), nil
}

// next says when to sync again: at once while either side has more and the
// last request got something across. Receipts of purges are told at once; if the
// server asks again for what it was just told, there is no hurry.
func (e *Engine) next(reply *syncproto.SyncReply, f *flight, chance Chance) int64 {
	moved := len(reply.Items) > 0 || len(reply.Receipts) > 0 || len(f.runs)+len(f.returns) == 0
	due := reply.More || e.log.due || e.meta.live != e.meta.gen || e.lost > 0 || len(e.meta.purged) > 0 && f.purged == 0 || len(e.plan()) > 0
	if moved && due {
		return 0
	}
	return idleMS + int64(chance.uint64()%(idleMS/4))
}

// telling is the work of taking in one reply.
type telling struct {
	engine    *Engine
	work      *work
	reply     *syncproto.SyncReply
	comparing bool // the news belong to a cursor that is void now: skip them
	touched   map[syncproto.RecordID]bool

	unanswered bool // the server could say nothing of some changes yet
}

// checkClock tells the user, once, that the device's clock is wrong.
func (t *telling) checkClock(now Time) {
	off := now.UnixMS - t.reply.TimeMS
	wrong := t.reply.TimeMS != 0 && (off > clockMS || off < -clockMS)
	if wrong && !t.engine.skewed {
		t.work.note(Note{Kind: NoteClock, Code: syncproto.CodeFutureTime})
	}
	t.engine.skewed = wrong
}

// checkEpoch begins a new generation when the server's journal is not the one
// this device knows: each receipt must be found to hold still, or the change is
// offered again, and the whole feed is read anew. It reports whether the news
// in this reply follow a cursor of the old journal.
func (e *Engine) checkEpoch(w *work, reply *syncproto.SyncReply) bool {
	if e.meta.epoch.IsZero() {
		e.meta.epoch, e.meta.compare = reply.Epoch, false
		return false
	}
	if reply.Epoch == e.meta.epoch && !e.meta.compare {
		return false
	}
	asked := e.meta.compare
	if e.meta.live != e.meta.gen {
		// The feed before was never read whole: its verdicts are of no use.
		e.dropGenerations(w, func(gen uint64) bool { return gen != e.meta.live })
	}
	e.meta.gen++
	e.meta.epoch, e.meta.compare, e.meta.cursor = reply.Epoch, false, nil
	e.meta.purged, e.meta.wipe = nil, 0 // what is still owed is asked for again
	w.note(Note{Kind: NoteEpoch, Code: syncproto.CodeUnknownEpoch})
	return !asked
}

func (e *Engine) dropGenerations(w *work, gone func(gen uint64) bool) {
	for _, id := range sortedIDs(e.families) {
		e.dropVerdicts(w, e.families[id], gone)
	}
}

// answers reports whether a receipt settles what becomes of a change. Where the
// server does not know the device yet, or could not verify its signature, it
// kept nothing, not even the change's place in the chain: it is offered again
// (SPEC 6.2).
func answers(rc *syncproto.Receipt) bool {
	if rc.Status == syncproto.StatusRefused {
		return rc.Code != syncproto.CodeBadSignature
	}
	return rc.Durability != syncproto.DurabilityNone
}

// unansweredNote says whom the lack of an answer concerns: a person who has to
// sign in or enrol again, or one whose words wait for others first.
func unansweredNote(code syncproto.Code) NoteKind {
	if code == syncproto.CodeCustodyFull {
		return NoteKeptHere
	}
	return NoteSignIn
}

func (t *telling) receipts() {
	for i := range t.reply.Receipts {
		rc := &t.reply.Receipts[i]
		if !answers(rc) {
			t.unanswered = true
			t.work.note(Note{Kind: unansweredNote(rc.Code), Code: rc.Code})
			continue
		}
		o := t.engine.others[rc.Change]
		t.engine.gaveBack(t.work, rc.Change)
		if l := t.engine.own[rc.Change]; l != nil {
			durability := t.durability(rc)
			t.engine.receive(t.work, l, outcome{
				status: rc.Status, code: rc.Code, durability: durability, position: rc.Position,
				uncopied: t.reply.Copies && durability == syncproto.DurabilityStored,
			})
			if takesAway(rc.Code) {
				t.engine.remove(t.work, t.engine.record(l.family, l.record), rc.Code)
			}
		} else if o != nil && takesAway(rc.Code) {
			t.engine.remove(t.work, o.in, rc.Code)
		}
	}
}

// durability is how safe a change is by its receipt and by what the reply says of
// the server's second copy.
func (t *telling) durability(rc *syncproto.Receipt) syncproto.Durability {
	if rc.Durability == syncproto.DurabilityStored && t.copies(rc.Position) {
		return syncproto.DurabilityCopied
	}
	return rc.Durability
}

// copies reports whether the server's second copy holds what stands at a position.
func (t *telling) copies(position uint64) bool {
	return t.reply.Copies && position != 0 && position <= t.reply.Copied
}

// copied notes which own changes the server's second copy has meanwhile. If the
// server keeps none any more, that it stored them is all there will be.
func (t *telling) copied() {
	e := t.engine
	for _, actor := range sortedIDs(e.chains) {
		for _, l := range e.chains[actor].links {
			if !l.uncopied || l.gen != e.meta.gen || t.reply.Copies && !t.copies(l.position) {
				continue
			}
			if l.uncopied = false; t.reply.Copies {
				l.durability = syncproto.DurabilityCopied
			}
			e.putLink(t.work, l)
		}
	}
}

// chains compares own chains with what the server has of them. A chain that
// parted is an actor that exists twice: this device goes on as another.
func (t *telling) chains(chance Chance) {
	e := t.engine
	parted := false
	for _, h := range t.reply.Chains {
		c := e.chains[h.Actor]
		if c == nil {
			continue
		}
		if c.agrees(h) {
			e.confirm(t.work, c, h.Seq)
		} else if h.Actor == e.meta.actor {
			parted = true
		}
	}
	for _, actor := range t.reply.Forked {
		parted = parted || actor == e.meta.actor
	}
	if parted {
		t.fork(chance)
	}
}

// confirm carries acceptances and refusals over into this generation as far as
// the server still has the chain. What was held, quarantined or late, or accepted by a
// verdict, is asked about again: the verdict may be what the server lost. So is what
// was not known to be copied: only a receipt of this generation says where it stands.
func (e *Engine) confirm(w *work, c *chain, seq uint64) {
	for _, l := range c.links[:seq] {
		final := l.status == syncproto.StatusAccepted && !l.moved || l.status == syncproto.StatusRefused
		if final && !l.uncopied && l.gen != e.meta.gen {
			l.gen, l.position = e.meta.gen, 0 // verdicts of the new journal all count
			e.putLink(w, l)
		}
	}
}

// fork makes this device go on under a new actor. The old chain stays, and what
// is in it is still offered.
func (t *telling) fork(chance Chance) {
	e := t.engine
	fresh := syncproto.ActorID(chance)
	if fresh.IsZero() || e.chains[fresh] != nil {
		return // the next reply brings another chance
	}
	e.meta.actor = fresh
	t.work.note(Note{Kind: NoteForked, Code: syncproto.CodeForked})
}

// items takes in the news, in journal order.
func (t *telling) items() {
	if t.comparing {
		return
	}
	for i := range t.reply.Items {
		item := &t.reply.Items[i]
		switch item.Type {
		case syncproto.ItemChange:
			t.change(item)
		case syncproto.ItemVerdict:
			t.verdict(item.Verdict)
		case syncproto.ItemGrant:
			t.engine.grant(t.work, item)
		case syncproto.ItemPurge:
			t.engine.revoke(t.work, item)
		case syncproto.ItemErase:
			t.remove(item, syncproto.CodeErased)
		case syncproto.ItemMisfile:
			t.remove(item, syncproto.CodeMisfiled)
		}
	}
}

// change takes in a change of anybody's. One that cannot be read here is passed
// over and counted: a newer build asks for it again.
func (t *telling) change(item *syncproto.Item) {
	e := t.engine
	c, err := syncproto.DecodeChange(item.Prev, item.Body)
	if err != nil || c.Body.Borough != e.id.Borough {
		e.meta.unread++
		return
	}
	r := e.record(c.Body.Family, c.Body.Record)
	if r.family != c.Body.Family {
		e.meta.unread++
		return
	}
	e.heard(t.work, e.family(r.family))
	if l := e.own[c.ID]; l != nil && l.purged {
		l.purged = false
		e.putLink(t.work, l)
	}
	o := e.noteOther(c.ID, r, item)
	if r.has(c.ID) || r.gone != 0 {
		return
	}
	e.settle(t.work, r)
	if !r.add(c) {
		e.meta.unread++
		return
	}
	t.work.put(keyChange(r.family, r.id, c.ID), encodeStored(c.Prev, c.Raw, o))
	t.touched[r.id] = true
}

// verdict takes in what the server decided.
func (t *telling) verdict(v *syncproto.Verdict) {
	if v == nil {
		return
	}
	e := t.engine
	if l := e.own[v.Change]; l != nil {
		if o, ok := outcomeOf(v, l); ok {
			e.receive(t.work, l, o)
		}
		if v.Kind == syncproto.VerdictLose {
			t.work.note(Note{Kind: NoteLost, Family: l.family, Record: l.record, Change: l.id, Code: v.Code})
		}
	}
	if v.Kind == syncproto.VerdictForked || v.Record == (syncproto.RecordID{}) {
		return
	}
	f := e.family(v.Family)
	if r := e.records[v.Record]; r != nil {
		f = e.family(r.family)
		e.settle(t.work, r)
		r.forget()
		t.touched[r.id] = true
	}
	e.heard(t.work, f)
	if f.addVerdict(e.meta.gen, *v) {
		t.work.put(keyVerdict(e.meta.gen, f.id, v), syncproto.EncodeVerdict(v))
	}
}

// outcomeOf reads a verdict as news of the own change it is about.
func outcomeOf(v *syncproto.Verdict, l *link) (outcome, bool) {
	o := outcome{code: v.Code, durability: l.durability, position: v.Position, uncopied: l.uncopied, moved: true}
	switch v.Kind {
	case syncproto.VerdictQuarantine:
		o.status = syncproto.StatusQuarantined
	case syncproto.VerdictLate:
		o.status = syncproto.StatusLate
	case syncproto.VerdictAdmit, syncproto.VerdictRelease:
		o.status, o.code = syncproto.StatusAccepted, syncproto.CodeOK
	default:
		return o, false
	}
	return o, true
}

// cursor notes how far the feed was read. Once the feed of a new epoch has been
// read whole, it replaces the old one.
func (t *telling) cursor() {
	e := t.engine
	if t.comparing {
		return
	}
	e.meta.cursor = t.reply.Cursor
	if t.reply.More || e.meta.live == e.meta.gen {
		return
	}
	e.meta.live = e.meta.gen
	e.findLost(t.work)
	e.dropGenerations(t.work, func(gen uint64) bool { return gen != e.meta.gen })
	for _, id := range sortedIDs(e.families) {
		if f := e.families[id]; f.standing == StandingGranted && f.gen != e.meta.gen {
			// A restored server may have lost the grant, and with it words that are
			// here. Only a purge removes.
			f.position = 0 // of an epoch that is over: every grant of this one is newer
			e.shut(t.work, f, StandingClosed)
			t.work.note(Note{Kind: NoteLeaving, Family: f.id, Code: syncproto.CodeNotEntitled})
		}
	}
}

// tell gathers the notes on records that changed. Where this user worked on one
// it looks for a disagreement, which its author should hear of.
func (t *telling) tell() {
	e := t.engine
	for _, id := range sortedIDs(t.touched) {
		r := e.records[id]
		t.work.note(Note{Kind: NoteRecord, Family: r.family, Record: r.id})
		if len(r.own) == 0 || !e.readable(e.family(r.family)) {
			continue
		}
		if code := e.toLookAt(e.fold(r)); code != syncproto.CodeOK {
			t.work.note(Note{Kind: NoteConflict, Family: r.family, Record: r.id, Code: code})
		}
	}
}

// toLookAt says what in a record this user should look at: a disagreement, or a
// sentence of theirs that somebody else changed without knowing of it.
func (e *Engine) toLookAt(v *syncproto.View) syncproto.Code {
	if len(v.Conflicts) > 0 {
		return syncproto.CodeOpenConflict
	}
	for _, o := range v.Overlaps {
		if slices.ContainsFunc(o.Spans, func(s syncproto.OverlapSpan) bool { return slices.Contains(s.Authors, e.id.User) }) {
			return syncproto.CodeUnreadOverlap
		}
	}
	return syncproto.CodeOK
}
