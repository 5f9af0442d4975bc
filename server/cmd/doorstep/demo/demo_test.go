package demo

import (
	"bytes"
	"errors"
	"strings"
	"testing"
)

// example is the caseload that the demo is written for.
const example = "../../../../deploy/example-caseload"

func TestWorkingDay(t *testing.T) {
	var out bytes.Buffer
	err := Run(t.Context(), Options{Caseload: example, Folder: t.TempDir(), Seed: 2}, &out)
	if err != nil {
		t.Fatalf("seed 2: %v\n%s", err, out.String())
	}
	if got := strings.Count(out.String(), "checked: "); got < 50 {
		t.Errorf("the day made %d claims, want at least 50", got)
	}
	t.Log(out.String())
}

func TestAClaimThatDoesNotHoldIsAnError(t *testing.T) {
	var out bytes.Buffer
	r := newReport(&out)
	r.begin("A part")
	r.claim(true, "one is one")
	if err := r.finish(); err != nil {
		t.Fatalf("got %v, want nil: every claim held", err)
	}
	r.claim(false, "one is %d", 2)
	r.claim(false, "one is three")
	var broken *ClaimError
	if err := r.finish(); !errors.As(err, &broken) {
		t.Fatalf("got %v, want a ClaimError", err)
	}
	if broken.Claim != "one is 2" || broken.Part != "A part" {
		t.Errorf("got %+v, want the first claim that does not hold", broken)
	}
	if !strings.Contains(out.String(), "NOT SO:  one is 2") {
		t.Errorf("the report does not say which claim does not hold:\n%s", out.String())
	}
}
