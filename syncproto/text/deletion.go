package text

import "slices"

// A Deletion is a stretch that one call of Add wrote and that is gone, with all
// who deleted it.
type Deletion struct {
	At   int    // the code point of the merged text before which it stood
	Text string // the words
	From LV     // the event that inserted its first code point
	// By are the first events of the calls that deleted it, ascending; more than
	// one if people deleted it apart.
	By []LV
}

// Deletions returns everything that was ever typed and is not in the merged text,
// in text order: where it would stand if nothing had been deleted.
//
// It takes a replay of the whole log.
func (l *Log) Deletions() []Deletion {
	s := newSheet(l)
	var out []Deletion
	var last *segment // the deleted segment just before, nil if there is none
	for i := range s.segs {
		seg := &s.segs[i]
		if !seg.deleted() {
			last = nil
			continue
		}
		if last != nil && slices.Equal(last.calls, seg.calls) {
			out[len(out)-1].Text += l.inserted(seg.id, seg.n)
		} else {
			out = append(out, s.deletion(seg))
		}
		last = seg
	}
	return out
}

func (s *sheet) deletion(seg *segment) Deletion {
	d := Deletion{At: int(seg.merged), Text: s.log.inserted(seg.id, seg.n), From: seg.id}
	for _, call := range seg.calls[1:] {
		d.By = append(d.By, s.calls[call])
	}
	return d
}

// inserted returns what n events from lv on inserted.
func (l *Log) inserted(lv LV, n int32) string {
	var b []byte
	end := lv + LV(n)
	for i := l.ops.find(lv); i < len(l.ops.runs) && l.ops.runs[i].lv < end; i++ {
		p := l.ops.part(i, lv, end)
		b = append(b, l.ops.content[p.off:p.off+p.size]...)
	}
	return string(b)
}
