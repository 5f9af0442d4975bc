package pages

import (
	"context"
	"errors"
	"net/url"
	"slices"
	"time"

	"doorstep/server/internal/doors"
	"doorstep/syncproto"
)

// shut is a restricted file on the page of oversight.
func (s *speaker) shut(c *Call, e *doors.Shut) shutRow {
	p := s.pages
	out := shutRow{Family: orElse(p.cfg.Records.FamilyName(c.User, e.Family), "A family"), Why: restrictionWords[e.Category], Words: e.Reason,
		By: s.person(e.By), ReviewBy: s.Moment(e.ReviewMS), Overdue: e.ReviewMS < p.cfg.Now().UnixMilli()}
	of := "?" + url.Values{"category": {e.Category}}.Encode()
	if p.cfg.Doors.MayLift(c.User, e.Family) {
		out.Lift = familyAddress(e.Family) + "/lift" + of
	}
	if p.cfg.Doors.MayRestrict(c.User, e.Family) {
		out.Renew = familyAddress(e.Family) + "/restrict" + of
	}
	return out
}

func familyAddress(family syncproto.FamilyID) string { return Root + "families/" + family.String() }

// familyHere is the family in the path. What is no id names nothing.
func (c *Call) familyHere() (syncproto.FamilyID, error) {
	id, err := c.record()
	return syncproto.FamilyID(id), err
}

// shutHere is the restriction that an address names, if the caller may know of it.
func (p *Pages) shutHere(ctx context.Context, c *Call) (doors.Shut, error) {
	family, err := c.familyHere()
	if err != nil {
		return doors.Shut{}, err
	}
	list := p.cfg.Doors.Restrictions(ctx, c.User)
	at := slices.IndexFunc(list, func(e doors.Shut) bool { return e.Family == family && e.Category == c.Query.Get("category") })
	if at < 0 {
		return doors.Shut{}, syncproto.CodeNotFound
	}
	return list[at], nil
}

// doorForm shows a form about a family's file, with what was wrong with it.
func (p *Pages) doorForm(c *Call, in formPage, refused error) (Answer, error) {
	in.Token, in.Hidden = c.FormToken, append(in.Hidden, pair{RequestName, c.Request})
	s := shell{Title: in.Heading, Here: oversightRoot, Content: in}
	if refused != nil {
		s.Problems = refusedFor(refused, "#"+in.Fields[len(in.Fields)-1].ID)
	}
	body, err := p.show(c, "form.html", s)
	return Answer{Body: body}, errors.Join(refused, err)
}

// refusedDoor shows a form again with why it was refused; of what the caller may not know
// there is no form.
func (p *Pages) refusedDoor(err error, ask func(error) (Answer, error)) (Answer, error) {
	if isNotFound(err) || errors.Is(err, syncproto.CodeForbidden) {
		return Answer{}, err
	}
	return ask(err)
}

// lift is the form that takes a restriction off a file.
func (p *Pages) lift(ctx context.Context, c *Call) (Answer, error) { return p.askLift(ctx, c, nil) }

func (p *Pages) askLift(ctx context.Context, c *Call, refused error) (Answer, error) {
	e, err := p.shutHere(ctx, c)
	if err != nil {
		return Answer{}, err
	}
	if !p.cfg.Doors.MayLift(c.User, e.Family) {
		return Answer{}, syncproto.CodeForbidden
	}
	say, row := p.speaker(c), p.speaker(c).shut(c, &e)
	in := formPage{Heading: "Lift a restriction: " + row.Family, Action: row.Lift, Back: oversightRoot, BackText: "Back to oversight", Submit: "Lift the restriction", Warning: true,
		About:  []line{{Text: row.Why}, {Text: row.Words, By: say.person(e.By) + ", " + say.Moment(e.AtMS), Prose: true}},
		Note:   "Everybody who has to do with the family can read its file again, and it goes back onto their tablets. Another restriction of the same file stays.",
		Fields: []control{words(&sight{Call: c}, "reason", "Why it is lifted", "Whoever looks at the audit log reads this.")}}
	return p.doorForm(c, in, refused)
}

func (p *Pages) sendLift(ctx context.Context, c *Call) (Answer, error) {
	e, err := p.shutHere(ctx, c)
	if err == nil {
		err = p.cfg.Doors.Lift(ctx, c.User, e.Family, e.Category, c.Form.Get("reason"))
	}
	if err != nil {
		return p.refusedDoor(err, func(err error) (Answer, error) { return p.askLift(ctx, c, err) })
	}
	return Answer{To: oversightRoot + "?done=lifted"}, nil
}

// restrict is the form that shuts a family's file, or keeps it shut after a review.
func (p *Pages) restrict(ctx context.Context, c *Call) (Answer, error) {
	return p.askRestrict(ctx, c, nil)
}

func (p *Pages) askRestrict(_ context.Context, c *Call, refused error) (Answer, error) {
	family, err := c.familyHere()
	if err != nil {
		return Answer{}, err
	}
	if !p.cfg.Doors.MayRestrict(c.User, family) {
		return Answer{}, syncproto.CodeNotFound
	}
	why := control{Kind: "choice", ID: "category", Name: "category", Label: "Why the file is restricted"}
	chosen := orElse(c.Form.Get("category"), c.Query.Get("category"))
	for _, category := range doors.Categories() {
		why.Items = append(why.Items, option{Value: category, Text: restrictionWords[category], Checked: category == chosen})
	}
	day := control{Kind: "input", ID: "review", Name: "review", Label: "To be looked at again by", Hint: "Within 90 days.", Type: "date",
		Value: orElse(c.Form.Get("review"), p.cfg.Now().In(p.cfg.Zone).AddDate(0, 0, 84).Format(typedDay))}
	in := formPage{Heading: "Restrict a file: " + orElse(p.cfg.Records.FamilyName(c.User, family), "A family"), Action: familyAddress(family) + "/restrict",
		Back: oversightRoot, BackText: "Back to oversight", Submit: "Restrict the file", Warning: true,
		Note:   "From now on only who is let in by name reads it, and what of it is on tablets is removed there. You may be shut out yourself.",
		Fields: []control{why, day, words(&sight{Call: c}, "reason", "In words", "Whoever decides about it reads this.")}}
	return p.doorForm(c, in, refused)
}

func (p *Pages) sendRestrict(ctx context.Context, c *Call) (Answer, error) {
	family, err := c.familyHere()
	if err != nil {
		return Answer{}, err
	}
	review, err := time.ParseInLocation(typedDay, c.Form.Get("review"), p.cfg.Zone)
	if err != nil {
		review = time.Time{} // refused below, in words
	}
	err = p.cfg.Doors.Restrict(ctx, c.User, doors.Restriction{Family: family, Category: c.Form.Get("category"), Reason: c.Form.Get("reason"), ReviewMS: review.UnixMilli()})
	if err != nil {
		return p.refusedDoor(err, func(err error) (Answer, error) { return p.askRestrict(ctx, c, err) })
	}
	return Answer{To: oversightRoot + "?done=restricted"}, nil
}
