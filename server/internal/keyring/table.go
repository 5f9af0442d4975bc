package keyring

import "fmt"

// table is the content of the store in memory: about 110 bytes a record.
type table struct {
	familyAt map[ID]uint32
	recordAt map[Pair]uint32
	families []familyKey
	records  []recordKey
}

type familyKey struct {
	id     ID
	erased bool // key is zero
	key    wrapped
}

type recordKey struct {
	of     Pair
	erased bool // key is zero
	key    wrapped
}

// The kinds of entries in the store.
const (
	familyEntry = 1
	recordEntry = 2
	erasedEntry = 3
	goneEntry   = 4 // a family whose key was destroyed
)

func newTable() table { return table{familyAt: map[ID]uint32{}, recordAt: map[Pair]uint32{}} }

func encodeFamily(k familyKey) []byte {
	if k.erased {
		return append([]byte{goneEntry}, k.id[:]...)
	}
	return append(append([]byte{familyEntry}, k.id[:]...), k.key[:]...)
}

func encodeRecord(k recordKey) []byte {
	b := make([]byte, 0, 1+2*len(ID{})+wrappedBytes)
	b = append(append(append(b, recordEntry), k.of.Family[:]...), k.of.Record[:]...)
	if k.erased {
		b[0] = erasedEntry
		return b
	}
	return append(b, k.key[:]...)
}

// decode adds an entry of the store. It accepts nothing that the encoders and their order would not give.
func (t *table) decode(b []byte) error {
	const ids = 2 * len(ID{})
	switch {
	case len(b) == 1+len(ID{})+wrappedBytes && b[0] == familyEntry:
		return t.addFamily(familyKey{id: ID(b[1:]), key: wrapped(b[1+len(ID{}):])})
	case len(b) == 1+len(ID{}) && b[0] == goneEntry:
		return t.addFamily(familyKey{id: ID(b[1:]), erased: true})
	case len(b) == 1+ids+wrappedBytes && b[0] == recordEntry:
		return t.addRecord(recordKey{of: decodePair(b[1:]), key: wrapped(b[1+ids:])})
	case len(b) == 1+ids && b[0] == erasedEntry:
		return t.addRecord(recordKey{of: decodePair(b[1:]), erased: true})
	}
	return fmt.Errorf("an entry of %d bytes is not one that this program writes: %w", len(b), ErrDamaged)
}

func decodePair(b []byte) Pair { return Pair{Family: ID(b), Record: ID(b[len(ID{}):])} }

func (t *table) addFamily(k familyKey) error {
	if _, twice := t.familyAt[k.id]; twice {
		return fmt.Errorf("a family has two keys: %w", ErrDamaged)
	}
	t.familyAt[k.id] = uint32(len(t.families))
	t.families = append(t.families, k)
	return nil
}

func (t *table) addRecord(k recordKey) error {
	if _, known := t.familyAt[k.of.Family]; !known {
		return fmt.Errorf("a record has a family without a key: %w", ErrDamaged)
	}
	if _, twice := t.recordAt[k.of]; twice {
		return fmt.Errorf("a record has two keys: %w", ErrDamaged)
	}
	t.recordAt[k.of] = uint32(len(t.records))
	t.records = append(t.records, k)
	return nil
}

func (t *table) family(id ID) (familyKey, bool) {
	at, known := t.familyAt[id]
	if !known {
		return familyKey{}, false
	}
	return t.families[at], true
}

// record finds a record's key.
func (t *table) record(of Pair) (recordKey, bool) {
	at, known := t.recordAt[of]
	if !known {
		return recordKey{}, false
	}
	return t.records[at], true
}

// lacks answers whether a pair has no key yet. ErrErased says that it cannot have one.
func (t *table) lacks(pair Pair) (bool, error) {
	record, known := t.record(pair)
	if family, _ := t.family(pair.Family); record.erased || family.erased {
		return false, ErrErased
	}
	return !known, nil
}
