package demo

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/chromedp/cdproto/cdp"
	cdppage "github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"

	"doorstep/server/internal/access"
	"doorstep/server/web/webtest"
	"doorstep/syncproto/schema"
)

// elsewhere are the kinds that nobody begins from the list on a family's page: what the
// council's own system sends, the visit with its children's parts, which has a button of
// its own, and minutes, which begin at the desk with who is to confirm them.
var elsewhere = []string{"family", "person", "allocation", "status", "visit", "visit_child", "minutes"}

// mayBegin lists the kinds that the table of who may do what lets a role begin in a family
// that is on its tablets, but for those elsewhere.
func mayBegin(role access.Role) (kinds []string) {
	for _, k := range schema.All() {
		if !slices.Contains(elsewhere, k.ID) && slices.ContainsFunc(carried(role), func(a access.Asker) bool { return begins(a, k.ID) }) {
			kinds = append(kinds, k.ID)
		}
	}
	slices.Sort(kinds)
	return kinds
}

// visits reports whether a role may begin visits of families that are on its tablets.
func visits(role access.Role) bool {
	return slices.ContainsFunc(carried(role), func(a access.Asker) bool { return begins(a, "visit") })
}

func begins(a access.Asker, kind string) bool {
	return a.May(kind, access.Need{Action: access.ActionCreate}).Allow
}

// carried is somebody of a role on each footing that brings families to their tablets.
func carried(role access.Role) (askers []access.Asker) {
	for _, basis := range []access.Basis{access.BasisLead, access.BasisCo, access.BasisPA, access.BasisClin, access.BasisFIT, access.BasisVol, access.BasisMET,
		access.BasisChair, access.BasisIRO, access.BasisEDT, access.BasisCoord, access.BasisManager, access.BasisJoint, access.BasisCover, access.BasisConsult,
		access.BasisProgramme} {
		if _, carries := access.Holds(string(role), string(basis)); carries {
			askers = append(askers, access.Asker{Role: role, Bases: []access.Basis{basis}})
		}
	}
	return askers
}

// asRole lets the test tell the page that the person has another role, which decides what
// it offers to begin. What they may is decided by the server, which is gone by now.
const asRole = `(() => {
	const set = Object.getOwnPropertyDescriptor(Worker.prototype, "onmessage").set;
	Object.defineProperty(Worker.prototype, "onmessage", {set(fn) { set.call(this, (e) => {
		const { event, value } = e.data;
		if (event === "session" && value) window.asRole = (role) => fn.call(this, {data: {event, value: {...value, role}}});
		fn.call(this, e);
	}); }});
})()`

// everyKind holds what each role is offered to begin on a family's page to what it may
// begin there, opens the form of each kind, and writes into it.
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
	s.Open(s.url + "?kinds" + family)
	s.Fill("PIN of", "246810")
	s.Press("Unlock")
	s.Until("the family's page is there", `window.asRole && document.querySelector(".records")`)
	seen := slices.Clone(elsewhere)
	for _, role := range access.Roles() {
		may := mayBegin(role)
		s.goTo(family)
		webtest.Eval[bool](s.Browser, fmt.Sprintf("window.asRole(%q), true", role))
		s.Until(fmt.Sprintf("a %s is offered what they may begin, %v", role, may), offered+" === "+fmt.Sprintf("%q", strings.Join(namesOf(may), ", ")))
		if got, want := webtest.Eval[bool](s.Browser, `document.querySelector(".start, .start-visit") !== null`), visits(role); got != want {
			s.t.Errorf("a %s is offered to start a visit: %v, want %v", role, got, want)
		}
		for _, id := range may {
			if !slices.Contains(seen, id) {
				seen = append(seen, id)
				s.oneKind(family, id)
			}
		}
	}
	for _, k := range schema.All() {
		if !slices.Contains(seen, k.ID) && !slices.Contains(kept, k.ID) {
			s.t.Errorf("nobody is offered to record a %s", k.Name)
		}
	}
}

// kept are the kinds that are begun in files that no tablet carries: the server tells who
// may, and TestTheAppBeginsWhatNoTabletKeeps does it.
var kept = []string{"supervision_personal", "observation"}

// offered is what the family's page offers to begin.
const offered = `[...document.querySelectorAll(".another__list button")].map((b) => b.textContent).sort().join(", ")`

// namesOf are the names of kinds as the page has them, sorted.
func namesOf(kinds []string) (names []string) {
	for _, id := range kinds {
		kind, _ := schema.Newest(id)
		names = append(names, strings.ToUpper(kind.Name[:1])+kind.Name[1:])
	}
	slices.Sort(names)
	return names
}

// oneKind begins a record of a kind from a family's page.
func (s *stage) oneKind(family, id string) {
	s.t.Helper()
	kind, _ := schema.Newest(id)
	name := namesOf([]string{id})[0]
	s.goTo(family)
	s.Until("it can be begun", `document.querySelector(".another__list button")`)
	webtest.Eval[bool](s.Browser, fmt.Sprintf(`[...document.querySelectorAll(".another__list button")].find((b) => b.textContent === %q).click(), true`, name))
	s.Until("the form of "+name+" is there", `/^#\/(record|begin)\//.test(location.hash) && document.querySelector(".field")`)
	s.once("18-a-form-not-begun", strings.HasPrefix(webtest.Eval[string](s.Browser, "location.hash"), "#/begin/"))
	s.openSections()
	for _, f := range kind.Fields {
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
	s.once("19-words-that-are-only-here", strings.HasPrefix(webtest.Eval[string](s.Browser, "location.hash"), "#/record/"))
	if wrong := webtest.Eval[string](s.Browser, `document.querySelector("[role=alert], .box--risk")?.textContent ?? ""`); wrong != "" {
		s.t.Errorf("%s: the form says %q", name, wrong)
	}
}

// once looks at a state the first time that the app is in it.
func (s *stage) once(state string, now bool) {
	s.t.Helper()
	if now && !s.looked[state] {
		s.looked[state] = true
		s.look(state)
	}
}
