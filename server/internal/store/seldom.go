package store

import (
	"encoding/binary"
	"fmt"
	"sync/atomic"
)

// seldomRows tells for certain that a row is not there, of the kinds that are asked
// for with each change or each pull and hardly ever there: refused places, changes
// that others wait for, and a device's news of its own. It is a Bloom filter over
// the ids that come first in their keys, which are digests or random already. It never forgets; a row that is gone, or another with the same
// bits, costs one look into badger.
type seldomRows struct {
	bits [seldomBits / 64]atomic.Uint64
}

// seldomBits is 64 KiB: with 10,000 such rows one question in a thousand is asked
// in vain.
const seldomBits = 1 << 19

// seldom reports whether a key is of such a kind.
func seldom(k []byte) bool {
	return (k[0] == keyRefused || k[0] == keyWaiting || k[0] == keyOwn) && len(k) > 16
}

// probes are the bits of a key: of the id that comes first in it.
func probes(k []byte) [2]uint32 {
	kind := uint32(k[0]) * 0x9e3779b1
	return [2]uint32{
		(binary.LittleEndian.Uint32(k[1:]) ^ kind) % seldomBits,
		(binary.LittleEndian.Uint32(k[9:]) ^ kind) % seldomBits,
	}
}

func (s *seldomRows) add(k []byte) {
	for _, bit := range probes(k) {
		s.bits[bit/64].Or(1 << (bit % 64))
	}
}

// may reports whether a row may be there.
func (s *seldomRows) may(k []byte) bool {
	for _, bit := range probes(k) {
		if s.bits[bit/64].Load()&(1<<(bit%64)) == 0 {
			return false
		}
	}
	return true
}

// loadSeldom reads which of these rows there are.
func (s *Store) loadSeldom() error {
	return s.Read(func(r *Reader) error {
		for _, kind := range []byte{keyRefused, keyWaiting, keyOwn} {
			err := r.rows.scan([]byte{kind}, []byte{kind}, func(k, _ []byte) (bool, error) {
				if !seldom(k) {
					return false, fmt.Errorf("a key of %d bytes: %w", len(k), ErrDamaged)
				}
				s.seldom.add(k)
				return true, nil
			})
			if err != nil {
				return err
			}
		}
		return nil
	})
}
