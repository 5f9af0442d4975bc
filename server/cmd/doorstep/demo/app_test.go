package demo

import (
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/chromedp/chromedp"

	"doorstep/server/web/webtest"
)

var pictures = flag.String("pictures", "", "folder to put pictures of the app's main screens in")

// appFolder is where the app's source and its tools lie.
const appFolder = "../../../web"

// stage is the demo's borough after its day, and a browser before it.
type stage struct {
	*webtest.Browser
	t    *testing.T
	url  string // of the app
	code string // an enrolment code of amina's
	stop func() // ends the server

	looked map[string]bool // states that are met often, and were looked at
}

// newStage plays a day and keeps the borough running until the test ends.
func newStage(t *testing.T) *stage {
	t.Helper()
	b := webtest.Start(t, "lang=en-GB", "accept-lang=en-GB")
	ctx, stop := context.WithCancel(context.Background())
	out := &waiter{want: "Stop with Ctrl-C", found: make(chan struct{})}
	done := make(chan error, 1)
	scripts, folder := fewWords(t), t.TempDir()
	go func() {
		done <- run(ctx, Options{Caseload: example, Folder: folder, Serve: true, Seed: 4, bare: true}, scripts, out)
	}()
	end := sync.OnceFunc(func() {
		stop()
		if err := <-done; err != nil {
			t.Errorf("stopping the borough: %v", err)
		}
	})
	t.Cleanup(end)
	select {
	case err := <-done:
		done <- nil
		t.Fatalf("the day ended by itself: %v\n%s", err, out.String())
	case <-out.found:
	}
	find := func(pattern string) string {
		found := regexp.MustCompile(pattern).FindStringSubmatch(out.String())
		if found == nil {
			t.Fatalf("the report does not say %s", pattern)
		}
		return found[1]
	}
	return &stage{Browser: b, t: t, url: find(`(http://localhost:\d+/app/)`), code: find(`enrolment code ([A-Z0-9-]+)`), stop: end, looked: map[string]bool{}}
}

// enrol sets the tablet up as amina's.
func (s *stage) enrol() {
	s.t.Helper()
	s.Open(s.url)
	s.Sees("Set up this tablet")
	s.look("01-set-up")
	s.Fill("Sign-in name", amina)
	s.Fill("Password", pass)
	s.Fill("Enrolment code", s.code)
	s.Fill("Choose a PIN", "246810")
	s.Press("Set up")
	s.Until("every family is there", `document.querySelectorAll(".card__title").length >= 2 && !document.body.innerText.includes("Opening")`)
}

// look holds a screen, as it stands, to WCAG 2.2 AA in light and dark and to a narrow
// window, and keeps pictures of it where that is asked for.
func (s *stage) look(name string) {
	s.t.Helper()
	s.KeepsWCAG(appFolder, name)
	if *pictures != "" {
		s.keep(name + ".png")
	}
	if *pictures != "" && (name == "02-today" || name == "07-visit") {
		s.Scheme("dark")
		s.keep(name + "-dark.png")
		s.Scheme("light")
	}
	s.narrow(name)
}

// narrow holds a screen to 400 % zoom on a laptop, 320 by 256 pixels: nothing is
// beside the page (WCAG 1.4.10), and nothing stays before it.
func (s *stage) narrow(name string) {
	s.t.Helper()
	s.Size(320, 256)
	if wide := webtest.Eval[int](s.Browser, "document.documentElement.scrollWidth"); wide > 320 {
		s.t.Errorf("%s: %d pixels wide on a screen of 320", name, wide)
	}
	if stays := webtest.Eval[int](s.Browser, `[...document.querySelectorAll("body *")].filter((e) => ["sticky", "fixed"].includes(getComputedStyle(e).position)).length`); stays > 0 {
		s.t.Errorf("%s: %d parts stay before the page at 400 %% zoom", name, stays)
	}
	if *pictures != "" {
		s.Size(390, 844)
		s.keep(name + "-phone.png")
	}
	s.Size(820, 1180)
}

// prints holds a page to WCAG as it comes out on A4 paper: what it says is there, black on
// white whatever the tablet's colours, and nothing that can only be pressed.
func (s *stage) prints(name string) {
	s.t.Helper()
	s.Size(794, 1123)
	s.KeepsWCAGOnPaper(appFolder, name)
	if got := webtest.Eval[string](s.Browser, `[getComputedStyle(document.documentElement).backgroundColor, getComputedStyle(document.querySelector("h1")).color].join()`); got != "rgb(255, 255, 255),rgb(0, 0, 0)" {
		s.t.Errorf("%s is printed in %s", name, got)
	}
	if buttons := webtest.Eval[int](s.Browser, `[...document.querySelectorAll("button, input, a")].filter((e) => e.getClientRects().length).length`); buttons > 0 {
		s.t.Errorf("%s has %d buttons and links on paper", name, buttons)
	}
	if *pictures != "" {
		s.keep(name + ".png")
	}
	s.Scheme("light")
	s.Size(820, 1180)
}

func (s *stage) call(what string, do func(context.Context, *chromedp.Target) (chromedp.Void, error)) {
	s.t.Helper()
	if err := chromedp.Do(s.Context(), do); err != nil {
		s.t.Fatalf("%s: %v", what, err)
	}
}

func (s *stage) keep(name string) {
	s.t.Helper()
	if err := os.WriteFile(filepath.Join(*pictures, name), s.Picture(), 0o644); err != nil {
		s.t.Fatal(err)
	}
}

// TestTheAppRecordsAVisit: set up, look at the family, start a visit in two taps,
// record it, lose the connection, go on, come back, hand over: in a real browser,
// over a borough with a day's work in it. Every screen keeps WCAG 2.2 AA.
func TestTheAppRecordsAVisit(t *testing.T) {
	s := newStage(t)
	s.enrol()
	s.look("02-today")

	s.Press("Pepperdine-Vale")
	s.Sees("Who is who")
	s.look("03-family")
	s.Press("Plain copy to show")
	s.Sees("Our safety plan")
	s.look("04-plan-to-leave")
	s.prints("04-plan-on-paper")
	s.Press("Back to recording")
	s.Sees("Rules")
	s.look("05-plan")
	s.agree()

	s.goTo("#/today")
	s.Press("Start a visit")
	s.look("06-start")
	s.plansAVisit()
	s.Press("Start a visit")
	s.Press("Start the visit planned for")
	s.Sees("Household")
	s.Until("the form is ready", `[...document.querySelectorAll("textarea")].every((a) => !a.readOnly)`)
	s.look("07-visit")
	s.Fill("Home conditions", said)
	s.Until("the words are on the disk", `!document.querySelector("[data-typed]") && document.body.innerText.includes("Saved on this tablet")`)
	s.Press("Next: What happened")
	s.Press("Visit took place")
	s.openSections()
	s.look("07-visit-unfolded")
	visit := webtest.Eval[string](s.Browser, "location.hash")
	s.Press("Zuzia")
	s.Sees("You saw this child yourself")
	s.look("08-child")
	s.goTo(visit)
	s.Sees("Household")
	s.Press("Hand over to the coordinator")
	s.Sees("Handed over to the coordinator")
	s.look("08-handed-over")
	s.Press("Show the family")
	s.Sees("Home conditions")
	s.look("09-show-the-family")
	s.Open(s.url + "#/outbox")
	s.Sees("Send and receive now")
	s.Press("Send and receive now")
	s.Sees("Everything that you wrote is with the borough")
	s.look("10-on-this-tablet")
	s.Open(s.url + "#/more")
	s.Sees("Quick phrases")
	s.look("11-settings")
	s.speaksWelsh(visit)

	// Without a server: the app opens, and the words are there.
	s.stop()
	s.Open(s.url + "?again")
	s.Fill("PIN of", "246810")
	s.Press("Unlock")
	s.Sees("Your families")
	s.Sees("10 working days from") // what is due, and why
	s.look("12-today-without-a-server")
	s.goTo(visit)
	s.Until("the words are there", fmt.Sprintf(`[...document.querySelectorAll("textarea")].some((a) => a.value.includes(%q))`, said))
	s.look("13-without-a-server")
	s.hasNoConnection()
	s.goTo("#/record/00000000000000000000000000000000")
	s.look("17-nothing-found")
	s.goTo("#/today")
	s.Press("Pepperdine-Vale")
	s.Press("Visit: Child protection")
	s.look("16-a-sealed-record")
	s.everyKind()
	s.SawEveryState()
}

// plansAVisit plans a visit for the last minute of today, and finds it in the day's list.
func (s *stage) plansAVisit() {
	s.t.Helper()
	s.Press("Plan a visit for later")
	for part, words := range map[string]string{"Day": "getDate()", "Month": "getMonth() + 1", "Year": "getFullYear()"} {
		s.FillIn("When", part, fmt.Sprint(webtest.Eval[int](s.Browser, "new Date()."+words)))
	}
	s.FillIn("When", "Time", "23.59")
	s.look("06-plan-a-visit")
	s.Press("Plan it")
	s.Until("it is in the list of the day", `location.hash === "#/today" && [...document.querySelectorAll(".records li")].some((e) => e.innerText.includes("23:59") && e.innerText.includes("Visit"))`)
	s.look("06-planned")
}

// hasNoConnection takes the tablet's own network away and gives it back.
func (s *stage) hasNoConnection() {
	s.t.Helper()
	network := func(on bool) {
		webtest.Eval[bool](s.Browser, fmt.Sprintf(`(Object.defineProperty(navigator, "onLine", {value: %t, configurable: true}), dispatchEvent(new Event(%q)))`,
			on, map[bool]string{true: "online", false: "offline"}[on]))
	}
	network(false)
	s.look("15-offline")
	network(true)
}

// speaksWelsh has the app speak Welsh: its screens, what forms ask, and that it is not
// reviewed yet. Then it speaks English again.
func (s *stage) speaksWelsh(visit string) {
	s.t.Helper()
	s.Press("Cymraeg")
	s.unlocks()
	s.goTo(visit)
	s.Sees("Amodau'r cartref")
	s.Sees("yn aros i gael ei adolygu")
	s.openSections()
	s.Sees("Cynhaliwyd yr ymweliad")
	if got := webtest.Eval[string](s.Browser, "document.documentElement.lang"); got != "cy" {
		s.t.Errorf("the page says that it is in %q", got)
	}
	for _, english := range []string{"Home conditions", "Visit took place", "Who was there"} {
		if strings.Contains(s.Text(), english) {
			s.t.Errorf("the form says %q in Welsh", english)
		}
	}
	s.look("14-visit-in-welsh")
	s.goTo("#/more")
	s.Press("English")
	s.unlocks()
}

// unlocks opens the tablet with its PIN.
func (s *stage) unlocks() {
	s.t.Helper()
	s.Fill("PIN", "246810")
	webtest.Eval[bool](s.Browser, `document.querySelector("main .govuk-button").click(), true`)
	s.Until("it is open", `document.querySelector(".masthead")`)
}

// goTo follows an address within the app, as a link does.
func (s *stage) goTo(hash string) {
	s.t.Helper()
	webtest.Eval[bool](s.Browser, fmt.Sprintf("location.hash = %q, true", hash))
}

// agree writes down who agreed to the plan and who got a copy, and changes the plan: what
// was signed is for an earlier version then, and everybody is to be asked again.
func (s *stage) agree() {
	s.t.Helper()
	plan := webtest.Eval[string](s.Browser, `location.hash`)
	s.goTo("#/today")
	s.Press("Pepperdine-Vale")
	s.Sees("Not asked yet")
	s.Press("Write down who agreed")
	s.Press("Kat")
	s.Press("Agreed aloud")
	s.Fill("Who saw or heard it", "Nan")
	s.Press("Keep")
	s.Until("the entry is there", `[...document.querySelectorAll("#field-signatures .entry")].some((e) => e.innerText.includes("Kat") && e.innerText.includes("Agreed aloud"))`)
	s.Press("Nan") // in the same list: who was asked is no longer offered
	s.Press("Declined")
	s.Fill("Why declined or not asked", "Wants to read it first.")
	s.Press("Keep")
	s.Until("who declined is an entry too", `[...document.querySelectorAll("#field-signatures .entry")].some((e) => e.innerText.includes("Wants to read it first"))`)
	s.goTo(plan + "/shares")
	s.Until("copies are asked for", `document.querySelector("#field-shares .still")`)
	s.look("05-who-has-a-copy")
	webtest.Eval[bool](s.Browser, `[...document.querySelectorAll("#field-shares button")].find((b) => b.innerText === "Kat").click(), true`)
	s.Press("Paper")
	s.Press("Keep")
	s.Until("the copy is there", `[...document.querySelectorAll("#field-shares .entry")].some((e) => e.innerText.includes("Kat") && e.innerText.includes("Whole plan"))`)
	s.goTo("#/today")
	s.Press("Pepperdine-Vale")
	s.Until("the family's page tells", `(() => { const e = document.querySelector(".agreed")?.innerText ?? ""; return e.includes("Agreed aloud") && e.includes("Declined") && e.includes("Copy given on"); })()`)
	s.look("05-agreed")
	s.Press("Open the plan")
	s.openSections()
	s.Fill("If the plan is not followed", "Then we meet again. ")
	s.Until("what was signed is for an earlier version", `[...document.querySelectorAll("#field-signatures .entry")].every((e) => e.textContent.includes("before it was changed")) && document.querySelector("#field-signatures .still")?.textContent.includes("Kat")`)
}

// TestTheAppNeedsNoMouse: set up, find the family, start a visit, write, go to what is
// still to be filled in, and hand over, with the keyboard alone.
func TestTheAppNeedsNoMouse(t *testing.T) {
	s := newStage(t)
	s.Open(s.url)
	s.Sees("Set up this tablet")
	for _, words := range []string{amina, pass, s.code} {
		s.tabTo("INPUT")
		s.keys(words)
	}
	s.tabTo("INPUT") // the tablet's name stays
	s.tabTo("INPUT")
	s.keys("246810")
	s.tabTo("Set up")
	s.keys("\r")
	s.Sees("Pepperdine-Vale")
	s.tabTo("Pepperdine-Vale")
	s.keys("\r")
	s.Sees("Who is who")
	s.tabTo("Start a visit")
	s.keys("\r")
	s.tabTo("Start now")
	s.keys("\r")
	s.Sees("Household")
	s.Until("the form is ready", `[...document.querySelectorAll("textarea")].every((a) => !a.readOnly)`)
	s.tabTo("TEXTAREA")
	s.keys(said)
	s.Until("the words are on the disk", `!document.querySelector("[data-typed]") && document.body.innerText.includes("Saved on this tablet")`)
	if got := webtest.Eval[string](s.Browser, "document.activeElement.value"); got != said {
		t.Errorf("the text is %q, want %q", got, said)
	}
	for _, next := range [][2]string{{"Announced or not", "announced"}, {"What happened", "outcome"}} {
		s.Sees("Next: " + next[0])
		s.tabTo("Next: " + next[0])
		s.keys("\r")
		s.Until("the question has the focus", fmt.Sprintf(`document.activeElement.closest("#field-" + %q)`, next[1]))
		s.keys(" ")
		s.Until("the answer is kept", fmt.Sprintf(`document.getElementById("field-" + %q).innerText.includes("Saved on this tablet")`, next[1]))
	}
	s.tabTo("Hand over to the coordinator")
	s.keys("\r")
	s.Sees("Handed over to the coordinator")
}

// tabTo presses Tab until what has the focus is of this kind, or begins with these words.
func (s *stage) tabTo(what string) {
	s.t.Helper()
	for range 150 {
		s.keys("\t")
		at := webtest.Eval[string](s.Browser, `document.activeElement.tagName + " " + document.activeElement.innerText`)
		tag, words, _ := strings.Cut(at, " ")
		if tag == what || strings.HasPrefix(words, what) {
			return
		}
	}
	s.t.Fatalf("Tab never comes to %s; the page says:\n%s", what, s.Text())
}

func (s *stage) keys(words string) {
	s.t.Helper()
	if err := chromedp.Do(s.Context(), chromedp.KeyEvent(words)); err != nil {
		s.t.Fatal(err)
	}
}

const said = "Warm and tidy. Smell of fresh paint. The stair gate is fixed now."
