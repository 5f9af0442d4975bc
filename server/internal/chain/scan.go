package chain

import (
	"fmt"

	"doorstep/server/internal/disk"
)

// window reads a file forward in large pieces.
type window struct {
	file disk.File
	size int64
	from int64 // offset of buf[0] in the file
	buf  []byte
}

const windowBytes = 1 << 20

// bytes gives n bytes of the file at an offset, which must be within it. They are valid until the next call.
func (w *window) bytes(off int64, n int64) ([]byte, error) {
	if off < w.from || off+n > w.from+int64(len(w.buf)) {
		want := min(max(n, windowBytes), w.size-off)
		if int64(cap(w.buf)) < want {
			w.buf = make([]byte, want)
		}
		w.buf, w.from = w.buf[:want], off
		if err := readFull(w.file, w.buf, off); err != nil {
			w.buf = nil
			return nil, err
		}
	}
	return w.buf[off-w.from:][:n], nil
}

// scanner verifies a file group by group.
type scanner struct {
	window
	at     int64 // where the next group begins
	next   Position
	digest Digest
	slots  []slot
}

// run verifies all groups and judges what stands behind the last right one.
func (s *scanner) run(visit func(Position, []byte) error) (Tail, error) {
	for s.at < s.size {
		fault, err := s.group(visit)
		if err != nil {
			return Tail{}, err
		}
		if fault != "" {
			return s.judge(fault)
		}
	}
	return Tail{Offset: s.at}, nil
}

// group verifies the group at s.at and moves behind it, or answers what is wrong.
func (s *scanner) group(visit func(Position, []byte) error) (string, error) {
	head, fault, err := s.head(s.at)
	if fault != "" || err != nil {
		return fault, err
	}
	at := head.layout(s.at)
	switch {
	case head.first != s.next:
		return fmt.Sprintf("the group begins with entry %d, expected is %d", head.first, s.next), nil
	case head.prev != s.digest:
		return "the group does not continue the chain", nil
	case at.end > s.size:
		return "the file ends inside the group", nil
	}
	b, err := s.bytes(at.start, at.end-at.start)
	if err != nil {
		return "", err
	}
	known, digest := len(s.slots), s.digest
	fault, err = checkGroup(b, at.start, head, func(e entryHead, payload []byte, after Digest) error {
		s.slots = append(s.slots, slot{offset: uint32(at.start) + e.back, length: e.length})
		digest = after
		return nil
	})
	if fault != "" || err != nil {
		s.slots = s.slots[:known]
		return fault, err
	}
	if err := s.show(b, known, visit); err != nil {
		return "", err
	}
	s.at, s.digest, s.next = at.end, digest, s.next+Position(head.count)
	return "", nil
}

// show hands the entries of a group that is right as a whole to the visitor.
func (s *scanner) show(b []byte, known int, visit func(Position, []byte) error) error {
	if visit == nil {
		return nil
	}
	for i, slot := range s.slots[known:] {
		from := int64(slot.offset) - s.at + entryHeadBytes
		if err := visit(s.next+Position(i), b[from:][:slot.length]); err != nil {
			return err
		}
	}
	return nil
}

func (s *scanner) head(off int64) (groupHead, string, error) {
	if s.size-off < groupHeadBytes {
		return groupHead{}, "the file ends inside a group header", nil
	}
	b, err := s.bytes(off, groupHeadBytes)
	if err != nil {
		return groupHead{}, "", err
	}
	head, ok := parseGroupHead(b)
	if !ok {
		return groupHead{}, "the group header is unreadable", nil
	}
	return head, "", nil
}

// judge says whether the rest of the file, which begins with a group that is not right, is torn or damaged. The rules
// are those of the package comment.
func (s *scanner) judge(fault string) (Tail, error) {
	tail := Tail{Offset: s.at, Bytes: s.size - s.at, Reason: fault}
	head, unreadable, err := s.head(s.at)
	if err != nil {
		return Tail{}, err
	}
	search := s.at + groupAlign
	if unreadable == "" {
		search = head.layout(s.at).end
	}
	later, err := s.laterGroup(search)
	if err != nil {
		return Tail{}, err
	}
	switch {
	case later != 0:
		tail.Reason += fmt.Sprintf("; a later group stands behind it at byte %d", later)
	case tail.Bytes < groupHeadBytes:
		tail.Torn = true
	case unreadable != "":
		tail.Torn, err = s.unwritten(s.at, min(s.size, (s.at/disk.Sector+1)*disk.Sector))
	case head.first != s.next || head.prev != s.digest:
		// Readable and of another chain: nothing that this program writes.
	case head.layout(s.at).end > s.size:
		tail.Torn = true
	default:
		tail.Torn, err = s.sectorsMissing(head)
	}
	if err == nil && later == 0 && !tail.Torn {
		tail.Reason += "; the bytes are there but wrong, which no interrupted write leaves behind"
	}
	return tail, err
}

// laterGroup looks for a readable group header at or behind an offset that speaks of a later position. It answers its
// offset, 0 for none.
func (s *scanner) laterGroup(from int64) (int64, error) {
	for off := from; off+groupHeadBytes <= s.size; off += groupAlign {
		head, fault, err := s.head(off)
		if err != nil {
			return 0, err
		}
		if fault == "" && head.first > s.next {
			return off, nil
		}
	}
	return 0, nil
}

// sectorsMissing answers whether every wrong sector of a group, all of whose length is there, was never written.
func (s *scanner) sectorsMissing(head groupHead) (bool, error) {
	at := head.layout(s.at)
	b, err := s.bytes(at.start, at.end-at.start)
	if err != nil {
		return false, err
	}
	part := func(from, to int64) []byte { return b[from-at.start : to-at.start] }
	missing := false
	if castagnoli(part(at.sums, at.sumsEnd)) != head.sumsCRC {
		for from, to := range sectors(at.sums, at.end) {
			missing = missing || isZero(part(from, to))
		}
		return missing, nil
	}
	sums := part(at.sums, at.sumsEnd)
	for from, to := range sectors(at.entries, at.sums) {
		if castagnoli(part(from, to)) != le.Uint32(sums) {
			if !isZero(part(from, to)) {
				return false, nil
			}
			missing = true
		}
		sums = sums[sumBytes:]
	}
	return missing, nil
}

func (s *scanner) unwritten(from, to int64) (bool, error) {
	b, err := s.bytes(from, to-from)
	return err == nil && isZero(b), err
}
