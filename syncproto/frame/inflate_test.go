package frame

import (
	"bytes"
	"compress/flate"
	"io"
	"math/rand/v2"
	"strings"
	"testing"
)

// standard is the library's decoder, which says what is right.
func standard(data []byte, size int) ([]byte, bool) {
	in := bytes.NewReader(data)
	out, err := io.ReadAll(io.LimitReader(flate.NewReader(in), int64(size)+1))
	return out, err == nil && len(out) == size && in.Len() == 0
}

// material is bytes of a kind that depends on n: random, repeating, prose, runs.
func material(rng *rand.Rand, n, size int) []byte {
	out := make([]byte, 0, size+64)
	words := strings.Fields("the child was seen alone and said that school is fine mum's new partner Zoë 03/04 07700 kitchen")
	for len(out) < size {
		switch n % 5 {
		case 0:
			out = append(out, byte(rng.Uint32()))
		case 1:
			out = append(append(out, words[rng.IntN(len(words))]...), ' ')
		case 2:
			out = append(out, bytes.Repeat([]byte{byte(rng.Uint32())}, rng.IntN(60))...)
		case 3:
			out = append(out, byte(rng.IntN(3)+rng.IntN(2)*100))
		default: // all symbols, some of them very seldom: the longest codes
			out = append(out, byte(min(255, int(rng.ExpFloat64()*12))))
		}
	}
	return out[:size]
}

func deflated(t *testing.T, b []byte, level int) []byte {
	t.Helper()
	var out bytes.Buffer
	w, err := flate.NewWriter(&out, level)
	if err != nil {
		t.Fatal(err)
	}
	_, _ = w.Write(b)
	_ = w.Close()
	return out.Bytes()
}

func TestInflateGivesWhatWasDeflated(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1951))
	for n := range 150 {
		want := material(rng, n, rng.IntN(1<<rng.IntN(19)))
		data := deflated(t, want, []int{0, 1, 6, 9, flate.HuffmanOnly}[rng.IntN(5)])
		if got, err := inflate(data, len(want)); err != nil || !bytes.Equal(got, want) {
			t.Fatalf("case %d, %d bytes: %v", n, len(want), err)
		}
		for _, size := range []int{len(want) - 1, len(want) + 1, 0} {
			if _, err := inflate(data, size); err == nil && size >= 0 && size != len(want) {
				t.Fatalf("case %d: declared as %d of %d bytes it is accepted", n, size, len(want))
			}
		}
		if _, err := inflate(append(data, 0), len(want)); err == nil {
			t.Fatalf("case %d: a byte behind the end is accepted", n)
		}
		if _, err := inflate(data[:rng.IntN(len(data))], len(want)); err == nil {
			t.Fatalf("case %d: accepted without its end", n)
		}
	}
}

// TestInflateAgreesOnDamage alters streams and holds that each is refused, or
// read, as the library does.
func TestInflateAgreesOnDamage(t *testing.T) {
	rng := rand.New(rand.NewPCG(2, 1951))
	for n := range 1500 {
		plain := material(rng, n, 20+rng.IntN(3000))
		data := deflated(t, plain, []int{1, 6, 9}[rng.IntN(3)])
		for range 1 + rng.IntN(3) {
			at := rng.IntN(min(len(data), 1+rng.IntN(len(data)))) // rather near the start, where the codes are
			data[at] ^= 1 << rng.IntN(8)
		}
		compare(t, data, len(plain))
		compare(t, data[:rng.IntN(len(data))], len(plain))
	}
}

// compare holds inflate against the library at the size that the stream comes to
// and at the one that was declared.
func compare(t *testing.T, data []byte, declared int) {
	t.Helper()
	sizes := []int{declared}
	if out, _ := standard(data, 1<<20); len(out) < 1<<20 {
		sizes = append(sizes, len(out))
	}
	for _, size := range sizes {
		want, ok := standard(data, size)
		got, err := inflate(data, size)
		if ok != (err == nil) || ok && !bytes.Equal(got, want) {
			t.Fatalf("%x as %d bytes: read: %t, want %t", data, size, err == nil, ok)
		}
	}
}

func FuzzInflate(f *testing.F) {
	f.Add([]byte{0x03, 0x00}, 0)
	f.Add([]byte{0x4b, 0x4c, 0x04, 0x02, 0x00}, 5)
	f.Fuzz(func(t *testing.T, data []byte, size int) {
		if size >= 0 && size < 1<<20 {
			compare(t, data, size)
		}
	})
}

func BenchmarkInflate(b *testing.B) {
	rng := rand.New(rand.NewPCG(3, 4096))
	var words []string
	for range 3000 {
		word := make([]byte, 2+rng.IntN(8))
		for i := range word {
			word[i] = "etaoinshrdlucmfwypvbgkjqxz"[min(rng.IntN(26), rng.IntN(26))]
		}
		words = append(words, string(word))
	}
	var text bytes.Buffer
	for text.Len() < 64*4096 {
		text.WriteString(words[min(rng.IntN(3000), rng.IntN(3000))] + " ")
	}
	var out bytes.Buffer
	w := newWriter(&out)
	_, _ = w.Write(text.Bytes())
	_ = w.Close()
	b.SetBytes(int64(text.Len()))
	for b.Loop() {
		if _, err := inflate(out.Bytes(), text.Len()); err != nil {
			b.Fatal(err)
		}
	}
}
