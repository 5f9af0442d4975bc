package store

import "doorstep/syncproto/cbor"

func encodeRelation(e RelationEntry) []byte {
	b := appendHeader(nil, 10, kindRelation)
	b = cbor.AppendBytes(b, e.User[:])
	b = cbor.AppendBytes(b, e.Family[:])
	b = cbor.AppendText(b, e.Basis)
	b = cbor.AppendBool(b, e.Grant)
	b = cbor.AppendBytes(b, e.ID[:])
	b = cbor.AppendInt(b, e.FromMS)
	b = cbor.AppendInt(b, e.ToMS)
	b = cbor.AppendBytes(b, e.By[:])
	return cbor.AppendText(b, e.Reason)
}

func decodeRelation(d *decoder, count int) Entry {
	d.expect(count == 10)
	var e RelationEntry
	d.BytesInto(e.User[:])
	d.BytesInto(e.Family[:])
	e.Basis = d.Text()
	e.Grant = d.Bool()
	d.BytesInto(e.ID[:])
	e.FromMS = d.Int()
	e.ToMS = d.Int()
	d.BytesInto(e.By[:])
	e.Reason = d.Text()
	return e
}

func encodeRestriction(e RestrictionEntry) []byte {
	b := appendHeader(nil, 8, kindRestriction)
	b = cbor.AppendBytes(b, e.Family[:])
	b = cbor.AppendText(b, e.Category)
	b = cbor.AppendBool(b, e.On)
	b = cbor.AppendText(b, e.Reason)
	b = cbor.AppendBytes(b, e.By[:])
	b = cbor.AppendInt(b, e.AtMS)
	return cbor.AppendInt(b, e.ReviewMS)
}

func decodeRestriction(d *decoder, count int) Entry {
	d.expect(count == 8)
	var e RestrictionEntry
	d.BytesInto(e.Family[:])
	e.Category = d.Text()
	e.On = d.Bool()
	e.Reason = d.Text()
	d.BytesInto(e.By[:])
	e.AtMS = d.Int()
	e.ReviewMS = d.Int()
	return e
}

func encodeBreakGlass(e BreakGlassEntry) []byte {
	b := appendHeader(nil, 12, kindBreakGlass)
	b = cbor.AppendBytes(b, e.ID[:])
	b = cbor.AppendBytes(b, e.User[:])
	b = cbor.AppendBytes(b, e.Family[:])
	b = cbor.AppendText(b, e.Code)
	b = cbor.AppendText(b, e.Text)
	b = cbor.AppendInt(b, e.FromMS)
	b = cbor.AppendInt(b, e.ToMS)
	b = cbor.AppendBytes(b, e.ClosedBy[:])
	b = cbor.AppendInt(b, e.ClosedMS)
	b = cbor.AppendText(b, e.Finding)
	return cbor.AppendText(b, e.Note)
}

func decodeBreakGlass(d *decoder, count int) Entry {
	d.expect(count == 12)
	var e BreakGlassEntry
	d.BytesInto(e.ID[:])
	d.BytesInto(e.User[:])
	d.BytesInto(e.Family[:])
	e.Code = d.Text()
	e.Text = d.Text()
	e.FromMS = d.Int()
	e.ToMS = d.Int()
	d.BytesInto(e.ClosedBy[:])
	e.ClosedMS = d.Int()
	e.Finding = d.Text()
	e.Note = d.Text()
	return e
}
