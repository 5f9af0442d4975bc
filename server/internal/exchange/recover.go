package exchange

import (
	"context"
	"fmt"

	"doorstep/server/internal/store"
	"doorstep/syncproto"
	"doorstep/syncproto/recovery"
)

// Recovery is the sealed outbox of a lost or locked tablet, as two people opened it.
type Recovery struct {
	By, Second syncproto.UserID
	Device     syncproto.DeviceID
	User       syncproto.UserID // whose words they are
	Items      []recovery.Item
	Notes      int // that were in it besides, which are no changes
}

// Recovered says what became of the items of a Recovery.
type Recovered struct {
	Custody int // went into custody now
	Known   int // the server had them: they had been sent, or recovered before
	Refused int // forged, damaged or another's; the log says which
}

// Recover puts the words of a tablet that will not send them into custody, under
// their author's name: each is held against the signature of the device's own key,
// and none becomes part of a record by itself. That it was done, by whom, is an entry.
// It fails with CodeWrongDevice for a device that is not enrolled, or that the person
// does not use, and CodeForbidden unless two people who have access, and not the
// author, ask for it.
func (x *Exchange) Recover(ctx context.Context, r Recovery) (Recovered, error) {
	state := x.cfg.Store.State()
	if device, known := state.Device(r.Device); !known || !device.UsedBy(r.User) {
		return Recovered{}, syncproto.CodeWrongDevice
	}
	for _, who := range []syncproto.UserID{r.By, r.Second} {
		u, known := state.User(who)
		if !known || u.Disabled || who == r.User || r.By == r.Second {
			return Recovered{}, syncproto.CodeForbidden
		}
	}
	_, err := x.cfg.Ledger.Propose(ctx, func(tx *store.Tx) ([]store.Entry, error) {
		return []store.Entry{store.RecoveryEntry{Device: r.Device, User: r.User, By: r.By, Second: r.Second,
			Count: uint64(len(r.Items) + r.Notes), AtMS: tx.AtMS()}}, nil
	})
	if err != nil {
		return Recovered{}, fmt.Errorf("noting a recovery: %w", err)
	}
	return x.recoverAll(ctx, r)
}

// recoverAll orders the items, each as a batch of its own: each has its signature.
func (x *Exchange) recoverAll(ctx context.Context, r Recovery) (Recovered, error) {
	var out Recovered
	var all, order []*incoming
	for _, it := range r.Items {
		c, err := syncproto.DecodeChange(it.Prev, it.Body)
		if err != nil || c.Body.Author != r.User {
			out.Refused++
			x.cfg.Log.Warn("security event", "event", "an item of a sealed outbox is no change of its person's", "device", r.Device.String())
			continue
		}
		ins, err := x.prepareBatch(Caller{User: r.User, Device: r.Device},
			&syncproto.Batch{Device: r.Device, Actor: c.Body.Actor, Prev: it.Prev, Bodies: [][]byte{it.Body}, Signature: it.Signature})
		if err != nil {
			return out, err
		}
		for _, in := range ins {
			in.recovered = true
			if in.known {
				out.Known++
			}
		}
		all = append(all, ins...)
		if ins[0].receipt.Status == 0 {
			order = append(order, ins...)
		}
	}
	var done pushed
	done.positions = map[uint64]bool{}
	if err := x.placeAll(ctx, all, order, &done); err != nil {
		return out, err
	}
	for _, rc := range done.receipts {
		switch {
		case rc.Status == syncproto.StatusRefused || rc.Durability == syncproto.DurabilityNone:
			out.Refused++
		default:
			out.Custody++
		}
	}
	out.Custody -= out.Known
	return out, nil
}
