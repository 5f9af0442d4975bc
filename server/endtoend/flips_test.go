package endtoend

import (
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"doorstep/server/internal/disk/disktest"
)

var (
	flips     = flag.Int("flips", 20, "how many times a real server's files are damaged")
	flipsSeed = flag.Uint64("flips.seed", 1, "of the places that are damaged")
)

// TestFault79RealServersFilesDamaged flips a bit of, or cuts, one of the files of a
// real server, a program of its own, and starts it: it stops and says why, then or
// when everything is read through; or every change and record is there, and as its
// changes add up.
func TestFault79RealServersFilesDamaged(t *testing.T) {
	t.Parallel()
	p, l := newProcess(t, caseload{workers: 2, families: 1, plans: true})
	worker := newTablet(t, p, 0, 1)
	worker.syncs()
	words, family := prose(t), worker.families()[0]
	for n := range 3 {
		worker.day(family, n, words)
		worker.syncs()
	}
	p.end(l, syscall.SIGTERM)
	l = p.begin() // a second run, which is killed: there is a log beside the tables
	p.serving(l)
	worker.day(family, 3, words)
	worker.syncs()
	p.end(l, syscall.SIGKILL)

	sound := filepath.Join(t.TempDir(), "sound")
	disktest.CopyTree(t, p.cfg.Data.Dir, sound)
	want, err := p.verified()
	if err != nil || want.changes == 0 || want.records == 0 {
		t.Fatalf("the data that is to be damaged: %+v, %v", want, err)
	}
	seen := map[string]int{}
	for n := range *flips {
		chance := rand.New(rand.NewPCG(*flipsSeed, uint64(n)))
		if err := os.RemoveAll(p.cfg.Data.Dir); err != nil {
			t.Fatal(err)
		}
		disktest.CopyTree(t, sound, p.cfg.Data.Dir)
		what := damageOne(t, p.cfg.Data.Dir, chance)
		got, said, err := p.startedAndRead()
		switch {
		case err != nil && !named(err.Error()):
			t.Errorf("seed %d, damage %d, %s: it stopped, and did not say why: %v", *flipsSeed, n, what, err)
		case err != nil:
			seen["stopped"]++
			t.Logf("seed %d, damage %d, %s: %v", *flipsSeed, n, what, err)
		case got != want:
			t.Errorf("seed %d, damage %d, %s: %d changes of %d and %d records of %d are left, and nobody said so",
				*flipsSeed, n, what, got.changes, want.changes, got.records, want.records)
		case strings.Contains(said, "index_rebuilt"):
			seen["index built anew"]++
		default:
			seen["read right"]++
		}
	}
	t.Logf("seed %d: of %d damages %v", *flipsSeed, *flips, seen)
}

// named says whether a server that stopped said what is wrong: damage, and where.
func named(words string) bool {
	return strings.Contains(words, "damage") && !strings.Contains(words, "panic:") && !strings.Contains(words, "goroutine ")
}

// startedAndRead starts the program, ends it and has the program read all that it has.
// said is its log, without everyday lines.
func (p *process) startedAndRead() (got held, said string, err error) {
	p.t.Helper()
	l := p.begin()
	if _, serves := <-l.said; !serves {
		<-l.ended
		p.now = nil
		_ = l.cmd.Wait() // it says what its log says
		return got, l.last.String(), errors.New(l.last.String())
	}
	p.end(l, syscall.SIGTERM)
	got, err = p.verified()
	return got, l.last.String(), err
}

// held is how much a server's data holds.
type held struct{ changes, records int }

// verified has the program check and count all data. It fails with what the program says.
func (p *process) verified() (out held, err error) {
	p.t.Helper()
	said, err := exec.CommandContext(p.t.Context(), p.binary, "verify", "--config", p.file).CombinedOutput()
	if err != nil {
		return out, fmt.Errorf("%w: %s", err, said)
	}
	_, counts, agrees := strings.Cut(string(said), "The index agrees: ")
	if _, err := fmt.Sscanf(counts, "%d changes, %d records.", &out.changes, &out.records); err != nil || !agrees {
		p.t.Fatalf("doorstep verify said: %s", said)
	}
	return out, nil
}

// damageOne damages one file that is not empty, all being as likely, and says how.
func damageOne(t *testing.T, dir string, chance *rand.Rand) string {
	t.Helper()
	var paths []string
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
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
	name, err := filepath.Rel(dir, path)
	if err != nil {
		t.Fatal(err)
	}
	return name + ", " + disktest.DamageFile(t, path, chance)
}
