package store

import (
	"doorstep/syncproto"
	"doorstep/syncproto/cbor"
)

// encodeControl writes a control entry before it is sealed.
func encodeControl(e Entry) []byte {
	switch e := e.(type) {
	case UserEntry:
		return encodeUser(e)
	case DeviceEntry:
		return encodeDevice(e)
	case SessionEntry:
		return encodeSession(e)
	case CodeEntry:
		return encodeCode(e)
	case RelationEntry:
		return encodeRelation(e)
	case RestrictionEntry:
		return encodeRestriction(e)
	case BreakGlassEntry:
		return encodeBreakGlass(e)
	case TeamEntry:
		return encodeTeam(e)
	case FamilyTeamEntry:
		b := appendHeader(nil, 3, kindFamilyTeam)
		b = cbor.AppendBytes(b, e.Family[:])
		return cbor.AppendBytes(b, e.Team[:])
	case RefEntry:
		b := appendHeader(nil, 4, kindRef)
		b = cbor.AppendText(b, e.Kind)
		b = cbor.AppendText(b, e.Ref)
		return cbor.AppendBytes(b, e.ID[:])
	case RunEntry:
		return encodeRun(e)
	case RequestEntry:
		return encodeRequest(e)
	case PurgeEntry:
		return encodePurge(e)
	case PasskeyEntry:
		return encodePasskey(e)
	}
	if b := encodeCustody(e); b != nil {
		return b
	}
	if b := encodeEvidence(e); b != nil {
		return b
	}
	panic("bug: encoding an entry that is not known")
}

func decodeControl(plain []byte) (Entry, error) {
	d := newDecoder(plain)
	count := d.Array()
	kind := entryKind(d.Uint())
	e := decodeEvidence(d, kind, count)
	switch kind {
	case kindUser:
		e = decodeUser(d, count)
	case kindDevice:
		e = decodeDevice(d, count)
	case kindSession:
		e = decodeSession(d, count)
	case kindCode:
		e = decodeCode(d, count)
	case kindRelation:
		e = decodeRelation(d, count)
	case kindRestriction:
		e = decodeRestriction(d, count)
	case kindBreakGlass:
		e = decodeBreakGlass(d, count)
	case kindTeam:
		e = decodeTeam(d, count)
	case kindFamilyTeam:
		d.expect(count == 3)
		var f FamilyTeamEntry
		d.BytesInto(f.Family[:])
		d.BytesInto(f.Team[:])
		e = f
	case kindRef:
		d.expect(count == 4)
		r := RefEntry{Kind: d.Text(), Ref: d.Text()}
		d.BytesInto(r.ID[:])
		e = r
	case kindRun:
		e = decodeRun(d, count)
	case kindRequest:
		e = decodeRequest(d, count)
	case kindPurge:
		e = decodePurge(d, count)
	case kindPasskey:
		e = decodePasskey(d, count)
	case kindReview, kindCustodyAlert, kindRecovery:
		e = decodeCustody(d, kind, count)
	}
	if e == nil || d.Done() != nil {
		return nil, ErrEntry
	}
	return e, nil
}

func encodeUser(e UserEntry) []byte {
	b := appendHeader(nil, 8, kindUser)
	b = cbor.AppendBytes(b, e.ID[:])
	b = cbor.AppendText(b, e.Login)
	b = cbor.AppendText(b, e.Name)
	b = cbor.AppendText(b, e.Role)
	b = cbor.AppendText(b, e.PasswordHash)
	b = cbor.AppendText(b, e.Subject)
	return cbor.AppendBool(b, e.Disabled)
}

func decodeUser(d *decoder, count int) Entry {
	d.expect(count == 8)
	var e UserEntry
	d.BytesInto(e.ID[:])
	e.Login = d.Text()
	e.Name = d.Text()
	e.Role = d.Text()
	e.PasswordHash = d.Text()
	e.Subject = d.Text()
	e.Disabled = d.Bool()
	return e
}

func encodeDevice(e DeviceEntry) []byte {
	b := appendHeader(nil, 7, kindDevice)
	b = cbor.AppendBytes(b, e.ID[:])
	b = cbor.AppendText(b, e.Name)
	b = cbor.AppendBytes(b, e.Key)
	b = cbor.AppendArray(b, len(e.Users))
	for _, u := range e.Users {
		b = cbor.AppendBytes(b, u[:])
	}
	b = cbor.AppendInt(b, e.EnrolledMS)
	return cbor.AppendInt(b, e.RevokedMS)
}

func decodeDevice(d *decoder, count int) Entry {
	d.expect(count == 7)
	var e DeviceEntry
	d.BytesInto(e.ID[:])
	e.Name = d.Text()
	e.Key = append([]byte(nil), d.Bytes()...)
	for range d.Array() {
		var u syncproto.UserID
		d.BytesInto(u[:])
		e.Users = append(e.Users, u)
	}
	e.EnrolledMS = d.Int()
	e.RevokedMS = d.Int()
	return e
}

func encodeSession(e SessionEntry) []byte {
	b := appendHeader(nil, 14, kindSession)
	b = cbor.AppendBytes(b, e.ID[:])
	b = cbor.AppendBytes(b, e.User[:])
	b = cbor.AppendBytes(b, e.Device[:])
	b = cbor.AppendBytes(b, e.Key[:])
	b = cbor.AppendInt(b, e.SignedInMS)
	b = cbor.AppendInt(b, e.ProvedMS)
	b = cbor.AppendInt(b, e.RotatedMS)
	b = cbor.AppendInt(b, e.EndedMS)
	b = cbor.AppendUint(b, e.Generation)
	b = cbor.AppendBytes(b, e.Hash[:])
	b = cbor.AppendBytes(b, e.Previous[:])
	b = cbor.AppendBytes(b, e.Request[:])
	return cbor.AppendBool(b, e.Custody)
}

func decodeSession(d *decoder, count int) Entry {
	d.expect(count == 14)
	var e SessionEntry
	d.BytesInto(e.ID[:])
	d.BytesInto(e.User[:])
	d.BytesInto(e.Device[:])
	d.BytesInto(e.Key[:])
	e.SignedInMS = d.Int()
	e.ProvedMS = d.Int()
	e.RotatedMS = d.Int()
	e.EndedMS = d.Int()
	e.Generation = d.Uint()
	d.BytesInto(e.Hash[:])
	d.BytesInto(e.Previous[:])
	d.BytesInto(e.Request[:])
	e.Custody = d.Bool()
	return e
}

func encodeCode(e CodeEntry) []byte {
	b := appendHeader(nil, 7, kindCode)
	b = cbor.AppendBytes(b, e.Hash[:])
	b = cbor.AppendBytes(b, e.User[:])
	b = cbor.AppendInt(b, e.IssuedMS)
	b = cbor.AppendInt(b, e.ExpiresMS)
	b = cbor.AppendInt(b, e.UsedMS)
	return cbor.AppendBytes(b, e.UsedBy[:])
}

func decodeCode(d *decoder, count int) Entry {
	d.expect(count == 7)
	var e CodeEntry
	d.BytesInto(e.Hash[:])
	d.BytesInto(e.User[:])
	e.IssuedMS = d.Int()
	e.ExpiresMS = d.Int()
	e.UsedMS = d.Int()
	d.BytesInto(e.UsedBy[:])
	return e
}

func encodeTeam(e TeamEntry) []byte {
	b := appendHeader(nil, 5, kindTeam)
	b = cbor.AppendBytes(b, e.User[:])
	b = cbor.AppendBytes(b, e.Team[:])
	b = cbor.AppendText(b, e.Basis)
	return cbor.AppendBool(b, e.Grant)
}

func decodeTeam(d *decoder, count int) Entry {
	d.expect(count == 5)
	var e TeamEntry
	d.BytesInto(e.User[:])
	d.BytesInto(e.Team[:])
	e.Basis = d.Text()
	e.Grant = d.Bool()
	return e
}

func encodePasskey(e PasskeyEntry) []byte {
	b := appendHeader(nil, 10, kindPasskey)
	b = cbor.AppendBytes(b, e.ID[:])
	b = cbor.AppendBytes(b, e.Key)
	b = cbor.AppendBytes(b, e.User[:])
	b = cbor.AppendText(b, e.Name)
	b = cbor.AppendBytes(b, e.Data)
	b = cbor.AppendInt(b, e.AddedMS)
	b = cbor.AppendInt(b, e.UsedMS)
	b = cbor.AppendInt(b, e.RemovedMS)
	return cbor.AppendBool(b, e.Copied)
}

func decodePasskey(d *decoder, count int) Entry {
	d.expect(count == 10)
	var e PasskeyEntry
	d.BytesInto(e.ID[:])
	e.Key = append([]byte(nil), d.Bytes()...)
	d.BytesInto(e.User[:])
	e.Name = d.Text()
	e.Data = append([]byte(nil), d.Bytes()...)
	e.AddedMS = d.Int()
	e.UsedMS = d.Int()
	e.RemovedMS = d.Int()
	e.Copied = d.Bool()
	return e
}

func encodePurge(e PurgeEntry) []byte {
	b := appendHeader(nil, 7, kindPurge)
	b = cbor.AppendBytes(b, e.Device[:])
	b = cbor.AppendBytes(b, e.User[:])
	b = cbor.AppendBytes(b, e.Epoch[:])
	b = cbor.AppendArray(b, 2*len(e.Purged))
	for _, p := range e.Purged {
		b = cbor.AppendBytes(b, p.Family[:])
		b = cbor.AppendUint(b, p.Position)
	}
	b = cbor.AppendBytes(b, e.Signature)
	return cbor.AppendInt(b, e.AtMS)
}

func decodePurge(d *decoder, count int) Entry {
	d.expect(count == 7)
	var e PurgeEntry
	d.BytesInto(e.Device[:])
	d.BytesInto(e.User[:])
	d.BytesInto(e.Epoch[:])
	for range d.ArrayUpTo(2*syncproto.MaxPurged) / 2 {
		var p syncproto.Purged
		d.BytesInto(p.Family[:])
		p.Position = d.Uint()
		e.Purged = append(e.Purged, p)
	}
	e.Signature = d.Bytes()
	e.AtMS = d.Int()
	return e
}
