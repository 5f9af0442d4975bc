package pages

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"doorstep/server/internal/reading"
	"doorstep/server/internal/wording"
	"doorstep/syncproto"
	"doorstep/syncproto/clocks"
	"doorstep/syncproto/schema"
)

// familiesPage lists the families that the caller may read.
type familiesPage struct {
	Rows         []familyRow
	Newer, Older string
}

type familyRow struct{ Name, Href, Why string }

func (p *Pages) families(ctx context.Context, c *Call) (Answer, error) {
	list, err := p.cfg.Records.Families(ctx, c.User)
	if err != nil {
		return Answer{}, err
	}
	var in familiesPage
	for _, f := range list {
		in.Rows = append(in.Rows, familyRow{Name: orElse(p.cfg.Records.FamilyName(c.User, f.ID), "A family"), Href: Root + "families/" + f.ID.String(),
			Why: footing(f.Basis)})
	}
	slices.SortStableFunc(in.Rows, func(a, b familyRow) int { return cmp.Compare(a.Name, b.Name) })
	in.Rows, in.Newer, in.Older = onPage(c, in.Rows)
	body, err := p.show(c, "families.html", shell{Title: "Families", Here: Root + "families", Content: in})
	return Answer{Body: body}, err
}

// footings say on which footing somebody reads a family's file.
var footings = map[string]string{
	"COORD": "Your team's family", "MANAGER": "Your team's family", "TEAM": "Your team's family", "SUPPORT": "Your team's family",
	"LEAD": "You are the lead worker", "CO": "You work on the case", "BREAK_GLASS": "Opened in an emergency", "CHAIR": "You chair the conference",
	"IRO": "You are the reviewing officer", "SAMPLE": "Part of a sample", "REQUEST": "Somebody asked to see it", "JOINT": "A joint visit",
	"COVER": "You cover for a colleague", "CONSULT": "You are consulted", "OBSERVE": "You observe practice", "VOL": "You are matched with the family",
}

func footing(bases []string) string {
	var out []string
	for _, b := range bases {
		if words := footings[b]; words != "" && !slices.Contains(out, words) {
			out = append(out, words)
		}
	}
	return strings.Join(out, "; ")
}

// familyPage is one family: who must be seen by when, and its records.
type familyPage struct {
	Acts  []linkTo
	Due   []dueRow
	Kinds []kindRows
	Moved []string // what was taken out of it because it belongs in another file
}

type kindRows struct {
	Heading string
	Rows    []recordRow
}

type recordRow struct {
	Title, Href string
	Final       bool
	happenedMS  int64
}

func (p *Pages) family(ctx context.Context, c *Call) (Answer, error) {
	id, err := c.record()
	if err != nil {
		return Answer{}, err
	}
	family := syncproto.FamilyID(id)
	records, err := p.cfg.Records.FamilyRecords(ctx, c.User, family)
	if err != nil {
		return Answer{}, err
	}
	due, err := p.cfg.Records.FamilyDue(ctx, c.User, family)
	if err != nil && !isNotFound(err) { // who may not know what is due is shown the rest
		return Answer{}, err
	}
	say := p.speaker(c)
	in := familyPage{Due: say.dueRows(due), Kinds: say.kindRows(records), Moved: say.movedAway(p.cfg.Records.MovedAway(ctx, c.User, family))}
	if len(p.cfg.Workflow.Beginnings(ctx, c.worker(), family)) > 0 {
		in.Acts = append(in.Acts, linkTo{Text: "Type up minutes or a worker's notes", Href: familyAddress(family) + "/type-up"})
	}
	if p.cfg.Doors.MayRestrict(c.User, family) {
		in.Acts = append(in.Acts, linkTo{Text: "Restrict this file", Href: familyAddress(family) + "/restrict"})
	}
	body, err := p.show(c, "family.html", shell{Title: orElse(p.cfg.Records.FamilyName(c.User, family), "A family"), Content: in})
	return Answer{Body: body}, err
}

// kindRows groups a family's records by kind, in the order of the schema, the newest first.
func (s *speaker) kindRows(records []reading.Record) []kindRows {
	var out []kindRows
	for _, k := range schema.All() {
		if newest, _ := schema.Newest(k.ID); newest != k || k.Part != "" {
			continue // a part is shown with its whole
		}
		group := kindRows{Heading: s.pages.plural(k)}
		for _, r := range records {
			if title := ""; r.Kind == k.ID {
				if title = s.title(r.ID); title != "" {
					group.Rows = append(group.Rows, recordRow{Title: title, Href: to(r.ID), Final: r.Sealed, happenedMS: s.pages.cfg.Records.Happened(s.user, r.ID)})
				}
			}
		}
		slices.SortStableFunc(group.Rows, func(a, b recordRow) int {
			return cmp.Or(cmp.Compare(b.happenedMS, a.happenedMS), strings.Compare(a.Title, b.Title))
		})
		if len(group.Rows) > 0 {
			out = append(out, group)
		}
	}
	return out
}

// plural heads a list of records of a kind.
func (p *Pages) plural(k *schema.Kind) string {
	switch k.ID {
	case "person":
		return "People"
	case "family":
		return "The family"
	case "status":
		return "Statuses"
	}
	name := p.cfg.Records.Names().Kind(k.ID)
	first, size := utf8.DecodeRuneInString(name)
	name = string(unicode.ToUpper(first)) + name[size:]
	if strings.HasSuffix(name, "y") {
		return strings.TrimSuffix(name, "y") + "ies"
	}
	return name + "s"
}

// dueRow is one day by which a child must be seen, and why.
type dueRow struct {
	Child, Family, Href string
	What                string
	By, Why, Owes       string
	State               tag
	day                 clocks.Day
}

func (s *speaker) dueRows(list []reading.ChildDue) []dueRow {
	var out []dueRow
	for _, d := range list {
		base := dueRow{Child: orElse(s.title(d.Child), "A child"), Family: s.pages.cfg.Records.FamilyName(s.user, d.Family), Href: Root + "families/" + d.Family.String()}
		for _, v := range d.Visits {
			row := base
			row.What, row.By, row.Why, row.State, row.Owes, row.day = visitWords(v.Visit), v.On.String(), v.Why(), nearness(v.State), owes(v), v.On
			out = append(out, row)
		}
		if d.SeeBy != clocks.NoDay {
			row := base
			row.What, row.By, row.Why = "Must be seen", d.SeeBy.String(), "The visit of "+d.Failed.String()+" failed, and nobody has seen the child since"
			row.State, row.day = tag{"Failed visit", "red"}, d.SeeBy
			out = append(out, row)
		}
		if d.Unseen || d.UnseenBySocialWork {
			row := base
			row.What, row.Why, row.State = "Not seen for too long", "No social worker has seen the child for longer than the borough allows", tag{"Not seen", "red"}
			if d.Unseen {
				row.Why = "Nobody has seen the child for longer than the borough allows"
			}
			out = append(out, row)
		}
	}
	slices.SortStableFunc(out, func(a, b dueRow) int { return cmp.Compare(a.day, b.day) })
	return out
}

func nearness(s clocks.State) tag {
	switch s {
	case clocks.Overdue:
		return tag{"Overdue", "red"}
	case clocks.Soon:
		return tag{"Due soon", "yellow"}
	}
	return tag{"On time", "green"}
}

func visitWords(code string) string {
	kind, _ := schema.Newest("visit")
	f, _ := kind.Field("visit_type")
	if code == "" {
		return "Visit"
	}
	return wording.Code(f, code) + " visit"
}

// owes says what the next visit must do besides.
func owes(d clocks.Due) string {
	var out []string
	for _, o := range []struct {
		owed bool
		what string
	}{{d.Alone, "see the child alone"}, {d.Bedroom, "see the bedroom"}, {d.Home, "be where the child lives"}} {
		if o.owed {
			out = append(out, o.what)
		}
	}
	if out == nil {
		return ""
	}
	return "It must " + strings.Join(out, " and ")
}
