package demo

import (
	"fmt"
	"testing"

	"doorstep/server/web/webtest"
)

// noteButton begins a note in a visit's form.
const noteButton = `[...document.querySelectorAll("button")].find((b) => b.textContent === "Add: Notes taken on the visit")`

// A list's form that is being filled in is there again, with its words, when the page
// was ended before anybody pressed Keep; once kept it is an entry and the form is gone.
func TestFault98FormSurvivesItsPage(t *testing.T) {
	s := newStage(t)
	s.enrol()
	s.Press("Start a visit")
	s.Press("Start now")
	s.Sees("Household")
	visit := webtest.Eval[string](s.Browser, "location.hash")
	s.openSections()
	s.Until("there is a list of notes", noteButton)
	webtest.Eval[bool](s.Browser, noteButton+".click(), true")
	s.Press("Typed")
	s.Fill("Note", "He hid the key under the mat")
	s.Until("the words are on the disk", `[...document.querySelectorAll(".parts .field-state")].some((e) => e.innerText.includes("Saved on this tablet"))`)
	s.Open(s.url + "?again" + visit)
	s.Fill("PIN of", "246810")
	s.Press("Unlock")
	s.Sees("Household")
	s.openSections()
	s.Until("the words are in the form", `[...document.querySelectorAll(".parts textarea")].some((a) => a.value === "He hid the key under the mat")`)
	s.Press("Keep")
	s.Until("it is an entry", `[...document.querySelectorAll(".entry")].some((e) => e.innerText.includes("He hid the key under the mat"))`)
	s.Open(s.url + "?once-more" + visit)
	s.Fill("PIN of", "246810")
	s.Press("Unlock")
	s.Sees("Household")
	s.Until("the form is not begun again", fmt.Sprintf("!document.querySelector(%q)", ".parts"))
}

// openSections opens every section of the form, and the questions that are folded away in them.
func (s *stage) openSections() {
	s.t.Helper()
	s.Until("the form is ready", `document.querySelector("details.section") && [...document.querySelectorAll("textarea")].every((a) => !a.readOnly)`)
	s.Until("every section is open and drawn", `(() => {
		const folded = [...document.querySelectorAll("details.section, details.more")].filter((d) => !d.open);
		folded.forEach((d) => d.setAttribute("open", ""));
		return folded.length === 0 && [...document.querySelectorAll("details.section")].every((d) => d.children.length > 1)
			&& [...document.querySelectorAll("textarea")].every((a) => !a.readOnly);
	})()`)
}
