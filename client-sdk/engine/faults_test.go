package engine

import (
	"slices"
	"strings"
	"testing"

	"doorstep/client-sdk/engine/enginetest"
	"doorstep/syncproto"
	"doorstep/syncproto/cbor"
)

// faultWorld is one tablet with one synced record.
func faultWorld(t *testing.T) (*enginetest.Server, *tablet) {
	t.Helper()
	s := newServer()
	s.Grant(syncproto.UserID{1}, syncproto.FamilyID{1})
	d := newTablet(t, s, 1, 1)
	d.edit(syncproto.RecordID{1}, set("visit_type", cbor.Text("CIN")))
	d.sync()
	d.notes = nil
	return s, d
}

var visit = syncproto.RecordID{1}

func wantPurpose(t *testing.T, d *tablet, want string) {
	t.Helper()
	if got := d.purpose(visit); got != want {
		t.Errorf("tablet %d shows %q, want %q", d.key, got, want)
	}
}

func wantAtServer(t *testing.T, s *enginetest.Server, want string) {
	t.Helper()
	if got, _ := textAt(s.View(visit), purpose); got != want {
		t.Errorf("the server has %q, want %q", got, want)
	}
}

// A batch with one bad change: the others are taken in, the bad one is named,
// kept and exportable, and what is written next does not build on it.
func TestFault65OneBadInABatch(t *testing.T) {
	s, d := faultWorld(t)
	var bad syncproto.ChangeID
	s.Refuse = func(c *syncproto.Change) syncproto.Code {
		if c.ID == bad {
			return syncproto.CodeBadValue
		}
		return syncproto.CodeOK
	}
	d.say(visit, "one ")
	bad = d.edit(visit, set("visit_type", cbor.Text("CP")))
	d.sync()
	d.say(visit, "two")
	d.sync()
	wantAtServer(t, s, "one two")
	wantPurpose(t, d, "one two")
	marks := d.engine.Status(visit).Marks
	if len(marks) != 1 || marks[0].Change != bad || marks[0].Status != syncproto.StatusRefused || marks[0].Plain() == "" {
		t.Errorf("marks %+v do not name the refused change", marks)
	}
	if _, body, err := d.engine.Export(bad); err != nil || len(body) == 0 {
		t.Errorf("the refused change cannot be exported: %v", err)
	}
	if !d.noted(NoteRefused) {
		t.Error("nobody was told")
	}
	d.check()
}

// A signature that does not verify says nothing about the words: they are
// offered again, more and more slowly, and are shown all the while.
func TestFault40BadSignature(t *testing.T) {
	s, d := faultWorld(t)
	good := s.Genuine
	s.Genuine = func(syncproto.DeviceID, []byte, []byte) bool { return false }
	takenInLater(t, d)
	s.Genuine = good
	d.sync()
	wantAtServer(t, s, "words")
}

// A device that the server does not know yet keeps its words and sends again.
func TestFault42UnknownKey(t *testing.T) {
	s, d := faultWorld(t)
	s.Enrolled = func(syncproto.DeviceID) bool { return false }
	takenInLater(t, d)
	s.Enrolled = func(syncproto.DeviceID) bool { return true }
	d.sync()
	wantAtServer(t, s, "words")
}

func takenInLater(t *testing.T, d *tablet) {
	t.Helper()
	d.say(visit, "words")
	waited := int64(0)
	for range 6 {
		d.begin()
		d.arrive(0)
		effects, err := d.engine.Reply(d.now, d.in[0].bytes, Chance{})
		if err != nil {
			t.Fatal(err)
		}
		d.carryOut(effects)
		after := effects[len(effects)-1].(Schedule).AfterMS
		if after <= waited {
			t.Errorf("waits %d ms after %d ms", after, waited)
		}
		waited = after
		d.in, d.out = nil, nil
	}
	wantPurpose(t, d, "words")
	if o := d.engine.Outbox(); o.Changes != 1 || !d.noted(NoteSignIn) {
		t.Errorf("outbox %+v, notes %+v", o, d.notes)
	}
	d.check()
}

// A cloned tablet: both keep writing, both go on as new actors, no word is lost.
func TestFault48ClonedTablet(t *testing.T) {
	s, a := faultWorld(t)
	b := a.clone()
	before := a.engine.Actor()
	a.say(visit, "from a. ")
	b.say(visit, "from b. ")
	for range 3 {
		a.sync()
		b.sync()
	}
	if a.engine.Actor() == before || b.engine.Actor() == before || a.engine.Actor() == b.engine.Actor() {
		t.Errorf("actors %v and %v after the fork of %v", a.engine.Actor(), b.engine.Actor(), before)
	}
	if !a.noted(NoteForked) || !b.noted(NoteForked) {
		t.Error("a tablet was not told")
	}
	a.say(visit, "again a. ")
	b.say(visit, "again b. ")
	for range 2 {
		a.sync()
		b.sync()
	}
	if a.purpose(visit) != b.purpose(visit) {
		t.Errorf("%q and %q", a.purpose(visit), b.purpose(visit))
	}
	for _, words := range []string{"from a. ", "from b. ", "again a. ", "again b. "} {
		if got, _ := textAt(s.View(visit), purpose); !strings.Contains(got, words) {
			t.Errorf("%q is not in %q", words, got)
		}
	}
	a.check()
	b.check()
}

// A tablet restored from its own old backup is a clone of what it was.
func TestFault48RestoredTablet(t *testing.T) {
	s, d := faultWorld(t)
	backup := d.clone()
	d.say(visit, "lost with the tablet. ")
	d.sync()
	before := backup.engine.Actor()
	backup.sync()
	if backup.engine.Actor() == before {
		t.Error("the restored tablet goes on under its old actor")
	}
	backup.say(visit, "new.")
	backup.sync()
	wantAtServer(t, s, "lost with the tablet. new.")
	wantPurpose(t, backup, "lost with the tablet. new.")
}

// A cursor that the server does not know: everything is compared and read again.
func TestFault57CursorBeyondHead(t *testing.T) {
	s, d := faultWorld(t)
	d.say(visit, "kept. ")
	d.sync()
	s.Restore(len(s.Entries) - 1) // the last words are lost, the cursor is beyond the head
	s.Epoch[0]--                  // and nobody noticed
	d.say(visit, "new.")
	d.sync()
	wantAtServer(t, s, "kept. new.")
	if !d.noted(NoteEpoch) {
		t.Error("nobody was told")
	}
	d.check()
}

// A restored server: the device offers again what the server lacks, its own
// words and no more, and shows what it showed.
func TestFault59OlderEpoch(t *testing.T) {
	s, a := faultWorld(t)
	s.Grant(syncproto.UserID{2}, syncproto.FamilyID{1})
	b := newTablet(t, s, 2, 1)
	b.sync()
	n := len(s.Entries)
	for _, words := range []string{"1 ", "2 ", "3 "} {
		a.say(visit, words)
		a.sync()
		b.sync()
		b.say(visit, words)
		b.sync()
	}
	a.sync()
	want := a.purpose(visit)
	s.Restore(n)
	b.sync() // its words build on what the server lost: they are held
	if status := b.engine.Status(visit).Marks; len(status) == 0 {
		t.Error("nothing of b is held")
	}
	a.sync()
	b.sync()
	wantAtServer(t, s, want)
	wantPurpose(t, a, want)
	wantPurpose(t, b, want)
	if marks := append(a.engine.Marks(), b.engine.Marks()...); len(marks) > 0 {
		t.Errorf("left over: %+v", marks)
	}
	a.check()
	b.check()
}

// A restored server that no longer speaks of a family: the device offers its
// words and stops showing the family. It keeps what it holds until the server
// says that it must go, or is told of the family again.
func TestFault59FamilyNotSpokenOf(t *testing.T) {
	s, d := faultWorld(t)
	d.say(visit, "words")
	d.sync()
	s.Restore(0)
	s.Grant(syncproto.UserID{1}, syncproto.FamilyID{2})
	d.sync()
	d.sync()
	if n := len(s.Graph(visit).Changes()); n != 2 {
		t.Errorf("%d changes came back, want 2", n)
	}
	if _, err := d.engine.View(visit); err != syncproto.CodeNotEntitled {
		t.Errorf("view of a family that the server does not speak of: %v", err)
	}
	if f := d.engine.families[syncproto.FamilyID{1}]; f.standing != StandingClosed || !d.engine.holds(f) {
		t.Errorf("the family: standing %d, holds anything: %v; want it closed and kept", f.standing, d.engine.holds(f))
	}
	d.check()
	s.Grant(syncproto.UserID{1}, syncproto.FamilyID{1})
	d.sync()
	wantPurpose(t, d, "") // the words came without a grant, and are in quarantine
	_, effects, err := d.engine.Reoffer(d.now, visit, d.chance())
	if err != nil {
		t.Fatal(err)
	}
	d.carryOut(effects)
	d.sync()
	wantPurpose(t, d, "words")
	wantAtServer(t, s, "words")
	s.Revoke(syncproto.UserID{1}, syncproto.FamilyID{1})
	d.sync()
	wantGone(t, d)
	d.check()
}

// A request that never arrives: the next one gives the same result. What a cut
// at each byte does is shown in package device, where there are bytes to cut.
func TestFault62LostRequest(t *testing.T) {
	s, d := faultWorld(t)
	d.say(visit, "words")
	for range 3 {
		d.begin() // and lost
		d.check()
	}
	if o := d.engine.Outbox(); o.Changes != 1 {
		t.Errorf("outbox %+v before any receipt", o)
	}
	d.sync()
	wantAtServer(t, s, "words")
	if o := d.engine.Outbox(); o.Changes != 0 {
		t.Errorf("outbox %+v after the receipt", o)
	}
}

// The server took the words in, and its reply is lost.
func TestFault63LostReply(t *testing.T) {
	s, d := faultWorld(t)
	d.say(visit, "words")
	d.begin()
	d.arrive(0)
	if o := d.engine.Outbox(); o.Changes != 1 {
		t.Errorf("outbox %+v before any receipt", o)
	}
	entries := len(s.Entries)
	d.start()
	d.sync()
	if o := d.engine.Outbox(); o.Changes != 0 {
		t.Errorf("outbox %+v after the receipt", o)
	}
	if len(s.Entries) != entries {
		t.Error("the words were taken in twice")
	}
	wantAtServer(t, s, "words")
}

// A reply that is doubled, late or out of order is known by its request id.
func TestFault64RepliesOutOfOrder(t *testing.T) {
	s, d := faultWorld(t)
	s.Grant(syncproto.UserID{2}, syncproto.FamilyID{1})
	other := newTablet(t, s, 2, 1)
	other.sync()
	d.begin()
	d.arrive(0) // kept back for three days
	other.say(visit, "news")
	other.sync()
	d.begin()
	d.arrive(1)
	d.receive(1)
	wantPurpose(t, d, "news")
	before := fingerprint(d.engine)
	for _, i := range []int{0, 1, 0} {
		effects, err := d.engine.Reply(d.now, d.in[i].bytes, d.chance())
		if err != nil || len(effects) > 0 {
			t.Errorf("reply %d: %v, %v", i, effects, err)
		}
	}
	if !slices.Equal(before, fingerprint(d.engine)) {
		t.Error("an old reply changed something")
	}
}

func TestForgedReply(t *testing.T) {
	_, d := faultWorld(t)
	d.say(visit, "words")
	d.begin()
	d.arrive(0)
	before := fingerprint(d.engine)
	for i := range d.in[0].bytes {
		forged := slices.Clone(d.in[0].bytes)
		forged[i] ^= 1
		if effects, err := d.engine.Reply(d.now, forged, d.chance()); err == nil {
			t.Fatalf("flipping byte %d was not noticed: %v", i, effects)
		}
		if _, err := d.engine.Reply(d.now, forged[:i], d.chance()); err == nil {
			t.Fatalf("cutting at byte %d was not noticed", i)
		}
	}
	if !slices.Equal(before, fingerprint(d.engine)) {
		t.Error("a forged reply changed something")
	}
	d.receive(0)
	if o := d.engine.Outbox(); o.Changes != 0 {
		t.Error("the true reply was not taken in after the forged ones")
	}
}

// A change in a format of the future is passed over, and asked for again by the
// app that can read it; one with an unknown op is held.
func TestFault76NewerApp(t *testing.T) {
	s, d := faultWorld(t)
	d.sync()
	strange := &syncproto.Change{ID: syncproto.ChangeID{7}, Raw: []byte{0xa0}}
	strange.Body = syncproto.Body{Family: syncproto.FamilyID{1}, Record: syncproto.RecordID{9}}
	s.Entries = append(s.Entries, enginetest.Entry{Change: strange, Item: syncproto.Item{
		Type: syncproto.ItemChange, Position: uint64(len(s.Entries)) + 1, Body: strange.Raw,
	}})
	d.say(visit, "words")
	d.sync()
	wantAtServer(t, s, "words")
	if d.engine.meta.unread != 1 {
		t.Errorf("%d changes passed over, want 1", d.engine.meta.unread)
	}
	d.engine.meta.readable = syncproto.BodyVersion - 1 // as the older app wrote it
	d.rows[string(keyMeta())] = encodeMeta(&d.id, &d.engine.meta)
	d.start()
	if d.engine.meta.cursor != nil {
		t.Error("the newer app does not ask again for what the older one passed over")
	}
	d.check()
}

// Tablets that lost the server do not come back all at once, nor before it asks.
func TestFault74BackOff(t *testing.T) {
	_, d := faultWorld(t)
	delays := map[int64]bool{}
	longest := int64(0)
	for i := range 40 {
		why := Failure{}
		if i%2 == 1 {
			why = Failure{Code: syncproto.CodeUnavailable, RetryAfterMS: 20_000}
		}
		d.begin()
		effects := d.engine.Failed(d.out[len(d.out)-1].request, why, d.chance())
		after := effects[len(effects)-1].(Schedule).AfterMS
		if after < why.RetryAfterMS || after < firstDelayMS/2 || after > maxDelayMS {
			t.Errorf("attempt %d waits %d ms, asked for %d", i, after, why.RetryAfterMS)
		}
		delays[after] = true
		longest = max(longest, after)
	}
	if len(delays) < 30 || longest < maxDelayMS/2 {
		t.Errorf("%d different delays, the longest %d ms", len(delays), longest)
	}
	if effects := d.engine.Failed(syncproto.RequestID{1}, Failure{}, d.chance()); effects != nil {
		t.Errorf("the failure of another request: %v", effects)
	}
}

func TestIdlePollWritesNothing(t *testing.T) {
	_, d := faultWorld(t)
	d.begin()
	d.arrive(0)
	effects, err := d.engine.Reply(d.now, d.in[0].bytes, d.chance())
	if err != nil || len(effects) != 1 {
		t.Errorf("an idle poll brings %v, %v", effects, err)
	}
}
