package server

import (
	"context"
	"encoding/binary"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"doorstep/server/internal/audit"
	"doorstep/server/internal/journal"
	"doorstep/server/internal/store"
	"doorstep/syncproto"
)

var (
	tamperings = flag.Int("tamperings", 100, "random tamperings with a log of 100,000 entries")
	onDisk     = flag.Int("tamperings.disk", 25, "random tamperings with the files of a journal, sealed anew")
	tamperSeed = flag.Uint64("tamperings.seed", 1, "of the random tamperings")
)

// tamper returns another history than the first covered entries of payloads: one
// removed, edited, moved, or all from one on rewound.
func tamper(rng *rand.Rand, payloads [][]byte, covered int) (what string, out [][]byte) {
	at := rng.IntN(covered)
	out = slices.Clone(payloads)
	switch rng.IntN(4) {
	case 0:
		return fmt.Sprintf("entry %d removed", at+1), slices.Delete(out, at, at+1)
	case 1:
		edited := slices.Clone(out[at])
		i := len(edited) - 1 - rng.IntN(20) // in what is sealed: the leaf's other fields stay
		edited[i] ^= 1 << rng.IntN(8)
		out[at] = edited
		return fmt.Sprintf("byte %d of entry %d edited", i, at+1), out
	case 2:
		to := rng.IntN(covered - 1)
		if to >= at {
			to++
		}
		moved := out[at]
		out = slices.Insert(slices.Delete(out, at, at+1), to, moved)
		return fmt.Sprintf("entry %d moved to %d", at+1, to+1), out
	}
	return fmt.Sprintf("rewound to %d", at), out[:at]
}

// history makes payloads of a journal: changes, and control entries among them.
func history(t testing.TB, b *borough, n int) [][]byte {
	t.Helper()
	out := make([][]byte, n)
	for i := range out {
		var e store.Entry = store.RefEntry{Kind: "person", Ref: fmt.Sprint(i), ID: syncproto.ID{1}}
		if i%10 != 0 {
			c := store.ChangeEntry{Kind: "visit", Seq: uint64(i), AtMS: int64(i), Status: syncproto.StatusAccepted, Sealed: make([]byte, 40)}
			binary.BigEndian.PutUint64(c.ID[:], uint64(i))
			e = c
		}
		var err error
		if out[i], err = store.EncodeEntry(e, b.keys); err != nil {
			t.Fatal(err)
		}
	}
	return out
}

func leafOf(t testing.TB, payload []byte) [32]byte {
	leaf, err := store.Leaf(payload)
	if err != nil {
		return syncproto.LeafHash([]byte("not an entry")) // an edit that no longer decodes
	}
	return syncproto.LeafHash(leaf)
}

// TestVerifyFindsEveryTampering tampers with what a remembered checkpoint of a log
// of 100,000 entries covers. Whoever does it may seal every file anew: only what
// follows from the entries themselves is looked at.
func TestVerifyFindsEveryTampering(t *testing.T) {
	const entries = 100_000
	rng := rand.New(rand.NewPCG(*tamperSeed, 3))
	payloads := history(t, begun(t), entries)
	covered := entries - 1 - rng.IntN(entries/2)
	cache := map[*byte][32]byte{}
	hash := func(payload []byte) [32]byte {
		h, known := cache[&payload[0]]
		if !known {
			h = leafOf(t, payload)
			cache[&payload[0]] = h
		}
		return h
	}
	head := syncproto.TreeHead{Size: uint64(covered)}
	first := audit.NewRecount()
	for i, p := range payloads {
		if i == covered {
			head.Root = first.Head().Root
		}
		if err := first.AddHash(hash(p)); err != nil {
			t.Fatal(err)
		}
	}
	check := func(payloads [][]byte) []error {
		r := audit.NewRecount(head)
		for _, p := range payloads[:min(len(payloads), covered)] { // what comes after is not covered
			if err := r.AddHash(hash(p)); err != nil {
				t.Fatal(err)
			}
		}
		return r.Verdict()
	}
	if wrong := check(payloads); len(wrong) > 0 {
		t.Fatalf("the log as it is: got %v", wrong)
	}
	for n := range *tamperings {
		what, other := tamper(rng, payloads, covered)
		if len(check(other)) == 0 {
			t.Errorf("seed %d, tampering %d was not found: %s", *tamperSeed, n, what)
		}
	}
}

// TestVerifyFindsTamperedFiles does the same to the files of a real borough: the
// journal is written anew with a right chain, and the server's own checkpoint and
// hashes are made to fit, by somebody who has all its keys. A checkpoint that a
// device remembers finds it all the same; without that nothing can.
func TestVerifyFindsTamperedFiles(t *testing.T) {
	const entries = 600
	rng := rand.New(rand.NewPCG(*tamperSeed, 4))
	b := begun(t)
	if _, err := b.ledger.Propose(context.Background(), func(*store.Tx) ([]store.Entry, error) {
		var out []store.Entry
		for i := range entries {
			out = append(out, store.RefEntry{Kind: "person", Ref: fmt.Sprint(i), ID: syncproto.ID{1}})
		}
		return out, nil
	}); err != nil {
		t.Fatal(err)
	}
	c, err := b.audit.Keep(time.Now())
	if err != nil {
		t.Fatal(err)
	}
	note := b.audit.Signer().Note(&c)
	var payloads [][]byte
	if err := b.journal.J.Scan(1, func(_ journal.Position, p []byte) error { payloads = append(payloads, p); return nil }); err != nil {
		t.Fatal(err)
	}
	epoch := b.journal.J.Epoch()
	cfg := b.cfg
	if err := b.close(); err != nil {
		t.Fatal(err)
	}
	if err := verifyLog(cfg, note); err != nil {
		t.Fatalf("the log as it is: got %v", err)
	}
	for n := range *onDisk {
		what, other := tamper(rng, payloads, int(c.Size))
		forged := cfg
		forged.Data.Dir = t.TempDir()
		forge(t, forged, b.secrets, epoch, other)
		if err := verifyLog(forged, nil); err != nil {
			t.Fatalf("seed %d, %d: the forgery is not right in itself: %v", *tamperSeed, n, err)
		}
		if err := verifyLog(forged, note); err == nil || !strings.Contains(err.Error(), audit.ErrOtherHistory.Error()) {
			t.Errorf("seed %d, tampering %d was not found: %s: %v", *tamperSeed, n, what, err)
		}
	}
}

// verifyLog is what Verify does of the log.
func verifyLog(cfg Config, note []byte) error {
	var notes [][]byte
	if note != nil {
		notes = append(notes, note)
	}
	check, err := newLogCheck(cfg, notes)
	if err != nil {
		return err
	}
	defer check.close()
	if _, err := journal.VerifyEach(context.Background(), filepath.Join(cfg.Data.Dir, journalFolder), nil, func(p journal.Position, payload []byte) error {
		if _, err := store.Leaf(payload); err != nil {
			_ = check.kept.Add(payload)
			return check.recount.Add(payload) // an edit that no longer decodes: let the checkpoint speak
		}
		return check.visit(p, payload)
	}); err != nil {
		return err
	}
	return check.done(nil, func(string) {})
}

// forge writes a journal with a right chain, and hashes and a checkpoint over it.
func forge(t *testing.T, cfg Config, keys secrets, epoch journal.Epoch, payloads [][]byte) {
	t.Helper()
	j, err := journal.Open(filepath.Join(cfg.Data.Dir, journalFolder), journal.Options{NewEpoch: func() journal.Epoch { return epoch }})
	if err != nil {
		t.Fatal(err)
	}
	defer j.Close()
	if len(payloads) > 0 {
		if _, err := j.Append(payloads); err != nil {
			t.Fatal(err)
		}
	}
	folder := filepath.Join(cfg.Data.Dir, auditFolder)
	if err := os.MkdirAll(folder, 0o700); err != nil {
		t.Fatal(err)
	}
	r := audit.NewRecount()
	var hashes []byte
	r.OnHash = func(h [32]byte) error { hashes = append(hashes, h[:]...); return nil }
	for _, p := range payloads {
		if leaf, err := store.Leaf(p); err == nil {
			_ = r.Add(leaf)
		} else {
			_ = r.Add(p)
		}
	}
	signer := audit.NewSigner(cfg.Borough, keys.checkpoint)
	c := signer.Sign(r.Head(), 1)
	for name, data := range map[string][]byte{audit.HashesName: hashes, audit.CheckpointName: signer.Note(&c)} {
		if err := os.WriteFile(filepath.Join(folder, name), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// begun is a new borough, open.
func begun(t testing.TB) *borough {
	t.Helper()
	dir := t.TempDir()
	cfg := DefaultConfig()
	cfg.Name = "Testshire"
	cfg.Borough, cfg.Data.Dir, cfg.Secrets.Dir = "testshire", filepath.Join(dir, "data"), filepath.Join(dir, "secrets")
	cfg.Data.MinFreeMB = 1
	if _, err := Init(context.Background(), cfg, FirstUser{Login: "it", Name: "IT"}); err != nil {
		t.Fatal(err)
	}
	b, err := openBorough(cfg, newLogger(cfg.Log, io.Discard), false)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := b.close(); err != nil {
			t.Error(err)
		}
	})
	return b
}

// TestServerRefusesAJournalThatWasRewound holds a server to its own last
// checkpoint: one whose journal was put back by hand does not start.
func TestServerRefusesAJournalThatWasRewound(t *testing.T) {
	b := begun(t)
	var payloads [][]byte
	if err := b.journal.J.Scan(1, func(_ journal.Position, p []byte) error { payloads = append(payloads, p); return nil }); err != nil {
		t.Fatal(err)
	}
	epoch, cfg := b.journal.J.Epoch(), b.cfg
	if err := b.close(); err != nil { // keeps a checkpoint
		t.Fatal(err)
	}
	if err := os.RemoveAll(filepath.Join(cfg.Data.Dir, journalFolder)); err != nil {
		t.Fatal(err)
	}
	j, err := journal.Open(filepath.Join(cfg.Data.Dir, journalFolder), journal.Options{NewEpoch: func() journal.Epoch { return epoch }})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := j.Append(payloads[:len(payloads)-1]); err != nil {
		t.Fatal(err)
	}
	restored := func() { // as a restore does
		j, err := journal.Open(filepath.Join(cfg.Data.Dir, journalFolder), journal.Options{})
		if err == nil {
			err = j.BeginEpoch(journal.WhyRestored, "a restore")
		}
		if err == nil {
			err = j.Close()
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := openBorough(cfg, newLogger(cfg.Log, io.Discard), false); err == nil || !strings.Contains(err.Error(), audit.ErrOtherHistory.Error()) {
		t.Fatalf("a rewound journal: got %v, want %v", err, audit.ErrOtherHistory)
	}
	restored()
	b, err = openBorough(cfg, newLogger(cfg.Log, io.Discard), false)
	if err != nil {
		t.Fatalf("a restored journal: %v", err)
	}
	defer b.close()
	epochs := b.store.State().Epochs()
	if last := epochs[len(epochs)-1]; len(epochs) != 2 || last.From != uint64(len(payloads)-1) || last.Known.Size != uint64(len(payloads)) {
		t.Errorf("the restore is declared as %+v", epochs)
	}
}
