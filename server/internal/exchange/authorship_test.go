package exchange_test

import (
	"testing"

	"doorstep/syncproto"
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
