package store

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"

	"doorstep/syncproto"
)

// FeedType says what a row of a feed brings.
type FeedType uint8

const (
	FeedChange  FeedType = 1 // the change at the row's own position
	FeedVerdict FeedType = 2 // the verdict at the row's own position
	FeedPlaced  FeedType = 3 // that verdict, and before it the change that it places
	FeedGone    FeedType = 4 // that a record was erased, or moved to another family
)

// FeedRef is one row of a family's feed. Before is the row before it, so that a row
// that the disk lost shows as a gap; Earlier is the one before it that is of the
// same record: by that a record's rows are found, the last first.
type FeedRef struct {
	Position uint64
	Type     FeedType
	Change   uint64 // position of the change; 0 for FeedVerdict and FeedGone
	Before   uint64
	Earlier  uint64
}

// blockPositions is how many positions of the journal make a block. The rows that a
// family's feed has in one block lie in one row of the index, and so do the records
// of one kind that are new there: many tablets that send at once cost little more
// than one. A block is told by the position alone, not by the groups that entries
// were committed in, so that any replay gives the same rows.
const blockPositions = 256

func blockOf(position uint64) uint64 { return position / blockPositions }

// In the index, a stretch is what a feed has in one block: the position of the row
// before it, and of each row its place in the block, its type, its change and the
// earlier row of its record, each as an unsigned varint.

func appendStretchHead(b []byte, before uint64) []byte { return binary.AppendUvarint(b, before) }

func appendFeedRef(b []byte, f FeedRef) []byte {
	b = binary.AppendUvarint(b, f.Position%blockPositions)
	b = binary.AppendUvarint(b, uint64(f.Type))
	b = binary.AppendUvarint(b, f.Change)
	return binary.AppendUvarint(b, f.Earlier)
}

// stretch reads the rows of one block, in order.
type stretch struct {
	block uint64
	left  []byte
	last  uint64 // the row that was read last, or the one before the block
	bad   bool
}

func newStretch(block uint64, row []byte) *stretch {
	s := &stretch{block: block, left: row}
	s.last = s.number()
	return s
}

// next returns the next row; ok is false at the end.
func (s *stretch) next() (f FeedRef, ok bool, err error) {
	if len(s.left) == 0 && !s.bad {
		return FeedRef{}, false, nil
	}
	offset, kind := s.number(), s.number()
	f = FeedRef{Position: s.block*blockPositions + offset, Type: FeedType(kind), Before: s.last}
	f.Change, f.Earlier = s.number(), s.number()
	if s.bad || offset >= blockPositions || kind > uint64(FeedGone) || f.Before >= f.Position || f.Earlier > f.Before {
		return FeedRef{}, false, ErrDamaged
	}
	s.last = f.Position
	return f, true, nil
}

func (s *stretch) number() uint64 {
	v, n := binary.Uvarint(s.left)
	if n <= 0 {
		s.bad = true
		return 0
	}
	s.left = s.left[n:]
	return v
}

// feed adds a row to a family's feed, which is its record's newest.
func (tx *Tx) feed(r *RecordInfo, row FeedRef) error {
	last, err := tx.lastOf(r.Family)
	if err != nil {
		return err
	}
	block := blockOf(row.Position)
	begun := last > 0 && blockOf(last) == block // else the family has nothing in this block
	if r.Last == 0 {
		if err := tx.list(*r, block, begun); err != nil {
			return err
		}
	}
	row.Earlier, r.Last = r.Last, row.Position
	k := feedKey(r.Family, block)
	v, err := tx.toExtend(k, begun)
	if err != nil {
		return err
	}
	size := len(v)
	switch {
	case size == 0 && begun:
		return fmt.Errorf("the feed of family %s lacks its end: %w", r.Family, ErrDamaged)
	case size == 0:
		v = appendStretchHead(v, last)
	}
	tx.extend(k, appendFeedRef(v, row), size)
	tx.set(tx.keyOf(keyLast, r.Family[:]), encodeNumber(row.Position))
	return nil
}

// list files a record that is new among those of its family and kind. begun says
// whether the family has had news in this block.
func (tx *Tx) list(r RecordInfo, block uint64, begun bool) error {
	k := kindKey(r.Family, r.Kind, block)
	v, err := tx.toExtend(k, begun)
	if err == nil {
		tx.extend(k, append(v, r.Record[:]...), len(v))
	}
	return err
}

// unlist takes a record from that list again.
func (tx *Tx) unlist(r RecordInfo) error {
	prefix := kindKey(r.Family, r.Kind)
	var in, rest []byte
	err := tx.scan(prefix, prefix, func(k, v []byte) (bool, error) {
		ids, err := recordIDs(v)
		if at := slices.Index(ids, r.Record); at >= 0 {
			in, rest = slices.Clone(k), slices.Delete(slices.Clone(v), at*len(r.Record), (at+1)*len(r.Record))
		}
		return in == nil, err
	})
	if in != nil && err == nil {
		tx.set(in, rest)
	}
	return err
}

func recordIDs(row []byte) ([]syncproto.RecordID, error) {
	const size = len(syncproto.RecordID{})
	if len(row)%size != 0 {
		return nil, ErrDamaged
	}
	out := make([]syncproto.RecordID, 0, len(row)/size)
	for ; len(row) > 0; row = row[size:] {
		out = append(out, syncproto.RecordID(row[:size]))
	}
	return out, nil
}

// RecordsOf lists the records of a family and kind that have accepted or late
// changes, in order of their ids.
func (r *Reader) RecordsOf(family syncproto.FamilyID, kind string) ([]syncproto.RecordID, error) {
	prefix := kindKey(family, kind)
	var out []syncproto.RecordID
	err := r.rows.scan(prefix, prefix, func(_, v []byte) (bool, error) {
		ids, err := recordIDs(v)
		out = append(out, ids...)
		return true, err
	})
	slices.SortFunc(out, func(a, b syncproto.RecordID) int { return slices.Compare(a[:], b[:]) })
	return out, err
}

// lastOf returns the position of the last row of a family's feed.
func (r *Reader) lastOf(family syncproto.FamilyID) (uint64, error) {
	v, err := r.rows.get(r.keyOf(keyLast, family[:]))
	if v == nil || err != nil {
		return 0, err
	}
	return decodeNumber(v)
}

// Feed calls fn with the rows of a family's feed after a position and up to
// another, oldest first, until fn returns false. Rows that the disk lost are
// ErrDamaged.
func (r *Reader) Feed(family syncproto.FamilyID, after, upTo uint64, fn func(FeedRef) bool) error {
	prefix := key(keyFeed, family[:])
	before, known := uint64(0), after == 0
	err := r.rows.scan(prefix, feedKey(family, blockOf(after+1)), func(k, v []byte) (bool, error) {
		s := newStretch(lastNumber(k), v)
		if known && s.last != before || !known && s.last > after {
			return false, fmt.Errorf("rows before block %d of a feed are missing: %w", s.block, ErrDamaged)
		}
		for {
			row, ok, err := s.next()
			switch {
			case err != nil || !ok:
				before, known = s.last, true
				return true, err
			case row.Position > upTo:
				return false, nil
			case row.Position > after && !fn(row):
				return false, nil
			}
		}
	})
	return r.condemn(err)
}

// recordFeed reads the rows of a record's feed after a position, oldest first.
func (r *Reader) recordFeed(info RecordInfo, after uint64) ([]FeedRef, error) {
	if info.Gone > 0 {
		return nil, ErrNotFound
	}
	var out, block []FeedRef
	for at := info.Last; at > after; {
		if len(block) == 0 || blockOf(block[0].Position) != blockOf(at) {
			var err error
			if block, err = r.feedBlock(info.Family, blockOf(at)); err != nil {
				return nil, r.condemn(err)
			}
		}
		i, found := slices.BinarySearchFunc(block, at, func(f FeedRef, at uint64) int { return int(f.Position) - int(at) })
		if !found {
			return nil, r.condemn(fmt.Errorf("row %d of the feed of record %s is missing: %w", at, info.Record, ErrDamaged))
		}
		out, at = append(out, block[i]), block[i].Earlier
	}
	slices.Reverse(out)
	return out, nil
}

// feedBlock reads the rows that a family's feed has in one block.
func (r *Reader) feedBlock(family syncproto.FamilyID, block uint64) (out []FeedRef, err error) {
	v, err := r.rows.get(feedKey(family, block))
	if err != nil {
		return nil, err
	}
	if len(v) == 0 {
		return nil, fmt.Errorf("block %d of the feed of family %s is missing: %w", block, family, ErrDamaged)
	}
	s := newStretch(block, v)
	for {
		row, ok, err := s.next()
		if err != nil || !ok {
			return out, err
		}
		out = append(out, row)
	}
}

// Lacks marks the index as damaged because the end of a family's feed is gone,
// and says so.
func (r *Reader) Lacks(family syncproto.FamilyID) error {
	return r.condemn(fmt.Errorf("the feed of family %s lacks its end: %w", family, ErrDamaged))
}

// condemn marks the index as damaged if that is what the error says.
func (r *Reader) condemn(err error) error {
	if s, ok := r.rows.(snapshot); ok && errors.Is(err, ErrDamaged) {
		s.store.noteDamage(err)
	}
	return err
}
