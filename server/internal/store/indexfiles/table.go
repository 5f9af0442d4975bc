package indexfiles

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"path/filepath"
	"slices"

	"doorstep/server/internal/disk"

	"github.com/dgraph-io/badger/v4"
	"github.com/dgraph-io/badger/v4/fb"
)

// readManifest lists the tables that are in use. A MANIFEST must be whole to its last byte: badger takes one that was cut
// for one that a crash cut, and removes the tables that it does not name any more.
func readManifest(path string) ([]uint64, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	manifest, end, err := badger.ReplayManifestFile(f, 0, badger.DefaultOptions("").WithLogger(nil))
	if err != nil {
		return nil, damaged(manifestName, "%v", err)
	}
	info, err := f.Stat()
	if err != nil {
		return nil, fmt.Errorf("measuring the manifest: %w", err)
	}
	if end != info.Size() {
		return nil, damaged(manifestName, "%d of %d bytes can be read", end, info.Size())
	}
	var live []uint64
	for id := range manifest.Tables {
		live = append(live, id)
	}
	slices.Sort(live)
	return live, nil
}

// A table is its blocks, an index (a flatbuffer that says where they are), and a footer:
//
//	index | length of the index, 4 bytes | its sum | length of the sum, 4 bytes
//
// A block ends with the length of its sum, 4 bytes, after the sum of what is before. Numbers are big-endian; a sum is a
// protocol buffer with CRC-32C in field 2.
const (
	lengthBytes = 4
	maxSumBytes = 16
	readAhead   = 1 << 20
)

// checkTable reads a table whole and answers the newest version in it.
func checkTable(fsys disk.FS, path string) (newest uint64, err error) {
	f, err := fsys.Open(path, disk.Read)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	name := filepath.Base(path)
	index, blocksEnd, err := tableIndex(f, name)
	if err != nil {
		return 0, err
	}
	r := bufio.NewReaderSize(io.NewSectionReader(f, 0, blocksEnd), readAhead)
	var (
		at    int64
		where fb.BlockOffset
		buf   []byte
	)
	for i := range index.OffsetsLength() {
		if !index.Offsets(&where, i) || int64(where.Offset()) != at || at+int64(where.Len()) > blocksEnd {
			return 0, damaged(name, "block %d is not where the one before ends", i)
		}
		at += int64(where.Len())
		buf = slices.Grow(buf[:0], int(where.Len()))[:where.Len()]
		if _, err := io.ReadFull(r, buf); err != nil {
			return 0, fmt.Errorf("reading table %s: %w", name, err)
		}
		if !blockIsSound(buf) {
			return 0, damaged(name, "block %d at byte %d is not what was written", i, where.Offset())
		}
	}
	if at != blocksEnd || at == 0 {
		return 0, damaged(name, "its blocks end at byte %d of %d", at, blocksEnd)
	}
	return index.MaxVersion(), nil
}

// tableIndex reads the footer and what it speaks of.
func tableIndex(f disk.File, name string) (index *fb.TableIndex, blocksEnd int64, err error) {
	size, err := f.Size()
	if err != nil {
		return nil, 0, fmt.Errorf("measuring table %s: %w", name, err)
	}
	footer, err := readWhole(f, max(0, size-2*lengthBytes-maxSumBytes), min(size, 2*lengthBytes+maxSumBytes))
	if err != nil {
		return nil, 0, fmt.Errorf("reading table %s: %w", name, err)
	}
	sum, rest, ok := cutSum(footer)
	if !ok || len(rest) < lengthBytes {
		return nil, 0, damaged(name, "its footer is wrong")
	}
	length := int64(binary.BigEndian.Uint32(rest[len(rest)-lengthBytes:]))
	blocksEnd = size - int64(lengthBytes+len(sum)+lengthBytes) - length
	if blocksEnd < 0 {
		return nil, 0, damaged(name, "its footer is wrong")
	}
	b, err := readWhole(f, blocksEnd, length)
	if err != nil {
		return nil, 0, fmt.Errorf("reading table %s: %w", name, err)
	}
	if !bytes.Equal(sum, sumOf(b)) || len(b) == 0 {
		return nil, 0, damaged(name, "its index is not what was written")
	}
	return fb.GetRootAsTableIndex(b, 0), blocksEnd, nil
}

// cutSum takes a sum and its length off the end.
func cutSum(b []byte) (sum, rest []byte, ok bool) {
	if len(b) < lengthBytes {
		return nil, nil, false
	}
	n := binary.BigEndian.Uint32(b[len(b)-lengthBytes:])
	b = b[:len(b)-lengthBytes]
	if n > maxSumBytes || int(n) > len(b) {
		return nil, nil, false
	}
	return b[len(b)-int(n):], b[:len(b)-int(n)], true
}

func blockIsSound(b []byte) bool {
	sum, rest, ok := cutSum(b)
	return ok && bytes.Equal(sum, sumOf(rest))
}

// castagnoli is the table of CRC-32C, which the standard library keeps.
func castagnoli(b []byte) uint32 { return crc32.Checksum(b, crc32.MakeTable(crc32.Castagnoli)) }

// sumOf is a sum as badger writes it.
func sumOf(b []byte) []byte {
	crc := castagnoli(b)
	if crc == 0 {
		return nil // a protocol buffer leaves a zero out
	}
	return binary.AppendUvarint([]byte{2 << 3}, uint64(crc))
}
