package syncproto

import (
	"crypto/sha256"

	"doorstep/syncproto/cbor"
)

// ViewFormat changes whenever the fold or a view's encoding does. Whoever keeps
// encoded views keeps it beside them, and drops those of another format.
const ViewFormat = 7

// Encode returns the view as deterministic CBOR (SPEC 5.10): equal views give
// equal bytes, which is how devices and server are compared.
func (v *View) Encode() []byte {
	b := cbor.AppendArray(nil, 14)
	b = cbor.AppendBytes(b, v.Record[:])
	b = cbor.AppendBytes(b, v.Family[:])
	b = cbor.AppendText(b, v.Kind)
	b = cbor.AppendUint(b, v.SchemaVersion)
	b = appendChangeIDs(b, v.Heads)
	b = appendList(b, v.Fields, appendFieldView)
	b = appendList(b, v.Conflicts, appendConflict)
	b = appendList(b, v.Overlaps, appendOverlap)
	b = appendWorkflow(b, &v.Workflow)
	b = appendOptional(b, v.Seal, appendSeal)
	b = appendList(b, v.Addenda, appendAddendum)
	b = appendChangeIDs(b, v.Roots)
	b = cbor.AppendUint(b, v.NoOps)
	return appendChangeIDs(b, v.Held)
}

// VersionHash is what a seal signs for: the hash of the sealed version, derived
// values included, without the seal itself and whatever came after it.
func VersionHash(v *View) [32]byte {
	sealed := *v
	sealed.Seal, sealed.Addenda = nil, nil
	return sha256.Sum256(append([]byte("doorstep-version-v1\x00"), sealed.Encode()...))
}

func appendList[T any](b []byte, list []T, one func([]byte, *T) []byte) []byte {
	b = cbor.AppendArray(b, len(list))
	for i := range list {
		b = one(b, &list[i])
	}
	return b
}

func appendOptional[T any](b []byte, v *T, one func([]byte, *T) []byte) []byte {
	if v == nil {
		return cbor.AppendNull(b)
	}
	return one(b, v)
}

func appendChangeIDs(b []byte, ids []ChangeID) []byte {
	return appendList(b, ids, func(b []byte, id *ChangeID) []byte { return cbor.AppendBytes(b, id[:]) })
}

func appendFieldView(b []byte, f *FieldView) []byte {
	b = cbor.AppendArray(b, 7)
	b = cbor.AppendText(b, f.Field)
	b = cbor.AppendValue(b, f.Value)
	b = cbor.AppendText(b, f.Text)
	b = appendList(b, f.Slots, appendSlot)
	b = appendList(b, f.Items, appendElement)
	b = cbor.AppendBool(b, f.Set)
	return appendOrigin(b, &f.By)
}

func appendOrigin(b []byte, o *Origin) []byte {
	b = cbor.AppendArray(b, 5)
	b = cbor.AppendBytes(b, o.Change[:])
	b = cbor.AppendBytes(b, o.Author[:])
	b = cbor.AppendBytes(b, o.Actor[:])
	b = cbor.AppendInt(b, o.TimeMS)
	return cbor.AppendUint(b, uint64(o.Capture))
}

func appendSlot(b []byte, s *Slot) []byte {
	b = cbor.AppendArray(b, 4)
	b = cbor.AppendBytes(b, s.Slot[:])
	b = cbor.AppendValue(b, s.Value)
	b = cbor.AppendText(b, s.Text)
	return appendOrigin(b, &s.By)
}

func appendElement(b []byte, e *Element) []byte {
	b = cbor.AppendArray(b, 6)
	b = cbor.AppendBytes(b, e.Element[:])
	b = appendOrigin(b, &e.By)
	b = appendList(b, e.Fields, appendFieldView)
	b = appendOptional(b, e.Removed, appendRemoval)
	b = cbor.AppendBool(b, e.InForce)
	return cbor.AppendBool(b, e.Flagged)
}

func appendRemoval(b []byte, r *Removal) []byte {
	b = cbor.AppendArray(b, 3)
	b = appendOrigin(b, &r.By)
	b = cbor.AppendText(b, r.Reason)
	return cbor.AppendBool(b, r.Confirmed)
}

func appendConflict(b []byte, c *Conflict) []byte {
	b = cbor.AppendArray(b, 5)
	b = appendPath(b, c.Path)
	b = cbor.AppendText(b, c.Rule)
	b = appendList(b, c.Sides, appendSide)
	b = cbor.AppendValue(b, c.Base)
	return cbor.AppendValue(b, c.InForce)
}

func appendSide(b []byte, s *Side) []byte {
	b = cbor.AppendArray(b, 2)
	b = cbor.AppendValue(b, s.Value)
	return appendOrigin(b, &s.By)
}

func appendOverlap(b []byte, o *Overlap) []byte {
	b = cbor.AppendArray(b, 2)
	b = appendPath(b, o.Path)
	return appendList(b, o.Spans, appendOverlapSpan)
}

func appendOverlapSpan(b []byte, s *OverlapSpan) []byte {
	b = cbor.AppendArray(b, 4)
	b = cbor.AppendUint(cbor.AppendUint(b, s.Start), s.End)
	b = appendChangeIDs(b, s.Changes)
	return appendList(b, s.Authors, func(b []byte, u *UserID) []byte { return cbor.AppendBytes(b, u[:]) })
}

func appendWorkflow(b []byte, w *Workflow) []byte {
	size := 3
	if len(w.TypedUp) > 0 {
		size = 4
	}
	b = cbor.AppendArray(b, size)
	b = appendOptional(b, w.HandedOver, appendOrigin)
	b = appendList(b, w.Confirmed, appendConfirmation)
	b = appendList(b, w.Queries, appendQuery)
	if size == 4 {
		b = cbor.AppendArray(b, len(w.TypedUp))
		for i := range w.TypedUp { // no list of its own, which would weigh on what a tablet downloads
			t := &w.TypedUp[i]
			b = appendOrigin(cbor.AppendArray(b, 3), &t.By)
			b = cbor.AppendText(cbor.AppendBytes(b, t.For[:]), t.Source)
		}
	}
	return b
}

func appendConfirmation(b []byte, c *Confirmation) []byte {
	size := 3
	if !c.For.IsZero() {
		size = 5
	}
	b = cbor.AppendArray(b, size)
	b = appendOrigin(b, &c.By)
	b = appendChangeIDs(b, c.Heads)
	b = cbor.AppendBool(b, c.Stands)
	if size == 5 {
		b = cbor.AppendText(cbor.AppendBytes(b, c.For[:]), c.Reason)
	}
	return b
}

func appendQuery(b []byte, q *Query) []byte {
	b = cbor.AppendArray(b, 7)
	b = cbor.AppendBytes(b, q.ID[:])
	b = appendPath(b, q.Path)
	b = cbor.AppendBytes(b, q.To[:])
	b = appendOrigin(b, &q.By)
	b = cbor.AppendText(b, q.Question)
	b = cbor.AppendText(b, q.Answer)
	return appendOptional(b, q.AnsweredBy, appendOrigin)
}

func appendSeal(b []byte, s *Seal) []byte {
	b = cbor.AppendArray(b, 7)
	b = cbor.AppendUint(b, s.Position)
	b = cbor.AppendBytes(b, s.By[:])
	b = cbor.AppendInt(b, s.AtMS)
	b = appendChangeIDs(b, s.Heads)
	b = cbor.AppendBytes(b, s.Hash[:])
	b = cbor.AppendBytes(b, s.PrevHash[:])
	return appendList(b, s.Group, appendRecordHeads)
}

func appendAddendum(b []byte, a *Addendum) []byte {
	b = cbor.AppendArray(b, 6)
	b = appendOrigin(b, &a.By)
	b = cbor.AppendText(b, a.Text)
	b = cbor.AppendInt(b, a.TimeMS)
	b = cbor.AppendText(b, a.Reason)
	b = cbor.AppendBool(b, a.Late)
	return appendList(b, a.Ops, appendOp)
}

// Encode returns the attribution as deterministic CBOR (SPEC 5.13): equal records
// give equal bytes.
func (a *Attribution) Encode() []byte {
	b := cbor.AppendArray(nil, 4)
	b = cbor.AppendBytes(b, a.Record[:])
	b = appendChangeIDs(b, a.Heads)
	b = appendList(b, a.Sources, appendSource)
	return appendList(b, a.Texts, appendTextAuthors)
}

func appendSource(b []byte, s *Source) []byte {
	b = cbor.AppendArray(b, 4)
	b = appendOrigin(b, &s.Origin)
	b = cbor.AppendUint(b, s.Seq)
	b = cbor.AppendInt(b, s.OffsetMin)
	return cbor.AppendUint(b, s.MonotonicMS)
}

func appendTextAuthors(b []byte, t *TextAuthors) []byte {
	b = cbor.AppendArray(b, 4)
	b = appendPath(b, t.Path)
	b = cbor.AppendText(b, t.Text)
	b = appendList(b, t.Spans, func(b []byte, s *AuthoredSpan) []byte {
		b = cbor.AppendArray(b, 3)
		b = cbor.AppendUint(cbor.AppendUint(b, s.Start), s.End)
		return cbor.AppendUint(b, uint64(s.By))
	})
	return appendList(b, t.Deleted, func(b []byte, d *DeletedSpan) []byte {
		b = cbor.AppendArray(b, 4)
		b = cbor.AppendText(cbor.AppendUint(b, d.At), d.Text)
		b = cbor.AppendUint(b, uint64(d.By))
		return appendList(b, d.DeletedBy, func(b []byte, i *int32) []byte { return cbor.AppendUint(b, uint64(*i)) })
	})
}
