package traffic_test

import (
	"io"
	"net"
	"testing"

	"doorstep/server/cmd/doorstep/traffic"
)

func TestCountsBothWays(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	answered := make(chan error, 1)
	go func() {
		conn, err := l.Accept()
		if err == nil {
			defer conn.Close()
			_, err = io.ReadFull(conn, make([]byte, 5))
		}
		if err == nil {
			_, err = conn.Write([]byte("goodbye"))
		}
		answered <- err
	}()

	var count traffic.Count
	conn, err := count.Dial(t.Context(), "tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := conn.Write([]byte("hello")); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(conn, make([]byte, 7)); err != nil {
		t.Fatal(err)
	}
	if err := <-answered; err != nil {
		t.Fatal(err)
	}
	if up, down := count.Up.Load(), count.Down.Load(); up != 5 || down != 7 {
		t.Errorf("got %d bytes up and %d down, want 5 and 7", up, down)
	}
}

func TestFailedDialCountsNothing(t *testing.T) {
	var count traffic.Count
	if _, err := count.Dial(t.Context(), "nonsense", "nowhere"); err == nil {
		t.Error("dialled over a network that does not exist")
	}
	if up, down := count.Up.Load(), count.Down.Load(); up != 0 || down != 0 {
		t.Errorf("got %d and %d bytes over no connection", up, down)
	}
}
