package engine

import (
	"doorstep/syncproto"
	"doorstep/syncproto/cbor"
)

// Erasing: a record that the server erased for good is closed at once. Words of it
// that the server does not have go up first, into custody; then its content is
// removed, refused changes too. A row stays, so that it is not begun anew.

func keyErased(f syncproto.FamilyID, r syncproto.RecordID) []byte {
	return keyOfRecord(rowErased, f, r)
}

func (e *Engine) loadErased(k *keyReader) error {
	var f syncproto.FamilyID
	var r syncproto.RecordID
	k.into(f[:])
	k.into(r[:])
	e.record(f, r).erased = true
	return k.err()
}

// erase takes in that a record was erased.
func (t *telling) erase(item *syncproto.Item) {
	e := t.engine
	r := e.record(item.Family, item.Record)
	e.heard(t.work, e.family(r.family))
	if r.family == item.Family {
		e.erase(t.work, r)
	}
}

// erase closes a record, by the feed or because a receipt says that it was erased:
// the feed does not speak of what was written only here, or in a family that is
// closed.
func (e *Engine) erase(w *work, r *record) {
	if r.erased {
		return
	}
	e.settle(w, r)
	r.erased = true
	r.forget()
	w.put(keyErased(r.family, r.id), cbor.AppendBool(nil, true))
	w.note(Note{Kind: NoteErased, Family: r.family, Record: r.id, Code: syncproto.CodeErased})
}

// finishErasing removes what the server has answered of erased records.
func (e *Engine) finishErasing(s *steps) {
	for _, id := range sortedIDs(e.records) {
		if r := e.records[id]; r.erased && len(r.ids()) > 0 && e.unsentOf(r) == 0 {
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
