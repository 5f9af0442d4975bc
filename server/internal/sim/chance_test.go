package sim

import (
	"bytes"
	"crypto/sha512"
	"encoding/binary"
	"math/rand/v2"

	"doorstep/syncproto"
)

// reader gives a seeded source's bytes.
type reader struct{ rng *rand.Rand }

func (r reader) Read(p []byte) (int, error) {
	for i := 0; i < len(p); i += 8 {
		var word [8]byte
		binary.LittleEndian.PutUint64(word[:], r.rng.Uint64())
		copy(p[i:], word[:])
	}
	return len(p), nil
}

func id16(rng *rand.Rand) (id [16]byte) {
	_, _ = reader{rng}.Read(id[:])
	return id
}

// sign stands in for ES256 and Ed25519: a keyed hash, the same in every run. The
// public key of a tablet here is its secret padded to the size of a point.
func sign(key, message []byte) []byte {
	sum := sha512.Sum512(append(append([]byte{}, key...), message...))
	return sum[:]
}

func publicKey(device syncproto.DeviceID) []byte {
	return append(append([]byte{4}, device[:]...), make([]byte, 48)...)
}

func verify(key, message, signature []byte) bool {
	return bytes.Equal(sign(key, message), signature)
}
