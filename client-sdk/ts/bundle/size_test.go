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
	said, err := brotli(out).Output()
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

// brotli prints how many bytes a file takes under brotli 11. Node's is the quicker of
// two that agree.
func brotli(file string) *exec.Cmd {
	cmd := exec.Command("go", "run", "doorstep/syncproto/testdata/brotli", file)
	if node, err := exec.LookPath("node"); err == nil {
		cmd = exec.Command(node, "-e", `const z = require("zlib"), b = require("fs").readFileSync(process.argv[1]), c = z.constants;
			console.log(z.brotliCompressSync(b, {params: {[c.BROTLI_PARAM_QUALITY]: 11, [c.BROTLI_PARAM_LGWIN]: 24}}).length)`, file)
	}
	cmd.Stderr = os.Stderr
	return cmd
}
