package demo

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	cdpage "github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"

	"doorstep/server/web/webtest"
)

// TestTheAppKeepsToItsPolicy: days are written in UK order, no screen does what the content security policy forbids,
// the browser forbids what an injected string would try, and it finds the app fit to
// be installed.
func TestTheAppKeepsToItsPolicy(t *testing.T) {
	s := newStage(t)
	if _, err := chromedp.Call(s.Context(), cdpage.AddScriptToEvaluateOnNewDocument, cdpage.AddScriptToEvaluateOnNewDocumentParams{Source: `
		window.broken = []; document.addEventListener("securitypolicyviolation", (e) => window.broken.push(e.effectiveDirective + " " + e.blockedURI));`}); err != nil {
		t.Fatal(err)
	}
	s.enrol()
	s.installable()
	s.Press("Start a visit")
	s.Press("Start now")
	s.Sees("Household")
	s.writesDays()
	s.Fill("Home conditions", said)
	s.Press("Show the family")
	s.Sees("Back to recording")
	for _, place := range []string{"outbox", "more", "today"} {
		webtest.Eval[bool](s.Browser, `location.hash = "#/`+place+`", true`)
		s.Until("the screen is there", `document.querySelector("h1")`)
	}
	if got := webtest.Eval[[]string](s.Browser, "window.broken"); len(got) > 0 {
		t.Errorf("the app does what its policy forbids: %v", got)
	}
	// What an injected string would try. It is tried later, because what a debugger
	// evaluates may do more than a page.
	got := webtest.Eval[map[string]string](s.Browser, `new Promise((done) => setTimeout(async () => {
		const tries = {
			"eval": () => eval("1"),
			"a function from a string": () => new Function("return 1")(),
			"markup from a string": () => { document.createElement("div").innerHTML = "<b>x</b>"; },
			"a worker from a string": () => new Worker("/app/worker.js"),
			"a script from a string": () => { document.createElement("script").src = "/app/app.js"; },
			"another policy": () => trustedTypes.createPolicy("other", {}),
			"another origin": () => fetch("https://example.org/"),
			"an inline style": () => { const e = document.createElement("p"); e.setAttribute("style", "color: red"); document.body.append(e);
				const red = e.style.color; e.remove(); if (!red) throw new Error("not applied"); },
		};
		const said = {};
		for (const [name, attempt] of Object.entries(tries)) {
			try { await attempt(); said[name] = "allowed"; } catch (e) { said[name] = e.name; }
		}
		done(said);
	}))`)
	for _, what := range slices.Sorted(maps.Keys(got)) {
		if got[what] == "allowed" {
			t.Errorf("%s is allowed", what)
		}
	}
	if len(got) < 8 {
		t.Errorf("%d things were tried, want 8", len(got))
	}
}

// installable holds the app to the browser's own check.
func (s *stage) installable() {
	s.t.Helper()
	s.Until("the app is kept on the tablet", "window.kept || void navigator.serviceWorker.ready.then(() => { window.kept = true; })")
	errs, err := chromedp.Call(s.Context(), cdpage.GetInstallabilityErrors, cdp.Empty{})
	if err != nil {
		s.t.Fatal(err)
	}
	for _, e := range errs.InstallabilityErrors {
		s.t.Errorf("the browser does not install the app: %s %v", e.ErrorID, e.ErrorArguments)
	}
	manifest, err := chromedp.Call(s.Context(), cdpage.GetAppManifest, cdpage.GetAppManifestParams{})
	if err != nil {
		s.t.Fatal(err)
	}
	for _, e := range manifest.Errors {
		s.t.Errorf("the manifest: %s", e.Message)
	}
	if !strings.Contains(manifest.Data, "Doorstep") {
		s.t.Errorf("the browser reads no manifest: %q", manifest.Data)
	}
}

// writesDays types days into the visit that is open: as day, month and year whatever the
// browser's language; what is no day is said at once and not kept.
func (s *stage) writesDays() {
	s.t.Helper()
	s.Press("What comes next")
	s.FillIn("Next visit", "Day", "31")
	s.FillIn("Next visit", "Month", "2")
	s.FillIn("Next visit", "Year", "2027\t")
	s.Until("it is told", `document.getElementById("field-next_visit").innerText.includes("This is not a day")`)
	s.FillIn("Next visit", "Day", "3")
	s.Until("it is kept", `document.getElementById("field-next_visit").innerText.includes("Saved on this tablet")`)
	s.Press("The visit")
	s.FillIn("Ended", "Day", "3")
	s.FillIn("Ended", "Month", "2")
	s.FillIn("Ended", "Year", "2026")
	s.FillIn("Ended", "Time", "2.30pm")
	s.Until("it is kept", `document.getElementById("field-end").innerText.includes("Saved on this tablet")`)
	visit := webtest.Eval[string](s.Browser, "location.hash")
	webtest.Eval[bool](s.Browser, `location.hash = "#/today", true`)
	s.Sees("Your families")
	webtest.Eval[bool](s.Browser, `location.hash = "`+visit+`", true`)
	s.openSections()
	s.Until("the days are read again", `(document.querySelectorAll("#field-next_visit .when__open, #field-end .when__open").forEach((b) => b.click()),
		[...document.querySelectorAll("#field-next_visit input, #field-end input")].map((e) => e.value).sort().join(" ") === "14:30 2 2 2026 2027 3 3")`)
}
