package demo

import (
	"fmt"
	"io"
	"strings"
	"time"
)

// ClaimError says that something the demo says about Doorstep did not hold.
type ClaimError struct {
	Part  string // of the day
	Claim string
}

func (e *ClaimError) Error() string {
	return fmt.Sprintf("this claim does not hold: %q (%s)", e.Claim, e.Part)
}

// report tells what happens and keeps count of the claims it made.
type report struct {
	out    io.Writer
	began  time.Time
	part   string
	claims int
	broken *ClaimError // the first claim that did not hold
}

func newReport(out io.Writer) *report { return &report{out: out, began: time.Now()} }

// begin heads a part of the day.
func (r *report) begin(part string) {
	r.part = part
	fmt.Fprintf(r.out, "\n%s\n", part)
}

// say tells what somebody did.
func (r *report) say(format string, args ...any) {
	fmt.Fprintf(r.out, "  - %s\n", fmt.Sprintf(format, args...))
}

// quote shows what a program said, indented under the line before.
func (r *report) quote(format string, args ...any) {
	fmt.Fprintf(r.out, "      %s\n", fmt.Sprintf(format, args...))
}

// claim states what was found to be so, or breaks the run: the first claim that
// does not hold is what finish returns.
func (r *report) claim(ok bool, format string, args ...any) {
	name := fmt.Sprintf(format, args...)
	if ok {
		r.claims++
		fmt.Fprintf(r.out, "    checked: %s\n", name)
		return
	}
	fmt.Fprintf(r.out, "    NOT SO:  %s\n", name)
	if r.broken == nil {
		r.broken = &ClaimError{Part: strings.TrimSpace(r.part), Claim: name}
	}
}

// finish returns the claim that did not hold, if there is one.
func (r *report) finish() error {
	if r.broken != nil {
		return r.broken
	}
	return nil
}

// amount writes a number of bytes for people.
func amount(n int64) string {
	switch {
	case n < 10_000:
		return fmt.Sprintf("%d bytes", n)
	case n < 10_000_000:
		return fmt.Sprintf("%.1f kB", float64(n)/1e3)
	}
	return fmt.Sprintf("%.1f MB", float64(n)/1e6)
}

// took writes a duration for people.
func took(d time.Duration) string {
	switch {
	case d < 10*time.Millisecond:
		return fmt.Sprintf("%.1f ms", float64(d.Microseconds())/1e3)
	case d < 10*time.Second:
		return fmt.Sprintf("%d ms", d.Milliseconds())
	}
	return fmt.Sprintf("%.1f s", d.Seconds())
}

// some writes a count with the right form of its word: some(2, "change").
func some(n int, word string) string {
	if n == 1 {
		return "1 " + word
	}
	if strings.HasSuffix(word, "y") && !strings.HasSuffix(word, "ay") && !strings.HasSuffix(word, "ey") {
		return fmt.Sprintf("%d %sies", n, strings.TrimSuffix(word, "y"))
	}
	return fmt.Sprintf("%d %ss", n, word)
}
