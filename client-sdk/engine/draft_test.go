package engine

import (
	"strings"
	"testing"

	"doorstep/syncproto"
	"doorstep/syncproto/cbor"
	"doorstep/syncproto/text"
)

// changes are the changes of the visit on this tablet.
func (d *tablet) changes() int { return d.engine.records[visitRecord].unfold().Len() }

// typed types words at the end of the visit's purpose, a keystroke a call, with this
// much time between two.
func (d *tablet) typed(words string, everyMS uint64) {
	for _, r := range words {
		d.now.MonotonicMS += everyMS
		d.typing(visitRecord, text.Splice{Pos: len([]rune(d.purpose(visitRecord))), Ins: string(r)})
	}
}

// offline begins a request whose reply never comes.
func (d *tablet) offline() {
	d.begin()
	d.carryOut(d.engine.Failed(d.out[len(d.out)-1].request, Failure{}, d.chance()))
}

// TestWhenTypingBecomesAChange: one change a pause, a save, a hand-over, a page, a
// stretch of thirty seconds online, another way of writing; not one a keystroke. A draft is one row,
// written with each keystroke, and gone with the change.
func TestWhenTypingBecomesAChange(t *testing.T) {
	draft := string(keyDraft(testFamily(visitRecord), visitRecord))
	for _, c := range []struct {
		name string
		ends func(d *tablet)
		want int // changes that this makes, the draft's included
	}{
		{"nothing", func(*tablet) {}, 0},
		{"a sync while typing", func(d *tablet) { d.begin() }, 0},
		{"a pause, and a sync", func(d *tablet) { d.now.MonotonicMS += pauseMS; d.begin() }, 1},
		{"a save", func(d *tablet) { d.save(visitRecord) }, 1},
		{"two saves", func(d *tablet) { d.save(visitRecord); d.save(visitRecord) }, 1},
		{"a hand-over", func(d *tablet) { d.edit(visitRecord, syncproto.Op{Code: syncproto.OpHandOver}) }, 2},
		{"an answer set", func(d *tablet) { d.edit(visitRecord, set("place", cbor.Text("HOME"))) }, 2},
		{"steady typing", func(d *tablet) { d.typed("on and on", draftAgeMS/9+1) }, 1},
		{"steady typing offline", func(d *tablet) { d.offline(); d.typed("on and on", draftAgeMS) }, 0},
		{"a whole page offline", func(d *tablet) {
			d.offline()
			d.typed(strings.Repeat("on and on ", draftBytes/10), draftAgeMS)
		}, 1},
		{"offline, and online again", func(d *tablet) {
			d.offline()
			d.typed("on and on", draftAgeMS)
			d.sync()
			d.typed("on", 100)
		}, 1},
		{"dictation", func(d *tablet) {
			effects, err := d.engine.Type(d.now, Typing{Record: visitRecord, Path: purpose, Capture: syncproto.CaptureDictated,
				Splice: text.Splice{Ins: "Spoken. "}, Salt: d.chance()})
			if err != nil {
				d.t.Fatal(err)
			}
			d.carryOut(effects)
		}, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			a, _ := twoTablets(t, "Calm. ")
			before := a.changes()
			a.typed("Then loud.", 100)
			if a.changes() != before || a.rows[draft] == nil {
				t.Fatalf("%d changes of ten keystrokes, draft %x", a.changes()-before, a.rows[draft])
			}
			c.ends(a)
			if got := a.changes() - before; got != c.want {
				t.Errorf("%d changes, want %d", got, c.want)
			}
			if open := a.engine.records[visitRecord].draft != nil; open != (a.rows[draft] != nil) {
				t.Errorf("draft open %v, its row is there %v", open, a.rows[draft] != nil)
			}
			a.check()
		})
	}
}

// TestRestartWithADraft: the tablet is killed with a draft open. It is there again,
// typing goes on in it, and what becomes of it is one change.
func TestRestartWithADraft(t *testing.T) {
	a, b := twoTablets(t, "Calm. ")
	before := a.changes()
	a.typed("Then lo", 100)
	a.start()
	wantPurpose(t, a, "Calm. Then lo")
	a.now.UnixMS++
	a.typing(visitRecord, text.Splice{Pos: 13, Ins: "ud."})
	a.save(visitRecord)
	// The clock of a new session says nothing about the old one: what was typed before
	// the restart is a change of its own, so that each keeps its evidence.
	if got := a.changes() - before; got < 1 || got > 2 {
		t.Errorf("%d changes", got)
	}
	a.sync()
	b.sync()
	wantPurpose(t, b, "Calm. Then loud.")
}

// TestCrashBetweenDraftAndChange: the process dies in the very write that turns the
// draft into a change. The draft is there again, once and whole.
func TestCrashBetweenDraftAndChange(t *testing.T) {
	a, b := twoTablets(t, "Calm. ")
	a.typed("Then loud.", 100)
	before := a.changes()
	a.crash = true
	a.save(visitRecord)
	wantPurpose(t, a, "Calm. Then loud.")
	if a.changes() != before || a.engine.records[visitRecord].draft == nil {
		t.Error("half of a write was done")
	}
	a.save(visitRecord)
	a.sync()
	b.sync()
	wantPurpose(t, b, "Calm. Then loud.")
	if got := a.changes() - before; got != 1 {
		t.Errorf("%d changes", got)
	}
}

// TestNewsUnderADraft: a colleague's words reach the text while somebody types in it.
// The draft's positions are those of the text that it was typed into.
func TestNewsUnderADraft(t *testing.T) {
	a, b := twoTablets(t, "Mum was calm.")
	a.typing(visitRecord, text.Splice{Pos: 8, Ins: "very "}) // before "calm"
	b.typing(visitRecord, text.Splice{Pos: 0, Ins: "At ten, in the kitchen: "})
	b.save(visitRecord)
	b.sync()
	heads := a.engine.Heads(visitRecord)
	a.begin()
	a.arrive(0)
	a.receive(0)
	wantPurpose(t, a, "At ten, in the kitchen: Mum was very calm.")
	if a.engine.records[visitRecord].draft != nil {
		t.Error("the draft lies on another text than it was typed into")
	}
	for _, c := range a.engine.records[visitRecord].graph.Changes() {
		if c.Body.Actor != a.engine.Actor() || c.Body.Seq != uint64(len(a.engine.chain(a.engine.Actor()).links)) {
			continue
		}
		if len(c.Body.Deps) != 1 || c.Body.Deps[0] != heads[0] || c.Body.Ops[0].Splices[0].Pos != 8 {
			t.Errorf("the draft's change builds on %v at %d", c.Body.Deps, c.Body.Ops[0].Splices[0].Pos)
		}
	}
	a.typing(visitRecord, text.Splice{Pos: 0, Ins: "Seen: "})
	a.save(visitRecord)
	a.sync()
	b.sync()
	wantPurpose(t, b, "Seen: At ten, in the kitchen: Mum was very calm.")
}
