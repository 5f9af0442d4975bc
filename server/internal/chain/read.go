package chain

import (
	"errors"
	"fmt"
	"io"

	"doorstep/server/internal/disk"
)

// Read gives the payload at a position, in memory of its own, after checking it against its digest. It answers ErrNoEntry
// for a position that is not in the file and a *DamagedError for bytes that are not what was written.
func (f *File) Read(p Position) ([]byte, error) {
	place, err := f.find(p)
	if err != nil {
		return nil, err
	}
	b := make([]byte, entryHeadBytes+int64(place.length))
	if err := f.readAt(b, int64(place.offset), p); err != nil {
		return nil, err
	}
	e, payload := parseEntryHead(b), b[entryHeadBytes:]
	if e.position != p || e.length != place.length || Sum(payload) != e.digest {
		return nil, f.damagedAt(place, p, "the entry does not match its digest")
	}
	return payload[:len(payload):len(payload)], nil
}

// DigestAt gives the chain digest after the entry at a position, or before the first entry of the file. It verifies the
// whole group that the entry is in. Errors are as for Read.
func (f *File) DigestAt(p Position) (Digest, error) {
	if p == f.header.First-1 {
		return f.header.Prev, nil
	}
	if head, digest := f.Head(); p == head {
		return digest, nil
	}
	place, err := f.find(p)
	if err != nil {
		return Digest{}, err
	}
	start, err := f.groupOf(place, p)
	if err != nil {
		return Digest{}, err
	}
	head, b, err := f.readGroup(start, place, p)
	if err != nil {
		return Digest{}, err
	}
	var digest Digest
	fault, err := checkGroup(b, start, head, func(e entryHead, _ []byte, after Digest) error {
		if e.position == p {
			digest = after
		}
		return nil
	})
	if err != nil {
		return Digest{}, err
	}
	if fault != "" || digest == (Digest{}) {
		return Digest{}, f.damagedAt(place, p, "the group of the entry is wrong: "+fault)
	}
	return digest, nil
}

// groupOf finds where the group begins that an entry is in.
func (f *File) groupOf(place slot, p Position) (int64, error) {
	entry := make([]byte, entryHeadBytes)
	if err := f.readAt(entry, int64(place.offset), p); err != nil {
		return 0, err
	}
	start := int64(place.offset) - int64(parseEntryHead(entry).back)
	if start < headerBytes || start%groupAlign != 0 {
		return 0, f.damagedAt(place, p, "the entry points to no group")
	}
	return start, nil
}

// readGroup reads the group that begins at start and must hold an entry.
func (f *File) readGroup(start int64, place slot, p Position) (groupHead, []byte, error) {
	b := make([]byte, groupHeadBytes)
	if err := f.readAt(b, start, p); err != nil {
		return groupHead{}, nil, err
	}
	head, ok := parseGroupHead(b)
	if !ok || p < head.first || p-head.first >= Position(head.count) {
		return groupHead{}, nil, f.damagedAt(place, p, "the entry points to a group that it is not in")
	}
	at := head.layout(start)
	b = make([]byte, at.end-at.start)
	return head, b, f.readAt(b, start, p)
}

func (f *File) find(p Position) (slot, error) {
	f.mu.RLock()
	defer f.mu.RUnlock()
	if p < f.header.First || p > f.head() {
		return slot{}, fmt.Errorf("entry %d of %s, which has %d to %d: %w", p, f.Name(), f.header.First, f.head(), ErrNoEntry)
	}
	return f.slots[p-f.header.First], nil
}

func (f *File) readAt(b []byte, off int64, p Position) error {
	err := readFull(f.file, b, off)
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return &DamagedError{File: f.Name(), Offset: off, Position: p, Reason: "the file ends before the entry does"}
	}
	if err != nil {
		return fmt.Errorf("reading entry %d of %s: %w", p, f.Name(), err)
	}
	return nil
}

func (f *File) damagedAt(place slot, p Position, reason string) error {
	return &DamagedError{File: f.Name(), Offset: int64(place.offset), Position: p, Reason: reason}
}

// Groups calls fn with the first position of each group of a file and how many entries it has, until fn returns false.
// It reads headers alone, so it says nothing of what is damaged behind them, and stops at the first place where no
// group begins. The file may be written meanwhile.
func Groups(fsys disk.FS, path string, fn func(first Position, entries int) bool) error {
	file, err := fsys.Open(path, disk.Read)
	if err != nil {
		return fmt.Errorf("opening %s: %w", path, err)
	}
	defer file.Close()
	b := make([]byte, groupHeadBytes)
	for at := int64(headerBytes); ; {
		err := readFull(file, b, at)
		if errors.Is(err, io.ErrUnexpectedEOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("reading %s: %w", path, err)
		}
		head, ok := parseGroupHead(b)
		if !ok || !fn(head.first, int(head.count)) {
			return nil
		}
		at = head.layout(at).end
	}
}
