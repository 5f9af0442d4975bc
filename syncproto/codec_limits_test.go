package syncproto_test

import (
	"errors"
	"testing"

	"doorstep/syncproto"
	"doorstep/syncproto/cbor"
	"doorstep/syncproto/text"
)

func TestBodyLimits(t *testing.T) {
	set := func(v cbor.Value) []syncproto.Op {
		return []syncproto.Op{{Code: syncproto.OpSet, Path: syncproto.Path{Field: "f"}, Value: v}}
	}
	splice := func(pos, del int, ins string) []syncproto.Op {
		return []syncproto.Op{{Code: syncproto.OpSplice, Path: syncproto.Path{Field: "f"}, Splices: splicesOf(pos, del, ins)}}
	}
	tests := []struct {
		name   string
		change func(b *syncproto.Body)
		want   syncproto.Code
	}{
		{"as it is", func(*syncproto.Body) {}, syncproto.CodeOK},
		{"64 deps", func(b *syncproto.Body) { b.Deps = manyDeps(64) }, syncproto.CodeOK},
		{"65 deps", func(b *syncproto.Body) { b.Deps = manyDeps(65) }, syncproto.CodeTooManyDeps},
		{"10,000 deps", func(b *syncproto.Body) { b.Deps = manyDeps(10_000) }, syncproto.CodeTooManyDeps},
		{"unsorted deps", func(b *syncproto.Body) { b.Deps = []syncproto.ChangeID{{2}, {1}} }, syncproto.CodeSelfDep},
		{"one dep twice", func(b *syncproto.Body) { b.Deps = []syncproto.ChangeID{{1}, {1}} }, syncproto.CodeSelfDep},
		{"no borough", func(b *syncproto.Body) { b.Borough = "" }, syncproto.CodeNotCanonical},
		{"long borough", func(b *syncproto.Body) { b.Borough = string(make([]byte, 65)) }, syncproto.CodeTooLarge},
		{"long kind", func(b *syncproto.Body) { b.Kind = string(make([]byte, 65)) }, syncproto.CodeTooLarge},
		{"no family", func(b *syncproto.Body) { b.Family = syncproto.FamilyID{} }, syncproto.CodeBadID},
		{"no record", func(b *syncproto.Body) { b.Record = syncproto.RecordID{} }, syncproto.CodeBadID},
		{"no actor", func(b *syncproto.Body) { b.Actor = syncproto.ActorID{} }, syncproto.CodeBadID},
		{"no author", func(b *syncproto.Body) { b.Author = syncproto.UserID{} }, syncproto.CodeBadID},
		{"sequence number 0", func(b *syncproto.Body) { b.Seq = 0 }, syncproto.CodeBadNumber},
		{"sequence number 2^53", func(b *syncproto.Body) { b.Seq = 1 << 53 }, syncproto.CodeBadNumber},
		{"version 0", func(b *syncproto.Body) { b.Version = 0 }, syncproto.CodeNotCanonical},
		{"version 2", func(b *syncproto.Body) { b.Version = 2 }, syncproto.CodeNewerApp},
		{"offset of a day and a minute", func(b *syncproto.Body) { b.OffsetMin = 1441 }, syncproto.CodeBadNumber},
		{"year 10000", func(b *syncproto.Body) { b.TimeMS = 253_402_300_800_000 }, syncproto.CodeOK},
		{"4096 ops", func(b *syncproto.Body) { b.Ops = repeatedOps(syncproto.Op{Code: syncproto.OpHandOver}, 4096) }, syncproto.CodeOK},
		{"4097 ops", func(b *syncproto.Body) { b.Ops = repeatedOps(syncproto.Op{Code: syncproto.OpHandOver}, 4097) }, syncproto.CodeTooLarge},
		{"unknown op", func(b *syncproto.Body) { b.Ops = []syncproto.Op{{Code: 99}} }, syncproto.CodeNewerApp},
		{"text of 64 KiB", func(b *syncproto.Body) { b.Ops = set(cbor.Text(string(make([]byte, 64<<10)))) }, syncproto.CodeOK},
		{"text of 64 KiB and a byte", func(b *syncproto.Body) { b.Ops = set(cbor.Text(string(make([]byte, 64<<10+1)))) }, syncproto.CodeTooLarge},
		{"the same in a list in a map", func(b *syncproto.Body) {
			b.Ops = set(cbor.Map(cbor.Pair{Key: "a", Value: cbor.List(cbor.Text(string(make([]byte, 64<<10+1))))}))
		}, syncproto.CodeTooLarge},
		{"value that is not text", func(b *syncproto.Body) { b.Ops = set(cbor.Bytes(make([]byte, 100<<10))) }, syncproto.CodeOK},
		{"value of 8 levels", func(b *syncproto.Body) { b.Ops = set(nestedList(8)) }, syncproto.CodeOK},
		{"value of 9 levels", func(b *syncproto.Body) { b.Ops = set(nestedList(9)) }, syncproto.CodeTooDeep},
		{"body over 256 KiB", func(b *syncproto.Body) { b.Ops = set(cbor.Bytes(make([]byte, 256<<10))) }, syncproto.CodeTooLarge},
		{"integer of 2^53", func(b *syncproto.Body) { b.Ops = set(cbor.Int(1 << 53)) }, syncproto.CodeBadNumber},
		{"ill-formed text", func(b *syncproto.Body) { b.Ops = set(cbor.Text("\xed\xa0\x80")) }, syncproto.CodeBadText},
		{"splice of 64 KiB", func(b *syncproto.Body) { b.Ops = splice(0, 0, string(make([]byte, 64<<10))) }, syncproto.CodeOK},
		{"splice of 64 KiB and a byte", func(b *syncproto.Body) { b.Ops = splice(0, 0, string(make([]byte, 64<<10+1))) }, syncproto.CodeTooLarge},
		{"splice of nothing", func(b *syncproto.Body) { b.Ops = splice(5, 0, "") }, syncproto.CodeNotCanonical},
		{"splice before the text", func(b *syncproto.Body) { b.Ops = splice(-1, 0, "x") }, syncproto.CodeBadPosition},
		{"splice beyond any text", func(b *syncproto.Body) { b.Ops = splice(8<<20+1, 0, "x") }, syncproto.CodeBadPosition},
		{"no splices", func(b *syncproto.Body) {
			b.Ops = []syncproto.Op{{Code: syncproto.OpSplice, Path: syncproto.Path{Field: "f"}}}
		}, syncproto.CodeMalformed},
		{"set without a path", func(b *syncproto.Body) { b.Ops = []syncproto.Op{{Code: syncproto.OpSet}} }, syncproto.CodeMalformed},
		{"path with a part but no element", func(b *syncproto.Body) {
			b.Ops = []syncproto.Op{{Code: syncproto.OpSet, Path: syncproto.Path{Field: "f", Sub: "s"}}}
		}, syncproto.CodeBadID},
		{"op with another op's key", func(b *syncproto.Body) {
			b.Ops = []syncproto.Op{{Code: syncproto.OpAnswer, Target: syncproto.ChangeID{1}, Text: "a", Reason: "b"}}
		}, syncproto.CodeMalformed},
		{"finalise of nothing", func(b *syncproto.Body) { b.Ops = []syncproto.Op{{Code: syncproto.OpFinalise}} }, syncproto.CodeMalformed},
		{"65 sealed records", func(b *syncproto.Body) {
			heads := make([]syncproto.RecordHeads, 65)
			for i := range heads {
				heads[i] = syncproto.RecordHeads{Record: syncproto.RecordID{1, byte(i)}, Heads: manyDeps(1)}
			}
			b.Ops = []syncproto.Op{{Code: syncproto.OpFinalise, Heads: heads}}
		}, syncproto.CodeTooLarge},
		{"sealed records unsorted", func(b *syncproto.Body) {
			heads := []syncproto.RecordHeads{{Record: syncproto.RecordID{2}, Heads: manyDeps(1)}, {Record: syncproto.RecordID{1}, Heads: manyDeps(1)}}
			b.Ops = []syncproto.Op{{Code: syncproto.OpFinalise, Heads: heads}}
		}, syncproto.CodeNotCanonical},
		{"sealed record without heads", func(b *syncproto.Body) {
			b.Ops = []syncproto.Op{{Code: syncproto.OpFinalise, Heads: []syncproto.RecordHeads{{Record: syncproto.RecordID{2}}}}}
		}, syncproto.CodeNotCanonical},
	}
	for _, tt := range tests {
		b := sampleBody()
		tt.change(b)
		got := syncproto.CodeOK
		if _, err := syncproto.EncodeBody(b); err != nil {
			errors.As(err, &got)
		}
		if got != tt.want {
			t.Errorf("%s: got %v, want %v", tt.name, got, tt.want)
		}
	}
}

func manyDeps(n int) []syncproto.ChangeID {
	ids := make([]syncproto.ChangeID, n)
	for i := range ids {
		ids[i] = syncproto.ChangeID{byte(i >> 8), byte(i), 1}
	}
	return ids
}

func nestedList(n int) cbor.Value {
	v := cbor.Int(1)
	for range n {
		v = cbor.List(v)
	}
	return v
}

func repeatedOps(op syncproto.Op, n int) []syncproto.Op {
	ops := make([]syncproto.Op, n)
	for i := range ops {
		ops[i] = op
	}
	return ops
}

func splicesOf(pos, del int, ins string) []text.Splice {
	return []text.Splice{{Pos: pos, Del: del, Ins: ins}}
}

func TestMessageLimits(t *testing.T) {
	batch := func(n int) syncproto.Batch {
		return syncproto.Batch{Device: syncproto.DeviceID{1}, Actor: syncproto.ActorID{1}, Bodies: make([][]byte, n), Signature: make([]byte, 64)}
	}
	tests := []struct {
		name   string
		change func(q *syncproto.SyncRequest)
		want   syncproto.Code
	}{
		{"as it is", func(*syncproto.SyncRequest) {}, syncproto.CodeOK},
		{"1024 changes", func(q *syncproto.SyncRequest) { q.Batches = []syncproto.Batch{batch(1000), batch(24)} }, syncproto.CodeOK},
		{"1025 changes", func(q *syncproto.SyncRequest) { q.Batches = []syncproto.Batch{batch(1000), batch(25)} }, syncproto.CodeTooLarge},
		{"batch of nothing", func(q *syncproto.SyncRequest) { q.Batches = []syncproto.Batch{batch(0)} }, syncproto.CodeNotCanonical},
		{"65 batches", func(q *syncproto.SyncRequest) {
			q.Batches = nil
			for range 65 {
				q.Batches = append(q.Batches, batch(1))
			}
		}, syncproto.CodeTooLarge},
		{"short signature", func(q *syncproto.SyncRequest) { q.Batches[0].Signature = make([]byte, 63) }, syncproto.CodeMalformed},
		{"cursor of 4 KiB", func(q *syncproto.SyncRequest) { q.Cursor = make([]byte, 4<<10) }, syncproto.CodeOK},
		{"cursor of 4 KiB and a byte", func(q *syncproto.SyncRequest) { q.Cursor = make([]byte, 4<<10+1) }, syncproto.CodeTooLarge},
		{"257 chains", func(q *syncproto.SyncRequest) {
			q.Chains = nil
			for i := range 257 {
				q.Chains = append(q.Chains, syncproto.ChainHead{Actor: syncproto.ActorID{1, byte(i), byte(i >> 8)}})
			}
		}, syncproto.CodeTooLarge},
		{"4097 purges", func(q *syncproto.SyncRequest) {
			q.Purged = nil
			for range 4097 {
				q.Purged = append(q.Purged, syncproto.Purged{Family: syncproto.FamilyID{1}})
			}
		}, syncproto.CodeTooLarge},
		{"older version", func(q *syncproto.SyncRequest) { q.Version = syncproto.MinProtocolVersion - 1 }, syncproto.CodeMalformed}, // 0 is left out
		{"newer version", func(q *syncproto.SyncRequest) { q.Version = syncproto.ProtocolVersion + 1 }, syncproto.CodeUnsupportedVersion},
		{"no request id", func(q *syncproto.SyncRequest) { q.Request = syncproto.RequestID{} }, syncproto.CodeMalformed},
	}
	for _, tt := range tests {
		q := sampleRequest()
		tt.change(q)
		got := syncproto.CodeOK
		if _, err := syncproto.DecodeRequest(syncproto.EncodeRequest(q)); err != nil {
			errors.As(err, &got)
		}
		if got != tt.want {
			t.Errorf("%s: got %v, want %v", tt.name, got, tt.want)
		}
	}
	if _, err := syncproto.DecodeRequest(make([]byte, syncproto.MaxMessageBytes+1)); err != syncproto.CodeTooLarge {
		t.Errorf("message over the limit: got %v, want %v", err, syncproto.CodeTooLarge)
	}
}
