package store

import (
	"fmt"
	"maps"
	"slices"

	"doorstep/server/internal/audit"
	"doorstep/syncproto"

	"github.com/dgraph-io/badger/v4"
)

// Tx orders a group of entries: each is staged, and counts for what is staged
// after it; then the journal takes the payloads; then Commit writes the index.
// Only one goroutine may use it at a time.
//
// What is staged is a draft until Keep; Drop takes back to the last Keep. So one
// proposal of a group can fail without harm to the others.
//
// A Tx may begin on top of one that is not committed (Store.BeginAfter), which must
// not be staged into any more. It then sees that one's rows, and is void if that
// one is given up.
type Tx struct {
	Reader
	store *Store
	seen  *moment // nil: given back
	below snapshot
	known map[string][]byte // rows of below that were asked for; nil: none there
	base  *Tx               // the group before, if that was not committed yet
	atMS  int64
	by    audit.Acting // of what is staged now
	// applying is 1 while an entry is applied, and not told of yet.
	applying uint64

	first    uint64 // position of the group's first entry
	layer    *layer
	payloads [][]byte
	controls []placed
	size     size
	kept     kept
}

// size is how many bytes a group has.
type size struct{ payloads, rows int }

// kept is how far a group reached at the last Keep.
type kept struct {
	payloads, controls int
	size               size
}

// Begin opens a transaction on top of what is committed. Entries that are composed
// in it carry atMS as the server's time, or the time of the last Begin if the clock
// went back.
func (s *Store) Begin(atMS int64) *Tx {
	return s.begin(atMS, s.applied.position+1)
}

// BeginAfter opens a transaction on top of a group that may not be committed yet;
// all before that one must be.
func (s *Store) BeginAfter(base *Tx, atMS int64) *Tx {
	tx := s.begin(atMS, base.first+uint64(base.kept.payloads))
	tx.base = base
	s.rows = len(base.layer.rows)
	base.base = nil // committed, and not asked any more
	return tx
}

func (s *Store) begin(atMS int64, first uint64) *Tx {
	s.clockMS = max(s.clockMS, atMS)
	tx := &Tx{store: s, seen: s.seen.take(), known: map[string][]byte{}, atMS: s.clockMS, first: first, layer: newLayer(s.rows)}
	s.rows /= 2 // unless groups keep following each other
	tx.below = snapshot{txn: tx.seen.txn, store: s, known: new(uint64)}
	tx.Reader = Reader{rows: tx, seal: s.opt.Sealer, absence: s.absence}
	return tx
}

// AtMS is the server's time of this group, Unix milliseconds.
func (tx *Tx) AtMS() int64 { return tx.atMS }

// SetActing says on whose behalf what follows is staged, for the audit log.
func (tx *Tx) SetActing(by audit.Acting) { tx.by = by }

// State is what control entries add up to, without those that are not committed.
func (tx *Tx) State() *State { return tx.store.state }

// Next is the position that the next staged entry gets.
func (tx *Tx) Next() uint64 { return tx.first + uint64(len(tx.payloads)) }

// Stage puts an entry at the end of the group and applies it. It returns the
// entry's position. After an error, Drop.
func (tx *Tx) Stage(e Entry) (uint64, error) {
	e, event := tx.audited(e)
	payload, err := encodeEntry(e, tx.store.opt.Sealer, event)
	if err != nil {
		return 0, err
	}
	position := tx.Next()
	if v, ok := e.(VerdictEntry); ok {
		v.Position = position
		e = v
	}
	return position, tx.take(payload, e)
}

// take puts an entry and its payload at the end of the group and applies it.
func (tx *Tx) take(payload []byte, e Entry) error {
	position := tx.Next()
	tx.payloads = append(tx.payloads, payload)
	tx.size.payloads += len(payload)
	tx.applying = 1
	defer func() { tx.applying = 0 }()
	return tx.apply(position, e)
}

// Keep makes what was staged since the last Keep part of the group.
func (tx *Tx) Keep() {
	tx.layer.keep()
	tx.kept = kept{payloads: len(tx.payloads), controls: len(tx.controls), size: tx.size}
}

// Drop takes back what was staged since the last Keep.
func (tx *Tx) Drop() {
	tx.layer.drop()
	tx.payloads, tx.controls, tx.size = tx.payloads[:tx.kept.payloads], tx.controls[:tx.kept.controls], tx.kept.size
}

// Payloads are the kept entries as the journal takes them, from position First.
func (tx *Tx) Payloads() [][]byte { return tx.payloads[:tx.kept.payloads] }

// First is the position of the group's first entry.
func (tx *Tx) First() uint64 { return tx.first }

// Size is about how many bytes of payloads and index rows the kept part has.
func (tx *Tx) Size() int { return tx.kept.size.payloads + tx.kept.size.rows }

// HasControl reports whether the kept part changes who may do what: nothing may
// be decided after it before it is committed.
func (tx *Tx) HasControl() bool { return tx.kept.controls > 0 }

// news is the position of each family's newest row of its feed in this group.
func (tx *Tx) news() (map[syncproto.FamilyID]uint64, error) {
	out := map[syncproto.FamilyID]uint64{}
	for k, row := range tx.layer.rows {
		if k[0] != keyLast {
			continue
		}
		position, err := decodeNumber(row.value)
		if err != nil {
			return nil, err
		}
		out[syncproto.FamilyID([]byte(k[1:]))] = position
	}
	return out, nil
}

// Committed says what a group brought to those who wait for news.
type Committed struct {
	Families []syncproto.FamilyID // with news
	Users    []syncproto.UserID   // whose access changed
	Gone     bool                 // something of one of the families was erased, or moved to another
}

// Commit writes the index up to the last kept entry, once the journal has it,
// and shows the group to readers. digest is the journal's after that entry.
func (tx *Tx) Commit(digest [32]byte) (Committed, error) {
	defer tx.Discard()
	position := tx.first + uint64(tx.kept.payloads) - 1
	next := meta{format: indexFormat, position: position, digest: digest}
	news, err := tx.news()
	if err == nil {
		err = tx.store.write(tx.layer.rows, tx.kept.size.rows, next)
	}
	tx.store.seen.renew(tx.store.db) // before State says so
	if err != nil {
		return Committed{}, fmt.Errorf("writing the index up to entry %d: %w", position, err)
	}
	tx.store.applied = next
	changed := tx.store.state.publish(position, tx.controls[:tx.kept.controls], news)
	if position >= tx.store.marked+landmarkEvery {
		tx.store.writeLandmarks()
	}
	gone := slices.ContainsFunc(tx.controls[:tx.kept.controls], func(c placed) bool { return goes(c.entry) })
	return Committed{Families: slices.Collect(maps.Keys(news)), Users: changed, Gone: gone}, nil
}

// Discard ends a transaction that is not committed. It may be called twice.
func (tx *Tx) Discard() {
	if tx.seen != nil {
		tx.store.seen.release(tx.seen)
		tx.seen = nil
	}
}

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
	tx.controls = append(tx.controls, placed{position, e})
	switch e := e.(type) {
	case EraseEntry:
		return tx.applyErase(position, e)
	case MisfileEntry:
		return tx.applyMisfile(position, e)
	}
	return nil
}

func (tx *Tx) get(k []byte) ([]byte, error) {
	if v, ok := tx.layer.get(k); ok {
		return v, nil
	}
	if tx.base != nil {
		if v, ok := tx.base.layer.get(k); ok {
			return v, nil
		}
	}
	if tx.store.absence.certain(k) {
		return nil, nil
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
	return tx.layer.scan(baseRows{tx}, prefix, from, fn)
}

// baseRows are the rows below the transaction's own.
type baseRows struct{ *Tx }

func (r baseRows) scan(prefix, from []byte, fn func(k, v []byte) (bool, error)) error {
	if r.base == nil {
		return r.below.scan(prefix, from, fn)
	}
	return r.base.layer.scan(r.below, prefix, from, fn)
}

func (tx *Tx) upTo() (uint64, error) { return tx.Next() - 1 - tx.applying, nil }

func (tx *Tx) payload(position uint64) ([]byte, error) {
	switch {
	case position >= tx.Next():
		return nil, ErrNotFound
	case position >= tx.first:
		return tx.payloads[position-tx.first], nil
	case tx.base != nil && position >= tx.base.first:
		return tx.base.payloads[position-tx.base.first], nil
	}
	return tx.below.payload(position)
}

func (tx *Tx) set(k, v []byte) {
	if v == nil {
		v = []byte{}
	}
	tx.store.absence.note(k)
	tx.layer.set(string(k), v)
	tx.size.rows += len(k) + len(v) + sumBytes
}

// toExtend returns a row's value, empty if there is none, as memory that may be
// appended to: for extend. A row that is there says so; else nothing is looked up.
func (tx *Tx) toExtend(k []byte, there bool) ([]byte, error) {
	if !there {
		return nil, nil
	}
	if v, own := tx.layer.get(k); own {
		return v, nil // a drop takes back how long it is
	}
	v, err := tx.get(k)
	return append(make([]byte, 0, 2*len(v)+64), v...), err
}

// extend sets a row to what toExtend returned, of was bytes, and more.
func (tx *Tx) extend(k, v []byte, was int) {
	tx.layer.set(string(k), v)
	tx.size.rows += len(v) - was
	if was == 0 {
		tx.size.rows += len(k) + sumBytes
	}
}

func (tx *Tx) remove(k []byte) {
	tx.layer.set(string(k), nil)
	tx.size.rows += len(k)
}

// write puts rows and the new position into badger: in one transaction, so that
// they hold together, or if they are too many, in several under a mark that an
// index left half done is known by.
func (s *Store) write(rows map[string]layerRow, size int, next meta) error {
	metaRow := string(rune(keyMeta))
	if size <= s.opt.MemTableBytes/txnShare && len(rows) <= s.opt.MemTableBytes/txnRowBytes {
		return s.db.Update(func(txn *badger.Txn) error {
			for k, row := range rows {
				if err := putRow(txn, k, row.value); err != nil {
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
	for k, row := range rows {
		if err := putBatchRow(batch, k, row.value); err != nil {
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

// mark sets or takes back the mark of an index that is half done. It is never
// removed: badger forgets what was removed, and with it that there was a version.
func (s *Store) mark(busy bool) error {
	v := []byte{}
	if busy {
		v = []byte{1}
	}
	return s.db.Update(func(txn *badger.Txn) error { return putRow(txn, string(rune(keyBusy)), v) })
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
