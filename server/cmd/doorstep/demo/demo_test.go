package demo

import (
	"bytes"
	"context"
	"errors"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"doorstep/syncproto/text"
)

// example is the caseload that the demo is written for.
const example = "../../../../deploy/example-caseload"

func TestWorkingDay(t *testing.T) {
	temporary := t.TempDir()
	t.Setenv("TMPDIR", temporary)
	var out bytes.Buffer
	if err := Run(t.Context(), Options{Caseload: example, Seed: 2}, &out); err != nil {
		t.Fatalf("seed 2: %v\n%s", err, out.String())
	}
	t.Log(out.String())
	if got := strings.Count(out.String(), "checked: "); got < 50 {
		t.Errorf("the day made %d claims, want at least 50", got)
	}
	left, err := os.ReadDir(temporary)
	if err != nil || len(left) > 0 {
		t.Errorf("the temporary folder was not removed: %v %v", left, err)
	}
}

func TestServingGoesOnUntilItIsStopped(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	scripts, folder := fewWords(t), t.TempDir()
	out := &waiter{want: "Stop with Ctrl-C", found: make(chan struct{})}
	done := make(chan error, 1)
	go func() {
		done <- run(ctx, Options{Caseload: example, Folder: folder, Serve: true, Seed: 3, months: 2}, scripts, out)
	}()
	select {
	case err := <-done:
		t.Fatalf("Run ended by itself: %v\n%s", err, out.String())
	case <-out.found:
	case <-time.After(5 * time.Minute):
		t.Fatal("the day did not come to its end")
	}
	stop()
	if err := <-done; err != nil {
		t.Fatalf("stopping: %v", err)
	}
	for _, want := range []string{"grace.mbeki", pass, "http://127.0.0.1:", "visits of the last 2 months were made final"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("the report does not say %q", want)
		}
	}
}

// TestThePastIsTheSameForTheSameSeed: and it is over, and in the order of its seals, which
// the server's clock needs.
func TestThePastIsTheSameForTheSameSeed(t *testing.T) {
	now := time.Date(2026, 11, 22, 15, 0, 0, 0, time.UTC)
	first := now.AddDate(0, -5, 0)
	of := func(seed uint64) []pastVisit { return (&day{opts: Options{Seed: seed}}).pastVisits(first, now) }
	visits := of(3)
	if !slices.Equal(visits, of(3)) || slices.Equal(visits, of(4)) {
		t.Error("the past does not follow from the seed")
	}
	months := map[time.Month]int{}
	for i, v := range visits {
		months[v.end.Month()]++
		if v.start.Before(first) || !v.final().Before(now) || i > 0 && v.final().Before(visits[i-1].final()) {
			t.Errorf("visit %d: from %s to %s, final %s", i, v.start, v.end, v.final())
		}
	}
	for month := time.July; month <= time.October; month++ {
		if months[month] < 5 {
			t.Errorf("%d visits in %s", months[month], month)
		}
	}
}

func TestAClaimThatDoesNotHoldEndsTheDay(t *testing.T) {
	scripts := fewWords(t)
	scripts[0].end += "And one word that nobody typed."
	var out bytes.Buffer
	err := run(t.Context(), Options{Caseload: example, Folder: t.TempDir(), Seed: 4}, scripts, &out)
	var broken *ClaimError
	if !errors.As(err, &broken) {
		t.Fatalf("got %v, want a ClaimError", err)
	}
	if want := "every keystroke of hers is on Amina Warsame's tablet"; broken.Claim != want {
		t.Errorf("got the claim %q, want %q", broken.Claim, want)
	}
	if !strings.Contains(out.String(), "NOT SO:  "+broken.Claim) || strings.Contains(out.String(), "17:00") {
		t.Errorf("the report must name the claim and go no further:\n%s", out.String())
	}
}

// fewWords are a line for each of two writers, for days that are about something else, and
// for pictures.
func fewWords(t *testing.T) []script {
	t.Helper()
	words := []string{
		"Maya showed me her new school bag, and told me about the class hamster. She slept through all week. ",
		"Jo ate toast with Nan and laughed at the dog. The chain is on the door, and Kat put it there herself. ",
	}
	scripts := make([]script, len(words))
	for i, end := range words {
		for pos, letter := range []rune(end) {
			scripts[i].strokes = append(scripts[i].strokes, text.Splice{Pos: pos, Ins: string(letter)})
		}
		if scripts[i].end = replay("", scripts[i].strokes); scripts[i].end != end {
			t.Fatalf("script %d ends as %q", i, scripts[i].end)
		}
	}
	return scripts
}

func TestTheFirstBrokenClaimIsNamed(t *testing.T) {
	r := newReport(&bytes.Buffer{})
	r.begin("A part")
	r.claim(true, "one is one")
	if err := r.finish(); err != nil {
		t.Fatalf("got %v, want nil: every claim held", err)
	}
	r.claim(false, "one is %d", 2)
	r.claim(false, "one is three")
	var broken *ClaimError
	if err := r.finish(); !errors.As(err, &broken) || broken.Claim != "one is 2" || broken.Part != "A part" {
		t.Errorf("got %v, want the first claim that does not hold", err)
	}
}

func TestAFolderWithoutACaseloadIsRefused(t *testing.T) {
	var out bytes.Buffer
	err := Run(t.Context(), Options{Caseload: t.TempDir(), Folder: t.TempDir()}, &out)
	if err == nil || !strings.Contains(err.Error(), "--caseload") {
		t.Fatalf("got %v, want an error that says how to name a caseload\n%s", err, out.String())
	}
}

// waiter is a report's reader that waits for some words.
type waiter struct {
	want  string
	found chan struct{} // closed once they were written

	mu   sync.Mutex
	seen bytes.Buffer // guarded by mu
	once sync.Once
}

// Write implements io.Writer.
func (w *waiter) Write(b []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	n, err := w.seen.Write(b)
	if strings.Contains(w.seen.String(), w.want) {
		w.once.Do(func() { close(w.found) })
	}
	return n, err
}

func (w *waiter) String() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.seen.String()
}
