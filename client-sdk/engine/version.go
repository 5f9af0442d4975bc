package engine

import "doorstep/syncproto"

// ViewAt returns a record as it was at the version that heads name, without the open
// draft and without what needs other records. It fails as View does, and with
// CodeNotFound for heads that are not here.
func (e *Engine) ViewAt(id syncproto.RecordID, heads []syncproto.ChangeID) (*syncproto.View, error) {
	r, err := e.past(id, heads)
	if err != nil {
		return nil, err
	}
	return syncproto.FoldAt(r.graph, kindOf(r.graph), e.verdictsOf(r), heads), nil
}

// Attribution is who wrote what of a record's texts, with the device of each source: this
// one for what was written here, else the one that the server named with it, or zero.
type Attribution struct {
	*syncproto.Attribution
	Devices []syncproto.DeviceID // of each source
}

// Attribution returns who wrote what of a record's texts, and who deleted what, at
// the version that heads name; nil is everything that counts here, words not sent
// yet included and the open draft not. It is worked out anew with each call. It fails
// as ViewAt does.
func (e *Engine) Attribution(id syncproto.RecordID, heads []syncproto.ChangeID) (*Attribution, error) {
	r, err := e.past(id, heads)
	if err != nil {
		return nil, err
	}
	a := &Attribution{Attribution: syncproto.Attribute(r.graph, kindOf(r.graph), e.verdictsOf(r), heads)}
	for i := range a.Sources {
		a.Devices = append(a.Devices, e.deviceOf(a.Sources[i].Change))
	}
	return a, nil
}

func (e *Engine) deviceOf(id syncproto.ChangeID) (device syncproto.DeviceID) {
	if o := e.others[id]; o != nil {
		return o.device
	}
	if e.own[id] != nil {
		device = e.id.Device
	}
	return device
}

// past opens a record that may be shown and that has all the heads.
func (e *Engine) past(id syncproto.RecordID, heads []syncproto.ChangeID) (*record, error) {
	if _, err := e.Fold(id); err != nil {
		return nil, err
	}
	r := e.records[id]
	r.unfold()
	for _, h := range heads {
		if !r.graph.Has(h) {
			return nil, syncproto.CodeNotFound
		}
	}
	return r, nil
}
