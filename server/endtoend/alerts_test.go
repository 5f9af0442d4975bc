package endtoend

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"doorstep/client-sdk/engine"
	"doorstep/server/internal/disk"
	"doorstep/syncproto"
)

// watched is a borough whose figures are looked at, as Prometheus would.
type watched struct {
	*borough
	t     *testing.T
	rules map[string]string
	first series
	fired map[string]bool // alerts that a fault was seen to fire
}

// scrape is what the server shows now, with what Prometheus adds: whether it did.
func (w *watched) scrape() series {
	w.t.Helper()
	out := series{`up{job="doorstep"}`: 0}
	res, err := http.Get("http://" + w.figures + "/metrics")
	if err != nil {
		return out
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		return out
	}
	out[`up{job="doorstep"}`] = 1
	for line := range strings.Lines(string(b)) {
		if at := strings.LastIndex(line, " "); !strings.HasPrefix(line, "#") {
			if out[line[:at]], err = strconv.ParseFloat(strings.TrimSpace(line[at:]), 64); err != nil {
				w.t.Fatal(err)
			}
		}
	}
	return out
}

// firing are the alerts that fire, so much later than now.
func (w *watched) firing(after time.Duration) map[string]bool {
	w.t.Helper()
	last, out := w.scrape(), map[string]bool{}
	for name, expr := range w.rules {
		out[name] = fires(w.t, expr, w.first, last, time.Now().Add(after))
	}
	return out
}

// until waits for a state of the alerts that the server comes to by itself.
func (w *watched) until(what string, ok func(map[string]bool) bool) {
	w.t.Helper()
	for end := time.Now().Add(time.Minute); time.Now().Before(end); <-time.After(20 * time.Millisecond) {
		if ok(w.firing(0)) {
			return
		}
	}
	w.t.Fatalf("%s: within a minute it did not come to that; firing: %v", what, w.firing(0))
}

// wantFiring checks that a fault fires its alerts, so much later than now.
func (w *watched) wantFiring(after time.Duration, names ...string) {
	w.t.Helper()
	got := w.firing(after)
	for _, name := range names {
		if !got[name] {
			w.t.Errorf("%s does not fire", name)
		}
		w.fired[name] = true
	}
}

func none(firing map[string]bool) bool {
	for _, fires := range firing {
		if fires {
			return false
		}
	}
	return true
}

// Every alert fires on its fault, brought about on a real server, and none on a
// borough without one.
func TestEveryAlertFiresOnItsFault(t *testing.T) {
	t.Parallel()
	rules, fired, skipped := alerts(t), map[string]bool{}, false
	for name, faults := range map[string]func(*testing.T, func(*borough) *watched){
		"a disk that rots, fills and ends": rotAndFull,
		"places that cannot be written":    unwritable,
		"people and tablets":               peopleAndTablets,
		"records that do not arrive":       undelivered,
	} {
		t.Run(name, func(t *testing.T) {
			defer func() { skipped = skipped || t.Skipped() }()
			faults(t, func(b *borough) *watched {
				w := &watched{borough: b, t: t, rules: rules, fired: fired}
				w.first = w.scrape()
				return w
			})
		})
	}
	for name := range rules {
		if !fired[name] && !skipped {
			t.Errorf("no fault was brought about for %s", name)
		}
	}
}

// newWatched begins a borough that shows figures; with may set what else it needs.
func newWatched(t *testing.T, c caseload, with func(*borough)) *borough {
	t.Helper()
	b := newBorough(t, c)
	b.stop()
	b.cfg.Metrics.Address = "127.0.0.1:0"
	with(b)
	b.start(t)
	return b
}

func rotAndFull(t *testing.T, watch func(*borough) *watched) {
	w := watch(newWatched(t, caseload{workers: 1, families: 1}, func(b *borough) {
		withBackups(t, &b.cfg)
		b.cfg.Scrub.Every = time.Second
		b.cfg.Data.CopyDir = filepath.Join(filepath.Dir(b.cfg.Data.Dir), "copy")
		if err := os.Mkdir(b.cfg.Data.CopyDir, 0o700); err != nil {
			t.Fatal(err)
		}
	}))
	w.until("a borough without a fault", none)
	w.wantFiring(22*24*time.Hour, "DoorstepScrubOld", "DoorstepBackupOld") // had both stood still since

	spoil(t, filepath.Join(w.cfg.Data.Dir, "journal/segment-00000000000000000001"))
	w.until("rot", func(firing map[string]bool) bool { return firing["DoorstepDamageRepaired"] })
	w.fired["DoorstepDamageRepaired"] = true

	w.fill()
	w.first = w.scrape()
	w.signIn("it", password)
	w.wantFiring(0, "DoorstepWritesFail", "DoorstepDiskFilling", "DoorstepServerErrors")
	w.makeRoom()
	w.stop()
	w.wantFiring(0, "DoorstepDown")
}

func spoil(t *testing.T, path string) {
	t.Helper()
	b, err := os.ReadFile(path)
	if err == nil {
		b[len(b)/2] ^= 8
		err = os.WriteFile(path, b, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// roomToFill is how much of the disk is left to the server for fill to take away:
// more than others on the machine take or give back in a moment.
const roomToFill = 512 << 20

// fill restarts the server with little room, and takes that away, without writing to
// it, until a sign-in is refused. Others use the disk too: it may take a few tries.
func (w *watched) fill() {
	w.t.Helper()
	for range 8 {
		w.makeRoom()
		w.stop()
		free, err := disk.Local{}.FreeBytes(w.cfg.Data.Dir)
		if err != nil {
			w.t.Fatal(err)
		}
		if free < 8*roomToFill {
			w.t.Skipf("a test fills the disk up to %d MB, and only %d MB are free", 2*roomToFill>>20, free>>20)
		}
		w.cfg.Data.MinFreeMB = (free - roomToFill) >> 20
		w.start(w.t)
		w.first = w.scrape()
		for n := range 3 {
			if w.takesRoom(n); w.signIn("it", password) == http.StatusInsufficientStorage {
				return
			}
		}
	}
	w.t.Fatal("the disk did not fill up")
}

// filler is the nth file that fills the disk.
func (w *watched) filler(n int) string {
	return filepath.Join(filepath.Dir(w.cfg.Data.Dir), fmt.Sprint("filler", n))
}

func (w *watched) makeRoom() {
	w.t.Helper()
	for n := range 3 {
		if err := os.Remove(w.filler(n)); err != nil && !errors.Is(err, os.ErrNotExist) {
			w.t.Fatal(err)
		}
	}
}

// takesRoom makes the nth file that fills the disk.
func (w *watched) takesRoom(n int) {
	w.t.Helper()
	f, err := os.Create(w.filler(n))
	if err != nil {
		w.t.Fatal(err)
	}
	for err = syscall.EINTR; errors.Is(err, syscall.EINTR); {
		err = syscall.Fallocate(int(f.Fd()), 0, 0, roomToFill+roomToFill/4)
	}
	if err := errors.Join(err, f.Close()); err != nil {
		w.t.Fatal(err)
	}
}

// signIn tries to sign somebody in, and returns the status.
func (w *watched) signIn(login, password string) int {
	w.t.Helper()
	body := fmt.Sprintf(`{"login":%q,"password":%q}`, login, password)
	res, err := http.Post("http://"+w.addr+"/v1/sign-in", "application/json", bytes.NewReader([]byte(body)))
	if err != nil {
		w.t.Fatal(err)
	}
	res.Body.Close()
	return res.StatusCode
}

func unwritable(t *testing.T, watch func(*borough) *watched) {
	checkpoint := ""
	w := watch(newWatched(t, caseload{workers: 1, families: 1}, func(b *borough) {
		withBackups(t, &b.cfg)
		b.cfg.Data.CopyDir = filepath.Join(filepath.Dir(b.cfg.Data.Dir), "not mounted")
		if err := os.WriteFile(b.cfg.Backup.KeysDir, []byte("in the way"), 0o600); err != nil {
			t.Fatal(err)
		}
		checkpoint = filepath.Join(b.cfg.Data.Dir, "audit", "checkpoint")
	}))
	w.until("places that are not there", func(firing map[string]bool) bool {
		return firing["DoorstepCopyStandsStill"] && firing["DoorstepBackupFailing"] && firing["DoorstepBackupOld"]
	})
	w.wantFiring(0, "DoorstepCopyStandsStill", "DoorstepBackupFailing", "DoorstepBackupOld")
	kept := checkpoint + ".moved"
	if err := errors.Join(os.Rename(checkpoint, kept), os.MkdirAll(filepath.Join(checkpoint, "in the way"), 0o700)); err != nil {
		t.Fatal(err)
	}
	newTablet(t, w, 0, 1).syncs()
	w.wantFiring(time.Hour, "DoorstepCheckpointOld")
	if err := errors.Join(os.RemoveAll(checkpoint), os.Rename(kept, checkpoint)); err != nil {
		t.Fatal(err)
	}
}

func peopleAndTablets(t *testing.T, watch func(*borough) *watched) {
	w := watch(newWatched(t, caseload{workers: 2, families: 1, manager: true}, func(b *borough) { b.cfg.Limits.CustodyMB = 1 }))
	a, late := newTablet(t, w, 0, 1), newTablet(t, w, 1, 2)
	a.syncs()
	late.syncs()
	family := a.families()[0]
	hand := newWire(w, a)
	w.until("a borough at work", none)

	w.holdsBack(hand, family)
	w.wantFiring(3*24*time.Hour, "DoorstepUnsentWork", "DoorstepHeldChanges")

	late.now = func() engine.Time { return engine.Time{UnixMS: time.Now().Add(72 * time.Hour).UnixMilli()} }
	late.restart()
	late.edit(family, late.newRecord(), "visit", setText("visit_type", "CIN"))
	late.syncs()
	w.wantFiring(0, "DoorstepDeviceClocks")

	w.leaves(a, family)
	w.wantFiring(3*24*time.Hour, "DoorstepQuarantineOld", "DoorstepCustodyFilling")
	if w.firing(0)["DoorstepNobodyReviews"] {
		t.Error("the manager is there to review")
	}
	if err := w.op.SetDisabled(t.Context(), "manager", true); err != nil {
		t.Fatal(err)
	}
	w.wantFiring(0, "DoorstepNobodyReviews")

	for range 120 {
		if w.signIn("nobody", "one of many guesses") == http.StatusOK {
			t.Fatal("a guess was right")
		}
	}
	w.first[`doorstep_sign_in_refusals_total{code="too_many"}`] = 0 // as of a server that refused some before
	w.wantFiring(0, "DoorstepSignInRefusals")
}

// holdsBack has a device send a change that builds on one that is not here, say that
// its chain is further than it sends, and remember another history.
func (w *watched) holdsBack(hand *wire, family syncproto.FamilyID) {
	w.t.Helper()
	c := &chain{w: hand, actor: syncproto.ActorID{9, 9}}
	body, _ := c.next(syncproto.Body{Family: family, Record: syncproto.RecordID{7, 7}, Kind: "visit", Deps: []syncproto.ChangeID{{0xEE}},
		Ops: []syncproto.Op{setText("visit_type", "CIN")}})
	q := hand.request(1)
	q.Batches = []syncproto.Batch{c.batch(syncproto.ChangeID{}, body)}
	q.Chains = []syncproto.ChainHead{{Actor: c.actor, Seq: 3, Tip: syncproto.ChangeID{0xEF}}}
	if _, err := hand.post(w.t.Context(), q); err != nil {
		w.t.Fatal(err)
	}
	q = hand.request(2)
	q.Chains = []syncproto.ChainHead{{Actor: c.actor, Seq: 3, Tip: syncproto.ChangeID{0xEF}}}
	q.Log = syncproto.TreeHead{Size: 3, Root: [32]byte{0xAD}}
	if _, err := hand.post(w.t.Context(), q); err != nil {
		w.t.Fatal(err)
	}
	w.wantFiring(0, "DoorstepHistoryForked")
}

// leaves ends a person's access while their tablet holds much that is unsent, which
// then comes up into custody.
func (w *watched) leaves(a *tablet, family syncproto.FamilyID) {
	w.t.Helper()
	visit := a.newRecord()
	a.edit(family, visit, "visit", setText("visit_type", "CIN"))
	words := strings.Repeat("What was never sent. ", 2500)
	for range 20 {
		a.edit(family, visit, "visit", write("household_summary", 0, words))
	}
	if err := w.op.RevokeDevice(w.t.Context(), a.id.Device.String()); err != nil {
		w.t.Fatal(err)
	}
	a.restart()
	if report := a.syncs(); !report.AccessEnded {
		w.t.Error("the tablet does not say that access has ended")
	}
}
