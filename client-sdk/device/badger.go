package device

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"

	"github.com/dgraph-io/badger/v4"
	"github.com/dgraph-io/badger/v4/options"

	"doorstep/client-sdk/engine"
)

// Settings of badger for a small device.
const (
	// memTableBytes: a transaction takes 15 % of a memtable, and Apply is one.
	memTableBytes = 32 << 20
	// valueThreshold keeps every row in the tree, where a draft that is written
	// again and again is tidied up; the value log would only grow, and reads as
	// empty where it is damaged.
	valueThreshold  = 512 << 10
	valueLogBytes   = 16 << 20
	blockCacheBytes = 8 << 20
	// freeFloorBytes is kept free: badger writes through mapped files and dies
	// with the process when the disk is full.
	freeFloorBytes = 64 << 20
)

// Badger is a Store in a folder, by one process at a time. It keeps its promise
// on Linux: on Windows badger does not sync its files.
type Badger struct {
	dir string

	mu      sync.Mutex
	db      *badger.DB // nil once closed; guarded by mu
	count   uint64     // writes so far; guarded by mu
	counter *os.File   // guarded by mu
	log     *badgerLog
}

// BadgerOptions are rarely needed.
type BadgerOptions struct {
	// AcceptLoss opens a store whose last writes are missing. The words in them
	// are gone from this device; the server finds the gap and the device goes
	// on under a new actor.
	AcceptLoss bool
}

// The two kinds of badger key: rows, and the count of writes.
const (
	prefixRow   = 'r'
	prefixCount = 'n'
)

// OpenBadger opens the store in dir, making it if it is not there. It fails with
// a DamageError when writes are missing that this device had made durable.
func OpenBadger(dir string, opts BadgerOptions) (*Badger, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("open store: %w", err)
	}
	db, log, err := openRows(filepath.Join(dir, "rows"))
	if err != nil {
		return nil, fmt.Errorf("open store: %w", err)
	}
	b := &Badger{dir: dir, db: db, log: log}
	if err := b.openCounter(opts); err != nil {
		return nil, errors.Join(err, b.Close())
	}
	return b, nil
}

func badgerOptions(dir string, log *badgerLog) badger.Options {
	return badger.DefaultOptions(dir).
		WithSyncWrites(true).
		WithChecksumVerificationMode(options.OnBlockRead).
		WithVerifyValueChecksum(true).
		WithNumVersionsToKeep(1).
		WithMemTableSize(memTableBytes).
		WithNumMemtables(2).
		WithNumLevelZeroTables(2).
		WithNumLevelZeroTablesStall(6).
		WithNumCompactors(2).
		WithValueThreshold(valueThreshold).
		WithValueLogFileSize(valueLogBytes).
		WithBlockCacheSize(blockCacheBytes).
		WithCompression(options.None).
		WithDetectConflicts(false). // one writer
		WithMetricsEnabled(false).
		WithLogger(log)
}

// openRows opens badger. A process that is killed between making a log and giving it
// its size leaves an empty file. Badger fails over it, having made a log of it by
// then: so that it opens the next time. Nothing is lost with it: what a damage
// emptied, the count of writes tells.
func openRows(dir string) (*badger.DB, *badgerLog, error) {
	tries := 1 + emptyLogs(dir)
	for {
		log := &badgerLog{} // what failed before does not count
		db, err := badger.Open(badgerOptions(dir, log))
		if tries--; err == nil || tries == 0 {
			return db, log, err
		}
	}
}

func emptyLogs(dir string) (n int) {
	for _, pattern := range []string{"*.mem", "*.vlog"} {
		names, _ := filepath.Glob(filepath.Join(dir, pattern)) // the patterns are sound
		for _, name := range names {
			if info, err := os.Stat(name); err == nil && info.Size() == 0 {
				n++
			}
		}
	}
	return n
}

// openCounter compares the count of writes in the store with the one in a file
// beside it. Badger cuts off whatever follows a damaged place in its last file
// and says nothing; the count does. The file is not synced: it may be behind
// after a power cut, never ahead of what was made durable.
func (b *Badger) openCounter(opts BadgerOptions) error {
	err := b.db.View(func(txn *badger.Txn) error {
		item, err := txn.Get([]byte{prefixCount})
		if errors.Is(err, badger.ErrKeyNotFound) {
			return nil
		}
		if err != nil {
			return err
		}
		return item.Value(func(v []byte) error {
			n, err := checkSum([]byte{prefixCount}, v)
			if err == nil {
				b.count = binary.BigEndian.Uint64(n)
			}
			return err
		})
	})
	if err != nil {
		return fmt.Errorf("open store: %w", err)
	}
	b.counter, err = os.OpenFile(filepath.Join(b.dir, "writes"), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return fmt.Errorf("open store: %w", err)
	}
	beside := readCounter(b.counter)
	if beside > b.count && !opts.AcceptLoss {
		return &DamageError{Lost: beside - b.count}
	}
	b.count = max(b.count, beside)
	return nil
}

// readCounter reads a count written twice, once inverted; 0 if it is not whole.
func readCounter(f *os.File) uint64 {
	var buf [16]byte
	if _, err := f.ReadAt(buf[:], 0); err != nil {
		return 0
	}
	n, inverted := binary.BigEndian.Uint64(buf[:8]), binary.BigEndian.Uint64(buf[8:])
	if n != ^inverted {
		return 0
	}
	return n
}

func writeCounter(f *os.File, n uint64) error {
	var buf [16]byte
	binary.BigEndian.PutUint64(buf[:8], n)
	binary.BigEndian.PutUint64(buf[8:], ^n)
	_, err := f.WriteAt(buf[:], 0)
	return err
}

// Apply implements Store.
func (b *Badger) Apply(rows []engine.Row) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.db == nil {
		return ErrClosed
	}
	if free, known := freeBytes(b.dir); known && free < freeFloorBytes {
		return ErrFull
	}
	if err := b.db.Update(func(txn *badger.Txn) error { return b.write(txn, rows) }); err != nil {
		return fmt.Errorf("write rows: %w", err)
	}
	if b.log.failed.Load() {
		return errors.New("write rows: badger could not sync its files")
	}
	b.count++
	if err := writeCounter(b.counter, b.count); err != nil {
		return fmt.Errorf("count the write: %w", err)
	}
	return nil
}

func (b *Badger) write(txn *badger.Txn, rows []engine.Row) error {
	for _, r := range rows {
		key := append([]byte{prefixRow}, r.Key...)
		var err error
		if r.Value == nil {
			err = txn.Delete(key)
		} else {
			err = txn.Set(key, withSum(r.Key, r.Value))
		}
		if err != nil {
			return err
		}
	}
	count := []byte{prefixCount}
	return txn.Set(count, withSum(count, binary.BigEndian.AppendUint64(nil, b.count+1)))
}

// Load implements Store.
func (b *Badger) Load(fn func(key, value []byte) error) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.db == nil {
		return ErrClosed
	}
	return b.db.View(func(txn *badger.Txn) error {
		it := txn.NewIterator(badger.IteratorOptions{PrefetchValues: true, PrefetchSize: 64, Prefix: []byte{prefixRow}})
		defer it.Close()
		for it.Rewind(); it.Valid(); it.Next() {
			key := it.Item().KeyCopy(nil)[1:]
			stored, err := it.Item().ValueCopy(nil)
			if err != nil {
				return &DamageError{Kind: kindOf(key)}
			}
			value, err := checkSum(key, stored)
			if err != nil {
				return err
			}
			if err := fn(key, value); err != nil {
				return err
			}
		}
		return nil
	})
}

// Close implements Store.
func (b *Badger) Close() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.db == nil {
		return nil
	}
	err := b.db.Close()
	b.db = nil
	if b.counter != nil {
		err = errors.Join(err, b.counter.Close())
	}
	return err
}

// badgerLog drops badger's messages, but remembers an error: it logs a failed
// sync of its value log, and reports success to the writer.
type badgerLog struct{ failed atomic.Bool }

func (l *badgerLog) Errorf(string, ...any)   { l.failed.Store(true) }
func (l *badgerLog) Warningf(string, ...any) {}
func (l *badgerLog) Infof(string, ...any)    {}
func (l *badgerLog) Debugf(string, ...any)   {}
