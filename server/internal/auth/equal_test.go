package auth_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"slices"
	"testing"

	"doorstep/server/internal/auth"
	"doorstep/server/internal/auth/authtest"
	"doorstep/syncproto"
)

// counted is a ledger that tells what is asked of it.
type counted struct {
	*authtest.Ledger
	tell func(string)
}

func (c counted) Account(id syncproto.UserID) (auth.Account, bool) {
	c.tell("account")
	return c.Ledger.Account(id)
}

func (c counted) AccountByLogin(login string) (auth.Account, bool) {
	c.tell("account by login")
	return c.Ledger.AccountByLogin(login)
}

func (c counted) AccountBySubject(subject string) (auth.Account, bool) {
	c.tell("account by subject")
	return c.Ledger.AccountBySubject(subject)
}

func (c counted) Device(id syncproto.DeviceID) (auth.Device, bool) {
	c.tell("device")
	return c.Ledger.Device(id)
}

func (c counted) Session(id syncproto.ID) (auth.Session, bool) {
	c.tell("session")
	return c.Ledger.Session(id)
}

func (c counted) Sessions(user syncproto.UserID) []auth.Session {
	c.tell("sessions")
	return c.Ledger.Sessions(user)
}

func (c counted) Code(hash [32]byte) (auth.Code, bool) {
	c.tell("code")
	return c.Ledger.Code(hash)
}

func (c counted) Passkeys(user syncproto.UserID) []auth.Passkey {
	c.tell("passkeys")
	return c.Ledger.Passkeys(user)
}

func (c counted) Record(ctx context.Context, decide func(auth.Facts) ([]auth.Fact, error)) error {
	c.tell("record")
	return c.Ledger.Record(ctx, decide)
}

// TestFault94SignInDoesEqualWork counts what a refused proof of who somebody is makes
// the server do: derivations of a key from a password with what each costs, and what
// is asked of the ledger, in that order. It is the same whoever the login names, so
// that nobody learns by the clock who has an account.
func TestFault94SignInDoesEqualWork(t *testing.T) {
	w := newWorld(t)
	for _, login := range []string{"jo", "gone", "ali"} {
		w.addUser(login, auth.RolePractitioner)
	}
	if err := w.DisableUser(t.Context(), "gone", true); err != nil {
		t.Fatal(err)
	}
	if _, err := w.AddUser(t.Context(), auth.NewUser{Login: "imported", Name: "No Password", Role: auth.RoleManager}); err != nil {
		t.Fatal(err)
	}
	d := newTablet(t)
	jos := w.enrol(d, "jo").Caller.Device
	var did []string
	tell := func(what string) { did = append(did, what) }
	w.Work(tell)
	w.Swap(func(l auth.Ledger) auth.Ledger { return counted{l.(*authtest.Ledger), tell} })

	for name, try := range map[string]func(auth.Credential) error{
		"signing in": func(c auth.Credential) error {
			_, err := w.SignIn(t.Context(), auth.SignIn{Credential: c})
			return err
		},
		"signing in on a tablet": func(c auth.Credential) error {
			_, err := w.SignIn(t.Context(), auth.SignIn{Credential: c, Device: jos, Key: w.keyOf(jos)})
			return err
		},
		"opening a tablet's lock": func(c auth.Credential) error {
			_, err := w.Share(t.Context(), auth.ShareRequest{Credential: c, Device: jos})
			return err
		},
		"stepping up": func(c auth.Credential) error {
			_, err := w.StepUp(t.Context(), auth.Caller{User: syncproto.UserID{1}}, c)
			return err
		},
		"enrolling": func(c auth.Credential) error { return enrolWithout(t, w, c) },
	} {
		var want []string
		for _, c := range []auth.Credential{
			{Login: "nobody", Password: password}, // nobody has this login: what follows has to look the same
			{Login: "jo", Password: "a loud street in winter"}, {Login: "jo", Password: "x"}, {Login: "ali", Password: "a loud street in winter"},
			{Login: "gone", Password: password}, {Login: "gone", Password: "a loud street in winter"},
			{Login: "imported", Password: password}, {Login: "imported", Password: "no account has this password"},
			{Login: "j o", Password: password}, {Login: "", Password: ""}, {Login: "nobody", Password: "x"},
		} {
			did, c.Address = nil, "10.0.0.9"
			wantCode(t, try(c), syncproto.CodeBadCredentials)
			if want == nil {
				want = did
			}
			if !slices.Equal(did, want) || !slices.Contains(did, "derive 1 64 1 32") {
				t.Errorf("%s as %q with %q: did %q, and of an unknown login %q", name, c.Login, c.Password, did, want)
			}
		}
	}
}

// enrolWithout enrols with a code that nobody was given.
func enrolWithout(t *testing.T, w *world, c auth.Credential) error {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	public, err := key.PublicKey.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	const code = "AAAABBBBCCCCDDDD"
	sum := sha256.Sum256(auth.EnrolMessage(code))
	r, s, err := ecdsa.Sign(rand.Reader, key, sum[:])
	if err != nil {
		t.Fatal(err)
	}
	_, err = w.Enrol(t.Context(), auth.Enrol{Credential: c, Code: code, Key: public,
		Proof: append(r.FillBytes(make([]byte, 32)), s.FillBytes(make([]byte, 32))...), Name: "Tablet"})
	return err
}
