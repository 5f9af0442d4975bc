package demo

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync/atomic"
	"time"

	"doorstep/server"
)

// borough is a running server with its data in one folder, and the operator who
// looks after it through the admin socket, as the doorstep command does.
type borough struct {
	url      string
	data     string // folder of the journal, the index and the key store
	cfg      server.Config
	operator server.Operator
	server   *server.Server
	logs     *os.File
	cancel   context.CancelFunc
	done     chan error
	behind   atomic.Int64 // how far its clock is behind the machine's: 0, but while a past is played
}

// now is the borough's clock.
func (b *borough) now() time.Time { return time.Now().Add(-time.Duration(b.behind.Load())) }

// goTo moves the borough's clock forward; it never goes back while it runs.
func (b *borough) goTo(at time.Time) { b.behind.Store(int64(max(0, time.Since(at)))) }

// operatorLogin is the account that founding a borough makes.
const operatorLogin = "first.operator"

// foundBorough begins a borough in dir and serves it.
func foundBorough(ctx context.Context, dir, address string) (*borough, error) {
	cfg := configOf(dir, address)
	for _, folder := range []string{dir, cfg.Delivery.Folder, cfg.Import.Folder} {
		if err := os.MkdirAll(folder, 0o700); err != nil {
			return nil, err
		}
	}
	first := server.FirstUser{Login: operatorLogin, Name: "The First Operator", Password: pass}
	if _, err := server.Init(ctx, cfg, first); err != nil {
		return nil, fmt.Errorf("founding a borough: %w", err)
	}
	return startBorough(dir, address, 0)
}

// configOf is the configuration of the borough in dir. An empty address is a
// free port of this machine.
func configOf(dir, address string) server.Config {
	if address == "" {
		address = "127.0.0.1:0"
	}
	cfg := server.DefaultConfig()
	cfg.Name, cfg.Borough = "Imaginary Borough", "imaginary"
	cfg.Data.Dir, cfg.Data.MinFreeMB = filepath.Join(dir, "data"), 128
	cfg.Secrets.Dir = filepath.Join(dir, "secrets")
	cfg.Listen.Address = address
	cfg.Delivery.Folder, cfg.Import.Folder = filepath.Join(dir, "case-management"), filepath.Join(dir, "incoming")
	return cfg
}

// startBorough serves the borough in dir, by a clock that is behind the machine's.
func startBorough(dir, address string, behind time.Duration) (*borough, error) {
	b := &borough{cfg: configOf(dir, address), done: make(chan error, 1)}
	b.behind.Store(int64(behind))
	b.data = b.cfg.Data.Dir
	var err error
	b.logs, err = os.OpenFile(filepath.Join(dir, "server.log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	if b.server, err = server.OpenAt(b.cfg, b.logs, b.now); err != nil {
		return nil, errors.Join(fmt.Errorf("starting the server: %w", err), b.logs.Close())
	}
	b.url = "http://" + b.server.Addr().String()
	ctx, cancel := context.WithCancel(context.Background())
	b.cancel = cancel
	go func() { b.done <- b.server.Serve(ctx) }()
	if b.operator, err = server.OpenOperator(b.cfg, b.logs); err != nil {
		return nil, errors.Join(fmt.Errorf("reaching the server: %w", err), b.stop())
	}
	return b, nil
}

// stop ends the server and gives its data back.
func (b *borough) stop() error {
	var errs []error
	if b.operator != nil {
		errs = append(errs, b.operator.Close())
	}
	b.cancel()
	errs = append(errs, <-b.done, b.server.Close(), b.logs.Close())
	return errors.Join(errs...)
}

// bringIn imports the caseload in a folder, as `doorstep import` does.
func (b *borough) bringIn(ctx context.Context, folder string) (server.ImportReport, error) {
	packed, err := server.ZipFolder(folder)
	if err != nil {
		return server.ImportReport{}, err
	}
	return b.operator.Import(ctx, server.ImportFiles{Zip: packed})
}

// issueCode returns an enrolment code for one person and one tablet.
func (b *borough) issueCode(ctx context.Context, login string) (string, error) {
	code, err := b.operator.IssueCode(ctx, login)
	if err != nil {
		return "", fmt.Errorf("issuing a code to %s: %w", login, err)
	}
	return code.Code, nil
}
