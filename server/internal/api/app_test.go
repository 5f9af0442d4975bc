package api

import (
	"net/http"
	"strings"
	"testing"

	"doorstep/server/web"
)

// oneFile is an app of a page and a script.
type oneFile struct{}

func (oneFile) File(name string, _ bool) (web.File, bool) {
	switch name {
	case "":
		return web.File{Body: []byte("page"), Type: "text/html; charset=utf-8"}, true
	case "app-ABCD2345.js":
		return web.File{Body: []byte("script"), Type: "text/javascript", Forever: true}, true
	}
	return web.File{}, false
}

func TestTheAppIsServed(t *testing.T) {
	w := newWorld(t, func(c *Config) { c.App = oneFile{} })
	page := w.get("/app/", "")
	if page.status != http.StatusOK || string(page.body) != "page" || page.header.Get("Cache-Control") != "no-cache" {
		t.Errorf("the page: %d %q %v", page.status, page.body, page.header)
	}
	script := w.get("/app/app-ABCD2345.js", "")
	if script.status != http.StatusOK || !strings.Contains(script.header.Get("Cache-Control"), "immutable") || script.header.Get("Content-Type") != "text/javascript" {
		t.Errorf("a script: %d %v", script.status, script.header)
	}
	if got := w.get("/app/other.js", ""); got.status != http.StatusNotFound || got.header.Get("Cache-Control") != "no-store" {
		t.Errorf("what there is not: %d %v", got.status, got.header)
	}
}

func TestAServerWithoutTheAppSaysSo(t *testing.T) {
	w := newWorld(t, nil)
	got := w.get("/app/", "")
	if got.status != http.StatusNotFound || !strings.Contains(string(got.body), "There is no web app in this server") {
		t.Errorf("got %d %q", got.status, got.body)
	}
}
