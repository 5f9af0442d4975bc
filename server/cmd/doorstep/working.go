package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// How often a command that takes long says that it is at work: on a terminal in one line
// that is written over, elsewhere in a line of its own, so that a log stays readable.
const (
	redrawEvery = 500 * time.Millisecond
	sayEvery    = 30 * time.Second
)

// working has a command say on standard error how long it has been at work and how much it
// read and wrote, until stop. What the command prints through the streams that come back
// goes above that line. Nothing is said of a command that is done at once.
func (s streams) working(what string) (out streams, stop func()) {
	every, over := sayEvery, false
	if f, ok := s.err.(*os.File); ok && terminal(f) {
		every, over = redrawEvery, true
	}
	w := &worker{to: s.err, over: over}
	tick, quit, done := time.NewTicker(every), make(chan struct{}), make(chan struct{})
	began, before := time.Now(), moved()
	go func() {
		defer close(done)
		for {
			select {
			case <-tick.C:
				w.say(workLine(what, time.Since(began), moved().since(before)))
			case <-quit:
				return
			}
		}
	}()
	return streams{s.in, above{w, s.out}, above{w, s.err}}, func() {
		tick.Stop()
		close(quit)
		<-done
		w.wipe()
	}
}

// terminal reports whether somebody looks at a file's lines as they come.
func terminal(f *os.File) bool {
	_, err := unix.IoctlGetTermios(int(f.Fd()), unix.TCGETS)
	return err == nil
}

// workLine is what is said.
func workLine(what string, took time.Duration, m movement) string {
	seconds := int(took.Seconds())
	return fmt.Sprintf("%s: %d:%02d, %d MB read, %d MB written", what, seconds/60, seconds%60, m.read>>20, m.written>>20)
}

// movement is how many bytes the process read and wrote, files and connections alike.
type movement struct{ read, written int64 }

func (m movement) since(before movement) movement {
	return movement{m.read - before.read, m.written - before.written}
}

// moved is what it moved so far; zero where the system does not say.
func moved() (m movement) {
	text, err := os.ReadFile("/proc/self/io")
	if err != nil {
		return m
	}
	for line := range strings.Lines(string(text)) {
		_, _ = fmt.Sscanf(line, "rchar: %d", &m.read)
		_, _ = fmt.Sscanf(line, "wchar: %d", &m.written)
	}
	return m
}

// worker writes the line.
type worker struct {
	to   io.Writer
	over bool // the line is written over

	mu    sync.Mutex // guards to, and drawn
	drawn bool       // the line stands there
}

const wipeLine = "\r\x1b[K"

func (w *worker) say(line string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.over {
		fmt.Fprintln(w.to, line)
		return
	}
	fmt.Fprint(w.to, wipeLine+line)
	w.drawn = true
}

func (w *worker) wipe() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.wipeLocked()
}

func (w *worker) wipeLocked() {
	if w.drawn {
		fmt.Fprint(w.to, wipeLine)
		w.drawn = false
	}
}

// above writes what a command prints where the line was.
type above struct {
	w  *worker
	to io.Writer
}

// Write implements io.Writer.
func (a above) Write(p []byte) (int, error) {
	a.w.mu.Lock()
	defer a.w.mu.Unlock()
	a.w.wipeLocked()
	return a.to.Write(p)
}
