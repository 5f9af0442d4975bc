//go:build !js

package text

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestWasmGivesTheSame runs TestDigests as WebAssembly under node, and expects
// the same lines, byte for byte.
func TestWasmGivesTheSame(t *testing.T) {
	if raceEnabled || testing.Short() {
		t.Skip("compiles the package anew: runs without the race detector")
	}
	node, err := exec.LookPath("node")
	if err != nil {
		t.Skip("node, which runs WebAssembly, is not installed")
	}
	root, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		t.Fatal(err)
	}
	program := filepath.Join(t.TempDir(), "text.wasm")
	build := exec.Command("go", "test", "-c", "-o", program, ".")
	build.Env = append(os.Environ(), "GOOS=js", "GOARCH=wasm")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	start := filepath.Join(strings.TrimSpace(string(root)), "lib", "wasm", "wasm_exec_node.js")
	out, err := exec.Command(node, "--stack-size=8192", start, program, "-test.run=^TestDigests$", "-digests").Output()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	if want := digests(t); !bytes.HasPrefix(out, []byte(want)) {
		t.Errorf("under node:\n%s\nhere:\n%s", out, want)
	}
}
