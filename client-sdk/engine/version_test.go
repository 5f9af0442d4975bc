package engine

import (
	"bytes"
	"errors"
	"slices"
	"testing"

	"doorstep/syncproto"
	"doorstep/syncproto/cbor"
	"doorstep/syncproto/text"
)

// twoTablets are two workers' tablets with one visit whose purpose is known to both.
func twoTablets(t *testing.T, words string) (*tablet, *tablet) {
	t.Helper()
	s := newServer()
	s.Grant(syncproto.UserID{1}, syncproto.FamilyID{1})
	s.Grant(syncproto.UserID{2}, syncproto.FamilyID{1})
	a, b := newTablet(t, s, 1, 7), newTablet(t, s, 2, 7)
	a.edit(visitRecord, set("visit_type", cbor.Text("CIN")))
	a.say(visitRecord, words)
	a.sync()
	b.sync()
	return a, b
}

var visitRecord = testRecords[0]

func TestRecordAsItWas(t *testing.T) {
	a, b := twoTablets(t, "Calm. ")
	then := a.engine.Heads(visitRecord)
	a.say(visitRecord, "Later upset.")
	a.typing(visitRecord, text.Splice{Ins: "Draft. "})
	v, err := a.engine.ViewAt(visitRecord, then)
	if err != nil {
		t.Fatal(err)
	}
	if got, _ := textAt(v, purpose); got != "Calm. " {
		t.Errorf("as it was: %q", got)
	}
	who, err := a.engine.Attribution(visitRecord, nil)
	if err != nil {
		t.Fatal(err)
	}
	if got := who.Texts[0]; got.Text != "Calm. Later upset." || len(got.Spans) != 2 {
		t.Errorf("the draft is no change yet: %+v", got)
	}
	b.say(visitRecord, " Mum left.")
	b.sync()
	a.server.Entries[len(a.server.Entries)-1].Item.Device = b.id.Device
	a.sync()
	if who, err = a.engine.Attribution(visitRecord, nil); err != nil {
		t.Fatal(err)
	}
	for i := range who.Sources {
		want := map[syncproto.UserID]syncproto.DeviceID{a.id.User: a.id.Device, b.id.User: b.id.Device}[who.Sources[i].Author]
		if got := who.Devices[i]; got != want {
			t.Errorf("what user %d wrote is said to be of device %d", who.Sources[i].Author[0], got[0])
		}
	}
	if len(who.Texts[0].Spans) < 3 {
		t.Errorf("what came from the other tablet is not there: %+v", who.Texts[0])
	}
	if _, err := a.engine.ViewAt(visitRecord, []syncproto.ChangeID{{9}}); !errors.Is(err, syncproto.CodeNotFound) {
		t.Errorf("a version that is not here: %v", err)
	}
	if _, err := a.engine.Attribution(syncproto.RecordID{99}, nil); !errors.Is(err, syncproto.CodeNotFound) {
		t.Errorf("a record that is not here: %v", err)
	}
}

// TestWordsThatMet: two workers change one sentence apart. Both tablets mark it with
// both names, their users are told, and it stays marked until one of them read it.
// While somebody types, the mark stays on the sentence.
func TestWordsThatMet(t *testing.T) {
	a, b := twoTablets(t, "First. Mum was calm. Last.")
	a.typing(visitRecord, text.Splice{Pos: 15, Del: 4, Ins: "upset"})
	b.typing(visitRecord, text.Splice{Pos: 15, Ins: "not "})
	a.save(visitRecord)
	b.save(visitRecord)
	a.sync()
	b.sync()
	a.sync()
	for _, d := range []*tablet{a, b} {
		if !slices.ContainsFunc(d.notes, func(n Note) bool { return n.Kind == NoteConflict && n.Code == syncproto.CodeUnreadOverlap }) {
			t.Errorf("user %d is not told", d.id.User[0])
		}
	}
	marked := func(d *tablet) string {
		v, err := d.engine.View(visitRecord)
		if err != nil || len(v.Overlaps) != 1 || len(v.Overlaps[0].Spans) != 1 {
			t.Fatalf("overlaps: %+v, %v", v, err)
		}
		s := v.Overlaps[0].Spans[0]
		if len(s.Authors) != 2 || len(s.Changes) != 2 {
			t.Errorf("the mark: %+v", s)
		}
		words, _ := textAt(v, purpose)
		return string([]rune(words)[s.Start:s.End])
	}
	sentence := marked(a)
	if sentence != marked(b) || !bytes.Contains([]byte(sentence), []byte("upset")) {
		t.Errorf("marked: %q and %q", sentence, marked(b))
	}
	for _, s := range []text.Splice{{Ins: "Oh. "}, {Pos: 1, Del: 2, Ins: "wn"}, {Pos: len([]rune(a.purpose(visitRecord))), Ins: " End."}} {
		a.typing(visitRecord, s)
		if got := marked(a); got != sentence {
			t.Errorf("after typing %+v the mark is on %q, want %q", s, got, sentence)
		}
	}
	a.save(visitRecord)
	a.edit(visitRecord, syncproto.Op{Code: syncproto.OpDecide, Path: purpose, Reason: "read"})
	a.sync()
	b.sync()
	for _, d := range []*tablet{a, b} {
		if v, _ := d.engine.View(visitRecord); len(v.Overlaps) != 0 {
			t.Errorf("read, and still marked: %+v", v.Overlaps)
		}
	}
}

func TestPlacesMoveWithTyping(t *testing.T) {
	for _, c := range []struct {
		at    uint64
		typed text.Splice
		start bool
		want  uint64
	}{
		{5, text.Splice{Pos: 6, Ins: "x"}, true, 5},
		{5, text.Splice{Pos: 5, Ins: "xy"}, true, 7},
		{5, text.Splice{Pos: 5, Ins: "xy"}, false, 5},
		{5, text.Splice{Pos: 0, Ins: "🙂"}, false, 6},
		{5, text.Splice{Pos: 1, Del: 2}, true, 3},
		{5, text.Splice{Pos: 5, Del: 2, Ins: "a"}, true, 5},
		{5, text.Splice{Pos: 3, Del: 9, Ins: "abc"}, true, 3},
		{5, text.Splice{Pos: 3, Del: 9, Ins: "abc"}, false, 6},
		{5, text.Splice{Pos: 3, Del: 2, Ins: "abc"}, false, 6},
	} {
		if got := moved(c.at, c.typed, c.start); got != c.want {
			t.Errorf("place %d after %+v: got %d, want %d", c.at, c.typed, got, c.want)
		}
	}
}
