package sim

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"path/filepath"
	"testing"
	"time"

	"doorstep/server/internal/access"
	"doorstep/server/internal/audit"
	"doorstep/server/internal/desk"
	"doorstep/server/internal/disk/disktest"
	"doorstep/server/internal/doors"
	"doorstep/server/internal/erasure"
	"doorstep/server/internal/exchange"
	"doorstep/server/internal/journal"
	"doorstep/server/internal/keyring"
	"doorstep/server/internal/settle"
	"doorstep/server/internal/store"
	"doorstep/server/internal/store/backing"
	"doorstep/syncproto"
)

const boroughName = "simshire"

// borough is the server: real code on a simulated disk. The index is a real
// badger in a folder, which the journal can give back at any time.
type borough struct {
	t     *testing.T
	fail  func(string)
	disk  *disktest.Disk
	index string
	rng   *rand.Rand
	now   func() time.Time

	up       bool
	failed   bool // the ledger said that nothing more can be kept
	journal  *journal.Journal
	ring     *keyring.Ring
	keys     backing.Keys
	store    *store.Store
	audit    *audit.Log
	accesses *audit.AccessLog
	erased   *erasure.List
	ledger   *exchange.Ledger
	settler  *settle.Settler
	exchange *exchange.Exchange
	desk     *desk.Desk
	doors    *doors.Service
	erasure  *erasure.Service
	run      syncproto.ID // of this start
	starts   int
}

func newBorough(t *testing.T, seed uint64, rng *rand.Rand, now func() time.Time) *borough {
	b := &borough{t: t, fail: func(s string) { t.Fatal(s) }, disk: disktest.New(seed), index: filepath.Join(t.TempDir(), "index"), rng: rng, now: now}
	b.start()
	return b
}

// start opens everything, as a process that begins does.
func (b *borough) start() {
	b.t.Helper()
	if err := b.open(); err != nil {
		b.fail(fmt.Sprintf("start %d: %v", b.starts, err))
	}
}

// open opens everything, or nothing and says why.
func (b *borough) open() (err error) {
	b.starts++
	b.failed = false
	var opened []io.Closer
	defer func() {
		for i := len(opened); err != nil && i > 0; i-- {
			_ = opened[i-1].Close() // the error of opening is the one to tell
		}
		b.up = err == nil
	}()
	if b.journal, err = journal.Open("data/journal", b.journalOptions()); err != nil {
		return err
	}
	opened = append(opened, b.journal)
	if b.ring, err = keyring.Load("data/keys", keyring.Key{7}, keyring.Options{Create: b.starts == 1, FS: b.disk, Rand: reader{b.rng}}); err != nil {
		return err
	}
	opened = append(opened, b.ring)
	if b.keys, err = backing.NewKeys(b.ring, b.onFatal); err != nil {
		return err
	}
	if err := b.openAudit(); err != nil {
		return err
	}
	source := backing.Journal{J: b.journal}
	b.store, err = store.Open(b.index, store.Options{
		Source: source, Sealer: b.keys, Log: quietLog(), OnFatal: b.onFatal, Holds: access.Holds, MemTableBytes: 8 << 20,
	})
	if err != nil {
		return err
	}
	opened = append(opened, b.store)
	if b.erased, err = settle.EraseAgain(b.disk, b.store.State(), b.keys, "data", "backup"); err != nil {
		return err
	}
	if err := b.openAccesses(); err != nil {
		return err
	}
	b.serve(source)
	opened = append(opened, closing(b.ledger.Close))
	return b.settle()
}

// closing is what has no error to tell.
type closing func()

func (c closing) Close() error { c(); return nil }

func quietLog() *slog.Logger { return slog.New(slog.DiscardHandler) }

func (b *borough) onFatal(error) { b.failed = true }

func (b *borough) journalOptions() journal.Options {
	return journal.Options{FS: b.disk, SegmentBytes: 64 << 10, NewEpoch: b.newEpoch, MinFreeBytes: minFree}
}

// checkpointKey signs the audit log of every borough here.
func checkpointKey() ed25519.PrivateKey {
	return ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize))
}

func (b *borough) openAudit() (err error) {
	b.audit, err = audit.OpenLog(audit.LogOptions{
		FS: b.disk, Dir: "data/audit", Source: backing.Journal{J: b.journal}, Leaf: store.LeafOf,
		Signer: audit.NewSigner(boroughName, checkpointKey()), Log: quietLog(),
	})
	return err
}

// openAccesses opens the log of who was sent what. What an older copy of it lacks is
// no reason not to serve.
func (b *borough) openAccesses() error {
	j, err := journal.Open("data/access", b.journalOptions())
	if err != nil {
		return err
	}
	b.accesses, err = audit.OpenAccessLog(audit.AccessOptions{
		Journal: backing.Journal{J: j}, Anchor: b.store.State().Anchor(), Now: b.now, Log: quietLog(),
		Mark: func(family syncproto.FamilyID, record syncproto.RecordID) audit.Mark {
			return b.keys.Mark(store.KeyPair{Family: family, Record: record})
		},
		Tree: audit.TreeOptions{FS: b.disk, Path: "data/audit/access-hashes"},
	})
	if errors.Is(err, audit.ErrOtherHistory) {
		return nil
	}
	return err
}

// serve makes what answers, over what was opened.
func (b *borough) serve(source backing.Journal) {
	b.ledger = exchange.NewLedger(exchange.LedgerConfig{
		Journal: backing.Audited{Journal: source, Log: b.audit}, Store: b.store, Now: b.now, Log: quietLog(), OnFatal: b.onFatal,
	})
	b.settler = settle.New(settle.Config{Journal: b.journal, Audit: b.audit, Store: b.store, Ledger: b.ledger, Erased: b.erased,
		Table: access.TableHash(), Now: b.now})
	b.run = syncproto.ID(id16(b.rng))
	b.exchange = exchange.New(exchange.Config{
		Borough: boroughName, Epoch: source.Epoch(), Store: b.store, Ledger: b.ledger, Keys: b.keys,
		Verify: verify, CursorKey: [32]byte{1}, Now: b.now, Log: quietLog(),
		NewEpoch: b.beginEpoch, Checkpoints: b.audit, Accesses: b.accesses,
	})
	b.desk = desk.New(desk.Config{
		Borough: boroughName, Device: syncproto.DeviceID{0xde}, Keys: b.keys, Rand: reader{b.rng},
		Sign: func(message []byte) ([]byte, error) { return sign([]byte("desk"), message), nil },
	})
	b.doors = doors.New(doors.Config{Ledger: b.ledger, Store: b.store, Keys: b.keys, Now: b.now, Random: reader{b.rng}, Wake: func([]syncproto.UserID) {}})
	b.erasure = erasure.New(erasure.Config{Ledger: b.ledger, Store: b.store, Keys: b.keys, List: b.erased, Now: b.now, Random: reader{b.rng}})
}

// settle says what a start has to say before it serves.
func (b *borough) settle() error {
	ctx := context.Background()
	if err := b.settler.Start(ctx, b.run); err != nil {
		return err
	}
	return b.exchange.Reconsider(ctx)
}

func (b *borough) beginEpoch(was syncproto.Epoch) error {
	now, err := b.settler.BeginEpoch(context.Background(), was)
	if err == nil {
		b.exchange.SetEpoch(now)
	}
	return err
}

func (b *borough) newEpoch() (e journal.Epoch) {
	_, _ = io.ReadFull(reader{b.rng}, e[:])
	return e
}

// stop ends the process as a kill does: nothing more is written down. What the
// power did to the disk is for crash to say.
func (b *borough) stop() {
	if !b.up {
		return
	}
	b.up = false
	b.ledger.Close()
	if err := b.store.Close(); err != nil {
		b.t.Errorf("closing the index: %v", err)
	}
	_, _ = b.journal.Close(), b.ring.Close() // a disk without power answers errors
}

// tick does what a server does every few seconds: it writes down who was sent what,
// binds that into the audit log, and keeps a checkpoint. What fails is done later.
func (b *borough) tick() error {
	err := b.accesses.Flush()
	err = errors.Join(err, b.settler.Anchor(context.Background(), b.accesses))
	_, kept := b.audit.Keep(b.now())
	return errors.Join(err, kept)
}

// minFree is the room that the journal leaves on the disk.
const minFree = 4 << 10

// crash ends the process, by a power cut or by a kill, which leaves what was
// written as it is.
func (b *borough) crash(power bool) {
	b.stop()
	if power {
		b.disk.Crash()
	} else {
		b.disk.Kill()
	}
	b.disk.SetCapacity(1 << 62) // the operator made room
}

// rot flips a bit of what the server must never lose. It reports what it did, so
// that it can be undone, as from a copy.
func (b *borough) rot(rng *rand.Rand) (path string, bit int64) {
	var paths []string
	for _, p := range b.disk.Paths() {
		if len(b.disk.Content(p)) > 0 {
			paths = append(paths, p)
		}
	}
	path = paths[rng.IntN(len(paths))]
	bit = rng.Int64N(8 * int64(len(b.disk.Content(path))))
	b.disk.FlipBit(path, bit)
	return path, bit
}

// propose has entries ordered; it reports whether they are durable.
func (b *borough) propose(entries ...store.Entry) bool {
	_, err := b.ledger.Propose(context.Background(), func(*store.Tx) ([]store.Entry, error) { return entries, nil })
	return err == nil
}

// write makes changes at the desk, and entries that follow from them.
func (b *borough) write(edits []desk.Edit, then func(*store.Tx, []syncproto.ChangeID) []store.Entry) bool {
	_, err := b.ledger.Propose(context.Background(), func(tx *store.Tx) ([]store.Entry, error) {
		ids, err := b.desk.Compose(tx, edits)
		if err != nil || then == nil {
			return nil, err
		}
		return then(tx, ids), nil
	})
	return err == nil
}

// sync answers one request as api would: an encoded, signed reply or a code.
func (b *borough) sync(caller exchange.Caller, payload []byte) (*syncproto.SyncReply, []byte, syncproto.Code) {
	q, err := syncproto.DecodeRequest(payload)
	if err != nil {
		b.t.Fatalf("a tablet sent what cannot be read: %v", err)
	}
	reply, err := b.exchange.Sync(context.Background(), caller, q)
	if err != nil {
		b.failed = b.failed || errors.Is(err, disktest.ErrPower) // the machine is off, whatever it was about to read
		var code syncproto.Code
		if !errors.As(err, &code) {
			code = syncproto.CodeInternal
		}
		return nil, nil, code
	}
	encoded := syncproto.EncodeReply(reply)
	signature := sign([]byte("reply"), syncproto.ReplyMessage(caller.Device, encoded))
	return reply, syncproto.EncodeSignedReply(encoded, signature), syncproto.CodeOK
}
