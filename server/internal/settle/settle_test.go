package settle_test

import (
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"errors"
	"log/slog"
	"os"
	"testing"
	"time"

	"doorstep/server/internal/audit"
	"doorstep/server/internal/disk"
	"doorstep/server/internal/erasure"
	"doorstep/server/internal/exchange"
	"doorstep/server/internal/journal"
	"doorstep/server/internal/settle"
	"doorstep/server/internal/store"
	"doorstep/server/internal/store/storetest"
	"doorstep/syncproto"
)

var key = ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize))

// office is a borough and what settles it; audits is the folder of its audit log.
type office struct {
	*storetest.Borough
	settler *settle.Settler
	audit   *audit.Log
	erased  *erasure.List
}

// at is a moment of the test.
func at(minutes int) time.Time {
	return time.UnixMilli(1_790_000_000_000).Add(time.Duration(minutes) * time.Minute)
}

func open(t *testing.T, b *storetest.Borough, audits string) *office {
	t.Helper()
	quiet := slog.New(slog.DiscardHandler)
	log, err := audit.OpenLog(audit.LogOptions{FS: disk.Local{}, Dir: audits, Source: b.Journal, Leaf: store.LeafOf, Signer: audit.NewSigner("testshire", key), Log: quiet})
	if err != nil {
		t.Fatal(err)
	}
	ledger := exchange.NewLedger(exchange.LedgerConfig{Journal: b.Journal, Store: b.Store, Now: time.Now, Log: quiet, OnFatal: func(err error) { t.Error(err) }})
	t.Cleanup(ledger.Close)
	list, err := erasure.OpenList(disk.Local{}, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	return &office{b, settle.New(settle.Config{Journal: b.Journal.J, Audit: log, Store: b.Store, Ledger: ledger, Erased: list,
		Table: sha256.Sum256([]byte("table")), Now: func() time.Time { return at(9) }}), log, list}
}

// A server that is killed after it declared a restore, and before it kept another
// checkpoint, must start again: the last checkpoint is lost, and the journal says so.
func TestFault84AKillRightAfterARestoreIsNoTampering(t *testing.T) {
	audits := t.TempDir()
	before := open(t, storetest.Open(t), audits)
	if err := before.settler.Start(context.Background(), syncproto.ID{1}); err != nil {
		t.Fatal(err)
	}
	before.audit.Follow(0, nil, nil)
	if c, err := before.audit.Keep(at(1)); err != nil || c.Size == 0 {
		t.Fatalf("the checkpoint before: %+v, %v", c, err)
	}

	restored := storetest.Open(t) // another journal, where the checkpoint stayed
	if err := open(t, restored, t.TempDir()).settler.Start(context.Background(), syncproto.ID{2}); err != nil {
		t.Fatal(err)
	}
	if err := open(t, restored, audits).settler.Start(context.Background(), syncproto.ID{2}); !errors.Is(err, audit.ErrOtherHistory) {
		t.Fatalf("without an epoch: got %v, want %v", err, audit.ErrOtherHistory)
	}
	if err := restored.Journal.J.BeginEpoch(journal.WhyRestored, "restored"); err != nil {
		t.Fatal(err)
	}
	for n, audits := range []string{copyOf(t, audits), audits, audits} { // the first time killed before it kept one
		if err := open(t, restored, audits).settler.Start(context.Background(), syncproto.ID{2}); err != nil {
			t.Fatalf("start %d after the restore: %v", n+1, err)
		}
	}
}

// An older copy that is put back goes on at once with what a start writes. A cursor of
// what came there before must not pass for one of the run that the copy knows.
func TestAnOlderCopyIsNoticedByACursorOfWhereAStartWrote(t *testing.T) {
	b := storetest.Open(t)
	o := open(t, b, t.TempDir())
	if err := o.settler.Start(context.Background(), syncproto.ID{1}); err != nil {
		t.Fatal(err)
	}
	state, epoch := b.Store.State(), syncproto.Epoch(b.Journal.J.Epoch())
	copied := state.Head()
	if err := b.Journal.J.BeginEpoch(journal.WhyRestored, "so that a start has more to say than its run"); err != nil {
		t.Fatal(err)
	}
	if state.IsLostFuture(epoch, syncproto.ID{1}, copied) {
		t.Errorf("entry %d, the last of the run: taken for one of a lost future", copied)
	}
	if err := open(t, b, t.TempDir()).settler.Start(context.Background(), syncproto.ID{2}); err != nil {
		t.Fatal(err)
	}
	now := syncproto.Epoch(b.Journal.J.Epoch())
	for position := copied + 1; position <= state.Head(); position++ {
		if !state.IsLostFuture(now, syncproto.ID{1}, position) {
			t.Errorf("entry %d, which the start after the run wrote: not taken for one of a lost future", position)
		}
	}
}

// A journal that must not be gone on with is left as it is.
func TestARefusedStartWritesNothing(t *testing.T) {
	audits := t.TempDir()
	before := open(t, storetest.Open(t), audits)
	if err := before.settler.Start(context.Background(), syncproto.ID{1}); err != nil {
		t.Fatal(err)
	}
	before.audit.Follow(0, nil, nil)
	if _, err := before.audit.Keep(at(1)); err != nil {
		t.Fatal(err)
	}
	other := storetest.Open(t)
	if err := open(t, other, t.TempDir()).settler.Start(context.Background(), syncproto.ID{2}); err != nil {
		t.Fatal(err)
	}
	refused, head := open(t, other, audits), other.Store.State().Head()
	if err := refused.erased.Add([]store.KeyPair{{Family: syncproto.FamilyID{7}}}); err != nil {
		t.Fatal(err)
	}
	if err := refused.settler.Start(context.Background(), syncproto.ID{3}); !errors.Is(err, audit.ErrOtherHistory) {
		t.Fatalf("got %v, want %v", err, audit.ErrOtherHistory)
	}
	if now := other.Store.State().Head(); now != head {
		t.Errorf("the journal grew from %d to %d entries", head, now)
	}
}

// full is a ledger on a full disk.
type full struct{}

func (full) Propose(context.Context, func(*store.Tx) ([]store.Entry, error)) (uint64, error) {
	return 0, syncproto.CodeDiskFull
}

// An epoch that began while the disk was full, so that nothing could be written of it,
// is declared before anybody is answered in it: else the tablets are told of no restore
// and raise an alarm.
func TestFault79AnEpochThatBeganOnAFullDiskIsDeclared(t *testing.T) {
	b := storetest.Open(t)
	o := open(t, b, t.TempDir())
	if err := o.settler.Start(context.Background(), syncproto.ID{2}); err != nil {
		t.Fatal(err)
	}
	was := syncproto.Epoch(b.Journal.J.Epoch())
	onFull := settle.New(settle.Config{Journal: b.Journal.J, Audit: o.audit, Store: b.Store, Ledger: full{}, Now: func() time.Time { return at(1) }})
	if now, err := onFull.BeginEpoch(context.Background(), was); !errors.Is(err, syncproto.CodeDiskFull) || now != was {
		t.Fatalf("on a full disk: got epoch %s, %v, want %s and disk_full", now, err, was)
	}
	now, err := o.settler.BeginEpoch(context.Background(), was)
	if err != nil || now == was {
		t.Fatalf("with room again: got epoch %s, %v, want a new one", now, err)
	}
	declared := b.Store.State().Epochs()
	if len(declared) != 2 || declared[1].Epoch != now {
		t.Errorf("got the declared epochs %v, want %s as the second", declared, now)
	}
	if again, err := o.settler.BeginEpoch(context.Background(), was); err != nil || again != now || len(b.Store.State().Epochs()) != 2 {
		t.Errorf("a second device: got %s, %v, want %s and no other epoch", again, err, now)
	}
}

// copyOf copies a folder.
func copyOf(t *testing.T, dir string) string {
	t.Helper()
	to := t.TempDir()
	if err := os.CopyFS(to, os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	return to
}

// A torn end loses nothing that was shown, so it is no excuse for a journal that lacks
// what its own last checkpoint covers.
func TestATornEndIsNoExcuseForALostCheckpoint(t *testing.T) {
	audits := t.TempDir()
	before := open(t, storetest.Open(t), audits)
	if err := before.settler.Start(context.Background(), syncproto.ID{1}); err != nil {
		t.Fatal(err)
	}
	before.audit.Follow(0, nil, nil)
	if _, err := before.audit.Keep(at(1)); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		why  journal.Why
		want error
	}{{journal.WhyTorn, audit.ErrOtherHistory}, {journal.WhyRepaired, nil}, {journal.WhyRestored, nil}, {journal.WhyOlder, nil}} {
		other := storetest.Open(t)
		if err := open(t, other, t.TempDir()).settler.Start(context.Background(), syncproto.ID{2}); err != nil {
			t.Fatal(err)
		}
		if err := other.Journal.J.BeginEpoch(c.why, "for the test"); err != nil {
			t.Fatal(err)
		}
		if err := open(t, other, copyOf(t, audits)).settler.Start(context.Background(), syncproto.ID{3}); !errors.Is(err, c.want) {
			t.Errorf("an epoch that began by %q: got %v, want %v", c.why, err, c.want)
		}
	}
}
