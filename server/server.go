// Package server is one borough's Doorstep server as a value.
//
// Open opens the data and binds the addresses, Serve answers until its context
// ends, Close gives everything back. Config is all that can be set. An Operator
// does what IT does with a borough's people and devices, on a running server
// through its admin socket or on the data itself. The packages under internal do
// the work; this one only puts them together (borough.go) and decides nothing
// about records.
package server

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"sync"
	"time"

	"doorstep/server/internal/api"
	"doorstep/server/internal/export"
	"doorstep/server/web"
)

// drainTime is how long requests that are under way may take once the server is
// to stop: a slow tablet's upload, but less than what service managers wait.
const drainTime = 20 * time.Second

// ErrPort says that the account may not listen on the port that the configuration names.
var ErrPort = errors.New("this account may not listen on that port")

// Server is an open borough with its addresses bound.
type Server struct {
	borough  *borough
	api      *api.API
	listener net.Listener
	secure   *tls.Config // nil: plain HTTP
	admin    *adminServer
	figures  *figuresServer // nil: no figures are shown

	closing sync.Once
	closed  error
}

// Open opens the borough of cfg for serving: it takes the lock on the data, reads
// the keys, verifies the journal's end, brings the index up to it and binds the
// addresses. The rest of the journal is verified while it serves. Log lines go to
// logs. It never begins a borough: see Init.
func Open(cfg Config, logs io.Writer) (*Server, error) { return OpenAt(cfg, logs, time.Now) }

// OpenAt is Open for a borough whose past is played: what it records, and the log of who
// looked at what, is dated by now, and what is due is so by it. Sessions, proofs and limits
// go by the machine's clock.
func OpenAt(cfg Config, logs io.Writer, now func() time.Time) (*Server, error) {
	return open(&borough{cfg: cfg, clock: now}, logs)
}

// OpenWatched is Open, and meter says meanwhile how far it is: an index that is built anew
// takes its time.
func OpenWatched(cfg Config, logs io.Writer, meter *Progress) (*Server, error) {
	return open(&borough{cfg: cfg, clock: time.Now, progress: meter}, logs)
}

func open(b *borough, logs io.Writer) (*Server, error) {
	cfg := b.cfg
	if err := cfg.Check(); err != nil {
		return nil, err
	}
	b.serving = true
	b.level.Set(levelOf(cfg.Log))
	b.reloader.last = cfg
	b.log = newLeveled(cfg.Log, &b.level, logs)
	b.startMeter()
	if err := b.startTraces(); err != nil {
		return nil, err
	}
	b, err := openWith(b, false)
	if err != nil {
		return nil, err
	}
	b.startBallast()
	b.startScrub()
	b.startBackups()
	b.startLooking()
	s := &Server{borough: b}
	b.keepCheckpoints()
	b.startIncoming(notedOperator{localOperator{b}})
	if err := b.startDelivery(); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	if err := s.bind(cfg); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// practitionersApp is the web app, or none if the binary was built without.
func practitionersApp() api.App {
	if app, ok := web.Open(); ok {
		return app
	}
	return nil
}

// bind makes the HTTP face and takes the addresses.
func (s *Server) bind(cfg Config) error {
	b := s.borough
	desk, err := b.pages(cfg)
	if err != nil {
		return err
	}
	s.api, err = api.New(api.Config{
		App: practitionersApp(), Desk: desk,
		Name: cfg.Name, Borough: cfg.Borough, Origin: cfg.Listen.PublicURL, Auth: b.auth, Exchange: b.exchange, Events: b.hub, Records: b.room,
		Workflow: b.finalise, Doors: b.doors, Erasures: b.erasure,
		Exports: export.New(export.Config{Store: b.store, Records: b.room, Accesses: b.accesses, Now: time.Now}), Health: b, SignReply: b.secrets.signReply,
		ReplyKey: b.secrets.reply.Public().(ed25519.PublicKey), RecoveryKey: b.secrets.recovery, Checkpoints: b.audit, Accesses: b.accesses, Oversight: b.oversight(), Copies: b.copies(), StepUp: cfg.Sessions.StepUp,
		Now: time.Now, Random: rand.Reader, Log: b.log, Meter: b.answers(), Traces: b.traces, TrustedProxies: cfg.proxies(), Limits: cfg.limits(),
	})
	if err != nil {
		return err
	}
	if cfg.Listen.TLSCert != "" {
		pair, err := openCertificate(cfg.Listen.TLSCert, cfg.Listen.TLSKey, b.log)
		if err != nil {
			return err
		}
		s.secure = &tls.Config{GetCertificate: pair.get, MinVersion: tls.VersionTLS13, NextProtos: []string{"http/1.1"}}
	}
	if s.listener, err = net.Listen("tcp", cfg.Listen.Address); err != nil {
		if errors.Is(err, fs.ErrPermission) {
			err = fmt.Errorf("%w: %w", ErrPort, err)
		}
		return fmt.Errorf("listening on %s: %w", cfg.Listen.Address, err)
	}
	if s.admin, err = listenAdmin(cfg.Data.Dir, notedOperator{localOperator{b}}); err != nil {
		return err
	}
	s.figures, err = s.listenFigures()
	return err
}

// Addr is the address that the server listens on.
func (s *Server) Addr() net.Addr { return s.listener.Addr() }

// Serve answers requests until ctx ends, then lets what is under way finish. It
// returns nil after that, and an error if serving or the data failed.
func (s *Server) Serve(ctx context.Context) error {
	log := s.borough.log
	log.Info("serving", "address", s.Addr().String(), "borough", s.borough.cfg.Borough, "epoch", s.borough.Epoch().String())
	failed := make(chan error, 3)
	var faces sync.WaitGroup
	faces.Go(func() { failed <- s.api.Serve(s.listener, s.secure) })
	faces.Go(func() { failed <- s.admin.serve() })
	if s.figures != nil {
		faces.Go(func() { failed <- s.figures.serve() })
	}
	var cause error
	select {
	case <-ctx.Done():
	case cause = <-failed:
	case <-s.borough.failed:
		cause = s.borough.failure
		log.Error("ending, because nothing more can be kept safely", "error", cause.Error())
	}
	log.Info("draining")
	drain, cancel := context.WithTimeout(context.Background(), drainTime)
	defer cancel()
	err := errors.Join(cause, s.api.Shutdown(drain), s.admin.close(drain), s.figures.close())
	_ = s.listener.Close() // for a Serve that had not begun when it was shut down
	faces.Wait()
	return err
}

// Close gives back the addresses and the data. It may be called twice.
func (s *Server) Close() error {
	s.closing.Do(func() {
		var errs []error
		if s.listener != nil {
			if err := s.listener.Close(); err != nil && !errors.Is(err, net.ErrClosed) {
				errs = append(errs, err)
			}
		}
		if s.admin != nil {
			errs = append(errs, s.admin.close(context.Background()))
		}
		errs = append(errs, s.figures.close())
		errs = append(errs, s.borough.close())
		s.closed = errors.Join(errs...)
	})
	return s.closed
}

// levelOf is the level of a configuration that Check found good.
func levelOf(cfg LogConfig) slog.Level {
	var level slog.Level
	if err := level.UnmarshalText([]byte(cfg.Level)); err != nil {
		return slog.LevelInfo // Check told of it
	}
	return level
}

// newLogger writes log lines as cfg says.
func newLogger(cfg LogConfig, w io.Writer) *slog.Logger { return newLeveled(cfg, levelOf(cfg), w) }

// newLeveled is newLogger with a level that may change meanwhile.
func newLeveled(cfg LogConfig, level slog.Leveler, w io.Writer) *slog.Logger {
	opt := &slog.HandlerOptions{Level: level}
	if cfg.Format == "text" {
		return slog.New(slog.NewTextHandler(w, opt))
	}
	return slog.New(slog.NewJSONHandler(w, opt))
}
