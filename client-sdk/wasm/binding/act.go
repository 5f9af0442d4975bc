package binding

import (
	"doorstep/client-sdk/engine"
	"doorstep/syncproto"
	"doorstep/syncproto/cbor"
	"doorstep/syncproto/text"
)

// act makes a call that may change something.
func (b *Binding) act(op Op, c *call) (err error) {
	switch op {
	case OpLoad:
		for _, r := range readRows(c.in) {
			if err := b.engine.Load(r.Key, r.Value); err != nil {
				return err
			}
		}
	case OpStart:
		c.effects, err = b.engine.Start()
	case OpStartSpare:
		var back engine.Recovered
		c.effects, back, err = b.engine.StartFromSpare()
		c.out = appendInts(nil, int64(back.Changes), int64(back.Drafts))
	case OpEdit:
		return b.edit(c)
	case OpType:
		return b.typed(c)
	case OpSave:
		var record syncproto.RecordID
		c.in.BytesInto(record[:])
		if err = c.in.Err(); err == nil {
			c.effects, err = b.engine.Save(record)
		}
	case OpReoffer:
		return b.reoffer(c)
	case OpRest:
		c.effects = b.engine.Rest()
	default:
		return b.exchange(op, c)
	}
	return err
}

// exchange makes a call that is part of a sync.
func (b *Binding) exchange(op Op, c *call) (err error) {
	var request syncproto.RequestID
	var chance engine.Chance
	switch op {
	case OpSync:
		now := readTime(c.in)
		c.in.BytesInto(request[:])
		if err = c.in.Err(); err == nil {
			c.effects, err = b.engine.Sync(now, request)
		}
	case OpSigned:
		c.in.BytesInto(request[:])
		signatures := readList(c.in, func() []byte { return c.in.Bytes() })
		if err = c.in.Err(); err == nil {
			c.effects = b.engine.Signed(request, signatures)
		}
	case OpReply:
		now, signed := readTime(c.in), c.in.Bytes()
		c.in.BytesInto(chance[:])
		if err = c.in.Err(); err == nil {
			c.effects, err = b.engine.Reply(now, signed, chance)
		}
	case OpFailed:
		c.in.BytesInto(request[:])
		why := engine.Failure{Code: syncproto.Code(c.in.Uint()), RetryAfterMS: c.in.Int()}
		c.in.BytesInto(chance[:])
		if err = c.in.Err(); err == nil {
			c.effects = b.engine.Failed(request, why, chance)
		}
	default:
		err = syncproto.CodeMethod
	}
	return err
}

func (b *Binding) edit(c *call) error {
	now, in := readEdit(c.in)
	if err := c.in.Err(); err != nil {
		return err
	}
	id, effects, err := b.engine.Edit(now, in)
	return c.changed(id, effects, err)
}

func readEdit(r *cbor.Reader) (now engine.Time, in engine.Edit) {
	now = readTime(r)
	r.BytesInto(in.Record[:])
	r.BytesInto(in.Family[:])
	in.Kind = r.Text()
	in.Capture = syncproto.CaptureMode(r.Uint())
	r.BytesInto(in.Salt[:])
	in.Ops = readList(r, func() syncproto.Op { return readOp(r) })
	return now, in
}

func (b *Binding) reoffer(c *call) error {
	now := readTime(c.in)
	var record syncproto.RecordID
	var salt [16]byte
	c.in.BytesInto(record[:])
	c.in.BytesInto(salt[:])
	if err := c.in.Err(); err != nil {
		return err
	}
	id, effects, err := b.engine.Reoffer(now, record, salt)
	return c.changed(id, effects, err)
}

func (c *call) changed(id syncproto.ChangeID, effects []engine.Effect, err error) error {
	c.effects, c.out = effects, cbor.AppendBytes(nil, id[:])
	return err
}

func (b *Binding) typed(c *call) (err error) {
	now := readTime(c.in)
	var in engine.Typing
	c.in.BytesInto(in.Record[:])
	in.Path = readPath(c.in)
	in.Splice = readSplice(c.in)
	in.Capture = syncproto.CaptureMode(c.in.Uint())
	c.in.BytesInto(in.Salt[:])
	if err := c.in.Err(); err != nil {
		return err
	}
	c.effects, err = b.engine.Type(now, in)
	return err
}

// readOp reads an op, all of whose members are always there: [code, path, value,
// old, [pos, del, ins...], reason, text, to, target, time_ms, [[record, [head...]]...]].
func readOp(r *cbor.Reader) syncproto.Op {
	r.Array()
	op := syncproto.Op{Code: syncproto.OpCode(r.Uint()), Path: readPath(r), Value: r.Value(), Old: r.Value()}
	for range r.Array() / 3 {
		op.Splices = append(op.Splices, readSplice(r))
	}
	op.Reason, op.Text = r.Text(), r.Text()
	r.BytesInto(op.To[:])
	r.BytesInto(op.Target[:])
	op.TimeMS = r.Int()
	op.Heads = readList(r, func() (h syncproto.RecordHeads) {
		r.Array()
		r.BytesInto(h.Record[:])
		h.Heads = readHeads(r)
		return h
	})
	return op
}

// readSplice reads three members of an array: pos, del, ins. Words come as bytes:
// a keyboard may give half a character, and the engine knows what to do with it.
func readSplice(r *cbor.Reader) text.Splice {
	return text.Splice{Pos: int(r.Uint()), Del: int(r.Uint()), Ins: string(r.Bytes())}
}

func readPath(r *cbor.Reader) (p syncproto.Path) {
	r.Array()
	p.Field = r.Text()
	r.BytesInto(p.Element[:])
	p.Sub = r.Text()
	return p
}

func readTime(r *cbor.Reader) engine.Time {
	r.Array()
	return engine.Time{UnixMS: r.Int(), OffsetMin: r.Int(), MonotonicMS: r.Uint()}
}

func readHeads(r *cbor.Reader) []syncproto.ChangeID {
	return readList(r, func() (id syncproto.ChangeID) {
		r.BytesInto(id[:])
		return id
	})
}

func readRows(r *cbor.Reader) []engine.Row {
	return readList(r, func() (row engine.Row) {
		r.Array()
		row.Key = r.Bytes()
		if !r.Null() {
			row.Value = r.Bytes()
		}
		return row
	})
}

// readList reads an array; after an error it ends early.
func readList[T any](r *cbor.Reader, one func() T) []T {
	n := r.Array()
	out := make([]T, 0, min(n, 1024))
	for range n {
		if r.Err() != nil {
			break
		}
		out = append(out, one())
	}
	return out
}
