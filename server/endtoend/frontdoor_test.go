package endtoend

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
)

// frontDoor stands before a server and hears what is asked of it.
type frontDoor struct {
	*httptest.Server
	to     func() string // the server's host and port
	worker []byte        // what the app's worker begins with; nil: nothing of ours

	mu    sync.Mutex
	asked []asked        // guarded by mu
	says  map[string]int // guarded by mu; numbers in JSON answers that are told otherwise, by name
}

// asked is one request.
type asked struct {
	path  string
	bytes int64 // of the body; -1: not told
}

func newFrontDoor(t *testing.T, to func() string) *frontDoor {
	t.Helper()
	f := &frontDoor{to: to}
	f.Server = httptest.NewServer(&httputil.ReverseProxy{FlushInterval: -1, Rewrite: f.hear, ModifyResponse: f.answer,
		ErrorHandler: func(http.ResponseWriter, *http.Request, error) { panic(http.ErrAbortHandler) }})
	t.Cleanup(func() {
		f.CloseClientConnections() // a browser that is still there listens to the server
		f.Close()
	})
	return f
}

// address is the door's own host and port.
func (f *frontDoor) address() string { return f.Listener.Addr().String() }

func (f *frontDoor) hear(r *httputil.ProxyRequest) {
	r.Out.URL.Scheme, r.Out.URL.Host = "http", f.to()
	r.Out.Header.Del("Accept-Encoding") // so that answers can be told otherwise
	f.mu.Lock()
	defer f.mu.Unlock()
	f.asked = append(f.asked, asked{r.In.URL.Path, r.In.ContentLength})
}

// take gives what was asked since it was last called.
func (f *frontDoor) take() []asked {
	f.mu.Lock()
	defer f.mu.Unlock()
	all := f.asked
	f.asked = nil
	return all
}

// carriesADay reports whether a request carries a day's words.
func (a asked) carriesADay() bool { return a.path == "/v1/sync" && a.bytes > 2000 }

// carrying counts the requests that carry a day's words.
func carrying(all []asked) (n int) {
	for _, a := range all {
		if a.carriesADay() {
			n++
		}
	}
	return n
}

// wentUpOnce reports whether a day's words went up in one request, and waited for no other
// that has to do with the token.
func wentUpOnce(all []asked) bool {
	words := slices.IndexFunc(all, asked.carriesADay)
	return carrying(all) == 1 && !slices.ContainsFunc(all[:words], func(a asked) bool { return a.path == "/v1/token/refresh" })
}

// tell has numbers of JSON answers told otherwise from now on: "expires_in" is when an
// access token lapses, "lease_ms" how long a tablet may do without the server.
func (f *frontDoor) tell(says map[string]int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.says = says
}

func (f *frontDoor) answer(r *http.Response) error {
	f.mu.Lock()
	says := f.says
	f.mu.Unlock()
	isWorker, isJSON := strings.HasPrefix(r.Request.URL.Path, "/app/worker-"), strings.HasPrefix(r.Header.Get("Content-Type"), "application/json")
	if r.StatusCode >= 300 || !(isWorker && f.worker != nil) && !(isJSON && says != nil) {
		return nil
	}
	body, err := io.ReadAll(r.Body)
	if isWorker {
		body = append(slices.Clone(f.worker), body...)
	}
	for name, n := range says {
		body = regexp.MustCompile(`"`+name+`":\d+`).ReplaceAll(body, fmt.Appendf(nil, "%q:%d", name, n))
	}
	r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	r.Header.Set("Content-Length", strconv.Itoa(len(body)))
	return err
}
