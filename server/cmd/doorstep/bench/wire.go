package bench

import (
	"context"
	"net"
	"net/http"
	"sync/atomic"
	"time"
)

// wire is one tablet's way to the server. It counts the bytes of its TCP
// connections, HTTP headers included.
type wire struct {
	client   *http.Client
	up, down atomic.Int64
}

func newWire() *wire {
	w := &wire{}
	dialer := &net.Dialer{Timeout: 10 * time.Second}
	w.client = &http.Client{Transport: &http.Transport{
		DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			conn, err := dialer.DialContext(ctx, network, address)
			if err != nil {
				return nil, err
			}
			return &countedConn{conn, w}, nil
		},
		WriteBufferSize: 64 << 10, ReadBufferSize: 64 << 10,
	}}
	return w
}

func (w *wire) used() Traffic { return Traffic{Up: w.up.Load(), Down: w.down.Load()} }

func (w *wire) hangUp() { w.client.CloseIdleConnections() }

type countedConn struct {
	net.Conn
	wire *wire
}

// Read implements net.Conn.
func (c *countedConn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	c.wire.down.Add(int64(n))
	return n, err
}

// Write implements net.Conn.
func (c *countedConn) Write(b []byte) (int, error) {
	n, err := c.Conn.Write(b)
	c.wire.up.Add(int64(n))
	return n, err
}
