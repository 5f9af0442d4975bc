package sim

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"path/filepath"
	"testing"
	"time"

	"doorstep/server/internal/access"
	"doorstep/server/internal/desk"
	"doorstep/server/internal/disk/disktest"
	"doorstep/server/internal/exchange"
	"doorstep/server/internal/journal"
	"doorstep/server/internal/keyring"
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
	store    *store.Store
	ledger   *exchange.Ledger
	exchange *exchange.Exchange
	desk     *desk.Desk
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
	b.starts++
	if err := b.open(); err != nil {
		b.fail(fmt.Sprintf("start %d: %v", b.starts, err))
	}
	b.up, b.failed = true, false
}

// open opens everything, or nothing and says why.
func (b *borough) open() (err error) {
	var opened []io.Closer
	defer func() {
		for i := len(opened); err != nil && i > 0; i-- {
			_ = opened[i-1].Close() // the error of opening is the one to tell
		}
	}()
	if b.journal, err = journal.Open("data/journal", journal.Options{FS: b.disk, SegmentBytes: 64 << 10, NewEpoch: b.newEpoch, MinFreeBytes: minFree}); err != nil {
		return err
	}
	opened = append(opened, b.journal)
	if b.ring, err = keyring.Load("data/keys", keyring.Key{7}, keyring.Options{Create: b.starts == 1, FS: b.disk, Rand: reader{b.rng}}); err != nil {
		return err
	}
	opened = append(opened, b.ring)
	failed := func(error) { b.failed = true }
	keys, err := backing.NewKeys(b.ring, failed)
	if err != nil {
		return err
	}
	source := backing.Journal{J: b.journal}
	log := slog.New(slog.NewTextHandler(io.Discard, nil))
	b.store, err = store.Open(b.index, store.Options{
		Source: source, Sealer: keys, Log: log, OnFatal: failed, Holds: access.Holds, MemTableBytes: 8 << 20,
	})
	if err != nil {
		return err
	}
	b.serve(source, keys, log)
	return nil
}

// serve makes what answers, over what was opened.
func (b *borough) serve(source backing.Journal, keys store.Keys, log *slog.Logger) {
	b.ledger = exchange.NewLedger(exchange.LedgerConfig{
		Journal: source, Store: b.store, Now: b.now, Log: log, OnFatal: func(error) { b.failed = true },
	})
	b.exchange = exchange.New(exchange.Config{
		Borough: boroughName, Epoch: source.Epoch(), Store: b.store, Ledger: b.ledger, Keys: keys,
		Verify: verify, CursorKey: [32]byte{1}, Now: b.now, Log: log,
	})
	b.desk = desk.New(desk.Config{
		Borough: boroughName, Device: syncproto.DeviceID{0xde}, Keys: keys, Rand: reader{b.rng},
		Sign: func(message []byte) ([]byte, error) { return sign([]byte("desk"), message), nil },
	})
}

func (b *borough) newEpoch() (e journal.Epoch) {
	_, _ = io.ReadFull(reader{b.rng}, e[:])
	return e
}

// stop ends the process. What the power did to the disk is for crash to say.
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
