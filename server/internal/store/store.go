// Package store is the index that everything reads from: where each change is in
// the journal, what became of it, what each family's feed holds, what records
// add up to. It hides badger; no other package imports it.
//
// The journal holds the words; the Store holds nothing that the journal and the
// keys cannot give back. Entries are applied in a Tx, a pure function of what is
// there, the entry and its position; a Reader is one consistent sight of the
// result. State is who may do what: it is folded into memory at every start. An
// index that is behind catches up; one that is ahead of the journal, differs
// from it or is damaged is moved aside and built anew.
//
// The package decides only what the order alone decides (Judge): which status a
// change gets, who may see a feed and what a seal needs is for exchange, access
// and finalise.
package store

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"

	"doorstep/server/internal/audit"
	"doorstep/server/internal/progress"
	"doorstep/server/internal/store/indexfiles"
	"doorstep/syncproto"

	"github.com/dgraph-io/badger/v4"
)

// Source is the journal, as far as the index reads it.
type Source interface {
	// Head returns the last durable position, 0 if none, and the digest there.
	Head() (uint64, [32]byte)
	// DigestAt returns the digest after the entry at a position.
	DigestAt(position uint64) ([32]byte, error)
	// Read returns the payload at a position, checked against its digest.
	Read(position uint64) ([]byte, error)
}

// Options are what Open needs. All fields but Holds, MemTableBytes, Table and Progress
// are required.
type Options struct {
	// Progress is told how far the opening is; nil: nobody wants to know.
	Progress *progress.Meter
	// Rebuild builds the index anew, whatever there is.
	Rebuild bool
	Source  Source
	Sealer  Sealer
	Log     *slog.Logger
	// OnFatal is told when the index must not be used any more: it is damaged or
	// could not be written. The process should end; the next start repairs it.
	OnFatal func(error)
	// Holds says what a basis is worth to a role: whether it is a footing with a
	// family at all, and whether records may then be on a tablet; nil: always both.
	// It must be pure.
	Holds func(role, basis string) (reads, carries bool)
	// MemTableBytes is the size of badger's tables in memory, at least 8 MiB; 0: 32
	// MiB. Twice that is taken at once, and a larger group takes several
	// transactions.
	MemTableBytes int
	// Table is the beginning of the hash of the access table, for the audit log.
	Table audit.Table
}

// Store is an open index. Begin, BeginAfter and Tx are the sequencer's, Commit of one
// group beside staging into the next; everything else is safe for concurrent use.
type Store struct {
	dir   string
	opt   Options
	db    *badger.DB
	seen  moments // of db
	state *State

	absence *absence

	applied meta   // the sequencer's
	clockMS int64  // the sequencer's
	rows    int    // the sequencer's: how many rows the next group may have
	marked  uint64 // the sequencer's: up to where the landmarks were written

	// whole is held while a group is written in several transactions, so that nobody
	// gets a sight of half of it.
	whole sync.RWMutex

	looked atomic.Uint64 // rows, since the start
	opened atomic.Bool   // before, damage only means to build anew
	damage sync.Once
}

const (
	rebuildName = "REBUILD"  // in the index: it is to be built anew
	openingName = "OPENING"  // in the index: badger is opening it, or ended the process over it
	asideSuffix = ".damaged" // of the index that was moved aside last
)

// codeRebuilt is the code of the log's line about an index that is built anew.
const codeRebuilt = "index_rebuilt"

// Open opens the index in a directory and brings it up to the journal's head. It
// reads every control entry and everything that the index lacks.
func Open(dir string, opt Options) (*Store, error) {
	if opt.Source == nil || opt.Sealer == nil || opt.Log == nil || opt.OnFatal == nil {
		return nil, errors.New("store: Source, Sealer, Log and OnFatal must be set")
	}
	if opt.Holds == nil {
		opt.Holds = func(string, string) (bool, bool) { return true, true }
	}
	if opt.MemTableBytes == 0 {
		opt.MemTableBytes = defaultMemTable
	}
	s := &Store{dir: dir, opt: opt}
	_, err := os.Stat(filepath.Join(dir, rebuildName))
	if marked := err == nil; marked || opt.Rebuild {
		opt.Log.Error("the index is built anew", "code", codeRebuilt, "damaged", marked)
		if err := s.moveAside(); err != nil {
			return nil, err
		}
	}
	if err := s.openAndRecover(); err != nil {
		if !errors.Is(err, errUnusable) && !errors.Is(err, ErrDamaged) {
			return nil, errors.Join(err, s.Close())
		}
		opt.Log.Error("the index cannot be used and is built anew", "code", codeRebuilt, "reason", err.Error())
		if err := errors.Join(s.Close(), s.moveAside()); err != nil {
			return nil, err
		}
		if err := s.openAndRecover(); err != nil {
			return nil, errors.Join(err, s.Close())
		}
	}
	s.opened.Store(true)
	return s, nil
}

// errUnusable says why an index does not belong to the journal.
var errUnusable = errors.New("index does not match the journal")

func (s *Store) openAndRecover() error {
	if err := os.MkdirAll(s.dir, 0o700); err != nil {
		return fmt.Errorf("making the index directory: %w", err)
	}
	s.state = newState(s.opt.Holds)
	s.absence = &absence{}
	s.applied = meta{}
	if err := s.openIndex(); err != nil {
		return fmt.Errorf("%w: %w", errUnusable, err)
	}
	return s.recover()
}

// openIndex opens badger over files that are sound. What it ends the process over
// all the same, it does not meet twice: a mark that it left there means to build
// anew.
func (s *Store) openIndex() error {
	mark := filepath.Join(s.dir, openingName)
	if _, err := os.Stat(mark); err == nil {
		return errors.New("the process ended while the index was opened")
	}
	if err := indexfiles.Check(s.dir); err != nil {
		return err
	}
	if err := os.WriteFile(mark, nil, 0o600); err != nil {
		return fmt.Errorf("marking the index as being opened: %w", err)
	}
	db, err := openBadger(s.dir, s.opt.MemTableBytes, s.opt.Log, s.opt.OnFatal)
	if err != nil {
		return err
	}
	s.db = db
	s.seen.renew(db)
	if err := os.Remove(mark); err != nil {
		return fmt.Errorf("removing the mark of the opening: %w", err)
	}
	return nil
}

// moveAside keeps the unusable index, in place of one kept before, for whoever
// wants to know why.
func (s *Store) moveAside() error {
	aside := s.dir + asideSuffix
	if err := os.RemoveAll(aside); err != nil {
		return fmt.Errorf("removing an older damaged index: %w", err)
	}
	if err := os.Rename(s.dir, aside); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("moving the damaged index aside: %w", err)
	}
	return nil
}

// Close closes the index. The next start is quicker for it.
func (s *Store) Close() error {
	if s.db == nil {
		return nil
	}
	if s.opened.Load() && s.marked < s.applied.position {
		s.writeLandmarks()
	}
	s.absence.end()
	s.seen.end()
	db := s.db
	s.db = nil
	if err := db.Close(); err != nil {
		return fmt.Errorf("closing the index: %w", err)
	}
	return nil
}

// State is what control entries add up to.
func (s *Store) State() *State { return s.state }

// Applied returns how far the index has got and the journal's digest there. It
// is for the sequencer, and for tests when nothing is written.
func (s *Store) Applied() (uint64, [32]byte) { return s.applied.position, s.applied.digest }

// noteDamage marks the index to be built anew at the next start.
func (s *Store) noteDamage(err error) {
	if !s.opened.Load() {
		return
	}
	s.damage.Do(func() {
		s.opt.Log.Error("the index is damaged; it is built anew at the next start", "reason", err.Error())
		if err := os.WriteFile(filepath.Join(s.dir, rebuildName), nil, 0o600); err != nil {
			s.opt.Log.Error("marking the damaged index", "reason", err.Error())
		}
		s.opt.OnFatal(fmt.Errorf("index: %w", err))
	})
}

// Read calls fn with one consistent sight of the index, which is as new as
// State().Head() was before the call, or newer. The Reader ends with the call.
func (s *Store) Read(fn func(*Reader) error) error {
	seen := s.seen.take()
	defer s.seen.release(seen)
	return fn(&Reader{rows: snapshot{txn: seen.txn, store: s, known: new(uint64)}, seal: s.opt.Sealer, absence: s.absence})
}

// read is Read for one value.
func read[T any](s *Store, fn func(*Reader) (T, error)) (T, error) {
	var out T
	err := s.Read(func(r *Reader) (err error) {
		out, err = fn(r)
		return err
	})
	return out, err
}

// Change is Reader.Change on the newest state.
func (s *Store) Change(id syncproto.ChangeID) (ChangeRef, error) {
	return read(s, func(r *Reader) (ChangeRef, error) { return r.Change(id) })
}

// Chain is Reader.Chain on the newest state.
func (s *Store) Chain(actor syncproto.ActorID) (ChainInfo, error) {
	return read(s, func(r *Reader) (ChainInfo, error) { return r.Chain(actor) })
}

// RecordInfo is Reader.RecordInfo on the newest state.
func (s *Store) RecordInfo(record syncproto.RecordID) (RecordInfo, error) {
	return read(s, func(r *Reader) (RecordInfo, error) { return r.RecordInfo(record) })
}

// RecordOrNot is Reader.RecordOrNot on the newest state.
func (s *Store) RecordOrNot(record syncproto.RecordID) (RecordInfo, error) {
	return read(s, func(r *Reader) (RecordInfo, error) { return r.RecordOrNot(record) })
}

// RowsRead is how many rows were looked up in the index, on the disk or in its caches,
// since the start.
func (s *Store) RowsRead() uint64 { return s.looked.Load() }

// RecordsOf is Reader.RecordsOf on the newest state.
func (s *Store) RecordsOf(family syncproto.FamilyID, kind string) ([]syncproto.RecordID, error) {
	return read(s, func(r *Reader) ([]syncproto.RecordID, error) { return r.RecordsOf(family, kind) })
}

// Unplaced is Reader.Unplaced on the newest state.
func (s *Store) Unplaced(family syncproto.FamilyID, record syncproto.RecordID) ([]ChangeRef, error) {
	return read(s, func(r *Reader) ([]ChangeRef, error) { return r.Unplaced(family, record) })
}

// Quarantined is Reader.Quarantined on the newest state.
func (s *Store) Quarantined(family syncproto.FamilyID) ([]ChangeRef, error) {
	return read(s, func(r *Reader) ([]ChangeRef, error) { return r.Quarantined(family) })
}

// AllUnplaced lists the changes of all records that are held or in quarantine.
func (s *Store) AllUnplaced() ([]ChangeRef, error) {
	return read(s, func(r *Reader) ([]ChangeRef, error) {
		ids, err := r.ids([]byte{keyUnplaced})
		if err != nil {
			return nil, err
		}
		return r.changes(ids)
	})
}

// HeldFor lists the changes of all records that are held for a reason.
func (s *Store) HeldFor(code syncproto.Code) ([]syncproto.ChangeID, error) {
	unplaced, err := s.AllUnplaced()
	var out []syncproto.ChangeID
	for _, c := range unplaced {
		if c.Status == syncproto.StatusHeld && c.Code == code {
			out = append(out, c.ID)
		}
	}
	return out, err
}
