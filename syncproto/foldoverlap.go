package syncproto

import (
	"cmp"
	"slices"

	"doorstep/syncproto/sorting"
)

// viewOverlaps shows the sentences that two people's changes, made apart, both
// touch, until somebody entitled read what became of them (SPEC 5.6).
func (f *folder) viewOverlaps(v *View, path Path, t *textField) {
	var spans []OverlapSpan
	for _, pair := range t.log.Overlaps() {
		a, b := t.owner(pair.A), t.owner(pair.B)
		x, y := f.origin(a), f.origin(b)
		if x.Author == y.Author || f.isRead(t, a, b) {
			continue
		}
		spans = append(spans, OverlapSpan{
			Start: uint64(pair.Start), End: uint64(pair.End),
			Changes: []ChangeID{x.Change, y.Change}, Authors: []UserID{x.Author, y.Author},
		})
	}
	if len(spans) > 0 {
		v.Overlaps = append(v.Overlaps, Overlap{Path: path, Spans: joinSpans(spans)})
	}
}

// joinSpans puts spans in order and makes one of those that are at one place.
func joinSpans(spans []OverlapSpan) []OverlapSpan {
	sorting.By(spans, func(a, b *OverlapSpan) int {
		return cmp.Or(cmp.Compare(a.Start, b.Start), cmp.Compare(a.End, b.End))
	})
	out := spans[:0]
	for _, s := range spans {
		if n := len(out); n > 0 && out[n-1].Start == s.Start && out[n-1].End == s.End {
			out[n-1].Changes = append(out[n-1].Changes, s.Changes...)
			out[n-1].Authors = append(out[n-1].Authors, s.Authors...)
		} else {
			out = append(out, s)
		}
	}
	for i := range out {
		s := &out[i]
		SortChangeIDs(s.Changes)
		s.Changes = slices.Compact(s.Changes)
		sorting.By(s.Authors, func(a, b *UserID) int { return slices.Compare(a[:], b[:]) })
		s.Authors = slices.Compact(s.Authors)
	}
	return out
}

// isRead reports whether somebody read what the merge made of two nodes' edits:
// they said so of the text, or confirmed a version of the record with both in it.
func (f *folder) isRead(t *textField, a, b int32) bool {
	return slices.ContainsFunc(t.read, func(n int32) bool { return f.before(a, n) && f.before(b, n) }) ||
		slices.ContainsFunc(f.versions, func(heads []int32) bool { return f.inVersion(a, heads) && f.inVersion(b, heads) })
}

// inVersion reports whether a node is among heads or an ancestor of one.
func (f *folder) inVersion(n int32, heads []int32) bool {
	return slices.ContainsFunc(heads, func(h int32) bool { return f.before(n, h) })
}
