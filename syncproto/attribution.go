package syncproto

import (
	"slices"

	"doorstep/syncproto/schema"
	"doorstep/syncproto/sorting"
	"doorstep/syncproto/text"
)

// Attribution says of every text of a record, at one version, who wrote each part
// of it, when by their device's clock, under which actor (and so on which device)
// and how; and who deleted what is gone.
type Attribution struct {
	Record  RecordID
	Heads   []ChangeID    // the version, sorted
	Sources []Source      // the changes that texts refer to, in canonical order
	Texts   []TextAuthors // sorted by path
}

// Source is a change that wrote or deleted words, with the evidence of when.
type Source struct {
	Origin
	Seq         uint64 // its place in the actor's chain
	OffsetMin   int64  // the device's offset from UTC, minutes
	MonotonicMS uint64 // since the device's session began, by a clock that is never set
}

// TextAuthors is one text and who wrote it.
type TextAuthors struct {
	Path    Path
	Text    string
	Spans   []AuthoredSpan // all of Text, in its order; neighbours differ in By
	Deleted []DeletedSpan  // in text order
}

// AuthoredSpan is a stretch of a text that one change wrote, in code points, End
// excluded. By is the index of the change among the sources.
type AuthoredSpan struct {
	Start, End uint64
	By         int32
}

// DeletedSpan is what one change wrote and others deleted. At is the code point of
// the text before which it stood; By and DeletedBy are indexes among the sources.
type DeletedSpan struct {
	At        uint64
	Text      string
	By        int32
	DeletedBy []int32
}

// Attribute works out who wrote what at the version that heads name; nil means all
// that counts. It folds the record anew, which opening a record does not need.
// Heads that the graph does not have are ignored; check Graph.Has before.
func Attribute(g *Graph, kind *schema.Kind, verdicts []Verdict, heads []ChangeID) *Attribution {
	var version map[int32]bool
	if heads != nil {
		version = g.ancestorsOf(heads)
	}
	f := newFolder(g, kind, verdicts, version)
	v := &View{}
	f.viewGraph(v)
	out := &Attribution{Record: g.record, Heads: v.Heads}
	index := map[int32]int32{}
	for _, n := range f.order {
		if f.wroteText(n) {
			index[n] = int32(len(out.Sources))
			out.Sources = append(out.Sources, f.source(n))
		}
	}
	var paths []Path
	for path, t := range f.texts {
		if len(t.owners) > 0 { // else it was read, and nobody wrote it
			paths = append(paths, path)
		}
	}
	sorting.By(paths, comparePath)
	for _, path := range paths {
		out.Texts = append(out.Texts, f.texts[path].authors(path, index))
	}
	return out
}

// wroteText reports whether a node has events on a text.
func (f *folder) wroteText(n int32) bool {
	for _, t := range f.texts {
		if _, ok := t.done[n]; ok {
			return true
		}
	}
	return false
}

func (f *folder) source(n int32) Source {
	b := &f.graph.nodes[n].change.Body
	return Source{Origin: f.origin(n), Seq: b.Seq, OffsetMin: b.OffsetMin, MonotonicMS: b.MonotonicMS}
}

// authors says who wrote and deleted what of a text; index gives the places of
// nodes among the sources.
func (t *textField) authors(path Path, index map[int32]int32) TextAuthors {
	by := func(lv text.LV) int32 { return index[t.owner(lv)] }
	out := TextAuthors{Path: path, Text: t.log.String()}
	for _, s := range t.log.Spans() {
		span := AuthoredSpan{Start: uint64(s.Start), End: uint64(s.End), By: by(s.From)}
		if n := len(out.Spans); n > 0 && out.Spans[n-1].By == span.By {
			out.Spans[n-1].End = span.End // two ops of one change
		} else {
			out.Spans = append(out.Spans, span)
		}
	}
	for _, d := range t.log.Deletions() {
		gone := DeletedSpan{At: uint64(d.At), Text: d.Text, By: by(d.From)}
		for _, lv := range d.By {
			gone.DeletedBy = append(gone.DeletedBy, by(lv))
		}
		sorting.Ascending(gone.DeletedBy)
		gone.DeletedBy = slices.Compact(gone.DeletedBy)
		out.Deleted = append(out.Deleted, gone)
	}
	return out
}
