package engine

import (
	"crypto/sha256"

	"doorstep/syncproto"
	"doorstep/syncproto/cbor"
	"doorstep/syncproto/schema"
)

// keptView is a record's view as its row keeps it, so that opening the record
// reads no change. It counts only for what it was folded from; nothing else is
// kept in it, and it can be dropped at any time.
type keptView struct {
	of      [sha256.Size]byte // digest of what it was folded from
	version uint64            // of the record kind
	seen    bool
	view    []byte // the view's encoding
}

// Rest is for a pause: the screen went dark, or the app is about to end. It keeps
// the views that were worked out since, so that the next start opens their records
// without reading the changes. Words are not at stake.
func (e *Engine) Rest() []Effect {
	w := newWork()
	if e.began {
		e.keepViews(w, func(*record) bool { return true })
	}
	return w.effects()
}

// keepIdleViews keeps the views that nothing has altered since the last sync: one
// that is being written in is not stored over and over.
func (e *Engine) keepIdleViews(w *work) {
	e.keepViews(w, func(r *record) bool { return r.rested })
	for _, r := range e.records {
		r.rested = r.view != nil
	}
}

// keepViews stores the views that are worked out and not kept yet, as many as one
// store effect takes well.
func (e *Engine) keepViews(w *work, wanted func(*record) bool) {
	due := map[syncproto.RecordID]*record{}
	for id, r := range e.records {
		if r.view != nil && r.graph != nil && r.draft == nil && !r.kept && wanted(r) && e.readable(e.family(r.family)) {
			due[id] = r
		}
	}
	room := keepBytes
	for _, id := range sortedIDs(due) {
		r := due[id]
		v := r.view.Encode()
		switch {
		case len(v) <= room:
			w.put(keyView(r.family, r.id), e.keptView(r, v).encode())
			r.kept, r.hasRow = true, true
			room -= len(v)
		case len(v) > keepBytes:
			r.kept = true // it never will be: not to be tried again
		}
	}
}

func (e *Engine) keptView(r *record, view []byte) *keptView {
	k := &keptView{of: e.source(r), seen: e.seen(r), view: view}
	if kind, known := schema.Newest(r.view.Kind); known {
		k.version = kind.Version
	}
	return k
}

// recall returns the kept view if it is of what is here; else nil. A row that
// cannot be read is as good as none.
func (e *Engine) recall(r *record) *syncproto.View {
	row := r.keptRow
	r.keptRow = nil // it is asked for once
	if row == nil {
		return nil
	}
	k, err := decodeKeptView(row)
	if err != nil || k.of != e.source(r) {
		return nil
	}
	v, err := syncproto.DecodeView(k.view)
	if err != nil || v.Record != r.id {
		return nil
	}
	kind, known := schema.Newest(v.Kind)
	if known && kind.Version != k.version || !known && k.version != 0 {
		return nil // worked out by another app
	}
	r.kept, r.seenKept = true, k.seen
	return v
}

// source is a digest of all that a record's view is folded from.
func (e *Engine) source(r *record) [sha256.Size]byte {
	h := sha256.New()
	h.Write([]byte("doorstep-kept-view\x00"))
	h.Write([]byte{syncproto.ViewFormat})
	h.Write(r.id[:])
	for _, id := range r.ids() {
		h.Write(id[:])
	}
	verdicts := e.verdictsOf(r)
	digests := make([]syncproto.ChangeID, 0, len(verdicts)) // sorted as those are
	for i := range verdicts {
		digests = append(digests, sha256.Sum256(syncproto.EncodeVerdict(&verdicts[i])))
	}
	syncproto.SortChangeIDs(digests)
	for _, d := range digests {
		h.Write(d[:])
	}
	return [sha256.Size]byte(h.Sum(nil))
}

// dropKept removes the row of a record's view, if there is one.
func (e *Engine) dropKept(w *work, r *record) {
	if r.hasRow {
		w.delete(keyView(r.family, r.id))
	}
	r.keptRow, r.hasRow = nil, false
}

func (k *keptView) encode() []byte {
	b := cbor.AppendArray(nil, 4)
	b = cbor.AppendBytes(b, k.of[:])
	b = cbor.AppendUint(b, k.version)
	b = cbor.AppendBool(b, k.seen)
	return cbor.AppendBytes(b, k.view)
}

func decodeKeptView(row []byte) (keptView, error) {
	r := cbor.NewReader(row)
	r.Array()
	var k keptView
	r.BytesInto(k.of[:])
	k.version = r.Uint()
	k.seen = r.Bool()
	k.view = r.Bytes()
	if r.Done() != nil {
		return keptView{}, ErrRow
	}
	return k, nil
}
