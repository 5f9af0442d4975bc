package store

import (
	"math/rand/v2"
	"testing"
)

// TestFilterForgetsNothing fills a filter over several parts: what was added may be
// there, and little of the rest.
func TestFilterForgetsNothing(t *testing.T) {
	const seed, keys = 11, 200_000
	rng := rand.New(rand.NewPCG(seed, 0))
	draw := func() []byte {
		k := make([]byte, 17)
		k[0] = keyRecord
		for i := range k[1:] {
			k[1+i] = byte(rng.Uint32())
		}
		return k
	}
	var f filter
	if f.may(draw()) {
		t.Error("an empty filter may have a key")
	}
	var added [][]byte
	for range keys {
		k := draw()
		f.add(k)
		added = append(added, k)
	}
	for _, k := range added {
		if !f.may(k) {
			t.Fatalf("seed %d: key %x is forgotten", seed, k)
		}
	}
	wrong := 0
	for range keys {
		if f.may(draw()) {
			wrong++
		}
	}
	if wrong > keys/100 {
		t.Errorf("seed %d: %d of %d other keys may be there", seed, wrong, keys)
	}
}
