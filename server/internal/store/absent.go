package store

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/dgraph-io/badger/v4"
)

// absence tells for certain that rows are not there that are asked for with each
// change or each pull: refused places, changes that others wait for and a device's
// news of its own, which are hardly ever there; and the record of a change, which is
// not there when that begins it.
type absence struct {
	seldom  filter
	records filter
	begun   begun
	whole   atomic.Bool // records and begun have all there are
	loading sync.WaitGroup
	stop    context.CancelFunc // ends the loading; nil before it began
}

// seldom reports whether a key is of a kind whose rows are few.
func seldom(k []byte) bool {
	return (k[0] == keyRefused || k[0] == keyWaiting || k[0] == keyOwn) && len(k) > filterIDBytes
}

// note is told of each row that is set.
func (a *absence) note(k []byte) {
	switch {
	case seldom(k):
		a.seldom.add(k)
	case k[0] == keyRecord:
		a.records.add(k)
	}
}

// begins is told of each change that begins a record and of that.
func (a *absence) begins(position uint64, change, record []byte) {
	a.begun.note(position, change)
	a.begun.note(position, record)
	var room [1 + recordStart]byte
	a.records.add(append(append(room[:0], keyRecord), record...))
}

// certain reports whether a row is not there, for certain.
func (a *absence) certain(k []byte) bool {
	switch {
	case seldom(k):
		return !a.seldom.may(k)
	case k[0] == keyRecord:
		return a.whole.Load() && !a.records.may(k)
	}
	return false
}

// loadSeldom reads which rows there are of the kinds that are few.
func (s *Store) loadSeldom() error {
	return s.Read(func(r *Reader) error {
		for _, kind := range []byte{keyRefused, keyWaiting, keyOwn} {
			err := r.rows.scan([]byte{kind}, []byte{kind}, func(k, _ []byte) (bool, error) {
				if !seldom(k) {
					return false, fmt.Errorf("a key of %d bytes: %w", len(k), ErrDamaged)
				}
				s.absence.note(k)
				return true, nil
			})
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// loadRecords reads beside everything else which records there are: there may be
// millions, and a start must not wait for them. Until it is done, badger is asked.
func (s *Store) loadRecords() {
	a := s.absence
	ctx, stop := context.WithCancel(context.Background())
	a.stop = stop
	txn := s.db.NewTransaction(false)
	a.loading.Go(func() {
		defer txn.Discard()
		for _, kind := range []byte{keyRecord, keySorted, keyBegun} {
			if err := s.loadKind(ctx, txn, kind); err != nil {
				if errors.Is(err, ErrDamaged) {
					s.noteDamage(err)
				}
				return
			}
		}
		a.whole.Store(true)
	})
}

// loadKind notes the records that the rows of one kind tell of.
func (s *Store) loadKind(ctx context.Context, txn *badger.Txn, kind byte) error {
	it := txn.NewIterator(badger.IteratorOptions{Prefix: []byte{kind}, PrefetchValues: false})
	defer it.Close()
	for it.Rewind(); it.Valid(); it.Next() {
		if err := ctx.Err(); err != nil {
			return err
		}
		k, err := it.Item().Key(), error(nil)
		if kind != keyRecord {
			err = it.Item().Value(func(v []byte) error { return s.loadBegun(k, v) })
		} else if len(k) > filterIDBytes {
			s.absence.records.add(k)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// end stops the loading.
func (a *absence) end() {
	if a != nil && a.stop != nil {
		a.stop()
		a.loading.Wait()
	}
}

// filter is a Bloom filter over keys that begin with a kind and an id, which is a
// digest or random already. It grows and never forgets; a row that is gone, or
// another with the same bits, costs one look into badger. It is safe for concurrent
// use.
type filter struct {
	parts atomic.Pointer[[]filterPart]

	adding sync.Mutex // guards room, and who replaces parts
	room   int        // for so many more keys in the last part
}

// filterPart is a number of bits, a power of two.
type filterPart []atomic.Uint64

const (
	filterIDBytes = 16
	// firstFilterBits is 64 KiB. With filterBitsAKey, one question in 400 is asked in
	// vain of a full part; each part is twice the one before.
	firstFilterBits = 1 << 19
	filterBitsAKey  = 16
)

// probes are the bits of a key: of the id that comes first in it.
func probes(k []byte) (bits [4]uint32) {
	kind := uint32(k[0]) * 0x9e3779b1
	for i := range bits {
		bits[i] = binary.LittleEndian.Uint32(k[1+4*i:]) ^ kind
	}
	return bits
}

func (f *filter) add(k []byte) {
	if f.may(k) {
		return
	}
	f.adding.Lock()
	defer f.adding.Unlock()
	if f.room == 0 {
		f.grow()
	}
	f.room--
	parts := *f.parts.Load()
	parts[len(parts)-1].set(probes(k))
}

// grow adds a part.
func (f *filter) grow() {
	var parts []filterPart
	if before := f.parts.Load(); before != nil {
		parts = append(parts, *before...)
	}
	bits := firstFilterBits << len(parts)
	parts = append(parts, make(filterPart, bits/64))
	f.room = bits / filterBitsAKey
	f.parts.Store(&parts)
}

// may reports whether a key may have been added.
func (f *filter) may(k []byte) bool {
	parts := f.parts.Load()
	if parts == nil {
		return false
	}
	bits := probes(k)
	for _, part := range *parts {
		if part.has(bits) {
			return true
		}
	}
	return false
}

func (p filterPart) set(bits [4]uint32) {
	for _, bit := range bits {
		bit %= uint32(64 * len(p))
		p[bit/64].Or(1 << (bit % 64))
	}
}

func (p filterPart) has(bits [4]uint32) bool {
	for _, bit := range bits {
		bit %= uint32(64 * len(p))
		if p[bit/64].Load()&(1<<(bit%64)) == 0 {
			return false
		}
	}
	return true
}
