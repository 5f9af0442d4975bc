// Package cbor writes and reads the deterministic CBOR that Doorstep hashes and
// signs (RFC 8949 section 4.2.1, core deterministic encoding), restricted to
// integers, byte strings, text, arrays, maps, booleans and null. The Append
// functions write, a Reader reads and refuses everything that they would not
// write, and a Value is one item of any shape, kept as its encoding. The package
// knows no message.
package cbor

// MaxInt is the largest integer, and -MaxInt the smallest, that is written and
// read: 2^53-1, which every client can hold exactly.
const MaxInt = 1<<53 - 1

// MaxDepth is how deep arrays and maps may be nested. It bounds what a reader
// keeps in memory about what it has not finished.
const MaxDepth = 16

// maxLength bounds the length of a string and the count of a list, so that a
// length always fits an int.
const maxLength = 1<<31 - 1

// Major is the major type of an item, the top three bits of its first byte.
type Major uint8

const (
	MajorUint   Major = 0
	MajorNeg    Major = 1
	MajorBytes  Major = 2
	MajorText   Major = 3
	MajorArray  Major = 4
	MajorMap    Major = 5
	MajorTag    Major = 6 // never read
	MajorSimple Major = 7 // false, true, null
	MajorNone   Major = 8 // nothing follows, or the reader has failed
)

// The initial bytes of the three simple values.
const (
	byteFalse = 0xf4
	byteTrue  = 0xf5
	byteNull  = 0xf6
)

// Error says why bytes were refused.
type Error uint8

const (
	ErrTruncated    Error = 1 // the bytes end inside an item
	ErrTrailing     Error = 2 // bytes follow the last item
	ErrNotCanonical Error = 3 // indefinite or longer than needed, or map keys unsorted or doubled
	ErrTooDeep      Error = 4 // nested deeper than MaxDepth
	ErrTooLarge     Error = 5 // a length or count above what is allowed here
	ErrBadText      Error = 6 // text that is not UTF-8
	ErrBadNumber    Error = 7 // a float, or an integer outside ±MaxInt
	ErrUnexpected   Error = 8 // another type than the one asked for, or one that is never used
)

// Error returns a short English phrase without any of the bytes.
func (e Error) Error() string {
	switch e {
	case ErrTruncated:
		return "cbor: truncated"
	case ErrTrailing:
		return "cbor: trailing bytes"
	case ErrNotCanonical:
		return "cbor: not canonical"
	case ErrTooDeep:
		return "cbor: nested too deep"
	case ErrTooLarge:
		return "cbor: too large"
	case ErrBadText:
		return "cbor: text is not UTF-8"
	case ErrBadNumber:
		return "cbor: number not allowed"
	}
	return "cbor: unexpected type"
}
