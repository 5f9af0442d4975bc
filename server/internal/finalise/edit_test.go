package finalise_test

import (
	"testing"

	"doorstep/server/internal/finalise"
	"doorstep/syncproto"
	"doorstep/syncproto/cbor"
	"doorstep/syncproto/text"
)

// TestEditAtTheDesk: a coordinator keeps administrative details right and prepares the
// summary, on what they saw, and touches nothing else.
func TestEditAtTheDesk(t *testing.T) {
	w := newWorld(t)
	w.ready()
	planned, summary := syncproto.Path{Field: "planned"}, syncproto.Path{Field: "household_summary"}
	edit := func(who syncproto.UserID, path syncproto.Path, v cbor.Value, seen []syncproto.ChangeID) error {
		_, err := w.service.Edit(ctx, as(who), finalise.Edit{Record: visit, Path: path, Value: v, Seen: seen})
		return err
	}
	seen := w.heads(visit)
	if err := edit(coordA, planned, cbor.Int(1), seen); err != nil {
		t.Fatal(err)
	}
	if f, _ := w.view(visit).Field("planned"); !f.Value.Equal(cbor.Int(1)) || f.By.Author != coordA {
		t.Errorf("planned: %+v", f)
	}
	for _, say := range []string{"Kat was in. The stairs are mended.", "Kat was at home. The stairs are mended.", "Kat was at home."} {
		if err := edit(coordA, summary, cbor.Text(say), w.heads(visit)); err != nil {
			t.Fatal(err)
		}
		if f, _ := w.view(visit).Field("household_summary"); f.Text != say {
			t.Fatalf("the summary says %q, want %q", f.Text, say)
		}
	}
	for name, try := range map[string]struct {
		who  syncproto.UserID
		path syncproto.Path
		v    cbor.Value
		seen []syncproto.ChangeID
		want syncproto.Code
	}{
		"an attested fact":            {coordA, syncproto.Path{Field: "start"}, cbor.Int(5), w.heads(visit), syncproto.CodeDeniedField},
		"what it says already":        {coordA, summary, cbor.Text("Kat was at home."), w.heads(visit), syncproto.CodeBadValue},
		"what cannot stand there":     {coordA, planned, cbor.Text("Tuesday"), w.heads(visit), syncproto.CodeBadValue},
		"a field that there is not":   {coordA, syncproto.Path{Field: "colour"}, cbor.Int(1), w.heads(visit), syncproto.CodeUnknownField},
		"a version that nobody wrote": {coordA, planned, cbor.Int(2), []syncproto.ChangeID{{9}}, syncproto.CodeMissingDeps},
		"without a version":           {coordA, planned, cbor.Int(2), nil, syncproto.CodeMissingDeps},
	} {
		t.Run(name, func(t *testing.T) {
			w.t = t
			w.wantRefused(func() error { return edit(try.who, try.path, try.v, try.seen) }, try.want)
		})
	}
	w.t = t
	w.must(syncproto.ChangeID{}, lease(w, coordA))
	w.wantRefused(func() error { return edit(coordB, planned, cbor.Int(3), w.heads(visit)) }, syncproto.CodeLeased)
	w.confirm()
	w.seal()
	w.wantRefused(func() error { return edit(coordA, planned, cbor.Int(4), w.heads(visit)) }, syncproto.CodeFinal)
}

func lease(w *world, who syncproto.UserID) error {
	_, err := w.service.Lease(ctx, as(who), visit)
	return err
}

// TestEditsOfOneTextMeet: two who rewrite what they both saw lose no word of either.
func TestEditsOfOneTextMeet(t *testing.T) {
	w := newWorld(t)
	w.ready()
	w.edit(lead, visit, "visit", syncproto.Op{Code: syncproto.OpSplice, Path: syncproto.Path{Field: "household_summary"},
		Splices: []text.Splice{{Ins: "Kat was in. Jo was out."}}})
	seen := w.heads(visit)
	for who, say := range map[syncproto.UserID]string{coordA: "Kat Vale was in. Jo was out.", coordB: "Kat was in. Jo was out with Nan."} {
		w.must(w.service.Edit(ctx, as(who), finalise.Edit{Record: visit, Path: syncproto.Path{Field: "household_summary"}, Value: cbor.Text(say), Seen: seen}))
	}
	if f, _ := w.view(visit).Field("household_summary"); f.Text != "Kat Vale was in. Jo was out with Nan." {
		t.Errorf("it says %q", f.Text)
	}
}

// TestAProposalIsTheAuthorsToAccept: a coordinator proposes an attested fact, and the
// author agrees in one step, which is a decision where people differ.
func TestAProposalIsTheAuthorsToAccept(t *testing.T) {
	w := newWorld(t)
	w.ready()
	seen := syncproto.Path{Field: "seen_alone"}
	ask := finalise.Propose{Record: partMaya, Path: seen, Value: cbor.Text("N"), Words: "No", Reason: "Tom's note says that Kat stayed.", To: lead}
	query := w.must(w.service.Propose(ctx, as(coordA), ask))
	q := w.view(partMaya).Workflow.Queries[0]
	if !finalise.IsProposal(q) || q.Question != "Proposed: No. Tom's note says that Kat stayed." || q.To != lead {
		t.Errorf("it asks %+v", q)
	}
	w.wantRefused(func() error { _, err := w.finalise(coordA); return err }, syncproto.CodeOpenQuery)
	for name, bad := range map[string]func(*finalise.Propose){
		"what cannot stand there": func(p *finalise.Propose) { p.Value = cbor.Text("PERHAPS") },
		"without a reason":        func(p *finalise.Propose) { p.Reason = " " },
	} {
		in := ask
		bad(&in)
		t.Run(name, func(t *testing.T) {
			w.t = t
			w.wantRefused(func() error { _, err := w.service.Propose(ctx, as(coordA), in); return err }, syncproto.CodeBadValue)
		})
	}
	w.t = t
	agree := finalise.Answer{Record: partMaya, Query: query, Text: "Yes, Kat stayed.", Sets: true, Value: cbor.Text("N"), Seen: w.heads(partMaya)}
	stale := agree
	stale.Seen = []syncproto.ChangeID{{7}}
	w.wantRefused(func() error { _, err := w.service.Answer(ctx, as(lead), stale); return err }, syncproto.CodeStaleHeads)
	w.wantRefused(func() error { _, err := w.service.Answer(ctx, as(coordA), agree); return err }, syncproto.CodeForbidden)
	w.must(w.service.Answer(ctx, as(lead), agree))
	v := w.view(partMaya)
	if f, _ := v.Field("seen_alone"); !f.Value.Equal(cbor.Text("N")) || f.By.Author != lead || v.Workflow.Queries[0].AnsweredBy == nil {
		t.Errorf("seen alone: %+v, the question: %+v", f, v.Workflow.Queries[0])
	}
}

// TestRectification: what a person challenges stays with the final record, in their words.
func TestRectification(t *testing.T) {
	w := newWorld(t)
	w.ready()
	in := finalise.Rectify{Record: visit, Who: "Katrin Pepperdine", Says: "I was not asleep. I was resting."}
	w.wantRefused(func() error { _, err := w.service.Rectify(ctx, as(coordA), in); return err }, syncproto.CodeBadOp)
	w.seal()
	before := w.sealedBytes()
	w.must(w.service.Rectify(ctx, as(coordA), in))
	in.Upheld = true
	w.must(w.service.Rectify(ctx, as(coordA), in))
	got := w.view(visit).Addenda
	for i, upheld := range []bool{false, true} {
		who, up, ok := finalise.Rectification(got[i].Reason)
		if !ok || who != in.Who || up != upheld || got[i].Text != in.Says {
			t.Errorf("rectification %d: %+v", i, got[i])
		}
	}
	if string(w.sealedBytes()) != string(before) {
		t.Error("the sealed version changed")
	}
	w.wantRefused(func() error {
		_, err := w.service.Rectify(ctx, as(coordA), finalise.Rectify{Record: visit, Who: "Kat"})
		return err
	}, syncproto.CodeBadValue)
}
