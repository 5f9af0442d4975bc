// Package desk writes changes on behalf of people who work at the server: a
// coordinator who finalises, a manager who decides, an import of the caseload.
//
// Such a change is a change like any other. Desk is a device of its own with a
// P-256 key, and gives each person who writes through it an actor of their own
// for as long as the process runs. Compose is called inside a ledger's Decide,
// where the order is known, so that the chain has no gap and deps name the heads
// of that moment. Who may write what is asked before; desk does not ask.
package desk

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"slices"

	"doorstep/server/internal/store"
	"doorstep/syncproto"
	"doorstep/syncproto/schema"
)

// Config is what New needs; every field is required.
type Config struct {
	Borough string
	Device  syncproto.DeviceID // of the desk, enrolled like any other
	// Sign returns the ES256 signature (64 bytes, r ‖ s) by the desk's key.
	Sign func(message []byte) ([]byte, error)
	Keys store.Keys
	Rand io.Reader
}

// Desk composes changes. Only the ledger's goroutine may call Compose.
type Desk struct {
	cfg    Config
	actors map[syncproto.UserID]syncproto.ActorID
}

// Edit is one change to write. A record that does not exist yet begins with it.
type Edit struct {
	Author syncproto.UserID
	Family syncproto.FamilyID
	Record syncproto.RecordID
	Kind   string
	Ops    []syncproto.Op
	Deps   []syncproto.ChangeID // nil: all accepted heads
	// On are earlier edits of the same call, by their place in it, that this one builds on
	// and on nothing else; Deps are then left out.
	On      []int
	Capture syncproto.CaptureMode
	TimeMS  int64 // when the words were written, of those that come from another record; 0: now
	// Actor is a new actor of the author's, of words that come from another record: what was
	// written apart keeps its order by it (SPEC 5.6). Zero: the author's own at this desk.
	Actor syncproto.ActorID
}

// New returns a desk on which nobody has written yet.
func New(cfg Config) *Desk {
	return &Desk{cfg: cfg, actors: map[syncproto.UserID]syncproto.ActorID{}}
}

// Compose stages one accepted change for each edit, in order, what the order
// decides about server fields, and the signature over each actor's tip. It
// returns the changes' ids. An edit that does not fit its record or its kind
// fails with a syncproto.Code (CodeFinal for a final record, CodeWrongRecord for
// another family's, CodeMissingDeps for a dep that is not accepted there); the
// caller's proposal then stores nothing.
func (d *Desk) Compose(tx *store.Tx, edits []Edit) ([]syncproto.ChangeID, error) {
	if err := checkRecords(tx, edits); err != nil {
		return nil, err
	}
	if err := d.ensureKeys(edits); err != nil {
		return nil, err
	}
	ids := make([]syncproto.ChangeID, 0, len(edits))
	var written []syncproto.ActorID
	counts := map[syncproto.ActorID]uint64{}
	for i := range edits {
		e := edits[i]
		for _, on := range e.On {
			e.Deps = append(slices.Clip(e.Deps), ids[on])
		}
		changes, err := d.write(tx, &e)
		if err != nil {
			return nil, fmt.Errorf("writing a %s at the desk: %w", edits[i].Kind, err)
		}
		last := changes[len(changes)-1]
		if counts[last.Body.Actor] == 0 {
			written = append(written, last.Body.Actor)
		}
		counts[last.Body.Actor] += uint64(len(changes))
		ids = append(ids, last.ID)
	}
	for _, actor := range written {
		if err := d.sign(tx, actor, counts[actor]); err != nil {
			return nil, err
		}
	}
	return ids, nil
}

// checkRecords refuses edits of a record under another family or kind.
func checkRecords(tx *store.Tx, edits []Edit) error {
	for i := range edits {
		info, err := tx.RecordInfo(edits[i].Record)
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return err
		}
		if err == nil && (info.Family != edits[i].Family || info.Kind != edits[i].Kind) {
			return syncproto.CodeWrongRecord
		}
	}
	return nil
}

// ensureKeys makes the keys of new records durable before anything is sealed
// under them, all with one sync.
func (d *Desk) ensureKeys(edits []Edit) error {
	pairs := make([]store.KeyPair, 0, len(edits))
	for _, e := range edits {
		pairs = append(pairs, store.KeyPair{Family: e.Family, Record: e.Record})
	}
	if err := d.cfg.Keys.Ensure(pairs); err != nil {
		return fmt.Errorf("making record keys: %w", err)
	}
	return nil
}

// write makes an edit a change, after changes without ops that join what it
// builds on where that is more than one change can name: whoever writes many
// versions apart must not keep a record from everybody else.
func (d *Desk) write(tx *store.Tx, e *Edit) ([]*syncproto.Change, error) {
	deps, err := d.deps(tx, e)
	if err != nil {
		return nil, err
	}
	var out []*syncproto.Change
	for len(deps) > syncproto.MaxDeps {
		join := *e
		join.Ops = nil
		c, err := d.writeOn(tx, &join, deps[:syncproto.MaxDeps])
		if err != nil {
			return nil, err
		}
		out = append(out, c)
		deps = syncproto.MergeHeads(deps[syncproto.MaxDeps:], []syncproto.ChangeID{c.ID})
	}
	c, err := d.writeOn(tx, e, deps)
	return append(out, c), err
}

func (d *Desk) writeOn(tx *store.Tx, e *Edit, deps []syncproto.ChangeID) (*syncproto.Change, error) {
	c, err := d.change(tx, e, deps)
	if err != nil {
		return nil, err
	}
	sealed, err := store.SealChange(d.cfg.Keys, c, tx.AtMS())
	if err != nil {
		return nil, err
	}
	_, err = tx.Stage(store.ChangeEntry{
		ID: c.ID, Prev: c.Prev, Record: e.Record, Family: e.Family, Kind: e.Kind,
		Actor: c.Body.Actor, Seq: c.Body.Seq, Deps: c.Body.Deps, Author: e.Author,
		Device: d.cfg.Device, Status: syncproto.StatusAccepted, AtMS: tx.AtMS(), Sealed: sealed,
	})
	if err != nil {
		return nil, err
	}
	return c, tx.Judge(c)
}

// change makes the change itself: next in its actor's chain, on what it builds on.
func (d *Desk) change(tx *store.Tx, e *Edit, deps []syncproto.ChangeID) (*syncproto.Change, error) {
	kind, ok := schema.Newest(e.Kind)
	if !ok {
		return nil, syncproto.CodeBadOp
	}
	if err := syncproto.CheckOps(kind, kind.Version, e.Ops); err != nil {
		return nil, err
	}
	chain, err := d.chain(tx, e)
	if err != nil {
		return nil, err
	}
	body := syncproto.Body{
		Version: syncproto.BodyVersion, Borough: d.cfg.Borough, Family: e.Family, Record: e.Record,
		Kind: e.Kind, SchemaVersion: kind.Version, Actor: chain.Actor, Seq: chain.Seq + 1, Deps: deps,
		TimeMS: cmp.Or(e.TimeMS, tx.AtMS()), Author: e.Author, Capture: e.Capture, Ops: e.Ops,
	}
	if _, err := io.ReadFull(d.cfg.Rand, body.Salt[:]); err != nil {
		return nil, fmt.Errorf("drawing a salt: %w", err)
	}
	raw, err := syncproto.EncodeBody(&body)
	if err != nil {
		return nil, err
	}
	return syncproto.DecodeChange(chain.Tip, raw)
}

// deps returns what an edit builds on: accepted changes of its record, which
// must not be final unless the edit only adds to it.
func (d *Desk) deps(tx *store.Tx, e *Edit) ([]syncproto.ChangeID, error) {
	info, err := tx.RecordInfo(e.Record)
	if errors.Is(err, store.ErrNotFound) && len(e.Deps) == 0 {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	if info.Sealed > 0 && !syncproto.AddsOnly(e.Ops) {
		return nil, syncproto.CodeFinal
	}
	if e.Deps == nil {
		return info.Heads, nil
	}
	for _, dep := range e.Deps {
		c, err := tx.Change(dep)
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return nil, err
		}
		if err != nil || c.Status != syncproto.StatusAccepted || c.Record != e.Record {
			return nil, syncproto.CodeMissingDeps
		}
	}
	return syncproto.MergeHeads(e.Deps, nil), nil
}

// chain returns the actor of an edit, which is the author's at this desk unless it names
// one, and how far its chain reaches.
func (d *Desk) chain(tx *store.Tx, e *Edit) (store.ChainInfo, error) {
	actor, ok := e.Actor, !e.Actor.IsZero()
	if !ok {
		actor, ok = d.actors[e.Author]
	}
	if !ok {
		if _, err := io.ReadFull(d.cfg.Rand, actor[:]); err != nil {
			return store.ChainInfo{}, fmt.Errorf("drawing an actor: %w", err)
		}
		d.actors[e.Author] = actor
	}
	chain, err := tx.Chain(actor)
	if errors.Is(err, store.ErrNotFound) {
		return store.ChainInfo{Actor: actor}, nil
	}
	return chain, err
}

func (d *Desk) sign(tx *store.Tx, actor syncproto.ActorID, count uint64) error {
	chain, err := tx.Chain(actor)
	if err != nil {
		return err
	}
	signature, err := d.cfg.Sign(syncproto.TipMessage(actor, chain.Tip))
	if err != nil {
		return fmt.Errorf("signing at the desk: %w", err)
	}
	_, err = tx.Stage(store.TipEntry{
		Actor: actor, Device: d.cfg.Device, Tip: chain.Tip, Count: count, Signature: signature,
	})
	return err
}
