package store

import (
	"bytes"
	"encoding/binary"
	"fmt"

	"doorstep/syncproto"
)

// The words of a change are its body, without the ids that the head of its entry has
// in plain: those are cut out of the body's bytes before it is sealed, and put back
// at the same places when it is opened. Nothing is decoded or encoded for it, and the
// id, which is of every byte of the body, is checked afterwards. What is sealed is
//
//	n      how many ids were cut out, in one byte; 0: none
//	gaps   n bytes: how many bytes stand between one and the next
//	rest   the body without them

// wordsRoom is how many bytes longer than the body what is sealed may be.
const wordsRoom = 1

// idsOf are the ids of a change's head that its body has too, in the body's order.
func idsOf(b *syncproto.Body) [][]byte {
	ids := append(make([][]byte, 0, 4+len(b.Deps)), b.Family[:], b.Record[:], b.Actor[:])
	for i := range b.Deps {
		ids = append(ids, b.Deps[i][:])
	}
	return append(ids, b.Author[:])
}

// appendWords writes what is sealed of a change.
func appendWords(out []byte, c *syncproto.Change) []byte {
	ids := idsOf(&c.Body)
	began := len(out)
	out = append(out, byte(len(ids)))
	out = append(out, make([]byte, len(ids))...)
	left := c.Raw
	for i, id := range ids {
		gap := bytes.Index(left[:min(len(left), len(id)+255)], id)
		if gap < 0 {
			return append(append(out[:began], 0), c.Raw...)
		}
		out[began+1+i] = byte(gap)
		out = append(out, left[:gap]...)
		left = left[gap+len(id):]
	}
	return append(out, left...)
}

// bodyOf puts the ids of a change's head back.
func bodyOf(words []byte, e ChangeEntry) ([]byte, error) {
	if len(words) == 0 {
		return nil, ErrDamaged
	}
	n, rest := int(words[0]), words[1:]
	if n == 0 {
		return rest, nil
	}
	ids := idsOf(&syncproto.Body{Family: e.Family, Record: e.Record, Actor: e.Actor, Deps: e.Deps, Author: e.Author})
	if n != len(ids) || len(rest) < n {
		return nil, ErrDamaged
	}
	gaps, rest := rest[:n], rest[n:]
	out := make([]byte, 0, len(rest)+n*len(syncproto.ChangeID{}))
	for i, id := range ids {
		gap := int(gaps[i])
		if gap > len(rest) {
			return nil, ErrDamaged
		}
		out = append(append(out, rest[:gap]...), id...)
		rest = rest[gap:]
	}
	return append(out, rest...), nil
}

// appendWordsAAD writes what the words of a change are bound to. Its id is of prev and
// of the words themselves.
func appendWordsAAD(b []byte, id syncproto.ChangeID, atMS int64) []byte {
	return binary.BigEndian.AppendUint64(append(b, id[:]...), uint64(atMS))
}

// Words is a sealed change, with room before it for the rest of its entry. So what
// a change says is copied once on its way from a request to a group.
type Words struct{ all []byte }

// Bytes is what ChangeEntry.Sealed has to be.
func (w Words) Bytes() []byte { return w.all[entryRoom:] }

// In returns e with these words. The entry may be staged once: its payload takes the
// room.
func (w Words) In(e ChangeEntry) ChangeEntry {
	e.Sealed, e.room = w.Bytes(), w.all
	return e
}

// Room is memory for the words of changes that are sealed together and stored
// together. The zero value has none left: each gets its own.
type Room struct{ left []byte }

// RoomFor returns room for some changes of so many bytes in all.
func RoomFor(changes, bytes int) Room {
	return Room{make([]byte, changes*(entryRoom+SealNonce+wordsRoom+sealTag)+bytes)}
}

// take returns size bytes, all zero.
func (r *Room) take(size int) []byte {
	if len(r.left) < size {
		return make([]byte, size)
	}
	b := r.left[:size:size]
	r.left = r.left[size:]
	return b
}

// SealWords seals the words of a change under its record's key, bound to its id and to
// the server's time.
func SealWords(s Sealer, c *syncproto.Change, atMS int64, in *Room) (Words, error) {
	return sealUnder(s, KeyPair{c.Body.Family, c.Body.Record}, c, atMS, in)
}

// SealInCustody is SealWords for words about a record that was erased: under a key
// of its own, which is not the record's.
func SealInCustody(s Sealer, c *syncproto.Change, atMS int64, in *Room) (Words, error) {
	return sealUnder(s, CustodyKey(c.Body.Record), c, atMS, in)
}

func sealUnder(s Sealer, under KeyPair, c *syncproto.Change, atMS int64, in *Room) (Words, error) {
	const before = entryRoom + SealNonce
	b := appendWords(in.take(before + wordsRoom + len(c.Raw) + sealTag)[:before], c)
	aad := appendWordsAAD(b[:0], c.ID, atMS) // where the head of the entry comes later
	sealed, err := s.SealAfter(b[:entryRoom], under, aad, b[before:])
	if err != nil {
		return Words{}, fmt.Errorf("sealing change %s: %w", c.ID, err)
	}
	return Words{sealed}, nil
}

// SealChange is SealWords for whoever needs no more than its bytes.
func SealChange(s Sealer, c *syncproto.Change, atMS int64) ([]byte, error) {
	words, err := SealWords(s, c, atMS, &Room{})
	if err != nil {
		return nil, err
	}
	return words.Bytes(), nil
}

// OpenChange unseals and checks the body of a stored change: prev, time and hash
// must be those of the entry's header.
func OpenChange(s Sealer, e ChangeEntry) ([]byte, error) {
	words, err := s.Unseal(e.KeyPair(), appendWordsAAD(nil, e.ID, e.AtMS), e.Sealed)
	if err != nil {
		return nil, fmt.Errorf("unsealing change %s: %w", e.ID, err)
	}
	body, err := bodyOf(words, e)
	if err != nil {
		return nil, fmt.Errorf("the words of change %s: %w", e.ID, err)
	}
	if syncproto.ComputeID(e.Prev, body) != e.ID {
		return nil, fmt.Errorf("change %s does not match its id: %w", e.ID, ErrDamaged)
	}
	return body, nil
}
