package keyring

import (
	"crypto/cipher"
	"crypto/hmac"
	"crypto/sha256"
)

// Seal encrypts a plaintext under a record's key, bound to aad, which must be given again to Unseal and is not in the
// result. The result is the nonce and the ciphertext, 28 bytes longer than the plaintext. Errors: ErrUnknownKey,
// ErrErased, ErrTampered for a wrapped key that is not what was wrapped.
func (r *Ring) Seal(record Pair, aad, plaintext []byte) ([]byte, error) {
	return r.SealAfter(make([]byte, 0, nonceBytes+len(plaintext)+tagBytes), record, aad, plaintext)
}

// SealAfter appends what Seal answers to b. plaintext may be the bytes that stand 12 behind the end of b in the same
// memory; then it is written over.
func (r *Ring) SealAfter(b []byte, record Pair, aad, plaintext []byte) ([]byte, error) {
	key, err := r.recordKey(record)
	if err != nil {
		return nil, err
	}
	return sealAfter(b, key, r.opt.Rand, aad, plaintext)
}

// Unseal decrypts what Seal gave for the same record and aad. Errors: ErrUnknownKey, ErrErased, ErrTampered.
func (r *Ring) Unseal(record Pair, aad, sealed []byte) ([]byte, error) {
	key, err := r.recordKey(record)
	if err != nil {
		return nil, err
	}
	return unseal(key, aad, sealed)
}

// recordKey is the unwrapped key of a record.
func (r *Ring) recordKey(of Pair) (cipher.AEAD, error) {
	if key, cached := r.records.get(of); cached {
		return key, nil
	}
	r.mu.RLock()
	record, known := r.table.record(of)
	r.mu.RUnlock()
	if !known {
		return nil, ErrUnknownKey
	}
	if record.erased {
		return nil, ErrErased
	}
	wrapper, err := r.familyKey(of.Family)
	if err != nil {
		return nil, err
	}
	key, err := unwrap(wrapper, recordContext(of), record.key)
	if err != nil {
		return nil, err
	}
	return key, r.keep(of, key)
}

// keep caches a record's key unless the record was erased meanwhile.
func (r *Ring) keep(of Pair, key cipher.AEAD) error {
	r.mu.RLock()
	defer r.mu.RUnlock()
	if record, _ := r.table.record(of); record.erased {
		return ErrErased
	}
	r.records.put(of, key)
	return nil
}

// familyKey is the unwrapped key of a family.
func (r *Ring) familyKey(id ID) (cipher.AEAD, error) {
	if key, cached := r.families.get(id); cached {
		return key, nil
	}
	r.mu.RLock()
	family, known := r.table.family(id)
	r.mu.RUnlock()
	if family.erased {
		return nil, ErrErased
	}
	if !known {
		return nil, ErrUnknownKey
	}
	plain, err := unseal(r.borough, familyContext(id), family.key[:])
	if err != nil {
		return nil, err
	}
	aead, err := newAEAD(plain)
	if err != nil {
		return nil, err
	}
	mac := hmac.New(sha256.New, plain)
	mac.Write([]byte("doorstep marks"))
	key := markingKey{AEAD: aead, marks: newMarker(mac.Sum(nil))}
	r.mu.RLock()
	defer r.mu.RUnlock()
	if family, _ := r.table.family(id); family.erased {
		return nil, ErrErased
	}
	r.families.put(id, key)
	return key, nil
}

// markingKey is the key of a family, and what marks are made under: both end with
// the family's entry in the store.
type markingKey struct {
	cipher.AEAD
	marks *marker
}

// marker makes HMAC-SHA-256 (RFC 2104) of ids under one key, whose two blocks it
// keeps: each change that is stored needs a mark.
type marker struct{ inner, outer [sha256.BlockSize]byte }

func newMarker(key []byte) *marker {
	m := &marker{}
	copy(m.inner[:], key)
	copy(m.outer[:], key)
	for i := range m.inner {
		m.inner[i] ^= 0x36
		m.outer[i] ^= 0x5c
	}
	return m
}

func (m *marker) mac(id ID) [sha256.Size]byte {
	var in [sha256.BlockSize + len(ID{})]byte
	copy(in[copy(in[:], m.inner[:]):], id[:])
	sum := sha256.Sum256(in[:])
	var out [sha256.BlockSize + sha256.Size]byte
	copy(out[copy(out[:], m.outer[:]):], sum[:])
	return sha256.Sum256(out[:])
}

// Mark returns a pseudonym of a record that nobody can tell without its family's
// key: HMAC-SHA-256, shortened to 16 bytes. It is zero for a family that has no key.
func (r *Ring) Mark(record Pair) (mark [16]byte) {
	key, err := r.familyKey(record.Family)
	if err != nil {
		return mark
	}
	mac := key.(markingKey).marks.mac(record.Record)
	return [16]byte(mac[:])
}
