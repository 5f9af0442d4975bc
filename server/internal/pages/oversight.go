package pages

import (
	"context"
	"errors"
	"strconv"

	"doorstep/server/internal/doors"
	"doorstep/server/internal/reading"
	"doorstep/syncproto"
)

// oversightRoot is the page of what managers, and whoever else oversees, look after.
const oversightRoot = Root + "oversight"

// Doors shows which files are shut, and who opened one in an emergency: a *doors.Service.
type Doors interface {
	Restrictions(context.Context, syncproto.UserID) []doors.Shut
	Openings(context.Context, syncproto.UserID) []doors.Emergency
	Open(context.Context, syncproto.UserID, doors.Opening) (doors.Emergency, error)
	Review(ctx context.Context, by syncproto.UserID, id syncproto.ID, finding, note string) error
	Restrict(context.Context, syncproto.UserID, doors.Restriction) error
	Lift(ctx context.Context, by syncproto.UserID, family syncproto.FamilyID, category, reason string) error
	MayRestrict(by syncproto.UserID, family syncproto.FamilyID) bool
	MayLift(by syncproto.UserID, family syncproto.FamilyID) bool
}

// oversightPage is what waits for whoever oversees.
type oversightPage struct {
	Token    string
	Links    []linkTo
	Counts   []linkTo // what waits on other pages
	Lists    []heedList
	Openings []openingRow
	Shut     []shutRow
	Quiet    bool
}

type heedList struct {
	Heading string
	Rows    []heedRow
}

type heedRow struct {
	What, Href, Family string
	Since              string
	State              tag
}

type openingRow struct {
	Family, Who, When, Why, Words string
	State                         tag
	Review                        string // where a review is sent; empty: not by the caller
	ID                            string
	Finding, Note                 control
}

type shutRow struct {
	Family, Why, Words, By, ReviewBy string
	Overdue                          bool
	Lift, Renew                      string // where it is lifted and kept on; empty: not by the caller
}

// heedHeadings head the lists, in the order of package reading's sorts.
var heedHeadings = [...]string{
	reading.HeedInjury:      "Marks and injuries seen in the last four weeks",
	reading.HeedNotSeen:     "Children who were not seen on a visit",
	reading.HeedFailed:      "Visits that did not take place",
	reading.HeedRemoval:     "Taken out of a plan, and in force until you decide",
	reading.HeedBottomLine:  "Not up for discussion: waiting for your word",
	reading.HeedSupervision: "Families not talked over in supervision for four weeks",
}

func (p *Pages) oversight(ctx context.Context, c *Call) (Answer, error) {
	return p.oversee(ctx, c, nil)
}

func (p *Pages) oversee(ctx context.Context, c *Call, refused error) (Answer, error) {
	heeds, err := p.cfg.Records.Heeds(ctx, c.User)
	if err != nil {
		return Answer{}, err
	}
	say := p.speaker(c)
	in := oversightPage{Token: c.FormToken, Lists: say.heedLists(heeds)}
	for _, e := range p.cfg.Doors.Openings(ctx, c.User) {
		in.Openings = append(in.Openings, say.opening(c, &e))
	}
	for _, e := range p.cfg.Doors.Restrictions(ctx, c.User) {
		in.Shut = append(in.Shut, say.shut(c, &e))
	}
	if in.Counts, err = p.waitingElsewhere(ctx, c); err != nil {
		return Answer{}, err
	}
	in.Quiet = len(in.Lists)+len(in.Openings)+len(in.Shut)+len(in.Counts) == 0
	in.Links = []linkTo{{Text: "Time given back", Href: Root + "time"}, {Text: "What the case-management system has not got yet", Href: Root + "delivery"},
		{Text: "What came from the case-management system", Href: Root + "imports"}, {Text: "Open a file in an emergency", Href: Root + "emergency"}}
	s := shell{Title: "Oversight", Here: oversightRoot, Content: in}
	if refused != nil {
		s.Problems = refusedFor(refused, "#main")
	}
	body, err := p.show(c, "oversight.html", s)
	return Answer{Body: body}, errors.Join(refused, err)
}

// waitingElsewhere counts what other pages list, and whoever oversees must not forget.
func (p *Pages) waitingElsewhere(ctx context.Context, c *Call) (out []linkTo, err error) {
	custody, err := p.cfg.Records.Custody(ctx, c.User)
	if err != nil {
		return nil, err
	}
	waiting, overdue := 0, 0
	for i := range custody {
		if custody[i].MayReview && custody[i].Code != syncproto.CodeKeptAway {
			waiting++
		}
	}
	chased, err := p.cfg.Records.Chase(ctx, c.User)
	if err != nil {
		return nil, err
	}
	for i := range chased {
		if chased[i].Overdue {
			overdue++
		}
	}
	for _, one := range []struct {
		n          int
		text, href string
	}{{waiting, " in custody, for you to review", "custody"}, {overdue, " overdue on the chasing list", "chasing"}} {
		if one.n > 0 {
			out = append(out, linkTo{Text: strconv.Itoa(one.n) + one.text, Href: Root + one.href})
		}
	}
	return out, nil
}

func (s *speaker) heedLists(list []reading.Heeded) (out []heedList) {
	for i := range list {
		heading := heedHeadings[list[i].What]
		if n := len(out); n == 0 || out[n-1].Heading != heading {
			out = append(out, heedList{Heading: heading})
		}
		last := &out[len(out)-1]
		last.Rows = append(last.Rows, s.heedRow(&list[i]))
	}
	return out
}

func (s *speaker) heedRow(one *reading.Heeded) heedRow {
	out := heedRow{Family: s.pages.cfg.Records.FamilyName(s.user, one.Family)}
	if !one.Record.IsZero() {
		out.What, out.Href = s.title(one.Record), to(one.Record)
	}
	if child := s.title(one.Child); !one.Child.IsZero() && child != "" {
		out.What = child + ", " + out.What
	}
	if out.What == "" {
		out.What, out.Href = orElse(out.Family, "A family"), Root+"families/"+one.Family.String()
	}
	if one.SinceMS != 0 {
		out.Since = s.Moment(one.SinceMS)
	}
	switch {
	case one.What == reading.HeedSupervision && one.SinceMS == 0:
		out.State = tag{"None on file", "red"}
	case one.What >= reading.HeedRemoval && one.What < reading.HeedSupervision:
		out.State = tag{"Waits for you", "yellow"}
	case one.What == reading.HeedSupervision:
		out.State = tag{"Overdue", "red"}
	case one.Told:
		out.State = tag{"Manager told", "green"}
	case one.Overdue:
		out.State = tag{"No manager told within a day", "red"}
	default:
		out.State = tag{"No manager told yet", "yellow"}
	}
	return out
}

// emergencyWords say why a file was opened, restrictionWords why one is shut, and
// findingWords what a review found.
var (
	emergencyWords = map[string]string{"CHILD_AT_RISK": "A child is at risk", "POLICE_REQUEST": "The police asked", "HOSPITAL": "A child is in hospital",
		"MISSING_CHILD": "A child is missing", "OUT_OF_HOURS_CALL": "A call out of hours", "OTHER": "Another reason"}
	restrictionWords = map[string]string{"STAFF": "A colleague, or a colleague's relative", "HIGH_PROFILE": "In the public eye", "HIGH_RISK": "High risk",
		"ADOPTION": "The file from before an adoption", "REVIEW": "A review"}
	findingWords = map[string]string{"JUSTIFIED": "Justified", "NOT_JUSTIFIED": "Not justified", "UNCLEAR": "Unclear"}
)

func (s *speaker) opening(c *Call, e *doors.Emergency) openingRow {
	out := openingRow{Family: orElse(s.pages.cfg.Records.FamilyName(s.user, e.Family), "A family"), Who: s.person(e.User), When: s.Moment(e.FromMS),
		Why: emergencyWords[e.Code], Words: e.Text, ID: e.ID.String(), State: tag{"Not reviewed yet", "yellow"}}
	if e.ClosedMS != 0 {
		out.State = tag{findingWords[e.Finding], "grey"}
		return out
	}
	if e.User == s.user || e.Text == "" {
		return out
	}
	out.Review = Root + "openings/" + out.ID + "/review"
	out.Finding = control{Kind: "choice", ID: "finding-" + out.ID, Name: "finding", Label: "What you found"}
	for _, f := range doors.Findings() {
		out.Finding.Items = append(out.Finding.Items, option{Value: f, Text: findingWords[f]})
	}
	out.Note = control{Kind: "textarea", ID: "note-" + out.ID, Name: "note", Label: "In words", Rows: 3}
	if c.Param == out.ID {
		out.Note.Value = c.Form.Get("note")
	}
	return out
}

func (p *Pages) reviewOpening(ctx context.Context, c *Call) (Answer, error) {
	id, err := syncproto.ParseID(c.Param)
	if err != nil {
		return Answer{}, syncproto.CodeNotFound
	}
	if err := p.cfg.Doors.Review(ctx, c.User, id, c.Form.Get("finding"), c.Form.Get("note")); err != nil {
		if isNotFound(err) || errors.Is(err, syncproto.CodeForbidden) {
			return Answer{}, err
		}
		return p.oversee(ctx, c, err)
	}
	return Answer{To: oversightRoot + "?done=reviewed"}, nil
}

// refusedFor puts a refusal into words, in those that it brings if it does.
func refusedFor(err error, href string) []problem {
	var told *doors.Refusal
	var code syncproto.Code
	switch {
	case errors.As(err, &told):
		return []problem{{Text: told.Plain, Href: href}}
	case errors.As(err, &code):
		return []problem{{Text: refusedWords(code), Href: href}}
	}
	return []problem{{Text: refusedWords(syncproto.CodeInternal), Href: href}}
}

// emergencyPage asks why a file is to be opened.
type emergencyPage struct {
	Token  string
	Fields []control
}

func (p *Pages) emergency(ctx context.Context, c *Call) (Answer, error) {
	return p.askEmergency(ctx, c, nil)
}

func (p *Pages) askEmergency(_ context.Context, c *Call, refused error) (Answer, error) {
	why := control{Kind: "choice", ID: "code", Name: "code", Label: "Why"}
	for _, reason := range doors.Reasons() {
		why.Items = append(why.Items, option{Value: reason, Text: emergencyWords[reason], Checked: c.Form.Get("code") == reason})
	}
	in := emergencyPage{Token: c.FormToken, Fields: []control{
		{Kind: "input", ID: "reference", Name: "reference", Label: "The family's number in the case-management system", Type: "text", Autocomplete: "off", Value: c.Form.Get("reference")},
		why, {Kind: "textarea", ID: "text", Name: "text", Label: "What happened", Hint: "Whoever reviews it reads this.", Rows: 4, Value: c.Form.Get("text")}}}
	s := shell{Title: "Open a file in an emergency", Here: oversightRoot, Content: in}
	if refused != nil {
		s.Problems = refusedFor(refused, "#reference")
	}
	body, err := p.show(c, "emergency.html", s)
	return Answer{Body: body}, errors.Join(refused, err)
}

func (p *Pages) openFile(ctx context.Context, c *Call) (Answer, error) {
	opened, err := p.cfg.Doors.Open(ctx, c.User, doors.Opening{Reference: orElse(c.Form.Get("reference"), "-"), Code: c.Form.Get("code"), Text: c.Form.Get("text")})
	if err != nil {
		return p.askEmergency(ctx, c, err)
	}
	return Answer{To: Root + "families/" + opened.Family.String() + "?done=opened"}, nil
}
