package device_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"io"
	"math/big"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"doorstep/client-sdk/device"
	"doorstep/client-sdk/engine"
	"doorstep/client-sdk/engine/enginetest"
	"doorstep/syncproto"
	"doorstep/syncproto/cbor"
	"doorstep/syncproto/frame"
)

// borough is a small server with real signatures, over HTTP or without.
type borough struct {
	mu      sync.Mutex
	server  *enginetest.Server
	key     ed25519.PrivateKey
	devices map[syncproto.DeviceID][]byte // public keys
	users   map[syncproto.DeviceID]syncproto.UserID

	token      int // number of the access token that is good
	refreshes  map[string]string
	lapsed     bool // no access token is good until the next refresh
	loseAnswer bool // the next refresh is done, its answer lost
	events     chan struct{}
	proofs     proofs
}

var testFamily = syncproto.FamilyID{1}

func newBorough() *borough {
	b := &borough{
		server:    enginetest.NewServer(),
		devices:   map[syncproto.DeviceID][]byte{},
		users:     map[syncproto.DeviceID]syncproto.UserID{},
		refreshes: map[string]string{},
		events:    make(chan struct{}, 1),
	}
	_, b.key, _ = ed25519.GenerateKey(nil)
	b.server.Page = 1000
	b.server.Sign = func(m []byte) []byte { return ed25519.Sign(b.key, m) }
	b.server.Genuine = func(d syncproto.DeviceID, m, sig []byte) bool { return verifyES256(b.devices[d], m, sig) }
	return b
}

func verifyES256(public, message, sig []byte) bool {
	key, err := ecdsa.ParseUncompressedPublicKey(elliptic.P256(), public)
	if err != nil || len(sig) != 64 {
		return false
	}
	digest := sha256.Sum256(message)
	return ecdsa.Verify(key, digest[:], new(big.Int).SetBytes(sig[:32]), new(big.Int).SetBytes(sig[32:]))
}

// clone returns a borough that goes on from here by itself, over lines only.
func (b *borough) clone() *borough {
	return &borough{server: b.server.Clone(), key: b.key, devices: b.devices, users: b.users}
}

// install enrols a user's device without HTTP.
func (b *borough) install(t *testing.T, store device.Store, n byte) {
	t.Helper()
	key, err := device.NewKey()
	if err != nil {
		t.Fatal(err)
	}
	id := device.Identity{
		Borough:       "Testing",
		User:          syncproto.UserID{n},
		Device:        syncproto.DeviceID{n},
		ReplyKey:      b.key.Public().(ed25519.PublicKey),
		CheckpointKey: b.key.Public().(ed25519.PublicKey),
	}
	b.devices[id.Device], b.users[id.Device] = key.Public(), id.User
	b.server.Grant(id.User, testFamily)
	if err := device.Install(store, id, key); err != nil {
		t.Fatal(err)
	}
}

// answer takes a frame from a device and returns the frame that answers it.
func (b *borough) answer(id syncproto.DeviceID, wire []byte) ([]byte, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	payload, err := frame.Unwrap(wire)
	if err != nil {
		return nil, err
	}
	reply, code := b.server.Sync(b.users[id], id, payload)
	if code != syncproto.CodeOK {
		return nil, code
	}
	return frame.Wrap(reply, true), nil
}

// line is a Transport to a borough without a network. Its hooks cut, count and
// fail.
type line struct {
	borough *borough
	device  syncproto.DeviceID
	request func(wire []byte) []byte // what arrives of a request
	reply   func(wire []byte) []byte // what arrives of a reply
	down    atomic.Bool
	calls   atomic.Int64
}

func (l *line) Sync(_ context.Context, wire []byte) ([]byte, error) {
	l.calls.Add(1)
	if l.down.Load() {
		return nil, io.ErrUnexpectedEOF
	}
	if l.request != nil {
		wire = l.request(wire)
	}
	reply, err := l.borough.answer(l.device, wire)
	if err != nil {
		return nil, &device.Refusal{Code: codeOf(err)}
	}
	if l.reply != nil {
		reply = l.reply(reply)
	}
	return reply, nil
}

func codeOf(err error) syncproto.Code {
	if code, ok := err.(syncproto.Code); ok {
		return code
	}
	return syncproto.CodeInternal
}

// ServeHTTP answers the routes that a device calls, with access tokens that are
// good until the next refresh.
func (b *borough) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch r.URL.Path {
	case "/v1/devices":
		b.serveEnrol(w, r)
	case "/v1/token/refresh":
		b.serveRefresh(w, r)
	case "/v1/openid/begin":
		writeJSON(w, map[string]string{"url": "https://id.example/?at=" + r.Host, "ticket": "ticket"})
	case "/v1/sign-in":
		b.serveSignIn(w, r)
	case "/v1/sync":
		b.serveSync(w, r)
	case "/v1/events":
		b.serveEvents(w, r)
	default:
		http.NotFound(w, r)
	}
}

func (b *borough) serveEnrol(w http.ResponseWriter, r *http.Request) {
	in := readJSON(r)
	key, _ := base64.RawURLEncoding.DecodeString(in["public_key"])
	proof, _ := base64.RawURLEncoding.DecodeString(in["proof"])
	if !verifyES256(key, []byte("doorstep-enrol-v1\x00ABCDEFGHIJKLMNOP"), proof) {
		refuse(w, http.StatusBadRequest, syncproto.CodeBadSignature)
		return
	}
	if in["password"] != "right" {
		refuse(w, http.StatusUnauthorized, syncproto.CodeBadCredentials)
		return
	}
	sum := sha256.Sum256(key)
	id := syncproto.DeviceID(sum[:16])
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.devices[id] == nil {
		b.server.Grant(syncproto.UserID{1}, testFamily)
	}
	b.devices[id], b.users[id] = key, syncproto.UserID{1}
	writeJSON(w, b.tokens(map[string]string{
		"user":           syncproto.UserID{1}.String(),
		"device":         id.String(),
		"borough":        "Testing",
		"checkpoint_key": hex.EncodeToString(b.key.Public().(ed25519.PublicKey)),
		"reply_key":      hex.EncodeToString(b.key.Public().(ed25519.PublicKey)),
	}))
}

// tokens adds the next pair of tokens to an answer.
func (b *borough) tokens(out map[string]string) map[string]string {
	b.token++
	b.lapsed = false
	out["token_type"] = "DPoP"
	out["access_token"] = "access " + string(rune('0'+b.token))
	out["refresh_token"] = "refresh " + string(rune('0'+b.token))
	return out
}

// goodOpenID is what the sign-in service vouches for.
var goodOpenID = device.OpenIDBack{Ticket: "ticket", Code: "code", State: "state", Issuer: "https://id.example"}

func (b *borough) serveSignIn(w http.ResponseWriter, r *http.Request) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.proofs.check(w, r, b.anyKey()) {
		return
	}
	var in struct {
		Password string
		OpenID   *device.OpenIDBack
	}
	_ = json.NewDecoder(r.Body).Decode(&in)
	if in.Password != "right" && (in.OpenID == nil || *in.OpenID != goodOpenID) {
		refuse(w, http.StatusUnauthorized, syncproto.CodeBadCredentials)
		return
	}
	writeJSON(w, b.tokens(map[string]string{}))
}

// serveRefresh rotates tokens; asking again with the same token and request id
// gives the same answer.
func (b *borough) serveRefresh(w http.ResponseWriter, r *http.Request) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.proofs.check(w, r, b.anyKey()) {
		return
	}
	in := readJSON(r)
	asked := in["refresh_token"] + in["request_id"]
	if again, ok := b.refreshes[asked]; ok {
		_, _ = io.WriteString(w, again)
		return
	}
	if in["refresh_token"] != "refresh "+string(rune('0'+b.token)) {
		refuse(w, http.StatusUnauthorized, syncproto.CodeUnauthenticated)
		return
	}
	out, _ := json.Marshal(b.tokens(map[string]string{}))
	b.refreshes[asked] = string(out)
	if b.loseAnswer {
		b.loseAnswer = false
		panic(http.ErrAbortHandler)
	}
	_, _ = w.Write(out)
}

// lapse makes no access token good, and loses the answer to the next refresh if
// asked to.
func (b *borough) lapse(loseAnswer bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.lapsed, b.loseAnswer = true, loseAnswer
}

// signedIn answers a request that is not of the session, and reports whether it is.
func (b *borough) signedIn(w http.ResponseWriter, r *http.Request) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.lapsed || r.Header.Get("Authorization") != "DPoP access "+string(rune('0'+b.token)) {
		refuseSync(w, http.StatusUnauthorized, syncproto.CodeUnauthenticated)
		return false
	}
	return b.proofs.check(w, r, b.anyKey())
}

// anyKey is the key of the one device that comes over HTTP.
func (b *borough) anyKey() []byte {
	for _, key := range b.devices {
		return key
	}
	return nil
}

func (b *borough) serveSync(w http.ResponseWriter, r *http.Request) {
	if !b.signedIn(w, r) {
		return
	}
	wire, err := io.ReadAll(r.Body)
	if err != nil || r.Header.Get("Content-Type") != frame.MediaType {
		refuseSync(w, http.StatusBadRequest, syncproto.CodeMalformed)
		return
	}
	for id := range b.devices {
		reply, err := b.answer(id, wire)
		if err != nil {
			w.Header().Set("Retry-After", "7")
			refuseSync(w, http.StatusBadRequest, codeOf(err))
			return
		}
		w.Header().Set("Content-Type", frame.MediaType)
		_, _ = w.Write(reply)
		return
	}
}

func (b *borough) serveEvents(w http.ResponseWriter, r *http.Request) {
	if !b.signedIn(w, r) {
		return
	}
	w.Header().Set("Content-Type", "text/event-stream")
	for {
		_, _ = io.WriteString(w, "event: pull\ndata:\n\n: still here\n\n")
		w.(http.Flusher).Flush()
		select {
		case <-b.events:
		case <-r.Context().Done():
			return
		}
	}
}

func readJSON(r *http.Request) map[string]string {
	out := map[string]string{}
	_ = json.NewDecoder(r.Body).Decode(&out)
	return out
}

func writeJSON(w http.ResponseWriter, v any) { _ = json.NewEncoder(w).Encode(v) }

func refuse(w http.ResponseWriter, status int, code syncproto.Code) {
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(status)
	writeJSON(w, map[string]any{"code": code, "name": code.Error(), "plain": code.Plain()})
}

func refuseSync(w http.ResponseWriter, status int, code syncproto.Code) {
	w.Header().Set("Content-Type", frame.MediaType)
	w.WriteHeader(status)
	_, _ = w.Write(syncproto.EncodeProblem(&syncproto.SyncProblem{Code: code}))
}

// overHTTP serves the borough and returns a client of it.
func (b *borough) overHTTP(t *testing.T) *device.Client {
	t.Helper()
	s := httptest.NewServer(b)
	t.Cleanup(s.Close)
	c, err := device.NewClient(s.URL+"/", s.Client())
	if err != nil {
		t.Fatal(err)
	}
	return c
}

var (
	visit   = syncproto.RecordID{1}
	purpose = syncproto.Path{Field: "purpose"}
)

// beginVisit is the edit that begins a visit.
func beginVisit() engine.Edit {
	return engine.Edit{Record: visit, Family: testFamily, Kind: "visit", Ops: []syncproto.Op{
		{Code: syncproto.OpSet, Path: syncproto.Path{Field: "visit_type"}, Value: cbor.Text("CIN")},
	}}
}

func mustOpen(t *testing.T, s device.Store, tr device.Transport, opts device.Options) *device.Device {
	t.Helper()
	d, err := device.Open(s, tr, opts)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func shown(t *testing.T, d *device.Device) string {
	t.Helper()
	v, err := d.View(visit)
	if err != nil {
		t.Fatal(err)
	}
	f, _ := v.Field("purpose")
	return f.Text
}

func atServer(b *borough) string {
	b.mu.Lock()
	defer b.mu.Unlock()
	f, _ := b.server.View(visit).Field("purpose")
	return f.Text
}

func typeWords(t *testing.T, d *device.Device, words string) {
	t.Helper()
	at := len([]rune(shown(t, d)))
	for _, c := range strings.Split(words, "") {
		if err := d.Type(typing(at, c)); err != nil {
			t.Fatal(err)
		}
		at++
	}
}
