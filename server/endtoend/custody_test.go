package endtoend

import (
	"errors"
	"maps"
	"testing"

	"doorstep/client-sdk/engine"
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
	client := a.client()
	left := a.store.Reopen()
	closing(t, a.Close)
	a.store = left
	a.open(client)
	if err := client.SignIn(t.Context(), a.login, password, a.id.Device); err != nil || !client.AccessEnded() {
		t.Fatalf("signing in on a revoked tablet: got %v, want a session that may only send", err)
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

// Whoever's access ended while they were offline cannot sign in any more: the
// device's key alone brings their words into custody, and the purge down. Each
// person of a shared tablet has a part of their own.
func TestFault67WordsOfSomebodyWhoLeftComeIntoCustody(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]struct {
		of   func(b *borough, a *tablet) error
		code syncproto.Code
	}{
		"disabled":       {func(b *borough, a *tablet) error { return b.op.SetDisabled(t.Context(), a.login, true) }, syncproto.CodeNotEntitled},
		"revoked":        {func(b *borough, a *tablet) error { return b.op.RevokeUser(t.Context(), a.login) }, syncproto.CodeRevokedDevice},
		"device revoked": {func(b *borough, a *tablet) error { return b.op.RevokeDevice(t.Context(), a.id.Device.String()) }, syncproto.CodeRevokedDevice},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBorough(t, caseload{workers: 2, families: 2})
			a, colleague := newTablet(t, b, 0, 67), newTablet(t, b, 1, 68)
			a.syncs()
			colleague.syncs()
			family, visit := a.families()[0], a.newRecord()
			a.edit(family, visit, "visit", setText("visit_type", "CIN"))
			a.syncs()
			own := a.edit(family, visit, "visit", write("household_summary", 0, "Written on the last day, never sent."))
			if err := end.of(b, a); err != nil {
				t.Fatal(err)
			}
			colleague.edit(family, colleague.newRecord(), "visit", setText("visit_type", "CP"), write("household_summary", 0, "Not for whoever left."))
			colleague.syncs()
			if d := b.device(t, a); d.PurgesOwed == 0 {
				t.Errorf("before the tablet was heard of: got %+v, want purges owed", d)
			}
			a.restart() // its session is over: no password is asked for
			if report := a.syncs(); !report.AccessEnded {
				t.Error("the device does not say that access has ended")
			}
			a.wantEmptyOutbox()
			if shown := a.folds(); len(shown) != 0 {
				t.Errorf("the tablet still shows %d records", len(shown))
			}
			if d := b.device(t, a); d.PurgesOwed != 0 {
				t.Errorf("after its receipt: got %+v, want none owed", d)
			}
			a.wantMark(own, syncproto.StatusQuarantined, end.code)
			err := a.client().SignIn(t.Context(), a.login, password, a.id.Device)
			if name != "device revoked" && !errors.Is(err, syncproto.CodeBadCredentials) {
				t.Errorf("a sign-in after the end: got %v", err)
			}
			b.stop()
			data := openData(t, b.cfg)
			if ref, err := data.store.Change(own); err != nil || ref.Status != syncproto.StatusQuarantined || ref.Author != a.id.User {
				t.Errorf("the unsent words: got %+v, %v; want them in custody under their author's name", ref, err)
			}
		})
	}
}

// A disabled account that is let in again signs in and has everything back; what
// its custody session brought stays with the reviewer.
func TestAccessThatCameBackNeedsASignIn(t *testing.T) {
	t.Parallel()
	b := newBorough(t, caseload{workers: 1, families: 2})
	a := newTablet(t, b, 0, 69)
	a.syncs()
	before := a.folds()
	own := a.edit(a.families()[0], a.newRecord(), "visit", setText("visit_type", "CIN"))
	if err := b.op.SetDisabled(t.Context(), a.login, true); err != nil {
		t.Fatal(err)
	}
	a.restart()
	a.syncs()
	a.wantMark(own, syncproto.StatusQuarantined, syncproto.CodeNotEntitled)
	if err := b.op.SetDisabled(t.Context(), a.login, false); err != nil {
		t.Fatal(err)
	}
	if report, err := a.Sync(t.Context()); !errors.Is(err, syncproto.CodeUnauthenticated) || report.AccessEnded {
		t.Errorf("got %+v, %v; want a sign-in asked for", report, err)
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
	if after := a.folds(); !maps.Equal(before, after) {
		t.Errorf("got %d records back, want the %d from before", len(after), len(before))
	}
	a.wantMark(own, syncproto.StatusQuarantined, syncproto.CodeNotEntitled)
}

// wantMark checks what the tablet's user is told of an own change.
func (b *tablet) wantMark(id syncproto.ChangeID, status syncproto.ReceiptStatus, code syncproto.Code) {
	b.t.Helper()
	var got []engine.Mark
	if err := b.Read(func(e *engine.Engine) { got = e.Marks() }); err != nil {
		b.t.Fatal(err)
	}
	for _, m := range got {
		if m.Change == id {
			if m.Status != status || m.Code != code {
				b.t.Errorf("%s: change %s: got status %d, %v; want %d, %v", b.login, id, m.Status, m.Code, status, code)
			}
			return
		}
	}
	b.t.Errorf("%s: nothing is said of change %s", b.login, id)
}
