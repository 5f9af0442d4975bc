package store

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"slices"

	"doorstep/syncproto"
	"doorstep/syncproto/schema"

	"github.com/dgraph-io/badger/v4"
)

// viewFormat is part of what a cached view is bound to.
const viewFormat = syncproto.ViewFormat

// Graph returns a record's changes and verdicts as every device that holds the
// family has them: accepted and late changes, none that is held or in quarantine.
func (r *Reader) Graph(record syncproto.RecordID) (*syncproto.Graph, []syncproto.Verdict, error) {
	info, err := r.RecordInfo(record)
	if err != nil {
		return nil, nil, err
	}
	feed, err := r.recordFeed(info, 0)
	if err != nil {
		return nil, nil, err
	}
	return r.graphOf(record, feed)
}

// Original is Graph for a record that was moved to another family's file, as it was then.
// It asks nobody's leave: who may read the record that it became may read it. It fails with
// ErrNotFound for any other record.
func (r *Reader) Original(record syncproto.RecordID) (*syncproto.Graph, []syncproto.Verdict, error) {
	info, err := r.RecordInfo(record)
	if err != nil {
		return nil, nil, err
	}
	if info.Gone == 0 {
		return nil, nil, ErrNotFound
	}
	if _, moved, err := r.GoneRecord(info.Gone); err != nil || !moved {
		return nil, nil, cmp.Or(err, ErrNotFound)
	}
	gone := info.Gone
	info.Gone = 0
	feed, err := r.recordFeed(info, 0)
	if err != nil {
		return nil, nil, err
	}
	feed = slices.DeleteFunc(feed, func(row FeedRef) bool { return row.Position >= gone })
	return r.graphOf(record, feed)
}

// graphOf reads what the rows of a record's feed bring.
func (r *Reader) graphOf(record syncproto.RecordID, feed []FeedRef) (*syncproto.Graph, []syncproto.Verdict, error) {
	g := syncproto.NewGraph(record)
	var verdicts []syncproto.Verdict
	for _, row := range feed {
		if row.Type != FeedVerdict {
			c, err := r.Content(row.Change)
			if err != nil {
				return nil, nil, err
			}
			if _, err := g.Add(c); err != nil {
				return nil, nil, fmt.Errorf("change %s was accepted and does not fit: %w", c.ID, err)
			}
		}
		if row.Type != FeedChange {
			v, err := r.Verdict(row.Position)
			if err != nil {
				return nil, nil, err
			}
			verdicts = append(verdicts, v)
		}
	}
	return g, verdicts, nil
}

// ChangesOf calls fn with the changes that readers of a record got after a
// position, in that order; they are accepted or late. It returns the position up to
// which there are none left.
func (r *Reader) ChangesOf(record syncproto.RecordID, after uint64, fn func(ChangeEntry) error) (upTo uint64, err error) {
	info, err := r.RecordInfo(record)
	if err != nil || info.Last <= after {
		return after, err
	}
	rows, err := r.recordFeed(info, after)
	if err != nil {
		return after, err
	}
	for _, row := range rows {
		if row.Type == FeedVerdict {
			continue
		}
		e, err := r.ChangeEntry(row.Change)
		if err == nil {
			err = fn(e)
		}
		if err != nil {
			return after, err
		}
	}
	return info.Last, nil
}

// Verdict reads a verdict's entry; the position must be a verdict's.
func (r *Reader) Verdict(position uint64) (syncproto.Verdict, error) {
	e, err := r.Entry(position)
	if err != nil {
		return syncproto.Verdict{}, err
	}
	v, ok := e.(VerdictEntry)
	if !ok {
		return syncproto.Verdict{}, fmt.Errorf("entry %d is not a verdict: %w", position, ErrDamaged)
	}
	return v.Verdict, nil
}

// Fold returns a record's view, folded anew.
func (r *Reader) Fold(record syncproto.RecordID) (*syncproto.View, error) {
	g, verdicts, err := r.Graph(record)
	if err != nil {
		return nil, err
	}
	info, err := r.RecordInfo(record)
	if err != nil {
		return nil, err
	}
	kind, _ := schema.Newest(info.Kind)
	return syncproto.Fold(g, kind, verdicts), nil
}

// Graph is Reader.Graph on the newest state.
func (s *Store) Graph(record syncproto.RecordID) (g *syncproto.Graph, verdicts []syncproto.Verdict, err error) {
	err = s.Read(func(r *Reader) error {
		g, verdicts, err = r.Graph(record)
		return err
	})
	return g, verdicts, err
}

// View returns a record's view on the newest state. What computing needs other
// records for (syncproto.Derive) is not filled in. A view is folded when it
// is first asked for and kept, sealed, until the record has news. It fails with
// ErrNotFound for a record that has no accepted or late change.
func (s *Store) View(record syncproto.RecordID) (*syncproto.View, error) {
	return read(s, func(r *Reader) (*syncproto.View, error) {
		info, err := r.RecordInfo(record)
		if err != nil {
			return nil, err
		}
		if info.Gone > 0 {
			return nil, ErrNotFound
		}
		v, err := r.cachedView(info)
		if v != nil || err != nil {
			return v, err
		}
		if v, err = r.Fold(record); err != nil {
			return nil, err
		}
		return v, s.cacheView(info, v)
	})
}

// viewAAD binds a cached view to its record, the record's last news and to what
// made it.
func viewAAD(info RecordInfo) []byte {
	aad := append([]byte("doorstep-view\x00"), info.Record[:]...)
	aad = binary.BigEndian.AppendUint64(aad, info.Last)
	aad = append(aad, viewFormat)
	if kind, ok := schema.Newest(info.Kind); ok {
		aad = binary.BigEndian.AppendUint64(aad, kind.Version)
	}
	return aad
}

// cachedView returns nil if there is none of the record's newest state.
func (r *Reader) cachedView(info RecordInfo) (*syncproto.View, error) {
	sealed, err := r.rows.get(viewKey(info.Record))
	if sealed == nil || err != nil {
		return nil, err
	}
	plain, err := r.seal.Unseal(KeyPair{info.Family, info.Record}, viewAAD(info), sealed)
	if err != nil {
		return nil, nil // of an older state, or of an older program
	}
	v, err := syncproto.DecodeView(plain)
	if err != nil {
		return nil, nil
	}
	return v, nil
}

func (s *Store) cacheView(info RecordInfo, v *syncproto.View) error {
	plain := v.Encode()
	if len(plain) > maxViewBytes {
		return nil
	}
	sealed, err := s.opt.Sealer.Seal(KeyPair{info.Family, info.Record}, viewAAD(info), plain)
	if err != nil {
		return fmt.Errorf("sealing the view of record %s: %w", info.Record, err)
	}
	err = s.db.Update(func(txn *badger.Txn) error {
		return putRow(txn, string(viewKey(info.Record)), sealed)
	})
	if err != nil {
		return fmt.Errorf("keeping the view of record %s: %w", info.Record, err)
	}
	s.whole.RLock()
	defer s.whole.RUnlock()
	s.seen.renew(s.db)
	return nil
}
