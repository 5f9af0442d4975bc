package sim

import (
	"crypto/ed25519"
	"maps"
	"slices"

	"doorstep/client-sdk/engine"
	"doorstep/syncproto"
)

// tablet is one worker's device: a real engine over rows in memory. What it
// stored survives a crash; what it was about to store or send does not.
type tablet struct {
	w      *world
	user   syncproto.UserID
	device syncproto.DeviceID
	engine *engine.Engine
	rows   map[string][]byte
	skewMS int64 // how wrong its clock is

	crashAt int                         // effects until it crashes; -1: not planned
	wrote   map[syncproto.ChangeID]bool // changes that an edit gave an id
	cut     bool                        // it was told to begin anew, and has not yet
	doubts  bool                        // nothing tells the server that what it remembers of the log is genuine
}

func newTablet(w *world, user syncproto.UserID, device syncproto.DeviceID) *tablet {
	t := &tablet{w: w, user: user, device: device, rows: map[string][]byte{}, crashAt: -1, wrote: map[syncproto.ChangeID]bool{}}
	t.restart()
	return t
}

// restart makes the engine anew from the rows, as an app that opens does.
func (t *tablet) restart() {
	e := engine.New(engine.Identity{
		Borough: boroughName, User: t.user, Device: t.device, Actor: syncproto.ActorID(t.w.id()),
	}, engine.Verifiers{
		Reply: func(message, signature []byte) bool { return verify([]byte("reply"), message, signature) },
		Checkpoint: func(text, signature []byte) bool {
			return ed25519.Verify(checkpointKey().Public().(ed25519.PublicKey), text, signature)
		},
	})
	for _, k := range slices.Sorted(maps.Keys(t.rows)) {
		if err := e.Load([]byte(k), t.rows[k]); err != nil {
			t.w.failf("tablet %x cannot load its row %x: %v", t.device[:2], k[:1], err)
		}
	}
	effects, err := e.Start()
	if err != nil {
		t.w.failf("tablet %x cannot start: %v", t.device[:2], err)
	}
	t.engine = e
	t.carry(effects)
}

// has reports whether the tablet has the content of a change. After a restore it
// cannot ask anew about what it purged.
func (t *tablet) has(id syncproto.ChangeID) bool {
	for key := range t.rows {
		if here, _, ok := changeRow(key); ok && here == id {
			return true
		}
	}
	return false
}

func (t *tablet) now() engine.Time {
	return engine.Time{UnixMS: t.w.clockMS + t.skewMS, MonotonicMS: uint64(t.w.clockMS - startMS)}
}

func (t *tablet) chance() engine.Chance { return engine.Chance(t.w.id()) }

// carry carries effects out, in order. It reports false if the tablet crashed on
// the way: what came after is lost, and the engine is a new one.
func (t *tablet) carry(effects []engine.Effect) bool {
	for _, effect := range effects {
		if t.crashAt == 0 {
			t.crashAt = -1
			t.w.count["tablet crashes"]++
			t.w.log("tablet %x crashes", t.device[:2])
			t.restart()
			return false
		}
		if t.crashAt > 0 {
			t.crashAt--
		}
		switch e := effect.(type) {
		case engine.Store:
			t.store(e.Rows)
		case engine.Sign:
			if !t.carry(t.engine.Signed(e.Request, t.signatures(e.Messages))) {
				return false
			}
		case engine.Send:
			t.w.wire = append(t.w.wire, message{tablet: t, request: e.Request, payload: e.Payload})
		}
	}
	return true
}

func (t *tablet) store(rows []engine.Row) {
	for _, r := range rows {
		if r.Value == nil {
			delete(t.rows, string(r.Key))
		} else {
			t.rows[string(r.Key)] = slices.Clone(r.Value)
		}
	}
}

func (t *tablet) signatures(messages [][]byte) [][]byte {
	var out [][]byte
	for _, m := range messages {
		out = append(out, sign(publicKey(t.device), m))
	}
	return out
}

func (t *tablet) sync() {
	effects, err := t.engine.Sync(t.now(), syncproto.RequestID(t.w.id()))
	if err != nil {
		t.w.failf("tablet %x cannot sync: %v", t.device[:2], err)
	}
	t.carry(effects)
}

// receive takes in what the network brings: a reply, or word that there is none.
func (t *tablet) receive(m message) {
	if m.code != syncproto.CodeOK || m.signed == nil {
		t.cut = t.cut || m.code == syncproto.CodeUnknownEpoch
		t.carry(t.engine.Failed(m.request, engine.Failure{Code: m.code}, t.chance()))
		return
	}
	effects, err := t.engine.Reply(t.now(), m.signed, t.chance())
	if err != nil {
		t.w.failf("tablet %x cannot read a reply: %v", t.device[:2], err)
	}
	t.cut = t.cut && len(effects) == 0 // else it was taken in
	t.carry(effects)
}
