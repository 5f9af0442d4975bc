package chain

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"doorstep/server/internal/disk/disktest"
)

const path = "/c/file"

// whole asks for every bit instead of a sample: go test ./server/internal/chain -whole
var whole = flag.Bool("whole", false, "try every bit flip of the sample files")

// stride is the distance between the bits that are tried: 1 with -whole, else a prime.
func stride(sampled int) int {
	if *whole {
		return 1
	}
	return sampled
}

func options() Options { return Options{Kind: [8]byte([]byte("chaintst"))} }

func newDisk(t testing.TB) *disktest.Disk {
	t.Helper()
	d := disktest.New(1)
	if err := d.MkdirAll("/c"); err != nil {
		t.Fatal(err)
	}
	return d
}

// random payloads, of sizes in bytes
func payloads(seed uint64, sizes ...int) [][]byte {
	chance := rand.NewChaCha8([32]byte{byte(seed), byte(seed >> 8)})
	out := make([][]byte, len(sizes))
	for i, size := range sizes {
		out[i] = make([]byte, size)
		chance.Read(out[i])
	}
	return out
}

// written is the content of a file with these groups.
func written(t testing.TB, groups ...[][]byte) []byte {
	t.Helper()
	d := newDisk(t)
	f, err := Create(d, path, Header{First: 1}, options())
	if err != nil {
		t.Fatal(err)
	}
	for _, group := range groups {
		if _, err := f.Append(group); err != nil {
			t.Fatal(err)
		}
	}
	return d.Content(path)
}

func opened(t testing.TB, content []byte) (*File, Tail, error) {
	t.Helper()
	d := newDisk(t)
	d.SetContent(path, content)
	return Open(d, path, options())
}

// Two groups: the first small, the second over many sectors.
func twoGroups(t testing.TB) (content []byte, second int) {
	t.Helper()
	first := payloads(1, 300, 200)
	content = written(t, first, payloads(2, 900, 5000, 700))
	return content, len(written(t, first))
}

// zeroed is content without the sectors of the second group that lost names: as if they had never been written.
func zeroed(content []byte, from int, lost func(sector int) bool) []byte {
	out := bytes.Clone(content)
	n := 0
	for a, b := range sectors(int64(from), int64(len(out))) {
		if lost(n) {
			clear(out[a:b])
		}
		n++
	}
	return out
}

func TestWrittenGroupsOpenSound(t *testing.T) {
	content, _ := twoGroups(t)
	f, tail, err := opened(t, content)
	if err != nil || tail.Bytes != 0 {
		t.Fatalf("got tail %+v, %v", tail, err)
	}
	if head, _ := f.Head(); head != 5 || f.Size() != int64(len(content)) {
		t.Errorf("got head %d and size %d, want 5 and %d", head, f.Size(), len(content))
	}
}

// Rule 3: every way in which sectors of the last group can be missing is torn, wherever the group begins in its sector.
func TestEverySubsetOfMissingSectorsIsTorn(t *testing.T) {
	for lead := 100; lead < 700; lead += 61 {
		first := payloads(1, lead)
		content := written(t, first, payloads(2, 900, 1200))
		second := len(written(t, first))
		count := 0
		for range sectors(int64(second), int64(len(content))) {
			count++
		}
		for subset := 1; subset < 1<<count; subset++ {
			damaged := zeroed(content, second, func(n int) bool { return subset>>n&1 == 1 })
			f, tail, err := opened(t, damaged)
			if err != nil || !tail.Torn || tail.Offset != int64(second) {
				t.Fatalf("lead %d, sectors %b missing: got %+v, %v, want torn at %d", lead, subset, tail, err, second)
			}
			if head, _ := f.Head(); head != 1 {
				t.Fatalf("lead %d, sectors %b missing: head %d", lead, subset, head)
			}
		}
	}
}

// Rule 3, the other side: one wrong bit in a sector that was written is rot, whatever else is missing.
func TestAWrongBitBesideMissingSectorsIsRot(t *testing.T) {
	content, second := twoGroups(t)
	at := layoutAt(int64(second), int64(le.Uint32(content[second+16:])))
	damaged := zeroed(content, second, func(n int) bool { return n == 8 })
	for i := at.entries; i < at.entries+1000; i++ {
		damaged[i] ^= 4
		if _, tail, err := opened(t, damaged); err != nil || tail.Torn || tail.Bytes == 0 {
			t.Fatalf("byte %d: got %+v, %v, want damage", i, tail, err)
		}
		damaged[i] ^= 4
	}
}

func TestEveryBitFlipIsDamageNeverTorn(t *testing.T) {
	content, _ := twoGroups(t)
	for bit := headerBytes * 8; bit < len(content)*8; bit += stride(13) {
		content[bit/8] ^= 1 << (bit % 8)
		_, tail, err := opened(t, content)
		if err != nil || tail.Bytes == 0 || tail.Torn {
			t.Fatalf("bit %d: got %+v, %v, want damage", bit, tail, err)
		}
		content[bit/8] ^= 1 << (bit % 8)
	}
	for bit := range headerBytes * 8 {
		content[bit/8] ^= 1 << (bit % 8)
		if _, _, err := opened(t, content); !errors.Is(err, ErrDamaged) {
			t.Fatalf("bit %d of the header: %v", bit, err)
		}
		content[bit/8] ^= 1 << (bit % 8)
	}
}

// Rule 1: what looks torn in the middle is rot, because a later group was written after it.
func TestMissingSectorsBeforeALaterGroupAreRot(t *testing.T) {
	first := payloads(1, 300)
	content := written(t, first, payloads(2, 3000), payloads(3, 100))
	from, to := len(written(t, first)), len(written(t, first, payloads(2, 3000)))
	for n := range 7 {
		damaged := append(zeroed(content[:to], from, func(s int) bool { return s == n }), content[to:]...)
		_, tail, err := opened(t, damaged)
		if err != nil || tail.Torn || !strings.Contains(tail.Reason, "later group") {
			t.Fatalf("sector %d missing: got %+v, %v, want damage before a later group", n, tail, err)
		}
	}
}

// Rule 2.
func TestAFileCutAnywhereInTheLastGroupIsTorn(t *testing.T) {
	content, second := twoGroups(t)
	for n := second + 1; n < len(content); n++ {
		_, tail, err := opened(t, content[:n])
		if err != nil || !tail.Torn || tail.Bytes != int64(n-second) {
			t.Fatalf("cut to %d: got %+v, %v, want torn", n, tail, err)
		}
	}
}

// Rule 4.
func TestZerosBehindTheLastGroupAreTorn(t *testing.T) {
	content, _ := twoGroups(t)
	for _, n := range []int{1, 63, 64, 511, 5000} {
		_, tail, err := opened(t, append(bytes.Clone(content), make([]byte, n)...))
		if err != nil || !tail.Torn {
			t.Errorf("%d zeros: got %+v, %v, want torn", n, tail, err)
		}
	}
	_, tail, err := opened(t, append(bytes.Clone(content), bytes.Repeat([]byte("junk"), 50)...))
	if err != nil || tail.Torn {
		t.Errorf("junk: got %+v, %v, want damage", tail, err)
	}
}

// A payload may be all zeros: that it is there must not look as if it was never written.
func TestZeroPayloadsAreNotMistakenForMissingSectors(t *testing.T) {
	first := payloads(1, 100)
	content := written(t, first, [][]byte{make([]byte, 4000), {1, 2, 3}})
	if _, tail, err := opened(t, content); err != nil || tail.Bytes != 0 {
		t.Fatalf("got %+v, %v, want sound", tail, err)
	}
	for bit := len(written(t, first)) * 8; bit < len(content)*8; bit += stride(13) {
		content[bit/8] ^= 1 << (bit % 8)
		if _, tail, err := opened(t, content); err != nil || tail.Bytes == 0 || tail.Torn {
			t.Fatalf("bit %d: got %+v, %v, want damage", bit, tail, err)
		}
		content[bit/8] ^= 1 << (bit % 8)
	}
}

func TestGroupOfAnotherChainIsDamage(t *testing.T) {
	first := payloads(1, 300)
	other := written(t, payloads(9, 300), payloads(2, 600))
	second := len(written(t, first))
	_, tail, err := opened(t, append(written(t, first), other[second:]...))
	if err != nil || tail.Torn || tail.Bytes == 0 {
		t.Errorf("got %+v, %v, want damage", tail, err)
	}
}

func TestVisitSeesEveryEntryOfWholeGroupsOnly(t *testing.T) {
	content, second := twoGroups(t)
	want := append(payloads(1, 300, 200), payloads(2, 900, 5000, 700)...)
	for _, c := range []struct{ bytes, entries int }{{len(content), 5}, {len(content) - 1, 2}, {second, 2}} {
		d := newDisk(t)
		d.SetContent(path, content[:c.bytes])
		opt, seen := options(), 0
		opt.Visit = func(p Position, payload []byte) error {
			if !bytes.Equal(payload, want[p-1]) || int(p) != seen+1 {
				return fmt.Errorf("entry %d came as %d", seen+1, p)
			}
			seen++
			return nil
		}
		if _, _, err := Open(d, path, opt); err != nil || seen != c.entries {
			t.Errorf("%d bytes: saw %d entries, %v, want %d", c.bytes, seen, err, c.entries)
		}
	}
}

func TestMarkComesBackOrIsNotBelieved(t *testing.T) {
	d := newDisk(t)
	want := Mark{Of: [16]byte{1}, Head: 77, Digest: Digest{9}}
	f, err := CreateMark(d, path, Mark{})
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(f.Set(want), f.Sync(), f.Close()); err != nil {
		t.Fatal(err)
	}
	if got, ok, err := ReadMark(d, path); got != want || !ok || err != nil {
		t.Errorf("got %+v, %v, %v", got, ok, err)
	}
	for bit := range int64(markBytes * 8) {
		d.FlipBit(path, bit)
		if _, ok, err := ReadMark(d, path); ok || err != nil {
			t.Errorf("bit %d: believed %v, %v", bit, ok, err)
		}
		d.FlipBit(path, bit)
	}
	if _, ok, err := ReadMark(d, "/c/none"); ok || err != nil {
		t.Errorf("a missing mark: %v, %v", ok, err)
	}
}

// A disk may answer with the right bytes of another place.
func TestReadRefusesAnotherEntry(t *testing.T) {
	d := newDisk(t)
	d.SetContent(path, written(t, payloads(1, 300, 300)))
	f, _, err := Open(d, path, options())
	if err != nil {
		t.Fatal(err)
	}
	content := d.Content(path)
	copy(content[f.slots[0].offset:], content[f.slots[1].offset:][:entryHeadBytes+300])
	d.SetContent(path, content)
	if _, err := f.Read(1); !errors.Is(err, ErrDamaged) {
		t.Errorf("got %v, want ErrDamaged", err)
	}
	if _, err := f.Read(2); err != nil {
		t.Errorf("the entry in its own place: %v", err)
	}
}

func TestNothingIsWrittenAfterAFailure(t *testing.T) {
	for name, fail := range map[string]func(*disktest.Disk){
		"sync":  func(d *disktest.Disk) { d.FailSync(0) },
		"write": func(d *disktest.Disk) { d.FailWrite(0) },
	} {
		d := newDisk(t)
		f, err := Create(d, path, Header{First: 1}, options())
		if err != nil {
			t.Fatal(err)
		}
		fail(d)
		if _, err := f.Append(payloads(1, 100)); !errors.Is(err, ErrFailed) {
			t.Errorf("%s: got %v, want ErrFailed", name, err)
		}
		steps := d.Steps()
		if _, err := f.Append(payloads(1, 100)); !errors.Is(err, ErrFailed) || d.Steps() != steps {
			t.Errorf("%s: a later append: %v, %d steps of the disk", name, err, d.Steps()-steps)
		}
	}
}

func TestFilesLongerThanAnyWrittenAreRefused(t *testing.T) {
	d := newDisk(t)
	f, err := Create(d, path, Header{First: 1}, options())
	if err != nil {
		t.Fatal(err)
	}
	f.end = MaxFileBytes - 64
	if _, err := f.Append(payloads(1, 100)); !errors.Is(err, ErrTooLarge) {
		t.Errorf("got %v, want ErrTooLarge", err)
	}
}

// FuzzOpen feeds arbitrary bytes behind a right header, and arbitrary headers: opening must not panic, must not allocate
// by what they claim, and may accept only bytes that writing would have made.
func FuzzOpen(f *testing.F) {
	content, second := twoGroups(f)
	f.Add(content[headerBytes:], content[:headerBytes])
	f.Add(content[headerBytes:second+80], content[:headerBytes])
	f.Add([]byte(groupMagic), []byte("short"))
	f.Fuzz(func(t *testing.T, groups, header []byte) {
		if _, _, err := opened(t, header); err == nil && len(header) != headerBytes {
			t.Fatal("opened a file without a whole header")
		}
		body := append(bytes.Clone(content[:headerBytes]), groups...)
		file, tail, err := opened(t, body)
		if err != nil {
			t.Fatal(err)
		}
		if tail.Offset != file.Size() || tail.Offset+tail.Bytes != int64(len(body)) {
			t.Fatalf("tail %+v does not follow %d right bytes of %d", tail, file.Size(), len(body))
		}
		checkRewrites(t, file, body)
	})
}

// checkRewrites verifies that writing what a file holds gives the same bytes again.
func checkRewrites(t *testing.T, f *File, body []byte) {
	t.Helper()
	at := int64(headerBytes)
	for at < f.Size() {
		head, ok := parseGroupHead(body[at:])
		if !ok {
			t.Fatalf("accepted a group at %d that has no header", at)
		}
		var group [][]byte
		for p := head.first; p < head.first+Position(head.count); p++ {
			payload, err := f.Read(p)
			if err != nil {
				t.Fatal(err)
			}
			group = append(group, payload)
		}
		end := head.layout(at).end
		if again := buildGroup(nil, at, head, group).bytes; !bytes.Equal(again, body[at:end]) {
			t.Fatalf("the group at %d is not as it would be written", at)
		}
		at = end
	}
}

// FuzzGroupHead checks the parser on its own, past the checksum that keeps random bytes out.
func FuzzGroupHead(f *testing.F) {
	f.Add(uint32(1), uint64(1), uint32(49), uint32(7), []byte("prev"))
	f.Fuzz(func(t *testing.T, count uint32, first uint64, entries, sums uint32, prev []byte) {
		want := groupHead{count: count, first: Position(first), entries: entries, sumsCRC: sums}
		copy(want.prev[:], prev)
		b := make([]byte, groupHeadBytes)
		want.encode(b)
		got, ok := parseGroupHead(b)
		if ok && got != want {
			t.Fatalf("got %+v, want %+v", got, want)
		}
		if ok && (count == 0 || first == 0 || uint64(entries) < uint64(count)*(entryHeadBytes+1)) {
			t.Fatalf("accepted %+v", got)
		}
		body := append(written(t), b...)
		if _, _, err := opened(t, body); err != nil {
			t.Fatal(err)
		}
	})
}
