// Package web is the practitioner's app as it was built: files for a browser, each
// as it is and under brotli. Its source lies beside it in TypeScript; package build
// turns that into the folder dist, which is not kept in the repository. A binary that
// was built without it has no app, and Open says so.
package web

import (
	"embed"
	"io/fs"
	"path"
	"strings"
)

//go:embed dist
var dist embed.FS

// File is one file of the app.
type File struct {
	Body   []byte
	Brotli bool   // Body is under brotli
	Type   string // media type
	// Forever: the name changes whenever the content does.
	Forever bool
}

// App is the app's files by their path below /app/, "" and "index.html" being the
// page, and "signed-in" too, where the borough's sign-in service sends people back to.
// It is never changed. It holds no file in memory: the binary has them.
type App struct {
	built fs.FS
	files map[string]sizes
}

// sizes are how many bytes a file has.
type sizes struct{ plain, brotli int64 } // brotli 0: not worth it

// Open returns the app that this binary holds; false if it was built without.
func Open() (*App, bool) {
	sub, err := fs.Sub(dist, "dist")
	if err != nil {
		panic("bug: the embedded folder has another name")
	}
	return open(sub)
}

func open(built fs.FS) (*App, bool) {
	app := &App{built: built, files: map[string]sizes{}}
	entries, err := fs.ReadDir(built, ".")
	if err != nil {
		return nil, false
	}
	for _, e := range entries {
		name := e.Name()
		if _, known := mediaTypes[path.Ext(name)]; e.IsDir() || !known {
			continue
		}
		info, err := e.Info()
		if err != nil {
			return nil, false
		}
		of := sizes{plain: info.Size()}
		if small, err := fs.Stat(built, name+".br"); err == nil {
			of.brotli = small.Size()
		}
		app.files[name] = of
	}
	_, ok := app.files["index.html"]
	return app, ok
}

// File returns a file by its path below /app/, under brotli if it may and there is one.
func (a *App) File(name string, brotli bool) (File, bool) {
	if name == "" || name == "signed-in" {
		name = "index.html"
	}
	of, ok := a.files[name]
	if !ok {
		return File{}, false
	}
	f := File{Type: mediaTypes[path.Ext(name)], Forever: hashed(name), Brotli: brotli && of.brotli > 0}
	if f.Brotli {
		name += ".br"
	}
	var err error
	f.Body, err = fs.ReadFile(a.built, name)
	return f, err == nil
}

// Named returns the path of the file that was built as name, such as "desk.css" for
// "desk-1A2B3C4D.css"; false if there is none.
func (a *App) Named(name string) (string, bool) {
	ext := path.Ext(name)
	for built := range a.files {
		if strings.HasPrefix(built, strings.TrimSuffix(name, ext)+"-") && path.Ext(built) == ext && hashed(built) {
			return built, true
		}
	}
	return "", false
}

// Sizes returns how many bytes each file takes to download.
func (a *App) Sizes() map[string]int {
	out := map[string]int{}
	for name, of := range a.files {
		out[name] = int(of.plain)
		if of.brotli > 0 {
			out[name] = int(of.brotli)
		}
	}
	return out
}

var mediaTypes = map[string]string{
	".html": "text/html; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8",
	".wasm": "application/wasm", ".json": "application/json", ".webmanifest": "application/manifest+json",
	".svg": "image/svg+xml", ".png": "image/png",
}

// hashed reports whether a name carries a digest of its content, "app-1a2b3c4d.js",
// as package build writes it.
func hashed(name string) bool {
	stem := strings.TrimSuffix(name, path.Ext(name))
	_, digest, ok := strings.Cut(stem, "-")
	return ok && len(digest) >= 8 && strings.Trim(digest, "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ") == ""
}
