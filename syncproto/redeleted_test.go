package syncproto

import (
	"bytes"
	"crypto/sha256"
	"slices"
	"strconv"
	"strings"
	"testing"

	"doorstep/syncproto/schema"
	"doorstep/syncproto/text"
)

// A crowd writes one text apart: everybody on top of the same change.
type crowd struct {
	t    *testing.T
	list []*Change
}

// writes makes a change by somebody who writes one change only.
func (c *crowd) writes(deps []ChangeID, splices ...text.Splice) ChangeID {
	n := len(c.list)
	change := &Change{ID: ChangeID(sha256.Sum256([]byte(strconv.Itoa(n)))), Body: Body{
		Record: RecordID{1}, Kind: "story", SchemaVersion: 1,
		Actor: ActorID{byte(n >> 8), byte(n)}, Author: UserID{byte(n >> 8), byte(n)}, Seq: 1,
		Deps: deps, Ops: []Op{{Code: OpSplice, Path: Path{Field: "summary"}, Splices: splices}},
	}}
	SortChangeIDs(change.Body.Deps)
	c.list = append(c.list, change)
	return change.ID
}

func (c *crowd) folder() *folder {
	c.t.Helper()
	g := NewGraph(RecordID{1})
	for _, change := range c.list {
		if _, err := g.Add(change); err != nil {
			c.t.Fatal(err)
		}
	}
	kind := &schema.Kind{ID: "story", Version: 1, Fields: []schema.Field{{ID: "summary", Rule: schema.Text, Type: schema.TypeProse}}}
	return newFolder(g, kind, nil, nil)
}

// TestTextDeletedByManyApart has far more people than the bound allows delete, apart
// and with a few bytes each, all of a text that was typed in many places. However
// many they are, the deletions that are replayed stay within the bound, and
// everybody's words are in the text.
func TestTextDeletedByManyApart(t *testing.T) {
	const places = 8 << 10
	const people = 3 * MaxRedeleted / (2 * places)
	c := &crowd{t: t}
	base := c.writes(nil, text.Splice{Ins: strings.Repeat("x", places)})
	var between []text.Splice
	for i := range places {
		between = append(between, text.Splice{Pos: 2 * i, Ins: "y"})
	}
	base = c.writes([]ChangeID{base}, between...)
	for i := range people {
		c.writes([]ChangeID{base}, text.Splice{Del: 2 * places, Ins: "(" + strconv.Itoa(i) + ")"})
	}
	f := c.folder()
	field := f.texts[Path{Field: "summary"}]
	inserted := 0
	for _, change := range c.list {
		n, _ := countEvents(change.Body.Ops[0].Splices)
		inserted += n
	}
	replayed := int(field.events())
	if deleted := replayed - inserted; deleted > inserted+MaxRedeleted || deleted < MaxRedeleted {
		t.Errorf("%d deletions are replayed for %d insertions, want at most %d more", deleted, inserted, MaxRedeleted)
	}
	if f.noOps == 0 || f.noOps >= people {
		t.Errorf("%d of %d ops only insert", f.noOps, people)
	}
	words := field.log.String()
	for i := range people {
		if word := "(" + strconv.Itoa(i) + ")"; strings.Count(words, word) != 1 {
			t.Errorf("%s is in the text %d times", word, strings.Count(words, word))
		}
	}
	if strings.ContainsAny(words, "xy") {
		t.Error("what was deleted within the bound is in the text")
	}
}

// TestTextOfOneIsDeletedWithoutBound has one person type and delete far more than
// MaxRedeleted: it counts only what several delete apart.
func TestTextOfOneIsDeletedWithoutBound(t *testing.T) {
	c := &crowd{t: t}
	var deps []ChangeID
	full := strings.Repeat("word ", MaxSpliceText/5)
	for range 3 * MaxRedeleted / len(full) {
		deps = []ChangeID{c.writes(deps, text.Splice{Ins: full})}
		deps = []ChangeID{c.writes(deps, text.Splice{Del: len(full)})}
	}
	f := c.folder()
	if got := f.texts[Path{Field: "summary"}].log.Len(); got != 0 || f.noOps != 0 {
		t.Errorf("%d code points are left and %d ops had no effect, want none", got, f.noOps)
	}
}

// TestTextBoundIsTheSameInAnyOrder folds a crowd that passes the bound in several
// orders of arrival.
func TestTextBoundIsTheSameInAnyOrder(t *testing.T) {
	const length = 32 << 10
	c := &crowd{t: t}
	base := c.writes(nil, text.Splice{Ins: strings.Repeat("Words. ", length/7)})
	for i := range 12 {
		c.writes([]ChangeID{base}, text.Splice{Del: length/7*7 - i*1000, Ins: strconv.Itoa(i)}, text.Splice{Pos: 1, Del: i, Ins: "!"})
	}
	want := c.folder().view()
	if want.NoOps == 0 {
		t.Fatal("the bound is not passed")
	}
	slices.Reverse(c.list[1:])
	if got := c.folder().view(); !bytes.Equal(got.Encode(), want.Encode()) {
		t.Error("another view where the changes came in the reverse order")
	}
	slices.Reverse(c.list[4:])
	if got := c.folder().view(); !bytes.Equal(got.Encode(), want.Encode()) {
		t.Error("another view where the changes came in a mixed order")
	}
}

// TestTextMayDelete: sums that no int holds are too many.
func TestTextMayDelete(t *testing.T) {
	field := &textField{surplus: MaxRedeleted - 3}
	for _, tt := range []struct {
		splices []text.Splice
		want    bool
	}{
		{[]text.Splice{{Del: 3}}, true},
		{[]text.Splice{{Del: 4}}, false},
		{[]text.Splice{{Del: 4}, {Ins: "ß"}}, true},
		{[]text.Splice{{Del: 5}, {Ins: "ß"}}, false},
		{slices.Repeat([]text.Splice{{Del: MaxSafeInt}}, 1025), false},
	} {
		if got := field.mayDelete(tt.splices); got != tt.want {
			t.Errorf("%d splices, the first %+v: %t, want %t", len(tt.splices), tt.splices[0], got, tt.want)
		}
	}
}
