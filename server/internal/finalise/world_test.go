package finalise_test

import (
	"context"
	"crypto/rand"
	"errors"
	"slices"
	"testing"
	"time"

	"doorstep/server/internal/desk"
	"doorstep/server/internal/exchange"
	"doorstep/server/internal/finalise"
	"doorstep/server/internal/store"
	"doorstep/server/internal/store/storetest"
	"doorstep/syncproto"
	"doorstep/syncproto/cbor"
	"doorstep/syncproto/schema"
)

// People of the stories, and the one family.
var (
	lead     = syncproto.UserID{1}
	co       = syncproto.UserID{2}
	coordA   = syncproto.UserID{3}
	coordB   = syncproto.UserID{4}
	manager  = syncproto.UserID{5}
	stranger = syncproto.UserID{6} // a practitioner who is not on the case
	it       = syncproto.UserID{7}

	family = syncproto.FamilyID{20}
	team   = store.TeamID{21}
	maya   = syncproto.RecordID{22} // a child
	jo     = syncproto.RecordID{23}

	visit    = syncproto.RecordID{30}
	partMaya = syncproto.RecordID{31}
	partJo   = syncproto.RecordID{32}
)

var ctx = context.Background()

// world is a borough with a real journal, keys, index, ledger and desk.
type world struct {
	t       *testing.T
	borough *storetest.Borough
	ledger  *exchange.Ledger
	desk    *desk.Desk
	now     time.Time
	service *finalise.Service
	tablets map[syncproto.UserID]*tablet
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{t: t, borough: storetest.Open(t), now: time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC), tablets: map[syncproto.UserID]*tablet{}}
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
	w.service = w.fresh()
	w.store(
		person(lead, "social_worker"), person(co, "practitioner"), person(stranger, "practitioner"),
		person(coordA, "coordinator"), person(coordB, "coordinator"), person(manager, "manager"), person(it, "it"),
		store.FamilyTeamEntry{Family: family, Team: team},
		store.TeamEntry{User: coordA, Team: team, Basis: "COORD", Grant: true},
		store.TeamEntry{User: coordB, Team: team, Basis: "COORD", Grant: true},
		store.TeamEntry{User: manager, Team: team, Basis: "MANAGER", Grant: true},
		store.RelationEntry{User: lead, Family: family, Basis: "LEAD", Grant: true},
		store.RelationEntry{User: co, Family: family, Basis: "CO", Grant: true},
	)
	return w
}

// fresh is the service as after a start.
func (w *world) fresh() *finalise.Service {
	return finalise.New(finalise.Config{
		Ledger: w.ledger, Desk: w.desk, Store: w.borough.Store, Keys: w.borough.Keys, Now: func() time.Time { return w.now }, Rand: rand.Reader,
	})
}

func person(id syncproto.UserID, role string) store.UserEntry {
	return store.UserEntry{ID: id, Login: role + id.String(), Name: role, Role: role}
}

// store puts entries into the ledger.
func (w *world) store(entries ...store.Entry) {
	w.t.Helper()
	if _, err := w.ledger.Propose(ctx, func(*store.Tx) ([]store.Entry, error) { return entries, nil }); err != nil {
		w.t.Fatalf("storing: %v", err)
	}
}

// tablet writes changes as a device does, on whatever it last saw.
type tablet struct {
	w     *world
	user  syncproto.UserID
	actor syncproto.ActorID
	seq   uint64
	prev  syncproto.ChangeID
}

func (w *world) tablet(user syncproto.UserID) *tablet {
	if w.tablets[user] == nil {
		w.tablets[user] = &tablet{w: w, user: user, actor: syncproto.ActorID(user)}
	}
	return w.tablets[user]
}

// note is a change that was written and not sent yet.
type note struct {
	entry store.ChangeEntry
	ops   []syncproto.Op
}

// write makes the user's next change of a record on these deps.
func (w *world) write(user syncproto.UserID, record syncproto.RecordID, kind string, deps []syncproto.ChangeID, ops ...syncproto.Op) note {
	return w.writeAs(syncproto.CaptureTyped, user, record, kind, deps, ops...)
}

func (w *world) writeAs(capture syncproto.CaptureMode, user syncproto.UserID, record syncproto.RecordID, kind string, deps []syncproto.ChangeID, ops ...syncproto.Op) note {
	w.t.Helper()
	tab := w.tablet(user)
	tab.seq++
	newest, _ := schema.Newest(kind)
	deps = slices.Clone(deps)
	syncproto.SortChangeIDs(deps)
	body := syncproto.Body{
		Version: syncproto.BodyVersion, Borough: "testshire", Family: family, Record: record, Kind: kind,
		SchemaVersion: newest.Version, Actor: tab.actor, Seq: tab.seq, Salt: [16]byte{1}, Deps: deps,
		TimeMS: w.now.UnixMilli(), Author: user, Capture: capture, Ops: ops,
	}
	if err := syncproto.CheckOps(newest, newest.Version, ops); err != nil {
		w.t.Fatalf("bad ops: %v", err)
	}
	raw, err := syncproto.EncodeBody(&body)
	if err != nil {
		w.t.Fatal(err)
	}
	c, err := syncproto.DecodeChange(tab.prev, raw)
	if err != nil {
		w.t.Fatal(err)
	}
	tab.prev = c.ID
	if err := w.borough.Keys.Ensure([]store.KeyPair{{Family: family, Record: record}}); err != nil {
		w.t.Fatal(err)
	}
	sealed, err := store.SealChange(w.borough.Keys, c, w.now.UnixMilli())
	if err != nil {
		w.t.Fatal(err)
	}
	return note{ops: ops, entry: store.ChangeEntry{
		ID: c.ID, Prev: c.Prev, Record: record, Family: family, Kind: kind, Actor: tab.actor, Seq: tab.seq,
		Deps: body.Deps, Author: user, Device: syncproto.DeviceID(user), Status: syncproto.StatusAccepted,
		AtMS: w.now.UnixMilli(), Sealed: sealed,
	}}
}

// send delivers a note: accepted, held, or late.
func (w *world) send(n note, status syncproto.ReceiptStatus) syncproto.ChangeID {
	w.t.Helper()
	n.entry.Status = status
	entries := []store.Entry{n.entry}
	switch status {
	case syncproto.StatusHeld:
		n.entry.Code = syncproto.CodeMissingDeps
		entries[0] = n.entry
	case syncproto.StatusLate:
		entries = append(entries, store.VerdictEntry{Verdict: syncproto.Verdict{
			Kind: syncproto.VerdictLate, Family: family, Record: n.entry.Record, Change: n.entry.ID,
			Code: syncproto.CodeLate, AtMS: w.now.UnixMilli(),
		}})
	}
	w.store(entries...)
	return n.entry.ID
}

// edit writes on the newest heads and delivers at once.
func (w *world) edit(user syncproto.UserID, record syncproto.RecordID, kind string, ops ...syncproto.Op) syncproto.ChangeID {
	w.t.Helper()
	return w.send(w.write(user, record, kind, w.heads(record), ops...), syncproto.StatusAccepted)
}

func (w *world) heads(record syncproto.RecordID) []syncproto.ChangeID {
	w.t.Helper()
	info, err := w.borough.Store.RecordInfo(record)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		w.t.Fatal(err)
	}
	return info.Heads
}

func (w *world) allHeads(records ...syncproto.RecordID) []syncproto.RecordHeads {
	w.t.Helper()
	var out []syncproto.RecordHeads
	for _, r := range records {
		out = append(out, syncproto.RecordHeads{Record: r, Heads: w.heads(r)})
	}
	return out
}

func (w *world) view(record syncproto.RecordID) *syncproto.View {
	w.t.Helper()
	v, err := w.borough.Store.View(record)
	if err != nil {
		w.t.Fatal(err)
	}
	return v
}

func set(field string, v cbor.Value) syncproto.Op {
	return syncproto.Op{Code: syncproto.OpSet, Path: syncproto.Path{Field: field}, Value: v}
}

func code(field, c string) syncproto.Op { return set(field, cbor.Text(c)) }

func add(field string, element byte, pairs ...cbor.Pair) syncproto.Op {
	return syncproto.Op{Code: syncproto.OpAdd, Path: syncproto.Path{Field: field, Element: syncproto.ElementID{element}}, Value: cbor.Map(pairs...)}
}

func pair(key string, v cbor.Value) cbor.Pair { return cbor.Pair{Key: key, Value: v} }

// visitOps fill in everything that a visit needs.
func visitOps(at time.Time) []syncproto.Op {
	return []syncproto.Op{
		code("visit_type", "CIN"), set("start", cbor.Int(at.Add(-2*time.Hour).UnixMilli())), set("end", cbor.Int(at.Add(-time.Hour).UnixMilli())),
		code("contact_mode", "IN_PERSON"), code("place", "HOME"), code("outcome", "COMPLETED"),
		add("workers", 1, pair("worker", cbor.Bytes(lead[:])), pair("role", cbor.Text("SW"))),
	}
}

func partOps(child syncproto.RecordID) []syncproto.Op {
	return []syncproto.Op{
		set("visit", cbor.Bytes(visit[:])), set("child", cbor.Bytes(child[:])), code("seen", "Y"), code("seen_alone", "Y"),
	}
}

// recorded has the lead record a visit with a part for each child.
func (w *world) recorded() {
	w.t.Helper()
	w.edit(lead, visit, "visit", visitOps(w.now)...)
	w.edit(lead, partMaya, "visit_child", partOps(maya)...)
	w.edit(lead, partJo, "visit_child", partOps(jo)...)
}

func as(user syncproto.UserID) finalise.Caller { return finalise.Caller{User: user} }

// ready is a recorded visit, handed over and confirmed.
func (w *world) ready() {
	w.t.Helper()
	w.recorded()
	w.must(w.service.HandOver(ctx, as(lead), finalise.HandOver{Record: visit}))
	w.confirm()
}

func (w *world) confirm() {
	w.t.Helper()
	w.must(w.service.Confirm(ctx, as(lead), finalise.Confirm{Record: visit, Heads: w.allHeads(visit, partMaya, partJo)}))
}

// seal finalises a ready visit.
func (w *world) seal() {
	w.t.Helper()
	w.must(w.finalise(coordA))
}

func (w *world) finalise(user syncproto.UserID) (syncproto.ChangeID, error) {
	w.t.Helper()
	return w.service.Finalise(ctx, as(user), finalise.Finalise{Record: visit, Heads: w.allHeads(visit, partMaya, partJo)})
}

func (w *world) must(id syncproto.ChangeID, err error) syncproto.ChangeID {
	w.t.Helper()
	var r *finalise.Refusal
	if errors.As(err, &r) {
		w.t.Fatalf("refused: %+v", r.Reasons)
	}
	if err != nil {
		w.t.Fatal(err)
	}
	return id
}

// wantRefused checks that an act was refused with these reasons, in order, and
// that nothing was stored.
func (w *world) wantRefused(act func() error, want ...syncproto.Code) []finalise.Detail {
	w.t.Helper()
	before, _ := w.borough.Store.Applied()
	err := act()
	if after, _ := w.borough.Store.Applied(); after != before {
		w.t.Errorf("refused, and %d entries were stored", after-before)
	}
	var r *finalise.Refusal
	if !errors.As(err, &r) {
		if len(want) == 1 && errors.Is(err, want[0]) {
			return nil
		}
		w.t.Fatalf("got %v, want a refusal with %v", err, want)
	}
	var got []syncproto.Code
	for _, d := range r.Reasons {
		got = append(got, d.Code)
		if d.Plain == "" {
			w.t.Errorf("a reason without plain words: %+v", d)
		}
	}
	if !slices.Equal(got, want) || !errors.Is(err, want[0]) {
		w.t.Errorf("reasons: got %v, want %v\n%+v", got, want, r.Reasons)
	}
	return r.Reasons
}

// serverField writes fields that the server's order decides, and lets them win.
func (w *world) serverField(record syncproto.RecordID, kind string, ops ...syncproto.Op) {
	w.t.Helper()
	_, err := w.ledger.Propose(ctx, func(tx *store.Tx) ([]store.Entry, error) {
		_, err := w.desk.Compose(tx, []desk.Edit{{Author: lead, Family: family, Record: record, Kind: kind, Ops: ops}})
		return nil, err
	})
	if err != nil {
		w.t.Fatal(err)
	}
}

// decide decides as somebody who saw what is there now, unless it says otherwise.
func (w *world) decide(who syncproto.UserID, in finalise.Decide) (syncproto.ChangeID, error) {
	w.t.Helper()
	if in.Seen == nil {
		in.Seen = w.heads(in.Record)
	}
	return w.service.Decide(ctx, as(who), in)
}
