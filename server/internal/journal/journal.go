// Package journal is the one place where an accepted word is safe: an append-only, hash-chained journal of opaque
// entries in segment files.
//
// A Journal is opened by one process at a time and verified whole at every opening. Append writes a group of entries by
// one write and one sync and returns when it is durable; Read and Scan check every entry against its digest, so that a
// caller gets the bytes that were written or an error, never wrong or empty ones. The chain digest after entry n is
// d_n = SHA-256(d_{n-1} || SHA-256(payload_n)), with d_0 = 32 zero bytes: equal digests at a position mean equal
// journals up to there.
//
// The journal knows nothing of what its entries mean, groups nothing by itself and has no goroutine.
//
// # In the directory
//
//	segment-<position of its first entry>   the entries: one file of package chain each, whose comment has the format
//	EPOCH                                   the epochs of this journal, as text with a checksum
//	COMMITTED                               the mark: how far the chain was acknowledged, written after each group
//	index-<position of its first entry>     where the entries of a complete segment stand (package chain): a hint, so
//	                                        that a start need not read the whole journal
//	LOCK                                    held while a process has the journal open
//	torn-<epoch>-<offset>                   what was cut from the end of a segment when that epoch ended
//	damaged-<segment>-<n>                   a damaged segment that was written anew from the second copy (Repair)
//
// # What opening does
//
// Every segment is verified from its first byte to its last, each must continue the one before, the chain must run
// through the mark and through every start of an epoch. Damage that could concern an acknowledged entry is a
// DamagedError: the journal is not opened and nothing is changed. A torn tail, which can only be the last group of the
// last segment and is proved never to have been acknowledged (rules in package chain; never at or before the mark), is
// copied aside, then a new epoch begins, then the tail is cut.
//
// An epoch tells devices whether a position that they remember still means what it meant. A new one begins when a tail
// was cut and when BeginEpoch says so (a restore). Entries acknowledged in any epoch are in all later ones unless a
// restore lost them.
//
// With Options.Quick a complete segment that has an index is opened by that: its header, its length, its last group and
// its link to the next are verified, its entries when they are read. Whoever opens so runs CheckSegment over all
// segments before long.
//
// A segment is written under another name and synced before it gets its own, so every segment has a whole header; it is
// never changed after the next one exists. The mark is not synced with each group: after the death of the process it is
// exact, after a power cut it may be old, then only the rules of package chain tell what is torn. A backup must copy
// COMMITTED first or leave it out.
package journal

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"sync"

	"doorstep/server/internal/chain"
	"doorstep/server/internal/disk"
)

// Position is the 1-based index of an entry; 0 is before the first.
type Position = chain.Position

// Digest is a chain digest.
type Digest = chain.Digest

// DamagedError says which segment is damaged, where, and from which entry on. It is an ErrDamaged.
type DamagedError = chain.DamagedError

// Errors that callers decide on; they are found by errors.Is.
var (
	// ErrLocked says that another process has the journal open.
	ErrLocked = disk.ErrLocked
	// ErrMissing says that there is no journal and Options.Existing forbids to begin one.
	ErrMissing = errors.New("no journal in this directory")
	// ErrDamaged says that bytes are not what was written. It comes as a *DamagedError.
	ErrDamaged = chain.ErrDamaged
	// ErrFull says that there is too little room. Nothing was written, reads go on, and Append works again when there is
	// room.
	ErrFull = chain.ErrFull
	// ErrFailed says that a write or a sync failed, now or earlier. What of the group is on the disk nobody knows; the
	// process must exit, and opening the journal anew tells.
	ErrFailed = chain.ErrFailed
	// ErrTooLarge says that a group or an entry is empty or beyond MaxGroupBytes.
	ErrTooLarge = chain.ErrTooLarge
	// ErrNoEntry says that the journal has no entry at a position.
	ErrNoEntry = chain.ErrNoEntry
	// ErrReadOnly says that the journal was opened for reading alone.
	ErrReadOnly = errors.New("the journal is open for reading alone")
	// ErrClosed says that the journal was closed.
	ErrClosed = errors.New("journal is closed")
)

// Limits.
const (
	// MaxGroupBytes bounds what one Append writes, headers included (about 50 bytes an entry and 1 %).
	MaxGroupBytes = chain.MaxGroupBytes
	// DefaultSegmentBytes is the length at which a new segment begins.
	DefaultSegmentBytes = 64 << 20
	maxSegmentBytes     = 1 << 30
)

// Epoch names a stretch of the journal's life in which positions keep their meaning.
type Epoch [16]byte

// String is the epoch in hexadecimal.
func (e Epoch) String() string { return hex.EncodeToString(e[:]) }

// Options say how a journal is opened. The zero value is ready for use.
type Options struct {
	// SegmentBytes is the length in bytes beyond which a segment is not filled, at most 1 GiB. 0 is DefaultSegmentBytes.
	SegmentBytes int64
	// MinFreeBytes is the free space that Append leaves on the disk: it answers ErrFull rather than go below.
	MinFreeBytes int64
	// FS is the file system. nil is that of this machine.
	FS disk.FS
	// NewEpoch draws an epoch that was never used before. nil draws it from crypto/rand.
	NewEpoch func() Epoch
	// Existing forbids to begin a journal where none is: Open answers ErrMissing.
	Existing bool
	// Quick opens complete segments by their index instead of reading them whole.
	Quick bool
}

func (o Options) withDefaults() (Options, error) {
	if o.SegmentBytes == 0 {
		o.SegmentBytes = DefaultSegmentBytes
	}
	if o.SegmentBytes < 0 || o.SegmentBytes > maxSegmentBytes {
		return o, fmt.Errorf("segments of %d bytes: at most %d are possible", o.SegmentBytes, maxSegmentBytes)
	}
	if o.FS == nil {
		o.FS = disk.Local{}
	}
	if o.NewEpoch == nil {
		o.NewEpoch = randomEpoch
	}
	return o, nil
}

func randomEpoch() (e Epoch) {
	rand.Read(e[:]) // never fails, by its documentation
	return e
}

// Journal is an open journal. Append and BeginEpoch are for one goroutine at a time; everything else may be called from
// any number beside them.
type Journal struct {
	dir  string
	opt  Options
	lock io.Closer
	mark *chain.MarkFile
	torn *TornTail

	writing sync.Mutex // held by whoever changes the journal; guards failed and closed
	failed  error
	closed  bool

	mu       sync.RWMutex // guards the slices, not what is in the segments
	segments []*chain.File
	epochs   []EpochStart
	retired  []*chain.File // were damaged and repaired; closed at the end
}

// TornTail tells what Open cut from the end of the journal. None of it had been acknowledged.
type TornTail struct {
	Segment string
	Offset  int64
	Bytes   int64
	SavedAs string // name of the copy, in the journal's directory
	Reason  string // how it was recognised
}

const (
	lockName  = "LOCK"
	markName  = "COMMITTED"
	epochName = "EPOCH"
)

// Open opens the journal in a directory, and begins one there if there is none. It verifies every byte and cuts a torn
// tail (see Torn). Errors: ErrLocked, ErrMissing, *DamagedError, or what the file system answered.
func Open(dir string, opt Options) (*Journal, error) {
	opt, err := opt.withDefaults()
	if err != nil {
		return nil, err
	}
	if err := opt.FS.MkdirAll(dir); err != nil {
		return nil, fmt.Errorf("making the journal's directory: %w", err)
	}
	lock, err := opt.FS.Lock(filepath.Join(dir, lockName))
	if err != nil {
		return nil, fmt.Errorf("locking the journal: %w", err)
	}
	j := &Journal{dir: dir, opt: opt, lock: lock}
	if err := j.open(); err != nil {
		return nil, errors.Join(fmt.Errorf("opening the journal in %s: %w", dir, err), j.release())
	}
	return j, nil
}

func (j *Journal) open() error {
	found, err := list(j.opt.FS, j.dir)
	if err != nil {
		return err
	}
	if err := j.clean(found.temporary); err != nil {
		return err
	}
	if len(found.segments) == 0 {
		return j.begin(found)
	}
	newest := found.segments[len(found.segments)-1]
	if err := chain.Settle(j.opt.FS, filepath.Join(j.dir, newest)); err != nil {
		return err
	}
	seen, err := inspect(j.opt.FS, j.dir, inspection{minFree: j.opt.MinFreeBytes, quick: j.opt.Quick})
	j.segments, j.epochs = seen.segments, seen.epochs
	if err != nil {
		return err
	}
	if err := j.mend(seen.tail); err != nil {
		return err
	}
	return j.openMark()
}

// clean removes what an interrupted disk.Replace left.
func (j *Journal) clean(temporary []string) error {
	for _, name := range temporary {
		if err := j.opt.FS.Remove(filepath.Join(j.dir, name)); err != nil {
			return fmt.Errorf("removing a leftover: %w", err)
		}
	}
	return nil
}

// begin makes a new journal, or completes the making of one that was interrupted: mark, epoch and segment appear in
// this order, so whoever finds less than all three, and nothing acknowledged, may begin again.
func (j *Journal) begin(found listing) error {
	if err := found.mayBegin(j.opt.FS, j.dir); err != nil {
		return err
	}
	if j.opt.Existing {
		return ErrMissing
	}
	first := EpochStart{Epoch: j.opt.NewEpoch(), Why: WhyFirst, Reason: "the journal began"}
	j.epochs = []EpochStart{first}
	if err := j.openMark(); err != nil {
		return err
	}
	if err := writeEpochs(j.opt.FS, j.dir, j.epochs); err != nil {
		return err
	}
	return j.addSegment(chain.Header{First: 1})
}

// mend cuts a torn tail: first a copy, then the new epoch, then the cut. Whatever is interrupted is done again by the
// next Open.
func (j *Journal) mend(tail chain.Tail) error {
	if tail.Bytes == 0 {
		return nil
	}
	last := j.last()
	torn := &TornTail{
		Segment: last.Name(), Offset: tail.Offset, Bytes: tail.Bytes, Reason: tail.Reason,
		SavedAs: fmt.Sprintf("torn-%s-%d", j.Epoch(), tail.Offset),
	}
	if err := last.SaveTail(tail, filepath.Join(j.dir, torn.SavedAs)); err != nil {
		return err
	}
	reason := fmt.Sprintf("cut %d unacknowledged bytes from %s, kept as %s", torn.Bytes, torn.Segment, torn.SavedAs)
	if err := j.beginEpoch(WhyTorn, reason); err != nil {
		return err
	}
	j.torn = torn
	return last.Cut()
}

// openMark writes the mark anew: all that is in the journal now is durable.
func (j *Journal) openMark() (err error) {
	j.mark, err = chain.CreateMark(j.opt.FS, filepath.Join(j.dir, markName), j.markNow())
	return err
}

func (j *Journal) markNow() chain.Mark {
	head, digest := j.Head()
	return chain.Mark{Of: j.epochs[0].Epoch, Head: head, Digest: digest}
}

// Torn tells what Open cut, if it did.
func (j *Journal) Torn() (TornTail, bool) {
	if j.torn == nil {
		return TornTail{}, false
	}
	return *j.torn, true
}

// Close makes the mark durable and frees the journal. Append and BeginEpoch answer ErrClosed afterwards; reads fail.
func (j *Journal) Close() error {
	j.writing.Lock()
	defer j.writing.Unlock()
	if j.closed {
		return nil
	}
	j.closed = true
	var err error
	if j.failed == nil && j.mark != nil {
		err = j.mark.Sync()
	}
	return errors.Join(err, j.release())
}

func (j *Journal) release() error {
	var errs []error
	for _, segment := range append(j.segments, j.retired...) {
		errs = append(errs, segment.Close())
	}
	if j.mark != nil {
		errs = append(errs, j.mark.Close())
	}
	if j.lock != nil {
		errs = append(errs, j.lock.Close())
	}
	return errors.Join(errs...)
}
