// Package keyring keeps one secret key for each record, so that words at rest are sealed and erasing a record means
// destroying its key.
//
// A Ring makes keys (Ensure), uses them (Seal, Unseal) and destroys them (Destroy). A record's key is wrapped by the key
// of its family, a family's by the borough key, which comes from a file (LoadBoroughKey) and is never in the store. All
// sealing and wrapping is AES-256-GCM; wrapping binds the level and the ids. The ring does not know what is sealed, nor
// who may see it.
//
// # Nonces
//
// Nonces are random, 96 bits. That is safe for 2^32 uses of one key (a chance of 2^-32 that two nonces are equal), and
// every record has a key of its own: its changes and views are some thousands. A borough key and a family key wrap as
// many keys as there are families and records under them.
//
// # In the directory
//
//	keys             the store: one file of package chain, whose comment has the format and the rules for torn writes
//	keys.committed   the mark: how far the store was acknowledged
//	keys.torn-<n>    what was cut from the end of the store
//	keys.lock        held while a process has the ring open
//
// The owner's bytes in the header of the store are 16 random bytes that name it and 32 zero bytes wrapped by the borough
// key, by which a wrong borough key is recognised. Its entries are, first byte:
//
//	1  family id (16), wrapped key (60)
//	2  family id (16), record id (16), wrapped key (60)
//	3  family id (16), record id (16): the key was destroyed
//	4  family id (16): the family's key was destroyed, and with it those of its records
//
// A wrapped key is nonce (12), ciphertext (32), tag (16). A destroyed key is gone from the store, which is written anew
// without it; backups of the store have a life of their own and must be short.
package keyring

import (
	"crypto/cipher"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"doorstep/server/internal/chain"
	"doorstep/server/internal/disk"
)

// ID names a record or a family.
type ID [16]byte

// Pair is a record and the family under which it is named. Two families may name one record: each pair has a key of its
// own, so that nobody can claim a record by naming it first.
type Pair struct{ Family, Record ID }

// Errors that callers decide on; they are found by errors.Is.
var (
	// ErrLocked says that another process has the ring open.
	ErrLocked = disk.ErrLocked
	// ErrMissing says that there is no key store, or that there was one and it is gone.
	ErrMissing = errors.New("there is no key store here; if this borough has records, bring it back from a backup")
	// ErrWrongKey says that the borough key is not the one that the store was made with.
	ErrWrongKey = errors.New("the borough key does not open this key store: it is another borough's or another key; " +
		"nothing was changed")
	// ErrDamaged says that bytes of the store are not what was written.
	ErrDamaged = chain.ErrDamaged
	// ErrFull says that there is too little room on the disk. Nothing was written.
	ErrFull = chain.ErrFull
	// ErrFailed says that a write or a sync failed, now or earlier. The process must exit.
	ErrFailed = chain.ErrFailed
	// ErrErased says that the key of the record was destroyed.
	ErrErased = errors.New("the record was erased")
	// ErrUnknownKey says that the ring never had a key for the record.
	ErrUnknownKey = errors.New("no key for this record")
	// ErrTampered says that a ciphertext, or what it is bound to, is not what was sealed.
	ErrTampered = errors.New("sealed bytes are not what was sealed")
	// ErrClosed says that the ring was closed.
	ErrClosed = errors.New("the ring is closed")
)

// Options say how a ring is loaded. The zero value is ready for use.
type Options struct {
	// Create allows to begin a store where none ever was.
	Create bool
	// FS is the file system. nil is that of this machine.
	FS disk.FS
	// Rand gives keys and nonces. nil is crypto/rand. It is read by one goroutine at a time.
	Rand io.Reader
	// CachedKeys is how many unwrapped record keys, and as many family keys, are kept ready. 0 is 4096, about 1 KB each.
	CachedKeys int
	// MinFreeBytes is the free space that the ring leaves on the disk: Ensure answers ErrFull rather than go below.
	MinFreeBytes int64
}

const defaultCachedKeys = 4096

func (o Options) withDefaults() Options {
	if o.FS == nil {
		o.FS = disk.Local{}
	}
	if o.Rand == nil {
		o.Rand = rand.Reader
	} else {
		o.Rand = &oneAtATime{source: o.Rand}
	}
	if o.CachedKeys == 0 {
		o.CachedKeys = defaultCachedKeys
	}
	return o
}

// oneAtATime lets goroutines share a source of randomness that is not made for it.
type oneAtATime struct {
	mu     sync.Mutex // guards source
	source io.Reader
}

// Read implements io.Reader; it fills all of b.
func (r *oneAtATime) Read(b []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return io.ReadFull(r.source, b)
}

// Ring is a loaded key store. All methods may be called from any number of goroutines.
type Ring struct {
	dir     string
	opt     Options
	borough cipher.AEAD
	lock    io.Closer
	torn    *TornTail

	writing sync.Mutex // held by whoever writes the store; guards file, id, mark, failed and closed
	file    *chain.File
	id      ID // of the store
	mark    *chain.MarkFile
	failed  error
	closed  bool

	destroyed atomic.Uint64 // counts when keys were destroyed

	joining sync.Mutex // guards next
	next    *batch     // what the next write will hold

	mu    sync.RWMutex // guards table
	table table

	families *cache[ID]
	records  *cache[Pair]
}

// TornTail tells what Load cut from the end of the store: keys that were never acknowledged.
type TornTail struct {
	Offset  int64
	Bytes   int64
	SavedAs string // name of the copy, in the ring's directory
	Reason  string // how it was recognised
}

const (
	storeName  = "keys"
	lockName   = "keys.lock"
	markName   = "keys.committed"
	tornPrefix = "keys.torn-"
)

func storeKind() [8]byte { return [8]byte([]byte("DSkeys 1")) }

// Format is the version of the store's format that this program writes and reads.
func Format() int { return chain.Version(storeKind()) }

// FormatOf is the version of the key store in dir.
func FormatOf(fsys disk.FS, dir string) (int, error) {
	kind, err := chain.ReadKind(fsys, filepath.Join(dir, storeName))
	return chain.Version(kind), err
}

// Load opens the key store in a directory and verifies every byte of it. Where there is none it answers ErrMissing, or
// with Options.Create makes one; where there are traces of one that is gone, always ErrMissing. Other errors: ErrLocked,
// ErrWrongKey, one that is an ErrDamaged, or what the file system answered. None of them changes anything.
func Load(dir string, borough Key, opt Options) (*Ring, error) {
	opt = opt.withDefaults()
	wrapper, err := newAEAD(borough[:])
	if err != nil {
		return nil, err
	}
	if err := opt.FS.MkdirAll(dir); err != nil {
		return nil, fmt.Errorf("making the directory of the key store: %w", err)
	}
	lock, err := opt.FS.Lock(filepath.Join(dir, lockName))
	if err != nil {
		return nil, fmt.Errorf("locking the key store: %w", err)
	}
	r := &Ring{
		dir: dir, opt: opt, borough: wrapper, lock: lock, table: newTable(),
		families: newCache[ID](opt.CachedKeys), records: newCache[Pair](opt.CachedKeys),
	}
	if err := r.load(); err != nil {
		return nil, errors.Join(fmt.Errorf("loading the keys in %s: %w", dir, err), r.release())
	}
	return r, nil
}

func (r *Ring) load() error {
	names, err := r.opt.FS.ReadDir(r.dir)
	if err != nil {
		return fmt.Errorf("listing the key store: %w", err)
	}
	exists, traces := false, 0
	for _, name := range names {
		switch {
		case name == storeName:
			exists = true
		case name == markName || strings.HasPrefix(name, tornPrefix):
			traces++
		}
	}
	if exists {
		if err := r.open(names); err != nil {
			return err
		}
	} else if traces > 0 || !r.opt.Create {
		return ErrMissing
	} else if r.file, r.id, err = r.newStore(r.path(storeName)); err != nil {
		return err
	}
	r.mark, err = chain.CreateMark(r.opt.FS, r.path(markName), r.markNow())
	return err
}

// open reads the store that is there.
func (r *Ring) open(names []string) error {
	path := r.path(storeName)
	if err := chain.Settle(r.opt.FS, path); err != nil {
		return err
	}
	file, tail, err := chain.Open(r.opt.FS, path, r.chainOptions(func(_ chain.Position, payload []byte) error {
		return r.table.decode(payload)
	}))
	if err != nil {
		return err
	}
	r.file = file
	if r.id, err = r.checkBorough(file.Header()); err != nil {
		return err
	}
	if err := r.checkMark(tail); err != nil {
		return err
	}
	return r.mend(names, tail)
}

// checkMark verifies that everything acknowledged is there and that the tail is nothing or torn. A mark of another store
// is one that a destruction, interrupted, did not come to write anew.
func (r *Ring) checkMark(tail chain.Tail) error {
	mark, readable, err := chain.ReadMark(r.opt.FS, r.path(markName))
	if err != nil {
		return err
	}
	if tail.Bytes > 0 && !tail.Torn {
		return r.file.Damaged(tail)
	}
	if !readable || mark.Of != r.id {
		return nil
	}
	head, _ := r.file.Head()
	digest, err := r.file.DigestAt(min(mark.Head, head))
	if err == nil && (mark.Head > head || digest != mark.Digest) {
		tail.Reason = fmt.Sprintf("%d keys were acknowledged and are not all there; nothing was cut; bring the store back"+
			" from a backup", mark.Head)
		return r.file.Damaged(tail)
	}
	return err
}

// mend removes what was interrupted: a half-written new store, and a torn tail after copying it.
func (r *Ring) mend(names []string, tail chain.Tail) error {
	for _, name := range names {
		if !strings.HasPrefix(name, storeName) || !strings.HasSuffix(name, disk.TempSuffix) {
			continue
		}
		if err := r.opt.FS.Remove(r.path(name)); err != nil {
			return fmt.Errorf("removing a leftover: %w", err)
		}
	}
	if tail.Bytes == 0 {
		return nil
	}
	torn := &TornTail{Offset: tail.Offset, Bytes: tail.Bytes, Reason: tail.Reason, SavedAs: tornPrefix + "1"}
	for n := 2; slices.Contains(names, torn.SavedAs); n++ {
		torn.SavedAs = fmt.Sprint(tornPrefix, n)
	}
	if err := r.file.SaveTail(tail, r.path(torn.SavedAs)); err != nil {
		return err
	}
	r.torn = torn
	return r.file.Cut()
}

// newStore makes an empty store at a path.
func (r *Ring) newStore(path string) (*chain.File, ID, error) {
	var id ID
	if _, err := io.ReadFull(r.opt.Rand, id[:]); err != nil {
		return nil, id, fmt.Errorf("drawing the name of the store: %w", err)
	}
	check, err := wrap(r.borough, r.opt.Rand, checkContext(id), make([]byte, keyBytes))
	if err != nil {
		return nil, id, err
	}
	header := chain.Header{First: 1}
	copy(header.Owner[:], append(id[:], check[:]...))
	file, err := chain.Create(r.opt.FS, path, header, r.chainOptions(nil))
	return file, id, err
}

func (r *Ring) checkBorough(header chain.Header) (ID, error) {
	id := ID(header.Owner[:])
	if _, err := unwrap(r.borough, checkContext(id), wrapped(header.Owner[len(id):])); err != nil {
		return id, ErrWrongKey
	}
	return id, nil
}

func (r *Ring) chainOptions(visit func(chain.Position, []byte) error) chain.Options {
	return chain.Options{Kind: storeKind(), MinFreeBytes: r.opt.MinFreeBytes, Visit: visit}
}

func (r *Ring) markNow() chain.Mark {
	head, digest := r.file.Head()
	return chain.Mark{Of: r.id, Head: head, Digest: digest}
}

func (r *Ring) path(name string) string { return filepath.Join(r.dir, name) }

// Torn tells what Load cut, if it did.
func (r *Ring) Torn() (TornTail, bool) {
	if r.torn == nil {
		return TornTail{}, false
	}
	return *r.torn, true
}

// Close makes the mark durable and frees the store. Keys that are in memory go on working until then.
func (r *Ring) Close() error {
	r.writing.Lock()
	defer r.writing.Unlock()
	if r.closed {
		return nil
	}
	r.closed = true
	var err error
	if r.failed == nil {
		err = r.mark.Sync()
	}
	return errors.Join(err, r.release())
}

func (r *Ring) release() error {
	var errs []error
	if r.file != nil {
		errs = append(errs, r.file.Close())
	}
	if r.mark != nil {
		errs = append(errs, r.mark.Close())
	}
	return errors.Join(append(errs, r.lock.Close())...)
}

// writable answers why the store may not be written. The caller holds writing.
func (r *Ring) writable() error {
	if r.closed {
		return ErrClosed
	}
	return r.failed
}
