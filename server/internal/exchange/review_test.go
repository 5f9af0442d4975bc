package exchange_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"doorstep/server/internal/exchange"
	"doorstep/server/internal/store"
	"doorstep/syncproto"
)

// aside is a record with a change of its author's that waits for a reviewer, and one
// that builds on it.
type aside struct {
	w       *town
	family  syncproto.FamilyID
	visit   syncproto.RecordID
	lead    *tablet
	author  *tablet
	manager exchange.Caller
	root    *syncproto.Change
	waits   *syncproto.Change
	child   *syncproto.Change
}

func newAside(t *testing.T) aside {
	w, family, ada := case1(t)
	a := aside{w: w, family: family, visit: newID[syncproto.RecordID](w), lead: ada}
	a.root = ada.write(edit{family: family, record: a.visit, ops: place("HOME")})
	ada.sync()
	manager := w.person("manager")
	w.relate(manager, family, "MANAGER")
	a.manager = exchange.Caller{User: manager}
	a.author = w.coworker(family)
	a.author.sync()
	w.part(a.author.user, family, "CO")
	a.waits = a.author.write(edit{family: family, record: a.visit, deps: []*syncproto.Change{a.root}, ops: place("SCHOOL")})
	a.child = a.author.write(edit{family: family, record: a.visit, deps: []*syncproto.Change{a.waits}, ops: place("OFFICE")})
	a.author.sync()
	a.author.wantReceipt(a.waits, quarantined, syncproto.CodeNotEntitled)
	a.author.wantReceipt(a.child, quarantined, syncproto.CodeBuildsOnQuarantine)
	return a
}

func (a aside) wantStatus(c *syncproto.Change, status syncproto.ReceiptStatus, code syncproto.Code) {
	a.w.t.Helper()
	ref, err := a.w.b.Store.Change(c.ID)
	if err != nil || ref.Status != status || ref.Code != code {
		a.w.t.Errorf("change %s: got status %d, %v, %v; want %d, %v", c.ID, ref.Status, ref.Code, err, status, code)
	}
}

// A reviewer keeps words locked away, their author hears of it on their own device,
// nothing of them is dropped, and somebody decides otherwise later.
func TestFault49KeptAwayIsToldAndDecidedAgain(t *testing.T) {
	a := newAside(t)
	w, ctx := a.w, context.Background()
	if err := w.x.KeepAway(ctx, a.manager, a.waits.ID, "It is about another child."); err != nil {
		t.Fatal(err)
	}
	check := func() {
		t.Helper()
		a.wantStatus(a.waits, quarantined, syncproto.CodeKeptAway)
		review, ok := w.b.Store.State().Review(a.waits.ID)
		if !ok || review.By != a.manager.User || strings.Contains(string(review.Sealed), "another child") {
			t.Errorf("the review: got %+v, %v", review, ok)
		}
		err := w.b.Store.Read(func(r *store.Reader) error {
			ref, err := r.Change(a.waits.ID)
			if err != nil {
				return err
			}
			entry, err := r.ChangeEntry(ref.Position)
			if err != nil {
				return err
			}
			if reason, err := r.Reason(entry, review); err != nil || reason != "It is about another child." {
				t.Errorf("the reason: got %q, %v", reason, err)
			}
			c, err := r.Content(ref.Position)
			if err == nil && c.ID != a.waits.ID {
				t.Error("the words are not there")
			}
			return err
		})
		if err != nil {
			t.Error(err)
		}
	}
	check()
	reply := a.author.sync()
	told := false
	for _, it := range reply.Items {
		if it.Type == syncproto.ItemVerdict && it.Verdict.Change == a.waits.ID {
			told = it.Verdict.Kind == syncproto.VerdictQuarantine && it.Verdict.Code == syncproto.CodeKeptAway && it.Verdict.By.IsZero() && it.Verdict.Family.IsZero()
		}
	}
	if !told {
		t.Error("the author is not told, or is told too much")
	}
	before := len(a.lead.changes)
	a.lead.sync()
	if len(a.lead.changes) != before {
		t.Error("what is kept away was handed out")
	}
	w.restart()
	check()

	if err := w.x.Admit(ctx, a.manager, a.child.ID); !errors.Is(err, syncproto.CodeMissingDeps) {
		t.Errorf("letting in what builds on it: got %v", err)
	}
	if err := w.x.KeepAway(ctx, a.manager, a.waits.ID, "And it was said in confidence."); err != nil {
		t.Errorf("a better reason: %v", err)
	}
	if err := w.x.Admit(ctx, a.manager, a.waits.ID); err != nil {
		t.Fatal(err)
	}
	a.wantStatus(a.waits, accepted, 0)
	a.wantStatus(a.child, quarantined, syncproto.CodeBuildsOnQuarantine) // it waits for a word of its own
	if err := w.x.Admit(ctx, a.manager, a.child.ID); err != nil {
		t.Fatal(err)
	}
	a.lead.sync()
	a.lead.sameAsServer(a.visit)
	if err := w.x.KeepAway(ctx, a.manager, a.waits.ID, "Too late."); !errors.Is(err, syncproto.CodeNotFound) {
		t.Errorf("keeping away what is let in: got %v", err)
	}
}

// Who decides: a manager of the family who did not write it, and where there is none
// information governance, which keeps away and reads nothing.
func TestWhoReviewsCustody(t *testing.T) {
	a := newAside(t)
	w, ctx := a.w, context.Background()
	governance, stranger, coordinator := w.person("ig_officer"), w.person("manager"), w.person("coordinator")
	w.relate(coordinator, a.family, "COORD")
	for name, c := range map[string]struct {
		who  syncproto.UserID
		want syncproto.Code
	}{
		"governance beside a manager": {governance, syncproto.CodeNotFound},
		"a manager of another team":   {stranger, syncproto.CodeNotFound},
		"a coordinator":               {coordinator, syncproto.CodeForbidden},
		"the author":                  {a.author.user, syncproto.CodeNotFound},
	} {
		if err := w.x.KeepAway(ctx, exchange.Caller{User: c.who}, a.waits.ID, "So."); !errors.Is(err, c.want) {
			t.Errorf("%s keeps away: got %v, want %v", name, err, c.want)
		}
		if err := w.x.Admit(ctx, exchange.Caller{User: c.who}, a.waits.ID); !errors.Is(err, c.want) {
			t.Errorf("%s admits: got %v, want %v", name, err, c.want)
		}
	}
	for _, reason := range []string{"", "  ", strings.Repeat("x", 4097)} {
		if err := w.x.KeepAway(ctx, a.manager, a.waits.ID, reason); !errors.Is(err, syncproto.CodeBadValue) {
			t.Errorf("a reason of %d bytes: got %v", len(reason), err)
		}
	}
	w.part(a.manager.User, a.family, "MANAGER")
	if err := w.x.Admit(ctx, exchange.Caller{User: governance}, a.waits.ID); !errors.Is(err, syncproto.CodeNotFound) {
		t.Errorf("governance admits unread: got %v", err)
	}
	if err := w.x.KeepAway(ctx, exchange.Caller{User: governance}, a.waits.ID, "No team has this family."); err != nil {
		t.Errorf("governance stands in: %v", err)
	}
	a.wantStatus(a.waits, quarantined, syncproto.CodeKeptAway)

	// A manager's own words are for another manager.
	own := w.tablet(a.manager.User)
	mine := own.write(edit{family: a.family, record: newID[syncproto.RecordID](w), ops: place("HOME")})
	own.sync()
	own.wantReceipt(mine, quarantined, syncproto.CodeNotEntitled)
	w.relate(a.manager.User, a.family, "MANAGER")
	if err := w.x.Admit(ctx, a.manager, mine.ID); !errors.Is(err, syncproto.CodeForbidden) {
		t.Errorf("a manager admits what they wrote: got %v", err)
	}
}

// Words for a record that is final meanwhile are let in as an addendum, and only so.
func TestAdmitAsAddendumToAFinalRecord(t *testing.T) {
	a := newAside(t)
	w, ctx := a.w, context.Background()
	if err := w.x.AdmitAddendum(ctx, a.manager, a.waits.ID); !errors.Is(err, syncproto.CodeBadOp) {
		t.Errorf("an addendum to what is not final: got %v", err)
	}
	w.seal(a.family, a.visit)
	if err := w.x.Admit(ctx, a.manager, a.waits.ID); !errors.Is(err, syncproto.CodeFinal) {
		t.Errorf("into a final record: got %v", err)
	}
	if err := w.x.AdmitAddendum(ctx, a.manager, a.waits.ID); err != nil {
		t.Fatal(err)
	}
	a.wantStatus(a.waits, late, syncproto.CodeLate)
	if err := w.x.AdmitAddendum(ctx, a.manager, a.child.ID); err != nil {
		t.Fatal(err)
	}
	a.wantStatus(a.child, late, syncproto.CodeLate)
	a.lead.sync()
	a.lead.sameAsServer(a.visit)
	v, err := w.b.Store.View(a.visit)
	if err != nil || len(v.Addenda) != 2 || v.Addenda[0].By.Author != a.author.user {
		t.Errorf("got addenda %+v, %v; want two of the author's", v.Addenda, err)
	}
}

// What shares the fate of a change that was kept away moves with it when it is let
// in, if nobody has decided about it.
func TestWhatBuildsOnKeptAwayFollowsIt(t *testing.T) {
	a := newAside(t)
	w, ctx := a.w, context.Background()
	w.relate(a.author.user, a.family, "CO")
	follows := a.author.write(edit{family: a.family, record: a.visit, deps: []*syncproto.Change{a.waits}, ops: place("OFFICE")})
	decided := a.author.write(edit{family: a.family, record: a.visit, deps: []*syncproto.Change{a.waits}, ops: place("COMMUNITY")})
	a.author.sync()
	a.author.wantReceipt(follows, quarantined, syncproto.CodeBuildsOnQuarantine)
	for _, c := range []*syncproto.Change{a.waits, decided} {
		if err := w.x.KeepAway(ctx, a.manager, c.ID, "Not hers to say."); err != nil {
			t.Fatal(err)
		}
	}
	a.wantStatus(follows, quarantined, syncproto.CodeBuildsOnQuarantine)
	if err := w.x.Admit(ctx, a.manager, a.waits.ID); err != nil {
		t.Fatal(err)
	}
	a.wantStatus(follows, accepted, 0)
	a.wantStatus(decided, quarantined, syncproto.CodeKeptAway)
}

// An alert is an entry of the journal: at four fifths, when something had to stay on
// the device, and when there is room again; never twice.
func TestFault95AlertsAboutCustodyAreEntries(t *testing.T) {
	w, family, _ := case1(t)
	w.custody = 100 << 10
	w.restart()
	manager := w.person("manager")
	w.relate(manager, family, "MANAGER")
	eve := w.tablet(w.person("practitioner"))
	alert := func() uint64 { return w.b.Store.State().CustodyAlert(eve.device, eve.user) }
	var sent []*syncproto.Change
	push := func() {
		c := eve.write(edit{family: family, record: newID[syncproto.RecordID](w), ops: narrative(strings.Repeat("junk ", 2<<10))})
		sent = append(sent, c)
		eve.sync()
	}
	for alert() == 0 {
		if len(sent) == 9 {
			t.Fatal("no alert at four fifths")
		}
		push()
	}
	if len(sent) < 7 || alert() != 80 {
		t.Errorf("after %d of some 9 changes: alert at %d %%", len(sent), alert())
	}
	for range 4 {
		push()
	}
	if alert() != 100 {
		t.Errorf("when something had to stay on the device: %d %%", alert())
	}
	w.restart()
	if alerts := w.b.Store.State().CustodyAlerts(); len(alerts) != 1 || alerts[0].Percent != 100 || alerts[0].User != eve.user {
		t.Errorf("after a restart: got %+v", alerts)
	}
	for i := 0; alert() != 0; i++ {
		if i == 4 {
			t.Fatal("the alert stands although there is room")
		}
		decide := func(id syncproto.ChangeID) error {
			if i%2 == 0 {
				return w.x.Admit(context.Background(), exchange.Caller{User: manager}, id)
			}
			return w.x.KeepAway(context.Background(), exchange.Caller{User: manager}, id, "Junk.")
		}
		if err := decide(sent[i].ID); err != nil {
			t.Fatal(err)
		}
	}
	entries := 0
	for position := uint64(1); ; position++ {
		payload, err := w.b.Journal.Read(position)
		if err != nil {
			break
		}
		e, err := store.DecodeEntry(position, payload, w.b.Keys)
		if err != nil {
			t.Fatal(err)
		}
		if _, is := e.(store.CustodyAlertEntry); is {
			entries++
		}
	}
	if entries < 3 || entries > 4 { // 80, 100, (80,) 0
		t.Errorf("%d entries about alerts", entries)
	}
}
