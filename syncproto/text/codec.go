package text

import (
	"bytes"
	"hash/crc32"
	"unicode/utf8"
)

// magic begins every encoded log; its last byte is the version of the format.
const magic = "DTX\x01"

// ErrEncoding is the reason why Decode refused bytes that Encode would not
// have written.
const ErrEncoding = Error("malformed encoding")

// Encode returns the log as bytes, column by column: the same changes added
// in the same order give the same bytes. They are for keeping a log on one
// device; what devices exchange is the changes.
func (l *Log) Encode() []byte { return assemble(l.columns(), l.ops.content) }

// columns returns all of the log but the inserted text.
func (l *Log) columns() []byte {
	e := encoder{b: make([]byte, 0, len(l.ops.runs)*3+64)}
	e.authors(&l.authors)
	e.calls(&l.calls)
	e.graph(&l.graph)
	e.ops(&l.ops)
	return e.b
}

// assemble packs the parts of an encoded log, and puts the magic before and the
// checksum behind them.
func assemble(columns, content []byte) []byte {
	e := encoder{b: append(make([]byte, 0, len(columns)+len(content)+64), magic...)}
	e.packed(columns)
	e.packed(content)
	sum := checksum(e.b)
	return append(e.b, sum[:]...)
}

// sumBytes is the length of the checksum at the end, a CRC-32 (IEEE) of all
// before it, the lowest byte first. It finds accidents, not forgery.
const sumBytes = 4

func checksum(b []byte) [sumBytes]byte {
	sum := crc32.ChecksumIEEE(b)
	return [sumBytes]byte{byte(sum), byte(sum >> 8), byte(sum >> 16), byte(sum >> 24)}
}

type encoder struct{ b []byte }

// uint writes seven bits a byte, the lowest first; all but the last byte have
// the top bit set.
func (e *encoder) uint(v int) {
	for ; v >= 0x80; v >>= 7 {
		e.b = append(e.b, byte(v)|0x80)
	}
	e.b = append(e.b, byte(v))
}

// sint writes 0, -1, 1, -2, ... as 0, 1, 2, 3, ...
func (e *encoder) sint(v int) { e.uint(v<<1 ^ v>>63) }

// authors writes the agents' names, and the runs: agent, length, and how far
// its number is from the one after the agent's run before.
func (e *encoder) authors(a *authors) {
	e.uint(len(a.names))
	for _, name := range a.names {
		e.uint(len(name))
		e.b = append(e.b, name...)
	}
	e.uint(len(a.runs))
	next := make([]int32, len(a.names))
	for i, r := range a.runs {
		stop := a.upTo(int32(i))
		e.uint(int(r.agent))
		e.uint(int(stop - r.seq))
		e.sint(int(r.seq - next[r.agent]))
		next[r.agent] = stop
	}
}

// calls writes runs: the size of a call and the number of such calls.
func (e *encoder) calls(c *calls) {
	e.uint(len(c.runs))
	for i, r := range c.runs {
		stop := c.end
		if i+1 < len(c.runs) {
			stop = c.runs[i+1].start
		}
		e.uint(int(r.size))
		e.uint(int(stop-r.start) / int(r.size))
	}
}

// graph writes runs: length, then 0 if the parents were all there was, or
// else one more than their number and how far back each lies.
func (e *encoder) graph(g *graph) {
	e.uint(len(g.runs))
	for i, r := range g.runs {
		e.uint(int(g.upTo(i) - r.start))
		if r.linear {
			e.uint(0)
			continue
		}
		parents := g.parentsOf(i)
		e.uint(len(parents) + 1)
		for _, p := range parents {
			e.uint(int(r.start - p))
		}
	}
}

// ops writes runs: kind, length and how far the position is from where the
// run before left the writer.
func (e *encoder) ops(o *ops) {
	e.uint(len(o.runs))
	pen := int32(0)
	for i, r := range o.runs {
		stop, _ := o.upTo(i)
		n := int32(stop - r.lv)
		move := r.pos - r.expected(pen)
		head := int(n)<<3 | int(r.kind)
		if move == 0 {
			e.uint(head)
		} else {
			e.uint(head | hasMove)
			e.sint(int(move))
		}
		pen = r.penAfter(n)
	}
}

// hasMove marks a run that does not begin where it is expected to.
const hasMove = 4

// expected returns where a run begins if the writer stays at the pen: a
// deletion is expected to go back over the code point before it.
func (r *opRun) expected(pen int32) int32 {
	if r.kind == insertion || pen == 0 {
		return pen
	}
	return pen - 1
}

// penAfter returns where n events of a run leave the writer.
func (r *opRun) penAfter(n int32) int32 {
	switch r.kind {
	case insertion:
		return r.pos + n
	case deletionBack:
		return r.pos - n + 1
	}
	return r.pos
}

// Decode reads what Encode wrote, and replays it. It refuses everything that
// Encode would not have written, and every history that Add would not have
// accepted, with ErrEncoding or the reason that Add would have given.
func Decode(b []byte) (*Log, error) {
	if len(b) < len(magic)+sumBytes || string(b[:len(magic)]) != magic {
		return nil, ErrEncoding
	}
	body := b[:len(b)-sumBytes]
	if sum := checksum(body); !bytes.Equal(sum[:], b[len(body):]) {
		return nil, ErrEncoding
	}
	parts := decoder{b: body[len(magic):]}
	d, l := decoder{b: parts.packed()}, New()
	content := parts.packed()
	d.authors(&l.authors)
	d.calls(&l.calls)
	d.graph(&l.graph)
	d.ops(&l.ops, &l.graph, content)
	if d.bad || parts.bad || len(d.b) > 0 || len(parts.b) > 0 || !l.consistent() || !bytes.Equal(l.Encode(), b) {
		return nil, ErrEncoding
	}
	if l.graph.end > 0 {
		l.merger.loading = true
		if err := l.sync(); err != nil {
			return nil, err
		}
		l.merger.loading = false
	}
	return l, nil
}

// consistent reports whether all columns speak of the same events, and each
// call of one agent and one version.
func (l *Log) consistent() bool {
	n := l.graph.end
	if l.ops.end != n || l.authors.end != n || l.calls.end != n {
		return false
	}
	for _, r := range l.graph.runs {
		if start, _ := l.calls.of(r.start); start != r.start {
			return false
		}
	}
	for _, r := range l.authors.runs {
		if start, _ := l.calls.of(r.start); start != r.start {
			return false
		}
	}
	return true
}

type decoder struct {
	b   []byte
	bad bool
}

// fail gives up: whatever is read from here on is 0.
func (d *decoder) fail() { d.b, d.bad = nil, true }

// varint reads what encoder.uint writes, in at most nine bytes. More bytes
// than necessary are found out when the log is encoded again.
func (d *decoder) varint() int {
	v := 0
	for i, c := range d.b {
		if i == 9 {
			break
		}
		v |= int(c&0x7f) << (7 * i)
		if c < 0x80 {
			d.b = d.b[i+1:]
			return v
		}
	}
	d.fail()
	return 0
}

// uint reads a number up to limit.
func (d *decoder) uint(limit int) int {
	v := d.varint()
	if v > limit {
		d.fail()
		return 0
	}
	return v
}

// sint reads a number between -maxEvents and maxEvents.
func (d *decoder) sint() int {
	v := d.uint(2 * maxEvents)
	return v>>1 ^ -(v & 1)
}

// count reads how many entries follow, each of at least size bytes.
func (d *decoder) count(size int) int { return d.uint(len(d.b) / size) }

// size reads the length of a run, of at least one event, after end others.
func (d *decoder) size(end LV) int {
	n := d.uint(maxEvents - int(end))
	if n == 0 {
		d.fail()
	}
	return n
}

func (d *decoder) bytes() []byte {
	n := d.uint(len(d.b))
	if n > len(d.b) {
		d.fail()
		return nil
	}
	v := d.b[:n]
	d.b = d.b[n:]
	return v
}

func (d *decoder) authors(a *authors) {
	for range d.count(1) {
		name := d.bytes()
		if _, twice := a.byName[string(name)]; twice || len(name) > maxAgentBytes {
			d.fail()
			return
		}
		a.intern(name)
	}
	next := make([]int, len(a.names))
	seen := 0 // agents are in the order of their first event
	for range d.count(3) {
		agent := d.uint(seen)
		n := d.size(a.end)
		if agent == len(a.names) {
			d.fail()
		}
		if d.bad {
			return
		}
		seen = max(seen, agent+1)
		seq := next[agent] + d.sint()
		if seq < 0 || seq > maxEvents-n || a.used(int32(agent), seq, n) {
			d.fail()
			return
		}
		a.add(nil, int32(agent), seq, n)
		next[agent] = seq + n
	}
	if seen != len(a.names) {
		d.fail()
	}
}

func (d *decoder) calls(c *calls) {
	for range d.count(2) {
		size, times := d.size(c.end), d.size(c.end)
		if d.bad || times > (maxEvents-int(c.end))/size || c.continues(size) {
			d.fail()
			return
		}
		c.add(size)
		c.end += LV(size) * LV(times-1)
	}
}

func (d *decoder) graph(g *graph) {
	for range d.count(2) {
		n := d.size(g.end)
		parents := g.frontier
		if number := d.uint(len(d.b) + 1); number > 0 {
			parents = nil
			for range number - 1 {
				parents = append(parents, g.end-LV(d.uint(int(g.end))))
			}
		}
		if d.bad || !g.reduced(parents) {
			d.fail()
			return
		}
		g.append(parents, n)
	}
}

// reduced reports whether parents are a version as Reduce returns it.
func (g *graph) reduced(parents []LV) bool {
	for _, p := range parents {
		if p < 0 || p >= g.end {
			return false
		}
	}
	return len(parents) == len(g.reduce(parents)) && isAscending(parents)
}

func isAscending(list []LV) bool {
	for i := 1; i < len(list); i++ {
		if list[i-1] >= list[i] {
			return false
		}
	}
	return true
}

// A runHead is what the encoding says of a run of operations before it comes
// to the content.
type runHead struct {
	run opRun
	n   int32
}

func (d *decoder) ops(o *ops, g *graph, content []byte) {
	heads := d.heads()
	o.content = content
	if d.bad || !utf8.Valid(o.content) {
		d.fail()
		return
	}
	run, off := 0, int32(0)
	for i, h := range heads {
		for run+1 < len(g.runs) && g.upTo(run) <= o.end {
			run++
		}
		if run >= len(g.runs) || o.end+LV(h.n) > g.upTo(run) {
			d.fail()
			return
		}
		h.run.off = off
		fresh := g.runs[run].start == o.end
		if h.run.kind != insertion {
			o.removeRun(&h.run, h.n, fresh)
		} else if end := off + offsetOf(o.content[off:], h.n); o.insertable(off, end, h.n) {
			o.insertRun(&h.run, end, h.n, fresh)
			off = end
		}
		if len(o.runs) != i+1 {
			d.fail()
			return
		}
	}
	if int(off) != len(o.content) {
		d.fail()
	}
}

// insertable reports whether content[off:end] has n code points, and not more
// than a run may have.
func (o *ops) insertable(off, end, n int32) bool {
	return utf8.RuneCount(o.content[off:end]) == int(n) && (n == end-off || n <= maxMixedPoints)
}

func (d *decoder) heads() []runHead {
	var heads []runHead
	pen, end := int32(0), LV(0)
	for range d.count(1) {
		v := d.uint(maxEvents<<3 | hasMove | int(opKinds))
		h := runHead{opRun{kind: opKind(v & 3)}, int32(v >> 3)}
		move := 0
		if v&hasMove != 0 {
			move = d.sint()
		}
		pos := int(h.run.expected(pen)) + move
		if d.bad || h.run.kind >= opKinds || h.n == 0 || h.n > maxEvents-int32(end) || pos < 0 || pos > maxEvents {
			d.fail()
			return nil
		}
		h.run.pos = int32(pos)
		pen = max(h.run.penAfter(h.n), 0)
		end += LV(h.n)
		heads = append(heads, h)
	}
	return heads
}
