package store

import (
	"crypto/sha256"
	"errors"
	"fmt"

	"doorstep/syncproto"
	"doorstep/syncproto/cbor"
)

// ErrDamaged says that a row of the index, or an entry, is not what was written.
// The index is then marked to be rebuilt at the next start.
var ErrDamaged = errors.New("damaged")

// sumBytes is how much of SHA-256(key ‖ value) each value ends with: enough that
// a wrong read does not pass for a right one by accident.
const sumBytes = 8

func rowSum(k, v []byte) [sumBytes]byte {
	var short [384]byte // most rows, without an allocation
	sum := sha256.Sum256(append(append(short[:0], k...), v...))
	return [sumBytes]byte(sum[:])
}

// sealRow appends a value's digest, in the room behind it if there is some: what
// the value's readers see stays the same.
func sealRow(k, v []byte) []byte {
	sum := rowSum(k, v)
	return append(v, sum[:]...)
}

// openRow checks and removes it.
func openRow(k, v []byte) ([]byte, error) {
	n := len(v) - sumBytes
	if n < 0 || rowSum(k, v[:n]) != [sumBytes]byte(v[n:]) {
		return nil, fmt.Errorf("index row %q: %w", k[:1], ErrDamaged)
	}
	return v[:n], nil
}

// ChangeRef is what the index knows of a stored change.
type ChangeRef struct {
	ID       syncproto.ChangeID
	Position uint64
	Record   syncproto.RecordID
	Family   syncproto.FamilyID
	Kind     string
	Actor    syncproto.ActorID
	Seq      uint64
	Prev     syncproto.ChangeID
	Deps     []syncproto.ChangeID
	Author   syncproto.UserID
	Device   syncproto.DeviceID
	AtMS     int64
	Status   syncproto.ReceiptStatus
	Code     syncproto.Code
	Placed   uint64 // position at which it first came into the feed; 0: not yet
	Size     uint64 // of its sealed words, bytes
}

func (c ChangeRef) encode() []byte {
	b := cbor.AppendArray(make([]byte, 0, 240+34*len(c.Deps)+sumBytes), 15)
	b = cbor.AppendUint(b, c.Position)
	b = cbor.AppendBytes(b, c.Record[:])
	b = cbor.AppendBytes(b, c.Family[:])
	b = cbor.AppendText(b, c.Kind)
	b = cbor.AppendBytes(b, c.Actor[:])
	b = cbor.AppendUint(b, c.Seq)
	b = cbor.AppendBytes(b, c.Prev[:])
	b = appendChangeIDs(b, c.Deps)
	b = cbor.AppendBytes(b, c.Author[:])
	b = cbor.AppendBytes(b, c.Device[:])
	b = cbor.AppendInt(b, c.AtMS)
	b = cbor.AppendUint(b, uint64(c.Status))
	b = cbor.AppendUint(b, uint64(c.Code))
	b = cbor.AppendUint(b, c.Placed)
	return cbor.AppendUint(b, c.Size)
}

func decodeChangeRef(id syncproto.ChangeID, row []byte) (ChangeRef, error) {
	d := newDecoder(row)
	d.expect(d.Array() == 15)
	c := ChangeRef{ID: id, Position: d.Uint()}
	d.BytesInto(c.Record[:])
	d.BytesInto(c.Family[:])
	c.Kind = d.Text()
	d.BytesInto(c.Actor[:])
	c.Seq = d.Uint()
	d.BytesInto(c.Prev[:])
	c.Deps = d.changeIDs()
	d.BytesInto(c.Author[:])
	d.BytesInto(c.Device[:])
	c.AtMS = d.Int()
	c.Status = syncproto.ReceiptStatus(d.small(uint64(syncproto.StatusLate)))
	c.Code = syncproto.Code(d.small(maxCode))
	c.Placed = d.Uint()
	c.Size = d.Uint()
	return c, damagedIf(d)
}

// RefusedRef is what the index knows of a refused place in a chain.
type RefusedRef struct {
	ID       syncproto.ChangeID
	Position uint64
	Actor    syncproto.ActorID
	Seq      uint64
	Code     syncproto.Code
}

func (r RefusedRef) encode() []byte {
	b := cbor.AppendArray(nil, 4)
	b = cbor.AppendUint(b, r.Position)
	b = cbor.AppendBytes(b, r.Actor[:])
	b = cbor.AppendUint(b, r.Seq)
	return cbor.AppendUint(b, uint64(r.Code))
}

func decodeRefusedRef(id syncproto.ChangeID, row []byte) (RefusedRef, error) {
	d := newDecoder(row)
	d.expect(d.Array() == 4)
	r := RefusedRef{ID: id, Position: d.Uint()}
	d.BytesInto(r.Actor[:])
	r.Seq = d.Uint()
	r.Code = syncproto.Code(d.small(maxCode))
	return r, damagedIf(d)
}

// ChainInfo is how far an actor's chain reaches without a gap, and whose it is. The
// zero value is that of an actor of whom nothing is known.
type ChainInfo struct {
	Actor  syncproto.ActorID
	Device syncproto.DeviceID
	Seq    uint64 // of Tip
	Tip    syncproto.ChangeID
	Known  uint64 // greatest sequence number seen, beyond a gap too
	Forked bool   // two changes claim one place
}

// Extends reports whether a place, and a change before it, would be the next of a
// chain without gaps. Nothing is stored then that claims it: not the change that
// comes, by whatever id, nor a refused one.
func (c ChainInfo) Extends(prev syncproto.ChangeID, seq uint64) bool {
	return c.Seq == c.Known && seq == c.Seq+1 && prev == c.Tip
}

func (c ChainInfo) encode() []byte {
	b := cbor.AppendArray(make([]byte, 0, 80+sumBytes), 5)
	b = cbor.AppendBytes(b, c.Device[:])
	b = cbor.AppendUint(b, c.Seq)
	b = cbor.AppendBytes(b, c.Tip[:])
	b = cbor.AppendUint(b, c.Known)
	return cbor.AppendBool(b, c.Forked)
}

func decodeChainInfo(actor syncproto.ActorID, row []byte) (ChainInfo, error) {
	d := newDecoder(row)
	d.expect(d.Array() == 5)
	c := ChainInfo{Actor: actor}
	d.BytesInto(c.Device[:])
	c.Seq = d.Uint()
	d.BytesInto(c.Tip[:])
	c.Known = d.Uint()
	c.Forked = d.Bool()
	return c, damagedIf(d)
}

// RecordInfo is what the index knows of a record.
type RecordInfo struct {
	Record syncproto.RecordID
	Family syncproto.FamilyID
	Kind   string
	Last   uint64               // position of its last row in the feed
	Heads  []syncproto.ChangeID // accepted changes without an accepted successor, sorted
	Sealed uint64               // position of the seal; 0: not final
	Hash   [32]byte             // of the sealed view
	Gone   uint64               // position by which it was erased, or moved to another family; 0: it is there
}

func (r RecordInfo) encode() []byte {
	b := cbor.AppendArray(make([]byte, 0, 96+34*len(r.Heads)+sumBytes), 7)
	b = cbor.AppendBytes(b, r.Family[:])
	b = cbor.AppendText(b, r.Kind)
	b = cbor.AppendUint(b, r.Last)
	b = appendChangeIDs(b, r.Heads)
	b = cbor.AppendUint(b, r.Sealed)
	b = cbor.AppendBytes(b, r.Hash[:])
	return cbor.AppendUint(b, r.Gone)
}

func decodeRecordInfo(record syncproto.RecordID, row []byte) (RecordInfo, error) {
	d := newDecoder(row)
	d.expect(d.Array() == 7)
	r := RecordInfo{Record: record}
	d.BytesInto(r.Family[:])
	r.Kind = d.Text()
	r.Last = d.Uint()
	r.Heads = d.changeIDs()
	r.Sealed = d.Uint()
	d.BytesInto(r.Hash[:])
	r.Gone = d.Uint()
	return r, damagedIf(d)
}

// meta is how far the index has got in the journal.
type meta struct {
	format   uint64
	position uint64
	digest   [32]byte
}

// indexFormat changes with the layout; an index of another format, earlier or later,
// is rebuilt.
const indexFormat = 8

// IndexFormat is the number of the index's layout that this program writes and reads.
func IndexFormat() int { return indexFormat }

// EntryFormat changes with the kinds of entries that are written into the journal, or
// with what they hold; EntriesRead is the newest of which this program knows all kinds.
// A release writes only what the release before it reads, so that going back one
// release loses nothing: a new kind is read one release before it is written.
const (
	EntryFormat = 1
	EntriesRead = 1
)

func (m meta) encode() []byte {
	b := cbor.AppendArray(nil, 3)
	b = cbor.AppendUint(b, m.format)
	b = cbor.AppendUint(b, m.position)
	return cbor.AppendBytes(b, m.digest[:])
}

func decodeMeta(row []byte) (meta, error) {
	d := newDecoder(row)
	d.expect(d.Array() == 3)
	m := meta{format: d.Uint(), position: d.Uint()}
	d.BytesInto(m.digest[:])
	return m, damagedIf(d)
}

func encodeNumber(n uint64) []byte { return cbor.AppendUint(nil, n) }

func decodeNumber(row []byte) (uint64, error) {
	d := newDecoder(row)
	n := d.Uint()
	return n, damagedIf(d)
}

func damagedIf(d *decoder) error {
	if d.Done() != nil {
		return ErrDamaged
	}
	return nil
}
