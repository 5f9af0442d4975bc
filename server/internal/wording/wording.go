// Package wording says what values of a record mean, in English and for people: on the
// pages of the desk and on what is sent to other systems, a code is its label, a time is
// that of the borough, and a reference is the name of what it leads to.
//
// Whether the reader may know a name is asked by whoever gives Writer its Ref.
package wording

import (
	"strconv"
	"strings"
	"time"

	"doorstep/syncproto"
	"doorstep/syncproto/cbor"
	"doorstep/syncproto/clocks"
	"doorstep/syncproto/schema"
)

// Writer writes values for one reader.
type Writer struct {
	Zone *time.Location
	// Ref names what a reference leads to, by its field; empty for nothing.
	Ref func(f *schema.Field, to syncproto.ID) string
}

// Value writes a value of a field; empty for none.
func (w *Writer) Value(f *schema.Field, v cbor.Value) string {
	if v.IsNull() {
		return ""
	}
	text, _ := v.AsText()
	switch f.Type {
	case schema.TypeCode:
		return Code(f, text)
	case schema.TypeTime:
		if ms, ok := v.AsInt(); ok {
			return w.Moment(ms)
		}
	case schema.TypeDate:
		return Date(text)
	case schema.TypeRef:
		return w.ref(f, v)
	case schema.TypeStruct:
		return w.Struct(f, v)
	case schema.TypeHash:
		return "An attachment"
	}
	return Plain(v)
}

// Moment writes a time, in Unix milliseconds, to the minute.
func (w *Writer) Moment(ms int64) string {
	return time.UnixMilli(ms).In(w.Zone).Format("2 January 2006, 15:04")
}

// Struct writes the parts of a value, each with its label.
func (w *Writer) Struct(f *schema.Field, v cbor.Value) string {
	var out []string
	for i := range f.Sub {
		part, _ := v.Get(f.Sub[i].ID)
		if said := w.Value(&f.Sub[i], part); said != "" {
			out = append(out, Labelled(f, &f.Sub[i], said))
		}
	}
	return strings.Join(out, "; ")
}

func (w *Writer) ref(f *schema.Field, v cbor.Value) string {
	id, ok := v.AsBytes()
	if !ok || len(id) != len(syncproto.ID{}) {
		return ""
	}
	return w.Ref(f, syncproto.ID(id))
}

// Code is the label of a code of a field; one that the field does not know is itself.
func Code(f *schema.Field, code string) string {
	for _, c := range f.Codes.All() {
		if c.Code == code {
			return c.Label
		}
	}
	return code
}

// Date writes an ISO 8601 date as people do; what is none is itself.
func Date(iso string) string {
	if d, ok := clocks.ParseDay(iso); ok {
		return d.String()
	}
	return iso
}

// Plain writes what needs no field to be understood.
func Plain(v cbor.Value) string {
	if b, ok := v.AsBool(); ok {
		if b {
			return "Yes"
		}
		return "No"
	}
	if i, ok := v.AsInt(); ok {
		return strconv.FormatInt(i, 10)
	}
	text, _ := v.AsText()
	return text
}

// Label is what people call a field.
func Label(f *schema.Field) string {
	if f.Hint.Label == "" {
		return f.ID
	}
	return f.Hint.Label
}

// Labelled puts a part's label before its words, unless it would only repeat the whole's.
func Labelled(f, sub *schema.Field, words string) string {
	if sub.Hint.Label == "" || sub.Hint.Label == f.Hint.Label {
		return words
	}
	return sub.Hint.Label + ": " + words
}
