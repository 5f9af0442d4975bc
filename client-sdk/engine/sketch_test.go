package engine

import (
	"bytes"
	"slices"
	"testing"

	"doorstep/syncproto"
	"doorstep/syncproto/cbor"
	"doorstep/syncproto/text"
)

// A sketch says what a draft says, stands in no chain of the actor who writes, and is
// forgotten: the change that comes of the draft in the end is what it would have been.
func TestASketchSaysWhatADraftSaysAndChangesNothing(t *testing.T) {
	s := newServer()
	s.Grant(syncproto.UserID{1}, testFamily(visitRecord))
	d, plain := newTablet(t, s, 1, 7), newTablet(t, s, 1, 7)
	for _, x := range []*tablet{d, plain} {
		x.edit(visitRecord, set("visit_type", cbor.Text("CIN")))
		x.typing(visitRecord, text.Splice{Ins: "Nobody opened."})
	}
	sketches := d.engine.Sketches()
	again := d.engine.Sketches()
	if len(sketches) != 1 || len(sketches[0].Changes) != 1 || sketches[0].Record != visitRecord {
		t.Fatalf("got %d sketches of one draft", len(sketches))
	}
	u := sketches[0].Changes[0]
	if !bytes.Equal(u.Body, again[0].Changes[0].Body) {
		t.Error("a second look gives another sketch")
	}
	c, err := syncproto.DecodeChange(u.Prev, u.Body)
	if err != nil {
		t.Fatal(err)
	}
	if c.ID != u.ID || !u.Prev.IsZero() || c.Body.Seq != 1 || c.Body.Actor != u.Actor || u.Actor == d.engine.meta.actor {
		t.Errorf("got seq %d of actor %s after %s, want the first change of an actor of its own", c.Body.Seq, c.Body.Actor, u.Prev)
	}
	if len(c.Body.Ops) != 1 || c.Body.Ops[0].Splices[0].Ins != "Nobody opened." || !slices.Equal(c.Body.Deps, d.engine.Heads(visitRecord)) {
		t.Errorf("got %+v on %v", c.Body.Ops, c.Body.Deps)
	}
	d.save(visitRecord)
	plain.save(visitRecord)
	if !slices.Equal(d.engine.Heads(visitRecord), plain.engine.Heads(visitRecord)) {
		t.Error("after a sketch the draft became another change than without")
	}
	if left := d.engine.Sketches(); len(left) != 0 {
		t.Errorf("%d sketches are left of a draft that is a change", len(left))
	}
}

// A sketch of an edit needs no more than who writes: a device that knows nothing
// of any record can make one.
func TestASketchOfAnEditByADeviceWithoutRows(t *testing.T) {
	d := newTablet(t, newServer(), 1, 8)
	in := Edit{Record: visitRecord, Family: testFamily(visitRecord), Kind: "visit", Salt: [16]byte(d.chance()),
		Ops: []syncproto.Op{{Code: syncproto.OpSplice, Path: purpose, Splices: []text.Splice{{Ins: "He is back."}}}}}
	s, err := d.engine.Sketch(d.now, in)
	if err != nil || len(s.Changes) != 1 {
		t.Fatalf("got %d changes, %v", len(s.Changes), err)
	}
	if o := d.engine.Outbox(); o.Changes != 0 || d.engine.Records(in.Family) != nil {
		t.Errorf("a sketch was recorded: %+v", o)
	}
	in.Ops[0].Path.Field = "no such field"
	if _, err := d.engine.Sketch(d.now, in); err != syncproto.CodeUnknownField {
		t.Errorf("a sketch of what cannot be: got %v", err)
	}
}

// A family of which somebody is filling in a form is closed but not purged, even by an
// engine that starts anew, until what the form says is a change and the server has it.
func TestAFamilyThatADriverAwaitsIsNotPurged(t *testing.T) {
	s, d := faultWorld(t)
	d.say(visit, "sent. ")
	d.sync()
	s.Revoke(syncproto.UserID{1}, syncproto.FamilyID{1})
	d.engine.Await([]syncproto.FamilyID{{1}})
	d.sync()
	if f := d.engine.families[syncproto.FamilyID{1}]; f.standing != StandingLeaving || !d.engine.holds(f) {
		t.Fatalf("awaited: standing %d, want leaving, and everything there", f.standing)
	}
	d.engine.Await(nil)
	d.edit(visit, set("visit_type", cbor.Text("CP")))
	d.sync()
	if f := d.engine.families[syncproto.FamilyID{1}]; f.standing != StandingNone || d.engine.holds(f) {
		t.Errorf("awaited no more: standing %d, want it purged", f.standing)
	}
	if o := d.engine.Outbox(); o.Changes != 0 {
		t.Errorf("%d changes were not sent", o.Changes)
	}
}
