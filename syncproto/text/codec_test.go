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

// TestDecodeRefuses damages an encoded log at random, with a valid checksum:
// Decode must refuse it or find another log that is encoded just so.
func TestDecodeRefuses(t *testing.T) {
	body := unsealed(sampleLog(t).Encode())
	rng := rand.New(rand.NewPCG(5, 5))
	accepted := 0
	for range 50_000 {
		b := bytes.Clone(body)
		for range 1 + rng.IntN(3) {
			switch at := len(magic) + rng.IntN(len(b)-len(magic)); rng.IntN(4) {
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
		if checkDecode(t, sealed(b)) {
			accepted++
		}
	}
	if accepted == 0 || accepted > 25_000 {
		t.Errorf("%d of 50,000 damaged logs accepted", accepted)
	}
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
	e.b = append(e.b, magic...)
	const half = maxEvents / 2
	for _, v := range []int{
		1, 1, 'a', 1, 0, 2*half + 1, 0, // one agent, one run
		2, 1, 1, half, 2, // calls
		3, 1, 0, half, 1, half, 1, // an insertion and two roots of deletions
	} {
		e.uint(v)
	}
	for _, v := range []int{3, 1 << 3, half<<3 | 1, half<<3 | 1, 1, 'x'} {
		e.uint(v)
	}
	allocated := testing.AllocsPerRun(1, func() {
		if _, err := Decode(sealed(e.b)); err == nil {
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
