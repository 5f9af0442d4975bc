// Package scrub reads everything that the borough keeps over and over, slowly, so that rot is found while there is
// still another copy.
//
// A Scrub goes through the parts that it is given, one after the other, remembers in a small file how far it has got,
// and goes on there after a restart. What is damaged it hands to the part's Repair; what nothing can repair ends the
// process, by name. Status says how it stands. It knows nothing of what is in the parts.
package scrub

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"path/filepath"
	"sync"
	"time"

	"doorstep/server/internal/disk"
)

// Part is something that can be read through and compared with what it should be.
type Part struct {
	Name string // unique, and the same after a restart
	// Check reads the part by a disk that is slowed down. An error for which Damage is true is rot.
	Check func(through disk.FS) error
	// Repair brings a damaged part back from another copy, or says why it cannot. nil: there is no other copy.
	Repair func(damage error) error
}

// Config is what New needs. All fields are required.
type Config struct {
	// Parts lists what there is at the beginning of a pass, in an order that a restart does not change.
	Parts func() []Part
	// Damage tells rot from other errors.
	Damage func(error) bool
	// BytesPerSecond bounds what is read.
	BytesPerSecond int64
	// Every is how long after the beginning of a pass the next begins.
	Every time.Duration
	// State is the file that remembers how far it has got.
	State string
	FS    disk.FS
	Log   *slog.Logger
	// OnFatal is told of damage that nothing could repair. The process must end.
	OnFatal func(error)
}

// Status says how the scrub stands. Times are Unix milliseconds, 0: never.
type Status struct {
	BeganMS    int64  `json:"began_ms"`    // of this pass, or the last one
	FinishedMS int64  `json:"finished_ms"` // of the last whole pass
	Next       string `json:"next"`        // the part to be read next; empty: a pass is over
	Parts      int    `json:"parts"`       // read in this pass
	Of         int    `json:"of"`          // parts that this pass has; 0: not known yet
	Repaired   int    `json:"repaired"`    // ever
	Trouble    string `json:"trouble"`     // what went wrong last, and was not rot
}

// Scrub reads in a goroutine of its own, from Start to Stop.
type Scrub struct {
	cfg  Config
	stop context.CancelFunc
	done chan struct{}

	mu     sync.Mutex // guards status
	status Status
}

// Start begins where the last process stopped.
func Start(cfg Config) *Scrub {
	ctx, stop := context.WithCancel(context.Background())
	s := &Scrub{cfg: cfg, stop: stop, done: make(chan struct{})}
	s.status = s.load()
	go func() {
		defer close(s.done)
		s.run(ctx)
	}()
	return s
}

// Stop ends the reading and waits for it.
func (s *Scrub) Stop() {
	s.stop()
	<-s.done
}

// Status says how far the scrub has got.
func (s *Scrub) Status() Status {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.status
}

func (s *Scrub) run(ctx context.Context) {
	for ctx.Err() == nil {
		if !s.wait(ctx) {
			return
		}
		err := s.pass(ctx)
		if err == nil || ctx.Err() != nil {
			continue
		}
		if s.cfg.Damage(err) {
			s.cfg.OnFatal(fmt.Errorf("the scrub found damage that nothing here can repair: %w", err))
			return
		}
		s.cfg.Log.Error("the scrub could not read on and tries again in an hour", "reason", err.Error())
		s.update(func(st *Status) { st.Trouble = err.Error() })
		sleep(ctx, time.Hour)
	}
}

// wait returns when a pass is due, or false when the scrub is to stop.
func (s *Scrub) wait(ctx context.Context) bool {
	st := s.Status()
	if st.Next != "" || st.BeganMS == 0 {
		return true
	}
	return sleep(ctx, time.Until(time.UnixMilli(st.BeganMS).Add(s.cfg.Every)))
}

// pass reads every part once, from where it stopped.
func (s *Scrub) pass(ctx context.Context) error {
	parts := s.cfg.Parts()
	from := 0
	next := s.Status().Next
	for i, p := range parts {
		if p.Name == next {
			from = i
		}
	}
	if from == 0 {
		s.update(func(st *Status) { st.BeganMS = time.Now().UnixMilli() })
	}
	s.update(func(st *Status) { st.Parts, st.Of = from, len(parts) })
	through := slowly(ctx, s.cfg.FS, s.cfg.BytesPerSecond)
	for _, p := range parts[from:] {
		s.update(func(st *Status) { st.Next = p.Name })
		if err := s.part(p, through); err != nil {
			return err
		}
		s.update(func(st *Status) { st.Parts++ })
	}
	s.update(func(st *Status) { st.Next, st.FinishedMS, st.Trouble = "", time.Now().UnixMilli(), "" })
	s.cfg.Log.Info("the scrub read everything through", "parts", len(parts))
	return nil
}

func (s *Scrub) part(p Part, through disk.FS) error {
	err := p.Check(through)
	if err == nil || !s.cfg.Damage(err) {
		return err
	}
	s.cfg.Log.Error("the scrub found damage", "part", p.Name, "damage", err.Error())
	if p.Repair == nil {
		return err
	}
	if rerr := p.Repair(err); rerr != nil {
		return errors.Join(err, fmt.Errorf("repairing %s: %w", p.Name, rerr))
	}
	if err := p.Check(through); err != nil {
		return fmt.Errorf("after repairing %s: %w", p.Name, err)
	}
	s.cfg.Log.Warn("the damage was repaired from another copy", "part", p.Name)
	s.update(func(st *Status) { st.Repaired++ })
	return nil
}

// update changes the status and writes it down. A file that cannot be written
// costs nothing but reading again after a restart.
func (s *Scrub) update(change func(*Status)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change(&s.status)
	b, err := json.Marshal(s.status)
	if err == nil {
		err = disk.Replace(s.cfg.FS, s.cfg.State, b)
	}
	if err != nil {
		s.cfg.Log.Warn("the scrub cannot remember how far it has got", "file", filepath.Base(s.cfg.State), "reason", err.Error())
	}
}

const maxStateBytes = 1 << 20

func (s *Scrub) load() (st Status) {
	b, err := disk.ReadFile(s.cfg.FS, s.cfg.State, maxStateBytes)
	if errors.Is(err, fs.ErrNotExist) {
		return Status{}
	}
	if err == nil {
		err = json.Unmarshal(b, &st)
	}
	if err != nil {
		s.cfg.Log.Warn("the scrub begins anew", "reason", err.Error())
		return Status{}
	}
	return st
}

// sleep waits, and answers false if ctx ended meanwhile.
func sleep(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// slowly is a file system that reads no faster than it may.
func slowly(ctx context.Context, fsys disk.FS, perSecond int64) disk.FS {
	return disk.Watched(fsys, func(bytes int) error {
		if !sleep(ctx, time.Duration(int64(bytes)*int64(time.Second)/perSecond)) {
			return ctx.Err()
		}
		return nil
	})
}
