package journal

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"doorstep/server/internal/disk/disktest"
)

func quick(d *disktest.Disk) Options {
	opt := simulated(d)
	opt.Quick = true
	return opt
}

// quickSample is a closed journal of several segments, all but the last with an index.
func quickSample(t *testing.T) (*disktest.Disk, Position) {
	t.Helper()
	d := disktest.New(1)
	j, err := Open(dir, quick(d))
	if err != nil {
		t.Fatal(err)
	}
	fill(t, j, 28)
	head, _ := j.Head()
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	return d, head
}

func indexes(d *disktest.Disk) []string {
	return slices.DeleteFunc(d.Paths(), func(path string) bool { return !strings.Contains(path, indexPrefix) })
}

func TestQuickStartGivesTheSameJournal(t *testing.T) {
	d, head := quickSample(t)
	if len(indexes(d)) < 3 {
		t.Fatalf("only %d indexes in %v", len(indexes(d)), d.Paths())
	}
	j, err := Open(dir, quick(d))
	if err != nil {
		t.Fatal(err)
	}
	if got := checkPrefix(t, j); got != head {
		t.Errorf("%d entries, want %d", got, head)
	}
	for _, name := range j.Segments() {
		if err := j.CheckSegment(name, nil, nil); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := j.CheckSegment("segment-x", nil, nil); !errors.Is(err, ErrNoEntry) {
		t.Errorf("a segment that is not there: %v", err)
	}
}

func TestQuickStartMakesMissingIndexesAnew(t *testing.T) {
	d, head := quickSample(t)
	want := indexes(d)
	bare := map[string][]byte{}
	for _, path := range want {
		bare[path] = nil
	}
	d = restored(d, bare)
	j, err := Open(dir, quick(d))
	if err != nil {
		t.Fatal(err)
	}
	if got := checkPrefix(t, j); got != head || !slices.Equal(indexes(d), want) {
		t.Errorf("%d entries, want %d; indexes %v, want %v", got, head, indexes(d), want)
	}
}

// TestFault79QuickStartReadsRightOrStops flips bits and cuts files. A quick start may open what an ordinary one refuses,
// but then no read is wrong, and the check names the segment.
func TestFault79QuickStartReadsRightOrStops(t *testing.T) {
	from, head := quickSample(t)
	tried := 0
	for _, path := range from.Paths() {
		content := from.Content(path)
		for bit := int64(0); bit < int64(len(content))*8; bit += stride(211) {
			changed := slices.Clone(content)
			changed[bit/8] ^= 1 << (bit % 8)
			quickRightOrStops(t, restored(from, map[string][]byte{path: changed}), head, fmt.Sprintf("%s bit %d", path, bit))
			tried++
		}
		for size := int64(0); size < int64(len(content)); size += stride(97) {
			quickRightOrStops(t, restored(from, map[string][]byte{path: content[:size]}), head, fmt.Sprintf("%s cut to %d", path, size))
			tried++
		}
	}
	if tried < 500 {
		t.Errorf("only %d cases", tried)
	}
}

func quickRightOrStops(t *testing.T, d *disktest.Disk, head Position, what string) {
	t.Helper()
	j, err := Open(dir, quick(d))
	if err != nil {
		if !errors.Is(err, ErrDamaged) {
			t.Fatalf("%s: %v, want damage with a name", what, err)
		}
		return
	}
	defer j.Close()
	if got, _ := j.Head(); got != head {
		t.Fatalf("%s: opened with %d entries of %d", what, got, head)
	}
	wrong := 0
	for p := Position(1); p <= head; p++ {
		payload, err := j.Read(p)
		switch {
		case errors.Is(err, ErrDamaged):
			wrong++
		case err != nil || string(payload) != string(words(int(p))):
			t.Fatalf("%s: entry %d reads as %d bytes, %v", what, p, len(payload), err)
		}
	}
	var found error
	for _, name := range j.Segments() {
		found = errors.Join(found, j.CheckSegment(name, nil, nil))
	}
	if wrong > 0 && !errors.Is(found, ErrDamaged) {
		t.Fatalf("%s: %d reads fail, and the check finds nothing", what, wrong)
	}
}
