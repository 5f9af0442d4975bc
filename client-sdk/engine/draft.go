package engine

import (
	"slices"
	"unicode/utf8"

	"doorstep/syncproto"
	"doorstep/syncproto/cbor"
	"doorstep/syncproto/text"
)

// Typing is one keystroke, paste or deletion in a text field.
type Typing struct {
	Record  syncproto.RecordID
	Path    syncproto.Path
	Splice  text.Splice // in code points of the text as View shows it
	Capture syncproto.CaptureMode
	Salt    [16]byte // fresh random bytes; used if this begins a draft
}

// draft is what was typed in a record since its last change. It is one row,
// written again with each keystroke. It holds splices only, and the version that
// they are of, so that it can become a change where the text is not at hand.
type draft struct {
	kind    string
	heads   []syncproto.ChangeID
	began   Time
	last    Time
	capture syncproto.CaptureMode
	salt    [16]byte
	parts   []part
}

// part is what was typed in one text of the record.
type part struct {
	path    syncproto.Path
	splices []text.Splice
}

// Type takes in what was typed. It is durable once the effects are carried out;
// it becomes a change at the next pause, Save or Edit, when colleagues' news for
// the record arrive, or when the draft has grown long or, while the server can be
// reached, old.
//
// It fails, with nothing changed, with CodeNotFound (begin the record with Edit),
// CodeNewerApp, CodeUnknownField, CodeBadOp, CodeBadPosition or CodeTooLarge.
func (e *Engine) Type(now Time, in Typing) ([]Effect, error) {
	if !e.began {
		return nil, ErrNotStarted
	}
	r, kind, err := e.place(Edit{Record: in.Record})
	if err != nil {
		return nil, err
	}
	ops, broken := repair([]syncproto.Op{{Code: syncproto.OpSplice, Path: in.Path, Splices: []text.Splice{in.Splice}}})
	texts, err := e.check(r, kind, ops)
	if err != nil {
		return nil, err
	}
	if in.Splice.Del == 0 && in.Splice.Ins == "" {
		return nil, nil // nothing was typed
	}
	now = now.sane()
	w := newWork()
	if r.draft != nil && (r.draft.capture != in.Capture || now.MonotonicMS < r.draft.last.MonotonicMS) {
		e.settle(w, r) // another way of writing, or the device was started anew
	}
	d := r.draft
	if d == nil {
		d = &draft{kind: kind.ID, heads: e.baseOf(r).heads, began: now, capture: in.Capture, salt: in.Salt}
	}
	d.last = now
	d.add(in.Path, ops[0].Splices[0])
	e.putDraft(w, r, d)
	e.baseOf(r).texts[in.Path] = texts[in.Path]
	if d.full() || e.fails == 0 && d.isOld(now) {
		e.settle(w, r)
	}
	e.keepWords(w, r, broken)
	return e.edited(w, r), nil
}

// Save turns the record's draft into a change. Without a draft it does nothing.
func (e *Engine) Save(id syncproto.RecordID) ([]Effect, error) {
	if !e.began {
		return nil, ErrNotStarted
	}
	r := e.records[id]
	if r == nil || r.draft == nil {
		return nil, nil
	}
	w := newWork()
	e.settle(w, r)
	return e.edited(w, r), nil
}

// settle turns an open draft into a change. It comes before anything that moves
// the text the draft was typed into.
func (e *Engine) settle(w *work, r *record) {
	if r.draft == nil {
		return
	}
	b := e.baseOf(r)
	changes, err := e.compose(r, b.kind, b.heads, r.draft.passage(), nil)
	if err != nil {
		panic("bug: a draft that was checked does not encode")
	}
	e.putDraft(w, r, nil)
	e.commit(w, r, b.kind, changes)
	r.base.texts = b.texts
}

// settleIdle turns drafts into changes that nobody typed in for a while.
func (e *Engine) settleIdle(w *work, now Time) {
	idle := map[syncproto.RecordID]*record{} // few of the many records here
	for id, r := range e.records {
		if r.draft != nil && r.draft.idle(now) {
			idle[id] = r
		}
	}
	for _, id := range sortedIDs(idle) {
		e.settle(w, idle[id])
	}
}

// putDraft makes d, or none if nil, the record's draft.
func (e *Engine) putDraft(w *work, r *record, d *draft) {
	switch {
	case d != nil:
		w.put(keyDraft(r.family, r.id), d.encode())
	case r.draft != nil:
		w.delete(keyDraft(r.family, r.id))
	}
	r.draft = d
}

// idle reports a pause. A monotonic clock that went back was begun anew since.
func (d *draft) idle(now Time) bool {
	return now.MonotonicMS < d.last.MonotonicMS || now.MonotonicMS-d.last.MonotonicMS >= pauseMS
}

// isOld reports whether the draft is older than colleagues should have to wait.
// Offline they wait anyway, and a change of many sentences costs hardly more to
// send and to keep than one of few.
func (d *draft) isOld(now Time) bool { return now.MonotonicMS-d.began.MonotonicMS >= draftAgeMS }

// full reports whether the draft has grown too long to be rewritten at every
// keystroke.
func (d *draft) full() bool {
	count, size := 0, 0
	for _, p := range d.parts {
		count += len(p.splices)
		for _, s := range p.splices {
			size += len(s.Ins)
		}
	}
	return count >= draftSplices || size >= draftBytes
}

// add takes in a splice, as part of the one before it where they are one run of
// typing or deleting.
func (d *draft) add(path syncproto.Path, s text.Splice) {
	i := slices.IndexFunc(d.parts, func(p part) bool { return p.path == path })
	if i < 0 {
		d.parts = append(d.parts, part{path: path, splices: []text.Splice{s}})
		return
	}
	p := &d.parts[i]
	last := &p.splices[len(p.splices)-1]
	switch {
	case s.Del == 0 && s.Pos == last.Pos+utf8.RuneCountInString(last.Ins) && last.Ins != "":
		last.Ins += s.Ins
	case s.Ins == "" && last.Ins == "" && s.Pos == last.Pos:
		last.Del += s.Del // the delete key
	case s.Ins == "" && last.Ins == "" && s.Pos+s.Del == last.Pos:
		last.Pos, last.Del = s.Pos, last.Del+s.Del // the backspace key
	default:
		p.splices = append(p.splices, s)
	}
}

// passage returns what the draft says as the ops of changes.
func (d *draft) passage() passage {
	p := passage{at: d.last, capture: d.capture, salt: d.salt}
	for _, part := range d.parts {
		p.ops = append(p.ops, syncproto.Op{
			Code: syncproto.OpSplice, Path: part.path, Splices: slices.Clone(part.splices),
		})
	}
	return p
}

// applyTo puts the texts, as the draft makes them of those in v, into b.
func (d *draft) applyTo(b *base, v *syncproto.View) {
	for _, p := range d.parts {
		s, _ := textAt(v, p.path)
		s, err := spliced(s, p.splices)
		if err != nil {
			panic("bug: draft does not fit its text")
		}
		b.texts[p.path] = s
	}
}

func (d *draft) encode() []byte {
	b := cbor.AppendArray(nil, 7)
	b = cbor.AppendText(b, d.kind)
	b = cbor.AppendArray(b, len(d.heads))
	for _, id := range d.heads {
		b = cbor.AppendBytes(b, id[:])
	}
	b = appendTime(b, d.began)
	b = appendTime(b, d.last)
	b = cbor.AppendUint(b, uint64(d.capture))
	b = cbor.AppendBytes(b, d.salt[:])
	b = cbor.AppendArray(b, len(d.parts))
	for _, p := range d.parts {
		b = cbor.AppendArray(b, 4)
		b = cbor.AppendText(b, p.path.Field)
		b = cbor.AppendBytes(b, p.path.Element[:])
		b = cbor.AppendText(b, p.path.Sub)
		b = cbor.AppendArray(b, 3*len(p.splices))
		for _, s := range p.splices {
			b = cbor.AppendUint(b, uint64(s.Pos))
			b = cbor.AppendUint(b, uint64(s.Del))
			b = cbor.AppendText(b, s.Ins)
		}
	}
	return b
}

func decodeDraft(value []byte) (*draft, error) {
	r := cbor.NewReader(value)
	r.Array()
	d := &draft{kind: r.Text()}
	for range r.Array() {
		var id syncproto.ChangeID
		r.BytesInto(id[:])
		d.heads = append(d.heads, id)
	}
	d.began, d.last = readTime(r), readTime(r)
	d.capture = syncproto.CaptureMode(r.Uint())
	r.BytesInto(d.salt[:])
	for range r.Array() {
		d.parts = append(d.parts, readPart(r))
	}
	if r.Done() != nil || len(d.parts) == 0 {
		return nil, ErrRow
	}
	return d, nil
}

func readPart(r *cbor.Reader) part {
	r.Array()
	p := part{path: syncproto.Path{Field: r.Text()}}
	r.BytesInto(p.path.Element[:])
	p.path.Sub = r.Text()
	for range r.Array() / 3 {
		s := text.Splice{Pos: int(r.Uint()), Del: int(r.Uint())}
		s.Ins = r.Text()
		p.splices = append(p.splices, s)
	}
	return p
}

func appendTime(b []byte, t Time) []byte {
	b = cbor.AppendArray(b, 3)
	b = cbor.AppendInt(b, t.UnixMS)
	b = cbor.AppendInt(b, t.OffsetMin)
	return cbor.AppendUint(b, t.MonotonicMS)
}

func readTime(r *cbor.Reader) Time {
	r.Array()
	t := Time{UnixMS: r.Int(), OffsetMin: r.Int()}
	t.MonotonicMS = r.Uint()
	return t
}
