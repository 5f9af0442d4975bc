package engine

import (
	"slices"
	"unicode/utf8"

	"doorstep/syncproto"
	"doorstep/syncproto/sorting"
	"doorstep/syncproto/text"
)

// textAt returns the text at a path of a view; false if nobody wrote it yet.
func textAt(v *syncproto.View, path syncproto.Path) (string, bool) {
	f, ok := fieldOf(v.Fields, path.Field)
	switch {
	case !ok:
		return "", false
	case path.Element.IsZero():
		return f.Text, true
	case path.Sub == "":
		for _, s := range f.Slots {
			if s.Slot == path.Element {
				return s.Text, true
			}
		}
	default:
		for _, el := range f.Items {
			if el.Element == path.Element {
				sub, ok := fieldOf(el.Fields, path.Sub)
				return sub.Text, ok
			}
		}
	}
	return "", false
}

func fieldOf(fields []syncproto.FieldView, id string) (syncproto.FieldView, bool) {
	for _, f := range fields {
		if f.Field == id {
			return f, true
		}
	}
	return syncproto.FieldView{}, false
}

// overlay returns a copy of v that shows texts as a draft has them. The rest of
// the view, heads included, is that of the changes: a draft is no change yet.
func overlay(v *syncproto.View, d *draft, texts map[syncproto.Path]string, author syncproto.UserID) *syncproto.View {
	out := *v
	out.Fields = slices.Clone(v.Fields)
	out.Overlaps = overlapsWith(v.Overlaps, d)
	by := syncproto.Origin{Author: author, TimeMS: d.last.UnixMS, Capture: d.capture}
	for _, p := range d.parts {
		f := fieldFor(&out.Fields, p.path.Field)
		switch {
		case p.path.Element.IsZero():
			f.Text = texts[p.path]
		case p.path.Sub == "":
			f.Slots = slices.Clone(f.Slots)
			s := slotFor(&f.Slots, p.path.Element)
			s.Text, s.By = texts[p.path], by
		default:
			f.Items = slices.Clone(f.Items)
			for i := range f.Items {
				if f.Items[i].Element == p.path.Element {
					f.Items[i].Fields = slices.Clone(f.Items[i].Fields)
					fieldFor(&f.Items[i].Fields, p.path.Sub).Text = texts[p.path]
				}
			}
		}
	}
	return &out
}

// fieldFor returns the field in a sorted list, adding it if it is not there.
func fieldFor(fields *[]syncproto.FieldView, id string) *syncproto.FieldView {
	i, ok := slices.BinarySearchFunc(*fields, id, func(f syncproto.FieldView, id string) int {
		return compareText(f.Field, id)
	})
	if !ok {
		*fields = sorting.Insert(*fields, i, syncproto.FieldView{Field: id, Set: true})
	}
	return &(*fields)[i]
}

func slotFor(slots *[]syncproto.Slot, id syncproto.ElementID) *syncproto.Slot {
	i, ok := slices.BinarySearchFunc(*slots, id, func(s syncproto.Slot, id syncproto.ElementID) int {
		return slices.Compare(s.Slot[:], id[:])
	})
	if !ok {
		*slots = sorting.Insert(*slots, i, syncproto.Slot{Slot: id})
	}
	return &(*slots)[i]
}

func compareText(a, b string) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

// overlapsWith returns overlaps with their places in the texts as a draft has them.
func overlapsWith(overlaps []syncproto.Overlap, d *draft) []syncproto.Overlap {
	out := slices.Clone(overlaps)
	for i := range out {
		p := slices.IndexFunc(d.parts, func(p part) bool { return p.path == out[i].Path })
		if p < 0 {
			continue
		}
		out[i].Spans = slices.Clone(out[i].Spans)
		for j := range out[i].Spans {
			s := &out[i].Spans[j]
			for _, typed := range d.parts[p].splices {
				s.Start, s.End = moved(s.Start, typed, true), moved(s.End, typed, false)
			}
			s.End = max(s.Start, s.End)
		}
	}
	return out
}

// moved returns where a place in a text comes to lie when something is typed into
// it. What is typed right at the place is before it or, for an end, after it.
func moved(at uint64, typed text.Splice, start bool) uint64 {
	pos, end := uint64(typed.Pos), uint64(typed.Pos+typed.Del)
	switch {
	case at < pos, at == pos && !(start && typed.Del == 0):
		return at
	case at < end && start:
		return pos
	case at < end:
		return pos + uint64(utf8.RuneCountInString(typed.Ins))
	}
	return at - uint64(typed.Del) + uint64(utf8.RuneCountInString(typed.Ins))
}
