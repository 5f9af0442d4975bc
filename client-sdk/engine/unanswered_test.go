package engine

import (
	"testing"

	"doorstep/syncproto"
	"doorstep/syncproto/cbor"
)

// TestFault42UnknownKeyIsOfferedAgain: a receipt that says that nothing was kept
// settles nothing. The change waits, without haste, and goes up once the server
// knows the device; the same after a signature that did not verify.
func TestFault42UnknownKeyIsOfferedAgain(t *testing.T) {
	for name, receipt := range map[string]syncproto.Receipt{
		"unknown key":   {Status: syncproto.StatusHeld, Code: syncproto.CodeUnknownKey},
		"bad signature": {Status: syncproto.StatusRefused, Code: syncproto.CodeBadSignature},
	} {
		s := newServer()
		s.Grant(syncproto.UserID{1}, syncproto.FamilyID{1})
		d := newTablet(t, s, 1, 1)
		receipt.Change = d.edit(testRecords[0], set("visit_type", cbor.Text("CIN")))
		d.begin()
		p := syncproto.EncodeReply(&syncproto.SyncReply{
			Version: syncproto.ProtocolVersion, Request: d.out[0].request, Epoch: s.Epoch,
			Receipts: []syncproto.Receipt{receipt}, Chains: []syncproto.ChainHead{{Actor: d.id.Actor}},
		})
		signed := syncproto.EncodeSignedReply(p, s.Sign(syncproto.ReplyMessage(d.id.Device, p)))
		effects, err := d.engine.Reply(d.now, signed, d.chance())
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		d.carryOut(effects)
		after, ok := effects[len(effects)-1].(Schedule)
		if !ok || after.AfterMS < firstDelayMS/2 {
			t.Errorf("%s: the next sync is at once, want a pause", name)
		}
		if !d.noted(NoteSignIn) {
			t.Errorf("%s: nobody was told", name)
		}
		d.sync()
		if s.Find(receipt.Change) == nil {
			t.Errorf("%s: the change was not offered again", name)
		}
	}
}
