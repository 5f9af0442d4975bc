package auth_test

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
	"math/rand"
	"strings"
	"sync"
	"testing"
	"time"

	"doorstep/server/internal/auth"
	"doorstep/server/internal/auth/authtest"
	"doorstep/server/internal/auth/passkey"
	"doorstep/syncproto"
)

const (
	borough  = "hampshire"
	password = "a quiet street in winter"
)

// world is one borough's auth with a clock that tests move.
type world struct {
	*auth.Auth
	t        testing.TB
	ledger   *authtest.Ledger
	log      *bytes.Buffer
	cost     auth.Cost
	passkeys *passkey.Checker
	key      ed25519.PrivateKey
	random   *rand.Rand

	mu  sync.Mutex
	now time.Time
}

// newWorld checks passwords cheaply; the cost has a test of its own.
func newWorld(t *testing.T) *world {
	t.Helper()
	return newWorldFor(t)
}

// newWorldFor is newWorld for benchmarks too.
func newWorldFor(t testing.TB) *world {
	t.Helper()
	return newWorldAt(t, auth.Cost{MemoryKiB: 64, Passes: 1})
}

func newWorldAt(t testing.TB, cost auth.Cost) *world {
	t.Helper()
	w := &world{t: t, cost: cost, ledger: authtest.NewLedger(), log: &bytes.Buffer{},
		random: rand.New(rand.NewSource(7)), now: time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC)}
	w.key = ed25519.NewKeyFromSeed(bytes.Repeat([]byte{9}, 32))
	w.restart()
	return w
}

// restart begins another process on the same ledger.
func (w *world) restart() {
	w.t.Helper()
	a, err := auth.New(auth.Config{Borough: borough, TokenKey: w.key, ShareKey: make([]byte, auth.ShareBytes), Ledger: w.ledger,
		Now: w.clock, Random: w.random, Cost: w.cost, Passkeys: w.passkeys, Log: slog.New(slog.NewTextHandler(w.log, nil))})
	if err != nil {
		w.t.Fatal(err)
	}
	w.Auth = a
}

func (w *world) clock() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.now
}

func (w *world) pass(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.now = w.now.Add(d)
}

func (w *world) addUser(login string, role auth.Role) auth.Account {
	w.t.Helper()
	acc, err := w.AddUser(context.Background(), auth.NewUser{Login: login, Name: "Name of " + login, Role: role, Password: password})
	if err != nil {
		w.t.Fatal(err)
	}
	return acc
}

func (w *world) signIn(login string, device syncproto.DeviceID) auth.Grant {
	w.t.Helper()
	g, err := w.SignIn(context.Background(), auth.SignIn{Credential: auth.Credential{Login: login, Password: password, Address: "10.0.0.1"}, Device: device, Key: w.keyOf(device)})
	if err != nil {
		w.t.Fatal(err)
	}
	return g
}

// tablet is a device's key pair.
type tablet struct{ private *ecdsa.PrivateKey }

func newTablet(t *testing.T) tablet {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), nil)
	if err != nil {
		t.Fatal(err)
	}
	return tablet{k}
}

func (d tablet) public(t testing.TB) []byte {
	t.Helper()
	b, err := d.private.PublicKey.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func (d tablet) sign(t testing.TB, message []byte) []byte {
	t.Helper()
	sum := sha256.Sum256(message)
	r, s, err := ecdsa.Sign(nil, d.private, sum[:])
	if err != nil {
		t.Fatal(err)
	}
	return append(r.FillBytes(make([]byte, 32)), s.FillBytes(make([]byte, 32))...)
}

// enrolment is what the person at the tablet would send.
func (w *world) enrolment(d tablet, login, code string) auth.Enrol {
	w.t.Helper()
	normal, _ := auth.NormalCode(code)
	return auth.Enrol{Credential: auth.Credential{Login: login, Password: password, Address: "10.0.0.1"}, Code: code, Key: d.public(w.t),
		Proof: d.sign(w.t, auth.EnrolMessage(normal)), Name: "Tablet 12"}
}

func (w *world) code(login string) string {
	w.t.Helper()
	code, _, err := w.IssueCode(context.Background(), login)
	if err != nil {
		w.t.Fatal(err)
	}
	return code
}

func (w *world) enrol(d tablet, login string) auth.Grant {
	w.t.Helper()
	g, err := w.Enrol(context.Background(), w.enrolment(d, login, w.code(login)))
	if err != nil {
		w.t.Fatal(err)
	}
	return g
}

func wantCode(t testing.TB, err error, want syncproto.Code) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Fatalf("got error %v, want code %d", err, want)
	}
}

// verify asks who sends a token, together with the proof that it needs.
func (w *world) verify(token string) (auth.Caller, error) {
	_, key, err := w.Known(context.Background(), auth.Sender{Token: token})
	if err != nil {
		return auth.Caller{}, err
	}
	return w.Verify(context.Background(), auth.Sender{Token: token, Bound: !key.IsZero(), Key: key})
}

// renew asks for new tokens, with the proof that the session needs.
func (w *world) renew(token string, request syncproto.RequestID) (auth.Grant, error) {
	in := auth.Renewal{Token: token, Request: request}
	if raw, err := base64.RawURLEncoding.DecodeString(token); err == nil && len(raw) > 16 {
		s, _ := w.ledger.Session(syncproto.ID(raw[:16]))
		in.Key = s.Key
	}
	return w.Refresh(context.Background(), in)
}

// keyOf is what a device's proofs show.
func (w *world) keyOf(device syncproto.DeviceID) auth.Thumbprint {
	d, ok := w.ledger.Device(device)
	if !ok {
		return auth.Thumbprint{}
	}
	return auth.ThumbprintOf(d.Key)
}

func (w *world) wantVerified(token string, want bool) {
	w.t.Helper()
	_, err := w.verify(token)
	if (err == nil) != want {
		w.t.Fatalf("token verified: %v (%v), want %v", err == nil, err, want)
	}
}

func TestSignInGivesWorkingTokens(t *testing.T) {
	w := newWorld(t)
	acc := w.addUser("jo.smith@hants.example", auth.RolePractitioner)
	g := w.signIn("  JO.Smith@hants.example ", syncproto.DeviceID{})
	c, err := w.verify(g.Access)
	if err != nil {
		t.Fatal(err)
	}
	if c.User != acc.ID || !c.SignedInAt.Equal(w.clock()) || !c.Device.IsZero() {
		t.Errorf("got caller %+v, want user %s signed in now without a device", c, acc.ID)
	}
	if strings.Contains(g.Access, "practitioner") {
		t.Error("the token names a role")
	}
}

func TestSignInRefusesAlike(t *testing.T) {
	w := newWorld(t)
	w.addUser("jo", auth.RolePractitioner)
	w.addUser("gone", auth.RolePractitioner)
	if err := w.DisableUser(context.Background(), "gone", true); err != nil {
		t.Fatal(err)
	}
	if _, err := w.AddUser(context.Background(), auth.NewUser{Login: "imported", Name: "No Password", Role: auth.RoleManager}); err != nil {
		t.Fatal(err)
	}
	cases := map[string]auth.SignIn{
		"wrong password":      {Credential: auth.Credential{Login: "jo", Password: "a loud street in winter"}},
		"short password":      {Credential: auth.Credential{Login: "jo", Password: "x"}},
		"unknown login":       {Credential: auth.Credential{Login: "nobody", Password: password}},
		"login with a space":  {Credential: auth.Credential{Login: "j o", Password: password}},
		"disabled account":    {Credential: auth.Credential{Login: "gone", Password: password}},
		"no password yet":     {Credential: auth.Credential{Login: "imported", Password: "no account has this password"}},
		"empty":               {},
		"password of dummies": {Credential: auth.Credential{Login: "nobody", Password: "no account has this password"}},
	}
	for name, in := range cases {
		t.Run(name, func(t *testing.T) {
			_, err := w.SignIn(context.Background(), in)
			wantCode(t, err, syncproto.CodeBadCredentials)
			if err.Error() != syncproto.CodeBadCredentials.Error() {
				t.Errorf("the refusal tells more than the others: %v", err)
			}
		})
	}
}

func TestFault93GuessingIsSlowedAndLocksNobodyOut(t *testing.T) {
	w := newWorld(t)
	w.addUser("jo", auth.RolePractitioner)
	var slowed *auth.TooMany
	tries := 0
	for ; tries < 50; tries++ {
		_, err := w.SignIn(context.Background(), auth.SignIn{Credential: auth.Credential{Login: "jo", Password: "guess number one", Address: "10.6.6.6"}})
		if errors.As(err, &slowed) {
			break
		}
	}
	if slowed == nil || slowed.RetryAfter <= 0 {
		t.Fatalf("after %d wrong guesses nothing slowed down", tries)
	}
	w.signIn("jo", syncproto.DeviceID{}) // from her own address: not locked out
	w.pass(slowed.RetryAfter)
	if _, err := w.SignIn(context.Background(), auth.SignIn{Credential: auth.Credential{Login: "jo", Password: password, Address: "10.6.6.6"}}); err != nil {
		t.Errorf("after the wait the right password is still refused: %v", err)
	}
}

func TestAnOfficeBehindOneAddressSignsIn(t *testing.T) {
	w := newWorld(t)
	for i := range 300 { // everybody, at nine on Monday
		w.addUser(fmt.Sprintf("worker%d", i), auth.RolePractitioner)
		w.signIn(fmt.Sprintf("worker%d", i), syncproto.DeviceID{})
	}
	var slowed *auth.TooMany
	for i := range 300 { // one guess at each login
		_, err := w.SignIn(context.Background(), auth.SignIn{Credential: auth.Credential{Login: fmt.Sprintf("worker%d", i), Password: "Winter2026 Winter2026", Address: "10.6.6.6"}})
		if errors.As(err, &slowed) {
			return
		}
	}
	t.Error("one address sprayed 300 logins and was never slowed down")
}

func TestEnrolTwoPeopleOnOneDevice(t *testing.T) {
	w := newWorld(t)
	jo, ali := w.addUser("jo", auth.RolePractitioner), w.addUser("ali", auth.RolePractitioner)
	d := newTablet(t)
	first, second := w.enrol(d, "jo"), w.enrol(d, "ali")
	if first.Caller.Device != second.Caller.Device || first.Caller.Device.IsZero() {
		t.Fatalf("got devices %s and %s, want one", first.Caller.Device, second.Caller.Device)
	}
	dev, _ := w.ledger.Device(first.Caller.Device)
	if !dev.UsedBy(jo.ID) || !dev.UsedBy(ali.ID) || len(dev.Users) != 2 {
		t.Errorf("got users %v, want both", dev.Users)
	}
	w.addUser("eve", auth.RolePractitioner)
	_, err := w.SignIn(context.Background(), auth.SignIn{Credential: auth.Credential{Login: "eve", Password: password}, Device: dev.ID})
	wantCode(t, err, syncproto.CodeWrongDevice)
}

func TestEnrolmentCodeIsForOneDeviceOnePersonOneWeek(t *testing.T) {
	w := newWorld(t)
	w.addUser("jo", auth.RolePractitioner)
	w.addUser("ali", auth.RolePractitioner)
	d, other := newTablet(t), newTablet(t)
	ctx := context.Background()

	code := w.code("jo")
	_, err := w.Enrol(ctx, w.enrolment(d, "ali", code))
	wantCode(t, err, syncproto.CodeBadCredentials) // issued to Jo

	if _, err := w.Enrol(ctx, w.enrolment(d, "jo", strings.ToLower(code))); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Enrol(ctx, w.enrolment(d, "jo", code)); err != nil {
		t.Errorf("a retry after a lost reply was refused: %v", err)
	}
	_, err = w.Enrol(ctx, w.enrolment(other, "jo", code))
	wantCode(t, err, syncproto.CodeBadCredentials) // used up

	late := w.code("jo")
	w.pass(auth.CodeLife)
	_, err = w.Enrol(ctx, w.enrolment(other, "jo", late))
	wantCode(t, err, syncproto.CodeBadCredentials)

	_, err = w.Enrol(ctx, w.enrolment(other, "jo", "AAAA-BBBB-CCCC-DDDD"))
	wantCode(t, err, syncproto.CodeBadCredentials) // never issued
}

func TestFirstEnrolmentSetsThePassword(t *testing.T) {
	w := newWorld(t)
	ctx := context.Background()
	if _, err := w.AddUser(ctx, auth.NewUser{Login: "new", Name: "Imported Worker", Role: auth.RolePractitioner}); err != nil {
		t.Fatal(err)
	}
	d := newTablet(t)
	_, err := w.Enrol(ctx, w.enrolment(d, "new", "AAAA-BBBB-CCCC-DDDD"))
	wantCode(t, err, syncproto.CodeBadCredentials)
	weak := w.enrolment(d, "new", w.code("new"))
	weak.Password = "short"
	_, err = w.Enrol(ctx, weak)
	wantCode(t, err, syncproto.CodeBadValue)

	w.enrol(d, "new")
	w.signIn("new", syncproto.DeviceID{})
	other := w.enrolment(newTablet(t), "new", w.code("new"))
	other.Password = "another good password"
	_, err = w.Enrol(ctx, other)
	wantCode(t, err, syncproto.CodeBadCredentials) // a code alone does not change a password
}

func TestEnrolNeedsProofOfTheKey(t *testing.T) {
	w := newWorld(t)
	w.addUser("jo", auth.RolePractitioner)
	d, thief := newTablet(t), newTablet(t)
	code := w.code("jo")
	good := w.enrolment(d, "jo", code)

	stolen := good
	stolen.Key = thief.public(t)
	flipped := good
	flipped.Proof = bytes.Clone(good.Proof)
	flipped.Proof[63] ^= 1
	offCurve := good
	offCurve.Key = bytes.Clone(good.Key)
	offCurve.Key[64] ^= 1
	short := good
	short.Key = good.Key[:64]
	otherCode := good
	otherCode.Code = w.code("jo")
	for name, in := range map[string]auth.Enrol{"another's key": stolen, "flipped bit": flipped,
		"point off the curve": offCurve, "short key": short, "proof over another code": otherCode} {
		t.Run(name, func(t *testing.T) {
			_, err := w.Enrol(context.Background(), in)
			wantCode(t, err, syncproto.CodeBadSignature)
		})
	}
	if len(w.Devices()) != 0 {
		t.Error("a refused enrolment left a device")
	}
}

func TestRevokedDeviceMaySendOnly(t *testing.T) {
	w := newWorld(t)
	w.addUser("jo", auth.RolePractitioner)
	d := newTablet(t)
	g := w.enrol(d, "jo")
	w.wantVerified(g.Access, true)
	w.pass(time.Second)
	if err := w.RevokeDevice(context.Background(), g.Caller.Device); err != nil {
		t.Fatal(err)
	}
	w.wantVerified(g.Access, false)
	_, err := w.renew(g.Refresh, syncproto.RequestID{1})
	wantCode(t, err, syncproto.CodeUnauthenticated)

	_, err = w.Enrol(context.Background(), w.enrolment(d, "jo", w.code("jo")))
	wantCode(t, err, syncproto.CodeRevokedDevice)

	w.pass(time.Second)
	again := w.signIn("jo", g.Caller.Device)
	if !again.CustodyOnly {
		t.Error("a sign-in on a revoked device is not custody only")
	}
	c, err := w.verify(again.Access)
	if err != nil || !c.CustodyOnly {
		t.Errorf("got %+v, %v; want a custody-only caller", c, err)
	}
}

// Whose access ended begins a session by the device's key alone, which only sends.
func TestFault67CustodySessionByTheDevicesKeyAlone(t *testing.T) {
	ctx := context.Background()
	for name, end := range map[string]func(*world, auth.Grant) error{
		"disabled":       func(w *world, _ auth.Grant) error { return w.DisableUser(ctx, "jo", true) },
		"revoked":        func(w *world, _ auth.Grant) error { return w.RevokeUser(ctx, "jo") },
		"device revoked": func(w *world, g auth.Grant) error { return w.RevokeDevice(ctx, g.Caller.Device) },
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.addUser("jo", auth.RolePractitioner)
			sam := w.addUser("sam", auth.RolePractitioner)
			d := newTablet(t)
			g := w.enrol(d, "jo")
			user, device, key := g.Caller.User, g.Caller.Device, w.keyOf(g.Caller.Device)
			_, err := w.BeginCustody(ctx, user, device, key)
			wantCode(t, err, syncproto.CodeUnauthenticated) // can sign in
			if err := end(w, g); err != nil {
				t.Fatal(err)
			}
			var proof *auth.ProofError
			if _, err := w.BeginCustody(ctx, user, device, auth.Thumbprint{}); !errors.As(err, &proof) {
				t.Errorf("without a proof: got %v", err)
			}
			for what, try := range map[string]struct {
				user   syncproto.UserID
				device syncproto.DeviceID
				key    auth.Thumbprint
			}{
				"another key":      {user, device, auth.Thumbprint{1}},
				"unknown device":   {user, syncproto.DeviceID{1}, key},
				"another's person": {sam.ID, device, key},
				"nobody":           {syncproto.UserID{}, device, key},
			} {
				if _, err := w.BeginCustody(ctx, try.user, try.device, try.key); !errors.Is(err, syncproto.CodeUnauthenticated) {
					t.Errorf("%s: got %v", what, err)
				}
			}
			c, err := w.BeginCustody(ctx, user, device, key)
			if err != nil || !c.Caller.CustodyOnly || !c.CustodyOnly || c.Refresh != "" || c.Account.Name != "" {
				t.Fatalf("got %+v, %v; want a custody session and nothing more", c, err)
			}
			caller, err := w.verify(c.Access)
			if err != nil || !caller.CustodyOnly || caller.SignedInAt.UnixMilli() != 0 {
				t.Errorf("got %+v, %v", caller, err)
			}
			written := w.ledger.Written
			for range 20 {
				if again, err := w.BeginCustody(ctx, user, device, key); err != nil || again.Caller.Session != c.Caller.Session {
					t.Fatalf("asked again: got %+v, %v; want the same session", again.Caller, err)
				}
			}
			if w.ledger.Written != written {
				t.Errorf("asking again wrote %d facts", w.ledger.Written-written)
			}
			w.pass(15 * 24 * time.Hour)
			if again, err := w.BeginCustody(ctx, user, device, key); err != nil || again.Caller.Session == c.Caller.Session {
				t.Errorf("after it lapsed: got %+v, %v; want another session", again.Caller, err)
			}
		})
	}
}

// A custody session is worth nothing once the person can sign in again, and never
// becomes more than it was.
func TestCustodySessionEndsWithItsReason(t *testing.T) {
	ctx := context.Background()
	w := newWorld(t)
	w.addUser("jo", auth.RolePractitioner)
	g := w.enrol(newTablet(t), "jo")
	end := func(disabled bool) {
		t.Helper()
		if err := w.DisableUser(ctx, "jo", disabled); err != nil {
			t.Fatal(err)
		}
	}
	end(true)
	c, err := w.BeginCustody(ctx, g.Caller.User, g.Caller.Device, w.keyOf(g.Caller.Device))
	if err != nil {
		t.Fatal(err)
	}
	w.wantVerified(c.Access, true)
	end(false)
	w.wantVerified(c.Access, false)
	if err := w.Check(c.Caller); !errors.Is(err, syncproto.CodeUnauthenticated) {
		t.Errorf("a stream of it: got %v", err)
	}
	_, err = w.StepUp(ctx, c.Caller, auth.Credential{Login: "jo", Password: password, Address: "10.0.0.1"})
	if err == nil {
		if caller, err := w.verify(c.Access); err == nil {
			t.Errorf("after a step-up: got %+v", caller)
		}
	}
	end(true)
	if caller, err := w.verify(c.Access); err != nil || !caller.CustodyOnly {
		t.Errorf("ended again: got %+v, %v; want custody only", caller, err)
	}
}

func TestEndedSessionsUsersAndDevicesDropOut(t *testing.T) {
	ctx := context.Background()
	ends := map[string]func(*world, auth.Grant) error{
		"sign-out":     func(w *world, g auth.Grant) error { return w.SignOut(ctx, g.Caller) },
		"user":         func(w *world, _ auth.Grant) error { return w.DisableUser(ctx, "jo", true) },
		"device":       func(w *world, g auth.Grant) error { return w.RevokeDevice(ctx, g.Caller.Device) },
		"idle session": func(w *world, _ auth.Grant) error { w.pass(15 * 24 * time.Hour); return nil },
	}
	for name, end := range ends {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.addUser("jo", auth.RolePractitioner)
			g := w.enrol(newTablet(t), "jo")
			w.wantVerified(g.Access, true) // now cached
			if err := w.Check(g.Caller); err != nil {
				t.Fatal(err)
			}
			if err := end(w, g); err != nil {
				t.Fatal(err)
			}
			w.wantVerified(g.Access, false)
			if w.Check(g.Caller) == nil {
				t.Error("a stream of the ended caller goes on")
			}
		})
	}
}

func TestAddUserChecks(t *testing.T) {
	w := newWorld(t)
	w.addUser("jo", auth.RolePractitioner)
	cases := []struct {
		name string
		in   auth.NewUser
		want error
	}{
		{"same login in capitals", auth.NewUser{Login: "JO", Name: "x", Role: auth.RoleIT}, auth.ErrLoginTaken},
		{"full-width login", auth.NewUser{Login: "ｊｏ", Name: "x", Role: auth.RoleIT}, auth.ErrLoginTaken},
		{"unknown role", auth.NewUser{Login: "b", Name: "x", Role: "root"}, auth.ErrBadRole},
		{"no name", auth.NewUser{Login: "b", Name: " ", Role: auth.RoleIT}, auth.ErrBadName},
		{"control character in the login", auth.NewUser{Login: "a\x00b", Name: "x", Role: auth.RoleIT}, auth.ErrBadLogin},
		{"short password", auth.NewUser{Login: "b", Name: "x", Role: auth.RoleIT, Password: "elevenchars"}, auth.ErrWeakPassword},
		{"endless password", auth.NewUser{Login: "b", Name: "x", Role: auth.RoleIT, Password: strings.Repeat("a", 513)}, auth.ErrWeakPassword},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			if _, err := w.AddUser(context.Background(), c.in); !errors.Is(err, c.want) {
				t.Errorf("got %v, want %v", err, c.want)
			}
		})
	}
}

func TestNothingSecretIsLoggedOrKept(t *testing.T) {
	w := newWorld(t)
	w.addUser("jo", auth.RolePractitioner)
	code := w.code("jo")
	g, err := w.Enrol(context.Background(), w.enrolment(newTablet(t), "jo", code))
	if err != nil {
		t.Fatal(err)
	}
	_, _ = w.SignIn(context.Background(), auth.SignIn{Credential: auth.Credential{Login: "jo", Password: "wrong " + password}})
	_, _ = w.verify(g.Access + "x")
	normal, _ := auth.NormalCode(code)
	for name, secret := range map[string]string{"password": password, "code": code, "plain code": normal,
		"access token": g.Access, "refresh token": g.Refresh} {
		if strings.Contains(w.log.String(), secret) {
			t.Errorf("the log holds the %s", name)
		}
	}
}

func TestPasswordsCostWhatOWASPAdvises(t *testing.T) {
	w := newWorldAt(t, auth.Cost{})
	w.addUser("jo", auth.RolePractitioner)
	acc, _ := w.ledger.AccountByLogin("jo")
	if !strings.HasPrefix(acc.PasswordHash, "$argon2id$v=19$m=19456,t=2,p=1$") {
		t.Errorf("got hash %q, want argon2id with the documented cost", acc.PasswordHash[:30])
	}
	w.signIn("jo", syncproto.DeviceID{})
}
