package endtoend

import (
	"testing"

	"doorstep/server/web/webtest"
)

// TestTheAppInASecondEngine is the way that everything hangs on, in another browser's
// engine: set up, begin a visit, write, load the page anew without a server, and the
// words are there.
func TestTheAppInASecondEngine(t *testing.T) {
	t.Parallel()
	b := newBorough(t, caseload{workers: 1, families: 1, plans: true})
	front := newFront(t, b)
	w := webtest.StartWebKit(t) // after the server, and so gone before it
	code, err := b.operator().IssueCode(t.Context(), login(0))
	if err != nil {
		t.Fatal(err)
	}
	w.Open(front.URL + "/app/")
	w.Fill("Sign-in name", login(0))
	w.Fill("Password", password)
	w.Fill("Enrolment code", code.Code)
	w.Fill("Choose a PIN", pin)
	w.Press("Set up")
	w.Until("the families are there", `document.querySelector(".card__title")`)
	w.Until("the app is kept on the tablet", "window.kept || void navigator.serviceWorker.ready.then(() => { window.kept = true; })")
	w.Press("Start a visit")
	w.Press("Start now")
	w.Until("the form is ready", `document.querySelector("textarea") && [...document.querySelectorAll("textarea")].every((a) => !a.readOnly)`)
	front.signal(false)
	words := "Seen at home. The stair gate is fixed. 🙂"
	w.Fill(summary, words)
	w.Until("the words are kept", stateOf(summary)+`.startsWith("Saved on this tablet")`)
	var visit, got string
	w.Eval("location.hash", &visit)
	w.Open(front.URL + "/app/?again" + visit)
	w.Fill("PIN of", pin)
	front.signal(true) // under its driver this engine has no private files, and asks the server for its share again
	w.Fill("Password", password)
	w.Press("Unlock")
	w.Until("the form is ready", `document.querySelector("textarea") && [...document.querySelectorAll("textarea")].every((a) => !a.readOnly)`)
	if w.Eval(area(summary)+".value", &got); got != words {
		t.Errorf("the page reads %q, want %q", got, words)
	}
}
