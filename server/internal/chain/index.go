package chain

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"

	"doorstep/server/internal/disk"
)

// The index of a file says where its entries stand, so that a file which takes no more of them can be opened without
// reading it whole. All numbers are little-endian:
//
//	 0  8    "DSindex1"
//	 8  8    position of the first entry
//	16  32   chain digest before it
//	48  8    length of the file
//	56  32   chain digest after the last entry
//	88  8    number of entries
//	96       for each: offset of the entry (4), length of its payload (4)
//	   32    SHA-256 of the bytes before
//
// An index is a hint. It is not synced, and one that is missing, torn, or does not fit its file costs the reading of
// the file and nothing else. What it cannot promise is that the entries are sound: reading one checks it, as always,
// and Check reads all.
const (
	indexMagic     = "DSindex1"
	indexHeadBytes = 96
	slotBytes      = 8
	maxIndexBytes  = indexHeadBytes + MaxFileBytes/(entryHeadBytes+1)*slotBytes + sha256.Size
)

// WriteIndex writes the index of a file that takes no more entries. It is not durable; a crash may leave a part of it.
func (f *File) WriteIndex(path string) (err error) {
	b := f.encodeIndex()
	file, err := f.fsys.Open(path, disk.Create)
	if err != nil {
		return fmt.Errorf("making the index of %s: %w", f.Name(), err)
	}
	_, err = file.WriteAt(b, 0)
	if err := errors.Join(err, file.Close()); err != nil {
		return fmt.Errorf("writing the index of %s: %w", f.Name(), err)
	}
	return nil
}

func (f *File) encodeIndex() []byte {
	f.mu.RLock()
	defer f.mu.RUnlock()
	b := make([]byte, 0, indexHeadBytes+slotBytes*len(f.slots)+sha256.Size)
	b = append(b, indexMagic...)
	b = le.AppendUint64(b, uint64(f.header.First))
	b = append(b, f.header.Prev[:]...)
	b = le.AppendUint64(b, uint64(f.end))
	b = append(b, f.digest[:]...)
	b = le.AppendUint64(b, uint64(len(f.slots)))
	for _, s := range f.slots {
		b = le.AppendUint32(b, s.offset)
		b = le.AppendUint32(b, s.length)
	}
	sum := sha256.Sum256(b)
	return append(b, sum[:]...)
}

// OpenIndexed opens a file by its index. Header, length and last group are verified, the rest when it is read. It
// answers no file, and no error, where the index is missing or not this file's: the caller then opens it whole.
func OpenIndexed(fsys disk.FS, path, index string, opt Options) (*File, error) {
	b, err := disk.ReadFile(fsys, index, maxIndexBytes)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading the index of %s: %w", filepath.Base(path), err)
	}
	mode := disk.ReadWrite
	if opt.ReadOnly {
		mode = disk.Read
	}
	file, err := fsys.Open(path, mode)
	if err != nil {
		return nil, fmt.Errorf("opening %s: %w", path, err)
	}
	f, err := openByIndex(fsys, path, file, b, opt)
	if f == nil || err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return f, nil
}

func openByIndex(fsys disk.FS, path string, file disk.File, index []byte, opt Options) (*File, error) {
	header, err := readHeader(file, filepath.Base(path), opt.Kind)
	if errors.Is(err, ErrDamaged) {
		return nil, nil // reading it whole says what is wrong
	}
	if err != nil {
		return nil, err
	}
	size, err := file.Size()
	if err != nil {
		return nil, fmt.Errorf("measuring %s: %w", path, err)
	}
	f := newFile(fsys, path, file, header, opt)
	if !f.adoptIndex(index, size) {
		return nil, nil
	}
	want := f.digest
	f.digest = Digest{} // so that the last group is read, not believed
	got, err := f.DigestAt(f.head())
	f.digest = want
	if errors.Is(err, ErrDamaged) || err == nil && got != want {
		return nil, nil
	}
	return f, err
}

// adoptIndex takes over what an index says, if it is whole and fits a file of this size with this header.
func (f *File) adoptIndex(b []byte, size int64) bool {
	n := len(b) - sha256.Size
	if n < indexHeadBytes || string(b[:8]) != indexMagic {
		return false
	}
	if sum := sha256.Sum256(b[:n]); !bytes.Equal(sum[:], b[n:]) {
		return false
	}
	count := le.Uint64(b[88:])
	if Position(le.Uint64(b[8:])) != f.header.First || Digest(b[16:48]) != f.header.Prev ||
		int64(le.Uint64(b[48:])) != size || count == 0 || count != uint64(n-indexHeadBytes)/slotBytes {
		return false
	}
	f.slots = make([]slot, count)
	for i := range f.slots {
		at := indexHeadBytes + slotBytes*i
		f.slots[i] = slot{offset: le.Uint32(b[at:]), length: le.Uint32(b[at+4:])}
	}
	f.end, f.digest = size, Digest(b[56:88])
	return true
}

// Check reads a file from its first byte to its last, past the cache where the disk lets us, and compares it with what
// is known of f, so far as that goes: a file that is being appended to may be longer by then. It calls visit, if that
// is not nil, with every entry. through is the disk to read by, so that a caller can slow it down. Damage is a
// *DamagedError.
func (f *File) Check(through disk.FS, visit func(p Position, payload []byte) error) error {
	f.mu.RLock()
	head, digest, size := f.head(), f.digest, f.end
	f.mu.RUnlock()
	file, err := through.Open(f.path, disk.Read)
	if err != nil {
		return fmt.Errorf("opening %s: %w", f.path, err)
	}
	defer file.Close()
	if err := file.DropCache(); err != nil {
		return fmt.Errorf("forgetting the cache of %s: %w", f.path, err)
	}
	header, err := readHeader(file, f.Name(), f.header.Kind)
	if err != nil {
		return err
	}
	now, err := file.Size()
	if err != nil {
		return fmt.Errorf("measuring %s: %w", f.path, err)
	}
	s := scanner{window: window{file: file, size: min(now, size)}, at: headerBytes, digest: header.Prev, next: header.First}
	tail, err := s.run(visit)
	if err != nil {
		return fmt.Errorf("checking %s: %w", f.path, err)
	}
	fault := ""
	switch {
	case header != f.header:
		fault = "its header is another than at the start"
	case tail.Bytes != 0:
		fault = tail.Reason
	case s.next-1 != head || s.digest != digest:
		fault = "it ends with another entry than was written"
	}
	if fault != "" {
		return &DamagedError{File: f.Name(), Offset: s.at, Position: s.next, Reason: fault}
	}
	return nil
}

// Bytes is the whole file as it stands on the disk, unverified.
func (f *File) Bytes() ([]byte, error) {
	b := make([]byte, f.Size())
	if err := readFull(f.file, b, 0); err != nil {
		return nil, fmt.Errorf("reading %s: %w", f.Name(), err)
	}
	return b, nil
}

// VerifyBytes verifies the content of a whole file and answers how many bytes of it are whole and right groups. What
// stands behind them is a torn write; damage is a *DamagedError.
func VerifyBytes(name string, b []byte, opt Options) (int64, error) {
	file := memory{bytes: bytes.NewReader(b)}
	header, err := readHeader(file, name, opt.Kind)
	if err != nil {
		return 0, err
	}
	s := scanner{window: window{file: file, size: int64(len(b))}, at: headerBytes, digest: header.Prev, next: header.First}
	tail, err := s.run(opt.Visit)
	if err != nil {
		return 0, fmt.Errorf("verifying %s: %w", name, err)
	}
	if tail.Bytes > 0 && !tail.Torn {
		return 0, &DamagedError{File: name, Offset: tail.Offset, Position: s.next, Reason: tail.Reason}
	}
	return s.at, nil
}

// memory is the content of a file, for reading.
type memory struct {
	disk.File // nil: nothing else is asked for
	bytes     *bytes.Reader
}

// ReadAt implements disk.File.
func (m memory) ReadAt(p []byte, off int64) (int, error) { return m.bytes.ReadAt(p, off) }
