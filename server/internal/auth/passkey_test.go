package auth_test

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"testing"
	"time"

	"doorstep/server/internal/auth"
	"doorstep/server/internal/auth/authtest"
	"doorstep/server/internal/auth/passkey"
	"doorstep/syncproto"
	"doorstep/syncproto/cbor"
)

const (
	passkeyDomain = "doorstep.hants.example"
	passkeyOrigin = "https://doorstep.hants.example"
)

// authenticator is a virtual one: a key that it uses once it has verified its
// person.
type authenticator struct {
	key      authtest.Key
	id       []byte
	handle   []byte // of the person
	counter  uint32
	verified bool // the person was verified
	origin   string
	domain   string
}

func newAuthenticator(t *testing.T) *authenticator {
	return &authenticator{key: authtest.NewKey(t), id: []byte("credential of a tablet"), verified: true, origin: passkeyOrigin, domain: passkeyDomain}
}

var b64 = base64.RawURLEncoding.EncodeToString

// data is the authenticator data; attested adds the key.
func (a *authenticator) data(attested bool) []byte {
	domain := sha256.Sum256([]byte(a.domain))
	flags := byte(0x01) // present
	if a.verified {
		flags |= 0x04
	}
	if attested {
		flags |= 0x40
	}
	out := binary.BigEndian.AppendUint32(append(domain[:], flags), a.counter)
	if !attested {
		return out
	}
	out = append(out, make([]byte, 16)...) // of no maker
	out = binary.BigEndian.AppendUint16(out, uint16(len(a.id)))
	return append(append(out, a.id...), a.cose()...)
}

// cose is the public key as a COSE_Key (RFC 9053, 7.1.1).
func (a *authenticator) cose() []byte {
	point := a.key.Public()
	b := cbor.AppendMap(nil, 5)
	for _, pair := range [][2]int64{{1, 2}, {3, -7}, {-1, 1}} { // EC2, ES256, P-256
		b = cbor.AppendInt(cbor.AppendInt(b, pair[0]), pair[1])
	}
	b = cbor.AppendBytes(cbor.AppendInt(b, -2), point[1:33])
	return cbor.AppendBytes(cbor.AppendInt(b, -3), point[33:])
}

func (a *authenticator) client(what, challenge string) []byte {
	out, _ := json.Marshal(map[string]any{"type": what, "challenge": challenge, "origin": a.origin, "crossOrigin": false})
	return out
}

// make answers navigator.credentials.create.
func (a *authenticator) make(options json.RawMessage) json.RawMessage {
	var in struct {
		Challenge string
		User      struct{ ID string }
	}
	_ = json.Unmarshal(options, &in)
	a.handle, _ = base64.RawURLEncoding.DecodeString(in.User.ID)
	object := cbor.AppendMap(nil, 3)
	object = cbor.AppendText(cbor.AppendText(object, "fmt"), "none")
	object = cbor.AppendMap(cbor.AppendText(object, "attStmt"), 0)
	object = cbor.AppendBytes(cbor.AppendText(object, "authData"), a.data(true))
	return a.answer(map[string]any{"clientDataJSON": b64(a.client("webauthn.create", in.Challenge)), "attestationObject": b64(object)})
}

// get answers navigator.credentials.get.
func (a *authenticator) get(options json.RawMessage) json.RawMessage {
	var in struct{ Challenge string }
	_ = json.Unmarshal(options, &in)
	a.counter++
	data, client := a.data(false), a.client("webauthn.get", in.Challenge)
	sum := sha256.Sum256(client)
	return a.answer(map[string]any{"clientDataJSON": b64(client), "authenticatorData": b64(data), "userHandle": b64(a.handle),
		"signature": b64(asn1Signature(a.key.Sign(append(data, sum[:]...))))})
}

func (a *authenticator) answer(response map[string]any) json.RawMessage {
	out, _ := json.Marshal(map[string]any{"id": b64(a.id), "rawId": b64(a.id), "type": "public-key", "response": response, "clientExtensionResults": map[string]any{}})
	return out
}

// asn1Signature writes r ‖ s as DER, as authenticators do.
func asn1Signature(raw []byte) []byte {
	var body []byte
	for _, n := range [][]byte{raw[:32], raw[32:]} {
		for len(n) > 1 && n[0] == 0 {
			n = n[1:]
		}
		if n[0] >= 0x80 {
			n = append([]byte{0}, n...)
		}
		body = append(append(body, 2, byte(len(n))), n...)
	}
	return append([]byte{0x30, byte(len(body))}, body...)
}

// withPasskey is a person with a passkey and a session.
func withPasskey(t *testing.T) (*world, *authenticator, auth.Grant) {
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

func (w *world) addPasskey(c auth.Caller, a *authenticator) (auth.Passkey, error) {
	w.t.Helper()
	options, ticket, err := w.BeginAddPasskey(context.Background(), c)
	if err != nil {
		w.t.Fatal(err)
	}
	return w.AddPasskey(context.Background(), c, auth.PasskeyBack{Ticket: ticket, Answer: a.make(options)}, "tablet")
}

// challenge is an answer to a fresh challenge.
func (w *world) challenge(a *authenticator) auth.Credential {
	w.t.Helper()
	options, ticket, err := w.BeginPasskey(context.Background())
	if err != nil {
		w.t.Fatal(err)
	}
	return auth.Credential{Address: "10.0.0.1", Passkey: &auth.PasskeyBack{Ticket: ticket, Answer: a.get(options)}}
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
	cases := map[string]func(*authenticator){
		"the person was not verified": func(a *authenticator) { a.verified = false },
		"another origin":              func(a *authenticator) { a.origin = "https://doorstep.wight.example" },
		"another domain":              func(a *authenticator) { a.domain = "doorstep.wight.example" },
		"another's key":               func(a *authenticator) { a.key = authtest.NewKey(t) },
		"an unknown key id":           func(a *authenticator) { a.id = []byte("nobody's") },
		"somebody else's handle":      func(a *authenticator) { a.handle = make([]byte, 16) },
		"no handle":                   func(a *authenticator) { a.handle = nil },
	}
	for name, spoil := range cases {
		t.Run(name, func(t *testing.T) {
			w, a, g := withPasskey(t)
			spoil(a)
			_, err := w.SignIn(context.Background(), auth.SignIn{Credential: w.challenge(a)})
			wantCode(t, err, syncproto.CodeBadPasskey)
			if name == "the person was not verified" {
				a.id = []byte("another one")
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
	thief.counter = 1
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
