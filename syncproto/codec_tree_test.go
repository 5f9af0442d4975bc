package syncproto_test

import (
	"encoding/binary"
	"slices"
	"testing"
)

// tree is one CBOR item taken apart, so that a test can damage any part of a
// message and put it together again.
type tree struct {
	major byte
	arg   uint64
	data  []byte  // of a string
	items []*tree // of an array or map; keys and values in turn
	raw   []byte  // if set, written instead of all the above
}

// parseTree takes apart bytes that are known to be well-formed.
func parseTree(t *testing.T, b []byte) *tree {
	t.Helper()
	root, rest := parseItem(b)
	if len(rest) != 0 {
		t.Fatalf("parse tree: %d bytes left", len(rest))
	}
	return root
}

func parseItem(b []byte) (*tree, []byte) {
	n := &tree{major: b[0] >> 5, arg: uint64(b[0] & 31)}
	low := b[0] & 31
	b = b[1:]
	if low >= 24 && n.major != 7 {
		size := 1 << (low - 24)
		var wide [8]byte
		copy(wide[8-size:], b[:size])
		n.arg = binary.BigEndian.Uint64(wide[:])
		b = b[size:]
	}
	count := uint64(0)
	switch n.major {
	case 2, 3:
		n.data, b = b[:n.arg], b[n.arg:]
	case 4:
		count = n.arg
	case 5:
		count = 2 * n.arg
	}
	for range count {
		var item *tree
		item, b = parseItem(b)
		n.items = append(n.items, item)
	}
	return n, b
}

func (n *tree) encode() []byte {
	if n.raw != nil {
		return n.raw
	}
	return n.encodeWithHead(head(n.major, n.arg))
}

func (n *tree) encodeWithHead(b []byte) []byte {
	b = append(b, n.data...)
	for _, item := range n.items {
		b = append(b, item.encode()...)
	}
	return b
}

func head(major byte, arg uint64) []byte {
	switch {
	case arg < 24:
		return []byte{major<<5 | byte(arg)}
	case arg < 1<<8:
		return []byte{major<<5 | 24, byte(arg)}
	case arg < 1<<16:
		return binary.BigEndian.AppendUint16([]byte{major<<5 | 25}, uint16(arg))
	case arg < 1<<32:
		return binary.BigEndian.AppendUint32([]byte{major<<5 | 26}, uint32(arg))
	}
	return binary.BigEndian.AppendUint64([]byte{major<<5 | 27}, arg)
}

// wideHead writes an argument in nine bytes, which is never its shortest form here.
func wideHead(major byte, arg uint64) []byte {
	return binary.BigEndian.AppendUint64([]byte{major<<5 | 27}, arg)
}

// each visits every item; visit may set raw, which is taken back afterwards.
func (n *tree) each(visit func(n *tree)) {
	visit(n)
	n.raw = nil
	for _, item := range n.items {
		item.each(visit)
	}
}

// isStructure reports whether the item is a map with integer keys.
func (n *tree) isStructure() bool {
	return n.major == 5 && len(n.items) > 0 && n.items[0].major == 0
}

// withPair returns the structure's bytes with one more pair at its end.
func (n *tree) withPair(key uint64, value []byte) []byte {
	more := &tree{major: 5, arg: n.arg + 1, items: slices.Clone(n.items)}
	more.items = append(more.items, &tree{major: 0, arg: key}, &tree{raw: value})
	return more.encode()
}

// without returns the structure's bytes without its i-th pair.
func (n *tree) without(i int) []byte {
	less := &tree{major: 5, arg: n.arg - 1}
	less.items = append(less.items, n.items[:2*i]...)
	less.items = append(less.items, n.items[2*i+2:]...)
	return less.encode()
}
