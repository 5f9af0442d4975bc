package main

import (
	"bytes"
	"os"
	"strings"
	"testing"
	"time"

	"doorstep/server"
)

// A command at work says how far it is, in a bar where somebody sees it, and where nobody
// knows that, how much it read and wrote.
func TestWorkLine(t *testing.T) {
	half := server.ProgressAt{What: "hashing journal", Unit: "bytes", Done: 300 << 20, Total: 600 << 20, Left: 72 * time.Second}
	for _, c := range []struct {
		so   sofar
		bar  bool
		want string
	}{
		{sofar{moved: movement{600 << 20, 3 << 20}}, true, "verifying: 1:12, 600 MB read, 3 MB written"},
		{sofar{at: half, known: true}, false, "verifying: 1:12, hashing journal, 50 %, 300 of 600 MB, 1:12 left"},
		{sofar{at: half, known: true}, true, "verifying: [##########----------] 1:12, hashing journal, 50 %, 300 of 600 MB, 1:12 left"},
		{sofar{at: server.ProgressAt{What: "reading", Unit: "entries", Done: 3}, known: true}, true, "verifying: 1:12, reading, 3 entries so far"},
	} {
		if got := workLine("verifying", 72*time.Second, c.so, c.bar); got != c.want {
			t.Errorf("it says %q, want %q", got, c.want)
		}
	}
	before := moved()
	if _, err := os.ReadFile("/proc/self/status"); err != nil {
		t.Skip("this system does not say what a process reads")
	}
	if m := moved().since(before); m.read <= 0 {
		t.Errorf("a file was read: %+v", m)
	}
}

// On a terminal the line is written over and gone when something else is said, and at the
// end; elsewhere each is a line of its own.
func TestLineOfACommandAtWork(t *testing.T) {
	var screen bytes.Buffer
	w := &worker{to: &screen, over: true}
	out := above{w, &screen}
	w.say("at work: 0:01")
	w.say("at work: 0:02")
	if _, err := out.Write([]byte("half is done\n")); err != nil {
		t.Fatal(err)
	}
	w.say("at work: 0:03")
	w.wipe()
	w.wipe()
	want := wipeLine + "at work: 0:01" + wipeLine + "at work: 0:02" + wipeLine + "half is done\n" + wipeLine + "at work: 0:03" + wipeLine
	if screen.String() != want {
		t.Errorf("on a terminal: %q, want %q", screen.String(), want)
	}
	var file bytes.Buffer
	screen.Reset()
	w = &worker{to: &screen, over: true, width: func() int { return 10 }}
	w.say("a line that does not fit")
	if want := wipeLine + "a line th"; screen.String() != want {
		t.Errorf("on a narrow terminal: %q, want %q", screen.String(), want)
	}
	w = &worker{to: &file}
	w.say("at work: 0:30")
	w.wipe()
	if file.String() != "at work: 0:30\n" {
		t.Errorf("in a file: %q", file.String())
	}
}

// What a command prints comes through unchanged where nobody looks at a terminal, and
// nothing is added to what is done at once.
func TestWorkingLeavesShortCommandsAlone(t *testing.T) {
	var out, errOut bytes.Buffer
	_, s, stop := streams{strings.NewReader("in"), &out, &errOut}.working(t.Context(), "verifying")
	s.line("all of it")
	stop()
	if out.String() != "all of it\n" || errOut.Len() != 0 {
		t.Errorf("it printed %q and %q", out.String(), errOut.String())
	}
}
