package store

import (
	"errors"
	"fmt"

	"doorstep/syncproto"
)

// Reader answers questions about one consistent state of the index. A Tx is one
// too and sees what it staged. It is not safe for concurrent use.
//
// What is unknown is ErrNotFound; a row that is not what was written is
// ErrDamaged, and the index is then rebuilt at the next start.
type Reader struct {
	rows    rows
	seal    Sealer
	absence *absence
	room    [1 + len(syncproto.ChangeID{})]byte // of the key that is asked for

	last   ChangeEntry // the change that was read last
	lastAt uint64      // its position; 0: none was

	chainRow []byte // that chain was read from last: it is asked for again and again
	chain    ChainInfo
}

// keyOf is the key of a row that one id names, until the next call.
func (r *Reader) keyOf(prefix byte, id []byte) []byte {
	return append(append(r.room[:0], prefix), id...)
}

// Change returns what became of a stored change; a refused one is not stored.
func (r *Reader) Change(id syncproto.ChangeID) (ChangeRef, error) {
	v, err := r.rows.get(r.keyOf(keyChange, id[:]))
	if err != nil {
		return ChangeRef{}, err
	}
	if v == nil {
		return r.begun(beginningBy(id))
	}
	return decodeChangeRef(id, v)
}

// Refused returns a refused place in a chain.
func (r *Reader) Refused(id syncproto.ChangeID) (RefusedRef, error) {
	v, err := r.must(r.keyOf(keyRefused, id[:]))
	if err != nil {
		return RefusedRef{}, err
	}
	return decodeRefusedRef(id, v)
}

// RecordInfo returns a record that has an accepted or late change. What is held or
// in quarantine does not make one.
func (r *Reader) RecordInfo(record syncproto.RecordID) (RecordInfo, error) {
	k := r.keyOf(keyRecord, record[:])
	v, err := r.rows.get(k)
	switch {
	case err != nil:
		return RecordInfo{}, err
	case v != nil:
		return decodeRecordInfo(record, v)
	case r.absence.certain(k):
		return RecordInfo{}, ErrNotFound
	}
	c, err := r.begun(beginningOf(record))
	if err != nil {
		return RecordInfo{}, err
	}
	return infoOf(c), nil
}

// RecordOrNot is RecordInfo for somebody who must not learn whether there is such a
// record: as many rows and entries are read whether it has a row, follows from the change
// that began it, or is not there. While the records of a large index are being counted
// after a start, what is not there takes more looks.
func (r *Reader) RecordOrNot(record syncproto.RecordID) (RecordInfo, error) {
	k := r.keyOf(keyRecord, record[:])
	if r.absence.certain(k) {
		k = []byte{keyMeta} // in its place
	}
	v, err := r.rows.get(k)
	if err != nil {
		return RecordInfo{}, err
	}
	c, err := r.begunOrOther(beginningOf(record))
	switch {
	case err != nil && !errors.Is(err, ErrNotFound):
		return RecordInfo{}, err
	case v != nil && k[0] == keyRecord:
		return decodeRecordInfo(record, v)
	case err != nil:
		return RecordInfo{}, err
	}
	return infoOf(c), nil
}

// Chain returns how far an actor's chain reaches.
func (r *Reader) Chain(actor syncproto.ActorID) (ChainInfo, error) {
	v, err := r.must(r.keyOf(keyActor, actor[:]))
	if err != nil {
		return ChainInfo{Actor: actor}, err
	}
	if len(v) > 0 && len(v) == len(r.chainRow) && &v[0] == &r.chainRow[0] && actor == r.chain.Actor {
		return r.chain, nil
	}
	chain, err := decodeChainInfo(actor, v)
	if err == nil {
		r.chainRow, r.chain = v, chain
	}
	return chain, err
}

// Claimed reports whether a change, or a refused one, claims a place in an actor's
// chain. Another one there makes a fork.
func (r *Reader) Claimed(chain ChainInfo, seq uint64) (bool, error) {
	if seq <= chain.Seq || seq > chain.Known {
		return seq <= chain.Seq, nil
	}
	claims, err := r.ids(placeKey(chain.Actor, seq))
	return len(claims) > 0, err
}

// Waiting lists the changes that wait for another one.
func (r *Reader) Waiting(missing syncproto.ChangeID) ([]syncproto.ChangeID, error) {
	if v, err := r.rows.get(r.keyOf(keyWaiting, missing[:])); v == nil || err != nil {
		return nil, err
	}
	marker := key(keyWaiting, missing[:])
	var out []syncproto.ChangeID
	err := r.rows.scan(marker, marker, func(k, _ []byte) (bool, error) {
		if len(k) > len(marker) {
			out = append(out, lastChange(k))
		}
		return true, nil
	})
	return out, err
}

// InCustody returns how many bytes of words that a person sent from a device are
// held or in quarantine.
func (r *Reader) InCustody(device syncproto.DeviceID, author syncproto.UserID) (uint64, error) {
	v, err := r.rows.get(custodyKey(device, author))
	if v == nil || err != nil {
		return 0, err
	}
	return decodeNumber(v)
}

// OwnNews asks for the verdicts on what a person sent from a device.
type OwnNews struct {
	Device      syncproto.DeviceID
	Author      syncproto.UserID
	After, UpTo uint64 // positions: beyond the first, not beyond the second
	Most        int    // that many at most
}

// OwnNews returns the positions of the verdicts that gave changes of a person's,
// sent from a device, another status; the earliest first.
func (r *Reader) OwnNews(ask OwnNews) (positions []uint64, err error) {
	prefix := ownKey(ask.Device, ask.Author)
	if s, ok := r.rows.(snapshot); ok && s.store.absence.certain(prefix) {
		return nil, nil
	}
	err = r.rows.scan(prefix, ownKey(ask.Device, ask.Author, ask.After+1), func(k, _ []byte) (bool, error) {
		position := lastNumber(k)
		if position > ask.UpTo {
			return false, nil
		}
		positions = append(positions, position)
		return len(positions) < ask.Most, nil
	})
	return positions, err
}

// Unplaced lists the changes that name a record, and a family as its, and are held
// or in quarantine.
func (r *Reader) Unplaced(family syncproto.FamilyID, record syncproto.RecordID) ([]ChangeRef, error) {
	ids, err := r.ids(key(keyUnplaced, family[:], record[:]))
	if err != nil {
		return nil, err
	}
	return r.changes(ids)
}

// Quarantined lists the changes of a family that wait for a reviewer, oldest first.
func (r *Reader) Quarantined(family syncproto.FamilyID) ([]ChangeRef, error) {
	prefix := key(keyQuarantine, family[:])
	var ids []syncproto.ChangeID
	err := r.rows.scan(prefix, prefix, func(_, v []byte) (bool, error) {
		if len(v) != len(syncproto.ChangeID{}) {
			return false, ErrDamaged
		}
		ids = append(ids, syncproto.ChangeID(v))
		return true, nil
	})
	if err != nil {
		return nil, err
	}
	return r.changes(ids)
}

// Reason unseals why a change is kept away.
func (r *Reader) Reason(c ChangeEntry, e ReviewEntry) (string, error) {
	return OpenReason(r.seal, c, e)
}

// AllQuarantined lists the changes of every family that wait for a reviewer or are
// kept away, by family, each family's oldest first.
func (r *Reader) AllQuarantined() ([]ChangeRef, error) {
	var ids []syncproto.ChangeID
	prefix := []byte{keyQuarantine}
	err := r.rows.scan(prefix, prefix, func(_, v []byte) (bool, error) {
		if len(v) != len(syncproto.ChangeID{}) {
			return false, ErrDamaged
		}
		ids = append(ids, syncproto.ChangeID(v))
		return true, nil
	})
	if err != nil {
		return nil, err
	}
	return r.changes(ids)
}

// InForce returns the change whose value of a server field is in force.
func (r *Reader) InForce(record syncproto.RecordID, path syncproto.Path) (syncproto.ChangeID, bool, error) {
	v, err := r.rows.get(inForceKey(record, path))
	if v == nil || err != nil {
		return syncproto.ChangeID{}, false, err
	}
	return syncproto.ChangeID(v), true, nil
}

// LastSeal returns the hash of the borough's newest seal; zero if there is none.
func (r *Reader) LastSeal() (hash [32]byte, err error) {
	v, err := r.rows.get([]byte{keyLastSeal})
	if v == nil || err != nil {
		return hash, err
	}
	if copy(hash[:], v) != len(hash) {
		return hash, ErrDamaged
	}
	return hash, nil
}

// IsAncestor reports whether a change is among deps or an ancestor of one. All
// must be placed. It looks at no change that was placed before a: an ancestor is
// always placed first.
func (r *Reader) IsAncestor(a syncproto.ChangeID, deps []syncproto.ChangeID) (bool, error) {
	target, err := r.Change(a)
	if err != nil {
		return false, err
	}
	seen := map[syncproto.ChangeID]bool{}
	stack := append([]syncproto.ChangeID(nil), deps...)
	for len(stack) > 0 {
		id := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		if id == a {
			return true, nil
		}
		if seen[id] {
			continue
		}
		seen[id] = true
		c, err := r.Change(id)
		if err != nil {
			return false, err
		}
		if c.Placed > target.Placed {
			stack = append(stack, c.Deps...)
		}
	}
	return false, nil
}

// Entry reads an entry of the journal.
func (r *Reader) Entry(position uint64) (Entry, error) {
	payload, err := r.rows.payload(position)
	if err != nil {
		return nil, fmt.Errorf("reading entry %d: %w", position, err)
	}
	e, err := DecodeEntry(position, payload, r.seal)
	if c, ok := e.(ChangeEntry); ok && err == nil {
		r.last, r.lastAt = c, position
	}
	return e, err
}

// ChangeEntry reads a change's entry; the position must be a change's.
func (r *Reader) ChangeEntry(position uint64) (ChangeEntry, error) {
	e, err := r.Entry(position)
	if err != nil {
		return ChangeEntry{}, err
	}
	c, ok := e.(ChangeEntry)
	if !ok {
		return ChangeEntry{}, fmt.Errorf("entry %d is not a change: %w", position, ErrDamaged)
	}
	return c, nil
}

// Content reads and unseals a stored change.
func (r *Reader) Content(position uint64) (*syncproto.Change, error) {
	e, err := r.ChangeEntry(position)
	if err != nil {
		return nil, err
	}
	return r.Open(e)
}

// Open unseals a change's entry.
func (r *Reader) Open(e ChangeEntry) (*syncproto.Change, error) {
	body, err := OpenChange(r.seal, e)
	if err != nil {
		return nil, err
	}
	c, err := syncproto.DecodeChange(e.Prev, body)
	if err != nil {
		return nil, fmt.Errorf("change %s was accepted and does not decode: %w", e.ID, err)
	}
	return c, nil
}

// must is get for a row that may be unknown.
func (r *Reader) must(k []byte) ([]byte, error) {
	v, err := r.rows.get(k)
	if err == nil && v == nil {
		err = ErrNotFound
	}
	return v, err
}

// ids reads the change ids that the keys of a prefix end with.
func (r *Reader) ids(prefix []byte) ([]syncproto.ChangeID, error) {
	var out []syncproto.ChangeID
	err := r.rows.scan(prefix, prefix, func(k, _ []byte) (bool, error) {
		out = append(out, lastChange(k))
		return true, nil
	})
	return out, err
}

func (r *Reader) changes(ids []syncproto.ChangeID) ([]ChangeRef, error) {
	out := make([]ChangeRef, 0, len(ids))
	for _, id := range ids {
		c, err := r.Change(id)
		if errors.Is(err, ErrNotFound) {
			err = fmt.Errorf("change %s is listed and missing: %w", id, ErrDamaged)
		}
		if err != nil {
			return nil, err
		}
		out = append(out, c)
	}
	return out, nil
}
