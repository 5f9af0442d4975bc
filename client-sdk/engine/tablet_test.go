package engine

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"

	"doorstep/client-sdk/engine/enginetest"
	"doorstep/syncproto"
	"doorstep/syncproto/cbor"
	"doorstep/syncproto/text"
)

// tablet drives an engine as a device does, with its store, its clock and its
// chance under the test's control.
type tablet struct {
	t      *testing.T
	rng    *rand.Rand
	id     Identity
	key    byte
	server *enginetest.Server
	engine *Engine
	rows   map[string][]byte
	spare  map[string][]byte // the second copy of what must not be lost
	now    Time
	notes  []Note
	out    []message // requests on their way
	in     []message // replies on their way
	crash  bool      // the next store effect is lost, and the process with it
}

// testSign stands in for signatures: whoever has the key makes them.
func testSign(key byte, message []byte) []byte {
	a := sha256.Sum256(append([]byte{key, 1}, message...))
	b := sha256.Sum256(append([]byte{key, 2}, message...))
	return append(a[:], b[:]...)
}

const serverKey = 255

// newServer returns a server that checks and makes such signatures.
func newServer() *enginetest.Server {
	s := enginetest.NewServer()
	s.Sign = func(message []byte) []byte { return testSign(serverKey, message) }
	s.Genuine = func(device syncproto.DeviceID, message, signature []byte) bool {
		return bytes.Equal(signature, testSign(device[0], message))
	}
	return s
}

type message struct {
	request syncproto.RequestID
	bytes   []byte
}

var testRecords = []syncproto.RecordID{{1}, {2}, {3}}

// testFamily is the family that a test record belongs to: records 1 and 2 to
// the first, record 3 to the second.
func testFamily(r syncproto.RecordID) syncproto.FamilyID {
	if r[0] < 3 {
		return syncproto.FamilyID{1}
	}
	return syncproto.FamilyID{2}
}

func newTablet(t *testing.T, s *enginetest.Server, n byte, seed uint64) *tablet {
	d := &tablet{
		t:      t,
		rng:    rand.New(rand.NewPCG(seed, uint64(n))),
		key:    n,
		server: s,
		rows:   map[string][]byte{},
		spare:  map[string][]byte{},
		now:    Time{UnixMS: 1_000_000, OffsetMin: 60},
	}
	d.id = Identity{Borough: "Testing", User: syncproto.UserID{n}, Device: syncproto.DeviceID{n}}
	d.id.Actor = syncproto.ActorID(d.chance())
	d.start()
	return d
}

// clone returns a tablet with the same disk, as a backup restored to a second
// device gives.
func (d *tablet) clone() *tablet {
	c := *d
	c.rng = rand.New(rand.NewPCG(d.rng.Uint64(), 99))
	c.rows, c.spare = maps.Clone(d.rows), maps.Clone(d.spare)
	c.crash, c.notes = false, nil
	c.start()
	return &c
}

func (d *tablet) chance() Chance {
	var c Chance
	for i := range c {
		c[i] = byte(d.rng.Uint32())
	}
	return c
}

// load returns an engine made of the stored rows, in whatever order.
func (d *tablet) load() (*Engine, []Effect) {
	d.t.Helper()
	genuine := func(message, signature []byte) bool {
		return bytes.Equal(signature, testSign(serverKey, message))
	}
	e := New(d.id, Verifiers{Reply: genuine, Checkpoint: genuine})
	for key, value := range d.rows { // in random order
		if err := e.Load([]byte(key), slices.Clone(value)); err != nil {
			d.t.Fatalf("load %q: %v", key, err)
		}
	}
	effects, err := e.Start()
	if err != nil {
		d.t.Fatalf("start: %v", err)
	}
	return e, effects
}

// start begins, or begins again after a crash.
func (d *tablet) start() {
	var effects []Effect
	d.engine, effects = d.load()
	d.now.MonotonicMS = 0
	d.in, d.out = nil, nil
	d.carryOut(effects)
}

// carryOut does what the engine asks. It is false if the process died of it.
func (d *tablet) carryOut(effects []Effect) bool {
	for _, eff := range effects {
		switch eff := eff.(type) {
		case Store:
			if d.crash {
				d.crash = false
				d.start()
				return false
			}
			d.apply(eff)
		case Sign:
			var signatures [][]byte
			for _, m := range eff.Messages {
				signatures = append(signatures, testSign(d.key, m))
			}
			if !d.carryOut(d.engine.Signed(eff.Request, signatures)) {
				return false
			}
		case Send:
			d.out = append(d.out, message{eff.Request, eff.Payload})
		case Notify:
			d.notes = append(d.notes, eff.Note)
		}
	}
	return true
}

func (d *tablet) apply(s Store) {
	put(d.spare, Spare(s.Rows))
	put(d.rows, s.Rows)
}

func put(into map[string][]byte, rows []Row) {
	for _, r := range rows {
		if r.Value == nil {
			delete(into, string(r.Key))
		} else {
			into[string(r.Key)] = slices.Clone(r.Value)
		}
	}
}

// lose takes the store away: the tablet goes on with its second copy.
func (d *tablet) lose() {
	d.t.Helper()
	d.rows = maps.Clone(d.spare)
	genuine := func(message, signature []byte) bool {
		return bytes.Equal(signature, testSign(serverKey, message))
	}
	e := New(d.id, Verifiers{Reply: genuine, Checkpoint: genuine})
	for key, value := range d.rows {
		if err := e.Load([]byte(key), slices.Clone(value)); err != nil {
			d.t.Fatalf("load %q: %v", key, err)
		}
	}
	effects, _, err := e.StartFromSpare()
	if err != nil {
		d.t.Fatalf("start from the second copy: %v", err)
	}
	d.engine = e
	d.now.MonotonicMS = 0
	d.in, d.out = nil, nil
	d.carryOut(effects)
}

func (d *tablet) edit(r syncproto.RecordID, ops ...syncproto.Op) syncproto.ChangeID {
	d.t.Helper()
	d.now.UnixMS += 10
	d.now.MonotonicMS += 10
	id, effects, err := d.engine.Edit(d.now, Edit{
		Record: r, Family: testFamily(r), Kind: "visit", Ops: ops, Salt: d.chance(),
	})
	if err != nil {
		d.t.Fatalf("edit: %v", err)
	}
	d.carryOut(effects)
	return id
}

func (d *tablet) typing(r syncproto.RecordID, s text.Splice) {
	d.t.Helper()
	d.now.UnixMS += 10
	d.now.MonotonicMS += 10
	effects, err := d.engine.Type(d.now, Typing{Record: r, Path: purpose, Splice: s, Salt: d.chance()})
	if err != nil {
		d.t.Fatalf("type: %v", err)
	}
	d.carryOut(effects)
}

// say types words at the end of the record's purpose and saves them.
func (d *tablet) say(r syncproto.RecordID, words string) {
	d.t.Helper()
	d.typing(r, text.Splice{Pos: len([]rune(d.purpose(r))), Ins: words})
	d.save(r)
}

func (d *tablet) save(r syncproto.RecordID) {
	d.t.Helper()
	effects, err := d.engine.Save(r)
	if err != nil {
		d.t.Fatalf("save: %v", err)
	}
	d.carryOut(effects)
}

func (d *tablet) purpose(r syncproto.RecordID) string {
	v, err := d.engine.View(r)
	if err != nil {
		return ""
	}
	s, _ := textAt(v, purpose)
	return s
}

// begin starts a request; it is on its way then.
func (d *tablet) begin() {
	d.t.Helper()
	effects, err := d.engine.Sync(d.now, syncproto.RequestID(d.chance()))
	if err != nil {
		d.t.Fatalf("sync: %v", err)
	}
	d.carryOut(effects)
}

// arrive lets the server answer request i on its way; the reply is on its way then.
func (d *tablet) arrive(i int) {
	m := d.out[i]
	reply, code := d.server.Sync(d.id.User, d.id.Device, m.bytes)
	if code != syncproto.CodeOK {
		d.carryOut(d.engine.Failed(m.request, Failure{Code: code}, d.chance()))
		return
	}
	d.in = append(d.in, message{m.request, reply})
}

// receive hands reply i to the engine.
func (d *tablet) receive(i int) {
	d.t.Helper()
	effects, err := d.engine.Reply(d.now, d.in[i].bytes, d.chance())
	if err != nil {
		d.t.Fatalf("reply: %v", err)
	}
	d.carryOut(effects)
}

// sync does whole round trips until neither side has more to say.
func (d *tablet) sync() {
	d.t.Helper()
	for range 400 {
		d.in, d.out = nil, nil
		d.begin()
		if len(d.out) > 0 {
			d.arrive(0)
		}
		if len(d.in) == 0 {
			continue // refused, or the process died: the engine knows what to do
		}
		effects, err := d.engine.Reply(d.now, d.in[0].bytes, d.chance())
		if err != nil {
			d.t.Fatalf("reply: %v", err)
		}
		d.carryOut(effects)
		if after, ok := effects[len(effects)-1].(Schedule); !ok || after.AfterMS > 0 {
			d.in, d.out = nil, nil
			return
		}
	}
	d.t.Fatal("sync does not come to rest")
}

func (d *tablet) notedOf(kind NoteKind, f syncproto.FamilyID) bool {
	return slices.ContainsFunc(d.notes, func(n Note) bool { return n.Kind == kind && n.Family == f })
}

func (d *tablet) noted(kind NoteKind) bool {
	return slices.ContainsFunc(d.notes, func(n Note) bool { return n.Kind == kind })
}

// check compares the engine with one loaded from its rows.
func (d *tablet) check() {
	d.t.Helper()
	reloaded, effects := d.load()
	if len(effects) != 1 {
		d.t.Fatalf("a reload finds something left to do: %v", effects)
	}
	want, got := fingerprint(d.engine), fingerprint(reloaded)
	for i := range max(len(want), len(got)) {
		if i >= len(want) || i >= len(got) || want[i] != got[i] {
			d.t.Fatalf("reload differs in line %d\n want %.300s\n got  %.300s", i, want[i:], got[i:])
		}
	}
}

// fingerprint writes down everything an engine knows, a line each.
func fingerprint(e *Engine) []string {
	var out []string
	line := func(what string, b []byte) { out = append(out, fmt.Sprintf("%s %x", what, b)) }
	line("meta", encodeMeta(&e.id, &e.meta))
	for _, actor := range sortedIDs(e.chains) {
		for _, l := range e.chains[actor].links {
			line("link", encodeLink(l))
		}
	}
	for _, id := range sortedIDs(e.families) {
		f := e.families[id]
		if f.standing == StandingNone && len(e.Records(id)) == 0 {
			continue
		}
		line("family "+id.String(), encodeFamily(f))
		for _, gen := range sortedKeys(f.verdicts) {
			for _, r := range sortedIDs(f.verdicts[gen]) {
				for i := range f.verdicts[gen][r] {
					line("verdict", append(cbor.AppendUint(nil, gen), syncproto.EncodeVerdict(&f.verdicts[gen][r][i])...))
				}
			}
		}
	}
	for _, id := range sortedIDs(e.records) {
		printRecord(e, e.records[id], line)
	}
	return out
}

func printRecord(e *Engine, r *record, line func(what string, b []byte)) {
	ids := r.ids()
	if len(ids) == 0 && len(r.own) == 0 && r.draft == nil {
		return
	}
	line("record", r.id[:])
	for _, id := range ids {
		line("change "+id.String(), r.body(id))
	}
	if r.draft != nil {
		line("draft", r.draft.encode())
	}
	for _, n := range slices.Sorted(slices.Values(r.words)) {
		line("words", cbor.AppendUint(nil, n))
	}
	if v, err := e.View(r.id); err == nil {
		line("view", v.Encode())
	}
	s := e.Status(r.id)
	line("status", []byte{byte(s.State), byte(s.Unsent), byte(len(s.Marks))})
	for _, h := range e.Heads(r.id) {
		line("head", h[:])
	}
	line("purpose", []byte(e.text(r, purpose)))
}

func sortedKeys[V any](m map[uint64]V) []uint64 {
	var out []uint64
	for k := range m {
		out = append(out, k)
	}
	slices.Sort(out)
	return out
}

var purpose = syncproto.Path{Field: "purpose"}

func set(field string, v cbor.Value) syncproto.Op {
	return syncproto.Op{Code: syncproto.OpSet, Path: syncproto.Path{Field: field}, Value: v}
}
