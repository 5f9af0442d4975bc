package text

import (
	"bytes"
	"slices"

	"doorstep/syncproto/sorting"
)

// A prefix code writes frequent bytes in few bits: the canonical Huffman code of
// a text's bytes (Huffman, "A Method for the Construction of Minimum-Redundancy
// Codes", 1952). It makes a history of prose about half as long, and takes far
// less time than replaying it.
type prefixCode struct {
	lengths [256]uint8 // bits of each byte's code word, 0 if it does not occur
	words   [256]uint32
}

// maxWordBits bounds the length of a code word. A count so lopsided that it
// would need more is evened out first.
const maxWordBits = 15

// codeFor returns the code for a text. It depends on the text's bytes alone.
func codeFor(text []byte) prefixCode {
	var counts [256]int
	for _, c := range text {
		counts[c]++
	}
	var code prefixCode
	for !code.measure(&counts) {
		for i, n := range counts {
			counts[i] = (n + 1) / 2
		}
	}
	code.number()
	return code
}

// A knot joins two others in a code's tree, or stands for a byte.
type knot struct {
	count, up int
	bits      uint8
}

// measure sets the lengths of the code words by joining the two rarest knots
// until one is left. It reports whether all are short enough.
func (p *prefixCode) measure(counts *[256]int) bool {
	p.lengths = [256]uint8{}
	var knots []knot
	var used []int
	for c, n := range counts {
		if n > 0 {
			used = append(used, c)
		}
	}
	sorting.By(used, func(a, b *int) int { return counts[*a] - counts[*b] })
	for _, c := range used {
		knots = append(knots, knot{count: counts[c]})
	}
	byteAt, pairAt := 0, len(used) // the rarest of either that is not joined yet
	rarest := func() int {
		if pairAt == len(knots) || byteAt < len(used) && knots[byteAt].count <= knots[pairAt].count {
			byteAt++
			return byteAt - 1
		}
		pairAt++
		return pairAt - 1
	}
	for range len(used) - 1 {
		a, b := rarest(), rarest()
		knots[a].up, knots[b].up = len(knots), len(knots)
		knots = append(knots, knot{count: knots[a].count + knots[b].count})
	}
	for i := len(knots) - 2; i >= 0; i-- {
		knots[i].bits = knots[knots[i].up].bits + 1
	}
	for i, c := range used {
		p.lengths[c] = max(knots[i].bits, 1) // one byte alone has a word too
	}
	return slices.Max(p.lengths[:]) <= maxWordBits
}

// number gives out the code words: in order of length, and of bytes where it is
// the same.
func (p *prefixCode) number() {
	word := uint32(0)
	for bits := uint8(1); bits <= maxWordBits; bits++ {
		for c, n := range p.lengths {
			if n == bits {
				p.words[c] = word
				word++
			}
		}
		word <<= 1
	}
}

// encode appends the code words of a text, the first bits highest in a byte; the
// last byte is filled up with zeros.
func (p *prefixCode) encode(b, text []byte) []byte {
	var bits uint64
	n := uint(0)
	for _, c := range text {
		bits = bits<<p.lengths[c] | uint64(p.words[c])
		for n += uint(p.lengths[c]); n >= 8; {
			n -= 8
			b = append(b, byte(bits>>n))
		}
	}
	if n > 0 {
		b = append(b, byte(bits<<(8-n)))
	}
	return b
}

// decode reads size bytes of text from the beginning of b, and returns what is
// left of b. Every byte of text takes at least a bit.
func (p *prefixCode) decode(b []byte, size int) (text, rest []byte, ok bool) {
	table := p.table()
	text = make([]byte, 0, size)
	var bits uint64
	n, at := uint(0), 0
	for len(text) < size {
		for n < maxWordBits && at < len(b) {
			bits = bits<<8 | uint64(b[at])
			n, at = n+8, at+1
		}
		c := table[bits<<(64-n)>>(64-maxWordBits)]
		width := uint(p.lengths[c])
		if width == 0 || width > n {
			return nil, nil, false
		}
		n -= width
		text = append(text, c)
	}
	return text, b[at-int(n/8):], true
}

// table returns, for all that the next maxWordBits bits can be, the byte whose
// word they begin with.
func (p *prefixCode) table() []byte {
	table := make([]byte, 1<<maxWordBits)
	for c, bits := range p.lengths {
		if bits > 0 {
			from := p.words[c] << (maxWordBits - bits)
			for i := range uint32(1) << (maxWordBits - bits) {
				if at := from + i; at < uint32(len(table)) {
					table[at] = byte(c)
				}
			}
		}
	}
	return table
}

// packed writes bytes: how many and, if that is shorter than the bytes as they
// are, the code and the bytes in it; else a zero and the bytes.
//
// The code is how many bytes occur and, for each, how many between it and the
// one before do not occur, times 16, plus the bits of its code word.
func (e *encoder) packed(v []byte) {
	e.uint(len(v))
	plain := len(e.b)
	code := codeFor(v)
	e.code(&code)
	if e.b = code.encode(e.b, v); len(e.b) <= plain+len(v) {
		return
	}
	e.b = append(append(e.b[:plain], 0), v...)
}

func (e *encoder) code(p *prefixCode) {
	e.uint(p.count())
	gap := 0
	for _, bits := range p.lengths {
		if bits == 0 {
			gap++
			continue
		}
		e.uint(gap<<4 | int(bits))
		gap = 0
	}
}

// count returns how many bytes have a code word.
func (p *prefixCode) count() int {
	n := 0
	for _, bits := range p.lengths {
		if bits > 0 {
			n++
		}
	}
	return n
}

// packed reads what encoder.packed writes. Nothing is more than eight times
// longer than what it takes here.
func (d *decoder) packed() []byte {
	size := d.uint(8 * len(d.b))
	number := d.uint(256)
	if d.bad || number == 0 && size > len(d.b) {
		d.fail()
		return nil
	}
	if number == 0 {
		v := bytes.Clone(d.b[:size])
		d.b = d.b[size:]
		return v
	}
	code := d.code(number)
	v, rest, ok := code.decode(d.b, size)
	if d.b = rest; !ok {
		d.fail()
	}
	return v
}

func (d *decoder) code(number int) prefixCode {
	var p prefixCode
	at := -1
	for range number {
		v := d.uint(256 << 4)
		at += v>>4 + 1
		if bits := v & 15; at < 256 && bits > 0 {
			p.lengths[at] = uint8(bits)
		} else {
			d.fail()
			return p
		}
	}
	p.number()
	return p
}
