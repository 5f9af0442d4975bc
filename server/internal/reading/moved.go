package reading

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"doorstep/server/internal/store"
	"doorstep/syncproto"
	"doorstep/syncproto/schema"
)

// Moved is what a file keeps of a record that was taken out of it, or what a record says of
// the wrong file that it comes from: no word of it, and not which family's the other file is.
type Moved struct {
	Kind   string
	By     syncproto.UserID
	AtMS   int64
	Reason string // of a record that came from a wrong file; for who may read that record
}

// MovedAway lists what was taken out of a family's file because it belongs in another, of
// the kinds that a person may read there, the newest first. Of a visit that is one.
func (r *Room) MovedAway(_ context.Context, user syncproto.UserID, family syncproto.FamilyID) []Moved {
	kinds := r.readable(user, family)
	var out []Moved
	for _, e := range r.store.State().Misfiles() {
		kind, known := schema.Newest(e.Kind)
		if e.Family == family && known && kind.Part == "" && slices.Contains(kinds, e.Kind) {
			out = append(out, Moved{Kind: e.Kind, By: e.By, AtMS: e.AtMS})
		}
	}
	slices.Reverse(out)
	return out
}

// MovedHere says how a record came from a wrong file; false: it did not, or the person may
// not read it.
func (r *Room) MovedHere(user syncproto.UserID, record syncproto.RecordID) (Moved, bool) {
	e, moved := r.store.State().MovedFrom(record)
	if !moved {
		return Moved{}, false
	}
	if _, err := r.open(user, record); err != nil {
		return Moved{}, false
	}
	return Moved{Kind: e.Kind, By: e.By, AtMS: e.AtMS, Reason: e.Reason}, true
}

// Original shows what a record was in the wrong file that it comes from, as it stood when it
// was moved, and its history. It returns CodeNotFound for a record that the person may not
// read, and for one that was not moved.
func (r *Room) Original(_ context.Context, user syncproto.UserID, record syncproto.RecordID) (*syncproto.View, []HistoryItem, error) {
	if _, err := r.open(user, record); err != nil {
		return nil, nil, err
	}
	e, moved := r.store.State().MovedFrom(record)
	if !moved || r.store.State().IsErased(e.Family, e.Record) {
		return nil, nil, syncproto.CodeNotFound
	}
	kind, known := schema.Newest(e.Kind)
	if !known {
		return nil, nil, syncproto.CodeNotFound
	}
	var v *syncproto.View
	var past []HistoryItem
	err := r.store.Read(func(rd *store.Reader) error {
		g, verdicts, err := rd.Original(e.Record)
		if err != nil {
			return err
		}
		v = syncproto.Fold(g, kind, verdicts)
		past, err = historyOf(rd, g)
		return err
	})
	if errors.Is(err, store.ErrNotFound) {
		return nil, nil, syncproto.CodeNotFound
	}
	if err != nil {
		return nil, nil, fmt.Errorf("reading a record as it was before it was moved: %w", err)
	}
	return v, past, nil
}
