package api

import (
	"doorstep/server/internal/reading"
	"doorstep/syncproto"
	"doorstep/syncproto/clocks"
)

// DueList is which children must be seen by when.
type DueList struct {
	Children []ChildDueJSON    `json:"children" doc:"By family and child; children of whom nothing is due are left out."`
	People   map[string]string `json:"people,omitempty" doc:"Of all families: names of the colleagues who work with them, by id, for a tablet that has no signal later."`
	// Tablets say on which device words were written.
	Tablets map[string]string `json:"tablets,omitempty" doc:"Of all families: what the tablets of these colleagues are called, by device."`
	Files   []FileJSON        `json:"files,omitempty" doc:"Of all families: files in which the caller may begin records and that are never on their tablets, or not with what they are called; by name."`
}

// FileJSON is a file in which records can be begun and that tablets do not carry, or cannot name.
type FileJSON struct {
	Family string   `json:"family" doc:"Its id."`
	Name   string   `json:"name" doc:"Whose it is: the worker whom the caller supervises or observes, the family, or the family's volunteer; empty where the caller may not know."`
	Kinds  []string `json:"kinds" doc:"The kinds of which records may be begun, e.g. volunteer_match."`
}

// ChildDueJSON is what is due for one child.
type ChildDueJSON struct {
	Family string         `json:"family" doc:"Id of the family."`
	Child  string         `json:"child" doc:"Record of the person."`
	Visits []VisitDueJSON `json:"visits" doc:"One for each type of visit that the child's status asks for."`
	Failed string         `json:"failed,omitempty" doc:"Day of the last visit that failed, if nobody has seen the child since."`
	SeeBy  string         `json:"see_by,omitempty" doc:"Day by which the child must be seen after it."`
	Unseen string         `json:"unseen,omitempty" doc:"social_work: no social worker has seen the child for too long. anybody: nobody has."`
}

// VisitDueJSON is one day by which a child must be visited, and why.
type VisitDueJSON struct {
	Type  string `json:"type" doc:"Type of visit, e.g. CP."`
	By    string `json:"by" doc:"The day, e.g. 2026-05-03."`
	State string `json:"state" doc:"on_time, soon or overdue."`
	Why   string `json:"why" doc:"What it rests on and what it is counted from, e.g. \"Reg 28(2)(b): 6 weeks from 3 May 2026\"."`
	// What why says, in parts, for who says it in another language.
	Basis   string `json:"basis" doc:"What it rests on: a regulation, e.g. \"Reg 28(2)(b)\", who decided it, \"Local policy\" or \"The plan\"."`
	Every   int64  `json:"every" doc:"How many units of time may pass."`
	Unit    string `json:"unit" doc:"WD (working days), CD (days), WEEK or MONTH."`
	From    string `json:"from" doc:"The day that it is counted from."`
	Last    string `json:"last,omitempty" doc:"Day of the last visit that counts."`
	Alone   bool   `json:"alone" doc:"The next visit must see the child alone."`
	Bedroom bool   `json:"bedroom" doc:"The next visit must see the bedroom."`
	Home    bool   `json:"home" doc:"The next visit must be where the child lives."`
}

func (a *API) due(c *call, _ *none) (*DueList, error) {
	list, err := a.cfg.Records.Due(c.ctx, c.caller.User)
	if err != nil {
		return nil, err
	}
	out := dueList(list)
	p, colleagues := a.newPeople(), a.cfg.Records.Colleagues(c.caller.User)
	for _, user := range colleagues {
		p.id(user)
	}
	out.People, out.Tablets = p.names, map[string]string{}
	for id, name := range a.cfg.Records.Tablets(colleagues) {
		out.Tablets[id.String()] = name
	}
	for _, f := range a.cfg.Records.Elsewhere(c.caller.User) {
		out.Files = append(out.Files, FileJSON{Family: f.ID.String(), Name: f.Name, Kinds: f.Kinds})
	}
	return out, nil
}

func (a *API) familyDue(c *call, _ *none) (*DueList, error) {
	id, err := c.id()
	if err != nil {
		return nil, err
	}
	list, err := a.cfg.Records.FamilyDue(c.ctx, c.caller.User, syncproto.FamilyID(id))
	if err != nil {
		return nil, err
	}
	return dueList(list), nil
}

func dueList(list []reading.ChildDue) *DueList {
	out := &DueList{Children: make([]ChildDueJSON, 0, len(list))}
	for _, d := range list {
		j := ChildDueJSON{Family: d.Family.String(), Child: d.Child.String(), Visits: make([]VisitDueJSON, 0, len(d.Visits)),
			Failed: dayJSON(d.Failed), SeeBy: dayJSON(d.SeeBy), Unseen: unseen(d)}
		for _, v := range d.Visits {
			j.Visits = append(j.Visits, VisitDueJSON{Type: v.Visit, By: dayJSON(v.On), State: nearness(v.State), Why: v.Why(), Basis: v.Basis, Every: int64(v.Every.N), Unit: string(v.Every.Unit), From: dayJSON(v.From),
				Last: dayJSON(v.Last), Alone: v.Alone, Bedroom: v.Bedroom, Home: v.Home})
		}
		out.Children = append(out.Children, j)
	}
	return out
}

func unseen(d reading.ChildDue) string {
	switch {
	case d.Unseen:
		return "anybody"
	case d.UnseenBySocialWork:
		return "social_work"
	}
	return ""
}

func nearness(s clocks.State) string {
	switch s {
	case clocks.Overdue:
		return "overdue"
	case clocks.Soon:
		return "soon"
	}
	return "on_time"
}

func dayJSON(d clocks.Day) string {
	if d == clocks.NoDay {
		return ""
	}
	return d.ISO()
}
