package finalise_test

import (
	"errors"
	"slices"
	"testing"

	"doorstep/server/internal/desk"
	"doorstep/server/internal/finalise"
	"doorstep/server/internal/once"
	"doorstep/server/internal/store"
	"doorstep/syncproto"
	"doorstep/syncproto/cbor"
	"doorstep/syncproto/text"
)

// The right family, its child, and what is known of the move.
var (
	right = syncproto.FamilyID{40}
	ro    = syncproto.RecordID{41} // a child of the right family
)

// twoFiles has a second family of the same team, with a child and the same lead worker.
func (w *world) twoFiles() {
	w.t.Helper()
	w.store(store.FamilyTeamEntry{Family: right, Team: team},
		store.RelationEntry{User: lead, Family: right, Basis: "LEAD", Grant: true},
		store.RelationEntry{User: co, Family: right, Basis: "CO", Grant: true})
	_, err := w.ledger.Propose(ctx, func(tx *store.Tx) ([]store.Entry, error) {
		_, err := w.desk.Compose(tx, []desk.Edit{{Author: lead, Family: right, Record: ro, Kind: "person", Ops: []syncproto.Op{set("names", cbor.Text("Ro"))}}})
		return nil, err
	})
	if err != nil {
		w.t.Fatal(err)
	}
}

func typing(at int, words string) syncproto.Op {
	return syncproto.Op{Code: syncproto.OpSplice, Path: syncproto.Path{Field: "household_summary"}, Splices: []text.Splice{{Pos: at, Ins: words}}}
}

func (w *world) misfile(in finalise.Misfile) (syncproto.RecordID, error) {
	return w.service.Misfile(ctx, as(manager), in)
}

func whole() finalise.Misfile {
	return finalise.Misfile{Record: visit, To: right, Reason: "Two families of one surname.",
		People: map[syncproto.RecordID]syncproto.RecordID{maya: ro, jo: ro}}
}

// A visit to another family is taken out of the wrong file with each child's part of it.
// What people wrote, who wrote it and what they differ about stand in the right file; what
// was confirmed in the wrong one does not, so that its authors say again that it is right.
func TestAVisitIsMovedOutOfTheWrongFile(t *testing.T) {
	w := newWorld(t)
	w.twoFiles()
	w.recorded()
	w.edit(lead, visit, "visit", typing(0, "The kitchen was warm."))
	apart := w.heads(visit)
	one := w.write(lead, visit, "visit", apart, code("place", "SCHOOL"))
	other := w.write(co, visit, "visit", apart, code("place", "OFFICE"), typing(21, " Ro did the talking."))
	w.send(one, syncproto.StatusAccepted)
	w.send(other, syncproto.StatusAccepted)
	w.must(w.service.HandOver(ctx, as(lead), finalise.HandOver{Record: visit}))
	w.must(w.service.Query(ctx, as(coordA), finalise.Query{Record: visit, To: lead, Text: "Which kitchen?"}))
	before, beforePart := w.view(visit), w.view(partMaya)

	became, err := w.misfile(whole())
	if err != nil {
		t.Fatal(err)
	}
	after := w.view(became)
	for _, field := range []string{"visit_type", "start", "end", "contact_mode", "outcome", "household_summary"} {
		was, _ := before.Field(field)
		is, _ := after.Field(field)
		if !is.Value.Equal(was.Value) || is.Text != was.Text || is.By.Author != was.By.Author || is.By.TimeMS != was.By.TimeMS {
			t.Errorf("%s: got %+v, want %+v", field, is, was)
		}
	}
	c := after.Conflicts
	if len(c) != 1 || c[0].Path.Field != "place" || len(c[0].Sides) != 2 || c[0].Sides[0].By.Author == c[0].Sides[1].By.Author {
		t.Errorf("what they differ about: got %+v", c)
	}
	if flow := after.Workflow; len(flow.Queries)+len(flow.Confirmed) > 0 || flow.HandedOver == nil || len(flow.TypedUp) != 2 || flow.TypedUp[0].For != lead {
		t.Errorf("its way: got %+v", flow)
	}
	w.partMoved(became, beforePart)
	for _, gone := range []syncproto.RecordID{visit, partMaya, partJo} {
		if _, err := w.service.Standing(ctx, as(lead), gone); !errors.Is(err, syncproto.CodeNotFound) && !errors.Is(err, syncproto.CodeMisfiled) {
			t.Errorf("it is still read in the wrong file: %v", err)
		}
	}
	queue, err := w.service.Queue(ctx, as(coordA))
	if err != nil || len(queue) != 1 || queue[0].Record != became || queue[0].Family != right {
		t.Errorf("the queue: got %+v, %v", queue, err)
	}
}

// partMoved checks a child's part of what a visit became.
func (w *world) partMoved(became syncproto.RecordID, before *syncproto.View) {
	w.t.Helper()
	e, moved := w.borough.Store.State().Misfiled(partMaya)
	if !moved || e.ToFamily != right || e.By != manager || e.Reason != "Two families of one surname." {
		w.t.Fatalf("the part: got %+v, %v", e, moved)
	}
	part := w.view(e.ToRecord)
	of, _ := part.Field("visit")
	child, _ := part.Field("child")
	seen, _ := part.Field("seen")
	was, _ := before.Field("seen")
	if !of.Value.Equal(cbor.Bytes(became[:])) || !child.Value.Equal(cbor.Bytes(ro[:])) || !seen.Value.Equal(was.Value) || seen.By.Author != lead {
		w.t.Errorf("its part says %+v of %+v: seen %+v", child.Value, of.Value, seen)
	}
}

// What was moved is final once its authors have confirmed it there and a coordinator has
// looked at it: as every record, and on no other way.
func TestWhatWasMovedIsConfirmedAndMadeFinalAnew(t *testing.T) {
	w := newWorld(t)
	w.twoFiles()
	w.ready()
	w.seal()
	became, err := w.misfile(whole())
	if err != nil {
		t.Fatal(err)
	}
	records := []syncproto.RecordID{became}
	for _, part := range []syncproto.RecordID{partMaya, partJo} {
		e, _ := w.borough.Store.State().Misfiled(part)
		records = append(records, e.ToRecord)
	}
	seal := func() error {
		_, err := w.service.Finalise(ctx, as(coordA), finalise.Finalise{Record: became, Heads: w.allHeads(records...)})
		return err
	}
	w.wantRefused(seal, syncproto.CodeNotConfirmed, syncproto.CodeNotConfirmed, syncproto.CodeNotConfirmed)
	if _, err := w.service.Confirm(ctx, as(lead), finalise.Confirm{Record: became, Heads: w.allHeads(records...)}); err != nil {
		t.Fatal(err)
	}
	if err := seal(); err != nil {
		t.Error(err)
	}
}

func TestWhatIsNotMoved(t *testing.T) {
	w := newWorld(t)
	w.twoFiles()
	w.recorded()
	elsewhere := syncproto.FamilyID{42}
	w.store(store.FamilyTeamEntry{Family: elsewhere, Team: store.TeamID{43}})
	for name, of := range map[string]struct {
		who  syncproto.UserID
		with func(*finalise.Misfile)
		want syncproto.Code
	}{
		"by the lead worker":           {lead, func(*finalise.Misfile) {}, syncproto.CodeForbidden},
		"by a coordinator":             {coordA, func(*finalise.Misfile) {}, syncproto.CodeForbidden},
		"by a stranger":                {stranger, func(*finalise.Misfile) {}, syncproto.CodeNotFound},
		"by IT":                        {it, func(*finalise.Misfile) {}, syncproto.CodeNotFound},
		"to the same file":             {manager, func(in *finalise.Misfile) { in.To = family }, syncproto.CodeBadValue},
		"to no file":                   {manager, func(in *finalise.Misfile) { in.To = syncproto.FamilyID{} }, syncproto.CodeBadValue},
		"to a file of another team":    {manager, func(in *finalise.Misfile) { in.To = elsewhere }, syncproto.CodeBadValue},
		"to a file that there is not":  {manager, func(in *finalise.Misfile) { in.To = syncproto.FamilyID{99} }, syncproto.CodeBadValue},
		"without a reason":             {manager, func(in *finalise.Misfile) { in.Reason = " " }, syncproto.CodeBadValue},
		"about a child of nobody":      {manager, func(in *finalise.Misfile) { in.People = nil }, syncproto.CodeBadValue},
		"about a child of the wrong":   {manager, func(in *finalise.Misfile) { in.People[maya] = jo }, syncproto.CodeBadValue},
		"about what is no person":      {manager, func(in *finalise.Misfile) { in.People[maya] = visit }, syncproto.CodeBadValue},
		"of a record that is not here": {manager, func(in *finalise.Misfile) { in.Record = syncproto.RecordID{99} }, syncproto.CodeNotFound},
	} {
		in := whole()
		of.with(&in)
		if _, err := w.service.Misfile(ctx, as(of.who), in); !errors.Is(err, of.want) {
			t.Errorf("%s: got %v, want %v", name, err, of.want)
		}
	}
	if len(w.borough.Store.State().Misfiles()) > 0 {
		t.Error("something was moved")
	}
	if _, err := w.misfile(whole()); err != nil {
		t.Fatal(err)
	}
	if _, err := w.misfile(whole()); !errors.Is(err, syncproto.CodeNotFound) && !errors.Is(err, syncproto.CodeMisfiled) {
		t.Errorf("it is moved twice: %v", err)
	}
}

// A request that is sent again is answered as it was, and moves nothing more.
func TestAMoveThatIsSentAgainIsOneMove(t *testing.T) {
	w := newWorld(t)
	w.twoFiles()
	w.recorded()
	twice := once.With(ctx, once.Request{User: manager, ID: syncproto.RequestID{7}})
	first, err := w.service.Misfile(twice, as(manager), whole())
	if err != nil {
		t.Fatal(err)
	}
	if again, err := w.service.Misfile(twice, as(manager), whole()); err != nil || again != first {
		t.Errorf("got %v, %v, want %v", again, err, first)
	}
	if n := len(w.borough.Store.State().Misfiles()); n != 3 {
		t.Errorf("%d records were moved, want 3", n)
	}
}

// Words of somebody of the wrong family whom nobody stands for in the right one stay, in a
// slot of nobody; a list's entry that named them loses the name alone.
func TestReferencesToTheWrongFamilyAreLeftOut(t *testing.T) {
	w := newWorld(t)
	w.twoFiles()
	plan := syncproto.RecordID{44}
	w.edit(lead, maya, "person", set("names", cbor.Text("Maya")))
	says := cbor.Map(pair("capacity", cbor.Text("CHILD")), pair("name", cbor.Text("Maya")), pair("view", cbor.Text("I want to stay with Nan.")))
	view := syncproto.Op{Code: syncproto.OpSet, Path: syncproto.Path{Field: "views", Element: syncproto.ElementID(maya)}, Value: says}
	w.edit(lead, plan, "plan", view)
	got, err := w.service.Misfiling(ctx, as(manager), plan)
	if err != nil || !slices.Equal(got.People, []finalise.Named{{Person: maya}}) || !slices.Equal(got.Authors, []syncproto.UserID{lead}) {
		t.Fatalf("got %+v, %v", got, err)
	}
	became, err := w.misfile(finalise.Misfile{Record: plan, To: right, Reason: "Another family."})
	if err != nil {
		t.Fatal(err)
	}
	f, _ := w.view(became).Field("views")
	if len(f.Slots) != 1 || f.Slots[0].Slot == syncproto.ElementID(maya) || !f.Slots[0].Value.Equal(says) {
		t.Errorf("the child's view: got %+v", f.Slots)
	}
}

// Words that were written at one place, apart, are in one order in the text, and what was
// written on top of both builds on that order: in the right file they stand in the same.
func TestWordsThatMetAreMovedInTheirOrder(t *testing.T) {
	for range 8 { // the actors of the move are drawn
		w := newWorld(t)
		w.twoFiles()
		w.recorded()
		apart := w.heads(visit)
		for _, by := range []syncproto.UserID{lead, co} { // each in two windows, of which the second knows nothing of the first
			deep := w.send(w.write(by, visit, "visit", apart, code("place", "SCHOOL")), syncproto.StatusAccepted)
			w.send(w.write(by, visit, "visit", []syncproto.ChangeID{deep}, typing(0, "The kitchen was warm. ")), syncproto.StatusAccepted)
			w.send(w.write(by, visit, "visit", apart, typing(0, "Ro did the talking. ")), syncproto.StatusAccepted)
		}
		w.edit(lead, visit, "visit", syncproto.Op{Code: syncproto.OpSplice, Path: syncproto.Path{Field: "household_summary"},
			Splices: []text.Splice{{Pos: 4, Del: 6, Ins: "Nobody"}, {Pos: 46, Del: 3, Ins: "Jo"}}})
		was, _ := w.view(visit).Field("household_summary")
		became, err := w.misfile(whole())
		if err != nil {
			t.Fatal(err)
		}
		if is, _ := w.view(became).Field("household_summary"); is.Text != was.Text || is.Text == "" {
			t.Fatalf("it says %q, and was %q", is.Text, was.Text)
		}
	}
}
