// Package traffic counts what goes over TCP, HTTP headers included: what a poor
// signal has to carry, and not only what we put into a body.
package traffic

import (
	"context"
	"net"
	"sync/atomic"
	"time"
)

// dialTimeout is how long a connection may take to come about.
const dialTimeout = 10 * time.Second

// Count has the bytes of all connections that it dialled. It may be used by
// several goroutines at once.
type Count struct {
	// Up and Down are bytes written and read.
	Up, Down atomic.Int64
}

// Dial connects as net.Dialer does; it is made for http.Transport.
func (c *Count) Dial(ctx context.Context, network, address string) (net.Conn, error) {
	dialer := net.Dialer{Timeout: dialTimeout}
	conn, err := dialer.DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	return &countedConn{Conn: conn, count: c}, nil
}

type countedConn struct {
	net.Conn
	count *Count
}

// Read implements net.Conn.
func (c *countedConn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	c.count.Down.Add(int64(n))
	return n, err
}

// Write implements net.Conn.
func (c *countedConn) Write(b []byte) (int, error) {
	n, err := c.Conn.Write(b)
	c.count.Up.Add(int64(n))
	return n, err
}
