package store

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"doorstep/syncproto"

	"github.com/dgraph-io/badger/v4"
)

// rows is a consistent sight of the index: a snapshot, or a transaction that
// sees its own writes.
type rows interface {
	// get returns a row's checked value; nil if there is none.
	get(key []byte) ([]byte, error)
	// scan calls fn with the rows of a prefix, in order, from a key on. It ends
	// early when fn returns false. Key and value are valid during the call only.
	scan(prefix, from []byte, fn func(k, v []byte) (bool, error)) error
	// upTo is the position of the last entry that the rows tell of.
	upTo() (uint64, error)
	// payload reads an entry of the journal, the transaction's own among them.
	payload(position uint64) ([]byte, error)
}

// snapshot reads what was committed.
type snapshot struct {
	txn   *badger.Txn
	store *Store
	known *uint64 // upTo, if that was asked for; 0: not yet
}

func (s snapshot) get(k []byte) ([]byte, error) {
	if s.store.absence.certain(k) {
		return nil, nil
	}
	s.store.looked.Add(1)
	item, err := s.txn.Get(k)
	if errors.Is(err, badger.ErrKeyNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading an index row: %w", err)
	}
	var out []byte
	err = item.Value(func(v []byte) error {
		v, err := s.open(k, v)
		out = slices.Clone(v)
		return err
	})
	if out == nil && err == nil {
		out = []byte{} // there, and empty
	}
	return out, err
}

func (s snapshot) scan(prefix, from []byte, fn func(k, v []byte) (bool, error)) error {
	it := s.txn.NewIterator(badger.IteratorOptions{Prefix: prefix, PrefetchValues: false})
	defer it.Close()
	for it.Seek(from); it.ValidForPrefix(prefix); it.Next() {
		item, goOn := it.Item(), true
		err := item.Value(func(v []byte) error {
			v, err := s.open(item.Key(), v)
			if err != nil {
				return err
			}
			goOn, err = fn(item.Key(), v)
			return err
		})
		if err != nil || !goOn {
			return err
		}
	}
	return nil
}

// open checks a row; a wrong one condemns the index.
func (s snapshot) open(k, v []byte) ([]byte, error) {
	v, err := openRow(k, v)
	if err != nil {
		s.store.noteDamage(err)
	}
	return v, err
}

func (s snapshot) payload(position uint64) ([]byte, error) { return s.store.opt.Source.Read(position) }

func (s snapshot) upTo() (uint64, error) {
	if *s.known > 0 {
		return *s.known, nil
	}
	v, err := s.get([]byte{keyMeta})
	if v == nil || err != nil {
		return 0, err
	}
	m, err := decodeMeta(v)
	*s.known = m.position
	return m.position, err
}

// layer holds rows that are not written yet; a nil value is a removal. Rows that
// are scanned are grouped by the id that their key begins with, so that a scan
// stays short.
type layer struct {
	rows   map[string]layerRow
	groups map[string][]string
	draft  int    // counts keeps and drops
	undo   []undo // the rows that were set since then, as they were before, in that order
}

type layerRow struct {
	value []byte
	draft int // in which it was set
}

type undo struct {
	key    string
	before layerRow
	known  bool
}

// newLayer makes a layer for about so many rows.
func newLayer(rows int) *layer {
	return &layer{rows: make(map[string]layerRow, rows), groups: map[string][]string{}}
}

// get returns a row; known is false if the layer says nothing of it.
func (l *layer) get(k []byte) (value []byte, known bool) {
	row, known := l.rows[string(k)]
	return row.value, known
}

// groupOf is the part of a key that every scan of its kind names in full. Rows of
// some kinds are only ever asked for by their whole key.
func groupOf(k string) (group string, scanned bool) {
	size := 1 + len(syncproto.ID{})
	switch k[0] {
	case keyChange, keyRefused, keyActor, keyRecord, keyLast, keyInForce, keyBegun, keySorted, keyUnsorted:
		return "", false
	case keyWaiting:
		size = 1 + len(syncproto.ChangeID{})
	case keyPlace:
		size += 8
	}
	return k[:min(size, len(k))], true
}

func (l *layer) set(k string, v []byte) {
	before, known := l.rows[k]
	if !known {
		if g, scanned := groupOf(k); scanned {
			l.groups[g] = append(l.groups[g], k)
		}
	}
	if !known || before.draft != l.draft {
		l.undo = append(l.undo, undo{k, before, known})
	}
	l.rows[k] = layerRow{v, l.draft}
}

// keep makes what was set since the last keep stay.
func (l *layer) keep() {
	clear(l.undo)
	l.undo = l.undo[:0]
	l.draft++
}

// drop takes it back, the last first.
func (l *layer) drop() {
	for _, u := range slices.Backward(l.undo) {
		if u.known {
			l.rows[u.key] = u.before
			continue
		}
		delete(l.rows, u.key)
		if g, scanned := groupOf(u.key); scanned {
			l.groups[g] = l.groups[g][:len(l.groups[g])-1]
		}
	}
	l.keep()
}

// under returns the keys of a prefix from a key on, sorted.
func (l *layer) under(prefix, from []byte) []string {
	var keys []string
	group, scanned := groupOf(string(prefix))
	if !scanned {
		panic("bug: rows of this kind are not scanned")
	}
	for _, k := range l.groups[group] {
		if strings.HasPrefix(k, string(prefix)) && k >= string(from) {
			keys = append(keys, k)
		}
	}
	slices.Sort(keys)
	return keys
}

// scan scans the layer laid over other rows: the layer's win.
func (l *layer) scan(below rows, prefix, from []byte, fn func(k, v []byte) (bool, error)) error {
	pending := l.under(prefix, from)
	stopped := false
	// emit hands out the layer's rows before a key; all of them if it is nil.
	emit := func(before []byte) error {
		for len(pending) > 0 && !stopped && (before == nil || pending[0] < string(before)) {
			k := pending[0]
			pending = pending[1:]
			if v := l.rows[k].value; v != nil {
				goOn, err := fn([]byte(k), v)
				if err != nil {
					return err
				}
				stopped = !goOn
			}
		}
		return nil
	}
	err := below.scan(prefix, from, func(k, v []byte) (bool, error) {
		if err := emit(k); err != nil || stopped {
			return false, err
		}
		if len(pending) > 0 && pending[0] == string(k) {
			return true, nil // replaced or removed: emit comes to it next
		}
		goOn, err := fn(k, v)
		stopped = !goOn
		return goOn, err
	})
	if err != nil || stopped {
		return err
	}
	return emit(nil)
}
