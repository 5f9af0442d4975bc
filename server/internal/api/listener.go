package api

import (
	"net"
	"net/netip"
	"sync"
)

// cappedListener bounds how many connections one place has open, so that one
// broken machine cannot take every place. (fasthttp's own cap races with its
// shutdown.)
type cappedListener struct {
	net.Listener
	perAddress int

	mu   sync.Mutex
	open map[string]int // guarded by mu
}

// Accept returns the next connection of an address below the cap; those above it
// are closed unanswered.
func (l *cappedListener) Accept() (net.Conn, error) {
	for {
		conn, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		from := addressOf(conn)
		if l.enter(from) {
			return &cappedConn{Conn: conn, leave: sync.OnceFunc(func() { l.leave(from) })}, nil
		}
		_ = conn.Close()
	}
}

func (l *cappedListener) enter(from string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.open[from] >= l.perAddress {
		return false
	}
	l.open[from]++
	return true
}

func (l *cappedListener) leave(from string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.open[from]--; l.open[from] == 0 {
		delete(l.open, from)
	}
}

// addressOf is the peer's place; empty where there is none (a pipe).
func addressOf(conn net.Conn) string {
	ap, err := netip.ParseAddrPort(conn.RemoteAddr().String())
	if err != nil {
		return ""
	}
	return placeOf(ap.Addr())
}

// cappedConn gives its place back when it is closed.
type cappedConn struct {
	net.Conn
	leave func()
}

// Close implements net.Conn.
func (c *cappedConn) Close() error {
	c.leave()
	return c.Conn.Close()
}
