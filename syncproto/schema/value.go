package schema

import (
	"unicode/utf8"

	"doorstep/syncproto/cbor"
)

// Bounds of a time: from 1900 to the end of 9999, so that a tablet with a wrong
// clock is taken in and marked, and every reader can print what it holds.
const (
	minTimeMS = -2208988800000
	maxTimeMS = 253402300799999
)

// CheckValue says what is wrong with a value that is to be set in a field, a
// slot or a part, or be an added element of a collection. Null is fine: it
// clears. It looks at this value alone; Complete looks at the whole record.
func (f *Field) CheckValue(v cbor.Value) Problem {
	if f.Rule == Derived {
		return problem(NotWritable)
	}
	if f.IsCollection() && len(f.Sub) > 0 {
		return f.CheckElement(v)
	}
	if v.IsNull() {
		return Problem{}
	}
	return f.checkType(v)
}

// CheckElement says what is wrong with the parts of an added element. Parts may
// be left out and follow later, but not in a log: an entry is never edited, so
// it must be whole when it is added.
func (f *Field) CheckElement(v cbor.Value) Problem {
	if p := f.checkParts(v); !p.OK() || f.Rule != Log {
		return p
	}
	for _, p := range f.completeParts(v, noSource) {
		if !p.Warn {
			p.Code, p.Plain = MissingPart, problem(MissingPart).Plain
			return p
		}
	}
	return Problem{}
}

func (f *Field) checkParts(v cbor.Value) Problem {
	parts, ok := v.AsMap()
	if !ok {
		return problem(WrongType)
	}
	for _, part := range parts {
		sub, ok := f.SubField(part.Key)
		if !ok {
			return problem(UnknownPart)
		}
		if p := sub.checkPart(part.Value); !p.OK() {
			p.Part = sub.ID
			return p
		}
	}
	return Problem{}
}

// checkPart is CheckValue of a part: its rule may be its log's.
func (f *Field) checkPart(v cbor.Value) Problem {
	if v.IsNull() {
		return Problem{}
	}
	return f.checkType(v)
}

func (f *Field) checkType(v cbor.Value) Problem {
	switch f.Type {
	case TypeBool:
		_, ok := v.AsBool()
		return unless(ok, WrongType)
	case TypeInt:
		return f.checkInt(v)
	case TypeTime:
		ms, ok := v.AsInt()
		return unless(ok, WrongType).or(unless(minTimeMS <= ms && ms <= maxTimeMS, OutOfBounds))
	case TypeLine, TypeProse, TypeCode, TypeDate:
		return f.checkText(v)
	case TypeRef:
		return checkBytes(v, 16)
	case TypeHash:
		return checkBytes(v, 32)
	case TypeStruct:
		return f.checkParts(v)
	}
	return problem(WrongType)
}

func (f *Field) checkInt(v cbor.Value) Problem {
	i, ok := v.AsInt()
	bounded := f.Min != 0 || f.Max != 0
	return unless(ok, WrongType).or(unless(!bounded || f.Min <= i && i <= f.Max, OutOfBounds))
}

func (f *Field) checkText(v cbor.Value) Problem {
	if v.Kind() != cbor.KindText {
		return problem(WrongType)
	}
	s, ok := v.AsText()
	if !ok || !utf8.ValidString(s) {
		return problem(BadText)
	}
	switch f.Type {
	case TypeCode:
		return unless(f.Codes.Has(s), UnknownCode)
	case TypeDate:
		return unless(validDate(s), BadDate)
	}
	limit := int64(MaxValueBytes)
	if f.Max > 0 {
		limit = f.Max
	}
	if int64(len(s)) > limit {
		return problem(TooLong)
	}
	return unless(s == "" || f.Format.valid(s), BadFormat)
}

// checkBytes wants exactly n bytes that are not all zero: zero names nothing.
func checkBytes(v cbor.Value, n int) Problem {
	b, ok := v.AsBytes()
	if !ok || len(b) != n {
		return problem(WrongType)
	}
	for _, c := range b {
		if c != 0 {
			return Problem{}
		}
	}
	return problem(OutOfBounds)
}

// unless is the problem c, or none if all is well.
func unless(well bool, c ProblemCode) Problem {
	if well {
		return Problem{}
	}
	return problem(c)
}

func (p Problem) or(q Problem) Problem {
	if !p.OK() {
		return p
	}
	return q
}
