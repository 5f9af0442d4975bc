package store

import (
	"fmt"
	"maps"

	"doorstep/server/internal/audit"
	"doorstep/syncproto"

	"github.com/dgraph-io/badger/v4"
)

// Tx orders a group of entries: each is staged, and counts for what is staged
// after it; then the journal takes the payloads; then Commit writes the index.
// Only one Tx may be open, and only one goroutine may use it.
//
// What is staged is a draft until Keep; Drop takes back to the last Keep. So one
// proposal of a group can fail without harm to the others.
type Tx struct {
	Reader
	store *Store
	txn   *badger.Txn // read only
	below snapshot
	known map[string][]byte // rows of below that were asked for; nil: none there
	atMS  int64
	by    audit.Acting // of what is staged now

	first uint64 // position of the group's first entry
	kept  part
	draft part
}

// part is what some staged entries come to.
type part struct {
	layer    *layer
	payloads [][]byte
	bytes    int // of payloads and rows
	controls []placed
	news     map[syncproto.FamilyID]uint64
}

func newPart() part {
	return part{layer: newLayer(), news: map[syncproto.FamilyID]uint64{}}
}

// Begin opens a transaction. Entries that are composed in it carry atMS as the
// server's time, or the time of the last Begin if the clock went back.
func (s *Store) Begin(atMS int64) *Tx {
	s.clockMS = max(s.clockMS, atMS)
	tx := &Tx{store: s, txn: s.db.NewTransaction(false), known: map[string][]byte{}, atMS: s.clockMS, kept: newPart(), draft: newPart()}
	tx.below = snapshot{txn: tx.txn, store: s}
	tx.first = s.applied.position + 1
	tx.Reader = Reader{rows: tx, seal: s.opt.Sealer}
	return tx
}

// AtMS is the server's time of this group, Unix milliseconds.
func (tx *Tx) AtMS() int64 { return tx.atMS }

// SetActing says on whose behalf what follows is staged, for the audit log.
func (tx *Tx) SetActing(by audit.Acting) { tx.by = by }

// State is what control entries add up to, without this group's.
func (tx *Tx) State() *State { return tx.store.state }

// Next is the position that the next staged entry gets.
func (tx *Tx) Next() uint64 {
	return tx.first + uint64(len(tx.kept.payloads)+len(tx.draft.payloads))
}

// Stage puts an entry at the end of the group and applies it. It returns the
// entry's position. After an error, Drop.
func (tx *Tx) Stage(e Entry) (uint64, error) {
	e, event := tx.audited(e)
	payload, err := encodeEntry(e, tx.store.opt.Sealer, event)
	if err != nil {
		return 0, err
	}
	position := tx.Next()
	tx.draft.payloads = append(tx.draft.payloads, payload)
	tx.draft.bytes += len(payload)
	if v, ok := e.(VerdictEntry); ok {
		v.Position = position
		e = v
	}
	return position, tx.apply(position, e)
}

// Keep makes what was staged since the last Keep part of the group.
func (tx *Tx) Keep() {
	for k, v := range tx.draft.layer.rows {
		tx.kept.layer.set(k, v)
	}
	maps.Copy(tx.kept.news, tx.draft.news)
	tx.kept.payloads = append(tx.kept.payloads, tx.draft.payloads...)
	tx.kept.controls = append(tx.kept.controls, tx.draft.controls...)
	tx.kept.bytes += tx.draft.bytes
	tx.draft = newPart()
}

// Drop takes back what was staged since the last Keep.
func (tx *Tx) Drop() { tx.draft = newPart() }

// Payloads are the kept entries as the journal takes them, from position First.
func (tx *Tx) Payloads() [][]byte { return tx.kept.payloads }

// First is the position of the group's first entry.
func (tx *Tx) First() uint64 { return tx.first }

// Size is about how many bytes of payloads and index rows the kept part has.
func (tx *Tx) Size() int { return tx.kept.bytes }

// HasControl reports whether the kept part changes who may do what: nothing may
// be decided after it in the same group.
func (tx *Tx) HasControl() bool { return len(tx.kept.controls) > 0 }

// Families lists the families with news in the kept part.
func (tx *Tx) Families() []syncproto.FamilyID {
	out := make([]syncproto.FamilyID, 0, len(tx.kept.news))
	for f := range tx.kept.news {
		out = append(out, f)
	}
	return out
}

// Commit writes the index up to the last kept entry, once the journal has it,
// and shows the group to readers. digest is the journal's after that entry. It
// returns whose access changed.
func (tx *Tx) Commit(digest [32]byte) ([]syncproto.UserID, error) {
	defer tx.Discard()
	position := tx.first + uint64(len(tx.kept.payloads)) - 1
	next := meta{format: indexFormat, position: position, digest: digest}
	if err := tx.store.write(tx.kept.layer.rows, tx.kept.bytes, next); err != nil {
		return nil, fmt.Errorf("writing the index up to entry %d: %w", position, err)
	}
	tx.store.applied = next
	changed := tx.store.state.publish(position, tx.kept.controls, tx.kept.news)
	if position >= tx.store.marked+landmarkEvery {
		tx.store.writeLandmarks()
	}
	return changed, nil
}

// Discard ends a transaction that is not committed. It may be called twice.
func (tx *Tx) Discard() { tx.txn.Discard() }

// apply folds one entry into the draft: a pure function of the rows, the entry
// and its position, so that any replay gives the same bytes.
func (tx *Tx) apply(position uint64, e Entry) error {
	err := tx.applyEntry(position, e)
	if err != nil {
		err = fmt.Errorf("applying entry %d: %w", position, err)
	}
	return err
}

func (tx *Tx) applyEntry(position uint64, e Entry) error {
	switch e := e.(type) {
	case ChangeEntry:
		return tx.applyChange(position, e)
	case RefusedEntry:
		return tx.applyRefused(position, e)
	case VerdictEntry:
		return tx.applyVerdict(e.Verdict)
	case TipEntry:
		return nil // evidence; found by reading the journal
	}
	tx.draft.controls = append(tx.draft.controls, placed{position, e})
	return nil
}

func (tx *Tx) get(k []byte) ([]byte, error) {
	if v, ok := tx.draft.layer.rows[string(k)]; ok {
		return v, nil
	}
	if v, ok := tx.kept.layer.rows[string(k)]; ok {
		return v, nil
	}
	if v, ok := tx.known[string(k)]; ok {
		return v, nil
	}
	v, err := tx.below.get(k)
	if err == nil {
		tx.known[string(k)] = v
	}
	return v, err
}

func (tx *Tx) scan(prefix, from []byte, fn func(k, v []byte) (bool, error)) error {
	return tx.draft.layer.scan(keptRows{tx}, prefix, from, fn)
}

// keptRows are the rows below the draft.
type keptRows struct{ *Tx }

func (r keptRows) scan(prefix, from []byte, fn func(k, v []byte) (bool, error)) error {
	return r.kept.layer.scan(r.below, prefix, from, fn)
}

func (tx *Tx) payload(position uint64) ([]byte, error) {
	if position < tx.first {
		return tx.below.payload(position)
	}
	i, kept := position-tx.first, uint64(len(tx.kept.payloads))
	switch {
	case i < kept:
		return tx.kept.payloads[i], nil
	case i-kept < uint64(len(tx.draft.payloads)):
		return tx.draft.payloads[i-kept], nil
	}
	return nil, ErrNotFound
}

func (tx *Tx) set(k, v []byte) {
	if v == nil {
		v = []byte{}
	}
	tx.draft.layer.set(string(k), v)
	tx.draft.bytes += len(k) + len(v) + sumBytes
}

func (tx *Tx) remove(k []byte) {
	tx.draft.layer.set(string(k), nil)
	tx.draft.bytes += len(k)
}

// write puts rows and the new position into badger: in one transaction, so that
// they hold together, or if they are too many, in several under a mark that an
// index left half done is known by.
func (s *Store) write(rows map[string][]byte, size int, next meta) error {
	metaRow := string(rune(keyMeta))
	if size <= s.opt.MemTableBytes/txnShare && len(rows) <= s.opt.MemTableBytes/txnRowBytes {
		return s.db.Update(func(txn *badger.Txn) error {
			for k, v := range rows {
				if err := putRow(txn, k, v); err != nil {
					return err
				}
			}
			return putRow(txn, metaRow, next.encode())
		})
	}
	s.whole.Lock()
	defer s.whole.Unlock()
	if err := s.mark(true); err != nil {
		return err
	}
	batch := s.db.NewWriteBatch()
	defer batch.Cancel()
	for k, v := range rows {
		if err := putBatchRow(batch, k, v); err != nil {
			return err
		}
	}
	if err := putBatchRow(batch, metaRow, next.encode()); err != nil {
		return err
	}
	if err := batch.Flush(); err != nil {
		return err
	}
	return s.mark(false)
}

// mark sets or removes the mark of an index that is half done.
func (s *Store) mark(busy bool) error {
	return s.db.Update(func(txn *badger.Txn) error {
		if busy {
			return putRow(txn, string(rune(keyBusy)), []byte{})
		}
		return putRow(txn, string(rune(keyBusy)), nil)
	})
}

func putRow(txn *badger.Txn, k string, v []byte) error {
	if v == nil {
		return txn.Delete([]byte(k))
	}
	return txn.Set([]byte(k), sealRow([]byte(k), v))
}

func putBatchRow(batch *badger.WriteBatch, k string, v []byte) error {
	if v == nil {
		return batch.Delete([]byte(k))
	}
	return batch.Set([]byte(k), sealRow([]byte(k), v))
}
