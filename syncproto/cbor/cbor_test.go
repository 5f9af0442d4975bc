package cbor

import (
	"bytes"
	"encoding/hex"
	"errors"
	"runtime"
	"strings"
	"testing"
)

// parse reads one item of any shape from exactly these bytes.
func parse(b []byte) error {
	r := NewReader(b)
	r.Skip()
	return r.Done()
}

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestRefused(t *testing.T) {
	tests := []struct {
		name, hex string
		want      Error
	}{
		{"empty", "", ErrTruncated},
		{"array cut before its item", "81", ErrTruncated},
		{"array cut inside", "820102 03", ErrTrailing},
		{"array of two with one", "8201", ErrTruncated},
		{"map of one without value", "a101", ErrTruncated},
		{"text cut", "6461", ErrTruncated},
		{"head cut", "19ff", ErrTruncated},
		{"trailing byte", "0100", ErrTrailing},
		{"uint 10 in two bytes", "180a", ErrNotCanonical},
		{"uint 255 in three bytes", "1900ff", ErrNotCanonical},
		{"uint 65535 in five bytes", "1a0000ffff", ErrNotCanonical},
		{"uint 2^32-1 in nine bytes", "1b00000000ffffffff", ErrNotCanonical},
		{"text length not minimal", "780161", ErrNotCanonical},
		{"array count not minimal", "980101", ErrNotCanonical},
		{"indefinite array", "9f01ff", ErrNotCanonical},
		{"indefinite map", "bf0101ff", ErrNotCanonical},
		{"indefinite text", "7f6161ff", ErrNotCanonical},
		{"indefinite bytes", "5f4161ff", ErrNotCanonical},
		{"reserved length 28", "1c", ErrNotCanonical},
		{"break alone", "ff", ErrUnexpected},
		{"duplicate uint keys", "a2 0101 0102", ErrNotCanonical},
		{"duplicate text keys", "a2 616101 616102", ErrNotCanonical},
		{"uint keys unsorted", "a2 0201 0102", ErrNotCanonical},
		{"text keys unsorted", "a2 616201 616102", ErrNotCanonical},
		{"longer text key first", "a2 62616101 616202", ErrNotCanonical},
		{"text key before uint key", "a2 616101 0102", ErrNotCanonical},
		{"unsorted keys one level down", "81a202010101", ErrNotCanonical},
		{"array as key", "a1 80 01", ErrUnexpected},
		{"bytes as key", "a1 4101 01", ErrUnexpected},
		{"null as key", "a1 f6 01", ErrUnexpected},
		{"negative key", "a1 20 01", ErrUnexpected},
		{"tag", "c001", ErrUnexpected},
		{"undefined", "f7", ErrUnexpected},
		{"simple 16", "f0", ErrUnexpected},
		{"simple 255", "f8ff", ErrUnexpected},
		{"lone continuation byte", "6180", ErrBadText},
		{"surrogate in text", "63eda080", ErrBadText},
		{"overlong slash", "62c0af", ErrBadText},
		{"text length 2^40", "7b0000010000000000", ErrTooLarge},
	}
	for _, tt := range tests {
		if got := parse(unhex(t, tt.hex)); got != tt.want {
			t.Errorf("%s (%s): got %v, want %v", tt.name, tt.hex, got, tt.want)
		}
	}
}

func TestFault11Numbers(t *testing.T) {
	refused := map[string]string{
		"half 1.0":      "f93c00",
		"half -0":       "f98000",
		"half NaN":      "f97e00",
		"half Inf":      "f97c00",
		"single Inf":    "fa7f800000",
		"double NaN":    "fb7ff8000000000000",
		"double -0":     "fb8000000000000000",
		"2^53":          "1b0020000000000000",
		"2^53+1":        "1b0020000000000001",
		"2^64-1":        "1bffffffffffffffff",
		"-2^53":         "3b001fffffffffffff",
		"-2^64":         "3bffffffffffffffff",
		"2^53 in a map": "a1011b0020000000000000",
	}
	for name, h := range refused {
		if got := parse(unhex(t, h)); got != ErrBadNumber {
			t.Errorf("%s: got %v, want %v", name, got, ErrBadNumber)
		}
		r := NewReader(unhex(t, h))
		if r.Peek() != MajorMap {
			if r.Int(); r.Err() != ErrBadNumber {
				t.Errorf("%s read by Int: got %v, want %v", name, r.Err(), ErrBadNumber)
			}
		}
	}
	for _, want := range []int64{0, -1, 23, 24, -24, -25, 255, 256, 65535, 65536, 1 << 32, MaxInt, -MaxInt} {
		r := NewReader(AppendInt(nil, want))
		if got := r.Int(); got != want || r.Done() != nil {
			t.Errorf("Int %d: got %d, error %v", want, got, r.Err())
		}
	}
}

func TestFault05Depth(t *testing.T) {
	nested := func(depth int) []byte {
		return append(bytes.Repeat([]byte{0x81}, depth), 0x01)
	}
	if err := parse(nested(MaxDepth)); err != nil {
		t.Errorf("depth %d: got %v, want none", MaxDepth, err)
	}
	for _, depth := range []int{17, 10_000} {
		b := nested(depth)
		allocated := testing.AllocsPerRun(10, func() { NewReader(b).Skip() })
		if err := parse(b); err != ErrTooDeep {
			t.Errorf("depth %d: got %v, want %v", depth, err, ErrTooDeep)
		}
		if allocated > 1 { // the reader itself
			t.Errorf("depth %d: %v allocations, want at most 1", depth, allocated)
		}
	}
	maps := append(bytes.Repeat([]byte{0xa1, 0x01}, 17), 0x01)
	if err := parse(maps); err != ErrTooDeep {
		t.Errorf("17 maps: got %v, want %v", err, ErrTooDeep)
	}
}

func TestFault06HugeArrayHeader(t *testing.T) {
	for _, h := range []string{
		"9b0000010000000000", // array of 2^40
		"bb0000010000000000", // map of 2^40
		"5b0000010000000000", // bytes of 2^40
		"9a7fffffff",         // array of 2^31-1
		"ba7fffffff",         // map of 2^31-1
		"5a7fffffff",         // bytes of 2^31-1
	} {
		b := unhex(t, h)
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, err := ParseValue(b)
		r := NewReader(b)
		n := r.Array() + r.Map() + len(r.Bytes())
		runtime.ReadMemStats(&after)
		if err == nil || n != 0 {
			t.Errorf("%s: got count %d, error %v, want 0 and a refusal", h, n, err)
		}
		if grown := after.TotalAlloc - before.TotalAlloc; grown > 64<<10 {
			t.Errorf("%s: %d bytes allocated, want under 64 KiB", h, grown)
		}
	}
}

func TestFault03TruncationAtEveryByte(t *testing.T) {
	whole := sample().Encode()
	for n := range whole {
		if err := parse(whole[:n]); err != ErrTruncated {
			t.Errorf("cut at %d of %d: got %v, want %v", n, len(whole), err, ErrTruncated)
		}
	}
	if err := parse(append(whole, 0)); err != ErrTrailing {
		t.Errorf("one more byte: got %v, want %v", err, ErrTrailing)
	}
}

// sample has every kind of item and every size of head that fits a test.
func sample() Value {
	return Map(
		Pair{"words", Text("Er sagte: „nein“ 👨‍👩‍👧")},
		Pair{"long", Text(strings.Repeat("x", 300))},
		Pair{"bytes", Bytes([]byte{0, 1, 255})},
		Pair{"numbers", List(Int(0), Int(-1), Int(500), Int(70000), Int(1<<40), Int(-MaxInt))},
		Pair{"flags", List(Bool(true), Bool(false), Null())},
		Pair{"", Map(Pair{"a", List()}, Pair{"b", Map()})},
	)
}

func TestStickyError(t *testing.T) {
	r := NewReader(unhex(t, "83 01 6161 03"))
	if n := r.Array(); n != 3 {
		t.Fatalf("Array: got %d, want 3", n)
	}
	r.Uint()
	r.Bytes() // text follows
	r.Uint()
	if got := r.Done(); got != ErrUnexpected {
		t.Errorf("got %v, want %v", got, ErrUnexpected)
	}
	if r.Peek() != MajorNone {
		t.Errorf("Peek after an error: got %v, want MajorNone", r.Peek())
	}
	other := errors.New("other")
	r.Fail(other)
	if got := r.Err(); got != ErrUnexpected {
		t.Errorf("a later Fail replaced the first error: %v", got)
	}
}

func TestDoneInsideContainer(t *testing.T) {
	r := NewReader(unhex(t, "8201"))
	if r.Array(); r.Err() != ErrTruncated {
		t.Errorf("count beyond the bytes: got %v, want %v", r.Err(), ErrTruncated)
	}
	r = NewReader(unhex(t, "820102"))
	r.Array()
	r.Uint()
	if got := r.Done(); got != ErrUnexpected {
		t.Errorf("an item left: got %v, want %v", got, ErrUnexpected)
	}
}

func TestUpTo(t *testing.T) {
	tests := []struct {
		name string
		read func(r *Reader)
		hex  string
		want error
	}{
		{"text at the limit", func(r *Reader) { r.TextUpTo(2) }, "626161", nil},
		{"text over the limit", func(r *Reader) { r.TextUpTo(1) }, "626161", ErrTooLarge},
		{"bytes over the limit", func(r *Reader) { r.BytesUpTo(1) }, "426161", ErrTooLarge},
		{"array at the limit", func(r *Reader) { r.ArrayUpTo(1); r.Uint() }, "8101", nil},
		{"array over the limit", func(r *Reader) { r.ArrayUpTo(1) }, "820101", ErrTooLarge},
		{"bytes into", func(r *Reader) { r.BytesInto(make([]byte, 2)) }, "426161", nil},
		{"bytes into longer", func(r *Reader) { r.BytesInto(make([]byte, 3)) }, "426161", ErrUnexpected},
	}
	for _, tt := range tests {
		r := NewReader(unhex(t, tt.hex))
		tt.read(r)
		if got := r.Done(); got != tt.want {
			t.Errorf("%s: got %v, want %v", tt.name, got, tt.want)
		}
	}
}

func TestNull(t *testing.T) {
	r := NewReader(unhex(t, "82f601"))
	r.Array()
	if !r.Null() {
		t.Error("null not read")
	}
	if r.Null() {
		t.Error("1 read as null")
	}
	if got := r.Uint(); got != 1 || r.Done() != nil {
		t.Errorf("after Null: got %d, error %v", got, r.Err())
	}
}

func TestValueAccess(t *testing.T) {
	v := sample()
	if got, _ := v.Get("words"); !got.Equal(Text("Er sagte: „nein“ 👨‍👩‍👧")) {
		t.Error("Get(words) differs")
	}
	if _, ok := v.Get("missing"); ok {
		t.Error("Get(missing) found something")
	}
	numbers, _ := v.Get("numbers")
	list, ok := numbers.AsList()
	if !ok || len(list) != 6 {
		t.Fatalf("AsList: got %d items, ok %v", len(list), ok)
	}
	if got, ok := list[5].AsInt(); !ok || got != -MaxInt {
		t.Errorf("AsInt: got %d, %v", got, ok)
	}
	flags, _ := v.Get("flags")
	list, _ = flags.AsList()
	if b, ok := list[0].AsBool(); !b || !ok {
		t.Error("true is not true")
	}
	if b, ok := list[1].AsBool(); b || !ok {
		t.Error("false is not false")
	}
	if _, ok := list[2].AsBool(); ok || !list[2].IsNull() || list[2] != (Value{}) {
		t.Error("null inside a list is not the zero Value")
	}
	raw, _ := v.Get("bytes")
	if b, ok := raw.AsBytes(); !ok || !bytes.Equal(b, []byte{0, 1, 255}) {
		t.Errorf("AsBytes: got %x, %v", b, ok)
	}
	pairs, ok := v.AsMap()
	if !ok || len(pairs) != 6 || pairs[0].Key != "" || pairs[5].Key != "numbers" {
		t.Errorf("AsMap: got %d pairs, ok %v", len(pairs), ok)
	}
	if _, ok := Int(1).AsText(); ok {
		t.Error("an integer was text")
	}
}

func TestMapSortsAndKeepsTheLast(t *testing.T) {
	got := Map(Pair{"bb", Int(1)}, Pair{"z", Int(2)}, Pair{"a", Int(3)}, Pair{"z", Int(4)}).Encode()
	if want := unhex(t, "a3 616103 617a04 62626201"); !bytes.Equal(got, want) {
		t.Errorf("got %x, want %x", got, want)
	}
}

func TestCheck(t *testing.T) {
	deep := Null()
	for range MaxDepth + 1 {
		deep = List(deep)
	}
	tests := []struct {
		name string
		v    Value
		want error
	}{
		{"null", Null(), nil},
		{"sample", sample(), nil},
		{"too large an integer", Int(MaxInt + 1), ErrBadNumber},
		{"bad text", Text("\xff"), ErrBadText},
		{"bad text in a list", List(Text("\xff")), ErrBadText},
		{"too deep", deep, ErrTooDeep},
	}
	for _, tt := range tests {
		if got := tt.v.Check(); got != tt.want {
			t.Errorf("%s: got %v, want %v", tt.name, got, tt.want)
		}
	}
	if _, err := ParseValue(unhex(t, "a10102")); err != ErrUnexpected {
		t.Errorf("a value map with an integer key: got %v, want %v", err, ErrUnexpected)
	}
}

func TestDepth(t *testing.T) {
	tests := []struct {
		v    Value
		want int
	}{
		{Null(), 0},
		{Int(5), 0},
		{List(), 1},
		{Map(), 1},
		{List(Int(1), Int(2)), 1},
		{List(List(), Int(2)), 2},
		{Map(Pair{"a", Int(1)}, Pair{"b", List(Map(Pair{"c", List(Int(1))}))}), 4},
		{List(List(List(Int(1))), Int(2), List()), 3},
	}
	for _, tt := range tests {
		if got := tt.v.Depth(); got != tt.want {
			t.Errorf("%x: got %d, want %d", tt.v.Encode(), got, tt.want)
		}
	}
}

func TestCompare(t *testing.T) {
	ordered := []Value{Int(0), Int(1000), Int(-1), Text("a"), List(), Map(), Bool(false), Bool(true), Null()}
	for i := range ordered[1:] {
		if Compare(ordered[i], ordered[i+1]) >= 0 {
			t.Errorf("%x is not before %x", ordered[i].Encode(), ordered[i+1].Encode())
		}
	}
}
