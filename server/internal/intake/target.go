package intake

import (
	"crypto/sha256"
	"strings"

	"doorstep/syncproto"
	"doorstep/syncproto/cbor"
	"doorstep/syncproto/schema"
)

// target is one record as the files want it.
type target struct {
	kind   *schema.Kind
	record syncproto.RecordID
	family syncproto.FamilyID
	row    row // the line that defines the record, or the first that adds to it
	wants  []want
	// sets are the collections that one cell gives whole: what an earlier run
	// put there and the cell no longer names is removed.
	sets map[string]bool
}

// want is one value that a cell asks for.
type want struct {
	path   syncproto.Path
	value  cbor.Value
	row    row
	column string
}

// targets are the records of a run, in the order of their first lines.
type targets struct {
	list []*target
	byID map[syncproto.RecordID]*target
	of   map[syncproto.FamilyID][]*target
}

func newTargets() *targets {
	return &targets{byID: map[syncproto.RecordID]*target{}, of: map[syncproto.FamilyID][]*target{}}
}

// get returns the target of a record, a new one at its first line.
func (t *targets) get(kind string, record syncproto.RecordID, family syncproto.FamilyID, r row) *target {
	if found, ok := t.byID[record]; ok {
		return found
	}
	made := &target{kind: kindOf(kind), record: record, family: family, row: r, sets: map[string]bool{}}
	t.byID[record] = made
	t.list = append(t.list, made)
	t.of[family] = append(t.of[family], made)
	return made
}

// fields adds what a line's columns say to the record's own fields. Columns that
// go to parts of a field set whole make one value together.
func (t *target) fields(l line) {
	structs := map[string][]cbor.Pair{}
	firstColumn := map[string]string{}
	var order []string
	for _, c := range l.sheet.columns {
		v, ok := l.values[c.name]
		if !ok {
			continue
		}
		field, part := l.place(c)
		if part == "" {
			t.want(syncproto.Path{Field: field}, v, l.row, c.name)
			continue
		}
		if _, seen := firstColumn[field]; !seen {
			firstColumn[field] = c.name
			order = append(order, field)
		}
		structs[field] = append(structs[field], cbor.Pair{Key: part, Value: v})
	}
	for _, field := range order {
		t.want(syncproto.Path{Field: field}, cbor.Map(structs[field]...), l.row, firstColumn[field])
	}
}

// element adds what a line says about one element of a collection.
func (t *target) element(l line, id syncproto.ElementID) {
	for _, c := range l.sheet.columns {
		v, ok := l.values[c.name]
		if !ok {
			continue
		}
		field, part := l.place(c)
		t.want(syncproto.Path{Field: field, Element: id, Sub: part}, v, l.row, c.name)
	}
}

// set adds a collection that a cell gives whole; each member has one part.
func (t *target) set(c column, members []cbor.Value, r row) {
	field, part, _ := strings.Cut(c.goes, ".")
	t.sets[field] = true
	for _, m := range members {
		id := memberID(t.record, field, m)
		t.want(syncproto.Path{Field: field, Element: id, Sub: part}, m, r, c.name)
	}
}

func (t *target) want(path syncproto.Path, v cbor.Value, r row, column string) {
	t.wants = append(t.wants, want{path: path, value: v, row: r, column: column})
}

// memberID names a member of a set by what it is, so that the next run meets the
// same element. The record's id is random and gives nothing away.
func memberID(record syncproto.RecordID, field string, v cbor.Value) (id syncproto.ElementID) {
	h := sha256.New()
	h.Write([]byte("doorstep-import-member-v1\x00"))
	h.Write(record[:])
	h.Write([]byte(field + "\x00"))
	h.Write(v.Encode())
	copy(id[:], h.Sum(nil))
	return id
}
