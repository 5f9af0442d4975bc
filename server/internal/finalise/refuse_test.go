package finalise_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"doorstep/server/internal/finalise"
	"doorstep/server/internal/store"
	"doorstep/syncproto"
	"doorstep/syncproto/cbor"
	"doorstep/syncproto/text"
)

// TestEveryReasonBlocks: each case leaves one thing open on a visit that is
// otherwise ready.
func TestEveryReasonBlocks(t *testing.T) {
	injury := code("injury_seen", "Y")
	for _, c := range []struct {
		name  string
		spoil func(w *world)
		want  []syncproto.Code
		says  string
	}{
		{"nothing", func(*world) {}, nil, ""},
		{"not handed over", func(w *world) { w.recorded(); w.confirm() }, []syncproto.Code{syncproto.CodeNotHandedOver}, ""},
		{"never confirmed", func(w *world) {
			w.recorded()
			w.must(w.service.HandOver(ctx, as(lead), finalise.HandOver{Record: visit}))
		}, []syncproto.Code{syncproto.CodeNotConfirmed, syncproto.CodeNotConfirmed, syncproto.CodeNotConfirmed}, "The author has not confirmed it."},
		{"changed after it was confirmed", func(w *world) {
			w.ready()
			w.edit(lead, visit, "visit", code("announced", "ANNOUNCED"))
		}, []syncproto.Code{syncproto.CodeNotConfirmed}, "confirmed again"},
		{"an administrative change needs no new word", func(w *world) {
			w.ready()
			w.edit(coordA, visit, "visit", set("planned", cbor.Int(0)))
		}, nil, ""},
		{"required field of the visit", func(w *world) {
			w.recorded()
			w.edit(lead, visit, "visit", set("place", cbor.Null()))
			w.must(w.service.HandOver(ctx, as(lead), finalise.HandOver{Record: visit}))
			w.confirm()
		}, []syncproto.Code{syncproto.CodeMissingField}, "Place: "},
		{"required field of a child's part", func(w *world) {
			w.recorded()
			w.edit(lead, partJo, "visit_child", set("seen", cbor.Null()), set("seen_alone", cbor.Null()))
			w.must(w.service.HandOver(ctx, as(lead), finalise.HandOver{Record: visit}))
			w.confirm()
		}, []syncproto.Code{syncproto.CodeMissingField}, "Seen: "},
		{"rule across fields", func(w *world) {
			w.recorded()
			w.edit(lead, partJo, "visit_child", code("seen", "N"))
			w.must(w.service.HandOver(ctx, as(lead), finalise.HandOver{Record: visit}))
			w.confirm()
		}, []syncproto.Code{syncproto.CodeMissingField}, "cannot have been seen alone"},
		{"injury without body map and alert", func(w *world) {
			w.recorded()
			w.edit(lead, partJo, "visit_child", injury)
			w.must(w.service.HandOver(ctx, as(lead), finalise.HandOver{Record: visit}))
			w.confirm()
		}, []syncproto.Code{syncproto.CodeMissingField, syncproto.CodeMissingField}, "manager"},
		{"conflict", func(w *world) {
			w.recorded()
			base := w.heads(visit)
			a, b := w.write(lead, visit, "visit", base, code("place", "SCHOOL")), w.write(co, visit, "visit", base, code("place", "OFFICE"))
			w.send(a, syncproto.StatusAccepted)
			w.send(b, syncproto.StatusAccepted)
			w.must(w.service.HandOver(ctx, as(lead), finalise.HandOver{Record: visit}))
			w.confirm()
		}, []syncproto.Code{syncproto.CodeOpenConflict, syncproto.CodeMissingField}, "Place: two people differ"},
		{"query", func(w *world) {
			w.ready()
			w.must(w.service.Query(ctx, as(coordA), finalise.Query{Record: partJo, To: lead, Text: "Which school?"}))
		}, []syncproto.Code{syncproto.CodeOpenQuery}, "21 November 2026"},
		{"transcript nobody confirmed", func(w *world) {
			w.ready()
			w.send(w.writeAs(syncproto.CaptureTranscribed, lead, partJo, "visit_child", w.heads(partJo), code("sleeping_place", "Own bed")), syncproto.StatusAccepted)
		}, []syncproto.Code{syncproto.CodeUnreviewed, syncproto.CodeNotConfirmed}, "transcript"},
		{"transcript the author confirmed", func(w *world) {
			w.recorded()
			w.send(w.writeAs(syncproto.CaptureTranscribed, lead, partJo, "visit_child", w.heads(partJo), code("sleeping_place", "Own bed")), syncproto.StatusAccepted)
			w.must(w.service.HandOver(ctx, as(lead), finalise.HandOver{Record: visit}))
			w.confirm()
		}, nil, ""},
		{"no purpose while a plan is open", func(w *world) {
			w.edit(lead, syncproto.RecordID{40}, "plan", code("review_date", "2026-12-01"), code("contingency", "Ring the duty team."),
				add("rules", 7, pair("text", cbor.Text("Des stays away.")), pair("who", cbor.Text("Kat")), pair("when", cbor.Text("Always"))),
				add("network", 8, pair("name", cbor.Text("Nan")), pair("contact", cbor.Text("07700 900102")), pair("agreed_on", cbor.Text("2026-11-01"))),
				add("triggers", 9, pair("text", cbor.Text("He rings."))))
			w.serverField(syncproto.RecordID{40}, "plan", code("status", "ACTIVE"))
			w.ready()
		}, []syncproto.Code{syncproto.CodeMissingField}, "Purpose: "},
		{"looked-after child not seen alone, and no reason", func(w *world) {
			w.serverField(syncproto.RecordID{41}, "status", set("child", cbor.Bytes(jo[:])), code("kind", "CLA"), code("from", "2026-01-01"))
			w.recorded()
			w.edit(lead, partJo, "visit_child", code("seen_alone", "N"))
			w.must(w.service.HandOver(ctx, as(lead), finalise.HandOver{Record: visit}))
			w.confirm()
		}, []syncproto.Code{syncproto.CodeMissingField}, "Why not alone"},
	} {
		t.Run(c.name, func(t *testing.T) { wantBlocked(t, c.spoil, c.want, c.says) })
	}
}

// wantBlocked spoils a visit and finalises it; without reasons it must succeed.
func wantBlocked(t *testing.T, spoil func(*world), want []syncproto.Code, says string) {
	t.Helper()
	w := newWorld(t)
	spoil(w)
	if w.heads(visit) == nil {
		w.ready()
	}
	if len(want) == 0 {
		w.must(w.finalise(coordA))
		return
	}
	reasons := w.wantRefused(func() error { _, err := w.finalise(coordA); return err }, want...)
	if !slices.ContainsFunc(reasons, func(d finalise.Detail) bool { return strings.Contains(d.Plain, says) }) {
		t.Errorf("reasons: %+v, want one that says %q", reasons, says)
	}
	list, err := w.service.Checklist(ctx, as(lead), partJo)
	if err != nil || !slices.Equal(list, reasons) {
		t.Errorf("checklist of a part: %+v, %v, want the same reasons", list, err)
	}
}

// TestWhoMay: each act by each person. "" is allowed; a stranger and IT are told
// that there is nothing.
func TestWhoMay(t *testing.T) {
	nothing := map[syncproto.UserID]syncproto.Code{stranger: syncproto.CodeNotFound, it: syncproto.CodeNotFound, {99}: syncproto.CodeNotFound}
	everyone := []syncproto.UserID{lead, co, coordA, manager, stranger, it, {99}}
	acts := []struct {
		name   string
		setUp  func(w *world)
		act    func(w *world, user syncproto.UserID) error
		denied map[syncproto.UserID]syncproto.Code
	}{
		{"hand over", (*world).recorded, func(w *world, u syncproto.UserID) error {
			_, err := w.service.HandOver(ctx, as(u), finalise.HandOver{Record: visit})
			return err
		}, map[syncproto.UserID]syncproto.Code{coordA: syncproto.CodeForbidden, manager: syncproto.CodeForbidden}},
		{"confirm", (*world).recorded, func(w *world, u syncproto.UserID) error {
			_, err := w.service.Confirm(ctx, as(u), finalise.Confirm{Record: visit, Heads: w.allHeads(visit, partMaya, partJo)})
			return err
		}, map[syncproto.UserID]syncproto.Code{co: syncproto.CodeForbidden, coordA: syncproto.CodeForbidden, manager: syncproto.CodeForbidden}},
		{"query", (*world).recorded, func(w *world, u syncproto.UserID) error {
			_, err := w.service.Query(ctx, as(u), finalise.Query{Record: visit, To: lead, Text: "Why?"})
			return err
		}, map[syncproto.UserID]syncproto.Code{lead: syncproto.CodeForbidden, co: syncproto.CodeForbidden}},
		{"answer", func(w *world) {
			w.recorded()
			w.must(w.service.Query(ctx, as(coordA), finalise.Query{Record: visit, To: lead, Text: "Why?"}))
		}, func(w *world, u syncproto.UserID) error {
			_, err := w.service.Answer(ctx, as(u), finalise.Answer{Record: visit, Query: w.view(visit).Workflow.Queries[0].ID, Text: "Because."})
			return err
		}, map[syncproto.UserID]syncproto.Code{coordA: syncproto.CodeForbidden, manager: syncproto.CodeForbidden}},
		{"decide a fact", conflicted, func(w *world, u syncproto.UserID) error {
			_, err := w.decide(u, decision("SCHOOL"))
			return err
		}, map[syncproto.UserID]syncproto.Code{co: syncproto.CodeDeniedField, coordA: syncproto.CodeDeniedField}},
		{"finalise", (*world).ready, func(w *world, u syncproto.UserID) error {
			_, err := w.finalise(u)
			return err
		}, map[syncproto.UserID]syncproto.Code{lead: syncproto.CodeForbidden, co: syncproto.CodeForbidden, manager: syncproto.CodeForbidden}},
		{"lease", (*world).ready, func(w *world, u syncproto.UserID) error {
			_, err := w.service.Lease(ctx, as(u), partJo)
			return err
		}, map[syncproto.UserID]syncproto.Code{lead: syncproto.CodeForbidden, co: syncproto.CodeForbidden, manager: syncproto.CodeForbidden}},
		{"addendum", func(w *world) { w.ready(); w.seal() }, func(w *world, u syncproto.UserID) error {
			_, err := w.service.Addendum(ctx, as(u), finalise.Addendum{Record: visit, Text: "More.", Reason: "Later."})
			return err
		}, map[syncproto.UserID]syncproto.Code{manager: syncproto.CodeForbidden}},
		{"see the checklist", (*world).recorded, func(w *world, u syncproto.UserID) error {
			_, err := w.service.Checklist(ctx, as(u), visit)
			return err
		}, nil},
		{"see the sealed version", func(w *world) { w.ready(); w.seal() }, func(w *world, u syncproto.UserID) error {
			_, err := w.service.Sealed(ctx, as(u), visit)
			return err
		}, nil},
	}
	for _, a := range acts {
		w := newWorld(t)
		a.setUp(w)
		for _, user := range everyone {
			want := a.denied[user]
			if nothing[user] != 0 {
				want = nothing[user]
			}
			if want == 0 {
				continue // below, each in a world of their own
			}
			if err := a.act(w, user); !errors.Is(err, want) {
				t.Errorf("%s by %v: got %v, want %v", a.name, user[0], err, want)
			}
		}
		for _, user := range everyone {
			if a.denied[user] != 0 || nothing[user] != 0 {
				continue
			}
			w := newWorld(t)
			a.setUp(w)
			if err := a.act(w, user); err != nil {
				t.Errorf("%s by %v: %v, want it allowed", a.name, user[0], err)
			}
		}
	}
}

// conflicted is a visit on whose place two people differ.
func conflicted(w *world) {
	w.recorded()
	base := w.heads(visit)
	mine, theirs := w.write(lead, visit, "visit", base, code("place", "SCHOOL")), w.write(co, visit, "visit", base, code("place", "OFFICE"))
	w.send(mine, syncproto.StatusAccepted)
	w.send(theirs, syncproto.StatusAccepted)
}

func decision(place string) finalise.Decide {
	return finalise.Decide{Record: visit, Path: syncproto.Path{Field: "place"}, Value: cbor.Text(place), Reason: "I asked the school."}
}

func TestDecide(t *testing.T) {
	for _, c := range []struct {
		name string
		who  syncproto.UserID
		in   finalise.Decide
		want syncproto.Code
	}{
		{"a side, by the lead", lead, decision("OFFICE"), 0},
		{"a side, by the manager", manager, decision("SCHOOL"), 0},
		{"another value, by who may write it", lead, decision("COMMUNITY"), 0},
		{"another value, by who may only decide", manager, decision("COMMUNITY"), syncproto.CodeBadValue},
		{"no value of the field", lead, decision("MOON"), syncproto.CodeBadValue},
		{"no reason", lead, finalise.Decide{Record: visit, Path: syncproto.Path{Field: "place"}, Value: cbor.Text("OFFICE"), Reason: " "}, syncproto.CodeBadValue},
		{"no conflict there", lead, finalise.Decide{Record: visit, Path: syncproto.Path{Field: "outcome"}, Value: cbor.Text("COMPLETED"), Reason: "So."}, syncproto.CodeNotFound},
		{"no such field", lead, finalise.Decide{Record: visit, Path: syncproto.Path{Field: "colour"}, Value: cbor.Text("RED"), Reason: "So."}, syncproto.CodeNotFound},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t)
			conflicted(w)
			if c.want != 0 {
				w.wantRefused(func() error { _, err := w.decide(c.who, c.in); return err }, c.want)
				return
			}
			w.must(w.decide(c.who, c.in))
			v := w.view(visit)
			if f, _ := v.Field("place"); len(v.Conflicts) != 0 || !f.Value.Equal(c.in.Value) {
				t.Errorf("place: %v with %d conflicts", f.Value, len(v.Conflicts))
			}
			w.wantRefused(func() error { _, err := w.decide(c.who, c.in); return err }, syncproto.CodeNotFound)
		})
	}
}

// TestDecideOnWhatWasSeen: a side that came meanwhile is not settled unseen.
func TestDecideOnWhatWasSeen(t *testing.T) {
	w := newWorld(t)
	w.recorded()
	base := w.heads(visit)
	third := w.write(manager, visit, "visit", base, code("place", "COMMUNITY"))
	mine, theirs := w.write(lead, visit, "visit", base, code("place", "SCHOOL")), w.write(co, visit, "visit", base, code("place", "OFFICE"))
	w.send(mine, syncproto.StatusAccepted)
	w.send(theirs, syncproto.StatusAccepted)
	in := decision("SCHOOL")
	in.Seen = []syncproto.ChangeID{}
	w.wantRefused(func() error { _, err := w.decide(lead, in); return err }, syncproto.CodeStaleHeads) // saw nothing
	in.Seen = w.heads(visit)
	w.send(third, syncproto.StatusAccepted)
	w.wantRefused(func() error { _, err := w.decide(lead, in); return err }, syncproto.CodeStaleHeads)
	in.Seen = w.heads(visit)
	w.must(w.decide(lead, in))
}

// TestOverlappingTextIsReadByAPerson: nothing is chosen, it is taken note of.
func TestOverlappingTextIsReadByAPerson(t *testing.T) {
	w := newWorld(t)
	w.recorded()
	splice := func(pos, del int, ins string) syncproto.Op {
		return syncproto.Op{Code: syncproto.OpSplice, Path: syncproto.Path{Field: "household_summary"}, Splices: []text.Splice{{Pos: pos, Del: del, Ins: ins}}}
	}
	w.edit(lead, visit, "visit", splice(0, 0, "The flat was warm and tidy."))
	base := w.heads(visit)
	mine, theirs := w.write(lead, visit, "visit", base, splice(13, 4, "cold")), w.write(co, visit, "visit", base, splice(22, 4, "messy"))
	w.send(mine, syncproto.StatusAccepted)
	w.send(theirs, syncproto.StatusAccepted)
	if len(w.view(visit).Overlaps) != 1 {
		t.Fatalf("overlaps: %+v", w.view(visit).Overlaps)
	}
	in := finalise.Decide{Record: visit, Path: syncproto.Path{Field: "household_summary"}, Reason: "Read, and right.", Value: cbor.Text("x")}
	w.wantRefused(func() error { _, err := w.decide(lead, in); return err }, syncproto.CodeBadValue)
	in.Value = cbor.Null()
	w.must(w.decide(lead, in))
	if left := w.view(visit).Overlaps; len(left) != 0 {
		t.Errorf("read, and still flagged: %+v", left)
	}
}

// TestRemovedRuleStandsUntilAManagerAgrees: the lead takes a rule of a plan out.
func TestRemovedRuleStandsUntilAManagerAgrees(t *testing.T) {
	rule := syncproto.Path{Field: "rules", Element: syncproto.ElementID{7}}
	for _, gone := range []bool{true, false} {
		w := newWorld(t)
		plan := syncproto.RecordID{40}
		w.edit(lead, plan, "plan", add("rules", 7, pair("text", cbor.Text("Des stays away.")), pair("who", cbor.Text("Kat")), pair("when", cbor.Text("Always"))))
		w.edit(lead, plan, "plan", syncproto.Op{Code: syncproto.OpRemove, Path: rule, Reason: "He has moved."})
		inForce := func() bool {
			f, _ := w.view(plan).Field("rules")
			return len(f.Items) == 1 && f.Items[0].InForce
		}
		if !inForce() {
			t.Fatal("the rule is gone before anybody agreed")
		}
		in := finalise.Decide{Record: plan, Path: rule, Value: cbor.Bool(gone), Reason: "Agreed in supervision."}
		for _, who := range []syncproto.UserID{lead, co, coordA} {
			w.wantRefused(func() error { _, err := w.decide(who, in); return err }, syncproto.CodeDeniedField)
		}
		wrong := in
		wrong.Value = cbor.Text("gone")
		w.wantRefused(func() error { _, err := w.decide(manager, wrong); return err }, syncproto.CodeBadValue)
		w.must(w.decide(manager, in))
		if got := inForce(); got == gone {
			t.Errorf("decided that it is gone: %v; in force: %v", gone, got)
		}
	}
}

func TestConfirmNeedsWhatWasSeen(t *testing.T) {
	w := newWorld(t)
	w.recorded()
	seen := w.allHeads(visit, partMaya, partJo)
	w.edit(co, partJo, "visit_child", code("bedroom_seen", "N"))
	confirm := func(heads []syncproto.RecordHeads) func() error {
		return func() error {
			_, err := w.service.Confirm(ctx, as(lead), finalise.Confirm{Record: visit, Heads: heads})
			return err
		}
	}
	w.wantRefused(confirm(seen), syncproto.CodeStaleHeads)
	w.wantRefused(confirm(w.allHeads(visit, partMaya)), syncproto.CodeStaleHeads)
	w.wantRefused(confirm(append(w.allHeads(visit, partMaya, partJo), syncproto.RecordHeads{Record: syncproto.RecordID{9}})), syncproto.CodeStaleHeads)
	w.wantRefused(confirm(nil), syncproto.CodeStaleHeads, syncproto.CodeStaleHeads, syncproto.CodeStaleHeads)
	if err := confirm(w.allHeads(visit, partMaya, partJo))(); err != nil {
		t.Fatal(err)
	}
	// The co-worker wrote in one part: their word goes there alone.
	w.must(w.service.Confirm(ctx, as(co), finalise.Confirm{Record: visit, Heads: w.allHeads(visit, partMaya, partJo)}))
	for record, want := range map[syncproto.RecordID]int{visit: 1, partMaya: 1, partJo: 2} {
		if got := len(w.view(record).Workflow.Confirmed); got != want {
			t.Errorf("confirmations of %v: got %d, want %d", record[0], got, want)
		}
	}
}

func TestQueryAndAnswer(t *testing.T) {
	w := newWorld(t)
	w.recorded()
	ask := func(in finalise.Query) func() error {
		in.Record = visit
		return func() error { _, err := w.service.Query(ctx, as(coordA), in); return err }
	}
	w.wantRefused(ask(finalise.Query{To: lead, Text: " "}), syncproto.CodeBadValue)
	w.wantRefused(ask(finalise.Query{To: lead, Text: strings.Repeat("x", syncproto.MaxTextValue+1)}), syncproto.CodeTooLarge)
	w.wantRefused(ask(finalise.Query{To: lead, Text: "?", Path: syncproto.Path{Field: "colour"}}), syncproto.CodeUnknownField)
	w.wantRefused(ask(finalise.Query{To: stranger, Text: "?"}), syncproto.CodeBadValue)
	w.wantRefused(func() error {
		_, err := w.service.Answer(ctx, as(lead), finalise.Answer{Record: visit, Query: syncproto.ChangeID{1}, Text: "Yes."})
		return err
	}, syncproto.CodeNotFound)
	w.must(w.service.HandOver(ctx, as(lead), finalise.HandOver{Record: visit, To: coordB}))
	w.wantRefused(func() error {
		_, err := w.service.HandOver(ctx, as(lead), finalise.HandOver{Record: visit, To: manager})
		return err
	}, syncproto.CodeBadValue)
}

func TestNothingOpenOnAFinalRecord(t *testing.T) {
	w := newWorld(t)
	w.ready()
	w.seal()
	heads := w.allHeads(visit, partMaya, partJo)
	for name, act := range map[string]func() error{
		"hand over": func() error {
			_, err := w.service.HandOver(ctx, as(lead), finalise.HandOver{Record: visit})
			return err
		},
		"confirm": func() error {
			_, err := w.service.Confirm(ctx, as(lead), finalise.Confirm{Record: partJo, Heads: heads})
			return err
		},
		"query": func() error {
			_, err := w.service.Query(ctx, as(coordA), finalise.Query{Record: partJo, Text: "?"})
			return err
		},
		"answer": func() error {
			_, err := w.service.Answer(ctx, as(lead), finalise.Answer{Record: visit, Text: "x"})
			return err
		},
		"decide": func() error { _, err := w.decide(lead, decision("OFFICE")); return err },
		"lease":  func() error { _, err := w.service.Lease(ctx, as(coordA), visit); return err },
	} {
		t.Run(name, func(t *testing.T) {
			w.t = t
			w.wantRefused(act, syncproto.CodeFinal)
		})
	}
}

// TestPartWhoseVisitHasNotArrived cannot be sealed alone.
func TestPartWhoseVisitHasNotArrived(t *testing.T) {
	w := newWorld(t)
	w.edit(lead, partJo, "visit_child", partOps(jo)...)
	w.must(w.service.HandOver(ctx, as(lead), finalise.HandOver{Record: partJo}))
	w.must(w.service.Confirm(ctx, as(lead), finalise.Confirm{Record: partJo, Heads: w.allHeads(partJo)}))
	w.wantRefused(func() error {
		_, err := w.service.Finalise(ctx, as(coordA), finalise.Finalise{Record: partJo, Heads: w.allHeads(partJo)})
		return err
	}, syncproto.CodeHeldChanges)
}

func TestKindsThatAreNeverFinal(t *testing.T) {
	w := newWorld(t)
	w.edit(lead, maya, "person", code("names", "Maya"))
	w.wantRefused(func() error { _, err := w.service.HandOver(ctx, as(lead), finalise.HandOver{Record: maya}); return err }, syncproto.CodeForbidden)
}

func TestLease(t *testing.T) {
	w := newWorld(t)
	w.ready()
	lease, err := w.service.Lease(ctx, as(coordA), partMaya) // of the whole visit
	if err != nil || lease.Until != w.now.Add(finalise.LeaseTime) {
		t.Fatalf("lease: %+v, %v", lease, err)
	}
	for name, act := range map[string]func() error{
		"lease": func() error { _, err := w.service.Lease(ctx, as(coordB), visit); return err },
		"query": func() error {
			_, err := w.service.Query(ctx, as(coordB), finalise.Query{Record: partJo, Text: "?"})
			return err
		},
		"finalise": func() error { _, err := w.finalise(coordB); return err },
	} {
		t.Run(name, func(t *testing.T) {
			w.t = t
			w.wantRefused(act, syncproto.CodeLeased)
		})
	}
	w.t = t
	if err := w.service.Release(ctx, as(coordB), visit); err != nil {
		t.Fatal(err)
	}
	w.wantRefused(func() error { _, err := w.finalise(coordB); return err }, syncproto.CodeLeased) // not theirs to release
	w.must(w.service.Query(ctx, as(manager), finalise.Query{Record: visit, Text: "Was it announced?"}))

	w.now = w.now.Add(finalise.LeaseTime - time.Second)
	if lease, err = w.service.Lease(ctx, as(coordA), visit); err != nil || lease.Until != w.now.Add(finalise.LeaseTime) {
		t.Errorf("renewed: %+v, %v", lease, err)
	}
	w.now = w.now.Add(finalise.LeaseTime)
	if _, err := w.service.Lease(ctx, as(coordB), visit); err != nil {
		t.Errorf("after it ran out: %v", err)
	}
	if err := w.service.Release(ctx, as(coordB), visit); err != nil {
		t.Error(err)
	}
	if _, err := w.service.Lease(ctx, as(coordA), visit); err != nil {
		t.Errorf("after it was released: %v", err)
	}
}

// TestStrangersTakeNoTurn: what somebody may not know of costs the ledger nothing.
func TestStrangersTakeNoTurn(t *testing.T) {
	w := newWorld(t)
	w.recorded()
	w.ledger.Close()
	for who, want := range map[syncproto.UserID]syncproto.Code{
		stranger: syncproto.CodeNotFound, it: syncproto.CodeNotFound, lead: syncproto.CodeUnavailable,
	} {
		_, err := w.service.HandOver(ctx, as(who), finalise.HandOver{Record: visit})
		if !errors.Is(err, want) {
			t.Errorf("handing over: got %v, want %v", err, want)
		}
	}
}

// TestAClaimedRegistrationDoesNotSeal: whether a visit counts as statutory follows
// from professions that were typed, so the borough's own knowledge has to bear them out.
func TestAClaimedRegistrationDoesNotSeal(t *testing.T) {
	known := func(user syncproto.UserID) store.Entry {
		return store.RefEntry{Kind: store.RefQualified, Ref: user.String(), ID: syncproto.ID(user)}
	}
	for _, c := range []struct {
		name   string
		worker syncproto.UserID
		role   string
		spoil  []store.Entry
		want   []syncproto.Code
	}{
		{"a social worker", lead, "SENIOR_SW", nil, nil},
		{"a practitioner as a social worker", co, "SW", nil, []syncproto.Code{syncproto.CodeBadValue}},
		{"a practitioner as what they are", co, "EARLY_HELP", nil, nil},
		{"a practitioner whom the import knows as registered", co, "SW", []store.Entry{known(co)}, nil},
		{"a manager as a social worker", manager, "EDT_SW", nil, []syncproto.Code{syncproto.CodeBadValue}},
		{"a registered manager", manager, "SENIOR_SW", []store.Entry{known(manager)}, nil},
		{"whose registration ended", manager, "SW",
			[]store.Entry{known(manager), store.RefEntry{Kind: store.RefQualified, Ref: manager.String()}}, []syncproto.Code{syncproto.CodeBadValue}},
		{"nobody known", syncproto.UserID{99}, "TRANSITIONAL_SW", nil, []syncproto.Code{syncproto.CodeBadValue}},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t)
			w.recorded()
			w.edit(lead, visit, "visit", add("workers", 2, pair("worker", cbor.Bytes(c.worker[:])), pair("role", cbor.Text(c.role))))
			w.must(w.service.HandOver(ctx, as(lead), finalise.HandOver{Record: visit}))
			w.confirm()
			if c.worker == co { // each worker of a joint visit
				w.must(w.service.Confirm(ctx, as(co), finalise.Confirm{Record: visit, Heads: w.allHeads(visit, partMaya, partJo)}))
			}
			if c.spoil != nil {
				w.store(c.spoil...)
			}
			if c.want == nil {
				w.must(w.finalise(coordA))
				return
			}
			reasons := w.wantRefused(func() error { _, err := w.finalise(coordA); return err }, c.want...)
			want := syncproto.Path{Field: "workers", Element: syncproto.ElementID{2}, Sub: "role"}
			if len(reasons) == 1 && (reasons[0].Path != want || reasons[0].Record != visit) {
				t.Errorf("the reason is about %v of %v", reasons[0].Path, reasons[0].Record)
			}
		})
	}
}

// TestAWorkerTakenOffTheVisitIsNotAsked: what was removed claims nothing.
func TestAWorkerTakenOffTheVisitIsNotAsked(t *testing.T) {
	w := newWorld(t)
	w.recorded()
	w.edit(lead, visit, "visit", add("workers", 2, pair("worker", cbor.Bytes(co[:])), pair("role", cbor.Text("SW"))))
	w.edit(lead, visit, "visit", syncproto.Op{Code: syncproto.OpRemove, Reason: "was not there",
		Path: syncproto.Path{Field: "workers", Element: syncproto.ElementID{2}}})
	w.must(w.service.HandOver(ctx, as(lead), finalise.HandOver{Record: visit}))
	w.confirm()
	w.seal()
}
