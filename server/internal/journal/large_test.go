package journal

import (
	"flag"
	"fmt"
	"strings"
	"testing"
	"time"

	"doorstep/server/internal/disk/disktest"
)

var (
	largeFor  = flag.Duration("large", 0, "damage a 1 MB journal in every way for so long, instead of a few hundred")
	largeFrom = flag.Int64("large.from", 0, "the way of damaging it that comes first: where an earlier run stopped")
)

// damages are all the ways of damaging a closed journal by one bit or one cut: each
// bit flipped, each length short of the whole. They come in an order that jumps
// about, so that a run that stops early has been everywhere.
type damages struct {
	from  *disktest.Disk
	paths []string
	total int64
}

func damagesOf(from *disktest.Disk) damages {
	d := damages{from: from}
	for _, path := range from.Paths() {
		// A rotten mark and an empty lock are no loss; other tests say what becomes of them.
		if strings.HasSuffix(path, markName) || strings.HasSuffix(path, lockName) {
			continue
		}
		d.paths = append(d.paths, path)
		d.total += 9 * int64(len(from.Content(path)))
	}
	return d
}

// nth does the n-th damage, for n from 0 to total-1, and says what it was.
func (d damages) nth(n int64) (damaged *disktest.Disk, what string) {
	const jump = 1_000_003 // a prime that does not divide the total
	at := n * jump % d.total
	for _, path := range d.paths {
		content := d.from.Content(path)
		size := int64(len(content))
		if at >= 9*size {
			at -= 9 * size
			continue
		}
		if at < 8*size {
			content[at/8] ^= 1 << (at % 8)
			what = fmt.Sprintf("bit %d of %s", at, path)
		} else {
			content = content[:at-8*size]
			what = fmt.Sprintf("%s cut to %d bytes", path, len(content))
		}
		return restored(d.from, map[string][]byte{path: content}), what
	}
	panic("bug: a damage beyond the last file")
}

// TestFault79LargeJournalDamagedIsNamed damages a journal of 1 MB by one bit or one
// cut at a time; each must be noticed when it is opened, by a stop that names the file.
func TestFault79LargeJournalDamagedIsNamed(t *testing.T) {
	disk := disktest.New(1)
	j, err := Open(dir, Options{FS: disk, SegmentBytes: 256 << 10})
	if err != nil {
		t.Fatal(err)
	}
	fill(t, j, 1600)
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	head, _ := j.Head()
	all, began := damagesOf(disk), time.Now()
	last := *largeFrom + 300
	if *largeFor > 0 {
		last = all.total
	}
	n := *largeFrom
	for ; n < min(last, all.total) && (*largeFor == 0 || time.Since(began) < *largeFor); n++ {
		damaged, what := all.nth(n)
		if readsRightOrStops(t, damaged, head, what) {
			t.Fatalf("%s: damage that nobody noticed", what)
		}
	}
	t.Logf("damages %d to %d of %d tried, all noticed", *largeFrom, n-1, all.total)
}
