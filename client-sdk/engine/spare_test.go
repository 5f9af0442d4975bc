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
		uncopied   bool
		keeps      bool
	}{
		{"never sent", 0, syncproto.DurabilityNone, false, true},
		{"accepted", syncproto.StatusAccepted, syncproto.DurabilityStored, false, false},
		{"accepted, to be copied", syncproto.StatusAccepted, syncproto.DurabilityStored, true, true},
		{"copied", syncproto.StatusAccepted, syncproto.DurabilityCopied, false, false},
		{"quarantined", syncproto.StatusQuarantined, syncproto.DurabilityStored, false, false},
		{"held without a place", syncproto.StatusHeld, syncproto.DurabilityNone, false, true},
		{"refused", syncproto.StatusRefused, syncproto.DurabilityNone, false, true},
	} {
		l := &link{seq: 1, id: syncproto.ChangeID{1}, status: test.status, durability: test.durability, uncopied: test.uncopied}
		content := Row{Key: keyChange(l.family, l.record, l.id), Value: []byte("words")}
		kept := map[string][]byte{}
		put(kept, Spare([]Row{content, {Key: keyLink(l.actor, 1), Value: encodeLink(&link{seq: 1, id: l.id})}}))
		put(kept, Spare([]Row{{Key: keyLink(l.actor, 1), Value: encodeLink(l)}}))
		if got := kept[string(content.Key)] != nil; got != test.keeps {
			t.Errorf("%s: content kept %v, want %v", test.name, got, test.keeps)
		}
	}
}

// What a server stored that lost its disk before it had copied it is brought back by
// a tablet, even by one that lost its own store meanwhile; what it had copied is not
// kept twice on the tablet.
func TestUncopiedWordsOutliveBothStores(t *testing.T) {
	s, d := faultWorld(t)
	s.Copies = true
	d.say(visit, "copied ")
	d.sync()
	s.Copied = uint64(len(s.Entries))
	d.sync()
	if n := d.spareChanges(); n != 0 {
		t.Errorf("%d changes that the server copied are still kept twice", n)
	}
	d.say(visit, "and stored")
	d.sync()
	if n := d.spareChanges(); n == 0 {
		t.Error("words that the server has not copied are kept once")
	}
	want := d.purpose(visit)
	s.Restore(int(s.Copied)) // its disk is lost, and the copy is started from
	d.lose()
	d.sync()
	d.sync()
	wantAtServer(t, s, want)
	wantPurpose(t, d, want)
	s.Copied = uint64(len(s.Entries))
	d.sync()
	if n := d.spareChanges(); n != 0 {
		t.Errorf("%d changes that the server copied at last are still kept twice", n)
	}
	d.check()
}

// A server that stops copying says so, and that it stored a change is then all that
// a tablet waits for.
func TestServerThatStopsCopyingIsNotWaitedFor(t *testing.T) {
	s, d := faultWorld(t)
	s.Copies = true
	d.say(visit, "words")
	d.sync()
	s.Copies = false
	d.sync()
	if n := d.spareChanges(); n != 0 {
		t.Errorf("%d changes are still kept twice", n)
	}
	d.check()
}

// spareChanges counts the changes in the tablet's second copy.
func (d *tablet) spareChanges() (n int) {
	for key := range d.spare {
		if key[0] == rowChange {
			n++
		}
	}
	return n
}
