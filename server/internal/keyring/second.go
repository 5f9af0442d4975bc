package keyring

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"

	"doorstep/server/internal/chain"
	"doorstep/server/internal/disk"
)

// secondGroupBytes is how much of the store is copied by one group.
const secondGroupBytes = 1 << 20

// Second is a second copy of a key store, kept in another folder by whoever calls Follow. It is for one goroutine.
type Second struct {
	fsys disk.FS
	dir  string
	id   ID
	file *chain.File // nil: not begun
}

// NewSecond is a copy to be kept in a folder. Its first Follow writes it whole.
func NewSecond(fsys disk.FS, dir string) *Second { return &Second{fsys: fsys, dir: dir} }

// Follow brings the copy up to the ring, durably: what was added is added; a store that was written anew, because keys
// were destroyed, replaces the old one, which is wiped. Every key is verified as it is read.
func (s *Second) Follow(r *Ring) error {
	whole, payloads, end, err := r.since(s)
	if err != nil {
		return err
	}
	if whole != nil {
		if err := s.begin(whole); err != nil {
			return err
		}
	}
	for len(payloads) > 0 {
		n, size := 0, 0
		for n < len(payloads) && size < secondGroupBytes {
			size += len(payloads[n])
			n++
		}
		if _, err := s.file.Append(payloads[:n]); err != nil {
			return fmt.Errorf("copying the key store: %w", err)
		}
		payloads = payloads[n:]
	}
	if _, digest := s.file.Head(); digest != end {
		return fmt.Errorf("the copy of the key store does not fit the key store: %w", ErrDamaged)
	}
	return nil
}

// since is what a copy lacks: the whole store, or the entries after its last; and the chain digest at the end.
func (r *Ring) since(s *Second) (whole []byte, payloads [][]byte, end Digest, err error) {
	r.writing.Lock()
	defer r.writing.Unlock()
	if err := r.writable(); err != nil {
		return nil, nil, end, err
	}
	head, end := r.file.Head()
	if s.file == nil || s.id != r.id {
		if err := r.file.Check(r.opt.FS, nil); err != nil {
			return nil, nil, end, fmt.Errorf("the key store cannot be copied: %w", err)
		}
		whole, err = r.file.Bytes()
		return whole, nil, end, err
	}
	at, _ := s.file.Head()
	for at++; at <= head; at++ {
		p, err := r.file.Read(at)
		if err != nil {
			return nil, nil, end, err
		}
		payloads = append(payloads, p)
	}
	return nil, payloads, end, nil
}

// Digest is a chain digest.
type Digest = chain.Digest

// begin writes the copy whole.
func (s *Second) begin(b []byte) error {
	if err := errors.Join(s.Close(), s.fsys.MkdirAll(s.dir)); err != nil {
		return err
	}
	path := filepath.Join(s.dir, storeName)
	old, err := s.fsys.Open(path, disk.ReadWrite)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("opening the copy of the key store: %w", err)
	}
	if err := disk.Replace(s.fsys, path, b); err != nil {
		return errors.Join(fmt.Errorf("copying the key store: %w", err), closeIf(old))
	}
	if err := wipeOld(old); err != nil {
		return fmt.Errorf("wiping the old copy of the key store: %w", err)
	}
	file, tail, err := chain.Open(s.fsys, path, chain.Options{Kind: storeKind()})
	if err != nil {
		return err
	}
	if tail.Bytes > 0 {
		return errors.Join(file.Damaged(tail), file.Close())
	}
	header := file.Header()
	s.file, s.id = file, ID(header.Owner[:])
	return nil
}

// wipeOld overwrites a file that has lost its name: destroyed keys were in it.
func wipeOld(f disk.File) error {
	if f == nil {
		return nil
	}
	size, err := f.Size()
	if err == nil {
		_, err = f.WriteAt(make([]byte, size), 0)
	}
	if err == nil {
		err = f.Sync()
	}
	return errors.Join(err, f.Close())
}

func closeIf(f disk.File) error {
	if f == nil {
		return nil
	}
	return f.Close()
}

// Close ends the copying. What was copied stays; the next Follow writes it whole.
func (s *Second) Close() error {
	if s.file == nil {
		return nil
	}
	f := s.file
	s.file = nil
	return f.Close()
}

// ErrBehind says that the second copy does not surely hold every key that the damaged store held. Nothing was changed.
var ErrBehind = errors.New("the second copy may lack keys that the damaged store had")

// Repair puts the copy of a key store in the place of a damaged one that nobody has open, and keeps that under the name
// that it answers. The copy must be of the same store and hold every key that the mark and the damaged store tell of.
// Load verifies the result.
func Repair(fsys disk.FS, dir, copyDir string) (aside string, err error) {
	lock, err := fsys.Lock(filepath.Join(dir, lockName))
	if err != nil {
		return "", fmt.Errorf("locking the key store: %w", err)
	}
	defer func() { err = errors.Join(err, lock.Close()) }()
	whole, err := soundCopy(fsys, dir, copyDir)
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, storeName)
	damaged, err := disk.ReadFile(fsys, path, chain.MaxFileBytes)
	if err != nil {
		return "", err
	}
	names, err := fsys.ReadDir(dir)
	if err != nil {
		return "", err
	}
	for n := 1; aside == "" || slices.Contains(names, aside); n++ {
		aside = fmt.Sprintf("damaged-%s-%d", storeName, n)
	}
	if err := disk.Replace(fsys, filepath.Join(dir, aside), damaged); err != nil {
		return "", fmt.Errorf("keeping the damaged key store: %w", err)
	}
	return aside, disk.Replace(fsys, path, whole)
}

// soundCopy reads the copy, if it has all that the damaged store in dir had.
func soundCopy(fsys disk.FS, dir, copyDir string) ([]byte, error) {
	mark, readable, err := chain.ReadMark(fsys, filepath.Join(dir, markName))
	if err != nil {
		return nil, err
	}
	reach, err := chain.FindReach(fsys, filepath.Join(dir, storeName))
	if err != nil {
		return nil, err
	}
	path := filepath.Join(copyDir, storeName)
	file, tail, err := chain.Open(fsys, path, chain.Options{Kind: storeKind(), ReadOnly: true})
	if err != nil {
		return nil, fmt.Errorf("opening the second copy of the key store: %w", err)
	}
	defer file.Close()
	head, _ := file.Head()
	header := file.Header()
	digest, err := file.DigestAt(min(mark.Head, head))
	if err != nil {
		return nil, err
	}
	if !readable || tail.Bytes > 0 || ID(header.Owner[:]) != mark.Of || head < mark.Head || digest != mark.Digest || !reach.CoveredBy(head) {
		return nil, ErrBehind
	}
	return file.Bytes()
}
