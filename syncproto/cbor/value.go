package cbor

import (
	"strings"

	"doorstep/syncproto/sorting"
)

// Value is one item of any shape: null, a boolean, an integer, text, bytes, a
// list, or a map with text keys. It is kept as its canonical encoding, so it is
// immutable, small, and equal to another exactly if == says so. The zero Value
// is null.
//
// The constructors do not check what they are given; a value with an integer
// outside ±MaxInt, ill-formed text or too much depth is refused by every Reader,
// and Check says so beforehand.
type Value struct {
	enc string // canonical CBOR; empty: null
}

const (
	nullEncoding = "\xf6"
	trueEncoding = "\xf5"
)

// Kind is the type of a Value.
type Kind uint8

const (
	KindNull  Kind = 0
	KindBool  Kind = 1
	KindInt   Kind = 2
	KindText  Kind = 3
	KindBytes Kind = 4
	KindList  Kind = 5
	KindMap   Kind = 6
)

// Pair is one entry of a map value.
type Pair struct {
	Key   string
	Value Value
}

// Null returns the null value.
func Null() Value { return Value{} }

// Bool returns a boolean value.
func Bool(v bool) Value { return valueOf(AppendBool(nil, v)) }

// Int returns an integer value.
func Int(v int64) Value { return valueOf(AppendInt(nil, v)) }

// Text returns a text value.
func Text(s string) Value { return valueOf(AppendText(nil, s)) }

// Bytes returns a byte string value.
func Bytes(b []byte) Value { return valueOf(AppendBytes(nil, b)) }

// List returns a list value.
func List(vs ...Value) Value {
	b := AppendArray(nil, len(vs))
	for _, v := range vs {
		b = AppendValue(b, v)
	}
	return valueOf(b)
}

// Map returns a map value, its keys in canonical order (shorter first, then
// bytewise). Of two pairs with the same key the later one counts.
func Map(pairs ...Pair) Value {
	sorted := make([]Pair, len(pairs))
	copy(sorted, pairs)
	sorting.By(sorted, func(a, b *Pair) int { return compareKeys(a.Key, b.Key) })
	distinct := sorted[:0]
	for _, p := range sorted {
		if n := len(distinct); n > 0 && distinct[n-1].Key == p.Key {
			distinct[n-1] = p
			continue
		}
		distinct = append(distinct, p)
	}
	b := AppendMap(nil, len(distinct))
	for _, p := range distinct {
		b = AppendText(b, p.Key)
		b = AppendValue(b, p.Value)
	}
	return valueOf(b)
}

// ParseValue reads a value from exactly these bytes; the error is an Error.
func ParseValue(b []byte) (Value, error) {
	r := NewReader(b)
	v := r.Value()
	if err := r.Done(); err != nil {
		return Value{}, err
	}
	return v, nil
}

// Check returns the Error that reading the value back would give, or nil.
func (v Value) Check() error {
	_, err := ParseValue(v.Encode())
	return err
}

// Encode returns the value's canonical CBOR.
func (v Value) Encode() []byte { return AppendValue(nil, v) }

// Size returns the length of Encode in bytes.
func (v Value) Size() int { return max(len(v.enc), 1) }

// Depth returns how deep lists and maps are nested in the value: 0 for anything
// else, 1 for a list of numbers.
func (v Value) Depth() int {
	deepest := 0
	r := v.reader()
	for r.err == nil && r.Len() > 0 {
		if next := r.Peek(); next == MajorArray || next == MajorMap {
			deepest = max(deepest, r.depth+1)
		}
		r.item()
	}
	return deepest
}

// Equal reports whether two values have the same encoding.
func (v Value) Equal(w Value) bool { return v == w }

// Compare orders values bytewise by their encoding.
func Compare(v, w Value) int { return strings.Compare(v.ordered(), w.ordered()) }

// ordered is the encoding as a string, null included.
func (v Value) ordered() string {
	if v.enc == "" {
		return nullEncoding
	}
	return v.enc
}

// Kind returns the value's type.
func (v Value) Kind() Kind {
	if v.enc == "" {
		return KindNull
	}
	switch Major(v.enc[0] >> 5) {
	case MajorUint, MajorNeg:
		return KindInt
	case MajorBytes:
		return KindBytes
	case MajorText:
		return KindText
	case MajorArray:
		return KindList
	case MajorMap:
		return KindMap
	}
	return KindBool
}

// IsNull reports whether the value is null.
func (v Value) IsNull() bool { return v.enc == "" }

// AsBool returns a boolean value's content; ok is false for any other kind.
func (v Value) AsBool() (value, ok bool) {
	return v.enc == trueEncoding, v.Kind() == KindBool
}

// AsInt returns an integer value's content; ok is false for any other kind and
// for an integer outside ±MaxInt.
func (v Value) AsInt() (int64, bool) {
	if v.Kind() != KindInt {
		return 0, false
	}
	r := v.reader()
	i := r.Int()
	return i, r.Done() == nil
}

// AsText returns a text value's content; ok is false for any other kind and for
// ill-formed text.
func (v Value) AsText() (string, bool) {
	if v.Kind() != KindText {
		return "", false
	}
	r := v.reader()
	s := r.Text()
	return s, r.Done() == nil
}

// AsBytes returns a copy of a byte string value's content; ok is false for any
// other kind.
func (v Value) AsBytes() ([]byte, bool) {
	if v.Kind() != KindBytes {
		return nil, false
	}
	r := v.reader()
	b := r.Bytes()
	return b, r.Done() == nil
}

// AsList returns a list value's items; ok is false for any other kind.
func (v Value) AsList() ([]Value, bool) {
	if v.Kind() != KindList {
		return nil, false
	}
	r := v.reader()
	n := r.Array()
	items := make([]Value, 0, n)
	for range n {
		items = append(items, r.Value())
	}
	return items, r.Done() == nil
}

// AsMap returns a map value's pairs in canonical order; ok is false for any
// other kind.
func (v Value) AsMap() ([]Pair, bool) {
	if v.Kind() != KindMap {
		return nil, false
	}
	r := v.reader()
	n := r.Map()
	pairs := make([]Pair, 0, n)
	for range n {
		key := r.Text()
		pairs = append(pairs, Pair{Key: key, Value: r.Value()})
	}
	return pairs, r.Done() == nil
}

// Get returns the value under a key of a map value; ok is false if the value is
// no map or has no such key.
func (v Value) Get(key string) (Value, bool) {
	if v.Kind() != KindMap {
		return Value{}, false
	}
	r := v.reader()
	for range r.Map() {
		found := string(r.stringOf(MajorText, maxLength)) == key
		if value := r.Raw(); found && r.err == nil {
			return valueOf(value), true
		}
	}
	return Value{}, false
}

func (v Value) reader() *Reader { return NewReader([]byte(v.enc)) }

// valueOf keeps a copy of an encoding; null is kept as the empty string, so that
// equal values are == whatever way they were made.
func valueOf(enc []byte) Value {
	if len(enc) == 1 && enc[0] == byteNull {
		return Value{}
	}
	return Value{enc: string(enc)}
}

// compareKeys orders text keys as their encodings: by length, then bytewise.
func compareKeys(a, b string) int {
	if len(a) != len(b) {
		return len(a) - len(b)
	}
	return strings.Compare(a, b)
}
