package server

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"go.uber.org/goleak"

	"doorstep/server/internal/keyring"
)

// testConfig is a borough of its own in folders of its own.
func testConfig(t *testing.T) Config {
	t.Helper()
	dir, err := os.MkdirTemp("", "doorstep") // t.TempDir is too long for a unix socket
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	cfg := DefaultConfig()
	cfg.Name, cfg.Borough = "Test Borough", "test"
	cfg.Data.Dir, cfg.Data.MinFreeMB = filepath.Join(dir, "data"), 0
	cfg.Secrets.Dir = filepath.Join(dir, "secrets")
	cfg.Listen.Address = "127.0.0.1:0"
	return cfg
}

const itPassword = "forty systems and two people"

func begin(t *testing.T) Config {
	t.Helper()
	cfg := testConfig(t)
	if _, err := Init(t.Context(), cfg, FirstUser{Login: "it", Name: "Borough IT", Password: itPassword}); err != nil {
		t.Fatal(err)
	}
	return cfg
}

// running is a server that serves until the test ends or stop is called.
type running struct {
	*Server
	log  *logBuffer
	stop func()
}

func start(t *testing.T, cfg Config) *running {
	t.Helper()
	r := &running{log: &logBuffer{}}
	s, err := Open(cfg, r.log)
	if err != nil {
		t.Fatal(err)
	}
	r.Server = s
	ctx, cancel := context.WithCancel(context.Background())
	served := make(chan error, 1)
	go func() { served <- s.Serve(ctx) }()
	var once sync.Once
	r.stop = func() {
		once.Do(func() {
			cancel()
			if err := <-served; err != nil {
				t.Errorf("serve: %v", err)
			}
			if err := s.Close(); err != nil {
				t.Errorf("close: %v", err)
			}
		})
	}
	t.Cleanup(r.stop)
	return r
}

func (r *running) url() string { return "http://" + r.Addr().String() }

type logBuffer struct {
	mu sync.Mutex
	b  strings.Builder
}

func (l *logBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *logBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func getJSON(t *testing.T, client *http.Client, url string, out any) int {
	t.Helper()
	res, err := client.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if err := json.NewDecoder(res.Body).Decode(out); err != nil {
		t.Fatal(err)
	}
	return res.StatusCode
}

func signIn(t *testing.T, r *running, login, password string) int {
	t.Helper()
	body, err := json.Marshal(map[string]string{"login": login, "password": password})
	if err != nil {
		t.Fatal(err)
	}
	res, err := http.Post(r.url()+"/v1/sign-in", "application/json", strings.NewReader(string(body)))
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	_, _ = io.Copy(io.Discard, res.Body)
	return res.StatusCode
}

func TestServerStartsServesAndStops(t *testing.T) {
	leaks := goleak.IgnoreCurrent()
	cfg := begin(t)
	r := start(t, cfg)
	var about struct {
		Borough string
		Epoch   string
	}
	if status := getJSON(t, http.DefaultClient, r.url()+"/v1/about", &about); status != http.StatusOK || about.Borough != "test" {
		t.Errorf("got status %d, %+v", status, about)
	}
	var ready struct{ Status string }
	if status := getJSON(t, http.DefaultClient, r.url()+"/readyz", &ready); status != http.StatusOK {
		t.Errorf("ready: got status %d", status)
	}
	if status := signIn(t, r, "IT", itPassword); status != http.StatusOK {
		t.Errorf("the first account cannot sign in: status %d", status)
	}
	r.stop()
	http.DefaultClient.CloseIdleConnections()
	if exists(filepath.Join(cfg.Data.Dir, adminSocket)) {
		t.Error("the admin socket is left over")
	}
	goleak.VerifyNone(t, leaks,
		goleak.IgnoreAnyFunction("github.com/valyala/fasthttp.(*workerPool).Start.func2"), // sleeps ten seconds, then sees that it was stopped
		goleak.IgnoreAnyFunction("github.com/valyala/fasthttp.updateServerDate.func1"))    // one for the whole process, for ever
}

func TestEverythingIsThereAfterARestart(t *testing.T) {
	cfg := begin(t)
	r := start(t, cfg)
	op, err := OpenOperator(cfg, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	defer op.Close()
	if _, err := op.AddUser(t.Context(), NewUser{Login: "jo", Name: "Jo", Role: "practitioner", Password: itPassword}); err != nil {
		t.Fatal(err)
	}
	epoch := r.borough.Epoch()
	r.stop()
	again := start(t, cfg)
	if got := again.borough.Epoch(); got != epoch {
		t.Errorf("a clean restart began epoch %s after %s", got, epoch)
	}
	if status := signIn(t, again, "jo", itPassword); status != http.StatusOK {
		t.Errorf("after a restart: got status %d", status)
	}
}

// operatorStory runs the same commands whichever way the operator reaches the data.
func operatorStory(t *testing.T, op Operator) {
	t.Helper()
	ctx := t.Context()
	user, err := op.AddUser(ctx, NewUser{Login: "Jo", Name: "Jo Smith", Role: "practitioner"})
	if err != nil || user.Login != "jo" || user.CanLogIn {
		t.Fatalf("got %+v, %v", user, err)
	}
	if _, err := op.AddUser(ctx, NewUser{Login: "jo", Name: "Other", Role: "it"}); err == nil || !strings.Contains(err.Error(), "another account has this login") {
		t.Errorf("got %v, want the login to be taken", err)
	}
	if err := op.SetPassword(ctx, "jo", "short"); err == nil || !strings.Contains(err.Error(), "12 or more") {
		t.Errorf("got %v for a short password", err)
	}
	if err := op.SetPassword(ctx, "jo", itPassword); err != nil {
		t.Error(err)
	}
	if err := op.SetDisabled(ctx, "jo", true); err != nil {
		t.Error(err)
	}
	code, err := op.IssueCode(ctx, "jo")
	if err != nil || len(code.Code) != 19 || code.Expires.IsZero() {
		t.Errorf("got %+v, %v", code, err)
	}
	users, err := op.Users(ctx)
	if err != nil || len(users) != 2 || !users[1].Disabled || users[1].CanLogIn {
		t.Errorf("got %+v, %v", users, err)
	}
	devices, err := op.Devices(ctx)
	if err != nil || len(devices) != 1 || devices[0].Name != "the server's desk" {
		t.Fatalf("got %+v, %v", devices, err)
	}
	if err := op.RevokeDevice(ctx, devices[0].ID); err == nil {
		t.Error("the server's own desk was revoked")
	}
	if err := op.RevokeDevice(ctx, "nonsense"); err == nil || !strings.Contains(err.Error(), "no device has this id") {
		t.Errorf("got %v", err)
	}
	report, err := op.Import(ctx, ImportFiles{Zip: emptyZip(t)})
	if err != nil || len(report.Problems) == 0 {
		t.Errorf("importing nothing: got %+v, %v", report, err)
	}
	if err := op.Close(); err != nil {
		t.Error(err)
	}
}

func emptyZip(t *testing.T) []byte {
	t.Helper()
	b, err := ZipFolder(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestOperatorOfARunningServer(t *testing.T) {
	cfg := begin(t)
	start(t, cfg)
	op, err := OpenOperator(cfg, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	if _, remote := op.(remoteOperator); !remote {
		t.Fatalf("got a %T", op)
	}
	operatorStory(t, op)
}

func TestOperatorOnTheDataItself(t *testing.T) {
	cfg := begin(t)
	op, err := OpenOperator(cfg, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Open(cfg, io.Discard); err == nil {
		t.Error("a server started on data that an operator has open")
	}
	operatorStory(t, op)
	start(t, cfg) // the data is free again
}

func TestAdminSocketIsClosedToOthers(t *testing.T) {
	cfg := begin(t)
	start(t, cfg)
	info, err := os.Stat(filepath.Join(cfg.Data.Dir, adminSocket))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("got %v, %v", info.Mode(), err)
	}
	if left, err := filepath.Glob(filepath.Join(cfg.Data.Dir, ".a*")); err != nil || len(left) > 0 {
		t.Errorf("the folder in which it was made is left over: %v, %v", left, err)
	}
	for path, want := range map[string]fs.FileMode{cfg.Data.Dir: 0o700, cfg.Secrets.Dir: 0o700,
		filepath.Join(cfg.Secrets.Dir, deskKeyFile): 0o600, filepath.Join(cfg.Secrets.Dir, boroughKeyFile): 0o600} {
		if info, err := os.Stat(path); err != nil || info.Mode().Perm() != want {
			t.Errorf("%s: got %v, %v", path, info.Mode(), err)
		}
	}
}

func TestInitNeverTouchesABoroughThatHasBegun(t *testing.T) {
	cfg := begin(t)
	before, err := os.ReadFile(filepath.Join(cfg.Secrets.Dir, boroughKeyFile))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Init(t.Context(), cfg, FirstUser{Login: "x", Name: "x"}); !errors.Is(err, ErrBegun) {
		t.Errorf("got %v, want ErrBegun", err)
	}
	after, err := os.ReadFile(filepath.Join(cfg.Secrets.Dir, boroughKeyFile))
	if err != nil || string(before) != string(after) {
		t.Error("the borough key was touched")
	}
}

func TestInitChecksBeforeItBegins(t *testing.T) {
	cfg := testConfig(t)
	if _, err := Init(t.Context(), cfg, FirstUser{Login: "it", Name: "IT", Password: "short"}); err == nil {
		t.Error("a short password was taken")
	}
	if exists(cfg.Data.Dir) || exists(cfg.Secrets.Dir) {
		t.Error("something was begun")
	}
	password, err := Init(t.Context(), cfg, FirstUser{Login: "it", Name: "IT"})
	if err != nil || len(password) != 23 {
		t.Errorf("got password of %d characters, %v", len(password), err)
	}
}

func TestFault83TwoServersOnOneFolder(t *testing.T) {
	cfg := begin(t)
	start(t, cfg)
	_, err := Open(cfg, io.Discard)
	if !errors.Is(err, keyring.ErrLocked) {
		t.Errorf("got %v, want a lock", err)
	}
}

func TestFault86MissingOrWrongKeysStopTheStart(t *testing.T) {
	spoil := map[string]func(t *testing.T, cfg Config){
		"borough key gone": func(t *testing.T, cfg Config) { remove(t, filepath.Join(cfg.Secrets.Dir, boroughKeyFile)) },
		"borough key of another": func(t *testing.T, cfg Config) {
			path := filepath.Join(cfg.Secrets.Dir, boroughKeyFile)
			remove(t, path)
			if err := keyring.NewBoroughKeyFile(path); err != nil {
				t.Fatal(err)
			}
		},
		"token key gone":       func(t *testing.T, cfg Config) { remove(t, filepath.Join(cfg.Secrets.Dir, tokenKeyFile)) },
		"desk key for all":     func(t *testing.T, cfg Config) { chmod(t, filepath.Join(cfg.Secrets.Dir, deskKeyFile)) },
		"key store gone":       func(t *testing.T, cfg Config) { remove(t, filepath.Join(cfg.Data.Dir, keysFolder)) },
		"journal gone":         func(t *testing.T, cfg Config) { remove(t, filepath.Join(cfg.Data.Dir, journalFolder)) },
		"everything gone":      func(t *testing.T, cfg Config) { remove(t, cfg.Data.Dir) },
		"another borough name": nil,
	}
	for name, spoil := range spoil {
		t.Run(name, func(t *testing.T) {
			cfg := begin(t)
			if spoil != nil {
				spoil(t, cfg)
			} else {
				cfg.Borough = "other"
			}
			if _, err := Open(cfg, io.Discard); err == nil {
				t.Fatal("the server started")
			}
			if spoil != nil { // nor does a second try begin anything anew
				if _, err := Open(cfg, io.Discard); err == nil {
					t.Fatal("the server started at the second try")
				}
			}
		})
	}
}

func remove(t *testing.T, path string) {
	t.Helper()
	if err := os.RemoveAll(path); err != nil {
		t.Fatal(err)
	}
}

func chmod(t *testing.T, path string) {
	t.Helper()
	if err := os.Chmod(path, 0o644); err != nil {
		t.Fatal(err)
	}
}

func TestIndexIsRebuiltWhenItIsGone(t *testing.T) {
	cfg := begin(t)
	remove(t, filepath.Join(cfg.Data.Dir, indexFolder))
	r := start(t, cfg)
	if status := signIn(t, r, "it", itPassword); status != http.StatusOK {
		t.Errorf("got status %d", status)
	}
}

func TestTLSIsVersion13(t *testing.T) {
	cfg := begin(t)
	cfg.Listen.TLSCert, cfg.Listen.TLSKey = testCertificate(t)
	r := start(t, cfg)
	for version, want := range map[uint16]bool{tls.VersionTLS12: false, tls.VersionTLS13: true} {
		conn, err := tls.Dial("tcp", r.Addr().String(), &tls.Config{InsecureSkipVerify: true, MaxVersion: version})
		if (err == nil) != want {
			t.Errorf("TLS version %x: got %v, want success %v", version, err, want)
		}
		if err == nil {
			conn.Close()
		}
	}
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}}
	defer client.CloseIdleConnections()
	var about struct{ Borough string }
	if status := getJSON(t, client, "https://"+r.Addr().String()+"/v1/about", &about); status != http.StatusOK {
		t.Errorf("got status %d", status)
	}
}
