package engine

import (
	"crypto/sha256"
	"slices"
	"unicode/utf8"

	"doorstep/syncproto"
	"doorstep/syncproto/schema"
	"doorstep/syncproto/text"
)

// Edit is a step that a person took on a record: it becomes one change, or
// several if it is too large for one.
type Edit struct {
	Record syncproto.RecordID
	// Family and Kind are needed when Record is begun with this edit.
	Family  syncproto.FamilyID
	Kind    string
	Ops     []syncproto.Op
	Capture syncproto.CaptureMode
	Salt    [16]byte // fresh random bytes
}

// Edit records ops on a record. An open draft of the record becomes a change
// first. It returns the id of the (last) change.
//
// It fails, with nothing changed, with CodeNotFound (a record not known here,
// and no family or kind given to begin it), CodeWrongRecord (the record belongs
// to another family or kind), CodeUnknownField, CodeBadOp, CodeBadValue,
// CodeBadText, CodeBadPosition or CodeTooLarge. Losing access to the family does
// not make it fail: whether the words are taken in is the server's question.
func (e *Engine) Edit(now Time, in Edit) (syncproto.ChangeID, []Effect, error) {
	if !e.began {
		return syncproto.ChangeID{}, nil, ErrNotStarted
	}
	r, kind, err := e.place(in)
	if err != nil {
		return syncproto.ChangeID{}, nil, err
	}
	now = now.sane()
	w := newWork()
	ops, broken := repair(in.Ops)
	texts, err := e.check(r, kind, ops)
	if err != nil {
		return syncproto.ChangeID{}, nil, err
	}
	changes, err := e.composeAfterDraft(r, kind, passage{
		ops: ops, at: now, capture: in.Capture, salt: in.Salt,
	})
	if err != nil {
		return syncproto.ChangeID{}, nil, err
	}
	e.putDraft(w, r, nil)
	e.commit(w, r, kind, changes)
	for path, s := range texts {
		r.base.texts[path] = s
	}
	e.keepWords(w, r, broken)
	return changes[len(changes)-1].ID, e.edited(w, r), nil
}

// edited ends a call that changed a record. While the server cannot be reached
// an edit does not make the next attempt come sooner.
func (e *Engine) edited(w *work, r *record) []Effect {
	w.note(Note{Kind: NoteRecord, Family: r.family, Record: r.id})
	if e.fails > 0 {
		return w.effects()
	}
	return append(w.effects(), Schedule{AfterMS: editDelayMS})
}

// place finds the record to edit and its description. A new record is returned
// without being registered: commit does that.
func (e *Engine) place(in Edit) (*record, *schema.Kind, error) {
	r := e.records[in.Record]
	if r != nil && r.gone != 0 {
		return nil, nil, r.gone
	}
	if r == nil || len(e.fold(r).Heads) == 0 {
		return e.begin(r, in)
	}
	v := e.fold(r)
	if !in.Family.IsZero() && in.Family != r.family || in.Kind != "" && in.Kind != v.Kind {
		return nil, nil, syncproto.CodeWrongRecord
	}
	kind, ok := schema.Newest(v.Kind)
	if !ok {
		return nil, nil, syncproto.CodeNewerApp
	}
	return r, kind, nil
}

// begin prepares a record that nothing here adds up to yet: it is new, or all
// of it is in quarantine or was refused.
func (e *Engine) begin(r *record, in Edit) (*record, *schema.Kind, error) {
	if in.Record == (syncproto.RecordID{}) || in.Family.IsZero() || in.Kind == "" {
		return nil, nil, syncproto.CodeNotFound
	}
	if r != nil && r.family != in.Family {
		return nil, nil, syncproto.CodeWrongRecord
	}
	kind, ok := schema.Newest(in.Kind)
	if !ok {
		return nil, nil, syncproto.CodeBadValue
	}
	if r == nil {
		r = &record{id: in.Record, family: in.Family, rows: map[syncproto.ChangeID]stored{}}
	}
	return r, kind, nil
}

// check holds ops against the schema and splices against the texts they are
// for. It returns those texts as they will be.
func (e *Engine) check(r *record, kind *schema.Kind, ops []syncproto.Op) (map[syncproto.Path]string, error) {
	if len(ops) == 0 {
		return nil, syncproto.CodeEmpty
	}
	if err := syncproto.CheckOps(kind, kind.Version, ops); err != nil {
		return nil, err
	}
	size := 0
	for i := range ops {
		size += sizeOf(&ops[i])
	}
	if size > editBytes {
		return nil, syncproto.CodeTooLarge
	}
	texts := map[syncproto.Path]string{}
	for i := range ops {
		op := &ops[i]
		if op.Value.Check() != nil || op.Old.Check() != nil {
			return nil, syncproto.CodeBadText
		}
		if err := e.checkText(r, op, texts); err != nil {
			return nil, err
		}
	}
	return texts, nil
}

// checkText follows an op's effect on texts. It fails with CodeBadPosition,
// CodeTooLarge, or CodeNotFound for a text of an element that does not exist.
func (e *Engine) checkText(r *record, op *syncproto.Op, texts map[syncproto.Path]string) error {
	current := func(path syncproto.Path) string {
		if s, ok := texts[path]; ok {
			return s
		}
		return e.text(r, path)
	}
	switch op.Code {
	case syncproto.OpAdd:
		texts[syncproto.Path{Field: op.Path.Field, Element: op.Path.Element}] = "" // it exists now
		words, _ := op.Value.AsMap()
		for _, part := range words {
			path := syncproto.Path{Field: op.Path.Field, Element: op.Path.Element, Sub: part.Key}
			if s, ok := part.Value.AsText(); ok {
				texts[path] = s + current(path)
			}
		}
	case syncproto.OpSplice:
		_, added := texts[syncproto.Path{Field: op.Path.Field, Element: op.Path.Element}]
		if op.Path.Sub != "" && !added && !e.exists(r, op.Path) {
			return syncproto.CodeNotFound
		}
		s, err := spliced(current(op.Path), op.Splices)
		if err != nil {
			return err
		}
		texts[op.Path] = s
	}
	return nil
}

// exists reports whether the element of a path is in the record.
func (e *Engine) exists(r *record, path syncproto.Path) bool {
	f, _ := fieldOf(e.fold(r).Fields, path.Field)
	return slices.ContainsFunc(f.Items, func(el syncproto.Element) bool { return el.Element == path.Element })
}

// spliced applies splices to a text. It fails with CodeBadPosition, or with
// CodeTooLarge if the text would pass MaxNarrative.
func spliced(s string, splices []text.Splice) (string, error) {
	for _, p := range splices {
		from, ok := offset(s, p.Pos)
		n, fits := offset(s[from:], p.Del)
		if !ok || !fits {
			return "", syncproto.CodeBadPosition
		}
		s = s[:from] + p.Ins + s[from+n:]
	}
	if len(s) > syncproto.MaxNarrative && utf8.RuneCountInString(s) > syncproto.MaxNarrative {
		return "", syncproto.CodeTooLarge
	}
	return s, nil
}

// offset returns where the nth code point of s begins, n being at most their
// number.
func offset(s string, n int) (int, bool) {
	if n < 0 {
		return 0, false
	}
	at := 0
	for ; n > 0; n-- {
		if at >= len(s) {
			return 0, false
		}
		_, size := utf8.DecodeRuneInString(s[at:])
		at += size
	}
	return at, true
}

// passage is what one or more changes are to say.
type passage struct {
	ops     []syncproto.Op
	at      Time
	capture syncproto.CaptureMode
	salt    [16]byte
}

// composeAfterDraft composes p on top of the record's open draft, if it has one.
func (e *Engine) composeAfterDraft(r *record, kind *schema.Kind, p passage) ([]*syncproto.Change, error) {
	heads := e.baseOf(r).heads
	var changes []*syncproto.Change
	if r.draft != nil {
		var err error
		if changes, err = e.compose(r, kind, heads, r.draft.passage(), nil); err != nil {
			return nil, err
		}
		heads = []syncproto.ChangeID{changes[len(changes)-1].ID}
	}
	return e.compose(r, kind, heads, p, changes)
}

// compose writes p as changes on top of heads, after the changes before that
// were composed but not committed, and returns all of them.
func (e *Engine) compose(r *record, kind *schema.Kind, heads []syncproto.ChangeID, p passage, before []*syncproto.Change) ([]*syncproto.Change, error) {
	out := before
	salt := p.salt
	for len(heads) > syncproto.MaxDeps {
		c, err := e.change(r, kind, heads[:syncproto.MaxDeps], passage{at: p.at, capture: p.capture, salt: salt}, out)
		if err != nil {
			return nil, err
		}
		out = append(out, c)
		heads = append([]syncproto.ChangeID{c.ID}, heads[syncproto.MaxDeps:]...)
		salt = nextSalt(salt)
	}
	for _, ops := range split(p.ops) {
		c, err := e.change(r, kind, heads, passage{ops: ops, at: p.at, capture: p.capture, salt: salt}, out)
		if err != nil {
			return nil, err
		}
		out = append(out, c)
		heads = []syncproto.ChangeID{c.ID}
		salt = nextSalt(salt)
	}
	return out, nil
}

func nextSalt(salt [16]byte) [16]byte {
	sum := sha256.Sum256(salt[:])
	return [16]byte(sum[:16])
}

// change encodes one change of the current actor, the one after before.
func (e *Engine) change(r *record, kind *schema.Kind, heads []syncproto.ChangeID, p passage, before []*syncproto.Change) (*syncproto.Change, error) {
	c := e.chain(e.meta.actor)
	prev := c.tip()
	if n := len(before); n > 0 {
		prev = before[n-1].ID
	}
	deps := slices.Clone(heads)
	syncproto.SortChangeIDs(deps)
	raw, err := syncproto.EncodeBody(&syncproto.Body{
		Version:       syncproto.BodyVersion,
		Borough:       e.id.Borough,
		Family:        r.family,
		Record:        r.id,
		Kind:          kind.ID,
		SchemaVersion: kind.Version,
		Actor:         e.meta.actor,
		Seq:           uint64(len(c.links)+len(before)) + 1,
		Salt:          p.salt,
		Deps:          deps,
		TimeMS:        p.at.UnixMS,
		OffsetMin:     p.at.OffsetMin,
		MonotonicMS:   p.at.MonotonicMS,
		Author:        e.id.User,
		Capture:       p.capture,
		Ops:           p.ops,
	})
	if err != nil {
		return nil, err
	}
	return syncproto.DecodeChange(prev, raw)
}

// commit makes composed changes part of the record and of the actor's chain.
func (e *Engine) commit(w *work, r *record, kind *schema.Kind, changes []*syncproto.Change) {
	r = e.enrol(r)
	r.unfold()
	chain := e.chain(e.meta.actor)
	for _, c := range changes {
		if !r.add(c) {
			panic("bug: own change does not fit its record")
		}
		l := &link{actor: chain.actor, seq: c.Body.Seq, id: c.ID, family: r.family, record: r.id}
		e.adopt(chain, l)
		w.put(keyChange(r.family, r.id, c.ID), encodeStored(c.Prev, c.Raw, nil))
		e.putLink(w, l)
	}
	r.base = &base{
		kind:  kind,
		heads: []syncproto.ChangeID{changes[len(changes)-1].ID},
		texts: map[syncproto.Path]string{},
	}
}

// enrol registers a record that is being begun.
func (e *Engine) enrol(r *record) *record {
	if e.records[r.id] == nil {
		e.records[r.id] = r
		e.family(r.family).records[r.id] = r
	}
	return r
}

// split cuts ops into runs that each fit one change, long insertions into
// pieces that each fit one splice.
func split(ops []syncproto.Op) [][]syncproto.Op {
	var out [][]syncproto.Op
	var run []syncproto.Op
	size := 0
	for _, op := range pieces(ops) {
		n := sizeOf(&op)
		if len(run) > 0 && (size+n > bodyBytes || len(run) == syncproto.MaxOps) {
			out = append(out, run)
			run, size = nil, 0
		}
		run = append(run, op)
		size += n
	}
	return append(out, run)
}

// pieces returns ops with long lists of splices cut up, each piece about as
// large as one long splice at most.
func pieces(ops []syncproto.Op) []syncproto.Op {
	out := make([]syncproto.Op, 0, len(ops))
	for _, op := range ops {
		if op.Code != syncproto.OpSplice || sizeOf(&op) <= syncproto.MaxSpliceText {
			out = append(out, op)
			continue
		}
		part := op
		part.Splices = nil
		for _, s := range shortSplices(op.Splices) {
			if len(part.Splices) > 0 && sizeOf(&part)+len(s.Ins) > syncproto.MaxSpliceText {
				out = append(out, part)
				part.Splices = nil
			}
			part.Splices = append(part.Splices, s)
		}
		out = append(out, part)
	}
	return out
}

// shortSplices cuts insertions that are too long for one splice, between code
// points.
func shortSplices(splices []text.Splice) []text.Splice {
	var out []text.Splice
	for _, s := range splices {
		for len(s.Ins) > syncproto.MaxSpliceText {
			cut := syncproto.MaxSpliceText
			for !utf8.RuneStart(s.Ins[cut]) {
				cut--
			}
			out = append(out, text.Splice{Pos: s.Pos, Del: s.Del, Ins: s.Ins[:cut]})
			s = text.Splice{Pos: s.Pos + utf8.RuneCountInString(s.Ins[:cut]), Ins: s.Ins[cut:]}
		}
		out = append(out, s)
	}
	return out
}

// sizeOf estimates, from above, how many bytes an op takes.
func sizeOf(op *syncproto.Op) int {
	n := 128 + len(op.Reason) + len(op.Text) + op.Value.Size() + op.Old.Size()
	for _, s := range op.Splices {
		n += 16 + len(s.Ins)
	}
	for _, h := range op.Heads {
		n += 32 + 40*len(h.Heads)
	}
	return n
}
