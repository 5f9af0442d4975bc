package exchange

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"maps"
	"math"

	"doorstep/server/internal/store"
	"doorstep/syncproto"
)

// What a restored server lacks of somebody's words their own tablet offers again.
// Where that tablet is gone, a colleague's may hold the last copy: it gives the
// change back, with the proof that came with it in the feed. The proof is a MAC
// under a key that is not in the data, so it outlives the restore; it says that
// this borough had the change from that device and that it counted.

// proofOf makes the proof that goes out with a change.
func (x *Exchange) proofOf(id syncproto.ChangeID, device syncproto.DeviceID) syncproto.Proof {
	mac := hmac.New(sha256.New, x.cfg.CursorKey[:])
	mac.Write([]byte("doorstep-had-v1\x00"))
	mac.Write([]byte(x.cfg.Borough))
	mac.Write([]byte{0})
	mac.Write(id[:])
	mac.Write(device[:])
	return syncproto.Proof(mac.Sum(nil))
}

// takeBack takes in changes of others that a device gives back after a restore.
func (x *Exchange) takeBack(ctx context.Context, caller Caller, back []syncproto.Returned) (pushed, error) {
	out := pushed{positions: map[uint64]bool{}}
	if len(back) == 0 {
		return out, nil
	}
	all := make([]*incoming, len(back))
	var order []*incoming
	for i := range back {
		all[i] = x.readReturned(caller, &back[i])
		if all[i].receipt.Status == 0 {
			order = append(order, all[i])
		}
	}
	order = depsFirst(order)
	err := x.cfg.Store.Read(func(r *store.Reader) error {
		for _, in := range order {
			// Nothing is known of what comes before it: each is looked up.
			if err := x.check(r, in, &store.ChainInfo{Seq: math.MaxUint64}); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return out, err
	}
	err = x.placeAll(ctx, all, order, &out)
	return out, err
}

// readReturned reads one returned change. One that this borough never had is
// refused, and said so in the log: nobody else could have made it up.
func (x *Exchange) readReturned(caller Caller, back *syncproto.Returned) *incoming {
	b := &incomingBatch{device: store.DeviceEntry{ID: back.Device}}
	in := readChange(b, back.Prev, back.Body)
	in.returned = true
	proof := x.proofOf(in.id, back.Device)
	if subtle.ConstantTimeCompare(proof[:], back.Proof[:]) != 1 || in.change == nil {
		b.device.ID = caller.Device
		x.alarm("returned change without a proof", syncproto.CodeMalformed, b, in.id)
		in.receipt = syncproto.Receipt{Change: in.id, Status: syncproto.StatusRefused, Code: syncproto.CodeMalformed}
		return in
	}
	if x.cfg.Store.State().IsErased(in.change.Body.Family, in.change.Body.Record) {
		in.receipt = syncproto.Receipt{Change: in.id, Status: syncproto.StatusRefused, Code: syncproto.CodeErased}
		return in
	}
	b.actor, in.seq = in.change.Body.Actor, in.change.Body.Seq
	return in
}

// depsFirst puts each change after those that it was made on top of.
func depsFirst(ins []*incoming) []*incoming {
	by := make(map[syncproto.ChangeID]*incoming, len(ins))
	for _, in := range ins {
		by[in.id] = in
	}
	out := make([]*incoming, 0, len(ins))
	for _, in := range ins {
		stack := []*incoming{in}
		for len(stack) > 0 {
			top := stack[len(stack)-1]
			if by[top.id] == nil {
				stack = stack[:len(stack)-1] // placed already
				continue
			}
			waits := false
			for _, dep := range top.change.Body.Deps {
				if d := by[dep]; d != nil {
					stack, waits = append(stack, d), true
				}
			}
			if !waits {
				out = append(out, top)
				delete(by, top.id)
			}
		}
	}
	return out
}

// add joins what became of another part of the request.
func (p *pushed) add(other pushed) {
	p.receipts = append(p.receipts, other.receipts...)
	maps.Copy(p.positions, other.positions)
}

// Return is what a device brought back after a restore, in one request.
type Return struct {
	Device   syncproto.DeviceID
	User     syncproto.UserID
	Compares bool   // it begins to compare: it named its chains without a cursor
	Own      uint64 // changes of its own that the server had answered before
	Others   uint64 // changes of others that the server lacked, and counts again
	Refused  uint64 // changes that it gave back without a right proof
}

// tellReturned tells of a request of a device that compares.
func (x *Exchange) tellReturned(caller Caller, q *syncproto.SyncRequest, back pushed) {
	if x.cfg.OnReturned == nil {
		return
	}
	r := Return{Device: caller.Device, User: caller.User, Own: q.Again, Compares: len(q.Cursor) == 0 && len(q.Chains) > 0}
	for _, rc := range back.receipts {
		if rc.Status == syncproto.StatusRefused {
			r.Refused++
		} else {
			r.Others++
		}
	}
	if r.Compares || r.Own+r.Others+r.Refused > 0 {
		x.cfg.OnReturned(r)
	}
}
