package main

import (
	"bytes"
	"context"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A service manager hears that the server serves once it does, and that it stops.
func TestServiceManagerHearsHowTheServerIs(t *testing.T) {
	dir, err := os.MkdirTemp("", "doorstep") // short enough for a unix socket
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	socket := filepath.Join(dir, "notify")
	listening, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: socket, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	defer listening.Close()
	config := filepath.Join(dir, "c.toml")
	var out bytes.Buffer
	if code := execute(t.Context(), []string{"init", "--config", config, "--borough", "wight", "--data", filepath.Join(dir, "data"), "--secrets", filepath.Join(dir, "keys")}, nil, &out, &out); code != exitDone {
		t.Fatalf("init: %s", out.String())
	}
	t.Setenv("DOORSTEP_LISTEN_ADDRESS", "127.0.0.1:0")
	t.Setenv("NOTIFY_SOCKET", socket)
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	code := make(chan int, 1)
	go func() { code <- execute(ctx, []string{"serve", "--config", config}, nil, io.Discard, io.Discard) }()
	hear := func(want string) {
		t.Helper()
		for buf := make([]byte, 4096); ; {
			n, err := listening.Read(buf)
			if err != nil {
				t.Fatal(err)
			}
			if strings.Contains(string(buf[:n]), want) {
				return
			}
			if !strings.HasPrefix(string(buf[:n]), managerStatus) {
				t.Fatalf("it heard %q before %q", buf[:n], want)
			}
		}
	}
	hear(managerReady)
	stop()
	hear(managerStopping)
	if got := <-code; got != exitDone {
		t.Errorf("serve ended with %d", got)
	}
}

// Without a service manager nothing is told to anybody.
func TestNoServiceManager(t *testing.T) {
	t.Setenv("NOTIFY_SOCKET", "")
	m := openManager()
	if m != nil {
		t.Fatal("there is a manager")
	}
	m.starting(nil, 1)()
	m.tell(managerReady)
	m.close()
}
