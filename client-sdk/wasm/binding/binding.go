// Package binding turns bytes into calls of the sync engine and their outcome
// into bytes: what stands between a driver in another language and the engine.
//
// Binding is the one type: one engine, and at a time one call. A call is an Op and
// a CBOR array of its arguments; the answer is one of
//
//	[0, result, [effect...]]      done
//	[1, code, name, plain]        refused with a syncproto.Code; nothing was changed
//	[2, text]                     the rows or the arguments cannot be used
//	[3, text]                     a bug: the engine is gone; load a new one
//
// and an effect is one of
//
//	[1, [[key, value]...], [[key, value]...]]      store the first rows; the second are those for a second copy
//	[2, request, [message...]]                     sign
//	[3, request, payload]                          send
//	[4, after_ms]                                  sync later
//	[5, kind, family, record, change, code, name, plain]   tell
//
// A null value deletes. The package decides nothing; what calls and effects mean
// is package engine's. It checks no signature of the server either: the driver
// takes a reply apart with OpParts, checks it, and only then passes it to OpReply.
package binding

import (
	"doorstep/client-sdk/engine"
	"doorstep/syncproto"
	"doorstep/syncproto/cbor"
)

// Op names a call. Numbers are shared with the driver's side, client-sdk/ts.
type Op uint32

// The calls, with their arguments and results. A time is [unix_ms, offset_min,
// monotonic_ms], a path [field, element, sub]; an element of zeroes is none.
const (
	OpNew        Op = 1  // [borough, user, device, actor]: an engine without rows
	OpLoad       Op = 2  // [[key, value]...]
	OpStart      Op = 3  // []
	OpStartSpare Op = 4  // []; result [changes, drafts]
	OpEdit       Op = 5  // [time, record, family, kind, capture, salt, [op...]]; result: the change
	OpType       Op = 6  // [time, record, path, pos, del, ins, capture, salt]; ins as bytes, since it may be ill-formed
	OpSave       Op = 7  // [record]
	OpSync       Op = 8  // [time, request]
	OpSigned     Op = 9  // [request, [signature...]]
	OpParts      Op = 10 // [device, signed reply]; result [message, signature]
	OpReply      Op = 11 // [time, signed reply, chance]
	OpFailed     Op = 12 // [request, code, retry_after_ms, chance]
	OpReoffer    Op = 13 // [time, record, salt]; result: the change
	OpRest       Op = 14 // []
	OpView       Op = 15 // [record]; result: the view's encoding, as bytes (SPEC 5.10)
	OpViewAt     Op = 16 // [record, [head...]]; likewise
	OpHeads      Op = 17 // [record]; result [head...]
	OpStatus     Op = 18 // [record]; result: see appendStatus
	OpOutbox     Op = 19 // []; result [changes, bytes, drafts, oldest_ms]
	OpMarks      Op = 20 // []; result [mark...]
	OpExport     Op = 21 // [change]; result [prev, body]
	OpFamilies   Op = 22 // []; result [[family, standing, basis, readable]...]
	OpRecords    Op = 23 // [family]; result [[record, kind, status]...]
	OpText       Op = 24 // [record, path]; result: the text as it stands with what was typed
	OpKinds      Op = 25 // []; result: see appendKind
	OpProblems   Op = 26 // [record, unix_ms]; result: see appendProblem
	OpCode       Op = 27 // [code]; result [name, plain]
	OpSpare      Op = 28 // [[key, value]...]; result: those of them for a second copy
	OpViews      Op = 29 // [family]; result [view...], each as bytes
	OpDigests    Op = 30 // [family]; result [[record, SHA-256 of the fold's encoding]...]
	OpUnsent     Op = 31 // [[[key, value]...]]: those of the rows that are unsent changes; [null]: all; result: see appendUnsent
	OpSketches   Op = 32 // []; result [[record, [unsent...]]...]: what each open draft would be
	OpSketch     Op = 33 // as OpEdit; result [record, [unsent...]]
	OpAwait      Op = 34 // [[family...]]
	OpContent    Op = 35 // [record]; result: the hash of what it says (SPEC 5.10)
	OpAuthors    Op = 36 // [record, null or [head...]]; result [who wrote what, as bytes (SPEC 5.13), [device of each source...]]
)

// Binding is one engine behind numbered calls. It is not safe for concurrent use.
type Binding struct {
	engine *engine.Engine
}

// call is one call under way: its arguments and its outcome.
type call struct {
	in      *cbor.Reader
	out     []byte // the result
	effects []engine.Effect
}

// Call carries out one call. It never panics: the answer says so instead, and the
// engine is dropped.
func (b *Binding) Call(op Op, arguments []byte) (answer []byte) {
	defer func() {
		if p := recover(); p != nil {
			b.engine = nil
			answer = failure(3, panicText(p))
		}
	}()
	c := &call{in: cbor.NewReader(arguments)}
	c.in.Array()
	err := b.carryOut(op, c)
	if err == nil {
		err = c.in.Done()
	}
	if err != nil {
		return refusal(err)
	}
	return c.answer()
}

// carryOut reads a call's arguments and makes the call. Where there is no engine
// only those that need none are made.
func (b *Binding) carryOut(op Op, c *call) error {
	switch op {
	case OpNew:
		return b.begin(c)
	case OpParts:
		return parts(c)
	case OpKinds:
		return kinds(c)
	case OpCode:
		code := syncproto.Code(c.in.Uint())
		c.out = cbor.AppendText(cbor.AppendText(cbor.AppendArray(nil, 2), code.Error()), code.Plain())
		return nil
	case OpSpare:
		c.out = appendRows(nil, engine.Spare(readRows(c.in)))
		return nil
	}
	if b.engine == nil {
		return engine.ErrNotStarted
	}
	switch {
	case op < OpView:
		return b.act(op, c)
	case op >= OpUnsent && op != OpAuthors:
		return b.unsent(op, c)
	}
	return b.look(op, c)
}

func (b *Binding) begin(c *call) error {
	var id engine.Identity
	id.Borough = c.in.Text()
	c.in.BytesInto(id.User[:])
	c.in.BytesInto(id.Device[:])
	c.in.BytesInto(id.Actor[:])
	if err := c.in.Err(); err != nil {
		return err
	}
	checked := func(_, _ []byte) bool { return true } // by the driver, before OpReply
	b.engine = engine.New(id, engine.Verifiers{Reply: checked})
	return nil
}

// parts gives what the server signed of a reply, except for the device, which the
// driver knows: message is ReplyMessage.
func parts(c *call) error {
	var device syncproto.DeviceID
	c.in.BytesInto(device[:])
	signed := c.in.Bytes()
	if err := c.in.Err(); err != nil {
		return err
	}
	payload, signature, err := syncproto.DecodeSignedReply(signed)
	if err != nil {
		return err
	}
	c.out = cbor.AppendArray(nil, 2)
	c.out = cbor.AppendBytes(c.out, syncproto.ReplyMessage(device, payload))
	c.out = cbor.AppendBytes(c.out, signature)
	return nil
}

func (c *call) answer() []byte {
	b := cbor.AppendArray(nil, 3)
	b = cbor.AppendUint(b, 0)
	if c.out == nil {
		c.out = cbor.AppendNull(nil)
	}
	b = append(b, c.out...)
	b = cbor.AppendArray(b, len(c.effects))
	for _, e := range c.effects {
		b = appendEffect(b, e)
	}
	return b
}

func refusal(err error) []byte {
	code, ok := err.(syncproto.Code)
	if !ok {
		return failure(2, err.Error())
	}
	b := cbor.AppendArray(nil, 4)
	b = cbor.AppendUint(b, 1)
	b = cbor.AppendUint(b, uint64(code))
	b = cbor.AppendText(b, code.Error())
	return cbor.AppendText(b, code.Plain())
}

func failure(kind uint64, text string) []byte {
	return cbor.AppendText(cbor.AppendUint(cbor.AppendArray(nil, 2), kind), text)
}

// panicText says what a panic was without repeating content: our own messages
// begin with "bug: ", and those of the runtime name no values but indexes.
func panicText(p any) string {
	switch p := p.(type) {
	case string:
		return p
	case error:
		return p.Error()
	}
	return "panic"
}
