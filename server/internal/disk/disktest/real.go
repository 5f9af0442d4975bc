package disktest

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
)

// CopyTree copies the files of a folder of a real disk, without writing the zeros that they
// end with, of which badger's logs have megabytes.
func CopyTree(t testing.TB, from, to string) {
	t.Helper()
	err := filepath.WalkDir(from, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name, err := filepath.Rel(from, path)
		if err == nil && d.IsDir() {
			return os.MkdirAll(filepath.Join(to, name), 0o700)
		}
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		content, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		copied := filepath.Join(to, name)
		return errors.Join(os.WriteFile(copied, content[:written(content)], 0o600), os.Truncate(copied, int64(len(content))))
	})
	if err != nil {
		t.Fatal(err)
	}
}

// DamageFile flips a bit of a file of a real disk or cuts the file, somewhere in what was
// written of it, and says which.
func DamageFile(t testing.TB, path string, chance *rand.Rand) string {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	at, bit := chance.IntN(max(1, written(content))), chance.IntN(8)
	what := fmt.Sprintf("bit %d of byte %d", bit, at)
	switch {
	case len(content) == 0:
		return "nothing: it is empty"
	case chance.IntN(4) == 0:
		content, what = content[:at], fmt.Sprintf("cut to %d bytes", at)
	default:
		content[at] ^= 1 << bit
	}
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	return what
}

// written is how much of a file there is before the zeros at its end: millions of them, which
// are compared by the page.
func written(content []byte) int {
	page, n := make([]byte, 4096), len(content)
	for n >= len(page) && bytes.Equal(content[n-len(page):n], page) {
		n -= len(page)
	}
	return len(bytes.TrimRight(content[:n], "\x00"))
}
