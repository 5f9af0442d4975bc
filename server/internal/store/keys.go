package store

import (
	"encoding/binary"

	"doorstep/syncproto"
)

// The layout of the index. Ids are raw bytes, positions and sequence numbers are
// 8 bytes big-endian, so that a scan of a prefix goes in their order. Every value
// ends with a short digest over key and value (rows.go).
//
//	m                      how far the index has got: journal position and digest
//	c change               where a change is, its header and what became of it
//	x change               a refused place in a chain
//	s actor seq change     which changes claim a place in an actor's chain that its
//	                       end has not come to, or that goes on from another change
//	a actor                whose the chain is and how far it reaches
//	r record               family, kind, accepted heads, seal
//	i block                the changes that begin records there, and those (begun.go)
//	j run bits             the same of a run of blocks, by the first bits of the ids
//	I                      the run that stands in blocks still
//	k family kind 0 block  the records of a family that have news, by where they first had
//	h family record change changes of a record that are held or in quarantine
//	q family position      changes in quarantine, for their reviewer
//	u device author        how many bytes of theirs are held or in quarantine
//	o device author position  verdicts on what an author sent from a device
//	w missing change       changes that wait for another
//	f family block         the family's feed (feed.go)
//	F family               position of the last row of the family's feed
//	p record path          the change whose value of a server field is in force
//	z                      hash of the newest seal, which the next one names
//	v record               the folded view, sealed under the record's key; a cache
//
// All but v follow from the journal alone, so that any replay gives the same
// bytes; v is written by readers.
const (
	keyMeta       = 'm'
	keyChange     = 'c'
	keyRefused    = 'x'
	keyPlace      = 's'
	keyActor      = 'a'
	keyRecord     = 'r'
	keyBegun      = 'i'
	keySorted     = 'j'
	keyUnsorted   = 'I'
	keyKind       = 'k'
	keyUnplaced   = 'h'
	keyQuarantine = 'q'
	keyCustody    = 'u'
	keyOwn        = 'o'
	keyWaiting    = 'w'
	keyFeed       = 'f'
	keyLast       = 'F'
	keyInForce    = 'p'
	keyView       = 'v'
	keyLastSeal   = 'z'

	// keyBusy stands while a group too large for one transaction is written: an
	// index that has it was left half done, and is rebuilt.
	keyBusy = 'b'
)

func key(prefix byte, parts ...[]byte) []byte {
	size := 1
	for _, p := range parts {
		size += len(p)
	}
	k := append(make([]byte, 0, size), prefix)
	for _, p := range parts {
		k = append(k, p...)
	}
	return k
}

func number(n uint64) []byte { return binary.BigEndian.AppendUint64(nil, n) }

// lastNumber reads the position at the end of a key.
func lastNumber(k []byte) uint64 {
	if len(k) < 8 {
		return 0
	}
	return binary.BigEndian.Uint64(k[len(k)-8:])
}

// lastChange reads the change id at the end of a key.
func lastChange(k []byte) (id syncproto.ChangeID) {
	if len(k) > len(id) {
		copy(id[:], k[len(k)-len(id):])
	}
	return id
}

func viewKey(id syncproto.RecordID) []byte { return key(keyView, id[:]) }

// placeKey names a place in an actor's chain; without an id it is the prefix of
// all that claim it.
func placeKey(actor syncproto.ActorID, seq uint64, id ...syncproto.ChangeID) []byte {
	k := key(keyPlace, actor[:], number(seq))
	for _, c := range id {
		k = append(k, c[:]...)
	}
	return k
}

// kindKey names the records of a family and kind that are new in a block; without one
// it is the prefix of all.
func kindKey(family syncproto.FamilyID, kind string, block ...uint64) []byte {
	k := append(make([]byte, 0, 2+len(family)+len(kind)+8), keyKind)
	k = append(append(append(k, family[:]...), kind...), 0)
	for _, b := range block {
		k = binary.BigEndian.AppendUint64(k, b)
	}
	return k
}

func begunKey(block uint64) []byte { return key(keyBegun, number(block)) }

func sortedKey(run uint64, bucket byte) []byte { return key(keySorted, number(run), []byte{bucket}) }

func unplacedKey(family syncproto.FamilyID, record syncproto.RecordID, id syncproto.ChangeID) []byte {
	return key(keyUnplaced, family[:], record[:], id[:])
}

func quarantineKey(family syncproto.FamilyID, position uint64) []byte {
	return key(keyQuarantine, family[:], number(position))
}

func custodyKey(device syncproto.DeviceID, author syncproto.UserID) []byte {
	return key(keyCustody, device[:], author[:])
}

// ownKey names a verdict on what a person sent from a device; without a position it
// is the prefix of all.
func ownKey(device syncproto.DeviceID, author syncproto.UserID, position ...uint64) []byte {
	k := key(keyOwn, device[:], author[:])
	for _, p := range position {
		k = append(k, number(p)...)
	}
	return k
}

func waitingKey(missing, id syncproto.ChangeID) []byte {
	return key(keyWaiting, missing[:], id[:])
}

func feedKey(family syncproto.FamilyID, block uint64) []byte {
	k := append(append(make([]byte, 0, 1+len(family)+8), keyFeed), family[:]...)
	return binary.BigEndian.AppendUint64(k, block)
}

// inForceKey names a server field; the lengths keep two paths from meeting.
func inForceKey(record syncproto.RecordID, p syncproto.Path) []byte {
	return key(keyInForce, record[:], []byte(p.Field), []byte{0}, p.Element[:], []byte(p.Sub))
}
