package server

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"doorstep/server/internal/finalise"
	"doorstep/server/internal/metrics"
)

// metricsPath is where Prometheus looks for figures.
const metricsPath = "/metrics"

// figuresServer shows figures on an address of its own, never on the public one.
type figuresServer struct {
	listener net.Listener
	http     *http.Server
}

// listenFigures takes the address of the figures; nil: the configuration has none.
func (s *Server) listenFigures() (*figuresServer, error) {
	address := s.borough.cfg.Metrics.Address
	if address == "" {
		return nil, nil
	}
	ln, err := net.Listen("tcp", address)
	if err != nil {
		return nil, fmt.Errorf("listening on %s for figures: %w", address, err)
	}
	m := s.borough.meter
	m.streams = s.api.Streams
	mux := http.NewServeMux()
	mux.Handle("GET "+metricsPath, m.metrics.Handler())
	return &figuresServer{listener: ln, http: &http.Server{
		Handler: mux, ReadTimeout: 10 * time.Second, WriteTimeout: time.Minute, IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 8 << 10,
	}}, nil
}

// MetricsAddr is the address that figures are shown on; nil: on none.
func (s *Server) MetricsAddr() net.Addr {
	if s.figures == nil {
		return nil
	}
	return s.figures.listener.Addr()
}

func (f *figuresServer) serve() error {
	if err := f.http.Serve(f.listener); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serving figures: %w", err)
	}
	return nil
}

// close cuts who is scraping off: the next server answers them.
func (f *figuresServer) close() error {
	if f == nil {
		return nil
	}
	err := f.http.Close()
	if cerr := f.listener.Close(); cerr != nil && !errors.Is(cerr, net.ErrClosed) {
		err = errors.Join(err, cerr)
	}
	return err
}

// figures gathers how things stand. What cannot be found out is left at zero, and
// logged: a figure that is missing is seen, one that is old is not.
func (b *borough) figures() metrics.Figures {
	head, _ := b.journal.Head()
	f := metrics.Figures{
		Ready:   b.Ready() == nil,
		Journal: metrics.Journal{Entries: head},
		Disk:    b.diskFigures(), Waiting: b.waitingFigures(), Devices: b.deviceFigures(time.Now()),
		Audit: b.auditFigures(), Clock: clockFigures(),
		Queue: b.queueFigures(familiesAtOnce), Delivery: b.deliveryFigures(), Import: b.incoming.figures(), Streams: b.meter.openStreams(), Erased: len(b.store.State().Erasures()),
	}
	for _, u := range b.store.State().Users() {
		if !u.Disabled {
			f.Users++
		}
	}
	if b.copy != nil {
		c := b.copy.Status()
		f.Copy = &metrics.Copy{Behind: c.Behind, Stands: c.Trouble != ""}
	}
	if b.backups != nil {
		taken, failing := b.backups.lately()
		f.Backup = &metrics.Backup{Taken: taken, Failed: failing, Every: b.cfg.Backup.Every}
	}
	if b.scrub != nil {
		s := b.scrub.Status()
		f.Scrub = metrics.Scrub{Finished: timeOf(s.FinishedMS), Parts: s.Parts, Repaired: s.Repaired, Failed: s.Trouble != ""}
	}
	return f
}

// familiesAtOnce is how many families with news are looked at for one scrape, some
// milliseconds each at most: after a start a large borough's queue takes a few scrapes.
const familiesAtOnce = 200

// queueFigures counts the queue; nil: it is not counted through yet.
func (b *borough) queueFigures(most int) *metrics.Queue {
	d, err := b.finalise.Depth(most)
	if err != nil {
		b.log.Error("nobody knows how long the queue is", "reason", err.Error())
	}
	if err != nil || !d.Complete {
		return nil
	}
	out := &metrics.Queue{ByState: map[string]int{}, Oldest: d.Oldest}
	for _, state := range finalise.Waiting() {
		out.ByState[string(state)] = d.ByState[state]
	}
	return out
}

func (b *borough) auditFigures() metrics.Audit {
	newest, behind := b.audit.Newest()
	out := metrics.Audit{Behind: behind}
	if newest.Size > 0 {
		out.Checkpoint = timeOf(newest.TimeMS)
	}
	_, out.Lost = b.audit.Lost()
	for _, fork := range b.store.State().Forks() {
		if !fork.Declared {
			out.Forks++
		}
	}
	return out
}

// timeOf is a time from Unix milliseconds; 0: never.
func timeOf(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms).UTC()
}
