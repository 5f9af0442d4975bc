package device

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"fmt"

	"doorstep/client-sdk/engine"
)

// Sealed returns a store that keeps the values of inner encrypted and
// authenticated under key (32 bytes, AES-256-GCM, a random nonce each), each
// bound to its row. Keys of rows, which hold random names only, stay readable.
// A wrong key makes Load fail with a DamageError.
func Sealed(inner Store, key []byte) (Store, error) {
	if len(key) != 32 {
		return nil, fmt.Errorf("seal store: key has %d bytes, not 32", len(key))
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, fmt.Errorf("seal store: %w", err)
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		return nil, fmt.Errorf("seal store: %w", err)
	}
	return &sealed{Store: inner, aead: aead}, nil
}

type sealed struct {
	Store
	aead cipher.AEAD
}

func (s *sealed) Apply(rows []engine.Row) error {
	out := make([]engine.Row, len(rows))
	for i, r := range rows {
		out[i].Key = r.Key
		if r.Value != nil {
			out[i].Value = s.aead.Seal(nil, nil, r.Value, r.Key)
		}
	}
	return s.Store.Apply(out)
}

func (s *sealed) Load(fn func(key, value []byte) error) error {
	return s.Store.Load(func(key, value []byte) error {
		open, err := s.aead.Open([]byte{}, nil, value, key)
		if err != nil {
			return &DamageError{Kind: kindOf(key)}
		}
		return fn(key, open)
	})
}

// NewStoreKey returns a fresh random key for Sealed.
func NewStoreKey() []byte {
	key := make([]byte, 32)
	_, _ = rand.Read(key) // never fails
	return key
}
