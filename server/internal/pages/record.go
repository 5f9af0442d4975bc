package pages

import (
	"context"
	"slices"

	"doorstep/server/internal/finalise"
	"doorstep/syncproto"
)

// recordPage is a record with the parts that are sealed with it, beside its history.
type recordPage struct {
	Token   string
	Href    string // of the page
	Family  string
	State   tag
	Seals   bool // records of this kind are made final
	Final   string
	Handed  string
	Moved   string // from a wrong file: by whom, when and why
	Lease   string
	Mine    bool // the caller prepares it
	Others  bool // somebody else does
	MayTake bool
	Blocks  []block
	Acts    []linkTo
	Parts   []partView
	History []historyLine
	More    bool // there is more history than is shown
}

// actLinks are the steps that the caller may take with the whole record.
func actLinks(st *finalise.Standing, leased bool) []linkTo {
	record := st.Record
	var out []linkTo
	add := func(may bool, act, text string) {
		if may {
			out = append(out, linkTo{Text: text, Href: link(record, act, syncproto.Path{})})
		}
	}
	add(st.Acts.Finalise && !leased, "finalise", "Check and make final")
	add(st.Acts.Confirm && st.Parts[0].View.Seal == nil, "confirm", "Confirm as its author")
	add(len(st.Left) > 0 && st.Parts[0].View.Seal == nil, "stand-in", "Confirm for somebody who has left")
	add(st.Acts.HandOver && st.Parts[0].View.Workflow.HandedOver == nil, "hand-over", "Hand over")
	add(st.Acts.Query && !leased, "query", "Ask about the record")
	add(st.Acts.Misfile, "misfile", "In the wrong file")
	return out
}

// block is one thing that keeps a record from being final, and where it is dealt with.
type block struct{ Text, Href string }

// shortHistory is how many changes stand beside a record.
const shortHistory = 12

func (p *Pages) record(ctx context.Context, c *Call) (Answer, error) {
	id, err := c.record()
	if err != nil {
		return Answer{}, err
	}
	st, err := p.cfg.Workflow.Standing(ctx, c.worker(), id)
	if err != nil {
		return Answer{}, err
	}
	if st.LeasedTo == c.User && st.Acts.Finalise { // who works on it keeps it
		if l, err := p.cfg.Workflow.Lease(ctx, c.worker(), id); err == nil {
			st.LeasedUntil = l.Until
		}
	}
	past, err := p.past(ctx, c, &st)
	if err != nil {
		return Answer{}, err
	}
	say := p.speaker(c)
	say.about(ctx, st.Family)
	body, err := p.show(c, "record.html", shell{Title: say.heading(&st), Live: liveRecord(&st), Content: say.recordPage(&st, past, c)})
	return Answer{Body: body, Shown: shown(&st)}, err
}

func shown(st *finalise.Standing) []syncproto.RecordID {
	var out []syncproto.RecordID
	for _, part := range st.Parts {
		out = append(out, part.View.Record)
	}
	return out
}

// heading names a record with its family.
func (s *speaker) heading(st *finalise.Standing) string {
	title := s.title(st.Record)
	if family := s.pages.cfg.Records.FamilyName(s.user, st.Family); family != "" && family != title {
		title += ", " + family
	}
	return title
}

func (s *speaker) recordPage(st *finalise.Standing, past *past, c *Call) recordPage {
	whole := &st.Parts[0]
	in := recordPage{Token: c.FormToken, Href: to(st.Record), Family: s.pages.cfg.Records.FamilyName(s.user, st.Family), State: stateTag(st.State),
		Seals: whole.Kind.Finalises, History: past.lines(s, shortHistory), More: past.count() > shortHistory}
	if h := whole.View.Workflow.HandedOver; h != nil {
		in.Handed = "Handed over by " + s.person(h.Author) + " on " + s.Moment(h.TimeMS)
	} else if in.Seals {
		in.State, in.Handed = tag{"Draft", "grey"}, "Not handed over yet"
	}
	if seal := whole.View.Seal; seal != nil {
		in.State, in.Final = stateTag(finalise.StateFinal), "Made final by "+s.person(seal.By)+" on "+s.Moment(seal.AtMS)
	}
	if !st.LeasedTo.IsZero() {
		in.Lease, in.Mine = s.lease(&st.Item), st.LeasedTo == s.user
		in.Others = !in.Mine
	}
	in.Acts = actLinks(st, in.Others)
	in.MayTake = st.Acts.Finalise && st.LeasedTo.IsZero() && whole.View.Seal == nil
	if whole.View.Seal == nil && in.Seals {
		in.Blocks = s.blocks(st)
	}
	in.Moved = s.movedHere(st.Record)
	for i := range st.Parts {
		in.Parts = append(in.Parts, s.part(&st.Parts[i], past, i == 0))
		if in.Moved != "" {
			in.Parts[i].TypedUp = "" // in the words of whoever wrote it
		}
	}
	return in
}

// blocks lists what keeps a record from being final; each leads to where it is.
func (s *speaker) blocks(st *finalise.Standing) []block { return s.reasons(st, st.Blocks) }

// reasons writes reasons about a record in plain words.
func (s *speaker) reasons(st *finalise.Standing, list []finalise.Detail) []block {
	var out []block
	for _, b := range list {
		text := b.Plain
		if text == "" {
			text = b.Code.Plain()
		}
		i := slices.IndexFunc(st.Parts, func(p finalise.Standpoint) bool { return p.View.Record == b.Record })
		if i > 0 {
			text = s.partTitle(&st.Parts[i]) + ": " + text
		}
		href := ""
		if i >= 0 {
			href = to(st.Record) + "#" + anchor(b.Record, b.Path.Field)
		}
		out = append(out, block{Text: text, Href: href})
	}
	return out
}

// anchor is where a field of a record stands on a page.
func anchor(record syncproto.RecordID, field string) string {
	if field == "" {
		return "record-" + record.String()
	}
	return "field-" + record.String() + "-" + field
}

// history is every change of a record and of its parts, and who wrote which words.
func (p *Pages) history(ctx context.Context, c *Call) (Answer, error) {
	s, err := p.sight(ctx, c)
	if err != nil {
		return Answer{}, err
	}
	texts, err := p.written(ctx, c, &s.st)
	if err != nil {
		return Answer{}, err
	}
	in := historyPage{Back: to(s.st.Record), Lines: s.past.lines(s.say, 0), Texts: texts}
	body, err := p.show(c, "history.html", shell{Title: "History: " + s.say.heading(&s.st), Content: in})
	return Answer{Body: body, Shown: shown(&s.st)}, err
}

type historyPage struct {
	Back  string
	Lines []historyLine
	Texts []writtenText
}

func (p *Pages) lease(ctx context.Context, c *Call) (Answer, error) {
	id, err := c.record()
	if err != nil {
		return Answer{}, err
	}
	if _, err := p.cfg.Workflow.Lease(ctx, c.worker(), id); err != nil {
		return Answer{}, err
	}
	return Answer{To: to(id) + "?done=leased"}, nil
}

func (p *Pages) release(ctx context.Context, c *Call) (Answer, error) {
	id, err := c.record()
	if err != nil {
		return Answer{}, err
	}
	if err := p.cfg.Workflow.Release(ctx, c.worker(), id); err != nil {
		return Answer{}, err
	}
	return Answer{To: to(id) + "?done=released"}, nil
}
