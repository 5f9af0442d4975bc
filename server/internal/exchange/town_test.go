package exchange_test

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"log/slog"
	"math/big"
	"sync"
	"testing"
	"time"

	"doorstep/server/internal/exchange"
	"doorstep/server/internal/store"
	"doorstep/server/internal/store/storetest"
	"doorstep/syncproto"
	"doorstep/syncproto/cbor"
	"doorstep/syncproto/schema"
	"doorstep/syncproto/text"
)

// town is a borough with a ledger, an exchange and tablets, all in process.
type town struct {
	t   testing.TB
	b   *storetest.Borough
	log *eventLog

	ledger  *exchange.Ledger
	hub     *exchange.Hub
	x       *exchange.Exchange
	nowMS   int64
	nextID  uint64
	custody uint64        // bytes of custody; 0: as in production
	copied  func() uint64 // of the second copy; nil: there is none

	onSynced func(exchange.Synced) // nil: nobody is told
}

// eventLog keeps the codes of security events.
type eventLog struct {
	mu   sync.Mutex // guards text
	text bytes.Buffer
}

func (l *eventLog) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

// has reports whether a line with all the words was written.
func (l *eventLog) has(words ...string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, line := range bytes.Split(l.text.Bytes(), []byte("\n")) {
		all := true
		for _, w := range words {
			all = all && bytes.Contains(line, []byte(w))
		}
		if all {
			return true
		}
	}
	return false
}

const startMS = 1_780_000_000_000

func newTown(t testing.TB) *town {
	t.Helper()
	w := &town{t: t, b: storetest.Open(t), log: &eventLog{}, nowMS: startMS}
	w.start()
	t.Cleanup(func() { w.ledger.Close() })
	return w
}

func (w *town) start() {
	log := slog.New(slog.NewTextHandler(w.log, nil))
	now := func() time.Time { return time.UnixMilli(w.nowMS) }
	w.hub = exchange.NewHub(exchange.Clock{})
	w.ledger = exchange.NewLedger(exchange.LedgerConfig{
		Journal: w.b.Journal, Store: w.b.Store, Now: now, Log: log,
		OnFatal:  func(err error) { w.t.Errorf("the ledger failed: %v", err) },
		OnCommit: func(c exchange.Committed) { w.hub.Tell(w.b.Store.State(), c) },
	})
	w.x = exchange.New(exchange.Config{
		Borough: "testshire", CustodyBytes: w.custody, Epoch: w.b.Journal.Epoch(), Store: w.b.Store, Ledger: w.ledger,
		Keys: w.b.Keys, Verify: verify, CursorKey: [32]byte{1}, Now: now, Log: log,
		Copied: w.copied, OnSynced: w.onSynced,
	})
}

// restart closes the borough and opens it again.
func (w *town) restart() {
	w.t.Helper()
	w.ledger.Close()
	w.b.Reopen()
	w.start()
}

func verify(key, message, signature []byte) bool {
	if len(key) != 65 || len(signature) != 64 {
		return false
	}
	public, err := ecdsa.ParseUncompressedPublicKey(elliptic.P256(), key)
	if err != nil {
		return false
	}
	digest := sha256.Sum256(message)
	r, s := new(big.Int).SetBytes(signature[:32]), new(big.Int).SetBytes(signature[32:])
	return ecdsa.Verify(public, digest[:], r, s)
}

// newID makes ids that are never alike.
func newID[T ~[16]byte](w *town) (id T) {
	w.nextID++
	binary.BigEndian.PutUint64(id[8:], w.nextID)
	id[0] = 0xD0
	return id
}

// commit proposes entries and fails the test if they are not stored.
func (w *town) commit(entries ...store.Entry) uint64 {
	w.t.Helper()
	first, err := w.ledger.Propose(context.Background(), func(*store.Tx) ([]store.Entry, error) { return entries, nil })
	if err != nil {
		w.t.Fatalf("committing: %v", err)
	}
	return first
}

func (w *town) person(role string) syncproto.UserID {
	w.t.Helper()
	id := newID[syncproto.UserID](w)
	w.commit(store.UserEntry{ID: id, Login: role + syncproto.ID(id).String(), Role: role})
	return id
}

func (w *town) relate(user syncproto.UserID, family syncproto.FamilyID, basis string) uint64 {
	return w.commit(store.RelationEntry{User: user, Family: family, Basis: basis, Grant: true})
}

func (w *town) part(user syncproto.UserID, family syncproto.FamilyID, basis string) uint64 {
	return w.commit(store.RelationEntry{User: user, Family: family, Basis: basis})
}

// tablet is a device in the hands of one user. It keeps what a device keeps, as
// plainly as possible.
type tablet struct {
	w      *town
	user   syncproto.UserID
	device syncproto.DeviceID
	key    *ecdsa.PrivateKey
	actor  syncproto.ActorID
	seq    uint64
	tip    syncproto.ChangeID

	outbox   []*syncproto.Change
	cursor   []byte
	changes  map[syncproto.ChangeID]*syncproto.Change
	verdicts map[uint64]syncproto.Verdict
	receipts map[syncproto.ChangeID]syncproto.Receipt
	families map[syncproto.FamilyID]string
}

func (w *town) tablet(user syncproto.UserID) *tablet {
	w.t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		w.t.Fatal(err)
	}
	d := &tablet{w: w, user: user, device: newID[syncproto.DeviceID](w), key: key}
	d.wipe()
	w.commit(d.entry())
	return d
}

func (d *tablet) entry() store.DeviceEntry {
	point, err := d.key.PublicKey.Bytes()
	if err != nil {
		d.w.t.Fatal(err)
	}
	return store.DeviceEntry{ID: d.device, Key: point, Users: []syncproto.UserID{d.user}, EnrolledMS: startMS}
}

// wipe makes the tablet as new, with a new actor.
func (d *tablet) wipe() {
	d.actor, d.seq, d.tip = newID[syncproto.ActorID](d.w), 0, syncproto.ChangeID{}
	d.outbox, d.cursor = nil, nil
	d.changes = map[syncproto.ChangeID]*syncproto.Change{}
	d.verdicts = map[uint64]syncproto.Verdict{}
	d.receipts = map[syncproto.ChangeID]syncproto.Receipt{}
	d.families = map[syncproto.FamilyID]string{}
}

// edit is what a test says about a change; the rest follows from the tablet.
type edit struct {
	family syncproto.FamilyID
	record syncproto.RecordID
	kind   string // "" is visit
	deps   []*syncproto.Change
	ops    []syncproto.Op
	alter  func(*syncproto.Body)
}

func place(code string) []syncproto.Op {
	return []syncproto.Op{{Code: syncproto.OpSet, Path: syncproto.Path{Field: "place"}, Value: cbor.Text(code)}}
}

// narrative types prose into a visit.
func narrative(words string) []syncproto.Op {
	return []syncproto.Op{{
		Code: syncproto.OpSplice, Path: syncproto.Path{Field: "household_summary"},
		Splices: []text.Splice{{Ins: words}},
	}}
}

// write makes the tablet's next change and puts it into the outbox.
func (d *tablet) write(e edit) *syncproto.Change {
	d.w.t.Helper()
	if e.kind == "" {
		e.kind = "visit"
	}
	kind, ok := schema.Newest(e.kind)
	if !ok {
		d.w.t.Fatalf("no kind %q", e.kind)
	}
	d.seq++
	body := syncproto.Body{
		Version: syncproto.BodyVersion, Borough: "testshire", Family: e.family, Record: e.record, Kind: e.kind,
		SchemaVersion: kind.Version, Actor: d.actor, Seq: d.seq, TimeMS: d.w.nowMS, Author: d.user, Ops: e.ops,
	}
	binary.BigEndian.PutUint64(body.Salt[:], d.seq)
	for _, dep := range e.deps {
		body.Deps = append(body.Deps, dep.ID)
	}
	syncproto.SortChangeIDs(body.Deps)
	if e.alter != nil {
		e.alter(&body)
	}
	raw, err := syncproto.EncodeBody(&body)
	if err != nil {
		d.w.t.Fatalf("encoding a change: %v", err)
	}
	return d.queue(raw, &body)
}

// queue puts a body into the outbox as the chain's next.
func (d *tablet) queue(raw []byte, body *syncproto.Body) *syncproto.Change {
	c := &syncproto.Change{ID: syncproto.ComputeID(d.tip, raw), Prev: d.tip, Raw: raw}
	if body != nil {
		c.Body = *body
	}
	d.tip = c.ID
	d.outbox = append(d.outbox, c)
	return c
}

func (d *tablet) sign(tip syncproto.ChangeID) []byte {
	return d.signature(syncproto.TipMessage(d.actor, tip))
}

func (d *tablet) signature(message []byte) []byte {
	digest := sha256.Sum256(message)
	r, s, err := ecdsa.Sign(rand.Reader, d.key, digest[:])
	if err != nil {
		d.w.t.Fatal(err)
	}
	signature := make([]byte, 64)
	r.FillBytes(signature[:32])
	s.FillBytes(signature[32:])
	return signature
}

// batch signs a run of the chain.
func (d *tablet) batch(run ...*syncproto.Change) syncproto.Batch {
	b := syncproto.Batch{Device: d.device, Actor: d.actor, Prev: run[0].Prev}
	for _, c := range run {
		b.Bodies = append(b.Bodies, c.Raw)
	}
	b.Signature = d.sign(run[len(run)-1].ID)
	return b
}

func (d *tablet) request(batches ...syncproto.Batch) *syncproto.SyncRequest {
	return &syncproto.SyncRequest{
		Version: syncproto.ProtocolVersion, Request: newID[syncproto.RequestID](d.w),
		Cursor: d.cursor, Batches: batches,
		Chains: []syncproto.ChainHead{{Actor: d.actor, Seq: d.seq, Tip: d.tip}},
	}
}

// purged is a request with signed purge receipts.
func (d *tablet) purged(list ...syncproto.Purged) *syncproto.SyncRequest {
	q := d.request()
	q.Epoch, q.Purged = d.w.b.Journal.Epoch(), list
	q.PurgeSignature = d.signature(syncproto.PurgeMessage(d.device, d.user, q.Epoch, list))
	return q
}

func (d *tablet) caller() exchange.Caller { return exchange.Caller{User: d.user, Device: d.device} }

// ask sends a request over the codec, both ways, and changes nothing here.
func (d *tablet) ask(q *syncproto.SyncRequest) (*syncproto.SyncReply, error) {
	d.w.t.Helper()
	sent, err := syncproto.DecodeRequest(syncproto.EncodeRequest(q))
	if err != nil {
		d.w.t.Fatalf("the request does not decode: %v", err)
	}
	reply, err := d.w.x.Sync(context.Background(), d.caller(), sent)
	if err != nil {
		return nil, err
	}
	got, err := syncproto.DecodeReply(syncproto.EncodeReply(reply))
	if err != nil {
		d.w.t.Fatalf("the reply does not decode: %v", err)
	}
	return got, nil
}

// mustAsk is ask that must be answered, and taken in.
func (d *tablet) mustAsk(q *syncproto.SyncRequest) *syncproto.SyncReply {
	d.w.t.Helper()
	reply, err := d.ask(q)
	if err != nil {
		d.w.t.Fatalf("sync: %v", err)
	}
	d.take(reply)
	return reply
}

// take does with a reply what a device does.
func (d *tablet) take(reply *syncproto.SyncReply) {
	for _, r := range reply.Receipts {
		d.receipts[r.Change] = r
	}
	for _, it := range reply.Items {
		switch it.Type {
		case syncproto.ItemChange:
			c, err := syncproto.DecodeChange(it.Prev, it.Body)
			if err != nil {
				d.w.t.Fatalf("a change of the feed does not decode: %v", err)
			}
			d.changes[c.ID] = c
		case syncproto.ItemVerdict:
			d.verdicts[it.Verdict.Position] = *it.Verdict
		case syncproto.ItemGrant:
			d.families[it.Family] = it.Basis
		case syncproto.ItemPurge:
			delete(d.families, it.Family)
			for id, c := range d.changes {
				if c.Body.Family == it.Family || it.Family.IsZero() {
					delete(d.changes, id)
				}
			}
		}
	}
	d.cursor = reply.Cursor
}

// sync pushes the outbox and pulls until there is no more. It returns the first
// reply.
func (d *tablet) sync() *syncproto.SyncReply {
	d.w.t.Helper()
	var batches []syncproto.Batch
	if len(d.outbox) > 0 {
		batches = append(batches, d.batch(d.outbox...))
	}
	first := d.mustAsk(d.request(batches...))
	for _, c := range d.outbox {
		if r := d.receipts[c.ID]; r.Status != syncproto.StatusRefused {
			d.changes[c.ID] = c
		}
	}
	d.outbox = nil
	for reply := first; reply.More; {
		reply = d.mustAsk(d.request())
	}
	return first
}

// view folds a record as the tablet has it.
func (d *tablet) view(record syncproto.RecordID) *syncproto.View {
	d.w.t.Helper()
	g := syncproto.NewGraph(record)
	for _, c := range d.changes {
		if c.Body.Record != record || len(c.Raw) == 0 {
			continue
		}
		if _, err := g.Add(c); err != nil {
			d.w.t.Fatalf("adding a change: %v", err)
		}
	}
	var verdicts []syncproto.Verdict
	kind := "visit"
	for _, c := range g.Changes() {
		kind = c.Body.Kind
	}
	for _, v := range d.verdicts {
		verdicts = append(verdicts, v)
	}
	k, _ := schema.Newest(kind)
	return syncproto.Fold(g, k, verdicts)
}

// sameAsServer checks that the tablet sees a record exactly as the server does.
func (d *tablet) sameAsServer(record syncproto.RecordID) {
	d.w.t.Helper()
	v, err := d.w.b.Store.View(record)
	if err != nil {
		d.w.t.Fatalf("view: %v", err)
	}
	if !bytes.Equal(v.Encode(), d.view(record).Encode()) {
		d.w.t.Errorf("tablet and server see record %s differently", record)
	}
}

// wantReceipt checks what became of a change.
func (d *tablet) wantReceipt(c *syncproto.Change, status syncproto.ReceiptStatus, code syncproto.Code) syncproto.Receipt {
	d.w.t.Helper()
	r := d.receipts[c.ID]
	if r.Status != status || r.Code != code {
		d.w.t.Errorf("receipt of change %d: got status %d, code %v; want %d, %v", c.Body.Seq, r.Status, r.Code, status, code)
	}
	return r
}

const (
	accepted    = syncproto.StatusAccepted
	held        = syncproto.StatusHeld
	quarantined = syncproto.StatusQuarantined
	late        = syncproto.StatusLate
	refused     = syncproto.StatusRefused
)

// case1 is a town with one family, its lead worker and their tablet.
func case1(t testing.TB) (*town, syncproto.FamilyID, *tablet) {
	w := newTown(t)
	family := newID[syncproto.FamilyID](w)
	worker := w.person("practitioner")
	w.relate(worker, family, "LEAD")
	return w, family, w.tablet(worker)
}

// coworker adds a second worker with a tablet.
func (w *town) coworker(family syncproto.FamilyID) *tablet {
	worker := w.person("practitioner")
	w.relate(worker, family, "CO")
	return w.tablet(worker)
}
