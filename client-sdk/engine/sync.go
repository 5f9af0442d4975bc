package engine

import "doorstep/syncproto"

// run is a stretch of one own chain that a request offers.
type run struct {
	chain *chain
	from  int // index of the first link
	to    int // index after the last
}

func (r *run) tip() syncproto.ChangeID { return r.chain.links[r.to-1].id }

func (r *run) prev() syncproto.ChangeID {
	if r.from == 0 {
		return syncproto.ChangeID{}
	}
	return r.chain.links[r.from-1].id
}

// flight is the request under way.
type flight struct {
	request syncproto.RequestID
	runs    []run
	purged  int    // how many of the reports due it carries
	again   uint64 // changes of runs that the server had answered in an earlier epoch
	returns []syncproto.Returned
	log     syncproto.TreeHead // what it named as remembered
	forks   int
	sent    bool
}

// Sync begins a request: what the server has not answered goes up, news come
// down. It first turns drafts into changes that nobody typed in for a while.
// request must be fresh and random; a request still under way is given up, and
// its reply will be ignored. The effects end in a Sign, if anything is to be
// sent up, or else in a Send.
func (e *Engine) Sync(now Time, request syncproto.RequestID) ([]Effect, error) {
	if !e.began {
		return nil, ErrNotStarted
	}
	w := newWork()
	e.compareAgain(w)
	e.settleIdle(w, now.sane())
	e.keepIdleViews(w)
	e.flight = &flight{request: request, runs: e.plan()}
	if !e.meta.compare { // receipts hold in the epoch that they are of
		e.flight.purged = min(len(e.meta.purged), syncproto.MaxPurged)
	}
	e.flight.again = e.answeredBefore(e.flight.runs)
	e.flight.returns = e.planReturns(e.flight.runs)
	var messages [][]byte
	for i := range e.flight.runs {
		r := &e.flight.runs[i]
		messages = append(messages, syncproto.TipMessage(r.chain.actor, r.tip()))
	}
	if n := e.flight.purged; n > 0 {
		messages = append(messages, syncproto.PurgeMessage(e.id.Device, e.id.User, e.meta.epoch, e.meta.purged[:n]))
	}
	effects := w.effects()
	if len(messages) == 0 {
		return append(effects, e.send(nil)), nil
	}
	return append(effects, Sign{Request: request, Messages: messages}), nil
}

// Signed brings the signatures that Sign asked for, in order. Signatures of a
// request that was given up are ignored.
func (e *Engine) Signed(request syncproto.RequestID, signatures [][]byte) []Effect {
	f := e.flight
	if f == nil || f.request != request || f.sent || len(signatures) != f.signed() {
		return nil
	}
	return []Effect{e.send(signatures)}
}

// signed is how many signatures the request carries: one a run, and one over all
// receipts of purges.
func (f *flight) signed() int {
	if f.purged > 0 {
		return len(f.runs) + 1
	}
	return len(f.runs)
}

// plan picks what to offer: for each own chain the run from the first change
// that the server has not answered, within the limits of one request.
func (e *Engine) plan() []run {
	changes, bytes := syncproto.MaxBatchChanges, e.shrunk(pushBytes)
	var out []run
	for _, actor := range sortedIDs(e.chains) {
		if len(out) == syncproto.MaxBatches || changes == 0 || bytes <= 0 {
			break
		}
		r, size := e.planRun(e.chains[actor], changes, bytes)
		if r.to > r.from {
			out = append(out, r)
			changes -= r.to - r.from
			bytes -= size
		}
	}
	return out
}

// planRun picks a run of one chain. It ends after the last wanted change that
// fits, and before content that was purged.
func (e *Engine) planRun(c *chain, changes, bytes int) (run, int) {
	r := run{chain: c}
	size, sum := 0, 0
	for i, l := range c.links {
		started := r.to > 0
		if !started && !e.wanted(l) {
			continue
		}
		n := len(e.body(l))
		if n == 0 || started && (i-r.from == changes || sum+n > bytes) {
			break
		}
		if !started {
			r.from = i
		}
		sum += n
		if e.wanted(l) {
			r.to, size = i+1, sum
		}
	}
	return r, size
}

// send encodes the request under way.
func (e *Engine) send(signatures [][]byte) Effect {
	f := e.flight
	f.sent = true
	q := &syncproto.SyncRequest{
		Version:  syncproto.ProtocolVersion,
		Request:  f.request,
		Epoch:    e.meta.epoch,
		Cursor:   e.meta.cursor,
		Purged:   e.meta.purged[:f.purged],
		PageSize: uint64(e.shrunk(syncproto.PageBytes)),
	}
	q.Again, q.Returned = f.again, f.returns
	if e.meta.compare {
		q.Epoch = syncproto.Epoch{}
	}
	f.log, f.forks = e.log.head(), len(e.log.report)
	q.Log, q.Forks = f.log, e.log.report
	for i := range f.runs {
		q.Batches = append(q.Batches, e.batch(&f.runs[i], signatures[i]))
	}
	if f.purged > 0 {
		q.PurgeSignature = signatures[len(f.runs)]
	}
	q.Chains = e.chainHeads()
	return Send{Request: f.request, Payload: syncproto.EncodeRequest(q)}
}

func (e *Engine) batch(r *run, signature []byte) syncproto.Batch {
	b := syncproto.Batch{
		Device:    e.id.Device,
		Actor:     r.chain.actor,
		Prev:      r.prev(),
		Signature: signature,
		Gap:       r.from > 0 && r.chain.links[r.from-1].purged,
	}
	for _, l := range r.chain.links[r.from:r.to] {
		b.Bodies = append(b.Bodies, e.body(l))
	}
	return b
}

// chainHeads says how far each own chain reaches. A device never has more than
// MaxChains of them: a new one comes only with a cloned tablet.
func (e *Engine) chainHeads() []syncproto.ChainHead {
	var out []syncproto.ChainHead
	for _, actor := range sortedIDs(e.chains) {
		if c := e.chains[actor]; len(c.links) > 0 && len(out) < syncproto.MaxChains {
			out = append(out, c.head())
		}
	}
	return out
}

// shrunk halves a size for each failure in a row: on a poor signal small
// requests get through where large ones are cut.
func (e *Engine) shrunk(size int) int { return max(size>>min(e.fails, 16), minBytes) }

// Failure is why a request got no reply.
type Failure struct {
	Code         syncproto.Code // what the server said of the envelope; CodeOK: no answer
	RetryAfterMS int64          // what the server asked for, or 0
}

// Failed ends a request that got no reply, or one that could not be used. What
// it carried is offered again later. A failure of another request is ignored.
func (e *Engine) Failed(request syncproto.RequestID, why Failure, chance Chance) []Effect {
	if e.flight == nil || e.flight.request != request {
		return nil
	}
	e.flight = nil
	w := newWork()
	switch why.Code {
	case syncproto.CodeUnknownEpoch, syncproto.CodeBadCursor:
		// What the server sends next is compared with all that is here.
		e.meta.compare, e.meta.cursor = true, nil
		e.putMeta(w)
		w.note(Note{Kind: NoteEpoch, Code: why.Code})
		e.fails = min(e.fails+1, 16)
		if e.fails == 1 {
			return append(w.effects(), Schedule{})
		}
		return append(w.effects(), Schedule{AfterMS: e.delay(why, chance)})
	case syncproto.CodeUnauthenticated, syncproto.CodeBadCredentials, syncproto.CodeStepUp,
		syncproto.CodeUnknownKey, syncproto.CodeRevokedDevice, syncproto.CodeBadProof:
		w.note(Note{Kind: NoteSignIn, Code: why.Code})
	case syncproto.CodeUnsupportedVersion, syncproto.CodeNewerApp:
		w.note(Note{Kind: NoteUpdate, Code: why.Code})
	}
	e.fails = min(e.fails+1, 16)
	return append(w.effects(), Schedule{AfterMS: e.delay(why, chance)})
}

// delay waits longer after each failure, by chance somewhere in the upper half
// of it, so that a thousand tablets do not come back at once.
func (e *Engine) delay(why Failure, chance Chance) int64 {
	d := int64(maxDelayMS)
	if n := e.fails - 1; n < 8 {
		d = min(d, firstDelayMS<<n)
	}
	d = d/2 + int64(chance.uint64()%uint64(d/2))
	if why.RetryAfterMS > 0 {
		// At the end of the wanted wait, spread over half as much again.
		d = max(d, why.RetryAfterMS+int64(chance.uint64()%uint64(why.RetryAfterMS/2+1)))
	}
	return d
}
