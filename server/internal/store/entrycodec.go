package store

import (
	"errors"
	"fmt"

	"doorstep/server/internal/audit"
	"doorstep/syncproto"
	"doorstep/syncproto/cbor"
)

// A payload is one deterministic CBOR array that begins with the entry's kind.
// The number of elements is fixed by the kind: a new element is a new kind.

// Sealer keeps the keys of records (package keyring). The zero pair stands for the
// borough's own system key.
type Sealer interface {
	// Seal encrypts plain under the record's key, bound to aad.
	Seal(record KeyPair, aad, plain []byte) ([]byte, error)
	// SealAfter appends what Seal returns to b. plain may be what stands SealNonce
	// bytes behind b in the same memory, and is written over then.
	SealAfter(b []byte, record KeyPair, aad, plain []byte) ([]byte, error)
	// Unseal is the reverse. It fails for other keys, other aad and altered bytes.
	Unseal(record KeyPair, aad, sealed []byte) ([]byte, error)
	// Mark returns what stands for a record in the audit log, until the keys of its
	// family are destroyed; zero if the family has no key.
	Mark(record KeyPair) audit.Mark
}

// Keys is a Sealer that can make keys.
type Keys interface {
	Sealer
	// Ensure returns once every record has a durable key under its family's. It
	// fails if a record was erased.
	Ensure(pairs []KeyPair) error
}

// KeyPair names the key of a record: its family is part of it, so that what a
// stranger wrote under a family of their own says nothing of the record's.
type KeyPair struct {
	Family syncproto.FamilyID
	Record syncproto.RecordID
}

var (
	// ErrEntry says that a payload is not an entry that this build writes.
	ErrEntry = errors.New("not an entry")
	// ErrNotFound says that nothing is known under an id.
	ErrNotFound = errors.New("not found")
)

// controlAAD binds the sealed part of control entries.
const controlAAD = "doorstep-control-v1"

// EncodeEntry writes the payload of an entry. Control entries are sealed with
// fresh randomness, so encode once, before the journal.
//
// Every payload says in plain bytes what its leaf in the audit log says (leaf.go);
// of a control entry that is event, beside what is sealed: the entry under the
// system key, and what people typed about a family under that family's (typed.go).
func EncodeEntry(e Entry, s Sealer) ([]byte, error) {
	return encodeEntry(e, s, eventOf(e, s))
}

func encodeEntry(e Entry, s Sealer, event audit.Event) ([]byte, error) {
	switch e := e.(type) {
	case ChangeEntry:
		return encodeChange(e), nil
	case TipEntry:
		return encodeTip(e), nil
	case RefusedEntry:
		return encodeRefused(e), nil
	case VerdictEntry:
		e.Position = 0
		b := appendHeader(nil, 4, kindVerdict)
		b = cbor.AppendBytes(b, syncproto.EncodeVerdict(&e.Verdict))
		b = cbor.AppendBytes(b, e.Mark[:])
		return cbor.AppendBytes(b, e.Table[:]), nil
	}
	rest, words, err := sealWords(e, s)
	if err != nil {
		return nil, err
	}
	sealed, err := s.Seal(KeyPair{}, []byte(controlAAD), encodeControl(rest))
	if err != nil {
		return nil, fmt.Errorf("sealing a control entry: %w", err)
	}
	b := cbor.AppendBytes(appendHeader(nil, 4, kindControl), event.Encode())
	return cbor.AppendBytes(cbor.AppendBytes(b, sealed), words), nil
}

// DecodeEntry reads the payload at a position of the journal. It fails with
// ErrEntry for anything that EncodeEntry would not write.
func DecodeEntry(position uint64, payload []byte, s Sealer) (Entry, error) {
	e, err := decodeEntry(position, payload, s)
	if err != nil {
		return nil, fmt.Errorf("reading entry %d: %w", position, err)
	}
	return e, nil
}

func decodeEntry(position uint64, payload []byte, s Sealer) (Entry, error) {
	d := newDecoder(payload)
	count := d.Array()
	kind := entryKind(d.Uint())
	var e Entry
	switch kind {
	case kindChange, kindSigned:
		e = decodeChange(d, count, kind)
	case kindTip:
		e = decodeTip(d, count)
	case kindRefused:
		e = decodeRefused(d, count)
	case kindVerdict:
		return decodeVerdict(d, count, position)
	case kindControl:
		return unsealControl(d, count, s)
	}
	if e == nil || d.Done() != nil {
		return nil, ErrEntry
	}
	return e, nil
}

// isControlPayload tells control entries apart without reading the rest.
func isControlPayload(payload []byte) bool {
	d := newDecoder(payload)
	d.Array()
	return entryKind(d.Uint()) == kindControl && d.Err() == nil
}

func appendHeader(b []byte, count int, kind entryKind) []byte {
	return cbor.AppendUint(cbor.AppendArray(b, count), uint64(kind))
}

// SealNonce and sealTag are what Seal puts before and behind a plaintext.
const (
	SealNonce = 12
	sealTag   = 16
)

// entryRoom is enough for all of a change's entry but Sealed, unless it has many deps.
const entryRoom = 448

func encodeChange(e ChangeEntry) []byte {
	head := encodeChangeHead(make([]byte, 0, entryRoom+34*len(e.Deps)), e)
	if e.room == nil || len(head) > entryRoom {
		return append(head, e.Sealed...)
	}
	whole := e.room[entryRoom-len(head):]
	copy(whole, head)
	return whole
}

// encodeChangeHead writes a change's entry up to the bytes of Sealed.
func encodeChangeHead(b []byte, e ChangeEntry) []byte {
	if len(e.Signature) == 0 {
		b = appendHeader(b, 18, kindChange)
	} else {
		b = appendHeader(b, 20, kindSigned)
	}
	b = cbor.AppendBytes(b, e.ID[:])
	b = cbor.AppendBytes(b, e.Prev[:])
	b = cbor.AppendBytes(b, e.Record[:])
	b = cbor.AppendBytes(b, e.Family[:])
	b = cbor.AppendText(b, e.Kind)
	b = cbor.AppendBytes(b, e.Actor[:])
	b = cbor.AppendUint(b, e.Seq)
	b = appendDeps(b, e)
	b = cbor.AppendBytes(b, e.Author[:])
	b = cbor.AppendBytes(b, e.Device[:])
	b = cbor.AppendUint(b, uint64(e.Status))
	b = cbor.AppendUint(b, uint64(e.Code))
	b = cbor.AppendInt(b, e.AtMS)
	b = cbor.AppendBool(b, e.Gap)
	b = cbor.AppendBool(b, e.Counted)
	b = cbor.AppendBytes(b, e.Mark[:])
	b = cbor.AppendBytes(b, e.Table[:])
	if len(e.Signature) > 0 {
		b = cbor.AppendUint(cbor.AppendBytes(b, e.Signature), e.Run)
	}
	return cbor.AppendBytesHead(b, len(e.Sealed))
}

// appendDeps writes what a change was made on top of. Whoever goes on writing in one
// record builds on what they wrote before: a dep that is prev is written as no bytes.
func appendDeps(b []byte, e ChangeEntry) []byte {
	b = cbor.AppendArray(b, len(e.Deps))
	for _, id := range e.Deps {
		if id == e.Prev && !id.IsZero() {
			b = cbor.AppendBytes(b, nil)
		} else {
			b = cbor.AppendBytes(b, id[:])
		}
	}
	return b
}

func (d *decoder) deps(prev syncproto.ChangeID) []syncproto.ChangeID {
	n := d.Array()
	if n == 0 || d.Err() != nil {
		return nil
	}
	ids := make([]syncproto.ChangeID, n)
	for i := range ids {
		raw := d.Bytes()
		short := len(raw) == 0
		if short {
			raw = prev[:]
		}
		d.expect(len(raw) == len(prev) && (!short || !prev.IsZero()))
		copy(ids[i][:], raw)
		d.expect(short || ids[i] != prev || prev.IsZero())
	}
	return ids
}

func decodeChange(d *decoder, count int, kind entryKind) Entry {
	d.expect(kind == kindChange && count == 18 || kind == kindSigned && count == 20)
	var e ChangeEntry
	d.BytesInto(e.ID[:])
	d.BytesInto(e.Prev[:])
	d.BytesInto(e.Record[:])
	d.BytesInto(e.Family[:])
	e.Kind = d.Text()
	d.BytesInto(e.Actor[:])
	e.Seq = d.Uint()
	e.Deps = d.deps(e.Prev)
	d.BytesInto(e.Author[:])
	d.BytesInto(e.Device[:])
	e.Status = syncproto.ReceiptStatus(d.small(uint64(syncproto.StatusLate)))
	e.Code = syncproto.Code(d.small(maxCode))
	e.AtMS = d.Int()
	e.Gap, e.Counted = d.Bool(), d.Bool()
	d.BytesInto(e.Mark[:])
	d.BytesInto(e.Table[:])
	if kind == kindSigned {
		e.Signature, e.Run = d.Bytes(), d.Uint()
		d.expect(len(e.Signature) > 0)
	}
	e.Sealed = d.Bytes()
	return e
}

func encodeTip(e TipEntry) []byte {
	b := appendHeader(nil, 6, kindTip)
	b = cbor.AppendBytes(b, e.Actor[:])
	b = cbor.AppendBytes(b, e.Device[:])
	b = cbor.AppendBytes(b, e.Tip[:])
	b = cbor.AppendUint(b, e.Count)
	return cbor.AppendBytes(b, e.Signature)
}

func decodeTip(d *decoder, count int) Entry {
	d.expect(count == 6)
	var e TipEntry
	d.BytesInto(e.Actor[:])
	d.BytesInto(e.Device[:])
	d.BytesInto(e.Tip[:])
	e.Count = d.Uint()
	e.Signature = d.Bytes()
	return e
}

func encodeRefused(e RefusedEntry) []byte {
	b := appendHeader(nil, 10, kindRefused)
	b = cbor.AppendBytes(b, e.ID[:])
	b = cbor.AppendBytes(b, e.Prev[:])
	b = cbor.AppendBytes(b, e.Digest[:])
	b = cbor.AppendBytes(b, e.Actor[:])
	b = cbor.AppendBytes(b, e.Device[:])
	b = cbor.AppendUint(b, e.Seq)
	b = cbor.AppendUint(b, uint64(e.Code))
	b = cbor.AppendInt(b, e.AtMS)
	return cbor.AppendBytes(b, e.Table[:])
}

func decodeRefused(d *decoder, count int) Entry {
	d.expect(count == 10)
	var e RefusedEntry
	d.BytesInto(e.ID[:])
	d.BytesInto(e.Prev[:])
	d.BytesInto(e.Digest[:])
	d.BytesInto(e.Actor[:])
	d.BytesInto(e.Device[:])
	e.Seq = d.Uint()
	e.Code = syncproto.Code(d.small(maxCode))
	e.AtMS = d.Int()
	d.BytesInto(e.Table[:])
	return e
}

func decodeVerdict(d *decoder, count int, position uint64) (Entry, error) {
	d.expect(count == 4)
	var e VerdictEntry
	raw := d.Bytes()
	d.BytesInto(e.Mark[:])
	d.BytesInto(e.Table[:])
	if d.Done() != nil {
		return nil, ErrEntry
	}
	v, err := syncproto.DecodeVerdict(raw)
	if err != nil {
		return nil, ErrEntry
	}
	v.Position = position
	e.Verdict = *v
	return e, nil
}

func unsealControl(d *decoder, count int, s Sealer) (Entry, error) {
	d.expect(count == 4)
	d.Bytes() // the event, for the audit log
	sealed, words := d.Bytes(), d.Bytes()
	if d.Done() != nil {
		return nil, ErrEntry
	}
	plain, err := s.Unseal(KeyPair{}, []byte(controlAAD), sealed)
	if err != nil {
		return nil, fmt.Errorf("unsealing a control entry: %w", err)
	}
	e, err := decodeControl(plain)
	if err != nil {
		return nil, err
	}
	return unsealWords(e, words, s)
}

// maxCode bounds a syncproto.Code.
const maxCode = 1<<16 - 1

// decoder reads a payload; like cbor.Reader it keeps its first error.
type decoder struct{ *cbor.Reader }

func newDecoder(b []byte) *decoder { return &decoder{cbor.NewReader(b)} }

func (d *decoder) expect(ok bool) {
	if !ok {
		d.Fail(ErrEntry)
	}
}

// small reads an unsigned integer of at most limit.
func (d *decoder) small(limit uint64) uint64 {
	v := d.Uint()
	d.expect(v <= limit)
	return v
}

func (d *decoder) changeIDs() []syncproto.ChangeID {
	n := d.Array()
	if n == 0 || d.Err() != nil {
		return nil
	}
	ids := make([]syncproto.ChangeID, n)
	for i := range ids {
		d.BytesInto(ids[i][:])
	}
	return ids
}

func appendChangeIDs(b []byte, ids []syncproto.ChangeID) []byte {
	b = cbor.AppendArray(b, len(ids))
	for _, id := range ids {
		b = cbor.AppendBytes(b, id[:])
	}
	return b
}
