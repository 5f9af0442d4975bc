package journal

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"

	"doorstep/server/internal/disk/disktest"
)

const dir = "/journal"

// epochs draws epochs in ascending order.
func countingEpochs() func() Epoch {
	n := byte(0)
	return func() Epoch { n++; return Epoch{n} }
}

func simulated(d *disktest.Disk) Options {
	return Options{FS: d, SegmentBytes: 8 << 10}
}

func mustOpen(t testing.TB, d *disktest.Disk) *Journal {
	t.Helper()
	j, err := Open(dir, simulated(d))
	if err != nil {
		t.Fatal(err)
	}
	return j
}

// words makes the n-th payload of a test: it tells itself from all others and has a length of its own.
func words(n int) []byte {
	var seed [32]byte
	binary.LittleEndian.PutUint64(seed[:], uint64(n))
	chance := rand.NewChaCha8(seed)
	b := make([]byte, 20+chance.Uint64()%1200)
	chance.Read(b)
	return append(b, fmt.Sprint(n)...)
}

func group(first, count int) [][]byte {
	payloads := make([][]byte, count)
	for i := range payloads {
		payloads[i] = words(first + i)
	}
	return payloads
}

// fill appends groups of 1, 2, 3... until there are count entries.
func fill(t testing.TB, j *Journal, count int) {
	t.Helper()
	head, _ := j.Head()
	for next, size := int(head)+1, 1; next <= count; size++ {
		n := min(size, count-next+1)
		first, err := j.Append(group(next, n))
		if err != nil {
			t.Fatal(err)
		}
		if first != Position(next) {
			t.Fatalf("appended at %d, want %d", first, next)
		}
		next += n
	}
}

// checkPrefix verifies that a journal holds exactly the entries 1 to its head and answers the head.
func checkPrefix(t testing.TB, j *Journal) Position {
	t.Helper()
	head, want := j.Head()
	next, digest := Position(1), Digest{}
	err := j.Scan(0, func(p Position, payload []byte) error {
		if p != next || !bytes.Equal(payload, words(int(p))) {
			t.Fatalf("entry %d, expected %d, is not what was written", p, next)
		}
		digest = digest.Next(sum(payload))
		next++
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if next != head+1 || digest != want {
		t.Fatalf("scanned to %d with digest %x, the head is %d with %x", next-1, digest, head, want)
	}
	return head
}

func TestEntriesComeBackInOrderAcrossSegmentsAndOpenings(t *testing.T) {
	d := disktest.New(1)
	for count := 0; count <= 60; count += 15 {
		j := mustOpen(t, d)
		fill(t, j, count)
		if head := checkPrefix(t, j); head != Position(count) {
			t.Fatalf("got head %d, want %d", head, count)
		}
		if err := j.Close(); err != nil {
			t.Fatal(err)
		}
	}
	s, err := verifyOn(d, dir, nil)
	if err != nil {
		t.Fatal(err)
	}
	if s.Head != 60 || s.Segments < 3 || s.Epochs != 1 || s.TornBytes != 0 || !s.Marked {
		t.Errorf("got %+v, want 60 sound entries in at least 3 segments", s)
	}
}

func TestDigestAtIsTheChainAtEveryPosition(t *testing.T) {
	j := mustOpen(t, disktest.New(1))
	fill(t, j, 40)
	var want Digest
	for p := Position(0); p <= 40; p++ {
		if p > 0 {
			want = want.Next(sum(words(int(p))))
		}
		if got, err := j.DigestAt(p); err != nil || got != want {
			t.Fatalf("digest at %d: got %x, %v, want %x", p, got, err, want)
		}
	}
	if _, err := j.DigestAt(41); !errors.Is(err, ErrNoEntry) {
		t.Errorf("digest behind the head: %v", err)
	}
}

func TestReadOutsideTheJournalIsAnError(t *testing.T) {
	j := mustOpen(t, disktest.New(1))
	for _, p := range []Position{0, 1, 1 << 63} {
		if _, err := j.Read(p); !errors.Is(err, ErrNoEntry) {
			t.Errorf("reading %d of an empty journal: %v", p, err)
		}
	}
	fill(t, j, 3)
	if _, err := j.Read(4); !errors.Is(err, ErrNoEntry) {
		t.Errorf("reading behind the head: %v", err)
	}
}

func TestScanStartsWhereAskedAndEndsWithFn(t *testing.T) {
	j := mustOpen(t, disktest.New(1))
	fill(t, j, 30)
	stop := errors.New("enough")
	var seen []Position
	err := j.Scan(7, func(p Position, _ []byte) error {
		seen = append(seen, p)
		if p == 9 {
			return stop
		}
		return nil
	})
	if !errors.Is(err, stop) || fmt.Sprint(seen) != "[7 8 9]" {
		t.Errorf("got %v, %v", seen, err)
	}
}

func TestPayloadsAreTheReadersOwn(t *testing.T) {
	j := mustOpen(t, disktest.New(1))
	payloads := group(1, 3)
	if _, err := j.Append(payloads); err != nil {
		t.Fatal(err)
	}
	clear(payloads[1])
	got, err := j.Read(2)
	if err != nil {
		t.Fatal(err)
	}
	clear(got)
	checkPrefix(t, j)
}

func TestEmptyAndHugeGroupsAreRefusedUnharmed(t *testing.T) {
	j := mustOpen(t, disktest.New(1))
	fill(t, j, 2)
	cases := map[string][][]byte{
		"no entries":    {},
		"empty entry":   {words(3), {}},
		"huge entry":    {make([]byte, MaxGroupBytes)},
		"huge together": {make([]byte, MaxGroupBytes/2), make([]byte, MaxGroupBytes/2)},
	}
	for name, payloads := range cases {
		if _, err := j.Append(payloads); !errors.Is(err, ErrTooLarge) {
			t.Errorf("%s: %v", name, err)
		}
	}
	fill(t, j, 4)
	checkPrefix(t, j)
}

func TestAGroupLargerThanASegmentGetsOneOfItsOwn(t *testing.T) {
	d := disktest.New(1)
	j := mustOpen(t, d)
	if _, err := j.Append(group(1, 100)); err != nil {
		t.Fatal(err)
	}
	fill(t, j, 110)
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	checkPrefix(t, mustOpen(t, d))
}

func TestExistingForbidsToBegin(t *testing.T) {
	d := disktest.New(1)
	opt := simulated(d)
	opt.Existing = true
	if _, err := Open(dir, opt); !errors.Is(err, ErrMissing) {
		t.Errorf("got %v, want ErrMissing", err)
	}
	if _, err := verifyOn(d, dir, nil); !errors.Is(err, ErrMissing) {
		t.Errorf("verifying: got %v, want ErrMissing", err)
	}
	if err := mustOpen(t, d).Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(dir, opt); err != nil {
		t.Errorf("opening what is there: %v", err)
	}
}

func TestClosedJournalTakesNothing(t *testing.T) {
	j := mustOpen(t, disktest.New(1))
	if err := errors.Join(j.Close(), j.Close()); err != nil {
		t.Fatal(err)
	}
	if _, err := j.Append(group(1, 1)); !errors.Is(err, ErrClosed) {
		t.Errorf("appending: %v", err)
	}
	if err := j.BeginEpoch(WhyRestored, "restored"); !errors.Is(err, ErrClosed) {
		t.Errorf("beginning an epoch: %v", err)
	}
}

func TestBeginEpochIsKeptWithItsPlaceAndReason(t *testing.T) {
	d := disktest.New(1)
	opt := simulated(d)
	opt.NewEpoch = countingEpochs()
	j, err := Open(dir, opt)
	if err != nil {
		t.Fatal(err)
	}
	fill(t, j, 10)
	reason := "restored \"the backup\"\nof Tuesday"
	if err := j.BeginEpoch(WhyRestored, reason); err != nil {
		t.Fatal(err)
	}
	fill(t, j, 20)
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	j = mustOpen(t, d)
	epochs := j.Epochs()
	digest, err := j.DigestAt(10)
	if err != nil {
		t.Fatal(err)
	}
	want := EpochStart{Epoch: Epoch{2}, From: 10, Digest: digest, Why: WhyRestored, Reason: reason}
	if len(epochs) != 2 || epochs[0].Epoch != (Epoch{1}) || epochs[1] != want || j.Epoch() != want.Epoch {
		t.Errorf("got epochs %+v, want the second to be %+v", epochs, want)
	}
}

func TestAnEpochIsNeverUsedTwice(t *testing.T) {
	opt := simulated(disktest.New(1))
	opt.NewEpoch = func() Epoch { return Epoch{7} }
	j, err := Open(dir, opt)
	if err != nil {
		t.Fatal(err)
	}
	if err := j.BeginEpoch(WhyRestored, "again"); err == nil {
		t.Error("the same epoch began twice")
	}
}

func TestReadersRunBesideTheWriter(t *testing.T) {
	j := mustOpen(t, disktest.New(1))
	fill(t, j, 1)
	done := make(chan struct{})
	errs := make(chan error, 2)
	for range 2 {
		go func() {
			errs <- readUntil(j, done)
		}()
	}
	fill(t, j, 200)
	close(done)
	if err := errors.Join(<-errs, <-errs); err != nil {
		t.Fatal(err)
	}
	checkPrefix(t, j)
}

// readUntil reads the newest entry and its digest again and again.
func readUntil(j *Journal, done <-chan struct{}) error {
	for {
		head, _ := j.Head()
		got, err := j.Read(head)
		if err != nil {
			return err
		}
		if !bytes.Equal(got, words(int(head))) {
			return fmt.Errorf("entry %d is not what was written", head)
		}
		if _, err := j.DigestAt(head); err != nil {
			return err
		}
		select {
		case <-done:
			return nil
		default:
		}
	}
}
