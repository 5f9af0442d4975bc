package server

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"doorstep/server/internal/auth/authtest"
	"doorstep/syncproto"
	"doorstep/syncproto/cbor"
	"doorstep/syncproto/frame"
)

// tablet is an enrolled device with a session.
type tablet struct {
	person
	key     authtest.Key
	session struct {
		AccessToken string `json:"access_token"`
		Device      string
		User        string
	}
}

// enrol enrols a new tablet of somebody who has an account.
func (r *running) enrol(t *testing.T, login string) tablet {
	t.Helper()
	code, err := localOperator{r.borough}.IssueCode(t.Context(), login)
	if err != nil {
		t.Fatal(err)
	}
	key := newDeviceKey(t, code.Code)
	d := tablet{person: person{t: t, r: r}, key: authtest.Key{Private: key.private}}
	status := d.call("POST", "/v1/devices", map[string]string{"login": login, "password": itPassword, "code": code.Code,
		"public_key": key.public, "proof": key.proof, "name": "Tablet"}, &d.session)
	if status != http.StatusOK {
		t.Fatalf("enrolling: status %d", status)
	}
	d.token = d.session.AccessToken
	return d
}

// sync sends one message, as it is, and returns the status, the reply or the code.
func (d tablet) sync(message []byte) (int, *syncproto.SyncReply, syncproto.Code) {
	d.t.Helper()
	req, err := http.NewRequest("POST", d.r.url()+"/v1/sync", bytes.NewReader(frame.Wrap(message, true)))
	if err != nil {
		d.t.Fatal(err)
	}
	req.Header.Set("Content-Type", frame.MediaType)
	req.Header.Set("Authorization", "DPoP "+d.token)
	req.Header.Set("DPoP", d.key.Proof(authtest.Request{Method: "POST", URL: d.r.url() + "/v1/sync", Token: d.token,
		Nonce: d.r.borough.auth.Nonce(), At: time.Now()}))
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		d.t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		d.t.Fatal(err)
	}
	if res.StatusCode != http.StatusOK {
		p, err := syncproto.DecodeProblem(body)
		if err != nil {
			d.t.Fatalf("status %d without a problem: %v", res.StatusCode, err)
		}
		return res.StatusCode, nil, p.Code
	}
	signed, err := frame.Unwrap(body)
	if err != nil {
		d.t.Fatal(err)
	}
	payload, signature, err := syncproto.DecodeSignedReply(signed)
	if err != nil {
		d.t.Fatal(err)
	}
	device, err := syncproto.ParseID(d.session.Device)
	if err != nil {
		d.t.Fatal(err)
	}
	reply := d.r.borough.secrets.reply.Public().(ed25519.PublicKey)
	if !ed25519.Verify(reply, syncproto.ReplyMessage(syncproto.DeviceID(device), payload), signature) {
		d.t.Fatal("the reply is not signed for this device")
	}
	out, err := syncproto.DecodeReply(payload)
	if err != nil {
		d.t.Fatal(err)
	}
	return res.StatusCode, out, syncproto.CodeOK
}

func (d tablet) request(epoch syncproto.Epoch, cursor []byte) []byte {
	return syncproto.EncodeRequest(&syncproto.SyncRequest{Version: syncproto.ProtocolVersion,
		Request: syncproto.RequestID(randomBytes(16)), Epoch: epoch, Cursor: cursor})
}

func TestSyncBringsTheCaseload(t *testing.T) {
	r, _ := withCaseload(t)
	d := r.enrol(t, "amina.warsame")
	var epoch syncproto.Epoch
	var cursor []byte
	items := 0
	for {
		status, reply, code := d.sync(d.request(epoch, cursor))
		if status != http.StatusOK {
			t.Fatalf("got status %d, code %d", status, code)
		}
		items += len(reply.Items)
		epoch, cursor = reply.Epoch, reply.Cursor
		if !reply.More {
			break
		}
	}
	if items < 10 {
		t.Errorf("got %d items", items)
	}
	status, reply, _ := d.sync(d.request(epoch, cursor))
	if status != http.StatusOK || len(reply.Items) != 0 {
		t.Errorf("a second sync brought %d items again", len(reply.Items))
	}
}

func TestFault44TokensWithoutExpiryOrAudience(t *testing.T) {
	cfg := begin(t)
	r := start(t, cfg)
	p := r.person(t, "it")
	session, err := jwt.NewParser().ParseWithClaims(p.token, jwt.MapClaims{}, func(*jwt.Token) (any, error) {
		return r.borough.secrets.token.Public(), nil
	})
	if err != nil {
		t.Fatal(err)
	}
	public := r.borough.secrets.token.Public().(ed25519.PublicKey)
	sum := sha256.Sum256(public)
	status := func(spoil func(jwt.MapClaims)) int {
		c := jwt.MapClaims{}
		for k, v := range session.Claims.(jwt.MapClaims) {
			c[k] = v
		}
		spoil(c)
		token := jwt.NewWithClaims(jwt.SigningMethodEdDSA, c)
		token.Header["typ"], token.Header["kid"] = "at+jwt", hex.EncodeToString(sum[:8])
		signed, err := token.SignedString(r.borough.secrets.token)
		if err != nil {
			t.Fatal(err)
		}
		return person{t: t, r: r, token: signed}.call("GET", "/v1/families", nil, nil)
	}
	if got := status(func(jwt.MapClaims) {}); got != http.StatusOK {
		t.Fatalf("a good token gets status %d", got)
	}
	for name, spoil := range map[string]func(jwt.MapClaims){
		"no expiry":        func(c jwt.MapClaims) { delete(c, "exp") },
		"no audience":      func(c jwt.MapClaims) { delete(c, "aud") },
		"neither":          func(c jwt.MapClaims) { delete(c, "exp"); delete(c, "aud") },
		"expired":          func(c jwt.MapClaims) { c["exp"] = time.Now().Add(-time.Minute).Unix() },
		"another audience": func(c jwt.MapClaims) { c["aud"] = []string{"other"} },
	} {
		if got := status(spoil); got != http.StatusUnauthorized {
			t.Errorf("%s: got status %d", name, got)
		}
	}
}

func TestFault58CursorsThatAreNone(t *testing.T) {
	r, _ := withCaseload(t)
	amina, tom, second := r.enrol(t, "amina.warsame"), r.enrol(t, "tom.okafor"), r.enrol(t, "amina.warsame")
	_, reply, _ := amina.sync(amina.request(syncproto.Epoch{}, nil))
	epoch, good := reply.Epoch, reply.Cursor
	if status, _, code := amina.sync(amina.request(epoch, good)); status != http.StatusOK {
		t.Fatalf("a good cursor gets status %d, code %d", status, code)
	}
	wantBad := func(d tablet, name string, cursor []byte) {
		t.Helper()
		status, _, code := d.sync(d.request(epoch, cursor))
		if status != http.StatusBadRequest || code != syncproto.CodeBadCursor {
			t.Errorf("%s: got status %d, code %d; want 400, bad cursor", name, status, code)
		}
	}
	wantBad(tom, "another person's", good)
	wantBad(second, "another device's", good)
	wantBad(amina, "random", randomBytes(len(good)))
	wantBad(amina, "minus one", cbor.AppendInt(nil, -1))
	wantBad(amina, "2^64-1", []byte{0x1b, 255, 255, 255, 255, 255, 255, 255, 255})
	wantBad(amina, "a word", []byte("latest"))
	wantBad(amina, "one byte more", append(bytes.Clone(good), 0))
	for i := range good {
		wantBad(amina, "cut", good[:i+1][:max(i, 1)])
		flipped := bytes.Clone(good)
		flipped[i] ^= 1
		wantBad(amina, "one bit flipped", flipped)
	}
}

// A cursor that is not bytes at all is not a message of ours.
func TestFault58CursorsOfAnotherType(t *testing.T) {
	cfg := begin(t)
	r := start(t, cfg)
	d := r.enrol(t, "it")
	good := d.request(syncproto.Epoch{1}, []byte("0123456789"))
	at := bytes.Index(good, []byte("\x4a0123456789"))
	if at < 0 {
		t.Fatal("the cursor is not where it is looked for")
	}
	for name, item := range map[string][]byte{"minus one": {0x20}, "2^64-1": {0x1b, 255, 255, 255, 255, 255, 255, 255, 255},
		"a float": {0xfb, 0x7f, 0xf8, 0, 0, 0, 0, 0, 0}, "text": {0x61, 'x'}, "a list": {0x80}} {
		message := append(append(bytes.Clone(good[:at]), item...), good[at+11:]...)
		if status, _, _ := d.sync(message); status != http.StatusBadRequest {
			t.Errorf("%s: got status %d", name, status)
		}
	}
}
