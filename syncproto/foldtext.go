package syncproto

import (
	"cmp"
	"slices"
	"unicode/utf8"

	"doorstep/syncproto/text"
)

// textField is one text that people splice. Its events form a graph of their
// own, a thinning of the record's: only changes that touched this text count.
type textField struct {
	log     *text.Log
	last    int32             // the last node in canonical order that touched it
	touched map[int32][]int32 // run of the record's graph -> nodes that touched it, oldest first
	done    map[int32]progress
	owners  []eventRange // by first event
	read    []int32      // nodes by which somebody entitled took note of the overlaps
	surplus int          // code points deleted, as often as a change did, less those inserted
}

// progress is how far one change's events on a text reach.
type progress struct {
	last   text.LV // its last event
	events int
}

// eventRange says that the events from first on, up to the next range, are a node's.
type eventRange struct {
	first text.LV
	node  int32
}

func (f *folder) text(path Path) *textField {
	t := f.texts[path]
	if t == nil {
		t = &textField{log: text.New(), touched: map[int32][]int32{}, done: map[int32]progress{}}
		f.texts[path] = t
	}
	return t
}

// splice applies a change's edits at the version that its deps name. Edits that
// reach outside the text are clamped to it, so that no word is lost, and those that
// would delete beyond MaxRedeleted only insert; the result is false, and they are
// counted.
func (f *folder) splice(n int32, path Path, splices []text.Splice) bool {
	t := f.text(path)
	t.last = n
	parents := f.textVersion(t, n)
	agent, seq := f.agent(n), t.done[n].events
	first := t.events()
	var version []text.LV
	err := error(CodeTooLarge)
	if t.mayDelete(splices) {
		version, err = t.log.Add(agent, seq, parents, splices)
	}
	asWritten := err == nil
	if !asWritten {
		splices = t.fit(splices, t.log.LenAt(parents))
		if version, err = t.log.Add(agent, seq, parents, splices); err != nil {
			return false
		}
	}
	inserted, deleted := countEvents(splices)
	t.surplus += deleted - inserted
	if count := inserted + deleted; count > 0 {
		t.note(&f.graph.nodes[n], n, first, progress{last: version[0], events: seq + count})
	}
	return asWritten
}

// fit returns splices as they count in a text of a length: inside it, and
// without their deletions if these are too many.
func (t *textField) fit(splices []text.Splice, length int) []text.Splice {
	splices = clamp(splices, length)
	if !t.mayDelete(splices) {
		for i := range splices {
			splices[i].Del = 0
		}
	}
	return splices
}

// mayDelete reports whether the text stays within MaxRedeleted with splices. Only
// what people who write apart both delete counts in the end: what one deletes,
// somebody inserted.
func (t *textField) mayDelete(splices []text.Splice) bool {
	left := MaxRedeleted - t.surplus
	for i := range splices {
		left += utf8.RuneCountInString(splices[i].Ins)
	}
	for i := range splices {
		if left -= splices[i].Del; left < 0 { // at once, as the sum may not fit an int
			return false
		}
	}
	return true
}

// agent names a change's events so that ties fall to actor, then sequence
// number, then change id (SPEC 5.6).
func (f *folder) agent(n int32) []byte {
	c := f.graph.nodes[n].change
	b := make([]byte, 0, len(c.Body.Actor)+8+len(c.ID))
	b = append(b, c.Body.Actor[:]...)
	for shift := 56; shift >= 0; shift -= 8 { // encoding/binary would link reflect
		b = append(b, byte(c.Body.Seq>>shift))
	}
	return append(b, c.ID[:]...)
}

// textVersion is the version of the text that node n's deps name: the last
// events of the nearest ancestors that touched it.
func (f *folder) textVersion(t *textField, n int32) []text.LV {
	if p, ok := t.done[n]; ok {
		return []text.LV{p.last}
	}
	var version []text.LV
	f.graph.walk(f.graph.nodes[n].deps, func(m int32) bool {
		x := &f.graph.nodes[m]
		in := t.touched[x.run]
		i, exact := slices.BinarySearchFunc(in, x.nth, func(k, nth int32) int {
			return cmp.Compare(f.graph.nodes[k].nth, nth)
		})
		if !exact {
			i--
		}
		if i < 0 {
			return true
		}
		version = append(version, t.done[in[i]].last)
		return false
	})
	return t.log.Reduce(version)
}

func (t *textField) events() text.LV {
	if len(t.owners) == 0 {
		return 0
	}
	return t.done[t.owners[len(t.owners)-1].node].last + 1
}

func (t *textField) note(x *node, n int32, first text.LV, p progress) {
	if _, again := t.done[n]; !again {
		t.touched[x.run] = append(t.touched[x.run], n)
		t.owners = append(t.owners, eventRange{first: first, node: n})
	}
	t.done[n] = p
}

// owner returns the node that made an event.
func (t *textField) owner(lv text.LV) int32 {
	i, exact := slices.BinarySearchFunc(t.owners, lv, func(r eventRange, lv text.LV) int {
		return cmp.Compare(r.first, lv)
	})
	if !exact {
		i--
	}
	return t.owners[i].node
}

// clamp moves splices that reach outside a text of length code points inside it.
func clamp(splices []text.Splice, length int) []text.Splice {
	out := make([]text.Splice, 0, len(splices))
	for _, s := range splices {
		s.Pos = min(max(s.Pos, 0), length)
		s.Del = min(max(s.Del, 0), length-s.Pos)
		length += utf8.RuneCountInString(s.Ins) - s.Del
		out = append(out, s)
	}
	return out
}

// countEvents returns the code points that splices insert and delete.
func countEvents(splices []text.Splice) (inserted, deleted int) {
	for i := range splices {
		inserted += utf8.RuneCountInString(splices[i].Ins)
		deleted += splices[i].Del
	}
	return inserted, deleted
}
