// Command build builds the practitioner's app of server/web into its folder dist,
// which the server's binary embeds: the page, its styles, the service worker, and
// the client for browsers with its engine. Run it in server/web, after npm ci there
// and in client-sdk/ts. It is a developer's tool; no product imports it.
package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/base32"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"github.com/andybalholm/brotli"
	"github.com/evanw/esbuild/pkg/api"

	"doorstep/client-sdk/ts/bundle"
)

// formWords is what forms say in Welsh: a file of its own, which only who chose Welsh reads.
const formWords = "kinds.cy.json"

const (
	client = "../../client-sdk/ts"
	dist   = "dist"
)

func main() {
	if err := build(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// build makes the parts in the order in which they name each other: what has a name
// from its content first, then the page that names it, then the service worker that
// lists everything.
func build() error {
	if err := empty(); err != nil {
		return err
	}
	parts, err := os.MkdirTemp("", "doorstep-web")
	if err != nil {
		return err
	}
	defer os.RemoveAll(parts)
	if err := bundle.Build(client, parts); err != nil {
		return err
	}
	names := map[string]string{}
	for _, f := range []string{"worker.js", "doorstep.wasm"} {
		if names[f], err = keep(filepath.Join(parts, f)); err != nil {
			return err
		}
	}
	if names[formWords], err = keep(filepath.Join("src", "words", formWords)); err != nil {
		return err
	}
	if err := styles(parts, names); err != nil {
		return err
	}
	if err := page(parts, names); err != nil {
		return err
	}
	if err := plainFiles(names); err != nil {
		return err
	}
	if err := serviceWorker(parts, names); err != nil {
		return err
	}
	return compress()
}

// empty removes what an earlier build left, but for the placeholder.
func empty() error {
	old, err := os.ReadDir(dist)
	if err != nil {
		return err
	}
	for _, e := range old {
		if e.Name() == "placeholder.txt" {
			continue
		}
		if err := os.Remove(filepath.Join(dist, e.Name())); err != nil {
			return err
		}
	}
	return nil
}

// keep puts a file into dist under a name that changes with its content.
func keep(file string) (string, error) {
	body, err := os.ReadFile(file)
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(body)
	ext := filepath.Ext(file)
	name := strings.TrimSuffix(filepath.Base(file), ext) + "-" + base32.StdEncoding.EncodeToString(sum[:])[:8] + ext
	return name, os.WriteFile(filepath.Join(dist, name), body, 0o644)
}

// styles compiles the sheets of the app and of the desk. The fonts and the crown of the design system are left
// out: only government services may wear them.
func styles(parts string, names map[string]string) error {
	for _, sheet := range []string{"app", "desk"} {
		out := filepath.Join(parts, sheet+".css")
		cmd := exec.Command("node_modules/.bin/sass", "--no-source-map", "--style=compressed", "--quiet-deps", "--load-path=node_modules", "--load-path=.", "style/"+sheet+".scss", out)
		if said, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("styles: %w: %s", err, said)
		}
		name, err := keep(out)
		if err != nil {
			return err
		}
		if sheet == "app" { // the desk is never without a connection: no tablet keeps its sheet
			names["app.css"] = name
		}
	}
	return nil
}

func page(parts string, names map[string]string) error {
	err := script("src/main.tsx", filepath.Join(parts, "app.js"), map[string]string{
		"WORKER_URL": quoted("/app/" + names["worker.js"]), "WASM_URL": quoted("/app/" + names["doorstep.wasm"]),
		"KINDS_CY_URL": quoted("/app/" + names[formWords]),
	})
	if err != nil {
		return err
	}
	if names["app.js"], err = keep(filepath.Join(parts, "app.js")); err != nil {
		return err
	}
	html, err := os.ReadFile("src/index.html")
	if err != nil {
		return err
	}
	for _, f := range []string{"app.js", "app.css"} {
		html = bytes.ReplaceAll(html, []byte("{{"+f+"}}"), []byte("/app/"+names[f]))
	}
	return os.WriteFile(filepath.Join(dist, "index.html"), html, 0o644)
}

// plainFiles copies what keeps its name.
func plainFiles(names map[string]string) error {
	for _, f := range []string{"app.webmanifest", "icon.svg", "icon-192.png", "icon-512.png"} {
		body, err := os.ReadFile(filepath.Join("src", f))
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(dist, f), body, 0o644); err != nil {
			return err
		}
		names[f] = f
	}
	return nil
}

// serviceWorker lists every file, so that all of the app is there without a
// connection, and its version is what the files are.
func serviceWorker(parts string, names map[string]string) error {
	files := []string{"/app/"}
	for _, name := range names {
		files = append(files, "/app/"+name)
	}
	slices.Sort(files)
	html, err := os.ReadFile(filepath.Join(dist, "index.html"))
	if err != nil {
		return err
	}
	sum := sha256.Sum256(append([]byte(strings.Join(files, "\n")), html...))
	list, err := json.Marshal(files)
	if err != nil {
		return err
	}
	return script("src/sw.ts", filepath.Join(dist, "sw.js"), map[string]string{
		"FILES": string(list), "VERSION": quoted(base32.StdEncoding.EncodeToString(sum[:])[:8]),
	})
}

func quoted(s string) string { return `"` + s + `"` }

// script bundles one script for browsers that have all that the client needs.
func script(entry, out string, define map[string]string) error {
	here, err := filepath.Abs(".")
	if err != nil {
		return err
	}
	result := api.Build(api.BuildOptions{
		EntryPoints: []string{entry}, Outfile: out, Write: true, Bundle: true, Define: define,
		Format: api.FormatESModule, Platform: api.PlatformBrowser, Target: api.ES2022, Charset: api.CharsetUTF8,
		MinifySyntax: true, MinifyWhitespace: true, MinifyIdentifiers: true, LegalComments: api.LegalCommentsInline,
		JSX: api.JSXAutomatic, JSXImportSource: "preact", NodePaths: []string{filepath.Join(here, "node_modules")},
		Alias: map[string]string{"@doorstep/client": filepath.Join(here, client, "src/index.ts")},
	})
	var errs []error
	for _, m := range result.Errors {
		errs = append(errs, errors.New(m.Text))
	}
	if len(errs) > 0 {
		return fmt.Errorf("bundle %s: %w", entry, errors.Join(errs...))
	}
	return nil
}

// compress lays each file's brotli beside it, where that is worth it.
func compress() error {
	files, err := os.ReadDir(dist)
	if err != nil {
		return err
	}
	for _, f := range files {
		ext := filepath.Ext(f.Name())
		if f.Name() == "placeholder.txt" || ext == ".png" || ext == ".br" {
			continue
		}
		body, err := os.ReadFile(filepath.Join(dist, f.Name()))
		if err != nil {
			return err
		}
		var small bytes.Buffer
		w := brotli.NewWriterLevel(&small, brotli.BestCompression)
		if _, err := w.Write(body); err != nil {
			return err
		}
		if err := w.Close(); err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(dist, f.Name()+".br"), small.Bytes(), 0o644); err != nil {
			return err
		}
	}
	return nil
}
