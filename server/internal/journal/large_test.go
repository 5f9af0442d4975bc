package journal

import (
	"bytes"
	"errors"
	"flag"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"doorstep/server/internal/chain"
	"doorstep/server/internal/disk"
	"doorstep/server/internal/disk/disktest"
)

var (
	largeFor  = flag.Duration("large", 0, "damage a 1 MB journal in every way for so long, instead of a few hundred")
	largeFrom = flag.Int64("large.from", 0, "the way of damaging it that comes first: where an earlier run stopped")
)

// heldWholeEvery is how many damages are judged by their segment alone for each
// that is judged so and by opening the whole journal too.
const heldWholeEvery = 997

// damages are all the ways of damaging a closed journal by one bit or one cut: each
// bit flipped, each length short of the whole. They come in an order that jumps
// about, so that a run that stops early has been everywhere.
type damages struct {
	from     *disktest.Disk
	paths    []string
	contents map[string][]byte
	total    int64
}

func damagesOf(from *disktest.Disk) damages {
	d := damages{from: from, contents: map[string][]byte{}}
	for _, path := range from.Paths() {
		// A rotten mark and an empty lock are no loss; other tests say what becomes of them.
		if strings.HasSuffix(path, markName) || strings.HasSuffix(path, lockName) {
			continue
		}
		d.paths = append(d.paths, path)
		d.contents[path] = from.Content(path)
		d.total += 9 * int64(len(d.contents[path]))
	}
	return d
}

// damage is one of them: a bit flipped, or a cut before a byte.
type damage struct {
	path string
	cut  bool
	at   int64 // bit, or length
}

// nth is the n-th damage, for n from 0 to total-1.
func (d damages) nth(n int64) damage {
	const jump = 1_000_003 // a prime that does not divide the total
	at := n * jump % d.total
	for _, path := range d.paths {
		size := int64(len(d.contents[path]))
		if at < 8*size {
			return damage{path: path, at: at}
		}
		if at < 9*size {
			return damage{path: path, cut: true, at: at - 8*size}
		}
		at -= 9 * size
	}
	panic("bug: a damage beyond the last file")
}

// do calls fn with the damaged content, which is as it was again afterwards.
func (x damage) do(content []byte, fn func([]byte)) {
	if x.cut {
		fn(content[:x.at])
		return
	}
	content[x.at/8] ^= 1 << (x.at % 8)
	fn(content)
	content[x.at/8] ^= 1 << (x.at % 8)
}

// oneFile is a disk with one file.
type oneFile struct {
	disk.FS // nil: nothing else is asked for
	content []byte
}

func (f oneFile) Open(string, disk.Mode) (disk.File, error) {
	return memoryFile{bytes.NewReader(f.content)}, nil
}

type memoryFile struct{ *bytes.Reader }

func (memoryFile) WriteAt([]byte, int64) (int, error) { return 0, ErrReadOnly }
func (memoryFile) Close() error                       { return nil }
func (memoryFile) Sync() error                        { return nil }
func (memoryFile) Truncate(int64) error               { return ErrReadOnly }
func (memoryFile) DropCache() error                   { return nil }
func (f memoryFile) Size() (int64, error)             { return f.Reader.Size(), nil }

// segmentStops opens a segment as opening the journal does, and judges it so. Where
// it says what is damaged, opening the journal stops with that, whatever the other
// files are (openSegments); where it does not, the whole journal must be opened.
func segmentStops(path string, content []byte, last bool) bool {
	seen := inspection{}
	file, tail, err := seen.openSegment(oneFile{content: content}, path, last, chain.Options{Kind: segmentKind()})
	if err == nil {
		err = seen.judge(file, tail, last)
	}
	var damage *DamagedError
	return errors.As(err, &damage) && damage.File == filepath.Base(path)
}

// sweep is a run over damages; workers share it.
type sweep struct {
	t          *testing.T
	all        damages
	head       Position
	last       string // path of the last segment
	next, upTo int64
	until      time.Time

	mu sync.Mutex // guards next

	bits, cuts, bySegment, whole, both atomic.Int64
}

func (s *sweep) take() (int64, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.next >= s.upTo || !s.until.IsZero() && time.Now().After(s.until) {
		return 0, false
	}
	s.next++
	return s.next - 1, true
}

// work takes damages with a copy of the files of its own.
func (s *sweep) work() {
	own := map[string][]byte{}
	for path, content := range s.all.contents {
		own[path] = bytes.Clone(content)
	}
	for !s.t.Failed() {
		n, ok := s.take()
		if !ok {
			return
		}
		x := s.all.nth(n)
		if x.cut {
			s.cuts.Add(1)
		} else {
			s.bits.Add(1)
		}
		x.do(own[x.path], func(content []byte) { s.judge(n, x, content) })
	}
}

func (s *sweep) judge(n int64, x damage, content []byte) {
	stops := !strings.HasSuffix(x.path, epochName) && segmentStops(x.path, content, x.path == s.last)
	if stops {
		s.bySegment.Add(1)
	}
	if stops && n%heldWholeEvery != 0 {
		return
	}
	if stops {
		s.both.Add(1)
	} else {
		s.whole.Add(1)
	}
	changed := map[string][]byte{x.path: bytes.Clone(content)}
	if readsRightOrStops(s.t, restored(s.all.from, changed), s.head, x.path) {
		s.t.Errorf("damage %d, %+v: nobody noticed", n, x)
	}
}

// TestFault79LargeJournalDamagedIsNamed damages a journal of 1 MB by one bit or one
// cut at a time; each must be noticed when it is opened, by a stop that names the
// file. Most are judged by the segment that they are in, since that alone stops the
// opening; the rest, and a sample of those, by opening the journal whole.
func TestFault79LargeJournalDamagedIsNamed(t *testing.T) {
	d := disktest.New(1)
	j, err := Open(dir, Options{FS: d, SegmentBytes: 128 << 10})
	if err != nil {
		t.Fatal(err)
	}
	fill(t, j, 1600)
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	s := &sweep{t: t, all: damagesOf(d), next: *largeFrom, upTo: *largeFrom + 2000, last: filepath.Join(dir, j.last().Name())}
	s.head, _ = j.Head()
	if *largeFor > 0 {
		s.upTo, s.until = s.all.total, time.Now().Add(*largeFor)
	}
	s.upTo = min(s.upTo, s.all.total)
	var workers sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		workers.Go(s.work)
	}
	workers.Wait()
	t.Logf("damages %d to %d of %d tried, all noticed: %d bits, %d cuts; %d by their segment, %d of them by the whole journal too; %d by the whole journal alone",
		*largeFrom, s.next-1, s.all.total, s.bits.Load(), s.cuts.Load(), s.bySegment.Load(), s.both.Load(), s.whole.Load())
}
