// Package bundle builds the TypeScript package of client-sdk/ts. Build makes what it
// ships: the page's module, the worker's, and the engine as WebAssembly. Kinds are
// its types generated from the schema. It is a developer's tool; no product imports
// it.
package bundle

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/evanw/esbuild/pkg/api"
)

// WasmFlags are how the engine is built for the browser. Where a call costs nothing
// beside what it does, it is not inlined: that saves 4 % of the download. In text and
// cbor, where time is spent, it stays.
func WasmFlags() []string {
	flags := []string{"-trimpath", "-ldflags=-s -w"}
	for _, p := range []string{"client-sdk/engine", "client-sdk/wasm/binding", "syncproto", "syncproto/schema"} {
		flags = append(flags, "-gcflags=doorstep/"+p+"=-l")
	}
	return flags
}

// Build writes index.js, worker.js and doorstep.wasm of the package in source (the
// folder client-sdk/ts, with its node_modules) to the folder out.
func Build(source, out string) error {
	if err := os.MkdirAll(out, 0o755); err != nil {
		return fmt.Errorf("build the client: %w", err)
	}
	if err := Wasm(source, filepath.Join(out, "doorstep.wasm")); err != nil {
		return err
	}
	goCode, err := goStart()
	if err != nil {
		return err
	}
	for entry, file := range map[string]string{"src/index.ts": "index.js", "src/worker/main.ts": "worker.js"} {
		if err := script(filepath.Join(source, entry), filepath.Join(out, file), goCode); err != nil {
			return err
		}
	}
	return nil
}

// Install has npm fetch what the package in source is built from, unless it is there
// in the versions that the package names. It goes by the lock file alone. Several may
// call it at once: each installs beside, and the first puts its own in place.
func Install(source string) error {
	modules := filepath.Join(source, "node_modules")
	if upToDate(source) {
		return nil
	}
	beside, err := os.MkdirTemp(source, ".npm-")
	if err != nil {
		return fmt.Errorf("npm ci: %w", err)
	}
	defer os.RemoveAll(beside)
	for _, name := range []string{"package.json", "package-lock.json"} {
		content, err := os.ReadFile(filepath.Join(source, name))
		if err == nil {
			err = os.WriteFile(filepath.Join(beside, name), content, 0o644)
		}
		if err != nil {
			return fmt.Errorf("npm ci: %w", err)
		}
	}
	cmd := exec.Command("npm", "ci", "--silent", "--no-audit", "--no-fund", "--ignore-scripts")
	cmd.Dir = beside
	if said, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("npm ci: %w: %s", err, said)
	}
	_ = os.Rename(modules, filepath.Join(beside, "older")) // there may be none
	if err := os.Rename(filepath.Join(beside, "node_modules"), modules); err != nil && !upToDate(source) {
		return fmt.Errorf("npm ci: %w", err)
	}
	return nil
}

// upToDate reports whether what the package in source names is there, in the versions
// that it names.
func upToDate(source string) bool {
	type manifest struct {
		Version         string            `json:"version"`
		Dependencies    map[string]string `json:"dependencies"`
		DevDependencies map[string]string `json:"devDependencies"`
	}
	read := func(folder string) (m manifest, err error) {
		text, err := os.ReadFile(filepath.Join(folder, "package.json"))
		if err == nil {
			err = json.Unmarshal(text, &m)
		}
		return m, err
	}
	own, err := read(source)
	if err != nil {
		return false
	}
	for _, list := range []map[string]string{own.Dependencies, own.DevDependencies} {
		for name, version := range list {
			if there, err := read(filepath.Join(source, "node_modules", name)); err != nil || there.Version != version {
				return false
			}
		}
	}
	return true
}

// Wasm writes the engine as WebAssembly to the file out. source is any folder of this
// module.
func Wasm(source, out string) error {
	out, err := filepath.Abs(out)
	if err != nil {
		return fmt.Errorf("build the engine: %w", err)
	}
	cmd := exec.Command("go", append(append([]string{"build"}, WasmFlags()...), "-o", out, "doorstep/client-sdk/wasm")...)
	cmd.Dir, cmd.Env = source, append(os.Environ(), "GOOS=js", "GOARCH=wasm")
	if said, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("build the engine: %w: %s", err, said)
	}
	return nil
}

// goStart returns the Go distribution's own code that starts a module.
func goStart() (string, error) {
	root, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		return "", fmt.Errorf("find Go's start-up code: %w", err)
	}
	code, err := os.ReadFile(filepath.Join(strings.TrimSpace(string(root)), "lib", "wasm", "wasm_exec.js"))
	if err != nil {
		return "", fmt.Errorf("find Go's start-up code: %w", err)
	}
	return string(code), nil
}

// script bundles one module for browsers that have all that the client needs.
func script(entry, out, goCode string) error {
	result := api.Build(api.BuildOptions{
		EntryPoints: []string{entry}, Outfile: out, Write: true, Bundle: true,
		Format: api.FormatESModule, Platform: api.PlatformBrowser, Target: api.ES2022, Charset: api.CharsetUTF8, External: []string{"node:*"},
		MinifySyntax: true, MinifyWhitespace: true, LegalComments: api.LegalCommentsInline,
		Plugins: []api.Plugin{{Name: "go", Setup: func(b api.PluginBuild) {
			b.OnResolve(api.OnResolveOptions{Filter: "^go:wasm_exec$"}, func(api.OnResolveArgs) (api.OnResolveResult, error) {
				return api.OnResolveResult{Path: "wasm_exec", Namespace: "go", SideEffects: api.SideEffectsTrue}, nil
			})
			b.OnLoad(api.OnLoadOptions{Filter: ".*", Namespace: "go"}, func(api.OnLoadArgs) (api.OnLoadResult, error) {
				code := "/*! Copyright The Go Authors, BSD licence: https://go.dev/LICENSE */\n" + goCode
				return api.OnLoadResult{Contents: &code, Loader: api.LoaderJS}, nil
			})
		}}},
	})
	var errs []error
	for _, m := range result.Errors {
		errs = append(errs, errors.New(m.Text))
	}
	if len(errs) > 0 {
		return fmt.Errorf("bundle %s: %w", filepath.Base(entry), errors.Join(errs...))
	}
	return nil
}
