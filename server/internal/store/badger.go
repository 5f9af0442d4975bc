package store

import (
	"errors"
	"fmt"
	"log/slog"
	"strings"

	"github.com/dgraph-io/badger/v4"
	"github.com/dgraph-io/badger/v4/options"
)

// Sizes of the index. Everything fits the write-ahead log and the tables: no
// value comes near badger's value log, whose torn end reads as an empty value.
const (
	defaultMemTable = 32 << 20
	blockCacheBytes = 32 << 20
	indexCacheBytes = 16 << 20
	// One badger transaction takes, for certain, a tenth of the memtable and a row
	// for each KiB of it: it allows 15 %, and a row for each 640 bytes.
	txnShare    = 10
	txnRowBytes = 1 << 10
	// As many tables of the newest rows are merged into the rest at once as badger does
	// by default: keys are digests and random ids, so that each merge writes all of the
	// next level anew. With two, pushing 200,000 visits had a fifth more of the index written.
	// At stallTables writers wait.
	newestTables = 5
	stallTables  = 12
	// maxViewBytes bounds a cached view; a longer one is folded each time.
	maxViewBytes = 512 << 10
)

// openBadger opens the index for Linux, the only system that the server runs on.
//
// SyncWrites is off: the journal is synced before anything is written here, and
// the position up to which the index has come, with the journal's digest there,
// is part of each transaction. What a power cut takes is applied again.
// Encryption is off: rows hold ids; words are in the journal and in sealed views.
// Badger's own lock of the folder is off: whoever opens an index holds the journal, whose
// lock keeps others out, and badger's outlives it for a moment in a program that is just
// being started. An index that was locked so would be built anew.
func openBadger(dir string, memTable int, log *slog.Logger, fatal func(error)) (*badger.DB, error) {
	opt := badger.DefaultOptions(dir).
		WithSyncWrites(false).
		WithChecksumVerificationMode(options.OnBlockRead).
		WithVerifyValueChecksum(true).
		WithNumVersionsToKeep(1).
		WithMemTableSize(int64(memTable)).
		WithNumMemtables(2).
		WithNumLevelZeroTables(newestTables).
		WithNumLevelZeroTablesStall(stallTables).
		WithNumCompactors(2).
		WithValueLogFileSize(int64(2 * memTable)).
		WithBlockCacheSize(blockCacheBytes).
		WithIndexCacheSize(indexCacheBytes).
		WithCompression(options.None).
		WithDetectConflicts(false). // one writer
		WithBypassLockGuard(true).
		WithMetricsEnabled(false).
		WithLogger(badgerLog{log: log, fatal: fatal})
	db, err := badger.Open(opt)
	if err != nil {
		return nil, fmt.Errorf("opening badger: %w", err)
	}
	return db, nil
}

// badgerLog hands badger's words to slog. It reports some failures nowhere else.
type badgerLog struct {
	log   *slog.Logger
	fatal func(error)
}

func (l badgerLog) Errorf(format string, args ...any) {
	message := strings.TrimSpace(fmt.Sprintf(format, args...))
	l.log.Error("index engine", "message", message)
	if strings.Contains(message, "sync") || strings.Contains(message, "flush") {
		l.fatal(errors.New("index engine: " + message))
	}
}

func (l badgerLog) Warningf(format string, args ...any) {
	l.log.Warn("index engine", "message", strings.TrimSpace(fmt.Sprintf(format, args...)))
}

func (l badgerLog) Infof(string, ...any)  {}
func (l badgerLog) Debugf(string, ...any) {}
