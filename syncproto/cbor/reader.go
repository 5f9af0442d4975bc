package cbor

import (
	"bytes"
	"unicode/utf8"
	"unsafe"
)

// Reader reads items one after another and checks them as it goes: shortest
// forms, sorted and distinct map keys (unsigned integers or text), depth,
// lengths against the bytes that are left, UTF-8, integer range.
//
// The first error sticks: every later call returns a zero value, and Err or Done
// tells. So a codec reads field after field and asks once at the end; a count is
// 0 after an error, which ends its loops. Whoever opens an array or a map reads
// all of its items: n of an array, key and value n times of a map.
//
// A Reader allocates nothing and keeps the input, which must not change.
type Reader struct {
	data     []byte
	pos      int
	err      error
	depth    int // open arrays and maps
	textKeys bool
	shared   bool // texts share the input's memory
	open     [MaxDepth]container
}

// container is an array or map that has items left to read.
type container struct {
	left    int // items; keys and values count one each
	isMap   bool
	key     int // where the last key began and ended; end 0: none yet
	keyEnds int
}

// NewReader returns a reader at the start of b.
func NewReader(b []byte) *Reader { return &Reader{data: b} }

// Len returns how many bytes are left.
func (r *Reader) Len() int { return len(r.data) - r.pos }

// Err returns the first error, or nil.
func (r *Reader) Err() error { return r.err }

// Fail makes the reader fail with err, unless it has failed already. Codecs use
// it for what they check themselves.
func (r *Reader) Fail(err error) {
	if r.err == nil {
		r.err = err
	}
}

// Done returns the first error; ErrTrailing if bytes are left; ErrUnexpected if
// the items of an open array or map are left.
func (r *Reader) Done() error {
	switch {
	case r.err != nil:
	case r.depth > 0:
		r.err = ErrUnexpected
	case r.pos < len(r.data):
		r.err = ErrTrailing
	}
	return r.err
}

// Peek returns the major type of the next item, MajorNone if there is none.
func (r *Reader) Peek() Major {
	if r.err != nil || r.pos >= len(r.data) {
		return MajorNone
	}
	return Major(r.data[r.pos] >> 5)
}

// Uint reads an unsigned integer of at most MaxInt.
func (r *Reader) Uint() uint64 {
	start := r.pos
	arg, ok := r.want(MajorUint)
	if !ok {
		return 0
	}
	r.finish(start)
	return r.checked(arg)
}

// Int reads an integer within ±MaxInt.
func (r *Reader) Int() int64 {
	if r.Peek() != MajorNeg {
		return int64(r.Uint())
	}
	start := r.pos
	arg, ok := r.want(MajorNeg)
	if !ok {
		return 0
	}
	r.finish(start)
	return r.negative(arg)
}

// Bytes reads a byte string. The result aliases the input.
func (r *Reader) Bytes() []byte { return r.stringOf(MajorBytes, maxLength) }

// BytesUpTo reads a byte string of at most max bytes; a longer one is
// ErrTooLarge. The result aliases the input.
func (r *Reader) BytesUpTo(max int) []byte { return r.stringOf(MajorBytes, max) }

// BytesInto fills dst from a byte string of exactly that length; another length
// is ErrUnexpected.
func (r *Reader) BytesInto(dst []byte) {
	b := r.stringOf(MajorBytes, maxLength)
	if r.err != nil {
		return
	}
	if len(b) != len(dst) {
		r.Fail(ErrUnexpected)
		return
	}
	copy(dst, b)
}

// ShareTexts has the texts and values that are read from now on share the input's
// memory, as byte strings do: it must not be altered while one of them is in use, and all of it
// stays as long as one does.
func (r *Reader) ShareTexts() { r.shared = true }

// Text reads a text string.
func (r *Reader) Text() string { return r.TextUpTo(maxLength) }

// TextUpTo reads a text string of at most max bytes; a longer one is ErrTooLarge.
func (r *Reader) TextUpTo(max int) string {
	return r.asText(r.stringOf(MajorText, max))
}

func (r *Reader) asText(b []byte) string {
	if r.shared {
		return unsafe.String(unsafe.SliceData(b), len(b))
	}
	return string(b)
}

// Bool reads true or false.
func (r *Reader) Bool() bool {
	start := r.pos
	arg, ok := r.want(MajorSimple)
	if !ok {
		return false
	}
	if arg == byteNull&31 {
		r.Fail(ErrUnexpected)
		return false
	}
	r.finish(start)
	return arg == byteTrue&31
}

// Null reads a null if one is next, and reports whether it was.
func (r *Reader) Null() bool {
	if r.err != nil || r.pos >= len(r.data) || r.data[r.pos] != byteNull {
		return false
	}
	r.Skip()
	return r.err == nil
}

// Array opens an array and returns how many items follow. The count never
// exceeds the bytes that are left.
func (r *Reader) Array() int { return r.ArrayUpTo(maxLength) }

// ArrayUpTo is Array for at most max items; more are ErrTooLarge.
func (r *Reader) ArrayUpTo(max int) int {
	arg, ok := r.want(MajorArray)
	if !ok {
		return 0
	}
	return r.push(MajorArray, arg, max)
}

// Map opens a map and returns how many pairs follow. The count never exceeds
// half the bytes that are left.
func (r *Reader) Map() int {
	arg, ok := r.want(MajorMap)
	if !ok {
		return 0
	}
	return r.push(MajorMap, arg, maxLength)
}

// Skip reads one item of any type and shape, checked like any other.
func (r *Reader) Skip() {
	outer := r.depth
	r.item()
	for r.err == nil && r.depth > outer {
		r.item()
	}
}

// Raw reads one item of any type and shape and returns its bytes, which alias
// the input.
func (r *Reader) Raw() []byte {
	start := r.pos
	r.Skip()
	if r.err != nil {
		return nil
	}
	return r.data[start:r.pos:r.pos]
}

// Value reads one item of any type and shape, the keys of whose maps are text.
func (r *Reader) Value() Value {
	outer := r.textKeys
	r.textKeys = true
	raw := r.Raw()
	r.textKeys = outer
	if len(raw) == 1 && raw[0] == byteNull {
		return Value{}
	}
	return Value{enc: r.asText(raw)}
}

// item reads a scalar, or the head of an array or map.
func (r *Reader) item() {
	start := r.pos
	major, arg, ok := r.head()
	if !ok {
		return
	}
	switch major {
	case MajorUint:
		r.checked(arg)
	case MajorNeg:
		r.negative(arg)
	case MajorBytes, MajorText:
		r.take(major, arg, maxLength)
	case MajorArray, MajorMap:
		r.push(major, arg, maxLength)
		return
	}
	r.finish(start)
}

// stringOf reads a byte or text string of at most max bytes.
func (r *Reader) stringOf(major Major, max int) []byte {
	start := r.pos
	arg, ok := r.want(major)
	if !ok {
		return nil
	}
	b := r.take(major, arg, max)
	r.finish(start)
	return b
}

// want reads a head and refuses it if it is not of the major type.
func (r *Reader) want(major Major) (uint64, bool) {
	got, arg, ok := r.head()
	if ok && got != major {
		r.Fail(ErrUnexpected)
		return 0, false
	}
	return arg, ok
}

// head reads the first byte of an item and its argument.
func (r *Reader) head() (Major, uint64, bool) {
	if r.err != nil {
		return MajorNone, 0, false
	}
	if r.pos >= len(r.data) {
		r.Fail(ErrTruncated)
		return MajorNone, 0, false
	}
	first := r.data[r.pos]
	major := Major(first >> 5)
	r.pos++
	if major == MajorSimple {
		return r.simple(first)
	}
	if major == MajorTag || !r.allowedHere(major) {
		r.Fail(ErrUnexpected)
		return MajorNone, 0, false
	}
	arg := r.argument(first & 31)
	return major, arg, r.err == nil
}

// simple accepts false, true and null; their argument is the low five bits.
func (r *Reader) simple(first byte) (Major, uint64, bool) {
	switch {
	case first >= 0xf9 && first <= 0xfb: // half, single and double floats
		r.Fail(ErrBadNumber)
	case first < byteFalse || first > byteNull || !r.allowedHere(MajorSimple):
		r.Fail(ErrUnexpected)
	}
	return MajorSimple, uint64(first & 31), r.err == nil
}

// allowedHere refuses map keys that are neither unsigned integers nor text.
func (r *Reader) allowedHere(major Major) bool {
	if !r.atKey() {
		return true
	}
	return major == MajorText || (major == MajorUint && !r.textKeys)
}

// atKey reports whether the next item is the key of a map.
func (r *Reader) atKey() bool {
	if r.depth == 0 {
		return false
	}
	top := &r.open[r.depth-1]
	return top.isMap && top.left%2 == 0
}

// argument reads the number that follows the low five bits of a first byte.
func (r *Reader) argument(low byte) uint64 {
	if low < 24 {
		return uint64(low)
	}
	if low > 27 { // reserved, or indefinite length
		r.Fail(ErrNotCanonical)
		return 0
	}
	size := 1 << (low - 24)
	if r.Len() < size {
		r.Fail(ErrTruncated)
		return 0
	}
	var arg uint64
	for _, c := range r.data[r.pos : r.pos+size] {
		arg = arg<<8 | uint64(c)
	}
	r.pos += size
	smallest := uint64(24)
	if size > 1 {
		smallest = 1 << (4 * size)
	}
	if arg < smallest { // would have fitted a shorter form
		r.Fail(ErrNotCanonical)
		return 0
	}
	return arg
}

// checked refuses an integer above MaxInt.
func (r *Reader) checked(v uint64) uint64 {
	if v > MaxInt {
		r.Fail(ErrBadNumber)
		return 0
	}
	return v
}

// negative returns -1-arg, refusing what is below -MaxInt.
func (r *Reader) negative(arg uint64) int64 {
	if arg >= MaxInt {
		r.Fail(ErrBadNumber)
		return 0
	}
	return -1 - int64(arg)
}

// take returns the n bytes of a string, after checking that they are there.
func (r *Reader) take(major Major, n uint64, max int) []byte {
	if n > uint64(max) {
		r.Fail(ErrTooLarge)
		return nil
	}
	if n > uint64(r.Len()) {
		r.Fail(ErrTruncated)
		return nil
	}
	end := r.pos + int(n)
	b := r.data[r.pos:end:end]
	r.pos = end
	if major == MajorText && !utf8.Valid(b) {
		r.Fail(ErrBadText)
		return nil
	}
	return b
}

// push opens an array or map of n items or pairs, after checking depth and
// count against what is left.
func (r *Reader) push(major Major, n uint64, max int) int {
	items := n
	if major == MajorMap {
		items = 2 * n
	}
	switch {
	case r.depth == MaxDepth:
		r.Fail(ErrTooDeep)
	case n > uint64(max):
		r.Fail(ErrTooLarge)
	case items > uint64(r.Len()):
		r.Fail(ErrTruncated)
	}
	if r.err != nil {
		return 0
	}
	if n == 0 {
		r.finish(r.pos)
		return 0
	}
	r.open[r.depth] = container{left: int(items), isMap: major == MajorMap}
	r.depth++
	return int(n)
}

// finish counts an item that began at start, and every array or map that it
// completes. A key must be greater than the key before it.
func (r *Reader) finish(start int) {
	if r.err != nil {
		return
	}
	if r.atKey() {
		top := &r.open[r.depth-1]
		if top.keyEnds > 0 && bytes.Compare(r.data[top.key:top.keyEnds], r.data[start:r.pos]) >= 0 {
			r.Fail(ErrNotCanonical)
			return
		}
		top.key, top.keyEnds = start, r.pos
	}
	for r.depth > 0 {
		top := &r.open[r.depth-1]
		top.left--
		if top.left > 0 {
			return
		}
		r.depth--
	}
}
