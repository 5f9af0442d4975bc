package secondcopy

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"

	"doorstep/server/internal/disk"
	"doorstep/server/internal/journal"
	"doorstep/server/internal/keyring"
)

// ErrNone says that there is no copy that could be read.
var ErrNone = errors.New("there is no second copy that could be read")

// RepairSegment writes a damaged segment of a journal anew while that is served. It answers under which name the damaged
// one is kept.
func (c *Copy) RepairSegment(name, segment string) (aside string, err error) {
	c.mu.Lock()
	to := c.open[name]
	c.mu.Unlock()
	i := slices.IndexFunc(c.cfg.Journals, func(f Followed) bool { return f.Name == name })
	if to == nil || i < 0 {
		return "", ErrNone
	}
	return c.cfg.Journals[i].Journal.RepairSegment(segment, to)
}

// Folders are where data that no process has open lies, and its copy.
type Folders struct {
	FS   disk.FS
	Data string
	Copy string
}

// Repaired is a file that was written anew, and the name under which the damaged one is kept; empty for one of which
// nothing was worth keeping.
type Repaired struct{ File, Kept string }

// maxRounds bounds how often a journal is looked at: damage may hide other damage.
const maxRounds = 8

// RepairJournal writes what is damaged of the journal in a folder anew from its copy. newEpoch says that whoever opens the
// journal next must begin an epoch. What was repaired is in the answer even beside an error. Errors: journal.ErrBehind
// where the copy may lack entries that the data had, ErrNone, what the disk answered.
func (f Folders) RepairJournal(name string) (done []Repaired, newEpoch bool, err error) {
	from, err := f.openCopy(name)
	if err != nil {
		return nil, false, err
	}
	defer func() { err = errors.Join(err, from.Close()) }()
	dir := filepath.Join(f.Data, name)
	var before []string
	for range maxRounds {
		damaged, err := journal.Damaged(f.FS, dir)
		if err != nil || len(damaged) == 0 {
			return done, newEpoch, err
		}
		if slices.Equal(damaged, before) {
			break
		}
		before = damaged
		for _, file := range damaged {
			r := Repaired{File: filepath.Join(name, file)}
			if journal.IsEpochs(file) {
				newEpoch = true
				err = journal.RepairEpochs(f.FS, dir, from)
			} else {
				r.Kept, err = journal.Repair(f.FS, dir, file, from)
			}
			if err != nil {
				return done, newEpoch, fmt.Errorf("repairing %s: %w", r.File, err)
			}
			done = append(done, r)
		}
	}
	return done, newEpoch, fmt.Errorf("%s: its damage cannot be repaired file by file: %w", name, journal.ErrDamaged)
}

// openCopy opens the copy of a journal as it is now, with all that is whole in it.
func (f Folders) openCopy(name string) (*journal.Journal, error) {
	j, err := journal.Open(filepath.Join(f.Copy, name), journal.Options{Existing: true, Quick: true, FS: f.FS})
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, journal.ErrMissing) {
		return nil, fmt.Errorf("%s: %w", filepath.Join(f.Copy, name), ErrNone)
	}
	if err != nil {
		return nil, fmt.Errorf("opening the second copy: %w", err)
	}
	return j, nil
}

// RepairKeys puts the copy of the key store in the place of a damaged one. Errors: keyring.ErrBehind where the copy may
// lack keys, what the disk answered.
func (f Folders) RepairKeys() (Repaired, error) {
	kept, err := keyring.Repair(f.FS, filepath.Join(f.Data, KeysFolder), filepath.Join(f.Copy, KeysFolder))
	return Repaired{File: KeysFolder + "/keys", Kept: kept}, err
}

// Restore begins data that is lost from the copy, each journal under a new epoch: what had been copied is in it, and
// tablets give back the rest. Journals but the first, and small files, are passed over where there is no copy of them.
func (f Folders) Restore(journals, files []string, reason string) (head journal.Position, err error) {
	store, err := keyring.ReadStore(filepath.Join(f.Copy, KeysFolder))
	if err != nil {
		return 0, fmt.Errorf("%w: %w", ErrNone, err)
	}
	for i, name := range journals {
		at, err := f.restoreJournal(name, reason)
		if errors.Is(err, ErrNone) && i > 0 {
			continue
		}
		if err != nil {
			return 0, err
		}
		if i == 0 {
			head = at
		}
	}
	return head, errors.Join(keyring.WriteStore(filepath.Join(f.Data, KeysFolder), store), f.restoreFiles(files))
}

func (f Folders) restoreFiles(files []string) error {
	for _, name := range files {
		b, err := disk.ReadFile(f.FS, filepath.Join(f.Copy, name), maxFileBytes)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err == nil {
			err = disk.Replace(f.FS, filepath.Join(f.Data, name), b)
		}
		if err != nil {
			return fmt.Errorf("restoring %s: %w", name, err)
		}
	}
	return nil
}

func (f Folders) restoreJournal(name, reason string) (head journal.Position, err error) {
	from, err := f.openCopy(name)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, from.Close()) }()
	head, _ = from.Head()
	return head, journal.Restore(from, filepath.Join(f.Data, name), reason, journal.Options{FS: f.FS})
}
