package delivery_test

import (
	"context"
	"crypto/ed25519"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"doorstep/server/internal/audit"
	"doorstep/server/internal/delivery"
	"doorstep/server/internal/desk"
	"doorstep/server/internal/disk"
	"doorstep/server/internal/exchange"
	"doorstep/server/internal/finalise"
	"doorstep/server/internal/store"
	"doorstep/server/internal/store/storetest"
	"doorstep/syncproto"
	"doorstep/syncproto/cbor"
	"doorstep/syncproto/text"
)

var (
	lead     = syncproto.UserID{1}
	coord    = syncproto.UserID{3}
	stranger = syncproto.UserID{6}
	family   = syncproto.FamilyID{20}
	team     = store.TeamID{21}
	home     = syncproto.RecordID{24} // the family's own sheet
	maya     = syncproto.RecordID{22}
	visit    = syncproto.RecordID{30}
	part     = syncproto.RecordID{31}

	ctx = context.Background()
)

// secret is in what the visit says: it must be found in bundles and nowhere else.
const secret = "Maya hid under the stairs"

// world is a borough with one final visit, and the folder that its records go to.
type world struct {
	t        *testing.T
	borough  *storetest.Borough
	ledger   *exchange.Ledger
	desk     *desk.Desk
	final    *finalise.Service
	now      time.Time
	dir      string // of the receipts
	folder   string
	key      ed25519.PrivateKey
	noted    []audit.Access
	log      strings.Builder
	service  *delivery.Service
	receipts *delivery.Receipts
}

// Note implements delivery.Accesses.
func (w *world) Note(a audit.Access) error { w.noted = append(w.noted, a); return nil }

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{t: t, borough: storetest.Open(t), now: time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC), dir: t.TempDir(), folder: t.TempDir(),
		key: ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize))}
	w.ledger = exchange.NewLedger(exchange.LedgerConfig{Journal: w.borough.Journal, Store: w.borough.Store, Log: w.borough.Log,
		Now: func() time.Time { return w.now }, OnFatal: func(err error) { t.Errorf("the ledger failed: %v", err) }})
	t.Cleanup(w.ledger.Close)
	w.desk = desk.New(desk.Config{Borough: "testshire", Device: syncproto.DeviceID{9}, Keys: w.borough.Keys, Rand: rand.NewChaCha8([32]byte{}),
		Sign: func([]byte) ([]byte, error) { return make([]byte, 64), nil }})
	w.final = finalise.New(finalise.Config{Ledger: w.ledger, Desk: w.desk, Store: w.borough.Store, Keys: w.borough.Keys, Now: func() time.Time { return w.now }, Rand: rand.NewChaCha8([32]byte{1})})
	w.store(
		store.UserEntry{ID: lead, Login: "lee", Name: "Lee Lead", Role: "social_worker"},
		store.UserEntry{ID: coord, Login: "cora", Name: "Cora Coordinator", Role: "coordinator"},
		store.UserEntry{ID: stranger, Login: "sam", Name: "Sam Stranger", Role: "practitioner"},
		store.FamilyTeamEntry{Family: family, Team: team}, store.TeamEntry{User: coord, Team: team, Basis: "COORD", Grant: true},
		store.RelationEntry{User: lead, Family: family, Basis: "LEAD", Grant: true})
	w.write(home, "family", code("name", "Fox"))
	w.write(maya, "person", code("names", "Maya Fox"), code("dob", "2019-05-04"))
	w.open(nil)
	return w
}

func (w *world) store(entries ...store.Entry) {
	w.t.Helper()
	if _, err := w.ledger.Propose(ctx, func(*store.Tx) ([]store.Entry, error) { return entries, nil }); err != nil {
		w.t.Fatal(err)
	}
}

// write writes as the lead.
func (w *world) write(record syncproto.RecordID, kind string, ops ...syncproto.Op) {
	w.t.Helper()
	_, err := w.ledger.Propose(ctx, func(tx *store.Tx) ([]store.Entry, error) {
		_, err := w.desk.Compose(tx, []desk.Edit{{Author: lead, Family: family, Record: record, Kind: kind, Ops: ops, Capture: syncproto.CaptureTyped}})
		return nil, err
	})
	if err != nil {
		w.t.Fatal(err)
	}
}

func set(field string, v cbor.Value) syncproto.Op {
	return syncproto.Op{Code: syncproto.OpSet, Path: syncproto.Path{Field: field}, Value: v}
}

func code(field, c string) syncproto.Op { return set(field, cbor.Text(c)) }

func (w *world) heads() (out []syncproto.RecordHeads) {
	w.t.Helper()
	for _, r := range []syncproto.RecordID{visit, part} {
		info, err := w.borough.Store.RecordInfo(r)
		if err != nil {
			w.t.Fatal(err)
		}
		out = append(out, syncproto.RecordHeads{Record: r, Heads: info.Heads})
	}
	return out
}

// sealed takes a visit with a child's part from nothing to final.
func (w *world) sealed() {
	w.t.Helper()
	at := w.now
	w.write(visit, "visit", code("visit_type", "CIN"), set("start", cbor.Int(at.Add(-2*time.Hour).UnixMilli())), set("end", cbor.Int(at.Add(-time.Hour).UnixMilli())),
		code("contact_mode", "IN_PERSON"), code("place", "HOME"), code("outcome", "COMPLETED"),
		syncproto.Op{Code: syncproto.OpAdd, Path: syncproto.Path{Field: "workers", Element: syncproto.ElementID{1}},
			Value: cbor.Map(cbor.Pair{Key: "worker", Value: cbor.Bytes(lead[:])}, cbor.Pair{Key: "role", Value: cbor.Text("SW")})})
	w.write(part, "visit_child", set("visit", cbor.Bytes(visit[:])), set("child", cbor.Bytes(maya[:])), code("seen", "Y"), code("seen_alone", "Y"),
		syncproto.Op{Code: syncproto.OpSplice, Path: syncproto.Path{Field: "presentation"}, Splices: []text.Splice{{Ins: secret + " <b>& laughed</b>."}}})
	w.must(w.final.HandOver(ctx, finalise.Caller{User: lead}, finalise.HandOver{Record: visit}))
	w.must(w.final.Confirm(ctx, finalise.Caller{User: lead}, finalise.Confirm{Record: visit, Heads: w.heads()}))
	w.must(w.final.Finalise(ctx, finalise.Caller{User: coord}, finalise.Finalise{Record: visit, Heads: w.heads()}))
}

func (w *world) must(_ syncproto.ChangeID, err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

// open starts the service anew, as a restart does; nil: it leaves records in the folder.
func (w *world) open(target delivery.Target, with ...func(*delivery.Config)) {
	w.t.Helper()
	if w.receipts != nil {
		if err := w.receipts.Close(); err != nil {
			w.t.Fatal(err)
		}
	}
	var err error
	if w.receipts, err = delivery.OpenReceipts(disk.Local{}, w.dir); err != nil {
		w.t.Fatal(err)
	}
	if target == nil {
		if target, err = delivery.OpenFolder(disk.Local{}, w.folder, len(w.receipts.Ready())+len(w.receipts.Newest(1)) == 0); err != nil {
			w.t.Fatal(err)
		}
	}
	cfg := delivery.Config{Borough: "testshire", Store: w.borough.Store, Final: w.final, Accesses: w, Target: target,
		Signer: audit.NewSigner("testshire", w.key), Receipts: w.receipts, Log: slog.New(slog.NewTextHandler(&w.log, nil)), Now: func() time.Time { return w.now }, Zone: time.UTC}
	for _, f := range with {
		f(&cfg)
	}
	w.service = delivery.New(cfg)
}

func (w *world) round() {
	w.t.Helper()
	if err := w.service.Round(ctx); err != nil {
		w.t.Fatal(err)
	}
	if strings.Contains(w.log.String(), secret) || strings.Contains(w.log.String(), "Fox") {
		w.t.Errorf("content is in the log: %s", w.log.String())
	}
}

// lying lists the names of bundles in the folder.
func (w *world) lying() (out []string) {
	w.t.Helper()
	names, err := filepath.Glob(filepath.Join(w.folder, "*.json"))
	if err != nil {
		w.t.Fatal(err)
	}
	for _, name := range names {
		out = append(out, strings.TrimSuffix(filepath.Base(name), ".json"))
	}
	slices.Sort(out)
	return out
}

// fetch takes a bundle away as the case-management system does, having verified it.
func (w *world) fetch(id string) delivery.Bundle {
	w.t.Helper()
	name := filepath.Join(w.folder, id)
	words, err := os.ReadFile(name + ".json")
	if err != nil {
		w.t.Fatal(err)
	}
	signature, err := os.ReadFile(name + ".jws")
	if err != nil {
		w.t.Fatal(err)
	}
	b, err := delivery.Open(words, string(signature), w.key.Public().(ed25519.PublicKey))
	if err != nil {
		w.t.Fatal(err)
	}
	if err := os.Remove(name + ".json"); err != nil {
		w.t.Fatal(err)
	}
	return b
}
