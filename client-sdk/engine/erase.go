package engine

import (
	"doorstep/syncproto"
	"doorstep/syncproto/cbor"
)

// Removing: a record that the server erased for good, or moved to another family's file,
// is closed at once. Words of it that the server does not have go up first, into custody;
// then its content is removed, refused changes too. A row stays, so that it is not begun
// anew.

// takesAway reports whether a receipt with a code says of its change's record what an erase
// or a misfile does.
func takesAway(c syncproto.Code) bool {
	return c == syncproto.CodeErased || c == syncproto.CodeMisfiled
}

func keyErased(f syncproto.FamilyID, r syncproto.RecordID) []byte {
	return keyOfRecord(rowErased, f, r)
}

func (e *Engine) loadErased(k *keyReader, value []byte) error {
	var f syncproto.FamilyID
	var r syncproto.RecordID
	k.into(f[:])
	k.into(r[:])
	v := cbor.NewReader(value)
	code := syncproto.Code(v.Uint())
	if v.Done() != nil || !takesAway(code) {
		return ErrRow
	}
	e.record(f, r).gone = code
	return k.err()
}

// remove takes in that the server took a record away.
func (t *telling) remove(item *syncproto.Item, why syncproto.Code) {
	e := t.engine
	r := e.record(item.Family, item.Record)
	e.heard(t.work, e.family(r.family))
	if r.family == item.Family {
		e.remove(t.work, r, why)
	}
}

// remove closes a record, by the feed or because a receipt says that it is gone: the feed
// does not speak of what was written only here, or in a family that is closed.
func (e *Engine) remove(w *work, r *record, why syncproto.Code) {
	if r.gone != 0 {
		return
	}
	e.settle(w, r)
	r.gone = why
	r.forget()
	w.put(keyErased(r.family, r.id), cbor.AppendUint(nil, uint64(why)))
	w.note(Note{Kind: NoteErased, Family: r.family, Record: r.id, Code: why})
}

// finishErasing removes what the server has answered of records that are gone.
func (e *Engine) finishErasing(s *steps) {
	for _, id := range sortedIDs(e.records) {
		if r := e.records[id]; r.gone != 0 && len(r.ids()) > 0 && e.unsentOf(r) == 0 {
			e.purgeRecord(s, r)
		}
	}
}

func (e *Engine) unsentOf(r *record) (n int) {
	for _, l := range r.own {
		if e.wanted(l) {
			n++
		}
	}
	return n
}
