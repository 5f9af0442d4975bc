package engine

import (
	"strings"
	"testing"

	"doorstep/syncproto"
	"doorstep/syncproto/cbor"
	"doorstep/syncproto/text"
)

// BenchmarkKeystroke types into a note of 20 KB and looks at it after each key.
func BenchmarkKeystroke(b *testing.B) {
	e := New(Identity{Borough: "Testing", User: syncproto.UserID{1}, Device: syncproto.DeviceID{1}, Actor: syncproto.ActorID{1}}, Verifiers{})
	if _, err := e.Start(); err != nil {
		b.Fatal(err)
	}
	ops := []syncproto.Op{
		set("visit_type", cbor.Text("CIN")),
		{Code: syncproto.OpSplice, Path: purpose, Splices: []text.Splice{{Ins: strings.Repeat("Seen at home. ", 20<<10/14)}}},
	}
	if _, _, err := e.Edit(Time{}, Edit{Record: visit, Family: syncproto.FamilyID{1}, Kind: "visit", Ops: ops}); err != nil {
		b.Fatal(err)
	}
	at := 9000
	now := Time{}
	b.ReportAllocs()
	for b.Loop() {
		now.MonotonicMS += 100
		if _, err := e.Type(now, Typing{Record: visit, Path: purpose, Splice: text.Splice{Pos: at, Ins: "x"}}); err != nil {
			b.Fatal(err)
		}
		if _, err := e.View(visit); err != nil {
			b.Fatal(err)
		}
		at++
	}
}
