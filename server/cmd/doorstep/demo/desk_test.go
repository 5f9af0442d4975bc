package demo

import (
	"strings"
	"testing"

	"doorstep/server/web/webtest"
)

// newOffice is the demo's borough after its day, and a browser at a desk.
func newOffice(t *testing.T) *stage {
	t.Helper()
	s := newStage(t)
	s.url = strings.Replace(s.url, "/app/", "/desk/", 1)
	return s
}

// as signs somebody in, whoever was signed in before.
func (s *stage) as(login string) {
	s.t.Helper()
	s.Open(s.url)
	if strings.Contains(s.Text(), "Sign out") {
		s.follow("Sign out")
	}
	s.Fill("Sign-in name", login)
	s.Fill("Password", pass)
	s.follow("Sign in")
	s.Sees("Sign out")
}

// follow presses what leads to another page, and waits for it.
func (s *stage) follow(words string) {
	s.t.Helper()
	webtest.Eval[bool](s.Browser, "window.leaving = true")
	s.Press(words)
	s.Until("the page after "+words+" is there", `!window.leaving && document.readyState === "complete"`)
}

// TestTheDeskShowsTheDay: sign in, look at the queue, at what came late and at the record
// that it came to. Every page keeps WCAG 2.2 AA, without a script of its own.
func TestTheDeskShowsTheDay(t *testing.T) {
	s := newOffice(t)
	s.Open(s.url)
	s.look("desk-01-sign-in")
	s.as(grace)
	s.Sees("Nothing waits here.")
	s.look("desk-02-queue")
	s.follow("Late entries")
	s.Sees("1 late entry")
	s.look("desk-03-late")
	s.follow("Child protection visit")
	s.Sees("Came after the record was final")
	s.Sees("No is right: Kat stood in the doorway")
	s.look("desk-04-record")
	if n := webtest.Eval[int](s.Browser, "document.scripts.length"); n > 1 { // axe's
		t.Errorf("the page has %d scripts", n)
	}
}
