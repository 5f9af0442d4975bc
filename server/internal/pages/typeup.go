package pages

import (
	"context"
	"errors"
	"strings"

	"doorstep/server/internal/finalise"
	"doorstep/syncproto"
	"doorstep/syncproto/cbor"
	"doorstep/syncproto/schema"
)

// sources are what a record is typed up from, and how the words were taken then.
var sources = []struct {
	capture syncproto.CaptureMode
	words   string
}{
	{syncproto.CaptureTyped, "A meeting, at which I took minutes"}, {syncproto.CapturePen, "Notes by hand"},
	{syncproto.CaptureDictated, "A dictation that I listened to"}, {syncproto.CaptureTranscribed, "A machine's transcript, which nobody has checked"},
}

// typeUp is the form that begins a record at the desk.
func (p *Pages) typeUp(ctx context.Context, c *Call) (Answer, error) {
	return p.askTypeUp(ctx, c, nil)
}

func (p *Pages) askTypeUp(ctx context.Context, c *Call, refused error) (Answer, error) {
	family, err := c.familyHere()
	if err != nil {
		return Answer{}, err
	}
	begins := p.cfg.Workflow.Beginnings(ctx, c.worker(), family)
	if len(begins) == 0 {
		return Answer{}, syncproto.CodeNotFound
	}
	s := &sight{Call: c, pages: p, say: p.speaker(c)}
	children, err := s.people(ctx, family)
	if err != nil {
		return Answer{}, err
	}
	in := formPage{Heading: "Type up: " + orElse(p.cfg.Records.FamilyName(c.User, family), "A family"), Action: familyAddress(family) + "/type-up",
		Back: familyAddress(family), BackText: "Back to the family", Submit: "Begin",
		Note:   "It is in the queue at once. It cannot be made final before the worker whose words they are has confirmed it.",
		Fields: s.typeUpFields(begins, children)}
	in.Token, in.Hidden = c.FormToken, []pair{{RequestName, c.Request}}
	page := shell{Title: in.Heading, Content: in}
	if refused != nil {
		page.Problems = []problem{{Text: plainly(refused), Href: "#source"}}
	}
	body, err := p.show(c, "form.html", page)
	return Answer{Body: body}, errors.Join(refused, err)
}

func (s *sight) typeUpFields(begins []finalise.Beginning, children []option) []control {
	var kinds, workers, from []option
	known := map[syncproto.UserID]bool{}
	parts := false
	for _, b := range begins {
		kinds = append(kinds, option{Value: b.Kind.ID, Text: sentence(b.Kind.Name)})
		parts = parts || len(b.Kind.Parts()) > 0
		for _, user := range b.For {
			if !known[user] {
				workers = append(workers, option{Value: user.String(), Text: s.say.person(user)})
			}
			known[user] = true
		}
	}
	for _, one := range sources {
		from = append(from, option{Value: one.capture.String(), Text: one.words})
	}
	out := []control{pick(s, "kind", "What it becomes", "", kinds), pick(s, "for", "Whose words they are", "They confirm it.", workers),
		pick(s, "capture", "What you type it up from", "", from),
		lineOf(s, "source", "Which", "So that it can be found again: \"Amina's notebook, 3 May\", \"voice message of 14:20\".")}
	if parts && len(children) > 0 {
		out = append(out, control{Kind: "checks", ID: "child", Name: "child", Label: "Of a visit: the children it was about", Items: chosen(children, s.Form["child"])})
	}
	return out
}

func chosen(items []option, values []string) []option {
	for i := range items {
		for _, v := range values {
			items[i].Checked = items[i].Checked || items[i].Value == v
		}
	}
	return items
}

// people lists the people of a family whom the caller may read.
func (s *sight) people(ctx context.Context, family syncproto.FamilyID) ([]option, error) {
	records, err := s.pages.cfg.Records.FamilyRecords(ctx, s.User, family)
	var out []option
	for _, r := range records {
		if name := ""; r.Kind == "person" {
			if name = s.say.title(r.ID); name != "" {
				out = append(out, option{Value: r.ID.String(), Text: name})
			}
		}
	}
	return out, err
}

func sentence(name string) string { return strings.ToUpper(name[:1]) + name[1:] }

// plainly is the first reason of a refusal, in plain words.
func plainly(err error) string {
	var refused *finalise.Refusal
	if errors.As(err, &refused) && len(refused.Reasons) > 0 {
		return refused.Reasons[0].Plain
	}
	return refusedFor(err, "")[0].Text
}

func (p *Pages) sendTypeUp(ctx context.Context, c *Call) (Answer, error) {
	family, err := c.familyHere()
	if err != nil {
		return Answer{}, err
	}
	in := finalise.TypeUp{Family: family, Kind: c.Form.Get("kind"), Source: c.Form.Get("source"), Capture: syncproto.CaptureImported} // which is refused
	for _, one := range sources {
		if one.capture.String() == c.Form.Get("capture") {
			in.Capture = one.capture
		}
	}
	if id, err := syncproto.ParseID(c.Form.Get("for")); err == nil {
		in.For = syncproto.UserID(id)
	}
	if kind, ok := schema.Newest(in.Kind); ok && len(kind.Parts()) > 0 {
		for _, said := range c.Form["child"] {
			id, err := syncproto.ParseID(said)
			if err != nil {
				return Answer{}, syncproto.CodeBadID
			}
			in.Children = append(in.Children, syncproto.RecordID(id))
		}
	}
	record, err := p.cfg.Workflow.TypeUp(ctx, c.worker(), in)
	if err != nil {
		return p.refusedDoor(err, func(err error) (Answer, error) { return p.askTypeUp(ctx, c, err) })
	}
	return Answer{To: to(record) + "?done=begun"}, nil
}

// blank is one field of a record that is typed up, and where its value goes.
type blank struct {
	field *schema.Field
	path  syncproto.Path
}

// blanks are the fields that the form of a part asks for, in the order of the schema. What
// has several entries, or parts, has a form of its own (entriesAct).
func (s *sight) blanks() []blank {
	var out []blank
	for i := range s.part.Kind.Fields {
		f := &s.part.Kind.Fields[i]
		path := syncproto.Path{Field: f.ID}
		if f.ID == s.part.Kind.Part || len(f.Sub) > 0 || !finalise.Typable(f) || !fillable(f) {
			continue
		}
		if f.Rule == schema.Own {
			path.Element = syncproto.ElementID(s.st.For)
		}
		out = append(out, blank{f, path})
	}
	return out
}

// fillable reports whether a form that is typed up can ask for a field, or for a part of an
// entry: all but what is attached.
func fillable(f *schema.Field) bool { return len(f.Sub) == 0 && f.Type != schema.TypeHash }

// notSaid is the answer that nothing is said.
const notSaid = "Not said"

// inquire asks for one field or part of an entry, under a name of the form. What is chosen
// can be taken back: the notes may not say.
func (s *sight) inquire(f *schema.Field, name string, now cbor.Value) control {
	if f.Type == schema.TypeRef {
		return s.inquireWhich(f, name, now)
	}
	out := s.asking(f, name, now)
	if len(out.Items) > 0 {
		out.Kind, out.Items = "select", append([]option{{Text: notSaid}}, out.Items...)
	}
	return out
}

// inquireWhich asks for a person, a record or an entry.
func (s *sight) inquireWhich(f *schema.Field, name string, now cbor.Value) control {
	out := control{Kind: "select", ID: name, Name: name, Label: f.Hint.Label, Hint: f.Hint.Help, Items: []option{{Text: notSaid}}}
	current := s.pages.typed(f, now)
	if s.Form.Has(name) {
		current = s.Form.Get(name)
	}
	for _, one := range s.named[f.RefKind] {
		out.Items = append(out.Items, option{Value: one.Value, Text: one.Text, Checked: one.Value == current})
	}
	return out
}

// at is what the record says at a path.
func (s *sight) at(path syncproto.Path) cbor.Value {
	f, _ := s.part.View.Field(path.Field)
	if path.Element.IsZero() {
		return wordsOf(f.Value, f.Text)
	}
	for _, slot := range f.Slots {
		if slot.Slot == path.Element {
			return wordsOf(slot.Value, slot.Text)
		}
	}
	return cbor.Null()
}

func wordsOf(v cbor.Value, text string) cbor.Value {
	if text != "" {
		return cbor.Text(text)
	}
	return v
}

// fillAct asks for everything that one part of a record that is typed up says, at once.
func fillAct(p *Pages) act {
	return act{path: "fill", id: "deskFill", done: "filled",
		may: func(s *sight) bool { return s.part.Typing },
		form: func(s *sight) formPage {
			in := formPage{Heading: "Fill in: " + s.what(), Hidden: []pair{s.seen()}, Submit: "Save",
				Note: s.say.typedUp(s.part.View) + " Write what is there, as it is there. What has several entries has a form of its own, on the record's page."}
			for _, b := range s.blanks() {
				in.Fields = append(in.Fields, s.inquire(b.field, "f-"+b.field.ID, s.at(b.path)))
			}
			return in
		},
		do: func(ctx context.Context, s *sight) error {
			in := finalise.Fill{Record: s.part.View.Record}
			for _, b := range s.blanks() {
				value, err := p.readTyped(b.field, s.Form.Get("f-"+b.field.ID))
				if err != nil {
					return err
				}
				in.Sets = append(in.Sets, finalise.Setting{Path: b.path, Value: value})
			}
			var err error
			if in.Seen, err = readHeads(s.Form.Get("seen")); err == nil {
				_, err = p.cfg.Workflow.Fill(ctx, s.worker(), in)
			}
			return err
		}}
}

// standInAct is a manager's word in the place of somebody who has left.
func standInAct(p *Pages) act {
	return act{path: "stand-in", id: "deskStandIn", fresh: true, done: "confirmed",
		may: func(s *sight) bool { return len(s.st.Left) > 0 },
		form: func(s *sight) formPage {
			var left []option
			for _, user := range s.st.Left {
				left = append(left, option{Value: user.String(), Text: s.say.person(user), Checked: len(s.st.Left) == 1})
			}
			return formPage{Heading: "Confirm for somebody who has left: " + s.say.heading(&s.st), Hidden: wholeHeads(s), Submit: "I stand by it in their place",
				Note:   "You say that the record is right as it stands now, because whoever it comes from cannot. Your name and your reason stand beside theirs.",
				Fields: []control{pick(s, "for", "In whose place", "", left), words(s, "reason", "Why they cannot, and how you know that it is right", "")}}
		},
		do: func(ctx context.Context, s *sight) error {
			heads, err := readWholeHeads(s)
			if err != nil {
				return err
			}
			id, err := syncproto.ParseID(s.Form.Get("for"))
			if err != nil {
				return syncproto.CodeBadValue
			}
			_, err = p.cfg.Workflow.Confirm(ctx, s.worker(), finalise.Confirm{Record: s.part.View.Record, Heads: heads, For: syncproto.UserID(id), Reason: s.Form.Get("reason")})
			return err
		}}
}
