package engine

import "doorstep/syncproto"

// After a restore the server may lack changes of others that this device was sent
// in an earlier epoch (SPEC 7.5). It finds them by reading the whole feed of the
// new epoch: what is here and did not come is lost there. It gives them back with
// the proof that came with each, and is done with one when there is a receipt.

// other is what came with a change of somebody else.
type other struct {
	device syncproto.DeviceID
	proof  syncproto.Proof
	lost   bool   // the server lost it: it is to be given back
	came   uint64 // the generation in which it came last, as far as this start knows
	in     *record
}

// noteOther keeps what came with a change; nil for own changes.
func (e *Engine) noteOther(id syncproto.ChangeID, r *record, item *syncproto.Item) *other {
	o := e.others[id]
	if o == nil && e.own[id] == nil && !item.Device.IsZero() {
		o = &other{device: item.Device, proof: item.Proof, in: r}
		e.others[id] = o
	}
	if o != nil {
		o.came = e.meta.gen
	}
	return o
}

// compareAgain begins the feed of a new epoch again if the app ended in the middle
// of it: which changes came before is not kept.
func (e *Engine) compareAgain(w *work) {
	if e.meta.live != e.meta.gen && !e.comparing {
		e.meta.cursor = nil
		e.putMeta(w)
	}
	e.comparing = true
}

// findLost notes which changes of others the server lacks, once the feed of a new
// epoch was read whole.
func (e *Engine) findLost(w *work) {
	for _, id := range e.othersThat(false) {
		e.setLost(w, id, e.others[id], true)
	}
}

// gaveBack is done with a change that the server answered.
func (e *Engine) gaveBack(w *work, id syncproto.ChangeID) {
	if o := e.others[id]; o != nil && o.lost {
		e.setLost(w, id, o, false)
	}
}

func (e *Engine) setLost(w *work, id syncproto.ChangeID, o *other, lost bool) {
	if o.lost = lost; lost {
		e.lost++
	} else {
		e.lost--
	}
	w.put(keyChange(o.in.family, o.in.id, id), encodeStored(o.in.prev(id), o.in.body(id), o))
}

// othersThat lists changes of others that are here, in the order of their records
// and ids: those that are lost, or those that are not and did not come in this
// generation.
func (e *Engine) othersThat(lost bool) (out []syncproto.ChangeID) {
	for _, rid := range sortedIDs(e.records) {
		if e.records[rid].gone != 0 {
			continue // nothing of it comes back
		}
		for _, id := range e.records[rid].ids() {
			if o := e.others[id]; o != nil && o.lost == lost && (lost || o.came != e.meta.gen) {
				out = append(out, id)
			}
		}
	}
	return out
}

// holdsLost reports whether something of a family is to be given back.
func (e *Engine) holdsLost(f *family) bool {
	if e.lost > 0 {
		for _, o := range e.others {
			if o.lost && o.in.gone == 0 && o.in.family == f.id {
				return true
			}
		}
	}
	return false
}

// planReturns picks what to give back with a request, within what its own runs
// leave.
func (e *Engine) planReturns(runs []run) (out []syncproto.Returned) {
	if e.lost == 0 {
		return nil
	}
	left := e.shrunk(pushBytes)
	for i := range runs {
		for _, l := range runs[i].chain.links[runs[i].from:runs[i].to] {
			left -= len(e.body(l))
		}
	}
	for _, id := range e.othersThat(true) {
		if left <= 0 || len(out) == syncproto.MaxReturned {
			break
		}
		o := e.others[id]
		body := o.in.body(id)
		out = append(out, syncproto.Returned{Device: o.device, Prev: o.in.prev(id), Body: body, Proof: o.proof})
		left -= len(body) + 64
	}
	return out
}

// forgetOther drops what came with a change that is removed.
func (e *Engine) forgetOther(id syncproto.ChangeID) {
	if o := e.others[id]; o != nil && o.lost {
		e.lost--
	}
	delete(e.others, id)
}

// prev is the change before one that is here, in its actor's chain.
func (r *record) prev(id syncproto.ChangeID) syncproto.ChangeID {
	if s, ok := r.rows[id]; ok {
		return s.prev
	}
	if r.graph != nil {
		if c := r.graph.Change(id); c != nil {
			return c.Prev
		}
	}
	return syncproto.ChangeID{}
}

// answeredBefore counts what is sent again because the server lost it.
func (e *Engine) answeredBefore(runs []run) (n uint64) {
	for i := range runs {
		for _, l := range runs[i].chain.links[runs[i].from:runs[i].to] {
			if l.status != 0 && l.gen != e.meta.gen {
				n++
			}
		}
	}
	return n
}
