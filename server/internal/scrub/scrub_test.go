package scrub

import (
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"doorstep/server/internal/disk"
	"doorstep/server/internal/disk/disktest"
)

var errRot = errors.New("rot")

// bench is a scrub of parts that tell how often they were read.
type bench struct {
	disk *disktest.Disk

	mu    sync.Mutex
	read  []string         // guarded by mu
	rot   map[string]error // guarded by mu
	fatal error            // read when the scrub has ended
}

func (b *bench) start(names ...string) *Scrub {
	return Start(Config{
		Parts: func() []Part {
			var parts []Part
			for _, name := range names {
				parts = append(parts, Part{Name: name, Check: func(through disk.FS) error { return b.check(name, through) },
					Repair: func(error) error { b.mend(name); return nil }})
			}
			parts[len(parts)-1].Repair = nil
			return parts
		},
		Damage:         func(err error) bool { return errors.Is(err, errRot) },
		BytesPerSecond: 1000, Every: time.Hour, State: "/d/scrub", FS: b.disk,
		Log: slog.New(slog.DiscardHandler), OnFatal: func(err error) { b.fatal = err },
	})
}

// check reads two seconds' worth of a file.
func (b *bench) check(name string, through disk.FS) error {
	f, err := through.Open("/d/file", disk.Read)
	if err != nil {
		return err
	}
	if _, err := f.ReadAt(make([]byte, 2000), 0); err != nil {
		return err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.read = append(b.read, name)
	return b.rot[name]
}

func (b *bench) mend(name string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.rot, name)
}

// readSoFar names what was read, in order.
func (b *bench) readSoFar() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return strings.Join(b.read, "")
}

func newBench(t *testing.T) *bench {
	t.Helper()
	b := &bench{disk: disktest.New(1), rot: map[string]error{}}
	if err := errors.Join(b.disk.MkdirAll("/d"), disk.Replace(b.disk, "/d/file", make([]byte, 2000))); err != nil {
		t.Fatal(err)
	}
	return b
}

func TestPassesAreSlowAndGoOnAfterARestart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		began := time.Now()
		s := b.start("a", "b", "c")
		time.Sleep(5 * time.Second) // in the middle of c
		s.Stop()
		if got := b.readSoFar(); got != "ab" || s.Status().Next != "c" {
			t.Fatalf("read %q in five seconds, next %q, want ab and c", got, s.Status().Next)
		}
		s = b.start("a", "b", "c")
		time.Sleep(10 * time.Second)
		if got := b.readSoFar(); got != "abc" {
			t.Errorf("read %q, want the pass to go on with c", got)
		}
		if st := s.Status(); st.Next != "" || st.FinishedMS == 0 || st.BeganMS != began.UnixMilli() {
			t.Errorf("after a pass: %+v", st)
		}
		time.Sleep(time.Hour)
		s.Stop()
		if got := b.readSoFar(); got != "abcabc" {
			t.Errorf("read %q, want a second pass an hour after the first began", got)
		}
	})
}

func TestDamageIsRepairedOrEndsTheProcess(t *testing.T) {
	for _, c := range []struct {
		rotten string
		fatal  bool
	}{{"a", false}, {"b", true}} {
		t.Run(fmt.Sprint("part ", c.rotten), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBench(t)
				b.rot[c.rotten] = fmt.Errorf("%s: %w", c.rotten, errRot)
				s := b.start("a", "b")
				time.Sleep(time.Minute)
				s.Stop()
				if (b.fatal != nil) != c.fatal {
					t.Errorf("fatal: %v", b.fatal)
				}
				if c.fatal && !strings.Contains(b.fatal.Error(), c.rotten) {
					t.Errorf("%v does not say what is damaged", b.fatal)
				}
				if !c.fatal && (s.Status().Repaired != 1 || s.Status().FinishedMS == 0) {
					t.Errorf("after a repair: %+v", s.Status())
				}
			})
		})
	}
}

func TestTroubleThatIsNoRotIsShownAndTriedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		b.rot["a"] = errors.New("the cable is out")
		s := b.start("a", "b")
		time.Sleep(time.Minute)
		if s.Status().Trouble == "" {
			t.Errorf("status %+v", s.Status())
		}
		b.mend("a")
		time.Sleep(2 * time.Hour)
		s.Stop()
		if b.fatal != nil {
			t.Errorf("fatal: %v", b.fatal)
		}
		if s.Status().Trouble != "" || s.Status().FinishedMS == 0 {
			t.Errorf("after the trouble was over: %+v", s.Status())
		}
	})
}
