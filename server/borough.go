package server

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"sync"
	"time"

	"doorstep/server/internal/access"
	"doorstep/server/internal/audit"
	"doorstep/server/internal/auth"
	"doorstep/server/internal/backup"
	"doorstep/server/internal/chain"
	"doorstep/server/internal/delivery"
	"doorstep/server/internal/desk"
	"doorstep/server/internal/doors"
	"doorstep/server/internal/erasure"
	"doorstep/server/internal/exchange"
	"doorstep/server/internal/finalise"
	"doorstep/server/internal/journal"
	"doorstep/server/internal/keyring"
	"doorstep/server/internal/progress"
	"doorstep/server/internal/reading"
	"doorstep/server/internal/scrub"
	"doorstep/server/internal/secondcopy"
	"doorstep/server/internal/settle"
	"doorstep/server/internal/store"
	"doorstep/server/internal/store/backing"
	"doorstep/server/internal/tracing"
	"doorstep/syncproto"
)

// Folders below data.dir.
const (
	journalFolder = "journal"
	keysFolder    = "keys"
	indexFolder   = "index"
	auditFolder   = "audit"
	accessFolder  = "access" // the journal of who looked at what
)

// boroughRef is the kind of reference under which the data remembers whose it is.
const boroughRef = "doorstep borough"

// ErrInUse says that another process has the borough's data open.
var ErrInUse = errors.New("the data is in use")

// ErrNotBegun says that there is no borough in the folder of the data, or that
// what there was is gone. Nothing is begun in its place.
var ErrNotBegun = errors.New("there is no borough here")

// errOtherBorough says that a configuration meets another borough's data.
var errOtherBorough = errors.New("this data belongs to another borough than the configuration names")

// borough is everything behind HTTP: keys, journal, index, and the packages that
// work on them. It is opened in that order and closed in reverse.
type borough struct {
	cfg     Config
	log     *slog.Logger
	level   slog.LevelVar // of log, while serving
	secrets secrets

	reloader reloader

	journal  backing.Journal
	audit    *audit.Log
	accesses *audit.AccessLog
	keys     backing.Keys
	store    *store.Store
	ledger   *exchange.Ledger
	hub      *exchange.Hub
	auth     *auth.Auth
	desk     *desk.Desk
	exchange *exchange.Exchange
	finalise *finalise.Service
	room     *reading.Room
	ahead    *lookAhead
	doors    *doors.Service
	erasure  *erasure.Service
	erased   *erasure.List
	scrub    *scrub.Scrub      // while serving
	backups  *backups          // while serving; nil: none are made
	incoming *incoming         // while serving; nil: no folder is watched
	delivery *delivery.Service // while serving; nil: nothing is delivered
	rebuild  bool              // the index is built anew
	meter    *metering         // counts, while serving; nil: nobody does
	traces   *tracing.Tracer   // while serving; nil: nothing is traced
	progress *progress.Meter   // of the opening; nil: nobody looks
	run      syncproto.ID      // of this opening
	witness  *witness          // nil: none is kept
	settler  *settle.Settler
	returned reconciliation

	accessJournal *journal.Journal
	copy          *secondcopy.Copy // nil: none is kept
	clock         func() time.Time // dates what is recorded; nil: time.Now
	serving       bool             // opened to serve: the second copy is kept, and mended from
	epochLost     bool             // of the journal, at a repair: a new one must begin

	failOnce sync.Once
	failure  error         // why the process must end; set before failed is closed
	failed   chan struct{} // closed when it must
	closers  []closer      // in the order of opening
}

type closer struct {
	what  string
	close func() error
}

// openBorough opens the data of cfg. create begins a borough where there is none
// yet; without it, missing data is an error and nothing is begun.
func openBorough(cfg Config, log *slog.Logger, create bool) (*borough, error) {
	return openWith(&borough{cfg: cfg, log: log}, create)
}

func openWith(b *borough, create bool) (*borough, error) {
	b.failed = make(chan struct{})
	for _, step := range []func(bool) error{b.heedWriter, b.openKeys, b.openJournal, b.openAudit, b.openStore, b.eraseAgain, b.openAccesses, b.openCopy, b.openWork, b.settle, b.beWriter} {
		if err := step(create); err != nil {
			return nil, errors.Join(named(err), b.close())
		}
	}
	return b, nil
}

// named adds to an error what a caller outside can tell it by.
func named(err error) error {
	switch {
	case errors.Is(err, keyring.ErrBehind), errors.Is(err, journal.ErrBehind):
		return fmt.Errorf("%w: %w: %w", ErrDamaged, ErrBehind, err)
	case errors.Is(err, syncproto.CodeDiskFull):
		return fmt.Errorf("the disk is too full to begin: make room, as with doorstep free-ballast, and start again: %w", err)
	case errors.Is(err, chain.ErrNewer):
		return fmt.Errorf("%w: %w", ErrNewer, err)
	case errors.Is(err, keyring.ErrLocked), errors.Is(err, journal.ErrLocked):
		return fmt.Errorf("%w: %w", ErrInUse, err)
	case errors.Is(err, keyring.ErrMissing), errors.Is(err, journal.ErrMissing):
		return fmt.Errorf("%w: %w", ErrNotBegun, err)
	case errors.Is(err, keyring.ErrDamaged), errors.Is(err, journal.ErrDamaged), errors.Is(err, backup.ErrDamaged), errors.Is(err, audit.ErrOtherHistory):
		return fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	return err
}

func (b *borough) openKeys(create bool) error {
	dir := b.cfg.Data.Dir
	if !create && !exists(filepath.Join(dir, journalFolder)) && !exists(filepath.Join(dir, keysFolder)) {
		return fmt.Errorf("%w: %s holds none", ErrNotBegun, dir)
	}
	var err error
	if b.secrets, err = loadSecrets(b.cfg.secretsDir()); err != nil {
		return err
	}
	var ring *keyring.Ring
	err = b.mended("the key store", func() (err error) {
		ring, err = keyring.Load(filepath.Join(b.cfg.Data.Dir, keysFolder), b.secrets.borough,
			keyring.Options{Create: create, MinFreeBytes: b.minFree()})
		return err
	}, repairKeys)
	if err != nil {
		return fmt.Errorf("opening the key store: %w", err)
	}
	b.onClose("key store", ring.Close)
	if t, cut := ring.Torn(); cut {
		b.log.Warn("the key store had a torn end", "bytes", t.Bytes, "saved", t.SavedAs, "reason", t.Reason)
	}
	if b.keys, err = backing.NewKeys(ring, b.fail); err != nil {
		return err
	}
	return nil
}

func (b *borough) openJournal(create bool) error {
	var j *journal.Journal
	err := b.mended("the journal", func() (err error) {
		j, err = journal.Open(filepath.Join(b.cfg.Data.Dir, journalFolder),
			journal.Options{Existing: !create, MinFreeBytes: b.minFree(), Quick: true})
		return err
	}, b.repairJournal(journalFolder))
	if err != nil {
		return fmt.Errorf("opening the journal: %w", err)
	}
	b.onClose("journal", j.Close)
	if t, cut := j.Torn(); cut {
		b.log.Warn("the journal had a torn end, a new epoch begins", "bytes", t.Bytes, "saved", t.SavedAs, "reason", t.Reason)
	}
	b.journal = backing.Journal{J: j}
	if b.epochLost {
		if err := j.BeginEpoch(journal.WhyRepaired, reasonRepaired); err != nil {
			return err
		}
	}
	return b.heedWitness()
}

func (b *borough) openStore(bool) error {
	if err := b.heedCrash(); err != nil {
		return err
	}
	var err error
	b.store, err = store.Open(filepath.Join(b.cfg.Data.Dir, indexFolder), store.Options{
		Source: b.journal, Sealer: b.sealer(), Log: b.log, OnFatal: b.fail, Holds: access.Holds,
		Table: tableMark(), Rebuild: b.rebuild, Progress: b.progress,
	})
	if err != nil {
		return fmt.Errorf("opening the index: %w", err)
	}
	b.onClose("index", b.store.Close)
	return nil
}

// now dates what is recorded.
func (b *borough) now() time.Time {
	if b.clock == nil {
		return time.Now()
	}
	return b.clock()
}

// openWork starts the sequencer and what proposes to it.
func (b *borough) openWork(bool) error {
	b.hub = exchange.NewHub(exchange.Clock{Now: time.Now, NextTurn: b.store.State().NextTurn})
	b.room = reading.New(b.store, b.now, b.cfg.Visits.rules(&faults{}))
	b.room.SetNames(b.cfg.Labels.rules(&faults{}))
	b.room.SetRetention(b.cfg.Retention.rules(&faults{}))
	b.ahead = newLookAhead(b.log, b.room.Look, func(f syncproto.FamilyID) error { return b.finalise.Look(f) })
	b.ledger = exchange.NewLedger(exchange.LedgerConfig{
		Journal: b.metered(b.ordered()), Store: b.store, Now: b.now, Log: b.log, OnFatal: b.fail,
		OnCommit: b.tell,
	})
	b.onClose("ledger", func() error { b.ledger.Close(); return nil })
	b.settler = settle.New(settle.Config{Journal: b.journal.J, Audit: b.audit, Store: b.store, Ledger: exchange.Beginning{Ledger: b.ledger}, Erased: b.erased,
		Table: access.TableHash(), Now: time.Now})
	var err error
	service, err := b.cfg.openID()
	if err != nil {
		return err
	}
	passkeys, err := b.cfg.passkeys()
	if err != nil {
		return err
	}
	b.auth, err = auth.New(auth.Config{
		OpenID: service, Passkeys: passkeys, Unproven: b.cfg.unproven,
		Borough: b.cfg.Borough, TokenKey: b.secrets.token, ShareKey: b.secrets.share, Ledger: people{b.store, b.ledger},
		Now: time.Now, Random: rand.Reader, Log: b.log, SessionIdle: b.cfg.Sessions.Idle, SessionMax: b.cfg.Sessions.Max,
	})
	if err != nil {
		return err
	}
	device, err := b.secrets.deskDevice()
	if err != nil {
		return err
	}
	cursorKey, err := b.secrets.cursorKey()
	if err != nil {
		return err
	}
	b.desk = desk.New(desk.Config{Borough: b.cfg.Borough, Device: device, Sign: b.secrets.signDesk, Keys: b.keys, Rand: rand.Reader})
	b.run = syncproto.ID(randomBytes(16))
	b.exchange = exchange.New(b.guarded(exchange.Config{
		Borough: b.cfg.Borough, Epoch: b.journal.Epoch(), Store: b.store, Ledger: b.ledger, Keys: b.keys,
		Verify: auth.VerifyES256, CursorKey: cursorKey, Now: time.Now, Log: b.log,
		Checkpoints: b.audit, Accesses: b.accesses, NewEpoch: b.beginEpoch, OnReturned: b.noteReturn,
		CustodyBytes: uint64(b.cfg.Limits.CustodyMB) << 20,
		Copied:       b.copied(), OnSynced: b.onSynced(),
	}))
	b.finalise = finalise.New(finalise.Config{Ledger: b.ledger, Desk: b.desk, Store: b.store, Keys: b.keys, Now: b.now, Rand: rand.Reader, OnSeal: b.keepCheckpoint, OnLease: b.tellCoordinators})
	b.erasure = erasure.New(erasure.Config{Ledger: b.ledger, Store: b.store, Keys: b.keys, List: b.erased, Now: time.Now, Random: rand.Reader, Schedule: b.room})
	b.doors = doors.New(doors.Config{Ledger: b.ledger, Store: b.store, Keys: b.keys, Now: time.Now, Random: rand.Reader, Wake: b.hub.Wake})
	return nil
}

// settle checks that the data is this borough's, says what a start has to say, and
// enrols the desk.
func (b *borough) settle(create bool) error {
	ctx := context.Background()
	if err := b.claim(ctx, create); err != nil {
		return fmt.Errorf("settling in: %w", err)
	}
	if err := b.begin(ctx); errors.Is(err, syncproto.CodeDiskFull) && b.serving && b.settler.MayWait() {
		b.awaitRoom()
	} else if err != nil {
		return err
	}
	return b.beginWitness()
}

// begin writes what a start has to write.
func (b *borough) begin(ctx context.Context) error {
	if err := b.settler.Start(ctx, b.run); err != nil {
		return err
	}
	b.ledger.Reopen()
	if err := b.enrolDesk(ctx); err != nil {
		return fmt.Errorf("settling in: %w", err)
	}
	return b.exchange.Reconsider(ctx)
}

// claim checks that the data is this borough's. New data becomes so with its first
// entry; in other data nothing is written before the run.
func (b *borough) claim(ctx context.Context, create bool) error {
	state := b.store.State()
	if _, ours := state.Ref(boroughRef, b.cfg.Borough); ours {
		return nil
	}
	if !create || len(state.Refs(boroughRef)) > 0 {
		return errOtherBorough
	}
	_, err := b.ledger.Propose(ctx, func(*store.Tx) ([]store.Entry, error) {
		return []store.Entry{store.RefEntry{Kind: boroughRef, Ref: b.cfg.Borough, ID: syncproto.ID(randomBytes(16))}}, nil
	})
	return err
}

// enrolDesk enrols the device that signs what is written at the desk.
func (b *borough) enrolDesk(ctx context.Context) error {
	public, err := b.secrets.deskPublic()
	if err != nil {
		return fmt.Errorf("reading the desk key: %w", err)
	}
	id := auth.DeviceIDOf(public)
	if _, enrolled := b.store.State().Device(id); enrolled {
		return nil
	}
	_, err = b.ledger.Propose(ctx, func(tx *store.Tx) ([]store.Entry, error) {
		return []store.Entry{store.DeviceEntry{ID: id, Name: "the server's desk", Key: public, EnrolledMS: tx.AtMS()}}, nil
	})
	return err
}

// Epoch implements api.Health.
func (b *borough) Epoch() syncproto.Epoch { return b.journal.Epoch() }

// Ready implements api.Health: the index has what the journal has.
func (b *borough) Ready() error {
	select {
	case <-b.failed:
		return fmt.Errorf("the server is about to end: %w", b.failure)
	default:
	}
	head, _ := b.journal.Head()
	if at := b.store.State().Head(); at+maxBehind < head {
		return fmt.Errorf("the index is at %d of %d", at, head)
	}
	return nil
}

// maxBehind is how far readers may lag behind the journal while a group commits.
const maxBehind = 4096

// fail says that the process must end. The first reason counts.
func (b *borough) fail(err error) {
	b.failOnce.Do(func() {
		b.failure = err
		close(b.failed)
	})
}

func (b *borough) minFree() int64 { return b.cfg.Data.MinFreeMB << 20 }

func (b *borough) onClose(what string, fn func() error) {
	b.closers = append(b.closers, closer{what, fn})
}

// close closes everything that was opened, the last first.
func (b *borough) close() error {
	var errs []error
	for i := len(b.closers) - 1; i >= 0; i-- {
		if err := b.closers[i].close(); err != nil {
			errs = append(errs, fmt.Errorf("closing the %s: %w", b.closers[i].what, err))
		}
	}
	b.closers = nil
	return errors.Join(errs...)
}
