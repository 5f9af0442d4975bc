package syncproto

import (
	"slices"

	"doorstep/syncproto/cbor"
)

// The codecs of this package share one shape (SPEC 4): a structure is a map with
// small unsigned keys in rising order. A key that is required is always there;
// any other is there exactly when its value is not zero or empty. Keys that a
// decoder does not know are checked, kept in the bytes, and ignored.

// fields writes such a map. It has fewer than 24 keys, so that its head is one
// byte, into which the keys are counted as they come.
type fields struct {
	b  []byte
	at int // of the head
}

func openFields(b []byte) *fields {
	return &fields{b: cbor.AppendMap(b, 0), at: len(b)}
}

// key starts a pair; the caller appends its value to b.
func (f *fields) key(k uint64) {
	f.b[f.at]++
	f.b = cbor.AppendUint(f.b, k)
}

// The methods below write a pair, or nothing if the value is zero.

func (f *fields) uint(k, v uint64) {
	if v != 0 {
		f.key(k)
		f.b = cbor.AppendUint(f.b, v)
	}
}

func (f *fields) int(k uint64, v int64) {
	if v != 0 {
		f.key(k)
		f.b = cbor.AppendInt(f.b, v)
	}
}

func (f *fields) text(k uint64, v string) {
	if v != "" {
		f.key(k)
		f.b = cbor.AppendText(f.b, v)
	}
}

func (f *fields) bytes(k uint64, v []byte) {
	if len(v) > 0 {
		f.key(k)
		f.b = cbor.AppendBytes(f.b, v)
	}
}

// id writes an identifier or a hash, unless it is all zero.
func (f *fields) id(k uint64, v []byte) {
	if !isZero(v) {
		f.bytes(k, v)
	}
}

func (f *fields) ids(k uint64, v []ChangeID) {
	if len(v) > 0 {
		f.key(k)
		f.b = appendChangeIDs(f.b, v)
	}
}

func (f *fields) heads(k uint64, v []RecordHeads) {
	if len(v) > 0 {
		f.key(k)
		f.b = appendHeads(f.b, v)
	}
}

func (f *fields) path(k uint64, p Path) {
	if p != (Path{}) {
		f.key(k)
		f.b = appendPath(f.b, p)
	}
}

func isZero(b []byte) bool {
	for _, c := range b {
		if c != 0 {
			return false
		}
	}
	return true
}

// keys is the set of keys that a map had.
type keys uint64

func keySet(ks ...uint64) keys {
	var s keys
	for _, k := range ks {
		s |= 1 << k
	}
	return s
}

func (s keys) has(all keys) bool { return s&all == all }

// readKey reads a map's next key and notes it. Keys above 63 are noted as 63,
// which no structure uses.
func readKey(r *cbor.Reader, seen *keys) uint64 {
	k := r.Uint()
	*seen |= 1 << min(k, 63)
	return k
}

// The functions named some read a value that is only written when it is not
// zero or empty; they refuse zero.

func someUint(r *cbor.Reader) uint64 {
	v := r.Uint()
	refuseIf(r, v == 0)
	return v
}

func someInt(r *cbor.Reader) int64 {
	v := r.Int()
	refuseIf(r, v == 0)
	return v
}

func someText(r *cbor.Reader, max int) string {
	v := r.TextUpTo(max)
	refuseIf(r, v == "")
	return v
}

func someBytes(r *cbor.Reader, max int) []byte {
	v := r.BytesUpTo(max)
	refuseIf(r, len(v) == 0)
	return slices.Clone(v)
}

func someID(r *cbor.Reader, dst []byte) {
	r.BytesInto(dst)
	refuseIf(r, isZero(dst))
}

func someArray(r *cbor.Reader, max int) int {
	n := r.ArrayUpTo(max)
	refuseIf(r, n == 0)
	return n
}

func refuseIf(r *cbor.Reader, empty bool) { failIf(r, empty, CodeNotCanonical) }

func failIf(r *cbor.Reader, bad bool, code Code) {
	if bad {
		r.Fail(code)
	}
}

// readName reads an id that must name something.
func readName(r *cbor.Reader, dst []byte) {
	r.BytesInto(dst)
	failIf(r, isZero(dst), CodeBadID)
}

// smallUint reads a number that must fit a small enumeration.
func smallUint(r *cbor.Reader, max uint64) uint64 {
	v := r.Uint()
	if v > max {
		r.Fail(CodeNewerApp)
		return 0
	}
	return v
}

// readIDs reads a sorted list of distinct ids, at most max.
func readIDs(r *cbor.Reader, max int) []ChangeID {
	return readSorted(r, r.ArrayUpTo(max), CodeNotCanonical)
}

// readSorted reads n ids and fails with unsorted unless each is greater than
// the one before.
func readSorted(r *cbor.Reader, n int, unsorted Code) []ChangeID {
	if n == 0 {
		return nil
	}
	ids := make([]ChangeID, n)
	for i := range ids {
		r.BytesInto(ids[i][:])
		if i > 0 && CompareChangeID(ids[i-1], ids[i]) >= 0 {
			r.Fail(unsorted)
		}
	}
	return ids
}

// appendHeads writes [[record, [head, ...]], ...].
func appendHeads(b []byte, heads []RecordHeads) []byte {
	return appendList(b, heads, appendRecordHeads)
}

func appendRecordHeads(b []byte, h *RecordHeads) []byte {
	b = cbor.AppendArray(b, 2)
	b = cbor.AppendBytes(b, h.Record[:])
	return appendChangeIDs(b, h.Heads)
}

// readHeads reads what appendHeads writes: at least one record, the records
// sorted and distinct.
func readHeads(r *cbor.Reader) []RecordHeads {
	heads := make([]RecordHeads, someArray(r, MaxSealRecords))
	for i := range heads {
		heads[i] = readRecordHeads(r)
		if i > 0 && slices.Compare(heads[i-1].Record[:], heads[i].Record[:]) >= 0 {
			r.Fail(CodeNotCanonical)
		}
	}
	return heads
}

// readRecordHeads reads one record and its heads, at least one.
func readRecordHeads(r *cbor.Reader) (h RecordHeads) {
	tuple(r, 2)
	readName(r, h.Record[:])
	h.Heads = readIDs(r, MaxDeps)
	failIf(r, len(h.Heads) == 0, CodeNotCanonical)
	return h
}

// appendPath writes [], [field], [field, element] or [field, element, sub].
func appendPath(b []byte, p Path) []byte {
	n := pathLength(p)
	b = cbor.AppendArray(b, n)
	if n > 0 {
		b = cbor.AppendText(b, p.Field)
	}
	if n > 1 {
		b = cbor.AppendBytes(b, p.Element[:])
	}
	if n > 2 {
		b = cbor.AppendText(b, p.Sub)
	}
	return b
}

func pathLength(p Path) int {
	switch {
	case p.Sub != "":
		return 3
	case !p.Element.IsZero():
		return 2
	case p.Field != "":
		return 1
	}
	return 0
}

// readPath refuses a path with an empty part.
func readPath(r *cbor.Reader) (p Path) {
	n := r.ArrayUpTo(3)
	if n > 0 {
		p.Field = someText(r, MaxName)
	}
	if n > 1 {
		readName(r, p.Element[:])
	}
	if n > 2 {
		p.Sub = someText(r, MaxName)
	}
	return p
}

// somePath reads a path that names at least a field.
func somePath(r *cbor.Reader) Path {
	p := readPath(r)
	refuseIf(r, p == Path{})
	return p
}

// codeOf turns what a cbor.Reader says into a Code; nil stays nil.
func codeOf(err error) error {
	switch e := err.(type) {
	case nil:
		return nil
	case Code:
		return e
	case cbor.Error:
		return codeOfCBOR(e)
	}
	return CodeMalformed
}

func codeOfCBOR(e cbor.Error) Code {
	switch e {
	case cbor.ErrNotCanonical:
		return CodeNotCanonical
	case cbor.ErrTooDeep:
		return CodeTooDeep
	case cbor.ErrTooLarge:
		return CodeTooLarge
	case cbor.ErrBadText:
		return CodeBadText
	case cbor.ErrBadNumber:
		return CodeBadNumber
	}
	return CodeMalformed // truncated, trailing bytes, another type
}
