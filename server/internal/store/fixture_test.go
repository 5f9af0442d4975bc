package store_test

import (
	"encoding/binary"
	"testing"

	"doorstep/server/internal/store"
	"doorstep/server/internal/store/storetest"
	"doorstep/syncproto"
	"doorstep/syncproto/cbor"
	"doorstep/syncproto/schema"
)

// id makes a 16-byte id that is easy to tell apart.
func id[T ~[16]byte](n uint64) (out T) {
	binary.BigEndian.PutUint64(out[8:], n)
	out[0] = 0xA0
	return out
}

var (
	smith  = id[syncproto.FamilyID](1)
	jones  = id[syncproto.FamilyID](2)
	visit  = id[syncproto.RecordID](11)
	tablet = id[syncproto.DeviceID](21)
	ada    = id[syncproto.UserID](31)
	bea    = id[syncproto.UserID](32)
	actorA = id[syncproto.ActorID](41)
	actorB = id[syncproto.ActorID](42)
)

// author makes chained changes of one actor.
type author struct {
	t      testing.TB
	b      *storetest.Borough
	actor  syncproto.ActorID
	user   syncproto.UserID
	family syncproto.FamilyID
	seq    uint64
	prev   syncproto.ChangeID
}

func newAuthor(b *storetest.Borough, actor syncproto.ActorID, user syncproto.UserID) *author {
	return &author{t: b.T, b: b, actor: actor, user: user, family: smith}
}

// change makes the actor's next change of a record, with an entry as accepted.
func (a *author) change(record syncproto.RecordID, kind string, deps []syncproto.ChangeID, ops ...syncproto.Op) store.ChangeEntry {
	a.t.Helper()
	a.seq++
	newest, _ := schema.Newest(kind)
	body := syncproto.Body{
		Version: syncproto.BodyVersion, Borough: "test", Family: a.family, Record: record, Kind: kind,
		SchemaVersion: newest.Version, Actor: a.actor, Seq: a.seq, Salt: [16]byte{1}, Deps: deps,
		TimeMS: 1_000, Author: a.user, Ops: ops,
	}
	syncproto.SortChangeIDs(body.Deps)
	raw, err := syncproto.EncodeBody(&body)
	if err != nil {
		a.t.Fatalf("encoding a body: %v", err)
	}
	c, err := syncproto.DecodeChange(a.prev, raw)
	if err != nil {
		a.t.Fatalf("decoding a body: %v", err)
	}
	a.prev = c.ID
	if err := a.b.Keys.Ensure([]store.KeyPair{{Family: a.family, Record: record}}); err != nil {
		a.t.Fatalf("making a key: %v", err)
	}
	sealed, err := store.SealChange(a.b.Keys, c, 5_000)
	if err != nil {
		a.t.Fatal(err)
	}
	return store.ChangeEntry{
		ID: c.ID, Prev: c.Prev, Record: record, Family: a.family, Kind: kind, Actor: a.actor, Seq: a.seq,
		Deps: body.Deps, Author: a.user, Device: tablet, Status: syncproto.StatusAccepted, AtMS: 5_000, Sealed: sealed,
	}
}

func set(field string, v cbor.Value) syncproto.Op {
	return syncproto.Op{Code: syncproto.OpSet, Path: syncproto.Path{Field: field}, Value: v}
}

func ids(entries ...store.ChangeEntry) []syncproto.ChangeID {
	var out []syncproto.ChangeID
	for _, e := range entries {
		out = append(out, e.ID)
	}
	return out
}
