package keyring

import (
	"errors"
	"fmt"
	"iter"

	"doorstep/server/internal/chain"
	"doorstep/server/internal/disk"
)

// Doomed are keys to destroy: of records, and of whole families.
type Doomed struct {
	Records  []Pair
	Families []ID
}

// Destroy erases a record's key for good: DestroyAll of one. It answers ErrUnknownKey for a record that has none.
func (r *Ring) Destroy(record Pair) error {
	r.mu.RLock()
	_, known := r.table.record(record)
	r.mu.RUnlock()
	if !known {
		return errors.Join(r.alive(), ErrUnknownKey)
	}
	return r.DestroyAll(Doomed{Records: []Pair{record}})
}

// alive answers why the ring may not be used.
func (r *Ring) alive() error {
	r.writing.Lock()
	defer r.writing.Unlock()
	return r.writable()
}

// DestroyAll erases keys for good: when it returns nil, the store has been written anew without them, durably, and the
// old store overwritten as far as the disk lets us. Nothing sealed under them can be read again, and neither the records
// nor any record of a doomed family can get another key. What has no key, or none any more, is passed over, but for a
// family: it can have none later either. What was sealed at the same moment is lost with the rest, so the caller stops
// writing first. Errors: ErrFull (the keys are still there), ErrFailed (nobody knows), ErrClosed.
//
// It writes the whole store: about 140 bytes a record.
func (r *Ring) DestroyAll(doomed Doomed) error {
	r.writing.Lock()
	defer r.writing.Unlock()
	if err := r.writable(); err != nil {
		return err
	}
	r.mu.RLock()
	next, changed := r.table.without(doomed)
	r.mu.RUnlock()
	if !changed {
		return nil
	}
	if err := r.rewrite(next); err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.table = next
	r.destroyed.Add(1)
	for _, key := range next.records {
		if key.erased {
			r.records.drop(key.of)
		}
	}
	for _, family := range next.families {
		if family.erased {
			r.families.drop(family.id)
		}
	}
	return nil
}

// without is a copy of the table in which keys are destroyed. It reports whether that is a difference.
func (t *table) without(doomed Doomed) (next table, changed bool) {
	next = newTable()
	gone := map[ID]bool{}
	for _, id := range doomed.Families {
		gone[id] = true
		if _, known := t.family(id); !known {
			next.putFamily(familyKey{id: id, erased: true})
			changed = true
		}
	}
	dead := map[Pair]bool{}
	for _, pair := range doomed.Records {
		dead[pair] = true
	}
	for _, family := range t.families {
		if gone[family.id] && !family.erased {
			family, changed = familyKey{id: family.id, erased: true}, true
		}
		next.putFamily(family)
	}
	for _, key := range t.records {
		if (dead[key.of] || gone[key.of.Family]) && !key.erased {
			key, changed = recordKey{of: key.of, erased: true}, true
		}
		next.recordAt[key.of] = uint32(len(next.records))
		next.records = append(next.records, key)
	}
	return next, changed
}

func (t *table) putFamily(k familyKey) {
	t.familyAt[k.id] = uint32(len(t.families))
	t.families = append(t.families, k)
}

// RecordsOf lists the records of a family that have a key.
func (r *Ring) RecordsOf(family ID) (out []ID) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	for _, key := range r.table.records {
		if key.of.Family == family && !key.erased {
			out = append(out, key.of.Record)
		}
	}
	return out
}

// rewrite puts a new store, of a table, in place of the present one.
func (r *Ring) rewrite(next table) error {
	temp := r.path(storeName + disk.TempSuffix)
	file, id, err := r.newStore(temp)
	if err != nil {
		return r.abandon(temp, nil, err)
	}
	if err := r.fill(file, next); err != nil {
		return r.abandon(temp, file, err)
	}
	if err := file.Rename(r.path(storeName)); err != nil {
		return errors.Join(r.fail(err), file.Close())
	}
	old := r.file
	r.file, r.id = file, id
	if err := errors.Join(r.mark.Set(r.markNow()), r.mark.Sync(), old.Wipe(), old.Close()); err != nil {
		return r.fail(err)
	}
	return nil
}

// abandon gives up a store that was not yet put in place. For want of room that is all; any other error means that the
// disk is not to be trusted.
func (r *Ring) abandon(temp string, file *chain.File, cause error) error {
	var errs []error
	if file != nil {
		errs = append(errs, file.Close(), r.opt.FS.Remove(temp))
	}
	if err := errors.Join(errs...); err != nil || !(disk.IsFull(cause) || errors.Is(cause, ErrFull)) {
		return r.fail(errors.Join(cause, err))
	}
	return fmt.Errorf("writing the store anew: %w: %w", ErrFull, cause)
}

// fill writes all entries of a table into a new store.
func (r *Ring) fill(file *chain.File, t table) error {
	var payloads [][]byte
	for entry := range t.entries() {
		payloads = append(payloads, entry)
		if len(payloads) < maxPairsAWrite {
			continue
		}
		if _, err := file.Append(payloads); err != nil {
			return err
		}
		payloads = payloads[:0]
	}
	if len(payloads) == 0 {
		return nil
	}
	_, err := file.Append(payloads)
	return err
}

// entries yields the entries of a whole store.
func (t *table) entries() iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		for _, family := range t.families {
			if !yield(encodeFamily(family)) {
				return
			}
		}
		for _, key := range t.records {
			if !yield(encodeRecord(key)) {
				return
			}
		}
	}
}
