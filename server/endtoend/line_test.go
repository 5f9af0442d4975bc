package endtoend

import (
	"context"
	"errors"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
)

// errCut is what the caller sees of a connection that was cut.
var errCut = errors.New("the line was cut")

// line is the network between one caller and a server. It counts what goes over
// it and can be cut at any byte.
type line struct {
	http  *http.Client
	trips atomic.Int64 // requests begun
	up    atomic.Int64 // bytes on TCP, headers included
	down  atomic.Int64

	mu    sync.Mutex
	cutUp int // guarded by mu; bytes the next connection carries up, -1: all
	cutDn int // guarded by mu; bytes it carries down, -1: all
	// meddle, if set, is given each request instead of the network. Guarded by mu.
	meddle func(r *http.Request, network http.RoundTripper) (*http.Response, error)
}

// newLine returns a line to wherever the site is when it is dialled.
func newLine(s site) *line {
	l := &line{cutUp: -1, cutDn: -1}
	dialer := &net.Dialer{}
	l.http = &http.Client{
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport: &lineTransport{line: l, network: &http.Transport{
			DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
				conn, err := dialer.DialContext(ctx, network, s.address())
				if err != nil {
					return nil, err
				}
				return l.wrap(conn), nil
			},
		}},
	}
	return l
}

// base is the server's address as callers name it; lines lead elsewhere.
const base = "http://doorstep.example"

// cut makes the next connection end after so many bytes up or down; -1 is never.
func (l *line) cut(up, down int) {
	l.http.CloseIdleConnections()
	l.mu.Lock()
	defer l.mu.Unlock()
	l.cutUp, l.cutDn = up, down
}

// between puts fn between the caller and the network; nil takes it away.
func (l *line) between(fn func(r *http.Request, network http.RoundTripper) (*http.Response, error)) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.meddle = fn
}

func (l *line) wrap(conn net.Conn) net.Conn {
	l.mu.Lock()
	defer l.mu.Unlock()
	c := &lineConn{Conn: conn, line: l, upLeft: l.cutUp, downLeft: l.cutDn}
	l.cutUp, l.cutDn = -1, -1
	return c
}

type lineTransport struct {
	line    *line
	network *http.Transport
}

// RoundTrip implements http.RoundTripper.
func (t *lineTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	t.line.trips.Add(1)
	t.line.mu.Lock()
	meddle := t.line.meddle
	t.line.mu.Unlock()
	if meddle != nil {
		return meddle(r, t.network)
	}
	return t.network.RoundTrip(r)
}

// CloseIdleConnections is what http.Client looks for.
func (t *lineTransport) CloseIdleConnections() { t.network.CloseIdleConnections() }

// lineConn is one TCP connection. Once either direction is used up it is closed.
type lineConn struct {
	net.Conn
	line     *line
	upLeft   int // used by the one goroutine that writes; -1: no end
	downLeft int // used by the one goroutine that reads; -1: no end
}

// Write implements net.Conn.
func (c *lineConn) Write(b []byte) (int, error) {
	part, cut := within(b, c.upLeft)
	n, err := c.Conn.Write(part)
	c.line.up.Add(int64(n))
	if c.upLeft >= 0 {
		c.upLeft -= n
	}
	if cut && err == nil {
		return n, errors.Join(errCut, c.Conn.Close())
	}
	return n, err
}

// Read implements net.Conn.
func (c *lineConn) Read(b []byte) (int, error) {
	part, _ := within(b, c.downLeft)
	if len(part) == 0 && len(b) > 0 {
		// Reading the first byte too many shows that there was one to cut off.
		var more [1]byte
		if _, err := c.Conn.Read(more[:]); err != nil {
			return 0, err
		}
		return 0, errors.Join(errCut, c.Conn.Close())
	}
	n, err := c.Conn.Read(part)
	c.line.down.Add(int64(n))
	if c.downLeft >= 0 {
		c.downLeft -= n
	}
	return n, err
}

// within is the part of b that may still pass, and whether some of it may not.
func within(b []byte, left int) (part []byte, cut bool) {
	if left < 0 || len(b) <= left {
		return b, false
	}
	return b[:left], true
}
