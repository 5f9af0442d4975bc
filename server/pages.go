package server

import (
	"context"
	"time"

	"doorstep/server/internal/api"
	"doorstep/server/internal/audit"
	"doorstep/server/internal/exchange"
	"doorstep/server/internal/measure"
	"doorstep/server/internal/pages"
	"doorstep/server/web"
	"doorstep/syncproto"
)

// pages is the desk in a browser.
func (b *borough) pages(cfg Config) (api.Desk, error) {
	zone, err := time.LoadLocation("Europe/London")
	if err != nil {
		return nil, err
	}
	out := pages.Config{Name: cfg.Name, Records: b.room, Workflow: b.finalise, Custody: reviewer{b.exchange}, Site: site{b}, Now: time.Now, Zone: zone, Style: deskStyle()}
	out.Doors, out.Measure = b.doors, measure.New(measure.Config{Store: b.store, Works: b.room, Log: b.accesses, Now: time.Now, Zone: zone})
	out.Readers = b.oversight()
	if b.incoming != nil {
		out.Imports = b.incoming
	}
	if b.delivery != nil {
		out.Delivery = b.delivery
	}
	return pages.New(out)
}

// reviewer is the exchange as the desk asks it: in the name of a person at no device.
type reviewer struct{ *exchange.Exchange }

func (r reviewer) Admit(ctx context.Context, by syncproto.UserID, id syncproto.ChangeID) error {
	return r.Exchange.Admit(ctx, callerOf(ctx, by), id)
}

func (r reviewer) AdmitAddendum(ctx context.Context, by syncproto.UserID, id syncproto.ChangeID) error {
	return r.Exchange.AdmitAddendum(ctx, callerOf(ctx, by), id)
}

func (r reviewer) KeepAway(ctx context.Context, by syncproto.UserID, id syncproto.ChangeID, reason string) error {
	return r.Exchange.KeepAway(ctx, callerOf(ctx, by), id, reason)
}

func callerOf(ctx context.Context, by syncproto.UserID) exchange.Caller {
	return exchange.Caller{User: by, Session: audit.ActingIn(ctx).Session}
}

// deskStyle is the address of the desk's style sheet; empty in a binary that was built
// without one.
func deskStyle() string {
	app, ok := web.Open()
	if !ok {
		return ""
	}
	name, ok := app.Named("desk.css")
	if !ok {
		return ""
	}
	return "/app/" + name
}
