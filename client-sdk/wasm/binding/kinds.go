package binding

import (
	"doorstep/syncproto/cbor"
	"doorstep/syncproto/schema"
)

// kinds gives every record kind in its newest version.
func kinds(c *call) error {
	var list []*schema.Kind
	for _, k := range schema.All() {
		if newest, _ := schema.Newest(k.ID); newest == k {
			list = append(list, k)
		}
	}
	c.out = appendList(nil, list, appendKind)
	return nil
}

// appendKind writes [id, version, name, [field...], needs_confirmation, finalises, part].
func appendKind(b []byte, k **schema.Kind) []byte {
	b = cbor.AppendArray(b, 7)
	b = cbor.AppendText(b, (*k).ID)
	b = cbor.AppendUint(b, (*k).Version)
	b = cbor.AppendText(b, (*k).Name)
	b = appendList(b, (*k).Fields, appendField)
	b = cbor.AppendBool(b, (*k).NeedsConfirmation)
	b = cbor.AppendBool(b, (*k).Finalises)
	return cbor.AppendText(b, (*k).Part)
}

// appendField writes [id, rule, label, type, [code, label...], [part...],
// keep_removed, manager_approves, prepared, slot_of, required, [condition...], min,
// max, format, ref_kind, name, help, section, order, long].
func appendField(b []byte, f *schema.Field) []byte {
	b = cbor.AppendArray(b, 21)
	b = cbor.AppendText(b, f.ID)
	b = cbor.AppendText(b, f.Rule.String())
	b = cbor.AppendText(b, f.Label.String())
	b = cbor.AppendUint(b, uint64(f.Type))
	codes := f.Codes.All()
	b = cbor.AppendArray(b, 2*len(codes))
	for _, c := range codes {
		b = cbor.AppendText(cbor.AppendText(b, c.Code), c.Label)
	}
	b = appendList(b, f.Sub, appendField)
	b = cbor.AppendBool(b, f.KeepRemoved)
	b = cbor.AppendBool(b, f.ManagerApproves)
	b = cbor.AppendBool(b, f.Prepared)
	b = cbor.AppendUint(b, uint64(f.SlotOf))
	b = cbor.AppendBool(b, f.Required)
	b = appendList(b, f.RequiredIf, appendCondition)
	b = cbor.AppendInt(b, f.Min)
	b = cbor.AppendInt(b, f.Max)
	b = cbor.AppendUint(b, uint64(f.Format))
	b = cbor.AppendText(b, f.RefKind)
	b = cbor.AppendText(b, f.Hint.Label)
	b = cbor.AppendText(b, f.Hint.Help)
	b = cbor.AppendText(b, f.Hint.Section)
	b = cbor.AppendInt(b, int64(f.Hint.Order))
	return cbor.AppendBool(b, f.Hint.Long)
}

// appendCondition writes [field, test, [value...], other, limit, [condition...]].
func appendCondition(b []byte, c *schema.Condition) []byte {
	b = cbor.AppendArray(b, 6)
	b = cbor.AppendText(b, c.Field)
	b = cbor.AppendUint(b, uint64(c.Test))
	b = appendList(b, c.Values(), func(b []byte, v *cbor.Value) []byte { return cbor.AppendValue(b, *v) })
	b = cbor.AppendText(b, c.Other)
	b = cbor.AppendInt(b, c.Limit)
	return appendList(b, c.Where, appendCondition)
}

// appendProblem writes [field, element, part, check, plain, warn].
func appendProblem(b []byte, p *schema.Problem) []byte {
	b = cbor.AppendArray(b, 6)
	b = cbor.AppendText(b, p.Field)
	b = cbor.AppendInt(b, int64(p.Element))
	b = cbor.AppendText(b, p.Part)
	if p.Code == schema.Unfilled {
		b = cbor.AppendText(b, "unfilled")
	} else {
		b = cbor.AppendText(b, p.Check)
	}
	b = cbor.AppendText(b, p.Plain)
	return cbor.AppendBool(b, p.Warn)
}
