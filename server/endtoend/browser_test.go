package endtoend

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"doorstep/client-sdk/ts/bundle"
)

// pin is what everybody unlocks their tablet with.
const pin = "271828"

// pages serves the client and a page for tests at one origin with a borough's server,
// which may be stopped meanwhile.
type pages struct {
	*httptest.Server
	b *borough

	mu    sync.Mutex
	typed []moment // guarded by mu
	kept  []moment // guarded by mu
	down  bool     // guarded by mu
}

// moment is when a page told what its text area held.
type moment struct {
	at   time.Time
	text string
}

// built makes the client once for all tests.
var built = sync.OnceValues(func() (string, error) {
	source := filepath.Join(repository, "client-sdk/ts")
	if _, err := os.Stat(filepath.Join(source, "node_modules/idb")); err != nil {
		install := exec.Command("npm", "ci", "--silent", "--no-audit", "--no-fund")
		install.Dir = source
		if out, err := install.CombinedOutput(); err != nil {
			return "", fmt.Errorf("npm ci: %w: %s", err, out)
		}
	}
	out, err := os.MkdirTemp("", "doorstep-client")
	if err != nil {
		return "", err
	}
	return out, bundle.Build(source, out)
})

func newPages(t *testing.T, b *borough) *pages {
	t.Helper()
	client, err := built()
	if err != nil {
		t.Fatal(err)
	}
	p := &pages{b: b}
	mux := http.NewServeMux()
	mux.Handle("/v1/", http.HandlerFunc(p.pass))
	mux.HandleFunc("/typed", func(w http.ResponseWriter, r *http.Request) { p.tell(&p.typed, r) })
	mux.HandleFunc("/kept", func(w http.ResponseWriter, r *http.Request) { p.tell(&p.kept, r) })
	files := func(folder string) http.Handler { return http.StripPrefix("/app/", http.FileServer(http.Dir(folder))) }
	own := filepath.Join(repository, "server/endtoend/testdata/browser")
	mux.Handle("/app/", withPolicy(files(own)))
	for _, name := range []string{"index.js", "worker.js", "doorstep.wasm"} {
		mux.Handle("/app/"+name, withPolicy(files(client)))
	}
	p.Server = httptest.NewServer(mux)
	t.Cleanup(p.Close)
	return p
}

// withPolicy sets what the server sets for pages (see the API's policyOf).
func withPolicy(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Security-Policy", "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; img-src 'self' data:; "+
			"connect-src 'self'; worker-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "+
			"require-trusted-types-for 'script'; trusted-types doorstep-client")
		w.Header().Set("Cross-Origin-Opener-Policy", "same-origin")
		w.Header().Set("Cross-Origin-Embedder-Policy", "require-corp")
		h.ServeHTTP(w, r)
	})
}

// pass hands a request on to the borough's server, if it runs.
func (p *pages) pass(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	down := p.down
	p.mu.Unlock()
	if down {
		panic(http.ErrAbortHandler) // the connection is cut, as by a network that is not there
	}
	proxy := &httputil.ReverseProxy{FlushInterval: -1, Director: func(out *http.Request) {
		out.URL.Scheme, out.URL.Host = "http", p.b.address()
	}, ErrorHandler: func(http.ResponseWriter, *http.Request, error) { panic(http.ErrAbortHandler) }}
	proxy.ServeHTTP(w, r)
}

// signal takes the server away from the tablets, or gives it back.
func (p *pages) signal(there bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.down = !there
}

func (p *pages) tell(list *[]moment, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return // cut off with its browser
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	*list = append(*list, moment{time.Now(), string(body)})
}

// browser is a chromium with a profile that outlives it.
type browser struct {
	t       *testing.T
	profile string
	ctx     context.Context
	end     context.CancelFunc
}

// newBrowser starts chromium. Without it the test is skipped, aloud; where everything
// is to be tested (CI=true) that is a failure.
func newBrowser(t *testing.T) *browser {
	t.Helper()
	for _, program := range []string{"chromium", "npm"} {
		if _, err := exec.LookPath(program); err == nil {
			continue
		}
		if os.Getenv("CI") == "true" {
			t.Fatalf("the client must be tested here in a real browser, but there is no %s", program)
		}
		t.Skipf("NOT TESTED: the client in a real browser, because there is no %s (Debian: apt-get install %s)", program, program)
	}
	profile, err := os.MkdirTemp("", "doorstep-profile")
	if err != nil {
		t.Fatal(err)
	}
	b := &browser{t: t, profile: profile}
	t.Cleanup(func() {
		b.end()
		os.RemoveAll(profile)
	})
	b.start()
	return b
}

func (b *browser) start() {
	b.t.Helper()
	options := append(slices.Clone(chromedp.DefaultExecAllocatorOptions[:]), chromedp.ExecPath("/usr/bin/chromium"), chromedp.NoSandbox,
		chromedp.UserDataDir(b.profile),
		chromedp.Flag("disable-gpu", true), chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true),
		chromedp.Flag("disable-dev-shm-usage", true))
	alloc, endAlloc := chromedp.NewExecAllocator(context.Background(), options...)
	ctx, endTab := chromedp.NewContext(alloc)
	b.ctx, b.end = ctx, func() { endTab(); endAlloc() }
	if err := chromedp.Do(ctx, chromedp.Navigate("about:blank")); err != nil {
		b.t.Fatalf("starting chromium: %v", err)
	}
}

// kill ends the whole browser as a power cut would, and starts it again.
func (b *browser) kill() {
	b.t.Helper()
	if err := chromedp.FromContext(b.ctx).Browser.Process().Kill(); err != nil {
		b.t.Fatal(err)
	}
	b.end()
	b.start()
}

// tab is a page of the client.
type tab struct {
	b     *browser
	ctx   context.Context
	close context.CancelFunc
}

// open opens the test's page in a new tab.
func (b *browser) open(p *pages) *tab {
	b.t.Helper()
	ctx, end := chromedp.NewContext(b.ctx)
	out := &tab{b: b, ctx: ctx, close: end}
	if err := chromedp.Do(ctx, chromedp.Navigate(p.URL+"/app/")); err != nil {
		b.t.Fatal(err)
	}
	out.run("window.ready")
	return out
}

// run evaluates an expression, waits if it is a promise, and gives its value as JSON.
func (tb *tab) run(expression string, args ...any) string {
	tb.b.t.Helper()
	out, err := tb.try(expression, args...)
	if err != nil {
		tb.b.t.Fatalf("%s: %v; events: %s", expression, err, tb.events())
	}
	return out
}

func (tb *tab) events() string {
	out, err := tb.try("tablet.events")
	if err != nil {
		return err.Error()
	}
	return out
}

// try is run for what may fail. Arguments are put in as JSON for each %s.
func (tb *tab) try(expression string, args ...any) (string, error) {
	quoted := make([]any, len(args))
	for i, a := range args {
		b, err := json.Marshal(a)
		if err != nil {
			return "", err
		}
		quoted[i] = string(b)
	}
	code := fmt.Sprintf(expression, quoted...)
	ctx, cancel := context.WithTimeout(tb.ctx, time.Minute)
	defer cancel()
	wrapped := `(async () => { try { return JSON.stringify({value: (await (` + code + `)) ?? null}) }
		catch (e) { return JSON.stringify({error: (e.code ?? e.name) + ": " + e.message + " " + (e.detail ?? "")}) } })()`
	got, err := chromedp.Run(ctx, chromedp.Evaluate[string](wrapped, chromedp.EvalAwaitPromise))
	if err != nil {
		return "", err
	}
	var out struct {
		Value json.RawMessage
		Error string
	}
	if err := json.Unmarshal([]byte(got), &out); err != nil {
		return "", err
	}
	if out.Error != "" {
		return "", fmt.Errorf("%s", out.Error)
	}
	return strings.Trim(string(out.Value), `"`), nil
}

// enrol enrols a worker in this tab.
func (tb *tab) enrol(s site, login string) {
	tb.b.t.Helper()
	code, err := s.operator().IssueCode(tb.b.t.Context(), login)
	if err != nil {
		tb.b.t.Fatal(err)
	}
	tb.run(`tablet.client.enrol({login: %[1]s, credential: {login: %[1]s, password: %[2]s}, code: %[3]s, name: "browser", unlock: {pin: %[4]s}})`,
		login, password, code.Code, pin)
}
