package keyring

import (
	"errors"
	"fmt"
	"iter"

	"doorstep/server/internal/chain"
	"doorstep/server/internal/disk"
)

// Destroy erases a record's key for good: when it returns nil, the store has been written anew without it, durably, and
// the old store overwritten as far as the disk lets us. Nothing sealed under the key can be read again, and the record
// cannot get another key. Destroying twice is no error. What was sealed at the same moment is lost with the rest, so the
// caller stops writing to a record first. Errors: ErrUnknownKey, ErrFull (the key is still there), ErrFailed (nobody
// knows), ErrClosed.
//
// It writes the whole store: about 140 bytes a record.
func (r *Ring) Destroy(record Pair) error {
	r.writing.Lock()
	defer r.writing.Unlock()
	if err := r.writable(); err != nil {
		return err
	}
	r.mu.RLock()
	key, known := r.table.record(record)
	r.mu.RUnlock()
	if !known {
		return ErrUnknownKey
	}
	if key.erased {
		return nil
	}
	if err := r.rewrite(&record); err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.table.records[r.table.recordAt[record]].erased = true
	r.table.records[r.table.recordAt[record]].key = wrapped{}
	r.records.drop(record)
	return nil
}

// rewrite puts a new store in place of the present one, in which a record, if one is given, is erased.
func (r *Ring) rewrite(erased *Pair) error {
	temp := r.path(storeName + disk.TempSuffix)
	file, id, err := r.newStore(temp)
	if err != nil {
		return r.abandon(temp, nil, err)
	}
	if err := r.fill(file, erased); err != nil {
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

// fill writes all entries of the store into another, with one record erased if one is given.
func (r *Ring) fill(file *chain.File, erased *Pair) error {
	var payloads [][]byte
	for entry := range r.entriesWithout(erased) {
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

// entriesWithout yields the entries of the whole store, with one record erased if one is given.
func (r *Ring) entriesWithout(erased *Pair) iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		for _, family := range r.table.families {
			if !yield(encodeFamily(family)) {
				return
			}
		}
		for _, key := range r.table.records {
			key.erased = key.erased || erased != nil && key.of == *erased
			if !yield(encodeRecord(key)) {
				return
			}
		}
	}
}
