package pages

import (
	"context"
	"slices"
	"strings"

	"doorstep/server/internal/finalise"
	"doorstep/syncproto"
)

// wholeHeads carries the version of a record and of all its parts.
func wholeHeads(s *sight) []pair {
	if sent := s.Form["heads"]; len(sent) > 0 {
		var out []pair
		for _, v := range sent {
			out = append(out, pair{"heads", v})
		}
		return out
	}
	var out []pair
	for _, p := range s.st.Parts {
		out = append(out, pair{"heads", p.View.Record.String() + ":" + headsText(p.View.Heads)})
	}
	return out
}

func readWholeHeads(s *sight) ([]syncproto.RecordHeads, error) {
	var out []syncproto.RecordHeads
	for _, sent := range s.Form["heads"] {
		record, version, _ := strings.Cut(sent, ":")
		id, err := syncproto.ParseID(record)
		if err != nil {
			return nil, syncproto.CodeBadID
		}
		heads, err := readHeads(version)
		if err != nil {
			return nil, err
		}
		out = append(out, syncproto.RecordHeads{Record: syncproto.RecordID(id), Heads: heads})
	}
	return out, nil
}

// finaliseAct is the check-list, and the seal when nothing is left on it.
func finaliseAct(p *Pages) act {
	return act{path: "finalise", id: "deskFinalise", fresh: true, done: "final",
		may: func(s *sight) bool { return s.st.Acts.Finalise },
		form: func(s *sight) formPage {
			in := formPage{Heading: "Make it final: " + s.say.heading(&s.st), Hidden: wholeHeads(s), Blocks: s.say.blocks(&s.st)}
			if len(in.Blocks) > 0 {
				in.Note = "It cannot be made final before all of this is dealt with."
				return in
			}
			in.Submit, in.Note = "Make it final", "Nothing is left to do. What is final is never changed again: what comes later is added to it."
			for i := range s.st.Parts {
				in.About = append(in.About, line{Text: s.say.word(&s.st.Parts[i]), By: s.say.partTitle(&s.st.Parts[i])})
			}
			return in
		},
		do: func(ctx context.Context, s *sight) error {
			heads, err := readWholeHeads(s)
			if err == nil {
				_, err = p.cfg.Workflow.Finalise(ctx, s.worker(), finalise.Finalise{Record: s.part.View.Record, Heads: heads})
			}
			return err
		}}
}

// confirmAct is the author's word.
func confirmAct(p *Pages) act {
	return act{path: "confirm", id: "deskConfirm", fresh: true, done: "confirmed",
		may: func(s *sight) bool { return s.st.Acts.Confirm },
		form: func(s *sight) formPage {
			return formPage{Heading: "Confirm: " + s.say.heading(&s.st), Hidden: wholeHeads(s), Submit: "I stand by it",
				Note: "You say as its author that the record and each child's part are right as they stand now. You have read them, and what two people wrote at once as well."}
		},
		do: func(ctx context.Context, s *sight) error {
			heads, err := readWholeHeads(s)
			if err == nil {
				_, err = p.cfg.Workflow.Confirm(ctx, s.worker(), finalise.Confirm{Record: s.part.View.Record, Heads: heads})
			}
			return err
		}}
}

func handOverAct(p *Pages) act {
	return act{path: "hand-over", id: "deskHandOver", done: "handed",
		may: func(s *sight) bool { return s.st.Acts.HandOver },
		form: func(s *sight) formPage {
			to := []option{{Text: "The team: whoever of its coordinators is free", Checked: true}}
			for _, user := range s.st.Coordinators {
				to = append(to, option{Value: user.String(), Text: s.say.person(user)})
			}
			return formPage{Heading: "Hand over: " + s.say.heading(&s.st), Submit: "Hand over to the team", Note: "The team's coordinators prepare it from here.",
				Fields: []control{pick(s, "to", "Who prepares it?", "Its coordinators all see it, and any of them can.", to)}}
		},
		do: func(ctx context.Context, s *sight) error {
			in := finalise.HandOver{Record: s.st.Record}
			if s.Form.Get("to") != "" {
				var err error
				if in.To, err = s.whom(); err != nil {
					return err
				}
			}
			_, err := p.cfg.Workflow.HandOver(ctx, s.worker(), in)
			return err
		}}
}

// authors lists who wrote in the record, the newest first, without the caller.
func (s *sight) authors() []option {
	var out []option
	var known []syncproto.UserID
	var wrote []syncproto.UserID
	for _, t := range s.part.View.Workflow.TypedUp {
		wrote = append(wrote, t.For) // whose words they are
	}
	for _, h := range s.past.items {
		wrote = append(wrote, h.Change.Body.Author)
	}
	for _, who := range wrote {
		if who == s.User || slices.Contains(known, who) {
			continue
		}
		known = append(known, who)
		out = append(out, option{Value: who.String(), Text: s.say.person(who)})
	}
	author := s.origin()
	for i := range out {
		out[i].Checked = out[i].Value == author.String() || author.IsZero() && i == 0
	}
	return out
}

// origin is who wrote what the form is about, or handed the record over.
func (s *sight) origin() syncproto.UserID {
	if f, ok := s.part.View.Field(s.path.Field); ok && !f.By.Author.IsZero() && f.By.Author != s.User {
		return f.By.Author
	}
	if s.st.HandedOverBy != s.User {
		return s.st.HandedOverBy
	}
	return syncproto.UserID{}
}

func (s *sight) whom() (syncproto.UserID, error) {
	id, err := syncproto.ParseID(s.Form.Get("to"))
	if err != nil {
		return syncproto.UserID{}, syncproto.CodeBadValue
	}
	return syncproto.UserID(id), nil
}

// about is what the record says at the path of a form.
func (s *sight) about() []line {
	if s.field == nil {
		return nil
	}
	if whole, ok := s.part.Kind.Field(s.path.Field); ok && whole.IsCollection() && s.path.Sub == "" {
		f, _ := s.part.View.Field(s.path.Field)
		return s.say.lines(whole, &f)
	}
	if said := s.say.Value(s.field, s.now()); said != "" {
		return []line{{Text: said, Prose: s.field.IsProse() || s.field.Hint.Long}}
	}
	return []line{{Text: "Not filled in"}}
}

// what names what a form is about.
func (s *sight) what() string {
	if s.field == nil {
		return s.say.title(s.part.View.Record)
	}
	return label(s.part.Kind, s.path)
}

func queryAct(p *Pages) act {
	return act{path: "query", id: "deskQuery", done: "asked",
		may: func(s *sight) bool { return s.part.Acts.Query },
		form: func(s *sight) formPage {
			return formPage{Heading: "Ask about: " + s.what(), About: s.about(), Submit: "Ask",
				Fields: []control{pick(s, "to", "Whom do you ask?", "", s.authors()), words(s, "text", "Your question", "")}}
		},
		do: func(ctx context.Context, s *sight) error {
			who, err := s.whom()
			if err == nil {
				_, err = p.cfg.Workflow.Query(ctx, s.worker(), finalise.Query{Record: s.part.View.Record, Path: s.path, To: who, Text: s.Form.Get("text")})
			}
			return err
		}}
}

// question is the one that an answer's address names.
func (s *sight) question() (*syncproto.Query, bool) {
	for i := range s.part.View.Workflow.Queries {
		if q := &s.part.View.Workflow.Queries[i]; q.ID.String() == s.Query.Get("query") {
			return q, true
		}
	}
	return nil, false
}

// settable is the field that a question is about, if the one who answers may set it too.
func (s *sight) settable(q *syncproto.Query) bool {
	alone := syncproto.Path{Field: q.Path.Field, Sub: q.Path.Sub}
	field, ok := s.part.Kind.At(q.Path.Field, q.Path.Sub)
	return ok && asks(field) && !field.IsProse() && q.Path.Field != s.part.Kind.Part && s.part.Edits[alone]
}

func answerAct(p *Pages) act {
	return act{path: "answer", id: "deskAnswer", done: "answered",
		may: func(s *sight) bool { _, ok := s.question(); return ok && s.part.Acts.Answer },
		form: func(s *sight) formPage {
			q, _ := s.question()
			asked := s.say.query(s.part, q)
			in := formPage{Heading: "Answer about " + asked.About, Submit: "Answer", About: []line{{Text: q.Question, By: asked.From + ", " + asked.When, Prose: true}}}
			if s.settable(q) {
				s.path = q.Path
				s.field, _ = s.part.Kind.At(q.Path.Field, q.Path.Sub)
				in.Fields = append(in.Fields, s.value(s.now()))
				in.Hidden = append(in.Hidden, s.seen(), pair{"was", p.typed(s.field, s.now())})
			}
			in.Fields = append(in.Fields, words(s, "text", "Your answer", ""))
			return in
		},
		do: func(ctx context.Context, s *sight) error {
			q, ok := s.question()
			if !ok {
				return syncproto.CodeNotFound
			}
			in := finalise.Answer{Record: s.part.View.Record, Query: q.ID, Text: s.Form.Get("text")}
			if s.Form.Has("value") && s.Form.Get("value") != s.Form.Get("was") && s.settable(q) {
				field, _ := s.part.Kind.At(q.Path.Field, q.Path.Sub)
				var err error
				if in.Value, err = p.readTyped(field, s.Form.Get("value")); err != nil {
					return err
				}
				if in.Seen, err = readHeads(s.Form.Get("seen")); err != nil {
					return err
				}
				in.Sets = true
			}
			_, err := p.cfg.Workflow.Answer(ctx, s.worker(), in)
			return err
		}}
}
