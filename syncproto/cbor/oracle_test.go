package cbor

import (
	"bytes"
	"math/rand"
	"testing"

	fx "github.com/fxamacker/cbor/v2"
)

// oracle is fxamacker/cbor held to the same rules as far as it knows them.
func oracle(t testing.TB) (fx.EncMode, fx.DecMode) {
	t.Helper()
	enc, err := fx.CoreDetEncOptions().EncMode()
	if err != nil {
		t.Fatal(err)
	}
	dec, err := fx.DecOptions{
		DupMapKey: fx.DupMapKeyEnforcedAPF, IndefLength: fx.IndefLengthForbidden,
		MaxNestedLevels: MaxDepth, TagsMd: fx.TagsForbidden, IntDec: fx.IntDecConvertSignedOrFail,
	}.DecMode()
	if err != nil {
		t.Fatal(err)
	}
	return enc, dec
}

// random returns a value and the same as what the oracle takes.
func random(rng *rand.Rand, depth int) (Value, any) {
	kinds := 7
	if depth == 0 {
		kinds = 5
	}
	switch rng.Intn(kinds) {
	case 0:
		return Null(), nil
	case 1:
		b := rng.Intn(2) == 0
		return Bool(b), b
	case 2:
		i := rng.Int63n(1<<uint(1+rng.Intn(53))) - rng.Int63n(1<<uint(1+rng.Intn(53)))
		return Int(i), i
	case 3:
		s := randomText(rng)
		return Text(s), s
	case 4:
		b := make([]byte, rng.Intn(300))
		rng.Read(b)
		return Bytes(b), b
	case 5:
		return randomList(rng, depth)
	}
	return randomMap(rng, depth)
}

func randomText(rng *rand.Rand) string {
	letters := []rune("aé€𝄞\u200d\u0000 z")
	s := make([]rune, rng.Intn(40))
	for i := range s {
		s[i] = letters[rng.Intn(len(letters))]
	}
	return string(s)
}

func randomList(rng *rand.Rand, depth int) (Value, any) {
	values, items := []Value{}, []any{}
	for range rng.Intn(30) {
		v, item := random(rng, depth-1)
		values, items = append(values, v), append(items, item)
	}
	return List(values...), items
}

func randomMap(rng *rand.Rand, depth int) (Value, any) {
	pairs, items := []Pair{}, map[string]any{}
	for range rng.Intn(30) {
		key := randomText(rng)
		v, item := random(rng, depth-1)
		pairs = append(pairs, Pair{key, v})
		items[key] = item
	}
	return Map(pairs...), items
}

func TestRandomValuesAgainstOracle(t *testing.T) {
	enc, dec := oracle(t)
	for seed := range int64(2000) {
		v, plain := random(rand.New(rand.NewSource(seed)), 3)
		want, err := enc.Marshal(plain)
		if err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		if got := v.Encode(); !bytes.Equal(got, want) {
			t.Fatalf("seed %d: got %x, want %x", seed, got, want)
		}
		back, err := ParseValue(want)
		if err != nil || !back.Equal(v) {
			t.Fatalf("seed %d: read back differs, error %v", seed, err)
		}
		var decoded any
		if err := dec.Unmarshal(v.Encode(), &decoded); err != nil {
			t.Fatalf("seed %d: the oracle refuses: %v", seed, err)
		}
	}
}

// agreesWithOracle fails if the reader accepts what the oracle would write
// otherwise, or refuses what the oracle writes.
func agreesWithOracle(t *testing.T, b []byte) {
	enc, dec := oracle(t)
	ours := parse(b)
	var decoded any
	theirs := dec.Unmarshal(b, &decoded)
	if theirs == nil {
		again, err := enc.Marshal(decoded)
		if err != nil {
			theirs = err
		} else if !bytes.Equal(again, b) {
			theirs = ErrNotCanonical
		}
	}
	if ours == nil && theirs != nil {
		t.Fatalf("%x: accepted, the oracle says %v", b, theirs)
	}
	// What the oracle takes and we refuse on purpose.
	if ours != nil && theirs == nil && ours != ErrBadNumber && ours != ErrUnexpected {
		t.Fatalf("%x: refused with %v, the oracle takes it", b, ours)
	}
}

func TestRandomDamageAgainstOracle(t *testing.T) {
	for seed := range int64(20_000) {
		rng := rand.New(rand.NewSource(seed))
		v, _ := random(rng, 2)
		b := v.Encode()
		for range 1 + rng.Intn(3) {
			b[rng.Intn(len(b))] ^= 1 << rng.Intn(8)
		}
		agreesWithOracle(t, b)
	}
}

func FuzzReader(f *testing.F) {
	f.Add(sample().Encode())
	for _, h := range []string{"", "a201016161f4", "9f01ff", "fb7ff8000000000000", "1bffffffffffffffff"} {
		f.Add(unhex(f, h))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		agreesWithOracle(t, b)
		v, err := ParseValue(b)
		if err == nil && !bytes.Equal(v.Encode(), b) {
			t.Fatalf("%x re-encodes as %x", b, v.Encode())
		}
	})
}
