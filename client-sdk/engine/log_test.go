package engine

import (
	"slices"
	"strconv"
	"testing"

	"golang.org/x/mod/sumdb/tlog"

	"doorstep/syncproto"
	"doorstep/syncproto/cbor"
)

// testLog is a server's audit log as far as replies speak of it.
type testLog struct {
	t      *testing.T
	hashes []tlog.Hash
	size   int64
	epoch  syncproto.Epoch
	back   syncproto.Restored // declared
	timeMS int64
}

func (l *testLog) ReadHashes(at []int64) ([]tlog.Hash, error) {
	out := make([]tlog.Hash, len(at))
	for i, n := range at {
		out[i] = l.hashes[n]
	}
	return out, nil
}

// grow adds entries; word tells one history from another.
func (l *testLog) grow(n int, word string) *testLog {
	for range n {
		more, err := tlog.StoredHashes(l.size, []byte(word+strconv.FormatInt(l.size, 10)), l)
		if err != nil {
			l.t.Fatal(err)
		}
		l.hashes = append(l.hashes, more...)
		l.size++
	}
	l.timeMS += 1000
	return l
}

// cut returns the log as it was at a size, and on from there in another epoch.
func (l *testLog) cut(size int64) *testLog {
	epoch := l.epoch
	epoch[1]++
	return &testLog{t: l.t, hashes: l.hashes[:tlog.StoredHashCount(size):tlog.StoredHashCount(size)], size: size, epoch: epoch,
		back: syncproto.Restored{Epoch: epoch, Size: uint64(size)}, timeMS: l.timeMS}
}

func (l *testLog) head(size int64) syncproto.TreeHead {
	root, err := tlog.TreeHash(size, l)
	if err != nil {
		l.t.Fatal(err)
	}
	return syncproto.TreeHead{Size: uint64(size), Root: root}
}

// answer is what an honest server says to who remembers a head.
func (l *testLog) answer(q *syncproto.SyncRequest) *syncproto.SyncReply {
	c := syncproto.Checkpoint{TreeHead: l.head(l.size), TimeMS: l.timeMS}
	c.Signature = testSign(serverKey, syncproto.CheckpointText("Testing", &c))
	p := &syncproto.SyncReply{Version: 1, Request: q.Request, Epoch: l.epoch, Cursor: []byte{1}, Checkpoint: &c}
	old := int64(q.Log.Size)
	if old > 0 && (old > l.size || l.head(old) != q.Log) {
		p.Restored = l.back
	} else if old > 0 && old < l.size {
		proof, err := tlog.ProveTree(l.size, old, l)
		if err != nil {
			l.t.Fatal(err)
		}
		for _, h := range proof {
			p.Proof = append(p.Proof, h)
		}
	}
	return p
}

// ask does one round trip and returns what the device asked.
func (l *testLog) ask(d *tablet, spoil func(*syncproto.SyncReply)) *syncproto.SyncRequest {
	l.t.Helper()
	d.in, d.out = nil, nil
	d.begin()
	q, err := syncproto.DecodeRequest(d.out[0].bytes)
	if err != nil {
		l.t.Fatal(err)
	}
	p := l.answer(q)
	if spoil != nil {
		spoil(p)
	}
	payload := syncproto.EncodeReply(p)
	signed := syncproto.EncodeSignedReply(payload, testSign(serverKey, syncproto.ReplyMessage(d.id.Device, payload)))
	d.in = append(d.in, message{q.Request, signed})
	d.receive(0)
	return q
}

func hasNote(d *tablet, kind NoteKind) bool {
	return slices.ContainsFunc(d.notes, func(n Note) bool { return n.Kind == kind })
}

func logWorld(t *testing.T) (*testLog, *tablet) {
	l := (&testLog{t: t, epoch: syncproto.Epoch{9}}).grow(5, "a")
	d := newTablet(t, newServer(), 1, 1)
	for range 40 {
		l.ask(d, nil)
		l.grow(7, "a")
	}
	l.ask(d, nil)
	if got := d.engine.Log(); got.Alarm != nil || got.Newest.Size != uint64(l.size) || hasNote(d, NoteRewritten) {
		t.Fatalf("an honest log: got %+v", got)
	}
	return l, d
}

// A server's clock was a day ahead; then its backup was restored to another machine,
// whose clock is right. The log holds all that the tablet remembers: no alarm, but from
// then on time may not go back again.
func TestFault84ARestoredServerMayKnowAnEarlierTime(t *testing.T) {
	l, d := logWorld(t)
	was := l.timeMS
	l = l.cut(l.size).grow(3, "b")
	l.timeMS = was - 86_400_000
	l.ask(d, nil)
	if got := d.engine.Log(); got.Alarm != nil || got.Newest.TimeMS != l.timeMS || got.Newest.Size != uint64(l.size) {
		t.Fatalf("after the restore: got %+v, want %d entries at %d and no alarm", got, l.size, l.timeMS)
	}
	l.grow(1, "b").timeMS -= 2000
	l.ask(d, nil)
	if got := d.engine.Log(); got.Alarm == nil {
		t.Error("time went back within the new epoch, and no alarm was raised")
	}
}

func TestRewrittenLogRaisesAnAlarm(t *testing.T) {
	honest := func(l *testLog) *testLog { return l }
	for name, c := range map[string]struct {
		server func(*testLog) *testLog
		spoil  func(*syncproto.SyncReply)
	}{
		"rewound": {func(l *testLog) *testLog {
			o := l.cut(l.size - 8)
			o.epoch, o.back = l.epoch, syncproto.Restored{}
			return o
		}, nil},
		"altered": {func(l *testLog) *testLog {
			o := l.cut(100).grow(400, "b")
			o.epoch, o.back = l.epoch, syncproto.Restored{}
			return o
		}, nil},
		"same length": {func(l *testLog) *testLog {
			o := l.cut(l.size-5).grow(1, "b")
			o.epoch, o.back = l.epoch, syncproto.Restored{}
			return o
		}, nil},
		"no new epoch":  {func(l *testLog) *testLog { o := l.cut(100); o.epoch, o.back.Epoch = l.epoch, l.epoch; return o }, nil},
		"without proof": {honest, func(p *syncproto.SyncReply) { p.Proof = nil }},
		"earlier time":  {honest, func(p *syncproto.SyncReply) { p.Checkpoint.TimeMS -= 900_000; resign(p) }},
		"not signed":    {honest, func(p *syncproto.SyncReply) { p.Checkpoint.Signature[3] ^= 1 }},
		"restored ahead": {honest, func(p *syncproto.SyncReply) {
			p.Proof, p.Restored = nil, syncproto.Restored{Epoch: syncproto.Epoch{7}, Size: 9999}
		}},
	} {
		t.Run(name, func(t *testing.T) {
			l, d := logWorld(t)
			before := d.engine.Log().Newest
			l.grow(4, "a")
			bad := c.server(l)
			bad.ask(d, c.spoil)
			if !hasNote(d, NoteRewritten) || d.engine.Log().Alarm == nil {
				t.Fatal("no alarm")
			}
			id := d.edit(testRecords[0], set("visit_type", cbor.Text("CP")))
			d.start() // nothing of it is forgotten
			q := bad.ask(d, c.spoil)
			if q.Log != before.TreeHead || d.engine.Log().Newest.TreeHead != before.TreeHead {
				t.Errorf("the device now remembers %d, want %d", d.engine.Log().Newest.Size, before.Size)
			}
			if len(q.Batches) != 1 || d.engine.Outbox().Changes != 1 {
				t.Errorf("change %s: the device stopped sending", id)
			}
		})
	}
}

func resign(p *syncproto.SyncReply) {
	p.Checkpoint.Signature = testSign(serverKey, syncproto.CheckpointText("Testing", p.Checkpoint))
}

func TestDeclaredRestoreIsNoAlarmButLeavesEvidence(t *testing.T) {
	l, d := logWorld(t)
	before := d.engine.Log().Newest
	restored := l.cut(l.size-20).grow(3, "c")
	restored.ask(d, nil) // the epoch is another: the device compares
	q := restored.ask(d, nil)
	if q.Log.Size == 0 || q.Log.Size > restored.back.Size {
		t.Errorf("the device demands proof from %d, want at most %d", q.Log.Size, restored.back.Size)
	}
	got := d.engine.Log()
	if got.Alarm != nil || !hasNote(d, NoteRestored) || got.Newest.Size != uint64(restored.size) {
		t.Errorf("got %+v", got)
	}
	if len(got.Left) == 0 || got.Left[0].TreeHead != before.TreeHead || len(q.Forks) == 0 || q.Forks[0].TreeHead != before.TreeHead {
		t.Errorf("evidence %+v, reported %+v; want %d", got.Left, q.Forks, before.Size)
	}
	if q := restored.grow(1, "c").ask(d, nil); len(q.Forks) != 0 {
		t.Errorf("reported again: %+v", q.Forks)
	}
}

// A copy that was altered before it was put back meets an older checkpoint.
func TestRestoreOfAnotherHistoryIsSeen(t *testing.T) {
	l, d := logWorld(t)
	other := l.cut(3).grow(200, "b")
	other.back.Size = uint64(other.size)
	other.ask(d, nil)
	other.ask(d, nil)
	if d.engine.Log().Alarm == nil || !hasNote(d, NoteRewritten) {
		t.Errorf("got %+v", d.engine.Log())
	}
}
