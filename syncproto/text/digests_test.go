package text

import (
	"crypto/sha256"
	"encoding/hex"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var flagDigests = flag.Bool("digests", false, "print what TestDigests computes")

// TestDigests prints what this build makes of the traces and vectors in the
// tree, for TestWasmGivesTheSame to compare.
func TestDigests(t *testing.T) {
	lines := digests(t)
	if strings.Count(lines, "\n") < 50 {
		t.Errorf("only %q: the traces and vectors are not there", lines)
	}
	if *flagDigests {
		fmt.Fprint(os.Stdout, lines)
	}
}

// digests returns a line for each trace and vector: its name and the SHA-256 of
// its text, encoding, spans and overlaps.
func digests(t *testing.T) string {
	var b strings.Builder
	for _, path := range traceFiles(t, "testdata") {
		for _, tr := range readTraces(t, path) {
			fmt.Fprintf(&b, "%s %s\n", filepath.Base(path), digest(stream(t, tr)))
		}
	}
	for _, v := range readVectors(t) {
		if v.Refuse == "" {
			fmt.Fprintf(&b, "%s %s\n", v.Name, digest(stream(t, v.trace())))
		}
	}
	return b.String()
}

func digest(l *Log) string {
	h := sha256.New()
	fmt.Fprintf(h, "%s\n%x\n%v\n%v\n", l.String(), l.Encode(), l.Spans(), l.Overlaps())
	return hex.EncodeToString(h.Sum(nil))
}
