package intake_test

import (
	"context"
	"crypto/rand"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"doorstep/server/internal/desk"
	"doorstep/server/internal/exchange"
	"doorstep/server/internal/intake"
	"doorstep/server/internal/store"
	"doorstep/server/internal/store/storetest"
	"doorstep/syncproto"
	"doorstep/syncproto/cbor"
)

// world is a borough with a real journal, keys, index, ledger and desk.
type world struct {
	t       *testing.T
	borough *storetest.Borough
	ledger  *exchange.Ledger
	desk    *desk.Desk
	deps    intake.Deps
	now     time.Time
}

func newWorld(t *testing.T) *world {
	t.Helper()
	return worldOver(t, storetest.Open(t))
}

// newWorldOver is a world after a restart.
func newWorldOver(t *testing.T, w *world) *world { return worldOver(t, w.borough) }

func worldOver(t *testing.T, b *storetest.Borough) *world {
	w := &world{t: t, borough: b, now: time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC)}
	w.ledger = exchange.NewLedger(exchange.LedgerConfig{
		Journal: w.borough.Journal, Store: w.borough.Store, Log: w.borough.Log,
		Now:     func() time.Time { return w.now },
		OnFatal: func(err error) { t.Errorf("the ledger failed: %v", err) },
	})
	t.Cleanup(w.ledger.Close)
	w.desk = desk.New(desk.Config{
		Borough: "testshire", Device: syncproto.DeviceID{9}, Keys: w.borough.Keys, Rand: rand.Reader,
		Sign: func([]byte) ([]byte, error) { return make([]byte, 64), nil },
	})
	w.deps = intake.Deps{Ledger: w.ledger, Desk: w.desk, Store: b.Store, Random: rand.Reader, NormalLogin: normal}
	return w
}

// normal stands in for auth's rule.
func normal(login string) (string, error) {
	login = strings.ToLower(strings.TrimSpace(login))
	if login == "" || strings.ContainsAny(login, " \n") {
		return "", errors.New("not a login")
	}
	return login, nil
}

func (w *world) try(files fs.FS) (intake.Report, error) {
	w.t.Helper()
	return intake.Import(context.Background(), w.deps, files, intake.Options{Now: w.now})
}

// load imports files that must be fine.
func (w *world) load(files fs.FS) intake.Report {
	w.t.Helper()
	report, err := w.try(files)
	for _, p := range report.Problems {
		w.t.Errorf("problem: %+v", p)
	}
	if err != nil {
		w.t.Fatalf("importing: %v", err)
	}
	return report
}

// refused imports files that must be refused, and checks that nothing was stored.
func (w *world) refused(files fs.FS) []intake.Problem {
	w.t.Helper()
	before, _ := w.borough.Store.Applied()
	report, err := w.try(files)
	if !errors.Is(err, intake.ErrProblems) {
		w.t.Fatalf("import: got error %v, want ErrProblems (%d problems)", err, len(report.Problems))
	}
	if len(report.Problems) == 0 {
		w.t.Fatal("refused without a problem")
	}
	if after, _ := w.borough.Store.Applied(); after != before {
		w.t.Fatalf("refused, and %d entries were stored", after-before)
	}
	return report.Problems
}

// example returns the example caseload, with some files replaced.
func example(t *testing.T, replaced ...string) fstest.MapFS {
	t.Helper()
	dir := filepath.Join("..", "..", "..", "deploy", "example-caseload")
	names, err := filepath.Glob(filepath.Join(dir, "*.csv"))
	if err != nil || len(names) == 0 {
		t.Fatalf("the example caseload is missing: %v", err)
	}
	files := fstest.MapFS{}
	for _, name := range names {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		files[filepath.Base(name)] = &fstest.MapFile{Data: data}
	}
	for i := 0; i+1 < len(replaced); i += 2 {
		files[replaced[i]] = &fstest.MapFile{Data: []byte(replaced[i+1])}
	}
	return files
}

// edited returns the example with one text put in another's place in one file.
func edited(t *testing.T, file, old, text string) fstest.MapFS {
	t.Helper()
	files := example(t)
	data := string(files[file].Data)
	if strings.Count(data, old) != 1 {
		t.Fatalf("%s has %q %d times, want once", file, old, strings.Count(data, old))
	}
	files[file] = &fstest.MapFile{Data: []byte(strings.Replace(data, old, text, 1))}
	return files
}

func (w *world) id(kind, ref string) syncproto.ID {
	w.t.Helper()
	id, ok := w.borough.Store.State().Ref(kind, ref)
	if !ok || id.IsZero() {
		w.t.Fatalf("no id for %s %s", kind, ref)
	}
	return id
}

func (w *world) user(ref string) syncproto.UserID     { return syncproto.UserID(w.id("worker", ref)) }
func (w *world) family(ref string) syncproto.FamilyID { return syncproto.FamilyID(w.id("family", ref)) }
func (w *world) record(kind, ref string) syncproto.RecordID {
	return syncproto.RecordID(w.id(kind, ref))
}

func (w *world) view(kind, ref string) *syncproto.View {
	w.t.Helper()
	v, err := w.borough.Store.View(w.record(kind, ref))
	if err != nil {
		w.t.Fatalf("view of %s %s: %v", kind, ref, err)
	}
	return v
}

func (w *world) text(kind, ref, field string) string {
	w.t.Helper()
	f, _ := w.view(kind, ref).Field(field)
	s, _ := f.Value.AsText()
	return s
}

func (w *world) bases(worker, family string) string {
	return strings.Join(w.borough.Store.State().BasisOf(w.user(worker), w.family(family), w.now.UnixMilli()), " ")
}

// edit writes a change by a worker, as a device would.
func (w *world) edit(worker, kind, ref string, ops ...syncproto.Op) {
	w.t.Helper()
	record := w.record(kind, ref)
	info, err := w.borough.Store.RecordInfo(record)
	if err != nil {
		w.t.Fatal(err)
	}
	_, err = w.ledger.Propose(context.Background(), func(tx *store.Tx) ([]store.Entry, error) {
		_, err := w.desk.Compose(tx, []desk.Edit{{
			Author: w.user(worker), Family: info.Family, Record: record, Kind: info.Kind, Ops: ops,
		}})
		return nil, err
	})
	if err != nil {
		w.t.Fatalf("editing %s %s: %v", kind, ref, err)
	}
}

type elementOf = syncproto.Element

func set(field, value string) syncproto.Op {
	return syncproto.Op{Code: syncproto.OpSet, Path: syncproto.Path{Field: field}, Value: cbor.Text(value)}
}

// seal makes a record final, as package finalise does.
func (w *world) seal(kind, ref string) {
	w.t.Helper()
	record := w.record(kind, ref)
	info, err := w.borough.Store.RecordInfo(record)
	if err != nil {
		w.t.Fatal(err)
	}
	_, err = w.ledger.Propose(context.Background(), func(tx *store.Tx) ([]store.Entry, error) {
		return []store.Entry{store.VerdictEntry{Verdict: syncproto.Verdict{
			Kind: syncproto.VerdictSeal, Family: info.Family, Record: record, Change: info.Heads[0],
			Heads: []syncproto.RecordHeads{{Record: record, Heads: info.Heads}}, Hash: [32]byte{1},
		}}}, nil
	})
	if err != nil {
		w.t.Fatalf("sealing: %v", err)
	}
}
