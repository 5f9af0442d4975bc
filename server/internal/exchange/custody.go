package exchange

import (
	"doorstep/server/internal/store"
	"doorstep/syncproto"
)

// defaultCustodyBytes bounds what waits of one person from one device. A worker
// types some 5 MB a year, sealed and headed.
const defaultCustodyBytes = 32 << 20

// custodyFull reports whether a change would be put aside where there is no room.
// What becomes part of a record is never counted.
func (o ordering) custodyFull(e store.ChangeEntry) (bool, error) {
	if e.Status != syncproto.StatusHeld && e.Status != syncproto.StatusQuarantined {
		return false, nil
	}
	limit := o.x.cfg.CustodyBytes
	if limit == 0 {
		limit = defaultCustodyBytes
	}
	waiting, err := o.tx.InCustody(e.Device, e.Author)
	return waiting+uint64(len(e.Sealed)) > limit, err
}

// keepAway leaves a change on its device: nothing of it is stored, not even its
// place in the chain, so that the device offers it again (SPEC 6.2).
func (o ordering) keepAway(in *incoming) {
	in.receipt = syncproto.Receipt{Change: in.id, Status: syncproto.StatusHeld, Code: syncproto.CodeCustodyFull}
	if !in.batch.full {
		in.batch.full = true
		o.x.alarm("custody is full", syncproto.CodeCustodyFull, in.batch, in.id)
	}
}
