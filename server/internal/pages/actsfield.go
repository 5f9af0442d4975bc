package pages

import (
	"context"
	"slices"
	"strconv"

	"doorstep/server/internal/finalise"
	"doorstep/syncproto"
	"doorstep/syncproto/cbor"
)

// conflict is the disagreement that a form is about.
func (s *sight) conflict() (*syncproto.Conflict, bool) {
	i := slices.IndexFunc(s.part.View.Conflicts, func(c syncproto.Conflict) bool { return c.Path == s.path })
	if i < 0 {
		return nil, false
	}
	return &s.part.View.Conflicts[i], true
}

// decideAct settles a disagreement with one of its sides.
func decideAct(p *Pages) act {
	return act{path: "decide", id: "deskDecide", done: "decided",
		may: func(s *sight) bool { _, ok := s.conflict(); return ok && s.part.Decides[s.path] },
		form: func(s *sight) formPage {
			c, _ := s.conflict()
			in := s.say.conflict(s.part, c, s.past)
			var items []option
			for i, side := range in.Sides {
				items = append(items, option{Value: strconv.Itoa(i), Text: side.Value, Hint: side.Who + ", " + side.When})
			}
			out := formPage{Heading: "Decide: " + in.Label, Sides: in.Sides, Hidden: []pair{s.seen()}, Submit: "Decide"}
			neither := s.asked() && s.part.Edits[s.alone()]
			if neither {
				items = append(items, option{Value: otherSide, Text: "Neither: it is what I say below"})
			}
			out.Fields = append(out.Fields, pick(s, "side", "Which is right?", "All sides stay in the history.", items))
			if neither {
				out.Fields = append(out.Fields, s.value(cbor.Null()))
			}
			out.Fields = append(out.Fields, words(s, "reason", "Why", ""))
			return out
		},
		do: func(ctx context.Context, s *sight) error {
			c, ok := s.conflict()
			if !ok {
				return syncproto.CodeNotFound
			}
			seen, err := readHeads(s.Form.Get("seen"))
			if err != nil {
				return err
			}
			value, err := s.side(c)
			if err == nil {
				_, err = p.cfg.Workflow.Decide(ctx, s.worker(),
					finalise.Decide{Record: s.part.View.Record, Path: s.path, Value: value, Reason: s.Form.Get("reason"), Seen: seen})
			}
			return err
		}}
}

// otherSide is the answer that no side of a disagreement is right.
const otherSide = "other"

// side is what the form that decides says is right: one of the sides, or something else.
func (s *sight) side(c *syncproto.Conflict) (cbor.Value, error) {
	if s.Form.Get("side") == otherSide && s.asked() {
		return s.pages.readTyped(s.field, s.Form.Get("value"))
	}
	i, err := strconv.Atoi(s.Form.Get("side"))
	if err != nil || i < 0 || i >= len(c.Sides) {
		return cbor.Value{}, syncproto.CodeBadValue
	}
	return c.Sides[i].Value, nil
}

// readAct says that prose which two people changed at once was read and is right.
func readAct(p *Pages) act {
	overlaps := func(s *sight) int {
		return slices.IndexFunc(s.part.View.Overlaps, func(o syncproto.Overlap) bool { return o.Path == s.path })
	}
	return act{path: "read", id: "deskRead", done: "read",
		may: func(s *sight) bool { return overlaps(s) >= 0 && s.part.Decides[s.path] },
		form: func(s *sight) formPage {
			in := formPage{Heading: "Read what two people wrote: " + s.what(), Hidden: []pair{s.seen()}, Submit: "I read it, and it is right", Fields: []control{words(s, "reason", "What you found", "")}}
			for _, sentence := range s.say.overlap(s.part, &s.part.View.Overlaps[overlaps(s)]).Sentences {
				in.About = append(in.About, line{Text: sentence.Text, By: sentence.Who, Prose: true})
			}
			return in
		},
		do: func(ctx context.Context, s *sight) error {
			seen, err := readHeads(s.Form.Get("seen"))
			if err == nil {
				_, err = p.cfg.Workflow.Decide(ctx, s.worker(),
					finalise.Decide{Record: s.part.View.Record, Path: s.path, Value: cbor.Null(), Reason: s.Form.Get("reason"), Seen: seen})
			}
			return err
		}}
}

// editAct sets a field, or writes prose anew.
func editAct(p *Pages) act {
	return act{path: "edit", id: "deskEdit", done: "edited",
		may: func(s *sight) bool { return s.asked() && s.part.Edits[s.alone()] },
		form: func(s *sight) formPage {
			return formPage{Heading: "Change: " + s.what(), Hidden: []pair{s.seen()}, Fields: []control{s.value(s.now())}, Submit: "Save",
				Note: "What it said before stays in the history."}
		},
		do: func(ctx context.Context, s *sight) error {
			value, seen, err := s.typedValue()
			if err == nil {
				_, err = p.cfg.Workflow.Edit(ctx, s.worker(), finalise.Edit{Record: s.part.View.Record, Path: s.path, Value: value, Seen: seen})
			}
			return err
		}}
}

// typedValue is what a form gives its field, on which version.
func (s *sight) typedValue() (cbor.Value, []syncproto.ChangeID, error) {
	if !s.asked() {
		return cbor.Value{}, nil, syncproto.CodeUnknownField
	}
	seen, err := readHeads(s.Form.Get("seen"))
	if err != nil {
		return cbor.Value{}, nil, err
	}
	value, err := s.pages.readTyped(s.field, s.Form.Get("value"))
	return value, seen, err
}

// proposeAct asks an author to change a fact that is theirs.
func proposeAct(p *Pages) act {
	return act{path: "propose", id: "deskPropose", done: "proposed",
		may: func(s *sight) bool { return s.part.Acts.Query && s.proposable(s.alone()) },
		form: func(s *sight) formPage {
			return formPage{Heading: "Propose: " + s.what(), About: s.about(), Hidden: []pair{s.seen()}, Submit: "Propose",
				Note:   "Only its author can say what this is. Nothing changes before they agree.",
				Fields: []control{s.value(s.now()), pick(s, "to", "Whom do you ask?", "", s.authors()), words(s, "reason", "Why", "")}}
		},
		do: func(ctx context.Context, s *sight) error {
			value, _, err := s.typedValue()
			if err != nil {
				return err
			}
			who, err := s.whom()
			if err == nil {
				_, err = p.cfg.Workflow.Propose(ctx, s.worker(), finalise.Propose{Record: s.part.View.Record, Path: s.path, Value: value,
					Words: s.say.Value(s.field, value), Reason: s.Form.Get("reason"), To: who})
			}
			return err
		}}
}

// proposable reports whether a field is its author's, and could hold what another proposes.
func (s *sight) proposable(path syncproto.Path) bool { return proposable(s.part, path) }

func proposable(part *finalise.Standpoint, path syncproto.Path) bool {
	field, ok := part.Kind.At(path.Field, path.Sub)
	if !ok || !asks(field) || field.IsProse() || path.Field == part.Kind.Part {
		return false
	}
	may, known := part.Edits[path]
	return known && !may && len(part.Corrects) == 0
}
