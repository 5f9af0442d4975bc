package journal

import (
	"crypto/sha256"
	"errors"
	"flag"
	"fmt"
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
	epoch Epoch
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
	torn, cut := j.Torn()
	if cut {
		l.cuts++
		if j.Epoch() == l.epoch {
			l.t.Fatalf("seed %d: a tail was cut and the epoch stayed", l.seed)
		}
		if got := int64(len(l.disk.Content(dir + "/" + torn.SavedAs))); got != torn.Bytes {
			l.t.Fatalf("seed %d: %d bytes were cut, %d kept", l.seed, torn.Bytes, got)
		}
	}
	l.epoch = j.Epoch()
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
	for seed := range uint64(8) {
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
	for seed := range uint64(300) {
		l := newLife(t, seed)
		for range 12 {
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

// sample is a closed journal of several segments and about 20 KB.
func sample(t *testing.T) *disktest.Disk {
	t.Helper()
	d := disktest.New(1)
	j := mustOpen(t, d)
	fill(t, j, 28)
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	return d
}

// restored is a disk with the files of another, some of them replaced or, by nil, missing.
func restored(from *disktest.Disk, changed map[string][]byte) *disktest.Disk {
	d := disktest.New(1)
	for _, path := range from.Paths() {
		content, replaced := changed[path]
		if !replaced {
			content = from.Content(path)
		}
		if content != nil {
			d.SetContent(path, content)
		}
	}
	return d
}

// readsRightOrStops opens a journal whose bytes were changed. Either it opens with every entry right and all of them
// there, or it names what is damaged. It answers whether it opened.
func readsRightOrStops(t *testing.T, d *disktest.Disk, want Position, what string) bool {
	t.Helper()
	j, err := Open(dir, simulated(d))
	var damage *DamagedError
	if err != nil {
		if !errors.As(err, &damage) || damage.File == "" {
			t.Fatalf("%s: %v, want a DamagedError with a name", what, err)
		}
		return false
	}
	if head := checkPrefix(t, j); head != want {
		t.Fatalf("%s: opened with %d entries of %d", what, head, want)
	}
	return true
}

// whole asks for every bit and every length instead of a sample: go test -run Fault79 -whole
var whole = flag.Bool("whole", false, "try every bit flip and every truncation of the sample journal")

// stride is the distance between the bits or lengths that are tried: 1 with -whole, else a prime.
func stride(sampled int64) int64 {
	if *whole {
		return 1
	}
	return sampled
}

func TestFault79EveryBitFlipReadsRightOrStops(t *testing.T) {
	from := sample(t)
	for _, marked := range []bool{true, false} {
		for _, path := range from.Paths() {
			// Only the mark is a second witness that may fall silent; every bit of everything else is vouched for.
			if got := flipsUnnoticed(t, from, path, marked); got != 0 && !strings.HasSuffix(path, markName) {
				t.Errorf("mark %v: %d flips in %s that nobody noticed", marked, got, path)
			}
		}
	}
}

// flipsUnnoticed flips bits of one file and counts how often the journal opened all the same.
func flipsUnnoticed(t *testing.T, from *disktest.Disk, path string, marked bool) (opened int) {
	t.Helper()
	content := from.Content(path)
	for bit := int64(0); bit < int64(len(content))*8; bit += stride(29) {
		content[bit/8] ^= 1 << (bit % 8)
		edits := map[string][]byte{path: content}
		if !marked {
			edits[dir+"/"+markName] = nil
		}
		if readsRightOrStops(t, restored(from, edits), 28, fmt.Sprintf("bit %d of %s, mark %v", bit, path, marked)) {
			opened++
		}
		content[bit/8] ^= 1 << (bit % 8)
	}
	return opened
}

func TestFault79EveryTruncationStopsWhenTheMarkIsThere(t *testing.T) {
	from := sample(t)
	for _, path := range from.Paths() {
		if strings.HasSuffix(path, markName) || strings.HasSuffix(path, lockName) {
			continue
		}
		content := from.Content(path)
		for n := int64(0); n < int64(len(content)); n += stride(5) {
			d := restored(from, map[string][]byte{path: content[:n]})
			if readsRightOrStops(t, d, 28, fmt.Sprintf("%s cut to %d bytes", path, n)) {
				t.Fatalf("%s cut to %d bytes: opened as if nothing was missing", path, n)
			}
		}
		if readsRightOrStops(t, restored(from, map[string][]byte{path: nil}), 28, "without "+path) {
			t.Fatalf("opened without %s", path)
		}
	}
}

// Without the mark, as after a power cut that lost it, a last segment cut short is a torn tail: whole groups stay,
// nothing wrong is read, and the epoch changes wherever something was cut.
func TestFault79TruncationWithoutTheMarkKeepsWholeGroups(t *testing.T) {
	from := sample(t)
	path := ""
	for _, name := range from.Paths() {
		if strings.Contains(name, segmentPrefix) {
			path = name
		}
	}
	content := from.Content(path)
	for n := int64(512); n < int64(len(content)); n += stride(5) {
		d := restored(from, map[string][]byte{path: content[:n], dir + "/" + markName: nil})
		j, err := Open(dir, simulated(d))
		if err != nil {
			t.Fatalf("cut to %d bytes: %v", n, err)
		}
		checkPrefix(t, j)
		torn, cut := j.Torn()
		if cut != (len(j.Epochs()) == 2) {
			t.Fatalf("cut to %d bytes: torn %v, epochs %v", n, cut, j.Epochs())
		}
		if cut && string(d.Content(dir+"/"+torn.SavedAs)) != string(content[torn.Offset:n]) {
			t.Fatalf("cut to %d bytes: the copy of the tail is not the tail", n)
		}
	}
}

func TestFault79LargeJournalSampled(t *testing.T) {
	d := disktest.New(1)
	opt := Options{FS: d, SegmentBytes: 256 << 10}
	j, err := Open(dir, opt)
	if err != nil {
		t.Fatal(err)
	}
	fill(t, j, 1600)
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	head, _ := j.Head()
	paths := d.Paths()
	for seed := range uint64(150) {
		chance := rand.New(rand.NewPCG(seed, 3))
		path := paths[chance.IntN(len(paths))]
		content := d.Content(path)
		if len(content) == 0 || strings.HasSuffix(path, markName) {
			continue
		}
		what := fmt.Sprintf("seed %d: %s", seed, path)
		if chance.IntN(2) == 0 {
			content = content[:chance.IntN(len(content))]
		} else {
			content[chance.IntN(len(content))] ^= 1 << chance.IntN(8)
		}
		if readsRightOrStops(t, restored(d, map[string][]byte{path: content}), head, what) {
			t.Fatalf("%s: damage that nobody noticed", what)
		}
	}
}

func TestFault79DamageAfterOpeningIsSeenByTheRead(t *testing.T) {
	d := sample(t)
	j := mustOpen(t, d)
	path := dir + "/" + segmentName(1)
	healthy := d.Content(path)
	for bit := int64(512 * 8); bit < int64(len(healthy))*8; bit += stride(17) {
		d.FlipBit(path, bit)
		for p := Position(1); p <= 4; p++ {
			got, err := j.Read(p)
			if err != nil && !errors.Is(err, ErrDamaged) {
				t.Fatalf("bit %d: reading %d: %v", bit, p, err)
			}
			if err == nil && string(got) != string(words(int(p))) {
				t.Fatalf("bit %d: entry %d came back wrong", bit, p)
			}
			digest, err := j.DigestAt(p)
			if err == nil && digest != chainTo(p) {
				t.Fatalf("bit %d: the digest at %d came back wrong", bit, p)
			}
		}
		d.FlipBit(path, bit)
	}
}

func chainTo(p Position) (d Digest) {
	for i := Position(1); i <= p; i++ {
		d = d.Next(sum(words(int(i))))
	}
	return d
}

func TestFault79SegmentsMixedUpAreRefused(t *testing.T) {
	from := sample(t)
	var segments []string
	for _, path := range from.Paths() {
		if strings.Contains(path, segmentPrefix) {
			segments = append(segments, path)
		}
	}
	other := disktest.New(2)
	j := mustOpen(t, other)
	for range 8 {
		if _, err := j.Append([][]byte{make([]byte, 3000)}); err != nil {
			t.Fatal(err)
		}
	}
	cases := map[string]map[string][]byte{
		"two swapped":          {segments[0]: from.Content(segments[1]), segments[1]: from.Content(segments[0])},
		"one doubled":          {segments[1]: from.Content(segments[0])},
		"of another journal":   {segments[0]: other.Content(segments[0])},
		"epochs of another":    {dir + "/" + epochName: other.Content(dir + "/" + epochName)},
		"mark of another":      {dir + "/" + markName: other.Content(dir + "/" + markName)},
		"the middle one gone":  {segments[1]: nil},
		"segments gone":        gone(segments),
		"all but the mark":     gone(append(segments, dir+"/"+epochName)),
		"last and mark rotten": {segments[len(segments)-1]: make([]byte, 5000)},
	}
	for name, changed := range cases {
		if readsRightOrStops(t, restored(from, changed), 28, name) {
			t.Errorf("%s: opened as if nothing was wrong", name)
		}
	}
}

func gone(paths []string) map[string][]byte {
	changed := map[string][]byte{}
	for _, path := range paths {
		changed[path] = nil
	}
	return changed
}

func TestFault80FailedSyncStopsAllAppends(t *testing.T) {
	for seed := range uint64(40) {
		d := disktest.New(seed)
		j := mustOpen(t, d)
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
		j = mustOpen(t, d)
		head := checkPrefix(t, j)
		d.Crash()
		if again := checkPrefix(t, mustOpen(t, d)); head < 10 || again < head {
			t.Fatalf("seed %d: %d entries were durable, %d shown after opening, %d after a power cut", seed, 10, head, again)
		}
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
