package demo

import (
	"errors"
	"net/http"
	"sync/atomic"

	"doorstep/server/cmd/doorstep/traffic"
)

// errNoSignal is what a request meets where there is no signal.
var errNoSignal = errors.New("no signal")

// wire is one caller's way to the server. It counts the bytes of its TCP
// connections, HTTP headers included, and the requests that were answered.
type wire struct {
	client  *http.Client
	offline atomic.Bool
	count   traffic.Count
	trips   atomic.Int64
}

// usage is what went over a wire.
type usage struct{ up, down, trips int64 }

func newWire() *wire {
	w := &wire{}
	transport := &http.Transport{DialContext: w.count.Dial}
	w.client = &http.Client{
		Transport:     &countedTrips{wire: w, inner: transport},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	return w
}

func (w *wire) used() usage {
	return usage{up: w.count.Up.Load(), down: w.count.Down.Load(), trips: w.trips.Load()}
}

// since is what went over the wire after an earlier reading.
func (u usage) since(earlier usage) usage {
	return usage{up: u.up - earlier.up, down: u.down - earlier.down, trips: u.trips - earlier.trips}
}

func (u usage) plus(v usage) usage {
	return usage{up: u.up + v.up, down: u.down + v.down, trips: u.trips + v.trips}
}

// hangUp closes connections that are not in use.
func (w *wire) hangUp() { w.client.CloseIdleConnections() }

type countedTrips struct {
	wire  *wire
	inner *http.Transport
}

// RoundTrip implements http.RoundTripper.
func (c *countedTrips) RoundTrip(r *http.Request) (*http.Response, error) {
	if c.wire.offline.Load() {
		if r.Body != nil {
			_ = r.Body.Close() // a RoundTripper must; there is nothing to lose
		}
		return nil, errNoSignal
	}
	c.wire.trips.Add(1)
	return c.inner.RoundTrip(r)
}

// CloseIdleConnections is what http.Client looks for.
func (c *countedTrips) CloseIdleConnections() { c.inner.CloseIdleConnections() }
