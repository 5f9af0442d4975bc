package main

import (
	"testing"
	"time"
)

// Memory is given back once, when a busy time is over, and again after the next.
func TestMemoryIsGivenBackWhenItBecomesQuiet(t *testing.T) {
	var q quiet
	used := time.Duration(0)
	for i, step := range []struct {
		cpu   time.Duration
		began bool
	}{
		{time.Second, true}, {time.Second, false}, {20 * time.Second, false}, {10 * time.Second, false}, {time.Second, true}, {0, false},
	} {
		used += step.cpu
		if got := q.look(used, quietEvery); got != step.began {
			t.Errorf("step %d: %v, want %v", i, got, step.began)
		}
	}
	if usedCPU() <= 0 {
		t.Error("nobody knows what CPU was used")
	}
}
