package chain

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"iter"

	"doorstep/server/internal/disk"
)

const (
	headerBytes = disk.Sector
	headerSum   = headerBytes - sha256.Size

	groupAlign      = 64 // divides disk.Sector
	groupHeadBytes  = 64
	entryHeadBytes  = 48
	sumBytes        = 4
	groupCheck      = 56
	groupMagic      = "DsG1"
	maxPayloadBytes = MaxGroupBytes - groupHeadBytes - entryHeadBytes - 2*groupAlign - MaxGroupBytes/disk.Sector*sumBytes
)

var le = binary.LittleEndian

func castagnoli(piece []byte) uint32 { return crc32.Checksum(piece, crc32.MakeTable(crc32.Castagnoli)) }

func (h Header) encode() []byte {
	b := make([]byte, headerBytes)
	copy(b, h.Kind[:])
	le.PutUint64(b[8:], uint64(h.First))
	copy(b[16:], h.Prev[:])
	copy(b[48:], h.Owner[:])
	sum := sha256.Sum256(b[:headerSum])
	copy(b[headerSum:], sum[:])
	return b
}

// parseHeader reads a file header. It accepts exactly what encode writes.
func parseHeader(b []byte, kind [8]byte) (Header, string) {
	if len(b) != headerBytes {
		return Header{}, "the file is shorter than its header"
	}
	if sum := sha256.Sum256(b[:headerSum]); !bytes.Equal(sum[:], b[headerSum:]) {
		return Header{}, "the file header does not match its checksum"
	}
	h := Header{Kind: [8]byte(b), First: Position(le.Uint64(b[8:])), Prev: Digest(b[16:]), Owner: [256]byte(b[48:])}
	switch {
	case h.Kind != kind:
		return Header{}, fmt.Sprintf("the file is of kind %q, expected is %q", h.Kind, kind)
	case h.First == 0 || !isZero(b[304:headerSum]):
		return Header{}, "the file header is not one that this program writes"
	}
	return h, ""
}

// newer reports whether a file header is whole and names a later version of a kind.
func newer(b []byte, kind [8]byte) bool {
	if len(b) != headerBytes || !bytes.Equal(b[:7], kind[:7]) || b[7] <= kind[7] {
		return false
	}
	sum := sha256.Sum256(b[:headerSum])
	return bytes.Equal(sum[:], b[headerSum:])
}

// Version is the number of the format that a kind names: its last byte, a digit.
func Version(kind [8]byte) int { return int(kind[7] - '0') }

// ReadKind returns the kind that the header of a file names, if the header is whole.
func ReadKind(fsys disk.FS, path string) (kind [8]byte, err error) {
	file, err := fsys.Open(path, disk.Read)
	if err != nil {
		return kind, fmt.Errorf("opening %s: %w", path, err)
	}
	b := make([]byte, headerBytes)
	n, err := file.ReadAt(b, 0)
	if err = errors.Join(err, file.Close()); err != nil && n < headerBytes {
		return kind, fmt.Errorf("reading the header of %s: %w", path, err)
	}
	if sum := sha256.Sum256(b[:headerSum]); !bytes.Equal(sum[:], b[headerSum:]) {
		return kind, &DamagedError{File: path, Reason: "the file header does not match its checksum"}
	}
	return [8]byte(b), nil
}

func readHeader(file disk.File, name string, kind [8]byte) (Header, error) {
	b := make([]byte, headerBytes)
	n, err := file.ReadAt(b, 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return Header{}, fmt.Errorf("reading the header of %s: %w", name, err)
	}
	h, fault := parseHeader(b[:n], kind)
	if fault != "" && newer(b[:n], kind) {
		return Header{}, fmt.Errorf("%s has format %q, this program reads %q: %w", name, b[:8], kind, ErrNewer)
	}
	if fault != "" {
		return Header{}, &DamagedError{File: name, Reason: fault}
	}
	return h, nil
}

// groupHead is the header of a group.
type groupHead struct {
	count   uint32
	first   Position
	entries uint32 // bytes of all entries
	sumsCRC uint32
	prev    Digest
}

func (g groupHead) encode(b []byte) {
	copy(b, groupMagic)
	le.PutUint32(b[4:], g.count)
	le.PutUint64(b[8:], uint64(g.first))
	le.PutUint32(b[16:], g.entries)
	le.PutUint32(b[20:], g.sumsCRC)
	copy(b[24:], g.prev[:])
	sum := sha256.Sum256(b[:groupCheck])
	copy(b[groupCheck:groupHeadBytes], sum[:])
}

// parseGroupHead reads a group header. It accepts nothing that encode would not write.
func parseGroupHead(b []byte) (groupHead, bool) {
	if len(b) < groupHeadBytes || string(b[:4]) != groupMagic {
		return groupHead{}, false
	}
	sum := sha256.Sum256(b[:groupCheck])
	if !bytes.Equal(sum[:groupHeadBytes-groupCheck], b[groupCheck:groupHeadBytes]) {
		return groupHead{}, false
	}
	g := groupHead{
		count:   le.Uint32(b[4:]),
		first:   Position(le.Uint64(b[8:])),
		entries: le.Uint32(b[16:]),
		sumsCRC: le.Uint32(b[20:]),
		prev:    Digest(b[24:]),
	}
	least := uint64(g.count) * (entryHeadBytes + 1)
	ok := g.count > 0 && g.first > 0 && uint64(g.entries) >= least && g.entries <= MaxGroupBytes
	return g, ok
}

// layout is where the parts of a group lie in the file. It follows from where the group begins and from the bytes of its
// entries.
type layout struct{ start, entries, sums, sumsEnd, end int64 }

func layoutAt(start int64, entryBytes int64) layout {
	l := layout{start: start, entries: start + groupHeadBytes}
	l.sums = l.entries + entryBytes
	sectors := (l.sums-1)/disk.Sector - l.entries/disk.Sector + 1
	l.sumsEnd = l.sums + sectors*sumBytes
	l.end = (l.sumsEnd + groupAlign - 1) / groupAlign * groupAlign
	return l
}

func (g groupHead) layout(start int64) layout { return layoutAt(start, int64(g.entries)) }

// sectors walks over the pieces of [from, to) that lie in one sector each.
func sectors(from, to int64) iter.Seq2[int64, int64] {
	return func(yield func(int64, int64) bool) {
		for from < to {
			end := min(to, (from/disk.Sector+1)*disk.Sector)
			if !yield(from, end) {
				return
			}
			from = end
		}
	}
}

// entryHead stands before each payload.
type entryHead struct {
	back     uint32 // distance to the header of its group
	length   uint32
	position Position
	digest   Digest
}

func (e entryHead) append(b []byte) []byte {
	b = le.AppendUint32(b, e.back)
	b = le.AppendUint32(b, e.length)
	b = le.AppendUint64(b, uint64(e.position))
	return append(b, e.digest[:]...)
}

// parseEntryHead reads the header of an entry; b holds at least entryHeadBytes.
func parseEntryHead(b []byte) entryHead {
	return entryHead{
		back: le.Uint32(b), length: le.Uint32(b[4:]), position: Position(le.Uint64(b[8:])), digest: Digest(b[16:48]),
	}
}

func isZero(b []byte) bool {
	for _, c := range b {
		if c != 0 {
			return false
		}
	}
	return true
}

// readFull fills b from the file; a file that ends before is io.ErrUnexpectedEOF.
func readFull(file disk.File, b []byte, off int64) error {
	n, err := file.ReadAt(b, off)
	if n == len(b) {
		return nil
	}
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}
