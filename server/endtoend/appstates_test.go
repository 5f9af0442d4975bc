package endtoend

import (
	"fmt"
	"net/http"
	"os"
	"strings"
	"testing"

	cdpage "github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"

	"doorstep/server/web/webtest"
	"doorstep/syncproto"
)

// appFolder is where the app's source and its tools lie.
const appFolder = "../web"

// newWatchedTablet is a tablet of worker n whose answers and whose disk the test can
// change on the way.
func newWatchedTablet(t *testing.T, b *borough, n int) (*appTablet, *frontDoor) {
	t.Helper()
	front := newFront(t, b)
	door := newFrontDoor(t, func() string { return front.Listener.Addr().String() })
	front.URL = door.URL
	var err error
	if door.worker, err = os.ReadFile("testdata/browser/fulldisk.js"); err != nil {
		t.Fatal(err)
	}
	return &appTablet{Browser: webtest.Start(t, "lang=en-GB", "accept-lang=en-GB"), t: t, front: front, login: login(n)}, door
}

// disk fills the tablet's disk, or frees it.
func (a *appTablet) disk(state string) {
	a.t.Helper()
	webtest.Eval[bool](a.Browser, fmt.Sprintf(`new Promise((done) => {
		const disk = new BroadcastChannel("disk");
		disk.onmessage = () => done(true);
		disk.postMessage(%q);
	})`, state))
}

// goesTo goes to a screen of the app.
func (a *appTablet) goesTo(place string) {
	a.t.Helper()
	webtest.Eval[bool](a.Browser, fmt.Sprintf("location.hash = %q, true", "#/"+place))
	a.Until("the screen is there", `document.querySelector("h1")`)
}

// The states of the app in which something is wrong keep WCAG 2.2 AA as its everyday
// screens do: a disagreement, a full disk, a wrong PIN, a lease that has run out, storage
// that the browser threw away, words that went into custody and words for which there was
// no room there, a family that is closed, an ended session, a destroyed key, an app that
// cannot start.
func TestTheAppInTroubleKeepsWCAG(t *testing.T) {
	t.Parallel()
	b, _ := newRecoverableBorough(t, caseload{workers: 2, families: 1, plans: true, coord: true})
	b.stop()
	b.cfg.Limits.CustodyMB = 1
	b.start(t)
	a, door := newWatchedTablet(t, b, 0)
	a.canTellFates()
	door.tell(map[string]int{"lease_ms": 1}) // it has run out at the next start
	colleague := newTablet(t, b, 1, 1)
	a.installs()
	visit := a.beginsVisit()
	a.disagrees(colleague, visit)
	a.KeepsWCAG(appFolder, "a disagreement")
	a.dictates()
	a.sends()
	a.opens(visit)
	a.wroteWith(colleague)
	a.KeepsWCAG(appFolder, "who wrote what")
	a.isAsked(b, visit)
	a.showsEachFate("record/"+visit, map[string]string{"refused": "a record refused",
		"late": "a record that came late", "unanswered": "a record not answered", "accepted": "a record taken after all"})
	a.ready()

	a.disk("full")
	a.Fill(summary, "No room. ")
	a.Until("it is told", stateOf(summary)+`.startsWith("Not saved")`)
	a.KeepsWCAG(appFolder, "words that are not saved")
	a.goesTo("outbox")
	a.Sees("More than 80 % of the space is used")
	a.KeepsWCAG(appFolder, "a full disk")
	a.disk("free")

	a.leaseEnds(door, visit)
	a.losesAccess(b, visit, colleague.families()[0].String())
	a.keyIsDestroyed()
	a.cannotStart()
	a.SawEveryState()
}

// otherFate has the page be told of a fate that the test names: of each change of which
// something is told, and of one of the record that is open. The page cannot tell these
// from what became of changes in truth.
const otherFate = `(() => {
	const set = Object.getOwnPropertyDescriptor(Worker.prototype, "onmessage").set;
	const tell = (v, fate) => {
		if (!v || typeof v !== "object" || ArrayBuffer.isView(v)) return;
		if (v.fate) v.fate = fate;
		if ("unsent" in v && v.marks.length === 0) {
			v.marks.push({ change: "0".repeat(64), record: location.hash.split("/")[2], fate, code: "test", plain: "What this means, in words.", reoffered: false, here: true });
		}
		Object.values(v).forEach((part) => tell(part, fate));
	};
	Object.defineProperty(Worker.prototype, "onmessage", {set(fn) { set.call(this, (e) => {
		const fate = sessionStorage.getItem("test-fate");
		if (fate) tell(e.data.value, fate);
		fn.call(this, e);
	}); }});
})()`

func (a *appTablet) canTellFates() {
	a.t.Helper()
	script := cdpage.AddScriptToEvaluateOnNewDocumentParams{Source: otherFate}
	if _, err := chromedp.Call(a.Context(), cdpage.AddScriptToEvaluateOnNewDocument, script); err != nil {
		a.t.Fatal(err)
	}
}

// showsEachFate opens a page with each fate that a change may have.
func (a *appTablet) showsEachFate(page string, states map[string]string) {
	a.t.Helper()
	for fate, state := range states {
		webtest.Eval[bool](a.Browser, fmt.Sprintf("sessionStorage.setItem('test-fate', %q), true", fate))
		a.goesTo("more")
		a.goesTo(page)
		a.KeepsWCAG(appFolder, state)
	}
	webtest.Eval[bool](a.Browser, "sessionStorage.removeItem('test-fate'), true")
	a.goesTo("more")
	a.goesTo(page)
}

// disagrees has this tablet and a colleague's give two answers, and opens the record.
func (a *appTablet) disagrees(colleague *tablet, visit string) {
	a.t.Helper()
	a.sends()
	colleague.syncs()
	id, err := syncproto.ParseID(visit)
	if err != nil {
		a.t.Fatal(err)
	}
	a.opens(visit)
	a.Press("The visit")
	a.says("Mum was calm", "Family home")
	a.sends()
	colleague.syncs()
	a.opens(visit)
	a.Press("The visit")
	a.says(", then the police came", "Office")
	colleague.edit(colleague.families()[0], syncproto.RecordID(id), "visit", setText("place", "SCHOOL"))
	colleague.edit(colleague.families()[0], syncproto.RecordID(id), "visit", write("household_summary", 12, " at first"))
	colleague.syncs()
	a.sends()
	a.opens(visit)
	a.Sees("Two answers: Place")
	a.Sees("Two people wrote in the same sentence")
}

// says types into the summary and sets the place, which makes a change of what was typed.
func (a *appTablet) says(words, place string) {
	a.t.Helper()
	a.Fill(summary, words)
	a.Until("the words are kept", stateOf(summary)+`.startsWith("Saved")`)
	a.Choose("Place", place)
	a.Until("the place is kept", `document.getElementById("field-place").innerText.includes("Saved on this tablet")`)
}

// dictates begins a sentence with a quick phrase and dictates how it goes on.
func (a *appTablet) dictates() {
	a.t.Helper()
	webtest.Eval[bool](a.Browser, `(() => { const prose = `+area(summary)+`.closest(".prose");
		[...prose.querySelectorAll(".phrase")].find((b) => b.textContent === "I heard ").click();
		prose.querySelector(".prose__dictating input").click(); return true; })()`)
	a.Fill(summary, "the kettle.")
	a.Until("the words are kept", allKept+" && "+area(summary)+`.value.includes("I heard the kettle.")`)
}

// isAsked has the coordinator ask about a visit that was handed over, and answers.
func (a *appTablet) isAsked(b *borough, visit string) {
	a.t.Helper()
	a.Press("Hand over to the coordinator")
	a.Sees("Handed over to the coordinator, ")
	a.sends()
	coordinator := b.sits(a.t, "coordinator")
	coordinator.wants(http.StatusOK, "POST", "/v1/records/"+visit+"/query", map[string]any{"to": b.sits(a.t, a.login).user, "text": "Who rang the police?"}, nil)
	a.sends()
	a.goesTo("today")
	a.Sees("The coordinator asks")
	a.opens(visit)
	a.Sees("Who rang the police?")
	a.KeepsWCAG(appFolder, "a question to answer")
	a.Fill("Your answer", "The neighbour did.")
	a.Press("Answer")
	a.Sees("You answered: The neighbour did.")
	a.sends()
	var shown struct {
		Workflow struct {
			Queries []struct{ Answer string }
		}
	}
	coordinator.wants(http.StatusOK, "GET", "/v1/records/"+visit, nil, &shown)
	if got := shown.Workflow.Queries; len(got) != 1 || got[0].Answer != "The neighbour did." {
		a.t.Errorf("the coordinator reads %+v, want the answer", got)
	}
	a.opens(visit)
}

// wroteWith opens, without a signal, who wrote what of the summary that is shown: the words
// are all there in their order, and each stretch says whose it is, on which device and
// how it was taken down.
func (a *appTablet) wroteWith(colleague *tablet) {
	a.t.Helper()
	a.front.signal(false)
	defer a.front.signal(true)
	webtest.Eval[bool](a.Browser, area(summary)+`.closest(".field").querySelector(".who summary").click(), true`)
	a.Until("who wrote what is there", `document.querySelector(".who[open] li")`)
	shown := webtest.Eval[string](a.Browser, `[...document.querySelectorAll(".who[open] .who__spans li")].map((li) => li.innerText).join("\n")`)
	if words := webtest.Eval[string](a.Browser, `[...document.querySelectorAll(".who[open] .who__spans .text")].map((p) => p.textContent).join("")`); words != a.shows() {
		a.t.Errorf("who wrote what has %q, the text is %q", words, a.shows())
	}
	for _, want := range []string{"\nYou, ", ", on this tablet, typed", ", on this tablet, dictated", " at first\n", ", on the tablet "} {
		if !strings.Contains(shown, want) {
			a.t.Errorf("who wrote what says %q; want %q in it", shown, want)
		}
	}
	if strings.Count(shown, "on this tablet") < 2 || strings.Contains(shown, "A colleague") || strings.Contains(shown, "another device") {
		a.t.Errorf("who wrote what says %q, and of the tablet of %s", shown, colleague.login)
	}
}

// leaseEnds starts the tablet past its lease, after its browser threw its database away,
// and opens it by a sign-in, with a wrong PIN first. What was only there is there again.
func (a *appTablet) leaseEnds(door *frontDoor, visit string) {
	a.t.Helper()
	a.sends()
	a.front.signal(false)
	a.opens(visit)
	a.Fill(summary, "Only here. ")
	a.Until("it is kept", stateOf(summary)+`.startsWith("Saved on this tablet")`)
	a.Open(a.url("?again"))
	a.front.signal(true)
	a.isEvicted()
	a.Sees("away from the server for too long")
	a.KeepsWCAG(appFolder, "past the lease")
	a.Press("Write something down without opening the tablet")
	a.Fill("What you saw and heard", "She was at the window.")
	a.Sees("Saved on this tablet")
	a.KeepsWCAG(appFolder, "a note past the lease")
	door.tell(nil)
	a.Fill("PIN of", "000000")
	a.Fill("Password", password)
	a.Press("Unlock")
	a.Sees("That is not the PIN")
	a.KeepsWCAG(appFolder, "a wrong PIN")
	a.Fill("PIN of", pin)
	a.Press("Unlock")
	a.Sees("Your families")
	a.KeepsWCAG(appFolder, "words that came back")
	a.Press("I have read this")
	a.sends()
	a.opens(visit)
	a.Until("what was only here is there", area(summary)+`.value.includes("Only here. ")`)
}

// isEvicted has the browser throw away what a locked tablet keeps of its person.
func (a *appTablet) isEvicted() {
	a.t.Helper()
	a.Sees("away from the server for too long")
	if gone := webtest.Eval[int](a.Browser, `indexedDB.databases().then((all) => Promise.all(all.filter((d) => /^doorstep-[0-9a-f]{32}$/.test(d.name)).map((d) =>
		new Promise((done, failed) => { const r = indexedDB.deleteDatabase(d.name); r.onsuccess = () => done(true); r.onerror = r.onblocked = failed; })))).then((gone) => gone.length)`); gone != 1 {
		a.t.Fatalf("%d databases were thrown away, want one", gone)
	}
}

// losesAccess has words go into custody, more than there is room for, so that the family
// stays, closed; and gives the access back.
func (a *appTablet) losesAccess(b *borough, visit, family string) {
	a.t.Helper()
	a.front.signal(false)
	a.opens(visit)
	webtest.Eval[bool](a.Browser, `(() => { const el = `+area(summary)+`, words = [];
		for (let n = 0; n < 120_000; n++) words.push(Math.random().toString(36).slice(2, 12));
		el.value += words.join(" "); el.dispatchEvent(new Event("input", {bubbles: true})); return true; })()`)
	a.Until("it is kept", allKept+" && "+stateOf(summary)+`.startsWith("Saved on this tablet")`)
	if err := b.op.SetDisabled(a.t.Context(), a.login, true); err != nil {
		a.t.Fatal(err)
	}
	a.front.signal(true)
	a.goesTo("outbox")
	a.Press("Send and receive now")
	a.Sees("Locked away until a reviewer decides")
	a.Sees("Waiting")
	a.KeepsWCAG(appFolder, "words in custody")
	a.goesTo("family/" + family)
	a.KeepsWCAG(appFolder, "a closed family")
	a.showsEachFate("outbox", map[string]string{"refused": "what is refused on this tablet"})
	if err := b.op.SetDisabled(a.t.Context(), a.login, false); err != nil {
		a.t.Fatal(err)
	}
	a.Press("Send and receive now")
	a.Sees("Sign in to send and receive")
	a.KeepsWCAG(appFolder, "an ended session")
}

// keyIsDestroyed gives ten wrong PINs.
func (a *appTablet) keyIsDestroyed() {
	a.t.Helper()
	a.Open(a.url("?once-more"))
	for left := 9; left >= 0; left-- {
		a.Fill("PIN of", "000000")
		a.Press("Unlock")
		if left > 0 {
			a.Sees(fmt.Sprintf("%d tries left", left))
		}
	}
	a.Sees("There were too many wrong PINs")
	a.KeepsWCAG(appFolder, "a destroyed key")
}

// cannotStart opens the app in a browser that has no worker for it.
func (a *appTablet) cannotStart() {
	a.t.Helper()
	broken := cdpage.AddScriptToEvaluateOnNewDocumentParams{Source: `window.Worker = class { constructor() { throw new Error("no worker"); } };`}
	if _, err := chromedp.Call(a.Context(), cdpage.AddScriptToEvaluateOnNewDocument, broken); err != nil {
		a.t.Fatal(err)
	}
	a.Open(a.url("?broken"))
	a.Sees("Doorstep cannot start here")
	a.KeepsWCAG(appFolder, "an app that cannot start")
}
