package endtoend

import (
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"doorstep/server"
	"doorstep/syncproto"
)

var restoreDevices = flag.Int("restore.devices", 8, "tablets that are ahead of the backup that is restored")

// withBackups gives a borough that is not running yet places for backups, and
// returns the file of the identity that opens them.
func withBackups(t *testing.T, cfg *server.Config) string {
	t.Helper()
	dir := filepath.Dir(cfg.Data.Dir)
	identity := filepath.Join(dir, "identity")
	recipient, err := server.NewBackupIdentity(identity)
	if err != nil {
		t.Fatal(err)
	}
	cfg.Backup.Dir, cfg.Backup.KeysDir = filepath.Join(dir, "backups"), filepath.Join(dir, "backup-keys")
	cfg.Backup.Recipients = []string{recipient}
	return identity
}

// writes has every tablet write a visit of its own, and send it.
func writes(t *testing.T, family syncproto.FamilyID, tablets []*tablet, when string) (changes int) {
	t.Helper()
	for n, x := range tablets {
		visit := x.newRecord()
		x.edit(family, visit, "visit", setText("visit_type", "CIN"), write("household_summary", 0, fmt.Sprintf("Tablet %d, %s. ", n, when)))
		x.edit(family, visit, "visit", write("household_summary", 0, "And more. "))
		changes += 2
	}
	syncAll(t, tablets)
	return changes
}

// TestFault84RestoreWhileTabletsAreAhead restores a backup that is a day behind.
// The last tablet is gone for good; all that it had written its colleagues' bring
// back, and everything else is back after one sync of each.
func TestFault84RestoreWhileTabletsAreAhead(t *testing.T) {
	t.Parallel()
	const workers = 4
	b := newBorough(t, caseload{workers: workers, families: 1})
	b.stop()
	identity := withBackups(t, &b.cfg)
	b.start(t)
	tablets := make([]*tablet, *restoreDevices)
	for n := range tablets {
		tablets[n] = newTablet(t, b, n%workers, uint64(n))
		tablets[n].syncs()
	}
	family := tablets[0].families()[0]
	writes(t, family, tablets, "before the backup")
	if _, err := server.Backup(t.Context(), b.cfg, nil, t.Output()); err != nil {
		t.Fatal(err)
	}
	lost := writes(t, family, tablets, "after the backup")
	syncAll(t, tablets) // everybody hears of everybody's
	b.stop()
	gone, left := tablets[len(tablets)-1], tablets[:len(tablets)-1]

	if err := os.RemoveAll(b.cfg.Data.Dir); err != nil {
		t.Fatal(err)
	}
	restored, err := server.Restore(t.Context(), b.cfg, server.RestoreOptions{Identity: identity}, func(string) {}, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	if restored.Verified.Changes < 2*len(tablets) {
		t.Errorf("%d changes were restored, want at least %d", restored.Verified.Changes, 2*len(tablets))
	}
	b.start(t)
	for _, x := range left {
		x.syncs() // once each
	}
	wantReconciled(t, b, left, lost)
	syncAll(t, left)
	for _, x := range left {
		x.wantEmptyOutbox()
		x.wantAccepted()
	}
	b.stop()
	data := openData(t, b.cfg)
	wantSame(t, data, left...)
	for record, want := range gone.folds() {
		if got := data.fold(t, record); got != want {
			t.Errorf("the words of the tablet that is gone are not all back in record %s", record)
		}
	}
}

// wantReconciled holds the operator's report against what was lost: each tablet's
// own two changes, and those of the tablet that is gone.
func wantReconciled(t *testing.T, b *borough, left []*tablet, lost int) {
	t.Helper()
	r, err := b.op.Reconciliation(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	own, others := uint64(0), uint64(0)
	for _, d := range r.Compared {
		own, others = own+d.Own, others+d.Others
	}
	if len(r.Compared) != len(left) || len(r.Waiting) != 1 || len(r.Missing) != 0 {
		t.Errorf("%d tablets compared, %d not, %d gaps; want %d, 1 and none", len(r.Compared), len(r.Waiting), len(r.Missing), len(left))
	}
	if own+others < uint64(lost) || own > uint64(2*len(left)) {
		t.Errorf("%d changes of their own and %d of others came back, %d were lost", own, others, lost)
	}
}

// TestFault84OldCopyPutBackWithoutAWord puts an older copy of the data in place,
// as a rolled-back virtual machine does. Before a tablet that was ahead comes, the
// journal grows beyond where that tablet had got.
func TestFault84OldCopyPutBackWithoutAWord(t *testing.T) {
	t.Parallel()
	b, worker, colleague, family := cutFixture(t)
	words := prose(t)
	wrote := append(worker.day(family, 1, words), colleague.day(family, 2, words)...)
	worker.syncs()
	colleague.syncs()
	kept := b.keepsCopy(t)
	wrote = append(wrote, worker.day(family, 3, words)...)
	worker.syncs()
	b.stop()
	b.putsBack(t, kept)

	b.start(t)
	for n := range 3 {
		wrote = append(wrote, colleague.day(family, 4+n, words)...)
		colleague.syncs()
	}
	for range 2 {
		worker.syncs()
		colleague.syncs()
	}
	r, err := b.op.Reconciliation(t.Context())
	if err != nil || r.Devices == 0 {
		t.Errorf("no new epoch began: %+v, %v", r, err)
	}
	for _, x := range []*tablet{worker, colleague} {
		x.wantEmptyOutbox()
		x.wantAccepted()
	}
	newWire(b, colleague).wantOnce(wrote...)
	b.stop()
	wantSame(t, openData(t, b.cfg), worker, colleague)
}

// TestFault84WitnessNoticesAnOldCopyAtTheStart holds that no tablet is needed
// where a witness is kept.
func TestFault84WitnessNoticesAnOldCopyAtTheStart(t *testing.T) {
	t.Parallel()
	b := newBorough(t, caseload{workers: 1, families: 1})
	b.stop()
	kept := filepath.Join(t.TempDir(), "data")
	b.cfg.Data.Witness = filepath.Join(filepath.Dir(b.cfg.Data.Dir), "witness")
	copyFolder(t, b.cfg.Data.Dir, kept)
	epoch := func() string {
		b.start(t)
		defer b.stop()
		st, err := b.op.Status(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return st.Epoch
	}
	first := epoch()
	if again := epoch(); again != first {
		t.Errorf("an ordinary start began the epoch %s", again)
	}
	b.putsBack(t, kept)
	if third := epoch(); third == first {
		t.Error("an old copy of the data was not noticed at the start")
	}
	grown := b.journalBytes(t)
	b.putsBack(t, kept)
	taken := b.journalBytes(t)
	if err := os.WriteFile(b.firstSegment(), grown[:len(taken)+70], 0o600); err != nil { // taken while a group was being written
		t.Fatal(err)
	}
	b.start(t)
	defer b.stop()
	if r, err := b.op.Reconciliation(t.Context()); err != nil || !strings.Contains(r.Reason, "older copy") {
		t.Errorf("an old copy with a torn end: got %+v, %v, want an epoch because of an older copy", r, err)
	}
}

func (b *borough) firstSegment() string {
	return filepath.Join(b.cfg.Data.Dir, "journal", "segment-00000000000000000001")
}

func (b *borough) journalBytes(t *testing.T) []byte {
	t.Helper()
	content, err := os.ReadFile(b.firstSegment())
	if err != nil {
		t.Fatal(err)
	}
	return content
}
