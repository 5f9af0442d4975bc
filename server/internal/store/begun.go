package store

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"

	"doorstep/syncproto"
)

// Most records are begun by a change that is accepted as it comes, and most of those
// never get another. Neither such a change nor its record has a row of its own: each
// row is a search in badger's table in memory, and all that they would say stands in
// the head of the change's entry. What is kept is where that entry is: first in a row
// for each block of positions, then, once a run of blocks is full, in rows by the ids,
// so that the search for one of them is short however many there are. The record gets
// its row with the next thing that happens to it; the change needs none any more,
// because nothing moves on what was accepted.

const (
	// runPositions is how many positions make a run. The newest is not sorted yet, and
	// searched block by block.
	runPositions = 32 * blockPositions
	runBuckets   = 128 // rows of a run; an id is in that of its first seven bits

	// Of a change's id, which is a digest, the beginning is told apart well enough. A
	// record's is drawn by a device: one that draws many that begin alike must not have
	// others search among them.
	changeStart = 8
	recordStart = len(syncproto.RecordID{})
	begunBytes  = 1 + changeStart + recordStart // in the row of a block: place in the block, change, record
	ofRecord    = uint16(1) << 15               // in a place in a run: the id is the record's
	recentMask  = 1<<16 - 1                     // see begun.recent
)

func runOf(position uint64) uint64 { return position / runPositions }

func bucketOf(id []byte) byte { return id[0] >> 1 }

// begun remembers, in memory, in which runs the beginning of an id may be, and where
// those were that came last. It only ever saves a search: what it says is looked up.
type begun struct {
	growing sync.Mutex
	runs    atomic.Pointer[[]filterPart] // by their number; nil: nothing was noted in it
	recent  [recentMask + 1]atomic.Uint64
}

// runFilterBits is filterBitsAKey for each id that a run can have.
const runFilterBits = 2 * runPositions * filterBitsAKey

func (b *begun) note(position uint64, id []byte) {
	bits, slot, tag := startProbes(id)
	b.part(runOf(position)).set(bits)
	b.recent[slot].Store(position<<16 | uint64(tag))
}

// startProbes are the bits of an id in the filters of runs, and its place in recent,
// where a tag tells most others from it.
func startProbes(id []byte) (bits [4]uint32, slot uint32, tag uint16) {
	first, last := binary.LittleEndian.Uint64(id), binary.LittleEndian.Uint64(id[len(id)-8:])
	at, step := uint32(first), uint32(last>>32)|1
	for i := range bits {
		bits[i] = at
		at += step
	}
	mixed := first ^ last*0x9e3779b97f4a7c15
	return bits, uint32(mixed>>32) & recentMask, uint16(mixed >> 16)
}

// part is the filter of a run, made if need be.
func (b *begun) part(run uint64) filterPart {
	if p := b.partOrNil(run); p != nil {
		return p
	}
	b.growing.Lock()
	defer b.growing.Unlock()
	if p := b.partOrNil(run); p != nil {
		return p
	}
	var parts []filterPart
	if before := b.runs.Load(); before != nil {
		parts = slices.Clone(*before)
	}
	for uint64(len(parts)) <= run {
		parts = append(parts, nil)
	}
	parts[run] = make(filterPart, runFilterBits/64)
	b.runs.Store(&parts)
	return parts[run]
}

func (b *begun) partOrNil(run uint64) filterPart {
	if parts := b.runs.Load(); parts != nil && run < uint64(len(*parts)) {
		return (*parts)[run]
	}
	return nil
}

// may reports whether an id may begin in a run, if all of it was noted.
func (b *begun) may(run uint64, bits [4]uint32) bool {
	p := b.partOrNil(run)
	return p != nil && p.has(bits)
}

// last is where an id may have been noted last; 0: nowhere.
func (b *begun) last(id []byte) uint64 {
	_, slot, tag := startProbes(id)
	if at := b.recent[slot].Load(); uint16(at) == tag {
		return at >> 16
	}
	return 0
}

// begin files a change that begins its record, and the record.
func (tx *Tx) begin(c ChangeRef) error {
	k := begunKey(blockOf(c.Position))
	v, err := tx.toExtend(k, true)
	if err == nil && len(v) == 0 {
		err = tx.sortBefore(runOf(c.Position))
	}
	if err != nil {
		return err
	}
	size := len(v)
	v = append(v, byte(c.Position%blockPositions))
	v = append(append(v, c.ID[:changeStart]...), c.Record[:]...)
	tx.extend(k, v, size)
	tx.store.absence.begins(c.Position, c.ID[:changeStart], c.Record[:])
	return nil
}

// sortBefore sorts the run that stands in blocks still, if a later one begins.
func (tx *Tx) sortBefore(now uint64) error {
	run, err := tx.unsorted()
	if err != nil || run >= now {
		return err
	}
	var rows [runBuckets][]byte
	for block := run * (runPositions / blockPositions); blockRun(block) == run; block++ {
		k := begunKey(block)
		v, err := tx.get(k)
		if err != nil {
			return err
		}
		if len(v) == 0 {
			continue
		}
		if err := eachBegun(block, v, func(position uint64, change, record []byte) {
			place := uint16(position % runPositions)
			rows[bucketOf(change)] = appendSorted(rows[bucketOf(change)], place, change)
			rows[bucketOf(record)] = appendSorted(rows[bucketOf(record)], place|ofRecord, record)
		}); err != nil {
			return err
		}
		tx.remove(k)
	}
	for bucket, row := range rows {
		if len(row) > 0 {
			tx.set(sortedKey(run, byte(bucket)), row)
		}
	}
	tx.set([]byte{keyUnsorted}, encodeNumber(now))
	return nil
}

func blockRun(block uint64) uint64 { return runOf(block * blockPositions) }

// unsorted is the run that stands in blocks; all before it are sorted.
func (r *Reader) unsorted() (uint64, error) {
	v, err := r.rows.get([]byte{keyUnsorted})
	if v == nil || err != nil {
		return 0, err
	}
	return decodeNumber(v)
}

func appendSorted(b []byte, place uint16, id []byte) []byte {
	return append(binary.BigEndian.AppendUint16(b, place), id...)
}

// eachBegun reads the row of a block.
func eachBegun(block uint64, row []byte, fn func(position uint64, change, record []byte)) error {
	if len(row)%begunBytes != 0 {
		return ErrDamaged
	}
	for ; len(row) > 0; row = row[begunBytes:] {
		ids := row[1:]
		fn(block*blockPositions+uint64(row[0]), ids[:changeStart], ids[changeStart:][:recordStart])
	}
	return nil
}

// eachSorted reads a row of a run.
func eachSorted(run uint64, row []byte, fn func(position uint64, id []byte, record bool)) error {
	for len(row) > 2 {
		place, size := binary.BigEndian.Uint16(row), changeStart
		if place&ofRecord != 0 {
			size = recordStart
		}
		if row = row[2:]; len(row) < size {
			break
		}
		fn(run*runPositions+uint64(place&^ofRecord), row[:size], place&ofRecord != 0)
		row = row[size:]
	}
	if len(row) > 0 {
		return ErrDamaged
	}
	return nil
}

// beginning is what is looked for: a change, or the change that begins a record.
type beginning struct {
	id     []byte // as the rows have it
	record bool
	is     func(ChangeEntry) bool
}

func beginningOf(record syncproto.RecordID) beginning {
	return beginning{record[:], true, func(e ChangeEntry) bool { return e.Record == record }}
}

func beginningBy(change syncproto.ChangeID) beginning {
	return beginning{change[:changeStart], false, func(e ChangeEntry) bool { return e.ID == change }}
}

// begun finds the change that began a record, for something that has no row; which
// ErrNotFound says.
func (r *Reader) begun(b beginning) (ChangeRef, error) {
	upTo, err := r.rows.upTo()
	if err != nil {
		return ChangeRef{}, err
	}
	if c, found := r.lastRead(b, upTo); found {
		return c, nil
	}
	if p := r.absence.begun.last(b.id); p > 0 && p <= upTo {
		if c, found, err := r.begunAt(p, b); err != nil || found {
			return c, err
		}
	}
	for _, run := range r.runsWith(b.id, upTo) {
		c, err := r.begunIn(run, b, upTo)
		if !errors.Is(err, ErrNotFound) {
			return c, err
		}
	}
	return ChangeRef{}, ErrNotFound
}

// begunOrOther is begun with as much work for what is not there: another run is looked
// through and another entry read.
func (r *Reader) begunOrOther(b beginning) (ChangeRef, error) {
	upTo, err := r.rows.upTo()
	if err != nil || upTo == 0 {
		return ChangeRef{}, errors.Join(err, ErrNotFound)
	}
	other := binary.BigEndian.Uint64(b.id)%upTo + 1
	runs := r.runsWith(b.id, upTo)
	if len(runs) == 0 {
		runs = []uint64{runOf(other)}
	}
	for _, run := range runs {
		c, err := r.begunIn(run, b, upTo)
		if !errors.Is(err, ErrNotFound) {
			return c, err
		}
	}
	if _, err := r.rows.payload(other); err != nil {
		return ChangeRef{}, fmt.Errorf("reading entry %d: %w", other, err)
	}
	return ChangeRef{}, ErrNotFound
}

// runsWith are the runs in which an id may begin, the newest first.
func (r *Reader) runsWith(id []byte, upTo uint64) (out []uint64) {
	bits, _, _ := startProbes(id)
	all := !r.absence.whole.Load()
	for run := int64(runOf(upTo)); run >= 0; run-- {
		if all || r.absence.begun.may(uint64(run), bits) {
			out = append(out, uint64(run))
		}
	}
	return out
}

// begunIn looks through one run, as far as the index has come.
func (r *Reader) begunIn(run uint64, b beginning, upTo uint64) (ChangeRef, error) {
	positions, err := r.listed(run, b, upTo)
	if err != nil {
		return ChangeRef{}, r.condemn(err)
	}
	for _, p := range positions {
		if c, found, err := r.begunAt(p, b); err != nil || found {
			return c, err
		}
	}
	return ChangeRef{}, ErrNotFound
}

// listed reads where in a run an id begins that starts alike.
func (r *Reader) listed(run uint64, b beginning, upTo uint64) (out []uint64, err error) {
	unsorted, err := r.unsorted()
	if err != nil {
		return nil, err
	}
	if run < unsorted {
		v, err := r.rows.get(sortedKey(run, bucketOf(b.id)))
		if err == nil {
			err = eachSorted(run, v, func(p uint64, id []byte, record bool) {
				if record == b.record && bytes.Equal(id, b.id) {
					out = append(out, p)
				}
			})
		}
		return out, err
	}
	for block := run * (runPositions / blockPositions); blockRun(block) == run && block <= blockOf(upTo); block++ {
		v, err := r.rows.get(begunKey(block))
		if err == nil {
			err = eachBegun(block, v, func(p uint64, change, record []byte) {
				if b.record && bytes.Equal(record, b.id) || !b.record && bytes.Equal(change, b.id) {
					out = append(out, p)
				}
			})
		}
		if err != nil {
			return nil, err
		}
	}
	return out, nil
}

// begunAt reads the entry at a position, which may be another than is looked for.
func (r *Reader) begunAt(position uint64, b beginning) (ChangeRef, bool, error) {
	e, err := r.Entry(position)
	if err != nil {
		return ChangeRef{}, false, err
	}
	c, is := e.(ChangeEntry)
	if !is || c.Status != syncproto.StatusAccepted || !b.is(c) {
		return ChangeRef{}, false, nil
	}
	ref := refOf(position, c)
	ref.Placed = position
	return ref, true, nil
}

// lastRead is begun where the change that was read last is looked for. Whoever hands a
// change out asks for its record next: that reads no entry again. In a transaction
// another entry may stand there by now.
func (r *Reader) lastRead(b beginning, upTo uint64) (ChangeRef, bool) {
	_, fixed := r.rows.(snapshot)
	if !fixed || r.lastAt == 0 || r.lastAt > upTo || r.last.Status != syncproto.StatusAccepted || !b.is(r.last) {
		return ChangeRef{}, false
	}
	ref := refOf(r.lastAt, r.last)
	ref.Placed = r.lastAt
	return ref, true
}

// infoOf is what is known of a record of which there is no more than the change that
// began it.
func infoOf(c ChangeRef) RecordInfo {
	return RecordInfo{Record: c.Record, Family: c.Family, Kind: c.Kind, Last: c.Position, Heads: []syncproto.ChangeID{c.ID}}
}

// isBegun reports whether a change that has no row, and its record, are listed where
// they have to be: without what is remembered in memory.
func (r *Reader) isBegun(position uint64, e ChangeEntry) (bool, error) {
	for _, b := range []beginning{beginningBy(e.ID), beginningOf(e.Record)} {
		positions, err := r.listed(runOf(position), b, position)
		if err != nil || !slices.Contains(positions, position) {
			return false, err
		}
	}
	return true, nil
}

// loadBegun notes what the rows of blocks and runs list.
func (s *Store) loadBegun(k, v []byte) error {
	v, err := openRow(k, v)
	if err != nil {
		return err
	}
	switch {
	case k[0] == keyBegun && len(k) == 9:
		return eachBegun(lastNumber(k), v, s.absence.begins)
	case k[0] == keySorted && len(k) == 10:
		return eachSorted(binary.BigEndian.Uint64(k[1:]), v, func(p uint64, id []byte, record bool) {
			s.absence.begun.note(p, id)
			if record {
				s.absence.records.add(key(keyRecord, id))
			}
		})
	}
	return fmt.Errorf("a key of %d bytes: %w", len(k), ErrDamaged)
}
