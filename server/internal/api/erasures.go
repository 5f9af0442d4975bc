package api

import (
	"context"

	"doorstep/server/internal/erasure"
	"doorstep/syncproto"
)

// Erasures takes records out of the borough for good, and keeps them from that
// (package erasure); it asks itself who may. A refusal has words for the person
// (*erasure.Refusal).
type Erasures interface {
	Ask(ctx context.Context, by syncproto.UserID, in erasure.Ask) (erasure.Asked, error)
	Confirm(ctx context.Context, by syncproto.UserID, id syncproto.ID) error
	Refuse(ctx context.Context, by syncproto.UserID, id syncproto.ID) error
	Asks(by syncproto.UserID) ([]erasure.Asked, error)
	Hold(ctx context.Context, by syncproto.UserID, in erasure.NewHold) (erasure.Hold, error)
	Lift(ctx context.Context, by syncproto.UserID, id syncproto.ID, reason string) error
	Holds(by syncproto.UserID) ([]erasure.Hold, error)
	// Over lists the families whose files need not be kept any more.
	Over(ctx context.Context, by syncproto.UserID) ([]erasure.Over, error)
}

// EraseRequest is the body that asks for an erasure.
type EraseRequest struct {
	Scope     string `json:"scope" validate:"required,oneof=record child family" doc:"record: one record; child: a child's own record, and every record that is about this child alone; family: the whole file."`
	Family    string `json:"family,omitempty" validate:"omitempty,len=32,hexadecimal,lowercase" doc:"The family, of scope family; or else its reference."`
	Reference string `json:"reference,omitempty" validate:"omitempty,maxbytes=40" doc:"Its number in the case management system."`
	Record    string `json:"record,omitempty" validate:"omitempty,len=32,hexadecimal,lowercase" doc:"The record, or the child's record."`
	Basis     string `json:"basis" validate:"required,oneof=retention_ended court_order unlawful" doc:"The legal basis."`
	Reason    string `json:"reason" validate:"required,maxbytes=2000" doc:"Why. It is kept when the words are gone: name nobody."`
}

// ErasureList lists what was asked for.
type ErasureList struct {
	Erasures []ErasureJSON     `json:"erasures" doc:"The oldest first."`
	People   map[string]string `json:"people" doc:"Names of the people in it, by id."`
}

// ErasureJSON is an erasure that somebody asked for.
type ErasureJSON struct {
	Erasure string `json:"erasure" doc:"Its id."`
	Scope   string `json:"scope" doc:"record, child or family."`
	Family  string `json:"family" doc:"The family."`
	Record  string `json:"record,omitempty" doc:"The record, or the child's; left out: the whole family."`
	Records int64  `json:"records" doc:"How many records went, or would go."`
	Basis   string `json:"basis" doc:"The legal basis."`
	Reason  string `json:"reason" doc:"Why."`
	By      string `json:"by" doc:"Who asked."`
	AtMS    int64  `json:"at_ms" doc:"When, Unix milliseconds."`
	State   string `json:"state" doc:"open: it waits for another person; refused; done."`
}

// HoldRequest is the body that sets a hold.
type HoldRequest struct {
	Family    string `json:"family,omitempty" validate:"omitempty,len=32,hexadecimal,lowercase" doc:"The family, or else its reference."`
	Reference string `json:"reference,omitempty" validate:"omitempty,maxbytes=40" doc:"Its number in the case management system."`
	Record    string `json:"record,omitempty" validate:"omitempty,len=32,hexadecimal,lowercase" doc:"One record of the family; left out: all."`
	Kind      string `json:"kind" validate:"required,oneof=legal retention" doc:"legal: a court, an inquiry, an inspection; retention: the date of the retention schedule."`
	UntilMS   int64  `json:"until_ms,omitempty" validate:"min=0" doc:"Until when, Unix milliseconds; a legal hold may do without, until it is lifted."`
	Reason    string `json:"reason" validate:"required,maxbytes=2000" doc:"Why."`
}

// HoldList lists holds.
type HoldList struct {
	Holds  []HoldJSON        `json:"holds" doc:"In force and ended, the oldest first."`
	People map[string]string `json:"people" doc:"Names of the people in it, by id."`
}

// OverList lists files that need not be kept any more.
type OverList struct {
	Over []OverJSON `json:"over" doc:"The longest over first. What is on hold, or was asked for already, is not in it."`
}

// OverJSON is one family's file that need not be kept any more.
type OverJSON struct {
	Family string `json:"family" doc:"The family."`
	Since  string `json:"since" doc:"The first day on which it need not be kept, as 2041-03-31."`
	Basis  string `json:"basis" doc:"The rule of the schedule that kept it longest, in words."`
}

// HoldJSON is one hold.
type HoldJSON struct {
	Hold    string `json:"hold" doc:"Its id."`
	Family  string `json:"family" doc:"The family."`
	Record  string `json:"record,omitempty" doc:"One record of it; left out: all."`
	Kind    string `json:"kind" doc:"legal or retention."`
	UntilMS int64  `json:"until_ms,omitempty" doc:"Until when; left out: until it is lifted."`
	Lifted  bool   `json:"lifted" doc:"It was lifted."`
	Reason  string `json:"reason,omitempty" doc:"Why it was set, or lifted; gone with an erased family."`
	By      string `json:"by" doc:"Who set or lifted it."`
	AtMS    int64  `json:"at_ms" doc:"When, Unix milliseconds."`
}

// eraseRoutes are the routes of erasures and holds. What takes words away for good,
// or lets that happen, needs a fresh sign-in.
func (a *API) eraseRoutes() []route {
	const get, post = "GET", "POST"
	refused := codes(syncproto.CodeNotFound, syncproto.CodeForbidden)
	return []route{
		handler(a, route{method: get, path: "/v1/erasures", id: "erasures", summary: "What information governance was asked to erase, and what became of it.", who: signedIn,
			codes: codes(syncproto.CodeForbidden)}, a.erasures),
		handler(a, route{method: post, path: "/v1/erasures", id: "askErasure", summary: "Ask for an erasure, which another person has to confirm.", who: signedIn, codes: refused}.fresh().once(), a.askErasure),
		handler(a, route{method: post, path: "/v1/erasures/:id/confirm", id: "confirmErasure", summary: "Confirm an erasure that another person asked for: the words are gone then, for good.", who: signedIn, codes: refused}.fresh().once(), a.confirmErasure),
		handler(a, route{method: post, path: "/v1/erasures/:id/refuse", id: "refuseErasure", summary: "Refuse an erasure that another person asked for.", who: signedIn, codes: refused}.once(), a.refuseErasure),
		handler(a, route{method: get, path: "/v1/retention", id: "retention", summary: "Families whose files need not be kept any more by the borough's schedule; two people decide.", who: signedIn,
			codes: codes(syncproto.CodeForbidden)}, a.over),
		handler(a, route{method: get, path: "/v1/holds", id: "holds", summary: "What keeps records from being erased.", who: signedIn,
			codes: codes(syncproto.CodeForbidden)}, a.holds),
		handler(a, route{method: post, path: "/v1/holds", id: "setHold", summary: "Keep a family, or one of its records, from being erased.", who: signedIn, codes: refused}.once(), a.setHold),
		handler(a, route{method: post, path: "/v1/holds/:id/lift", id: "liftHold", summary: "End a hold.", who: signedIn, codes: refused}.fresh().once(), a.liftHold),
	}
}

func (a *API) erasures(c *call, _ *none) (*ErasureList, error) {
	list, err := a.cfg.Erasures.Asks(c.caller.User)
	if err != nil {
		return nil, err
	}
	p := a.newPeople()
	out := &ErasureList{Erasures: make([]ErasureJSON, 0, len(list)), People: p.names}
	for _, e := range list {
		out.Erasures = append(out.Erasures, p.erasure(e))
	}
	return out, nil
}

func (p *people) erasure(e erasure.Asked) ErasureJSON {
	return ErasureJSON{Erasure: e.ID.String(), Scope: e.Scope, Family: e.Family.String(), Record: someHex(e.Record[:]), Records: int64(len(e.Records)),
		Basis: e.Basis, Reason: e.Reason, By: p.id(e.By), AtMS: e.AtMS, State: e.State}
}

func (a *API) askErasure(c *call, in *EraseRequest) (*ErasureJSON, error) {
	family, err := optionalID(in.Family)
	if err != nil {
		return nil, err
	}
	record, err := optionalID(in.Record)
	if err != nil {
		return nil, err
	}
	c.family, c.record = syncproto.FamilyID(family), syncproto.RecordID(record)
	e, err := a.cfg.Erasures.Ask(c.ctx, c.caller.User, erasure.Ask{Scope: in.Scope, Family: c.family, Reference: in.Reference,
		Record: c.record, Basis: in.Basis, Reason: in.Reason})
	if err != nil {
		return nil, err
	}
	out := a.newPeople().erasure(e)
	return &out, nil
}

func (a *API) confirmErasure(c *call, _ *none) (*none, error) {
	id, err := c.id()
	if err != nil {
		return nil, err
	}
	return nil, a.cfg.Erasures.Confirm(c.ctx, c.caller.User, id)
}

func (a *API) refuseErasure(c *call, _ *none) (*none, error) {
	id, err := c.id()
	if err != nil {
		return nil, err
	}
	return nil, a.cfg.Erasures.Refuse(c.ctx, c.caller.User, id)
}

func (a *API) over(c *call, _ *none) (*OverList, error) {
	list, err := a.cfg.Erasures.Over(c.ctx, c.caller.User)
	if err != nil {
		return nil, err
	}
	out := &OverList{Over: make([]OverJSON, 0, len(list))}
	for _, f := range list {
		out.Over = append(out.Over, OverJSON{Family: f.Family.String(), Since: f.Since.ISO(), Basis: f.Basis})
	}
	return out, nil
}

func (a *API) holds(c *call, _ *none) (*HoldList, error) {
	list, err := a.cfg.Erasures.Holds(c.caller.User)
	if err != nil {
		return nil, err
	}
	p := a.newPeople()
	out := &HoldList{Holds: make([]HoldJSON, 0, len(list)), People: p.names}
	for _, h := range list {
		out.Holds = append(out.Holds, p.hold(h))
	}
	return out, nil
}

func (p *people) hold(h erasure.Hold) HoldJSON {
	return HoldJSON{Hold: h.ID.String(), Family: h.Family.String(), Record: someHex(h.Record[:]), Kind: string(h.Kind), UntilMS: h.UntilMS,
		Lifted: h.Lifted, Reason: h.Reason, By: p.id(h.By), AtMS: h.AtMS}
}

func (a *API) setHold(c *call, in *HoldRequest) (*HoldJSON, error) {
	family, err := optionalID(in.Family)
	if err != nil {
		return nil, err
	}
	record, err := optionalID(in.Record)
	if err != nil {
		return nil, err
	}
	c.family = syncproto.FamilyID(family)
	h, err := a.cfg.Erasures.Hold(c.ctx, c.caller.User, erasure.NewHold{Family: c.family, Reference: in.Reference,
		Record: syncproto.RecordID(record), Kind: in.Kind, UntilMS: in.UntilMS, Reason: in.Reason})
	if err != nil {
		return nil, err
	}
	out := a.newPeople().hold(h)
	return &out, nil
}

func (a *API) liftHold(c *call, in *ReasonRequest) (*none, error) {
	id, err := c.id()
	if err != nil {
		return nil, err
	}
	return nil, a.cfg.Erasures.Lift(c.ctx, c.caller.User, id, in.Reason)
}
