package store

import (
	"slices"

	"github.com/dgraph-io/badger/v4"
)

// Dump returns every row as it stands in badger.
func (s *Store) Dump() (map[string][]byte, error) {
	out := map[string][]byte{}
	err := s.db.View(func(txn *badger.Txn) error {
		it := txn.NewIterator(badger.DefaultIteratorOptions)
		defer it.Close()
		for it.Rewind(); it.Valid(); it.Next() {
			v, err := it.Item().ValueCopy(nil)
			if err != nil {
				return err
			}
			out[string(it.Item().Key())] = v
		}
		return nil
	})
	return out, err
}

// Spoil flips one bit of a row's value.
func (s *Store) Spoil(k []byte) error {
	defer func() { s.seen.renew(s.db) }()
	return s.db.Update(func(txn *badger.Txn) error {
		item, err := txn.Get(k)
		if err != nil {
			return err
		}
		v, err := item.ValueCopy(nil)
		if err != nil {
			return err
		}
		v[0] ^= 1
		return txn.Set(slices.Clone(k), v)
	})
}

// Lose removes a row behind the store's back.
func (s *Store) Lose(k []byte) error {
	defer func() { s.seen.renew(s.db) }()
	return s.db.Update(func(txn *badger.Txn) error { return txn.Delete(slices.Clone(k)) })
}

// LeaveBusy makes the index look as if a huge group had been left half written.
func (s *Store) LeaveBusy() error { return s.mark(true) }

// EncodeControl is encodeControl.
func EncodeControl(e Entry) []byte { return encodeControl(e) }

// DecodeControl is decodeControl.
func DecodeControl(b []byte) (Entry, error) { return decodeControl(b) }

// LookedThrough waits until the index knows which records there are.
func (s *Store) LookedThrough() { s.absence.loading.Wait() }

// WriteFormat makes the index look as if a program with another layout had written it.
func (s *Store) WriteFormat(format uint64) error {
	defer func() { s.seen.renew(s.db) }()
	m := s.applied
	m.format = format
	return s.db.Update(func(txn *badger.Txn) error { return putRow(txn, string(rune(keyMeta)), m.encode()) })
}
