package bundle

import (
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// maxShippedBytes bounds the engine as a tablet downloads it, under brotli 11, with
// every record kind's words in it. Most of it, 440,000, is the Go runtime.
const maxShippedBytes = 900_000

// TestShippedSize builds the module that a browser loads, and measures it.
func TestShippedSize(t *testing.T) {
	out := filepath.Join(t.TempDir(), "doorstep.wasm")
	if err := Wasm(".", out); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("go", "run", "doorstep/syncproto/testdata/brotli", out)
	cmd.Stderr = os.Stderr
	said, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	size, err := strconv.Atoi(strings.TrimSpace(string(said)))
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("shipped: %d bytes under brotli 11", size)
	if size > maxShippedBytes {
		t.Errorf("got %d bytes, want at most %d", size, maxShippedBytes)
	}
}
