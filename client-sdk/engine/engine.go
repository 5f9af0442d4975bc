package engine

import (
	"bytes"

	"doorstep/syncproto"
	"doorstep/syncproto/sorting"
)

// Identity says whose engine this is.
type Identity struct {
	Borough string // the borough's name, as the server tells it
	User    syncproto.UserID
	Device  syncproto.DeviceID
	// Actor is drawn at random by the driver at every start, and used only if
	// the rows name none yet.
	Actor syncproto.ActorID
}

// Time is what the driver's clocks say. UnixMS is evidence for display and never
// decides anything about merging; only MonotonicMS measures pauses.
type Time struct {
	UnixMS      int64  // Unix milliseconds UTC
	OffsetMin   int64  // offset from UTC, minutes
	MonotonicMS uint64 // since the driver started
}

// Chance is fresh randomness from the driver.
type Chance [16]byte

// Engine is one user's side of the sync on one device. See the package comment.
type Engine struct {
	id     Identity
	verify Verifiers

	meta      meta
	log       memory // of the server's audit log
	families  map[syncproto.FamilyID]*family
	records   map[syncproto.RecordID]*record
	chains    map[syncproto.ActorID]*chain
	own       map[syncproto.ChangeID]*link
	others    map[syncproto.ChangeID]*other // what came with others' changes
	awaiting  []syncproto.FamilyID          // see Await
	comparing bool                          // the feed of a new epoch was begun in this start
	lost      int                           // of these, how many the server lost

	flight  *flight // the request under way, or nil
	fails   uint    // failures in a row
	began   bool
	skewed  bool // the user was told about the clock
	loading map[syncproto.ActorID]map[uint64]*link
	metaRow []byte // the meta row as stored; nil: none yet
}

// Verifiers check the server's Ed25519 signatures (64 bytes) by the keys that were
// pinned at enrolment; they are called in Reply. A driver that checks checkpoints
// elsewhere leaves Checkpoint nil: the signature of the reply vouches for it.
type Verifiers struct {
	Reply      func(message, signature []byte) bool
	Checkpoint func(message, signature []byte) bool
}

// New returns an engine without rows.
func New(id Identity, verify Verifiers) *Engine {
	return &Engine{
		id:       id,
		verify:   verify,
		families: map[syncproto.FamilyID]*family{},
		records:  map[syncproto.RecordID]*record{},
		chains:   map[syncproto.ActorID]*chain{},
		own:      map[syncproto.ChangeID]*link{},
		others:   map[syncproto.ChangeID]*other{},
		loading:  map[syncproto.ActorID]map[uint64]*link{},
	}
}

// Load takes in one stored row; the order does not matter. The engine keeps
// value, so the caller must not change it. It fails with ErrRow, ErrNewerRows
// or ErrIdentity; the engine is then of no use.
func (e *Engine) Load(key, value []byte) error {
	if e.began || len(key) == 0 {
		return ErrRow
	}
	k := &keyReader{rest: key[1:]}
	switch key[0] {
	case rowMeta:
		return e.loadMeta(k, value)
	case rowLink:
		return e.loadLink(k, value)
	case rowChange:
		return e.loadChange(k, value)
	case rowVerdict:
		return e.loadVerdict(k, value)
	case rowDraft:
		return e.loadDraft(k, value)
	case rowFamily:
		return e.loadFamily(k, value)
	case rowWords:
		return e.loadWords(k)
	case rowView:
		return e.loadView(k, value)
	case rowErased:
		return e.loadErased(k, value)
	case rowLog:
		return e.log.load(k, value)
	}
	return ErrRow
}

func (e *Engine) loadMeta(k *keyReader, value []byte) error {
	m, err := decodeMeta(&e.id, value)
	if err != nil {
		return err
	}
	e.meta, e.metaRow = *m, value
	return k.err()
}

func (e *Engine) loadLink(k *keyReader, value []byte) error {
	var actor syncproto.ActorID
	k.into(actor[:])
	seq := k.uint64()
	l, err := decodeLink(value)
	if err != nil {
		return err
	}
	if e.loading[actor] == nil {
		e.loading[actor] = map[uint64]*link{}
	}
	l.actor, l.seq = actor, seq
	e.loading[actor][seq] = l
	return k.err()
}

func (e *Engine) loadChange(k *keyReader, value []byte) error {
	var f syncproto.FamilyID
	var r syncproto.RecordID
	var id syncproto.ChangeID
	k.into(f[:])
	k.into(r[:])
	k.into(id[:])
	s, o, err := decodeStored(value)
	if err != nil {
		return err
	}
	rec := e.record(f, r)
	rec.rows[id] = s
	if o != nil {
		o.in = rec
		e.others[id] = o
		if o.lost {
			e.lost++
		}
	}
	return k.err()
}

func (e *Engine) loadVerdict(k *keyReader, value []byte) error {
	var f syncproto.FamilyID
	k.into(f[:])
	gen := k.uint64()
	k.uint64()
	k.into(make([]byte, 16))
	v, err := syncproto.DecodeVerdict(value)
	if err != nil {
		return ErrRow
	}
	e.family(f).addVerdict(gen, *v)
	return k.err()
}

func (e *Engine) loadDraft(k *keyReader, value []byte) error {
	var f syncproto.FamilyID
	var r syncproto.RecordID
	k.into(f[:])
	k.into(r[:])
	d, err := decodeDraft(value)
	if err != nil {
		return err
	}
	e.record(f, r).draft = d
	return k.err()
}

func (e *Engine) loadFamily(k *keyReader, value []byte) error {
	var f syncproto.FamilyID
	k.into(f[:])
	if err := k.err(); err != nil {
		return err
	}
	return e.family(f).decode(value)
}

// loadView leaves a view's row closed: it is read when its record is opened.
func (e *Engine) loadView(k *keyReader, value []byte) error {
	var f syncproto.FamilyID
	var r syncproto.RecordID
	k.into(f[:])
	k.into(r[:])
	rec := e.record(f, r)
	rec.keptRow, rec.hasRow = value, true
	return k.err()
}

// loadWords notes where repaired words are kept; only a purge needs to know.
func (e *Engine) loadWords(k *keyReader) error {
	var f syncproto.FamilyID
	var r syncproto.RecordID
	k.into(f[:])
	k.into(r[:])
	n := k.uint64()
	rec := e.record(f, r)
	rec.words = append(rec.words, n)
	return k.err()
}

// Start ends the loading. It fails with a MissingError when an own change, or
// its content, is gone, and with ErrRow when the row about the device itself is:
// the caller must tell its user and may go on to read the rows by other means,
// but not with this engine.
func (e *Engine) Start() ([]Effect, error) {
	if err := e.linkUp(); err != nil {
		return nil, err
	}
	if e.metaRow == nil && len(e.families)+len(e.chains) > 0 {
		return nil, ErrRow
	}
	e.began = true
	w := newWork()
	if e.metaRow == nil {
		e.meta = meta{actor: e.id.Actor, gen: 1, live: 1, readable: syncproto.BodyVersion}
		e.putMeta(w)
	}
	e.readAgain(w)
	return append(append(w.effects(), e.finishLeaving()...), Schedule{}), nil
}

// linkUp builds the own chains and checks that nothing is missing from them.
func (e *Engine) linkUp() error {
	for _, actor := range sortedIDs(e.loading) {
		links := e.loading[actor]
		c := e.chain(actor)
		for seq := uint64(1); seq <= uint64(len(links)); seq++ {
			l := links[seq]
			if l == nil {
				return &MissingError{Actor: actor, Seq: seq}
			}
			if !l.purged && !e.record(l.family, l.record).has(l.id) {
				return &MissingError{Actor: actor, Seq: seq, Body: true}
			}
			e.adopt(c, l)
		}
	}
	e.loading = nil
	return nil
}

// readAgain asks for the whole feed once more if this build can read changes
// that an older one had to pass over.
func (e *Engine) readAgain(w *work) {
	if e.meta.readable >= syncproto.BodyVersion {
		return
	}
	if e.meta.unread > 0 {
		e.meta.compare, e.meta.cursor, e.meta.unread = true, nil, 0
	}
	e.meta.readable = syncproto.BodyVersion
	e.putMeta(w)
}

// putMeta stores the meta row if it changed: an idle poll writes nothing.
func (e *Engine) putMeta(w *work) {
	row := encodeMeta(&e.id, &e.meta)
	if !bytes.Equal(row, e.metaRow) {
		e.metaRow = row
		w.put(keyMeta(), row)
	}
}

// record returns the record, beginning it in its family if it is not known.
func (e *Engine) record(f syncproto.FamilyID, id syncproto.RecordID) *record {
	if r := e.records[id]; r != nil {
		return r
	}
	r := &record{id: id, family: f, rows: map[syncproto.ChangeID]stored{}}
	e.records[id] = r
	e.family(f).records[id] = r
	return r
}

func (e *Engine) family(id syncproto.FamilyID) *family {
	f := e.families[id]
	if f == nil {
		f = &family{
			id:       id,
			records:  map[syncproto.RecordID]*record{},
			verdicts: map[uint64]map[syncproto.RecordID][]syncproto.Verdict{},
		}
		e.families[id] = f
	}
	return f
}

// sortedIDs returns a map's keys in bytewise order, so that equal engines do
// equal things.
func sortedIDs[K ~[16]byte, V any](m map[K]V) []K {
	out := make([]K, 0, len(m))
	for k := range m {
		out = append(out, k)
	}
	sorting.By(out, func(a, b *K) int { return bytes.Compare((*a)[:], (*b)[:]) })
	return out
}

func (c Chance) uint64() uint64 { return readUint64(c[8:]) }

// sane brings clocks that are years off into the range a change can carry; what
// they say is evidence only.
func (t Time) sane() Time {
	t.UnixMS = min(max(t.UnixMS, -syncproto.MaxSafeInt), syncproto.MaxSafeInt)
	t.OffsetMin = min(max(t.OffsetMin, -24*60), 24*60)
	t.MonotonicMS = min(t.MonotonicMS, syncproto.MaxSafeInt)
	return t
}
