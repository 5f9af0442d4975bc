package web

import (
	"strings"
	"testing"
	"testing/fstest"
)

// What a tablet downloads before it can work without a signal.
const (
	maxAppBytes    = 1_100 << 10 // everything
	maxScriptBytes = 60 << 10    // the page's own script
)

func TestAppIsSmallEnough(t *testing.T) {
	app, built := Open()
	if !built {
		t.Skip("NOT TESTED: the size of the web app, because it is not in this build (make web)")
	}
	total := 0
	for name, size := range app.Sizes() {
		total += size
		if strings.HasPrefix(name, "app-") && strings.HasSuffix(name, ".js") && size > maxScriptBytes {
			t.Errorf("%s: %d bytes, want at most %d", name, size, maxScriptBytes)
		}
		t.Logf("%8d %s", size, name)
	}
	t.Logf("%8d in all", total)
	if total > maxAppBytes {
		t.Errorf("the app is %d bytes, want at most %d", total, maxAppBytes)
	}
}

func TestWhatIsServed(t *testing.T) {
	built := fstest.MapFS{
		"index.html": {Data: []byte("page")}, "index.html.br": {Data: []byte("p")}, "app-ABCD2345.js": {Data: []byte("script")},
		"sw.js": {Data: []byte("worker")}, "placeholder.txt": {Data: []byte("no app")},
	}
	app, ok := open(built)
	if !ok {
		t.Fatal("a folder with a page is no app")
	}
	for name, forever := range map[string]bool{"": false, "index.html": false, "sw.js": false, "app-ABCD2345.js": true} {
		if f, found := app.File(name, false); !found || f.Forever != forever {
			t.Errorf("%q: found %v, for ever %v", name, found, f.Forever)
		}
	}
	for _, name := range []string{"placeholder.txt", "index.html.br", "../web.go", "none.js"} {
		if _, found := app.File(name, false); found {
			t.Errorf("%q is served", name)
		}
	}
	for brotli, want := range map[bool]string{true: "p", false: "page"} {
		if f, _ := app.File("", brotli); string(f.Body) != want || f.Brotli != brotli || f.Type != "text/html; charset=utf-8" {
			t.Errorf("the page, under brotli %v: %+v", brotli, f)
		}
	}
	if f, _ := app.File("sw.js", true); string(f.Body) != "worker" || f.Brotli {
		t.Errorf("a file that is not worth it: %+v", f)
	}
	if _, ok := open(fstest.MapFS{"placeholder.txt": {Data: []byte("no app")}}); ok {
		t.Error("a placeholder is an app")
	}
}
