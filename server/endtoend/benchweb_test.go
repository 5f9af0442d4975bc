package endtoend

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	cdpage "github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"

	"doorstep/client-sdk/engine"
	"doorstep/server/web"
	"doorstep/server/web/webtest"
	"doorstep/syncproto"
	"doorstep/syncproto/cbor"
)

var (
	benchWeb     = flag.Bool("benchweb", false, "measure the app in a browser (make bench-web)")
	benchWebJSON = flag.String("benchweb.json", "", "file for what was measured")
	benchRate    = flag.Float64("benchweb.rate", 4, "how many times slower the page is made than this machine")
)

// figure is one thing that was measured, and what it may be at most.
type figure struct {
	What string  `json:"what"`
	Unit string  `json:"unit"`
	Got  float64 `json:"got"`
	Most float64 `json:"most"` // 0: no bound
}

// webBench is a tablet with a borough's caseload, slowed down.
type webBench struct {
	*appTablet
	profile string
	large   string // a family of 300 records
	visit   string // one of them
	out     []figure
}

// TestBenchWeb measures what a practitioner waits for, on a slow tablet.
func TestBenchWeb(t *testing.T) {
	if !*benchWeb {
		t.Skip("a measurement needs the machine for itself: make bench-web")
	}
	w := &webBench{profile: webtest.Profile(t)}
	w.sizes(t)
	b := newBorough(t, caseload{workers: 2, families: 12, plans: true})
	w.fill(t, b)
	front := newFront(t, b)
	door := newFrontDoor(t, func() string { return front.Listener.Addr().String() })
	door.worker = []byte(noteKept)
	front.URL = door.URL
	w.appTablet = &appTablet{t: t, front: front, login: login(0)}
	w.starts()
	w.installs()
	w.sends()
	w.add("cold start to typing, the person's own time with the PIN left out", "ms", median(w.timesToType(true)), 1500)
	w.add("the page loaded again, the PIN given again", "ms", median(w.timesToType(false)), 0)
	w.add("from a record's name in a list to typing, the app being open", "ms", median(w.timesToOpen()), 500)
	w.add("from \"Start now\" to typing in a new visit", "ms", median(w.timesToStart()), 500)
	w.keystrokes("")
	w.family()
	w.slow(1)
	speed := w.speed()
	end := slowed(t, chromedp.FromContext(w.Context()).Browser.Process().Pid, *benchRate)
	defer end()
	w.keystrokes(fmt.Sprintf(", all of the page's process %.1f times slower, its worker too", speed/w.speed()))
	end()
	w.Quit()
	w.poorSignal(t)
	w.keep()
}

// add takes down a figure, and prints it.
func (w *webBench) add(what, unit string, got, most float64) {
	w.out = append(w.out, figure{what, unit, got, most})
	line := fmt.Sprintf("%9.1f %-4s %s", got, unit, what)
	if most > 0 {
		line += fmt.Sprintf(" (at most %.0f: %s)", most, map[bool]string{true: "kept", false: "MISSED"}[got <= most])
	}
	fmt.Println(line)
}

func (w *webBench) sizes(t *testing.T) {
	t.Helper()
	webtest.Program(t)
	app, _ := web.Open()
	total := 0
	for name, size := range app.Sizes() {
		total += size
		if strings.HasSuffix(name, ".wasm") {
			w.add("the core, brotli", "KiB", float64(size)/1024, 900)
		}
	}
	w.add("the whole app, brotli", "KiB", float64(total)/1024, 1100)
}

// fill gives the first family 300 records, and each other family 25.
func (w *webBench) fill(t *testing.T, b *borough) {
	t.Helper()
	colleague := newTablet(t, b, 1, 9)
	colleague.syncs()
	for n, family := range colleague.families() {
		want := 25
		if n == 0 {
			want = 300
		}
		for have := countRecords(t, colleague, family); have < want; have++ {
			record := colleague.newRecord()
			colleague.edit(family, record, "visit", setText("visit_type", "CIN"),
				syncproto.Op{Code: syncproto.OpSet, Path: syncproto.Path{Field: "start"}, Value: cbor.Int(1_780_000_000_000 + int64(have)*3_600_000)})
			colleague.edit(family, record, "visit", write("household_summary", 0, strings.Repeat("Seen at home, warm and tidy. ", 10)))
			if n == 0 {
				w.large, w.visit = family.String(), record.String()
			}
		}
	}
	colleague.syncs()
}

// starts starts the browser, slowed down, on the tablet's profile.
func (w *webBench) starts() {
	w.t.Helper()
	w.Browser = webtest.Start(w.t, "lang=en-GB", "accept-lang=en-GB", "user-data-dir="+w.profile)
	if _, err := chromedp.Call(w.Context(), cdpage.AddScriptToEvaluateOnNewDocument, cdpage.AddScriptToEvaluateOnNewDocumentParams{Source: marks}); err != nil {
		w.t.Fatal(err)
	}
}

func (w *webBench) slow(rate float64) {
	w.t.Helper()
	if _, err := chromedp.Call(w.Context(), emulation.SetCPUThrottlingRate, emulation.SetCPUThrottlingRateParams{Rate: rate}); err != nil {
		w.t.Fatal(err)
	}
}

// marks notes in the page when it can first be used, in milliseconds since it was asked for.
const marks = `(() => {
	const marks = window.marks = {};
	const look = () => {
		if (marks.pin === undefined && document.querySelector("input[type=password]")) marks.pin = performance.now();
		const areas = [...document.querySelectorAll("textarea")];
		if (marks.ready === undefined && areas.length > 0 && areas.every((a) => !a.readOnly)) marks.ready = performance.now();
	};
	new MutationObserver(look).observe(document, {childList: true, subtree: true, attributes: true});
	addEventListener("click", (e) => { if (e.target.closest("button")?.textContent === "Unlock") marks.pressed = performance.now(); }, true);
})()`

// timesToType opens a visit again and again: the time until the PIN can be given, and
// from then until every text of the form can be typed into.
func (w *webBench) timesToType(fresh bool) (all []float64) {
	w.t.Helper()
	for range 5 {
		if fresh {
			w.Quit()
			w.starts()
		} else {
			w.Open("about:blank")
		}
		w.slow(*benchRate)
		w.unlocks(w.visit)
		m := webtest.Eval[map[string]float64](w.Browser, "window.marks")
		if m["pin"] == 0 || m["pressed"] == 0 || m["ready"] == 0 {
			w.t.Fatalf("not measured: %v", m)
		}
		w.t.Logf("%.0f ms to the PIN, %.0f ms from it to typing", m["pin"], m["ready"]-m["pressed"])
		all = append(all, m["pin"]+m["ready"]-m["pressed"])
	}
	return all
}

// ready is a script: the milliseconds from doing something until every text of a form
// that was not there before can be typed into.
const ready = `new Promise((done) => {
	const began = performance.now();
	const look = () => {
		const areas = [...document.querySelectorAll("textarea")];
		if (areas.length > 0 && areas.every((a) => !a.readOnly)) { seen.disconnect(); done(performance.now() - began); }
	};
	const seen = new MutationObserver(look);
	seen.observe(document.body, {childList: true, subtree: true, attributes: true});
	%s;
})`

// timesToOpen opens a visit from its family's page.
func (w *webBench) timesToOpen() (all []float64) {
	w.t.Helper()
	for n := range 5 {
		webtest.Eval[bool](w.Browser, fmt.Sprintf("location.hash = '#/family/%s', true", w.large))
		w.Until("the records are listed", `document.querySelectorAll(".records > li").length >= 40`)
		all = append(all, webtest.Eval[float64](w.Browser, fmt.Sprintf(ready, fmt.Sprintf(`document.querySelectorAll(".records a")[%d].click()`, 5+n))))
	}
	return all
}

// timesToStart begins a visit to another family in two taps, and measures the second.
func (w *webBench) timesToStart() (all []float64) {
	w.t.Helper()
	for n := range 5 {
		webtest.Eval[bool](w.Browser, "location.hash = '#/today', true")
		w.Until("the families are there", `document.querySelectorAll(".card__go a").length === 12`)
		webtest.Eval[bool](w.Browser, fmt.Sprintf(`document.querySelectorAll(".card__go a")[%d].click(), true`, n))
		w.Until("a visit can be begun", `document.querySelector(".start-visit button")`)
		all = append(all, webtest.Eval[float64](w.Browser, fmt.Sprintf(ready, `document.querySelector(".start-visit button").click()`)))
	}
	return all
}

// noteKept has the app's worker note when it answers that a keystroke is on the disk, and
// tell whoever asks.
const noteKept = `(() => {
	const typed = new Set(), channel = new BroadcastChannel("bench"), post = self.postMessage.bind(self);
	let kept = [];
	channel.onmessage = () => { channel.postMessage(kept); kept = []; };
	addEventListener("message", (e) => { if (e.data.method === "typeText") typed.add(e.data.id); });
	self.postMessage = (m) => { if (typed.delete(m.id)) kept.push(performance.timeOrigin + performance.now()); post(m); };
})();
`

// strokes are the milliseconds that each of some keystrokes took.
type strokes struct {
	Kept []float64 `json:"kept"` // until it was on the disk
	Said []float64 `json:"said"` // until the page said so, which waits for the page to be drawn
}

// keystrokes types at the end of a note of 20 KB and measures each stroke.
func (w *webBench) keystrokes(how string) {
	w.t.Helper()
	w.opens(w.visit)
	got := webtest.Eval[strokes](w.Browser, `(async () => {
		const el = `+area(summary)+`, state = document.getElementById(el.id + "-state"), began = [], said = [];
		const channel = new BroadcastChannel("bench");
		const kept = () => new Promise((done) => { channel.onmessage = (e) => done(e.data); channel.postMessage(null); });
		const type = (words) => new Promise((done) => {
			const seen = new MutationObserver(() => {
				if (state.hasAttribute("data-typed") || !state.textContent.startsWith("Saved")) return;
				seen.disconnect();
				said.push(performance.now() - began.at(-1));
				done();
			});
			began.push(performance.now());
			el.setRangeText(words, el.value.length, el.value.length, "end");
			el.dispatchEvent(new InputEvent("input", {bubbles: true, inputType: "insertText"}));
			seen.observe(state, {childList: true, characterData: true, subtree: true, attributes: true});
		});
		await type("The kitchen was warm. ".repeat(Math.max(1, Math.ceil((20_000 - el.value.length) / 22))));
		await new Promise((next) => setTimeout(next, 1000));
		await kept();
		began.length = said.length = 0;
		for (let i = 0; i < 150; i++) {
			await type("x");
			await new Promise((next) => setTimeout(next, Math.max(0, 120 - said.at(-1))));
		}
		return {said, kept: (await kept()).map((at, i) => at - performance.timeOrigin - began[i])};
	})()`)
	if len(got.Kept) != len(got.Said) {
		w.t.Fatalf("%d of %d keystrokes were kept", len(got.Kept), len(got.Said))
	}
	w.addStrokes("keystroke to durable", how, got.Kept)
	w.addStrokes("keystroke until the page says that it is durable", how, got.Said)
}

func (w *webBench) addStrokes(what, how string, times []float64) {
	slices.Sort(times)
	most := 50.0
	if how != "" {
		most = 0 // the goal is for a page that is slowed down by the browser's own throttle
	}
	w.add(what+", p50"+how, "ms", at(times, 0.5), 0)
	w.add(what+", p95"+how, "ms", at(times, 0.95), most)
}

// speed is how many turns of an empty loop the page makes in a fifth of a second.
func (w *webBench) speed() float64 {
	w.t.Helper()
	return webtest.Eval[float64](w.Browser, `(() => { const began = performance.now(); let n = 0; while (performance.now() - began < 200) n++; return n; })()`)
}

// family opens the large family from today's list.
func (w *webBench) family() {
	w.t.Helper()
	var times []float64
	for range 5 {
		webtest.Eval[bool](w.Browser, "location.hash = '#/today', true")
		w.Until("the families are there", `document.querySelectorAll(".card__title").length === 12`)
		times = append(times, webtest.Eval[float64](w.Browser, fmt.Sprintf(`new Promise((done) => {
			const began = performance.now();
			const look = () => { if (document.querySelectorAll(".records > li").length >= %d) { seen.disconnect(); requestAnimationFrame(() => setTimeout(() => done(performance.now() - began))); } };
			const seen = new MutationObserver(look);
			seen.observe(document.body, {childList: true, subtree: true});
			document.querySelector(".card__title a[href$='%s']").click();
		})`, shownRecords, w.large)))
	}
	w.t.Logf("opening the family: %.0f", times)
	w.add("opening a family of 300 records", "ms", median(times), 300)
}

// poorDays is how many days are sent, each over a line of its own seed.
const poorDays = 6

// poorSignal measures how long a day's work takes over a poor signal, from when it is
// back until the app says that the work is with the borough.
func (w *webBench) poorSignal(t *testing.T) {
	t.Helper()
	p, words := newPoorTablet(t, newBorough(t, caseload{workers: 1, families: 1, plans: true})), prose(t)
	var whole, cut []float64
	requests := 0
	for seed := range uint64(poorDays) {
		p.recordsADay(words)
		took, asked := p.acknowledged(hallway(seed))
		t.Logf("seed %d: %v, %v", seed, took.Round(time.Millisecond), asked)
		if n := carrying(asked); n > 1 {
			cut = append(cut, float64(took.Milliseconds()))
		} else {
			whole, requests = append(whole, float64(took.Milliseconds())), max(requests, n)
		}
		p.line.good()
	}
	w.add("a day's work at 50 kbit/s and 600 ms with stalls, until acknowledged", "ms", median(whole), 8000)
	w.add("requests that carried it", "", float64(requests), 1)
	if len(cut) > 0 {
		w.add(fmt.Sprintf("the same where the line was cut meanwhile (%d days of %d)", len(cut), len(cut)+len(whole)), "ms", median(cut), 8000)
	}
}

// shownRecords is how many of the 300 a family's page lists at once.
const shownRecords = 40

// keep writes the figures to the file that was named.
func (w *webBench) keep() {
	if *benchWebJSON == "" {
		return
	}
	body, err := json.MarshalIndent(w.out, "", "  ")
	if err != nil {
		w.t.Fatal(err)
	}
	if err := os.WriteFile(*benchWebJSON, append(body, '\n'), 0o644); err != nil {
		w.t.Fatal(err)
	}
}

func countRecords(t *testing.T, b *tablet, family syncproto.FamilyID) (n int) {
	t.Helper()
	if err := b.Read(func(e *engine.Engine) { n = len(e.Records(family)) }); err != nil {
		t.Fatal(err)
	}
	return n
}

func median(all []float64) float64 {
	slices.Sort(all)
	return at(all, 0.5)
}

// at is the value below which this share of the sorted values lies.
func at(sorted []float64, share float64) float64 {
	return sorted[min(len(sorted)-1, int(share*float64(len(sorted))))]
}
