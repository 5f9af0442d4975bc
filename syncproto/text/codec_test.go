package text

import (
	"bytes"
	"math/rand/v2"
	"strings"
	"testing"
	"unicode/utf8"
)

// sealed gives a body a valid checksum, so that what is tested is what comes
// after it.
func sealed(body []byte) []byte {
	sum := checksum(body)
	return append(bytes.Clone(body), sum[:]...)
}

func unsealed(b []byte) []byte { return b[:len(b)-sumBytes] }

// sampleLog has several roots, agents, runs of every kind and mixed text.
func sampleLog(t testing.TB) *Log {
	l := New()
	a := add(t, l, "a", 0, nil, Splice{0, 0, "The house. "}, Splice{4, 0, "cold "}, Splice{8, 1, ""}, Splice{7, 1, ""})
	b := add(t, l, "b", 3, a, Splice{0, 4, ""}, Splice{0, 0, "naïve 😀"})
	c := add(t, l, "c", 0, a, Splice{4, 2, "damp"})
	d := add(t, l, "a", 40, nil, Splice{0, 0, "root"})
	e := add(t, l, "b", 0, append(b, d[0]), Splice{1, 1, "x"})
	add(t, l, "c", 6, []LV{c[0], e[0]}, Splice{0, 0, "!"})
	add(t, l, "a", 20, c, Splice{0, 0, "?"})
	return l
}

// TestDecodeRefuses damages an encoded log at random, before or after it is
// packed, with a valid checksum: Decode must refuse it or find another log that
// is encoded just so.
func TestDecodeRefuses(t *testing.T) {
	l := sampleLog(t)
	columns, body := l.columns(), unsealed(l.Encode())
	rng := rand.New(rand.NewPCG(5, 5))
	var accepted [2]int
	tries := 25_000
	if raceEnabled {
		tries = 2_500
	}
	for range tries {
		if checkDecode(t, assemble(damaged(rng, columns, 0), l.ops.content)) {
			accepted[0]++
		}
		if checkDecode(t, sealed(damaged(rng, body, len(magic)))) {
			accepted[1]++
		}
	}
	if accepted[0] == 0 || accepted[0] > tries/2 || accepted[1] > tries/2 {
		t.Errorf("%d of twice %d damaged logs accepted", accepted, tries)
	}
}

// damaged returns b with up to three bytes changed, gone or put in, from a place
// on.
func damaged(rng *rand.Rand, b []byte, from int) []byte {
	b = bytes.Clone(b)
	for range 1 + rng.IntN(3) {
		switch at := from + rng.IntN(len(b)-from); rng.IntN(4) {
		case 0:
			b = append(b[:at], b[at+1:]...)
		case 1:
			b = append(b[:at], append([]byte{byte(rng.IntN(256))}, b[at:]...)...)
		case 2:
			b[at] ^= 1 << rng.IntN(8)
		case 3:
			b[at]++
		}
	}
	return b
}

// checkDecode reports whether Decode accepts b, and if so, that it is what
// Encode writes and that the log can be used.
func checkDecode(t *testing.T, b []byte) bool {
	t.Helper()
	l, err := Decode(b)
	if err != nil {
		return false
	}
	if !bytes.Equal(l.Encode(), b) {
		t.Fatalf("%x: accepted, but encoded as %x", b, l.Encode())
	}
	got := l.String()
	if !utf8.ValidString(got) || l.Len() != utf8.RuneCountInString(got) {
		t.Fatalf("%x: text %q", b, got)
	}
	l.Spans()
	if l.graph.end < 2000 { // with more, all may be beside all
		l.Overlaps()
	}
	for lv := range min(l.graph.end, 150) {
		if n := utf8.RuneCountInString(l.At([]LV{lv})); n != l.LenAt([]LV{lv}) {
			t.Fatalf("%x: length %d at %d, want %d", b, l.LenAt([]LV{lv}), lv, n)
		}
	}
	add(t, l, strings.Repeat("~", 20), 0, l.Frontier(), Splice{l.Len(), 0, "more"})
	if l.String() != got+"more" {
		t.Fatalf("%x: cannot go on", b)
	}
	return true
}

func TestDecodeTruncated(t *testing.T) {
	b := sampleLog(t).Encode()
	for i := range b {
		if _, err := Decode(b[:i]); err == nil {
			t.Errorf("accepted the first %d bytes", i)
		}
	}
	for i := range unsealed(b) {
		if checkDecode(t, sealed(b[:i])) {
			t.Errorf("accepted the first %d bytes with a checksum", i)
		}
	}
	if checkDecode(t, sealed(append(unsealed(b), 0))) {
		t.Error("accepted a byte too many")
	}
	if b[len(magic)] ^= 1; checkDecode(t, b) {
		t.Error("accepted a wrong checksum")
	}
}

// TestDecodeHugeClaims checks that a few bytes cannot claim much.
func TestDecodeHugeClaims(t *testing.T) {
	var e encoder
	const half = maxEvents / 2
	for _, v := range []int{
		1, 1, 'a', 1, 0, 2*half + 1, 0, // one agent, one run
		2, 1, 1, half, 2, // calls
		3, 1, 0, half, 1, half, 1, // an insertion and two roots of deletions
	} {
		e.uint(v)
	}
	for _, v := range []int{3, 1 << 3, half<<3 | 1, half<<3 | 1} {
		e.uint(v)
	}
	allocated := testing.AllocsPerRun(1, func() {
		if _, err := Decode(assemble(e.b, []byte{'x'})); err == nil {
			t.Error("accepted")
		}
	})
	if allocated > 1000 {
		t.Errorf("%v allocations", allocated)
	}
}

func FuzzDecode(f *testing.F) {
	f.Add(unsealed(New().Encode()))
	f.Add(unsealed(sampleLog(f).Encode()))
	l := New()
	v := add(f, l, "a", 0, nil, Splice{0, 0, strings.Repeat("é", 1500)})
	add(f, l, "a", 1500, v, Splice{10, 1490, ""})
	f.Add(unsealed(l.Encode()))
	f.Fuzz(func(t *testing.T, body []byte) {
		if len(body) < 1<<12 {
			checkDecode(t, sealed(body))
		}
	})
}

// FuzzColumns is FuzzDecode for what is packed, so that the fuzzer need not find
// a code to reach the columns.
func FuzzColumns(f *testing.F) {
	f.Add(New().columns(), []byte(nil))
	l := sampleLog(f)
	f.Add(l.columns(), l.ops.content)
	f.Fuzz(func(t *testing.T, columns, content []byte) {
		if len(columns)+len(content) < 1<<12 {
			checkDecode(t, assemble(columns, content))
		}
	})
}

func FuzzPacked(f *testing.F) {
	f.Add([]byte("the visit, the house, the school"))
	f.Add([]byte{})
	f.Add(bytes.Repeat([]byte{7}, 100))
	f.Fuzz(func(t *testing.T, v []byte) {
		var e encoder
		e.packed(v)
		if len(e.b) > len(v)+len(v)/64+4 {
			t.Errorf("%d bytes packed into %d", len(v), len(e.b))
		}
		d := decoder{b: e.b}
		if got := d.packed(); d.bad || len(d.b) > 0 || !bytes.Equal(got, v) {
			t.Errorf("%q: got %q", v, got)
		}
		d = decoder{b: v}
		d.packed() // may fail, and may not panic
	})
}
