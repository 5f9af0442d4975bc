// Package indexfiles says whether the files that badger left are sound, before badger sees them.
//
// Badger checks a table's block when it reads it, and that is too late: over some damage it ends the process, from a
// goroutine of its own or by way of log.Fatal, at every start; and a compaction that meets a bad block leaves out the rest
// of the table without a word. So every byte of every live table is held against its checksum first, the MANIFEST must be
// whole, and the write-ahead logs must go on where the tables end, version by version: a hole between them, as a cut in the
// wrong place leaves it, would show as rows that were never there.
//
// What Check passes is all that was written up to some moment: the newest log may end early, as after a power cut, and
// what it lacks is applied again from the journal. The package knows version 8 of badger's MANIFEST, as badger v4 writes
// it, without encryption, compression or values in the value log.
package indexfiles

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"

	"doorstep/server/internal/disk"
)

// ErrDamaged says that a file is not as badger writes it.
var ErrDamaged = errors.New("the files of the index are damaged")

const (
	manifestName = "MANIFEST"
	tableSuffix  = ".sst"
	logSuffix    = ".mem"
	readers      = 2 // tables at once: the disk is what takes time
	// manifestLooks is how often a MANIFEST in use is read once more that looks damaged, as it may while badger adds a line.
	manifestLooks = 8
)

func damaged(file, format string, args ...any) error {
	return fmt.Errorf("%w: %s: %s", ErrDamaged, file, fmt.Sprintf(format, args...))
}

// Check reads the files of an index that no process has open. It changes nothing but the newest log, which it ends after
// its last whole transaction, or removes where it has no byte. A folder without a MANIFEST, in which
// badger would begin anew, passes if it has no tables either. The error is an ErrDamaged, or what the disk answered.
func Check(dir string) error {
	live, err := readManifest(filepath.Join(dir, manifestName))
	begun := !errors.Is(err, fs.ErrNotExist)
	if err != nil && begun {
		return err
	}
	names, err := disk.Local{}.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("listing the index: %w", err)
	}
	if !begun {
		return checkUnbegun(names)
	}
	newest, err := checkTables(dir, live)
	if err != nil {
		return err
	}
	return checkLogs(dir, names, newest)
}

func checkUnbegun(names []string) error {
	for _, name := range names {
		if strings.HasSuffix(name, tableSuffix) {
			return damaged(manifestName, "it is missing, and there are tables")
		}
	}
	return nil
}

// CheckTables is the part of Check that may be asked beside badger: the tables that the MANIFEST named before they are
// looked at, each against its sums. Tables come and go meanwhile; one that is not in the MANIFEST yet is still being
// written.
func CheckTables(dir string, through disk.FS) error {
	live, err := readManifest(filepath.Join(dir, manifestName))
	for again := 0; errors.Is(err, ErrDamaged) && again < manifestLooks; again++ {
		live, err = readManifest(filepath.Join(dir, manifestName))
	}
	if err != nil {
		return fmt.Errorf("listing the index: %w", err)
	}
	for _, id := range live {
		path := filepath.Join(dir, tableName(id))
		_, err := checkTable(through, path)
		if err == nil || errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if _, gone := os.Stat(path); errors.Is(gone, fs.ErrNotExist) {
			continue // it was removed while it was read
		}
		return err
	}
	return nil
}

// checkTables reads the live tables and answers the newest version in any of them.
func checkTables(dir string, live []uint64) (newest uint64, err error) {
	var (
		mu   sync.Mutex // guards newest and err
		work = make(chan uint64)
		done sync.WaitGroup
	)
	for range readers {
		done.Go(func() {
			for id := range work {
				version, bad := checkTable(disk.Local{}, filepath.Join(dir, tableName(id)))
				mu.Lock()
				newest, err = max(newest, version), errors.Join(err, bad)
				mu.Unlock()
			}
		})
	}
	for _, id := range live {
		work <- id
	}
	close(work)
	done.Wait()
	if errors.Is(err, fs.ErrNotExist) {
		err = damaged(manifestName, "it names tables that are missing: %v", err)
	}
	return newest, err
}

func tableName(id uint64) string { return fmt.Sprintf("%06d%s", id, tableSuffix) }

// checkLogs holds that the logs go on, without a hole, from a version that the tables have.
func checkLogs(dir string, names []string, newest uint64) error {
	logs, err := logNames(names)
	if err != nil {
		return err
	}
	for i, name := range logs {
		b, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			return fmt.Errorf("reading a log of the index: %w", err)
		}
		if len(b) == 0 && i == len(logs)-1 {
			return removeLog(filepath.Join(dir, name))
		}
		seen, err := readLog(name, b)
		if err != nil {
			return err
		}
		if !seen.whole {
			if i < len(logs)-1 {
				return damaged(name, "it ends early, and there is a newer log")
			}
			if err := cutLog(filepath.Join(dir, name), seen.end); err != nil {
				return err
			}
		}
		if seen.first > newest+1 {
			return damaged(name, "it begins with version %d, and what is before ends with %d", seen.first, newest)
		}
		newest = max(newest, seen.last)
	}
	return nil
}

// removeLog removes a log that a process made and was killed before it gave it its size. Badger refuses to open beside it.
func removeLog(path string) error {
	if err := (disk.Local{}).Remove(path); err != nil {
		return fmt.Errorf("removing an unbegun log of the index: %w", err)
	}
	return nil
}

// cutLog ends a log after its last whole transaction, as badger would, which reads on for as long as a length that may be
// damaged says.
func cutLog(path string, end int) error {
	f, err := disk.Local{}.Open(path, disk.ReadWrite)
	if err != nil {
		return fmt.Errorf("opening a log of the index: %w", err)
	}
	if err := errors.Join(f.Truncate(int64(end)), f.Sync(), f.Close()); err != nil {
		return fmt.Errorf("cutting a log of the index: %w", err)
	}
	return nil
}

// logNames lists the logs, oldest first.
func logNames(names []string) ([]string, error) {
	numbers := map[string]int{}
	var logs []string
	for _, name := range names {
		stem, ok := strings.CutSuffix(name, logSuffix)
		if !ok {
			continue
		}
		n, err := strconv.Atoi(stem)
		if err != nil {
			return nil, damaged(name, "this is no name of a log")
		}
		numbers[name] = n
		logs = append(logs, name)
	}
	slices.SortFunc(logs, func(x, y string) int { return numbers[x] - numbers[y] })
	return logs, nil
}

// readWhole reads a stretch of a file.
func readWhole(f disk.File, at, n int64) ([]byte, error) {
	b := make([]byte, n)
	got, err := f.ReadAt(b, at)
	if int64(got) == n || errors.Is(err, io.EOF) {
		return b[:got], nil
	}
	return nil, err
}
