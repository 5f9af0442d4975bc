package syncproto

import (
	"doorstep/syncproto/cbor"
	"doorstep/syncproto/schema"
)

// CheckOps checks a change's ops against its record kind: the field exists, its
// rule allows the op, the value is of its type and code set. It fails with
// CodeUnknownField, CodeBadOp or CodeBadValue.
//
// A field that the kind does not have is let through when the change was written
// under a newer schema: it is kept, and this build's fold passes over it.
func CheckOps(kind *schema.Kind, schemaVersion uint64, ops []Op) error {
	for i := range ops {
		if err := checkOp(kind, schemaVersion, &ops[i]); err != nil {
			return err
		}
	}
	return nil
}

func checkOp(kind *schema.Kind, schemaVersion uint64, op *Op) error {
	switch op.Code {
	case OpConfirm:
		if op.To.IsZero() != (op.Reason == "") {
			return CodeBadValue
		}
		return nil
	case OpHandOver, OpFinalise:
		return nil
	case OpTypeUp:
		return checkWords(op.Reason)
	case OpQuery, OpAnswer, OpAddendum:
		return checkWords(op.Text)
	}
	newer := schemaVersion > kind.Version
	field, ok := kind.Field(op.Path.Field)
	if !ok {
		return unknownField(newer)
	}
	if field.Rule == schema.Derived {
		return CodeBadOp
	}
	if field.Rule == schema.Union || field.Rule == schema.Log {
		return checkCollection(field, newer, op)
	}
	if op.Path.Sub != "" || (field.Rule == schema.Own) == op.Path.Element.IsZero() {
		return CodeBadOp
	}
	return checkPart(field, op)
}

func unknownField(newer bool) error {
	if newer {
		return nil
	}
	return CodeUnknownField
}

func checkWords(s string) error {
	if s == "" || len(s) > MaxTextValue {
		return CodeBadValue
	}
	return nil
}

func checkCollection(field *schema.Field, newer bool, op *Op) error {
	if op.Path.Element.IsZero() {
		return CodeBadOp
	}
	if op.Code == OpAdd && op.Path.Sub == "" {
		return checkElement(field, newer, op.Value)
	}
	if field.Rule == schema.Log {
		if op.Code == OpCorrect && op.Path.Sub != "" {
			return checkWords(op.Reason)
		}
		return CodeBadOp // what was said in a log is never said over
	}
	if op.Path.Sub != "" {
		sub, ok := field.SubField(op.Path.Sub)
		if !ok {
			return unknownField(newer)
		}
		return checkPart(sub, op)
	}
	switch op.Code {
	case OpRemove:
		return checkWords(op.Reason)
	case OpDecide:
		if _, ok := op.Value.AsBool(); ok {
			return checkWords(op.Reason)
		}
		return CodeBadValue
	}
	return CodeBadOp
}

// checkElement checks an added element. A union's parts may be left out and
// follow; a log's entry must be whole, since nobody can edit it afterwards.
func checkElement(field *schema.Field, newer bool, v cbor.Value) error {
	p := field.CheckElement(v)
	switch {
	case p.OK():
		return nil
	case p.Code == schema.UnknownPart:
		return unknownField(newer)
	}
	return CodeBadValue
}

func checkPart(field *schema.Field, op *Op) error {
	prose := isProse(field)
	switch op.Code {
	case OpSplice:
		if !prose {
			return CodeBadOp
		}
		return nil
	case OpSet:
		if prose {
			return CodeBadOp
		}
		return checkValue(field, op.Value)
	case OpDecide:
		if prose {
			return nil // takes note of an overlap
		}
		if err := checkWords(op.Reason); err != nil {
			return err
		}
		return checkValue(field, op.Value)
	case OpCorrect:
		return checkWords(op.Reason)
	}
	return CodeBadOp
}

func checkValue(field *schema.Field, v cbor.Value) error {
	if !field.CheckValue(v).OK() {
		return CodeBadValue
	}
	return nil
}
