package access

import (
	"slices"
	"testing"

	"doorstep/syncproto"
	"doorstep/syncproto/cbor"
	"doorstep/syncproto/schema"
)

var (
	author  = syncproto.UserID{1}
	another = syncproto.UserID{2}
	element = syncproto.ElementID{9}
)

// change makes a change of a kind that begins nothing.
func change(kind string, ops ...syncproto.Op) *syncproto.Change {
	return &syncproto.Change{Body: syncproto.Body{
		Kind: kind, Author: author, Deps: []syncproto.ChangeID{{1}}, Ops: ops,
	}}
}

func kindOf(t *testing.T, id string) *schema.Kind {
	t.Helper()
	k, ok := schema.Newest(id)
	if !ok {
		t.Fatalf("no kind %q", id)
	}
	return k
}

func on(code syncproto.OpCode, field string) syncproto.Op {
	return syncproto.Op{Code: code, Path: syncproto.Path{Field: field}}
}

func onElement(code syncproto.OpCode, field, sub string) syncproto.Op {
	return syncproto.Op{Code: code, Path: syncproto.Path{Field: field, Element: element, Sub: sub}}
}

func inSlot(code syncproto.OpCode, field string, slot syncproto.UserID) syncproto.Op {
	return syncproto.Op{Code: code, Path: syncproto.Path{Field: field, Element: syncproto.ElementID(slot)}}
}

// TestActionsOf holds every op code on every sort of field.
func TestActionsOf(t *testing.T) {
	cases := []struct {
		name   string
		kind   string
		op     syncproto.Op
		action Action
		label  schema.Label
		rule   schema.Rule
		field  string
	}{
		{"set an attested field", "visit", on(syncproto.OpSet, "visit_type"), ActionEdit, schema.Attested, schema.Human, "visit_type"},
		{"set an administrative field", "visit", on(syncproto.OpSet, "planned"), ActionEdit, schema.Admin, schema.Latest, "planned"},
		{"set a judgement", "visit_child", on(syncproto.OpSet, "analysis"), ActionEdit, schema.Judgement, schema.Human, "analysis"},
		{"set what is computed", "visit_child", on(syncproto.OpSet, "counts_as_statutory"), ActionEdit, schema.Attested, schema.Derived, "counts_as_statutory"},
		{"set a part", "plan", onElement(syncproto.OpSet, "rules", "text"), ActionEdit, schema.Judgement, schema.Human, "rules.text"},
		{"set a part of another class than its whole", "person", onElement(syncproto.OpSet, "address", "confidential"), ActionEdit, schema.Attested, schema.Protect, "address.confidential"},
		{"set a part of a log", "visit_child", onElement(syncproto.OpSet, "child_words", "quote"), ActionEdit, schema.Verbatim, schema.Log, "child_words.quote"},
		{"set an element", "plan", onElement(syncproto.OpSet, "rules", ""), ActionUnknown, schema.Judgement, schema.Union, "rules"},
		{"set a person's slot", "plan", onElement(syncproto.OpSet, "views", ""), ActionEdit, schema.Attested, schema.Own, "views"},
		{"set one's own slot", "visit_child", inSlot(syncproto.OpSet, "worry_level_change", author), ActionEditOwn, schema.Judgement, schema.Own, "worry_level_change"},
		{"set another's slot", "visit_child", inSlot(syncproto.OpSet, "worry_level_change", another), ActionEditOther, schema.Judgement, schema.Own, "worry_level_change"},

		{"splice a text", "visit", on(syncproto.OpSplice, "purpose"), ActionEdit, schema.Judgement, schema.Text, "purpose"},
		{"splice prepared text", "visit", on(syncproto.OpSplice, "household_summary"), ActionPrepare, schema.Attested, schema.Text, "household_summary"},
		{"splice one's own slot", "visit", inSlot(syncproto.OpSplice, "setting", author), ActionEditOwn, schema.Attested, schema.Own, "setting"},
		{"splice another's slot", "visit", inSlot(syncproto.OpSplice, "setting", another), ActionEditOther, schema.Attested, schema.Own, "setting"},
		{"splice a part", "plan", onElement(syncproto.OpSplice, "trajectory", "expected"), ActionEdit, schema.Judgement, schema.Text, "trajectory.expected"},

		{"add to a union", "visit", onElement(syncproto.OpAdd, "present", ""), ActionAdd, schema.Attested, schema.Union, "present"},
		{"add to a log", "visit_child", onElement(syncproto.OpAdd, "child_words", ""), ActionAdd, schema.Verbatim, schema.Log, "child_words"},
		{"add to a field that is no list", "visit", onElement(syncproto.OpAdd, "place", ""), ActionUnknown, schema.Attested, schema.Human, "place"},
		{"add to a part", "plan", onElement(syncproto.OpAdd, "rules", "text"), ActionUnknown, schema.Judgement, schema.Human, "rules.text"},

		{"remove from a union", "visit", onElement(syncproto.OpRemove, "present", ""), ActionRemove, schema.Attested, schema.Union, "present"},
		{"remove a rule", "plan", onElement(syncproto.OpRemove, "rules", ""), ActionRemove, schema.Judgement, schema.Union, "rules"},
		{"remove from a log", "visit_child", onElement(syncproto.OpRemove, "child_words", ""), ActionRemove, schema.Verbatim, schema.Log, "child_words"},
		{"remove a field", "visit", on(syncproto.OpRemove, "place"), ActionUnknown, schema.Attested, schema.Human, "place"},

		{"decide an attested field", "visit_child", on(syncproto.OpDecide, "seen_alone"), ActionDecide, schema.Attested, schema.Protect, "seen_alone"},
		{"decide a judgement", "visit_child", on(syncproto.OpDecide, "analysis"), ActionDecide, schema.Judgement, schema.Human, "analysis"},
		{"decide a part", "plan", onElement(syncproto.OpDecide, "rules", "who"), ActionDecide, schema.Judgement, schema.Human, "rules.who"},
		{"decide what a manager approves", "plan", on(syncproto.OpDecide, "bottom_lines"), ActionApprove, schema.Judgement, schema.Human, "bottom_lines"},
		{"decide on a removed rule", "plan", onElement(syncproto.OpDecide, "rules", ""), ActionConfirmRemoval, schema.Judgement, schema.Union, "rules"},
		{"decide on a removed helper", "plan", onElement(syncproto.OpDecide, "network", ""), ActionConfirmRemoval, schema.Judgement, schema.Union, "network"},
		{"decide on a removed risk", "person", onElement(syncproto.OpDecide, "hazard", ""), ActionConfirmRemoval, schema.Attested, schema.Union, "hazard"},
		{"decide on an element that is not kept", "visit", onElement(syncproto.OpDecide, "present", ""), ActionUnknown, schema.Attested, schema.Union, "present"},
		{"decide on a text", "visit", on(syncproto.OpDecide, "purpose"), ActionTakeNote, schema.Judgement, schema.Text, "purpose"},
		{"decide on prepared text", "visit", on(syncproto.OpDecide, "household_summary"), ActionPrepare, schema.Attested, schema.Text, "household_summary"},
		{"decide on one's own slot", "visit_child", inSlot(syncproto.OpDecide, "worry_level_change", author), ActionEditOwn, schema.Judgement, schema.Own, "worry_level_change"},
		{"decide on another's slot", "visit_child", inSlot(syncproto.OpDecide, "worry_level_change", another), ActionDecide, schema.Judgement, schema.Own, "worry_level_change"},
		{"decide on a person's slot", "plan", onElement(syncproto.OpDecide, "views", ""), ActionDecide, schema.Attested, schema.Own, "views"},
		{"decide on the server's field", "plan", on(syncproto.OpDecide, "status"), ActionDecide, schema.Judgement, schema.Server, "status"},

		{"hand over", "visit", syncproto.Op{Code: syncproto.OpHandOver}, ActionHandOver, 0, 0, ""},
		{"confirm", "visit", syncproto.Op{Code: syncproto.OpConfirm}, ActionConfirm, 0, 0, ""},
		{"confirm for a leaver", "visit", syncproto.Op{Code: syncproto.OpConfirm, To: syncproto.UserID{1}, Reason: "left"}, ActionStandIn, 0, 0, ""},
		{"type up", "visit", syncproto.Op{Code: syncproto.OpTypeUp, To: syncproto.UserID{1}, Reason: "notes"}, ActionTypeUp, 0, 0, ""},
		{"query", "visit", on(syncproto.OpQuery, "place"), ActionQuery, 0, 0, ""},
		{"query without a field", "visit", syncproto.Op{Code: syncproto.OpQuery}, ActionQuery, 0, 0, ""},
		{"answer", "visit", syncproto.Op{Code: syncproto.OpAnswer}, ActionAnswer, 0, 0, ""},
		{"finalise", "visit", syncproto.Op{Code: syncproto.OpFinalise}, ActionFinalise, 0, 0, ""},
		{"addendum", "visit", syncproto.Op{Code: syncproto.OpAddendum}, ActionAddendum, 0, 0, ""},
		{"correct", "visit", on(syncproto.OpCorrect, "place"), ActionCorrect, schema.Attested, schema.Human, "place"},
		{"correct words as spoken", "visit_child", onElement(syncproto.OpCorrect, "child_words", "quote"), ActionCorrect, schema.Verbatim, schema.Log, "child_words.quote"},

		{"set an unknown field", "visit", on(syncproto.OpSet, "weather"), ActionUnknown, 0, 0, ""},
		{"set an unknown part", "plan", onElement(syncproto.OpSet, "rules", "colour"), ActionUnknown, 0, 0, ""},
		{"an op of the future", "visit", on(99, "place"), ActionUnknown, schema.Attested, schema.Human, "place"},
		{"no op code", "visit", syncproto.Op{}, ActionUnknown, 0, 0, ""},
	}
	for _, c := range cases {
		got := ActionsOf(kindOf(t, c.kind), change(c.kind, c.op))
		want := []Need{{Action: c.action, Label: c.label, Rule: c.rule, Field: c.field}}
		if !slices.Equal(got, want) {
			t.Errorf("%s: %+v, want %+v", c.name, got, want)
		}
	}
}

// TestEveryOpCodeHasANeed: an op code that is added to the protocol without a
// thought here is denied, and this test asks for the thought.
func TestEveryOpCodeHasANeed(t *testing.T) {
	visit := kindOf(t, "visit")
	for code := syncproto.OpSet; code <= syncproto.OpTypeUp; code++ {
		known := slices.ContainsFunc([]syncproto.Op{
			on(code, "place"), onElement(code, "present", ""), onElement(code, "present", "role"),
		}, func(op syncproto.Op) bool {
			needs := ActionsOf(visit, change("visit", op))
			return needs[0].Action != ActionUnknown
		})
		if !known {
			t.Errorf("op %d is never known", code)
		}
	}
}

func TestActionsOfWholeChanges(t *testing.T) {
	visit := kindOf(t, "visit")
	edit := Need{Action: ActionEdit, Label: schema.Attested, Rule: schema.Human, Field: "place"}

	begins := change("visit", on(syncproto.OpSet, "place"))
	begins.Body.Deps = nil
	imported := change("visit", on(syncproto.OpSet, "place"))
	imported.Body.Capture = syncproto.CaptureImported
	importedEdit := edit
	importedEdit.Imported = true
	newer := change("visit", on(syncproto.OpSet, "place"))
	newer.Body.NewerApp = true

	cases := []struct {
		name string
		kind *schema.Kind
		c    *syncproto.Change
		want []Need
	}{
		{"begins a record", visit, begins, []Need{{Action: ActionCreate}, edit}},
		{"one need twice", visit, change("visit", on(syncproto.OpSet, "place"), on(syncproto.OpSet, "place")), []Need{edit}},
		{"two needs", visit, change("visit", on(syncproto.OpSet, "place"), syncproto.Op{Code: syncproto.OpHandOver}),
			[]Need{edit, {Action: ActionHandOver}}},
		{"no ops", visit, change("visit"), []Need{{Action: ActionRead}}},
		{"imported", visit, imported, []Need{importedEdit}},
		{"unknown kind", nil, change("diary", on(syncproto.OpSet, "place")), []Need{{Action: ActionUnknown}}},
		{"newer app", visit, newer, []Need{{Action: ActionUnknown}}},
	}
	for _, c := range cases {
		if got := ActionsOf(c.kind, c.c); !slices.Equal(got, c.want) {
			t.Errorf("%s: %+v, want %+v", c.name, got, c.want)
		}
	}
}

func TestMayChange(t *testing.T) {
	visit, plan, child, person := "visit", "plan", "visit_child", "person"
	lead := Asker{Role: RolePractitioner, Bases: []Basis{BasisLead}}
	co := Asker{Role: RolePractitioner, Bases: []Basis{BasisCo}}
	desk := Asker{Role: RoleCoordinator, Bases: []Basis{BasisCoord}}
	manager := Asker{Role: RoleManager, Bases: []Basis{BasisManager}}
	stranger := Asker{Role: RolePractitioner}
	keptOut := Asker{Role: RolePractitioner, Bases: []Basis{BasisLead, BasisDenied}}
	twoHats := Asker{Role: RolePractitioner, Bases: []Basis{BasisCo, BasisLead}}
	it := Asker{Role: RoleIT, Bases: []Basis{BasisLead, BasisManager}}

	place := on(syncproto.OpSet, "place")
	confirm := syncproto.Op{Code: syncproto.OpConfirm}
	cases := []struct {
		name  string
		asker Asker
		kind  string
		ops   []syncproto.Op
		code  syncproto.Code
	}{
		{"the lead writes", lead, visit, []syncproto.Op{place}, syncproto.CodeOK},
		{"a co-worker writes", co, visit, []syncproto.Op{place}, syncproto.CodeOK},
		{"a stranger writes", stranger, visit, []syncproto.Op{place}, syncproto.CodeNotEntitled},
		{"a stranger sends nothing", stranger, visit, nil, syncproto.CodeNotEntitled},
		{"IT writes", it, visit, []syncproto.Op{place}, syncproto.CodeNotEntitled},
		{"a lead who is kept out", keptOut, visit, []syncproto.Op{place}, syncproto.CodeNotEntitled},
		{"a co-ordinator writes a fact", desk, visit, []syncproto.Op{place}, syncproto.CodeDeniedField},
		{"a co-ordinator mends a date", desk, visit, []syncproto.Op{on(syncproto.OpSet, "planned")}, syncproto.CodeOK},
		{"a co-ordinator slips a fact in", desk, visit, []syncproto.Op{on(syncproto.OpSet, "planned"), place}, syncproto.CodeDeniedField},
		{"a co-ordinator prepares the summary", desk, visit, []syncproto.Op{on(syncproto.OpSplice, "household_summary")}, syncproto.CodeOK},
		{"a co-ordinator writes the analysis", desk, child, []syncproto.Op{on(syncproto.OpSet, "analysis")}, syncproto.CodeDeniedField},
		{"a co-ordinator adds a quote", desk, child, []syncproto.Op{onElement(syncproto.OpAdd, "child_words", "")}, syncproto.CodeDeniedField},
		{"a co-ordinator mends an address", desk, person, []syncproto.Op{onElement(syncproto.OpSet, "address", "text")}, syncproto.CodeOK},
		{"a co-ordinator lifts confidentiality", desk, person, []syncproto.Op{onElement(syncproto.OpSet, "address", "confidential")}, syncproto.CodeDeniedField},
		{"a co-ordinator asks", desk, visit, []syncproto.Op{{Code: syncproto.OpQuery}}, syncproto.CodeOK},
		{"a co-ordinator finalises", desk, visit, []syncproto.Op{{Code: syncproto.OpFinalise}}, syncproto.CodeOK},
		{"a co-ordinator confirms", desk, visit, []syncproto.Op{confirm}, syncproto.CodeForbidden},
		{"the lead finalises", lead, visit, []syncproto.Op{{Code: syncproto.OpFinalise}}, syncproto.CodeForbidden},

		{"the lead settles a fact", lead, child, []syncproto.Op{on(syncproto.OpDecide, "seen_alone")}, syncproto.CodeOK},
		{"a co-worker settles a fact", co, child, []syncproto.Op{on(syncproto.OpDecide, "seen_alone")}, syncproto.CodeDeniedField},
		{"a person who is both settles a fact", twoHats, child, []syncproto.Op{on(syncproto.OpDecide, "seen_alone")}, syncproto.CodeOK},
		{"a manager settles a fact", manager, child, []syncproto.Op{on(syncproto.OpDecide, "seen_alone")}, syncproto.CodeOK},
		{"a manager writes a fact", manager, child, []syncproto.Op{on(syncproto.OpSet, "seen_alone")}, syncproto.CodeDeniedField},
		{"the lead removes a rule", lead, plan, []syncproto.Op{onElement(syncproto.OpRemove, "rules", "")}, syncproto.CodeOK},
		{"the lead agrees to the removal", lead, plan, []syncproto.Op{onElement(syncproto.OpDecide, "rules", "")}, syncproto.CodeDeniedField},
		{"a manager agrees to the removal", manager, plan, []syncproto.Op{onElement(syncproto.OpDecide, "rules", "")}, syncproto.CodeOK},
		{"the lead proposes bottom lines", lead, plan, []syncproto.Op{on(syncproto.OpSet, "bottom_lines")}, syncproto.CodeOK},
		{"the lead approves bottom lines", lead, plan, []syncproto.Op{on(syncproto.OpDecide, "bottom_lines")}, syncproto.CodeDeniedField},
		{"a manager approves bottom lines", manager, plan, []syncproto.Op{on(syncproto.OpDecide, "bottom_lines")}, syncproto.CodeOK},
		{"the lead edits a quote", lead, child, []syncproto.Op{onElement(syncproto.OpSet, "child_words", "quote")}, syncproto.CodeDeniedField},
		{"the lead adds a quote", lead, child, []syncproto.Op{onElement(syncproto.OpAdd, "child_words", "")}, syncproto.CodeOK},
		{"the lead writes in a colleague's slot", lead, visit, []syncproto.Op{inSlot(syncproto.OpSplice, "setting", another)}, syncproto.CodeDeniedField},
		{"the lead changes an allocation", lead, "allocation", []syncproto.Op{on(syncproto.OpSet, "role")}, syncproto.CodeDeniedField},
		{"a worker who wrote nothing confirms", co, visit, []syncproto.Op{confirm}, syncproto.CodeForbidden},
		{"a worker writes and confirms", co, visit, []syncproto.Op{place, confirm}, syncproto.CodeOK},
		{"an op of the future", lead, visit, []syncproto.Op{on(99, "place")}, syncproto.CodeDeniedField},
		{"an unknown kind", lead, "diary", []syncproto.Op{place}, syncproto.CodeNotEntitled},
	}
	for _, c := range cases {
		kind, _ := schema.Newest(c.kind)
		got := c.asker.MayChange(kind, change(c.kind, c.ops...))
		if got.Code != c.code || got.Allow != (c.code == syncproto.CodeOK) {
			t.Errorf("%s: %+v, want code %d", c.name, got, c.code)
		}
	}
}

func TestMayChangeImported(t *testing.T) {
	visit := kindOf(t, "visit")
	imported := change("visit", on(syncproto.OpSet, "place"))
	imported.Body.Capture = syncproto.CaptureImported
	typed := change("visit", on(syncproto.OpSet, "place"))
	anImport := Asker{Role: RoleImport}
	lead := Asker{Role: RolePractitioner, Bases: []Basis{BasisLead}}
	if d := anImport.MayChange(visit, imported); !d.Allow {
		t.Errorf("the import imports: %+v", d)
	}
	if d := anImport.MayChange(visit, typed); d.Allow {
		t.Errorf("the import types: %+v", d)
	}
	if d := lead.MayChange(visit, imported); d.Allow || d.Row != "not-an-import" {
		t.Errorf("a practitioner imports: %+v", d)
	}
	if d := anImport.MayRead("visit"); d.Allow {
		t.Errorf("the import reads: %+v", d)
	}
}

// TestSecondRoot: nobody becomes a record's author by adding a root to it, in
// whatever order the roots are looked at.
func TestSecondRoot(t *testing.T) {
	mine := change("visit_child", on(syncproto.OpSet, "seen"))
	mine.Body.Deps = nil
	again := change("visit_child", on(syncproto.OpSet, "awake"))
	again.Body.Deps = nil
	theirs := change("visit_child", on(syncproto.OpSet, "awake"))
	theirs.Body.Author, theirs.Body.Deps = another, nil
	for _, c := range []struct {
		name    string
		history []*syncproto.Change
		mine    Authorship
		theirs  Authorship
	}{
		{"one root", []*syncproto.Change{mine}, AuthorBegan, AuthorNot},
		{"two roots of one person", []*syncproto.Change{mine, again}, AuthorBegan, AuthorNot},
		{"two people's", []*syncproto.Change{mine, theirs}, AuthorWrote, AuthorWrote},
		{"the other way round", []*syncproto.Change{theirs, again, mine}, AuthorWrote, AuthorWrote},
	} {
		if got := AuthorshipOf(c.history, author); got != c.mine {
			t.Errorf("%s: the first is %d, want %d", c.name, got, c.mine)
		}
		if got := AuthorshipOf(c.history, another); got != c.theirs {
			t.Errorf("%s: the other is %d, want %d", c.name, got, c.theirs)
		}
	}
}

// TestAuthorship: a co-worker settles a judgement in a record they began, not in
// another's.
func TestAuthorship(t *testing.T) {
	child := kindOf(t, "visit_child")
	began := change("visit_child", on(syncproto.OpSet, "seen"))
	began.Body.Deps = nil
	wrote := change("visit_child", on(syncproto.OpSet, "awake"))
	wrote.Body.Author = another
	asked := change("visit_child", syncproto.Op{Code: syncproto.OpQuery, Text: "?"})
	asked.Body.Author = syncproto.UserID{3}
	history := []*syncproto.Change{began, wrote, asked}

	decide := change("visit_child", syncproto.Op{
		Code: syncproto.OpDecide, Path: syncproto.Path{Field: "analysis"}, Value: cbor.Text("x"), Reason: "agreed",
	})
	for _, c := range []struct {
		user syncproto.UserID
		want Authorship
		may  bool
	}{
		{author, AuthorBegan, true}, {another, AuthorWrote, false}, {syncproto.UserID{3}, AuthorNot, false}, {syncproto.UserID{4}, AuthorNot, false},
	} {
		got := AuthorshipOf(history, c.user)
		if got != c.want {
			t.Errorf("authorship of %v: %d, want %d", c.user[0], got, c.want)
		}
		asker := Asker{Role: RolePractitioner, Bases: []Basis{BasisCo}, Authorship: got}
		if d := asker.MayChange(child, decide); d.Allow != c.may {
			t.Errorf("a judgement decided by %v: %+v", c.user[0], d)
		}
		if d := asker.May("visit_child", Need{Action: ActionConfirm}); d.Allow != (got != AuthorNot) {
			t.Errorf("confirmed by %v: %+v", c.user[0], d)
		}
	}
}
