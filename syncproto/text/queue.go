package text

// A mark on an event in a lvQueue.
type markedLV struct {
	lv   LV
	mark uint8
}

// A lvQueue hands out events newest first. It counts the entries that are not
// marked both, because a walk ends when only those are left.
type lvQueue struct {
	heap     []markedLV
	unshared int
}

func (q *lvQueue) len() int      { return len(q.heap) }
func (q *lvQueue) top() markedLV { return q.heap[0] }

func (q *lvQueue) reset() { q.heap, q.unshared = q.heap[:0], 0 }

func (q *lvQueue) push(lv LV, mark uint8) {
	if mark != both {
		q.unshared++
	}
	q.heap = append(q.heap, markedLV{lv, mark})
	for i := len(q.heap) - 1; i > 0; {
		up := (i - 1) / 2
		if q.heap[up].lv >= q.heap[i].lv {
			return
		}
		q.heap[up], q.heap[i] = q.heap[i], q.heap[up]
		i = up
	}
}

func (q *lvQueue) pop() markedLV {
	first := q.heap[0]
	last := len(q.heap) - 1
	q.heap[0] = q.heap[last]
	q.heap = q.heap[:last]
	for i := 0; ; {
		kid := 2*i + 1
		if kid >= last {
			break
		}
		if kid+1 < last && q.heap[kid+1].lv > q.heap[kid].lv {
			kid++
		}
		if q.heap[i].lv >= q.heap[kid].lv {
			break
		}
		q.heap[i], q.heap[kid] = q.heap[kid], q.heap[i]
		i = kid
	}
	if first.mark != both {
		q.unshared--
	}
	return first
}

// dropFrom removes every event from lv on.
func (q *lvQueue) dropFrom(lv LV) {
	for q.len() > 0 && q.top().lv >= lv {
		q.pop()
	}
}
