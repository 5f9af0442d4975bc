package journal

import (
	"crypto/sha256"
	"errors"
	"math/rand/v2"
	"strings"
	"syscall"
	"testing"

	"doorstep/server/internal/disk/disktest"
)

func sum(payload []byte) Digest { return sha256.Sum256(payload) }

// life drives a journal on a disk that fails, over several openings, and remembers what was promised.
type life struct {
	t      *testing.T
	disk   *disktest.Disk
	chance *rand.Rand
	seed   uint64
	// acked is the highest position that was acknowledged, or shown after an opening: neither may ever be lost.
	acked Position
	cuts  int
}

// run appends until the power goes, at a step drawn from the seed.
func (l *life) run(groups int) {
	j, err := Open(dir, simulated(l.disk))
	if err != nil {
		l.interrupted(err)
		return
	}
	l.opened(j)
	for range groups {
		head, _ := j.Head()
		n := 1 + l.chance.IntN(6)
		if _, err := j.Append(group(int(head)+1, n)); err != nil {
			l.interrupted(err)
			return
		}
		l.acked = head + Position(n)
	}
	if l.chance.IntN(2) == 0 {
		if err := j.Close(); err != nil {
			l.interrupted(err)
		}
	}
}

// interrupted accepts an error only if the power went.
func (l *life) interrupted(err error) {
	l.t.Helper()
	if !errors.Is(err, disktest.ErrPower) {
		l.t.Fatalf("seed %d: %v", l.seed, err)
	}
}

func (l *life) opened(j *Journal) {
	l.t.Helper()
	head := checkPrefix(l.t, j)
	if head < l.acked {
		l.t.Fatalf("seed %d: %d entries were acknowledged, %d are there", l.seed, l.acked, head)
	}
	l.acked = head
	for _, path := range l.disk.Paths() {
		if strings.Contains(path, j.Epoch().String()) {
			l.t.Fatalf("seed %d: a tail was cut and the epoch stayed: %s", l.seed, path)
		}
	}
	torn, cut := j.Torn()
	if cut {
		l.cuts++
		if got := int64(len(l.disk.Content(dir + "/" + torn.SavedAs))); got != torn.Bytes {
			l.t.Fatalf("seed %d: %d bytes were cut, %d kept", l.seed, torn.Bytes, got)
		}
	}
}

func newLife(t *testing.T, seed uint64) *life {
	return &life{t: t, disk: disktest.New(seed), chance: rand.New(rand.NewPCG(seed, 2)), seed: seed}
}

func TestFault77KilledAtEveryCallKeepsEveryAcknowledgedEntry(t *testing.T) {
	whole := newLife(t, 0)
	whole.run(12)
	steps := whole.disk.Steps()
	for step := 1; step <= steps; step++ {
		l := newLife(t, 0)
		l.disk.CutPowerAt(step)
		l.run(12)
		l.disk.Kill()
		l.run(3)
	}
}

func TestFault78PowerCutAtEveryCallLosesOnlyWhatWasNotAcknowledged(t *testing.T) {
	steps := func() int { l := newLife(t, 0); l.run(12); return l.disk.Steps() }()
	cuts := 0
	for seed := range uint64(5) {
		for step := 1; step <= steps; step++ {
			l := newLife(t, seed*1000+uint64(step))
			l.disk.CutPowerAt(step)
			l.run(12)
			l.disk.Crash()
			l.run(3)
			l.disk.Crash()
			l.run(1)
			cuts += l.cuts
		}
	}
	if cuts == 0 {
		t.Error("no torn tail was ever cut: the test saw nothing")
	}
}

func TestFault78PowerCutsOverManyLives(t *testing.T) {
	cuts := 0
	for seed := range uint64(200) {
		l := newLife(t, seed)
		for range 8 {
			l.disk.CutPowerAt(l.disk.Steps() + 1 + l.chance.IntN(40))
			l.run(8)
			if l.chance.IntN(4) == 0 {
				l.disk.Kill()
			} else {
				l.disk.Crash()
			}
		}
		l.run(1)
		cuts += l.cuts
	}
	if cuts == 0 {
		t.Error("no torn tail was ever cut: the test saw nothing")
	}
	t.Logf("%d torn tails cut", cuts)
}

// The negative control: on a disk that lies about syncing, the same test must see loss.
func TestFault78ALyingDiskIsSeenToLoseEntries(t *testing.T) {
	lost, damaged := 0, 0
	for seed := range uint64(60) {
		d := disktest.New(seed)
		fill(t, mustOpen(t, d), 10)
		d.LieAboutSync()
		d.Kill()
		fill(t, mustOpen(t, d), 40)
		d.Crash()
		j, err := Open(dir, simulated(d))
		if errors.Is(err, ErrDamaged) {
			damaged++
			continue
		}
		if err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		if checkPrefix(t, j) < 40 {
			lost++
		}
	}
	if lost+damaged < 30 {
		t.Errorf("of 60 power cuts without syncs, %d lost entries and %d were refused", lost, damaged)
	}
}

func TestFault80FailedSyncStopsAllAppends(t *testing.T) {
	// In short segments the sync that fails is that of a new segment, in long ones that of the group.
	for _, segmentBytes := range []int64{8 << 10, 64 << 10} {
		for seed := range uint64(40) {
			failSync(t, seed, segmentBytes)
		}
	}
}

func failSync(t *testing.T, seed uint64, segmentBytes int64) {
	t.Helper()
	d := disktest.New(seed)
	opt := Options{FS: d, SegmentBytes: segmentBytes}
	j, err := Open(dir, opt)
	if err != nil {
		t.Fatal(err)
	}
	fill(t, j, 10)
	d.FailSync(0)
	if _, err := j.Append(group(11, 3)); !errors.Is(err, ErrFailed) || !errors.Is(err, syscall.EIO) {
		t.Fatalf("seed %d: got %v, want ErrFailed and EIO", seed, err)
	}
	if _, err := j.Append(group(11, 1)); !errors.Is(err, ErrFailed) {
		t.Fatalf("seed %d: appending after a failed sync: %v", seed, err)
	}
	if head := checkPrefix(t, j); head != 10 {
		t.Fatalf("seed %d: a read sees %d entries, 10 are durable", seed, head)
	}
	d.Kill()
	// The cache still shows the group as if it were on the disk; the next opening must not believe it.
	head := checkPrefix(t, mustOpen(t, d))
	d.Crash()
	if again := checkPrefix(t, mustOpen(t, d)); head < 10 || again < head {
		t.Fatalf("seed %d: 10 entries were durable, %d shown after opening, %d after a power cut", seed, head, again)
	}
}

func TestFault80FailedWriteStopsAllAppends(t *testing.T) {
	for seed := range uint64(40) {
		d := disktest.New(seed)
		j := mustOpen(t, d)
		fill(t, j, 10)
		d.FailWrite(0)
		if _, err := j.Append(group(11, 3)); !errors.Is(err, ErrFailed) {
			t.Fatalf("seed %d: got %v, want ErrFailed", seed, err)
		}
		if _, err := j.Append(group(11, 1)); !errors.Is(err, ErrFailed) {
			t.Fatalf("seed %d: appending after a failed write: %v", seed, err)
		}
		d.Kill()
		if head := checkPrefix(t, mustOpen(t, d)); head < 10 {
			t.Fatalf("seed %d: %d of 10 entries are there", seed, head)
		}
	}
}

func TestFault81FullDiskRefusesBeforeWritingAndRecovers(t *testing.T) {
	d := disktest.New(1)
	opt := simulated(d)
	opt.MinFreeBytes = 4000
	j, err := Open(dir, opt)
	if err != nil {
		t.Fatal(err)
	}
	fill(t, j, 10)
	before := d.Content(dir + "/" + segmentName(1))
	used := used(d)
	d.SetCapacity(used + 4500)
	if _, err := j.Append([][]byte{make([]byte, 1000)}); !errors.Is(err, ErrFull) || errors.Is(err, ErrFailed) {
		t.Fatalf("got %v, want ErrFull", err)
	}
	if string(d.Content(dir+"/"+segmentName(1))) != string(before) {
		t.Error("something was written")
	}
	checkPrefix(t, j)
	d.SetCapacity(used + 50000)
	fill(t, j, 14)
	checkPrefix(t, j)
}

// The guard can be late (a quota, another writer): then the write itself says that there is no room.
func TestFault81FullDuringTheWriteTakesTheGroupBack(t *testing.T) {
	for room := int64(0); room < 3000; room += 97 {
		d := disktest.New(uint64(room))
		late := &lateGuard{Disk: d}
		opt := simulated(d)
		opt.FS = late
		j, err := Open(dir, opt)
		if err != nil {
			t.Fatal(err)
		}
		fill(t, j, 10)
		d.SetCapacity(used(d) + room)
		for err == nil {
			head, _ := j.Head()
			_, err = j.Append(group(int(head)+1, 3))
		}
		if !errors.Is(err, ErrFull) || errors.Is(err, ErrFailed) {
			t.Fatalf("room for %d bytes: got %v, want ErrFull", room, err)
		}
		head := checkPrefix(t, j)
		d.SetCapacity(1 << 30)
		fill(t, j, int(head)+20)
		d.Crash()
		if got := checkPrefix(t, mustOpen(t, d)); got != head+20 {
			t.Fatalf("room for %d bytes: %d entries came back of %d", room, got, head+20)
		}
	}
}

// What the disk had no room for must not mix with the next group, if the power goes while that is written.
func TestFault81PowerCutAfterAGroupWasTakenBack(t *testing.T) {
	for seed := range uint64(400) {
		d := disktest.New(seed)
		opt := simulated(d)
		opt.FS = &lateGuard{Disk: d}
		j, err := Open(dir, opt)
		if err != nil {
			t.Fatal(err)
		}
		fill(t, j, 10)
		d.SetCapacity(used(d) + 4000)
		if _, err := j.Append(group(500, 10)); !errors.Is(err, ErrFull) {
			t.Fatalf("seed %d: got %v, want ErrFull", seed, err)
		}
		d.SetCapacity(1 << 30)
		d.CutPowerAt(d.Steps() + 2)
		if _, err := j.Append(group(11, 5)); !errors.Is(err, disktest.ErrPower) {
			t.Fatalf("seed %d: got %v, want a power cut", seed, err)
		}
		d.Crash()
		j, err = Open(dir, simulated(d))
		if err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		if head := checkPrefix(t, j); head < 10 {
			t.Fatalf("seed %d: %d of 10 entries are there", seed, head)
		}
	}
}

// lateGuard is a disk whose free space is not what it says.
type lateGuard struct{ *disktest.Disk }

func (lateGuard) FreeBytes(string) (int64, error) { return 1 << 40, nil }

func used(d *disktest.Disk) int64 {
	total := int64(0)
	for _, path := range d.Paths() {
		total += int64(len(d.Content(path)))
	}
	return total
}

func TestFault82ReadOnlyDiskNeverAcknowledges(t *testing.T) {
	d := disktest.New(1)
	j := mustOpen(t, d)
	fill(t, j, 10)
	d.FailWrite(0)
	_, err := j.Append(group(11, 1))
	if head, _ := j.Head(); err == nil || head != 10 {
		t.Errorf("got head %d, %v, want an error and head 10", head, err)
	}
	checkPrefix(t, j)
}

func TestFault83SecondOpenerIsRefused(t *testing.T) {
	root := t.TempDir()
	j, err := Open(root, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Open(root, Options{}); !errors.Is(err, ErrLocked) {
		t.Errorf("second opener: got %v, want ErrLocked", err)
	}
	if _, err := Verify(root, nil); err != nil {
		t.Errorf("verifying beside a running server: %v", err)
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(root, Options{}); err != nil {
		t.Errorf("opening after the first closed: %v", err)
	}
}
