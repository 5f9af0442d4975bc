package bench

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"doorstep/syncproto"
	"doorstep/syncproto/cbor"
)

// StartUp is how long a server takes from the start of its process until it
// serves, with so many changes in its journal.
type StartUp struct {
	Changes int     `json:"changes"`
	CleanMS float64 `json:"clean_ms"`     // after a shutdown
	KillMS  float64 `json:"killed_ms"`    // after SIGKILL
	BareMS  float64 `json:"no_index_ms"`  // with the index deleted
	DataMB  int64   `json:"data_mb"`      // journal, keys and index
	FillPS  float64 `json:"fill_per_sec"` // changes stored a second, while filling
}

// noteEvery is how many small changes each record gets.
const noteEvery = 25

// measureStartUp fills a borough with small changes and starts it again and again.
func (b *bench) measureStartUp(ctx context.Context) error {
	s, err := b.startSite(ctx, "start-up")
	if err != nil {
		return err
	}
	for _, p := range s.pushers {
		p.notes = true
	}
	out := &b.report.StartUp
	began := time.Now()
	if err := b.fill(ctx, s, b.o.StartUp); err != nil {
		return errors.Join(err, s.close())
	}
	out.Changes, out.FillPS = b.o.StartUp, float64(b.o.StartUp)/time.Since(began).Seconds()
	cfg := configOf(s.dir)
	stop := s.close
	for _, again := range []struct {
		what string
		took *float64
		end  func() error
	}{
		{"after a shutdown", &out.CleanMS, func() error { return stop() }},
		{"after SIGKILL", &out.KillMS, nil},
		{"without its index", &out.BareMS, func() error {
			return errors.Join(stop(), os.RemoveAll(filepath.Join(cfg.Data.Dir, "index")))
		}},
	} {
		end := again.end
		if end == nil {
			end = b.killed
		}
		if err := end(); err != nil {
			return err
		}
		began := time.Now()
		p, err := startProcess(ctx, cfg, s.dir)
		if err != nil {
			return err
		}
		*again.took = float64(time.Since(began).Microseconds()) / 1000
		b.say("start %s: %.0f ms", again.what, *again.took)
		stop, b.kill = p.stop, p.kill
	}
	out.DataMB = sizeOf(cfg.Data.Dir) >> 20
	return stop()
}

func (b *bench) killed() error { return b.kill() }

// kill ends the server as a crash does.
func (p *process) kill() error {
	if err := p.cmd.Process.Signal(syscall.SIGKILL); err != nil {
		return fmt.Errorf("killing the server: %w", err)
	}
	<-p.read
	_ = p.cmd.Wait() // it was killed
	return nil
}

// sizeOf is the bytes on the disk of all files below a folder.
func sizeOf(dir string) (total int64) {
	_ = filepath.WalkDir(dir, func(_ string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return nil
		}
		if info, err := d.Info(); err == nil {
			total += info.Sys().(*syscall.Stat_t).Blocks * 512
		}
		return nil
	})
	return total
}

// note is a small change: the place of a visit, again and again, and a new visit
// every noteEvery changes.
func (w *writer) note(at *pusher, seq uint64) ([]byte, error) {
	body, err := w.visitBody(at, seq)
	if err != nil {
		return nil, err
	}
	body.Ops = body.Ops[:1]
	if w.noted == 0 {
		w.noting, w.in = body.Record, body.Family
	} else {
		body.Record, body.Family, body.Deps = w.noting, w.in, []syncproto.ChangeID{at.tip}
		body.Ops[0] = syncproto.Op{Code: syncproto.OpSet, Path: syncproto.Path{Field: "place"}, Value: cbor.Text("HOME")}
	}
	w.noted = (w.noted + 1) % noteEvery
	return syncproto.EncodeBody(&body)
}
