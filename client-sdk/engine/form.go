package engine

import (
	"doorstep/syncproto"
	"doorstep/syncproto/cbor"
	"doorstep/syncproto/schema"
)

// Text returns a text of a record as it stands with the open draft, without folding
// the record again; "" for one that nobody wrote. It fails as View does, except that
// a record with nothing but refused words has empty texts.
func (e *Engine) Text(id syncproto.RecordID, path syncproto.Path) (string, error) {
	r := e.records[id]
	if r == nil {
		return "", syncproto.CodeNotFound
	}
	if !e.readable(e.family(r.family)) {
		return "", syncproto.CodeNotEntitled
	}
	if r.gone != 0 {
		return "", r.gone
	}
	return e.text(r, path), nil
}

// ContentHash names what the record says as it is shown, the open draft included
// (SPEC 5.10). It fails as View does, and with CodeNewerApp for a kind that is not known.
func (e *Engine) ContentHash(id syncproto.RecordID) (sum [32]byte, err error) {
	v, err := e.View(id)
	if err != nil {
		return sum, err
	}
	kind, ok := schema.Newest(v.Kind)
	if !ok {
		return sum, syncproto.CodeNewerApp
	}
	return syncproto.ContentHash(v, kind), nil
}

// Problems returns what still keeps a record from being final, as far as this device
// can tell: the schema's requirements and checks at the time nowMS (Unix
// milliseconds). What depends on other records than the visit it is a part of, on
// confirmations, queries or decisions is not among it. It fails as View does.
func (e *Engine) Problems(id syncproto.RecordID, nowMS int64) ([]schema.Problem, error) {
	v, err := e.View(id)
	if err != nil {
		return nil, err
	}
	kind, ok := schema.Newest(v.Kind)
	if !ok {
		return nil, syncproto.CodeNewerApp
	}
	facts := map[string]cbor.Value{schema.FactNow: cbor.Int(nowMS)}
	return kind.Complete(v.Source(e.wholeOf(e.records[id], kind, v), facts)), nil
}
