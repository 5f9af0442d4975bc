package text

// An opKind says what a run of events does.
type opKind uint8

const (
	insertion    opKind = iota // at pos, pos+1, ...
	deletion                   // at pos every time, as the Delete key does
	deletionBack               // at pos, pos-1, ..., as the Backspace key does
	opKinds                    // how many kinds there are
)

// maxMixedPoints bounds a run of insertions, and a piece of the text, with code
// points of several bytes: a place inside is found by counting. Plain ASCII is
// not bounded.
const maxMixedPoints = 1024

// An opRun is a stretch of events that follow from one another. It ends where
// the next run begins. No run reaches over the start of a graphRun.
type opRun struct {
	lv     LV
	pos    int32 // of the first event, at its version
	length int32 // of the text before the first event, at its version
	off    int32 // where in content the inserted text begins
	kind   opKind
}

// ops is the list of everything that was typed and deleted.
type ops struct {
	runs    []opRun
	content []byte // all inserted text, in order of arrival
	end     LV     // the number of events
}

// upTo returns the first event and the first byte after run i.
func (o *ops) upTo(i int) (LV, int32) {
	if i+1 < len(o.runs) {
		return o.runs[i+1].lv, o.runs[i+1].off
	}
	return o.end, int32(len(o.content))
}

// find returns the index of the run that holds an event.
// It searches from the end, as graph.find does.
func (o *ops) find(lv LV) int {
	hi := len(o.runs)
	lo := max(hi-1, 0)
	for stride := 1; lo > 0 && o.runs[lo].lv > lv; stride *= 2 {
		lo, hi = max(lo-stride, 0), lo
	}
	for lo+1 < hi {
		mid := int(uint(lo+hi) / 2)
		if o.runs[mid].lv <= lv {
			lo = mid
		} else {
			hi = mid
		}
	}
	return lo
}

// lengthAfter returns the length of the text at the version of one event.
func (o *ops) lengthAfter(lv LV) int32 {
	r := &o.runs[o.find(lv)]
	if r.kind == insertion {
		return r.length + int32(lv-r.lv) + 1
	}
	return r.length - int32(lv-r.lv) - 1
}

// insert appends the insertion of text, n code points long, into a text of
// the given length. fresh says that the events do not follow the last one.
func (o *ops) insert(pos, length int32, text string, n int, fresh bool) {
	off := int32(len(o.content))
	o.add(text)
	for len(o.content)-int(off) != n && n > maxMixedPoints {
		next := off + offsetOf(o.content[off:], maxMixedPoints)
		o.insertRun(&opRun{pos: pos, length: length, off: off}, next, maxMixedPoints, fresh)
		fresh = false
		pos, length = pos+maxMixedPoints, length+maxMixedPoints
		off, n = next, n-maxMixedPoints
	}
	o.insertRun(&opRun{pos: pos, length: length, off: off}, int32(len(o.content)), int32(n), fresh)
}

// add appends to the content, and where that has no room it makes room as push does.
func (o *ops) add(text string) {
	if cap(o.content)-len(o.content) < len(text) {
		o.content = append(make([]byte, 0, 2*len(o.content)+len(text)), o.content...)
	}
	o.content = append(o.content, text...)
}

// insertRun appends n insertions, with the content from r.off up to end.
func (o *ops) insertRun(r *opRun, end, n int32, fresh bool) {
	if fresh || !o.continues(r, end, n) {
		o.begin(r)
	}
	o.end += LV(n)
}

// begin appends a run.
func (o *ops) begin(r *opRun) {
	r.lv = o.end
	push(&o.runs, *r)
}

// continues reports whether n insertions continue the last run.
func (o *ops) continues(r *opRun, end, n int32) bool {
	if len(o.runs) == 0 {
		return false
	}
	last := &o.runs[len(o.runs)-1]
	have := int32(o.end - last.lv)
	if last.kind != insertion || last.pos+have != r.pos {
		return false
	}
	ascii := end-last.off == have+n
	return ascii || have+n <= maxMixedPoints
}

// remove appends n deletions at pos in a text of the given length.
func (o *ops) remove(pos, length int32, n int, fresh bool) {
	o.removeRun(&opRun{0, pos, length, int32(len(o.content)), deletion}, int32(n), fresh)
}

// removeRun appends n deletions.
func (o *ops) removeRun(r *opRun, n int32, fresh bool) {
	if n == 1 {
		r.kind = deletion // in no direction yet
	}
	if fresh || !o.joins(r, n) {
		o.begin(r)
	}
	o.end += LV(n)
}

// joins reports whether n deletions continue the last run, and makes that run
// go backwards if they decide its direction.
func (o *ops) joins(r *opRun, n int32) bool {
	if len(o.runs) == 0 {
		return false
	}
	last := &o.runs[len(o.runs)-1]
	have := int32(o.end - last.lv)
	if last.kind == deletion && r.kind == deletion && last.pos == r.pos {
		return true
	}
	back := last.kind == deletionBack || last.kind == deletion && have == 1
	if back && last.pos-have == r.pos && (r.kind == deletionBack || n == 1) {
		last.kind = deletionBack
		return true
	}
	return false
}

// push appends to a list. Where that has no room, it makes room for as many as there are:
// append makes long lists a quarter longer at a time, and so copies, and leaves behind,
// each element four times. It is not copied to where it is called, for a tablet's sake.
//
//go:noinline
func push[T any](list *[]T, v T) {
	n := len(*list)
	if n == cap(*list) {
		room := make([]T, n, 2*n+1)
		copy(room, *list)
		*list = room
	}
	*list = (*list)[:n+1]
	(*list)[n] = v
}

// An opPart is the part of a run that a caller asked for.
type opPart struct {
	kind   opKind
	lv     LV
	n      int32
	pos    int32 // of its first event
	length int32 // of the text before its first event
	off    int32 // the inserted bytes
	size   int32
}

// part returns the part of run i between two events.
func (o *ops) part(i int, from, to LV) (p opPart) {
	o.setPart(&p, i, from, to)
	return p
}

// setPart does what part does, in place: on a tablet it is dear to pass parts on.
func (o *ops) setPart(p *opPart, i int, from, to LV) {
	r := &o.runs[i]
	stop, bytes := o.upTo(i)
	p.kind, p.lv, p.pos, p.length, p.off, p.size = r.kind, max(from, r.lv), r.pos, r.length, r.off, 0
	p.n = int32(min(to, stop) - p.lv)
	skip := int32(p.lv - r.lv)
	switch r.kind {
	case insertion:
		p.pos += skip
		p.length += skip
		p.off, p.size = o.bytesOf(r.off, bytes, skip, p.n, int32(stop-r.lv))
	case deletionBack:
		p.pos -= skip
		p.length -= skip
	case deletion:
		p.length -= skip
	}
}

// bytesOf returns where n of the total code points in content[off:end] lie,
// skipping some.
func (o *ops) bytesOf(off, end, skip, n, total int32) (start, size int32) {
	if end-off == total {
		return off + skip, n
	}
	if skip > 0 {
		off += offsetOf(o.content[off:end], skip)
	}
	if skip+n < total {
		end = off + offsetOf(o.content[off:end], n)
	}
	return off, end - off
}

// offsetOf returns how many bytes the first n code points of b take.
func offsetOf(b []byte, n int32) int32 {
	for i, c := range b {
		if c&0xc0 == 0x80 { // not the first byte of a code point
			continue
		}
		if n == 0 {
			return int32(i)
		}
		n--
	}
	return int32(len(b))
}
