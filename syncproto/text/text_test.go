package text

import (
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

// add adds a change to a log in which nothing is refused.
func add(t testing.TB, l *Log, agent string, seq int, parents []LV, splices ...Splice) []LV {
	t.Helper()
	version, err := l.Add([]byte(agent), seq, parents, splices)
	if err != nil {
		t.Fatal(err)
	}
	return version
}

func TestDiff(t *testing.T) {
	tests := []struct {
		old, new string
		want     []Splice
	}{
		{"", "", nil},
		{"same", "same", nil},
		{"", "new", []Splice{{0, 0, "new"}}},
		{"old", "", []Splice{{0, 3, ""}}},
		{"a dark house", "a damp house", []Splice{{4, 2, "mp"}}},
		{"aa", "aaa", []Splice{{2, 0, "a"}}},
		{"aaa", "aa", []Splice{{2, 1, ""}}},
		{"abab", "ab", []Splice{{2, 2, ""}}},
		{"é", "e", []Splice{{0, 1, "e"}}},
		{"à", "á", []Splice{{0, 1, "á"}}},     // same first byte
		{"ﬁ!", "ﬂ!", []Splice{{0, 1, "ﬂ"}}},   // same first bytes
		{"😀x", "😁x", []Splice{{0, 1, "😁"}}},   // same first bytes
		{"xÀ", "xà", []Splice{{1, 1, "à"}}},   // same last byte
		{"👩‍👧", "👩‍👦", []Splice{{2, 1, "👦"}}}, // inside a family
		{"\ufffd", "\ufffd!", []Splice{{1, 0, "!"}}},
	}
	for _, tt := range tests {
		if got := Diff(tt.old, tt.new); !slices.Equal(got, tt.want) {
			t.Errorf("Diff(%q, %q) = %v, want %v", tt.old, tt.new, got, tt.want)
		}
	}
}

func TestAddRefuses(t *testing.T) {
	long := strings.Repeat("x", maxAgentBytes+1)
	tests := []struct {
		name    string
		agent   string
		seq     int
		parents []LV
		splices []Splice
		want    error
	}{
		{"after the end", "b", 0, []LV{2}, []Splice{{4, 0, "x"}}, ErrPosition},
		{"before the beginning", "b", 0, []LV{2}, []Splice{{-1, 0, "x"}}, ErrPosition},
		{"deletion after the end", "b", 0, []LV{2}, []Splice{{1, 3, ""}}, ErrPosition},
		{"huge deletion", "b", 0, []LV{2}, []Splice{{1, int(^uint(0) >> 1), ""}}, ErrPosition},
		{"negative deletion", "b", 0, []LV{2}, []Splice{{1, -1, ""}}, ErrPosition},
		{"empty splice outside", "b", 0, []LV{2}, []Splice{{4, 0, ""}}, ErrPosition},
		{"at an older version", "b", 0, []LV{0}, []Splice{{2, 0, "x"}}, ErrPosition},
		{"at the empty version", "b", 0, nil, []Splice{{1, 0, "x"}}, ErrPosition},
		{"not UTF-8", "b", 0, []LV{2}, []Splice{{0, 0, "a\xff"}}, ErrUTF8},
		{"cut code point", "b", 0, []LV{2}, []Splice{{0, 0, "😀"[:2]}}, ErrUTF8},
		{"parent to come", "b", 0, []LV{3}, []Splice{{0, 0, "x"}}, ErrParent},
		{"negative parent", "b", 0, []LV{-1}, []Splice{{0, 0, "x"}}, ErrParent},
		{"number used", "a", 2, []LV{2}, []Splice{{0, 0, "x"}}, ErrReused},
		{"negative number", "b", -1, []LV{2}, []Splice{{0, 0, "x"}}, ErrSeq},
		{"huge number", "b", maxEvents, []LV{2}, []Splice{{0, 0, "x"}}, ErrSeq},
		{"long name", long, 0, []LV{2}, []Splice{{0, 0, "x"}}, ErrTooLarge},
	}
	l := New()
	add(t, l, "a", 0, nil, Splice{0, 0, "abc"})
	before := l.Encode()
	for _, tt := range tests {
		if _, err := l.Add([]byte(tt.agent), tt.seq, tt.parents, tt.splices); err != tt.want {
			t.Errorf("%s: got %v, want %v", tt.name, err, tt.want)
		}
		if !slices.Equal(l.Encode(), before) || l.String() != "abc" {
			t.Errorf("%s: the log has changed", tt.name)
		}
	}
	if got, want := ErrPosition.Error(), "text: position outside the text at that version"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestAddWithoutEvents(t *testing.T) {
	l := New()
	a := add(t, l, "a", 0, nil, Splice{0, 0, "abc"})
	b := add(t, l, "b", 0, nil, Splice{0, 0, "def"})
	if got, want := add(t, l, "c", 0, []LV{5, 0, 2, 5}), []LV{a[0], b[0]}; !slices.Equal(got, want) {
		t.Errorf("got version %v, want %v", got, want)
	}
	if got := add(t, l, "c", 0, nil, Splice{0, 0, ""}); len(got) != 0 {
		t.Errorf("got version %v, want none", got)
	}
}

// TestCallerKeepsItsSlices checks that nothing a caller passes in or gets is
// the log's own.
func TestCallerKeepsItsSlices(t *testing.T) {
	l := New()
	agent := []byte("a")
	v, err := l.Add(agent, 0, nil, []Splice{{0, 0, "x"}})
	if err != nil {
		t.Fatal(err)
	}
	agent[0] = 'b'
	add(t, l, "b", 0, nil, Splice{0, 0, "y"})
	v[0] = 99
	l.Frontier()[0] = 99
	parents := []LV{1, 0}
	add(t, l, "c", 0, parents, Splice{1, 0, "-"})
	if !slices.Equal(parents, []LV{1, 0}) {
		t.Errorf("parents became %v", parents)
	}
	if got, want := l.String(), "x-y"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestUnknownEventsInVersions(t *testing.T) {
	l := New()
	add(t, l, "a", 0, nil, Splice{0, 0, "abc"})
	odd := []LV{-5, 1, 77}
	if got := l.At(odd); got != "ab" {
		t.Errorf("At: got %q", got)
	}
	if got := l.LenAt(odd); got != 2 {
		t.Errorf("LenAt: got %d", got)
	}
	if got := l.Reduce(odd); !slices.Equal(got, []LV{1}) {
		t.Errorf("Reduce: got %v", got)
	}
	if l.IsAncestor(-1, odd) || l.IsAncestor(2, odd) || !l.IsAncestor(0, odd) || l.IsAncestor(77, odd) {
		t.Error("IsAncestor differs")
	}
}

func TestEmptyLog(t *testing.T) {
	l := New()
	if l.String() != "" || l.Len() != 0 || len(l.Frontier()) != 0 || len(l.Spans()) != 0 || len(l.Overlaps()) != 0 {
		t.Error("the empty log is not empty")
	}
	if l.At(nil) != "" || l.LenAt([]LV{0}) != 0 || l.IsAncestor(0, nil) {
		t.Error("the empty log has a past")
	}
	if d, err := Decode(l.Encode()); err != nil || d.String() != "" {
		t.Errorf("decoded: %v", err)
	}
}

// TestSpansAcrossCalls checks that spans follow calls of Add and not the runs
// that the log is kept in.
func TestSpansAcrossCalls(t *testing.T) {
	l := New()
	v := add(t, l, "a", 0, nil, Splice{0, 0, "He"})
	v = add(t, l, "a", 2, v, Splice{2, 0, "ll"})
	v = add(t, l, "b", 0, v, Splice{4, 0, "o"}, Splice{5, 0, "!"})
	add(t, l, "c", 0, v, Splice{5, 0, "?"})
	want := []Span{{0, 2, 0}, {2, 4, 2}, {4, 5, 4}, {5, 6, 6}, {6, 7, 5}}
	if got := l.Spans(); !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

// TestLongMixedText checks a text of many bytes a code point that is longer
// than a run may be.
func TestLongMixedText(t *testing.T) {
	words := []rune(strings.Repeat("naïve 😀 ", 1000))
	l := New()
	v := add(t, l, "a", 0, nil, Splice{0, 0, string(words)})
	add(t, l, "b", 0, v, Splice{8000, 0, "end"})
	add(t, l, "A", 0, []LV{2999}, Splice{3000, 0, "cut"}, Splice{4, 10, ""})
	want := string(words[:4]) + string(words[14:3000]) + "cut" + string(words[3000:]) + "end"
	if got := l.String(); got != want {
		t.Errorf("got %s, want %s", brief(got), brief(want))
	}
	d, err := Decode(l.Encode())
	if err != nil || d.String() != want {
		t.Errorf("decoded: %v", err)
	}
}

func FuzzDiff(f *testing.F) {
	f.Add("a dark house", "a damp house")
	f.Add("👩‍👧", "👩‍👦")
	f.Fuzz(func(t *testing.T, old, new string) {
		if !utf8.ValidString(old) || !utf8.ValidString(new) {
			t.Skip("not UTF-8")
		}
		l := New()
		v := add(t, l, "a", 0, nil, Splice{0, 0, old})
		add(t, l, "b", 0, v, Diff(old, new)...)
		if got := l.String(); got != new {
			t.Errorf("got %q, want %q", got, new)
		}
	})
}
