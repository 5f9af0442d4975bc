package exchange_test

import (
	"context"
	"testing"

	"doorstep/server/internal/exchange"
	"doorstep/server/internal/store"
	"doorstep/syncproto"
)

// wantOwnNews syncs and checks that the only item says this and nothing besides.
func (d *tablet) wantOwnNews(c *syncproto.Change, kind syncproto.VerdictKind, code syncproto.Code) {
	d.w.t.Helper()
	var news []syncproto.Verdict
	for _, it := range d.sync().Items {
		if it.Type == syncproto.ItemVerdict {
			news = append(news, *it.Verdict)
		}
	}
	if len(news) != 1 || news[0].Kind != kind || news[0].Code != code || news[0].Change != c.ID {
		d.w.t.Fatalf("got %+v, want one verdict %d, code %d, on change %s", news, kind, code, c.ID)
	}
	v := news[0]
	if v.Family != (syncproto.FamilyID{}) || v.Record != (syncproto.RecordID{}) || v.By != (syncproto.UserID{}) {
		d.w.t.Errorf("own news say more than what became of the change: %+v", v)
	}
}

func (d *tablet) wantNoNews() {
	d.w.t.Helper()
	for _, it := range d.sync().Items {
		if it.Type == syncproto.ItemVerdict {
			d.w.t.Errorf("told of verdict %+v", *it.Verdict)
		}
	}
}

// Somebody without access is told, on the tablet they wrote it with, that a
// reviewer let their words in; nobody else is told by way of it, and nobody twice.
func TestAuthorsWithoutAccessHearOfTheirOwnWords(t *testing.T) {
	w, family, ada := case1(t)
	eve := w.tablet(w.person("practitioner"))
	other := w.tablet(eve.user)
	c := eve.write(edit{family: family, record: newID[syncproto.RecordID](w), ops: narrative("I was there")})
	eve.sync()
	eve.wantReceipt(c, quarantined, syncproto.CodeNotEntitled)
	eve.wantNoNews()

	manager := w.person("manager")
	w.relate(manager, family, "MANAGER")
	if err := w.x.Admit(context.Background(), exchange.Caller{User: manager}, c.ID); err != nil {
		t.Fatal(err)
	}
	w.restart()
	eve.wantOwnNews(c, syncproto.VerdictAdmit, syncproto.CodeOK)
	eve.wantNoNews()
	other.wantNoNews()
	ada.sync()
	if ada.changes[c.ID] == nil {
		t.Error("the family's worker was not sent what was admitted")
	}
}

// Words are let in, and then their record is erased, before their author syncs, who may
// hold the family again: the feed tells of the erasure and of nothing else of the record,
// so that they are told apart from it. Else they would wait for a decision for ever.
func TestFault85AuthorsHearThatErasedWordsHadBeenLetIn(t *testing.T) {
	w, family, ada := case1(t)
	eve := w.tablet(w.person("practitioner"))
	record := newID[syncproto.RecordID](w)
	c := eve.write(edit{family: family, record: record, ops: narrative("I was there")})
	eve.sync()
	eve.wantReceipt(c, quarantined, syncproto.CodeNotEntitled)
	manager := w.person("manager")
	w.relate(manager, family, "MANAGER")
	if err := w.x.Admit(context.Background(), exchange.Caller{User: manager}, c.ID); err != nil {
		t.Fatal(err)
	}
	w.commit(store.EraseEntry{Family: family, Record: record, Scope: "record", Basis: "unlawful"})
	w.relate(eve.user, family, "LEAD")
	eve.wantOwnNews(c, syncproto.VerdictAdmit, syncproto.CodeOK)
	eve.wantNoNews()
	ada.wantNoNews()
}

// A change that waited and then was locked away is in no feed: its author is told,
// with access and from a revoked device too.
func TestAuthorsHearWhenWhatWaitedIsLockedAway(t *testing.T) {
	for _, revoked := range []bool{false, true} {
		w, family, ada := case1(t)
		record := newID[syncproto.RecordID](w)
		first := ada.write(edit{family: family, record: record, ops: narrative("one")})
		ada.outbox = nil // lost on the way
		bea := w.coworker(family)
		bea.sync()
		second := bea.write(edit{family: family, record: record, deps: []*syncproto.Change{first}, ops: narrative("two")})
		bea.sync()
		bea.wantReceipt(second, held, syncproto.CodeMissingDeps)

		w.part(ada.user, family, "LEAD")
		if revoked {
			gone := bea.entry()
			gone.RevokedMS = startMS + 1
			w.commit(gone)
		}
		ada.mustAsk(ada.request(ada.batch(first)))
		ada.wantReceipt(first, quarantined, syncproto.CodeNotEntitled)
		code := syncproto.CodeBuildsOnQuarantine
		if revoked {
			code = syncproto.CodeRevokedDevice
		}
		bea.wantOwnNews(second, syncproto.VerdictQuarantine, code)
		bea.wantNoNews()
	}
}
