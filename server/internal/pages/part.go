package pages

import (
	"slices"
	"strings"

	"doorstep/server/internal/finalise"
	"doorstep/server/internal/wording"
	"doorstep/syncproto"
	"doorstep/syncproto/cbor"
	"doorstep/syncproto/schema"
)

// partView is one record on the page of its group.
type partView struct {
	Anchor    string
	Heading   string // empty for the whole, which the page is headed by
	Href      string
	Sections  []section
	Conflicts []conflictView
	Overlaps  []overlapView
	Queries   []queryView
	TypedUp   string // whose words it is, and from what
	Word      string // of the author: whether it stands
	Acts      []linkTo
	Addenda   []addendumView
}

// section is a heading of the form with its fields.
type section struct {
	Heading string
	Rows    []row
}

// row is a field with what it says.
type row struct {
	Anchor, Label string
	Lines         []line
	Disputed      bool // people differ: what stands is only meanwhile
	Acts          []linkTo
}

// linkTo leads somewhere. About is said to who cannot see what it stands beside.
type linkTo struct{ Text, About, Href string }

// line is one value, entry or person's words.
type line struct {
	Text     string
	By       string // who said it; empty where the page says so elsewhere
	Verbatim bool
	Prose    bool
	Gone     string // removed, and why
}

func (s *speaker) partTitle(part *finalise.Standpoint) string {
	if f, ok := part.View.Field("child"); ok {
		if id, ok := f.Value.AsBytes(); ok && len(id) == len(syncproto.RecordID{}) {
			if name := s.title(syncproto.RecordID(id)); name != "" {
				return name
			}
		}
	}
	return s.title(part.View.Record)
}

func (s *speaker) part(part *finalise.Standpoint, past *past, whole bool) partView {
	v := part.View
	out := partView{Anchor: anchor(v.Record, ""), Href: to(v.Record), Sections: s.sections(part),
		TypedUp: s.typedUp(v), Word: s.word(part)}
	if part.Typing {
		out.Acts = append(out.Acts, linkTo{Text: "Fill in what the notes say", About: s.partTitle(part), Href: link(v.Record, "fill", syncproto.Path{})})
	}
	if part.Acts.Addendum {
		out.Acts = []linkTo{{Text: "Add to it", About: s.partTitle(part), Href: link(v.Record, "addendum", syncproto.Path{})},
			{Text: "Somebody challenges it", About: s.partTitle(part), Href: link(v.Record, "rectify", syncproto.Path{})}}
	}
	if !whole {
		out.Heading = s.partTitle(part)
	}
	for i := range v.Conflicts {
		out.Conflicts = append(out.Conflicts, s.conflict(part, &v.Conflicts[i], past))
	}
	for i := range v.Overlaps {
		out.Overlaps = append(out.Overlaps, s.overlap(part, &v.Overlaps[i]))
	}
	for i := range v.Workflow.Queries {
		out.Queries = append(out.Queries, s.query(part, &v.Workflow.Queries[i]))
	}
	for i := range v.Addenda {
		out.Addenda = append(out.Addenda, s.addendum(part, &v.Addenda[i], past))
	}
	return out
}

// word says whether the author stands by the record.
func (s *speaker) word(part *finalise.Standpoint) string {
	confirmed := part.View.Workflow.Confirmed
	for i := len(confirmed) - 1; i >= 0; i-- {
		if confirmed[i].Stands {
			return s.confirmedBy(confirmed)
		}
	}
	switch {
	case !part.Kind.NeedsConfirmation:
		return ""
	case len(confirmed) > 0:
		return "It was changed after its author confirmed it, and must be confirmed again."
	}
	return "Its author has not confirmed it yet."
}

// confirmedBy names everybody whose word stands, and who stood in for whom.
func (s *speaker) confirmedBy(list []syncproto.Confirmation) string {
	var said []string
	for _, c := range list {
		if !c.Stands {
			continue
		}
		words := s.person(c.By.Author) + " on " + s.Moment(c.By.TimeMS)
		if !c.For.IsZero() {
			words = s.person(c.By.Author) + " in the place of " + s.person(c.For) + " on " + s.Moment(c.By.TimeMS) + " (" + c.Reason + ")"
		}
		said = append(said, words)
	}
	return "Confirmed by " + strings.Join(said, ", and by ")
}

// typedUp says whose words were typed up, by whom and from what.
func (s *speaker) typedUp(v *syncproto.View) string {
	var said []string
	for _, t := range v.Workflow.TypedUp {
		words := "Typed up by " + s.person(t.By.Author) + " for " + s.person(t.For) + " on " + s.Moment(t.By.TimeMS)
		if how := capture(t.By.Capture); how != "" {
			words += ", " + how
		}
		said = append(said, words+". From: "+t.Source)
	}
	return strings.Join(said, " ")
}

// sections lists what is filled in, in the order of the form.
func (s *speaker) sections(part *finalise.Standpoint) []section {
	fields := make([]*schema.Field, 0, len(part.Kind.Fields))
	for i := range part.Kind.Fields {
		fields = append(fields, &part.Kind.Fields[i])
	}
	slices.SortStableFunc(fields, func(a, b *schema.Field) int { return a.Hint.Order - b.Hint.Order })
	var out []section
	for _, f := range fields {
		if f.ID == part.Kind.Part {
			continue // the visit itself, which the page shows
		}
		r, ok := s.row(part, f)
		if !ok {
			continue
		}
		if len(out) == 0 || out[len(out)-1].Heading != f.Hint.Section {
			out = append(out, section{Heading: f.Hint.Section})
		}
		last := &out[len(out)-1]
		last.Rows = append(last.Rows, r)
	}
	return out
}

// row is a field with something in it, or with a disagreement about it.
func (s *speaker) row(part *finalise.Standpoint, f *schema.Field) (row, bool) {
	v := part.View
	r := row{Anchor: anchor(v.Record, f.ID), Label: f.Hint.Label}
	r.Disputed = slices.ContainsFunc(v.Conflicts, func(c syncproto.Conflict) bool { return c.Path.Field == f.ID })
	fv, _ := v.Field(f.ID)
	r.Lines = s.lines(f, &fv)
	r.Acts = fieldActs(part, f)
	if part.Typing && listed(f) {
		r.Acts = append(r.Acts, linkTo{Text: "Fill in", About: f.Hint.Label, Href: link(v.Record, "entries", syncproto.Path{Field: f.ID})})
	}
	kept := part.Typing || f.Label == schema.Admin && asks(f) && (part.Edits[syncproto.Path{Field: f.ID}] || part.Corrects[syncproto.Path{Field: f.ID}])
	return r, len(r.Lines) > 0 || r.Disputed || f.Required || kept
}

// fieldActs are the steps that the caller may take about one field.
func fieldActs(part *finalise.Standpoint, f *schema.Field) []linkTo {
	var out []linkTo
	path := syncproto.Path{Field: f.ID}
	add := func(may bool, act, text string) {
		if may {
			out = append(out, linkTo{Text: text, About: f.Hint.Label, Href: link(part.View.Record, act, path)})
		}
	}
	add(part.Edits[path] && asks(f), "edit", "Change")
	add(part.Acts.Query && proposable(part, path), "propose", "Propose")
	add(part.Acts.Query && f.Rule != schema.Derived, "query", "Ask")
	add(part.Corrects[path] && asks(f), "correct", "Correct")
	return out
}

func (s *speaker) lines(f *schema.Field, fv *syncproto.FieldView) []line {
	var out []line
	if fv.Text != "" {
		out = append(out, line{Text: fv.Text, Prose: true})
	}
	if said := s.Value(f, fv.Value); said != "" {
		out = append(out, line{Text: said, Prose: f.Hint.Long})
	}
	for i := range fv.Slots {
		if said := s.slot(f, &fv.Slots[i]); said != "" {
			out = append(out, line{Text: said, By: s.person(fv.Slots[i].By.Author), Prose: f.IsProse()})
		}
	}
	for i := range fv.Items {
		out = append(out, s.item(f, &fv.Items[i]))
	}
	return out
}

func (s *speaker) slot(f *schema.Field, slot *syncproto.Slot) string {
	if slot.Text != "" {
		return slot.Text
	}
	return s.Value(f, slot.Value)
}

// item is one entry of a collection.
func (s *speaker) item(f *schema.Field, e *syncproto.Element) line {
	out := line{By: s.person(e.By.Author), Verbatim: f.Label == schema.Verbatim}
	for i := range f.Sub {
		part, _ := e.Field(f.Sub[i].ID)
		said := s.Value(&f.Sub[i], part.Value)
		if part.Text != "" {
			said = part.Text
		}
		if said == "" {
			continue
		}
		if out.Text != "" {
			out.Text += "; "
		}
		if f.Sub[i].Hint.Label != f.Hint.Label {
			out.Text += f.Sub[i].Hint.Label + ": "
		}
		out.Text += said
	}
	if e.Removed != nil {
		out.Gone = "Taken out by " + s.person(e.Removed.By.Author) + ": " + e.Removed.Reason
		if e.InForce {
			out.Gone += " It stands until that is decided."
		}
	}
	return out
}

// fieldValue writes any value at a path of a kind.
func (s *speaker) fieldValue(kind *schema.Kind, path syncproto.Path, v cbor.Value) string {
	whole, ok := kind.Field(path.Field)
	if !ok {
		return wording.Plain(v)
	}
	if whole.IsCollection() && path.Sub == "" {
		if gone, ok := v.AsBool(); ok {
			if gone {
				return "It is taken out"
			}
			return "It stays"
		}
		return s.Struct(whole, v)
	}
	f, ok := kind.At(path.Field, path.Sub)
	if !ok {
		return wording.Plain(v)
	}
	return s.Value(f, v)
}
