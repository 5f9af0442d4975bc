package api

import (
	"context"

	"doorstep/server/internal/doors"
	"doorstep/syncproto"
)

// Doors opens and shuts families' files beside their allocations (package doors);
// it asks access itself. A refusal has words for the person (*doors.Refusal).
type Doors interface {
	Of(ctx context.Context, by syncproto.UserID, family syncproto.FamilyID) (doors.Doors, error)
	Give(ctx context.Context, by syncproto.UserID, g doors.Grant) (syncproto.ID, error)
	Withdraw(ctx context.Context, by syncproto.UserID, id syncproto.ID, reason string) error
	Restrict(ctx context.Context, by syncproto.UserID, r doors.Restriction) error
	Lift(ctx context.Context, by syncproto.UserID, family syncproto.FamilyID, category, reason string) error
	Restrictions(ctx context.Context, by syncproto.UserID) []doors.Shut
	Open(ctx context.Context, by syncproto.UserID, o doors.Opening) (doors.Emergency, error)
	Openings(ctx context.Context, by syncproto.UserID) []doors.Emergency
	Review(ctx context.Context, by syncproto.UserID, id syncproto.ID, finding, note string) error
	Counts(ctx context.Context, by syncproto.UserID) ([]doors.Count, error)
}

// GrantRequest is the body of a grant.
type GrantRequest struct {
	User   string `json:"user" validate:"required,len=32,hexadecimal,lowercase" doc:"Who is given it."`
	Basis  string `json:"basis" validate:"required,oneof=JOINT COVER CONSULT OBSERVE SAMPLE REQUEST SHARED NAMED DENIED" doc:"JOINT, COVER, CONSULT or OBSERVE, by a manager of the family's team; SAMPLE, REQUEST, SHARED, or NAMED (into a restricted file, on the footing that the person has besides), by information governance; DENIED keeps the person out."`
	FromMS int64  `json:"from_ms,omitempty" validate:"min=0" doc:"From when, Unix milliseconds; left out: from now."`
	ToMS   int64  `json:"to_ms,omitempty" validate:"min=0" doc:"Until when, Unix milliseconds, at most 366 days, for NAMED 90. Only DENIED may do without."`
	Reason string `json:"reason" validate:"required,maxbytes=2000" doc:"Why."`
}

// GrantDone names a grant.
type GrantDone struct {
	Grant string `json:"grant" doc:"The grant's id."`
}

// ReasonRequest is the body of what takes a reason alone.
type ReasonRequest struct {
	Reason string `json:"reason" validate:"required,maxbytes=2000" doc:"Why."`
}

// RestrictRequest is the body of a restriction.
type RestrictRequest struct {
	Category string `json:"category" validate:"required,oneof=STAFF HIGH_PROFILE HIGH_RISK ADOPTION REVIEW" doc:"Why the file is shut."`
	Reason   string `json:"reason" validate:"required,maxbytes=2000" doc:"In words."`
	ReviewMS int64  `json:"review_ms" validate:"required,min=1" doc:"By when it is looked at again, Unix milliseconds, at most 90 days away. A review that is overdue lifts nothing."`
}

// LiftRequest is the body that lifts a restriction.
type LiftRequest struct {
	Category string `json:"category" validate:"required,oneof=STAFF HIGH_PROFILE HIGH_RISK ADOPTION REVIEW" doc:"Which."`
	Reason   string `json:"reason" validate:"required,maxbytes=2000" doc:"Why."`
}

// DoorList is who may come into a family's file, and what shuts it.
type DoorList struct {
	Grants       []GrantJSON       `json:"grants" doc:"Allocations and grants, those that have not begun or that lapsed among them; the one that begins first first."`
	Restrictions []RestrictionJSON `json:"restrictions" doc:"In force."`
	People       map[string]string `json:"people" doc:"Names of the people in it, by id."`
}

// GrantJSON is one allocation or grant.
type GrantJSON struct {
	Grant  string `json:"grant" doc:"Its id; of an allocation, the allocation's record."`
	User   string `json:"user" doc:"Who has it."`
	Basis  string `json:"basis" doc:"On what footing."`
	FromMS int64  `json:"from_ms" doc:"From when, Unix milliseconds."`
	ToMS   int64  `json:"to_ms" doc:"Until when; 0: no end."`
	By     string `json:"by,omitempty" doc:"Who gave it; left out: the case management system."`
	Reason string `json:"reason,omitempty" doc:"Why."`
}

// RestrictionList lists restrictions.
type RestrictionList struct {
	Restrictions []RestrictionJSON `json:"restrictions" doc:"The one whose review is due first first."`
	People       map[string]string `json:"people" doc:"Names of the people in it, by id."`
}

// RestrictionJSON is one restriction in force.
type RestrictionJSON struct {
	Family   string `json:"family" doc:"The family."`
	Category string `json:"category" doc:"STAFF, HIGH_PROFILE, HIGH_RISK, ADOPTION or REVIEW."`
	Reason   string `json:"reason" doc:"Why."`
	By       string `json:"by" doc:"Who restricted it."`
	AtMS     int64  `json:"at_ms" doc:"When, Unix milliseconds."`
	ReviewMS int64  `json:"review_ms" doc:"By when it is looked at again."`
	Overdue  bool   `json:"overdue" doc:"The review is overdue."`
}

// OpenRequest is the body of an emergency opening.
type OpenRequest struct {
	Family    string `json:"family,omitempty" validate:"omitempty,len=32,hexadecimal,lowercase" doc:"The family, or else its reference."`
	Reference string `json:"reference,omitempty" validate:"omitempty,maxbytes=40" doc:"Its number in the case management system."`
	Code      string `json:"code" validate:"required,oneof=CHILD_AT_RISK POLICE_REQUEST HOSPITAL MISSING_CHILD OUT_OF_HOURS_CALL OTHER" doc:"Why."`
	Text      string `json:"text" validate:"required,maxbytes=2000" doc:"Why, in words."`
}

// ReviewRequest is the body that closes an emergency opening.
type ReviewRequest struct {
	Finding string `json:"finding" validate:"required,oneof=JUSTIFIED NOT_JUSTIFIED UNCLEAR" doc:"What was found."`
	Note    string `json:"note" validate:"required,maxbytes=2000" doc:"In words."`
}

// OpeningList lists emergency openings.
type OpeningList struct {
	Openings []OpeningJSON     `json:"openings" doc:"The newest first."`
	People   map[string]string `json:"people" doc:"Names of the people in it, by id."`
}

// OpeningJSON is one emergency opening.
type OpeningJSON struct {
	Opening  string `json:"opening" doc:"Its id."`
	User     string `json:"user" doc:"Who opened the file."`
	Family   string `json:"family" doc:"The family."`
	Code     string `json:"code" doc:"Why."`
	Text     string `json:"text,omitempty" doc:"In words; for who opened it and who may review it."`
	FromMS   int64  `json:"from_ms" doc:"From when, Unix milliseconds."`
	ToMS     int64  `json:"to_ms" doc:"Until when: eight hours, unless it is closed before."`
	ClosedBy string `json:"closed_by,omitempty" doc:"Who reviewed it; left out: nobody yet."`
	ClosedMS int64  `json:"closed_ms,omitempty" doc:"When."`
	Finding  string `json:"finding,omitempty" doc:"JUSTIFIED, NOT_JUSTIFIED or UNCLEAR."`
	Note     string `json:"note,omitempty" doc:"The review in words."`
}

// CountList counts emergency openings.
type CountList struct {
	Counts []CountJSON `json:"counts" doc:"The newest month first."`
}

// CountJSON is one month and reason.
type CountJSON struct {
	Month        string `json:"month" doc:"Such as 2026-11, in UTC."`
	Code         string `json:"code" doc:"The reason."`
	Opened       int64  `json:"opened" doc:"How often files were opened."`
	Unreviewed   int64  `json:"unreviewed" doc:"How many of these nobody has reviewed."`
	NotJustified int64  `json:"not_justified" doc:"How many a review found not justified."`
}

// doorRoutes are the routes of grants, restrictions and emergency openings.
func (a *API) doorRoutes() []route {
	const get, post = "GET", "POST"
	refused := codes(syncproto.CodeNotFound, syncproto.CodeForbidden)
	return []route{
		handler(a, route{method: get, path: "/v1/families/:id/grants", id: "grants", summary: "Who may come into a family's file, and what shuts it.", who: signedIn,
			codes: codes(syncproto.CodeNotFound)}, a.grants),
		handler(a, route{method: post, path: "/v1/families/:id/grants", id: "grant", summary: "Give a person a footing with a family, for a time.", who: signedIn, codes: refused}.once(), a.grant),
		handler(a, route{method: post, path: "/v1/grants/:id/withdraw", id: "withdraw", summary: "Take a grant back.", who: signedIn, codes: refused}.once(), a.withdraw),
		handler(a, route{method: post, path: "/v1/families/:id/restrict", id: "restrict", summary: "Restrict a family's file: only who is let in by name may read it, and nothing of it stays on tablets.", who: signedIn, codes: refused}.once(), a.restrict),
		handler(a, route{method: post, path: "/v1/families/:id/lift", id: "lift", summary: "Lift a restriction.", who: signedIn, codes: refused}.once(), a.lift),
		handler(a, route{method: get, path: "/v1/restrictions", id: "restrictions", summary: "Restrictions that the caller may know of, with the day of their review.", who: signedIn}, a.restrictions),
		handler(a, route{method: post, path: "/v1/break-glass", id: "breakGlass", summary: "Open a family's file in an emergency: to read, online, for eight hours. Those concerned are told, and somebody else reviews it.", who: signedIn, codes: refused}.fresh().once(), a.breakGlass),
		handler(a, route{method: get, path: "/v1/break-glass", id: "breakGlasses", summary: "Emergency openings that the caller made, may review, or is concerned by.", who: signedIn}, a.breakGlasses),
		handler(a, route{method: post, path: "/v1/break-glass/:id/review", id: "reviewBreakGlass", summary: "Review and close an emergency opening that somebody else made.", who: signedIn,
			codes: append(codes(syncproto.CodeFinal), refused...)}.once(), a.reviewBreakGlass),
		handler(a, route{method: get, path: "/v1/break-glass/counts", id: "breakGlassCounts", summary: "Emergency openings by month and reason.", who: signedIn,
			codes: codes(syncproto.CodeForbidden)}, a.breakGlassCounts),
	}
}

func (a *API) grants(c *call, _ *none) (*DoorList, error) {
	id, err := c.id()
	if err != nil {
		return nil, err
	}
	list, err := a.cfg.Doors.Of(c.ctx, c.caller.User, syncproto.FamilyID(id))
	if err != nil {
		return nil, err
	}
	p := a.newPeople()
	out := &DoorList{Grants: make([]GrantJSON, 0, len(list.Relations)), Restrictions: a.restrictionsJSON(p, list.Restrictions), People: p.names}
	for _, g := range list.Relations {
		out.Grants = append(out.Grants, GrantJSON{Grant: g.ID.String(), User: p.id(g.User), Basis: g.Basis,
			FromMS: g.FromMS, ToMS: g.ToMS, By: p.id(g.By), Reason: g.Reason})
	}
	return out, nil
}

func (a *API) grant(c *call, in *GrantRequest) (*GrantDone, error) {
	family, err := c.id()
	if err != nil {
		return nil, err
	}
	user, err := syncproto.ParseID(in.User)
	if err != nil {
		return nil, err
	}
	id, err := a.cfg.Doors.Give(c.ctx, c.caller.User, doors.Grant{User: syncproto.UserID(user), Family: syncproto.FamilyID(family),
		Basis: in.Basis, FromMS: in.FromMS, ToMS: in.ToMS, Reason: in.Reason})
	if err != nil {
		return nil, err
	}
	return &GrantDone{Grant: id.String()}, nil
}

func (a *API) withdraw(c *call, in *ReasonRequest) (*none, error) {
	id, err := c.id()
	if err != nil {
		return nil, err
	}
	return nil, a.cfg.Doors.Withdraw(c.ctx, c.caller.User, id, in.Reason)
}

func (a *API) restrict(c *call, in *RestrictRequest) (*none, error) {
	id, err := c.id()
	if err != nil {
		return nil, err
	}
	return nil, a.cfg.Doors.Restrict(c.ctx, c.caller.User,
		doors.Restriction{Family: syncproto.FamilyID(id), Category: in.Category, Reason: in.Reason, ReviewMS: in.ReviewMS})
}

func (a *API) lift(c *call, in *LiftRequest) (*none, error) {
	id, err := c.id()
	if err != nil {
		return nil, err
	}
	return nil, a.cfg.Doors.Lift(c.ctx, c.caller.User, syncproto.FamilyID(id), in.Category, in.Reason)
}

func (a *API) restrictions(c *call, _ *none) (*RestrictionList, error) {
	p := a.newPeople()
	list := a.restrictionsJSON(p, a.cfg.Doors.Restrictions(c.ctx, c.caller.User))
	return &RestrictionList{Restrictions: list, People: p.names}, nil
}

func (a *API) restrictionsJSON(p *people, list []doors.Shut) []RestrictionJSON {
	out := make([]RestrictionJSON, 0, len(list))
	for _, r := range list {
		out = append(out, RestrictionJSON{Family: r.Family.String(), Category: r.Category, Reason: r.Reason, By: p.id(r.By),
			AtMS: r.AtMS, ReviewMS: r.ReviewMS, Overdue: r.ReviewMS < a.cfg.Now().UnixMilli()})
	}
	return out
}

func (a *API) breakGlass(c *call, in *OpenRequest) (*OpeningJSON, error) {
	family, err := optionalID(in.Family)
	if err != nil {
		return nil, err
	}
	c.family = syncproto.FamilyID(family)
	e, err := a.cfg.Doors.Open(c.ctx, c.caller.User,
		doors.Opening{Family: syncproto.FamilyID(family), Reference: in.Reference, Code: in.Code, Text: in.Text})
	if err != nil {
		return nil, err
	}
	out := a.newPeople().opening(e)
	return &out, nil
}

func (a *API) breakGlasses(c *call, _ *none) (*OpeningList, error) {
	list := a.cfg.Doors.Openings(c.ctx, c.caller.User)
	p := a.newPeople()
	out := &OpeningList{Openings: make([]OpeningJSON, 0, len(list)), People: p.names}
	for _, e := range list {
		out.Openings = append(out.Openings, p.opening(e))
	}
	return out, nil
}

func (p *people) opening(e doors.Emergency) OpeningJSON {
	return OpeningJSON{Opening: e.ID.String(), User: p.id(e.User), Family: e.Family.String(), Code: e.Code, Text: e.Text,
		FromMS: e.FromMS, ToMS: e.ToMS, ClosedBy: p.id(e.ClosedBy), ClosedMS: e.ClosedMS, Finding: e.Finding, Note: e.Note}
}

func (a *API) reviewBreakGlass(c *call, in *ReviewRequest) (*none, error) {
	id, err := c.id()
	if err != nil {
		return nil, err
	}
	return nil, a.cfg.Doors.Review(c.ctx, c.caller.User, id, in.Finding, in.Note)
}

func (a *API) breakGlassCounts(c *call, _ *none) (*CountList, error) {
	list, err := a.cfg.Doors.Counts(c.ctx, c.caller.User)
	if err != nil {
		return nil, err
	}
	out := &CountList{Counts: make([]CountJSON, 0, len(list))}
	for _, n := range list {
		out.Counts = append(out.Counts, CountJSON{Month: n.Month, Code: n.Code, Opened: int64(n.Opened),
			Unreviewed: int64(n.Unreviewed), NotJustified: int64(n.NotJustified)})
	}
	return out, nil
}
