package pages

import (
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"doorstep/server/internal/wording"
	"doorstep/syncproto"
	"doorstep/syncproto/cbor"
	"doorstep/syncproto/clocks"
	"doorstep/syncproto/schema"
)

// control is one question of a form. Kind is the component that asks it: input, textarea,
// choice (radio buttons), checks (checkboxes) or select.
type control struct {
	Kind                          string
	ID, Name, Label, Hint, Value  string
	Type, Autocomplete, InputMode string
	Rows                          int
	Items                         []option
	Error                         string
}

type option struct {
	Value, Text, Hint string
	Checked           bool
}

// mostRadios is how many answers are shown at once; more go into a list.
const mostRadios = 7

// words asks for some words.
func words(s *sight, name, label, hint string) control {
	return control{Kind: "textarea", ID: name, Name: name, Label: label, Hint: hint, Rows: 5, Value: s.Form.Get(name)}
}

// lineOf asks for one line.
func lineOf(s *sight, name, label, hint string) control {
	return control{Kind: "input", ID: name, Name: name, Label: label, Hint: hint, Type: "text", Value: s.Form.Get(name)}
}

// pick asks for one of some answers; the first is chosen unless another was.
func pick(s *sight, name, label, hint string, items []option) control {
	out := control{Kind: "choice", ID: name, Name: name, Label: label, Hint: hint, Items: items}
	if len(items) > mostRadios {
		out.Kind = "select"
	}
	if chosen := s.Form.Get(name); chosen != "" {
		for i := range items {
			items[i].Checked = items[i].Value == chosen
		}
	}
	return out
}

// asks reports whether a form can ask for a value of this type.
func asks(f *schema.Field) bool {
	switch f.Type {
	case schema.TypeStruct, schema.TypeHash:
		return false
	}
	return !f.IsCollection()
}

// value asks for a value of the field of the form, which says now what stands there.
func (s *sight) value(now cbor.Value) control {
	if s.field.Type == schema.TypeRef {
		return s.inquireWhich(s.field, "value", now)
	}
	return s.asking(s.field, "value", now)
}

// asked reports whether the form can ask for a value of its field: not which whole a part
// belongs to, by which it would leave the one for the other.
func (s *sight) asked() bool {
	return s.field != nil && asks(s.field) && s.path.Field != s.part.Kind.Part
}

// asking asks for a value of a field under a name of the form.
func (s *sight) asking(f *schema.Field, name string, now cbor.Value) control {
	out := control{Kind: "input", ID: name, Name: name, Label: f.Hint.Label, Hint: f.Hint.Help, Type: "text", Value: s.pages.typed(f, now)}
	if s.Form.Has(name) {
		out.Value = s.Form.Get(name)
	}
	switch f.Type {
	case schema.TypeCode, schema.TypeBool:
		out.Kind, out.Items = "choice", answers(f, out.Value)
		if len(out.Items) > mostRadios {
			out.Kind = "select"
		}
	case schema.TypeTime:
		out.Type = "datetime-local"
	case schema.TypeDate:
		out.Type = "date"
	case schema.TypeInt:
		out.InputMode = "numeric"
	case schema.TypeProse:
		out.Kind, out.Rows = "textarea", 12
	case schema.TypeLine:
		if f.Hint.Long {
			out.Kind, out.Rows = "textarea", 6
		}
	}
	return out
}

func answers(f *schema.Field, now string) []option {
	codes := f.Codes.All()
	if f.Type == schema.TypeBool {
		codes = []schema.Code{{Code: "true", Label: "Yes"}, {Code: "false", Label: "No"}}
	}
	var out []option
	for _, c := range codes {
		out = append(out, option{Value: c.Code, Text: c.Label, Checked: c.Code == now})
	}
	return out
}

const (
	typedMinute = "2006-01-02T15:04"
	typedDay    = time.DateOnly
)

// typed writes a value as a form holds it; readTyped undoes it.
func (p *Pages) typed(f *schema.Field, v cbor.Value) string {
	switch f.Type {
	case schema.TypeRef:
		if id, ok := v.AsBytes(); ok && len(id) == len(syncproto.ID{}) {
			return syncproto.ID(id).String()
		}
		return ""
	case schema.TypeTime:
		if ms, ok := v.AsInt(); ok {
			return time.UnixMilli(ms).In(p.cfg.Zone).Format(typedMinute)
		}
		return ""
	case schema.TypeBool:
		if b, ok := v.AsBool(); ok {
			return strconv.FormatBool(b)
		}
		return ""
	}
	return wording.Plain(v)
}

// readTyped reads the value of a form. It fails with CodeBadValue, or CodeBadID.
func (p *Pages) readTyped(f *schema.Field, said string) (cbor.Value, error) {
	if f.Type != schema.TypeProse && strings.TrimSpace(said) == "" {
		return cbor.Null(), nil
	}
	switch f.Type {
	case schema.TypeTime:
		at, err := time.ParseInLocation(typedMinute, said, p.cfg.Zone)
		if err != nil {
			return cbor.Value{}, syncproto.CodeBadValue
		}
		return cbor.Int(at.UnixMilli()), nil
	case schema.TypeDate:
		if _, ok := clocks.ParseDay(said); !ok {
			return cbor.Value{}, syncproto.CodeBadValue
		}
	case schema.TypeInt:
		n, err := strconv.ParseInt(strings.TrimSpace(said), 10, 64)
		if err != nil {
			return cbor.Value{}, syncproto.CodeBadValue
		}
		return cbor.Int(n), nil
	case schema.TypeBool:
		return cbor.Bool(said == "true"), nil
	case schema.TypeRef:
		id, err := syncproto.ParseID(said)
		if err != nil {
			return cbor.Value{}, syncproto.CodeBadID
		}
		return cbor.Bytes(id[:]), nil
	}
	return cbor.Text(said), nil
}

// now is what the record says at the path of a form.
func (s *sight) now() cbor.Value {
	f, _ := s.part.View.Field(s.path.Field)
	if s.path.Element.IsZero() {
		if f.Text != "" {
			return cbor.Text(f.Text)
		}
		return f.Value
	}
	i := slices.IndexFunc(f.Items, func(e syncproto.Element) bool { return e.Element == s.path.Element })
	if i < 0 {
		return cbor.Null()
	}
	sub, _ := f.Items[i].Field(s.path.Sub)
	return sub.Value
}

// pathQuery writes a path for an address.
func pathQuery(path syncproto.Path) url.Values {
	q := url.Values{}
	if path.Field != "" {
		q.Set("field", path.Field)
	}
	if !path.Element.IsZero() {
		q.Set("element", path.Element.String())
	}
	if path.Sub != "" {
		q.Set("sub", path.Sub)
	}
	return q
}

// link is the address of an act about a path of a record.
func link(record syncproto.RecordID, act string, path syncproto.Path) string {
	out := to(record) + "/" + act
	if q := pathQuery(path); len(q) > 0 {
		out += "?" + q.Encode()
	}
	return out
}

// headsText and readHeads carry a version in a form.
func headsText(heads []syncproto.ChangeID) string {
	var out []string
	for _, h := range heads {
		out = append(out, h.String())
	}
	return strings.Join(out, "-")
}

func readHeads(said string) ([]syncproto.ChangeID, error) {
	var out []syncproto.ChangeID
	for name := range strings.SplitSeq(said, "-") {
		id, err := syncproto.ParseChangeID(name)
		if err != nil || len(out) == syncproto.MaxDeps {
			return nil, syncproto.CodeBadID
		}
		out = append(out, id)
	}
	syncproto.SortChangeIDs(out)
	return out, nil
}

// seen is the version that a form was written on.
func (s *sight) seen() pair {
	if said := s.Form.Get("seen"); said != "" {
		return pair{"seen", said}
	}
	return pair{"seen", headsText(s.part.View.Heads)}
}
