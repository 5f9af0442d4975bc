package syncproto

import "doorstep/syncproto/cbor"

// DecodeView reads what Encode wrote, and refuses anything else with the code of
// the fault. Views are only ever read back from a store of one's own.
func DecodeView(b []byte) (*View, error) {
	r := cbor.NewReader(b)
	v := &View{}
	tuple(r, 14)
	r.BytesInto(v.Record[:])
	r.BytesInto(v.Family[:])
	v.Kind = r.Text()
	v.SchemaVersion = r.Uint()
	v.Heads = readChangeIDs(r)
	v.Fields = readList(r, readFieldView)
	v.Conflicts = readList(r, readConflict)
	v.Overlaps = readList(r, readOverlap)
	v.Workflow = readWorkflow(r)
	v.Seal = readOptional(r, readSeal)
	v.Addenda = readList(r, readAddendum)
	v.Roots = readChangeIDs(r)
	v.NoOps = r.Uint()
	v.Held = readChangeIDs(r)
	if err := r.Done(); err != nil {
		return nil, codeOf(err)
	}
	return v, nil
}

// tuple reads the head of an array that must have n items.
func tuple(r *cbor.Reader, n int) {
	if r.Array() != n {
		r.Fail(cbor.ErrUnexpected)
	}
}

// tupleOr reads the head of an array that must have n items, or more of them.
func tupleOr(r *cbor.Reader, n, more int) int {
	size := r.Array()
	if size != n && size != more {
		r.Fail(cbor.ErrUnexpected)
	}
	return size
}

func readList[T any](r *cbor.Reader, one func(*cbor.Reader) T) []T {
	n := r.Array()
	var out []T
	for range n {
		if r.Err() != nil {
			return nil
		}
		out = append(out, one(r))
	}
	return out
}

func readOptional[T any](r *cbor.Reader, one func(*cbor.Reader) T) *T {
	if r.Null() {
		return nil
	}
	v := one(r)
	return &v
}

func readChangeIDs(r *cbor.Reader) []ChangeID { return readList(r, readChangeID) }

func readChangeID(r *cbor.Reader) (id ChangeID) {
	r.BytesInto(id[:])
	return id
}

func readUserID(r *cbor.Reader) (id UserID) {
	r.BytesInto(id[:])
	return id
}

func readFieldView(r *cbor.Reader) (f FieldView) {
	tuple(r, 7)
	f.Field = r.Text()
	f.Value = r.Value()
	f.Text = r.Text()
	f.Slots = readList(r, readSlot)
	f.Items = readList(r, readElement)
	f.Set = r.Bool()
	f.By = readOrigin(r)
	return f
}

func readOrigin(r *cbor.Reader) (o Origin) {
	tuple(r, 5)
	o.Change = readChangeID(r)
	o.Author = readUserID(r)
	r.BytesInto(o.Actor[:])
	o.TimeMS = r.Int()
	o.Capture = CaptureMode(r.Uint())
	return o
}

func readSlot(r *cbor.Reader) (s Slot) {
	tuple(r, 4)
	r.BytesInto(s.Slot[:])
	s.Value = r.Value()
	s.Text = r.Text()
	s.By = readOrigin(r)
	return s
}

func readElement(r *cbor.Reader) (e Element) {
	tuple(r, 6)
	r.BytesInto(e.Element[:])
	e.By = readOrigin(r)
	e.Fields = readList(r, readFieldView)
	e.Removed = readOptional(r, readRemoval)
	e.InForce = r.Bool()
	e.Flagged = r.Bool()
	return e
}

func readRemoval(r *cbor.Reader) (m Removal) {
	tuple(r, 3)
	m.By = readOrigin(r)
	m.Reason = r.Text()
	m.Confirmed = r.Bool()
	return m
}

func readConflict(r *cbor.Reader) (c Conflict) {
	tuple(r, 5)
	c.Path = readPath(r)
	c.Rule = r.Text()
	c.Sides = readList(r, readSide)
	c.Base = r.Value()
	c.InForce = r.Value()
	return c
}

func readSide(r *cbor.Reader) (s Side) {
	tuple(r, 2)
	s.Value = r.Value()
	s.By = readOrigin(r)
	return s
}

func readOverlap(r *cbor.Reader) (o Overlap) {
	tuple(r, 2)
	o.Path = readPath(r)
	o.Spans = readList(r, readOverlapSpan)
	return o
}

func readOverlapSpan(r *cbor.Reader) (s OverlapSpan) {
	tuple(r, 4)
	s.Start = r.Uint()
	s.End = r.Uint()
	s.Changes = readChangeIDs(r)
	s.Authors = readList(r, readUserID)
	return s
}

func readWorkflow(r *cbor.Reader) (w Workflow) {
	size := tupleOr(r, 3, 4)
	w.HandedOver = readOptional(r, readOrigin)
	w.Confirmed = readList(r, readConfirmation)
	w.Queries = readList(r, readQuery)
	if size == 4 {
		for range r.Array() {
			tuple(r, 3)
			w.TypedUp = append(w.TypedUp, TypedUp{By: readOrigin(r), For: readUserID(r), Source: r.Text()})
		}
	}
	return w
}

func readConfirmation(r *cbor.Reader) (c Confirmation) {
	size := tupleOr(r, 3, 5)
	c.By = readOrigin(r)
	c.Heads = readChangeIDs(r)
	c.Stands = r.Bool()
	if size == 5 {
		c.For, c.Reason = readUserID(r), r.Text()
	}
	return c
}

func readQuery(r *cbor.Reader) (q Query) {
	tuple(r, 7)
	q.ID = readChangeID(r)
	q.Path = readPath(r)
	q.To = readUserID(r)
	q.By = readOrigin(r)
	q.Question = r.Text()
	q.Answer = r.Text()
	q.AnsweredBy = readOptional(r, readOrigin)
	return q
}

func readSeal(r *cbor.Reader) (s Seal) {
	tuple(r, 7)
	s.Position = r.Uint()
	s.By = readUserID(r)
	s.AtMS = r.Int()
	s.Heads = readChangeIDs(r)
	r.BytesInto(s.Hash[:])
	r.BytesInto(s.PrevHash[:])
	s.Group = readList(r, readRecordHeads)
	return s
}

func readAddendum(r *cbor.Reader) (a Addendum) {
	tuple(r, 6)
	a.By = readOrigin(r)
	a.Text = r.Text()
	a.TimeMS = r.Int()
	a.Reason = r.Text()
	a.Late = r.Bool()
	a.Ops = readList(r, readOp)
	return a
}
