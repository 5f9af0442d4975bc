package exchange_test

import (
	"slices"
	"testing"

	"doorstep/syncproto"
)

// given asks the feed of a family for the first change, with what came with it.
func given(t *testing.T, d *tablet) syncproto.Returned {
	t.Helper()
	for _, it := range d.mustAsk(d.request()).Items {
		if it.Type == syncproto.ItemChange {
			return syncproto.Returned{Device: it.Device, Prev: it.Prev, Body: it.Body, Proof: it.Proof}
		}
	}
	t.Fatal("there is no change in the feed")
	return syncproto.Returned{}
}

// TestReturnedChangeNeedsTheProofThatCameWithIt holds that nobody can make up words
// of others: any other proof, device, prev or body is refused and leaves no trace.
func TestReturnedChangeNeedsTheProofThatCameWithIt(t *testing.T) {
	w, family, worker := case1(t)
	worker.write(edit{family: family, record: newID[syncproto.RecordID](w), kind: "visit", ops: place("HOME")})
	worker.sync()
	colleague := w.coworker(family)
	good := given(t, colleague)
	before, _ := w.b.Journal.Head()
	for name, spoil := range map[string]func(*syncproto.Returned){
		"proof":  func(r *syncproto.Returned) { r.Proof[3] ^= 1 },
		"device": func(r *syncproto.Returned) { r.Device[3] ^= 1 },
		"prev":   func(r *syncproto.Returned) { r.Prev[3] ^= 1 },
		"body":   func(r *syncproto.Returned) { r.Body[len(r.Body)-1] ^= 1 },
	} {
		bad := good
		bad.Body = slices.Clone(good.Body)
		spoil(&bad)
		q := colleague.request()
		q.Returned = []syncproto.Returned{bad}
		reply := colleague.mustAsk(q)
		if len(reply.Receipts) != 1 || reply.Receipts[0].Status != syncproto.StatusRefused {
			t.Errorf("another %s: receipts %+v, want a refusal", name, reply.Receipts)
		}
	}
	if after, _ := w.b.Journal.Head(); after != before {
		t.Errorf("the journal grew from %d to %d", before, after)
	}
	q := colleague.request()
	q.Returned = []syncproto.Returned{good}
	reply := colleague.mustAsk(q)
	if len(reply.Receipts) != 1 || reply.Receipts[0].Status != syncproto.StatusAccepted {
		t.Errorf("what the server has already: receipts %+v, want it accepted", reply.Receipts)
	}
}
