package endtoend

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"

	"doorstep/server"
	"doorstep/server/internal/erasure"
	"doorstep/server/internal/store"
	"doorstep/syncproto"
)

// erases has two people of information governance take a record out for good.
func erases(t *testing.T, b *borough, record syncproto.RecordID) {
	t.Helper()
	for _, login := range []string{"officer", "guardian"} {
		if _, err := b.op.AddUser(t.Context(), server.NewUser{Login: login, Name: login, Role: "ig_officer", Password: password}); err != nil {
			t.Fatal(err)
		}
	}
	asked, err := b.op.Erase(t.Context(), server.EraseOrder{Login: "officer", Password: password, Act: "ask",
		Scope: erasure.ScopeRecord, ID: record.String(), Basis: erasure.BasisUnlawful, Reason: "written about another family"})
	if err != nil {
		t.Fatal(err)
	}
	_, err = b.op.Erase(t.Context(), server.EraseOrder{Login: "guardian", Password: password, Act: "confirm", ID: asked[0].ID})
	if err != nil {
		t.Fatal(err)
	}
}

// returnedOf is every change of a record as a tablet gives it back after a restore:
// with the proof that came with it.
func returnedOf(t *testing.T, w *wire, record syncproto.RecordID) (out []syncproto.Returned) {
	t.Helper()
	items, err := w.feed(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, it := range items {
		if it.Type != syncproto.ItemChange {
			continue
		}
		c, err := syncproto.DecodeChange(it.Prev, it.Body)
		if err == nil && c.Body.Record == record {
			out = append(out, syncproto.Returned{Device: it.Device, Prev: it.Prev, Body: it.Body, Proof: it.Proof})
		}
	}
	if len(out) == 0 {
		t.Fatal("the record is not in the feed: the test would give nothing back")
	}
	return out
}

// restoredInto restores the newest backup of cfg into an empty folder.
func restoredInto(t *testing.T, cfg server.Config, identity string) {
	t.Helper()
	_, err := server.Restore(t.Context(), cfg, server.RestoreOptions{Identity: identity}, func(string) {}, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
}

// TestFault85RestoreFromBeforeAnErasureKeepsItErased loses the data after an
// erasure, restores the backup from before it, with the keys that it holds, and
// lets two tablets come that still have the words and have heard of nothing.
func TestFault85RestoreFromBeforeAnErasureKeepsItErased(t *testing.T) {
	t.Parallel()
	b := newBorough(t, caseload{workers: 2, families: 1})
	b.stop()
	identity := withBackups(t, &b.cfg)
	b.start(t)
	worker, colleague := newTablet(t, b, 0, 1), newTablet(t, b, 1, 2)
	worker.syncs()
	family, doomed, kept := worker.families()[0], worker.newRecord(), worker.newRecord()
	for _, record := range []syncproto.RecordID{doomed, kept} {
		worker.edit(family, record, "visit", setText("visit_type", "CIN"), write("household_summary", 0, "The letter is in the blue tin. "))
	}
	worker.syncs()
	colleague.syncs()
	back := returnedOf(t, newWire(b, colleague), doomed)
	if _, err := server.Backup(t.Context(), b.cfg, nil, t.Output()); err != nil {
		t.Fatal(err)
	}
	erases(t, b, doomed)
	b.stop()
	wantInBackup(t, b.cfg, identity, doomed)

	if err := os.RemoveAll(b.cfg.Data.Dir); err != nil {
		t.Fatal(err)
	}
	restoredInto(t, b.cfg, identity)
	b.start(t)
	fresh := newTablet(t, b, 0, 3)
	fresh.syncs()
	wantWithout(t, fresh, doomed, kept)
	wantErasedRefused(t, newWire(b, colleague), back)
	for range 2 {
		worker.syncs()
		colleague.syncs()
	}
	wantWithout(t, worker, doomed, kept)
	wantWithout(t, colleague, doomed, kept)
	b.stop()
	data := openData(t, b.cfg)
	if _, err := data.store.View(doomed); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("the server shows what was erased: %v", err)
	}
	wantSame(t, data, worker, colleague)
}

// wantInBackup is the control: without the list of what was erased, the backup
// brings the record back.
func wantInBackup(t *testing.T, cfg server.Config, identity string, record syncproto.RecordID) {
	t.Helper()
	aside := t.TempDir()
	for name, dir := range map[string]*string{"backups": &cfg.Backup.Dir, "keys": &cfg.Backup.KeysDir} {
		copyFolder(t, *dir, filepath.Join(aside, name))
		*dir = filepath.Join(aside, name)
	}
	if err := os.Remove(filepath.Join(cfg.Backup.Dir, erasure.ListName)); err != nil {
		t.Fatal(err)
	}
	cfg.Data.Dir = filepath.Join(aside, "data")
	restoredInto(t, cfg, identity)
	if v, err := openData(t, cfg).store.View(record); err != nil || len(v.Encode()) == 0 {
		t.Errorf("the backup does not hold the record, so nothing was shown: %v", err)
	}
}

// wantErasedRefused gives changes of an erased record back, which is refused and
// said so.
func wantErasedRefused(t *testing.T, w *wire, back []syncproto.Returned) {
	t.Helper()
	q := w.request(1)
	q.Returned = back
	reply, err := w.post(t.Context(), q)
	if err != nil {
		t.Fatal(err)
	}
	if len(reply.Receipts) != len(back) {
		t.Errorf("%d receipts for %d changes that were given back", len(reply.Receipts), len(back))
	}
	for _, r := range reply.Receipts {
		if r.Status != syncproto.StatusRefused || r.Code != syncproto.CodeErased {
			t.Errorf("a change of an erased record was given back: got status %d, %v, want a refusal that says so", r.Status, r.Code)
		}
	}
}

func wantWithout(t *testing.T, x *tablet, doomed, kept syncproto.RecordID) {
	t.Helper()
	shown := x.folds()
	if shown[doomed] != "" {
		t.Errorf("%s shows what was erased", x.login)
	}
	if shown[kept] == "" {
		t.Errorf("%s lacks what was not erased", x.login)
	}
}
