package endtoend

import (
	"flag"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"doorstep/server"
	"doorstep/syncproto"
)

var copyKills = flag.Int("copykills", 6, "times to kill the server in TestFault77KilledServerThatLosesItsDisk, every second time with the loss of its disk")

// copies is which changes devices were told are copied.
type copies struct {
	epoch  syncproto.Epoch
	at     map[syncproto.ChangeID]uint64 // position of each that was stored in this epoch
	upTo   uint64                        // copied, in this epoch
	before map[syncproto.ChangeID]bool   // copied in an earlier epoch
}

func (c *copies) note(reply *syncproto.SyncReply) {
	if reply.Epoch != c.epoch {
		c.before, c.epoch, c.at, c.upTo = c.known(), reply.Epoch, map[syncproto.ChangeID]uint64{}, 0
	}
	for _, rc := range reply.Receipts {
		if rc.Durability >= syncproto.DurabilityStored && rc.Status == syncproto.StatusAccepted { // what is held is in no feed
			c.at[rc.Change] = rc.Position
		}
	}
	if reply.Copies {
		c.upTo = max(c.upTo, reply.Copied)
	}
}

// known are the changes that were said to be copied.
func (c *copies) known() map[syncproto.ChangeID]bool {
	all := map[syncproto.ChangeID]bool{}
	for id := range c.before {
		all[id] = true
	}
	for id, at := range c.at {
		if at <= c.upTo {
			all[id] = true
		}
	}
	return all
}

// TestFault77KilledServerThatLosesItsDisk kills the server at random moments while devices
// push, takes its disk away every second time, and begins from the second copy: all
// that devices were told is copied is there before any of them has synced again,
// and in the end everything is.
func TestFault77KilledServerThatLosesItsDisk(t *testing.T) {
	t.Parallel()
	auditor := loadDevices
	p, l := newProcess(t, caseload{workers: loadDevices + 1, families: loadFamilies,
		works: func(n, f int) bool { return n == auditor || f == n%loadFamilies || f == (n+1)%loadFamilies }},
		func(cfg *server.Config) {
			cfg.Data.CopyDir = filepath.Join(t.TempDir(), "copy")
			if err := os.Mkdir(cfg.Data.CopyDir, 0o700); err != nil {
				t.Fatal(err)
			}
		})
	h := newHerd(t, p, 1)
	h.lossy = true
	reader := newAudit(p, newTablet(t, p, auditor, 99), h)
	chance := rand.New(rand.NewPCG(*killSeed, 82))
	copied, lost := 0, 0
	for n := range *copyKills {
		h.generation.Store(int64(4 * n)) // other records, since each grazing says the same words again
		h.graze()
		<-time.After(time.Duration(200+chance.IntN(400)) * time.Millisecond) // the fault, not a wait for something
		p.end(l, syscall.SIGKILL)
		h.cancel()
		h.ended.Wait()
		h.mu.Lock()
		known := h.copies.known()
		h.mu.Unlock()
		if n%2 == 1 {
			lost++
			if err := os.RemoveAll(p.cfg.Data.Dir); err != nil {
				t.Fatal(err)
			}
			if done, err := server.Repair(t.Context(), p.cfg, server.RepairOptions{}, func(string) {}, io.Discard); err != nil || !done.Restored {
				t.Fatalf("kill %d (seed %d): beginning from the copy: %+v, %v", n, *killSeed, done, err)
			}
		}
		l = p.begin()
		p.serving(l)
		copied = len(known)
		reader.wantAll(n, known)
	}
	for _, b := range h.tablets {
		_, _ = b.Sync(t.Context()) // one that met dead servers only takes the epoch in, and says so
	}
	h.settle()
	reader.wantAll(*copyKills, h.ackedSoFar())
	fresh := reader.tablet
	fresh.syncs()
	p.end(l, syscall.SIGTERM)
	h.wantAgreement(openData(t, p.cfg), fresh)
	t.Logf("%d kills (seed %d), %d of them with the loss of the disk: %d changes written, %d of them known to be copied at the last kill; all there in %d epochs",
		*copyKills, *killSeed, lost, len(h.wrote()), copied, h.epochs())
	if copied < *copyKills || h.epochs() < 1+lost {
		t.Errorf("%d changes were copied, in %d epochs: that shows nothing", copied, h.epochs())
	}
}

// wantAll reads the whole feed and wants changes to be in it.
func (a *audit) wantAll(kill int, want map[syncproto.ChangeID]bool) {
	a.wire.t.Helper()
	items, err := a.wire.feed(a.wire.t.Context())
	if err != nil {
		a.wire.signIn()
		if items, err = a.wire.feed(a.wire.t.Context()); err != nil {
			a.wire.t.Fatalf("kill %d: reading the feed: %v", kill, err)
		}
	}
	times := changesOf(items)
	for id := range want {
		if times[id] == 0 {
			a.wire.t.Fatalf("kill %d (seed %d): change %s was said to be copied and is gone", kill, *killSeed, id)
		}
	}
}
