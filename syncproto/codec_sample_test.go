package syncproto_test

import (
	"math/rand"

	"doorstep/syncproto"
	"doorstep/syncproto/cbor"
	"doorstep/syncproto/text"
)

// sampleBody has an op of every code and a value in every field.
func sampleBody() *syncproto.Body {
	field := syncproto.Path{Field: "seen_alone"}
	element := syncproto.Path{Field: "rules", Element: syncproto.ElementID{7}}
	heads := []syncproto.RecordHeads{
		{Record: syncproto.RecordID{1}, Heads: []syncproto.ChangeID{{1}, {2}}},
		{Record: syncproto.RecordID{2}, Heads: []syncproto.ChangeID{{3}}},
	}
	return &syncproto.Body{
		Version: 1, Borough: "mill-borough", Family: syncproto.FamilyID{1}, Record: syncproto.RecordID{2},
		Kind: "visit", SchemaVersion: 1, Actor: syncproto.ActorID{3}, Seq: 300,
		Salt: [16]byte{15: 1}, Deps: []syncproto.ChangeID{{9}, {10}},
		TimeMS: 1_790_000_000_000, OffsetMin: -60, MonotonicMS: 12_345,
		Author: syncproto.UserID{4}, Capture: syncproto.CaptureDictated,
		Ops: []syncproto.Op{
			{Code: syncproto.OpSet, Path: field, Value: cbor.Null()},
			{Code: syncproto.OpSplice, Path: syncproto.Path{Field: "summary"}, Splices: []text.Splice{
				{Pos: 0, Ins: "Zoë was"}, {Pos: 7, Ins: " well 👩‍👧"}, {Pos: 4, Del: 3}}},
			{Code: syncproto.OpAdd, Path: element, Value: cbor.Map(cbor.Pair{Key: "who", Value: cbor.Text("Dad")})},
			{Code: syncproto.OpRemove, Path: element, Reason: "moved out"},
			{Code: syncproto.OpDecide, Path: field, Value: cbor.Text("no"), Reason: ""},
			{Code: syncproto.OpHandOver, To: syncproto.UserID{5}},
			{Code: syncproto.OpHandOver},
			{Code: syncproto.OpConfirm, Heads: heads},
			{Code: syncproto.OpQuery, Path: syncproto.Path{Field: "a", Element: syncproto.ElementID{1}, Sub: "b"}, To: syncproto.UserID{6}, Text: "When?"},
			{Code: syncproto.OpQuery, Text: "Who was there?"},
			{Code: syncproto.OpAnswer, Target: syncproto.ChangeID{11}, Text: "At four."},
			{Code: syncproto.OpFinalise, Heads: heads},
			{Code: syncproto.OpAddendum, Text: "She rang.", TimeMS: -1, Reason: "no signal"},
			{Code: syncproto.OpCorrect, Path: field, Old: cbor.Text("no"), Value: cbor.Text("yes"), Reason: "wrong child"},
		},
	}
}

func sampleVerdict() *syncproto.Verdict {
	return &syncproto.Verdict{
		Kind: syncproto.VerdictSeal, Position: 70_000, Family: syncproto.FamilyID{1}, Record: syncproto.RecordID{2},
		Change: syncproto.ChangeID{3}, Actor: syncproto.ActorID{4}, Code: syncproto.CodeLate, By: syncproto.UserID{5},
		AtMS: 1_790_000_000_000, Path: syncproto.Path{Field: "status"},
		Heads: []syncproto.RecordHeads{{Record: syncproto.RecordID{2}, Heads: []syncproto.ChangeID{{1}}}},
		Hash:  [32]byte{1}, PrevHash: [32]byte{2},
	}
}

func sampleRequest() *syncproto.SyncRequest {
	return &syncproto.SyncRequest{
		Version: 1, Request: syncproto.RequestID{1}, Epoch: syncproto.Epoch{2}, Cursor: []byte("place"),
		Batches: []syncproto.Batch{
			{Device: syncproto.DeviceID{3}, Actor: syncproto.ActorID{4}, Prev: syncproto.ChangeID{5},
				Bodies: [][]byte{{1}, []byte("not looked into")}, Signature: make([]byte, 64), Gap: true},
			{Device: syncproto.DeviceID{3}, Actor: syncproto.ActorID{6}, Bodies: [][]byte{{}}, Signature: make([]byte, 64)},
		},
		Chains:         []syncproto.ChainHead{{Actor: syncproto.ActorID{4}, Seq: 2, Tip: syncproto.ChangeID{5}}, {Actor: syncproto.ActorID{6}}},
		Purged:         []syncproto.Purged{{Family: syncproto.FamilyID{7}, Position: 900}},
		PurgeSignature: make([]byte, 64),
		PageSize:       65_536,
	}
}

func sampleReply() *syncproto.SyncReply {
	body, err := syncproto.EncodeBody(sampleBody())
	if err != nil {
		panic("bug: the sample does not encode: " + err.Error())
	}
	other := sampleBody()
	other.Actor, other.Ops = syncproto.ActorID{8}, nil
	otherBody, err := syncproto.EncodeBody(other)
	if err != nil {
		panic("bug: the sample does not encode: " + err.Error())
	}
	prev := syncproto.ChangeID{1}
	return &syncproto.SyncReply{
		Version: 1, Request: syncproto.RequestID{1}, Epoch: syncproto.Epoch{2}, TimeMS: 1_790_000_000_000,
		Receipts: []syncproto.Receipt{
			{Change: syncproto.ChangeID{1}, Status: syncproto.StatusAccepted, Durability: syncproto.DurabilityCopied, Position: 12},
			{Change: syncproto.ChangeID{2}, Status: syncproto.StatusHeld, Code: syncproto.CodeMissingDeps,
				Durability: syncproto.DurabilityStored, Position: 13, Missing: []syncproto.ChangeID{{4}, {5}}},
			{Change: syncproto.ChangeID{3}, Status: syncproto.StatusRefused, Code: syncproto.CodeBadSignature},
		},
		Items: []syncproto.Item{
			{Type: syncproto.ItemGrant, Position: 9, AtMS: 5, Family: syncproto.FamilyID{1}, Basis: "LEAD"},
			{Type: syncproto.ItemChange, Position: 10, AtMS: 6, Prev: prev, Body: body},
			{Type: syncproto.ItemChange, Position: 11, AtMS: 6, Body: otherBody},
			{Type: syncproto.ItemChange, Position: 12, AtMS: 6, Prev: syncproto.ComputeID(prev, body), Body: body},
			{Type: syncproto.ItemChange, Position: 13, AtMS: 6, Body: body},
			{Type: syncproto.ItemVerdict, Position: 14, AtMS: 7, Verdict: sampleVerdict()},
			{Type: syncproto.ItemPurge, Position: 15, AtMS: 8, Family: syncproto.FamilyID{1}},
		},
		Cursor: []byte{0}, More: true,
		Chains: []syncproto.ChainHead{{Actor: syncproto.ActorID{4}, Seq: 2, Tip: syncproto.ChangeID{5}}},
		Forked: []syncproto.ActorID{{9}},
		Copies: true, Copied: 12,
	}
}

// randomBody returns a body that EncodeBody takes.
func randomBody(rng *rand.Rand) *syncproto.Body {
	b := sampleBody()
	rng.Read(b.Family[:])
	rng.Read(b.Salt[:])
	b.Seq = 1 + uint64(rng.Int63n(1<<uint(1+rng.Intn(52))))
	b.TimeMS = rng.Int63n(1<<53) - 1<<52
	b.OffsetMin = int64(rng.Intn(2880) - 1440)
	b.Capture = syncproto.CaptureMode(rng.Intn(5))
	b.Deps = nil
	for range rng.Intn(syncproto.MaxDeps) {
		var id syncproto.ChangeID
		rng.Read(id[:])
		b.Deps = append(b.Deps, id)
	}
	syncproto.SortChangeIDs(b.Deps)
	ops := b.Ops
	b.Ops = nil
	for range rng.Intn(20) {
		op := ops[rng.Intn(len(ops))]
		switch op.Code {
		case syncproto.OpSplice:
			op.Splices = randomSplices(rng)
		case syncproto.OpSet, syncproto.OpDecide, syncproto.OpCorrect:
			op.Value = cbor.Int(rng.Int63n(1 << 40))
		}
		b.Ops = append(b.Ops, op)
	}
	return b
}

func randomSplices(rng *rand.Rand) []text.Splice {
	splices := make([]text.Splice, 1+rng.Intn(50))
	for i := range splices {
		splices[i] = text.Splice{Pos: rng.Intn(100_000), Del: rng.Intn(3), Ins: string([]rune{'a', 'é', '𝄞'}[rng.Intn(3)])}
	}
	return splices
}
