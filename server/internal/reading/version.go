package reading

import (
	"context"
	"errors"
	"fmt"

	"doorstep/server/internal/store"
	"doorstep/syncproto"
	"doorstep/syncproto/schema"
)

// Attribution says who wrote what of a record's texts, with what the server knows
// of each source beside it.
type Attribution struct {
	*syncproto.Attribution
	Received []Received // of each source
}

// Received is the server's evidence about a change.
type Received struct {
	Device     syncproto.DeviceID
	AtMS       int64 // when it was received, Unix milliseconds
	ClockWrong bool  // the device's clock was more than a day off then
}

// RecordAt returns a record as it was at the version that heads name, with what is
// derived from it alone. It returns CodeNotFound for a record that the person may
// not read, and for heads that are no changes of it.
func (r *Room) RecordAt(_ context.Context, user syncproto.UserID, record syncproto.RecordID, heads []syncproto.ChangeID) (*syncproto.View, error) {
	var v *syncproto.View
	err := r.past(user, record, heads, func(_ *store.Reader, g *syncproto.Graph, kind *schema.Kind, verdicts []syncproto.Verdict) error {
		v = syncproto.FoldAt(g, kind, verdicts, heads)
		syncproto.Derive(v, nil)
		return nil
	})
	return v, err
}

// Attribution says who wrote what of a record's texts, and who deleted what, at the
// version that heads name; nil is the newest. It fails as RecordAt does.
func (r *Room) Attribution(_ context.Context, user syncproto.UserID, record syncproto.RecordID, heads []syncproto.ChangeID) (*Attribution, error) {
	out := &Attribution{}
	err := r.past(user, record, heads, func(rd *store.Reader, g *syncproto.Graph, kind *schema.Kind, verdicts []syncproto.Verdict) error {
		out.Attribution = syncproto.Attribute(g, kind, verdicts, heads)
		for i := range out.Sources {
			ref, err := rd.Change(out.Sources[i].Change)
			if err != nil {
				return err
			}
			out.Received = append(out.Received, Received{Device: ref.Device, AtMS: ref.AtMS, ClockWrong: ref.Code == syncproto.CodeFutureTime})
		}
		return nil
	})
	return out, err
}

// past calls fn with all that a record is made of, if the person may read it and it
// has all the heads.
func (r *Room) past(user syncproto.UserID, record syncproto.RecordID, heads []syncproto.ChangeID,
	fn func(*store.Reader, *syncproto.Graph, *schema.Kind, []syncproto.Verdict) error) error {
	info, err := r.open(user, record)
	if err != nil {
		return err
	}
	err = r.store.Read(func(rd *store.Reader) error {
		g, verdicts, err := rd.Graph(record)
		if err != nil {
			return err
		}
		for _, h := range heads {
			if !g.Has(h) {
				return syncproto.CodeNotFound
			}
		}
		if g.Len() == 0 {
			return syncproto.CodeNotFound // all its changes are held or in quarantine
		}
		kind, _ := schema.Newest(info.Kind)
		return fn(rd, g, kind, verdicts)
	})
	if err != nil && !errors.Is(err, syncproto.CodeNotFound) {
		return fmt.Errorf("reading a record as it was: %w", err)
	}
	return err
}
