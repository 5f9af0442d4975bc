package demo

import (
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
	"time"

	"doorstep/client-sdk/engine"
	"doorstep/server/web/webtest"
	"doorstep/syncproto"
	"doorstep/syncproto/cbor"
)

// standing is a record that waits for what a table does with it, with its one child's part.
type standing struct{ visit, part syncproto.RecordID }

// borders are records in every state, which nobody but the tables works on.
type borders struct {
	*workingDay
	records map[string]standing
	family  syncproto.FamilyID // Żółkiewska's
	of      map[string]bool    // acts that were refused something
	checked map[string]bool    // pages that were held to WCAG
}

// everyState are the states of the code, and where a person sees each.
var everyState = map[string]struct{ record, tag string }{
	"handed_over":    {"handed", "Handed over"},
	"in_preparation": {"taken", "In preparation"},
	"conflict":       {"differing", "People differ"},
	"query":          {"asked", "Question to the author"},
	"confirmed":      {"confirmed", "Ready to finalise"},
	"final":          {"final", "Final"},
}

// notAtTheDesk are reasons that no page of the desk can come to, and why.
var notAtTheDesk = map[string]string{
	"CodeBadValue: The question is not about one field.":          "the form has no value then",
	"CodeNotFound: There is no such question on this record.":     "an address that names none is not found",
	"CodeNotFound: No such change came late to this record.":      "an address that names none is not found",
	"CodeUnknownField: Name one field, or one part of an entry.":  "an address that names none is not found",
	"CodeStaleHeads: The final version says something else here.": "the form's old value is the final version's",
	"CodeHeldChanges: A change sent on … waits: ":                 "the demo's tablets send in order; the tests of package finalise hold one back",
	"CodeHeldChanges: ": "the demo's tablets are no newer than its server; the tests of package finalise have one",
}

// refused is one thing that is asked for at the desk, and what is said to it. Without an
// act it stands on the page of the record.
type refused struct {
	reason string // as reasonsInCode has it; empty: only the desk's own
	login  string
	record string // of borders.records; the visit, unless part
	part   bool
	family bool // the form is about the family, not about a record
	act    string
	form   func(b *borders) url.Values
	want   string
}

func filled(pairs ...string) func(*borders) url.Values {
	return func(*borders) url.Values { return values(pairs...) }
}

func values(pairs ...string) url.Values {
	out := url.Values{}
	for i := 0; i < len(pairs); i += 2 {
		out.Add(pairs[i], pairs[i+1])
	}
	return out
}

// nowhere is a version that no record has.
var nowhere = strings.Repeat("ab", 32)

// whole names versions of records, as the forms do.
func whole(names ...string) func(*borders) url.Values {
	return func(b *borders) url.Values {
		out := url.Values{}
		for _, name := range names {
			name, stale := strings.CutSuffix(name, " before")
			name, part := strings.CutSuffix(name, "'s part")
			record := b.records[name].visit
			if part {
				record = b.records[name].part
			}
			heads := b.heads(record)
			if stale {
				heads = nowhere
			}
			out.Add("heads", record.String()+":"+heads)
		}
		return out
	}
}

// on is a form that was written on the newest version of a record.
func on(name string, pairs ...string) func(*borders) url.Values {
	return func(b *borders) url.Values {
		out := values(pairs...)
		out.Set("seen", b.heads(b.records[name].visit))
		return out
	}
}

// typeUp is a form that begins a visit at the desk, with one answer that is not right.
func typeUp(key, value string) func(*borders) url.Values {
	return func(b *borders) url.Values {
		out := values("kind", "visit", "for", b.user(amina), "capture", "pen", "source", "Her notebook")
		out.Set(key, value)
		return out
	}
}

// standIn is the form that confirms in somebody's place.
func standIn(name, login, why string) func(*borders) url.Values {
	return func(b *borders) url.Values {
		record := b.records[name].visit
		return values("for", b.user(login), "reason", why, "heads", record.String()+":"+b.heads(record))
	}
}

// misfile is the form that moves a record to the Pepperdines' file. Who is named as its
// child there is the child of the wrong family.
func misfile(named bool) func(*borders) url.Values {
	return func(b *borders) url.Values {
		out, child := values("to", b.day.family.String(), "reason", "One surname."), b.records["person"].visit.String()
		if named {
			out.Set("person-"+child, child)
		}
		return out
	}
}

var everyRefusal = []refused{
	// What keeps a record from being final, on its page.
	{reason: "CodeNotHandedOver: ", login: amina, record: "draft", want: syncproto.CodeNotHandedOver.Plain()},
	{reason: "CodeOpenConflict: : two people differ, and nobody has decided.", login: amina, record: "differing", want: "two people differ, and nobody has decided."},
	{reason: "CodeUnreadOverlap: : two people changed the same sentence apart, and nobody has read what became of it.", login: amina, record: "differing", want: "two people changed the same sentence apart, and nobody has read what became of it."},
	{reason: "CodeOpenQuery: A question to the author, asked on …, has no answer.", login: amina, record: "asked", want: "has no answer."},
	{reason: "CodeUnreviewed: : a transcript that nobody has read and confirmed.", login: amina, record: "transcribed", want: "a transcript that nobody has read and confirmed."},
	{reason: "CodeMissingField: ", login: amina, record: "transcribed", want: "Why it did not take place: "},
	{reason: "CodeBadValue: The borough does not know this worker as a registered social worker: put the profession right, or have the registration entered.", login: amina, record: "transcribed", want: "The borough does not know this worker as a registered social worker"},
	{reason: "CodeNotConfirmed: ", login: amina, record: "changed", want: "It was changed after the author confirmed it: it must be confirmed again."},
	{reason: "CodeHeldChanges: The visit that this is a part of has not arrived yet.", login: amina, record: "orphan", want: "The visit that this is a part of has not arrived yet."},

	// What the author is told.
	{reason: "CodeForbidden: Records of this kind are never made final.", login: amina, record: "person", act: "hand-over", form: filled(), want: "Records of this kind are never made final."},
	{reason: "CodeStaleHeads: This … belongs to it too, and was not looked at.", login: amina, record: "handed", act: "confirm", form: whole("handed"), want: "belongs to it too, and was not looked at."},
	{reason: "CodeStaleHeads: ", login: amina, record: "handed", act: "confirm", form: whole("handed before", "handed's part"), want: syncproto.CodeStaleHeads.Plain()},
	{reason: "CodeStaleHeads: This is not sealed together with it.", login: amina, record: "handed", act: "confirm", form: whole("handed", "handed's part", "asked"), want: "This is not sealed together with it."},
	{reason: "CodeBadOp: The record is not final yet: change the record itself.", login: amina, record: "handed", act: "addendum", form: filled("text", "More"), want: "The record is not final yet: change the record itself."},
	{reason: "CodeFinal: ", login: amina, record: "final", act: "hand-over", form: filled(), want: syncproto.CodeFinal.Plain()},
	{reason: "CodeNotFound: There is no disagreement here: it may have been decided already.", login: amina, record: "handed", act: "read?field=household_summary", form: on("handed", "reason", "Read."), want: "There is no disagreement here: it may have been decided already."},
	{reason: "CodeStaleHeads: ", login: amina, record: "differing", act: "decide?field=announced", form: filled("seen", nowhere, "side", "0", "reason", "So it was."), want: syncproto.CodeStaleHeads.Plain()},
	{reason: "CodeBadValue: ", login: amina, record: "differing", act: "decide?field=announced", form: on("differing", "side", "7", "reason", "So it was."), want: syncproto.CodeBadValue.Plain()},
	{reason: "CodeBadValue: ", login: amina, record: "handed", act: "edit?field=announced", form: on("handed", "value", "PERHAPS"), want: syncproto.CodeBadValue.Plain()},
	{login: amina, record: "handed", act: "answer?query=" + strings.Repeat("ab", 32), form: filled("text", "Yes."), want: syncproto.CodeNotFound.Plain()},
	{login: amina, record: "final", act: "accept-late?change=" + strings.Repeat("ab", 32), form: filled(), want: syncproto.CodeNotFound.Plain()},
	{login: amina, record: "handed", act: "edit?field=nothing", form: filled(), want: syncproto.CodeNotFound.Plain()},
	{reason: "CodeBadValue: Write at least a few words.", login: amina, record: "final", act: "rectify", form: filled("who", "Aga", "says", " ", "outcome", "no"), want: "Write at least a few words."},
	{reason: "CodeBadValue: ", login: amina, record: "final", act: "correct?field=announced", form: filled("value", "ANNOUNCED", "reason", "Typed wrong."), want: syncproto.CodeBadValue.Plain()},

	{reason: "CodeBadValue: That person is not a co-ordinator of the family's team.", login: amina, record: "draft", act: "hand-over", form: func(b *borders) url.Values { return values("to", b.user(tom)) }, want: "That person is not a co-ordinator of the family's team."},
	{reason: "CodeBadValue: Choose one of the sides: only who may write the field may state something else.", login: dilys, record: "differing", act: "decide?field=announced", form: on("differing", "side", "other", "value", "", "reason", "I rang her."), want: "Choose one of the sides"},

	// What a coordinator is told who types up what others wrote.
	{reason: "CodeBadValue: Say what it is typed up from.", login: grace, record: "typed", family: true, act: "type-up", form: typeUp("source", " "), want: "Say what it is typed up from."},
	{reason: "CodeBadValue: Say how the words were taken.", login: grace, record: "typed", family: true, act: "type-up", form: typeUp("capture", ""), want: "Say how the words were taken."},
	{reason: "CodeBadValue: That person does not work with the family, and could not confirm it.", login: grace, record: "typed", family: true, act: "type-up", form: typeUp("for", nowhere[:32]), want: "That person does not work with the family, and could not confirm it."},
	{reason: "CodeBadOp: Records of this kind do not begin at the desk.", login: grace, record: "typed", family: true, act: "type-up", form: typeUp("kind", "visit_child"), want: "Records of this kind do not begin at the desk."},
	{reason: "CodeBadValue: That is no child of this family.", login: grace, record: "typed", family: true, act: "type-up", form: typeUp("child", nowhere[:32]), want: "That is no child of this family."},
	{login: grace, record: "typed", act: "fill", form: on("typed"), want: "That is what it says already."},
	{login: grace, record: "typed", act: "entries?field=attendees", form: on("typed"), want: "That is what it says already."},

	{reason: "CodeUnknownField: ", login: grace, record: "typed", act: "entries?field=discussed", form: on("typed", "n0-name", "The nurse"), want: syncproto.CodeUnknownField.Plain()},
	{reason: "CodeBadValue: : ", login: grace, record: "typed", act: "entries?field=attendees", form: on("typed", "n0-name", "The nurse", "n0-role", "PERHAPS"), want: "Profession: Choose one of the answers in the list."},

	// What a manager is told who would stand in for somebody.
	{reason: "CodeBadValue: That person still works with the family: ask them.", login: dilys, record: "typed", act: "stand-in", form: standIn("typed", amina, "She left."), want: "That person still works with the family: ask them."},
	{reason: "CodeBadValue: Say why you confirm it in their place.", login: dilys, record: "typed", act: "stand-in", form: standIn("typed", amina, " "), want: "Say why you confirm it in their place."},
	{reason: "CodeBadValue: Nobody waits for that person's confirmation.", login: dilys, record: "typed", act: "stand-in", form: standIn("typed", tom, "He left."), want: "Nobody waits for that person's confirmation."},

	// What a manager is told who would move a record to another file.
	{reason: "CodeBadValue: Say whose file it belongs in.", login: dilys, record: "handed", act: "misfile", form: filled("reason", "One surname."), want: "Say whose file it belongs in."},
	{reason: "CodeBadValue: You may not read that family's file: somebody who may read both has to move it.", login: dilys, record: "handed", act: "misfile", form: filled("to", nowhere[:32], "reason", "One surname."), want: "You may not read that family's file: somebody who may read both has to move it."},
	{reason: "CodeBadValue: That is nobody of the right family.", login: dilys, record: "handed", act: "misfile", form: misfile(true), want: "That is nobody of the right family."},
	{reason: "CodeBadValue: Say who of the right family it is about.", login: dilys, record: "handed", act: "misfile", form: misfile(false), want: "Say who of the right family it is about."},
	{reason: "CodeBadOp: What this is a part of is not here, and it is moved with that.", login: dilys, record: "orphan", act: "misfile", form: misfile(true), want: "What this is a part of is not here, and it is moved with that."},

	// What a coordinator is told.
	{reason: "CodeNotConfirmed: ", login: grace, record: "handed", want: "The author has not confirmed it."},
	{reason: "CodeNotConfirmed: ", login: grace, record: "handed", act: "finalise", form: whole("handed", "handed's part"), want: "The author has not confirmed it."},
	{reason: "CodeBadValue: Write at least a few words.", login: grace, record: "handed", act: "query", form: func(b *borders) url.Values { return values("to", b.user(amina), "text", " ") }, want: "Write at least a few words."},
	{reason: "CodeTooLarge: ", login: grace, record: "handed", act: "query", form: func(b *borders) url.Values {
		return values("to", b.user(amina), "text", strings.Repeat("word ", 14_000))
	}, want: syncproto.CodeTooLarge.Plain()},
	{reason: "CodeBadValue: That person has nothing to do with the family, and would not see the question.", login: grace, record: "handed", act: "query", form: func(b *borders) url.Values { return values("to", b.user(rhys), "text", "Were you there?") }, want: "That person has nothing to do with the family, and would not see the question."},
	{reason: "CodeBadValue: ", login: grace, record: "handed", act: "propose?field=announced", form: func(b *borders) url.Values {
		out := on("handed", "value", "PERHAPS", "reason", "She says so.")(b)
		out.Set("to", b.user(amina))
		return out
	}, want: syncproto.CodeBadValue.Plain()},
	{reason: "CodeLeased: ", login: grace, record: "taken", act: "query", form: func(b *borders) url.Values { return values("to", b.user(amina), "text", "Were you there?") }, want: syncproto.CodeLeased.Plain()},
	{reason: "CodeBadValue: That is what it says already.", login: grace, record: "handed", act: "edit?field=household_summary", form: on("handed", "value", "All went to plan."), want: "That is what it says already."},
	{reason: "CodeMissingDeps: ", login: grace, record: "handed", act: "edit?field=household_summary", form: filled("seen", nowhere, "value", "Another summary."), want: syncproto.CodeMissingDeps.Plain()},
	{reason: "Code: You may not do this: ….", login: grace, record: "handed", act: "edit?field=announced", form: on("handed", "value", "UNANNOUNCED"), want: "You may not do this: "},
}

// everyStateAndRefusal looks at a record in each state, and asks for what is refused, in
// one browser. A state, a reason or a form that is new has no row yet, and fails it.
func (w *workingDay) everyStateAndRefusal() {
	b := w.borders()
	inTable, reasons := map[string]bool{}, map[string]bool{}
	for state := range everyState {
		inTable[state] = true
	}
	for reason := range notAtTheDesk {
		reasons[reason] = true
	}
	slices.SortStableFunc(everyRefusal, func(x, y refused) int { return strings.Compare(x.login, y.login) })
	for i := range everyRefusal {
		if r := &everyRefusal[i]; r.reason != "" {
			reasons[r.reason] = true
		}
	}
	same(w.t, "states", statesInCode(w.t), inTable)
	same(w.t, "reasons", reasonsInCode(w.t), reasons)
	b.states()
	b.refusals()
	same(w.t, "forms", actsInCode(w.t), b.of)
	b.misfiled()
}

// misfiled has a manager move a visit to the Pepperdines out of another family's file. Its
// words stand in the right one, in the words of whoever wrote it, and nowhere in the other.
func (b *borders) misfiled() {
	const said = "The lodger plays the bassoon."
	wrong := b.records["misfiled"]
	b.as(grace) // who reads it where it is
	b.goTo(wrong.visit, "")
	b.as(dilys)
	b.goTo(wrong.visit, "")
	b.Sees(said)
	b.follow("In the wrong file")
	b.wcag("whose file a record belongs in")
	b.Choose("Whose file it belongs in", "Pepperdine-Vale")
	b.follow("Go on")
	b.Sees("It is a draft there, in the team's queue. Amina Warsame has to confirm that it is right there")
	b.Sees("Who has read it in the wrong file, by the access log.")
	b.Sees("Grace Mbeki")
	b.wcag("what a move comes to")
	b.Choose("Who is meant by Zuzia", "Maya")
	b.Fill("How it came into the wrong file", "Two visits on one afternoon.")
	b.follow("Move it")
	b.Sees("It is moved. Nobody reads it in the wrong file any more")
	became := webtest.Eval[string](b.Browser, "location.pathname.split('/').pop()")
	b.Sees("Two visits on one afternoon.")
	b.Sees(said)
	b.wcag("a record that was moved")
	b.follow("As it was first written")
	b.Sees(said)
	b.Sees("This is what it said in the wrong file")
	b.wcag("a record as it was first written")

	b.goTo(wrong.visit, "")
	b.Sees("This record was moved to another family's file")
	b.Open(b.url + "families/" + b.family.String())
	b.Sees("Moved out of this file")
	b.Sees("Visit, moved to another family's file by Dilys")
	b.wcag("a file that something was moved out of")
	b.as(amina)
	b.Open(b.url + "search")
	b.Fill("Words to look for", "bassoon")
	b.follow("Find")
	found := func(id string) bool {
		return webtest.Eval[bool](b.Browser, fmt.Sprintf("Boolean(document.querySelector('a[href*=%q]'))", id))
	}
	if !found(became) || found(wrong.visit.String()) {
		b.t.Errorf("a search for its words finds another file's record, or none:\n%s", b.Text())
	}
	b.goTo(wrong.visit, "")
	b.Sees("This record was moved to another family's file")
	if strings.Contains(b.Text(), said) {
		b.t.Error("the wrong file still shows its words")
	}
	_, err := b.tablet(amina).sync(b.t.Context())
	b.must(err)
	if v, err := b.tablet(amina).view(wrong.visit); err == nil {
		b.t.Errorf("the tablet still shows the record: %s", textOf(v, "household_summary"))
	}
}

// borders makes the records.
func (w *workingDay) borders() *borders {
	b := &borders{workingDay: w, records: map[string]standing{}, of: map[string]bool{}, checked: map[string]bool{}}
	simple := outing{login: amina, family: "Żółkiewska", child: "Zuzia", visitType: "CIN", outcome: "COMPLETED", ago: 20 * time.Hour, handedOver: true,
		summary: "All went to plan.", analysis: "Zuzia, you showed me your room."}
	play := func(name string, change func(o *outing)) {
		o := simple
		change(&o)
		visit, err := w.goOn(w.t.Context(), &o)
		b.must(err)
		b.records[name] = standing{visit: visit}
	}
	play("draft", func(o *outing) { o.handedOver = false })
	play("handed", func(*outing) {})
	play("taken", func(*outing) {})
	play("asked", func(o *outing) { o.question = "Was it warm?" })
	play("confirmed", func(o *outing) { o.confirmed = true })
	play("changed", func(o *outing) { o.confirmed = true })
	play("final", func(o *outing) { o.confirmed, o.final = true, true })
	play("transcribed", func(o *outing) { o.analysis = "" })
	play("misfiled", func(o *outing) { o.summary = "The lodger plays the bassoon." })
	play("differing", func(o *outing) { o.family, o.child = "Pepperdine", "Maya" })
	b.furnishBorders()
	for name, s := range b.records {
		if v, err := w.tablet(amina).view(s.visit); err == nil && v.Kind == "visit" {
			b.records[name] = standing{s.visit, b.partOf(s.visit)}
		}
	}
	return b
}

// furnishBorders writes what the outings do not.
func (b *borders) furnishBorders() {
	t, second := b.tablet(amina), b.tablet(tom)
	person, err := t.find("person", func(v *syncproto.View) bool { return strings.HasPrefix(textOf(v, "known_as"), "Zuzia") })
	b.must(err)
	b.family, b.records["person"] = person.Family, standing{visit: person.Record}
	gone := syncproto.RecordID(t.chance.draw())
	orphan := syncproto.PartID(gone, person.Record)
	b.records["orphan"] = standing{visit: orphan}
	_, err = t.edit(person.Family, orphan, "visit_child", setRef("visit", gone), setRef("child", person.Record))
	b.must(err)
	grace := syncproto.UserID(b.id(b.user(grace)))
	_, err = t.device.Edit(engine.Edit{Record: b.records["transcribed"].visit, Capture: syncproto.CaptureTranscribed, Ops: []syncproto.Op{
		set("outcome", "NO_REPLY"), t.add("workers", refPart("worker", grace), textPart("role", "SW"))}})
	b.must(err)
	_, err = t.edit(b.family, b.records["changed"].visit, "visit", set("announced", "UNANNOUNCED"))
	b.must(err)
	b.sync(t, second)
	differing := b.records["differing"].visit
	for who, value := range map[*tablet]string{t: "ANNOUNCED", second: "UNANNOUNCED"} {
		_, err = who.edit(b.day.family, differing, "visit", set("announced", value), rewrite("household_summary", "All went to plan.", "went", "went "+strings.ToLower(value)+" and"))
		b.must(err)
	}
	b.sync(t, second, t)
	typist, err := b.desk(b.t.Context(), "grace.mbeki")
	b.must(err)
	var begun struct{ Record string }
	_, err = typist.call(b.t.Context(), "POST", "/v1/families/"+b.family.String()+"/type-up", map[string]string{
		"kind": "minutes", "for": b.user(amina), "source": "Notes of the core group", "capture": "typed"}, &begun)
	b.must(err)
	b.records["typed"] = standing{visit: syncproto.RecordID(b.id(begun.Record))}
	joel := b.reader(b.t, "joel.hartnoll")
	joel.press("/desk/records/"+b.records["taken"].visit.String(), "lease")
}

func (b *borders) sync(all ...*tablet) {
	b.t.Helper()
	for _, t := range all {
		_, err := t.sync(b.t.Context())
		b.must(err)
	}
}

func (b *borders) must(err error) {
	b.t.Helper()
	if err != nil {
		b.t.Fatal(err)
	}
}

func (b *borders) id(text string) syncproto.ID {
	b.t.Helper()
	id, err := syncproto.ParseID(text)
	b.must(err)
	return id
}

// partOf is the child's part of a visit.
func (b *borders) partOf(visit syncproto.RecordID) syncproto.RecordID {
	b.t.Helper()
	part, err := b.tablet(amina).find("visit_child", func(v *syncproto.View) bool {
		f, _ := v.Field("visit")
		return f.Value.Equal(cbor.Bytes(visit[:]))
	})
	b.must(err)
	return part.Record
}

// user is somebody's id.
func (b *borders) user(login string) string {
	b.t.Helper()
	if t := b.tablet(login); t != nil {
		return t.device.Identity().User.String()
	}
	accounts, err := b.scene.town.operator.Users(b.t.Context())
	b.must(err)
	for _, a := range accounts {
		if a.Login == login {
			return a.ID
		}
	}
	b.t.Fatalf("there is no %s", login)
	return ""
}

// heads is the version of a record as it stands, as the forms write it.
func (b *borders) heads(record syncproto.RecordID) string {
	b.t.Helper()
	desk, err := b.desk(b.t.Context(), amina)
	b.must(err)
	p, err := desk.read(b.t.Context(), record)
	b.must(err)
	return strings.Join(p.Heads, "-")
}

// states finds each in the queue and on the record's own page.
func (b *borders) states() {
	b.as(grace)
	for _, state := range slices.Sorted(maps.Keys(everyState)) {
		want := everyState[state]
		record := b.records[want.record].visit
		if state != "final" {
			b.Open(b.url + "?state=" + state)
			if !strings.Contains(b.Text(), want.tag) || !webtest.Eval[bool](b.Browser, fmt.Sprintf("Boolean(document.querySelector('a[href*=%q]'))", record)) {
				b.t.Errorf("the queue has no record that is %q:\n%s", want.tag, b.Text())
			}
			b.wcag("the queue by state")
		}
		b.goTo(record, "")
		if tags := webtest.Eval[string](b.Browser, "[...document.querySelectorAll('.govuk-tag')].map((e) => e.textContent.trim()).join()"); !strings.Contains(tags, want.tag) {
			b.t.Errorf("the record's tags are %s, want %s", tags, want.tag)
		}
		b.wcag("a record that is " + state)
	}
}

// refusals asks for everything in the table.
func (b *borders) refusals() {
	signedIn := ""
	for i := range everyRefusal {
		r := &everyRefusal[i]
		if r.login != signedIn {
			b.as(r.login)
			signedIn = r.login
		}
		record := b.records[r.record].visit
		if r.part {
			record = b.records[r.record].part
		}
		if r.act == "" {
			b.goTo(record, "")
		} else {
			address := "/desk/records/" + record.String()
			if r.family {
				address = "/desk/families/" + b.family.String()
			}
			b.sendFrom(address+"/"+r.act, r.form(b))
			if act, _, _ := strings.Cut(r.act, "?"); !r.family {
				b.of[act] = true
			}
		}
		if text := b.Text(); !strings.Contains(text, r.want) {
			b.t.Errorf("%s, record %s, %s: the page does not say %q:\n%s", r.login, r.record, r.act, r.want, text)
		}
		b.wcag(r.act + " that is refused")
	}
}

// sendFrom sends a form as a page of the desk does, whatever the page's own form lets a
// person choose.
func (b *borders) sendFrom(address string, form url.Values) {
	b.t.Helper()
	script := fmt.Sprintf(`(() => {
		window.leaving = true;
		const form = Object.assign(document.createElement("form"), {method: "post", action: %q});
		const add = (name, value) => form.append(Object.assign(document.createElement("textarea"), {name, value}));
		add("form_token", document.querySelector("[name=form_token]").value);
		for (const [name, value] of new URLSearchParams(%q)) add(name, value);
		document.body.append(form);
		return form;
	})()`, address, form.Encode())
	b.Submit(script)
	b.Until("an answer to "+address, `!window.leaving && document.readyState === "complete"`)
}

// wcag holds the first page of each sort to WCAG 2.2 AA.
func (b *borders) wcag(sort string) {
	b.t.Helper()
	if b.checked[sort] {
		return
	}
	b.checked[sort] = true
	for _, v := range b.Axe(appFolder) {
		b.t.Errorf("%s: %v", sort, v)
	}
}
