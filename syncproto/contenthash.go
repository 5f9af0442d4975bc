package syncproto

import (
	"crypto/sha256"

	"doorstep/syncproto/cbor"
	"doorstep/syncproto/schema"
)

// ContentHash names what a record says, apart from what is written down about it: a
// signature is for a content, and another's signature, or a note of how a plan works,
// does not make it another (SPEC 5.10). Contents that read alike have one hash, whoever
// wrote them. kind is the record's newest schema.
func ContentHash(v *View, kind *schema.Kind) [32]byte {
	fields := contentOf(v.Fields, kind.Fields)
	b := append([]byte("doorstep-content-v1\x00"), cbor.AppendArray(nil, 2)...)
	b = cbor.AppendText(b, v.Kind)
	return sha256.Sum256(appendList(b, fields, appendContent))
}

// isContent: entries of a log, what each person has in a part of their own, and what the
// server decides or works out are about the content, and not in it.
func isContent(r schema.Rule) bool {
	return r != schema.Log && r != schema.Own && r != schema.Server && r != schema.Derived
}

// contentOf are those of the fields that say something, with the elements in force.
func contentOf(fields []FieldView, kinds []schema.Field) []FieldView {
	var out []FieldView
	for _, f := range fields {
		for i := range kinds {
			if kinds[i].ID != f.Field || !isContent(kinds[i].Rule) {
				continue
			}
			if f.Items = inForce(f.Items); said(&f) || len(f.Items) > 0 {
				out = append(out, f)
			}
		}
	}
	return out
}

func said(f *FieldView) bool { return !f.Value.IsNull() || f.Text != "" }

func inForce(items []Element) []Element {
	var out []Element
	for _, e := range items {
		if e.InForce {
			out = append(out, e)
		}
	}
	return out
}

// appendContent writes [field, value, text, [[element, [part...]]...]], without who wrote it.
func appendContent(b []byte, f *FieldView) []byte {
	b = cbor.AppendText(cbor.AppendArray(b, 4), f.Field)
	b = cbor.AppendText(cbor.AppendValue(b, f.Value), f.Text)
	return appendList(b, f.Items, func(b []byte, e *Element) []byte {
		b = cbor.AppendBytes(cbor.AppendArray(b, 2), e.Element[:])
		var parts []FieldView
		for i := range e.Fields {
			if said(&e.Fields[i]) {
				parts = append(parts, e.Fields[i])
			}
		}
		return appendList(b, parts, appendContent)
	})
}
