package auth_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"doorstep/server/internal/auth"
	"doorstep/server/internal/auth/authtest"
	"doorstep/server/internal/auth/passkey"
	"doorstep/syncproto"
)

const (
	passkeyDomain = "doorstep.hants.example"
	passkeyOrigin = "https://doorstep.hants.example"
)

func newAuthenticator(t *testing.T) *authtest.Authenticator {
	return authtest.NewAuthenticator(t, passkeyDomain, passkeyOrigin)
}

// withPasskey is a person with a passkey and a session.
func withPasskey(t *testing.T) (*world, *authtest.Authenticator, auth.Grant) {
	t.Helper()
	w := newWorld(t)
	checker, err := passkey.New(passkey.Config{Domain: passkeyDomain, Name: "Hampshire", Origins: []string{passkeyOrigin}})
	if err != nil {
		t.Fatal(err)
	}
	w.passkeys = checker
	w.restart()
	w.addUser("jo", auth.RoleCoordinator)
	g := w.signIn("jo", syncproto.DeviceID{})
	a := newAuthenticator(t)
	if _, err := w.addPasskey(g.Caller, a); err != nil {
		t.Fatal(err)
	}
	return w, a, g
}

func (w *world) addPasskey(c auth.Caller, a *authtest.Authenticator) (auth.Passkey, error) {
	w.t.Helper()
	options, ticket, err := w.BeginAddPasskey(context.Background(), c)
	if err != nil {
		w.t.Fatal(err)
	}
	return w.AddPasskey(context.Background(), c, auth.PasskeyBack{Ticket: ticket, Answer: a.Make(options)}, "tablet")
}

// challenge is an answer to a fresh challenge.
func (w *world) challenge(a *authtest.Authenticator) auth.Credential {
	w.t.Helper()
	options, ticket, err := w.BeginPasskey(context.Background())
	if err != nil {
		w.t.Fatal(err)
	}
	return auth.Credential{Address: "10.0.0.1", Passkey: &auth.PasskeyBack{Ticket: ticket, Answer: a.Get(options)}}
}

func TestSignInByPasskey(t *testing.T) {
	w, a, first := withPasskey(t)
	w.pass(time.Hour)
	in := w.challenge(a)
	g, err := w.SignIn(context.Background(), auth.SignIn{Credential: in})
	if err != nil || g.Caller.User != first.Caller.User || !g.Caller.SignedInAt.Equal(w.clock()) {
		t.Fatalf("got %+v, %v", g.Caller, err)
	}
	_, err = w.SignIn(context.Background(), auth.SignIn{Credential: in}) // recorded and sent again
	wantCode(t, err, syncproto.CodeBadPasskey)
	if keys := w.Passkeys(g.Caller.User); len(keys) != 1 || keys[0].UsedMS == 0 {
		t.Errorf("got passkeys %+v", keys)
	}
	w.pass(time.Hour)
	at, err := w.StepUp(context.Background(), first.Caller, w.challenge(a))
	if err != nil || !at.Equal(w.clock()) {
		t.Errorf("a step-up: %v, %v", at, err)
	}
	c, err := w.verify(first.Access)
	if !errors.Is(err, syncproto.CodeUnauthenticated) { // two hours on, its access token has lapsed
		t.Errorf("got %+v, %v", c, err)
	}
	renewed, err := w.renew(first.Refresh, syncproto.RequestID{9})
	if err != nil || !renewed.Caller.SignedInAt.Equal(w.clock()) {
		t.Errorf("after a step-up the session is of %v, %v", renewed.Caller.SignedInAt, err)
	}
}

func TestSpoiltPasskeyAnswersAreRefused(t *testing.T) {
	cases := map[string]func(*authtest.Authenticator){
		"the person was not verified": func(a *authtest.Authenticator) { a.Verified = false },
		"another origin":              func(a *authtest.Authenticator) { a.Origin = "https://doorstep.wight.example" },
		"another domain":              func(a *authtest.Authenticator) { a.Domain = "doorstep.wight.example" },
		"another's key":               func(a *authtest.Authenticator) { a.Key = authtest.NewKey(t) },
		"an unknown key id":           func(a *authtest.Authenticator) { a.ID = []byte("nobody's") },
		"somebody else's handle":      func(a *authtest.Authenticator) { a.Handle = make([]byte, 16) },
		"no handle":                   func(a *authtest.Authenticator) { a.Handle = nil },
	}
	for name, spoil := range cases {
		t.Run(name, func(t *testing.T) {
			w, a, g := withPasskey(t)
			spoil(a)
			_, err := w.SignIn(context.Background(), auth.SignIn{Credential: w.challenge(a)})
			wantCode(t, err, syncproto.CodeBadPasskey)
			if name == "the person was not verified" {
				a.ID = []byte("another one")
				_, err = w.addPasskey(g.Caller, a)
				wantCode(t, err, syncproto.CodeBadPasskey)
			}
		})
	}
}

func TestLapsedChallengeIsRefused(t *testing.T) {
	w, a, _ := withPasskey(t)
	in := w.challenge(a)
	w.pass(10 * time.Minute)
	_, err := w.SignIn(context.Background(), auth.SignIn{Credential: in})
	wantCode(t, err, syncproto.CodeBadPasskey)
	in = w.challenge(a)
	w.restart() // its tickets end with a process
	_, err = w.SignIn(context.Background(), auth.SignIn{Credential: in})
	wantCode(t, err, syncproto.CodeBadPasskey)
}

// A counter that goes back means that there are two of the key: it is refused from
// then on, whichever of them answers.
func TestCopiedPasskeyIsRefusedForGood(t *testing.T) {
	w, a, g := withPasskey(t)
	for range 3 {
		if _, err := w.SignIn(context.Background(), auth.SignIn{Credential: w.challenge(a)}); err != nil {
			t.Fatal(err)
		}
	}
	thief := *a
	thief.Counter = 1
	_, err := w.SignIn(context.Background(), auth.SignIn{Credential: w.challenge(&thief)})
	wantCode(t, err, syncproto.CodeBadPasskey)
	_, err = w.SignIn(context.Background(), auth.SignIn{Credential: w.challenge(a)})
	wantCode(t, err, syncproto.CodeBadPasskey)
	if keys := w.Passkeys(g.Caller.User); len(keys) != 1 || !keys[0].Copied {
		t.Errorf("got passkeys %+v", keys)
	}
}

func TestRemovedPasskeyAndDisabledAccount(t *testing.T) {
	w, a, g := withPasskey(t)
	key := w.Passkeys(g.Caller.User)[0]
	wantCode(t, w.RemovePasskey(context.Background(), syncproto.UserID{9}, key.ID), syncproto.CodeNotFound) // another's
	if err := w.DisableUser(context.Background(), "jo", true); err != nil {
		t.Fatal(err)
	}
	_, err := w.SignIn(context.Background(), auth.SignIn{Credential: w.challenge(a)})
	wantCode(t, err, syncproto.CodeBadCredentials)
	if err := w.DisableUser(context.Background(), "jo", false); err != nil {
		t.Fatal(err)
	}
	if err := w.RemovePasskey(context.Background(), g.Caller.User, key.ID); err != nil {
		t.Fatal(err)
	}
	_, err = w.SignIn(context.Background(), auth.SignIn{Credential: w.challenge(a)})
	wantCode(t, err, syncproto.CodeBadPasskey)
}

func TestRevokedUserCanDoNothing(t *testing.T) {
	w, a, g := withPasskey(t)
	w.addUser("ali", auth.RolePractitioner)
	own, shared := newTablet(t), newTablet(t)
	onOwn, onShared, ali := w.enrol(own, "jo"), w.enrol(shared, "jo"), w.enrol(shared, "ali")
	code := w.code("jo")
	w.pass(time.Second)
	if err := w.RevokeUser(context.Background(), "jo"); err != nil {
		t.Fatal(err)
	}
	for _, x := range []auth.Grant{g, onOwn, onShared} {
		w.wantVerified(x.Access, false)
		_, err := w.renew(x.Refresh, syncproto.RequestID{1})
		wantCode(t, err, syncproto.CodeUnauthenticated)
	}
	w.wantVerified(ali.Access, true) // on the shared tablet the others go on
	_, err := w.SignIn(context.Background(), auth.SignIn{Credential: w.challenge(a)})
	wantCode(t, err, syncproto.CodeBadPasskey)
	_, err = w.Enrol(context.Background(), w.enrolment(own, "jo", code))
	wantCode(t, err, syncproto.CodeBadCredentials)
	if err := w.DisableUser(context.Background(), "jo", false); err != nil { // they come back
		t.Fatal(err)
	}
	_, err = w.Enrol(context.Background(), w.enrolment(newTablet(t), "jo", code))
	wantCode(t, err, syncproto.CodeBadCredentials) // the code from before does not
	w.enrol(newTablet(t), "jo")
	if d, _ := w.ledger.Device(onOwn.Caller.Device); d.RevokedMS == 0 {
		t.Error("the person's own device is still in use")
	}
	if d, _ := w.ledger.Device(onShared.Caller.Device); d.RevokedMS != 0 {
		t.Error("the shared device was revoked")
	}
}

func TestRevokingNeedsTheRight(t *testing.T) {
	w := newWorld(t)
	jo, ali, it := w.addUser("jo", auth.RolePractitioner), w.addUser("ali", auth.RolePractitioner), w.addUser("it", auth.RoleIT)
	d := w.enrol(newTablet(t), "jo").Caller.Device
	ctx := context.Background()
	wantCode(t, w.RevokeDeviceAs(ctx, auth.Caller{User: ali.ID}, d), syncproto.CodeNotFound)
	wantCode(t, w.RevokeUserAs(ctx, auth.Caller{User: ali.ID}, jo.ID), syncproto.CodeForbidden)
	wantCode(t, w.RevokeUserAs(ctx, auth.Caller{User: it.ID}, syncproto.UserID{1}), syncproto.CodeNotFound)
	if err := w.RevokeDeviceAs(ctx, auth.Caller{User: jo.ID}, d); err != nil { // one's own, lost on a bus
		t.Error(err)
	}
	if err := w.RevokeUserAs(ctx, auth.Caller{User: it.ID}, jo.ID); err != nil {
		t.Error(err)
	}
}

// What can no longer matter is forgotten, and a person's sessions are bounded.
func TestOldSessionsEnd(t *testing.T) {
	w := newWorld(t)
	jo := w.addUser("jo", auth.RolePractitioner)
	lapsed := w.signIn("jo", syncproto.DeviceID{})
	w.pass(15 * 24 * time.Hour)
	kept := w.signIn("jo", syncproto.DeviceID{})
	if s, _ := w.ledger.Session(lapsed.Caller.Session); s.EndedMS == 0 {
		t.Error("a lapsed session goes on")
	}
	for range 40 {
		w.pass(time.Second)
		w.signIn("jo", syncproto.DeviceID{})
	}
	if n := len(w.ledger.Sessions(jo.ID)); n != 32 {
		t.Errorf("%d sessions go on, want 32", n)
	}
	w.wantVerified(kept.Access, false)
}

// An enrolment that read the account before its first password was set must not
// put an old account back.
func TestFirstPasswordKeepsWhatChangedMeanwhile(t *testing.T) {
	w := newWorld(t)
	ctx := context.Background()
	if _, err := w.AddUser(ctx, auth.NewUser{Login: "new", Name: "Imported", Role: auth.RolePractitioner}); err != nil {
		t.Fatal(err)
	}
	in := w.enrolment(newTablet(t), "new", w.code("new"))
	w.ledger.Before = func() { // between reading the account and recording it
		w.ledger.Before = nil
		err := w.ledger.Record(ctx, func(f auth.Facts) ([]auth.Fact, error) {
			acc, _ := f.AccountByLogin("new")
			acc.Role = auth.RoleManager
			return []auth.Fact{acc}, nil
		})
		if err != nil {
			t.Error(err)
		}
	}
	if _, err := w.Enrol(ctx, in); err != nil {
		t.Fatal(err)
	}
	acc, _ := w.ledger.AccountByLogin("new")
	if acc.Role != auth.RoleManager || acc.PasswordHash == "" {
		t.Errorf("got %+v, want a manager with a password", acc)
	}
	second := w.enrolment(newTablet(t), "new", w.code("new"))
	w.ledger.Before = func() {
		w.ledger.Before = nil
		if err := w.SetPassword(ctx, "new", "a password of meanwhile"); err != nil {
			t.Error(err)
		}
	}
	_, err := w.Enrol(ctx, second)
	wantCode(t, err, syncproto.CodeBadCredentials) // changed since it was checked
}
