package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"doorstep/server"
)

// How often a command that takes long says that it is at work: on a terminal in one line
// that is written over, elsewhere in a line of its own, so that a log stays readable.
const (
	redrawEvery = 500 * time.Millisecond
	sayEvery    = 30 * time.Second
)

// barWidth is how many characters a bar has on a terminal.
const barWidth = 20

// working has a command say on standard error how far it is, until stop: work that is done
// under the context that comes back says so stage by stage, with a percentage and what is
// left where the whole is known. Elsewhere it says how much it read and wrote. What the
// command prints through the streams that come back goes above that line. Nothing is said
// of a command that is done at once.
func (s streams) working(ctx context.Context, what string) (work context.Context, out streams, stop func()) {
	work, meter := server.WithProgress(ctx)
	every, w := sayEvery, &worker{to: s.err}
	if f, ok := s.err.(*os.File); ok && terminal(f) {
		every, w.over, w.width = redrawEvery, true, func() int { return columns(f) }
	}
	tick, quit, done := time.NewTicker(every), make(chan struct{}), make(chan struct{})
	began, before := time.Now(), moved()
	go func() {
		defer close(done)
		for {
			select {
			case <-tick.C:
				at, known := meter.At()
				w.say(workLine(what, time.Since(began), sofar{at, known, moved().since(before)}, w.over))
			case <-quit:
				return
			}
		}
	}()
	return work, streams{s.in, above{w, s.out}, above{w, s.err}}, func() {
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

// columns is how many characters a line of a terminal takes; 0: it does not say.
func columns(f *os.File) int {
	size, err := unix.IoctlGetWinsize(int(f.Fd()), unix.TIOCGWINSZ)
	if err != nil {
		return 0
	}
	return int(size.Col)
}

// sofar is what is known of a command at work.
type sofar struct {
	at    server.ProgressAt
	known bool // the work says where it stands
	moved movement
}

// workLine is what is said: with a bar on a terminal.
func workLine(what string, took time.Duration, so sofar, bar bool) string {
	line := what + ": "
	if bar && so.known && so.at.Total > 0 {
		line += so.at.Bar(barWidth) + " "
	}
	line += progressClock(took)
	if so.known {
		return line + ", " + so.at.String()
	}
	return fmt.Sprintf("%s, %d MB read, %d MB written", line, so.moved.read>>20, so.moved.written>>20)
}

// progressClock is a time in minutes and seconds.
func progressClock(d time.Duration) string {
	seconds := int(d.Seconds())
	return fmt.Sprintf("%d:%02d", seconds/60, seconds%60)
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
	to    io.Writer
	over  bool       // the line is written over
	width func() int // of the terminal, in characters; nil, or 0: not known

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
	if w.width != nil {
		if room := w.width() - 1; room > 0 && len(line) > room {
			line = line[:room] // a line that went on below would not be wiped whole
		}
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
