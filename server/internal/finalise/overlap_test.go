package finalise_test

import (
	"slices"
	"testing"

	"doorstep/server/internal/finalise"
	"doorstep/syncproto"
	"doorstep/syncproto/text"
)

// TestUnreadOverlapHoldsUp: a sentence that two people changed apart is on the list
// until somebody has read it, by taking note of it or by standing by the version.
func TestUnreadOverlapHoldsUp(t *testing.T) {
	w := newWorld(t)
	w.recorded()
	splice := func(pos, del int, ins string) syncproto.Op {
		return syncproto.Op{Code: syncproto.OpSplice, Path: syncproto.Path{Field: "household_summary"}, Splices: []text.Splice{{Pos: pos, Del: del, Ins: ins}}}
	}
	w.edit(lead, visit, "visit", splice(0, 0, "The flat was warm and tidy."))
	base := w.heads(visit)
	mine, theirs := w.write(lead, visit, "visit", base, splice(13, 4, "cold")), w.write(co, visit, "visit", base, splice(22, 4, "messy"))
	w.send(mine, syncproto.StatusAccepted)
	w.send(theirs, syncproto.StatusAccepted)
	unread := func() bool {
		list, err := w.service.Checklist(ctx, as(coordA), visit)
		if err != nil {
			t.Fatal(err)
		}
		return slices.ContainsFunc(list, func(d finalise.Detail) bool {
			return d.Code == syncproto.CodeUnreadOverlap && d.Path.Field == "household_summary"
		})
	}
	if !unread() {
		t.Error("an unread overlap is not on the list")
	}
	w.edit(lead, visit, "visit", syncproto.Op{Code: syncproto.OpConfirm, Heads: []syncproto.RecordHeads{{Record: visit, Heads: w.heads(visit)}}})
	if unread() {
		t.Error("the author stands by the version, and it is still on the list")
	}
}
