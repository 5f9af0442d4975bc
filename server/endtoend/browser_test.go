package endtoend

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"doorstep/client-sdk/ts/bundle"
	"doorstep/server/web/webtest"
)

// pin is what everybody unlocks their tablet with.
const pin = "271828"

// pages serves the client and a page for tests at one origin with a borough's server,
// which may be stopped meanwhile.
type pages struct {
	*httptest.Server
	b    *borough
	page string // where the page for tests lies

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
	if err := bundle.Install(source); err != nil {
		return "", err
	}
	dir, err := workshop()
	if err != nil {
		return "", err
	}
	out := filepath.Join(dir, "client")
	return out, bundle.Build(source, out)
})

func newPages(t *testing.T, b *borough) *pages {
	t.Helper()
	p := &pages{b: b, page: "/app/"}
	p.serve(t, http.NewServeMux())
	return p
}

// newFront serves the app itself, as the borough's server does, and the page for
// tests beside it, which looks into the same tablet.
func newFront(t *testing.T, b *borough) *pages {
	t.Helper()
	p := &pages{b: b, page: "/probe/"}
	mux := http.NewServeMux()
	mux.Handle("/app/", http.HandlerFunc(p.pass))
	p.serve(t, mux)
	return p
}

func (p *pages) serve(t *testing.T, mux *http.ServeMux) {
	t.Helper()
	client, err := built()
	if err != nil {
		t.Fatal(err)
	}
	mux.Handle("/v1/", http.HandlerFunc(p.pass))
	mux.HandleFunc("/typed", func(w http.ResponseWriter, r *http.Request) { p.tell(&p.typed, r) })
	mux.HandleFunc("/kept", func(w http.ResponseWriter, r *http.Request) { p.tell(&p.kept, r) })
	files := func(at, folder string) http.Handler { return http.StripPrefix(at, http.FileServer(http.Dir(folder))) }
	mux.Handle(p.page, withPolicy(files(p.page, filepath.Join(repository, "server/endtoend/testdata/browser"))))
	mux.Handle("/app/example/", withPolicy(http.StripPrefix("/app/example/", http.FileServer(http.Dir(filepath.Join(repository, "client-sdk/ts/example"))))))
	for _, name := range []string{"index.js", "worker.js", "doorstep.wasm"} {
		mux.Handle("/app/"+name, withPolicy(files("/app/", client)))
	}
	p.Server = httptest.NewServer(mux)
	t.Cleanup(func() {
		p.CloseClientConnections() // a browser that is still there listens to the server
		p.Close()
	})
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
	down, address := p.down, p.b.address()
	p.mu.Unlock()
	if down {
		panic(http.ErrAbortHandler) // the connection is cut, as by a network that is not there
	}
	proxy := &httputil.ReverseProxy{FlushInterval: -1, Rewrite: func(r *httputil.ProxyRequest) {
		r.Out.URL.Scheme, r.Out.URL.Host = "http", address
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

// newBrowser starts chromium with the client, or skips aloud.
func newBrowser(t *testing.T) *browser {
	t.Helper()
	if _, err := exec.LookPath("npm"); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal("the client must be tested here in a real browser, but there is no npm")
		}
		t.Skip("NOT TESTED: the client in a real browser, because there is no npm (Debian: apt-get install npm)")
	}
	b := &browser{t: t, profile: webtest.Profile(t)}
	b.start()
	return b
}

func (b *browser) start() {
	b.t.Helper()
	b.ctx, b.end = webtest.Launch(b.t, "user-data-dir="+b.profile)
}

// kill ends the whole browser without warning, as a machine does that loses its power.
// start starts it again.
func (b *browser) kill() {
	b.t.Helper()
	if err := chromedp.FromContext(b.ctx).Browser.Process().Kill(); err != nil {
		b.t.Fatal(err)
	}
	b.end()
	for until := time.Now().Add(time.Minute); b.killRest() > 0; <-time.After(5 * time.Millisecond) {
		if time.Now().After(until) {
			b.t.Fatal("a process of the browser does not end")
		}
	}
	// What a killed browser leaves of its lock would keep the next from starting.
	for _, name := range []string{"SingletonLock", "SingletonSocket", "SingletonCookie"} {
		os.Remove(filepath.Join(b.profile, name))
	}
}

// killRest kills what is left of a browser whose first process is gone: the others notice
// that by themselves, and write in the profile until they do. It returns how many there were.
func (b *browser) killRest() (found int) {
	b.t.Helper()
	commands, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil {
		b.t.Fatal(err)
	}
	for _, name := range commands {
		line, err := os.ReadFile(name)
		if err != nil || !slices.Contains(strings.Split(string(line), "\x00"), "--user-data-dir="+b.profile) {
			continue // it has ended, or is another's
		}
		found++
		if pid, err := strconv.Atoi(filepath.Base(filepath.Dir(name))); err == nil {
			_ = syscall.Kill(pid, syscall.SIGKILL) // it may have ended meanwhile
		}
	}
	return found
}

// inProfile lists what a browser keeps below a folder of its profile.
func (b *browser) inProfile(folder string) (files []string) {
	b.t.Helper()
	err := filepath.WalkDir(filepath.Join(b.profile, "Default", folder), func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() {
			files = append(files, path)
		}
		return err
	})
	if err != nil || len(files) == 0 {
		b.t.Fatalf("%d files in the profile's %s: %v", len(files), folder, err)
	}
	return files
}

// tab is a page of the client.
type tab struct {
	b     *browser
	ctx   context.Context
	close context.CancelFunc
}

// open opens the test's page in a new tab.
func (b *browser) open(p *pages) *tab { return b.openWith(p, "") }

// openWith opens it with a query.
func (b *browser) openWith(p *pages, query string) *tab {
	b.t.Helper()
	out := b.bare(p, query)
	out.run("window.ready")
	return out
}

// bare opens whatever lies beside the page for tests in a new tab.
func (b *browser) bare(p *pages, path string) *tab {
	b.t.Helper()
	ctx, end := chromedp.NewContext(b.ctx)
	if err := chromedp.Do(ctx, chromedp.Navigate(p.URL+p.page+path)); err != nil {
		b.t.Fatal(err)
	}
	return &tab{b: b, ctx: ctx, close: end}
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

// unlocked opens the page, unlocks it, and gives its tab.
func (b *browser) unlocked(p *pages) *tab {
	b.t.Helper()
	tb := b.open(p)
	tb.run("tablet.unlock(%s)", pin)
	return tb
}

// enrolled opens the page and enrols a worker, who has synced and begun a visit.
func (b *browser) enrolled(p *pages, login string) (tb *tab, visit string) {
	b.t.Helper()
	tb = b.open(p)
	tb.enrol(p.b, login)
	tb.run("tablet.client.sync()")
	return tb, tb.run("tablet.begin()")
}

// reads checks what a record's text says.
func (tb *tab) reads(record, want string) {
	tb.b.t.Helper()
	if got := tb.run("tablet.purpose(%s)", record); got != want {
		tb.b.t.Errorf("the page reads %q, want %q", got, want)
	}
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

// sameAs checks that a page shows the same bytes of the same records as a tablet.
func (tb *tab) sameAs(other *tablet) {
	tb.b.t.Helper()
	views := map[string]string{}
	folds := tb.run("tablet.client.families().then(async fs => Object.assign({}, ...await Promise.all(fs.map(f => tablet.client.digests(f.family)))))")
	if err := json.Unmarshal([]byte(folds), &views); err != nil {
		tb.b.t.Fatal(err)
	}
	wantDigests(tb.b.t, views, other)
}

// wantDigests checks that a page has the records of a tablet, byte for byte.
func wantDigests(t *testing.T, views map[string]string, other *tablet) {
	t.Helper()
	want := other.folds()
	if len(views) != len(want) {
		t.Errorf("the page shows %d records, want %d", len(views), len(want))
	}
	for record, bytes := range want {
		if sum := sha256.Sum256([]byte(bytes)); views[record.String()] != hex.EncodeToString(sum[:]) {
			t.Errorf("record %s: the page shows other bytes", record)
		}
	}
}

// planted are words that occur nowhere else.
func planted(n int) []string {
	words := make([]string, n)
	for i := range words {
		words[i] = fmt.Sprintf("quagmire%04dzephyr", i)
	}
	return words
}

// utf16 is how a browser may keep a string.
func utf16(s string) string {
	var b strings.Builder
	for _, c := range []byte(s) {
		b.WriteByte(c)
		b.WriteByte(0)
	}
	return b.String()
}
