package keyring

import (
	"crypto/aes"
	"crypto/cipher"
	"fmt"
	"io"
	"slices"
)

const (
	keyBytes     = 32
	nonceBytes   = 12
	tagBytes     = 16
	wrappedBytes = nonceBytes + keyBytes + tagBytes
)

// wrapped is a key under another key: nonce, ciphertext, tag.
type wrapped [wrappedBytes]byte

// What a wrapped key is bound to: its level, and the ids down to it. No two of them can be equal.

func checkContext(store ID) []byte { return append([]byte("doorstep key check\x00"), store[:]...) }

func familyContext(family ID) []byte { return append([]byte("doorstep family key\x00"), family[:]...) }

func recordContext(pair Pair) []byte {
	const level = "doorstep record key\x00"
	b := append(make([]byte, 0, len(level)+2*len(ID{})), level...)
	return append(append(b, pair.Family[:]...), pair.Record[:]...)
}

func newAEAD(key []byte) (cipher.AEAD, error) {
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, fmt.Errorf("making a cipher: %w", err)
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		return nil, fmt.Errorf("making a cipher: %w", err)
	}
	return aead, nil
}

// seal answers nonce and ciphertext in one slice.
func seal(aead cipher.AEAD, source io.Reader, context, plaintext []byte) ([]byte, error) {
	return sealAfter(make([]byte, 0, nonceBytes+len(plaintext)+tagBytes), aead, source, context, plaintext)
}

// sealAfter appends nonce and ciphertext to b. The plaintext may stand where the ciphertext goes.
func sealAfter(b []byte, aead cipher.AEAD, source io.Reader, context, plaintext []byte) ([]byte, error) {
	b = slices.Grow(b, nonceBytes+len(plaintext)+tagBytes)
	nonce := b[len(b) : len(b)+nonceBytes]
	if _, err := io.ReadFull(source, nonce); err != nil {
		return nil, fmt.Errorf("drawing a nonce: %w", err)
	}
	return aead.Seal(b[:len(b)+nonceBytes], nonce, plaintext, context), nil
}

func unseal(aead cipher.AEAD, context, sealed []byte) ([]byte, error) {
	if len(sealed) < nonceBytes+tagBytes {
		return nil, ErrTampered
	}
	plaintext, err := aead.Open(nil, sealed[:nonceBytes], sealed[nonceBytes:], context)
	if err != nil {
		return nil, ErrTampered
	}
	return plaintext, nil
}

func wrap(by cipher.AEAD, source io.Reader, context, key []byte) (wrapped, error) {
	b, err := seal(by, source, context, key)
	if err != nil {
		return wrapped{}, fmt.Errorf("wrapping a key: %w", err)
	}
	return wrapped(b), nil
}

func unwrap(by cipher.AEAD, context []byte, w wrapped) (cipher.AEAD, error) {
	key, err := unseal(by, context, w[:])
	if err != nil {
		return nil, err
	}
	return newAEAD(key)
}
