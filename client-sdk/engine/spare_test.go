package engine

import (
	"testing"

	"doorstep/syncproto"
)

// Each kind of row is in the second copy or is not, on purpose.
func TestSpareKnowsEveryKindOfRow(t *testing.T) {
	want := map[byte]int{
		rowMeta: 1, rowDraft: 1, rowFamily: 1, rowWords: 1, rowLog: 1, rowErased: 1,
		rowChange: 0, rowVerdict: 0, rowView: 0, // the server has them, or they are worked out
	}
	for kind, n := range want {
		rows := Spare([]Row{{Key: []byte{kind, 1}, Value: []byte{1}}})
		if len(rows) != n {
			t.Errorf("row %q: %d in the second copy, want %d", kind, len(rows), n)
		}
	}
}

// The content of an own change is kept until the server has it, and that of a
// refused one for good.
func TestSpareKeepsContentUntilTheServerHasIt(t *testing.T) {
	for _, test := range []struct {
		name       string
		status     syncproto.ReceiptStatus
		durability syncproto.Durability
		keeps      bool
	}{
		{"never sent", 0, syncproto.DurabilityNone, true},
		{"accepted", syncproto.StatusAccepted, syncproto.DurabilityStored, false},
		{"quarantined", syncproto.StatusQuarantined, syncproto.DurabilityStored, false},
		{"held without a place", syncproto.StatusHeld, syncproto.DurabilityNone, true},
		{"refused", syncproto.StatusRefused, syncproto.DurabilityNone, true},
	} {
		l := &link{seq: 1, id: syncproto.ChangeID{1}, status: test.status, durability: test.durability}
		content := Row{Key: keyChange(l.family, l.record, l.id), Value: []byte("words")}
		kept := map[string][]byte{}
		put(kept, Spare([]Row{content, {Key: keyLink(l.actor, 1), Value: encodeLink(&link{seq: 1, id: l.id})}}))
		put(kept, Spare([]Row{{Key: keyLink(l.actor, 1), Value: encodeLink(l)}}))
		if got := kept[string(content.Key)] != nil; got != test.keeps {
			t.Errorf("%s: content kept %v, want %v", test.name, got, test.keeps)
		}
	}
}
