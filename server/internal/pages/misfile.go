package pages

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"

	"doorstep/server/internal/finalise"
	"doorstep/server/internal/oversight"
	"doorstep/server/internal/reading"
	"doorstep/syncproto"
)

// Readers tells who got to see records, from the access log: an *oversight.Service.
type Readers interface {
	Readers(ctx context.Context, user syncproto.UserID, records []syncproto.RecordID, sinceMS int64) (list []oversight.Reader, whole bool, err error)
}

// move is what the form of a move is about.
type move struct {
	finalise.Misfiling
	to     syncproto.FamilyID // zero: it is not chosen yet
	files  []option           // while it is not
	people []option           // of the right family
	seen   []line             // who has read it in the wrong file
}

// misfileAct takes a record out of the wrong family's file. It asks first whose file it
// belongs in: whom of that family it is about is asked by a form of its own.
func misfileAct(p *Pages) act {
	return act{path: "misfile", id: "deskMisfile", fresh: true, done: "misfiled",
		may:   func(s *sight) bool { return s.st.Acts.Misfile },
		ready: (*sight).readyMove,
		form: func(s *sight) formPage {
			if s.move.to.IsZero() {
				return formPage{Heading: "In the wrong file: " + s.say.heading(&s.st), Get: true, Submit: "Go on",
					Note:   "What was written into the wrong family's file is moved out of it. Nothing is moved yet.",
					Fields: []control{{Kind: "select", ID: "to", Name: "to", Label: "Whose file it belongs in", Hint: "Families whose file you may read.", Items: s.move.files}}}
			}
			return s.moveForm()
		},
		do: func(ctx context.Context, s *sight) error {
			in := finalise.Misfile{Record: s.st.Record, To: s.move.to, Reason: s.Form.Get("reason"), People: map[syncproto.RecordID]syncproto.RecordID{}}
			for _, n := range s.move.People {
				said := s.Form.Get(personField(n.Person))
				if said == "" {
					continue
				}
				id, err := syncproto.ParseID(said)
				if err != nil {
					return syncproto.CodeBadID
				}
				in.People[n.Person] = syncproto.RecordID(id)
			}
			var err error
			s.became, err = p.cfg.Workflow.Misfile(ctx, s.worker(), in)
			return err
		}}
}

func personField(person syncproto.RecordID) string { return "person-" + person.String() }

// readyMove looks up what the form of a move shows.
func (s *sight) readyMove(ctx context.Context) (err error) {
	if !s.st.Acts.Misfile {
		return nil
	}
	if s.move.Misfiling, err = s.pages.cfg.Workflow.Misfiling(ctx, s.worker(), s.st.Record); err != nil {
		return err
	}
	if to := orElse(s.Form.Get("to"), s.Query.Get("to")); to != "" {
		id, err := syncproto.ParseID(to)
		if err != nil {
			return syncproto.CodeNotFound
		}
		s.move.to = syncproto.FamilyID(id)
		if s.move.people, err = s.people(ctx, s.move.to); err != nil && !isNotFound(err) {
			return err // of a file that they may not read the move is refused
		}
		return s.readBy(ctx)
	}
	list, err := s.pages.cfg.Records.Families(ctx, s.User)
	for _, f := range list {
		if name := s.say.family(f.ID); name != "" && f.ID != s.st.Family {
			s.move.files = append(s.move.files, option{Value: f.ID.String(), Text: name})
		}
	}
	slices.SortStableFunc(s.move.files, func(a, b option) int { return cmp.Compare(a.Text, b.Text) })
	return err
}

// readBy looks up who has read the record where it is.
func (s *sight) readBy(ctx context.Context) error {
	if s.pages.cfg.Readers == nil {
		return nil
	}
	since := s.past.firstMS()
	list, whole, err := s.pages.cfg.Readers.Readers(ctx, s.User, s.move.Records, since)
	if errors.Is(err, syncproto.CodeForbidden) {
		return nil
	}
	if err != nil {
		return err
	}
	s.move.seen = []line{{Text: "Who has read it in the wrong file, by the access log. Where it should not have been seen by somebody, tell the borough's data protection officer today: a breach may have to be reported within 72 hours."}}
	for _, r := range list {
		words := "from " + s.say.Moment(r.FirstMS) + " to " + s.say.Moment(r.LastMS)
		if r.Carried {
			words += "; it went to a tablet"
		}
		s.move.seen = append(s.move.seen, line{Text: s.say.person(r.User), By: words})
	}
	if !whole {
		s.move.seen = append(s.move.seen, line{Text: "The log since then is longer than this page looks through. Information governance sees all of it."})
	}
	return nil
}

// firstMS is when the first word of the record came here; 0: there is none.
func (p *past) firstMS() int64 {
	if len(p.items) == 0 {
		return 0
	}
	return p.items[len(p.items)-1].ReceivedMS
}

// moveForm says what a move comes to, and asks who of the right family is meant.
func (s *sight) moveForm() formPage {
	in := formPage{Heading: "Move out of the wrong file: " + s.say.heading(&s.st), Submit: "Move it", Warning: true, About: s.move.seen, Blocks: s.moveList()}
	for _, n := range s.move.People {
		ask := control{Kind: "select", ID: personField(n.Person), Name: personField(n.Person), Label: "Who is meant by " + orElse(s.say.title(n.Person), "somebody whom you may not read"),
			Items: []option{{Text: "Nobody of that family: the name is left out"}}}
		if n.Must {
			ask.Items[0].Text, ask.Hint = "Choose", "The record is about them."
		}
		for _, one := range s.move.people {
			one.Checked = one.Value == s.Form.Get(ask.Name)
			ask.Items = append(ask.Items, one)
		}
		in.Fields = append(in.Fields, ask)
	}
	in.Fields = append(in.Fields, words(s, "reason", "How it came into the wrong file", "Whoever reads the right file reads this."))
	return in
}

// moveList is what a move does, point by point.
func (s *sight) moveList() []block {
	wrong, right := orElse(s.say.family(s.st.Family), "the wrong family"), orElse(s.say.family(s.move.to), "the right family")
	var names []string
	for _, user := range s.move.Authors {
		names = append(names, s.say.person(user))
	}
	out := []block{
		{Text: "Everything that was written stands in the file of " + right + ", with who wrote it and when. Nobody types it again."},
		{Text: "It is a draft there, in the team's queue. " + orElse(strings.Join(names, " and "), "Its author") + " has to confirm that it is right there; of who does not work with that family, a manager of its team does in their place."},
		{Text: "Nobody reads it in the file of " + wrong + " any more: it is gone from lists and search, and is removed from tablets. That file keeps that something was moved, when and by you; not where to."},
		{Text: "Words that are still on tablets wait, when they come, for a manager of the right file."},
		{Text: "Questions and answers about it, and who confirmed it, stay with it as it was first written, for whoever reads the right file."},
	}
	if s.st.Parts[0].View.Seal != nil {
		out = append(out, block{Text: "It was final. In the right file it has to be made final anew; where it went to the case-management system, that is told that it was withdrawn."})
	}
	return out
}

// movedHere is what a record says of the wrong file that it comes from.
func (s *speaker) movedHere(record syncproto.RecordID) string {
	m, ok := s.pages.cfg.Records.MovedHere(s.user, record)
	if !ok {
		return ""
	}
	return "Moved here from another family's file by " + s.person(m.By) + " on " + s.Moment(m.AtMS) + ". " + m.Reason
}

// movedAway lists what a file keeps of the records that were taken out of it.
func (s *speaker) movedAway(list []reading.Moved) []string {
	var out []string
	for _, m := range list {
		out = append(out, sentence(s.pages.cfg.Records.Names().Kind(m.Kind))+", moved to another family's file by "+s.person(m.By)+" on "+s.Moment(m.AtMS))
	}
	return out
}

// originalPage is a record as it was in the wrong file, with its parts.
type originalPage struct {
	Back, Note string
	Parts      []originalPart
}

type originalPart struct {
	partView
	History []historyLine
}

// original shows what a record was before it was moved.
func (p *Pages) original(ctx context.Context, c *Call) (Answer, error) {
	s, err := p.sight(ctx, c)
	if err != nil {
		return Answer{}, err
	}
	in := originalPage{Back: to(s.st.Record), Note: s.say.movedHere(s.st.Record)}
	for i := range s.st.Parts {
		part := &s.st.Parts[i]
		v, list, err := p.cfg.Records.Original(ctx, c.User, part.View.Record)
		if isNotFound(err) {
			continue // it was begun here
		}
		if err != nil {
			return Answer{}, err
		}
		was := finalise.Standpoint{View: v, Kind: part.Kind}
		old := pastOf(&was, list)
		view := s.say.part(&was, old, i == 0)
		if i > 0 {
			view.Heading = s.say.partTitle(part)
		}
		in.Parts = append(in.Parts, originalPart{view, old.lines(s.say, 0)})
	}
	if len(in.Parts) == 0 {
		return Answer{}, syncproto.CodeNotFound
	}
	body, err := p.show(c, "original.html", shell{Title: "As it was first written: " + s.say.heading(&s.st), Content: in})
	return Answer{Body: body, Shown: shown(&s.st)}, err
}

// pastOf is the history of one record.
func pastOf(part *finalise.Standpoint, list []reading.HistoryItem) *past {
	out := &past{by: map[syncproto.ChangeID]reading.HistoryItem{}}
	for _, h := range list {
		out.items = append(out.items, pastItem{HistoryItem: h, part: part})
		out.by[h.Change.ID] = h
	}
	slices.Reverse(out.items)
	return out
}
