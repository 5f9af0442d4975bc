package syncproto

import (
	"doorstep/syncproto/cbor"
)

// Keys of a body (SPEC 3.2). All are required. Keys 1 to 15 keep their number,
// type and meaning in every later version.
const (
	bodyVersion       = 1
	bodyBorough       = 2
	bodyFamily        = 3
	bodyRecord        = 4
	bodyKind          = 5
	bodySchemaVersion = 6
	bodyActor         = 7
	bodySeq           = 8
	bodySalt          = 9
	bodyDeps          = 10
	bodyTime          = 11
	bodyOffset        = 12
	bodyMonotonic     = 13
	bodyAuthor        = 14
	bodyCapture       = 15
	bodyOps           = 16
)

// maxOffsetMin bounds a UTC offset: no place on earth is a day away.
const maxOffsetMin = 24 * 60

// EncodeBody returns the deterministic CBOR of a body. It refuses with a Code
// whatever DecodeChange would refuse, and with CodeNewerApp what it would take
// for a newer app's: deps and heads must be sorted, limits kept, ids given.
func EncodeBody(b *Body) ([]byte, error) {
	if len(b.Deps) > MaxDeps {
		return nil, CodeTooManyDeps
	}
	if len(b.Ops) > MaxOps {
		return nil, CodeTooLarge
	}
	raw := appendBody(make([]byte, 0, 512), b)
	read, err := decodeBody(raw, cbor.NewReader(raw))
	if err != nil {
		return nil, err
	}
	if read.NewerApp {
		return nil, CodeNewerApp
	}
	return raw, nil
}

func appendBody(buf []byte, b *Body) []byte {
	f := openFields(buf)
	f.key(bodyVersion)
	f.b = cbor.AppendUint(f.b, b.Version)
	f.key(bodyBorough)
	f.b = cbor.AppendText(f.b, b.Borough)
	f.key(bodyFamily)
	f.b = cbor.AppendBytes(f.b, b.Family[:])
	f.key(bodyRecord)
	f.b = cbor.AppendBytes(f.b, b.Record[:])
	f.key(bodyKind)
	f.b = cbor.AppendText(f.b, b.Kind)
	f.key(bodySchemaVersion)
	f.b = cbor.AppendUint(f.b, b.SchemaVersion)
	f.key(bodyActor)
	f.b = cbor.AppendBytes(f.b, b.Actor[:])
	f.key(bodySeq)
	f.b = cbor.AppendUint(f.b, b.Seq)
	f.key(bodySalt)
	f.b = cbor.AppendBytes(f.b, b.Salt[:])
	f.key(bodyDeps)
	f.b = appendChangeIDs(f.b, b.Deps)
	f.key(bodyTime)
	f.b = cbor.AppendInt(f.b, b.TimeMS)
	f.key(bodyOffset)
	f.b = cbor.AppendInt(f.b, b.OffsetMin)
	f.key(bodyMonotonic)
	f.b = cbor.AppendUint(f.b, b.MonotonicMS)
	f.key(bodyAuthor)
	f.b = cbor.AppendBytes(f.b, b.Author[:])
	f.key(bodyCapture)
	f.b = cbor.AppendUint(f.b, uint64(b.Capture))
	f.key(bodyOps)
	f.b = cbor.AppendArray(f.b, len(b.Ops))
	for i := range b.Ops {
		f.b = appendOp(f.b, &b.Ops[i])
	}
	return f.b
}

// DecodeChange reads a change from its prev and the bytes of its body, which it
// keeps and which must not be altered later.
//
// It fails with a Code for everything that EncodeBody would not have written
// (SPEC 4), except what a newer app may have written: unknown keys are ignored,
// and an unknown body version, capture mode or op sets NewerApp instead.
func DecodeChange(prev ChangeID, raw []byte) (*Change, error) {
	return readChange(prev, raw, cbor.NewReader(raw))
}

// DecodePassing is DecodeChange for whoever looks at a change once and lets it go,
// as a server does: texts and values share raw's memory and keep all of it in use.
func DecodePassing(prev ChangeID, raw []byte) (*Change, error) {
	r := cbor.NewReader(raw)
	r.ShareTexts()
	return readChange(prev, raw, r)
}

func readChange(prev ChangeID, raw []byte, r *cbor.Reader) (*Change, error) {
	body, err := decodeBody(raw, r)
	if err != nil {
		return nil, err
	}
	c := &Change{ID: ComputeID(prev, raw), Prev: prev, Raw: raw, Body: *body}
	for _, dep := range body.Deps {
		if dep == c.ID {
			return nil, CodeSelfDep
		}
	}
	return c, nil
}

func decodeBody(raw []byte, r *cbor.Reader) (*Body, error) {
	if len(raw) == 0 {
		return nil, CodeEmpty
	}
	if len(raw) > MaxBodyBytes {
		return nil, CodeTooLarge
	}
	var b Body
	var seen keys
	for range r.Map() {
		readBodyField(r, readKey(r, &seen), &b)
	}
	if err := r.Done(); err != nil {
		return nil, codeOf(err)
	}
	const all = 1<<(bodyOps+1) - 2 // keys 1 to 16
	if !seen.has(all) {
		return nil, CodeMalformed
	}
	return &b, nil
}

func readBodyField(r *cbor.Reader, key uint64, b *Body) {
	switch key {
	case bodyVersion:
		b.Version = r.Uint()
		refuseIf(r, b.Version == 0)
		b.NewerApp = b.Version > BodyVersion
	case bodyBorough:
		b.Borough = someText(r, MaxName)
	case bodyFamily:
		readName(r, b.Family[:])
	case bodyRecord:
		readName(r, b.Record[:])
	case bodyKind:
		b.Kind = someText(r, MaxName)
	case bodySchemaVersion:
		b.SchemaVersion = r.Uint()
	case bodyActor:
		readName(r, b.Actor[:])
	case bodySeq:
		b.Seq = r.Uint()
		failIf(r, b.Seq == 0, CodeBadNumber)
	case bodySalt:
		r.BytesInto(b.Salt[:])
	case bodyDeps:
		b.Deps = readDeps(r)
	case bodyTime:
		b.TimeMS = r.Int()
	case bodyOffset:
		b.OffsetMin = r.Int()
		failIf(r, b.OffsetMin < -maxOffsetMin || b.OffsetMin > maxOffsetMin, CodeBadNumber)
	case bodyMonotonic:
		b.MonotonicMS = r.Uint()
	case bodyAuthor:
		readName(r, b.Author[:])
	case bodyCapture:
		readCapture(r, b)
	case bodyOps:
		readOps(r, b)
	default:
		r.Skip()
	}
}

func readDeps(r *cbor.Reader) []ChangeID {
	n := r.Array()
	if n > MaxDeps {
		r.Fail(CodeTooManyDeps)
		return nil
	}
	return readSorted(r, n, CodeSelfDep)
}

// readCapture takes a mode that is not known here for a newer app's: the words
// are held, not lost.
func readCapture(r *cbor.Reader, b *Body) {
	v := r.Uint()
	if v > uint64(CaptureImported) {
		b.NewerApp = true
		return
	}
	b.Capture = CaptureMode(v)
}

// readOps leaves the ops of a newer version alone: only their CBOR is checked.
func readOps(r *cbor.Reader, b *Body) {
	if b.Version > BodyVersion {
		r.Skip()
		return
	}
	n := r.ArrayUpTo(MaxOps)
	if n == 0 {
		return
	}
	b.Ops = make([]Op, n)
	for i := range b.Ops {
		b.Ops[i] = readOp(r)
		if _, known := shapeOf(b.Ops[i].Code); !known {
			b.NewerApp = true
		}
	}
}
