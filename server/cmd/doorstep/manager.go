package main

import (
	"context"
	"net"
	"os"
	"time"

	"doorstep/server"
)

// manager is the service manager that started the process, if one wants to hear how it is
// (sd_notify(3): datagrams to the socket that NOTIFY_SOCKET names). Nobody waits for it,
// and a nil manager hears nothing.
type manager struct{ conn net.Conn }

// openManager finds the manager; nil: there is none, or it does not answer.
func openManager() *manager {
	path := os.Getenv("NOTIFY_SOCKET")
	if path == "" {
		return nil
	}
	conn, err := net.DialUnix("unixgram", nil, &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		return nil
	}
	return &manager{conn}
}

// Words that a manager understands.
const (
	managerReady    = "READY=1\nSTATUS=serving"
	managerStopping = "STOPPING=1\nSTATUS=letting finish what is under way"
	managerStatus   = "STATUS="
)

func (m *manager) tell(words string) {
	if m != nil {
		_, _ = m.conn.Write([]byte(words)) // it is gone, or does not read: nobody to tell
	}
}

// starting tells how far a start is, every so often, until stop.
func (m *manager) starting(meter *server.Progress, every time.Duration) (stop func()) {
	if m == nil {
		return func() {}
	}
	tick, quit, done := time.NewTicker(every), make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		for {
			select {
			case <-quit:
				return
			case <-tick.C:
				if at, ok := meter.At(); ok {
					m.tell(managerStatus + "starting: " + at.String())
				}
			}
		}
	}()
	return func() {
		tick.Stop()
		close(quit)
		<-done
	}
}

// stopping tells that the process stops once ctx ends. Whoever ends calls told, after which
// it was.
func (m *manager) stopping(ctx context.Context) (told func()) {
	done := make(chan struct{})
	undo := context.AfterFunc(ctx, func() {
		defer close(done)
		m.tell(managerStopping)
	})
	return func() {
		if !undo() {
			<-done
		}
	}
}

func (m *manager) close() {
	if m != nil {
		_ = m.conn.Close() // it only ever heard
	}
}
