package syncproto

import (
	"unicode/utf8"

	"doorstep/syncproto/cbor"
	"doorstep/syncproto/text"
)

// Keys of an op (SPEC 3.6).
const (
	opCode    = 1
	opPath    = 2
	opValue   = 3
	opOld     = 4
	opSplices = 5
	opReason  = 6
	opText    = 7
	opTo      = 8
	opTarget  = 9
	opTime    = 10
	opHeads   = 11
)

// opShape says which keys ops of one code have: those of required always, those
// of optional exactly when they are not zero or empty.
type opShape struct{ required, optional keys }

// shapeOf returns the shape of an op; ok is false for a code not known here.
func shapeOf(code OpCode) (shape opShape, ok bool) {
	switch code {
	case OpSet, OpAdd:
		shape.required = keySet(opPath, opValue)
	case OpSplice:
		shape.required = keySet(opPath, opSplices)
	case OpRemove:
		shape.required = keySet(opPath, opReason)
	case OpDecide:
		shape.required = keySet(opPath, opValue, opReason)
	case OpHandOver:
		shape.optional = keySet(opTo)
	case OpConfirm:
		shape = opShape{required: keySet(opHeads), optional: keySet(opTo, opReason)}
	case OpFinalise:
		shape.required = keySet(opHeads)
	case OpTypeUp:
		shape.required = keySet(opTo, opReason)
	case OpQuery:
		shape = opShape{required: keySet(opText), optional: keySet(opPath, opTo)}
	case OpAnswer:
		shape.required = keySet(opText, opTarget)
	case OpAddendum:
		shape = opShape{required: keySet(opText), optional: keySet(opReason, opTime)}
	case OpCorrect:
		shape.required = keySet(opPath, opValue, opOld, opReason)
	default:
		return opShape{}, false
	}
	shape.required |= keySet(opCode)
	return shape, true
}

// opKeys are all the keys known here.
const opKeys = keys(1<<(opHeads+1) - 2)

// appendOp writes the keys that the op's code has. What an op of this code
// cannot carry is written too if it is set, so that EncodeBody refuses it
// instead of dropping it.
func appendOp(buf []byte, op *Op) []byte {
	shape, _ := shapeOf(op.Code)
	f := openFields(buf)
	f.key(opCode)
	f.b = cbor.AppendUint(f.b, uint64(op.Code))
	f.path(opPath, op.Path)
	f.value(opValue, op.Value, shape)
	f.value(opOld, op.Old, shape)
	if len(op.Splices) > 0 {
		f.key(opSplices)
		f.b = appendSplices(f.b, op.Splices)
	}
	f.words(opReason, op.Reason, shape)
	f.words(opText, op.Text, shape)
	f.id(opTo, op.To[:])
	f.id(opTarget, op.Target[:])
	f.int(opTime, op.TimeMS)
	f.heads(opHeads, op.Heads)
	return f.b
}

// value writes a value if it is required or not null.
func (f *fields) value(k uint64, v cbor.Value, shape opShape) {
	if shape.required.has(keySet(k)) || !v.IsNull() {
		f.key(k)
		f.b = cbor.AppendValue(f.b, v)
	}
}

// words writes a text if it is required or not empty.
func (f *fields) words(k uint64, v string, shape opShape) {
	if shape.required.has(keySet(k)) || v != "" {
		f.key(k)
		f.b = cbor.AppendText(f.b, v)
	}
}

// readOp reads one op. Of an op whose code is not known here nothing but the
// code is read; shapeOf tells.
func readOp(r *cbor.Reader) (op Op) {
	var seen keys
	var shape opShape
	known := true
	for range r.Map() {
		key := readKey(r, &seen)
		failIf(r, !seen.has(keySet(opCode)), CodeMalformed)
		switch {
		case key == opCode:
			op.Code = OpCode(r.Uint())
			shape, known = shapeOf(op.Code)
		case known:
			readOpField(r, key, &op, shape)
		default:
			r.Skip()
		}
	}
	if known {
		excess := seen & opKeys &^ (shape.required | shape.optional)
		failIf(r, !seen.has(shape.required) || excess != 0, CodeMalformed)
	}
	return op
}

func readOpField(r *cbor.Reader, key uint64, op *Op, shape opShape) {
	switch key {
	case opPath:
		op.Path = somePath(r)
	case opValue:
		op.Value = readOpValue(r)
	case opOld:
		op.Old = readOpValue(r)
	case opSplices:
		op.Splices = readSplices(r)
	case opReason:
		op.Reason = readWords(r, shape.optional.has(keySet(opReason)))
	case opText:
		op.Text = readWords(r, false)
	case opTo:
		someID(r, op.To[:])
	case opTarget:
		someID(r, op.Target[:])
	case opTime:
		op.TimeMS = someInt(r)
	case opHeads:
		op.Heads = readHeads(r)
	default:
		r.Skip()
	}
}

func readWords(r *cbor.Reader, optional bool) string {
	if optional {
		return someText(r, MaxTextValue)
	}
	return r.TextUpTo(MaxTextValue)
}

// readOpValue reads a value, none of whose texts is longer than MaxTextValue.
func readOpValue(r *cbor.Reader) cbor.Value {
	v := r.Value()
	failIf(r, v.Depth() > MaxValueDepth, CodeTooDeep)
	if v.Size() > MaxTextValue && !textsFit(v) {
		r.Fail(CodeTooLarge)
	}
	return v
}

// textsFit goes as deep as a value can be nested, MaxDepth.
func textsFit(v cbor.Value) bool {
	switch v.Kind() {
	case cbor.KindText:
		s, _ := v.AsText()
		return len(s) <= MaxTextValue
	case cbor.KindList:
		items, _ := v.AsList()
		for _, item := range items {
			if !textsFit(item) {
				return false
			}
		}
	case cbor.KindMap:
		pairs, _ := v.AsMap()
		for _, p := range pairs {
			if !textsFit(p.Value) {
				return false
			}
		}
	}
	return true
}

// appendSplices writes [numbers, words]: for each splice how far its position
// lies from the end of what the one before inserted, how many code points it
// deletes and how many it inserts; and what all of them insert, in one text. So
// words that were typed letter by letter compress like words (SPEC 3.7).
func appendSplices(b []byte, splices []text.Splice) []byte {
	b = cbor.AppendArray(b, 2)
	b = cbor.AppendArray(b, 3*len(splices))
	var words []byte
	cursor := 0
	for _, s := range splices {
		count := utf8.RuneCountInString(s.Ins)
		b = cbor.AppendInt(b, int64(s.Pos-cursor))
		b = cbor.AppendInt(b, int64(s.Del))
		b = cbor.AppendInt(b, int64(count))
		words = append(words, s.Ins...)
		cursor = s.Pos + count
	}
	return cbor.AppendText(b, string(words))
}

// readSplices refuses a splice that does nothing, and positions that no text
// within MaxNarrative has.
func readSplices(r *cbor.Reader) []text.Splice {
	tuple(r, 2)
	splices, counts := readNumbers(r)
	words := r.TextUpTo(MaxBodyBytes)
	for i, count := range counts {
		size, ok := bytesOf(words, count)
		if !ok {
			r.Fail(CodeMalformed)
			return nil
		}
		failIf(r, size > MaxSpliceText, CodeTooLarge)
		splices[i].Ins, words = words[:size], words[size:]
	}
	failIf(r, words != "", CodeMalformed)
	return splices
}

// bytesOf is how many bytes the first count code points of words take; false if
// words has fewer. Eight bytes of ASCII, which most prose is, go in one step.
func bytesOf(words string, count uint64) (int, bool) {
	size := 0
	for count > 0 {
		if count >= 8 && len(words)-size >= 8 && isASCII8(words[size:]) {
			size, count = size+8, count-8
			continue
		}
		if size == len(words) {
			return 0, false
		}
		_, n := utf8.DecodeRuneInString(words[size:])
		size, count = size+n, count-1
	}
	return size, true
}

// isASCII8 reports whether the first eight bytes of s are ASCII.
func isASCII8(s string) bool {
	_ = s[7]
	return (s[0]|s[1]|s[2]|s[3]|s[4]|s[5]|s[6]|s[7])&0x80 == 0
}

// readNumbers reads where splices go and what they delete, and how many code
// points each inserts.
func readNumbers(r *cbor.Reader) ([]text.Splice, []uint64) {
	n := someArray(r, 3*MaxSplices)
	failIf(r, n%3 != 0, CodeMalformed)
	if r.Err() != nil {
		return nil, nil
	}
	splices, counts := make([]text.Splice, n/3), make([]uint64, n/3)
	cursor := int64(0)
	for i := range splices {
		moved, deleted, count := r.Int(), r.Uint(), r.Uint()
		pos := cursor + moved
		if pos < 0 || pos > MaxNarrative || deleted > MaxNarrative || count > MaxNarrative {
			r.Fail(CodeBadPosition)
			return nil, nil
		}
		refuseIf(r, deleted == 0 && count == 0)
		splices[i] = text.Splice{Pos: int(pos), Del: int(deleted)}
		counts[i] = count
		cursor = pos + int64(count)
	}
	return splices, counts
}
