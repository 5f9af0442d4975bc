package delivery

import (
	"encoding/hex"
	"slices"
	"strings"
	"time"

	"doorstep/server/internal/finalise"
	"doorstep/server/internal/wording"
	"doorstep/syncproto"
	"doorstep/syncproto/cbor"
	"doorstep/syncproto/schema"
)

// writer writes what a record says, for another system and for people.
type writer struct {
	wording.Writer
	state stateOf
	view  func(syncproto.RecordID) (*syncproto.View, error)
}

func (s *Service) writer() *writer {
	w := &writer{state: s.cfg.Store.State(), view: s.cfg.Store.View}
	w.Writer = wording.Writer{Zone: s.cfg.Zone, Ref: w.named}
	return w
}

func (w *writer) person(id syncproto.UserID) Person {
	u, _ := w.state.User(id)
	return Person{ID: id.String(), Login: u.Login, Name: u.Name}
}

func (w *writer) signed(id syncproto.UserID, ms int64) Signed {
	return Signed{Who: w.person(id), At: instant(ms)}
}

// title is what people call a record: its kind, and the day of a visit.
func (w *writer) title(kind *schema.Kind, v *syncproto.View) string {
	out := kind.Name
	if out != "" {
		out = strings.ToUpper(out[:1]) + out[1:]
	}
	if f, ok := kind.Field("visit_type"); ok {
		if said := w.Value(f, v.Settled("visit_type")); said != "" {
			out = said + " visit"
		}
	}
	if ms, ok := v.Settled("start").AsInt(); ok && v.Kind == "visit" {
		out += " of " + time.UnixMilli(ms).In(w.Zone).Format("2 January 2006")
	}
	return out
}

// child is whose file a record belongs on; nil: the family's.
func (w *writer) child(v *syncproto.View) *File {
	id, ok := recordIn(v.Settled("child"))
	if !ok {
		return nil
	}
	out := &File{Record: id.String()}
	if p, err := w.view(id); err == nil {
		out.Name, out.LAChildID, out.UPN = textIn(p, "names"), textIn(p, "la_child_id"), textIn(p, "upn")
		out.NHSNumber, out.Born = textIn(p, "nhs_no"), textIn(p, "dob")
	}
	return out
}

// group names what a record was made final with.
func (w *writer) group(kind *schema.Kind, v *syncproto.View, seal *syncproto.Seal) (partOf string, parts []string) {
	if kind.Part != "" {
		if id, ok := recordIn(v.Settled(kind.Part)); ok {
			partOf = id.String()
		}
		return partOf, nil
	}
	for _, h := range seal.Group {
		if h.Record != v.Record {
			parts = append(parts, h.Record.String())
		}
	}
	return "", parts
}

// fields are what is filled in, in the order of the form.
func (w *writer) fields(kind *schema.Kind, v *syncproto.View) []Field {
	order := make([]*schema.Field, 0, len(kind.Fields))
	for i := range kind.Fields {
		order = append(order, &kind.Fields[i])
	}
	slices.SortStableFunc(order, func(a, b *schema.Field) int { return a.Hint.Order - b.Hint.Order })
	out := []Field{}
	for _, f := range order {
		fv, ok := v.Field(f.ID)
		if !ok || f.ID == kind.Part {
			continue
		}
		if said := w.said(f, &fv); len(said) > 0 {
			out = append(out, Field{ID: f.ID, Label: wording.Label(f), Section: f.Hint.Section, Said: said})
		}
	}
	return out
}

// said is everything that a field holds.
func (w *writer) said(f *schema.Field, fv *syncproto.FieldView) (out []Said) {
	if fv.Text != "" {
		out = append(out, Said{Value: fv.Text, Words: fv.Text})
	}
	if words := w.Value(f, fv.Value); words != "" {
		out = append(out, w.by(Said{Value: plain(fv.Value), Words: words}, fv.By))
	}
	for i := range fv.Slots {
		one := &fv.Slots[i]
		if one.Text != "" {
			out = append(out, w.by(Said{Value: one.Text, Words: one.Text}, one.By))
		} else if words := w.Value(f, one.Value); words != "" {
			out = append(out, w.by(Said{Value: plain(one.Value), Words: words}, one.By))
		}
	}
	for i := range fv.Items {
		out = append(out, w.entry(f, &fv.Items[i]))
	}
	return out
}

// entry is one entry of a list.
func (w *writer) entry(f *schema.Field, e *syncproto.Element) Said {
	value := map[string]any{"element": e.Element.String()}
	var words []string
	for i := range f.Sub {
		sub := &f.Sub[i]
		part, _ := e.Field(sub.ID)
		if part.Text != "" {
			value[sub.ID] = part.Text
			words = append(words, wording.Labelled(f, sub, part.Text))
		} else if said := w.Value(sub, part.Value); said != "" {
			value[sub.ID] = plain(part.Value)
			words = append(words, wording.Labelled(f, sub, said))
		}
	}
	out := w.by(Said{Value: value, Words: strings.Join(words, "; ")}, e.By)
	if e.Removed != nil {
		out.Removed = e.Removed.Reason
		if e.InForce {
			out.Removed += " (it stands until that is decided)"
		}
	}
	return out
}

// by adds who wrote something; what the server worked out nobody wrote.
func (w *writer) by(s Said, o syncproto.Origin) Said {
	if o.Author.IsZero() {
		return s
	}
	who := w.person(o.Author)
	s.Who, s.At, s.Capture = &who, instant(o.TimeMS), o.Capture.String()
	return s
}

// named names what a reference leads to: colleagues and people of the family, nothing
// else of other records.
func (w *writer) named(f *schema.Field, id syncproto.ID) string {
	switch f.RefKind {
	case "user":
		return w.person(syncproto.UserID(id)).Name
	case "person":
		if p, err := w.view(syncproto.RecordID(id)); err == nil {
			return textIn(p, "names")
		}
	}
	if k, isKind := schema.Newest(f.RefKind); isKind {
		return "Another record: " + k.Name
	}
	return "An entry of the record"
}

// afterwards is what was added after the seal.
func (w *writer) afterwards(kind *schema.Kind, sealed *syncproto.View, a *after) Afterwards {
	out := Afterwards{Change: a.change, Received: instant(a.receivedMS), Who: w.person(a.By.Author), Text: a.Text, Reason: a.Reason}
	if a.TimeMS != 0 {
		out.Happened = instant(a.TimeMS)
	}
	switch a.change {
	case ChangeCorrection:
		op := &a.Ops[0]
		out.Field, out.Label, out.Old, out.New = pathWords(op.Path), op.Path.Field, w.at(kind, op.Path, op.Old), w.at(kind, op.Path, op.Value)
		if f, ok := kind.At(op.Path.Field, op.Path.Sub); ok {
			out.Label = wording.Label(f)
		}
	case ChangeRectification:
		who, upheld, _ := finalise.Rectification(a.Reason)
		out.Reason, out.Upheld = "Challenged by "+who, &upheld
	case ChangeLateEntry:
		out.Reason, out.Who = "", w.person(a.late.By.Author)
		out.Happened, out.Wrote = instant(a.late.By.TimeMS), w.wrote(kind, a.late.Ops)
	}
	return out
}

// pathWords writes where something stands: field, element and part, with dots.
func pathWords(p syncproto.Path) string {
	out := p.Field
	if !p.Element.IsZero() {
		out += "." + p.Element.String()
	}
	if p.Sub != "" {
		out += "." + p.Sub
	}
	return out
}

// at writes a value that stands, or stood, at a path; nil for none.
func (w *writer) at(kind *schema.Kind, path syncproto.Path, v cbor.Value) *Said {
	f, ok := kind.At(path.Field, path.Sub)
	if !ok || v.IsNull() {
		return nil
	}
	return &Said{Value: plain(v), Words: w.Value(f, v)}
}

// wrote is what a late change sets and adds.
func (w *writer) wrote(kind *schema.Kind, ops []syncproto.Op) (out []Field) {
	for i := range ops {
		op := &ops[i]
		f, ok := kind.At(op.Path.Field, op.Path.Sub)
		if !ok {
			continue
		}
		one := Field{ID: pathWords(op.Path), Label: wording.Label(f)}
		if words := w.Value(f, op.Value); words != "" {
			one.Said = append(one.Said, Said{Value: plain(op.Value), Words: words})
		}
		for _, s := range op.Splices {
			if s.Ins != "" {
				one.Said = append(one.Said, Said{Value: s.Ins, Words: s.Ins})
			}
		}
		if len(one.Said) > 0 {
			out = append(out, one)
		}
	}
	return out
}

// plain is a value as JSON: ids and hashes in hex, times in milliseconds.
func plain(v cbor.Value) any {
	if b, ok := v.AsBool(); ok {
		return b
	}
	if i, ok := v.AsInt(); ok {
		return i
	}
	if s, ok := v.AsText(); ok {
		return s
	}
	if b, ok := v.AsBytes(); ok {
		return hex.EncodeToString(b)
	}
	if list, ok := v.AsList(); ok {
		out := make([]any, 0, len(list))
		for _, item := range list {
			out = append(out, plain(item))
		}
		return out
	}
	if pairs, ok := v.AsMap(); ok {
		out := make(map[string]any, len(pairs))
		for _, pair := range pairs {
			out[pair.Key] = plain(pair.Value)
		}
		return out
	}
	return nil
}

func textIn(v *syncproto.View, field string) string {
	f, _ := v.Field(field)
	s, _ := f.Value.AsText()
	return s
}

func recordIn(v cbor.Value) (syncproto.RecordID, bool) {
	b, ok := v.AsBytes()
	if !ok || len(b) != len(syncproto.RecordID{}) {
		return syncproto.RecordID{}, false
	}
	return syncproto.RecordID(b), true
}
