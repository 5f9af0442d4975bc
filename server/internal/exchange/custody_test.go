package exchange_test

import (
	"context"
	"strings"
	"testing"

	"doorstep/server/internal/exchange"
	"doorstep/syncproto"
)

// One device pushes junk that nobody may place: custody takes so much of it and no
// more, nothing of what is over is stored, everybody else goes on, and what was
// kept on the device arrives once there is room.
func TestFault95JunkMeetsAQuota(t *testing.T) {
	w, family, ada := case1(t)
	w.custody = 100 << 10
	w.restart()
	eve := w.tablet(w.person("practitioner"))
	var sent []*syncproto.Change
	for range 20 {
		sent = append(sent, eve.write(edit{
			family: family, record: newID[syncproto.RecordID](w), ops: narrative(strings.Repeat("junk ", 2<<10)),
		}))
	}
	eve.sync()
	stored := 0
	for _, c := range sent {
		r := eve.receipts[c.ID]
		switch {
		case r.Status == quarantined && r.Durability == syncproto.DurabilityStored:
			stored++
		case r.Status != held || r.Code != syncproto.CodeCustodyFull || r.Durability != syncproto.DurabilityNone:
			t.Errorf("receipt %+v", r)
		}
	}
	if stored == 0 || stored > 10 {
		t.Fatalf("%d of 20 changes of 10 KB were taken into 100 KB", stored)
	}
	before, _ := w.b.Journal.Head()
	eve.mustAsk(eve.request(eve.batch(sent[stored:]...)))
	if after, _ := w.b.Journal.Head(); after != before {
		t.Errorf("junk over the quota left %d entries", after-before)
	}
	if !w.log.has("security event", "custody is full") {
		t.Error("no security event")
	}

	// Others, and what counts, are not touched.
	own := ada.write(edit{family: family, record: newID[syncproto.RecordID](w), ops: narrative("calm")})
	ada.sync()
	ada.wantReceipt(own, accepted, syncproto.CodeOK)
	bea := w.tablet(w.person("practitioner"))
	aside := bea.write(edit{family: family, record: newID[syncproto.RecordID](w), ops: narrative("honest")})
	bea.sync()
	bea.wantReceipt(aside, quarantined, syncproto.CodeNotEntitled)

	// The count stays over a restart, and falls when somebody decides.
	w.restart()
	eve.mustAsk(eve.request(eve.batch(sent[stored])))
	eve.wantReceipt(sent[stored], held, syncproto.CodeCustodyFull)
	manager := w.person("manager")
	w.relate(manager, family, "MANAGER")
	if err := w.x.Admit(context.Background(), exchange.Caller{User: manager}, sent[0].ID); err != nil {
		t.Fatal(err)
	}
	eve.mustAsk(eve.request(eve.batch(sent[stored:]...)))
	eve.wantReceipt(sent[stored], quarantined, syncproto.CodeNotEntitled)
	eve.wantReceipt(sent[stored+1], held, syncproto.CodeCustodyFull)
}

// A week's honest work that meets a lost allocation goes into custody whole.
func TestFault95AWeekOfflineNeverMeetsTheQuota(t *testing.T) {
	w, family, ada := case1(t)
	w.part(ada.user, family, "LEAD")
	var sent []*syncproto.Change
	for range 25 { // five visits a day, of some 20 KB
		sent = append(sent, ada.write(edit{
			family: family, record: newID[syncproto.RecordID](w), ops: narrative(strings.Repeat("we talked ", 2<<10)),
		}))
	}
	ada.sync()
	for _, c := range sent {
		ada.wantReceipt(c, quarantined, syncproto.CodeNotEntitled)
	}
}
