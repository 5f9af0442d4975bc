package frame

import (
	"encoding/binary"
	"math/bits"

	"doorstep/syncproto"
)

// inflate reads exactly size bytes out of a DEFLATE stream that ends with data.
// Its memory grows with what really comes, not with what was declared.
//
// A message is in memory as a whole, so nothing here needs to stop between two
// bytes, and what was inflated is the window itself. That takes a third of the
// time of a decoder that streams; a server spends it on every byte that tablets
// send.
func inflate(data []byte, size int) ([]byte, error) {
	d := inflater{in: data, size: size}
	d.out = make([]byte, min(size, 8*len(data)+512)+slack)
	for final := false; !final; {
		d.refill()
		final = d.bits&1 == 1
		kind := d.bits >> 1 & 3
		d.use(3)
		if d.left < 0 || !d.block(kind) {
			return nil, syncproto.CodeMalformed
		}
	}
	if d.at != size || d.pos-int(d.left)/8 != len(data) {
		return nil, syncproto.CodeMalformed
	}
	return d.out[:size:size], nil
}

// slack is the room that there is behind what was inflated when a symbol is read:
// for a longest match, and what copying a word at a time writes too many.
const slack = maxMatch + 24

// Limits of RFC 1951.
const (
	maxMatch      = 258
	maxCodeBits   = 15
	litlenSymbols = 288 // 286 and 287 have codes in fixed blocks and mean nothing
	distSymbols   = 32  // so do 30 and 31
	endOfBlock    = 256
)

// inflater is the state between two symbols.
type inflater struct {
	in   []byte
	pos  int    // of the next byte that is not in bits
	bits uint64 // that were read and not used, the lowest first; above left, what comes or zero
	left int64  // how many of them; negative: the stream ended too early

	out  []byte
	at   int // how much of out is inflated
	size int // what it must come to

	litlen  [litlenTable]entry
	dist    [distTable]entry
	lengths [litlenSymbols + distSymbols]uint8
}

// refill brings at least 56 bits, or all there are.
func (d *inflater) refill() {
	if d.pos+8 <= len(d.in) {
		d.bits |= binary.LittleEndian.Uint64(d.in[d.pos:]) << d.left
		d.pos += int(63-d.left) >> 3
		d.left |= 56
		return
	}
	for d.left < 56 && d.pos < len(d.in) {
		d.bits |= uint64(d.in[d.pos]) << d.left
		d.pos++
		d.left += 8
	}
}

func (d *inflater) use(n int64) {
	d.bits >>= n
	d.left -= n
}

// take reads a number of at most 16 bits.
func (d *inflater) take(n int64) int {
	v := int(d.bits & (1<<n - 1))
	d.use(n)
	return v
}

// room makes sure that a longest match finds room; false if there is more than
// was declared.
func (d *inflater) room() bool {
	if d.at+slack <= len(d.out) {
		return true
	}
	if d.at > d.size {
		return false
	}
	grown := make([]byte, min(2*len(d.out), d.size+slack))
	copy(grown, d.out[:d.at])
	d.out = grown
	return true
}

func (d *inflater) block(kind uint64) bool {
	switch kind {
	case 0:
		return d.stored()
	case 1:
		d.fixed()
	case 2:
		if !d.dynamic() {
			return false
		}
	default:
		return false
	}
	return d.compressed()
}

// stored copies a block that was not compressed.
func (d *inflater) stored() bool {
	d.pos -= int(d.left) / 8 // whole bytes go back; what is left of this one is padding
	d.bits, d.left = 0, 0
	if len(d.in)-d.pos < 4 {
		return false
	}
	length := int(binary.LittleEndian.Uint16(d.in[d.pos:]))
	if length != int(^binary.LittleEndian.Uint16(d.in[d.pos+2:])) {
		return false
	}
	d.pos += 4
	if len(d.in)-d.pos < length || d.at+length > d.size {
		return false
	}
	for d.at+length > len(d.out) {
		grown := make([]byte, min(2*len(d.out), d.size+slack))
		copy(grown, d.out[:d.at])
		d.out = grown
	}
	copy(d.out[d.at:], d.in[d.pos:d.pos+length])
	d.pos, d.at = d.pos+length, d.at+length
	return true
}

// fixed sets the codes of RFC 1951, 3.2.6.
func (d *inflater) fixed() {
	lengths := d.lengths[:litlenSymbols]
	for i := range lengths {
		switch {
		case i < 144:
			lengths[i] = 8
		case i < 256:
			lengths[i] = 9
		case i < 280:
			lengths[i] = 7
		default:
			lengths[i] = 8
		}
	}
	fillTable(d.litlen[:], litlenRoot, lengths, litlenEntry)
	lengths = d.lengths[:distSymbols]
	for i := range lengths {
		lengths[i] = 5
	}
	fillTable(d.dist[:], distRoot, lengths, distEntry)
}

// dynamic reads the codes of a block (RFC 1951, 3.2.7).
func (d *inflater) dynamic() bool {
	d.refill()
	litlens, dists, counts := d.take(5)+257, d.take(5)+1, d.take(4)+4
	if litlens > 286 || dists > 30 {
		return false
	}
	order := [...]uint8{16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15}
	var lengths [len(order)]uint8
	for _, symbol := range order[:counts] {
		d.refill()
		lengths[symbol] = uint8(d.take(3))
	}
	var table [1 << 7]entry
	if d.left < 0 || !fillTable(table[:], 7, lengths[:], plainEntry) || !d.readLengths(table[:], litlens+dists) {
		return false
	}
	if !fillTable(d.litlen[:], litlenRoot, d.lengths[:litlens], litlenEntry) ||
		!fillTable(d.dist[:], distRoot, d.lengths[litlens:litlens+dists], distEntry) {
		return false
	}
	d.join()
	return true
}

// readLengths reads how long the codes of all symbols are.
func (d *inflater) readLengths(table []entry, count int) bool {
	for i := 0; i < count; {
		d.refill()
		e := table[d.bits&(1<<7-1)]
		d.use(e.length())
		symbol, repeat, value := e.value(), 0, uint8(0)
		switch {
		case e&invalid != 0:
			return false
		case symbol < 16:
			d.lengths[i] = uint8(symbol)
			i++
			continue
		case symbol == 16:
			if i == 0 {
				return false
			}
			repeat, value = 3+d.take(2), d.lengths[i-1]
		case symbol == 17:
			repeat = 3 + d.take(3)
		default:
			repeat = 11 + d.take(7)
		}
		if i+repeat > count {
			return false
		}
		for range repeat {
			d.lengths[i] = value
			i++
		}
	}
	return d.left >= 0
}

// compressed reads the symbols of a block up to its end.
func (d *inflater) compressed() bool {
	for d.room() {
		if ended, ok := d.run(); ended || !ok {
			return ok
		}
	}
	return false
}

// run reads symbols as long as there surely is room for what they come to. It is
// the one place where time goes, so its state is in variables of its own, and what
// nobody can predict, a literal or a match, is asked as seldom as can be: see join.
//
// One refill serves two literals and a longest match whose code is in the root,
// 11 + 11 + 5 + 15 + 13 bits. Where the stream ends too early, the bits that it lacks
// read as zero and left becomes negative.
func (d *inflater) run() (ended, ok bool) {
	in, out, pos, at, b, left := d.in, d.out, d.pos, d.at, d.bits, d.left
	for left >= 0 && at <= len(out)-slack {
		if pos+8 <= len(in) {
			b |= binary.LittleEndian.Uint64(in[pos:]) << (left & 63)
			pos += int(63-left) >> 3
			left |= 56
		} else {
			for ; left < 56 && pos < len(in); pos, left = pos+1, left+8 {
				b |= uint64(in[pos]) << (left & 63)
			}
		}
		e := d.litlen[b&(1<<litlenRoot-1)]
		if e&(literal|joined) == literal {
			binary.LittleEndian.PutUint16(out[at:], uint16(e>>valueShift))
			at += 1 + int(e>>pairShift&1)
			b, left = b>>(e&lengthMask), left-int64(e&lengthMask)
			if e = d.litlen[b&(1<<litlenRoot-1)]; e&(literal|joined) == literal {
				binary.LittleEndian.PutUint16(out[at:], uint16(e>>valueShift))
				at += 1 + int(e>>pairShift&1)
				b, left = b>>(e&lengthMask), left-int64(e&lengthMask)
				continue
			}
		}
		if e&(longer|endsBlock|invalid) != 0 {
			if e&longer != 0 {
				if left < 48 && pos < len(in) {
					continue
				}
				b, left = b>>litlenRoot, left-litlenRoot
				e = d.litlen[int(e.value())+int(b&(1<<e.extra()-1))]
			}
			if e&(literal|endsBlock|invalid) != 0 {
				b, left = b>>(e&lengthMask), left-int64(e&lengthMask)
				if e&literal != 0 {
					out[at], at = byte(e>>valueShift), at+1
					continue
				}
				d.pos, d.at, d.bits, d.left = pos, at, b, left
				return true, e&endsBlock != 0 && left >= 0
			}
		}
		out[at] = byte(e >> valueShift) // if it is joined to the match; else that comes here
		at += int(e >> joinedShift & 1)
		b, left = b>>(e&lengthMask), left-int64(e&lengthMask)
		length := int(e>>baseShift) + int(b&(1<<e.extra()-1))
		b, left = b>>e.extra(), left-e.extra()

		e = d.dist[b&(1<<distRoot-1)]
		if e&longer != 0 {
			b, left = b>>distRoot, left-distRoot
			e = d.dist[int(e.value())+int(b&(1<<e.extra()-1))]
		}
		b, left = b>>(e&lengthMask), left-int64(e&lengthMask)
		distance := int(e.value()) + int(b&(1<<e.extra()-1))
		b, left = b>>e.extra(), left-e.extra()
		if e&invalid != 0 || distance > at || left < 0 {
			return false, false
		}
		copyMatch(out, at, distance, length)
		at += length
	}
	d.pos, d.at, d.bits, d.left = pos, at, b, left
	return false, left >= 0
}

// copyMatch repeats what stands distance before at. It may write up to 15 bytes
// more than length: most matches are short, and a step that is always taken costs
// less than asking whether it is needed.
func copyMatch(out []byte, at, distance, length int) {
	from, to := out[at-distance:at+length+16], out[at:at+length+16]
	if distance < 16 {
		for i := range length {
			to[i] = from[i]
		}
		return
	}
	*(*[16]byte)(to) = *(*[16]byte)(from)
	for i := 16; i < length; i += 16 {
		*(*[16]byte)(to[i:]) = *(*[16]byte)(from[i:])
	}
}

// entry is what a table says of the bits that index it: from the lowest, 4 bits of
// how many of them the code takes, 6 flags, 4 bits of how many extra bits follow, 18 of
// value. Of a literal that is its byte, of a length its base above 8 bits of nothing. An
// entry that is longer than the root says where its own table is and how many bits
// index that.
type entry uint32

const (
	lengthMask  = 1<<4 - 1
	literal     = 1 << 4
	pair        = 1 << pairShift   // of literals
	joined      = 1 << joinedShift // a literal and a length
	endsBlock   = 1 << 7
	longer      = 1 << 8
	invalid     = 1 << 9
	pairShift   = 5
	joinedShift = 6
	extraShift  = 10
	valueShift  = 14
	baseShift   = valueShift + 8
)

func (e entry) length() int64 { return int64(e & lengthMask) }
func (e entry) extra() int64  { return int64(e >> extraShift & 15) }
func (e entry) value() uint32 { return uint32(e >> valueShift) }

func newEntry(value, extra int) entry { return entry(value<<valueShift | extra<<extraShift) }

// join makes entries of the root that hold a literal and, if the bits that index them
// reach for it, what comes next too, be it another literal or a length: notes are a
// literal or two and a match, over and over.
func (d *inflater) join() {
	for i := 1<<litlenRoot - 1; i >= 0; i-- { // down: what comes next is further down, and not joined yet
		e := d.litlen[i]
		if e&literal == 0 {
			continue
		}
		next := d.litlen[i>>(e&lengthMask)]
		bits := e&lengthMask + next&lengthMask
		switch {
		case bits > litlenRoot || next&(longer|endsBlock|invalid) != 0:
		case next&literal != 0:
			d.litlen[i] = bits | literal | pair | entry(e.value()|next.value()<<8)<<valueShift
		default:
			d.litlen[i] = bits | literal | joined | e&^lengthMask&^literal | next&^lengthMask
		}
	}
}

// Sizes of the tables: the root's, and one of the longest possible for each two
// symbols, since a full code never has one alone behind a root.
const (
	litlenRoot  = 11
	litlenTable = 1<<litlenRoot + litlenSymbols/2<<(maxCodeBits-litlenRoot)
	distRoot    = 8
	distTable   = 1<<distRoot + distSymbols/2<<(maxCodeBits-distRoot)
)

func plainEntry(symbol int) entry { return newEntry(symbol, 0) }

// litlenEntry is RFC 1951, 3.2.5, for literals and lengths.
func litlenEntry(symbol int) entry {
	switch {
	case symbol < endOfBlock:
		return newEntry(symbol, 0) | literal
	case symbol == endOfBlock:
		return endsBlock
	case symbol < 265:
		return newEntry((symbol-257+3)<<8, 0)
	case symbol < 285:
		extra := (symbol - 261) / 4
		return newEntry((3+(4+(symbol-261)%4)<<extra)<<8, extra)
	case symbol == 285:
		return newEntry(maxMatch<<8, 0)
	}
	return invalid
}

// distEntry is the same for distances.
func distEntry(symbol int) entry {
	switch {
	case symbol < 4:
		return newEntry(symbol+1, 0)
	case symbol < 30:
		extra := symbol/2 - 1
		return newEntry(1+(2+symbol%2)<<extra, extra)
	}
	return invalid
}

// fillTable makes the table of a canonical Huffman code. It refuses a code that is
// too full, and one that is not full unless it has one code of one bit or none.
func fillTable(table []entry, root int, lengths []uint8, entryOf func(symbol int) entry) bool {
	var count, next [maxCodeBits + 1]int
	for _, n := range lengths {
		count[n]++
	}
	count[0] = 0
	code, longest := 0, 0
	for n := 1; n <= maxCodeBits; n++ {
		code = (code + count[n-1]) << 1
		next[n] = code
		if count[n] > 0 {
			longest = n
		}
	}
	full := next[longest] + count[longest]
	if longest > 0 && full != 1<<longest && (full != 1 || longest != 1) {
		return false
	}
	for i := range table[:1<<root] {
		table[i] = invalid | 1
	}
	b := tableBuilder{table: table, root: root, used: 1 << root, longest: longest}
	for symbol, n := range lengths {
		if n > 0 {
			b.put(int(bits.Reverse16(uint16(next[n]))>>(16-n)), int(n), entryOf(symbol))
			next[n]++
		}
	}
	return true
}

// tableBuilder fills a table and those for codes that are longer than its root.
type tableBuilder struct {
	table   []entry
	root    int
	used    int // entries
	longest int // code
}

// put files a code of n bits, the first in the lowest place.
func (b *tableBuilder) put(code, n int, e entry) {
	if n <= b.root {
		for i := code; i < 1<<b.root; i += 1 << n {
			b.table[i] = e | entry(n)
		}
		return
	}
	at := code & (1<<b.root - 1)
	if b.table[at]&longer == 0 {
		// The codes with this beginning may be of several lengths; room for the
		// longest of all serves them.
		size := b.longest - b.root
		b.table[at] = newEntry(b.used, size) | longer | entry(b.root)
		b.used += 1 << size
	}
	sub := b.table[at]
	for i := code >> b.root; i < 1<<sub.extra(); i += 1 << (n - b.root) {
		b.table[int(sub.value())+i] = e | entry(n-b.root)
	}
}
