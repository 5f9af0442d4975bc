package demo

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"doorstep/server/web/webtest"
)

// newVersion stands before a server and serves another version of the app's service
// worker once it is told to.
func newVersion(t *testing.T, app string) (address string, release func()) {
	t.Helper()
	to, err := url.Parse(strings.TrimSuffix(app, "/app/"))
	if err != nil {
		t.Fatal(err)
	}
	var released atomic.Bool
	proxy := httputil.NewSingleHostReverseProxy(to)
	proxy.ModifyResponse = func(r *http.Response) error {
		if !released.Load() || r.Request.URL.Path != "/app/sw.js" || r.Header.Get("Content-Encoding") != "" {
			return nil
		}
		body, err := io.ReadAll(r.Body)
		body = append(body, "\n// another version"...)
		r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
		r.Header.Set("Content-Length", strconv.Itoa(len(body)))
		return err
	}
	front := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.Header.Del("Accept-Encoding")
		proxy.ServeHTTP(w, r)
	}))
	t.Cleanup(front.CloseClientConnections)
	return strings.Replace(front.URL, "127.0.0.1", "localhost", 1) + "/app/", func() { released.Store(true) }
}

// TestFault100NewAppVersionWaits: a version that comes in the middle of a visit is
// fetched and waits; the page that is being written in stays the one it was.
func TestFault100NewAppVersionWaits(t *testing.T) {
	s := newStage(t)
	address, release := newVersion(t, s.url)
	s.url = address
	s.enrol()
	s.Until("the app is kept on the tablet", "navigator.serviceWorker.ready.then((r) => true) && navigator.serviceWorker.getRegistration().then(() => true)")
	s.Press("Start a visit")
	s.Press("Start now")
	s.Sees("Household")
	s.Fill("Home conditions", said)
	release()
	type found struct{ Waiting, Same, Typed bool }
	got := webtest.Eval[found](s.Browser, `(async () => {
		const r = await navigator.serviceWorker.ready, before = r.active;
		await r.update();
		for (let i = 0; i < 200 && !r.waiting; i++) await new Promise((done) => setTimeout(done, 50));
		const typed = [...document.querySelectorAll("textarea")].some((a) => a.value.includes("stair gate"));
		return {Waiting: Boolean(r.waiting), Same: r.active === before, Typed: typed};
	})()`)
	if want := (found{true, true, true}); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

// clipboard copies words of the visit: they are not in the tablet's clipboard, can be put
// in again here, and no more once the app was out of sight.
func (s *stage) clipboard(sight func(string) string) {
	s.t.Helper()
	s.Fill("Home conditions", "Nan has the key. ")
	webtest.Eval[bool](s.Browser, `(window.area = document.activeElement, window.happens = (what) => {
		const e = new ClipboardEvent(what, {clipboardData: new DataTransfer(), bubbles: true, cancelable: true});
		area.dispatchEvent(e);
		return {Taken: e.defaultPrevented, Words: e.clipboardData.getData("text/plain")};
	}, area.select(), true)`)
	type event struct {
		Taken bool
		Words string
	}
	if got := webtest.Eval[event](s.Browser, `happens("copy")`); got != (event{true, ""}) {
		s.t.Errorf("copied: %+v", got)
	}
	webtest.Eval[bool](s.Browser, `(area.setSelectionRange(area.value.length, area.value.length), true)`)
	if got := webtest.Eval[event](s.Browser, `happens("paste")`); !got.Taken {
		s.t.Error("what was copied here cannot be put in here")
	}
	s.Until("the words are there twice", `area.value === "Nan has the key. Nan has the key. "`)
	sight("hidden")
	sight("visible")
	if got := webtest.Eval[event](s.Browser, `happens("paste")`); got.Taken {
		s.t.Error("what was copied is still held after the app was out of sight")
	}
}

// TestFault103NothingIsSeenOutOfSight: while the app is out of sight its page is blank,
// no keyboard is to learn what is typed, and no word comes into the tablet's clipboard.
func TestFault103NothingIsSeenOutOfSight(t *testing.T) {
	s := newStage(t)
	s.enrol()
	s.Press("Start a visit")
	s.Press("Start now")
	s.Sees("Household")
	s.Until("the form is ready", `[...document.querySelectorAll("textarea")].every((a) => !a.readOnly)`)
	sight := func(state string) string {
		return webtest.Eval[string](s.Browser, `(() => {
			Object.defineProperty(document, "visibilityState", {value: "`+state+`", configurable: true});
			document.dispatchEvent(new Event("visibilitychange"));
			return getComputedStyle(document.querySelector("h1")).visibility;
		})()`)
	}
	if got := sight("hidden"); got != "hidden" {
		t.Errorf("out of sight the page is %s", got)
	}
	if got := sight("visible"); got != "visible" {
		t.Errorf("back in sight the page is %s", got)
	}
	s.clipboard(sight)
	loud := webtest.Eval[int](s.Browser, `[...document.querySelectorAll("textarea")].filter((a) =>
		a.getAttribute("autocorrect") !== "off" || a.spellcheck || a.autocomplete !== "off").length`)
	if loud > 0 {
		t.Errorf("%d text areas may be learnt from", loud)
	}
}
