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
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/getkin/kin-openapi/openapi3"

	"doorstep/server/internal/auth"
	"doorstep/server/internal/auth/authtest"
	"doorstep/server/internal/exchange"
	"doorstep/server/internal/finalise"
	"doorstep/server/internal/reading"
	"doorstep/syncproto"
	"doorstep/syncproto/cbor"
	"doorstep/syncproto/frame"
)

const testPassword = "a quiet street in winter"

// world is an API on a real listener, with real auth and a small borough behind it.
type world struct {
	t       *testing.T
	api     *API
	auth    *auth.Auth
	borough *testBorough
	log     *safeBuffer
	addr    string
	served  chan error
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
	w := &world{t: t, borough: newTestBorough(), log: &safeBuffer{}, served: make(chan error, 1)}
	logger := slog.New(slog.NewJSONHandler(w.log, nil))
	key := ed25519.NewKeyFromSeed(bytes.Repeat([]byte{3}, 32))
	var err error
	w.auth, err = auth.New(auth.Config{Borough: "hampshire", TokenKey: key, Ledger: authtest.NewLedger(),
		Now: time.Now, Random: crand.Reader, Log: logger, Cost: auth.Cost{MemoryKiB: 64, Passes: 1}})
	if err != nil {
		t.Fatal(err)
	}
	cfg := Config{Name: "Hampshire test", Borough: "hampshire", Auth: w.auth, Exchange: w.borough, Events: w.borough, Records: w.borough,
		Workflow: w.borough, Health: w.borough, ReplyKey: key.Public().(ed25519.PublicKey), Copies: 1,
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

// testBorough answers what exchange, finalise and the store would, from memory.
type testBorough struct {
	mu    sync.Mutex
	syncs []*syncproto.SyncRequest // guarded by mu
	wakes map[syncproto.UserID][]chan struct{}
	ready error
	err   error                        // what every workflow step answers
	hook  func(*syncproto.SyncRequest) // runs inside Sync
	views map[syncproto.RecordID]*syncproto.View
	owner syncproto.UserID
	steps []any
}

var errStrange = errors.New("disk /dev/sda1 has a strange smell")

func newTestBorough() *testBorough {
	return &testBorough{wakes: map[syncproto.UserID][]chan struct{}{}, views: map[syncproto.RecordID]*syncproto.View{}}
}

func (b *testBorough) Epoch() syncproto.Epoch { return syncproto.Epoch{0xE0, 0xC} }
func (b *testBorough) Ready() error           { return b.ready }

func (b *testBorough) Sync(_ context.Context, _ exchange.Caller, req *syncproto.SyncRequest) (*syncproto.SyncReply, error) {
	if b.hook != nil {
		b.hook(req)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.err != nil {
		return nil, b.err
	}
	b.syncs = append(b.syncs, req)
	return &syncproto.SyncReply{Version: 1, Request: req.Request, Epoch: b.Epoch(), TimeMS: 1, Cursor: []byte("c")}, nil
}

func (b *testBorough) Admit(_ context.Context, _ exchange.Caller, id syncproto.ChangeID) error {
	_, err := b.step(id)
	return err
}

func (b *testBorough) stored() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.syncs)
}

func (b *testBorough) Subscribe(user syncproto.UserID) (<-chan struct{}, func(), error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	ch := make(chan struct{}, 1)
	b.wakes[user] = append(b.wakes[user], ch)
	return ch, func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		for i, c := range b.wakes[user] {
			if c == ch {
				b.wakes[user] = append(b.wakes[user][:i], b.wakes[user][i+1:]...)
				return
			}
		}
	}, nil
}

func (b *testBorough) wake(user syncproto.UserID) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, ch := range b.wakes[user] {
		select {
		case ch <- struct{}{}:
		default:
		}
	}
}

func (b *testBorough) subscribed(user syncproto.UserID) int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.wakes[user])
}

func (b *testBorough) Families(_ context.Context, user syncproto.UserID) ([]reading.Family, error) {
	if user != b.owner {
		return nil, nil
	}
	return []reading.Family{{ID: syncproto.FamilyID{1}, Basis: []string{"LEAD"}}}, nil
}

func (b *testBorough) FamilyRecords(_ context.Context, user syncproto.UserID, _ syncproto.FamilyID) ([]reading.Record, error) {
	if user != b.owner {
		return nil, syncproto.CodeNotFound
	}
	var out []reading.Record
	for id, v := range b.views {
		out = append(out, reading.Record{ID: id, Kind: v.Kind, Sealed: v.Seal != nil})
	}
	return out, nil
}

func (b *testBorough) Record(_ context.Context, user syncproto.UserID, id syncproto.RecordID) (*syncproto.View, error) {
	v, ok := b.views[id]
	if !ok || user != b.owner {
		return nil, syncproto.CodeNotFound
	}
	return v, nil
}

func (b *testBorough) History(_ context.Context, user syncproto.UserID, id syncproto.RecordID) ([]reading.HistoryItem, error) {
	if _, ok := b.views[id]; !ok || user != b.owner {
		return nil, syncproto.CodeNotFound
	}
	body := syncproto.Body{Author: b.owner, TimeMS: 1764000000000, OffsetMin: 60, Capture: syncproto.CapturePen,
		Deps: []syncproto.ChangeID{{7}}, Ops: sampleOps()}
	return []reading.HistoryItem{{Change: &syncproto.Change{ID: syncproto.ChangeID{1}, Body: body}, Device: syncproto.DeviceID{9},
		Status: syncproto.StatusLate, Code: syncproto.CodeLate, Position: 12, ReceivedMS: 1764000001000}}, nil
}

func (b *testBorough) Quarantine(_ context.Context, user syncproto.UserID) ([]reading.Quarantined, error) {
	q := reading.Quarantined{Change: syncproto.ChangeID{1}, Family: syncproto.FamilyID{1}, Record: syncproto.RecordID{2}, Kind: "visit",
		Author: b.owner, Device: syncproto.DeviceID{9}, Code: syncproto.CodeNotEntitled, ReceivedMS: 5}
	if user == b.owner {
		q.Ops = sampleOps()
	}
	return []reading.Quarantined{q}, nil
}

func (b *testBorough) Name(u syncproto.UserID) string { return "Name " + u.String()[:4] }

func (b *testBorough) step(in any) (syncproto.ChangeID, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.err != nil {
		return syncproto.ChangeID{}, b.err
	}
	b.steps = append(b.steps, in)
	return syncproto.ChangeID{0xCC}, nil
}

func (b *testBorough) HandOver(_ context.Context, _ finalise.Caller, in finalise.HandOver) (syncproto.ChangeID, error) {
	return b.step(in)
}

func (b *testBorough) Confirm(_ context.Context, _ finalise.Caller, in finalise.Confirm) (syncproto.ChangeID, error) {
	return b.step(in)
}

func (b *testBorough) Query(_ context.Context, _ finalise.Caller, in finalise.Query) (syncproto.ChangeID, error) {
	return b.step(in)
}

func (b *testBorough) Answer(_ context.Context, _ finalise.Caller, in finalise.Answer) (syncproto.ChangeID, error) {
	return b.step(in)
}

func (b *testBorough) Decide(_ context.Context, _ finalise.Caller, in finalise.Decide) (syncproto.ChangeID, error) {
	return b.step(in)
}

func (b *testBorough) Finalise(_ context.Context, _ finalise.Caller, in finalise.Finalise) (syncproto.ChangeID, error) {
	return b.step(in)
}

func (b *testBorough) Addendum(_ context.Context, _ finalise.Caller, in finalise.Addendum) (syncproto.ChangeID, error) {
	return b.step(in)
}

func (b *testBorough) Correct(_ context.Context, _ finalise.Caller, in finalise.Correct) (syncproto.ChangeID, error) {
	return b.step(in)
}

func (b *testBorough) AcceptLate(_ context.Context, _ finalise.Caller, in finalise.AcceptLate) (syncproto.ChangeID, error) {
	return b.step(in)
}

func (b *testBorough) Lease(_ context.Context, c finalise.Caller, r syncproto.RecordID) (finalise.Lease, error) {
	_, err := b.step(r)
	return finalise.Lease{User: c.User, Until: time.UnixMilli(9)}, err
}

func (b *testBorough) Release(_ context.Context, _ finalise.Caller, r syncproto.RecordID) error {
	_, err := b.step(r)
	return err
}

func (b *testBorough) Checklist(context.Context, finalise.Caller, syncproto.RecordID) ([]finalise.Detail, error) {
	return []finalise.Detail{{Record: syncproto.RecordID{2}, Code: syncproto.CodeOpenQuery}}, nil
}

func (b *testBorough) Queue(context.Context, finalise.Caller) ([]finalise.Item, error) {
	return []finalise.Item{{Record: syncproto.RecordID{2}, Family: syncproto.FamilyID{1}, Kind: "visit", State: finalise.StateQuery,
		HandedOverBy: b.owner, HandedOverMS: 4, Conflicts: 1, OpenQueries: 2, LeasedTo: b.owner, LeasedUntil: time.UnixMilli(7),
		Blocks: []finalise.Detail{{Code: syncproto.CodeOpenQuery, Plain: "Ali has not answered yet."}}}}, nil
}

func (b *testBorough) Final(ctx context.Context, c finalise.Caller) ([]finalise.Item, error) {
	return b.Queue(ctx, c)
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
