package text

import (
	"slices"
	"strconv"
	"strings"
	"testing"
)

// TestManyOverlaps has many people change one sentence apart: the number of
// overlaps is bounded, and which are kept does not depend on the arrival.
func TestManyOverlaps(t *testing.T) {
	const people = 210
	overlapsIn := func(order func(i int) int) []string {
		l := New()
		v := add(t, l, "s", 0, nil, Splice{0, 0, "One sentence"})
		names := map[LV]string{}
		for i := range people {
			name := strconv.Itoa(order(i))
			names[add(t, l, name, 0, v, Splice{order(i) % 12, 0, "x"})[0]] = name
		}
		var list []string
		for _, o := range l.Overlaps() {
			list = append(list, names[o.A]+"-"+names[o.B])
		}
		return list
	}
	want := overlapsIn(func(i int) int { return i })
	if len(want) != maxOverlaps {
		t.Errorf("%d overlaps, want %d", len(want), maxOverlaps)
	}
	if got := overlapsIn(func(i int) int { return people - 1 - i }); !slices.Equal(got, want) {
		t.Error("the order of arrival makes a difference")
	}
}

// TestOverlapStopsAtZone checks that what was settled before is not compared
// with what comes after.
func TestOverlapStopsAtZone(t *testing.T) {
	l := New()
	v := add(t, l, "s", 0, nil, Splice{0, 0, strings.Repeat("word ", 5)})
	a := add(t, l, "a", 0, v, Splice{0, 4, "A"})
	b := add(t, l, "b", 0, v, Splice{5, 4, "B"})
	m := add(t, l, "a", 5, append(a, b...), Splice{0, 0, "M "})
	c := add(t, l, "c", 0, m, Splice{6, 1, "C"})
	d := add(t, l, "d", 0, m, Splice{8, 1, "D"})
	first := func(v []LV, events LV) LV { return v[0] - events + 1 }
	want := []Overlap{{0, 21, first(a, 5), first(b, 5)}, {0, 21, first(c, 2), first(d, 2)}}
	if got := l.Overlaps(); !slices.Equal(got, want) {
		t.Errorf("got %v, want %v in %q", got, want, l.String())
	}
}
