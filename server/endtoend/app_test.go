package endtoend

import (
	"encoding/json"
	"flag"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"doorstep/server/web/webtest"
	"doorstep/syncproto"
)

var (
	appKills = flag.Int("appkills", 3, "how often a tab of the app is killed in TestTheAppOnTwoTablets")
	appWords = flag.Int("appwords", 80, "sentences of three words that each of two people types meanwhile")
	appSeed  = flag.Uint64("appseed", 1, "when tabs are killed")
)

// summary is the text that everybody writes in.
const summary = "Summary of the visit"

// TestTheAppOnTwoTablets: two people record one visit apart, in two browsers, while
// the server is stopped and their tabs are killed in the middle of words; a third has
// a tablet without a browser. When the server is back all three, and it, have every
// word, and the disagreement between them is shown until it is decided.
func TestTheAppOnTwoTablets(t *testing.T) {
	t.Parallel()
	b := newBorough(t, caseload{workers: 3, families: 1, plans: true})
	third := newTablet(t, b, 2, 3)
	one, two := newAppTablet(t, b, 0), newAppTablet(t, b, 1)
	one.installs()
	two.installs()
	visit := one.beginsVisit()
	one.sends()
	two.sends()
	third.syncs()
	one.opens(visit)
	two.opens(visit)

	for _, a := range []*appTablet{one, two} {
		a.front.signal(false)
	}
	b.stop()
	id, err := syncproto.ParseID(visit)
	if err != nil {
		t.Fatal(err)
	}
	theirs := "Third: she asked to be rung on Friday. "
	third.edit(third.families()[0], syncproto.RecordID(id), "visit", setText("place", "SCHOOL"))
	third.edit(third.families()[0], syncproto.RecordID(id), "visit", write("household_summary", 0, theirs))
	typeUnderKills(t, visit, one, two)
	one.Press("The visit")
	two.Press("The visit")
	one.Choose("Place", "Family home")
	two.Choose("Place", "Office")
	for _, a := range []*appTablet{one, two} {
		a.Until("the place is kept", `document.getElementById("field-place").innerText.includes("Saved on this tablet")`)
	}

	b.start(t)
	for _, a := range []*appTablet{one, two} {
		a.front.signal(true)
	}
	wantTogether := func() {
		t.Helper()
		one.sends()
		third.syncs()
		two.sends()
		one.sends()
		third.syncs()
	}
	wantTogether()
	for _, a := range []*appTablet{one, two} {
		a.opens(visit)
		a.Sees("Two answers: Place")
		shown := a.shows()
		for _, words := range []string{one.typed, two.typed, theirs} {
			if !strings.Contains(shown, words) {
				t.Errorf("%s reads %q; want %q in it", a.login, shown, words)
			}
		}
	}
	one.decides("Family home", "I opened the door myself.")
	wantTogether()
	for _, a := range []*appTablet{one, two} {
		a.opens(visit)
		a.Until("nothing is to be decided", `!document.body.innerText.includes("Two answers")`)
	}
	wantNoConflict(t, third, syncproto.RecordID(id))
	for _, a := range []*appTablet{one, two} {
		a.wantSameAs(third)
	}
	b.stop()
	wantSame(t, openData(t, b.cfg), third)
}

func wantNoConflict(t *testing.T, b *tablet, record syncproto.RecordID) {
	t.Helper()
	v, err := b.View(record)
	if err != nil {
		t.Fatal(err)
	}
	if len(v.Conflicts) > 0 {
		t.Errorf("%s still sees %d disagreements", b.login, len(v.Conflicts))
	}
}

// typeUnderKills lets both type until each has typed all, and kills a tab now and then.
func typeUnderKills(t *testing.T, visit string, both ...*appTablet) {
	t.Helper()
	chance := rand.New(rand.NewPCG(*appSeed, 61))
	for i, a := range both {
		a.typed = manyWords(i)
		a.types()
	}
	for kill := 1; kill <= *appKills; kill++ {
		a := both[chance.IntN(len(both))]
		more := 5 + chance.IntN(len(a.typed)/(*appKills+1))
		a.Until("some is typed", fmt.Sprintf("window.strokes >= %d || window.done", more))
		a.Crash()
		a.unlocks(visit)
		got, kept := a.shows(), a.lastKept()
		if !strings.HasPrefix(a.typed, got) {
			t.Fatalf("seed %d, kill %d: what is left was not typed: %q", *appSeed, kill, got)
		}
		if len(kept) > len(got) {
			t.Fatalf("seed %d, kill %d: %d characters were shown as saved, %d are", *appSeed, kill, len(kept), len(got))
		}
		a.types()
	}
	for _, a := range both {
		a.Until("all is typed", "window.done")
		a.Until("all is kept", stateOf(summary)+`.startsWith("Saved on this tablet")`)
		if got := a.shows(); got != a.typed {
			t.Errorf("%s: the field has %d characters, want %d", a.login, len(got), len(a.typed))
		}
	}
}

// manyWords is what one person types: at forty words a minute, some minutes' worth.
func manyWords(person int) string {
	var b strings.Builder
	for n := range *appWords {
		fmt.Fprintf(&b, "%c%d said so. ", 'A'+person, n)
	}
	return b.String()
}

// appTablet is the app in a browser of its own, before a borough's server.
type appTablet struct {
	*webtest.Browser
	t     *testing.T
	front *pages
	login string
	typed string // what the person types in the end
}

func newAppTablet(t *testing.T, b *borough, n int) *appTablet {
	t.Helper()
	return &appTablet{Browser: webtest.Start(t, "lang=en-GB", "accept-lang=en-GB"), t: t, front: newFront(t, b), login: login(n)}
}

func (a *appTablet) url(path string) string { return a.front.URL + "/app/" + path }

// installs opens the app for the first time and enrols.
func (a *appTablet) installs() {
	a.t.Helper()
	a.Open(a.url(""))
	a.installsWith("")
	a.Until("the families are there", `document.querySelector(".card__title")`)
	a.Until("the app is kept on the tablet", "window.kept || void navigator.serviceWorker.ready.then(() => { window.kept = true; })")
}

// unlocks opens a record in a tab that was just opened.
func (a *appTablet) unlocks(record string) {
	a.t.Helper()
	a.Open(a.url("#/record/" + record))
	a.Fill("PIN of", pin)
	a.Press("Unlock")
	a.ready()
}

// opens opens a record.
func (a *appTablet) opens(record string) {
	a.t.Helper()
	webtest.Eval[bool](a.Browser, fmt.Sprintf("location.hash = '#/record/%s', true", record))
	a.Until("the record is there", fmt.Sprintf("location.hash.endsWith(%q)", record))
	a.ready()
}

func (a *appTablet) ready() {
	a.t.Helper()
	a.Until("the form is ready", `document.querySelector("textarea") && [...document.querySelectorAll("textarea")].every((a) => !a.readOnly)`)
}

func (a *appTablet) beginsVisit() (record string) {
	a.t.Helper()
	a.Press("Start a visit")
	a.Press("Start now")
	a.ready()
	return strings.TrimPrefix(webtest.Eval[string](a.Browser, "location.hash"), "#/record/")
}

// sends exchanges with the server until nothing is left.
func (a *appTablet) sends() {
	a.t.Helper()
	webtest.Eval[bool](a.Browser, "location.hash = '#/outbox', true")
	a.Press("Send and receive now")
	a.Sees("Everything that you wrote is with the borough")
}

// area and stateOf find a text area by its label, and what is said below it.
func area(label string) string {
	return fmt.Sprintf(`document.getElementById([...document.querySelectorAll("label")].find((l) => l.innerText.startsWith(%q)).htmlFor)`, label)
}

func stateOf(label string) string {
	return fmt.Sprintf(`((e) => e.hasAttribute("data-typed") ? "" : e.textContent)(document.getElementById(%s.id + "-state"))`, area(label))
}

// allKept is a script: nothing that was typed is still on its way to the disk.
const allKept = `!document.querySelector("[data-typed]")`

// types goes on typing where the field ends, stroke by stroke, and tells the test what
// it held whenever the app said that it was saved.
func (a *appTablet) types() {
	a.t.Helper()
	quoted, err := json.Marshal(a.typed)
	if err != nil {
		a.t.Fatal(err)
	}
	a.front.forget()
	webtest.Eval[bool](a.Browser, `(() => {
		const el = `+area(summary)+`, state = document.getElementById(el.id + "-state"), all = `+string(quoted)+`;
		new MutationObserver(() => {
			if (!state.hasAttribute("data-typed") && state.textContent.startsWith("Saved")) fetch("/kept", {method: "POST", body: el.value});
		}).observe(state, {childList: true, characterData: true, subtree: true, attributes: true});
		window.strokes = 0; window.done = false;
		(function stroke() {
			if (el.value.length >= all.length) return void (window.done = true);
			el.setRangeText(all[el.value.length], el.value.length, el.value.length, "end");
			el.dispatchEvent(new InputEvent("input", {bubbles: true, inputType: "insertText"}));
			window.strokes++;
			setTimeout(stroke);
		})();
		return true;
	})()`)
}

// lastKept is the longest text that the page was told to be saved.
func (a *appTablet) lastKept() (longest string) {
	_, kept := a.front.heard()
	for _, m := range kept {
		if len(m.text) > len(longest) {
			longest = m.text
		}
	}
	return longest
}

func (a *appTablet) shows() string {
	a.t.Helper()
	return webtest.Eval[string](a.Browser, area(summary)+".value")
}

// decides settles the disagreement in the record that is open.
func (a *appTablet) decides(value, why string) {
	a.t.Helper()
	a.Press(value)
	a.Fill("Why?", why)
	a.Press("Decide")
	a.Until("it is decided", `!document.body.innerText.includes("Two answers")`)
}

// wantSameAs compares every record's bytes with another tablet's, through a page for
// tests in the same browser.
func (a *appTablet) wantSameAs(other *tablet) {
	a.t.Helper()
	views := map[string]string{}
	a.Open(a.front.URL + a.front.page)
	a.Until("the page is ready", "window.ready && (window.ready.then(() => { window.opened = true; }), window.opened)")
	folds := webtest.Eval[string](a.Browser, fmt.Sprintf(`(async () => { if (tablet.client.state !== "open") await tablet.unlock(%q);
		const families = await tablet.client.families();
		return JSON.stringify(Object.assign({}, ...await Promise.all(families.map((f) => tablet.client.digests(f.family))))); })()`, pin))
	if err := json.Unmarshal([]byte(folds), &views); err != nil {
		a.t.Fatal(err)
	}
	wantDigests(a.t, views, other)
}
