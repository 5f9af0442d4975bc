package server

import (
	"context"
	"slices"
	"time"

	"doorstep/server/internal/access"
	"doorstep/server/internal/auth"
	"doorstep/server/internal/pages"
	"doorstep/syncproto"
)

// site is the server as its administrators look after it at the desk: what an operator is
// told, and what IT may withdraw. It never comes near a record.
type site struct{ b *borough }

// Minds implements pages.Site: those whose view of the audit log is configuration look
// after the server.
func (s site) Minds(user syncproto.UserID) bool {
	u, ok := s.b.store.State().User(user)
	return ok && !u.Disabled && access.MayAudit(access.Role(u.Role)) == access.OversightConfiguration
}

// State implements pages.Site.
func (s site) State(ctx context.Context, by syncproto.UserID) (out pages.SiteState, err error) {
	if !s.Minds(by) {
		return out, syncproto.CodeNotFound
	}
	st, err := localOperator(s).Status(ctx)
	if err != nil {
		return out, err
	}
	zone, err := time.LoadLocation("Europe/London")
	if err != nil {
		return out, err
	}
	out.Troubles = st.Troubles()
	for _, line := range st.Lines(zone) {
		out.Lines = append(out.Lines, pages.SiteLine(line))
	}
	return out, nil
}

// Devices implements pages.Site: those in use before those that are revoked, and of each
// those with unsent work before others, the one that is away longest first.
func (s site) Devices(_ context.Context, by syncproto.UserID) ([]pages.SiteDevice, error) {
	if !s.Minds(by) {
		return nil, syncproto.CodeNotFound
	}
	logins := map[syncproto.UserID]string{}
	for _, acc := range s.b.auth.Users() {
		logins[acc.ID] = acc.Login
	}
	var out []pages.SiteDevice
	now := time.Now()
	for _, d := range s.b.auth.Devices() {
		if len(d.Users) == 0 {
			continue // the desk
		}
		known := localOperator(s).deviceOf(d, logins)
		away := now.Sub(later(known.Heard, known.Enrolled))
		out = append(out, pages.SiteDevice{
			ID: d.ID, Name: known.Name, People: known.Users, HeardMS: msOf(known.Heard), RevokedMS: d.RevokedMS, PurgedMS: msOf(known.Purged),
			Unsent: known.Unsent, PurgesOwed: known.PurgesOwed, Current: d.RevokedMS == 0, Seen: away < seenWithin, Silent: away >= silentAfter,
		})
	}
	slices.SortStableFunc(out, func(a, b pages.SiteDevice) int {
		switch {
		case a.Current != b.Current:
			return first(a.Current)
		case (a.Unsent > 0) != (b.Unsent > 0):
			return first(a.Unsent > 0)
		}
		return int(min(max(a.HeardMS-b.HeardMS, -1), 1))
	})
	return out, nil
}

// first puts what is so before what is not.
func first(is bool) int {
	if is {
		return -1
	}
	return 1
}

// msOf is a time in Unix milliseconds; 0: never.
func msOf(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

// People implements pages.Site.
func (s site) People(_ context.Context, by syncproto.UserID) ([]pages.SitePerson, error) {
	if !s.Minds(by) {
		return nil, syncproto.CodeNotFound
	}
	var out []pages.SitePerson
	for _, acc := range s.b.auth.Users() {
		out = append(out, pages.SitePerson{ID: acc.ID, Login: acc.Login, Role: string(acc.Role), Disabled: acc.Disabled, Self: acc.ID == by})
	}
	return out, nil
}

// RevokeDevice implements pages.Site.
func (s site) RevokeDevice(ctx context.Context, by syncproto.UserID, device syncproto.DeviceID) error {
	return s.b.auth.RevokeDeviceAs(ctx, auth.Caller{User: by}, device)
}

// RevokePerson implements pages.Site.
func (s site) RevokePerson(ctx context.Context, by, person syncproto.UserID) error {
	return s.b.auth.RevokeUserAs(ctx, auth.Caller{User: by}, person)
}
