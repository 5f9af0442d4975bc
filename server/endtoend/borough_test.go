package endtoend

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"doorstep/server"
	"doorstep/server/internal/journal"
	"doorstep/server/internal/keyring"
	"doorstep/server/internal/store"
	"doorstep/server/internal/store/backing"
	"doorstep/syncproto"
)

// site is a server that devices can reach, and the operator who looks after it.
type site interface {
	address() string // host and port, at this moment
	config() server.Config
	operator() server.Operator
}

// newConfig is the configuration of a borough in folders of its own.
func newConfig(t *testing.T) server.Config {
	t.Helper()
	dir, err := os.MkdirTemp("", "doorstep") // t.TempDir is too long for a unix socket
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	cfg := server.DefaultConfig()
	cfg.Name, cfg.Borough = "Imaginary Borough", "imaginary"
	cfg.Data.Dir, cfg.Data.MinFreeMB = filepath.Join(dir, "data"), 0
	cfg.Secrets.Dir = filepath.Join(dir, "secrets")
	cfg.Listen.Address = "127.0.0.1:0"
	return cfg
}

// borough is a server in this process.
type borough struct {
	cfg  server.Config
	op   server.Operator
	addr string
	stop func()

	figures string    // where its figures are; empty: nowhere
	logs    io.Writer // nil: nobody reads them
	full    bool      // the disk is: at the end there is no room for who looked at what
}

// newBorough begins a borough with a caseload and serves it until the test ends.
func newBorough(t *testing.T, c caseload) *borough {
	t.Helper()
	b := &borough{cfg: newConfig(t)}
	if _, err := server.Init(t.Context(), b.cfg, server.FirstUser{Login: "it", Name: "IT", Password: password}); err != nil {
		t.Fatal(err)
	}
	b.start(t)
	bringIn(t, b, c)
	return b
}

// start serves the borough's data.
func (b *borough) start(t *testing.T) {
	t.Helper()
	logs := b.logs
	if logs == nil {
		logs = io.Discard
	}
	s, err := server.Open(b.cfg, logs)
	if err != nil {
		t.Fatal(err)
	}
	b.addr = s.Addr().String()
	if at := s.MetricsAddr(); at != nil {
		b.figures = at.String()
	}
	ctx, cancel := context.WithCancel(context.Background())
	served := make(chan error, 1)
	go func() { served <- s.Serve(ctx) }()
	if b.op, err = server.OpenOperator(b.cfg, io.Discard); err != nil {
		t.Fatal(err)
	}
	var once sync.Once
	full := b.full
	b.stop = func() {
		once.Do(func() {
			cancel()
			for what, err := range map[string]error{"serve": <-served, "operator": b.op.Close(), "close": s.Close()} {
				if err != nil && !(full && errors.Is(err, journal.ErrFull)) {
					t.Errorf("%s: %v", what, err)
				}
			}
		})
	}
	t.Cleanup(func() { b.stop() })
}

func (b *borough) address() string           { return b.addr }
func (b *borough) config() server.Config     { return b.cfg }
func (b *borough) operator() server.Operator { return b.op }

// bringIn imports a caseload.
func bringIn(t *testing.T, s site, c caseload) {
	t.Helper()
	report, err := s.operator().Import(t.Context(), server.ImportFiles{Zip: c.archive(t)})
	if err != nil || len(report.Problems) > 0 {
		t.Fatalf("importing the caseload: %v, problems %+v", err, report.Problems)
	}
}

// onDisk is what a stopped server's data says.
type onDisk struct {
	store   *store.Store
	journal backing.Journal
}

// openData opens a stopped server's data, as a start does: the journal is
// verified and the index brought up to it.
func openData(t *testing.T, cfg server.Config) onDisk {
	t.Helper()
	key, err := keyring.LoadBoroughKey(filepath.Join(cfg.Secrets.Dir, "borough.key"))
	if err != nil {
		t.Fatal(err)
	}
	ring, err := keyring.Load(filepath.Join(cfg.Data.Dir, "keys"), key, keyring.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { closing(t, ring.Close) })
	keys, err := backing.NewKeys(ring, func(err error) { t.Errorf("the key store: %v", err) })
	if err != nil {
		t.Fatal(err)
	}
	j, err := journal.Open(filepath.Join(cfg.Data.Dir, "journal"), journal.Options{Existing: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { closing(t, j.Close) })
	s, err := store.Open(filepath.Join(cfg.Data.Dir, "index"), store.Options{
		Source: backing.Journal{J: j}, Sealer: keys, Log: slog.New(slog.DiscardHandler),
		OnFatal: func(err error) { t.Errorf("the index: %v", err) },
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { closing(t, s.Close) })
	return onDisk{s, backing.Journal{J: j}}
}

// commit puts entries into the journal, as a server does that nobody else asks anything.
func (d onDisk) commit(t *testing.T, entries ...store.Entry) {
	t.Helper()
	tx := d.store.Begin(time.Now().UnixMilli())
	defer tx.Discard()
	for _, e := range entries {
		if _, err := tx.Stage(e); err != nil {
			t.Fatal(err)
		}
	}
	tx.Keep()
	if _, err := d.journal.Append(tx.Payloads()); err != nil {
		t.Fatal(err)
	}
	_, digest := d.journal.Head()
	if _, err := tx.Commit(digest); err != nil {
		t.Fatal(err)
	}
}

func closing(t *testing.T, close func() error) {
	t.Helper()
	if err := close(); err != nil {
		t.Error(err)
	}
}

// fold is the server's own view of a record, in bytes.
func (d onDisk) fold(t *testing.T, record syncproto.RecordID) string {
	t.Helper()
	v, err := d.store.View(record)
	if err != nil {
		t.Fatalf("the server's view of record %s: %v", record, err)
	}
	return string(v.Encode())
}
