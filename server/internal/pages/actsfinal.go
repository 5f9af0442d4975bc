package pages

import (
	"context"
	"time"

	"doorstep/server/internal/finalise"
	"doorstep/syncproto"
)

// addendumAct adds to a final record.
func addendumAct(p *Pages) act {
	return act{path: "addendum", id: "deskAddendum", done: "added",
		may: func(s *sight) bool { return s.part.Acts.Addendum },
		form: func(s *sight) formPage {
			when := lineOf(s, "happened", "When it happened", "Leave it empty if that is not known.")
			when.Type = "datetime-local"
			return formPage{Heading: "Add to: " + s.what(), Submit: "Add", Note: "The final record stays as it is; this stands below it, with your name and today's date.",
				Fields: []control{words(s, "text", "What is to be added", ""), when, words(s, "reason", "Why it comes now", "")}}
		},
		do: func(ctx context.Context, s *sight) error {
			in := finalise.Addendum{Record: s.part.View.Record, Text: s.Form.Get("text"), Reason: s.Form.Get("reason")}
			if said := s.Form.Get("happened"); said != "" {
				at, err := time.ParseInLocation(typedMinute, said, p.cfg.Zone)
				if err != nil {
					return syncproto.CodeBadValue
				}
				in.TimeMS = at.UnixMilli()
			}
			_, err := p.cfg.Workflow.Addendum(ctx, s.worker(), in)
			return err
		}}
}

// correctAct puts a field of a final record right; the old stays beside the new.
func correctAct(p *Pages) act {
	return act{path: "correct", id: "deskCorrect", done: "corrected",
		may: func(s *sight) bool { return s.asked() && s.part.Corrects[s.alone()] },
		form: func(s *sight) formPage {
			return formPage{Heading: "Correct: " + s.what(), About: s.about(), Submit: "Correct",
				Note:   "The final record stays as it is. What it says and what it should say are both shown from now on.",
				Fields: []control{s.value(s.now()), words(s, "reason", "Why", "")}}
		},
		do: func(ctx context.Context, s *sight) error {
			if !s.asked() {
				return syncproto.CodeUnknownField
			}
			value, err := p.readTyped(s.field, s.Form.Get("value"))
			if err == nil {
				_, err = p.cfg.Workflow.Correct(ctx, s.worker(),
					finalise.Correct{Record: s.part.View.Record, Path: s.path, Old: s.now(), New: value, Reason: s.Form.Get("reason")})
			}
			return err
		}}
}

// late is the late entry that an address names.
func (s *sight) late() (*syncproto.Addendum, bool) {
	for i := range s.part.View.Addenda {
		a := &s.part.View.Addenda[i]
		if a.Late && a.By.Change.String() == s.Query.Get("change") && !accepted(s.part.View, a.By.Change) {
			return a, true
		}
	}
	return nil, false
}

// lateAct takes a late entry on as an addendum.
func lateAct(p *Pages) act {
	return act{path: "accept-late", id: "deskAcceptLate", done: "accepted",
		may: func(s *sight) bool { _, ok := s.late(); return ok && s.part.Acts.Addendum },
		form: func(s *sight) formPage {
			a, _ := s.late()
			said := s.say.addendum(s.part, a, s.past)
			in := formPage{Heading: "Take on a late entry", Submit: "Take it on as an addendum", Fields: []control{words(s, "text", "Remark", "May be left empty.")}}
			for _, c := range said.Changes {
				in.About = append(in.About, line{Text: c.Label + ": " + c.New, By: said.Who + ", " + said.When})
			}
			return in
		},
		do: func(ctx context.Context, s *sight) error {
			a, ok := s.late()
			if !ok {
				return syncproto.CodeNotFound
			}
			_, err := p.cfg.Workflow.AcceptLate(ctx, s.worker(), finalise.AcceptLate{Record: s.part.View.Record, Change: a.By.Change, Text: s.Form.Get("text")})
			return err
		}}
}

// rectifyAct keeps what a person challenges of a final record, and what became of it.
func rectifyAct(p *Pages) act {
	return act{path: "rectify", id: "deskRectify", done: "rectified",
		may: func(s *sight) bool { return s.part.Acts.Addendum },
		form: func(s *sight) formPage {
			return formPage{Heading: "Somebody challenges: " + s.what(), Submit: "Keep it with the record",
				Note: "A person may challenge what is recorded of them. Where it is upheld, correct the field as well. Where it is not, their statement stays with the record.",
				Fields: []control{lineOf(s, "who", "Who challenges it", ""), words(s, "says", "What they say, in their words", ""),
					pick(s, "outcome", "What became of it", "", []option{{Value: "no", Text: "Not upheld: their statement stays with the record", Checked: true}, {Value: "yes", Text: "Upheld: the record is corrected"}})}}
		},
		do: func(ctx context.Context, s *sight) error {
			_, err := p.cfg.Workflow.Rectify(ctx, s.worker(), finalise.Rectify{Record: s.part.View.Record, Who: s.Form.Get("who"),
				Says: s.Form.Get("says"), Upheld: s.Form.Get("outcome") == "yes"})
			return err
		}}
}
