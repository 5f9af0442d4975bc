package keyring

import "crypto/cipher"

// Seal encrypts a plaintext under a record's key, bound to aad, which must be given again to Unseal and is not in the
// result. The result is the nonce and the ciphertext, 28 bytes longer than the plaintext. Errors: ErrUnknownKey,
// ErrErased, ErrTampered for a wrapped key that is not what was wrapped.
func (r *Ring) Seal(record Pair, aad, plaintext []byte) ([]byte, error) {
	key, err := r.recordKey(record)
	if err != nil {
		return nil, err
	}
	return seal(key, r.opt.Rand, aad, plaintext)
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
	if !known {
		return nil, ErrUnknownKey
	}
	key, err := unwrap(r.borough, familyContext(id), family.key)
	if err != nil {
		return nil, err
	}
	r.families.put(id, key)
	return key, nil
}
