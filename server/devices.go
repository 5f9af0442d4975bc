package server

import (
	"time"

	"doorstep/server/internal/auth"
	"doorstep/syncproto"
)

// Device is an enrolled device as lists show it. It says nothing of what is, or
// was, on the device but how many purges are open.
type Device struct {
	ID       string    `json:"id"`
	Name     string    `json:"name"`
	Users    []string  `json:"users"` // logins
	Enrolled time.Time `json:"enrolled"`
	Revoked  time.Time `json:"revoked"` // zero: in use
	// Heard is when the device was last heard of; zero: never. Unsent is how many
	// changes it said then that it holds and that are not here; a server that was
	// restarted has to hear of it again.
	Heard  time.Time `json:"heard"`
	Unsent uint64    `json:"unsent"`
	// PurgesOwed counts what the device was to remove and has not signed that it
	// did: a family each, or everything for each person of a revoked device.
	PurgesOwed int `json:"purges_owed"`
	// Purged is when a revoked device's last person signed that everything is gone;
	// zero while a purge of it is owed.
	Purged time.Time `json:"purged"`
}

// deviceOf describes a device; logins are those of all people.
func (o localOperator) deviceOf(d auth.Device, logins map[syncproto.UserID]string) Device {
	s, epoch, nowMS := o.b.store.State(), o.b.journal.Epoch(), time.Now().UnixMilli()
	out := Device{ID: d.ID.String(), Name: d.Name, Users: []string{}, Enrolled: time.UnixMilli(d.EnrolledMS).UTC()}
	out.Heard, out.Unsent = o.b.lastHeardOf(d.ID, d.Users)
	purgedMS := int64(0)
	for _, u := range d.Users {
		out.Users = append(out.Users, logins[u])
		out.PurgesOwed += len(s.PurgesOwed(epoch, d.ID, s.Access(u, nowMS)))
		purgedMS = max(purgedMS, s.PurgeReceipt(d.ID, u, syncproto.FamilyID{}).AtMS)
	}
	if d.RevokedMS != 0 {
		out.Revoked = time.UnixMilli(d.RevokedMS).UTC()
		if out.PurgesOwed == 0 && purgedMS != 0 {
			out.Purged = time.UnixMilli(purgedMS).UTC()
		}
	}
	return out
}
