package auth_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"doorstep/server/internal/auth"
	"doorstep/syncproto"
)

// A share is the same each time, another for each user and device, and given to
// whoever proves that they are enrolled on a device that is in use.
func TestShare(t *testing.T) {
	w := newWorld(t)
	amina := w.addUser("amina", auth.RolePractitioner)
	w.addUser("ben", auth.RolePractitioner)
	shared, own := newTablet(t), newTablet(t)
	w.enrol(shared, "amina")
	w.enrol(shared, "ben")
	w.enrol(own, "amina")
	ask := func(login, with string, d tablet) (auth.Share, error) {
		return w.Share(context.Background(), auth.ShareRequest{Device: auth.DeviceIDOf(d.public(t)),
			Credential: auth.Credential{Login: login, Password: with, Address: "10.0.0.1"}})
	}
	first, err := ask("amina", password, shared)
	if err != nil || first.Lease != 14*24*time.Hour {
		t.Fatalf("got %v, %v", first.Lease, err)
	}
	w.restart()
	if again, err := ask("amina", password, shared); err != nil || again != first {
		t.Errorf("asked again: another share, %v", err)
	}
	if given, err := w.ShareOf(amina.ID, auth.DeviceIDOf(shared.public(t))); err != nil || given != first {
		t.Errorf("at enrolment: another share, %v", err)
	}
	for what, s := range map[string]func() (auth.Share, error){
		"ben's":              func() (auth.Share, error) { return ask("ben", password, shared) },
		"her other tablet's": func() (auth.Share, error) { return ask("amina", password, own) },
	} {
		if got, err := s(); err != nil || got.Share == first.Share {
			t.Errorf("%s share is amina's of this tablet, or none: %v", what, err)
		}
	}
	if _, err := ask("ben", password, own); !errors.Is(err, syncproto.CodeWrongDevice) {
		t.Errorf("for somebody else's tablet: %v", err)
	}
	if _, err := ask("amina", "a guess that is wrong", shared); !errors.Is(err, syncproto.CodeBadCredentials) {
		t.Errorf("with a wrong password: %v", err)
	}
	if err := w.RevokeDevice(context.Background(), auth.DeviceIDOf(shared.public(t))); err != nil {
		t.Fatal(err)
	}
	if _, err := ask("ben", password, shared); !errors.Is(err, syncproto.CodeRevokedDevice) {
		t.Errorf("for a withdrawn tablet: %v", err)
	}
}
