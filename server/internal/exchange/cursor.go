package exchange

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"

	"doorstep/syncproto"
	"doorstep/syncproto/cbor"
)

// cursor is how far a device has got. To the device it is opaque bytes.
type cursor struct {
	// run of the server that gave it.
	run syncproto.ID
	// walked: every row of the feeds up to here was handed out, for the families
	// that the device knew of then.
	walked uint64
	// relations and relationsMS: the position and the time as of which the device
	// knows what it may hold.
	relations   uint64
	relationsMS int64
	// own: the device was told of every verdict up to here on what its user sent
	// from it.
	own uint64
	// fills are families that came in since: their rows up to walked follow.
	fills []fill
}

// fill is a family whose rows after next, up to cursor.walked, are still to come.
type fill struct {
	family syncproto.FamilyID
	after  uint64
}

const (
	cursorVersion = 3
	macBytes      = 16
	// maxFills keeps a cursor within syncproto.MaxCursorBytes: 27 bytes a family.
	maxFills = 120
)

// sealCursor writes a cursor that only this user on this device can use, and
// only here: it ends with a MAC over all of that.
func (x *Exchange) sealCursor(caller Caller, c cursor) []byte {
	b := cbor.AppendArray(nil, 7)
	b = cbor.AppendUint(b, cursorVersion)
	epoch, run := x.Epoch(), x.cfg.Store.State().LastRun()
	b = cbor.AppendBytes(b, epoch[:])
	b = cbor.AppendBytes(b, run[:])
	b = cbor.AppendUint(b, c.walked)
	b = cbor.AppendUint(b, c.relations)
	b = cbor.AppendInt(b, c.relationsMS)
	b = cbor.AppendUint(b, c.own)
	b = cbor.AppendArray(b, 2*len(c.fills))
	for _, f := range c.fills {
		b = cbor.AppendBytes(b, f.family[:])
		b = cbor.AppendUint(b, f.after)
	}
	return append(b, x.cursorMAC(caller, b)...)
}

func (x *Exchange) cursorMAC(caller Caller, b []byte) []byte {
	mac := hmac.New(sha256.New, x.cfg.CursorKey[:])
	mac.Write([]byte("doorstep-cursor-v1\x00"))
	mac.Write([]byte(x.cfg.Borough))
	mac.Write([]byte{0})
	mac.Write(caller.User[:])
	mac.Write(caller.Device[:])
	mac.Write(b)
	return mac.Sum(nil)[:macBytes]
}

// openCursor reads the request's cursor; an empty one is the beginning. It fails
// with CodeBadCursor for what this borough did not give this user on this device,
// and with CodeUnknownEpoch for another epoch's or one beyond the head.
func (x *Exchange) openCursor(caller Caller, q *syncproto.SyncRequest) (cursor, error) {
	if len(q.Cursor) == 0 {
		return cursor{}, nil
	}
	n := len(q.Cursor) - macBytes
	if n < 0 || len(q.Cursor) > syncproto.MaxCursorBytes {
		return cursor{}, syncproto.CodeBadCursor
	}
	body, mac := q.Cursor[:n], q.Cursor[n:]
	if subtle.ConstantTimeCompare(mac, x.cursorMAC(caller, body)) != 1 {
		return cursor{}, syncproto.CodeBadCursor
	}
	c, epoch, err := decodeCursor(body)
	if err != nil {
		return cursor{}, err
	}
	now, at, state := x.Epoch(), max(c.walked, c.relations, c.own), x.cfg.Store.State()
	switch {
	case !c.run.IsZero() && state.IsLostFuture(epoch, c.run, at), epoch == now && at > state.Head():
		return cursor{}, x.lostFuture(now, at)
	case epoch != now:
		return cursor{}, syncproto.CodeUnknownEpoch
	}
	return c, nil
}

func decodeCursor(b []byte) (c cursor, epoch syncproto.Epoch, err error) {
	r := cbor.NewReader(b)
	if r.Array() != 7 || r.Uint() != cursorVersion {
		return c, epoch, syncproto.CodeBadCursor
	}
	r.BytesInto(epoch[:])
	r.BytesInto(c.run[:])
	c.walked = r.Uint()
	c.relations = r.Uint()
	c.relationsMS = r.Int()
	c.own = r.Uint()
	for range r.ArrayUpTo(2*maxFills) / 2 {
		var f fill
		r.BytesInto(f.family[:])
		f.after = r.Uint()
		c.fills = append(c.fills, f)
	}
	if r.Done() != nil {
		return c, epoch, syncproto.CodeBadCursor
	}
	return c, epoch, nil
}

// lostFuture begins a new epoch: a device holds a genuine cursor of what is not in
// the journal, so the data is an older copy that somebody put back.
func (x *Exchange) lostFuture(epoch syncproto.Epoch, at uint64) error {
	x.cfg.Log.Error("a device has a cursor of a future that the journal lost: the data is an older copy; a new epoch begins",
		"cursor", at, "head", x.cfg.Store.State().Head())
	if x.cfg.NewEpoch == nil {
		return syncproto.CodeUnknownEpoch
	}
	if err := x.cfg.NewEpoch(epoch); err != nil {
		return err
	}
	return syncproto.CodeUnknownEpoch
}
