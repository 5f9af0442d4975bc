package demo

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/chromedp/cdproto/cdp"
	cdppage "github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"

	"doorstep/server/web/webtest"
	"doorstep/syncproto/schema"
)

// elsewhere are the kinds that nobody begins from a family's page: what the council's own
// system sends, the visit with its children's parts, which has a button of its own, and
// what is begun at a desk.
var elsewhere = []string{"family", "person", "allocation", "status", "visit", "visit_child", "volunteer_match", "supervision_personal"}

// asRole has the app believe that the person has another role, which decides what it offers
// to begin. What they may is decided by the server, which is gone by now.
const asRole = `(() => {
	const set = Object.getOwnPropertyDescriptor(Worker.prototype, "onmessage").set;
	Object.defineProperty(Worker.prototype, "onmessage", {set(fn) { set.call(this, (e) => {
		const role = sessionStorage.getItem("test-role");
		if (role && e.data.event === "session" && e.data.value) e.data.value.role = role;
		fn.call(this, e);
	}); }});
})()`

// everyKind opens the form of every kind that can be begun from a family's page, as each
// role that is offered some, and writes into it.
func (s *stage) everyKind() {
	s.t.Helper()
	s.call("preparing the page", func(ctx context.Context, tab *chromedp.Target) (chromedp.Void, error) {
		_, err := cdp.Call(ctx, tab, cdppage.AddScriptToEvaluateOnNewDocument, cdppage.AddScriptToEvaluateOnNewDocumentParams{Source: asRole})
		return chromedp.Void{}, err
	})
	s.goTo("#/today")
	s.Press("Pepperdine-Vale")
	s.Sees("Who is who")
	family := webtest.Eval[string](s.Browser, "location.hash")
	seen := slices.Clone(elsewhere)
	for _, role := range []string{"social_worker", "clinician", "fit_specialist", "met_worker", "volunteer", "manager", "coach"} {
		webtest.Eval[bool](s.Browser, fmt.Sprintf("sessionStorage.setItem('test-role', %q), true", role))
		s.Open(s.url + "?" + role + family)
		s.Fill("PIN of", "246810")
		s.Press("Unlock")
		s.Until("there is something to record", `document.querySelector(".another__list button")`)
		for _, name := range webtest.Eval[[]string](s.Browser, `[...document.querySelectorAll(".another__list button")].map((b) => b.textContent)`) {
			seen = append(seen, s.oneKind(family, name))
		}
	}
	for _, k := range schema.All() {
		if !slices.Contains(seen, k.ID) {
			s.t.Errorf("nobody is offered to record a %s", k.Name)
		}
	}
}

// oneKind begins a record of a kind by its name, and returns its id.
func (s *stage) oneKind(family, name string) string {
	s.t.Helper()
	all := schema.All()
	at := slices.IndexFunc(all, func(k *schema.Kind) bool { return strings.EqualFold(k.Name, name) })
	if at < 0 {
		s.t.Errorf("the app offers to record a %q, which is no kind", name)
		return ""
	}
	s.goTo(family)
	s.Until("it can be begun", `document.querySelector(".another__list button")`)
	webtest.Eval[bool](s.Browser, fmt.Sprintf(`[...document.querySelectorAll(".another__list button")].find((b) => b.textContent === %q).click(), true`, name))
	s.Until("the form of "+name+" is there", `/^#\/(record|begin)\//.test(location.hash) && document.querySelector(".field")`)
	s.openSections()
	for _, f := range all[at].Fields {
		if len(f.RequiredIf) == 0 && !webtest.Eval[bool](s.Browser, fmt.Sprintf(`document.getElementById("field-" + %q) !== null`, f.ID)) {
			s.t.Errorf("the form of %s lacks %s", name, f.ID)
		}
	}
	s.Until("there is a field to write in", `(() => {
		const field = () => document.querySelector("textarea:not([readonly]), .field input.govuk-input:not([inputmode])");
		if (!field()) [...document.querySelectorAll(".field button")].find((b) => b.textContent.startsWith("Add"))?.click();
		if (!field()) return false;
		field().focus();
		return document.execCommand("insertText", false, "Seen.");
	})()`)
	s.Until("the words are on the disk", `[...document.querySelectorAll(".field-state, .prose__state:not([data-typed])")].some((e) => e.textContent.includes("Saved on this tablet"))`)
	if wrong := webtest.Eval[string](s.Browser, `document.querySelector("[role=alert], .box--risk")?.textContent ?? ""`); wrong != "" {
		s.t.Errorf("%s: the form says %q", name, wrong)
	}
	return all[at].ID
}
