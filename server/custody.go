package server

import (
	"context"
	"fmt"
	"time"

	"doorstep/server/internal/store"
	"doorstep/syncproto"
)

// Custody is what waits for reviewers in the whole borough, for IT: how much, how
// old, from whom and why. It holds nobody's words and no family's name.
type Custody struct {
	Changes []CustodyChange `json:"changes"` // what waits, the oldest first, then what is kept away
	Alerts  []CustodyAlert  `json:"alerts"`
	LimitMB int64           `json:"limit_mb"` // for one person's words from one device
}

// CustodyChange is one change in quarantine.
type CustodyChange struct {
	Change   string    `json:"change"`
	Family   string    `json:"family"` // its id
	Kind     string    `json:"kind"`
	Author   string    `json:"author"` // login
	Device   string    `json:"device"` // what it is called
	Reason   string    `json:"reason"` // short name of the code
	Received time.Time `json:"received"`
	Bytes    int64     `json:"bytes"`
	Reviewer bool      `json:"reviewer"` // somebody is there to review it
}

// CustodyAlert says that custody is nearly full, or full, for one person's words
// from one device.
type CustodyAlert struct {
	Author  string    `json:"author"` // login
	Device  string    `json:"device"` // what it is called
	Percent int64     `json:"percent"`
	Since   time.Time `json:"since"`
}

// Custody implements Operator.
func (o localOperator) Custody(context.Context) (Custody, error) {
	list, err := o.b.room.AllCustody()
	if err != nil {
		return Custody{}, fmt.Errorf("listing what is in custody: %w", err)
	}
	state := o.b.store.State()
	out := Custody{LimitMB: o.b.cfg.Limits.CustodyMB, Changes: []CustodyChange{}, Alerts: []CustodyAlert{}}
	for _, c := range list {
		out.Changes = append(out.Changes, CustodyChange{
			Change: c.Change.String(), Family: c.Family.String(), Kind: c.Kind, Author: loginOf(state, c.Author),
			Device: deviceNameOf(state, c.Device), Reason: c.Code.Error(), Received: time.UnixMilli(c.ReceivedMS).UTC(),
			Bytes: int64(c.Bytes), Reviewer: c.MayReview,
		})
	}
	for _, a := range state.CustodyAlerts() {
		out.Alerts = append(out.Alerts, CustodyAlert{Author: loginOf(state, a.User), Device: deviceNameOf(state, a.Device),
			Percent: int64(a.Percent), Since: time.UnixMilli(a.AtMS).UTC()})
	}
	return out, nil
}

func loginOf(state *store.State, user syncproto.UserID) string {
	if u, known := state.User(user); known {
		return u.Login
	}
	return user.String()
}

func deviceNameOf(state *store.State, device syncproto.DeviceID) string {
	if d, known := state.Device(device); known {
		return d.Name
	}
	return device.String()
}
