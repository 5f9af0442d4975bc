package device

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"fmt"

	"doorstep/syncproto"
)

// Key is a device's P-256 key. Whoever holds it can sign as the device.
type Key struct{ private *ecdsa.PrivateKey }

// NewKey draws a key.
func NewKey() (Key, error) {
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return Key{}, fmt.Errorf("draw device key: %w", err)
	}
	return Key{private}, nil
}

// ParseKey reads what Bytes gave.
func ParseKey(b []byte) (Key, error) {
	private, err := ecdsa.ParseRawPrivateKey(elliptic.P256(), b)
	if err != nil {
		return Key{}, fmt.Errorf("read device key: %w", err)
	}
	return Key{private}, nil
}

// Bytes returns the secret, 32 bytes.
func (k Key) Bytes() []byte {
	b, err := k.private.Bytes()
	if err != nil {
		panic("bug: a P-256 key without bytes")
	}
	return b
}

// Public returns the public key as the protocol has it: the uncompressed point,
// 65 bytes.
func (k Key) Public() []byte {
	b, err := k.private.PublicKey.Bytes()
	if err != nil {
		panic("bug: a P-256 key without a public point")
	}
	return b
}

// Sign returns the ES256 signature of a message, r ‖ s, 64 bytes.
func (k Key) Sign(message []byte) ([]byte, error) {
	digest := sha256.Sum256(message)
	r, s, err := ecdsa.Sign(rand.Reader, k.private, digest[:])
	if err != nil {
		return nil, fmt.Errorf("sign: %w", err)
	}
	out := make([]byte, syncproto.SignatureBytes)
	r.FillBytes(out[:32])
	s.FillBytes(out[32:])
	return out, nil
}
