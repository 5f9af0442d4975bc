package finalise_test

import (
	"errors"
	"strings"
	"testing"

	"doorstep/server/internal/finalise"
	"doorstep/server/internal/store"
	"doorstep/syncproto"
	"doorstep/syncproto/cbor"
)

// minutesFor begins the minutes of a meeting for somebody, at the desk.
func (w *world) minutesFor(user syncproto.UserID) syncproto.RecordID {
	w.t.Helper()
	record, err := w.service.TypeUp(ctx, as(coordA), finalise.TypeUp{Family: family, Kind: "minutes", For: user, Source: "My notes of the core group."})
	if err != nil {
		w.t.Fatal(err)
	}
	return record
}

// fills writes the minutes of a meeting.
func (w *world) fills(record syncproto.RecordID) {
	w.t.Helper()
	w.must(w.service.Fill(ctx, as(coordA), finalise.Fill{Record: record, Seen: w.heads(record), Sets: []finalise.Setting{
		{Path: syncproto.Path{Field: "type"}, Value: cbor.Text("CORE_GROUP")},
		{Path: syncproto.Path{Field: "start"}, Value: cbor.Int(w.now.UnixMilli() - 3_600_000)},
		{Path: syncproto.Path{Field: "discussed"}, Value: cbor.Text("Nan can do Sundays.")}}}))
	w.must(w.service.Enter(ctx, as(coordA), finalise.Enter{Record: record, Field: "attendees", Seen: w.heads(record),
		Entries: []finalise.Entry{{Value: cbor.Map(cbor.Pair{Key: "name", Value: cbor.Text("The school nurse")})}}}))
}

func (w *world) confirms(user syncproto.UserID, record syncproto.RecordID) error {
	_, err := w.service.Confirm(ctx, as(user), finalise.Confirm{Record: record, Heads: w.allHeads(record)})
	return err
}

// Minutes begin at the desk, with their source, in the queue from the first. The typist
// writes until the worker whose words they are has confirmed them, who alone can; then they
// can be made final, and what the sealed version says is who typed them up and from what.
func TestMinutesBeginAtTheDesk(t *testing.T) {
	w := newWorld(t)
	record := w.minutesFor(lead)
	w.fills(record)
	queue, err := w.service.Queue(ctx, as(coordA))
	if err != nil || len(queue) != 1 || queue[0].Record != record || queue[0].Confirmed {
		t.Fatalf("the queue: %+v, %v", queue, err)
	}
	seal := func() error {
		_, err := w.service.Finalise(ctx, as(coordA), finalise.Finalise{Record: record, Heads: w.allHeads(record)})
		return err
	}
	reasons := w.wantRefused(seal, syncproto.CodeNotConfirmed)
	if !strings.Contains(reasons[0].Plain, "social_worker has not confirmed it") {
		t.Errorf("it does not say who has not confirmed: %q", reasons[0].Plain)
	}
	for who, want := range map[syncproto.UserID]syncproto.Code{coordA: syncproto.CodeForbidden, co: syncproto.CodeForbidden, manager: syncproto.CodeForbidden, stranger: syncproto.CodeNotFound, it: syncproto.CodeNotFound} {
		if err := w.confirms(who, record); !errors.Is(err, want) {
			t.Errorf("user %d confirms another's words: %v, want %v", who[0], err, want)
		}
	}
	st, err := w.service.Standing(ctx, as(lead), record)
	if err != nil || !st.Acts.Confirm || st.For != lead || st.Parts[0].Typing {
		t.Fatalf("to the worker it stands as %+v, %v", st.Acts, err)
	}
	if err := w.confirms(lead, record); err != nil {
		t.Fatal(err)
	}
	// Minutes are the typist's to write by the table as well: the word does not stand then.
	w.must(w.service.Fill(ctx, as(coordA), finalise.Fill{Record: record, Seen: w.heads(record), Sets: []finalise.Setting{{Path: syncproto.Path{Field: "discussed"}, Value: cbor.Text("Another.")}}}))
	w.wantRefused(seal, syncproto.CodeNotConfirmed)
	if err := w.confirms(lead, record); err != nil {
		t.Fatal(err)
	}
	if err := seal(); err != nil {
		t.Fatal(err)
	}
	v := w.view(record)
	typed := v.Workflow.TypedUp
	if v.Seal == nil || len(typed) != 1 || typed[0].For != lead || typed[0].By.Author != coordA || typed[0].Source != "My notes of the core group." {
		t.Errorf("sealed: %v, typed up: %+v", v.Seal != nil, typed)
	}
}

// What does not begin at the desk, and why, for everybody who might try.
func TestWhatDoesNotBeginAtTheDesk(t *testing.T) {
	w := newWorld(t)
	good := finalise.TypeUp{Family: family, Kind: "visit", For: lead, Source: "Her notes by hand.", Capture: syncproto.CapturePen}
	for name, c := range map[string]struct {
		who    syncproto.UserID
		change func(*finalise.TypeUp)
		want   syncproto.Code
	}{
		"a worker types up for a colleague":   {co, func(*finalise.TypeUp) {}, syncproto.CodeForbidden},
		"a manager does":                      {manager, func(*finalise.TypeUp) {}, syncproto.CodeForbidden},
		"a stranger does":                     {stranger, func(*finalise.TypeUp) {}, syncproto.CodeNotFound},
		"IT does":                             {it, func(*finalise.TypeUp) {}, syncproto.CodeNotFound},
		"for a stranger":                      {coordA, func(in *finalise.TypeUp) { in.For = stranger }, syncproto.CodeBadValue},
		"for the typist":                      {coordA, func(in *finalise.TypeUp) { in.For = coordA }, syncproto.CodeBadValue},
		"for nobody":                          {coordA, func(in *finalise.TypeUp) { in.For = syncproto.UserID{} }, syncproto.CodeBadValue},
		"from nothing":                        {coordA, func(in *finalise.TypeUp) { in.Source = " " }, syncproto.CodeBadValue},
		"as an import":                        {coordA, func(in *finalise.TypeUp) { in.Capture = syncproto.CaptureImported }, syncproto.CodeBadValue},
		"in another family":                   {coordA, func(in *finalise.TypeUp) { in.Family = syncproto.FamilyID{99} }, syncproto.CodeNotFound},
		"a part alone":                        {coordA, func(in *finalise.TypeUp) { in.Kind = "visit_child" }, syncproto.CodeBadOp},
		"who the family are":                  {coordA, func(in *finalise.TypeUp) { in.Kind = "person" }, syncproto.CodeForbidden},
		"what was told in confidence":         {coordA, func(in *finalise.TypeUp) { in.Kind = "disclosure" }, syncproto.CodeNotFound},
		"a kind that there is not":            {coordA, func(in *finalise.TypeUp) { in.Kind = "diary" }, syncproto.CodeNotFound},
		"of a child who is not of the family": {coordA, func(in *finalise.TypeUp) { in.Children = []syncproto.RecordID{{98}} }, syncproto.CodeBadValue},
	} {
		in := good
		c.change(&in)
		before, _ := w.borough.Store.Applied()
		_, err := w.service.TypeUp(ctx, as(c.who), in)
		if after, _ := w.borough.Store.Applied(); !errors.Is(err, c.want) || after != before {
			t.Errorf("%s: got %v, want %v; %d entries", name, err, c.want, after-before)
		}
	}
	if list := w.service.Beginnings(ctx, as(coordA), family); len(list) < 5 || list[0].Kind.ID != "visit" || len(list[0].For) != 2 {
		t.Errorf("a coordinator may begin %+v", list)
	}
	for _, who := range []syncproto.UserID{lead, co, manager, stranger, it} {
		if list := w.service.Beginnings(ctx, as(who), family); list != nil {
			t.Errorf("user %d may begin %+v", who[0], list)
		}
	}
}

// A visit typed up from notes by hand keeps how it was taken, and each child's part.
func TestAVisitIsTypedUpFromNotesByHand(t *testing.T) {
	w := newWorld(t)
	w.edit(lead, maya, "person", set("names", cbor.Text("Maya")))
	record, err := w.service.TypeUp(ctx, as(coordA), finalise.TypeUp{Family: family, Kind: "visit", For: lead, Source: "Her notes by hand.",
		Capture: syncproto.CapturePen, Children: []syncproto.RecordID{maya, maya}})
	if err != nil {
		t.Fatal(err)
	}
	w.must(w.service.Fill(ctx, as(coordA), finalise.Fill{Record: record, Seen: w.heads(record), Sets: []finalise.Setting{
		{Path: syncproto.Path{Field: "purpose"}, Value: cbor.Text("Bedtimes.")},
		{Path: syncproto.Path{Field: "setting", Element: syncproto.ElementID(lead)}, Value: cbor.Text("A tidy kitchen.")}}}))
	w.must(w.service.Enter(ctx, as(coordA), finalise.Enter{Record: record, Field: "workers", Seen: w.heads(record),
		Entries: []finalise.Entry{{Value: cbor.Map(cbor.Pair{Key: "worker", Value: cbor.Bytes(lead[:])}, cbor.Pair{Key: "role", Value: cbor.Text("SW")})}}}))
	st, err := w.service.Standing(ctx, as(coordA), record)
	if err != nil || len(st.Parts) != 2 || !st.Parts[1].Typing {
		t.Fatalf("it stands as %+v, %v", st, err)
	}
	if got, want := st.Parts[1].View.Record, syncproto.PartID(record, maya); got != want {
		t.Errorf("its child's part is %v, want %v, as a tablet would begin it", got, want)
	}
	purpose, _ := st.Parts[0].View.Field("purpose")
	setting, _ := st.Parts[0].View.Field("setting")
	if purpose.Text != "Bedtimes." || len(setting.Slots) != 1 || setting.Slots[0].By.Capture != syncproto.CapturePen {
		t.Errorf("it says %+v, %+v", purpose, setting)
	}
	// Once its author has confirmed it, it is theirs.
	if err := w.confirms(lead, record); err == nil {
		t.Error("a visit was confirmed without its child's part")
	}
	part := st.Parts[1].View.Record
	w.must(w.service.Confirm(ctx, as(lead), finalise.Confirm{Record: record, Heads: w.allHeads(record, part)}))
	_, err = w.service.Fill(ctx, as(coordA), finalise.Fill{Record: record, Seen: w.heads(record), Sets: []finalise.Setting{{Path: syncproto.Path{Field: "purpose"}, Value: cbor.Text("Another.")}}})
	if !errors.Is(err, syncproto.CodeDeniedField) {
		t.Errorf("the typist writes on after the author confirmed: %v", err)
	}
}

// A manager stands in for a worker who has left, with the reason; nobody else does, and
// not for somebody who is there.
func TestAManagerConfirmsForWhoHasLeft(t *testing.T) {
	w := newWorld(t)
	record := w.minutesFor(lead)
	w.fills(record)
	standIn := func(who, of syncproto.UserID, why string) error {
		_, err := w.service.Confirm(ctx, as(who), finalise.Confirm{Record: record, Heads: w.allHeads(record), For: of, Reason: why})
		return err
	}
	if err := standIn(manager, lead, "She left."); !errors.Is(err, syncproto.CodeBadValue) {
		t.Errorf("for somebody who still works with the family: %v", err)
	}
	w.store(store.RelationEntry{User: lead, Family: family, Basis: "LEAD"})
	if err := w.confirms(lead, record); !errors.Is(err, syncproto.CodeNotFound) {
		t.Errorf("who left confirms: %v", err)
	}
	for who, want := range map[syncproto.UserID]syncproto.Code{coordA: syncproto.CodeForbidden, co: syncproto.CodeForbidden, stranger: syncproto.CodeNotFound} {
		if err := standIn(who, lead, "She left."); !errors.Is(err, want) {
			t.Errorf("user %d stands in: %v, want %v", who[0], err, want)
		}
	}
	if err := standIn(manager, lead, " "); !errors.Is(err, syncproto.CodeBadValue) {
		t.Errorf("without a reason: %v", err)
	}
	if err := standIn(manager, co, "He left."); !errors.Is(err, syncproto.CodeBadValue) {
		t.Errorf("for somebody whose word is not asked for: %v", err)
	}
	st, err := w.service.Standing(ctx, as(manager), record)
	if err != nil || len(st.Left) != 1 || st.Left[0] != lead {
		t.Errorf("a manager may stand in for %v, %v", st.Left, err)
	}
	if err := standIn(manager, lead, "She left on Friday."); err != nil {
		t.Fatal(err)
	}
	c := w.view(record).Workflow.Confirmed
	if len(c) != 1 || c[0].For != lead || c[0].By.Author != manager || c[0].Reason != "She left on Friday." || !c[0].Stands {
		t.Errorf("confirmed: %+v", c)
	}
	w.must(w.service.Finalise(ctx, as(coordA), finalise.Finalise{Record: record, Heads: w.allHeads(record)}))
}

// A manager's tablet does not know who has left: what it confirmed in the place of somebody
// who is there makes nothing final.
func TestAWordInSomebodysPlaceCountsWhileTheyAreGone(t *testing.T) {
	w := newWorld(t)
	record := w.minutesFor(lead)
	w.fills(record)
	w.edit(manager, record, "minutes", syncproto.Op{Code: syncproto.OpConfirm, Heads: w.allHeads(record), To: lead, Reason: "She left."})
	final := func() error {
		_, err := w.service.Finalise(ctx, as(coordA), finalise.Finalise{Record: record, Heads: w.allHeads(record)})
		return err
	}
	w.wantRefused(final, syncproto.CodeNotConfirmed)
	w.store(store.RelationEntry{User: lead, Family: family, Basis: "LEAD"})
	if err := final(); err != nil {
		t.Errorf("once she has left: %v", err)
	}
}

// Each worker of a joint visit confirms it, also one who wrote nothing; a change after that
// asks each of them again.
func TestEachWorkerOfAJointVisitConfirms(t *testing.T) {
	w := newWorld(t)
	w.recorded()
	w.edit(lead, visit, "visit", add("workers", 2, pair("worker", cbor.Bytes(co[:])), pair("role", cbor.Text("EARLY_HELP"))))
	w.must(w.service.HandOver(ctx, as(lead), finalise.HandOver{Record: visit}))
	w.confirm()
	refusedFor := func(name string) {
		t.Helper()
		reasons := w.wantRefused(func() error { _, err := w.finalise(coordA); return err }, syncproto.CodeNotConfirmed, syncproto.CodeNotConfirmed, syncproto.CodeNotConfirmed)
		if !strings.Contains(reasons[0].Plain, name) {
			t.Errorf("it does not say that %s has to: %q", name, reasons[0].Plain)
		}
	}
	refusedFor("practitioner has not confirmed it")
	queue, err := w.service.Queue(ctx, as(co))
	if err != nil || len(queue) != 1 {
		t.Errorf("who was on the visit has %+v in the queue, %v", queue, err)
	}
	all := func(who syncproto.UserID) {
		t.Helper()
		w.must(w.service.Confirm(ctx, as(who), finalise.Confirm{Record: visit, Heads: w.allHeads(visit, partMaya, partJo)}))
	}
	all(co)
	w.edit(co, visit, "visit", code("place", "SCHOOL"))
	reasons := w.wantRefused(func() error { _, err := w.finalise(coordA); return err }, syncproto.CodeNotConfirmed, syncproto.CodeNotConfirmed)
	if !strings.Contains(reasons[0].Plain, "confirm it again") {
		t.Errorf("what changed: %+v", reasons)
	}
	all(lead)
	all(co)
	w.must(w.finalise(coordA))
}

// What a typist entered they change, and take out with a reason; what is said again is no
// change. A decision is not typed up.
func TestEntriesOfWhatIsTypedUp(t *testing.T) {
	w := newWorld(t)
	record := w.minutesFor(lead)
	entry := func(name string) cbor.Value {
		return cbor.Map(cbor.Pair{Key: "name", Value: cbor.Text(name)}, cbor.Pair{Key: "role", Value: cbor.Text("SW")})
	}
	enter := func(entries ...finalise.Entry) error {
		_, err := w.service.Enter(ctx, as(coordA), finalise.Enter{Record: record, Field: "attendees", Seen: w.heads(record), Entries: entries})
		return err
	}
	if err := enter(finalise.Entry{Value: entry("The nurse")}, finalise.Entry{Value: entry("A GP")}); err != nil {
		t.Fatal(err)
	}
	there := func() (names []string, elements []syncproto.ElementID) {
		f, _ := w.view(record).Field("attendees")
		for i := range f.Items {
			if f.Items[i].Removed == nil {
				name, _ := f.Items[i].Field("name")
				said, _ := name.Value.AsText()
				names, elements = append(names, said), append(elements, f.Items[i].Element)
			}
		}
		return names, elements
	}
	names, ids := there()
	if len(names) != 2 {
		t.Fatalf("entered: %q", names)
	}
	w.wantRefused(func() error { return enter(finalise.Entry{Element: ids[0], Value: entry(names[0])}) }, syncproto.CodeBadValue)
	if err := enter(finalise.Entry{Element: ids[0], Value: entry("The school nurse")}, finalise.Entry{Element: ids[1], Out: "She was not there."}); err != nil {
		t.Fatal(err)
	}
	if names, _ := there(); len(names) != 1 || names[0] != "The school nurse" {
		t.Errorf("after the second form: %q", names)
	}
	plan, err := w.service.TypeUp(ctx, as(coordA), finalise.TypeUp{Family: family, Kind: "plan", For: lead, Source: "Her notebook.", Capture: syncproto.CapturePen})
	if err != nil {
		t.Fatal(err)
	}
	_, err = w.service.Fill(ctx, as(coordA), finalise.Fill{Record: plan, Seen: w.heads(plan), Sets: []finalise.Setting{{Path: syncproto.Path{Field: "status"}, Value: cbor.Text("ACTIVE")}}})
	if !errors.Is(err, syncproto.CodeDeniedField) {
		t.Errorf("a typist puts a plan in force: %v", err)
	}
}
