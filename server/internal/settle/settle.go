// Package settle writes into the journal what a start and a new epoch have to say
// before anything is served: the run of the server, the epochs that the journal began
// by itself, the access table that decides, and what was erased and a restored journal
// does not know of. A Settler does that; EraseAgain comes before it, when the
// keys are there and nothing else is.
//
// It decides nothing about when an epoch begins: the journal does at a torn end, a
// restore does, and a device that was further than the journal makes the server ask
// for one (BeginEpoch).
package settle

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"doorstep/server/internal/audit"
	"doorstep/server/internal/disk"
	"doorstep/server/internal/erasure"
	"doorstep/server/internal/journal"
	"doorstep/server/internal/store"
	"doorstep/syncproto"
)

// Ledger orders and keeps entries: an *exchange.Ledger.
type Ledger interface {
	Propose(ctx context.Context, decide func(tx *store.Tx) ([]store.Entry, error)) (uint64, error)
}

// Config is what New needs. All fields are required.
type Config struct {
	Journal *journal.Journal
	Audit   *audit.Log
	Store   *store.Store
	Ledger  Ledger
	Erased  *erasure.List
	Table   [32]byte // hash of the access table that decides
	Now     func() time.Time
}

// Settler writes down what a start has to say. It is safe for concurrent use.
type Settler struct {
	cfg    Config
	epochs sync.Mutex // held while a new epoch begins
}

// New returns a Settler.
func New(cfg Config) *Settler { return &Settler{cfg: cfg} }

// Start writes down that a server begins to work on the journal, under the id that its
// cursors will carry, and then epochs, access table and erasures, as a start must
// before it serves. The run comes first: what a start writes must not count with the
// run before, or a cursor of a lost future might be of just that position and pass for
// one of that run. It fails with audit.ErrOtherHistory, and writes nothing, if the
// journal lost what its own last checkpoint covers and began no epoch since that tells of a
// loss: then it was tampered with, or a backup was put in place by hand, and the server must not go on.
func (s *Settler) Start(ctx context.Context, run syncproto.ID) error {
	if err := s.declareEpochs(ctx, store.RunEntry{ID: run}); err != nil {
		return err
	}
	return s.declareErasures(ctx)
}

// MayWait reports whether a server may answer, from what there is, before Start has
// found room to write: no epoch and no loss is undeclared of which tablets must hear.
func (s *Settler) MayWait() bool {
	lost, isLost := s.cfg.Audit.Lost()
	return len(s.undeclared()) == 0 && (!isLost || s.declared(lost))
}

// OlderCopy is the reason of an epoch that began because the journal turned out to be
// an older copy, which somebody had put back without a word.
const OlderCopy = "a device was further than the journal: it is an older copy"

// BeginEpoch begins an epoch while the server runs, as one must when a device proves
// that the journal is an older copy, and returns the one that the journal is in then.
// Two devices that say so at once begin one: was is the epoch that ends. Nobody is to
// be answered in an epoch that the journal does not speak of: where that could not be
// written, as on a full disk, the epoch is there and the next device tries again.
func (s *Settler) BeginEpoch(ctx context.Context, was syncproto.Epoch) (syncproto.Epoch, error) {
	s.epochs.Lock()
	defer s.epochs.Unlock()
	if syncproto.Epoch(s.cfg.Journal.Epoch()) == was {
		if err := s.cfg.Journal.BeginEpoch(journal.WhyOlder, OlderCopy); err != nil {
			return was, err
		}
	}
	if err := s.declareEpochs(ctx); err != nil {
		return was, err
	}
	return syncproto.Epoch(s.cfg.Journal.Epoch()), nil
}

// Anchor binds what the access log has gained into the borough's log.
func (s *Settler) Anchor(ctx context.Context, accesses *audit.AccessLog) error {
	head, err := accesses.Settle()
	if err != nil || head == s.cfg.Store.State().Anchor() || head.Size == 0 {
		return err
	}
	return s.propose(ctx, []store.Entry{store.AnchorEntry{TreeHead: head}})
}

func (s *Settler) propose(ctx context.Context, entries []store.Entry) error {
	if len(entries) == 0 {
		return nil
	}
	_, err := s.cfg.Ledger.Propose(ctx, func(*store.Tx) ([]store.Entry, error) { return entries, nil })
	return err
}

// declareEpochs writes down the epochs that no entry speaks of, after what comes first.
func (s *Settler) declareEpochs(ctx context.Context, first ...store.Entry) error {
	epochs := s.undeclared()
	lost, isLost := s.cfg.Audit.Lost()
	if isLost && !s.declared(lost) && !explain(epochs, lost) {
		return fmt.Errorf("%w: the last checkpoint was over %d entries; if a backup was put in place by hand, restore it with doorstep restore",
			audit.ErrOtherHistory, lost.Size)
	}
	var entries []store.Entry
	for _, e := range epochs {
		entries = append(entries, e)
	}
	if s.cfg.Store.State().TableHash() != s.cfg.Table {
		entries = append(entries, store.TableEntry{Hash: s.cfg.Table})
	}
	if err := s.propose(ctx, slices.Concat(first, entries)); err != nil {
		return fmt.Errorf("declaring an epoch: %w", err)
	}
	if isLost {
		s.cfg.Audit.Declare()
	} else if len(entries) == 0 {
		return nil
	}
	_, err := s.cfg.Audit.Keep(s.cfg.Now()) // in place of the one that was lost, if any was
	return err
}

// explain names a checkpoint that was lost in the newest of these epochs that may lack
// what was there before. It answers false if there is none: a torn end explains no
// loss of what was shown.
func explain(epochs []store.EpochEntry, lost syncproto.Checkpoint) bool {
	for i := range slices.Backward(epochs) {
		if epochs[i].Why.MayLack() {
			epochs[i].Known = lost.TreeHead
			return true
		}
	}
	return false
}

// declared reports whether an entry speaks of a checkpoint that was lost: a server
// that was killed right after a restore has yet to keep another.
func (s *Settler) declared(lost syncproto.Checkpoint) bool {
	return slices.ContainsFunc(s.cfg.Store.State().Epochs(), func(e store.EpochEntry) bool { return e.Known == lost.TreeHead })
}

// undeclared lists the epochs that no entry of the journal speaks of yet.
func (s *Settler) undeclared() (epochs []store.EpochEntry) {
	declared := map[syncproto.Epoch]bool{}
	for _, e := range s.cfg.Store.State().Epochs() {
		declared[e.Epoch] = true
	}
	for _, e := range s.cfg.Journal.Epochs() {
		if !declared[syncproto.Epoch(e.Epoch)] {
			epochs = append(epochs, store.EpochEntry{Epoch: syncproto.Epoch(e.Epoch), From: uint64(e.From), Why: store.EpochWhy(e.Why)})
		}
	}
	return epochs
}

// declareErasures writes down again what was erased and this journal, restored from
// before that, does not know of: its readers and their tablets must hear of it.
func (s *Settler) declareErasures(ctx context.Context) error {
	state := s.cfg.Store.State()
	var entries []store.Entry
	for _, p := range s.cfg.Erased.All() {
		if !state.IsErased(p.Family, p.Record) {
			entries = append(entries, store.EraseEntry{Scope: "restored", Family: p.Family, Record: p.Record, AtMS: s.cfg.Now().UnixMilli()})
		}
	}
	if err := s.propose(ctx, entries); err != nil {
		return fmt.Errorf("erasing again what was erased: %w", err)
	}
	return nil
}

// EraseAgain erases what was erased before, should a key store that came back from a
// backup have brought it back, and returns the list of it. It runs before anything is
// served. Each folder holds all of the list: beside the data, and beside the backups,
// for a machine that lost the first.
func EraseAgain(fsys disk.FS, state *store.State, keys erasure.Keys, folders ...string) (*erasure.List, error) {
	list, err := erasure.OpenList(fsys, folders...)
	if err != nil {
		return nil, err
	}
	var besides []store.KeyPair
	for _, e := range state.Erasures() {
		besides = append(besides, store.KeyPair{Family: e.Family, Record: e.Record})
	}
	return list, list.Replay(keys, besides)
}
