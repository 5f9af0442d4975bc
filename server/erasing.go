package server

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"time"

	"doorstep/server/internal/auth"
	"doorstep/server/internal/erasure"
	"doorstep/server/internal/once"
	"doorstep/syncproto"
)

// EraseOrder is what somebody of information governance wants done about an
// erasure. They prove who they are by their own account: whoever may run commands
// on the server may not erase.
type EraseOrder struct {
	Login    string `json:"login"`
	Password string `json:"password"`
	Act      string `json:"act"`    // ask, confirm, refuse, list, over or hold
	Scope    string `json:"scope"`  // ask: record, child or family
	ID       string `json:"id"`     // of the record, child, family, or of what was asked
	Basis    string `json:"basis"`  // ask: retention_ended, court_order or unlawful
	Reason   string `json:"reason"` // ask and hold: for people
	Kind     string `json:"kind"`   // hold: legal or retention
	Until    string `json:"until"`  // hold: a date, 2006-01-02
	Family   string `json:"family"` // hold: the family; ID is then one of its records, or empty
	Lift     string `json:"lift"`   // hold: the id of the hold that ends
	// Request names the order: given twice, with the same words, it is carried out
	// once. Empty: it has no name.
	Request string `json:"request"`
}

// once is a context in which a named order of a person is carried out once.
func (in EraseOrder) once(ctx context.Context, by syncproto.UserID) (context.Context, error) {
	if in.Request == "" {
		return ctx, nil
	}
	id, err := syncproto.ParseID(in.Request)
	if err != nil {
		return ctx, fmt.Errorf("the request %q is no id: %w", in.Request, err)
	}
	in.Login, in.Password, in.Request = "", "", ""
	words, err := json.Marshal(in)
	if err != nil {
		return ctx, fmt.Errorf("naming an order: %w", err)
	}
	return once.With(ctx, once.Request{User: by, ID: syncproto.RequestID(id), What: sha256.Sum256(words)}), nil
}

// Erasure is one request as lists show it.
type Erasure struct {
	ID      string    `json:"id"`
	Scope   string    `json:"scope"`
	Basis   string    `json:"basis"`
	Records int       `json:"records"`
	Asked   time.Time `json:"asked"`
	State   string    `json:"state"` // open, refused or done
}

// Erase does what one person of information governance orders. It returns what
// was asked, all requests for a list, and the hold's id for a hold.
func (o localOperator) Erase(ctx context.Context, in EraseOrder) ([]Erasure, error) {
	by, err := o.proven(ctx, in)
	if err != nil {
		return nil, err
	}
	if ctx, err = in.once(ctx, by); err != nil {
		return nil, err
	}
	if in.Act == "over" {
		return o.over(ctx, by)
	}
	id, err := syncproto.ParseID(in.ID)
	if err != nil && in.Act != "list" && !(in.Act == "hold" && in.ID == "") {
		return nil, fmt.Errorf("%q is no id: %w", in.ID, err)
	}
	switch in.Act {
	case "ask":
		ask := erasure.Ask{Scope: in.Scope, Record: syncproto.RecordID(id), Basis: in.Basis, Reason: in.Reason}
		if in.Scope == erasure.ScopeFamily {
			ask.Family, ask.Record = syncproto.FamilyID(id), syncproto.RecordID{}
		}
		e, err := o.b.erasure.Ask(ctx, by, ask)
		if err != nil {
			return nil, err
		}
		return []Erasure{erasureOf(e)}, nil
	case "confirm":
		return nil, o.b.erasure.Confirm(ctx, by, id)
	case "refuse":
		return nil, o.b.erasure.Refuse(ctx, by, id)
	case "hold":
		return o.hold(ctx, by, in, id)
	case "list":
		asks, err := o.b.erasure.Asks(by)
		var out []Erasure
		for _, e := range asks {
			out = append(out, erasureOf(e))
		}
		return out, err
	}
	return nil, fmt.Errorf("%q is nothing that can be done about an erasure", in.Act)
}

// over lists the families whose files need not be kept any more.
func (o localOperator) over(ctx context.Context, by syncproto.UserID) (out []Erasure, err error) {
	list, err := o.b.erasure.Over(ctx, by)
	for _, f := range list {
		out = append(out, Erasure{ID: f.Family.String(), Scope: erasure.ScopeFamily, Basis: f.Basis, State: "over since " + f.Since.ISO()})
	}
	return out, err
}

// proven checks a person's own password. The sign-in is audited, and ends at once.
func (o localOperator) proven(ctx context.Context, in EraseOrder) (syncproto.UserID, error) {
	grant, err := o.b.auth.SignIn(ctx, auth.SignIn{Credential: auth.Credential{Login: in.Login, Password: in.Password, Address: "the server's command line"}})
	if err != nil {
		return syncproto.UserID{}, fmt.Errorf("signing in: %w", err)
	}
	return grant.Caller.User, o.b.auth.SignOut(ctx, grant.Caller)
}

func (o localOperator) hold(ctx context.Context, by syncproto.UserID, in EraseOrder, record syncproto.ID) ([]Erasure, error) {
	family, err := syncproto.ParseID(in.Family)
	if err != nil {
		return nil, fmt.Errorf("the family %q is no id: %w", in.Family, err)
	}
	if in.Lift != "" {
		id, err := syncproto.ParseID(in.Lift)
		if err != nil {
			return nil, fmt.Errorf("the hold %q is no id: %w", in.Lift, err)
		}
		return []Erasure{{ID: id.String(), Scope: "hold", State: "lifted"}}, o.b.erasure.Lift(ctx, by, id, in.Reason)
	}
	hold := erasure.NewHold{Family: syncproto.FamilyID(family), Record: syncproto.RecordID(record), Kind: in.Kind, Reason: in.Reason}
	if in.Until != "" {
		day, err := time.Parse(time.DateOnly, in.Until)
		if err != nil {
			return nil, fmt.Errorf("the date %q: want 2006-01-02", in.Until)
		}
		hold.UntilMS = day.UnixMilli()
	}
	h, err := o.b.erasure.Hold(ctx, by, hold)
	return []Erasure{{ID: h.ID.String(), Scope: "hold", State: "set"}}, err
}

func erasureOf(e erasure.Asked) Erasure {
	return Erasure{ID: e.ID.String(), Scope: e.Scope, Basis: e.Basis, Records: len(e.Records), Asked: time.UnixMilli(e.AtMS).UTC(), State: e.State}
}

func (o remoteOperator) Erase(ctx context.Context, in EraseOrder) ([]Erasure, error) {
	return ask[EraseOrder, []Erasure](ctx, o, "erase", in)
}
