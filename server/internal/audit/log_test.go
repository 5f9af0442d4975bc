package audit_test

import (
	"bytes"
	"crypto/ed25519"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"doorstep/server/internal/audit"
	"doorstep/server/internal/disk"
	"doorstep/server/internal/disk/disktest"
	"doorstep/syncproto"
)

// source is a journal in memory.
type source struct{ payloads [][]byte }

func (s *source) Head() (uint64, [32]byte)             { return uint64(len(s.payloads)), [32]byte{} }
func (s *source) Read(position uint64) ([]byte, error) { return s.payloads[position-1], nil }

func (s *source) add(n int) (first uint64, group [][]byte, sums [][32]byte) {
	first = uint64(len(s.payloads)) + 1
	for range n {
		group = append(group, []byte(fmt.Sprintf("entry %d", len(s.payloads)+len(group))))
	}
	s.payloads = append(s.payloads, group...)
	return first, group, nil
}

var signer = audit.NewSigner("testshire", ed25519.NewKeyFromSeed(make([]byte, 32)))

func open(t *testing.T, fs *disktest.Disk, s *source) (*audit.Log, *bytes.Buffer) {
	t.Helper()
	var logged bytes.Buffer
	l, err := audit.OpenLog(audit.LogOptions{FS: fs, Dir: "audit", Source: s, Signer: signer,
		Leaf: func(p []byte, _ [32]byte) ([]byte, error) { return p, nil }, Log: slog.New(slog.NewTextHandler(&logged, nil))})
	if err != nil {
		t.Fatal(err)
	}
	return l, &logged
}

// must takes a result that has to come without an error.
func must[T any](v T, err error) T {
	if err != nil {
		panic("bug: " + err.Error())
	}
	return v
}

func at(seconds int) time.Time {
	return time.UnixMilli(1_790_000_000_000).Add(time.Duration(seconds) * time.Second)
}

func TestLogAnswersWhatIsRemembered(t *testing.T) {
	s := &source{}
	l, _ := open(t, disktest.New(1), s)
	var seen []syncproto.TreeHead
	for i, n := range []int{1, 2, 5, 1, 40, 3} {
		l.Follow(s.add(n))
		c := must(l.Checkpoint(at(20 * i)))
		if c.Size != uint64(len(s.payloads)) || !ed25519.Verify(signer.Public(), syncproto.CheckpointText("testshire", &c), c.Signature) {
			t.Fatalf("got a checkpoint over %d of %d", c.Size, len(s.payloads))
		}
		for _, old := range append(seen, syncproto.TreeHead{}) {
			a := must(l.Answer(old, at(20*i)))
			if a.Diverged || a.Checkpoint == nil || !syncproto.CheckConsistency(a.Proof, old, a.Checkpoint.TreeHead) {
				t.Errorf("from %d to %d: got %+v", old.Size, c.Size, a)
			}
		}
		if a := must(l.Answer(c.TreeHead, at(20*i))); a.Checkpoint != nil {
			t.Errorf("who knows the newest is told %+v", a)
		}
		seen = append(seen, c.TreeHead)
	}
	other := seen[3]
	other.Root[9] ^= 1
	if a := must(l.Answer(other, at(200))); !a.Diverged || len(a.Proof) > 0 {
		t.Errorf("another history: got %+v", a)
	}
	if a := must(l.Answer(syncproto.TreeHead{Size: 99}, at(200))); !a.Diverged {
		t.Errorf("more than there is: got %+v", a)
	}
	leaf := must(l.Tree().ProveLeaf(7, seen[5]))
	if size := 32 * len(leaf); size > 2048 {
		t.Errorf("a proof of %d bytes", size)
	}
}

func TestLogIsTheSameAfterACrash(t *testing.T) {
	for cut := range 12 {
		fs, s := disktest.New(uint64(cut)), &source{}
		l, _ := open(t, fs, s)
		l.Follow(s.add(100))
		kept := must(l.Keep(at(0)))
		l.Follow(s.add(cut * 7))
		want := must(l.Tree().Head())
		fs.Crash() // what was not synced may be torn or gone
		l, _ = open(t, fs, s)
		if got := must(l.Tree().Head()); got != want {
			t.Errorf("cut %d: the tree is another after a crash", cut)
		}
		if c := must(l.Checkpoint(at(30))); c.Size < kept.Size {
			t.Errorf("cut %d: the checkpoint went back", cut)
		}
	}
}

func TestLogSaysWhatItLost(t *testing.T) {
	fs, s := disktest.New(1), &source{}
	l, _ := open(t, fs, s)
	l.Follow(s.add(50))
	kept := must(l.Keep(at(0)))
	for name, spoil := range map[string]func(*source){
		"shorter": func(s *source) { s.payloads = s.payloads[:30] },
		"edited":  func(s *source) { s.payloads[20] = []byte("another") },
		"swapped": func(s *source) { s.payloads[3], s.payloads[4] = s.payloads[4], s.payloads[3] },
	} {
		other := &source{payloads: append([][]byte(nil), s.payloads...)}
		spoil(other)
		copied := disktest.New(2)
		for _, file := range []string{audit.HashesName, audit.CheckpointName} {
			copyFile(t, fs, copied, file)
		}
		// The file of hashes still adds up: only the journal tells.
		if name != "shorter" {
			if err := copied.Remove("audit/" + audit.HashesName); err != nil {
				t.Fatal(err)
			}
		}
		l, _ := open(t, copied, other)
		if lost, is := l.Lost(); !is || lost.TreeHead != kept.TreeHead {
			t.Errorf("%s: got %v, %v", name, lost, is)
		}
	}
}

func TestFault56CheckpointsRefuseToGoBackInTime(t *testing.T) {
	fs, s := disktest.New(1), &source{}
	l, logged := open(t, fs, s)
	const day = 24 * 3600
	l.Follow(s.add(3))
	wrong := must(l.Keep(at(day))) // the clock is a day ahead
	l.Follow(s.add(3))
	right := must(l.Keep(at(60)))
	if right.TimeMS < wrong.TimeMS || right.Size != 6 {
		t.Errorf("after the clock was put right: got time %d over %d, want at least %d over 6", right.TimeMS, right.Size, wrong.TimeMS)
	}
	if !strings.Contains(logged.String(), "clock went back") {
		t.Error("nobody is told that the clock went back")
	}
	l, _ = open(t, fs, s) // nor does a restart
	l.Follow(s.add(1))
	if c := must(l.Checkpoint(at(120))); c.TimeMS < wrong.TimeMS {
		t.Errorf("after a restart: got time %d, want at least %d", c.TimeMS, wrong.TimeMS)
	}
	l.Follow(s.add(1))
	if c := must(l.Checkpoint(at(2 * day))); c.TimeMS != at(2*day).UnixMilli() {
		t.Errorf("once the clock has caught up: got time %d", c.TimeMS)
	}
}

func TestNotesOfOthersAreRefused(t *testing.T) {
	c := signer.Sign(syncproto.TreeHead{Size: 7, Root: [32]byte{1}}, 5)
	note := signer.Note(&c)
	got := must(signer.ParseNote(note))
	if got.TreeHead != c.TreeHead || got.TimeMS != 5 {
		t.Errorf("got %+v, want %+v", got, c)
	}
	stranger := audit.NewSigner("testshire", ed25519.NewKeyFromSeed(bytes.Repeat([]byte{1}, 32)))
	other := audit.NewSigner("othershire", ed25519.NewKeyFromSeed(make([]byte, 32)))
	for name, bad := range map[string][]byte{
		"another key": stranger.Note(&c), "another borough": other.Note(&c), "nothing": nil,
		"another size": bytes.Replace(note, []byte("\n7\n"), []byte("\n8\n"), 1), "cut": note[:len(note)-4],
	} {
		if _, err := signer.ParseNote(bad); !errors.Is(err, audit.ErrNote) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

func TestEventsComeBack(t *testing.T) {
	full := audit.Event{Type: audit.TypeRead, AtMS: 1, User: syncproto.UserID{1}, Device: syncproto.DeviceID{2}, Session: syncproto.ID{3},
		Change: syncproto.ChangeID{4}, Actor: syncproto.ActorID{5}, Record: audit.Mark{6}, Status: 7, Code: 8, Table: audit.Table{9},
		Entry: [32]byte{10}, Subject: syncproto.ID{11}, Count: 12, UntilMS: 13, Size: 14, Root: [32]byte{15}, Second: syncproto.UserID{16}, Word: "w"}
	for _, e := range []audit.Event{{}, {Type: 1}, full} {
		leaf := e.Encode()
		if got := must(audit.DecodeEvent(leaf)); got != e {
			t.Errorf("got %+v, want %+v", got, e)
		}
		for i := range leaf {
			if _, err := audit.DecodeEvent(leaf[:i]); err == nil {
				t.Errorf("a leaf cut at byte %d of %d is taken", i, len(leaf))
			}
		}
	}
}

func copyFile(t *testing.T, from, to *disktest.Disk, name string) {
	t.Helper()
	if err := to.MkdirAll("audit"); err != nil {
		t.Fatal(err)
	}
	data := must(readAll(from, "audit/"+name))
	if err := writeAll(to, "audit/"+name, data); err != nil {
		t.Fatal(err)
	}
}

func readAll(fs *disktest.Disk, path string) ([]byte, error) { return disk.ReadFile(fs, path, 1<<20) }

func writeAll(fs *disktest.Disk, path string, data []byte) error { return disk.Replace(fs, path, data) }

// A server that is killed must not forget a checkpoint that it has shown: with a clock
// that was put right meanwhile it would sign an earlier time, which devices take for
// tampering.
func TestFault56ACheckpointIsKeptBeforeItIsShown(t *testing.T) {
	fs, s := disktest.New(1), &source{}
	s.add(3)
	l, _ := open(t, fs, s)
	shown := must(l.Answer(syncproto.TreeHead{}, at(86_400))).Checkpoint
	fs.Crash()
	s.add(1)
	l, _ = open(t, fs, s)
	again := must(l.Answer(shown.TreeHead, at(60)))
	if again.Checkpoint == nil || again.Checkpoint.TimeMS < shown.TimeMS {
		t.Errorf("after a kill, with the clock put right: got %+v, want a time from %d on", again.Checkpoint, shown.TimeMS)
	}
	s.add(1)
	l.Follow(5, nil, nil)
	fs.FailSync(0)
	if a := must(l.Answer(again.Checkpoint.TreeHead, at(200))); a.Checkpoint != nil {
		t.Errorf("what could not be kept is shown: %+v", a.Checkpoint)
	}
}

// A bit that flips in the file of hashes must not look like another history: the
// hashes are derived anew, and devices raise no alarm.
func TestFault79DamagedHashesArePutRightBeforeAnybodyIsAlarmed(t *testing.T) {
	for bit := int64(0); bit < 3*32*8; bit += 37 {
		fs, s := disktest.New(1), &source{}
		s.add(5)
		l, _ := open(t, fs, s)
		old := must(l.Answer(syncproto.TreeHead{}, at(0))).Checkpoint
		first, group, _ := s.add(7)
		l.Follow(first, group, nil)
		fs.FlipBit("audit/hashes", bit)
		a := must(l.Answer(old.TreeHead, at(100)))
		if a.Diverged || a.Checkpoint == nil || !syncproto.CheckConsistency(a.Proof, old.TreeHead, a.Checkpoint.TreeHead) {
			t.Fatalf("bit %d: got %+v, want a proof", bit, a)
		}
	}
}

// Another journal beside the file of hashes and the last checkpoint is noticed at the
// start, though the two fit each other.
func TestAnotherJournalBesideTheHashesIsNoticed(t *testing.T) {
	fs, s := disktest.New(1), &source{}
	s.add(6)
	l, _ := open(t, fs, s)
	must(l.Keep(at(0)))
	for n := range s.payloads[3:] {
		s.payloads[3+n] = []byte(fmt.Sprintf("another entry %d", n))
	}
	s.add(2)
	l, _ = open(t, fs, s)
	if _, lost := l.Lost(); !lost {
		t.Error("a journal that was put in place of another passes for it")
	}
}

// What could not be taken in, as when a write failed, is in the next checkpoint that is
// kept, also where nothing is written after it.
func TestFault81AnIdleServersCheckpointMissesNothing(t *testing.T) {
	fs, s := disktest.New(1), &source{}
	l, logged := open(t, fs, s)
	l.Follow(s.add(3))
	must(l.Keep(at(60)))
	fs.FailWrite(0)
	l.Follow(s.add(1))
	if !strings.Contains(logged.String(), "lags") {
		t.Fatalf("bug: the write did not fail: %s", logged)
	}
	fs.FailWrite(0)
	if c, err := l.Keep(at(120)); err == nil || c.Size != 3 {
		t.Errorf("while it fails: got a checkpoint of %d entries, %v; want that of 3, and the error", c.Size, err)
	}
	fs.FailWrite(-1)
	if c := must(l.Keep(at(180))); c.Size != 4 {
		t.Errorf("afterwards: got a checkpoint of %d entries, want one of 4", c.Size)
	}
	if _, behind := l.Newest(); behind != 0 {
		t.Errorf("%d entries are not covered", behind)
	}
}
