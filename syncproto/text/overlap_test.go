package text

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"doorstep/syncproto/sorting"
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

// TestManyDeleteTheSame has very many people delete, apart, what was typed in many
// places: what is looked at is bounded by what there is, not by how many pairs of them
// there are, and what is found is what comparing all pairs finds.
func TestManyDeleteTheSame(t *testing.T) {
	const places = 200
	sheetOf := func(people int, name func(i int) string, all bool) *sheet {
		l := New()
		v := add(t, l, "s", 0, nil, Splice{0, 0, strings.Repeat("x", places)})
		var splices []Splice
		for i := range places {
			splices = append(splices, Splice{i * 2, 0, "y"})
		}
		v = add(t, l, "s", places, v, splices...)
		for i := range people {
			add(t, l, name(i), 0, v, Splice{0, 2 * places, ""})
		}
		s := newSheet(l)
		for i := range s.segs {
			if all {
				s.segs[i].first = nil
			}
		}
		s.examine(lvRange{0, l.graph.end})
		s.keepFirst()
		sorting.By(s.found, func(x, y *Overlap) int { return cmp.Or(s.byAuthors(x, y), s.byPlace(x, y)) })
		return s
	}
	rising := func(i int) string { return strconv.Itoa(10_000 + i) }
	falling := func(i int) string { return strconv.Itoa(20_000 - i) }
	for how, name := range map[string]func(int) string{"rising": rising, "falling": falling} {
		for _, people := range []int{300, 600} {
			s := sheetOf(people, name, false)
			most := 12 * maxOverlaps * places // of all pairs it would be 20 times as many for 600
			t.Logf("%d people, names %s: %d steps, at most %d", people, how, s.steps, most)
			if s.steps > most {
				t.Errorf("%d people, names %s: %d steps, may take %d", people, how, s.steps, most)
			}
			if len(s.found) != maxOverlaps {
				t.Errorf("%d overlaps, want %d", len(s.found), maxOverlaps)
			}
		}
		if got, want := sheetOf(300, name, false), sheetOf(300, name, true); !slices.Equal(got.found, want.found) {
			t.Errorf("names %s: other overlaps are kept than of all pairs", how)
		}
	}
}
