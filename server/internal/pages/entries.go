package pages

import (
	"cmp"
	"context"
	"slices"
	"strconv"
	"strings"

	"doorstep/server/internal/finalise"
	"doorstep/syncproto"
	"doorstep/syncproto/cbor"
	"doorstep/syncproto/schema"
)

// mostRows bounds how many new entries one form asks for.
const mostRows = 40

// entriesAct asks for the entries of one list of a record that is typed up: those that it
// has, to change or to take out, and empty rows for new ones, as many as are asked for.
func entriesAct(p *Pages) act {
	return act{path: "entries", id: "deskEntries", done: "filled",
		may:   func(s *sight) bool { return s.part.Typing && s.field != nil && listed(s.field) },
		again: func(s *sight) bool { return s.Form.Has("more") },
		form: func(s *sight) formPage {
			in := formPage{Heading: s.what(), Hidden: []pair{s.seen(), {"rows", strconv.Itoa(s.rows())}}, Submit: "Save",
				Note: strings.TrimSpace(s.say.typedUp(s.part.View) + " " + s.field.Hint.Help)}
			if s.field.Rule == schema.Log {
				in.About = s.about()
			} else {
				in.Groups = s.begun()
			}
			for i := range s.rows() {
				in.Groups = append(in.Groups, group{Legend: "Entry " + strconv.Itoa(len(in.About)+len(in.Groups)+1), Fields: s.entry(newRow(i), cbor.Null())})
			}
			if s.several() && s.rows() < mostRows {
				in.More = "Another entry"
			}
			return in
		},
		do: func(ctx context.Context, s *sight) error {
			if s.field == nil {
				return syncproto.CodeUnknownField
			}
			in := finalise.Enter{Record: s.part.View.Record, Field: s.field.ID}
			var err error
			if in.Entries, err = s.entries(); err != nil {
				return err
			}
			if in.Seen, err = readHeads(s.Form.Get("seen")); err == nil {
				_, err = p.cfg.Workflow.Enter(ctx, s.worker(), in)
			}
			return err
		}}
}

// listed reports whether a field has entries that a typist writes: a list, or a part of
// several answers for each person.
func listed(f *schema.Field) bool { return len(f.Sub) > 0 && finalise.Typable(f) }

// several reports whether the field of the form may have more entries than one.
func (s *sight) several() bool { return s.field.SlotOf != schema.SlotAuthor }

// rows is how many new entries the form asks for.
func (s *sight) rows() int {
	if !s.several() {
		return 1 - min(1, len(s.begun()))
	}
	rows, err := strconv.Atoi(s.Form.Get("rows"))
	if err != nil {
		rows = 1
	}
	if s.Form.Has("more") {
		rows++
	}
	return min(max(rows, 1), mostRows)
}

// newRow and oldRow begin the names by which a form asks for the parts of an entry.
func newRow(i int) string { return "n" + strconv.Itoa(i) + "-" }

func oldRow[ID interface{ String() string }](element ID) string { return "e" + element.String() + "-" }

// begun are the entries that the field has.
func (s *sight) begun() []group {
	fv, _ := s.part.View.Field(s.field.ID)
	var out []group
	add := func(element syncproto.ElementID, value cbor.Value) {
		g := group{Legend: "Entry " + strconv.Itoa(len(out)+1), Hidden: []pair{{"entry", element.String()}}, Fields: s.entry(oldRow(element), value)}
		if s.several() {
			g.Fields = append(g.Fields, lineOf(s, oldRow(element)+"out", "To take this entry out, say why", ""))
		}
		out = append(out, g)
	}
	for i := range fv.Slots {
		if !fv.Slots[i].Value.IsNull() {
			add(fv.Slots[i].Slot, fv.Slots[i].Value)
		}
	}
	for i := range fv.Items {
		if e := &fv.Items[i]; e.Removed == nil {
			add(e.Element, s.partsOf(e))
		}
	}
	return out
}

// partsOf is an entry as one value.
func (s *sight) partsOf(e *syncproto.Element) cbor.Value {
	var pairs []cbor.Pair
	for i := range s.field.Sub {
		part, _ := e.Field(s.field.Sub[i].ID)
		pairs = append(pairs, cbor.Pair{Key: s.field.Sub[i].ID, Value: wordsOf(part.Value, part.Text)})
	}
	return cbor.Map(pairs...)
}

// entry asks for the parts of one entry.
func (s *sight) entry(row string, now cbor.Value) []control {
	var out []control
	for i := range s.field.Sub {
		f := &s.field.Sub[i]
		if !fillable(f) {
			continue
		}
		part, said := now.Get(f.ID)
		if !said {
			part = cbor.Null()
		}
		asked := s.inquire(f, row+f.ID, part)
		if asked.Kind == "textarea" {
			asked.Rows = 3
		}
		out = append(out, asked)
	}
	return out
}

// entries reads what a form says of each entry; rows that were left empty say nothing.
func (s *sight) entries() ([]finalise.Entry, error) {
	var out []finalise.Entry
	for _, said := range s.Form["entry"] {
		id, err := syncproto.ParseID(said)
		if err != nil {
			return nil, syncproto.CodeBadID
		}
		e := finalise.Entry{Element: syncproto.ElementID(id), Out: strings.TrimSpace(s.Form.Get(oldRow(id) + "out"))}
		empty := false
		if e.Value, empty, err = s.readEntry(oldRow(id)); err != nil {
			return nil, err
		}
		if empty && e.Out == "" && s.field.Rule == schema.Own {
			e.Out = "emptied"
		}
		out = append(out, e)
	}
	for i := range s.rows() {
		value, empty, err := s.readEntry(newRow(i))
		if err != nil {
			return nil, err
		}
		if !empty {
			out = append(out, finalise.Entry{Value: value})
		}
	}
	return out, nil
}

func (s *sight) readEntry(row string) (value cbor.Value, empty bool, err error) {
	var parts []cbor.Pair
	for i := range s.field.Sub {
		f := &s.field.Sub[i]
		if !fillable(f) {
			continue
		}
		v, err := s.pages.readTyped(f, s.Form.Get(row+f.ID))
		if err != nil {
			return v, false, err
		}
		if text, is := v.AsText(); !v.IsNull() && (!is || strings.TrimSpace(text) != "") {
			parts = append(parts, cbor.Pair{Key: f.ID, Value: v})
		}
	}
	return cbor.Map(parts...), len(parts) == 0, nil
}

// choices looks up what the fields of a form may name: the workers who could have been
// there, and of the family's people, records and entries those that the person may read.
func (s *sight) choices(ctx context.Context) error {
	s.named = map[string][]option{}
	for _, f := range s.asksAbout() {
		if _, known := s.named[f.RefKind]; known || f.Type != schema.TypeRef {
			continue
		}
		var err error
		if s.named[f.RefKind], err = s.nameable(ctx, f.RefKind); err != nil {
			return err
		}
	}
	return nil
}

// asksAbout are the fields, or the parts of entries, that the form may ask for.
func (s *sight) asksAbout() (out []*schema.Field) {
	several := s.part.Kind.Fields
	switch {
	case s.field != nil && len(s.field.Sub) > 0:
		several = s.field.Sub
	case s.field != nil:
		return []*schema.Field{s.field}
	case !s.part.Typing:
		if q, ok := s.question(); ok {
			if f, ok := s.part.Kind.At(q.Path.Field, q.Path.Sub); ok {
				return []*schema.Field{f}
			}
		}
		return nil
	}
	for i := range several {
		out = append(out, &several[i])
	}
	return out
}

// nameable is what a reference may lead to: a worker, a record of a kind, or an entry of
// the lists of that name.
func (s *sight) nameable(ctx context.Context, what string) ([]option, error) {
	if what == "user" {
		return s.team(ctx), nil
	}
	records, err := s.pages.cfg.Records.FamilyRecords(ctx, s.User, s.st.Family)
	if err != nil {
		return nil, err
	}
	var out []option
	_, isKind := schema.Newest(what)
	for _, r := range records {
		if !isKind {
			more, err := s.say.entriesOf(ctx, r.ID, r.Kind, what)
			if err != nil {
				return nil, err
			}
			out = append(out, more...)
		} else if r.Kind == what && r.ID != s.part.View.Record {
			out = append(out, option{Value: r.ID.String(), Text: s.say.title(r.ID)})
		}
	}
	return slices.DeleteFunc(out, func(o option) bool { return o.Text == "" }), nil
}

// team are the workers whose words the record could be, and those whom the typist works
// with, by name.
func (s *sight) team(ctx context.Context) (out []option) {
	people := s.pages.cfg.Records.Colleagues(s.User)
	for _, b := range s.pages.cfg.Workflow.Beginnings(ctx, s.worker(), s.st.Family) {
		if b.Kind.ID == s.st.Kind {
			people = append(people, b.For...)
		}
	}
	known := map[syncproto.UserID]bool{}
	for _, user := range people {
		if !known[user] {
			out = append(out, option{Value: user.String(), Text: s.say.person(user)})
		}
		known[user] = true
	}
	slices.SortFunc(out, func(a, b option) int {
		return cmp.Or(strings.Compare(a.Text, b.Text), strings.Compare(a.Value, b.Value))
	})
	return out
}

// longestName is how much of an entry names it, in characters.
const longestName = 100

// entriesOf names the entries that a record has in a list, by what they say.
func (s *speaker) entriesOf(ctx context.Context, record syncproto.RecordID, kindID, list string) ([]option, error) {
	kind, ok := schema.Newest(kindID)
	if !ok {
		return nil, nil
	}
	f, ok := kind.Field(list)
	if !ok || !f.IsCollection() {
		return nil, nil
	}
	v, err := s.pages.cfg.Records.Record(ctx, s.user, record)
	if err != nil {
		return nil, err
	}
	var out []option
	fv, _ := v.Field(list)
	for i := range fv.Items {
		name := []rune(s.item(f, &fv.Items[i]).Text)
		out = append(out, option{Value: fv.Items[i].Element.String(), Text: string(name[:min(len(name), longestName)])})
	}
	return out, nil
}
