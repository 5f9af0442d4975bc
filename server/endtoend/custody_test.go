package endtoend

import (
	"testing"

	"doorstep/server"
	"doorstep/syncproto"
)

// TestFault49RevokedDeviceIsPurgedOverHTTP revokes a tablet with unsent words: they
// arrive in custody after a new sign-in, everything is purged, and IT sees when.
func TestFault49RevokedDeviceIsPurgedOverHTTP(t *testing.T) {
	t.Parallel()
	b := newBorough(t, caseload{workers: 1, families: 2})
	a := newTablet(t, b, 0, 49)
	a.syncs()
	family, visit := a.families()[0], a.newRecord()
	a.edit(family, visit, "visit", setText("visit_type", "CIN"))
	a.syncs()
	own := a.edit(family, visit, "visit", write("household_summary", 0, "Unsent when it was lost."))

	if err := b.op.RevokeDevice(t.Context(), a.id.Device.String()); err != nil {
		t.Fatal(err)
	}
	if d := b.device(t, a); d.Revoked.IsZero() || !d.Purged.IsZero() || d.PurgesOwed != 1 {
		t.Errorf("before the tablet was heard of: got %+v, want revoked and not yet confirmed", d)
	}
	if _, err := a.Sync(t.Context()); err == nil {
		t.Error("a session from before the revocation still works")
	}
	client := a.client()
	left := a.store.Reopen()
	closing(t, a.Close)
	a.store = left
	a.open(client)
	if err := client.SignIn(t.Context(), a.login, password, a.id.Device); err != nil {
		t.Fatal(err)
	}
	a.syncs()
	a.wantEmptyOutbox()
	if shown := a.folds(); len(shown) != 0 {
		t.Errorf("the revoked tablet still shows %d records", len(shown))
	}
	if d := b.device(t, a); d.Purged.IsZero() || d.PurgesOwed != 0 {
		t.Errorf("after its receipt: got %+v, want purged", d)
	}
	b.stop()
	data := openData(t, b.cfg)
	if ref, err := data.store.Change(own); err != nil || ref.Status != syncproto.StatusQuarantined || ref.Code != syncproto.CodeRevokedDevice {
		t.Errorf("the unsent words: got %+v, %v; want them in custody", ref, err)
	}
}

// device is what the list of devices says of a tablet.
func (b *borough) device(t *testing.T, x *tablet) server.Device {
	t.Helper()
	list, err := b.op.Devices(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range list {
		if d.ID == x.id.Device.String() {
			return d
		}
	}
	t.Fatal("the tablet is not in the list")
	return server.Device{}
}
