package endtoend

import (
	"errors"
	"math/rand/v2"
	"testing"

	"doorstep/client-sdk/device"
	"doorstep/syncproto"
)

// onShared enrols a worker on a shared tablet, or signs them in there again.
func onShared(t *testing.T, b *borough, shared *device.Shared, n int, own []byte) *tablet {
	t.Helper()
	store, err := shared.Open(login(n), own)
	if err != nil {
		t.Fatal(err)
	}
	key := shared.Key()
	x := &tablet{t: t, login: login(n), key: key, line: newLine(b), rng: rand.New(rand.NewPCG(uint64(n), 47))}
	t.Cleanup(x.line.http.CloseIdleConnections)
	client := x.client()
	code, err := b.op.IssueCode(t.Context(), login(n))
	if err != nil {
		t.Fatal(err)
	}
	x.id, err = client.Enrol(t.Context(), store, device.Enrolment{Login: login(n), Password: password, Code: code.Code, Name: "shared tablet", Key: &key})
	if err != nil {
		t.Fatal(err)
	}
	if x.Device, err = device.Open(store, client, device.Options{Chance: x.chance}); err != nil {
		t.Fatal(err)
	}
	return x
}

// Two workers share a tablet: one device for the server, two people. What the first
// wrote and did not send arrives under their own name when they are back.
func TestFault47TwoWorkersOnOneTabletOverHTTP(t *testing.T) {
	t.Parallel()
	b := newBorough(t, caseload{workers: 2, families: 1})
	shared, err := device.OpenShared(t.TempDir(), device.NewStoreKey())
	if err != nil {
		t.Fatal(err)
	}
	hers, his := device.NewStoreKey(), device.NewStoreKey()
	first := onShared(t, b, shared, 0, hers)
	first.syncs()
	family, visit := first.families()[0], first.newRecord()
	hersID := first.edit(family, visit, "visit", setText("visit_type", "CIN"), write("household_summary", 0, "Never sent before lunch."))
	closing(t, first.Close)

	second := onShared(t, b, shared, 1, his)
	if second.id.Device != first.id.Device || second.id.User == first.id.User {
		t.Fatalf("got identities %+v and %+v, want one device and two people", first.id, second.id)
	}
	second.syncs()
	if _, ok := second.folds()[visit]; ok {
		t.Error("the second worker has the first one's unsent visit")
	}
	other := second.newRecord()
	hisID := second.edit(family, other, "visit", setText("visit_type", "CP"))
	second.syncs()
	second.wantEmptyOutbox()
	closing(t, second.Close)

	first = onShared(t, b, shared, 0, hers)
	defer func() { closing(t, first.Close) }()
	if o, err := first.Outbox(); err != nil || o.Changes != 1 {
		t.Errorf("got outbox %+v, %v; want the unsent change", o, err)
	}
	first.syncs()
	first.wantAccepted()
	b.stop()
	d := openData(t, b.cfg)
	for change, want := range map[syncproto.ChangeID]device.Identity{hersID: first.id, hisID: second.id} {
		if got, err := d.store.Change(change); err != nil || got.Author != want.User || got.Device != want.Device {
			t.Errorf("change %s: got %+v, %v; want it by %s", change, got, err, want.User)
		}
	}
}

// A tablet's person proves again who they are, in the session that they are in.
func TestStepUpByPasswordFromATablet(t *testing.T) {
	t.Parallel()
	b := newBorough(t, caseload{workers: 2, families: 1})
	x := newTablet(t, b, 0, 48)
	client := x.client()
	if err := client.StepUp(t.Context(), x.login, password); err == nil {
		t.Error("stepped up without a session")
	}
	left := x.store.Reopen()
	closing(t, x.Close)
	x.store = left
	x.open(client)
	for name, try := range map[string][2]string{"wrong password": {x.login, "not their password"}, "somebody else's": {login(1), password}} {
		if err := client.StepUp(t.Context(), try[0], try[1]); !errors.Is(err, syncproto.CodeBadCredentials) {
			t.Errorf("%s: got %v", name, err)
		}
	}
	if err := client.StepUp(t.Context(), x.login, password); err != nil {
		t.Error(err)
	}
}
