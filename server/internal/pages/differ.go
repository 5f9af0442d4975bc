package pages

import (
	"strings"

	"doorstep/server/internal/finalise"
	"doorstep/syncproto"
)

// conflictView is a disagreement with its sides beside each other.
type conflictView struct {
	Anchor, Label string
	Sides         []sideView
	Base          string // what both began from; empty: nothing
	InForce       string // what counts meanwhile
	Protects      bool   // because it is the safer
	Decide        string // where the caller may decide; empty: they may not
}

// sideView is what one person says, and the evidence of when and where.
type sideView struct {
	Value, Who, When, Where, How string
	Counts                       bool // this is what is in force meanwhile
}

func (s *speaker) conflict(part *finalise.Standpoint, c *syncproto.Conflict, past *past) conflictView {
	out := conflictView{Anchor: anchor(part.View.Record, c.Path.Field), Label: label(part.Kind, c.Path), Protects: c.Rule == "protect",
		Base: s.fieldValue(part.Kind, c.Path, c.Base), InForce: s.fieldValue(part.Kind, c.Path, c.InForce)}
	if part.Decides[c.Path] {
		out.Decide = link(part.View.Record, "decide", c.Path)
	}
	for _, side := range c.Sides {
		out.Sides = append(out.Sides, sideView{Value: orNothing(s.fieldValue(part.Kind, c.Path, side.Value)), Who: s.person(side.By.Author),
			When: s.Moment(side.By.TimeMS), Where: past.where(s, side.By.Change), How: capture(side.By.Capture),
			Counts: !c.InForce.IsNull() && side.Value.Equal(c.InForce)})
	}
	return out
}

func orNothing(said string) string {
	if said == "" {
		return "Nothing (the answer was taken back)"
	}
	return said
}

// overlapView is prose that two people changed apart, sentence by sentence.
type overlapView struct {
	Label     string
	Sentences []sentenceView
	Read      string // where the caller may say that they read it
}

type sentenceView struct{ Text, Who string }

func (s *speaker) overlap(part *finalise.Standpoint, o *syncproto.Overlap) overlapView {
	out := overlapView{Label: label(part.Kind, o.Path)}
	if part.Decides[o.Path] {
		out.Read = link(part.View.Record, "read", o.Path)
	}
	f, _ := part.View.Field(o.Path.Field)
	words := []rune(f.Text)
	for _, slot := range f.Slots {
		if slot.Slot == o.Path.Element {
			words = []rune(slot.Text)
		}
	}
	for _, span := range o.Spans {
		var who []string
		for _, a := range span.Authors {
			who = append(who, s.person(a))
		}
		text := "Nothing of it is left."
		if span.Start < span.End && span.End <= uint64(len(words)) {
			text = strings.TrimSpace(string(words[span.Start:span.End]))
		}
		out.Sentences = append(out.Sentences, sentenceView{Text: text, Who: strings.Join(who, " and ")})
	}
	return out
}

// queryView is a question with its answer.
type queryView struct {
	ID, About, From, To, When, Question string
	Answer, AnsweredBy                  string
	Open, Proposal                      bool
	Reply                               string // where the caller may answer
}

func (s *speaker) query(part *finalise.Standpoint, q *syncproto.Query) queryView {
	out := queryView{ID: q.ID.String(), About: "the whole record", From: s.person(q.By.Author), To: s.person(q.To), When: s.Moment(q.By.TimeMS),
		Question: q.Question, Answer: q.Answer, Open: q.AnsweredBy == nil}
	out.Proposal = finalise.IsProposal(*q)
	if out.Open && part.Acts.Answer {
		out.Reply = to(part.View.Record) + "/answer?query=" + out.ID
	}
	if q.Path.Field != "" {
		out.About = label(part.Kind, q.Path)
	}
	if q.AnsweredBy != nil {
		out.AnsweredBy = s.person(q.AnsweredBy.Author) + " on " + s.Moment(q.AnsweredBy.TimeMS)
	}
	return out
}

// addendumView is what was added to a final record: words, a correction with the old and
// the new, or an edit that came late.
type addendumView struct {
	What, Who, When, Where string
	Text, Reason           string
	Happened               string
	Changes                []changeView
	Proposed               bool   // late, and nobody has taken it on
	TakeOn                 string // where the caller may
}

// changeView is one field of a correction or of a late edit, old and new.
type changeView struct{ Label, Old, New string }

func (s *speaker) addendum(part *finalise.Standpoint, a *syncproto.Addendum, past *past) addendumView {
	out := addendumView{What: "Addendum", Who: s.person(a.By.Author), When: s.Moment(a.By.TimeMS), Where: past.where(s, a.By.Change),
		Text: a.Text, Reason: a.Reason}
	if a.TimeMS != 0 {
		out.Happened = s.Moment(a.TimeMS)
	}
	switch {
	case a.Late:
		out.What, out.Proposed = "Came after the record was final", !accepted(part.View, a.By.Change)
		if out.Proposed && part.Acts.Addendum {
			out.TakeOn = to(part.View.Record) + "/accept-late?change=" + a.By.Change.String()
		}
	case len(a.Ops) > 0:
		out.What = "Correction"
	case strings.HasPrefix(a.Reason, "accepts "):
		out.What, out.Reason = "A late entry was taken on", ""
	}
	if who, upheld, ok := finalise.Rectification(a.Reason); ok {
		out.What, out.Reason = who+" challenges the record: not upheld", ""
		if upheld {
			out.What = who + " challenges the record: upheld"
		}
	}
	for i := range a.Ops {
		op := &a.Ops[i]
		change := changeView{Label: label(part.Kind, op.Path), New: s.opWords(part.Kind, op)}
		if op.Code == syncproto.OpCorrect {
			change.Old = orElse(s.fieldValue(part.Kind, op.Path, op.Old), "nothing")
		}
		out.Changes = append(out.Changes, change)
		if out.Reason == "" {
			out.Reason = op.Reason
		}
	}
	return out
}

func accepted(v *syncproto.View, late syncproto.ChangeID) bool {
	for i := range v.Addenda {
		if !v.Addenda[i].Late && v.Addenda[i].Reason == finalise.AcceptReason(late) {
			return true
		}
	}
	return false
}
