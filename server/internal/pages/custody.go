package pages

import (
	"context"
	"errors"

	"doorstep/server/internal/reading"
	"doorstep/syncproto"
	"doorstep/syncproto/schema"
)

// custodyPage lists what waits for a reviewer, and what one keeps away.
type custodyPage struct {
	Waiting, Kept []custodyRow
	Newer, Older  string
}

type custodyRow struct {
	Href                     string // empty: the caller may know that it is there, and no more
	Title, Family, Who, When string
	Where, Why, Kept         string
}

func (p *Pages) custody(ctx context.Context, c *Call) (Answer, error) {
	list, err := p.cfg.Records.Custody(ctx, c.User)
	if err != nil {
		return Answer{}, err
	}
	var in custodyPage
	say := p.speaker(c)
	list, in.Newer, in.Older = onPage(c, list)
	for i := range list {
		row := say.custodyRow(&list[i])
		if list[i].Code == syncproto.CodeKeptAway {
			in.Kept = append(in.Kept, row)
		} else {
			in.Waiting = append(in.Waiting, row)
		}
	}
	body, err := p.show(c, "custody.html", shell{Title: "Custody", Here: Root + "custody", Content: in})
	return Answer{Body: body}, err
}

func (s *speaker) custodyRow(q *reading.InCustody) custodyRow {
	out := custodyRow{Title: s.title(q.Record), Family: s.pages.cfg.Records.FamilyName(s.user, q.Family), Who: s.person(q.Author),
		When: s.Moment(q.ReceivedMS), Where: s.device(q.Device), Why: s.whyInCustody(q)}
	if _, ok := schema.Newest(q.Kind); ok && out.Title == "" {
		out.Title = "A " + s.pages.cfg.Records.Names().Kind(q.Kind)
	}
	if q.MayReview {
		out.Href = Root + "custody/" + q.Change.String()
	}
	if !q.ReviewedBy.IsZero() {
		out.Kept = s.person(q.ReviewedBy) + ", " + s.Moment(q.ReviewedMS)
	}
	return out
}

// whyInCustody says why words are locked away: to their author as the code does, to
// anybody else, who reviews them, of the author.
func (s *speaker) whyInCustody(q *reading.InCustody) string {
	if words, ok := reviewerWords[q.Code]; ok && q.Author != s.user {
		return words
	}
	return q.Code.Plain()
}

// reviewerWords are for reviewers: every reason for which words are locked away (SPEC 11).
var reviewerWords = map[syncproto.Code]string{
	syncproto.CodeNotPlaced:          "The server failed when it worked them into the record. IT has been told.",
	syncproto.CodeErased:             "The record was erased for good while they were written.",
	syncproto.CodeMisfiled:           "The record was moved to another family's file before they arrived: it had been written into the wrong one.",
	syncproto.CodeNotEntitled:        "Their author was no longer assigned to the family when they arrived.",
	syncproto.CodeDeniedField:        "Somebody in their author's role cannot change this part of the record.",
	syncproto.CodeBuildsOnQuarantine: "They continue an entry that is in custody itself.",
	syncproto.CodeRevokedDevice:      "Their author's device had been withdrawn before they arrived.",
	syncproto.CodeKeptAway:           "A reviewer looked at them and decided that they do not become part of the record.",
	syncproto.CodeRecovered:          "Two people recovered them from a tablet that was lost or locked.",
}

// wordsPage is one change in custody with its words, and what may become of it.
type wordsPage struct {
	Token, Href string
	Row         custodyRow
	Record      string // page of the record; empty: there is none yet
	Steps       []string
	Erased      bool
	Reason      string
	Field       control
}

func (p *Pages) custodyWords(ctx context.Context, c *Call) (Answer, error) {
	return p.showWords(ctx, c, nil)
}

func (p *Pages) showWords(ctx context.Context, c *Call, refused error) (Answer, error) {
	id, err := syncproto.ParseChangeID(c.Param)
	if err != nil {
		return Answer{}, syncproto.CodeNotFound
	}
	w, err := p.cfg.Records.CustodyWords(ctx, c.User, id)
	if err != nil {
		return Answer{}, err
	}
	say := p.speaker(c)
	in := wordsPage{Token: c.FormToken, Href: Root + "custody/" + c.Param, Row: say.custodyRow(&w.InCustody), Erased: w.Ops == nil, Reason: w.Reason,
		Field: control{Kind: "textarea", ID: "reason", Name: "reason", Label: "Why it is kept away", Hint: "Its author is told that there is a reason. Those who may review it read it.", Rows: 3, Value: c.Form.Get("reason")}}
	if kind, ok := schema.Newest(w.Kind); ok {
		in.Steps = say.words(kind, w.Ops)
	}
	if say.title(w.Record) != "" {
		in.Record = to(w.Record)
	}
	s := shell{Title: "In custody: " + in.Row.Title, Here: Root + "custody", Content: in}
	if refused != nil {
		var code syncproto.Code
		errors.As(refused, &code)
		s.Problems = []problem{{Text: refusedWords(code), Href: "#reason"}}
	}
	body, err := p.show(c, "words.html", s)
	return Answer{Body: body, Shown: []syncproto.RecordID{w.Record}}, errors.Join(refused, err)
}

// words writes what a change says, with what it types.
func (s *speaker) words(kind *schema.Kind, ops []syncproto.Op) []string {
	out := s.steps(kind, ops)
	for i := range ops {
		for _, sp := range ops[i].Splices {
			if sp.Ins != "" {
				out = append(out, label(kind, ops[i].Path)+": "+sp.Ins)
			}
		}
	}
	return out
}

// review is what a reviewer decides about a change in custody.
func (p *Pages) review(ctx context.Context, c *Call, done string, decide func(syncproto.ChangeID) error) (Answer, error) {
	id, err := syncproto.ParseChangeID(c.Param)
	if err != nil {
		return Answer{}, syncproto.CodeNotFound
	}
	if err := decide(id); err != nil {
		var code syncproto.Code
		if !errors.As(err, &code) || isNotFound(err) {
			return Answer{}, err
		}
		return p.showWords(ctx, c, err)
	}
	return Answer{To: Root + "custody?done=" + done}, nil
}

func (p *Pages) admit(ctx context.Context, c *Call) (Answer, error) {
	return p.review(ctx, c, "admitted", func(id syncproto.ChangeID) error { return p.cfg.Custody.Admit(ctx, c.User, id) })
}

func (p *Pages) admitAddendum(ctx context.Context, c *Call) (Answer, error) {
	return p.review(ctx, c, "admitted", func(id syncproto.ChangeID) error { return p.cfg.Custody.AdmitAddendum(ctx, c.User, id) })
}

func (p *Pages) keepAway(ctx context.Context, c *Call) (Answer, error) {
	return p.review(ctx, c, "kept", func(id syncproto.ChangeID) error {
		return p.cfg.Custody.KeepAway(ctx, c.User, id, c.Form.Get("reason"))
	})
}

func isNotFound(err error) bool { return errors.Is(err, syncproto.CodeNotFound) }
