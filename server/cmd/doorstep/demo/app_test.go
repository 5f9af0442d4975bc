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

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
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
	return &stage{Browser: b, t: t, url: find(`(http://localhost:\d+/app/)`), code: find(`enrolment code ([A-Z0-9-]+)`), stop: end}
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

// look holds a screen, as it stands, to WCAG 2.2 AA in light and dark, and keeps a
// picture of it where that is asked for.
func (s *stage) look(name string) {
	s.t.Helper()
	for _, scheme := range []string{"light", "dark"} {
		s.media(scheme)
		for _, v := range s.Axe(appFolder) {
			s.t.Errorf("%s, %s: %v", name, scheme, v)
		}
		if *pictures != "" && (scheme == "light" || name == "02-today" || name == "07-visit") {
			s.keep(name + map[string]string{"light": "", "dark": "-dark"}[scheme] + ".png")
		}
	}
	s.media("light")
	s.narrow(name)
}

// narrow holds a screen to 400 % zoom on a laptop, 320 pixels across: nothing is
// beside the page (WCAG 1.4.10), and what is pressed has room for a thumb.
func (s *stage) narrow(name string) {
	s.t.Helper()
	s.size(320, 640)
	if wide := webtest.Eval[int](s.Browser, "document.documentElement.scrollWidth"); wide > 320 {
		s.t.Errorf("%s: %d pixels wide on a screen of 320", name, wide)
	}
	if *pictures != "" && name == "03-family" {
		s.keep(name + "-narrow.png")
	}
	s.size(820, 1180)
}

func (s *stage) size(width, height int64) {
	s.t.Helper()
	if err := chromedp.Do(s.Context(), chromedp.EmulateViewport(width, height)); err != nil {
		s.t.Fatal(err)
	}
}

func (s *stage) media(scheme string) {
	s.call("colours", func(ctx context.Context, tab *chromedp.Target) (chromedp.Void, error) {
		_, err := cdp.Call(ctx, tab, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
			Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}}})
		return chromedp.Void{}, err
	})
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
	s.Press("Back to recording")
	s.Sees("Rules")
	s.look("05-plan")
	s.agree()

	// Two taps from today's list to a visit that can be typed into.
	s.goTo("#/today")
	s.Press("Start a visit")
	s.look("06-start")
	s.Press("Start now")
	s.Sees("Household")
	s.Until("the form is ready", `[...document.querySelectorAll("textarea")].every((a) => !a.readOnly)`)
	s.look("07-visit")
	s.Fill("Home conditions", said)
	s.Until("the words are on the disk", `!document.querySelector("[data-typed]") && document.body.innerText.includes("Saved on this tablet")`)
	s.Press("Visit took place")
	s.Press("Hand over to the coordinator")
	s.Sees("Handed over to the coordinator")
	s.look("08-handed-over")
	visit := webtest.Eval[string](s.Browser, "location.hash")
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
	s.everyKind()
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
	webtest.Eval[bool](s.Browser, `[...document.querySelectorAll("#field-shares button")].find((b) => b.innerText === "Kat").click(), true`)
	s.Press("Paper")
	s.Press("Keep")
	s.Until("the copy is there", `[...document.querySelectorAll("#field-shares .entry")].some((e) => e.innerText.includes("Kat") && e.innerText.includes("Whole plan"))`)
	s.goTo("#/today")
	s.Press("Pepperdine-Vale")
	s.Until("the family's page tells", `(() => { const e = document.querySelector(".agreed")?.innerText ?? ""; return e.includes("Agreed aloud") && e.includes("Declined") && e.includes("Copy given on"); })()`)
	s.look("05-agreed")
	s.Press("Open the plan")
	s.Fill("If the plan is not followed", "Then we meet again. ")
	s.Until("what was signed is for an earlier version", `[...document.querySelectorAll("#field-signatures .entry")].every((e) => e.textContent.includes("before it was changed")) && document.querySelector("#field-signatures .still")?.textContent.includes("Kat")`)
}

// TestTheAppNeedsNoMouse: set up, find the family, start a visit and write, with the
// keyboard alone.
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
