package server

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"doorstep/server/internal/disk"
	"doorstep/server/internal/erasure"
	"doorstep/server/internal/journal"
	"doorstep/server/internal/keyring"
	"doorstep/server/internal/progress"
	"doorstep/server/internal/secondcopy"
)

// CopyStatus says how the second copy stands.
type CopyStatus = secondcopy.Status

// ErrNoCopy says that the configuration names no second copy.
var ErrNoCopy = errors.New("the configuration has no data.copy_dir")

// ErrBehind says that the second copy may lack what the damaged data had. Nothing
// was changed.
var ErrBehind = errors.New("the second copy may lack what the damaged file had")

// copiedJournals are the folders of the journals that are copied; the first is the
// one that holds the words.
func copiedJournals() []string { return []string{journalFolder, accessFolder} }

// copiedFiles are small files that are copied: what was erased must not come back.
func copiedFiles() []string { return []string{erasure.ListName} }

func (c Config) copyFolders() (secondcopy.Folders, error) {
	if c.Data.CopyDir == "" {
		return secondcopy.Folders{}, ErrNoCopy
	}
	return secondcopy.Folders{FS: disk.Local{}, Data: c.Data.Dir, Copy: c.Data.CopyDir}, nil
}

// openCopy begins to keep the second copy. It runs once journal and keys are open,
// and never keeps a start from going on: where there is no copy, words are stored.
// Who only looks at the data keeps none; the next server catches up.
func (b *borough) openCopy(bool) error {
	if b.cfg.Data.CopyDir == "" || !b.serving {
		return nil
	}
	if sameDisk(b.cfg.Data.Dir, b.cfg.Data.CopyDir) {
		b.log.Warn("data.copy_dir is on the disk that the data is on: the second copy does not outlive that disk")
	}
	b.copy = secondcopy.Start(secondcopy.Config{
		Journals: []secondcopy.Followed{{Name: journalFolder, Journal: b.journal.J}, {Name: accessFolder, Journal: b.accessJournal}},
		Keys:     b.keys.Ring, Data: b.cfg.Data.Dir, Files: copiedFiles(), Dir: b.cfg.Data.CopyDir, FS: disk.Local{}, MinFreeBytes: b.minFree(), Log: b.log,
	})
	b.onClose("second copy", b.copy.Stop)
	return nil
}

// copied is what exchange is told of the second copy; nil: there is none.
func (b *borough) copied() func() uint64 {
	if b.copy == nil {
		return nil
	}
	return func() uint64 { return uint64(b.copy.Copied()) }
}

// copies is how many disks come to hold a change.
func (b *borough) copies() int {
	if b.copy == nil {
		return 1
	}
	return 2
}

// sameDisk reports whether two folders are surely on one disk. The second may not
// be there yet.
func sameDisk(data, other string) bool {
	here, err := os.Stat(data)
	if err != nil {
		return false
	}
	for {
		there, err := os.Stat(other)
		if err == nil {
			x, ok := here.Sys().(*syscall.Stat_t)
			y, same := there.Sys().(*syscall.Stat_t)
			return ok && same && x.Dev == y.Dev
		}
		if other == filepath.Dir(other) {
			return false
		}
		other = filepath.Dir(other)
	}
}

// mended runs an opening, and once more if it met damage that the second copy could
// make good. It says so loudly; nothing is ever mended in silence, nor by somebody
// who only looks.
func (b *borough) mended(what string, open func() error, repair func(secondcopy.Folders) ([]secondcopy.Repaired, error)) error {
	err := open()
	if err == nil || !errors.Is(err, journal.ErrDamaged) {
		return err
	}
	in, none := b.cfg.copyFolders()
	if none != nil || !b.serving {
		return err
	}
	b.log.Error("damage was found at the start; it is repaired from the second copy", "code", "damage_found", "what", what, "reason", err.Error())
	done, failed := repair(in)
	b.tellRepaired(done)
	if failed != nil {
		return errors.Join(err, fmt.Errorf("repairing it from the second copy: %w", failed))
	}
	return open()
}

func (b *borough) tellRepaired(done []secondcopy.Repaired) {
	for _, r := range done {
		b.log.Error("a damaged file was written anew from the second copy: find out why it rotted, and replace the disk",
			"code", "damage_repaired", "file", r.File, "kept", r.Kept)
	}
}

// repairJournal repairs a journal. An epoch that was lost is made up for once it is
// open: see settleEpochs.
func (b *borough) repairJournal(name string) func(secondcopy.Folders) ([]secondcopy.Repaired, error) {
	return func(in secondcopy.Folders) ([]secondcopy.Repaired, error) {
		done, newEpoch, err := in.RepairJournal(name)
		b.epochLost = b.epochLost || newEpoch && name == journalFolder
		return done, err
	}
}

func repairKeys(in secondcopy.Folders) ([]secondcopy.Repaired, error) {
	r, err := in.RepairKeys()
	if err != nil {
		return nil, err
	}
	return []secondcopy.Repaired{r}, nil
}

// repairSegment is the scrub's way of repairing a segment while it is served.
func (b *borough) repairSegment(name, segment string) func(error) error {
	if b.copy == nil {
		return nil
	}
	return func(error) error {
		kept, err := b.copy.RepairSegment(name, segment)
		if err == nil {
			b.tellRepaired([]secondcopy.Repaired{{File: filepath.Join(name, segment), Kept: kept}})
		}
		return err
	}
}

// RepairOptions say how Repair goes about it.
type RepairOptions struct {
	// FromCopy takes the second copy in place of what is in the folder of the data,
	// which is kept aside.
	FromCopy bool
}

// RepairDone says what Repair did.
type RepairDone struct {
	Files    []string // that were written anew; the damaged ones are kept beside them
	Kept     []string // folders that were moved aside
	Restored bool     // the data was begun from the copy, in a new epoch
	Entries  uint64
	Verified Verified
}

// Repair makes damaged data good from the second copy, or begins it from there where
// it is lost, and verifies everything. No server may be running. Where the copy may
// lack something that the damaged file had, it changes nothing and answers
// ErrBehind: then FromCopy takes what the copy has, and tablets give back the rest.
func Repair(ctx context.Context, cfg Config, opt RepairOptions, report func(string), logs io.Writer) (out RepairDone, err error) {
	in, err := cfg.copyFolders()
	if err != nil {
		return out, err
	}
	in.FS = measuredRepair(ctx, in)
	dir := cfg.Data.Dir
	lost := !exists(filepath.Join(dir, journalFolder)) && !exists(filepath.Join(dir, keysFolder))
	if opt.FromCopy && !lost {
		if out.Kept, err = setDataAside(dir); err != nil {
			return out, err
		}
		lost = true
	}
	if lost {
		err = beginFromCopy(in, report, &out)
	} else {
		err = repairFiles(in, report, &out)
	}
	if err != nil {
		return out, named(err)
	}
	report("verifying everything")
	out.Verified, err = Verify(ctx, cfg, nil, report, logs)
	return out, err
}

// measuredRepair is the file system of a repair that tells how much of the journals was
// read, of the data if there is any and else of its copy. Damage is looked for once more
// after each repair: then what it says stays at the end.
func measuredRepair(ctx context.Context, in secondcopy.Folders) disk.FS {
	var bytes int64
	for _, name := range copiedJournals() {
		n, err := journal.SizeOf(in.FS, filepath.Join(in.Data, name))
		if err != nil || n == 0 {
			n, _ = journal.SizeOf(in.FS, filepath.Join(in.Copy, name)) // what is not there is said by the repair
		}
		bytes += n
	}
	stage := progress.Begin(ctx, "reading journals", progress.Bytes, bytes)
	return disk.Watched(in.FS, func(n int) error {
		stage.Add(int64(n))
		return ctx.Err()
	})
}

// repairFiles repairs what is damaged, file by file.
func repairFiles(in secondcopy.Folders, report func(string), out *RepairDone) error {
	tell := func(done []secondcopy.Repaired) {
		for _, r := range done {
			out.Files = append(out.Files, r.File)
			report(fmt.Sprintf("%s was written anew from the second copy; what was damaged is kept as %s", r.File, r.Kept))
		}
	}
	if _, err := keyring.ReadStore(filepath.Join(in.Data, keysFolder)); errors.Is(err, keyring.ErrDamaged) {
		done, err := repairKeys(in)
		tell(done)
		if err != nil {
			return fmt.Errorf("repairing the key store: %w", err)
		}
	}
	for _, name := range copiedJournals() {
		if !exists(filepath.Join(in.Data, name)) {
			continue
		}
		done, newEpoch, err := in.RepairJournal(name)
		tell(done)
		if errors.Is(err, secondcopy.ErrNone) && name != journalFolder {
			continue
		}
		if err == nil && newEpoch {
			err = beginEpochAfterRepair(filepath.Join(in.Data, name))
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// reasonRepaired is why an epoch begins after the file of the epochs was repaired.
const reasonRepaired = "the epochs were repaired from the second copy"

func beginEpochAfterRepair(dir string) error {
	j, err := journal.Open(dir, journal.Options{Existing: true, Quick: true})
	if err != nil {
		return err
	}
	return errors.Join(j.BeginEpoch(journal.WhyRepaired, reasonRepaired), j.Close())
}

// beginFromCopy writes the data from the copy, aside first, and then puts it in
// place, the journal last: what is interrupted can be run again.
func beginFromCopy(in secondcopy.Folders, report func(string), out *RepairDone) error {
	part := filepath.Join(in.Data, restoreFolder)
	if err := errors.Join(os.RemoveAll(part), os.MkdirAll(part, 0o700)); err != nil {
		return fmt.Errorf("making room: %w", err)
	}
	aside := in
	aside.Data = part
	head, err := aside.Restore(copiedJournals(), copiedFiles(), "the data was lost and was begun from its second copy")
	if err != nil {
		return err
	}
	for _, name := range append(copiedFiles(), keysFolder, accessFolder, journalFolder) {
		if !exists(filepath.Join(part, name)) {
			continue
		}
		if err := os.Rename(filepath.Join(part, name), filepath.Join(in.Data, name)); err != nil {
			return fmt.Errorf("putting %s in place: %w", name, err)
		}
	}
	out.Restored, out.Entries = true, uint64(head)
	report(fmt.Sprintf("the data was begun from its second copy: %d entries, in a new epoch", head))
	return os.RemoveAll(part)
}

// setDataAside moves what a copy is to take the place of out of the way.
func setDataAside(dir string) (kept []string, err error) {
	suffix := ".aside-" + time.Now().UTC().Format("20060102T150405")
	for _, name := range []string{journalFolder, keysFolder, accessFolder} {
		path := filepath.Join(dir, name)
		if !exists(path) {
			continue
		}
		if err := os.Rename(path, path+suffix); err != nil {
			return kept, fmt.Errorf("moving %s aside: %w", name, err)
		}
		kept = append(kept, name+suffix)
	}
	return kept, nil
}
