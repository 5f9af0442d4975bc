package finalise_test

import (
	"bytes"
	"crypto/rand"
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"doorstep/server/internal/finalise"
	"doorstep/syncproto"
	"doorstep/syncproto/cbor"
)

// TestFromCapturedToFinal is the whole way of a visit on which two differ.
func TestFromCapturedToFinal(t *testing.T) {
	w := newWorld(t)
	w.recorded()
	// Offline, the co-worker saw it otherwise.
	base := w.heads(partMaya)
	mine := w.write(lead, partMaya, "visit_child", base, code("seen_alone", "Y"))
	theirs := w.write(co, partMaya, "visit_child", base, code("seen_alone", "N"))
	w.send(mine, syncproto.StatusAccepted)
	w.send(theirs, syncproto.StatusAccepted)
	w.must(w.service.HandOver(ctx, as(lead), finalise.HandOver{Record: visit, To: coordA}))

	query := w.must(w.service.Query(ctx, as(coordA), finalise.Query{Record: partMaya, To: lead, Text: "Was Maya seen alone?",
		Path: syncproto.Path{Field: "seen_alone"}}))
	w.wantRefused(func() error { _, err := w.finalise(coordA); return err },
		syncproto.CodeNotConfirmed, syncproto.CodeOpenConflict, syncproto.CodeOpenQuery, syncproto.CodeNotConfirmed, syncproto.CodeNotConfirmed)

	w.must(w.service.Answer(ctx, as(lead), finalise.Answer{Record: partMaya, Query: query, Text: "For ten minutes in the garden."}))
	w.must(w.decide(lead, finalise.Decide{Record: partMaya, Path: syncproto.Path{Field: "seen_alone"},
		Value: cbor.Text("Y"), Reason: "In the garden, after Tom had left."}))
	w.confirm()
	id := w.must(w.finalise(coordA))

	whole := w.view(visit)
	if whole.Seal == nil || whole.Seal.By != coordA || len(whole.Seal.Group) != 3 {
		t.Fatalf("seal: %+v", whole.Seal)
	}
	info, _ := w.borough.Store.RecordInfo(visit)
	if !slices.Equal(info.Heads, []syncproto.ChangeID{id}) {
		t.Errorf("heads: %v, want the finalise change", info.Heads)
	}
	// The seals are chained: each names the hash of the one before.
	seals := w.seals()
	for i, s := range seals {
		want := [32]byte{}
		if i > 0 {
			want = seals[i-1].Hash
		}
		if s.PrevHash != want || s.Change != id {
			t.Errorf("seal %d: prev %x of %v, want %x of %v", i, s.PrevHash[:4], s.Change, want[:4], id)
		}
	}
	if len(seals) != 3 {
		t.Errorf("seals: got %d, want 3", len(seals))
	}
	sealed, err := w.service.Sealed(ctx, as(lead), visit)
	if err != nil || len(sealed) != 3 {
		t.Fatalf("sealed versions: %d, %v", len(sealed), err)
	}
	for _, v := range sealed[1:] {
		if f, _ := v.Field("counts_as_statutory"); !f.Value.Equal(cbor.Bool(true)) {
			t.Errorf("counts as statutory: %v, want it frozen as true", f.Value)
		}
	}
	if f, _ := sealed[0].Field("duration_min"); !f.Value.Equal(cbor.Int(60)) {
		t.Errorf("duration: %v", f.Value)
	}
}

// seals reads the borough's seals in order.
func (w *world) seals() []syncproto.Verdict {
	w.t.Helper()
	var out []syncproto.Verdict
	for _, r := range []syncproto.RecordID{visit, partMaya, partJo} {
		_, verdicts, err := w.borough.Store.Graph(r)
		if err != nil {
			w.t.Fatal(err)
		}
		for _, v := range verdicts {
			if v.Kind == syncproto.VerdictSeal {
				out = append(out, v)
			}
		}
	}
	slices.SortFunc(out, func(a, b syncproto.Verdict) int { return int(a.Position) - int(b.Position) })
	return out
}

// TestFault69LateChangeBecomesAnAddendum: what came after the seal is shown,
// alters nothing, and can be accepted.
func TestFault69LateChangeBecomesAnAddendum(t *testing.T) {
	w := newWorld(t)
	w.ready()
	offline := w.write(co, partMaya, "visit_child", w.heads(partMaya), code("bedroom_seen", "N"))
	w.seal()
	before := w.sealedBytes()
	late := w.send(offline, syncproto.StatusLate)

	v := w.view(partMaya)
	if len(v.Addenda) != 1 || !v.Addenda[0].Late || v.Addenda[0].By.Change != late {
		t.Fatalf("addenda: %+v", v.Addenda)
	}
	waiting, err := w.service.Final(ctx, as(coordB))
	if err != nil || len(waiting) != 1 || waiting[0].Record != visit || waiting[0].Late != 1 {
		t.Errorf("final records with proposals: %+v, %v", waiting, err)
	}
	w.wantRefused(func() error {
		_, err := w.service.AcceptLate(ctx, as(coordA), finalise.AcceptLate{Record: partMaya, Change: syncproto.ChangeID{9}})
		return err
	}, syncproto.CodeNotFound)
	w.must(w.service.AcceptLate(ctx, as(coordA), finalise.AcceptLate{Record: partMaya, Change: late}))
	if waiting, err := w.service.Final(ctx, as(coordB)); err != nil || len(waiting) != 0 {
		t.Errorf("accepted, and still waiting: %+v, %v", waiting, err)
	}
	v = w.view(partMaya)
	accepted := slices.ContainsFunc(v.Addenda, func(a syncproto.Addendum) bool {
		return !a.Late && a.Reason == finalise.AcceptReason(late) && a.By.Author == coordA
	})
	if !accepted || len(v.Addenda) != 2 {
		t.Errorf("addenda: %+v, want the proposal and its acceptance", v.Addenda)
	}
	if f, ok := v.Field("bedroom_seen"); ok && f.Set {
		t.Errorf("the late value is in the record: %+v", f)
	}
	if after := w.sealedBytes(); !bytes.Equal(before, after) {
		t.Error("the sealed version changed")
	}
}

// sealedBytes are the sealed versions, in a form that can be compared.
func (w *world) sealedBytes() []byte {
	w.t.Helper()
	views, err := w.service.Sealed(ctx, as(coordA), partJo)
	if err != nil {
		w.t.Fatalf("reading the sealed versions: %v", err)
	}
	var out []byte
	for _, v := range views {
		out = append(out, v.Encode()...)
	}
	return out
}

// TestFault70TwoCoordinatorsFinaliseDifferentHeads: the first in the ledger
// wins; the other is told so and stores nothing.
func TestFault70TwoCoordinatorsFinaliseDifferentHeads(t *testing.T) {
	w := newWorld(t)
	w.ready()
	seen := w.allHeads(visit, partMaya, partJo) // by coordinator B
	w.edit(lead, visit, "visit", set("planned", cbor.Int(w.now.UnixMilli())))
	w.wantRefused(func() error {
		_, err := w.service.Finalise(ctx, as(coordB), finalise.Finalise{Record: visit, Heads: seen})
		return err
	}, syncproto.CodeStaleHeads)
	w.seal()
	for _, heads := range [][]syncproto.RecordHeads{seen, w.allHeads(visit, partMaya, partJo)} {
		w.wantRefused(func() error {
			_, err := w.service.Finalise(ctx, as(coordB), finalise.Finalise{Record: visit, Heads: heads})
			return err
		}, syncproto.CodeFinal)
	}
}

// TestFault70AtOnce: of many who finalise at the same moment exactly one wins.
func TestFault70AtOnce(t *testing.T) {
	w := newWorld(t)
	w.ready()
	heads := w.allHeads(visit, partMaya, partJo)
	errs := make([]error, 8)
	var all sync.WaitGroup
	for i := range errs {
		all.Add(1)
		go func() {
			defer all.Done()
			caller := []finalise.Caller{as(coordA), as(coordB)}[i%2]
			_, errs[i] = w.service.Finalise(ctx, caller, finalise.Finalise{Record: visit, Heads: heads})
		}()
	}
	all.Wait()
	won := 0
	for _, err := range errs {
		switch {
		case err == nil:
			won++
		case !errors.Is(err, syncproto.CodeFinal):
			t.Errorf("a loser was told %v, want that it is final", err)
		}
	}
	if won != 1 || len(w.seals()) != 3 {
		t.Errorf("winners: %d, seals: %d, want 1 and 3", won, len(w.seals()))
	}
}

// TestFault71HeldChangesAreListed: finalising past them would leave words out.
func TestFault71HeldChangesAreListed(t *testing.T) {
	w := newWorld(t)
	w.ready()
	first := w.write(co, partJo, "visit_child", w.heads(partJo), code("bedroom_seen", "N"))
	second := w.write(co, partJo, "visit_child", []syncproto.ChangeID{first.entry.ID}, code("awake", "N"))
	third := w.write(co, partJo, "visit_child", []syncproto.ChangeID{second.entry.ID}, code("spoken_to", "N"))
	w.send(second, syncproto.StatusHeld)
	w.send(third, syncproto.StatusHeld)
	reasons := w.wantRefused(func() error { _, err := w.finalise(coordA); return err },
		syncproto.CodeHeldChanges, syncproto.CodeHeldChanges)
	for _, r := range reasons {
		if r.Record != partJo {
			t.Errorf("reason about %v, want the part that waits", r.Record)
		}
	}
}

// TestStrangersHoldNothingUp: what would go to quarantine is not waited for.
func TestStrangersHoldNothingUp(t *testing.T) {
	w := newWorld(t)
	w.ready()
	unsent := w.write(stranger, visit, "visit", w.heads(visit), code("place", "SCHOOL"))
	w.send(w.write(stranger, visit, "visit", []syncproto.ChangeID{unsent.entry.ID}, code("place", "OFFICE")), syncproto.StatusHeld)
	w.must(w.finalise(coordA))
}

// TestSealedVersionNeverChanges: whatever happens afterwards, the final version
// folds to the same bytes and the same hash, after a restart as well.
func TestSealedVersionNeverChanges(t *testing.T) {
	w := newWorld(t)
	w.ready()
	offline := w.write(co, visit, "visit", w.heads(visit), code("place", "SCHOOL"))
	older := w.write(lead, partJo, "visit_child", nil, partOps(maya)...)
	w.seal()
	before := w.sealedBytes()
	w.send(offline, syncproto.StatusLate)
	w.send(older, syncproto.StatusLate)
	w.must(w.service.Addendum(ctx, as(lead), finalise.Addendum{Record: visit, Text: "Nan rang later.", Reason: "She rang in the evening.", TimeMS: w.now.UnixMilli()}))
	w.must(w.service.Correct(ctx, as(lead), finalise.Correct{Record: visit, Path: syncproto.Path{Field: "place"},
		Old: cbor.Text("HOME"), New: cbor.Text("OFFICE"), Reason: "FACT_ERROR"}))
	if after := w.sealedBytes(); !bytes.Equal(before, after) {
		t.Error("the sealed version changed")
	}
	w.ledger.Close()
	w.borough.Reopen()
	again := finalise.New(finalise.Config{Ledger: w.ledger, Desk: w.desk, Store: w.borough.Store, Keys: w.borough.Keys, Now: func() time.Time { return w.now }, Rand: rand.Reader})
	w.service = again
	if after := w.sealedBytes(); !bytes.Equal(before, after) {
		t.Error("the sealed version changed over a restart")
	}
}

func TestAddendumAndCorrection(t *testing.T) {
	w := newWorld(t)
	w.ready()
	place := syncproto.Path{Field: "place"}
	for _, act := range []func() error{
		func() error {
			_, err := w.service.Addendum(ctx, as(lead), finalise.Addendum{Record: visit, Text: "x", Reason: "y"})
			return err
		},
		func() error {
			_, err := w.service.Correct(ctx, as(lead), finalise.Correct{Record: visit, Path: place, Old: cbor.Text("HOME"), New: cbor.Text("SCHOOL"), Reason: "TYPO"})
			return err
		},
		func() error {
			_, err := w.service.AcceptLate(ctx, as(lead), finalise.AcceptLate{Record: visit})
			return err
		},
	} {
		w.wantRefused(act, syncproto.CodeBadOp)
	}
	w.seal()
	w.must(w.service.Addendum(ctx, as(co), finalise.Addendum{Record: visit, Text: "Nan rang later.", Reason: "After the visit."}))
	for _, c := range []struct {
		name string
		who  syncproto.UserID
		in   finalise.Correct
		want syncproto.Code
	}{
		{"the old value is not what was sealed", lead, finalise.Correct{Path: place, Old: cbor.Text("SCHOOL"), New: cbor.Text("OFFICE"), Reason: "TYPO"}, syncproto.CodeStaleHeads},
		{"not a value of the field", lead, finalise.Correct{Path: place, Old: cbor.Text("HOME"), New: cbor.Text("MOON"), Reason: "TYPO"}, syncproto.CodeBadValue},
		{"nothing corrected", lead, finalise.Correct{Path: place, Old: cbor.Text("HOME"), New: cbor.Text("HOME"), Reason: "TYPO"}, syncproto.CodeBadValue},
		{"no reason", lead, finalise.Correct{Path: place, Old: cbor.Text("HOME"), New: cbor.Text("SCHOOL")}, syncproto.CodeBadValue},
		{"an attested fact by the coordinator", coordA, finalise.Correct{Path: place, Old: cbor.Text("HOME"), New: cbor.Text("SCHOOL"), Reason: "TYPO"}, syncproto.CodeDeniedField},
	} {
		t.Run(c.name, func(t *testing.T) {
			w.t = t
			c.in.Record = visit
			w.wantRefused(func() error { _, err := w.service.Correct(ctx, as(c.who), c.in); return err }, c.want)
		})
	}
	w.t = t
	w.must(w.service.Correct(ctx, as(lead), finalise.Correct{Record: visit, Path: place, Old: cbor.Text("HOME"), New: cbor.Text("SCHOOL"), Reason: "WRONG_DATE"}))
	v := w.view(visit)
	if f, _ := v.Field("place"); !f.Value.Equal(cbor.Text("HOME")) {
		t.Errorf("place: %v, want both shown and the sealed one kept", f.Value)
	}
	if len(v.Addenda) != 2 || len(v.Addenda[1].Ops) != 1 || !v.Addenda[1].Ops[0].Old.Equal(cbor.Text("HOME")) {
		t.Errorf("addenda: %+v", v.Addenda)
	}
}
