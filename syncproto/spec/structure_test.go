package spec_test

import (
	"sort"
	"testing"

	"doorstep/syncproto/cbor"
)

// withKey sets, adds or (with a nil value) takes out keys of an encoded
// structure, whose other pairs stay as they are. More keys and values may follow.
func withKey(t *testing.T, b []byte, key uint64, value []byte, more ...any) []byte {
	t.Helper()
	pairs := map[uint64][]byte{}
	r := cbor.NewReader(b)
	for range r.Map() {
		k := r.Uint()
		pairs[k] = r.Raw()
	}
	if err := r.Done(); err != nil {
		t.Fatalf("with key: %v", err)
	}
	pairs[key] = value
	for i := 0; i < len(more); i += 2 {
		pairs[uint64(more[i].(int))] = more[i+1].([]byte)
	}
	var keys []uint64
	for k, v := range pairs {
		if v != nil {
			keys = append(keys, k)
		}
	}
	sort.Slice(keys, func(i, j int) bool { return keys[i] < keys[j] })
	out := cbor.AppendMap(nil, len(keys))
	for _, k := range keys {
		out = append(cbor.AppendUint(out, k), pairs[k]...)
	}
	return out
}
