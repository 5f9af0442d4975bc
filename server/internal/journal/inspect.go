package journal

import (
	"errors"
	"fmt"
	"path/filepath"
	"runtime"
	"strings"
	"sync"

	"doorstep/server/internal/chain"
	"doorstep/server/internal/disk"
)

const segmentPrefix = "segment-"

// indexPrefix begins the name of the index of a complete segment.
const indexPrefix = "index-"

func indexName(segment string) string {
	return indexPrefix + strings.TrimPrefix(segment, segmentPrefix)
}

func segmentName(first Position) string { return fmt.Sprintf("%s%020d", segmentPrefix, first) }

// segmentKind names the format of the segments, with its version.
func segmentKind() [8]byte { return [8]byte([]byte("DSjourn1")) }

// Format is the version of the segments' format that this program writes and reads.
func Format() int { return chain.Version(segmentKind()) }

// FormatOf is the version of the newest segment of the journal in dir; 0: it has none.
func FormatOf(fsys disk.FS, dir string) (int, error) {
	found, err := list(fsys, dir)
	if err != nil || len(found.segments) == 0 {
		return 0, err
	}
	kind, err := chain.ReadKind(fsys, filepath.Join(dir, found.segments[len(found.segments)-1]))
	return chain.Version(kind), err
}

// listing is what stands in the directory of a journal.
type listing struct {
	segments  []string // in order
	temporary []string
	saved     []string // torn tails that were kept
	epoch     bool
	mark      bool
}

func list(fsys disk.FS, dir string) (listing, error) {
	names, err := fsys.ReadDir(dir)
	if err != nil {
		return listing{}, fmt.Errorf("listing the journal: %w", err)
	}
	var found listing
	for _, name := range names {
		switch {
		case strings.HasSuffix(name, disk.TempSuffix):
			found.temporary = append(found.temporary, name)
		case strings.HasPrefix(name, segmentPrefix):
			found.segments = append(found.segments, name)
		case strings.HasPrefix(name, "torn-"):
			found.saved = append(found.saved, name)
		case name == epochName:
			found.epoch = true
		case name == markName:
			found.mark = true
		}
	}
	return found, nil
}

// mayBegin answers nil if a directory without segments never held an entry.
func (l listing) mayBegin(fsys disk.FS, dir string) error {
	if !l.mark && !l.epoch && len(l.saved) == 0 {
		return nil
	}
	lost := &DamagedError{File: segmentName(1), Position: 1, Reason: "the segments are gone, though the journal had begun"}
	mark, readable, err := chain.ReadMark(fsys, filepath.Join(dir, markName))
	if err != nil {
		return err
	}
	if !readable || mark.Head != 0 || len(l.saved) > 0 {
		return lost
	}
	if !l.epoch {
		return nil
	}
	epochs, err := readEpochs(fsys, dir)
	if err == nil && len(epochs) > 1 {
		return lost
	}
	return err
}

// inspection is a journal seen from its first byte to its last.
type inspection struct {
	readOnly bool
	minFree  int64
	quick    bool         // open complete segments by their index
	report   func(string) // nil, or told what was found in each file

	found    listing
	segments []*chain.File
	epochs   []EpochStart
	tail     chain.Tail // of the last segment: nothing, or proved torn
	marked   bool       // there was a mark that could be read
}

// inspect verifies the journal. Segments that it could open are in the answer even beside an error; the caller closes
// them.
func inspect(fsys disk.FS, dir string, seen inspection) (inspection, error) {
	// What speaks of segments is read before them: beside a running server it must not be ahead of what is seen of them.
	mark, marked, err := chain.ReadMark(fsys, filepath.Join(dir, markName))
	if err != nil {
		return seen, err
	}
	seen.marked = marked
	if seen.epochs, err = readEpochs(fsys, dir); err != nil {
		return seen, err
	}
	if seen.found, err = list(fsys, dir); err != nil {
		return seen, err
	}
	if err := seen.openSegments(fsys, dir); err != nil {
		return seen, err
	}
	if err := seen.checkLinks(); err != nil {
		return seen, err
	}
	if marked {
		if err := seen.checkMark(mark); err != nil {
			return seen, err
		}
	}
	return seen, seen.checkEpochs()
}

// openSegments verifies each segment by itself, several at a time: hashing is what opening costs.
func (seen *inspection) openSegments(fsys disk.FS, dir string) error {
	names := seen.found.segments
	files := make([]*chain.File, len(names))
	tails := make([]chain.Tail, len(names))
	errs := make([]error, len(names))
	opt := chain.Options{Kind: segmentKind(), ReadOnly: seen.readOnly, MinFreeBytes: seen.minFree}
	var workers sync.WaitGroup
	next := make(chan int, len(names))
	for i := range names {
		next <- i
	}
	close(next)
	for range min(runtime.GOMAXPROCS(0), len(names)) {
		workers.Go(func() {
			for i := range next {
				files[i], tails[i], errs[i] = seen.openSegment(fsys, filepath.Join(dir, names[i]), i == len(names)-1, opt)
			}
		})
	}
	workers.Wait()
	for i, file := range files {
		if file != nil {
			seen.segments = append(seen.segments, file)
			errs[i] = seen.judge(file, tails[i], i == len(files)-1)
		}
		seen.tell(names[i], file, errs[i])
	}
	return errors.Join(errs...)
}

// openSegment opens a complete segment by its index, if that is wanted and possible, and the last always whole.
func (seen *inspection) openSegment(fsys disk.FS, path string, last bool, opt chain.Options) (*chain.File, chain.Tail, error) {
	if !seen.quick || last {
		return chain.Open(fsys, path, opt)
	}
	index := filepath.Join(filepath.Dir(path), indexName(filepath.Base(path)))
	file, err := chain.OpenIndexed(fsys, path, index, opt)
	if file != nil || err != nil {
		return file, chain.Tail{}, err
	}
	file, tail, err := chain.Open(fsys, path, opt)
	if err == nil && tail.Bytes == 0 {
		_ = file.WriteIndex(index) // best effort: without it the next start reads the segment again
	}
	return file, tail, err
}

// judge decides what the end of a segment means. Only the last may be torn: the others were complete and synced before
// the next was made.
func (seen *inspection) judge(file *chain.File, tail chain.Tail, last bool) error {
	if tail.Bytes == 0 {
		return nil
	}
	if last && tail.Torn {
		seen.tail = tail
		return nil
	}
	if last {
		tail.Reason += ". It may have been acknowledged, so nothing was cut. Keep a copy of the directory; bring the" +
			" segment back from the second copy or a backup"
	}
	return file.Damaged(tail)
}

func (seen *inspection) tell(name string, file *chain.File, err error) {
	switch {
	case seen.report == nil:
	case err != nil:
		seen.report(fmt.Sprintf("%s: %v", name, err))
	default:
		head, _ := file.Head()
		seen.report(fmt.Sprintf("%s: entries %d to %d, %d bytes, sound", name, file.Header().First, head, file.Size()))
	}
}

// checkLinks verifies that the segments follow each other without a gap from the first entry on.
func (seen *inspection) checkLinks() error {
	next, digest := Position(1), Digest{}
	for i, segment := range seen.segments {
		header := segment.Header()
		fault := ""
		switch {
		case header.First != next:
			fault = fmt.Sprintf("it begins with entry %d, expected is %d: a segment is missing or cut short", header.First, next)
		case header.Prev != digest:
			fault = "it does not continue the chain of the segment before"
		case segment.Name() != segmentName(header.First):
			fault = "its name does not fit its first entry"
		}
		if fault != "" {
			return &DamagedError{File: segment.Name(), Position: next, Reason: fault}
		}
		head, end := segment.Head()
		if head < header.First && i < len(seen.segments)-1 {
			return &DamagedError{File: segment.Name(), Offset: segment.Size(), Position: next, Reason: "it has no entries"}
		}
		next, digest = head+1, end
	}
	return nil
}

// checkMark verifies that everything acknowledged is there.
func (seen *inspection) checkMark(mark chain.Mark) error {
	last := seen.segments[len(seen.segments)-1]
	head, _ := last.Head()
	if Epoch(mark.Of) != seen.epochs[0].Epoch {
		return &DamagedError{File: markName, Reason: "it belongs to another journal"}
	}
	if mark.Head > head {
		return &DamagedError{
			File: last.Name(), Offset: last.Size(), Position: head + 1,
			Reason: fmt.Sprintf("entries up to %d were acknowledged and are not there. Nothing was cut. Keep a copy of the"+
				" directory; bring the segment back from the second copy or a backup", mark.Head),
		}
	}
	return seen.checkDigest(mark.Head, mark.Digest, markName)
}

func (seen *inspection) checkEpochs() error {
	for _, start := range seen.epochs {
		if err := seen.checkDigest(start.From, start.Digest, epochName); err != nil {
			return err
		}
	}
	return nil
}

func (seen *inspection) checkDigest(p Position, want Digest, witness string) error {
	got, err := digestAt(seen.segments, p)
	if errors.Is(err, ErrNoEntry) {
		return &DamagedError{File: witness, Position: p, Reason: "it speaks of an entry that is not there"}
	}
	if err == nil && got != want {
		return &DamagedError{File: witness, Position: p, Reason: "it has another chain digest for the entry than the segments"}
	}
	return err
}
