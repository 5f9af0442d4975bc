package api

import (
	"bufio"
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	crand "crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/getkin/kin-openapi/openapi3"

	"doorstep/server/internal/audit"
	"doorstep/server/internal/auth"
	"doorstep/server/internal/auth/authtest"
	"doorstep/server/internal/oversight"
	"doorstep/syncproto"
	"doorstep/syncproto/cbor"
	"doorstep/syncproto/frame"
)

const testPassword = "a quiet street in winter"

// world is an API on a real listener, with real auth and a small borough behind it.
type world struct {
	noting    sync.Mutex // guards the next two
	noted     []audit.Access
	noteFails error

	t       *testing.T
	api     *API
	auth    *auth.Auth
	borough *testBorough
	log     *safeBuffer
	addr    string
	served  chan error
	keys    map[string]authtest.Key // of the holder, by access token
	docOnce sync.Once
	doc     *openapi3.T // of the API, once an answer was held to it
}

func newWorld(t *testing.T, change func(*Config)) *world {
	t.Helper()
	return newWorldWith(t, change, func(*API) {})
}

// newWorldWith lets a test prepare the API before it serves.
func newWorldWith(t *testing.T, change func(*Config), prepare func(*API)) *world {
	t.Helper()
	w := &world{t: t, keys: map[string]authtest.Key{}, borough: newTestBorough(), log: &safeBuffer{}, served: make(chan error, 1)}
	logger := slog.New(slog.NewJSONHandler(w.log, nil))
	key := ed25519.NewKeyFromSeed(bytes.Repeat([]byte{3}, 32))
	var err error
	w.auth, err = auth.New(auth.Config{Borough: "hampshire", TokenKey: key, ShareKey: make([]byte, auth.ShareBytes), Ledger: authtest.NewLedger(),
		Now: time.Now, Random: crand.Reader, Log: logger, Cost: auth.Cost{MemoryKiB: 64, Passes: 1}})
	if err != nil {
		t.Fatal(err)
	}
	cfg := Config{Name: "Hampshire test", Borough: "hampshire", Auth: w.auth, Exchange: w.borough, Events: w.borough, Records: w.borough,
		Workflow: w.borough, Doors: w.borough, Erasures: erasures{w.borough}, Exports: exports{w.borough}, Health: w.borough, Checkpoints: checkpoints{}, Accesses: w, Oversight: w, ReplyKey: key.Public().(ed25519.PublicKey), Copies: 1,
		SignReply: func(m []byte) []byte { return ed25519.Sign(key, m) },
		Now:       time.Now, Random: crand.Reader, Log: logger}
	if change != nil {
		change(&cfg)
	}
	if w.api, err = New(cfg); err != nil {
		t.Fatal(err)
	}
	prepare(w.api)
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	w.addr = ln.Addr().String()
	go func() { w.served <- w.api.Serve(ln, nil) }()
	t.Cleanup(w.stop)
	return w
}

func (w *world) stop() {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	if err := w.api.Shutdown(ctx); err != nil {
		w.t.Errorf("shutdown: %v", err)
	}
	if err := <-w.served; err != nil {
		w.t.Errorf("serve: %v", err)
	}
}

// client has connections of its own, so that tests do not share any.
func (w *world) client() *http.Client {
	tr := &http.Transport{}
	w.t.Cleanup(tr.CloseIdleConnections)
	return &http.Client{Transport: tr, Timeout: 20 * time.Second}
}

// answer is what came back.
type answer struct {
	status int
	header http.Header
	body   []byte
}

func (w *world) do(method, path string, header map[string]string, body []byte) answer {
	w.t.Helper()
	req, err := http.NewRequest(method, "http://"+w.addr+path, bytes.NewReader(body))
	if err != nil {
		w.t.Fatal(err)
	}
	for k, v := range header {
		req.Header.Set(k, v)
	}
	w.prove(req)
	res, err := w.client().Do(req)
	if err != nil {
		w.t.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		w.t.Fatal(err)
	}
	a := answer{res.StatusCode, res.Header, b}
	w.holdToDocument(method, path, a)
	return a
}

// prove adds the proof that a device's token needs.
func (w *world) prove(req *http.Request) {
	token, _ := strings.CutPrefix(req.Header.Get("Authorization"), "Bearer ")
	key, bound := w.keys[token]
	if !bound {
		return
	}
	req.Header.Set("Authorization", "DPoP "+token)
	req.Header.Set("DPoP", w.proof(key, req.Method, req.URL.Path, token))
}

// proof is a fresh proof of a key for a request with a token, or none.
func (w *world) proof(key authtest.Key, method, path, token string) string {
	return key.Proof(authtest.Request{Method: method, URL: "http://" + w.addr + path, Token: token, Nonce: w.auth.Nonce(), At: time.Now()})
}

// signInOn begins a session on an enrolled device.
func (w *world) signInOn(d tablet, login string) (Session, answer) {
	w.t.Helper()
	body, err := json.Marshal(SignInRequest{Login: login, Password: testPassword, Device: d.session.Device})
	if err != nil {
		w.t.Fatal(err)
	}
	a := w.do("POST", "/v1/sign-in", map[string]string{"Content-Type": "application/json",
		"DPoP": w.proof(authtest.Key{Private: d.key}, "POST", "/v1/sign-in", "")}, body)
	var s Session
	if a.status == http.StatusOK {
		a.wantJSON(w.t, http.StatusOK, &s)
		w.keys[s.AccessToken] = authtest.Key{Private: d.key}
	}
	return s, a
}

func (w *world) postJSON(path, token string, body any) answer {
	w.t.Helper()
	b, err := json.Marshal(body)
	if err != nil {
		w.t.Fatal(err)
	}
	h := map[string]string{"Content-Type": "application/json"}
	if token != "" {
		h["Authorization"] = "Bearer " + token
	}
	return w.do("POST", path, h, b)
}

func (w *world) get(path, token string) answer {
	w.t.Helper()
	h := map[string]string{}
	if token != "" {
		h["Authorization"] = "Bearer " + token
	}
	return w.do("GET", path, h, nil)
}

// raw sends bytes as they are on a connection of its own and reads until the
// server closes it or, with keep, one answer.
func (w *world) raw(request string) (first *http.Response, body []byte, closed bool) {
	w.t.Helper()
	conn, err := net.Dial("tcp", w.addr)
	if err != nil {
		w.t.Fatal(err)
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(20 * time.Second)); err != nil {
		w.t.Fatal(err)
	}
	if _, err := io.WriteString(conn, request); err != nil {
		w.t.Fatal(err)
	}
	r := bufio.NewReader(conn)
	res, err := http.ReadResponse(r, nil)
	if err != nil {
		w.t.Fatalf("reading the answer: %v", err)
	}
	b, err := io.ReadAll(res.Body)
	if err != nil {
		w.t.Fatal(err)
	}
	// A second request shows whether the connection was closed.
	if _, err := io.WriteString(conn, "GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"); err != nil {
		return res, b, true
	}
	_, err = http.ReadResponse(r, nil)
	return res, b, err != nil
}

// tablet is an enrolled device with a session.
type tablet struct {
	key     *ecdsa.PrivateKey
	session Enrolment
	user    syncproto.UserID
}

func (w *world) addUser(login string, role auth.Role) syncproto.UserID {
	w.t.Helper()
	acc, err := w.auth.AddUser(context.Background(), auth.NewUser{Login: login, Name: "Name of " + login, Role: role, Password: testPassword})
	if err != nil {
		w.t.Fatal(err)
	}
	return acc.ID
}

func (w *world) enrolBody(key *ecdsa.PrivateKey, login string) EnrolRequest {
	w.t.Helper()
	code, _, err := w.auth.IssueCode(context.Background(), login)
	if err != nil {
		w.t.Fatal(err)
	}
	normal, _ := auth.NormalCode(code)
	sum := sha256.Sum256(auth.EnrolMessage(normal))
	r, s, err := ecdsa.Sign(crand.Reader, key, sum[:])
	if err != nil {
		w.t.Fatal(err)
	}
	public, err := key.PublicKey.Bytes()
	if err != nil {
		w.t.Fatal(err)
	}
	b64 := base64.RawURLEncoding.EncodeToString
	return EnrolRequest{Login: login, Password: testPassword, Code: code, PublicKey: b64(public),
		Proof: b64(append(r.FillBytes(make([]byte, 32)), s.FillBytes(make([]byte, 32))...)), Name: "Tablet"}
}

func (w *world) enrol(login string) tablet {
	w.t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), crand.Reader)
	if err != nil {
		w.t.Fatal(err)
	}
	d := tablet{key: key}
	a := w.postJSON("/v1/devices", "", w.enrolBody(key, login))
	a.wantJSON(w.t, http.StatusOK, &d.session)
	id, err := syncproto.ParseID(d.session.User)
	if err != nil {
		w.t.Fatal(err)
	}
	d.user = syncproto.UserID(id)
	w.keys[d.session.AccessToken] = authtest.Key{Private: key}
	return d
}

// signIn begins a session without a device.
func (w *world) signIn(login string) Session {
	w.t.Helper()
	var s Session
	a := w.postJSON("/v1/sign-in", "", SignInRequest{Login: login, Password: testPassword})
	a.wantJSON(w.t, http.StatusOK, &s)
	return s
}

func (a answer) wantJSON(t *testing.T, status int, out any) {
	t.Helper()
	if a.status != status {
		t.Fatalf("got status %d with %s, want %d", a.status, a.body, status)
	}
	dec := json.NewDecoder(bytes.NewReader(a.body))
	dec.DisallowUnknownFields()
	if err := dec.Decode(out); err != nil {
		t.Fatalf("reading %s: %v", a.body, err)
	}
}

// wantProblem checks a refusal, as JSON or as CBOR.
func (a answer) wantProblem(t *testing.T, status int, code syncproto.Code) {
	t.Helper()
	if a.status != status {
		t.Fatalf("got status %d with %q, want %d", a.status, a.body, status)
	}
	if a.header.Get("Content-Type") == frame.MediaType {
		p, err := syncproto.DecodeProblem(a.body)
		if err != nil || p.Code != code || p.Epoch.IsZero() {
			t.Fatalf("got problem %+v (%v), want code %d and the epoch", p, err, code)
		}
		return
	}
	var p Problem
	a.wantJSON(t, status, &p)
	if p.Code != uint16(code) || p.Name != code.Error() || p.Plain != code.Plain() || p.RequestID == "" || p.Details == nil {
		t.Fatalf("got problem %+v, want code %d", p, code)
	}
}

// syncBody frames a request as a device does.
func syncBody(req *syncproto.SyncRequest) []byte {
	return frame.Wrap(syncproto.EncodeRequest(req), true)
}

func (w *world) sync(token string, body []byte) answer {
	w.t.Helper()
	return w.do("POST", "/v1/sync", map[string]string{"Authorization": "Bearer " + token, "Content-Type": frame.MediaType}, body)
}

func goodRequest() *syncproto.SyncRequest {
	return &syncproto.SyncRequest{Version: syncproto.ProtocolVersion, Request: syncproto.RequestID{1, 2, 3}}
}

// safeBuffer is a log that many goroutines write.
type safeBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *safeBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *safeBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

func sampleOps() []syncproto.Op {
	return []syncproto.Op{
		{Code: syncproto.OpSet, Path: syncproto.Path{Field: "seen"}, Value: cbor.Bool(true)},
		{Code: syncproto.OpDecide, Path: syncproto.Path{Field: "lead", Element: syncproto.ElementID{4}, Sub: "who"},
			Value:  cbor.Map(cbor.Pair{Key: "who", Value: cbor.Bytes([]byte{1, 2})}, cbor.Pair{Key: "n", Value: cbor.List(cbor.Int(-4), cbor.Null())}),
			Reason: "we asked again"},
		{Code: syncproto.OpQuery, Text: "Which Tuesday?"},
	}
}

// checkpoints is an audit log of one entry.
type checkpoints struct{}

func (checkpoints) Signer() audit.Signer {
	return audit.NewSigner("hampshire", ed25519.NewKeyFromSeed(make([]byte, 32)))
}

func (c checkpoints) Checkpoint(now time.Time) (syncproto.Checkpoint, error) {
	return c.Signer().Sign(syncproto.TreeHead{Size: 1, Root: [32]byte{1}}, now.UnixMilli()), nil
}

// Note implements Accesses.
func (w *world) Note(a audit.Access) error {
	w.noting.Lock()
	defer w.noting.Unlock()
	w.noted = append(w.noted, a)
	return w.noteFails
}

// wantNoted checks the newest access.
func (w *world) wantNoted(kind audit.Type, code syncproto.Code, route string) {
	w.t.Helper()
	w.noting.Lock()
	defer w.noting.Unlock()
	if len(w.noted) == 0 {
		w.t.Fatalf("nothing was noted of %s", route)
	}
	if got := w.noted[len(w.noted)-1]; got.Type != kind || got.Code != code || got.Word != route {
		w.t.Errorf("noted %+v, want %d of %s with %v", got, kind, route, code)
	}
}

// Search implements Oversight: a log of one event, which the first to ask may see.
func (w *world) Search(_ context.Context, _ syncproto.UserID, q oversight.Query) (oversight.Page, error) {
	if q.Session == (syncproto.ID{9}) {
		return oversight.Page{}, syncproto.CodeForbidden
	}
	e := audit.Event{Type: audit.TypeRead, AtMS: 7, Record: audit.Mark{5}}
	return oversight.Page{Events: []oversight.Event{{Event: e, Position: q.After + 1, Leaf: e.Encode(), Proof: [][32]byte{{1}}}}, Next: q.After + 1}, nil
}
