package keyring

import (
	"crypto/cipher"
	"errors"
	"fmt"
	"io"

	"doorstep/server/internal/chain"
)

// maxPairsAWrite keeps one group of the store far below chain.MaxGroupBytes.
const maxPairsAWrite = 50_000

// batch is what callers of Ensure who arrive during a write have the next one hold.
type batch struct {
	pairs  []Pair
	wanted map[Pair]bool // the same
	done   chan struct{} // closed after the write
	err    error         // valid then
}

// Ensure returns nil when every record named has a key, durably, making those that are missing. It makes one write for
// all pairs; callers who arrive while another's write runs share the next one. Errors: ErrErased for a pair that can have
// no key, ErrTampered for a family key that is not what was wrapped, ErrFull, ErrFailed, ErrClosed.
func (r *Ring) Ensure(pairs []Pair) error {
	destroyed := r.destroyed.Load()
	missing, err := r.missing(pairs)
	if err != nil || len(missing) == 0 {
		return err
	}
	b, first := r.join(missing)
	if first {
		r.write(b)
	}
	<-b.done
	if b.err != nil {
		return b.err
	}
	if r.destroyed.Load() == destroyed {
		return nil
	}
	_, err = r.missing(missing) // a record may have been erased meanwhile
	return err
}

// missing are the pairs that have no key yet. Their families, if they have keys, have keys that can be used.
func (r *Ring) missing(pairs []Pair) ([]Pair, error) {
	lacking, err := r.lacking(pairs)
	if err != nil {
		return nil, err
	}
	for _, pair := range lacking {
		if _, err := r.familyKey(pair.Family); err != nil && !errors.Is(err, ErrUnknownKey) {
			return nil, err
		}
	}
	return lacking, nil
}

func (r *Ring) lacking(pairs []Pair) (lacking []Pair, err error) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	for _, pair := range pairs {
		lacks, err := r.table.lacks(pair)
		if err != nil {
			return nil, err
		}
		if lacks {
			lacking = append(lacking, pair)
		}
	}
	return lacking, nil
}

func (r *Ring) lacks(pair Pair) (bool, error) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return r.table.lacks(pair)
}

// join puts pairs into the next batch. Whoever is first in it has to write it.
func (r *Ring) join(pairs []Pair) (b *batch, first bool) {
	r.joining.Lock()
	defer r.joining.Unlock()
	b = r.next
	if first = b == nil; first {
		b = &batch{wanted: map[Pair]bool{}, done: make(chan struct{})}
	}
	for _, pair := range pairs {
		if !b.wanted[pair] {
			b.wanted[pair] = true
			b.pairs = append(b.pairs, pair)
		}
	}
	r.next = b
	return b, first
}

// write waits for the write before to end, closes the batch to newcomers and writes it.
func (r *Ring) write(b *batch) {
	r.writing.Lock()
	defer r.writing.Unlock()
	defer close(b.done)
	r.joining.Lock()
	r.next = nil
	r.joining.Unlock()
	for pairs := b.pairs; len(pairs) > 0 && b.err == nil; {
		n := min(len(pairs), maxPairsAWrite)
		b.err = r.make(pairs[:n])
		pairs = pairs[n:]
	}
}

// fresh is what one write adds to the store and then to the table.
type fresh struct {
	families []familyKey
	records  []Pair
	keys     []wrapped     // of records
	ready    []cipher.AEAD // of records
	payloads [][]byte
}

// make makes keys for the pairs that still lack one. The caller holds writing.
func (r *Ring) make(pairs []Pair) error {
	if err := r.writable(); err != nil {
		return err
	}
	f, err := r.prepare(pairs)
	if err != nil || len(f.payloads) == 0 {
		return err
	}
	if err := r.append(r.file, f.payloads); err != nil {
		return err
	}
	if err := r.mark.Set(r.markNow()); err != nil {
		return r.fail(err)
	}
	return r.publish(f)
}

// append writes a group and remembers an error after which nothing more may be written. The caller holds writing.
func (r *Ring) append(file *chain.File, payloads [][]byte) error {
	_, err := file.Append(payloads)
	if errors.Is(err, ErrFailed) {
		r.failed = err
	}
	return err
}

func (r *Ring) fail(cause error) error {
	r.failed = fmt.Errorf("%w: %w", ErrFailed, cause)
	return r.failed
}

// prepare draws and wraps the keys that a write needs.
func (r *Ring) prepare(pairs []Pair) (f fresh, err error) {
	wrappers := map[ID]cipher.AEAD{}
	for _, pair := range pairs {
		// A pair that meanwhile cannot have a key is its caller's to hear of, who asks again after the write.
		if lacks, err := r.lacks(pair); err != nil || !lacks {
			continue
		}
		wrapper := wrappers[pair.Family]
		if wrapper == nil {
			if wrapper, err = r.wrapperFor(&f, pair.Family); err != nil {
				return f, err
			}
			wrappers[pair.Family] = wrapper
		}
		plain, key, err := r.draw(wrapper, recordContext(pair))
		if err != nil {
			return f, err
		}
		ready, err := newAEAD(plain)
		if err != nil {
			return f, err
		}
		f.records, f.keys, f.ready = append(f.records, pair), append(f.keys, key), append(f.ready, ready)
		f.payloads = append(f.payloads, encodeRecord(recordKey{of: pair, key: key}))
	}
	return f, nil
}

// wrapperFor is the key of a family, a new one if it has none.
func (r *Ring) wrapperFor(f *fresh, family ID) (cipher.AEAD, error) {
	wrapper, err := r.familyKey(family)
	if !errors.Is(err, ErrUnknownKey) {
		return wrapper, err
	}
	key, under, err := r.draw(r.borough, familyContext(family))
	if err != nil {
		return nil, err
	}
	f.families = append(f.families, familyKey{id: family, key: under})
	f.payloads = append(f.payloads, encodeFamily(f.families[len(f.families)-1]))
	return newAEAD(key)
}

// draw makes a new key and wraps it.
func (r *Ring) draw(by cipher.AEAD, context []byte) ([]byte, wrapped, error) {
	key := make([]byte, keyBytes)
	if _, err := io.ReadFull(r.opt.Rand, key); err != nil {
		return nil, wrapped{}, fmt.Errorf("drawing a key: %w", err)
	}
	under, err := wrap(by, r.opt.Rand, context, key)
	return key, under, err
}

// publish shows durable keys to readers. Whoever asked for them seals under them
// next, so they are kept ready.
func (r *Ring) publish(f fresh) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, family := range f.families {
		if err := r.table.addFamily(family); err != nil {
			return err
		}
	}
	for i, pair := range f.records {
		if err := r.table.addRecord(recordKey{of: pair, key: f.keys[i]}); err != nil {
			return err
		}
		r.records.put(pair, f.ready[i])
	}
	return nil
}
