package text

import (
	"encoding/binary"
	"math/rand/v2"
	"strings"
	"testing"
	"unicode/utf8"
)

// TestFault19IllFormedTextRefused: a lone surrogate, as bytes or half of a
// code point, is refused and leaves no trace.
func TestFault19IllFormedTextRefused(t *testing.T) {
	l := New()
	v := add(t, l, "a", 0, nil, Splice{0, 0, "note"})
	for _, ins := range []string{"\xed\xa0\x80", "\xed\xb0\x80", "\xf0\x9f", "\x80", "ok\xff"} {
		if _, err := l.Add([]byte("a"), 4, v, []Splice{{4, 0, " "}, {0, 0, ins}}); err != ErrUTF8 {
			t.Errorf("%q: got %v, want %v", ins, err, ErrUTF8)
		}
	}
	if got := l.String(); got != "note" {
		t.Errorf("got %q", got)
	}
}

// keptAsTyped types a text in two halves, apart, and expects every byte.
func keptAsTyped(t *testing.T, words string) {
	t.Helper()
	l := New()
	v := add(t, l, "s", 0, nil, Splice{0, 0, words})
	add(t, l, "b", 0, v, Splice{utf8.RuneCountInString(words), 0, words})
	add(t, l, "a", 0, v, Splice{0, 0, words})
	want := words + words + words
	if got := l.String(); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if d, err := Decode(l.Encode()); err != nil || d.String() != want {
		t.Errorf("decoded: %v", err)
	}
}

func TestFault20ZeroWidthAndDirectionsKept(t *testing.T) {
	keptAsTyped(t, "a\u200bb\u200f\u202eabc\u202c\u2066x\u2069\ufeff"+strings.Repeat("\u0301", 500))
}

func TestFault21NormalFormsKept(t *testing.T) {
	keptAsTyped(t, "é e\u0301 Å A\u030a Å ﬁ ệ e\u0323\u0302")
}

func TestFault23ControlCharactersKept(t *testing.T) {
	keptAsTyped(t, "\x00\x01\b\t\n\v\f\r\x1b[31m\x7f\u0085\u009f")
}

func TestFault26MarkupIsOnlyText(t *testing.T) {
	keptAsTyped(t, `<script>alert("x")</script> =cmd|' /C calc'!A0 </textarea>`)
}

// TestFault22EmojiNeverCut splits families of emoji at every place, by two
// people at once: code points survive whole, whatever the signs look like.
func TestFault22EmojiNeverCut(t *testing.T) {
	const family = "👩‍👧‍👦🏽é🇬🇧"
	n := utf8.RuneCountInString(family)
	for i := range n + 1 {
		for j := range n + 1 {
			l := New()
			v := add(t, l, "s", 0, nil, Splice{0, 0, family})
			add(t, l, "a", 0, v, Splice{i, min(1, n-i), "😀"})
			add(t, l, "b", 0, v, Splice{j, min(2, n-j), "👨‍👦"})
			got := l.String()
			if !utf8.ValidString(got) || strings.ContainsRune(got, utf8.RuneError) {
				t.Fatalf("places %d and %d: %q", i, j, got)
			}
			if !strings.Contains(got, "😀") || !strings.Contains(got, "👨‍👦") {
				t.Errorf("places %d and %d: words lost in %q", i, j, got)
			}
			if want := utf8.RuneCountInString(got); l.Len() != want {
				t.Errorf("places %d and %d: length %d, want %d", i, j, l.Len(), want)
			}
		}
	}
}

// TestFault24OneMegabyteNarrative has two people extend and correct a
// narrative of 1 MB apart, in pieces of at most 64 KiB, and merges the whole.
func TestFault24OneMegabyteNarrative(t *testing.T) {
	const pieceBytes = 64 << 10
	sentence := "Mrs Łoś said — “he was at school”. "
	piece := strings.Repeat(sentence, pieceBytes/len(sentence))
	points := utf8.RuneCountInString(piece)
	l := New()
	var v []LV
	for i := range 16 {
		v = add(t, l, "s", i*points, v, Splice{i * points, 0, piece})
	}
	length := l.Len()
	words := map[string]int{"alpha ": 0, "omega ": 0}
	for _, agent := range []string{"alpha ", "omega "} {
		rng := rand.New(rand.NewPCG(24, uint64(agent[0])))
		at, seq, n := v, 0, length
		for range 2000 {
			at = add(t, l, agent, seq, at, Splice{rng.IntN(n - 10), 3, agent})
			seq, n = seq+9, n+3
			words[agent]++
		}
	}
	var d *Log
	took := cpu(func() {
		var err error
		if d, err = Decode(l.Encode()); err != nil {
			t.Fatal(err)
		}
	})
	t.Logf("merged %d code points from %d events in %s ms", d.Len(), d.graph.end, millis(took))
	if got := l.String(); d.String() != got || !utf8.ValidString(got) || len(got) < 1<<20-pieceBytes {
		t.Errorf("got %s", brief(got))
	}
	d.verify(t)
}

// TestFault35MillionChanges makes a million changes of one code point, each by
// an agent of its own, in a chain, and then a branch from the beginning.
// Nothing may recurse or take time in proportion to the past.
func TestFault35MillionChanges(t *testing.T) {
	changes := 1_000_000
	if testing.Short() || raceEnabled {
		changes = 50_000
	}
	l := New()
	agent := make([]byte, 56)
	var v []LV
	for i := range changes {
		binary.BigEndian.PutUint64(agent[16:], uint64(i))
		var err error
		if v, err = l.Add(agent, 0, v, []Splice{{i, 0, "x"}}); err != nil {
			t.Fatal(err)
		}
		if i%100_000 == 0 {
			l.Len()
		}
	}
	add(t, l, "branch", 0, []LV{0}, Splice{0, 1, "y"})
	if got, want := l.Len(), changes; got != want {
		t.Errorf("length %d, want %d", got, want)
	}
	if got := l.String(); !strings.HasPrefix(got, "yx") || len(got) != changes {
		t.Errorf("got %s", brief(got))
	}
	if got := len(l.Spans()); got != changes {
		t.Errorf("%d spans, want %d", got, changes)
	}
	if !l.IsAncestor(0, v) || l.LenAt([]LV{LV(changes / 2)}) != changes/2+1 {
		t.Error("the past differs")
	}
	d, err := Decode(l.Encode())
	if err != nil || d.Len() != changes {
		t.Errorf("decoded: %v", err)
	}
}

// TestDeletingAgainAndAgain has many people delete a large text apart: the
// memory must not grow with what they delete.
func TestDeletingAgainAndAgain(t *testing.T) {
	const length, people = 1 << 20, 100
	l := New()
	v := add(t, l, "s", 0, nil, Splice{0, 0, strings.Repeat("x", length)})
	for i := range people {
		add(t, l, string(rune('À'+i)), 0, v, Splice{i, length - i, ""})
	}
	if got := l.Len(); got != 0 {
		t.Errorf("length %d, want 0", got)
	}
	if got := len(l.merger.tracker.tree.index.pages); got != 0 {
		t.Errorf("%d pages of index, want none", got)
	}
	l.Overlaps()
}
