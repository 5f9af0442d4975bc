// Package chain is one append-only file of hash-chained groups of entries, which knows a torn write from rot.
//
// A File is opened once, verified from its first byte to its last, and then read anywhere and appended to at its end.
// Entries are opaque bytes; groups of them are written by one write and one sync and count as acknowledged when Append
// returns. A Mark, kept in a file of its own, is a hint of how far that was. The journal is a row of such files, the
// key store is one. What is in the entries, how files follow each other and what happens after a cut is theirs.
//
// # Format
//
// All numbers are little-endian. A file begins with a header of one sector (512 bytes):
//
//	  0  8    kind: names the owner of the format and its version
//	  8  8    position of the first entry
//	 16  32   chain digest before the first entry
//	 48  256  the owner's own bytes
//	304  176  zero
//	480  32   SHA-256 of the bytes before
//
// Groups follow, each beginning at a multiple of 64, so that a group's header never lies across two sectors:
//
//	 0  4    "DsG1"
//	 4  4    number of entries, at least 1
//	 8  8    position of the first
//	16  4    bytes of all entries
//	20  4    CRC-32C of the sums
//	24  32   chain digest before the first entry
//	56  8    first bytes of the SHA-256 of the bytes before
//	64       entries, each: distance back to the group header (4), length (4), position (8), SHA-256 of the payload
//	         (32), payload
//	         sums: the CRC-32C of each piece of the entries that lies in one sector (4 each)
//	         zero up to the next multiple of 64
//
// The chain: with d the digest before an entry (32 zero bytes before the very first), the digest after it is
// SHA-256(d || SHA-256(payload)).
//
// # A torn tail, or rot?
//
// A crash may leave anything of the last, unacknowledged write: nothing, all, some of its sectors, a length that is too
// short, or a length without the bytes. Rot may strike anywhere, acknowledged entries included. The first must be cut,
// the second must never be. After the last whole and right group, the rest of the file is judged so:
//
//  1. If a readable group header with a later position stands anywhere behind the bad place, the bad place is rot: a
//     group is only written after all before it were synced.
//  2. If the file ends before the group does, the group is torn.
//  3. If the group is there in its full length, every sector that is not right must be one that was never written, that
//     is, all zero in the part that the group has in it; then the group is torn. One wrong sector that is not zero is
//     rot: disks write a sector whole or not at all. The sums tell which sectors are right; where a sector of the
//     sums themselves is missing, that alone is enough.
//  4. If the header cannot be read, it must be zero up to the end of its sector, else it is rot.
//
// Whatever is not proved torn is rot, and is refused with DamagedError. Two readings remain open, and the Mark closes
// them wherever it is up to date, as it always is when the process died but the machine did not: a file cut short in
// its last acknowledged group, and a sector of that group turned to zeros, look like a torn write. Whoever opens a File
// therefore compares the Mark before it cuts anything. A write that was complete but not acknowledged counts as written.
//
// Relied on: a sector being rewritten does not harm those of its bytes that stay the same; a file that grows reads as
// zeros where nothing was written (ext4, XFS, btrfs).
package chain

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"sync"

	"doorstep/server/internal/disk"
)

// Position is the 1-based index of an entry in its chain; 0 is before the first.
type Position uint64

// Digest is a chain digest or the SHA-256 of a payload.
type Digest [sha256.Size]byte

// Sum is the digest of a payload.
func Sum(payload []byte) Digest { return sha256.Sum256(payload) }

// Next is the chain digest after an entry: SHA-256(d || digest of its payload). It allocates nothing.
func (d Digest) Next(payload Digest) Digest {
	var both [2 * sha256.Size]byte
	copy(both[:], d[:])
	copy(both[sha256.Size:], payload[:])
	return sha256.Sum256(both[:])
}

// Errors that callers decide on. They are found by errors.Is.
var (
	// ErrDamaged says that bytes are not what was written. It comes as a *DamagedError, which says where.
	ErrDamaged = errors.New("damaged")
	// ErrFull says that there is no room on the disk. Nothing was written; reads go on.
	ErrFull = errors.New("disk full")
	// ErrFailed says that a write or sync failed, now or earlier. Nobody knows what is on the disk, so the process must
	// end and the file be opened anew; a sync is never tried again.
	ErrFailed = errors.New("writing failed, stop and open again")
	// ErrTooLarge says that a group or one of its payloads is beyond the limits, or empty.
	ErrTooLarge = errors.New("empty or too large")
	// ErrNoEntry says that no entry stands at a position.
	ErrNoEntry = errors.New("no such entry")
	// ErrNewer says that a file is whole and of a later version of its format. It is no damage: nothing may be mended or cut.
	ErrNewer = errors.New("written by a newer version of this program")
)

// DamagedError says where bytes are not what was written. It is an ErrDamaged.
type DamagedError struct {
	File     string   // name of the file
	Offset   int64    // first byte that cannot be trusted: that of the group or entry in question
	Position Position // first entry that is concerned, 0 if it is none
	Reason   string   // for the operator
}

// Error implements error.
func (e *DamagedError) Error() string {
	return fmt.Sprintf("%s is damaged at byte %d (entry %d): %s", e.File, e.Offset, e.Position, e.Reason)
}

// Unwrap makes every DamagedError an ErrDamaged.
func (e *DamagedError) Unwrap() error { return ErrDamaged }

// Limits.
const (
	MaxGroupBytes = 32 << 20 // a group is verified in memory; the journal's groups are some MiB
	MaxFileBytes  = 2 << 30  // offsets are kept in 32 bits
)

// Header is what the first sector of a file says.
type Header struct {
	Kind  [8]byte
	First Position  // position of the first entry, at least 1
	Prev  Digest    // chain digest before it
	Owner [256]byte // the owner's own bytes
}

// Options say how a File is opened or created.
type Options struct {
	Kind         [8]byte // required in the header of the file
	ReadOnly     bool
	MinFreeBytes int64 // Append answers ErrFull rather than leave less free than this
	// Visit, if not nil, is called with every entry while Open verifies the file. The payload is valid during the call
	// only. An error ends Open, which returns it.
	Visit func(p Position, payload []byte) error
}

// File is an open, verified file. Append is for one goroutine at a time; everything else may run beside it.
type File struct {
	fsys    disk.FS
	path    string
	minFree int64
	header  Header

	file   disk.File
	failed error    // of Append: why nothing more is written
	buf    []byte   // of Append
	sums   []Digest // of the group appended last

	mu     sync.RWMutex // guards what follows
	slots  []slot
	end    int64 // where the next group goes
	digest Digest
}

// slot is where an entry stands: 8 bytes of memory for each.
type slot struct{ offset, length uint32 }

// Tail is what stands in a file after its last whole and right group.
type Tail struct {
	Offset int64
	Bytes  int64 // 0: nothing, the file is sound
	Torn   bool  // proved to be a write that was never acknowledged; else it is damage
	Reason string
}

// Create makes a file without entries. It is durable, under its name, when Create returns.
func Create(fsys disk.FS, path string, header Header, opt Options) (*File, error) {
	header.Kind = opt.Kind
	if err := disk.Replace(fsys, path, header.encode()); err != nil {
		return nil, err
	}
	file, err := fsys.Open(path, disk.ReadWrite)
	if err != nil {
		return nil, fmt.Errorf("opening the new %s: %w", path, err)
	}
	return newFile(fsys, path, file, header, opt), nil
}

func newFile(fsys disk.FS, path string, file disk.File, header Header, opt Options) *File {
	return &File{
		fsys: fsys, path: path, file: file, header: header, minFree: opt.MinFreeBytes,
		end: headerBytes, digest: header.Prev,
	}
}

// Settle makes what the last process wrote to a file durable before anybody relies on it, then forgets the cache: after
// a sync that failed it may show bytes that the disk does not have. Whoever opens a file for writing calls it first.
func Settle(fsys disk.FS, path string) error {
	f, err := fsys.Open(path, disk.ReadWrite)
	if err != nil {
		return fmt.Errorf("opening %s: %w", path, err)
	}
	if err := errors.Join(f.Sync(), f.DropCache(), f.Close()); err != nil {
		return fmt.Errorf("settling %s: %w", path, err)
	}
	return nil
}

// Open opens and verifies a file. If something other than whole and right groups stands at its end, the Tail says so
// and nothing was changed: the caller may SaveTail and Cut a torn one and must refuse a damaged one (Damaged). A damaged
// header is a *DamagedError.
func Open(fsys disk.FS, path string, opt Options) (*File, Tail, error) {
	mode := disk.ReadWrite
	if opt.ReadOnly {
		mode = disk.Read
	}
	file, err := fsys.Open(path, mode)
	if err != nil {
		return nil, Tail{}, fmt.Errorf("opening %s: %w", path, err)
	}
	f, tail, err := verify(fsys, path, file, opt)
	if err != nil {
		return nil, Tail{}, errors.Join(err, file.Close())
	}
	return f, tail, nil
}

func verify(fsys disk.FS, path string, file disk.File, opt Options) (*File, Tail, error) {
	size, err := file.Size()
	if err != nil {
		return nil, Tail{}, fmt.Errorf("measuring %s: %w", path, err)
	}
	if size > MaxFileBytes {
		fault := fmt.Sprintf("%d bytes, at most %d are ever written", size, int64(MaxFileBytes))
		return nil, Tail{}, &DamagedError{File: filepath.Base(path), Offset: MaxFileBytes, Reason: fault}
	}
	header, err := readHeader(file, filepath.Base(path), opt.Kind)
	if err != nil {
		return nil, Tail{}, err
	}
	f := newFile(fsys, path, file, header, opt)
	s := scanner{window: window{file: file, size: size}, at: headerBytes, digest: header.Prev, next: header.First}
	tail, err := s.run(opt.Visit)
	if err != nil {
		return nil, Tail{}, fmt.Errorf("verifying %s: %w", path, err)
	}
	f.slots, f.end, f.digest = slices.Clip(s.slots), s.at, s.digest
	return f, tail, nil
}

// Name is the file's name without its directory.
func (f *File) Name() string { return filepath.Base(f.path) }

// Header is what the first sector says.
func (f *File) Header() Header { return f.header }

// Head is the position of the last entry, the one before the first if there is none, and the chain digest after it.
func (f *File) Head() (Position, Digest) {
	f.mu.RLock()
	defer f.mu.RUnlock()
	return f.head(), f.digest
}

func (f *File) head() Position { return f.header.First - 1 + Position(len(f.slots)) }

// Size is the length in bytes of everything that is whole and right.
func (f *File) Size() int64 {
	f.mu.RLock()
	defer f.mu.RUnlock()
	return f.end
}

// Damaged is the error that a tail stands for if it is not torn.
func (f *File) Damaged(tail Tail) error {
	head, _ := f.Head()
	return &DamagedError{File: f.Name(), Offset: tail.Offset, Position: head + 1, Reason: tail.Reason}
}

// SaveTail copies what stands behind the last right group into a new file, durably.
func (f *File) SaveTail(tail Tail, path string) error {
	rest := make([]byte, tail.Bytes)
	if err := readFull(f.file, rest, tail.Offset); err != nil {
		return fmt.Errorf("reading the torn tail of %s: %w", f.path, err)
	}
	if err := disk.Replace(f.fsys, path, rest); err != nil {
		return fmt.Errorf("keeping the torn tail of %s: %w", f.path, err)
	}
	return nil
}

// Cut removes everything behind the last right group, durably.
func (f *File) Cut() error {
	if err := f.file.Truncate(f.end); err != nil {
		return fmt.Errorf("cutting %s at byte %d: %w", f.path, f.end, err)
	}
	return f.Sync()
}

// Sync makes everything in the file durable. After a process died its last writes may be in the cache alone.
func (f *File) Sync() error {
	if err := f.file.Sync(); err != nil {
		return fmt.Errorf("syncing %s: %w", f.path, err)
	}
	return nil
}

// Rename gives the file another name in its directory, durably, in place of what had that name.
func (f *File) Rename(path string) error {
	if err := f.fsys.Rename(f.path, path); err != nil {
		return fmt.Errorf("renaming %s to %s: %w", f.path, path, err)
	}
	f.path = path
	if err := f.fsys.SyncDir(filepath.Dir(path)); err != nil {
		return fmt.Errorf("syncing the directory of %s: %w", path, err)
	}
	return nil
}

// Wipe overwrites the whole file with zeros, for a file that another has replaced and that held secrets. It is best
// effort: copy-on-write file systems and flash keep old blocks for a while.
func (f *File) Wipe() error {
	zeros := make([]byte, windowBytes)
	for off := int64(0); off < f.Size(); off += windowBytes {
		if _, err := f.file.WriteAt(zeros[:min(windowBytes, f.Size()-off)], off); err != nil {
			return fmt.Errorf("wiping the old %s: %w", f.Name(), err)
		}
	}
	return f.Sync()
}

// Close closes the file. It syncs nothing: whatever was acknowledged is durable.
func (f *File) Close() error { return f.file.Close() }
