package server

import (
	"context"
	"fmt"
	"sync"
	"time"

	"doorstep/server/internal/backup"
	"doorstep/server/internal/tracing"
)

// backupRetry is how long after a backup that failed the next is tried.
const backupRetry = time.Hour

// backups makes a backup whenever one is due, in a goroutine of its own.
type backups struct {
	cfg   Config
	spans *tracing.Tracer
	log   func(what string, args ...any)
	warn  func(what string, args ...any)
	stop  context.CancelFunc
	done  chan struct{}

	mu     sync.Mutex // guards what follows
	failed string     // why the last one failed; empty: it did not
	known  time.Time  // when the newest one was taken, as far as it was looked for
}

// startBackups makes backups as the configuration says.
func (b *borough) startBackups() {
	if b.cfg.Backup.Dir == "" {
		b.log.Warn("no backups are made: the configuration has no backup.dir")
		return
	}
	ctx, stop := context.WithCancel(context.Background())
	s := &backups{cfg: b.cfg, spans: b.traces, log: b.log.Info, warn: b.log.Error, stop: stop, done: make(chan struct{})}
	b.backups = s
	go func() {
		defer close(s.done)
		s.run(ctx)
	}()
	b.onClose("backups", func() error { stop(); <-s.done; return nil })
}

func (s *backups) run(ctx context.Context) {
	for {
		wait, err := s.due(time.Now())
		if err == nil && wait <= 0 {
			err = s.make(ctx)
			wait = 0
		}
		if err != nil {
			if ctx.Err() == nil {
				s.warn("the backup failed and is tried again in an hour", "reason", err.Error())
			}
			wait = backupRetry
		}
		s.note(err)
		timer := time.NewTimer(wait)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return
		}
	}
}

// due is how long until the next backup is due.
func (s *backups) due(now time.Time) (time.Duration, error) {
	newest, err := s.newest()
	if err != nil || newest.IsZero() {
		return 0, err
	}
	return newest.Add(s.cfg.Backup.Every).Sub(now), nil
}

// newest is when the newest finished backup was taken; zero: there is none.
func (s *backups) newest() (time.Time, error) {
	in, err := s.cfg.backupFolders()
	if err != nil {
		return time.Time{}, err
	}
	all, err := backup.List(in)
	if err != nil || len(all.Backups) == 0 {
		return time.Time{}, err
	}
	taken := all.Backups[len(all.Backups)-1].Taken
	s.mu.Lock()
	defer s.mu.Unlock()
	s.known = taken
	return taken, nil
}

func (s *backups) make(ctx context.Context) error {
	began := time.Now()
	done, err := tracedBackup(ctx, s.cfg, s.spans, nil)
	if err != nil {
		return fmt.Errorf("making a backup: %w", err)
	}
	s.mu.Lock()
	s.known = began
	s.mu.Unlock()
	s.log("a backup was made", "name", done.Name, "full", done.Full, "head", uint64(done.Head),
		"bytes", done.Bytes, "seconds", int(time.Since(began).Seconds()))
	return nil
}

func (s *backups) note(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.failed = ""; err != nil {
		s.failed = err.Error()
	}
}

// status says when the newest backup was taken, and why the last try failed.
func (s *backups) status() (newest time.Time, trouble string) {
	newest, err := s.newest()
	s.mu.Lock()
	defer s.mu.Unlock()
	if err != nil {
		return newest, err.Error()
	}
	return newest, s.failed
}

// lately says what was found out last, without looking: the place of the backups may
// be a share that does not answer.
func (s *backups) lately() (newest time.Time, failing bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.known, s.failed != ""
}
