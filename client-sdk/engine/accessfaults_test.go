package engine

import (
	"strings"
	"testing"

	"doorstep/syncproto"
	"doorstep/syncproto/cbor"
	"doorstep/syncproto/text"
)

// Access is lost in the middle of a pull of several pages: what came so far is
// purged, nothing is shown.
func TestFault66RevokedMidPull(t *testing.T) {
	s, a := faultWorld(t)
	for range 20 {
		a.edit(visit, set("visit_type", cbor.Text("CP")))
	}
	a.sync()
	s.Grant(syncproto.UserID{2}, syncproto.FamilyID{1})
	s.Page = 3
	b := newTablet(t, s, 2, 1)
	b.begin()
	b.arrive(0)
	b.receive(0)
	if _, err := b.engine.View(visit); err != nil {
		t.Fatalf("the first page is not shown: %v", err)
	}
	s.Revoke(syncproto.UserID{2}, syncproto.FamilyID{1})
	b.sync()
	if _, err := b.engine.View(visit); err == nil {
		t.Error("the record is still shown")
	}
	wantGone(t, b)
}

// wantGone checks that no row of the first family holds content.
func wantGone(t *testing.T, d *tablet) {
	t.Helper()
	for key := range d.rows {
		if key[0] != rowMeta && key[0] != rowLink && strings.Contains(key, string([]byte{1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0})) {
			t.Errorf("a row of kind %c is left", key[0])
		}
	}
}

// Access is lost while words are unsent, one of them still a draft: they go into
// custody first, then the family is purged and the purge reported.
func TestFault67RevokedWithUnsentWords(t *testing.T) {
	s, d := faultWorld(t)
	d.say(visit, "saved. ")
	d.typing(visit, text.Splice{Pos: 7, Ins: "still a draft."})
	s.Revoke(syncproto.UserID{1}, syncproto.FamilyID{1})
	d.begin()
	d.arrive(0)
	d.receive(0)
	if _, err := d.engine.View(visit); err != syncproto.CodeNotEntitled {
		t.Errorf("view of a closed family: %v", err)
	}
	if d.engine.Outbox().Changes == 0 {
		t.Fatal("the draft is not on its way: the test shows nothing")
	}
	d.check()
	d.sync()
	wantGone(t, d)
	if !d.noted(NotePurged) {
		t.Error("nobody was told")
	}
	if r := s.Last.Purged; len(r) != 1 || r[0].Family != (syncproto.FamilyID{1}) || r[0].Position == 0 {
		t.Errorf("reported purges %v", r)
	}
	custody := ""
	for i := range s.Entries {
		c := s.Entries[i].Change
		if c == nil {
			continue
		}
		if status, _ := s.Status(c.ID); status == syncproto.StatusQuarantined {
			for _, op := range c.Body.Ops {
				custody += op.Splices[0].Ins
			}
		}
	}
	if custody != "saved. still a draft." {
		t.Errorf("in custody: %q", custody)
	}
	d.sync()
	if len(s.Last.Purged) > 0 {
		t.Error("the purge is reported again")
	}
	d.check()
}

// Access is given back: the whole history is there again, new words build on
// what the server has, and the words in quarantine can be offered anew.
func TestFault68AccessGivenBack(t *testing.T) {
	s, d := faultWorld(t)
	d.say(visit, "before. ")
	d.sync()
	d.say(visit, "during. ")
	s.Revoke(syncproto.UserID{1}, syncproto.FamilyID{1})
	d.sync()
	s.Grant(syncproto.UserID{1}, syncproto.FamilyID{1})
	d.sync()
	wantPurpose(t, d, "before. ")
	d.say(visit, "after. ")
	d.sync()
	wantPurpose(t, d, "before. after. ")
	wantAtServer(t, s, "before. after. ")
	if marks := d.engine.Status(visit).Marks; len(marks) != 1 || marks[0].Here {
		t.Errorf("marks %+v", marks)
	}
	d.check()
}

// Words that are offered anew keep how they came: what was dictated stays dictated.
// An element's words are said once, with what was typed into them.
func TestReofferKeepsTheWayOfWriting(t *testing.T) {
	s, d := faultWorld(t)
	d.say(visit, "Before. ")
	d.sync()
	s.Revoke(syncproto.UserID{1}, syncproto.FamilyID{1})
	d.say(visit, "Typed. ")
	effects, err := d.engine.Type(d.now, Typing{Record: visit, Path: purpose, Capture: syncproto.CaptureDictated,
		Splice: text.Splice{Pos: 15, Ins: "Spoken. "}, Salt: d.chance()})
	if err != nil {
		t.Fatal(err)
	}
	d.carryOut(effects)
	d.save(visit)
	d.typing(visit, text.Splice{Pos: 0, Del: 6, Ins: "Earlier"})
	d.save(visit)
	s.Page = 0
	d.begin()
	d.arrive(0)
	d.receive(0)
	s.Page = 5
	s.Grant(syncproto.UserID{1}, syncproto.FamilyID{1})
	d.sync()
	wantPurpose(t, d, "Before. ")
	d.typing(visit, text.Splice{Pos: 8, Ins: "Open. "})
	_, effects, err = d.engine.Reoffer(d.now, visit, d.chance())
	if err != nil {
		t.Fatal(err)
	}
	d.carryOut(effects)
	d.check()
	d.sync()
	who, err := d.engine.Attribution(visit, nil)
	if err != nil {
		t.Fatal(err)
	}
	words, modes := []rune(who.Texts[0].Text), map[syncproto.CaptureMode]string{}
	for _, sp := range who.Texts[0].Spans {
		modes[who.Sources[sp.By].Capture] += string(words[sp.Start:sp.End])
	}
	if modes[syncproto.CaptureDictated] != "Spoken. " {
		t.Errorf("%q: typed is %q, dictated %q", string(words), modes[syncproto.CaptureTyped], modes[syncproto.CaptureDictated])
	}
	salts := map[[16]byte]bool{}
	for _, c := range d.engine.records[visit].graph.Changes() {
		if salts[c.Body.Salt] {
			t.Error("a salt is used twice")
		}
		salts[c.Body.Salt] = true
	}
}

// Words in quarantine whose content is still here are offered anew.
func TestReofferAfterQuarantine(t *testing.T) {
	s, d := faultWorld(t)
	d.say(visit, "before. ")
	d.sync()
	s.Revoke(syncproto.UserID{1}, syncproto.FamilyID{1})
	d.say(visit, "during. ")
	added := syncproto.ElementID{9}
	d.edit(visit, syncproto.Op{
		Code: syncproto.OpAdd, Path: syncproto.Path{Field: "present", Element: added},
		Value: cbor.Map(cbor.Pair{Key: "described", Value: cbor.Text("a neighbour")}),
	})
	s.Page = 0 // the device has not heard of it
	d.begin()
	d.arrive(0)
	d.receive(0)
	s.Page = 5
	s.Grant(syncproto.UserID{1}, syncproto.FamilyID{1})
	d.sync()
	wantPurpose(t, d, "before. ")
	d.now.UnixMS++
	_, effects, err := d.engine.Reoffer(d.now, visit, d.chance())
	if err != nil {
		t.Fatal(err)
	}
	d.carryOut(effects)
	d.check()
	d.sync()
	wantPurpose(t, d, "before. during. ")
	wantAtServer(t, s, "before. during. ")
	if f, _ := s.View(visit).Field("present"); len(f.Items) != 1 || f.Items[0].Element != added {
		t.Errorf("the added person is not there: %+v", f.Items)
	}
	for _, m := range d.engine.Status(visit).Marks {
		if !m.Reoffered {
			t.Errorf("mark %+v is not said to be offered anew", m)
		}
	}
	if _, _, err := d.engine.Reoffer(d.now, visit, d.chance()); err != syncproto.CodeNotFound {
		t.Errorf("offering anew twice: %v", err)
	}
}
