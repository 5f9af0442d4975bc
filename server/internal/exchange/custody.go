package exchange

import (
	"doorstep/server/internal/store"
	"doorstep/syncproto"
)

// defaultCustodyBytes bounds what waits of one person from one device. A worker
// types some 5 MB a year, sealed and headed.
const defaultCustodyBytes = 32 << 20

// Percentages at which an alert about custody is raised.
const (
	alertNearly = 80  // four fifths of the room is taken
	alertFull   = 100 // something had to stay on the device
)

func (x *Exchange) custodyLimit() uint64 {
	if x.cfg.CustodyBytes == 0 {
		return defaultCustodyBytes
	}
	return x.cfg.CustodyBytes
}

// custodyFull reports whether a change would be put aside where there is no room.
// What becomes part of a record is never counted.
func (o ordering) custodyFull(e store.ChangeEntry) (bool, error) {
	if e.Status != syncproto.StatusHeld && e.Status != syncproto.StatusQuarantined {
		return false, nil
	}
	waiting, err := o.tx.InCustody(e.Device, e.Author)
	return waiting+uint64(len(e.Sealed)) > o.x.custodyLimit(), err
}

// keepOnDevice leaves a change on its device: nothing of it is stored, not even its
// place in the chain, so that the device offers it again (SPEC 6.2).
func (o ordering) keepOnDevice(in *incoming, e store.ChangeEntry) error {
	in.receipt = syncproto.Receipt{Change: in.id, Status: syncproto.StatusHeld, Code: syncproto.CodeCustodyFull}
	if !in.batch.full {
		in.batch.full = true
		o.x.alarm("custody is full", syncproto.CodeCustodyFull, in.batch, in.id)
	}
	return o.raise(e.Device, e.Author, alertFull)
}

// noteFilling raises an alert when what was just put aside takes four fifths of the
// room.
func (o ordering) noteFilling(e store.ChangeEntry) error {
	if e.Status != syncproto.StatusHeld && e.Status != syncproto.StatusQuarantined {
		return nil
	}
	nearly, err := o.nearlyFull(e.Device, e.Author)
	if err != nil || !nearly {
		return err
	}
	return o.raise(e.Device, e.Author, alertNearly)
}

// noteRoom takes an alert back, or down, once something was decided.
func (o ordering) noteRoom(ref store.ChangeRef) error {
	stands := o.alertOf(ref.Device, ref.Author)
	if stands == 0 {
		return nil
	}
	nearly, err := o.nearlyFull(ref.Device, ref.Author)
	switch {
	case err != nil:
		return err
	case !nearly:
		return o.alert(ref.Device, ref.Author, 0)
	case stands > alertNearly:
		return o.alert(ref.Device, ref.Author, alertNearly)
	}
	return nil
}

func (o ordering) nearlyFull(device syncproto.DeviceID, author syncproto.UserID) (bool, error) {
	waiting, err := o.tx.InCustody(device, author)
	return waiting*100 >= o.x.custodyLimit()*alertNearly, err
}

// raise stages an alert that is higher than the one that stands.
func (o ordering) raise(device syncproto.DeviceID, author syncproto.UserID, percent uint64) error {
	if o.alertOf(device, author) >= percent {
		return nil
	}
	o.x.cfg.Log.Warn("custody fills up", "percent", percent, "device", device.String(), "user", author.String())
	return o.alert(device, author, percent)
}

// seat is one person's part of a device.
type seat struct {
	device syncproto.DeviceID
	user   syncproto.UserID
}

func (o ordering) alertOf(device syncproto.DeviceID, author syncproto.UserID) uint64 {
	if percent, said := o.alerted[seat{device, author}]; said {
		return percent
	}
	return o.tx.State().CustodyAlert(device, author)
}

func (o ordering) alert(device syncproto.DeviceID, author syncproto.UserID, percent uint64) error {
	o.alerted[seat{device, author}] = percent
	_, err := o.tx.Stage(store.CustodyAlertEntry{Device: device, User: author, Percent: percent, AtMS: o.tx.AtMS()})
	return err
}
