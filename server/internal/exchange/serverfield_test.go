package exchange_test

import (
	"slices"
	"testing"

	"doorstep/syncproto"
	"doorstep/syncproto/cbor"
)

func status(code string) []syncproto.Op {
	return []syncproto.Op{{Code: syncproto.OpSet, Path: syncproto.Path{Field: "status"}, Value: cbor.Text(code)}}
}

// planStatus is the status in force as a tablet sees it.
func (d *tablet) planStatus(plan syncproto.RecordID) string {
	f, _ := d.view(plan).Field("status")
	s, _ := f.Value.AsText()
	return s
}

// lost says why the server did not put a change's value in force; 0 if it did.
func (d *tablet) lost(c *syncproto.Change) syncproto.Code {
	for _, v := range d.verdicts {
		if v.Change == c.ID && v.Kind == syncproto.VerdictLose {
			return v.Code
		}
	}
	return syncproto.CodeOK
}

func TestFirstValidValueOfAServerFieldWins(t *testing.T) {
	w, family, ada := case1(t)
	bea := w.coworker(family)
	plan := newID[syncproto.RecordID](w)
	root := ada.write(edit{family: family, record: plan, kind: "plan", ops: status("DRAFT")})
	ada.sync()
	bea.sync()
	// Both go offline with the draft; neither knows of the other.
	first := bea.write(edit{family: family, record: plan, kind: "plan", deps: []*syncproto.Change{root}, ops: status("AGREED")})
	second := ada.write(edit{family: family, record: plan, kind: "plan", deps: []*syncproto.Change{root}, ops: status("ENDED")})
	bea.sync()
	ada.sync()
	bea.sync()
	for _, d := range []*tablet{ada, bea} {
		if got := d.planStatus(plan); got != "AGREED" {
			t.Errorf("in force: got %s, want the first to arrive", got)
		}
		d.sameAsServer(plan)
	}
	ada.wantReceipt(second, accepted, 0) // kept, and told why it does not count
	if ada.lost(second) != syncproto.CodeLostToEarlier || ada.lost(first) != 0 {
		t.Errorf("verdicts: got %v", ada.verdicts)
	}
	after := ada.write(edit{family: family, record: plan, kind: "plan", deps: []*syncproto.Change{first, second}, ops: status("ENDED")})
	ada.sync()
	if got := ada.planStatus(plan); got != "ENDED" || ada.lost(after) != 0 {
		t.Errorf("a value written in knowledge of the one in force: got %s", got)
	}
	ada.sameAsServer(plan)
}

func TestIncompletePlanDoesNotComeIntoForce(t *testing.T) {
	w, family, ada := case1(t)
	plan := newID[syncproto.RecordID](w)
	draft := ada.write(edit{family: family, record: plan, kind: "plan", ops: status("DRAFT")})
	active := ada.write(edit{family: family, record: plan, kind: "plan", deps: []*syncproto.Change{draft}, ops: status("ACTIVE")})
	ada.sync()
	ada.wantReceipt(active, accepted, 0)
	if got := ada.planStatus(plan); got != "DRAFT" || ada.lost(active) != syncproto.CodeMissingField {
		t.Errorf("status %s, lost with %v; want DRAFT and CodeMissingField", got, ada.lost(active))
	}

	review := ada.write(edit{family: family, record: plan, kind: "plan", deps: []*syncproto.Change{active}, ops: status("UNDER_REVIEW")})
	ada.sync()
	if got := ada.planStatus(plan); got != "DRAFT" || ada.lost(review) != syncproto.CodeMissingField {
		t.Errorf("by way of a review: status %s, lost with %v; want DRAFT and CodeMissingField", got, ada.lost(review))
	}

	text := func(field, value string) syncproto.Op {
		return syncproto.Op{Code: syncproto.OpSet, Path: syncproto.Path{Field: field}, Value: cbor.Text(value)}
	}
	element := func(field string, parts ...cbor.Pair) syncproto.Op {
		path := syncproto.Path{Field: field, Element: newID[syncproto.ElementID](w)}
		return syncproto.Op{Code: syncproto.OpAdd, Path: path, Value: cbor.Map(parts...)}
	}
	part := func(key, value string) cbor.Pair { return cbor.Pair{Key: key, Value: cbor.Text(value)} }
	whole := ada.write(edit{family: family, record: plan, kind: "plan", deps: []*syncproto.Change{review}, ops: []syncproto.Op{
		text("review_date", "2026-12-01"), text("contingency", "Ring the duty desk."),
		element("rules", part("text", "Dad does not stay overnight."), part("who", "Mum"), part("when", "Every night")),
		element("network", part("name", "Gran"), part("contact", "020 7946 0000"), part("agreed_on", "2026-11-20"), part("poses_risk", "N")),
		element("triggers", part("text", "Shouting late at night.")),
		status("ACTIVE")[0],
	}})
	ada.sync()
	if got := ada.planStatus(plan); got != "ACTIVE" || ada.lost(whole) != 0 {
		t.Errorf("a complete plan: status %s, lost with %v", got, ada.lost(whole))
	}
	less := ada.write(edit{family: family, record: plan, kind: "plan", deps: []*syncproto.Change{whole},
		ops: append(status("UNDER_REVIEW"), syncproto.Op{Code: syncproto.OpSet, Path: syncproto.Path{Field: "contingency"}, Value: cbor.Null()})})
	ada.sync()
	if got := ada.planStatus(plan); got != "UNDER_REVIEW" || ada.lost(less) != 0 {
		t.Errorf("a plan in force, now incomplete: status %s, lost with %v; want it under review", got, ada.lost(less))
	}
	ada.sameAsServer(plan)
}

func TestHeldServerFieldIsJudgedWhenItIsReleased(t *testing.T) {
	w, family, ada := case1(t)
	bea := w.coworker(family)
	plan := newID[syncproto.RecordID](w)
	root := ada.write(edit{family: family, record: plan, kind: "plan", ops: status("DRAFT")})
	child := bea.write(edit{family: family, record: plan, kind: "plan", deps: []*syncproto.Change{root}, ops: status("AGREED")})
	bea.sync()
	bea.wantReceipt(child, held, syncproto.CodeMissingDeps)
	ada.sync()
	bea.sync()
	if got := bea.planStatus(plan); got != "AGREED" {
		t.Errorf("in force: got %q, want AGREED", got)
	}
	bea.sameAsServer(plan)
}

// TestValueWrittenTwiceInOneChangeIsJudgedOnce: what counts of a change is the last
// value that it writes, so that is what must be valid.
func TestValueWrittenTwiceInOneChangeIsJudgedOnce(t *testing.T) {
	w, family, ada := case1(t)
	plan := newID[syncproto.RecordID](w)
	root := ada.write(edit{family: family, record: plan, kind: "plan", ops: status("DRAFT")})
	both := ada.write(edit{family: family, record: plan, kind: "plan", deps: []*syncproto.Change{root},
		ops: append(status("AGREED"), status("ACTIVE")...)})
	ada.sync()
	ada.sync()
	if got := ada.planStatus(plan); got != "DRAFT" {
		t.Errorf("in force: got %s, though the plan lacks what it needs to be active", got)
	}
	if ada.lost(both) != syncproto.CodeMissingField {
		t.Errorf("verdicts: got %v, want why it does not count", ada.verdicts)
	}
	head, _ := w.b.Journal.Head()
	many := ada.write(edit{family: family, record: plan, kind: "plan", deps: []*syncproto.Change{both},
		ops: append(status("AGREED"), slices.Repeat(status("ENDED"), 1000)...)})
	ada.sync()
	if now, _ := w.b.Journal.Head(); now != head+2 {
		t.Errorf("entries: got %d, want the change and one verdict", now-head)
	}
	if got := ada.planStatus(plan); got != "ENDED" || ada.lost(many) != 0 {
		t.Errorf("in force: got %s", got)
	}
	ada.sameAsServer(plan)
}
