package engine

import (
	"testing"

	"doorstep/syncproto/text"
)

// A keyboard may send an edit that changes nothing. It is no draft, and must not
// stand in the way of the words that follow it.
func TestTypingNothingIsNoDraft(t *testing.T) {
	_, d := faultWorld(t)
	effects, err := d.engine.Type(d.now, Typing{Record: visit, Path: purpose, Splice: text.Splice{}})
	if err != nil || len(effects) != 0 {
		t.Fatalf("got %d effects, %v; want none", len(effects), err)
	}
	d.save(visit)
	d.typing(visit, text.Splice{Ins: "Words."})
	d.save(visit)
	wantPurpose(t, d, "Words.")
	d.check()
}
