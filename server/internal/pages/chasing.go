package pages

import (
	"context"

	"doorstep/server/internal/reading"
	"doorstep/server/internal/wording"
	"doorstep/syncproto/clocks"
	"doorstep/syncproto/schema"
)

// chasingPage is everything that somebody has to be reminded of.
type chasingPage struct {
	Due    []dueRow // visits that are overdue or due soon, and children who must be seen
	Lists  []chaseList
	Nobody bool // there is nothing to chase
}

type chaseList struct {
	Heading string
	Rows    []chaseRow
}

type chaseRow struct {
	What, Href, Family string
	Whom               string
	Since, By          string
	Overdue            bool
}

// chaseHeadings head the lists, in the order of package reading's sorts.
var chaseHeadings = [...]string{
	reading.ChaseDraft:     "Visits not handed over in time",
	reading.ChaseQuery:     "Questions without an answer",
	reading.ChaseAction:    "Actions",
	reading.ChaseReview:    "Plans to be reviewed",
	reading.ChaseSignature: "Plans that nobody has signed",
	reading.ChaseCopy:      "Plans of which nobody has a copy",
	reading.ChaseInterview: "Return interviews to be offered within 72 hours",
	reading.ChaseMeeting:   "Meetings of which there are no minutes",
	reading.ChaseConfirm:   "Typed up, and not confirmed in time",
	reading.ChaseTablet:    "Tablets that have not been in touch for a day",
}

func (p *Pages) chasing(ctx context.Context, c *Call) (Answer, error) {
	due, err := p.cfg.Records.Due(ctx, c.User)
	if err != nil {
		return Answer{}, err
	}
	list, err := p.cfg.Records.Chase(ctx, c.User)
	if err != nil {
		return Answer{}, err
	}
	say := p.speaker(c)
	var in chasingPage
	for _, row := range say.dueRows(due) {
		if row.State.Text != nearness(clocks.OnTime).Text {
			in.Due = append(in.Due, row)
		}
	}
	for _, one := range list {
		heading := chaseHeadings[one.What]
		if n := len(in.Lists); n == 0 || in.Lists[n-1].Heading != heading {
			in.Lists = append(in.Lists, chaseList{Heading: heading})
		}
		last := &in.Lists[len(in.Lists)-1]
		last.Rows = append(last.Rows, say.chaseRow(&one))
	}
	in.Nobody = len(in.Due) == 0 && len(in.Lists) == 0
	body, err := p.show(c, "chasing.html", shell{Title: "Chasing list", Here: Root + "chasing", Content: in})
	return Answer{Body: body}, err
}

func meetingWords(code string) string {
	kind, _ := schema.Newest("minutes")
	f, _ := kind.Field("type")
	return wording.Code(f, code)
}

func (s *speaker) chaseRow(one *reading.Chased) chaseRow {
	out := chaseRow{Family: s.pages.cfg.Records.FamilyName(s.user, one.Family), Whom: s.person(one.Whom), Overdue: one.Overdue}
	if title := s.title(one.Record); title != "" && !one.Record.IsZero() {
		out.What, out.Href = title, to(one.Record)
	}
	if out.What == "" {
		out.What, out.Href = orElse(s.title(one.About), out.Family), Root+"families/"+one.Family.String()
	}
	if one.What == reading.ChaseMeeting {
		out.What = meetingWords(one.Meeting)
	}
	if one.What == reading.ChaseTablet {
		name, _ := s.pages.cfg.Records.DeviceName(one.Device)
		out.What, out.Href = orElse(name, "A tablet"), ""
	}
	if one.SinceMS != 0 {
		out.Since = s.Moment(one.SinceMS)
	}
	if one.By != clocks.NoDay {
		out.By = one.By.String()
	}
	return out
}
