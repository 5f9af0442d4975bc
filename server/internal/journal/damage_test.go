package journal

import (
	"errors"
	"flag"
	"fmt"
	"strings"
	"testing"

	"doorstep/server/internal/disk/disktest"
)

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
	for bit := int64(0); bit < int64(len(content))*8; bit += stride(61) {
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
		for n := int64(0); n < int64(len(content)); n += stride(7) {
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
	for n := int64(512); n < int64(len(content)); n += stride(7) {
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

func TestFault79DamageAfterOpeningIsSeenByTheRead(t *testing.T) {
	d := sample(t)
	j := mustOpen(t, d)
	path := dir + "/" + segmentName(1)
	healthy := d.Content(path)
	for bit := int64(512 * 8); bit < int64(len(healthy))*8; bit += stride(37) {
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
	other := twin(t)
	cases := map[string]map[string][]byte{
		"two swapped":          {segments[0]: from.Content(segments[1]), segments[1]: from.Content(segments[0])},
		"one doubled":          {segments[1]: from.Content(segments[0])},
		"first of another":     {segments[0]: other.Content(segments[0])},
		"middle of another":    {segments[1]: other.Content(segments[1])},
		"last of another":      {segments[2]: other.Content(segments[2])},
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

// The start of an epoch is a witness too: what was there when it began must be there.
func TestFault79EpochsVouchForTheEntriesBeforeThem(t *testing.T) {
	d := disktest.New(1)
	j := mustOpen(t, d)
	fill(t, j, 2)
	whole := d.Content(dir + "/" + segmentName(1))
	fill(t, j, 5)
	if err := errors.Join(j.BeginEpoch(WhyRestored, "restored"), j.Close()); err != nil {
		t.Fatal(err)
	}
	cut := map[string][]byte{dir + "/" + segmentName(1): whole, dir + "/" + markName: nil}
	if readsRightOrStops(t, restored(d, cut), 5, "cut to two entries") {
		t.Error("opened without entries that were there when the epoch began")
	}
}

// twin is a journal like sample, entry for entry of the same length, with other words.
func twin(t *testing.T) *disktest.Disk {
	t.Helper()
	d := disktest.New(2)
	j := mustOpen(t, d)
	for next, size := 1, 1; next <= 28; size++ {
		payloads := group(next, min(size, 28-next+1))
		for _, payload := range payloads {
			payload[0] ^= 1
		}
		if _, err := j.Append(payloads); err != nil {
			t.Fatal(err)
		}
		next += len(payloads)
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	return d
}

func gone(paths []string) map[string][]byte {
	changed := map[string][]byte{}
	for _, path := range paths {
		changed[path] = nil
	}
	return changed
}

func TestVerifyNamesEveryDamagedSegmentAndChangesNothing(t *testing.T) {
	d := sample(t)
	d.FlipBit(dir+"/"+segmentName(1), 5000)
	var last string
	for _, path := range d.Paths() {
		if strings.Contains(path, segmentPrefix) {
			last = path
		}
	}
	d.FlipBit(last, 5000)
	before := restored(d, nil)
	var lines []string
	_, err := verifyOn(d, dir, func(line string) { lines = append(lines, line) })
	if !errors.Is(err, ErrDamaged) {
		t.Fatalf("got %v, want ErrDamaged", err)
	}
	report := strings.Join(lines, "\n")
	for _, path := range []string{dir + "/" + segmentName(1), last} {
		name := strings.TrimPrefix(path, dir+"/")
		if !strings.Contains(report, name+" is damaged") || !strings.Contains(err.Error(), name) {
			t.Errorf("%s is not named in:\n%s\n%v", name, report, err)
		}
	}
	if !strings.Contains(report, "sound") {
		t.Errorf("no segment is called sound:\n%s", report)
	}
	if !disktest.Same(before, d) {
		t.Error("verifying changed the disk")
	}
}

func TestVerifyCountsATornTailAndLeavesIt(t *testing.T) {
	d := disktest.New(1)
	j := mustOpen(t, d)
	fill(t, j, 3)
	path := dir + "/" + segmentName(1)
	d.SetContent(path, append(d.Content(path), "DsG1 and no more"...))
	before := restored(d, nil)
	s, err := verifyOn(d, dir, nil)
	if err != nil || s.TornBytes != 16 || s.Head != 3 {
		t.Errorf("got %+v, %v, want 3 entries and 16 torn bytes", s, err)
	}
	if !disktest.Same(before, d) {
		t.Error("verifying changed the disk")
	}
}

func FuzzEpochs(f *testing.F) {
	f.Add(formatEpochs([]EpochStart{{Epoch: Epoch{1}, From: 3, Why: WhyTorn, Reason: "a \"reason\"\n"}, {Epoch: Epoch{2}, Why: WhyOlder}}))
	f.Fuzz(func(t *testing.T, b []byte) {
		epochs, ok := parseEpochs(b)
		if ok && string(formatEpochs(epochs)) != string(b) {
			t.Fatalf("accepted %q", b)
		}
	})
}
