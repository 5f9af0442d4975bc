package binding

import (
	"crypto/sha256"

	"doorstep/client-sdk/engine"
	"doorstep/syncproto"
	"doorstep/syncproto/cbor"
)

// look makes a call that changes nothing.
func (b *Binding) look(op Op, c *call) error {
	switch op {
	case OpOutbox:
		o := b.engine.Outbox()
		c.out = appendInts(nil, int64(o.Changes), int64(o.Bytes), int64(o.Drafts), o.OldestMS)
		return nil
	case OpMarks:
		c.out = appendMarks(nil, b.engine.Marks())
		return nil
	case OpFamilies:
		c.out = appendList(nil, b.engine.Families(), appendFamily)
		return nil
	case OpRecords, OpViews, OpDigests:
		return b.ofFamily(op, c)
	case OpExport:
		return b.export(c)
	}
	var record syncproto.RecordID
	c.in.BytesInto(record[:])
	if err := c.in.Err(); err != nil {
		return err
	}
	return b.ofRecord(op, record, c)
}

func (b *Binding) ofFamily(op Op, c *call) error {
	var family syncproto.FamilyID
	c.in.BytesInto(family[:])
	if err := c.in.Err(); err != nil {
		return err
	}
	records := b.engine.Records(family)
	switch op {
	case OpRecords:
		c.out = appendList(nil, records, b.appendSummary)
		return nil
	case OpDigests:
		c.out = appendList(nil, records, b.appendDigest)
		return nil
	}
	var views [][]byte
	for _, id := range records {
		if v, err := b.engine.View(id); err == nil {
			views = append(views, v.Encode())
		}
	}
	c.out = appendList(nil, views, func(out []byte, v *[]byte) []byte { return cbor.AppendBytes(out, *v) })
	return nil
}

func (b *Binding) appendSummary(out []byte, id *syncproto.RecordID) []byte {
	kind := ""
	if v, err := b.engine.Fold(*id); err == nil {
		kind = v.Kind
	}
	status := b.engine.Status(*id)
	out = cbor.AppendBytes(cbor.AppendArray(out, 3), id[:])
	return appendStatus(cbor.AppendText(out, kind), &status)
}

// appendDigest writes what all entitled devices and the server agree on, in short.
// A record that cannot be shown has zeroes.
func (b *Binding) appendDigest(out []byte, id *syncproto.RecordID) []byte {
	var sum [sha256.Size]byte
	if v, err := b.engine.Fold(*id); err == nil {
		sum = sha256.Sum256(v.Encode())
	}
	return cbor.AppendBytes(cbor.AppendBytes(cbor.AppendArray(out, 2), id[:]), sum[:])
}

func (b *Binding) export(c *call) error {
	var id syncproto.ChangeID
	c.in.BytesInto(id[:])
	if err := c.in.Err(); err != nil {
		return err
	}
	prev, body, err := b.engine.Export(id)
	c.out = cbor.AppendBytes(cbor.AppendBytes(cbor.AppendArray(nil, 2), prev[:]), body)
	return err
}

// ofRecord looks at one record.
func (b *Binding) ofRecord(op Op, record syncproto.RecordID, c *call) error {
	switch op {
	case OpView:
		return c.view(b.engine.View(record))
	case OpViewAt:
		return c.view(b.engine.ViewAt(record, readHeads(c.in)))
	case OpAuthors:
		return b.authors(record, c)
	case OpHeads:
		c.out = appendList(nil, b.engine.Heads(record), func(out []byte, id *syncproto.ChangeID) []byte { return cbor.AppendBytes(out, id[:]) })
	case OpStatus:
		status := b.engine.Status(record)
		c.out = appendStatus(nil, &status)
	case OpText:
		words, err := b.engine.Text(record, readPath(c.in))
		c.out = cbor.AppendText(nil, words)
		return err
	case OpProblems:
		problems, err := b.engine.Problems(record, c.in.Int())
		c.out = appendList(nil, problems, appendProblem)
		return err
	default:
		return syncproto.CodeMethod
	}
	return nil
}

func (c *call) view(v *syncproto.View, err error) error {
	if err == nil {
		c.out = cbor.AppendBytes(nil, v.Encode())
	}
	return err
}

// authors says who wrote what of a record, and on which devices.
func (b *Binding) authors(record syncproto.RecordID, c *call) error {
	var heads []syncproto.ChangeID
	if !c.in.Null() {
		heads = readHeads(c.in)
	}
	a, err := b.engine.Attribution(record, heads)
	if err == nil {
		c.out = cbor.AppendBytes(cbor.AppendArray(nil, 2), a.Encode())
		c.out = appendList(c.out, a.Devices, func(out []byte, id *syncproto.DeviceID) []byte { return cbor.AppendBytes(out, id[:]) })
	}
	return err
}

// appendStatus writes [state, draft, unsent, marks, closed].
func appendStatus(b []byte, s *engine.Status) []byte {
	b = cbor.AppendArray(b, 5)
	b = cbor.AppendUint(b, uint64(s.State))
	b = cbor.AppendBool(b, s.Draft)
	b = cbor.AppendUint(b, uint64(s.Unsent))
	b = appendMarks(b, s.Marks)
	return cbor.AppendBool(b, s.Closed)
}

// appendMarks writes, of each, [change, actor, seq, family, record, status, code,
// name, plain, reoffered, here].
func appendMarks(b []byte, marks []engine.Mark) []byte {
	return appendList(b, marks, func(b []byte, m *engine.Mark) []byte {
		b = cbor.AppendArray(b, 11)
		b = cbor.AppendBytes(b, m.Change[:])
		b = cbor.AppendBytes(b, m.Actor[:])
		b = cbor.AppendUint(b, m.Seq)
		b = cbor.AppendBytes(b, m.Family[:])
		b = cbor.AppendBytes(b, m.Record[:])
		b = cbor.AppendUint(b, uint64(m.Status))
		b = appendCode(b, m.Code)
		b = cbor.AppendBool(b, m.Reoffered)
		return cbor.AppendBool(b, m.Here)
	})
}

func appendFamily(b []byte, f *engine.Family) []byte {
	b = cbor.AppendArray(b, 4)
	b = cbor.AppendBytes(b, f.Family[:])
	b = cbor.AppendUint(b, uint64(f.Standing))
	b = cbor.AppendText(b, f.Basis)
	return cbor.AppendBool(b, f.Readable)
}

func appendEffect(b []byte, e engine.Effect) []byte {
	switch e := e.(type) {
	case engine.Store:
		b = cbor.AppendUint(cbor.AppendArray(b, 3), 1)
		return appendRows(appendRows(b, e.Rows), engine.Spare(e.Rows))
	case engine.Sign:
		b = cbor.AppendUint(cbor.AppendArray(b, 3), 2)
		b = cbor.AppendBytes(b, e.Request[:])
		return appendList(b, e.Messages, func(b []byte, m *[]byte) []byte { return cbor.AppendBytes(b, *m) })
	case engine.Send:
		b = cbor.AppendUint(cbor.AppendArray(b, 3), 3)
		return cbor.AppendBytes(cbor.AppendBytes(b, e.Request[:]), e.Payload)
	case engine.Schedule:
		return cbor.AppendInt(cbor.AppendUint(cbor.AppendArray(b, 2), 4), e.AfterMS)
	case engine.Notify:
		return appendNote(b, &e.Note)
	}
	panic("bug: an effect without an encoding")
}

func appendNote(b []byte, n *engine.Note) []byte {
	b = cbor.AppendArray(b, 8)
	b = cbor.AppendUint(b, 5)
	b = cbor.AppendUint(b, uint64(n.Kind))
	b = cbor.AppendBytes(b, n.Family[:])
	b = cbor.AppendBytes(b, n.Record[:])
	b = cbor.AppendBytes(b, n.Change[:])
	return appendCode(b, n.Code)
}

// appendCode writes a code's three members: number, name, plain words.
func appendCode(b []byte, code syncproto.Code) []byte {
	b = cbor.AppendUint(b, uint64(code))
	if code == syncproto.CodeOK {
		return cbor.AppendText(cbor.AppendText(b, ""), "")
	}
	return cbor.AppendText(cbor.AppendText(b, code.Error()), code.Plain())
}

func appendRows(b []byte, rows []engine.Row) []byte {
	return appendList(b, rows, func(b []byte, r *engine.Row) []byte {
		b = cbor.AppendBytes(cbor.AppendArray(b, 2), r.Key)
		if r.Value == nil {
			return cbor.AppendNull(b)
		}
		return cbor.AppendBytes(b, r.Value)
	})
}

func appendInts(b []byte, ints ...int64) []byte {
	return appendList(b, ints, func(b []byte, n *int64) []byte { return cbor.AppendInt(b, *n) })
}

func appendList[T any](b []byte, list []T, one func([]byte, *T) []byte) []byte {
	b = cbor.AppendArray(b, len(list))
	for i := range list {
		b = one(b, &list[i])
	}
	return b
}
