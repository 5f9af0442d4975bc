package endtoend

import (
	"bytes"
	"errors"
	"maps"
	"os"
	"path/filepath"
	"testing"

	"doorstep/client-sdk/device"
	"doorstep/client-sdk/engine"
	"doorstep/server"
	events "doorstep/server/internal/audit"
	"doorstep/server/internal/store"
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
	return b.listed(t, x.id.Device.String())
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

// A tablet that was lost or locked gives its unsent words back to two officers
// together, and to nobody else: each is held against the tablet's own signature, goes
// into custody under its author's name, and the audit log names both.
func TestFault50WordsOfALostTabletAreRecoveredByTwo(t *testing.T) {
	t.Parallel()
	b, r := newRecoverableBorough(t, caseload{workers: 2, families: 1})
	cfg, dir, halves, keyFile := b.cfg, r.dir, r.halves, r.keyFile
	a := newTablet(t, b, 0, 50)
	if len(a.id.RecoveryKey) != 65 {
		t.Fatalf("the device was told of a recovery key of %d bytes", len(a.id.RecoveryKey))
	}
	outbox := filepath.Join(dir, "outbox.sealed")
	a.outbox = device.NewOutboxFile(outbox)
	a.restart()
	a.syncs()
	family, visit := a.families()[0], a.newRecord()
	a.edit(family, visit, "visit", setText("visit_type", "CIN"))
	a.syncs()
	empty, err := os.ReadFile(outbox)
	if err != nil {
		t.Fatal(err)
	}
	const words = "The neighbour says that he is back."
	one := a.edit(family, visit, "visit", write("household_summary", 0, words))
	two := a.edit(family, a.newRecord(), "visit", setText("visit_type", "CP"))
	if err := a.Sealed(); err != nil {
		t.Fatal(err)
	}
	taken := filepath.Join(dir, "taken from the tablet")
	file, err := os.ReadFile(outbox)
	if err != nil || bytes.Contains(file, []byte("neighbour")) || len(file) <= len(empty) {
		t.Fatalf("the sealed outbox: %d bytes, %v; want the words in it, and not readable", len(file), err)
	}
	if err := os.WriteFile(taken, append(file, 0, 0), 0o600); err != nil { // the end was being written
		t.Fatal(err)
	}

	pair := r.pair()
	for what, wrong := range map[string][]server.Officer{
		"one officer":               pair[:1],
		"one officer twice":         {pair[0], pair[0]},
		"somebody else's identity":  {pair[0], {Login: "jo", Half: halves["omar"]}},
		"two who are not officers":  {{Login: "it", Half: halves["ida"]}, {Login: "worker.01", Half: halves["jo"]}},
		"an identity for two names": {{Login: "ida", Half: halves["ida"]}, {Login: "jo", Half: halves["ida"]}},
	} {
		if opened, err := server.OpenSealedOutbox(cfg, taken, keyFile, wrong); err == nil || len(opened.Order.Items) > 0 {
			t.Errorf("%s opened it", what)
		}
	}
	opened, err := server.OpenSealedOutbox(cfg, taken, keyFile, pair)
	order := opened.Order
	if err != nil || opened.Damaged != 1 || len(order.Items) != 2 {
		t.Fatalf("got %d items, %d damaged, %v; want 2 and the torn end", len(order.Items), opened.Damaged, err)
	}
	forged := order
	forged.Items = []server.RecoverItem{{Prev: order.Items[0].Prev, Signature: order.Items[1].Signature, Body: order.Items[0].Body}}
	if done, err := b.op.Recover(t.Context(), forged); err != nil || done.Refused != 1 || done.Custody != 0 {
		t.Errorf("words without the tablet's signature: got %+v, %v", done, err)
	}
	if done, err := b.op.Recover(t.Context(), order); err != nil || done.Custody != 2 || done.Refused != 0 {
		t.Fatalf("got %+v, %v; want both in custody", done, err)
	}
	if done, err := b.op.Recover(t.Context(), order); err != nil || done.Known != 2 || done.Custody != 0 {
		t.Errorf("once more: got %+v, %v; want both known", done, err)
	}

	// The tablet turns up: it is told, and nothing comes twice.
	a.syncs()
	a.wantEmptyOutbox()
	a.wantMark(one, syncproto.StatusQuarantined, syncproto.CodeRecovered)
	if file, err := os.ReadFile(outbox); err != nil || !bytes.Equal(file, empty) {
		t.Errorf("what the server has is still in the sealed outbox: %d bytes, %v", len(file), err)
	}
	b.stop()
	data := openData(t, b.cfg)
	for _, id := range []syncproto.ChangeID{one, two} {
		if ref, err := data.store.Change(id); err != nil || ref.Status != syncproto.StatusQuarantined || ref.Code != syncproto.CodeRecovered ||
			ref.Author != a.id.User || ref.Device != a.id.Device {
			t.Errorf("change %s: got %+v, %v", id, ref, err)
		}
	}
	data.wantRecoveryLeaf(t, a)
}

// recovery is what officers of a borough open sealed outboxes with.
type recovery struct {
	dir     string // of the files below
	keyFile string
	halves  map[string]string // the file of each officer's identity, by login
}

// pair is two of the officers.
func (r recovery) pair() []server.Officer {
	return []server.Officer{{Login: "ida", Half: r.halves["ida"]}, {Login: "jo", Half: r.halves["jo"]}}
}

// newRecoverableBorough is newBorough with a recovery key and three officers.
func newRecoverableBorough(t *testing.T, c caseload) (*borough, recovery) {
	t.Helper()
	b := &borough{cfg: newConfig(t)}
	if _, err := server.Init(t.Context(), b.cfg, server.FirstUser{Login: "it", Name: "IT", Password: password}); err != nil {
		t.Fatal(err)
	}
	r := recovery{dir: t.TempDir()}
	officers, halves := newOfficers(t, r.dir, "ida", "omar", "jo")
	r.halves, r.keyFile = halves, filepath.Join(r.dir, "recovery-key")
	if err := server.NewRecoveryKey(b.cfg, officers, r.keyFile); err != nil {
		t.Fatal(err)
	}
	b.start(t)
	bringIn(t, b, c)
	for _, o := range officers {
		if _, err := b.op.AddUser(t.Context(), server.NewUser{Login: o.Login, Name: o.Login, Role: "ig_officer", Password: password}); err != nil {
			t.Fatal(err)
		}
	}
	return b, r
}

// newOfficers draws an identity for each login; halves are the files.
func newOfficers(t *testing.T, dir string, logins ...string) (officers []server.Officer, halves map[string]string) {
	t.Helper()
	halves = map[string]string{}
	for _, login := range logins {
		halves[login] = filepath.Join(dir, login+".identity")
		recipient, err := server.NewBackupIdentity(halves[login])
		if err != nil {
			t.Fatal(err)
		}
		officers = append(officers, server.Officer{Login: login, Half: recipient})
	}
	return officers, halves
}

// wantRecoveryLeaf looks for who recovered a tablet's words in the audit log.
func (d onDisk) wantRecoveryLeaf(t *testing.T, x *tablet) {
	t.Helper()
	ida, _ := d.store.State().UserByLogin("ida")
	jo, _ := d.store.State().UserByLogin("jo")
	for position := d.store.State().Head(); position > 0; position-- {
		payload, err := d.journal.Read(position)
		if err != nil {
			t.Fatal(err)
		}
		leaf, err := store.Leaf(payload)
		if err != nil {
			t.Fatal(err)
		}
		e, err := events.DecodeEvent(leaf)
		if err != nil {
			t.Fatal(err)
		}
		if e.Word == "recovered" {
			if e.User != ida.ID || e.Second != jo.ID || e.Device != x.id.Device || e.Count != 2 {
				t.Errorf("got leaf %+v", e)
			}
			return
		}
	}
	t.Error("no leaf names the two officers")
}
