package text

// A markedLV is an event with a mark in the lowest bits, so that the largest is
// that of the newest event.
type markedLV int64

const markBits = 2

func marked(lv LV, mark uint8) markedLV { return markedLV(lv)<<markBits | markedLV(mark) }

func (m markedLV) lv() LV      { return LV(m >> markBits) }
func (m markedLV) mark() uint8 { return uint8(m & (1<<markBits - 1)) }

// A lvQueue hands out events newest first. It counts the entries that are not
// marked both, because a walk ends when only those are left.
type lvQueue struct {
	heap     []markedLV
	unshared int
}

func (q *lvQueue) len() int { return len(q.heap) }

// top returns the newest event.
func (q *lvQueue) top() LV { return q.heap[0].lv() }

func (q *lvQueue) reset() { q.heap, q.unshared = q.heap[:0], 0 }

// push adds an event. It is not copied to where it is called, for a tablet's sake.
//
//go:noinline
func (q *lvQueue) push(lv LV, mark uint8) {
	if mark != both {
		q.unshared++
	}
	m := marked(lv, mark)
	q.heap = append(q.heap, m)
	at := len(q.heap) - 1
	for at > 0 {
		up := (at - 1) / 2
		if q.heap[up] >= m {
			break
		}
		q.heap[at] = q.heap[up]
		at = up
	}
	q.heap[at] = m
}

// pushFrom pushes those of a version that are not before oldest.
func (q *lvQueue) pushFrom(oldest LV, version []LV, mark uint8) {
	for _, lv := range version {
		if lv >= oldest {
			q.push(lv, mark)
		}
	}
}

func (q *lvQueue) pop() markedLV {
	end := len(q.heap) - 1
	first, m := q.heap[0], q.heap[end] // the last has to go elsewhere
	q.heap = q.heap[:end]
	heap := q.heap
	if first.mark() != both {
		q.unshared--
	}
	at := 0
	for kid := 1; kid < len(heap); kid = 2*at + 1 {
		if kid+1 < len(heap) && heap[kid+1] > heap[kid] {
			kid++
		}
		if m >= heap[kid] {
			break
		}
		heap[at] = heap[kid]
		at = kid
	}
	if at < len(heap) {
		heap[at] = m
	}
	return first
}

// dropFrom removes every event from lv on.
func (q *lvQueue) dropFrom(lv LV) {
	for q.len() > 0 && q.top() >= lv {
		q.pop()
	}
}
