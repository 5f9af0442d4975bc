package spec_test

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strconv"
	"testing"

	"golang.org/x/mod/sumdb/tlog"

	"doorstep/syncproto"
)

// memoryLog is a log in memory, proved by another implementation than ours.
type memoryLog struct{ hashes []tlog.Hash }

func (l *memoryLog) ReadHashes(at []int64) ([]tlog.Hash, error) {
	out := make([]tlog.Hash, len(at))
	for i, n := range at {
		out[i] = l.hashes[n]
	}
	return out, nil
}

func newMemoryLog(t *testing.T, size int64) *memoryLog {
	l := &memoryLog{}
	for n := range size {
		more, err := tlog.StoredHashes(n, []byte(fmt.Sprintf("leaf %d", n)), l)
		if err != nil {
			t.Fatal(err)
		}
		l.hashes = append(l.hashes, more...)
	}
	return l
}

func (l *memoryLog) head(t *testing.T, size int64) syncproto.TreeHead {
	root, err := tlog.TreeHash(size, l)
	if err != nil {
		t.Fatal(err)
	}
	return syncproto.TreeHead{Size: uint64(size), Root: root}
}

func (l *memoryLog) prove(t *testing.T, old, now int64) [][32]byte {
	if old == 0 || old == now {
		return nil
	}
	proof, err := tlog.ProveTree(now, old, l)
	if err != nil {
		t.Fatal(err)
	}
	out := make([][32]byte, len(proof))
	for i, h := range proof {
		out[i] = h
	}
	return out
}

// TestConsistencyAgreesWithAnotherImplementation holds every pair of sizes up to
// 70 against golang.org/x/mod's proofs, and each proof with one bit flipped, cut
// or lengthened against none.
func TestConsistencyAgreesWithAnotherImplementation(t *testing.T) {
	const sizes = 70
	l := newMemoryLog(t, sizes)
	for now := int64(0); now <= sizes; now++ {
		for old := int64(0); old <= now; old++ {
			proof, was, is := l.prove(t, old, now), l.head(t, old), l.head(t, now)
			if !syncproto.CheckConsistency(proof, was, is) {
				t.Fatalf("%d extends %d: the proof is refused", now, old)
			}
			if old == 0 {
				continue
			}
			other := was
			other.Root[5] ^= 1
			bad := syncproto.CheckConsistency(proof, other, is) || syncproto.CheckConsistency(append(bytes32(proof), [32]byte{}), was, is)
			for i := range proof {
				flipped := bytes32(proof)
				flipped[i][3] ^= 1
				bad = bad || syncproto.CheckConsistency(flipped, was, is) || syncproto.CheckConsistency(proof[:i], was, is)
			}
			if bad {
				t.Fatalf("%d extends %d: something false is taken for proof", now, old)
			}
		}
	}
}

func bytes32(in [][32]byte) [][32]byte { return append([][32]byte(nil), in...) }

// logVectors are checkpoints and what holds them together.
func logVectors(m *maker) {
	l := newMemoryLog(m.t, 300)
	consistency := func(name string, expect syncproto.Code, comment string, old, now syncproto.TreeHead, proof [][32]byte) {
		pairs := []string{"old", headText(old), "new", headText(now)}
		for _, h := range proof {
			pairs = append(pairs, "hash", hex.EncodeToString(h[:]))
		}
		m.add("log", name, "consistency", expect, comment, pairs...)
	}
	for _, c := range [][2]int64{{1, 2}, {3, 7}, {4, 7}, {6, 8}, {64, 300}, {123, 300}, {299, 300}} {
		consistency(fmt.Sprintf("%d-to-%d", c[0], c[1]), syncproto.CodeOK, fmt.Sprintf("a log of %d entries extends one of %d", c[1], c[0]),
			l.head(m.t, c[0]), l.head(m.t, c[1]), l.prove(m.t, c[0], c[1]))
	}
	consistency("same", syncproto.CodeOK, "a log extends itself, without a proof", l.head(m.t, 7), l.head(m.t, 7), nil)
	shown := l.prove(m.t, 123, 300)
	other := l.head(m.t, 123)
	other.Root[0] ^= 1
	bad := syncproto.CodeLogRewritten
	consistency("altered", bad, "an entry that was remembered is another one now", other, l.head(m.t, 300), shown)
	consistency("cut", bad, "the proof lacks its last hash", l.head(m.t, 123), l.head(m.t, 300), shown[:len(shown)-1])
	consistency("rewound", bad, "the log is shorter than what is remembered", l.head(m.t, 300), l.head(m.t, 123), shown)
	consistency("same-size", bad, "as many entries, and others", other, l.head(m.t, 123), nil)

	seed := sha256.Sum256([]byte("a checkpoint key for vectors only"))
	private := ed25519.NewKeyFromSeed(seed[:])
	key := private.Public().(ed25519.PublicKey)
	c := syncproto.Checkpoint{TreeHead: l.head(m.t, 300), TimeMS: 1_790_000_000_000}
	c.Signature = ed25519.Sign(private, syncproto.CheckpointText("example", &c))
	note := syncproto.CheckpointNote("example", &c, syncproto.CheckpointKeyHash("example", key))
	add := func(name string, expect syncproto.Code, comment string, c syncproto.Checkpoint) {
		m.add("log", name, "checkpoint", expect, comment, "borough", "example", "key", hex.EncodeToString(key),
			"hex", hex.EncodeToString(syncproto.EncodeCheckpoint(&c)), "note", hex.EncodeToString(note))
	}
	add("checkpoint", syncproto.CodeOK, "the signature covers the note's text; note is the whole signed note, in UTF-8", c)
	c.TimeMS--
	add("checkpoint-time", syncproto.CodeBadSignature, "another time than was signed", c)
}

func headText(h syncproto.TreeHead) string {
	return strconv.FormatUint(h.Size, 10) + " " + hex.EncodeToString(h.Root[:])
}

func parseHead(t *testing.T, s string) (h syncproto.TreeHead) {
	var root []byte
	if _, err := fmt.Sscanf(s, "%d %x", &h.Size, &root); err != nil || len(root) != 32 {
		t.Fatalf("%q is no head of a log", s)
	}
	copy(h.Root[:], root)
	return h
}

func checkConsistency(t *testing.T, v vector) error {
	var proof [][32]byte
	for _, f := range v.fields {
		if f.key == "hash" {
			proof = append(proof, [32]byte(unhex(t, f.value)))
		}
	}
	if !syncproto.CheckConsistency(proof, parseHead(t, v.get("old")), parseHead(t, v.get("new"))) {
		return syncproto.CodeLogRewritten
	}
	return nil
}

func checkCheckpoint(t *testing.T, v vector) error {
	q, err := syncproto.DecodeRequest(withKey(t, syncproto.EncodeRequest(&syncproto.SyncRequest{Version: 1, Request: syncproto.RequestID{1}}),
		10, append([]byte{0x81}, unhex(t, v.get("hex"))...)))
	if err != nil {
		return err
	}
	c, key := q.Forks[0], unhex(t, v.get("key"))
	if !ed25519.Verify(key, syncproto.CheckpointText(v.get("borough"), &c), c.Signature) {
		return syncproto.CodeBadSignature
	}
	note := syncproto.CheckpointNote(v.get("borough"), &c, syncproto.CheckpointKeyHash(v.get("borough"), key))
	if want := unhex(t, v.get("note")); !bytes.Equal(note, want) {
		t.Errorf("got the note %q, want %q", note, want)
	}
	return nil
}
