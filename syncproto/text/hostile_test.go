package text

import (
	"strconv"
	"strings"
	"testing"
	"time"
)

// within fails the test if f takes more processor time than it may: the bounds
// are some ten times what is needed, and far below what a quadratic way takes.
func within(t *testing.T, bound time.Duration, f func()) {
	t.Helper()
	if raceEnabled {
		bound *= 20
	}
	took := cpu(f)
	t.Logf("%s ms, at most %s", millis(took), millis(bound))
	if took > bound {
		t.Errorf("took %s ms, may take %s", millis(took), millis(bound))
	}
}

// TestTwoLongBranchesInTurn has two people write long apart; their changes
// arrive in turn, and the text is read after each.
func TestTwoLongBranchesInTurn(t *testing.T) {
	const changes = 10_000
	l := New()
	v := add(t, l, "s", 0, nil, Splice{0, 0, strings.Repeat("One sentence. ", 100)})
	within(t, 2*time.Second, func() {
		at, length := [2][]LV{v, v}, l.Len()
		for i := range changes {
			for who := range at {
				at[who] = add(t, l, strconv.Itoa(who), i*3, at[who], Splice{(i*7 + who*700) % length, 1, "xy"})
				l.Len()
			}
		}
	})
	l.verify(t)
}

// TestEverybodyDeletesEverything has many people delete, apart, a text that
// was typed in many places.
func TestEverybodyDeletesEverything(t *testing.T) {
	const places, people = 20_000, 50
	l := New()
	v := add(t, l, "s", 0, nil, Splice{0, 0, strings.Repeat("x", places)})
	var splices []Splice
	for i := range places {
		splices = append(splices, Splice{i * 2, 0, "y"})
	}
	v = add(t, l, "s", places, v, splices...)
	add(t, l, "r", 0, nil, Splice{0, 0, "r"}) // from before all: no version is critical
	within(t, 2*time.Second, func() {
		for i := range people {
			add(t, l, strconv.Itoa(i), 0, v, Splice{0, 2 * places, "z"})
		}
		if got := l.Len(); got != people+1 {
			t.Errorf("length %d, want %d", got, people+1)
		}
	})
}

// TestThousandsInOneSentence has thousands of people change one sentence apart.
func TestThousandsInOneSentence(t *testing.T) {
	const people = 3_000
	l := New()
	v := add(t, l, "s", 0, nil, Splice{0, 0, strings.Repeat("word ", 200)})
	for i := range people {
		add(t, l, strconv.Itoa(i), 0, v, Splice{i % 1000, 0, "x"})
	}
	within(t, 2*time.Second, func() {
		if got := len(l.Overlaps()); got != maxOverlaps {
			t.Errorf("%d overlaps, want %d", got, maxOverlaps)
		}
	})
}

// TestSameReplacedByAll has many people replace, apart and bit by bit, all
// that there is.
func TestSameReplacedByAll(t *testing.T) {
	const length, people = 5_000, 40
	l := New()
	v := add(t, l, "s", 0, nil, Splice{0, 0, strings.Repeat("x", length)})
	for i := range people {
		var splices []Splice
		for at := 0; at+2 <= length; at += 2 {
			splices = append(splices, Splice{at, 2, "yz"})
		}
		add(t, l, strconv.Itoa(i), 0, v, splices...)
	}
	within(t, 4*time.Second, func() { l.Len() })
	within(t, 4*time.Second, func() { l.Overlaps() })
}
