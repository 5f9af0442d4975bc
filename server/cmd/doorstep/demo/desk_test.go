package demo

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"doorstep/server/web/webtest"
	"doorstep/syncproto"
)

// as signs somebody in, whoever was signed in before.
func (s *stage) as(login string) {
	s.t.Helper()
	s.Open(s.url)
	if strings.Contains(s.Text(), "Sign out") {
		s.follow("Sign out")
	}
	s.Fill("Sign-in name", login)
	s.Fill("Password", pass)
	s.follow("Sign in")
	s.Sees("Sign out")
}

// follow presses what leads to another page, and waits for it.
func (s *stage) follow(words string) {
	s.t.Helper()
	webtest.Eval[bool](s.Browser, "window.leaving = true")
	s.Press(words)
	s.Until("the page after "+words+" is there", `!window.leaving && document.readyState === "complete"`)
}

// workingDay is the demo's borough when everybody is back from their visits and nothing
// was handed over yet, and a browser at a desk.
type workingDay struct {
	*stage
	*day
}

// newWorkingDay plays the day until then.
func newWorkingDay(t *testing.T) *day {
	t.Helper()
	d := &day{opts: Options{Caseload: example, Seed: 4}, out: newReport(io.Discard), folder: t.TempDir(), scripts: fewWords(t),
		staff: map[string]worker{}, desks: map[string]*browser{}}
	t.Cleanup(func() {
		if err := d.close(); err != nil {
			t.Errorf("stopping the borough: %v", err)
		}
	})
	for _, part := range []func(context.Context) error{d.setUp, d.handOutTablets, d.planVisit, d.joinVisit, d.takeOffCase, d.comeBack} {
		if err := errors.Join(part(t.Context()), d.out.finish()); err != nil {
			t.Fatal(err)
		}
	}
	return d
}

// TestTheDesk plays the demo's evening at the desk, in a browser and page by page; and
// then looks through the desk as everybody who works in the borough.
func TestTheDesk(t *testing.T) {
	d := newWorkingDay(t)
	b := webtest.Start(t, "lang=en-GB", "accept-lang=en-GB")
	at := func(t *testing.T) *workingDay {
		url := strings.Replace(d.scene.town.url, "127.0.0.1", "localhost", 1) + "/desk/"
		return &workingDay{&stage{Browser: b.For(t), t: t, url: url}, d}
	}
	t.Run("a coordinator takes the day to final", func(t *testing.T) { at(t).toFinal() })
	// By a clock that is ahead no tablet has been in touch for a day.
	if err := errors.Join(d.capture(), d.reopen(-26*time.Hour)); err != nil {
		t.Fatal(err)
	}
	t.Run("what is on a tablet alone", func(t *testing.T) { at(t).notHereYet() })
	if err := errors.Join(d.reopen(0), d.furnish(t.Context())); err != nil {
		t.Fatal(err)
	}
	if *pictures != "" { // with something to see in the plots
		if err := d.playPast(t.Context(), pastMonths); err != nil {
			t.Fatal(err)
		}
	}
	t.Run("a manager oversees", func(t *testing.T) { at(t).overseen() })
	t.Run("a form that is sent twice asks once", d.sentTwice)
	t.Run("nobody is shown what access denies", d.crawled)
	t.Run("every state and every refusal", func(t *testing.T) { at(t).everyStateAndRefusal() })
}

// goTo opens the page of the visit, or of a part of it.
func (w *workingDay) goTo(record syncproto.RecordID, more string) {
	w.t.Helper()
	w.Open(w.url + "records/" + record.String() + more)
}

// choose presses the radio button with these words.
func (s *stage) choose(words string) {
	s.t.Helper()
	s.Press(words)
}

// check holds a page to WCAG 2.2 AA: in the dark and on a narrow screen too where
// components are met first.
func (w *workingDay) check(name string) {
	w.t.Helper()
	if *pictures != "" || slices.Contains([]string{"desk-01-sign-in", "desk-08-prepare", "desk-11-refused", "desk-08-chasing", "desk-12-ask", "desk-27-after"}, name) {
		w.Scheme("dark")
		w.axe(name + ", dark")
		w.Scheme("light")
		defer w.narrow(name)
	}
	if *pictures != "" {
		w.keep(name + ".png")
	}
	w.axe(name)
}

func (w *workingDay) axe(name string) {
	w.t.Helper()
	for _, v := range w.Axe(appFolder) {
		w.t.Errorf("%s: %v", name, v)
	}
}

// toFinal is the way of the visit from captured to final, with every refusal on it, and
// what comes late after it. Every page keeps WCAG 2.2 AA.
func (w *workingDay) toFinal() {
	w.t.Helper()
	w.Open(w.url)
	w.check("desk-01-sign-in")
	w.handedOver()
	w.found()
	w.leftAlone()
	w.askedAbout()
	w.letIn()
	w.answered()
	w.sealed()
	w.afterwards()
}

// handedOver: the author hands over.
func (w *workingDay) handedOver() {
	w.t.Helper()
	w.as(amina)
	w.follow("Families")
	w.check("desk-05-families")
	w.follow("Pepperdine-Vale")
	w.Sees("Who must be seen by when")
	w.check("desk-06-family")
	w.follow("Child protection visit")
	w.Sees("Not handed over yet")
	w.follow("Hand over")
	w.follow("Hand over to the team")
	w.Sees("It is handed over to the team.")
}

// found: the coordinator finds it, and has it to herself.
func (w *workingDay) found() {
	w.t.Helper()
	w.as(grace)
	w.Sees("1 disagreement, 2 things not filled in, 1 confirmation")
	w.check("desk-07-queue")
	w.follow("Chasing list")
	w.check("desk-08-chasing")
	w.searches()
	w.follow("Queue")
	if got := webtest.Eval[string](w.Browser, "[...document.scripts].map(s => s.text + new URL(s.src).pathname).join()"); got != "/desk/live.js" {
		w.t.Errorf("the page has the scripts %q, want only the one that listens for news", got)
	}
	w.follow("Child protection visit")
	w.Sees("Seen alone: people differ")
	w.Sees("In force until somebody decides: No, because it is the safer")
	w.Sees("on the tablet")
	w.takenAndGivenBack()
	w.follow("Prepare this record")
	w.Sees("This record is yours to prepare.")
	if wide := webtest.Eval[int](w.Browser, `document.querySelector(".moj-alert__content").offsetWidth`); wide < 200 {
		w.t.Errorf("what was done is told in a column of %d pixels", wide)
	}
	w.check("desk-08-prepare")
	w.follow("Check and make final")
	w.Sees("It cannot be made final before all of this is dealt with.")
	w.check("desk-09-checklist")
}

// leftAlone: a colleague sees that she has it, and cannot do anything to it.
func (w *workingDay) leftAlone() {
	w.t.Helper()
	w.as("joel.hartnoll")
	w.follow("People differ")
	w.follow("Child protection visit")
	w.Sees("Grace Mbeki, until")
	w.check("desk-10-leased")
	w.goTo(w.visit, "/query")
	w.Fill("Your question", "Is anybody on this?")
	w.follow("Ask")
	w.Sees("Another coordinator is preparing this record.")
	if got := webtest.Eval[string](w.Browser, "document.querySelector('textarea').value"); got != "Is anybody on this?" {
		w.t.Errorf("what was refused is not in the form any more: %q", got)
	}
	w.check("desk-11-refused")
}

// askedAbout: she asks about one fact, proposes another, and puts the summary and a detail right.
func (w *workingDay) askedAbout() {
	w.t.Helper()
	w.as(grace)
	w.goTo(w.maya.part, "/query?field=seen_alone")
	w.Sees("Ask about: Seen alone")
	w.check("desk-12-ask")
	w.choose("Amina Warsame")
	w.Fill("Your question", "You write No, Tom writes Yes. Which is right?")
	w.follow("Ask")
	w.Sees("Your question was sent.")
	w.Sees("Open question about Seen alone")
	w.goTo(w.visit, "/propose?field=announced")
	w.choose("Announced")
	w.choose("Amina Warsame")
	w.Fill("Why", "Kat says on the phone that you had rung her.")
	w.check("desk-13-propose")
	w.follow("Propose")
	w.Sees("Your proposal was sent to its author.")
	w.goTo(w.visit, "/edit?field=household_summary")
	w.Fill("Summary of the visit", "Typed up: ")
	w.check("desk-14-edit")
	w.follow("Save")
	w.Sees("Saved. What it said before stays in the history.")
	w.Sees("Typed up: ")
	w.goTo(w.visit, "/edit?field=start")
	w.Sees("You may not do this.")
	w.check("desk-15-forbidden")
}

// letIn: the manager lets the note of a worker who was taken off the case in.
func (w *workingDay) letIn() {
	w.t.Helper()
	w.as(dilys)
	w.follow("Custody")
	w.check("desk-16-custody")
	w.follow("Child protection visit")
	w.Sees("Des was in the street again at seven")
	w.check("desk-17-words")
	w.follow("Let it into the record")
	w.Sees("The words are in the record.")
}

// answered: the author answers, agrees, decides, fills in, and stands by it.
func (w *workingDay) answered() {
	w.t.Helper()
	w.as(amina)
	w.follow("Child protection visit")
	w.Sees("Open proposal about Announced or not")
	w.answerAll()
	w.goTo(w.maya.part, "/decide?field=seen_alone")
	w.check("desk-18-decide")
	w.choose("No")
	w.Fill("Why", decideWhy)
	w.follow("Decide")
	w.Sees("It is decided.")
	w.goTo(w.visit, "/edit?field=end")
	webtest.Eval[bool](w.Browser, fmt.Sprintf("document.querySelector('#value').value = %q, true", w.minutesIn(75)))
	w.follow("Save")
	w.Sees("Saved.")
	w.goTo(w.jo.part, "/edit?field=analysis")
	w.Fill("What it means for this child", josAnalysis)
	w.follow("Save")
	w.Sees("Saved.")
	w.goTo(w.visit, "/confirm")
	w.Sees("You say as its author")
	w.check("desk-19-confirm")
	w.follow("I stand by it")
	w.Sees("You stand by the record as it is now.")
	w.Sees("Tom Okafor has not confirmed it.")
	w.as(tom) // who was on the visit too
	w.goTo(w.visit, "/confirm")
	w.follow("I stand by it")
	w.Sees("You stand by the record as it is now.")
}

// sealed: it is made final, once.
func (w *workingDay) sealed() {
	w.t.Helper()
	w.as(grace)
	w.follow("In preparation")
	w.follow("Child protection visit")
	w.follow("Check and make final")
	w.Sees("Nothing is left to do.")
	w.check("desk-20-finalise")
	w.follow("Make it final")
	w.Sees("It is final.")
	w.Sees("Made final by Grace Mbeki")
	w.goTo(w.visit, "/finalise")
	w.Sees("You may not do this.")
}

// takenAndGivenBack has a colleague take the record on, and give it back, while she looks
// at it: the page says so each time.
func (w *workingDay) takenAndGivenBack() {
	w.t.Helper()
	joel := w.reader(w.t, "joel.hartnoll")
	joel.press("/desk/records/"+w.visit.String(), "lease")
	w.hasChanged()
	w.follow("Show it as it is now")
	w.Sees("Joel Hartnoll, until")
	joel.press("/desk/records/"+w.visit.String(), "release")
	w.hasChanged()
	w.follow("Show it as it is now")
}

// hasChanged waits until the open page says that what it shows has changed.
func (w *workingDay) hasChanged() {
	w.t.Helper()
	w.Until("the page says that the record has changed", `!document.getElementById("live").hidden`)
}

// searches looks for words at the desk: for a name without its accent, for what nobody
// wrote, and for a word of a family that is not the coordinator's.
func (w *workingDay) searches() {
	w.t.Helper()
	w.follow("Search")
	w.check("desk-08-search")
	w.Fill("Words to look for", "pepper")
	w.follow("Find")
	w.Sees("Pepperdine-Vale")
	w.check("desk-08-found")
	if at := webtest.Eval[string](w.Browser, "location.href"); strings.Contains(at, "pepper") {
		w.t.Errorf("the words are in the address: %s", at)
	}
	w.Fill("Words to look for", "zzzz")
	w.follow("Find")
	w.Sees("Nothing that you may read has these words.")
}

// answerAll answers every open question on the page, and agrees to what is proposed.
func (w *workingDay) answerAll() {
	w.t.Helper()
	for n := 0; n < 2; n++ {
		w.goTo(w.visit, "")
		w.follow("Answer")
		if strings.Contains(w.Text(), "Proposed: ") {
			w.choose("Announced")
		}
		w.Fill("Your answer", "Kat stood in the doorway for most of it.")
		w.check("desk-17-answer")
		w.follow("Answer")
		w.Sees("Your answer was sent.")
	}
	if strings.Contains(w.Text(), "Open question") || strings.Contains(w.Text(), "Open proposal") {
		w.t.Error("a question is open after all were answered")
	}
}

// minutesIn is a time so many minutes after the visit began, as a form holds it.
func (w *workingDay) minutesIn(minutes int) string {
	w.t.Helper()
	v, err := w.tablet(amina).view(w.visit)
	if err != nil {
		w.t.Fatal(err)
	}
	start, _ := v.Field("start")
	ms, _ := start.Value.AsInt()
	london, err := time.LoadLocation("Europe/London")
	if err != nil {
		w.t.Fatal(err)
	}
	return time.UnixMilli(ms).Add(time.Duration(minutes) * time.Minute).In(london).Format("2006-01-02T15:04")
}

// afterwards is what comes after the record is final: a late edit, an addendum, a
// correction, a challenge.
func (w *workingDay) afterwards() {
	w.t.Helper()
	w.goTo(w.visit, "/addendum")
	w.Fill("What is to be added", "Half a sen")
	late := w.tablet(tom)
	late.wire.offline.Store(true) // he has not heard of the seal
	_, err := late.edit(w.family, w.visit, "visit", late.add("worker_raw_note", textPart("kind", "TEXT"), textPart("text", lateWords)))
	late.wire.offline.Store(false)
	if err == nil {
		_, err = late.sync(w.t.Context())
	}
	if err != nil {
		w.t.Fatal(err)
	}
	w.hasChanged()
	w.Sees("What you typed is still here")
	if got := webtest.Eval[string](w.Browser, "document.querySelector('textarea').value"); got != "Half a sen" {
		w.t.Errorf("what was typed is %q when the record changes", got)
	}
	w.check("desk-21-changed")
	w.Open(w.url)
	w.follow("Late entries")
	w.Sees("1 late entry")
	w.check("desk-21-late")
	w.follow("Child protection visit")
	w.Sees(lateWords)
	w.check("desk-22-final")
	w.follow("Take it on as an addendum")
	w.check("desk-23-take-on")
	w.follow("Take it on as an addendum")
	w.Sees("The late entry was taken on.")
	w.goTo(w.visit, "/addendum")
	w.Fill("What is to be added", "Nan rang: she can still do Sundays.")
	w.Fill("Why it comes now", "She rang after the visit was final.")
	w.check("desk-24-addendum")
	w.follow("Add")
	w.Sees("Nan rang: she can still do Sundays.")
	w.goTo(w.visit, "/correct?field=planned")
	webtest.Eval[bool](w.Browser, fmt.Sprintf("document.querySelector('#value').value = %q, true", w.minutesIn(5)))
	w.Fill("Why", "The planned time was typed wrong.")
	w.check("desk-25-correct")
	w.follow("Correct")
	w.Sees("The final record says:")
	w.as(amina)
	w.goTo(w.maya.part, "/correct?field=child")
	w.Sees("Correct: Child")
	webtest.Eval[bool](w.Browser, fmt.Sprintf("document.querySelector('#value').value = %q, true", w.jo.id))
	w.Fill("Why", "What is written here was Jo.")
	w.check("desk-25-wrong-child")
	w.follow("Correct")
	w.Sees("What is written here was Jo.")
	w.goTo(w.visit, "/rectify")
	w.Fill("Who challenges it", "Katrin Pepperdine")
	w.Fill("What they say", "I was not late. I was at the door.")
	w.check("desk-26-challenge")
	w.follow("Keep it with the record")
	w.Sees("Katrin Pepperdine challenges the record: not upheld")
	w.check("desk-27-after")
	w.goTo(w.visit, "/history")
	w.Sees("Made final")
	w.Sees("Who wrote what")
	w.check("desk-28-history")
}

// onlyThere is what stands on Tom's tablet alone.
const onlyThere = "Sahra showed me the letter about the flat."

// capture has Tom take a visit down, and not send it.
func (d *day) capture() error {
	t := d.tablet(tom)
	sheet, err := t.find("family", func(v *syncproto.View) bool { return strings.HasPrefix(textOf(v, "name"), "Cali") })
	if err != nil {
		return err
	}
	o := outing{visitType: "CIN", outcome: "COMPLETED", ago: time.Hour, summary: onlyThere}
	_, err = t.edit(sheet.Family, syncproto.RecordID(t.chance.draw()), "visit", o.ops(t)...)
	return err
}

// notHereYet has a coordinator see which tablets have not been in touch, and whose they
// are. What was captured on one is nowhere at the desk until it is.
func (w *workingDay) notHereYet() {
	w.t.Helper()
	row := func() string {
		return webtest.Eval[string](w.Browser, `[...document.querySelectorAll("tr")].find((r) => r.textContent.includes("Tom Okafor's tablet"))?.textContent ?? ""`)
	}
	found := func(want string) {
		w.t.Helper()
		w.follow("Search")
		w.Fill("Words to look for", "letter flat")
		w.follow("Find")
		w.Sees(want)
	}
	w.as(grace)
	w.follow("Chasing list")
	w.Sees("Tablets that have not been in touch for a day")
	if said := row(); !strings.Contains(said, "Overdue") {
		w.t.Errorf("the tablet's row says %q", said)
	}
	w.check("desk-29-not-here-yet")
	found("Nothing that you may read has these words.")
	if _, err := w.tablet(tom).sync(w.t.Context()); err != nil {
		w.t.Fatal(err)
	}
	found("Child in need visit of")
}

// overseen has a manager look at what waits for her, and at the figures, with a file that
// was opened in an emergency to review. Every page keeps WCAG 2.2 AA.
func (w *workingDay) overseen() {
	w.t.Helper()
	w.as("owen.pryce") // out of hours
	w.Open(w.url + "emergency")
	w.Fill("The family's number in the case-management system", "F-1002")
	w.choose("A call out of hours")
	w.Fill("What happened", "A neighbour rang at two in the night.")
	w.check("desk-30-emergency")
	w.follow("Open the file")
	w.Sees("The file is open to you for eight hours.")
	w.as(dilys)
	w.follow("Oversight")
	w.Sees("A neighbour rang at two in the night.")
	w.check("desk-31-oversight")
	w.choose("Justified")
	w.Fill("In words", "It was right to look.")
	w.follow("Close it with this review")
	w.Sees("It is reviewed and closed.")
	for words, name := range map[string]string{"Time given back": "desk-32-time", "What the case-management system has not got yet": "desk-33-delivery", "What came from the case-management system": "desk-34-imports"} {
		w.Open(w.url + "oversight")
		w.follow(words)
		w.check(name)
	}
}
