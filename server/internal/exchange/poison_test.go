package exchange_test

import (
	"context"
	"testing"

	"doorstep/server/internal/exchange"
	"doorstep/syncproto"
)

// TestPoisonousChangeHoldsNobodyUp: one change that the server fails over is kept,
// locked away, and answered; what came with it counts, what builds on it shares its
// fate, and once the program is mended a reviewer lets it in.
func TestPoisonousChangeHoldsNobodyUp(t *testing.T) {
	w, family, ada := case1(t)
	visit, other := newID[syncproto.RecordID](w), newID[syncproto.RecordID](w)
	root := ada.write(edit{family: family, record: visit, ops: place("HOME")})
	poison := ada.write(edit{family: family, record: visit, deps: []*syncproto.Change{root}, ops: place("SCHOOL")})
	child := ada.write(edit{family: family, record: visit, deps: []*syncproto.Change{poison}, ops: narrative("Warm.")})
	beside := ada.write(edit{family: family, record: other, ops: place("HOME")})
	second := ada.write(edit{family: family, record: other, deps: []*syncproto.Change{beside}, ops: narrative("Dark.")})
	bad := map[syncproto.ChangeID]bool{poison.ID: true, second.ID: true}
	w.x.PoisonJudge(func(c *syncproto.Change) bool { return bad[c.ID] })
	ada.sync()
	ada.wantReceipt(root, accepted, 0)
	ada.wantReceipt(poison, quarantined, syncproto.CodeNotPlaced)
	ada.wantReceipt(child, quarantined, syncproto.CodeBuildsOnQuarantine)
	ada.wantReceipt(beside, accepted, 0)
	ada.wantReceipt(second, quarantined, syncproto.CodeNotPlaced)
	if !w.log.has("a change cannot be judged", poison.ID.String()) || w.log.has("SCHOOL") {
		t.Errorf("the log names the change, and no content: %s", &w.log.text)
	}

	manager := exchange.Caller{User: w.person("manager")}
	w.relate(manager.User, family, "MANAGER")
	if err := w.x.Admit(context.Background(), manager, poison.ID); err != syncproto.CodeInternal {
		t.Errorf("admitting it before the program is mended: %v", err)
	}
	clear(bad)
	for _, c := range []*syncproto.Change{poison, second} {
		if err := w.x.Admit(context.Background(), manager, c.ID); err != nil {
			t.Errorf("admitting it afterwards: %v", err)
		}
	}
	ada.sync()
	ada.sameAsServer(visit)
	ada.sameAsServer(other)
	if f, _ := ada.view(visit).Field("household_summary"); f.Text != "Warm." {
		t.Errorf("what builds on it came in with it: got %q", f.Text)
	}
}

// TestPoisonousChangeThatWaited: the server fails over a held change when what it
// waited for comes. Who brings that is not held up.
func TestPoisonousChangeThatWaited(t *testing.T) {
	w, family, ada := case1(t)
	bea := w.coworker(family)
	visit := newID[syncproto.RecordID](w)
	root := ada.write(edit{family: family, record: visit, ops: place("HOME")})
	poison := bea.write(edit{family: family, record: visit, deps: []*syncproto.Change{root}, ops: place("SCHOOL")})
	w.x.PoisonJudge(func(c *syncproto.Change) bool { return c.ID == poison.ID })
	bea.sync()
	bea.wantReceipt(poison, syncproto.StatusHeld, syncproto.CodeMissingDeps)
	ada.sync()
	ada.wantReceipt(root, accepted, 0)
	ref, err := w.b.Store.Change(poison.ID)
	if err != nil || ref.Status != quarantined || ref.Code != syncproto.CodeNotPlaced {
		t.Errorf("the change that waited: %+v, %v", ref, err)
	}
	ada.sameAsServer(visit)
}
