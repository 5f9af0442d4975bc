package syncproto_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// maxWasmBytes bounds the engine and the core as js/wasm under brotli 11, what
// a tablet downloads. It only ever goes down; 900,000 is what the design allows.
const maxWasmBytes = 840_000

// browserFlags are how the core is built for the browser (client-sdk/README.md).
// Where a call costs nothing beside what it does, it is not inlined: that saves
// 4 % of the download. In text and cbor, where time is spent, it stays.
var browserFlags = []string{"-trimpath", "-ldflags=-s -w", "-gcflags=doorstep/client-sdk/engine=-l", "-gcflags=doorstep/syncproto=-l",
	"-gcflags=doorstep/syncproto/schema=-l"}

// pure are the packages that are built for the browser.
var pure = []string{
	"doorstep/syncproto", "doorstep/syncproto/cbor", "doorstep/syncproto/schema",
	"doorstep/syncproto/sorting", "doorstep/syncproto/text", "doorstep/client-sdk/engine",
}

// goWasm runs the go command for js/wasm and returns what it printed.
func goWasm(t *testing.T, args ...string) string {
	t.Helper()
	return goCommand(t, []string{"GOOS=js", "GOARCH=wasm"}, args...)
}

func goCommand(t *testing.T, env []string, args ...string) string {
	t.Helper()
	cmd := exec.Command("go", args...)
	cmd.Env = append(os.Environ(), env...)
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go %s: %v\n%s", strings.Join(args, " "), err, stderr.String())
	}
	return string(out)
}

// TestPurePackagesImportOnly lists all that the pure packages may import
// themselves: no clock, no chance, no file, no network.
func TestPurePackagesImportOnly(t *testing.T) {
	allowed := map[string]string{
		"bytes": "", "cmp": "", "errors": "", "slices": "", "sort": "", "strconv": "", "strings": "",
		"unicode": "", "unicode/utf8": "", "math/bits": "", "hash/crc32": "",
		"crypto/sha256": "the id of a change",
		"maps":          "", "iter": "",
		"unsafe": "texts that share the memory of what they were read from",
	}
	for _, line := range strings.Split(goWasm(t, append([]string{"list", "-f", "{{.ImportPath}}{{range .Imports}} {{.}}{{end}}"}, pure...)...), "\n") {
		words := strings.Fields(line)
		for i, imported := range words {
			if _, ok := allowed[imported]; !ok && i > 0 && !strings.HasPrefix(imported, "doorstep/") {
				t.Errorf("%s imports %s", words[0], imported)
			}
		}
	}
}

// TestPurePackagesDoNotLink names what must not be linked, not even by what they
// import. os and time cannot be kept out: crypto/sha256 brings them.
func TestPurePackagesDoNotLink(t *testing.T) {
	banned := map[string]string{
		"fmt":             "links reflect, 100 KB",
		"reflect":         "keeps every method of every type",
		"encoding/json":   "300 KB, and it alters words",
		"encoding/binary": "links reflect",
		"net":             "the core has no network",
		"net/http":        "the core has no network",
		"crypto/ecdsa":    "checking a signature is a port",
		"crypto/elliptic": "checking a signature is a port",
		"crypto/rand":     "chance comes in as an argument",
		"math/rand":       "chance comes in as an argument",
		"math/big":        "100 KB",
		"log":             "the core does not log",
		"log/slog":        "the core does not log",
		"regexp":          "100 KB",
	}
	for _, dep := range strings.Fields(goWasm(t, append([]string{"list", "-deps"}, pure...)...)) {
		if why, ok := banned[dep]; ok {
			t.Errorf("%s is linked: %s", dep, why)
		}
	}
}

// TestWasmSize measures what a tablet downloads. For comparison: a Go program
// that writes one line is 499 KB.
func TestWasmSize(t *testing.T) {
	out := filepath.Join(t.TempDir(), "device.wasm")
	goWasm(t, append(append([]string{"build"}, browserFlags...), "-o", out, "./testdata/device")...)
	size, err := strconv.Atoi(strings.TrimSpace(goCommand(t, nil, "run", "./testdata/brotli", out)))
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("engine and core: %d bytes under brotli 11", size)
	if size > maxWasmBytes {
		t.Errorf("got %d bytes, want at most %d", size, maxWasmBytes)
	}
}
