package pages

import (
	"strconv"
	"strings"
	"time"

	"doorstep/syncproto"
	"doorstep/syncproto/cbor"
	"doorstep/syncproto/clocks"
	"doorstep/syncproto/schema"
)

// speaker writes values in words for one person, for the length of one page.
type speaker struct {
	pages  *Pages
	user   syncproto.UserID
	titles map[syncproto.RecordID]string
	names  map[syncproto.FamilyID]string
}

func (p *Pages) speaker(c *Call) *speaker {
	return &speaker{pages: p, user: c.User, titles: map[syncproto.RecordID]string{}, names: map[syncproto.FamilyID]string{}}
}

// value writes a value of a field; empty for none.
func (s *speaker) value(f *schema.Field, v cbor.Value) string {
	if v.IsNull() {
		return ""
	}
	switch f.Type {
	case schema.TypeCode:
		return codeWords(f, v)
	case schema.TypeTime:
		if ms, ok := v.AsInt(); ok {
			return s.moment(ms)
		}
	case schema.TypeDate:
		if text, ok := v.AsText(); ok {
			return dateWords(text)
		}
	case schema.TypeRef:
		return s.ref(f, v)
	case schema.TypeStruct:
		return s.structWords(f, v)
	case schema.TypeHash:
		return "An attachment"
	}
	return plainWords(v)
}

func codeWords(f *schema.Field, v cbor.Value) string {
	code, _ := v.AsText()
	for _, c := range f.Codes.All() {
		if c.Code == code {
			return c.Label
		}
	}
	return code
}

func dateWords(iso string) string {
	if d, ok := clocks.ParseDay(iso); ok {
		return d.String()
	}
	return iso
}

// plainWords writes what needs no field to be understood.
func plainWords(v cbor.Value) string {
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

// ref names what a reference leads to, as far as the person may know.
func (s *speaker) ref(f *schema.Field, v cbor.Value) string {
	id, ok := v.AsBytes()
	if !ok || len(id) != len(syncproto.RecordID{}) {
		return ""
	}
	if f.RefKind == "user" {
		return s.person(syncproto.UserID(id))
	}
	if _, isKind := schema.Newest(f.RefKind); !isKind {
		return "An entry of the record"
	}
	if name := s.title(syncproto.RecordID(id)); name != "" {
		return name
	}
	return "A record that you may not read"
}

func (s *speaker) structWords(f *schema.Field, v cbor.Value) string {
	var out []string
	for i := range f.Sub {
		part, _ := v.Get(f.Sub[i].ID)
		if said := s.value(&f.Sub[i], part); said != "" {
			out = append(out, f.Sub[i].Hint.Label+": "+said)
		}
	}
	return strings.Join(out, "; ")
}

// family is what a family is called; empty if the person may not know.
func (s *speaker) family(id syncproto.FamilyID) string {
	name, known := s.names[id]
	if !known {
		name = s.pages.cfg.Records.FamilyName(s.user, id)
		s.names[id] = name
	}
	return name
}

func (s *speaker) title(id syncproto.RecordID) string {
	name, known := s.titles[id]
	if !known {
		name = s.pages.cfg.Records.Title(s.user, id)
		s.titles[id] = name
	}
	return name
}

// person is somebody's name as colleagues see it.
func (s *speaker) person(id syncproto.UserID) string {
	switch name := s.pages.cfg.Records.Name(id); {
	case id.IsZero():
		return ""
	case name == "":
		return "Somebody who is not known here"
	default:
		return name
	}
}

// moment writes a time to the minute.
func (s *speaker) moment(ms int64) string {
	return time.UnixMilli(ms).In(s.pages.cfg.Zone).Format("2 January 2006, 15:04")
}

// device says where a change was written.
func (s *speaker) device(id syncproto.DeviceID) string {
	name, tablet := s.pages.cfg.Records.DeviceName(id)
	if !tablet {
		return "at the desk"
	}
	if name == "" {
		return "on a tablet"
	}
	return "on the tablet " + name
}

// label is what people call a path of a kind.
func label(kind *schema.Kind, path syncproto.Path) string {
	f, ok := kind.Field(path.Field)
	if !ok {
		return "The record"
	}
	if sub, ok := f.SubField(path.Sub); ok {
		return f.Hint.Label + ", " + sub.Hint.Label
	}
	if f.Hint.Label == "" {
		return f.ID
	}
	return f.Hint.Label
}

// capture says how words were taken, where it is not by typing.
func capture(m syncproto.CaptureMode) string {
	switch m {
	case syncproto.CaptureDictated:
		return "dictated"
	case syncproto.CaptureTranscribed:
		return "transcribed by a machine"
	case syncproto.CapturePen:
		return "by pen"
	case syncproto.CaptureImported:
		return "imported"
	}
	return ""
}
