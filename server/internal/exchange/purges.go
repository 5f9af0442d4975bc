package exchange

import (
	"context"
	"slices"

	"doorstep/server/internal/store"
	"doorstep/syncproto"
)

// takePurges keeps the purge receipts of a request, as they were signed. What is
// not the device's word on this epoch is left out and asked for again; it harms
// nothing else in the request.
func (x *Exchange) takePurges(ctx context.Context, caller Caller, q *syncproto.SyncRequest) error {
	state := x.cfg.Store.State()
	if len(q.Purged) == 0 || q.Epoch != x.Epoch() || !x.newReceipts(state, q.Epoch, caller, q.Purged) {
		return nil
	}
	device, _ := state.Device(caller.Device)
	message := syncproto.PurgeMessage(caller.Device, caller.User, q.Epoch, q.Purged)
	if !x.cfg.Verify(device.Key, message, q.PurgeSignature) {
		x.cfg.Log.Warn("security event", "event", "bad signature of purge receipts",
			"code", syncproto.CodeBadSignature.Error(), "device", caller.Device.String())
		return nil
	}
	// The time is that of the clock, by which the feed is filtered: the ledger's stands
	// still where the clock went back, and might be one at which the family is held.
	now := x.cfg.Now().UnixMilli()
	_, err := x.cfg.Ledger.Propose(ctx, func(*store.Tx) ([]store.Entry, error) {
		return []store.Entry{store.PurgeEntry{
			Device: caller.Device, User: caller.User, Epoch: q.Epoch,
			Purged: q.Purged, Signature: q.PurgeSignature, AtMS: now,
		}}, nil
	})
	return err
}

// newReceipts reports whether a list of receipts says anything new, and nothing
// of positions that there are not yet. What the device still owes is new, also where
// its receipt is of the same position: the clock may have gone through a time at which
// the family was held.
func (x *Exchange) newReceipts(state *store.State, epoch syncproto.Epoch, caller Caller, list []syncproto.Purged) bool {
	some, head := false, state.Head()
	owed := state.PurgesOwed(epoch, caller.Device, state.Access(caller.User, x.cfg.Now().UnixMilli()))
	for _, p := range list {
		if p.Position > head {
			return false
		}
		r := state.PurgeReceipt(caller.Device, caller.User, p.Family)
		some = some || p.Position > r.Position || r.Epoch != epoch || slices.Contains(owed, p)
	}
	return some
}

// purgeItems are what a device still has to remove, as news.
func purgeItems(owed []syncproto.Purged) []syncproto.Item {
	var items []syncproto.Item
	for _, p := range owed {
		items = append(items, syncproto.Item{Type: syncproto.ItemPurge, Position: p.Position, Family: p.Family})
	}
	return items
}
