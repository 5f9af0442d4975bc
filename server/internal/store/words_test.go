package store_test

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"testing"

	"doorstep/server/internal/store"
	"doorstep/server/internal/store/storetest"
	"doorstep/syncproto"
	"doorstep/syncproto/cbor"
)

// TestWordsComeBackToTheByte: whatever ids a body has, where they are alike and where
// they are found somewhere else in it too.
func TestWordsComeBackToTheByte(t *testing.T) {
	const seed = 5
	b := storetest.Open(t)
	rng := rand.New(rand.NewPCG(seed, 0))
	draw := func() (out [16]byte) {
		switch rng.IntN(4) {
		case 0: // nearly none
			out[15] = 1
		case 1:
			out = [16]byte(smith) // more than one of them
		default:
			for i := range out {
				out[i] = byte(rng.Uint32())
			}
		}
		return out
	}
	for n := range 500 {
		family, record, actor := draw(), draw(), draw()
		body := syncproto.Body{
			Version: syncproto.BodyVersion, Borough: "test", Family: syncproto.FamilyID(family), Record: syncproto.RecordID(record),
			Kind: "visit", SchemaVersion: 1, Actor: syncproto.ActorID(actor), Seq: uint64(1 + n), Salt: draw(),
			TimeMS: 1_000, Author: syncproto.UserID(draw()),
			Ops: []syncproto.Op{set("place", cbor.Bytes(append(family[:], record[:rng.IntN(16)]...)))},
		}
		for i := range rng.IntN(4) {
			body.Deps = append(body.Deps, syncproto.ChangeID{byte(i + 1), byte(rng.Uint32())})
		}
		raw, err := syncproto.EncodeBody(&body)
		if err != nil {
			t.Fatalf("seed %d, body %d: %v", seed, n, err)
		}
		c, err := syncproto.DecodeChange(syncproto.ChangeID{9}, raw)
		if err != nil {
			t.Fatalf("seed %d, body %d: %v", seed, n, err)
		}
		if err := b.Keys.Ensure([]store.KeyPair{{Family: body.Family, Record: body.Record}}); err != nil {
			t.Fatal(err)
		}
		sealed, err := store.SealChange(b.Keys, c, 5_000)
		if err != nil {
			t.Fatal(err)
		}
		e := store.ChangeEntry{ID: c.ID, Prev: c.Prev, Record: body.Record, Family: body.Family, Actor: body.Actor, Deps: body.Deps,
			Author: body.Author, Status: syncproto.StatusAccepted, AtMS: 5_000, Sealed: sealed}
		if got, err := store.OpenChange(b.Keys, e); err != nil || !bytes.Equal(got, raw) {
			t.Fatalf("seed %d, body %d: got %x, %v; want %x", seed, n, got, err, raw)
		}
		const sealing, gaps = 28, 1 + 4
		if saved, want := len(raw)+sealing-len(sealed), 4*16-gaps+31*len(body.Deps); saved != want {
			t.Fatalf("seed %d, body %d: %d bytes fewer are sealed, want %d", seed, n, saved, want)
		}
		e.Actor[0] ^= 1
		if _, err := store.OpenChange(b.Keys, e); !errors.Is(err, store.ErrDamaged) {
			t.Fatalf("seed %d, body %d: with another actor in its head: got %v", seed, n, err)
		}
	}
}
