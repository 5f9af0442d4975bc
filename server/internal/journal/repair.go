package journal

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"doorstep/server/internal/chain"
	"doorstep/server/internal/disk"
)

// repairGroupBytes is how much of a repaired segment is written by one group.
const repairGroupBytes = 1 << 20

// ErrBehind says that the second copy does not surely hold everything that the damaged segment held. Nothing was changed.
var ErrBehind = errors.New("the second copy may lack entries that the damaged segment had")

// Repair writes a damaged segment of a journal that nobody has open anew from a copy, and keeps the damaged one under the
// name that it answers. The last segment is repaired only if the copy holds all that the mark and the headers of its
// groups tell of: else it answers ErrBehind. Whatever fails, the segment is as it was. Open verifies the result.
func Repair(fsys disk.FS, dir, segment string, from *Journal) (aside string, err error) {
	lock, err := fsys.Lock(filepath.Join(dir, lockName))
	if err != nil {
		return "", fmt.Errorf("locking the journal: %w", err)
	}
	defer func() { err = errors.Join(err, lock.Close()) }()
	r := repairing{fsys: fsys, dir: dir, segment: segment, from: from}
	if err := r.span(); err != nil {
		return "", err
	}
	file, err := r.replace()
	if err != nil {
		return "", err
	}
	return r.aside, file.Close()
}

// RepairSegment is Repair for a journal that is open and serving: appending waits, reading goes on.
func (j *Journal) RepairSegment(segment string, from *Journal) (aside string, err error) {
	j.writing.Lock()
	defer j.writing.Unlock()
	if err := j.writable(); err != nil {
		return "", err
	}
	files := j.files()
	i := slices.IndexFunc(files, func(f *chain.File) bool { return f.Name() == segment })
	if i < 0 {
		return "", ErrNoEntry
	}
	last, end := files[i].Head()
	if d, err := from.DigestAt(last); err != nil || d != end {
		return "", errors.Join(ErrBehind, err)
	}
	r := repairing{fsys: j.opt.FS, dir: j.dir, segment: segment, from: from, first: files[i].Header().First, last: last, minFree: j.opt.MinFreeBytes}
	file, err := r.replace()
	if err != nil {
		return "", err
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	j.segments = slices.Clone(j.segments) // somebody may be looking at the old list
	j.segments[i] = file
	j.retired = append(j.retired, files[i]) // somebody may be reading it
	return r.aside, nil
}

type repairing struct {
	fsys         disk.FS
	dir, segment string
	from         *Journal
	first, last  Position
	minFree      int64
	aside        string
}

// span finds which entries the segment has.
func (r *repairing) span() error {
	found, err := list(r.fsys, r.dir)
	if err != nil {
		return err
	}
	i := slices.Index(found.segments, r.segment)
	if i < 0 {
		return fmt.Errorf("%s is no segment: %w", r.segment, ErrNoEntry)
	}
	if r.first, err = firstOf(r.segment); err != nil {
		return err
	}
	if i < len(found.segments)-1 {
		next, err := firstOf(found.segments[i+1])
		r.last = next - 1
		return err
	}
	return r.spanOfLast()
}

func firstOf(segment string) (first Position, err error) {
	_, err = fmt.Sscanf(strings.TrimPrefix(segment, segmentPrefix), "%d", &first)
	if err != nil || first == 0 || segmentName(first) != segment {
		return 0, fmt.Errorf("%s is not the name of a segment: %w", segment, ErrDamaged)
	}
	return first, nil
}

// spanOfLast decides whether the copy has all that the last segment had.
func (r *repairing) spanOfLast() error {
	r.last, _ = r.from.Head()
	mark, readable, err := chain.ReadMark(r.fsys, filepath.Join(r.dir, markName))
	if err != nil {
		return err
	}
	reach, err := chain.FindReach(r.fsys, filepath.Join(r.dir, r.segment))
	if err != nil {
		return err
	}
	if !readable || r.last < mark.Head || r.last < r.first || !reach.CoveredBy(r.last) {
		return ErrBehind
	}
	if d, err := r.from.DigestAt(mark.Head); err != nil || d != mark.Digest {
		return errors.Join(err, fmt.Errorf("the second copy is of another journal: %w", ErrBehind))
	}
	return nil
}

// replace writes the segment anew beside the damaged one, keeps that aside, and puts the new one in its place.
func (r *repairing) replace() (*chain.File, error) {
	path := filepath.Join(r.dir, r.segment)
	fresh := path + disk.TempSuffix
	file, err := r.write(fresh)
	if err != nil {
		return nil, err
	}
	err = r.keepAside(path)
	if err == nil {
		err = r.dropIndex()
	}
	if err == nil {
		err = file.Rename(path)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("repairing %s: %w", r.segment, err), file.Close())
	}
	return file, nil
}

func (r *repairing) write(path string) (*chain.File, error) {
	prev, err := r.from.DigestAt(r.first - 1)
	if err != nil {
		return nil, fmt.Errorf("reading the second copy: %w", err)
	}
	file, err := chain.Create(r.fsys, path, chain.Header{First: r.first, Prev: prev}, chain.Options{Kind: segmentKind(), MinFreeBytes: r.minFree})
	if err != nil {
		return nil, err
	}
	if err := r.fill(file); err != nil {
		return nil, errors.Join(fmt.Errorf("writing %s anew: %w", r.segment, err), file.Close())
	}
	return file, nil
}

// fill writes the entries, and holds the chain against the copy's.
func (r *repairing) fill(file *chain.File) error {
	for at := r.first - 1; at < r.last; {
		group, err := readGroup(r.from, at, r.last)
		if err != nil {
			return err
		}
		if _, err := file.Append(group); err != nil {
			return err
		}
		at += Position(len(group))
	}
	want, err := r.from.DigestAt(r.last)
	if _, got := file.Head(); err == nil && got != want {
		err = fmt.Errorf("the second copy does not fit itself: %w", ErrDamaged)
	}
	return err
}

func (r *repairing) keepAside(path string) error {
	names, err := r.fsys.ReadDir(r.dir)
	if err != nil {
		return err
	}
	for n := 1; r.aside == "" || slices.Contains(names, r.aside); n++ {
		r.aside = fmt.Sprintf("damaged-%s-%d", r.segment, n)
	}
	b, err := disk.ReadFile(r.fsys, path, chain.MaxFileBytes)
	if err != nil {
		return err
	}
	return disk.Replace(r.fsys, filepath.Join(r.dir, r.aside), b)
}

// dropIndex removes the index of the segment: it tells of other places.
func (r *repairing) dropIndex() error {
	names, err := r.fsys.ReadDir(r.dir)
	if err != nil || !slices.Contains(names, indexName(r.segment)) {
		return err
	}
	return errors.Join(r.fsys.Remove(filepath.Join(r.dir, indexName(r.segment))), r.fsys.SyncDir(r.dir))
}

// Damaged lists the files of a journal that are damaged, as far as they can be told before those are repaired. It reads
// every byte, changes nothing and takes no lock. Other errors are as for Verify.
func Damaged(fsys disk.FS, dir string) ([]string, error) {
	seen, err := inspect(fsys, dir, inspection{readOnly: true})
	for _, segment := range seen.segments {
		_ = segment.Close() // it was only read
	}
	names := damagedFiles(err)
	if len(names) == 0 {
		return nil, err
	}
	return names, nil
}

// damagedFiles names the files in an error and in all that it joins or wraps.
func damagedFiles(err error) []string {
	switch e := err.(type) {
	case *DamagedError:
		return []string{e.File}
	case interface{ Unwrap() []error }:
		var names []string
		for _, one := range e.Unwrap() {
			names = append(names, damagedFiles(one)...)
		}
		return names
	}
	if inner := errors.Unwrap(err); inner != nil {
		return damagedFiles(inner)
	}
	return nil
}

// IsEpochs reports whether a file that Damaged named is the one of the epochs.
func IsEpochs(file string) bool { return file == epochName }

// RepairEpochs writes the file of the epochs anew from a copy. An epoch that the copy had not heard of is lost, so that
// whoever opens the journal then begins one.
func RepairEpochs(fsys disk.FS, dir string, from *Journal) (err error) {
	lock, err := fsys.Lock(filepath.Join(dir, lockName))
	if err != nil {
		return fmt.Errorf("locking the journal: %w", err)
	}
	defer func() { err = errors.Join(err, lock.Close()) }()
	return writeEpochs(fsys, dir, from.Epochs())
}

// AdoptEpochs takes over the epochs of the journal that this one is a copy of, as far as its entries reach. It writes
// nothing where they are the same. An ErrDamaged says that they do not fit.
func (j *Journal) AdoptEpochs(epochs []EpochStart) error {
	j.writing.Lock()
	defer j.writing.Unlock()
	if err := j.writable(); err != nil {
		return err
	}
	head, _ := j.Head()
	epochs = slices.Clone(epochs)
	for len(epochs) > 1 && epochs[len(epochs)-1].From > head {
		epochs = epochs[:len(epochs)-1]
	}
	if slices.Equal(epochs, j.Epochs()) {
		return nil
	}
	for _, e := range epochs {
		if d, err := j.DigestAt(e.From); err != nil || d != e.Digest {
			return errors.Join(err, fmt.Errorf("epoch %s does not fit the copy: %w", e.Epoch, ErrDamaged))
		}
	}
	if err := writeEpochs(j.opt.FS, j.dir, epochs); err != nil {
		return fmt.Errorf("taking over epochs: %w", err)
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	j.epochs = epochs
	return nil
}
