package endtoend

import (
	"flag"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"doorstep/server"
)

var (
	flips     = flag.Int("flips", 40, "how many times a real server's files are damaged")
	flipsSeed = flag.Uint64("flips.seed", 1, "of the places that are damaged")
)

// TestFault79RealServersFilesDamaged flips a bit of, or cuts, one of a real server's
// files and starts it: it stops and says why, then or when everything is read
// through; or every change and record is there, and as its changes add up. The
// index is left out: badger ends the process, by a panic in a goroutine of its own,
// over some damage to its tables, which a test in this process does not outlive.
func TestFault79RealServersFilesDamaged(t *testing.T) {
	b, worker, _, family := cutFixture(t)
	words := prose(t)
	for n := range 3 {
		worker.day(family, n, words)
		worker.syncs()
	}
	b.stop()
	want, err := server.Verify(t.Context(), b.cfg, nil, func(string) {}, io.Discard)
	if err != nil || want.Changes == 0 || want.Records == 0 {
		t.Fatalf("the data that is to be damaged: %+v, %v", want, err)
	}
	seen := map[string]int{}
	for n := range *flips {
		chance := rand.New(rand.NewPCG(*flipsSeed, uint64(n)))
		cfg := b.cfg
		dir, err := os.MkdirTemp("", "doorstep") // t.TempDir is too long for a unix socket
		if err != nil {
			t.Fatal(err)
		}
		cfg.Data.Dir = filepath.Join(dir, "data")
		copyFolder(t, b.cfg.Data.Dir, cfg.Data.Dir)
		what := damageOne(t, cfg.Data.Dir, chance)
		got, err := startedAndRead(t, cfg)
		switch {
		case err != nil:
			seen["stopped"]++
			t.Logf("seed %d, damage %d, %s: %v", *flipsSeed, n, what, err)
		case got.Changes != want.Changes || got.Records != want.Records:
			t.Errorf("seed %d, damage %d, %s: %d changes of %d and %d records of %d are left, and nobody said so",
				*flipsSeed, n, what, got.Changes, want.Changes, got.Records, want.Records)
		default:
			seen["read right"]++
		}
		if err := os.RemoveAll(dir); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("seed %d: of %d damages %v", *flipsSeed, *flips, seen)
}

// startedAndRead opens a server, closes it and reads all that it has.
func startedAndRead(t *testing.T, cfg server.Config) (server.Verified, error) {
	t.Helper()
	s, err := server.Open(cfg, io.Discard)
	if err != nil {
		return server.Verified{}, err
	}
	if err := s.Close(); err != nil {
		return server.Verified{}, err
	}
	return server.Verify(t.Context(), cfg, nil, func(string) {}, io.Discard)
}

// damageOne damages one file that is not empty, all being as likely, and says how.
func damageOne(t *testing.T, dir string, chance *rand.Rand) string {
	t.Helper()
	var paths []string
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.IsDir() && d.Name() == "index" {
			return fs.SkipDir
		}
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		info, err := d.Info()
		if err == nil && info.Size() > 0 {
			paths = append(paths, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	path := paths[chance.IntN(len(paths))]
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	name, _ := filepath.Rel(dir, path)
	at := chance.IntN(len(content))
	what := fmt.Sprintf("%s cut to %d bytes", name, at)
	if chance.IntN(4) == 0 {
		content = content[:at]
	} else {
		bit := chance.IntN(8)
		content[at] ^= 1 << bit
		what = fmt.Sprintf("bit %d of byte %d of %s", bit, at, name)
	}
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	return what
}
