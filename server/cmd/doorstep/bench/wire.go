package bench

import (
	"net/http"

	"doorstep/server/cmd/doorstep/traffic"
)

// wire is one tablet's way to the server. It counts the bytes of its TCP
// connections, HTTP headers included.
type wire struct {
	client *http.Client
	count  traffic.Count
}

func newWire() *wire {
	w := &wire{}
	w.client = &http.Client{Transport: &http.Transport{
		DialContext:     w.count.Dial,
		WriteBufferSize: 64 << 10,
		ReadBufferSize:  64 << 10,
	}}
	return w
}

func (w *wire) used() Traffic { return Traffic{Up: w.count.Up.Load(), Down: w.count.Down.Load()} }

func (w *wire) hangUp() { w.client.CloseIdleConnections() }
