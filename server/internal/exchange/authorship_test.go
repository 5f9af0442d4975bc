package exchange_test

import (
	"testing"

	"doorstep/syncproto"
	"doorstep/syncproto/cbor"
)

// TestWhoWroteMayConfirm: what a person wrote counts from the change on that they
// wrote, within one request too, and in whatever request it came.
func TestWhoWroteMayConfirm(t *testing.T) {
	w, family, ada := case1(t)
	bea := w.coworker(family)
	visit := newID[syncproto.RecordID](w)
	root := ada.write(edit{family: family, record: visit, ops: place("HOME")})
	ada.sync()
	bea.sync()
	confirm := func(on *syncproto.Change) *syncproto.Change {
		return bea.write(edit{family: family, record: visit, deps: []*syncproto.Change{on}, ops: []syncproto.Op{{
			Code: syncproto.OpConfirm, Heads: []syncproto.RecordHeads{{Record: visit, Heads: []syncproto.ChangeID{on.ID}}},
		}}})
	}
	early := confirm(root)
	words := bea.write(edit{family: family, record: visit, deps: []*syncproto.Change{root}, ops: narrative("The flat was warm.")})
	soon := confirm(words)
	bea.sync()
	bea.wantReceipt(early, quarantined, syncproto.CodeForbidden)
	bea.wantReceipt(words, accepted, 0)
	bea.wantReceipt(soon, accepted, 0)
	again := confirm(soon)
	bea.sync()
	bea.wantReceipt(again, accepted, 0)
}

// TestSecondRootBeginsNothing: who began a record settles its judgements. Adding a
// root to somebody's record makes nobody its author; a record that two people began
// has none, and the lead worker or a manager decides.
func TestSecondRootBeginsNothing(t *testing.T) {
	w, family, _ := case1(t)
	bea, cat := w.coworker(family), w.coworker(family)
	part := newID[syncproto.RecordID](w)
	begin := func(by *tablet, awake string) *syncproto.Change {
		return by.write(edit{family: family, record: part, kind: "visit_child", ops: []syncproto.Op{{
			Code: syncproto.OpSet, Path: syncproto.Path{Field: "awake"}, Value: cbor.Text(awake),
		}}})
	}
	judge := func(by *tablet, on *syncproto.Change) *syncproto.Change {
		return by.write(edit{family: family, record: part, kind: "visit_child", deps: []*syncproto.Change{on}, ops: []syncproto.Op{{
			Code: syncproto.OpDecide, Path: syncproto.Path{Field: "analysis"}, Value: cbor.Text("Tense."), Reason: "agreed",
		}}})
	}
	root := begin(bea, "Y")
	first := judge(bea, root)
	bea.sync()
	bea.wantReceipt(first, accepted, 0)

	cat.sync()
	second := begin(cat, "N")
	takes := judge(cat, second)
	cat.sync()
	cat.wantReceipt(second, accepted, 0)
	cat.wantReceipt(takes, quarantined, syncproto.CodeDeniedField)

	again := judge(bea, first)
	bea.sync()
	bea.wantReceipt(again, quarantined, syncproto.CodeDeniedField)
}
