package keyring

import (
	"fmt"
	"testing"
)

func BenchmarkSeal(b *testing.B) {
	words := make([]byte, 4<<10)
	for name, records := range map[string]int{"cached": 1000, "not-cached": 20_000} {
		b.Run(name, func(b *testing.B) {
			r, err := Load(b.TempDir(), borough(1), Options{Create: true})
			if err != nil {
				b.Fatal(err)
			}
			defer r.Close()
			mustEnsure(b, r, pairs(0, records))
			of := make([]Pair, records)
			for n := range of {
				of[n] = pair(n)
			}
			b.SetBytes(int64(len(words)))
			n := 0
			for b.Loop() {
				n = (n + 1) % records
				if _, err := r.Seal(of[n], of[n].Record[:], words); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkLoad(b *testing.B) {
	for _, records := range []int{10_000, 400_000} {
		b.Run(fmt.Sprint(records), func(b *testing.B) {
			root := b.TempDir()
			r, err := Load(root, borough(1), Options{Create: true})
			if err != nil {
				b.Fatal(err)
			}
			mustEnsure(b, r, pairs(0, records))
			if err := r.Close(); err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			for b.Loop() {
				r, err := Load(root, borough(1), Options{})
				if err != nil {
					b.Fatal(err)
				}
				if err := r.Close(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkEnsureOneNewRecord(b *testing.B) {
	r, err := Load(b.TempDir(), borough(1), Options{Create: true})
	if err != nil {
		b.Fatal(err)
	}
	defer r.Close()
	n := 0
	for b.Loop() {
		n++
		mustEnsure(b, r, pairs(n, 1))
	}
}
