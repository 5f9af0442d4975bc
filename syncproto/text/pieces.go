package text

// A piece is a stretch of the merged text that is contiguous in the history:
// n code points inserted by events lv, lv+1, ..., with their bytes in the
// log's content.
type piece struct {
	lv        LV
	n         int32
	off, size int32
}

// chunkPieces is how many pieces a chunk can hold. One of so many takes 500 bytes, and
// no room is lost where memory is given out in blocks of 512.
const chunkPieces = 31

type chunk struct {
	used   int32
	pieces [chunkPieces]piece
}

// A chunkRef is a chunk's place in pieces.chunks with its code points.
type chunkRef struct{ at, n int32 }

// pieces is the merged text as a list of pieces in chunks. It remembers where
// it was last used, because the next edit is mostly near.
type pieces struct {
	order  []chunkRef // in text order
	chunks []*chunk
	free   []int32 // chunks not in order
	fill   int32   // how many pieces a chunk may hold, at least 4
	n      int32   // code points in all
	size   int     // bytes in all
	cur    int     // an index in order
	start  int32   // the code points before it
}

// seek makes cur the chunk that holds position pos, and the earlier of two
// that meet there.
func (p *pieces) seek(pos int32) {
	for pos < p.start || pos == p.start && p.cur > 0 {
		p.cur--
		p.start -= p.order[p.cur].n
	}
	for pos > p.start+p.order[p.cur].n {
		p.start += p.order[p.cur].n
		p.cur++
	}
}

// within returns the piece of a chunk that position rel lies in or ends, and
// how many of its code points come before.
func (c *chunk) within(rel int32) (int32, int32) {
	list := c.pieces[:c.used]
	for i := range list {
		n := list[i].n
		if rel <= n {
			return int32(i), rel
		}
		rel -= n
	}
	return c.used, rel
}

// insert puts a piece at code point pos.
func (p *pieces) insert(pos int32, add piece, content []byte) {
	p.n += add.n
	p.size += int(add.size)
	if len(p.order) == 0 {
		p.order = append(p.order, chunkRef{p.take(), 0})
	}
	p.seek(pos)
	p.room(pos)
	c := p.chunks[p.order[p.cur].at]
	p.order[p.cur].n += add.n
	i, rel := c.within(pos - p.start)
	if i < c.used && rel == c.pieces[i].n {
		if c.pieces[i].extend(add) {
			return
		}
		i, rel = i+1, 0
	}
	if i < c.used && rel > 0 {
		c.split(i, rel, content)
		i++
	}
	c.open(i, add)
}

// extend appends a piece that continues this one in the history, if together
// they are not too long.
func (a *piece) extend(b piece) bool {
	if b.lv != a.lv+LV(a.n) || b.off != a.off+a.size {
		return false
	}
	if a.n+b.n != a.size+b.size && a.n+b.n > maxMixedPoints {
		return false
	}
	a.n += b.n
	a.size += b.size
	return true
}

// split cuts piece i after rel code points.
func (c *chunk) split(i, rel int32, content []byte) {
	first, rest := c.pieces[i].cut(rel, content)
	c.pieces[i] = first
	c.open(i+1, rest)
}

func (a piece) cut(rel int32, content []byte) (first, rest piece) {
	bytes := rel
	if a.n != a.size {
		bytes = offsetOf(content[a.off:a.off+a.size], rel)
	}
	first = piece{a.lv, rel, a.off, bytes}
	rest = piece{a.lv + LV(rel), a.n - rel, a.off + bytes, a.size - bytes}
	return first, rest
}

func (c *chunk) open(i int32, add piece) {
	copy(c.pieces[i+1:c.used+1], c.pieces[i:c.used])
	c.pieces[i] = add
	c.used++
}

// room makes room for two more pieces in the current chunk, which was sought for pos,
// by splitting it if necessary.
func (p *pieces) room(pos int32) {
	if p.chunks[p.order[p.cur].at].used+2 <= p.fill {
		return
	}
	at := p.take()
	c, next := p.chunks[p.order[p.cur].at], p.chunks[at]
	half := c.used / 2
	next.used = int32(copy(next.pieces[:], c.pieces[half:c.used]))
	c.used = half
	moved := int32(0)
	for i := range next.used {
		moved += next.pieces[i].n
	}
	p.order[p.cur].n -= moved
	p.order = append(p.order, chunkRef{})
	copy(p.order[p.cur+2:], p.order[p.cur+1:])
	p.order[p.cur+1] = chunkRef{at, moved}
	p.seek(pos) // which may be in the next one now
}

func (p *pieces) take() int32 {
	if n := len(p.free); n > 0 {
		at := p.free[n-1]
		p.free = p.free[:n-1]
		p.chunks[at].used = 0
		return at
	}
	p.chunks = append(p.chunks, new(chunk))
	return int32(len(p.chunks) - 1)
}

// remove deletes n code points from pos on.
func (p *pieces) remove(pos, n int32, content []byte) {
	p.n -= n
	for n > 0 {
		p.seek(pos + 1) // the chunk with the code point at pos
		p.room(pos + 1)
		removed := min(n, p.start+p.order[p.cur].n-pos)
		c := p.chunks[p.order[p.cur].at]
		p.size -= int(c.remove(pos-p.start, removed, content))
		p.order[p.cur].n -= removed
		n -= removed
		p.tidy()
	}
}

// remove deletes n code points from rel on, and returns their size in bytes.
func (c *chunk) remove(rel, n int32, content []byte) int32 {
	size := int32(0)
	i, rel := c.within(rel)
	if i < c.used && rel == c.pieces[i].n {
		i, rel = i+1, 0
	}
	if rel > 0 {
		c.split(i, rel, content)
		i++
	}
	from := i
	for ; n > 0 && c.pieces[i].n <= n; i++ {
		n -= c.pieces[i].n
		size += c.pieces[i].size
	}
	if n > 0 {
		gone, rest := c.pieces[i].cut(n, content)
		size += gone.size
		c.pieces[i] = rest
	}
	c.used -= int32(i - from)
	copy(c.pieces[from:c.used], c.pieces[i:])
	return size
}

// tidy joins the current chunk with the next if both have become small.
func (p *pieces) tidy() {
	if p.cur+1 >= len(p.order) {
		return
	}
	ref, next := &p.order[p.cur], p.order[p.cur+1]
	c, d := p.chunks[ref.at], p.chunks[next.at]
	if c.used+d.used > p.fill/2 {
		return
	}
	c.used += int32(copy(c.pieces[c.used:], d.pieces[:d.used]))
	ref.n += next.n
	p.free = append(p.free, next.at)
	p.order = append(p.order[:p.cur+1], p.order[p.cur+2:]...)
}

// each calls f with every piece in text order.
func (p *pieces) each(f func(piece)) {
	for _, ref := range p.order {
		c := p.chunks[ref.at]
		for i := range c.used {
			f(c.pieces[i])
		}
	}
}
