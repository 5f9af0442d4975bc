package wording_test

import (
	"testing"
	"time"

	"doorstep/server/internal/wording"
	"doorstep/syncproto"
	"doorstep/syncproto/cbor"
	"doorstep/syncproto/schema"
)

// Every type of value is said as people say it, and a value of another type than its
// field's is said as it is.
func TestValuesAreSaidForPeople(t *testing.T) {
	zone, err := time.LoadLocation("Europe/London")
	if err != nil {
		t.Fatal(err)
	}
	visit, _ := schema.Newest("visit")
	place, _ := visit.Field("place")
	part := schema.Field{ID: "of", Type: schema.TypeStruct, Hint: schema.Hint{Label: "Scale"}, Sub: []schema.Field{
		{ID: "score", Type: schema.TypeInt, Hint: schema.Hint{Label: "Scale"}}, {ID: "on", Type: schema.TypeDate, Hint: schema.Hint{Label: "Day"}},
		{ID: "why", Type: schema.TypeLine, Hint: schema.Hint{Label: "Why"}}}}
	person := syncproto.ID{7}
	w := wording.Writer{Zone: zone, Ref: func(f *schema.Field, to syncproto.ID) string {
		if f.RefKind == "user" && to == person {
			return "Amina Begum"
		}
		return ""
	}}
	for name, c := range map[string]struct {
		field *schema.Field
		value cbor.Value
		want  string
	}{
		"nothing":            {place, cbor.Null(), ""},
		"code":               {place, cbor.Text("HOME"), "Family home"},
		"code from later":    {place, cbor.Text("MOON"), "MOON"},
		"summer time":        {&schema.Field{Type: schema.TypeTime}, cbor.Int(1_780_000_000_000), "28 May 2026, 21:26"},
		"time that is none":  {&schema.Field{Type: schema.TypeTime}, cbor.Text("noon"), "noon"},
		"date":               {&schema.Field{Type: schema.TypeDate}, cbor.Text("2026-05-03"), "3 May 2026"},
		"date that is none":  {&schema.Field{Type: schema.TypeDate}, cbor.Text("soon"), "soon"},
		"yes":                {&schema.Field{Type: schema.TypeBool}, cbor.Bool(true), "Yes"},
		"no":                 {&schema.Field{Type: schema.TypeBool}, cbor.Bool(false), "No"},
		"number":             {&schema.Field{Type: schema.TypeInt}, cbor.Int(-3), "-3"},
		"colleague":          {&schema.Field{Type: schema.TypeRef, RefKind: "user"}, cbor.Bytes(person[:]), "Amina Begum"},
		"reference cut off":  {&schema.Field{Type: schema.TypeRef, RefKind: "user"}, cbor.Bytes(person[:3]), ""},
		"parts, some absent": {&part, cbor.Map(cbor.Pair{Key: "score", Value: cbor.Int(4)}, cbor.Pair{Key: "on", Value: cbor.Text("2026-05-03")}), "4; Day: 3 May 2026"},
	} {
		if got := w.Value(c.field, c.value); got != c.want {
			t.Errorf("%s: got %q, want %q", name, got, c.want)
		}
	}
}
