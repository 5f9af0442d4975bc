package binding

import (
	"doorstep/client-sdk/engine"
	"doorstep/syncproto"
	"doorstep/syncproto/cbor"
)

// unsent gives what the driver seals to the borough (SPEC 7.13).
func (b *Binding) unsent(op Op, c *call) error {
	switch op {
	case OpUnsent:
		list := b.engine.Unsent
		if !c.in.Null() {
			rows := readRows(c.in)
			list = func() []engine.Unsent { return engine.UnsentIn(rows) }
		}
		c.out = appendList(nil, list(), appendUnsent)
	case OpSketches:
		c.out = appendList(nil, b.engine.Sketches(), appendSketch)
	case OpSketch:
		now, in := readEdit(c.in)
		if err := c.in.Err(); err != nil {
			return err
		}
		s, err := b.engine.Sketch(now, in)
		c.out = appendSketch(nil, &s)
		return err
	case OpAwait:
		b.engine.Await(readList(c.in, func() (id syncproto.FamilyID) {
			c.in.BytesInto(id[:])
			return id
		}))
	case OpContent:
		var record syncproto.RecordID
		c.in.BytesInto(record[:])
		sum, err := b.engine.ContentHash(record)
		c.out = cbor.AppendBytes(nil, sum[:])
		return err
	default:
		return syncproto.CodeMethod
	}
	return nil
}

// appendUnsent writes [change, message to sign, prev, body].
func appendUnsent(b []byte, u *engine.Unsent) []byte {
	b = cbor.AppendBytes(cbor.AppendArray(b, 4), u.ID[:])
	b = cbor.AppendBytes(b, syncproto.TipMessage(u.Actor, u.ID))
	return cbor.AppendBytes(cbor.AppendBytes(b, u.Prev[:]), u.Body)
}

func appendSketch(b []byte, s *engine.Sketch) []byte {
	b = cbor.AppendBytes(cbor.AppendArray(b, 2), s.Record[:])
	return appendList(b, s.Changes, appendUnsent)
}
